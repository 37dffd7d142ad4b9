"""The EHR link as the service has it: a real ward, journal, trends and queue, and a receiver on a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import hl7
import pytest
from sqlalchemy import text

from monitor.api.hub import Hub
from monitor.clock import ManualClock
from monitor.config.settings import Clinic
from monitor.devices.codecs import DRIVERS
from monitor.ehr import commands
from monitor.ehr.link import EhrLink
from monitor.ehr.opening import open_link
from monitor.model import (
    Admitted,
    AlarmState,
    Baseline,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    DeviceNoted,
    Discharged,
    LinkMoved,
    LinkState,
    Quality,
    Reading,
    ServiceStarted,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.planning import plan
from monitor.records.report import SessionReport
from monitor.reporting.door import Reports
from monitor.service import Service
from monitor.snapshot import AlarmNow
from monitor.store.database import StoreError
from monitor.store.opening import Store, open_store
from monitor.store.outgoing import DAY_MS, State
from monitor.ward import Ward
from simulators.ehr import Receiver
from tests.shells.databases import behind_its_back

pytestmark = pytest.mark.real

T0_MS = 1_790_000_040_000
MIN = 60_000
BED, OTHER = Bed("3"), Bed("4")
MONITOR, OTHER_MONITOR = Device("monitor3"), Device("monitor4")
DANA = Staff("dana")

SETTINGS: dict[str, Any] = {
    "bed": [{"name": "3", "place": "By the window"}, {"name": "4"}],
    "device": [
        {"name": "monitor3", "driver": "dinamap", "link": "/dev/ttyUSB3", "bed": "3"},
        {"name": "monitor4", "driver": "dinamap", "link": "/dev/ttyUSB4", "bed": "4"},
    ],
    "staff": [{"name": "dana", "role": "nurse"}],
    "duty": {"on": ["dana"], "beds": {"3": "dana", "4": "dana"}},
}


SOMETHING = DeviceNoted(T0_MS, MONITOR, ())
"""Something to hear, so that a turn need not wait."""


class House:
    """The service without its web server and devices; time stands until it is told to go on."""

    def __init__(self, clinic: Clinic, receiver: Receiver, clock: ManualClock) -> None:
        """Nothing is open."""
        self.clinic, self.receiver, self.clock = clinic, receiver, clock
        self.broken = False
        """While it is set, no record can be put together."""

    async def start(self) -> None:
        """As the service does: what is kept is read, then everything runs."""
        self.store: Store = await open_store(self.clinic.about.data_dir, retention_days=36_500)
        journal, trends = self.store.journal, self.store.trends
        ward = Ward(plan(self.clinic, DRIVERS))
        ward.restore([row.event async for row in journal.replay()])
        self.service = Service(ward, journal, trends, Hub("here", self.clock.now_ms), self.clock, 1.0)
        reports = Reports(self.clinic, journal, trends, self.clock.now_ms)

        async def record(session: int) -> SessionReport:
            if self.broken:
                raise ZeroDivisionError
            await trends.flush()
            return await reports.session(session)

        assert self.clinic.ehr is not None
        self.link: EhrLink = await open_link(
            self.clinic, self.clinic.ehr, journal, self.service.read, record, self.clock.now_ms,
            self.service.part,
        )  # fmt: skip
        now_ms = self.clock.now_ms()
        await self.hears(
            ServiceStarted(now_ms, "0", journal.last_at_ms),
            *(
                LinkMoved(now_ms, device, LinkState.CONNECTING, LinkState.UP, "", now_ms)
                for device in (MONITOR, OTHER_MONITOR)
            ),
        )

    async def stop(self) -> None:
        """Let go of everything. What was not sent stands in the queue."""
        await self.link.close()
        await self.store.close()

    async def hears(self, *events: Any) -> None:
        """One turn of the loop."""
        for event in events:
            self.service.inbox.put(event)
        await self.service.turn()

    async def looks(self) -> None:
        """The link's two tasks, once each, and what they say of themselves."""
        await self.link.fill()
        await self.link.send()
        self.link.say()

    async def admits(self, alias: str, bed: Bed = BED) -> int:
        """A session begins; its number."""
        now_ms = self.clock.now_ms()
        await self.hears(Admitted(now_ms, bed, alias, Baseline(), "watch", None, DANA))
        session = self._bed(bed).session
        assert session is not None
        number: int = session.session
        return number

    async def discharges(self, session: int) -> int:
        """It ends; when it did."""
        at_ms = self.clock.now_ms()
        await self.hears(Discharged(at_ms, session, DANA, "home"))
        assert all(bed.session is None or bed.session.session != session for bed in self.service.read().beds)
        self.clock.advance(1_000)
        return at_ms

    async def cuff(self, systolic: float, bed: Bed = BED, ago_ms: int = 0) -> None:
        """A cuff reading of this bed's monitor."""
        now_ms = self.clock.now_ms()
        device = MONITOR if bed == BED else OTHER_MONITOR
        cuff = Cuff(systolic, 80, pulse=70, age_ms=ago_ms)
        await self.hears(CuffTaken(now_ms, now_ms - ago_ms, bed, device, cuff))

    async def minutes(self, count: int, spo2: float | None = 97.0, bed: Bed = BED) -> None:
        """So many minutes of a monitor that says its saturation every five seconds, looked at each time."""
        device = MONITOR if bed == BED else OTHER_MONITOR
        for _ in range(12 * count):
            now_ms = self.clock.advance(5_000)
            quality = Quality.VALID if spo2 is not None else Quality.MISSING
            await self.hears(Reading(now_ms, bed, device, Vital.SPO2, spo2, quality, None, now_ms + 10_000))
            await self.looks()

    def alarm(self, rule: str) -> AlarmNow | None:
        """An alarm that is there now."""
        return next((one for one in self.service.read().alarms if one.rule == rule), None)

    def told(self, kind: str = "") -> list[Any]:
        """What the receiver was told, read by the library; only messages of this kind."""
        found = [hl7.parse(one.decode()) for one in self.receiver.heard]
        return [one for one in found if kind in str(one.segment("MSH")[10])]

    def _bed(self, bed: Bed) -> Any:
        return next(one for one in self.service.read().beds if one.bed == bed)


@asynccontextmanager
async def house(folder: Path, *send: str, **ehr: Any) -> AsyncIterator[House]:
    receiver = Receiver()
    await receiver.come_up()
    about = {"name": "Harbour clinic", "zone": "Europe/Berlin", "data_dir": folder / "data"}
    own = {"host": "127.0.0.1", "port": receiver.port, "sender_id": "1A2B3C4D5E6F7081"}
    settings = {**SETTINGS, "clinic": about, "ehr": {**own, "send": send or ("sessions",), **ehr}}
    here = House(Clinic.model_validate(settings), receiver, ManualClock(T0_MS))
    await here.start()
    try:
        yield here
    finally:
        await here.stop()
        await receiver.go_down()


def numbers(message: Any, name: str) -> list[str]:
    """The values of one quantity in a message."""
    return [str(row[5]) for row in message.segments("OBX") if name in str(row[3])]


SPO2, SYSTOLIC = "MDC_PULS_OXIM_SAT_O2", "MDC_PRESS_BLD_NONINV_SYS"


# Sessions.


async def test_the_record_of_a_session_goes_out_once_it_is_over(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.minutes(6)
        assert here.receiver.heard == [], "nothing before its end"
        at_ms = await here.discharges(session)
        await here.looks()
        (message,) = here.told()
        assert str(message.segment("MSH")[10]) == f"{session}S{at_ms}"
        assert str(message.segment("PID")[3][0][0]) == "blue-17"
        assert str(message.segment("PV1")[3]) == "Harbour clinic^By the window^3"
        assert numbers(message, SYSTOLIC) == ["131"]
        assert "97" in numbers(message, SPO2)
        await here.looks()
        assert len(here.receiver.heard) == 1


async def test_what_was_over_before_there_was_an_ehr_is_nobodys_news(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.link.close()
        await behind_its_back(f"sqlite:///{tmp_path}/data/outgoing.sqlite3", "DELETE FROM outgoing_read")
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        await here.store.close()
        await here.start()
        await here.looks()
        assert here.receiver.heard == []
        again = await here.admits("red-3")
        await here.cuff(120)
        await here.discharges(again)
        await here.looks()
        assert len(here.receiver.heard) == 1


async def test_killed_between_the_end_of_a_session_and_the_queue_it_is_told_after_the_restart(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        session = await here.admits("blue-17")
        await here.looks()
        await here.cuff(131)
        at_ms = await here.discharges(session)
        await here.stop()  # the journal has it, the queue has never heard of it
        await here.start()
        await here.looks()
        assert [str(one.segment("MSH")[10]) for one in here.told()] == [f"{session}S{at_ms}"]


async def test_killed_between_the_queue_and_the_receiver_it_is_sent_after_the_restart_as_it_was(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        await here.receiver.go_down()
        await here.looks()
        (before,) = await here.link._queue.first(9)
        await here.stop()
        await here.receiver.come_up()
        here.clock.advance(MIN)
        await here.start()
        await here.looks()
        assert here.receiver.heard == [before.body.encode()]


async def test_a_write_that_fails_is_made_good_and_nothing_stands_there_twice(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        url = f"sqlite:///{tmp_path}/data/outgoing.sqlite3"
        await here.looks()
        for alias in ("blue-17", "red-3"):
            session = await here.admits(alias)
            await here.cuff(131)
            await here.discharges(session)
            here.clock.advance(MIN)
        await behind_its_back(url, "ALTER TABLE outgoing RENAME TO away")
        with pytest.raises(StoreError):
            await here.link.fill()
        await behind_its_back(url, "ALTER TABLE away RENAME TO outgoing")
        await here.looks()
        assert [str(one.segment("PID")[3][0][0]) for one in here.told()] == ["blue-17", "red-3"]


async def test_a_session_in_which_nothing_was_measured_is_not_told(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.discharges(await here.admits("blue-17"))
        await here.looks()
        assert here.receiver.heard == []
        assert here.link.counts.waiting == 0


async def test_a_record_that_cannot_be_made_is_kept_for_a_person_and_holds_up_no_other(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        await here.looks()
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        here.broken = True
        for _ in range(2):
            with pytest.raises(StoreError, match=f"The record of session {session} cannot be made"):
                await here.link.fill()
        await here.link.fill()
        here.broken = False
        (aside,) = await here.link._queue.aside()
        assert (aside.state, aside.session) == (State.UNMADE, session)
        assert aside.why == "its record cannot be made: ZeroDivisionError"
        other = await here.admits("red-3")
        await here.cuff(120)
        await here.discharges(other)
        await here.looks()
        assert [str(one.segment("PID")[3][0][0]) for one in here.told()] == ["red-3"]


# Numbers while a session lasts.


async def test_each_minute_goes_out_as_a_median_and_each_cuff_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, "vitals") as here:
        session = await here.admits("blue-17")
        await here.cuff(131, ago_ms=0)
        await here.looks()
        (cuff,) = here.told("C")
        assert numbers(cuff, SYSTOLIC) == ["131"]
        await here.minutes(1, spo2=97)
        await here.minutes(1, spo2=95)
        await here.minutes(1, spo2=None)
        minutes = here.told("V")
        assert [numbers(one, SPO2) for one in minutes][:2] == [["97"], ["95"]]
        await here.minutes(1, spo2=None)
        gone = here.told("V")[-1]
        (row,) = [one for one in gone.segments("OBX") if SPO2 in str(one[3])]
        assert (str(row[5]), str(row[8]), str(row[11])) == ("", "NAV", "X")
        names = [str(one.segment("MSH")[10]) for one in minutes]
        assert len(set(names)) == len(names)
        assert all(name.startswith(f"{session}V") for name in names)
        assert not here.told("S"), "the record of the session was not asked for"


async def test_a_value_taken_by_hand_goes_out_once_with_who_took_it(tmp_path: Path) -> None:
    async with house(tmp_path, "vitals") as here:
        await here.admits("blue-17")
        await here.hears(VitalTyped(here.clock.now_ms(), BED, Vital.TEMPERATURE, 36.7, DANA))
        await here.minutes(3)
        rows = [row for one in here.told("V") for row in one.segments("OBX") if "MDC_TEMP" in str(row[3])]
        assert [(str(row[5]), str(row[16])) for row in rows] == [("36.7", "dana")]


async def test_no_number_of_one_patient_goes_out_as_anothers(tmp_path: Path) -> None:
    async with house(tmp_path, "vitals", "sessions") as here:
        first = await here.admits("blue-17")
        await here.cuff(131)
        await here.minutes(2, spo2=97)
        await here.discharges(first)
        here.clock.advance(5_000)
        second = await here.admits("red-3")
        await here.cuff(171, ago_ms=30_000)  # the monitor sends what it measured of the first one
        await here.cuff(122)
        await here.minutes(2, spo2=91)
        await here.discharges(second)
        await here.minutes(1, spo2=85)  # the probe on nobody
        told: dict[str, set[str]] = {}
        for message in here.told():
            alias = str(message.segment("PID")[3][0][0])
            told.setdefault(alias, set()).update(numbers(message, SPO2), numbers(message, SYSTOLIC))
        assert told.keys() == {"blue-17", "red-3"}
        assert told["blue-17"] - {""} == {"97", "131"}
        assert told["red-3"] - {""} == {"91", "122"}


async def test_two_beds_are_told_side_by_side(tmp_path: Path) -> None:
    async with house(tmp_path, "vitals") as here:
        await here.admits("blue-17")
        await here.admits("red-3", OTHER)
        await here.cuff(131)
        await here.cuff(144, OTHER)
        await here.looks()
        told = {str(m.segment("PID")[3][0][0]): (numbers(m, SYSTOLIC), str(m.segment("PV1")[3])) for m in here.told()}  # fmt: skip  # noqa: E501
        assert told == {
            "blue-17": (["131"], "Harbour clinic^By the window^3"),
            "red-3": (["144"], "Harbour clinic^^4"),
        }


async def test_a_cuff_of_before_a_restart_still_finds_its_patient(tmp_path: Path) -> None:
    async with house(tmp_path, "vitals") as here:
        await here.looks()
        first = await here.admits("blue-17")
        await here.cuff(131)
        here.clock.advance(MIN)
        await here.discharges(first)
        here.clock.advance(MIN)
        await here.admits("red-3")
        await here.stop()
        await here.start()
        await here.looks()
        (message,) = here.told("C")
        assert str(message.segment("PID")[3][0][0]) == "blue-17"


# What is said of it.


async def test_a_receiver_that_is_down_becomes_a_low_alarm_of_the_clinic_and_goes_with_it(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        await here.receiver.go_down()
        for _ in range(40):
            await here.looks()
            await here.hears(SOMETHING)
            here.clock.advance(10_000)
        alarm = here.alarm("ehr-down-l")
        assert alarm is not None
        assert (alarm.priority.name, alarm.state) == ("LOW", AlarmState.ACTIVE)
        assert alarm.text == "Records do not reach the EHR"
        part = next(one for one in here.service.read().parts if one.part == "ehr")
        assert "refuses the connection" in part.why
        await here.receiver.come_up()
        here.clock.advance(2 * MIN)
        await here.looks()
        await here.hears(SOMETHING)
        assert here.alarm("ehr-down-l") is None
        assert len(here.receiver.heard) == 1


async def test_a_refused_record_is_a_low_alarm_until_somebody_has_dealt_with_it(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.receiver.choose = lambda *_: "AE"
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        for _ in range(10):
            await here.looks()
            await here.hears(SOMETHING)
            here.clock.advance(10_000)
        alarm = here.alarm("ehr-refused-l")
        assert alarm is not None
        assert alarm.text == "The EHR does not take a record"
        said = await commands.standing(here.clinic)
        assert said[0] == "0 waiting; 1 put aside"
        number, line = said[1].split(" ", 1)
        assert line.strip().startswith(f"session {session}  2026-09-21 ")
        assert line.endswith("refused: AE: an error in the message")

        here.receiver.choose = lambda *_: "AA"
        assert await commands.again(here.clinic, [int(number)]) == 1
        await here.looks()
        await here.looks()
        await here.hears(SOMETHING)
        assert here.alarm("ehr-refused-l") is None
        assert len(here.receiver.taken) == 1


async def test_what_nobody_wants_to_send_any_more_is_dropped_by_its_number(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.receiver.choose = lambda *_: "AE"
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        await here.looks()
        (aside,) = await here.link._queue.aside()
        assert await commands.drop(here.clinic, [aside.number], here.clock.now_ms()) == 1
        assert await commands.standing(here.clinic) == ["0 waiting; 0 put aside"]


async def test_the_line_can_be_tried_from_the_command_line(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        port = here.receiver.port
        assert await commands.call(here.clinic) == f"the EHR at 127.0.0.1 port {port} takes the call"
        await here.receiver.go_down()
        with pytest.raises(StoreError, match="refuses the connection"):
            await commands.call(here.clinic)


async def test_a_clinic_without_an_ehr_has_no_queue_to_look_at(tmp_path: Path) -> None:
    clinic = Clinic.model_validate({**SETTINGS, "clinic": {"data_dir": tmp_path}})
    with pytest.raises(StoreError, match="nothing was ever sent from here"):
        await commands.standing(clinic)
    with pytest.raises(StoreError, match=r"There is no \[ehr\] in the settings"):
        await commands.call(clinic)


async def test_what_was_accepted_leaves_the_queue_after_a_week(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        session = await here.admits("blue-17")
        await here.cuff(131)
        await here.discharges(session)
        await here.looks()
        url = f"sqlite:///{tmp_path}/data/outgoing.sqlite3"
        kept = partial(_count, url)
        assert await kept() == 1
        here.clock.advance(6 * DAY_MS)
        await here.looks()
        assert await kept() == 1
        here.clock.advance(2 * DAY_MS)
        await here.looks()
        assert await kept() == 0


async def _count(url: str) -> int | None:
    return await behind_its_back(
        url, lambda connection: connection.scalar(text("SELECT count(*) FROM outgoing"))
    )

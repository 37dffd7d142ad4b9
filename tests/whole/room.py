"""A day in the ward in a `for` loop: patients, twins, real codecs, real readers' words and the ward. No I/O.

Time is the patient's, in steps of a tenth of a second; the bytes are those of the devices. What is left out
is the wire itself, which the other benches have.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.alerts.roster import Duty, Person
from monitor.alerts.rules import INDEX, RULES
from monitor.clock import ManualClock
from monitor.devices.codecs import DRIVERS
from monitor.devices.reader import MqttReader, Reader
from monitor.model import (
    Admitted,
    AlarmMoved,
    AlarmState,
    Baseline,
    Bed,
    CuffOrdered,
    Device,
    LinkState,
    Outcome,
    PageOrdered,
    PageReported,
    Priority,
    Reading,
    ServiceStarted,
    Staff,
    Vital,
)
from monitor.people import Role
from monitor.plan import DevicePlan, Plan
from monitor.planning import profile
from monitor.treatment import Happening
from monitor.ward import Ward
from simulators.faults import Faults, Frame, made
from simulators.play import patient_of, twin_of
from simulators.twin import HostClock

EPOCH_MS = 1_780_000_000_000
STEP_MS = 100
MINUTE_MS = 60_000

PEOPLE = {
    Staff(name): Person(Staff(name), role)
    for name, role in (
        ("dana", Role.NURSE),
        ("sam", Role.NURSE),
        ("lee", Role.CHARGE_NURSE),
        ("ida", Role.PRESCRIBER),
    )
}


@dataclass(frozen=True)
class Place:
    """One device at one bed: its driver, its patient (scenario, number in it) and the twin's options."""

    bed: str
    driver: str
    scenario: str
    of: int = 1
    options: Mapping[str, Any] | None = None
    faults: tuple[tuple[str, float, float], ...] = ()
    """(kind, second of the patient's time, argument)."""


@dataclass(frozen=True)
class Raised:
    """An alarm as it became active, in seconds of the patient's time."""

    at_s: float
    bed: str
    condition: str
    priority: Priority
    note: str
    since_s: float
    again: bool
    """It was latched, waiting for somebody to look, when it began again."""


class Room:
    """Beds, devices and the ward, and everything that has happened."""

    def __init__(
        self,
        places: Sequence[Place],
        *,
        begin_s: float,
        seed: int = 1,
        cuff_interval_s: float | None = 300,
        same_arm: bool = False,
        **more: Any,
    ) -> None:
        """Open a watch session on every bed at `begin_s`; second 0 is the start of the drug.

        `more` stands in the plan instead; where it brings therapies, nobody is watched yet.
        """
        self.clock = ManualClock(EPOCH_MS + round(begin_s * 1_000))
        self.seed = seed
        beds = tuple(dict.fromkeys(place.bed for place in places))
        self.stations = [_Station(place, self, seed) for place in places]
        people: Mapping[Staff, Person] = more.pop("people", PEOPLE)
        self.plan = Plan(
            beds=tuple((Bed(bed), "") for bed in beds),
            devices=tuple(station.plan for station in self.stations),
            profiles={"watch": profile("watch", {})},
            people=people,
            ways=dict.fromkeys(people, ("console",)),
            same_arm=frozenset(map(Bed, beds)) if same_arm else frozenset(),
            duty=Duty(tuple(people), dict.fromkeys(map(Bed, beds), Staff("dana"))),
            **more,
        )
        self.ward = Ward(self.plan)
        self.events: list[Happening] = []
        self.seen: list[tuple[float, str, Vital, float]] = []
        self.pages_arrive = True
        self._inbox: list[Happening] = []
        self.hear(ServiceStarted(self.now_ms, "test", None))
        for bed in () if self.plan.therapies else beds:
            patient = next(s.patient for s in self.stations if s.place.bed == bed)
            self.hear(
                Admitted(
                    self.now_ms, Bed(bed), "test", _baseline(patient), "watch",
                    None if cuff_interval_s is None else round(cuff_interval_s * 1_000), Staff("dana"),
                )
            )  # fmt: skip

    @property
    def now_ms(self) -> int:
        """The ward's time."""
        return self.clock.now_ms()

    @property
    def t_ms(self) -> int:
        """The patient's time."""
        return self.now_ms - EPOCH_MS

    def put(self, event: Happening) -> None:
        """What a reader says."""
        self._inbox.append(event)

    def hear(self, event: Happening) -> list[Happening]:
        """Feed one event and keep what follows."""
        return self._keep(self.ward.feed(event))

    def does(self, event: Happening) -> list[Happening]:
        """What somebody does, carried out as the service would."""
        made_now = self.hear(event)
        for made_one in made_now:
            self._carry_out(made_one)
        return made_now

    def run(self, *, until_s: float, every_step: Callable[[list[Happening]], None] | None = None) -> Room:
        """Let time pass until the patient's second `until_s`."""
        while self.t_ms < until_s * 1_000:
            self.clock.advance(STEP_MS)
            for station in self.stations:
                station.step(self.t_ms)
            inbox, self._inbox = self._inbox, []
            made_now: list[Happening] = []
            for event in inbox:
                made_now += self.hear(event)
            made_now += self._keep(self.ward.tick(self.now_ms))
            for event in made_now:
                self._carry_out(event)
            if every_step is not None:
                every_step(made_now)
        return self

    def restart(self) -> None:
        """Kill the ward and rebuild it from what was written down."""
        journal = [event for event in self.events if event.durable]
        self.ward = Ward(self.plan)
        self.ward.restore(journal)
        self.hear(ServiceStarted(self.now_ms, "test", self.now_ms))
        for station in self.stations:
            station.new_reader()

    def raised(self, *, technical: bool | None = False, least: Priority = Priority.LOW) -> list[Raised]:
        """Alarms that became active, oldest first; `technical` None: both kinds."""
        found = []
        for event in self.events:
            if not isinstance(event, AlarmMoved) or event.now is not AlarmState.ACTIVE:
                continue
            if event.was is AlarmState.ACKED or event.priority < least:
                continue
            rule = RULES[INDEX[event.rule]]
            if technical is not None and rule.technical is not technical:
                continue
            found.append(
                Raised(
                    (event.at_ms - EPOCH_MS) / 1_000, event.bed, rule.condition, event.priority, event.note,
                    (event.since_ms - EPOCH_MS) / 1_000, event.was is AlarmState.LATCHED,
                )
            )  # fmt: skip
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        """Everything of one kind that has happened."""
        return [event for event in self.events if isinstance(event, kind)]

    def first(self, condition: str, priority: Priority, bed: str | None = None) -> Raised:
        """The first time this alarm became active; AssertionError with what there was, if it never did."""
        for alarm in self.raised(technical=None):
            if (alarm.condition, alarm.priority) == (condition, priority) and bed in (None, alarm.bed):
                return alarm
        raise AssertionError(
            f"{condition} {priority.name} was never raised; there was {self.raised(technical=None)}"
        )

    def _keep(self, events: list[Happening]) -> list[Happening]:
        self.events += [event for event in events if not isinstance(event, Reading)]
        for event in events:
            if isinstance(event, Reading) and event.value is not None and not event.late:
                self.seen.append((self.t_ms / 1_000, event.bed, event.vital, event.value))
        return events

    def _carry_out(self, event: Happening) -> None:
        if isinstance(event, CuffOrdered):
            station = next(s for s in self.stations if s.plan.device == event.device)
            station.reader.order_cuff()
        elif isinstance(event, PageOrdered) and self.pages_arrive:
            self._inbox.append(PageReported(self.now_ms, event.page_id, "console", Outcome.SENT))


class _Station:
    """One device and its reader, without a wire between them."""

    def __init__(self, place: Place, room: Room, seed: int) -> None:
        self.place = place
        self.patient = patient_of(place.scenario, place.of, seed)
        driver = DRIVERS[place.driver]
        name = f"{place.driver}-{place.bed}"
        told = [made(f.kind, round(f.at_min * MINUTE_MS), f.arg) for f in self.patient.story.fault]
        told += [made(kind, round(at_s * 1_000), arg) for kind, at_s, arg in place.faults]  # type: ignore[arg-type]
        self.faults = Faults(told, seed)
        options = dict(place.options or {})
        self.is_serial = driver.transport == "serial"
        if not self.is_serial:
            options["topic"] = f"vs1/site/{place.bed}/monitor-{place.bed}"
        extra = () if self.is_serial else (HostClock(EPOCH_MS),)
        self.twin = twin_of(place.driver)(self.patient, seed, options, self.faults.jumps(), *extra)
        self.plan = DevicePlan(
            Device(name), place.driver, Bed(place.bed), frozenset(driver.vitals), driver.starts_cuff
        )
        self.room = room
        self.new_reader()

    def new_reader(self) -> None:
        """A reader that knows nothing yet, as after a start of the service."""
        kind: Any = Reader if self.is_serial else MqttReader
        room, driver = self.room, DRIVERS[self.place.driver]
        rng = random.Random(room.seed)  # noqa: S311  jitter of the back-off
        self.reader = kind(self.plan.device, self.plan.bed, driver, _no_link, room.put, room.clock, rng, {})

    def step(self, t_ms: int) -> None:
        """A tenth of a second at this device."""
        now_ms, reader = self.room.now_ms, self.reader
        if not self.faults.plugged(t_ms):
            if reader.state in (LinkState.UP, LinkState.SILENT):
                reader._moved(reader._health.closed(now_ms, "the other side has gone"))
                reader._hush(now_ms)
            self.twin.tick(t_ms)
            return
        if reader.state not in (LinkState.UP, LinkState.SILENT):
            reader._moved(reader._health.opened(now_ms))
        if self.is_serial:
            self._serial(t_ms, now_ms)
        else:
            self._messages(t_ms, now_ms)
        reader._tick(now_ms)

    def _serial(self, t_ms: int, now_ms: int) -> None:
        reader, decoder = self.reader, self.reader._decoder
        sent = self.twin.tick(t_ms)
        if reader.driver.polled:
            decoder.tick(now_ms)
            question = decoder.to_send()
            if question and self.faults.listens(t_ms):
                sent += self.twin.hear(question, t_ms)
        for frame in self.faults.passed([Frame(sent)] if sent else [], t_ms):
            reader._hear(frame.data, decoder.feed(frame.data), now_ms)

    def _messages(self, t_ms: int, now_ms: int) -> None:
        frames = [Frame(m.payload, m.topic) for m in self.twin.tick(t_ms)]
        for frame in self.faults.passed(frames, t_ms):
            self.reader.take(frame.topic, frame.data, now_ms, retained=False)


async def _no_link() -> Any:
    raise OSError("there is no wire on this bench")


def _baseline(patient: Any) -> Baseline:
    t_ms = -10 * MINUTE_MS
    return Baseline(
        systolic=round(patient.systolic(t_ms)),
        diastolic=round(patient.diastolic(t_ms)),
        heart_rate=round(patient.heart_rate(t_ms)),
    )


def conditions(alarms: Iterable[Raised]) -> set[tuple[str, str]]:
    """(condition, priority) of each."""
    return {(a.condition, a.priority.name) for a in alarms}

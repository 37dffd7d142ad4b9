"""What stands around a service that is killed again and again: patients at their monitors, and people.

They go on while it is down. A monitor speaks to nobody then; a person presses the button again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from monitor.model import (
    Accepted,
    Acked,
    Admitted,
    Baseline,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    Discharged,
    DutySet,
    HandedOver,
    HelpCalled,
    LinkMoved,
    LinkState,
    PageOrdered,
    Paused,
    Quality,
    Reading,
    Rejected,
    SessionPhase,
    Staff,
)
from monitor.people import Role
from monitor.service import Service
from tests.core.eight_hours import BEDS, PEOPLE, WELL, Act, Day, Manner, Spell
from tests.core.jumping import LoopClock
from tests.core.shift import VITALS

LEE = Staff("lee")

SPEAKS_S, SPEAKS_ILL_S = 60.0, 5.0
"""How often a monitor says its numbers: of a calm patient, and in a spell."""


class House(Protocol):
    """What they all stand in."""

    day: Day
    clock: LoopClock
    service: Service | None

    @property
    def now_s(self) -> float:
        """Seconds since the day began."""
        ...

    def at(self, at_s: float, what: Callable[..., None], *arguments: object) -> None:
        """Let this happen then."""
        ...


class People:
    """Who answers pages, looks after patients and makes the duty list."""

    def __init__(self, house: House) -> None:
        """Nobody has been told anything."""
        self._house = house
        self._told: set[tuple[int, Staff]] = set()

    def begin(self) -> None:
        """What they do unasked, at its time."""
        for act in self._house.day.acts:
            self._house.at(act.at_s, self._act, act)

    def reads(self, page: PageOrdered) -> None:
        """Somebody has a page: the first time, they answer it, or not."""
        if (page.page_id, page.to) in self._told:
            return
        self._told.add((page.page_id, page.to))
        day, at_s = self._house.day, self._house.now_s
        manner = day.answers(page.page_id)
        if manner is Manner.IGNORES:
            return
        first_s = day.takes_s("answers in", page.page_id, 2, 50)
        to, page_id = page.to, page.page_id
        if manner is Manner.CANNOT:
            self._house.at(at_s + first_s, self._does, lambda now: Rejected(now, page_id, to))
            return
        self._house.at(at_s + first_s, self._does, lambda now: Accepted(now, page_id, to))
        then_s = first_s + day.takes_s("then", page.page_id, 1, 90)
        if manner is Manner.HANDS_BACK:
            self._house.at(at_s + then_s, self._does, lambda now: Rejected(now, page_id, to))
            return
        if manner is Manner.CALLS:
            self._house.at(at_s + then_s, self._does, lambda now: HelpCalled(now, page_id, to))
            then_s += 30
        if manner is not Manner.STAYS_AWAY:
            self._house.at(at_s + then_s, self._does, lambda now: Acked(now, page.alarm_id, to))

    def _does(self, made: Callable[[int], Any], tries: int = 3) -> None:
        """Somebody presses a button, and again where nothing answers."""
        if self._house.service is not None:
            self._house.service.inbox.ask(made(self._house.clock.now_ms()))
        elif tries:
            self._house.at(self._house.now_s + 5, self._does, made, tries - 1)

    def _act(self, act: Act) -> None:
        service = self._house.service
        if service is None:
            return
        asked: list[Any] = []
        match act.what:
            case "duty":
                asked = [self._duty(act.on)]
            case "hands over":
                asked = self._hand_over(service.ward.duty_now().on)
            case "looks":
                alarms = [alarm for alarm in service.ward.snapshot().alarms if alarm.bed == act.bed]
                asked = [Acked(self._now_ms, alarm.alarm_id, LEE) for alarm in alarms]
            case "pauses":
                assert act.pause is not None
                until_ms = self._now_ms + 100_000
                asked = [Paused(self._now_ms, Bed(act.bed), act.pause, None, until_ms, "probe", LEE)]
            case "changes patient":
                session = service.ward.bed_now(Bed(act.bed)).session
                if session is not None and session.phase is not SessionPhase.CLOSED:
                    asked = [Discharged(self._now_ms, session.session, LEE)]
                    self._house.at(self._house.now_s + 120, self._does, lambda _: self.patient(act.bed))
        for one in asked:
            service.inbox.ask(one)

    def _duty(self, on: tuple[str, ...]) -> DutySet:
        """Who is on now; the nurses share the beds."""
        nurses = [name for name in on if PEOPLE[Staff(name)].role in (Role.NURSE, Role.CHARGE_NURSE)]
        beds = {bed: nurses[i % len(nurses)] for i, bed in enumerate(BEDS)} if nurses else {}
        pairs = tuple((Bed(bed), Staff(name)) for bed, name in beds.items())
        return DutySet(self._now_ms, tuple(map(Staff, on)), pairs, LEE)

    def _hand_over(self, on: tuple[Staff, ...]) -> list[HandedOver]:
        """Who came on first goes, to somebody who is off, or else to who came on last."""
        off = [name for name in PEOPLE if name not in on] or on[-1:]
        return [HandedOver(self._now_ms, on[0], off[0], on[0])] if len(on) > 1 else []

    @property
    def _now_ms(self) -> int:
        return self._house.clock.now_ms()

    def patient(self, bed: str) -> Admitted:
        """Somebody lies down."""
        return Admitted(self._house.clock.now_ms(), Bed(bed), "A1", Baseline(), "watch", None, Staff("dana"))


class Patients:
    """Twelve of them, each with a monitor and a cuff."""

    def __init__(self, house: House) -> None:
        """Nothing has been said yet."""
        self._house = house
        self._cuffs: set[str] = set()

    def begin(self) -> None:
        """Every monitor speaks, and every spell comes at its time."""
        for bed in BEDS:
            self._speaks(bed)
        for spell in self._house.day.spells:
            self._house.at(spell.at_s, self._begins, spell)
            self._house.at(spell.at_s + spell.for_s, self._ends, spell)

    def speak_to_a_start(self) -> None:
        """A service that has just started hears every monitor within the second."""
        for bed in BEDS:
            self._house.at(self._house.now_s + 0.5, lambda bed=bed: self._says(bed, self._spell(bed)))

    def _spell(self, bed: str) -> Spell | None:
        """What is wrong with the patient now; of two, what came last."""
        now_s = self._house.now_s
        found = [s for s in self._house.day.spells if s.bed == bed and s.at_s <= now_s < s.at_s + s.for_s]
        return max(found, key=lambda spell: spell.at_s, default=None)

    def is_unplugged(self, device: Device) -> bool:
        """Whether nothing is to be had from this device now."""
        name, _, bed = device.partition("-")
        spell = self._spell(bed)
        return name == "monitor" and spell is not None and spell.unplugged

    def _speaks(self, bed: str) -> None:
        """A monitor says its numbers, and goes on."""
        spell = self._spell(bed)
        self._says(bed, spell)
        every_s = SPEAKS_S if spell is None else SPEAKS_ILL_S
        self._house.at(self._house.now_s + every_s, self._speaks, bed)

    def _says(self, bed: str, spell: Spell | None) -> None:
        service = self._house.service
        if service is None or (spell is not None and spell.unplugged):
            return
        now_ms = self._house.clock.now_ms()
        for name, value in (WELL | (spell.values if spell else {})).items():
            quality = Quality.VALID if value is not None else Quality.MISSING
            service.inbox.put(
                Reading(
                    now_ms, Bed(bed), Device(f"monitor-{bed}"), VITALS[name], value, quality, None,
                    now_ms + 62_000,
                )
            )  # fmt: skip

    def _begins(self, spell: Spell) -> None:
        if spell.unplugged:
            self._link(spell.bed, LinkState.DOWN)
        if spell.pressure is not None:
            self._measures(spell.bed)
        self._says(spell.bed, self._spell(spell.bed))
        for step in range(1, round(spell.for_s / SPEAKS_ILL_S)):
            self._house.at(
                self._house.now_s + step * SPEAKS_ILL_S, lambda: self._says(spell.bed, self._spell(spell.bed))
            )

    def _ends(self, spell: Spell) -> None:
        if spell.unplugged and not self.is_unplugged(Device(f"monitor-{spell.bed}")):
            self._link(spell.bed, LinkState.UP)
        self._says(spell.bed, self._spell(spell.bed))

    def _link(self, bed: str, now: LinkState) -> None:
        if self._house.service is not None:
            device, now_ms = Device(f"monitor-{bed}"), self._house.clock.now_ms()
            was = self._house.service.ward.link_now(device).state
            self._house.service.inbox.put(LinkMoved(now_ms, device, was, now, "", now_ms))

    def order_cuff(self, device: Device) -> str | None:
        """Start a cuff, which takes half a minute."""
        bed = device.partition("-")[2]
        if bed not in self._cuffs:
            self._cuffs.add(bed)
            self._house.at(self._house.now_s + 30, self._cuff_done, bed)
        return None

    def _cuff_done(self, bed: str) -> None:
        self._cuffs.discard(bed)
        self._measures(bed)

    def _measures(self, bed: str) -> None:
        if self._house.service is None:
            return
        spell = self._spell(bed)
        systolic = spell.pressure if spell and spell.pressure else 118.0
        now_ms = self._house.clock.now_ms()
        cuff = Cuff(systolic, systolic * 0.6)
        self._house.service.inbox.put(CuffTaken(now_ms, now_ms, Bed(bed), Device(f"cuff-{bed}"), cuff))

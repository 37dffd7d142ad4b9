"""A visit as the whole ward sees it: every act goes in at the ward's own door, and time passes there.

It is told like any other `Visit`; what is asked of it is the ward's answer, and every number comes from a
monitor at the bed. Two beds, so that there is somebody else whose values it could be.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from monitor.alerts.roster import Person
from monitor.model import AlarmMoved, Bed, Cuff, CuffTaken, Device, Quality, Staff
from monitor.people import Role
from monitor.plan import DevicePlan
from monitor.planning import shipped
from monitor.sessions.record import Record, rebuilt
from monitor.treatment import Act, Corrected, Kept, Seen, TreatmentEvent, TreatmentOpened
from tests.core.shift import WATCH, Shift
from tests.core.visit import BED, DANA, KIM, LEE, MIN, PEOPLE, SHIPPED, WELL, Visit, signed

STEP_S = 30
"""The monitor says its numbers so often; they stand for a little longer."""

CUFF_S = 30
"""So long a cuff measures that is started from here."""

STAFF = {name: Person(name, role) for name, role in PEOPLE.items()}


def settings(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a clinic with treatments has beside its beds: its own people, and every therapy signed."""
    return {
        "people": (DANA, LEE, KIM),
        "staff": STAFF,
        "therapies": {name: signed(name, changes) for name in SHIPPED},
        "numbers": {WATCH.name: shipped(WATCH.name)},
    }


class Treated(Visit):
    """See the module."""

    def __init__(
        self,
        name: str = "spravato_us",
        *,
        age: int = 40,
        devices: int | None = None,
        first: bool = False,
        changes: Mapping[str, Any] | None = None,
        shift: Shift | None = None,
        bed: Bed = BED,
        alias: str = "blue-17",
        devices_at: tuple[DevicePlan, ...] | None = None,
        cuff_starts: bool = True,
    ) -> None:
        """A session has just been opened, on this shift or on one of its own."""
        more: dict[str, Any] = {} if devices_at is None else {"devices": devices_at}
        self.shift = shift or Shift(
            (BED, "4"), occupied=False, cuff_starts=cuff_starts, **(settings(changes) | more)
        )
        self.therapy = self.shift.plan.therapies[name]
        self.bed = bed
        self.vitals = dict(WELL)
        self.pressure: tuple[float | None, float] = (122, 76)
        planned = (0 if name.startswith("iv") else 2) if devices is None else devices
        asked = TreatmentOpened(
            self.now_ms, 0, bed, alias, name, self.therapy.version, self.therapy.digest, age, planned, first,
            DANA, Role.NURSE,
        )  # fmt: skip
        assert self.shift.ward.refusals(asked) == ()
        made = self.shift.feed(asked)
        self.opened = next(event for event in made if isinstance(event, TreatmentOpened))
        self.record = self._known()[0]
        self._measure()

    def again(self) -> Treated:
        """Another visit of the same history, as its journal tells it; this one stays as it is."""
        other = copy(self)
        other.vitals = dict(self.vitals)
        other.shift = copy(self.shift)
        other.shift.events = list(self.shift.events)
        other.shift.forget_pages()
        other.crashes()
        return other

    @property
    def number(self) -> int:
        """The session's number."""
        return self.opened.session

    @property
    def now_ms(self) -> int:
        """The shift's clock."""
        return self.shift.now_ms

    @now_ms.setter
    def now_ms(self, at_ms: int) -> None:
        self.shift.waits(seconds=(at_ms - self.shift.now_ms) / 1_000)

    @property
    def seen(self) -> Seen:
        """What the ward shows the session."""
        return self._known()[1]

    @property
    def written(self) -> list[Kept]:
        """What was written down of this session, and the cuff readings of its bed since."""
        return [
            event
            for event in self.shift.journal
            if (isinstance(event, TreatmentEvent) and event.session == self.number)
            or (
                isinstance(event, CuffTaken)
                and event.bed == self.bed
                and event.measured_at_ms >= self.opened.at_ms
            )
        ]

    def does(self, act: Act) -> None:
        """An act that the ward must accept."""
        ours = self._ours(act)
        assert self.shift.ward.refusals(ours) == ()
        made = self.shift.feed(ours)
        assert made
        assert ours in made or isinstance(ours, Corrected), "of a correction what follows is written down"

    def refused(self, act: Act) -> str:
        """An act that the ward must refuse: what is missing, in one text."""
        ours = self._ours(act)
        missing = self.shift.ward.refusals(ours)
        assert missing
        assert all(words.strip() for words in missing)
        assert self.shift.feed(ours) == [], "what is refused must leave no trace"
        return "\n".join(missing)

    def tries(self, act: Act) -> None:
        """An act that may be accepted or refused; either way the ward says the same before and after."""
        ours = self._ours(act)
        missing = self.shift.ward.refusals(ours)
        assert all(words.strip() for words in missing)
        made = self.shift.feed(ours)
        assert bool(made) is not bool(missing)
        self.shift.waits()

    def sleeps_until(self, at_ms: int) -> None:
        """The machine was asleep: time comes in one step, and with it what the monitor says now."""
        self.shift.now_ms = max(self.now_ms, at_ms)
        self._measure()
        self._presses()

    def crashes(self) -> None:
        """The service is killed and reads its journal: the session is the one its events make."""
        self.shift.restarts()
        known = self.shift.ward.treatment(self.number)
        again = rebuilt(self.therapy, self.written)
        assert known is None or known[0] == again
        self.record = again if known is None else known[0]
        self._measure()

    def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes; the monitor goes on measuring."""
        until_ms = self.now_ms + round(minutes * MIN + seconds * 1_000)
        while self.now_ms < until_ms:
            self.shift.waits(seconds=min(STEP_S, (until_ms - self.now_ms) / 1_000))
            self._measure()
            self._presses()

    def cuff(
        self, systolic: float | None, diastolic: float | None = 70, *, quality: Quality = Quality.VALID,
        by: Staff | None = None, at_ms: int | None = None, bed: Bed | None = None,
    ) -> None:  # fmt: skip
        """A cuff reading comes, or a failed one."""
        where = bed or self.bed
        measured_ms = self.now_ms if at_ms is None else at_ms
        device = None if by else Device(f"cuff-{where}")
        why = None if systolic is not None else "the cuff leaks"
        cuff = Cuff(systolic, diastolic if systolic else None, quality=quality, why=why)
        self.shift.feed(CuffTaken(self.now_ms, measured_ms, where, device, cuff, by))

    def raises(self) -> list[str]:
        """The alarms that have moved at this bed, each rule once."""
        moved = [m.rule for m in self.shift.of(AlarmMoved) if m.bed == self.bed]
        return list(dict.fromkeys(moved))

    def _measure(self) -> None:
        for vital, value in self.vitals.items():
            self.shift.feed(self.shift.reading(self.bed, vital.value, value, fresh_s=STEP_S + 5))
        self.shift.waits()

    def _presses(self) -> None:
        """A cuff that has been started has measured."""
        since_ms = self.shift.ward._parts.beds[self.bed].cuff_running_since_ms
        if since_ms is not None and self.now_ms - since_ms >= CUFF_S * 1_000:
            self.cuff(*self.pressure)

    def _known(self) -> tuple[Record, Seen]:
        known = self.shift.ward.treatment(self.number)
        assert known is not None, f"nothing is owed of session {self.number} any more"
        return known

    def _ours(self, act: Act) -> Act:
        return replace(act, session=self.number)

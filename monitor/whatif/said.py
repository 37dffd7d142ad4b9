"""What a ward says while something is played to it again: as JSON lines, and as sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.alerts.moves import WITHHELD
from monitor.alerts.roster import Duty, Person
from monitor.alerts.rules import INDEX, RULES
from monitor.model import AlarmMoved, AlarmState, Bed, Cue, PageOrdered, Priority, Staff, Why
from monitor.people import Role
from monitor.treatment import Happening
from monitor.ward import Ward

Key = tuple[str, str]
"""A condition and a priority: ("spo2-low", "MEDIUM")."""

STANDING = (AlarmState.ACTIVE, AlarmState.ACKED)

PEOPLE = {
    Staff(name): Person(Staff(name), role)
    for name, role in (
        ("nurse", Role.NURSE),
        ("second", Role.NURSE),
        ("charge", Role.CHARGE_NURSE),
        ("prescriber", Role.PRESCRIBER),
    )
}
"""Whom a ward that is played again would page: every rung of the chains has somebody."""


def duty(bed: Bed) -> Duty:
    """All of them are on duty, and the nurse has the bed."""
    return Duty(tuple(PEOPLE), {bed: Staff("nurse")})


@dataclass(slots=True)
class Sums:
    """What a replay adds up to."""

    bed_s: float = 0.0
    raised: dict[str, int] = field(default_factory=lambda: _by_priority(0))
    technical: dict[str, int] = field(default_factory=lambda: _by_priority(0))
    pages: int = 0
    further_pages: int = 0
    alarmed_s: dict[str, float] = field(default_factory=lambda: _by_priority(0.0))
    gaps_s: float = 0.0
    readings: int = 0
    wall_s: float = 0.0
    rules: Counter[Key] = field(default_factory=Counter)
    """How many alarms of each condition and priority were raised, technical ones too."""

    def __add__(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.bed_s + other.bed_s,
            {p: n + other.raised[p] for p, n in self.raised.items()},
            {p: n + other.technical[p] for p, n in self.technical.items()},
            self.pages + other.pages,
            self.further_pages + other.further_pages,
            {p: s + other.alarmed_s[p] for p, s in self.alarmed_s.items()},
            self.gaps_s + other.gaps_s,
            self.readings + other.readings,
            self.wall_s + other.wall_s,
            self.rules + other.rules,
        )

    def line(self) -> dict[str, Any]:
        """The summary line."""
        return {
            "event": "summary",
            "bed_hours": round(self.bed_s / 3_600, 4),
            "raised": self.raised,
            "technical": self.technical,
            "pages": self.pages,
            "further_pages": self.further_pages,
            "alarmed_s": {p: round(s, 1) for p, s in self.alarmed_s.items()},
            "gaps_s": round(self.gaps_s, 1),
            "readings": self.readings,
            "wall_s": round(self.wall_s, 3),
        }

    def counts(self) -> dict[str, Any]:
        """What of it depends on the limits."""
        line = self.line()
        return {key: line[key] for key in ("raised", "technical", "pages", "further_pages", "alarmed_s")}


def _by_priority(nothing: Any) -> dict[str, Any]:
    return {priority.name: nothing for priority in reversed(Priority)}


class Said:
    """What one ward says: each turn's alarms and pages as lines, and all of them as sums."""

    def __init__(self, ward: Ward, t_s: Callable[[int], float]) -> None:
        """`t_s` gives the second of the recording or of the session for a time in ms."""
        self._ward = ward
        self.t_s = t_s
        self._raised_ms: dict[int, int] = {}
        self._last_page: tuple[int, int, int] | None = None
        self.sums = Sums()

    def lines(self, events: Sequence[Happening]) -> Iterator[dict[str, Any]]:
        """The alarms and pages among these, in order."""
        for event in events:
            if isinstance(event, AlarmMoved):
                yield from self._alarm(event)
            elif isinstance(event, PageOrdered):
                yield from self._page(event)

    def ends(self, at_ms: int) -> None:
        """Nothing more comes: what stands counts up to now."""
        for alarm_id in list(self._raised_ms):
            self._ended(alarm_id, at_ms)

    def _alarm(self, moved: AlarmMoved) -> Iterator[dict[str, Any]]:
        if is_raised(moved):
            rule = RULES[INDEX[moved.rule]]
            kind = self.sums.technical if rule.technical else self.sums.raised
            kind[moved.priority.name] += 1
            self.sums.rules[rule.condition, moved.priority.name] += 1
            if not rule.technical:
                self._raised_ms[moved.alarm_id] = moved.at_ms
            yield self._line(moved, "raised")
        elif moved.was in STANDING and moved.now not in STANDING:
            self._ended(moved.alarm_id, moved.at_ms, moved.priority)
            yield self._line(moved, "cleared")
        elif moved.was is AlarmState.PENDING and moved.cue is Cue.END and moved.note.startswith(WITHHELD):
            yield self._line(moved, "withheld")

    def _ended(self, alarm_id: int, at_ms: int, priority: Priority | None = None) -> None:
        began_ms = self._raised_ms.pop(alarm_id, None)
        if began_ms is None:
            return
        if priority is None:
            alarm = self._ward.alarm_now(alarm_id)
            priority = alarm.priority if alarm else Priority.LOW
        self.sums.alarmed_s[priority.name] += (at_ms - began_ms) / 1_000

    def _line(self, moved: AlarmMoved, move: str) -> dict[str, Any]:
        return {
            "t_s": self.t_s(moved.at_ms),
            "event": "alarm",
            "move": move,
            "rule": RULES[INDEX[moved.rule]].condition,
            "priority": moved.priority.name,
            "value": _plain(moved.value),
            "limit": _plain(moved.limit),
            "since_s": self.t_s(moved.since_ms),
            "note": moved.note,
        }

    def _page(self, page: PageOrdered) -> Iterator[dict[str, Any]]:
        one = (page.alarm_id, page.step, page.at_ms)
        if one == self._last_page:
            return  # the same step, to one more person
        self._last_page = one
        if page.why is Why.FIRST:
            self.sums.pages += 1
        else:
            self.sums.further_pages += 1
        yield {
            "t_s": self.t_s(page.at_ms),
            "event": "page",
            "rule": RULES[INDEX[page.rule]].condition,
            "priority": page.priority.name,
            "step": page.step,
            "why": page.why.value,
        }


def is_raised(moved: AlarmMoved) -> bool:
    """Whether an alarm becomes active with this, from nothing or from a latch."""
    return moved.now is AlarmState.ACTIVE and moved.was not in STANDING


def _plain(value: float | None) -> float | int | None:
    if value is None or value != value:  # noqa: PLR0124  NaN
        return None
    return int(value) if value == int(value) else round(value, 2)

"""Three judges of one recording: Chairside's whole ward, limits alone, and limits with their delays alone.

The two peers know the same limits and nothing else: no hysteresis, no repeat, no agreement, no latch. They
judge the bed's one heart rate as the ward does, the ECG's where it has a number and else the oximeter's. A
value stands until the next one comes; an empty cell says nothing. A rule's alarm lasts as long as its breach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from monitor.alerts.limits import Limit, Profile
from monitor.alerts.moves import POOR_SIGNAL
from monitor.alerts.rules import RULES
from monitor.model import Baseline, Priority, Vital
from monitor.recording import COLUMNS, Recording
from monitor.replay import Run

_CUFF = {Vital.SYSTOLIC: "nibp_sys", Vital.DIASTOLIC: "nibp_dia", Vital.MEAN: "nibp_map"}
_COLUMNS: dict[Vital, tuple[str, ...]] = {vital: (column,) for column, vital in COLUMNS.items()}
_COLUMNS |= {vital: (column,) for vital, column in _CUFF.items()}
_COLUMNS[Vital.HEART_RATE] = ("hr", "pr")
_FAMILY = {rule.condition: rule.family for rule in RULES}
_TECHNICAL = frozenset(rule.condition for rule in RULES if rule.technical)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm about the patient: what it was, and from when to when it stood; `inf` to the end."""

    condition: str
    priority: Priority
    start_s: float
    end_s: float
    marked: bool = False
    """Whether it was withheld for a poor signal first, and says so."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that a judge says of a recording."""

    alarms: tuple[Alarm, ...]
    technical: int = 0
    """Alarms about the equipment, which only the ward can raise."""

    @property
    def heard(self) -> int:
        """How many speak for themselves: none worse of their cause, and no older one like it, stands."""
        return sum(not any(_speaks(other, one) for other in self.alarms) for one in self.alarms)


def _speaks(other: Alarm, one: Alarm) -> bool:
    """Whether the ward would let this other alarm speak for the one (docs/decisions/0009)."""
    if _FAMILY[other.condition] != _FAMILY[one.condition] or not other.start_s <= one.start_s < other.end_s:
        return False
    older = other.priority == one.priority and other.start_s < one.start_s
    return other.priority > one.priority or older


def ward(recording: Recording, profile: Profile) -> Verdict:
    """The real engine through the whole ward."""
    standing: dict[tuple[str, Priority], list[tuple[float, bool]]] = {}
    alarms, technical = [], 0
    for line in Run(recording, profile, None).lines():
        if line["event"] != "alarm":
            continue
        condition, priority = line["rule"], Priority[line["priority"]]
        begun = standing.setdefault((condition, priority), [])
        if condition in _TECHNICAL:
            technical += line["move"] == "raised"
        elif line["move"] == "raised":
            begun.append((line["t_s"], POOR_SIGNAL in line["note"]))
        elif begun:
            start_s, marked = begun.pop(0)
            alarms.append(Alarm(condition, priority, start_s, line["t_s"], marked))
    alarms += [Alarm(*what, at_s, inf, marked) for what, begun in standing.items() for at_s, marked in begun]
    return Verdict(tuple(sorted(alarms, key=lambda alarm: alarm.start_s)), technical)


def naive(recording: Recording, profile: Profile) -> Verdict:
    """Every value beyond its limit at once."""
    return Verdict(tuple(_by_limits(recording, profile, delayed=False)))


def delayed(recording: Recording, profile: Profile) -> Verdict:
    """Every breach that lasts as long as the profile says."""
    return Verdict(tuple(_by_limits(recording, profile, delayed=True)))


def _by_limits(recording: Recording, profile: Profile, *, delayed: bool) -> Iterator[Alarm]:
    for limit in profile.limits_for(Baseline()):
        columns = [c for c in _columns(limit) if c in recording.columns]
        if limit.limit is not None and columns:
            values = list(_values(recording, columns))
            yield from _breaches(limit, values, limit.hold_ms / 1_000 if delayed else 0.0)


def _columns(limit: Limit) -> tuple[str, ...]:
    return _COLUMNS.get(limit.rule.vital, ()) if limit.rule.vital is not None else ()


def _values(recording: Recording, columns: Iterable[str]) -> Iterator[tuple[float, float]]:
    """(t_s, value) of the first of these columns that has one."""
    for row in recording.rows:
        value = next((v for c in columns if (v := row.values[c]) is not None), None)
        if value is not None:
            yield row.t_s, value


def _breaches(limit: Limit, values: Iterable[tuple[float, float]], hold_s: float) -> Iterator[Alarm]:
    began: float | None = None
    at_s = -inf
    for at_s, value in values:
        if limit.reached(value):
            began = at_s if began is None else began
        elif began is not None:
            if at_s - began > hold_s:
                yield Alarm(limit.rule.condition, limit.rule.priority, began + hold_s, at_s)
            began = None
    if began is not None and at_s - began >= hold_s:
        yield Alarm(limit.rule.condition, limit.rule.priority, began + hold_s, inf)

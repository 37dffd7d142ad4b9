"""Cuff rules, judged by a second reading (ALM-063): one breach asks for a repeat, the repeat decides. Pure.

A pressure comes every few minutes, so no delay in seconds can tell a surge from a bent arm. The first reading
in breach is ONSET, and the ward orders a repeat; the next valid one makes it HELD or ends it. A LOW needs no
repeat. Beyond the severe bound one reading is enough, if its own number is a usual one; a repeat is wanted
then too. Where none comes in time the alarm is raised all the same, marked "not confirmed".

Columns of a recording that are sampled rarely are judged by the same machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan, nan

from monitor.alerts.engine import Change, Standing
from monitor.alerts.limits import Limit
from monitor.alerts.rules import CUFF_VITALS, INDEX
from monitor.model import Cue, Doubt, Priority, Vital

NOT_CONFIRMED = "not confirmed"


@dataclass(slots=True)
class _Case:
    """One rule at one bed."""

    limit: Limit
    cue: Cue | None = None
    since_ms: int = 0
    severe: bool = False
    value: float = nan
    doubt: Doubt = Doubt.NONE
    shown: float = nan
    """The limit that was in force."""
    confirmed: bool = False
    """Whether a second reading in a row was in breach as well."""
    until_ms: int | None = None
    """When a pending case is raised without its repeat."""


class Repeat:
    """See the module. `bed` is the bed's place in the ward, as in the engine."""

    def __init__(self, confirm_ms: int | None, vitals: Iterable[Vital] = CUFF_VITALS) -> None:
        """Wait for a repeat so long; None (a recording): the next reading confirms, whenever it comes."""
        self._confirm_ms = confirm_ms
        self._vitals = frozenset(vitals)
        self._cases: dict[tuple[int, int], _Case] = {}
        self._changes: list[Change] = []

    def set_limits(self, at_ms: int, bed: int, limits: Iterable[Limit]) -> None:
        """These limits hold from the next reading on. A rule that is turned off has ended."""
        for limit in limits:
            if limit.rule.vital not in self._vitals:
                continue
            key = bed, INDEX[limit.rule.name]
            case = self._cases.setdefault(key, _Case(limit))
            case.limit = limit
            if limit.limit is None and case.cue is not None:
                case.value, case.shown, case.doubt = nan, nan, Doubt.NONE
                self._end(key, case, at_ms)

    def feed(
        self,
        at_ms: int,
        bed: int,
        vital: Vital,
        value: float | None,
        doubt: Doubt = Doubt.NONE,
        heart_rate: float | None = None,
    ) -> None:
        """One reading. None, a failed one, is no repeat and changes nothing. `heart_rate` is the bed's."""
        if value is None or isnan(value):
            return
        self.tick(at_ms)
        for key, case in self._cases.items():
            if key[0] == bed and case.limit.rule.vital is vital and case.limit.limit is not None:
                self._judge(key, case, at_ms, value, doubt, heart_rate)

    def tick(self, now_ms: int) -> None:
        """Let time pass: a repeat that has not come in time is not waited for any longer."""
        for key, case in self._cases.items():
            if case.until_ms is not None and case.until_ms <= now_ms:
                self._raise(key, case, case.until_ms, NOT_CONFIRMED)

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next."""
        return min((c.until_ms for c in self._cases.values() if c.until_ms is not None), default=None)

    def take_changes(self) -> list[Change]:
        """What has moved since the last time, in order."""
        changes, self._changes = self._changes, []
        return changes

    def wants_repeat(self, bed: int) -> bool:
        """Whether a reading of this bed is to be repeated: a breach to confirm, or one raised at once."""
        return any(
            key[0] == bed and (case.cue is Cue.ONSET or (case.severe and not case.confirmed))
            for key, case in self._cases.items()
        )

    def standing(self, bed: int, rule: int) -> Standing:
        """What is true of a rule at a bed now."""
        case = self._cases.get((bed, rule))
        return (
            Standing(None, 0, severe=False)
            if case is None
            else Standing(case.cue, case.since_ms, case.severe)
        )

    def restore(self, bed: int, rule: int, cue: Cue | None, since_ms: int, *, severe: bool = False) -> None:
        """Put back what was known before a restart; what waited for a repeat waits as long as it would have."""
        case = self._cases.get((bed, rule))
        if case is None:
            raise ValueError("a rule without a limit cannot be put back: set the limits first")
        case.cue, case.since_ms, case.severe, case.confirmed = cue, since_ms, severe, True
        case.until_ms = self._until(since_ms) if cue is Cue.ONSET else None

    def reset(self, bed: int) -> None:
        """A new patient: nothing of the old stays, not even a limit (ALM-090)."""
        self._cases = {key: case for key, case in self._cases.items() if key[0] != bed}

    def _judge(
        self,
        key: tuple[int, int],
        case: _Case,
        at_ms: int,
        value: float,
        doubt: Doubt,
        heart_rate: float | None,
    ) -> None:
        limit = case.limit
        if limit.reached(value, heart_rate=heart_rate):
            case.value, case.doubt, case.shown = value, doubt, _number(limit.in_force(heart_rate))
            self._breach(key, case, at_ms)
        elif case.cue is Cue.ONSET or (case.cue and limit.recovered(value, heart_rate=heart_rate)):
            case.value, case.doubt, case.shown = value, doubt, _number(limit.in_force(heart_rate))
            alone = case.severe and not case.confirmed
            self._end(key, case, at_ms, NOT_CONFIRMED if alone else "")
        elif case.cue:
            case.confirmed = True  # inside the hysteresis band: no breach any more, but no error either

    def _breach(self, key: tuple[int, int], case: _Case, at_ms: int) -> None:
        was, was_severe = case.cue, case.severe
        severe = case.limit.at_once(case.value) and _believed(case.limit, case.value, case.doubt)
        case.severe, case.confirmed = was_severe or severe, was is not None
        if was is None:
            case.since_ms = at_ms
        if was is Cue.HELD:
            if severe and not was_severe:
                self._raise(key, case, at_ms)
        elif was is Cue.ONSET or severe or case.limit.rule.priority is Priority.LOW:
            self._raise(key, case, at_ms)
        else:
            case.cue, case.until_ms = Cue.ONSET, self._until(at_ms)
            self._say(key, case, at_ms)

    def _until(self, since_ms: int) -> int | None:
        return None if self._confirm_ms is None else since_ms + self._confirm_ms

    def _raise(self, key: tuple[int, int], case: _Case, at_ms: int, note: str = "") -> None:
        case.cue, case.until_ms = Cue.HELD, None
        self._say(key, case, at_ms, note)

    def _end(self, key: tuple[int, int], case: _Case, at_ms: int, note: str = "") -> None:
        case.cue, case.until_ms, case.severe, case.confirmed = Cue.END, None, False, False
        self._say(key, case, at_ms, note)
        case.cue, case.since_ms = None, 0

    def _say(self, key: tuple[int, int], case: _Case, at_ms: int, note: str = "") -> None:
        if case.cue is None:
            raise ValueError("there is nothing to say of a rule that is at rest")
        bed, rule = key
        said = case.cue, case.since_ms, at_ms, case.value, case.shown, case.severe, case.doubt, note
        self._changes.append(Change(bed, rule, *said))


def _number(limit: float | None) -> float:
    return nan if limit is None else limit


def _believed(limit: Limit, value: float, doubt: Doubt) -> bool:
    """Whether one reading may raise a HIGH at once (physiology.md 1; A3: a pulse pressure may be odd)."""
    if limit.soft is None:
        return doubt is Doubt.NONE
    return doubt is not Doubt.POOR_SIGNAL and limit.usual(value)

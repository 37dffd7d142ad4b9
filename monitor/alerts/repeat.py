"""Rules judged by a second reading (ALM-063): one breach asks for a repeat, the repeat decides. Pure.

A pressure comes every few minutes, a temperature perhaps once, so no delay in seconds can tell a surge
from a bent arm. The first reading in breach is ONSET, and of a cuff the ward orders a repeat; the next
valid one makes it HELD or ends it. A LOW needs no repeat, and neither does a limit that says so. Beyond the
severe bound one reading is enough, if its own number is a usual one; a repeat is wanted then too. Where none
comes in time the alarm is raised all the same, marked "not confirmed".

Columns of a recording that are sampled rarely are judged by the same machine. Their rules have delays, which
no single reading can outlast: of those a LOW waits for its second reading, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan

from monitor.alerts.engine import Change, Standing
from monitor.alerts.limits import Limit
from monitor.alerts.rules import CUFF_VITALS, INDEX, Kind
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
    """The cuff rules of one bed; see the module. `bed` is the bed's place in the ward, as in the engine."""

    def __init__(self, confirm_ms: int | None, bed: int = 0) -> None:
        """Wait for a repeat so long; None (a recording): the next reading confirms, whenever it comes."""
        self._confirm_ms = confirm_ms
        self._bed = bed
        self._cases: dict[int, _Case] = {}
        self._changes: list[Change] = []

    def set_limits(self, at_ms: int, limits: Iterable[Limit]) -> list[Change]:
        """These limits hold from the next reading on. A rule that is turned off has ended."""
        for limit in limits:
            rule = INDEX[limit.rule.name]
            case = self._cases.setdefault(rule, _Case(limit))
            case.limit = limit
            if limit.limit is None and case.cue is not None:
                case.value, case.shown, case.doubt = nan, nan, Doubt.NONE
                self._end(rule, case, at_ms)
        return self._said()

    def reading(
        self,
        at_ms: int,
        values: Mapping[Vital, float],
        *,
        heart_rate: float | None = None,
        doubt: Doubt = Doubt.NONE,
        confirmed: bool = False,
    ) -> list[Change]:
        """One measurement, whole; what failed is not in it and is no repeat. `heart_rate` is the bed's.

        `confirmed`: it stands for three readings (C5), so that one breach is enough.
        """
        self._wait(at_ms)
        for rule, case in self._cases.items():
            vital = case.limit.rule.vital
            if vital is not None and vital in values and case.limit.limit is not None:
                self._judge(rule, case, at_ms, values[vital], doubt, heart_rate, confirmed=confirmed)
        return self._said()

    def tick(self, now_ms: int) -> list[Change]:
        """Let time pass: a repeat that has not come in time is not waited for any longer."""
        self._wait(now_ms)
        return self._said()

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next."""
        return min((c.until_ms for c in self._cases.values() if c.until_ms is not None), default=None)

    @property
    def waiting(self) -> bool:
        """Whether the newest cuff is to be repeated: a breach to confirm, or one raised at once."""
        return any(
            c.cue is Cue.ONSET or (c.severe and not c.confirmed)
            for c in self._cases.values()
            if c.limit.rule.vital in CUFF_VITALS
        )

    def rests(self, vital: Vital, low: float, high: float) -> bool:
        """Whether no reading between these two would move anything."""
        return not any(
            case.cue is not None or case.limit.reached(low) or case.limit.reached(high)
            for case in self._cases.values()
            if case.limit.rule.vital is vital and case.limit.limit is not None
        )

    def standing(self, rule: int) -> Standing:
        """What is true of a rule now."""
        case = self._cases.get(rule)
        if case is None:
            return Standing(None, 0, severe=False)
        return Standing(case.cue, case.since_ms, case.severe)

    def restore(self, rule: int, cue: Cue | None, since_ms: int, *, severe: bool = False) -> None:
        """Put back what was known before a restart; a repeat is waited for no longer than it was."""
        case = self._cases.get(rule)
        if case is None:
            raise ValueError("a rule without a limit cannot be put back: set the limits first")
        case.cue, case.since_ms, case.severe, case.confirmed = cue, since_ms, severe, True
        case.until_ms = self._until(since_ms) if cue is Cue.ONSET else None

    def _wait(self, now_ms: int) -> None:
        for rule, case in self._cases.items():
            if case.until_ms is not None and case.until_ms <= now_ms:
                self._raise(rule, case, case.until_ms, NOT_CONFIRMED)

    def _said(self) -> list[Change]:
        changes, self._changes = self._changes, []
        return changes

    def _judge(
        self,
        rule: int,
        case: _Case,
        at_ms: int,
        value: float,
        doubt: Doubt,
        heart_rate: float | None,
        *,
        confirmed: bool,
    ) -> None:
        limit = case.limit
        if limit.reached(value, heart_rate=heart_rate):
            case.value, case.doubt, case.shown = value, doubt, _number(limit.in_force(heart_rate))
            self._breach(rule, case, at_ms, confirmed=confirmed)
        elif case.cue is Cue.ONSET or (case.cue and limit.recovered(value, heart_rate=heart_rate)):
            case.value, case.doubt, case.shown = value, doubt, _number(limit.in_force(heart_rate))
            alone = case.severe and not case.confirmed
            self._end(rule, case, at_ms, NOT_CONFIRMED if alone else "")
        elif case.cue:
            case.confirmed = True  # inside the hysteresis band: no breach any more, but no error either

    def _breach(self, rule: int, case: _Case, at_ms: int, *, confirmed: bool) -> None:
        was, was_severe = case.cue, case.severe
        severe = case.limit.at_once(case.value) and _believed(case.limit, case.value, case.doubt)
        case.severe, case.confirmed = was_severe or severe, confirmed or was is not None
        if was is None:
            case.since_ms = at_ms
        if was is Cue.HELD:
            if severe and not was_severe:
                self._raise(rule, case, at_ms)
        elif was is Cue.ONSET or severe or confirmed or _at_first(case.limit):
            self._raise(rule, case, at_ms)
        else:
            case.cue, case.until_ms = Cue.ONSET, self._until(at_ms)
            self._say(rule, case, at_ms)

    def _until(self, since_ms: int) -> int | None:
        return None if self._confirm_ms is None else since_ms + self._confirm_ms

    def _raise(self, rule: int, case: _Case, at_ms: int, note: str = "") -> None:
        case.cue, case.until_ms = Cue.HELD, None
        self._say(rule, case, at_ms, note)

    def _end(self, rule: int, case: _Case, at_ms: int, note: str = "") -> None:
        case.cue, case.until_ms, case.severe, case.confirmed = Cue.END, None, False, False
        self._say(rule, case, at_ms, note)
        case.cue, case.since_ms = None, 0

    def _say(self, rule: int, case: _Case, at_ms: int, note: str = "") -> None:
        if case.cue is None:
            raise ValueError("there is nothing to say of a rule that is at rest")
        said = case.cue, case.since_ms, at_ms, case.value, case.shown, case.severe, case.doubt, note
        self._changes.append(Change(self._bed, rule, *said))


def _at_first(limit: Limit) -> bool:
    """Whether the first reading in breach is enough: of a LOW, unless it has to last."""
    return limit.at_first or (limit.rule.priority is Priority.LOW and limit.rule.kind is Kind.REPEAT)


def _number(limit: float | None) -> float:
    return nan if limit is None else limit


def _believed(limit: Limit, value: float, doubt: Doubt) -> bool:
    """Whether one reading may raise a HIGH at once (physiology.md 1; A3: a pulse pressure may be odd)."""
    if limit.soft is None:
        return doubt is Doubt.NONE
    return doubt is not Doubt.POOR_SIGNAL and limit.usual(value)

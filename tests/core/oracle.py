"""The law of the engine: one rule at one bed, as one would explain it at the bedside. Slow and obvious.

A sample holds until the next one comes or it is no longer fresh; from then on the value is UNKNOWN, which
is never "normal" and never "in breach": all clocks stand still.

- Out -> pending at the first sample in breach. It is held at once where there is no delay, or where the value
  is beyond the severe bound and nobody doubts it.
- Pending -> held as soon as the window has lasted for the delay, counting known time only, at least 80 % of
  the delay was spent in breach, and only while the newest sample is in breach. Where more than the other
  20 % were spent outside, the next sample outside closes the window and the next one in breach opens a new.
- Pending or held -> out once the value has been past the hysteresis band for 5 s without a break. A gap is
  a break.
- Held -> held, severe: the first undoubted sample beyond the severe bound.
- Where two signals agree, a delay is no longer than the rule's own for that; where a steady one disputes a
  value, every rule waits as long as a HIGH does for a poor signal. Either is said with the sample.
- New limits: where time is being counted, the sample is judged again at once; else the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan

from monitor.alerts.engine import Change, Standing
from monitor.alerts.heart import AGREED, DISPUTED
from monitor.alerts.limits import Limit, Timing
from monitor.model import Cue, Doubt, Priority


@dataclass
class Heard:
    """The newest sample. NaN is "not known", and so is whatever is no longer fresh."""

    at: int
    value: float
    fresh: int
    doubt: int
    breach: bool

    def known_until(self, now: int) -> int:
        """Up to when, seen from `now`, the value has been known."""
        return self.at if isnan(self.value) else min(now, self.fresh)


class Judge:
    """One rule at one bed."""

    def __init__(self, bed: int, rule: int, timing: Timing) -> None:
        """Nothing is known, and no limit is set."""
        self.bed, self.rule, self.timing = bed, rule, timing
        self.limit: Limit | None = None
        self.changes: list[Change] = []
        self.nothing()

    def nothing(self) -> None:
        """As after the discharge of a patient."""
        self.cue: Cue | None = None
        self.since = 0
        self.severe = False
        self.heard: Heard | None = None
        self.window: list[tuple[int, bool]] | None = None
        """Known spans since the window opened: (how long, in breach?). None: no window."""
        self.recovered_since: int | None = None

    # What may be asked.

    def standing(self) -> Standing:
        """What is true now."""
        return Standing(self.cue, self.since if self.cue else 0, self.severe)

    def due(self) -> float:
        """When the newest sample, if no other comes, makes the rule held or ends it."""
        heard, at = self.heard, inf
        if heard is None or isnan(heard.value):
            return inf
        if self.recovered_since is not None:
            at = self.recovered_since + self.timing.clear_ms
        elif self.cue is Cue.ONSET and self.window is not None and heard.breach:
            at = heard.at + max(0, self.left(self.hold(heard.doubt)))
        return at if at <= heard.fresh else inf

    # What may happen.

    def passes(self, now: int) -> None:
        """Time passes."""
        due = self.due()
        if due <= now and self.heard is not None:
            if self.recovered_since is not None:
                self.say(Cue.END, int(due), self.heard.value, self.heard.doubt)
                self.rest(None)
            else:
                self.say(Cue.HELD, int(due), self.heard.value, self.heard.doubt)
                self.rest(Cue.HELD)

    def hears(self, at: int, value: float, fresh: int, doubt: int) -> None:
        """A sample comes. The rule has been told of all the time before it."""
        before = self.heard
        if fresh < at:
            value = nan
        self.heard = Heard(at, value, fresh, doubt, self.reached(value))
        if before is not None:
            known = before.known_until(at)
            if self.window is not None:
                self.window.append((known - before.at, before.breach))
            if known < at:
                self.recovered_since = None
        if self.limit is None or self.limit.limit is None:
            return
        if isnan(value) or not self.limit.recovered(value):
            self.recovered_since = None
        elif self.cue is not None and self.recovered_since is None:
            self.recovered_since = at
        if not isnan(value):
            self.judge(at, value, doubt)

    def judge(self, at: int, value: float, doubt: int) -> None:
        """A known value, and what it means."""
        assert self.limit is not None
        hold, severe = self.hold(doubt), self.limit.at_once(value) and doubt <= Doubt.NONE
        if not self.reached(value):
            if self.window is not None and self.spent(inside=False) > hold - self.needed(hold):
                self.window = None
            return
        if self.cue is Cue.HELD:
            if severe and not self.severe:
                self.severe = True
                self.say(Cue.HELD, at, value, doubt)
            return
        opened = self.window is None
        if self.window is None:
            self.window, self.since = [], at
        if severe or self.left(hold) <= 0:
            self.severe = severe
            self.say(Cue.HELD, at, value, doubt)
            self.rest(Cue.HELD)
        elif opened:
            self.cue = Cue.ONSET
            self.say(Cue.ONSET, at, value, doubt)

    def limited(self, at: int, limit: Limit) -> None:
        """A new limit."""
        before, self.limit = self.limit, limit
        if before is not None and _numbers(before) == _numbers(limit):
            return
        if limit.limit is None:
            if self.cue is not None:
                self.say(Cue.END, at, nan, Doubt.NONE)
            self.rest(None)
        elif (self.cue is Cue.ONSET or self.recovered_since is not None) and self.heard is not None:
            self.hears(at, self.heard.value, self.heard.fresh, self.heard.doubt)

    def restored(self, cue: Cue | None, since: int, *, severe: bool) -> None:
        """Put back after a restart: a delay that was running begins anew."""
        self.nothing()
        self.cue, self.since, self.severe = cue, since if cue else 0, severe and cue is Cue.HELD

    # The words used above.

    def reached(self, value: float) -> bool:
        """In breach? Never, where the value or the limit is not there."""
        return self.limit is not None and not isnan(value) and self.limit.reached(value)

    def hold(self, doubt: int) -> int:
        """The delay that counts while a value is so doubted; only HIGH is withheld for its own doubts."""
        assert self.limit is not None
        hold = self.limit.hold_ms
        if doubt == AGREED:
            return hold if self.limit.agreed_ms is None else min(hold, self.limit.agreed_ms)
        if doubt == DISPUTED:
            return max(hold, self.timing.poor_signal_ms)
        if self.limit.rule.priority is Priority.HIGH:
            if doubt == Doubt.POOR_SIGNAL:
                return max(hold, self.timing.poor_signal_ms)
            if doubt == Doubt.UNUSUAL and hold == 0:
                return self.timing.unusual_ms
        return hold

    def needed(self, hold: int) -> int:
        """How much of a delay must be spent in breach."""
        return hold * self.timing.breach_percent // 100

    def spent(self, *, inside: bool) -> int:
        """Known time of this window in breach, or outside it."""
        return sum(ms for ms, breach in self.window or () if breach is inside)

    def left(self, hold: int) -> int:
        """How much longer it must be in breach."""
        inside, outside = self.spent(inside=True), self.spent(inside=False)
        return max(hold - inside - outside, self.needed(hold) - inside)

    def rest(self, cue: Cue | None) -> None:
        """No time is counted any more."""
        self.cue = cue
        self.window = self.recovered_since = None
        if cue is None:
            self.severe = False

    def say(self, cue: Cue, at: int, value: float, doubt: int) -> None:
        """Write down what has moved."""
        assert self.limit is not None
        limit = nan if self.limit.limit is None else self.limit.limit
        note = ""
        if cue is Cue.HELD and doubt != Doubt.NONE:
            note = "two signals agree" if doubt == AGREED else "poor signal" * (doubt >= Doubt.POOR_SIGNAL)
        doubt = Doubt(min(max(doubt, Doubt.NONE), Doubt.POOR_SIGNAL))
        severe = cue is Cue.HELD and self.severe
        moved = Change(self.bed, self.rule, cue, self.since, at, value, limit, severe, doubt, note)
        self.changes.append(moved)


def _numbers(limit: Limit) -> tuple[float | None, ...]:
    return limit.limit, limit.severe, limit.hysteresis, limit.hold_ms, limit.agreed_ms

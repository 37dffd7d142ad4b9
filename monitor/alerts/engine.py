"""The engine: the continuous vitals of the whole ward against their limits, in NumPy. No clock, no I/O.

What it promises is the page `tests/core/oracle.py`; it agrees with that page event by event. What follows is
how it gets there without looking at every rule of every bed on every reading.

*At rest* (`bands`). A rule at a bed is at rest while no time is being counted: no breach, or an alarm that
stands. Then there is an interval of values in which it stays as it is. The band of a cell (one vital of one
bed) is where all of its resting rules stay as they are: a reading inside costs two comparisons, however many
rules there are. At rest a missing value changes nothing either: UNKNOWN is no cue, so nothing is looked at.

*Counting* (`clocks`). A rule whose delay or whose end is running has a clock, and hears every reading of its
vital. The clock knows between which values and until when nothing changes but the time, and the moment it
falls due. Only here does freshness matter.

*Crossing* (`crossings`). Whatever leaves a band, or says something else to a clock, is judged, and what it
moves is said (`moves`).

A few readings go one by one through plain Python, more of them at once through NumPy, most of a ward through
one dense comparison. Which way a reading went never shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isinf, isnan, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.alerts.bands import HELD, OUT, PENDING, PHASE, PLACE, SEVERE, SINCE, WIDTH, Bands, Floats, Ints
from monitor.alerts.clocks import Clocks
from monitor.alerts.crossings import Crossings
from monitor.alerts.limits import Limit, Timing, timed
from monitor.alerts.moves import Change, Moves, Said
from monitor.alerts.rules import ROWS
from monitor.model import Cue, Doubt

__all__ = ["Change", "Engine", "Moves", "Standing"]

FEW = 16
"""Up to so many at once, plain Python is quicker than NumPy."""


class Standing(NamedTuple):
    """What is true of one rule at one bed now: `cue` is ONSET, HELD, or None where there is nothing."""

    cue: Cue | None
    since_ms: int
    severe: bool


_NOTHING = Standing(None, 0, severe=False)


class Engine:
    """See the module. Beds count from 0; `row` is a vital's place in `ROWS`, `rule` a rule's in `RULES`.

    Time never runs back here: what claims to be older than what was heard last counts as of now.
    """

    def __init__(self, beds: int, timing: Timing | None = None, *, few: int = FEW) -> None:
        """A ward of so many beds, of which nothing is known and for which no limit is set."""
        self.beds = beds
        self._few = few
        self._bands = Bands(beds)
        self._clocks = Clocks(len(ROWS) * beds)
        self._said = Said(beds)
        self._crossings = Crossings(beds, few, timing or Timing(), self._bands, self._clocks, self._said)
        self._now: float = -inf
        # What every single reading looks at, nearer at hand.
        self._one_low, self._one_high = self._bands.one_low, self._bands.one_high
        self._one_counting = self._clocks.one_counting

    # Hearing.

    def feed_one(
        self,
        at_ms: int,
        row: int,
        bed: int,
        value: float,
        fresh_until_ms: int,
        doubt: int = Doubt.NONE,
    ) -> None:
        """One reading. NaN is "not known"; after `fresh_until_ms` the value is not known either."""
        self._now = max(self._now, at_ms)
        if self._now >= self._clocks.due:
            self._crossings.fall_due(self._now)
        cell = row * self.beds + bed
        if self._one_counting[cell] == 0 and (
            self._one_low[cell] <= value <= self._one_high[cell] or isnan(value)
        ):
            return
        self._crossings.hear(cell, self._now, value, fresh_until_ms, doubt)

    def rests(self, at_ms: int, row: int, bed: int, low: float, high: float) -> bool:
        """Whether `feed_one` up to `at_ms`, with any values from `low` to `high`, would change nothing."""
        cell = row * self.beds + bed
        return (
            max(self._now, at_ms) < self._clocks.due
            and not self._said
            and self._one_counting[cell] == 0
            and self._one_low[cell] <= low
            and high <= self._one_high[cell]
        )

    def feed(
        self,
        at_ms: int,
        rows: ArrayLike,
        beds: ArrayLike,
        values: ArrayLike,
        fresh_until_ms: ArrayLike,
        doubts: ArrayLike = 0,
    ) -> None:
        """Many readings of one moment, in their order."""
        at = self._advance(at_ms)
        value = np.asarray(values, np.float64)
        cell = np.asarray(rows, np.int64) * self.beds + np.asarray(beds, np.int64)
        leaves = value < self._bands.low[cell]
        leaves |= value > self._bands.high[cell]
        leaves |= self._clocks.counting[cell].view(np.bool_)
        found = self._bands.left_with_twins(cell, leaves)
        if found.size == 0:
            return
        fresh, doubt = _at(fresh_until_ms, found), _at(doubts, found)
        self._crossings.hear_all(cell[found], at, np.where(fresh >= at, value[found], nan), fresh, doubt)

    def feed_ward(
        self,
        at_ms: int,
        values: NDArray[np.float32] | Floats,
        fresh_until_ms: ArrayLike,
        doubts: ArrayLike = 0,
    ) -> None:
        """A reading of every vital of every bed: `values[row, bed]`, NaN where it is not known."""
        at = self._advance(at_ms)
        flat = values.reshape(-1)
        found = self._bands.left_by_all(flat)
        counting = self._clocks.owner[: self._clocks.running] // WIDTH
        if found.size + counting.size <= self._few:
            cells = np.unique(np.concatenate((found, counting)))
            if cells.size:
                self._crossings.hear_all(cells, at, *_of_cells(cells, at, flat, fresh_until_ms, doubts))
            return
        reading, where = self._bands.left_by(found, flat[found].astype(np.float64))
        counted = _of_cells(counting, at, flat, fresh_until_ms, doubts)
        touched = self._crossings.go_on_all(None, at, *counted)
        left = self._crossings.leave_all(
            where, at, *_of_cells(found[reading], at, flat, fresh_until_ms, doubts)
        )
        self._crossings.draw_all(np.concatenate((touched, left)))

    def tick(self, now_ms: int) -> None:
        """Let time pass: what has fallen due by now has become so."""
        self._advance(now_ms)

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next, if nothing is heard before."""
        due = self._clocks.next_due()
        return None if isinf(due) else int(due)

    def take_changes(self) -> list[Change]:
        """What has moved since the last time, in the order it did; within one moment by bed and rule."""
        return self._said.changes()

    def take_moves(self) -> Moves:
        """The same as arrays."""
        return self._said.moves()

    # Asking and setting.

    def standing(self, bed: int, rule: int) -> Standing:
        """What is true of a rule at a bed now."""
        where = self._where(bed, rule)
        phase, since = self._bands.record[where, (PHASE, SINCE)].tolist()
        if phase == OUT:
            return _NOTHING
        return Standing(Cue.ONSET if phase == PENDING else Cue.HELD, int(since), severe=phase == SEVERE)

    def set_limits(self, at_ms: int, beds: ArrayLike, limits: Iterable[Limit]) -> None:
        """These limits hold at these beds from now on. Where a delay runs, its value is judged again at once.

        A limit of None turns its rule off: what it said has ended. A rule not mentioned stays as it is.
        """
        at = self._advance(at_ms)
        every = np.atleast_1d(np.asarray(beds, np.int64))
        for rule, limit in timed(limits):
            row, place = PLACE[rule]
            self._crossings.set_limit(at, (row * self.beds + every) * WIDTH + place, limit)
        for row in range(len(ROWS)):
            self._crossings.draw_all(row * self.beds + every)

    def restore(self, bed: int, rule: int, cue: Cue | None, since_ms: int, *, severe: bool = False) -> None:
        """Put back what was known of a rule before a restart. A delay that was running begins anew."""
        where = self._where(bed, rule)
        self._crossings.drop(where)
        if cue is Cue.ONSET:
            self._crossings.start_anew(where, since_ms)
        elif cue is Cue.HELD:
            self._bands.rest(where, SEVERE if severe else HELD, since_ms)
        self._bands.draw(where // WIDTH)

    def reset(self, bed: int) -> None:
        """A new patient: nothing of the old stays, neither what stood nor the limits (ALM-090)."""
        for cell in range(bed, len(ROWS) * self.beds, self.beds):
            places = range(cell * WIDTH, (cell + 1) * WIDTH)
            self._bands.forget_numbers(places)
            for where in places:
                self._crossings.drop(where)
            self._bands.draw(cell)

    def forget(self, at_ms: int, bed: int) -> None:
        """Nothing of this bed is known from now on: its devices are gone."""
        for row in range(len(ROWS)):
            self.feed_one(at_ms, row, bed, nan, at_ms)

    def _where(self, bed: int, rule: int) -> int:
        row, place = PLACE[rule]
        return (row * self.beds + bed) * WIDTH + place

    # Time.

    def _advance(self, at_ms: float) -> float:
        self._now = max(self._now, at_ms)
        if self._now >= self._clocks.due:
            self._crossings.fall_due(self._now)
        return self._now


def _of_cells(
    cell: Ints, at: float, values: NDArray[Any], fresh_until_ms: ArrayLike, doubts: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Value, freshness and doubt of these cells of a whole ward."""
    fresh = _at(fresh_until_ms, cell)
    value = values.take(cell).astype(np.float64)
    stale = fresh < at
    if stale.any():
        value[stale] = nan
    return value, fresh, _at(doubts, cell)


def _at(value: ArrayLike, which: Ints) -> Floats:
    """What is said of these: their own, or the one thing that is said of all."""
    found = np.asarray(value, np.float64)
    return found.reshape(-1)[which] if found.ndim else np.full(which.size, found)

"""The engine: the continuous vitals of the whole ward against their limits, in NumPy. No clock, no I/O.

What it promises is the page `tests/core/oracle.py`; it agrees with that page event by event. What follows is
how it gets there without looking at every rule of every bed on every reading.

*At rest.* A rule at a bed is at rest while no time is being counted: no breach, or an alarm that stands. Then
there is an interval of values in which it stays as it is. The band of a cell (one vital of one bed) is where
all of its resting rules stay as they are: a reading inside costs two comparisons, however many rules there
are. At rest a missing value changes nothing either: UNKNOWN is no cue, so nothing has to be looked at.

*Counting.* A rule whose delay or whose end is running has one column in a table of clocks and hears every
reading of its vital. There are as many columns as patients who are just falling ill or getting better, packed
together, each with the moment it falls due if nothing changes. Only here does freshness matter.

The band is float32 and drawn inwards, so that a reading inside it is inside in float64 as well; what leaves
it is judged in float64. Values are turned so that low is bad (`y = -x` for a high limit) and "at or below"
becomes "below the next number": every rule is then `y < limit`.

A few readings go one by one through plain Python, more of them at once through NumPy, most of a ward through
one dense comparison. Which way a reading went never shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isinf, isnan, nan, nextafter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.alerts.limits import Limit, Timing, timed
from monitor.alerts.rules import ROWS, RULES, Kind
from monitor.model import Cue, Doubt, Priority, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Change(NamedTuple):
    """A condition that moved: `rule` is its place in `RULES`, `bed` the bed's place in the ward.

    ONSET is said again where the delay had to begin anew, with its new `since_ms`. HELD is said again where
    the value goes beyond the severe bound while the alarm stands. `at_ms` is when it became so, to the
    millisecond, however late the engine was asked.
    """

    bed: int
    rule: int
    cue: Cue
    since_ms: int
    at_ms: int
    value: float
    limit: float
    severe: bool
    doubt: Doubt
    note: str = ""


class Standing(NamedTuple):
    """What is true of one rule at one bed now: `cue` is ONSET, HELD, or None where there is nothing."""

    cue: Cue | None
    since_ms: int
    severe: bool


# Phases of one rule at one bed.
OUT, PENDING, HELD, SEVERE = range(4)

# Rows of the table of clocks: one column a rule whose delay or whose end is running.
(
    LIMIT,  # breach is y < LIMIT
    CLEAR,  # recovered is y >= CLEAR
    BOUND,  # beyond the severe bound is y < BOUND
    SIGN,  # y = SIGN * x
    HOLD,  # the delay without any doubt, ms
    IS_HIGH,  # 1 where the rule is of HIGH priority
    PHASE,
    SINCE,  # the onset on record
    WINDOW,  # 1 while the delay's window runs; 0 before the next breach opens it anew
    SEEN,  # valid time since the window began, ms
    INSIDE,  # of which in breach
    BREACH,  # 1 where the newest sample is in breach
    AT,  # up to when time has been counted
    FRESH,  # until when the newest sample may be believed
    RUN,  # since when it has been recovered without a break; inf where it has not
    DUE,  # when it falls due if nothing is heard; inf where it does not
    VALUE,
    DOUBT,
) = range(18)
_FIELDS = 18

FEW = 16
"""Up to so many at once, plain Python is quicker than NumPy."""
_CUES = (Cue.ONSET, Cue.HELD, Cue.END)
_ONSET, _HELD, _END = range(3)
_NOTHING = Standing(None, 0, severe=False)
_FAR = 1e38
"""Further out than any value: the edge of a band where there is none, still a float32."""
_HAIR = 2.5e-7
"""More than two float32 steps: by so much of itself an edge is drawn inwards ..."""
_SPECK = 1e-37
"""... and by so much near zero, where steps are finer than that."""
LIMIT_MAX = 1e6
"""No limit of any vital lies further from zero than this."""

# Where the rules are: each row of the engine has the same number of places, the last of them may be empty.
_OF_ROW = [
    [i for i, rule in enumerate(RULES) if rule.kind is Kind.TIMED and rule.vital is row] for row in ROWS
]
WIDTH = max(len(rules) for rules in _OF_ROW)
_PLACE = {i: (row, place) for row, rules in enumerate(_OF_ROW) for place, i in enumerate(rules)}
_RULE = np.zeros(len(ROWS) * WIDTH, np.int64)
_SIGN = np.ones(len(ROWS) * WIDTH)
_HIGH = np.zeros(len(ROWS) * WIDTH)
for _i, (_row, _j) in _PLACE.items():
    _RULE[_row * WIDTH + _j] = _i
    _SIGN[_row * WIDTH + _j] = 1.0 if RULES[_i].side is Side.LOW else -1.0
    _HIGH[_row * WIDTH + _j] = RULES[_i].priority is Priority.HIGH
_RULE_LIST: list[int] = _RULE.tolist()
_PLACES = np.arange(WIDTH)
_NONE = np.zeros(0, np.int64)


class _Move(NamedTuple):
    """A change as plain numbers: `where` is a rule at a bed, `cue` a place in `_CUES`."""

    where: int
    cue: int
    since: float
    at: float
    value: float
    limit: float
    severe: bool
    doubt: float


class _Moves(NamedTuple):
    """Many changes at once, as arrays."""

    where: Ints
    cue: Ints
    since: Floats
    at: Floats
    value: Floats
    limit: Floats
    severe: Bools
    doubt: Floats


class Engine:
    """See the module. Beds count from 0; `row` is a vital's place in `ROWS`, `rule` a rule's in `RULES`.

    Time never runs back here: what claims to be older than what was heard last counts as of now.
    """

    def __init__(self, beds: int, timing: Timing | None = None, *, few: int = FEW) -> None:
        """A ward of so many beds, of which nothing is known and for which no limit is set."""
        self.beds = beds
        self._few = few
        self._timing = timing or Timing()
        cells = len(ROWS) * beds
        rules = cells * WIDTH
        # Of one rule at one bed.
        self._limit = np.full(rules, nan)
        self._y_limit = np.full(rules, -inf)
        self._y_clear = np.full(rules, -inf)
        self._y_bound = np.full(rules, -inf)
        self._hold = np.zeros(rules)
        self._phase = np.zeros(rules, np.uint8)
        self._since = np.zeros(rules)
        self._column = np.full(rules, -1, np.int32)
        self._low = np.full(rules, -inf)
        self._high = np.full(rules, inf)
        # Of one cell: all that a reading inside the band touches.
        self._band_low = np.full(cells, -_FAR, np.float32)
        self._band_high = np.full(cells, _FAR, np.float32)
        self._counting = np.zeros(cells, np.uint8)
        # The clocks, the rule at a bed each belongs to, and how many there are.
        self._clocks = np.zeros((_FIELDS, 64))
        self._owner = np.zeros(64, np.int64)
        self._running = 0
        self._due: float = inf
        self._now: float = -inf
        self._moves: list[_Move | _Moves] = []
        self._mask = np.empty((2, cells), np.bool_)
        self._narrow = np.empty(cells, np.float32)
        self._place = np.zeros(cells, np.int64)
        # A memoryview gives one plain number in a third of the time an array takes.
        self._one_low, self._one_high = _plain(self._band_low), _plain(self._band_high)
        self._one_counting, self._one_column = _plain(self._counting), _plain(self._column)
        self._rest_low, self._rest_high = _plain(self._low), _plain(self._high)

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
        at = self._advance(at_ms)
        cell = row * self.beds + bed
        if self._one_counting[cell] == 0 and (
            self._one_low[cell] <= value <= self._one_high[cell] or isnan(value)
        ):
            return
        self._hear(cell, at, value, fresh_until_ms, doubt)

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
        leaves = (value < self._band_low[cell]) | (value > self._band_high[cell])
        leaves |= self._counting[cell] != 0
        found = np.flatnonzero(leaves)
        if found.size == 0:
            return
        fresh = np.broadcast_to(np.asarray(fresh_until_ms, np.float64), value.shape)
        doubt = np.broadcast_to(np.asarray(doubts, np.float64), value.shape)
        found = self._with_twins(cell, found)
        self._hear_all(cell[found], at, value[found], fresh[found], doubt[found])

    def feed_ward(
        self,
        at_ms: int,
        values: NDArray[np.float32] | Floats,
        fresh_until_ms: ArrayLike,
        doubts: ArrayLike | None = None,
    ) -> None:
        """A reading of every vital of every bed: `values[row, bed]`, NaN where it is not known."""
        at = self._advance(at_ms)
        flat = values.reshape(-1)
        narrow = flat
        if flat.dtype != np.float32:
            narrow = self._narrow
            with np.errstate(over="ignore"):
                np.copyto(narrow, flat, casting="same_kind")
        below, above = self._mask
        np.less(narrow, self._band_low, out=below)
        np.greater(narrow, self._band_high, out=above)
        np.logical_or(below, above, out=below)
        found = np.flatnonzero(below) if below.any() else _NONE
        if self._running == 0 and found.size == 0:
            return
        self._hear_ward(found, at, flat, np.asarray(fresh_until_ms, np.float64), doubts)

    def tick(self, now_ms: int) -> None:
        """Let time pass: what has fallen due by now has become so."""
        self._advance(now_ms)

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next, if nothing is heard before."""
        if self._running == 0:
            return None
        self._due = float(self._clocks[DUE, : self._running].min())
        return None if isinf(self._due) else int(self._due)

    def take_changes(self) -> list[Change]:
        """What has moved since the last time, in the order it did; within one moment by bed and rule."""
        if not self._moves:
            return []
        moves, self._moves = self._moves, []
        found = [change for move in moves for change in _changes(move, self.beds)]
        found.sort(key=_when)
        return found

    # Asking and setting.

    def standing(self, bed: int, rule: int) -> Standing:
        """What is true of a rule at a bed now."""
        where = self._where(bed, rule)
        phase = int(self._phase[where])
        if phase == OUT:
            return _NOTHING
        since_ms = int(self._since[where])
        return Standing(Cue.ONSET if phase == PENDING else Cue.HELD, since_ms, severe=phase == SEVERE)

    def set_limits(self, at_ms: int, beds: ArrayLike, limits: Iterable[Limit]) -> None:
        """These limits hold at these beds from now on. Where a delay runs, its value is judged again at once.

        A limit of None turns its rule off: what it said has ended. A rule not mentioned stays as it is.
        """
        at = self._advance(at_ms)
        every = np.atleast_1d(np.asarray(beds, np.int64))
        for rule, limit in timed(limits):
            row, place = _PLACE[rule]
            where = (row * self.beds + every) * WIDTH + place
            self._set_limit(at, where, limit)
        for row in range(len(ROWS)):
            self._draw_all(row * self.beds + every)

    def restore(self, bed: int, rule: int, cue: Cue | None, since_ms: int, *, severe: bool = False) -> None:
        """Put back what was known of a rule before a restart. A delay that was running begins anew."""
        where = self._where(bed, rule)
        self._drop(where)
        if cue is Cue.ONSET:
            unknown = 0.0, nan, 0.0, Doubt.NONE
            self._open(where, PENDING, since_ms, unknown, window=False, due=inf)
        elif cue is Cue.HELD:
            self._rest(where, SEVERE if severe else HELD, since_ms)
        self._draw(where // WIDTH)

    def reset(self, bed: int) -> None:
        """A new patient: nothing of the old stays, neither what stood nor the limits (ALM-090)."""
        for cell in range(bed, len(ROWS) * self.beds, self.beds):
            places = slice(cell * WIDTH, (cell + 1) * WIDTH)
            self._limit[places] = nan
            self._y_limit[places] = self._y_clear[places] = self._y_bound[places] = -inf
            for where in range(places.start, places.stop):
                self._drop(where)
            self._draw(cell)

    def forget(self, at_ms: int, bed: int) -> None:
        """Nothing of this bed is known from now on: its devices are gone."""
        for row in range(len(ROWS)):
            self.feed_one(at_ms, row, bed, nan, at_ms)

    def _where(self, bed: int, rule: int) -> int:
        row, place = _PLACE[rule]
        return (row * self.beds + bed) * WIDTH + place

    def _set_limit(self, at: float, where: Ints, limit: Limit) -> None:
        numbers = _turned(limit)
        before = self._limit[where], self._y_clear[where], self._y_bound[where], self._hold[where]
        after = nan if limit.limit is None else limit.limit, numbers[1], numbers[2], float(limit.hold_ms)
        same = np.all([(a == b) | (np.isnan(a) & isnan(b)) for a, b in zip(before, after, strict=True)], 0)
        moved = where[~same]
        self._limit[moved], self._hold[moved] = after[0], after[3]
        self._y_limit[moved], self._y_clear[moved], self._y_bound[moved] = numbers
        for one in moved[self._phase[moved] != OUT].tolist():
            if limit.limit is None:
                self._turn_off(one, at)
            elif (column := self._one_column[one]) >= 0:
                self._clocks[(LIMIT, CLEAR, BOUND), column] = numbers
                self._clocks[HOLD, column] = after[3]
                value, fresh, doubt = self._clocks[(VALUE, FRESH, DOUBT), column].tolist()
                self._go_on(column, at, value if fresh >= at else nan, fresh, doubt)
        self._settle_all(moved)

    def _turn_off(self, where: int, at: float) -> None:
        since = float(self._since[where])
        self._drop(where)
        self._say(where, _END, since, at, nan, severe=False, doubt=Doubt.NONE)

    # Time.

    def _advance(self, at_ms: float) -> float:
        self._now = max(self._now, at_ms)
        if self._now >= self._due:
            self._fall_due(self._now)
        return self._now

    def _fall_due(self, now: float) -> None:
        due = np.flatnonzero(self._clocks[DUE, : self._running] <= now)
        if due.size <= self._few:
            # From the last to the first: closing a column moves the last one into its place.
            for column in due[::-1].tolist():
                self._fall_due_one(column)
        else:
            self._fall_due_all(due)
        self._due = float(self._clocks[DUE, : self._running].min(initial=inf))

    def _fall_due_one(self, column: int) -> None:
        clock = self._clocks[:, column].tolist()
        where = int(self._owner[column])
        self._close(column)
        if clock[BREACH]:
            self._rest(where, HELD, clock[SINCE])
            self._say(where, _HELD, clock[SINCE], clock[DUE], clock[VALUE], severe=False, doubt=clock[DOUBT])
        else:
            self._rest(where, OUT, 0)
            self._say(where, _END, clock[SINCE], clock[DUE], clock[VALUE], severe=False, doubt=clock[DOUBT])
        self._draw(where // WIDTH)

    def _fall_due_all(self, columns: Ints) -> None:
        clock = self._clocks[:, columns]
        where = self._owner[columns]
        held = clock[BREACH] != 0
        cue = np.where(held, _HELD, _END)
        self._say_all(where, cue, clock[SINCE], clock[DUE], clock[VALUE], np.zeros_like(held), clock[DOUBT])
        self._phase[where] = np.where(held, HELD, OUT)
        self._close_all(columns)
        self._settle_all(where)
        self._draw_all(where // WIDTH)

    # One reading that matters, in plain Python.

    def _hear(self, cell: int, at: float, value: float, fresh: float, doubt: float) -> None:
        known = fresh >= at and not isnan(value)
        moved = False
        for where in range(cell * WIDTH, cell * WIDTH + WIDTH):
            column = self._one_column[where]
            if column >= 0:
                moved |= self._go_on(column, at, value if known else nan, fresh, doubt)
            elif known and not self._rest_low[where] <= value <= self._rest_high[where]:
                moved |= self._leave(where, at, value, fresh, doubt)
        if moved:
            self._draw(cell)

    def _leave(self, where: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule at rest hears a value that may move it; True if it does."""
        place = where // (self.beds * WIDTH) * WIDTH + where % WIDTH
        y = value * float(_SIGN[place])
        phase = int(self._phase[where])
        severe = doubt == Doubt.NONE and y < float(self._y_bound[where])
        sample = at, value, fresh, doubt
        if phase == OUT:
            hold = self._in_force(float(self._hold[where]), float(_HIGH[place]), doubt)
            if severe or hold == 0:
                self._rest(where, SEVERE if severe else HELD, at)
                self._say(where, _HELD, at, at, value, severe=severe, doubt=doubt)
            else:
                self._open(where, PENDING, at, sample, window=True, due=at + hold)
                self._say(where, _ONSET, at, at, value, severe=False, doubt=doubt)
        elif y >= float(self._y_clear[where]):
            due = at + self._timing.clear_ms
            self._open(where, phase, float(self._since[where]), sample, window=False, due=due)
        elif severe and phase == HELD:
            self._rest(where, SEVERE, float(self._since[where]))
            self._say(where, _HELD, float(self._since[where]), at, value, severe=True, doubt=doubt)
        else:
            return False  # beyond the severe bound, but doubted
        return True

    def _go_on(self, column: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule whose time is being counted hears a value, NaN for "not known"; True if that ends."""
        c = self._clocks[:, column].tolist()
        counted = min(c[FRESH], at) - c[AT]
        if c[WINDOW]:
            c[SEEN] += counted
            c[INSIDE] += counted if c[BREACH] else 0.0
        gap = c[FRESH] < at
        y = value * c[SIGN]
        known, breach, clear = not isnan(value), y < c[LIMIT], y >= c[CLEAR]
        # UNKNOWN is no cue: it stops the clocks and breaks a recovery, and nothing else.
        c[RUN] = (at if gap else min(c[RUN], at)) if clear else inf
        c[AT], c[FRESH] = at, fresh if known else at
        c[BREACH], c[VALUE], c[DOUBT] = breach, value, doubt
        severe = breach and doubt == Doubt.NONE and y < c[BOUND]
        if c[PHASE] != PENDING:
            if not clear:
                self._stand(column, c, severe=severe)
                return True
            due = c[RUN] + self._timing.clear_ms
        elif breach:
            due = self._wait(column, c, severe=severe)
            if due < 0:
                return True
        else:
            if known and c[SEEN] - c[INSIDE] > self._grace(self._in_force(c[HOLD], c[IS_HIGH], doubt)):
                c[WINDOW] = 0.0
            due = c[RUN] + self._timing.clear_ms
        c[DUE] = due if due <= fresh else inf
        self._clocks[:, column] = c
        self._due = min(self._due, c[DUE])
        return False

    def _stand(self, column: int, c: list[float], *, severe: bool) -> None:
        """A standing alarm's recovery has broken off: back to rest, perhaps worse than before."""
        where = int(self._owner[column])
        worse = severe and c[PHASE] == HELD
        self._close(column)
        self._rest(where, SEVERE if worse else int(c[PHASE]), c[SINCE])
        if worse:
            self._say(where, _HELD, c[SINCE], c[AT], c[VALUE], severe=True, doubt=c[DOUBT])

    def _wait(self, column: int, c: list[float], *, severe: bool) -> float:
        """A pending rule hears a breach: when it falls due, or -1 where it is due now and has been said."""
        where = int(self._owner[column])
        opened = not c[WINDOW]
        if opened:
            c[WINDOW], c[SINCE], c[SEEN], c[INSIDE] = 1.0, c[AT], 0.0, 0.0
        hold = self._in_force(c[HOLD], c[IS_HIGH], c[DOUBT])
        left = max(hold - c[SEEN], hold - self._grace(hold) - c[INSIDE])
        if severe or left <= 0:
            self._close(column)
            self._rest(where, SEVERE if severe else HELD, c[SINCE])
            self._say(where, _HELD, c[SINCE], c[AT], c[VALUE], severe=severe, doubt=c[DOUBT])
            return -1
        if opened:
            self._since[where] = c[SINCE]
            self._say(where, _ONSET, c[SINCE], c[AT], c[VALUE], severe=False, doubt=c[DOUBT])
        return c[AT] + left

    def _in_force(self, hold: float, is_high: float, doubt: float) -> float:
        """The delay that counts while a value is so doubted (physiology.md 1, ALM-073)."""
        if is_high and doubt == Doubt.POOR_SIGNAL:
            return max(hold, self._timing.poor_signal_ms)
        if is_high and doubt == Doubt.UNUSUAL and hold == 0:
            return self._timing.unusual_ms
        return hold

    def _grace(self, hold: float) -> float:
        """How much of a delay may be spent outside the breach (ALM-065)."""
        return hold - hold * self._timing.breach_percent // 100

    # The same for many at once.

    def _with_twins(self, cell: Ints, found: Ints) -> Ints:
        """Those found and every other reading of their cells in this batch: one may have moved the band."""
        hot = cell[found]
        if found.size == cell.size:
            return found
        marked = self._mask[0]
        marked[cell] = False
        marked[hot] = True
        return np.flatnonzero(marked[cell])

    def _hear_all(self, cell: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        if cell.size <= self._few:
            for one in zip(cell.tolist(), value.tolist(), fresh.tolist(), doubt.tolist(), strict=True):
                self._hear(one[0], at, *one[1:])
            return
        order = np.arange(cell.size)
        while True:
            # The first reading of each cell, then the second of those that have one, ...
            self._place[cell[::-1]] = order[::-1]
            first = self._place[cell] == order
            if first.all():
                self._hear_firsts(cell, at, value, fresh, doubt)
                return
            self._hear_firsts(cell[first], at, value[first], fresh[first], doubt[first])
            cell, value, fresh, doubt = (a[~first] for a in (cell, value, fresh, doubt))
            order = order[: cell.size]

    def _hear_firsts(self, cell: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        value = np.where(fresh >= at, value, nan)
        reading, where = self._that_leave(cell, value)
        column = self._column[(cell * WIDTH)[:, None] + _PLACES]
        of, place = np.nonzero(column >= 0)
        touched = self._go_on_all(column[of, place], at, value[of], fresh[of], doubt[of])
        self._leave_all(where, at, value[reading], fresh[reading], doubt[reading])
        where = np.concatenate((where, touched))
        self._settle_all(where)
        self._draw_all(where // WIDTH)

    def _hear_ward(
        self, found: Ints, at: float, value: NDArray[Any], fresh: Floats, doubts: ArrayLike | None
    ) -> None:
        running = self._running
        if found.size + running <= self._few:
            owners = (self._owner[:running] // WIDTH).tolist()
            for cell in dict.fromkeys([*owners, *found.tolist()]):
                until = float(fresh.reshape(-1)[cell]) if fresh.ndim else float(fresh)
                doubt = 0.0 if doubts is None else float(np.asarray(doubts).reshape(-1)[cell])
                self._hear(cell, at, float(value[cell]), until, doubt)
            return
        counting = self._owner[:running] // WIDTH
        reading, where = self._that_leave(found, self._read(value, fresh, found, at))
        of = found[reading]
        touched = self._go_on_all(
            None,
            at,
            self._read(value, fresh, counting, at),
            _at(fresh, counting),
            _at(doubts, counting),
        )
        self._leave_all(where, at, value[of].astype(np.float64), _at(fresh, of), _at(doubts, of))
        where = np.concatenate((where, touched))
        self._settle_all(where)
        self._draw_all(where // WIDTH)

    def _read(self, value: NDArray[Any], fresh: Floats, cell: Ints, at: float) -> Floats:
        found = value[cell].astype(np.float64)
        found[_at(fresh, cell) < at] = nan
        return found

    def _that_leave(self, cell: Ints, value: Floats) -> tuple[Ints, Ints]:
        """Which rules at rest are moved by these values: (place in `cell`, rule at a bed) of each."""
        where = (cell * WIDTH)[:, None] + _PLACES
        x = value[:, None]
        leaves = (x < self._low[where]) | (x > self._high[where])
        of, place = np.nonzero(leaves)
        return of, where[of, place]

    def _leave_all(self, where: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        if where.size == 0:
            return
        place = where // (self.beds * WIDTH) * WIDTH + where % WIDTH
        y = value * _SIGN[place]
        phase = self._phase[where]
        severe = (y < self._y_bound[where]) & (doubt == Doubt.NONE)
        hold = self._in_force_all(self._hold[where], _HIGH[place], doubt)
        out = phase == OUT
        at_once = out & (severe | (hold == 0))
        waits = out & ~at_once
        ends = ~out & (y >= self._y_clear[where])
        worse = ~out & ~ends & severe & (phase == HELD)
        self._since[where[out]] = at
        self._phase[where[at_once]] = HELD
        self._phase[where[waits]] = PENDING
        self._phase[where[worse | (at_once & severe)]] = SEVERE
        said = at_once | waits | worse
        told = where[said]
        cue = np.where(waits, _ONSET, _HELD)[said]
        now = np.full(told.size, at)
        sure = severe & ~waits
        self._say_all(told, cue, self._since[told], now, value[said], sure[said], doubt[said])
        counts = waits | ends
        due = at + np.where(waits, hold, self._timing.clear_ms)
        due[due > fresh] = inf
        self._open_all(where[counts], at, *(a[counts] for a in (value, fresh, doubt, waits, due)))

    def _go_on_all(
        self, columns: Ints | None, at: float, value: Floats, fresh: Floats, doubt: Floats
    ) -> Ints:
        """The rules of these columns (None: of all) hear their values; those that came to rest by it."""
        if value.size == 0:
            return _NONE
        c = self._clocks[:, : self._running] if columns is None else self._clocks[:, columns]
        counted = (np.minimum(c[FRESH], at) - c[AT]) * c[WINDOW]
        c[SEEN] += counted
        c[INSIDE] += counted * c[BREACH]
        y = value * c[SIGN]
        breach, clear, known = y < c[LIMIT], y >= c[CLEAR], ~np.isnan(value)
        run = np.where(c[FRESH] < at, at, np.minimum(c[RUN], at))
        c[RUN] = np.where(clear, run, inf)
        c[AT], c[FRESH] = at, np.where(known, fresh, at)
        c[BREACH], c[VALUE], c[DOUBT] = breach, value, doubt
        severe = breach & (y < c[BOUND]) & (doubt == Doubt.NONE)
        pending = c[PHASE] == PENDING
        waits = pending & breach
        hold = self._in_force_all(c[HOLD], c[IS_HIGH], doubt)
        grace = hold - hold * self._timing.breach_percent // 100
        opened = waits & (c[WINDOW] == 0)
        if opened.any():
            for field, fresh_start in ((WINDOW, 1.0), (SINCE, at), (SEEN, 0.0), (INSIDE, 0.0)):
                c[field][opened] = fresh_start
        left = np.maximum(hold - c[SEEN], hold - grace - c[INSIDE])
        held = waits & (severe | (left <= 0))
        missed = pending & known & ~breach & (c[SEEN] - c[INSIDE] > grace)
        c[WINDOW][missed] = 0.0
        c[DUE] = np.where(breach, at + left, c[RUN] + self._timing.clear_ms)
        c[DUE][c[DUE] > fresh] = inf
        worse = ~pending & severe & (c[PHASE] == HELD)
        rests = held | (~pending & ~clear)
        said = held | worse | opened
        if columns is not None:
            self._clocks[:, columns] = c
        every = np.arange(self._running) if columns is None else columns.astype(np.int64)
        owner = self._owner[every]
        if said.any():
            cue = np.where(opened & ~held, _ONSET, _HELD)[said]
            sure = severe & (held | worse)
            told, now = owner[said], np.full(int(said.sum()), at)
            self._since[told] = c[SINCE][said]
            self._say_all(told, cue, c[SINCE][said], now, value[said], sure[said], doubt[said])
        self._due = min(self._due, float(c[DUE].min(where=~rests, initial=inf)))
        if not rests.any():
            return _NONE
        self._phase[owner[held]] = HELD
        self._phase[owner[(held & severe) | worse]] = SEVERE
        touched: Ints = owner[rests]
        self._close_all(every[rests])
        return touched

    def _in_force_all(self, hold: Floats, is_high: Floats, doubt: Floats) -> Floats:
        if not doubt.any():
            return hold
        high = is_high != 0
        poor = high & (doubt == Doubt.POOR_SIGNAL)
        odd = high & (doubt == Doubt.UNUSUAL) & (hold == 0)
        held = np.where(poor, np.maximum(hold, self._timing.poor_signal_ms), hold)
        return np.where(odd, self._timing.unusual_ms, held)

    # Rest and counting: a rule at a bed is in exactly one of the two.

    def _rest(self, where: int, phase: int, since: float) -> None:
        self._phase[where] = phase
        self._since[where] = since
        low = float(self._y_limit[where] if phase == OUT else self._y_bound[where])
        high = inf if phase == OUT else nextafter(self._y_clear[where], -inf)
        if phase == SEVERE:
            low = -inf
        if _SIGN[where // (self.beds * WIDTH) * WIDTH + where % WIDTH] < 0:
            low, high = -high, -low
        self._rest_low[where], self._rest_high[where] = low, high

    def _drop(self, where: int) -> None:
        if self._one_column[where] >= 0:
            self._close(self._one_column[where])
        self._rest(where, OUT, 0)

    def _settle_all(self, where: Ints) -> None:
        """Draw the interval in which each of these rules stays as it is; while it counts, it has none."""
        if where.size == 0:
            return
        phase = self._phase[where]
        sign = _SIGN[where // (self.beds * WIDTH) * WIDTH + where % WIDTH]
        low = np.where(phase == OUT, self._y_limit[where], self._y_bound[where])
        low[phase == SEVERE] = -inf
        high = np.where(phase == OUT, inf, np.nextafter(self._y_clear[where], -inf))
        counts = self._column[where] >= 0
        low[counts], high[counts] = -inf, inf
        turned = sign < 0
        self._low[where] = np.where(turned, -high, low)
        self._high[where] = np.where(turned, -low, high)

    def _draw(self, cell: int) -> None:
        places = slice(cell * WIDTH, cell * WIDTH + WIDTH)
        low = min(max(*self._rest_low[places], -_FAR), _FAR)
        high = max(min(*self._rest_high[places], _FAR), -_FAR)
        self._one_low[cell] = low + (abs(low) * _HAIR + _SPECK)
        self._one_high[cell] = high - (abs(high) * _HAIR + _SPECK)

    def _draw_all(self, cell: Ints) -> None:
        """Draw the band of these cells anew: where all rules at rest stay as they are, a hair inwards."""
        if cell.size == 0:
            return
        low = self._low.reshape(-1, WIDTH)[cell].max(axis=1)
        high = self._high.reshape(-1, WIDTH)[cell].min(axis=1)
        np.clip(low, -_FAR, _FAR, out=low)
        np.clip(high, -_FAR, _FAR, out=high)
        self._band_low[cell] = low + (np.abs(low) * _HAIR + _SPECK)
        self._band_high[cell] = high - (np.abs(high) * _HAIR + _SPECK)

    def _open(
        self,
        where: int,
        phase: int,
        since: float,
        sample: tuple[float, float, float, float],
        *,
        window: bool,
        due: float,
    ) -> None:
        """Start counting for this rule, from a sample: (at, value, fresh until, doubt)."""
        at, value, fresh, doubt = sample
        place = where // (self.beds * WIDTH) * WIDTH + where % WIDTH
        column = self._room_for(1)
        self._phase[where], self._since[where], self._column[where] = phase, since, column
        self._rest_low[where], self._rest_high[where] = -inf, inf
        self._counting[where // WIDTH] += 1
        self._owner[column] = where
        self._clocks[:, column] = (
            self._y_limit[where], self._y_clear[where], self._y_bound[where], _SIGN[place],
            self._hold[where], _HIGH[place], phase, since, window, 0.0, 0.0, window, at, fresh,
            inf if window else at, due if due <= fresh else inf, value, doubt,
        )  # fmt: skip
        self._due = min(self._due, float(self._clocks[DUE, column]))

    def _open_all(
        self,
        where: Ints,
        at: float,
        value: Floats,
        fresh: Floats,
        doubt: Floats,
        window: Bools,
        due: Floats,
    ) -> None:
        if where.size == 0:
            return
        place = where // (self.beds * WIDTH) * WIDTH + where % WIDTH
        first = self._room_for(where.size)
        columns = slice(first, first + where.size)
        self._column[where] = np.arange(columns.start, columns.stop)
        np.add.at(self._counting, where // WIDTH, 1)
        self._owner[columns] = where
        c = self._clocks[:, columns]
        c[LIMIT], c[CLEAR], c[BOUND] = self._y_limit[where], self._y_clear[where], self._y_bound[where]
        c[SIGN], c[IS_HIGH], c[HOLD] = _SIGN[place], _HIGH[place], self._hold[where]
        c[PHASE], c[SINCE] = self._phase[where], self._since[where]
        c[WINDOW] = c[BREACH] = window
        c[SEEN] = c[INSIDE] = 0.0
        c[AT], c[FRESH], c[VALUE], c[DOUBT] = at, fresh, value, doubt
        c[RUN], c[DUE] = np.where(window, inf, at), due
        self._due = min(self._due, float(due.min()))

    def _room_for(self, more: int) -> int:
        """The first of so many new columns at the end of the table."""
        first = self._running
        self._running += more
        while self._running > self._owner.size:
            self._clocks = np.concatenate((self._clocks, np.zeros_like(self._clocks)), axis=1)
            self._owner = np.concatenate((self._owner, np.zeros_like(self._owner)))
        return first

    def _close(self, column: int) -> None:
        """Stop counting here; the last column moves into the gap."""
        where = int(self._owner[column])
        self._column[where] = -1
        self._counting[where // WIDTH] -= 1
        self._running -= 1
        last = self._running
        if column != last:
            self._clocks[:, column] = self._clocks[:, last]
            moved = int(self._owner[last])
            self._owner[column] = moved
            self._column[moved] = column

    def _close_all(self, columns: Ints) -> None:
        where = self._owner[columns]
        self._column[where] = -1
        np.subtract.at(self._counting, where // WIDTH, 1)
        self._running -= columns.size
        stays = np.ones(columns.size, np.bool_)
        behind = columns >= self._running
        stays[columns[behind] - self._running] = False
        last = self._running + np.flatnonzero(stays)
        gaps = columns[~behind]
        self._clocks[:, gaps] = self._clocks[:, last]
        moved = self._owner[last]
        self._owner[gaps] = moved
        self._column[moved] = gaps

    # Saying what has moved.

    def _say(
        self, where: int, cue: int, since: float, at: float, value: float, *, severe: bool, doubt: float
    ) -> None:
        self._moves.append(_Move(where, cue, since, at, value, float(self._limit[where]), severe, doubt))

    def _say_all(
        self, where: Ints, cue: Ints, since: Floats, at: Floats, value: Floats, severe: Bools, doubt: Floats
    ) -> None:
        if where.size:
            self._moves.append(_Moves(where, cue, since, at, value, self._limit[where], severe, doubt))


def _plain(array: NDArray[Any]) -> Any:
    """The same numbers, one at a time."""
    return memoryview(array)  # type: ignore[arg-type]  # arrays are buffers, whatever the stubs say


def _changes(move: _Move | _Moves, beds: int) -> Iterable[Change]:
    if isinstance(move, _Move):
        yield _change(move, beds)
    else:
        for one in zip(*(column.tolist() for column in move), strict=True):
            yield _change(_Move(*one), beds)


def _change(move: _Move, beds: int) -> Change:
    cell, place = divmod(move.where, WIDTH)
    row, bed = divmod(cell, beds)
    cue, doubt = _CUES[move.cue], Doubt(int(move.doubt))
    note = "poor signal" if cue is Cue.HELD and doubt is Doubt.POOR_SIGNAL else ""
    rule = _RULE_LIST[row * WIDTH + place]
    return Change(
        bed, rule, cue, int(move.since), int(move.at), move.value, move.limit, bool(move.severe), doubt, note
    )


def _when(change: Change) -> tuple[int, int, int]:
    return change.at_ms, change.bed, change.rule


def _turned(limit: Limit) -> tuple[float, float, float]:
    """Breach, recovery and severe bound of a limit where low is bad and "at or below" is "below"."""
    if limit.limit is None:
        return -inf, -inf, -inf
    if not abs(limit.limit) <= LIMIT_MAX:
        raise ValueError(f"{limit.rule.name}: a limit of {limit.limit:g} is no limit of any vital")
    sign = 1 if limit.rule.side is Side.LOW else -1
    bound = -inf if limit.severe is None else sign * limit.severe
    numbers = (sign * limit.limit, sign * limit.limit + limit.hysteresis, bound)
    return tuple(nextafter(n, inf) if limit.rule.inclusive and n > -inf else n for n in numbers)  # type: ignore[return-value]  # three in, three out


def _at(value: ArrayLike | None, cell: Ints) -> Floats:
    """What is said of these cells: their own, or the one thing that is said of all of them."""
    if value is None:
        return np.zeros(cell.size)
    found = np.asarray(value, np.float64)
    return found.reshape(-1)[cell] if found.ndim else np.full(cell.size, float(found))

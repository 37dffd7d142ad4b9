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
_Move = tuple[int, int, float, float, float, float, bool, float]


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

# What is on record of each rule at each bed, and what its clock begins with.
(
    LIMIT,  # breach is y < LIMIT
    CLEAR,  # recovered is y >= CLEAR
    BOUND,  # beyond the severe bound is y < BOUND
    SIGN,  # y = SIGN * x
    HOLD,  # the delay without any doubt, ms
    SHOWN,  # the limit as the nurse sees it, in x
    SINCE,  # the onset
    PHASE,
) = range(8)
_RECORD = 8
_SHARED = 6

# The rest of a clock, which is looked at where something changes.
(
    WINDOW,  # 1 while the delay's window runs; 0 before the next breach opens it anew
    BREACH,  # 1 where the newest sample is in breach
    SEEN,  # known time since the window began, ms, up to AT
    INSIDE,  # of which in breach
    AT,  # up to when time has been counted
    RUN,  # since when it has been recovered without a break; inf where it has not
) = range(_RECORD, 14)
_CLOCK = 16

# The face of a clock, which every reading looks at.
(
    TURN,  # the SIGN
    DOUBT,
    LOW,  # from here ...
    HIGH,  # ... to below here y may wander, and as long ...
    UNTIL,  # ... as this, and nothing changes but the time
    WHEN,  # when it falls due if the value stays as it is; inf where it never does
    FRESH,  # until when the value has been known, or may be believed
    VALUE,
    DUE,  # WHEN, if nothing more is heard: inf where the value is not known for so long
) = range(9)
_FACE = 9

FEW = 16
"""Up to so many at once, plain Python is quicker than NumPy."""
CUES = np.array((Cue.ONSET, Cue.HELD, Cue.END), np.object_)
_ONSET, _HELD, _END = range(3)
_DOUBTS = tuple(Doubt)
_SURE = float(Doubt.NONE)
_NO_DOUBT, _NO_NOTE = [Doubt.NONE], [""]
_NEW = tuple.__new__
POOR_SIGNAL = "poor signal"
_NOTHING = Standing(None, 0, severe=False)
_LINE = 64
_BLOCK = 1 << 17
"""So many cells are compared at once: their masks stay in the processor's own cache."""
_FAR = 1e38
"""Further out than any limit; where there is no edge at all, the hair to it stays finite."""
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
_SPAN = [len(rules) for rules in _OF_ROW]
_NUMBERS = np.array((LIMIT, CLEAR, BOUND, HOLD, SHOWN))
_NONE = np.zeros(0, np.int64)
_WORD = 8
_IN_WORD = np.arange(_WORD)


class Moves(NamedTuple):
    """Changes as arrays, for who judges thousands: the columns of `Change`, `cue` as a place in `CUES`."""

    bed: Ints
    rule: Ints
    cue: Ints
    since_ms: Floats
    at_ms: Floats
    value: Floats
    limit: Floats
    severe: Bools
    doubt: Floats


class _Moved(NamedTuple):
    """What has moved, as it was found: `where` is a rule at a bed."""

    where: Ints
    cue: Ints
    since: Floats
    at: Floats
    value: Floats
    limit: Floats
    severe: Bools
    doubt: Floats


_NO_MOVES = Moves(*(np.zeros(0, kind) for kind in (int, int, int, float, float, float, float, bool, float)))


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
        # Of one rule at one bed. A record is a cache line; so is what bounds the rules of one cell at rest.
        self._record = _aligned(rules, _RECORD, np.float64)
        self._record[:, LIMIT : BOUND + 1] = -inf
        self._record[:, SIGN] = _of_each_rule(_SIGN, beds)
        self._record[:, HOLD:] = 0.0, nan, 0.0, OUT
        self._flat_record = self._record.reshape(-1)
        self._column = np.full(rules, -1, np.int32)
        self._edges = _aligned(cells, 2 * WIDTH, np.float32)
        self._edges[:] = -inf
        self._flat_edges = self._edges.reshape(-1)
        # Of one cell: all that a reading inside the band touches.
        self._band_low = np.full(cells, -inf, np.float32)
        self._band_high = np.full(cells, inf, np.float32)
        self._counting = np.zeros(cells, np.uint8)
        # The clocks, the rule at a bed each belongs to, and how many there are.
        self._clocks = np.zeros((64, _CLOCK))
        self._faces = np.zeros((_FACE, 64))
        self._owner = np.zeros(64, np.int64)
        self._running = 0
        self._due: float = inf
        self._now: float = -inf
        self._moves: list[_Moved] = []
        self._said: list[_Move] = []
        self._mask = np.zeros((2, -(-cells // _WORD) * _WORD), np.bool_)
        self._narrow = np.empty(cells if beds else 0, np.float32)
        self._place = np.zeros(cells, np.int64)
        # A memoryview gives one plain number in a third of the time an array takes.
        self._one_low, self._one_high = _plain(self._band_low), _plain(self._band_high)
        self._one_counting, self._one_column = _plain(self._counting), _plain(self._column)
        self._one_record, self._one_edge = _plain(self._record), _plain(self._edges)
        self._one_face = _plain(self._faces)

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
        if self._now >= self._due:
            self._fall_due()
        cell = row * self.beds + bed
        if self._one_counting[cell] == 0 and (
            self._one_low[cell] <= value <= self._one_high[cell] or isnan(value)
        ):
            return
        self._hear(cell, self._now, value, fresh_until_ms, doubt)

    def rests(self, at_ms: int, row: int, bed: int, low: float, high: float) -> bool:
        """Whether `feed_one` up to `at_ms`, with any values from `low` to `high`, would change nothing."""
        cell = row * self.beds + bed
        return (
            max(self._now, at_ms) < self._due
            and not self._said
            and not self._moves
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
        leaves = value < self._band_low[cell]
        leaves |= value > self._band_high[cell]
        leaves |= self._counting[cell].view(np.bool_)
        found = leaves.nonzero()[0]
        if found.size == 0:
            return
        found = self._with_twins(cell, found)
        fresh, doubt = _at(fresh_until_ms, found), _at(doubts, found)
        self._hear_all(cell[found], at, np.where(fresh >= at, value[found], nan), fresh, doubt)

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
        found = self._that_leave_their_band(self._as_float32(flat))
        counting = self._owner[: self._running] // WIDTH
        if found.size + counting.size <= self._few:
            cells = np.unique(np.concatenate((found, counting)))
            if cells.size:
                self._hear_all(cells, at, *_of_cells(cells, at, flat, fresh_until_ms, doubts))
            return
        reading, where = self._that_leave_their_rest(found, flat[found].astype(np.float64))
        touched = self._go_on_all(None, at, *_of_cells(counting, at, flat, fresh_until_ms, doubts))
        left = self._leave_all(where, at, *_of_cells(found[reading], at, flat, fresh_until_ms, doubts))
        self._draw_all(np.concatenate((touched, left)))

    def tick(self, now_ms: int) -> None:
        """Let time pass: what has fallen due by now has become so."""
        self._advance(now_ms)

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next, if nothing is heard before."""
        if self._running == 0:
            return None
        self._due = float(self._faces[DUE, : self._running].min())
        return None if isinf(self._due) else int(self._due)

    def take_changes(self) -> list[Change]:
        """What has moved since the last time, in the order it did; within one moment by bed and rule."""
        if self._moves:
            return _changes(self.take_moves())
        if not self._said:
            return []
        said, self._said = self._said, []
        return _few_changes(said, self.beds)

    def take_moves(self) -> Moves:
        """The same as arrays."""
        self._gather_said()
        moves, self._moves = self._moves, []
        if not moves:
            return _NO_MOVES
        one = moves[0] if len(moves) == 1 else _Moved(*map(np.concatenate, zip(*moves, strict=True)))
        cell, place = np.divmod(one.where, WIDTH)
        row, bed = np.divmod(cell, self.beds)
        rule = _RULE[row * WIDTH + place]
        late = (one.at - one.at.min()).astype(np.int64)
        order = _ranked((late * self.beds + bed) * len(RULES) + rule)
        columns: list[Any] = [column[order] for column in (bed, rule, *one[1:])]
        return Moves(*columns)

    # Asking and setting.

    def standing(self, bed: int, rule: int) -> Standing:
        """What is true of a rule at a bed now."""
        where = self._where(bed, rule)
        phase = self._one_record[where * _RECORD + PHASE]
        if phase == OUT:
            return _NOTHING
        since_ms = int(self._record[where, SINCE])
        return Standing(Cue.ONSET if phase == PENDING else Cue.HELD, since_ms, severe=phase == SEVERE)

    def set_limits(self, at_ms: int, beds: ArrayLike, limits: Iterable[Limit]) -> None:
        """These limits hold at these beds from now on. Where a delay runs, its value is judged again at once.

        A limit of None turns its rule off: what it said has ended. A rule not mentioned stays as it is.
        """
        at = self._advance(at_ms)
        every = np.atleast_1d(np.asarray(beds, np.int64))
        for rule, limit in timed(limits):
            row, place = _PLACE[rule]
            self._set_limit(at, (row * self.beds + every) * WIDTH + place, limit)
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
            places = range(cell * WIDTH, (cell + 1) * WIDTH)
            self._record[places, SHOWN] = nan
            self._record[places, LIMIT : BOUND + 1] = -inf
            for where in places:
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
        shown = nan if limit.limit is None else limit.limit
        after = np.array([*_turned(limit), limit.hold_ms, shown])
        before = self._record[where[:, None], _NUMBERS]
        moved = where[~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1)]
        self._record[moved[:, None], _NUMBERS] = after
        for one in moved[self._record[moved, PHASE] != OUT].tolist():
            if limit.limit is None:
                since = float(self._record[one, SINCE])
                self._drop(one)
                self._say(one, _END, since, at, nan, severe=False, doubt=Doubt.NONE)
            elif (column := self._one_column[one]) >= 0:
                self._clocks[column, :_SHARED] = self._record[one, :_SHARED]
                value, fresh, doubt = self._faces[(VALUE, FRESH, DOUBT), column].tolist()
                self._count(column, at, value if fresh >= at else nan, fresh, doubt)
        moved = moved[self._column[moved] < 0]
        record = self._record[moved].T
        self._settle_all(moved, record, record[PHASE])

    # Time.

    def _advance(self, at_ms: float) -> float:
        self._now = max(self._now, at_ms)
        if self._now >= self._due:
            self._fall_due()
        return self._now

    def _fall_due(self) -> None:
        due = (self._faces[DUE, : self._running] <= self._now).nonzero()[0]
        if due.size <= self._few:
            # From the last to the first: closing a column moves the last one into its place.
            for column in due[::-1].tolist():
                self._fall_due_one(column)
        else:
            self._fall_due_all(due)
        self._due = float(self._faces[DUE, : self._running].min(initial=inf))

    def _fall_due_one(self, column: int) -> None:
        clock, face = self._clocks[column].tolist(), self._faces[:, column].tolist()
        where = self._close(column)
        phase, cue, since = (HELD, _HELD, clock[SINCE]) if clock[BREACH] else (OUT, _END, 0.0)
        self._rest(where, phase, since)
        self._draw(where // WIDTH)
        self._say(where, cue, clock[SINCE], face[DUE], face[VALUE], severe=False, doubt=face[DOUBT])

    def _fall_due_all(self, columns: Ints) -> None:
        clock = self._clocks.take(columns, axis=0).T
        due, value, doubt = (self._faces[field][columns] for field in (DUE, VALUE, DOUBT))
        where = self._owner[columns]
        held = clock[BREACH] != 0
        cue = np.where(held, _HELD, _END)
        self._say_all(where, cue, clock[SINCE], due, value, clock[SHOWN], np.zeros_like(held), doubt)
        phase = np.where(held, HELD, OUT)
        self._flat_record[where * _RECORD + PHASE] = phase
        self._close_all(columns)
        self._settle_all(where, clock, phase)
        self._draw_all(where // WIDTH)

    # One reading that matters, in plain Python.

    def _hear(self, cell: int, at: float, value: float, fresh: float, doubt: float) -> None:
        known = fresh >= at and not isnan(value)
        if not known:
            value = nan
        low, moved = cell * 2 * WIDTH, False
        first = cell * WIDTH
        for place in range(_SPAN[cell // self.beds]):
            column = self._one_column[first + place]
            if column >= 0:
                moved |= self._go_on(column, at, value, fresh, doubt)
            elif value < self._one_edge[low + place] or -value < self._one_edge[low + WIDTH + place]:
                moved |= self._leave(first + place, at, value, fresh, doubt)
        if moved:
            self._draw(cell)

    def _leave(self, where: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule at rest hears a value that may move it; True if it does."""
        record = self._record[where].tolist()
        y, phase, since = value * record[SIGN], record[PHASE], record[SINCE]
        severe = doubt == Doubt.NONE and y < record[BOUND]
        sample = at, value, fresh, doubt
        if phase == OUT:
            if not y < record[LIMIT]:
                return False  # a hair from the edge
            hold = self._in_force(where, record[HOLD], doubt)
            if severe or hold == 0:
                self._rest(where, SEVERE if severe else HELD, at)
                self._say(where, _HELD, at, at, value, severe=severe, doubt=doubt)
            else:
                self._open(where, PENDING, at, sample, window=True, due=at + hold)
                self._say(where, _ONSET, at, at, value, severe=False, doubt=doubt)
        elif y >= record[CLEAR]:
            self._open(where, phase, since, sample, window=False, due=at + self._timing.clear_ms)
        elif severe and phase == HELD:
            self._rest(where, SEVERE, since)
            self._say(where, _HELD, since, at, value, severe=True, doubt=doubt)
        else:
            return False  # a hair from the edge, or beyond the severe bound but doubted
        return True

    def _go_on(self, column: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule whose time is being counted hears a value, NaN for "not known"; True if that ends.

        Where nothing changes but the time, the count waits for the sample that does change something.
        """
        face, room = self._one_face, self._owner.size
        if (
            face[LOW * room + column] <= value * face[TURN * room + column] < face[HIGH * room + column]
            and face[FRESH * room + column] >= at
            and face[UNTIL * room + column] >= at
            and face[DOUBT * room + column] == doubt
        ):
            when = face[WHEN * room + column]
            face[FRESH * room + column], face[VALUE * room + column] = fresh, value
            face[DUE * room + column] = due = when if when <= fresh else inf
            self._due = min(self._due, due)
            return False
        return self._count(column, at, value, fresh, doubt)

    def _count(self, column: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """Count the time up to this sample, and judge it; True if there is nothing to count any more."""
        c = self._clocks[column].tolist()
        known_until = self._faces[FRESH, column]
        counted = float(min(known_until, at)) - c[AT]
        if c[WINDOW]:
            c[SEEN] += counted
            c[INSIDE] += counted if c[BREACH] else 0.0
        y = value * c[SIGN]
        known, breach, clear = not isnan(value), y < c[LIMIT], y >= c[CLEAR]
        # UNKNOWN is no cue: it stops the clocks and breaks a recovery, and nothing else.
        c[RUN] = (at if known_until < at else min(c[RUN], at)) if clear else inf
        c[AT], c[BREACH] = at, breach
        severe = breach and doubt == Doubt.NONE and y < c[BOUND]
        due, until = c[RUN] + self._timing.clear_ms, inf
        if c[PHASE] != PENDING:
            if not clear:
                self._stand(column, c, value, doubt, severe=severe)
                return True
        elif breach:
            due = self._wait(column, c, value, doubt, severe=severe)
            if due < 0:
                return True
        elif known and c[WINDOW]:
            grace = self._grace(self._in_force(int(self._owner[column]), c[HOLD], doubt))
            left = grace - (c[SEEN] - c[INSIDE])
            c[WINDOW], until = (1.0, at + left) if left >= 0 else (0.0, inf)
        self._clocks[column] = c
        self._face(column, c, until, due, (value, fresh if known else at, doubt))
        return False

    def _stand(self, column: int, c: list[float], value: float, doubt: float, *, severe: bool) -> None:
        """A standing alarm's recovery has broken off: back to rest, perhaps worse than before."""
        where = self._close(column)
        worse = severe and c[PHASE] == HELD
        self._rest(where, SEVERE if worse else int(c[PHASE]), c[SINCE])
        if worse:
            self._say(where, _HELD, c[SINCE], c[AT], value, severe=True, doubt=doubt)

    def _wait(self, column: int, c: list[float], value: float, doubt: float, *, severe: bool) -> float:
        """A pending rule hears a breach: when it falls due, or -1 where that is now and has been said."""
        opened = not c[WINDOW]
        if opened:
            c[WINDOW], c[SINCE], c[SEEN], c[INSIDE] = 1.0, c[AT], 0.0, 0.0
        where = int(self._owner[column])
        hold = self._in_force(where, c[HOLD], doubt)
        left = max(hold - c[SEEN], hold - self._grace(hold) - c[INSIDE])
        if severe or left <= 0:
            self._close(column)
            self._rest(where, SEVERE if severe else HELD, c[SINCE])
            self._say(where, _HELD, c[SINCE], c[AT], value, severe=severe, doubt=doubt)
            return -1
        if opened:
            self._record[where, SINCE] = c[SINCE]
            self._say(where, _ONSET, c[SINCE], c[AT], value, severe=False, doubt=doubt)
        return c[AT] + left

    def _in_force(self, where: int, hold: float, doubt: float) -> float:
        """The delay that counts while a value is so doubted; only a HIGH waits (physiology.md 1, ALM-073)."""
        if doubt == Doubt.NONE or not _HIGH[where // (self.beds * WIDTH) * WIDTH + where % WIDTH]:
            return hold
        if doubt == Doubt.POOR_SIGNAL:
            return max(hold, self._timing.poor_signal_ms)
        return hold or self._timing.unusual_ms

    def _grace(self, hold: float) -> float:
        """How much of a delay may be spent outside the breach (ALM-065)."""
        return hold - hold * self._timing.breach_percent // 100

    # The same for many at once. Values that are no longer fresh are NaN from here on.

    def _as_float32(self, flat: NDArray[Any]) -> NDArray[np.float32]:
        if flat.dtype == np.float32:
            return flat
        with np.errstate(over="ignore"):  # what is too large for it becomes infinite, and leaves its band
            np.copyto(self._narrow, flat, casting="same_kind")
        return self._narrow

    def _that_leave_their_band(self, values: NDArray[np.float32]) -> Ints:
        below, above = self._mask[:, : values.size]
        for start in range(0, values.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            np.less(values[block], self._band_low[block], out=below[block])
            np.greater(values[block], self._band_high[block], out=above[block])
            np.logical_or(below[block], above[block], out=below[block])
        # Eight cells at a time: nearly all of them are quiet.
        hot = (self._mask[0].view(np.uint64) != 0).nonzero()[0]
        cells: Ints = (hot[:, None] * _WORD + _IN_WORD).reshape(-1)
        found: Ints = cells[self._mask[0][cells]]
        return found

    def _that_leave_their_rest(self, cell: Ints, value: Floats) -> tuple[Ints, Ints]:
        """Which rules at rest these values move: (place in `cell`, rule at a bed) of each."""
        edges = np.ascontiguousarray(self._edges.take(cell, axis=0).T).reshape(2, WIDTH, -1)
        flat = ((value < edges[0]) | (-value < edges[1])).reshape(-1).nonzero()[0]
        place, reading = np.divmod(flat, max(cell.size, 1))
        return reading, cell[reading] * WIDTH + place

    def _with_twins(self, cell: Ints, found: Ints) -> Ints:
        """Those found and every other reading of their cells in this batch: one may have moved the band."""
        marked = self._mask[0]
        marked[cell] = False
        marked[cell[found]] = True
        twins: Ints = marked[cell].nonzero()[0]
        return twins

    def _hear_all(self, cell: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        if cell.size <= self._few:
            for one in zip(cell.tolist(), value.tolist(), fresh.tolist(), doubt.tolist(), strict=True):
                self._hear(one[0], at, *one[1:])
            return
        order = np.arange(cell.size)
        while cell.size:
            # The first reading of each cell, then the second of those that have one, and so on.
            self._place[cell[::-1]] = order[::-1]
            first = self._place[cell] == order
            self._hear_firsts(cell[first], at, value[first], fresh[first], doubt[first])
            cell, value, fresh, doubt = (a[~first] for a in (cell, value, fresh, doubt))
            order = order[: cell.size]

    def _hear_firsts(self, cell: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        reading, where = self._that_leave_their_rest(cell, value)
        column = self._column.reshape(-1, WIDTH)[cell]
        of, place = (column >= 0).nonzero()
        touched = self._go_on_all(column[of, place].astype(np.int64), at, value[of], fresh[of], doubt[of])
        left = self._leave_all(where, at, value[reading], fresh[reading], doubt[reading])
        self._draw_all(np.concatenate((touched, left)))

    def _leave_all(self, where: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> Ints:
        """Rules at rest hear values that may move them; the cells whose band has moved."""
        if where.size <= self._few:
            for one in zip(where.tolist(), value.tolist(), fresh.tolist(), doubt.tolist(), strict=True):
                if not isnan(one[1]):
                    self._leave(one[0], at, *one[1:])
            return where // WIDTH
        record = self._record.take(where, axis=0).T
        y = value * record[SIGN]
        phase = record[PHASE].copy()
        severe = (y < record[BOUND]) & (doubt == _SURE)
        hold = self._in_force_all(where, record[HOLD], doubt)
        out = (phase == OUT) & (y < record[LIMIT])
        at_once = out & (severe | (hold == 0))
        waits = out & ~at_once
        ends = (phase != OUT) & (y >= record[CLEAR])
        worse = (phase == HELD) & severe & ~ends
        since = np.where(out, at, record[SINCE])
        phase[at_once] = HELD
        phase[waits] = PENDING
        phase[worse | (at_once & severe)] = SEVERE
        first = where * _RECORD
        self._flat_record[first + SINCE], self._flat_record[first + PHASE] = since, phase
        said = (at_once | waits | worse).nonzero()[0]
        cue = np.where(waits, _ONSET, _HELD)[said]
        now, sure = np.full(said.size, at), (severe & ~waits)[said]
        self._say_all(where[said], cue, since[said], now, value[said], record[SHOWN][said], sure, doubt[said])
        counting = waits | ends
        counts, rests = counting.nonzero()[0], (~counting).nonzero()[0]
        due = at + np.where(waits, hold, self._timing.clear_ms)
        self._open_all(where[counts], at, *(a[counts] for a in (value, fresh, doubt, waits, due)))
        self._settle_all(where[rests], record[:, rests], phase[rests])
        return where // WIDTH

    def _go_on_all(
        self, columns: Ints | None, at: float, value: Floats, fresh: Floats, doubt: Floats
    ) -> Ints:
        """These clocks (None: all, in order) hear their values; the cells whose band moves. See `_go_on`."""
        if value.size == 0:
            return _NONE
        face = self._faces[:, : self._running] if columns is None else self._faces.take(columns, axis=1)
        y = value * face[TURN]
        same = y >= face[LOW]
        same &= y < face[HIGH]
        same &= face[FRESH] >= at
        same &= face[UNTIL] >= at
        same &= face[DOUBT] == doubt
        due = np.where(face[WHEN] <= fresh, face[WHEN], inf)
        others = (~same).nonzero()[0]
        if columns is None:
            columns = np.arange(self._running)
            until = face[FRESH][others]
            face[FRESH], face[VALUE], face[DUE] = fresh, value, due
            face[FRESH][others] = until  # these have yet to be counted
        else:
            alike = same.nonzero()[0]
            for field, now in ((FRESH, fresh), (VALUE, value), (DUE, due)):
                self._faces[field, columns[alike]] = now[alike]
        self._due = float(self._faces[DUE, : self._running].min())
        if others.size > self._few:
            return self._count_all(columns[others], at, value[others], fresh[others], doubt[others])
        # From the last column to the first: closing one moves the last of all into its place.
        others = others[columns[others].argsort()[::-1]]
        which = columns[others]
        cells: Ints = self._owner[which] // WIDTH
        for one in zip(
            which.tolist(),
            value[others].tolist(),
            fresh[others].tolist(),
            doubt[others].tolist(),
            strict=True,
        ):
            self._count(one[0], at, *one[1:])
        return cells

    def _count_all(self, columns: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> Ints:
        """Count the time up to these samples, and judge them; the cells whose band has moved by it."""
        c = np.ascontiguousarray(self._clocks.take(columns, axis=0).T)
        known_until, where = self._faces[FRESH][columns], self._owner[columns]
        counted = (np.minimum(known_until, at) - c[AT]) * c[WINDOW]
        c[SEEN] += counted
        c[INSIDE] += counted * c[BREACH]
        y = value * c[SIGN]
        breach, clear, known = y < c[LIMIT], y >= c[CLEAR], value == value  # noqa: PLR0124  not NaN
        c[RUN] = np.where(clear, np.where(known_until < at, at, np.minimum(c[RUN], at)), inf)
        c[AT], c[BREACH] = at, breach
        severe = breach & (y < c[BOUND]) & (doubt == _SURE)
        pending = c[PHASE] == PENDING
        waits = pending & breach
        hold = self._in_force_all(where, c[HOLD], doubt)
        grace = hold - np.floor(hold * self._timing.breach_percent / 100)
        opened = (waits & (c[WINDOW] == 0)).nonzero()[0]
        if opened.size:
            c[WINDOW][opened], c[SINCE][opened], c[SEEN][opened], c[INSIDE][opened] = 1.0, at, 0.0, 0.0
            self._flat_record[where[opened] * _RECORD + SINCE] = at
        outside = c[SEEN] - c[INSIDE]
        left = np.maximum(hold - c[SEEN], hold - grace - c[INSIDE])
        held = waits & (severe | (left <= 0))
        spared = known & ~breach & (c[WINDOW] != 0)
        spare = grace - outside
        c[WINDOW][pending & spared & (spare < 0)] = 0.0
        until = np.where(spared & (c[WINDOW] != 0), at + spare, inf)
        due = np.where(breach, at + left, c[RUN] + self._timing.clear_ms)
        self._clocks[columns] = c.T
        believed = np.where(known, fresh, at)
        rests = held | (~pending & ~clear)
        self._face_all(columns, c, until, due, (value, believed, doubt), rests)
        worse = (c[PHASE] == HELD) & severe
        moved = held | worse
        c[PHASE][held] = HELD
        c[PHASE][moved & severe] = SEVERE
        moved[opened] = True
        said = moved.nonzero()[0]
        cue = np.where(c[PHASE][said] == PENDING, _ONSET, _HELD)
        now, sure = np.full(said.size, at), (c[PHASE] == SEVERE)[said]
        self._say_all(where[said], cue, c[SINCE][said], now, value[said], c[SHOWN][said], sure, doubt[said])
        ended = rests.nonzero()[0]
        if ended.size == 0:
            return _NONE
        where, clock = where[ended], c[:, ended]
        self._flat_record[where * _RECORD + PHASE] = clock[PHASE]
        self._close_all(columns[ended])
        self._settle_all(where, clock, clock[PHASE])
        cells: Ints = where // WIDTH
        return cells

    def _in_force_all(self, where: Ints, hold: Floats, doubt: Floats) -> Floats:
        if not doubt.any():
            return hold
        high = _HIGH[where // (self.beds * WIDTH) * WIDTH + where % WIDTH] != 0
        poor = high & (doubt == Doubt.POOR_SIGNAL)
        odd = high & (doubt == Doubt.UNUSUAL) & (hold == 0)
        held = np.where(poor, np.maximum(hold, self._timing.poor_signal_ms), hold)
        return np.where(odd, self._timing.unusual_ms, held)

    # Rest and counting: a rule at a bed is in exactly one of the two.

    def _rest(self, where: int, phase: int, since: float) -> None:
        """At rest in this phase: between which edges it stays so."""
        record = self._one_record
        first = where * _RECORD
        record[first + PHASE], record[first + SINCE] = phase, since
        if phase == OUT:
            low, high = record[first + LIMIT], inf
        else:
            low = -inf if phase == SEVERE else record[first + BOUND]
            high = record[first + CLEAR]
        self._set_edges(where, low, -high)

    def _set_edges(self, where: int, low: float, minus_high: float) -> None:
        if self._one_record[where * _RECORD + SIGN] < 0:
            low, minus_high = minus_high, low
        edge = where + where // WIDTH * WIDTH
        self._one_edge[edge] = low + (min(abs(low), _FAR) * _HAIR + _SPECK)
        self._one_edge[edge + WIDTH] = minus_high + (min(abs(minus_high), _FAR) * _HAIR + _SPECK)

    def _drop(self, where: int) -> None:
        if self._one_column[where] >= 0:
            self._close(self._one_column[where])
        self._rest(where, OUT, 0)

    def _settle_all(self, where: Ints, numbers: Floats, phase: NDArray[Any]) -> None:
        """At rest in these phases: set their edges from their numbers, a hair inwards."""
        out = phase == OUT
        edges = np.empty((2, where.size))
        np.negative(numbers[CLEAR], out=edges[1])
        np.copyto(edges[1], -inf, where=out)
        np.copyto(edges[0], numbers[BOUND])
        np.copyto(edges[0], numbers[LIMIT], where=out)
        np.copyto(edges[0], -inf, where=phase == SEVERE)
        edges += np.minimum(np.abs(edges), _FAR) * _HAIR + _SPECK
        turned = (numbers[SIGN] < 0) * WIDTH
        first = where + where // WIDTH * WIDTH
        self._flat_edges[first + turned], self._flat_edges[first + WIDTH - turned] = edges

    def _draw(self, cell: int) -> None:
        """Draw the band of this cell anew: where all its rules at rest stay as they are."""
        edges = self._one_edge[cell * 2 * WIDTH : (cell + 1) * 2 * WIDTH].tolist()
        self._one_low[cell], self._one_high[cell] = max(edges[:WIDTH]), -max(edges[WIDTH:])

    def _draw_all(self, cell: Ints) -> None:
        if cell.size <= self._few:
            for one in cell.tolist():
                self._draw(one)
            return
        edges = np.ascontiguousarray(self._edges.take(cell, axis=0).T).reshape(2, WIDTH, -1).max(axis=1)
        self._band_low[cell], self._band_high[cell] = edges[0], -edges[1]

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
        column = self._room_for(1)
        record = self._one_record
        record[where * _RECORD + PHASE], record[where * _RECORD + SINCE] = phase, since
        self._one_column[where] = column
        self._set_edges(where, -inf, -inf)
        self._one_counting[where // WIDTH] += 1
        self._owner[column] = where
        run = inf if window else at
        clock = [
            *record[where * _RECORD : (where + 1) * _RECORD],
            window,
            window,
            0.0,
            0.0,
            at,
            run,
            0.0,
            0.0,
        ]
        self._clocks[column] = clock
        self._face(column, clock, inf, due, (value, fresh, doubt))

    def _face(
        self, column: int, clock: list[float], until: float, due: float, sample: tuple[float, float, float]
    ) -> None:
        """What the next reading is compared with, after a sample: (value, fresh until, doubt)."""
        value, fresh, doubt = sample
        low, high = _same(clock, value * clock[SIGN], doubt)
        now_due = due if due <= fresh else inf
        self._faces[:, column] = clock[SIGN], doubt, low, high, until, due, fresh, value, now_due
        self._due = min(self._due, now_due)

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
        first = self._room_for(where.size)
        columns = slice(first, first + where.size)
        self._column[where] = np.arange(columns.start, columns.stop)
        np.add.at(self._counting, where // WIDTH, np.ones(where.size, np.uint8))
        self._owner[columns] = where
        self._flat_edges[first_edge := where + where // WIDTH * WIDTH] = -inf
        self._flat_edges[first_edge + WIDTH] = -inf
        clock = self._clocks[columns]
        clock[:, :_RECORD] = self._record.take(where, axis=0)
        clock[:, WINDOW] = clock[:, BREACH] = window
        clock[:, SEEN] = clock[:, INSIDE] = 0.0
        clock[:, AT], clock[:, RUN] = at, np.where(window, inf, at)
        self._faces[TURN, columns] = clock[:, SIGN]
        self._face_all(columns, clock.T, inf, due, (value, fresh, doubt))

    def _face_all(
        self,
        columns: Ints | slice,
        clock: Floats,
        until: Floats | float,
        due: Floats,
        sample: tuple[Floats, Floats, Floats],
        rests: Bools | None = None,
    ) -> None:
        """The same as `_face` for many; whoever `rests` never falls due."""
        value, fresh, doubt = sample
        low, high = _same_all(clock, value, doubt)
        now_due = np.where(due <= fresh, due, inf)
        if rests is not None:
            np.copyto(now_due, inf, where=rests)
        for field, now in enumerate((doubt, low, high, until, due, fresh, value, now_due), DOUBT):
            self._faces[field, columns] = now
        self._due = min(self._due, float(now_due.min(initial=inf)))

    def _room_for(self, more: int) -> int:
        """The first of so many new columns at the end of the table."""
        first = self._running
        self._running += more
        while self._running > self._owner.size:
            self._clocks = np.concatenate((self._clocks, np.zeros_like(self._clocks)))
            self._faces = np.concatenate((self._faces, np.zeros_like(self._faces)), axis=1)
            self._owner = np.concatenate((self._owner, np.zeros_like(self._owner)))
            self._one_face = _plain(self._faces)
        return first

    def _close(self, column: int) -> int:
        """Stop counting here, and for whom; the last column moves into the gap."""
        where = int(self._owner[column])
        self._one_column[where] = -1
        self._one_counting[where // WIDTH] -= 1
        self._running -= 1
        last = self._running
        if column != last:
            self._clocks[column] = self._clocks[last]
            self._faces[:, column] = self._faces[:, last]
            moved = int(self._owner[last])
            self._owner[column] = moved
            self._one_column[moved] = column
        return where

    def _close_all(self, columns: Ints) -> None:
        where = self._owner[columns]
        self._column[where] = -1
        np.subtract.at(self._counting, where // WIDTH, np.ones(where.size, np.uint8))
        self._running -= columns.size
        stays = np.ones(columns.size, np.bool_)
        behind = columns >= self._running
        stays[columns[behind] - self._running] = False
        last = self._running + stays.nonzero()[0]
        gaps = columns[~behind]
        self._clocks[gaps] = self._clocks.take(last, axis=0)
        self._faces[:, gaps] = self._faces.take(last, axis=1)
        moved = self._owner[last]
        self._owner[gaps] = moved
        self._column[moved] = gaps

    # Saying what has moved.

    def _say(
        self, where: int, cue: int, since: float, at: float, value: float, *, severe: bool, doubt: float
    ) -> None:
        limit = self._one_record[where * _RECORD + SHOWN]
        self._said.append((where, cue, since, at, value, limit, severe, doubt))

    def _say_all(self, *moved: NDArray[Any]) -> None:
        if moved[0].size:
            self._gather_said()
            self._moves.append(_Moved(*moved))

    def _gather_said(self) -> None:
        """What was said one by one, as arrays: one order for both."""
        if self._said:
            self._moves.append(_Moved(*(np.array(column) for column in zip(*self._said, strict=True))))
            self._said.clear()


def _few_changes(said: list[_Move], beds: int) -> list[Change]:
    found = []
    for where, cue, since, at, value, limit, severe, doubt in said:
        cell, place = divmod(where, WIDTH)
        row, bed = divmod(cell, beds)
        poor = cue == _HELD and doubt == Doubt.POOR_SIGNAL
        found.append(
            Change(
                bed, _OF_ROW[row][place], CUES[cue], int(since), int(at), value, limit, severe,
                _DOUBTS[int(doubt)], POOR_SIGNAL if poor else "",
            )
        )  # fmt: skip
    found.sort(key=_order)
    return found


def _order(change: Change) -> tuple[int, int, int]:
    return change.at_ms, change.bed, change.rule


def _same(clock: list[float], y: float, doubt: float) -> tuple[float, float]:
    """The interval around y in which a value says the same as y does; none where y is not known."""
    if y < clock[LIMIT]:
        # A doubt is a doubt: however far beyond the severe bound, it says no more.
        return clock[BOUND] if doubt == Doubt.NONE else -inf, clock[LIMIT]
    if y >= clock[CLEAR]:
        return clock[CLEAR], inf
    return (inf, -inf) if isnan(y) else (clock[LIMIT], clock[CLEAR])


def _same_all(clock: Floats, value: Floats, doubt: Floats) -> tuple[Floats, Floats]:
    """The same for many clocks."""
    limit, recovered = clock[LIMIT], clock[CLEAR]
    y = value * clock[SIGN]
    breach, clear = y < limit, y >= recovered
    low, high = limit.copy(), recovered.copy()
    np.copyto(low, clock[BOUND], where=breach)
    np.copyto(high, limit, where=breach)
    np.copyto(low, recovered, where=clear)
    np.copyto(high, inf, where=clear)
    if doubt.any():
        np.copyto(low, -inf, where=breach & (doubt != _SURE))
    np.copyto(low, inf, where=np.isnan(y))
    return low, high


def _changes(moves: Moves) -> list[Change]:
    said = [moves.bed, moves.rule, CUES[moves.cue], *moves[3:8]]
    said[3:5] = (times.astype(np.int64) for times in said[3:5])
    plain = [column.tolist() for column in said]
    doubts, notes = _NO_DOUBT * moves.bed.size, _NO_NOTE * moves.bed.size
    if moves.doubt.any():
        doubts = [_DOUBTS[int(doubt)] for doubt in moves.doubt.tolist()]
        notes = [
            POOR_SIGNAL if doubt is Doubt.POOR_SIGNAL and cue is Cue.HELD else ""
            for doubt, cue in zip(doubts, plain[2], strict=True)
        ]
    # What Change(...) does, in a quarter of the time: a storm says thousands of things a second.
    return [_NEW(Change, fields) for fields in zip(*plain, doubts, notes, strict=True)]


def _ranked(rank: Ints) -> Ints:
    """The order of these ranks; equals stay as they are. A rank and its place in one number sort fastest."""
    bits = rank.size.bit_length()
    if int(rank.max()) >> (62 - bits):
        return rank.argsort(kind="stable")
    both = rank << bits | np.arange(rank.size)
    both.sort()
    return both & ((1 << bits) - 1)


def _aligned(rows: int, width: int, kind: type[np.float32 | np.float64]) -> NDArray[Any]:
    """An empty table whose rows of 64 bytes are one cache line each: a gather then touches one, not two."""
    bytes_ = np.empty(rows * width * np.dtype(kind).itemsize + _LINE, np.uint8)
    start = -bytes_.ctypes.data % _LINE
    return bytes_[start : bytes_.size - _LINE + start].view(kind).reshape(rows, width)


def _of_each_rule(numbers: Floats, beds: int) -> Floats:
    """Numbers of each place of each row, for every rule at every bed."""
    return np.broadcast_to(numbers.reshape(-1, 1, WIDTH), (len(ROWS), beds, WIDTH)).reshape(-1)


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


def _plain(array: NDArray[Any]) -> Any:
    """The same numbers, one at a time."""
    return memoryview(array.reshape(-1))  # type: ignore[arg-type]  # an array of any dtype is a buffer


def _turned(limit: Limit) -> tuple[float, float, float]:
    """Breach, recovery and severe bound of a limit where low is bad and "at or below" is "below"."""
    if limit.limit is None:
        return -inf, -inf, -inf
    if not abs(limit.limit) <= LIMIT_MAX:
        raise ValueError(f"{limit.rule.name}: a limit of {limit.limit:g} is no limit of any vital")
    sign = 1 if limit.rule.side is Side.LOW else -1
    beyond = limit.rule.inclusive
    breach = _below(sign * limit.limit, or_at=beyond)
    clear = _below(sign * limit.limit + limit.hysteresis, or_at=beyond)
    return breach, clear, -inf if limit.severe is None else _below(sign * limit.severe, or_at=beyond)


def _below(bound: float, *, or_at: bool) -> float:
    """What a value must be below to be below this bound, or at it."""
    return nextafter(bound, inf) if or_at else bound

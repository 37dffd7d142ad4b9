"""At rest: the band in which no rule of a cell would change, and who leaves it. No clock, no I/O.

A cell is one vital of one bed. Its band is float32 and drawn inwards, so that a reading inside it is inside
in float64 as well; what leaves it is judged in float64. Values are turned so that low is bad (`y = -x` for a
high limit) and "at or below" becomes "below the next number": every rule is then `y < limit`.
"""

from __future__ import annotations

from math import inf, nan, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.alerts.limits import Limit
from monitor.alerts.rules import ROWS, RULES, Kind
from monitor.model import Priority, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

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
RECORD = 8

# Where the rules are: each row has the same number of places, the last of them may be empty.
RULES_OF_ROW = [
    [i for i, rule in enumerate(RULES) if rule.kind is Kind.TIMED and rule.vital is row] for row in ROWS
]
WIDTH = max(len(rules) for rules in RULES_OF_ROW)
"""So many rules a cell has room for."""
PLACE = {i: (row, place) for row, rules in enumerate(RULES_OF_ROW) for place, i in enumerate(rules)}
"""Row and place of a rule."""
RULE = np.zeros(len(ROWS) * WIDTH, np.int64)
"""The rule of a row and place, `row * WIDTH + place`."""
_SIGN = np.ones(len(ROWS) * WIDTH)
WITHHELD = np.zeros(len(ROWS) * WIDTH)
"""1 where a doubted value must wait: only a HIGH does (ALM-073)."""
for _i, (_row, _j) in PLACE.items():
    RULE[_row * WIDTH + _j] = _i
    _SIGN[_row * WIDTH + _j] = 1.0 if RULES[_i].side is Side.LOW else -1.0
    WITHHELD[_row * WIDTH + _j] = RULES[_i].priority is Priority.HIGH
SPAN = [len(rules) for rules in RULES_OF_ROW]
"""How many places of each row are taken."""
_NUMBERS = np.array((LIMIT, CLEAR, BOUND, HOLD, SHOWN))
_LINE = 64
_BLOCK = 1 << 17
"""So many cells are compared at once: their masks stay in the processor's own cache."""
_FAR = 1e38
"""Further out than any limit; where there is no edge at all, the hair to it stays finite."""
_HAIR = 2.5e-7
"""More than two float32 steps: by so much of itself an edge is drawn inwards ..."""
_SPECK = 1e-37
"""... and by so much near zero, where steps are finer than that."""
_WORD = 8
_IN_WORD = np.arange(_WORD)
LIMIT_MAX = 1e6
"""No limit of any vital lies further from zero than this."""


class Bands:
    """What is on record of each rule at each bed, and the bands that follow from it.

    A rule at a bed is `(row * beds + bed) * WIDTH + place`, a cell `row * beds + bed`.
    """

    def __init__(self, beds: int) -> None:
        """No limit is set: every band is as wide as can be."""
        cells = len(ROWS) * beds
        rules = cells * WIDTH
        # A record is a cache line; so are the edges that bound the rules of one cell at rest.
        self.record = _aligned(rules, RECORD, np.float64)
        self.record[:, LIMIT : BOUND + 1] = -inf
        self.record[:, SIGN] = _of_each_rule(_SIGN, beds)
        self.record[:, HOLD:] = 0.0, nan, 0.0, OUT
        self.flat = self.record.reshape(-1)
        self.agreed = np.full(rules, inf)
        """The delay where two signals agree, ms; looked at only then."""
        self._edges = _aligned(cells, 2 * WIDTH, np.float32)
        self._edges[:] = -inf
        self._flat_edges = self._edges.reshape(-1)
        # Of one cell: all that a reading inside the band touches, beside its count of clocks.
        # One piece of memory for both: from 4 MB on it lies on large pages, which are read faster.
        self.low, self.high = np.full((2, cells), inf, np.float32)
        self.low[:] = -inf
        self._mask = np.zeros((2, -(-cells // _WORD) * _WORD), np.bool_)
        self._narrow = np.empty(cells if beds else 0, np.float32)
        # A memoryview gives one plain number in a third of the time an array takes.
        self.one_low, self.one_high = plain(self.low), plain(self.high)
        self.one_record, self.one_edge = plain(self.record), plain(self._edges)

    # The numbers.

    def set_numbers(self, where: Ints, limit: Limit) -> Ints:
        """Put these numbers on record; those of `where` for whom they are new.

        Raises ValueError for a limit that no vital can have.
        """
        shown = nan if limit.limit is None else limit.limit
        after = np.array([*_turned(limit), limit.hold_ms, shown])
        before = self.record[where[:, None], _NUMBERS]
        agreed = inf if limit.agreed_ms is None else limit.agreed_ms
        same = ((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1)
        moved: Ints = where[~same | (self.agreed[where] != agreed)]
        self.record[moved[:, None], _NUMBERS] = after
        self.agreed[moved] = agreed
        return moved

    def forget_numbers(self, where: range) -> None:
        """No limit is set for these any more."""
        self.record[where, SHOWN] = nan
        self.record[where, LIMIT : BOUND + 1] = -inf
        self.agreed[where] = inf

    # The edges of a rule.

    def rest(self, where: int, phase: int, since: float) -> None:
        """At rest in this phase: between which edges it stays so."""
        record = self.one_record
        first = where * RECORD
        record[first + PHASE], record[first + SINCE] = phase, since
        if phase == OUT:
            low, high = record[first + LIMIT], inf
        else:
            low = -inf if phase == SEVERE else record[first + BOUND]
            high = record[first + CLEAR]
        self._set_edges(where, low, -high)

    def stir(self, where: int, phase: int, since: float) -> list[float]:
        """Its time is being counted: it bounds no band. Its record, for the clock."""
        first = where * RECORD
        self.one_record[first + PHASE], self.one_record[first + SINCE] = phase, since
        self._set_edges(where, -inf, -inf)
        return self.one_record[first : first + RECORD].tolist()  # type: ignore[no-any-return]

    def stir_all(self, where: Ints) -> None:
        """The same for many; their phases are on record already."""
        first = where + where // WIDTH * WIDTH
        self._flat_edges[first] = -inf
        self._flat_edges[first + WIDTH] = -inf

    def _set_edges(self, where: int, low: float, minus_high: float) -> None:
        if self.one_record[where * RECORD + SIGN] < 0:
            low, minus_high = minus_high, low
        edge = where + where // WIDTH * WIDTH
        self.one_edge[edge] = low + (min(abs(low), _FAR) * _HAIR + _SPECK)
        self.one_edge[edge + WIDTH] = minus_high + (min(abs(minus_high), _FAR) * _HAIR + _SPECK)

    def settle_all(self, where: Ints, numbers: Floats, phase: NDArray[Any]) -> None:
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

    # The band of a cell.

    def draw(self, cell: int) -> None:
        """Draw the band of this cell anew: where all its rules at rest stay as they are."""
        edges = self.one_edge[cell * 2 * WIDTH : (cell + 1) * 2 * WIDTH].tolist()
        self.one_low[cell], self.one_high[cell] = max(edges[:WIDTH]), -max(edges[WIDTH:])

    def draw_all(self, cell: Ints) -> None:
        """The same for many."""
        edges = np.ascontiguousarray(self._edges.take(cell, axis=0).T).reshape(2, WIDTH, -1).max(axis=1)
        self.low[cell], self.high[cell] = edges[0], -edges[1]

    # Who leaves.

    def left_with_twins(self, cell: Ints, leaves: Bools) -> Ints:
        """Which readings of a batch leave, and every other of their cells: one may have moved the band."""
        found = leaves.nonzero()[0]
        if found.size == 0:
            return found
        marked = self._mask[0]
        marked[cell] = False
        marked[cell[found]] = True
        twins: Ints = marked[cell].nonzero()[0]
        return twins

    def left_by_all(self, flat: NDArray[Any]) -> Ints:
        """The cells that leave their bands, a value for every cell of the ward given."""
        values = self._as_float32(flat)
        below, above = self._mask[:, : values.size]
        for start in range(0, values.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            np.less(values[block], self.low[block], out=below[block])
            np.greater(values[block], self.high[block], out=above[block])
            np.logical_or(below[block], above[block], out=below[block])
        # Eight cells at a time: nearly all of them are quiet.
        hot = (self._mask[0].view(np.uint64) != 0).nonzero()[0]
        cells: Ints = (hot[:, None] * _WORD + _IN_WORD).reshape(-1)
        found: Ints = cells[self._mask[0][cells]]
        return found

    def left_by(self, cell: Ints, value: Floats) -> tuple[Ints, Ints]:
        """Which rules at rest these values move: (place in `cell`, rule at a bed) of each."""
        edges = np.ascontiguousarray(self._edges.take(cell, axis=0).T).reshape(2, WIDTH, -1)
        flat = ((value < edges[0]) | (-value < edges[1])).reshape(-1).nonzero()[0]
        place, reading = np.divmod(flat, max(cell.size, 1))
        return reading, cell[reading] * WIDTH + place

    def _as_float32(self, flat: NDArray[Any]) -> NDArray[np.float32]:
        if flat.dtype == np.float32:
            return flat
        with np.errstate(over="ignore"):  # what is too large for it becomes infinite, and leaves its band
            np.copyto(self._narrow, flat, casting="same_kind")
        return self._narrow


def _aligned(rows: int, width: int, kind: type[np.float32 | np.float64]) -> NDArray[Any]:
    """An empty table whose rows of 64 bytes are one cache line each: a gather then touches one, not two."""
    bytes_ = np.empty(rows * width * np.dtype(kind).itemsize + _LINE, np.uint8)
    start = -bytes_.ctypes.data % _LINE
    return bytes_[start : bytes_.size - _LINE + start].view(kind).reshape(rows, width)


def _of_each_rule(numbers: Floats, beds: int) -> Floats:
    """Numbers of each place of each row, for every rule at every bed."""
    return np.broadcast_to(numbers.reshape(-1, 1, WIDTH), (len(ROWS), beds, WIDTH)).reshape(-1)


def plain(array: NDArray[Any]) -> Any:
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

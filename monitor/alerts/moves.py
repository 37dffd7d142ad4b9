"""What has moved: said as it is found, told in the order in which it became so. No clock, no I/O."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.alerts.bands import RULE, RULES_OF_ROW, WIDTH, Bools, Floats, Ints
from monitor.alerts.heart import AGREED, DISPUTED
from monitor.alerts.rules import RULES
from monitor.model import Cue, Doubt

CUES = np.array((Cue.ONSET, Cue.HELD, Cue.END), np.object_)
SAID_ONSET, SAID_HELD, SAID_END = range(3)
POOR_SIGNAL = "poor signal"
BOTH_SAY_SO = "two signals agree"
WITHHELD = "withheld"
"""How the note begins of what waits for longer than its rule says: who says otherwise follows."""
_DOUBTS = {float(doubt): doubt for doubt in Doubt} | {AGREED: Doubt.NONE, DISPUTED: Doubt.POOR_SIGNAL}
_NO_DOUBT, _NO_NOTE = [Doubt.NONE], [""]
_NEW = tuple.__new__
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


# What is written down of each: where is a rule at a bed, the rest as in `Moves`.
_WHERE, _CUE, _SINCE, _AT, _VALUE, _LIMIT, _SEVERE, _DOUBT = range(8)
_FIELDS = 8
_NO_MOVES = Moves(*(np.zeros(0, kind) for kind in (int, int, int, float, float, float, float, bool, float)))


class Said:
    """What has been said since it was last asked for: one thing after the other, or many at once."""

    def __init__(self, beds: int) -> None:
        """Nothing yet, of so many beds."""
        self._beds = beds
        self._few: list[_Move] = []
        self._many: list[Floats] = []

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._few or self._many)

    def say(
        self,
        where: int,
        cue: int,
        since: float,
        at: float,
        value: float,
        limit: float,
        doubt: float,
        *,
        severe: bool,
    ) -> None:
        """One rule at a bed has moved."""
        self._few.append((where, cue, since, at, value, limit, severe, doubt))

    def say_all(self, where: Ints, *moved: NDArray[Any] | float) -> None:
        """Many have: the columns of the same, or one number for all, `severe` before `doubt`."""
        if where.size:
            self._gather()
            columns = np.empty((_FIELDS, where.size))
            columns[_WHERE] = where
            for field, column in enumerate(moved, _CUE):
                columns[field] = column
            self._many.append(columns)

    def changes(self) -> list[Change]:
        """All of it, in the order it became so, within one moment by bed and rule; then it is told."""
        if self._many:
            return _changes(self.moves())
        if not self._few:
            return []
        few, self._few = self._few, []
        return _few_changes(few, self._beds)

    def moves(self) -> Moves:
        """The same as arrays."""
        self._gather()
        moves, self._many = self._many, []
        if not moves:
            return _NO_MOVES
        columns = moves[0] if len(moves) == 1 else np.concatenate(moves, axis=1)
        cell, place = np.divmod(columns[_WHERE].astype(np.int64), WIDTH)
        row, bed = np.divmod(cell, self._beds)
        rule = RULE[row * WIDTH + place]
        at = columns[_AT]
        late = (at - at.min()).astype(np.int64)
        order = _ranked((late * self._beds + bed) * len(RULES) + rule)
        columns = columns.take(order, axis=1)
        cue, severe = columns[_CUE].astype(np.int64), columns[_SEVERE] != 0
        since, at, value, limit, doubt = (columns[field] for field in (_SINCE, _AT, _VALUE, _LIMIT, _DOUBT))
        return Moves(bed[order], rule[order], cue, since, at, value, limit, severe, doubt)

    def _gather(self) -> None:
        """What was said one by one, as arrays: one order for both."""
        if self._few:
            self._many.append(np.array(self._few, np.float64).T)
            self._few.clear()


def note_of(cue: Cue, doubt: float) -> str:
    """What is to be known with a condition that is held: its signal is poor, or two signals agree."""
    if cue is not Cue.HELD or doubt == Doubt.NONE:
        return ""
    return BOTH_SAY_SO if doubt == AGREED else POOR_SIGNAL if doubt >= Doubt.POOR_SIGNAL else ""


def _few_changes(said: list[_Move], beds: int) -> list[Change]:
    found = []
    for where, cue, since, at, value, limit, severe, doubt in said:
        cell, place = divmod(where, WIDTH)
        row, bed = divmod(cell, beds)
        found.append(
            Change(
                bed, RULES_OF_ROW[row][place], CUES[cue], int(since), int(at), value, limit, severe,
                _DOUBTS[doubt], note_of(CUES[cue], doubt),
            )
        )  # fmt: skip
    found.sort(key=_order)
    return found


def _order(change: Change) -> tuple[int, int, int]:
    return change.at_ms, change.bed, change.rule


def _changes(moves: Moves) -> list[Change]:
    said = [moves.bed, moves.rule, CUES[moves.cue], *moves[3:8]]
    said[3:5] = (times.astype(np.int64) for times in said[3:5])
    plain = [column.tolist() for column in said]
    doubts, notes = _NO_DOUBT * moves.bed.size, _NO_NOTE * moves.bed.size
    if moves.doubt.any():
        said_of = moves.doubt.tolist()
        doubts = [_DOUBTS[doubt] for doubt in said_of]
        notes = [note_of(cue, doubt) for cue, doubt in zip(plain[2], said_of, strict=True)]
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

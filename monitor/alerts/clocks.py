"""Counting: a table of clocks, one for each rule whose delay or whose end is running. No clock, no I/O.

There are as many as patients who are just falling ill or getting better, packed together. The works of a
clock are a row, for they move as one; its face is a column, for the faces of all are read at once.
"""

from __future__ import annotations

from math import inf, isnan

import numpy as np

from monitor.alerts.bands import BOUND, CLEAR, LIMIT, RECORD, SIGN, WIDTH, Bools, Floats, Ints, plain
from monitor.model import Doubt

# The rest of a clock, which is looked at where something changes.
(
    WINDOW,  # 1 while the delay's window runs; 0 before the next breach opens it anew
    BREACH,  # 1 where the newest sample is in breach
    SEEN,  # known time since the window began, ms, up to AT
    INSIDE,  # of which in breach
    AT,  # up to when time has been counted
    RUN,  # since when it has been recovered without a break; inf where it has not
) = range(RECORD, 14)
WORKS = 16

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
FACE = 9

SURE = float(Doubt.NONE)
_FIRST = 64


class Clocks:
    """All clocks of the ward, whose each is, and when the next falls due."""

    def __init__(self, cells: int) -> None:
        """None is running."""
        self.works = np.zeros((_FIRST, WORKS))
        self.faces = np.zeros((FACE, _FIRST))
        self.owner = np.zeros(_FIRST, np.int64)
        """The rule at a bed each belongs to."""
        self.running = 0
        self.column = np.full(cells * WIDTH, -1, np.int32)
        """The clock of each rule at each bed; -1 where it is at rest."""
        self.counting = np.zeros(cells, np.uint8)
        """How many clocks each cell has."""
        self.due: float = inf
        """No later than the next one falls due."""
        self.one_face = plain(self.faces)
        self.one_column, self.one_counting = plain(self.column), plain(self.counting)

    def next_due(self) -> float:
        """When the next one falls due; inf where none does."""
        self.due = float(self.faces[DUE, : self.running].min(initial=inf))
        return self.due

    def fallen_due(self, now: float) -> Ints:
        """Which have fallen due by now."""
        found: Ints = (self.faces[DUE, : self.running] <= now).nonzero()[0]
        return found

    # One clock.

    def open(
        self, where: int, record: list[float], at: float, due: float,
        sample: tuple[float, float, float], *, window: bool,
    ) -> None:  # fmt: skip
        """Start counting for this rule, from a sample: (value, fresh until, doubt)."""
        column = self._room_for(1)
        self.one_column[where] = column
        self.one_counting[where // WIDTH] += 1
        self.owner[column] = where
        run = inf if window else at
        clock = [*record, window, window, 0.0, 0.0, at, run, 0.0, 0.0]
        self.works[column] = clock
        self.show(column, clock, inf, due, sample)

    def show(
        self, column: int, clock: list[float], until: float, due: float, sample: tuple[float, float, float]
    ) -> None:
        """What the next reading is compared with, after a sample: (value, fresh until, doubt)."""
        value, fresh, doubt = sample
        low, high = _same(clock, value * clock[SIGN], doubt)
        now_due = due if due <= fresh else inf
        self.faces[:, column] = clock[SIGN], doubt, low, high, until, due, fresh, value, now_due
        self.due = min(self.due, now_due)

    def close(self, column: int) -> int:
        """Stop counting here, and for whom; the last column moves into the gap."""
        where = int(self.owner[column])
        self.one_column[where] = -1
        self.one_counting[where // WIDTH] -= 1
        self.running -= 1
        last = self.running
        if column != last:
            self.works[column] = self.works[last]
            self.faces[:, column] = self.faces[:, last]
            moved = int(self.owner[last])
            self.owner[column] = moved
            self.one_column[moved] = column
        return where

    # Many at once.

    def open_all(
        self, where: Ints, records: Floats, waiting: int, at: float, due: Floats,
        sample: tuple[Floats, Floats, Floats],
    ) -> None:  # fmt: skip
        """Start counting for many: the first `waiting` for their delays, the others for their ends."""
        if where.size == 0:
            return
        value, fresh, doubt = sample
        first = self._room_for(where.size)
        columns = slice(first, first + where.size)
        self.column[where] = np.arange(columns.start, columns.stop)
        np.add.at(self.counting, where // WIDTH, np.ones(where.size, np.uint8))
        self.owner[columns] = where
        works = self.works[columns]
        works[:, :RECORD] = records
        works[:, WINDOW : AT + 1] = 0.0, 0.0, 0.0, 0.0, at
        works[:, RUN] = at
        works[:waiting, (WINDOW, BREACH, RUN)] = 1.0, 1.0, inf
        low, high = records[:, CLEAR].copy(), np.full(where.size, inf)
        low[:waiting], high[:waiting] = records[:waiting, BOUND], records[:waiting, LIMIT]
        low[:waiting][doubt[:waiting] > SURE] = -inf
        self.faces[TURN, columns] = records[:, SIGN]
        now_due = np.where(due <= fresh, due, inf)
        self._show_all(columns, doubt, low, high, inf, due, fresh, value, now_due)
        self.due = min(self.due, float(now_due.min()))

    def show_all(
        self, columns: Ints, works: Floats, until: Floats, due: Floats,
        sample: tuple[Floats, Floats, Floats], breach: Bools, clear: Bools,
    ) -> None:  # fmt: skip
        """The same as `show` for many, their `works` as columns, and what their samples mean."""
        value, fresh, doubt = sample
        limit, recovered = works[LIMIT], works[CLEAR]
        low, high = limit.copy(), recovered.copy()
        np.copyto(low, works[BOUND], where=breach)
        np.copyto(high, limit, where=breach)
        np.copyto(low, recovered, where=clear)
        np.copyto(high, inf, where=clear)
        if doubt.any():
            np.copyto(low, -inf, where=breach & (doubt > SURE))
        np.copyto(low, inf, where=np.isnan(value))
        self._show_all(columns, doubt, low, high, until, due, fresh, value, np.where(due <= fresh, due, inf))

    def _show_all(self, columns: Ints | slice, *faces: Floats | float) -> None:
        for field, now in enumerate(faces, DOUBT):
            self.faces[field, columns] = now

    def close_all(self, columns: Ints) -> None:
        """Stop counting here; the last columns move into the gaps."""
        where = self.owner[columns]
        self.column[where] = -1
        np.subtract.at(self.counting, where // WIDTH, np.ones(where.size, np.uint8))
        self.running -= columns.size
        stays = np.ones(columns.size, np.bool_)
        behind = columns >= self.running
        stays[columns[behind] - self.running] = False
        last = self.running + stays.nonzero()[0]
        gaps = columns[~behind]
        self.works[gaps] = self.works.take(last, axis=0)
        self.faces[:, gaps] = self.faces.take(last, axis=1)
        moved = self.owner[last]
        self.owner[gaps] = moved
        self.column[moved] = gaps

    def _room_for(self, more: int) -> int:
        """The first of so many new columns at the end of the table."""
        first = self.running
        self.running += more
        while self.running > self.owner.size:
            self.works = np.concatenate((self.works, np.zeros_like(self.works)))
            self.faces = np.concatenate((self.faces, np.zeros_like(self.faces)), axis=1)
            self.owner = np.concatenate((self.owner, np.zeros_like(self.owner)))
            self.one_face = plain(self.faces)
        return first


def _same(clock: list[float], y: float, doubt: float) -> tuple[float, float]:
    """The interval around y in which a value says the same as y does; none where y is not known."""
    if y < clock[LIMIT]:
        # A doubt is a doubt: however far beyond the severe bound, it says no more.
        return clock[BOUND] if doubt <= Doubt.NONE else -inf, clock[LIMIT]
    if y >= clock[CLEAR]:
        return clock[CLEAR], inf
    return (inf, -inf) if isnan(y) else (clock[LIMIT], clock[CLEAR])

"""Crossings: what a value does to the rules it moves, one by one and many at once. No clock, no I/O.

A rule at rest may be left by a value, a rule that counts goes on with it; both end in a word that is said, in
another rest or in a running clock. Each stands here twice, in plain Python and in NumPy: which way a reading
went never shows.
"""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np

from monitor.alerts.bands import (
    BOUND,
    CLEAR,
    HELD,
    HOLD,
    LIMIT,
    OUT,
    PENDING,
    PHASE,
    RECORD,
    SEVERE,
    SHOWN,
    SIGN,
    SINCE,
    SPAN,
    WIDTH,
    WITHHELD,
    Bands,
    Floats,
    Ints,
)
from monitor.alerts.clocks import (
    AT,
    BREACH,
    DOUBT,
    DUE,
    FRESH,
    HIGH,
    INSIDE,
    LOW,
    RUN,
    SEEN,
    SURE,
    TURN,
    UNTIL,
    VALUE,
    WHEN,
    WINDOW,
    Clocks,
)
from monitor.alerts.heart import AGREED, DISPUTED
from monitor.alerts.limits import Limit, Timing
from monitor.alerts.moves import SAID_END, SAID_HELD, SAID_ONSET, Said
from monitor.model import Doubt

_NONE = np.zeros(0, np.int64)


class Crossings:
    """Judges what leaves its band and what is being counted, and keeps bands and clocks as they then are."""

    def __init__(self, beds: int, few: int, timing: Timing, bands: Bands, clocks: Clocks, said: Said) -> None:
        """Up to `few` at once go through plain Python."""
        self._beds, self._few, self._timing = beds, few, timing
        self._bands, self._clocks, self._said = bands, clocks, said
        self._place = np.zeros(bands.low.size, np.int64)
        self._resting: list[tuple[Ints, Floats]] = []

    # One at a time, in plain Python.

    def hear(self, cell: int, at: float, value: float, fresh: float, doubt: float) -> None:
        """A reading that is outside its band, or whose cell is being counted."""
        known = fresh >= at and not isnan(value)
        if not known:
            value = nan
        low, moved = cell * 2 * WIDTH, False
        first = cell * WIDTH
        for place in range(SPAN[cell // self._beds]):
            column = self._clocks.one_column[first + place]
            if column >= 0:
                moved |= self._go_on(column, at, value, fresh, doubt)
            elif (
                value < self._bands.one_edge[low + place]
                or -value < self._bands.one_edge[low + WIDTH + place]
            ):
                moved |= self._leave(first + place, at, value, fresh, doubt)
        if moved:
            self._bands.draw(cell)

    def _leave(self, where: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule at rest hears a value that may move it; True if it does."""
        record = self._bands.record[where].tolist()
        y, phase, since = value * record[SIGN], record[PHASE], record[SINCE]
        severe = doubt <= Doubt.NONE and y < record[BOUND]
        sample = value, fresh, doubt
        if phase == OUT:
            if not y < record[LIMIT]:
                return False  # a hair from the edge
            hold = self._in_force(where, record[HOLD], doubt)
            if severe or hold == 0:
                self._bands.rest(where, SEVERE if severe else HELD, at)
                self._say(where, SAID_HELD, at, at, value, severe=severe, doubt=doubt)
            else:
                self._start(where, PENDING, at, at, at + hold, sample, window=True)
                self._say(where, SAID_ONSET, at, at, value, severe=False, doubt=doubt)
        elif y >= record[CLEAR]:
            self._start(where, phase, since, at, at + self._timing.clear_ms, sample, window=False)
        elif severe and phase == HELD:
            self._bands.rest(where, SEVERE, since)
            self._say(where, SAID_HELD, since, at, value, severe=True, doubt=doubt)
        else:
            return False  # a hair from the edge, or beyond the severe bound but doubted
        return True

    def _go_on(self, column: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """A rule whose time is being counted hears a value, NaN for "not known"; True if that ends.

        Where nothing changes but the time, the count waits for the sample that does change something.
        """
        face, room = self._clocks.one_face, self._clocks.owner.size
        if (
            face[LOW * room + column] <= value * face[TURN * room + column] < face[HIGH * room + column]
            and face[FRESH * room + column] >= at
            and face[UNTIL * room + column] >= at
            and face[DOUBT * room + column] == doubt
        ):
            when = face[WHEN * room + column]
            face[FRESH * room + column], face[VALUE * room + column] = fresh, value
            face[DUE * room + column] = due = when if when <= fresh else inf
            self._clocks.due = min(self._clocks.due, due)
            return False
        return self._count(column, at, value, fresh, doubt)

    def _count(self, column: int, at: float, value: float, fresh: float, doubt: float) -> bool:
        """Count the time up to this sample, and judge it; True if there is nothing to count any more."""
        c = self._clocks.works[column].tolist()
        known_until = self._clocks.faces[FRESH, column]
        counted = float(min(known_until, at)) - c[AT]
        if c[WINDOW]:
            c[SEEN] += counted
            c[INSIDE] += counted if c[BREACH] else 0.0
        y = value * c[SIGN]
        known, breach, clear = not isnan(value), y < c[LIMIT], y >= c[CLEAR]
        # UNKNOWN is no cue: it stops the clocks and breaks a recovery, and nothing else.
        c[RUN] = (at if known_until < at else min(c[RUN], at)) if clear else inf
        c[AT], c[BREACH] = at, breach
        severe = breach and doubt <= Doubt.NONE and y < c[BOUND]
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
            grace = self._grace(self._in_force(int(self._clocks.owner[column]), c[HOLD], doubt))
            left = grace - (c[SEEN] - c[INSIDE])
            c[WINDOW], until = (1.0, at + left) if left >= 0 else (0.0, inf)
        self._clocks.works[column] = c
        self._clocks.show(column, c, until, due, (value, fresh if known else at, doubt))
        return False

    def _stand(self, column: int, c: list[float], value: float, doubt: float, *, severe: bool) -> None:
        """A standing alarm's recovery has broken off: back to rest, perhaps worse than before."""
        where = self._clocks.close(column)
        worse = severe and c[PHASE] == HELD
        self._bands.rest(where, SEVERE if worse else int(c[PHASE]), c[SINCE])
        if worse:
            self._say(where, SAID_HELD, c[SINCE], c[AT], value, severe=True, doubt=doubt)

    def _wait(self, column: int, c: list[float], value: float, doubt: float, *, severe: bool) -> float:
        """A pending rule hears a breach: when it falls due, or -1 where that is now and has been said."""
        opened = not c[WINDOW]
        if opened:
            c[WINDOW], c[SINCE], c[SEEN], c[INSIDE] = 1.0, c[AT], 0.0, 0.0
        where = int(self._clocks.owner[column])
        hold = self._in_force(where, c[HOLD], doubt)
        left = max(hold - c[SEEN], hold - self._grace(hold) - c[INSIDE])
        if severe or left <= 0:
            self._clocks.close(column)
            self._bands.rest(where, SEVERE if severe else HELD, c[SINCE])
            self._say(where, SAID_HELD, c[SINCE], c[AT], value, severe=severe, doubt=doubt)
            return -1
        if opened:
            self._bands.record[where, SINCE] = c[SINCE]
            self._say(where, SAID_ONSET, c[SINCE], c[AT], value, severe=False, doubt=doubt)
        return c[AT] + left

    def _in_force(self, where: int, hold: float, doubt: float) -> float:
        """The delay that counts while a value is so doubted, or so sure (physiology.md 1, ALM-073).

        A doubted value makes a HIGH wait; one that another signal disputes makes every rule wait.
        """
        if doubt == Doubt.NONE:
            return hold
        if doubt == AGREED:
            return min(hold, float(self._bands.agreed[where]))
        if doubt == DISPUTED:
            return max(hold, self._timing.poor_signal_ms)
        if not WITHHELD[where // (self._beds * WIDTH) * WIDTH + where % WIDTH]:
            return hold
        if doubt == Doubt.POOR_SIGNAL:
            return max(hold, self._timing.poor_signal_ms)
        return hold or self._timing.unusual_ms

    def _grace(self, hold: float) -> float:
        """How much of a delay may be spent outside the breach (ALM-065)."""
        return hold - hold * self._timing.breach_percent // 100

    def _start(
        self,
        where: int,
        phase: int,
        since: float,
        at: float,
        due: float,
        sample: tuple[float, float, float],
        *,
        window: bool,
    ) -> None:
        record = self._bands.stir(where, phase, since)
        self._clocks.open(where, record, at, due, sample, window=window)

    # From outside: time, limits, a restart.

    def fall_due(self, now: float) -> None:
        """What has fallen due by now has become so, at its own moment."""
        due = self._clocks.fallen_due(now)
        if due.size <= self._few:
            # From the last to the first: closing a column moves the last one into its place.
            for column in due[::-1].tolist():
                self._fall_due(column)
        else:
            self._fall_due_all(due)
        self._clocks.next_due()

    def _fall_due(self, column: int) -> None:
        clock, face = self._clocks.works[column].tolist(), self._clocks.faces[:, column].tolist()
        where = self._clocks.close(column)
        phase, cue, since = (HELD, SAID_HELD, clock[SINCE]) if clock[BREACH] else (OUT, SAID_END, 0.0)
        self._bands.rest(where, phase, since)
        self._bands.draw(where // WIDTH)
        self._say(where, cue, clock[SINCE], face[DUE], face[VALUE], severe=False, doubt=face[DOUBT])

    def _fall_due_all(self, columns: Ints) -> None:
        clock = self._clocks.works.take(columns, axis=0).T
        due, value, doubt = (self._clocks.faces[field][columns] for field in (DUE, VALUE, DOUBT))
        where = self._clocks.owner[columns]
        held = clock[BREACH] != 0
        cue = np.where(held, SAID_HELD, SAID_END)
        sure = 0.0  # what has waited was not severe
        self._said.say_all(where, cue, clock[SINCE], due, value, clock[SHOWN], sure, doubt)
        phase = np.where(held, HELD, OUT)
        self._bands.flat[where * RECORD + PHASE] = phase
        self._clocks.close_all(columns)
        self._bands.settle_all(where, clock, phase)
        self.draw_all(where // WIDTH)

    def set_limit(self, at: float, where: Ints, limit: Limit) -> None:
        """New numbers for these rules; a value whose time is being counted is judged by them at once."""
        moved = self._bands.set_numbers(where, limit)
        record, clocks = self._bands.record, self._clocks
        for one in moved[record[moved, PHASE] != OUT].tolist():
            if limit.limit is None:
                since = float(record[one, SINCE])
                self.drop(one)
                self._say(one, SAID_END, since, at, nan, severe=False, doubt=Doubt.NONE)
            elif (column := clocks.one_column[one]) >= 0:
                clocks.works[column, :SINCE] = record[one, :SINCE]
                value, fresh, doubt = clocks.faces[(VALUE, FRESH, DOUBT), column].tolist()
                self._count(column, at, value if fresh >= at else nan, fresh, doubt)
        resting = moved[clocks.column[moved] < 0]
        numbers = record[resting].T
        self._bands.settle_all(resting, numbers, numbers[PHASE])

    def drop(self, where: int) -> None:
        """Nothing is known of this rule any more."""
        if self._clocks.one_column[where] >= 0:
            self._clocks.close(self._clocks.one_column[where])
        self._bands.rest(where, OUT, 0)

    def start_anew(self, where: int, since: float) -> None:
        """A delay that ran before a restart: the next breach opens its window."""
        self._start(where, PENDING, since, 0.0, inf, (nan, 0.0, Doubt.NONE), window=False)

    # Many at once. Values that are no longer fresh are NaN from here on.

    def hear_all(self, cell: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> None:
        """Such readings of one moment, in their order; a cell may have several."""
        if cell.size <= self._few:
            for one in zip(cell.tolist(), value.tolist(), fresh.tolist(), doubt.tolist(), strict=True):
                self.hear(one[0], at, *one[1:])
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
        reading, where = self._bands.left_by(cell, value)
        column = self._clocks.column.reshape(-1, WIDTH)[cell]
        of, place = (column >= 0).nonzero()
        touched = self.go_on_all(column[of, place].astype(np.int64), at, value[of], fresh[of], doubt[of])
        left = self.leave_all(where, at, value[reading], fresh[reading], doubt[reading])
        self.draw_all(np.concatenate((touched, left)))

    def leave_all(self, where: Ints, at: float, value: Floats, fresh: Floats, doubt: Floats) -> Ints:
        """Rules at rest hear values that may move them; the cells whose band has moved."""
        if where.size <= self._few:
            for one in zip(where.tolist(), value.tolist(), fresh.tolist(), doubt.tolist(), strict=True):
                if not isnan(one[1]):
                    self._leave(one[0], at, *one[1:])
            return where // WIDTH
        records = self._bands.record.take(where, axis=0)
        record = records.T
        y, phase = value * record[SIGN], record[PHASE]
        severe = (y < record[BOUND]) & (doubt <= SURE)
        hold = self._in_force_all(where, record[HOLD], doubt)
        out = (phase == OUT) & (y < record[LIMIT])
        at_once = out & (severe | (hold == 0))
        waits = out & ~at_once
        ends = (phase != OUT) & (y >= record[CLEAR])
        worse = (phase == HELD) & severe & ~ends
        record[SINCE][out] = at
        phase[at_once] = HELD
        phase[waits] = PENDING
        phase[worse | (at_once & severe)] = SEVERE
        first = where * RECORD
        self._bands.flat[first + SINCE], self._bands.flat[first + PHASE] = record[SINCE], phase
        said = (at_once | waits | worse).nonzero()[0]
        what = records.take(said, axis=0).T
        cue = np.where(what[PHASE] == PENDING, SAID_ONSET, SAID_HELD)
        sure = what[PHASE] == SEVERE
        self._said.say_all(where[said], cue, what[SINCE], at, value[said], what[SHOWN], sure, doubt[said])
        rests, wait, end = ((~(waits | ends)).nonzero()[0], waits.nonzero()[0], ends.nonzero()[0])
        self._resting.append((where[rests], record[:, rests]))
        counts = np.concatenate((wait, end))
        due = np.full(counts.size, at + self._timing.clear_ms)
        due[: wait.size] = at + hold[wait]
        self._bands.stir_all(where[counts])
        sample = value[counts], fresh[counts], doubt[counts]
        self._clocks.open_all(where[counts], records.take(counts, axis=0), wait.size, at, due, sample)
        return where // WIDTH

    def go_on_all(self, columns: Ints | None, at: float, value: Floats, fresh: Floats, doubt: Floats) -> Ints:
        """These clocks (None: all, in order) hear their values; the cells whose band moves. See `_go_on`."""
        if value.size == 0:
            return _NONE
        face = (
            self._clocks.faces[:, : self._clocks.running]
            if columns is None
            else self._clocks.faces.take(columns, axis=1)
        )
        y = value * face[TURN]
        same = y >= face[LOW]
        same &= y < face[HIGH]
        same &= face[FRESH] >= at
        same &= face[UNTIL] >= at
        same &= face[DOUBT] == doubt
        late = (face[WHEN] > fresh).nonzero()[0]
        others = (~same).nonzero()[0]
        if columns is None:
            columns = np.arange(self._clocks.running)
            until = face[FRESH][others]
            face[FRESH], face[VALUE], face[DUE] = fresh, value, face[WHEN]
            face[DUE][late] = inf
            face[FRESH][others] = until  # these have yet to be counted
        else:
            due = face[WHEN]
            due[late] = inf
            alike = same.nonzero()[0]
            for field, now in ((FRESH, fresh), (VALUE, value), (DUE, due)):
                self._clocks.faces[field, columns[alike]] = now[alike]
        if others.size > self._few:
            cells: Ints = self._count_all(columns[others], at, value[others], fresh[others], doubt[others])
            self._clocks.next_due()
            return cells
        self._clocks.next_due()
        # From the last column to the first: closing one moves the last of all into its place.
        others = others[columns[others].argsort()[::-1]]
        which = columns[others]
        cells = self._clocks.owner[which] // WIDTH
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
        c = np.ascontiguousarray(self._clocks.works.take(columns, axis=0).T)
        known_until, where = self._clocks.faces[FRESH][columns], self._clocks.owner[columns]
        counted = (np.minimum(known_until, at) - c[AT]) * c[WINDOW]
        c[SEEN] += counted
        c[INSIDE] += counted * c[BREACH]
        y = value * c[SIGN]
        breach, clear, known = y < c[LIMIT], y >= c[CLEAR], value == value  # noqa: PLR0124  not NaN
        c[RUN] = np.where(clear, np.where(known_until < at, at, np.minimum(c[RUN], at)), inf)
        c[AT], c[BREACH] = at, breach
        severe = breach & (y < c[BOUND]) & (doubt <= SURE)
        pending, window = c[PHASE] == PENDING, c[WINDOW] != 0
        waits = pending & breach
        hold = self._in_force_all(where, c[HOLD], doubt)
        grace = hold - np.floor(hold * self._timing.breach_percent / 100)
        opened = (waits & ~window).nonzero()[0]
        if opened.size:
            c[WINDOW][opened], c[SINCE][opened], c[SEEN][opened], c[INSIDE][opened] = 1.0, at, 0.0, 0.0
            self._bands.flat[where[opened] * RECORD + SINCE] = at
        left = hold - np.minimum(c[SEEN], grace + c[INSIDE])
        held = waits & (severe | (left <= 0))
        spared = window & known & ~breach
        spare = grace - (c[SEEN] - c[INSIDE])
        spent = spared & (spare < 0)
        np.copyto(c[WINDOW], 0.0, where=spent & pending)
        until = np.full(where.size, inf)
        np.add(spare, at, out=until, where=spared & ~spent)
        due = np.where(breach, left + at, c[RUN] + self._timing.clear_ms)
        self._clocks.works[columns] = c.T
        sample = value, np.where(known, fresh, at), doubt
        self._clocks.show_all(columns, c, until, due, sample, breach, clear)
        rests = held | (~pending & ~clear)
        worse = (c[PHASE] == HELD) & severe
        moved = held | worse
        c[PHASE][held] = HELD
        c[PHASE][moved & severe] = SEVERE
        moved[opened] = True
        said = moved.nonzero()[0]
        what = c.take(said, axis=1)
        cue, sure = np.where(what[PHASE] == PENDING, SAID_ONSET, SAID_HELD), what[PHASE] == SEVERE
        self._said.say_all(where[said], cue, what[SINCE], at, value[said], what[SHOWN], sure, doubt[said])
        ended = rests.nonzero()[0]
        if ended.size == 0:
            return _NONE
        where, clock = where[ended], c[:, ended]
        self._bands.flat[where * RECORD + PHASE] = clock[PHASE]
        self._clocks.close_all(columns[ended])
        self._resting.append((where, clock[:RECORD]))
        cells: Ints = where // WIDTH
        return cells

    def _in_force_all(self, where: Ints, hold: Floats, doubt: Floats) -> Floats:
        if not doubt.any():
            return hold
        high = WITHHELD[where // (self._beds * WIDTH) * WIDTH + where % WIDTH] != 0
        poor = (high & (doubt == Doubt.POOR_SIGNAL)) | (doubt == DISPUTED)
        odd = high & (doubt == Doubt.UNUSUAL) & (hold == 0)
        held = np.where(poor, np.maximum(hold, self._timing.poor_signal_ms), hold)
        np.minimum(held, self._bands.agreed[where], out=held, where=doubt == AGREED)
        return np.where(odd, self._timing.unusual_ms, held)

    def draw_all(self, cell: Ints) -> None:
        """Draw the bands of these cells anew, now that it is known which of their rules rest."""
        if self._resting:
            where, numbers = (np.concatenate(part, axis=-1) for part in zip(*self._resting, strict=True))
            self._resting.clear()
            self._bands.settle_all(where, numbers, numbers[PHASE])
        if cell.size > self._few:
            self._bands.draw_all(cell)
            return
        for one in cell.tolist():
            self._bands.draw(one)

    def _say(
        self, where: int, cue: int, since: float, at: float, value: float, *, severe: bool, doubt: float
    ) -> None:
        limit = self._bands.one_record[where * RECORD + SHOWN]
        self._said.say(where, cue, since, at, value, limit, doubt, severe=severe)

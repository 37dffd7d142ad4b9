"""What is to be told, put into the queue: sessions that are over and cuff readings, by reading the journal.

The journal is read on from where the queue says it was read to, and both move in one transaction: whatever is
killed in between, each message stands in the queue once. What is measured all the time is no part of the
journal; it comes from the ward as it stands, and a restart of this program costs the stretch it is in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import structlog

from monitor.ehr.minutes import Minutes
from monitor.model import CuffTaken, SessionMoved, SessionPhase, Vital
from monitor.records.charted import Charted, Pressure, Value, values
from monitor.records.hl7_out import Site, Visit, control_of, session_message, vitals_message
from monitor.records.report import SessionReport
from monitor.snapshot import SessionNow, Snapshot
from monitor.store.database import StoreError, tell
from monitor.store.journal import Head, Recorded
from monitor.store.outgoing import New, Outgoing, State

log = structlog.get_logger(__name__)

WAITING_MAX = 200_000
"""Messages that may wait: a week of 20 beds. Past that no more numbers are added; records of sessions are."""

UNPUT_MAX = 10_000
"""Messages of numbers that wait for the disk: some hours."""

MADE_IN = 3
"""Tries to put a session into words, before a person is asked."""

ROWS_MAX = 500
"""Rows of the journal in one turn, and between two notes of how far it was read where nothing is told."""

Report = Callable[[int], Awaitable[SessionReport]]
"""The record of a session by its number; StoreError where it cannot be read now."""


class Journalled(Protocol):
    """What is needed of the journal."""

    head: Head

    def replay(self, after_seq: int = 0) -> AsyncGenerator[Recorded, None]:
        """Every row after that one, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told."""

    sessions: bool
    vitals: bool
    every_ms: int


class Telling:
    """Fills the queue. Holds no clock: `now_ms` is a door to one."""

    def __init__(
        self,
        queue: Outgoing,
        journal: Journalled,
        read: Callable[[], Snapshot],
        report: Report,
        site: Site,
        wanted: Wanted,
        now_ms: Callable[[], int],
    ) -> None:
        """Nothing is read before `begin`."""
        self._queue, self._journal = queue, journal
        self._read, self._report = read, report
        self._site, self._wanted = site, wanted
        self._now_ms = now_ms
        self._minutes = Minutes(wanted.every_ms)
        self._read_to = self._noted = 0
        self._unput: list[New] = []
        self._failed: dict[int, int] = {}

    async def begin(self) -> None:
        """Find where reading goes on; at the very first start that is the end: the past is nobody's news."""
        read_to = await self._queue.read_to()
        if read_to is None or read_to > self._journal.head.seq:
            # A journal that ends before what was read of it has been replaced.
            read_to = self._journal.head.seq
            await self._queue.put((), read_to)
        self._read_to = self._noted = read_to

    def look(self) -> None:
        """Take in what the ward shows now. Called again and again; never waits."""
        if self._wanted.vitals:
            self._unput += [self._vitals(*told) for told in self._minutes.look(self._read())]
            self._let_go(len(self._unput) - UNPUT_MAX)

    async def turn(self) -> bool:
        """Put into the queue what has come up since; whether there was anything. StoreError: not now."""
        put = await self._put_numbers()
        if self._journal.head.seq <= self._read_to:
            return put > 0
        found: list[New] = []
        read_to = self._read_to
        async with aclosing(self._journal.replay(self._read_to)) as rows:
            async for row in rows:
                found += await self._messages(row)
                read_to = row.seq
                if found or read_to - self._read_to >= ROWS_MAX:
                    break
        if found or read_to - self._noted >= ROWS_MAX:
            await self._queue.put(found, read_to)
            self._noted = read_to
        self._read_to = read_to
        return True

    async def _put_numbers(self) -> int:
        if not self._unput:
            return 0
        unput = tuple(self._unput)
        if (await self._queue.counts()).waiting >= WAITING_MAX:
            self._let_go(len(unput))
            return 0
        await self._queue.put(unput)
        del self._unput[: len(unput)]
        return len(unput)

    def _let_go(self, count: int) -> None:
        """Forget the oldest messages of numbers: too many wait already."""
        if count > 0:
            del self._unput[:count]
            tell(log.error, "numbers not kept for the EHR", messages=count)

    async def _messages(self, row: Recorded) -> Sequence[New]:
        match row.event:
            case SessionMoved(now=SessionPhase.CLOSED) as moved if self._wanted.sessions:
                return await self._session(moved)
            case CuffTaken() as taken if self._wanted.vitals:
                return [*self._cuff(taken, row.seq)]
            case _:
                return ()

    async def _session(self, moved: SessionMoved) -> Sequence[New]:
        control = control_of(moved.session, "S", moved.at_ms)
        try:
            report = await self._report(moved.session)
            # Hundreds of rows of text: not on the loop that watches the beds.
            now_ms = self._now_ms()
            made = await asyncio.to_thread(_made, report, self._site, control, now_ms)
        except StoreError:
            raise
        except Exception as error:
            # One record that cannot be put into words must not keep all others back.
            tries = self._failed[moved.session] = self._failed.get(moved.session, 0) + 1
            log.exception("a session's record cannot be made", session=moved.session, tries=tries)
            if tries < MADE_IN:
                raise StoreError(f"The record of session {moved.session} cannot be made.") from error
            why = f"its record cannot be made: {type(error).__name__}"
            return [New(control, moved.session, moved.at_ms, "", State.UNMADE, why)]
        self._failed.pop(moved.session, None)
        if made is None:
            return ()
        return [New(control, moved.session, moved.at_ms, made.decode())]

    def _cuff(self, taken: CuffTaken, seq: int) -> Iterator[New]:
        visit = self._visit(taken)
        if visit is None:
            return
        control = control_of(visit.session, "C", taken.at_ms) + f".{seq % 100}"
        body = vitals_message(_charted(taken), visit, self._site, control, self._now_ms())
        yield New(control, visit.session, taken.at_ms, body.decode())

    def _visit(self, taken: CuffTaken) -> Visit | None:
        """Whose reading it was: of who was at the bed when it was measured, also after a restart."""
        ward = self._read()
        here = next((bed for bed in ward.beds if bed.bed == taken.bed), None)
        place = here.place if here is not None else ""
        open_now = [here.session] if here is not None and here.session is not None else []
        for session in (*open_now, *reversed(ward.closed)):
            if session.bed == taken.bed and _was_there(session, taken.measured_at_ms):
                return Visit(session.session, session.alias, taken.bed, place)
        return None

    def _vitals(self, visit: Visit, charted: Sequence[Value]) -> New:
        until_ms = max(one.until_ms for one in charted)
        control = control_of(visit.session, "V", until_ms)
        body = vitals_message(charted, visit, self._site, control, self._now_ms())
        return New(control, visit.session, until_ms, body.decode())


def _made(report: SessionReport, site: Site, control: str, now_ms: int) -> bytes | None:
    """The message about a session, or None where nothing was measured and there is nothing to chart."""
    return session_message(report, site, control, now_ms) if values(report) else None


def _was_there(session: SessionNow, at_ms: int) -> bool:
    closed_ms = session.closed_at_ms
    return session.opened_at_ms <= at_ms and (closed_ms is None or at_ms <= closed_ms)


def _charted(taken: CuffTaken) -> Iterator[Charted]:
    cuff, at_ms = taken.cuff, taken.measured_at_ms
    why = cuff.why or ""
    device = None if taken.by is not None else taken.device
    yield Pressure(
        cuff.systolic,
        cuff.diastolic,
        cuff.mean,
        arterial=False,
        derived_mean=cuff.derived_mean,
        at_ms=at_ms,
        until_ms=at_ms,
        quality=cuff.quality,
        why=why,
        device=device,
        by=taken.by,
    )
    if cuff.pulse is not None:
        yield Value(Vital.PULSE_NIBP, cuff.pulse, at_ms, at_ms, cuff.quality, why, device, taken.by)

"""The journal: decisions and human acts, in order, append-only, each row chained to the one before.

A row is written before anybody is told (`append`), and read again to rebuild the ward (`replay`). A full,
slow or locked disk must not silence a page, so `append` never raises for one and waits at most 250 ms. What
could not be written then waits here, in order, and is written, marked late, by the one task that also waits
between tries. There is at most one transaction under way, and each event is in exactly one of three places:

    waiting ──► under way ──► written
       ▲            │
       └────────────┘  it failed, and the journal's head has not moved

A transaction that ended in an error may still have been written (a sync that failed, a line that broke before
the answer). Its rows' numbers and hashes were fixed beforehand, so the head tells: it is theirs, or the old.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, get_args

import msgspec
import structlog
from sqlalchemy import Connection, Row, func, insert, make_url, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from monitor.model import Event, PartMoved
from monitor.store.database import (
    ANSWER_S,
    Database,
    Hold,
    Rows,
    StoreError,
    as_it_is,
    bring_forward,
    database,
    plainly,
    tell,
)
from monitor.store.tables import JOURNAL, journal
from monitor.treatment import TreatmentEvent

log = structlog.get_logger(__name__)

TURN_S = 0.25
"""How long a turn of the ward may wait to be written down (faults-and-threats F06)."""

SLOW = "the disk is slow"

SQLITE_GUARDS = {"journal_no_update", "journal_no_delete", "journal_no_replace"}
POSTGRESQL_GUARDS = {"journal_no_change", "journal_no_truncate"}
"""The triggers that keep the table append-only; without them nobody knows what was done to it."""

WAITING_MAX = 10_000
"""How many events wait for the disk: about four hours of a busy ward, and a few megabytes."""

AT_ONCE = 500
"""How many waiting events go into one transaction."""

RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""How long to wait before each next try; the last one goes on."""

LOOKED_AT = 10_000
"""How many rows from the end are checked at the start; the whole chain is for `verify`."""

PAGE = 1000
"""How many rows are read at once: a long reading transaction keeps the write-ahead log from shrinking."""

VERSIONS: dict[str, int] = {}
"""Kinds whose body has changed, with their newest version. All others are at 1."""

Entry = Event | TreatmentEvent
"""What is written: what a ward hears and decides, and what is said of a treatment session."""

KINDS: dict[str, type[Entry]] = {kind.__name__: kind for kind in get_args(Entry) if kind.durable}
DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}

INSERT = insert(journal)
SQLITE_INSERT = str(INSERT.compile(dialect=sqlite.dialect()))

COLUMNS = ("seq", "at_ms", "drift_ms", "kind", "version", "late", "body")
"""What of a row is hashed, in this order, after the hash of the row before."""


class MissingJournalError(StoreError):
    """There was a journal, and it is not there."""


class BrokenJournalError(StoreError):
    """The journal is not what was written; `seq` is the first bad row."""

    def __init__(self, seq: int, why: str) -> None:
        """Name the row and say what is wrong with it."""
        super().__init__(why)
        self.seq = seq


class UnreadableRowError(StoreError):
    """A row is whole, but this program does not understand it."""


class Head(NamedTuple):
    """Where the journal ends: the last row's number and hash."""

    seq: int = 0
    hash: str = ""


EMPTY = Head()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as it stands in the journal; `late` if it had to wait for the disk."""

    seq: int
    at_ms: int
    drift_ms: int
    late: bool
    event: Entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows in a row: `head` is the last of them, `whole` whether each follows from the one before."""

    rows: list[Recorded]
    first_hash: str
    head: Head
    whole: bool


class _Unwritten(NamedTuple):
    event: Entry
    drift_ms: int
    body: str


Kept = Callable[[], Awaitable[Sequence[Head]]]
"""The heads that were kept elsewhere, oldest first."""


async def none_kept() -> Sequence[Head]:
    """No heads, for a journal that stands alone."""
    return ()


class Journal:
    """The one journal, open. Made by `Journal.open`."""

    def __init__(
        self, place: Database, kept: Kept, hold: Hold | None, notes: tuple[str, ...], turn_s: float = TURN_S
    ) -> None:
        """Take what `open` has found; nothing is read yet."""
        self._place = place
        self._kept = kept
        self._hold = hold
        self.notes = notes
        """What was done to the file at the start, in words: a migration and where the copy is."""
        self.head = EMPTY
        self.last_at_ms: int | None = None
        """The latest instant in the journal: time must not run back over a restart."""
        self.lost = 0
        """How many events were never written, because too many were waiting already."""
        self._turn = asyncio.Lock()
        self._turn_s = turn_s
        self._waiting: deque[_Unwritten] = deque()
        self._hole: _Hole | None = None
        self._under_way: asyncio.Task[bool] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._unsure: tuple[Head, Head] | None = None
        self._why = ""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        kept: Kept = none_kept,
        hold: Hold | None = None,
        read_only: bool = False,
        turn_s: float = TURN_S,
        answer_s: float = ANSWER_S,
    ) -> Self:
        """Open or make the journal at `url`, bring its schema forward and look at its end.

        `hold` is the data directory's lock if the caller has it; else it is taken here. `read_only` looks at
        a journal that a service may be writing, or that is damaged, and changes nothing. `turn_s` is how long
        a turn of the ward waits for the disk, `answer_s` how long a server may take for one transaction.
        """
        file = make_url(url).get_backend_name() == "sqlite"
        folder = Path(make_url(url).database or "").parent if file else None
        taken = Hold.take(folder) if folder and hold is None and not read_only else None
        place: Database | None = None
        try:
            if folder and not read_only:
                await _never_anew(Path(make_url(url).database or ""), kept)
            place = database(url, sole=not read_only, read_only=read_only, answer_s=answer_s)
            if read_only:
                await as_it_is(place, JOURNAL)
                return cls(place, kept, None, ())
            said = await bring_forward(place, JOURNAL, folder and folder / "backups")
            self = cls(place, kept, taken, (said,) if said else (), turn_s)
            await self._look_at_the_end()
        except BaseException as error:
            if place is not None:
                await place.close()
            if taken:
                taken.release()
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise StoreError(f"The journal cannot be opened: {plainly(error)}.") from error
            raise
        return self

    @property
    def recording(self) -> bool:
        """Whether everything that should be written is."""
        return not self._why

    @property
    def why(self) -> str:
        """Why it is not recording, in one sentence, or nothing."""
        if not self._why:
            return ""
        lost = f", {self.lost} are lost" if self.lost else ""
        return f"The journal is not being written: {self._why}; {self.unwritten} events wait{lost}."

    @property
    def unwritten(self) -> int:
        """How many events wait for the disk."""
        return len(self._waiting)

    async def append(self, events: Iterable[Entry], drift_ms: int) -> bool:
        """Write the durable ones among `events` in one transaction: True once they are on the disk.

        False: they wait, in order, and are written by and by. Never raises for what a disk or a server does.
        """
        turn = [_unwritten(event, drift_ms) for event in events if event.durable]
        if not turn:
            return True
        async with self._turn:
            if self._under_way is not None and not self._under_way.done():
                self._fall_behind(SLOW)  # its caller was cancelled meanwhile
            if self._catching_up is not None:
                self._wait_in_line(turn)
                return False
            self._under_way = asyncio.create_task(self._write(turn, late=False))
            await asyncio.wait({self._under_way}, timeout=self._turn_s)
            if self._under_way.done():
                return self._under_way.result()
            self._fall_behind(SLOW)
            return False

    async def written(self) -> None:
        """Wait until everything that was given is on the disk."""
        while self._catching_up is not None:
            await asyncio.wait({self._catching_up})
            if self._catching_up is not None:
                self._catching_up.result()

    async def replay(self, after_seq: int = 0) -> AsyncGenerator[Recorded, None]:
        """Every row after `after_seq`, decoded. An unknown kind or version is an error that says so."""
        while True:
            rows = await self._place.read(partial(_page, after_seq=after_seq))
            for row in rows:
                yield recorded(row)
            if len(rows) < PAGE:
                return
            after_seq = rows[-1].seq

    async def next_of(self, kinds: Sequence[str], after_seq: int, holding: str = "") -> Recorded | None:
        """The first row after `after_seq` of one of these kinds whose body holds this text, or None."""
        found = await self._place.read(partial(_next_of, kinds=kinds, after_seq=after_seq, holding=holding))
        return None if found is None else recorded(found)

    async def of(self, kinds: Sequence[str], from_ms: int) -> AsyncGenerator[Recorded, None]:
        """Every row of these kinds from an instant on, decoded, in the order of the journal."""
        after_seq = 0
        while True:
            rows = await self._place.read(partial(_of, kinds=kinds, from_ms=from_ms, after_seq=after_seq))
            for row in rows:
                yield recorded(row)
            if len(rows) < PAGE:
                return
            after_seq = rows[-1].seq

    async def stretch(self, first_seq: int, last_seq: int) -> Stretch:
        """The rows from one number to another, with the hashes at both ends and whether all follow."""
        first_seq = max(first_seq, 1)
        head = await self._place.read(partial(_before, seq=first_seq - 1))
        rows: list[Recorded] = []
        first_hash, whole = "", True
        while head.seq < last_seq:
            page = await self._place.read(
                partial(_page, after_seq=head.seq, size=min(PAGE, last_seq - head.seq))
            )
            if not page:
                break
            for row in page:
                whole = whole and _chained(head, row) is not None
                head = Head(row.seq, row.hash)
                first_hash = first_hash or row.hash
                rows.append(recorded(row))
        return Stretch(rows, first_hash, head, whole)

    async def tail(
        self, last: int = 10, wanted: Callable[[], bool] = lambda: True, every_s: float = 0.5
    ) -> AsyncGenerator[Recorded, None]:
        """The last rows, and then each new one while they are wanted."""
        after_seq = max((await self._place.read(_head)).seq - last, 0)
        while wanted():
            async for row in self.replay(after_seq):
                yield row
                after_seq = row.seq
            await asyncio.sleep(every_s)

    async def verify(self, after_seq: int = 0) -> int | None:
        """The number of the first bad row, or None. Holds the chain against the heads kept elsewhere too."""
        kept = {head.seq: head.hash for head in await self._kept()}
        try:
            head = await self._place.read(partial(_before, seq=after_seq))
        except Exception as error:  # noqa: BLE001  whatever a damaged file makes the driver say
            tell(log.warning, "journal unreadable", why=plainly(error), error=repr(error))
            return max(after_seq, 1)
        while True:
            rows, torn = await self.readable(head.seq)
            for row in rows:
                following = _chained(head, row)
                if following is None or kept.get(row.seq, following.hash) != following.hash:
                    return head.seq + 1
                head = following
            if torn:
                return head.seq + 1
            if len(rows) < PAGE:
                break
        whole = max(kept, default=0) <= head.seq and await self._sound()
        return None if whole else head.seq + 1

    async def count(self) -> int:
        """How many rows there are: their numbers leave none out."""
        return (await self._place.read(_head)).seq

    async def guarded(self) -> bool:
        """Whether the table still refuses to change or delete a row."""
        return await self._place.read(_guarded)

    async def export(self, file: BinaryIO) -> int:
        """Write every row as a line of JSON, hashes and all; how many there were."""
        count, after_seq = 0, 0
        while rows := await self._place.read(partial(_page, after_seq=after_seq)):
            file.writelines(exported(row) for row in rows)
            count, after_seq = count + len(rows), rows[-1].seq
        return count

    async def close(self, patience_s: float = 5.0) -> None:
        """Write what still waits, if the disk takes it in time, and let go."""
        busy = {task for task in (self._under_way, self._catching_up) if task is not None}
        if busy:
            await asyncio.wait(busy, timeout=patience_s)
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.wait({self._catching_up})
        if self._waiting or (self._under_way and not self._under_way.done()):
            tell(log.critical, "events not recorded", waiting=self.unwritten, lost=self.lost, why=self._why)
        await self._place.close()
        if self._hold is not None:
            self._hold.release()

    # Writing.

    async def _write(self, batch: list[_Unwritten], *, late: bool) -> bool:
        """One transaction, whose end is dealt with here, whoever has stopped waiting for it."""
        rows, head = _rows(batch, self.head, late=late)
        try:
            await self._place.write(partial(insert_rows, rows=rows))
        except Exception as error:  # noqa: BLE001  a disk, a server or a driver: they are all "not recording"
            self._unsure = (self.head, head)
            self._waiting.extendleft(reversed(batch))
            self._fall_behind(plainly(error), repr(error))
            return False
        self._wrote(batch, head)
        return True

    def _wrote(self, batch: list[_Unwritten], head: Head) -> None:
        self.head = head
        self.last_at_ms = max(self.last_at_ms or 0, *(each.event.at_ms for each in batch))

    def _fall_behind(self, why: str, error: str = "") -> None:
        news, self._why = why != self._why, why
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up())
        if news:
            tell(log.error, "journal not written", why=why, error=error, waiting=self.unwritten)

    async def _catch_up(self) -> None:
        """Wait for what is under way, then write what waits, in order, until nothing does."""
        tries = 0
        while True:
            if self._under_way is not None:
                await asyncio.wait({self._under_way})
            if self._unsure is not None:
                await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
                if not await self._settle(*self._unsure):
                    continue
            if not self._waiting and self._hole is None:
                break
            self._under_way = asyncio.create_task(self._write(self._next_in_line(), late=True))
            if await asyncio.shield(self._under_way):
                tries = 0
        # No await between the last look and this: nobody can have come to wait meanwhile.
        self._why = ""
        self._catching_up = None
        tell(log.info, "journal written again", head=self.head.seq, lost=self.lost)

    async def _settle(self, old: Head, new: Head) -> bool:
        """Ask a fresh connection what became of the transaction that ended in an error."""
        try:
            found = await self._place.write(_head)
        except Exception as error:  # noqa: BLE001  still no disk or no server
            self._fall_behind(plainly(error), repr(error))
            return False
        if found == new:
            batch = [self._waiting.popleft() for _ in range(new.seq - old.seq)]
            self._wrote(batch, new)
        elif found != old:
            self._fall_behind("its end is not what was written", f"{found}, neither {old} nor {new}")
            return False
        self._unsure = None
        return True

    def _wait_in_line(self, turn: list[_Unwritten]) -> None:
        if self._catching_up is not None and self._catching_up.done():
            self._catching_up.result()  # it ends only by a mistake of ours: nobody goes on over it
        if len(self._waiting) + len(turn) > WAITING_MAX:
            self._lose(turn)
            return
        self._mark_the_hole()
        self._waiting.extend(turn)

    def _lose(self, turn: list[_Unwritten]) -> None:
        self.lost += len(turn)
        first_ms = turn[0].event.at_ms if self._hole is None else self._hole.first_ms
        count = len(turn) if self._hole is None else self._hole.events + len(turn)
        self._hole = _Hole(first_ms, turn[-1].event.at_ms, turn[-1].drift_ms, count)
        tell(log.critical, "events lost", count=len(turn), lost=self.lost, why=self._why)

    def _mark_the_hole(self) -> None:
        """Say in the journal itself where events are missing, and how many."""
        if self._hole is not None:
            hole, self._hole = self._hole, None
            why = f"{hole.events} events were lost here: too many were waiting for the disk"
            mark = PartMoved(hole.last_ms, "journal", ok=True, why=why, since_ms=hole.first_ms)
            self._waiting.append(_unwritten(mark, hole.drift_ms))

    def _next_in_line(self) -> list[_Unwritten]:
        if not self._waiting:
            self._mark_the_hole()
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]

    # Reading.

    async def _look_at_the_end(self) -> None:
        """Find the head and the latest instant, and refuse a journal whose end is damaged or cut off."""
        kept = {head.seq: head.hash for head in await self._kept()}
        try:
            # On the writing connection: it takes the lock of the one service and learns if it may write.
            head, rows = await self._place.write(_end)
        except DatabaseError as error:
            bad = await self.verify()
            if bad is None:
                raise  # the disk's fault, or a lock, and not that of what is written
            raise BrokenJournalError(bad, f"The journal is damaged: row {bad} cannot be read.") from error
        for row in rows:
            following = _chained(head, row)
            if following is None or kept.get(row.seq, following.hash) != following.hash:
                raise BrokenJournalError(
                    head.seq + 1, f"The journal is damaged: row {head.seq + 1} is not what was written."
                )
            head = following
        if max(kept, default=0) > head.seq:
            raise BrokenJournalError(
                head.seq + 1,
                f"The end of the journal is missing: it stops at row {head.seq}, "
                f"but {max(kept)} rows had been written.",
            )
        if not await self._sound():
            raise BrokenJournalError(head.seq + 1, "The journal is damaged: its file is not in order.")
        self.head = head
        self.last_at_ms = max((row.at_ms for row in rows), default=None)

    async def _sound(self) -> bool:
        """Whether the file behind the rows is in order too: a damaged tree can hide a whole row."""
        try:
            return await self._place.read(_quick_check)
        except DatabaseError as error:
            tell(log.warning, "journal unreadable", why=plainly(error), error=repr(error))
            return False

    async def readable(self, after_seq: int) -> tuple[Rows, bool]:
        """The next page, or as far as it can be read and True."""
        try:
            return await self._place.read(partial(_page, after_seq=after_seq)), False
        except Exception as error:  # noqa: BLE001  whatever a damaged file makes the driver say
            tell(log.warning, "journal unreadable", after=after_seq, why=plainly(error), error=repr(error))
        rows: Rows = []
        try:
            while row := await self._place.read(partial(_page, after_seq=after_seq, size=1)):
                rows += row
                after_seq = row[0].seq
        except Exception:  # noqa: BLE001  it has been said above
            return rows, True
        return rows, False


class _Hole(NamedTuple):
    """Events that were not even kept waiting."""

    first_ms: int
    last_ms: int
    drift_ms: int
    events: int


def recorded(row: Row[Any]) -> Recorded:
    """A row as the event it holds."""
    decoder = DECODERS.get(row.kind)
    if decoder is None or row.version != VERSIONS.get(row.kind, 1):
        raise UnreadableRowError(
            f"Row {row.seq} of the journal is a {row.kind} of version {row.version},"
            " which this Chairside does not know: another version has written it."
        )
    try:
        event = decoder.decode(row.body)
    except msgspec.MsgspecError as error:
        raise UnreadableRowError(f"Row {row.seq} of the journal cannot be read: {error}.") from error
    return Recorded(row.seq, row.at_ms, row.drift_ms, bool(row.late), event)


def exported(row: Row[Any]) -> bytes:
    """A row as a line of JSON; the body is JSON itself and stays the bytes that were hashed."""
    fields = {**row._mapping, "body": msgspec.Raw(row.body.encode())}  # noqa: SLF001  SQLAlchemy's public name
    return msgspec.json.encode(fields) + b"\n"


def _unwritten(event: Entry, drift_ms: int) -> _Unwritten:
    """The event with its body, which is known to read back as the same event."""
    try:
        body = msgspec.json.encode(event)
    except UnicodeEncodeError:  # a name from a device or a file system that is no text
        event = msgspec.convert(_as_text(msgspec.to_builtins(event)), type(event))
        body = msgspec.json.encode(event)
    try:
        same = DECODERS[type(event).__name__].decode(body) == event
    except msgspec.ValidationError:
        same = False
    if not same:
        raise ValueError(f"{event} would not read back as itself: is a number not finite?")
    return _Unwritten(event, drift_ms, body.decode())


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {key: _as_text(each) for key, each in value.items()}
        case list() | tuple():
            return [_as_text(each) for each in value]
        case _:
            return value


def _rows(batch: list[_Unwritten], head: Head, *, late: bool) -> tuple[list[tuple[Any, ...]], Head]:
    """The batch as rows that follow `head`, and the head they lead to."""
    rows = []
    for event, drift_ms, body in batch:
        kind = type(event).__name__
        fields = (head.seq + 1, event.at_ms, drift_ms, kind, VERSIONS.get(kind, 1), int(late), body)
        head = Head(head.seq + 1, _digest(head.hash, fields))
        rows.append((*fields, head.hash))
    return rows, head


def _chained(head: Head, row: Row[Any]) -> Head | None:
    """The head with `row` behind it, or None if it does not follow."""
    digest = _digest(head.hash, tuple(row[: len(COLUMNS)]))
    return Head(row.seq, digest) if row.seq == head.seq + 1 and row.hash == digest else None


def _digest(before: str, fields: tuple[Any, ...]) -> str:
    # As JSON, so that no two rows look alike by where one field ends and the next begins.
    return hashlib.sha256(msgspec.json.encode((before, *fields))).hexdigest()


def insert_rows(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows as they are, numbers and hashes and all."""
    if connection.dialect.name == "sqlite":
        # Straight to the driver: the way through SQLAlchemy takes half as long again as the disk does.
        connection.connection.cursor().executemany(SQLITE_INSERT, rows)
    else:
        connection.execute(INSERT, [dict(zip(journal.c.keys(), row, strict=True)) for row in rows])


def _page(connection: Connection, after_seq: int, size: int = PAGE) -> Rows:
    query = select(journal).where(journal.c.seq > after_seq).order_by(journal.c.seq).limit(size)
    rows = list(connection.execute(query).all())
    if rows and rows[-1].seq <= after_seq:
        # A damaged tree can lead back to where one came from, and a reader round and round for ever.
        raise BrokenJournalError(after_seq + 1, f"The journal is damaged after row {after_seq}.")
    return rows


def _next_of(connection: Connection, kinds: Sequence[str], after_seq: int, holding: str) -> Row[Any] | None:
    query = select(journal).where(journal.c.seq > after_seq, journal.c.kind.in_(kinds))
    if holding:
        query = query.where(journal.c.body.contains(holding, autoescape=True))
    return connection.execute(query.order_by(journal.c.seq).limit(1)).first()


def _of(connection: Connection, kinds: Sequence[str], from_ms: int, after_seq: int) -> Rows:
    query = select(journal).where(
        journal.c.seq > after_seq, journal.c.kind.in_(kinds), journal.c.at_ms >= from_ms
    )
    return list(connection.execute(query.order_by(journal.c.seq).limit(PAGE)).all())


def _quick_check(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return True
    return connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"


def _guarded(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
        return set(connection.exec_driver_sql(asked).scalars()) >= SQLITE_GUARDS
    asked = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'journal'::regclass AND tgenabled <> 'D'"
    return set(connection.exec_driver_sql(asked).scalars()) >= POSTGRESQL_GUARDS


def _end(connection: Connection) -> tuple[Head, Rows]:
    """The last rows, and the head before them."""
    last = connection.scalar(select(func.max(journal.c.seq))) or 0
    head = _before(connection, max(last - LOOKED_AT, 0))
    return head, _page(connection, head.seq, LOOKED_AT)


def _head(connection: Connection) -> Head:
    """The last row's number and hash, which its content must bear out."""
    last = connection.scalar(select(func.max(journal.c.seq))) or 0
    head = _before(connection, max(last - 1, 0))
    for row in _page(connection, head.seq, 1):
        following = _chained(head, row)
        if following is None:
            raise BrokenJournalError(row.seq, f"Row {row.seq} of the journal is not what was written.")
        head = following
    return head


def _before(connection: Connection, seq: int) -> Head:
    """The head as row `seq` says it was."""
    if seq == 0:
        return EMPTY
    found = connection.execute(select(journal.c.seq, journal.c.hash).where(journal.c.seq == seq)).first()
    if found is None:
        raise BrokenJournalError(seq, f"Row {seq} of the journal is missing.")
    return Head(found.seq, found.hash)


async def _never_anew(path: Path, kept: Kept) -> None:
    """Refuse to make a journal where one is missing (F10)."""
    heads = await kept()
    if heads and not (path.is_file() and path.stat().st_size):  # noqa: ASYNC240  before anything runs
        raise MissingJournalError(
            f"The journal {path} is missing, but {heads[-1].seq} rows had been written to it. Put it back."
        )

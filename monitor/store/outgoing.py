"""The queue of what is sent to others: written before it is sent, in order, and kept until it is answered.

A row stands here together with how far the journal has been read for it, in one transaction: what was killed
in between is made again, under the same `control`, and stands here once. What a disk does wrong is a
`StoreError`: nothing has been read on then, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, make_url, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.database import Database, StoreError, as_it_is, bring_forward, database, plainly
from monitor.store.tables import OUTGOING, outgoing, outgoing_read

T = TypeVar("T")

DAY_MS = 86_400_000

READER = "ehr"


class State(StrEnum):
    """What has become of one message."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The receiver does not take it, and takes others; kept until somebody has dealt with it."""
    UNMADE = "unmade"
    """It could not be put into words: `why` says of what and why; kept as a refused one is."""
    DROPPED = "dropped"
    """Somebody has decided that it is not to be sent."""


ASIDE = (State.REFUSED, State.UNMADE)
"""What does not go out by itself any more, and waits for a person."""

OVER = (State.ACCEPTED, State.DROPPED)


@dataclass(frozen=True, slots=True)
class New:
    """A message that is to be sent; `body` is all of it. `state` UNMADE: there is none, and `why` says it."""

    control: str
    session: int
    at_ms: int
    body: str
    state: State = State.WAITING
    why: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """One message of the queue, with what has become of it."""

    number: int
    control: str
    session: int
    at_ms: int
    body: str
    state: State
    tries: int
    settled_at_ms: int | None
    why: str


class Counts(NamedTuple):
    """How the queue stands; `oldest_ms` is when the oldest waiting message was made."""

    waiting: int
    aside: int
    oldest_ms: int | None


class Outgoing:
    """The queue, open. Made by `Outgoing.open`; `chairside ehr` may have it open beside the service."""

    def __init__(self, place: Database, notes: tuple[str, ...]) -> None:
        """Take what `open` has found."""
        self._place = place
        self.notes = notes
        """What was done to the file at the start, in words."""

    @classmethod
    async def open(cls, url: str, *, existing: bool = False) -> Self:
        """Open the queue at `url`, make it and bring its schema forward; or only take it as it is."""
        where = make_url(url)
        if existing:
            _must_be_there(url)
        place = database(url)
        backups = Path(where.database or "").parent / "backups" if where.host is None else None
        try:
            said = await (as_it_is(place, OUTGOING) if existing else bring_forward(place, OUTGOING, backups))
        except BaseException as error:
            await place.close()
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise StoreError(f"The queue of messages cannot be opened: {plainly(error)}.") from error
            raise
        return cls(place, (said,) if said else ())

    async def read_to(self) -> int | None:
        """The row of the journal up to which everything stands here; None where nothing was ever read."""
        return await self._read(_read_to)

    async def put(self, messages: Sequence[New], seq: int | None = None) -> int:
        """Add what is not here yet, and note how far the journal has been read; how many were new."""
        return await self._write(partial(_put, messages=messages, seq=seq))

    async def first(self, count: int = 1, after: int = 0) -> Sequence[Queued]:
        """The messages that are next, in order; `after` leaves out those up to this number."""
        return await self._read(partial(_in_state, states=(State.WAITING,), count=count, after=after))

    async def aside(self) -> Sequence[Queued]:
        """What waits for a person, in order."""
        return await self._read(partial(_in_state, states=ASIDE, count=None))

    async def tried(self, number: int, why: str) -> None:
        """One more try came to nothing."""
        await self._write(partial(_tried, number=number, why=why))

    async def settle(self, number: int, state: State, at_ms: int, why: str = "") -> None:
        """It will not be sent again by itself."""
        await self._write(partial(_settle, number=number, state=state, at_ms=at_ms, why=why))

    async def again(self, numbers: Sequence[int] = ()) -> int:
        """Let these, or all, that were put aside wait again in their old place; how many they were."""
        return await self._write(partial(_again, numbers=numbers))

    async def drop(self, numbers: Sequence[int], at_ms: int) -> int:
        """Never send these that were put aside; how many they were."""
        return await self._write(partial(_drop, numbers=numbers, at_ms=at_ms))

    async def counts(self) -> Counts:
        """How it stands."""
        return await self._read(_counts)

    async def prune(self, before_ms: int) -> int:
        """Take away what was accepted or dropped before then; how many they were. Nothing else ever goes."""
        return await self._write(partial(_prune, before_ms=before_ms))

    async def close(self) -> None:
        """Let go."""
        await self._place.close()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.read(work)
        except Exception as error:
            raise StoreError(f"The queue of messages cannot be read: {plainly(error)}.") from error

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.write(work)
        except Exception as error:
            raise StoreError(f"The queue of messages cannot be written: {plainly(error)}.") from error


def _must_be_there(url: str) -> None:
    where = make_url(url)
    if where.host is None and not Path(where.database or "").is_file():
        raise StoreError(f"There is no file {where.database}: nothing was ever sent from here.")


def _read_to(connection: Connection) -> int | None:
    return connection.scalar(select(outgoing_read.c.seq).where(outgoing_read.c.reader == READER))


def _put(connection: Connection, messages: Sequence[New], seq: int | None) -> int:
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    count = 0
    for message in messages:
        new = dialect.insert(outgoing).values(
            control=message.control,
            session=message.session,
            at_ms=message.at_ms,
            body=message.body,
            state=message.state.value,
            tries=0,
            why=message.why,
        )
        count += connection.execute(new.on_conflict_do_nothing(index_elements=["control"])).rowcount
    if seq is not None:
        moved = update(outgoing_read).where(outgoing_read.c.reader == READER).values(seq=seq)
        if connection.execute(moved).rowcount == 0:
            connection.execute(insert(outgoing_read).values(reader=READER, seq=seq))
    return count


def _in_state(
    connection: Connection, states: Sequence[State], count: int | None, after: int = 0
) -> Sequence[Queued]:
    rows = select(outgoing).where(
        outgoing.c.state.in_(state.value for state in states), outgoing.c.number > after
    )
    return [_queued(row) for row in connection.execute(rows.order_by(outgoing.c.number).limit(count))]


def _queued(row: Row[Any]) -> Queued:
    return Queued(
        row.number,
        row.control,
        row.session,
        row.at_ms,
        row.body,
        State(row.state),
        row.tries,
        row.settled_at_ms,
        row.why,
    )


def _tried(connection: Connection, number: int, why: str) -> None:
    row = update(outgoing).where(outgoing.c.number == number)
    connection.execute(row.values(tries=outgoing.c.tries + 1, why=why))


def _settle(connection: Connection, number: int, state: State, at_ms: int, why: str) -> None:
    row = update(outgoing).where(outgoing.c.number == number)
    connection.execute(
        row.values(state=state.value, settled_at_ms=at_ms, why=why, tries=outgoing.c.tries + 1)
    )


def _again(connection: Connection, numbers: Sequence[int]) -> int:
    # What could never be made has nothing to send.
    rows = update(outgoing).where(outgoing.c.state == State.REFUSED.value)
    chosen = rows.where(outgoing.c.number.in_(numbers)) if numbers else rows
    return connection.execute(
        chosen.values(state=State.WAITING.value, settled_at_ms=None, tries=0, why="")
    ).rowcount


def _drop(connection: Connection, numbers: Sequence[int], at_ms: int) -> int:
    aside = (state.value for state in ASIDE)
    rows = update(outgoing).where(outgoing.c.state.in_(aside), outgoing.c.number.in_(numbers))
    return connection.execute(rows.values(state=State.DROPPED.value, settled_at_ms=at_ms)).rowcount


def _counts(connection: Connection) -> Counts:
    rows = connection.execute(
        select(outgoing.c.state, func.count().label("many"), func.min(outgoing.c.at_ms).label("oldest_ms"))
        .where(outgoing.c.state.in_(state.value for state in (State.WAITING, *ASIDE)))
        .group_by(outgoing.c.state)
    ).all()
    found = {row.state: row for row in rows}
    waiting = found.get(State.WAITING.value)
    aside = sum(row.many for state, row in found.items() if state != State.WAITING.value)
    if waiting is None:
        return Counts(0, aside, None)
    return Counts(waiting.many, aside, waiting.oldest_ms)


def _prune(connection: Connection, before_ms: int) -> int:
    over = outgoing.c.state.in_(state.value for state in OVER)
    return connection.execute(delete(outgoing).where(over, outgoing.c.settled_at_ms < before_ms)).rowcount

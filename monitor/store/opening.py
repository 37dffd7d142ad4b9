"""Everything that is kept, opened in the one right order, run and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url

from monitor.store.accounts import Accounts
from monitor.store.database import Hold, StoreError, make_folder
from monitor.store.journal import TURN_S, BrokenJournalError, Head, Journal
from monitor.store.salvage import mark, salvage
from monitor.store.trends import Trends


class Places(NamedTuple):
    """Where everything is, as database URLs."""

    journal: str
    trends: str
    accounts: str
    outgoing: str


@dataclass(frozen=True, slots=True)
class Store:
    """The journal, the trends and the accounts of one clinic, and the lock on their folder."""

    journal: Journal
    trends: Trends
    accounts: Accounts
    hold: Hold

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done at the start that somebody must hear of: a migration, a damaged file kept aside."""
        return self.journal.notes + self.trends.notes + self.accounts.notes

    async def run(self) -> None:
        """Write the trends and note the journal's head beside them, for ever."""
        await self.trends.run(head=lambda: self.journal.head)

    async def close(self) -> None:
        """Write what waits, note where the journal ends, and let go of everything."""
        try:
            await self.journal.close()
            await self.trends.keep_head(self.journal.head)
        finally:
            await asyncio.gather(self.trends.close(), self.accounts.close())
            self.hold.release()


def places(data_dir: Path, url: str | None = None) -> Places:
    """Files in `data_dir`, or one PostgreSQL database for all of them."""
    if url is not None:
        return Places(url, url, url, url)
    return Places(*(f"sqlite:///{data_dir.absolute() / name}.sqlite3" for name in Places._fields))


async def open_store(
    data_dir: Path, url: str | None = None, *, retention_days: int = 90, turn_s: float = TURN_S
) -> Store:
    """Hold the data directory, then open the three; a `StoreError` says in a sentence why it cannot be.

    The trends come first: they know whether there was a journal, and where it ended. `turn_s` is how long a
    turn of the ward waits for the journal's disk.
    """
    make_folder(data_dir)
    hold = Hold.take(data_dir)
    where = places(data_dir, url)
    opened: list[Trends | Journal] = []
    try:
        trends = await Trends.open(where.trends, retention_days=retention_days)
        opened.append(trends)
        journal = await _open_journal(where.journal, trends, hold, turn_s)
        opened.append(journal)
        return Store(journal, trends, await Accounts.open(where.accounts), hold)
    except BaseException:
        for each in reversed(opened):
            await each.close()
        hold.release()
        raise


async def _open_journal(url: str, trends: Trends, hold: Hold, turn_s: float) -> Journal:
    open_it = partial(Journal.open, url, kept=trends.kept_heads, hold=hold, turn_s=turn_s)
    try:
        return await open_it()
    except BrokenJournalError:
        file = make_url(url)
        if file.get_backend_name() != "sqlite":
            raise  # the server's own copies are for whoever runs it to put back
        salvaged = await salvage(Path(file.database or ""), trends.kept_heads)
    await trends.forget_heads(salvaged.bad_seq)
    journal = await open_it()
    await mark(journal, salvaged)
    journal.notes += (salvaged.said,)
    return journal


async def look(data_dir: Path, url: str | None = None) -> Journal:
    """The journal to look at while a service may be writing it: to verify, export, follow or report from."""
    where = places(data_dir, url)
    return await Journal.open(where.journal, kept=partial(_kept_beside, where.trends), read_only=True)


async def _kept_beside(url: str) -> Sequence[Head]:
    try:
        trends = await Trends.open(url, read_only=True)
    except StoreError:
        return ()  # a journal that was carried away alone is held against itself only
    try:
        return await trends.kept_heads()
    finally:
        await trends.close()

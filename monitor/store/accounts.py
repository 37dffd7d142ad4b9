"""The accounts: named users, and the tokens they, their screens and their programs are signed in with.

A file of their own: a sign-in must not queue for the journal's lock, and a copied journal must not carry
password hashes out of the clinic. What a disk does wrong is a `StoreError`, for the answer to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Row, Table, delete, make_url, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import Staff
from monitor.people import Account, Role, Token, TokenKind
from monitor.store.database import Database, StoreError, bring_forward, database, plainly
from monitor.store.tables import ACCOUNTS, accounts, tokens

T = TypeVar("T")


class Accounts:
    """The accounts, open. Made by `Accounts.open`, by the service and `chairside user` at once if need be."""

    def __init__(self, place: Database, notes: tuple[str, ...]) -> None:
        """Take what `open` has found."""
        self._place = place
        self.notes = notes
        """What was done to the file at the start, in words."""

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open or make the accounts at `url` and bring their schema forward."""
        place = database(url)
        where = make_url(url)
        backups = Path(where.database or "").parent / "backups" if where.host is None else None
        try:
            said = await bring_forward(place, ACCOUNTS, backups)
        except BaseException as error:
            await place.close()
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise StoreError(f"The accounts cannot be opened: {plainly(error)}.") from error
            raise
        return cls(place, (said,) if said else ())

    async def account(self, name: Staff) -> Account | None:
        """The account of that name, disabled or not."""
        rows = await self._read(partial(_select, table=accounts, where={"name": name}))
        return _account(rows[0]) if rows else None

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by name."""
        return tuple(_account(row) for row in await self._read(partial(_select, table=accounts, where={})))

    async def put(self, account: Account) -> None:
        """Make the account, or put it in the place of the one with its name."""
        await self._write(partial(_put, table=accounts, row=asdict(account)))

    async def token(self, secret_hash: str) -> Token | None:
        """The token with that hash, ended or not."""
        rows = await self._read(partial(_select, table=tokens, where={"secret_hash": secret_hash}))
        return _token(rows[0]) if rows else None

    async def tokens(self, name: Staff | None = None) -> tuple[Token, ...]:
        """All tokens, or those of one account or screen."""
        where = {} if name is None else {"name": name}
        return tuple(_token(row) for row in await self._read(partial(_select, table=tokens, where=where)))

    async def put_token(self, token: Token) -> None:
        """Keep a token, or put it in the place of the one with its hash."""
        await self._write(partial(_put, table=tokens, row=asdict(token)))

    async def drop_token(self, secret_hash: str) -> None:
        """Forget a token: what it opened is shut."""
        await self._write(partial(_drop, table=tokens, where={"secret_hash": secret_hash}))

    async def drop_tokens(self, name: Staff) -> None:
        """Forget every token of an account or screen."""
        await self._write(partial(_drop, table=tokens, where={"name": name}))

    async def close(self) -> None:
        """Let go."""
        await self._place.close()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.read(work)
        except Exception as error:
            raise StoreError(f"The accounts cannot be read: {plainly(error)}.") from error

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.write(work)
        except Exception as error:
            raise StoreError(f"The accounts cannot be written: {plainly(error)}.") from error


def _account(row: Row[Any]) -> Account:
    return Account(
        name=Staff(row.name),
        display=row.display,
        role=Role(row.role),
        password_hash=row.password_hash,
        pin_hash=row.pin_hash,
        disabled=row.disabled,
        created_at_ms=row.created_at_ms,
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        secret_hash=row.secret_hash,
        kind=TokenKind(row.kind),
        name=Staff(row.name),
        screen=row.screen,
        created_at_ms=row.created_at_ms,
        seen_at_ms=row.seen_at_ms,
        ends_at_ms=row.ends_at_ms,
    )


def _select(connection: Connection, table: Table, where: Mapping[str, str]) -> Sequence[Row[Any]]:
    rows = select(table).where(*(table.c[name] == value for name, value in where.items()))
    return connection.execute(rows.order_by(*table.primary_key)).all()


def _put(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]
    new = insert(table).values(**{name: getattr(value, "value", value) for name, value in row.items()})
    rest = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=rest))


def _drop(connection: Connection, table: Table, where: Mapping[str, str]) -> None:
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in where.items())))

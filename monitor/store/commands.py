"""What the command line does with the store: look at the journal, and keep the staff accounts.

Each command is `async command(data_dir, url, ...)`; a StoreError or RefusedError says in a sentence why not.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from pwdlib import PasswordHash

from monitor.model import Staff
from monitor.people import Account, Role
from monitor.store.accounts import Accounts
from monitor.store.database import make_folder
from monitor.store.opening import look, places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
PIN = re.compile(r"[0-9]{4,6}")
PASSWORD_LEAST = 8
"""Characters of a password (ASVS 5.0, 6.2.1)."""

MAY_SIGN_IN = (Role.NURSE, Role.CHARGE_NURSE, Role.PRESCRIBER, Role.ADMINISTRATOR, Role.MACHINE)


class RefusedError(Exception):
    """What was asked cannot be; the text says why."""


async def verify(data_dir: Path, url: str | None) -> tuple[str | None, int]:
    """(what is wrong with it or None, how many rows a whole journal has)."""
    journal = await look(data_dir, url)
    try:
        bad = await journal.verify()
        if bad is not None:
            return f"the journal is broken: row {bad} does not follow from the rows before it", 0
        if not await journal.guarded():
            return (
                "the journal's chain is whole, but what keeps its rows from being changed is gone",
                0,
            )
        return None, await journal.count()
    finally:
        await journal.close()


async def export(data_dir: Path, url: str | None, file: BinaryIO) -> int:
    """Write every row as JSON Lines; how many there were."""
    journal = await look(data_dir, url)
    try:
        return await journal.export(file)
    finally:
        await journal.close()


async def tail(
    data_dir: Path, url: str | None, last: int, say: Callable[[str], None], heard: Callable[[], bool]
) -> None:
    """Say the last rows, then each new one, for as long as somebody hears it."""
    journal = await look(data_dir, url)
    try:
        async for row in journal.tail(last, heard):
            event = row.event
            line = {"seq": row.seq, "at_ms": row.at_ms, "kind": type(event).__name__, "body": event}
            say(msgspec.json.encode(line).decode())
    finally:
        await journal.close()


async def add_user(
    data_dir: Path, url: str | None, name: str, role: str, display: str, password: str, pin: str | None
) -> None:
    """Add a person who may sign in."""
    if not NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name: lower-case letters, digits, - and _, at most 32 of them")
    if role not in MAY_SIGN_IN:
        raise RefusedError(f"there is no role {role!r}; these are: {', '.join(MAY_SIGN_IN)}")
    hashes = await _hashes(password, pin)
    async with _accounts(data_dir, url) as accounts:
        if await accounts.account(Staff(name)) is not None:
            raise RefusedError(f"{name} is there already; `chairside user reset` gives a new password")
        made_ms = time.time_ns() // 1_000_000
        await accounts.put(
            Account(Staff(name), display, Role(role), *hashes, disabled=False, created_at_ms=made_ms)
        )


async def list_users(data_dir: Path, url: str | None) -> list[str]:
    """A line a person."""
    async with _accounts(data_dir, url) as accounts:
        return [
            f"{a.name}  {a.role.value}  {a.display}{'  disabled' if a.disabled else ''}"
            for a in await accounts.accounts()
        ]


async def disable_user(data_dir: Path, url: str | None, name: str) -> None:
    """Let a person in no more, and end every sign-in they have."""
    async with _accounts(data_dir, url) as accounts:
        await accounts.put(replace(await _there(accounts, name), disabled=True))
        await accounts.drop_tokens(Staff(name))


async def reset_user(data_dir: Path, url: str | None, name: str, password: str, pin: str | None) -> None:
    """A new password and PIN; every sign-in with the old ones ends, and a disabled person is let in again."""
    hashes = await _hashes(password, pin)
    async with _accounts(data_dir, url) as accounts:
        account = await _there(accounts, name)
        await accounts.put(replace(account, password_hash=hashes[0], pin_hash=hashes[1], disabled=False))
        await accounts.drop_tokens(Staff(name))


async def _there(accounts: Accounts, name: str) -> Account:
    account = await accounts.account(Staff(name))
    if account is None:
        raise RefusedError(f"there is nobody called {name!r}")
    return account


async def _hashes(password: str, pin: str | None) -> tuple[str, str | None]:
    if len(password) < PASSWORD_LEAST:
        raise RefusedError(f"a password has at least {PASSWORD_LEAST} characters")
    if pin is not None and not PIN.fullmatch(pin):
        raise RefusedError("a PIN has 4 to 6 digits")
    hasher = PasswordHash.recommended()
    return (
        await asyncio.to_thread(hasher.hash, password),
        await asyncio.to_thread(hasher.hash, pin) if pin else None,
    )


@asynccontextmanager
async def _accounts(data_dir: Path, url: str | None) -> AsyncIterator[Accounts]:
    make_folder(data_dir)
    accounts = await Accounts.open(places(data_dir, url).accounts)
    try:
        yield accounts
    finally:
        await accounts.close()

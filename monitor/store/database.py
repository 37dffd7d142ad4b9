"""One database behind the store: an SQLite file in threads of its own, or a PostgreSQL server on the loop.

What is to be done is a plain function of a `Connection`, one transaction, the same for both. SQLite's runs
whole in one thread: a driver that hops there and back for each statement makes a durable event half as
dear again. After any error the connection is closed and never used again: a kernel that could not sync may
have dropped the pages and report success the next time (faults-and-threats F05).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import structlog
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    Row,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from monitor.store.tables import Schema

T = TypeVar("T")
Work = Callable[[Connection], T]

log = structlog.get_logger(__name__)

BUSY_MS = 200
"""How long SQLite asks for a locked file: shorter than the 250 ms a turn may wait, so that a write that was
kept out is known to have failed, and is marked late when it is written after all."""

CONNECT_S = 5
ANSWER_S = 10
"""A PostgreSQL server that has not answered by then is given up and asked anew."""

LOCK_KEY = int.from_bytes(b"chairsid")
"""The advisory lock of the one service that writes a PostgreSQL journal."""


class StoreError(Exception):
    """What is kept cannot be had; the text is one sentence for a technician."""


class InUseError(StoreError):
    """Another service has this data directory or database."""


class TooNewError(StoreError):
    """A newer program has written here. Nothing has been changed."""


class Database(Protocol):
    """A place for one family of tables."""

    name: str
    """What people call it: the file's name, or the server's address. Never a password."""

    async def write(self, work: Work[T]) -> T:
        """Do it in a transaction of the one writing connection; any error closes that connection."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Do it in a transaction beside the writing one."""
        ...

    async def back_up(self, folder: Path, stem: str) -> Path | None:
        """Copy it, as it is at one instant, into `folder`; None where copies are the server's business."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """A data directory held by this process until it ends, however it ends."""

    file: int

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Hold `folder`, or say who does. The kernel lets go after a kill -9: nothing to clean up (F09)."""
        try:
            file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"The folder {folder} cannot be used: {plainly(error)}.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise InUseError(f"Another Chairside (process {holder}) is using {folder}.") from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        return cls(file)

    def release(self) -> None:
        """Let another service have it."""
        os.close(self.file)


class SqliteFile:
    """An SQLite file in WAL mode: one thread writes, another reads meanwhile."""

    def __init__(self, path: Path, synchronous: str = "FULL", *, read_only: bool = False) -> None:
        """Open nothing yet: each thread opens its own connection with its first work."""
        self.name = path.name
        self.path = path
        self._writer = _Thread(_sqlite(path, "ro" if read_only else "rw", synchronous), f"{path.stem}-writer")
        self._reader = _Thread(_sqlite(path, "ro", synchronous), f"{path.stem}-reader")

    async def write(self, work: Work[T]) -> T:
        """Do it in the writing thread. It runs to its end there, whatever becomes of the caller."""
        return await self._writer.do(work)

    async def read(self, work: Work[T]) -> T:
        """Do it in the reading thread, on a connection that cannot write."""
        return await self._reader.do(work)

    async def back_up(self, folder: Path, stem: str) -> Path:
        """Copy it in one reading transaction: a writer goes on meanwhile."""
        make_folder(folder)
        target = _unused(folder, stem)
        await asyncio.get_running_loop().run_in_executor(None, copy_sqlite, self.path, target)
        return target

    async def close(self) -> None:
        """Close both connections in their threads."""
        await self._reader.close()
        await self._writer.close()


class _Thread:
    """One connection and the one thread that may touch it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: Connection | None = None

    async def do(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._do, work)

    def _do(self, work: Work[T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                return work(self._connection)
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It is given up because of an error that is already on its way to somebody.
            with contextlib.suppress(Exception):
                connection.invalidate()
            with contextlib.suppress(Exception):
                connection.close()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, self._drop)
        self._pool.shutdown(wait=False)


class PostgresServer:
    """A PostgreSQL database over asyncpg: one connection writes, others come and go to read."""

    def __init__(
        self, url: URL, *, sole: bool = False, durable: bool = True, answer_s: float = ANSWER_S
    ) -> None:
        """Open nothing yet. `sole`: the writing connection holds the lock of the one service."""
        self.name = f"the database {url.database} on {url.host or 'this machine'}"
        self._sole = sole
        self._durable = durable
        self._answer_s = answer_s
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            poolclass=NullPool,
            connect_args={
                "timeout": CONNECT_S,
                "server_settings": {"application_name": f"chairside {socket.gethostname()} {os.getpid()}"},
            },
        )
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._backend = 0

    async def write(self, work: Work[T]) -> T:
        """Do it on the writing connection, opened anew if an error closed the last one."""
        async with self._turn:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                return await _within(self._answer_s, self._connection, work)
            except BaseException:
                connection, self._connection = self._connection, None
                if connection is not None:
                    await _abandon(connection)
                raise

    async def read(self, work: Work[T]) -> T:
        """Do it on a connection of its own."""
        connection = await self._engine.connect()
        try:
            done = await _within(self._answer_s * 6, connection, work)
        except BaseException:
            await _abandon(connection)
            raise
        await connection.close()
        return done

    async def back_up(self, folder: Path, stem: str) -> None:  # noqa: ARG002  SQLite's twin needs them
        """Leave the copy to whoever runs the server."""
        return

    async def close(self) -> None:
        """Close the writing connection, and with it the lock."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await _abandon(connection)
        await self._engine.dispose()

    async def _connect(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            backend = await _within(self._answer_s, connection, self._claim)
        except BaseException:
            await _abandon(connection)
            raise
        self._backend = backend
        return connection

    def _claim(self, connection: Connection) -> int:
        # `on` waits for the disk as SQLite's FULL does; the flood of readings may lose its last second.
        connection.execute(text(f"SET synchronous_commit = {'on' if self._durable else 'off'}"))
        if self._sole and not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
            self._say_who(connection)
        return int(connection.scalars(text("SELECT pg_backend_pid()")).one())

    def _say_who(self, connection: Connection) -> None:
        holder = connection.execute(HOLDER, {"high": LOCK_KEY >> 32, "low": LOCK_KEY & 0xFFFFFFFF}).first()
        if holder is not None and holder.pid == self._backend:
            # Ours, from before the line broke: while it lives, a write of unknown fate may still land.
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": holder.pid})
            raise InUseError("The database server still holds the connection that broke.")
        who = "unknown" if holder is None else holder.application_name
        raise InUseError(f"Another Chairside ({who}) is using {self.name}.")


HOLDER = text(
    "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    " AND classid::bigint = :high AND objid::bigint = :low AND objsubid = 1"
)


async def _within(seconds: float, connection: AsyncConnection, work: Work[T]) -> T:
    """Do it in a transaction, or give the connection up: a hung server would not answer a rollback either."""

    async def do() -> T:
        async with connection.begin():
            return await connection.run_sync(work)

    doing = asyncio.ensure_future(do())
    try:
        done, _ = await asyncio.wait({doing}, timeout=seconds)
    except BaseException:
        await _abandon(connection)
        doing.add_done_callback(_look_away)
        raise
    if not done:
        await _abandon(connection)
        doing.add_done_callback(_look_away)
        raise TimeoutError("the database server does not answer")
    return doing.result()


def _look_away(done: asyncio.Future[Any]) -> None:
    # What it failed with is the end of its connection, which was on purpose.
    if not done.cancelled():
        done.exception()


async def _abandon(connection: AsyncConnection) -> None:
    """Cut the line without a word to the server, which may be hung."""
    with contextlib.suppress(Exception):
        raw = (await connection.get_raw_connection()).driver_connection
        if raw is not None:
            raw.terminate()
    with contextlib.suppress(Exception):
        await connection.invalidate()
    with contextlib.suppress(Exception):
        await connection.close()


def database(
    url: str,
    *,
    sole: bool = False,
    durable: bool = True,
    read_only: bool = False,
    answer_s: float = ANSWER_S,
) -> Database:
    """The database at `url`; an SQLite file is made if it is not there, for this user's eyes only.

    `answer_s` is how long a server may take for one transaction; a reading may take six times that.
    """
    where = make_url(url)
    if where.get_backend_name() == "postgresql":
        if find_spec("asyncpg") is None:
            raise StoreError("PostgreSQL needs one more part: pip install 'chairside[postgres]'.")
        return PostgresServer(where, sole=sole, durable=durable, answer_s=answer_s)
    if where.get_backend_name() != "sqlite" or not where.database:
        raise StoreError(f"The store knows sqlite and postgresql, not {where.get_backend_name()}.")
    path = Path(where.database)
    if not read_only:
        make_file(path)
    elif not path.is_file():
        raise StoreError(f"There is no file {path}.")
    return SqliteFile(path, "FULL" if durable else "NORMAL", read_only=read_only)


async def bring_forward(place: Database, schema: Schema, backups: Path | None) -> str | None:
    """Bring a database to this program's schema after a copy of it; what was done in words, or None.

    Forward only: of a newer schema nothing is understood, so nothing is touched (F12).
    """
    was = await place.read(partial(version, schema=schema))
    if was == schema.head:
        return None
    if was is not None and was not in _steps(schema):
        raise TooNewError(
            f"{place.name} was written by a newer Chairside (schema {was}, this program knows {schema.head})."
            " Nothing has been changed; start the newer program."
        )
    copy = None
    if was is not None and backups is not None:
        copy = await place.back_up(backups, f"{schema.part}-{was}")
    await place.write(partial(_upgrade, schema=schema))
    if was is None:
        return None
    said = f"{place.name}: the schema went from {was} to {schema.head}; " + (
        f"the copy from before is {copy}." if copy else "copies of it are the server's business."
    )
    tell(
        log.info,
        "schema migrated",
        part=schema.part,
        was=was,
        now=schema.head,
        copy=str(copy) if copy else None,
    )
    return said


async def as_it_is(place: Database, schema: Schema) -> None:
    """Make sure that this program can read a database that it must not bring forward."""
    was = await place.read(partial(version, schema=schema))
    if was != schema.head:
        raise StoreError(
            f"{place.name} has the schema {was}, and this program reads {schema.head}:"
            " start the service of this program on it first."
        )


def version(connection: Connection, schema: Schema) -> str | None:
    """How far the schema has come, or None where there is none yet."""
    if not inspect(connection).has_table(schema.version_table):
        return None
    said = connection.scalar(text(f"SELECT version_num FROM {schema.version_table}"))  # noqa: S608  our name
    return None if said is None else str(said)


def _steps(schema: Schema) -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(step.revision for step in ScriptDirectory.from_config(_alembic(schema)).walk_revisions())


def _upgrade(connection: Connection, schema: Schema) -> None:
    from alembic import command

    config = _alembic(schema)
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, schema.head)


def _alembic(schema: Schema) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.folders[0].parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, schema.folders)).replace("%", "%%"))
    return config


def make_folder(folder: Path) -> None:
    """Make `folder` for this user alone, or leave it as it is. Its parent must be there."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made: {plainly(error)}.") from error


def make_file(path: Path) -> None:
    """Make `path` empty if it is not there, and let nobody else read it; WAL files inherit its mode."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(file, 0o600)
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"The file {path} cannot be used: {plainly(error)}.") from error


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database as it is at one instant; `target` appears whole and synced, or not at all."""
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    make_file(half)
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(half)) as new,
    ):
        old.backup(new)
        # One file to carry away, without a log beside it.
        new.execute("PRAGMA journal_mode = DELETE")
    sync(half)
    half.rename(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until what was done to a file or a folder is on the disk."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _unused(folder: Path, stem: str) -> Path:
    names = (f"{stem}.sqlite3" if n == 1 else f"{stem}-{n}.sqlite3" for n in count(1))
    return next(folder / name for name in names if not (folder / name).exists())


def tell(how: Callable[..., object], what: str, **more: object) -> None:
    """Log it, if the log can be written: it may lie on the very disk that is full."""
    with contextlib.suppress(OSError):
        how(what, **more)


def plainly(error: BaseException) -> str:
    """What went wrong with a disk or a server, as one would tell a technician."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "the database server does not answer"
    match error.orig if isinstance(error, DBAPIError) else error:
        case sqlite3.Error() as sqlite:
            return _SQLITE.get(getattr(sqlite, "sqlite_errorcode", 0) & 0xFF, "the database reports an error")
        case TimeoutError() | ConnectionError() | socket.gaierror():
            return "the database server does not answer"
        case OSError(errno=int(number)):
            return _ERRNO.get(number, os.strerror(number).lower())
        case StoreError() as ours:
            return str(ours).rstrip(".")
        case other:
            return _SQLSTATE.get(getattr(other, "sqlstate", None) or "", "the database reports an error")


_SQLSTATE = {
    "53100": "the disk of the database server is full",
    "57P01": "the database server is going down",
    "57P02": "the database server has broken down",
    "57P03": "the database server is only starting",
    "25006": "the database may only be read",
    "42501": "this user may not use the database",
    "23505": "the rows do not fit what is already written",
}
_SQLITE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error or is full",
    sqlite3.SQLITE_BUSY: "another program has locked the file",
    sqlite3.SQLITE_LOCKED: "another program has locked the file",
    sqlite3.SQLITE_READONLY: "the file may not be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PERM: "the file may not be used",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is damaged or is no database",
    sqlite3.SQLITE_CONSTRAINT: "the rows do not fit what is already written",
}
_ERRNO = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "this user may not use it",
    errno.EPERM: "this user may not use it",
    errno.EROFS: "the disk may only be read",
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "a part of its path is no folder",
}


def _sqlite(path: Path, mode: str, synchronous: str) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_MS / 1000, isolation_level=None
        )
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")  # a damaged page is an error, not a strange row
        if mode == "rw":
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    # The write lock is taken first, so that a transaction is kept out before its work and not at its end.
    begin = "BEGIN IMMEDIATE" if mode == "rw" else "BEGIN"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)  # SQLAlchemy's own way costs more than the statement

    return engine


Rows = list[Row[Any]]

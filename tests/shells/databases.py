"""Real databases for the store's tests: SQLite in the test's folder, and a PostgreSQL server of our own."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import Connection, text

from monitor.model import (
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Event,
    PageOrdered,
    Priority,
    Staff,
    Why,
)
from monitor.store.database import database
from monitor.store.journal import Journal
from monitor.store.opening import Places, Store, open_store, places

T = TypeVar("T")

T0_MS = 1_790_000_000_000
PATIENCE_S = 30
ANNA = Staff("anna")


class Cluster:
    """A PostgreSQL server on a loopback port, as a user of its own: it refuses to run as root."""

    def __init__(self) -> None:
        """Make the cluster and start it."""
        self._bin = _binaries()
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="chairside-pg-"))
        if self._user:
            shutil.chown(self.folder, self._user, self._user)
        self._port = _free_port()
        self._names = (f"clinic{n}" for n in count(1))
        self._run(
            "initdb", "-D", self._data, "-U", "chairside", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://chairside@127.0.0.1:{self._port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self._port} -h 127.0.0.1 -c unix_socket_directories='' -c max_connections=40"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-t", str(PATIENCE_S), "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a power cut would: no goodbye to its clients."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def new_database(self) -> str:
        """The address of a database that is empty."""
        name = next(self._names)
        asyncio.run(self._create(name))
        return self.url(name)

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    async def _create(self, name: str) -> None:
        connection: Any = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        # To a file, not a pipe: the server keeps what pg_ctl was given open.
        with (self.folder / f"{program}.out").open("ab") as out:
            subprocess.run(
                [self._bin / program, *arguments],
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=True,
                timeout=PATIENCE_S * 2,
            )


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert versions, "the tests of the store need PostgreSQL: apt-get install postgresql"
    return versions[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Home:
    """Where one test keeps things: a folder, and the addresses in it."""

    folder: Path
    places: Places
    url: str | None

    @property
    def sqlite(self) -> bool:
        """Whether these are files."""
        return self.url is None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One server for the tests of a module."""
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """The contract suites run over both."""
    url = None
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("cluster")
        url = server.new_database()
    return Home(tmp_path, places(tmp_path, url), url)


async def unhurried(url: str, **more: Any) -> Journal:
    """The journal at `url`, given time: how slow a busy machine's disk may be, tests of slowness try."""
    return await Journal.open(url, turn_s=PATIENCE_S, **more)


async def unhurried_store(folder: Path, url: str | None = None) -> Store:
    """The store in `folder`, given time likewise."""
    return await open_store(folder, url, turn_s=PATIENCE_S)


async def behind_its_back(url: str, work: Callable[[Connection], T] | str) -> T | None:
    """Do something to a database as a person with its password could."""
    place = database(url)
    try:
        if isinstance(work, str):
            statement = work
            await place.write(lambda connection: connection.execute(text(statement)) and None)
            return None
        return await place.write(work)
    finally:
        await place.close()


def acked(n: int) -> Acked:
    """The n-th of a row of acts."""
    return Acked(T0_MS + n, n, ANNA)


def low_spo2(n: int) -> tuple[Event, ...]:
    """What one turn decides when a patient's saturation falls: the alarm and its page."""
    moved = AlarmMoved(
        at_ms=T0_MS + n,
        alarm_id=n,
        bed=Bed("3"),
        rule="spo2-low",
        priority=Priority.HIGH,
        was=AlarmState.PENDING,
        now=AlarmState.ACTIVE,
        cue=Cue.HELD,
        since_ms=T0_MS + n - 10_000,
        value=84.0,
        limit=90.0,
    )
    page = PageOrdered(
        at_ms=T0_MS + n,
        page_id=n,
        alarm_id=n,
        bed=Bed("3"),
        rule="spo2-low",
        priority=Priority.HIGH,
        step=0,
        to=ANNA,
        why=Why.FIRST,
        text="Bed 3 HIGH SpO2 84",
    )
    return moved, page

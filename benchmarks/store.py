"""The store: a durable event against SQLite alone, and how fast the flood of readings sinks.

The comparison for an event is a bare `sqlite3` connection in a thread, WAL and synchronous FULL, that writes
the same row and does nothing else: no chain, no check that it reads back, no time limit, no trigger. Both
take turns on the same disk and the same event loop, the one the service runs on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

import uvloop

from benchmarks.measure import Row, at_least, latency, pair, plain, watching_steal
from monitor.model import (
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Device,
    Event,
    Priority,
    Quality,
    Reading,
    Vital,
)
from monitor.store.journal import Journal
from monitor.store.opening import places
from monitor.store.trends import Trends

PAIRS = 9
EVENTS = 200
GOAL = 1.5
"""performance.md 3: a durable event takes at most this many times SQLite FULL through a thread."""

REPLAYED = 200_000
REPLAY_GOAL = 100_000
"""Events a second: a journal of 10^6 is on the screen within 10 s (faults-and-threats 0)."""

BEDS = 20
VITALS = (Vital.SPO2, Vital.HEART_RATE, Vital.RESPIRATION, Vital.PULSE_SPO2, Vital.PERFUSION)
SECONDS = 100
START_MS = 1_790_000_000_000


def rows() -> list[Row]:
    """All figures, on the disk this folder is on."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return [
            durable_event(runner, Path(folder)),
            replay(runner, Path(folder)),
            *runner.run(flood(Path(folder))),
        ]


def alarm(n: int) -> AlarmMoved:
    """The most frequent thing a journal holds."""
    return AlarmMoved(
        at_ms=START_MS + n,
        alarm_id=n,
        bed=Bed("3"),
        rule="spo2-low",
        priority=Priority.HIGH,
        was=AlarmState.PENDING,
        now=AlarmState.ACTIVE,
        cue=Cue.HELD,
        since_ms=START_MS + n - 10_000,
        value=84.0,
        limit=90.0,
        note="not confirmed",
    )


class Alone:
    """SQLite FULL through a thread, and nothing else."""

    def __init__(self, file: Path, row: tuple[object, ...]) -> None:
        """Make the file in its thread."""
        self._thread = ThreadPoolExecutor(1)
        self._row = row[1:]
        self._connection = self._thread.submit(self._open, file).result()

    async def append(self) -> None:
        """Write one row and wait until it is on the disk."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write)

    def close(self) -> None:
        """Close it in its thread."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()

    @staticmethod
    def _open(file: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE journal (seq INTEGER PRIMARY KEY, at_ms INTEGER, drift_ms INTEGER, kind TEXT,"
            " version INTEGER, late INTEGER, body TEXT, hash TEXT)"
        )
        return connection

    def _write(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", self._row)
        self._connection.execute("COMMIT")


def durable_event(runner: asyncio.Runner, folder: Path) -> Row:
    """One event, from the turn's call until it is on the disk."""
    journal = runner.run(Journal.open(places(folder).journal))
    runner.run(_append(journal, [alarm(0)]))
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as reader:
        alone = Alone(folder / "alone.sqlite3", reader.execute("SELECT * FROM journal").fetchone())

    async def ours() -> None:
        for n in range(EVENTS):
            await _append(journal, [alarm(n)])

    async def theirs() -> None:
        for _ in range(EVENTS):
            await alone.append()

    with watching_steal() as steal:
        found = pair(
            lambda: runner.run(ours()),
            lambda: runner.run(theirs()),
            pairs=PAIRS,
            clock=time.perf_counter,
        )
    runner.run(journal.close())
    alone.close()
    note = f"{found.ours_s / EVENTS * 1e3:.2f} ms against {found.theirs_s / EVENTS * 1e3:.2f} ms"
    return latency("durable event / SQLite FULL through a thread", found.ratio, GOAL, steal.share, "x", note)


def replay(runner: asyncio.Runner, folder: Path) -> Row:
    """How fast a long journal is read back into events."""

    async def read() -> float:
        journal = await Journal.open(places(folder).journal)
        for start in range(0, REPLAYED, 1000):
            await _append(journal, [alarm(n) for n in range(start, start + 1000)])
        started = time.perf_counter()
        count = 0
        async for _ in journal.replay():
            count += 1
        rate = count / (time.perf_counter() - started)
        await journal.close()
        return rate

    return at_least("journal read back", runner.run(read()), REPLAY_GOAL, "events/s")


async def flood(folder: Path) -> list[Row]:
    """Batches as a ward makes them that could not write for a while; what a second costs, and its size."""
    trends = await Trends.open(places(folder).trends)
    count = BEDS * len(VITALS) * SECONDS
    rates, costs = [], []
    for batch in range(PAIRS):
        for second in range(batch * SECONDS, (batch + 1) * SECONDS):
            for reading in _a_second(START_MS + second * 1000):
                trends.put(reading)
        started, used_s = time.perf_counter(), time.process_time()
        if not await trends.flush():
            raise RuntimeError(trends.why)
        rates.append(count / (time.perf_counter() - started))
        costs.append((time.process_time() - used_s) / SECONDS)
    size = await asyncio.to_thread(partial(_size, folder / "trends.sqlite3"))
    await trends.close()
    return [
        plain("readings written", median(rates), "rows/s", f"{count} rows a batch"),
        plain(f"{BEDS} beds, 5 readings a second each", 100 * median(costs), "% of a core"),
        plain("a reading on the disk", size / (count * PAIRS), "bytes", "rows; not yet the long-term form"),
    ]


def _a_second(at_ms: int) -> list[Reading]:
    return [
        Reading(at_ms, Bed(str(bed)), Device("m"), vital, 97.0, Quality.VALID, None, at_ms + 10_000)
        for bed in range(BEDS)
        for vital in VITALS
    ]


def _size(file: Path) -> int:
    with closing(sqlite3.connect(file)) as tool:
        tool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


async def _append(journal: Journal, events: list[Event]) -> None:
    if not await journal.append(events, 0):
        await journal.written()  # a disk that took longer than a turn waits is timed to its end

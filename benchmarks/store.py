"""The store against its limits: a durable event against SQLite alone, and how fast the flood of readings sinks.

    python -m benchmarks.store [--pairs N] [--events N] [DIR]

A durable event: product and comparison take turns in one run, on the same disk; the figure is the median of the
pairs' ratios, as wall time, with the stolen share beside it (none is to be trusted above 3 %). The comparison
is a bare `sqlite3` connection in a thread, WAL and synchronous FULL, which writes the same row and does nothing
else: no chain, no check, no time limit, no trigger. Goal: at most 1.5 times as long.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import uvloop

from monitor.model import (
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Device,
    Priority,
    Quality,
    Reading,
    Vital,
)
from monitor.store.journal import Journal
from monitor.store.opening import places
from monitor.store.trends import Trends

GOAL = 1.5
VITALS = (Vital.SPO2, Vital.HEART_RATE, Vital.RESPIRATION, Vital.PULSE_SPO2, Vital.PERFUSION)
START_MS = 1_790_000_000_000


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

    def __init__(self, folder: Path, row: tuple[object, ...]) -> None:
        """Make the file in its thread."""
        self._thread = ThreadPoolExecutor(1)
        self._row = row[1:]
        self._connection = self._thread.submit(self._open, folder / "alone.sqlite3").result()

    def _open(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
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

    async def append(self) -> None:
        """Write one row and wait until it is on the disk."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write)

    def close(self) -> None:
        """Close it in its thread."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


async def durable_event(folder: Path, pairs: int, events: int) -> float:
    """The median ratio of the journal to SQLite alone."""
    journal = await Journal.open(places(folder).journal)
    assert await journal.append([alarm(0)], 0)  # noqa: S101  the comparison writes this very row
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as reader:
        row = reader.execute("SELECT * FROM journal").fetchone()
    alone = Alone(folder, row)
    ours_ms, theirs_ms = [], []
    for pair in range(-1, pairs):  # the first warms both up
        started = time.perf_counter()
        for n in range(events):
            assert await journal.append([alarm(n)], 0)  # noqa: S101  a queued event would be a fast lie
        between = time.perf_counter()
        for _ in range(events):
            await alone.append()
        ended = time.perf_counter()
        if pair >= 0:
            ours_ms.append((between - started) / events * 1000)
            theirs_ms.append((ended - between) / events * 1000)
    await journal.close()
    alone.close()
    ratio = statistics.median(ours / theirs for ours, theirs in zip(ours_ms, theirs_ms, strict=True))
    print(
        f"durable event     {statistics.median(ours_ms):6.3f} ms   alone {statistics.median(theirs_ms):6.3f} ms"
        f"   ratio {ratio:.2f} (goal {GOAL})"
    )
    return ratio


async def flood(folder: Path, rounds: int, beds: int = 20) -> None:
    """Batches as 20 beds with five vitals a second for 100 s make them."""
    trends = await Trends.open(places(folder).trends)
    rates = []
    at_ms = START_MS
    for _ in range(rounds):
        for _ in range(100):
            at_ms += 1000
            for bed in range(beds):
                for vital in VITALS:
                    trends.put(
                        Reading(at_ms, Bed(str(bed)), Device("m"), vital, 97.0, Quality.VALID, None, at_ms + 10_000)
                    )
        started, cpu = time.perf_counter(), time.process_time()
        assert await trends.flush()  # noqa: S101  a failed flush would be a fast lie
        rates.append((100 * beds * len(VITALS) / (time.perf_counter() - started), time.process_time() - cpu))
    rows = rounds * 100 * beds * len(VITALS)
    await trends.close()
    size = (folder / "trends.sqlite3").stat().st_size / rows
    busy = statistics.median(cpu for _, cpu in rates) / 100
    print(
        f"readings written  {statistics.median(rate for rate, _ in rates):8.0f} rows/s"
        f"   20 beds x 5/s cost {busy * 100:.2f} % of a core   {size:.0f} bytes a row"
    )


@contextmanager
def stolen() -> Iterator[None]:
    """Say what share of the machine's time another machine took meanwhile."""
    before = _ticks()
    yield
    ticks = [after - was for was, after in zip(before, _ticks(), strict=True)]
    print(f"stolen            {100 * ticks[7] / max(sum(ticks[:8]), 1):.1f} %")


def _ticks() -> list[int]:
    return [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def main() -> None:
    """Measure both in a folder of their own on the disk that is asked about."""
    parser = argparse.ArgumentParser(description="The store against its limits.")
    parser.add_argument("dir", nargs="?", type=Path, default=Path.cwd(), help="where: the disk is what is measured")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--events", type=int, default=200)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-store-", dir=asked.dir))
    try:
        with stolen():
            uvloop.run(durable_event(folder, asked.pairs, asked.events))
            asyncio.run(flood(folder, max(asked.pairs, 5)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

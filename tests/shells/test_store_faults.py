"""What the store does when its disk or its server does not: faults F01 to F13, each by its number.

While a fault lasts nothing is raised and nobody waits for it; after it each event is in the journal once, in
its order.
"""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

import asyncio
import io
import os
import random
import resource
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from monitor.model import PartMoved
from monitor.store.database import InUseError, SqliteFile, StoreError, Work, copy_sqlite
from monitor.store.journal import WAITING_MAX, Entry, Head, Journal, MissingJournalError, none_kept
from monitor.store.opening import look, places
from monitor.store.trends import Trends
from tests.shells.databases import (  # noqa: F401  the fixtures are found by name
    PATIENCE_S,
    T0_MS,
    Cluster,
    acked,
    cluster,
    low_spo2,
    unhurried,
    unhurried_store,
)
from tests.shells.test_store_contract import spo2

pytestmark = pytest.mark.real

T = TypeVar("T")


async def journal_at(folder: Path) -> Journal:
    return await unhurried(places(folder).journal)


async def rows_of(journal: Journal) -> list[tuple[Entry, bool]]:
    return [(row.event, row.late) async for row in journal.replay()]


async def caught_up(journal: Journal) -> None:
    await asyncio.wait_for(journal.written(), PATIENCE_S)
    assert journal.recording
    assert journal.why == ""
    assert journal.unwritten == 0
    assert await journal.verify() is None


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await journal_at(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def hurried(tmp_path: Path) -> AsyncIterator[Journal]:
    """With the service's own 250 ms a turn."""
    opened = await Journal.open(places(tmp_path).journal)
    yield opened
    await opened.close()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program has the file to itself."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full_disk(file: Path, room: int) -> Iterator[None]:
    """Writes past the size of `file` and `room` bytes fail; Python ignores SIGXFSZ, so nothing is killed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


WRITER = """
import asyncio, sys
from pathlib import Path
from monitor.store.opening import places
from monitor.store.journal import Journal
from tests.shells.databases import acked

async def main():
    journal = await Journal.open(places(Path(sys.argv[1])).journal)
    n = journal.head.seq
    print("open", flush=True)
    while True:
        n += 1
        if await journal.append([acked(n)], 0):
            print(n, flush=True)

asyncio.run(main())
"""


def writer(folder: Path) -> subprocess.Popen[str]:
    """A service that writes as fast as it can and says what it was told is written."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def rolled() -> random.Random:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201  shown when the test fails
    return random.Random(seed)  # noqa: S311  dice, no secret


@pytest.mark.shows("ALM-094", "HZ-11")
async def test_F01_what_was_acknowledged_is_there_after_any_kill(tmp_path: Path) -> None:
    dice = rolled()
    acknowledged = 0
    for _ in range(6):
        child = writer(tmp_path)
        assert said(child) == "open"
        for _ in range(dice.randrange(1, 60)):
            acknowledged = int(said(child))
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate(timeout=PATIENCE_S)
        acknowledged = max([acknowledged, *map(int, rest.split("\n")[:-1])])  # a last half line was not said

        journal = await journal_at(tmp_path)
        assert acknowledged <= journal.head.seq
        assert await journal.verify() is None
        acknowledged = journal.head.seq
        await journal.close()

    journal = await journal_at(tmp_path)
    assert [event for event, _ in await rows_of(journal)] == [acked(n) for n in range(1, acknowledged + 1)]
    await journal.close()


@pytest.mark.shows("ALM-094")
async def test_F04_a_full_disk_stops_no_turn_and_loses_nothing(tmp_path: Path, journal: Journal) -> None:
    assert await journal.append([acked(1)], 0)

    with full_disk(tmp_path / "journal.sqlite3-wal", room=10_000):
        answers = [await journal.append([acked(n)], 0) for n in range(2, 40)]
        assert not journal.recording
        assert "full" in journal.why
        assert journal.unwritten == answers.count(False)

    await caught_up(journal)
    rows = await rows_of(journal)
    assert [event for event, _ in rows] == [acked(n) for n in range(1, 40)]
    assert [late for _, late in rows] == [False, *[not answer for answer in answers]]
    assert answers.index(False) > 0  # the first ones had room
    assert not any(answers[answers.index(False) :])


async def test_F04_a_full_database_stops_no_turn_and_loses_nothing(journal: Journal) -> None:
    assert await journal.append([acked(1)], 0)
    await journal._place.write(lambda connection: connection.execute(text("PRAGMA max_page_count = 8")).all())

    answers = [await journal.append(low_spo2(n), 0) for n in range(2, 60)]

    assert False in answers
    await caught_up(journal)  # the fresh connection has room: this one's end was its own
    rows = await rows_of(journal)
    assert [event for event, _ in rows] == [acked(1), *[event for n in range(2, 60) for event in low_spo2(n)]]
    assert any(late for _, late in rows)


async def test_F04_what_can_no_longer_wait_is_counted_and_the_journal_says_where(
    tmp_path: Path, journal: Journal
) -> None:
    most = WAITING_MAX
    with locked(tmp_path / "journal.sqlite3"):
        for start in range(1, most + 1001, 1000):
            assert not await journal.append([acked(n) for n in range(start, start + 1000)], 0)
        assert journal.unwritten == most
        assert journal.lost == 1000
        assert "1000 are lost" in journal.why

    await caught_up(journal)
    assert await journal.append([acked(0)], 0)
    rows = await rows_of(journal)
    assert [event for event, _ in rows[:most]] == [acked(n) for n in range(1, most + 1)]
    assert [event for event, _ in rows[most:]] == [
        PartMoved(
            at_ms=T0_MS + most + 1000,
            part="journal",
            ok=True,
            why="1000 events were lost here: too many were waiting for the disk",
            since_ms=T0_MS + most + 1,
        ),
        acked(0),
    ]


class Forgetful(SqliteFile):
    """A disk of which one never knows: the write that ends in an error was done, or was not."""

    def __init__(self, path: Path, fates: list[str]) -> None:
        """Meet the writes with these fates, one each; then be well."""
        super().__init__(path)
        self.fates = fates

    async def write(self, work: Work[T]) -> T:
        """Do it, or say so only, or do it and deny it."""
        fate = self.fates.pop(0) if self.fates else "well"
        if fate == "refused":
            raise OSError(28, "No space left on device")
        done = await super().write(work)
        if fate == "denied":
            raise OSError(5, "Input/output error")
        return done


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(["well", "refused", "denied"]), max_size=6))
def test_F05_a_write_of_unknown_fate_is_in_the_journal_exactly_once(fates: list[str]) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            await (await journal_at(Path(folder))).close()
            place = Forgetful(Path(folder) / "journal.sqlite3", list(fates))
            journal = Journal(place, none_kept, None, ())
            for n in range(1, 5):
                await journal.append([acked(n)], 0)
            await caught_up(journal)
            assert [event for event, _ in await rows_of(journal)] == [acked(n) for n in range(1, 5)]
            await journal.close()

    asyncio.run(live())


async def test_F05_after_an_error_the_connection_is_never_used_again(
    tmp_path: Path, journal: Journal
) -> None:
    before = journal._place._writer._connection  # type: ignore[attr-defined]  # behind the curtain
    assert before is not None

    with locked(tmp_path / "journal.sqlite3"):
        assert not await journal.append([acked(1)], 0)
    await caught_up(journal)

    assert before.closed
    assert await rows_of(journal) == [(acked(1), True)]


async def test_F06_a_write_still_under_way_after_its_time_is_neither_lost_nor_doubled(
    tmp_path: Path, hurried: Journal
) -> None:
    journal = hurried
    # The writer now waits for the lock inside its transaction, as it would for a slow sync.
    await journal._place.write(
        lambda connection: connection.execute(text("PRAGMA busy_timeout = 60000")).all()
    )

    with locked(tmp_path / "journal.sqlite3"):
        answers = [await journal.append([acked(n)], 0) for n in range(1, 6)]
        assert answers == [False] * 5
        assert "slow" in journal.why
        assert journal.unwritten == 4  # the first is under way

    await caught_up(journal)
    assert await rows_of(journal) == [(acked(n), n > 1) for n in range(1, 6)]
    assert await journal.append([acked(6)], 0)


async def test_F06_a_turn_that_was_given_up_is_written_all_the_same(tmp_path: Path, hurried: Journal) -> None:
    journal = hurried
    await journal._place.write(
        lambda connection: connection.execute(text("PRAGMA busy_timeout = 60000")).all()
    )

    with locked(tmp_path / "journal.sqlite3"):
        turn = asyncio.create_task(journal.append([acked(1)], 0))
        await asyncio.wait({turn}, timeout=0.05)
        turn.cancel()
        assert not await journal.append([acked(2)], 0)

    await caught_up(journal)
    assert await rows_of(journal) == [(acked(1), False), (acked(2), True)]


async def test_F07_every_flipped_byte_of_a_row_is_found_and_the_row_named(tmp_path: Path) -> None:
    journal = await journal_at(tmp_path)
    assert await journal.append([acked(n) for n in range(1, 6)], 0)
    await journal.close()
    file = tmp_path / "journal.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as tool:
        for trigger in ("journal_no_update", "journal_no_delete", "journal_no_replace"):
            tool.execute(f"DROP TRIGGER {trigger}")
        for column in ("kind", "body", "hash"):
            (word,) = tool.execute(f"SELECT {column} FROM journal WHERE seq = 3").fetchone()  # noqa: S608  ours
            for place in range(len(word)):
                letter = chr(ord(word[place]) ^ 1)
                bad = word[:place] + letter + word[place + 1 :]
                tool.execute(f"UPDATE journal SET {column} = ? WHERE seq = 3", (bad,))  # noqa: S608  ours
                looking = await look(tmp_path)
                assert await looking.verify() == 3, (column, place)
                await looking.close()
            tool.execute(f"UPDATE journal SET {column} = ? WHERE seq = 3", (word,))  # noqa: S608  ours
    looking = await look(tmp_path)
    assert await looking.verify() is None
    await looking.close()


async def a_journal_on_many_pages(folder: Path) -> tuple[bytes, bytes]:
    """The bytes of the file and of its export."""
    folder.mkdir()  # noqa: ASYNC240  nobody waits
    journal = await journal_at(folder)
    for n in range(1, 60):
        assert await journal.append(low_spo2(n), 0)
    good = io.BytesIO()
    await journal.export(good)
    await journal.close()
    return (folder / "journal.sqlite3").read_bytes(), good.getvalue()


async def is_reported_or_changes_nothing(image: bytes, bit: int, folder: Path, good: bytes) -> bool:
    """Flip one bit: whether it was reported. If not, the export must be what it was."""
    damaged = bytearray(image)
    damaged[bit // 8] ^= 1 << bit % 8
    folder.mkdir()  # noqa: ASYNC240  nobody waits
    (folder / "journal.sqlite3").write_bytes(damaged)
    try:
        looking = await look(folder)
    except StoreError:
        return True
    try:
        if await looking.verify() is not None:
            return True
        found = io.BytesIO()
        await looking.export(found)
        assert found.getvalue() == good, f"bit {bit}"
        return False
    finally:
        await looking.close()


async def test_F07_a_bit_flipped_on_the_disk_is_reported_or_changes_nothing(tmp_path: Path) -> None:
    image, good = await a_journal_on_many_pages(tmp_path / "whole")
    dice = rolled()
    reported = [
        await is_reported_or_changes_nothing(
            image, dice.randrange(len(image) * 8), tmp_path / str(flip), good
        )
        for flip in range(100)
    ]
    assert any(reported)


async def test_F07_a_damaged_tree_leads_no_reader_in_a_circle(tmp_path: Path) -> None:
    """One such bit led back to row 1 after row 14, and a reader that trusted it read for ever."""
    image, good = await a_journal_on_many_pages(tmp_path / "whole")
    page = 4096
    # "B-tree Pages" of SQLite's file format: 5 is an inner page of a table, its cells stand at its end.
    (inner,) = [start for start in range(page, len(image), page) if image[start] == 5]
    for byte in range(inner + page - 48, inner + page):
        for bit in range(4):
            await is_reported_or_changes_nothing(image, byte * 8 + bit, tmp_path / f"{byte}-{bit}", good)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE journal SET drift_ms = 5 WHERE seq = 4",
        "DELETE FROM journal WHERE seq > 3",
        "UPDATE journal SET body = CAST(x'7bff7d' AS TEXT) WHERE seq = 4",  # no text: the driver raises
    ],
)
async def test_F07_a_damaged_journal_is_kept_aside_and_the_ward_goes_on_from_before(
    tmp_path: Path, damage: str
) -> None:
    store = await unhurried_store(tmp_path)
    assert await store.journal.append([acked(n) for n in range(1, 7)], 0)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)) as tool:
        tool.execute("DROP TRIGGER journal_no_update")
        tool.execute("DROP TRIGGER journal_no_delete")
        tool.execute(damage)
    damaged = (tmp_path / "journal.sqlite3").read_bytes()

    store = await unhurried_store(tmp_path)

    (note,) = store.notes
    assert note.startswith("The journal was damaged: it goes on from row 3.")
    *kept, mark = [event for event, _ in await rows_of(store.journal)]
    assert kept == [acked(1), acked(2), acked(3)]
    assert mark == PartMoved(T0_MS + 3, "journal", ok=True, why=note, since_ms=T0_MS + 3)
    assert (tmp_path / "damaged" / "1" / "journal.sqlite3").read_bytes() == damaged
    assert await store.journal.append([acked(7)], 0)
    assert await store.journal.verify() is None
    await store.close()

    again = await unhurried_store(tmp_path)
    assert again.notes == ()
    assert again.journal.head.seq == 5
    with pytest.raises(IntegrityError, match="append-only"):
        await again.journal._place.write(lambda connection: connection.execute(text("DELETE FROM journal")))
    await again.close()


async def test_F08_a_locked_database_holds_up_no_turn(tmp_path: Path, journal: Journal) -> None:
    assert await journal.append([acked(1)], 0)

    with locked(tmp_path / "journal.sqlite3"):  # an append that waited for the lock would never come back
        answers = [await journal.append([acked(n)], 0) for n in range(2, 50)]
        assert answers == [False] * 48
        assert not journal.recording
        assert "48 events wait" in journal.why
        assert "another program has locked the file" in journal.why
        assert [event for event, _ in await rows_of(journal)] == [acked(1)]

    await caught_up(journal)
    assert await rows_of(journal) == [(acked(n), n > 1) for n in range(1, 50)]
    assert await journal.append([acked(50)], 0)
    assert (await rows_of(journal))[-1] == (acked(50), False)


async def test_F09_a_second_service_is_told_the_pid_and_a_kill_needs_no_clean_up(tmp_path: Path) -> None:
    first = writer(tmp_path)
    assert said(first) == "open"

    with pytest.raises(InUseError, match=rf"process {first.pid}\) is using"):
        await unhurried_store(tmp_path)
    first.kill()
    first.communicate(timeout=PATIENCE_S)

    store = await unhurried_store(tmp_path)
    assert await store.journal.append([acked(1)], 0)
    await store.close()


async def test_F10_a_missing_journal_is_not_made_anew(tmp_path: Path) -> None:
    store = await unhurried_store(tmp_path)
    assert await store.journal.append([acked(1), acked(2)], 0)
    await store.close()
    (tmp_path / "journal.sqlite3").unlink()

    with pytest.raises(MissingJournalError, match="is missing, but 2 rows had been written"):
        await unhurried_store(tmp_path)

    assert not (tmp_path / "journal.sqlite3").exists()


@pytest.mark.parametrize("where", ["a-file/data", "nowhere/data", "a-file"])
async def test_F10_a_folder_that_cannot_be_had_is_one_plain_sentence(tmp_path: Path, where: str) -> None:
    (tmp_path / "a-file").write_text("")

    with pytest.raises(StoreError, match=r"^The folder .* cannot be (made|used): .*\.$"):
        await unhurried_store(tmp_path / where)


async def test_F10_a_file_that_is_no_database_is_one_plain_sentence_and_stays(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"shopping list" * 1000)

    with pytest.raises(StoreError, match="damaged or is no database"):
        await unhurried_store(tmp_path)

    assert (tmp_path / "journal.sqlite3").read_bytes() == b"shopping list" * 1000


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_T16_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    old = os.umask(0)
    try:
        for folder in (tmp_path / "fresh", tmp_path / "data"):
            store = await unhurried_store(folder)
            assert await store.journal.append([acked(1)], 0)
            modes = modes_in(folder)
            assert set(modes.values()) == {0o600}, modes
            await store.close()
    finally:
        os.umask(old)
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o700


async def test_F11_a_copy_made_while_rows_are_written_is_a_whole_beginning(tmp_path: Path) -> None:
    journal = await journal_at(tmp_path)
    written = 0
    for copy in range(5):
        folder = tmp_path / f"copy{copy}"
        folder.mkdir()
        copying = asyncio.create_task(
            asyncio.to_thread(copy_sqlite, tmp_path / "journal.sqlite3", folder / "journal.sqlite3")
        )
        while not copying.done():
            written += 1
            assert await journal.append([acked(written)], 0)
        await copying
        looking = await look(folder)
        assert await looking.verify() is None
        rows = await rows_of(looking)
        assert rows == [(acked(n), False) for n in range(1, len(rows) + 1)]
        await looking.close()
    await journal.close()


# PostgreSQL.


@pytest.fixture
async def server_journal(cluster: Cluster) -> AsyncIterator[Journal]:
    opened = await unhurried(await asyncio.to_thread(cluster.new_database))
    yield opened
    await opened.close()


@asynccontextmanager
async def hurried_on(cluster: Cluster, **more: Any) -> AsyncIterator[Journal]:
    """With the service's own 250 ms a turn."""
    opened = await Journal.open(await asyncio.to_thread(cluster.new_database), **more)
    try:
        yield opened
    finally:
        await opened.close()


async def test_F13_a_server_that_goes_and_comes_back_loses_nothing(
    cluster: Cluster,
    server_journal: Journal,
) -> None:
    assert await server_journal.append([acked(1)], 0)

    await asyncio.to_thread(cluster.stop)
    assert [await server_journal.append(low_spo2(n), 0) for n in range(2, 6)] == [False] * 4
    assert "does not answer" in server_journal.why
    await asyncio.to_thread(cluster.start)

    await caught_up(server_journal)
    assert await rows_of(server_journal) == [
        (acked(1), False),
        *[(event, True) for n in range(2, 6) for event in low_spo2(n)],
    ]


async def test_F13_a_backend_cut_off_between_two_turns_costs_one_late_row(
    cluster: Cluster,
    server_journal: Journal,
) -> None:
    assert await server_journal.append([acked(1)], 0)
    tool = await asyncpg.connect(cluster.url("postgres"))
    await tool.execute("SELECT pg_terminate_backend($1, 5000)", backend(server_journal))
    await tool.close()

    assert not await server_journal.append([acked(2)], 0)

    await caught_up(server_journal)
    assert await rows_of(server_journal) == [(acked(1), False), (acked(2), True)]


async def test_F13_a_backend_that_hangs_holds_up_no_turn(cluster: Cluster) -> None:
    async with hurried_on(cluster) as journal:
        assert await journal.append([acked(1)], 0)
        hung = backend(journal)

        os.kill(hung, signal.SIGSTOP)
        assert [await journal.append([acked(n)], 0) for n in range(2, 6)] == [False] * 4
        assert "slow" in journal.why
        os.kill(hung, signal.SIGCONT)

        await caught_up(journal)
        assert await rows_of(journal) == [(acked(n), n > 2) for n in range(1, 6)]


async def test_F13_a_backend_that_hangs_for_good_is_given_up_and_cannot_write_twice(
    cluster: Cluster,
) -> None:
    async with hurried_on(cluster, answer_s=0.5) as journal:
        assert await journal.append([acked(1)], 0)
        hung = backend(journal)

        os.kill(hung, signal.SIGSTOP)
        assert not await journal.append([acked(2)], 0)
        under_way = journal._under_way
        assert under_way is not None
        await asyncio.wait({under_way}, timeout=PATIENCE_S)
        assert "does not answer" in journal.why
        assert not await journal.append([acked(3)], 0)
        os.kill(hung, signal.SIGCONT)

        await caught_up(journal)
        assert [event for event, _ in await rows_of(journal)] == [acked(1), acked(2), acked(3)]
        assert backend(journal) != hung


def backend(journal: Journal) -> int:
    return int(journal._place._backend)  # type: ignore[attr-defined]  # behind the curtain


# The trends.


async def test_F04_trends_that_cannot_be_written_wait_and_raise_nothing(tmp_path: Path) -> None:
    trends = await Trends.open(places(tmp_path).trends)
    for second in range(20):
        trends.put(spo2(second, 97.0))

    with locked(tmp_path / "trends.sqlite3"):
        assert not await trends.flush()
        assert trends.failures == 1
        assert trends.why == "Readings are not being kept: another program has locked the file."
        assert not await trends.keep_head(Head(1, "0" * 64))
        trends.put(spo2(20, 97.0))

    assert await trends.flush()
    assert trends.why == ""
    trend = await trends.trend(spo2(0, None).bed, T0_MS, T0_MS + 30_000, 30)
    (points,) = trend.vitals.values()
    assert len(points) == 21
    await trends.close()

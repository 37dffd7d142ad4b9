"""The schema goes forward, after a copy, in one transaction; an older program leaves a newer one alone."""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from monitor.store.accounts import Accounts
from monitor.store.database import TooNewError, _alembic, bring_forward, copy_sqlite, database
from monitor.store.opening import look, places
from monitor.store.tables import ACCOUNTS, JOURNAL, OUTGOING, TRENDS, Schema
from monitor.store.trends import Trends
from tests.shells.databases import (  # noqa: F401  the fixtures are found by name
    Home,
    acked,
    behind_its_back,
    cluster,
    home,
    unhurried,
    unhurried_store,
)

pytestmark = pytest.mark.real

SCHEMAS = [JOURNAL, TRENDS, ACCOUNTS, OUTGOING]

FIRST_JOURNAL = """
    CREATE TABLE journal (seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, drift_ms INTEGER NOT NULL,
        kind VARCHAR(40) NOT NULL, version SMALLINT NOT NULL, late SMALLINT NOT NULL, body TEXT NOT NULL,
        hash VARCHAR(64) NOT NULL, PRIMARY KEY (seq));
    CREATE TABLE journal_schema (version_num VARCHAR(32) NOT NULL,
        CONSTRAINT journal_schema_pkc PRIMARY KEY (version_num));
    INSERT INTO journal_schema VALUES ('journal1');
    INSERT INTO journal VALUES (1, 1790000000001, 0, 'Acked', 1, 0,
        '{"at_ms":1790000000001,"alarm_id":1,"by":"anna"}',
        '%s');
"""
"""What the first released program left on a disk, as far as a later one depends on it."""

FIRST_HASH = "4b3b9af21371002e0f95c7306f509ca9226df4f918addc9d5e4af8b64e8f70b2"

TOMORROW = '''
"""A step that a later program will take."""

import sqlalchemy as sa
from alembic import op

revision = "journal2"
down_revision = "journal1"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("journal", sa.Column("station", sa.Text, nullable=True))
    {then}
'''


def of_tomorrow(folder: Path, then: str = "") -> Schema:
    """The schema that a later program knows."""
    steps = folder / "steps"
    steps.mkdir()
    (steps / "journal2.py").write_text(TOMORROW.format(then=then))
    return dataclasses.replace(JOURNAL, head="journal2", folders=(*JOURNAL.folders, steps))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.part)
async def test_the_steps_lead_from_nothing_to_the_schema_that_is_used(home: Home, schema: Schema) -> None:
    url = getattr(home.places, schema.part)
    place = database(url)

    assert await bring_forward(place, schema, home.folder / "backups") is None

    def differences(connection: object) -> list[object]:
        options = {"version_table": schema.version_table, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.tables))  # type: ignore[arg-type]

    assert await place.write(differences) == []
    assert await bring_forward(place, schema, home.folder / "backups") is None
    assert not (home.folder / "backups").exists()
    await place.close()


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.part)
def test_the_newest_step_is_the_one_the_program_says_it_knows(schema: Schema) -> None:
    assert ScriptDirectory.from_config(_alembic(schema)).get_heads() == [schema.head]


async def test_the_three_live_side_by_side_in_one_database(home: Home) -> None:
    store = await unhurried_store(home.folder, home.url)
    assert await store.journal.append([acked(1)], 0)
    assert store.notes == ()
    await store.close()

    again = await unhurried_store(home.folder, home.url)
    assert again.journal.head.seq == 1
    assert list(await again.trends.kept_heads()) == [again.journal.head]
    await again.close()


async def test_F12_rows_of_the_first_schema_are_read_by_this_program(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as first:
        first.executescript(FIRST_JOURNAL % FIRST_HASH)

    journal = await unhurried(places(tmp_path).journal)

    assert [row.event async for row in journal.replay()] == [acked(1)]
    assert await journal.verify() is None
    assert await journal.append([acked(2)], 0)
    assert await journal.verify() is None
    await journal.close()


async def test_F12_the_schema_goes_forward_after_a_copy_and_says_so(home: Home) -> None:
    before = await unhurried(home.places.journal)
    assert await before.append([acked(1), acked(2)], 0)
    await before.close()
    place = database(home.places.journal)

    said = await bring_forward(place, of_tomorrow(home.folder), home.folder / "backups")

    assert said is not None
    assert "the schema went from journal1 to journal2" in said
    columns = "SELECT seq, station FROM journal ORDER BY seq"
    rows = await place.read(lambda connection: connection.execute(text(columns)).all())
    assert [tuple(row) for row in rows] == [(1, None), (2, None)]
    await place.close()
    if home.sqlite:
        copy = home.folder / "backups" / "journal-journal1.sqlite3"
        assert str(copy) in said
        assert copy.stat().st_mode & 0o777 == 0o600
        (home.folder / "restored").mkdir()
        copy.rename(home.folder / "restored" / "journal.sqlite3")
        restored = await look(home.folder / "restored")
        assert [row.event async for row in restored.replay()] == [acked(1), acked(2)]
        assert await restored.verify() is None
        await restored.close()


async def test_F12_an_older_program_refuses_a_newer_schema_and_writes_nothing(home: Home) -> None:
    await (await unhurried(home.places.journal)).close()
    place = database(home.places.journal)
    await bring_forward(place, of_tomorrow(home.folder), None)
    await place.close()
    files = {path.name: path.read_bytes() for path in home.folder.glob("journal.sqlite3*")}

    with pytest.raises(
        TooNewError, match=r"newer Chairside \(schema journal2, this program knows journal1\)"
    ):
        await unhurried(home.places.journal)

    after = {path.name: path.read_bytes() for path in home.folder.glob("journal.sqlite3*")}
    assert {name: data for name, data in after.items() if data and not name.endswith("-shm")} == {
        name: data for name, data in files.items() if data and not name.endswith("-shm")
    }
    assert not (home.folder / "backups").exists()


async def test_F12_a_step_that_breaks_half_way_has_not_been(home: Home) -> None:
    journal = await unhurried(home.places.journal)
    assert await journal.append([acked(1)], 0)
    await journal.close()
    place = database(home.places.journal)

    with pytest.raises(ZeroDivisionError):
        await bring_forward(place, of_tomorrow(home.folder, then="1 / 0"), home.folder / "backups")
    await place.close()

    again = await unhurried(home.places.journal)
    assert [row.event async for row in again.replay()] == [acked(1)]
    assert await again.append([acked(2)], 0)
    await again.close()


async def test_F12_every_copy_has_a_name_of_its_own(tmp_path: Path) -> None:
    await (await unhurried(places(tmp_path).journal)).close()
    place = database(places(tmp_path).journal)

    made = [await place.back_up(tmp_path / "backups", "journal-journal1") for _ in range(3)]

    assert [path.name for path in made if path] == [
        "journal-journal1.sqlite3",
        "journal-journal1-2.sqlite3",
        "journal-journal1-3.sqlite3",
    ]
    assert (tmp_path / "backups").stat().st_mode & 0o777 == 0o700
    await place.close()


async def test_looking_never_brings_a_schema_forward(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").touch()

    with pytest.raises(Exception, match="start the service of this program on it first"):
        await look(tmp_path)

    assert (tmp_path / "journal.sqlite3").stat().st_size == 0


@pytest.mark.parametrize("kind", [Trends, Accounts])
async def test_F12_the_other_two_refuse_a_newer_schema_as_well(
    home: Home, kind: type[Trends | Accounts]
) -> None:
    part = kind.__name__.lower()
    url = getattr(home.places, part)
    await (await kind.open(url)).close()
    await behind_its_back(url, f"UPDATE {part}_schema SET version_num = '{part}99'")  # noqa: S608  ours

    with pytest.raises(TooNewError, match=f"{part}99"):
        await kind.open(url)


async def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 500)

    with pytest.raises(sqlite3.DatabaseError):
        copy_sqlite(tmp_path / "journal.sqlite3", tmp_path / "copy.sqlite3")

    assert not (tmp_path / "copy.sqlite3").exists()

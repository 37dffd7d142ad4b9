"""What the journal, the trends and the accounts promise, held against SQLite and PostgreSQL alike."""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import tempfile
import types
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from monitor.model import (
    Bed,
    Cuff,
    CuffTaken,
    Device,
    DeviceNoted,
    Event,
    Quality,
    Reading,
    Rejected,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.people import Account, Role, Token, TokenKind
from monitor.store.accounts import Accounts
from monitor.store.database import InUseError
from monitor.store.journal import (
    EMPTY,
    KINDS,
    BrokenJournalError,
    Entry,
    Head,
    Journal,
    UnreadableRowError,
)
from monitor.store.opening import look, places
from monitor.store.trends import Trends
from monitor.treatment import TreatmentEvent
from tests.shells.databases import (  # noqa: F401  the fixtures are found by name
    ANNA,
    T0_MS,
    Home,
    acked,
    behind_its_back,
    cluster,
    home,
    low_spo2,
    unhurried,
    unhurried_store,
)

pytestmark = pytest.mark.real


@pytest.fixture
async def journal(home: Home) -> AsyncIterator[Journal]:
    opened = await unhurried(home.places.journal)
    yield opened
    await opened.close()


async def events_of(journal: Journal, after_seq: int = 0) -> list[Entry]:
    return [row.event async for row in journal.replay(after_seq)]


# The journal.


async def test_a_new_journal_is_empty_and_whole(journal: Journal) -> None:
    assert journal.head == EMPTY
    assert journal.last_at_ms is None
    assert journal.recording
    assert journal.why == ""
    assert await events_of(journal) == []
    assert await journal.verify() is None


@pytest.mark.shows("ALM-096")
async def test_what_a_turn_decided_is_read_back_in_its_order_with_time_and_drift(journal: Journal) -> None:
    assert await journal.append(low_spo2(1), drift_ms=-7)
    assert await journal.append([acked(2)], drift_ms=12)

    rows = [row async for row in journal.replay()]

    assert [row.event for row in rows] == [*low_spo2(1), acked(2)]
    assert [(row.seq, row.at_ms, row.drift_ms, row.late) for row in rows] == [
        (1, T0_MS + 1, -7, False),
        (2, T0_MS + 1, -7, False),
        (3, T0_MS + 2, 12, False),
    ]
    assert journal.head.seq == 3
    assert journal.last_at_ms == T0_MS + 2
    assert await events_of(journal, after_seq=2) == [acked(2)]


async def test_the_flood_of_readings_is_not_in_the_journal(journal: Journal) -> None:
    reading = Reading(T0_MS, Bed("3"), Device("m1"), Vital.SPO2, 97.0, Quality.VALID, None, T0_MS + 10_000)

    assert await journal.append([reading, DeviceNoted(T0_MS, Device("m1"), ("probe off",))], 0)
    assert await journal.append([], 0)

    assert journal.head == EMPTY


@pytest.mark.shows("ALM-094")
async def test_a_journal_goes_on_after_a_restart_where_it_ended(home: Home) -> None:
    before = await unhurried(home.places.journal)
    assert await before.append([acked(n) for n in range(1, 1500)], 0)  # more than is read at once
    await before.close()

    after = await unhurried(home.places.journal)
    assert after.head == before.head
    assert after.last_at_ms == T0_MS + 1499
    assert await after.append([acked(1500)], 0)

    assert await events_of(after) == [acked(n) for n in range(1, 1501)]
    assert await after.verify() is None
    await after.close()


async def test_time_does_not_run_back_because_a_late_word_was_written_last(home: Home) -> None:
    before = await unhurried(home.places.journal)
    assert await before.append([acked(5000)], 0)
    assert await before.append([acked(10)], 0)
    assert before.last_at_ms == T0_MS + 5000
    await before.close()

    after = await unhurried(home.places.journal)
    assert after.last_at_ms == T0_MS + 5000
    await after.close()


async def test_a_second_service_is_refused_and_told_who_has_the_journal(
    home: Home,
    journal: Journal,
) -> None:
    with pytest.raises(InUseError, match="Another Chairside"):
        await unhurried(home.places.journal)

    assert await journal.append([acked(1)], 0)


async def test_somebody_may_look_while_the_service_writes(home: Home, journal: Journal) -> None:
    assert await journal.append([acked(1), acked(2)], 0)
    looking = await look(home.folder, home.url)

    assert await looking.verify() is None
    assert await events_of(looking) == [acked(1), acked(2)]
    async with aclosing(looking.tail(last=1)) as tail:
        assert (await anext(tail)).event == acked(2)
        assert await journal.append([acked(3)], 0)
        assert (await asyncio.wait_for(anext(tail), 10)).event == acked(3)
    await looking.close()


@pytest.mark.shows("ALM-095")
async def test_an_export_holds_every_row_and_its_hash(journal: Journal) -> None:
    assert await journal.append([*low_spo2(1), acked(2)], 3)
    file = io.BytesIO()

    assert await journal.export(file) == 3

    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert [line["kind"] for line in lines] == ["AlarmMoved", "PageOrdered", "Acked"]
    assert lines[2]["body"] == {"at_ms": T0_MS + 2, "alarm_id": 2, "by": "anna"}
    assert lines[2]["hash"] == journal.head.hash
    assert lines[0]["drift_ms"] == 3


@pytest.mark.shows("ALM-095")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = body",
        "UPDATE journal SET late = 1 WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT * FROM journal WHERE seq = 1",
    ],
)
async def test_the_database_itself_refuses_to_change_a_row(
    home: Home,
    journal: Journal,
    statement: str,
) -> None:
    assert await journal.append([acked(1), acked(2)], 0)

    with pytest.raises(DBAPIError, match=r"append-only|duplicate key"):
        await behind_its_back(home.places.journal, statement)

    assert await events_of(journal) == [acked(1), acked(2)]
    assert await journal.verify() is None


async def test_a_row_cannot_be_replaced_or_all_rows_emptied(home: Home, journal: Journal) -> None:
    assert await journal.append([acked(1), acked(2)], 0)
    statement = (
        "INSERT OR REPLACE INTO journal SELECT 1, at_ms, 9, kind, version, late, body, hash FROM journal"
        if home.sqlite
        else "TRUNCATE journal"
    )

    with pytest.raises(DBAPIError, match="append-only"):
        await behind_its_back(home.places.journal, statement)

    assert await journal.verify() is None


async def test_a_journal_whose_guards_were_taken_away_says_so(home: Home, journal: Journal) -> None:
    assert await journal.append([acked(1)], 0)
    assert await journal.guarded()

    await _without_triggers(home, "SELECT 1")

    assert await journal.verify() is None
    assert not await journal.guarded()


async def _without_triggers(home: Home, statement: str) -> None:
    for trigger in (
        ("journal_no_update", "journal_no_delete", "journal_no_replace")
        if home.sqlite
        else ("journal_no_change ON journal", "journal_no_truncate ON journal")
    ):
        await behind_its_back(home.places.journal, f"DROP TRIGGER IF EXISTS {trigger}")
    await behind_its_back(home.places.journal, statement)


@pytest.mark.shows("ALM-095")
@pytest.mark.parametrize(
    "change",
    [
        "at_ms = at_ms + 1",
        "drift_ms = 1",
        "kind = 'Rejected'",
        "version = 2",
        "late = 1",
        "body = replace(body, 'anna', 'dana')",
        "hash = replace(hash, substr(hash, 1, 1), 'x')",
        "seq = 77",
    ],
)
async def test_F07_an_edited_row_is_named(home: Home, journal: Journal, change: str) -> None:
    assert await journal.append([acked(n) for n in range(1, 8)], 0)

    await _without_triggers(home, f"UPDATE journal SET {change} WHERE seq = 4")  # noqa: S608  ours

    assert await journal.verify() == 4
    assert await journal.verify(after_seq=4) == (4 if "seq" in change else 5 if "hash" in change else None)


async def test_F07_a_row_taken_from_the_middle_is_named(home: Home, journal: Journal) -> None:
    assert await journal.append([acked(n) for n in range(1, 8)], 0)

    await _without_triggers(home, "DELETE FROM journal WHERE seq = 4")

    assert await journal.verify() == 4


async def test_F07_a_tail_cut_off_is_seen_by_the_head_kept_beside(home: Home) -> None:
    store = await unhurried_store(home.folder, home.url)
    assert await store.journal.append([acked(n) for n in range(1, 8)], 0)
    assert await store.trends.keep_head(store.journal.head)
    await _without_triggers(home, "DELETE FROM journal WHERE seq > 5")

    assert await store.journal.verify() == 6
    await store.close()

    looking = await look(home.folder, home.url)
    assert await looking.verify() == 6
    await looking.close()
    trends = await Trends.open(home.places.trends)
    with pytest.raises(BrokenJournalError, match="stops at row 5, but 7 rows") as refused:
        await unhurried(home.places.journal, kept=trends.kept_heads)
    assert refused.value.seq == 6
    await trends.close()


async def test_F07_without_the_head_kept_beside_a_cut_tail_goes_unseen(home: Home, journal: Journal) -> None:
    """The control: it is the kept head that tells, not the chain."""
    assert await journal.append([acked(n) for n in range(1, 8)], 0)

    await _without_triggers(home, "DELETE FROM journal WHERE seq > 5")

    assert await journal.verify() is None


async def test_F07_a_chain_forged_anew_from_the_middle_does_not_fit_the_kept_head(home: Home) -> None:
    store = await unhurried_store(home.folder, home.url)
    assert await store.journal.append([acked(1), acked(2)], 0)
    assert await store.trends.keep_head(Head(2, "0" * 64))

    assert await store.journal.verify() == 2
    await store.close()


async def test_a_damaged_end_stops_the_start(home: Home) -> None:
    before = await unhurried(home.places.journal)
    assert await before.append([acked(n) for n in range(1, 8)], 0)
    await before.close()
    await _without_triggers(home, "UPDATE journal SET drift_ms = 5 WHERE seq = 6")

    with pytest.raises(BrokenJournalError, match="row 6 is not what was written"):
        await unhurried(home.places.journal)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("kind = 'DoseGiven'", "Row 2 of the journal is a DoseGiven of version 1"),
        ("version = 9", "Row 2 of the journal is a Acked of version 9"),
        ("body = '{}'", "Row 2 of the journal cannot be read"),
    ],
)
async def test_a_row_of_another_program_is_an_error_that_names_it(
    home: Home,
    journal: Journal,
    change: str,
    said: str,
) -> None:
    assert await journal.append([acked(1), acked(2)], 0)
    await _without_triggers(home, f"UPDATE journal SET {change} WHERE seq = 2")  # noqa: S608  ours

    with pytest.raises(UnreadableRowError, match=said):
        await events_of(journal)


async def test_a_number_that_would_not_read_back_is_refused_before_it_is_written(journal: Journal) -> None:
    with pytest.raises(ValueError, match="not finite"):
        await journal.append([VitalTyped(T0_MS, Bed("3"), Vital.TEMPERATURE, float("nan"), ANNA)], 0)

    assert journal.head == EMPTY


async def test_a_text_that_is_no_text_is_still_recorded(journal: Journal) -> None:
    assert await journal.append([Rejected(T0_MS, 1, ANNA, "tty\udcff\x00 gone")], 0)

    assert await events_of(journal) == [Rejected(T0_MS, 1, ANNA, "tty?\x00 gone")]
    assert await journal.verify() is None


# Any history.


PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
    bool: st.booleans(),
    type(None): st.none(),
}
"""No number that a column or JSON cannot hold."""


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Anything the type of a field allows."""
    if isinstance(hint, NewType):
        return PLAIN[hint.__supertype__]
    if get_origin(hint) in (types.UnionType, Union):
        return st.one_of([values(each) for each in get_args(hint)])
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is ...:
            return st.lists(values(parts[0]), max_size=3).map(tuple)
        return st.tuples(*[values(each) for each in parts])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return PLAIN[hint] if hint in PLAIN else a(hint)


def a(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(*[a(kind) for kind in KINDS.values()]), st.data())
def test_any_history_is_read_back_as_it_was(history: tuple[Entry, ...], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(history)), max_size=4)))

    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            journal = await unhurried(places(Path(folder)).journal)
            for start, end in zip([0, *cuts], [*cuts, len(history)], strict=True):
                assert await journal.append(history[start:end], 1)
            assert await events_of(journal) == list(history)
            assert await journal.verify() is None
            await journal.close()

    asyncio.run(live())


def test_every_durable_event_has_a_kind_and_no_other() -> None:
    written = [kind for kind in (*get_args(Event), *get_args(TreatmentEvent)) if kind.durable]
    assert set(KINDS.values()) == set(written)
    assert len(KINDS) == len(written), "two kinds have one name"


SAMPLES: dict[Any, object] = {int: 7, float: 7.5, str: 'é "\n', bool: True, type(None): None}


def sample(hint: Any, *, bare: bool) -> Any:
    """One value of this type; `bare` leaves out whatever may be left out."""
    if isinstance(hint, NewType):
        return SAMPLES[hint.__supertype__]
    if get_origin(hint) in (types.UnionType, Union):
        options = sorted(get_args(hint), key=lambda option: (option is type(None)) != bare)
        return sample(options[0], bare=bare)
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is ...:
            return () if bare else (sample(parts[0], bare=bare),) * 2
        return tuple(sample(part, bare=bare) for part in parts)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    return SAMPLES[hint] if hint in SAMPLES else one_of(hint, bare=bare)


def one_of(kind: Any, *, bare: bool) -> Any:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    return kind(**{field.name: sample(hints[field.name], bare=bare) for field in fields})


async def test_an_event_of_every_kind_is_read_back_and_exported(journal: Journal) -> None:
    history = [one_of(kind, bare=bare) for kind in KINDS.values() for bare in (False, True)]
    assert await journal.append(history, 1)

    assert await events_of(journal) == history
    assert await journal.verify() is None
    file = io.BytesIO()
    assert await journal.export(file) == len(history)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["kind"] for line in lines] == [type(event).__name__ for event in history]
    bodies = [msgspec.convert(line["body"], type(event)) for line, event in zip(lines, history, strict=True)]
    assert bodies == history


# The trends.


@pytest.fixture
async def trends(home: Home) -> AsyncIterator[Trends]:
    opened = await Trends.open(home.places.trends)
    yield opened
    await opened.close()


def spo2(at_s: float, value: float | None, bed: str = "3") -> Reading:
    quality = Quality.MISSING if value is None else Quality.VALID
    at_ms = T0_MS + int(at_s * 1000)
    return Reading(at_ms, Bed(bed), Device("m1"), Vital.SPO2, value, quality, None, at_ms + 10_000)


async def test_a_trend_keeps_the_worst_and_the_best_of_each_stretch(trends: Trends) -> None:
    for second in range(600):
        trends.put(spo2(second, 84.0 if second == 301 else 99.0 if second == 302 else 96.0))
        trends.put(spo2(second, 50.0, bed="4"))
    assert await trends.flush()

    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 600_000, points=10)

    assert set(trend.vitals) == {Vital.SPO2}
    assert trend.vitals[Vital.SPO2] == [
        (T0_MS + n * 60_000, *((84.0, 99.0) if n == 5 else (96.0, 96.0))) for n in range(10)
    ]


async def test_a_gap_is_never_joined(trends: Trends) -> None:
    for second in (0, 1, 2, 60, 61):
        trends.put(spo2(second, 97.0))
    for second in (62, 63):
        trends.put(spo2(second, None))
    assert await trends.flush()

    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 100_000, points=1000)

    assert [(at_ms - T0_MS, low) for at_ms, low, _ in trend.vitals[Vital.SPO2]] == [
        (0, 97.0),
        (1000, 97.0),
        (2000, 97.0),
        (12_000, None),  # as long as the last was fresh
        (60_000, 97.0),
        (61_000, 97.0),
        (62_000, None),
        (63_000, None),
    ]


async def test_readings_once_a_second_are_one_line_however_fine_the_chart(trends: Trends) -> None:
    for second in range(30):
        trends.put(spo2(second, 97.0))
    assert await trends.flush()

    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 30_000, points=5000)

    assert all(low == 97.0 for _, low, _ in trend.vitals[Vital.SPO2])


async def test_no_stretch_of_a_line_is_of_two_devices(trends: Trends) -> None:
    for second in range(30):
        of = "m2" if 11 <= second < 20 else "m1"
        value = 90.0 if of == "m2" else 97.0
        trends.put(msgspec.structs.replace(spo2(second, value), device=Device(of)))
    assert await trends.flush()

    fine = await trends.trend(Bed("3"), T0_MS, T0_MS + 30_000, points=30)
    coarse = await trends.trend(Bed("3"), T0_MS, T0_MS + 30_000, points=3)

    changes = [(T0_MS, "m1"), (T0_MS + 11_000, "m2"), (T0_MS + 20_000, "m1")]
    assert fine.sources == coarse.sources == {Vital.SPO2: changes}
    for found, step_s in ((fine, 1), (coarse, 10)):
        line = found.vitals[Vital.SPO2]
        assert [at_ms for at_ms, *_ in line] == sorted(at_ms for at_ms, *_ in line)
        runs = [[low for _, low, _ in run] for gap, run in groupby(line, lambda p: p[1] is None) if not gap]
        assert [set(run) for run in runs] == [{97.0}, {90.0}, {97.0}]
        assert all(low == high for _, low, high in line), f"no stretch of {step_s} s holds both"


async def test_who_a_line_is_of_is_known_after_a_restart_and_pruned_with_it(home: Home) -> None:
    first = await Trends.open(home.places.trends)
    first.put(spo2(0, 97.0))
    await first.close()
    again = await Trends.open(home.places.trends, retention_days=1)
    again.put(spo2(1, 97.0))
    again.put(VitalTyped(T0_MS + 2000, Bed("3"), Vital.SPO2, 95.0, ANNA))
    again.put(spo2(90_000, 96.0))
    assert await again.flush()
    await again.prune()
    trend = await again.trend(Bed("3"), T0_MS, T0_MS + 100_000_000, points=10)
    await again.close()
    assert trend.sources == {Vital.SPO2: [(T0_MS + 2000, ""), (T0_MS + 90_000_000, "m1")]}


async def test_a_cuff_reading_says_of_which_cuff_it_is(trends: Trends) -> None:
    for at_ms, device in ((T0_MS, "m1"), (T0_MS + 1000, "m2"), (T0_MS + 2000, None)):
        who = Device(device) if device else None
        trends.put(CuffTaken(at_ms, at_ms, Bed("3"), who, Cuff(120.0, 80.0, 93.0)))
    assert await trends.flush()
    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 10_000)
    assert trend.cuffs_of == ["m1", "m2", None]


async def test_a_cuff_reading_stays_one_value_and_apart(trends: Trends) -> None:
    good = Cuff(138.0, 84.0, 102.0, 71.0)
    failed = Cuff(None, None, quality=Quality.INVALID, why="cuff leak")
    trends.put(CuffTaken(T0_MS + 5000, T0_MS + 1000, Bed("3"), Device("m1"), good))
    trends.put(CuffTaken(T0_MS + 9000, T0_MS + 9000, Bed("3"), Device("m1"), failed))
    trends.put(VitalTyped(T0_MS + 9000, Bed("3"), Vital.TEMPERATURE, 36.6, ANNA))
    assert await trends.flush()

    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 10_000, points=10)

    assert trend.cuffs == [(T0_MS + 1000, good), (T0_MS + 9000, failed)]
    assert trend.vitals == {Vital.TEMPERATURE: [(T0_MS + 9000, 36.6, 36.6)]}


async def test_the_same_instant_said_twice_is_kept_once_with_the_last_word(trends: Trends) -> None:
    trends.put(spo2(1, 97.0))
    trends.put(spo2(1, 96.0))
    assert await trends.flush()
    trends.put(spo2(1, 95.0))
    assert await trends.flush()

    trend = await trends.trend(Bed("3"), T0_MS, T0_MS + 10_000, points=10)

    assert trend.vitals == {Vital.SPO2: [(T0_MS + 1000, 95.0, 95.0)]}


async def test_what_is_older_than_the_retention_is_taken_away_counted_from_the_newest(home: Home) -> None:
    trends = await Trends.open(home.places.trends, retention_days=1)
    for bed in ("3", "4"):
        trends.put(spo2(0, 97.0, bed))
        trends.put(spo2(86_401, 96.0, bed))
    trends.put(CuffTaken(T0_MS, T0_MS, Bed("3"), None, Cuff(120.0, 80.0), ANNA))
    assert await trends.flush()

    assert await trends.prune() == 3

    left = await trends.trend(Bed("3"), T0_MS, T0_MS + 90_000_000, points=100)
    assert [point[1] for point in left.vitals[Vital.SPO2]] == [96.0]
    assert left.cuffs == []
    assert await trends.prune() == 0
    await trends.close()


async def test_the_heads_of_the_journal_are_kept_and_the_newest_survive_pruning(trends: Trends) -> None:
    assert await trends.keep_head(EMPTY)
    for seq in (3, 7, 7):
        assert await trends.keep_head(Head(seq, f"{seq:064}"))

    assert await trends.kept_heads() == [Head(3, f"{3:064}"), Head(7, f"{7:064}")]


def test_each_vital_has_a_number_of_its_own() -> None:
    assert len({vital.mdc for vital in Vital}) == len(Vital)


# The accounts.


@pytest.fixture
async def accounts(home: Home) -> AsyncIterator[Accounts]:
    opened = await Accounts.open(home.places.accounts)
    yield opened
    await opened.close()


ACCOUNT = Account(ANNA, "Anna", Role.CHARGE_NURSE, "$argon2id$x", None, disabled=False, created_at_ms=T0_MS)
TOKEN = Token("ab" * 32, TokenKind.PIN, ANNA, "wall-1", T0_MS, T0_MS, T0_MS + 1)


async def test_an_account_is_found_by_its_name_and_replaced_by_it(accounts: Accounts) -> None:
    assert await accounts.account(ANNA) is None
    await accounts.put(ACCOUNT)
    disabled = dataclasses.replace(ACCOUNT, disabled=True, pin_hash="$argon2id$y")
    await accounts.put(disabled)
    dana = dataclasses.replace(ACCOUNT, name=Staff("dana"), password_hash=None)
    await accounts.put(dana)

    assert await accounts.account(ANNA) == disabled
    assert await accounts.accounts() == (disabled, dana)


async def test_a_dropped_token_opens_nothing(accounts: Accounts) -> None:
    mine = dataclasses.replace(TOKEN, secret_hash="cd" * 32, ends_at_ms=None, screen=None)
    other = Token("ef" * 32, TokenKind.SCREEN, Staff("wall-1"), "wall-1", T0_MS, T0_MS, None)
    for token in (TOKEN, mine, other):
        await accounts.put_token(token)
    seen = dataclasses.replace(TOKEN, seen_at_ms=T0_MS + 9)
    await accounts.put_token(seen)

    assert await accounts.token(TOKEN.secret_hash) == seen
    assert await accounts.tokens(ANNA) == (seen, mine)
    assert await accounts.tokens() == (seen, mine, other)

    await accounts.drop_token(mine.secret_hash)
    assert await accounts.token(mine.secret_hash) is None
    await accounts.drop_tokens(ANNA)
    assert await accounts.tokens() == (other,)

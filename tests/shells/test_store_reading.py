"""What a record is made of: a stretch of the journal, the next row of a kind, everything a bed has said."""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.model import Bed, Device, Quality, Reading, Staff, Vital, VitalTyped
from monitor.store.journal import Journal
from monitor.store.trends import Trends
from monitor.treatment import TreatmentNote
from tests.shells.databases import (  # noqa: F401  the fixtures are found by name
    T0_MS,
    Home,
    behind_its_back,
    cluster,
    home,
)

pytestmark = pytest.mark.real

ANNA, BED = Staff("anna"), Bed("3")


@pytest.fixture
async def journal(home: Home) -> AsyncIterator[Journal]:
    opened = await Journal.open(home.places.journal)
    yield opened
    await opened.close()


def note(session: int, text: str, at_ms: int = T0_MS) -> TreatmentNote:
    return TreatmentNote(at_ms, session, text, ANNA)


async def test_a_stretch_is_whole_and_has_the_hashes_of_its_ends(journal: Journal) -> None:
    for number in range(1, 2_206):
        assert await journal.append([note(7, str(number))], 0)
    middle = await journal.stretch(1_000, 2_204)  # more than two pages
    assert [row.seq for row in middle.rows] == list(range(1_000, 2_205))
    assert (middle.whole, middle.head.seq) == (True, 2_204)
    assert (await journal.stretch(2_204, 2_204)).first_hash == middle.head.hash
    assert (await journal.stretch(1_000, 1_000)).head.hash == middle.first_hash
    beyond = await journal.stretch(2_200, 9_999)
    assert beyond.head == journal.head


async def test_a_stretch_over_a_changed_row_is_not_whole(home: Home, journal: Journal) -> None:
    for number in range(1, 9):
        assert await journal.append([note(7, str(number))], 0)
    guard = "journal_no_update" if home.sqlite else "journal_no_change ON journal"
    await behind_its_back(home.places.journal, f"DROP TRIGGER {guard}")
    await behind_its_back(home.places.journal, "UPDATE journal SET drift_ms = 5 WHERE seq = 4")
    assert not (await journal.stretch(2, 6)).whole
    assert (await journal.stretch(5, 8)).whole


async def test_the_next_row_of_a_kind_is_found_by_what_it_holds(journal: Journal) -> None:
    texts = ["100 % of it", "100 x of it", 'says "session":9, here', "a_b", "axb"]
    for number, text in enumerate(texts):
        assert await journal.append([note(number, text)], 0)

    async def found(holding: str, after: int = 0) -> int | None:
        row = await journal.next_of(("TreatmentNote",), after, holding)
        return None if row is None else row.seq

    assert [await found(""), await found("", 2), await found("", 5)] == [1, 3, None]
    assert [await found("100 % of"), await found("a_b"), await found("axb")] == [1, 4, 5]
    # What somebody has typed is not taken for the row's own number.
    assert await found('"session":9,') is None
    assert await found('"session":3,') == 4
    assert await journal.next_of(("Signed",), 0) is None


async def test_a_history_holds_every_word_and_whose_it_is(home: Home) -> None:
    trends = await Trends.open(home.places.trends)

    def said(second: int, value: float | None, device: str, bed: Bed = BED) -> Reading:
        quality = Quality.VALID if value is not None else Quality.INVALID
        at_ms = T0_MS + second * 1_000
        return Reading(at_ms, bed, Device(device), Vital.SPO2, value, quality, None, at_ms + 10_000)

    try:
        for reading in (said(0, 97, "a"), said(1, None, "a"), said(2, 98, "b"), said(9, 99, "b")):
            trends.put(reading)
        trends.put(said(2, 55, "z", Bed("4")))
        trends.put(VitalTyped(T0_MS + 3_000, BED, Vital.RESPIRATION, 14, ANNA))
        assert await trends.flush()
        found = await trends.history(BED, T0_MS, T0_MS + 9_000)
    finally:
        await trends.close()
    spo2 = found[Vital.SPO2]
    assert spo2.times_ms == [T0_MS, T0_MS + 1_000, T0_MS + 2_000]
    assert spo2.values == [97, None, 98]
    assert spo2.qualities == [Quality.VALID, Quality.INVALID, Quality.VALID]
    assert spo2.sources == [(T0_MS, "a"), (T0_MS + 2_000, "b")]
    assert found[Vital.RESPIRATION].sources == [(T0_MS + 3_000, "")]
    assert set(found) == {Vital.SPO2, Vital.RESPIRATION}

"""Checks that come again, and entries that were wrong, as every shape of the record tells them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from monitor.records.report import CheckOf, SessionReport
from monitor.reporting.kept import gather
from monitor.series import session_then
from monitor.treatment import Corrected, Move, Score
from tests.core.visit import LEE, MIN, Visit
from tests.shells.filed import SESSION, Filed, kept

pytestmark = pytest.mark.real


async def reported(folder: Path, visit: Visit) -> SessionReport:
    async with kept(folder, Filed(visit), alone=True) as reports:
        return await reports.session(SESSION)


def again(made: SessionReport, name: str, visit: Visit) -> list[CheckOf]:
    """Each time of one check that comes again, until the visit was left: its record is made hours later."""
    return [one for one in made.checks if one.again and one.name == name and one.due_ms <= visit.now_ms]


def onset() -> Visit:
    """Two devices have been given; the phase asks for a pressure every 20 minutes and scores every 15."""
    visit = Visit()
    visit.doses()
    return visit


async def test_each_reading_of_the_cuffs_schedule_is_a_row_of_the_checks(tmp_path: Path) -> None:
    visit = onset()
    first_ms = visit.record.cuffs[-1].measured_at_ms + 20 * MIN
    visit.sleeps_until(first_ms + MIN)
    visit.cuff(131, 82)
    visit.waits(19)
    visit.cuff(128, 80)
    visit.waits(2)
    made = again(await reported(tmp_path, visit), "nibp", visit)
    assert [(one.due_ms, [each.words for each in one.filled]) for one in made] == [
        (first_ms, ["131/82 mmHg"]),
        (first_ms + 21 * MIN, ["128/80 mmHg"]),
    ]
    assert [one.filled[0].off_ms for one in made] == [MIN, -MIN]
    assert [one.filled[0].device for one in made] == ["monitor3", "monitor3"]


async def test_each_sedation_score_that_is_asked_for_is_a_row_of_the_checks(tmp_path: Path) -> None:
    visit = onset()
    began_ms = visit.record.since_ms
    visit.waits(15)
    visit.scores(moaas=4, dissociation=1)
    visit.waits(10)
    made = again(await reported(tmp_path, visit), "onset_scores", visit)
    assert [(one.due_ms, one.by, one.missed) for one in made] == [(began_ms + 15 * MIN, "dana", False)]
    assert [each.words for each in made[0].filled] == ["4, lethargic response to name", "yes"]


async def test_what_nobody_did_in_time_is_a_row_that_says_so(tmp_path: Path) -> None:
    visit = onset()
    began_ms = visit.record.since_ms
    visit.waits(60)
    made = await reported(tmp_path, visit)
    (scores,) = again(made, "onset_scores", visit)
    assert (scores.due_ms, scores.filled, scores.missed) == (began_ms + 15 * MIN, (), True)
    assert scores.missing == ("Sedation (MOAA/S)", "Dissociation")
    assert all(one.missed for one in again(made, "nibp", visit))


async def test_a_pressure_long_before_its_time_puts_the_next_one_off_and_fills_none(tmp_path: Path) -> None:
    visit = onset()
    visit.waits(10)
    visit.cuff(131, 82)
    assert again(await reported(tmp_path, visit), "nibp", visit) == []


async def test_a_score_that_was_corrected_fills_its_check_with_what_it_says_now(tmp_path: Path) -> None:
    visit = onset()
    visit.waits(15)
    visit.scores(moaas=3, dissociation=0)
    entry = len(visit.record.events) - 1
    visit.waits(2)
    visit.does(Corrected(visit.now_ms, 7, entry, visit.score(Score.MOAAS, 5), "misread", LEE))
    (scores,) = again(await reported(tmp_path, visit), "onset_scores", visit)
    assert [each.words for each in scores.filled] == ["5, responds readily to name in normal tone", "no"]


def corrected() -> Visit:
    """A session in which a score was wrong."""
    visit = Visit()
    visit.doses()
    visit.scores(moaas=2)
    entry = len(visit.record.events)
    visit.waits(1)
    visit.does(Corrected(visit.now_ms, 7, entry, visit.score(Score.MOAAS, 5), "misread", LEE))
    visit.steps(Move.STOP, "enough")
    return visit


async def test_a_correction_is_told_with_what_it_replaces_who_when_and_why(tmp_path: Path) -> None:
    visit = corrected()
    made = await reported(tmp_path, visit)
    (one,) = made.corrections
    assert one.was == "Sedation (MOAA/S): after mild prodding or shaking"
    assert one.now == "Sedation (MOAA/S): responds readily to name in normal tone"
    assert (one.by, one.why, one.was_by, one.at_ms - one.was_ms) == ("lee", "misread", "dana", MIN)
    struck = next(entry for entry in made.timeline if entry.struck)
    stands = next(entry for entry in made.timeline if entry.replaces is not None)
    assert (struck.entry, stands.entry) == (one.entry, one.instead)
    assert stands.replaces == one.entry
    assert [each.value for each in made.scores if each.score is Score.MOAAS] == [5, 5]


def on_paper(data: bytes, folder: Path) -> str:
    """The words of the pages, as poppler reads them."""
    page = folder / "record.pdf"
    page.write_bytes(data)
    asked = ["pdftotext", "-layout", str(page), "-"]
    done = subprocess.run(asked, capture_output=True, check=True, timeout=60)
    return " ".join(done.stdout.decode().split())


async def test_the_old_value_stays_readable_in_json_csv_and_on_paper(tmp_path: Path) -> None:
    async with kept(tmp_path, Filed(corrected()), alone=True) as reports:
        told = {shape: (await reports.report(SESSION, shape)).data for shape in ("json", "csv", "pdf")}
    (one,) = json.loads(told["json"])["corrections"]
    assert one["was"].endswith("after mild prodding or shaking")
    rows = list(csv.DictReader(io.StringIO(told["csv"].decode())))
    (struck,) = [row for row in rows if row["kind"] == "struck"]
    assert struck["words"] == one["was"]
    text = on_paper(told["pdf"], tmp_path)
    assert "1 correction" in text
    assert "after mild prodding" in text


async def test_a_lot_that_was_corrected_is_no_further_device(tmp_path: Path) -> None:
    visit = onset()
    entry = visit.record.number(visit.record.devices[0])
    visit.does(Corrected(visit.now_ms, 7, entry, visit.device(1, lot="24B7"), "smudged", LEE))
    async with kept(tmp_path, Filed(visit), alone=True) as reports:
        made = await reports.session(SESSION)
        rows = await gather(reports.journal, reports.trends, SESSION, visit.now_ms, {})
    assert [(one.number, one.lot) for one in made.devices_given] == [(1, "24B7"), (2, "24B1")]
    then = session_then(rows)
    assert then is not None
    assert then.devices == 2

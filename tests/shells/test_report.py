"""A session's record, made of what the real store keeps: whole, of one patient, every gap said plainly."""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.model import (
    AlarmMoved,
    AlarmState,
    Cue,
    Cuff,
    CuffTaken,
    LinkMoved,
    Priority,
    Quality,
    ServiceStarted,
    Vital,
    VitalTyped,
)
from monitor.people import Role
from monitor.records import as_json
from monitor.records.report import DISCLAIMER, SCHEMA, CuffReading, Number, Said, SessionReport
from monitor.records.shapes import SHAPES
from monitor.replay import play
from monitor.reporting.kept import NoSuchSessionError
from monitor.store.journal import Journal
from monitor.treatment import Move, Phase, Scored, TreatmentNote
from tests.core.visit import BED, DANA, KIM, MIN, MONITOR, T0_MS, Visit
from tests.shells.databases import Home, cluster, home  # noqa: F401  the fixtures are found by name
from tests.shells.filed import (
    OTHER_ALIAS,
    OTHER_SPO2,
    OTHER_SYS,
    SESSION,
    Filed,
    infusion,
    kept,
    nasal,
)

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def told() -> Filed:
    """A whole nasal session; nobody changes it."""
    return Filed(nasal())


async def reported(folder: Path, filed: Filed) -> SessionReport:
    async with kept(folder, filed) as reports:
        return await reports.session(SESSION)


# What stands in it.


async def test_a_record_says_who_when_and_under_what(home: Home, told: Filed) -> None:
    async with kept(home.folder, told, home.url) as reports:
        made = await reports.session(SESSION)
    assert (made.schema, made.clinic, made.zone) == (SCHEMA, "Harbour clinic", "Europe/Berlin")
    assert (made.session, made.alias, made.bed, made.place) == (7, "blue-17", "3", "By the window")
    assert (made.opened_by, made.opened_role, made.age_years, made.first) == (DANA, Role.NURSE, 40, False)
    assert made.therapy is not None
    assert (made.therapy.name, made.therapy.version, made.therapy.known) == ("spravato_us", 1, True)
    assert made.therapy.digest == told.opened.digest
    assert [span.phase for span in made.phases] == [
        Phase.CHECK_IN, Phase.BASELINE, Phase.DOSING, Phase.ONSET, Phase.CHECK_40, Phase.DECLINE, Phase.READY,
        Phase.CLOSED,
    ]  # fmt: skip
    assert (made.ended_ms, made.phase, made.unknown) == (told.closed_ms, Phase.CLOSED, ())


async def test_the_clocks_are_those_of_the_session(tmp_path: Path, told: Filed) -> None:
    clocks = (await reported(tmp_path, told)).clocks
    record = told.visit.record
    assert (clocks.start_ms, clocks.last_device_ms) == (record.start_ms, record.last_device_ms)
    assert (clocks.floor_until_ms, clocks.floor_kept) == (record.floor_until_ms(), True)
    assert told.closed_ms is not None
    assert told.start_ms is not None
    assert clocks.total_ms == told.closed_ms - told.start_ms == 127 * MIN
    assert clocks.ready_first_ms == record.ready_first_ms
    assert clocks.ready_first_after_ms == 126 * MIN


async def test_the_three_pressures_are_readings_and_not_medians(tmp_path: Path, told: Filed) -> None:
    made = await reported(tmp_path, told)
    found = {one.name: one.number for one in made.pressures}
    assert {name: (n.value, n.second) for name, n in found.items() if n} == {
        "before": (126, 80), "check_40": (146, 92), "final": (121, 77),
    }  # fmt: skip
    assert made.baseline is not None
    assert next((one.name, one.value) for one in made.baseline.numbers) == ("nibp", 125)
    assert [(one.systolic, one.diastolic) for one in made.baseline.readings] == [(124, 78), (126, 80)]


async def test_a_pressure_that_was_not_taken_says_who_went_on_without_it(tmp_path: Path) -> None:
    visit = Visit("spravato_us", devices=2)
    visit.to_start()
    for number in (1, 2):
        visit.does(visit.device(number))
        visit.waits(5)
    visit.waits(60)
    visit.does(visit.override("pressure:check_40", "the cuff was broken", KIM))
    made = await reported(tmp_path, Filed(visit))
    check = next(one for one in made.pressures if one.name == "check_40")
    (missed,) = (one for one in made.checks if not one.again)
    assert (check.number, check.instead) == (None, "kim (prescriber): the cuff was broken")
    assert (missed.missed, missed.saved_ms, missed.filled) == (True, None, ())
    assert missed.missing == (
        "Blood pressure", "HR", "SpO2", "RR", "Sedation (MOAA/S)", "Dissociation",
    )  # fmt: skip
    assert [one.title for one in made.overrides] == ["Closed without the blood pressure: 40-minute check"]


async def test_an_alarm_stands_there_with_its_whole_life(tmp_path: Path, told: Filed) -> None:
    low, lost = (await reported(tmp_path, told)).alarms
    assert (low.title, low.priority, low.value, low.limit, low.technical) == (
        "SpO2 91 < 92", Priority.MEDIUM, 91, 92, False,
    )  # fmt: skip
    assert (low.since_ms, low.raised_ms) == (told.low_ms, told.low_ms + 15_000)
    assert (low.acked_ms, low.acked_by, low.ended_ms) == (told.low_ms + 45_000, DANA, told.low_ms + 120_000)
    assert [now for _, _, now in low.moves][-1] is AlarmState.CLEAR
    (page,) = low.pages
    assert (page.to, page.answer, page.answered_by) == (DANA, "accepted", DANA)
    assert [outcome.value for _, _, outcome, _ in page.outcomes] == ["delivered", "read"]
    assert (lost.technical, lost.device, lost.acked_by) == (True, MONITOR, None)


async def test_what_was_not_watched_is_said_with_from_to_and_why(tmp_path: Path, told: Filed) -> None:
    made = await reported(tmp_path, told)
    silent, off = told.silent_ms, told.probe_off_ms
    found = {(gap.kind, gap.what, gap.from_ms, gap.until_ms): gap.why for gap in made.gaps}
    said_nothing = "monitor3 said nothing: nothing for 10 s."
    # The last value was heard a second before; it stood for ten.
    assert found == {
        ("vital", "SpO2", *off): "The device said that it had no value.",
        ("device", "monitor3", *silent): said_nothing,
        ("vital", "SpO2", silent[0] + 9_000, silent[1]): said_nothing,
        ("vital", "HR", silent[0] + 9_000, silent[1]): said_nothing,
        ("part", "Paging", silent[0] + 20_000, silent[0] + 80_000): "the gateway does not answer.",
    }
    lost = {one.vital: one.watched_ms - one.known_ms for one in made.coverage}
    assert lost == {Vital.SPO2: 90_000 + 171_000, Vital.HEART_RATE: 171_000, Vital.RESPIRATION: 0}


async def test_a_night_without_the_service_is_a_gap(tmp_path: Path) -> None:
    filed = Filed(nasal())
    from_ms, until_ms = T0_MS + 90 * MIN, T0_MS + 96 * MIN
    filed.events = sorted(
        (*filed.events, ServiceStarted(until_ms, "0.1.0", from_ms)), key=lambda event: event.at_ms
    )
    filed.silent_ms = (from_ms, until_ms)
    filed.events = [event for event in filed.events if not isinstance(event, LinkMoved)]
    made = await reported(tmp_path, filed)
    assert [(g.from_ms, g.until_ms, g.why) for g in made.gaps if g.kind == "service"] == [
        (from_ms, until_ms, "Chairside was not running.")
    ]
    spo2 = [gap for gap in made.gaps if gap.vital is Vital.SPO2 and gap.from_ms > T0_MS + 80 * MIN]
    assert [(gap.until_ms, gap.why) for gap in spo2] == [(until_ms, "Chairside was not running.")]


async def test_a_vital_that_no_device_measured_is_one_gap_and_not_normal(tmp_path: Path) -> None:
    filed = Filed(nasal())
    filed.without = frozenset({Vital.RESPIRATION})
    made = await reported(tmp_path, filed)
    rr = [gap for gap in made.gaps if gap.vital is Vital.RESPIRATION]
    assert [gap.why for gap in rr] == ["No device measured it."]
    assert next(one.known_ms for one in made.coverage if one.vital is Vital.RESPIRATION) == 0
    assert "RR" not in {line.vital.label for line in made.lines}


async def test_a_rate_counted_by_hand_stands_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    filed = Filed(nasal())
    filed.without = frozenset({Vital.RESPIRATION})
    onset_ms = next(
        span.from_ms for span in (await reported(tmp_path / "a", filed)).phases if span.phase is Phase.ONSET
    )
    typed = VitalTyped(onset_ms, BED, Vital.RESPIRATION, 14, DANA)
    filed.typed = [typed]
    filed.events = sorted((*filed.events, typed), key=lambda event: event.at_ms)
    made = await reported(tmp_path / "b", filed)
    assert next(one.known_ms for one in made.coverage if one.vital is Vital.RESPIRATION) == 15 * MIN
    (rr,) = (line for line in made.lines if line.vital is Vital.RESPIRATION)
    assert rr.sources == ((onset_ms, None),)


async def test_readiness_is_as_it_stood_before_the_end(tmp_path: Path, told: Filed) -> None:
    made = await reported(tmp_path, told)
    assert made.ready_at_ms == told.closed_ms
    items = "time pressure breathing awake steady nausea quiet mood escort papers"
    assert {one.name: one.holds for one in made.readiness} == dict.fromkeys(items.split(), True)
    assert [(one.by, one.role, one.meaning) for one in made.signatures] == [
        (KIM, Role.PRESCRIBER, "I have checked this session")
    ]


async def test_flags_and_layers_come_with_their_times(tmp_path: Path, told: Filed) -> None:
    made = await reported(tmp_path, told)
    assert [(one.title, one.why, one.by) for one in made.flags] == [
        ("CNS depressant", "Benzodiazepines? Yes.", DANA),
        ("Sleep apnoea", "told so by the escort", DANA),
    ]
    late = next(one for one in made.layers if one.name == "from 60 minutes")
    assert made.clocks.last_device_ms is not None
    assert late.from_ms == made.clocks.last_device_ms + 60 * MIN
    (limit,) = made.limits
    assert (limit.title, limit.limit, limit.by) == ("SpO2 low, MEDIUM", 92, KIM)
    assert limit.until_ms == T0_MS + 80 * MIN


async def test_an_infusion_has_its_dose_and_the_pressure_of_its_end(tmp_path: Path) -> None:
    made = await reported(tmp_path, Filed(infusion()))
    assert made.pump is not None
    assert (made.pump.dose_mg, made.pump.by, made.pump.second) == (40, "dana", "lee")
    assert made.clocks.end_ms is not None
    end = next(one for one in made.pressures if one.name == "end")
    assert end.number is not None
    assert (end.number.value, end.number.off_ms) == (132, 0)
    assert (made.devices_given, made.form_due_ms) == ((), None)


async def test_an_open_session_is_a_first_look_and_says_so(tmp_path: Path) -> None:
    visit = Visit("spravato_us", devices=2)
    visit.to_decline()
    made = await reported(tmp_path, Filed(visit))
    assert (made.ended_ms, made.phase, made.clocks.floor_kept) == (None, Phase.DECLINE, None)
    assert made.unknown == ("This session is still open: the report is a first look, and not the record.",)
    assert [one.name for one in made.readiness if not one.holds][:2] == ["time", "pressure"]
    assert made.phases[-1].until_ms is None


async def test_a_session_that_ended_before_the_drug_has_nothing_made_up(tmp_path: Path) -> None:
    visit = Visit("spravato_us", devices=2)
    visit.to_baseline()
    visit.steps(Move.ABORT, "the patient went home")
    made = await reported(tmp_path, Filed(visit))
    assert made.phase is Phase.ABORTED_BEFORE_DOSE
    assert (made.clocks.start_ms, made.clocks.total_ms, made.readiness) == (None, None, ())
    assert [one.number for one in made.pressures] == [None, None, None]
    assert made.phases[-1].why == "the patient went home"


async def test_a_form_and_a_note_that_come_days_later_belong_to_it(tmp_path: Path) -> None:
    visit = nasal()
    visit.waits(seconds=1)
    visit.now_ms += 3 * 86_400_000
    visit.does(TreatmentNote(visit.now_ms, SESSION, "Called: all well.", KIM))
    visit.does(visit.form_sent())
    made = await reported(tmp_path, Filed(visit))
    assert (made.form_sent_ms, made.form_sent_how) == (visit.now_ms, "fax")
    assert made.notes[-1].text == "Called: all well."
    assert made.ended_ms == Filed(visit).closed_ms


async def test_a_therapy_that_is_not_at_hand_any_more_is_not_guessed_at(tmp_path: Path) -> None:
    filed = Filed(nasal())
    older = replace(filed.opened, version=9, digest="0" * 64)
    filed.events = [older if event == filed.opened else event for event in filed.events]
    made = await reported(tmp_path, filed)
    assert made.therapy is not None
    assert not made.therapy.known
    assert (made.readiness, made.gate, made.layers, made.clocks.floor_kept) == ((), (), (), None)
    assert "is not at hand any more" in made.unknown[0]
    assert {one.name: one.number.value for one in made.pressures if one.number} == {
        "before": 126, "check_40": 146, "final": 121,
    }  # fmt: skip


async def test_trends_that_are_no_longer_kept_are_not_a_quiet_session(tmp_path: Path) -> None:
    filed = Filed(nasal())
    filed.without = frozenset(Vital)
    made = await reported(tmp_path, filed)
    assert made.lines == ()
    assert "No continuous reading of this session is kept" in made.unknown[0]
    assert all(one.known_ms == 0 for one in made.coverage)


async def test_there_is_no_record_of_a_session_that_never_was(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        for session in (0, 1, 4, 9, 10_000):
            with pytest.raises(NoSuchSessionError, match=f"there is no session {session}"):
                await reports.session(session)


# One patient's record, and nobody else's.


async def test_the_record_of_one_patient_holds_nothing_of_another(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        alone = {shape: (await reports.report(SESSION, shape)).data for shape in ("json", "csv", "rems")}
        (other,) = {(await reports.session(session)).alias for session in (5, 6, 8)}
    assert other == OTHER_ALIAS
    for data in alone.values():
        text = data.decode()
        assert "blue-17" in text
        for theirs in (OTHER_ALIAS, f"{OTHER_SPO2:g}", f"{OTHER_SYS:g}", "monitor4"):
            assert theirs not in text


async def test_a_record_is_the_same_with_and_without_others_around(tmp_path: Path, told: Filed) -> None:
    with_others = await reported(tmp_path / "with", told)
    async with kept(tmp_path / "alone", told, alone=True) as reports:
        alone = await reports.session(SESSION)
    assert replace(with_others, chain=alone.chain, timeline=()) == replace(alone, timeline=())
    assert [one.words for one in with_others.timeline] == [one.words for one in alone.timeline]


async def test_a_reading_taken_before_the_patient_came_is_not_theirs(tmp_path: Path) -> None:
    filed = Filed(nasal())
    stale = CuffTaken(T0_MS + MIN, T0_MS - 5 * MIN, BED, MONITOR, Cuff(OTHER_SYS, 101))
    filed.events = sorted((*filed.events, stale), key=lambda event: event.at_ms)
    made = await reported(tmp_path, filed)
    assert OTHER_SYS not in {one.systolic for one in made.cuffs}


async def test_a_watched_patient_has_a_record_too(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        made = await reports.session(5)
        page = (await reports.report(5, "pdf")).data
    assert (made.therapy, made.phases, made.pressures, made.readiness) == (None, (), (), ())
    assert [(one.systolic, one.quality) for one in made.cuffs] == [(OTHER_SYS, Quality.VALID)]
    assert [one.title for one in made.alarms] == [f"BP {OTHER_SYS:g}/101 ≥ 165"]
    assert page.startswith(b"%PDF")


# Every number has a source and an age.


def numbers(of: Any) -> Iterator[Number | CuffReading | Said]:
    if isinstance(of, Number | CuffReading | Said):
        yield of
    if is_dataclass(of):
        for field in fields(of):
            yield from numbers(getattr(of, field.name))
    elif isinstance(of, tuple):
        for one in of:
            yield from numbers(one)


@pytest.mark.parametrize("visit", [nasal, infusion])
async def test_every_number_has_a_source_and_an_age(tmp_path: Path, visit: Any) -> None:
    made = await reported(tmp_path, Filed(visit()))
    found = list(numbers(made))
    assert len(found) > 40
    for one in found:
        if isinstance(one, Number):
            assert one.value is not None
            assert one.age_ms is not None
            assert one.age_ms >= 0
        if isinstance(one, Said) and one.device is None and one.by is None:
            # What the clock and the alarms say of themselves has no device and no hand.
            assert one.words.endswith("min are over") or one.words.startswith("No MEDIUM")
            continue
        assert (one.device is None) != (one.by is None), one


# JSON.


def test_the_schema_that_ships_is_the_one_of_the_classes() -> None:
    shipped = json.loads((Path(as_json.__file__).parent / "session.schema.json").read_text(encoding="utf-8"))
    assert shipped == as_json.schema()


async def test_json_reads_back_as_the_record_it_is(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        made, shaped = await reports.session(SESSION), await reports.report(SESSION, "json")
    assert shaped.media_type == "application/json"
    document = json.loads(shaped.data)
    assert document.pop("disclaimer") == DISCLAIMER
    assert list(document) == [field.name for field in fields(SessionReport)]
    assert [one["priority"] for one in document["alarms"]] == ["MEDIUM", "MEDIUM"]
    for one in document["alarms"]:
        one["priority"] = Priority[one["priority"]].value
    assert msgspec.convert(document, SessionReport) == made


# CSV.


async def test_csv_has_a_row_for_every_reading_and_event(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        made, shaped = await reports.session(SESSION), await reports.report(SESSION, "csv")
    rows = list(csv.DictReader(io.StringIO(shaped.data.decode(), newline="")))
    of = {kind: [row for row in rows if row["kind"] == kind] for kind in {row["kind"] for row in rows}}
    assert len(of["reading"]) == sum(len(line.times_ms) for line in made.lines) == len(told.readings())
    assert len(of["event"]) == len(made.timeline)
    assert len(of["gap"]) == len(made.gaps)
    assert [row["words"] for row in of["disclaimer"]] == [DISCLAIMER]
    forty = next(row for row in of["check check_40"] if row["name"] == "nibp")
    assert (forty["value"], forty["unit"], forty["device"], forty["age_s"]) == (
        "146",
        "mm[Hg]",
        "monitor3",
        "0",
    )
    empty = [row for row in of["reading"] if row["quality"] == "missing"]
    assert empty
    assert {row["value"] for row in empty} == {""}
    times = [int(row["at_ms"]) for row in rows[1:]]
    assert times == sorted(times)


@pytest.mark.parametrize("nasty", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", 'a,b"c"\r\nd'])
async def test_no_text_becomes_a_formula_or_breaks_its_row(tmp_path: Path, nasty: str) -> None:
    async with kept(tmp_path, Filed(nasal(alias=nasty, note=nasty)), alone=True) as reports:
        data = (await reports.report(SESSION, "csv")).data
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    aliases = {row[1] for row in rows[1:]}
    assert aliases == {nasty if nasty.startswith("a") else f"'{nasty}"}


async def test_the_trends_can_be_replayed(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        made, shaped = await reports.session(SESSION), await reports.report(SESSION, "trends")
    file = tmp_path / "trends.csv"
    file.write_bytes(shaped.data)
    summary = [
        line for line in play([file], therapy="watch", t0_s=0, limits=None) if line["event"] == "summary"
    ]
    assert len(summary) == 1
    assert summary[0]["readings"] > 20_000
    rows = list(csv.DictReader(io.StringIO(shaped.data.decode(), newline="")))
    at_start = next(row for row in rows if float(row["t_s"]) == 0)
    assert int(at_start["at_ms"]) == made.clocks.start_ms
    spo2 = {int(row["at_ms"]): row["spo2"] for row in rows}
    assert spo2[told.probe_off_ms[0]] == ""
    assert [row["nibp_sys"] for row in rows if row["nibp_sys"]] == [
        f"{one.systolic:g}" for one in made.cuffs if one.systolic is not None
    ]


# The command line.


def chairside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    config = folder / "clinic.toml"
    config.write_text(
        f'[clinic]\nname = "Harbour clinic"\nzone = "Europe/Berlin"\ndata_dir = "{folder}"\n'
        '[[bed]]\nname = "3"\n[[bed]]\nname = "4"\n',
        encoding="utf-8",
    )
    return subprocess.run(
        [sys.executable, "-m", "monitor", "report", *arguments, "--config", str(config)],
        capture_output=True,
        check=False,
        timeout=60,
    )


async def test_the_command_writes_a_record_while_the_service_runs(tmp_path: Path, told: Filed) -> None:
    async with kept(tmp_path, told) as reports:
        before = reports.journal.head
        for shape in SHAPES:
            done = await in_a_thread(chairside, tmp_path, "7", "--format", shape, "-o", str(tmp_path / shape))
            assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"")
            assert (tmp_path / shape).stat().st_size > 1_000
        to_stdout = await in_a_thread(chairside, tmp_path, "7", "--format", "json")
        assert json.loads(to_stdout.stdout)["alias"] == "blue-17"
        again = await Journal.open(f"sqlite:///{tmp_path / 'journal.sqlite3'}", read_only=True)
        assert await again.count() == before.seq
        assert await again.verify() is None
        await again.close()


async def in_a_thread(what: Any, *arguments: Any) -> subprocess.CompletedProcess[bytes]:
    import asyncio

    return await asyncio.to_thread(what, *arguments)


async def test_the_command_says_in_one_line_why_not(tmp_path: Path, told: Filed) -> None:
    nothing = chairside(tmp_path, "7")
    assert (nothing.returncode, nothing.stdout) == (3, b"")
    async with kept(tmp_path, told):
        unknown = await in_a_thread(chairside, tmp_path, "99", "-o", str(tmp_path / "x"))
        format_ = await in_a_thread(chairside, tmp_path, "7", "--format", "docx")
        no_form = await in_a_thread(chairside, tmp_path, "5", "--format", "rems")
    assert (unknown.returncode, unknown.stderr) == (4, b"chairside: there is no session 99\n")
    assert not (tmp_path / "x").exists()
    assert format_.returncode == 2
    assert b"there is no format 'docx'" in format_.stderr
    assert (no_form.returncode, no_form.stderr) == (3, b"chairside: Session 5 owes no monitoring form.\n")
    for done in (nothing, unknown, format_, no_form):
        assert done.stderr.count(b"\n") == 1
        assert b"Traceback" not in done.stderr


async def test_an_alarm_raised_by_words_says_which_words(tmp_path: Path) -> None:
    filed = Filed(nasal())
    noted = next(one for one in filed.visit.events if isinstance(one, Scored) and one.value == 4)
    raised = AlarmMoved(
        noted.at_ms, 50, BED, "sedation-l", Priority.LOW, AlarmState.CLEAR, AlarmState.ACTIVE, Cue.HELD,
        noted.at_ms, None, None,
    )  # fmt: skip
    after = filed.events.index(noted) + 1
    filed.events = [*filed.events[:after], raised, *filed.events[after:]]
    sedation = next(one for one in (await reported(tmp_path, filed)).alarms if one.rule == "sedation-l")
    assert (sedation.title, sedation.note) == ("Sedation", "MOAA/S 4, lethargic response to name")
    assert (sedation.technical, sedation.value, sedation.ended_ms) == (False, None, None)

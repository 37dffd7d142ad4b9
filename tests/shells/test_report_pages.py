"""The record as pages, read back by another program: plain, its summary on one, safe from what is typed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import AlarmState, Vital
from monitor.records import as_pdf
from monitor.records.printed import printable
from monitor.records.rems import FILLS, NOTICE, Field, field_map, form
from monitor.records.report import DISCLAIMER, AlarmOf, PauseOf, SessionReport
from monitor.records.shapes import CannotMakeError
from monitor.treatment import AdverseEvent
from tests.core.visit import DANA, KIM, Visit
from tests.shells.filed import SESSION, Filed, infusion, kept, nasal

pytestmark = pytest.mark.real

FONTS = {"LibertinusSerif", "DejaVuSansMono", "NewCMMath", "NewCM10"}


async def reported(folder: Path, visit: Visit) -> SessionReport:
    async with kept(folder, Filed(visit), alone=True) as reports:
        return await reports.session(SESSION)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SessionReport:
    """A whole nasal session's report."""
    import asyncio

    return asyncio.run(reported(tmp_path_factory.mktemp("store"), nasal()))


def pages(data: bytes, folder: Path) -> list[str]:
    """The text of each page, as poppler reads it."""
    file = folder / "record.pdf"
    file.write_bytes(data)
    done = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, timeout=60
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\f")[:-1]


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def solid(text: str) -> str:
    """Without any space: where letters are set apart, a reader may see words that are none."""
    return "".join(text.split())


def test_the_first_page_says_all_that_matters(made: SessionReport, tmp_path: Path) -> None:
    first, *others = pages(as_pdf.session(made), tmp_path)
    text = in_one_line(first)
    for said in (
        "blue-17", "Bed 3, By the window", "Session 7", "Harbour clinic", "Nasal, US label",
        "Thursday 28 May 2026",
        "125/79", "126/80", "146/92", "121/77", "22:30:40", "127 min", "kept", "+126:00",
        "Of the patient 1 MEDIUM. Of the equipment 1 MEDIUM.",
        "Worst: SpO2 91 < 92 (MEDIUM) at 23:11:55",
        "SpO2 not for 4 min 21 s of 2 h 9 min.",
        "5 in all: a watched value missing 3, a device lost 1",
        "SpO2 low, MEDIUM 92", "kim, prescriber", "I have checked this session",
        "Least stay: 120 min are over",
        "expected course from today's baseline", "esketamine label, ages 18 to 64",
    ):  # fmt: skip
        assert said in text, said
    assert others[0].lstrip().startswith("Details")


def test_the_details_hold_every_table_and_every_gap(made: SessionReport, tmp_path: Path) -> None:
    text = in_one_line(" ".join(pages(as_pdf.session(made), tmp_path)[1:]))
    for title in (
        "Phases", "Devices given", "Check-in", "Risk flags", "Gate before the drug", "Baseline",
        "Pressures the record must hold", "40-min check", "Scores", "Symptoms", "Adverse events", "Notes",
        "Decisions against the profile", "Ready to leave", "Signatures", "Monitoring form", "Cuff readings",
        "Cuff readings that did not come", "Watched continuously", "Gaps in monitoring", "Five minutes each",
        "Devices", "Alarms", "Pages", "Limits set for this session", "Pauses", "Timeline", "This record",
    ):  # fmt: skip
        assert title in text, title
    for gap in made.gaps:
        assert gap.why in text
    assert made.chain.last_hash in solid(text)
    assert all(one.lot in text for one in made.devices_given)


@pytest.mark.shows("ALM-004")
def test_every_page_says_what_it_is_not(made: SessionReport, tmp_path: Path) -> None:
    for data in (as_pdf.session(made), as_pdf.rems(made)):
        found = pages(data, tmp_path)
        for number, page in enumerate(found, 1):
            assert DISCLAIMER in in_one_line(page)
            assert f"page {number} of {len(found)}" in in_one_line(page)


def busy(one: SessionReport) -> SessionReport:
    """The same with three hundred alarms and whatever else would not fit."""
    low = one.alarms[0]
    many = tuple(
        replace(
            low, alarm_id=n, title=f"SpO2 {n} < 92, a long story", acked_ms=None, state=AlarmState.LATCHED
        )
        for n in range(300)
    )
    return replace(
        one,
        alarms=many,
        gaps=one.gaps * 80,
        limits=one.limits * 20,
        layers=one.layers * 20,
        signatures=one.signatures * 9,
        flags=one.flags,
        unknown=("Something cannot be said here, and here is why at some length. " * 6,) * 3,
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,
        busy,
        lambda one: replace(one, zone="America/New_York"),
        lambda one: busy(replace(one, zone="America/New_York")),
        lambda one: replace(one, alias="W" * 5_000, place="W" * 5_000, clinic="W" * 5_000, bed="W" * 90),
        lambda one: replace(one, lines=(), cuffs=(), baseline=None, expected=(), coverage=(), alarms=()),
        lambda one: replace(one, therapy=None, phases=(), pressures=(), readiness=(), signatures=()),
        lambda one: replace(one, ended_ms=None),
    ],
)
def test_the_summary_is_one_page_whatever_it_has_to_say(
    made: SessionReport, change: Callable[[SessionReport], SessionReport], tmp_path: Path
) -> None:
    first, second, *_ = pages(as_pdf.session(change(made)), tmp_path)
    assert "Details" not in first
    assert second.lstrip().startswith("Details")
    assert "SIGNED" in first.upper()


async def test_an_infusion_is_a_page_too(tmp_path: Path) -> None:
    first = solid(pages(as_pdf.session(await reported(tmp_path, infusion())), tmp_path)[0])
    for said in (
        "0.5 mg/kg, 40 mg for 80 kg",
        "END OF THE INFUSION",
        "132/82",
        "2,342 infusions",
        "early recovery",
    ):
        assert solid(said) in first, said


def test_an_open_session_says_so_on_its_first_page(made: SessionReport, tmp_path: Path) -> None:
    open_ = replace(made, ended_ms=None, signatures=(), readiness=())
    first = in_one_line(pages(as_pdf.session(open_), tmp_path)[0])
    assert "not the final record" in first
    assert "Nobody has signed." in first


# What is typed is text.

NASTY = (
    '#panic("x") #set page(fill: red) #import "/etc/passwd": *',
    "*bold* _it_ `raw` $x^2$ <label> @ref = head\n- list\n+ one\n/ a: b",
    "// not a comment /* nor this */ \\u{41} \\ \\# ~ -- --- ... 'q' \"q\"",
    ']#sys.inputs#[ ))) }}} {{{ %% " + 1',
    "https://example.org/a?b=c&d=%20",
)


@pytest.mark.parametrize("nasty", NASTY)
async def test_no_alias_and_no_note_is_markup(tmp_path: Path, nasty: str) -> None:
    found = pages(as_pdf.session(await reported(tmp_path, nasal(nasty, nasty))), tmp_path)
    assert solid(nasty) in solid(" ".join(found[1:]))
    assert found[1].lstrip().startswith("Details")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Łódź Ñandú Ærø Çelik", "Łódź Ñandú Ærø Çelik"),
        ("Ελένη Анна", "Ελένη Анна"),
        ("calm 😀🫀", "calm [grinning face]"),
        ("a\u202egnp.exe", "a[U+202E]gnp.exe"),
        ("z\u0300\u0301\u0302\u0303", "[U+0300]"),
        ("\x00\x1b[31m", "[U+0000][U+001B][31m"),
    ],
)
async def test_other_scripts_and_signs_can_be_read(tmp_path: Path, typed: str, printed: str) -> None:
    found = pages(as_pdf.session(await reported(tmp_path, nasal(typed, typed))), tmp_path)
    assert printed in in_one_line(" ".join(found))


@pytest.mark.parametrize("typed", ["שלום", "مرحبا"])
async def test_a_script_from_right_to_left_stands_in_its_own_letters(tmp_path: Path, typed: str) -> None:
    text = " ".join(pages(as_pdf.session(await reported(tmp_path, nasal(typed, typed))), tmp_path))
    assert set(typed) <= set(text)


@pytest.mark.parametrize("typed", ["word " * 2_000, "y" * 10_000])
async def test_ten_thousand_characters_are_all_there(tmp_path: Path, typed: str) -> None:
    found = pages(as_pdf.session(await reported(tmp_path, nasal("blue-17", typed))), tmp_path)
    text = "".join("".join(found[1:]).split())
    letter = typed.strip()[0]
    assert text.count(letter) >= 2 * typed.count(letter)  # the note, and its line of the timeline
    assert found[1].lstrip().startswith("Details")


async def test_ten_thousand_pictures_are_cut_and_it_is_said(tmp_path: Path) -> None:
    found = pages(as_pdf.session(await reported(tmp_path, nasal("blue-17", "😀" * 10_000))), tmp_path)
    assert "(10000 characters in all;" in in_one_line(" ".join(found))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_whatever_is_typed_every_character_has_a_shape(typed: str) -> None:
    # PDF/A refuses a character that no font has: so the typesetter itself says whether one was let through.
    source = b'#set text(font: "Libertinus Serif", hyphenate: false)\n#sys.inputs.said'
    typst.compile(
        source, sys_inputs={"said": printable(typed)}, ignore_system_fonts=True, pdf_standards="a-2b"
    )


# How it looks.


def test_the_same_record_is_the_same_page(made: SessionReport) -> None:
    assert as_pdf.session(made) == as_pdf.session(made)


def test_only_the_fonts_that_come_along_are_used(made: SessionReport, tmp_path: Path) -> None:
    file = tmp_path / "record.pdf"
    file.write_bytes(as_pdf.session(made))
    done = subprocess.run(["pdffonts", str(file)], capture_output=True, check=True, text=True, timeout=60)
    names = {line.split()[0].split("+")[-1].split("-")[0] for line in done.stdout.splitlines()[2:]}
    assert names
    assert names <= FONTS
    assert " no " not in {line[60:70] for line in done.stdout.splitlines()[2:]}


def test_a_page_needs_no_colour(made: SessionReport, tmp_path: Path) -> None:
    file = tmp_path / "record.pdf"
    file.write_bytes(as_pdf.session(made))
    subprocess.run(
        ["pdftoppm", "-r", "60", "-f", "1", "-l", "1", str(file), str(tmp_path / "page")],
        check=True,
        timeout=60,
    )
    (picture,) = tmp_path.glob("page*.ppm")
    data = picture.read_bytes()
    body = data[data.index(b"255\n") + 4 :]
    red, green, blue = body[0::3], body[1::3], body[2::3]
    assert red == green == blue
    assert len(set(red)) > 10  # there is something on it


def test_without_the_typesetter_it_is_said_how_to_get_it(
    made: SessionReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(CannotMakeError, match=r'pip install "chairside\[report\]"'):
        as_pdf.session(made)


# The form's list.


def all_fields(one: SessionReport) -> dict[str, Field]:
    return {field.name: field for section in form(one).sections for field in section.fields}


def test_the_map_and_what_fills_it_agree() -> None:
    rows = [row for section in field_map()["section"] for row in section["field"]]
    assert len({row["name"] for row in rows}) == len(rows)
    assert {row["name"] for row in rows if "state" not in row} == set(FILLS)
    assert {row["state"] for row in rows if "state" in row} == {"by hand"}
    assert {row["mark"] for row in rows} == {"S4a", "S4c", "U"}


def test_the_form_holds_what_the_session_was(made: SessionReport) -> None:
    found = all_fields(made)
    told = {
        "dose": "56 mg, 2 devices",
        "total_min": "127 min",
        "ready_min": "126 min",
        "bp_before": "126/80 mmHg",
        "bp_40": "146/92 mmHg",
        "bp_end": "121/77 mmHg",
    }
    assert {name: found[name].words for name in told} == told
    assert (found["benzodiazepines"].words, found["opioids"].words) == ("yes", "no")
    assert found["treatment_date"].words == "2026-05-28"
    assert found["lot"].words.count("24B1-0337") == 2
    assert [found[name].words for name in ("sedation", "sedation_onset", "sedation_over", "sedation_2h")] == [
        "yes", "20 min", "75 min", "yes",
    ]  # fmt: skip
    assert (found["spo2_lowest"].value, found["spo2_lowest"].device) == (91, "monitor3")
    assert (found["sae"].words, found["acceptable_before"].words) == ("no", "yes")


def test_no_line_of_the_form_knows_who_the_patient_is(made: SessionReport) -> None:
    for name in ("first_name", "middle_initial", "last_name", "birth_date", "sex", "signature"):
        assert (all_fields(made)[name].state, all_fields(made)[name].words) == ("by hand", "")


def test_every_number_of_the_form_has_a_source_and_an_age(made: SessionReport) -> None:
    found = [field for field in all_fields(made).values() if field.value is not None]
    assert len(found) >= 10
    for field in found:
        assert field.at_ms is not None
        assert field.age_ms is not None
        reckoned = field.state == "proposed" and bool(field.note)
        assert field.device is not None or field.by is not None or reckoned, field


def test_what_is_missing_says_why(made: SessionReport) -> None:
    none = tuple(replace(one, number=None, reading=None, instead="kim: no cuff") for one in made.pressures)
    bare = replace(made, pressures=none, scores=(), signatures=(), lines=(), ended_ms=None)
    found = all_fields(bare)
    for name in ("bp_before", "bp_40", "bp_end", "sedation", "provider", "spo2_lowest", "total_min"):
        assert (found[name].state, found[name].words, found[name].value) == ("missing", "", None)
        assert found[name].note
    assert found["bp_40"].note == "kim: no cuff"


def test_a_serious_event_is_told_whole(tmp_path: Path) -> None:
    import asyncio

    visit = Visit("spravato_us", devices=2)
    visit.to_decline()
    visit.does(AdverseEvent(visit.now_ms, SESSION, "Fainted", True, "awake after 2 min", "likely", KIM))  # noqa: FBT003
    found = all_fields(asyncio.run(reported(tmp_path, visit)))
    assert [found[name].words for name in ("sae", "sae_what", "sae_outcome", "sae_related")] == [
        "yes", "Fainted", "awake after 2 min", "likely",
    ]  # fmt: skip
    assert found["sae"].by == KIM


def test_one_device_of_two_is_another_dose(tmp_path: Path) -> None:
    import asyncio

    visit = Visit("spravato_us", devices=2)
    visit.to_start()
    visit.does(visit.device(1, last=True, why="felt sick"))
    found = all_fields(asyncio.run(reported(tmp_path, visit)))
    assert (found["dose"].words, found["dose"].note) == ("other: 28 mg, 1 device", "felt sick")


def test_the_list_is_never_the_official_form(made: SessionReport, tmp_path: Path) -> None:
    text = in_one_line(" ".join(pages(as_pdf.rems(made), tmp_path)))
    assert NOTICE.split(";")[0] in text
    assert form(made).notice == NOTICE
    for section in form(made).sections:
        assert section.title in text
        assert section.known == ("not read in the current form" not in text.split(section.title, 1)[1][:60])
    assert "No name, birth date or sex is ever kept" in text


def test_no_form_is_made_where_none_is_owed(made: SessionReport) -> None:
    for other in (replace(made, therapy=None),):
        with pytest.raises(CannotMakeError, match="owes no monitoring form"):
            form(other)


def test_a_pause_and_an_alarm_without_an_end_are_said_to_go_on(made: SessionReport, tmp_path: Path) -> None:
    alarm: AlarmOf = replace(made.alarms[0], ended_ms=None, acked_ms=None, acked_by=None)
    pause: PauseOf = replace(made.pauses[0], until_ms=None, vital=Vital.SPO2, by=DANA)
    text = in_one_line(
        " ".join(pages(as_pdf.session(replace(made, alarms=(alarm,), pauses=(pause,))), tmp_path))
    )
    assert "by nobody not over" in text
    assert "audio paused; SpO2" in text

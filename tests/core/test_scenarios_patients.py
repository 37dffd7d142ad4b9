"""Each scenario's patient does what its row in physiology.md 6 says; a recording plays as it was recorded."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from simulators.patient import MINUTE_MS, Patient
from simulators.recorded import CUFF_MS, load_recording
from simulators.scenario import ScenarioError, load, names

SEED = 11
REQUIRED = ["N0", "N1", "H1", "D1", "D2", "D3", "D4", "B1", "A1", "A3", "T1", "T2", "T3", "T6", "X1", "X2"]


def _patient(name: str, seed: int = SEED) -> Patient:
    return Patient(load(name)[0], seed)


def _seconds(from_min: float, to_min: float) -> range:
    return range(round(from_min * MINUTE_MS), round(to_min * MINUTE_MS), 1000)


def _first(signal: Callable[[int], float | None], below: float, seconds: range) -> int:
    """The first second at which a signal is below a value."""
    return next(t_ms for t_ms in seconds if (value := signal(t_ms)) is not None and value < below)


def test_every_required_story_is_there_and_says_what_to_expect() -> None:
    assert set(REQUIRED) <= set(names())
    for name in names():
        for story in load(name):
            assert story.title, name
            assert story.expect, name


@pytest.mark.parametrize("name", ["N0", "N0-ESK"])
@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_session_stays_ordinary(name: str, seed: int) -> None:
    patient = _patient(name, seed)
    for t_ms in _seconds(-5, 120):
        spo2 = patient.spo2(t_ms)
        assert spo2 is not None
        assert spo2 >= 94
        assert 45 < patient.heart_rate(t_ms) < 110
        assert 8 < patient.respiration(t_ms) < 22
        assert 100 < patient.systolic(t_ms) < 155
        assert patient.diastolic(t_ms) < 97
        assert patient.contact(t_ms).good


def test_a_high_responder_rises_by_33_over_24() -> None:
    patient = _patient("N1")
    peak, base = 40 * MINUTE_MS, -MINUTE_MS
    assert patient.systolic(peak) - patient.systolic(base) == pytest.approx(33, abs=0.5)
    assert patient.diastolic(peak) - patient.diastolic(base) == pytest.approx(24, abs=0.5)
    assert patient.systolic(60 * MINUTE_MS) < 140


def test_a_surge_passes_180_over_110_stays_and_goes() -> None:
    patient = _patient("H1")
    assert patient.systolic(12 * MINUTE_MS) < 140
    crossed = _first(lambda t: -patient.systolic(t), -180, _seconds(12, 60))
    assert 20 * MINUTE_MS < crossed < 30 * MINUTE_MS
    top = 40 * MINUTE_MS
    assert patient.systolic(top) == pytest.approx(187, abs=4)
    assert patient.diastolic(top) == pytest.approx(113, abs=3)
    assert all(patient.systolic(t) >= 180 for t in _seconds(30, 45))
    assert patient.systolic(75 * MINUTE_MS) < 140
    rates = [patient.heart_rate(t) for t in _seconds(32, 45)]
    assert sum(rates) / len(rates) == pytest.approx(92, abs=3)


def test_a_slow_decline_still_stands_at_153_over_94_after_two_hours() -> None:
    patient = _patient("H3")
    assert patient.systolic(40 * MINUTE_MS) == pytest.approx(174, abs=1)
    assert patient.systolic(120 * MINUTE_MS) == pytest.approx(153, abs=1)
    assert patient.diastolic(120 * MINUTE_MS) == pytest.approx(94, abs=1)


def test_a_white_coat_is_taken_off_in_ten_minutes() -> None:
    patient = _patient("H5")
    assert (patient.systolic(-15 * MINUTE_MS), patient.diastolic(-15 * MINUTE_MS)) == (158, 96)
    assert (patient.systolic(-5 * MINUTE_MS), patient.diastolic(-5 * MINUTE_MS)) == (138, 86)


def test_panic_raises_rate_and_breathing_but_not_the_danger() -> None:
    patient = _patient("P1")
    during = _seconds(22, 28)
    assert max(patient.heart_rate(t) for t in during) > 110
    assert max(patient.respiration(t) for t in during) > 28
    assert max(patient.systolic(t) for t in during) < 180
    assert any(patient.contact(t).motion for t in during)
    assert patient.heart_rate(50 * MINUTE_MS) < 100


def test_a_faint_takes_the_heart_under_40_and_the_pressure_down_and_gives_them_back() -> None:
    patient = _patient("B1")
    begins = -5 * MINUTE_MS
    assert patient.heart_rate(begins + 7000) > 78
    assert patient.heart_rate(begins + 50_000) == pytest.approx(34, abs=6)
    assert patient.systolic(begins + 70_000) == pytest.approx(68, abs=1)
    assert patient.diastolic(begins + 70_000) == pytest.approx(40, abs=1)
    assert patient.contact(begins + 50_000).weak
    assert patient.systolic(begins + 10 * MINUTE_MS) > 115
    assert patient.heart_rate(begins + 10 * MINUTE_MS) > 65


def test_a_narrowing_airway_is_seen_in_the_breathing_before_the_saturation() -> None:
    patient = _patient("D1")
    story = _seconds(20, 30)
    breathing = _first(patient.respiration, 8, story)
    medium = _first(patient.spo2, 92, story)
    high = _first(patient.spo2, 90, story)
    severe = _first(patient.spo2, 85, story)
    assert breathing < medium < high < severe
    assert all((patient.spo2(t) or 0) >= 95 for t in _seconds(20, 20 + 225 / 60))
    # -0.15 %/s from 92 to 85 takes 47 s.
    assert 30_000 < severe - medium < 65_000
    assert (patient.spo2(27 * MINUTE_MS) or 0) >= 95
    assert patient.respiration(28 * MINUTE_MS) > 10


def test_an_apnoea_lasts_20_seconds_before_the_saturation_falls() -> None:
    patient = _patient("D2")
    begins = 20 * MINUTE_MS
    assert patient.respiration(begins - 1000) > 9
    assert all(patient.respiration(begins + s * 1000) == 0 for s in range(150))
    assert _first(patient.spo2, 94, _seconds(20, 25)) - begins > 45_000
    assert 76 <= min(patient.spo2(t) or 0 for t in _seconds(20, 24)) <= 79
    assert (patient.spo2(begins + 240_000) or 0) >= 95
    assert patient.respiration(begins + 200_000) > 8


def test_a_sleepy_patient_stays_at_92_or_93_for_five_minutes() -> None:
    patient = _patient("D3")
    shown = [patient.spo2(t) or 0 for t in _seconds(26, 30)]
    assert 91 <= min(shown) <= max(shown) <= 95
    assert sum(shown) / len(shown) == pytest.approx(92.5, abs=0.4)


def test_a_probe_that_comes_off_takes_its_numbers_and_no_others() -> None:
    patient = _patient("D4")
    for t_ms in _seconds(20, 23):
        assert patient.spo2(t_ms) is None
        assert patient.pulse(t_ms) is None
        assert patient.perfusion(t_ms) == 0
        assert patient.heart_rate(t_ms) > 45
    assert patient.spo2(20 * MINUTE_MS - 1000) is not None
    assert patient.spo2(23 * MINUTE_MS) is not None


def test_an_awake_patient_moves_about_once_in_four_minutes() -> None:
    patient = _patient("A1")
    moving = [patient.contact(t).motion for t in _seconds(0, 60)]
    begins = sum(now and not before for before, now in pairwise(moving))
    assert 10 <= begins <= 16
    assert not any(patient.contact(t).motion for t in _seconds(70, 80))


def test_a_cuff_on_the_arm_of_the_probe_blinds_it_at_each_reading() -> None:
    patient = _patient("A2")
    for minute in (0, 5, 40):
        assert patient.spo2(minute * MINUTE_MS + 20_000) is None
        assert patient.spo2(minute * MINUTE_MS + 40_000) is not None


def test_a_cuff_error_is_read_once() -> None:
    patient = _patient("A3")
    wrong = patient.cuff(20 * MINUTE_MS, 15 * MINUTE_MS)
    right = patient.cuff(22 * MINUTE_MS, 20 * MINUTE_MS)
    assert (wrong.systolic, wrong.diastolic) == (201, 62)
    assert right.systolic == pytest.approx(132, abs=14)
    assert right.diastolic == pytest.approx(80, abs=11)


def test_two_beds_fall_ill_in_the_same_second() -> None:
    one, other = load("X1")
    assert one.begins_min() == other.begins_min() == 12
    surge, apnoea = Patient(one, SEED), Patient(other, SEED)
    assert surge.systolic(40 * MINUTE_MS) > 180
    assert apnoea.respiration(12 * MINUTE_MS) == 0
    assert apnoea.respiration(20 * MINUTE_MS) > 8


@pytest.mark.parametrize("name", ["T6", "X2"])
def test_a_story_about_the_service_has_a_patient_with_a_high_alarm(name: str) -> None:
    patient = _patient(name)
    assert min(patient.spo2(t) or 0 for t in _seconds(20, 24)) < 85


@pytest.mark.parametrize(
    ("name", "kind", "lasts_s"), [("T1", "unplug", 90), ("T2", "repeat", 90), ("T3", "delay", 60)]
)
def test_a_technical_story_is_a_fault_of_the_cable(name: str, kind: str, lasts_s: float) -> None:
    (fault,) = load(name)[0].fault
    assert (fault.kind, fault.at_min, fault.arg) == (kind, 20, lasts_s)


# Scenarios of one's own.


def test_a_scenario_of_ones_own_is_a_file_of_the_same_shape(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('drug = "none"\n[person]\nspo2_percent = 88\n[[probe]]\nstate="off"\nat_min=1\nfor_s=5\n')
    (story,) = load(str(file))
    assert story.name == "mine"
    patient = Patient(story, SEED)
    assert patient.saturation(0) == 88
    assert not patient.contact(62_000).good


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drog = 'iv'", "drog"),
        ("[[probe]]\nstate='lost'\nat_min=1\nfor_s=1", "probe"),
        ("[[bend]]\nsignal='spo2'\nat_min=1\nmode='set'\npoints=[]", "points"),
        ("[[bend]]\nsignal='spo2'\nat_min=1\nmode='set'\npoints=[[9, 1], [3, 1]]", "forward"),
        (
            "[[surge]]\nsignal='spo2'\nat_min=1\nheight=1\nrise_tau_s=0\nplateau_s=1\nfall_tau_s=1",
            "rise_tau_s",
        ),
        ("not toml", "TOML"),
        ("[[bed]]\nlike = 'nobody'", "no such scenario"),
    ],
)
def test_a_mistake_in_a_scenario_is_one_line_that_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=says) as caught:
        load(str(file))
    assert "\n" not in str(caught.value)


def test_a_scenario_made_of_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"[[bed]]\nlike = '{file}'\n")
    with pytest.raises(ScenarioError, match="itself"):
        load(str(file))


# Recordings.

RECORDING = """t_s,hr,pr,spo2,rr,nibp_sys,nibp_dia,nibp_map
0,80,81,97,14,,,
1,82,83,98,14,,,
2,,,,13,,,
3,84,85,99,13,,,
60,84,85,99,13,140,90,107
61,84,85,99,13,,,
120,84,85,99,13,120,80,
121,90,85,99,13,,,
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_a_recording_plays_second_by_second_and_a_missing_cell_is_missing(
    tmp_path: Path, *, zipped: bool
) -> None:
    file = tmp_path / ("case.csv.gz" if zipped else "case.csv")
    file.write_bytes(gzip.compress(RECORDING.encode()) if zipped else RECORDING.encode())
    patient = load_recording(file)
    assert patient.story.name == "case"
    assert (patient.heart_rate(1000), patient.pulse(1000), patient.spo2(1000)) == (82, 83, 98)
    assert patient.respiration(2500) == 13
    assert patient.spo2(2000) is None
    assert patient.contact(2000).probe == "off"
    assert patient.contact(3000).good
    assert patient.temperature(0) is None
    assert patient.heart_rate(-1) is None
    assert patient.heart_rate(10_000_000) is None


def test_a_recorded_cuff_is_read_when_it_was_recorded(tmp_path: Path) -> None:
    file = tmp_path / "case.csv"
    file.write_text(RECORDING)
    patient = load_recording(file)
    start = patient.next_cuff_ms(0, 300_000)
    assert start == 60_000 - CUFF_MS
    read = patient.cuff(start, None)
    assert (read.systolic, read.diastolic, read.mean) == (140, 90, 107)
    second = patient.next_cuff_ms(start, 300_000)
    assert second == 120_000 - CUFF_MS
    last = patient.cuff(second, start)
    assert (last.systolic, last.diastolic, last.mean) == (120, 80, 93)
    assert patient.next_cuff_ms(second, 300_000) is None
    between = patient.cuff(90_000 - CUFF_MS, None)
    assert (between.systolic, between.diastolic) == (130, 85)
    assert patient.cuff(-MINUTE_MS, None).failed
    assert patient.cuff(10 * MINUTE_MS, None).failed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "header"),
        ("time,hr\n1,2\n", "header"),
        ("t_s,pulse\n1,2\n", "pulse"),
        ("t_s,hr\n", "no row"),
        ("t_s,hr\n1\n", "cells"),
        ("t_s,hr\n1,abc\n", "abc"),
        ("t_s,hr\n2,70\n1,70\n", "forward"),
    ],
)
def test_a_recording_that_cannot_be_read_says_why_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "case.csv"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=says) as caught:
        load_recording(file)
    assert "\n" not in str(caught.value)


def test_a_recording_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load_recording(tmp_path / "absent.csv")


def test_the_page_on_the_simulators_lists_every_story() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")
    for name in names():
        story = load(name)[0]
        assert f"| {name} | {story.title} | {story.expect} |" in page

"""Replay: each sentence of the interface about it, and real recordings through it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.recording import BadRecording, read
from monitor.replay import Run, baseline, play
from tests.core.conftest import RECORDINGS
from tests.core.shift import WATCH

Cell = float | str | None


def case(folder: Path, columns: Mapping[str, Callable[[int], Cell]], seconds: int, *, every: int = 1) -> Path:
    """A recording with these columns, each a function of the second."""
    lines = [",".join(["t_s", *columns])]
    for second in range(0, seconds, every):
        cells = [of(second) for of in columns.values()]
        lines.append(",".join([str(second), *("" if cell is None else str(cell) for cell in cells)]))
    path = folder / "case.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def lines(*files: Path, **how: Any) -> list[dict[str, Any]]:
    """All lines."""
    return list(play(files, **how))


def alarms(said: list[dict[str, Any]], move: str = "raised") -> list[tuple[float, str, str]]:
    """(t_s, rule, priority) of every alarm."""
    return [(x["t_s"], x["rule"], x["priority"]) for x in said if x["event"] == "alarm" and x["move"] == move]


def steady(value: float) -> Callable[[int], Cell]:
    """Always the same."""
    return lambda _: value


def between(start: int, end: int, inside: float, outside: float) -> Callable[[int], Cell]:
    """One value for some seconds, another before and after."""
    return lambda second: inside if start <= second < end else outside


# Alarms.


def test_raised_is_when_the_alarm_becomes_active_and_since_is_the_first_breach(tmp_path: Path) -> None:
    said = lines(case(tmp_path, {"spo2": between(100, 130, 88, 97)}, 200))
    high = next(x for x in said if x.get("priority") == "HIGH")
    assert high == {
        "t_s": 110.0,
        "event": "alarm",
        "move": "raised",
        "rule": "spo2-low",
        "priority": "HIGH",
        "value": 88,
        "limit": 90,
        "since_s": 100.0,
        "note": "",
    }


def test_cleared_is_when_the_condition_has_ended_latched_or_not(tmp_path: Path) -> None:
    said = lines(case(tmp_path, {"spo2": between(100, 130, 88, 97)}, 400))
    assert alarms(said, "cleared") == [
        (135.0, "spo2-low", "HIGH"),
        (135.0, "spo2-low", "MEDIUM"),
        (135.0, "spo2-low", "LOW"),
    ]


def test_raised_again_from_a_latch_counts_again(tmp_path: Path) -> None:
    spo2: Callable[[int], Cell] = lambda s: 84 if s in range(50, 60) or s in range(200, 210) else 97  # noqa: E731
    said = lines(case(tmp_path, {"spo2": spo2}, 300))
    # Below the severe bound at once, but after a fall of 13 in a second: it is believed 6 s later (C9).
    assert [a for a in alarms(said) if a[2] == "HIGH"] == [
        (56.0, "spo2-low", "HIGH"),
        (200.0, "spo2-low", "HIGH"),  # what is latched is back with its onset
    ]
    assert said[-1]["raised"]["HIGH"] == 2


def test_what_was_withheld_and_gone_has_a_line_of_its_own_that_says_why(tmp_path: Path) -> None:
    columns = {"hr": between(60, 80, 0, 70), "pr": steady(71)}
    said = lines(case(tmp_path, columns, 120))
    assert [a for a in alarms(said) if a[1] == "hr-none"] == []
    (withheld,) = [x for x in said if x.get("move") == "withheld" and x["rule"] == "hr-none"]
    assert withheld["since_s"] == 60.0
    assert withheld["note"] == "withheld: the oximeter counts 71"


def test_pages_have_their_step_and_reason_and_nobody_answers(tmp_path: Path) -> None:
    said = lines(case(tmp_path, {"spo2": between(50, 400, 84, 97)}, 300))
    pages = [(x["t_s"], x["step"]) for x in said if x["event"] == "page"]
    assert pages == [(56.0, 0), (86.0, 1), (116.0, 2), (176.0, 3), (236.0, 4), (296.0, 5)]
    assert [x["why"] for x in said if x["event"] == "page"][:2] == [
        "first page for this alarm",
        "nobody has accepted in time",
    ]
    assert (said[-1]["pages"], said[-1]["further_pages"]) == (1, 5)


def test_the_summary_adds_up(tmp_path: Path) -> None:
    hr: Callable[[int], Cell] = lambda s: None if 1_000 <= s < 1_100 else 70  # noqa: E731
    said = lines(case(tmp_path, {"spo2": between(100, 130, 88, 97), "hr": hr}, 3_601))
    total = said[-1]
    assert total["event"] == "summary"
    assert total["bed_hours"] == 1.0
    assert total["raised"] == {"HIGH": 1, "MEDIUM": 1, "LOW": 1}
    assert total["technical"] == {"HIGH": 0, "MEDIUM": 1, "LOW": 1}
    # HIGH from 110 to 135, MEDIUM and LOW from 115 to 135.
    assert total["alarmed_s"] == {"HIGH": 25.0, "MEDIUM": 20.0, "LOW": 20.0}
    assert total["gaps_s"] == pytest.approx(91, abs=1.1)
    assert total["pages"] == 2
    assert total["readings"] >= 3_601 + 3_501
    assert total["wall_s"] > 0


def test_an_alarm_that_stands_at_the_end_counts_up_to_the_end(tmp_path: Path) -> None:
    total = lines(case(tmp_path, {"spo2": between(100, 400, 84, 97)}, 201))[-1]
    assert total["alarmed_s"]["HIGH"] == 94.0


def test_an_empty_cell_is_no_value_and_never_ends_an_alarm(tmp_path: Path) -> None:
    spo2: Callable[[int], Cell] = lambda s: 97 if s < 50 else 84 if s < 60 else None  # noqa: E731
    said = lines(case(tmp_path, {"spo2": spo2, "hr": steady(70)}, 200))
    assert alarms(said, "cleared") == []
    gaps = [(t, p) for t, rule, p in alarms(said) if rule == "spo2-gap"]
    assert [p for _, p in gaps] == ["LOW", "MEDIUM"]


@pytest.mark.parametrize("column", ["hr", "pr"])
def test_a_rate_of_zero_is_a_claim_and_not_a_missing_value(tmp_path: Path, column: str) -> None:
    said = lines(case(tmp_path, {column: between(50, 70, 0, 70)}, 100))
    assert (54.0, "hr-none", "HIGH") in alarms(said)
    assert [a for a in alarms(said) if a[1] == "hr-gap"] == []


def test_the_ecg_is_heard_first_and_the_pulse_where_there_is_none(tmp_path: Path) -> None:
    hr: Callable[[int], Cell] = lambda s: 70 if s < 60 else None  # noqa: E731
    said = lines(case(tmp_path, {"hr": hr, "pr": steady(150)}, 100))
    raised = [a for a in alarms(said) if a[1] == "hr-high"]
    assert raised[0][0] >= 70


# Rarely sampled.


def test_a_column_slower_than_five_seconds_is_judged_like_a_cuff(tmp_path: Path) -> None:
    said = lines(case(tmp_path, {"spo2": between(600, 900, 88, 97)}, 1_800, every=60))
    assert [a for a in alarms(said) if a[2] == "HIGH"] == [(660.0, "spo2-low", "HIGH")]


def test_one_reading_that_the_next_does_not_confirm_raises_nothing(tmp_path: Path) -> None:
    said = lines(case(tmp_path, {"spo2": between(600, 660, 88, 97)}, 1_800, every=60))
    assert [a for a in alarms(said) if a[2] != "LOW"] == []


def test_the_next_reading_confirms_whenever_it_comes(tmp_path: Path) -> None:
    taken = {0: 120, 600: 172, 3_000: 172}
    columns = {"nibp_sys": taken.get, "nibp_dia": dict.fromkeys(taken, 80).get}
    said = lines(case(tmp_path, columns, 3_600, every=60))
    assert (3_000.0, "sbp-high", "MEDIUM") in alarms(said)
    assert all(x.get("note") != "not confirmed" for x in said)


def test_a_rare_column_is_fresh_for_three_of_its_intervals(tmp_path: Path) -> None:
    spo2: Callable[[int], Cell] = lambda s: 97 if s <= 600 else None  # noqa: E731
    said = lines(case(tmp_path, {"spo2": spo2, "hr": steady(70)}, 1_200, every=60))
    gaps = [t for t, rule, p in alarms(said) if rule == "spo2-gap"]
    assert gaps
    assert min(gaps) == pytest.approx(600 + 180, abs=1)


def test_a_rate_that_is_sampled_twice_is_rare_only_if_both_are(tmp_path: Path) -> None:
    """A monitor's own rate each minute must not silence an oximeter that speaks every second."""
    hr: Callable[[int], Cell] = lambda s: 70 if s % 60 == 0 and s < 120 else None  # noqa: E731
    said = lines(case(tmp_path, {"hr": hr, "pr": between(300, 400, 150, 70)}, 500))
    assert [a for a in alarms(said) if a[1:] == ("hr-high", "HIGH")] == [(310.0, "hr-high", "HIGH")]


# Arterial pressure.


def test_an_arterial_line_takes_the_limits_of_the_cuff_and_the_delays_of_spo2(tmp_path: Path) -> None:
    columns = {"abp_sys": between(100, 200, 185, 120), "abp_dia": steady(75), "abp_map": steady(92)}
    said = alarms(lines(case(tmp_path, columns, 300)))
    assert (110.0, "sbp-high", "HIGH") in said
    assert (115.0, "sbp-high", "MEDIUM") in said


def test_an_arterial_line_beyond_the_severe_bound_waits_for_nothing(tmp_path: Path) -> None:
    columns = {"abp_sys": between(100, 200, 205, 120), "abp_dia": steady(75), "abp_map": steady(92)}
    assert (100.0, "sbp-high", "HIGH") in alarms(lines(case(tmp_path, columns, 300)))


# Limits, baseline, files.


def test_what_if_the_limit_were_another(tmp_path: Path) -> None:
    path = case(tmp_path, {"spo2": between(100, 130, 88, 97)}, 200)
    own = tmp_path / "own.toml"
    for text in ("[spo2-low]\nlimit = 86\n", "[limits.spo2-low]\nlimit = 86\n"):
        own.write_text(text, encoding="utf-8")
        assert [a for a in alarms(lines(path, limits=own)) if a[2] == "HIGH"] == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[spo2-low]\nlimit = 'x'\n", "spo2-low"),
        ("[spo2-lo]\nlimit = 3\n", "spo2-lo"),
        ("[[", "cannot be read"),
    ],
)
def test_limits_that_are_none_are_refused_in_one_line(tmp_path: Path, text: str, what: str) -> None:
    path, own = case(tmp_path, {"spo2": steady(97)}, 10), tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(BadRecording, match=what) as caught:
        lines(path, limits=own)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("own.toml: ")


def test_there_is_no_such_profile(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="there is no limit profile 'spa'"):
        lines(case(tmp_path, {"spo2": steady(97)}, 10), therapy="spa")


def test_what_was_measured_before_the_first_dose_is_the_patients_own_normal(tmp_path: Path) -> None:
    path = case(tmp_path, {"hr": between(0, 300, 60, 100), "spo2": steady(97)}, 600)
    assert baseline(read(path), 300).heart_rate == 60
    assert baseline(read(path), None).heart_rate is None
    assert [a for a in alarms(lines(path)) if a[1] == "hr-rise"] == []
    assert [a for a in alarms(lines(path, t0_s=299)) if a[1] == "hr-rise"] == [(330.0, "hr-rise", "MEDIUM")]


def test_several_files_are_told_apart_and_added_up(tmp_path: Path) -> None:
    one = case(tmp_path, {"spo2": between(100, 130, 88, 97)}, 200)
    two = tmp_path / "other.csv.gz"
    two.write_bytes(gzip.compress(one.read_bytes()))
    said = lines(one, two)
    sums = [x for x in said if x["event"] == "summary"]
    assert [x.get("case") for x in sums] == ["case", "other", None]
    assert sums[2]["raised"]["HIGH"] == sums[0]["raised"]["HIGH"] + sums[1]["raised"]["HIGH"] == 2
    assert {x.get("case") for x in said if x["event"] == "alarm"} == {"case", "other"}


def test_a_bad_file_is_named_in_one_line_and_the_others_are_played(tmp_path: Path) -> None:
    good, bad, worse = case(tmp_path, {"spo2": steady(97)}, 20), tmp_path / "bad.csv", tmp_path / "worse.csv"
    bad.write_text("t_s,spo2\n0,97\n1,x\n", encoding="utf-8")
    said: list[dict[str, Any]] = []
    with pytest.raises(BadRecording) as caught:
        said.extend(play([bad, good, worse]))
    assert str(caught.value).splitlines() == [
        "bad.csv: line 3: spo2 is 'x', not a number",
        "worse.csv: cannot be read: No such file or directory",
    ]


def test_the_same_recording_says_the_same_twice(tmp_path: Path) -> None:
    path = case(tmp_path, {"spo2": between(100, 130, 88, 97), "rr": between(60, 120, 0, 14)}, 400)
    one, two = lines(path), lines(path)
    for said in (one, two):
        said[-1].pop("wall_s")
    assert one == two


def test_times_are_those_of_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("t_s,spo2\n" + "".join(f"{5_000.5 + s},84\n" for s in range(20)), encoding="utf-8")
    assert alarms(lines(path))[0] == (5_000.5, "spo2-low", "HIGH")


# Real recordings.


def real(source: str) -> list[Path]:
    """The cases of one source (see conftest.py: where there are none at all, they are left out aloud)."""
    found = [path for path in sorted((RECORDINGS / source).glob("*.csv")) if path.name.startswith(source)]
    assert found, f"there is no recording of {source} in {RECORDINGS}"
    return found


@pytest.mark.recordings
def test_each_time_a_volunteer_was_below_85_there_is_a_high() -> None:
    for path in real("hypoxia"):
        recording = read(path)
        below = next((t for t, value in recording.column("spo2") if 70 <= value < 85), None)
        said = list(Run(recording, WATCH, None).lines())
        high = [t for t, rule, p in alarms(said) if (rule, p) == ("spo2-low", "HIGH")]
        if below is not None:
            assert high, path.name
            assert high[0] <= below, f"{path.name}: severe is at once"


@pytest.mark.recordings
def test_the_first_high_of_a_real_patient_has_eight_of_ten_seconds_below_90_or_one_below_85() -> None:
    """Later ones begin from a latch, where a new breach waits for nothing."""
    raised = 0
    for path in [*real("hypoxia"), *real("bidmc")]:
        recording = read(path)
        for line in Run(recording, WATCH, None).lines():
            if line.get("move") != "raised" or (line["rule"], line["priority"]) != ("spo2-low", "HIGH"):
                continue
            spo2 = recording.column("spo2")
            inside = [value for t, value in spo2 if line["since_s"] <= t <= line["t_s"]]
            assert line["value"] in inside, (path.name, line)
            assert line["value"] < 85 or sum(value < 90 for value in inside) >= 8, (path.name, line)
            raised += 1
            break
    assert raised > 10


@pytest.mark.recordings
def test_every_source_is_played_to_its_end() -> None:
    sources = [folder for folder in sorted(RECORDINGS.iterdir()) if folder.is_dir()]
    assert sources
    for source in sources:
        for path in sorted(source.glob(f"{source.name}*.csv"))[:6]:
            *_, total = play([path])
            assert total["event"] == "summary"
            assert total["readings"] > 0

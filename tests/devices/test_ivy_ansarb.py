"""A monitor whose blood pressure has no time: what is a new reading, and what its words do to a number."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from monitor.devices.codecs.ivy_ansarb import (
    FLAT,
    HEAD,
    LONGEST,
    TEXT_AT,
    Decoder,
    encode,
    encode_vitals,
)
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital
from simulators.ivy_ansarb import CUFF_FAILED, Twin
from simulators.patient import MINUTE_MS, Patient
from simulators.scenario import Bend, FirstCuff, Probe, Story

SEED = 4
OLD, NEW = (128, 79, 95, 70), (131, 80, 97, 72)


def _values(said: list[Said]) -> dict[str, float | None]:
    return {one.vital.value: one.value for one in said if isinstance(one, Sample)}


def _cuffs(said: list[Said]) -> list[tuple[float | None, ...]]:
    return [(one.systolic, one.diastolic, one.mean, one.pulse) for one in said if isinstance(one, Cuff)]


def _unknown(said: list[Said]) -> list[str]:
    return [one.what for one in said if isinstance(one, Notice) and "unknown age" in one.what]


def _pressure(*numbers: int | None, alarm: str = "") -> bytes:
    return encode_vitals(heart_rate=72, cuff=numbers, alarms={"NIBP": alarm})


def _line(line: str) -> list[Said]:
    return Decoder().feed(encode([line]))


# Blood pressure.


def test_what_stood_there_before_is_of_unknown_age_and_is_said_as_long_as_it_stands() -> None:
    decoder = Decoder()
    for _ in range(3):
        said = decoder.feed(_pressure(*OLD))
        assert _cuffs(said) == []
        assert _unknown(said) == ["blood pressure on the monitor is of unknown age: 128/79 (95)"]


def test_numbers_that_change_and_stay_are_one_reading() -> None:
    decoder = Decoder()
    decoder.feed(_pressure(*OLD))
    assert _cuffs(decoder.feed(_pressure(*NEW))) == []
    said = decoder.feed(_pressure(*NEW))
    assert _cuffs(said) == [NEW]
    assert _unknown(said) == []
    assert _cuffs(decoder.feed(_pressure(*NEW) * 100)) == []


@pytest.mark.parametrize("place", range(4))
def test_any_of_the_four_numbers_makes_it_another_reading(place: int) -> None:
    other = tuple(number + (at == place) for at, number in enumerate(OLD))
    assert _cuffs(Decoder().feed(_pressure(*OLD) + _pressure(*other) * 2)) == [other]


def test_a_reading_that_was_the_first_ever_is_new() -> None:
    decoder = Decoder()
    decoder.feed(_pressure())
    assert _cuffs(decoder.feed(_pressure(*NEW) * 2)) == [NEW]


def test_after_a_new_connection_nothing_is_new() -> None:
    decoder = Decoder()
    decoder.feed(_pressure(*OLD) + _pressure(*NEW) * 2)
    decoder.close()
    for numbers in (NEW, NEW):
        said = decoder.feed(_pressure(*numbers))
        assert (_cuffs(said), len(_unknown(said))) == ([], 1)
    decoder.close()
    # Measured while the cable was out: nobody knows when.
    assert _cuffs(decoder.feed(_pressure(140, 90, 107, 75) * 3)) == []
    assert _cuffs(decoder.feed(_pressure(*OLD) * 2)) == [OLD]


def test_a_blank_between_the_same_numbers_is_no_second_reading() -> None:
    said = Decoder().feed(_pressure(*OLD) + _pressure(*NEW) * 3 + _pressure() * 20 + _pressure(*NEW) * 3)
    assert _cuffs(said) == [NEW]


def test_a_digit_turned_on_the_wire_is_no_reading() -> None:
    wire = _pressure(*OLD) * 2 + _pressure(228, 79, 95, 70) + _pressure(*OLD) * 3
    assert _cuffs(Decoder().feed(wire)) == []


def test_numbers_beside_a_failed_cuff_are_nobodys() -> None:
    said = Decoder().feed(_pressure(*OLD) + _pressure(*NEW, alarm="CUFF FAIL") * 5)
    assert _cuffs(said) == []
    assert Notice("monitor's own alarm: NIBP CUFF FAIL") in said


def test_a_cuff_without_a_mean_is_told_without_one() -> None:
    assert _cuffs(Decoder().feed(_pressure(*OLD) + _pressure(120, 70, None, None) * 2)) == [
        (120, 70, None, None)
    ]


# What words do to a number.


@pytest.mark.parametrize(
    ("line", "value", "quality"),
    [
        ("HR=1;72;ECG-II-DIAG;", 72, Quality.VALID),
        ("HR=1;140;ECG-II-DIAG;HR HIGH", 140, Quality.VALID),
        ("HR=1;72;ECG-II-DIAG;ALARM OFF", 72, Quality.VALID),
        ("HR=1;72;ECG-II-DIAG;LEAD OFF", None, Quality.INVALID),
        ("HR=1;;ECG-II-DIAG;LEAD OFF", None, Quality.MISSING),
        ("HR=1;72;ECG-II-DIAG;NOISE", 72, Quality.QUESTIONABLE),
        ("HR=1;72;ECG-II-DIAG;SOMETHING NEW", 72, Quality.QUESTIONABLE),
        ("HR=1;72;PLETH;", 72, Quality.QUESTIONABLE),
        ("HR=1;---;ECG-II-DIAG;", None, Quality.MISSING),
        ("HR=1;0;ECG-II-DIAG;ASYSTOLE", 0, Quality.QUESTIONABLE),
        ("SPO2=1;97;PR=71 ;LOW PERFUSION", 97, Quality.QUESTIONABLE),
        ("SPO2=1;84;PR=71 ;SPO2 LOW", 84, Quality.VALID),
        ("SPO2=1;0;PR=0 ;", None, Quality.INVALID),
        ("SPO2=1;97;;", 97, Quality.VALID),
        ("ETCO2=1;38;;", 38, Quality.VALID),
        ("ETCO2=1;38;;WARMING UP", None, Quality.INVALID),
        ("T2=1;36.7;;", 36.7, Quality.VALID),
    ],
)
def test_alarm_and_label_decide_whether_a_number_stands(
    line: str, value: float | None, quality: Quality
) -> None:
    first = next(one for one in _line(line) if isinstance(one, Sample))
    assert (first.value, first.quality) == (value, quality)


@pytest.mark.parametrize(
    ("lines", "value", "quality"),
    [
        (["HR=1;60;ECG-II-DIAG;", "RR=1;0;APNEA: 20 SEC;"], 0, Quality.VALID),
        (["HR=1;60;ECG-II-DIAG;", "RR=1;0;APNEA: 20 SEC;APNEA"], 0, Quality.VALID),
        (["ETCO2=1;0;;", "RR=1;0;;APNEA"], 0, Quality.VALID),
        (["HR=1;60;ECG-II-DIAG;", "RR=1;12;APNEA: 20 SEC;APNEA"], None, Quality.INVALID),
        (["HR=1;60;ECG-II-DIAG;", "RR=1;;APNEA: 20 SEC;APNEA"], None, Quality.MISSING),
        (["HR=1;60;ECG-II-DIAG;", "RR=1;12;APNEA: 20 SEC;"], 12, Quality.VALID),
        (["HR=1;;ECG-II-DIAG;LEAD OFF", "RR=1;0;APNEA: 20 SEC;"], None, Quality.INVALID),
        (["RR=1;0;APNEA: 20 SEC;APNEA"], None, Quality.INVALID),
    ],
)
def test_no_breath_is_claimed_only_by_who_can_see_one(
    lines: list[str], value: float | None, quality: Quality
) -> None:
    said = Decoder().feed(encode(lines))
    (rate,) = [one for one in said if isinstance(one, Sample) and one.vital is Vital.RESPIRATION]
    assert (rate.value, rate.quality) == (value, quality)


def test_the_first_temperature_with_a_value_and_the_first_arterial_line_are_told() -> None:
    lines = ["T1=1;;;", "T2=1;36.7;;", "P1=1;9;4;6;CVP;", "P2=1;118;62;81;ART;"]
    assert _values(Decoder().feed(encode(lines))) == {
        "temp": 36.7,
        "abp_sys": 118,
        "abp_dia": 62,
        "abp_map": 81,
    }
    assert _values(Decoder().feed(encode(["T1=1;37.1;;", "T2=1;33.0;;"]))) == {"temp": 37.1}


# A damaged message.


@pytest.mark.parametrize(
    "line",
    [
        "HR=1;72ECG-II-DIAG;",
        "HR=1;7x;ECG-II-DIAG;",
        "HR=1;72;ECG-II-DIAG;RR=1;14;APNEA: 20 SEC;",
        "NIBP=4;12879;95;70;;",
        "SPO2=1;97;PR 71 ;",
        "HR",
        "72;ECG-II-DIAG;",
    ],
)
def test_a_line_whose_fields_are_not_its_own_is_dropped_alone(line: str) -> None:
    said = Decoder().feed(encode([line, "T1=1;36.7;;"]))
    assert [one for one in said if isinstance(one, Fault)] == [Fault("damaged line", len(line))]
    assert _values(said) == {"temp": 36.7}


def test_a_line_that_comes_twice_in_a_message_is_believed_once() -> None:
    said = Decoder().feed(encode(["HR=1;72;ECG-II-DIAG;", "HR=1;172;ECG-II-DIAG;"]))
    assert _values(said) == {"hr": 72}


@pytest.mark.parametrize("lost", [1, 9, 200, 399, 480])
def test_a_message_that_lost_bytes_takes_no_other_with_it(lost: int) -> None:
    quiet = encode_vitals(heart_rate=72, spo2=97, pulse=71)
    wire = quiet[: len(HEAD)] + quiet[len(HEAD) + lost :] + quiet
    said = Decoder().feed(wire)
    assert _values(said)["hr"] == 72
    assert _values(Decoder().feed(quiet[:-lost] + quiet))["hr"] == 72


def test_a_head_without_an_end_is_let_go() -> None:
    decoder = Decoder()
    said = decoder.feed(HEAD + b"A" * 3 * LONGEST)
    assert not any(isinstance(one, Sample) for one in said)
    quiet = encode_vitals(heart_rate=72)
    assert _values(decoder.feed(quiet))["hr"] == 72


def test_waves_may_hold_any_byte_but_a_head() -> None:
    for byte in (0xFE, 0xFF, 0x0D):
        wire = encode_vitals(heart_rate=72, waves=bytes([byte]) * len(FLAT))
        assert _values(Decoder().feed(wire))["hr"] == 72
    with pytest.raises(ValueError, match="400 bytes of waves"):
        encode([], b"")


# The twin.


def _patient(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), SEED)


def _session(twin: Twin, from_ms: int, to_ms: int) -> list[tuple[int, list[Said]]]:
    decoder = Decoder()
    return [(t_ms, decoder.feed(twin.tick(t_ms))) for t_ms in range(from_ms, to_ms, 1_000)]


def test_a_whole_session_is_read_without_a_fault() -> None:
    patient = _patient()
    heard = _session(Twin(patient, SEED, {"co2": True}), 0, 10 * MINUTE_MS)
    for t_ms, said in heard[1:]:
        spoken_ms = t_ms - 1_000 + SEED * 137 % 1_000
        values = _values(said)
        assert not any(isinstance(one, Fault) for one in said)
        assert values["hr"] == round(patient.heart_rate(spoken_ms))
        assert values["spo2"] == patient.spo2(spoken_ms)
        assert values["rr"] == round(patient.respiration(spoken_ms))
        assert values["temp"] == round(patient.temperature(spoken_ms), 1)
        assert values["etco2"] == 38


def test_each_cuff_of_a_session_is_told_once_and_the_one_before_it_never() -> None:
    heard = _session(Twin(_patient(), SEED, {"cycle_s": 120}), 0, 20 * MINUTE_MS)
    assert len(_unknown(heard[1][1])) == 1
    told_ms = [t_ms for t_ms, said in heard if _cuffs(said)]
    assert 8 <= len(told_ms) <= 10  # one in thirty fails
    assert all(later - sooner >= 100_000 for sooner, later in pairwise(told_ms))


def test_a_cuff_that_fails_leaves_the_old_numbers_and_says_so() -> None:
    fails = FirstCuff(at_min=4)
    heard = _session(Twin(_patient(cuff=(fails,)), SEED, {}), MINUTE_MS, 9 * MINUTE_MS)
    assert [t_ms for t_ms, said in heard if _cuffs(said)] == []
    assert any(Notice(f"monitor's own alarm: NIBP {CUFF_FAILED}") in said for _, said in heard)


def test_an_apnoea_and_a_lost_probe_are_read_as_what_they_are() -> None:
    stops = Bend(signal="respiration", at_min=1, mode="set", points=((0, 0), (60, 0)))
    probe = Probe(state="off", at_min=1, for_s=60)
    heard = _session(Twin(_patient(bend=(stops,), probe=(probe,)), SEED, {}), 0, 110_000)
    values = [_values(said) for t_ms, said in heard if t_ms > 62_000]
    assert {(one["rr"], one["spo2"], one["pr_spo2"]) for one in values} == {(0, None, None)}
    assert Notice("monitor's own alarm: RR APNEA") in heard[-1][1]


def test_the_text_begins_where_the_fact_sheet_says() -> None:
    assert encode_vitals(heart_rate=72)[TEXT_AT:].startswith(b"HR=1;72;ECG-II-DIAG;\r")

"""The JSON lines of `decode` and `listen`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.devices.codecs import DRIVERS, dinamap, masimo_ascii1
from monitor.devices.lines import as_line, decode
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital


def test_the_four_kinds_of_line() -> None:
    assert as_line(Sample(Vital.SPO2, 98.0)) == {
        "kind": "sample",
        "vital": "spo2",
        "value": 98,
        "unit": "%",
        "quality": "valid",
        "why": None,
    }
    assert as_line(Cuff(138, 84, 102, age_ms=42_000)) == {
        "kind": "cuff",
        "sys": 138,
        "dia": 84,
        "map": 102,
        "pulse": None,
        "unit": "mm[Hg]",
        "age_s": 42,
        "quality": "valid",
        "why": None,
    }
    assert as_line(Notice("probe off")) == {"kind": "status", "what": "probe off"}
    assert as_line(Fault("wrong checksum", 17)) == {
        "kind": "fault",
        "reason": "wrong checksum",
        "dropped": 17,
    }


@pytest.mark.parametrize("quality", [Quality.INVALID, Quality.MISSING])
def test_a_value_that_may_not_be_believed_is_null(quality: Quality) -> None:
    assert as_line(Sample(Vital.SPO2, 98, quality))["value"] is None
    assert as_line(Cuff(138, 84, 102, 70, quality=quality)) | {"why": None} == {
        "kind": "cuff",
        "sys": None,
        "dia": None,
        "map": None,
        "pulse": None,
        "unit": "mm[Hg]",
        "age_s": 0,
        "quality": quality.value,
        "why": None,
    }


def test_a_late_value_says_so() -> None:
    line = as_line(Sample(Vital.SPO2, 98, age_ms=61_500, late=True))
    assert (line["late"], line["age_s"]) == (True, 61.5)


def test_a_mean_that_the_device_did_not_send_is_not_put_in_its_mouth() -> None:
    assert as_line(Cuff(120, 90, 100, derived_mean=True))["map"] is None


words = st.text(max_size=200)
saids: st.SearchStrategy[Said] = st.one_of(
    st.builds(Sample, st.sampled_from(Vital), st.none(), st.sampled_from(Quality), words, device_time=words),
    st.builds(Cuff, st.none(), st.none(), quality=st.just(Quality.INVALID), why=words, device_time=words),
    st.builds(Notice, words),
    st.builds(Fault, words, st.integers(0, 10**9)),
)


@given(saids)
def test_whatever_a_device_says_is_one_line_without_control_characters(said: Said) -> None:
    text = json.dumps(as_line(said), ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 1_000


def test_decoding_screens_what_the_device_said() -> None:
    (line, *_) = decode(DRIVERS["masimo-ascii1"], [masimo_ascii1.encode("11/22/26 10:00:07", 65, 72, 1)])
    assert (line["value"], line["quality"], line["why"]) == (65, "questionable", "SpO2 65 is unusual")


def test_the_end_of_a_file_in_the_middle_of_a_frame_is_a_fault() -> None:
    assert list(decode(DRIVERS["dinamap"], [dinamap.encode_rate(72)[:5]])) == [
        {"kind": "fault", "reason": "unfinished frame at the end", "dropped": 5}
    ]


def test_options_reach_the_driver() -> None:
    wrong = dinamap.encode_rate(72)[:-3] + b"!!\r"
    lines = list(decode(DRIVERS["dinamap"], [wrong], {"checksum": "warn"}))
    assert [line["kind"] for line in lines] == ["fault", "sample"]


def test_a_captured_message_keeps_its_topic_its_flag_and_its_time() -> None:
    driver = DRIVERS["mqtt-map"]
    retained = b'{"topic": "patient/spo2", "payload": "97", "retained": true}\n'
    assert [line["kind"] for line in decode(driver, [retained])] == ["fault"]
    late = b'{"payload": {"ts": 1763777700000, "values": {"spo2": 97}}, "at_ms": 1763777730000}'
    assert [(line["late"], line["age_s"]) for line in decode(driver, [late])] == [(True, 30)]


def test_in_a_capture_without_clock_the_newest_time_is_now() -> None:
    bodies = [{"ts": 1_763_777_700_000 + s * 1000, "values": {"spo2": 97 - s}} for s in (0, 1, 60, 2)]
    capture = "\n".join(json.dumps(body) for body in bodies).encode()
    assert [line.get("late", False) for line in decode(DRIVERS["mqtt-map"], [capture])] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("body", [r'"\ud800"', r'{"spo2": "\udfff"}', r'["\ud800"]'])
def test_half_a_character_in_a_captured_message_is_a_fault(body: str) -> None:
    line = f'{{"topic": "x", "payload": {body}}}\n'.encode()
    for name in ("mqtt-native", "mqtt-map"):
        (fault,) = decode(DRIVERS[name], [line])
        assert fault == {"kind": "fault", "reason": "not text", "dropped": len(line) - 1}


def test_a_cuff_without_a_mean_is_not_given_one() -> None:
    (line,) = decode(DRIVERS["mqtt-map"], [b'{"sys": 120, "dia": 80}'])
    assert (line["sys"], line["dia"], line["map"], line["quality"]) == (120, 80, None, "valid")

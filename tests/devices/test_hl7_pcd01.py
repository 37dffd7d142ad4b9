"""A monitor that calls, message by message: what vectors cannot show."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.devices.codecs.hl7_pcd01 import DRIVER, Decoder, Head, Match, Row, encode, match_of, refusal
from monitor.devices.lines import as_line, decode
from monitor.devices.order import LATE, LIVE, REPEAT, Arrivals
from monitor.hl7_text import (
    MESSAGE_MAX,
    Message,
    answer_to,
    encode_ack,
    encode_block,
    is_answered,
    read,
)
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital
from simulators.hl7_pcd01 import Twin
from simulators.patient import Patient
from simulators.scenario import Story
from tests.devices.vectors import vectors

SENDER = "MONITOR^00A0370098000001^EUI-64"
NOW_MS = 1_790_000_000_000


def message(
    *rows: str,
    at: str = "20261122100000",
    head: str = "|||AL|NE",
    more: str = "",
    kind: str = "ORU^R01^ORU_R01",
) -> bytes:
    """A report with these OBX, each from its second field on."""
    obx = "".join(f"OBX||{row}\r" for row in rows)
    return f"MSH|^~\\&|{SENDER}||||{at}||{kind}|7|P|2.6{head}\r{more}OBR|1||||||{at}\r{obx}".encode()


def said(*messages: bytes, decoder: Decoder | None = None) -> list[Said]:
    decoder = decoder or Decoder()
    return [one for each in messages for one in decoder.message("", each, retained=False, at_ms=0)]


def samples(found: list[Said], vital: Vital) -> list[Sample]:
    return [one for one in found if isinstance(one, Sample) and one.vital is vital]


def cuffs(found: list[Said]) -> list[Cuff]:
    return [one for one in found if isinstance(one, Cuff)]


def spo2(value: object = 97, rest: str = "") -> str:
    return f"NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|{value}|262688^MDC_DIM_PERCENT^MDC{rest}"


def pressure(systolic: float, diastolic: float, at: str = "", flags: str = "") -> tuple[str, str]:
    unit = f"266016^MDC_DIM_MMHG^MDC||{flags}|||R|||{at}"
    return (
        f"NM|150301^MDC_PRESS_CUFF_SYS^MDC|1.1.9.1|{systolic}|{unit}",
        f"NM|150302^MDC_PRESS_CUFF_DIA^MDC|1.1.9.2|{diastolic}|{unit}",
    )


def parsed(payload: bytes) -> Message:
    found = read(payload)
    assert isinstance(found, Message)
    return found


# Pressures.


def test_a_pressure_that_is_sent_for_half_an_hour_is_one_pressure_and_a_new_one_is_another() -> None:
    decoder = Decoder()
    for minute in range(10, 40):
        now = f"202611221{minute // 60}{minute:02d}00"
        found = cuffs(said(message(*pressure(120, 80, "20261122100930"), at=now), decoder=decoder))
        assert len(found) == (minute == 10)
    found = cuffs(said(message(*pressure(120, 80, "20261122104000"), at="20261122104010"), decoder=decoder))
    assert [(cuff.systolic, cuff.age_ms) for cuff in found] == [(120, 10_000)]


@pytest.mark.parametrize("year", ["1999", "2026", "2041"])
def test_the_age_of_a_pressure_is_the_monitors_own_whatever_year_it_believes_in(year: str) -> None:
    (cuff,) = cuffs(said(message(*pressure(147, 90, f"{year}1206111016"), at=f"{year}1206113452")))
    assert cuff.age_ms == (24 * 60 + 36) * 1000
    assert cuff.quality is Quality.VALID
    assert Arrivals().judge(cuff, NOW_MS).arrival is LATE


@pytest.mark.parametrize(
    ("reading", "sent", "age_s"),
    [
        ("20261122100000", "20261122100030", 30),
        ("20261122100000+0000", "20261122100030", 30),
        ("20261122100000", "20261122100030+0530", 30),
        ("20261122100000+0000", "20261122180030.1200+0800", 30.12),
        ("202611221000-0500", "20261122150030+0000", 30),
        ("20261122100031", "20261122100030", 0),
        ("20241231235950", "20250101000020", 30),
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_of_the_other(reading: str, sent: str, age_s: float) -> None:
    (cuff,) = cuffs(said(message(*pressure(120, 80, reading), at=sent)))
    assert cuff.age_ms == age_s * 1000
    assert cuff.quality is Quality.VALID
    assert cuff.device_time == reading


def test_a_pressure_of_the_future_is_doubted() -> None:
    (cuff,) = cuffs(said(message(*pressure(120, 80, "20261122103000"), at="20261122100000")))
    assert (cuff.quality, cuff.age_ms) == (Quality.QUESTIONABLE, 0)
    assert cuff.why == "its time is ahead of the monitor's own: was its clock set?"


def test_a_pressure_without_a_time_is_told_when_its_numbers_change_and_the_first_one_is_doubted() -> None:
    decoder = Decoder()
    found = [
        cuffs(said(message(*pressure(*pair), at=f"2026112210{minute:02d}00"), decoder=decoder))
        for minute, pair in enumerate([(120, 80), (120, 80), (131, 84), (131, 84)])
    ]
    assert [[(cuff.systolic, cuff.quality) for cuff in each] for each in found] == [
        [(120, Quality.QUESTIONABLE)],
        [],
        [(131, Quality.VALID)],
        [],
    ]
    assert found[0][0].doubt is Doubt.NONE  # how old it is may be in doubt, what it says is not


def test_half_a_blood_pressure_is_none_and_the_whole_one_of_the_same_moment_is_still_news() -> None:
    decoder = Decoder()
    systolic, diastolic = pressure(120, 80, "20261122095950")
    assert cuffs(said(message(systolic), decoder=decoder)) == []
    (cuff,) = cuffs(said(message(systolic, diastolic), decoder=decoder))
    assert (cuff.systolic, cuff.diastolic) == (120, 80)


def test_pressures_of_two_moments_are_never_one() -> None:
    systolic, _ = pressure(120, 80, "20261122095000")
    _, diastolic = pressure(120, 80, "20261122095950")
    assert cuffs(said(message(systolic, diastolic))) == []


def test_a_failed_pressure_is_told_once_without_numbers_and_one_still_running_not_at_all() -> None:
    decoder = Decoder()
    failed = message(*pressure(0, 0, "20261122095950", "INV"))
    (cuff,) = cuffs(said(failed, failed, decoder=decoder))
    assert (cuff.systolic, cuff.quality, cuff.why) == (None, Quality.INVALID, "the monitor marks it invalid")
    assert cuffs(said(message(*pressure(120, 80, "20261122095959", "BUSY")), decoder=decoder)) == []


def test_the_cuffs_pulse_belongs_to_the_pressure_it_was_measured_with() -> None:
    at = "20261122095950"
    pulse = f"NM|149546^MDC_PULS_RATE_NON_INV^MDC|1.1.9.3|70|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||{at}"
    (cuff,) = cuffs(said(message(*pressure(120, 80, at), pulse)))
    assert cuff.pulse == 70
    (cuff,) = cuffs(said(message(*pressure(120, 80, "20261122094950"), pulse)))
    assert cuff.pulse is None


def test_a_pulse_of_no_named_source_is_the_cuffs_where_it_came_with_the_cuff_and_the_probes_elsewhere() -> (
    None
):
    at = "20261122095950"
    pulse = "NM|149522^MDC_PULS_RATE^MDC|1.0.0.1|66|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||{}|||{}"
    found = said(message(*pressure(120, 80, at), pulse.format(at, "^APERIODIC"), spo2()))
    assert cuffs(found)[0].pulse == 66
    assert samples(found, Vital.PULSE_SPO2) == []
    found = said(message(spo2(), pulse.format("", "")))
    assert [one.value for one in samples(found, Vital.PULSE_SPO2)] == [66]


# Values.


@pytest.mark.parametrize("flag", ["INV", "NAV", "NI", "OFF", "nav", "LL~INV", "INV^PM", "QUES~OFF"])
def test_what_the_monitor_takes_back_has_no_number(flag: str) -> None:
    (sample,) = samples(said(message(spo2(97, f"||{flag}|||R"))), Vital.SPO2)
    assert sample.value is None
    assert sample.quality in {Quality.INVALID, Quality.MISSING}


@pytest.mark.parametrize("status", ["X", "D", "W", "N", "O", "I", "U", "?"])
def test_a_result_status_that_is_none_of_a_value_gives_none(status: str) -> None:
    (sample,) = samples(said(message(spo2(97, f"|||||{status}"))), Vital.SPO2)
    assert (sample.value, sample.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize(
    "text",
    ["-100", "-99.9", "-999", "-1", "-1.0", "0", "", "---", "97%", "1e2", "NaN", "inf", "97 98", "８８"],
)
def test_what_is_no_number_or_a_sign_for_none_is_missing_whatever_the_status(text: str) -> None:
    for status in ("F", "R", ""):
        (sample,) = samples(said(message(spo2(text, f"|||||{status}"))), Vital.SPO2)
        assert (sample.value, sample.quality) == (None, Quality.MISSING)


def test_a_zero_is_a_claim_only_with_the_flag_that_says_so() -> None:
    rate = "NM|147842^MDC_ECG_HEART_RATE^MDC|1.7.4.1|0|264864^MDC_DIM_BEAT_PER_MIN^MDC||{}|||R"
    assert [one.value for one in samples(said(message(rate.format("VAL"))), Vital.HEART_RATE)] == [0]
    assert [one.value for one in samples(said(message(rate.format(""))), Vital.HEART_RATE)] == [None]


@pytest.mark.parametrize("flag", ["QUES", "CAL", "EARLY", ">", "<", "ZZZ"])
def test_what_the_monitor_doubts_or_nobody_has_described_is_questionable(flag: str) -> None:
    (sample,) = samples(said(message(spo2(97, f"||{flag}|||R"))), Vital.SPO2)
    assert (sample.value, sample.quality, sample.doubt) == (97, Quality.QUESTIONABLE, Doubt.POOR_SIGNAL)
    assert sample.why


@pytest.mark.parametrize(
    "wire",
    [
        message(spo2(97, "||DEMO|||R")),
        message(spo2(97, "||TEST|||R")),
        message("|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0||||demo|||X", spo2()),
        message(spo2(), spo2(96, "||PM~DEMO|||R")),
        message(spo2()).replace(b"|7|P|", b"|7|T|"),
        message(spo2()).replace(b"|7|P|", b"|7|D^I|"),
    ],
)
def test_demonstration_and_test_are_never_a_patient(wire: bytes) -> None:
    found = said(wire)
    assert not [one for one in found if isinstance(one, Sample | Cuff)]
    assert Notice("demonstration or test mode") in found


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("268192^MDC_DIM_DEGC^MDC", 37.0),
        ("6048", 37.0),
        ("Cel", 37.0),
        ("", 37.0),
        ("266560^MDC_DIM_FAHR^MDC", 2.78),
        ("[degF]^degree Fahrenheit^UCUM", 2.78),
        ("266016^MDC_DIM_MMHG^MDC", None),
        ("268192^MDC_DIM_FAHR_OR_SO^MDC", None),
        ("K", None),
    ],
)
def test_a_declared_unit_is_heeded(unit: str, value: float | None) -> None:
    row = f"NM|150344^MDC_TEMP^MDC|1.2.1.1|37|{unit}|||||R"
    (sample,) = samples(said(message(row)), Vital.TEMPERATURE)
    assert sample.value == value


def test_names_in_the_second_half_of_a_code_are_read_too() -> None:
    row = "NM|59408-5^Oxygen saturation^LN^150456^MDC_PULS_OXIM_SAT_O2^MDC|1|97|%^percent^UCUM|||||F"
    assert [one.value for one in samples(said(message(row)), Vital.SPO2)] == [97]


@pytest.mark.parametrize("code", ["19384", "19384^^MDC", "150456^SpO2^99VENDOR", "150456^MDC_ELSE^MDC", "^^"])
def test_a_number_alone_is_a_name_only_in_its_own_system(code: str) -> None:
    assert samples(said(message(f"NM|{code}|1|97||||||R")), Vital.SPO2) == []
    assert samples(said(message("NM|150456^^MDC|1|97||||||R")), Vital.SPO2)[0].value == 97


# Times of continuous values.


def test_what_had_been_measured_long_before_it_was_sent_is_history_and_once() -> None:
    arrivals = Arrivals()
    old = message(spo2(97, "|||||R|||20261122095930"), at="20261122100000")
    (sample,) = samples(said(old), Vital.SPO2)
    assert (sample.late, sample.age_ms) == (True, 30_000)
    assert [arrivals.judge(sample, NOW_MS + later).arrival for later in (0, 1_000)] == [LATE, REPEAT]


def test_a_monitor_all_of_whose_values_are_old_is_asked_for_its_time_zone() -> None:
    row = spo2(97, "|||||R|||20261122020000")
    asked = Notice("its values are older than their message: is its clock or time zone wrong?")
    assert asked in said(message(row, at="20261122100000+0800"))
    assert asked not in said(message(row, at="20261122020001+0800"))


def test_values_of_one_message_whose_times_differ_by_a_second_are_all_live() -> None:
    arrivals, decoder = Arrivals(), Decoder()
    rate = "NM|151562^MDC_RESP_RATE^MDC|1.7.1.1|14|264928^MDC_DIM_RESP_PER_MIN^MDC|||||R|||{}"
    for second in range(10, 20):
        sent, before = f"202611221000{second}", f"202611221000{second - 2}"
        found = said(message(spo2(97, f"|||||R|||{sent}"), rate.format(before), at=sent), decoder=decoder)
        verdicts = [
            arrivals.judge(one, NOW_MS + second * 1000).arrival for one in found if isinstance(one, Sample)
        ]
        assert verdicts == [LIVE, LIVE]


def test_a_spot_temperature_is_live_once_and_does_not_disturb_what_comes_beside_it() -> None:
    arrivals, decoder = Arrivals(), Decoder()
    row = "NM|188496^MDC_TEMP_AXIL^MDC|1.2.5.1|36.1|268192^MDC_DIM_DEGC^MDC|||||R|||{}|||^APERIODIC"
    verdicts: dict[Vital, list[Any]] = {Vital.SPO2: [], Vital.TEMPERATURE: []}
    for second in range(10, 14):
        sent = f"202611221000{second}"
        found = said(message(spo2(), row.format("20261122095930"), at=sent), decoder=decoder)
        for one in found:
            assert isinstance(one, Sample)
            judged = arrivals.judge(one, NOW_MS + second * 1000)
            verdicts[one.vital].append((judged.arrival, NOW_MS + second * 1000 - judged.at_ms))
    assert verdicts[Vital.SPO2] == [(LIVE, 0)] * 4
    assert verdicts[Vital.TEMPERATURE][0] == (LIVE, 40_000)
    assert [arrival for arrival, _ in verdicts[Vital.TEMPERATURE][1:]] == [REPEAT] * 3


# Whose message it is.


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({}, True),
        ({"sender": "MONITOR"}, True),
        ({"sender": "00a0370098000001"}, True),
        ({"sender": "00A0370098000002"}, False),
        ({"sender": "EUI-64"}, False),
        ({"device_id": "BIG_DIPPER"}, True),
        ({"device_id": "000F14049B507238"}, True),
        ({"device_id": "000F"}, False),
        ({"location": "5"}, True),
        ({"location": "ICU^^5"}, True),
        ({"location": "ICU"}, False),
        ({"location": "ICU^^6"}, False),
        ({"sender": "MONITOR", "location": "6"}, False),
        ({"from": ["10.0.0.5", "10.0.0.7"]}, True),
        ({"from": "10.0.0.5"}, False),
    ],
)
def test_a_message_fits_a_device_when_everything_that_is_named_does(
    options: dict[str, Any], *, fits: bool
) -> None:
    row = spo2(97, "|||||R|||||||000F14049B507238^BIG_DIPPER^000F14049B507238^EUI-64")
    told = parsed(message(row, more="PID|||A1\rPV1||I|ICU^^5^HOSPITAL\r"))
    assert match_of(options).fits(told, "10.0.0.7") is fits


def test_a_bed_in_a_sub_component_is_a_bed_and_escapes_are_undone() -> None:
    assert Match(location="24").fits(parsed(message(spo2(), more="PV1||I|^^&24\r")), "")
    assert Match(location="A&E^1^2").fits(parsed(message(spo2(), more="PV1||I|A\\T\\E^1^2\r")), "")
    assert not Match(location="24").fits(parsed(message(spo2())), "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sender": 5}, "sender is a name"),
        ({"location": "^^"}, "location is a name"),
        ({"from": ["ward-gateway"]}, "from is a list of network addresses"),
        ({"from": 7}, "from is a list"),
        ({"silent_after_s": "long"}, "silent_after_s is a number"),
        ({"port": 1}, "no option 'port'"),
    ],
)
def test_a_wrong_option_is_refused_in_words(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DRIVER.decoder(options)


# What is answered.


@pytest.mark.parametrize(
    ("modes", "on_accept", "on_error"),
    [
        ("||||", True, True),
        ("|||AL|NE", True, True),
        ("|||NE|AL", True, True),
        ("|||NE|NE", False, False),
        ("|||NE|", False, False),
        ("|||ER|NE", False, True),
        ("|||NE|SU", True, False),
    ],
)
def test_an_answer_is_sent_as_the_header_asks(modes: str, *, on_accept: bool, on_error: bool) -> None:
    told = parsed(message(spo2(), head=modes))
    assert [is_answered(told, code) for code in ("AA", "AE", "AR")] == [on_accept, on_error, on_error]


def test_the_answer_is_the_one_of_the_fact_sheet() -> None:
    at, sender = "20261122021500+0000", "VSMON^1A2B3C4D5E6F7081^EUI-64"
    (vector,) = [v for v in vectors("hl7-pcd01") if v.name == "what we answer is no report"]
    assert encode_ack("1042", "AA", at, sender=sender, receiver="MINDRAY") == vector.wire


def test_an_answer_never_holds_what_would_cut_it_otherwise() -> None:
    wire = message(spo2()).replace(b"|", b"#").replace(b"#7#", b"#7|x#")
    answer = answer_to(parsed(wire), "AR", "20261122100000", sender="WE", text="no | no\r^ & ~ \\")
    assert answer.count(b"\r") == 2
    lines = answer.decode().split("\r")
    assert lines[0].split("|")[9] == "A7x"
    assert lines[1] == "MSA|AR|7x|no \\F\\ no?\\S\\ \\T\\ \\R\\ \\E\\"


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (message(spo2()), None),
        (message(spo2(), kind="ORU^R01"), None),
        (message(spo2(), kind="ORU^W01^ORU_W01"), None),
        (message(spo2(), kind="QRY^A19"), "AR"),
        (message(spo2(), kind=""), "AR"),
        (message(), "AE"),
        (message(spo2(), more="PID|||A1\rOBR|1\rPID|||A2\r"), "AE"),
    ],
)
def test_what_is_nobodys_is_refused_whoever_sent_it(wire: bytes, code: str | None) -> None:
    wrong = refusal(parsed(wire))
    assert (wrong and wrong[0]) == code
    if code is not None:
        assert all(isinstance(one, Fault) for one in said(wire))


def test_other_separators_are_heeded() -> None:
    wire = message(spo2(97, "||LL~PH|||R"), more="PV1||I|ICU^^5\r")
    other = wire.translate(bytes.maketrans(b"|^~&", b"#$!*"))
    assert said(other) == said(wire)
    assert match_of({"location": "ICU^^5"}).fits(parsed(other), "")


# Captures.

STREAM = b"\n".join(
    vector.wire if vector.wire.startswith(b"\x0b") else encode_block(vector.wire)
    for vector in vectors("hl7-pcd01")
)
BARE = b"\r\n".join(vector.wire for vector in vectors("hl7-pcd01") if not vector.wire.startswith(b"\x0b"))


def _all(chunks: list[bytes]) -> list[Said]:
    decoder = Decoder()
    return [one for chunk in chunks for one in decoder.feed(chunk)] + decoder.close()


@pytest.mark.parametrize("stream", [STREAM, BARE, b"noise " + BARE, STREAM + BARE + STREAM])
def test_byte_by_byte_says_the_same_as_in_one_piece(stream: bytes) -> None:
    assert _all([bytes([one]) for one in stream]) == _all([stream])


def test_a_capture_cut_off_in_a_message_says_no_number_the_monitor_did_not_send() -> None:
    rows = spo2(97, "||DEMO|||R|||20261122100000"), spo2(98, "|||||R|||20261122093000")
    for whole in (message(rows[0]), message(*pressure(120, 80, "20261122093000"), rows[1])):
        told = set(map(repr, _all([whole])))
        said_of_parts = {repr(one) for end in range(len(whole)) for one in _all([whole[:end]])}
        assert {one for one in said_of_parts - told if "value=9" in one or one.startswith("Cuff")} == set()


def test_the_last_row_of_a_capture_may_lack_its_line_end() -> None:
    whole = message(*pressure(120, 80, "20261122093000"), spo2(98, "|||||R|||20261122093000"))
    assert _all([whole.rstrip(b"\r")]) == [*said(whole)]
    without_time = message(spo2(98, "|||||R"))
    assert [one.value for one in samples(_all([without_time.rstrip(b"\r")]), Vital.SPO2)] == [98]


@given(cuts=st.lists(st.integers(0, 10_000), max_size=12), noise=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_where_the_bytes_are_cut_never_matters(cuts: list[int], noise: bytes) -> None:
    stream = noise + STREAM + noise + BARE
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    assert _all([stream[a:b] for a, b in pairwise(edges)]) == _all([stream])


@given(noise=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_the_first_whole_block_after_noise_is_read(noise: bytes) -> None:
    found = _all([noise + encode_block(message(spo2()))])
    assert [one.value for one in samples(found, Vital.SPO2)][-1:] == [97]


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_turned_bytes_are_survived(data: st.DataObject) -> None:
    wire = bytearray(data.draw(st.sampled_from([vector.wire for vector in vectors("hl7-pcd01")])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(wire) - 1))
        wire[at : at + 1] = data.draw(
            st.sampled_from([b"|", b"^", b"~", b"\\", b"\r", b"", b"\0"]) | st.binary(max_size=3)
        )
        wire = wire or bytearray(b"\r")
    for line in decode(DRIVER, [bytes(wire)]):
        assert line["kind"] in {"sample", "cuff", "status", "fault"}


@given(payload=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_message_is_survived(payload: bytes) -> None:
    for wire in (payload, b"MSH" + payload, b"MSH|^~\\&|" + payload, message(spo2()) + payload):
        for one in said(wire):
            assert not isinstance(one, Fault) or one.dropped <= len(wire)


def test_what_has_no_end_is_bounded_and_counted() -> None:
    for begin in (b"\x0b", b"MSH|^~\\&|", b""):
        decoder = Decoder()
        found = [*decoder.feed(begin), *(one for _ in range(64) for one in decoder.feed(b"x" * 8192))]
        held = decoder._blocks._held, decoder._blocks._line
        assert sum(map(len, held)) <= MESSAGE_MAX + 8192
        found += decoder.close()
        assert sum(one.dropped for one in found if isinstance(one, Fault)) >= 64 * 8192
        assert samples(decoder.feed(encode_block(message(spo2()))), Vital.SPO2)


# The twin.


def _played(options: dict[str, Any], to_s: int = 700) -> list[dict[str, Any]]:
    twin = Twin(Patient(Story(name="x"), 3), 3, options)
    stream = b"".join(twin.tick(t_ms) for t_ms in range(0, to_s * 1000, 500))
    return list(decode(DRIVER, [stream]))


@pytest.mark.parametrize("style", ["mindray", "ge"])
def test_a_twin_is_understood_and_its_pressures_are_one_each(style: str) -> None:
    lines = _played({"style": style})
    patient = Patient(Story(name="x"), 3)
    assert not [line for line in lines if line["kind"] == "fault"]
    assert {line["vital"] for line in lines if line["kind"] == "sample"} == {
        "hr",
        "spo2",
        "pr_spo2",
        "pi",
        "rr",
        "temp",
    }
    taken = [line for line in lines if line["kind"] == "cuff"]
    assert len(taken) == 4  # every five minutes, and the one from before
    assert len({line["device_time"] for line in taken}) == 4
    assert all(line["sys"] == pytest.approx(patient.systolic(0), abs=20) for line in taken)
    assert [line["age_s"] < 2 for line in taken] == [False, True, True, True]


def test_a_twin_in_kilopascal_tells_the_same_pressures_and_one_in_demonstration_mode_none() -> None:
    plain = [line["sys"] for line in _played({}) if line["kind"] == "cuff"]
    assert [line["sys"] for line in _played({"pressure": "kPa"}) if line["kind"] == "cuff"] == pytest.approx(
        plain, abs=0.2
    )
    assert {line["kind"] for line in _played({"demo": True})} == {"fault", "status"}


def test_a_report_of_ours_is_read_as_it_was_meant() -> None:
    rows = [
        Row("MDC_PULS_OXIM_SAT_O2", "1.2.1.1", "97", "20261122021459+0000"),
        Row("MDC_RESP_RATE", "1.3.1.1", flags="NAV"),
    ]
    wire = encode(Head("V1", "20261122021500+0000", SENDER), rows)
    lines = [as_line(one) for one in said(wire) if not isinstance(one, Fault)]
    assert [(line["vital"], line["value"]) for line in lines] == [("spo2", 97), ("rr", None)]

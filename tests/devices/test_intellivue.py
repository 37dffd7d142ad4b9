"""What an IntelliVue's frames and answers say: numbers as far as it stands by them, parts, alarms."""

from __future__ import annotations

import pytest

from monitor.devices.codecs.intellivue import (
    Decoder,
    encode_result,
    read_message,
)
from monitor.devices.codecs.intellivue.alarms import PATIENT_ALARMS, TECHNICAL_ALARMS, alarm_list
from monitor.devices.codecs.intellivue.export import Kind, Object, Result
from monitor.devices.codecs.intellivue.frame import Frames, framed
from monitor.devices.codecs.intellivue.numerics import Number, State, observed
from monitor.devices.codecs.intellivue.wire import Malformed
from monitor.devices.order import Arrival, Arrivals
from monitor.model import Fault, Notice, Quality, Sample, Vital
from tests.devices.cuffs import cuffs_of
from tests.devices.intellivue import (
    AIRWAY_RR,
    BREATHS,
    CELSIUS,
    CORE,
    ETCO2,
    FAHRENHEIT,
    HR,
    KPA,
    MMHG,
    NO_UNIT,
    PER_MIN,
    PERCENT,
    PERF,
    PULSE,
    PULSE_SPO2,
    RR,
    SKIN,
    SPO2,
    TEMP,
    created,
    cuff_pulse,
    messages_of,
    number,
    pressure,
    result,
    said_of,
    samples_of,
)

# Frames.


@pytest.mark.parametrize("payload", [b"", b"\xc0\xc1\x7d" * 300, bytes(range(256)) * 4])
def test_what_looks_like_a_flag_is_escaped_wherever_it_stands(payload: bytes) -> None:
    wire = framed(payload)
    assert wire.count(b"\xc0") == wire.count(b"\xc1") == 1
    assert Frames().feed(wire) == [payload]


def test_a_frame_that_is_cut_short_ends_where_the_next_begins() -> None:
    good = result(number(HR, PER_MIN, 72))
    said = said_of(good[:30] + good)
    assert said[0] == Fault("a frame without its end", 30)
    assert [sample.value for sample in samples_of(said, Vital.HEART_RATE)] == [72]


def test_a_frame_that_the_monitor_breaks_off_is_counted() -> None:
    good = result(number(HR, PER_MIN, 72))
    assert said_of(good[:30] + b"\x7d\xc1") == [Fault("a frame that was broken off", 32)]


def test_a_frame_that_never_ends_takes_no_more_memory_than_the_longest() -> None:
    frames = Frames()
    dropped = sum(
        one.dropped for _ in range(1000) for one in frames.feed(b"x" * 1000) if isinstance(one, Fault)
    )
    assert dropped + frames.drop() == 1_000_000
    frames.feed(b"\xc0")
    dropped = sum(
        one.dropped for _ in range(1000) for one in frames.feed(b"x" * 1000) if isinstance(one, Fault)
    )
    assert dropped + frames.drop() == 1_000_001


def test_a_whole_frame_that_contradicts_itself_is_a_fault_and_no_exception() -> None:
    whole = Frames().feed(result(number(HR, PER_MIN, 72), number(SPO2, PERCENT, 97)))[0]
    assert isinstance(whole, bytes)
    for length in range(4, len(whole)):
        for one in said_of(framed(whole[:length])):
            assert isinstance(one, Fault)
    cut = encode_result(1, 1, 0, [(1, (Object(5, ((0x0950, b"\x41\x82\0\0\x0a"),)),))])
    assert said_of(cut) == [Fault("a message that contradicts its own lengths", len(cut) - 8)]
    with pytest.raises(Malformed):
        read_message(whole[:20])


# What is said of a number.


@pytest.mark.parametrize(
    ("state", "quality", "value", "why"),
    [
        (0x0000, Quality.VALID, 72, None),
        (0x0001, Quality.VALID, 72, None),
        (0x0002, Quality.VALID, 72, None),
        (0x0080, Quality.VALID, 72, None),
        (0x4000, Quality.INVALID, None, "the monitor marks it questionable"),
        (0x8000, Quality.INVALID, None, "the monitor marks it invalid"),
        (0x8201, Quality.INVALID, None, "the monitor marks it invalid"),
        (0xC000, Quality.INVALID, None, "the monitor marks it invalid"),
        (0x2000, Quality.MISSING, None, "not available"),
        (0x1000, Quality.MISSING, None, "being calibrated"),
        (0x0800, Quality.INVALID, None, "test data"),
        (0x0400, Quality.INVALID, None, "demonstration data"),
        (0x0200, Quality.INVALID, None, "the monitor marks it in a way nobody has described"),
        (0x0100, Quality.INVALID, None, "the monitor marks it in a way nobody has described"),
    ],
)
def test_a_number_is_believed_as_far_as_the_monitor_stands_by_it(
    state: int, quality: Quality, value: float | None, why: str | None
) -> None:
    (sample,) = samples_of(said_of(result(number(HR, PER_MIN, 72, state))), Vital.HEART_RATE)
    assert (sample.quality, sample.value, sample.why) == (quality, value, why)


@pytest.mark.parametrize("mantissa", ["7fffff", "800000", "7ffffe", "800002"])
@pytest.mark.parametrize("exponent", ["00", "ff", "05"])
def test_a_float_that_is_no_number_is_no_value(exponent: str, mantissa: str) -> None:
    value = bytes.fromhex("418200000aa0" + exponent + mantissa)
    (sample,) = samples_of(said_of(result(Object(1, ((0x0950, value),)))), Vital.HEART_RATE)
    assert (sample.value, sample.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize(
    ("float_", "value"), [("fd007d00", 32.0), ("ff000140", 32.0), ("01000140", 3200.0), ("ffffffff", -0.1)]
)
def test_a_float_is_read_to_its_last_digit(float_: str, value: float) -> None:
    number = bytes.fromhex("4b48000017a0" + float_)
    (sample,) = samples_of(said_of(result(Object(1, ((0x0950, number),)))), Vital.TEMPERATURE)
    assert sample.value == value


@pytest.mark.parametrize(
    ("source", "unit", "sent", "vital", "value"),
    [
        (HR, PER_MIN, 72, Vital.HEART_RATE, 72),
        (PULSE_SPO2, PER_MIN, 71, Vital.PULSE_SPO2, 71),
        (PULSE, PER_MIN, 70, Vital.PULSE_SPO2, 70),
        (SPO2, PERCENT, 98.2, Vital.SPO2, 98.2),
        (PERF, NO_UNIT, 1.3, Vital.PERFUSION, 1.3),
        (RR, BREATHS, 14, Vital.RESPIRATION, 14),
        (AIRWAY_RR, BREATHS, 0, Vital.RESPIRATION, 0),
        (ETCO2, MMHG, 38, Vital.ETCO2, 38),
        (ETCO2, KPA, 5.1, Vital.ETCO2, 38.3),
        (TEMP, CELSIUS, 36.8, Vital.TEMPERATURE, 36.8),
        (TEMP, FAHRENHEIT, 98.6, Vital.TEMPERATURE, 37.0),
        (0x4B64, CELSIUS, 36.9, Vital.TEMPERATURE, 36.9),
        (0x4B78, CELSIUS, 37.1, Vital.TEMPERATURE, 37.1),
        (0xE004, CELSIUS, 37.2, Vital.TEMPERATURE, 37.2),
        (CORE, CELSIUS, 37.3, Vital.TEMPERATURE, 37.3),
    ],
)
def test_every_vital_is_read_in_its_unit(
    source: int, unit: int, sent: float, vital: Vital, value: float
) -> None:
    (sample,) = samples_of(said_of(result(number(source, unit, sent, decimals=1))), vital)
    assert (sample.value, sample.quality) == (value, Quality.VALID)


@pytest.mark.parametrize(("source", "unit"), [(SPO2, MMHG), (HR, PERCENT), (TEMP, NO_UNIT), (ETCO2, PERCENT)])
def test_a_number_in_an_unknown_unit_is_not_taken(source: int, unit: int) -> None:
    (sample,) = [one for one in said_of(result(number(source, unit, 40))) if isinstance(one, Sample)]
    assert sample.value is None
    assert f"{unit:04X}" in (sample.why or "")


def test_of_several_sources_the_best_that_has_a_number_is_told() -> None:
    both = (number(RR, BREATHS, 14), number(AIRWAY_RR, BREATHS, 12))
    assert [one.value for one in samples_of(said_of(result(*both)), Vital.RESPIRATION)] == [12]
    lost = (number(RR, BREATHS, 14), number(AIRWAY_RR, BREATHS, None, 0x8000))
    assert [one.value for one in samples_of(said_of(result(*lost)), Vital.RESPIRATION)] == [14]
    temperatures = (
        number(SKIN, CELSIUS, 33),
        number(TEMP, CELSIUS, 36.5, decimals=1),
        number(CORE, CELSIUS, 37),
    )
    assert [one.value for one in samples_of(said_of(result(*temperatures)), Vital.TEMPERATURE)] == [37]
    pulses = (number(PULSE, PER_MIN, 64), number(PULSE_SPO2, PER_MIN, 66))
    assert [one.value for one in samples_of(said_of(result(*pulses)), Vital.PULSE_SPO2)] == [66]


def test_a_temperature_of_the_skin_says_so() -> None:
    (sample,) = samples_of(said_of(result(number(SKIN, CELSIUS, 33))), Vital.TEMPERATURE)
    assert (sample.value, sample.quality, sample.why) == (33, Quality.QUESTIONABLE, "measured on the skin")


@pytest.mark.parametrize("state", [State.DEMO, State.TEST, State.DEMO | State.QUESTIONABLE])
def test_demonstration_and_test_data_are_no_patients(state: int) -> None:
    said = said_of(
        result(
            number(SPO2, PERCENT, 97, state),
            pressure(120, 70, 87, at=0, states=(state,) * 3),
            cuff_pulse(66, at=0, state=state),
        )
    )
    assert [one.value for one in said if isinstance(one, Sample)] == [None]
    assert cuffs_of(said) == []
    assert said[-1] == Notice("the monitor shows demonstration or test data, not a patient")


def test_a_monitor_without_any_sensor_is_there_all_the_same() -> None:
    assert said_of(result(Object(1), Object(2))) == [Notice("no continuous vital is measured")]


def test_unknown_attributes_classes_and_physiology_are_read_past() -> None:
    strange = Object(7, ((0xF237, b"\xff" * 4), (0x0950, observed(Number(0x7777, 0, 1, 5))[1]), (0, b"")))
    said = said_of(result(strange, number(HR, PER_MIN, 72)))
    assert [one.value for one in said if isinstance(one, Sample)] == [72]
    assert said_of(result(number(HR, PER_MIN, 72), kind=9)) == []


# Parts that belong together.


def in_parts(seconds: float = 0) -> list[bytes]:
    """An answer in three parts and the empty result that closes it, as frames."""
    padding = [number(0x0302, NO_UNIT, 1) for _ in range(100)]
    objects = (
        number(RR, BREATHS, 14),
        pressure(131, 79, 96, at=0),
        *padding,
        cuff_pulse(66, at=0),
        number(AIRWAY_RR, BREATHS, 12),
    )
    wire = result(*objects, seconds=seconds)
    return [b"\xc0" + frame for frame in wire.split(b"\xc0")[1:]]


def test_an_answer_in_parts_is_one_answer() -> None:
    frames = in_parts()
    assert len(frames) == 4
    messages = messages_of(b"".join(frames))
    assert [(one.link, one.count) for one in messages if isinstance(one, Result)] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (None, 0),
    ]
    assert all(len(frame) <= 996 + 16 for frame in frames)
    said = said_of(*frames)
    assert [one.value for one in said if isinstance(one, Sample)] == [12]
    assert [(cuff.systolic, cuff.pulse) for cuff in cuffs_of(said)] == [(131, 66)]


def test_an_answer_whose_closing_result_never_comes_is_whole() -> None:
    assert said_of(*in_parts()[:3]) == said_of(*in_parts())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_part_costs_only_what_was_in_it(lost: int) -> None:
    frames = in_parts()
    rates = [12, 12, 14]
    kept = [frame for place, frame in enumerate(frames) if place != lost]
    said = said_of(*kept, *in_parts(1))
    assert [one.value for one in samples_of(said, Vital.RESPIRATION)] == [rates[lost], 12]
    assert [cuff.systolic for cuff in cuffs_of(said)] == [131]


def test_a_capture_that_ends_within_an_answer_says_what_it_has() -> None:
    decoder = Decoder()
    assert decoder.feed(in_parts()[0]) == []
    assert [one.value for one in decoder.close() if isinstance(one, Sample)] == [14]


def test_every_reading_carries_the_monitors_own_time() -> None:
    (known,) = samples_of(said_of(created(), result(number(HR, PER_MIN, 72), seconds=1.5)), Vital.HEART_RATE)
    assert known.device_time == "2026-05-14T12:00:01.500"
    (unknown,) = samples_of(said_of(result(number(HR, PER_MIN, 72))), Vital.HEART_RATE)
    assert unknown.device_time == "1000.000 s since its start"


@pytest.mark.parametrize("before", [b"", created()], ids=["no clock", "clock"])
def test_a_monitor_that_repeats_one_answer_for_ever_is_live_only_once(before: bytes) -> None:
    decoder, arrivals = Decoder(), Arrivals()
    decoder.feed(before)
    answer = result(number(HR, PER_MIN, 72), number(SPO2, PERCENT, 97))
    for second in range(30):
        for one in decoder.feed(answer):
            assert isinstance(one, Sample)
            arrival = arrivals.judge(one, 1_800_000_000_000 + second * 1_000).arrival
            assert arrival is (Arrival.REPEAT if second else Arrival.LIVE)


# The monitor's own alarms.


def test_the_monitors_own_alarms_are_notices() -> None:
    alarms = (
        alarm_list(PATIENT_ALARMS, [(SPO2, 0x54, "** SpO₂ 85 < 90")]),
        alarm_list(TECHNICAL_ALARMS, [(HR, 0x100, "ECG Leads Off"), (HR, 0x104, "")]),
    )
    assert said_of(encode_result(1, 1, 0, [(1, (Object(1, alarms),))], kind=Kind.ALARMS, group=0x0801)) == [
        Notice("monitor's own alarm: ** SpO₂ 85 < 90"),
        Notice("monitor's own message: ECG Leads Off"),
        Notice("monitor's own message: code 4182/0104"),
    ]


def test_an_alarm_that_cannot_be_read_hides_nothing_else() -> None:
    kind, value = alarm_list(PATIENT_ALARMS, [(SPO2, 0, "SpO2 low"), (HR, 0, "HR low")])
    cut = value[:2] + (len(value) - 10).to_bytes(2) + value[4:-6]
    objects = (Object(1, ((kind, cut),)), Object(2, (alarm_list(TECHNICAL_ALARMS, [(HR, 0, "Leads off")]),)))
    assert said_of(encode_result(1, 1, 0, [(1, objects)], kind=Kind.ALARMS)) == [
        Notice("monitor's own alarm: SpO2 low"),
        Notice("monitor's own message: Leads off"),
    ]

"""The IntelliVue as its host sees it: an association, polls, parts of one answer, and a cuff told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.devices.codecs.intellivue import (
    DRIVER,
    Decoder,
    encode_abort,
    encode_association_accept,
    encode_association_request,
    encode_error,
    encode_extended_poll,
    encode_mds_create,
    encode_mds_create_result,
    encode_poll,
    encode_refuse,
    encode_release_request,
    encode_release_response,
    encode_result,
    read_message,
)
from monitor.devices.codecs.intellivue.alarms import PATIENT_ALARMS, TECHNICAL_ALARMS, alarm_list
from monitor.devices.codecs.intellivue.association import Association, Step, timeout_ms
from monitor.devices.codecs.intellivue.export import Kind, MdsCreated, Message, Object, Poll, Result
from monitor.devices.codecs.intellivue.frame import Frames, framed
from monitor.devices.codecs.intellivue.numerics import MEASURED_AT, Number, State, compound, observed
from monitor.devices.codecs.intellivue.replies import CLOCK, RELATIVE_CLOCK
from monitor.devices.codecs.intellivue.wire import Malformed, absolute_digits, u32
from monitor.devices.order import Arrival, Arrivals
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital
from simulators.intellivue import Twin
from simulators.patient import Patient
from simulators.scenario import FirstCuff, Motion, Person, Probe, Story

NOON = datetime(2026, 5, 14, 12)  # noqa: DTZ001  a monitor's clock knows no zone
TICKS = 8_000_000
"""The monitor's relative time at its noon."""

PER_MIN, BREATHS, PERCENT, NO_UNIT, MMHG, KPA = 0x0AA0, 0x0AE0, 0x0220, 0x0200, 0x0F20, 0x0F03
CELSIUS, FAHRENHEIT = 0x17A0, 0x1140
HR, PULSE, PULSE_SPO2, PULSE_NIBP = 0x4182, 0x480A, 0x4822, 0xF0E5
SPO2, PERF, RR, AIRWAY_RR, ETCO2 = 0x4BB8, 0x4BB0, 0x500A, 0x5012, 0x50B0
TEMP, CORE, SKIN = 0x4B48, 0x4B60, 0x4B74


def _result(*objects: Object, seconds: float = 0, clock: bool = False, **more: Any) -> bytes:
    """An answer `seconds` after noon; `clock`: it tells the time of day too."""
    told = NOON + timedelta(seconds=seconds) if clock else None
    ticks = (TICKS + round(8000 * seconds)) % 2**32
    return encode_result(1, 1, ticks, [(1, objects)], absolute=told, **more)


def _one(source: int, unit: int, value: float | None, state: int = 0, decimals: int = 0) -> Object:
    return Object(0x0800 + source % 0x100, (observed(Number(source, state, unit, value, decimals)),))


def _pressures(
    systolic: float | None,
    diastolic: float | None,
    mean: float | None,
    *,
    at: float | None,
    states: Sequence[int] = (0, 0, 0),
    unit: int = MMHG,
    decimals: int = 0,
) -> Object:
    """A cuff's object, measured `at` seconds after noon."""
    numbers = [
        Number(source, state, unit, value, decimals)
        for source, state, value in zip(
            (0x4A05, 0x4A06, 0x4A07), states, (systolic, diastolic, mean), strict=True
        )
    ]
    measured = None if at is None else NOON + timedelta(seconds=at)
    return Object(0x0B2C, ((MEASURED_AT, absolute_digits(measured)), compound(numbers)))


def _cuff_pulse(value: float | None, *, at: float, state: int = 0) -> Object:
    measured = (MEASURED_AT, absolute_digits(NOON + timedelta(seconds=at)))
    return Object(0x0B2F, (measured, observed(Number(PULSE_NIBP, state, PER_MIN, value))))


def _created(*, clock: bool = True) -> bytes:
    """The monitor presents itself at noon."""
    clocks = [(CLOCK, absolute_digits(NOON)), (RELATIVE_CLOCK, u32(TICKS))] if clock else []
    return encode_mds_create(1, [(0x0928, b"\0\7Philips"), *clocks])


def _said(*wires: bytes) -> list[Said]:
    decoder = Decoder()
    return [said for wire in wires for said in decoder.feed(wire)]


def _samples(said: Sequence[Said], vital: Vital) -> list[Sample]:
    return [one for one in said if isinstance(one, Sample) and one.vital is vital]


def _cuffs(said: Sequence[Said]) -> list[Cuff]:
    return [one for one in said if isinstance(one, Cuff)]


def _read(wire: bytes) -> list[Association | Message | None]:
    """The messages of whole frames."""
    payloads = Frames().feed(wire)
    assert not [one for one in payloads if isinstance(one, Fault)]
    return [read_message(one) for one in payloads if isinstance(one, bytes)]


class Bedside:
    """A decoder on its cable, and a monitor's answers by hand; time goes on when it is told to."""

    def __init__(self, **options: Any) -> None:
        """Nothing has been said."""
        self.decoder: Decoder = DRIVER.decoder(options)
        self.now_ms = 1_000_000
        self.sent: list[Association | Message | None] = []

    def waits(self, seconds: float) -> list[Association | Message | None]:
        """What the host sends in so many seconds."""
        sent: list[Association | Message | None] = []
        for _ in range(round(seconds * 10)):
            self.decoder.tick(self.now_ms)
            assert self.decoder.due_ms() >= self.now_ms or self.decoder.due_ms() == 0
            sent += _read(self.decoder.to_send())
            self.now_ms += 100
        return sent

    def connects(self, *, clock: bool = True) -> None:
        """All of it, up to the first poll."""
        assert self.waits(0.1) == [_read(encode_association_request())[0]]
        assert self.decoder.feed(encode_association_accept()) == []
        self.decoder.feed(_created(clock=clock))


def _steps(sent: Sequence[Association | Message | None]) -> list[Step]:
    return [one.step for one in sent if isinstance(one, Association)]


def _polls(sent: Sequence[Association | Message | None], kind: Kind = Kind.NUMERICS) -> list[Poll]:
    return [one for one in sent if isinstance(one, Poll) and one.kind == kind]


# Frames.


@pytest.mark.parametrize("payload", [b"", b"\xc0\xc1\x7d" * 300, bytes(range(256)) * 4])
def test_what_looks_like_a_flag_is_escaped_wherever_it_stands(payload: bytes) -> None:
    wire = framed(payload)
    assert wire.count(b"\xc0") == wire.count(b"\xc1") == 1
    assert Frames().feed(wire) == [payload]


def test_a_frame_that_is_cut_short_ends_where_the_next_begins() -> None:
    good = _result(_one(HR, PER_MIN, 72))
    said = _said(good[:30] + good)
    assert said[0] == Fault("a frame without its end", 30)
    assert [sample.value for sample in _samples(said, Vital.HEART_RATE)] == [72]


def test_a_frame_that_the_monitor_breaks_off_is_counted() -> None:
    good = _result(_one(HR, PER_MIN, 72))
    assert _said(good[:30] + b"\x7d\xc1") == [Fault("a frame that was broken off", 32)]


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
    whole = Frames().feed(_result(_one(HR, PER_MIN, 72), _one(SPO2, PERCENT, 97)))[0]
    assert isinstance(whole, bytes)
    for length in range(4, len(whole)):
        for one in _said(framed(whole[:length])):
            assert isinstance(one, Fault)
    cut = encode_result(1, 1, 0, [(1, (Object(5, ((0x0950, b"\x41\x82\0\0\x0a"),)),))])
    assert _said(cut) == [Fault("a message that contradicts its own lengths", len(cut) - 8)]
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
    (sample,) = _samples(_said(_result(_one(HR, PER_MIN, 72, state))), Vital.HEART_RATE)
    assert (sample.quality, sample.value, sample.why) == (quality, value, why)


@pytest.mark.parametrize("mantissa", ["7fffff", "800000", "7ffffe", "800002"])
@pytest.mark.parametrize("exponent", ["00", "ff", "05"])
def test_a_float_that_is_no_number_is_no_value(exponent: str, mantissa: str) -> None:
    value = bytes.fromhex("418200000aa0" + exponent + mantissa)
    (sample,) = _samples(_said(_result(Object(1, ((0x0950, value),)))), Vital.HEART_RATE)
    assert (sample.value, sample.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize(
    ("float_", "value"), [("fd007d00", 32.0), ("ff000140", 32.0), ("01000140", 3200.0), ("ffffffff", -0.1)]
)
def test_a_float_is_read_to_its_last_digit(float_: str, value: float) -> None:
    number = bytes.fromhex("4b48000017a0" + float_)
    (sample,) = _samples(_said(_result(Object(1, ((0x0950, number),)))), Vital.TEMPERATURE)
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
    (sample,) = _samples(_said(_result(_one(source, unit, sent, decimals=1))), vital)
    assert (sample.value, sample.quality) == (value, Quality.VALID)


@pytest.mark.parametrize(("source", "unit"), [(SPO2, MMHG), (HR, PERCENT), (TEMP, NO_UNIT), (ETCO2, PERCENT)])
def test_a_number_in_an_unknown_unit_is_not_taken(source: int, unit: int) -> None:
    (sample,) = [one for one in _said(_result(_one(source, unit, 40))) if isinstance(one, Sample)]
    assert sample.value is None
    assert f"{unit:04X}" in (sample.why or "")


def test_of_several_sources_the_best_that_has_a_number_is_told() -> None:
    both = (_one(RR, BREATHS, 14), _one(AIRWAY_RR, BREATHS, 12))
    assert [one.value for one in _samples(_said(_result(*both)), Vital.RESPIRATION)] == [12]
    lost = (_one(RR, BREATHS, 14), _one(AIRWAY_RR, BREATHS, None, 0x8000))
    assert [one.value for one in _samples(_said(_result(*lost)), Vital.RESPIRATION)] == [14]
    temperatures = (_one(SKIN, CELSIUS, 33), _one(TEMP, CELSIUS, 36.5, decimals=1), _one(CORE, CELSIUS, 37))
    assert [one.value for one in _samples(_said(_result(*temperatures)), Vital.TEMPERATURE)] == [37]
    pulses = (_one(PULSE, PER_MIN, 64), _one(PULSE_SPO2, PER_MIN, 66))
    assert [one.value for one in _samples(_said(_result(*pulses)), Vital.PULSE_SPO2)] == [66]


def test_a_temperature_of_the_skin_says_so() -> None:
    (sample,) = _samples(_said(_result(_one(SKIN, CELSIUS, 33))), Vital.TEMPERATURE)
    assert (sample.value, sample.quality, sample.why) == (33, Quality.QUESTIONABLE, "measured on the skin")


@pytest.mark.parametrize("state", [State.DEMO, State.TEST, State.DEMO | State.QUESTIONABLE])
def test_demonstration_and_test_data_are_no_patients(state: int) -> None:
    said = _said(
        _result(
            _one(SPO2, PERCENT, 97, state),
            _pressures(120, 70, 87, at=0, states=(state,) * 3),
            _cuff_pulse(66, at=0, state=state),
        )
    )
    assert [one.value for one in said if isinstance(one, Sample)] == [None]
    assert _cuffs(said) == []
    assert said[-1] == Notice("the monitor shows demonstration or test data, not a patient")


def test_a_monitor_without_any_sensor_is_there_all_the_same() -> None:
    assert _said(_result(Object(1), Object(2))) == [Notice("no continuous vital is measured")]


def test_unknown_attributes_classes_and_physiology_are_read_past() -> None:
    strange = Object(7, ((0xF237, b"\xff" * 4), (0x0950, observed(Number(0x7777, 0, 1, 5))[1]), (0, b"")))
    said = _said(_result(strange, _one(HR, PER_MIN, 72)))
    assert [one.value for one in said if isinstance(one, Sample)] == [72]
    assert _said(_result(_one(HR, PER_MIN, 72), kind=9)) == []


# The cuff.


def test_one_measurement_is_told_once_with_its_pulse_and_its_age() -> None:
    cuff = (_pressures(131, 79, 96, at=-60), _cuff_pulse(66, at=-60))
    said = _said(_created(), *(_result(*cuff, seconds=second) for second in range(30)))
    assert _cuffs(said) == [
        Cuff(131, 79, 96, 66, age_ms=60_000, device_time="2026-05-14T11:59:00"),
    ]


def test_two_measurements_with_the_same_numbers_are_two() -> None:
    said = _said(
        _created(),
        _result(_pressures(120, 70, 87, at=-60)),
        _result(_pressures(120, 70, 87, at=240), seconds=241),
    )
    assert [cuff.age_ms for cuff in _cuffs(said)] == [60_000, 1_000]


def test_a_new_connection_does_not_tell_the_last_measurement_again() -> None:
    decoder = Decoder()
    assert len(_cuffs(decoder.feed(_created() + _result(_pressures(120, 70, 87, at=-60))))) == 1
    decoder.close()
    assert _cuffs(decoder.feed(_created() + _result(_pressures(120, 70, 87, at=-60)))) == []


@pytest.mark.parametrize("state", [State.ONGOING, State.EARLY, State.EARLY | State.ONGOING])
def test_an_early_pressure_is_not_final(state: int) -> None:
    early = _pressures(150, None, None, at=10, states=(state, State.UNAVAILABLE, State.UNAVAILABLE))
    said = _said(_created(), _result(early, seconds=10), _result(early, seconds=11))
    assert _cuffs(said) == []
    assert said.count(Notice("cuff measuring")) == 2
    whole = _pressures(138, 84, 102, at=12)
    (cuff,) = _cuffs(_said(_created(), _result(early, seconds=11), _result(whole, seconds=12)))
    assert (cuff.systolic, cuff.age_ms) == (138, 0)


def test_a_pressure_that_became_final_without_a_new_time_is_told() -> None:
    early = _pressures(138, 84, 102, at=10, states=(State.ONGOING,) * 3)
    whole = _pressures(138, 84, 102, at=10)
    assert len(_cuffs(_said(_created(), _result(early, seconds=10), _result(whole, seconds=12)))) == 1


def test_without_a_time_of_its_own_a_measurement_is_known_by_its_numbers_or_by_having_run() -> None:
    first, running = _pressures(120, 70, 87, at=None), (State.ONGOING,) * 3
    again = _pressures(120, 70, 87, at=None, states=running)
    other = _pressures(125, 70, 88, at=None)
    frames = [first, first, again, first, first, other, other]
    said = _said(*(_result(one, seconds=second) for second, one in enumerate(frames)))
    assert [cuff.systolic for cuff in _cuffs(said)] == [120, 120, 125]


def test_a_measurement_without_numbers_is_a_failed_one() -> None:
    failed = _pressures(None, None, None, at=300, states=(0x8000,) * 3)
    (good, cuff) = _cuffs(
        _said(_created(), _result(_pressures(120, 70, 87, at=0)), _result(failed, seconds=301))
    )
    assert good.systolic == 120
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)
    assert cuff.why == "no blood pressure: the monitor marks it invalid"


def test_a_pressure_that_is_no_longer_shown_is_no_failure() -> None:
    gone = _pressures(None, None, None, at=0, states=(0x2000,) * 3)
    said = _said(_created(), _result(_pressures(120, 70, 87, at=0)), *3 * [_result(gone, seconds=900)])
    assert len(_cuffs(said)) == 1


def test_kilopascal_becomes_mmhg() -> None:
    (cuff,) = _cuffs(_said(_result(_pressures(17.5, 10.5, 12.8, at=0, unit=KPA, decimals=1))))
    assert (cuff.systolic, cuff.diastolic, cuff.mean) == (131.3, 78.8, 96.0)


def test_a_questionable_pressure_is_no_measurement() -> None:
    (cuff,) = _cuffs(_said(_result(_pressures(131, 79, 96, at=0, states=(0, 0x4000, 0)))))
    assert (cuff.systolic, cuff.diastolic, cuff.quality) == (None, None, Quality.INVALID)
    assert cuff.why == "no blood pressure: the monitor marks it questionable"


def test_the_pulse_of_another_measurement_does_not_belong_to_this_one() -> None:
    (cuff,) = _cuffs(_said(_result(_pressures(131, 79, 96, at=300), _cuff_pulse(66, at=0))))
    assert cuff.pulse is None


def test_a_pulse_that_comes_later_than_its_pressure_is_told_once() -> None:
    pressures = _pressures(131, 79, 96, at=0)
    said = _said(
        _result(pressures), *(_result(pressures, _cuff_pulse(66, at=0), seconds=one) for one in (1, 2, 3))
    )
    assert [one.value for one in _samples(said, Vital.PULSE_NIBP)] == [66]
    assert len(_cuffs(said)) == 1


def test_a_clock_that_was_set_does_not_make_a_new_measurement_old() -> None:
    before = _result(_pressures(120, 70, 87, at=0), seconds=1)
    after = _result(_pressures(125, 70, 88, at=-3_000), seconds=600)
    said = _said(_created(), before, _result(_pressures(120, 70, 87, at=0), seconds=599), after)
    assert [cuff.age_ms for cuff in _cuffs(said)] == [1_000, 1_000]


def test_an_answer_may_tell_the_time_itself() -> None:
    (cuff,) = _cuffs(_said(_result(_pressures(120, 70, 87, at=-42), clock=True)))
    assert cuff.age_ms == 42_000


def test_a_pressure_whose_age_nobody_knows_is_not_taken_but_the_next_is() -> None:
    bed = Bedside()
    bed.connects(clock=False)
    said = bed.decoder.feed(_result(_pressures(120, 70, 87, at=-3_600)))
    assert said == [Notice("the monitor's last blood pressure has no known age: not taken")]
    (cuff,) = _cuffs(bed.decoder.feed(_result(_pressures(125, 70, 88, at=2), seconds=2)))
    assert (cuff.systolic, cuff.age_ms) == (125, 2_000)


def test_six_days_and_more_do_not_confuse_the_relative_time() -> None:
    days = 86_400
    decoder = Decoder()
    decoder.feed(_created())
    for day in range(1, 15):
        said = decoder.feed(_result(_pressures(120, 70, 87, at=day * days - 5), seconds=day * days))
        assert [cuff.age_ms for cuff in _cuffs(said)] == [5_000]


# Parts that belong together.


def _long(seconds: float = 0) -> list[bytes]:
    """An answer in three parts and the empty result that closes it, as frames."""
    padding = [_one(0x0302, NO_UNIT, 1) for _ in range(100)]
    objects = (
        _one(RR, BREATHS, 14),
        _pressures(131, 79, 96, at=0),
        *padding,
        _cuff_pulse(66, at=0),
        _one(AIRWAY_RR, BREATHS, 12),
    )
    wire = _result(*objects, seconds=seconds)
    return [b"\xc0" + frame for frame in wire.split(b"\xc0")[1:]]


def test_an_answer_in_parts_is_one_answer() -> None:
    frames = _long()
    assert len(frames) == 4
    messages = _read(b"".join(frames))
    assert [(one.link, one.count) for one in messages if isinstance(one, Result)] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (None, 0),
    ]
    assert all(len(frame) <= 996 + 16 for frame in frames)
    said = _said(*frames)
    assert [one.value for one in said if isinstance(one, Sample)] == [12]
    assert [(cuff.systolic, cuff.pulse) for cuff in _cuffs(said)] == [(131, 66)]


def test_an_answer_whose_closing_result_never_comes_is_whole() -> None:
    assert _said(*_long()[:3]) == _said(*_long())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_part_costs_only_what_was_in_it(lost: int) -> None:
    frames = _long()
    rates = [12, 12, 14]
    kept = [frame for place, frame in enumerate(frames) if place != lost]
    said = _said(*kept, *_long(1))
    assert [one.value for one in _samples(said, Vital.RESPIRATION)] == [rates[lost], 12]
    assert [cuff.systolic for cuff in _cuffs(said)] == [131]


def test_a_capture_that_ends_within_an_answer_says_what_it_has() -> None:
    decoder = Decoder()
    assert decoder.feed(_long()[0]) == []
    assert [one.value for one in decoder.close() if isinstance(one, Sample)] == [14]


def test_every_reading_carries_the_monitors_own_time() -> None:
    (known,) = _samples(_said(_created(), _result(_one(HR, PER_MIN, 72), seconds=1.5)), Vital.HEART_RATE)
    assert known.device_time == "2026-05-14T12:00:01.500"
    (unknown,) = _samples(_said(_result(_one(HR, PER_MIN, 72))), Vital.HEART_RATE)
    assert unknown.device_time == "1000.000 s since its start"


@pytest.mark.parametrize("before", [b"", _created()], ids=["no clock", "clock"])
def test_a_monitor_that_repeats_one_answer_for_ever_is_live_only_once(before: bytes) -> None:
    decoder, arrivals = Decoder(), Arrivals()
    decoder.feed(before)
    answer = _result(_one(HR, PER_MIN, 72), _one(SPO2, PERCENT, 97))
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
    assert _said(encode_result(1, 1, 0, [(1, (Object(1, alarms),))], kind=Kind.ALARMS, group=0x0801)) == [
        Notice("monitor's own alarm: ** SpO₂ 85 < 90"),
        Notice("monitor's own message: ECG Leads Off"),
        Notice("monitor's own message: code 4182/0104"),
    ]


def test_an_alarm_that_cannot_be_read_hides_nothing_else() -> None:
    kind, value = alarm_list(PATIENT_ALARMS, [(SPO2, 0, "SpO2 low"), (HR, 0, "HR low")])
    cut = value[:2] + (len(value) - 10).to_bytes(2) + value[4:-6]
    objects = (Object(1, ((kind, cut),)), Object(2, (alarm_list(TECHNICAL_ALARMS, [(HR, 0, "Leads off")]),)))
    assert _said(encode_result(1, 1, 0, [(1, objects)], kind=Kind.ALARMS)) == [
        Notice("monitor's own alarm: SpO2 low"),
        Notice("monitor's own message: Leads off"),
    ]


# The session.


def test_nothing_is_sent_before_there_is_time_and_nothing_answered_from_a_capture() -> None:
    decoder = Decoder()
    decoder.feed(encode_association_accept() + _created() + _result(_one(HR, PER_MIN, 72)))
    assert decoder.to_send() == b""


def test_a_session_is_opened_and_the_monitor_is_asked_every_second() -> None:
    bed = Bedside()
    bed.connects()
    sent = bed.waits(0.1)
    assert len(_polls(sent)) == len(_polls(sent, Kind.ALARMS)) == 1
    for second in range(10):
        sent += bed.waits(1)
        bed.decoder.feed(_result(_one(HR, PER_MIN, 72), seconds=second))
    assert sent[0] == _read(encode_mds_create_result(1))[0]
    assert len(_polls(sent)) == 1 + 10
    assert len(_polls(sent, Kind.ALARMS)) == 1 + 5
    assert _steps(sent) == []
    numbers = [one.invoke_id for one in sent if isinstance(one, Poll)]
    assert len(set(numbers)) == len(numbers)


def test_the_request_is_repeated_until_somebody_plugs_the_monitor_in() -> None:
    bed = Bedside()
    assert _steps(bed.waits(10)) == [Step.REQUEST] * 5
    assert _steps(bed.waits(1.5)) == [Step.ABORT, Step.REQUEST]


def test_a_refusal_is_answered_by_an_abort_and_a_new_request() -> None:
    bed = Bedside()
    bed.waits(0.1)
    assert bed.decoder.feed(encode_refuse()) == [
        Notice("the monitor refuses the connection: does another computer read it?")
    ]
    assert _steps(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_the_refusal_of_a_request_that_was_repeated_in_vain_ends_nothing() -> None:
    bed = Bedside()
    bed.connects()
    assert bed.decoder.feed(encode_refuse()) == []
    assert _polls(bed.waits(1))


def test_a_monitor_that_accepts_and_then_says_nothing_is_left() -> None:
    bed = Bedside()
    bed.waits(0.1)
    bed.decoder.feed(encode_association_accept())
    assert bed.waits(9.5) == []
    assert _steps(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_a_create_event_whose_accept_was_damaged_opens_the_session_all_the_same() -> None:
    bed = Bedside()
    bed.waits(0.1)
    bed.decoder.feed(_created())
    assert _polls(bed.waits(1))


def test_five_seconds_without_an_answer_begin_a_new_session() -> None:
    bed = Bedside()
    bed.connects()
    assert _steps(bed.waits(5)) == []
    assert _steps(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_results_of_an_old_association_are_read_and_it_is_ended() -> None:
    bed = Bedside()
    bed.waits(0.1)
    said = bed.decoder.feed(_result(_one(SPO2, PERCENT, 97)))
    assert [one.value for one in said if isinstance(one, Sample)] == [97]
    assert _steps(bed.waits(3.5)) == [Step.ABORT, Step.REQUEST]


@pytest.mark.parametrize(
    ("word", "answers"),
    [(encode_abort(), [Step.REQUEST]), (encode_release_request(), [Step.RELEASED, Step.REQUEST])],
)
def test_a_session_that_the_monitor_ends_is_opened_again(word: bytes, answers: list[Step]) -> None:
    bed = Bedside()
    bed.connects()
    bed.waits(1)
    assert bed.decoder.feed(word) == [Notice("the monitor ended the connection")]
    assert _steps(bed.waits(2)) == answers


def test_a_line_that_was_lost_begins_anew_at_once() -> None:
    bed = Bedside()
    bed.connects()
    bed.waits(3)
    bed.decoder.close()
    bed.now_ms += 60_000
    assert _steps(bed.waits(0.1)) == [Step.REQUEST]


def test_a_cable_that_echoes_answers_nothing() -> None:
    bed = Bedside()
    for _ in range(30):
        bed.decoder.tick(bed.now_ms)
        assert bed.decoder.feed(bed.decoder.to_send()) == []
        bed.now_ms += 1_000
    bed = Bedside()
    bed.connects()
    for _ in range(4):
        bed.decoder.tick(bed.now_ms)
        assert bed.decoder.feed(bed.decoder.to_send()) == []
        bed.now_ms += 1_000
    assert Step.ABORT in _steps(bed.waits(3))


def test_extended_results_come_by_themselves_and_the_request_is_renewed() -> None:
    bed = Bedside(poll="extended", alarms=False)
    bed.connects()
    polls = []
    for second in range(20):
        polls += _polls(bed.waits(1))
        bed.decoder.feed(_result(_one(HR, PER_MIN, 72), seconds=second, sequence=second))
    assert [poll.period for poll in polls] == [480_000] * 5


def test_a_monitor_without_extended_polls_is_asked_every_second() -> None:
    bed = Bedside(poll="extended", alarms=False)
    bed.connects()
    bed.waits(0.5)
    assert bed.decoder.feed(encode_error(1, 9)) == [Notice("the monitor refuses to answer (error 9)")]
    assert [poll.period for poll in _polls(bed.waits(0.1))] == [None]
    assert [poll.period for poll in _polls(bed.waits(3))] == [None] * 3


def test_a_monitor_that_does_not_tell_its_alarms_is_not_asked_again() -> None:
    bed = Bedside()
    bed.connects()
    (asked,) = _polls(bed.waits(0.1), Kind.ALARMS)
    assert bed.decoder.feed(encode_error(asked.invoke_id, 0)) == [
        Notice("the monitor does not tell its own alarms (error 0)")
    ]
    assert _polls(bed.waits(4), Kind.ALARMS) == []


def test_a_monitor_that_grants_a_poll_every_two_seconds_is_not_asked_more_often() -> None:
    bed = Bedside(alarms=False)
    bed.waits(0.1)
    bed.decoder.feed(encode_association_accept(poll_period=16_000) + _created())
    assert len(_polls(bed.waits(0.1))) == 1
    assert len(_polls(bed.waits(4))) == 2


@pytest.mark.parametrize(
    ("period_s", "timeout_s"), [(0.5, 10), (1, 10), (3.3, 10), (10, 30), (43, 129), (60, 130)]
)
def test_the_monitors_patience_follows_the_poll_period(period_s: float, timeout_s: int) -> None:
    assert timeout_ms(round(8000 * period_s)) == timeout_s * 1000


def test_a_cuff_cannot_be_started_from_here() -> None:
    decoder = Decoder()
    assert decoder.start_cuff() == "a cuff cannot be started over data export: start it at the monitor"
    decoder.cancel_cuff()
    assert decoder.to_send() == b""
    assert not DRIVER.starts_cuff


@pytest.mark.parametrize(
    ("options", "words"),
    [({"poll": "often"}, 'poll is "single" or "extended"'), ({"alarms": "no"}, "alarms is true or false")],
)
def test_a_bad_option_is_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DRIVER.decoder(options)


# The simulated monitor.


class Room:
    """The real host and the twin on one cable."""

    def __init__(self, patient: Patient, options: dict[str, Any] | None = None, **host: Any) -> None:
        """Nothing is said yet."""
        self.twin = Twin(patient, 4, options or {})
        self.host: Decoder = DRIVER.decoder(host)
        self.wire = b""

    def plays(self, from_ms: int, to_ms: int) -> list[tuple[int, Said]]:
        """What is said meanwhile, and when; the monitor's bytes are kept."""
        heard: list[tuple[int, Said]] = []
        for t_ms in range(from_ms, to_ms, 100):
            self.host.tick(t_ms)
            came = self.twin.tick(t_ms)
            if asked := self.host.to_send():
                came += self.twin.hear(asked, t_ms)
            self.wire += came
            heard += [(t_ms, said) for said in self.host.feed(came)]
        return heard


def _quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), 4)


@pytest.mark.parametrize("options", [{}, {"modules": True}])
@pytest.mark.parametrize("poll", ["single", "extended"])
def test_the_host_reads_the_patient_through_a_whole_session(options: dict[str, Any], poll: str) -> None:
    patient = _quiet()
    room = Room(patient, options, poll=poll)
    heard = room.plays(250_000, 400_000)
    said = [one for _, one in heard]
    assert not [one for one in said if isinstance(one, Fault)]
    assert len(_samples(said, Vital.SPO2)) >= 140
    for t_ms, one in heard:
        if isinstance(one, Sample) and one.vital is Vital.SPO2:
            assert one.value in {patient.spo2(t_ms - late) for late in range(0, 1_100, 8)}
    for vital in (Vital.HEART_RATE, Vital.PULSE_SPO2, Vital.PERFUSION, Vital.RESPIRATION, Vital.TEMPERATURE):
        assert all(one.quality is Quality.VALID for one in _samples(said, vital))
        assert _samples(said, vital)
    assert Notice("cuff measuring") in said
    ages = [cuff.age_ms for cuff in _cuffs(said)]
    assert len(ages) == 2
    assert ages[0] > 100_000
    assert ages[1] <= 1_100
    assert all(cuff.pulse for cuff in _cuffs(said) if cuff.systolic)
    one_sided = [one for one in Decoder().feed(room.wire) if isinstance(one, Sample | Cuff)]
    assert one_sided == [one for one in said if isinstance(one, Sample | Cuff)]


def test_a_monitor_that_is_asked_too_late_has_ended_the_session_and_opens_another() -> None:
    room = Room(_quiet())
    room.plays(0, 5_000)
    assert _read(room.twin.tick(15_000)) == _read(encode_abort())
    assert room.twin.tick(30_000) == b""
    said = [one for _, one in room.plays(30_000, 34_000)]
    assert _samples(said, Vital.SPO2)


def test_a_host_that_starts_again_while_the_monitor_still_waits_for_it_is_let_in() -> None:
    room = Room(_quiet())
    room.plays(0, 5_000)
    room.host = Decoder()
    said = [one for _, one in room.plays(5_000, 9_000)]
    assert said[0] == Notice("the monitor refuses the connection: does another computer read it?")
    assert _samples(said, Vital.SPO2)


def test_a_demonstration_is_nobodys() -> None:
    said = [one for _, one in Room(_quiet(), {"demo": True}).plays(300_000, 400_000)]
    assert [one for one in said if isinstance(one, Sample) and one.value is not None] == []
    assert _cuffs(said) == []
    assert Notice("the monitor shows demonstration or test data, not a patient") in said


def test_a_probe_that_is_off_gives_no_number_and_the_monitors_own_words() -> None:
    patient = _quiet(probe=(Probe(state="off", at_min=0, for_s=60),))
    said = [one for _, one in Room(patient).plays(0, 10_000)]
    assert {one.quality for one in _samples(said, Vital.SPO2)} == {Quality.INVALID}
    assert {one.quality for one in _samples(said, Vital.HEART_RATE)} == {Quality.VALID}
    assert Notice("monitor's own message: SpO2 sensor off") in said


def test_motion_and_a_low_saturation_are_told_as_the_monitor_sees_them() -> None:
    moving = _quiet(motion=(Motion(from_min=0, to_min=30, every_s=20),))
    said = [one for _, one in Room(moving).plays(0, 300_000)]
    assert {one.why for one in _samples(said, Vital.SPO2)} == {None, "the monitor marks it questionable"}
    assert all((one.value is None) is (one.quality is Quality.INVALID) for one in _samples(said, Vital.SPO2))
    low = [one for _, one in Room(_quiet(person=Person(spo2_percent=80))).plays(0, 5_000)]
    assert Notice("monitor's own alarm: SpO2 low") in low


def test_a_cuff_that_fails_is_told_as_failed() -> None:
    patient = _quiet(cuff=(FirstCuff(at_min=5),))
    cuffs = _cuffs([one for _, one in Room(patient).plays(290_000, 400_000)])
    assert cuffs[-1].systolic is None
    assert cuffs[-1].age_ms <= 1_100


def _hears(twin: Twin, *words: bytes, t_ms: int = 1_000) -> list[Association | Message | None]:
    return _read(b"".join(twin.hear(word, t_ms) for word in words))


def test_the_twin_answers_as_the_real_one_does() -> None:
    twin = Twin(_quiet(), 4, {})
    assert _hears(twin, encode_poll(1, 1)) == []
    accept, created = _hears(twin, encode_association_request())
    assert isinstance(accept, Association)
    assert accept.terms is not None
    assert (accept.terms.poll_period, accept.terms.mtu_out) == (8_000, 996)
    assert isinstance(created, MdsCreated)
    assert _hears(twin, encode_association_request()) == _read(encode_refuse())
    assert _hears(twin, encode_poll(1, 1)) == []
    assert _hears(twin, encode_mds_create_result(1)) == []
    poll = encode_poll(1, 7)
    (result,) = _hears(twin, poll)
    assert isinstance(result, Result)
    assert (result.poll_number, result.sequence) == (7, None)
    assert any(not one.attributes for one in result.objects)
    assert _hears(twin, poll[:-3] + b"\0" + poll[-2:]) == []
    whole = Frames().feed(poll)[0]
    assert isinstance(whole, bytes)
    unknown = framed(whole.replace(b"\x0c\x16", b"\x0c\x17"))
    assert _hears(twin, unknown) == _read(encode_error(1, 9))
    assert _hears(twin, encode_release_request()) == _read(encode_release_response())
    assert _hears(twin, encode_poll(1, 1)) == []


def test_the_twin_sends_by_itself_until_the_period_ends_or_is_renewed() -> None:
    twin = Twin(_quiet(), 4, {})
    _hears(twin, encode_association_request(), encode_mds_create_result(1), t_ms=0)
    (first,) = _hears(twin, encode_extended_poll(2, 2, period=3 * 8_000), t_ms=0)
    assert isinstance(first, Result)
    assert first.sequence == 0
    assert twin.due_ms() == 1_024
    assert [one.sequence for one in _read(twin.tick(2_100)) if isinstance(one, Result)] == [1, 2]
    assert _hears(twin, encode_extended_poll(3, 3, period=3 * 8_000), t_ms=2_500) == []
    assert [one.sequence for one in _read(twin.tick(9_000)) if isinstance(one, Result)] == [3, 4, 5]
    assert twin.tick(10_000) == b""


def test_with_its_labels_an_answer_of_the_twin_is_longer_and_says_the_same() -> None:
    twin = Twin(_quiet(), 4, {})
    _hears(twin, encode_association_request(), encode_mds_create_result(1))
    short = twin.hear(encode_poll(1, 1), 1_000)
    long = twin.hear(encode_poll(1, 1, group=0), 1_000)
    assert len(long) > len(short)
    assert _said(long) == _said(short)

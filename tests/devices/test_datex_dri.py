"""A DRI monitor as its host sees it: one request, a record every five seconds, each blood pressure once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from monitor.devices.codecs.datex_dri import (
    ASK_AGAIN_MS,
    DISPLAYED,
    DRIVER,
    NOTHING,
    TREND_60_S,
    WAVEFORM,
    Decoder,
    Record,
    encode_answer,
    encode_basic,
    encode_record,
    encode_request,
    read_record,
)
from monitor.devices.driver import SerialSettings, line_of
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital
from simulators.datex_dri import Twin
from simulators.patient import Patient
from simulators.scenario import FirstCuff, Person, Probe, Story

FROM_ECG, LEARNING, OLD, MEASURING = 1 << 3, 0x200, 0x100, 0x20
AT_120 = (12_000, 7_000, 8_700, 70)
AT_150 = (15_000, 9_400, 11_300, 80)
BLANK = (NOTHING,) * 4


def _ecg(rate: int, status: int = 3 | FROM_ECG, breaths: int = NOTHING) -> Sequence[int]:
    return status, 0, rate, NOTHING, NOTHING, NOTHING, breaths


def _nibp(label: int, numbers: Sequence[int] = AT_120, status: int = 3) -> bytes:
    return encode_answer({"nibp": (status, label | 1, *numbers)})


def _said(**groups: Sequence[int]) -> list[Said]:
    return Decoder().feed(encode_answer(groups))


def _one(said: list[Said], vital: Vital) -> Sample:
    (found,) = [one for one in said if isinstance(one, Sample) and one.vital is vital]
    return found


def _cuffs(said: list[Said]) -> list[Cuff]:
    return [one for one in said if isinstance(one, Cuff)]


class Bedside:
    """A decoder on a line: a record every 5 s by a clock that is told."""

    def __init__(self) -> None:
        """The line has just been opened."""
        self.decoder = Decoder()
        self.now_ms = 1_000_000

    def hears(self, frame: bytes) -> list[Said]:
        """One record; then 5 s pass."""
        self.decoder.tick(self.now_ms)
        said = self.decoder.feed(frame)
        self.now_ms += 5_000
        return said


# The request.


def test_the_request_is_sent_once_and_again_only_after_a_silence() -> None:
    decoder = Decoder()
    sent = []
    for t_ms in range(0, 60_000, 1_000):
        decoder.tick(t_ms)
        if question := decoder.to_send():
            sent.append((t_ms, question))
        if t_ms % 5_000 == 0 and t_ms < 20_000:
            decoder.feed(encode_answer({"spo2": (3, 0, 9_700, 72, NOTHING, NOTHING)}))
    # The last record came at 15 s and was known of at 16 s.
    assert [t_ms for t_ms, _ in sent] == [0, 31_000, 46_000]
    assert {question for _, question in sent} == {encode_request()}


def test_a_line_that_is_opened_again_is_asked_again() -> None:
    decoder = Decoder()
    decoder.tick(0)
    assert decoder.to_send() == encode_request()
    decoder.tick(1_000)
    assert decoder.to_send() == b""
    decoder.close()
    decoder.tick(2_000)
    assert decoder.to_send() == encode_request()


def test_the_decoder_says_when_it_wants_to_be_called() -> None:
    decoder = Decoder()
    assert decoder.due_ms() == 0
    decoder.tick(5_000)
    assert decoder.due_ms() == 5_000 + ASK_AGAIN_MS


def test_records_that_nobody_needs_are_no_answer_to_the_request() -> None:
    decoder = Decoder()
    decoder.tick(0)
    decoder.to_send()
    wave = encode_record([(0, b"\x01\x02" * 300)], kind=WAVEFORM, level=10)
    trend = encode_record([(TREND_60_S, encode_basic({"ecg": _ecg(70)}))], level=10)
    for t_ms in range(1_000, 16_000, 1_000):
        assert decoder.feed(wave + trend) == []
        decoder.tick(t_ms)
    assert decoder.to_send() == encode_request()


def test_a_cuff_cannot_be_started_over_this_interface() -> None:
    decoder = Decoder()
    assert "at the monitor" in (decoder.start_cuff() or "")
    decoder.cancel_cuff()
    decoder.tick(0)
    assert decoder.to_send() == encode_request()
    assert not DRIVER.starts_cuff


def test_the_line_has_even_parity_and_a_handshake() -> None:
    assert line_of(DRIVER, {}) == SerialSettings(19200, 8, "E", 1, rtscts=True)
    assert line_of(DRIVER, {"baud": 115200}) == SerialSettings(115200, 8, "E", 1, rtscts=True)
    with pytest.raises(ValueError, match="baud of datex-dri is one of 19200, 115200"):
        line_of(DRIVER, {"baud": 9600})
    DRIVER.decoder({"baud": 115200})


# One blood pressure is one reading.


def test_one_measurement_is_told_once_however_often_it_is_sent() -> None:
    bed = Bedside()
    said = [bed.hears(_nibp(0)) for _ in range(12)] + [bed.hears(_nibp(OLD)) for _ in range(60)]
    assert _cuffs([one for each in said for one in each]) == [Cuff(120, 70, 87, 70)]


def test_the_numbers_of_a_running_cuff_are_the_last_ones() -> None:
    bed = Bedside()
    bed.hears(_nibp(0))
    bed.hears(_nibp(OLD))
    for _ in range(6):
        said = bed.hears(_nibp(OLD | MEASURING, AT_150))
        assert _cuffs(said) == []
        assert Notice("cuff measuring") in said
    assert _cuffs(bed.hears(_nibp(0, AT_150))) == [Cuff(150, 94, 113, 80)]


@pytest.mark.parametrize("label_meanwhile", [0, OLD])
def test_the_same_numbers_measured_again_are_a_second_reading(label_meanwhile: int) -> None:
    bed = Bedside()
    bed.hears(_nibp(0))
    bed.hears(_nibp(OLD))
    bed.hears(_nibp(MEASURING | label_meanwhile))
    assert _cuffs(bed.hears(_nibp(0))) == [Cuff(120, 70, 87, 70)]


def test_a_pulse_that_comes_later_is_no_second_reading() -> None:
    bed = Bedside()
    assert len(_cuffs(bed.hears(_nibp(0, (*AT_120[:3], NOTHING))))) == 1
    assert _cuffs(bed.hears(_nibp(0))) == []


def test_a_pressure_from_before_we_came_has_no_time_and_is_not_taken() -> None:
    bed = Bedside()
    for _ in range(3):
        said = bed.hears(_nibp(OLD))
        assert _cuffs(said) == []
        assert any(isinstance(one, Notice) and "not known" in one.what for one in said)
    assert _cuffs(bed.hears(_nibp(0, AT_150))) == [Cuff(150, 94, 113, 80)]
    assert not [one for one in bed.hears(_nibp(0, AT_150)) if isinstance(one, Notice) and "known" in one.what]


def test_a_pressure_of_the_last_minute_is_taken_on_arrival() -> None:
    assert _cuffs(Bedside().hears(_nibp(0))) == [Cuff(120, 70, 87, 70)]


def test_a_pressure_measured_while_the_line_was_lost_has_no_time() -> None:
    bed = Bedside()
    bed.hears(_nibp(0))
    bed.hears(_nibp(OLD))
    bed.decoder.close()
    bed.now_ms += 600_000
    assert _cuffs(bed.hears(_nibp(OLD))) == []
    bed.decoder.close()
    bed.now_ms += 600_000
    said = bed.hears(_nibp(OLD, AT_150))
    assert _cuffs(said) == []
    assert any(isinstance(one, Notice) and "not known" in one.what for one in said)


def test_old_numbers_that_come_back_after_a_failed_cuff_are_not_new() -> None:
    bed = Bedside()
    bed.hears(_nibp(MEASURING | OLD))
    assert _cuffs(bed.hears(_nibp(OLD))) == []
    assert _cuffs(bed.hears(_nibp(0, AT_150))) == [Cuff(150, 94, 113, 80)]


def test_a_capture_shows_a_pressure_without_its_time_as_questionable() -> None:
    (cuff,) = _cuffs(Decoder().feed(_nibp(OLD) * 5))
    assert (cuff.systolic, cuff.quality, cuff.age_ms) == (120, Quality.QUESTIONABLE, 60_000)


def test_a_cuff_that_ends_without_numbers_has_failed_once() -> None:
    bed = Bedside()
    bed.hears(_nibp(0))
    bed.hears(_nibp(MEASURING))
    (cuff,) = _cuffs(bed.hears(_nibp(0, BLANK)) + bed.hears(_nibp(0, BLANK)))
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)
    assert cuff.why == "the cuff measurement ended without a result"


@pytest.mark.parametrize("label", [0x0101, 0x0001, 0x010B])
def test_a_label_alone_is_no_reading(label: int) -> None:
    frame = encode_answer({"nibp": (3, label, *BLANK), "ecg": _ecg(72)})
    assert _cuffs(Decoder().feed(frame)) == []


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_pressures_of_a_removed_module_are_nobodys(status: int) -> None:
    assert _cuffs(Decoder().feed(_nibp(0, status=status))) == []


# What may be believed.


def test_a_heart_rate_that_is_being_learnt_is_no_value_and_no_asystole() -> None:
    for rate in (0, 72):
        said = _said(ecg=_ecg(rate, 3 | FROM_ECG | LEARNING | 0x4))
        told = _one(said, Vital.HEART_RATE)
        assert (told.value, told.quality) == (None, Quality.INVALID)
        assert Notice("the monitor says asystole") not in said


def test_an_asystole_is_a_rate_of_nought_and_is_said() -> None:
    said = _said(ecg=_ecg(0, 3 | FROM_ECG | 0x4))
    assert _one(said, Vital.HEART_RATE) == Sample(Vital.HEART_RATE, 0)
    assert Notice("the monitor says asystole") in said


@pytest.mark.parametrize("source", [2, 3, 4, 5, 6, 7, 8, 10, 11, 12])
def test_a_rate_that_is_not_from_the_ecg_is_not_told_as_the_hearts(source: int) -> None:
    told = _one(_said(ecg=_ecg(72, 3 | source << 3)), Vital.HEART_RATE)
    assert (told.value, told.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize("source", [0, 13, 14, 15])
def test_a_rate_from_nowhere_is_doubted(source: int) -> None:
    told = _one(_said(ecg=_ecg(72, 3 | source << 3)), Vital.HEART_RATE)
    assert (told.value, told.quality) == (72, Quality.QUESTIONABLE)


@pytest.mark.parametrize("bit", [0x80, 0x100, 0x800, 0x1000, 0x2000])
def test_a_disturbed_ecg_is_doubted(bit: int) -> None:
    told = _one(_said(ecg=_ecg(72, 3 | FROM_ECG | bit)), Vital.HEART_RATE)
    assert (told.value, told.quality, told.doubt) == (72, Quality.QUESTIONABLE, Doubt.POOR_SIGNAL)


def test_a_lead_off_is_neither_an_asystole_nor_an_apnoea() -> None:
    said = _said(ecg=_ecg(0, 3 | FROM_ECG | 0x800, breaths=0))
    assert _one(said, Vital.HEART_RATE).value is None
    assert _one(said, Vital.RESPIRATION).value is None
    assert Notice("ECG lead off") in said


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (-32767, "no reading"),
        (-32766, "not updated"),
        (-32765, "interrupted"),
        (-32764, "below the measuring range"),
        (-32763, "above the measuring range"),
        (-32762, "not calibrated"),
        (-32001, "no reading"),
        (-32768, "no reading"),
    ],
)
def test_a_special_value_is_no_value_and_says_why(raw: int, why: str) -> None:
    said = _said(spo2=(3, 0, raw, raw, NOTHING, NOTHING))
    for vital in (Vital.SPO2, Vital.PULSE_SPO2):
        assert _one(said, vital) == Sample(vital, None, Quality.MISSING, why)


def test_a_module_that_does_not_measure_gives_no_number() -> None:
    said = _said(spo2=(1, 0, 9_700, 72, NOTHING, NOTHING))
    assert _one(said, Vital.SPO2) == Sample(Vital.SPO2, None, Quality.MISSING, "not measuring")


def test_a_module_that_is_taken_out_takes_its_number_with_it() -> None:
    decoder = Decoder()
    decoder.feed(encode_answer({"t1": (3, 11, 3_670)}))
    for _ in range(2):
        told = _one(decoder.feed(encode_answer({"t1": (0, 11, 3_670)})), Vital.TEMPERATURE)
        assert (told.value, told.quality) == (None, Quality.MISSING)


def test_a_monitor_without_any_module_is_alive_all_the_same() -> None:
    assert _said() == [Notice("no module is measuring")]


CO2 = (3, 1, 512, 5, 14, 7_600)


@pytest.mark.parametrize(
    ("groups", "rate"),
    [
        ({"co2": CO2, "ecg": _ecg(72, breaths=20)}, 14),
        ({"co2": (1, *CO2[1:]), "ecg": _ecg(72, breaths=20)}, 20),
        ({"co2": (3, 1, *BLANK), "ecg": _ecg(72, breaths=20)}, 20),
        ({"co2": (3 | 0x10, *CO2[1:]), "ecg": _ecg(72, breaths=20)}, 20),
        ({"co2": (3 | 0x20, *CO2[1:])}, None),
        ({"co2": (3 | 0x04, 1, 0, 0, 0, 7_600), "ecg": _ecg(72, breaths=20)}, 0),
        ({"co2": (3 | 0x04, 1, *BLANK), "ecg": _ecg(72, breaths=20)}, None),
        ({"co2": (3 | 0x04, *CO2[1:]), "ecg": _ecg(72, breaths=20)}, None),
        ({"ecg": _ecg(72), "flow": (3, 0, 12, *(NOTHING,) * 7)}, 12),
        ({"ecg": _ecg(72)}, None),
    ],
)
def test_breathing_is_the_co2s_before_the_impedances_and_an_apnoea_is_nobodys(
    groups: dict[str, Sequence[int]], rate: int | None
) -> None:
    assert _one(_said(**groups), Vital.RESPIRATION).value == rate


def test_below_level_8_the_label_says_whose_the_rate_beside_the_co2_is() -> None:
    for label, rate in ((0, None), (1, 14), (2, 14)):
        frame = encode_answer({"co2": (3, label, *CO2[2:])}, level=7)
        assert _one(Decoder().feed(frame), Vital.RESPIRATION).value == rate
    frame = encode_answer({"co2": (3, 0, *CO2[2:])}, level=8)
    assert _one(Decoder().feed(frame), Vital.RESPIRATION).value == 14


def test_end_tidal_co2_is_worked_out_and_says_so() -> None:
    told = _one(_said(co2=CO2), Vital.ETCO2)
    assert (told.value, told.quality) == (38.9, Quality.QUESTIONABLE)
    assert _one(_said(co2=(3, 1, 512, 5, 14, NOTHING)), Vital.ETCO2).value is None
    assert _one(_said(co2=(3 | 0x08, *CO2[1:])), Vital.ETCO2).value is None


@pytest.mark.parametrize("label", [7, 8, 9, 16])
def test_a_temperature_of_skin_or_air_is_not_the_bodys(label: int) -> None:
    assert _one(_said(t1=(3, label, 3_100)), Vital.TEMPERATURE).value is None
    both = _said(t1=(3, label, 3_100), t3=(3, 2, 3_680))
    assert _one(both, Vital.TEMPERATURE) == Sample(Vital.TEMPERATURE, 36.8)


def test_a_temperature_at_an_unknown_place_is_doubted() -> None:
    told = _one(_said(t1=(3, 0, 3_680)), Vital.TEMPERATURE)
    assert (told.value, told.quality) == (36.8, Quality.QUESTIONABLE)


# The record.


def test_the_class_is_known_by_its_number_and_not_by_its_place() -> None:
    parts = []
    for number, part_class in enumerate((2, 0, 1, 3)):
        # The same bytes mean something else in another class.
        part = encode_basic({"ecg": _ecg(60 + number)}, subtype=part_class << 8 | 0x91)
        parts.append((DISPLAYED, part))
    said = Decoder().feed(encode_record(parts, level=9))
    assert _one(said, Vital.HEART_RATE).value == 61


def test_what_stands_behind_the_last_descriptor_is_nobodys() -> None:
    groups = {"ecg": _ecg(72)}
    for stale in (b"\xff" * 18, b"\x00" * 18, b"\xff\x7f\x01" * 6, b"\x16\x01\x01" * 6):
        assert Decoder().feed(encode_answer(groups, behind=stale)) == Decoder().feed(encode_answer(groups))


def test_all_eight_descriptors_may_be_used() -> None:
    whole = encode_record([(DISPLAYED, encode_basic({"ecg": _ecg(72)}))] + [(TREND_60_S, b"")] * 7, level=10)
    assert _one(Decoder().feed(whole), Vital.HEART_RATE).value == 72


@pytest.mark.parametrize("offset", [-1, 1, 278, 32_767])
def test_a_subrecord_outside_of_its_record_is_damage(offset: int) -> None:
    body = bytearray(encode_answer({"ecg": _ecg(72)})[1:-2])
    body[16:18] = offset.to_bytes(2, "little", signed=True)
    piece = bytes(body) + bytes([sum(body) & 0xFF])
    assert read_record(piece) == Fault("damaged record", len(piece))


def test_flags_and_escapes_within_a_record_come_through() -> None:
    groups = {"ecg": _ecg(0x7E), "spo2": (3, 0, 9_700, 0x7D, NOTHING, NOTHING)}
    wire = encode_answer(groups, plug_id=0x7D7E, number=0x7E)
    assert wire.count(b"\x7e") == 2
    said = Decoder().feed(wire)
    assert _one(said, Vital.HEART_RATE).value == 126
    assert _one(said, Vital.PULSE_SPO2).value == 125


def test_one_flag_between_two_records_is_enough() -> None:
    frame = encode_answer({"ecg": _ecg(72)})
    assert Decoder().feed(frame + frame[1:]) == Decoder().feed(frame + frame)


def test_two_broken_fragments_between_good_records_are_counted_and_no_more() -> None:
    frame = encode_answer({"ecg": _ecg(72)})
    said = Decoder().feed(frame + frame[1:100] + b"\x7e" + frame[200:] + frame)
    assert [one.dropped for one in said if isinstance(one, Fault)] == [99, len(frame) - 201]
    assert len([one for one in said if isinstance(one, Sample) and one.vital is Vital.HEART_RATE]) == 2


@pytest.mark.parametrize("change", [{"kind": 3}, {"kind": 9}])
def test_an_unknown_kind_of_record_is_counted(change: dict[str, Any]) -> None:
    (fault,) = Decoder().feed(encode_record([(DISPLAYED, encode_basic({}))], **change))
    assert isinstance(fault, Fault)
    assert fault.reason == "unknown kind of record"


def test_a_record_of_another_length_is_dropped() -> None:
    body = bytearray(encode_answer({"ecg": _ecg(72)})[1:-2])
    body[0] += 1
    (fault,) = Decoder().feed(b"\x7e" + bytes(body) + bytes([sum(body) & 0xFF]) + b"\x7e")
    assert isinstance(fault, Fault)
    assert "length" in fault.reason


def test_the_time_of_the_monitor_is_told_without_a_zone_and_nought_is_none() -> None:
    told = [
        _one(Decoder().feed(encode_answer({"ecg": _ecg(72)}, time=time)), Vital.HEART_RATE).device_time
        for time in (0, 1_767_225_600, 2**32 - 1)
    ]
    assert told == [None, "2026-01-01T00:00:00", "2106-02-07T06:28:15"]


# The simulated monitor.


def _quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), 4)


def _together(twin: Twin, host: Decoder, from_ms: int, to_ms: int) -> list[tuple[int, Said]]:
    heard: list[tuple[int, Said]] = []
    for t_ms in range(from_ms, to_ms, 100):
        host.tick(t_ms)
        assert twin.hear(host.to_send(), t_ms) == b""
        heard += [(t_ms, said) for said in host.feed(twin.tick(t_ms))]
    return heard


def test_a_monitor_says_nothing_before_it_is_asked_and_nothing_to_a_broken_request() -> None:
    twin = Twin(_quiet(), 4, {})
    for wrong in (
        b"",
        b"\x7e\x7e",
        encode_request()[:-3],
        encode_request().replace(b"\x05", b"\x06"),
        b"hello",
    ):
        twin.hear(wrong, 0)
        assert b"".join(twin.tick(t_ms) for t_ms in range(0, 20_000, 500)) == b""
    twin.hear(b"\x7e" + encode_request(record_type=TREND_60_S), 20_000)
    assert twin.tick(40_000) == b""
    twin.hear(encode_request(), 40_000)
    assert twin.tick(41_000) != b""


@pytest.mark.parametrize(("interval_s", "records"), [(0, 0), (-1, 1), (1, 6), (5, 6), (10, 3)])
def test_a_monitor_sends_as_often_as_it_was_told_and_never_more_often_than_every_5_s(
    interval_s: int, records: int
) -> None:
    twin = Twin(_quiet(), 4, {})
    twin.hear(encode_request(), 0)
    twin.tick(500)
    twin.hear(encode_request(interval_s=interval_s), 600)
    sent = [data for t_ms in range(600, 30_000, 100) if (data := twin.tick(t_ms))]
    assert len(sent) == records
    numbers = [record.number for data in sent if isinstance(record := read_record(data[1:-1]), Record)]
    assert numbers == list(range(2, 2 + records))


@pytest.mark.parametrize("options", [{}, {"level": 8, "stale": True}, {"level": 11}])
def test_the_real_host_reads_the_patient_from_the_monitor(options: dict[str, Any]) -> None:
    patient = _quiet()
    heard = _together(Twin(patient, 4, options), Decoder(), 400_000, 1_300_000)
    assert not [said for _, said in heard if isinstance(said, Fault)]
    told = dict.fromkeys((Vital.HEART_RATE, Vital.SPO2, Vital.RESPIRATION, Vital.TEMPERATURE), 0)
    for t_ms, said in heard:
        if isinstance(said, Sample) and said.vital in told:
            assert said.quality is Quality.VALID
            told[said.vital] += 1
            if said.vital is Vital.HEART_RATE:
                assert said.value == round(patient.heart_rate(t_ms))
            if said.vital is Vital.SPO2:
                assert said.value == patient.spo2(t_ms)
            if said.vital is Vital.RESPIRATION:
                assert said.value == round(patient.respiration(t_ms))
    assert set(told.values()) == {180}


def test_each_cuff_of_the_monitors_cycle_is_told_once() -> None:
    twin = Twin(
        _quiet(cuff=(FirstCuff(at_min=15, systolic_mmhg=150, diastolic_mmhg=90),)), 4, {"cycle_s": 300}
    )
    heard = _together(twin, Decoder(), 800_000, 2_000_000)
    cuffs = [(t_ms, said) for t_ms, said in heard if isinstance(said, Cuff)]
    assert len(cuffs) == 4
    assert cuffs[0][1].systolic == 150
    for t_ms, cuff in cuffs:
        assert cuff.quality in {Quality.VALID, Quality.INVALID}
        assert 25_000 <= t_ms % 300_000 <= 66_000


def test_a_probe_that_is_off_has_no_value() -> None:
    patient = _quiet(probe=(Probe(state="off", at_min=1, for_s=60),), person=Person(spo2_percent=97))
    heard = _together(Twin(patient, 4, {}), Decoder(), 62_000, 118_000)
    told = [said for _, said in heard if isinstance(said, Sample) and said.vital is Vital.SPO2]
    assert told
    assert {said.value for said in told} == {None}


@pytest.mark.parametrize("options", [{"level": 12}, {"level": "new"}, {"cycle_s": -1}])
def test_an_option_of_the_simulator_with_a_wrong_value_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level|cycle_s"):
        Twin(_quiet(), 4, options)

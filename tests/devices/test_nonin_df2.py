"""Nonin oximeters beside their worked examples: what a packet, a frame or a line may hold and then says."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.devices.codecs.nonin_df2 import (
    ARTEFACT,
    DISCONNECTED,
    DRIVER,
    GREEN,
    OUT_OF_TRACK,
    RED,
    SENSOR_ALARM,
    encode_df8,
    encode_frames,
    encode_line,
    encode_packet,
)
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital
from simulators.nonin_df2 import Twin
from simulators.patient import Patient
from simulators.scenario import Motion, Probe, Story


def _read(wire: bytes, **options: str) -> list[Said]:
    said: list[Said] = DRIVER.decoder(options).feed(wire)
    return said


def _one(said: list[Said], vital: Vital) -> Sample:
    (found,) = [one for one in said if isinstance(one, Sample) and one.vital is vital]
    return found


def _spo2(said: list[Said]) -> list[float | None]:
    return [one.value for one in said if isinstance(one, Sample) and one.vital is Vital.SPO2]


PACKET = encode_packet(97, 72)


# Packets.


@pytest.mark.parametrize("frame", range(25))
@pytest.mark.parametrize("bit", [DISCONNECTED, SENSOR_ALARM, OUT_OF_TRACK])
def test_one_frame_that_says_no_sensor_takes_the_number_of_its_packet(frame: int, bit: int) -> None:
    wire = bytearray(PACKET)
    wire[5 * frame + 1] |= bit
    wire[5 * frame + 4] = (wire[5 * frame + 4] + bit) & 0xFF
    said = _read(bytes(wire))
    assert [(one.value, one.quality) for one in said if isinstance(one, Sample)] == [
        (None, Quality.INVALID)
    ] * 2
    assert any(isinstance(one, Notice) for one in said)


@pytest.mark.parametrize("status", [ARTEFACT | GREEN, RED])
def test_an_artefact_or_a_red_light_is_doubted(status: int) -> None:
    told = _one(_read(encode_packet(97, 72, status=status)), Vital.SPO2)
    assert (told.value, told.quality, told.doubt) == (97, Quality.QUESTIONABLE, Doubt.POOR_SIGNAL)


def test_a_yellow_light_is_a_remark() -> None:
    said = _read(encode_packet(97, 72, status=RED | GREEN))
    assert _one(said, Vital.SPO2) == Sample(Vital.SPO2, 97)
    assert Notice("marginal perfusion") in said


def test_the_numbers_for_a_display_are_the_ones_taken() -> None:
    said = _read(encode_packet(91, 60, shown=(97, 140)))
    assert (_one(said, Vital.SPO2).value, _one(said, Vital.PULSE_SPO2).value) == (97, 140)
    gone = _read(encode_packet(91, 60, shown=(None, None)))
    assert {one.quality for one in gone if isinstance(one, Sample)} == {Quality.MISSING}


@pytest.mark.parametrize(
    ("pulse", "quality"), [(18, "valid"), (321, "valid"), (17, "invalid"), (322, "invalid")]
)
def test_a_rate_has_nine_bits_and_its_span(pulse: int, quality: str) -> None:
    told = _one(_read(encode_packet(97, pulse)), Vital.PULSE_SPO2)
    assert (told.value, told.quality) == (pulse if quality == "valid" else None, quality)


@pytest.mark.parametrize("spo2", [101, 126, 128, 255])
def test_a_saturation_above_100_is_none(spo2: int) -> None:
    assert _one(_read(encode_packet(spo2, 72)), Vital.SPO2).value is None


def test_joining_in_the_middle_of_a_packet_costs_that_packet_and_no_more() -> None:
    for at in range(1, 125):
        said = _read(PACKET[at:] + PACKET)
        assert _spo2(said) == [97]
        assert sum(one.dropped for one in said if isinstance(one, Fault)) == 125 - at


def test_a_start_byte_among_the_data_does_not_confuse() -> None:
    wire = encode_packet(97, 1 << 7 | 1, pleth=1)
    assert _one(_read(b"\x01" + wire), Vital.PULSE_SPO2).value == 129
    # These three and the first two of the packet have a right sum by chance: that costs one packet.
    assert _one(_read(b"\x01\x80\x01" + 2 * wire), Vital.PULSE_SPO2).value == 129


def test_a_packet_that_ends_early_is_not_mixed_with_the_next() -> None:
    other = encode_packet(85, 140)
    said = _read(PACKET[:60] + other)
    assert _spo2(said) == [85]
    assert Fault("a packet with a bad frame", 60) in said


def test_frames_without_end_and_beginning_are_counted_as_they_come() -> None:
    loose = encode_frames([(0x82, 60, 97)] * 60)
    said = _read(loose)
    assert said == [Fault("frames without the beginning of their packet", 125)] * 2


def test_what_is_left_of_all_kinds_is_counted_at_the_end() -> None:
    decoder = DRIVER.decoder({})
    assert decoder.feed(PACKET[:53] + PACKET[:2]) == [Fault("a packet with a bad frame", 50)]
    assert decoder.close() == [Fault("unfinished frame at the end", 5)]
    assert _spo2(decoder.feed(PACKET)) == [97]


# DF7.


def test_df7_is_read_where_it_was_chosen() -> None:
    wire = encode_packet(97, 72, form="df7", pleth=40_000)
    said = _read(b"\x00\x85noise" + wire, format="df7")
    assert (_one(said, Vital.SPO2).value, _one(said, Vital.PULSE_SPO2).value) == (97, 72)
    assert _spo2(_read(wire * 3)) == []


def test_a_rate_of_df7_that_can_be_read_in_two_ways_is_doubted() -> None:
    told = _one(_read(encode_packet(97, 150, form="df7"), format="df7"), Vital.PULSE_SPO2)
    assert (told.value, told.quality) == (150, Quality.QUESTIONABLE)
    none = _one(_read(encode_packet(97, None, form="df7"), format="df7"), Vital.PULSE_SPO2)
    assert none.quality is Quality.MISSING


# DF8.


def test_a_df8_frame_in_a_row_is_believed_and_one_behind_noise_is_not() -> None:
    frame = encode_df8(97, 72)
    qualities = [one.quality for one in _read(frame * 3, format="df8") if isinstance(one, Sample)]
    assert qualities == [Quality.QUESTIONABLE] * 2 + [Quality.VALID] * 4
    behind = _read(frame * 2 + b"\x80\x10" + frame, format="df8")
    assert Fault("bytes between frames", 2) in behind
    assert [one.quality for one in behind if isinstance(one, Sample)][-1] is Quality.QUESTIONABLE


@pytest.mark.parametrize("wire", ["80 05 61 00", "80 48 65 00", "83 00 61 00"])
def test_a_df8_frame_with_numbers_that_cannot_be_is_dropped(wire: str) -> None:
    assert _read(bytes.fromhex(wire), format="df8") == [Fault("a frame whose numbers cannot be", 4)]


@pytest.mark.parametrize(
    ("status", "status_2", "quality"),
    [
        (0x40, 0, "invalid"),
        (0x20, 0, "invalid"),
        (0, 8, "invalid"),
        (0x10, 0, "questionable"),
        (4, 0, "questionable"),
    ],
)
def test_a_df8_frame_says_how_far_it_may_be_believed(status: int, status_2: int, quality: str) -> None:
    said = _read(encode_df8(97, 72) + encode_df8(96, 71, status=status, status_2=status_2), format="df8")
    assert [one.quality for one in said if isinstance(one, Sample)][-2:] == [quality] * 2


def test_df8_is_never_read_unless_it_was_chosen() -> None:
    assert _spo2(_read(encode_df8(97, 72) * 100)) == []


# Printed lines.


@pytest.mark.parametrize(
    "line",
    [
        b"SPO2=97 HR=72",
        b"SPO2=097 HR=07",
        b"SPO2=097 HR=0722",
        b"SPO2=097 HR=",
        b"SPO2=097",
        b"PO2=097 HR=072",
        b"SPO2=097 HR=072x",
        b"SPO2=0x7 HR=072",
        b"8500 NONIN MEDICAL",
    ],
)
def test_a_line_of_another_form_is_counted_and_not_read(line: bytes) -> None:
    assert _read(line + b"\r\n") == [Fault("a line without a reading", len(line))]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b" \r\n"])
def test_a_line_may_end_as_it_likes(end: bytes) -> None:
    assert _spo2(_read(b"SPO2=097 HR=072" + end)) == [97]


def test_blanks_for_the_zeros_are_zeros() -> None:
    assert _one(_read(b"SPO2= 97 HR= 72\r\n"), Vital.PULSE_SPO2) == Sample(Vital.PULSE_SPO2, 72)


def test_a_line_whose_end_was_lost_does_not_spoil_the_next() -> None:
    said = _read(b"12:00:01 SPO2=09" + encode_line(85, 140, time="12:00:02"))
    assert said[0] == Fault("bytes before a line", 16)
    assert _one(said, Vital.SPO2) == Sample(Vital.SPO2, 85, device_time="12:00:02")


@pytest.mark.parametrize("line", [encode_line(97, 0), encode_line(97, 999), encode_line(97, 17)])
def test_a_printed_nought_is_no_stopped_heart(line: bytes) -> None:
    told = _one(_read(line), Vital.PULSE_SPO2)
    assert (told.value, told.quality) == (None, Quality.INVALID)


def test_text_and_packets_on_one_line_are_both_read() -> None:
    said = _read(encode_line(96, 70) + PACKET + b"half a li" + PACKET + encode_line(95, 71))
    assert _spo2(said) == [96, 97, 97, 95]
    assert [one for one in said if isinstance(one, Fault)] == [Fault("bytes between frames", 9)]


# The rest.


def test_nothing_is_ever_sent_to_it() -> None:
    assert not DRIVER.polled
    assert not hasattr(DRIVER.decoder({}), "to_send")


@pytest.mark.parametrize("wrong", ["df1", "DF2", 2, None])
def test_a_format_that_is_not_known_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="format is one of auto, df7, df8"):
        DRIVER.decoder({"format": wrong})


# The simulated oximeter.


def _quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), 4)


FORMS = {"df2": "auto", "df7": "df7", "df8": "df8", "8500": "auto", "8600v": "auto", "9600": "auto"}


@pytest.mark.parametrize("form", FORMS)
def test_the_simulated_oximeter_says_what_the_patient_has_in_every_form(form: str) -> None:
    patient = _quiet()
    twin, decoder = Twin(patient, 4, {"format": form}), DRIVER.decoder({"format": FORMS[form]})
    every_ms = 333 if form in {"df2", "df7"} else 1_000
    told = 0
    for t_ms in range(4 * 137 % every_ms, 60_000, every_ms):
        said = decoder.feed(twin.tick(t_ms))
        assert _one(said, Vital.SPO2).value == patient.spo2(t_ms)
        assert _one(said, Vital.PULSE_SPO2).value == round(patient.pulse(t_ms) or 0)
        faults = [one for one in said if isinstance(one, Fault)]
        assert not faults or (told == 0 and form.startswith(("8", "9")))
        told += 1
    assert told == -((4 * 137 % every_ms - 60_000) // every_ms)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("state", ["off", "unplugged", "searching"])
def test_a_simulated_oximeter_without_its_finger_has_no_value(form: str, state: Any) -> None:
    patient = _quiet(probe=(Probe(state=state, at_min=1, for_s=60),))
    twin, decoder = Twin(patient, 4, {"format": form}), DRIVER.decoder({"format": FORMS[form]})
    for t_ms in range(50_000, 60_000, 100):
        decoder.feed(twin.tick(t_ms))
    told = [one for t_ms in range(60_000, 119_000, 100) for one in _spo2(decoder.feed(twin.tick(t_ms)))]
    assert len(told) >= 58
    assert set(told) == {None}


def test_the_held_numbers_are_on_the_wire_and_not_believed() -> None:
    patient = _quiet(probe=(Probe(state="off", at_min=1, for_s=60),))
    twin = Twin(patient, 4, {})
    for t_ms in range(59_000, 60_000, 100):
        twin.tick(t_ms)
    wire = b"".join(twin.tick(t_ms) for t_ms in range(60_000, 62_000, 100))
    held = int(patient.spo2(58_000) or 0)
    assert wire[5 * 8 + 3] in range(held - 3, held + 4)
    assert set(_spo2(_read(wire))) == {None}


def test_motion_casts_doubt_on_packets() -> None:
    patient = _quiet(motion=(Motion(from_min=0, to_min=30, every_s=20),))
    twin, decoder = Twin(patient, 4, {}), DRIVER.decoder({})
    qualities = {
        one.quality
        for t_ms in range(0, 600_000, 300)
        for one in decoder.feed(twin.tick(t_ms))
        if isinstance(one, Sample)
    }
    assert qualities == {Quality.VALID, Quality.QUESTIONABLE}


def test_a_simulated_form_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="format is one of df2"):
        Twin(_quiet(), 4, {"format": "df1"})

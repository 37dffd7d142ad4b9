"""Two protocols without a checksum: what it takes to believe a packet, and how V7.0 is kept talking."""

from __future__ import annotations

import random
from typing import Any

import pytest

from monitor.devices.codecs.contec_cms50 import (
    CONNECTED,
    DRIVER,
    OPENING,
    RUN_NEW,
    RUN_OLD,
    Decoder,
    encode_command,
    encode_live,
    encode_old,
    encode_packet,
    unpacked,
)
from monitor.devices.driver import SerialSettings, line_of
from monitor.model import Fault, Notice, Quality, Said, Sample, Vital
from simulators.contec_cms50 import Twin
from simulators.patient import Patient
from simulators.scenario import Probe, Story

OLD, NEW = encode_old(97, 72), encode_live(97, 72, 3.21)
OPENED = b"".join(map(encode_command, OPENING))


def _live(wire: bytes) -> list[Said]:
    """What is said while the line is up: time passes, and it does not end."""
    decoder = Decoder()
    decoder.tick(0)
    return decoder.feed(wire)


def _values(said: list[Said], vital: Vital = Vital.SPO2) -> list[float | None]:
    return [one.value for one in said if isinstance(one, Sample) and one.vital is vital]


def _faults(said: list[Said]) -> list[Fault]:
    return [one for one in said if isinstance(one, Fault)]


# What is believed.


@pytest.mark.parametrize(("packet", "run"), [(OLD, RUN_OLD), (NEW, RUN_NEW)])
def test_a_run_is_believed_and_one_packet_less_is_not(packet: bytes, run: int) -> None:
    assert _values(_live(packet * run)) == [97]
    decoder = Decoder()
    decoder.tick(0)
    assert decoder.feed(packet * (run - 1)) == []
    assert decoder.close() == [Fault("packets too few to be believed", len(packet) * (run - 1))]


@pytest.mark.parametrize("packet", [OLD, NEW])
def test_a_minute_of_packets_is_a_reading_a_second(packet: bytes) -> None:
    said = _live(packet * 3_600)
    assert 58 <= len(_values(said)) <= 61
    assert _faults(said) == []


def test_too_few_packets_at_the_end_of_a_capture_are_doubted() -> None:
    decoder = Decoder()
    decoder.feed(NEW)
    told = [one for one in decoder.close() if isinstance(one, Sample)]
    assert {(one.vital, one.value, one.quality) for one in told} == {
        (Vital.SPO2, 97, Quality.QUESTIONABLE),
        (Vital.PULSE_SPO2, 72, Quality.QUESTIONABLE),
        (Vital.PERFUSION, 3.21, Quality.QUESTIONABLE),
    }


@pytest.mark.parametrize(
    ("packet", "turned", "run"),
    [(OLD, encode_old(60, 72), RUN_OLD), (NEW, encode_live(60, 72, 3.21), RUN_NEW)],
)
def test_what_one_packet_alone_says_is_never_told(packet: bytes, turned: bytes, run: int) -> None:
    for place in range(run + 5):
        said = _live(packet * place + turned + packet * 200)
        assert 60 not in _values(said)
        assert 97 in _values(said)


@pytest.mark.parametrize(("packet", "run"), [(OLD, RUN_OLD), (NEW, RUN_NEW)])
def test_a_byte_between_two_packets_begins_the_run_anew(packet: bytes, run: int) -> None:
    wire = packet * (run - 1) + packet[:1] * 2 + packet * run
    said = _live(wire)
    assert _values(said) == [97]
    assert sum(one.dropped for one in _faults(said)) == len(packet) * (run - 1) + 2


def test_random_bytes_at_full_speed_are_no_patient() -> None:
    dice = random.Random(50)  # noqa: S311  the same noise every time
    decoder = Decoder()
    decoder.tick(0)
    said = [one for _ in range(200) for one in decoder.feed(dice.randbytes(2_000))]
    assert _values(said) == []
    said += decoder.close()
    assert sum(one.dropped for one in _faults(said)) == 400_000


# What the flags say.


@pytest.mark.parametrize("flag", ["no_finger", "searching"])
def test_numbers_without_a_finger_or_a_pulse_are_nobodys(flag: str) -> None:
    gone: dict[str, Any] = {flag: True}
    for wire in (encode_old(97, 72, **gone) * 20, encode_live(97, 72, 1.0, **gone) * 3):
        said = _live(wire)
        assert {one.value for one in said if isinstance(one, Sample)} == {None}
        assert any(isinstance(one, Notice) for one in said)


@pytest.mark.parametrize(("spo2", "pulse"), [(None, 72), (97, None), (0, 72), (101, 72), (97, 0)])
def test_one_number_without_the_other_is_none(spo2: int | None, pulse: int | None) -> None:
    for wire in (encode_old(spo2, pulse) * 20, encode_live(spo2, pulse, 1.0) * 3):
        assert {one.value for one in _live(wire) if isinstance(one, Sample)} == {None}


@pytest.mark.parametrize("pulse", [1, 127, 128, 254])
def test_a_rate_has_eight_bits_in_both_protocols(pulse: int) -> None:
    for wire in (encode_old(97, pulse) * 20, encode_live(97, pulse, 1.0) * 3):
        assert _values(_live(wire), Vital.PULSE_SPO2) == [pulse]


@pytest.mark.parametrize("flags", [0x10, 0x20, 0x30, 0x40])
def test_bits_that_models_disagree_on_decide_nothing(flags: int) -> None:
    said = _live(encode_old(84, 72, flags=flags) * 20)
    told = [one for one in said if isinstance(one, Sample)]
    assert {one.quality for one in told} == {Quality.VALID}
    assert len([one for one in said if isinstance(one, Notice)]) == (flags & 0x30).bit_count()


def test_a_low_saturation_rings_the_oximeters_own_alarm() -> None:
    assert Notice("oximeter's own alarm: SpO2 low") in _live(encode_live(84, 72, 1.0, flags=0x20) * 3)


@pytest.mark.parametrize("perfusion", [0.0, 0.3, 20.0, 655.34])
def test_a_perfusion_index_has_sixteen_bits(perfusion: float) -> None:
    assert _values(_live(encode_live(97, 72, perfusion) * 3), Vital.PERFUSION) == [perfusion]


def test_an_oximeter_without_perfusion_says_none() -> None:
    said = _live(encode_live(97, 72, None) * 3)
    assert _values(said, Vital.PERFUSION) == [None]
    assert _values(said) == [97]


# The packets.


def test_every_bit_of_a_packet_comes_through() -> None:
    data = bytes((0, 127, 128, 255, 1, 64, 200))
    packet = encode_packet(0x05, data)
    assert packet[0] == 5
    assert all(byte & 0x80 for byte in packet[1:])
    assert unpacked(packet) == data


@pytest.mark.parametrize(("packet", "at_worst"), [(OLD, RUN_OLD), (NEW, RUN_NEW)])
def test_joining_in_the_middle_of_a_packet_costs_at_most_a_packet(packet: bytes, at_worst: int) -> None:
    for at in range(1, len(packet)):
        said = _live(packet[at:] + packet * (at_worst + 1))
        assert _values(said) == [97]


def test_answers_between_live_packets_do_not_break_the_run() -> None:
    said = _live(NEW + encode_packet(0x0C) + NEW + encode_packet(0x0B, (0xA1, 0)) + NEW)
    assert _values(said) == [97]
    assert _faults(said) == [Fault("an answer without numbers", 2), Fault("an answer without numbers", 4)]


@pytest.mark.parametrize(
    ("packet", "says"),
    [
        (encode_packet(0x0B, (0xA1, 1)), "switching off"),
        (encode_packet(0x0B, (0xA1, 5)), "not supported"),
        (encode_packet(0x0D, (0,)), "disconnected"),
        (encode_command(0xA1), "command of the host"),
    ],
)
def test_what_a_packet_without_numbers_says_is_counted_by_its_name(packet: bytes, says: str) -> None:
    (fault,) = _faults(_live(packet))
    assert says in fault.reason
    assert fault.dropped == len(packet)


# Asking.


def _hours(decoder: Decoder, from_ms: int, to_ms: int, wire: bytes = b"") -> list[tuple[int, bytes]]:
    """What is sent, and when, while `wire` comes every 100 ms."""
    sent = []
    for t_ms in range(from_ms, to_ms, 100):
        decoder.tick(t_ms)
        if command := decoder.to_send():
            sent.append((t_ms, command))
        decoder.feed(wire)
    return sent


def test_it_is_asked_a_second_after_the_port_was_opened_and_again_while_it_is_silent() -> None:
    assert _hours(Decoder(), 0, 10_000) == [(1_000, OPENED), (4_000, OPENED), (7_000, OPENED)]


def test_it_is_told_every_second_that_somebody_listens() -> None:
    decoder = Decoder()
    assert _hours(decoder, 0, 1_100) == [(1_000, OPENED)]
    kept = [(t_ms, encode_command(CONNECTED)) for t_ms in range(2_000, 8_000, 1_000)]
    assert _hours(decoder, 1_100, 8_000, NEW * 6) == kept
    silent = _hours(decoder, 8_000, 14_000)
    assert [command for _, command in silent][:2] == [encode_command(CONNECTED)] * 2
    assert (11_000, OPENED) in silent


def test_one_that_streams_by_itself_is_not_written_to() -> None:
    assert _hours(Decoder(), 0, 10_000, OLD * 6) == []


def test_noise_that_looks_like_one_old_packet_does_not_keep_us_from_asking() -> None:
    decoder = Decoder()
    decoder.tick(0)
    decoder.feed(OLD)
    assert _hours(decoder, 100, 2_000) == [(1_000, OPENED)]


@pytest.mark.parametrize("baud", [4_800, 19_200, 57_600])
def test_nothing_is_written_at_a_speed_that_v7_does_not_have(baud: int) -> None:
    assert _hours(DRIVER.decoder({"baud": baud}), 0, 10_000) == []


def test_a_line_that_is_opened_again_is_opened_anew() -> None:
    decoder = Decoder()
    _hours(decoder, 0, 5_000, NEW * 6)
    decoder.close()
    assert _hours(decoder, 60_000, 61_100) == [(61_000, OPENED)]


def test_it_has_no_cuff() -> None:
    decoder = Decoder()
    assert decoder.start_cuff() == "an oximeter has no cuff"
    decoder.cancel_cuff()
    assert not DRIVER.starts_cuff


def test_the_parity_goes_with_the_speed() -> None:
    assert line_of(DRIVER, {}) == SerialSettings(115_200, 8, "N", 1)
    assert line_of(DRIVER, {"baud": 19_200}) == SerialSettings(19_200, 8, "O", 1)
    assert line_of(DRIVER, {"baud": 4_800}) == SerialSettings(4_800, 8, "N", 1)
    with pytest.raises(ValueError, match="baud of contec-cms50 is one of 115200, 19200"):
        line_of(DRIVER, {"baud": 1_200})


# The simulated oximeter.


def _quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), 4)


def _together(twin: Twin, host: Decoder, from_ms: int, to_ms: int) -> list[tuple[int, Said]]:
    heard: list[tuple[int, Said]] = []
    for t_ms in range(from_ms, to_ms, 100):
        host.tick(t_ms)
        answer = twin.hear(host.to_send(), t_ms)
        heard += [(t_ms, said) for said in host.feed(answer + twin.tick(t_ms))]
    return heard


@pytest.mark.parametrize("protocol", ["v7", "old"])
def test_the_real_host_reads_the_patient_from_the_oximeter(protocol: str) -> None:
    patient = _quiet()
    host = Decoder(asks=protocol == "v7")
    heard = _together(Twin(patient, 4, {"protocol": protocol}), host, 0, 120_000)
    told = [(t_ms, said) for t_ms, said in heard if isinstance(said, Sample)]
    assert {said.quality for _, said in told} == {Quality.VALID}
    spo2 = [(t_ms, said.value) for t_ms, said in told if said.vital is Vital.SPO2]
    assert 110 <= len(spo2) <= 121
    for t_ms, value in spo2:
        # A packet is of the instant, within the last tenth of a second, at which it was sent.
        assert value in {patient.spo2(at_ms) for at_ms in range(t_ms - 100, t_ms + 1)}
    # The one answer to the stop of stored data.
    assert [said for _, said in heard if isinstance(said, Fault)] == (
        [Fault("an answer without numbers", 2)] if protocol == "v7" else []
    )
    assert len([1 for _, said in told if said.vital is Vital.PERFUSION]) == (
        len(spo2) if protocol == "v7" else 0
    )


@pytest.mark.parametrize("protocol", ["v7", "old"])
@pytest.mark.parametrize("state", ["off", "unplugged", "searching"])
def test_a_finger_that_is_out_has_no_value(protocol: str, state: Any) -> None:
    patient = _quiet(probe=(Probe(state=state, at_min=1, for_s=60),))
    twin, host = Twin(patient, 4, {"protocol": protocol}), Decoder(asks=protocol == "v7")
    _together(twin, host, 50_000, 61_500)
    heard = _together(twin, host, 61_500, 118_000)
    told = [said for _, said in heard if isinstance(said, Sample) and said.vital is Vital.SPO2]
    assert len(told) >= 54
    assert {said.value for said in told} == {None}
    assert any(isinstance(said, Notice) for _, said in heard)


def test_a_v7_oximeter_says_nothing_unasked_and_falls_silent_when_nobody_listens() -> None:
    twin = Twin(_quiet(), 4, {})
    assert b"".join(twin.tick(t_ms) for t_ms in range(0, 5_000, 100)) == b""
    assert twin.hear(encode_command(CONNECTED), 5_000) == b""
    assert twin.tick(5_500) == b""
    for byte in OPENED:
        twin.hear(bytes([byte]), 6_000)
    assert twin.tick(6_500) != b""
    spoken = [t_ms for t_ms in range(6_600, 20_000, 100) if twin.tick(t_ms)]
    assert max(spoken) <= 11_000
    assert twin.hear(encode_command(0xAA), 20_000) == bytes.fromhex("04 80 F5 F3 E5 F2 A0 A0 A0")


def test_an_old_oximeter_has_no_ear() -> None:
    twin = Twin(_quiet(), 4, {"protocol": "old"})
    assert twin.hear(OPENED, 0) == b""
    assert len(b"".join(twin.tick(t_ms) for t_ms in range(0, 1_100, 100))) == 60 * len(OLD)


def test_a_simulated_protocol_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="protocol is one of v7, old"):
        Twin(_quiet(), 4, {"protocol": "v8"})

"""A capnograph that must be kept talking: when a rate of 0 is a reading, and what is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.devices.codecs.capnostream import (
    ACTIVE,
    DISABLE,
    ENABLE,
    IDENTITY,
    NUMERICS,
    SILENT_MS,
    START_LIVE,
    STOP_LIVE,
    Decoder,
    Message,
    Messages,
    encode,
    encode_identity,
    encode_numerics,
    encode_wave,
)
from monitor.devices.validity import screen
from monitor.model import Fault, Notice, Quality, Said, Sample, Vital
from simulators.capnostream import ALARM_AFTER_S, PATIENCE_MS, Twin
from simulators.patient import Patient
from simulators.scenario import Bend, Person, Probe, Story

T = 1_700_000_000
SEED = 4
PHASE_BEFORE_MS = 50 - SEED * 137 % 50
"""How long before a tick of 50 ms the monitor of this seed speaks."""
QUIET = encode_numerics(T, 37, 14, 97, 72)


def _samples(said: list[Said]) -> dict[Vital, Sample]:
    return {one.vital: one for one in said if isinstance(one, Sample)}


def _values(said: list[Said]) -> dict[str, float | None]:
    return {vital.value: one.value for vital, one in _samples(said).items()}


def _faults(said: list[Said]) -> list[str]:
    return [one.reason for one in said if isinstance(one, Fault)]


def _notices(said: list[Said]) -> list[str]:
    return [one.what for one in said if isinstance(one, Notice)]


def _codes(wire: bytes) -> list[int]:
    return [message.code for message in Messages().feed(wire) if isinstance(message, Message)]


# When nobody breathes.


def test_no_breath_is_a_rate_of_zero_with_its_time() -> None:
    rate = _samples(Decoder().feed(encode_numerics(T, 0, 0, 97, 72, co2_alarms=1, no_breath_s=23)))[
        Vital.RESPIRATION
    ]
    assert (rate.value, rate.quality, rate.why) == (0, Quality.VALID, "the monitor says: no breath for 23 s")
    assert screen(rate) == rate


def test_a_rate_of_zero_needs_no_alarm_of_the_monitor() -> None:
    assert _values(Decoder().feed(encode_numerics(T, 0, 0, 97, 72)))["rr"] == 0


@pytest.mark.parametrize(("rate", "quality"), [(14, Quality.INVALID), (None, Quality.MISSING)])
def test_a_rate_beside_no_breath_is_of_breaths_that_have_ended(rate: int | None, quality: Quality) -> None:
    said = Decoder().feed(encode_numerics(T, 30, rate, 97, 72, co2_alarms=1, no_breath_s=255))
    told = _samples(said)[Vital.RESPIRATION]
    assert (told.value, told.quality, told.why) == (None, quality, "the monitor says: no breath")


@pytest.mark.parametrize("bit", [0x01, 0x02, 0x04, 0x10, 0x20, 0x40, 0x80])
def test_who_cannot_see_a_breath_cannot_say_that_there_is_none(bit: int) -> None:
    decoder = Decoder()
    blind = encode_wave(1, 0, bit) + encode_numerics(T, 30, 0, 97, 72, co2_alarms=1, no_breath_s=23)
    said = decoder.feed(blind)
    assert _values(said) == {"etco2": None, "rr": None, "spo2": 97, "pr_spo2": 72}
    assert _samples(said)[Vital.RESPIRATION].why in _notices(said)
    assert _values(decoder.feed(encode_wave(2, 0, 0x08) + QUIET)) == {
        "etco2": 37,
        "rr": 14,
        "spo2": 97,
        "pr_spo2": 72,
    }


def test_a_wave_of_long_ago_blinds_nobody() -> None:
    decoder = Decoder()
    decoder.feed(encode_wave(1, 0, 0x40) + QUIET)
    assert _values(decoder.feed(encode_numerics(T + 1, 37, 14, 97, 72)))["rr"] == 14


def test_a_pump_that_is_off_draws_no_breath() -> None:
    assert _values(Decoder().feed(encode_numerics(T, 37, 0, 97, 72, extra=0x04)))["rr"] is None


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x40])
def test_without_a_finger_there_is_no_saturation(bit: int) -> None:
    said = Decoder().feed(encode_numerics(T, 37, 14, 97, 72, spo2_alarms=bit))
    assert _values(said) == {"etco2": 37, "rr": 14, "spo2": None, "pr_spo2": None}


def test_an_oximeter_does_not_claim_that_there_is_no_beat() -> None:
    assert _values(Decoder().feed(encode_numerics(T, 37, 14, 0, 0))) == {
        "etco2": 37,
        "rr": 14,
        "spo2": None,
        "pr_spo2": None,
    }


def test_alarms_of_the_monitor_are_remarks() -> None:
    said = Decoder().feed(encode_numerics(T, 37, 14, 84, 72, slow=0x02, spo2_alarms=0x04, extra=0x80))
    assert _notices(said) == [
        "alarm silenced at the monitor",
        "monitor's own alarm: SpO2 low",
        "monitor's battery low",
    ]
    assert _values(said)["spo2"] == 84


# Units.


@pytest.mark.parametrize(
    ("unit", "etco2", "limit", "mmhg"),
    [(2, 50, 80, 37.5), (2, 5, 8, 37.5), (3, 49, 79, 37.2), (3, 5, 8, 38.0)],
)
def test_a_declared_unit_is_converted_and_doubted(unit: int, etco2: int, limit: int, mmhg: float) -> None:
    limits = (limit, 1, 30, 5, 8, 100, 88, 130, 50)
    told = _samples(Decoder().feed(encode_numerics(T, etco2, 14, 97, 72, limits=limits, unit=unit)))
    assert (told[Vital.ETCO2].value, told[Vital.ETCO2].quality) == (mmhg, Quality.QUESTIONABLE)


@pytest.mark.parametrize(("etco2", "limit"), [(5, 80), (50, 8)])
def test_a_scale_that_cannot_be_told_gives_no_number(etco2: int, limit: int) -> None:
    limits = (limit, 1, 30, 5, 8, 100, 88, 130, 50)
    told = _samples(Decoder().feed(encode_numerics(T, etco2, 14, 97, 72, limits=limits, unit=2)))
    assert (told[Vital.ETCO2].value, told[Vital.ETCO2].quality) == (None, Quality.INVALID)


# Numbers that arrive shifted.


def _payload(**more: Any) -> bytes:
    wire = encode_numerics(T + 1, 37, 14, 97, 72, **more)
    (message,) = Messages().feed(wire)
    assert isinstance(message, Message)
    return message.payload


@pytest.mark.parametrize("before", [b"\x00", b"\x01", b"\x65", b"\xff"])
def test_numbers_shifted_to_the_right_are_dropped(before: bytes) -> None:
    decoder = Decoder()
    decoder.feed(QUIET)
    said = decoder.feed(encode(NUMERICS, before + _payload()[:-1]) + encode(NUMERICS, before + _payload()))
    assert _faults(said) == ["numbers shifted in their message"] * 2
    assert _values(said) == {}


@pytest.mark.parametrize("extra", [0, 1, 2, 3])
def test_numbers_shifted_to_the_left_are_dropped(extra: int) -> None:
    decoder = Decoder()
    decoder.feed(QUIET)
    said = decoder.feed(encode(NUMERICS, _payload(extra=extra)[1:] + b"\x00"))
    assert _values(said) == {}
    assert len(_faults(said)) == 1


@pytest.mark.parametrize("by_s", [-3_600, -1, 90_000])
def test_a_clock_that_is_set_costs_one_reading(by_s: int) -> None:
    decoder = Decoder()
    decoder.feed(QUIET)
    assert _faults(decoder.feed(encode_numerics(T + by_s, 37, 14, 97, 72))) == ["a time that does not follow"]
    assert _values(decoder.feed(encode_numerics(T + by_s + 1, 37, 14, 97, 72)))["rr"] == 14


def test_a_longer_message_is_of_a_newer_monitor() -> None:
    assert _values(Decoder().feed(encode(NUMERICS, _payload() + bytes(9))))["rr"] == 14


def test_a_shorter_one_has_no_numbers() -> None:
    assert _faults(Decoder().feed(encode(NUMERICS, _payload()[:-1]))) == ["a message of another kind"]


# The conversation.


def _asked(decoder: Decoder, now_ms: int) -> list[int]:
    decoder.tick(now_ms)
    return _codes(decoder.to_send())


def test_it_is_enabled_then_started_then_told_that_somebody_listens() -> None:
    decoder = Decoder()
    assert _asked(decoder, 0) == [ENABLE]
    assert _asked(decoder, 100) == []
    decoder.feed(encode_identity("V05.00 06/01/2026 B200012345"))
    assert decoder.due_ms() <= 200
    assert _asked(decoder, 200) == [START_LIVE]
    sent: list[tuple[int, int]] = []
    for second in range(1, 18):
        decoder.feed(encode_numerics(T + second, 37, 14, 97, 72))
        sent += [(second, code) for code in _asked(decoder, 1000 * second)]
    assert sent == [(3, ACTIVE), (8, ACTIVE), (13, ACTIVE)]


def test_one_that_does_not_introduce_itself_is_started_all_the_same() -> None:
    decoder = Decoder()
    assert [_asked(decoder, at_ms) for at_ms in (0, 1_999, 2_000, 4_000)] == [
        [ENABLE],
        [],
        [ENABLE, START_LIVE],
        [ENABLE, START_LIVE],
    ]


def test_one_that_falls_silent_is_enabled_again() -> None:
    decoder = Decoder()
    decoder.feed(QUIET)
    assert _asked(decoder, 0) == [ACTIVE]
    assert ENABLE in _asked(decoder, 5_000 + SILENT_MS)


def test_a_new_connection_begins_anew() -> None:
    decoder = Decoder()
    decoder.feed(QUIET)
    decoder.tick(0)
    decoder.close()
    assert _asked(decoder, 60_000) == [ENABLE]
    # What the clock said before the cable was pulled binds nobody.
    assert _values(decoder.feed(encode_numerics(T - 7_200, 37, 14, 97, 72)))["rr"] == 14


def test_it_has_no_cuff() -> None:
    decoder = Decoder()
    assert decoder.start_cuff() == "a capnograph has no cuff"
    decoder.cancel_cuff()
    assert decoder.to_send() == b""


# The twin.


def _patient(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", person=Person(), **tables), SEED)


def _session(twin: Twin, until_ms: int, away_ms: int | None = None) -> list[tuple[int, list[Said]]]:
    """What a host hears of a monitor, and when; at `away_ms` it can't for 70 s."""
    decoder, heard = Decoder(), []
    for t_ms in range(0, until_ms, 50):
        away = away_ms is not None and away_ms <= t_ms < away_ms + 70_000
        decoder.tick(t_ms)
        asked = decoder.to_send()
        wire = twin.tick(t_ms) + (twin.hear(asked, t_ms) if asked and not away else b"")
        if wire and not away:
            heard.append((t_ms, decoder.feed(wire)))
    return heard


def test_the_host_reads_a_capnograph_without_a_fault() -> None:
    patient = _patient()
    heard = _session(Twin(patient, SEED, {}), 120_000)
    assert [fault for _, said in heard for fault in _faults(said)] == []
    told = [(t_ms, _samples(said)) for t_ms, said in heard if _samples(said)]
    assert 118 <= len(told) <= 120
    for t_ms, samples in told:
        spoken_ms = t_ms - PHASE_BEFORE_MS
        assert samples[Vital.RESPIRATION].value == round(patient.respiration(spoken_ms))
        assert samples[Vital.SPO2].value == patient.spo2(spoken_ms)
        assert samples[Vital.PULSE_SPO2].value == round(patient.pulse(spoken_ms) or 0)
        assert 20 <= (samples[Vital.ETCO2].value or 0) <= 70


@pytest.mark.parametrize("unit", ["kpa", "percent"])
def test_a_capnograph_in_another_unit_says_the_same_but_for_the_steps(unit: str) -> None:
    last = [
        [
            _values(said)["etco2"] or 0
            for _, said in _session(Twin(_patient(), SEED, options), 20_000)
            if _values(said)
        ]
        for options in ({}, {"unit": unit})
    ]
    assert len(last[0]) == len(last[1]) > 15
    assert all(abs(one - other) <= 1.0 for one, other in zip(*last, strict=True))


def test_an_apnoea_is_a_rate_of_zero_and_then_the_monitors_own_alarm() -> None:
    stops = Bend(signal="respiration", at_min=1, mode="set", points=((0, 0), (60, 0)))
    heard = _session(Twin(_patient(bend=(stops,)), SEED, {}), 110_000)
    rates = [(t_ms, _samples(said)[Vital.RESPIRATION]) for t_ms, said in heard if _samples(said)]
    assert {one.value for t_ms, one in rates if 61_000 < t_ms < 110_000} == {0}
    alarmed_ms = next(t_ms for t_ms, said in heard if "monitor's own alarm: no breath" in _notices(said))
    assert abs(alarmed_ms - 60_000 - 1000 * ALARM_AFTER_S) <= 1_100
    assert rates[-1][1].why == "the monitor says: no breath for 49 s"


@pytest.mark.parametrize("state", ["off", "unplugged", "searching"])
def test_a_probe_that_is_off_takes_no_breath_away(state: Any) -> None:
    probe = Probe(state=state, at_min=0, for_s=60)
    for _, said in _session(Twin(_patient(probe=(probe,)), SEED, {}), 10_000):
        if values := _values(said):
            assert values["spo2"] is values["pr_spo2"] is None
            assert values["rr"]


def test_a_monitor_nobody_listens_to_falls_silent_and_comes_back_for_a_host() -> None:
    twin = Twin(_patient(), SEED, {})
    assert twin.tick(1_000) == b""
    assert _codes(twin.hear(encode(START_LIVE), 1_000)) == []
    assert twin.tick(2_000) == b""
    assert _codes(twin.hear(encode(ENABLE) + encode(START_LIVE), 2_000)) == [IDENTITY]
    assert NUMERICS in _codes(twin.tick(4_000))
    talks = [t_ms for t_ms in range(5_000, 100_000, 1_000) if NUMERICS in _codes(twin.tick(t_ms))]
    assert talks[-1] == 2_000 + PATIENCE_MS
    heard = _session(Twin(_patient(), SEED, {}), 180_000, away_ms=40_000)
    assert any(_values(said) for t_ms, said in heard if t_ms > 115_000)


@pytest.mark.parametrize("order", [STOP_LIVE, DISABLE])
def test_a_monitor_that_is_told_to_stop_stops(order: int) -> None:
    twin = Twin(_patient(), SEED, {})
    twin.tick(0)
    twin.hear(encode(ENABLE) + encode(START_LIVE), 0)
    assert twin.tick(1_000)
    twin.hear(encode(order), 1_000)
    assert twin.tick(2_000) == b""
    twin.hear(encode(START_LIVE), 2_000)
    assert bool(twin.tick(3_000)) == (order == STOP_LIVE)


def test_a_wrong_unit_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="unit is one of mmhg, kpa, percent"):
        Twin(_patient(), SEED, {"unit": "torr"})

"""A monitor whose numbers nobody can read: its blocks, its alarms, and never a number."""

from __future__ import annotations

import random
from typing import Any

import pytest

from monitor.devices.codecs.dinamap_pro1000 import (
    A_SECOND,
    DRIVER,
    NO_NUMBERS,
    NUMBERS,
    SIZE,
    Decoder,
    encode_block,
)
from monitor.model import Fault, Notice, Said
from simulators.dinamap_pro1000 import Twin
from simulators.patient import Patient
from simulators.scenario import Bend, Story

SEED = 4
WARNING, CRISIS = Notice("monitor's own alarm: warning"), Notice("monitor's own alarm: crisis")


def _alarms(said: list[Said]) -> list[Said]:
    return [one for one in said if one in {WARNING, CRISIS}]


def test_it_measures_nothing_that_could_be_shown() -> None:
    assert DRIVER.vitals == ()
    assert not DRIVER.cuff
    decoder = Decoder()
    dice = random.Random(1000)  # noqa: S311  the same blocks every time
    for number in range(2_000):
        one, other = ([dice.randrange(1024) for _ in range(4)] for _ in range(2))
        block = encode_block(number % NUMBERS, dice.randrange(256), one, other, dice.randbytes(3))
        assert all(isinstance(one, Notice) for one in decoder.feed(block))


def test_a_second_is_told_once() -> None:
    wire = b"".join(encode_block(number % NUMBERS) for number in range(10 * A_SECOND))
    assert Decoder().feed(wire) == [Notice(NO_NUMBERS)] * 10


@pytest.mark.parametrize("place", range(1, A_SECOND + 1))
def test_an_alarm_of_any_block_is_an_alarm_of_its_second(place: int) -> None:
    wire = b"".join(encode_block(number, 0x60 if number == place else 0) for number in range(A_SECOND + 1))
    assert _alarms(Decoder().feed(wire)) == [CRISIS, WARNING]


def test_bits_of_beats_and_breaths_are_no_alarm() -> None:
    wire = b"".join(encode_block(number % NUMBERS, 0x9F) for number in range(3 * A_SECOND))
    assert _alarms(Decoder().feed(wire)) == []


@pytest.mark.parametrize("at", range(SIZE))
def test_a_block_with_any_bit_turned_is_dropped_whole(at: int) -> None:
    block = encode_block(0, 0x60, (1, 2, 3, 4), (1020, 1021, 1022, 1023), b"\x12\x34\x56")
    for bit in range(8):
        decoder = Decoder()
        turned = block[:at] + bytes([block[at] ^ 1 << bit]) + block[at + 1 :]
        said = decoder.feed(turned) + decoder.close()
        assert sum(one.dropped for one in said if isinstance(one, Fault)) == SIZE
        assert _alarms(said) == []


def test_a_number_past_the_last_is_no_block() -> None:
    said = Decoder().feed(encode_block(NUMBERS) + encode_block(0, 0x20))
    assert said == [Fault("bytes between blocks", SIZE), WARNING, Notice(NO_NUMBERS)]


def test_an_alarm_of_the_last_connection_is_forgotten() -> None:
    decoder = Decoder()
    decoder.feed(encode_block(0) + encode_block(1, 0x20))
    decoder.close()
    assert decoder.feed(encode_block(2)) == [Notice(NO_NUMBERS)]


@pytest.mark.parametrize(("spo2", "alarm"), [(97, []), (88, [WARNING]), (80, [CRISIS])])
def test_the_twin_sends_nine_hundred_bytes_a_second_and_its_own_alarm(spo2: float, alarm: list[Any]) -> None:
    falls = Bend(signal="spo2", at_min=0, mode="set", points=((0, spo2), (600, spo2)))
    twin = Twin(Patient(Story(name="quiet", drug="none", bend=(falls,)), SEED), SEED, {})
    wire = b"".join(twin.tick(t_ms) for t_ms in range(0, 60_000, 100))
    assert len(wire) / SIZE / A_SECOND == pytest.approx(60, abs=0.2)
    said = Decoder().feed(wire)
    assert not any(isinstance(one, Fault) for one in said)
    assert [one for one in dict.fromkeys(said) if one != Notice(NO_NUMBERS)] == alarm

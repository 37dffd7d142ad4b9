"""What the tests of the IntelliVue share: its answers in short, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.devices.codecs.intellivue import (
    DRIVER,
    Decoder,
    encode_association_accept,
    encode_association_request,
    encode_mds_create,
    encode_result,
    read_message,
)
from monitor.devices.codecs.intellivue.association import Association
from monitor.devices.codecs.intellivue.export import Message, Object
from monitor.devices.codecs.intellivue.frame import Frames
from monitor.devices.codecs.intellivue.numerics import MEASURED_AT, Number, compound, observed
from monitor.devices.codecs.intellivue.replies import CLOCK, RELATIVE_CLOCK
from monitor.devices.codecs.intellivue.wire import absolute_digits, u32
from monitor.model import Fault, Said, Sample, Vital

NOON = datetime(2026, 5, 14, 12)  # noqa: DTZ001  a monitor's clock knows no zone
TICKS = 8_000_000
"""The monitor's relative time at its noon."""

PER_MIN, BREATHS, PERCENT, NO_UNIT, MMHG, KPA = 0x0AA0, 0x0AE0, 0x0220, 0x0200, 0x0F20, 0x0F03
CELSIUS, FAHRENHEIT = 0x17A0, 0x1140
HR, PULSE, PULSE_SPO2, PULSE_NIBP = 0x4182, 0x480A, 0x4822, 0xF0E5
SPO2, PERF, RR, AIRWAY_RR, ETCO2 = 0x4BB8, 0x4BB0, 0x500A, 0x5012, 0x50B0
TEMP, CORE, SKIN = 0x4B48, 0x4B60, 0x4B74


def result(*objects: Object, seconds: float = 0, clock: bool = False, **more: Any) -> bytes:
    """An answer `seconds` after noon; `clock`: it tells the time of day too."""
    told = NOON + timedelta(seconds=seconds) if clock else None
    ticks = (TICKS + round(8000 * seconds)) % 2**32
    return encode_result(1, 1, ticks, [(1, objects)], absolute=told, **more)


def number(source: int, unit: int, value: float | None, state: int = 0, decimals: int = 0) -> Object:
    """The object of one numeric, in the unit's own decimals."""
    return Object(0x0800 + source % 0x100, (observed(Number(source, state, unit, value, decimals)),))


def pressure(
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


def cuff_pulse(value: float | None, *, at: float, state: int = 0) -> Object:
    """The pulse of a cuff, measured `at` seconds after noon."""
    measured = (MEASURED_AT, absolute_digits(NOON + timedelta(seconds=at)))
    return Object(0x0B2F, (measured, observed(Number(PULSE_NIBP, state, PER_MIN, value))))


def created(*, clock: bool = True) -> bytes:
    """The monitor presents itself at noon."""
    clocks = [(CLOCK, absolute_digits(NOON)), (RELATIVE_CLOCK, u32(TICKS))] if clock else []
    return encode_mds_create(1, [(0x0928, b"\0\7Philips"), *clocks])


def said_of(*wires: bytes) -> list[Said]:
    """What a decoder that has heard nothing before makes of these."""
    decoder = Decoder()
    return [said for wire in wires for said in decoder.feed(wire)]


def samples_of(said: Sequence[Said], vital: Vital) -> list[Sample]:
    """What is said of one vital."""
    return [one for one in said if isinstance(one, Sample) and one.vital is vital]


def messages_of(wire: bytes) -> list[Association | Message | None]:
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
            sent += messages_of(self.decoder.to_send())
            self.now_ms += 100
        return sent

    def connects(self, *, clock: bool = True) -> None:
        """All of it, up to the first poll."""
        assert self.waits(0.1) == [messages_of(encode_association_request())[0]]
        assert self.decoder.feed(encode_association_accept()) == []
        self.decoder.feed(created(clock=clock))

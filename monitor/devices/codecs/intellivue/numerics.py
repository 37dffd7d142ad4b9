"""One measured number: what it is, how far the monitor stands by it, and in which unit.

Source of every code: fact sheet, 5. Only a number whose state has a high byte of 0 is one: what the monitor
itself questions, has not measured or has made up is nobody's.

A monitor with many modules sends a hundred numbers a second: `Number`, and what carries it, are structs of
msgspec as `Sample` is, for they are made at a tenth of the cost of a frozen dataclass.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag

import msgspec

from monitor.devices.codecs.intellivue.wire import Attribute, Cursor, Malformed, counted, u16
from monitor.model import Quality, Vital

OBSERVED, COMPOUND, MEASURED_AT = 0x0950, 0x094B, 0x0990


class State(IntFlag):
    """What the monitor says of a number."""

    INVALID = 0x8000
    QUESTIONABLE = 0x4000
    UNAVAILABLE = 0x2000
    CALIBRATING = 0x1000
    TEST = 0x0800
    DEMO = 0x0400
    EARLY = 0x0040
    ONGOING = 0x0020


UNBELIEVED = 0xFF00
"""Valid is a high byte of 0; 0100 and 0200 have been seen there too, and nobody has said what they are."""

# Plain numbers: an `&` with a State makes a State, of every number of every answer.
NOBODYS = int(State.TEST | State.DEMO)
NOT_FINAL = int(State.EARLY | State.ONGOING)

WHY = (
    (State.DEMO, Quality.INVALID, "demonstration data"),
    (State.TEST, Quality.INVALID, "test data"),
    (State.INVALID, Quality.INVALID, "the monitor marks it invalid"),
    (State.CALIBRATING, Quality.MISSING, "being calibrated"),
    (State.UNAVAILABLE, Quality.MISSING, "not available"),
    (State.QUESTIONABLE, Quality.INVALID, "the monitor marks it questionable"),
)
STRANGE = "the monitor marks it in a way nobody has described"

# Special mantissas of a FLOAT: not a number, not at this resolution, infinities, reserved.
NO_NUMBER = frozenset({0x7FFFFF, 0x800000, 0x7FFFFE, 0x800002, 0x800001})
NAN = 0x007FFFFF
MANTISSA_SIGN, MANTISSA_SPAN = 0x800000, 0x1000000
EXPONENT_SIGN, EXPONENT_SPAN = 0x80, 0x100

_NUMBER = struct.Struct(">HHHI")

PER_MINUTE, BREATHS_PER_MINUTE = 0x0AA0, 0x0AE0
PERCENT, NO_UNIT = 0x0220, 0x0200
MMHG, KILOPASCAL = 0x0F20, 0x0F03
CELSIUS, FAHRENHEIT = 0x17A0, 0x1140
MMHG_PER_KPA = 7.50062

RATES = frozenset({PER_MINUTE, BREATHS_PER_MINUTE})
UNITS: dict[Vital, frozenset[int]] = {
    Vital.HEART_RATE: RATES,
    Vital.PULSE_SPO2: RATES,
    Vital.PULSE_NIBP: RATES,
    Vital.RESPIRATION: RATES,
    Vital.SPO2: frozenset({PERCENT}),
    Vital.PERFUSION: frozenset({NO_UNIT, PERCENT}),
    Vital.ETCO2: frozenset({MMHG, KILOPASCAL}),
    Vital.TEMPERATURE: frozenset({CELSIUS, FAHRENHEIT}),
    Vital.SYSTOLIC: frozenset({MMHG, KILOPASCAL}),
    Vital.DIASTOLIC: frozenset({MMHG, KILOPASCAL}),
    Vital.MEAN: frozenset({MMHG, KILOPASCAL}),
}

HEART_RATE, PULSE, PULSE_OXIMETER, PULSE_CUFF = 0x4182, 0x480A, 0x4822, 0xF0E5
SATURATION, PERFUSION = 0x4BB8, 0x4BB0
SYSTOLIC, DIASTOLIC, MEAN = 0x4A05, 0x4A06, 0x4A07
RESPIRATION, AIRWAY_RESPIRATION, ETCO2 = 0x500A, 0x5012, 0x50B0
TEMPERATURE, CORE, OESOPHAGUS, SKIN, TYMPANIC, RECTAL = 0x4B48, 0x4B60, 0x4B64, 0x4B74, 0x4B78, 0xE004

PRESSURES = {SYSTOLIC: Vital.SYSTOLIC, DIASTOLIC: Vital.DIASTOLIC, MEAN: Vital.MEAN}

SOURCES: dict[Vital, tuple[int, ...]] = {
    Vital.HEART_RATE: (HEART_RATE,),
    Vital.PULSE_SPO2: (PULSE_OXIMETER, PULSE),
    Vital.SPO2: (SATURATION,),
    Vital.PERFUSION: (PERFUSION,),
    # Where both are measured, breath at the airway is nearer to breathing than the movement of the chest.
    Vital.RESPIRATION: (AIRWAY_RESPIRATION, RESPIRATION),
    Vital.ETCO2: (ETCO2,),
    Vital.TEMPERATURE: (CORE, OESOPHAGUS, RECTAL, TYMPANIC, TEMPERATURE, SKIN),
}
"""Where a vital comes from, best first: the first that has a number in a result is told, and no other."""

CONTINUOUS = {source: vital for vital, sources in SOURCES.items() for source in sources}


class Number(msgspec.Struct, frozen=True, gc=False):
    """One number as it stands on the wire: `value` is None where the FLOAT is none."""

    source: int
    state: int
    unit: int
    value: float | None
    decimals: int = 0

    @property
    def nobodys(self) -> bool:
        """Whether it is the monitor's own invention: demonstration or test data."""
        return bool(self.state & NOBODYS)


@dataclass(frozen=True, slots=True)
class Believed:
    """A number in the unit of its vital and how far it goes, or no number and why."""

    value: float | None
    quality: Quality = Quality.VALID
    why: str | None = None


def believe(number: Number, vital: Vital) -> Believed:
    """What may be shown of a number. No value unless the monitor stands by it and its unit is known."""
    if number.state & UNBELIEVED:
        for bit, quality, why in WHY:
            if number.state & bit:
                return Believed(None, quality, why)
        return Believed(None, Quality.INVALID, STRANGE)
    if number.value is None:
        return Believed(None, Quality.MISSING, "no number")
    if number.unit not in UNITS[vital]:
        return Believed(None, Quality.INVALID, f"in a unit that is not known here ({number.unit:04X})")
    value = number.value
    if number.unit == KILOPASCAL:
        value = round(value * MMHG_PER_KPA, 1)
    elif number.unit == FAHRENHEIT:
        value = round((value - 32) * 5 / 9, 2)
    return Believed(value)


def numbers(given: Iterable[Attribute]) -> tuple[Number, ...]:
    """All numbers among the attributes of one object, single and compound. Malformed if one is cut."""
    found: list[Number] = []
    for number, value in given:
        if number == OBSERVED:
            found.append(_number(value, 0))
        elif number == COMPOUND:
            several = Cursor(value).run()
            found += [_number(several, at) for at in range(0, len(several), _NUMBER.size)]
    return tuple(found)


def _number(data: bytes, at: int) -> Number:
    try:
        source, state, unit, word = _NUMBER.unpack_from(data, at)
    except struct.error:
        raise Malformed from None
    return Number(source, state, unit, *_float(word))


def _float(word: int) -> tuple[float | None, int]:
    """The value of a FLOAT, and how many decimals it was sent with."""
    mantissa = word % MANTISSA_SPAN
    if mantissa in NO_NUMBER:
        return None, 0
    if mantissa & MANTISSA_SIGN:
        mantissa -= MANTISSA_SPAN
    exponent = word >> 24
    if exponent & EXPONENT_SIGN:
        exponent -= EXPONENT_SPAN
    # Divided by a whole power of ten, 982e-1 is the 98.2 one would write; multiplied by 0.1 it may not be.
    return (mantissa / 10**-exponent if exponent < 0 else float(mantissa * 10**exponent)), max(-exponent, 0)


def _float_bytes(value: float | None, decimals: int) -> bytes:
    if value is None:
        return NAN.to_bytes(4)
    mantissa: int = round(value * 10.0**decimals)
    return (-decimals).to_bytes(1, signed=True) + mantissa.to_bytes(3, signed=True)


def _number_bytes(number: Number) -> bytes:
    return u16(number.source, number.state, number.unit) + _float_bytes(number.value, number.decimals)


def observed(number: Number) -> Attribute:
    """One number as the attribute of an object."""
    return OBSERVED, _number_bytes(number)


def compound(several: Iterable[Number]) -> Attribute:
    """Several numbers as one attribute: how a blood pressure comes."""
    return COMPOUND, counted(_number_bytes(number) for number in several)

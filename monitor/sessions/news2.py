"""NEWS2 as a trend beside the real alarms: complete or not at all. Pure.

It never raises anything here: it gives nothing for a systolic of 111 to 219 and so cannot see the surge that
this drug makes, and dissociation looks like new confusion to it (physiology.md 3). Consciousness is therefore
a nurse's own entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

LABEL = "NEWS2 (trend only: it does not see a rise of blood pressure)"

YOUNGEST_YEARS = 16
"""NEWS2 is not for younger ones, nor in pregnancy (physiology.md 3)."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What NEWS2 is reckoned from: 1/min, %, mmHg, Cel; None where it is not known or too old."""

    respiration: float | None
    spo2: float | None
    oxygen: bool | None
    systolic: float | None
    pulse: float | None
    alert: bool | None
    """False for new confusion, or a response to voice, to pain or none."""
    temperature: float | None


@dataclass(frozen=True, slots=True)
class Complete:
    """A whole score, 0 to 20; `red` where any single parameter gives 3."""

    total: int
    red: bool
    at_ms: int
    """The time of the oldest value in it."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """No total: this is missing."""

    missing: tuple[str, ...]


Bands = Sequence[tuple[float, int]]
"""(up to and with, points), rising; the last one is for all above."""

# physiology.md 3, after the Royal College of Physicians' chart.
_RESPIRATION: Bands = ((8, 3), (11, 1), (20, 0), (24, 2), (inf, 3))
_SPO2: Bands = ((91, 3), (93, 2), (95, 1), (inf, 0))
_SPO2_2_AIR: Bands = ((83, 3), (85, 2), (87, 1), (inf, 0))
_SPO2_2_OXYGEN: Bands = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (inf, 3))
_SYSTOLIC: Bands = ((90, 3), (100, 2), (110, 1), (219, 0), (inf, 3))
_PULSE: Bands = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3))
_TEMPERATURE: Bands = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (inf, 2))


def news2(vitals: Vitals, at_ms: int, *, scale_2: bool = False) -> Complete | Incomplete:
    """The score, or what is missing for it. `scale_2` only on a clinician's entry."""
    named = {
        "respiration": vitals.respiration,
        "SpO2": vitals.spo2,
        "air or oxygen": vitals.oxygen,
        "systolic pressure": vitals.systolic,
        "pulse": vitals.pulse,
        "consciousness": vitals.alert,
        "temperature": vitals.temperature,
    }
    missing = tuple(name for name, value in named.items() if value is None or not isfinite(value))
    if (
        missing
        or vitals.respiration is None
        or vitals.spo2 is None
        or vitals.systolic is None
        or vitals.pulse is None
        or vitals.temperature is None
    ):
        return Incomplete(missing)
    saturation = _SPO2 if not scale_2 else _SPO2_2_OXYGEN if vitals.oxygen else _SPO2_2_AIR
    points = (
        _points(_RESPIRATION, round(vitals.respiration)),
        _points(saturation, round(vitals.spo2)),
        2 if vitals.oxygen else 0,
        _points(_SYSTOLIC, round(vitals.systolic)),
        _points(_PULSE, round(vitals.pulse)),
        0 if vitals.alert else 3,
        _points(_TEMPERATURE, round(vitals.temperature, 1)),
    )
    return Complete(sum(points), 3 in points, at_ms)


def _points(bands: Bands, value: float) -> int:
    return next(points for up_to, points in bands if value <= up_to)

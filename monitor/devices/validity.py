"""May a value be believed? The plausible bands and consistency rules of physiology, and nothing else.

Outside HARD a value is rejected: no number, and why. Between HARD and SOFT it is kept and doubted. Missing is
never zero, never normal; but a rate of 0 that comes with a valid flag is a claim that there is no beat or no
breath, and stands.
"""

from __future__ import annotations

import math
from dataclasses import replace

from msgspec import structs

from monitor.model import Cuff, Doubt, Quality, Said, Sample, Samples, Vital

# The bands are proposed engineering defaults for adults, wider than what an alarm limit may be set to and
# narrower than research data sets; the harder edges are those of settable alarm spans.
HARD: dict[Vital, tuple[float, float]] = {
    Vital.HEART_RATE: (10, 300),
    Vital.PULSE_SPO2: (10, 300),
    Vital.PULSE_NIBP: (10, 300),
    Vital.SPO2: (30, 100),
    Vital.RESPIRATION: (0, 100),
    Vital.TEMPERATURE: (25, 45),
    Vital.PERFUSION: (0, 30),
    Vital.ETCO2: (0, 150),
    Vital.SYSTOLIC: (40, 280),
    Vital.DIASTOLIC: (15, 200),
    Vital.MEAN: (20, 240),
    Vital.ARTERIAL_SYSTOLIC: (40, 280),
    Vital.ARTERIAL_DIASTOLIC: (15, 200),
    Vital.ARTERIAL_MEAN: (20, 240),
}
SOFT: dict[Vital, tuple[float, float]] = {
    Vital.HEART_RATE: (30, 220),
    Vital.PULSE_SPO2: (30, 220),
    Vital.PULSE_NIBP: (30, 220),
    Vital.SPO2: (70, 100),
    Vital.RESPIRATION: (4, 50),
    Vital.TEMPERATURE: (34, 41),
    Vital.PERFUSION: (0.2, 20),
    Vital.ETCO2: (10, 80),
    Vital.SYSTOLIC: (70, 240),
    Vital.DIASTOLIC: (35, 150),
    Vital.MEAN: (45, 180),
    Vital.ARTERIAL_SYSTOLIC: (70, 240),
    Vital.ARTERIAL_DIASTOLIC: (35, 150),
    Vital.ARTERIAL_MEAN: (45, 180),
}
INVALID, MISSING = Quality.INVALID, Quality.MISSING
CLAIMS = frozenset({Vital.HEART_RATE, Vital.PULSE_SPO2, Vital.RESPIRATION})
"""Where 0 says "no beat" or "no breath". A cuff that found a pressure has felt a pulse."""

NO_NUMBER = 255
RATES = frozenset({Vital.HEART_RATE, Vital.PULSE_SPO2, Vital.PULSE_NIBP})
"""A byte full of ones is no heart rate, though it lies within HARD (physiology.md 1, invalid markers)."""

PRESSURES = {Vital.SYSTOLIC: "systolic", Vital.DIASTOLIC: "diastolic", Vital.MEAN: "mean"}

FAHRENHEIT = (90.0, 110.0)
KILOPASCAL = (12.0, 25.0)
"""A systolic pressure in this span was sent in kPa: no adult has it in mmHg."""

CHECK_UNIT = "check the unit set for this device"
"""How the reason ends wherever a value seems to be in another unit."""

PULSE_PRESSURE_LEAST = 10  # C4
PULSE_PRESSURE_USUAL = (15, 120)  # C4
MEAN_SHARE_USUAL = (0.20, 0.60)  # C3: (mean - diastolic) / (systolic - diastolic)


def screen(said: Said) -> Said:
    """The same, without what can't be believed, and with what is unusual marked. Twice is as once."""
    if isinstance(said, Sample):
        return screen_sample(said)
    if isinstance(said, Cuff):
        return screen_cuff(said)
    return said


def screen_sample(said: Sample) -> Sample:
    """One value of a continuous vital: the same, doubted, or without its number."""
    value = said.value
    if value is None or said.quality is INVALID or said.quality is MISSING:
        quality = INVALID if said.quality is INVALID else MISSING
        return structs.replace(
            said, value=None, quality=quality, why=said.why or "no reading", doubt=Doubt.NONE
        )
    low, high = SOFT[said.vital]
    if low <= value <= high:  # SOFT lies inside of HARD: nothing more to ask, as of nearly every value
        return said
    wrong = _impossible(said.vital, value)
    if wrong:
        return structs.replace(said, value=None, quality=INVALID, why=wrong, doubt=Doubt.NONE)
    unusual = _unusual(said.vital, value)
    if unusual is None:
        return said
    return structs.replace(
        said,
        quality=Quality.QUESTIONABLE,
        why=said.why or unusual,
        doubt=max(said.doubt, Doubt.UNUSUAL),
    )


def believed(said: Samples) -> bool:
    """Whether screening would change none of these values; whoever hears False must screen each."""
    for vital, column in zip(said.vitals, said.columns, strict=True):
        low, high = SOFT[vital]
        if min(column) < low or max(column) > high:
            return False
    return True


def screen_cuff(said: Cuff) -> Cuff:
    """One measurement of a cuff: the same with its mean, doubted, or without its numbers."""
    systolic, diastolic = said.systolic, said.diastolic
    if systolic is None or diastolic is None or said.quality in {INVALID, MISSING}:
        quality = MISSING if said.quality is MISSING else INVALID
        return _without_numbers(said, said.why or "no result", quality)
    wrong = _inconsistent(systolic, diastolic, None if said.derived_mean else said.mean)
    if wrong:
        return _without_numbers(said, wrong, INVALID)
    pulse = said.pulse
    if pulse is not None and _impossible(Vital.PULSE_NIBP, pulse):
        pulse = None
    if said.mean is None:
        # C2; shown as derived, for the mean is what an oscillometric monitor really measures.
        mean = diastolic + (systolic - diastolic) / 3
        said = replace(said, mean=mean, derived_mean=True)
    if pulse != said.pulse:
        said = replace(said, pulse=pulse)
    return _doubted(said, systolic, diastolic)


def _without_numbers(said: Cuff, why: str, quality: Quality) -> Cuff:
    return Cuff(
        None,
        None,
        age_ms=said.age_ms,
        quality=quality,
        why=why,
        device_time=said.device_time,
    )


def _inconsistent(systolic: float, diastolic: float, mean: float | None) -> str | None:
    """Why these pressures cannot be one measurement, or None."""
    if KILOPASCAL[0] <= systolic <= KILOPASCAL[1]:
        return f"systolic {systolic:g} looks like kPa: {CHECK_UNIT}"
    given = [(Vital.SYSTOLIC, systolic), (Vital.DIASTOLIC, diastolic)]
    if mean is not None:
        given.append((Vital.MEAN, mean))
    for vital, value in given:
        wrong = _impossible(vital, value)
        if wrong:
            return wrong
    if diastolic >= systolic:
        return f"diastolic {diastolic:g} is not below systolic {systolic:g}"
    if mean is not None and not diastolic < mean < systolic:  # C1
        return f"mean {mean:g} is not between {diastolic:g} and {systolic:g}"
    if systolic - diastolic < PULSE_PRESSURE_LEAST:  # C4
        return f"systolic {systolic:g} and diastolic {diastolic:g} are too close to be true"
    return None


def _doubted(said: Cuff, systolic: float, diastolic: float) -> Cuff:
    whys: list[str] = said.why.split("; ") if said.why else []
    doubt = said.doubt
    given = [(Vital.SYSTOLIC, systolic), (Vital.DIASTOLIC, diastolic)]
    measured = None if said.derived_mean else said.mean
    if measured is not None:
        given.append((Vital.MEAN, measured))
        share = (measured - diastolic) / (systolic - diastolic)
        if not MEAN_SHARE_USUAL[0] <= share <= MEAN_SHARE_USUAL[1]:  # C3
            whys.append("mean does not fit the pressures: measure again")
            doubt = max(doubt, Doubt.UNUSUAL)
    for vital, value in given:
        unusual = _unusual(vital, value)
        if unusual:
            whys.append(unusual)
            doubt = max(doubt, Doubt.UNUSUAL)
    if not PULSE_PRESSURE_USUAL[0] <= systolic - diastolic <= PULSE_PRESSURE_USUAL[1]:
        # C4 asks for a repeat, but a severe pressure stands meanwhile: so this alone is no Doubt.
        whys.append("unusual pulse pressure: measure again")
    if not whys:
        return said
    return replace(said, quality=Quality.QUESTIONABLE, why="; ".join(dict.fromkeys(whys)), doubt=doubt)


def _impossible(vital: Vital, value: float) -> str | None:
    if not math.isfinite(value):
        return "not a number"
    if value == 0 and vital in CLAIMS:
        return None
    if vital is Vital.TEMPERATURE and FAHRENHEIT[0] <= value <= FAHRENHEIT[1]:
        return f"temperature {value:g} looks like Fahrenheit: {CHECK_UNIT}"
    if value == NO_NUMBER and vital in RATES:
        return f"{_name(vital)} {value:g} is how devices say that there is none"
    low, high = HARD[vital]
    return None if low <= value <= high else f"{_name(vital)} {value:g} cannot be right"


def _unusual(vital: Vital, value: float) -> str | None:
    if value == 0 and vital in CLAIMS:
        return None
    low, high = SOFT[vital]
    return None if low <= value <= high else f"{_name(vital)} {value:g} is unusual"


def _name(vital: Vital) -> str:
    """What a nurse calls it: "BP" alone would not say which of the two."""
    return PRESSURES.get(vital, vital.label)

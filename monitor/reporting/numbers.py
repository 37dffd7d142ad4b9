"""One number with its source and its age: whatever number stands in the record is made here. Pure."""

from __future__ import annotations

from monitor.model import CuffTaken, CuffWhy, Device, Quality, Vital
from monitor.records.printed import figure
from monitor.records.report import CuffReading, Number
from monitor.sessions.due import NIBP, VITALS
from monitor.sessions.scores import SCALES
from monitor.treatment import Filled, Phase, Score

MMHG = "mm[Hg]"

UNIT_WORDS = {"/min": "/min", "%": "%", "mm[Hg]": "mmHg", "Cel": "°C", "": ""}
"""UCUM as people read it."""


def with_unit(value: float | None, unit: str) -> str:
    """A number with its unit, as it is read."""
    said = UNIT_WORDS.get(unit, unit)
    return f"{figure(value)} {said}".strip() if value is not None else figure(value)


def pressure(systolic: float | None, diastolic: float | None) -> str:
    """A blood pressure as it is read."""
    return f"{figure(systolic)}/{figure(diastolic)} mmHg"


def score_words(score: Score, value: int) -> str:
    """A step of a scale in words; where the number is what people say, it stands first."""
    scale = SCALES[score]
    if scale.wrong(value) is not None:
        return str(value)
    words = scale.words[value]
    if score is Score.MOAAS:
        return f"{value}, {words}"
    return f"{words} of 10" if words == str(value) else words


def of_cuff(
    reading: CuffReading, used_ms: int, title: str = "Blood pressure", due_ms: int | None = None
) -> Number:
    """A cuff reading as one number, with its age when it was taken for something."""
    return Number(
        NIBP, title, reading.systolic, reading.diastolic, MMHG,
        pressure(reading.systolic, reading.diastolic), reading.at_ms, max(used_ms - reading.at_ms, 0),
        reading.device, reading.by, None if due_ms is None else reading.at_ms - due_ms,
    )  # fmt: skip


def of_filled(filled: Filled, saved_ms: int, tolerance_ms: int | None) -> Number:
    """One item of a check, as it was filled."""
    within = None if tolerance_ms is None else abs(filled.off_ms) <= tolerance_ms
    age_ms = max(saved_ms - filled.at_ms, 0)
    if filled.item == NIBP:
        title, unit, words = "Blood pressure", MMHG, pressure(filled.value, filled.second)
    elif filled.item in VITALS:
        vital = VITALS[filled.item][0]
        title, unit, words = vital.label, vital.unit, with_unit(filled.value, vital.unit)
    else:
        score = Score(filled.item)
        title, unit, words = SCALES[score].title, "", score_words(score, round(filled.value))
    return Number(
        filled.item, title, filled.value, filled.second, unit, words, filled.at_ms, age_ms,
        filled.device, filled.by, filled.off_ms, within,
    )  # fmt: skip


def of_vital(vital: Vital, value: float, at_ms: int, used_ms: int, device: Device | None) -> Number:
    """A value of a continuous vital that stands for something: of the baseline."""
    words = with_unit(value, vital.unit)
    return Number(
        vital.value, vital.label, value, None, vital.unit, words, at_ms, max(used_ms - at_ms, 0), device, None
    )


def cuff_reading(
    taken: CuffTaken, asked: CuffWhy | None, phase: Phase | None, *, standing: bool
) -> CuffReading:
    """One measurement as the record has it."""
    cuff = taken.cuff
    usable = cuff.systolic is not None and cuff.diastolic is not None and cuff.quality is Quality.VALID
    return CuffReading(
        taken.measured_at_ms, taken.at_ms, cuff.systolic, cuff.diastolic, cuff.mean, cuff.derived_mean,
        cuff.pulse, cuff.quality, cuff.why, taken.device, taken.by, asked, standing, phase, usable,
    )  # fmt: skip

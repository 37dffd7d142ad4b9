"""Ordinary sessions: people as a clinic has them, one after another, but those whom the gate sends home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from simulators.patient import MINUTE_MS, CuffResult, Patient
from simulators.scenario import Course, Drug, Person, Story

GATE_MMHG = (150, 95)
"""Who reads more than this before the drug is not treated that day. Half-way between where the gate asks a
prescriber (140/90) and where it stops (160/100, protocols.md 6.1): physiology.md 5.5 does not say whom its
sessions leave out, and without a gate its rows of 180/110 come out by a third too high."""

FIRST_MIN = -10
"""When the cuff is first started, in minutes from the start of the drug."""


@dataclass(frozen=True, slots=True)
class Ordinary:
    """One session that is held: who, and the reading that its baseline is (mmHg)."""

    seed: int
    patient: Patient
    systolic: int
    diastolic: int


def drawn(drug: Drug, age: int) -> Story:
    """Somebody of this age as chance has them, and an answer to the drug as chance has it."""
    return Story(
        name="ordinary", drug=drug, person=Person(age=age, spread=1), course=Course(amplitude="drawn")
    )


def sessions(drug: Drug, age: int, first_seed: int = 0) -> Iterator[Ordinary]:
    """Ordinary sessions without end: the same first seed, the same people, each with a first session."""
    story = drawn(drug, age)
    for seed in count(first_seed):
        patient = Patient(story, seed)
        systolic, diastolic = numbers(_good(patient))
        if systolic <= GATE_MMHG[0] and diastolic <= GATE_MMHG[1]:
            yield Ordinary(seed, patient, systolic, diastolic)


def numbers(cuff: CuffResult) -> tuple[int, int]:
    """Systolic and diastolic of a reading that has them; ValueError for a failed one."""
    if cuff.systolic is None or cuff.diastolic is None:
        raise ValueError(f"a cuff that {cuff.failed} has no numbers")
    return cuff.systolic, cuff.diastolic


def _good(patient: Patient) -> CuffResult:
    """The first reading that succeeds, tried once a minute."""
    tried = (patient.cuff(minute * MINUTE_MS, None) for minute in count(FIRST_MIN))
    return next(cuff for cuff in tried if cuff.failed is None)

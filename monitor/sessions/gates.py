"""The gate before the drug: what it finds, who may decide, and whether somebody has. Pure.

A value that is missing opens no gate: it is what `needs.py` asks for first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from monitor.model import Vital
from monitor.people import Role
from monitor.sessions.baseline import propose
from monitor.sessions.record import Record
from monitor.sessions.therapy import Gate
from monitor.treatment import Overridden, Score, Seen


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate that is shut: why, who may decide otherwise (nobody: empty), and who has."""

    name: str
    result: Literal["ask", "stop"]
    why: str
    override: tuple[Role, ...]
    decided: Overridden | None

    @property
    def open(self) -> bool:
        """Whether somebody who may has decided to go on."""
        return self.decided is not None and self.decided.role in self.override


def findings(record: Record, seen: Seen, now_ms: int) -> tuple[Finding, ...]:
    """Every gate that is shut or was decided upon, the hardest first."""
    found = [*_answers(record), *_numbers(record, seen, now_ms)]
    return tuple(sorted(found, key=lambda one: (one.result != "stop", bool(one.override))))


def override_key(name: str) -> str:
    """How a decision about a gate is named in its event."""
    return f"gate:{name}"


def _answers(record: Record) -> Iterable[Finding]:
    for question in record.therapy.question:
        answer = record.answers.get(question.name)
        if answer is None:
            continue
        said = "yes" if answer.yes else "no"
        why = f"{question.asks} {said.capitalize()}."
        decided = record.overridden(override_key(question.name), answer.at_ms)
        if (question.kind, answer.yes) in {("contraindication", True), ("must", False)}:
            yield Finding(question.name, "stop", why, (), decided)
        elif (question.kind, answer.yes) in {("ask", True), ("confirm", False)}:
            yield Finding(question.name, "ask", why, (Role.PRESCRIBER,), decided)


def _numbers(record: Record, seen: Seen, now_ms: int) -> Iterable[Finding]:
    values = _values(record, seen, now_ms)
    worst = values | _newest(record, values)
    age = record.opened.age_years
    for gate in record.therapy.gate:
        if gate.age_from is not None and age < gate.age_from:
            continue
        if gate.age_under is not None and age >= gate.age_under:
            continue
        # A median may hide the newest reading; what stops everything may not be hidden.
        why = _shut_by(gate, worst if gate.result == "stop" else values)
        if why:
            decided = record.overridden(override_key(gate.name), record.baseline_from_ms)
            yield Finding(gate.name, gate.result, ", ".join(why), gate.override, decided)


def _shut_by(gate: Gate, values: dict[str, float]) -> list[str]:
    terms = (
        *((name, ">", bound) for name, bound in gate.above.items()),
        *((name, ">=", bound) for name, bound in gate.at_least.items()),
        *((name, "<", bound) for name, bound in gate.under.items()),
    )
    return [
        f"{LABELS[name]} {values[name]:g} {sign} {bound:g}"
        for name, sign, bound in terms
        if name in values and _reached(values[name], sign, bound)
    ]


def _reached(value: float, sign: str, bound: float) -> bool:
    if sign == "<":
        return value < bound
    return value > bound or (sign == ">=" and value == bound)


LABELS = {vital.value: vital.label for vital in Vital} | {
    Vital.SYSTOLIC.value: "systolic",
    Vital.DIASTOLIC.value: "diastolic",
    Score.MOAAS.value: "MOAA/S",
    Score.OXYGEN.value: "oxygen",
}
"""What a gate's terms are called at the bed; other scores go by their own name."""
LABELS |= {score.value: score.value for score in Score if score.value not in LABELS}


def _newest(record: Record, values: dict[str, float]) -> dict[str, float]:
    """The newest pressures, where they are higher than the baseline's."""
    taken = next(
        (one.cuff for one in reversed(record.cuffs) if one.measured_at_ms >= record.baseline_from_ms), None
    )
    if taken is None or taken.systolic is None or taken.diastolic is None:
        return {}
    newest = {Vital.SYSTOLIC.value: taken.systolic, Vital.DIASTOLIC.value: taken.diastolic}
    return {name: max(value, values.get(name, value)) for name, value in newest.items()}


def _values(record: Record, seen: Seen, now_ms: int) -> dict[str, float]:
    """What the gates are asked about: the baseline's numbers and the newest scores."""
    own = propose(record, seen, now_ms).baseline
    numbers = {
        Vital.SYSTOLIC.value: own.systolic,
        Vital.DIASTOLIC.value: own.diastolic,
        Vital.HEART_RATE.value: own.heart_rate,
        Vital.SPO2.value: own.spo2,
        Vital.RESPIRATION.value: own.respiration,
    } | {score.value: record.value(score) for score in Score}
    return {name: float(value) for name, value in numbers.items() if value is not None}

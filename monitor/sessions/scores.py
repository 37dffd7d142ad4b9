"""The scales of what people judge, and what each word of them means for an alarm. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model import Priority
from monitor.treatment import Score, Symptom

H, M, L = Priority.HIGH, Priority.MEDIUM, Priority.LOW


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale: its words from the lowest value up."""

    title: str
    words: tuple[str, ...]

    def wrong(self, value: int) -> str | None:
        """Why this is no value of the scale, or None."""
        if 0 <= value < len(self.words):
            return None
        return f"{self.title}: {value} is not on the scale of 0 to {len(self.words) - 1}."


_NO_YES = ("no", "yes")
_TO_TEN = tuple(str(n) for n in range(11))

SCALES: Mapping[Score, Scale] = {
    # protocols.md 7: the middle words are recalled there, the ends sourced.
    Score.MOAAS: Scale(
        "Sedation (MOAA/S)",
        (
            "no response",
            "after a painful squeeze",
            "after mild prodding or shaking",
            "only to loud or repeated name",
            "lethargic response to name",
            "responds readily to name in normal tone",
        ),
    ),
    Score.DISSOCIATION: Scale("Dissociation", _NO_YES),
    Score.NAUSEA: Scale("Nausea", ("none", "mild", "moderate", "severe")),
    Score.PAIN: Scale("Pain", _TO_TEN),
    Score.MOOD: Scale("Mood", _TO_TEN),
    Score.ANXIETY: Scale("Anxiety", _TO_TEN),
    Score.ORIENTED: Scale("Oriented to person, place, time", ("to none", "to one", "to two", "to all three")),
    Score.CONFUSION: Scale("New confusion", _NO_YES),
    Score.GAIT: Scale("Gait", ("unsteady or dizzy", "steady, without dizziness")),
    Score.POSTURE: Scale("Posture", ("lying", "sitting", "standing")),
    Score.OXYGEN: Scale("Oxygen", ("room air", "on oxygen")),
    Score.SUICIDE_CHECK: Scale("Mood and suicide-risk check", ("not done", "done")),
    Score.ESCORT: Scale("Escort", ("not here", "here")),
    Score.DRIVING: Scale("Told not to drive", _NO_YES),
    Score.LINE_OUT: Scale("IV line", ("in", "out")),
    Score.INSTRUCTIONS: Scale("Written instructions and emergency number", ("not given", "given")),
    Score.PUMP: Scale("Pump", ("stopped", "running")),
}

MOAAS_AWAKE = 5
STANDING = 2
"""The value of POSTURE while a cuff reading is one of standing."""

# protocols.md 6.2, the row of MOAA/S: L 4, M 3 or 2, H 1 or 0.
SEDATION: Mapping[int, Priority] = {4: L, 3: M, 2: M, 1: H, 0: H}

EMERGENCY_SIGNS = frozenset(
    {
        # protocols.md 3.1: hypertensive crisis, hypertensive encephalopathy; 6.2 adds collapse.
        Symptom.CHEST_PAIN,
        Symptom.SHORT_OF_BREATH,
        Symptom.HEADACHE,
        Symptom.VISION,
        Symptom.SEIZURE,
        Symptom.LESS_AWAKE,
        Symptom.FOCAL,
        Symptom.COLLAPSE,
    }
)

# protocols.md 6.2, the row of the symptom flag. Dizziness and tremor are recorded, and raise nothing.
_SYMPTOMS: Mapping[Symptom, Priority] = {
    Symptom.NAUSEA: L,
    Symptom.ANXIETY: L,
    Symptom.VOMITING: M,
    Symptom.DISTRESS: M,
}


def symptom_priority(symptom: Symptom, *, severe: bool) -> Priority | None:
    """What a symptom raises; a severe anxiety is severe distress."""
    if symptom in EMERGENCY_SIGNS:
        return H
    if severe and symptom is Symptom.ANXIETY:
        return M
    return _SYMPTOMS.get(symptom)

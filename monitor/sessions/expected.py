"""How the drug is expected to move a patient's own baseline: the grey band behind a trace. Pure.

The curves and their means are measured in groups (clinical/physiology.md 5.2 and 5.3): a band is what is
ordinary, never what is right. No limit and no alarm looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model import Vital
from monitor.sessions.record import Record
from monitor.sessions.therapy import ms

INFUSION_MIN = 40.0
"""How long an infusion runs while nobody has checked a dose: the therapy's own (protocols.md 1)."""

OLD_YEARS = 65
"""From this age on the label gives other means (physiology.md 5.3)."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One vital: mean and SD of what the drug adds at its strongest, and what a well patient wanders anyhow.

    In the vital's own unit. With the share `f` of a moment the band is baseline + rise*f, as wide to either
    side as sd*f + slack.
    """

    rise: float
    sd: float
    slack: float


IV: Mapping[Vital, Moved] = {
    Vital.SYSTOLIC: Moved(16.0, 11.2, 5),
    Vital.DIASTOLIC: Moved(11.0, 8.45, 4),
    Vital.HEART_RATE: Moved(4.5, 7, 6),
    Vital.SPO2: Moved(-0.4, 0.6, 1.6),
    Vital.RESPIRATION: Moved(-0.5, 1.5, 3),
}
"""physiology.md 5.2; the slack of each is a choice of this project (P)."""

NASAL: Mapping[Vital, Moved] = {
    Vital.SYSTOLIC: Moved(13.3, 12.1, 5),
    Vital.DIASTOLIC: Moved(8.7, 8.2, 4),
    Vital.HEART_RATE: Moved(2.5, 6, 6),
    Vital.SPO2: Moved(-0.5, 0.7, 1.6),
    Vital.RESPIRATION: Moved(0, 0, 3),
}
"""physiology.md 5.3; a SD is of one session of anybody: between people and within one, added as squares."""

NASAL_OLD = {**NASAL, Vital.SYSTOLIC: Moved(16.0, 13.1, 5), Vital.DIASTOLIC: Moved(9.5, 8.0, 4)}


def moved(record: Record) -> Mapping[Vital, Moved]:
    """What the drug of this session does to whom it is given."""
    if record.therapy.course == "infusion":
        return IV
    return NASAL_OLD if record.opened.age_years >= OLD_YEARS else NASAL


def share(record: Record, at_ms: int) -> float:
    """How strong the drug is then, of its peak: 0 before its start."""
    if record.start_ms is None or at_ms <= record.start_ms:
        return 0.0
    t_min = (at_ms - record.start_ms) / ms(1)
    if record.therapy.course == "nasal":
        return (t_min / 40) ** 3 * math.exp(3 * (1 - t_min / 40))
    planned_min = _planned_min(record)
    end_min = planned_min if record.end_ms is None else (record.end_ms - record.start_ms) / ms(1)
    risen = (1 - math.exp(-min(t_min, end_min) / 15)) / (1 - math.exp(-planned_min / 15))
    return risen * math.exp(-max(0.0, t_min - end_min) / 20)


def _planned_min(record: Record) -> float:
    dose = record.dose
    if dose is None:
        return INFUSION_MIN
    volume_ml = dose.weight_kg * dose.dose_mg_per_kg / dose.concentration_mg_per_ml
    return volume_ml / dose.rate_ml_per_h * 60

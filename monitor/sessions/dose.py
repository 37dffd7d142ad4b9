"""May this weight and this dose be right? What two people are asked to look at again (C13). Pure.

Nothing here is for dosing: it finds a slip of the pen, a weight in pounds or a dose of another route, and
leaves the decision to the two who sign (protocols.md, TIMEOUT).
"""

from __future__ import annotations

from math import isfinite

# physiology.md 2, C13: proposed there for the medical director to sign.

WEIGHT_KG = (30, 250)
"""An adult's weight; outside of it nothing is reckoned with."""

DOSE_MG_PER_KG = (0.1, 1.0)
"""What an infusion of ketamine is expected to be."""

ASK_ABOVE_MG_PER_KG = 0.6
"""From here on the dose is unusual, though it may be meant."""


def mistaken(weight_kg: float, dose_mg_per_kg: float) -> str | None:
    """Why this cannot be what is meant, in words, or None: it has to be entered again."""
    if not isfinite(weight_kg) or not WEIGHT_KG[0] <= weight_kg <= WEIGHT_KG[1]:
        return f"A weight of {weight_kg:g} kg cannot be right: {WEIGHT_KG[0]} to {WEIGHT_KG[1]} kg."
    if not isfinite(dose_mg_per_kg) or dose_mg_per_kg <= 0:
        return f"A dose of {dose_mg_per_kg:g} mg/kg cannot be right."
    return None


def questions(weight_kg: float, dose_mg_per_kg: float) -> tuple[str, ...]:
    """What the second person must confirm before the start; nothing where all is as usual.

    Raises ValueError with the words of `mistaken` for what must be entered again.
    """
    wrong = mistaken(weight_kg, dose_mg_per_kg)
    if wrong is not None:
        raise ValueError(wrong)
    total = f"{dose_mg_per_kg:g} mg/kg, {dose_mg_per_kg * weight_kg:.0f} mg in all"
    low, high = DOSE_MG_PER_KG
    if not low <= dose_mg_per_kg <= high:
        return (f"Is {total}, meant? {low:g} to {high:g} mg/kg is expected.",)
    if dose_mg_per_kg > ASK_ABOVE_MG_PER_KG:
        return (f"Is {total}, meant? It is above {ASK_ABOVE_MG_PER_KG:g} mg/kg.",)
    return ()

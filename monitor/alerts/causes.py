"""What goes together at a bed although its rules differ: one cause, one page (decisions/0016). Data only.

A narrowed airway slows the breath, then takes the saturation; a faint takes the rate and the pressure. Each
is an alarm with a life and a sound of its own; paged are they as one, by the worst of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.alerts.rules import Rule

GROUPS: Mapping[str, frozenset[str]] = {
    "breathing": frozenset({"sedation", "rr-low", "spo2-low"}),  # physiology.md 6, D1 and D2
    "fainting": frozenset({"hr-low", "bp-low"}),  # physiology.md 6, B1
}
"""The families of each group."""

ALONE = frozenset({"rr-none", "hr-none"})
"""Conditions that no other family ever pages for: a claim of no breath or no pulse is a call of its own."""


def group(rule: Rule) -> str | None:
    """The group this rule belongs to, or None where it stands alone."""
    for name, families in GROUPS.items():
        if rule.family in families and not rule.technical:
            return name
    return None


def together(one: Rule, other: Rule) -> bool:
    """Whether a page for `one` may be the page for `other`, too: two families of one group."""
    if other.condition in ALONE or one.family == other.family:
        return False
    of_one = group(one)
    return of_one is not None and of_one == group(other)

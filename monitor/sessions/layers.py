"""Which limits count for this patient now: the layers of a therapy that hold, as one set of changes. Pure.

The sessions know no rule and no profile: what they give is data, which is laid over a profile's own (`lay`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.sessions.record import Record
from monitor.sessions.therapy import Layer, RuleTerms, ms

TERMS = ("limit", "baseline_percent", "baseline_delta", "join")
"""What a rule is made of: a layer that names one of these gives all of them."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What the layers come to: whose they are, the rules they change, and what else they say."""

    names: tuple[str, ...]
    rules: Mapping[str, RuleTerms]
    unconfirmed: frozenset[str]
    """Rules that are raised without waiting for a second reading."""
    nibp_factor: float
    not_declining: bool
    whose: Mapping[str, str] = field(default_factory=dict)
    """Of each rule the layer that has the last word."""


def in_force(record: Record, now_ms: int) -> InForce:
    """The layers that hold now, a later one over an earlier."""
    layers = [layer for layer in record.therapy.layer if _holds(layer, record, now_ms)]
    rules = {name: terms for layer in layers for name, terms in layer.rules.items()}
    return InForce(
        tuple(layer.name for layer in layers),
        rules,
        frozenset(name for layer in layers for name in layer.unconfirmed),
        # Two reasons to measure twice as often are not a reason for four times.
        min((layer.nibp_factor for layer in layers), default=1.0),
        any(layer.not_declining for layer in layers),
        {name: layer.name for layer in layers for name in layer.rules},
    )


def due_ms(record: Record, now_ms: int) -> int | None:
    """When the next layer begins by the clock."""
    times = [
        anchor + ms(layer.after_min)
        for layer in record.therapy.layer
        if layer.anchor is not None and (anchor := record.anchor_ms(layer.anchor)) is not None
    ]
    return min((time for time in times if time > now_ms), default=None)


def declines_from_ms(record: Record, now_ms: int) -> int | None:
    """Since when the pressure should be declining: since such a layer holds. None where none does now."""
    return min(
        (
            _since_ms(layer, record)
            for layer in record.therapy.layer
            if layer.not_declining and _holds(layer, record, now_ms)
        ),
        default=None,
    )


def lay(profile: Mapping[str, Any], changes: InForce) -> dict[str, Any]:
    """A limit profile's data with these changes: its rules' terms replaced, all else as it was."""
    table = {name: dict(row) for name, row in profile["rules"].items()}
    for name, terms in changes.rules.items():
        row = table.setdefault(name, {})
        if any(term in terms for term in TERMS):
            for term in TERMS:
                row.pop(term, None)
        row.update(terms)
    return {**profile, "rules": table}


def _since_ms(layer: Layer, record: Record) -> int:
    """Since when a layer holds that holds now, as far as it hangs on a phase or on a time."""
    entered = [record.entered[phase] for phase in layer.phases if phase in record.entered]
    times = [min(entered)] if entered else [record.opened.at_ms]
    anchor = None if layer.anchor is None else record.anchor_ms(layer.anchor)
    if anchor is not None:
        times.append(anchor + ms(layer.after_min))
    return max(times)


def _holds(layer: Layer, record: Record, now_ms: int) -> bool:
    if layer.phases and record.onward not in layer.phases:
        return False
    if layer.flags and not record.flags() & set(layer.flags):
        return False
    if layer.age_from is not None and record.opened.age_years < layer.age_from:
        return False
    if layer.needs == "spo2" and (record.baseline is None or record.baseline.baseline.spo2 is None):
        return False
    if layer.anchor is None:
        return True
    anchor = record.anchor_ms(layer.anchor)
    return anchor is not None and now_ms >= anchor + ms(layer.after_min)

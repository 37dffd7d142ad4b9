"""Whose limits are not the profile's, and why: risk flags and the layers that hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.sessions import layers
from monitor.sessions.record import Record
from monitor.sessions.therapy import Layer
from monitor.treatment import (
    TITLES,
    Flag,
)
from monitor.treatment_now import (
    FlagNow,
    LayerNow,
)
from monitor.ward.treating.timeline import FLAGS


def flags_now(record: Record) -> Iterable[FlagNow]:
    """Every flag that anybody has spoken of, in the order of `Flag`."""
    up = record.flags()
    for flag in Flag:
        answers = [
            (record.answers[question.name], question.asks)
            for question in record.therapy.question
            if question.flag is flag and question.name in record.answers and record.answers[question.name].yes
        ]
        by_hand = record.flags_set.get(flag)
        if by_hand is None and not answers:
            continue
        if by_hand is not None and not any(answer.at_ms > by_hand.at_ms for answer, _ in answers):
            why, by, at_ms = by_hand.why, by_hand.by, by_hand.at_ms
        else:
            answer, asks = max(answers, key=lambda one: one[0].at_ms)
            why, by, at_ms = f"{asks} Yes.", answer.by, answer.at_ms
        yield FlagNow(flag, FLAGS[flag], flag in up, why, by, at_ms)


_ANCHORS = {
    "start": "the start of the drug",
    "last_device": "the last device",
    "end": "the end of the infusion",
}


def layers_now(record: Record, now_ms: int) -> Iterable[LayerNow]:
    """The layers of limits that hold now, each with its reason; first of all, that the rules are others now.

    A restart with a changed file leaves a session that is under way to the new rules: whoever looks is told.
    """
    if record.opened.digest != record.therapy.digest:
        now = f"version {record.therapy.version} as it stands now holds"
        yield LayerNow("changed", "The therapy was changed after this session began", (), (now,))
    holding = set(layers.in_force(record, now_ms).names)
    for layer in record.therapy.layer:
        if layer.name in holding:
            yield LayerNow(
                layer.name, _layer_why(layer, record), tuple(layer.rules), tuple(_layer_words(layer))
            )


def _layer_why(layer: Layer, record: Record) -> str:
    found = [FLAGS[flag] for flag in layer.flags if flag in record.flags()]
    if layer.age_from is not None:
        found.append(f"{record.opened.age_years} years old")
    if layer.anchor is not None:
        found.append(f"{layer.after_min:g} min after {_ANCHORS[layer.anchor]}")
    found += [TITLES[phase] for phase in layer.phases if phase is record.onward]
    return ", ".join(found)


def _layer_words(layer: Layer) -> Iterable[str]:
    if layer.nibp_factor < 1:
        yield f"BP every {layer.nibp_factor:g} of the usual time"
    if layer.unconfirmed:
        yield "BP alarms without a second reading"
    if layer.not_declining:
        yield "BP that does not fall is an alarm"

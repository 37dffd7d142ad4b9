"""One stored session through the real ward again, under one set of limits. Pure: what is kept is an argument.

What was measured, done and decided then is told to a ward of its own, with one bed and nobody else in it;
what is judged anew are the limits. Nobody acknowledges, and no cuff can be asked to repeat: the next reading
confirms, whenever it comes. So the same limits may raise a little more or less here than they did on the day,
and two sets of limits are compared with each other, both played again.

Kept readings do not say which of them came late, nor why one was doubted: all are taken as live, and a doubt
as that of a poor signal, which withholds a HIGH for at most 30 s (ALM-073).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import merge
from itertools import pairwise
from typing import Any, get_args

from monitor.alerts.rules import INDEX, RULES
from monitor.devices.validity import screen_sample
from monitor.model import (
    Admitted,
    AlarmMoved,
    CuffTaken,
    Device,
    Doubt,
    LimitSet,
    Quality,
    Reading,
    Sample,
    SessionMoved,
    Vital,
    VitalTyped,
)
from monitor.plan import DevicePlan, Plan
from monitor.reporting.kept import Kept
from monitor.store.trends import BY_HAND, FRESH_MS, FRESH_TEMPERATURE_MS, History
from monitor.treatment import Happening, TreatmentEvent, TreatmentOpened
from monitor.ward import Ward
from monitor.whatif.said import PEOPLE, Key, Said, Sums, duty, is_raised

TOLD = (CuffTaken, VitalTyped, LimitSet)
"""What is told again besides readings and the steps of a treatment. Of a link that was lost the gaps tell."""

TOGETHER = ((Vital.SPO2,), (Vital.HEART_RATE, Vital.PULSE_SPO2), (Vital.RESPIRATION,))
"""Vitals that stand for one another: a gap is where none of a group is live."""


@dataclass(frozen=True, slots=True)
class Played:
    """One session under one set of limits: its alarms and pages as lines, and what they add up to."""

    lines: tuple[dict[str, Any], ...]
    sums: Sums


def played(kept: Kept, plan: Plan) -> Played:
    """The session, judged by the profiles, therapies and layers of this plan.

    ValueError where the therapy that it went under is not in the plan.
    """
    until_ms = _until_ms(kept)
    ward = Ward(_alone(kept, plan))
    said = Said(ward, lambda at_ms: round((at_ms - kept.moved.at_ms) / 1_000, 3))
    lines: list[dict[str, Any]] = []
    ward.restore(_opening(kept, plan))
    for at_ms, event in _told(kept):
        for due_ms in _dues(ward, at_ms):
            lines += said.lines(ward.tick(due_ms))
        made = ward.feed(event)
        said.sums.readings += isinstance(event, Reading)
        if len(made) > 1:
            lines += said.lines(made)
        elif isinstance(event, LimitSet) and not made:
            # Set by hand within the span of then; under other limits there may be no such span.
            lines.append(
                {"t_s": said.t_s(at_ms), "event": "left out", "rule": event.rule, "limit": event.limit}
            )
    for due_ms in _dues(ward, until_ms):
        lines += said.lines(ward.tick(due_ms))
    said.ends(until_ms)
    said.sums.bed_s = (until_ms - kept.moved.at_ms) / 1_000
    said.sums.gaps_s = gaps_s(kept.history, kept.moved.at_ms, until_ms)
    return Played(tuple(lines), said.sums)


def recorded(kept: Kept) -> Counter[Key]:
    """How many alarms of each condition and priority were raised on the day."""
    return Counter(
        (RULES[INDEX[row.event.rule]].condition, row.event.priority.name)
        for row in kept.rows
        if isinstance(row.event, AlarmMoved) and row.event.rule in INDEX and is_raised(row.event)
    )


def gaps_s(history: Mapping[Vital, History], from_ms: int, until_ms: int) -> float:
    """How long something that was measured in the session had no live value, in seconds."""
    groups = [
        _known([history[vital] for vital in group if vital in history], until_ms)
        for group in TOGETHER
        if any(vital in history for vital in group)
    ]
    edges = sorted({from_ms, until_ms, *(edge for group in groups for span in group for edge in span)})
    places = [0] * len(groups)
    lacking_ms = 0
    for begin_ms, end_ms in pairwise(edges):
        for at, group in enumerate(groups):
            while places[at] < len(group) and group[places[at]][1] <= begin_ms:
                places[at] += 1
        if any(
            place == len(group) or group[place][0] > begin_ms
            for place, group in zip(places, groups, strict=True)
        ):
            lacking_ms += end_ms - begin_ms
    return lacking_ms / 1_000


def _known(histories: Iterable[History], until_ms: int) -> list[tuple[int, int]]:
    """The spans in which one of these had a live value."""
    spans: list[tuple[int, int]] = []
    values = merge(*(zip(one.times_ms, one.values, strict=True) for one in histories), key=lambda v: v[0])
    for at_ms, value in values:
        if value is None:
            continue
        end_ms = min(at_ms + FRESH_MS, until_ms)
        if spans and at_ms <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end_ms, spans[-1][1])
        else:
            spans.append((at_ms, end_ms))
    return spans


def _until_ms(kept: Kept) -> int:
    """When the patient left, or the last that is known of one who is still here."""
    if kept.ended_ms is not None:
        return kept.ended_ms
    newest = [history.times_ms[-1] for history in kept.history.values() if history.times_ms]
    return max([kept.moved.at_ms, *newest, *(row.at_ms for row in kept.rows)])


def _alone(kept: Kept, plan: Plan) -> Plan:
    """This plan with this one bed, whatever measured there, and nobody who could act."""
    by_device: dict[Device, set[Vital]] = {}
    for vital, history in kept.history.items():
        for _, device in history.sources:
            if device != BY_HAND:
                by_device.setdefault(Device(device), set()).add(vital)
    for row in kept.rows:
        if isinstance(row.event, CuffTaken) and row.event.device is not None:
            by_device.setdefault(row.event.device, set()).add(Vital.SYSTOLIC)
    return replace(
        plan,
        beds=((kept.bed, ""),),
        devices=tuple(
            DevicePlan(device, "kept", kept.bed, frozenset(vitals))
            for device, vitals in sorted(by_device.items())
        ),
        people=PEOPLE,
        ways={},
        duty=duty(kept.bed),
        same_arm=plan.same_arm & {kept.bed},
        undelivered_ms=None,
        tests=None,
        live=False,
    )


def _opening(kept: Kept, plan: Plan) -> list[Happening]:
    """What made the patient lie there: it is not decided again."""
    opened = kept.opened
    if opened is not None and opened.therapy not in plan.therapies:
        raise ValueError(f"There is no therapy {opened.therapy} any more.")
    events: list[Happening] = [] if opened is None else [opened]
    return [*events, *([] if kept.admitted is None else [kept.admitted]), kept.moved]


def _told(kept: Kept) -> Iterator[tuple[int, Happening]]:
    """What is told to the ward, in the order of time; of one instant, what the journal has comes first."""
    rows = ((row.at_ms, row.event) for row in kept.rows if _is_told(row.event))
    lines = (_readings(kept, vital, history) for vital, history in kept.history.items())
    until_ms = _until_ms(kept)
    for at_ms, event in merge(rows, *lines, key=lambda one: one[0]):
        if at_ms > until_ms:
            return
        yield at_ms, event


def _is_told(event: object) -> bool:
    if isinstance(event, TreatmentOpened | Admitted | SessionMoved):
        return False
    return isinstance(event, (*TOLD, *get_args(TreatmentEvent)))


def _readings(kept: Kept, vital: Vital, history: History) -> Iterator[tuple[int, Reading]]:
    """One vital as its devices said it; what was taken by hand is a row of the journal."""
    froms = [from_ms for from_ms, _ in history.sources]
    fresh_ms = FRESH_TEMPERATURE_MS if vital is Vital.TEMPERATURE else FRESH_MS
    for at_ms, value, quality in zip(history.times_ms, history.values, history.qualities, strict=True):
        place = bisect_right(froms, at_ms) - 1
        device = history.sources[max(place, 0)][1] if froms else BY_HAND
        if device == BY_HAND:
            continue
        said = Sample(vital, None, quality if quality in _NO_NUMBER else Quality.MISSING, "no value")
        if value is not None:
            doubt = Doubt.POOR_SIGNAL if quality is Quality.QUESTIONABLE else Doubt.NONE
            said = screen_sample(Sample(vital, value, quality, doubt=doubt))
        yield (
            at_ms,
            Reading(
                at_ms,
                kept.bed,
                Device(device),
                vital,
                said.value,
                said.quality,
                said.why,
                at_ms + fresh_ms,
                said.doubt,
            ),
        )


_NO_NUMBER = frozenset({Quality.INVALID, Quality.MISSING})


def _dues(ward: Ward, until_ms: int) -> Iterator[int]:
    """The times at which something falls due, up to this one; asked anew after each."""
    while (due_ms := ward.due_ms()) is not None and due_ms <= until_ms:
        yield due_ms

"""What has happened in a treatment session, as lines of a timeline: each thing once, in words. Pure.

A step of staff and the move it led to are one line; so are a saved check and what it was filled with. A cuff
reading is no line of its own: it stands in the trend.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, assert_never

from monitor.model import Baseline, Staff
from monitor.sessions import readiness
from monitor.sessions.correction import may_correct
from monitor.sessions.due import NIBP, VITALS
from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Item
from monitor.treatment import (
    TITLES,
    AdverseEvent,
    Answered,
    BaselineRestarted,
    BaselineTaken,
    CheckFilled,
    CheckMissed,
    CheckSaved,
    Corrected,
    DeviceGiven,
    DoseChecked,
    Filled,
    Flag,
    FlagSet,
    FormSent,
    Move,
    Overridden,
    PhaseMoved,
    ReadyFirst,
    Score,
    Scored,
    Signed,
    Stepped,
    Struck,
    SymptomNoted,
    TreatmentEvent,
    TreatmentNote,
    TreatmentOpened,
)
from monitor.treatment_now import LineNow, StruckNow

ITEMS = {NIBP: "BP", "hr": "HR", "spo2": "SpO2", "rr": "RR", "temp": "Temp"} | {
    score.value: scale.title for score, scale in SCALES.items()
}
"""What the items of a check are called."""

FLAGS = {
    Flag.CNS_DEPRESSANT: "CNS depressant",
    Flag.OPIOID: "Opioid",
    Flag.SLEEP_APNOEA: "Sleep apnoea",
    Flag.STIMULANT: "Stimulant",
    Flag.MAOI: "MAO inhibitor",
    Flag.LUNG_DISEASE: "Lung disease",
}
"""What a risk flag is called on every screen."""


def timeline(record: Record) -> tuple[LineNow, ...]:
    """Every line, by when it was done; of one moment in the order they were entered."""
    found = [
        line
        for number, event in enumerate((record.opened, *record.events))
        for line in lines(record, event, number)
    ]
    return tuple(sorted(found, key=lambda line: line.at_ms))


def value_words(filled: Filled) -> str:
    """A value of a check with its unit, or the word of its scale."""
    if filled.item == NIBP:
        return f"{filled.value:g}/{filled.second:g} mmHg"
    if filled.item in VITALS:
        return f"{filled.value:g} {VITALS[filled.item][0].unit}"
    return SCALES[Score(filled.item)].words[int(filled.value)]


def baseline_words(own: Baseline) -> str:
    """The numbers of a baseline that there are."""
    parts = []
    if own.systolic is not None and own.diastolic is not None:
        parts.append(f"{own.systolic:g}/{own.diastolic:g}")
    named = (("HR", own.heart_rate), ("SpO2", own.spo2), ("RR", own.respiration))
    return ", ".join([*parts, *(f"{name} {value:g}" for name, value in named if value is not None)])


def about(record: Record, what: str) -> str:
    """What a decision is about, by the name its event has for it."""
    kind, _, name = what.partition(":")
    match kind:
        case "gate":
            asked = {question.name: question.asks for question in record.therapy.question}
            return asked.get(name, name.replace("-", " "))
        case "pressure":
            return f"no blood pressure: {name.replace('_', ' ')}"
        case "item":
            return f"leaves without: {readiness.TITLES[Item(name)]}" if name in set(Item) else name
        case "floor":
            return "the least stay"
        case _:
            return name or kind


def lines(record: Record, event: TreatmentEvent, number: int) -> Iterable[LineNow]:
    """The line of one event, which is the entry of that number; none where another's line says it.

    KeyError for a check that the therapy lacks.
    """
    struck = record.struck.get(number)
    for said in _said(record, event):
        yield LineNow(
            at_ms=said.at_ms,
            entered_at_ms=event.at_ms,
            kind=said.kind,
            who=said.who,
            words=said.words,
            entry=number,
            struck=StruckNow(struck.by, struck.at_ms, struck.why, struck.instead) if struck else None,
            replaces=record.replaces.get(number),
            may_correct=may_correct(record, number),
        )


class _Said(NamedTuple):
    """What a line says."""

    at_ms: int
    kind: str
    who: Staff | None
    words: str


def _said(  # noqa: C901, PLR0911, PLR0912  a line a kind of event, and none forgotten
    record: Record, event: TreatmentEvent
) -> Iterable[_Said]:
    match event:
        case TreatmentOpened():
            planned = f", {event.devices} devices planned" if event.devices else ""
            return _line(event.at_ms, "opened", event.by, f"Session opened: {record.therapy.title}{planned}")
        case Answered():
            asks = {question.name: question.asks for question in record.therapy.question}
            said = f"{asks.get(event.question, event.question)} {'Yes' if event.yes else 'No'}."
            return _line(event.at_ms, "answer", event.by, _and(said, event.note, " "))
        case FlagSet():
            words = f"{FLAGS[event.flag]}{'' if event.on else ' withdrawn'}: {event.why}"
            return _line(event.at_ms, "flag", event.by, words)
        case BaselineRestarted():
            return _line(event.at_ms, "baseline", event.by, f"Baseline measured anew: {event.why}")
        case BaselineTaken():
            return _line(event.at_ms, "baseline", event.by, f"Baseline {baseline_words(event.baseline)}")
        case DoseChecked():
            total = f"{event.weight_kg * event.dose_mg_per_kg:g} mg"
            words = f"Dose checked with {event.second}: {event.dose_mg_per_kg:g} mg/kg, {total}"
            return _line(event.at_ms, "dose", event.by, _and(words, event.why))
        case DeviceGiven():
            words = f"Device {event.number} given, lot {event.lot}, expires {event.expires}"
            return _line(event.done_at_ms, "device", event.by, _and(words, event.why))
        case Scored():
            scale = SCALES[event.score]
            words = _and(f"{scale.title}: {scale.words[event.value]}", event.note)
            return _line(event.done_at_ms, "score", event.by, words)
        case SymptomNoted():
            words = event.symptom.value.capitalize()
            words += ": over" if event.over else ", severe" if event.severe else ""
            return _line(event.done_at_ms, "symptom", event.by, _and(words, event.note))
        case AdverseEvent():
            words = f"{'Serious adverse' if event.serious else 'Adverse'} event: {event.what}"
            return _line(
                event.at_ms, "adverse_event", event.by, _and(_and(words, event.outcome), event.related)
            )
        case TreatmentNote():
            return _line(event.at_ms, "note", event.by, event.text)
        case CheckFilled():
            title = record.therapy.check_named(event.check).title
            values = ", ".join(map(_value, event.filled))
            return _line(event.at_ms, "check", event.by, f"{title}: {values}")
        case CheckMissed():
            title = record.therapy.check_named(event.check).title
            return _line(event.at_ms, "check", None, f"{title} missed")
        case Overridden():
            who = f"Decided by a {event.role.value}{_where(event.screen)}"
            words = f"{who}: {about(record, event.what)}. {event.why}"
            return _line(event.at_ms, "override", event.by, words)
        case Signed():
            words = f"Signed by a {event.role.value}{_where(event.screen)}: {event.meaning}"
            return _line(event.at_ms, "signature", event.by, words)
        case FormSent():
            return _line(event.at_ms, "form", event.by, f"Form sent: {event.how}")
        case ReadyFirst():
            return _line(
                event.at_ms, "ready", None, "All but the time and the signature held for the first time"
            )
        case PhaseMoved():
            return _moved(event)
        case Struck():
            wrong = record.entry(event.entry)
            words = "; ".join(said.words for said in _said(record, wrong)) if wrong is not None else ""
            verb = "Corrected" if event.instead is not None else "Withdrawn"
            return _line(event.at_ms, "correction", event.by, f"{verb}: {words}. {event.why}")
        case Stepped() | CheckSaved() | Corrected():
            return ()  # what came of it is a line
        case _:
            assert_never(event)


def _value(filled: Filled) -> str:
    of_scale = filled.item != NIBP and filled.item not in VITALS
    return f"{ITEMS[filled.item]}{':' if of_scale else ''} {value_words(filled)}"


def _moved(event: PhaseMoved) -> Iterable[_Said]:
    """A device and a check have lines of their own: of theirs only a new phase is told."""
    if event.now is event.was and event.move in {Move.DEVICE, Move.CHECKED, Move.MISSED}:
        return ()
    own = event.move in {Move.DEVICE, Move.LAST_DEVICE, Move.CHECKED, Move.MISSED, Move.WINDOW, Move.LATER}
    words = TITLES[event.now] if own else _and(event.move.value, event.why)
    if not own and event.now is not event.was and TITLES[event.now] != event.move.value:
        words = f"{words}. {TITLES[event.now]}"
    return _line(event.done_at_ms, "phase", event.by, words)


def _line(at_ms: int, kind: str, who: Staff | None, words: str) -> Iterable[_Said]:
    return (_Said(at_ms, kind, who, words),)


def _where(screen: str | None) -> str:
    return "" if screen is None else f" at screen {screen}"


def _and(words: str, more: str, between: str = ". ") -> str:
    more = more.strip()
    return f"{words}{between}{more}" if more else words

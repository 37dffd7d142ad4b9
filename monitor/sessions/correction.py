"""An entry that was wrong: what may stand in its place, and what is written down of it. Pure.

Nothing is deleted and nothing is changed: the wrong entry is struck, with who, when and why, and what should
have been entered is an entry of its own, as of the time when the wrong one was done.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.treatment import (
    Act,
    AdverseEvent,
    Correctable,
    Corrected,
    DeviceGiven,
    Made,
    Phase,
    Scored,
    Struck,
    SymptomNoted,
    TreatmentNote,
)

OTHER = "What stands instead is of the same kind: the same score, symptom or device."


def may_correct(record: Record, number: int) -> bool:
    """Whether an entry of this number is one that can be corrected now."""
    return not _refuse_entry(record, number)


def refusals(record: Record, act: Corrected) -> list[str]:
    """Why this correction is not taken, a line each."""
    wrong = record.entry(act.entry)
    found = _refuse_entry(record, act.entry)
    if found or not isinstance(wrong, Correctable):
        return found
    if not act.why.strip():
        found.append("A correction needs a reason.")
    return found + _refuse_instead(wrong, act.instead)


def answer(record: Record, act: Corrected) -> tuple[Act | Made, ...]:
    """What is written down of a correction that is not refused."""
    wrong = record.entry(act.entry)
    if not isinstance(wrong, Correctable):
        raise ValueError(f"entry {act.entry} was accepted and cannot be corrected")  # noqa: TRY004  its number is
    # The next number is the strike's own.
    number = None if act.instead is None else len(record.events) + 2
    struck = Struck(act.at_ms, act.session, act.entry, number, act.why, act.by)
    if act.instead is None:
        return (struck,)
    return struck, _as_of(wrong, act.instead, act)


def _refuse_entry(record: Record, number: int) -> list[str]:
    wrong = record.entry(number)
    if wrong is None:
        return ["There is no such entry in this session."]
    if not isinstance(wrong, Correctable):
        return ["This is not corrected: enter it anew, decide again or write a note."]
    if number in record.struck:
        return [f"{record.struck[number].by} has corrected this already."]
    return ["This session is closed."] if record.phase is Phase.CLOSED else []


def _refuse_instead(wrong: Correctable, instead: Correctable | None) -> list[str]:  # noqa: PLR0911  a line a kind
    match wrong, instead:
        case (DeviceGiven(), None):
            return ["A device that was given stays given: correct its lot or its expiry date."]
        case (_, None):
            return []
        case (Scored(), Scored()) if wrong.score is instead.score:
            mistake = SCALES[instead.score].wrong(instead.value)
            same = (wrong.value, wrong.note) == (instead.value, instead.note)
            return [mistake] if mistake else _same() if same else []
        case (SymptomNoted(), SymptomNoted()) if wrong.symptom is instead.symptom:
            same = (wrong.severe, wrong.over, wrong.note) == (instead.severe, instead.over, instead.note)
            return _same() if same else []
        case (AdverseEvent(), AdverseEvent()):
            return [] if instead.what.strip() else ["What has happened?"]
        case (TreatmentNote(), TreatmentNote()):
            return [] if instead.text.strip() else ["The note is empty."]
        case (DeviceGiven(), DeviceGiven()) if wrong.number == instead.number:
            return _refuse_device(wrong, instead)
        case _:
            return [OTHER]


def _refuse_device(wrong: DeviceGiven, instead: DeviceGiven) -> list[str]:
    """Its lot and its expiry are corrected; that it was given, and when, is not."""
    found = [] if instead.lot.strip() else ["The lot number."]
    try:
        date.fromisoformat(instead.expires)
    except ValueError:
        found.append("The expiry date, as 2027-05-31.")
    same = (wrong.lot, wrong.expires) == (instead.lot, instead.expires)
    return found or (_same() if same else [])


def _same() -> list[str]:
    return ["This says the same as before."]


def _as_of(wrong: Correctable, instead: Correctable, act: Corrected) -> Correctable:
    """The new entry as of the time of the wrong one, by who corrects it."""
    now = replace(instead, at_ms=act.at_ms, session=act.session, by=act.by)
    match wrong:
        case DeviceGiven() if isinstance(now, DeviceGiven):
            return replace(now, last=wrong.last, why=wrong.why, done_at_ms=wrong.done_at_ms)
        case Scored() | SymptomNoted():
            return _done_at(now, wrong.done_at_ms)
        case _:
            return now


def _done_at(now: Correctable, done_at_ms: int) -> Correctable:
    if isinstance(now, Scored):
        return replace(now, done_at_ms=done_at_ms)
    return replace(now, done_at_ms=done_at_ms) if isinstance(now, SymptomNoted) else now

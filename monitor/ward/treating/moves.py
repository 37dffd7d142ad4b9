"""What may be done with a session where it stands, and what is missing for each. Pure.

What is refused is asked of the session itself (`session.ask`) with an act that nobody sends: so a button says
what is missing by the very rules that would refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.model import Staff
from monitor.people import Role
from monitor.sessions import session
from monitor.sessions.law import BY_CLOCK, WITH_REASON, Cell, step
from monitor.sessions.record import Record
from monitor.sessions.session import BACKDATED, Refused
from monitor.treatment import (
    KINDS,
    SIDE,
    Act,
    CheckSaved,
    DeviceGiven,
    FormSent,
    Move,
    Phase,
    Seen,
    Signed,
    Stepped,
)
from monitor.treatment_now import (
    DueNow,
    MoveNow,
)

NOBODY = Staff("")
"""Who asks what would be missing: an act of nobody is never kept."""


def moves_now(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    """Every move that the session knows where it stands, the steps first."""
    number = record.opened.session
    if record.phase is not Phase.CLOSED:
        yield from _steps(record, seen, now_ms)
        yield from _entries(record, seen, now_ms)
    else:
        yield MoveNow("note", "Note", (), reason=False, earlier=False)
    if record.therapy.form is not None and record.dosed and record.over and record.form_sent is None:
        sent = FormSent(now_ms, number, "", NOBODY)
        yield MoveNow("form_sent", "Form sent", _lacks(record, sent, seen), reason=False, earlier=False)


def next_words(record: Record, due: Iterable[DueNow], moves: Iterable[MoveNow]) -> str:
    """What has come due first; else what the way onward still lacks, or is; else what will come due."""
    due = tuple(due)
    urgent = next((each for each in due if each.state != "ahead"), None)
    if urgent is not None:
        return urgent.words
    onward = next((move for move in moves if move.kind in _ONWARD), None)
    if onward is not None and record.phase not in SIDE:
        if not onward.missing:
            return onward.title
        if not record.dosed or record.phase is Phase.READY:
            return onward.missing[0]
    return due[0].words if due else ""


_ONWARD = frozenset({"checked_in", "to_timeout", "infusion_start", "device", "check_done", "ready", "close"})
"""The moves that lead through an ordinary session."""


def _steps(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    """The steps that the table has from here, but those that what was done has made impossible."""
    for move, kind in KINDS.items():
        cell = step(record.phase, move)
        there = cell is not Cell.NO and not (isinstance(cell, Phase) and not record.therapy.has(cell))
        if not there or move in BY_CLOCK or _pointless(record, move):
            continue
        reason = move in WITH_REASON
        act = Stepped(now_ms, record.opened.session, move, now_ms, NOBODY, Role.NURSE, "-" if reason else "")
        yield MoveNow(kind, move.value, _lacks(record, act, seen), reason=reason, earlier=move in BACKDATED)


def _pointless(record: Record, move: Move) -> bool:
    match move:
        case Move.ABORT:
            return record.dosed
        case Move.END:
            return record.onward is not Phase.INFUSION or not record.dosed
        case Move.RESUME:
            return record.phase is Phase.STOPPED and not record.dosed
        case _:
            return False


def _entries(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    """What may be entered beside the steps."""
    number, therapy = record.opened.session, record.therapy
    if not record.dosed:
        yield MoveNow("answer", "Answer", (), reason=False, earlier=False)
        if record.phase is not Phase.CHECK_IN:
            yield MoveNow("baseline_restart", "Measure the baseline anew", (), reason=True, earlier=False)
    if record.phase is Phase.TIMEOUT:
        yield MoveNow("dose", "Dose checked by two", (), reason=False, earlier=False)
    if therapy.devices is not None and step(record.phase, Move.DEVICE) is not Cell.NO:
        last = len(record.devices) + 1 >= record.opened.devices
        given = DeviceGiven(now_ms, number, len(record.devices) + 1, "-", "9999-12-31", last, now_ms, NOBODY)
        title = f"Device {given.number} given"
        yield MoveNow("device", title, _lacks(record, given, seen), reason=False, earlier=True)
    for check in therapy.check:
        if check.due_min is not None and check.name not in record.checks and record.onward in check.phases:
            saved = CheckSaved(now_ms, number, check.name, NOBODY)
            yield MoveNow("check_done", check.title, _lacks(record, saved, seen), reason=False, earlier=False)
    if record.phase in {Phase.READY, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE}:
        signed = Signed(now_ms, number, "", NOBODY, Role.PRESCRIBER)
        yield MoveNow("sign", "Sign", _lacks(record, signed, seen), reason=False, earlier=False)
    for kind, title, reason, earlier in _ALWAYS:
        yield MoveNow(kind, title, (), reason=reason, earlier=earlier)


_ALWAYS = (
    ("score", "Score", False, True),
    ("symptom", "Symptom", False, True),
    ("adverse_event", "Adverse event", False, False),
    ("flag", "Risk flag", True, False),
    ("note", "Note", False, False),
)


def _lacks(record: Record, act: Act, seen: Seen) -> tuple[str, ...]:
    answer = session.ask(record, act, seen)
    return answer.missing if isinstance(answer, Refused) else ()

"""What happened, a line each, in words that a nurse reads: the timeline of a session. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge

from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Cuff,
    CuffNotTaken,
    CuffTaken,
    HelpCalled,
    LimitSet,
    LinkMoved,
    LinkState,
    PageOrdered,
    PageReported,
    PartMoved,
    Paused,
    Quality,
    Rejected,
    Resumed,
    ServiceStarted,
    SessionMoved,
    SessionPhase,
    SourceMoved,
    Staff,
    VitalTyped,
)
from monitor.records.printed import figure
from monitor.records.report import Entry
from monitor.reporting.alarms import rule_title, title
from monitor.reporting.kept import Kept
from monitor.reporting.numbers import pressure, with_unit
from monitor.reporting.watching import PARTS
from monitor.sessions.record import Record
from monitor.treatment import CheckFilled, CheckMissed, TreatmentEvent
from monitor.ward.treating.timeline import lines

STATES = {
    AlarmState.ACTIVE: "Alarm",
    AlarmState.LATCHED: "Alarm over, not yet looked at",
    AlarmState.CLEAR: "Alarm over",
}


class Words:
    """Says each event in words; it remembers what a later one leaves out: an alarm's text, whose page it is.

    What belongs to a treatment is said as it stands on the screens.
    """

    def __init__(self, record: Record | None) -> None:
        """Nothing has been said yet; `record` is the treatment's, None for a patient who is only watched."""
        self._record = record
        self._alarms: dict[int, str] = {}
        self._pages: dict[int, Staff] = {}
        self._cuff: Cuff | None = None

    def of(self, event: object) -> str:
        """The line of this event; nothing for one that another line says already."""
        if isinstance(event, TreatmentEvent):
            return self._of_treatment(event)
        return self._of_staff(event) or self._of_ward(event) or self._of_technique(event)

    def numbered(self, made: Entry, event: object) -> Entry:
        """The line with its number in the treatment, and what has become of it."""
        if self._record is None or not isinstance(event, TreatmentEvent):
            return made
        number = self._record.number(event)
        struck = number in self._record.struck
        return replace(made, entry=number, struck=struck, replaces=self._record.replaces.get(number))

    def _of_treatment(self, event: TreatmentEvent) -> str:
        if self._record is None:
            return ""
        if isinstance(event, CheckFilled | CheckMissed):
            known = {check.name for check in self._record.therapy.check}
            if event.check not in known:  # the therapy of then is not at hand any more
                return f"{event.check}: {'missed' if isinstance(event, CheckMissed) else 'recorded'}"
        number = self._record.number(event)
        return "; ".join(line.words for line in lines(self._record, event, number))

    def _of_staff(self, event: object) -> str:
        match event:
            case VitalTyped():
                return f"{event.vital.label} {with_unit(event.value, event.vital.unit)}, taken by hand"
            case LimitSet(limit=None):
                return f"Limit back to the profile's: {rule_title(event.rule)}{_more(event.why)}"
            case LimitSet():
                limit = f"{rule_title(event.rule)} {figure(event.limit)}"
                return f"Limit of this session: {limit}{_more(event.why)}"
            case Paused():
                what = f" for {event.vital.label}" if event.vital else ""
                return f"{event.kind.value.capitalize()}{what}{_more(event.why)}"
            case Resumed():
                return f"Pause over{_more(event.why)}"
            case _:
                return ""

    def _of_ward(self, event: object) -> str:  # noqa: C901, PLR0911  a line a kind of event
        match event:
            case Admitted():
                return f"{event.alias} at bed {event.bed}"
            case SessionMoved(now=SessionPhase.CLOSED):
                return "No longer watched at this bed"
            case CuffTaken():
                self._cuff = event.cuff
                return _cuff(event)
            case CuffNotTaken():
                return f"No blood pressure ({event.asked.value}): {event.why}"
            case AlarmMoved():
                return self._alarm(event)
            case Acked():
                return f"Alarm seen: {self._alarms[event.alarm_id]}" if event.alarm_id in self._alarms else ""
            case PageOrdered():
                self._pages[event.page_id] = event.to
                return f"Page to {event.to}: {event.text}"
            case Accepted():
                return f"{event.by} goes"
            case Rejected():
                return f"{event.by} cannot go{_more(event.why)}"
            case HelpCalled():
                return f"{event.by} calls for more help"
            case PageReported():
                to = self._pages.get(event.page_id, "?")
                return f"Page to {to} by {event.way}: {event.outcome.value}{_more(event.why)}"
            case _:
                return ""

    def _of_technique(self, event: object) -> str:
        match event:
            case SourceMoved():
                return f"{event.vital.label} now from {event.now}, before from {event.was}{_more(event.why)}"
            case LinkMoved():
                state = "connected" if event.now is LinkState.UP else event.now.value
                return f"{event.device}: {state}{_more(event.why)}"
            case PartMoved():
                what = PARTS.get(event.part, event.part)
                return f"{what}: {'well' if event.ok else 'not well'}{_more(event.why)}"
            case ServiceStarted():
                return "Chairside started again" if event.last_at_ms is not None else "Chairside started"
            case _:
                return ""

    def _alarm(self, moved: AlarmMoved) -> str:
        state = moved.now
        if state is AlarmState.ACTIVE and moved.was not in {AlarmState.CLEAR, AlarmState.PENDING}:
            return f"Alarm again: {self._alarms.get(moved.alarm_id, moved.rule)}"
        if state is AlarmState.ACTIVE or (state is AlarmState.LATCHED and moved.alarm_id not in self._alarms):
            of = ", of the whole clinic" if moved.bed == CLINIC else ""
            self._alarms[moved.alarm_id] = f"{title(moved, self._cuff)} ({moved.priority.name}{of})"
        if moved.alarm_id not in self._alarms or state not in STATES:
            return ""  # it was never raised, or staff's own line says it
        return f"{STATES[state]}: {self._alarms[moved.alarm_id]}{_more(moved.note)}"


def timeline(kept: Kept, words: Words) -> tuple[Entry, ...]:
    """Every event of the session that has something to say, in the order of the journal."""
    return tuple(_entries(kept, words))


def _entries(kept: Kept, words: Words) -> Iterator[Entry]:
    for row in merge(kept.rows, kept.clinic, key=lambda row: row.seq):
        said = words.of(row.event)
        if said and row.seq >= kept.first_seq:
            done_ms = getattr(row.event, "done_at_ms", getattr(row.event, "measured_at_ms", row.at_ms))
            by = getattr(row.event, "by", None)
            made = Entry(row.seq, row.at_ms, done_ms, type(row.event).__name__, said, by, row.late)
            yield words.numbered(made, row.event)


def _cuff(taken: CuffTaken) -> str:
    cuff = taken.cuff
    if cuff.systolic is None or cuff.diastolic is None:
        return f"Blood pressure failed{_more(cuff.why or '')}"
    doubt = "" if cuff.quality is Quality.VALID else f", {cuff.quality.value}"
    pulse = "" if cuff.pulse is None else f", pulse {with_unit(cuff.pulse, '/min')}"
    hand = ", taken by hand" if taken.by is not None else f", {taken.device}" if taken.device else ""
    return f"BP {pressure(cuff.systolic, cuff.diastolic)}{pulse}{doubt}{hand}{_more(cuff.why or '')}"


def _more(words: str) -> str:
    return f"; {words.strip()}" if words.strip() else ""

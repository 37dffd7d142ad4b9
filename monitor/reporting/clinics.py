"""The alarms of the whole clinic in the time of one session: no pages, no record, a clock that drifts.

They are no patient's, and of every session that was open then: whoever was watched was watched without it.
What is owed of other sessions (a form) is of theirs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.alerts.rules import INDEX, RULES
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    HelpCalled,
    PageChanged,
    PageOrdered,
    PageRecalled,
    PageReported,
    Rejected,
)
from monitor.store.journal import Journal, Recorded

OF_A_PAGE = (PageReported, PageChanged, PageRecalled, Accepted, Rejected, HelpCalled)

BEFORE_ROWS = 5_000
"""How many rows before an opening are looked at for what was wrong already: some hours of a busy clinic."""

AT_CLINIC = f'"bed":"{CLINIC}"'
"""How the journal writes an alarm of no bed."""


async def standing(journal: Journal, first_seq: int) -> tuple[Recorded, ...]:
    """The moves of those alarms of the clinic that were there when a session was opened with this row."""
    moves: dict[int, list[Recorded]] = {}
    after_seq = max(first_seq - BEFORE_ROWS, 1) - 1
    while row := await journal.next_of((AlarmMoved.__name__,), after_seq, AT_CLINIC):
        if row.seq >= first_seq:
            break
        after_seq = row.seq
        if isinstance(row.event, AlarmMoved) and _is_clinics(row.event):
            moves.setdefault(row.event.alarm_id, []).append(row)
    open_then = (of for of in moves.values() if _ends(of) is not AlarmState.CLEAR)
    return tuple(sorted((row for of in open_then for row in of), key=lambda row: row.seq))


def during(rows: Iterable[Recorded], before: Iterable[Recorded], ended_ms: int | None) -> Iterator[Recorded]:
    """The rows of a session's time that are about such alarms: their moves, who saw them, and their pages."""
    alarms = {row.event.alarm_id for row in before if isinstance(row.event, AlarmMoved)}
    pages: set[int] = set()
    for row in rows:
        match row.event:
            case AlarmMoved(alarm_id=alarm_id) as moved:
                if _is_clinics(moved) and (ended_ms is None or row.at_ms <= ended_ms):
                    alarms.add(alarm_id)
                ours = alarm_id in alarms
            case Acked(alarm_id=alarm_id):
                ours = alarm_id in alarms
            case PageOrdered(alarm_id=alarm_id, page_id=page_id):
                if ours := alarm_id in alarms:
                    pages.add(page_id)
            case event if isinstance(event, OF_A_PAGE):
                ours = event.page_id in pages
            case _:
                ours = False
        if ours:
            yield row


def _is_clinics(moved: AlarmMoved) -> bool:
    return moved.bed == CLINIC and moved.rule in INDEX and RULES[INDEX[moved.rule]].technical


def _ends(rows: list[Recorded]) -> AlarmState | None:
    last = rows[-1].event
    return last.now if isinstance(last, AlarmMoved) else None

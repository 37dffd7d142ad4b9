"""What became of every alarm, told as it happens: raised, paged, accepted, seen, over. Pure.

Fed with what the ward has decided and people have done, in the order of the journal, live or read again:
both come to the same. Nothing is judged here and nothing decided; it only looks on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.alerts.rules import INDEX, RULES
from monitor.model import (
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    Cue,
    PageOrdered,
    Priority,
    Staff,
)
from monitor.numbers import Became, Fact
from monitor.treatment import Happening

STANDING = frozenset({AlarmState.ACTIVE, AlarmState.ACKED})
"""The condition is there, and has sounded."""


@dataclass(slots=True)
class _Open:
    """One alarm between its first breach and its end."""

    condition: str
    priority: Priority
    since_ms: int
    raised_ms: int | None = None
    paged_ms: int | None = None
    accepted: bool = False
    seen: bool = False
    answered: bool = False


class Follower:
    """All alarms that are open, and what has become of each so far."""

    def __init__(self) -> None:
        """No alarm is open."""
        self._open: dict[int, _Open] = {}
        self._alarm_of: dict[int, int] = {}
        self._acked: tuple[int, Staff] | None = None

    def hears(self, event: Happening) -> Iterator[Fact]:
        """What this event makes of the alarm that it is about; nothing of most events."""
        match event:
            case AlarmMoved():
                yield from self._moves(event)
            case PageOrdered():
                yield from self._pages(event)
            case Accepted(at_ms, page_id, by):
                alarm = self._open.get(self._alarm_of.get(page_id, -1))
                if alarm is not None and alarm.paged_ms is not None and not alarm.accepted:
                    alarm.accepted = True
                    yield _fact(at_ms, Became.ACCEPTED, alarm, at_ms - alarm.paged_ms, by)
                    yield from self._answered(alarm, at_ms)
            case Acked(at_ms, _, by):
                self._acked = at_ms, by
            case _:
                pass

    def _moves(self, moved: AlarmMoved) -> Iterator[Fact]:
        if moved.rule not in INDEX:
            return  # a rule of an earlier version, in an old journal
        alarm = self._open.get(moved.alarm_id)
        if alarm is None:
            condition = RULES[INDEX[moved.rule]].condition
            alarm = self._open[moved.alarm_id] = _Open(condition, moved.priority, moved.since_ms)
        if moved.now is AlarmState.PENDING:
            alarm.since_ms = moved.since_ms
        elif moved.now is AlarmState.ACTIVE and moved.was not in STANDING:
            alarm.raised_ms, alarm.accepted, alarm.seen, alarm.answered = moved.at_ms, False, False, False
            alarm.paged_ms = None
            yield _fact(moved.at_ms, Became.RAISED, alarm)
        elif moved.cue is Cue.ACK and moved.was is not AlarmState.PENDING:
            yield from self._seen(alarm, moved.at_ms, stands=moved.was in STANDING)
        if moved.was in STANDING and moved.now not in STANDING:
            yield from self._ends(alarm, moved.at_ms)
        if moved.now is AlarmState.CLEAR:
            if moved.was is AlarmState.PENDING and moved.cue is Cue.END:
                yield _fact(moved.at_ms, Became.SELF_CLEARED, alarm, moved.at_ms - alarm.since_ms)
            self._forget(moved.alarm_id)

    def _pages(self, ordered: PageOrdered) -> Iterator[Fact]:
        alarm = self._open.get(ordered.alarm_id)
        if alarm is None:
            return  # a test page is of no alarm
        self._alarm_of[ordered.page_id] = ordered.alarm_id
        again = alarm.paged_ms is not None
        if alarm.paged_ms is None:
            alarm.paged_ms = ordered.at_ms
        yield _fact(ordered.at_ms, Became.PAGED_AGAIN if again else Became.PAGED, alarm)

    def _seen(self, alarm: _Open, at_ms: int, *, stands: bool) -> Iterator[Fact]:
        if alarm.seen or alarm.raised_ms is None:
            return
        alarm.seen = True
        by = self._acked[1] if self._acked is not None and self._acked[0] == at_ms else None
        yield _fact(at_ms, Became.ACKNOWLEDGED, alarm, at_ms - alarm.raised_ms, by)
        if stands:
            yield from self._answered(alarm, at_ms)

    def _answered(self, alarm: _Open, at_ms: int) -> Iterator[Fact]:
        if not alarm.answered and alarm.paged_ms is not None and alarm.raised_ms is not None:
            alarm.answered = True
            yield _fact(at_ms, Became.ACTED_ON, alarm)

    def _ends(self, alarm: _Open, at_ms: int) -> Iterator[Fact]:
        if alarm.raised_ms is None:
            return
        yield _fact(at_ms, Became.ENDED, alarm, at_ms - alarm.raised_ms)
        if alarm.paged_ms is not None and not alarm.answered:
            alarm.answered = True  # what comes now comes after the end
            yield _fact(at_ms, Became.UNANSWERED, alarm)

    def _forget(self, alarm_id: int) -> None:
        del self._open[alarm_id]
        for page_id in [page for page, alarm in self._alarm_of.items() if alarm == alarm_id]:
            del self._alarm_of[page_id]


def _fact(at_ms: int, became: Became, alarm: _Open, after_ms: int = 0, by: Staff | None = None) -> Fact:
    return Fact(at_ms, became, alarm.condition, alarm.priority, after_ms, by)

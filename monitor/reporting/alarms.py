"""Alarms with their lives, limits that were not the profile's, pauses: what was made of the values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.alerts.rules import INDEX, RULES, Kind, Rule
from monitor.alerts.words import alarm_text
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    Cuff,
    CuffTaken,
    LimitSet,
    Outcome,
    PageOrdered,
    PageReported,
    Paused,
    Priority,
    Rejected,
    Resumed,
    Side,
    Staff,
)
from monitor.records.report import AlarmOf, LimitOf, PageOf, PauseOf
from monitor.reporting.kept import Kept
from monitor.store.journal import Recorded

RAISED = frozenset({AlarmState.ACTIVE, AlarmState.ACKED})
"""While it is one of these the condition is there; what is latched is over and not yet looked at."""

OPEN = frozenset({AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED})


@dataclass(slots=True)
class _Page:
    ordered: PageOrdered
    outcomes: list[tuple[int, str, Outcome, str]] = field(default_factory=list)
    answer: Literal["accepted", "rejected"] | None = None
    answered_ms: int | None = None
    answered_by: Staff | None = None

    def done(self) -> PageOf:
        order = self.ordered
        return PageOf(
            order.page_id, order.at_ms, order.to, order.step, order.why, order.text,
            tuple(self.outcomes), self.answer, self.answered_ms, self.answered_by,
        )  # fmt: skip


@dataclass(slots=True)
class _Alarm:
    raised: AlarmMoved
    title: str
    moves: list[AlarmMoved] = field(default_factory=list)
    acked: Acked | None = None
    pages: list[_Page] = field(default_factory=list)


def alarms(kept: Kept) -> tuple[AlarmOf, ...]:
    """Every alarm of the session and of the whole clinic meanwhile that was raised, in their order."""
    found = (*_alarms(kept.rows), *_alarms(kept.clinic))
    return tuple(sorted(found, key=lambda one: one.raised_ms))


def _alarms(rows: Iterable[Recorded]) -> Iterator[AlarmOf]:
    lives: dict[int, _Alarm] = {}
    pending: dict[int, list[AlarmMoved]] = {}
    pages: dict[int, _Page] = {}
    cuff: Cuff | None = None
    for row in rows:
        match row.event:
            case CuffTaken(cuff=taken):
                cuff = taken
            case AlarmMoved() as moved:
                before = pending.setdefault(moved.alarm_id, [])
                if moved.alarm_id not in lives and moved.now in OPEN:
                    lives[moved.alarm_id] = _Alarm(moved, title(moved, cuff), before)
                before.append(moved)
            case Acked(alarm_id=alarm_id) as acked if alarm_id in lives:
                lives[alarm_id].acked = lives[alarm_id].acked or acked
            case PageOrdered(alarm_id=alarm_id, page_id=page_id) as ordered if alarm_id in lives:
                pages[page_id] = _Page(ordered)
                lives[alarm_id].pages.append(pages[page_id])
            case PageReported(at_ms=at_ms, page_id=page_id) as said if page_id in pages:
                pages[page_id].outcomes.append((at_ms, said.way, said.outcome, said.why))
            case Accepted(page_id=page_id) | Rejected(page_id=page_id) as answered if page_id in pages:
                page = pages[page_id]
                page.answer = "accepted" if isinstance(answered, Accepted) else "rejected"
                page.answered_ms, page.answered_by = answered.at_ms, answered.by
    return map(_done, lives.values())


def title(moved: AlarmMoved, cuff: Cuff | None) -> str:
    """The alarm in words: "SpO2 84 < 90". A rule that this program does not know is said by its name."""
    rule = rule_of(moved.rule)
    if rule is None:
        return moved.rule
    return alarm_text(rule, moved.value, moved.limit, cuff)


def rule_of(name: str) -> Rule | None:
    """The rule of this name, or None where this program has none."""
    return RULES[INDEX[name]] if name in INDEX else None


def _done(life: _Alarm) -> AlarmOf:
    raised, last = life.raised, life.moves[-1]
    rule = rule_of(raised.rule)
    vital = rule.vital if rule is not None else None
    return AlarmOf(
        raised.alarm_id,
        raised.rule,
        life.title,
        raised.priority,
        rule.technical if rule is not None else raised.value is None,
        vital,
        vital.unit if vital is not None and raised.value is not None else "",
        raised.value,
        raised.limit,
        raised.device,
        raised.note,
        raised.since_ms,
        raised.at_ms,
        life.acked.at_ms if life.acked is not None else None,
        life.acked.by if life.acked is not None else None,
        last.at_ms if last.now is AlarmState.CLEAR else None,
        last.now,
        tuple((moved.at_ms, moved.was, moved.now) for moved in life.moves),
        tuple(page.done() for page in life.pages),
        clinic=raised.bed == CLINIC,
    )


def open_at(alarm: AlarmOf, at_ms: int) -> bool:
    """Whether the alarm was there at this moment, whoever had seen it."""
    return alarm.raised_ms <= at_ms and (alarm.ended_ms is None or alarm.ended_ms > at_ms)


def loud(alarm: AlarmOf) -> bool:
    """Whether it keeps a patient from leaving: MEDIUM or HIGH, of the bed."""
    return alarm.priority > Priority.LOW and not alarm.clinic


def raised_by_words(rule: str) -> bool:
    """Whether what people say, or leave undone, raises it: what exactly is not in its event."""
    known = rule_of(rule)
    return known is not None and known.kind is Kind.SAID


# Limits and pauses.


def limits(kept: Kept) -> tuple[LimitOf, ...]:
    """Every limit that was set for this session, until it was set anew or put back."""
    found: list[LimitOf] = []
    running: dict[str, LimitSet] = {}

    def ends(rule: str, at_ms: int | None) -> None:
        was = running.pop(rule, None)
        if was is not None and was.limit is not None:
            found.append(_limit(was, at_ms))

    for row in kept.rows:
        if isinstance(row.event, LimitSet):
            ends(row.event.rule, row.event.at_ms)
            running[row.event.rule] = row.event
    for rule in list(running):
        ends(rule, kept.ended_ms)
    return tuple(sorted(found, key=lambda one: one.from_ms))


def _limit(was: LimitSet, until_ms: int | None) -> LimitOf:
    rule = rule_of(was.rule)
    unit = rule.vital.unit if rule is not None and rule.vital is not None else ""
    return LimitOf(was.rule, rule_title(was.rule), was.limit, unit, was.at_ms, until_ms, was.why, was.by)


def rule_title(name: str) -> str:
    """What a rule watches for, in words: "SpO2 low, MEDIUM"."""
    rule = rule_of(name)
    if rule is None or rule.vital is None or rule.side is None:
        return name
    side = "low" if rule.side is Side.LOW else "high"
    return f"{rule.vital.label} {side}, {rule.priority.name}"


def pauses(kept: Kept) -> tuple[PauseOf, ...]:
    """Every pause of sound or light at the bed, and how it ended."""
    ended: Mapping[int, Resumed] = {
        row.event.pause_id: row.event for row in kept.rows if isinstance(row.event, Resumed)
    }
    return tuple(_pauses(kept, ended))


def _pauses(kept: Kept, ended: Mapping[int, Resumed]) -> Iterator[PauseOf]:
    for row in kept.rows:
        if not isinstance(row.event, Paused):
            continue
        paused, end = row.event, ended.get(row.event.pause_id)
        yield PauseOf(
            paused.kind,
            paused.vital,
            paused.at_ms,
            end.at_ms if end is not None else _open_until_ms(paused, kept),
            paused.why,
            paused.by,
            end.why if end is not None else "",
        )


def _open_until_ms(paused: Paused, kept: Kept) -> int | None:
    """Until when a pause lasted that nobody has ended: its own end, or the session's."""
    ends = [at_ms for at_ms in (paused.until_ms, kept.ended_ms) if at_ms is not None]
    return min(ends, default=None)

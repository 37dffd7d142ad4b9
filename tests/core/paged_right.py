"""What must be true of any history: nobody paged twice, nothing loud gone quiet, no chain that skips.

The laws read what is left of a day (the journal, what the gateways got, when the service ran) and nothing of
the ward itself. What a chain, the duty list and the table of states mean is read here once more, plainly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.alerts.alarm import CUES, table
from monitor.alerts.causes import together
from monitor.alerts.escalation import Chain
from monitor.alerts.roster import Duty
from monitor.alerts.rules import INDEX, RULES, Rule
from monitor.model import (
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    DutySet,
    HandedOver,
    HelpCalled,
    PageOrdered,
    PageRecalled,
    PageReported,
    Priority,
    Rejected,
    SessionMoved,
    SessionPhase,
    Staff,
    Why,
)
from monitor.plan import Plan
from tests.core.killed import History
from tests.core.paged_in_time import ACTIVE, CLEAR, LATCHED, LOST, duty_after, page_words, said, stalls, whom

SETTLED_MS = 60_000
"""So long before the end of a day nothing is asked of a page."""


NO_STEP = (Why.STILL_LATCHED, Why.HANDED_OVER, Why.TEST)
"""Reminders, pages in the place of another, and trials: no step of any chain."""


def broken(history: History) -> list[str]:
    """Every law that this history breaks, a line each."""
    return [
        *states(history),
        *remembered(history),
        *steps(history),
        *stalls(history),
        *gateways(history),
    ]


# The life of an alarm.


def states(history: History) -> Iterator[str]:
    """Every move is one of the table's, and no HIGH without an answer goes quiet."""
    now: dict[int, AlarmState] = {}
    alarms: dict[int, tuple[Bed, Rule]] = {}
    acked: list[tuple[int, Bed, Rule]] = []
    for event in history.events:
        if isinstance(event, Acked) and event.alarm_id in alarms:
            acked.append((event.at_ms, *alarms[event.alarm_id]))
        if not isinstance(event, AlarmMoved):
            continue
        bed, rule = alarms[event.alarm_id] = event.bed, RULES[INDEX[event.rule]]
        was = now.get(event.alarm_id, CLEAR)
        law = table(event.priority)[was][CUES.index(event.cue)]
        if (event.was, event.now) != (was, law):
            yield f"the table: {said(event)} is no move from {was.value}"
        now[event.alarm_id] = event.now
        just_now = [seen for at_ms, where, seen in acked if (at_ms, where) == (event.at_ms, bed)]
        if event.cue is Cue.ACK and not any(_answers(seen, rule) for seen in just_now):
            yield f"quiet without an answer: nobody has acknowledged {said(event)}"
        if event.priority is Priority.HIGH and was in (ACTIVE, LATCHED) and event.cue is Cue.DISCHARGE:
            yield f"quiet without an answer: a session was closed over {said(event)}"


def _answers(seen: Rule, rule: Rule) -> bool:
    """Whether who has seen an alarm of one rule has seen that of the other: one cause, nothing worse."""
    return seen.family == rule.family or (together(seen, rule) and seen.priority >= rule.priority)


def remembered(history: History) -> Iterator[str]:
    """After every start the alarms and the patients are those that the journal says."""
    alarms: dict[int, AlarmState] = {}
    sessions: set[int] = set()
    read = 0
    for number, life in enumerate(history.lives):
        for event in history.events[read : life.rows_before]:
            match event:
                case AlarmMoved(now=AlarmState.CLEAR):
                    alarms.pop(event.alarm_id, None)
                case AlarmMoved():
                    alarms[event.alarm_id] = event.now
                case SessionMoved(now=SessionPhase.CLOSED):
                    sessions.discard(event.session)
                case SessionMoved():
                    sessions.add(event.session)
                case _:
                    pass
        read = life.rows_before
        if life.alarms != alarms or life.sessions != sessions:
            yield (
                f"quiet without an answer: start {number} knew {life.alarms} of {sorted(life.sessions)}, "
                f"and the journal {alarms} of {sorted(sessions)}"
            )


# The chain.


@dataclass(slots=True)
class Send:
    """One step of a chain as it went out: to whom, when, why, and what came of it."""

    at_ms: int
    step: int
    why: Why
    to: list[Staff] = field(default_factory=list)
    lost: set[Staff] = field(default_factory=set)


@dataclass(slots=True)
class Run:
    """One run of a chain: its sends, and what was answered."""

    sends: list[Send] = field(default_factory=list)
    yes_ms: dict[int, int] = field(default_factory=dict)
    """When somebody said to which page that they go, and has not handed back."""
    whys: set[Why] = field(default_factory=set)
    """For what a step may have been due at once."""


def steps(history: History) -> Iterator[str]:
    """No step is sent twice to anybody, none is skipped, none is early, and each goes to whom it means."""
    plan, duty = history.plan, history.plan.duty
    runs: dict[int, Run] = {}
    pages: dict[int, Run] = {}
    for event in history.events:
        match event:
            case DutySet() | HandedOver():
                duty = duty_after(duty, event)
            case AlarmMoved(now=AlarmState.ACTIVE) if event.was is not LATCHED:
                runs[event.alarm_id] = Run()
            case PageOrdered() if event.page_id in pages:
                yield f"paged twice: {page_words(event)} has the number of another page"
            case PageOrdered():
                run = pages[event.page_id] = runs.setdefault(event.alarm_id, Run())
                if event.why not in NO_STEP:
                    yield from _sent(plan, duty, run, event)
            case PageRecalled() if event.page_id in pages:
                pages[event.page_id].yes_ms.pop(event.page_id, None)
            case Accepted() | Rejected() | HelpCalled() | PageReported() if event.page_id in pages:
                _answered(pages[event.page_id], event)
            case _:
                pass


def _answered(run: Run, answer: Accepted | Rejected | HelpCalled | PageReported) -> None:
    match answer:
        case Accepted():
            run.yes_ms[answer.page_id] = answer.at_ms
        case Rejected():
            run.whys.add(Why.REJECTED)
            run.yes_ms.pop(answer.page_id, None)
        case HelpCalled():
            run.whys.add(Why.HELP_CALLED)
        case PageReported(outcome=outcome) if outcome in LOST:
            run.whys.add(Why.UNDELIVERED)


def _sent(plan: Plan, duty: Duty, run: Run, page: PageOrdered) -> Iterator[str]:
    chain = plan.chains[page.priority]
    last = run.sends[-1] if run.sends else None
    if last is not None and (last.at_ms, last.step, last.why) == (page.at_ms, page.step, page.why):
        if page.to in last.to:
            yield f"paged twice: {page_words(page)}, in one step"
        last.to.append(page.to)
        return
    base = _next_step(chain, last, page.why)
    means = {number: whom(plan, duty, page.bed, chain.steps[number].to) for number in range(len(chain.steps))}
    wanted = next((n for n in range(base, len(chain.steps)) if means[n]), base)
    if page.step != wanted:
        word = "paged twice" if last is not None and page.step <= last.step else "skipped"
        yield f"{word}: {page_words(page)}, and step {wanted} was next"
    meant = means.get(wanted) or next((m for m in reversed(means.values()) if m), frozenset())
    if page.to not in meant:
        yield f"skipped: {page_words(page)}, and the step means {sorted(meant)}"
    earliest_ms = _earliest_ms(chain, run, base, page.why)
    if page.at_ms < earliest_ms:
        yield f"early: {page_words(page)}, {earliest_ms - page.at_ms} ms before its time"
    if page.why in (Why.REJECTED, Why.UNDELIVERED, Why.HELP_CALLED) and page.why not in run.whys:
        yield f"early: {page_words(page)}, and there was no such answer"
    run.sends.append(Send(page.at_ms, page.step, page.why, [page.to]))


def _next_step(chain: Chain, last: Send | None, why: Why) -> int:
    if last is None:
        return 0
    return min(1, len(chain.steps) - 1) if why is Why.NOT_AT_BED else last.step + 1


def _earliest_ms(chain: Chain, run: Run, step: int, why: Why) -> int:
    """Before when a step cannot be due; a chain that stood still meanwhile goes on later than this."""
    if not run.sends:
        return 0
    last = run.sends[-1]
    match why:
        case Why.NOT_AT_BED:
            return max(run.yes_ms.values(), default=1 << 62) + chain.not_at_bed_ms
        case Why.REPEAT:
            return last.at_ms + (chain.repeat_ms or 0)
        case Why.UNANSWERED:
            rungs = [rung.after_ms for rung in chain.steps]
            after_last_ms = last.at_ms + rungs[step] - rungs[step - 1]
            return min(after_last_ms, run.sends[0].at_ms + rungs[step])
        case _:
            return last.at_ms


# What the gateways got.


def gateways(history: History) -> Iterator[str]:
    """What went out was written before; in one life of the service a page takes each way once; all ends."""
    ordered = {event.page_id: event for event in history.events if isinstance(event, PageOrdered)}
    seen: set[tuple[int, int, str]] = set()
    for carried in history.carried:
        page = ordered.get(carried.page_id)
        if page is None or page.to != carried.to or page.at_ms > carried.at_ms:
            yield f"paged twice: page {carried.page_id} to {carried.to} is not the journal's"
        key = (carried.life, carried.page_id, carried.way)
        if key in seen:
            yield f"paged twice: page {carried.page_id} to {carried.to} by {carried.way} in one life"
        seen.add(key)
    yield from _without_an_end(history, ordered)


def _without_an_end(history: History, ordered: dict[int, PageOrdered]) -> Iterator[str]:
    """Pages of which nobody ever said what became of them."""
    said = {(event.page_id, event.way) for event in history.events if isinstance(event, PageReported)}
    answered = {event.page_id for event in history.events if isinstance(event, Accepted | Rejected)}
    for page in ordered.values():
        if page.page_id in answered or page.at_ms > history.ended_ms - SETTLED_MS:
            continue
        if silent := [way for way in history.plan.ways[page.to] if (page.page_id, way) not in said]:
            yield f"stalled: {page_words(page)} has no end on {', '.join(silent)}"

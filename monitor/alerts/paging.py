"""The pages of the ward: what went out for each alarm, what came back, and what is due. No clock, no I/O.

Like the board it decides nothing by itself: `due` says what ought to go out, `apply` remembers what did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitor.alerts.board import Alarm
from monitor.alerts.escalation import Answer, Came, Chain, Sent, next_due, step_at
from monitor.model import (
    Accepted,
    AlarmMoved,
    AlarmState,
    Outcome,
    PageOrdered,
    PageRecalled,
    PageReported,
    Priority,
    Rejected,
    Staff,
    Why,
)

KEPT = 200
"""How many pages that are over are still shown; the journal has them all."""

ARRIVED = (Outcome.SENT, Outcome.DELIVERED, Outcome.READ)
LOST = (Outcome.FAILED, Outcome.TIMED_OUT)


@dataclass(slots=True)
class Page:
    """One page and what became of it."""

    ordered: PageOrdered
    outcomes: list[PageReported] = field(default_factory=list)
    answer: Accepted | Rejected | None = None
    over: bool = False

    @property
    def arrived(self) -> bool:
        """Whether at least one way has taken it, or the person has answered."""
        return self.answer is not None or any(o.outcome in ARRIVED for o in self.outcomes)

    def lost(self, ways: tuple[str, ...]) -> bool:
        """Whether every way to this person has failed."""
        failed = {o.way for o in self.outcomes if o.outcome in LOST}
        return not self.arrived and bool(failed) and failed.issuperset(ways)


@dataclass(slots=True)
class Run:
    """One run of the chain for one alarm: from its last ACTIVE on."""

    since_ms: int
    sent: list[Sent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    latched_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A page that ought to go out: when, which step, to which roles, and why."""

    at_ms: int
    step: int
    to: tuple[str, ...]
    why: Why


class Paging:
    """Every chain that runs and every page that is out."""

    def __init__(self, chains: Mapping[Priority, Chain], ways: Mapping[Staff, tuple[str, ...]]) -> None:
        """`ways` are the pagers that reach each person."""
        self._chains = chains
        self._ways = ways
        self._runs: dict[int, Run] = {}
        self._pages: dict[int, Page] = {}
        self.last_id = 0
        self._lost: int | None = None

    def __iter__(self) -> Iterator[Page]:
        """Every page that is kept, oldest first."""
        return iter(list(self._pages.values()))

    def get(self, page_id: int) -> Page | None:
        """The page with this id."""
        return self._pages.get(page_id)

    def of(self, alarm_id: int) -> list[Page]:
        """The pages of one alarm that are not over."""
        return [p for p in self._pages.values() if p.ordered.alarm_id == alarm_id and not p.over]

    def accepted_by(self, alarm_id: int) -> Staff | None:
        """Who has said "I go" in this run and has not handed back."""
        run = self._runs.get(alarm_id)
        since_ms = run.since_ms if run else 0
        answers = [p.answer for p in self.of(alarm_id) if p.answer is not None and p.answer.at_ms >= since_ms]
        taken = [a for a in answers if isinstance(a, Accepted)]
        return max(taken, key=lambda a: a.at_ms).by if taken else None

    def due(self, alarm: Alarm) -> Due | None:
        """The page this alarm needs next if nothing else happens, or None if it needs none."""
        run, chain = self._runs.get(alarm.alarm_id), self._chains.get(alarm.priority)
        if run is None or chain is None:
            return None
        if alarm.state is AlarmState.LATCHED and run.latched_at_ms is not None:
            # The chain holds at its step; the nurse of the bed is reminded until somebody has looked.
            last_ms = max([run.latched_at_ms, *(s.at_ms for s in run.sent[-1:])])
            step = run.sent[-1].step if run.sent else 0
            return Due(last_ms + chain.latched_repeat_ms, step, chain.steps[0].to, Why.STILL_LATCHED)
        if alarm.state is not AlarmState.ACTIVE:
            return None
        found = next_due(chain, run.since_ms, run.sent, run.answers)
        return Due(found[0], found[1], step_at(chain, found[1]).to, found[2]) if found else None

    def is_repeat(self, alarm: Alarm, step: int) -> bool:
        """Whether this step number lies past the end of the alarm's chain."""
        return step >= len(self._chains[alarm.priority].steps)

    def moved(self, moved: AlarmMoved) -> None:
        """Start, hold, go on with or end the chain of an alarm that has moved."""
        run = self._runs.get(moved.alarm_id)
        match moved.now:
            case AlarmState.ACTIVE if run and run.latched_at_ms is not None:
                held_ms = moved.at_ms - run.latched_at_ms
                run.since_ms += held_ms
                run.sent = [Sent(s.step, s.at_ms + held_ms) for s in run.sent]
                run.answers = [Answer(a.step, a.came, a.at_ms + held_ms) for a in run.answers]
                run.latched_at_ms = None
            case AlarmState.ACTIVE:
                self._runs[moved.alarm_id] = Run(moved.at_ms)
            case AlarmState.LATCHED if run:
                run.latched_at_ms = moved.at_ms
            case AlarmState.ACKED | AlarmState.CLEAR:
                self._runs.pop(moved.alarm_id, None)
            case _:
                pass

    def ordered(self, page: PageOrdered) -> None:
        """A page has gone out."""
        self.last_id = max(self.last_id, page.page_id)
        self._pages[page.page_id] = Page(page)
        run = self._runs.get(page.alarm_id)
        if run is not None and not (run.sent and run.sent[-1] == Sent(page.step, page.at_ms)):
            run.sent.append(Sent(page.step, page.at_ms))
        self._forget_old()

    def reported(self, report: PageReported) -> Page | None:
        """What a pager says of a page; None for a page that is not known."""
        page = self._pages.get(report.page_id)
        if page is None:
            return None
        page.outcomes.append(report)
        if report.outcome in ARRIVED and self._lost is not None and page.ordered.page_id >= self._lost:
            self._lost = None
        if page.lost(self._ways.get(page.ordered.to, ())):
            self._step_failed(page, report.at_ms)
        return page

    def accepted(self, accepted: Accepted) -> None:
        """Somebody goes."""
        page = self._pages[accepted.page_id]
        page.answer = accepted
        if run := self._runs.get(page.ordered.alarm_id):
            run.answers.append(Answer(page.ordered.step, Came.ACCEPTED, accepted.at_ms))

    def rejected(self, rejected: Rejected) -> None:
        """Somebody cannot go; once nobody of the step can, the next step is due at once."""
        page = self._pages[rejected.page_id]
        handed_back = isinstance(page.answer, Accepted)
        page.answer = rejected
        if handed_back or self._nobody_left(page):
            self._answer_step(page, Came.REJECTED, rejected.at_ms)

    def recalled(self, recalled: PageRecalled) -> None:
        """A page is over."""
        if page := self._pages.get(recalled.page_id):
            page.over = True

    def undelivered_since_ms(self, grace_ms: int, now_ms: int) -> int | None:
        """When the oldest page was ordered that no way has taken for `grace_ms`; None while pages arrive.

        Stands until a later page arrives: that an alarm is over does not mean that paging works again.
        """
        if self._lost is None:
            for page in self._pages.values():
                if not page.arrived and now_ms - page.ordered.at_ms >= grace_ms and not page.over:
                    self._lost = page.ordered.page_id
                    break
        lost = None if self._lost is None else self._pages.get(self._lost)
        return None if lost is None else lost.ordered.at_ms

    def undelivered_due_ms(self, grace_ms: int) -> int | None:
        """When the oldest page that is still under way will have been so for `grace_ms`."""
        waiting = [p.ordered.at_ms for p in self._pages.values() if not p.arrived and not p.over]
        return min(waiting) + grace_ms if waiting and self._lost is None else None

    def _step_failed(self, page: Page, at_ms: int) -> None:
        if self._nobody_left(page):
            self._answer_step(page, Came.FAILED, at_ms)

    def _nobody_left(self, page: Page) -> bool:
        step = [
            p
            for p in self.of(page.ordered.alarm_id)
            if (p.ordered.step, p.ordered.at_ms) == (page.ordered.step, page.ordered.at_ms)
        ]
        return all(isinstance(p.answer, Rejected) or p.lost(self._ways.get(p.ordered.to, ())) for p in step)

    def _answer_step(self, page: Page, came: Came, at_ms: int) -> None:
        if run := self._runs.get(page.ordered.alarm_id):
            run.answers.append(Answer(page.ordered.step, came, at_ms))

    def _forget_old(self) -> None:
        over = [i for i, p in self._pages.items() if p.over]
        for page_id in over[: max(0, len(over) - KEPT)]:
            del self._pages[page_id]

"""The pages of the ward: what went out for each alarm, what came back, and what is due. No clock, no I/O.

Like the board it decides nothing by itself: `due` says what ought to go out, `apply` remembers what did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from monitor.alerts.board import Alarm
from monitor.alerts.escalation import Answer, Came, Chain, Sent, next_due, step_at
from monitor.model import (
    Accepted,
    AlarmMoved,
    AlarmState,
    Bed,
    HelpCalled,
    Outcome,
    PageChanged,
    PageOpened,
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

OF_NO_ALARM = 0
"""What a test page says its alarm is."""
HANDED_OVER = "handed over"
"""Why a page is over whose recipient has gone off duty."""
OPENED, BY_LINK = "screen", "link"
"""The ways by which a page says itself that it was read."""

Chains = Callable[[Bed, Priority], Chain | None]
"""The ladder of an alarm, by where it is and how urgent; None where it has none."""


@dataclass(slots=True)
class Page:
    """One page and what became of it."""

    ordered: PageOrdered
    outcomes: list[PageReported] = field(default_factory=list)
    changed: PageChanged | None = None
    answer: Accepted | Rejected | None = None
    over_at_ms: int | None = None
    takes_over: Sent | None = None
    """The step whose place it has taken: that of whoever handed it over."""

    @property
    def over(self) -> bool:
        """Whether nobody need answer it any more."""
        return self.over_at_ms is not None

    def opened(self, way: str) -> bool:
        """Whether it has been read on this way."""
        return any((o.way, o.outcome) == (way, Outcome.READ) for o in self.outcomes)

    @property
    def text(self) -> str:
        """What it says now."""
        return self.changed.text if self.changed else self.ordered.text

    @property
    def run_step(self) -> Sent:
        """The step of the chain it went out with."""
        return self.takes_over or Sent(self.ordered.step, self.ordered.at_ms)

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
    """One run of the chain for one alarm: from its last ACTIVE on.

    While the alarm is latched or kept quiet the chain stands still; then it goes on where it stood, and all
    its times move on by as long (`since_ms`, `sent`, `answers`).
    """

    began_ms: int
    since_ms: int
    sent: list[Sent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    newest: Sent | None = None
    """The last step as it went out: what its pages say of themselves."""
    latched_at_ms: int | None = None
    reminded_at_ms: int | None = None
    quiet: bool = False
    stands_since_ms: int | None = None

    def settle(self, at_ms: int) -> None:
        """Stop or go on, as the alarm is latched, quiet or neither."""
        stands = self.quiet or self.latched_at_ms is not None
        if stands and self.stands_since_ms is None:
            self.stands_since_ms = at_ms
        elif not stands and self.stands_since_ms is not None:
            stood_ms, self.stands_since_ms = at_ms - self.stands_since_ms, None
            self.since_ms += stood_ms
            self.sent = [Sent(s.step, s.at_ms + stood_ms) for s in self.sent]
            # What was answered meanwhile counts from now.
            self.answers = [replace(a, at_ms=min(a.at_ms + stood_ms, at_ms)) for a in self.answers]


@dataclass(slots=True)
class Unheard:
    """A page that nobody is known to have got: when it went out, and when it was over."""

    ordered_at_ms: int
    over_at_ms: int | None = None

    def lost(self, grace_ms: int, now_ms: int) -> bool:
        """Whether it was wanted for so long in vain."""
        until_ms = now_ms if self.over_at_ms is None else self.over_at_ms
        return until_ms - self.ordered_at_ms >= grace_ms


@dataclass(frozen=True, slots=True)
class Due:
    """A page that ought to go out: when, which step, to which roles, and why."""

    at_ms: int
    step: int
    to: tuple[str, ...]
    why: Why


class Paging:
    """Every chain that runs and every page that is out."""

    def __init__(self, chain: Chains, ways: Mapping[Staff, tuple[str, ...]]) -> None:
        """`ways` are the pagers that reach each person."""
        self._chain = chain
        self._ways = ways
        self._runs: dict[int, Run] = {}
        self._pages: dict[int, Page] = {}
        self._forgets_at = KEPT
        self.last_id = 0
        self._unheard: dict[int, Unheard] = {}

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
        """Who was the first to say "I go" in this run and has not handed back (ALM-048)."""
        run = self._runs.get(alarm_id)
        began_ms = run.began_ms if run else 0
        answers = [p.answer for p in self.of(alarm_id) if p.answer is not None and p.answer.at_ms >= began_ms]
        answers.sort(key=lambda answer: answer.at_ms)
        newest = {answer.by: answer for answer in answers}
        # Who has said no to a later page does not go, whatever they said to an earlier one.
        going = {by for by, answer in newest.items() if isinstance(answer, Accepted)}
        return next((a.by for a in answers if isinstance(a, Accepted) and a.by in going), None)

    def due(self, alarm: Alarm) -> Due | None:
        """The page this alarm needs next if nothing else happens, or None if it needs none."""
        run, chain = self._runs.get(alarm.alarm_id), self._chain(alarm.bed, alarm.priority)
        if run is None or chain is None or run.quiet:
            return None
        if alarm.state is AlarmState.LATCHED and run.latched_at_ms is not None:
            if alarm.priority is not Priority.HIGH:
                return None  # what recurs stays on the screens; nobody is called to what is not there now
            # The chain holds at its step; the nurse of the bed is reminded until somebody has looked.
            last_ms = max(run.latched_at_ms, run.reminded_at_ms or 0)
            step = run.sent[-1].step if run.sent else 0
            return Due(last_ms + chain.latched_repeat_ms, step, chain.steps[0].to, Why.STILL_LATCHED)
        if alarm.state is not AlarmState.ACTIVE:
            return None
        found = next_due(chain, run.since_ms, run.sent, run.answers)
        return Due(found[0], found[1], step_at(chain, found[1]).to, found[2]) if found else None

    def is_repeat(self, alarm: Alarm, step: int) -> bool:
        """Whether this step number lies past the end of the alarm's chain."""
        chain = self._chain(alarm.bed, alarm.priority)
        return chain is not None and step >= len(chain.steps)

    def moved(self, moved: AlarmMoved) -> None:
        """Start, hold, go on with or end the chain of an alarm that has moved."""
        run = self._runs.get(moved.alarm_id)
        match moved.now:
            case AlarmState.ACTIVE if run and run.latched_at_ms is not None:
                run.latched_at_ms = run.reminded_at_ms = None
                run.settle(moved.at_ms)
            case AlarmState.ACTIVE:
                self._runs[moved.alarm_id] = Run(moved.at_ms, moved.at_ms)
            case AlarmState.LATCHED if run:
                run.latched_at_ms = moved.at_ms
                run.settle(moved.at_ms)
            case AlarmState.ACKED | AlarmState.CLEAR:
                self._runs.pop(moved.alarm_id, None)
            case _:
                pass

    def quieted(self, alarm_id: int, at_ms: int, *, quiet: bool) -> None:
        """Another alarm speaks for this one, or a pause keeps it quiet; or neither does any more."""
        run = self._runs.get(alarm_id)
        if run is not None and run.quiet is not quiet:
            run.quiet = quiet
            run.settle(at_ms)

    def ordered(self, page: PageOrdered) -> None:
        """A page has gone out."""
        self.last_id = max(self.last_id, page.page_id)
        self._pages[page.page_id] = Page(page)
        if len(self._unheard) < KEPT:
            self._unheard[page.page_id] = Unheard(page.at_ms)
        run, sent = self._runs.get(page.alarm_id), Sent(page.step, page.at_ms)
        if run is not None and page.why is Why.STILL_LATCHED:
            run.reminded_at_ms = page.at_ms  # no step of the chain, which stands still
        elif run is not None and page.why is Why.HANDED_OVER:
            # The chain goes on as if that step had gone to them.
            newest = run.newest is not None and run.newest.step == page.step
            self._pages[page.page_id].takes_over = run.newest if newest else None
        elif run is not None and run.newest != sent:
            run.newest = sent
            run.sent.append(sent)
        self._forget_old()

    def reported(self, report: PageReported) -> Page | None:
        """What a pager says of a page; None for a page that is not known."""
        page = self._pages.get(report.page_id)
        if page is None:
            return None
        page.outcomes.append(report)
        if report.outcome in ARRIVED:
            self._heard(report.page_id)
        if page.lost(self._ways.get(page.ordered.to, ())):
            self._step_answered(page, Came.FAILED, report.at_ms)
        return page

    def accepted(self, accepted: Accepted) -> None:
        """Somebody goes."""
        page = self._pages.get(accepted.page_id)
        if page is None:
            return
        page.answer = accepted
        self._heard(accepted.page_id)
        if page.ordered.why is Why.TEST:
            page.over_at_ms = accepted.at_ms
        if run := self._runs.get(page.ordered.alarm_id):
            taken = Answer(page.ordered.step, Came.ACCEPTED, accepted.at_ms, accepted.page_id)
            run.answers.append(taken)

    def rejected(self, rejected: Rejected) -> None:
        """Somebody cannot go; once nobody of the step can, the next step is due at once."""
        page = self._pages.get(rejected.page_id)
        if page is None:
            return
        before, page.answer = page.answer, rejected
        self._heard(rejected.page_id)
        if page.ordered.why is Why.TEST:
            page.over_at_ms = rejected.at_ms
        if isinstance(before, Accepted):
            self._handed_back(page, rejected.at_ms)
        else:
            self._step_answered(page, Came.REJECTED, rejected.at_ms)

    def pages_more(self, alarm_id: int) -> bool:
        """Whether the chain of this alarm runs: a call for more help would reach somebody."""
        run = self._runs.get(alarm_id)
        return run is not None and bool(run.sent) and run.stands_since_ms is None

    def help_called(self, called: HelpCalled) -> None:
        """Somebody asks for more people: the next step is due at once, and who goes still goes."""
        page = self._pages.get(called.page_id)
        run = self._runs.get(page.ordered.alarm_id) if page else None
        if run is not None and run.sent:
            run.answers.append(Answer(run.sent[-1].step, Came.HELP_CALLED, called.at_ms))

    def changed(self, changed: PageChanged) -> None:
        """A page says something else now."""
        if page := self._pages.get(changed.page_id):
            page.changed = changed

    def recalled(self, recalled: PageRecalled) -> None:
        """A page is over. Whoever has said "I go" and hands over does not go."""
        if page := self._pages.get(recalled.page_id):
            page.over_at_ms = recalled.at_ms
            if recalled.why == HANDED_OVER and isinstance(page.answer, Accepted):
                self._unaccepted(page)
        if unheard := self._unheard.get(recalled.page_id):
            unheard.over_at_ms = recalled.at_ms

    def undelivered_since_ms(self, grace_ms: int, now_ms: int) -> int | None:
        """When the oldest page was ordered that no way has taken for `grace_ms`; None while pages arrive.

        Stands until a later page arrives: that an alarm is over does not mean that paging works again.
        """
        for page in self._unheard.values():
            if page.lost(grace_ms, now_ms):
                return page.ordered_at_ms
        return None

    def undelivered_due_ms(self, grace_ms: int, now_ms: int) -> int | None:
        """When the oldest page that is still under way will have been so for `grace_ms`."""
        if self.undelivered_since_ms(grace_ms, now_ms) is not None:
            return None
        waiting = [p.ordered_at_ms for p in self._unheard.values() if p.over_at_ms is None]
        return min(waiting) + grace_ms if waiting else None

    def new_patient(self, bed: Bed) -> None:
        """The pages of the last patient are history: their texts hold somebody else's values."""
        self._pages = {i: p for i, p in self._pages.items() if p.ordered.bed != bed or not p.over}

    def _heard(self, page_id: int) -> None:
        """A page has arrived: nothing that went out before it says any more that paging is down."""
        self._unheard = {i: p for i, p in self._unheard.items() if i > page_id}

    def opened(self, opened: PageOpened) -> Page | None:
        """The person has it before their eyes: it has arrived, whatever the pagers say."""
        way = BY_LINK if opened.link else OPENED
        return self.reported(PageReported(opened.at_ms, opened.page_id, way, Outcome.READ))

    def _unaccepted(self, page: Page) -> None:
        run = self._runs.get(page.ordered.alarm_id)
        taken = (page.ordered.page_id, Came.ACCEPTED)
        for place, answer in enumerate(run.answers if run else ()):
            if run is not None and (answer.page_id, answer.came) == taken:
                del run.answers[place]
                return

    def _handed_back(self, page: Page, at_ms: int) -> None:
        run = self._runs.get(page.ordered.alarm_id)
        if run is None or not run.sent:
            return
        # Answers keep the order they came in. A step goes out again, so its number does not tell which it is.
        for place, answer in enumerate(run.answers):
            if (answer.page_id, answer.came) == (page.ordered.page_id, Came.ACCEPTED):
                newest = answer.at_ms >= run.sent[-1].at_ms
                step = run.sent[-1].step if newest else answer.step
                run.answers[place] = Answer(step, Came.HANDED_BACK, at_ms if newest else answer.at_ms)
                return

    def _step_answered(self, page: Page, came: Came, at_ms: int) -> None:
        """Once nobody of the newest step is left, it has been answered as a whole."""
        run = self._runs.get(page.ordered.alarm_id)
        if run is None or run.newest != page.run_step:
            return
        step = [p for p in self.of(page.ordered.alarm_id) if p.run_step == page.run_step]
        if all(isinstance(p.answer, Rejected) or p.lost(self._ways.get(p.ordered.to, ())) for p in step):
            run.answers.append(Answer(page.ordered.step, came, at_ms))

    def _forget_old(self) -> None:
        # A ladder that nobody answers has a page a minute for hours: not all of them are looked at each time.
        if len(self._pages) < self._forgets_at:
            return
        over = [i for i, p in self._pages.items() if p.over]
        for page_id in over[: max(0, len(over) - KEPT)]:
            del self._pages[page_id]
        self._forgets_at = len(self._pages) + KEPT

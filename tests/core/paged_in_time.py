"""What a plain reader of a journal knows: whom a step means, whose turn it is, and when a chain has stalled.

Time counts only while a chain should run: the service is up, the alarm is raised and speaks for itself, and
somebody on duty could be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from monitor.alerts.causes import together
from monitor.alerts.escalation import Chain
from monitor.alerts.roster import Duty
from monitor.alerts.rules import INDEX, RULES, Rule
from monitor.model import (
    Accepted,
    AlarmMoved,
    AlarmState,
    Bed,
    DutySet,
    HandedOver,
    HelpCalled,
    Outcome,
    PageOrdered,
    PageRecalled,
    PageReported,
    Paused,
    PauseKind,
    Priority,
    Rejected,
    Resumed,
    Staff,
    Why,
)
from monitor.people import Role
from monitor.plan import Plan
from monitor.treatment import Happening
from tests.core.killed import History, Life

ACTIVE, ACKED, LATCHED, CLEAR = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED, AlarmState.CLEAR
LOST, ARRIVED = (Outcome.FAILED, Outcome.TIMED_OUT), (Outcome.SENT, Outcome.DELIVERED, Outcome.READ)

SLACK_MS = 1_500
"""A turn comes once a second at the latest."""

UNPAGED = "paging-down"
"""No page could tell of it: every screen does."""

NURSES = (Role.NURSE, Role.CHARGE_NURSE)


@dataclass(slots=True)
class Open:
    """One alarm that is not over, and how long its chain has had nothing to say while it should."""

    moved: AlarmMoved
    rule: Rule
    raised_ms: int
    sent: bool = False
    since_page_ms: int = 0
    since_yes_ms: int | None = None
    at_once_ms: int | None = None
    """For how long the next step has been due at once."""
    called: bool = False
    yes: set[int] = field(default_factory=set)
    """The pages since the newest step to which somebody has said that they go."""
    newest: set[int] = field(default_factory=set)
    """The pages of the newest step."""
    gone: set[int] = field(default_factory=set)
    """Those of them to which somebody has said that they cannot."""
    step: tuple[int, int] = (0, -1)

    @property
    def sounds(self) -> bool:
        """Whether it is raised and nobody has answered."""
        return self.moved.now is ACTIVE

    @property
    def age(self) -> tuple[int, int]:
        """Less is older."""
        return self.raised_ms, self.moved.alarm_id


class Floor:
    """What a plain reader of the journal knows at one point of it."""

    def __init__(self, plan: Plan) -> None:
        """Nothing has been read."""
        self.plan = plan
        self.duty = plan.duty
        self.open: dict[int, Open] = {}
        self._pages: dict[int, PageOrdered] = {}
        self._outcomes: dict[int, dict[str, set[Outcome]]] = {}
        self._pauses: dict[int, Paused] = {}

    def reads(self, event: Happening) -> None:
        """One row more."""
        match event:
            case DutySet() | HandedOver():
                self.duty = duty_after(self.duty, event)
            case PageRecalled() if event.page_id in self._pages:
                self._is_over(event)
            case Paused():
                self._pauses[event.pause_id] = event
            case Resumed():
                self._pauses.pop(event.pause_id, None)
            case AlarmMoved():
                self._moved(event)
            case PageOrdered():
                self._pages[event.page_id] = event
                self._paged(event)
            case Accepted() | Rejected() | HelpCalled() | PageReported() if event.page_id in self._pages:
                self._answered(self._pages[event.page_id], event)
            case _:
                pass

    def _answered(self, page: PageOrdered, answer: Accepted | Rejected | HelpCalled | PageReported) -> None:
        one = self.open.get(page.alarm_id)
        if isinstance(answer, PageReported):
            said = self._outcomes.setdefault(page.page_id, {}).setdefault(answer.way, set())
            said.add(answer.outcome)
        if one is None:
            return
        match answer:
            case Accepted():
                one.since_yes_ms = 0
                one.yes.add(page.page_id)
                one.at_once_ms = one.at_once_ms if one.called else None
            case Rejected() if page.page_id in one.yes:
                one.yes.discard(page.page_id)
                if not one.yes:
                    one.since_yes_ms = None
                    self._due_at_once(one)
            case HelpCalled():
                one.at_once_ms, one.called = 0, True
            case Rejected():
                one.gone.add(page.page_id)
                self._not_by(one, page.page_id)
            case PageReported() if page.page_id not in one.yes and self._is_lost(page):
                self._not_by(one, page.page_id)

    def should_page(self, one: Open) -> bool:
        """Whether the chain of this alarm has anything to say to anybody now."""
        rule, bed = one.rule, one.moved.bed
        if not one.sounds or rule.priority not in self.plan.chains or rule.condition == UNPAGED:
            return False
        if self._silent(one) or any(self._pages_for(other, one) for other in self.open.values()):
            return False
        return any(whom(self.plan, self.duty, bed, step.to) for step in self.plan.chains[rule.priority].steps)

    def _silent(self, one: Open) -> bool:
        """Whether a pause holds its pages back, or an alarm of the same cause speaks for it."""
        held = one.rule.priority is not Priority.HIGH and any(
            pause.bed == one.moved.bed
            and pause.kind is PauseKind.ALARM
            and pause.vital in (None, one.rule.vital)
            for pause in self._pauses.values()
        )
        return held or any(self._speaks_for(other, one) for other in self.open.values())

    def _pages_for(self, other: Open, one: Open) -> bool:
        """Breath and saturation are one page, rate and pressure of a faint another: the worst one's."""
        return (
            other.moved.bed == one.moved.bed
            and other.sounds
            and together(other.rule, one.rule)
            and (-other.rule.priority, *other.age) < (-one.rule.priority, *one.age)
            and not self._silent(other)
        )

    def _moved(self, moved: AlarmMoved) -> None:
        one = self.open.get(moved.alarm_id)
        if moved.now is CLEAR:
            self.open.pop(moved.alarm_id, None)
        elif one is None or (moved.now is ACTIVE and moved.was is not LATCHED):
            self.open[moved.alarm_id] = Open(moved, RULES[INDEX[moved.rule]], moved.at_ms)
        else:
            one.moved = moved
            one.raised_ms = moved.at_ms if moved.now is ACTIVE else one.raised_ms

    def _paged(self, page: PageOrdered) -> None:
        one = self.open.get(page.alarm_id)
        if one is None or page.why is Why.STILL_LATCHED:
            return
        if page.why is Why.HANDED_OVER:
            # It stands in the place of the page of whoever has gone.
            one.newest |= {page.page_id} if page.step == one.step[1] else set()
            return
        if one.step != (page.at_ms, page.step):
            one.step, one.newest, one.gone = (page.at_ms, page.step), set(), set()
            one.sent, one.since_page_ms, one.since_yes_ms, one.at_once_ms = True, 0, None, None
            one.called, one.yes = False, set()
        one.newest.add(page.page_id)

    def _is_over(self, recalled: PageRecalled) -> None:
        """Whoever has handed over does not go, whatever they have said."""
        one = self.open.get(self._pages[recalled.page_id].alarm_id)
        if one is not None:
            one.newest.discard(recalled.page_id)
            one.yes.discard(recalled.page_id)
            one.since_yes_ms = one.since_yes_ms if one.yes else None

    def _not_by(self, one: Open, page_id: int) -> None:
        """Nobody comes for this page; once nobody of its step does, the next step is due at once."""
        left = [i for i in one.newest - one.gone if not self._is_lost(self._pages[i])]
        if page_id in one.newest and not left and not one.yes:
            self._due_at_once(one)

    def _due_at_once(self, one: Open) -> None:
        if one.step[1] + 1 < len(self.plan.chains[one.rule.priority].steps):
            one.at_once_ms = one.at_once_ms or 0

    def _is_lost(self, page: PageOrdered) -> bool:
        said = self._outcomes.get(page.page_id, {})
        arrived = any(found & set(ARRIVED) for found in said.values())
        failed = {way for way, found in said.items() if found & set(LOST)}
        return not arrived and bool(failed) and failed >= set(self.plan.ways[page.to])

    def _speaks_for(self, other: Open, one: Open) -> bool:
        """One cause, one page: the worse speaks, of two alike the older; a lost link speaks for silence."""
        if other is one or other.moved.bed != one.moved.bed or other.moved.now not in (ACTIVE, ACKED):
            return False
        if other.rule.condition == "link-lost" and one.rule.condition in ("spo2-gap", "hr-gap", "rr-gap"):
            return True
        if (other.rule.family, other.moved.device) != (one.rule.family, one.moved.device):
            return False
        if other.rule.priority > one.rule.priority:
            return True
        return other.rule.priority is one.rule.priority and other.age < one.age and other.sounds


def stalls(history: History) -> Iterator[str]:
    """While an alarm is raised and somebody could be told, the next page comes in the time of its chain."""
    floor = Floor(history.plan)
    told: set[tuple[int, str]] = set()
    ends = [event.at_ms for event in history.events[1:]]
    for event, next_ms in zip(history.events, [*ends, history.ended_ms], strict=True):
        floor.reads(event)
        passed_ms = _up_ms(history.lives, event.at_ms, next_ms)
        if not passed_ms:
            continue
        for one in floor.open.values():
            law = _overdue(floor.plan, one, passed_ms) if floor.should_page(one) else None
            if law is not None and (one.moved.alarm_id, law) not in told:
                told.add((one.moved.alarm_id, law))
                yield f"stalled: {said(one.moved)}: {law}, before {next_ms}"


def _overdue(plan: Plan, one: Open, passed_ms: int) -> str | None:
    """Let time pass for one chain; what is late by then."""
    chain = plan.chains[one.rule.priority]
    one.since_page_ms += passed_ms
    if one.at_once_ms is not None:
        one.at_once_ms += passed_ms
        if one.at_once_ms > SLACK_MS:
            return "the next step was due at once"
    if one.since_yes_ms is not None:
        one.since_yes_ms += passed_ms
        late = one.since_yes_ms > chain.not_at_bed_ms + SLACK_MS
        return "somebody said yes and has not come" if late else None
    most_ms = _gap_ms(chain, one.step[1]) if one.sent else 0
    return "no page" if one.since_page_ms > most_ms + SLACK_MS else None


def _gap_ms(chain: Chain, step: int) -> int:
    """How long after this step the next one comes at the latest."""
    if step + 1 < len(chain.steps):
        return chain.steps[step + 1].after_ms - chain.steps[step].after_ms
    return chain.repeat_ms or 0


def _up_ms(lives: Sequence[Life], from_ms: int, until_ms: int) -> int:
    """For how long of this stretch there was a service."""
    return sum(max(0, min(until_ms, life.until_ms) - max(from_ms, life.from_ms)) for life in lives)


def duty_after(duty: Duty, event: DutySet | HandedOver) -> Duty:
    """Who is on duty from now on, and who has which bed."""
    if isinstance(event, DutySet):
        return Duty(event.on, dict(event.beds))
    on = tuple(dict.fromkeys([*(name for name in duty.on if name != event.was), event.to]))
    return Duty(on, {bed: event.to if name == event.was else name for bed, name in duty.beds.items()})


def whom(plan: Plan, duty: Duty, bed: Bed, roles: Iterable[str]) -> frozenset[Staff]:
    """Whom a step may go to: one of them, or for "everyone" all of them."""
    on = [plan.people[name] for name in duty.on]
    assigned = duty.beds.get(bed)
    found: set[Staff] = set()
    for role in roles:
        match role:
            case "assigned nurse":
                found |= {p.name for p in on if p.name == assigned}
            case "second nurse":
                found |= {p.name for p in on if p.role in NURSES and p.name != assigned}
            case "charge nurse":
                found |= {p.name for p in on if p.role is Role.CHARGE_NURSE}
            case "prescriber":
                found |= {p.name for p in on if p.role is Role.PRESCRIBER}
            case "everyone":
                found |= {p.name for p in on if p.on_site}
    return frozenset(found)


def said(moved: AlarmMoved) -> str:
    return f"alarm {moved.alarm_id} ({moved.rule} at bed {moved.bed}, {moved.cue.value} at {moved.at_ms})"


def page_words(page: PageOrdered) -> str:
    return (
        f"page {page.page_id} to {page.to} (alarm {page.alarm_id}, {page.rule}, step {page.step}, "
        f"{page.why.value}, at {page.at_ms})"
    )

"""Who is called to an alarm, when, and with which words: the duty list, the chains and the pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.alerts import mutes
from monitor.alerts.board import Alarm, Board
from monitor.alerts.causes import group, together
from monitor.alerts.escalation import Step
from monitor.alerts.paging import HANDED_OVER, OF_NO_ALARM, Due, Page, Paging
from monitor.alerts.roster import Duty, has_anybody, has_nurse, has_prescriber, meant
from monitor.alerts.rules import INDEX, RULES
from monitor.alerts.trials import Trials
from monitor.alerts.words import TEST_OVER, TEST_PAGE, recall_text
from monitor.model import (
    CLINIC,
    AlarmMoved,
    AlarmState,
    Bed,
    DutySet,
    HandedOver,
    PageChanged,
    PageOrdered,
    PageRecalled,
    Priority,
    Staff,
    Why,
)
from monitor.plan import Plan
from monitor.snapshot import DutyNow
from monitor.ward.bedside import Bedside
from monitor.ward.wording import Wording

UNPAGED = ("paging-down",)
"""Conditions that no page could tell of: every screen does."""

TESTED = "test-failed-m"
"""What a test page is about: the alarm that there is if it does not arrive."""


class Calling:
    """Whom every open alarm calls; one object a ward. Pages are ordered here and remembered by `Paging`."""

    def __init__(
        self,
        plan: Plan,
        beds: Mapping[Bed, Bedside],
        board: Board,
        paging: Paging,
        trials: Trials,
        wording: Wording,
    ) -> None:
        """On duty are those of the plan, until somebody says otherwise."""
        self.duty = plan.duty
        self._set_by: DutySet | HandedOver | None = None
        self._plan = plan
        self._beds = beds
        self._board = board
        self._paging = paging
        self._trials = trials
        self._wording = wording

    # Who is on duty.

    def duty_set(self, event: DutySet) -> None:
        """Somebody says who is on, and who has which bed."""
        self._set(event, Duty(event.on, dict(event.beds)))

    def handed_over(self, event: HandedOver) -> None:
        """Somebody goes off, and another has their beds."""
        self._set(event, self.duty.handed_over(event.was, event.to))

    def duty_now(self, now_ms: int) -> DutyNow:
        """Who is on duty and who has which bed, and whether pages reach them."""
        set_by = self._set_by
        return DutyNow(
            on=self.duty.on,
            beds=tuple(self.duty.beds.items()),
            set_by=set_by.by if set_by else None,
            set_at_ms=set_by.at_ms if set_by else None,
            test=self._trials.now(now_ms),
        )

    def has_nurse(self, bed: Bed) -> bool:
        """Whether the bed has a nurse on duty; in a replay nobody is."""
        return not self._plan.live or has_nurse(bed, self.duty, self._plan.people)

    def has_anybody(self) -> bool:
        """Whether anybody is on duty whom an alarm could call; in a replay nobody is."""
        return not self._plan.live or has_anybody(self.duty, self._plan.people)

    def has_prescriber(self) -> bool:
        """Whether a prescriber is on duty in the house."""
        return not self._plan.live or has_prescriber(self.duty, self._plan.people)

    def unreached_since_ms(self, bed: Bed, now_ms: int) -> int | None:
        """Since when nothing has shown that a page reaches the nurse of this bed."""
        nurse = self.duty.nurse(bed)
        return None if nurse is None else self._trials.unreached_since_ms(nurse, now_ms)

    def test_failed_since_ms(self, now_ms: int) -> int | None:
        """Since when a test page has not come through."""
        return self._trials.failed_since_ms(now_ms)

    def _set(self, event: DutySet | HandedOver, duty: Duty) -> None:
        self._set_by, self.duty = event, duty
        self._trials.on_duty(event, duty.on)

    # Pages that go out.

    def due(self, alarm: Alarm) -> Due | None:
        """The page this alarm needs next, or None where it needs none or would reach nobody."""
        if alarm.rule.condition in UNPAGED:
            return None
        due = self._paging.due(alarm)
        return due if due is not None and self._reaches_anybody(alarm) else None

    def pages(self, alarm: Alarm, now_ms: int) -> list[PageOrdered]:
        """The pages of an alarm that have fallen due."""
        due = self.due(alarm)
        if due is None or due.at_ms > now_ms:
            return []
        step, to = self._whom(alarm, due)
        words = self._words(alarm, now_ms)
        return [
            PageOrdered(
                at_ms=now_ms,
                page_id=page_id,
                alarm_id=alarm.alarm_id,
                bed=alarm.bed,
                rule=alarm.rule.name,
                priority=alarm.priority,
                step=step,
                to=name,
                why=due.why,
                text=words,
            )
            for page_id, name in enumerate(to, self._paging.last_id + 1)
        ]

    def tests(self, to: Sequence[Staff], now_ms: int) -> list[PageOrdered]:
        """A test page to each of these."""
        return [
            PageOrdered(
                at_ms=now_ms,
                page_id=page_id,
                alarm_id=OF_NO_ALARM,
                bed=CLINIC,
                rule=TESTED,
                priority=Priority.MEDIUM,
                step=0,
                to=name,
                why=Why.TEST,
                text=TEST_PAGE,
            )
            for page_id, name in enumerate(to, self._paging.last_id + 1)
        ]

    def tests_over(self, now_ms: int) -> list[PageRecalled]:
        """The test pages that nobody has answered in their time."""
        return [
            PageRecalled(now_ms, page.ordered.page_id, TEST_OVER, "nobody has answered it")
            for page in self._trials.overdue(now_ms)
        ]

    def to_the_next(self, event: HandedOver) -> tuple[list[PageRecalled], list[PageOrdered]]:
        """The open pages of somebody who goes off: over for them, and ordered for who comes on."""
        theirs = [page for page in self._paging if page.ordered.to == event.was and not page.over]
        over = [
            PageRecalled(
                event.at_ms,
                page.ordered.page_id,
                recall_text(page.ordered.bed, "somebody else has this now."),
                HANDED_OVER,
            )
            for page in theirs
        ]
        newest = {page.ordered.alarm_id: page for page in theirs if page.ordered.why is not Why.TEST}
        wanted = [(page, alarm) for page in newest.values() if (alarm := self._wants(page, event.to))]
        ordered = [
            PageOrdered(
                at_ms=event.at_ms,
                page_id=page_id,
                alarm_id=alarm.alarm_id,
                bed=alarm.bed,
                rule=alarm.rule.name,
                priority=alarm.priority,
                step=page.ordered.step,
                to=event.to,
                why=Why.HANDED_OVER,
                text=self._words(alarm, event.at_ms),
            )
            for page_id, (page, alarm) in enumerate(wanted, self._paging.last_id + 1)
        ]
        return over, ordered

    def _wants(self, page: Page, to: Staff) -> Alarm | None:
        """The alarm of a page, where it still calls for somebody and they have no page of it yet."""
        alarm = self._board.get(page.ordered.alarm_id)
        if alarm is None or alarm.state not in (AlarmState.ACTIVE, AlarmState.LATCHED):
            return None
        there = any(each.ordered.to == to for each in self._paging.of(alarm.alarm_id))
        return None if there else alarm

    def dues(self, now_ms: int) -> Iterator[int]:
        """When each next page is due, and when a page that is under way counts as lost."""
        yield from self._trials.dues(now_ms)
        for alarm in self._board:
            if (due := self.due(alarm)) is not None:
                yield due.at_ms
        grace_ms = self._plan.undelivered_ms
        if grace_ms is not None:
            lost_ms = self._paging.undelivered_due_ms(grace_ms, now_ms)
            if lost_ms is not None:
                yield lost_ms

    def in_vain_since_ms(self, now_ms: int) -> int | None:
        """Since when pages have reached nobody."""
        grace_ms = self._plan.undelivered_ms
        return None if grace_ms is None else self._paging.undelivered_since_ms(grace_ms, now_ms)

    # Pages that are out.

    def rewordings(self, moved: AlarmMoved, now_ms: int) -> list[PageChanged]:
        """Its condition has ended before anybody has looked, or is back: the pages that are out say so."""
        alarm = self._board.get(moved.alarm_id)
        if alarm is None:
            return []
        words = self._words(alarm, now_ms)
        pages = [page for page in self._paging.of(alarm.alarm_id) if page.text != words]
        return [PageChanged(now_ms, page.ordered.page_id, words) for page in pages]

    def regroupings(self, moved: AlarmMoved, now_ms: int) -> list[PageChanged]:
        """What one page says for several alarms is another list now that one of them has moved."""
        rule = RULES[INDEX[moved.rule]]
        if group(rule) is None:
            return []
        changed = []
        for alarm in self._board.of(moved.bed):
            if alarm.state is AlarmState.ACTIVE and together(alarm.rule, rule):
                words = self._words(alarm, now_ms)
                out = self._paging.of(alarm.alarm_id)
                pages = [page for page in out if _listed(page.text) != _listed(words)]
                changed += [PageChanged(now_ms, page.ordered.page_id, words) for page in pages]
        return changed

    def _words(self, alarm: Alarm, now_ms: int) -> str:
        """What a page of this alarm says, for itself and for what it is the page of as well."""
        silent = self._silent(alarm.bed, now_ms)
        also = [
            other
            for other in self._board.of(alarm.bed)
            if other.state is AlarmState.ACTIVE
            and other.alarm_id not in silent
            and self._board.pages_for(other, silent) is alarm
        ]
        return self._wording.page(alarm, now_ms, also)

    def recalls(self, moved: AlarmMoved, now_ms: int) -> list[PageRecalled]:
        """Nobody need come any more: every page of the alarm that is out says so."""
        pages = self._paging.of(moved.alarm_id)
        if not pages:
            return []
        words = self._wording.recall(moved, RULES[INDEX[moved.rule]], now_ms)
        return [PageRecalled(now_ms, page.ordered.page_id, words, moved.cue.value) for page in pages]

    def quieten(self, bed: Bed, at_ms: int) -> None:
        """Whose chain stands still now: another alarm speaks for it, or a pause holds its pages back."""
        silent = self._silent(bed, at_ms)
        for alarm in self._board.of(bed):
            quiet = alarm.alarm_id in silent or self._board.pages_for(alarm, silent) is not None
            self._paging.quieted(alarm.alarm_id, at_ms, quiet=quiet)

    def _silent(self, bed: Bed, at_ms: int) -> frozenset[int]:
        """The alarms of a bed that page nobody: a worse one of their cause speaks, or a pause holds them."""
        bedside = self._beds.get(bed)
        pauses = bedside.pauses.values() if bedside else ()
        return frozenset(
            alarm.alarm_id
            for alarm in self._board.of(bed)
            if self._board.speaker(alarm) is not None
            or mutes.why_unpaged(pauses, bed, alarm.rule.vital, alarm.priority, at_ms) is not None
        )

    # Whom a step means.

    def _whom(self, alarm: Alarm, due: Due) -> tuple[int, tuple[Staff, ...]]:
        """The step that goes out, and the people on duty it means."""
        steps = self._steps(alarm)
        if due.why is Why.STILL_LATCHED:  # a reminder is no step of the chain
            return due.step, next(filter(None, (self._meant(s.to, alarm.bed) for s in steps)), ())
        for number in range(due.step, len(steps)):
            # A step that means nobody on duty is no step: go on to the next at once.
            if to := self._meant(steps[number].to, alarm.bed):
                return number, to
        # Nobody further up is on duty: who can be reached is asked again, in the time of the chain.
        return due.step, next(filter(None, (self._meant(s.to, alarm.bed) for s in reversed(steps))), ())

    def _reaches_anybody(self, alarm: Alarm) -> bool:
        steps = self._steps(alarm)
        return any(self._meant(step.to, alarm.bed) for step in steps)

    def _steps(self, alarm: Alarm) -> tuple[Step, ...]:
        chain = self._plan.chain(alarm.bed, alarm.priority)
        return chain.steps if chain else ()

    def _meant(self, to: Sequence[str], bed: Bed) -> tuple[Staff, ...]:
        names = [name for role in to for name in meant(role, bed, self.duty, self._plan.people)]
        return tuple(dict.fromkeys(names))


def _listed(text: str) -> str:
    """What a page lists, without what has come of it since."""
    return text.split(". ", maxsplit=1)[0]

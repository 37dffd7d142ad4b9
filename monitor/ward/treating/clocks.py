"""Where a session is in time: what is due, its clocks and its ring, the expected course, the form. Pure."""

from __future__ import annotations

from typing import Literal

from monitor.sessions import expected
from monitor.sessions.due import FINAL, FORM, NIBP, Due, When
from monitor.sessions.record import Record
from monitor.sessions.therapy import ms
from monitor.treatment import (
    Score,
)
from monitor.treatment_now import (
    ClocksNow,
    CourseNow,
    DueNow,
    FormNow,
    MovedNow,
)
from monitor.ward.treating.before import lasts_ms

GUIDE_MIN = 120
"""The ring of a therapy without a least stay is an open arc of so long, as a guide only (P)."""

COURSE_STEP_MS, COURSE_STEPS = 300_000, 49
"""The expected course is told in steps, for four hours: so long may pressure stay up (physiology.md 5)."""

DAY_MS = 86_400_000


def due_now(due: Due, record: Record, now_ms: int) -> DueNow:
    """One thing that is due, with its words."""
    return DueNow(
        what=due.name,
        title=due.title,
        state=due.when,
        opens_at_ms=due.opens_ms,
        due_at_ms=due.due_ms,
        late_at_ms=due.late_ms,
        closes_at_ms=due.closes_ms,
        priority=None if due.late is None else due.late.name,
        words=_due_words(due, now_ms),
        asks=_asks(due, record),
    )


def _asks(due: Due, record: Record) -> tuple[Score, ...]:
    """A check that comes again asks for all of its scores anew, one that comes once for what it lacks."""
    check = next((check for check in record.therapy.check if check.name == due.name), None)
    if check is None:
        return ()
    items = check.items if check.due_min is None else due.missing
    return tuple(Score(item) for item in items if item in set(Score))


def _due_words(due: Due, now_ms: int) -> str:
    if due.name == FORM:
        return _form_words(due.due_ms, now_ms)
    left_ms = due.due_ms - now_ms
    if left_ms > 0:
        by_itself = due.name in {NIBP, FINAL} or due.late is None
        return f"{due.title} {'in' if by_itself else 'due in'} {-(-left_ms // 60_000)} min"
    if due.late is None:
        return f"{due.title} may be given"
    return f"{due.title} {-left_ms // 60_000} min late" if due.when is When.LATE else f"{due.title} due now"


def clocks_now(record: Record) -> ClocksNow:
    """The clocks of the session, and what fills its ring."""
    floor = record.therapy.floor
    until_ms = record.floor_until_ms()
    ring: Literal["floor", "expected", "guide"] | None = None
    ring_ms: int | None = None
    if until_ms is not None:
        ring, ring_ms = "floor", until_ms
    elif record.start_ms is not None and floor is None:
        ring, ring_ms = "guide", record.start_ms + ms(GUIDE_MIN)
    elif floor is not None and (anchor_ms := _expected_ms(record)) is not None:
        ring, ring_ms = "expected", anchor_ms + ms(floor.min)
    return ClocksNow(
        start_at_ms=record.start_ms,
        last_device_at_ms=record.last_device_ms,
        end_at_ms=record.end_ms,
        ended_at_ms=record.since_ms if record.over else None,
        floor_min=None if floor is None else floor.min,
        floor_until_at_ms=until_ms,
        ring=ring,
        ring_until_at_ms=ring_ms,
    )


def course_now(record: Record) -> CourseNow | None:
    """How the drug is expected to move today's baseline; None before its start."""
    start_ms = record.start_ms
    if start_ms is None:
        return None
    times = (start_ms + i * COURSE_STEP_MS for i in range(COURSE_STEPS))
    return CourseNow(
        from_at_ms=start_ms,
        step_ms=COURSE_STEP_MS,
        shares=tuple(round(expected.share(record, at_ms), 3) for at_ms in times),
        vitals={vital: MovedNow(m.rise, m.sd, m.slack) for vital, m in expected.moved(record).items()},
    )


def _expected_ms(record: Record) -> int | None:
    """When the devices or the pump should be through: nothing is decided by it."""
    rules, last_ms = record.therapy.devices, record.last_device_ms
    if rules is not None:
        left = record.opened.devices - len(record.devices)
        return None if last_ms is None else last_ms + max(left, 0) * ms(rules.spacing_min)
    pump_ms = lasts_ms(record)
    return record.start_ms + pump_ms if record.start_ms is not None and pump_ms else None


def form_now(record: Record, now_ms: int) -> FormNow | None:
    """The form of a session whose drug has been given; it is owed once the session is over."""
    form, start_ms, sent = record.therapy.form, record.start_ms, record.form_sent
    if form is None or start_ms is None:
        return None
    due_ms = start_ms + round(form.due_days * DAY_MS)
    return FormNow(
        due_at_ms=due_ms,
        words=_form_words(due_ms, now_ms) if sent is None else "Form sent",
        late=sent is None and now_ms >= start_ms + round(form.medium_day * DAY_MS),
        sent_at_ms=sent.at_ms if sent else None,
        sent_by=sent.by if sent else None,
        how=sent.how if sent else "",
    )


def _form_words(due_ms: int, now_ms: int) -> str:
    days = (due_ms - now_ms) / DAY_MS
    if days < 0:
        return "Form overdue"
    if days <= 0.5:
        return "Form due today"
    whole = max(1, round(days))
    return f"Form due in {whole} {'day' if whole == 1 else 'days'}"

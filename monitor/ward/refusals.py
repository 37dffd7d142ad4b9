"""Why an act of the staff is not accepted now, in words that can stand on a screen. A table of acts; pure."""

from __future__ import annotations

from typing import assert_never

from monitor.alerts import mutes
from monitor.alerts.board import Alarm
from monitor.alerts.paging import BY_LINK, OPENED, Page
from monitor.alerts.roster import is_nurse
from monitor.model import (
    Accepted,
    Acked,
    Admitted,
    AlarmState,
    Bed,
    CuffAsked,
    CuffCancelled,
    CuffTaken,
    Discharged,
    DutySet,
    HandedOver,
    HelpCalled,
    LimitSet,
    PageOpened,
    Paused,
    PauseKind,
    Rejected,
    Resumed,
    ScreenMoved,
    SoundSaid,
    StaffAction,
    TrialAsked,
    VitalTyped,
    Why,
)
from monitor.people import MAY_QUIET
from monitor.treatment import Act, Action, Move, TreatmentOpened
from monitor.ward.bedside import Bedside
from monitor.ward.parts import Parts

ANSWERABLE = (AlarmState.ACTIVE, AlarmState.LATCHED)

HELP_AGAIN_MS = 10_000
"""A second press so soon is a finger that shook, not another call."""


def refusals(parts: Parts, action: Action, now_ms: int) -> tuple[str, ...]:
    """Why this act would not be accepted now: what is missing, a line each; nothing where it would be."""
    if isinstance(action, TreatmentOpened):
        there = _empty(parts, action.bed)
        return (*filter(None, (there,)), *parts.treatments.refusals(action))
    if isinstance(action, Act):
        return parts.treatments.refusals(action)
    found = refusal(parts, action, now_ms)
    return () if found is None else (found,)


def refusal(  # noqa: C901, PLR0911, PLR0912  a table of acts
    parts: Parts, action: StaffAction | CuffTaken, now_ms: int
) -> str | None:
    """Why this act would not be accepted now, or None where it would."""
    match action:
        case Admitted():
            return _admission(parts, action)
        case Discharged(session=session):
            return _discharge(parts, session)
        case Acked():
            return _acknowledgement(parts, action)
        case Accepted(page_id=page_id) | Rejected(page_id=page_id):
            page = parts.paging.get(page_id)
            return "There is no such page." if page is None else _answer(page, action)
        case HelpCalled(page_id=page_id):
            return _help(parts, parts.paging.get(page_id), now_ms)
        case Paused(bed=bed):
            return _unoccupied(parts, bed) or mutes.refusal(action) or _quiet(parts, action)
        case Resumed(bed=bed, pause_id=pause_id):
            there = bed in parts.beds and pause_id in parts.beds[bed].pauses
            return None if there else "This pause has ended."
        case LimitSet(bed=bed):
            return _unoccupied(parts, bed) or parts.watch.refuse_limit(action)
        case DutySet():
            return _duty(parts, action)
        case HandedOver():
            return _hand_over(parts, action)
        case TrialAsked():
            return _test(parts)
        case PageOpened():
            return _opening(parts.paging.get(action.page_id), action)
        case CuffAsked(bed=bed):
            return _unoccupied(parts, bed) or parts.cuffs.refusal(parts.beds[bed], now_ms)
        case CuffCancelled(bed=bed):
            return _unoccupied(parts, bed) or parts.cuffs.refusal_to_stop(parts.beds[bed])
        case VitalTyped(bed=bed) | CuffTaken(bed=bed):
            return _unoccupied(parts, bed)
        case ScreenMoved() | SoundSaid():
            return None
        case _:
            assert_never(action)


def _unoccupied(parts: Parts, bed: Bed) -> str | None:
    bedside = parts.beds.get(bed)
    if bedside is None:
        return f"There is no bed {bed}."
    return None if bedside.session is not None else f"Bed {bed} has no open session."


def _empty(parts: Parts, bed: Bed) -> str | None:
    bedside = parts.beds.get(bed)
    if bedside is None:
        return f"There is no bed {bed}."
    return None if bedside.session is None else f"Bed {bed} has an open session. Close it first."


def _admission(parts: Parts, event: Admitted) -> str | None:
    if (there := _empty(parts, event.bed)) is not None:
        return there
    if event.profile not in parts.plan.profiles:
        return f"There is no limit profile {event.profile}."
    return None


def _discharge(parts: Parts, session: int) -> str | None:
    bedside = parts.visits.at(session)
    if bedside is None:
        return "This session is closed." if session in parts.visits.closed else "There is no such session."
    if bedside.stay is not None:
        return f"A treatment ends with its own step, {Move.CLOSE.value}, once it is signed."
    return _unanswered(parts, bedside)


def _unanswered(parts: Parts, bedside: Bedside) -> str | None:
    waiting = [alarm for alarm in parts.board.of(bedside.bed) if alarm.unanswered_high]
    if waiting:
        words = ", ".join(map(parts.wording.alarm, waiting))
        return f"A HIGH alarm has not been acknowledged: {words}."
    return None


def _acknowledgement(parts: Parts, event: Acked) -> str | None:
    alarm = parts.board.get(event.alarm_id)
    if alarm is None or alarm.state is AlarmState.ACKED:
        return _acknowledged(parts.board.last_ack(event.alarm_id), alarm, event.at_ms)
    return None if alarm.state in ANSWERABLE else "This alarm has not been raised yet."


def _acknowledged(ack: Acked | None, alarm: Alarm | None, now_ms: int) -> str:
    """What the second of two nurses is told: who was first, and when (ALM-048)."""
    if ack is None:
        return "This alarm is over."
    ago_s = max(0, now_ms - ack.at_ms) // 1_000
    ago = f"{ago_s} s" if ago_s < _MINUTE_S else f"{ago_s // _MINUTE_S} min"
    if alarm is None:
        return f"This alarm is over: {ack.by} acknowledged it {ago} ago."
    return f"{ack.by} acknowledged this {ago} ago."


def _answer(page: Page, action: Accepted | Rejected) -> str | None:
    if page.over:
        return "This page is over."
    if type(page.answer) is type(action):
        word = "accepted" if isinstance(action, Accepted) else "rejected"
        return f"{page.answer.by} has {word} this page already."
    return None


def _help(parts: Parts, page: Page | None, now_ms: int) -> str | None:
    if page is None:
        return "There is no such page."
    ordered = page.ordered
    if page.over or not parts.paging.pages_more(ordered.alarm_id):
        return "No more pages go out for this alarm now: it has ended, or somebody is at the bed."
    called = [p.ordered for p in parts.paging.of(ordered.alarm_id) if p.ordered.why is Why.HELP_CALLED]
    if called and now_ms - called[-1].at_ms < HELP_AGAIN_MS:
        return f"More help was called just now: {called[-1].to} has been paged."
    return None


def _quiet(parts: Parts, event: Paused) -> str | None:
    """Who may have which inactivation state, and when (alarms.md 5)."""
    name, roles = event.kind.value.capitalize(), MAY_QUIET[event.kind]
    person = parts.plan.people.get(event.by)
    if event.kind in mutes.OFF and (person is None or person.role not in roles):
        return f"{name} is for a {' or a '.join(sorted(role.value for role in roles))}."
    stay = parts.beds[event.bed].stay
    if event.kind is PauseKind.ALARM_OFF and (stay is None or stay.record.dosed):
        return "Alarm off is not offered while a drug may be at work."
    return None


def _duty(parts: Parts, event: DutySet) -> str | None:
    unknown = [name for name in event.on if name not in parts.plan.people]
    if unknown:
        return f"{unknown[0]} is not in the staff list."
    for bed, name in event.beds:
        if bed not in parts.beds:
            return f"There is no bed {bed}."
        if name not in event.on:
            return f"{name} has bed {bed} but is not on duty."
    return None


def _hand_over(parts: Parts, event: HandedOver) -> str | None:
    duty, to = parts.calling.duty, parts.plan.people.get(event.to)
    if event.was not in duty.on:
        return f"{event.was} is not on duty."
    if to is None:
        return f"{event.to} is not in the staff list."
    if event.to == event.was:
        return "Choose somebody else to hand over to."
    if event.was in duty.beds.values() and not is_nurse(to):
        return f"{event.to} is no nurse: beds are handed over to a nurse."
    return None


def _test(parts: Parts) -> str | None:
    if parts.trials.terms is None:
        return "This clinic sends no test pages."
    if not parts.calling.duty.on:
        return "Nobody is on duty. Set who is, then send the test page."
    if not parts.trials.able(parts.calling.duty.on):
        return "Nobody on duty has a pager."
    return "A test page is under way." if parts.trials.under_way() else None


def _opening(page: Page | None, event: PageOpened) -> str | None:
    if page is None:
        return "There is no such page."
    if event.by != page.ordered.to:
        return "This page is somebody else's."
    if page.opened(BY_LINK if event.link else OPENED):
        return "This link has been used." if event.link else "This page has been opened."
    return None


_MINUTE_S = 60

"""The ward as a screen sees it, drawn from its parts at one instant. Changes nothing; pure."""

from __future__ import annotations

from dataclasses import replace

from monitor.alerts import mutes
from monitor.alerts.board import Alarm
from monitor.alerts.paging import Page
from monitor.model import Accepted, Bed, Device
from monitor.snapshot import AlarmNow, BedNow, LinkNow, PageNow, SessionNow, Snapshot
from monitor.treatment_now import TherapyNow, TreatmentNow
from monitor.ward import treating
from monitor.ward.parts import Parts
from monitor.ward.stay import Stay


def snapshot(parts: Parts, now_ms: int) -> Snapshot:
    """Everything a screen needs, from one instant."""
    return Snapshot(
        at_ms=now_ms,
        beds=tuple(bed_now(parts, bed, now_ms) for bed in parts.beds),
        alarms=tuple(alarm_now(parts, alarm, now_ms) for alarm in parts.board),
        pages=tuple(map(page_now, parts.paging)),
        links=tuple(link_now(parts, device, now_ms) for device in parts.equipment.devices),
        parts=parts.equipment.parts_now(),
        duty=parts.calling.duty_now(now_ms),
        closed=tuple(_closed(parts, session, now_ms) for session in parts.visits.closed.values()),
        sounds=parts.sounds.now(now_ms),
        over=tuple(parts.over),
        therapies=therapies_now(parts),
        owing=tuple(treatment_now(parts, stay, now_ms) for stay in parts.treatments if stay.record.over),
    )


def bed_now(parts: Parts, bed: Bed, now_ms: int) -> BedNow:
    """One bed; KeyError for one that is not in the plan."""
    bedside = parts.beds[bed]
    nurse, limits = parts.calling.duty.nurse(bed), parts.watch.limits_now(bedside)
    now = bedside.bed_now(now_ms, nurse, limits, parts.cuffs.refusal(bedside, now_ms))
    stay = bedside.stay
    if stay is None or now.session is None:
        return now
    brief = treating.brief(stay.record, parts.treatments.seen(stay), now_ms)
    return replace(
        now, session=replace(now.session, treatment=brief), treatment=treatment_now(parts, stay, now_ms)
    )


def treatment_now(parts: Parts, stay: Stay, now_ms: int) -> TreatmentNow:
    """One treatment; what was drawn of it last stands until something is said or time has moved it."""
    shown = stay.shown
    if shown is None or now_ms >= shown.until_ms:
        seen, news2 = parts.treatments.seen(stay), stay.news2.values()
        shown = stay.shown = treating.treatment_now(stay.record, seen, now_ms, news2)
    return shown


def therapies_now(parts: Parts) -> tuple[TherapyNow, ...]:
    """What may be chosen when a session is opened."""
    people = {name: person.role for name, person in parts.plan.people.items()}
    return tuple(treating.therapy_now(therapy, people) for therapy in parts.plan.therapies.values())


def link_now(parts: Parts, device: Device, now_ms: int) -> LinkNow:
    """One device's link; KeyError for one that is not in the plan."""
    bedside = parts.beds[parts.equipment.bed_of(device)]
    return parts.equipment.link_now(device, parts.sources.stand_ins(bedside, device, now_ms))


def alarm_now(parts: Parts, alarm: Alarm, now_ms: int) -> AlarmNow:
    """One open alarm, with what keeps it quiet and whom it calls next."""
    bedside = parts.beds.get(alarm.bed)
    pauses = bedside.pauses.values() if bedside else ()
    rule, due = alarm.rule, parts.calling.due(alarm)
    pause = mutes.silencer(pauses, alarm.bed, rule.vital, now_ms)
    return AlarmNow(
        alarm_id=alarm.alarm_id,
        bed=alarm.bed,
        rule=rule.name,
        condition=rule.condition,
        priority=alarm.priority,
        technical=rule.technical,
        vital=rule.vital,
        device=alarm.device,
        state=alarm.state,
        since_ms=alarm.since_ms,
        raised_at_ms=alarm.raised_at_ms,
        value=alarm.value,
        limit=alarm.limit,
        text=parts.wording.alarm(alarm),
        note=parts.wording.note(alarm),
        acked_by=alarm.acked_by,
        acked_at_ms=alarm.acked_at_ms,
        ack_until_ms=alarm.ack_until_ms,
        quiet=pause.kind.value if pause else None,
        quiet_by=pause.by if pause else None,
        spoken_for=parts.board.speaker(alarm) is not None,
        accepted_by=parts.paging.accepted_by(alarm.alarm_id),
        next_page_ms=due.at_ms if due else None,
        session=_whose(parts, alarm),
    )


def page_now(page: Page) -> PageNow:
    """One page and what became of it."""
    ordered, answer = page.ordered, page.answer
    return PageNow(
        page_id=ordered.page_id,
        alarm_id=ordered.alarm_id,
        bed=ordered.bed,
        rule=ordered.rule,
        priority=ordered.priority,
        step=ordered.step,
        to=ordered.to,
        why=ordered.why,
        text=page.text,
        ordered_at_ms=ordered.at_ms,
        outcomes=tuple((o.way, o.outcome, o.why, o.at_ms) for o in page.outcomes),
        answer=None if answer is None else "accepted" if isinstance(answer, Accepted) else "rejected",
        answered_by=answer.by if answer else None,
        answered_at_ms=answer.at_ms if answer else None,
        over=page.over,
        over_at_ms=page.over_at_ms,
    )


def _closed(parts: Parts, session: SessionNow, now_ms: int) -> SessionNow:
    """A session that has ended, with what became of its treatment."""
    stay = parts.treatments.of(session.session)
    if stay is None:
        return replace(session, treatment=parts.treatments.settled.get(session.session))
    return replace(session, treatment=treating.brief(stay.record, parts.treatments.seen(stay), now_ms))


def _whose(parts: Parts, alarm: Alarm) -> int | None:
    """The session an alarm belongs to; one of a device may have been raised for the patient before."""
    bedside = parts.beds.get(alarm.bed)
    began_ms = alarm.moved_at_ms if alarm.raised_at_ms is None else alarm.raised_at_ms
    if bedside is None or bedside.session is None or not bedside.holds(began_ms):
        return None
    return bedside.session.session

"""The whole of one treatment, for a screen and for a list; and what a session can be opened with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from monitor.model import Staff
from monitor.people import Role
from monitor.sessions import readiness, session
from monitor.sessions.due import dues
from monitor.sessions.loading import unsigned
from monitor.sessions.needs import missing as missing_of
from monitor.sessions.record import Record
from monitor.sessions.therapy import Need, Therapy
from monitor.treatment import (
    TITLES,
    Phase,
    Seen,
)
from monitor.treatment_now import (
    DeviceNow,
    News2Then,
    TherapyNow,
    TreatmentBrief,
    TreatmentNow,
)
from monitor.ward.treating.before import baseline_now, dose_now, gates_now, next_device, questions_now
from monitor.ward.treating.clocks import DAY_MS, clocks_now, course_now, due_now, form_now
from monitor.ward.treating.judged import check_now, news2_now, scores_now, symptoms_now, wanted
from monitor.ward.treating.leaving import items_now, pressures_now, sign_off_now
from monitor.ward.treating.limits import flags_now, layers_now
from monitor.ward.treating.moves import moves_now, next_words
from monitor.ward.treating.timeline import timeline

WAYS = {"nasal": "Nasal", "infusion": "IV"}
"""How the drug is given, as the Floor says it: never the drug itself."""

AT_PEAK = frozenset({Phase.DOSING, Phase.ONSET, Phase.CHECK_40, Phase.INFUSION})
"""The phases in which the drug is at its strongest, or getting there: either course peaks about 40 minutes
after its start (physiology.md 4), when these end. They are what a nurse's load counts."""

LOOK_MS = 5_000
"""How old what a screen shows of a session may be while it is watched: values move by themselves."""


def treatment_now(record: Record, seen: Seen, now_ms: int, news2: Iterable[News2Then] = ()) -> TreatmentNow:
    """Everything a screen needs of this session; `news2` are the whole scores there have been."""
    now_ms = max(now_ms, record.last_ms)
    opened, therapy = record.opened, record.therapy
    due = dues(record, seen, now_ms)
    items = tuple(items_now(record, seen, now_ms))
    moves = tuple(moves_now(record, seen, now_ms))
    shown = tuple(due_now(each, record, now_ms) for each in due)
    return TreatmentNow(
        at_ms=now_ms,
        until_ms=_until_ms(record, seen, now_ms),
        session=opened.session,
        bed=opened.bed,
        therapy=therapy.name,
        title=therapy.title,
        way=WAYS[therapy.course],
        version=opened.version,
        age_years=opened.age_years,
        devices_planned=opened.devices,
        first=opened.first,
        phase=record.phase,
        phase_title=TITLES[record.phase],
        onward=record.onward,
        onward_title=TITLES[record.onward],
        since_at_ms=record.since_ms,
        entered=dict(record.entered),
        over=record.over,
        running=running(record),
        at_peak=at_peak(record),
        next=next_words(record, shown, moves),
        clocks=clocks_now(record),
        course=course_now(record),
        next_device=next_device(record),
        dues=shown,
        gates=tuple(gates_now(record, seen, now_ms)),
        questions=tuple(questions_now(record)),
        check_in_missing=missing_of(Need.ANSWERED, record, seen, now_ms),
        moves=moves,
        baseline=baseline_now(record, seen, now_ms),
        ready=not record.over and record.dosed and readiness.ready(record, seen, now_ms),
        ready_items=items,
        ready_first_at_ms=record.ready_first_ms,
        checks=tuple(
            check_now(check, record, seen, now_ms) for check in therapy.check if check.due_min is not None
        ),
        scores=tuple(scores_now(record, wanted(record, due, items))),
        symptoms=tuple(symptoms_now(record)),
        devices=tuple(DeviceNow(d.number, d.lot, d.expires, d.done_at_ms, d.by) for d in record.devices),
        dose=dose_now(record),
        flags=tuple(flags_now(record)),
        layers=tuple(layers_now(record, now_ms)),
        pressures=tuple(pressures_now(record, now_ms)),
        sign_off=sign_off_now(record, seen, now_ms),
        form=form_now(record, now_ms),
        news2=replace(news2_now(record, seen, now_ms), course=tuple(news2)),
        timeline=timeline(record),
    )


def brief(record: Record, seen: Seen, now_ms: int) -> TreatmentBrief:
    """What a list of sessions shows of it."""
    now_ms = max(now_ms, record.last_ms)
    form = form_now(record, now_ms)
    owed = (form.words,) if record.over and form is not None and form.sent_at_ms is None else ()
    if record.phase is not Phase.CLOSED:
        needs = (Need.PRESSURES, Need.SIGN_OFF) if record.dosed or record.over else ()
        owed = (*(words for need in needs for words in missing_of(need, record, seen, now_ms)), *owed)
    return TreatmentBrief(
        therapy=record.therapy.name,
        title=record.therapy.title,
        way=WAYS[record.therapy.course],
        phase=record.phase,
        phase_title=TITLES[record.phase],
        start_at_ms=record.start_ms,
        ended_at_ms=record.since_ms if record.over else None,
        ready_first_at_ms=record.ready_first_ms,
        signed_by=tuple(dict.fromkeys(one.by for one in record.signatures)),
        form=form,
        missing=tuple(dict.fromkeys(owed)),
    )


def therapy_now(therapy: Therapy, people: Mapping[Staff, Role]) -> TherapyNow:
    """One therapy as it may be chosen at the start of a session, or why not."""
    devices = therapy.devices
    return TherapyNow(
        therapy=therapy.name,
        title=therapy.title,
        way=WAYS[therapy.course],
        version=therapy.version,
        digest=therapy.digest,
        devices=None if devices is None else (devices.least, devices.most),
        age_years=therapy.age,
        refusal=unsigned(therapy, people),
    )


def running(record: Record) -> bool:
    """Whether drug is being given: between the devices too, but not while it is held."""
    return record.dosed and record.phase in {Phase.DOSING, Phase.INFUSION}


def at_peak(record: Record) -> bool:
    """Whether the drug is at its strongest, or on its way there; a side state changes nothing about it."""
    return record.dosed and not record.over and record.onward in AT_PEAK


def _until_ms(record: Record, seen: Seen, now_ms: int) -> int:
    due_ms = session.due_ms(record, seen, now_ms)
    look_ms = now_ms + (DAY_MS if record.over else LOOK_MS)
    return look_ms if due_ms is None else min(look_ms, due_ms)

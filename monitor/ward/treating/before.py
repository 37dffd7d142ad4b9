"""What comes before the drug: questions, gates, the baseline, the dose and the next device. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.sessions import gates
from monitor.sessions.baseline import propose
from monitor.sessions.needs import missing as missing_of
from monitor.sessions.record import Record
from monitor.sessions.therapy import Need, ms
from monitor.treatment import (
    Overridden,
    Phase,
    Seen,
)
from monitor.treatment_now import (
    BaselineNow,
    DecidedNow,
    DoseNow,
    GateNow,
    NextDeviceNow,
    QuestionNow,
    ReadingNow,
)


def questions_now(record: Record) -> Iterable[QuestionNow]:
    """The questions of the check-in, those of a first treatment only where it is one."""
    for question in record.therapy.question:
        if question.first_session and not record.opened.first:
            continue
        said = record.answers.get(question.name)
        yield QuestionNow(
            question=question.name,
            asks=question.asks,
            kind=question.kind,
            flag=question.flag,
            yes=said.yes if said else None,
            note=said.note if said else "",
            by=said.by if said else None,
            at_ms=said.at_ms if said else None,
        )


def gates_now(record: Record, seen: Seen, now_ms: int) -> Iterable[GateNow]:
    """The gate of before the drug; once it is given, what was decided stands in the timeline."""
    if record.dosed:
        return
    for finding in gates.findings(record, seen, now_ms):
        yield GateNow(
            gate=finding.name,
            result=finding.result,
            words=finding.why,
            override=gates.override_key(finding.name),
            may=finding.override,
            open=finding.open,
            decided=decided_now(finding.decided),
        )


def decided_now(one: Overridden | None) -> DecidedNow | None:
    """A decision against the profile, if there is one."""
    return None if one is None else DecidedNow(one.by, one.role, one.at_ms, one.why, one.screen)


def baseline_now(record: Record, seen: Seen, now_ms: int) -> BaselineNow:
    """The baseline as it stands, or as the readings so far make it."""
    taken = record.baseline
    proposal = propose(record, seen, now_ms)
    return BaselineNow(
        numbers=proposal.baseline if taken is None else taken.baseline,
        readings=tuple(
            ReadingNow(one.cuff.systolic, one.cuff.diastolic, one.measured_at_ms, one.device, one.by)
            for one in proposal.cuffs
            if one.cuff.systolic is not None and one.cuff.diastolic is not None
        ),
        missing=missing_of(Need.BASELINE, record, seen, now_ms) if taken is None else (),
        next_at_ms=proposal.next_ms if taken is None else None,
        age_ms=proposal.age_ms(now_ms),
        taken_at_ms=taken.at_ms if taken else None,
    )


def next_device(record: Record) -> NextDeviceNow | None:
    """The nasal device that is next; None where none is to come."""
    rules, number = record.therapy.devices, len(record.devices) + 1
    if rules is None or number > record.opened.devices or record.over:
        return None
    if record.dosed and record.onward is not Phase.DOSING:
        return None
    last_ms = record.last_device_ms
    not_before_ms = None if last_ms is None else last_ms + ms(rules.spacing_min)
    return NextDeviceNow(number, record.opened.devices, number == record.opened.devices, not_before_ms)


def dose_now(record: Record) -> DoseNow | None:
    """The dose as it was checked last."""
    dose = record.dose
    if dose is None:
        return None
    total_mg = dose.weight_kg * dose.dose_mg_per_kg
    return DoseNow(
        weight_kg=dose.weight_kg,
        dose_mg_per_kg=dose.dose_mg_per_kg,
        dose_mg=round(total_mg, 1),
        concentration_mg_per_ml=dose.concentration_mg_per_ml,
        rate_ml_per_h=dose.rate_ml_per_h,
        lasts_min=round(lasts_ms(record) / 60_000, 1),
        why=dose.why,
        by=dose.by,
        second=dose.second,
        at_ms=dose.at_ms,
    )


def lasts_ms(record: Record) -> int:
    """How long the pump runs at the checked dose and rate; 0 where nothing was checked."""
    dose = record.dose
    if dose is None:
        return 0
    volume_ml = dose.weight_kg * dose.dose_mg_per_kg / dose.concentration_mg_per_ml
    return ms(volume_ml / dose.rate_ml_per_h * 60)

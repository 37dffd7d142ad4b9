"""A session's report, put together from what is kept of it: the same rows, the same report. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.model import (
    CuffNotTaken,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    Device,
    SessionMoved,
    SessionPhase,
    Staff,
    Vital,
)
from monitor.records.report import (
    SCHEMA,
    AlarmOf,
    BaselineOf,
    Chain,
    Clocks,
    CuffMissed,
    CuffReading,
    Line,
    Number,
    PhaseSpan,
    SessionReport,
    TherapyOf,
)
from monitor.reporting import numbers, watching
from monitor.reporting.alarms import alarms, limits, pauses
from monitor.reporting.course import Course
from monitor.reporting.kept import OVER, Kept
from monitor.reporting.timeline import Words, timeline
from monitor.sessions.due import NIBP
from monitor.sessions.record import Record
from monitor.sessions.therapy import Therapy
from monitor.treatment import SIDE, PhaseMoved, TreatmentOpened

NO_CLOCKS = Clocks(None, None, None, None, None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a report takes from the settings: the clinic, the bed's place, the drivers, and the therapy.

    `therapy` is the one to read the session with (None: there is none of its name any more), `trusted`
    whether it is the very version that the session went under.
    """

    program: str
    clinic: str
    zone: str
    place: str
    drivers: Mapping[Device, str]
    therapy: Therapy | None
    trusted: bool


def assemble(kept: Kept, setting: Setting, made_ms: int) -> SessionReport:
    """The report of this session as it stands at `made_ms`; a time before its newest row is taken as that."""
    made_ms = max([made_ms, kept.moved.at_ms, *(row.at_ms for row in kept.rows)])
    lines, raised = watching.lines(kept), alarms(kept)
    if kept.opened is None or setting.therapy is None:
        until_ms = made_ms if kept.ended_ms is None else kept.ended_ms
        wanted = watching.wanted_of_a_watch(kept, until_ms)
        return _watched(kept, setting, made_ms, lines, raised, wanted, cuff_readings(kept, (), None))
    course = Course(
        kept, setting.therapy, trusted=setting.trusted, lines=lines, alarms=raised, made_ms=made_ms
    )
    return _treated(kept, setting, made_ms, course, lines)


def _watched(
    kept: Kept,
    setting: Setting,
    made_ms: int,
    lines: tuple[Line, ...],
    raised: tuple[AlarmOf, ...],
    wanted: Sequence[watching.Wanted],
    cuffs: tuple[CuffReading, ...],
) -> SessionReport:
    """What every session has: what was measured, raised and paged; of a treatment nothing yet."""
    until_ms = made_ms if kept.ended_ms is None else kept.ended_ms
    known = watching.known_spans(kept)
    return SessionReport(
        schema=SCHEMA,
        made_ms=made_ms,
        program=setting.program,
        clinic=setting.clinic,
        zone=setting.zone,
        session=kept.session,
        alias=kept.admitted.alias if kept.admitted is not None else "",
        bed=kept.bed,
        place=setting.place,
        therapy=None,
        age_years=None,
        planned_devices=None,
        first=None,
        opened_ms=kept.moved.at_ms,
        opened_by=kept.moved.by,
        opened_role=None,
        ended_ms=kept.ended_ms,
        ended_by=_ended_by(kept),
        phase=None,
        phases=(),
        clocks=NO_CLOCKS,
        baseline=_entered_baseline(kept),
        baselines_before=(),
        devices_given=(),
        pump=None,
        answers=(),
        flags=(),
        gate=(),
        checks=(),
        pressures=(),
        scores=(),
        symptoms=(),
        adverse=(),
        notes=(),
        corrections=(),
        overrides=(),
        signatures=(),
        form_sent_ms=None,
        form_sent_by=None,
        form_sent_how="",
        form_due_ms=None,
        ready_at_ms=None,
        readiness=(),
        cuffs=cuffs,
        cuffs_missed=tuple(_cuffs_missed(kept)),
        lines=lines,
        expected=(),
        coverage=watching.coverage(wanted, known),
        gaps=watching.gaps(kept, wanted, known, raised, until_ms),
        alarms=raised,
        limits=limits(kept),
        layers=(),
        pauses=pauses(kept),
        devices=watching.devices_used(kept, setting.drivers),
        links=watching.links(kept),
        timeline=timeline(kept, Words(None)),
        chain=Chain(
            kept.first_seq, kept.last_seq, len(kept.rows), kept.first_hash, kept.last_hash, kept.whole
        ),
        unknown=tuple(_unknown(kept, setting, lines)),
    )


def _treated(
    kept: Kept,
    setting: Setting,
    made_ms: int,
    course: Course,
    lines: tuple[Line, ...],
) -> SessionReport:
    """The same, and what belongs to a treatment."""
    record = course.record
    opened = record.opened
    until_ms = made_ms if kept.ended_ms is None else kept.ended_ms
    phases = course.phases()
    cuffs = cuff_readings(kept, phases, record)
    if setting.trusted:
        wanted = watching.wanted(phases, _watches(course, phases), until_ms)
    else:
        wanted = watching.wanted_of_a_watch(kept, until_ms)
    sent = record.form_sent
    return replace(
        _watched(kept, setting, made_ms, lines, course.alarms(), wanted, cuffs),
        alias=opened.alias,
        therapy=_therapy_of(opened, course.therapy, trusted=setting.trusted),
        age_years=opened.age_years,
        planned_devices=opened.devices or None,
        first=opened.first,
        opened_by=opened.by,
        opened_role=opened.role,
        phase=record.phase,
        phases=phases,
        clocks=course.clocks(),
        baseline=course.baseline(cuffs),
        baselines_before=course.baselines_before(),
        devices_given=course.devices(),
        pump=course.pump(),
        answers=course.answers(),
        flags=course.flags(),
        gate=course.gate,
        checks=course.checks(),
        pressures=course.pressures(cuffs),
        scores=course.scores(),
        symptoms=course.symptoms(),
        adverse=course.adverse(),
        notes=course.notes(),
        corrections=course.corrections(),
        overrides=course.overrides(),
        signatures=course.signatures(),
        form_sent_ms=None if sent is None else sent.at_ms,
        form_sent_by=None if sent is None else sent.by,
        form_sent_how="" if sent is None else sent.how,
        form_due_ms=course.form_due_ms(),
        ready_at_ms=course.ready_at_ms,
        readiness=course.readiness,
        expected=course.expected(),
        layers=course.layers(),
        timeline=timeline(kept, Words(record)),
    )


def _therapy_of(opened: TreatmentOpened, therapy: Therapy, *, trusted: bool) -> TherapyOf:
    same = therapy.name == opened.therapy
    signature = therapy.signature if trusted else None
    return TherapyOf(
        opened.therapy,
        opened.version,
        opened.digest,
        therapy.title if same else opened.therapy,
        therapy.course if same else None,
        signature.by if signature is not None else None,
        signature.on.isoformat() if signature is not None else None,
        trusted,
    )


def _ended_by(kept: Kept) -> Staff | None:
    """Who ended it: the first of its ends."""
    for row in kept.rows:
        match row.event:
            case PhaseMoved(now=now, by=by) if now in OVER:
                return by
            case SessionMoved(now=SessionPhase.CLOSED, by=by):
                return by
    return None


def _entered_baseline(kept: Kept) -> BaselineOf | None:
    """The baseline that staff gave when they opened a watch session; it has no reading behind it."""
    if kept.admitted is None:
        return None
    own, at_ms, by = kept.admitted.baseline, kept.admitted.at_ms, kept.admitted.by
    found = []
    if own.systolic is not None or own.diastolic is not None:
        words = numbers.pressure(own.systolic, own.diastolic)
        found.append(
            Number(
                NIBP, "Blood pressure", own.systolic, own.diastolic, numbers.MMHG, words, at_ms, 0, None, by
            )
        )
    for vital, value in (
        (Vital.HEART_RATE, own.heart_rate),
        (Vital.SPO2, own.spo2),
        (Vital.RESPIRATION, own.respiration),
    ):
        if value is not None:
            found.append(replace(numbers.of_vital(vital, value, at_ms, at_ms, None), by=by))
    return BaselineOf(at_ms, by, tuple(found), ()) if found else None


def _watches(course: Course, phases: Sequence[PhaseSpan]) -> dict[str, tuple[Vital, ...]]:
    """What each phase watches. A side state without a row of its own watches what went on under it."""
    found: dict[str, tuple[Vital, ...]] = {}
    last: tuple[Vital, ...] = ()
    for span in phases:
        row = course.therapy.row(span.phase)
        if row is not None:
            found[span.phase.value] = last = row.continuous
        elif span.phase in SIDE:
            found.setdefault(span.phase.value, last)
    return found


def cuff_readings(kept: Kept, phases: Sequence[PhaseSpan], record: Record | None) -> tuple[CuffReading, ...]:
    """Every measurement that came, by when it was measured, each with what it was asked for."""
    found: list[CuffReading] = []
    asked: dict[Device, CuffWhy] = {}
    for row in kept.rows:
        match row.event:
            case CuffOrdered(device=device, why=why):
                asked[device] = why
            case CuffNotTaken(device=device):
                asked.pop(device, None)
            case CuffTaken() as taken:
                at_ms = taken.measured_at_ms
                why_asked = asked.pop(taken.device, None) if taken.device is not None else None
                phase = next((span.phase for span in reversed(phases) if span.from_ms <= at_ms), None)
                standing = record is not None and record.stood_at(at_ms)
                found.append(numbers.cuff_reading(taken, why_asked, phase, standing=standing))
    return tuple(sorted(found, key=lambda one: one.at_ms))


def _cuffs_missed(kept: Kept) -> Iterator[CuffMissed]:
    for row in kept.rows:
        if isinstance(row.event, CuffNotTaken):
            yield CuffMissed(row.event.at_ms, row.event.device, row.event.asked, row.event.why)


def _unknown(kept: Kept, setting: Setting, lines: Sequence[Line]) -> Iterator[str]:
    opened = kept.opened
    if opened is not None and not setting.trusted:
        yield (
            f"Version {opened.version} of {opened.therapy}, under which this session went, is not at hand "
            "any more: windows, least stay, limits by phase, gate and readiness are left out."
        )
    if not lines:
        yield "No continuous reading of this session is kept: none came, or its time in the trends is over."
    if not kept.whole:
        yield "The chain of the journal is broken within this session: run `chairside journal verify`."
    if kept.ended_ms is None:
        yield "This session is still open: the report is a first look, and not the record."

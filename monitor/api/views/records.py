"""One record of the ward, one shape for a screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from monitor.api.views.shapes import (
    AlarmShown,
    BaselineShown,
    BedShown,
    CuffShown,
    DutyBed,
    DutyShown,
    LimitShown,
    LinkShown,
    LiveSnapshot,
    LoadShown,
    OutcomeShown,
    PageShown,
    PartShown,
    PauseShown,
    PersonShown,
    ReachShown,
    ServerShown,
    SessionShown,
    SoundShown,
    TrialShown,
    VitalShown,
)
from monitor.model import (
    Cuff,
    Outcome,
    Quality,
    SoundState,
    Staff,
)
from monitor.snapshot import (
    AlarmNow,
    BedNow,
    CuffNow,
    DutyNow,
    LimitNow,
    LinkNow,
    PageNow,
    PartNow,
    PauseNow,
    SessionNow,
    Snapshot,
    SoundNow,
    TrialNow,
    VitalNow,
)
from monitor.treatment_now import TreatmentNow

BELIEVED = (Quality.VALID, Quality.QUESTIONABLE)


def live_snapshot(
    snapshot: Snapshot,
    server: ServerShown,
    me: PersonShown | None,
    staff: Sequence[PersonShown],
    *,
    names: bool,
) -> LiveSnapshot:
    """What a screen is shown first; `names` is False on a paired screen, where no alias may stand."""
    return LiveSnapshot(
        server=server,
        me=me,
        beds=beds_shown(snapshot, names=names),
        alarms=[alarm_shown(alarm) for alarm in snapshot.alarms],
        pages=[page_shown(page) for page in pages_of_now(snapshot)],
        links=[link_shown(link) for link in snapshot.links],
        parts=[part_shown(part) for part in snapshot.parts],
        duty=duty_shown(snapshot.duty),
        staff=list(staff),
        sounds=[sound_shown(sound) for sound in snapshot.sounds],
        load=load(snapshot.duty, map(burden, snapshot.beds)),
        therapies=list(snapshot.therapies) if names else [],
    )


def page_snapshot(
    snapshot: Snapshot,
    page_id: int,
    server: ServerShown,
    me: PersonShown,
    staff: Sequence[PersonShown],
) -> LiveSnapshot:
    """What a phone is shown that has opened one page by its link: that page, its alarm and its bed."""
    here = pages_of_now(snapshot)
    alarms = {page.alarm_id for page in here if page.page_id == page_id}
    pages = [page for page in here if page.page_id == page_id or (page.alarm_id in alarms and page.bed)]
    people, beds = {page.to for page in pages} | {me.name}, {page.bed for page in pages}
    shown = [bed_shown(bed, now_ms=snapshot.at_ms) for bed in snapshot.beds if bed.bed in beds]
    return LiveSnapshot(
        server=server,
        me=me,
        beds=[without_alias(bed) for bed in shown],
        alarms=[alarm_shown(alarm) for alarm in snapshot.alarms if alarm.alarm_id in alarms],
        pages=[page_shown(page) for page in pages],
        links=[],
        parts=[],
        duty=DutyShown([], [], None, None, None),
        staff=[person for person in staff if person.name in people],
        sounds=[],
        load=[],
        therapies=[],
    )


def was_opened(page: PageNow) -> bool:
    """Whether the person paged has had this page before their eyes."""
    return any((way, outcome) == ("screen", Outcome.READ) for way, outcome, _, _ in page.outcomes)


def beds_shown(snapshot: Snapshot, *, names: bool) -> list[BedShown]:
    """All beds as they are at the snapshot's instant: a value past its time has lost its digits."""
    shown = [bed_shown(bed, now_ms=snapshot.at_ms) for bed in snapshot.beds]
    return shown if names else [without_alias(bed) for bed in shown]


def bed_shown(bed: BedNow, *, now_ms: int | None = None) -> BedShown:
    """One bed. With `now_ms`, values that are past their time are null."""
    return BedShown(
        bed=bed.bed,
        place=bed.place,
        session=session_shown(bed.session) if bed.session else None,
        nurse=bed.nurse,
        vitals={vital.vital.value: vital_shown(vital, now_ms=now_ms) for vital in bed.vitals},
        cuff=cuff_shown(bed.cuff) if bed.cuff else None,
        cuff_refusal=bed.cuff_refusal,
        limits=[limit_shown(limit) for limit in bed.limits],
        pauses=[pause_shown(pause) for pause in bed.pauses],
        devices=list(bed.devices),
        treatment=bed.treatment,
    )


def without_alias(bed: BedShown) -> BedShown:
    """The same bed for a paired screen: no patient's alias, and of a treatment nothing anybody has said."""
    if bed.session is None or bed.session.alias is None:
        return bed
    return msgspec.structs.replace(
        bed,
        session=msgspec.structs.replace(bed.session, alias=None, treatment=None),
        treatment=None if bed.treatment is None else for_a_wall(bed.treatment),
    )


def for_a_wall(now: TreatmentNow) -> TreatmentNow:
    """A treatment where visitors see it: phase, clocks, what is due, which flags count, how much is ready."""
    return replace(
        now,
        age_years=None,
        next=next((due.words for due in now.dues if due.state != "ahead"), ""),
        gates=(),
        questions=(),
        check_in_missing=(),
        moves=(),
        baseline=replace(now.baseline, readings=(), missing=()),
        ready_items=tuple(
            replace(item, values=(), missing=(), fills=(), decided=None) for item in now.ready_items
        ),
        checks=tuple(replace(check, filled=(), by=None) for check in now.checks),
        scores=(),
        symptoms=(),
        devices=tuple(replace(device, lot="", expires="") for device in now.devices),
        dose=None,
        flags=tuple(replace(flag, why="", by=None) for flag in now.flags if flag.on),
        layers=(),
        pressures=(),
        sign_off=replace(now.sign_off, signed=()),
        form=None,
        news2=replace(now.news2, total=None, red=False, at_ms=None, missing=(), course=()),
        timeline=(),
    )


def vital_shown(now: VitalNow, *, now_ms: int | None = None) -> VitalShown:
    """One vital. Old is never shown as new: past its time (where `now_ms` is given) the value is null."""
    old = now_ms is not None and now_ms > now.fresh_until_ms
    believed = now.quality in BELIEVED and not old
    return VitalShown(
        vital=now.vital.value,
        value=now.value if believed else None,
        unit=now.vital.unit,
        quality=now.quality.value,
        why=now.why or ("no recent value" if old else None),
        at_ms=now.at_ms,
        fresh_until_ms=now.fresh_until_ms,
        device=now.device,
        instead_of=now.instead_of,
        by=now.by,
        last_value=now.last_value,
        last_at_ms=now.last_at_ms,
    )


def cuff_shown(now: CuffNow) -> CuffShown:
    """The cuff of one bed."""
    cuff = now.cuff
    believed = cuff is not None and cuff.quality in BELIEVED
    return CuffShown(
        systolic_mmhg=cuff.systolic if cuff and believed else None,
        diastolic_mmhg=cuff.diastolic if cuff and believed else None,
        mean_mmhg=_measured_mean(cuff) if cuff and believed else None,
        pulse_per_min=cuff.pulse if cuff and believed else None,
        quality=cuff.quality.value if cuff else None,
        why=cuff.why if cuff else None,
        measured_at_ms=now.measured_at_ms,
        device=now.device,
        by=now.by,
        failed_at_ms=now.failed_at_ms,
        failed_why=now.failed_why,
        running_since_ms=now.running_since_ms,
        next_due_at_ms=now.next_due_ms,
        old_after_at_ms=now.old_after_ms,
    )


def session_shown(now: SessionNow) -> SessionShown:
    """A session with its alias."""
    return SessionShown(
        session=now.session,
        bed=now.bed,
        alias=now.alias,
        profile=now.profile,
        phase=now.phase.value,
        opened_at_ms=now.opened_at_ms,
        opened_by=now.opened_by,
        closed_at_ms=now.closed_at_ms,
        closed_by=now.closed_by,
        cuff_interval_ms=now.cuff_interval_ms,
        baseline=BaselineShown(
            systolic_mmhg=now.baseline.systolic,
            diastolic_mmhg=now.baseline.diastolic,
            heart_rate_per_min=now.baseline.heart_rate,
            spo2_percent=now.baseline.spo2,
            respiration_per_min=now.baseline.respiration,
        ),
        treatment=now.treatment,
    )


def condition(rule: str) -> str:
    """The condition a rule watches for: its name without the mark of its priority (-m MEDIUM, -l LOW)."""
    return rule.removesuffix("-m").removesuffix("-l")


def limit_shown(now: LimitNow) -> LimitShown:
    """One limit in force."""
    return LimitShown(
        rule=now.rule,
        condition=condition(now.rule),
        vital=now.vital.value,
        side=now.side.value,
        priority=now.priority.name,
        limit=now.limit,
        default=now.default,
        unit=now.vital.unit,
        inclusive=now.inclusive,
        hold_ms=now.hold_ms,
        severe=now.severe,
        set_by=now.set_by,
        set_why=now.set_why,
        low_span=now.low_span,
        high_span=now.high_span,
    )


def pause_shown(now: PauseNow) -> PauseShown:
    """One running pause."""
    return PauseShown(
        pause_id=now.pause_id,
        bed=now.bed,
        kind=now.kind.value,
        vital=now.vital.value if now.vital else None,
        since_ms=now.since_ms,
        until_ms=now.until_ms,
        by=now.by,
        why=now.why,
    )


def alarm_shown(now: AlarmNow) -> AlarmShown:
    """One alarm, or what was last true of one that is over."""
    return AlarmShown(
        alarm_id=now.alarm_id,
        bed=now.bed,
        session=now.session,
        rule=now.condition,
        priority=now.priority.name,
        technical=now.technical,
        vital=now.vital.value if now.vital else None,
        device=now.device,
        state=now.state.value,
        since_ms=now.since_ms,
        raised_at_ms=now.raised_at_ms,
        value=now.value,
        limit=now.limit,
        unit=now.vital.unit if now.vital else None,
        text=now.text,
        note=now.note,
        acked_by=now.acked_by,
        acked_at_ms=now.acked_at_ms,
        ack_until_ms=now.ack_until_ms,
        quiet=now.quiet,
        quiet_by=now.quiet_by,
        spoken_for=now.spoken_for,
        accepted_by=now.accepted_by,
        next_page_at_ms=now.next_page_ms,
        over_at_ms=now.over_at_ms,
    )


def page_shown(now: PageNow) -> PageShown:
    """One page."""
    return PageShown(
        page_id=now.page_id,
        alarm_id=now.alarm_id,
        bed=now.bed,
        rule=condition(now.rule),
        priority=now.priority.name,
        step=now.step,
        to=now.to,
        why=now.why.value,
        text=now.text,
        ordered_at_ms=now.ordered_at_ms,
        outcomes=[OutcomeShown(way, outcome.value, why, at) for way, outcome, why, at in now.outcomes],
        answer=now.answer,
        answered_by=now.answered_by,
        answered_at_ms=now.answered_at_ms,
        over=now.over,
        over_at_ms=now.over_at_ms,
    )


def link_shown(now: LinkNow) -> LinkShown:
    """One link."""
    return LinkShown(
        device=now.device,
        driver=now.driver,
        bed=now.bed,
        state=now.state.value,
        since_ms=now.since_ms,
        why=now.why,
        notices=list(now.notices),
        can_start_cuff=now.can_start_cuff,
    )


def part_shown(now: PartNow) -> PartShown:
    """One part of the service."""
    return PartShown(part=now.part, ok=now.ok, since_ms=now.since_ms, why=now.why)


def duty_shown(now: DutyNow) -> DutyShown:
    """The duty list."""
    return DutyShown(
        on=list(now.on),
        beds=[DutyBed(bed, staff) for bed, staff in now.beds],
        set_by=now.set_by,
        set_at_ms=now.set_at_ms,
        test=None if now.test is None else _test_shown(now.test),
    )


def _test_shown(now: TrialNow) -> TrialShown:
    people = [ReachShown(one.staff, one.reach.value, one.at_ms, one.took_ms) for one in now.people]
    return TrialShown(people, now.asked_by, now.asked_at_ms)


Burden = tuple[Staff, bool] | None
"""What a bed is to its nurse: whose it is and whether the drug is at its strongest; None for nobody's."""


def burden(bed: BedNow) -> Burden:
    """What this bed is to its nurse."""
    if bed.session is None or bed.nurse is None:
        return None
    return bed.nurse, bed.treatment is not None and bed.treatment.at_peak


def load(now: DutyNow, burdens: Iterable[Burden]) -> list[LoadShown]:
    """How many beds everybody on duty has, in the order of the duty list, then anybody else with a bed."""
    beds = [each for each in burdens if each is not None]
    people = dict.fromkeys([*now.on, *(nurse for nurse, _ in beds)])
    return [
        LoadShown(
            name, sum(nurse == name for nurse, _ in beds), sum(nurse == name and peak for nurse, peak in beds)
        )
        for name in people
    ]


def sound_shown(now: SoundNow) -> SoundShown:
    """One screen's own sound."""
    return SoundShown(
        screen=now.screen,
        paired=now.paired,
        state=(SoundState.ON if now.on else SoundState.OFF).value,
        by=now.by,
        at_ms=now.at_ms,
        checked_at_ms=now.checked_at_ms,
        checked_by=now.checked_by,
    )


def pages_of_now(snapshot: Snapshot) -> list[PageNow]:
    """The pages about the service and about the patients who are there now (F41)."""
    since_ms = {bed.bed: bed.session.opened_at_ms for bed in snapshot.beds if bed.session is not None}
    return [
        page
        for page in snapshot.pages
        if not page.bed or page.ordered_at_ms >= since_ms.get(page.bed, snapshot.at_ms + 1)
    ]


def _measured_mean(cuff: Cuff) -> float | None:
    """The mean as the monitor measured it; one worked out from the other two is not shown as such."""
    return None if cuff.derived_mean else cuff.mean

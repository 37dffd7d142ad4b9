"""The ward's records as the JSON of the outside, units in the key names. Pure.

A `...Shown` is one thing as a screen is shown it; `changes` says which of them a turn has touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar, assert_never

import msgspec

from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Bed,
    Cuff,
    CuffAsked,
    CuffOrdered,
    CuffTaken,
    Device,
    DeviceNoted,
    Discharged,
    DutySet,
    Event,
    HelpCalled,
    LimitSet,
    LinkMoved,
    PageChanged,
    PageOrdered,
    PageRecalled,
    PageReported,
    PartMoved,
    Paused,
    Quality,
    Reading,
    Readings,
    Rejected,
    Resumed,
    ScreenMoved,
    ServiceStarted,
    SessionMoved,
    SoundSaid,
    SoundState,
    Vital,
    VitalTyped,
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
    VitalNow,
)

if TYPE_CHECKING:
    from monitor.api.ward_view import TrendKept, WardView

BELIEVED = (Quality.VALID, Quality.QUESTIONABLE)


class VitalShown(msgspec.Struct, frozen=True):
    """One vital of one bed. `value` is null unless valid or questionable, and null once it is old."""

    vital: str
    value: float | None
    unit: str
    quality: str
    why: str | None
    at_ms: int
    fresh_until_ms: int
    device: str | None
    by: str | None
    last_value: float | None
    last_at_ms: int | None


class CuffShown(msgspec.Struct, frozen=True):
    """The newest good cuff reading, how the last try ended, when the next is due."""

    systolic_mmhg: float | None
    diastolic_mmhg: float | None
    mean_mmhg: float | None
    pulse_per_min: float | None
    quality: str | None
    why: str | None
    measured_at_ms: int | None
    device: str | None
    by: str | None
    failed_at_ms: int | None
    failed_why: str | None
    running_since_ms: int | None
    next_due_at_ms: int | None
    old_after_at_ms: int | None


class BaselineShown(msgspec.Struct, frozen=True):
    """Today's own normal of one patient."""

    systolic_mmhg: float | None
    diastolic_mmhg: float | None
    heart_rate_per_min: float | None
    spo2_percent: float | None
    respiration_per_min: float | None


class SessionShown(msgspec.Struct, frozen=True):
    """A session. `alias` is null where the asker may not see it."""

    session: int
    bed: str
    alias: str | None
    profile: str
    phase: str
    opened_at_ms: int
    opened_by: str
    closed_at_ms: int | None
    closed_by: str | None
    cuff_interval_ms: int | None
    baseline: BaselineShown


class LimitShown(msgspec.Struct, frozen=True):
    """One limit in force at a bed, and the span in which it may be set."""

    rule: str
    condition: str
    vital: str
    side: str
    priority: str
    limit: float | None
    default: float | None
    unit: str
    inclusive: bool
    hold_ms: int
    severe: float | None
    set_by: str | None
    set_why: str | None
    low_span: float | None
    high_span: float | None


class PauseShown(msgspec.Struct, frozen=True):
    """One pause that is running."""

    pause_id: int
    bed: str
    kind: str
    vital: str | None
    since_ms: int
    until_ms: int
    by: str
    why: str


class BedShown(msgspec.Struct, frozen=True):
    """One bed with all that hangs on it but its alarms."""

    bed: str
    place: str
    session: SessionShown | None
    nurse: str | None
    vitals: dict[str, VitalShown]
    cuff: CuffShown | None
    cuff_refusal: str | None
    limits: list[LimitShown]
    pauses: list[PauseShown]
    devices: list[str]


class AlarmShown(msgspec.Struct, frozen=True):
    """One alarm. `rule` is the condition; its priority stands beside it. Bed "" is the service itself."""

    alarm_id: int
    bed: str
    session: int | None
    rule: str
    priority: str
    technical: bool
    vital: str | None
    device: str | None
    state: str
    since_ms: int
    raised_at_ms: int | None
    value: float | None
    limit: float | None
    unit: str | None
    text: str
    note: str
    acked_by: str | None
    acked_at_ms: int | None
    ack_until_ms: int | None
    quiet: str | None
    spoken_for: bool
    accepted_by: str | None
    next_page_at_ms: int | None
    over_at_ms: int | None


class AlarmGone(msgspec.Struct, frozen=True):
    """An alarm that is clear: take it off the screen."""

    alarm_id: int
    bed: str
    state: str = "clear"


class OutcomeShown(msgspec.Struct, frozen=True):
    """What became of a page on one way."""

    way: str
    outcome: str
    why: str
    at_ms: int


class PageShown(msgspec.Struct, frozen=True):
    """One page to one person."""

    page_id: int
    alarm_id: int
    bed: str
    rule: str
    priority: str
    step: int
    to: str
    why: str
    text: str
    ordered_at_ms: int
    outcomes: list[OutcomeShown]
    answer: str | None
    answered_by: str | None
    answered_at_ms: int | None
    over: bool


class LinkShown(msgspec.Struct, frozen=True):
    """One device's link and what the device says beside its numbers."""

    device: str
    driver: str
    bed: str
    state: str
    since_ms: int
    why: str
    notices: list[str]
    can_start_cuff: bool


class PartShown(msgspec.Struct, frozen=True):
    """One part of the service: well or not."""

    part: str
    ok: bool
    since_ms: int
    why: str


class DutyBed(msgspec.Struct, frozen=True):
    """Who has a bed."""

    bed: str
    staff: str


class DutyShown(msgspec.Struct, frozen=True):
    """Who is on duty, and who has which bed."""

    on: list[str]
    beds: list[DutyBed]
    set_by: str | None
    set_at_ms: int | None


class SoundShown(msgspec.Struct, frozen=True):
    """One screen's own sound, as it says itself, and when somebody last checked it there by ear."""

    screen: str
    paired: bool
    state: str
    by: str | None
    at_ms: int
    checked_at_ms: int | None
    checked_by: str | None


class SoundGone(msgspec.Struct, frozen=True):
    """A screen that is none any more: nothing is to be said of its sound."""

    screen: str
    state: None = None


class PersonShown(msgspec.Struct, frozen=True):
    """Somebody who can sign in."""

    name: str
    display: str
    role: str


class ServerShown(msgspec.Struct, frozen=True):
    """The service at the other end of the stream."""

    version: str
    at_ms: int
    start: str
    speed: float
    insecure_lan: bool


class LiveSnapshot(msgspec.Struct, frozen=True):
    """The first event of a stream: everything a screen needs."""

    server: ServerShown
    me: PersonShown | None
    beds: list[BedShown]
    alarms: list[AlarmShown]
    pages: list[PageShown]
    links: list[LinkShown]
    parts: list[PartShown]
    duty: DutyShown
    staff: list[PersonShown]
    sounds: list[SoundShown]


class _Change(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, kw_only=True):
    """What a turn has changed. `seq` is the journal's number of the newest event behind it.

    Left out where there is none: what a device says beside its numbers is not in the journal, and while the
    journal cannot be written nobody knows the number yet.
    """

    seq: int | None = None


class VitalChange(VitalShown, frozen=True, tag_field="kind", tag="vital", kw_only=True):
    """A vital has a new word."""

    bed: str


class BedChange(_Change, frozen=True, tag="bed"):
    """Something at a bed has changed."""

    bed: BedShown


class AlarmChange(_Change, frozen=True, tag="alarm"):
    """An alarm has moved, or what is said about it."""

    alarm: AlarmShown | AlarmGone


class PageChange(_Change, frozen=True, tag="page"):
    """A page was ordered, reported on or answered."""

    page: PageShown


class LinkChange(_Change, frozen=True, tag="link"):
    """A link has moved, or its device says something else."""

    link: LinkShown


class PartChange(_Change, frozen=True, tag="part"):
    """A part of the service became bad or good."""

    part: PartShown


class DutyChange(_Change, frozen=True, tag="duty"):
    """The duty list was set."""

    duty: DutyShown


class SoundChange(_Change, frozen=True, tag="sound"):
    """A screen's own sound went on, went off, was checked, or is no matter any more."""

    sound: SoundShown | SoundGone


Change = (
    VitalChange | BedChange | AlarmChange | PageChange | LinkChange | PartChange | DutyChange | SoundChange
)


class Turn(msgspec.Struct, frozen=True):
    """One message of the stream: what one turn has changed."""

    seq: int
    at_ms: int
    changes: list[Change]


class Beat(msgspec.Struct, frozen=True):
    """The service is alive: its time, and the sequence number a screen should have reached."""

    at_ms: int
    seq: int


# What a turn has touched.


class Told:
    """What screens were last told of each alarm."""

    def __init__(self, alarms: Iterable[AlarmNow]) -> None:
        """Begin with the alarms there are."""
        self.alarms = {alarm.alarm_id: alarm_shown(alarm) for alarm in alarms}


Seq = int | None
K = TypeVar("K")


class _Touched:
    """Keys gathered from the events of one turn, in the order they came, each once with its newest number."""

    def __init__(self) -> None:
        self.beds: dict[Bed, Seq] = {}
        self.vitals: dict[tuple[Bed, Vital], None] = {}
        self.alarms: dict[int, Seq] = {}
        self.bed_of: dict[int, Bed] = {}
        self.alarms_of: dict[Bed, Seq] = {}
        self.pages: dict[int, Seq] = {}
        self.links: dict[Device, Seq] = {}
        self.parts: dict[str, Seq] = {}
        self.sounds: dict[str, Seq] = {}
        self.duty: list[Seq] = []


def _note(among: dict[K, Seq], key: K, seq: Seq) -> None:
    """Touch a key. What is not in the journal takes no number away, and numbers only grow."""
    among[key] = among.get(key) if seq is None else seq


def changes(  # noqa: C901  a line a kind of change
    events: Iterable[Event], ward: WardView, told: Told, now_ms: int, after_seq: int | None = None
) -> list[Change]:
    """The upserts one turn's events lead to: each thing once, as it stands now.

    `told` is kept up to date here. A move of one alarm, a pause or
    an answer may change what is said of the bed's other alarms, so those that now read differently follow.
    `after_seq` is the journal's last number before these events, None where they are not in it (yet).
    """
    touched = _Touched()
    for event in events:
        seq: Seq = None
        if event.durable and after_seq is not None:
            seq = after_seq = after_seq + 1
        _touch(event, touched, seq)
    found: list[Change] = []
    for seq in touched.duty[-1:]:
        found.append(DutyChange(duty_shown(ward.duty_now()), seq=seq))
        for each in ward.snapshot().beds:
            _note(touched.beds, each.bed, seq)
    for device, seq in touched.links.items():
        link = ward.link_now(device)
        found.append(LinkChange(link_shown(link), seq=seq))
        if link.bed:
            _note(touched.beds, link.bed, seq)
    for bed, seq in touched.beds.items():
        found.append(BedChange(bed_shown(ward.bed_now(bed), now_ms=now_ms), seq=seq))
    for bed, vital in touched.vitals:
        if bed not in touched.beds and (now := ward.vital_now(bed, vital)) is not None:
            found.append(_vital_change(bed, now))
    found += _page_changes(touched, ward)
    found += _alarm_changes(touched, ward, told)
    found += [PartChange(part_shown(ward.part_now(part)), seq=seq) for part, seq in touched.parts.items()]
    for screen, seq in touched.sounds.items():
        sound = ward.sound_now(screen)
        found.append(SoundChange(sound_shown(sound) if sound else SoundGone(screen), seq=seq))
    return found


def _touch(event: Event, touched: _Touched, seq: Seq) -> None:  # noqa: C901, PLR0912  one line for each kind
    match event:
        case Reading():
            if not event.late:
                touched.vitals[event.bed, event.vital] = None
        case Readings():
            if not event.late:
                for vital in event.vitals:
                    touched.vitals[event.bed, vital] = None
        case CuffTaken() | Admitted() | CuffOrdered() | VitalTyped():
            _note(touched.beds, event.bed, seq)
        case SessionMoved() | Paused() | Resumed() | LimitSet():
            _note(touched.beds, event.bed, seq)
            _note(touched.alarms_of, event.bed, seq)
        case AlarmMoved():
            _note(touched.alarms, event.alarm_id, seq)
            _note(touched.alarms_of, event.bed, seq)
            touched.bed_of[event.alarm_id] = event.bed
        case Acked():
            _note(touched.alarms, event.alarm_id, seq)
        case PageOrdered():
            _note(touched.pages, event.page_id, seq)
            _note(touched.alarms, event.alarm_id, seq)
            touched.bed_of[event.alarm_id] = event.bed
        case PageReported() | Accepted() | Rejected() | HelpCalled() | PageChanged() | PageRecalled():
            _note(touched.pages, event.page_id, seq)
        case LinkMoved() | DeviceNoted():
            _note(touched.links, event.device, seq)
        case PartMoved():
            _note(touched.parts, event.part, seq)
        case DutySet():
            touched.duty.append(seq)
        case SoundSaid() | ScreenMoved():
            _note(touched.sounds, event.screen, seq)
        case CuffAsked() | Discharged() | ServiceStarted():
            pass  # what follows from them (CuffOrdered, SessionMoved) is in the same turn
        case _:
            assert_never(event)


def _page_changes(touched: _Touched, ward: WardView) -> list[Change]:
    found: list[Change] = []
    for page_id, seq in touched.pages.items():
        page = ward.page_now(page_id)
        if page is not None:
            found.append(PageChange(page_shown(page), seq=seq))
            _note(touched.alarms, page.alarm_id, seq)
            touched.bed_of.setdefault(page.alarm_id, page.bed)
    return found


def _alarm_changes(touched: _Touched, ward: WardView, told: Told) -> list[Change]:
    found: list[Change] = []
    beside = {
        alarm_id: touched.alarms_of.get(Bed(alarm.bed), *touched.duty[-1:])
        for alarm_id, alarm in told.alarms.items()
        if alarm_id not in touched.alarms and (touched.duty or Bed(alarm.bed) in touched.alarms_of)
    }
    for alarm_id, seq in (touched.alarms | beside).items():
        before = told.alarms.get(alarm_id)
        now = ward.alarm_now(alarm_id)
        if now is None or now.state is AlarmState.CLEAR:
            bed = before.bed if before else touched.bed_of.get(alarm_id, CLINIC)
            told.alarms.pop(alarm_id, None)
            found.append(AlarmChange(AlarmGone(alarm_id, bed), seq=seq))
            continue
        shown = alarm_shown(now)
        if shown != before:
            told.alarms[alarm_id] = shown
            found.append(AlarmChange(shown, seq=seq))
    return found


def _vital_change(bed: Bed, now: VitalNow) -> VitalChange:
    shown = vital_shown(now)
    return VitalChange(bed=bed, **{name: getattr(shown, name) for name in VitalShown.__struct_fields__})


# One record, one shape.


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
    )


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
    )


def without_alias(bed: BedShown) -> BedShown:
    """The same bed for a paired screen, which shows no patient's alias."""
    if bed.session is None or bed.session.alias is None:
        return bed
    return msgspec.structs.replace(bed, session=msgspec.structs.replace(bed.session, alias=None))


def turn_without_alias(turn: Turn) -> Turn:
    """The same turn for a paired screen; the very same object where nobody is named."""
    if not any(isinstance(change, BedChange) and change.bed.session for change in turn.changes):
        return turn
    bare = [
        msgspec.structs.replace(change, bed=without_alias(change.bed))
        if isinstance(change, BedChange)
        else change
        for change in turn.changes
    ]
    return Turn(turn.seq, turn.at_ms, bare)


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
    )


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


# What only a request asks for.


class TileShown(msgspec.Struct, frozen=True):
    """One bed with its alarms and links; `age_ms` says how old each vital's newest word is."""

    at_ms: int
    bed: BedShown
    age_ms: dict[str, int]
    alarms: list[AlarmShown]
    links: list[LinkShown]


class BedsShown(msgspec.Struct, frozen=True):
    """All beds."""

    at_ms: int
    beds: list[TileShown]


class SessionsShown(msgspec.Struct, frozen=True):
    """All sessions the ward knows."""

    sessions: list[SessionShown]


class AlarmsShown(msgspec.Struct, frozen=True):
    """All alarms that are not clear, worst first; or those that are over, newest first."""

    at_ms: int
    alarms: list[AlarmShown]


class PagesShown(msgspec.Struct, frozen=True):
    """Pages, newest first."""

    at_ms: int
    pages: list[PageShown]


class TrendCuff(msgspec.Struct, frozen=True):
    """One cuff reading of a trend; a failed one has no numbers and says why."""

    measured_at_ms: int
    systolic_mmhg: float | None
    diastolic_mmhg: float | None
    mean_mmhg: float | None
    pulse_per_min: float | None
    quality: str
    why: str | None


class TrendShown(msgspec.Struct, frozen=True):
    """A bed over time. A point is [at_ms, lowest, highest] of its stretch; null is a gap."""

    bed: str
    from_at_ms: int
    to_at_ms: int
    units: dict[str, str]
    vitals: dict[str, list[tuple[int, float | None, float | None]]]
    cuffs: list[TrendCuff]


class StatusShown(msgspec.Struct, frozen=True):
    """How the service itself is doing."""

    name: str
    zone: str
    version: str
    start: str
    at_ms: int
    started_at_ms: int
    uptime_ms: int
    speed: float
    insecure_lan: bool
    ready: bool
    recording: bool
    recording_why: str
    paging: bool
    paging_why: str
    loop_lag_ms: int
    turn_age_ms: int
    journal_seq: int
    journal_head: str
    streams: int
    beds: list[str]
    links: list[LinkShown]
    parts: list[PartShown]
    sounds: list[SoundShown]


class MeShown(msgspec.Struct, frozen=True):
    """Who the asker is, and until when; `home` is the screen that is theirs here."""

    name: str
    display: str
    role: str
    screen: str | None
    ends_at_ms: int | None
    idle_ms: int | None
    home: str


class ScreenShown(msgspec.Struct, frozen=True):
    """One paired screen."""

    screen: str
    paired_at_ms: int


class ScreensShown(msgspec.Struct, frozen=True):
    """All paired screens."""

    screens: list[ScreenShown]


class DoneShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act was taken. `recorded` is false while the journal cannot be written: it counts all the same."""

    recorded: bool
    session: int | None = None
    pause_id: int | None = None


def tile_shown(snapshot: Snapshot, bed: BedNow, *, names: bool) -> TileShown:
    """One bed with all that belongs to it."""
    shown = bed_shown(bed, now_ms=snapshot.at_ms)
    return TileShown(
        at_ms=snapshot.at_ms,
        bed=shown if names else without_alias(shown),
        age_ms={vital.vital.value: max(0, snapshot.at_ms - vital.at_ms) for vital in bed.vitals},
        alarms=[alarm_shown(alarm) for alarm in snapshot.alarms if alarm.bed == bed.bed],
        links=[link_shown(link) for link in snapshot.links if link.bed == bed.bed],
    )


def trend_shown(bed: Bed, from_ms: int, to_ms: int, kept: TrendKept) -> TrendShown:
    """A trend as it is kept, with its units; cuff readings stand apart."""
    return TrendShown(
        bed=bed,
        from_at_ms=from_ms,
        to_at_ms=to_ms,
        units={vital.value: vital.unit for vital in kept.vitals},
        vitals={vital.value: list(points) for vital, points in kept.vitals.items()},
        cuffs=[
            TrendCuff(
                measured_at_ms=at_ms,
                systolic_mmhg=cuff.systolic if cuff.quality in BELIEVED else None,
                diastolic_mmhg=cuff.diastolic if cuff.quality in BELIEVED else None,
                mean_mmhg=_measured_mean(cuff) if cuff.quality in BELIEVED else None,
                pulse_per_min=cuff.pulse if cuff.quality in BELIEVED else None,
                quality=cuff.quality.value,
                why=cuff.why,
            )
            for at_ms, cuff in kept.cuffs
        ],
    )


def pages_of_now(snapshot: Snapshot) -> list[PageNow]:
    """The pages about the service and about the patients who are there now (F41)."""
    since_ms = {bed.bed: bed.session.opened_at_ms for bed in snapshot.beds if bed.session is not None}
    return [
        page
        for page in snapshot.pages
        if not page.bed or page.ordered_at_ms >= since_ms.get(page.bed, snapshot.at_ms + 1)
    ]


def alarms_shown(snapshot: Snapshot, state: AlarmState | None, bed: Bed | None, limit: int) -> AlarmsShown:
    """At most `limit` alarms: all that stand or those in one state, worst first and then the oldest.

    Those that are CLEAR: newest first, and of a bed only its present patient's (F41).
    """
    if state is AlarmState.CLEAR:
        here = {each.bed: each.session.session for each in snapshot.beds if each.session is not None}
        found = [a for a in snapshot.over if a.bed == CLINIC or a.session == here.get(a.bed, -1)]
        found.sort(key=lambda alarm: (-(alarm.over_at_ms or 0), -alarm.alarm_id))
    else:
        found = [alarm for alarm in snapshot.alarms if state in {None, alarm.state}]
        found.sort(key=lambda alarm: (-alarm.priority, alarm.since_ms))
    wanted = [alarm for alarm in found if bed in {None, alarm.bed}]
    return AlarmsShown(snapshot.at_ms, [alarm_shown(alarm) for alarm in wanted[:limit]])


def _measured_mean(cuff: Cuff) -> float | None:
    """The mean as the monitor measured it; one worked out from the other two is not shown as such."""
    return None if cuff.derived_mean else cuff.mean

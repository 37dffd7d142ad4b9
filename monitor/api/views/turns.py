"""What a turn of the ward changes on the screens: upserts, each thing once, as it stands now. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from monitor.api.views.records import (
    alarm_shown,
    bed_shown,
    burden,
    duty_shown,
    for_a_wall,
    link_shown,
    load,
    page_shown,
    part_shown,
    sound_shown,
    vital_shown,
    without_alias,
)
from monitor.api.views.shapes import (
    AlarmGone,
    AlarmShown,
    BedShown,
    DutyShown,
    LinkShown,
    LoadShown,
    PageShown,
    PartShown,
    SoundGone,
    SoundShown,
    VitalShown,
)
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Bed,
    CuffAsked,
    CuffCancelled,
    CuffNotTaken,
    CuffOrdered,
    CuffStopped,
    CuffTaken,
    Device,
    DeviceNoted,
    Discharged,
    DutySet,
    HandedOver,
    HelpCalled,
    LimitSet,
    LinkMoved,
    PageChanged,
    PageOpened,
    PageOrdered,
    PageRecalled,
    PageReported,
    PartMoved,
    Paused,
    Reading,
    Readings,
    Rejected,
    Resumed,
    ScreenMoved,
    ServiceStarted,
    SessionMoved,
    SoundSaid,
    SourceMoved,
    TrialAsked,
    Vital,
    VitalTyped,
)
from monitor.snapshot import (
    Snapshot,
    VitalNow,
)
from monitor.treatment import Happening, TreatmentOpened
from monitor.treatment_now import TreatmentNow

if TYPE_CHECKING:
    from monitor.api.ward_view import WardView


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


class TreatmentChange(_Change, frozen=True, tag="treatment"):
    """A treatment reads otherwise by the clock, or by what its monitor says; its timeline is as before."""

    bed: str
    treatment: TreatmentNow


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
    """The duty list was set, or a test page has shown who is reached."""

    duty: DutyShown


class LoadChange(_Change, frozen=True, tag="load"):
    """Somebody on duty has more beds with a patient, or at the peak of the drug, or fewer."""

    load: list[LoadShown]


class SoundChange(_Change, frozen=True, tag="sound"):
    """A screen's own sound went on, went off, was checked, or is no matter any more."""

    sound: SoundShown | SoundGone


Change = (
    VitalChange
    | BedChange
    | TreatmentChange
    | AlarmChange
    | PageChange
    | LinkChange
    | PartChange
    | DutyChange
    | LoadChange
    | SoundChange
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


class Told:
    """What screens were last told of each alarm and each treatment, and what the beds are to their nurses."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Begin with what there is."""
        self.alarms = {alarm.alarm_id: alarm_shown(alarm) for alarm in snapshot.alarms}
        self.treatments: dict[Bed, TreatmentNow] = {}
        self.burdens = {bed.bed: burden(bed) for bed in snapshot.beds}
        self.load = load(snapshot.duty, self.burdens.values())
        self.duty = duty_shown(snapshot.duty)
        self.duty_look_ms = snapshot.at_ms
        self.look_ms = NEVER_MS
        for bed in snapshot.beds:
            self.told(bed.bed, bed.treatment)

    def told(self, bed: Bed, treatment: TreatmentNow | None) -> None:
        """This is what the screens know of the bed's treatment from here on."""
        if treatment is None:
            self.treatments.pop(bed, None)
        else:
            self.treatments[bed] = treatment
        self.look_ms = min((each.until_ms for each in self.treatments.values()), default=NEVER_MS)

    def bed_of(self, session: int) -> Bed | None:
        """Where this treatment is, if its patient is still there."""
        return next((bed for bed, each in self.treatments.items() if each.session == session), None)


NEVER_MS = 1 << 62
DUTY_LOOK_MS = 60_000
"""How often it is looked whether somebody's last answer has become too old to count."""

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
        self.treated: dict[int, Seq] = {}


def _note(among: dict[K, Seq], key: K, seq: Seq) -> None:
    """Touch a key. What is not in the journal takes no number away, and numbers only grow."""
    among[key] = among.get(key) if seq is None else seq


def changes(  # noqa: C901  a line a kind of change
    events: Iterable[Happening], ward: WardView, told: Told, now_ms: int, after_seq: int | None = None
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
    found = _duty_change(touched, ward, told, now_ms)
    for seq in touched.duty[-1:]:
        for each in ward.snapshot().beds:
            _note(touched.beds, each.bed, seq)
    for device, seq in touched.links.items():
        link = ward.link_now(device)
        found.append(LinkChange(link_shown(link), seq=seq))
        if link.bed:
            _note(touched.beds, link.bed, seq)
    for session, seq in touched.treated.items():
        if (bed := told.bed_of(session)) is not None:
            _note(touched.beds, bed, seq)
    for bed, seq in touched.beds.items():
        now = ward.bed_now(bed)
        found.append(BedChange(bed_shown(now, now_ms=now_ms), seq=seq))
        told.told(bed, now.treatment)
        told.burdens[bed] = burden(now)
    found += _treatment_changes(touched, ward, told, now_ms)
    found += _load_change(touched, ward, told)
    for bed, vital in touched.vitals:
        if bed not in touched.beds and (said := ward.vital_now(bed, vital)) is not None:
            found.append(_vital_change(bed, said))
    found += _page_changes(touched, ward)
    found += _alarm_changes(touched, ward, told)
    found += [PartChange(part_shown(ward.part_now(part)), seq=seq) for part, seq in touched.parts.items()]
    for screen, seq in touched.sounds.items():
        sound = ward.sound_now(screen)
        found.append(SoundChange(sound_shown(sound) if sound else SoundGone(screen), seq=seq))
    return found


def _touch(event: Happening, touched: _Touched, seq: Seq) -> None:  # noqa: C901, PLR0912  one line for each kind
    match event:
        case Reading():
            if not event.late:
                touched.vitals[event.bed, event.vital] = None
        case Readings():
            if not event.late:
                for vital in event.vitals:
                    touched.vitals[event.bed, vital] = None
        case CuffTaken() | CuffOrdered() | CuffStopped() | CuffNotTaken() | Admitted() | VitalTyped():
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
        case PageOpened():
            _note(touched.pages, event.page_id, seq)
        case LinkMoved() | DeviceNoted():
            _note(touched.links, event.device, seq)
        case SourceMoved():
            _note(touched.links, event.was, seq)
            _note(touched.links, event.now, seq)
        case PartMoved():
            _note(touched.parts, event.part, seq)
        case DutySet() | HandedOver() | TrialAsked():
            touched.duty.append(seq)
        case SoundSaid() | ScreenMoved():
            _note(touched.sounds, event.screen, seq)
        case CuffAsked() | CuffCancelled() | Discharged() | ServiceStarted():
            pass  # what follows from them (CuffOrdered, CuffStopped, SessionMoved) is in the same turn
        case TreatmentOpened():
            _note(touched.beds, event.bed, seq)
        case _:
            _note(touched.treated, event.session, seq)  # what is said and decided of a treatment


def _duty_change(touched: _Touched, ward: WardView, told: Told, now_ms: int) -> list[Change]:
    """The duty list, where somebody has set it or a page has shown who is reached; answers grow old, too."""
    if not (touched.duty or touched.pages or now_ms >= told.duty_look_ms):
        return []
    now, was, told.duty_look_ms = duty_shown(ward.duty_now()), told.duty, now_ms + DUTY_LOOK_MS
    told.duty = now
    if now == was and not touched.duty:
        return []
    return [DutyChange(now, seq=(touched.duty or [*touched.pages.values(), None])[-1])]


def _treatment_changes(touched: _Touched, ward: WardView, told: Told, now_ms: int) -> list[Change]:
    """Treatments that read otherwise although nothing was said of them: by the clock, a value, an alarm."""
    stirred = [bed for bed in touched.alarms_of if bed in told.treatments]
    if now_ms < told.look_ms and not stirred:
        return []
    found: list[Change] = []
    for bed, was in list(told.treatments.items()):
        if bed in touched.beds or (now_ms < was.until_ms and bed not in stirred):
            continue
        now = ward.bed_now(bed).treatment
        told.told(bed, now)
        if now is not None and replace(now, at_ms=was.at_ms, until_ms=was.until_ms) != was:
            found.append(TreatmentChange(bed, replace(now, timeline=None), seq=touched.alarms_of.get(bed)))
    return found


def _load_change(touched: _Touched, ward: WardView, told: Told) -> list[Change]:
    """What the beds come to for those on duty, where that has changed."""
    if not touched.beds:
        return []
    now = load(ward.duty_now(), told.burdens.values())
    if now == told.load:
        return []
    told.load = now
    return [LoadChange(now)]


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


def turn_without_alias(turn: Turn) -> Turn:
    """The same turn for a paired screen; the very same object where nobody is named."""
    if not any(
        isinstance(change, TreatmentChange) or (isinstance(change, BedChange) and change.bed.session)
        for change in turn.changes
    ):
        return turn
    return Turn(turn.seq, turn.at_ms, list(map(_bare, turn.changes)))


def _bare(change: Change) -> Change:
    match change:
        case BedChange():
            return msgspec.structs.replace(change, bed=without_alias(change.bed))
        case TreatmentChange():
            return msgspec.structs.replace(change, treatment=for_a_wall(change.treatment))
        case _:
            return change

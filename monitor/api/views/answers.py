"""What only a request asks for, and how it is put together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from monitor.api.views.records import (
    BELIEVED,
    _measured_mean,
    alarm_shown,
    bed_shown,
    burden,
    duty_shown,
    link_shown,
    load,
    session_shown,
    without_alias,
)
from monitor.api.views.shapes import (
    AlarmShown,
    BedShown,
    DutyShown,
    LinkShown,
    LoadShown,
    PageShown,
    PartShown,
    SessionShown,
    SoundShown,
)
from monitor.model import (
    CLINIC,
    AlarmState,
    Bed,
)
from monitor.snapshot import (
    BedNow,
    SessionNow,
    Snapshot,
)
from monitor.treatment_now import TherapyNow, TreatmentNow

if TYPE_CHECKING:
    from monitor.api.ward_view import TrendKept


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
    """Sessions, newest first; `more` where there are older ones, to be asked for with `before`."""

    sessions: list[SessionShown]
    more: bool


class SessionWhole(SessionShown, frozen=True):
    """One session; `now` is its treatment, while its patient is here or something is owed of it."""

    now: TreatmentNow | None


class TherapiesShown(msgspec.Struct, frozen=True):
    """What a session can be opened with."""

    therapies: list[TherapyNow]


class AlarmsShown(msgspec.Struct, frozen=True):
    """All alarms that are not clear, worst first; or those that are over, newest first."""

    at_ms: int
    alarms: list[AlarmShown]


class LinkOpened(msgspec.Struct, frozen=True):
    """The page that a link has opened, and until when this browser may see and answer it."""

    page_id: int
    until_ms: int


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
    device: str | None
    """None: by hand."""


class TrendShown(msgspec.Struct, frozen=True):
    """A bed over time. A point is [at_ms, lowest, highest] of its stretch; null is a gap.

    `sources` says from when on which device each line is of ("": by hand); the line has a gap there.
    """

    bed: str
    from_at_ms: int
    to_at_ms: int
    units: dict[str, str]
    vitals: dict[str, list[tuple[int, float | None, float | None]]]
    cuffs: list[TrendCuff]
    sources: dict[str, list[tuple[int, str]]]


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


class DutyLoadShown(DutyShown, frozen=True):
    """The duty list, and what it comes to at the beds now."""

    load: list[LoadShown]


class CountsShown(msgspec.Struct, frozen=True):
    """What one set of limits comes to: alarms by priority, pages, seconds in alarm by priority."""

    raised: dict[str, int]
    technical: dict[str, int]
    pages: int
    further_pages: int
    alarmed_s: dict[str, float]


class RuleShown(msgspec.Struct, frozen=True):
    """How often one condition was raised: on the day, as limits are set now, and as proposed."""

    rule: str
    priority: str
    recorded: int
    as_set: int
    proposed: int | None


class JudgedShown(msgspec.Struct, frozen=True):
    """Sums of one stored session, or of all; `why_not` of one that could not be judged.

    `same_numbers`: its therapy's numbers are still those that it went under.
    """

    as_set: CountsShown | None = None
    proposed: CountsShown | None = None
    bed_hours: float | None = None
    gaps_s: float | None = None
    rules: list[RuleShown] = []
    session: int | None = None
    alias: str | None = None
    therapy: str | None = None
    same_numbers: bool | None = None
    opened_at_ms: int | None = None
    ended_at_ms: int | None = None
    why_not: str | None = None


class WhatIfShown(msgspec.Struct, frozen=True):
    """Stored sessions under the limits as set and as proposed: each, and all that could be judged."""

    all: JudgedShown
    sessions: list[JudgedShown]


class HearsShown(msgspec.Struct, frozen=True):
    """What this screen sounds where it stands: from a priority on (null: nothing), of some beds or all."""

    least: str | None
    beds: list[str] | None


class MeShown(msgspec.Struct, frozen=True):
    """Who the asker is, and until when; `home` is the screen that is theirs here."""

    name: str
    display: str
    role: str
    screen: str | None
    ends_at_ms: int | None
    idle_ms: int | None
    home: str
    hears: HearsShown


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


def session_whole(now: SessionNow, treatment: TreatmentNow | None) -> SessionWhole:
    """One session with its treatment."""
    shown = session_shown(now)
    return SessionWhole(
        **{name: getattr(shown, name) for name in SessionShown.__struct_fields__}, now=treatment
    )


def what_if_shown(lines: Sequence[Mapping[str, object]]) -> WhatIfShown:
    """The summary lines of a what-if: each session's, and the one of all last."""
    *each, total = (msgspec.convert(_judged(line), JudgedShown) for line in lines)
    return WhatIfShown(total, each)


def _judged(line: Mapping[str, object]) -> Mapping[str, object]:
    known = {"why_not": line.get("why")} if line.get("event") == "skipped" else {}
    return {key: value for key, value in line.items() if key in JudgedShown.__struct_fields__} | known


def duty_load_shown(snapshot: Snapshot) -> DutyLoadShown:
    """The duty list with what it comes to."""
    duty = duty_shown(snapshot.duty)
    return DutyLoadShown(
        duty.on,
        duty.beds,
        duty.set_by,
        duty.set_at_ms,
        duty.test,
        load(snapshot.duty, map(burden, snapshot.beds)),
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
                device=device,
            )
            for (at_ms, cuff), device in zip(kept.cuffs, kept.cuffs_of, strict=True)
        ],
        sources={vital.value: list(of) for vital, of in kept.sources.items()},
    )


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

"""What a screen is shown, as JSON: one shape a thing, units in the key names. Pure.

A `...Shown` is one thing as it stands; `LiveSnapshot` is all of them at once. A treatment has no shape here:
its records (`treatment_now.py`) were made for screens, and go out as they stand.
"""

from __future__ import annotations

import msgspec

from monitor.treatment_now import TherapyNow, TreatmentBrief, TreatmentNow


class VitalShown(msgspec.Struct, frozen=True):
    """One vital of one bed. `value` is null unless valid or questionable, and null once it is old.

    `instead_of` names the device that speaks whenever it can, where `device` stands in for it.
    """

    vital: str
    value: float | None
    unit: str
    quality: str
    why: str | None
    at_ms: int
    fresh_until_ms: int
    device: str | None
    instead_of: str | None
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
    treatment: TreatmentBrief | None


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
    until_ms: int | None
    """None for what is off: it stays until somebody ends it."""
    by: str
    why: str


class BedShown(msgspec.Struct, frozen=True):
    """One bed with all that hangs on it but its alarms.

    On a paired screen a treatment shows where it is and what is due, and nothing that anybody has said.
    """

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
    treatment: TreatmentNow | None


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
    quiet_by: str | None
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
    over_at_ms: int | None


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


class LoadShown(msgspec.Struct, frozen=True):
    """How many beds with a patient somebody has, and at how many of them the drug is at its strongest now."""

    staff: str
    beds: int
    at_peak: int


class ReachShown(msgspec.Struct, frozen=True):
    """Whether a page reaches one: "untested", "waiting", "answered", "unanswered", "failed", "no pager"."""

    staff: str
    reach: str
    at_ms: int | None
    took_ms: int | None
    """How long after their page they had answered it."""


class TrialShown(msgspec.Struct, frozen=True):
    """Whether pages reach those on duty, and who last asked for a test of all."""

    people: list[ReachShown]
    asked_by: str | None
    asked_at_ms: int | None


class DutyShown(msgspec.Struct, frozen=True):
    """Who is on duty, and who has which bed; `test` is null where no test pages are sent."""

    on: list[str]
    beds: list[DutyBed]
    set_by: str | None
    set_at_ms: int | None
    test: TrialShown | None


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
    load: list[LoadShown]
    therapies: list[TherapyNow]

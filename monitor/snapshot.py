"""The ward as it stands now, as frozen records: what the API may read. Rebuilt by the ward on demand.

Times are `..._ms` on the service's steady line, values in the unit of their `Vital`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.model import (
    AlarmState,
    Baseline,
    Bed,
    Cuff,
    Device,
    Doubt,
    LinkState,
    Outcome,
    PauseKind,
    Priority,
    Quality,
    SessionPhase,
    Side,
    Staff,
    Vital,
    Why,
)
from monitor.treatment import Happening
from monitor.treatment_now import TherapyNow, TreatmentBrief, TreatmentNow


@dataclass(frozen=True, slots=True)
class VitalNow:
    """The newest word on one vital of one bed, and the last number there was, each with its time."""

    vital: Vital
    value: float | None
    quality: Quality
    why: str | None
    doubt: Doubt
    at_ms: int
    fresh_until_ms: int
    device: Device | None
    by: Staff | None
    last_value: float | None
    last_at_ms: int | None
    instead_of: Device | None = None
    """The device that speaks for this vital whenever it can, where `device` stands in for it."""


@dataclass(frozen=True, slots=True)
class CuffNow:
    """The newest good cuff reading, how the last try ended, and when the next is due."""

    cuff: Cuff | None
    measured_at_ms: int | None
    device: Device | None
    by: Staff | None
    failed_at_ms: int | None
    failed_why: str | None
    running_since_ms: int | None
    next_due_ms: int | None
    old_after_ms: int | None
    """When the reading counts as old: 1.25 x the interval after it (physiology.md 1)."""


@dataclass(frozen=True, slots=True)
class LimitNow:
    """One limit in force at a bed. `default` differs from `limit` where somebody set this session's own."""

    rule: str
    vital: Vital
    side: Side
    priority: Priority
    limit: float | None
    default: float | None
    inclusive: bool
    hold_ms: int
    severe: float | None
    set_by: Staff | None
    set_why: str | None
    low_span: float | None
    high_span: float | None
    """The clinic's span: what LimitSet may set it to."""


@dataclass(frozen=True, slots=True)
class PauseNow:
    """One pause that is running."""

    pause_id: int
    bed: Bed
    kind: PauseKind
    vital: Vital | None
    since_ms: int
    until_ms: int | None
    """None: it stays until somebody ends it."""
    by: Staff
    why: str


@dataclass(frozen=True, slots=True)
class SessionNow:
    """A session, open or closed."""

    session: int
    bed: Bed
    alias: str
    baseline: Baseline
    profile: str
    cuff_interval_ms: int | None
    phase: SessionPhase
    opened_at_ms: int
    opened_by: Staff
    closed_at_ms: int | None
    closed_by: Staff | None
    treatment: TreatmentBrief | None = None
    """What a list shows of it, where it is a treatment; None for a plain watch."""


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """One alarm. `text` is the line of ALM-022 without bed and time: "SpO2 84 < 90"."""

    alarm_id: int
    bed: Bed
    rule: str
    condition: str
    priority: Priority
    technical: bool
    vital: Vital | None
    device: Device | None
    state: AlarmState
    since_ms: int
    raised_at_ms: int | None
    value: float | None
    limit: float | None
    text: str
    note: str
    acked_by: Staff | None
    acked_at_ms: int | None
    ack_until_ms: int | None
    quiet: str | None
    """Why it does not sound now although it is ACTIVE ("audio paused", "alarm paused"), or None."""
    spoken_for: bool
    """A worse alarm of the same cause speaks for this one: shown, not sounded, not paged."""
    accepted_by: Staff | None
    next_page_ms: int | None
    session: int | None = None
    """Whose alarm it is; None for one of the service, or of a bed where nobody is."""
    over_at_ms: int | None = None
    """When it became CLEAR; the rest is then what was true of it last."""
    quiet_by: Staff | None = None
    """Who has paused it, where it is quiet."""


@dataclass(frozen=True, slots=True)
class PageNow:
    """One page. `answer` is "accepted", "rejected" or None; `over` once its alarm no longer needs it."""

    page_id: int
    alarm_id: int
    bed: Bed
    rule: str
    priority: Priority
    step: int
    to: Staff
    why: Why
    text: str
    ordered_at_ms: int
    outcomes: tuple[tuple[str, Outcome, str, int], ...]
    """(way, outcome, why, at_ms), newest last."""
    answer: str | None
    answered_by: Staff | None
    answered_at_ms: int | None
    over: bool
    over_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LinkNow:
    """One device's link, what it says, and whether a cuff can be started on it."""

    device: Device
    driver: str
    bed: Bed
    state: LinkState
    since_ms: int
    why: str
    notices: tuple[str, ...]
    can_start_cuff: bool


@dataclass(frozen=True, slots=True)
class PartNow:
    """One part of the service: well or not, since when, and in words."""

    part: str
    ok: bool
    since_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class SoundNow:
    """One screen's own sound, as the screen said it last. `paired` False: a browser somebody signed in on."""

    screen: str
    paired: bool
    on: bool
    by: Staff | None
    at_ms: int
    checked_at_ms: int | None
    checked_by: Staff | None


class Reach(StrEnum):
    """Whether a page is known to reach somebody on duty."""

    UNTESTED = "untested"
    WAITING = "waiting"
    """A test page is out and has no answer yet."""
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    """No way has taken the test page over."""
    NO_PAGER = "no pager"


@dataclass(frozen=True, slots=True)
class ReachNow:
    """Whether one person is reached: since when, and how long after their page they had answered it."""

    staff: Staff
    reach: Reach
    at_ms: int | None
    took_ms: int | None


@dataclass(frozen=True, slots=True)
class TrialNow:
    """Whether pages reach those on duty, and who last asked for a test of all."""

    people: tuple[ReachNow, ...]
    asked_by: Staff | None
    asked_at_ms: int | None


@dataclass(frozen=True, slots=True)
class DutyNow:
    """Who is on duty and who has which bed."""

    on: tuple[Staff, ...]
    beds: tuple[tuple[Bed, Staff], ...]
    set_by: Staff | None
    set_at_ms: int | None
    test: TrialNow | None = None
    """None where no test pages are sent."""


@dataclass(frozen=True, slots=True)
class BedNow:
    """One bed: its session, its patient's vitals, its limits and pauses. Empty without a session."""

    bed: Bed
    place: str
    session: SessionNow | None
    nurse: Staff | None
    vitals: tuple[VitalNow, ...]
    cuff: CuffNow | None
    cuff_refusal: str | None
    """Why no cuff can be started from here, or None where one can."""
    limits: tuple[LimitNow, ...]
    pauses: tuple[PauseNow, ...]
    devices: tuple[Device, ...]
    treatment: TreatmentNow | None = None
    """The treatment of the patient who is here; None for a plain watch, and on an empty bed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a screen needs, from one instant."""

    at_ms: int
    beds: tuple[BedNow, ...]
    alarms: tuple[AlarmNow, ...]
    pages: tuple[PageNow, ...]
    links: tuple[LinkNow, ...]
    parts: tuple[PartNow, ...]
    duty: DutyNow
    closed: tuple[SessionNow, ...] = ()
    """The sessions that have ended, oldest first."""
    sounds: tuple[SoundNow, ...] = ()
    over: tuple[AlarmNow, ...] = ()
    """Alarms that were raised and are CLEAR: of the patients who are here now, and of the service."""
    therapies: tuple[TherapyNow, ...] = ()
    """What may be chosen when a session is opened."""
    owing: tuple[TreatmentNow, ...] = ()
    """Treatments that are over and of which something is still owed, as the form of `spravato_us` is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a staff action: the events it led to, or in words why it was refused."""

    events: tuple[Happening, ...]
    refusal: str | None = None
    recorded: bool = True
    """False while the journal cannot be written: the act counts, but is not on disk yet."""
    missing: tuple[str, ...] = ()
    """What is missing for it, a line each, where it was refused for that."""

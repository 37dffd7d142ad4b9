"""One session as its record: what was seen, said, done and not seen of one patient's visit. Data only.

Made once from the journal and the trends (`monitor/reporting.py`), and then put into every shape that leaves
the clinic: PDF, JSON, CSV, FHIR, HL7. Nothing here is reckoned anew by those: what two of them say of one
number is the same number.

Times are `..._ms` in UTC on the service's steady line (`model.py`); `zone` is the clinic's own. Pressures are
mmHg, rates 1/min, SpO2 %, temperature Cel: `unit` is UCUM. What is missing is None and never a number, and
`gaps` says why. Every number carries its source (`device`, or `by` for one taken by hand) and when it was
measured. A tuple is in the order of time, the oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import (
    AlarmState,
    Bed,
    CuffWhy,
    Device,
    LinkState,
    Outcome,
    PauseKind,
    Priority,
    Quality,
    Staff,
    Vital,
    Why,
)
from monitor.people import Role
from monitor.treatment import Flag, Move, Phase, Score, Symptom

SCHEMA = "chairside-session-1"
"""The shape of this record; another number where a reader of the old one would misread it."""

DISCLAIMER = (
    "Not a medical device. Secondary display for evaluation. Never the only means of watching a patient."
)
"""Stands in every shape of the record (alarms.md 11)."""


@dataclass(frozen=True, slots=True)
class TherapyOf:
    """Under what the session went, in exactly the version that was signed.

    `known`: whether the numbers of this version are at hand. Where the clinic has changed its therapy since,
    they are not, and what hangs on them (readiness, windows, layers) is left out and said so.
    """

    name: str
    version: int
    digest: str
    title: str
    course: Literal["nasal", "infusion"] | None
    signed_by: str | None
    signed_on: str | None
    """ISO date."""
    known: bool


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One stay in one phase: from when to when (None: it goes on), by which move and whose."""

    phase: Phase
    title: str
    from_ms: int
    until_ms: int | None
    move: Move | None
    """None for the first."""
    by: Staff | None
    """None: by the clock."""
    why: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is counted, in ms; None where it has not come, or where this therapy does not have it.

    `start_ms` is T0 (first nasal device, or start of the pump), `last_device_ms` T_last, `end_ms` T_end.
    `total_ms` is the form's: from T0 until the session was over, or until the report was made.
    """

    start_ms: int | None
    last_device_ms: int | None
    end_ms: int | None
    floor_ms: int | None
    """The least stay: how long."""
    floor_from: str | None
    """From what it counts, in words: "last device", "end of the infusion"."""
    floor_until_ms: int | None
    floor_kept: bool | None
    """Whether the patient stayed that long; None while nobody can say."""
    total_ms: int | None
    ready_first_ms: int | None
    """When everything but the time and the signature held for the first time."""
    ready_first_after_ms: int | None
    """The same, counted from T0: the answer to the form's question (protocols.md 5, REMS evaluation)."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number that stands somewhere for something: what, how much, when it was measured, by what or whom.

    `age_ms` is how old it was when it was taken for this. A pressure is one Number: `value` systolic,
    `second` diastolic. `off_ms` is how far from the time it was due for it was measured, where there is one,
    and `within` whether that is inside the tolerance (None: none is set).
    """

    name: str
    """A vital's (`Vital.value`), "nibp", or a score's (`Score.value`)."""
    title: str
    value: float | None
    second: float | None
    unit: str
    """UCUM; "" for a step of a scale, which `words` says."""
    words: str
    """As it is read: "134/84 mmHg", "SpO2 97 %", "Sedation (MOAA/S): 5, responds readily ..."."""
    at_ms: int | None
    age_ms: int | None
    device: Device | None
    by: Staff | None
    off_ms: int | None = None
    within: bool | None = None


@dataclass(frozen=True, slots=True)
class CuffReading:
    """One cuff measurement that came, good or failed: one value, never three.

    `usable`: it has numbers of this patient and its quality is VALID.
    """

    at_ms: int
    """When it was measured."""
    heard_ms: int
    systolic: float | None
    diastolic: float | None
    mean: float | None
    derived_mean: bool
    """The mean was reckoned from the other two, by the device's rule or ours."""
    pulse: float | None
    quality: Quality
    why: str | None
    """Why it failed, or is doubted."""
    device: Device | None
    by: Staff | None
    """Who typed it, where it was taken by hand."""
    asked: CuffWhy | None
    """What it was started for; None where the monitor ran it by itself, or by hand."""
    standing: bool
    phase: Phase | None
    usable: bool


@dataclass(frozen=True, slots=True)
class CuffMissed:
    """A cuff reading that was ordered and did not come."""

    at_ms: int
    device: Device
    asked: CuffWhy
    why: str


@dataclass(frozen=True, slots=True)
class BaselineOf:
    """Today's own normal, the numbers it is made of, and who accepted it."""

    at_ms: int
    by: Staff
    numbers: tuple[Number, ...]
    """What it comes to: nibp, hr, spo2, rr; each with the time of its newest reading."""
    readings: tuple[CuffReading, ...]
    """The cuff readings whose median it is."""


@dataclass(frozen=True, slots=True)
class BaselineAgain:
    """The readings until then were declared to be no baseline."""

    at_ms: int
    by: Staff
    why: str


@dataclass(frozen=True, slots=True)
class DeviceDose:
    """One nasal device as it was given."""

    number: int
    lot: str
    expires: str
    at_ms: int
    entered_ms: int
    last: bool
    by: Staff
    why: str


@dataclass(frozen=True, slots=True)
class PumpDose:
    """The dose of an infusion as two people checked it: kg, mg/kg, mg, mg/ml, ml/h."""

    at_ms: int
    weight_kg: float
    dose_mg_per_kg: float
    dose_mg: float
    concentration_mg_per_ml: float
    rate_ml_per_h: float
    by: Staff
    second: Staff
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the check-in. `yes` None: it was not answered."""

    question: str
    asks: str
    yes: bool | None
    note: str
    at_ms: int | None
    by: Staff | None


@dataclass(frozen=True, slots=True)
class FlagSpan:
    """One risk flag: from when until when it was up (None: to the end), and why: an answer, or a reason."""

    flag: Flag
    title: str
    from_ms: int
    until_ms: int | None
    why: str
    by: Staff


@dataclass(frozen=True, slots=True)
class CheckOf:
    """A check: when it was due, what filled it and what did not, or its miss.

    One that must be recorded once, or (`again`) one time of one that comes again and again: a cuff reading of
    the schedule, scores. What came in time fills those by itself; `saved_ms` is when it was heard.
    """

    name: str
    title: str
    due_ms: int
    opens_ms: int | None
    closes_ms: int | None
    saved_ms: int | None
    """When it was recorded; None where it was missed."""
    by: Staff | None
    filled: tuple[Number, ...]
    missing: tuple[str, ...]
    """Titles of its items that nothing filled."""
    missed: bool
    """Its window has closed without it. Neither saved nor missed: the session ended before, or goes on."""
    tolerance_ms: int | None
    """How far from its due time a value may be measured without being marked."""
    again: bool = False


@dataclass(frozen=True, slots=True)
class PressureOf:
    """One of the pressures that a record must hold: "before", "check_40", "end" or "final"."""

    name: str
    title: str
    number: Number | None
    reading: CuffReading | None
    """The whole reading it comes from; of a baseline, which is a median, the newest of them."""
    instead: str
    """Who decided to go on without it, and why; "" where it is there or simply missing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of staff, on its scale."""

    score: Score
    title: str
    value: int
    words: str
    at_ms: int
    entered_ms: int
    by: Staff
    note: str


@dataclass(frozen=True, slots=True)
class SymptomSpan:
    """One symptom from when it was noted until it was marked as over (None: it never was)."""

    symptom: Symptom
    severe: bool
    emergency: bool
    """A sign that wants immediate emergency care (protocols.md 3.1)."""
    from_ms: int
    until_ms: int | None
    by: Staff
    note: str


@dataclass(frozen=True, slots=True)
class Adverse:
    """One adverse event, as the form asks for it."""

    at_ms: int
    what: str
    serious: bool
    outcome: str
    related: str
    by: Staff


@dataclass(frozen=True, slots=True)
class Note:
    """Free words."""

    at_ms: int
    text: str
    by: Staff


@dataclass(frozen=True, slots=True)
class Override:
    """A decision against the profile: `what` is its key, `title` what it means in words."""

    at_ms: int
    what: str
    title: str
    why: str
    by: Staff
    role: Role
    screen: str | None = None
    """The paired screen where it was entered; None: a browser of one's own."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A name, a role, a time, what it means, and the paired screen where it was given (None: no such)."""

    at_ms: int
    meaning: str
    by: Staff
    role: Role
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionOf:
    """An entry that was wrong, in words, and what stands in its place (None: nothing does).

    Only what stands is in `scores`, `symptoms`, `adverse`, `notes` and `devices_given`. The numbers are those
    of the timeline's entries.
    """

    at_ms: int
    by: Staff
    why: str
    entry: int
    was: str
    was_ms: int
    """When it was done, as was what stands instead."""
    was_by: Staff | None
    instead: int | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that the gate before the drug found, and who decided to go on (None: nobody has)."""

    name: str
    result: Literal["ask", "stop"]
    why: str
    numbers: bool
    """It is about a measured number, and not an answer of the check-in."""
    decided: Override | None


@dataclass(frozen=True, slots=True)
class Said:
    """One value behind an item of the list, in words: by which device, or by whom, and how old it was."""

    words: str
    at_ms: int | None
    age_ms: int | None
    device: Device | None
    by: Staff | None


@dataclass(frozen=True, slots=True)
class ReadyItem:
    """One item of the list of who may leave, as it stood at `SessionReport.ready_at_ms`.

    `holds` where nothing is missing, or `decided` says who let the patient leave without it.
    """

    name: str
    title: str
    holds: bool
    said: tuple[Said, ...]
    missing: tuple[str, ...]
    decided: Override | None


@dataclass(frozen=True, slots=True)
class Line:
    """One continuous vital over the session, whole: `values[i]` was said at `times_ms[i]`.

    A value is None where the device said that it had none. `sources` says from when on which device the
    values are of; None is by hand.
    """

    vital: Vital
    times_ms: tuple[int, ...]
    values: tuple[float | None, ...]
    qualities: tuple[Quality, ...]
    sources: tuple[tuple[int, Device | None], ...]
    stretches: tuple[Stretch, ...]
    """The same thinned, for a chart or a message: a minute each."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One minute of a vital: how many valid values, the lowest, the middle one (median) and the highest.

    Without a valid value the three are None, and it is a gap. No stretch holds two sources.
    """

    from_ms: int
    until_ms: int
    count: int
    low: float | None
    middle: float | None
    high: float | None
    last_ms: int | None
    """When the newest of its values was measured."""
    device: Device | None
    """None with values: by hand."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How the drug was expected to move one vital from today's baseline, and where that was measured.

    A band of the mean of ordinary sessions with one standard deviation to either side; no limit. `points` are
    (at_ms, lowest, highest), from the start of the drug on; between two of them on the straight line.
    """

    vital: Vital
    source: str
    points: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the time in which a vital had to be watched there was a value of it, in ms.

    A value counts for as long as it is fresh: 10 s, or 15 min for a temperature and for one taken by hand.
    """

    vital: Vital
    watched_ms: int
    known_ms: int


GapKind = Literal["vital", "device", "service", "part"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something was not watched, or not kept, for a time.

    "vital": a vital that this phase watches had no value; "device": a device's link was lost or silent;
    "service": Chairside itself was not running; "part": a part of it was not well (journal, paging, clock).
    """

    kind: GapKind
    what: str
    """In words: "SpO2", "monitor3", "Chairside"."""
    from_ms: int
    until_ms: int | None
    why: str
    vital: Vital | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page to one person, what became of it, and the answer."""

    page_id: int
    at_ms: int
    to: Staff
    step: int
    why: Why
    text: str
    outcomes: tuple[tuple[int, str, Outcome, str], ...]
    """(at_ms, way, outcome, why)."""
    answer: Literal["accepted", "rejected"] | None
    answered_ms: int | None
    answered_by: Staff | None


@dataclass(frozen=True, slots=True)
class AlarmOf:
    """One alarm with its life, from the first breach to its end.

    What went before its delay was over was never raised, and is not listed. `ended_ms` None: it was still
    there when the session, or the report, ended.
    """

    alarm_id: int
    rule: str
    title: str
    """In words: "SpO2 84 < 90", "No data from monitor"."""
    priority: Priority
    technical: bool
    """About the equipment and not about the patient."""
    vital: Vital | None
    unit: str
    value: float | None
    limit: float | None
    device: Device | None
    note: str
    since_ms: int
    raised_ms: int
    acked_ms: int | None
    acked_by: Staff | None
    ended_ms: int | None
    state: AlarmState
    """Where it was at the end."""
    moves: tuple[tuple[int, AlarmState, AlarmState], ...]
    pages: tuple[PageOf, ...]
    clinic: bool = False
    """Of the whole clinic and of no bed: nobody could be paged, nothing was recorded, the clock was off."""


@dataclass(frozen=True, slots=True)
class LimitOf:
    """One limit that was not the profile's own for a time: set for this session, with its reason."""

    rule: str
    title: str
    limit: float | None
    """None: the profile's own was put back."""
    unit: str
    from_ms: int
    until_ms: int | None
    why: str
    by: Staff


@dataclass(frozen=True, slots=True)
class LayerOf:
    """A layer of the therapy's limits that held for a time: for a phase, a time, an age or a risk."""

    name: str
    from_ms: int
    until_ms: int | None
    changes: tuple[str, ...]
    """What it changes, in words."""


@dataclass(frozen=True, slots=True)
class PauseOf:
    """Sound, or sound and light, was paused at the bed."""

    kind: PauseKind
    vital: Vital | None
    from_ms: int
    until_ms: int | None
    why: str
    by: Staff
    ended_why: str


@dataclass(frozen=True, slots=True)
class DeviceUsed:
    """One device that measured this patient: what, from when to when, how often, by which driver.

    `driver` is that of the settings at the time of the report; "" where the device is no longer in them.
    """

    device: Device
    driver: str
    measured: tuple[str, ...]
    """Names of vitals, and "nibp"."""
    first_ms: int
    last_ms: int
    values: int


@dataclass(frozen=True, slots=True)
class LinkOf:
    """One change of one device's link during the session."""

    at_ms: int
    device: Device
    was: LinkState
    now: LinkState
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: what happened, in words, in the order of the journal."""

    seq: int
    """Its row in the journal."""
    at_ms: int
    """When it was entered or decided."""
    done_ms: int
    """When it was done: earlier, where staff say so."""
    kind: str
    """The journal's name of it: "DeviceGiven"."""
    words: str
    by: Staff | None
    late: bool
    """It had to wait for the disk before it was written down."""
    entry: int | None = None
    """Its number in the treatment, where it is an entry of it."""
    struck: bool = False
    """It was wrong, and counts for nothing: `corrections` says by whom, when and why."""
    replaces: int | None = None
    """The number of the wrong entry in whose place it stands."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where in the journal this stands: the rows from `first_seq` to `last_seq`, and the chain's hash there.

    `whole`: every row from the first to the last followed from the one before when this was made.
    """

    first_seq: int
    last_seq: int
    rows: int
    """How many of them are of this session."""
    first_hash: str
    last_hash: str
    whole: bool


@dataclass(frozen=True, slots=True)
class SessionReport:
    """See the module. A plain watch session has `therapy` None, and what belongs to a therapy is empty."""

    schema: str
    made_ms: int
    program: str
    """"Chairside 0.1.0"."""
    clinic: str
    zone: str
    """IANA name of the clinic's own time zone."""
    session: int
    alias: str
    """The clinic's own word for the patient; no name is ever kept here."""
    bed: Bed
    place: str
    therapy: TherapyOf | None
    age_years: int | None
    planned_devices: int | None
    first: bool | None
    """Whether it is the patient's first treatment."""
    opened_ms: int
    opened_by: Staff
    opened_role: Role | None
    ended_ms: int | None
    """When the patient was no longer watched here; None: the session is open, and the report a first look."""
    ended_by: Staff | None
    phase: Phase | None
    """Where it stands, or ended: CLOSED, TRANSFERRED or ABORTED_BEFORE_DOSE."""
    phases: tuple[PhaseSpan, ...]
    clocks: Clocks
    baseline: BaselineOf | None
    baselines_before: tuple[BaselineAgain, ...]
    devices_given: tuple[DeviceDose, ...]
    pump: PumpDose | None
    answers: tuple[Answer, ...]
    flags: tuple[FlagSpan, ...]
    gate: tuple[Found, ...]
    checks: tuple[CheckOf, ...]
    pressures: tuple[PressureOf, ...]
    scores: tuple[Judged, ...]
    symptoms: tuple[SymptomSpan, ...]
    adverse: tuple[Adverse, ...]
    notes: tuple[Note, ...]
    corrections: tuple[CorrectionOf, ...]
    overrides: tuple[Override, ...]
    signatures: tuple[Signature, ...]
    form_sent_ms: int | None
    form_sent_by: Staff | None
    form_sent_how: str
    form_due_ms: int | None
    ready_at_ms: int | None
    """The moment that `readiness` is of: just before it was closed, or when the report was made."""
    readiness: tuple[ReadyItem, ...]
    cuffs: tuple[CuffReading, ...]
    cuffs_missed: tuple[CuffMissed, ...]
    lines: tuple[Line, ...]
    expected: tuple[Expected, ...]
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    alarms: tuple[AlarmOf, ...]
    limits: tuple[LimitOf, ...]
    layers: tuple[LayerOf, ...]
    pauses: tuple[PauseOf, ...]
    devices: tuple[DeviceUsed, ...]
    links: tuple[LinkOf, ...]
    timeline: tuple[Entry, ...]
    chain: Chain
    unknown: tuple[str, ...]
    """What this report cannot say although it should, a sentence each."""

"""A treatment session as it stands at one instant, as frozen records for a screen: nothing is left to reckon.

They are built by `ward/treating` and go out as JSON exactly as they stand here, so names are the wire's:
times are `..._at_ms` on the service's steady line, durations `..._min`, words are whole and for people. What
is None is not known or not so; nothing missing is ever a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import Baseline, Bed, Device, Staff, Vital
from monitor.people import Role
from monitor.treatment import Flag, Phase, Score, Symptom


@dataclass(frozen=True, slots=True)
class TherapyNow:
    """One therapy of this clinic, as it may be chosen at the start. `refusal` says why it may not be now.

    `way` is what stands on the Floor in the drug's place: "Nasal" or "IV". `devices` are the least and the
    most nasal ones, None for an infusion; `age_years` the youngest and the oldest patient.
    """

    therapy: str
    title: str
    way: str
    version: int
    digest: str
    devices: tuple[int, int] | None
    age_years: tuple[int, int]
    refusal: str | None


@dataclass(frozen=True, slots=True)
class TreatmentBrief:
    """What a list of sessions shows of a treatment, open or over.

    `missing` is what still keeps it from being closed, or after that from having nothing owed.
    """

    therapy: str
    title: str
    way: str
    phase: Phase
    phase_title: str
    start_at_ms: int | None
    ended_at_ms: int | None
    ready_first_at_ms: int | None
    signed_by: tuple[Staff, ...]
    form: FormNow | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClocksNow:
    """Where the session is in time. The total runs from `start_at_ms`, to `ended_at_ms` or on.

    `floor_until_at_ms` is the end of the least stay, once there is something to count it from. The ring of a
    tile is full at `ring_until_at_ms`; `ring` says what that is: the floor itself, what is expected of it
    (devices or an end still to come), or only a guide where the therapy has no least stay.
    """

    start_at_ms: int | None
    last_device_at_ms: int | None
    end_at_ms: int | None
    ended_at_ms: int | None
    floor_min: float | None
    floor_until_at_ms: int | None
    ring: Literal["floor", "expected", "guide"] | None
    ring_until_at_ms: int | None


@dataclass(frozen=True, slots=True)
class NextDeviceNow:
    """The nasal device that is next: number `number` of `planned`, not before a time (None: at once)."""

    number: int
    planned: int
    last: bool
    not_before_at_ms: int | None


@dataclass(frozen=True, slots=True)
class DueNow:
    """One thing that is due. `what` is "nibp", "final", "device_2", "form" or the name of a check.

    `state` is "ahead", "soon" (it may be shown), "due" or "late"; `priority` what being late raises. `asks`
    are the scores that somebody is to give for it and that are not there yet.
    """

    what: str
    title: str
    state: str
    opens_at_ms: int
    due_at_ms: int
    late_at_ms: int
    closes_at_ms: int | None
    priority: str | None
    words: str
    asks: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class DecidedNow:
    """Somebody who may has decided against the profile, at a paired `screen` or a browser of their own."""

    by: Staff
    role: Role
    at_ms: int
    why: str
    screen: str | None


@dataclass(frozen=True, slots=True)
class GateNow:
    """One gate before the drug that is shut or was decided upon. `may` is empty where nobody can decide.

    A decision is sent as an `override` move about `override`. `open`: it stands no longer in the way.
    """

    gate: str
    result: Literal["ask", "stop"]
    words: str
    override: str
    may: tuple[Role, ...]
    open: bool
    decided: DecidedNow | None


@dataclass(frozen=True, slots=True)
class QuestionNow:
    """One question of the check-in; `yes` is None until it is answered.

    `kind` is the therapy's: must, confirm, ask, contraindication or flag.
    """

    question: str
    asks: str
    kind: str
    flag: Flag | None
    yes: bool | None
    note: str
    by: Staff | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class MoveNow:
    """One kind of move that the session knows where it stands. It is taken if `missing` is empty.

    `reason`: it needs a reason. `earlier`: it may be entered after it was done (`minutes_ago`).
    """

    kind: str
    title: str
    missing: tuple[str, ...]
    reason: bool
    earlier: bool


@dataclass(frozen=True, slots=True)
class SaidNow:
    """One value behind an item: in words, of whom or what, and when."""

    words: str
    who: Staff | Device | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class ReadyItemNow:
    """One item of who may leave. `fills` names what fills it: scores, "bp", "rr", "symptom", "time", "sign".

    It holds where nothing is missing, or where somebody of `may` has decided about `override`.
    """

    item: str
    title: str
    holds: bool
    values: tuple[SaidNow, ...]
    missing: tuple[str, ...]
    fills: tuple[str, ...]
    override: str | None
    may: tuple[Role, ...]
    decided: DecidedNow | None


@dataclass(frozen=True, slots=True)
class FilledNow:
    """One item of a check with its value: `second` is the diastolic pressure, `words` all of it with unit.

    `off_ms` is how far from the due time it was measured, `far` whether that is more than the tolerance.
    """

    item: str
    title: str
    value: float
    second: float | None
    words: str
    at_ms: int
    off_ms: int
    far: bool
    device: Device | None
    by: Staff | None


@dataclass(frozen=True, slots=True)
class LackingNow:
    """One item of a check that nothing fills; a check is not saved without one that is `required`."""

    item: str
    title: str
    required: bool


@dataclass(frozen=True, slots=True)
class CheckNow:
    """A check that comes once, with its window: what would fill it now, or what has.

    `state` is "ahead", "open", "late", "done" or "missed"; the times are None until they are known.
    """

    check: str
    title: str
    state: Literal["ahead", "open", "late", "done", "missed"]
    opens_at_ms: int | None
    due_at_ms: int | None
    closes_at_ms: int | None
    filled: tuple[FilledNow, ...]
    lacking: tuple[LackingNow, ...]
    by: Staff | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class ScoreNow:
    """One scale and the newest judgement on it; `scale` has its words from 0 up. `value` None: not asked yet.

    `wanted`: a phase, a check that is due or the list of who may leave waits for it now.
    """

    score: Score
    title: str
    scale: tuple[str, ...]
    wanted: bool
    value: int | None
    words: str | None
    by: Staff | None
    at_ms: int | None
    note: str
    entry: int | None
    """Its number in the session: what a correction of it names."""


@dataclass(frozen=True, slots=True)
class SymptomNow:
    """One symptom that can be noted, and whether it is there. An `emergency` sign alarms HIGH at once."""

    symptom: Symptom
    emergency: bool
    open: bool
    severe: bool
    by: Staff | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class DeviceNow:
    """One nasal device that was given."""

    number: int
    lot: str
    expires: str
    at_ms: int
    by: Staff


@dataclass(frozen=True, slots=True)
class DoseNow:
    """The dose as two people have checked it: kg, mg/kg, mg, mg/ml, ml/h, and the minutes these make."""

    weight_kg: float
    dose_mg_per_kg: float
    dose_mg: float
    concentration_mg_per_ml: float
    rate_ml_per_h: float
    lasts_min: float
    why: str
    by: Staff
    second: Staff
    at_ms: int


@dataclass(frozen=True, slots=True)
class FlagNow:
    """One risk flag: whether it is up, and by which answer or decision. `words` is what the tile shows."""

    flag: Flag
    words: str
    on: bool
    why: str
    by: Staff | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class LayerNow:
    """Limits that are not the profile's, and why: which rules they change, and what else they do."""

    layer: str
    why: str
    rules: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadingNow:
    """One cuff reading that counts for the baseline."""

    systolic: float
    diastolic: float
    at_ms: int
    device: Device | None
    by: Staff | None


@dataclass(frozen=True, slots=True)
class BaselineNow:
    """Today's own normal as the readings make it so far; `taken_at_ms` once it stands.

    `age_ms` is how old its newest pressure is, `next_at_ms` when a reading that is still wanted may be taken.
    """

    numbers: Baseline
    readings: tuple[ReadingNow, ...]
    missing: tuple[str, ...]
    next_at_ms: int | None
    age_ms: int | None
    taken_at_ms: int | None


@dataclass(frozen=True, slots=True)
class PressureNow:
    """One of the pressures that the record must hold; `missing` is empty once it does, or was decided."""

    pressure: str
    missing: str
    override: str
    may: tuple[Role, ...]
    decided: DecidedNow | None


@dataclass(frozen=True, slots=True)
class SignatureNow:
    """A signature, given at a paired `screen` or at a browser of one's own."""

    by: Staff
    role: Role
    at_ms: int
    meaning: str
    screen: str | None


@dataclass(frozen=True, slots=True)
class SignOffNow:
    """Who signs: one of `alone`, or `together` different people of `roles`. `missing` is empty once done."""

    alone: tuple[Role, ...]
    together: int
    roles: tuple[Role, ...]
    signed: tuple[SignatureNow, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormNow:
    """The monitoring form that is owed for this session: until when, and whether somebody has sent it."""

    due_at_ms: int
    words: str
    late: bool
    sent_at_ms: int | None
    sent_by: Staff | None
    how: str


@dataclass(frozen=True, slots=True)
class News2Then:
    """A whole NEWS2 of this session; `at_ms` is the time of the oldest value in it."""

    at_ms: int
    total: int
    red: bool


@dataclass(frozen=True, slots=True)
class News2Now:
    """NEWS2 as a labelled trend: a total only where nothing is missing.

    `course` are the whole ones of this session so far, the oldest first.
    """

    label: str
    total: int | None
    red: bool
    at_ms: int | None
    missing: tuple[str, ...]
    course: tuple[News2Then, ...] = ()


@dataclass(frozen=True, slots=True)
class MovedNow:
    """What the drug does to one vital at its strongest, in its unit: mean, SD, and how a well one wanders."""

    rise: float
    sd: float
    slack: float


@dataclass(frozen=True, slots=True)
class CourseNow:
    """How the drug is expected to move today's baseline, from its start on, in steps of `step_ms`.

    At `from_at_ms + i * step_ms` a vital is expected at its baseline + rise * shares[i], as much more or less
    as sd * shares[i] + slack; between two steps on the straight line, after the last as there.
    """

    from_at_ms: int
    step_ms: int
    shares: tuple[float, ...]
    vitals: dict[Vital, MovedNow]


@dataclass(frozen=True, slots=True)
class StruckNow:
    """An entry was wrong: who has said so, when and why; `instead` is the entry that stands in its place."""

    by: Staff
    at_ms: int
    why: str
    instead: int | None


@dataclass(frozen=True, slots=True)
class LineNow:
    """One line of the timeline: when it was done, when it was entered, of which kind, by whom, in words.

    `entry` is its number in the session, as a correction names it. `struck`: it was wrong, is shown struck
    through and counts for nothing. `replaces` is the entry in whose place this one stands. `may_correct`:
    a `correct` move of this entry would be taken now.
    """

    at_ms: int
    entered_at_ms: int
    kind: str
    who: Staff | None
    words: str
    entry: int
    struck: StruckNow | None
    replaces: int | None
    may_correct: bool


@dataclass(frozen=True, slots=True)
class TreatmentNow:
    """A whole treatment session at one instant. `until_ms`: then it reads otherwise, if nothing happens.

    `phase` is where it is, `onward` the phase that goes on under a side state, `entered` when each was
    entered first. `next` is the one sentence of what comes next, empty where nothing does. `at_peak` says
    whether the drug is at its strongest, `running` whether drug is being given; `course` is None before its
    start.
    `timeline` is None in a turn of the stream where it reads as before.
    """

    at_ms: int
    until_ms: int
    session: int
    bed: Bed
    therapy: str
    title: str
    way: str
    version: int
    age_years: int | None
    devices_planned: int
    first: bool
    phase: Phase
    phase_title: str
    onward: Phase
    onward_title: str
    since_at_ms: int
    entered: dict[Phase, int]
    over: bool
    running: bool
    at_peak: bool
    next: str
    clocks: ClocksNow
    course: CourseNow | None
    next_device: NextDeviceNow | None
    dues: tuple[DueNow, ...]
    gates: tuple[GateNow, ...]
    questions: tuple[QuestionNow, ...]
    check_in_missing: tuple[str, ...]
    moves: tuple[MoveNow, ...]
    baseline: BaselineNow
    ready: bool
    ready_items: tuple[ReadyItemNow, ...]
    ready_first_at_ms: int | None
    checks: tuple[CheckNow, ...]
    scores: tuple[ScoreNow, ...]
    symptoms: tuple[SymptomNow, ...]
    devices: tuple[DeviceNow, ...]
    dose: DoseNow | None
    flags: tuple[FlagNow, ...]
    layers: tuple[LayerNow, ...]
    pressures: tuple[PressureNow, ...]
    sign_off: SignOffNow
    form: FormNow | None
    news2: News2Now
    timeline: tuple[LineNow, ...] | None

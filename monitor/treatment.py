"""What is said of a treatment session: its phases, the acts of staff, and what is decided of them. Data only.

Times are `..._ms` on the service's steady line (`model.py`). `at_ms` is when it was entered; `done_at_ms`,
where there is one, when it was done: the two differ where staff say "five minutes ago". `by` is the signed-in
user and `role` what the user was then: a change in the staff list changes nothing that was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from monitor.model import Baseline, Bed, CuffTaken, Device, Event, Staff, StaffAction, Vital
from monitor.people import Role


class Phase(StrEnum):
    """Where a treatment session is (protocols.md 3.3 and 4.2); the last five are its side states."""

    CHECK_IN = "check_in"
    BASELINE = "baseline"
    TIMEOUT = "timeout"
    DOSING = "dosing"
    ONSET = "onset"
    CHECK_40 = "check_40"
    DECLINE = "decline"
    INFUSION = "infusion"
    EARLY_RECOVERY = "early_recovery"
    LATE_RECOVERY = "late_recovery"
    READY = "ready"
    CLOSED = "closed"
    HELD = "held"
    STOPPED = "stopped"
    EMERGENCY = "emergency"
    TRANSFERRED = "transferred"
    ABORTED_BEFORE_DOSE = "aborted_before_dose"


TITLES = {
    Phase.CHECK_IN: "Check-in",
    Phase.BASELINE: "Baseline",
    Phase.TIMEOUT: "Time-out",
    Phase.DOSING: "Dosing",
    Phase.ONSET: "Onset",
    Phase.CHECK_40: "40-min check",
    Phase.DECLINE: "Observation",
    Phase.INFUSION: "Infusion",
    Phase.EARLY_RECOVERY: "Early recovery",
    Phase.LATE_RECOVERY: "Late recovery",
    Phase.READY: "Ready check",
    Phase.CLOSED: "Closed",
    Phase.HELD: "Held",
    Phase.STOPPED: "Stopped",
    Phase.EMERGENCY: "Emergency",
    Phase.TRANSFERRED: "Transferred",
    Phase.ABORTED_BEFORE_DOSE: "Ended before dose",
}
"""What a phase is called on every screen and in every record."""

SIDE = frozenset({Phase.HELD, Phase.STOPPED, Phase.EMERGENCY, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE})
"""Side states, from any phase (protocols.md 4.2)."""


class Move(StrEnum):
    """What may be tried of a session; the value is what the button and the record call it."""

    CHECKED_IN = "Check-in done"
    TO_TIMEOUT = "Go to time-out"
    START = "Infusion started"
    DEVICE = "Device given"
    LAST_DEVICE = "Last device given"
    NO_MORE = "No further device"
    WINDOW = "The 40-minute window opens"
    CHECKED = "40-minute check recorded"
    MISSED = "40-minute check missed"
    END = "Infusion ended"
    LATER = "Early recovery over"
    TO_READY = "Ready to leave"
    CLOSE = "Close session"
    HOLD = "Hold"
    RESUME = "Resume"
    STOP = "Stop"
    EMERGENCY = "Emergency: call made"
    TRANSFER = "Transferred"
    ABORT = "End before dose"


KINDS: Mapping[Move, str] = {
    Move.CHECKED_IN: "checked_in",
    Move.TO_TIMEOUT: "to_timeout",
    Move.START: "infusion_start",
    Move.NO_MORE: "no_more_devices",
    Move.END: "infusion_end",
    Move.TO_READY: "ready",
    Move.CLOSE: "close",
    Move.HOLD: "hold",
    Move.RESUME: "resume",
    Move.STOP: "stop",
    Move.EMERGENCY: "emergency",
    Move.TRANSFER: "transfer",
    Move.ABORT: "abort",
}
"""What a step of staff is called where a program asks for it; others come of devices, checks, the clock."""


class Flag(StrEnum):
    """What makes a patient's limits other than the profile's (protocols.md 6.3)."""

    CNS_DEPRESSANT = "cns_depressant"
    OPIOID = "opioid"
    SLEEP_APNOEA = "sleep_apnoea"
    STIMULANT = "stimulant"
    MAOI = "maoi"
    LUNG_DISEASE = "lung_disease"


class Score(StrEnum):
    """What people judge and no device can; the scales are in `scores.py`."""

    MOAAS = "moaas"
    DISSOCIATION = "dissociation"
    NAUSEA = "nausea"
    PAIN = "pain"
    MOOD = "mood"
    ANXIETY = "anxiety"
    ORIENTED = "oriented"
    CONFUSION = "confusion"
    GAIT = "gait"
    POSTURE = "posture"
    OXYGEN = "oxygen"
    SUICIDE_CHECK = "suicide_check"
    ESCORT = "escort"
    DRIVING = "driving"
    LINE_OUT = "line_out"
    INSTRUCTIONS = "instructions"
    PUMP = "pump"


class Symptom(StrEnum):
    """What a patient says or shows, in one tap; `scores.py` says which of them are emergency signs."""

    NAUSEA = "nausea"
    VOMITING = "vomiting"
    ANXIETY = "anxiety"
    DISTRESS = "severe distress"
    DIZZINESS = "dizziness"
    TREMOR = "tremor"
    CHEST_PAIN = "chest pain"
    SHORT_OF_BREATH = "shortness of breath"
    HEADACHE = "sudden severe headache"
    VISION = "visual disturbance"
    SEIZURE = "seizure"
    LESS_AWAKE = "reduced consciousness"
    FOCAL = "focal deficit"
    COLLAPSE = "collapse"


# What staff do.


@dataclass(frozen=True, slots=True)
class TreatmentOpened:
    """A treatment session begins at a bed, under one version of one signed therapy.

    `alias` is the clinic's own word for the patient, `age_years` decides limits and gates, `devices` is how
    many nasal ones are planned (0 for an infusion), `first` whether it is the patient's first treatment.
    """

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    bed: Bed
    alias: str
    therapy: str
    version: int
    digest: str
    age_years: int
    devices: int
    first: bool
    by: Staff
    role: Role


@dataclass(frozen=True, slots=True)
class Answered:
    """One question of the check-in is answered; a later answer to it stands instead."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    question: str
    yes: bool
    note: str
    by: Staff


@dataclass(frozen=True, slots=True)
class FlagSet:
    """A risk flag is raised (`on`) or withdrawn outside the check-in, with its reason."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    flag: Flag
    on: bool
    why: str
    by: Staff
    role: Role


@dataclass(frozen=True, slots=True)
class BaselineRestarted:
    """The readings so far are no baseline: what is measured from here on counts."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    why: str
    by: Staff


@dataclass(frozen=True, slots=True)
class DoseChecked:
    """Two people have checked the dose: kg, mg/kg, mg/ml, ml/h. `why` confirms what is unusual about it."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    weight_kg: float
    dose_mg_per_kg: float
    concentration_mg_per_ml: float
    rate_ml_per_h: float
    why: str
    by: Staff
    second: Staff


@dataclass(frozen=True, slots=True)
class DeviceGiven:
    """One nasal device was given under staff's eyes. `last`: none follows; `why` if fewer than planned."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    number: int
    lot: str
    expires: str
    """As on the device: "2027-05-31"; an expired one is refused."""
    last: bool
    done_at_ms: int
    by: Staff
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stepped:
    """Staff move the session on; `why` is needed where a move says so."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    move: Move
    done_at_ms: int
    by: Staff
    role: Role
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """One judgement, on its scale."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    score: Score
    value: int
    done_at_ms: int
    by: Staff
    note: str = ""


@dataclass(frozen=True, slots=True)
class SymptomNoted:
    """A symptom is there, or over."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    symptom: Symptom
    severe: bool
    over: bool
    done_at_ms: int
    by: Staff
    note: str = ""


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """An adverse event as the record asks for it (protocols.md 5): what, how serious, what became of it."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    what: str
    serious: bool
    outcome: str
    related: str
    by: Staff


@dataclass(frozen=True, slots=True)
class TreatmentNote:
    """Free words on the timeline."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    text: str
    by: Staff


@dataclass(frozen=True, slots=True)
class Corrected:
    """Staff say that an entry was wrong, and what should have been entered (None: nothing).

    `entry` is its number in the session. What is written down of it is a `Struck`, and then the entry that
    stands instead: it was done when the one that it replaces was done.
    """

    durable: ClassVar[bool] = False
    at_ms: int
    session: int
    entry: int
    instead: Correctable | None
    why: str
    by: Staff


@dataclass(frozen=True, slots=True)
class CheckSaved:
    """Staff save a check that must be recorded; what it is filled with is decided from the readings."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    check: str
    by: Staff


@dataclass(frozen=True, slots=True)
class Overridden:
    """Somebody who may decides against the profile: `what` is a gate, the floor, an item or a pressure.

    `screen` is the paired screen where it was entered; None: on a browser of somebody's own.
    """

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    what: str
    why: str
    by: Staff
    role: Role
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature: a name, a time, what it means, and the paired screen where it was given, if any."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    meaning: str
    by: Staff
    role: Role
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class FormSent:
    """The monitoring form has gone out, sent by a person."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    how: str
    by: Staff


Correctable = DeviceGiven | Scored | SymptomNoted | AdverseEvent | TreatmentNote
"""What may be corrected: what one person has entered by itself. All else is answered or decided anew."""

Act = (
    Answered
    | FlagSet
    | BaselineRestarted
    | DoseChecked
    | DeviceGiven
    | Stepped
    | Scored
    | SymptomNoted
    | AdverseEvent
    | TreatmentNote
    | Corrected
    | CheckSaved
    | Overridden
    | Signed
    | FormSent
)
"""What staff may do with a session that is open."""


# What is decided.


@dataclass(frozen=True, slots=True)
class PhaseMoved:
    """The session moved. `by` None: by the clock. `onward` is the phase that goes on under a side state."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    move: Move
    was: Phase
    now: Phase
    onward: Phase
    done_at_ms: int
    by: Staff | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class BaselineTaken:
    """The baseline stands: its numbers and when its cuff readings were measured, oldest first."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    baseline: Baseline
    cuffs_at_ms: tuple[int, ...]
    by: Staff


@dataclass(frozen=True, slots=True)
class Filled:
    """One item of a check: the value, where it comes from, and how far from the due time it was measured.

    A pressure has `value` systolic and `second` diastolic (mmHg). `by` names who took it by hand.
    """

    item: str
    value: float
    at_ms: int
    off_ms: int
    device: Device | None
    by: Staff | None
    second: float | None = None


@dataclass(frozen=True, slots=True)
class CheckFilled:
    """A check was recorded with these values."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    check: str
    due_ms: int
    filled: tuple[Filled, ...]
    by: Staff


@dataclass(frozen=True, slots=True)
class CheckMissed:
    """The window of a check has closed without it."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    check: str
    due_ms: int


@dataclass(frozen=True, slots=True)
class ReadyFirst:
    """The first moment at which everything but the time and the signature held (the form asks for it)."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int


@dataclass(frozen=True, slots=True)
class Struck:
    """An entry was wrong: it stays to be read, struck through, and counts for nothing any more.

    `entry` is its number in the session (`Record.entry`), `instead` that of the entry which stands in its
    place: the next one. None: nothing does.
    """

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    entry: int
    instead: int | None
    why: str
    by: Staff


Made = PhaseMoved | BaselineTaken | CheckFilled | CheckMissed | ReadyFirst | Struck
"""What only the session itself may make."""

TreatmentEvent = TreatmentOpened | Act | Made

Happening = Event | TreatmentEvent
"""Everything that a ward hears and makes."""

Action = StaffAction | CuffTaken | TreatmentOpened | Act
"""What a person may do, and be refused. A cuff reading taken by hand carries its name in `by`."""


# What the session is shown beside its own events.


@dataclass(frozen=True, slots=True)
class Measured:
    """One valid value of a continuous vital, by a device or by hand."""

    vital: Vital
    value: float
    at_ms: int
    device: Device | None
    by: Staff | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the ward knows of this patient beside the session's record; cuffs are in the record (`CuffTaken`).

    `samples` are the valid values of this session, `alarms` the texts of its open MEDIUM and HIGH ones and
    `quiet_since_ms` when the last of them ended; None where there has been none. `unanswered` are the HIGH
    ones that nobody has acknowledged: no session is closed over them.
    """

    samples: tuple[Measured, ...] = ()
    alarms: tuple[str, ...] = ()
    quiet_since_ms: int | None = None
    unanswered: tuple[str, ...] = ()


Kept = TreatmentEvent | CuffTaken
"""What a session is rebuilt from."""

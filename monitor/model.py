"""The vocabulary: what a vital sign is, what a device says, and every event the ward knows. Data only.

Times are `..._ms`: milliseconds since the Unix epoch in UTC on the service's steady line (`clock.py`).
Values are in the one unit of their `Vital`; a missing value is `None` and is never read as normal.
Codes are those of IEEE 11073-10101 (CF code10), LOINC and UCUM.

Everything here is frozen. `Sample` and `Reading` come in by the million: as structs of msgspec they are made
at a tenth of the cost of a frozen dataclass, and the garbage collector passes over them, for they hold no
container. A long array message makes tables instead, `Samples` and from them `Readings`, a row a moment: a
table says what its `each` says, in that order, and no more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, StrEnum
from typing import ClassVar, NewType, Self

import msgspec

Bed = NewType("Bed", str)
Device = NewType("Device", str)
Staff = NewType("Staff", str)

CLINIC = Bed("")
"""Where an alarm of the service itself belongs: to no bed, and so to every screen."""


class Vital(Enum):
    """One measured quantity of one source: `vital.value` is its name outside, `vital.unit` its UCUM unit."""

    HEART_RATE = "hr", "/min", 147842, "8867-4", "HR"
    PULSE_SPO2 = "pr_spo2", "/min", 149530, "8889-8", "PR"
    PULSE_NIBP = "pr_nibp", "/min", 149546, "8867-4", "PR"
    SPO2 = "spo2", "%", 150456, "59408-5", "SpO2"
    RESPIRATION = "rr", "/min", 151562, "9279-1", "RR"
    TEMPERATURE = "temp", "Cel", 150344, "8310-5", "Temp"
    PERFUSION = "pi", "%", 150488, "61006-3", "PI"
    ETCO2 = "etco2", "mm[Hg]", 151708, "19891-1", "etCO2"
    SYSTOLIC = "nibp_sys", "mm[Hg]", 150021, "8480-6", "BP"
    DIASTOLIC = "nibp_dia", "mm[Hg]", 150022, "8462-4", "BP dia"
    MEAN = "nibp_map", "mm[Hg]", 150023, "8478-0", "MAP"
    ARTERIAL_SYSTOLIC = "abp_sys", "mm[Hg]", 150037, "8480-6", "ABP"
    ARTERIAL_DIASTOLIC = "abp_dia", "mm[Hg]", 150038, "8462-4", "ABP dia"
    ARTERIAL_MEAN = "abp_map", "mm[Hg]", 150039, "8478-0", "ABP MAP"

    unit: str
    mdc: int
    loinc: str
    label: str

    def __new__(cls, key: str, unit: str, mdc: int, loinc: str, label: str) -> Self:
        """Make the member's value its name outside and keep the codes beside it."""
        member = object.__new__(cls)
        member._value_ = key
        member.unit = unit
        member.mdc = mdc
        member.loinc = loinc
        member.label = label
        return member

    # Members are the only ones of their kind: identity is enough, and half of the cost of hearing a reading.
    __hash__ = object.__hash__


class Quality(StrEnum):
    """How far a value may be believed. Staleness is not a quality: it is told by `fresh_until_ms`."""

    VALID = "valid"
    QUESTIONABLE = "questionable"
    INVALID = "invalid"
    MISSING = "missing"


class Doubt(IntEnum):
    """Why a questionable value is doubted: it decides how long a HIGH alarm may be withheld."""

    NONE = 0
    UNUSUAL = 1
    """Outside the SOFT band (physiology.md 1): a HIGH at once waits for its delay, 10 s where that is 0."""
    POOR_SIGNAL = 2
    """The device says so: motion, low perfusion, low quality. Withholds a HIGH for at most 30 s (ALM-073)."""


class Priority(IntEnum):
    """The three priorities of IEC 60601-1-8 and no fourth (ALM-010). Higher is worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Side(StrEnum):
    """Which side of a limit is the bad one."""

    LOW = "low"
    HIGH = "high"


class AlarmState(StrEnum):
    """Where one alarm is in its life (alarms.md 5). CLEAR is both before and after."""

    CLEAR = "clear"
    PENDING = "pending"
    ACTIVE = "active"
    ACKED = "acked"
    LATCHED = "latched"


class Cue(StrEnum):
    """What is true of a condition now; the alarm table says whether that is news."""

    ONSET = "onset"
    HELD = "held"
    END = "end"
    ACK = "ack"
    LAPSE = "lapse"
    DISCHARGE = "discharge"


class LinkState(StrEnum):
    """What one device's link is doing."""

    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    DOWN = "down"


class PauseKind(StrEnum):
    """The inactivation states, four names only (alarms.md 5): sound only, or sound and light.

    What is paused ends by itself; what is off stays until somebody ends it, or the session does.
    """

    AUDIO = "audio paused"
    AUDIO_OFF = "audio off"
    ALARM = "alarm paused"
    ALARM_OFF = "alarm off"


class Why(StrEnum):
    """Why a page goes out."""

    FIRST = "first page for this alarm"
    UNANSWERED = "nobody has accepted in time"
    REJECTED = "the person paged cannot go"
    UNDELIVERED = "the last page could not be delivered"
    NOT_AT_BED = "accepted, but nobody has acknowledged at the bed"
    REPEAT = "still unanswered after the whole chain"
    HELP_CALLED = "somebody is going and asks for more help"
    STILL_LATCHED = "the condition has ended, but nobody has looked yet"
    HANDED_OVER = "whoever had this page has handed over"
    TEST = "a test of the paging"


class Outcome(StrEnum):
    """What became of one page on one way (ALM-083)."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


class SoundState(StrEnum):
    """What a screen says of its own loudspeaker."""

    ON = "on"
    OFF = "off"
    CHECKED = "checked"
    """Somebody has heard every sound here just now."""


class CuffWhy(StrEnum):
    """Why a cuff is started."""

    SCHEDULED = "scheduled"
    CONFIRM = "repeat to confirm"
    ASKED = "asked by staff"


class Lie(StrEnum):
    """What a device does that is no measurement of the patient who is here: a notice says it so.

    One that lasts is a technical alarm by name (`rules.LIES`); none of them ever shows a number.
    """

    IMPOSSIBLE = "it sends values that cannot be right"
    WRONG_UNIT = "it sends values in a wrong unit: check the unit set for this device"
    FROZEN = "it repeats one reading: its own clock stands still"
    HISTORY = "it sends what it has stored, not what it measures now"
    CLOCK = "its clock is off by more than 2 s"


# What a device said: made by codecs, with no bed and no clock.


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One value of a continuous vital as the device gave it. `value` is None unless valid or questionable."""

    vital: Vital
    value: float | None
    quality: Quality = Quality.VALID
    why: str | None = None
    doubt: Doubt = Doubt.NONE
    device_time: str | None = None
    age_ms: int = 0
    late: bool = False
    """True where the source itself shows that the value is history: never live."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Valid values of several moments in one message: `columns[k][i]` is `vitals[k]` at `times_ms[i]`.

    The times are the device's own and rise; a value's age counts to `heard_ms`. Every value is a number.
    """

    vitals: tuple[Vital, ...]
    times_ms: tuple[int, ...]
    columns: tuple[tuple[float, ...], ...]
    heard_ms: int
    late: bool = False
    """As in `Sample`, of every row."""

    def each(self) -> Iterator[Sample]:
        """The same one by one: row by row, and within a row in the order of `vitals`."""
        for time_ms, row in zip(self.times_ms, zip(*self.columns, strict=True), strict=True):
            age_ms = max(self.heard_ms - time_ms, 0)
            for vital, value in zip(self.vitals, row, strict=True):
                yield Sample(vital, value, device_time=str(time_ms), age_ms=age_ms, late=self.late)


@dataclass(frozen=True, slots=True)
class Cuff:
    """One cuff measurement: one value, never three. A failed one has no numbers and says why.

    Pressures in mmHg, `pulse` in 1/min, `age_ms` is how old the device says the measurement is.
    """

    systolic: float | None
    diastolic: float | None
    mean: float | None = None
    pulse: float | None = None
    age_ms: int = 0
    quality: Quality = Quality.VALID
    why: str | None = None
    doubt: Doubt = Doubt.NONE
    derived_mean: bool = False
    device_time: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the device says that is not a number: "probe off", "alarm silenced"."""

    what: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that could not be read, how many were dropped, and why."""

    reason: str
    dropped: int


Said = Sample | Cuff | Notice | Fault

Told = Said | Samples
"""What a message may say at once; bytes on a cable come too few at a time for a table."""


# What the ward hears.


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A continuous value at a bed. After `fresh_until_ms` it is UNKNOWN; a late one was never live."""

    durable: ClassVar[bool] = False
    at_ms: int
    bed: Bed
    device: Device
    vital: Vital
    value: float | None
    quality: Quality
    why: str | None
    fresh_until_ms: int
    doubt: Doubt = Doubt.NONE
    late: bool = False
    """True for a value that came too late to be live: history only, `at_ms` is when it was measured."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Valid values of one message at a bed, as a table: `columns[k][i]` is `vitals[k]` at `times_ms[i]`.

    All are live, each fresh for its vital's `fresh_for_ms`, or all are late. The times are those of
    `Reading.at_ms`: they never fall, and rows that were live together have one. `at_ms` is the last of them.
    """

    durable: ClassVar[bool] = False
    at_ms: int
    bed: Bed
    device: Device
    vitals: tuple[Vital, ...]
    times_ms: tuple[int, ...]
    columns: tuple[tuple[float, ...], ...]
    fresh_for_ms: tuple[int, ...]
    late: bool = False

    def __len__(self) -> int:
        """How many readings there are."""
        return len(self.times_ms) * len(self.vitals)

    def each(self) -> Iterator[Reading]:
        """The same one by one: row by row, and within a row in the order of `vitals`."""
        for at in range(len(self.times_ms)):
            yield from self.row(at)

    def row(self, at: int) -> Iterator[Reading]:
        """One moment, as the readings it is."""
        at_ms = self.times_ms[at]
        for vital, column, fresh_ms in zip(self.vitals, self.columns, self.fresh_for_ms, strict=True):
            until_ms = at_ms if self.late else at_ms + fresh_ms
            yield Reading(
                at_ms, self.bed, self.device, vital, column[at], Quality.VALID, None, until_ms, late=self.late
            )

    def since(self, from_ms: int) -> Readings | None:
        """What is not older than that, or None where nothing is left."""
        first = bisect_left(self.times_ms, from_ms)
        if first == 0:
            return self
        if first == len(self.times_ms):
            return None
        columns = tuple(column[first:] for column in self.columns)
        return replace(self, times_ms=self.times_ms[first:], columns=columns)


@dataclass(frozen=True, slots=True)
class CuffTaken:
    """A cuff measurement at a bed, or a failed one; `by` names who typed it when it was taken by hand."""

    durable: ClassVar[bool] = True
    at_ms: int
    measured_at_ms: int
    bed: Bed
    device: Device | None
    cuff: Cuff
    by: Staff | None = None


@dataclass(frozen=True, slots=True)
class LinkMoved:
    """A device's link changed state. `since_ms` is when it began: for a silence, the last thing heard."""

    durable: ClassVar[bool] = True
    at_ms: int
    device: Device
    was: LinkState
    now: LinkState
    why: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class DeviceNoted:
    """What a device says beside its numbers now: all its notices, replacing the earlier ones."""

    durable: ClassVar[bool] = False
    at_ms: int
    device: Device
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartMoved:
    """A part of the service itself became bad or good: "journal", "paging", "clock", "loop"."""

    durable: ClassVar[bool] = True
    at_ms: int
    part: str
    ok: bool
    why: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class ServiceStarted:
    """The service came up; between `last_at_ms` (None on the first start) and `at_ms` nothing was watched."""

    durable: ClassVar[bool] = True
    at_ms: int
    version: str
    last_at_ms: int | None


# What staff do. `by` is the signed-in user; `submit` stamps `at_ms`.


@dataclass(frozen=True, slots=True)
class Baseline:
    """Today's own normal of one patient: mmHg, 1/min, %. None where it was not taken."""

    systolic: float | None = None
    diastolic: float | None = None
    heart_rate: float | None = None
    spo2: float | None = None
    respiration: float | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A "watch" session is opened on a bed."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    alias: str
    baseline: Baseline
    profile: str
    cuff_interval_ms: int | None
    by: Staff


@dataclass(frozen=True, slots=True)
class Discharged:
    """A session is closed. Refused while a HIGH alarm of the bed is unacknowledged."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    by: Staff
    why: str = ""


@dataclass(frozen=True, slots=True)
class Acked:
    """Somebody is at the bed and has seen this alarm."""

    durable: ClassVar[bool] = True
    at_ms: int
    alarm_id: int
    by: Staff


@dataclass(frozen=True, slots=True)
class Accepted:
    """The person paged says "I go"."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    by: Staff


@dataclass(frozen=True, slots=True)
class Rejected:
    """The person paged says "I can't go"; the next step is due at once."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    by: Staff
    why: str = ""


@dataclass(frozen=True, slots=True)
class HelpCalled:
    """The person paged says "Call more help": the next step is due at once, whoever is going."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    by: Staff


@dataclass(frozen=True, slots=True)
class Paused:
    """Audio or alarm paused at a bed until a time, or off (None). The ward fills in `pause_id`."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    kind: PauseKind
    vital: Vital | None
    until_ms: int | None
    why: str
    by: Staff
    pause_id: int = 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """A pause has ended: by a person, by its time, or by a new HIGH."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    pause_id: int
    by: Staff | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class LimitSet:
    """This session's own limit for one rule, within the clinic's span; None puts the profile's back."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    rule: str
    limit: float | None
    why: str
    by: Staff


@dataclass(frozen=True, slots=True)
class DutySet:
    """Who is on duty, and who has which bed: the whole list, replacing the earlier one."""

    durable: ClassVar[bool] = True
    at_ms: int
    on: tuple[Staff, ...]
    beds: tuple[tuple[Bed, Staff], ...]
    by: Staff


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Somebody goes off duty: their beds and open pages are another's from this instant on."""

    durable: ClassVar[bool] = True
    at_ms: int
    was: Staff
    to: Staff
    by: Staff


@dataclass(frozen=True, slots=True)
class TrialAsked:
    """Everybody on duty is sent a test page."""

    durable: ClassVar[bool] = True
    at_ms: int
    by: Staff


@dataclass(frozen=True, slots=True)
class PageOpened:
    """The person paged has a page before their eyes; `link`: by the link that was sent with it, once."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    by: Staff
    link: bool = False


@dataclass(frozen=True, slots=True)
class CuffAsked:
    """Staff want a cuff reading now."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    by: Staff


@dataclass(frozen=True, slots=True)
class CuffCancelled:
    """Staff want the cuff that is running ended."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    by: Staff


@dataclass(frozen=True, slots=True)
class VitalTyped:
    """A continuous vital taken by hand (temperature, counted respiration), marked so wherever it goes."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    vital: Vital
    value: float
    by: Staff


@dataclass(frozen=True, slots=True)
class ScreenMoved:
    """A browser was paired as a screen of this name, or the screen was revoked (`paired` False)."""

    durable: ClassVar[bool] = True
    at_ms: int
    screen: str
    paired: bool
    by: Staff


@dataclass(frozen=True, slots=True)
class SoundSaid:
    """A screen says how its own sound does; `by` is who is signed in there, None for a paired screen alone.

    `screen` is a paired screen's name, or stands for one sign-in elsewhere. `state` None: that has ended.
    """

    durable: ClassVar[bool] = True
    at_ms: int
    screen: str
    paired: bool
    state: SoundState | None
    by: Staff | None


StaffAction = (
    Admitted
    | Discharged
    | Acked
    | Accepted
    | Rejected
    | HelpCalled
    | Paused
    | Resumed
    | LimitSet
    | DutySet
    | HandedOver
    | TrialAsked
    | PageOpened
    | CuffAsked
    | CuffCancelled
    | VitalTyped
    | ScreenMoved
    | SoundSaid
)


# What the ward decides.


class SessionPhase(StrEnum):
    """Where a session is. A watch knows one phase and its end; the phases of a treatment are its own."""

    WATCH = "watch"
    TREATMENT = "treatment"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SessionMoved:
    """A session was opened (`was` is None), moved on or closed."""

    durable: ClassVar[bool] = True
    at_ms: int
    session: int
    bed: Bed
    was: SessionPhase | None
    now: SessionPhase
    by: Staff


@dataclass(frozen=True, slots=True)
class SourceMoved:
    """From here on another device of the bed speaks for this vital: its line breaks here."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    vital: Vital
    was: Device
    now: Device
    why: str


@dataclass(frozen=True, slots=True)
class CuffOrdered:
    """A cuff reading is wanted at a bed; the reader of `device` carries it out."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    device: Device
    why: CuffWhy


@dataclass(frozen=True, slots=True)
class CuffStopped:
    """A cuff reading is ended at a bed; the reader of `device` carries it out."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    device: Device


@dataclass(frozen=True, slots=True)
class CuffNotTaken:
    """A cuff reading that was ordered will not come: its reader refused it, or nothing came of it."""

    durable: ClassVar[bool] = True
    at_ms: int
    bed: Bed
    device: Device
    asked: CuffWhy
    """What it was ordered for."""
    why: str


@dataclass(frozen=True, slots=True)
class AlarmMoved:
    """One step in the life of one alarm (ALM-047, ALM-093).

    `since_ms` is the first breach, `value` and `limit` what stood against each other in `vital.unit`
    (None for a technical alarm), `note` what else a nurse should know: "not confirmed", "poor signal".
    """

    durable: ClassVar[bool] = True
    at_ms: int
    alarm_id: int
    bed: Bed
    rule: str
    priority: Priority
    was: AlarmState
    now: AlarmState
    cue: Cue
    since_ms: int
    value: float | None
    limit: float | None
    note: str = ""
    device: Device | None = None
    """The device of a technical alarm; None for one of a patient or of the service."""


@dataclass(frozen=True, slots=True)
class PageOrdered:
    """One page to one person. `text` is all that leaves the clinic: bed, priority, parameter, value."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    alarm_id: int
    bed: Bed
    rule: str
    priority: Priority
    step: int
    to: Staff
    why: Why
    text: str


@dataclass(frozen=True, slots=True)
class PageReported:
    """What a pager says became of a page on one of its ways."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    way: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class PageChanged:
    """A page that is out says something else now, under the same id: its condition has ended, or is back."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    text: str


@dataclass(frozen=True, slots=True)
class PageRecalled:
    """A page is over: the pagers that carried it are told so, in `text`, under the same id (ALM-085)."""

    durable: ClassVar[bool] = True
    at_ms: int
    page_id: int
    text: str
    why: str


Heard = (
    Reading
    | Readings
    | CuffTaken
    | CuffNotTaken
    | LinkMoved
    | DeviceNoted
    | PartMoved
    | ServiceStarted
    | PageReported
    | StaffAction
)
"""What may be fed to a ward."""

Decided = (
    SessionMoved
    | SourceMoved
    | CuffOrdered
    | CuffStopped
    | AlarmMoved
    | PageOrdered
    | PageChanged
    | PageRecalled
)
"""What only a ward may make."""

Event = Heard | Decided

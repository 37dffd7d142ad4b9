"""A therapy as frozen, typed data: phases, checks, gates, limits, readiness. What stands here was checked.

Every number is the file's (`therapies/*.toml`), with its source beside it there; nothing in the program
repeats one. Names ending in `_min` are minutes, in `_days` days; pressures mmHg, rates 1/min, SpO2 %.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.model import Vital
from monitor.people import Role
from monitor.treatment import Flag, Phase, Score

Minutes = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class Need(StrEnum):
    """What a phase may wait for before the session leaves it: `needs.py` says what is missing of each."""

    ANSWERED = "answered"
    BASELINE = "baseline"
    SCORES = "scores"
    GATE = "gate"
    TIMEOUT = "timeout"
    LAST_DEVICE = "last_device"
    CHECK = "check"
    INFUSION_ENDED = "infusion_ended"
    TIME = "time"
    QUIET = "quiet"
    FLOOR = "floor"
    READINESS = "readiness"
    PRESSURES = "pressures"
    SIGN_OFF = "sign_off"


class Item(StrEnum):
    """The list of who may leave (protocols.md 7), in its order."""

    TIME = "time"
    PRESSURE = "pressure"
    BREATHING = "breathing"
    AWAKE = "awake"
    STEADY = "steady"
    NAUSEA = "nausea"
    QUIET = "quiet"
    MOOD = "mood"
    ESCORT = "escort"
    PAPERS = "papers"
    SIGNED = "signed"


Anchor = Literal["start", "last_device", "end"]
"""The times that are counted from: start of the drug, last nasal device, end of the infusion."""

Pressure = Literal["before", "check_40", "end", "final"]
"""The pressures a record must hold."""

Late = Literal["low", "medium", "high"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Timing(_Table):
    """[timing]: when a check is shown, when it is late, and how old a value may be."""

    warn_min: Minutes
    late_min: Minutes
    tolerance_min: Minutes


class Devices(_Table):
    """[devices]: how many nasal devices, and how far apart."""

    least: Annotated[int, Field(ge=1, le=9)]
    most: Annotated[int, Field(ge=1, le=9)]
    spacing_min: Minutes


class Floor(_Table):
    """[floor]: the least stay. Nothing ends it early but the recorded reason of one of `override`."""

    anchor: Literal["last_device", "end"]
    min: Minutes
    override: tuple[Role, ...]


class Form(_Table):
    """[form]: the monitoring form of a session, owed from the start of the drug."""

    due_days: Number
    medium_day: Number
    high_day: Number


class SignOff(_Table):
    """[sign_off]: whose signature closes a session."""

    alone: tuple[Role, ...]
    together: Annotated[int, Field(ge=2, le=5)]
    roles: tuple[Role, ...]


class Pressures(_Table):
    """[pressures]: without these nothing is closed, but by an override."""

    required: tuple[Pressure, ...]
    override: tuple[Role, ...]


class BaselineRules(_Table):
    """[baseline]: how many readings make it, how far apart, and how long it stands."""

    readings: Annotated[int, Field(ge=1, le=5)]
    apart_min: Minutes
    differ_mmhg: Number
    lasts_min: Minutes
    steady_min: Minutes
    rest_min: Minutes


class Tighten(_Table):
    """[tighten]: above which pressure the cuff runs more often, and until how many readings have fallen."""

    nibp_sys: Number
    nibp_dia: Number
    falling: Annotated[int, Field(ge=2, le=5)]


class PhaseRow(_Table):
    """[[phase]]: one phase, what is watched in it, how often the cuff runs, what it ends with."""

    name: Phase
    continuous: tuple[Vital, ...] = ()
    nibp_min: Annotated[float, Field(ge=1, le=120)] | None = None
    nibp_tight_min: Annotated[float, Field(ge=1, le=120)] | None = None
    least_min: Minutes = 0
    scores: tuple[Score, ...] = ()
    leaves_when: tuple[Need, ...] = ()


class Check(_Table):
    """[[check]]: something that is due once (`due_min` from `anchor`) or again and again (`every_min`)."""

    name: Name
    title: Words
    phases: tuple[Phase, ...]
    items: tuple[str, ...]
    required: tuple[str, ...] = ()
    every_min: Annotated[float, Field(ge=1, le=240)] | None = None
    anchor: Anchor | None = None
    due_min: Minutes | None = None
    opens_min: Minutes | None = None
    closes_anchor: Anchor | None = None
    closes_min: Minutes | None = None
    late: Late


class Question(_Table):
    """[[question]]: one question of the check-in; nothing is preset."""

    name: Name
    asks: Words
    kind: Literal["must", "confirm", "ask", "contraindication", "flag"]
    flag: Flag | None = None
    first_session: bool = False


class Gate(_Table):
    """[[gate]]: what must not be so before the drug; any one of its terms is enough."""

    name: Name
    result: Literal["ask", "stop"]
    above: dict[str, Number] = Field(default_factory=dict)
    at_least: dict[str, Number] = Field(default_factory=dict)
    under: dict[str, Number] = Field(default_factory=dict)
    age_from: int | None = None
    age_under: int | None = None
    override: tuple[Role, ...]


RuleTerms = dict[str, float | str | tuple[float, ...]]


class Layer(_Table):
    """[[layer]]: limits of a phase, a time or a risk; it holds where all that it names holds."""

    name: Words
    phases: tuple[Phase, ...] = ()
    anchor: Anchor | None = None
    after_min: Minutes = 0
    flags: tuple[Flag, ...] = ()
    age_from: int | None = None
    needs: Literal["spo2"] | None = None
    nibp_factor: Annotated[float, Field(gt=0, le=1)] = 1
    unconfirmed: tuple[str, ...] = ()
    not_declining: bool = False
    rules: dict[str, RuleTerms] = Field(default_factory=dict)


class ReadinessRules(_Table):
    """[readiness]: the list, and the numbers of its items."""

    items: tuple[Item, ...]
    override: tuple[Role, ...]
    sys_below: Number
    dia_below: Number
    band_percent: Number
    apart_min: Minutes
    flat_mmhg: Number
    pressure_fresh_min: Minutes
    vitals_fresh_min: Minutes
    spo2_least: Number
    spo2_below_baseline: Number
    rr: tuple[Number, Number]
    hr: tuple[Number, Number]
    oxygen_free_min: Minutes
    moaas: Annotated[int, Field(ge=0, le=5)]
    standing: bool
    standing_fall_mmhg: Number
    nausea_most: Annotated[int, Field(ge=0, le=3)]
    quiet_min: Minutes
    scores_fresh_min: Minutes
    driving: Words
    line: bool


class Signature(_Table):
    """[signature]: which prescriber has signed exactly these numbers, and when."""

    by: Words
    on: dt.date
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Therapy(_Table):
    """One therapy, whole."""

    name: Name
    version: Annotated[int, Field(ge=1)]
    title: Words
    course: Literal["nasal", "infusion"]
    limits: Name
    age: tuple[int, int]
    prescriber_on_site: bool = False
    """Whether a prescriber has to be in the house from the drug until the patient leaves."""
    timing: Timing
    devices: Devices | None = None
    floor: Floor | None = None
    form: Form | None = None
    sign_off: SignOff
    pressures: Pressures
    baseline: BaselineRules
    tighten: Tighten
    phase: tuple[PhaseRow, ...]
    check: tuple[Check, ...]
    question: tuple[Question, ...]
    gate: tuple[Gate, ...]
    layer: tuple[Layer, ...]
    readiness: ReadinessRules
    signature: Signature | None = None
    digest: str = Field(default="", exclude=True)
    """What a signature is for: filled in by the loader from everything but the signature."""

    def row(self, phase: Phase) -> PhaseRow | None:
        """The row of a phase, or None where this therapy does not have it."""
        return next((row for row in self.phase if row.name is phase), None)

    def has(self, phase: Phase) -> bool:
        """Whether the therapy has this phase; end states and transfers belong to every one."""
        return phase in _EVERYWHERE or self.row(phase) is not None

    def check_named(self, name: str) -> Check:
        """The check of this name; KeyError where there is none."""
        for check in self.check:
            if check.name == name:
                return check
        raise KeyError(name)


_EVERYWHERE = frozenset({Phase.CLOSED, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE})


def ms(minutes: float) -> int:
    """Minutes of a file as milliseconds."""
    return round(minutes * 60_000)

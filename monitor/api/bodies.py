"""What may be sent to the API: frozen models that know their bounds and refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

from monitor.model import PauseKind, SoundState, Vital

AUDIO_PAUSED_MAX_S = 120
"""alarms.md 5: an audio pause lasts at most 2 minutes (the oximeter norm's 120 s)."""
ALARM_PAUSED_MAX_S = 180
"""alarms.md 5: an alarm pause lasts 2 to 3 minutes at most."""

WHAT_IF_MAX = 50
WHAT_IF_WEEKS = 8
"""So many stored sessions are judged again at once: each takes seconds, and the ward goes on beside it."""

NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"
"""Beds, staff, screens: names that mean nothing to MQTT, SQL, HTML or a file system (T11)."""


def printable(text: str) -> str:
    """Text for one line; ValueError for any other."""
    if not text.isprintable():
        raise ValueError("Use letters, digits and signs on one line")
    return text


Name = Annotated[str, Field(pattern=NAME)]
Text = Annotated[str, Field(max_length=200), AfterValidator(printable)]
Reason = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]
Measure = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
BedName = Annotated[str, Path(pattern=NAME)]
Number = Annotated[int, Path(ge=1, le=2**53)]


class Body(BaseModel):
    """Any body: an unknown key is an error, and nothing is quietly made into something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SignInBody(Body):
    """A name with its password, or on a paired screen with its PIN."""

    name: Name
    password: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    pin: Annotated[str, Field(pattern=r"^[0-9]{4,6}$")] | None = None

    @model_validator(mode="after")
    def one_secret(self) -> Self:
        """Exactly one of the two."""
        if (self.password is None) == (self.pin is None):
            raise ValueError("Send a password or a PIN")
        return self


class ScreenBody(Body):
    """The name a screen is paired under."""

    name: Name


class LinkBody(Body):
    """What stood behind the # of a page's link."""

    token: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[0-9A-Za-z._-]+$")]


class HandOverBody(Body):
    """Who goes off duty, and whose beds and pages they are from now on."""

    was: Name
    to: Name


class SoundBody(Body):
    """How a screen's own sound does."""

    state: SoundState


class BaselineBody(Body):
    """Today's own normal. The edges are those of what a monitor can show (physiology.md 1, HARD)."""

    systolic_mmhg: Annotated[Measure, Field(ge=40, le=280)] | None = None
    diastolic_mmhg: Annotated[Measure, Field(ge=15, le=200)] | None = None
    heart_rate_per_min: Annotated[Measure, Field(ge=10, le=300)] | None = None
    spo2_percent: Annotated[Measure, Field(ge=30, le=100)] | None = None
    respiration_per_min: Annotated[Measure, Field(ge=0, le=100)] | None = None


class SessionBody(Body):
    """A plain watch session to be opened on a bed."""

    bed: Name
    alias: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(printable)]
    """What staff call the patient here; never a name or a date of birth."""
    baseline: BaselineBody = BaselineBody()
    profile: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(printable)] = "watch"
    cuff_interval_s: Annotated[Whole, Field(ge=60, le=3600)] | None = None


class TreatmentBody(Body):
    """A treatment to be opened on a bed, under one of this clinic's signed therapies; nothing is preset."""

    bed: Name
    alias: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(printable)]
    """What staff call the patient here; never a name or a date of birth."""
    therapy: Name
    age_years: Annotated[Whole, Field(ge=0, le=130)]
    devices: Annotated[Whole, Field(ge=0, le=9)]
    """How many nasal devices are planned; 0 for an infusion."""
    first: Annotated[bool, Strict()]
    """Whether it is the patient's first treatment."""


def _which(body: object) -> str:
    has = "therapy" in body if isinstance(body, dict) else isinstance(body, TreatmentBody)
    return "treatment" if has else "watch"


OpeningBody = Annotated[
    Annotated[TreatmentBody, Tag("treatment")] | Annotated[SessionBody, Tag("watch")], Discriminator(_which)
]
"""With a `therapy` it is a treatment, without one a plain watch."""


class PressureBody(Body):
    """A blood pressure taken by hand (physiology.md 1, HARD; C1)."""

    kind: Literal["bp"]
    systolic_mmhg: Annotated[Measure, Field(ge=40, le=280)]
    diastolic_mmhg: Annotated[Measure, Field(ge=15, le=200)]

    @model_validator(mode="after")
    def upper_above_lower(self) -> Self:
        """C1: the lower number is below the upper one."""
        if self.diastolic_mmhg >= self.systolic_mmhg:
            raise ValueError("The lower number must be below the upper one")
        return self


class TemperatureBody(Body):
    """A temperature taken by hand."""

    kind: Literal["temperature"]
    celsius: Annotated[Measure, Field(ge=25, le=45)]


class RespirationBody(Body):
    """A breathing rate counted by hand."""

    kind: Literal["respiration"]
    per_min: Annotated[Measure, Field(ge=0, le=100)]


VitalsBody = Annotated[PressureBody | TemperatureBody | RespirationBody, Field(discriminator="kind")]


class PauseBody(Body):
    """A pause: of the sound, or of one vital's alarms with a reason; without `seconds` what is off."""

    kind: PauseKind
    vital: Vital | None = None
    seconds: Annotated[Whole, Field(ge=1, le=ALARM_PAUSED_MAX_S)] | None = None
    why: Text = ""

    @model_validator(mode="after")
    def within_its_kind(self) -> Self:
        """Each kind has its own longest time, and an alarm pause has a vital and a reason."""
        if (self.kind in {PauseKind.AUDIO, PauseKind.ALARM}) is (self.seconds is None):
            raise ValueError("A pause has its seconds, and what is off has none")
        if self.kind is PauseKind.AUDIO and (self.seconds or 0) > AUDIO_PAUSED_MAX_S:
            raise ValueError(f"Audio can be paused for at most {AUDIO_PAUSED_MAX_S} seconds")
        if self.kind is PauseKind.AUDIO_OFF and not self.why.strip():
            raise ValueError("Say why the sound is off")
        if self.kind in {PauseKind.ALARM, PauseKind.ALARM_OFF} and (
            self.vital is None or not self.why.strip()
        ):
            raise ValueError("Say which vital's alarms are quiet, and why")
        return self


class LimitBody(Body):
    """This session's own limit for one rule; null puts the profile's back."""

    rule: Name
    limit: Annotated[Measure, Field(ge=-1000, le=1000)] | None
    why: Reason


class DutyBedBody(Body):
    """Who has a bed."""

    bed: Name
    staff: Name


class DutyBody(Body):
    """Who is on duty and who has which bed: the whole list."""

    on: Annotated[list[Name], Field(max_length=200)]
    beds: Annotated[list[DutyBedBody], Field(max_length=500)] = []


class WhatIfBody(Body):
    """Which stored sessions are judged again, and under which limits: rows by rule, as in `[limits]`.

    `layers` are such rows by the name of a layer of a therapy's own limits (docs/therapies.md).
    """

    sessions: Annotated[list[Annotated[Whole, Field(ge=1, le=2**53)]], Field(max_length=WHAT_IF_MAX)] = []
    last: Annotated[Whole, Field(ge=0, le=WHAT_IF_MAX)] = 0
    """So many of those that ended last, besides."""
    weeks: Annotated[Whole, Field(ge=0, le=WHAT_IF_WEEKS)] = 0
    """Those that ended in the last so many weeks, besides; the one that runs is the first."""
    limits: dict[Name, dict[Name, Measure | Text | list[Measure]]] | None = None
    layers: dict[Text, dict[Name, dict[Name, Measure | Text | list[Measure]]]] | None = None

    @model_validator(mode="after")
    def some(self) -> Self:
        """At least one session."""
        if not self.sessions and not self.last and not self.weeks:
            raise ValueError("Say which sessions, or how many of the last, or of which weeks")
        return self


class RejectBody(Body):
    """Why the person paged cannot go; may be left out."""

    why: Text = ""

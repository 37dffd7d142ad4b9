"""Earlier sessions of the same alias, to lie behind today's trace: frozen records that go out as they stand.

Times are `..._at_ms`, minutes count from the start of the drug (the first nasal device, or the start of the
pump; before it they are negative), pressures are mmHg, rates 1/min, SpO2 %. What was not measured is not
there: no line is drawn through it. Nothing of it is a value of today, and nothing says what would be normal.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import Baseline


@dataclass(frozen=True, slots=True)
class CuffThen:
    """One valid cuff reading of a session, and at which minute it was measured."""

    minute: float
    systolic: float
    diastolic: float


@dataclass(frozen=True, slots=True)
class MinuteThen:
    """One minute of a continuous vital: the median of its valid values. A minute without one is left out."""

    minute: int
    value: float


@dataclass(frozen=True, slots=True)
class Response:
    """What the systolic pressure of one session did after the drug; None where the readings do not say.

    `peak_rise` is the highest reading less the baseline, at `peak_minute`. `minutes_above` is how long the
    pressure was over `above` (the baseline and 20 %, protocols.md 7), on straight lines between readings that
    are no more than 30 min apart. `returned_minute` is the first reading from which on none is over it, and
    None where none ever was, or where the last one still is: then `still_above`.
    """

    baseline: float | None
    above: float | None
    peak: float | None
    peak_rise: float | None
    peak_minute: float | None
    minutes_above: float | None
    returned_minute: float | None
    still_above: bool


@dataclass(frozen=True, slots=True)
class SessionThen:
    """One session: when, under what, its traces by the minute since the drug, and its response."""

    session: int
    therapy: str
    devices: int
    """How many nasal devices were given; 0 for an infusion."""
    opened_at_ms: int
    start_at_ms: int
    ended_at_ms: int | None
    baseline: Baseline
    cuffs: tuple[CuffThen, ...]
    heart_rate: tuple[MinuteThen, ...]
    spo2: tuple[MinuteThen, ...]
    response: Response


@dataclass(frozen=True, slots=True)
class Earlier:
    """The sessions of one alias before this one, the newest first. `why_not` says why there is none to show.

    `now` is the response of this session so far, from its own readings alone; None before the drug.
    """

    session: int
    alias: str
    now: Response | None
    sessions: tuple[SessionThen, ...]
    why_not: str | None

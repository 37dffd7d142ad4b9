"""What a scenario is: a person, a drug course and a story, as one table of data. Reading it is all it does.

The stories N0 ... X2 lie in `scenarios/`; a scenario of one's own is a file of the same shape.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

Drug = Literal["iv", "esk", "none"]
Signal = Literal["heart_rate", "spo2", "respiration", "systolic", "diastolic", "temperature", "perfusion"]
Mode = Literal["add", "set", "at most", "at least"]
ProbeState = Literal["on", "off", "unplugged", "searching", "weak"]
FaultKind = Literal[
    "cut",
    "noise",
    "garbage",
    "delay",
    "unplug",
    "silence",
    "repeat",
    "clock_jump",
    "half_frame",
    "flood",
    "disorder",
]

Length = Annotated[float, msgspec.Meta(gt=0)]
"""A time that may not be nothing."""

HOUSE = Path(__file__).parent / "scenarios"


class ScenarioError(ValueError):
    """A scenario that cannot be read; the text is one line that says where and why."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who lies there. What is None comes from the age group (physiology.md 5.3) and `spread`."""

    age: int = 45
    hypertension: bool = False
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    heart_rate_per_min: float | None = None
    respiration_per_min: float | None = None
    spo2_percent: float | None = None
    temperature_cel: float | None = None
    perfusion_percent: float | None = None
    spread: float = 0.0
    """How much people differ: 0 is the mean person, 1 the spread of a clinic's patients."""


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the drug does. `amplitude` is in SD from the mean response, or "drawn" from the seed."""

    amplitude: float | Literal["drawn"] = 0.0
    infusion_min: Length = 40.0
    stopped_min: Length | None = None
    site: float = 1.0
    """The site factor of physiology.md 5.1: published clinics differ from 0.3 to 1.2."""
    systolic_rise_mmhg: float | None = None
    diastolic_rise_mmhg: float | None = None
    tail_tau_min: Length | None = None
    """A decline slower than the drug's own."""


class Bend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One signal bent along straight lines: `points` are [seconds after `at_min`, value].

    After the last point the signal goes back to itself: at once, or with `then_tau_s`.
    """

    signal: Signal
    at_min: float
    mode: Mode
    points: Annotated[tuple[tuple[float, float], ...], msgspec.Meta(min_length=1)]
    then_tau_s: Length | None = None

    def __post_init__(self) -> None:
        """Refuse points that do not go forward in time."""
        times = [time_s for time_s, _ in self.points]
        if times != sorted(times) or times[0] < 0:
            raise ValueError("the points of a bend go forward in time, from 0 seconds on")


class Surge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One signal lifted to `height` above the person's base: slow rise, plateau, slow fall."""

    signal: Signal
    at_min: float
    height: float
    rise_tau_s: Length
    plateau_s: float
    fall_tau_s: Length


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of the oximeter's probe for `for_s`, once or every `every_s`."""

    state: ProbeState
    at_min: float
    for_s: Length
    every_s: Length | None = None


class Motion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The patient moves: bursts whose lengths are log-normal (physiology.md 6, A1)."""

    from_min: float
    to_min: float
    every_s: Length = 240.0


class FirstCuff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first cuff started after `at_min` reads this, or fails where there are no numbers."""

    at_min: float
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault of the device or its cable, by the names of `simulate --fault`."""

    kind: FaultKind
    at_min: float
    arg: float | None = None


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One patient's scenario. Minute 0 is the start of the drug."""

    name: str
    title: str = ""
    expect: str = ""
    drug: Drug = "iv"
    start_min: float = -5.0
    """Where `simulate` begins when it is not told."""
    person: Person = Person()
    course: Course = Course()
    bend: tuple[Bend, ...] = ()
    surge: tuple[Surge, ...] = ()
    probe: tuple[Probe, ...] = ()
    motion: tuple[Motion, ...] = ()
    cuff: tuple[FirstCuff, ...] = ()
    fault: tuple[Trouble, ...] = ()

    def begins_min(self) -> float | None:
        """The minute at which the first thing happens that the drug alone does not explain."""
        events: Sequence[Bend | Surge | Probe | FirstCuff | Trouble] = (
            *self.bend,
            *self.surge,
            *self.probe,
            *self.cuff,
            *self.fault,
        )
        begins = [event.at_min for event in events] + [m.from_min for m in self.motion]
        return min(begins, default=None)


class _Like(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A patient of another scenario, its story moved by `shift_min`."""

    like: str
    shift_min: float = 0.0


class _Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scenario made of others: one bed each."""

    name: str
    bed: tuple[_Like, ...]
    title: str = ""
    expect: str = ""


def names() -> tuple[str, ...]:
    """The scenarios of the house."""
    return tuple(sorted(path.stem for path in HOUSE.glob("*.toml")))


def load(name: str, inside: tuple[str, ...] = ()) -> tuple[Story, ...]:
    """The patients of a scenario of the house, or of a TOML file of one's own: mostly one.

    `inside` are the scenarios that this one is part of.
    """
    if name in inside:
        raise ScenarioError(f"{name}: this scenario is made of itself")
    path = Path(name)
    if path.suffix != ".toml":
        path = HOUSE / f"{name.upper()}.toml"
        if not path.is_file():
            raise ScenarioError(f"{name}: no such scenario; there are {', '.join(names())}, or name a file")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ScenarioError(f"{path}: {problem.strerror or problem}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ScenarioError(f"{path}: not TOML: {problem}") from None
    try:
        return _stories({"name": path.stem, **table}, (*inside, name))
    except msgspec.ValidationError as problem:
        raise ScenarioError(f"{path}: {problem}") from None


def _stories(table: dict[str, object], inside: tuple[str, ...]) -> tuple[Story, ...]:
    if "bed" not in table:
        return (msgspec.convert(table, Story),)
    cast = msgspec.convert(table, _Cast)
    return tuple(
        msgspec.structs.replace(
            shifted(story, like.shift_min), name=cast.name, title=cast.title, expect=cast.expect
        )
        for like in cast.bed
        for story in load(like.like, inside)
    )


def shifted(story: Story, by_min: float) -> Story:
    """The same story, its events `by_min` later; the drug keeps its time."""

    def later(event: Bend | Surge | Probe | FirstCuff | Trouble) -> object:
        return msgspec.structs.replace(event, at_min=event.at_min + by_min)

    moved = {
        "bend": tuple(map(later, story.bend)),
        "surge": tuple(map(later, story.surge)),
        "probe": tuple(map(later, story.probe)),
        "cuff": tuple(map(later, story.cuff)),
        "fault": tuple(map(later, story.fault)),
        "motion": tuple(
            msgspec.structs.replace(m, from_min=m.from_min + by_min, to_min=m.to_min + by_min)
            for m in story.motion
        ),
    }
    return msgspec.structs.replace(story, **moved)

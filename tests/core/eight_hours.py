"""What happens in one history of eight hours, by seed: patients, people, pagers, and when it is killed.

The day is drawn as a whole before it begins, and what answers a page hangs on the page alone; so a history is
the same however often it is told, and a failing one prints its day.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.alerts.roster import Person
from monitor.model import Bed, Device, PauseKind, Staff, Vital
from monitor.people import Role
from monitor.plan import DevicePlan, Plan
from tests.core.shift import EVERY, plan

HOURS = 8
BEDS = tuple(str(number) for number in range(1, 13))
PEOPLE = {
    Staff(name): Person(Staff(name), role)
    for name, role in (
        ("dana", Role.NURSE),
        ("sam", Role.NURSE),
        ("kim", Role.NURSE),
        ("lee", Role.CHARGE_NURSE),
        ("ida", Role.PRESCRIBER),
    )
}
PHONE, TABLET = "phone", "tablet"
WAYS = {
    Staff("dana"): (PHONE, TABLET),
    Staff("sam"): (PHONE,),
    Staff("kim"): (TABLET,),
    Staff("lee"): (PHONE, TABLET),
    Staff("ida"): (PHONE,),
}
KILLS = 20

WELL = {"spo2": 97.0, "hr": 72.0, "rr": 14.0}
"""What a calm patient's monitor says."""


class Place(StrEnum):
    """Where in its turn the service is when it is killed."""

    IDLE = "between two turns"
    DECIDED = "after it has decided, before it has written"
    WRITTEN = "after it has written, before it has told anybody"
    TOLD = "after it has told the screens, before the outbox has anything"
    HANDED = "after the outbox has the pages, before one has left"
    ON_THE_WIRE = "after a page has left, before the pager has answered"
    STARTING = "in its first turn after a start"


class Way(StrEnum):
    """How a pager takes one page."""

    SENT = "sent"
    DELIVERED = "delivered, and the person has read it"
    FAILS = "fails at once"
    HANGS = "never answers"
    LATE = "answers, but after its time-out"
    TWICE = "carries it twice, and says so twice"


class Manner(StrEnum):
    """What a person does with a page."""

    COMES = "accepts, and acknowledges at the bed"
    STAYS_AWAY = "accepts, and never comes"
    HANDS_BACK = "accepts, and then cannot"
    CANNOT = "rejects"
    IGNORES = "does nothing"
    CALLS = "accepts, calls for help, and acknowledges at the bed"


@dataclass(frozen=True)
class Kill:
    """One kill: it falls at the first chance after `at_s`; `pages` waits for a turn that orders pages."""

    at_s: float
    place: Place
    pages: bool
    down_s: float


@dataclass(frozen=True)
class Spell:
    """For so long a patient's values are these, or the link to the monitor is gone."""

    bed: str
    at_s: float
    for_s: float
    values: dict[str, float | None] = field(default_factory=dict)
    pressure: float | None = None
    unplugged: bool = False


@dataclass(frozen=True)
class Act:
    """What staff do that no page has asked for."""

    at_s: float
    what: str
    bed: str = ""
    on: tuple[str, ...] = ()
    pause: PauseKind | None = None


@dataclass(frozen=True)
class Outage:
    """For so long every page on this way goes so."""

    way: str
    at_s: float
    for_s: float
    how: Way


SPELLS: tuple[tuple[dict[str, float | None], float | None, bool], ...] = (
    ({"spo2": 84.0}, None, False),
    ({"spo2": 88.0}, None, False),
    ({"spo2": 91.0}, None, False),
    ({"rr": 0.0}, None, False),
    ({"rr": 7.0, "spo2": 88.0}, None, False),
    ({"hr": 150.0}, None, False),
    ({"hr": 0.0, "spo2": None}, None, False),
    ({"spo2": None}, None, False),
    ({}, 172.0, False),
    ({}, 205.0, False),
    ({}, None, True),
)
"""A severe value, a HIGH and a MEDIUM with their delays, two causes, a probe off, pressures, a cable."""


@dataclass(frozen=True)
class Day:
    """See the module."""

    seed: int
    hours: float
    kills: tuple[Kill, ...]
    spells: tuple[Spell, ...]
    acts: tuple[Act, ...]
    outages: tuple[Outage, ...]

    def __str__(self) -> str:
        """The plan of the day, a line each, in order."""
        told: list[Kill | Spell | Act | Outage] = [*self.kills, *self.spells, *self.acts, *self.outages]
        return "\n".join([f"seed {self.seed}", *map(str, sorted(told, key=lambda one: one.at_s))])

    def carries(self, page_id: int, way: str, at_s: float) -> Way:
        """How a page that is handed over now is taken."""
        for outage in self.outages:
            if outage.way == way and outage.at_s <= at_s < outage.at_s + outage.for_s:
                return outage.how
        return self._dice("carries", page_id, way).choices(list(_CARRIES), list(_CARRIES.values()))[0]

    def answers(self, page_id: int) -> Manner:
        """What the person does with this page."""
        return self._dice("answers", page_id).choices(list(_MANNERS), list(_MANNERS.values()))[0]

    def takes_s(self, what: str, page_id: int, least_s: float, most_s: float) -> float:
        """How long something takes of this page, to the millisecond."""
        return round(self._dice(what, page_id).uniform(least_s, most_s), 3)

    def _dice(self, *what: object) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, *what))))  # noqa: S311  no secret


_CARRIES = {Way.SENT: 55, Way.DELIVERED: 20, Way.FAILS: 8, Way.HANGS: 5, Way.LATE: 6, Way.TWICE: 6}
_MANNERS = {
    Manner.COMES: 40,
    Manner.STAYS_AWAY: 14,
    Manner.HANDS_BACK: 8,
    Manner.CANNOT: 12,
    Manner.IGNORES: 18,
    Manner.CALLS: 8,
}


def day(seed: int, hours: float = HOURS, kills: int = KILLS, spells_an_hour: float = 5) -> Day:
    """The day of this seed."""
    dice = random.Random(f"day {seed}")  # noqa: S311  no secret
    end_s = hours * 3_600

    def instant() -> float:
        return round(dice.uniform(60, end_s - 600), 3)

    spells = tuple(_spell(dice, instant()) for _ in range(round(hours * spells_an_hour)))
    return Day(
        seed,
        hours,
        tuple(sorted((_kill(dice, instant()) for _ in range(kills)), key=lambda kill: kill.at_s)),
        spells,
        (
            *_shifts(dice, end_s),
            *(_act(dice, instant(), dice.choice(BEDS)) for _ in range(round(hours * 4))),
            # Half of what people do, they do where something has just happened.
            *(
                _act(dice, round(s.at_s + dice.uniform(0.5, 40), 3), s.bed)
                for s in spells
                if dice.random() < 0.7
            ),
        ),
        tuple(
            Outage(dice.choice((PHONE, TABLET)), instant(), dice.uniform(60, 600), dice.choice(_BAD))
            for _ in range(round(hours / 2))
        ),
    )


_BAD = (Way.FAILS, Way.HANGS, Way.LATE)


def _kill(dice: random.Random, at_s: float) -> Kill:
    place = dice.choice(list(Place))
    down_s = dice.choice((0.05, 1.0, 5.0, 29.0, 61.0, 200.0))
    return Kill(at_s, place, dice.random() < 0.7, down_s)


def _spell(dice: random.Random, at_s: float) -> Spell:
    values, pressure, unplugged = dice.choice(SPELLS)
    for_s = round(dice.choice((7.0, 20.0, 45.0, 100.0, 160.0, 400.0)) * dice.uniform(0.8, 1.2), 3)
    return Spell(dice.choice(BEDS), at_s, for_s, values, pressure, unplugged)


def _shifts(dice: random.Random, end_s: float) -> list[Act]:
    """Hand-overs: a full list, one of two, and now and then nobody at all for a few minutes."""
    acts: list[Act] = []
    for _ in range(max(1, round(end_s / 7_200))):
        at_s = round(dice.uniform(300, end_s - 900), 3)
        few = dice.choice(((), ("ida",), ("sam", "lee"), ("dana",)))
        acts.append(Act(at_s, "duty", on=few))
        everybody = dice.sample([str(name) for name in PEOPLE], len(PEOPLE))
        acts.append(Act(round(at_s + dice.uniform(60, 500), 3), "duty", on=tuple(everybody)))
    return acts


def _act(dice: random.Random, at_s: float, bed: str) -> Act:
    what = dice.choice(("looks", "looks", "pauses", "changes patient", "hands over"))
    pause = dice.choice(list(PauseKind)) if what == "pauses" else None
    return Act(at_s, what, bed, pause=pause)


def clinic() -> Plan:
    """Twelve beds with a monitor and a cuff each, five people, two ways."""
    devices = [
        device
        for bed in map(Bed, BEDS)
        for device in (
            DevicePlan(Device(f"monitor-{bed}"), "mqtt-native", bed, EVERY),
            DevicePlan(Device(f"cuff-{bed}"), "dinamap", bed, frozenset({Vital.SYSTOLIC}), starts_cuff=True),
        )
    ]
    return plan(BEDS, people=PEOPLE, staff=PEOPLE, devices=tuple(devices), ways=WAYS)

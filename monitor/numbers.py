"""How alarms fare week by week: frozen records that go out as they stand, and counters for machines.

Times are `..._at_ms`, durations `..._s`. A condition is what its rows are called without their priority
("spo2-low"). A share is None where there is nothing that it could be of: none of none is not nought.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.model import Priority, Staff


class Became(StrEnum):
    """What became of an alarm, as it happens."""

    SELF_CLEARED = "self-cleared"
    """In breach, and back inside before its delay had run or its repeat had confirmed: it never sounded."""
    RAISED = "raised"
    PAGED = "paged"
    """Its first page went out."""
    PAGED_AGAIN = "paged again"
    """A later step or a repeat."""
    ACCEPTED = "accepted"
    """Somebody said "I go", for the first time; `after_ms` from the first page."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody was at the bed, for the first time; `after_ms` from the raise."""
    ENDED = "ended"
    """The condition is over; `after_ms` is how long it lasted from the raise."""
    ACTED_ON = "acted on"
    """It was paged, and somebody accepted it or came before the condition was over."""
    UNANSWERED = "unanswered"
    """It was paged, and was over before anybody had accepted it or come."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that became of one alarm. `by` only where a person did it."""

    at_ms: int
    became: Became
    condition: str
    priority: Priority
    after_ms: int = 0
    by: Staff | None = None


ANSWER_BUCKETS_S = (10, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""Bounds of the answering times that machines are told; 30 and 90 s are targets (alarms.md 9)."""

TIMED = (Became.ACCEPTED, Became.ACKNOWLEDGED)


@dataclass(slots=True)
class Counters:
    """What machines are told: counts since the start of the service, of nobody by name."""

    counts: Counter[tuple[Became, str, Priority]] = field(default_factory=Counter)
    within: Counter[tuple[Became, Priority, int]] = field(default_factory=Counter)
    """How many answers came within each of `ANSWER_BUCKETS_S`; each counts in every bound that it keeps."""
    seconds: defaultdict[tuple[Became, Priority], float] = field(default_factory=lambda: defaultdict(float))
    answers: Counter[tuple[Became, Priority]] = field(default_factory=Counter)

    def took(self, fact: Fact) -> None:
        """Count one more."""
        self.counts[fact.became, fact.condition, fact.priority] += 1
        if fact.became in TIMED:
            took_s = fact.after_ms / 1_000
            for bound_s in ANSWER_BUCKETS_S:
                if took_s <= bound_s:
                    self.within[fact.became, fact.priority, bound_s] += 1
            self.seconds[fact.became, fact.priority] += took_s
            self.answers[fact.became, fact.priority] += 1


@dataclass(frozen=True, slots=True)
class ConditionWeek:
    """One condition at one priority in one week."""

    condition: str
    priority: str
    raised: int
    a_session: float | None
    self_cleared: int
    lasted_s: float
    """How long it was there altogether, from each raise to the end of the condition."""
    paged: int
    acted_on: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Answering:
    """How long it took people, at one priority: the middle one and the 95th of a hundred, in seconds."""

    priority: str
    answers: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the alarm budget: what was reached, what is allowed, and whether it is kept.

    `kept` is None in a week in which nothing happened that it could be judged by.
    """

    name: str
    value: float | None
    bound: float
    kept: bool | None


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the clinic, from Monday 00:00 of its own zone."""

    from_at_ms: int
    until_at_ms: int
    sessions: int
    conditions: tuple[ConditionWeek, ...]
    accepted: tuple[Answering, ...]
    acknowledged: tuple[Answering, ...]
    acknowledged_by: dict[str, int]
    pages: int
    pages_again: int
    acted_on_share: float | None
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The weeks that were asked for, the newest first; the one that runs is among them, as far as it is."""

    zone: str
    weeks: tuple[Week, ...]

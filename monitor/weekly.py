"""The alarms of the last weeks as numbers for whoever leads the shift, read from the journal.

Reads while the service writes. A week begins on Monday at 00:00 of the clinic's zone; an alarm belongs to the
week in which it was raised or had gone again, an answer to that in which it was given.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from monitor.alerts.became import Follower
from monitor.config.settings import Budget, Clinic
from monitor.model import AlarmMoved, PageOrdered, Priority, SessionMoved
from monitor.numbers import Answering, Became, ConditionWeek, Fact, Numbers, Target, Week
from monitor.store.journal import Journal
from monitor.treatment import Happening

TOLD = (AlarmMoved.__name__, PageOrdered.__name__, "Accepted", "Acked", SessionMoved.__name__)
BEFORE_MS = 86_400_000
"""An alarm that was there already when the first week began is known by so much from before it."""

DESERVE = (Priority.HIGH, Priority.MEDIUM)
"""Pages are counted against the budget at these; LOW pages nobody (alarms.md 8)."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of one clinic. `now_ms` is until when the one that runs is looked at."""

    clinic: Clinic
    journal: Journal
    now_ms: Callable[[], int]

    def begin_ms(self, weeks: int) -> int:
        """When the first of the last so many weeks began."""
        return edges_ms(self.clinic.about.zone, self.now_ms(), weeks)[0]

    async def numbers(self, weeks: int) -> Numbers:
        """The last so many weeks, the newest first. StoreError where the journal cannot be read."""
        edges = edges_ms(self.clinic.about.zone, self.now_ms(), weeks)
        heard = [row.event async for row in self.journal.of(TOLD, edges[0] - BEFORE_MS)]
        return Numbers(self.clinic.about.zone, counted(heard, edges, self.clinic.budget))


def edges_ms(zone: str, now_ms: int, weeks: int) -> list[int]:
    """When each of the last weeks begins, the oldest first, and last when the one that runs will end."""
    local = datetime.fromtimestamp(now_ms / 1_000, ZoneInfo(zone)).date()
    monday = local - timedelta(days=local.weekday())
    days = [monday + timedelta(weeks=number) for number in range(1 - weeks, 2)]
    starts = [datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in days]
    return [round(start.timestamp() * 1_000) for start in starts]


def counted(events: Iterable[Happening], edges: Sequence[int], budget: Budget) -> tuple[Week, ...]:
    """These events by week, the newest first; `edges` as of `edges_ms`. Pure."""
    follower = Follower()
    facts: list[list[Fact]] = [[] for _ in edges[1:]]
    sessions = [0 for _ in edges[1:]]
    for event in events:
        if isinstance(event, SessionMoved) and event.was is None:
            week = _week_of(event.at_ms, edges)
            if week is not None:
                sessions[week] += 1
        for fact in follower.hears(event):
            week = _week_of(fact.at_ms, edges)
            if week is not None:
                facts[week].append(fact)
    made = [
        _week(edges[at], edges[at + 1], opened, found, budget)
        for at, (opened, found) in enumerate(zip(sessions, facts, strict=True))
    ]
    return tuple(reversed(made))


def _week_of(at_ms: int, edges: Sequence[int]) -> int | None:
    return next((at for at in range(len(edges) - 1) if edges[at] <= at_ms < edges[at + 1]), None)


def _week(from_ms: int, until_ms: int, sessions: int, facts: Sequence[Fact], budget: Budget) -> Week:
    total = Counter(fact.became for fact in facts)
    pages = sum(fact.became is Became.PAGED and fact.priority in DESERVE for fact in facts)
    judged = total[Became.ACTED_ON] + total[Became.UNANSWERED]
    share = total[Became.ACTED_ON] / judged if judged else None
    accepted = _answering(facts, Became.ACCEPTED)
    by = Counter(str(fact.by) for fact in facts if fact.became is Became.ACKNOWLEDGED and fact.by is not None)
    return Week(
        from_ms,
        until_ms,
        sessions,
        _conditions(facts, sessions),
        accepted,
        _answering(facts, Became.ACKNOWLEDGED),
        dict(by.most_common()),
        total[Became.PAGED],
        total[Became.PAGED_AGAIN],
        share,
        _targets(facts, sessions, pages, share, accepted, budget),
    )


def _conditions(facts: Sequence[Fact], sessions: int) -> tuple[ConditionWeek, ...]:
    """Every condition that was ever in breach, the most often raised first."""
    counts = Counter((fact.condition, fact.priority, fact.became) for fact in facts)
    lasted = Counter[tuple[str, Priority]]()
    for fact in facts:
        if fact.became is Became.ENDED:
            lasted[fact.condition, fact.priority] += fact.after_ms
    rows = {
        (condition, priority): ConditionWeek(
            condition,
            priority.name,
            (raised := counts[condition, priority, Became.RAISED]),
            raised / sessions if sessions else None,
            counts[condition, priority, Became.SELF_CLEARED],
            lasted[condition, priority] / 1_000,
            counts[condition, priority, Became.PAGED],
            counts[condition, priority, Became.ACTED_ON],
            counts[condition, priority, Became.UNANSWERED],
        )
        for condition, priority in {(fact.condition, fact.priority) for fact in facts}
    }
    often = sorted(
        rows.items(), key=lambda row: (-row[1].raised, -row[1].self_cleared, row[0][0], -row[0][1])
    )
    return tuple(row for _, row in often)


def _answering(facts: Sequence[Fact], became: Became) -> tuple[Answering, ...]:
    """Answering times by priority; a priority that nobody had to answer is left out."""
    made = []
    for priority in Priority:
        took_s = sorted(f.after_ms / 1_000 for f in facts if f.became is became and f.priority is priority)
        if took_s:
            made.append(
                Answering(
                    priority.name, len(took_s), median(took_s), took_s[math.ceil(0.95 * len(took_s)) - 1]
                )
            )
    return tuple(made)


def _targets(
    facts: Sequence[Fact],
    sessions: int,
    pages: int,
    share: float | None,
    accepted: Sequence[Answering],
    budget: Budget,
) -> tuple[Target, ...]:
    high = next((one for one in accepted if one.priority == Priority.HIGH.name), None)
    low = sum(fact.became is Became.PAGED and fact.priority is Priority.LOW for fact in facts)
    percent = None if share is None else 100 * share
    return (
        _most("pages_a_session", pages / sessions if sessions else None, budget.pages_a_session_max),
        _least("acted_on_percent", percent, budget.acted_on_percent_min),
        _most(
            "high_accepted_median_s",
            None if high is None else high.median_s,
            budget.high_accepted_median_s_max,
        ),
        _most("high_accepted_p95_s", None if high is None else high.p95_s, budget.high_accepted_p95_s_max),
        _most("low_pages", float(low) if facts else None, 0.0),
    )


def _most(name: str, value: float | None, bound: float) -> Target:
    return Target(name, value, bound, None if value is None else value <= bound)


def _least(name: str, value: float | None, bound: float) -> Target:
    return Target(name, value, bound, None if value is None else value >= bound)

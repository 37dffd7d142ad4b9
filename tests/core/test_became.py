"""What became of every alarm: told once each, with how long people took, and the same read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from monitor.alerts.became import Follower
from monitor.config.settings import Budget
from monitor.model import Priority, SessionMoved
from monitor.numbers import Became, Counters, Fact, Week
from monitor.treatment import Happening
from monitor.weekly import counted, edges_ms
from tests.core.shift import Shift

HOUR_S = 3_600
DAY_MS = 86_400_000
ZONE = "America/Phoenix"


def facts(events: Iterable[Happening]) -> list[Fact]:
    """All that became of alarms in these."""
    follower = Follower()
    return [fact for event in events for fact in follower.hears(event)]


def told(shift: Shift) -> list[tuple[Became, str, float]]:
    """The same of a shift, as (what, who, after seconds), of SpO2 only."""
    return [
        (fact.became, fact.by or "", fact.after_ms / 1_000)
        for fact in facts(shift.events)
        if fact.condition == "spo2-low" and fact.priority is Priority.HIGH
    ]


def falling() -> Shift:
    """Bed 3 falls below the severe bound and stays there."""
    shift = Shift()
    shift.hears("3", spo2=84, fresh_s=HOUR_S)
    return shift


def test_who_accepts_and_then_comes_has_acted_on_it_once() -> None:
    shift = falling()
    shift.waits(seconds=12)
    shift.accepts("dana")
    shift.waits(seconds=20)
    shift.acks("3", "spo2-low")
    shift.hears("3", spo2=97, fresh_s=HOUR_S)
    shift.waits(seconds=10)
    assert told(shift) == [
        (Became.RAISED, "", 0),
        (Became.PAGED, "", 0),
        (Became.ACCEPTED, "dana", 12),
        (Became.ACTED_ON, "", 0),
        (Became.ACKNOWLEDGED, "dana", 32),
        (Became.ENDED, "", 37),
    ]


@pytest.mark.shows("ALM-012")
def test_what_is_over_before_anybody_came_was_not_answered_and_is_seen_afterwards() -> None:
    shift = falling()
    shift.waits(seconds=5)
    shift.hears("3", spo2=97, fresh_s=HOUR_S)
    shift.waits(seconds=15)
    shift.acks("3", "spo2-low")
    assert [what for what, _, _ in told(shift)] == [
        Became.RAISED,
        Became.PAGED,
        Became.ENDED,
        Became.UNANSWERED,
        Became.ACKNOWLEDGED,
    ]


def test_a_breach_that_goes_within_its_delay_is_self_cleared_and_no_raise() -> None:
    shift = Shift()
    shift.hears("3", spo2=89, fresh_s=HOUR_S)
    shift.waits(seconds=4)
    shift.hears("3", spo2=97, fresh_s=HOUR_S)
    shift.waits(seconds=30)
    counts = Counter(fact.became for fact in facts(shift.events) if fact.condition == "spo2-low")
    assert counts[Became.SELF_CLEARED] >= 1
    assert counts[Became.RAISED] == 0


def test_nobody_answers_and_every_further_page_is_one_more_of_the_same_alarm() -> None:
    shift = falling()
    shift.waits(minutes=3)
    counts = Counter(what for what, _, _ in told(shift))
    assert counts[Became.PAGED] == 1
    assert counts[Became.PAGED_AGAIN] >= 3
    assert counts[Became.ACTED_ON] == counts[Became.UNANSWERED] == 0, "it is not over yet"


def test_machines_are_told_how_many_answers_kept_each_bound() -> None:
    shift = falling()
    shift.waits(seconds=42)
    shift.accepts("dana")
    counters = Counters()
    for fact in facts(shift.events):
        counters.took(fact)
    within = {
        bound: counters.within[Became.ACCEPTED, Priority.HIGH, bound] for bound in (10, 30, 45, 60, 600)
    }
    assert within == {10: 0, 30: 0, 45: 1, 60: 1, 600: 1}
    assert counters.seconds[Became.ACCEPTED, Priority.HIGH] == 42


# Weeks.


def weeks(shift: Shift, count: int = 2, *, after_days: int = 0) -> tuple[Week, ...]:
    """What the charge nurse is shown so many days after this shift."""
    now_ms = shift.now_ms + after_days * DAY_MS
    return counted(shift.events, edges_ms(ZONE, now_ms, count), Budget())


def answered() -> Shift:
    """One HIGH, accepted after 12 s and seen."""
    shift = falling()
    shift.waits(seconds=12)
    shift.accepts("dana")
    shift.acks("3", "spo2-low")
    shift.hears("3", spo2=97, fresh_s=HOUR_S)
    shift.waits(seconds=10)
    return shift


@pytest.mark.shows("ALM-012")
def test_a_week_has_its_alarms_by_condition_its_answers_and_its_budget() -> None:
    shift = answered()
    week = weeks(shift)[0]
    assert week.sessions == sum(isinstance(e, SessionMoved) and e.was is None for e in shift.events) == 1
    high = next(row for row in week.conditions if (row.condition, row.priority) == ("spo2-low", "HIGH"))
    assert (high.raised, high.a_session, high.paged, high.acted_on, high.unanswered) == (1, 1.0, 1, 1, 0)
    assert high.lasted_s == 17
    assert week.acknowledged_by == {"dana": sum(one.answers for one in week.acknowledged)}
    accepted = next(one for one in week.accepted if one.priority == "HIGH")
    assert (accepted.answers, accepted.median_s, accepted.p95_s) == (1, 12, 12)
    kept = {target.name: target.kept for target in week.targets}
    assert kept["high_accepted_median_s"]
    assert kept["acted_on_percent"]
    assert kept["low_pages"]


def test_the_week_after_has_nothing_and_judges_nothing() -> None:
    now, before = weeks(answered(), after_days=7)
    assert before.sessions == 1
    assert (now.sessions, now.conditions, now.acted_on_share) == (0, (), None)
    assert {target.kept for target in now.targets} == {None}


def test_a_target_that_is_missed_says_so() -> None:
    shift = falling()
    shift.waits(minutes=3)
    shift.hears("3", spo2=97, fresh_s=HOUR_S)
    shift.waits(seconds=10)
    share = next(target for target in weeks(shift)[0].targets if target.name == "acted_on_percent")
    assert (share.value, share.kept) == (0, False)


def test_weeks_begin_on_monday_in_the_clinics_own_zone_across_a_change_of_its_clocks() -> None:
    sunday_ms = 1_792_900_000_000  # 2026-10-25 03:46 UTC, the day on which Berlin's clocks go back
    first, second, third = edges_ms("Europe/Berlin", sunday_ms, 2)
    assert third - second == 7 * DAY_MS + 3_600_000
    assert second - first == 7 * DAY_MS

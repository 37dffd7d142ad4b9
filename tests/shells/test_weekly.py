"""The weeks of a clinic, from its journal, through the API and to machines."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx

from monitor.alerts.became import Follower
from monitor.model import Bed, Device, Quality, Reading, Vital
from monitor.numbers import Became, Counters
from monitor.weekly import Weeks
from tests.shells.played import Day, days, settings, stored
from tests.shells.treated_clinic import API, treating

LOW = Day(low=True)
QUIET = Day(seed=13, alias="green-4")


async def test_the_journal_says_what_was_said_live(tmp_path: Path) -> None:
    follower, live = Follower(), Counter[Became]()
    for _, events in days(LOW, QUIET):
        live.update(fact.became for event in events for fact in follower.hears(event))
    async with stored(tmp_path, LOW, QUIET) as store:
        end_ms = store.journal.last_at_ms or 0
        found = await Weeks(settings(tmp_path), store.journal, lambda: end_ms).numbers(4)
    assert sum(week.sessions for week in found.weeks) == 3, "the neighbour's is one of the clinic's"
    rows = [row for week in found.weeks for row in week.conditions]
    assert sum(row.raised for row in rows) == live[Became.RAISED] > 0
    assert sum(row.self_cleared for row in rows) == live[Became.SELF_CLEARED]
    assert sum(week.pages for week in found.weeks) == live[Became.PAGED]
    assert sum(row.acted_on for row in rows) == live[Became.ACTED_ON]


async def test_who_leads_sees_the_weeks_a_nurse_does_not_and_machines_are_told_the_counts(
    tmp_path: Path,
) -> None:
    async with (
        treating(tmp_path / "data") as clinic,
        clinic.browser() as dana,
        clinic.browser("carla") as carla,
    ):
        await dana.opens()
        now_ms = clinic.clock.now_ms()
        low = Reading(
            now_ms, Bed("3"), Device("monitor-3"), Vital.SPO2, 80, Quality.VALID, None, now_ms + 60_000
        )
        await clinic.hears(low)
        assert (await dana.client.get(f"{API}/numbers")).status_code == 403, "a nurse"
        answer = await carla.client.get(f"{API}/numbers?weeks=3")
        assert answer.status_code == 200, answer.text
        newest, *older = answer.json()["weeks"]
        assert (newest["sessions"], len(older)) == (1, 2)
        raised = {(row["condition"], row["priority"]): row["raised"] for row in newest["conditions"]}
        assert raised
        assert next(target["name"] for target in newest["targets"]) == "pages_a_session"
        for wrong in ("0", "54", "x"):
            assert (await carla.client.get(f"{API}/numbers?weeks={wrong}")).status_code == 422
        async with httpx.AsyncClient(base_url=clinic.origin) as machine:
            text = (await machine.get("/metrics")).text
        for (condition, priority), count in raised.items():
            assert (
                f'chairside_alarms_raised_total{{condition="{condition}",priority="{priority}"}} {count}'
                in text
            )


def test_counters_name_nobody() -> None:
    counters, follower = Counters(), Follower()
    for _, events in days(LOW):
        for event in events:
            for fact in follower.hears(event):
                counters.took(fact)
    assert counters.counts
    assert not {part for key in counters.counts for part in key if part in {"dana", "blue-17", "Bed 3"}}

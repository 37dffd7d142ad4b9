"""The service is killed, again and again, while a HIGH climbs the ladder and nobody answers.

What was written down stands; what was owed is done; and nothing is said twice as if it were new. The instants
of the kills are drawn from a seed that a failing test prints (`CHAIRSIDE_SEED` sets it, `CHAIRSIDE_KILLS` how
many kills there are).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.whole.clinic import FALLEN, QUICK_CHAIN, Clinic, Gateway, Wire, now_ms, open_clinic, until

pytestmark = pytest.mark.real

KILLS = int(os.environ.get("CHAIRSIDE_KILLS", "10"))
SEED = int(os.environ.get("CHAIRSIDE_SEED", "20261123"))
BACK_WITHIN_MS = 10_000
"""T6: an active HIGH is active again within 10 s of the start, under the same id."""
LATEST_KILL_S = 2.0
"""A rung of the ladder is as long: kills fall before, at and after each of them."""
RUNG_MS = 2_000


@dataclass
class Story:
    """What was seen of one alarm over all the kills."""

    seed: int = SEED
    alarm_ids: list[int] = field(default_factory=list)
    back_after_ms: list[int] = field(default_factory=list)
    outages: list[tuple[int, int]] = field(default_factory=list)
    """(killed, showing the alarm again), in wall-clock ms."""

    def was_down(self, at_ms: int, until_ms: int) -> bool:
        """Whether some of this time was part of an outage."""
        return any(down <= until_ms and at_ms <= up for down, up in self.outages)


async def back_again(clinic: Clinic, story: Story, killed_ms: int) -> dict[str, Any]:
    """Start the service after a kill, and note how long the alarm was away."""
    started_ms = now_ms()
    await clinic.start()
    async with await clinic.screen() as screen:
        alarm = await screen.until(lambda: screen.alarm("spo2-low", states=("active", "acked")))
    story.back_after_ms.append(now_ms() - started_ms)
    story.outages.append((killed_ms, now_ms()))
    story.alarm_ids.append(alarm["alarm_id"])
    return alarm


def rows(journal: list[dict[str, Any]], kind: str, alarm_id: int) -> list[dict[str, Any]]:
    """The rows of one kind that belong to an alarm."""
    return [row for row in journal if row["kind"] == kind and row["body"]["alarm_id"] == alarm_id]


@pytest.mark.shows("ALM-047", "ALM-094", "HZ-11")
@pytest.mark.timeout(60 + 20 * KILLS)
async def test_killed_at_any_instant_the_ward_goes_on_where_it_was(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    """F01 to F03, T6: the same alarm, every step in time, no page under two names, a whole journal."""
    dice = random.Random(SEED)  # noqa: S311  when to kill, no secret
    story = Story()
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire], gateway=gateway, chain=QUICK_CHAIN) as clinic:
        await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
        async with await clinic.screen() as screen:
            await clinic.open_session("1")
            alarm = await screen.until(lambda: screen.alarm("spo2-low"))
            story.alarm_ids.append(alarm["alarm_id"])
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0, LATEST_KILL_S))  # the instant of the kill
            killed_ms = now_ms()
            clinic.running.kill()
            if dice.random() < 0.25:
                # Killed once more while it starts: nobody has even been shown anything yet.
                await clinic.start(ready=False)
                await asyncio.sleep(dice.uniform(0, LATEST_KILL_S))
                clinic.running.kill()
            assert "the chain is whole" in clinic.verify(), story
            alarm = await back_again(clinic, story, killed_ms)
            assert alarm["state"] == "active", story
        await acknowledged_and_killed(clinic, story, alarm["alarm_id"], dice)
        owed = {p["page_id"] for p in (await clinic.get("/pages"))["pages"]}
        await gateway.until(lambda: owed <= {m.body["page_id"] for m in gateway.pages})
        journal = clinic.journal()
    assert len(set(story.alarm_ids)) == 1, story
    assert max(story.back_after_ms) <= BACK_WITHIN_MS, story
    every_step_came_in_time(journal, story)
    no_page_had_two_names(journal, gateway, story)


async def acknowledged_and_killed(clinic: Clinic, story: Story, alarm_id: int, dice: random.Random) -> None:
    """What was acknowledged stays quiet over kills, until the acknowledgement is over."""
    taken = await clinic.act(f"/alarms/{alarm_id}/acknowledge")
    assert taken == {"recorded": True}
    clinic.running.kill()
    for _ in range(2):
        acked = await back_again(clinic, story, now_ms())
        assert acked["state"] == "acked", story
        assert acked["ack_until_ms"] - acked["acked_at_ms"] == 120_000, story
        await asyncio.sleep(dice.uniform(0, 1))
        clinic.running.kill()
    await back_again(clinic, story, now_ms())
    journal = clinic.journal()
    [acked_row] = rows(journal, "Acked", alarm_id)
    after = [row for row in journal if row["seq"] > acked_row["seq"]]
    assert rows(after, "PageOrdered", alarm_id) == [], story
    moves = [row["body"] for row in rows(after, "AlarmMoved", alarm_id)]
    assert [move["now"] for move in moves] == ["acked"], story


def every_step_came_in_time(journal: list[dict[str, Any]], story: Story) -> None:
    """No step is skipped, none is early, and late only as long as there was nobody to send it."""
    orders = [row["body"] for row in rows(journal, "PageOrdered", story.alarm_ids[0])]
    sent = list(dict.fromkeys((order["step"], order["at_ms"]) for order in orders))
    assert [step for step, _ in sent] == list(range(len(sent))), (sent, story)
    for (_, before_ms), (step, at_ms) in itertools.pairwise(sent):
        # The ladder's own rungs count from the start, its repeats from the last one.
        due_ms = sent[0][1] + step * RUNG_MS if step < 4 else before_ms + RUNG_MS
        assert at_ms >= min(due_ms, before_ms + RUNG_MS), (sent, story)
        assert at_ms - due_ms <= 1_000 or story.was_down(due_ms, at_ms), (sent, story)


def no_page_had_two_names(journal: list[dict[str, Any]], gateway: Gateway, story: Story) -> None:
    """One step to one person is one page, however often it is sent; and every one was sent."""
    orders = [row["body"] for row in rows(journal, "PageOrdered", story.alarm_ids[0])]
    named: dict[tuple[int, str], int] = {}
    for order in orders:
        assert named.setdefault((order["step"], order["to"]), order["page_id"]) == order["page_id"], story
    for message in gateway.pages:
        body = message.body
        assert named[(body["step"], body["to"])] == body["page_id"], (body, story)
    assert {m.body["page_id"] for m in gateway.pages} == set(named.values()), story


async def test_a_page_whose_sender_was_killed_before_the_answer_goes_out_again_under_the_same_name(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire], gateway=gateway) as clinic:
        await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
        gateway.answering.clear()
        gateway.on_page = lambda _: clinic.running.kill()
        await clinic.open_session("1")
        [first] = await gateway.until(lambda: gateway.pages)
        gateway.on_page = lambda _: None
        gateway.answering.set()
        await clinic.start()
        again = await gateway.until(lambda: gateway.pages[1:])
        assert again[0].body == first.body
        async with await clinic.screen() as screen:
            page = await screen.until(lambda: next((p for p in screen.pages.values() if p["outcomes"]), None))
            assert page["page_id"] == first.body["page_id"]
            assert [o["outcome"] for o in page["outcomes"]] == ["sent"]
            assert len({m.body["page_id"] for m in gateway.pages}) == 1


async def test_told_to_stop_it_ends_at_once_with_screens_open_and_nothing_to_complain_of(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    wire = Wire("oximeter", "masimo-ascii1", "1", str(tmp_path / "ttyUSB0"))
    async with open_clinic(tmp_path, accounts, [wire], gateway=gateway) as clinic:
        async with await clinic.screen() as one, await clinic.screen() as other:
            assert await clinic.running.stop() == 0
            await until(lambda: one.ended and other.ended)
        log = (clinic.folder / "service.log").read_text("utf-8")
        assert "timeout graceful shutdown exceeded" not in log, "it waited for a stream, which has no end"
        assert "Traceback" not in clinic.running.said

"""A page on its way: to the right person at the right time, and on to the next if that person does not come.

A real service, a real gateway, and nobody's clock but theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.whole.clinic import FALLEN, QUICK_CHAIN, Clinic, Gateway, Screen, Wire, open_clinic

pytestmark = pytest.mark.real


@contextlib.asynccontextmanager
async def fallen(
    folder: Path, accounts: Path, gateway: Gateway, speed: float = 1.0, **more: Any
) -> AsyncIterator[tuple[Clinic, Screen]]:
    """A clinic with one patient whose saturation is 80, and a screen that shows it."""
    port = folder / "ttyUSB0"
    story = folder / "fallen.toml"
    story.write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(folder, accounts, [wire], speed, gateway=gateway, **more) as clinic:
        await clinic.simulate("masimo-ascii1", f"pty:{port}", str(story), "--speed", str(speed))
        async with await clinic.screen() as screen:
            await clinic.open_session("1")
            await screen.until(lambda: screen.alarm("spo2-low"))
            yield clinic, screen


@pytest.mark.shows("HZ-03")
async def test_a_page_nobody_answers_climbs_the_ladder_in_time(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with fallen(tmp_path, accounts, gateway, chain=QUICK_CHAIN):
        await gateway.until(lambda: [m for m in gateway.pages if m.body["step"] == 4])
    began_ms = gateway.pages[0].body["ordered_at_ms"]
    for message in gateway.pages:
        due_ms = began_ms + 2_000 * message.body["step"]
        assert 0 <= message.body["ordered_at_ms"] - due_ms <= 1_000, message.body
        assert 0 <= message.at_ms - message.body["ordered_at_ms"] <= 1_000, message.body
    by_step = {step: {m.body["to"] for m in gateway.pages if m.body["step"] == step} for step in range(4)}
    assert by_step == {
        0: {"dana"},
        1: {"sam"},
        2: {"dana", "sam", "lee", "ida"},
        3: {"dana", "sam", "lee", "ida"},
    }
    assert all(message.signed for message in gateway.messages)


@pytest.mark.shows("ALM-054", "HZ-03")
async def test_a_page_that_is_rejected_goes_to_the_next_at_once(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with fallen(tmp_path, accounts, gateway) as (clinic, _):
        [first] = await gateway.until(lambda: gateway.pages)
        await clinic.act(f"/pages/{first.body['page_id']}/reject", {"why": "in another room"})
        second = await gateway.until(lambda: next((m for m in gateway.pages if m.body["step"] == 1), None))
        assert second.body["to"] == "sam"
        assert second.body["why"] == "the person paged cannot go"
        answered_ms = (await clinic.get("/pages"))["pages"][-1]["answered_at_ms"]
        assert second.body["ordered_at_ms"] == answered_ms
        assert second.at_ms - answered_ms <= 1_000


async def test_who_accepts_stops_the_ladder_and_who_acknowledges_ends_and_recalls_it(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with fallen(tmp_path, accounts, gateway, chain=QUICK_CHAIN) as (clinic, screen):
        second = await gateway.until(lambda: next((m for m in gateway.pages if m.body["step"] == 1), None))
        await clinic.act(f"/pages/{second.body['page_id']}/accept", who="sam")
        accepted = await screen.until(
            lambda: (alarm := screen.alarm("spo2-low")) and alarm["accepted_by"] == "sam" and alarm
        )
        # The next page is the one for somebody who has said yes and has not come.
        assert accepted["next_page_at_ms"] - second.body["ordered_at_ms"] > 100_000
        assert [m.body["step"] for m in gateway.pages] == [0, 1]
        refused = await clinic.ask("POST", f"/pages/{second.body['page_id']}/accept")
        assert refused.status_code == 403
        taken = await clinic.act(f"/alarms/{accepted['alarm_id']}/acknowledge", who="sam")
        assert taken == {"recorded": True}
        await screen.until(lambda: screen.alarm("spo2-low", states=("acked",)))
        await gateway.until(lambda: len(gateway.overs) >= 2)
        assert {m.body["page_id"] for m in gateway.overs} == {m.body["page_id"] for m in gateway.pages}
        again = await clinic.ask("POST", f"/alarms/{accepted['alarm_id']}/acknowledge", who="lee")
        assert again.status_code == 409
        assert {"sam", "acknowledged"} <= set(again.json()["detail"].split())


@pytest.mark.shows("ALM-002", "ALM-080", "HZ-03")
async def test_a_gateway_that_is_down_means_the_next_at_once_and_a_HIGH_on_every_screen_after_30_seconds(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    await gateway.close()
    async with fallen(tmp_path, accounts, gateway, speed=5) as (clinic, screen):
        down = await screen.until(lambda: screen.alarm("paging-down", bed=""))
        pages = sorted((await clinic.get("/pages"))["pages"], key=lambda page: page["page_id"])
        first, second = pages[0], pages[1]
        assert first["outcomes"][0]["outcome"] == "failed"
        assert first["outcomes"][0]["why"] == "the gateway cannot be reached"
        assert (second["step"], second["why"]) == (1, "the last page could not be delivered")
        assert second["ordered_at_ms"] == first["outcomes"][0]["at_ms"]
        assert 30_000 <= down["raised_at_ms"] - first["ordered_at_ms"] <= 32_000
        # It comes back: what is ordered next arrives, and the alarm about paging is over.
        await gateway.open()
        await gateway.until(lambda: gateway.pages)
        await screen.until(lambda: screen.alarm("paging-down", states=("latched",)))


async def test_a_gateway_that_hangs_or_refuses_counts_as_no_answer_and_its_late_yes_is_noted(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    gateway.answering.clear()
    async with fallen(tmp_path, accounts, gateway) as (_, screen):
        page = await screen.until(lambda: next((p for p in screen.pages.values() if p["outcomes"]), None))
        assert page["outcomes"][0]["outcome"] == "timed out"
        assert page["outcomes"][0]["at_ms"] - page["ordered_at_ms"] >= 2_000
        gateway.status = "503 Service Unavailable"
        await gateway.until(lambda: [m for m in gateway.pages if m.body["step"] == 1])
        gateway.status = "200 OK"
        gateway.answering.set()
        await screen.until(
            lambda: [o["outcome"] for o in screen.pages[page["page_id"]]["outcomes"]] == ["timed out", "sent"]
        )

"""A page on its way: to the right person at the right time, and on to the next if that person does not come.

A real service, a real gateway, and nobody's clock but theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.whole.clinic import (
    FALLEN,
    PATIENCE_S,
    PEOPLE,
    QUICK_CHAIN,
    Clinic,
    Gateway,
    Screen,
    Wire,
    open_clinic,
)

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


UNWATCHED = """
[dead_man]
url = "http://127.0.0.1:9/ping"
every_s = 5
"""
"""Nobody answers where the dead man's switch knocks."""

LINKED = """
[paging.link]
address = "http://127.0.0.1:9"
secret = "a secret of at least thirty-two letters"
"""


@pytest.mark.shows("ALM-082", "ALM-083", "HZ-03")
async def test_a_test_page_goes_to_everybody_and_its_link_answers_it_once_also_after_a_crash(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with open_clinic(tmp_path, accounts, beds=["1"], gateway=gateway, more=LINKED) as clinic:
        await clinic.act("/duty/test")
        pages = await gateway.until(lambda: gateway.pages if len(gateway.pages) == len(PEOPLE) else None)
        assert {m.body["why"] for m in pages} == {"a test of the paging"}
        assert {m.body["text"] for m in pages} == {"Clinic: Test page. Open Chairside."}
        links = {m.body["to"]: m.body["link"].partition("#")[2] for m in pages}
        phone = httpx.AsyncClient(base_url=clinic.url, headers={"Origin": clinic.url}, trust_env=False)
        opened = await phone.post("/api/v1/link", json={"token": links["sam"]})
        page_id = opened.json()["page_id"]
        phone.cookies.jar.clear()
        phone.headers["Cookie"] = opened.headers["set-cookie"].partition(";")[0]
        assert (await phone.post(f"/api/v1/pages/{page_id}/accept")).status_code == 200
        people = {one["staff"]: one for one in (await clinic.get("/duty"))["test"]["people"]}
        assert (people["sam"]["reach"], people["dana"]["reach"]) == ("answered", "waiting")
        assert 0 <= people["sam"]["took_ms"] < PATIENCE_S * 1_000
        shown = (await phone.get(f"/api/v1/pages/{page_id}")).json()["pages"][0]
        assert {o["outcome"] for o in shown["outcomes"]} == {"sent", "read"}
        assert shown["over"]
        clinic.running.kill()
        await clinic.start()
        again = await phone.post("/api/v1/link", json={"token": links["sam"]})
        assert (again.status_code, again.json()["detail"]) == (
            410,
            "This link has been used. Sign in to see your pages.",
        )
        assert (await phone.get(f"/api/v1/pages/{page_id}")).status_code == 200, "the cookie still carries on"
        await phone.aclose()


@pytest.mark.shows("ALM-080", "ALM-082", "HZ-03")
async def test_ALM_082_a_gateway_that_is_down_is_a_HIGH_before_there_is_any_page(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with (
        open_clinic(
            tmp_path, accounts, beds=["1"], gateway=gateway, heartbeat_s=0.2, more=UNWATCHED
        ) as clinic,
        await clinic.screen() as screen,
    ):
        assert screen.alarm("paging-down", bed="") is None
        await screen.until(lambda: screen.parts.get("watcher", {"ok": True})["ok"] is False)
        await gateway.close()
        down = await screen.until(lambda: screen.alarm("paging-down", bed=""))
        assert (down["priority"], down["technical"]) == ("HIGH", True)
        assert "gateway: cannot be reached" in (await clinic.get("/status"))["paging_why"]
        assert gateway.messages == []
        await gateway.open()
        await screen.until(lambda: screen.alarm("paging-down", bed="", states=("latched",)))


@pytest.mark.shows("HZ-03")
async def test_who_goes_off_duty_leaves_beds_and_open_pages_to_the_next(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with fallen(tmp_path, accounts, gateway) as (clinic, _):
        await gateway.until(lambda: gateway.pages)
        await clinic.act("/duty/hand-over", {"was": "dana", "to": "sam"})
        taken = await gateway.until(lambda: next((m for m in gateway.pages if m.body["to"] == "sam"), None))
        assert taken.body["why"] == "whoever had this page has handed over"
        over = await gateway.until(lambda: gateway.overs)
        assert [(m.body["to"], m.body["text"]) for m in over] == [
            ("dana", "Bed 1: somebody else has this now.")
        ]
        duty = await clinic.get("/duty")
        assert "dana" not in duty["on"]
        assert {each["staff"] for each in duty["beds"]} == {"sam"}

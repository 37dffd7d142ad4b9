"""A treatment in the real service, looked at in a real browser: tile, Bed, sessions, form and files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from monitor.planning import treatment
from monitor.sessions.loading import digest
from tests.whole.clinic import Clinic, Gateway, Wire, now_ms, open_clinic
from tests.whole.test_nurse import SOON_MS, browser, sign_in  # noqa: F401  the fixture is found by name

pytestmark = pytest.mark.real

SPEED = 20.0
THERAPY = "spravato_us"


def signed(by: str) -> str:
    """What stands in clinic.toml once a prescriber has signed what ships."""
    mark = digest(treatment(THERAPY))
    return f'[therapies.{THERAPY}.signature]\nby = "{by}"\non = 2026-05-01\ndigest = "{mark}"\n'


async def moved(clinic: Clinic, session: int, kind: str, **more: object) -> None:
    """A move that is taken."""
    await clinic.act(f"/sessions/{session}/moves", {"kind": kind, **more})


async def treated(clinic: Clinic) -> dict[str, Any]:
    """The treatment at bed 1 as it stands."""
    found: dict[str, Any] = (await clinic.get("/beds/1"))["bed"]["treatment"]
    return found


async def soon(clinic: Clinic, true: Callable[[dict[str, Any]], bool]) -> None:
    """Ask again until this is true of the treatment."""
    began_ms = now_ms()
    while not true(now := await treated(clinic)):
        assert now_ms() - began_ms < SOON_MS, now["moves"]


async def dosed(clinic: Clinic) -> int:
    """A nasal session up to its first device; the number of the session."""
    body = {"bed": "1", "alias": "blue-17", "therapy": THERAPY, "age_years": 41, "devices": 2, "first": False}
    session: int = (await clinic.act("/sessions", body))["session"]
    for one in (await treated(clinic))["questions"]:
        yes = one["kind"] in {"must", "confirm"} or one["question"] == "stimulants"
        await moved(clinic, session, "answer", question=one["question"], yes=yes, note="")
    await moved(clinic, session, "checked_in")
    for score, value in (("moaas", 5), ("oriented", 3)):
        await moved(clinic, session, "score", score=score, value=value)
    await clinic.act("/beds/1/vitals", {"kind": "respiration", "per_min": 14})
    await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 122, "diastolic_mmhg": 76})

    await soon(clinic, lambda now: (now["baseline"]["next_at_ms"] or 0) <= now["at_ms"])
    await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 124, "diastolic_mmhg": 78})
    await soon(clinic, lambda now: any(m["kind"] == "device" and not m["missing"] for m in now["moves"]))
    await moved(clinic, session, "device", number=1, lot="24B1", expires="2099-05-31", last=False)
    return session


async def test_a_treatment_is_on_the_floor_on_its_bed_and_in_its_records(
    tmp_path: Path,
    accounts: Path,
    gateway: Gateway,
    browser: Browser,  # noqa: F811  the fixture
) -> None:
    port = tmp_path / "ttyUSB0"
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway, more=signed("ida")) as clinic:
        await clinic.simulate("masimo-ascii1", f"pty:{port}", "N0", "--speed", str(SPEED))
        session = await dosed(clinic)
        page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await sign_in(page, clinic.url)

        tile = page.locator("article.tile")
        await expect(tile.locator(".where")).to_contain_text(re.compile(r"Dosing.*Nasal · dana.*Stimulant"))
        await expect(tile.locator(".ring")).to_have_attribute(
            "aria-label", re.compile("minutes since the start of the drug")
        )
        await tile.locator("h2 a").click()
        await expect(page.locator("#bar .where")).to_contain_text("blue-17 · Nasal 56 mg")
        await expect(page.locator(".steps")).to_contain_text("123/77 from 2 readings")
        await expect(page.locator(".steps [aria-current='step']")).to_contain_text("Dosing")

        await page.goto(f"{clinic.url}/sessions")
        row = page.locator(".sessions > li")
        await expect(row).to_contain_text("blue-17", timeout=SOON_MS)
        await expect(row).to_contain_text("Form due in 7 days")
        for link in await row.locator(".files a").all():
            path = str(await link.get_attribute("href"))
            answer = await page.request.get(f"{clinic.url}{path}")
            assert answer.status == 200, f"{path}: {await answer.text()}"
        await row.locator(".form-due a").click()
        await expect(page.locator(".not-official")).to_contain_text("This is not the official form.")
        rems = page.locator(".rems")
        await expect(rems).to_contain_text(re.compile(r"12\d/7\d"))
        await expect(rems).to_contain_text("24B1")
        await expect(rems.locator("[data-state='missing']").first).to_be_visible()

        await page.goto(f"{clinic.url}/admin")
        await page.get_by_role("button", name="Judge the last 20").click()
        await expect(page.locator(".whatif")).to_contain_text(
            re.compile("may not|must be|role", re.IGNORECASE)
        )
        await page.goto(f"{clinic.url}/bed/{session}0")
        await expect(page.locator("#trends")).to_contain_text("There is no such bed.", timeout=SOON_MS)
        assert broken == []

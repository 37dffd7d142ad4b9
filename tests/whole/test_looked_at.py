"""A treatment in the real service, looked at in a real browser: tile, Bed, sessions, form and files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.whole.clinic import Clinic, Gateway, Wire, open_clinic, until
from tests.whole.test_clinic_treatment import THERAPY, move, signed
from tests.whole.test_nurse import SOON_MS, browser, sign_in  # noqa: F401  the fixture is found by name

pytestmark = pytest.mark.real

SPEED = 20.0
MINUTE_S = 60 / SPEED


async def treated(clinic: Clinic) -> dict[str, Any]:
    """The treatment at bed 1 as it stands."""
    found: dict[str, Any] = (await clinic.get("/beds/1"))["bed"]["treatment"]
    return found


async def may(clinic: Clinic, kind: str) -> None:
    """Wait until nothing is missing for this move."""

    def possible(now: dict[str, Any]) -> bool:
        return any(one["kind"] == kind and not one["missing"] for one in now["moves"])

    for _ in range(300):
        if possible(await treated(clinic)):
            return
        await until(lambda: True)
        await clinic.get("/status")
    raise AssertionError(f"{kind} is never possible: {(await treated(clinic))['moves']}")


async def dosed(clinic: Clinic) -> int:
    """A nasal session up to its first device; the number of the session."""
    body = {"bed": "1", "alias": "blue-17", "therapy": THERAPY, "age_years": 41, "devices": 2, "first": False}
    session: int = (await clinic.act("/sessions", body))["session"]
    for one in (await treated(clinic))["questions"]:
        yes = one["kind"] in {"must", "confirm"} or one["question"] == "stimulants"
        assert (await move(clinic, session, "answer", question=one["question"], yes=yes, note="")).is_success
    assert (await move(clinic, session, "checked_in")).is_success
    for score, value in (("moaas", 5), ("oriented", 3)):
        assert (await move(clinic, session, "score", score=score, value=value)).is_success
    await clinic.act("/beds/1/vitals", {"kind": "respiration", "per_min": 14})
    await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 122, "diastolic_mmhg": 76})

    async def second() -> bool:
        next_at_ms = (await treated(clinic))["baseline"]["next_at_ms"]
        return next_at_ms is None or (await clinic.get("/status"))["at_ms"] >= next_at_ms

    while not await second():
        pass
    await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 124, "diastolic_mmhg": 78})
    await may(clinic, "device")
    given = {"number": 1, "lot": "24B1", "expires": "2099-05-31", "last": False}
    answer = await move(clinic, session, "device", **given)
    assert answer.is_success, answer.text
    return session


async def test_a_treatment_is_on_the_floor_on_its_bed_and_in_its_records(
    tmp_path: Path,
    accounts: Path,
    gateway: Gateway,
    browser: Browser,  # noqa: F811  the fixture
) -> None:
    port = tmp_path / "ttyUSB0"
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(
        tmp_path, accounts, [wire], SPEED, gateway=gateway, more=signed(THERAPY, "ida")
    ) as clinic:
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

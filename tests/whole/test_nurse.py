"""One evening as a nurse lives it, in a real browser: sign in, see it, go, be there, and a service that dies.

The browser is Debian's Chromium, the monitor a simulated Masimo on a pseudo-terminal, everything between them
the real thing.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import ARGS
from tests.whole.clinic import FALLEN, PASSWORD, Clinic, Gateway, Wire, open_clinic

pytestmark = pytest.mark.real

SOON_MS = 20_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "Chromium is needed: apt-get install -y --no-install-recommends chromium"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found, args=ARGS)
        yield chromium
        await chromium.close()


@contextlib.asynccontextmanager
async def one_bed(folder: Path, accounts: Path, gateway: Gateway) -> AsyncIterator[Clinic]:
    """A clinic of one bed whose patient will be found at a saturation of 80."""
    port = folder / "ttyUSB0"
    story = folder / "fallen.toml"
    story.write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(folder, accounts, [wire], gateway=gateway) as clinic:
        await clinic.simulate("masimo-ascii1", f"pty:{port}", str(story))
        yield clinic


async def sign_in(page: Page, url: str) -> None:
    """As a nurse does it: name, password, press."""
    await page.goto(f"{url}/signin")
    await page.get_by_label("Name").fill("dana")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#beds")).to_be_visible(timeout=SOON_MS)


async def test_a_nurse_sees_it_goes_is_there_and_finds_it_as_it_was_after_a_crash(
    tmp_path: Path, accounts: Path, gateway: Gateway, browser: Browser
) -> None:
    async with one_bed(tmp_path, accounts, gateway) as clinic:
        page = await (await browser.new_context()).new_page()
        outside: list[str] = []
        page.on("request", lambda request: outside.append(request.url))
        await sign_in(page, clinic.url)
        tile = page.locator("article.tile")
        await expect(tile).to_contain_text("Empty")

        await clinic.open_session("1")
        await expect(tile).to_have_attribute("data-priority", "high", timeout=SOON_MS)
        await expect(tile.locator("div.line")).to_contain_text(re.compile(r"SpO\S* 80 < 90"))
        await expect(page).to_have_title(re.compile(r"^\*\*\* Bed 1"))
        await expect(page.locator("[role=alert]")).to_contain_text("Bed 1")

        # Her phone: "I go".
        await gateway.until(lambda: [m for m in gateway.pages if m.body["to"] == "dana"])
        phone = await page.context.new_page()
        await phone.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        await phone.goto(f"{clinic.url}/pages/{gateway.pages[0].body['page_id']}")
        await phone.get_by_role("button", name="I go", exact=True).click()
        await expect(phone.get_by_role("button", name="I am at the bed")).to_be_visible(timeout=SOON_MS)
        await expect(tile).to_contain_text("is going", timeout=SOON_MS)
        await phone.close()

        # At the bed: acknowledged, and the light stands still.
        await tile.locator("h2 a").click()
        await page.get_by_role("button", name="Acknowledge at bed").click()
        await expect(page.get_by_role("button", name="Acknowledge at bed")).to_have_count(0, timeout=SOON_MS)
        await gateway.until(lambda: gateway.overs)
        await page.goto(clinic.url)
        await expect(tile).to_have_attribute("data-held", "acked", timeout=SOON_MS)
        held = (await clinic.get("/alarms"))["alarms"]

        # The service dies. The screen says so, the digits go; it comes back as it was.
        clinic.running.kill()
        await expect(page.get_by_text(re.compile("^Not connected since"))).to_be_visible(timeout=SOON_MS)
        await expect(tile.locator("dd.digits").first).to_contain_text("––", timeout=SOON_MS)
        await clinic.start()
        await expect(tile.locator("dd.digits").first).to_contain_text("80", timeout=SOON_MS)
        again = (await clinic.get("/alarms"))["alarms"]
        assert [(a["alarm_id"], a["state"], a["acked_by"]) for a in again if a["rule"] == "spo2-low"] == [
            (a["alarm_id"], a["state"], a["acked_by"]) for a in held if a["rule"] == "spo2-low"
        ]
        await expect(tile).to_have_attribute("data-held", "acked", timeout=SOON_MS)
        assert all(url.startswith((clinic.url, "data:", "blob:")) for url in outside), outside


async def test_a_new_patient_on_the_bed_shows_nothing_of_the_last(
    tmp_path: Path, accounts: Path, gateway: Gateway, browser: Browser
) -> None:
    async with one_bed(tmp_path, accounts, gateway) as clinic:
        page = await (await browser.new_context()).new_page()
        await sign_in(page, clinic.url)
        tile = page.locator("article.tile")
        first = await clinic.open_session("1", alias="Heron")
        await expect(tile).to_have_attribute("data-priority", "high", timeout=SOON_MS)
        # The monitor is switched off, so that whatever a number showed would be the last patient's.
        await clinic.stop_simulators()
        for alarm in (await clinic.get("/alarms"))["alarms"]:
            await clinic.ask("POST", f"/alarms/{alarm['alarm_id']}/acknowledge")
        await clinic.act(f"/sessions/{first}/moves", {"kind": "close"})
        await expect(tile).to_contain_text("Empty", timeout=SOON_MS)
        await clinic.open_session("1", alias="Otter")
        await expect(tile.locator("dd.digits").first).to_contain_text("––", timeout=SOON_MS)
        await expect(tile).not_to_contain_text("80")
        await tile.locator("h2 a").click()
        await expect(page.locator("body")).to_contain_text("Otter", timeout=SOON_MS)
        await expect(page.locator("body")).not_to_contain_text("Heron")

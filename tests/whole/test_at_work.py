"""A whole nasal session and a whole infusion: real monitors, the real service, and a nurse in a browser.

Two hours go by in two minutes. Her taps are counted and printed; no number is typed but the digits of a PIN.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, async_playwright

from monitor.planning import treatment
from monitor.sessions.loading import digest
from simulators.play import Part, Plan
from tests.browser.conftest import ARGS
from tests.whole.at_work import PIN, Nurse
from tests.whole.clinic import PASSWORD, PEOPLE, SMALLEST, Clinic, Wire, command, open_clinic

pytestmark = [pytest.mark.torture, pytest.mark.timeout(420)]

SPEED = 60
TAPS_MAX = 40
"""For one session, from the first question to the close."""
DAY_MAX_S = 240.0

NASAL, IV = "1", "2"
BEDS = {NASAL: "N0-ESK", IV: "N0"}
BEFORE_S = 1_500
"""So long before the drug the patients come."""

DEVICE = "]d2010035045802802817{expires}10{lot}\x1d21{serial}"
DOSE = "72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h"


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everybody with a password and a PIN, added as a technician adds them."""
    folder = tmp_path_factory.mktemp("staff")
    config = folder / "clinic.toml"
    config.write_text(SMALLEST, "utf-8")
    for name, role in {**PEOPLE, "amy": "administrator"}.items():
        adding = ("user", "add", name, "--role", role, "--config", str(config), "--password-stdin")
        code, _, complaint = command(*adding, given=f"{PASSWORD}\n{PIN}\n")
        assert code == 0, complaint
    return folder / "data" / "accounts.sqlite3"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "Chromium is needed: apt-get install -y --no-install-recommends chromium"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found, args=ARGS)
        yield chromium
        await chromium.close()


def signed() -> str:
    """The shipped therapies, signed by the prescriber of the clinic."""
    tables = []
    for name in ("spravato_us", "iv_ketamine_40"):
        mark = digest(treatment(name))
        tables.append(f'[therapies.{name}.signature]\nby = "ida"\non = "2026-11-01"\ndigest = "{mark}"')
    return "\n".join(tables)


def monitors(folder: Path) -> tuple[list[Wire], list[Part]]:
    """Beside each bed a monitor for the continuous vitals and a cuff that can be started."""
    wires, parts = [], []
    for bed, scenario in BEDS.items():
        for driver, name, options in (("ivy-ansarb", "monitor", {"cycle_s": 0}), ("suntech", "cuff", {})):
            port = folder / f"{name}-{bed}"
            wires.append(Wire(f"{name}-{bed}", driver, bed, str(port)))
            parts.append(
                Part(
                    driver=driver,
                    link=f"pty:{port}",
                    scenario=scenario,
                    seed=10 + int(bed),
                    start_s=-BEFORE_S,
                    options=options,
                )
            )
    return wires, parts


@contextlib.contextmanager
def played(folder: Path, parts: list[Part]) -> Iterator[subprocess.Popen[bytes]]:
    """All monitors in one process; they end with it."""
    plan = folder / "plan.json"
    plan.write_bytes(msgspec.json.encode(Plan(parts=tuple(parts), speed=SPEED)))
    playing = [sys.executable, "-m", "simulators.play", str(plan)]
    with subprocess.Popen(playing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as stage:
        try:
            yield stage
        finally:
            stage.terminate()


async def test_two_sessions_from_check_in_to_the_signed_record_take_forty_taps_each(
    tmp_path: Path, staff: Path, browser: Browser
) -> None:
    wires, parts = monitors(tmp_path)
    async with open_clinic(tmp_path, staff, wires, SPEED, more=signed()) as clinic:
        with played(tmp_path, parts) as stage:
            assert stage.stdin is not None
            stage.stdin.write(f"clock {(await clinic.get('/status'))['at_ms']}\n".encode())
            stage.stdin.flush()
            nurses = await at_the_beds(clinic, browser)
            await worked(nurses)
            for bed, nurse in nurses.items():
                print(nurse.done.listed({NASAL: "A nasal session", IV: "An infusion"}[bed]))  # noqa: T201
                await signed_pdf(nurse, bed)
    for nurse in nurses.values():
        assert len(nurse.done.taps) <= TAPS_MAX


async def worked(nurses: dict[str, Nurse]) -> None:
    """Until both sessions are closed she goes from bed to bed and does what each asks for."""
    try:
        async with asyncio.timeout(DAY_MAX_S):
            while not all(nurse.closed for nurse in nurses.values()):
                did = False
                for nurse in nurses.values():
                    if not nurse.closed:
                        did |= await nurse.at_work()
                if not did:
                    await asyncio.sleep(0.1)
    except TimeoutError:
        left = [await nurse.page.locator("#flow").inner_text() for nurse in nurses.values()]
        done = "\n".join(nurse.done.listed(bed) for bed, nurse in nurses.items())
        raise AssertionError(f"not closed in time; the pages say {left}\n{done}") from None


async def at_the_beds(clinic: Clinic, browser: Browser) -> dict[str, Nurse]:
    """A paired tablet with the nurse signed in by her PIN, open at both beds."""
    tablet = await browser.new_context(viewport={"width": 390, "height": 844})
    for path, body in (
        ("/signin", {"name": "amy", "password": PASSWORD}),
        ("/screens", {"name": "tablet"}),
        ("/signin", {"name": "dana", "pin": PIN}),
    ):
        answer = await tablet.request.post(
            f"{clinic.url}/api/v1{path}", data=body, headers={"Origin": clinic.url}
        )
        assert answer.ok, await answer.text()
    nurses = {}
    for bed in BEDS:
        page = await tablet.new_page()
        page.set_default_timeout(30_000)
        await page.goto(f"{clinic.url}/bed/{bed}/start")
        await page.wait_for_selector("#screen:not([aria-busy])")
        devices = [DEVICE.format(expires="290531", lot="23K104", serial=f"SN0000{n}") for n in range(1, 4)]
        plan, dose = ("Nasal 84 mg", "") if bed == NASAL else ("IV", DOSE)
        nurses[bed] = Nurse(
            page, slip=f"K-10{bed}; 44 years", plan=f"{plan}, treated before", lots=devices, dose=dose
        )
    return nurses


async def signed_pdf(nurse: Nurse, bed: str) -> None:
    """The record that the last page leads to: a PDF, signed by the prescriber."""
    link = nurse.page.get_by_role("link", name="Report as PDF")
    path = await link.get_attribute("href")
    assert path is not None
    assert re.fullmatch(r"/api/v1/sessions/\d+/report\.pdf", path)
    root = nurse.page.url.partition("/bed/")[0]
    answer = await nurse.page.request.get(root + path)
    assert answer.ok, await answer.text()
    assert (await answer.body()).startswith(b"%PDF-")
    kept = await (await nurse.page.request.get(root + path.replace(".pdf", ".json"))).text()
    assert f"K-10{bed}" in kept
    assert "ida" in kept

"""Cuffs ordered from a screen, on real wires: started, ended well or not, stopped, and refused, in words.

Ten times faster than life; what is waited for is what a screen shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.whole.clinic import Clinic, Gateway, Screen, Wire, open_clinic

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

SPEED = 10
STORY = """
title = "Somebody at rest whose next cuff is known"
drug  = "none"
[[cuff]]
at_min = 0
"""
GOOD = STORY + "systolic_mmhg = 124\ndiastolic_mmhg = 78\n"
BASELINE = {"systolic_mmhg": 120.0, "diastolic_mmhg": 75.0}
QUIET = ("--option", "cycle_s=0")
NO_CUFF = "No monitor of this bed measures blood pressure."

CUFFS: Mapping[str, tuple[str, ...]] = {
    "dinamap": QUIET,
    "suntech": (),
    "par-nibp": (),
    "and-tm2655p": QUIET,
    "and-ua767pc": QUIET,
}
"""Every driver that starts a cuff, and what makes its twin wait for an order."""


async def play(clinic: Clinic, wire: Wire, story: Path, *more: str) -> None:
    """Switch one simulated device on, a minute into its story."""
    await clinic.simulate(
        wire.driver,
        f"pty:{wire.link}",
        str(story),
        "--speed",
        str(SPEED),
        "--start",
        "60",
        *CUFFS[wire.driver],
        *more,
        name=wire.name,
    )


def cuff(screen: Screen) -> dict[str, Any]:
    """The cuff of bed 1 as it stands on a screen."""
    shown: dict[str, Any] = screen.beds["1"]["cuff"]
    return shown


async def up(screen: Screen, *names: str) -> None:
    """Wait until these devices are connected."""
    await screen.until(lambda: all(screen.links[name]["state"] == "up" for name in names))


def rows(clinic: Clinic, kind: str) -> list[dict[str, Any]]:
    """What the journal holds of a kind."""
    return [row["body"] for row in clinic.journal() if row["kind"] == kind]


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A patient whose next cuff reads 124/78."""
    path = tmp_path / "good.toml"
    path.write_text(GOOD, "utf-8")
    return path


@pytest.mark.parametrize("driver", CUFFS)
async def test_a_cuff_is_started_from_here_and_the_next_one_stopped(
    tmp_path: Path, accounts: Path, gateway: Gateway, story: Path, driver: str
) -> None:
    wire = Wire("cuff", driver, "1", str(tmp_path / "tty"))
    async with open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway) as clinic:
        await play(clinic, wire, story)
        async with await clinic.screen() as screen:
            await up(screen, "cuff")
            await clinic.open_session("1", baseline=BASELINE)
            await clinic.act("/beds/1/cuff")
            assert (await clinic.ask("POST", "/beds/1/cuff")).status_code == 409
            taken = await screen.until(lambda: cuff(screen)["measured_at_ms"] and cuff(screen))
            assert (taken["systolic_mmhg"], taken["diastolic_mmhg"]) == (124, 78)
            await screen.until(lambda: cuff(screen)["running_since_ms"] is None)

            await clinic.act("/beds/1/cuff", who="lee")
            running = await screen.until(lambda: cuff(screen)["running_since_ms"] and cuff(screen))
            assert running["failed_why"] is None
            await clinic.act("/beds/1/cuff", method="DELETE")
            failed = await screen.until(lambda: cuff(screen)["failed_why"] and cuff(screen))
            assert failed["running_since_ms"] is None
            # It can be started again, and nothing has started by itself.
            await screen.until(lambda: screen.beds["1"]["cuff_refusal"] is None)
        assert [(row["bed"], row["by"]) for row in rows(clinic, "CuffAsked")] == [("1", "dana"), ("1", "lee")]
        assert [(row["bed"], row["by"]) for row in rows(clinic, "CuffCancelled")] == [("1", "dana")]
        assert [row["device"] for row in rows(clinic, "CuffStopped")] == ["cuff"]
        assert [row["why"] for row in rows(clinic, "CuffOrdered")] == ["asked by staff"] * 2


async def test_a_cuff_that_refuses_its_second_try_gives_way_to_the_other_one_of_the_bed(
    tmp_path: Path, accounts: Path, gateway: Gateway, story: Path
) -> None:
    failing = tmp_path / "failing.toml"
    failing.write_text(STORY, "utf-8")
    first = Wire("first", "par-nibp", "1", str(tmp_path / "tty-first"))
    second = Wire("second", "suntech", "1", str(tmp_path / "tty-second"))
    async with open_clinic(tmp_path, accounts, [first, second], SPEED, gateway=gateway) as clinic:
        await play(clinic, first, failing)
        await play(clinic, second, story)
        async with await clinic.screen() as screen:
            await up(screen, "first", "second")
            await clinic.open_session("1", baseline=BASELINE)
            await clinic.act("/beds/1/cuff")
            taken = await screen.until(lambda: cuff(screen)["measured_at_ms"] and cuff(screen))
            assert (taken["device"], taken["systolic_mmhg"]) == ("second", 124)
        assert [row["device"] for row in rows(clinic, "CuffOrdered")] == ["first", "first", "second"]
        (missed,) = rows(clinic, "CuffNotTaken")
        assert missed["device"] == "first"
        assert missed["why"].startswith("the arm must rest after a failed reading")


async def test_a_cable_that_is_pulled_under_a_running_cuff_is_said(
    tmp_path: Path, accounts: Path, gateway: Gateway, story: Path
) -> None:
    wire = Wire("cuff", "suntech", "1", str(tmp_path / "tty"))
    async with open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway) as clinic:
        await play(clinic, wire, story)
        async with await clinic.screen() as screen:
            await up(screen, "cuff")
            await clinic.open_session("1", baseline=BASELINE)
            await clinic.act("/beds/1/cuff")
            await screen.until(lambda: cuff(screen)["running_since_ms"])
            await clinic.stop_simulators()
            await screen.until(lambda: cuff(screen)["failed_why"])
            await screen.until(
                lambda: screen.beds["1"]["cuff_refusal"] == "The cuff's monitor is not connected."
            )
            assert cuff(screen)["running_since_ms"] is None
            assert cuff(screen)["failed_why"] == "the line to the cuff was lost while it was measuring"
        whys = [row["cuff"]["why"] for row in rows(clinic, "CuffTaken")]
        assert whys == ["the line to the cuff was lost while it was measuring"]


@pytest.mark.parametrize(
    ("driver", "start", "stop"),
    [
        ("masimo-ascii1", NO_CUFF, NO_CUFF),
        (
            "datex-dri",
            "This monitor cannot be started from here: please press its button.",
            "This monitor cannot be stopped from here: please press its button.",
        ),
    ],
)
async def test_a_bed_without_a_cuff_that_can_be_led_says_so(
    tmp_path: Path, accounts: Path, gateway: Gateway, driver: str, start: str, stop: str
) -> None:
    wire = Wire("monitor", driver, "1", "socket://127.0.0.1:9")
    async with open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway) as clinic:
        await clinic.open_session("1", baseline=BASELINE)
        assert (await clinic.get("/beds/1"))["bed"]["cuff_refusal"] == start
        for method, why in (("POST", start), ("DELETE", stop)):
            answer = await clinic.ask(method, "/beds/1/cuff")
            assert (answer.status_code, answer.json()["detail"]) == (409, why)

"""Who stops breathing beside a capnograph is called for; a pressure of unknown age is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.clinic import Gateway, Wire, open_clinic

pytestmark = pytest.mark.real

SPEED = 5
BREATHLESS = """
title = "No breath for ten hours"
drug  = "none"
[[bend]]
signal = "respiration"
at_min = -600
mode   = "set"
points = [[0, 0], [72000, 0]]
"""


async def test_a_capnograph_that_sees_no_breath_calls_a_nurse(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port, story = tmp_path / "ttyUSB0", tmp_path / "breathless.toml"
    story.write_text(BREATHLESS, "utf-8")
    wire = Wire("capnograph", "capnostream", "1", str(port))
    clinic_of = open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway)
    async with clinic_of as clinic, await clinic.screen() as screen:
        await clinic.simulate("capnostream", f"pty:{port}", str(story), "--speed", str(SPEED))
        await clinic.open_session("1")
        await screen.until(lambda: screen.alarm("rr-none"))
        await gateway.until(lambda: gateway.pages)
        shown = (await clinic.get("/beds/1"))["bed"]["vitals"]
        assert shown["rr"]["value"] == 0
        assert shown["rr"]["why"].startswith("the monitor says: no breath for ")
        assert shown["spo2"]["value"] > 90


async def test_a_pressure_of_unknown_age_is_not_on_the_tile_and_the_next_one_is(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port = tmp_path / "ttyUSB0"
    wire = Wire("ivy", "ivy-ansarb", "1", str(port))
    clinic_of = open_clinic(tmp_path, accounts, [wire], SPEED, gateway=gateway)
    async with clinic_of as clinic, await clinic.screen() as screen:
        more = ("--speed", str(SPEED), "--start", "165", "--option", "cycle_s=120")
        await clinic.simulate("ivy-ansarb", f"pty:{port}", "N0", *more)
        await clinic.open_session("1")

        async def bed() -> dict[str, object]:
            shown: dict[str, object] = (await clinic.get("/beds/1"))["bed"]
            return shown

        while "hr" not in (await bed())["vitals"]:  # type: ignore[operator]
            heard = len(screen.heard)
            await screen.until(lambda heard=heard: len(screen.heard) > heard)  # type: ignore[misc]
        first = (await bed())["cuff"]
        assert first is None or first["systolic_mmhg"] is None  # type: ignore[index]
        while not ((cuff := (await bed())["cuff"]) and cuff["systolic_mmhg"]):  # type: ignore[index]
            heard = len(screen.heard)
            await screen.until(lambda heard=heard: len(screen.heard) > heard)  # type: ignore[misc]

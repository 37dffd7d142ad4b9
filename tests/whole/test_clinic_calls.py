"""Monitors that call, from their own sockets to the tile: two on one port, and a third that is nobody's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.shells.conftest import free_port
from tests.whole.clinic import FALLEN, SMALLEST, Wire, command, open_clinic

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

SPEED = 10
PLAYED = ("--speed", f"{SPEED}", "--start", "295")
"""Five seconds before the monitors' own cycle begins with a cuff."""


def sender(seed: int) -> str:
    """What a simulated monitor of this seed calls itself."""
    return f"00A0370098{seed:06X}"


def callers(port: int) -> list[Wire]:
    """Two monitors on one port, told apart by their ids."""
    link = f"mllp://:{port}"
    return [
        Wire(f"monitor-{seed}", "hl7-pcd01", f"{seed}", link, {"sender": sender(seed), "silent_after_s": 30})
        for seed in (1, 2)
    ]


async def test_two_monitors_call_one_port_and_each_bed_shows_its_own_and_never_the_strangers(
    tmp_path: Path, accounts: Path
) -> None:
    port = free_port()
    link = f"mllp://127.0.0.1:{port}"
    fallen = tmp_path / "fallen.toml"
    fallen.write_text(FALLEN, "utf-8")
    async with (
        open_clinic(tmp_path, accounts, callers(port), SPEED) as clinic,
        await clinic.screen() as screen,
    ):
        for bed in ("1", "2"):
            await clinic.open_session(bed)
        await screen.until(lambda: "nobody has called" in screen.links["monitor-1"]["why"])
        # The stranger's patient has a saturation that would alarm at once, on any bed.
        await clinic.simulate("hl7-pcd01", link, str(fallen), "--seed", "3")
        await screen.until(lambda: sender(3) in screen.links["monitor-1"]["why"])
        assert "its messages are no device's here" in screen.links["monitor-2"]["why"]
        assert screen.values == []
        for seed in (1, 2):
            await clinic.simulate("hl7-pcd01", link, "N0", "--seed", f"{seed}", *PLAYED)
        await screen.until(lambda: all(screen.beds[bed]["cuff"]["systolic_mmhg"] for bed in ("1", "2")))
        assert all(screen.value(bed, "spo2") for bed in ("1", "2"))
        assert 80.0 not in {value for _, _, vital, value in screen.values if vital == "spo2"}
        assert screen.alarm("spo2-low") is None
        await clinic.stop_simulators()
        await screen.until(lambda: "has hung up" in screen.links["monitor-1"]["why"])
        assert screen.links["monitor-1"]["state"] == "silent"


async def test_a_pressure_taken_while_the_line_was_cut_comes_once_and_with_its_age(
    tmp_path: Path, accounts: Path
) -> None:
    port = free_port()
    link = f"mllp://127.0.0.1:{port}"
    async with (
        open_clinic(tmp_path, accounts, callers(port), SPEED) as clinic,
        await clinic.screen() as screen,
    ):
        for bed in ("1", "2"):
            await clinic.open_session(bed)
        # The cuff begins 5 s after the play and ends well before the line is whole again.
        await clinic.simulate("hl7-pcd01", link, "N0", "--seed", "1", *PLAYED, "--fault", "unplug@15:60")
        await clinic.simulate("hl7-pcd01", link, "N0", "--seed", "2", *PLAYED, "--option", "demo=true")
        await screen.until(lambda: screen.beds["1"]["cuff"]["systolic_mmhg"])
        (taken,) = [row["body"] for row in clinic.journal() if row["kind"] == "CuffTaken"]
        assert taken["device"] == "monitor-1"
        assert 10_000 < taken["at_ms"] - taken["measured_at_ms"] < 120_000
        # The other one is in demonstration mode all the while.
        assert not [value for _, bed, _, value in screen.values if bed == "2"]


def test_a_port_that_cannot_be_had_ends_the_start_with_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        link = f"mllp://:{taken.getsockname()[1]}"
        config = tmp_path / "clinic.toml"
        text = SMALLEST.replace("masimo-ascii1", "hl7-pcd01").replace("socket://127.0.0.1:9", link)
        config.write_text(f"{text}\n[server]\nport = {free_port()}\n", "utf-8")
        code, _, complaint = command("run", str(config))
    assert code == 3
    assert complaint.splitlines()[-1].endswith("is in use by another program: set another one in the link")

"""A service that is told to end: each device that was made to talk is told that nobody listens any more."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.shells.attended import FAREWELLS, Attended, took_leave
from tests.shells.conftest import Cable
from tests.whole.clinic import Gateway, Wire, open_clinic, until

pytestmark = pytest.mark.real

SPEED = 10.0


async def test_a_service_that_ends_takes_leave_of_every_device(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    (tmp_path / "ports").mkdir()
    cables = {name: Cable(tmp_path / "ports" / name) for name in FAREWELLS}
    wires = [Wire(name, name, name, cable.name) for name, cable in cables.items()]
    async with contextlib.AsyncExitStack() as stack:
        devices = {name: Attended(cable, name, SPEED) for name, cable in cables.items()}
        for name, device in devices.items():
            stack.callback(cables[name].unplug)
            await stack.enter_async_context(device.on())
        async with open_clinic(tmp_path, accounts, wires, SPEED, gateway=gateway) as clinic:
            async with await clinic.screen() as screen:
                await screen.until(lambda: all(link["state"] == "up" for link in screen.links.values()))
            assert await clinic.running.stop() == 0
        for name, device in devices.items():
            await until(lambda name=name, device=device: took_leave(name, device.heard))  # type: ignore[misc]
            assert device.still_says(60) == b"", name

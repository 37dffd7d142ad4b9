"""Whoever ends in order takes leave of the device: what was begun there is ended first."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SteadyClock
from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver, Leaving
from monitor.devices.farewell import let_go
from monitor.devices.listen import listen
from monitor.devices.probe import Outcome, probe
from monitor.model import LinkState
from tests.shells.attended import FAREWELLS, Attended, took_leave
from tests.shells.conftest import Cable, until
from tests.shells.test_reader import Bedside

pytestmark = pytest.mark.real

SPEED = 10.0
PATIENCE_S = 30.0

LEAVING = [driver for driver in DRIVERS.values() if isinstance(driver.decoder({}), Leaving)]
by_name = pytest.mark.parametrize("driver", LEAVING, ids=lambda driver: driver.name)


def test_every_device_that_is_taken_leave_of_is_known_here() -> None:
    assert {driver.name for driver in LEAVING} == {*FAREWELLS}


# What a decoder says at the end.


def asked(driver: Driver) -> Any:
    """A decoder that has asked, and has not been answered."""
    decoder = driver.decoder({})
    for now_ms in range(0, 3_000, 100):
        decoder.tick(now_ms)
        decoder.to_send()
    return decoder


@by_name
def test_where_nothing_was_begun_nothing_is_ended(driver: Driver) -> None:
    decoder = driver.decoder({})
    assert list(decoder.farewell()) == []
    decoder.feed(b"\x00" * 100)
    assert list(decoder.farewell()) == []


@by_name
def test_what_was_begun_is_ended_once_and_not_after_the_line_has_gone(driver: Driver) -> None:
    decoder = asked(driver)
    assert b"".join(decoder.farewell())
    assert list(decoder.farewell()) == []
    decoder = asked(driver)
    decoder.close()
    assert list(decoder.farewell()) == []


# The reader.


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
@by_name
async def test_a_reader_that_is_ended_takes_leave_of_its_device(
    cable: Cable, driver: Driver, backend: str
) -> None:
    bedside = Bedside(cable, SteadyClock(speed=SPEED), driver, speed=SPEED, backend=backend)
    async with Attended(cable, driver.name, SPEED).on() as device:
        async with bedside.watched():
            await until(lambda: bedside.reader.state is LinkState.UP)
        await until(lambda: took_leave(driver.name, device.heard))
    assert device.still_says(60) == b""


async def test_a_cable_that_was_pulled_is_told_nothing(cable: Cable) -> None:
    bedside = Bedside(cable, SteadyClock(speed=SPEED), DRIVERS["capnostream"], speed=SPEED)
    async with Attended(cable, "capnostream", SPEED).on(), bedside.watched():
        await until(lambda: bedside.reader.state is LinkState.UP)
        cable.unplug()
        await until(lambda: bedside.reader.state is LinkState.DOWN)
        cable.plug_in()
    # The end came on a new connection, or before there was one: neither is an error.


class Clogged:
    """A line that takes nothing any more."""

    def __init__(self) -> None:
        """Open."""
        self.closed = False

    async def read(self) -> bytes:
        """Nothing comes either."""
        await asyncio.Event().wait()
        return b""

    async def write(self, data: bytes) -> None:  # noqa: ARG002  it is not taken
        """Wait for ever."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Let go."""
        self.closed = True


async def test_a_line_that_takes_nothing_holds_up_no_end() -> None:
    link = Clogged()
    async with asyncio.timeout(PATIENCE_S):
        await let_go(link, asked(DRIVERS["capnostream"]))
    assert link.closed


async def test_who_is_told_twice_to_end_closes_the_line_all_the_same() -> None:
    link = Clogged()
    leaving = asyncio.create_task(let_go(link, asked(DRIVERS["capnostream"])))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert link.closed


# `listen` and `ports --probe`.


@by_name
async def test_listen_takes_leave_and_keeps_that_it_has(cable: Cable, driver: Driver) -> None:
    raw, times, said = io.BytesIO(), io.BytesIO(), list[str]()

    async def listening() -> None:
        async for line in listen(driver, cable.name, raw=raw, times=times):
            said.append(line["kind"])

    async with Attended(cable, driver.name).on() as device:
        ear = asyncio.create_task(listening())
        # One that has to be woken does not answer the first words.
        await until(lambda: {*said} - {"fault"} or (driver.question and device.heard), PATIENCE_S)
        ear.cancel()
        await asyncio.wait([ear])
        await until(lambda: took_leave(driver.name, device.heard))
    rows = [row.split(b" ") for row in times.getvalue().splitlines()]
    assert sum(int(size) for _, way, size in rows if way == b">") == len(device.heard)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_takes_leave_however_it_is_ended(
    cable: Cable, tmp_path: Path, number: signal.Signals
) -> None:
    said = tmp_path / "said"
    async with Attended(cable, "capnostream").on() as device:
        with said.open("wb") as out:
            listening = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "monitor", "listen", "capnostream", cable.name, stdout=out
            )
        try:
            await until(lambda: said.stat().st_size or listening.returncode is not None, PATIENCE_S)
            listening.send_signal(number)
            async with asyncio.timeout(PATIENCE_S):
                assert await listening.wait() == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                listening.kill()
        await until(lambda: took_leave("capnostream", device.heard))


@by_name
async def test_a_probe_ends_what_it_has_begun(cable: Cable, driver: Driver) -> None:
    async with Attended(cable, driver.name).on() as device:
        found = await probe(cable.name, [driver], listen_s=0.1)
        assert (found.outcome, found.asked) == (Outcome.KNOWN, True)
        # After a harmless question there is nothing to end.
        await until(lambda: bool(driver.question) or took_leave(driver.name, device.heard))

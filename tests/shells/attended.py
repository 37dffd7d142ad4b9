"""A simulated device on a pty of its own, which keeps every word that is written to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from monitor.clock import SteadyClock
from simulators.play import twin_of
from simulators.twin import SerialTwin
from tests.shells.conftest import Cable
from tests.whole.twins import Witness

TURN_S = 0.002

FAREWELLS = {
    "and-ua767pc": "02 43504330 34 3a",
    "capnostream": "85 010504 85 010203",
    "contec-cms50": "7d81a2 808080808080",
    "datex-dri": f"7e 3100 {19 * '00'} ff {18 * '00'} 01 0000 00000000 0000 31 7e",
    "intellivue": f"c0 1101001a 09187de116618030800201 01a080628080 01 {9 * '00'} 4108 c1",
}
"""The last words to each device, as its fact sheet has them."""


def idle(driver: str) -> dict[str, Any]:
    """The options of a twin that measures no pressure by itself."""
    known = import_module("simulators." + driver.replace("-", "_")).OPTIONS
    return {"cycle_s": 0} if "cycle_s" in known else {}


def took_leave(name: str, heard: bytes) -> bool:
    """Whether the last that this device has heard is that nobody needs it any more."""
    return heard.endswith(bytes.fromhex(FAREWELLS[name]))


class Attended:
    """A twin, the cable it is on, and what it has heard."""

    def __init__(self, cable: Cable, driver: str, speed: float = 1.0) -> None:
        """Switched off; it measures no pressure by itself."""
        self.twin: SerialTwin = twin_of(driver)(Witness("N0", 1, 1), 1, idle(driver))
        self.heard = b""
        self._cable = cable
        self._clock = SteadyClock(speed=speed)
        self._began_ms = 0
        self._ended_ms = 0

    @contextlib.asynccontextmanager
    async def on(self) -> AsyncIterator[Attended]:
        """Switched on, as long as it lasts; what comes at the very end is still heard."""
        self._began_ms = self._clock.now_ms()
        running = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.wait([running])
            self._hear()

    def still_says(self, seconds: int) -> bytes:
        """What it would say in the time to come if nobody spoke to it any more."""
        now_ms = self._ended_ms or self._clock.now_ms() - self._began_ms
        self._ended_ms = now_ms + 1000 * seconds
        return b"".join(self.twin.tick(t_ms) for t_ms in range(now_ms, self._ended_ms, 50))

    async def _run(self) -> None:
        while True:
            if said := self._hear() + self.twin.tick(self._clock.now_ms() - self._began_ms):
                await self._cable.send(said)
            await asyncio.sleep(TURN_S)

    def _hear(self) -> bytes:
        with contextlib.suppress(BlockingIOError, OSError):
            words = os.read(self._cable.fileno(), 4096)
            self.heard += words
            return self.twin.hear(words, self._clock.now_ms() - self._began_ms)
        return b""

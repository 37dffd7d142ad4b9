"""The heartbeat of the gateways: whether they would take a page, asked before there is one (ALM-082)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

AGAIN_S = 1.0
"""One beat that is missed may be chance: it is asked once more before anybody is told."""


class Gateway(Protocol):
    """A pager whose gateway can be asked whether it is there, without paging anybody."""

    @property
    def way(self) -> str:
        """The name the clinic gave it."""
        ...

    @property
    def heartbeat_s(self) -> float:
        """How often it is asked."""
        ...

    async def beat(self) -> str:
        """Why it would not take a page now; empty where it would."""
        ...


class Heartbeat:
    """Asks every gateway again and again, each in its own time, and tells how all of them do together."""

    def __init__(self, gateways: Sequence[Gateway], tell: Callable[[bool, str], None]) -> None:
        """`tell` is called after each answer: whether every gateway is there, else which is not and why."""
        self._gateways = gateways
        self._tell = tell
        self._ill: dict[str, str] = {}

    async def run(self) -> None:
        """Beat for ever."""
        async with asyncio.TaskGroup() as all_of_them:
            for gateway in self._gateways:
                all_of_them.create_task(self._ask(gateway))

    async def _ask(self, gateway: Gateway) -> None:
        while True:
            why = await gateway.beat()
            if why and gateway.way not in self._ill:
                await asyncio.sleep(AGAIN_S)
                why = await gateway.beat()
            if why:
                self._ill[gateway.way] = why
            else:
                self._ill.pop(gateway.way, None)
            self._tell(not self._ill, "; ".join(f"{way}: {why}" for way, why in sorted(self._ill.items())))
            await asyncio.sleep(gateway.heartbeat_s)

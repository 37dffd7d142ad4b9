"""A page is on its way before the screens are written to, on a loop whose time jumps."""

from __future__ import annotations

import asyncio

import pytest

from monitor.api.hub import PAGES_FIRST_S, Hub, View
from tests.core.jumping import LoopClock, run
from tests.core.shift import Shift

ROUNDS = 20
"""More than any client takes until it has written."""


class Screen:
    """A connection that takes everything at once, and notes what came before."""

    def __init__(self, noted: list[str]) -> None:
        """Nothing has been written."""
        self._noted = noted
        self.written: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def can_push(self) -> bool:
        """It never waits."""
        return True

    def push(self, _data: bytes) -> None:
        """Something is written to it."""
        self._noted.append("screen")
        self.written.set_result(asyncio.get_running_loop().time())

    def cut(self) -> None:
        """It is never cut."""


async def page(noted: list[str]) -> None:
    """A page that is handed over in the same turn."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
    noted.append("page")


def turned(spo2: float) -> tuple[list[str], float]:
    """What a turn does to a screen and to a page, in order, and when the screen had it."""

    async def turn() -> tuple[list[str], float]:
        shift, noted, loop = Shift(), list[str](), asyncio.get_running_loop()
        shift.hears("3", spo2=97)
        hub = Hub("here", LoopClock(loop).now_ms)
        hub.publish([], shift.ward)
        mark = hub.mark("dana")
        listener = hub.open(
            View.STAFF, mark, "", f"{mark}-{hub.seq}", lambda: pytest.fail("nothing was missed")
        )
        listener.connection = Screen(noted)
        listener.push()
        noted.clear()
        screen = listener.connection = Screen(noted)
        before = len(shift.events)
        shift.now_ms += 10_000
        shift.hears("3", spo2=spo2)
        hub.publish(shift.events[before:], shift.ward)
        paging = asyncio.create_task(page(noted))
        at_s = await screen.written
        await paging
        return noted, at_s

    return run(turn())


def test_the_pages_of_a_turn_go_before_its_screens() -> None:
    noted, at_s = turned(84)
    assert noted == ["page", "screen"]
    assert PAGES_FIRST_S <= at_s < PAGES_FIRST_S + 0.001


def test_a_turn_without_a_page_is_shown_at_once() -> None:
    noted, at_s = turned(96)
    assert noted == ["screen", "page"]
    assert at_s < 0.001

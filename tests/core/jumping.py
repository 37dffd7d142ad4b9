"""A loop whose time goes on only once nothing is left to do, and then at once to whatever is due next.

Eight hours pass in seconds, and what happens hangs on the program alone, not on this machine or its load.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

T0_MS = 1_780_000_000_000


class JumpingLoop(asyncio.SelectorEventLoop):
    """See the module. It begins at 0 s."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.now_s = 0.0
        super().__init__(_Jumps(self))

    def time(self) -> float:
        """Seconds since it began."""
        return self.now_s


class _Jumps(selectors.DefaultSelector):
    """Waits for nobody: all that happens is in the loop itself."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again: everybody waits")
        self._loop.now_s += timeout
        return super().select(0)


class LoopClock:
    """The clock of such a loop, from `T0_MS` on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read this loop's time."""
        self._loop = loop

    def now_ms(self) -> int:
        """The time now."""
        return T0_MS + round(self._loop.time() * 1_000)

    def drift_ms(self) -> int:
        """The system's clock agrees."""
        return 0


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run this on a loop of its own, to its end."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)

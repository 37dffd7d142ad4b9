"""The steady clock, and its manual twin. The only room that reads the time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds since the Unix epoch in UTC, on a line that never steps and never runs back."""

    def now_ms(self) -> int:
        """The time now."""
        ...

    def drift_ms(self) -> int:
        """How far the operating system's wall clock has moved away from this line since the start."""
        ...


class SteadyClock:
    """Wall time read once, carried on by the boot-time clock; `speed` runs it faster for demonstrations.

    `not_before_ms` is the last instant in the journal: time never runs back over a restart.
    """

    def __init__(self, not_before_ms: int = 0, speed: float = 1.0) -> None:
        """Anchor the line at this moment's wall time, or just after `not_before_ms` if that is later."""
        self._speed = speed
        self._boot_ns = _boot_ns()
        self._start_ms = max(time.time_ns() // 1_000_000, not_before_ms)
        self._wall_offset_ms = time.time_ns() // 1_000_000 - _boot_ns() // 1_000_000

    def now_ms(self) -> int:
        """The start plus what the boot-time clock has counted since."""
        return self._start_ms + int((_boot_ns() - self._boot_ns) * self._speed) // 1_000_000

    def drift_ms(self) -> int:
        """Wall clock minus boot-time clock, compared with the same difference at the start."""
        return time.time_ns() // 1_000_000 - _boot_ns() // 1_000_000 - self._wall_offset_ms


class ManualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now_ms: int = 0) -> None:
        """Start at `now_ms`."""
        self._now_ms = now_ms
        self.drift = 0

    def now_ms(self) -> int:
        """The time it was last set to."""
        return self._now_ms

    def drift_ms(self) -> int:
        """Whatever `drift` was set to."""
        return self.drift

    def advance(self, ms: int) -> int:
        """Go on by `ms` (never back) and give the new time."""
        if ms < 0:
            raise ValueError("a clock does not run back")
        self._now_ms += ms
        return self._now_ms


def _boot_ns() -> int:
    # BOOTTIME goes on counting while the machine is suspended; MONOTONIC does not.
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

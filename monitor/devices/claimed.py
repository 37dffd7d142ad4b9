"""A clock that claims to be right, held against the host's (C12): refused or remarked on, never put right.

A time ahead of ours is a wrong clock, for nothing arrives before it was sent. A time behind may be a delay:
only where the least delay of a while is still too long is it the clock, or a way so slow that it is as bad.
"""

from __future__ import annotations

from collections import deque

from monitor.model import Lie, Notice

FUTURE_MS = 5_000
"""Further ahead than this a time is refused (physiology.md 2, C12)."""

SKEW_MS = 2_000
"""Further off than this, either way, is said (C12; alarms.md 7, clock skew)."""

LEAST_OF = 20
"""So many messages in a row, all of them old, are no chance: one in 200 is late (physiology.md 5.4)."""


def refused(taken_ms: int, now_ms: int) -> str | None:
    """Why a message from the future is not taken, or None."""
    ahead_ms = taken_ms - now_ms
    return f"its time is {ahead_ms // 1_000} s in the future" if ahead_ms > FUTURE_MS else None


class ClaimedClock:
    """What the messages of one source have shown of its clock."""

    def __init__(self) -> None:
        """Nothing yet: it is taken to be right."""
        self._ages_ms: deque[int] = deque(maxlen=LEAST_OF)

    def heard(self, taken_ms: int, now_ms: int) -> Notice | None:
        """A live message that says when it was taken; the notice, as long as its clock is off."""
        age_ms = now_ms - taken_ms
        self._ages_ms.append(age_ms)
        behind = len(self._ages_ms) == LEAST_OF and min(self._ages_ms) > SKEW_MS
        return Notice(Lie.CLOCK) if age_ms < -SKEW_MS or behind else None

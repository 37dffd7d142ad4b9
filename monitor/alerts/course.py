"""What one vital of one device has done lately: has it jumped (C9), and has it been steady? Pure."""

from __future__ import annotations

from collections import deque

from monitor.model import Device, Vital

# The numbers are those of physiology.md 2, proposed there for the medical director to sign.

JUMP_WITHIN_MS = 2_000
JUMP_DOUBTED_MS = 6_000
FALL_SPO2 = 4
JUMP_RATE = 40
"""C9: SpO2 falls, or a rate jumps, by more than this in 2 s: questionable for 6 s."""

STEADY_MS = 15_000
"""So long a vital must have been heard before anybody says that it is steady, or is not."""

RECENT_KEPT = 32
"""So many values of the last 2 s, as most devices never send, are kept before the older ones are let go."""

LIVE_MS = 10_000
"""For so long a value is live, and so is a flag that stood beside it."""

RATES = frozenset({Vital.HEART_RATE, Vital.PULSE_SPO2})
LEAPS = {Vital.SPO2: FALL_SPO2} | dict.fromkeys(RATES, JUMP_RATE)
"""C9 by vital: of SpO2 a fall, of a rate either way."""


class Course:
    """What one vital of one device has done lately: its last 2 s, and how far it has swung over 15 s."""

    def __init__(self, leap: float) -> None:
        """More than `leap` within 2 s is a jump; nothing has been heard."""
        self._leap = leap
        self._device: Device | None = None
        self._quiet = False
        """It has swung so little that no value within its swing can be a jump."""
        self._recent: deque[tuple[int, float]] = deque()
        self._doubted_until_ms: int | None = None
        self._from_ms = 0
        self._at_ms = 0
        self._before: tuple[float, float] | None = None
        self._swing: tuple[float, float] | None = None

    def goes_on(self, at_ms: int, device: Device, value: float) -> bool:
        """Whether `heard` may be told of this value instead of `doubts` and `hears`."""
        swing = self._swing
        return (
            self._quiet
            and swing is not None
            and swing[0] <= value <= swing[1]
            and at_ms - self._from_ms < STEADY_MS
            and at_ms - self._at_ms <= LIVE_MS
            and device == self._device
            and self._doubted_until_ms is None
        )

    def heard(self, at_ms: int, value: float) -> None:
        """A value within the swing."""
        self._at_ms = at_ms
        recent = self._recent
        recent.append((at_ms, value))
        if len(recent) > RECENT_KEPT:
            self._forget(at_ms)

    def doubts(self, at_ms: int, device: Device, vital: Vital, value: float) -> bool:
        """Whether this value comes within 6 s of a jump; a fall that goes on has no second 6 s of its own."""
        if device != self._device:
            return False
        if self._doubted_until_ms is not None:
            if at_ms < self._doubted_until_ms:
                return True
            self._doubted_until_ms = None
            self._recent.clear()
        if not self._jumps(at_ms, vital, value, value):
            return False
        self._doubted_until_ms = at_ms + JUMP_DOUBTED_MS
        return True

    def would_doubt(self, at_ms: int, device: Device, vital: Vital, low: float, high: float) -> bool:
        """Whether any value from `low` to `high` might be doubted, were it heard now."""
        if device != self._device:
            return False
        return self._doubted_until_ms is not None or self._jumps(at_ms, vital, low, high)

    def hears(self, at_ms: int, device: Device, value: float) -> None:
        """A value that nobody doubts. Another device begins a course of its own."""
        if device != self._device or at_ms - self._at_ms > LIVE_MS:
            self._device = device
            self._recent.clear()
            self._before = self._swing = None
            self._doubted_until_ms = None
            self._from_ms = at_ms
        self._at_ms = at_ms
        self._recent.append((at_ms, value))
        self._forget(at_ms)
        if at_ms - self._from_ms >= STEADY_MS:
            self._before, self._swing, self._from_ms = self._swing, None, at_ms
        low, high = self._swing or (value, value)
        low, high = self._swing = min(low, value), max(high, value)
        if self._before is not None:
            low, high = min(low, self._before[0]), max(high, self._before[1])
        self._quiet = high - low <= self._leap

    def _forget(self, at_ms: int) -> None:
        while at_ms - self._recent[0][0] > JUMP_WITHIN_MS:
            self._recent.popleft()

    def span(self, at_ms: int) -> tuple[float, float] | None:
        """Between which values it has been for the last 15 s or more; None where it is not known so long."""
        if self._before is None or self._swing is None or at_ms - self._at_ms > LIVE_MS:
            return None
        return min(self._before[0], self._swing[0]), max(self._before[1], self._swing[1])

    def steady(self, at_ms: int, within: float) -> bool:
        """Whether it has been known for 15 s or more, up to now, and has swung no further than that."""
        span = self.span(at_ms)
        return span is not None and span[1] - span[0] <= within

    def _jumps(self, at_ms: int, vital: Vital, low: float, high: float) -> bool:
        # What comes in one instant came late to a part: between those values there is no speed.
        before = [was for was_ms, was in self._recent if 0 < at_ms - was_ms <= JUMP_WITHIN_MS]
        if not before:
            return False
        fell, rose = max(before) - low, high - min(before)
        return fell > LEAPS[vital] or (vital in RATES and rose > LEAPS[vital])

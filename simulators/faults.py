"""What goes wrong between a device and us: pure, by seed and time, between the twin and its cable.

`--fault KIND@T[:ARG]`: from second T on (of the simulation), KIND as below; ARG is how long in seconds, or
what the row says. A scenario's `[[fault]]` rows are the same, timed by its own minutes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from simulators.noise import uniforms
from simulators.scenario import FaultKind

EXPLAINED: dict[FaultKind, tuple[float, str]] = {
    "cut": (10, "the wire is broken for ARG s: what was being sent is cut in half, nothing passes"),
    "noise": (10, "for ARG s one byte in fifty is another one"),
    "garbage": (64, "ARG bytes of nonsense, once"),
    "delay": (60, "what is sent in ARG s comes at their end, all at once"),
    "unplug": (10, "the port is gone for ARG s, and comes back under the same name"),
    "silence": (10, "the device says nothing for ARG s; the line stays open"),
    "repeat": (90, "for ARG s the last words come again instead of new ones"),
    "clock_jump": (3600, "the device's own clock jumps by ARG s, for good; back with a minus"),
    "half_frame": (1, "ARG times only the first half of what is sent comes"),
    "flood": (200, "what is sent comes ARG times, once"),
    "disorder": (60, "for ARG s one message of a broker in fifty comes twice, and one after the next"),
}
"""Every kind with its usual ARG, in words for `--help`."""

NOISE_SHARE = 0.02
DISORDER_SHARE = 0.02
"""Physiology.md 6, T5: 2 % twice, 2 % swapped with the next."""
CUT_WITHIN_MS = 1_000
"""What is sent so soon after the wire broke was on it; what comes later never gets there."""
FLOOD_MAX = 100_000
GARBAGE_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: from `at_ms` of the patient's time, `arg` as its kind has it."""

    kind: FaultKind
    at_ms: int
    arg: float

    def running(self, t_ms: int) -> bool:
        """Whether a fault that lasts is on."""
        return self.at_ms <= t_ms < self.at_ms + 1000 * self.arg


@dataclass(frozen=True, slots=True)
class Frame:
    """What a device sends at one instant: a line's bytes, or one message of a broker."""

    data: bytes
    topic: str = ""
    qos: int = 0
    retain: bool = False


def parse(text: str, start_ms: int) -> Fault:
    """The fault of a `KIND@T[:ARG]`, or a ValueError in words; `start_ms` is when the simulation begins."""
    kind, at, rest = text.partition("@")
    if kind not in get_args(FaultKind):
        raise ValueError(f"{text}: no such fault; there are {', '.join(EXPLAINED)}")
    seconds, colon, argument = rest.partition(":")
    known: FaultKind = kind  # type: ignore[assignment]  # checked above
    try:
        begins_s = float(seconds if at else "")
        arg = float(argument) if colon else EXPLAINED[known][0]
    except ValueError:
        raise ValueError(f"{text}: a fault is KIND@T or KIND@T:ARG, in seconds") from None
    return made(known, start_ms + round(1000 * begins_s) if math.isfinite(begins_s) else -1, arg, text)


def made(kind: FaultKind, at_ms: int, arg: float | None, said: str = "") -> Fault:
    """A fault with its usual ARG filled in, and an ARG that makes sense."""
    value = EXPLAINED[kind][0] if arg is None else arg
    most = {"flood": FLOOD_MAX, "garbage": GARBAGE_MAX}.get(kind, 10_000_000)
    if not math.isfinite(value) or abs(value) > most or (value <= 0 and kind != "clock_jump"):
        raise ValueError(f"{said or kind}: the number after the colon is above 0 and at most {most}")
    return Fault(kind, at_ms, value)


class Faults:
    """All faults of one cable. Same seed, same faults, same bytes."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        """Take them all; `seed` makes the noise."""
        self._faults = tuple(faults)
        self._seed = seed
        self._held: list[Frame] = []
        self._last: list[Frame] = []
        self._spent: dict[Fault, int] = {}
        self._disturbed = 0
        self._sorted = 0
        self._overtaken: list[Frame] = []

    def jumps(self) -> tuple[tuple[int, int], ...]:
        """What happens to the device's clock: (at_ms, by_ms)."""
        return tuple((f.at_ms, round(1000 * f.arg)) for f in self._faults if f.kind == "clock_jump")

    def plugged(self, t_ms: int) -> bool:
        """Whether the port is there at all."""
        return not self._on("unplug", t_ms)

    def listens(self, t_ms: int) -> bool:
        """Whether what the host sends reaches a device that could answer."""
        return not any(self._on(kind, t_ms) for kind in ("unplug", "cut", "silence"))

    def due_ms(self, t_ms: int) -> int:
        """The next instant at which a fault itself does something."""
        edges = [f.at_ms for f in self._faults]
        edges += [f.at_ms + round(1000 * f.arg) for f in self._faults if f.kind in {"delay", "unplug"}]
        return min((edge for edge in edges if edge > t_ms), default=2**62)

    def passed(self, frames: list[Frame], t_ms: int) -> list[Frame]:
        """What arrives of what the device has sent by now."""
        if self._on("repeat", t_ms) and frames:
            frames = self._last or frames
        elif frames:
            self._last = frames[-1:]
        frames = [*self._garbage(t_ms), *frames]
        if self._on("unplug", t_ms) or self._on("silence", t_ms):
            return []
        if (cut := self._running("cut", t_ms)) is not None:
            being_sent = t_ms - cut.at_ms < CUT_WITHIN_MS
            return [_half(frames[0])] if frames and being_sent and self._spend(cut, 1) else []
        if self._on("delay", t_ms):
            self._held += frames
            return []
        arrived, self._held = self._held + self._disordered(frames, t_ms), []
        return [self._noisy(frame, t_ms) for frame in self._cropped(arrived, t_ms)]

    def _disordered(self, frames: list[Frame], t_ms: int) -> list[Frame]:
        on = self._on("disorder", t_ms)
        arrived: list[Frame] = []
        for frame in frames:
            copies = [frame]
            overtaken, self._overtaken = self._overtaken, []
            if on and frame.topic:  # a cable has one order, and so has a connection
                self._sorted += 1
                twice, late = uniforms(self._seed, "disorder", self._sorted, 2)
                if late < DISORDER_SHARE and not overtaken:
                    self._overtaken, copies = copies, []
                elif twice < DISORDER_SHARE:
                    copies = copies * 2
            arrived += [*copies, *overtaken]
        return arrived

    def _garbage(self, t_ms: int) -> list[Frame]:
        frames = []
        for fault in self._faults:
            if fault.kind == "garbage" and fault.at_ms <= t_ms and self._spend(fault, 1):
                raw = uniforms(self._seed, "garbage", fault.at_ms, math.ceil(fault.arg))
                frames.append(Frame(bytes(int(256 * u) for u in raw)))
        return frames

    def _cropped(self, frames: list[Frame], t_ms: int) -> list[Frame]:
        """Half frames and floods, each as often as it was asked for."""
        arrived: list[Frame] = []
        for frame in frames:
            copies = [frame]
            for fault in self._faults:
                if fault.at_ms > t_ms:
                    continue
                if fault.kind == "half_frame" and self._spend(fault, round(fault.arg)):
                    copies = [_half(copy) for copy in copies]
                if fault.kind == "flood" and self._spend(fault, 1):
                    copies = copies * round(fault.arg)
            arrived += copies
        return arrived

    def _noisy(self, frame: Frame, t_ms: int) -> Frame:
        if not self._on("noise", t_ms) or not frame.data:
            return frame
        # By the count of frames, not by the time: a busy machine must not make other bytes.
        self._disturbed += 1
        luck = uniforms(self._seed, "noise", self._disturbed, 2 * len(frame.data))
        data = bytes(
            int(256 * other) if hit < NOISE_SHARE else byte
            for byte, hit, other in zip(frame.data, luck[::2], luck[1::2], strict=True)
        )
        return replace(frame, data=data)

    def _spend(self, fault: Fault, times: int) -> bool:
        """Whether a fault that happens a number of times may happen once more."""
        spent = self._spent.get(fault, 0)
        self._spent[fault] = spent + 1
        return spent < times

    def _running(self, kind: FaultKind, t_ms: int) -> Fault | None:
        return next((f for f in self._faults if f.kind == kind and f.running(t_ms)), None)

    def _on(self, kind: FaultKind, t_ms: int) -> bool:
        return self._running(kind, t_ms) is not None


def _half(frame: Frame) -> Frame:
    return replace(frame, data=frame.data[: len(frame.data) // 2])

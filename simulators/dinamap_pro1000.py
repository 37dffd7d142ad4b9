"""A DINAMAP PRO 1000 in its binary mode: fifty blocks a second with two waves, and its own alarms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.dinamap_pro1000 import A_SECOND, NUMBERS, encode_block
from simulators.patient import AnyPatient
from simulators.twin import Rhythm, checked

OPTIONS: Mapping[str, str] = {}

EVERY_MS = 100
BURST = A_SECOND * EVERY_MS // 1000
BLOCK_MS = 1000 // A_SECOND

WARNING, CRISIS = 0x20, 0x40
# Its limits of SpO2 and pulse, as they are set at this bedside: under which it warns, and what is a crisis.
WARNS_UNDER, CRISIS_UNDER = (90, 50), (85, 40)
MIDDLE, HEIGHT = 508, 300


class Twin:
    """The monitor on one patient. The bytes of its numbers are zero: nobody knows what else to send."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it. It sends no time, so nothing can be seen of its clock (`jumps`)."""
        del jumps
        checked("dinamap-pro1000", options, OPTIONS)
        self._patient = patient
        self._rhythm = Rhythm(EVERY_MS, seed * 137)
        self._number = 0
        self._beats = 0.0
        self._breaths = 0.0

    def due_ms(self) -> int:
        """The next few blocks."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The blocks since the last call."""
        return b"".join(self._burst(at_ms) for at_ms in self._rhythm.passed(t_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  it does not listen
        """Nothing: it talks, whatever comes."""
        return b""

    def _burst(self, t_ms: int) -> bytes:
        beats, breaths = self._patient.heart_rate(t_ms) or 0, self._patient.respiration(t_ms) or 0
        alarm = self._alarm(t_ms)
        sent = b""
        for _ in range(BURST):
            before, self._beats = self._beats, self._beats + beats * BLOCK_MS / 60_000
            self._breaths += breaths * BLOCK_MS / 60_000
            # Two bits change at each beat, and two at each breath.
            status = alarm | (int(self._beats) & 3) << 1 | (int(self._breaths) & 3) << 3
            ecg = [_height(before + (self._beats - before) * part / 4) for part in range(4)]
            sent += encode_block(self._number, status, ecg, (MIDDLE,) * 4)
            self._number = (self._number + 1) % NUMBERS
        return sent

    def _alarm(self, t_ms: int) -> int:
        told = (self._patient.spo2(t_ms), self._patient.pulse(t_ms))
        if any(value is not None and value < least for value, least in zip(told, CRISIS_UNDER, strict=True)):
            return CRISIS
        low = any(value is not None and value < least for value, least in zip(told, WARNS_UNDER, strict=True))
        return WARNING if low else 0


def _height(beat: float) -> int:
    return round(MIDDLE + HEIGHT * math.exp(-(((beat % 1 - 0.5) / 0.05) ** 2)))

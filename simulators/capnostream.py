"""A Capnostream 20p: silent until a host has enabled it, then a CO2 wave and the numbers of every second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.capnostream import (
    ACTIVE,
    DISABLE,
    ENABLE,
    KILOPASCAL,
    MMHG,
    NO_BREATH,
    START_LIVE,
    STOP_LIVE,
    UNITS,
    VOLUME_PERCENT,
    Message,
    Messages,
    encode_identity,
    encode_numerics,
    encode_wave,
)
from simulators.patient import AnyPatient
from simulators.twin import DeviceClock, Rhythm, checked

OPTIONS = {"unit": '"mmhg" (default), "kpa" or "percent": how it shows its CO2; the last two in tenths'}
BY_NAME = {"mmhg": MMHG, "kpa": KILOPASCAL, "percent": VOLUME_PERCENT}

IDENTITY = "V05.00 06/01/2026 B200012345"
WAVE_EVERY_MS, NUMERICS_EVERY_MS = 50, 1_000

PATIENCE_MS = 60_000
"""How long the real one goes on without a word from its host is not published."""
ALARM_AFTER_S = 20
"""Its own no-breath alarm, as it is set at the bedside."""

# The patient model has no CO2: whoever breathes less keeps more of it (a proposal).
CO2_MMHG, CO2_PER_BREATH, CO2_SPAN, USUAL_RATE = 38.0, 1.2, (20.0, 70.0), 14.0
LIMITS = (60, 15, 30, 5, 8, 100, 88, 130, 50)
END_OF_BREATH = 0x08
SENSORS = {"off": 0x20, "unplugged": 0x40, "searching": 0x01}
SPO2_LOW = 0x04


class Twin:
    """The monitor, its line under one nose and its probe on one finger."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` says how wrong its clock is."""
        unit = checked("capnostream", options, OPTIONS).get("unit", "mmhg")
        if unit not in BY_NAME:
            raise ValueError(f"unit is one of {', '.join(BY_NAME)}, not {unit!r}")
        self._unit = BY_NAME[unit]
        self._patient = patient
        self._clock = DeviceClock(seed, jumps)
        self._rhythm = Rhythm(WAVE_EVERY_MS, seed * 137)
        self._messages = Messages()
        self._enabled = False
        self._talks_until_ms: int | None = None
        self._told_ms: int | None = None
        self._breath_ms: int | None = None
        self._waves = 0

    def due_ms(self) -> int:
        """The next sample of the wave."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The wave and the numbers since the last call, if a host keeps it talking."""
        sent = b""
        for at_ms in self._rhythm.passed(t_ms):
            breathes = (self._patient.respiration(at_ms) or 0) >= 1
            self._breath_ms = at_ms if breathes or self._breath_ms is None else self._breath_ms
            if self._talks_until_ms is None or at_ms >= self._talks_until_ms:
                continue
            sent += self._wave(at_ms)
            if self._told_ms is None or at_ms - self._told_ms >= NUMERICS_EVERY_MS:
                self._told_ms = at_ms
                sent += self._numerics(at_ms)
        return sent

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """It introduces itself to whoever enables it; all else is obeyed without a word."""
        answer = b""
        for order in self._messages.feed(data):
            if isinstance(order, Message):
                answer += self._obey(order.code, t_ms)
        return answer

    def _obey(self, code: int, t_ms: int) -> bytes:
        talks = self._talks_until_ms is not None and t_ms < self._talks_until_ms
        if code == ENABLE:
            self._enabled = True
            return encode_identity(IDENTITY)
        if (code == START_LIVE and self._enabled) or (code == ACTIVE and talks):
            self._talks_until_ms = t_ms + PATIENCE_MS
        elif code in {STOP_LIVE, DISABLE}:
            self._enabled = self._enabled and code != DISABLE
            self._talks_until_ms = None
        return b""

    def _wave(self, t_ms: int) -> bytes:
        self._waves += 1
        rate = self._patient.respiration(t_ms) or 0
        breath = t_ms * rate / 60_000 % 1
        # The second half of a breath is breathed out.
        co2 = self._shown(self._co2(t_ms)) if breath >= 0.5 else 0.0
        ends = END_OF_BREATH if rate and breath < rate * WAVE_EVERY_MS / 60_000 else 0
        return encode_wave(self._waves, co2, ends)

    def _numerics(self, t_ms: int) -> bytes:
        patient = self._patient
        rate, spo2, pulse = patient.respiration(t_ms), patient.spo2(t_ms), patient.pulse(t_ms)
        without_s = 0 if self._breath_ms is None else min(254, (t_ms - self._breath_ms) // 1000)
        alarms = SENSORS.get(patient.contact(t_ms).probe, 0)
        alarms |= SPO2_LOW if spo2 is not None and spo2 < LIMITS[6] else 0
        scale = 1 if self._unit == MMHG else 10
        limits = tuple(round(scale * self._shown(limit)) for limit in LIMITS[:2]) + LIMITS[2:]
        return encode_numerics(
            int(self._clock.at(t_ms).timestamp()),
            None if rate is None else round(scale * self._shown(self._co2(t_ms))),
            None if rate is None else round(rate),
            None if spo2 is None else round(spo2),
            None if pulse is None else round(pulse),
            co2_alarms=NO_BREATH if rate is not None and without_s >= ALARM_AFTER_S else 0,
            spo2_alarms=alarms,
            no_breath_s=0 if rate is None else without_s,
            limits=limits,
            unit=self._unit,
        )

    def _co2(self, t_ms: int) -> float:
        """End-tidal CO2 in mmHg; nothing where nobody breathes."""
        rate = self._patient.respiration(t_ms)
        if rate is None or rate < 1:
            return 0.0
        least, most = CO2_SPAN
        return min(most, max(least, CO2_MMHG + CO2_PER_BREATH * (USUAL_RATE - rate)))

    def _shown(self, mmhg: float) -> float:
        """A pressure in the unit it is set to."""
        return mmhg if self._unit == MMHG else mmhg / UNITS[self._unit][1]

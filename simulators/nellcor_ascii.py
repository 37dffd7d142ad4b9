"""A Nellcor N-560 printing in real time: a data line every 2 s, its header again every 25 lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.devices.codecs.nellcor_ascii import encode, encode_header
from simulators.patient import AnyPatient
from simulators.twin import MONTHS, DeviceClock, Rhythm, checked

OPTIONS: Mapping[str, str] = {}

HEADER_EVERY = 25
HELD_MS = 4_000
"""How long it searches for the pulse with the last digits held, before it says that the sensor is off."""

# The limits set on this monitor; they stand in its header, and a value past one gets a star.
SPO2_LOW, PULSE_LOW, PULSE_HIGH = 90, 50, 120


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` says how wrong its clock is."""
        checked("nellcor-ascii", options, OPTIONS)
        self._patient = patient
        self._clock = DeviceClock(seed, jumps)
        self._rhythm = Rhythm(2000, seed * 137)
        self._printed = 0

    def due_ms(self) -> int:
        """The next line."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The lines that have been printed since the last call."""
        page = b""
        for at_ms in self._rhythm.passed(t_ms):
            if self._printed % HEADER_EVERY == 0:
                page += encode_header(spo2=f"{SPO2_LOW}-100", pulse=f"{PULSE_LOW:3d}-{PULSE_HIGH}")
            self._printed += 1
            page += self._line(at_ms)
        return page

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  it does not listen
        """Nothing: it prints, whatever comes."""
        return b""

    def _line(self, t_ms: int) -> bytes:
        patient, stamp = self._patient, _stamp(self._clock.at(t_ms))
        contact = patient.contact(t_ms)
        if contact.probe == "unplugged":
            return encode(stamp, None, None, None, ("SD",))
        if contact.probe == "searching":
            return encode(stamp, 0, 0, None, ("PS",))
        if contact.probe == "off":
            spo2, pulse = patient.spo2(t_ms - HELD_MS), patient.pulse(t_ms - HELD_MS)
            held = spo2 is not None and pulse is not None
            return encode(stamp, spo2, pulse, None, ("PS",) if held else ("SO",))
        spo2, pulse = patient.spo2(t_ms), patient.pulse(t_ms)
        codes = ["MO"] if contact.motion else []
        if spo2 is not None and spo2 < SPO2_LOW:
            codes.append("SL")
        if pulse is not None and not PULSE_LOW <= pulse <= PULSE_HIGH:
            codes.append("PL" if pulse < PULSE_LOW else "PH")
        return encode(stamp, spo2, pulse, self._amplitude(t_ms), codes)

    def _amplitude(self, t_ms: int) -> int | None:
        """The unitless amplitude, 0 to 254, made from the perfusion index (a proposal: 12 a per cent)."""
        perfusion = self._patient.perfusion(t_ms)
        return None if perfusion is None else min(254, round(12 * perfusion))


def _stamp(time: datetime) -> str:
    # English months whatever the locale.
    return f"{time.day:02d}-{MONTHS[time.month - 1]}-{time:%y %H:%M:%S}"

"""A Masimo Rad-8 that is set to ASCII 1: one line every second, also with nothing attached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.devices.codecs.masimo_ascii1 import EXC_SET, Layout, encode
from simulators.patient import AnyPatient, Contact
from simulators.twin import DeviceClock, Rhythm, checked

OPTIONS = {"layout": '"rad8" (default), "rad87" or "rad5": which monitor\'s lines'}

HELD_MS = 3_000
"""The last digits stay for 2 to 5 s after the finger has gone, while EXC already says so (fact sheet, 6)."""

# EXC beside SET (fact sheet, 3).
EXC = {"on": 0, "off": 0x020, "unplugged": 0x001, "searching": 0x008}
LOW_PERFUSION, LOW_SIGNAL = 0x004, 0x400

# The monitor's own limits as it leaves the factory, and its ALARM bits (fact sheet, 4; physiology.md 4).
SPO2_LOW, PULSE_LOW, PULSE_HIGH = 88, 50, 140


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` is its serial number and how wrong its clock is."""
        chosen = checked("masimo-ascii1", options, OPTIONS).get("layout", "rad8")
        layouts = {"rad8": Layout.RAD8, "rad87": Layout.RAD87, "rad5": Layout.RAD5}
        if chosen not in layouts:
            raise ValueError(f"layout is one of {', '.join(layouts)}, not {chosen!r}")
        self._layout = layouts[chosen]
        self._patient = patient
        self._serial = f"{seed % 10_000_000_000:010d}"
        self._clock = DeviceClock(seed, jumps)
        self._rhythm = Rhythm(1000, seed * 137)

    def due_ms(self) -> int:
        """The next line."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The lines of the seconds that have passed."""
        return b"".join(self._line(at_ms) for at_ms in self._rhythm.passed(t_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  it does not listen
        """Nothing: in ASCII 1 the device only talks."""
        return b""

    def _line(self, t_ms: int) -> bytes:
        contact = self._patient.contact(t_ms)
        spo2, pulse = self._patient.spo2(t_ms), self._patient.pulse(t_ms)
        perfusion = self._patient.perfusion(t_ms) if contact.good else None
        if contact.probe == "off":
            spo2, pulse = self._patient.spo2(t_ms - HELD_MS), self._patient.pulse(t_ms - HELD_MS)
        return encode(
            _stamp(self._clock.at(t_ms)),
            spo2,
            pulse,
            None if perfusion is None else min(perfusion, 20.0),
            exc=_exc(contact),
            alarm=_alarm(spo2, pulse) if contact.good else 0,
            serial=self._serial,
            layout=self._layout,
        )


def _exc(contact: Contact) -> int:
    return (
        EXC_SET
        | EXC[contact.probe]
        | (LOW_PERFUSION if contact.weak else 0)
        | (LOW_SIGNAL if contact.good and contact.motion else 0)
    )


def _alarm(spo2: float | None, pulse: float | None) -> int:
    bits = 0
    if spo2 is not None and spo2 < SPO2_LOW:
        bits |= 0x0002
    if pulse is not None:
        bits |= 0x0004 if pulse > PULSE_HIGH else 0x0008 if pulse < PULSE_LOW else 0
    return bits | 0x0010 if bits else 0


def _stamp(time: datetime) -> str:
    return time.strftime("%m/%d/%y %H:%M:%S")

"""A Nonin oximeter: an Xpod with three packets a second, or one of the others with its own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.nonin_df2 import (
    ARTEFACT,
    DF8_ARTEFACT,
    DF8_DISCONNECTED,
    DF8_LOW,
    DF8_OUT_OF_TRACK,
    DISCONNECTED,
    GREEN,
    OUT_OF_TRACK,
    PACKET,
    RED,
    SENSOR_ALARM,
    encode_df8,
    encode_line,
    encode_packet,
)
from simulators.patient import AnyPatient, Contact
from simulators.twin import DeviceClock, Rhythm, checked

OPTIONS = {
    "format": '"df2" (default), "df7", "df8", or a bench unit that prints: "8500", "8600v", "9600"',
}

HELD_MS = 10_000
"""The numbers for a display stay for so long after the finger has gone (fact sheet, 2)."""

PACKET_EVERY_MS, SLOW_EVERY_MS = 333, 1_000
TITLE = b"NONIN MEDICAL\r\n"
"""What a bench unit prints when it is switched on; the real words are not known."""

BITS = {
    "on": 0,
    "off": SENSOR_ALARM | OUT_OF_TRACK,
    "searching": OUT_OF_TRACK,
    "unplugged": DISCONNECTED | SENSOR_ALARM,
}
BITS_DF8 = {
    "on": 0,
    "off": DF8_OUT_OF_TRACK,
    "searching": DF8_OUT_OF_TRACK,
    "unplugged": DF8_DISCONNECTED,
}


class Twin:
    """The oximeter on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` says how wrong the clock of an 8600V is."""
        chosen = str(checked("nonin-df2", options, OPTIONS).get("format", "df2"))
        forms = ("df2", "df7", "df8", "8500", "8600v", "9600")
        if chosen not in forms:
            raise ValueError(f"format is one of {', '.join(forms)}, not {chosen!r}")
        self._form = chosen
        self._patient = patient
        self._clock = DeviceClock(seed, jumps)
        every_ms = PACKET_EVERY_MS if chosen in {"df2", "df7"} else SLOW_EVERY_MS
        self._rhythm = Rhythm(every_ms, seed * 137)
        self._packets = 0
        self._titled = chosen in {"df2", "df7", "df8"}

    def due_ms(self) -> int:
        """The next packet, frame or line."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """What has been sent since the last call."""
        sent = b"" if self._titled else TITLE
        self._titled = True
        return sent + b"".join(self._told(at_ms) for at_ms in self._rhythm.passed(t_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  it does not listen
        """Nothing: it talks, whatever comes."""
        return b""

    def _told(self, t_ms: int) -> bytes:
        contact, numbers = self._patient.contact(t_ms), self._numbers(t_ms)
        match self._form:
            case "df2" | "df7":
                self._packets += 1
                pleth = self._packets * PACKET % 200
                shown = numbers if contact.good else self._numbers(t_ms - HELD_MS)
                status = _status(contact)
                return encode_packet(*numbers, shown=shown, status=status, pleth=pleth, form=self._form)
            case "df8":
                status = BITS_DF8[contact.probe] | (DF8_LOW if contact.weak else 0)
                return encode_df8(*numbers, status=status | (DF8_ARTEFACT if _moves(contact) else 0))
            case "8600v":
                return encode_line(*numbers, time=self._clock.at(t_ms).strftime("%H:%M:%S"))
            case "9600":
                return encode_line(*numbers, marks=" F")
            case _:
                return encode_line(*numbers)

    def _numbers(self, t_ms: int) -> tuple[int | None, int | None]:
        spo2, pulse = self._patient.spo2(t_ms), self._patient.pulse(t_ms)
        return None if spo2 is None else round(spo2), None if pulse is None else round(pulse)


def _status(contact: Contact) -> int:
    light = (RED if contact.weak else GREEN) if contact.good else 0
    return BITS[contact.probe] | light | (ARTEFACT if _moves(contact) else 0)


def _moves(contact: Contact) -> bool:
    return contact.good and contact.motion

"""A Contec CMS50: a V7.0 one that must be asked and kept talking, or an old one that never stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.contec_cms50 import (
    CONNECTED,
    NO_SPO2,
    PACKETS_A_SECOND,
    START,
    STOP,
    STOP_STORED,
    encode_live,
    encode_old,
    encode_packet,
    read_commands,
)
from simulators.patient import AnyPatient
from simulators.twin import Rhythm, checked

OPTIONS = {
    "protocol": '"v7" (default: firmware 4.6 and later) or "old" (up to 4.5)',
    "perfusion": "false for a V7.0 oximeter that knows no perfusion index (default true)",
}

EVERY_MS = 100
BURST = PACKETS_A_SECOND * EVERY_MS // 1000

FORGOTTEN_MS = 5_000
"""So long without a word from the host, and it stops: "a few seconds" says the fact sheet."""

IDENTIFIERS, FREE = 0xAA, 0x0C
USER = 0x04, b"user   "

SIGNAL, SIGNAL_WEAK, PLETH_OUT = 6, 1, 64


class Twin:
    """The oximeter on one finger."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Put it on. It sends no time, so nothing can be seen of its clock (`jumps`)."""
        del jumps
        chosen = checked("contec-cms50", options, OPTIONS).get("protocol", "v7")
        if chosen not in {"v7", "old"}:
            raise ValueError(f"protocol is one of v7, old, not {chosen!r}")
        self._old = chosen == "old"
        self._perfusion = bool(options.get("perfusion", True))
        self._patient = patient
        self._rhythm = Rhythm(EVERY_MS, seed * 137)
        self._talks_until_ms: int | None = None
        self._heard = b""
        self._packets = 0

    def due_ms(self) -> int:
        """The next few packets."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The packets since the last call; a V7.0 oximeter gives them only while somebody keeps listening."""
        return b"".join(self._burst(at_ms) for at_ms in self._rhythm.passed(t_ms) if self._talks(at_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the commands in these bytes; an old oximeter has no ear."""
        if self._old:
            return b""
        commands, self._heard = read_commands(self._heard + data)
        return b"".join(self._answer(command, t_ms) for command in commands)

    def _answer(self, command: int, t_ms: int) -> bytes:
        match command:
            case _ if command == START or (command == CONNECTED and self._talks(t_ms)):
                self._talks_until_ms = t_ms + FORGOTTEN_MS
            case _ if command == STOP:
                self._talks_until_ms = None
            case _ if command == STOP_STORED:
                return encode_packet(FREE)
            case _ if command == IDENTIFIERS:
                return encode_packet(USER[0], USER[1])
        return b""

    def _talks(self, t_ms: int) -> bool:
        return self._old or (self._talks_until_ms is not None and t_ms < self._talks_until_ms)

    def _burst(self, t_ms: int) -> bytes:
        return b"".join(self._packet(t_ms) for _ in range(BURST))

    def _packet(self, t_ms: int) -> bytes:
        contact = self._patient.contact(t_ms)
        spo2, pulse = self._patient.spo2(t_ms), self._patient.pulse(t_ms)
        saturation = None if spo2 is None else round(spo2)
        rate = None if pulse is None else round(pulse)
        signal = SIGNAL_WEAK if contact.weak or contact.motion else SIGNAL
        self._packets += 1
        pleth = self._packets % 100 if contact.good else PLETH_OUT
        out = contact.probe in {"off", "unplugged"}
        searching = contact.probe == "searching"
        if self._old:
            # With the finger out the rate may read 127, its bit 7 clear, instead of 255 (fact sheet, A).
            rate = NO_SPO2 if out else rate
            return encode_old(
                saturation, rate, pleth=pleth, signal=signal, no_finger=out, searching=searching
            )
        perfusion = self._patient.perfusion(t_ms) if contact.good and self._perfusion else None
        return encode_live(
            saturation, rate, perfusion, pleth=pleth, signal=signal, no_finger=out, searching=searching
        )

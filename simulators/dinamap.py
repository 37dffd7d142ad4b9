"""A GE CARESCAPE V100 on its host port: it speaks only when asked, and measures on its own cycle too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.dinamap import (
    CANCEL,
    NIBP,
    OXIMETER,
    RATE,
    RATE_FROM_CUFF,
    START,
    TEMPERATURE,
    decode_question,
    encode_echo,
    encode_nibp,
    encode_oximeter,
    encode_rate,
    encode_temperature,
)
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import checked, cycle_of

OPTIONS = {
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is a monitor without one",
    "oximeter": "false for a monitor whose own probe lies in the drawer (default true)",
}

LINE_MAX = 64
AGE_NONE = 9999

# Fact sheet 5, NA, field a.
BUSY, DONE = 0, 1
FAILED = {"failed": 3, "pump-up timeout": 4, "timeout": 6}

# Fact sheet 5, OA, field a.
STANDBY, WORKING = 0, 1
NO_PROBE = {"off": 3, "searching": 3, "unplugged": 6}

TEMPERATURE_EVERY_MS = 900_000
CELSIUS_WHEN_UNKNOWN = 37.0


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it. It sends no time, so nothing can be seen of its clock (`jumps`) or its `seed`."""
        del seed, jumps
        checked("dinamap", options, OPTIONS)
        self._patient = patient
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._oximeter = bool(options.get("oximeter", True))
        self._buffer = b""
        self._status = DONE
        self._last: Taken | None = None

    def due_ms(self) -> int:
        """Never by itself: everything is worked out when it is asked."""
        return 2**62

    def tick(self, t_ms: int) -> bytes:
        """Let the cuff go on. Nothing is sent that was not asked for."""
        self._go_on(t_ms)
        return b""

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the questions in these bytes: CR, CR LF or CR on both sides of them all do."""
        self._go_on(t_ms)
        *lines, self._buffer = (self._buffer + data).split(b"\r")
        self._buffer = self._buffer[-LINE_MAX:]
        return b"".join(self._answer(line.strip(b"\n"), t_ms) for line in lines)

    def _answer(self, line: bytes, t_ms: int) -> bytes:
        answers = {
            NIBP: self._pressure,
            OXIMETER: self._saturation,
            RATE: self._rate,
            TEMPERATURE: self._temperature,
            START: self._ordered,
            CANCEL: self._cancelled,
        }
        question = decode_question(line)
        # An empty line, a wrong checksum, an unknown command: silence (fact sheet, 7).
        return b"" if question is None else answers[question](t_ms)

    def _ordered(self, t_ms: int) -> bytes:
        self._cuffs.start(t_ms)
        return encode_echo(START)

    def _cancelled(self, t_ms: int) -> bytes:  # noqa: ARG002  answered as the others are
        if self._cuffs.cancel():
            self._status = FAILED["failed"]
        return encode_echo(CANCEL)

    def _pressure(self, t_ms: int) -> bytes:
        status = BUSY if self._cuffs.running else self._status
        result = None if self._last is None else self._last.result
        if result is None or result.systolic is None or result.diastolic is None or result.mean is None:
            return encode_nibp(AGE_NONE, 0, 0, 0, status=status)
        age_s = (t_ms - self._last.at_ms) // 1000 if self._last else AGE_NONE
        return encode_nibp(age_s, result.systolic, result.diastolic, result.mean, status=status)

    def _saturation(self, t_ms: int) -> bytes:
        if not self._oximeter:
            return encode_oximeter(None, status=STANDBY, signal=0)
        contact = self._patient.contact(t_ms)
        spo2 = self._patient.spo2(t_ms)
        if not contact.good or spo2 is None:
            return encode_oximeter(None, status=NO_PROBE.get(contact.probe, NO_PROBE["off"]), signal=0)
        return encode_oximeter(spo2, status=WORKING, signal=1 if contact.motion or contact.weak else 5)

    def _rate(self, t_ms: int) -> bytes:
        pulse = self._patient.pulse(t_ms) if self._oximeter else None
        if pulse is not None:
            return encode_rate(pulse)
        return encode_rate(None if self._last is None else self._last.result.pulse, source=RATE_FROM_CUFF)

    def _temperature(self, t_ms: int) -> bytes:
        taken, since_ms = divmod(t_ms, TEMPERATURE_EVERY_MS)
        celsius = self._patient.temperature(t_ms - since_ms)
        if celsius is None:
            return encode_temperature(99_999, CELSIUS_WHEN_UNKNOWN)
        # The counter is one character from blank to `~`, a step for each determination.
        return encode_temperature(since_ms // 1000, celsius, counter=chr(32 + taken % 95))

    def _go_on(self, t_ms: int) -> None:
        for taken in self._cuffs.go_on(t_ms):
            if taken.result.failed is not None:
                self._status = FAILED[taken.result.failed]
            else:
                self._status, self._last = DONE, taken

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
from simulators.patient import AnyPatient, CuffResult
from simulators.twin import CATCH_UP_MS, checked

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
        self._cycle_ms = round(1000 * float(options.get("cycle_s", 300)))
        self._oximeter = bool(options.get("oximeter", True))
        self._buffer = b""
        self._now_ms: int | None = None
        self._status = DONE
        self._started_ms: int | None = None
        self._running: CuffResult | None = None
        self._last: CuffResult | None = None
        self._last_at_ms = 0

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
        if self._running is None:
            self._start(t_ms)
        return encode_echo(START)

    def _cancelled(self, t_ms: int) -> bytes:  # noqa: ARG002  answered as the others are
        if self._running is not None:
            self._running, self._status = None, FAILED["failed"]
        return encode_echo(CANCEL)

    def _pressure(self, t_ms: int) -> bytes:
        last = self._last
        if last is None or last.systolic is None or last.diastolic is None or last.mean is None:
            return encode_nibp(AGE_NONE, 0, 0, 0, status=self._status)
        age_s = (t_ms - self._last_at_ms) // 1000
        return encode_nibp(age_s, last.systolic, last.diastolic, last.mean, status=self._status)

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
        return encode_rate(None if self._last is None else self._last.pulse, source=RATE_FROM_CUFF)

    def _temperature(self, t_ms: int) -> bytes:
        taken, since_ms = divmod(t_ms, TEMPERATURE_EVERY_MS)
        celsius = self._patient.temperature(t_ms - since_ms)
        if celsius is None:
            return encode_temperature(99_999, CELSIUS_WHEN_UNKNOWN)
        # The counter is one character from blank to `~`, a step for each determination.
        return encode_temperature(since_ms // 1000, celsius, counter=chr(32 + taken % 95))

    def _go_on(self, t_ms: int) -> None:
        """Finish and begin cuffs up to now, each at its own instant."""
        if self._now_ms is None:
            # It has been measuring before anybody plugged a cable in.
            self._now_ms = t_ms - max(self._cycle_ms, 300_000) - 2 * CATCH_UP_MS - 60_000
        while self._now_ms < t_ms:
            self._now_ms = self._step(self._now_ms, t_ms)

    def _step(self, from_ms: int, to_ms: int) -> int:
        if self._running is not None and self._started_ms is not None:
            end_ms = self._started_ms + self._running.takes_ms
            if end_ms <= to_ms:
                self._finish(self._running, end_ms)
                return max(from_ms, end_ms)
            return to_ms
        start_ms = self._patient.next_cuff_ms(from_ms, self._cycle_ms)
        if start_ms is None or start_ms > to_ms:
            return to_ms
        self._start(start_ms)
        return start_ms

    def _start(self, t_ms: int) -> None:
        self._running = self._patient.cuff(t_ms, self._started_ms)
        self._started_ms, self._status = t_ms, BUSY

    def _finish(self, result: CuffResult, at_ms: int) -> None:
        self._running = None
        if result.failed is not None:
            self._status = FAILED[result.failed]
            return
        self._status, self._last, self._last_at_ms = DONE, result, at_ms

"""A SunTech module in its box: it does what it is told, and speaks by itself only when a reading is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.suntech import (
    ABORT,
    ABORTED,
    ASLEEP,
    BUSY,
    DONE,
    FETCH,
    HOST,
    POLL,
    START,
    STARTED,
    encode_packet,
    encode_pressure,
    encode_result,
)
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import checked

OPTIONS = {"asleep": "true for a module that sleeps until it is first spoken to twice (default false)"}

COMMANDS = (START, ABORT, FETCH, POLL)
LONGEST = max(map(len, COMMANDS))
UNREADABLE = b"D"

# Fact sheet 2: the error codes for what a patient model calls a failure.
FAILED = {"failed": 0x02, "pump-up timeout": 0x57, "timeout": 0x04}
BEATS, FINISHED = 24, 1


class Twin:
    """The module on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it. It has no clock (`jumps`); `seed` says how far off its zero is."""
        del jumps
        checked("suntech", options, OPTIONS)
        self._cuffs = Cuffs(patient, 0)
        self._zero_mmhg = seed % 4
        self._asleep = bool(options.get("asleep", False))
        self._last: Taken | None = None
        self._buffer = b""

    def due_ms(self) -> int:
        """The end of a running reading."""
        return self._cuffs.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The letter at the end of a reading."""
        ended = self._cuffs.go_on(t_ms)
        if ended:
            self._last = ended[-1]
        return encode_packet(DONE) * len(ended)

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the commands in these bytes; a letter where one cannot be read."""
        sent = self.tick(t_ms)
        self._buffer += data
        while (begin := self._buffer.find(HOST)) >= 0:
            self._buffer = self._buffer[begin:]
            command = next((c for c in COMMANDS if self._buffer.startswith(c)), None)
            if command is None:
                if len(self._buffer) < LONGEST:
                    return sent
                self._buffer = self._buffer[1:]
                sent += encode_packet(UNREADABLE)
                continue
            self._buffer = self._buffer[len(command) :]
            sent += self._answer(command, t_ms)
        self._buffer = b""
        return sent

    def _answer(self, command: bytes, t_ms: int) -> bytes:
        if self._asleep and command == START:
            self._asleep = False
            return encode_packet(ASLEEP)
        if command == START:
            return encode_packet(STARTED if self._cuffs.start(t_ms) else BUSY)
        if command == ABORT:
            return encode_packet(ABORTED if self._cuffs.cancel() else DONE)
        if command == POLL:
            return encode_pressure(self._cuffs.pressure_mmhg(t_ms) + self._zero_mmhg)
        return self._result()

    def _result(self) -> bytes:
        result = None if self._last is None else self._last.result
        if result is None:
            return encode_result()
        if result.failed is not None:
            return encode_result(error=FAILED[result.failed])
        return encode_result(
            result.systolic or 0,
            result.diastolic or 0,
            result.mean or 0,
            result.pulse or 0,
            beats=BEATS,
            status=FINISHED,
        )

"""A PAR NIBP module: the cuff's pressure while it measures, `999` at the end, its status if asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.par_nibp import (
    COMBO,
    END,
    FAULTY,
    LIMITS,
    MANUAL,
    MEASURE,
    NO_FINGER,
    PLAIN,
    RUNNING,
    STANDBY,
    STATUS,
    STOP,
    encode_command,
    encode_oximeter,
    encode_pressure,
    encode_status,
    encode_word,
)
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import Rhythm, checked

OPTIONS = {"board": '"nibp" (default), or "combo" for the board with an oximeter'}

COMMAND = re.compile(rb"X|[\x02\xfd](\d\d);;[0-9A-F]{2}[\x03\xfe]")
LONGEST = 8
STREAM_MS, OXIMETER_MS = 300, 1_000

# Fact sheet 3, M, for what a patient model calls a failure.
FAILED = {"failed": 11, "pump-up timeout": 6, "timeout": 9}
CYCLE_CODES = 11


class Twin:
    """The module on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it. It has no clock (`jumps`); `seed` says which cycle somebody had set in it."""
        del jumps
        board = checked("par-nibp", options, OPTIONS).get("board", PLAIN)
        if board not in LIMITS:
            raise ValueError(f"board is one of {', '.join(LIMITS)}, not {board!r}")
        self._board = str(board)
        self._patient = patient
        self._cuffs = Cuffs(patient, 0)
        self._cycle = seed % CYCLE_CODES
        self._stream = Rhythm(STREAM_MS, 0)
        self._packets = Rhythm(OXIMETER_MS, seed * 137)
        self._index = 0
        self._last: Taken | None = None
        self._begun = False
        self._buffer = b""

    def due_ms(self) -> int:
        """The next word."""
        dues = [self._cuffs.due_ms()]
        dues += [self._stream.due_ms()] if self._cuffs.running else []
        dues += [self._packets.due_ms()] if self._board == COMBO else []
        return min(dues)

    def tick(self, t_ms: int) -> bytes:
        """What it says by itself: its status at power-up, the pressure while it measures, and the end."""
        sent = b"" if self._begun else self._status()
        self._begun = True
        # Looked at in order: the last pressure comes before the end.
        if self._cuffs.running:
            for at_ms in self._stream.passed(t_ms):
                if mmhg := self._cuffs.pressure_mmhg(at_ms):
                    sent += encode_pressure(mmhg, board=self._board)
        if ended := self._cuffs.go_on(t_ms):
            self._last = ended[-1]
            sent += encode_word(END.decode("ascii"), self._board)
        if self._board == COMBO:
            sent += b"".join(self._oximeter(at_ms) for at_ms in self._packets.passed(t_ms))
        return sent

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """What it answers: nothing, but to the question for its status."""
        sent = self.tick(t_ms)
        self._buffer += data
        while found := COMMAND.search(self._buffer):
            self._buffer = self._buffer[found.end() :]
            sent += self._answer(found, t_ms)
        self._buffer = self._buffer[-LONGEST:]
        return sent

    def _answer(self, found: re.Match[bytes], t_ms: int) -> bytes:
        if found[0] == STOP:
            self._cuffs.cancel()
            return b""
        code = found[1].decode("ascii")
        # While it measures it hears nothing but the stop (fact sheet, 1).
        if self._cuffs.running or found[0] != encode_command(code, self._board):
            return b""
        if code == STATUS:
            return self._status()
        if code == MANUAL:
            self._cycle = 0
        elif code == MEASURE:
            self._cuffs.start(t_ms)
            list(self._stream.passed(t_ms))
        return b""

    def _status(self) -> bytes:
        result = None if self._last is None else self._last.result
        if result is None:
            return encode_status(cycle=self._cycle, board=self._board)
        if result.failed is not None:
            return encode_status(
                state=FAULTY, message=FAILED[result.failed], cycle=self._cycle, board=self._board
            )
        numbers = result.systolic, result.diastolic, result.mean, result.pulse
        state = RUNNING if self._cuffs.running else STANDBY
        return encode_status(*numbers, state=state, cycle=self._cycle, board=self._board)

    def _oximeter(self, t_ms: int) -> bytes:
        spo2, pulse = self._patient.spo2(t_ms), self._patient.pulse(t_ms)
        self._index = (self._index + 1) % 256
        return encode_oximeter(
            None if spo2 is None else round(spo2),
            None if pulse is None else round(pulse),
            index=self._index,
            status=0 if self._patient.contact(t_ms).good else NO_FINGER,
        )

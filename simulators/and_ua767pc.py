"""A UA-767PC on somebody's arm: asleep until it is woken, started by wire or by its button."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.and_ua767pc import (
    END,
    FAILED,
    NAK,
    OPEN,
    START,
    WAKE,
    encode_answer,
    encode_result,
)
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import checked, cycle_of

OPTIONS = {"cycle_s": "how often somebody presses its button, in seconds (default 300); 0 is nobody"}

COMMAND = re.compile(b"|".join(map(re.escape, (OPEN, END, START, WAKE))), re.DOTALL)
LONGEST = len(START)
SLEEPS_AFTER_MS = 60_000

# What the codes mean is not known.
CODES = dict(zip(("failed", "pump-up timeout", "timeout"), FAILED, strict=True))


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
        checked("and-ua767pc", options, OPTIONS)
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._begun_ms: int | None = None
        self._woken_ms: int | None = None
        self._buffer = b""

    def due_ms(self) -> int:
        """The end of a running reading, or the next press of the button."""
        return self._cuffs.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The results of the readings that have ended: ten digits each, and nothing around them."""
        if self._begun_ms is None:
            self._begun_ms = t_ms
        return b"".join(_digits(taken) for taken in self._cuffs.go_on(t_ms) if taken.at_ms >= self._begun_ms)

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the commands in these bytes: none to the first one after its sleep."""
        sent = self.tick(t_ms)
        self._buffer += data
        while found := COMMAND.search(self._buffer):
            self._buffer = self._buffer[found.end() :]
            asleep = self._woken_ms is None or t_ms - self._woken_ms >= SLEEPS_AFTER_MS
            if found[0] == WAKE:
                continue
            self._woken_ms = t_ms
            if not asleep:
                sent += self._answer(found[0], t_ms)
        self._buffer = self._buffer[-LONGEST:]
        return sent

    def _answer(self, command: bytes, t_ms: int) -> bytes:
        if command == START and not self._cuffs.start(t_ms):
            return encode_answer(NAK)
        return encode_answer()


def _digits(taken: Taken) -> bytes:
    result = taken.result
    if result.failed is not None:
        return encode_result(code=CODES[result.failed])
    return encode_result(result.systolic or 0, result.diastolic or 0, result.pulse or 0)

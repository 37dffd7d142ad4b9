"""A TM-2655P in its corner: started by wire or by its button, and the last result for whoever asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.and_tm2655p import RECALL, START, STOP, encode_answer, encode_result
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import DeviceClock, checked, cycle_of

OPTIONS = {
    "cycle_s": "how often somebody presses its button, in seconds (default 0: nobody does)",
    "push": "true for one that sends the results of its button by itself (default false)",
}

COMMAND = re.compile(b"|".join(map(re.escape, (START, STOP, RECALL))), re.DOTALL)
LONGEST = len(START)

# The list of codes is not public: these are made up.
FAILED = {"failed": "E07", "pump-up timeout": "E11", "timeout": "E21"}
BEFORE_MS = 600_000
"""How long ago the reading was taken that stands in it at first: somebody else's."""


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
        checked("and-tm2655p", options, OPTIONS)
        self._patient = patient
        self._cuffs = Cuffs(patient, cycle_of({"cycle_s": 0, **options}))
        self._clock = DeviceClock(seed, jumps)
        self._push = bool(options.get("push", False))
        self._ordered = False
        self._last: Taken | None = None
        self._buffer = b""

    def due_ms(self) -> int:
        """The end of a running reading, or the next press of the button."""
        return self._cuffs.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The result of a reading that was started by wire; of its button only where it is set so."""
        sent = b""
        for taken in self._cuffs.go_on(t_ms):
            self._last = taken
            if self._ordered or self._push:
                sent += self._result(taken)
            self._ordered = False
        return sent

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the commands in these bytes; to anything else it is silent."""
        sent = self.tick(t_ms)
        self._buffer += data
        while found := COMMAND.search(self._buffer):
            self._buffer = self._buffer[found.end() :]
            sent += self._answer(found[0], t_ms)
        self._buffer = self._buffer[-LONGEST:]
        return sent

    def _answer(self, command: bytes, t_ms: int) -> bytes:
        if command == STOP:
            self._cuffs.cancel()
            self._ordered = False
            return encode_answer()
        if self._cuffs.running:
            return encode_answer(taken=False)
        if command == START:
            self._ordered = self._cuffs.start(t_ms)
            return encode_answer()
        if self._last is None:
            before_ms = t_ms - BEFORE_MS
            self._last = Taken(self._patient.cuff(before_ms, None), before_ms)
        return encode_answer() + self._result(self._last)

    def _result(self, taken: Taken) -> bytes:
        time, result = self._clock.at(taken.at_ms).strftime("%y%m%d%H%M"), taken.result
        if result.failed is not None:
            return encode_result(time=time, error=FAILED[result.failed])
        return encode_result(result.systolic, result.diastolic, result.mean, result.pulse, time=time)

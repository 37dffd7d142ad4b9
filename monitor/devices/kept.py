"""A stream that is kept: the bytes as they came in one file, and in `FILE.times` beside it when each came.

The bytes stay what they were on the wire: any tool can read them, and any tool's capture can be read. A row
of the times is `MS < SIZE`, so many bytes came so long after listening began, or `MS > SIZE`, so many were
written to the device. Messages (MQTT) carry their time in their own line and have no second file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

SUFFIX, TIMES_SUFFIX = ".raw", ".times"

ROW = re.compile(r"(\d{1,12}) ([<>]) (\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Turn:
    """One row: who spoke, when in ms since listening began, and how many bytes."""

    at_ms: int
    size: int
    host: bool = False


class Keeper:
    """Keeps what comes, and when; without files it keeps nothing."""

    def __init__(self, raw: BinaryIO | None, times: BinaryIO | None, began_ms: int) -> None:
        """`began_ms` is when listening began, by the clock of all later times."""
        self._raw, self._times, self._began_ms = raw, times, began_ms

    def came(self, data: bytes, at_ms: int) -> None:
        """The device has said this."""
        if self._raw is not None and data:
            self._raw.write(data)
            self._row(Turn(at_ms - self._began_ms, len(data)))

    def written(self, data: bytes, at_ms: int) -> None:
        """This was written to the device: it is counted, and not kept."""
        if self._raw is not None:
            self._row(Turn(at_ms - self._began_ms, len(data), host=True))

    def _row(self, turn: Turn) -> None:
        if self._times is not None:
            self._times.write(f"{turn.at_ms} {'>' if turn.host else '<'} {turn.size}\n".encode("ascii"))


def read_times(text: str) -> list[Turn]:
    """The rows of a `.times` file. A ValueError says which row is none, or goes back in time."""
    turns: list[Turn] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = ROW.fullmatch(line)
        if found is None:
            raise ValueError(f"row {number} is not MS < SIZE or MS > SIZE")
        turn = Turn(int(found[1]), int(found[3]), host=found[2] == ">")
        if turns and turn.at_ms < turns[-1].at_ms:
            raise ValueError(f"row {number} goes back in time")
        turns.append(turn)
    return turns

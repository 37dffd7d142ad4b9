"""A long array of envelopes read in one go, as columns: all of them plain and alike, or no answer at all.

What is not plain here (a word or null for a value, a field more, other keys in one of them) may still be read
one by one, with its own words: so nothing is ever refused here, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, lt
from typing import Any, NamedTuple

import msgspec

from monitor.devices.framing import MESSAGE_MAX

ROWS_MIN = 16
"""In a shorter array there is little to win."""

BYTES_MIN = ROWS_MIN * len(b'{"t":0,"v":{"k":0}},')
"""No array of so many envelopes is shorter."""


class Table(NamedTuple):
    """`columns[k][i]` is the number under `keys[k]` at `times[i]`; the times rise."""

    times: tuple[int, ...]
    keys: tuple[str, ...]
    columns: tuple[tuple[float, ...], ...]


class Envelopes:
    """Reads arrays of one kind of envelope: an object of numbers in one place, a whole number in another."""

    def __init__(self, values: Sequence[str], time: Sequence[str]) -> None:
        """The paths to the values and to the time. ValueError where both are in one part of the envelope."""
        if not values or not time or values[0] == time[0]:
            raise ValueError("the values and their time must stand in different fields")
        row = msgspec.defstruct(
            "Envelope",
            [("time", _within(time[1:], int)), ("values", _within(values[1:], dict[str, float]))],
            rename={"time": time[0], "values": values[0]},
            forbid_unknown_fields=True,
            gc=False,
        )
        # Nothing may be skipped: what is skipped is not checked, and a message is whole or it is no JSON.
        self._read: Any = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        self._time = attrgetter(".".join(["time", *("it" for _ in time[1:])]))
        self._values = attrgetter(".".join(["values", *("it" for _ in values[1:])]))

    def read(self, payload: bytes) -> Table | None:
        """The array, or None where it is short, or any of it must be looked at one by one."""
        if not BYTES_MIN <= len(payload) <= MESSAGE_MAX or not payload.startswith(b"["):
            return None
        try:
            rows = self._read.decode(payload)
        except (ValueError, RecursionError):
            return None
        if len(rows) < ROWS_MIN:
            return None
        times = tuple(map(self._time, rows))
        values: list[dict[str, float]] = [*map(self._values, rows)]
        keys = tuple(values[0])
        if not keys or any(tuple(row) != keys for row in values) or not all(map(lt, times, times[1:])):
            return None
        return Table(times, keys, tuple(zip(*[row.values() for row in values], strict=True)))


def _within(path: Sequence[str], innermost: Any) -> Any:
    """The type of what holds `innermost` under these keys, and nothing else."""
    for key in reversed(path):
        innermost = msgspec.defstruct(
            "Part", [("it", innermost)], rename={"it": key}, forbid_unknown_fields=True, gc=False
        )
    return innermost

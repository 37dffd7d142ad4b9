"""The valid values of one treatment session, thinned and bounded: what `Seen.samples` is made of. Pure.

A session asks for the value nearest to a time, the median of some minutes and the newest value: one a quarter
of a minute and always the newest are enough for all three. What a device said is not in the journal, so after
a restart only what was typed is known. That can only withhold: a baseline, a check or the readiness list that
lacks a value says which, and nothing is ever granted for want of one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from monitor.model import Device, Quality, Reading, Readings, Vital, VitalTyped
from monitor.sessions.due import VITALS
from monitor.treatment import Measured

THIN_MS = 15_000
"""Of one vital the values that are kept are at least so far apart, but for the newest."""

KEPT_MS = 3_600_000
"""For so long: longer than the window of a check (35 min after the first device to 45 after the last)."""

MOST = KEPT_MS // THIN_MS + 1
"""So many values of one vital at most, whatever its device does with time."""

TYPED_MOST = 500
"""So many values taken by hand at most; none of them is thinned out."""

WANTED = frozenset(vital for vitals in VITALS.values() for vital in vitals)
"""The vitals that a session asks about."""


class Samples:
    """The valid values of one patient, each with who measured it; see the module."""

    def __init__(self) -> None:
        """Nothing has been measured."""
        self._kept: dict[Vital, deque[Measured]] = {}
        self._newest: dict[Vital, Measured] = {}
        self._typed: deque[Measured] = deque(maxlen=TYPED_MOST)

    def hears(self, reading: Reading) -> None:
        """A live reading of the device that speaks for its vital; what is doubted is not taken."""
        if reading.value is not None and reading.quality is Quality.VALID and reading.vital in WANTED:
            self._keep(reading.vital, reading.value, reading.at_ms, reading.device)

    def hears_table(self, table: Readings) -> None:
        """Live readings of which none is doubted."""
        times_ms = table.times_ms
        for vital, column in zip(table.vitals, table.columns, strict=True):
            at = 0 if vital in WANTED else len(times_ms)
            while at < len(times_ms):
                self._keep(vital, column[at], times_ms[at], table.device)
                # What comes sooner would not be kept, but for the last of all.
                later = bisect_left(times_ms, times_ms[at] + THIN_MS, at + 1)
                at = later if at == len(times_ms) - 1 else min(later, len(times_ms) - 1)

    def hears_typed(self, typed: VitalTyped) -> None:
        """A value taken by hand."""
        if typed.vital in WANTED:
            self._typed.append(Measured(typed.vital, typed.value, typed.at_ms, None, typed.by))

    def all(self) -> tuple[Measured, ...]:
        """Every value there is: of each vital the thin ones as they came, then the newest; by hand last."""
        kept = [one for kept in self._kept.values() for one in kept]
        newest = [one for vital, one in self._newest.items() if one is not self._kept[vital][-1]]
        return (*kept, *newest, *self._typed)

    def _keep(self, vital: Vital, value: float, at_ms: int, device: Device) -> None:
        measured = self._newest[vital] = Measured(vital, value, at_ms, device)
        kept = self._kept.setdefault(vital, deque(maxlen=MOST))
        if not kept or abs(at_ms - kept[-1].at_ms) >= THIN_MS:
            kept.append(measured)
            while at_ms - kept[0].at_ms > KEPT_MS:
                kept.popleft()

"""A GE CARESCAPE on its serial port: silent until it is asked, then a Basic record every few seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.datex_dri import (
    ACTIVE,
    DISPLAYED,
    FLAG,
    MEASURING,
    NOTHING,
    OLD,
    OLD_AFTER_MS,
    ONCE,
    PIECE_MAX,
    PRESENT,
    STOP,
    Order,
    encode_answer,
    read_order,
)
from monitor.devices.framing import Lines
from monitor.model import Fault
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import DeviceClock, checked, cycle_of

OPTIONS = {
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is a monitor without one",
    "level": "the level of its interface, 2 to 11 (default 10)",
    "stale": "true for one that leaves bytes behind the last descriptor, as old ones do (default false)",
}

# Fact sheet 8: the first record within a second, and never more often than every 5 s.
FIRST_MS = 500
INTERVAL_LEAST_S = 5
NEVER_MS = 2**62

WORKING = PRESENT | ACTIVE
FROM_ECG = 1 << 3
NOT_UPDATED = -32766
LABEL_RESERVED = 1  # set in every recording
T1 = 11
STALE = b"\xee\x02\x01" * 7


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
        checked("datex-dri", options, OPTIONS)
        level = options.get("level", 10)
        if isinstance(level, bool) or not isinstance(level, int) or not 2 <= level <= 11:
            raise ValueError("level is a whole number from 2 to 11")
        self._level = level
        self._stale = STALE if options.get("stale", False) else b""
        self._patient = patient
        self._clock = DeviceClock(seed, jumps)
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._pieces = Lines(PIECE_MAX, ends=bytes([FLAG]))
        self._every_ms: int | None = None
        self._due_ms = NEVER_MS
        self._number = 0
        self._last: Taken | None = None

    def due_ms(self) -> int:
        """The next record, if it was asked for any."""
        return self._due_ms

    def tick(self, t_ms: int) -> bytes:
        """The records that are due."""
        self._go_on(t_ms)
        if t_ms < self._due_ms:
            return b""
        self._due_ms = NEVER_MS if self._every_ms is None else t_ms + self._every_ms
        return self._record(t_ms)

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """Nothing at once: a request is obeyed, and what is none is ignored without a word."""
        for piece in self._pieces.feed(data):
            order = None if isinstance(piece, Fault) else read_order(piece)
            # Trends would need a patient case; alone they are never sent (fact sheet, 4).
            if order is not None and order.record_type == DISPLAYED:
                self._obey(order, t_ms)
        return b""

    def _obey(self, order: Order, t_ms: int) -> None:
        if order.interval_s == STOP:
            self._every_ms, self._due_ms = None, NEVER_MS
            return
        if order.interval_s == ONCE:
            self._every_ms = None
        else:
            self._every_ms = 1000 * max(order.interval_s, INTERVAL_LEAST_S)
        self._due_ms = t_ms + FIRST_MS

    def _record(self, t_ms: int) -> bytes:
        seconds = round(self._clock.at(t_ms).timestamp())
        self._number = (self._number + 1) % 256
        patient = self._patient
        rate = _whole(patient.heart_rate(t_ms))
        ecg = (WORKING | FROM_ECG, 0, rate, NOTHING, NOTHING, NOTHING, _whole(patient.respiration(t_ms)))
        groups = {
            "ecg": ecg,
            "nibp": self._pressure(t_ms),
            "t1": (WORKING, T1, _hundredths(patient.temperature(t_ms))),
            "spo2": self._saturation(t_ms),
        }
        return encode_answer(
            groups,
            level=self._level,
            number=self._number,
            sent_at=seconds,
            time=seconds,
            extra=(rate, NOTHING, NOTHING),
            subtype=(self._level << 4) + DISPLAYED,
            behind=self._stale,
        )

    def _saturation(self, t_ms: int) -> Sequence[int]:
        if not self._patient.contact(t_ms).good:
            return WORKING, 0, NOTHING, NOT_UPDATED, NOTHING, NOTHING
        spo2, pulse = self._patient.spo2(t_ms), self._patient.pulse(t_ms)
        amplitude = _hundredths(self._patient.perfusion(t_ms))
        return WORKING, 0, _hundredths(spo2), _whole(pulse), amplitude, NOTHING

    def _pressure(self, t_ms: int) -> Sequence[int]:
        label = LABEL_RESERVED | (MEASURING if self._cuffs.running else 0)
        if self._last is None:
            return WORKING, label, NOTHING, NOTHING, NOTHING, NOTHING
        if t_ms - self._last.at_ms > OLD_AFTER_MS:
            label |= OLD
        result = self._last.result
        pressures = [_hundredths(value) for value in (result.systolic, result.diastolic, result.mean)]
        return WORKING, label, *pressures, _whole(result.pulse)

    def _go_on(self, t_ms: int) -> None:
        for taken in self._cuffs.go_on(t_ms):
            self._last = taken


def _whole(value: float | None) -> int:
    return NOTHING if value is None else round(value)


def _hundredths(value: float | None) -> int:
    return NOTHING if value is None else round(100 * value)

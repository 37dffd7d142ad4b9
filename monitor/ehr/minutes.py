"""What an EHR is told of a patient's numbers while the session lasts: medians, and what people took. Pure.

The ward is looked at again and again; at the end of each stretch every vital that a device measures at the
bed has one value, the median of its valid ones, or none and the reason. No session is told another's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from monitor.model import Device, Quality, Staff, Vital
from monitor.records.charted import SPOT_ONLY, Value
from monitor.records.codes import CUFF
from monitor.records.hl7_out import Visit
from monitor.snapshot import BedNow, Snapshot, VitalNow

OF_CUFF = frozenset({*CUFF, Vital.PULSE_NIBP})
"""Comes with its cuff reading, from the journal."""


@dataclass(slots=True)
class _Heard:
    """One vital of one device in one stretch."""

    values: list[float] = field(default_factory=list)
    newest_ms: int = -1
    quality: Quality = Quality.MISSING
    why: str = ""


@dataclass(slots=True)
class _Stretch:
    """One session in one stretch."""

    visit: Visit
    vitals: dict[tuple[Vital, Device], _Heard] = field(default_factory=dict)
    spots: list[Value] = field(default_factory=list)


class Minutes:
    """Gathers, stretch by stretch."""

    def __init__(self, every_ms: int) -> None:
        """Nothing has been seen; a stretch begins wherever `every_ms` divides the time."""
        self._every_ms = every_ms
        self._from_ms: int | None = None
        self._open: dict[int, _Stretch] = {}
        self._spots_ms: dict[tuple[int, Vital], int] = {}

    def look(self, ward: Snapshot) -> list[tuple[Visit, tuple[Value, ...]]]:
        """Take in what the ward shows now; whom there is something to tell of, at the end of a stretch."""
        from_ms = ward.at_ms - ward.at_ms % self._every_ms
        told = [] if self._from_ms in {None, from_ms} else self._close()
        self._from_ms = from_ms
        for bed in ward.beds:
            if bed.session is not None:
                self._take(bed, ward.at_ms)
        return told

    def _take(self, bed: BedNow, now_ms: int) -> None:
        session = bed.session
        if session is None:
            return
        visit = Visit(session.session, session.alias, bed.bed, bed.place)
        stretch = self._open.setdefault(session.session, _Stretch(visit))
        for now in bed.vitals:
            if now.vital in OF_CUFF or now.at_ms < session.opened_at_ms:
                continue
            if now.by is not None or now.vital in SPOT_ONLY:
                self._spot(stretch, now)
            elif now.device is not None:
                _hear(stretch.vitals.setdefault((now.vital, now.device), _Heard()), now, now_ms)

    def _spot(self, stretch: _Stretch, now: VitalNow) -> None:
        key = (stretch.visit.session, now.vital)
        if now.value is not None and self._spots_ms.get(key) != now.at_ms:
            self._spots_ms[key] = now.at_ms
            device: Device | None = None if now.by is not None else now.device
            stretch.spots.append(_spot(now, device, now.by))

    def _close(self) -> list[tuple[Visit, tuple[Value, ...]]]:
        from_ms = self._from_ms or 0
        told = [
            (stretch.visit, (*stretch.spots, *_medians(stretch, from_ms, from_ms + self._every_ms)))
            for stretch in self._open.values()
        ]
        open_now = set(self._open)
        self._spots_ms = {key: at_ms for key, at_ms in self._spots_ms.items() if key[0] in open_now}
        self._open.clear()
        return [(visit, values) for visit, values in told if values]


def _hear(heard: _Heard, now: VitalNow, now_ms: int) -> None:
    fresh = now_ms <= now.fresh_until_ms
    if now.value is not None and fresh and now.quality is Quality.VALID:
        if now.at_ms != heard.newest_ms:
            heard.values.append(now.value)
            heard.newest_ms = now.at_ms
        return
    doubted = now.value is not None and fresh
    heard.quality = Quality.INVALID if doubted else now.quality if now.value is None else Quality.MISSING
    heard.why = now.why or ("doubted" if doubted else "no value")


def _medians(stretch: _Stretch, from_ms: int, until_ms: int) -> list[Value]:
    found = []
    for (vital, device), heard in stretch.vitals.items():
        if heard.values:
            value, quality, why = float(median(heard.values)), Quality.VALID, ""
        else:
            value, quality, why = None, heard.quality, heard.why
        found.append(Value(vital, value, from_ms, until_ms, quality, why, device, None))
    return found


def _spot(now: VitalNow, device: Device | None, by: Staff | None) -> Value:
    return Value(now.vital, now.value, now.at_ms, now.at_ms, now.quality, now.why or "", device, by)

"""What of a session an EHR is given, in the order of time: FHIR and HL7 say the same of it. Pure.

A chart is no second store of the flood: every cuff reading, every value taken by hand, every value that a
check was filled with, and of what is measured all the time the median of one minute in five. Where such a
minute has no valid value that is said, with the reason, and never left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model import Device, Quality, Staff, Vital
from monitor.records.codes import ARTERY, CUFF
from monitor.records.report import CheckOf, CuffReading, Line, Number, SessionReport, Stretch

MINUTE_MS = 60_000
EVERY = 5
"""One minute of so many is charted, as on paper, and the first one (a choice of this project)."""

SPOT_ONLY = frozenset({Vital.TEMPERATURE})
"""Measured now and then: a minute without it is no gap."""

NIBP = "nibp"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one vital, or none and why. A median is of `[at_ms, until_ms)`; else they are one."""

    vital: Vital
    value: float | None
    at_ms: int
    until_ms: int
    quality: Quality
    why: str
    device: Device | None
    by: Staff | None

    @property
    def spot(self) -> bool:
        """Whether it is one reading, and no median."""
        return self.at_ms == self.until_ms

    @property
    def key(self) -> str:
        """What tells it from every other value of its session."""
        return f"{self.vital.value}-{self.at_ms}-{self.until_ms - self.at_ms}-{self.by or self.device or ''}"


@dataclass(frozen=True, slots=True)
class Pressure:
    """One blood pressure, mmHg: one value, never three. Times and source as in `Value`."""

    systolic: float | None
    diastolic: float | None
    mean: float | None
    arterial: bool
    derived_mean: bool
    at_ms: int
    until_ms: int
    quality: Quality
    why: str
    device: Device | None
    by: Staff | None

    @property
    def spot(self) -> bool:
        """As in `Value`."""
        return self.at_ms == self.until_ms

    @property
    def key(self) -> str:
        """As in `Value`."""
        kind = "abp" if self.arterial else NIBP
        return f"{kind}-{self.at_ms}-{self.until_ms - self.at_ms}-{self.by or self.device or ''}"

    def parts(self) -> Iterator[tuple[Vital, float | None]]:
        """Systolic, diastolic and, where there is one, the mean."""
        systolic, diastolic, mean = ARTERY if self.arterial else CUFF
        yield systolic, self.systolic
        yield diastolic, self.diastolic
        if self.mean is not None:
            yield mean, self.mean


Charted = Value | Pressure


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of the therapy with the values that filled it; `at_ms` is when it was saved, or was due."""

    name: str
    title: str
    due_ms: int
    at_ms: int
    saved: bool
    by: Staff | None
    values: tuple[Charted, ...]
    missing: tuple[str, ...]


def checks(report: SessionReport) -> tuple[Checked, ...]:
    """Every check that comes once, the missed ones too, each with its values.

    What comes again is told by its values alone: each cuff reading goes out for itself.
    """
    cuffs = {(cuff.at_ms, cuff.device): pressure for cuff in report.cuffs for pressure in (_cuff(cuff),)}
    return tuple(_check(check, cuffs) for check in report.checks if not check.again)


def values(report: SessionReport) -> tuple[Charted, ...]:
    """Every value that goes out, each once, the oldest first."""
    found: dict[str, Charted] = {}
    for one in _all(report):
        found.setdefault(one.key, one)
    return tuple(sorted(found.values(), key=lambda one: (one.at_ms, one.until_ms, one.key)))


def _all(report: SessionReport) -> Iterator[Charted]:
    for cuff in report.cuffs:
        yield _cuff(cuff)
        if cuff.pulse is not None:
            yield Value(
                Vital.PULSE_NIBP,
                cuff.pulse,
                cuff.at_ms,
                cuff.at_ms,
                cuff.quality,
                cuff.why or "",
                cuff.device,
                cuff.by,
            )
    for check in checks(report):
        yield from check.values
    typed = {(entry.at_ms, entry.kind): entry.by for entry in report.timeline if entry.by is not None}
    until_ms = report.made_ms if report.ended_ms is None else report.ended_ms
    for line in report.lines:
        if line.vital not in ARTERY:
            yield from _by_hand(line, typed)
            yield from _medians(line, until_ms)
    yield from _arterial([line for line in report.lines if line.vital in ARTERY], until_ms)


def _cuff(cuff: CuffReading) -> Pressure:
    return Pressure(
        cuff.systolic,
        cuff.diastolic,
        cuff.mean,
        arterial=False,
        derived_mean=cuff.derived_mean,
        at_ms=cuff.at_ms,
        until_ms=cuff.at_ms,
        quality=cuff.quality,
        why=cuff.why or "",
        device=cuff.device,
        by=cuff.by,
    )


def _check(check: CheckOf, cuffs: dict[tuple[int, Device | None], Pressure]) -> Checked:
    filled = [_number(number, cuffs) for number in check.filled]
    return Checked(
        check.name,
        check.title,
        check.due_ms,
        check.due_ms if check.saved_ms is None else check.saved_ms,
        check.saved_ms is not None,
        check.by,
        tuple(one for one in filled if one is not None),
        check.missing,
    )


_VITALS = {vital.value: vital for vital in Vital}


def _number(number: Number, cuffs: dict[tuple[int, Device | None], Pressure]) -> Charted | None:
    """What filled an item of a check, as the reading that it was; None for what no device can measure."""
    if number.value is None or number.at_ms is None:
        return None
    if number.name == NIBP:
        return cuffs.get((number.at_ms, number.device)) or Pressure(
            number.value,
            number.second,
            None,
            arterial=False,
            derived_mean=False,
            at_ms=number.at_ms,
            until_ms=number.at_ms,
            quality=Quality.VALID,
            why="",
            device=number.device,
            by=number.by,
        )
    vital = _VITALS.get(number.name)
    if vital is None:
        return None
    return Value(vital, number.value, number.at_ms, number.at_ms, Quality.VALID, "", number.device, number.by)


def _by_hand(line: Line, typed: dict[tuple[int, str], Staff]) -> Iterator[Value]:
    """What somebody typed: each value by itself, with who it was."""
    changes = [from_ms for from_ms, _ in line.sources]
    for at_ms, value, quality in zip(line.times_ms, line.values, line.qualities, strict=True):
        place = bisect_right(changes, at_ms) - 1
        if value is not None and place >= 0 and line.sources[place][1] is None:
            by = typed.get((at_ms, "VitalTyped"))
            yield Value(line.vital, value, at_ms, at_ms, quality, "", None, by)


def _medians(line: Line, until_ms: int) -> Iterator[Value]:
    """The charted minutes of a line, from the first word of a device on; also those of silence."""
    first_ms = min((from_ms for from_ms, device in line.sources if device is not None), default=until_ms)
    first_ms = max(first_ms, *line.times_ms[:1], 0)
    if first_ms >= until_ms:
        return
    by_minute: dict[int, list[Stretch]] = {}
    for stretch in line.stretches:
        by_minute.setdefault(stretch.from_ms // MINUTE_MS, []).append(stretch)
    first = first_ms // MINUTE_MS
    for minute in range(first, max(until_ms // MINUTE_MS, first + 1)):
        if minute % EVERY and minute != first:
            continue
        heard = by_minute.get(minute, [])
        known = [stretch for stretch in heard if stretch.middle is not None and stretch.device is not None]
        yield from (_median(line, stretch) for stretch in known)
        if not known and line.vital not in SPOT_ONLY:
            yield _absence(line, minute * MINUTE_MS)


def _median(line: Line, stretch: Stretch) -> Value:
    known = Quality.VALID in _qualities(line, stretch.from_ms, stretch.until_ms)
    return Value(
        line.vital,
        stretch.middle,
        stretch.from_ms,
        stretch.until_ms,
        Quality.VALID if known else Quality.QUESTIONABLE,
        "" if known else "doubtful for the whole minute",
        stretch.device,
        None,
    )


def _absence(line: Line, at_ms: int) -> Value:
    """A minute without a value, invalid or missing as what came was; of the device that spoke last."""
    until_ms = at_ms + MINUTE_MS
    invalid = Quality.INVALID in _qualities(line, at_ms, until_ms)
    quality = Quality.INVALID if invalid else Quality.MISSING
    why = "what came was not valid" if invalid else "no value in this minute"
    device = next((device for from_ms, device in reversed(line.sources) if from_ms < until_ms), None)
    return Value(line.vital, None, at_ms, until_ms, quality, why, device, None)


def _qualities(line: Line, from_ms: int, until_ms: int) -> set[Quality]:
    return set(line.qualities[bisect_left(line.times_ms, from_ms) : bisect_left(line.times_ms, until_ms)])


def _arterial(lines: Iterable[Line], until_ms: int) -> Iterator[Pressure]:
    """The three pressures of an artery, put together minute by minute."""
    by_minute: dict[tuple[int, int, Device | None], dict[Vital, Value]] = {}
    for line in lines:
        for one in _medians(line, until_ms):
            by_minute.setdefault((one.at_ms, one.until_ms, one.device), {})[line.vital] = one
    for (at_ms, end_ms, device), found in by_minute.items():
        systolic, diastolic, mean = (_value_of(found.get(vital)) for vital in ARTERY)
        worst = next((one for one in found.values() if one.value is None), next(iter(found.values())))
        yield Pressure(
            systolic,
            diastolic,
            mean,
            arterial=True,
            derived_mean=False,
            at_ms=at_ms,
            until_ms=end_ms,
            quality=worst.quality,
            why=worst.why,
            device=device,
            by=None,
        )


def _value_of(value: Value | None) -> float | None:
    return None if value is None else value.value


def sources(charted: Iterable[Charted]) -> tuple[Device, ...]:
    """The devices that these values are of, each once."""
    return tuple(dict.fromkeys(one.device for one in charted if one.device is not None))

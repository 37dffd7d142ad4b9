"""From the monitor's answers to what is said: one value a vital, one `Cuff` a measurement, and when it was.

An answer may come in parts. Nothing is told before its last part, because the best source of a vital, and the
pulse that belongs to a blood pressure, may stand in any of them. A part that was lost costs only what was in
it: what is there is told as soon as the next answer begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from monitor.devices.codecs.intellivue import alarms
from monitor.devices.codecs.intellivue.association import TICKS_PER_MS
from monitor.devices.codecs.intellivue.export import Kind, Link, Object, Result
from monitor.devices.codecs.intellivue.numerics import (
    CONTINUOUS,
    DIASTOLIC,
    MEAN,
    MEASURED_AT,
    NOT_FINAL,
    PRESSURES,
    PULSE_CUFF,
    SKIN,
    SOURCES,
    SYSTOLIC,
    Believed,
    Number,
    believe,
    numbers,
)
from monitor.devices.codecs.intellivue.wire import Attribute, absolute_time
from monitor.model import Cuff, Doubt, Notice, Quality, Said, Sample, Vital

NO_PATIENT = Notice("the monitor shows demonstration or test data, not a patient")
NOTHING = Notice("no continuous vital is measured")
MEASURING = Notice("cuff measuring")
AGELESS = Notice("the monitor's last blood pressure has no known age: not taken")

CLOCK, RELATIVE_CLOCK = 0x0987, 0x098F
TICKS_SPAN = 2**32
"""The relative time begins again after six days."""

CLOCKS_AGREE_S = 2
"""The wall clock has whole seconds. Further from what is reckoned, and somebody has set it."""


class _Clock:
    """The monitor's own wall clock, reckoned from its relative time since both were last told together."""

    def __init__(self) -> None:
        self._wall: datetime | None = None
        self._ticks = 0

    def set(self, wall: datetime | None, ticks: int) -> None:
        """What both show at one moment."""
        self._wall, self._ticks = wall, ticks

    def at(self, result: Result) -> datetime | None:
        """What it showed when an answer was given; None if it was never told."""
        reckoned = None
        if self._wall is not None:
            passed = between(self._ticks, result.relative_time)
            reckoned = self._wall + timedelta(milliseconds=passed)
        told = result.absolute
        if told is not None and (reckoned is None or abs((told - reckoned).total_seconds()) > CLOCKS_AGREE_S):
            reckoned = told
        self.set(reckoned, result.relative_time)
        return reckoned


def between(ticks: int, later: int) -> float:
    """Milliseconds from one relative time to another: less than three days either way."""
    return ((later - ticks + TICKS_SPAN // 2) % TICKS_SPAN - TICKS_SPAN // 2) / TICKS_PER_MS


class _Measured(msgspec.Struct, frozen=True):
    """The numbers of one object, and when it says they were measured."""

    numbers: tuple[Number, ...]
    at: datetime | None


@dataclass(slots=True)
class _Series:
    """An answer whose parts are still coming; `count` is that of the last one."""

    first: Result
    count: int = 0
    measured: list[_Measured] = field(default_factory=list)


class Replies:
    """Reads answers one after the other; remembers the clock, and which cuff has been told."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._clock = _Clock()
        self._series: _Series | None = None
        self._closing: int | None = None
        self._pressures = _Pressures()

    def begin(self, given: Iterable[Attribute]) -> None:
        """A new session, with what the monitor says of itself; a cuff that was told stays told."""
        of_monitor = dict(given)
        self._series = None
        self._pressures.begin()
        ticks = of_monitor.get(RELATIVE_CLOCK, b"")
        if len(ticks) == 4:
            self._clock.set(absolute_time(of_monitor.get(CLOCK, b"")), int.from_bytes(ticks))

    def take(self, result: Result, *, live: bool) -> list[Said]:
        """What an answer, or the part that completes one, says. Malformed if a number in it is cut.

        `live`: somebody asked for it just now; in a capture nobody knows what came before.
        """
        if result.kind == Kind.ALARMS:
            return [notice for one in result.objects for notice in alarms.notices(one.attributes)]
        if result.kind != Kind.NUMERICS:
            return []
        measured = [_measured(one) for one in result.objects]
        series = self._series
        said: list[Said] = []
        if series is None or not _goes_on(series.first, series.count, result):
            if series is not None:
                self._closing = series.first.invoke_id  # its last part was lost
            said += self.flush(live=live)
            if result.link is None and not measured:
                closes, self._closing = result.invoke_id == self._closing, None
                return said if closes or not live else [*said, NOTHING]
            series = self._series = _Series(result)
        series.count = result.count
        series.measured += measured
        if result.link in {None, Link.LAST}:
            self._closing = result.invoke_id if result.link is Link.LAST else None
            said += self.flush(live=live)
        return said

    def flush(self, *, live: bool) -> list[Said]:
        """What has come of an answer that is complete, or will never be."""
        series, self._series = self._series, None
        if series is None:
            return []
        now = self._clock.at(series.first)
        said = [
            *_samples(series.measured, _device_time(now, series.first.relative_time)),
            *self._pressures.judge(series.measured, now, series.first.relative_time, live=live),
        ]
        if any(number.nobodys for one in series.measured for number in one.numbers):
            said.append(NO_PATIENT)
        return said or [NOTHING]


def _goes_on(first: Result, count: int, result: Result) -> bool:
    """Whether this is the next part, or a later one, of the answer that is coming."""
    return (
        result.link in {Link.MIDDLE, Link.LAST}
        and result.invoke_id == first.invoke_id
        and result.poll_number == first.poll_number
        and result.count > count
    )


def _measured(one: Object) -> _Measured:
    at = next((absolute_time(value) for number, value in one.attributes if number == MEASURED_AT), None)
    return _Measured(numbers(one.attributes), at)


def _device_time(now: datetime | None, ticks: int) -> str:
    if now is None:
        return f"{ticks / TICKS_PER_MS / 1000:.3f} s since its start"
    return now.isoformat(timespec="milliseconds" if now.microsecond else "seconds")


def _samples(measured: Iterable[_Measured], device_time: str) -> list[Said]:
    """The continuous vitals: of each its best source that has a number, or why even the best has none."""
    best: dict[Vital, tuple[tuple[bool, int], int, Believed]] = {}
    for number in (number for one in measured for number in one.numbers):
        vital = CONTINUOUS.get(number.source)
        if vital is None:
            continue
        believed = believe(number, vital)
        rank = (believed.value is None, SOURCES[vital].index(number.source))
        if vital not in best or rank < best[vital][0]:
            best[vital] = (rank, number.source, believed)
    return [_sample(vital, source, one, device_time) for vital, (_, source, one) in best.items()]


def _sample(vital: Vital, source: int, one: Believed, device_time: str) -> Sample:
    if one.value is None:
        return Sample(vital, None, one.quality, one.why, device_time=device_time)
    if source == SKIN:
        # A true number, but the limits of a body temperature are not those of the skin.
        why = "measured on the skin"
        return Sample(vital, one.value, Quality.QUESTIONABLE, why, Doubt.UNUSUAL, device_time)
    return Sample(vital, one.value, device_time=device_time)


class _Pressures:
    """The cuff: the monitor shows its last measurement in every answer, and each is told once."""

    def __init__(self) -> None:
        self._told: object = None
        self._running = False
        self._seen_ticks: int | None = None
        self._pulse_owed = False

    def begin(self) -> None:
        """A new session: what was shown before it says nothing about the age of what is shown now."""
        self._seen_ticks = None
        self._running = False

    def judge(
        self, measured: Iterable[_Measured], now: datetime | None, ticks: int, *, live: bool
    ) -> list[Said]:
        """What the cuff has done since the last answer."""
        shown: dict[int, Number] = {}
        pulses: list[_Measured] = []
        at: datetime | None = None
        for one in measured:
            for number in one.numbers:
                if number.source in PRESSURES and not number.nobodys:
                    shown[number.source] = number
                    at = at or one.at
                elif number.source == PULSE_CUFF and not number.nobodys:
                    pulses.append(one)
        if not shown:
            return []
        seen_ms = None if self._seen_ticks is None else between(self._seen_ticks, ticks)
        self._seen_ticks = ticks
        if any(number.state & NOT_FINAL for number in shown.values()):
            self._running = True
            return [MEASURING]
        ran, self._running = self._running, False
        pulse = _pulse(pulses, at)
        # Its own time tells one measurement from the next; where there is none, its numbers have to.
        which = at or tuple((source, number.value) for source, number in sorted(shown.items()))
        if which == self._told and (at is not None or not ran):
            return self._late_pulse(pulse)
        ages = [max(age, 0.0) for age in (_since(at, now), seen_ms) if age is not None]
        cuff = _cuff(shown, pulse, round(min(ages, default=0.0)), at)
        if cuff is None or (cuff.systolic is None and at is None and not ran):
            return []
        self._told = which
        self._pulse_owed = cuff.systolic is not None and pulse is None
        if not ages and live:
            self._pulse_owed = False
            return [AGELESS]
        return [cuff]

    def _late_pulse(self, pulse: float | None) -> list[Said]:
        if pulse is None or not self._pulse_owed:
            return []
        self._pulse_owed = False
        return [Sample(Vital.PULSE_NIBP, pulse)]


def _since(at: datetime | None, now: datetime | None) -> float | None:
    return None if at is None or now is None else (now - at).total_seconds() * 1000


def _pulse(measured: Iterable[_Measured], at: datetime | None) -> float | None:
    """The cuff's pulse rate, if it is of the same measurement."""
    for one in measured:
        for number in one.numbers:
            if number.source == PULSE_CUFF and one.at == at and not number.state & NOT_FINAL:
                return believe(number, Vital.PULSE_NIBP).value
    return None


def _cuff(shown: Mapping[int, Number], pulse: float | None, age_ms: int, at: datetime | None) -> Cuff | None:
    """A measurement that has ended, a failed one without its numbers; None where none is shown."""
    found = {source: believe(number, PRESSURES[source]) for source, number in shown.items()}
    if all(one.quality is Quality.MISSING for one in found.values()):
        return None
    device_time = None if at is None else at.isoformat()
    missing = Believed(None, Quality.INVALID, "not sent")
    systolic, diastolic = found.get(SYSTOLIC, missing), found.get(DIASTOLIC, missing)
    if systolic.value is None or diastolic.value is None:
        whys = [one.why for one in (systolic, diastolic) if one.value is None]
        why = f"no blood pressure: {whys[0]}"
        return Cuff(None, None, age_ms=age_ms, quality=Quality.INVALID, why=why, device_time=device_time)
    mean = found.get(MEAN, missing)
    return Cuff(systolic.value, diastolic.value, mean.value, pulse, age_ms, device_time=device_time)

"""Live, late or a repeat? What a device's own clock tells of a value, though it may be years wrong.

Host time rules. The device's time only orders its readings and shows repeats: the smallest known difference
between host and device is a reading that came without delay, and any larger one is a delay. Three ways in
which that can deceive, and what is done:

* the device's clock is set: its time runs backwards, or ahead of anything a delay could do. Ahead is taken
  over at once; backwards only after a few steady readings, for it may be a swapped or late one;
* the device's clock is slow: the known difference may creep up, by more than any quartz is wrong;
* the device's clock stands still: the same time again renews nothing, however often it comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import msgspec

from monitor.model import Cuff, Sample, Samples, Vital

LATE_MS = 5_000
"""A continuous value that came later than this after it was measured is history (C12 allows as much)."""

CUFF_LATE_MS = 120_000
"""A pressure or temperature older than this when it arrives is history."""

JUMP_MS = 5_000
"""The device's clock ran this far ahead of its readings: it was set."""

STEADY_READINGS = 3
STEADY_MS = 1_500
"""So many readings in a row whose difference to host time varies by no more: the clock was set back."""

STEADY_DELAY_MS = 300_000
"""A delay that stays the same for so long, though time runs forward, is a clock set back during an outage."""

CREEP_PER_MS = 0.0005  # 500 ppm: five times a poor quartz
SAME_CUFF_MS = 3_000  # ages are told in whole seconds


class Arrival(StrEnum):
    """What a value is, seen from the clock on the wall."""

    LIVE = "live"
    LATE = "late"
    REPEAT = "repeat"


LIVE, LATE, REPEAT = Arrival


class Judged(msgspec.Struct, frozen=True, gc=False):
    """`at_ms` is when the value was measured, on the host's line: now for a live one."""

    arrival: Arrival
    at_ms: int
    notice: str | None = None
    """What a technician should know about the device's clock: told once."""


class JudgedTable(msgspec.Struct, frozen=True, gc=False):
    """The first rows of a table came late, and were measured at `late_ms`; all others are live."""

    late_ms: tuple[int, ...]
    notices: tuple[str, ...] = ()
    """As in `Judged`."""


@dataclass(frozen=True, slots=True)
class _Behind:
    """Readings that come behind the known clock, all by the same difference, since when and how many."""

    difference: int
    since_ms: int
    backwards: bool
    readings: int


class Arrivals:
    """The memory of one device's clock. Keep it over a reconnection: that is when it is needed."""

    def __init__(self) -> None:
        """Know nothing yet: the first reading is taken for a live one."""
        self._last_text: dict[Vital | None, str] = {}
        self._newest: dict[Vital, int] = {}
        self._offset_ms: float | None = None
        self._offset_at_ms = 0
        self._text = ""
        self._text_ms: int | None = None
        self._frame: Judged | None = None
        self._frame_ms = 0
        self._newest_frame_ms = 0
        self._behind: _Behind | None = None
        self._cuff: tuple[tuple[float | None, ...], int] | None = None

    def judge(self, said: Sample | Cuff, now_ms: int) -> Judged:
        """Whether this value, heard at `now_ms`, is live. A repeat must not be used to renew freshness."""
        if isinstance(said, Cuff):
            return self._judge_cuff(said, now_ms)
        text = said.device_time
        if text is None:
            return Judged(LATE if said.late else LIVE, now_ms - said.age_ms)
        if said.late or (said.vital is Vital.TEMPERATURE and said.age_ms > LATE_MS):
            return self._judge_old(said, text, now_ms)
        if text != self._text:  # the values of one frame have one time: it is read once
            self._text, self._text_ms = text, device_time_ms(text)
        device_ms = self._text_ms
        if device_ms is None:
            # A time we can't read orders nothing, but the same words again still show a repeat.
            was, self._last_text[said.vital] = self._last_text.get(said.vital), text
            repeat = was == text
            return Judged(REPEAT, now_ms) if repeat else Judged(LIVE, now_ms - said.age_ms)
        newest = self._newest.get(said.vital)
        if newest == device_ms:
            return Judged(REPEAT, now_ms)
        judged = self._frame
        if judged is None or self._frame_ms != device_ms:
            judged = self._judge_frame(device_ms, now_ms)
        elif judged.arrival is LIVE and judged.at_ms != now_ms:
            judged = Judged(LIVE, now_ms)
        if judged.arrival is LIVE or newest is None or device_ms > newest:
            self._newest[said.vital] = device_ms
        return judged

    def _judge_old(self, said: Sample, text: str, now_ms: int) -> Judged:
        """What was measured some time before it was sent: its time orders nothing, and shows a repeat."""
        measured_ms = now_ms - said.age_ms
        if self._last_text.get(said.vital) == text:
            return Judged(REPEAT, measured_ms)
        self._last_text[said.vital] = text
        return Judged(LATE if said.late or said.age_ms > CUFF_LATE_MS else LIVE, measured_ms)

    def judge_table(self, said: Samples, now_ms: int) -> JudgedTable | None:
        """What `judge` would say of each value, in a few steps; None, and nothing is kept, where it can't.

        What a device sent at once and in the order of its time is late up to some row and live from there on.
        """
        times_ms = said.times_ms
        if said.late:
            behind_ms = now_ms - said.heard_ms
            return JudgedTable(tuple([min(time_ms + behind_ms, now_ms) for time_ms in times_ms]))
        newest = max((self._newest.get(vital, 0) for vital in said.vitals), default=0)
        if times_ms[0] <= max(newest, self._newest_frame_ms):
            return None
        late_ms: list[int] = []
        notices: list[str] = []
        leaps = max((after - time_ms for time_ms, after in pairwise(times_ms)), default=0) > JUMP_MS
        for time_ms in times_ms:
            judged = self._judge_moment(time_ms, now_ms)
            if judged.notice is not None:
                notices.append(judged.notice)
            if judged.arrival is LATE:
                late_ms.append(judged.at_ms)
            elif not leaps:
                # Each later row has come with less delay than the one before it.
                least_ms, last_ms = self._offset_ms, now_ms - times_ms[-1]
                self._offset_ms = last_ms if least_ms is None else min(least_ms, last_ms)
                self._newest_frame_ms = times_ms[-1]
                break
        live = len(late_ms) < len(times_ms)
        self._frame = Judged(LIVE, now_ms) if live else Judged(LATE, late_ms[-1])
        self._frame_ms = times_ms[-1]
        self._newest.update(dict.fromkeys(said.vitals, times_ms[-1]))
        return JudgedTable(tuple(late_ms), tuple(notices))

    def _judge_frame(self, device_ms: int, now_ms: int) -> Judged:
        """All values of one frame share its verdict; only the first one tells what happened to the clock."""
        judged = self._judge_moment(device_ms, now_ms)
        self._frame_ms = device_ms
        self._frame = judged if judged.notice is None else Judged(judged.arrival, judged.at_ms)
        return judged

    def _judge_moment(self, device_ms: int, now_ms: int) -> Judged:
        difference = now_ms - device_ms
        if self._offset_ms is None:
            return self._rebase(device_ms, now_ms, None)
        allowed = self._offset_ms + (now_ms - self._offset_at_ms) * CREEP_PER_MS
        delay_ms = difference - allowed
        if delay_ms < -JUMP_MS:
            return self._rebase(device_ms, now_ms, _set_by("ahead", -delay_ms))
        backwards = device_ms < self._newest_frame_ms
        if not backwards and delay_ms <= LATE_MS:
            self._offset_ms = min(allowed, difference)
            self._offset_at_ms = now_ms
            self._newest_frame_ms = device_ms
            self._behind = None
            return Judged(LIVE, now_ms)
        self._newest_frame_ms = max(self._newest_frame_ms, device_ms)
        if self._steady(difference, now_ms, backwards=backwards):
            return self._rebase(device_ms, now_ms, _set_by("back", delay_ms))
        return Judged(LATE, round(device_ms + allowed))

    def _steady(self, difference: int, now_ms: int, *, backwards: bool) -> bool:
        was = self._behind
        if was is None or abs(difference - was.difference) > STEADY_MS or was.backwards != backwards:
            self._behind = _Behind(difference, now_ms, backwards, 1)
            return False
        self._behind = replace(was, readings=was.readings + 1)
        if backwards:
            return self._behind.readings >= STEADY_READINGS
        return now_ms - was.since_ms >= STEADY_DELAY_MS

    def _rebase(self, device_ms: int, now_ms: int, notice: str | None) -> Judged:
        self._offset_ms, self._offset_at_ms = now_ms - device_ms, now_ms
        self._newest_frame_ms = device_ms
        self._behind = None
        return Judged(LIVE, now_ms, notice)

    def _judge_cuff(self, said: Cuff, now_ms: int) -> Judged:
        measured_ms = now_ms - said.age_ms
        numbers = (said.systolic, said.diastolic, said.mean, said.pulse)
        if said.device_time is not None:
            if self._last_text.get(None) == said.device_time:
                return Judged(REPEAT, measured_ms)
            self._last_text[None] = said.device_time
        elif self._cuff is not None and said.systolic is not None:
            was, was_ms = self._cuff
            if was == numbers and abs(measured_ms - was_ms) <= SAME_CUFF_MS:
                return Judged(REPEAT, measured_ms)
        self._cuff = (numbers, measured_ms)
        return Judged(LATE if said.age_ms > CUFF_LATE_MS else LIVE, measured_ms)


def _set_by(way: str, by_ms: float) -> str:
    return f"the device's clock was set {way} by {round(by_ms / 1000)} s"


_MASIMO = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):")
_NELLCOR = re.compile(r"(\d\d)-([A-Za-z]{3})-(\d\d) (\d\d):(\d\d):")
_HL7 = re.compile(r"((?:19|20)\d{6})(\d{6})(\.\d{1,6})?([+-]\d{4})?", re.ASCII)
_EPOCH = re.compile(r"\d{9,14}(?:\.\d+)?")
EPOCH_MS_LEAST = 1e11  # below this a number of today is one of seconds
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SECOND_MS = {f"{second:02d}": second * 1_000 for second in range(60)}


def device_time_ms(text: str) -> int | None:
    """A device's time as a number that can be compared with its other times; None if it cannot be read.

    No zone is known or wanted: only differences are used.
    """
    if text[2:3] in {"/", "-"}:
        # A second is one of sixty, and the minute before it has mostly been read already.
        minute_ms, second_ms = _minute_ms(text[:-2]), _SECOND_MS.get(text[-2:])
        return None if minute_ms is None or second_ms is None else minute_ms + second_ms
    try:
        if found := _HL7.fullmatch(text):  # as a number it would be a moment after the year 2500
            text = f"{found[1]}T{found[2]}{found[3] or ''}{found[4] or ''}"
        if _EPOCH.fullmatch(text):
            since_1970 = float(text)
            return round(since_1970 if since_1970 >= EPOCH_MS_LEAST else since_1970 * 1000)
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def _minute_ms(text: str) -> int | None:
    """A minute as oximeters print it, up to the colon before the seconds."""
    try:
        if found := _MASIMO.fullmatch(text):
            month, day, year, hour, minute = map(int, found.groups())
        elif found := _NELLCOR.fullmatch(text):
            month = _MONTHS.index(found[2].lower()) + 1
            day, year, hour, minute = map(int, found.group(1, 3, 4, 5))
        else:
            return None
        return round(datetime(2000 + year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None

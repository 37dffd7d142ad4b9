"""What a device has said, told as events at its bed: in order, screened, and with what it makes up. Pure.

Host time is the only time that counts: a device's own clock orders its readings and shows repeats, and
nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from monitor.devices.health import Move
from monitor.devices.order import LATE, LIVE, REPEAT, Arrivals
from monitor.devices.validity import CHECK_UNIT, believed, screen_cuff, screen_sample
from monitor.model import (
    Bed,
    Cuff,
    CuffTaken,
    Device,
    DeviceNoted,
    Event,
    Fault,
    Lie,
    LinkMoved,
    Notice,
    Quality,
    Reading,
    Readings,
    Sample,
    Samples,
    Told,
    Vital,
)

FRESH_MS = 10_000
"""How long a continuous value stays known (physiology.md 1, freshness)."""
FRESH_TEMPERATURE_MS = 15 * 60_000
FRESH_FOR_MS = {vital: FRESH_TEMPERATURE_MS if vital is Vital.TEMPERATURE else FRESH_MS for vital in Vital}

STUCK_MS = 5_000
"""A device that repeats itself for so long, by its own clock, is said to be stuck."""
LIE_MS = 5_000
"""How long it is said of a device after it last did so that it sends what is no measurement ..."""
LIE_CUFF_MS = 900_000
"""... and of its cuff, which speaks rarely: until the next good reading, or for so long."""
REMARK_MS = 60_000
"""How long a remark of ours about a device's clock stays beside its numbers."""
NOTICES_MAX = 16

Put = Callable[[Event], None]

FOREIGN_UNIT = ("the unit of", "not in ")
"""How codecs begin to say that a value came in a unit that its vital cannot have."""


class Telling:
    """From a device's words to events at a bed; one object a device."""

    def __init__(self, device: Device, bed: Bed, silent_after_ms: int, put: Put) -> None:
        """`silent_after_ms`: so long a notice stands that is not said again. `put` takes each event."""
        self.faults: Counter[str] = Counter()
        """Bytes that could not be read, by reason."""
        self.noted: tuple[str, ...] = ()
        """The notices that stand, as they were told last."""
        self.device = device
        self.bed = bed
        self._silent_after_ms = silent_after_ms
        self._put = put
        self._arrivals = Arrivals()
        self._notices: dict[str, int] = {}
        self._live_ms = 0
        self._no_news: Lie | None = None
        """What the words of this moment were instead of news, if they were."""

    def tell(self, said: Iterable[Told], now_ms: int) -> None:
        """These words, as events."""
        self._tell_each(said, now_ms)
        if self._no_news is not None:
            # Where the same message brought something live as well, the rest is only its history.
            if now_ms - self._live_ms > STUCK_MS:
                self._remark(self._no_news, now_ms, LIE_MS)
            self._no_news = None
        if self._notices or self.noted:
            self._tell_notices(now_ms)

    def moved(self, moves: Iterable[Move], now_ms: int) -> None:
        """What has become of its link."""
        for move in moves:
            self._put(LinkMoved(now_ms, self.device, move.was, move.now, move.why, move.since_ms))

    def tick(self, now_ms: int) -> None:
        """Let time pass: notices run out."""
        if self._notices:
            self._tell_notices(now_ms)

    def hush(self, now_ms: int) -> None:
        """A device that is not there says nothing."""
        self._notices.clear()
        self._tell_notices(now_ms)

    def start_afresh(self) -> None:
        """What is known of the order of its readings is forgotten."""
        self._arrivals = Arrivals()

    def _tell_each(self, said: Iterable[Told], now_ms: int) -> None:
        for one in said:
            if isinstance(one, Sample):
                judged = self._arrivals.judge(one, now_ms)
                if judged.arrival is LIVE:
                    self._live_ms = now_ms
                    self._tell_sample(one, judged.at_ms, judged.at_ms + FRESH_FOR_MS[one.vital], now_ms)
                elif judged.arrival is LATE:
                    self._tell_sample(one, judged.at_ms, judged.at_ms, now_ms, late=True)
                    self._no_news = Lie.HISTORY
                else:
                    self._no_news = Lie.FROZEN
                if judged.notice is not None:
                    self._remark(judged.notice, now_ms)
            elif isinstance(one, Fault):
                self.faults[one.reason] += one.dropped
                if one.reason.startswith(FOREIGN_UNIT):
                    self._remark(Lie.WRONG_UNIT, now_ms, LIE_MS)
            elif isinstance(one, Notice):
                self._notices[one.what] = now_ms + self._silent_after_ms
            elif isinstance(one, Cuff):
                self._tell_cuff(one, now_ms)
            else:
                self._tell_table(one, now_ms)

    def _tell_sample(
        self, said: Sample, at_ms: int, fresh_until_ms: int, now_ms: int, *, late: bool = False
    ) -> None:
        screened = screen_sample(said)
        if screened is not said and not late:
            self._tell_rejected(said, screened, now_ms)
        said = screened
        self._put(
            Reading(
                at_ms,
                self.bed,
                self.device,
                said.vital,
                said.value,
                said.quality,
                said.why,
                fresh_until_ms,
                said.doubt,
                late,
            )
        )

    def _tell_table(self, said: Samples, now_ms: int) -> None:
        """A table as one event or two, where each of its values would have passed as it is."""
        judged = self._arrivals.judge_table(said, now_ms) if believed(said) else None
        if judged is None:
            self._tell_each(said.each(), now_ms)
            return
        late = len(judged.late_ms)
        live = len(said.times_ms) - late
        if late:
            self._put_table(said, judged.late_ms, slice(late), late=True)
            self._no_news = Lie.HISTORY
        if live:
            self._live_ms = now_ms
            self._put_table(said, (now_ms,) * live, slice(late, None))
        for notice in judged.notices:
            self._remark(notice, now_ms)

    def _put_table(
        self, said: Samples, times_ms: tuple[int, ...], rows: slice, *, late: bool = False
    ) -> None:
        self._put(
            Readings(
                times_ms[-1],
                self.bed,
                self.device,
                said.vitals,
                times_ms,
                tuple([column[rows] for column in said.columns]),
                tuple([FRESH_FOR_MS[vital] for vital in said.vitals]),
                late,
            )
        )

    def _tell_cuff(self, said: Cuff, now_ms: int) -> None:
        judged = self._arrivals.judge(said, now_ms)
        if judged.arrival is not REPEAT:
            screened = screen_cuff(said)
            if screened.systolic is not None:
                if self._notices.get(Lie.WRONG_UNIT, 0) > now_ms + LIE_MS:  # the cuff's, not a sample's
                    del self._notices[Lie.WRONG_UNIT]
            elif judged.arrival is LIVE and _in_foreign_unit(screened.why):
                self._remark(Lie.WRONG_UNIT, now_ms, LIE_CUFF_MS)
            self._put(CuffTaken(now_ms, judged.at_ms, self.bed, self.device, screened))

    def _tell_rejected(self, said: Sample, screened: Sample, now_ms: int) -> None:
        """A value that no patient can have; what the device itself calls invalid is no lie of its."""
        if screened.quality is not Quality.INVALID:
            return
        if _in_foreign_unit(screened.why):
            self._remark(Lie.WRONG_UNIT, now_ms, LIE_MS)
        elif said.value is not None and said.quality is not Quality.INVALID:
            self._remark(Lie.IMPOSSIBLE, now_ms, LIE_MS)

    def _remark(self, what: str, now_ms: int, for_ms: int = REMARK_MS) -> None:
        self._notices[what] = now_ms + for_ms

    def _tell_notices(self, now_ms: int) -> None:
        """All notices that still stand, if they are not those of last time."""
        for what in [what for what, until_ms in self._notices.items() if until_ms <= now_ms]:
            del self._notices[what]
        standing = tuple(self._notices)[-NOTICES_MAX:]
        if set(standing) != set(self.noted):
            self.noted = standing
            self._put(DeviceNoted(now_ms, self.device, standing))


def _in_foreign_unit(why: str | None) -> bool:
    return why is not None and (why.startswith(FOREIGN_UNIT) or CHECK_UNIT in why)

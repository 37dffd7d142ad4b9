"""Who is believed of one heart: the ECG, the pulse of the oximeter, the arterial line (C7). Pure.

A rate of the ECG beyond its limits is held against what else is known of the same beats. Where another signal
says so too there are two witnesses and little to wait for (`agreed_s` of a rule). Where a pulse that has been
steady says otherwise, or an artery beats on while the ECG claims none, it is the ECG that has lost its beats:
its alarm waits for as long as a poor signal may withhold one, and no longer (ALM-073). Where there is nobody
else to ask, the rule's own delay counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from monitor.model import Doubt, Reading

# What the engine is told beyond the doubts of a single reading, when several signals speak of one thing.
AGREED = Doubt.NONE - 1
"""Another signal says so too: a rule waits no longer than its `agreed_s`."""
DISPUTED = Doubt.POOR_SIGNAL + 1
"""A steady signal says otherwise: every rule waits as a HIGH does for a poor signal, no longer (ALM-073)."""


@dataclass(frozen=True, slots=True)
class HeartNumbers:
    """A profile's numbers for it (`[heart]`)."""

    apart: float = 10.0
    """Two rates further apart than this count differently, in beats a minute (C7)."""
    steady: float = 10.0
    """A pulse that has swung no further than this for 15 s or more is steady, in beats a minute."""
    unsteady_s: float = 3.0
    """So long the ECG must count many before a pulse that is merely unsteady says so too."""
    keeps_s: float = 5.0
    """A pulse that has kept its rate for so long beside an ECG has shown it to be wrong, until they agree."""
    falls: float = 20.0
    """A pulse that has fallen by more than this, to no further above the limit, falls with the ECG, /min."""
    few_s: float = 30.0
    """So long a pulse may be slower than its limit beside an ECG that is not, in seconds (ALM-073)."""
    moved: float = 5.0
    """An arterial pressure that has swung further than this has moved, in mmHg."""
    beats: float = 15.0
    """An arterial line with this pulse pressure beats, in mmHg (C4)."""


class Says(Enum):
    """What the others say of a rate of the ECG."""

    NOTHING = "nothing"
    SO_TOO = "so too"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Between:
    """Between which values a signal has been for 15 to 30 s; not `known` where it was not heard so long."""

    low: float
    high: float
    known: bool = True

    @property
    def swing(self) -> float:
        """How far it has swung."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Witness:
    """Another signal of the same heart, live: its reading, and its course."""

    reading: Reading
    course: Between


class Heart:
    """The witnesses of one bed's heart, and what they say of its ECG."""

    def __init__(self, numbers: HeartNumbers | None = None) -> None:
        """Nobody has said anything."""
        self.numbers = numbers or HeartNumbers()
        self._low, self._high = float("-inf"), float("inf")
        self.says = Says.NOTHING
        """What the others say of the newest rate of the ECG."""
        self.why = ""
        """Who says so, in words; "" for nobody."""
        self._beyond_since_ms: int | None = None
        self._beyond_ms = 0
        self._wrong_since_ms: int | None = None
        self._few_since_ms: int | None = None
        self._few_ms = 0

    def set_span(self, low: float, high: float) -> None:
        """Between these the ECG's rate is in nobody's breach, and nobody is asked."""
        self._low, self._high = low, high

    def within(self, rate: float) -> bool:
        """Whether nobody need be asked of this rate."""
        return self._low <= rate <= self._high

    def rests(self, rate: float) -> bool:
        """Whether nobody need be asked, and nothing that was said before is to be taken back."""
        return self._beyond_since_ms is None and self._wrong_since_ms is None and self.within(rate)

    def weighed(self, rate: float, doubt: Doubt) -> int:
        """How the engine is to take this rate of the ECG, of which was said what the others say."""
        if self.within(rate):
            return doubt
        if self.says is Says.OTHERWISE:
            return DISPUTED
        # A device that calls its own signal poor is believed in that, whoever agrees.
        return AGREED if self.says is Says.SO_TOO and doubt is not Doubt.POOR_SIGNAL else doubt

    def ask(
        self, at_ms: int, rate: float, pulse: Witness | None, artery: Witness | None, beat: float | None
    ) -> Says:
        """What the others say of this rate of the ECG; `beat` is the artery's pulse pressure, where known."""
        if self.within(rate):
            self._beyond_since_ms = None
        elif self._beyond_since_ms is None:
            self._beyond_since_ms = at_ms
        self._beyond_ms = 0 if self._beyond_since_ms is None else at_ms - self._beyond_since_ms
        if pulse is not None and pulse.reading.value is not None:
            self.says, self.why = self._by_pulse(at_ms, rate, pulse, pulse.reading.value)
        elif artery is not None:
            self.says, self.why = self._by_artery(rate, artery, beat)
        else:
            self.says, self.why = Says.NOTHING, ""
        if self.says is not Says.OTHERWISE:
            self._wrong_since_ms = None
        elif self._wrong_since_ms is None:
            self._wrong_since_ms = at_ms
        return self.says

    def hears_pulse(self, pulse: Reading, ecg: Reading | None) -> None:
        """A pulse, beside the ECG where that is live: beats that are not felt are missed by the ECG (C7)."""
        slow = pulse.value is not None and pulse.value < self._low and pulse.doubt is not Doubt.POOR_SIGNAL
        if not slow or ecg is None or ecg.value is None or ecg.value < self._low:
            self._few_since_ms = None
        elif self._few_since_ms is None:
            self._few_since_ms = pulse.at_ms
        since_ms = self._few_since_ms
        self._few_ms = 0 if since_ms is None else pulse.at_ms - since_ms

    @property
    def pulse_speaks(self) -> bool:
        """Whether the pulse has been too slow for so long that it speaks for the heart, whatever the ECG."""
        return self._few_ms >= self.numbers.few_s * 1_000

    def _is_found_wrong(self, at_ms: int) -> bool:
        """Whether the ECG has been contradicted so long that only agreement, or silence, makes it right."""
        since_ms = self._wrong_since_ms
        return since_ms is not None and at_ms - since_ms >= self.numbers.keeps_s * 1_000

    def _by_pulse(self, at_ms: int, rate: float, pulse: Witness, count: float) -> tuple[Says, str]:
        told = f"the oximeter counts {count:g}"
        if abs(rate - count) <= self.numbers.apart:
            return Says.SO_TOO, told
        if self.within(rate):
            # Nothing to decide; but an ECG that was found wrong has not been right again either.
            return (self.says, self.why) if self._is_found_wrong(at_ms) else (Says.NOTHING, "")
        if rate > 0 and not self.within(count) and (rate < self._low) == (count < self._low):
            return Says.SO_TOO, told
        if self._is_found_wrong(at_ms):
            return Says.OTHERWISE, told
        if pulse.reading.doubt is Doubt.POOR_SIGNAL or not pulse.course.known:
            return Says.NOTHING, ""
        return self._by_count(rate, count, pulse) if rate < self._low else self._by_steadiness(count, pulse)

    def _by_count(self, rate: float, count: float, pulse: Witness) -> tuple[Says, str]:
        """The ECG counts few: no heart makes more pulses than beats; a pulse that keeps its rate says no."""
        falls = self.numbers.falls
        if pulse.course.high - count > falls and count <= self._low + falls:
            if rate == 0:
                return Says.NOTHING, ""  # a pulse that has become slow is no proof of none
            return Says.SO_TOO, f"the pulse has fallen to {count:g} too"
        if pulse.reading.doubt is Doubt.NONE:
            return Says.OTHERWISE, f"the oximeter counts {count:g}"
        return Says.NOTHING, ""

    def _by_steadiness(self, count: float, pulse: Witness) -> tuple[Says, str]:
        """The ECG counts many: beats may come too fast to be felt, but not without the pulse being moved."""
        if pulse.course.swing > self.numbers.steady:
            lasts = self._beyond_ms >= self.numbers.unsteady_s * 1_000
            return (Says.SO_TOO, "the pulse is unsteady too") if lasts else (Says.NOTHING, "")
        if pulse.reading.doubt is Doubt.NONE:
            return Says.OTHERWISE, f"the oximeter counts {count:g}"
        return Says.NOTHING, ""

    def _by_artery(self, rate: float, artery: Witness, beat: float | None) -> tuple[Says, str]:
        if self.within(rate):
            return Says.NOTHING, ""
        if not artery.course.known:
            return Says.NOTHING, ""
        if artery.course.swing > self.numbers.moved:
            return Says.SO_TOO, "the arterial pressure has moved too"
        if rate == 0 and beat is not None and beat >= self.numbers.beats:
            return Says.OTHERWISE, "the artery beats on"
        return Says.NOTHING, ""

"""A cuff reading beside the ones before it and what else the bed says: C5, C6, C10 of physiology. Pure.

What comes of it is a doubt and its why, or a number that stands for three; a loss that the cuff itself
explains goes unsaid for a minute at the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from monitor.model import Cuff, CuffTaken, Doubt, Quality

# The numbers are those of physiology.md 2, proposed there for the medical director to sign.

CUFF_PAIR_MS = 120_000
CUFF_APART = (25, 20)
"""C5: two readings so close in time differ by more than this, systolic or diastolic, in mmHg."""

CUFF_SLOW_MS = 120_000
"""C6: a reading that took longer is questionable."""

ARM_AFTER_MS = 15_000
ARM_LONGEST_MS = 60_000
"""C10: how long after a cuff on the probe's arm, and how long at all, a loss may go unsaid (ALM-072)."""
ARM_BEAT_MS = 2_000
"""The last value before the loss may be a beat or two older than the cuff's start (physiology.md 1)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one cuff reading means beside the ones before it (C5). `cuff` is what is judged and shown."""

    cuff: Cuff
    pair: tuple[CuffTaken, ...]
    """The readings the next one is held against."""
    disputed: bool = False
    """It differs from the one before it: a third reading is wanted."""
    median: bool = False
    """It is the third, and `cuff` is the median: no further reading is needed to believe it."""


def settled(taken: CuffTaken, pair: Sequence[CuffTaken]) -> Settled:
    """C5: a good reading beside those before it, if they are of the same cuff or the same hand."""
    before = [
        one
        for one in pair[-1:]
        if (one.device, one.by) == (taken.device, taken.by)
        and 0 <= taken.measured_at_ms - one.measured_at_ms <= CUFF_PAIR_MS
    ]
    if not before:
        return Settled(taken.cuff, (taken,))
    if len(pair) == 2:
        return Settled(_median((*pair, taken)), (), median=True)
    (last,) = before
    if not _differ(last.cuff, taken.cuff):
        return Settled(taken.cuff, (taken,))
    why = f"differs from {_pressures(last.cuff)} just before: measure again"
    return Settled(_questioned(taken.cuff, why, taken.cuff.doubt), (last, taken), disputed=True)


def weighed_cuff(cuff: Cuff, took_ms: int | None, *, moved: bool) -> Cuff:
    """C6: a reading is questionable that took too long or came while the patient moved."""
    if cuff.systolic is None:
        return cuff
    if took_ms is not None and took_ms > CUFF_SLOW_MS:
        cuff = _questioned(
            cuff, f"the cuff took {round(took_ms / 1_000)} s: measure again", Doubt.POOR_SIGNAL
        )
    if moved:
        cuff = _questioned(cuff, "the patient moved: measure again", Doubt.POOR_SIGNAL)
    return cuff


def unsaid_until_ms(since_ms: int, began_ms: int | None, ended_ms: int | None) -> int | None:
    """C10: until when a pulse lost at `since_ms` may go unsaid for a cuff on the same arm, or None."""
    if began_ms is None or since_ms < began_ms - ARM_BEAT_MS:
        return None
    if ended_ms is None:
        return since_ms + ARM_LONGEST_MS
    if since_ms > ended_ms + ARM_AFTER_MS:
        return None
    return min(since_ms + ARM_LONGEST_MS, ended_ms + ARM_AFTER_MS)


def _differ(one: Cuff, other: Cuff) -> bool:
    pairs = zip((one.systolic, one.diastolic), (other.systolic, other.diastolic), CUFF_APART, strict=True)
    return any(a is not None and b is not None and abs(a - b) > apart for a, b, apart in pairs)


def _median(three: Sequence[CuffTaken]) -> Cuff:
    cuffs = [taken.cuff for taken in three]
    measured = not any(cuff.derived_mean for cuff in cuffs)
    pulses = [cuff.pulse for cuff in cuffs if cuff.pulse is not None]
    systolic, diastolic = (
        median(value for cuff in cuffs if (value := getattr(cuff, name)) is not None)
        for name in ("systolic", "diastolic")
    )
    means = [cuff.mean for cuff in cuffs if cuff.mean is not None]
    mean = median(means) if measured and len(means) == len(cuffs) else None
    return replace(
        cuffs[-1],
        systolic=systolic,
        diastolic=diastolic,
        mean=diastolic + (systolic - diastolic) / 3 if mean is None else mean,  # C2
        derived_mean=mean is None,
        pulse=median(pulses) if pulses else None,
        quality=Quality.QUESTIONABLE,
        why=f"median of {', '.join(map(_pressures, cuffs))}",
        doubt=sorted(cuff.doubt for cuff in cuffs)[1],
    )


def _questioned(cuff: Cuff, why: str, doubt: Doubt) -> Cuff:
    whys = dict.fromkeys([*(cuff.why.split("; ") if cuff.why else []), why])
    return replace(cuff, quality=Quality.QUESTIONABLE, why="; ".join(whys), doubt=max(cuff.doubt, doubt))


def _pressures(cuff: Cuff) -> str:
    return f"{cuff.systolic:g}/{cuff.diastolic:g}"

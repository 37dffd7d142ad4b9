"""Today's own normal of one patient: the median of valid readings before the drug. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from monitor.model import Baseline, CuffTaken, Vital
from monitor.sessions.record import Record
from monitor.sessions.therapy import ms
from monitor.treatment import Seen


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the readings so far make of a baseline, what it is made of, and what is still missing."""

    baseline: Baseline
    cuffs: tuple[CuffTaken, ...]
    missing: tuple[str, ...]
    next_ms: int | None
    """When the next reading may be taken that still is wanted, once there is a first."""

    def age_ms(self, now_ms: int) -> int | None:
        """How old its newest cuff reading is."""
        return now_ms - self.cuffs[-1].measured_at_ms if self.cuffs else None


def propose(record: Record, seen: Seen, now_ms: int) -> Proposal:
    """The baseline of the readings since the last restart, none later than the start of the drug."""
    until_ms = now_ms if record.start_ms is None else min(now_ms, record.start_ms)
    rules = record.therapy.baseline
    found = record.cuffs_between(record.baseline_from_ms, until_ms)
    cuffs = _apart(found, ms(rules.apart_min))
    missing: list[str] = []
    wanted = rules.readings
    if len(cuffs) >= 2 and _differ(cuffs[:wanted], rules.differ_mmhg):
        wanted += 1
        if len(cuffs) < wanted:
            missing.append(f"The two readings differ by more than {rules.differ_mmhg:g} mmHg: take a third.")
    elif len(cuffs) < wanted:
        missing.append(f"{len(cuffs)} of {wanted} blood pressures, at least {rules.apart_min:g} min apart.")
    more = 0 < len(cuffs) < wanted
    next_ms = cuffs[-1].measured_at_ms + ms(rules.apart_min) if more else None
    if cuffs and until_ms - cuffs[-1].measured_at_ms > ms(rules.lasts_min):
        old = round((until_ms - cuffs[-1].measured_at_ms) / 60_000)
        missing.append(f"The baseline is {old} min old: measure again.")
    return Proposal(
        _baseline(cuffs, seen, until_ms - ms(rules.steady_min), until_ms), cuffs, tuple(missing), next_ms
    )


def _apart(cuffs: Sequence[CuffTaken], apart_ms: int) -> tuple[CuffTaken, ...]:
    """Every reading that comes long enough after the last one that counts."""
    chosen: list[CuffTaken] = []
    for taken in cuffs:
        if not chosen or taken.measured_at_ms - chosen[-1].measured_at_ms >= apart_ms:
            chosen.append(taken)
    return tuple(chosen)


def _differ(cuffs: Sequence[CuffTaken], by_mmhg: float) -> bool:
    both = (_systolic(cuffs), _diastolic(cuffs))
    return any(max(numbers) - min(numbers) > by_mmhg for numbers in both)


def _baseline(cuffs: Sequence[CuffTaken], seen: Seen, from_ms: int, until_ms: int) -> Baseline:
    def steady(*vitals: Vital) -> float | None:
        for vital in vitals:
            numbers = [
                one.value for one in seen.samples if one.vital is vital and from_ms <= one.at_ms <= until_ms
            ]
            if numbers:
                return round(float(median(numbers)), 1)
        return None

    return Baseline(
        systolic=_median(_systolic(cuffs)),
        diastolic=_median(_diastolic(cuffs)),
        heart_rate=steady(Vital.HEART_RATE, Vital.PULSE_SPO2),
        spo2=steady(Vital.SPO2),
        respiration=steady(Vital.RESPIRATION),
    )


def _median(numbers: Sequence[float]) -> float | None:
    return float(median(numbers)) if numbers else None


def _systolic(cuffs: Iterable[CuffTaken]) -> list[float]:
    return [taken.cuff.systolic for taken in cuffs if taken.cuff.systolic is not None]


def _diastolic(cuffs: Iterable[CuffTaken]) -> list[float]:
    return [taken.cuff.diastolic for taken in cuffs if taken.cuff.diastolic is not None]

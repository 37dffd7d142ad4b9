"""How the house measures: two things run in turns, cost as CPU time, latency beside the stolen share.

Absolute figures belong to one machine; a ratio of two jobs that took turns in one run holds elsewhere too.
A benchmark is a module here with `rows() -> list[Row]`; `python -m benchmarks` runs them all.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PAIRS_MIN = 5
"""One pair proves nothing; the median of five shrugs off two bad ones."""

STOLEN_MAX = 0.03
"""Where the host took more than this share of the processor, a latency gets no verdict."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure against its goal. `ok` is None where there is no goal, or no verdict can be given."""

    metric: str
    figure: float
    goal: float | None
    unit: str
    ok: bool | None
    note: str = ""


def at_most(metric: str, figure: float, goal: float, unit: str = "x", note: str = "") -> Row:
    """A figure that must not be larger than its goal."""
    return Row(metric, figure, goal, unit, figure <= goal, note)


def at_least(metric: str, figure: float, goal: float, unit: str = "x", note: str = "") -> Row:
    """A figure that must not be smaller than its goal."""
    return Row(metric, figure, goal, unit, figure >= goal, note)


def plain(metric: str, figure: float, unit: str, note: str = "") -> Row:
    """A figure without a goal: said, not judged."""
    return Row(metric, figure, None, unit, None, note)


def latency(metric: str, figure: float, goal: float, stolen: float, unit: str = "ms", note: str = "") -> Row:
    """A waiting time that must not be larger than its goal, if the machine was ours while it was taken."""
    said = "; ".join(part for part in (note, f"stolen {stolen:.1%}") if part)
    return Row(metric, figure, goal, unit, figure <= goal if stolen <= STOLEN_MAX else None, said)


@dataclass(frozen=True, slots=True)
class Pair:
    """What two jobs cost that took turns. `ratio` is the median of the pairs' ratios, ours over theirs."""

    ours_s: float
    theirs_s: float
    ratio: float

    @property
    def faster(self) -> float:
        """How many times less ours costs."""
        return 1 / self.ratio


def pair(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    pairs: int = 7,
    clock: Callable[[], float] = time.thread_time,
) -> Pair:
    """Run both jobs in turns, after one warm-up each, and compare what they cost by `clock`.

    The order within a pair alternates, so that whatever the first one leaves in the caches favours nobody.
    """
    if pairs < PAIRS_MIN:
        raise ValueError(f"a median of {pairs} pairs says nothing; take at least {PAIRS_MIN}")
    ours()
    theirs()
    mine, other = [], []
    with collector_off():
        for turn in range(pairs):
            if turn % 2 == 0:
                mine.append(cost_s(ours, clock))
                other.append(cost_s(theirs, clock))
            else:
                other.append(cost_s(theirs, clock))
                mine.append(cost_s(ours, clock))
    ratios = [a / b for a, b in zip(mine, other, strict=True)]
    return Pair(median(mine), median(other), median(ratios))


def alone(
    job: Callable[[], object], *, times: int = 7, clock: Callable[[], float] = time.thread_time
) -> float:
    """The median cost in seconds of a job that is compared with nothing, after one warm-up."""
    job()
    with collector_off():
        return median(cost_s(job, clock) for _ in range(times))


def cost_s(job: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """What one run of a job costs, in seconds of `clock`."""
    before = clock()
    job()
    return clock() - before


@contextmanager
def collector_off() -> Iterator[None]:
    """Collect garbage now and not while measuring: a collection is paid by whoever happens to be running."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def process_cpu_s() -> float:
    """CPU seconds of this process, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mb() -> float:
    """The memory this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed: 0.5 is the median, 0.99 the p99."""
    if not values:
        raise ValueError("a quantile of nothing")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


@dataclass(slots=True)
class Steal:
    """How much of the processor's time the host gave to others; `share` is set when the watch ends."""

    share: float = 0.0


@contextmanager
def watching_steal() -> Iterator[Steal]:
    """What the host steals while the body runs; read `.share` of what you were given once it has ended."""
    steal = Steal()
    stolen_before, all_before = _stolen_and_all()
    try:
        yield steal
    finally:
        stolen_after, all_after = _stolen_and_all()
        steal.share = (stolen_after - stolen_before) / max(1, all_after - all_before)


def _stolen_and_all() -> tuple[int, int]:
    # proc(5): "cpu" user nice system idle iowait irq softirq steal; guest times are in user already.
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| metric | figure | goal | verdict | note |", "|---|---:|---:|---|---|"]
    for row in rows:
        cells = (row.metric, amount(row.figure, row.unit), amount(row.goal, row.unit), verdict(row), row.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def amount(figure: float | None, unit: str) -> str:
    """A figure to three significant digits with its unit; a dash for none."""
    if figure is None:
        return "-"
    digits = f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
    return f"{digits} {unit}" if unit else digits


def verdict(row: Row) -> str:
    """The verdict in a word."""
    if row.ok is None:
        return "no goal" if row.goal is None else "no verdict"
    return "met" if row.ok else "missed"

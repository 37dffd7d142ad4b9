"""The engine: a whole ward against its limits.

Wards of 40 to 100,000 beds, every timed rule of the shipped profile, a reading of every vital every second.
*Quiet*: nobody crosses a limit. *Clinic*: every 11 minutes one vital of each bed goes beyond its limits for
half a minute, and every bed falls silent now and then. *Storm*: ten times that. The peers are what one would
write first, dense NumPy over every rule and an object per rule, by the same law: they must count the same
moves.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator
from math import inf, isnan, nextafter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import monitor
from benchmarks.measure import Pair, Row, alone, at_least, at_most, pair, plain, table
from monitor.alerts.engine import Engine
from monitor.alerts.limits import Limit, Profile, profile, timed
from monitor.alerts.rules import ROWS, RULES
from monitor.model import Baseline, Side

Values = NDArray[np.float32]
Times = NDArray[np.int32]
Bools = NDArray[np.bool_]

OWN = Baseline(systolic=122, diastolic=75, heart_rate=72, spo2=98, respiration=14)
REST = {
    "hr": 72.0,
    "spo2": 98.0,
    "rr": 14.0,
    "temp": 36.7,
    "abp_sys": 122.0,
    "abp_dia": 75.0,
    "abp_map": 91.0,
}
ILL = {
    "hr": 143.0,
    "spo2": 87.0,
    "rr": 36.0,
    "temp": 38.8,
    "abp_sys": 183.0,
    "abp_dia": 112.0,
    "abp_map": 142.0,
}
NOISE = {"hr": 2.0, "spo2": 0.4, "rr": 1.0, "temp": 0.1, "abp_sys": 3.0, "abp_dia": 2.0, "abp_map": 2.0}

CLINIC_S, STORM_S = 660, 66
"""How often a bed has an episode."""
EPISODE_S, SLOPE_S = 30, 6
SILENCE_EVERY_S, SILENCE_S = 1_200, 15
FRESH_MS, CLEAR_MS, NEVER = 10_000, 5_000, 1 << 30
BYTES_PER_CELL = 14
"""What one vital of one bed must cost at the least: value, band and flags, read once (performance.md 2)."""


def rows() -> list[Row]:
    """Every figure of the engine against its goal."""
    return [
        *quiet(),
        *clinic(),
        *small(),
        *storm(),
        *batches(),
    ]


def quiet() -> list[Row]:
    """100,000 beds where nothing happens: as near to the memory's own speed as it gets."""
    beds = 100_000
    ours, simple, bound = Ours(beds), Simple(beds), Reading(beds)
    feed = Ticks(beds, None, 60)
    for job in (ours, simple):
        job.hear(feed.first, 0)
    memory = pair(feed.job(ours.hear), bound.job, pairs=11)
    peer = pair(feed.job(ours.hear), feed.job(simple.hear), pairs=7)
    each_ns = memory.ours_s / ours.judged(beds) * 1e9
    note = f"{memory.ours_s * 1e3:.2f} ms a tick, {each_ns:.2f} ns a bed and rule"
    return [
        at_most("100,000 beds, quiet: over the memory bound", memory.ratio, 5, note=note),
        at_least("100,000 beds, quiet: than simple NumPy", peer.faster, 40, "x faster", milli(peer)),
    ]


def clinic() -> list[Row]:
    """100,000 beds of an ordinary clinic."""
    beds = 100_000
    simple = against(beds, Simple(beds), CLINIC_S, warm=90, ticks=6, pairs=7)
    objects = against_objects(beds)
    return [
        at_least(
            "100,000 beds, clinic: than an object per rule", objects.faster, 150, "x faster", milli(objects)
        ),
        at_least("100,000 beds, clinic: than simple NumPy", simple.faster, 30, "x faster", milli(simple)),
    ]


def small() -> list[Row]:
    """The wards there are."""
    found = []
    for beds, goal, ticks in ((1_000, 20, 60), (40, 4, 700)):
        objects = against(beds, Objects(beds), CLINIC_S, warm=120, ticks=ticks, pairs=9)
        name = f"{beds:,} beds, clinic: than an object per rule"
        found.append(at_least(name, objects.faster, goal, "x faster", milli(objects, ticks)))
    return found


def storm() -> list[Row]:
    """Everybody falls ill all the time."""
    beds = 100_000
    found = against(beds, Simple(beds), STORM_S, warm=90, ticks=4, pairs=5)
    return [
        at_most(
            "100,000 beds, storm: over dense evaluation of every rule", found.ratio, 1.3, note=milli(found)
        )
    ]


def batches() -> list[Row]:
    """Readings as they come in: many at once, and one by one."""
    found = []
    for count in (1_000, 5_000):
        quiet_ns, clinic_ns = (
            1e9 * alone(job, times=9) / readings
            for job, readings in (batch_job(5_000, every_s, count) for every_s in (None, CLINIC_S))
        )
        name = f"batch of {count:,} readings"
        found.append(at_most(name, quiet_ns, 40, "ns a reading", "5,000 beds, quiet"))
        found.append(plain(f"{name}, and what they lead to", clinic_ns, "ns a reading", "5,000 beds, clinic"))
    job, readings = single_job(40)
    cost = alone(job, times=9) / readings
    return [*found, plain("one by one", cost * 1e9, "ns a reading", "clinic, 40 beds")]


def against(beds: int, peer: Simple | Objects, every_s: int, *, warm: int, ticks: int, pairs: int) -> Pair:
    """Ours and a peer over the same seconds of a ward that has been running for a while."""
    ours = Ours(beds)
    feed = Ticks(beds, every_s, (pairs + 1) * ticks, warm=warm)
    for at, values in feed.before():
        ours.hear(values, at)
        peer.hear(values, at)
    found = pair(feed.job(ours.hear, ticks), feed.job(peer.hear, ticks), pairs=pairs)
    if ours.moved != peer.moved:
        raise AssertionError(f"not the same job: {ours.moved} moves against {peer.moved}")
    return found


def against_objects(beds: int) -> Pair:
    """An object per rule costs the same for every bed: a tenth of them is run, and counted ten times."""
    tenth, ticks, pairs, warm = beds // 10, 2, 5, 60
    ours, peer = Ours(beds), Objects(tenth)
    feed = Ticks(beds, CLINIC_S, (pairs + 1) * ticks, warm=warm)
    for at, values in feed.before():
        ours.hear(values, at)
        peer.hear(values[:, :tenth], at)
    found = pair(
        feed.job(ours.hear, ticks), feed.job(lambda v, at: peer.hear(v[:, :tenth], at), ticks), pairs=pairs
    )
    return Pair(found.ours_s, found.theirs_s * 10, found.ratio / 10)


def milli(found: Pair, ticks: int = 1) -> str:
    """Both costs in words."""
    return f"{found.ours_s / ticks * 1e3:.3g} ms against {found.theirs_s / ticks * 1e3:.4g} ms"


def watch() -> Profile:
    """The profile that is shipped."""
    path = Path(monitor.__file__).parent / "sessions/therapies/watch.toml"
    return profile(tomllib.loads(path.read_text()))


def limits() -> list[tuple[int, Limit]]:
    """The rules of one bed, all of them on."""
    return list(timed(watch().limits_for(OWN)))


def row_of(rule: int) -> int:
    """Which vital a rule judges."""
    return next(row for row, vital in enumerate(ROWS) if vital is RULES[rule].vital)


# What the ward goes through.


class Ticks:
    """Seconds of a ward, made before they are measured. Every `every_s` a bed falls ill; None: never."""

    def __init__(self, beds: int, every_s: int | None, ticks: int, warm: int = 1, seed: int = 7) -> None:
        """Make them all."""
        self._rng = np.random.default_rng(seed)
        self._beds, self._every_s, self._warm = beds, every_s, warm
        self._noise = [self._wander() for _ in range(4)]
        period = every_s or 1
        self._offset = self._rng.integers(0, period, beds)
        self._silent = self._rng.integers(0, SILENCE_EVERY_S, beds)
        self._which = self._rng.integers(0, len(ROWS), beds)
        self.first = self._values(0)
        self.made = [self._values(warm + t) for t in range(ticks)]

    def before(self) -> Iterator[tuple[int, Values]]:
        """The seconds until the measurement, so that it finds a ward in full swing."""
        return ((t, self._values(t)) for t in range(self._warm))

    def job(self, hear: Callable[[Values, int], object], ticks: int = 1) -> Callable[[], None]:
        """The next so many seconds, each time it is called."""
        at = 0

        def run() -> None:
            nonlocal at
            for _ in range(ticks):
                hear(self.made[at % len(self.made)], self._warm + at)
                at += 1

        return run

    def _wander(self) -> Values:
        scale = np.array([NOISE[row.value] for row in ROWS])[:, None]
        noise = np.clip(self._rng.normal(size=(len(ROWS), self._beds)), -2.5, 2.5)
        wander: Values = (noise * scale).astype(np.float32)
        return wander

    def _values(self, t: int) -> Values:
        rest = np.array([REST[row.value] for row in ROWS], np.float32)[:, None]
        values = rest + self._noise[t % len(self._noise)]
        if self._every_s is not None:
            phase = (t + self._offset) % self._every_s
            depth = np.clip(np.minimum(phase, EPISODE_S - phase) / SLOPE_S, 0, 1)
            beds = np.flatnonzero(depth > 0)
            row = (self._which[beds] + (t + self._offset[beds]) // self._every_s) % len(ROWS)
            away = np.array([ILL[r.value] - REST[r.value] for r in ROWS])
            values[row, beds] += (away[row] * depth[beds]).astype(np.float32)
            values[:, (t + self._silent) % SILENCE_EVERY_S < SILENCE_S] = np.nan
        decimals = np.array([10.0 if row.value == "temp" else 1.0 for row in ROWS], np.float32)[:, None]
        rounded: Values = (np.round(values * decimals) / decimals).astype(np.float32)
        return rounded


# Who judges it.


class Ours:
    """The engine of the house."""

    def __init__(self, beds: int) -> None:
        """With the limits of the shipped profile."""
        self.engine = Engine(beds, watch().timing)
        self.engine.set_limits(0, np.arange(beds), watch().limits_for(OWN))
        # A ward asks for its changes as objects, and pays for them; nobody has a ward of 100,000 beds.
        self._arrays = beds > 10_000
        self.moved = 0

    def hear(self, values: Values, at_s: int) -> None:
        """One second of the ward, and what it changed."""
        self.engine.feed_ward(at_s * 1_000, values, at_s * 1_000 + FRESH_MS)
        self.moved += self.engine.take_moves().bed.size if self._arrays else len(self.engine.take_changes())

    @staticmethod
    def judged(beds: int) -> int:
        """Beds times rules."""
        return beds * len(limits())


class Simple:
    """Dense NumPy: the same law for every rule of every bed, every second."""

    def __init__(self, beds: int) -> None:
        """Every rule, for so many beds."""
        self._rules: list[Dense] = [Dense(beds, rule, limit) for rule, limit in limits()]
        self._at = np.zeros((len(ROWS), beds), np.int32)
        self._fresh = np.zeros((len(ROWS), beds), np.int32)
        self.moved = 0

    def hear(self, values: Values, at_s: int) -> None:
        """One second of the ward, and what it changed."""
        now = at_s * 1_000
        known = ~np.isnan(values)
        until = np.minimum(self._fresh, now)
        spent, gap = until - self._at, self._fresh < now
        for rule in self._rules:
            row = rule.row
            self.moved += rule.hear(now, values[row], known[row], spent[row], until[row], gap[row])
        self._at[:] = now
        self._fresh = np.where(known, now + FRESH_MS, now)


class Dense:
    """One rule of every bed."""

    def __init__(self, beds: int, rule: int, limit: Limit) -> None:
        """Nobody is in breach."""
        self.row, self.hold = row_of(rule), limit.hold_ms
        self.need = self.hold * 8 // 10
        self.sign = np.float32(1 if limit.rule.side is Side.LOW else -1)
        up = np.nextafter if limit.rule.inclusive else lambda bound, _: bound
        bounds = (limit.limit, (limit.limit or 0.0) + self.sign * limit.hysteresis, limit.severe)
        self.limit, self.clear, self.severe = (
            np.full(
                beds,
                -inf if bound is None else up(self.sign * np.float32(bound), np.float32(inf)),
                np.float32,
            )
            for bound in bounds
        )
        self.phase = np.zeros(beds, np.uint8)
        self.since, self.seen, self.inside = (np.zeros(beds, np.int32) for _ in range(3))
        self.run = np.full(beds, NEVER, np.int32)
        self.window, self.breach = np.zeros(beds, np.bool_), np.zeros(beds, np.bool_)

    def hear(self, now: int, values: Values, known: Bools, spent: Times, until: Times, gap: Bools) -> int:
        """One second of this rule, and how often it moved."""
        counted = np.where(self.window, spent, 0)
        self.seen += counted
        self.inside += np.where(self.breach, counted, 0)
        due = (self.phase == 1) & self.window & self.breach & self._lasted()
        ended = (self.phase > 0) & (self.run <= until - CLEAR_MS)
        self.phase = np.where(ended, 0, np.where(due, 2, self.phase))
        self.window &= ~(due | ended)
        y = values * self.sign
        breach, clear = y < self.limit, (y >= self.clear) & (self.phase > 0)
        self.run = np.where(clear, np.where(gap | ended, now, np.minimum(self.run, now)), NEVER)
        onset = breach & (self.phase == 0)
        opened = onset | (breach & (self.phase == 1) & ~self.window)
        self.since = np.where(opened, now, self.since)
        self.seen, self.inside = np.where(opened, 0, self.seen), np.where(opened, 0, self.inside)
        severe = breach & (y < self.severe)
        held = breach & (self.phase <= 1) & (severe | (self._lasted() & ~opened))
        worse = severe & (self.phase == 2)
        missed = (self.phase == 1) & known & ~breach & (self.seen - self.inside > self.hold - self.need)
        self.window = (self.window | opened) & ~held & ~missed
        self.phase = np.where(onset, 1, self.phase)
        self.phase = np.where((held & severe) | worse, 3, np.where(held, 2, self.phase))
        self.breach = breach
        return sum(np.flatnonzero(moved).size for moved in (due, ended, opened | held, worse))

    def _lasted(self) -> Bools:
        lasted: Bools = (self.seen >= self.hold) & (self.inside >= self.need)
        return lasted


class Objects:
    """An object per rule and bed, as one would write it first."""

    def __init__(self, beds: int) -> None:
        """Every rule, for so many beds."""
        of_row: list[list[Limit]] = [[] for _ in ROWS]
        for rule, limit in limits():
            of_row[row_of(rule)].append(limit)
        self._beds = [[[Threshold(limit) for limit in row] for row in of_row] for _ in range(beds)]
        self.moved = 0

    def hear(self, values: Values, at_s: int) -> None:
        """One second of the ward, and what it changed."""
        now = at_s * 1_000
        for bed, column in zip(self._beds, values.T.tolist(), strict=True):
            for rules, value in zip(bed, column, strict=True):
                for rule in rules:
                    self.moved += rule.hear(value, now)


class Threshold:
    """One rule at one bed: a delay, 80 % of it in breach, a hysteresis, a bound that alarms at once."""

    __slots__ = (
        "at", "breach", "clear", "fresh", "hold", "inside", "limit", "need", "phase", "run", "seen", "severe",
        "sign", "since", "window",
    )  # fmt: skip

    def __init__(self, limit: Limit) -> None:
        """Nothing has been heard."""
        self.sign = 1 if limit.rule.side is Side.LOW else -1
        bounds = (limit.limit, (limit.limit or 0.0) + self.sign * limit.hysteresis, limit.severe)
        self.limit, self.clear, self.severe = (
            -inf if b is None else nextafter(self.sign * b, inf) if limit.rule.inclusive else self.sign * b
            for b in bounds
        )
        self.hold, self.need = limit.hold_ms, limit.hold_ms * 8 // 10
        self.at = self.fresh = self.phase = self.since = self.seen = self.inside = 0
        self.run = NEVER
        self.window = self.breach = False

    def hear(self, value: float, now: int) -> int:
        """How often that moved it."""
        moved = self._passes(now) if self.phase else 0
        self.at = now
        if isnan(value):
            self.fresh, self.run, self.breach = now, NEVER, False
            return moved
        self.fresh = now + FRESH_MS
        value *= self.sign
        if value < self.limit:
            self.breach, self.run = True, NEVER
            return moved + self._in_breach(value, now)
        self.breach = False
        if self.phase:
            if self.window and self.seen - self.inside > self.hold - self.need:
                self.window = False
            self.run = min(self.run, now) if value >= self.clear else NEVER
        return moved

    def _passes(self, now: int) -> int:
        until = min(self.fresh, now)
        if self.window:
            self.seen += until - self.at
            if self.breach:
                self.inside += until - self.at
                if self.seen >= self.hold and self.inside >= self.need:
                    self.phase, self.window = 2, False
                    return 1
        if self.run <= until - CLEAR_MS:
            self.phase, self.run, self.window = 0, NEVER, False
            return 1
        if self.fresh < now:
            self.run = NEVER
        return 0

    def _in_breach(self, value: float, now: int) -> int:
        if self.phase >= 2:
            worse = self.phase == 2 and value < self.severe
            self.phase = 3 if worse else self.phase
            return int(worse)
        opened = not self.window
        if opened:
            self.phase, self.window, self.since, self.seen, self.inside = 1, True, now, 0, 0
        if value < self.severe:
            self.phase, self.window = 3, False
            return 1
        if not opened and self.seen >= self.hold and self.inside >= self.need:
            self.phase, self.window = 2, False
            return 1
        return int(opened)


class Reading:
    """The bound: so many bytes a cell, read once from memory."""

    def __init__(self, beds: int) -> None:
        """As many bytes as so many beds have."""
        self._bytes = np.ones(len(ROWS) * beds * BYTES_PER_CELL // 8, np.uint64)

    def job(self) -> None:
        """Read them all."""
        self._bytes.max()


def batch_job(beds: int, every_s: int | None, count: int) -> tuple[Callable[[], None], int]:
    """A second of a running ward a call, cut into batches in no order; and how many readings that is."""
    ours, feed, rng = Ours(beds), Ticks(beds, every_s, 12, warm=60), np.random.default_rng(3)
    for at, values in feed.before():
        ours.hear(values, at)
    every = np.arange(len(ROWS) * beds)
    made = []
    for values in feed.made:
        shuffled = rng.permutation(every)
        cuts = [shuffled[i : i + count] for i in range(0, every.size - count + 1, count)]
        made.append([(cut // beds, cut % beds, values.reshape(-1)[cut].astype(np.float64)) for cut in cuts])
    second = 60

    def run() -> None:
        nonlocal second
        for part, (rows_, beds_, values) in enumerate(made[second % len(made)]):
            at = second * 1_000 + part
            ours.engine.feed(at, rows_, beds_, values, at + FRESH_MS)
            ours.engine.take_changes()
        second += 1

    return run, len(made[0]) * count


def single_job(beds: int) -> tuple[Callable[[], None], int]:
    """Ten seconds of a running ward a call, one reading after the other; and how many that is."""
    ours, feed = Ours(beds), Ticks(beds, CLINIC_S, 100, warm=60)
    for at, values in feed.before():
        ours.hear(values, at)
    made = [[(row, bed, float(v)) for (row, bed), v in np.ndenumerate(values)] for values in feed.made]
    second = 60

    def run() -> None:
        nonlocal second
        for _ in range(10):
            at = second * 1_000
            for row, bed, value in made[second % len(made)]:
                ours.engine.feed_one(at, row, bed, value, at + FRESH_MS)
            ours.engine.take_changes()
            second += 1

    return run, 10 * len(made[0])


if __name__ == "__main__":
    found = rows()
    print(table(found))
    sys.exit(any(row.ok is False for row in found))

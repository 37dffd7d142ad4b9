"""The engine against the oracle: every event of random histories, whichever way the readings went."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from math import inf, isnan, nan, nextafter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import monitor
from monitor.alerts.engine import Change, Engine
from monitor.alerts.heart import AGREED, DISPUTED
from monitor.alerts.limits import Limit, Limits, Profile, profile, timed
from monitor.alerts.rules import ROWS, RULES, Kind
from monitor.model import Baseline, Cue, Doubt, Side
from tests.core.oracle import Judge

WATCH = Path(monitor.__file__).parent / "sessions/therapies/watch.toml"
BEDS = 3
TIMED = [i for i, rule in enumerate(RULES) if rule.kind is Kind.TIMED]
FRESH_MS = (10_000, 10_000, 10_000, 2_000, 500, 0, -1)
STEPS_MS = (0, 1, 200, 1_000, 1_000, 1_000, 1_000, 2_000, 5_000, 30_000)


def watch() -> Profile:
    return profile(tomllib.loads(WATCH.read_text()))


class Both:
    """The engine and one judge a rule and bed, told the same things and compared after each of them."""

    def __init__(self, few: int, start_ms: int) -> None:
        """Nobody has said anything yet."""
        self.profile = watch()
        self.engine = Engine(BEDS, self.profile.timing, few=few)
        self.now = start_ms
        self.judges = {
            (bed, rule): Judge(bed, rule, self.profile.timing) for bed in range(BEDS) for rule in TIMED
        }

    def every(self, bed: int, row: int | None = None) -> list[Judge]:
        """The judges of a bed, or of one vital of it."""
        return [
            judge
            for (where, rule), judge in self.judges.items()
            if where == bed and (row is None or RULES[rule].vital is ROWS[row])
        ]

    def to(self, now: int) -> None:
        """Time passes for the judges; the engine finds out by itself."""
        self.now = max(self.now, now)
        for judge in self.judges.values():
            judge.passes(self.now)

    def limits(self, bed: int, limits: Limits) -> None:
        """Both get these limits."""
        self.to(self.now)
        self.engine.set_limits(self.now, bed, limits)
        for rule, limit in timed(limits):
            self.judges[bed, rule].limited(self.now, limit)

    def hear(self, row: int, bed: int, value: float, fresh: int, doubt: int) -> None:
        """The judges hear what the engine has heard."""
        self.to(self.now)
        for judge in self.every(bed, row):
            judge.hears(self.now, value, fresh, doubt)

    def compare(self) -> None:
        """Everything that was said, everything that stands, and what is due."""
        said = self.engine.take_changes()
        meant = [change for judge in self.judges.values() for change in judge.changes]
        for judge in self.judges.values():
            judge.changes.clear()
        meant.sort(key=lambda c: (c.at_ms, c.bed, c.rule))
        assert [_plain(c) for c in said] == [_plain(c) for c in meant]
        for (bed, rule), judge in self.judges.items():
            assert self.engine.standing(bed, rule) == judge.standing()
        due = min(judge.due() for judge in self.judges.values())
        assert self.engine.due_ms() == (None if due == inf else due)


def _plain(change: Change) -> Change:
    # NaN is not equal to itself, but two that say "not known" say the same.
    return change._replace(
        value=-1e9 if isnan(change.value) else change.value,
        limit=-1e9 if isnan(change.limit) else change.limit,
    )


def interesting(limits: Limits, row: int, rng: Random) -> float:
    """A value near some limit of this vital, or something odd."""
    mine = [limit for limit in limits if limit.rule.vital is ROWS[row] and limit.limit is not None]
    if not mine:
        return rng.uniform(0, 200)
    limit = rng.choice(mine)
    assert limit.limit is not None
    sign = 1 if limit.rule.side is Side.LOW else -1
    bound = limit.limit if limit.severe is None else limit.severe
    return rng.choice(
        (
            limit.limit,
            limit.limit - sign,
            limit.limit - sign,
            limit.limit - 3 * sign,
            limit.limit + sign * limit.hysteresis,
            limit.limit + sign * limit.hysteresis / 2,
            limit.limit + sign * 10,
            limit.limit + sign * 10,
            nextafter(limit.limit, rng.choice((-inf, inf))),
            nextafter(limit.limit + sign * limit.hysteresis, rng.choice((-inf, inf))),
            bound,
            bound - sign,
            nextafter(bound, rng.choice((-inf, inf))),
            rng.uniform(limit.limit - 5, limit.limit + 5),
            nan,
            nan,
            rng.choice((inf, -inf, 0.0, -0.0, 5e-324, 1e300)),
        )
    )


def doubt(rng: Random) -> int:
    doubts = (Doubt.NONE, Doubt.NONE, Doubt.NONE, Doubt.UNUSUAL, Doubt.POOR_SIGNAL, AGREED, AGREED, DISPUTED)
    return rng.choice(doubts)


def one(both: Both, limits: list[Limits], rng: Random) -> None:
    row, bed = rng.randrange(len(ROWS)), rng.randrange(BEDS)
    value, fresh, how = interesting(limits[bed], row, rng), both.now + rng.choice(FRESH_MS), doubt(rng)
    both.engine.feed_one(both.now, row, bed, value, fresh, how)
    both.hear(row, bed, value, fresh, how)


def batch(both: Both, limits: list[Limits], rng: Random) -> None:
    readings = []
    for _ in range(rng.randrange(1, 40)):
        row, bed = rng.randrange(len(ROWS)), rng.randrange(BEDS)
        value = interesting(limits[bed], row, rng)
        readings.append((row, bed, value, both.now + rng.choice(FRESH_MS), doubt(rng)))
    both.engine.feed(both.now, *(list(column) for column in zip(*readings, strict=True)))
    for reading in readings:
        both.hear(*reading)


def whole_ward(both: Both, limits: list[Limits], rng: Random) -> None:
    values = np.array([[interesting(limits[b], r, rng) for b in range(BEDS)] for r in range(len(ROWS))])
    if rng.random() < 0.5:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32).astype(rng.choice((np.float32, np.float64)))
    fresh = np.full(values.shape, both.now + rng.choice(FRESH_MS))
    doubts = np.zeros(values.shape, np.int64)
    if rng.random() < 0.3:
        fresh = both.now + np.array([[rng.choice(FRESH_MS) for _ in range(BEDS)] for _ in ROWS])
        doubts = np.array([[int(doubt(rng)) for _ in range(BEDS)] for _ in ROWS])
    given_fresh = fresh if rng.random() < 0.5 or fresh.min() != fresh.max() else int(fresh[0, 0])
    both.engine.feed_ward(both.now, values, given_fresh, doubts if doubts.any() else 0)
    for row in range(len(ROWS)):
        for bed in range(BEDS):
            how = int(doubts[row, bed])
            both.hear(row, bed, float(values[row, bed]), int(fresh[row, bed]), how)


def tick(both: Both, _: list[Limits], rng: Random) -> None:
    at = both.now + rng.choice(STEPS_MS)
    due = both.engine.due_ms()
    if due is not None and rng.random() < 0.5:
        at = due + rng.choice((-1, 0, 1))
    both.to(at)
    both.engine.tick(at)


def new_limits(both: Both, limits: list[Limits], rng: Random) -> None:
    bed = rng.randrange(BEDS)
    if rng.random() < 0.5:
        limits[bed] = random_limits(both.profile, rng)
    else:
        limits[bed] = tuple(moved(limit, rng) for limit in limits[bed])
    both.limits(bed, limits[bed])


def moved(limit: Limit, rng: Random) -> Limit:
    if limit.limit is None or rng.random() < 0.7:
        return limit
    if rng.random() < 0.2:
        return replace(limit, limit=None)
    return replace(
        limit,
        limit=limit.limit + rng.choice((-2, -1, 1, 2)),
        hold_ms=rng.choice((0, 5_000, 7_001)),
        agreed_ms=rng.choice((None, 0, 3_000, 60_000)),
    )


def restart(both: Both, _: list[Limits], rng: Random) -> None:
    bed, rule = rng.randrange(BEDS), rng.choice(TIMED)
    limit = both.judges[bed, rule].limit
    if limit is None or limit.limit is None:
        return
    cue, since, severe = rng.choice((Cue.ONSET, Cue.HELD, None)), both.now - 5_000, rng.random() < 0.3
    both.to(both.now)
    both.engine.tick(both.now)
    both.engine.restore(bed, rule, cue, since, severe=severe)
    both.judges[bed, rule].restored(cue, since, severe=severe)


def new_patient(both: Both, limits: list[Limits], rng: Random) -> None:
    bed = rng.randrange(BEDS)
    both.to(both.now)
    both.engine.tick(both.now)
    both.compare()
    both.engine.reset(bed)
    for rule in TIMED:
        both.judges[bed, rule] = Judge(bed, rule, both.profile.timing)
    both.limits(bed, limits[bed])


def unplugged(both: Both, _: list[Limits], rng: Random) -> None:
    bed = rng.randrange(BEDS)
    both.engine.forget(both.now, bed)
    for row in range(len(ROWS)):
        both.hear(row, bed, nan, both.now, Doubt.NONE)


def random_limits(numbers: Profile, rng: Random) -> Limits:
    own = Baseline(rng.choice((None, 122, 97)), 75, rng.choice((None, 72, 61)), 98, 14)
    return numbers.limits_for(own)


Happening = Callable[[Both, list[Limits], Random], None]
HAPPENINGS: tuple[Happening, ...] = (
    *(one,) * 6, *(batch,) * 5, *(whole_ward,) * 3, *(tick,) * 4, new_limits, restart, new_patient, unplugged,
)  # fmt: skip


def live_through(seed: int, events: int, few: int, start_ms: int) -> None:
    rng = Random(seed)  # noqa: S311  a history that can be had again
    both = Both(few, start_ms)
    limits = [random_limits(both.profile, rng) for _ in range(BEDS)]
    for bed in range(BEDS):
        both.limits(bed, limits[bed])
    for _ in range(events):
        both.to(both.now + rng.choice(STEPS_MS))
        rng.choice(HAPPENINGS)(both, limits, rng)
        both.engine.tick(both.now)
        both.compare()


@pytest.mark.parametrize("few", [0, 16, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_the_engine_says_what_the_oracle_says_over_a_long_history(seed: int, few: int) -> None:
    live_through(seed, 600, few, 1_780_000_000_000)


@pytest.mark.shows("ALM-065", "HZ-01")
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    few=st.sampled_from((0, 3, 16, 10_000)),
    start_ms=st.sampled_from((0, 1 << 41)),
)
def test_the_engine_says_what_the_oracle_says(seed: int, few: int, start_ms: int) -> None:
    live_through(seed, 25, few, start_ms)


@pytest.mark.parametrize("few", [0, 16, 10_000])
def test_a_steady_patient_is_judged_alike_whichever_way_the_readings_came(few: int) -> None:
    """One second a reading, values that wander: what a ward is most of the time."""
    rng = Random(few)  # noqa: S311  a history that can be had again
    both = Both(few, 1_000_000)
    limits = [random_limits(both.profile, rng) for _ in range(BEDS)]
    for bed in range(BEDS):
        both.limits(bed, limits[bed])
    level: Any = np.array([[75.0, 97.0, 14.0, 36.8, 120.0, 75.0, 90.0][: len(ROWS)]] * BEDS).T
    spread: Any = np.array([12.0, 1.5, 5.0, 0.4, 12.0, 8.0, 10.0])[: len(ROWS), None]
    steps = np.random.default_rng(few)
    drift = np.zeros_like(level)
    for _ in range(1_500):
        both.to(both.now + 1_000)
        drift = 0.97 * drift + steps.normal(0, 0.35, level.shape)
        values = np.round(level + drift * spread, 1)
        values[steps.random(values.shape) < 0.02] = nan
        fresh = both.now + 10_000
        way = rng.randrange(3)
        if way == 0:
            both.engine.feed_ward(both.now, values, fresh)
        elif way == 1:
            rows, beds = np.indices(values.shape)
            both.engine.feed(both.now, rows.ravel(), beds.ravel(), values.ravel(), fresh)
        for (row, bed), value in np.ndenumerate(values):
            if way == 2:
                both.engine.feed_one(both.now, row, bed, float(value), fresh)
            both.hear(row, bed, float(value), fresh, Doubt.NONE)
        both.compare()


DOORS = ("one by one", "in a batch", "the whole ward", "the whole ward in float32")


def hears(both: Both, door: str, row: int, value: float) -> None:
    """One reading of bed 0, through one of the doors; nothing is known of the others."""
    both.to(both.now + 1_000)
    fresh = both.now + 10_000
    if door == "one by one":
        both.engine.feed_one(both.now, row, 0, value, fresh)
    elif door == "in a batch":
        both.engine.feed(both.now, [row], [0], [value], fresh)
    else:
        ward: Any = np.full((len(ROWS), BEDS), nan, np.float32 if "float32" in door else np.float64)
        with np.errstate(over="ignore"):
            ward[row, 0] = value
        value = float(ward[row, 0])
        both.engine.feed_ward(both.now, ward, fresh)
        for other in range(len(ROWS)):
            for bed in range(BEDS):
                if (other, bed) != (row, 0):
                    both.hear(other, bed, nan, fresh, Doubt.NONE)
    both.hear(row, 0, value, fresh, Doubt.NONE)
    both.compare()


def hairs(limits: list[Limit]) -> list[float]:
    """Every bound, its neighbours in float64 and in float32, and what is odd."""
    found = {inf, -inf, 0.0, 5e-324, -5e-324, 1e-40, 1e300, -1e300}
    for limit in limits:
        assert limit.limit is not None
        sign = 1 if limit.rule.side is Side.LOW else -1
        bounds = (limit.limit, limit.limit + sign * limit.hysteresis, limit.severe)
        for bound in (b for b in bounds if b is not None):
            near = (np.nextafter(np.float32(bound), np.float32(way)) for way in (-inf, inf))
            found |= {bound, nextafter(bound, -inf), nextafter(bound, inf), *map(float, near)}
    return sorted(found)


@pytest.mark.parametrize("few", [0, 10_000])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("row", range(len(ROWS)), ids=[vital.name for vital in ROWS])
def test_a_hair_from_a_bound_is_on_the_same_side_as_for_the_oracle(row: int, door: str, few: int) -> None:
    """From rest and from alarms that stand on either side, for their edges are others; then a gap."""
    both = Both(few, 1_000_000)
    limits = both.profile.limits_for(Baseline(122, 75, 72, 98, 14))
    both.limits(0, limits)
    mine = [
        x for x in limits if x.rule.vital is ROWS[row] and x.rule.kind is Kind.TIMED and x.limit is not None
    ]
    usual = [75.0, 97.0, 14.0, 36.8, 120.0, 75.0, 90.0][row]
    ill = [bound for x in mine for bound in (x.limit, x.severe) if bound is not None]
    for before in (usual, min(ill) - 1, max(ill) + 1):
        for value in hairs(mine):
            hears(both, door, row, before)
            both.to(both.now + 9_000)
            hears(both, door, row, before)
            hears(both, door, row, value)
            hears(both, door, row, nan)

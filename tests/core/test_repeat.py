"""Cuffs: one reading asks, the next one answers."""

from __future__ import annotations

import pytest

from monitor.alerts.engine import Change
from monitor.alerts.repeat import Repeat
from monitor.alerts.rules import INDEX, RULES, Kind
from monitor.model import Baseline, Cue, Doubt, Vital
from tests.core.test_engine_oracle import watch

T0 = 1_790_000_000_000
TWO_MINUTES = 120_000


class Cuff:
    """One bed and its cuff."""

    def __init__(self, confirm_ms: int | None = TWO_MINUTES, baseline: Baseline | None = None) -> None:
        """With the limits of the "watch" profile."""
        self.repeat = Repeat(confirm_ms, bed=4)
        limits = watch().limits_for(baseline or Baseline(122, 75, 72, 98, 14))
        self.repeat.set_limits(T0, [limit for limit in limits if limit.rule.kind is Kind.REPEAT])
        self.said: list[Change] = []

    def reads(
        self,
        at_s: float,
        systolic: float,
        diastolic: float,
        rate: float | None = 72,
        doubt: Doubt = Doubt.NONE,
    ) -> None:
        """One measurement."""
        values = {Vital.SYSTOLIC: systolic, Vital.DIASTOLIC: diastolic}
        at_ms = T0 + round(at_s * 1_000)
        self.said += self.repeat.reading(at_ms, values, heart_rate=rate, doubt=doubt)

    def waits_until(self, at_s: float) -> None:
        """Nothing is measured."""
        self.said += self.repeat.tick(T0 + round(at_s * 1_000))

    def moves(self, rule: str) -> list[tuple[Cue, float, str]]:
        """What was said of this rule, when, and with what note."""
        return [(c.cue, (c.at_ms - T0) / 1_000, c.note) for c in self.said if RULES[c.rule].name == rule]


def test_a_high_pressure_is_raised_when_the_repeat_confirms_it() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 95)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, "")]
    assert cuff.repeat.waiting
    cuff.reads(60, 183, 94)
    assert cuff.moves("sbp-high")[-1] == (Cue.HELD, 60, "")
    assert not cuff.repeat.waiting
    held = next(c for c in cuff.said if c.cue is Cue.HELD and RULES[c.rule].name == "sbp-high")
    assert (held.bed, held.since_ms, held.value, held.limit) == (4, T0, 183, 180)


def test_a_repeat_that_is_not_in_breach_ends_it() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 85)
    cuff.reads(60, 179, 85)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, ""), (Cue.END, 60, "")]
    assert cuff.moves("sbp-high-m")[-1] == (Cue.HELD, 60, "")


@pytest.mark.shows("ALM-063")
def test_no_repeat_in_two_minutes_raises_it_all_the_same() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 85)
    assert cuff.repeat.due_ms() == T0 + TWO_MINUTES
    cuff.waits_until(119)
    assert cuff.moves("sbp-high")[-1] == (Cue.ONSET, 0, "")
    cuff.waits_until(121)
    assert cuff.moves("sbp-high")[-1] == (Cue.HELD, 120, "not confirmed")
    assert cuff.repeat.due_ms() is None


def test_in_a_recording_the_next_reading_confirms_whenever_it_comes() -> None:
    cuff = Cuff(confirm_ms=None)
    cuff.reads(0, 185, 85)
    cuff.waits_until(3_000)
    cuff.reads(3_600, 186, 85)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, ""), (Cue.HELD, 3_600, "")]


def test_a_low_needs_no_repeat() -> None:
    cuff = Cuff()
    cuff.reads(0, 150, 80)
    assert cuff.moves("sbp-high-l") == [(Cue.HELD, 0, "")]
    assert not cuff.repeat.waiting


@pytest.mark.shows("ALM-064")
def test_a_severe_reading_is_raised_at_once_and_a_good_repeat_ends_it_as_unconfirmed() -> None:
    """A3 of the scenarios: 201/62, the pulse pressure is odd, but 201 itself is a pressure people have."""
    cuff = Cuff()
    cuff.reads(0, 201, 62, doubt=Doubt.UNUSUAL)
    assert cuff.moves("sbp-high") == [(Cue.HELD, 0, "")]
    assert cuff.repeat.waiting
    cuff.reads(60, 132, 80)
    assert cuff.moves("sbp-high")[-1] == (Cue.END, 60, "not confirmed")


def test_a_severe_reading_outside_its_soft_band_is_repeated_first() -> None:
    cuff = Cuff()
    cuff.reads(0, 245, 110, doubt=Doubt.UNUSUAL)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, "")]
    cuff.reads(60, 244, 110, doubt=Doubt.UNUSUAL)
    assert cuff.moves("sbp-high")[-1] == (Cue.HELD, 60, "")


def test_a_severe_reading_taken_in_motion_is_repeated_first() -> None:
    cuff = Cuff()
    cuff.reads(0, 205, 100, doubt=Doubt.POOR_SIGNAL)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, "")]


def test_a_standing_alarm_that_becomes_severe_is_said_again() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 95)
    cuff.reads(60, 186, 95)
    cuff.reads(360, 203, 99)
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, ""), (Cue.HELD, 60, ""), (Cue.HELD, 360, "")]
    assert cuff.repeat.standing(INDEX["sbp-high"]).severe


def test_an_alarm_ends_only_past_the_hysteresis_band() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 95)
    cuff.reads(60, 186, 95)
    cuff.reads(360, 176, 95)
    assert cuff.moves("sbp-high")[-1] == (Cue.HELD, 60, "")
    cuff.reads(660, 174, 95)
    assert cuff.moves("sbp-high")[-1] == (Cue.END, 660, "")


def test_a_low_pressure_counts_sooner_while_the_heart_is_slow() -> None:
    fast, slow = Cuff(), Cuff()
    for cuff, rate in ((fast, 75), (slow, 44)):
        cuff.reads(0, 86, 55, rate)
        cuff.reads(60, 86, 55, rate)
    assert fast.moves("sbp-low") == []
    assert slow.moves("sbp-low") == [(Cue.ONSET, 0, ""), (Cue.HELD, 60, "")]
    assert slow.said[-1].limit == 90


def test_a_failed_reading_is_no_repeat() -> None:
    cuff = Cuff()
    cuff.reads(0, 185, 95)
    cuff.said += cuff.repeat.reading(T0 + 60_000, {})
    assert cuff.moves("sbp-high") == [(Cue.ONSET, 0, "")]


def test_after_a_restart_a_repeat_is_waited_for_no_longer_than_before() -> None:
    cuff = Cuff()
    cuff.repeat.restore(INDEX["sbp-high"], Cue.ONSET, T0 - 100_000)
    assert cuff.repeat.waiting
    cuff.waits_until(30)
    assert cuff.moves("sbp-high") == [(Cue.HELD, 20, "not confirmed")]


def test_a_restored_alarm_ends_by_the_next_good_reading() -> None:
    cuff = Cuff()
    cuff.repeat.restore(INDEX["sbp-high"], Cue.HELD, T0 - 100_000, severe=True)
    assert not cuff.repeat.waiting
    cuff.reads(0, 120, 75)
    assert cuff.moves("sbp-high") == [(Cue.END, 0, "")]


def test_a_rule_that_is_turned_off_has_ended() -> None:
    cuff = Cuff()
    cuff.reads(0, 150, 80)
    nobody = watch().limits_for(Baseline())
    cuff.said += cuff.repeat.set_limits(T0 + 5_000, [x for x in nobody if x.rule.name == "sbp-high-l"])
    assert cuff.moves("sbp-high-l") == [(Cue.HELD, 0, ""), (Cue.END, 5, "")]

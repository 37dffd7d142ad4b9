"""The engine, told as a nurse would tell it: one bed, one vital, and what was said of it when."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from monitor.alerts.engine import Change, Engine
from monitor.alerts.rules import INDEX, ROWS
from monitor.model import Baseline, Cue, Doubt, Vital
from tests.core.test_engine_oracle import watch

T0 = 1_790_000_000_000
BED = 1
SPO2 = ROWS.index(Vital.SPO2)


class Bedside:
    """One bed of a ward of three, a reading a second."""

    def __init__(self, vital: Vital = Vital.SPO2) -> None:
        """A patient with a baseline and the limits of the "watch" profile."""
        self.row = ROWS.index(vital)
        self.engine = Engine(3, watch().timing)
        self.limits = watch().limits_for(Baseline(122, 75, 72, 98, 14))
        self.engine.set_limits(T0, BED, self.limits)
        self.now = T0
        self.said: list[Change] = []

    def shows(self, *values: float, doubt: Doubt = Doubt.NONE, fresh_ms: int = 10_000) -> None:
        """One value a second."""
        for value in values:
            self.engine.feed_one(self.now, self.row, BED, value, self.now + fresh_ms, doubt)
            self.now += 1_000
        self.said += self.engine.take_changes()

    def waits(self, seconds: float) -> None:
        """Nothing is heard."""
        self.now += round(seconds * 1_000)
        self.engine.tick(self.now)
        self.said += self.engine.take_changes()

    def moves(self, rule: str) -> list[tuple[Cue, float]]:
        """What was said of this rule, and how many seconds after T0."""
        return [(c.cue, (c.at_ms - T0) / 1_000) for c in self.said if c.rule == INDEX[rule]]

    def last(self, rule: str) -> Change:
        """The newest word on this rule."""
        return next(c for c in reversed(self.said) if c.rule == INDEX[rule])


def test_a_low_saturation_is_raised_after_its_delay_and_counts_from_the_first_breach() -> None:
    bed = Bedside()
    bed.shows(*[97] * 5, *[89] * 12)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 5), (Cue.HELD, 15)]
    assert bed.last("spo2-low").since_ms == T0 + 5_000
    assert (bed.last("spo2-low").value, bed.last("spo2-low").limit) == (89, 90)


@pytest.mark.shows("ALM-064")
def test_a_severe_value_does_not_wait() -> None:
    bed = Bedside()
    bed.shows(97, 84)
    assert bed.moves("spo2-low") == [(Cue.HELD, 1)]
    assert bed.last("spo2-low").severe
    assert bed.moves("spo2-low-m") == [(Cue.ONSET, 1)]


def test_a_standing_alarm_that_becomes_severe_is_said_again_once() -> None:
    bed = Bedside()
    bed.shows(*[89] * 11, 84, 83, 86, 84)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 10), (Cue.HELD, 11)]
    assert bed.last("spo2-low").severe


@pytest.mark.shows("ALM-065", "HZ-01")
def test_one_good_sample_does_not_restart_a_falling_patient() -> None:
    bed = Bedside()
    bed.shows(*[89] * 5, 92, *[89] * 6)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 10)]


@pytest.mark.shows("ALM-065")
def test_more_than_a_fifth_outside_moves_the_alarm_by_what_is_too_much() -> None:
    bed = Bedside()
    bed.shows(*[89] * 4, 90, 90, 90, *[89] * 6)  # three seconds outside, two are allowed
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 11)]


def test_too_long_outside_opens_a_new_window() -> None:
    bed = Bedside()
    bed.shows(*[89] * 4, 90, 90, 90, 90, *[89] * 11)  # the fourth sample outside closes the window
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.ONSET, 8), (Cue.HELD, 18)]
    assert bed.last("spo2-low").since_ms == T0 + 8_000


@pytest.mark.shows("ALM-071", "HZ-13")
def test_a_pulled_cable_does_not_clear_an_alarm() -> None:
    bed = Bedside()
    bed.shows(*[89] * 11)
    bed.shows(*[nan] * 60)
    bed.waits(600)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 10)
    assert bed.engine.standing(BED, INDEX["spo2-low"]).cue is Cue.HELD


@pytest.mark.shows("ALM-065", "HZ-01")
def test_missing_samples_do_not_count_as_good_and_do_not_restart_the_delay() -> None:
    bed = Bedside()
    bed.shows(*[89] * 5, *[nan] * 40, *[89] * 6)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 50)]


def test_a_value_that_is_no_longer_fresh_is_not_counted() -> None:
    bed = Bedside()
    bed.shows(89, fresh_ms=4_000)
    bed.waits(60)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0)]
    bed.shows(*[89] * 7)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 67)


@pytest.mark.shows("ALM-045")
def test_an_alarm_ends_past_the_hysteresis_band_for_five_seconds() -> None:
    bed = Bedside()
    bed.shows(*[89] * 11, *[90] * 20)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 10)
    bed.shows(*[91] * 6)
    assert bed.moves("spo2-low")[-1] == (Cue.END, 36)


def test_a_gap_begins_the_five_seconds_anew() -> None:
    bed = Bedside()
    bed.shows(*[89] * 11, *[95] * 4, nan, *[95] * 5)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 10)
    bed.shows(95)
    assert bed.moves("spo2-low")[-1] == (Cue.END, 21)


def test_a_breach_that_clears_by_itself_is_said_too() -> None:
    bed = Bedside()
    bed.shows(89, 89, *[97] * 6)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.END, 7)]


@pytest.mark.shows("ALM-073")
def test_motion_withholds_a_high_for_thirty_seconds_and_no_longer() -> None:
    bed = Bedside()
    bed.shows(*[82] * 31, doubt=Doubt.POOR_SIGNAL)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 30)]
    assert bed.last("spo2-low").note == "poor signal"


def test_a_burst_of_motion_under_thirty_seconds_never_becomes_a_high() -> None:
    bed = Bedside()
    bed.shows(*[82] * 28, doubt=Doubt.POOR_SIGNAL)
    bed.shows(*[97] * 20)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.END, 33)]


def test_motion_that_ends_in_a_true_fall_does_not_wait_for_the_thirty_seconds() -> None:
    bed = Bedside()
    bed.shows(*[88] * 12, doubt=Doubt.POOR_SIGNAL)
    bed.shows(88)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 12)
    assert bed.last("spo2-low").note == ""


def test_an_unusual_value_must_last_its_delay_even_where_it_is_severe() -> None:
    bed = Bedside()
    bed.shows(*[65] * 11, doubt=Doubt.UNUSUAL)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 10)]


def test_no_pulse_is_raised_after_four_seconds() -> None:
    bed = Bedside(Vital.HEART_RATE)
    bed.shows(72, *[0] * 5)
    assert bed.moves("hr-none") == [(Cue.ONSET, 1), (Cue.HELD, 5)]


def test_a_value_on_the_limit_is_a_breach_only_where_the_rule_says_at_or_beyond() -> None:
    cuffed, saturated = Bedside(Vital.ARTERIAL_SYSTOLIC), Bedside()
    cuffed.shows(180)
    saturated.shows(90)
    assert cuffed.moves("abp-sbp-high") == [(Cue.ONSET, 0)]
    assert saturated.moves("spo2-low") == []


def test_a_late_tick_still_says_when_it_was() -> None:
    bed = Bedside()
    bed.shows(89, fresh_ms=60_000)
    assert bed.engine.due_ms() == T0 + 10_000
    bed.waits(45)
    assert bed.moves("spo2-low")[-1] == (Cue.HELD, 10)


def test_a_new_limit_is_judged_at_once_while_a_delay_runs() -> None:
    bed = Bedside()
    bed.shows(*[89] * 8)
    lower = [replace(limit, limit=86.0) for limit in bed.limits if limit.rule.name == "spo2-low"]
    bed.engine.set_limits(bed.now, BED, lower)
    bed.shows(*[89] * 20)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.END, 13)]


def test_a_rule_that_is_turned_off_has_ended() -> None:
    bed = Bedside()
    bed.shows(*[89] * 11)
    off = [replace(limit, limit=None) for limit in bed.limits if limit.rule.name == "spo2-low"]
    bed.engine.set_limits(bed.now, BED, off)
    bed.shows(*[80] * 30)
    assert bed.moves("spo2-low") == [(Cue.ONSET, 0), (Cue.HELD, 10), (Cue.END, 11)]


@pytest.mark.shows("ALM-090")
def test_nothing_of_the_last_patient_stays() -> None:
    bed = Bedside()
    bed.shows(*[82] * 20)
    bed.engine.reset(BED)
    bed.said.clear()
    bed.shows(*[70] * 60)
    assert bed.said == []
    assert bed.engine.due_ms() is None
    assert bed.engine.standing(BED, INDEX["spo2-low"]).cue is None


def test_a_restored_alarm_stands_and_ends_like_any_other() -> None:
    bed = Bedside()
    bed.engine.restore(BED, INDEX["spo2-low"], Cue.HELD, T0 - 60_000)
    assert bed.engine.standing(BED, INDEX["spo2-low"]).since_ms == T0 - 60_000
    bed.shows(*[88] * 5, *[97] * 6)
    assert bed.moves("spo2-low") == [(Cue.END, 10)]


def test_time_that_seems_to_run_back_counts_as_now() -> None:
    bed = Bedside()
    bed.shows(97, 97, 97)
    bed.engine.feed_one(T0 - 60_000, SPO2, BED, 89, T0 + 20_000)
    bed.said += bed.engine.take_changes()
    assert bed.moves("spo2-low") == [(Cue.ONSET, 2)]


def test_one_bed_says_nothing_of_another() -> None:
    bed = Bedside()
    bed.engine.set_limits(T0, [0, 2], bed.limits)
    bed.shows(*[80] * 30)
    assert {change.bed for change in bed.said} == {BED}


def test_a_limit_that_is_no_limit_of_any_vital_is_refused() -> None:
    bed = Bedside()
    with pytest.raises(ValueError, match="spo2-low: a limit of 1e"):
        bed.engine.set_limits(
            T0, BED, [replace(x, limit=1e30) for x in bed.limits if x.rule.name == "spo2-low"]
        )


def test_two_readings_of_one_bed_in_one_batch_are_heard_in_their_order() -> None:
    engine = Engine(100, watch().timing)
    engine.set_limits(T0, np.arange(100), watch().limits_for(Baseline()))
    beds = np.concatenate((np.arange(100), np.arange(100)))
    values = np.concatenate((np.full(100, 89.0), np.full(100, 84.0)))
    engine.feed(T0, np.full(200, SPO2), beds, values, T0 + 10_000)
    high = [c for c in engine.take_changes() if c.rule == INDEX["spo2-low"] and c.bed == 7]
    assert [(c.cue, c.value) for c in high] == [(Cue.ONSET, 89), (Cue.HELD, 84)]

"""Signals that disagree, as stories at a bed: C5 to C11, and that none of them withholds a HIGH too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.agreement import Agreement
from monitor.model import (
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Cuff,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    Device,
    DeviceNoted,
    Doubt,
    Quality,
    Reading,
    Vital,
)
from monitor.snapshot import CuffNow
from tests.core.shift import VITALS, Shift

BED = Bed("3")
ACTIVE, PENDING, LATCHED = AlarmState.ACTIVE, AlarmState.PENDING, AlarmState.LATCHED
POOR, UNUSUAL, SURE = Doubt.POOR_SIGNAL, Doubt.UNUSUAL, Doubt.NONE


class Bedside(Shift):
    """A shift that says when a rule moved."""

    def of_rule(self, rule: str) -> list[AlarmMoved]:
        """All moves of this rule's alarm."""
        return [moved for moved in self.of(AlarmMoved) if moved.rule == rule]


def shown(shift: Shift, vital: Vital) -> tuple[float | None, Quality, Doubt]:
    now = shift.ward.vital_now(BED, vital)
    assert now is not None
    return now.value, now.quality, now.doubt


def cuff(shift: Shift) -> CuffNow:
    now = shift.bed("3").cuff
    assert now is not None
    return now


def orders(shift: Shift) -> list[CuffWhy]:
    return [order.why for order in shift.of(CuffOrdered)]


def notes(shift: Shift, *what: str, by: str = "monitor") -> None:
    shift.feed(DeviceNoted(shift.now_ms, Device(f"{by}-3"), what))


def raised_after_s(shift: Bedside, rule: str) -> float:
    return next((m.at_ms - m.since_ms) / 1_000 for m in shift.of_rule(rule) if m.now is ACTIVE)


# C5.


def test_C5_two_readings_that_differ_ask_for_a_third_and_the_median_is_shown_with_its_why() -> None:
    shift = Bedside()
    shift.cuff("3", 126, 80)
    shift.waits(seconds=60)
    shift.cuff("3", 155, 82)
    assert orders(shift) == [CuffWhy.CONFIRM]
    disputed = cuff(shift).cuff
    assert disputed is not None
    assert (disputed.systolic, disputed.quality) == (155, Quality.QUESTIONABLE)
    assert disputed.why == "differs from 126/80 just before: measure again"
    shift.waits(seconds=40)
    shift.cuff("3", 130, 85)
    median = cuff(shift).cuff
    assert median is not None
    assert (median.systolic, median.diastolic) == (130, 82)
    assert median.why == "median of 126/80, 155/82, 130/85"
    assert orders(shift) == [CuffWhy.CONFIRM], "three are enough"


@pytest.mark.parametrize(
    ("second", "after_s", "differs"),
    [((143, 62), 60, False), ((144, 62), 60, True), ((118, 82), 60, False), ((118, 83), 60, True),
     ((144, 62), 120, True), ((144, 62), 121, False)],
)  # fmt: skip
def test_C5_differs_is_more_than_25_or_20_within_two_minutes(
    second: tuple[float, float], after_s: int, *, differs: bool
) -> None:
    shift = Bedside()
    shift.cuff("3", 118, 62)
    shift.waits(seconds=after_s)
    shift.cuff("3", *second)
    assert (orders(shift) == [CuffWhy.CONFIRM]) is differs


def test_C5_where_no_cuff_can_be_started_the_tile_says_measure_again() -> None:
    shift = Bedside(cuff_starts=False)
    shift.cuff("3", 126, 80)
    shift.cuff("3", 158, 80, ago_s=0)
    assert orders(shift) == []
    now = cuff(shift).cuff
    assert now is not None
    assert "measure again" in (now.why or "")


def test_C5_two_arms_may_differ() -> None:
    shift = Bedside()
    shift.cuff("3", 118, 62)
    shift.waits(seconds=30)
    other = CuffTaken(shift.now_ms, shift.now_ms, BED, Device("monitor-3"), Cuff(146, 62))
    shift.feed(other)
    assert orders(shift) == []
    assert cuff(shift).device == "monitor-3"


def test_C5_a_median_in_breach_needs_no_fourth_reading() -> None:
    shift = Bedside()
    shift.cuff("3", 185, 90)
    assert shift.alarm("3", "sbp-high").state is PENDING
    shift.waits(seconds=40)
    shift.cuff("3", 150, 88)
    shift.waits(seconds=40)
    shift.cuff("3", 188, 92)
    assert (shift.alarm("3", "sbp-high").state, shift.alarm("3", "sbp-high").value) == (ACTIVE, 185)


def test_C5_the_median_ends_what_one_wild_reading_began() -> None:
    shift = Bedside()
    shift.cuff("3", 128, 80)
    shift.waits(seconds=40)
    shift.cuff("3", 206, 92)
    assert shift.alarm("3", "sbp-high").state is ACTIVE, "a severe pressure is not withheld"
    shift.waits(seconds=40)
    shift.cuff("3", 131, 82)
    assert shift.alarm("3", "sbp-high").state is LATCHED
    now = cuff(shift).cuff
    assert now is not None
    assert now.systolic == 131


def test_C5_the_median_outlives_a_restart() -> None:
    shift = Bedside()
    for systolic in (126, 158, 131):
        shift.cuff("3", systolic, 80)
        shift.waits(seconds=40)
    before = cuff(shift).cuff
    shift.restarts()
    assert cuff(shift).cuff == before


# C6.


def test_C6_a_reading_that_took_more_than_two_minutes_is_questionable() -> None:
    for took_s, quality in ((120, Quality.VALID), (121, Quality.QUESTIONABLE)):
        shift = Bedside()
        notes(shift, "cuff measuring", by="cuff")
        shift.waits(seconds=took_s)
        shift.cuff("3", 126, 80)
        now = cuff(shift).cuff
        assert now is not None
        assert now.quality is quality


def test_C6_a_reading_while_the_patient_moves_is_questionable_and_no_high_at_once() -> None:
    shift = Bedside()
    notes(shift, "cuff measuring", by="cuff")
    shift.waits(seconds=20)
    shift.feed(moving(shift, "spo2", 96))
    shift.waits(seconds=15)
    shift.cuff("3", 206, 92)
    now = cuff(shift).cuff
    assert now is not None
    assert now.why == "the patient moved: measure again"
    assert shift.alarm("3", "sbp-high").state is PENDING
    shift.waits(seconds=120)
    assert shift.alarm("3", "sbp-high").state is ACTIVE, "never longer than a repeat is waited for"


def test_C6_a_cuff_that_came_to_nothing_does_not_make_the_next_one_slow() -> None:
    shift = Bedside()
    notes(shift, "cuff measuring", by="cuff")
    notes(shift, by="cuff")
    shift.waits(minutes=10)
    shift.cuff("3", 126, 80)
    now = cuff(shift).cuff
    assert now is not None
    assert now.quality is Quality.VALID


def test_C6_motion_before_the_cuff_began_does_not_count() -> None:
    shift = Bedside()
    shift.feed(moving(shift, "spo2", 96))
    shift.waits(seconds=5)
    notes(shift, "cuff measuring", by="cuff")
    shift.waits(seconds=30)
    shift.cuff("3", 126, 80)
    now = cuff(shift).cuff
    assert now is not None
    assert now.quality is Quality.VALID


def moving(shift: Shift, name: str, value: float) -> Reading:
    reading = shift.reading("3", name, value, doubt=POOR)
    return Reading(
        reading.at_ms, reading.bed, reading.device, reading.vital, value, Quality.QUESTIONABLE, "motion",
        reading.fresh_until_ms, POOR,
    )  # fmt: skip


# C7.


def test_C7_rates_that_differ_for_15_s_are_a_notice() -> None:
    shift = Bedside()
    shift.stays("3", seconds=14, hr=92, pr_spo2=81)
    assert shift.find("3", "rates-differ-l") is None
    shift.stays("3", seconds=2, hr=92, pr_spo2=81)
    assert shift.alarm("3", "rates-differ-l").text == "ECG and oximeter count differently"
    shift.stays("3", seconds=1, hr=92, pr_spo2=82)
    assert shift.find("3", "rates-differ-l") is None


def test_C7_the_poor_one_of_the_two_raises_no_medium() -> None:
    shift = Bedside()
    for _ in range(60):
        shift.feed(shift.reading("3", "hr", 105, doubt=POOR))
        shift.feed(shift.reading("3", "pr_spo2", 75))
        shift.waits(seconds=1)
    for _ in range(60):
        shift.feed(shift.reading("3", "hr", 128, doubt=POOR))
        shift.feed(shift.reading("3", "pr_spo2", 75))
        shift.waits(seconds=1)
    assert shift.find("3", "hr-high-m") is None
    value, quality, _ = shown(shift, Vital.HEART_RATE)
    assert (value, quality) == (128, Quality.QUESTIONABLE)
    assert shift.find("3", "rates-differ-l") is not None


@pytest.mark.shows("ALM-073", "HZ-13")
def test_C7_a_high_of_the_poor_one_is_raised_after_30_s_and_marked() -> None:
    shift = Bedside()
    for _ in range(40):
        shift.feed(shift.reading("3", "hr", 30, doubt=POOR))
        shift.feed(shift.reading("3", "pr_spo2", 75))
        shift.waits(seconds=1)
    alarm = shift.alarm("3", "hr-low")
    assert (alarm.state, alarm.note) == (ACTIVE, "poor signal")
    assert raised_after_s(shift, "hr-low") == 30


def test_C7_the_oximeter_with_a_weak_pulse_is_the_poor_one() -> None:
    shift = Bedside()
    shift.stays("3", seconds=20, hr=80, pi=0.2, pr_spo2=55)
    value, quality, doubt = shown(shift, Vital.PULSE_SPO2)
    assert (value, quality, doubt) == (55, Quality.QUESTIONABLE, POOR)
    assert shown(shift, Vital.HEART_RATE) == (80, Quality.VALID, SURE)


# C8.


@pytest.mark.parametrize("weak", [{"pr_spo2": None}, {"pr_spo2": 70, "pi": 0.29}])
def test_C8_low_with_a_weak_pulse_or_none_is_first_technical_and_the_patients_after_30_s(
    weak: dict[str, Any],
) -> None:
    shift = Bedside()
    shift.stays("3", seconds=5, spo2=91, pr_spo2=70, pi=4)
    shift.forget_pages()
    shift.stays("3", seconds=20, **weak, spo2=88)
    shift.shows("3", "spo2-weak-l", ACTIVE, text="SpO2 signal weak")
    medium = shift.find("3", "spo2-low-m")
    assert medium is None or medium.spoken_for, "the technical alarm speaks for it"
    assert shift.alarm("3", "spo2-low").state is PENDING
    shift.stays("3", seconds=15, **weak, spo2=88)
    high = shift.alarm("3", "spo2-low")
    assert (high.state, high.note) == (ACTIVE, "poor signal")
    assert shift.find("3", "spo2-weak-l") is None
    assert raised_after_s(shift, "spo2-low") <= 30


def test_C8_an_spo2_of_65_is_high_in_time_whatever_the_pulse() -> None:
    shift = Bedside()
    shift.stays("3", seconds=32, pr_spo2=70, pi=0.1, spo2=65)
    assert shift.alarm("3", "spo2-low").state is ACTIVE


def test_C8_a_pulse_that_nobody_measures_is_not_missing() -> None:
    shift = Bedside()
    shift.stays("3", seconds=11, spo2=88)
    assert shift.alarm("3", "spo2-low").state is ACTIVE
    assert shift.states("spo2-weak-l") == []


def test_C8_a_good_saturation_with_a_weak_pulse_is_no_alarm() -> None:
    shift = Bedside()
    shift.stays("3", seconds=40, pr_spo2=70, pi=0.2, spo2=97)
    assert shift.snapshot().alarms == ()


def test_C8_a_medium_that_lasts_is_paged_once_its_30_s_are_over() -> None:
    shift = Bedside()
    shift.stays("3", seconds=29, pr_spo2=70, pi=0.2, spo2=91)
    assert shift.alarm("3", "spo2-low-m").spoken_for
    shift.shows("3", "spo2-low-m", ACTIVE, paged=[])
    shift.stays("3", seconds=3, pr_spo2=70, pi=0.2, spo2=91)
    shift.shows("3", "spo2-low-m", ACTIVE, paged=["dana"], spoken_for=False)


# C9.


def test_C9_a_fall_of_more_than_4_in_2_s_is_questionable_for_6_s_and_then_high_at_once() -> None:
    shift = Bedside()
    shift.stays("3", seconds=5, spo2=97)
    shift.hears("3", spo2=84)
    assert shown(shift, Vital.SPO2) == (84, Quality.QUESTIONABLE, UNUSUAL)
    shift.waits(seconds=1)
    shift.stays("3", seconds=5, spo2=84)
    assert shift.alarm("3", "spo2-low").state is PENDING
    shift.hears("3", spo2=84)
    assert shown(shift, Vital.SPO2) == (84, Quality.VALID, SURE)
    assert shift.alarm("3", "spo2-low").state is ACTIVE
    assert raised_after_s(shift, "spo2-low") == 6


def test_C9_a_fall_that_goes_on_has_no_second_6_s() -> None:
    shift = Bedside()
    shift.stays("3", seconds=3, spo2=97)
    for step in range(9):
        shift.stays("3", seconds=1, spo2=92 - 4 * step)
    assert raised_after_s(shift, "spo2-low") <= 10
    assert any(not m.note for m in shift.of_rule("spo2-low") if m.cue is Cue.HELD)


@pytest.mark.parametrize(("fall", "doubt"), [(4, SURE), (5, UNUSUAL)])
def test_C9_four_points_are_a_fall_like_any_other(fall: int, doubt: Doubt) -> None:
    shift = Bedside()
    shift.stays("3", seconds=3, spo2=97)
    shift.hears("3", spo2=97 - fall)
    assert shown(shift, Vital.SPO2)[2] is doubt


@pytest.mark.parametrize("name", ["hr", "pr_spo2"])
@pytest.mark.parametrize(("to", "doubt"), [(110, SURE), (111, UNUSUAL), (30, SURE), (29, UNUSUAL)])
def test_C9_a_rate_that_jumps_more_than_40_in_2_s(name: str, to: float, doubt: Doubt) -> None:
    shift = Bedside()
    before: dict[str, Any] = {name: 70}
    after: dict[str, Any] = {name: to}
    shift.stays("3", seconds=3, **before)
    shift.hears("3", **after)
    assert shown(shift, VITALS[name])[2] is doubt


def test_C9_a_heart_that_stops_is_high_in_its_own_4_s() -> None:
    shift = Bedside()
    shift.stays("3", seconds=3, hr=70)
    shift.stays("3", seconds=5, hr=0)
    assert raised_after_s(shift, "hr-none") == 4


def test_C9_another_device_is_no_jump() -> None:
    shift = Bedside()
    shift.stays("3", seconds=3, spo2=98)
    shift.hears("3", spo2=None)
    shift.hears("3", by="second", spo2=90)
    assert shown(shift, Vital.SPO2)[2] is SURE


# C10.


def lost_while_the_cuff_runs(shift: Shift, seconds: int) -> None:
    shift.stays("3", seconds=3, spo2=97, pr_spo2=70)
    notes(shift, "cuff measuring", by="cuff")
    shift.stays("3", seconds=seconds, spo2=None, pr_spo2=None)


@pytest.mark.shows("ALM-072", "HZ-13")
def test_C10_a_pulse_lost_under_the_cuff_of_the_same_arm_is_said_after_60_s_and_no_later() -> None:
    shift = Bedside(same_arm=frozenset({BED}))
    lost_while_the_cuff_runs(shift, 56)
    assert shift.states("spo2-gap-l") + shift.states("hr-gap-l") == []
    shift.stays("3", seconds=6, spo2=None, pr_spo2=None)
    assert shift.states("spo2-gap-l") == [ACTIVE]
    assert shift.states("spo2-gap-m") == [ACTIVE]


@pytest.mark.shows("ALM-072")
def test_C10_it_ends_15_s_after_the_cuff() -> None:
    shift = Bedside(same_arm=frozenset({BED}))
    lost_while_the_cuff_runs(shift, 30)
    shift.cuff("3", 126, 80)
    shift.stays("3", seconds=14, spo2=None, pr_spo2=None)
    assert shift.states("spo2-gap-l") == []
    shift.stays("3", seconds=3, spo2=None, pr_spo2=None)
    assert shift.states("spo2-gap-l") == [ACTIVE]


def test_C10_on_the_other_arm_nothing_is_ever_left_unsaid() -> None:
    shift = Bedside()
    lost_while_the_cuff_runs(shift, 12)
    assert shift.states("spo2-gap-l") == [ACTIVE]


def test_C10_what_was_lost_before_the_cuff_began_is_not_the_cuffs() -> None:
    shift = Bedside(same_arm=frozenset({BED}))
    shift.stays("3", seconds=3, spo2=97)
    shift.stays("3", seconds=5, spo2=None)
    notes(shift, "cuff measuring", by="cuff")
    shift.stays("3", seconds=8, spo2=None)
    assert shift.states("spo2-gap-l") == [ACTIVE]


def test_C10_an_ecg_has_nothing_to_do_with_the_arm() -> None:
    shift = Bedside(same_arm=frozenset({BED}))
    shift.stays("3", seconds=3, hr=70, spo2=97)
    notes(shift, "cuff measuring", by="cuff")
    shift.stays("3", seconds=12, hr=None, spo2=None)
    assert shift.states("hr-gap-l") == [ACTIVE]
    assert shift.states("spo2-gap-l") == []


@pytest.mark.shows("HZ-13")
def test_C10_a_low_saturation_is_never_the_cuffs() -> None:
    shift = Bedside(same_arm=frozenset({BED}))
    shift.stays("3", seconds=3, spo2=91)
    notes(shift, "cuff measuring", by="cuff")
    shift.stays("3", seconds=12, spo2=88)
    assert shift.alarm("3", "spo2-low").state is ACTIVE


# C11.


def steady(shift: Shift) -> None:
    shift.stays("3", seconds=32, spo2=97, pr_spo2=72, rr=14)


def test_C11_few_breaths_of_a_patient_who_moves_and_is_well_are_questionable_for_30_s() -> None:
    shift = Bedside()
    steady(shift)
    notes(shift, "motion")
    shift.stays("3", seconds=29, spo2=97, pr_spo2=72, rr=5)
    assert shown(shift, Vital.RESPIRATION) == (5, Quality.QUESTIONABLE, POOR)
    assert shift.alarm("3", "rr-low").state is PENDING
    shift.stays("3", seconds=2, spo2=97, pr_spo2=72, rr=5)
    assert (shift.alarm("3", "rr-low").state, raised_after_s(shift, "rr-low")) == (ACTIVE, 30)


@pytest.mark.shows("HZ-13")
def test_C11_no_breath_is_high_in_its_own_20_s_however_the_patient_moves() -> None:
    shift = Bedside()
    steady(shift)
    notes(shift, "motion")
    shift.stays("3", seconds=21, spo2=97, pr_spo2=72, rr=0)
    assert raised_after_s(shift, "rr-none") == 20


@pytest.mark.parametrize(
    "beside", [{"spo2": 93, "pr_spo2": 72}, {"spo2": 97, "pr_spo2": 90}, {"spo2": None, "pr_spo2": None}]
)
def test_C11_nothing_is_doubted_where_the_patient_is_not_steady(beside: dict[str, Any]) -> None:
    shift = Bedside()
    steady(shift)
    notes(shift, "motion")
    shift.stays("3", seconds=12, **beside, rr=14)
    shift.hears("3", rr=5)
    assert shown(shift, Vital.RESPIRATION)[2] is SURE


def test_C11_a_patient_who_lies_still_is_believed() -> None:
    shift = Bedside()
    steady(shift)
    shift.stays("3", seconds=16, spo2=97, pr_spo2=72, rr=5)
    assert raised_after_s(shift, "rr-low") == 15


def test_C11_breath_that_is_seen_in_the_gas_is_not_counted_by_impedance() -> None:
    shift = Bedside()
    shift.stays("3", seconds=32, spo2=97, pr_spo2=72, rr=14, etco2=38)
    notes(shift, "motion")
    shift.hears("3", etco2=38, rr=5)
    assert shown(shift, Vital.RESPIRATION)[2] is SURE


def test_a_new_patient_starts_with_no_disagreement() -> None:
    shift = Bedside()
    shift.stays("3", seconds=20, hr=92, pr_spo2=75)
    assert shift.find("3", "rates-differ-l") is not None
    assert shift.discharges("3") is None
    shift.admits("3", "B2")
    shift.waits(seconds=1)
    assert shift.find("3", "rates-differ-l") is None


# The short way.


class Plain(Agreement):
    """The same rules without the short way of a value that is one more of the same."""

    def _goes_on(self, reading: Reading) -> bool:  # noqa: ARG002
        return False


VALUES = {
    Vital.SPO2: st.sampled_from([None, 98.0, 97, 96, 93, 91, 84, 65]),
    Vital.HEART_RATE: st.sampled_from([None, 70.0, 72, 79, 81, 111, 30, 0]),
    Vital.PULSE_SPO2: st.sampled_from([None, 70.0, 71, 80, 82, 112, 35]),
    Vital.RESPIRATION: st.sampled_from([None, 14.0, 5, 0]),
    Vital.PERFUSION: st.sampled_from([None, 4.0, 0.2]),
}


@st.composite
def told(draw: st.DrawFn) -> tuple[int, Vital, float | None, str, bool]:
    vital = draw(st.sampled_from(list(VALUES)))
    wait_ms = draw(st.sampled_from([0, 200, 1_000, 1_000, 1_000, 2_000, 7_000, 11_000]))
    return wait_ms, vital, draw(VALUES[vital]), draw(st.sampled_from(["m"] * 5 + ["n"])), draw(st.booleans())


@settings(deadline=None)
@given(st.lists(told(), max_size=80), st.sets(st.integers(0, 79), max_size=8))
def test_the_short_way_leads_to_the_same_place(
    history: list[tuple[int, Vital, float | None, str, bool]], poor: set[int]
) -> None:
    quick, plain, at_ms = Agreement(), Plain(), 0
    for place, (wait_ms, vital, value, by, moves) in enumerate(history):
        at_ms += wait_ms
        doubt = POOR if place in poor and value is not None else SURE
        why = "motion" if doubt is POOR and moves else None
        quality = Quality.VALID if doubt is SURE else Quality.QUESTIONABLE
        reading = Reading(at_ms, BED, Device(by), vital, value, quality, why, at_ms + 10_000, doubt)
        low = vital is Vital.SPO2 and value is not None and value < 94
        assert quick.weighs(reading, low=low) == plain.weighs(reading, low=low)
        for name in ("apart_since_ms", "weak_since_ms", "ecg_is_poor"):
            assert getattr(quick, name) == getattr(plain, name)

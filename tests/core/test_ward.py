"""The ward, told as shift reports: what is heard, what is shown, and who is paged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from monitor.model import (
    CLINIC,
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    CuffAsked,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    Decided,
    Device,
    DeviceNoted,
    Discharged,
    Doubt,
    LinkState,
    PageOrdered,
    PauseKind,
    Priority,
    SessionMoved,
    SessionPhase,
    Staff,
    Vital,
    VitalTyped,
    Why,
)
from monitor.plan import DevicePlan
from tests.core.shift import T0_MS, Shift

CLEAR, PENDING, ACTIVE, ACKED, LATCHED = AlarmState
UP, DOWN, SILENT = LinkState.UP, LinkState.DOWN, LinkState.SILENT


# The life of an alarm.


def test_a_shift_report() -> None:
    ward = Shift()
    ward.hears("3", spo2=84, fresh_s=3_600)  # severe: no delay
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.waits(seconds=60)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam", "dana", "sam", "lee", "ida"])
    assert ward.acks("3", "spo2-low", by="sam") is None
    ward.shows("3", "spo2-low", ACKED, paged=[], acked_by="sam")
    ward.stays("3", seconds=6, spo2=97)
    ward.shows("3", "spo2-low", CLEAR, paged=[])


@pytest.mark.shows("ALM-060")
def test_a_breach_counts_from_its_first_instant_and_sounds_after_its_delay() -> None:
    ward = Shift()
    began_ms = ward.now_ms
    ward.stays("3", seconds=9, spo2=88)
    ward.shows("3", "spo2-low", PENDING, paged=[], since_ms=began_ms)
    ward.stays("3", seconds=2, spo2=88)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], since_ms=began_ms, raised_at_ms=began_ms + 10_000)


@pytest.mark.shows("HZ-04")
def test_a_short_fall_clears_itself_in_the_delay_and_is_written_down() -> None:
    ward = Shift()
    ward.stays("3", seconds=5, spo2=88)
    ward.stays("3", seconds=7, spo2=97)
    ward.shows("3", "spo2-low", CLEAR, paged=[])
    assert ward.states("spo2-low") == [PENDING, CLEAR]


@pytest.mark.shows("ALM-045")
def test_ALM_045_it_ends_only_past_the_hysteresis_band_for_five_seconds() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=20, spo2=90)  # not below 90 any more, and not past 91
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.stays("3", seconds=4, spo2=95)
    ward.hears("3", spo2=95)
    ward.shows("3", "spo2-low", ACTIVE)
    ward.waits(seconds=1)
    ward.shows("3", "spo2-low", LATCHED, value=84)


@pytest.mark.shows("ALM-042")
def test_a_new_breach_of_a_latched_alarm_sounds_again() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=7, spo2=97)
    ward.shows("3", "spo2-low", LATCHED, paged=["dana"])
    ward.hears("3", spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, since_ms=ward.now_ms)


@pytest.mark.shows("ALM-044")
@pytest.mark.parametrize(
    ("rule", "vitals", "lasts_s"), [("spo2-low", {"spo2": 84}, 120), ("rr-low-m", {"rr": 9}, 300)]
)
def test_ALM_044_an_acknowledgement_of_a_high_holds_two_minutes_and_of_a_medium_five(
    rule: str, vitals: dict[str, float], lasts_s: int
) -> None:
    ward = Shift()
    values = {"spo2": 97.0, "rr": 14.0} | vitals

    def say(seconds: int) -> None:
        ward.stays("3", seconds=seconds, spo2=values["spo2"], rr=values["rr"])

    say(31)
    ward.acks("3", rule)
    ward.forget_pages()
    say(lasts_s - 1)
    ward.shows("3", rule, ACKED)
    say(1)
    ward.shows("3", rule, ACTIVE, paged=["dana"], note="acknowledgement expired")


@pytest.mark.shows("ALM-042")
def test_what_becomes_worse_sounds_again_at_once() -> None:
    ward = Shift()
    ward.stays("3", seconds=11, spo2=88)
    ward.acks("3", "spo2-low")
    ward.shows("3", "spo2-low", ACKED, paged=["dana"])
    ward.hears("3", spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], note="worse", value=84)


@pytest.mark.shows("ALM-042")
def test_a_higher_priority_of_the_same_cause_sounds_although_the_lesser_is_acknowledged() -> None:
    ward = Shift()
    ward.stays("3", seconds=16, spo2=91)
    ward.acks("3", "spo2-low-m")
    ward.shows("3", "spo2-low-m", ACKED, paged=["dana"])
    ward.stays("3", seconds=3, spo2=87)  # not so fast that it is doubted (C9)
    ward.hears("3", spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])


@pytest.mark.shows("HZ-04")
def test_the_high_of_a_cause_speaks_for_its_medium_which_is_shown_and_not_paged() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=16, spo2=84)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"], spoken_for=True, next_page_ms=None)
    assert {p.rule for p in ward.of(PageOrdered)} == {"spo2-low"}


def test_a_medium_that_was_spoken_for_begins_its_own_ladder_with_the_first_step() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", minutes=4, spo2=84)
    ward.stays("3", seconds=8, spo2=91)
    ward.forget_pages()
    assert ward.alarm("3", "spo2-low").state is LATCHED
    ward.stays("3", seconds=80, spo2=91)
    pages = [p for p in ward.of(PageOrdered) if p.rule == "spo2-low-m"]
    assert [(p.to, p.step) for p in pages] == [("dana", 0)]
    ward.stays("3", seconds=12, spo2=91)
    pages = [p for p in ward.of(PageOrdered) if p.rule == "spo2-low-m"]
    assert [(p.to, p.step) for p in pages] == [("dana", 0), ("sam", 1)]


def test_one_acknowledgement_answers_the_whole_cause_and_no_other() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=35, spo2=84, hr=36)
    ward.acks("3", "spo2-low")
    assert [ward.alarm("3", r).state for r in ("spo2-low", "spo2-low-m", "spo2-low-l")] == [ACKED] * 3
    assert ward.alarm("3", "hr-low").state is ACTIVE


@pytest.mark.shows("ALM-042")
def test_ALM_042_an_acknowledgement_acts_on_active_conditions_only() -> None:
    ward = Shift()
    ward.stays("3", seconds=3, spo2=88)
    assert ward.acks("3", "spo2-low") == "This alarm has not been raised yet."
    ward.stays("3", seconds=8, spo2=88)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])


@pytest.mark.shows("ALM-048")
def test_ALM_048_of_two_nurses_the_first_wins_and_the_second_is_told_who() -> None:
    ward = Shift()
    ward.hears("3", spo2=84, fresh_s=100)
    assert ward.acks("3", "spo2-low", by="dana") is None
    ward.waits(seconds=1)
    assert ward.acks("3", "spo2-low", by="sam") == "dana acknowledged this 1 s ago."
    ward.shows("3", "spo2-low", ACKED, paged=["dana"], acked_by="dana", acked_at_ms=ward.now_ms - 1_000)


@pytest.mark.shows("ALM-048")
def test_ALM_048_the_second_is_told_who_even_where_the_alarm_is_over_by_then() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=7, spo2=97)
    number = ward.alarm("3", "spo2-low").alarm_id
    ward.acks("3", "spo2-low", by="dana")
    ward.waits(seconds=5)
    again = Acked(ward.now_ms, number, Staff("sam"))
    assert ward.ward.refusal(again) == "This alarm is over: dana acknowledged it 5 s ago."
    ward.waits(minutes=3)
    again = replace(again, at_ms=ward.now_ms)
    assert ward.ward.refusal(again) == "This alarm is over: dana acknowledged it 3 min ago."
    assert ward.ward.refusal(replace(again, alarm_id=999)) == "This alarm is over."
    assert ward.feed(again) == []


# What is not known.


def alarm_in(state: AlarmState, *, paused: bool) -> Shift:
    """A ward whose SpO2 alarm is in this state, its bed paused or not."""
    ward = Shift()
    if state is PENDING:
        ward.stays("3", seconds=4, spo2=88)
    else:
        ward.stays("3", seconds=11, spo2=88)
    if state is ACKED:
        ward.acks("3", "spo2-low")
    if state is LATCHED:
        ward.stays("3", seconds=7, spo2=97)
    if paused:
        ward.pauses("3", PauseKind.ALARM, seconds=180)
    assert ward.alarm("3", "spo2-low").state is state
    return ward


@pytest.mark.shows("ALM-071", "HZ-01", "HZ-13")
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("state", [PENDING, ACTIVE, ACKED, LATCHED])
@pytest.mark.parametrize("gap", ["says it has none", "falls silent", "is unplugged"])
def test_F25_a_gap_never_clears_or_hides_an_alarm(state: AlarmState, gap: str, *, paused: bool) -> None:
    ward = alarm_in(state, paused=paused)
    number = ward.alarm("3", "spo2-low").alarm_id
    if gap == "says it has none":
        ward.stays("3", seconds=100, spo2=None)
    elif gap == "falls silent":
        ward.waits(seconds=100)
    else:
        ward.link("monitor-3", DOWN)
        ward.waits(seconds=100)
    alarm = ward.alarm("3", "spo2-low")
    # A value that is still fresh may carry a delay to its end; that is the only way anything moves.
    allowed = {state, ACTIVE} if state is PENDING and gap != "says it has none" else {state}
    assert alarm.alarm_id == number
    assert alarm.state in allowed
    assert {m.now for m in ward.of(AlarmMoved) if m.alarm_id == number} <= {PENDING, ACTIVE, ACKED, LATCHED}
    if state is LATCHED:
        return
    # The condition is still there afterwards: it is an alarm again, or still, and sounds as its state says.
    if gap == "is unplugged":
        ward.link("monitor-3", UP)
    ward.stays("3", seconds=12, spo2=88)
    after = ward.alarm("3", "spo2-low")
    assert after.alarm_id == number
    assert after.state is (ACTIVE if state is PENDING else state)


@pytest.mark.shows("ALM-080", "HZ-05")
def test_T1_a_lost_link_is_medium_at_ten_seconds_and_high_at_sixty() -> None:
    ward = Shift()
    ward.link("monitor-3", SILENT, silent_s=5)
    ward.waits(seconds=4.9)
    assert ward.find("3", "link-lost-m") is None
    ward.waits(seconds=0.1)
    assert ward.alarm("3", "link-lost-m").device == "monitor-3"
    ward.waits(seconds=49.9)
    assert ward.find("3", "link-lost") is None
    ward.waits(seconds=0.1)
    assert ward.alarm("3", "link-lost").state is ACTIVE
    ward.link("monitor-3", UP)
    assert ward.find("3", "link-lost-m") is None
    assert ward.alarm("3", "link-lost").state is LATCHED


def test_without_a_patient_a_lost_link_is_low_at_thirty_seconds_and_no_more() -> None:
    ward = Shift(occupied=False)
    ward.link("monitor-3", DOWN)
    ward.waits(minutes=10)
    lost = [a for a in ward.snapshot().alarms if a.condition == "link-lost"]
    assert [(a.priority, a.raised_at_ms) for a in lost] == [(Priority.LOW, T0_MS + 30_000)]


@pytest.mark.shows("HZ-04")
def test_a_lost_link_speaks_for_the_silence_of_its_vitals_one_cause_one_page() -> None:
    ward = Shift()
    ward.hears("3", spo2=97, hr=70)
    ward.link("monitor-3", DOWN)
    ward.waits(seconds=59)
    gaps = [a for a in ward.snapshot().alarms if a.condition in {"spo2-gap", "hr-gap"}]
    assert len(gaps) == 4
    assert all(a.spoken_for for a in gaps)
    assert {p.rule for p in ward.of(PageOrdered)} == {"link-lost-m"}


@pytest.mark.shows("HZ-01", "HZ-12")
def test_a_vital_without_a_value_is_low_at_ten_seconds_and_medium_at_thirty() -> None:
    ward = Shift()
    ward.hears("3", spo2=97)
    began_ms = ward.now_ms
    ward.waits(seconds=9.9)
    assert ward.find("3", "spo2-gap-l") is None
    ward.waits(seconds=0.2)
    assert ward.alarm("3", "spo2-gap-l").since_ms == began_ms
    ward.waits(seconds=19.8)
    assert ward.find("3", "spo2-gap-m") is None
    ward.waits(seconds=0.2)
    ward.shows("3", "spo2-gap-m", ACTIVE, paged=["dana"])
    ward.hears("3", spo2=96)
    ward.waits(seconds=1)
    ward.shows("3", "spo2-gap-m", CLEAR)


def test_a_rate_is_missed_only_once_it_has_been_seen() -> None:
    ward = Shift()
    ward.stays("3", seconds=60, spo2=97)
    assert ward.snapshot().alarms == ()
    ward.hears("3", hr=70, rr=14)
    ward.stays("3", seconds=31, spo2=97)
    assert {a.rule for a in ward.snapshot().alarms} == {"hr-gap-l", "hr-gap-m", "rr-gap-l", "rr-gap-m"}


def test_the_oximeters_pulse_keeps_the_heart_rate_known() -> None:
    ward = Shift()
    ward.hears("3", hr=70)
    ward.stays("3", seconds=60, spo2=97, pr_spo2=70)
    assert ward.snapshot().alarms == ()


@pytest.mark.shows("ALM-013")
def test_a_missing_value_says_why_as_the_monitor_does() -> None:
    ward = Shift()
    ward.feed(DeviceNoted(ward.now_ms, Device("monitor-3"), ("probe off",)))
    ward.stays("3", seconds=31, spo2=None)
    assert ward.alarm("3", "spo2-gap-m").text == "SpO2 probe off"


# Which source is heard.


def test_the_heart_rate_is_the_ecgs_as_long_as_there_is_one() -> None:
    ward = Shift()
    ward.stays("3", seconds=20, spo2=97, hr=70, pr_spo2=150)
    ward.shows("3", "hr-high", CLEAR)
    ward.stays("3", seconds=20, spo2=97, hr=None, pr_spo2=150)
    ward.shows("3", "hr-high", ACTIVE, paged=["dana"])


def test_an_ecg_that_has_nothing_to_say_does_not_hide_the_oximeters_rate() -> None:
    ward = Shift()
    ward.stays("3", seconds=12, spo2=97, pr_spo2=150, hr=None)
    ward.shows("3", "hr-high", ACTIVE, paged=["dana"])


def test_of_two_devices_the_first_in_the_clinics_list_is_heard_and_never_a_mixture() -> None:
    ward = Shift()
    for _ in range(30):
        ward.hears("3", spo2=97)
        ward.hears("3", by="second", spo2=80)
        ward.waits(seconds=1)
    ward.shows("3", "spo2-low", CLEAR)
    now = ward.ward.vital_now(Bed("3"), Vital.SPO2)
    assert now is not None
    assert (now.value, now.device) == (97, "monitor-3")


@pytest.mark.parametrize("first", ["silent", "empty"])
def test_the_second_device_is_heard_once_the_first_has_nothing_to_say(first: str) -> None:
    ward = Shift()
    ward.hears("3", spo2=97)
    for _ in range(12):
        if first == "empty":
            ward.hears("3", spo2=None)
        ward.hears("3", by="second", spo2=84)
        ward.waits(seconds=1)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.hears("3", spo2=97)
    now = ward.ward.vital_now(Bed("3"), Vital.SPO2)
    assert now is not None
    assert (now.value, now.device) == (97, "monitor-3")


@pytest.mark.shows("HZ-15")
def test_a_late_value_is_history_and_judged_by_nobody() -> None:
    ward = Shift()
    ward.waits(seconds=60)
    ward.hears("3", spo2=97)
    late = ward.reading("3", "spo2", 70, ago_s=30, late=True)
    assert ward.feed(late) == [late]
    ward.shows("3", "spo2-low", CLEAR, paged=["dana"])  # the gap before, and nothing else
    now = ward.ward.vital_now(Bed("3"), Vital.SPO2)
    assert now is not None
    assert now.value == 97


@pytest.mark.shows("ALM-073")
def test_ALM_073_a_poor_signal_withholds_a_high_for_thirty_seconds_and_says_so() -> None:
    ward = Shift()
    for _ in range(30):
        ward.hears("3", spo2=84, doubt=Doubt.POOR_SIGNAL)
        ward.waits(seconds=1)
    ward.hears("3", spo2=84, doubt=Doubt.POOR_SIGNAL)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana", "dana"], note="poor signal")
    assert [p.rule for p in ward.of(PageOrdered)] == ["spo2-low-m", "spo2-low"]
    high = ward.alarm("3", "spo2-low")
    assert high.raised_at_ms == high.since_ms + 30_000


def test_a_value_taken_by_hand_is_judged_like_one_of_a_device_and_marked() -> None:
    ward = Shift()
    ward.feed(VitalTyped(ward.now_ms, Bed("3"), Vital.RESPIRATION, 6, Staff("dana")))
    ward.waits(seconds=16)
    ward.shows("3", "rr-low", ACTIVE, paged=["dana"])
    now = ward.ward.vital_now(Bed("3"), Vital.RESPIRATION)
    assert now is not None
    assert (now.value, now.by, now.device, now.why) == (6, "dana", None, "taken by hand")


# The cuff.


CUFF_ONLY = (DevicePlan(Device("cuff-3"), "dinamap", Bed("3"), frozenset(), starts_cuff=True),)


def orders(ward: Shift) -> list[CuffWhy]:
    """Why each cuff was started."""
    return [order.why for order in ward.of(CuffOrdered)]


@pytest.mark.shows("ALM-063", "HZ-02")
def test_ALM_063_a_cuff_breach_orders_a_repeat_and_the_repeat_confirms() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.cuff("3", 172, 95)
    ward.shows("3", "sbp-high-m", PENDING, paged=[])
    assert orders(ward) == [CuffWhy.CONFIRM]
    ward.waits(seconds=40)
    ward.cuff("3", 174, 96)
    ward.shows("3", "sbp-high-m", ACTIVE, paged=["dana"], text="BP 174/96 ≥ 156", note="")
    assert orders(ward) == [CuffWhy.CONFIRM]


@pytest.mark.shows("ALM-063")
def test_ALM_063_a_temperature_is_judged_by_the_next_one_whoever_takes_it() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.hears("3", temp=40.5)
    ward.shows("3", "temp-high", PENDING, paged=[])
    assert orders(ward) == []  # no cuff measures a temperature
    ward.waits(seconds=30)
    ward.feed(VitalTyped(ward.now_ms, Bed("3"), Vital.TEMPERATURE, 40.6, Staff("dana")))
    ward.shows("3", "temp-high", ACTIVE, paged=["dana"], text="Temp 40.6 > 40", note="")


@pytest.mark.shows("ALM-063")
def test_ALM_063_a_temperature_nobody_takes_again_is_raised_not_confirmed() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.feed(VitalTyped(ward.now_ms, Bed("3"), Vital.TEMPERATURE, 34.5, Staff("dana")))
    ward.waits(seconds=119.9)
    ward.shows("3", "temp-low", PENDING, paged=[])
    ward.waits(seconds=0.1)
    assert ward.alarm("3", "temp-low").note == "not confirmed"


def test_a_repeat_that_is_well_ends_it_and_nobody_is_paged() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.cuff("3", 172, 95)
    ward.waits(seconds=40)
    ward.cuff("3", 130, 80)
    ward.shows("3", "sbp-high-m", CLEAR, paged=[])


@pytest.mark.shows("ALM-063", "HZ-02")
def test_without_a_repeat_in_two_minutes_it_is_raised_all_the_same_and_says_so() -> None:
    ward = Shift(devices=(replace(CUFF_ONLY[0], starts_cuff=False),))
    ward.cuff("3", 172, 95)
    assert orders(ward) == []
    ward.waits(seconds=119.9)
    ward.shows("3", "sbp-high-m", PENDING, paged=[])
    ward.waits(seconds=0.1)
    assert ward.alarm("3", "sbp-high-m").note == "not confirmed"
    assert ward.alarm("3", "sbp-high-m").state is ACTIVE


def test_a_repeat_that_fails_once_is_tried_again_and_not_a_third_time() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.cuff("3", 172, 95)
    ward.cuff("3", None)
    assert orders(ward) == [CuffWhy.CONFIRM, CuffWhy.CONFIRM]
    ward.cuff("3", None)
    assert orders(ward) == [CuffWhy.CONFIRM, CuffWhy.CONFIRM]
    ward.shows("3", "cuff-failed-m", ACTIVE, paged=["dana"], text="Cuff failed twice")
    ward.waits(seconds=120)
    assert ward.alarm("3", "sbp-high-m").note == "not confirmed"


def test_a_cuff_that_fails_once_is_tried_again_and_a_good_reading_ends_it() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.cuff("3", None)
    assert orders(ward) == [CuffWhy.SCHEDULED]
    assert ward.find("3", "cuff-failed-m") is None
    ward.cuff("3", None)
    assert ward.alarm("3", "cuff-failed-m").state is ACTIVE
    ward.cuff("3", 125, 78)
    assert ward.find("3", "cuff-failed-m") is None


@pytest.mark.shows("ALM-064")
def test_beyond_the_severe_bound_one_reading_is_enough_and_a_repeat_is_wanted_too() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.cuff("3", 205, 100)
    ward.shows("3", "sbp-high", ACTIVE, paged=["dana"])
    assert orders(ward) == [CuffWhy.CONFIRM]


def test_an_old_measurement_is_shown_with_its_age_and_not_judged() -> None:
    ward = Shift()
    ward.stays("3", minutes=5, spo2=97)
    ward.cuff("3", 205, 115, ago_s=121)
    ward.shows("3", "sbp-high", CLEAR, paged=[])
    assert orders(ward) == []
    cuff = ward.bed("3").cuff
    assert cuff is not None
    assert cuff.cuff is not None
    assert (cuff.cuff.systolic, cuff.measured_at_ms) == (205, ward.now_ms - 121_000)


def test_an_older_reading_that_comes_later_is_not_the_newest() -> None:
    ward = Shift()
    ward.stays("3", minutes=5, spo2=97)
    ward.cuff("3", 130, 80)
    ward.cuff("3", 118, 71, ago_s=200)
    cuff = ward.bed("3").cuff
    assert cuff is not None
    assert cuff.cuff is not None
    assert cuff.cuff.systolic == 130


def test_a_derived_mean_is_no_measurement() -> None:
    ward = Shift()
    ward.cuff("3", 100, 30, mean=53, derived_mean=True)
    ward.shows("3", "map-low", CLEAR)
    ward.cuff("3", 100, 30, mean=53)
    ward.shows("3", "map-low", PENDING)


def test_a_cuff_is_refused_in_words() -> None:
    def refusal(ward: Shift) -> str | None:
        return ward.ward.refusal(CuffAsked(ward.now_ms, Bed("3"), Staff("dana")))

    assert refusal(Shift(cuff_starts=False)) == (
        "This monitor cannot be started from here: please press its button."
    )
    assert refusal(Shift(occupied=False)) == "Bed 3 has no open session."
    ward = Shift()
    ward.link("cuff-3", DOWN)
    assert refusal(ward) == "The cuff's monitor is not connected."
    ward.link("cuff-3", UP)
    ward.feed(CuffAsked(ward.now_ms, Bed("3"), Staff("dana")))
    assert orders(ward) == [CuffWhy.ASKED]
    assert refusal(ward) == "A reading is running already."
    ward.waits(minutes=3, seconds=10)
    assert refusal(ward) is None


@pytest.mark.shows("HZ-02")
def test_a_reading_that_is_overdue_by_three_minutes_is_a_medium() -> None:
    ward = Shift(occupied=False)
    ward.admits("3", cuff_interval_ms=300_000)
    ward.stays("3", seconds=479, spo2=97)
    assert ward.find("3", "cuff-overdue-m") is None
    ward.stays("3", seconds=2, spo2=97)
    ward.shows("3", "cuff-overdue-m", ACTIVE, paged=["dana"], text="BP late")
    ward.cuff("3", 125, 78)
    ward.shows("3", "cuff-overdue-m", CLEAR)


# The service itself.


@pytest.mark.shows("ALM-080")
@pytest.mark.parametrize(
    ("part", "rule", "after_s", "priority"),
    [
        ("journal", "not-recording", 0.5, Priority.HIGH),
        ("paging", "paging-down", 0, Priority.HIGH),
        ("clock", "clock-drift-l", 60, Priority.LOW),
        ("loop", "loop-late-m", 2, Priority.MEDIUM),
        ("loop", "loop-late", 5, Priority.HIGH),
        ("ehr", "ehr-down-l", 300, Priority.LOW),
        ("ehr-refused", "ehr-refused-l", 60, Priority.LOW),
    ],
)
def test_a_part_of_the_service_that_is_not_well_is_an_alarm_on_every_screen(
    part: str, rule: str, after_s: float, priority: Priority
) -> None:
    ward = Shift(occupied=False)
    ward.part(part, ok=False)
    if after_s:
        ward.waits(seconds=after_s - 0.1)
        assert ward.find("", rule) is None
        ward.waits(seconds=0.1)
    alarm = ward.alarm("", rule)
    assert (alarm.state, alarm.priority, alarm.bed, alarm.technical) == (ACTIVE, priority, CLINIC, True)
    ward.part(part, ok=True)
    found = ward.find("", rule)
    assert (found.state if found else CLEAR) is (LATCHED if priority is Priority.HIGH else CLEAR)


def test_what_is_not_recorded_is_paged_to_a_nurse() -> None:
    ward = Shift(occupied=False)
    ward.part("journal", ok=False)
    ward.waits(seconds=0.5)
    ward.shows("", "not-recording", ACTIVE, paged=["sam"])  # nobody has this bed: whoever has the fewest
    assert ward.of(PageOrdered)[-1].text == "Clinic: *** Not being recorded. Open Chairside."


# Sessions.


def test_discharge_is_refused_while_a_high_is_unacknowledged() -> None:
    ward = Shift()
    ward.hears("3", spo2=84, fresh_s=600)
    assert ward.discharges("3") == "A HIGH alarm has not been acknowledged: SpO2 84 < 90."
    ward.stays("3", seconds=7, spo2=97)
    assert ward.alarm("3", "spo2-low").state is LATCHED
    assert ward.discharges("3") == "A HIGH alarm has not been acknowledged: SpO2 84 < 90."
    ward.acks("3", "spo2-low")
    assert ward.discharges("3") is None


def test_an_acknowledged_high_and_an_open_medium_do_not_hold_anybody_back() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.acks("3", "spo2-low")
    ward.stays("3", seconds=35, spo2=84, rr=9)
    assert ward.discharges("3") is None
    assert ward.snapshot().alarms == ()
    assert all(page.over for page in ward.snapshot().pages)
    closed = [m for m in ward.of(AlarmMoved) if m.cue is Cue.DISCHARGE]
    assert {m.note for m in closed} == {"session closed"}


def test_a_session_is_closed_once() -> None:
    ward = Shift()
    ward.discharges("3")
    again = Discharged(ward.now_ms, 1, Staff("dana"))
    assert ward.ward.refusal(again) == "This session is closed."
    assert ward.ward.refusal(replace(again, session=7)) == "There is no such session."
    assert [m.now for m in ward.of(SessionMoved)] == [SessionPhase.WATCH, SessionPhase.CLOSED]


def test_an_admission_that_cannot_be_is_refused_in_words() -> None:
    ward = Shift()
    before = len(ward.events)
    ward.admits("3", alias="B2")
    ward.admits("9")
    ward.discharges("3")
    ward.admits("3", profile="another")
    assert [type(e).__name__ for e in ward.events[before:]] == ["Discharged", "SessionMoved"]
    assert ward.bed("3").session is None


def test_an_empty_bed_shows_and_judges_nothing() -> None:
    ward = Shift(occupied=False)
    ward.hears("3", spo2=70)
    ward.cuff("3", 210, 120)
    bed = ward.bed("3")
    assert (bed.vitals, bed.cuff, bed.limits, bed.pauses) == ((), None, (), ())
    assert ward.snapshot().alarms == ()
    assert not [e for e in ward.events if isinstance(e, CuffTaken)]


# Limits.


@pytest.mark.shows("ALM-092")
def test_a_limit_of_this_session_holds_at_once_and_is_shown_with_who_and_why() -> None:
    ward = Shift()
    assert ward.sets("3", "spo2-low", 87) is None
    shown = next(limit for limit in ward.bed("3").limits if limit.rule == "spo2-low")
    assert (shown.limit, shown.default, shown.set_by, shown.set_why) == (87, 90, "ida", "known low")
    ward.stays("3", seconds=12, spo2=88)
    ward.shows("3", "spo2-low", CLEAR)
    ward.stays("3", seconds=12, spo2=86)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana", "dana"], limit=87)  # the MEDIUM first


def test_a_limit_put_back_is_the_profiles_and_nobodys() -> None:
    ward = Shift()
    ward.sets("3", "spo2-low", 87)
    assert ward.sets("3", "spo2-low", None, why="well again") is None
    shown = next(limit for limit in ward.bed("3").limits if limit.rule == "spo2-low")
    assert (shown.limit, shown.default, shown.set_by, shown.set_why) == (90, 90, None, None)


@pytest.mark.parametrize(
    ("rule", "limit", "why", "refusal"),
    [
        ("spo2-low", 84, "x", "The clinic lets this limit be set from 85 to 93."),
        ("spo2-low", 87, " ", "A changed limit needs a reason."),
        ("rr-none", 1, "x", "The clinic does not let this limit be changed."),
        ("pulse-low", 1, "x", "There is no limit called pulse-low."),
    ],
)
def test_a_limit_that_may_not_be_is_refused_in_words(rule: str, limit: float, why: str, refusal: str) -> None:
    assert Shift().sets("3", rule, limit, why) == refusal


# The machine.


def test_a_ward_that_is_fed_with_a_decision_raises_and_says_what_to_do() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.acks("3", "spo2-low")
    ward.cuff("3", 172, 95)
    kinds = set()
    for decision in ward.events:
        if isinstance(decision, Decided):
            name = type(decision).__name__
            kinds.add(name)
            with pytest.raises(ValueError, match=f"a ward decides {name}; to rebuild one, use restore"):
                ward.ward.feed(decision)
    assert kinds == {"AlarmMoved", "PageOrdered", "PageRecalled", "SessionMoved", "CuffOrdered"}


def test_what_was_fed_comes_back_first_and_what_follows_after_it() -> None:
    ward = Shift()
    reading = ward.reading("3", "spo2", 84)
    out = ward.ward.feed(reading)
    assert out[0] is reading
    assert [type(e).__name__ for e in out[1:]] == ["AlarmMoved", "AlarmMoved", "AlarmMoved", "PageOrdered"]
    assert [e.why for e in out if isinstance(e, PageOrdered)] == [Why.FIRST]


def test_a_ward_that_is_not_due_does_nothing() -> None:
    ward = Shift()
    ward.hears("3", spo2=97)
    due_ms = ward.ward.due_ms()
    assert due_ms is not None
    assert ward.ward.tick(due_ms - 1) == []


def test_what_nobody_planned_is_heard_by_nobody() -> None:
    ward = Shift()
    there = ward.reading("3", "spo2", 70)
    assert ward.feed(structs.replace(there, bed=Bed("9"))) == []
    assert ward.feed(DeviceNoted(ward.now_ms, Device("toaster"), ("hot",))) == []


def test_a_bed_without_a_monitor_of_a_vital_does_not_miss_it() -> None:
    ward = Shift(devices=CUFF_ONLY)
    ward.waits(minutes=10)
    assert ward.snapshot().alarms == ()

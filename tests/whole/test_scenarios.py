"""The named scenarios of the clinical page as stories: what each must raise, and what it must not.

On the manual clock, through each device's real bytes; the same on real wires is in `test_clinic_*.py`.
"""

from __future__ import annotations

import pytest

from monitor.model import (
    AlarmMoved,
    AlarmState,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    LinkMoved,
    PageOrdered,
    Priority,
    Vital,
)
from tests.whole.room import MINUTE_MS, Place, Room, conditions

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW

STEADY = {"lossy": False, "cycle_s": 300}


def room(
    scenario: str, *, begin_min: float, seed: int = 1, bed: str = "1", interval_s: float | None = 300
) -> Room:
    """One bed with a multi-parameter monitor behind a bridge, and a cuff that can be started from here."""
    places = [
        Place(bed, "mqtt-native", scenario, options={"lossy": False, "cuff": False}),
        Place(bed, "dinamap", scenario, options={"cycle_s": 300}),
    ]
    return Room(places, begin_s=begin_min * 60, seed=seed, cuff_interval_s=interval_s)


@pytest.mark.shows("HZ-04")
@pytest.mark.parametrize("scenario", ["N0", "N0-ESK"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_N0_an_ordinary_session_raises_no_medium_and_no_high_and_at_most_one_low(
    scenario: str, seed: int
) -> None:
    day = room(scenario, begin_min=-2, seed=seed).run(until_s=90 * 60)
    raised = day.raised()
    assert [a for a in raised if a.priority >= MEDIUM] == []
    assert len(raised) <= 1
    assert [a for a in day.raised(technical=True) if a.priority >= MEDIUM] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_N1_a_high_responder_raises_low_and_perhaps_a_confirmed_medium_and_is_clear_by_minute_60(
    seed: int,
) -> None:
    day = room("N1", begin_min=-2, seed=seed).run(until_s=75 * 60)
    raised = day.raised()
    assert LOW in {a.priority for a in raised}
    assert HIGH not in {a.priority for a in raised}
    assert all(a.note != "not confirmed" for a in raised if a.priority is MEDIUM)
    assert [a for a in day.ward.snapshot().alarms if not a.technical and a.condition != "hr-rise"] == []
    assert all(a.at_s < 60 * 60 for a in raised if a.priority is MEDIUM)


@pytest.mark.shows("HZ-02")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_H1_a_surge_is_medium_at_the_first_confirmation_and_high_within_one_interval_and_two_minutes(
    seed: int,
) -> None:
    """The cuff can be started from here: the repeat is ordered at once, and comes within two minutes."""
    places = [
        Place("1", "dinamap", "H1", options={"cycle_s": 300}),
        Place("1", "masimo-ascii1", "H1"),
    ]
    day = Room(places, begin_s=0, seed=seed).run(until_s=40 * 60)
    patient = day.stations[0].patient
    crossing_s = next(
        t
        for t in range(12 * 60, 40 * 60)
        if (patient.systolic(t * 1_000) or 0) >= 180 or (patient.diastolic(t * 1_000) or 0) >= 110
    )
    first = min((a for a in day.raised() if a.priority is HIGH), key=lambda a: a.at_s)
    assert first.condition in {"sbp-high", "dbp-high"}
    assert first.at_s <= crossing_s + 300 + 120
    medium = min((a for a in day.raised() if a.priority is MEDIUM), key=lambda a: a.at_s)
    assert medium.condition in {"sbp-high", "dbp-high"}
    assert medium.at_s <= first.at_s


@pytest.mark.shows("ALM-063", "HZ-02")
def test_H1_a_repeat_is_ordered_within_two_seconds_of_the_first_breach() -> None:
    places = [Place("1", "dinamap", "H1", options={"cycle_s": 300})]
    day = Room(places, begin_s=0).run(until_s=25 * 60)
    orders = [o for o in day.of(CuffOrdered) if o.why is CuffWhy.CONFIRM]
    pending = [
        e
        for e in day.of(AlarmMoved)
        if e.now is AlarmState.PENDING and e.rule.startswith(("sbp-high", "dbp-high"))
    ]
    assert orders
    assert pending
    assert 0 <= orders[0].at_ms - pending[0].at_ms <= 2_000


@pytest.mark.shows("HZ-17")
def test_D1_sedation_raises_breathing_medium_then_high_before_any_spo2_alarm_and_spo2_at_once_below_85() -> (
    None
):
    day = room("D1", begin_min=18).run(until_s=30 * 60)
    rr_medium, rr_high = day.first("rr-low", MEDIUM), day.first("rr-low", HIGH)
    spo2_medium, spo2_high = day.first("spo2-low", MEDIUM), day.first("spo2-low", HIGH)
    assert rr_medium.at_s < rr_high.at_s < spo2_medium.at_s < spo2_high.at_s
    below_90 = next(t for t, _, vital, value in day.seen if vital is Vital.SPO2 and value < 90)
    assert spo2_high.at_s <= below_90 + 10 + 2


@pytest.mark.shows("HZ-01", "HZ-17")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_D2_apnoea_is_high_before_the_saturation_falls(seed: int) -> None:
    day = room("D2", begin_min=18, seed=seed).run(until_s=25 * 60)
    no_breath = day.first("rr-none", HIGH)
    falling_s = next(
        t for t, _, vital, value in day.seen if vital is Vital.SPO2 and value < 94 and t > 20 * 60
    )
    assert no_breath.at_s < falling_s
    assert 20 * 60 + 20 <= no_breath.at_s <= 20 * 60 + 20 + 2
    assert day.first("spo2-low", HIGH).at_s > no_breath.at_s


def test_D2_one_cause_one_page_at_a_time_and_the_chain_goes_on() -> None:
    day = room("D2", begin_min=19).run(until_s=22 * 60 + 20)  # until the breath is back
    pages = [p for p in day.of(PageOrdered) if p.priority is HIGH]
    first = [p for p in pages if p.step == 0]
    assert {p.rule for p in first} == {"rr-low"}  # no breath, and the saturation that it takes
    breathing = [p.at_ms for p in pages if p.rule == "rr-low"]
    assert breathing[1] - breathing[0] == 30_000


def test_D3_a_mild_fall_while_sleepy_is_low_and_never_high() -> None:
    day = room("D3", begin_min=23).run(until_s=35 * 60)
    raised = day.raised()
    assert ("spo2-low", "LOW") in conditions(raised)
    assert HIGH not in {a.priority for a in raised}


@pytest.mark.shows("HZ-12")
def test_D4_a_probe_that_is_off_is_technical_low_then_medium_and_never_a_physiological_high() -> None:
    day = room("D4", begin_min=18).run(until_s=26 * 60)
    assert [a for a in day.raised() if a.priority >= MEDIUM] == []
    off_s = next((e.since_ms for e in day.of(AlarmMoved) if e.rule == "spo2-gap-l"), None)
    assert off_s is not None
    low, medium = day.first("spo2-gap", LOW), day.first("spo2-gap", MEDIUM)
    assert low.at_s - low.since_s == pytest.approx(10, abs=0.2)
    assert medium.at_s - medium.since_s == pytest.approx(30, abs=0.2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_B1_a_faint_is_high_for_a_heart_rate_below_40_within_its_five_seconds(seed: int) -> None:
    day = room("B1", begin_min=-8, seed=seed).run(until_s=0)
    alarm = day.first("hr-low", HIGH)
    below_s = next(t for t, _, vital, value in day.seen if vital is Vital.HEART_RATE and value < 40)
    assert alarm.at_s <= below_s + 5 + 2


@pytest.mark.shows("ALM-073", "HZ-04")
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.torture) for seed in (3, 4))])
def test_A1_motion_bursts_under_30_seconds_never_reach_high_and_a_longer_one_is_marked(seed: int) -> None:
    day = room("A1", begin_min=0, seed=seed).run(until_s=60 * 60)
    for alarm in day.raised():
        if alarm.priority is HIGH and alarm.condition == "spo2-low" and not alarm.again:
            assert alarm.note == "poor signal"
            assert alarm.at_s - alarm.since_s >= 30


@pytest.mark.shows("ALM-072")
@pytest.mark.parametrize("same_arm", [True, False])
def test_A2_a_cuff_on_the_arm_of_the_probe_is_left_unsaid_only_where_the_clinic_says_so(
    *, same_arm: bool
) -> None:
    """The pulse is lost for 35 s at each cuff, which is shorter than the 60 s it may go unsaid (C10)."""
    places = [
        Place("1", "mqtt-native", "A2", options={"lossy": False, "cuff": False}),
        Place("1", "dinamap", "A2", options={"cycle_s": 300}),
    ]
    day = Room(places, begin_s=-120, same_arm=same_arm).run(until_s=16 * 60)
    gaps = [alarm for alarm in day.raised(technical=True) if alarm.condition == "spo2-gap"]
    assert bool(gaps) is not same_arm


def test_A3_a_cuff_error_fires_at_once_and_the_repeat_ends_it() -> None:
    places = [Place("1", "dinamap", "A3", options={"cycle_s": 300})]
    day = Room(places, begin_s=18 * 60).run(until_s=30 * 60)
    alarm = day.first("sbp-high", HIGH)
    wrong = next(e for e in day.of(CuffTaken) if e.cuff.systolic == 201)
    assert alarm.at_s * 1_000 == pytest.approx(wrong.at_ms - day.now_ms + day.t_ms, abs=200)
    ended = next(e for e in day.of(AlarmMoved) if e.rule == "sbp-high" and e.now is AlarmState.LATCHED)
    repeat = next(e for e in day.of(CuffTaken) if e.measured_at_ms > wrong.at_ms)
    assert ended.at_ms == repeat.at_ms
    assert ended.at_ms - wrong.at_ms < 2 * MINUTE_MS


@pytest.mark.shows("HZ-05")
def test_T1_a_lost_link_takes_the_number_at_10_s_is_medium_then_and_high_at_60_s() -> None:
    day = room("T1", begin_min=19).run(until_s=23 * 60)
    medium, high = day.first("link-lost", MEDIUM), day.first("link-lost", HIGH)
    lost_s = next((e.since_ms for e in day.of(LinkMoved) if e.now in ("down", "silent")), None)
    assert lost_s is not None
    assert medium.at_s - medium.since_s == pytest.approx(10, abs=0.2)
    assert high.at_s - high.since_s == pytest.approx(60, abs=0.2)
    assert [a for a in day.raised() if a.priority >= MEDIUM] == []


@pytest.mark.shows("ALM-070", "HZ-05")
def test_T1_nothing_is_carried_forward_over_the_gap() -> None:
    day = room("T1", begin_min=19)
    day.run(until_s=20 * 60 + 30)
    now = day.ward.vital_now(day.plan.beds[0][0], Vital.SPO2)
    assert now is not None
    assert now.fresh_until_ms < day.now_ms


@pytest.mark.shows("HZ-05")
def test_T2_a_frozen_feed_is_no_live_value_although_lines_go_on_coming() -> None:
    day = Room([Place("1", "masimo-ascii1", "T2")], begin_s=19 * 60).run(until_s=22 * 60)
    medium = day.first("spo2-gap", MEDIUM)
    assert medium.at_s == pytest.approx(20 * 60 + 30, abs=3)
    assert not [t for t, *_ in day.seen if 20 * 60 + 3 < t < 20 * 60 + 60]


@pytest.mark.shows("HZ-15")
@pytest.mark.parametrize("driver", ["mqtt-native", "masimo-ascii1"])
def test_T3_a_backlog_after_a_reconnect_is_history_and_never_live(driver: str) -> None:
    options = STEADY if driver == "mqtt-native" else None
    day = Room([Place("1", driver, "T3", options=options)], begin_s=19 * 60)
    shown: list[int] = []

    def look(_: object) -> None:
        now = day.ward.vital_now(day.plan.beds[0][0], Vital.SPO2)
        if now is not None:
            shown.append(now.at_ms)

    day.run(until_s=24 * 60, every_step=look)
    assert shown == sorted(shown)
    assert [a for a in day.raised() if a.priority >= MEDIUM] == []


@pytest.mark.shows("ALM-047", "HZ-11")
def test_T6_after_a_restart_the_alarm_is_the_same_and_the_chain_goes_on_in_time() -> None:
    day = room("T6", begin_min=18)
    while not any(a.priority is HIGH for a in day.raised()):
        day.run(until_s=day.t_ms / 1_000 + 1)
    day.run(until_s=day.t_ms / 1_000 + 10)
    before = {
        a.alarm_id: (a.state, a.since_ms, a.next_page_ms)
        for a in day.ward.snapshot().alarms
        if a.priority is HIGH
    }
    pages = len(day.of(PageOrdered))
    day.restart()
    after = {
        a.alarm_id: (a.state, a.since_ms, a.next_page_ms)
        for a in day.ward.snapshot().alarms
        if a.priority is HIGH
    }
    assert before == after
    day.run(until_s=day.t_ms / 1_000 + 15)
    assert len(day.of(PageOrdered)) == pages
    day.run(until_s=day.t_ms / 1_000 + 10)
    assert len(day.of(PageOrdered)) > pages


def test_X1_two_beds_that_fall_ill_together_both_page() -> None:
    places = [
        Place("1", "mqtt-native", "X1", of=1, options=STEADY),
        Place("2", "mqtt-native", "X1", of=2, options=STEADY),
    ]
    day = Room(places, begin_s=0).run(until_s=35 * 60)
    paged = {p.bed for p in day.of(PageOrdered) if p.priority is HIGH}
    assert paged == {"1", "2"}


@pytest.mark.shows("HZ-03")
def test_X2_a_page_nobody_answers_climbs_the_chain_in_time() -> None:
    day = room("X2", begin_min=18)
    while not any(a.priority is HIGH for a in day.raised()):
        day.run(until_s=day.t_ms / 1_000 + 1)
    day.run(until_s=day.t_ms / 1_000 + 250)
    alarm = next(a for a in day.raised() if a.priority is HIGH)
    pages = [p for p in day.of(PageOrdered) if p.rule == alarm.condition]
    began = pages[0].at_ms
    steps = sorted({(p.step, p.at_ms - began) for p in pages})
    assert steps[:4] == [(0, 0), (1, 30_000), (2, 60_000), (3, 120_000)]
    assert {p.to for p in pages if p.step == 2} == {"dana", "sam", "lee", "ida"}

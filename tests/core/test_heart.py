"""C7: whom to believe of one heart, as stories at a bed; every doubt ends, and two witnesses are believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import AlarmMoved, AlarmState, Bed, Doubt, Quality, Vital
from tests.core.shift import Shift

BED = Bed("3")
ACTIVE, PENDING = AlarmState.ACTIVE, AlarmState.PENDING
Rate = Callable[[int], float | None]


def told(shift: Shift, seconds: int, ecg: Rate, pulse: Rate | None, **artery: Rate) -> None:
    """So many seconds of rates, one of each a second, the ECG first; None is no number."""
    for second in range(seconds):
        shift.hears("3", hr=ecg(second))
        if pulse is not None:
            shift.hears("3", pr_spo2=pulse(second))
        for vital, of in artery.items():
            shift.feed(shift.reading("3", vital, of(second)))
        shift.waits(seconds=1)


def raised_after_s(shift: Shift, rule: str) -> float | None:
    """How long after its onset this rule was raised; None where it was not."""
    moves = [m for m in shift.of(AlarmMoved) if m.rule == rule and m.now is ACTIVE]
    return (moves[0].at_ms - moves[0].since_ms) / 1_000 if moves else None


def steady(rate: float) -> Rate:
    return lambda _: rate


def resting(ecg: float = 70, pulse: float | None = 71, **artery: Rate) -> Shift:
    """A patient whose signals have agreed for a minute."""
    shift = Shift()
    told(shift, 60, steady(ecg), None if pulse is None else steady(pulse), **artery)
    return shift


def note(shift: Shift, rule: str) -> str:
    return next(m.note for m in shift.of(AlarmMoved) if m.rule == rule and m.now is ACTIVE)


# Two say so.


def test_C7_a_slow_heart_that_ecg_and_oximeter_count_alike_is_raised_at_once() -> None:
    shift = resting()
    told(shift, 2, steady(44), steady(46))
    assert raised_after_s(shift, "hr-low-m") == 0
    assert note(shift, "hr-low-m") == "the oximeter counts 46"


def test_C7_a_heart_without_beat_and_pulse_is_raised_at_once() -> None:
    shift = resting()
    told(shift, 2, steady(0), steady(0))
    assert raised_after_s(shift, "hr-none") == 0


def test_C7_a_fast_heart_that_both_count_as_fast_is_raised_however_they_differ() -> None:
    shift = resting()
    told(shift, 2, steady(180), steady(150))
    assert raised_after_s(shift, "hr-high") == 0


def test_C7_a_pulse_that_falls_with_the_ecg_says_so_too() -> None:
    shift = resting(90, 92)
    told(shift, 4, lambda s: 44 - s, lambda s: 70 - 2 * s)
    assert raised_after_s(shift, "hr-low-m") == 0
    assert note(shift, "hr-low-m").startswith("the pulse has fallen to")


def test_C7_a_pulse_that_has_fallen_to_a_slow_one_is_no_proof_of_none() -> None:
    shift = resting(90, 92)
    told(shift, 6, steady(0), steady(65))
    assert raised_after_s(shift, "hr-none") == 4, "its own delay"


def test_C7_an_arterial_pressure_that_moves_with_the_rate_says_so_too() -> None:
    shift = resting(pulse=None, abp_sys=steady(118), abp_dia=steady(60))
    told(shift, 2, steady(44), None, abp_sys=steady(96), abp_dia=steady(40))
    told(shift, 1, steady(44), None, abp_sys=steady(94), abp_dia=steady(40))
    assert raised_after_s(shift, "hr-low-m") == 1
    assert note(shift, "hr-low-m") == "the arterial pressure has moved too"


def test_C7_a_fast_ecg_beside_an_unsteady_pulse_is_raised_after_3_s() -> None:
    shift = Shift()
    told(shift, 60, steady(80), lambda s: 80 + 9 * (s % 3))
    told(shift, 6, steady(150), lambda s: 80 + 9 * (s % 3))
    assert raised_after_s(shift, "hr-high") == 3


# One says otherwise.


def test_C7_HZ13_a_pulse_too_slow_beside_a_usual_ecg_is_withheld_30_s_and_raised_marked() -> None:
    shift = resting()
    told(shift, 30, steady(76), steady(38))
    assert raised_after_s(shift, "hr-low") is None
    told(shift, 2, steady(76), steady(38))
    assert shift.alarm("3", "hr-low").state is ACTIVE
    assert note(shift, "hr-low") == "poor signal"
    told(shift, 8, steady(76), steady(74))
    assert shift.alarm("3", "hr-low").state is AlarmState.LATCHED


@pytest.mark.parametrize("claim", [0, 31, 45])
def test_C7_HZ12_a_slow_ecg_beside_a_pulse_that_keeps_its_rate_is_withheld_30_s_and_raised_marked(
    claim: float,
) -> None:
    shift = resting()
    told(shift, 29, steady(claim), steady(70))
    rules = {0: "hr-none", 31: "hr-low", 45: "hr-low-m"}
    assert not [m for m in shift.of(AlarmMoved) if m.rule.startswith("hr-") and m.now is ACTIVE]
    now = shift.ward.vital_now(BED, Vital.HEART_RATE)
    assert now is not None
    assert (now.value, now.quality, now.doubt) == (claim, Quality.QUESTIONABLE, Doubt.POOR_SIGNAL)
    assert "the oximeter counts 70" in (now.why or "")
    told(shift, 2, steady(claim), steady(70))
    assert raised_after_s(shift, rules[int(claim)]) == 30
    assert note(shift, rules[int(claim)]) == "poor signal"


def test_C7_HZ12_an_ecg_that_claims_no_beat_while_the_artery_beats_on_is_withheld_30_s() -> None:
    shift = resting(pulse=None, abp_sys=steady(118), abp_dia=steady(60))
    told(shift, 31, steady(0), None, abp_sys=steady(118), abp_dia=steady(60))
    assert raised_after_s(shift, "hr-none") == 30


def test_C7_a_fast_ecg_beside_a_steady_pulse_is_withheld_30_s() -> None:
    shift = resting()
    told(shift, 31, steady(160), steady(72))
    assert raised_after_s(shift, "hr-high") == 30


def test_C7_a_pulse_that_is_lost_says_nothing_any_more() -> None:
    shift = resting()
    told(shift, 10, steady(0), steady(70))
    shift.hears("3", hr=0, pr_spo2=None)
    told(shift, 1, steady(0), None)
    assert raised_after_s(shift, "hr-none") == 10


def test_C7_nobody_else_to_ask_leaves_the_rule_its_own_delay() -> None:
    shift = resting(pulse=None)
    told(shift, 16, steady(45), None)
    assert raised_after_s(shift, "hr-low-m") == 15


def test_C7_a_pulse_heard_for_less_than_15_s_is_nobody_to_ask() -> None:
    shift = Shift()
    told(shift, 5, steady(70), steady(71))
    told(shift, 6, steady(0), steady(71))
    assert raised_after_s(shift, "hr-none") == 4


@pytest.mark.shows("ALM-073", "HZ-13")
@settings(max_examples=60, deadline=None)
@given(
    claim=st.sampled_from([0.0, 12.0, 33.0, 39.0, 141.0, 190.0]),
    before=st.sampled_from([55.0, 70.0, 95.0]),
    pulses=st.lists(
        st.sampled_from([None, 0.0, 45.0, 55.0, 70.0, 72.0, 95.0, 130.0]), min_size=40, max_size=40
    ),
)
def test_C7_ALM_073_no_high_of_the_ecg_waits_longer_than_30_s_whatever_the_pulse_does(
    claim: float, before: float, pulses: list[float | None]
) -> None:
    shift = resting(before, before)
    told(shift, 40, steady(claim), lambda s: pulses[s])
    rule = "hr-none" if claim == 0 else "hr-low" if claim < 40 else "hr-high"
    after_s = raised_after_s(shift, rule)
    assert after_s is not None
    assert after_s <= 30

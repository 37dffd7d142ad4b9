"""A test for each cell of protocols.md 6.2, through the whole ward: its limit, its edge, its confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model import AlarmState, Baseline, Doubt, PageOrdered, Vital, VitalTyped
from tests.core.shift import BASELINE, Shift
from tests.core.visit import DANA

ACTIVE, LATCHED = AlarmState.ACTIVE, AlarmState.LATCHED


def watched(own: Baseline = BASELINE) -> Shift:
    """One patient with this baseline: 120/75, heart rate 70, SpO2 98, respiration 14 if none is given."""
    shift = Shift(occupied=False)
    shift.admits("3", baseline=own)
    return shift


def raised(shift: Shift, rule: str) -> bool:
    """Whether this rule has been raised."""
    return ACTIVE in shift.states(rule)


def taken_twice(shift: Shift, systolic: float, diastolic: float, **more: Any) -> None:
    """Two readings a minute apart."""
    for _ in range(2):
        shift.cuff("3", systolic, diastolic, **more)
        shift.waits(seconds=60)


# Cuffs: confirmed by a second reading, or at once.

CONFIRMED = [
    ("SBP M: B +30 %", (156, 80), (155, 80), "sbp-high-m"),
    ("SBP H: 180", (180, 80), (179, 80), "sbp-high"),
    ("DBP M: 100", (125, 100), (125, 99), "dbp-high-m"),
    ("DBP H: 110", (130, 110), (130, 109), "dbp-high"),
]


@pytest.mark.parametrize(("cell", "beyond", "within", "rule"), CONFIRMED, ids=[row[0] for row in CONFIRMED])
def test_6_2_a_high_pressure_is_confirmed_by_a_second_reading(
    cell: str, beyond: tuple[float, float], within: tuple[float, float], rule: str
) -> None:
    del cell
    shift = watched()
    shift.cuff("3", *beyond)
    shift.waits(seconds=60)
    assert not raised(shift, rule)
    shift.cuff("3", *beyond)
    assert raised(shift, rule)
    other = watched()
    taken_twice(other, *within)
    assert not raised(other, rule)


@pytest.mark.parametrize(
    ("beyond", "within", "rule"),
    [((144, 80), (143, 80), "sbp-high-l"), ((125, 90), (125, 89), "dbp-high-l")],
    ids=["SBP L: B +20 %", "DBP L: B +20 %"],
)
def test_6_2_a_low_of_the_pressure_is_20_percent_over_the_baseline(
    beyond: tuple[float, float], within: tuple[float, float], rule: str
) -> None:
    shift, other = watched(), watched()
    shift.cuff("3", *beyond)
    taken_twice(other, *within)
    assert raised(shift, rule)
    assert not raised(other, rule)


@pytest.mark.parametrize(
    ("own", "limit"),
    [
        (Baseline(systolic=150, diastolic=75), 165),
        (Baseline(systolic=122, diastolic=75), 158.6),
        (Baseline(systolic=100, diastolic=75), 130),
        (Baseline(systolic=130, diastolic=75), 165),
    ],
    ids=["165", "B +30 %", "B +30 % of a low one", "165 before a rise of 40"],
)
def test_6_2_sbp_m_is_165_or_30_percent_or_a_rise_of_40_whichever_comes_first(
    own: Baseline, limit: float
) -> None:
    assert own.systolic is not None
    assert min(165, own.systolic * 1.3, own.systolic + 40) == pytest.approx(limit)
    for systolic, beyond in ((limit + 0.5, True), (limit - 0.5, False)):
        shift = watched(own)
        taken_twice(shift, systolic, 75)
        assert raised(shift, "sbp-high-m") is beyond


def test_6_2_dbp_m_is_100_or_a_rise_of_25() -> None:
    for diastolic, beyond in ((85, True), (84, False)):
        shift = watched(Baseline(systolic=120, diastolic=60))
        taken_twice(shift, 125, diastolic)
        assert raised(shift, "dbp-high-m") is beyond


@pytest.mark.parametrize(
    ("beyond", "within", "rule"),
    [((200, 100), (199, 100), "sbp-high"), ((150, 120), (150, 119), "dbp-high")],
)
def test_6_2_a_pressure_of_200_or_120_is_high_at_once(
    beyond: tuple[float, float], within: tuple[float, float], rule: str
) -> None:
    shift, other = watched(), watched()
    shift.cuff("3", *beyond)
    other.cuff("3", *within)
    assert raised(shift, rule)
    assert not raised(other, rule)


@pytest.mark.parametrize(
    ("systolic", "rule", "is_raised"),
    [
        (95, "sbp-low-l", True), (96, "sbp-low-l", False),
        (89, "sbp-low-m", True), (90, "sbp-low-m", False),
        (79, "sbp-low", True), (80, "sbp-low", False),
    ],
)  # fmt: skip
def test_6_2_a_low_sbp(systolic: float, rule: str, is_raised: bool) -> None:  # noqa: FBT001
    shift = watched()
    taken_twice(shift, systolic, 50)
    assert raised(shift, rule) is is_raised


def test_6_2_sbp_low_l_is_under_100_and_20_percent_below_the_baseline() -> None:
    for systolic, is_raised in ((99, True), (100, False)):
        shift = watched(Baseline(systolic=130, diastolic=75))
        taken_twice(shift, systolic, 60)
        assert raised(shift, "sbp-low-l") is is_raised


@pytest.mark.parametrize(("rate", "is_raised"), [(49, True), (50, False)])
def test_6_2_sbp_under_90_with_a_heart_rate_under_50_is_high(rate: float, is_raised: bool) -> None:  # noqa: FBT001
    shift = watched()
    for _ in range(2):
        shift.stays("3", seconds=20, hr=rate)
        shift.cuff("3", 88, 50)
    assert raised(shift, "sbp-low") is is_raised


@pytest.mark.parametrize(
    ("mean", "rule", "is_raised"),
    [
        (64, "map-low-m", True), (65, "map-low-m", False),
        (54, "map-low", True), (55, "map-low", False),
        (126, "map-high-m", True), (125, "map-high-m", False),
        (141, "map-high", True), (140, "map-high", False),
    ],
)  # fmt: skip
def test_6_2_a_mean_pressure_if_it_is_given(mean: float, rule: str, is_raised: bool) -> None:  # noqa: FBT001
    shift = watched()
    taken_twice(shift, mean + 20, mean - 15, mean=mean)
    assert raised(shift, rule) is is_raised


# Continuous: after so long, and no sooner.

LASTING = [
    ("HR L", {"hr": 111}, {"hr": 110}, "hr-high-l", 15),
    ("HR M high", {"hr": 121}, {"hr": 120}, "hr-high-m", 15),
    ("HR M low", {"hr": 49}, {"hr": 50}, "hr-low-m", 15),
    ("HR H high", {"hr": 141}, {"hr": 140}, "hr-high", 10),
    ("HR H low", {"hr": 39}, {"hr": 40}, "hr-low", 5),
    ("HR M: B +35", {"hr": 106}, {"hr": 105}, "hr-rise-m", 30),
    ("HR M: B -25", {"hr": 44}, {"hr": 45}, "hr-fall-m", 30),
    ("SpO2 L", {"spo2": 93}, {"spo2": 94}, "spo2-low-l", 15),
    ("SpO2 M", {"spo2": 91}, {"spo2": 92}, "spo2-low-m", 15),
    ("SpO2 H", {"spo2": 89}, {"spo2": 90}, "spo2-low", 10),
    ("RR L", {"rr": 25}, {"rr": 24}, "rr-high-l", 30),
    ("RR M high", {"rr": 29}, {"rr": 28}, "rr-high-m", 30),
    ("RR M low", {"rr": 9}, {"rr": 10}, "rr-low-m", 30),
    ("RR H low", {"rr": 7}, {"rr": 8}, "rr-low", 15),
    ("RR H high", {"rr": 36}, {"rr": 35}, "rr-high", 30),
    ("no breath", {"rr": 0}, {"rr": 1}, "rr-none", 20),
]


@pytest.mark.parametrize(
    ("cell", "beyond", "within", "rule", "hold_s"), LASTING, ids=[row[0] for row in LASTING]
)
def test_6_2_a_continuous_value_is_raised_once_it_has_lasted(
    cell: str, beyond: dict[str, Any], within: dict[str, Any], rule: str, hold_s: int
) -> None:
    del cell
    shift = watched()
    shift.stays("3", seconds=hold_s - 1, **beyond)
    assert not raised(shift, rule)
    shift.stays("3", seconds=2, **beyond)
    assert raised(shift, rule)
    other = watched()
    other.stays("3", seconds=2 * hold_s, **within)
    assert not raised(other, rule)


def test_ALM_073_a_poor_signal_withholds_the_high_of_a_value_and_not_its_medium() -> None:
    shift = watched()
    for second in range(31):
        shift.hears("3", spo2=88, doubt=Doubt.POOR_SIGNAL)
        assert raised(shift, "spo2-low-m") is (second >= 15)
        assert raised(shift, "spo2-low") is (second >= 30)
        shift.waits(seconds=1)


def test_6_2_an_spo2_under_85_does_not_wait() -> None:
    shift, other = watched(), watched()
    shift.hears("3", spo2=84)
    other.hears("3", spo2=85)
    assert raised(shift, "spo2-low")
    assert not raised(other, "spo2-low")


@pytest.mark.parametrize(
    ("celsius", "rule", "is_raised"),
    [
        (37.9, "temp-high-l", True), (37.8, "temp-high-l", False),
        (38.6, "temp-high-m", True), (38.5, "temp-high-m", False),
        (40.1, "temp-high", True), (40.0, "temp-high", False),
        (34.9, "temp-low", True), (35.0, "temp-low", False),
    ],
)  # fmt: skip
def test_6_2_a_temperature_if_it_is_given(celsius: float, rule: str, is_raised: bool) -> None:  # noqa: FBT001
    shift = watched()
    for _ in range(2):
        shift.feed(VitalTyped(shift.now_ms, shift.bed("3").bed, Vital.TEMPERATURE, celsius, DANA))
        shift.waits(seconds=60)
    assert raised(shift, rule) is is_raised


@pytest.mark.parametrize("rule", ["sbp-high-l", "dbp-high-l"])
def test_6_3_a_low_of_the_pressure_is_expected_shown_and_logged_and_not_paged(rule: str) -> None:
    shift = watched()
    taken_twice(shift, 148 if rule.startswith("s") else 125, 92 if rule.startswith("d") else 80)
    assert shift.alarm("3", rule).state is ACTIVE
    shift.waits(minutes=30)
    assert not [page for page in shift.of(PageOrdered) if page.rule == rule]

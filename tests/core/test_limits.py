"""A profile's numbers, a patient's own baseline, and the one number a rule that comes of both."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from monitor.alerts.limits import Limit, profile
from monitor.alerts.rules import INDEX, ROWS, RULES, Kind
from monitor.model import Baseline, Priority, Side, Vital
from tests.core.test_engine_oracle import WATCH, watch

OWN = Baseline(systolic=120, diastolic=75, heart_rate=72, spo2=98, respiration=14)


def limit(name: str, baseline: Baseline = OWN, own: dict[str, float] | None = None) -> Limit:
    return next(x for x in watch().limits_for(baseline, own or {}) if x.rule.name == name)


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ("sbp-high", 180),
        ("sbp-high-m", 156),  # 120 + 30 % is reached before 160 (+ 40) and before 165
        ("sbp-high-l", 144),
        ("sbp-low-l", 96),  # under 100 and under 120 - 20 %
        ("sbp-low-m", 90),
        ("dbp-high-m", 100),  # as high as 75 + 25
        ("dbp-high-l", 90),
        ("hr-rise-m", 107),
        ("hr-fall-m", 47),
        ("spo2-low", 90),
        ("abp-sbp-high-m", 156),
    ],
)
def test_the_terms_fold_into_the_one_number_the_nurse_sees(rule: str, number: float) -> None:
    assert limit(rule).limit == number


@pytest.mark.parametrize(
    ("systolic", "number"), [(120, 156), (126, 163.8), (130, 165), (150, 165), (110, 143), (100, 130)]
)
def test_a_rise_is_measured_by_whichever_term_is_reached_first(systolic: float, number: float) -> None:
    assert limit("sbp-high-m", Baseline(systolic=systolic)).limit == number


def test_a_baseline_nobody_took_drops_its_terms() -> None:
    nobody = Baseline()
    assert limit("sbp-high-m", nobody).limit == 165
    assert limit("sbp-high-l", nobody).limit is None
    assert limit("sbp-low-l", nobody).limit == 100
    assert limit("hr-rise-m", nobody).limit is None


def test_a_limit_of_this_session_stands_in_for_the_default_and_the_default_stays_known() -> None:
    set_to = limit("spo2-low", own={"spo2-low": 88})
    assert (set_to.limit, set_to.default) == (88, 90)
    assert limit("spo2-low-m", own={"spo2-low": 88}).limit == 92


def test_an_arterial_line_takes_the_cuffs_limits_and_saturations_delays() -> None:
    assert limit("abp-sbp-high", own={"sbp-high": 170}).limit == 170
    assert (limit("abp-sbp-high").hold_ms, limit("abp-sbp-high").severe) == (10_000, 200)
    assert limit("abp-map-low-m").hold_ms == 15_000
    assert limit("abp-sbp-high-l").hold_ms == 15_000


def test_a_low_pressure_with_a_slow_heart_has_the_higher_limit() -> None:
    low = limit("sbp-low")
    assert not low.reached(85, heart_rate=60)
    assert low.reached(85, heart_rate=45)
    assert not low.reached(85, heart_rate=None)
    assert low.reached(79, heart_rate=80)


def test_on_the_limit_is_in_breach_only_where_the_cut_off_says_at_or_beyond() -> None:
    assert limit("sbp-high").reached(180)
    assert not limit("spo2-low").reached(90)
    assert limit("sbp-high").recovered(174.9)
    assert not limit("sbp-high").recovered(175)
    assert limit("spo2-low").recovered(91)
    assert not limit("spo2-low").recovered(90.9)


@pytest.mark.shows("ALM-003", "ALM-062")
def test_every_rule_that_holds_a_value_against_a_limit_has_its_numbers_and_every_other_its_delay() -> None:
    said = watch()
    assert list(said.numbers) == [rule.name for rule in RULES if rule.measured]
    assert list(said.delays_ms) == [rule.name for rule in RULES if not rule.measured]
    assert {rule.kind for rule in RULES if not rule.measured} == {Kind.GAP, Kind.SAID}


@pytest.mark.shows("ALM-062")
def test_the_technical_delays_are_those_of_the_table() -> None:
    delays = watch().delays_ms
    assert (delays["link-lost-m"], delays["link-lost"], delays["link-lost-l"]) == (10_000, 60_000, 30_000)
    assert (delays["spo2-gap-l"], delays["spo2-gap-m"]) == (10_000, 30_000)
    assert (delays["cuff-overdue-m"], delays["paging-down"], delays["no-nurse-m"]) == (180_000, 0, 60_000)


def test_a_rule_is_named_after_its_condition_and_priority() -> None:
    suffix = {Priority.HIGH: "", Priority.MEDIUM: "-m", Priority.LOW: "-l"}
    for rule in RULES:
        assert rule.name.removeprefix("abp-") == rule.condition + suffix[rule.priority]
    assert len(INDEX) == len(RULES)


def test_worse_rules_of_one_cause_have_further_limits() -> None:
    """A MEDIUM that sounds before its LOW, or a HIGH before its MEDIUM, would be a table set wrong."""
    limits = watch().limits_for(OWN)
    for a in limits:
        for b in limits:
            same = a.rule.condition == b.rule.condition and a.rule.vital is b.rule.vital
            if same and a.rule.priority > b.rule.priority and a.limit is not None and b.limit is not None:
                sign = 1 if a.rule.side is Side.HIGH else -1
                assert sign * a.limit >= sign * b.limit, (a.rule.name, b.rule.name)


def test_the_rows_of_the_engine_are_the_continuous_vitals() -> None:
    assert set(ROWS) == {rule.vital for rule in RULES if rule.kind is Kind.TIMED}
    assert Vital.SYSTOLIC not in ROWS


def test_pressures_of_one_side_have_one_cause() -> None:
    families = {rule.name: rule.family for rule in RULES}
    assert families["sbp-high"] == families["dbp-high-m"] == families["map-high"] == "bp-high"
    assert families["hr-none"] == families["hr-fall-m"] == families["hr-low"] == "hr-low"
    assert families["link-lost"] == families["link-lost-l"] == "link-lost"


def without(table: str, key: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data[table].pop(key)


def put(table: str, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data[table].__setitem__(key, value)


def put_rule(rule: str, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["rules"][rule].__setitem__(key, value)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (without("rules", "spo2-low"), "rules.spo2-low: this table is missing"),
        (without("delays_s", "link-lost"), "delays_s.link-lost: is missing"),
        (without("hysteresis", "hr"), "hysteresis.hr: is missing"),
        (put("rules", "spo3-low", {}), "rules.spo3-low: is not known here"),
        (put("hysteresis", "pulse", 3), "hysteresis.pulse: is not known here"),
        (put("timing", "breach_share", 1.2), "timing.breach_share: must be 1 or less"),
        (put("timing", "clear_s", "five"), "timing.clear_s: must be a number"),
        (put("confirm", "repeat_within_s", -1), "confirm.repeat_within_s: must be 0 or more"),
        (put("soft", "nibp_sys", [240, 70]), "soft.nibp_sys: must be two numbers, the lower one first"),
        (put_rule("spo2-low", "limit", [90]), "rules.spo2-low.limit: must be a number"),
        (put_rule("spo2-low", "hold_s", bool(1)), "rules.spo2-low.hold_s: must be a number"),
        (put_rule("spo2-low", "limit", float("nan")), "rules.spo2-low.limit: must be a number"),
        (put_rule("spo2-low", "limit", 99), "rules.spo2-low.limit: 99 is outside its span 85 to 93"),
        (put_rule("spo2-low", "severe", 91), "rules.spo2-low.severe: 91 must lie beyond the limit 90"),
        (put_rule("spo2-low", "span", [93]), "rules.spo2-low.span: must be two numbers"),
        (put_rule("spo2-low", "join", "both"), 'rules.spo2-low.join: must be "any" or "all"'),
        (put_rule("spo2-low", "delay", 3), "rules.spo2-low.delay: is not known here"),
        (
            put_rule("hr-high", "slow_heart_limit", 3),
            "rules.hr-high.slow_heart_limit: needs slow_heart_below",
        ),
    ],
)
def test_a_mistake_in_a_profile_names_its_key(mistake: Callable[[dict[str, Any]], None], said: str) -> None:
    data = tomllib.loads(WATCH.read_text())
    mistake(data)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as wrong:
        profile(data)
    assert str(wrong.value).startswith(said)


def test_every_mistake_of_a_profile_is_said_at_once() -> None:
    data = tomllib.loads(WATCH.read_text())
    del data["rules"]["hr-low"]["hold_s"], data["timing"], data["name"]
    with pytest.raises(ValueError, match="name") as wrong:
        profile(data)
    assert str(wrong.value).splitlines() == [
        "name: must be a text",
        "rules.hr-low.hold_s: is missing",
        "timing: this table is missing",
    ]

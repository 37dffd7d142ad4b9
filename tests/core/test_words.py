"""What an alarm and a page say: bed, stars, parameter, value, limit, and nothing a stranger may not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.pagers.pager import forbidden
from monitor.alerts.rules import RULES, Rule
from monitor.alerts.words import STARS, alarm_text, number, over_text, page_text, recall_text
from monitor.model import CLINIC, AlarmState, Bed, Cuff, PageOrdered, PageRecalled, Priority
from tests.core.shift import BASELINE, WATCH, Shift

LIMITS = {limit.rule.name: limit for limit in WATCH.limits_for(BASELINE)}
CUFF = Cuff(172, 98, 122)
BY_NAME = {rule.name: rule for rule in RULES}


def text(name: str, value: float | None, limit: float | None, *notices: str, cuff: Cuff | None = CUFF) -> str:
    """The line of this rule."""
    return alarm_text(BY_NAME[name], value, limit, cuff, notices)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("state", [AlarmState.ACKED, AlarmState.CLEAR])
def test_no_page_of_any_rule_gives_a_patient_away(rule: Rule, state: AlarmState) -> None:
    limit = LIMITS[rule.name].limit if rule.name in LIMITS else None
    line = alarm_text(rule, limit, limit, CUFF)
    page = page_text(Bed("3"), rule.priority, line)
    recalled = [recall_text(Bed("3"), over_text(rule, line, value, state)) for value in (None, 95.0)]
    assert [forbidden(said) for said in (page, *recalled)] == [[], [], []]


@pytest.mark.parametrize("rule", [r for r in RULES if r.name in LIMITS], ids=lambda rule: rule.name)
def test_a_page_says_bed_stars_value_and_limit(rule: Rule) -> None:
    limit, value = LIMITS[rule.name].limit, 41.0
    page = page_text(Bed("3"), rule.priority, alarm_text(rule, value, limit, None))
    assert page.startswith(f"Bed 3: {STARS[rule.priority]} ")
    if not rule.condition.endswith("-none"):
        assert " 41 " in page
        assert f" {number(limit)}." in page
    assert page.endswith("Open Chairside.")


def test_the_lines_of_the_clinical_page() -> None:
    assert text("spo2-low", 84, 90) == "SpO2 84 < 90"
    assert text("sbp-high-m", 172, 165) == "BP 172/98 ≥ 165"
    assert text("hr-low", 38.04, 40) == "HR 38 < 40"
    assert text("temp-high", 40.3, 40) == "Temp 40.3 > 40"
    assert text("rr-none", 0, 0) == "No breath 20 s"
    assert text("hr-none", 0, 0) == "No pulse"
    assert text("map-low", 52, 55) == "MAP 52 < 55"


def test_an_arterial_line_says_its_own_value_and_not_the_cuffs() -> None:
    assert text("abp-sbp-high", 185, 180) == "ABP 185 ≥ 180"


def test_a_later_reading_is_not_put_beside_the_limit_of_an_alarm_it_did_not_raise() -> None:
    assert text("sbp-high-m", 172, 165, cuff=Cuff(131, 80, 97)) == "BP 172 ≥ 165"
    assert text("dbp-high", 112, 110, cuff=Cuff(131, 80, 97)) == "BP dia 112 ≥ 110"


def test_a_missing_value_says_why_if_the_monitor_does() -> None:
    assert text("spo2-gap-m", None, None) == "No SpO2 value"
    assert text("spo2-gap-m", None, None, "Probe off") == "SpO2 probe off"
    assert text("spo2-gap-l", None, None, "no sensor") == "SpO2 probe unplugged"


@given(st.floats(-1e4, 1e4))
def test_a_number_is_whole_where_it_is_whole_and_has_one_decimal_otherwise(value: float) -> None:
    said = number(value)
    assert float(said) == pytest.approx(value, abs=0.0501)
    assert len(said.partition(".")[2]) <= 1
    assert not said.endswith(".0")


def test_the_service_itself_is_no_bed() -> None:
    assert (
        page_text(CLINIC, Priority.HIGH, "Not being recorded")
        == "Clinic: *** Not being recorded. Open Chairside."
    )


def test_a_page_that_is_over_says_so_with_the_value_of_now() -> None:
    rule = BY_NAME["spo2-low"]
    assert over_text(rule, "SpO2 84 < 90", 95, AlarmState.CLEAR) == "SpO2 is 95 now."
    assert over_text(rule, "SpO2 84 < 90", None, AlarmState.CLEAR) == "SpO2 84 < 90: over."
    assert over_text(rule, "SpO2 84 < 90", 84, AlarmState.ACKED) == "SpO2 84 < 90: somebody is at the bed."


def test_what_really_goes_out_is_so() -> None:
    ward = Shift()
    ward.admits("3", alias="Jo Bloggs, depression")
    ward.hears("3", spo2=84)
    ward.acks("3", "spo2-low")
    assert [p.text for p in ward.of(PageOrdered)] == ["Bed 3: *** SpO2 84 < 90. Open Chairside."]
    assert [p.text for p in ward.of(PageRecalled)] == ["Bed 3: SpO2 84 < 90: somebody is at the bed."]

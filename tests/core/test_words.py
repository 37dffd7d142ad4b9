"""What an alarm and a page say: bed, stars, parameter, value, limit, and nothing a stranger may not read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.pagers.pager import forbidden
from monitor.alerts.rules import RULES, Rule
from monitor.alerts.words import STARS, alarm_text, number, over_text, page_text, recall_text, since_text
from monitor.model import (
    CLINIC,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Cuff,
    PageChanged,
    PageOrdered,
    PageRecalled,
    PauseKind,
    Priority,
    Vital,
)
from tests.core.shift import BASELINE, WATCH, Shift

LIMITS = {limit.rule.name: limit for limit in WATCH.limits_for(BASELINE)}
CUFF = Cuff(172, 98, 122)
BY_NAME = {rule.name: rule for rule in RULES}


def text(name: str, value: float | None, limit: float | None, *notices: str, cuff: Cuff | None = CUFF) -> str:
    """The line of this rule."""
    return alarm_text(BY_NAME[name], value, limit, cuff, notices)


@pytest.mark.shows("HZ-14")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("cue", [Cue.ACK, Cue.END, Cue.DISCHARGE])
def test_no_page_of_any_rule_gives_a_patient_away(rule: Rule, cue: Cue) -> None:
    limit = LIMITS[rule.name].limit if rule.name in LIMITS else None
    line = alarm_text(rule, limit, limit, CUFF)
    for value in (None, 95.0):
        since = [since_text(limit, value, state) for state in (AlarmState.ACTIVE, AlarmState.LATCHED)]
        pages = [page_text(Bed("3"), rule.priority, line, text) for text in since]
        recalled = recall_text(Bed("3"), over_text(rule, line, value, cue))
        assert [forbidden(said) for said in (*pages, recalled)] == [[], [], []]


@pytest.mark.shows("ALM-021", "ALM-022")
@pytest.mark.parametrize("rule", [r for r in RULES if r.name in LIMITS], ids=lambda rule: rule.name)
def test_a_page_says_bed_stars_value_and_limit(rule: Rule) -> None:
    limit, value = LIMITS[rule.name].limit, 41.0
    page = page_text(Bed("3"), rule.priority, alarm_text(rule, value, limit, None))
    assert page.startswith(f"Bed 3: {STARS[rule.priority]} ")
    if not rule.condition.endswith("-none"):
        assert " 41 " in page
        assert f" {number(limit)}." in page
    assert page.endswith("Open Chairside.")


@pytest.mark.shows("ALM-022")
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
    assert over_text(rule, "SpO2 84 < 90", 95, Cue.END) == "Resolved: SpO2 is 95 now."
    assert over_text(rule, "SpO2 84 < 90", None, Cue.END) == "SpO2 84 < 90: resolved."
    assert over_text(rule, "SpO2 84 < 90", 84, Cue.ACK) == "SpO2 84 < 90: somebody is at the bed."
    assert over_text(rule, "SpO2 84 < 90", 84, Cue.DISCHARGE) == "SpO2 84 < 90: it is no longer watched."


def test_a_page_says_what_has_come_of_it_since() -> None:
    active, latched = AlarmState.ACTIVE, AlarmState.LATCHED
    assert since_text(84, 84.04, active) == "", "the same number is not said twice"
    assert since_text(84, None, active) == "", "a missing value is no news of how it is"
    assert since_text(84, 71, active) == "71 now."
    assert since_text(84, 95, latched) == "95 now. Still look."
    assert since_text(84, None, latched) == "It has ended. Still look."
    assert (
        page_text(Bed("3"), Priority.HIGH, "SpO2 84 < 90", "95 now. Still look.")
        == "Bed 3: *** SpO2 84 < 90. 95 now. Still look. Open Chairside."
    )


def test_what_really_goes_out_is_so() -> None:
    ward = Shift()
    ward.admits("3", alias="Jo Bloggs, depression")
    ward.hears("3", spo2=84)
    ward.acks("3", "spo2-low")
    assert [p.text for p in ward.of(PageOrdered)] == ["Bed 3: *** SpO2 84 < 90. Open Chairside."]
    assert [p.text for p in ward.of(PageRecalled)] == ["Bed 3: SpO2 84 < 90: somebody is at the bed."]


def test_the_next_step_says_the_value_of_its_own_time() -> None:
    ward = Shift()
    ward.hears("3", spo2=84)
    ward.stays("3", seconds=61, spo2=71)
    said = [p.text for p in ward.of(PageOrdered)]
    assert said[0] == "Bed 3: *** SpO2 84 < 90. Open Chairside."
    assert set(said[1:]) == {"Bed 3: *** SpO2 84 < 90. 71 now. Open Chairside."}


def test_a_value_that_has_grown_old_is_not_said_to_be_now() -> None:
    ward = Shift()
    ward.stays("3", seconds=12, spo2=84)
    ward.hears("3", spo2=71, fresh_s=5)
    ward.waits(seconds=30)
    second = ward.of(PageOrdered)[1]
    assert second.text == "Bed 3: *** SpO2 84 < 90. Open Chairside."


@pytest.mark.shows("ALM-085")
def test_the_pages_that_are_out_change_when_it_ends_unseen_and_when_it_comes_back() -> None:
    ward = Shift()
    ward.stays("3", seconds=35, spo2=84)
    ward.stays("3", seconds=60, spo2=95)
    out = [p.page_id for p in ward.of(PageOrdered)]
    ended = ward.of(PageChanged)
    assert [p.page_id for p in ended] == out
    assert {p.text for p in ended} == {"Bed 3: *** SpO2 84 < 90. 95 now. Still look. Open Chairside."}
    assert ward.page("dana").text == ended[0].text
    ward.stays("3", seconds=290, spo2=95)
    reminder = ward.of(PageOrdered)[-1]
    assert reminder.text == ended[0].text, "and so does the reminder"
    ward.restarts()
    assert ward.page("sam").text == ended[0].text
    ward.stays("3", seconds=30, spo2=82)
    back = ward.of(PageChanged)[len(ended) :]
    assert [p.page_id for p in back] == [*out, reminder.page_id]
    assert {p.text for p in back} == {"Bed 3: *** SpO2 82 < 90. Open Chairside."}


def test_a_cleared_medium_is_resolved_and_a_closed_session_is_not() -> None:
    good, closed = Shift(), Shift()
    for ward in (good, closed):
        ward.stays("3", seconds=40, spo2=91)
    good.stays("3", seconds=40, spo2=97)
    closed.discharges("3")
    assert [p.text for p in good.of(PageRecalled)] == ["Bed 3: Resolved: SpO2 is 97 now."]
    assert [p.text for p in closed.of(PageRecalled)] == ["Bed 3: SpO2 91 < 92: it is no longer watched."]


@pytest.mark.shows("HZ-14")
def test_no_page_and_no_note_of_an_alarm_names_anybody() -> None:
    ward = Shift()
    ward.stays("3", seconds=40, spo2=91)
    ward.accepts("dana")
    ward.pauses("3", PauseKind.AUDIO, seconds=120, by="sam", why="sam asked for quiet")
    ward.pauses("3", PauseKind.ALARM, seconds=60, vital=Vital.SPO2, by="lee", why="lee moves the probe")
    ward.sets("3", "hr-high-m", 118, why="ida says so")
    ward.stays("3", seconds=200, spo2=80)
    ward.acks("3", "spo2-low", by="sam")
    ward.stays("3", seconds=180, spo2=80)
    ward.stays("3", seconds=40, spo2=97)
    texts = [
        *(e.text for e in ward.events if isinstance(e, PageOrdered | PageChanged | PageRecalled)),
        *(e.note for e in ward.of(AlarmMoved)),
        *(e.why for e in ward.of(PageRecalled)),
    ]
    assert len(texts) > 10
    names = {"dana", "sam", "lee", "ida"}
    assert [text for text in texts if names & set(re.findall(r"[a-z]+", text.lower()))] == []

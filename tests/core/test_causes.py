"""One cause, one page: a narrowed airway, a faint; and what is never left to another's page."""

from __future__ import annotations

import pytest

from monitor.alerts.causes import ALONE, GROUPS, group, together
from monitor.alerts.rules import RULES
from monitor.model import (
    Acked,
    AlarmState,
    Bed,
    Device,
    LinkState,
    PageChanged,
    PageOrdered,
    PauseKind,
    Staff,
    Vital,
    Why,
)
from monitor.plan import DevicePlan
from tests.core.shift import Shift

ACTIVE, ACKED, LATCHED = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED
BY_NAME = {rule.name: rule for rule in RULES}


def first_pages(ward: Shift) -> list[str]:
    """The rule of every page that began a ladder."""
    return [page.rule for page in ward.of(PageOrdered) if page.why is Why.FIRST]


def test_every_family_of_a_group_is_one_of_a_rule() -> None:
    families = {rule.family for rule in RULES}
    assert [name for names in GROUPS.values() for name in names if name not in families] == []
    assert {rule.condition for rule in RULES} >= ALONE


def test_no_technical_alarm_and_no_arrest_is_left_to_anothers_page() -> None:
    for one in RULES:
        for other in RULES:
            if together(one, other):
                assert not one.technical
                assert not other.technical
                assert other.condition not in ALONE
                assert one.family != other.family
                assert group(one) == group(other)


@pytest.mark.shows("HZ-04")
def test_a_slow_breath_and_the_saturation_it_takes_are_one_page_that_says_both() -> None:
    ward = Shift()
    ward.stays("3", seconds=16, rr=7, spo2=97)
    assert first_pages(ward) == ["rr-low"]
    ward.stays("3", seconds=20, rr=7, spo2=88)
    assert first_pages(ward) == ["rr-low"]
    assert ward.alarm("3", "spo2-low").state is ACTIVE
    assert not ward.alarm("3", "spo2-low").spoken_for, "it is shown and sounds in its own right"
    assert ward.page("dana").text == "Bed 3: *** RR 7 < 8, SpO2 88 < 90. Open Chairside."
    assert ward.page("dana").rule == "rr-low"


def test_what_is_worse_pages_for_itself() -> None:
    ward = Shift()
    ward.stays("3", seconds=31, rr=9, spo2=97)
    ward.stays("3", seconds=12, rr=9, spo2=88)
    assert first_pages(ward) == ["rr-low-m", "spo2-low"]
    assert ward.page("dana").text == "Bed 3: *** SpO2 88 < 90, RR 9 < 10. Open Chairside."


@pytest.mark.shows("ALM-042")
def test_one_answer_at_the_bed_is_for_all_that_its_page_said_and_what_comes_after_is_new() -> None:
    ward = Shift()
    ward.stays("3", seconds=36, rr=7, spo2=91)
    ward.acks("3", "rr-low")
    assert ward.alarm("3", "spo2-low-m").state is ACKED
    ward.forget_pages()
    ward.stays("3", seconds=12, rr=7, spo2=88)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])


def test_an_answer_to_the_lesser_answers_nothing_worse() -> None:
    ward = Shift()
    ward.stays("3", seconds=36, rr=7, spo2=91)
    medium = ward.alarm("3", "spo2-low-m")
    ward.feed(Acked(ward.now_ms, medium.alarm_id, Staff("dana")))
    assert ward.alarm("3", "spo2-low-m").state is ACKED
    assert ward.alarm("3", "rr-low").state is ACTIVE


def test_once_the_worse_has_ended_the_other_has_a_page_of_its_own() -> None:
    ward = Shift()
    ward.stays("3", seconds=36, rr=7, spo2=88)
    ward.forget_pages()
    ward.stays("3", seconds=8, rr=14, spo2=88)
    assert ward.alarm("3", "rr-low").state is LATCHED
    assert first_pages(ward)[-1] == "spo2-low"


@pytest.mark.shows("HZ-08")
def test_what_a_pause_keeps_from_paging_pages_for_nobody() -> None:
    ward = Shift()
    ward.pauses("3", PauseKind.ALARM, seconds=180, vital=Vital.RESPIRATION)
    ward.stays("3", seconds=31, rr=9, spo2=97)
    ward.stays("3", seconds=16, rr=9, spo2=91)
    assert first_pages(ward) == ["spo2-low-m"]


def test_no_breath_calls_for_itself_whatever_is_out_for_the_saturation() -> None:
    ward = Shift()
    ward.hears("3", spo2=84, rr=14)
    ward.stays("3", seconds=18, spo2=84, rr=0)
    assert first_pages(ward) == ["spo2-low"], "a slow breath is said on the page that is out"
    assert "RR 0 < 8" in ward.page("dana").text
    ward.stays("3", seconds=3, spo2=84, rr=0)
    assert ward.alarm("3", "rr-none").state is ACTIVE
    assert first_pages(ward) == ["spo2-low", "rr-low"]


@pytest.mark.shows("HZ-04")
def test_a_faint_is_one_page_of_rate_and_pressure() -> None:
    ward = Shift()
    ward.stays("3", seconds=6, hr=36)
    ward.cuff("3", 72, 45)
    ward.cuff("3", 70, 44)
    assert ward.alarm("3", "sbp-low").state is ACTIVE
    assert first_pages(ward) == ["hr-low"]
    assert "HR 36 < 40, BP 70/44 < 90" in ward.page("dana").text


def test_the_page_that_is_out_says_no_longer_what_has_ended() -> None:
    ward = Shift()
    ward.stays("3", seconds=36, rr=7, spo2=91)
    assert "SpO2 91 < 92" in ward.page("dana").text
    ward.stays("3", seconds=8, rr=7, spo2=97)
    assert ward.page("dana").text == "Bed 3: *** RR 7 < 8. Open Chairside."
    assert ward.of(PageChanged)


@pytest.mark.shows("HZ-04", "HZ-12")
def test_a_probe_that_is_off_explains_the_rate_that_was_its_own() -> None:
    probe = DevicePlan(
        Device("monitor-3"), "masimo-ascii1", Bed("3"), frozenset({Vital.SPO2, Vital.PULSE_SPO2})
    )
    ward = Shift(devices=(probe,))
    ward.hears("3", spo2=97, pr_spo2=70)
    ward.stays("3", seconds=41, spo2=None, pr_spo2=None)
    assert ward.alarm("3", "hr-gap-m").spoken_for
    assert first_pages(ward) == ["spo2-gap-m"]


def test_a_probe_that_is_off_explains_no_loss_of_the_ecg() -> None:
    ward = Shift()
    ward.hears("3", spo2=97, hr=70)
    ward.stays("3", seconds=41, spo2=None, hr=None)
    assert not ward.alarm("3", "hr-gap-m").spoken_for


@pytest.mark.shows("HZ-04")
def test_a_link_that_is_back_calls_nobody_for_the_silence_it_explained() -> None:
    ward = Shift()
    ward.hears("3", spo2=97, hr=70, rr=14)
    ward.link("monitor-3", LinkState.DOWN)
    ward.waits(seconds=70)
    ward.link("monitor-3", LinkState.UP)
    ward.hears("3", spo2=97, hr=70, rr=14)
    ward.waits(seconds=5)
    assert first_pages(ward) == ["link-lost-m", "link-lost"]


def test_a_link_that_is_back_and_says_nothing_of_a_vital_calls_for_it() -> None:
    ward = Shift()
    ward.hears("3", spo2=97, hr=70)
    ward.link("monitor-3", LinkState.DOWN)
    ward.waits(seconds=70)
    ward.link("monitor-3", LinkState.UP)
    ward.hears("3", hr=70)
    ward.waits(seconds=1)
    assert first_pages(ward)[-1] == "spo2-gap-m"

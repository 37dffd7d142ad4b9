"""What chatters: raised more than three times in ten minutes it is one alarm and stays to be seen."""

from __future__ import annotations

import pytest

from monitor.model import AlarmMoved, AlarmState, PageOrdered, Staff
from tests.core.shift import Shift

ACTIVE, LATCHED, CLEAR = AlarmState.ACTIVE, AlarmState.LATCHED, AlarmState.CLEAR


def dips(ward: Shift, times: int = 1, *, apart_s: int = 30) -> None:
    """A saturation that is MEDIUM for a moment, and well again."""
    for _ in range(times):
        ward.stays("3", seconds=16, spo2=91)
        ward.stays("3", seconds=apart_s, spo2=97)


@pytest.mark.shows("ALM-046", "HZ-04")
def test_the_fourth_raise_in_ten_minutes_is_recurring_and_stays_in_sight() -> None:
    ward = Shift()
    dips(ward, 3)
    ward.shows("3", "spo2-low-m", CLEAR, paged=["dana"] * 3)
    dips(ward)
    ward.shows("3", "spo2-low-m", LATCHED, paged=["dana"], note="recurring, 4 times in 10 min")
    ward.stays("3", minutes=12, spo2=97)
    assert ward.alarm("3", "spo2-low-m").state is LATCHED


@pytest.mark.shows("ALM-046")
def test_from_then_on_it_is_one_alarm_with_one_ladder() -> None:
    ward = Shift()
    dips(ward, 4)
    number = ward.alarm("3", "spo2-low-m").alarm_id
    ward.forget_pages()
    dips(ward, 3)
    ward.shows("3", "spo2-low-m", LATCHED, paged=[], alarm_id=number)
    ward.stays("3", seconds=120, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["sam"], alarm_id=number)


def test_nobody_is_reminded_of_what_recurs_and_is_not_there_now() -> None:
    ward = Shift()
    dips(ward, 4)
    pages = len(ward.of(PageOrdered))
    ward.stays("3", minutes=20, spo2=97)
    assert len(ward.of(PageOrdered)) == pages


def test_a_new_breach_of_it_waits_for_its_delay() -> None:
    ward = Shift()
    dips(ward, 4)
    ward.stays("3", seconds=10, spo2=91)
    assert ward.alarm("3", "spo2-low-m").state is LATCHED
    ward.stays("3", seconds=6, spo2=91)
    assert ward.alarm("3", "spo2-low-m").state is ACTIVE


@pytest.mark.shows("ALM-040")
def test_once_somebody_has_looked_it_goes() -> None:
    ward = Shift()
    dips(ward, 4)
    assert ward.acks("3", "spo2-low-m") is None
    ward.shows("3", "spo2-low-m", CLEAR, paged=["dana"] * 4)


def test_four_in_more_than_ten_minutes_are_four() -> None:
    ward = Shift()
    dips(ward, 4, apart_s=200)
    assert ward.find("3", "spo2-low-m") is None
    assert not any("recurring" in moved.note for moved in ward.of(AlarmMoved))


def test_an_acknowledgement_that_lapses_is_no_raise() -> None:
    ward = Shift()
    ward.stays("3", seconds=16, spo2=91)
    for _ in range(4):
        ward.acks("3", "spo2-low-m")
        ward.stays("3", seconds=301, spo2=91)
    assert not any("recurring" in moved.note for moved in ward.of(AlarmMoved))


@pytest.mark.shows("ALM-090")
def test_the_next_patient_begins_to_count_anew() -> None:
    ward = Shift()
    dips(ward, 3)
    assert ward.discharges("3") is None
    ward.admits("3", "B2")
    dips(ward)
    assert ward.find("3", "spo2-low-m") is None


@pytest.mark.shows("ALM-047")
def test_a_restart_forgets_no_raise() -> None:
    ward = Shift()
    dips(ward, 3)
    ward.restarts(after_s=2)
    dips(ward)
    assert ward.alarm("3", "spo2-low-m").note == "recurring, 4 times in 10 min"
    assert Staff("dana") in {page.to for page in ward.of(PageOrdered)}

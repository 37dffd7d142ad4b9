"""What goes out and what comes back: pages that arrive, fail or are called back; and when paging is down."""

from __future__ import annotations

import pytest

from monitor.model import AlarmMoved, AlarmState, Outcome, PageOrdered, PageRecalled, Why
from tests.core.shift import Shift

ACTIVE, ACKED, LATCHED, CLEAR = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED, AlarmState.CLEAR
HOUR_S = 3_600


def falling(*, arrive: bool = True) -> Shift:
    """Bed 3 falls below 85 and stays there."""
    ward = Shift()
    ward.pages_arrive = arrive
    ward.hears("3", spo2=84, fresh_s=HOUR_S)
    return ward


@pytest.mark.shows("ALM-085")
def test_ALM_085_each_page_carries_the_alarms_id_and_its_own_is_never_given_twice() -> None:
    ward = falling()
    ward.waits(minutes=4)
    pages = ward.of(PageOrdered)
    assert {p.alarm_id for p in pages if p.rule == "spo2-low"} == {ward.alarm("3", "spo2-low").alarm_id}
    assert len({p.page_id for p in pages}) == len(pages)


@pytest.mark.shows("ALM-083")
def test_ALM_083_every_outcome_is_kept_with_its_time() -> None:
    ward = falling(arrive=False)
    ward.waits(seconds=1)
    ward.page_report("dana", Outcome.SENT)
    ward.waits(seconds=2)
    ward.page_report("dana", Outcome.DELIVERED)
    ward.waits(seconds=3)
    ward.page_report("dana", Outcome.READ)
    ward.accepts("dana")
    page = ward.page("dana")
    began_ms = page.ordered_at_ms
    assert [(o[1], o[3] - began_ms) for o in page.outcomes] == [
        (Outcome.SENT, 1_000),
        (Outcome.DELIVERED, 3_000),
        (Outcome.READ, 6_000),
    ]
    assert (page.answer, page.answered_by, page.answered_at_ms) == ("accepted", "dana", began_ms + 6_000)


@pytest.mark.parametrize("arrives", [Outcome.SENT, Outcome.DELIVERED, Outcome.READ])
def test_a_page_that_arrives_late_after_a_time_out_has_arrived(arrives: Outcome) -> None:
    ward = falling(arrive=False)
    ward.page_report("dana", Outcome.TIMED_OUT)
    ward.page_report("dana", arrives)
    ward.page_report("sam", Outcome.SENT)
    ward.waits(seconds=29)
    assert ward.find("", "paging-down") is None


@pytest.mark.shows("ALM-080", "HZ-03")
def test_no_page_delivered_in_thirty_seconds_is_a_high_on_every_station() -> None:
    ward = falling(arrive=False)
    ward.waits(seconds=29.9)
    assert ward.find("", "paging-down") is None
    ward.waits(seconds=0.1)
    alarm = ward.alarm("", "paging-down")
    assert (alarm.state, alarm.priority.name, alarm.text) == (ACTIVE, "HIGH", "Pages are not going out")
    assert not [p for p in ward.of(PageOrdered) if p.rule == "paging-down"], "no page could tell of it"
    assert alarm.next_page_ms is None


def test_it_ends_as_soon_as_a_later_page_arrives_and_latches_until_somebody_has_looked() -> None:
    ward = falling(arrive=False)
    ward.waits(seconds=61)
    ward.page_report("lee", Outcome.SENT)
    ward.waits(seconds=1)
    assert ward.alarm("", "paging-down").state is LATCHED
    ward.acks("", "paging-down")
    ward.waits(seconds=20)
    assert ward.find("", "paging-down") is None


def test_that_the_alarm_is_over_does_not_mean_that_pages_go_out_again() -> None:
    ward = falling(arrive=False)
    ward.waits(seconds=31)
    ward.acks("3", "spo2-low")
    assert all(p.over for p in ward.snapshot().pages if p.rule == "spo2-low")
    ward.waits(seconds=5)
    assert ward.alarm("", "paging-down").state is ACTIVE
    ward.restarts()
    assert ward.alarm("", "paging-down").state is ACTIVE


def test_a_page_that_was_over_before_its_time_says_nothing_about_paging() -> None:
    ward = falling(arrive=False)
    ward.waits(seconds=10)
    ward.acks("3", "spo2-low")
    ward.waits(seconds=100)
    assert ward.find("", "paging-down") is None


def test_who_answers_has_got_the_page_whatever_the_pager_says() -> None:
    ward = falling(arrive=False)
    ward.accepts("dana")
    ward.waits(seconds=60)
    assert ward.find("", "paging-down") is None


def test_a_person_whose_way_is_broken_is_no_outage_while_others_are_reached() -> None:
    ward = falling(arrive=False)
    ward.page_report("dana", Outcome.FAILED)
    ward.page_report("sam", Outcome.SENT)
    ward.waits(seconds=29)
    assert ward.find("", "paging-down") is None


def test_paging_that_says_itself_that_it_is_down_is_the_same_alarm() -> None:
    ward = Shift()
    ward.part("paging", ok=False)
    assert ward.alarm("", "paging-down").state is ACTIVE
    ward.part("paging", ok=True)
    assert ward.alarm("", "paging-down").state is LATCHED


@pytest.mark.shows("ALM-085")
def test_a_page_that_is_over_is_called_back_with_the_value_of_now() -> None:
    ward = Shift()
    ward.stays("3", seconds=16, spo2=91)
    ward.stays("3", seconds=7, spo2=97)
    assert [(p.rule, p.to) for p in ward.of(PageOrdered)] == [("spo2-low-m", "dana")]
    assert [r.text for r in ward.of(PageRecalled)] == ["Bed 3: Resolved: SpO2 is 97 now."]
    assert ward.page("dana").over
    assert ward.accepts("dana") == "This page is over."


@pytest.mark.shows("ALM-085")
def test_a_page_is_called_back_once() -> None:
    ward = falling()
    ward.waits(minutes=3)
    ward.acks("3", "spo2-low")
    ward.stays("3", minutes=3, spo2=97)
    recalled = [r.page_id for r in ward.of(PageRecalled)]
    assert len(recalled) == len(set(recalled))
    assert set(recalled) == {p.page_id for p in ward.of(PageOrdered) if p.rule == "spo2-low"}


def test_a_latched_alarm_keeps_its_pages_out() -> None:
    ward = falling()
    ward.stays("3", seconds=7, spo2=97)
    assert ward.alarm("3", "spo2-low").state is LATCHED
    assert not ward.page("dana").over
    assert ward.accepts("dana") is None


def test_an_acknowledgement_that_lapses_begins_the_ladder_anew() -> None:
    ward = falling()
    ward.waits(seconds=45)
    ward.acks("3", "spo2-low")
    ward.forget_pages()
    ward.stays("3", seconds=119, spo2=84)
    ward.shows("3", "spo2-low", ACKED, paged=[])
    ward.stays("3", seconds=1, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    assert ward.of(PageOrdered)[-1].why is Why.FIRST


@pytest.mark.shows("ALM-048")
def test_a_page_answered_twice_tells_the_second_who_was_first() -> None:
    ward = falling()
    ward.accepts("dana")
    assert ward.accepts("dana") == "dana has accepted this page already."
    assert ward.rejects("dana") is None
    assert ward.rejects("dana") == "dana has rejected this page already."
    assert ward.accepts("dana") is None


@pytest.mark.shows("ALM-093")
def test_every_move_is_written_with_what_stood_against_what() -> None:
    ward = falling()
    moved = next(m for m in ward.of(AlarmMoved) if m.rule == "spo2-low")
    assert (moved.value, moved.limit, moved.was, moved.now) == (84, 90, CLEAR, ACTIVE)

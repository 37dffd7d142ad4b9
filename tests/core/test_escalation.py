"""Who is paged next and why: the ladder of alarms.md 8, row by row, and any history at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.escalation import (
    CHAINS,
    HIGH,
    MEDIUM,
    Answer,
    Came,
    Chain,
    Sent,
    next_due,
    next_page,
    step_at,
)
from monitor.model import AlarmState, Outcome, PageOrdered, Priority, Staff, Why
from tests.core.shift import Shift

ACTIVE, ACKED, LATCHED, CLEAR = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED, AlarmState.CLEAR
NAMES = ("dana", "sam", "lee", "ida")
T0 = 1_000_000


def ladder(chain: Chain, until_ms: int) -> list[tuple[int, int, Why]]:
    """(when, step, why) of every page if nobody ever answers."""
    sent: list[Sent] = []
    went = []
    while (due := next_due(chain, T0, sent, [])) is not None and due[0] <= T0 + until_ms:
        at_ms, step, why = due
        sent.append(Sent(step, at_ms))
        went.append((at_ms - T0, step, why))
    return went


# The table.


@pytest.mark.shows("HZ-03")
def test_nobody_answers_a_high() -> None:
    assert ladder(HIGH, 240_000) == [
        (0, 0, Why.FIRST),
        (30_000, 1, Why.UNANSWERED),
        (60_000, 2, Why.UNANSWERED),
        (120_000, 3, Why.UNANSWERED),
        (180_000, 4, Why.REPEAT),
        (240_000, 5, Why.REPEAT),
    ]


def test_nobody_answers_a_medium() -> None:
    assert ladder(MEDIUM, 540_000) == [
        (0, 0, Why.FIRST),
        (90_000, 1, Why.UNANSWERED),
        (180_000, 2, Why.UNANSWERED),
        (300_000, 3, Why.UNANSWERED),
        (420_000, 4, Why.REPEAT),
        (540_000, 5, Why.REPEAT),
    ]


def test_who_each_step_means() -> None:
    assert [step.to for step in HIGH.steps] == [
        ("assigned nurse",),
        ("second nurse",),
        ("everyone", "prescriber"),
        ("everyone",),
    ]
    assert [step.to for step in MEDIUM.steps][:3] == [
        ("assigned nurse",),
        ("second nurse",),
        ("charge nurse",),
    ]
    assert step_at(HIGH, 9).to == HIGH.steps[-1].to


def test_low_has_no_chain_at_all() -> None:
    assert Priority.LOW not in CHAINS


@pytest.mark.shows("ALM-054", "HZ-03")
@pytest.mark.parametrize(
    ("came", "why"),
    [(Came.REJECTED, Why.REJECTED), (Came.FAILED, Why.UNDELIVERED), (Came.HANDED_BACK, Why.REJECTED)],
)
def test_what_cannot_go_or_could_not_be_told_makes_the_next_step_due_at_once(came: Came, why: Why) -> None:
    sent, answers = [Sent(0, T0)], [Answer(0, came, T0 + 5_000)]
    assert next_due(HIGH, T0, sent, answers) == (T0 + 5_000, 1, why)


def test_one_who_cannot_go_moves_the_ladder_one_step_and_no_further() -> None:
    sent = [Sent(0, T0), Sent(1, T0 + 5_000)]
    answers = [Answer(0, Came.REJECTED, T0 + 5_000)]
    assert next_due(HIGH, T0, sent, answers) == (T0 + 35_000, 2, Why.UNANSWERED)


def test_what_is_heard_late_of_an_earlier_step_is_no_news() -> None:
    sent = [Sent(0, T0), Sent(1, T0 + 30_000)]
    answers = [Answer(0, Came.FAILED, T0 + 31_000)]
    assert next_due(HIGH, T0, sent, answers) == (T0 + 60_000, 2, Why.UNANSWERED)


def test_who_goes_holds_the_ladder_until_it_is_clear_that_nobody_came() -> None:
    answers = [Answer(0, Came.ACCEPTED, T0 + 10_000)]
    assert next_due(HIGH, T0, [Sent(0, T0)], answers) == (T0 + 130_000, 1, Why.NOT_AT_BED)
    assert next_due(MEDIUM, T0, [Sent(0, T0)], answers) == (T0 + 310_000, 1, Why.NOT_AT_BED)


def test_back_to_step_one_and_then_on_with_its_own_intervals() -> None:
    sent, answers = [Sent(0, T0), Sent(1, T0 + 130_000)], [Answer(0, Came.ACCEPTED, T0 + 10_000)]
    assert next_due(HIGH, T0, sent, answers) == (T0 + 160_000, 2, Why.UNANSWERED)


def test_a_page_that_was_late_does_not_make_the_next_one_late() -> None:
    """The service was down from 10 s to 50 s: step 1 goes out at once, step 2 in its own time."""
    sent = [Sent(0, T0), Sent(1, T0 + 50_000)]
    assert next_due(HIGH, T0, sent, []) == (T0 + 60_000, 2, Why.UNANSWERED)


def test_a_ladder_that_could_not_begin_sooner_begins_with_its_first_step() -> None:
    assert next_due(HIGH, T0, [Sent(0, T0 + 600_000)], []) == (T0 + 630_000, 1, Why.UNANSWERED)


def test_time_is_an_argument() -> None:
    assert next_page(HIGH, T0, [Sent(0, T0)], [], T0 + 29_999) is None
    assert next_page(HIGH, T0, [Sent(0, T0)], [], T0 + 30_000) == (1, Why.UNANSWERED)


# The same in the ward.


def falling(**settings: Any) -> Shift:
    """Bed 3 falls below 85: HIGH at once. The value stands, so that nothing else happens meanwhile."""
    shift = Shift(**settings)
    shift.hears("3", spo2=84, fresh_s=7_200)
    return shift


def test_nobody_comes_and_the_ward_climbs() -> None:
    ward = falling()
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.waits(seconds=30)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    ward.stays("3", seconds=30, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=list(NAMES))
    ward.stays("3", seconds=60, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=list(NAMES))
    ward.stays("3", seconds=60, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=list(NAMES))
    assert [p.step for p in ward.of(PageOrdered)][-1] == 4


def test_a_nurse_who_cannot_go_is_followed_by_the_next_at_once_and_only_by_one() -> None:
    ward = falling()
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.waits(seconds=3)
    assert ward.rejects("dana") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    ward.waits(seconds=29)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.waits(seconds=1)
    ward.shows("3", "spo2-low", ACTIVE, paged=list(NAMES))


def test_nobody_says_no_twice_to_one_page() -> None:
    ward = falling()
    ward.rejects("dana")
    ward.forget_pages()
    assert ward.rejects("dana") == "dana has rejected this page already."
    ward.shows("3", "spo2-low", ACTIVE, paged=[])


@pytest.mark.shows("HZ-03")
def test_a_page_that_fails_is_followed_by_the_next_step_at_once() -> None:
    ward = Shift()
    ward.pages_arrive = False
    ward.hears("3", spo2=84, fresh_s=7_200)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.page_report("dana", Outcome.FAILED)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    ward.page_report("sam", Outcome.TIMED_OUT)
    ward.shows("3", "spo2-low", ACTIVE, paged=list(NAMES))


def test_a_late_failure_of_an_earlier_page_moves_nothing() -> None:
    ward = Shift()
    ward.pages_arrive = False
    ward.hears("3", spo2=84, fresh_s=7_200)
    ward.waits(seconds=30)
    ward.forget_pages()
    ward.page_report("dana", Outcome.TIMED_OUT)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])


def test_a_page_has_failed_only_once_every_way_has() -> None:
    ward = Shift(ways={Staff(name): ("pager", "phone") for name in NAMES})
    ward.pages_arrive = False
    ward.hears("3", spo2=84, fresh_s=7_200)
    ward.forget_pages()
    ward.page_report("dana", Outcome.FAILED, "pager")
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.page_report("dana", Outcome.FAILED, "phone")
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])


@pytest.mark.shows("ALM-054")
def test_i_go_is_not_i_am_at_the_bed() -> None:
    ward = falling()
    ward.waits(seconds=10)
    assert ward.accepts("dana") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], accepted_by="dana")
    ward.stays("3", seconds=119, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.stays("3", seconds=1, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    assert ward.of(PageOrdered)[-1].why is Why.NOT_AT_BED


def test_who_goes_is_not_undone_by_another_who_cannot() -> None:
    ward = falling()
    ward.waits(seconds=30)
    ward.accepts("dana")
    ward.forget_pages()
    ward.rejects("sam")
    ward.shows("3", "spo2-low", ACTIVE, paged=[], accepted_by="dana")


def test_a_nurse_who_hands_back_is_followed_by_the_next_at_once() -> None:
    ward = falling()
    ward.waits(seconds=5)
    ward.accepts("dana")
    ward.waits(seconds=45)
    ward.forget_pages()
    ward.rejects("dana")
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"], accepted_by=None)
    ward.waits(seconds=29)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])


def test_who_hands_back_the_second_page_of_a_step_is_followed_at_once_too() -> None:
    ward = falling()
    ward.waits(seconds=35)
    ward.accepts("sam")
    ward.waits(seconds=125)
    ward.accepts("sam")
    ward.waits(seconds=10)
    ward.forget_pages()
    ward.rejects("sam")
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana", "sam", "lee", "ida"], accepted_by=None)


def test_who_hands_back_changes_nothing_while_somebody_else_goes() -> None:
    ward = falling()
    ward.waits(seconds=60)
    ward.accepts("lee")
    ward.waits(seconds=1)
    ward.accepts("sam")
    ward.forget_pages()
    assert ward.alarm("3", "spo2-low").accepted_by == "lee"
    ward.rejects("lee")
    ward.shows("3", "spo2-low", ACTIVE, paged=[], accepted_by="sam")


def test_who_goes_and_calls_for_help_still_goes_and_the_next_is_paged_at_once() -> None:
    ward = falling()
    ward.waits(seconds=10)
    ward.accepts("dana")
    ward.forget_pages()
    ward.waits(seconds=20)
    ward.shows("3", "spo2-low", ACTIVE, paged=[], accepted_by="dana")
    assert ward.calls_help("dana") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"], accepted_by="dana")
    assert ward.of(PageOrdered)[-1].why is Why.HELP_CALLED
    # Nobody answers the call: the ladder goes on from there in its own time.
    ward.forget_pages()
    ward.stays("3", seconds=29, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.stays("3", seconds=1, spo2=84)
    assert ward.of(PageOrdered)[-1].why is Why.UNANSWERED


def test_help_that_comes_holds_the_ladder_again() -> None:
    ward = falling()
    ward.waits(seconds=10)
    ward.accepts("dana")
    ward.calls_help("dana")
    ward.accepts("sam")
    ward.forget_pages()
    ward.stays("3", seconds=119, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=[], accepted_by="dana")


def test_a_call_for_help_pressed_twice_is_one_call_and_one_after_the_end_is_refused() -> None:
    ward = falling()
    ward.waits(seconds=10)
    ward.accepts("dana")
    assert ward.calls_help("dana") is None
    ward.forget_pages()
    refused = ward.calls_help("dana")
    assert refused is not None
    assert "sam has been paged" in refused
    ward.shows("3", "spo2-low", ACTIVE, paged=[], accepted_by="dana")
    ward.acks("3", "spo2-low")
    refused = ward.calls_help("dana")
    assert refused is not None
    assert "somebody is at the bed" in refused


@pytest.mark.shows("ALM-085")
def test_acknowledgement_ends_the_chain_and_calls_the_pages_back() -> None:
    ward = falling()
    ward.waits(seconds=30)
    ward.forget_pages()
    assert ward.acks("3", "spo2-low") is None
    assert all(page.over for page in ward.snapshot().pages)
    ward.stays("3", seconds=100, spo2=84)
    ward.shows("3", "spo2-low", ACKED, paged=[], next_page_ms=None)


@pytest.mark.shows("ALM-040")
def test_a_latched_alarm_reminds_the_nurse_every_five_minutes_until_somebody_has_looked() -> None:
    ward = falling()
    ward.stays("3", seconds=7, spo2=97)
    ward.shows("3", "spo2-low", LATCHED, paged=["dana"])
    ended_ms = next(m.at_ms for m in reversed(ward.of(PageOrdered)))
    for _ in range(3):
        before = len(ward.of(PageOrdered))
        ward.stays("3", minutes=5, spo2=97)
        ward.shows("3", "spo2-low", LATCHED, paged=["dana"])
        page = ward.of(PageOrdered)[before]
        assert page.why is Why.STILL_LATCHED
        assert page.step == 0
        assert page.at_ms - ended_ms >= 300_000
        ended_ms = page.at_ms
    ward.acks("3", "spo2-low")
    ward.stays("3", minutes=6, spo2=97)
    ward.shows("3", "spo2-low", CLEAR, paged=[])


def test_a_chain_that_stood_still_goes_on_at_its_step_however_often_it_was_reminded() -> None:
    ward = falling()
    ward.stays("3", seconds=7, spo2=97)
    ward.stays("3", minutes=12, spo2=97)
    ward.forget_pages()
    ward.hears("3", spo2=84, fresh_s=7_200)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.stays("3", seconds=30, spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])


def test_a_low_alarm_never_pages() -> None:
    ward = Shift()
    ward.stays("3", minutes=20, spo2=93)
    ward.shows("3", "spo2-low-l", ACTIVE, paged=[], next_page_ms=None)


def test_a_step_that_means_nobody_on_duty_is_passed_over_at_once() -> None:
    ward = falling(people=("dana", "ida"))
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    ward.waits(seconds=30)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana", "ida"])
    assert ward.of(PageOrdered)[-1].step == 2


def test_a_nurse_who_is_alone_is_asked_again_in_the_time_of_the_chain() -> None:
    """A MEDIUM climbs to people who are not there: it must neither fall silent nor ask without end."""
    ward = Shift(people=("dana",))
    ward.stays("3", seconds=16, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"])
    ward.stays("3", minutes=9, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"] * 5)
    began_ms = ward.of(PageOrdered)[0].at_ms
    assert [p.at_ms - began_ms for p in ward.of(PageOrdered)] == [
        0,
        90_000,
        180_000,
        300_000,
        420_000,
        540_000,
    ]


def test_nobody_on_duty_is_paged_once_somebody_comes() -> None:
    ward = Shift(people=())
    ward.hears("3", spo2=84, fresh_s=7_200)
    ward.waits(minutes=10)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.duty("dana", "sam", bed_3="dana")
    assert [p.to for p in ward.of(PageOrdered) if p.rule == "spo2-low"] == ["dana"]
    ward.waits(seconds=29)
    assert [p.to for p in ward.of(PageOrdered) if p.rule == "spo2-low"] == ["dana"]
    ward.waits(seconds=1)
    assert [p.to for p in ward.of(PageOrdered) if p.rule == "spo2-low"] == ["dana", "sam"]


@pytest.mark.parametrize("killed_s", [0, 5, 29.9, 30, 45, 60, 61, 119, 120, 200])
@pytest.mark.parametrize("down_s", [0, 1, 20])
def test_a_restart_in_the_middle_sends_no_step_twice_and_skips_none(killed_s: float, down_s: float) -> None:
    ward = falling()
    ward.waits(seconds=killed_s)
    before = [p.step for p in ward.of(PageOrdered) if p.rule == "spo2-low"]
    ward.restarts(after_s=down_s)
    ward.waits(seconds=300 - killed_s - down_s)
    pages = [p for p in ward.of(PageOrdered) if p.rule == "spo2-low"]
    assert [p.step for p in pages][: len(before)] == before
    went = [(p.step, p.to) for p in pages]
    assert len(went) == len(set(went))
    assert sorted({p.step for p in pages}) == list(
        range(7 if down_s == 0 else max(p.step for p in pages) + 1)
    )


# Any history.


def act(ward: Shift, what: str, name: str) -> None:
    """One of the things people and pagers do, if this person has a page that is not over."""
    if not [p for p in ward.snapshot().pages if p.to == name and not p.over]:
        return
    match what:
        case "accepts":
            ward.accepts(name)
        case "rejects":
            ward.rejects(name)
        case "fails":
            ward.page_report(name, Outcome.FAILED)
        case "arrives":
            ward.page_report(name, Outcome.DELIVERED)
        case "restarts":
            ward.restarts()
        case "is at the bed":
            ward.acks("3", "spo2-low", name)


def pages(ward: Shift) -> list[PageOrdered]:
    """Those of the one alarm."""
    return [p for p in ward.of(PageOrdered) if p.rule == "spo2-low"]


acts = st.lists(
    st.tuples(
        st.sampled_from(["accepts", "rejects", "fails", "arrives", "restarts", "is at the bed", "nothing"]),
        st.sampled_from(NAMES),
        st.sampled_from([0.0, 0.0, 0.5, 7.0, 30.0, 61.0, 130.0]),
    ),
    max_size=14,
)


@settings(max_examples=120, deadline=None)
@given(acts)
def test_no_history_skips_a_step_or_stalls_while_a_high_is_unanswered(
    told: list[tuple[str, str, float]],
) -> None:
    ward = Shift()
    ward.pages_arrive = False
    ward.hears("3", spo2=84, fresh_s=7_200)
    for what, name, seconds in told:
        act(ward, what, name)
        ward.waits(seconds=seconds)
    # No step is skipped: each is the first, one more to the same step, the next one, or "back to step 1".
    before = None
    for page in pages(ward):
        if before is None or page.why is Why.FIRST:
            assert page.step == 0
        elif page.why is Why.NOT_AT_BED:
            assert page.step == 1
        elif (page.at_ms, page.step) != (before.at_ms, before.step):
            assert page.step == before.step + 1, [(p.step, p.why) for p in pages(ward)]
        before = page
    # Nothing stalls: whatever has been said, the next page is promised within the longest wait there is ...
    alarm, count = ward.alarm("3", "spo2-low"), len(pages(ward))
    if alarm.state is ACTIVE:
        assert alarm.next_page_ms is not None
        assert alarm.next_page_ms - ward.now_ms <= HIGH.not_at_bed_ms
        # ... and comes then.
        ward.waits(seconds=HIGH.not_at_bed_ms / 1_000)
        assert len(pages(ward)) > count
    # Nobody is paged twice in one step.
    told_to = [(p.at_ms, p.step, p.to) for p in pages(ward)]
    assert len(told_to) == len(set(told_to))

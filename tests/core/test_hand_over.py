"""Who goes off duty leaves nothing behind: beds and open pages are the next one's in the same instant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.escalation import HIGH, Chain, Step
from monitor.model import (
    CLINIC,
    AlarmState,
    Bed,
    HandedOver,
    Outcome,
    PageOpened,
    PageOrdered,
    PageRecalled,
    Priority,
    Staff,
    Why,
)
from monitor.snapshot import AlarmNow, Snapshot
from tests.core.shift import Shift

ACTIVE, LATCHED = AlarmState.ACTIVE, AlarmState.LATCHED


def hands_over(ward: Shift, was: str, to: str) -> str | None:
    return ward._act(HandedOver(ward.now_ms, Staff(was), Staff(to), Staff(was)))


def falling() -> Shift:
    """Bed 3 falls below 85 and stays there; dana has been paged."""
    ward = Shift(("3", "4"))
    ward.hears("4", spo2=97, fresh_s=3_600)
    ward.hears("3", spo2=84, fresh_s=3_600)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"])
    return ward


@pytest.mark.shows("HZ-03")
def test_beds_and_open_pages_go_to_the_next_and_the_chain_keeps_its_time() -> None:
    ward = falling()
    ward.waits(seconds=10)
    assert hands_over(ward, "dana", "sam") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    assert (ward.page("sam").why, ward.page("sam").step) == (Why.HANDED_OVER, 0)
    assert ward.page("dana").over
    assert [r.text for r in ward.of(PageRecalled)] == ["Bed 3: somebody else has this now."]
    assert ward.accepts("dana") == "This page is over."
    duty = ward.snapshot().duty
    assert (duty.on, duty.beds) == (("sam", "lee", "ida"), (("3", "sam"), ("4", "sam")))
    assert (duty.set_by, duty.set_at_ms) == ("dana", ward.now_ms)
    ward.waits(seconds=19.9)
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    ward.waits(seconds=0.1)  # 30 s after the start of the alarm, not after the hand-over
    ward.shows("3", "spo2-low", ACTIVE, paged=["lee"])


def test_no_bed_is_nobodys_in_between() -> None:
    ward = falling()
    hands_over(ward, "dana", "sam")
    ward.waits(minutes=5)
    assert ward.find("3", "no-nurse-m") is None
    assert ward.find("4", "no-nurse-m") is None


def test_who_takes_over_answers_for_the_step_that_was_handed_over() -> None:
    ward = falling()
    hands_over(ward, "dana", "sam")
    ward.forget_pages()
    assert ward.rejects("sam") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["lee"])


def test_who_was_going_and_hands_over_goes_no_more() -> None:
    ward = falling()
    ward.accepts("dana")
    assert ward.alarm("3", "spo2-low").accepted_by == "dana"
    ward.waits(seconds=20)
    hands_over(ward, "dana", "sam")
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"], accepted_by=None)
    ward.waits(seconds=10)
    ward.shows("3", "spo2-low", ACTIVE, paged=["lee"])


def test_a_latched_alarm_is_handed_over_too_and_its_chain_still_stands() -> None:
    ward = falling()
    ward.hears("3", spo2=95, fresh_s=3_600)
    ward.waits(seconds=10)
    ward.shows("3", "spo2-low", LATCHED, paged=[])
    hands_over(ward, "dana", "sam")
    assert ward.page("sam").text == "Bed 3: *** SpO2 84 < 90. 95 now. Still look. Open Chairside."
    ward.forget_pages()
    ward.waits(seconds=60)
    ward.shows("3", "spo2-low", LATCHED, paged=[])


def test_a_restart_after_a_hand_over_pages_nobody_again() -> None:
    ward = falling()
    hands_over(ward, "dana", "sam")
    before = ward.snapshot()
    made = ward.restarts()
    assert not [e for e in made if isinstance(e, PageOrdered)]
    after = ward.snapshot()
    assert (after.duty, after.pages) == (before.duty, before.pages)
    ward.forget_pages()
    ward.rejects("sam")
    ward.shows("3", "spo2-low", ACTIVE, paged=["lee"])


def test_the_next_one_gets_no_second_page_of_an_alarm_they_have_been_paged_for() -> None:
    ward = falling()
    ward.waits(seconds=30)
    ward.shows("3", "spo2-low", ACTIVE, paged=["sam"])
    hands_over(ward, "dana", "sam")
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    assert [p.to for p in ward.snapshot().pages if not p.over] == ["sam"]


@pytest.mark.parametrize(
    ("was", "to", "why"),
    [
        ("dana", "dana", "Choose somebody else to hand over to."),
        ("dana", "bob", "bob is not in the staff list."),
        ("dana", "ida", "ida is no nurse: beds are handed over to a nurse."),
        ("bob", "sam", "bob is not on duty."),
    ],
)
def test_a_hand_over_that_makes_no_sense_is_refused_in_words(was: str, to: str, why: str) -> None:
    assert hands_over(Shift(), was, to) == why


def test_a_prescriber_hands_over_to_whom_they_like_for_they_have_no_beds() -> None:
    ward = Shift()
    assert hands_over(ward, "ida", "lee") is None
    assert ward.snapshot().duty.on == ("dana", "sam", "lee")


# A ladder of its own for one bed.


def test_a_bed_may_have_a_ladder_of_its_own() -> None:
    quick = Chain(
        (Step(0, ("assigned nurse",)), Step(5_000, ("everyone",))), HIGH.repeat_ms, HIGH.not_at_bed_ms
    )
    ward = Shift(("3", "4"), bed_chains={Bed("4"): {Priority.HIGH: quick}})
    ward.hears("3", spo2=84, fresh_s=3_600)
    ward.hears("4", spo2=84, fresh_s=3_600)
    ward.waits(seconds=6)
    paged = {bed: [p.to for p in ward.snapshot().pages if p.bed == bed] for bed in ("3", "4")}
    assert paged == {"3": ["dana"], "4": ["dana", "dana", "sam", "lee", "ida"]}


# Read.


def opens(ward: Shift, name: str, *, link: bool = False, by: str = "") -> str | None:
    page = ward.page(name)
    return ward._act(PageOpened(ward.now_ms, page.page_id, Staff(by or name), link))


@pytest.mark.shows("ALM-083")
def test_ALM_083_a_page_that_its_person_has_opened_has_been_read() -> None:
    ward = falling()
    ward.pages_arrive = False
    ward.waits(seconds=3)
    assert opens(ward, "dana") is None
    assert ward.page("dana").outcomes[-1] == ("screen", Outcome.READ, "", ward.now_ms)
    assert opens(ward, "dana") == "This page has been opened."
    assert opens(ward, "dana", by="sam") == "This page is somebody else's."


def test_a_link_opens_its_page_once_also_after_a_restart() -> None:
    ward = falling()
    assert opens(ward, "dana", link=True) is None
    assert opens(ward, "dana", link=True) == "This link has been used."
    ward.restarts()
    assert opens(ward, "dana", link=True) == "This link has been used."
    assert opens(ward, "dana") is None  # looking at it again is no secret


@pytest.mark.shows("ALM-083", "ALM-085")
def test_ALM_083_a_page_that_is_called_back_says_when() -> None:
    ward = falling()
    ward.waits(seconds=7)
    ward.acks("3", "spo2-low", by="sam")
    page = ward.page("dana")
    assert (page.over, page.over_at_ms) == (True, ward.now_ms)


@pytest.mark.shows("HZ-03")
def test_nobody_on_duty_is_a_high_before_any_step_of_a_chain() -> None:
    ward = Shift(people=())
    alarm = ward.alarm(CLINIC, "nobody-on-duty")
    assert (alarm.state, alarm.priority, alarm.text) == (ACTIVE, Priority.HIGH, "Nobody is on duty")
    ward.duty("sam", bed_3="sam")
    assert ward.alarm(CLINIC, "nobody-on-duty").state is LATCHED


def test_an_empty_clinic_may_have_nobody_on_duty() -> None:
    ward = Shift(people=(), occupied=False)
    ward.waits(minutes=5)
    assert ward.find(CLINIC, "nobody-on-duty") is None


def alarm_of(snapshot: Snapshot) -> AlarmNow:
    """The saturation of bed 3."""
    return next(alarm for alarm in snapshot.alarms if alarm.rule == "spo2-low")


MOVES = st.one_of(
    st.tuples(st.just("waits"), st.integers(1, 150)),
    st.tuples(st.sampled_from(["accepts", "rejects"]), st.sampled_from(["dana", "sam", "lee", "ida"])),
    st.tuples(st.just("hands over"), st.permutations(["dana", "sam", "lee", "ida"])),
)


@pytest.mark.shows("HZ-03")
@given(st.lists(MOVES, max_size=14))
@settings(deadline=None, max_examples=60)
def test_whoever_hands_over_to_whom_the_chain_of_a_high_never_stalls_and_a_restart_agrees(
    moves: list[tuple[str, Any]],
) -> None:
    ward = falling()
    for what, whom in moves:
        paged = {page.to for page in ward.snapshot().pages}
        if what == "waits":
            ward.waits(seconds=whom)
        elif what == "hands over":
            hands_over(ward, whom[0], whom[1])
        elif whom in paged:
            ward.accepts(whom) if what == "accepts" else ward.rejects(whom)
        alarm = ward.alarm("3", "spo2-low")
        assert alarm.state is ACTIVE
        assert alarm.next_page_ms is not None, "somebody is always next"
        duty = ward.snapshot().duty
        assert duty.on, "a hand-over leaves nobody behind"
        assert {bed for bed, _ in duty.beds} == {"3", "4"}
        assert all(nurse in duty.on for _, nurse in duty.beds)
        out = [(p.to, p.alarm_id) for p in ward.snapshot().pages if not p.over and p.why is Why.HANDED_OVER]
        assert len(out) == len(set(out)), "nobody has one page twice"
    before = ward.snapshot()
    ward.restarts()
    after = ward.snapshot()
    assert (after.duty, after.pages) == (before.duty, before.pages)
    assert ward.alarm("3", "spo2-low").next_page_ms == alarm_of(before).next_page_ms

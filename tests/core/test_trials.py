"""Whether a page reaches those on duty: test pages, what comes of them, and who says so before the drug."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.alerts.pagers.pager import forbidden
from monitor.alerts.roster import Duty, Person, has_prescriber
from monitor.alerts.trials import Terms
from monitor.alerts.words import TEST_OVER, TEST_PAGE
from monitor.model import (
    CLINIC,
    Accepted,
    AlarmState,
    DutySet,
    Outcome,
    PageOrdered,
    PageRecalled,
    PageReported,
    Priority,
    Staff,
    TrialAsked,
    Why,
)
from monitor.snapshot import Reach
from monitor.treatment import Move
from tests.core.shift import PEOPLE, Shift
from tests.core.treated import Treated, settings
from tests.core.visit import BED, DANA, KIM, LEE

ACTIVE, ACKED = AlarmState.ACTIVE, AlarmState.ACKED
HOUR_S = 3_600


def shift(**more: Any) -> Shift:
    """Four people on duty, an empty bed, and pages that are tried out."""
    usual: dict[str, Any] = {"occupied": False, "tests": Terms()}
    return Shift(**(usual | more))


def sends(ward: Shift, by: str = "lee") -> str | None:
    return ward._act(TrialAsked(ward.now_ms, Staff(by)))


def answers(ward: Shift, *names: str, by: str = "") -> None:
    for name in names:
        assert ward._act(Accepted(ward.now_ms, ward.page(name).page_id, Staff(by or name))) is None


def reached(ward: Shift) -> dict[str, tuple[Reach, int | None]]:
    test = ward.snapshot().duty.test
    assert test is not None
    return {one.staff: (one.reach, one.took_ms) for one in test.people}


def tried(ward: Shift) -> list[str]:
    return [page.to for page in ward.of(PageOrdered) if page.why is Why.TEST]


@pytest.mark.shows("ALM-082", "HZ-03")
def test_ALM_082_everybody_on_duty_is_paged_and_each_answer_is_timed() -> None:
    ward = shift()
    assert set(reached(ward).values()) == {(Reach.UNTESTED, None)}
    assert sends(ward) is None
    assert tried(ward) == ["dana", "sam", "lee", "ida"]
    assert set(reached(ward).values()) == {(Reach.WAITING, None)}
    ward.waits(seconds=8)
    answers(ward, "dana", "sam", "lee")
    ward.waits(seconds=4)
    answers(ward, "ida")
    assert reached(ward) == dict.fromkeys(("dana", "sam", "lee"), (Reach.ANSWERED, 8_000)) | {
        "ida": (Reach.ANSWERED, 12_000)
    }
    test = ward.snapshot().duty.test
    assert test is not None
    assert (test.asked_by, test.asked_at_ms) == ("lee", ward.now_ms - 12_000)
    ward.waits(minutes=10)
    assert ward.find(CLINIC, "test-failed-m") is None
    assert ward.of(PageRecalled) == []


@pytest.mark.shows("HZ-14")
def test_a_test_page_says_so_and_nothing_else() -> None:
    assert TEST_PAGE == "Clinic: Test page. Open Chairside."
    assert [forbidden(text) for text in (TEST_PAGE, TEST_OVER)] == [[], []]


@pytest.mark.shows("ALM-082", "HZ-03")
def test_a_test_that_nobody_answers_has_failed_and_is_called_back() -> None:
    ward = shift()
    sends(ward)
    ward.waits(seconds=119.9)
    assert ward.find(CLINIC, "test-failed-m") is None
    assert sends(ward) == "A test page is under way."
    ward.waits(seconds=0.1)
    alarm = ward.alarm(CLINIC, "test-failed-m")
    assert (alarm.state, alarm.priority, alarm.text) == (ACTIVE, Priority.MEDIUM, "The test page failed")
    assert {r.text for r in ward.of(PageRecalled)} == {TEST_OVER}
    assert set(reached(ward).values()) == {(Reach.UNANSWERED, None)}
    assert sends(ward) is None  # once more: while it is under way, it has not failed
    assert ward.find(CLINIC, "test-failed-m") is None


def test_one_who_does_not_answer_is_named_and_raises_nothing_while_others_are_reached() -> None:
    ward = shift()
    sends(ward)
    answers(ward, "dana", "sam", "lee")
    ward.waits(minutes=3)
    assert reached(ward)["ida"] == (Reach.UNANSWERED, None)
    assert ward.find(CLINIC, "test-failed-m") is None


@pytest.mark.shows("ALM-082", "HZ-03")
def test_a_test_page_that_no_way_takes_over_has_failed_at_once() -> None:
    ward = shift()
    ward.pages_arrive = False
    sends(ward)
    for name in ("dana", "lee", "ida"):
        ward.page_report(name, Outcome.SENT)
    late = ward.page("sam")
    ward.page_report("sam", Outcome.FAILED)
    assert reached(ward)["sam"] == (Reach.FAILED, None)
    assert ward.alarm(CLINIC, "test-failed-m").state is ACTIVE
    ward.feed(PageReported(ward.now_ms, late.page_id, "pager", Outcome.SENT))  # late, and there all the same
    assert ward.find(CLINIC, "test-failed-m") is None


def test_no_test_page_delivered_in_thirty_seconds_is_paging_down() -> None:
    ward = shift()
    ward.pages_arrive = False
    sends(ward)
    ward.waits(seconds=30)
    assert ward.alarm(CLINIC, "paging-down").priority is Priority.HIGH


@pytest.mark.shows("ALM-082")
def test_whoever_comes_on_duty_is_sent_a_test_page_and_nobody_else() -> None:
    ward = shift(people=("dana",))
    ward.duty("dana", "sam", bed_3="dana")
    assert tried(ward) == ["sam"]
    ward.duty("dana", "sam", bed_3="sam")
    assert tried(ward) == ["sam"]
    ward.duty("dana")
    ward.waits(minutes=1)
    ward.duty("dana", "sam")  # back: another shift
    assert tried(ward) == ["sam", "sam"]


def test_a_clinic_may_send_test_pages_only_when_asked() -> None:
    ward = shift(people=("dana",), tests=Terms(coming_on=False))
    ward.duty("dana", "sam")
    assert tried(ward) == []
    sends(ward)
    assert tried(ward) == ["dana", "sam"]


def test_a_real_page_that_is_answered_shows_as_much_as_a_test() -> None:
    ward = shift(occupied=True)
    ward.hears("3", spo2=84, fresh_s=HOUR_S)
    ward.waits(seconds=5)
    ward.accepts("dana")
    assert reached(ward)["dana"] == (Reach.ANSWERED, 5_000)


def test_an_answer_by_somebody_else_shows_nothing() -> None:
    ward = shift()
    sends(ward)
    answers(ward, "dana", by="lee")
    assert reached(ward)["dana"] == (Reach.UNTESTED, None)


def test_an_answer_counts_for_twelve_hours_and_a_restart_does_not_forget_it() -> None:
    ward = shift()
    sends(ward)
    answers(ward, "dana", "sam", "lee", "ida")
    before = ward.snapshot().duty
    ward.restarts()
    assert ward.snapshot().duty == before
    ward.waits(seconds=12 * HOUR_S - 1)
    assert reached(ward)["dana"][0] is Reach.ANSWERED
    ward.waits(seconds=1)
    assert reached(ward)["dana"][0] is Reach.UNTESTED


def test_with_nobody_on_duty_or_no_test_pages_there_is_nothing_to_send() -> None:
    assert sends(shift(people=())) == "Nobody is on duty. Set who is, then send the test page."
    plain = Shift(occupied=False)
    assert sends(plain) == "This clinic sends no test pages."
    assert plain.snapshot().duty.test is None


def test_a_test_page_is_of_no_alarm_and_moves_no_chain() -> None:
    ward = shift(occupied=True)
    ward.hears("3", spo2=84, fresh_s=HOUR_S)
    sends(ward)
    ward.forget_pages()
    assert ward.rejects("dana") is None
    ward.shows("3", "spo2-low", ACTIVE, paged=[])
    assert ward.accepts("sam") is None
    assert ward.alarm("3", "spo2-low").accepted_by is None


def treated() -> Treated:
    """A patient under the US label, before the drug."""
    return Treated(shift=Shift((BED, "4"), occupied=False, **(settings() | {"tests": Terms()})))


@pytest.mark.shows("ALM-082", "HZ-03")
def test_ALM_082_before_the_drug_every_screen_says_that_paging_is_not_tested() -> None:
    visit = treated()
    ward = visit.shift
    alarm = ward.alarm(CLINIC, "untested-l")
    assert (alarm.state, alarm.priority, alarm.text) == (ACTIVE, Priority.LOW, "Paging not tested this shift")
    assert not [p for p in ward.of(PageOrdered) if p.rule == "untested-l"], "LOW never pages"
    sends(ward)
    answers(ward, DANA)  # the nurse of the one bed that waits
    assert ward.find(CLINIC, "untested-l") is None


def test_it_never_stands_in_the_way_of_the_drug_and_is_over_once_that_is_given() -> None:
    visit = treated()
    visit.to_start()
    assert visit.shift.alarm(CLINIC, "untested-l").state is ACTIVE
    visit.does(visit.device(1))
    assert visit.shift.find(CLINIC, "untested-l") is None


@pytest.mark.shows("HZ-03")
@pytest.mark.parametrize(("therapy", "raised"), [("spravato_us", True), ("spravato_eu", False)])
def test_no_prescriber_on_site_is_a_medium_where_the_therapy_wants_one(therapy: str, *, raised: bool) -> None:
    visit = Treated(therapy)
    ward = visit.shift
    visit.to_start()
    ward._act(DutySet(ward.now_ms, (DANA, LEE), ((BED, DANA),), LEE))
    visit.waits(minutes=2)
    assert ward.find(BED, "no-prescriber-m") is None, "nothing has been given yet"
    visit.does(visit.device(1))
    visit.waits(minutes=2)
    assert (ward.find(BED, "no-prescriber-m") is not None) == raised
    if raised:
        assert ward.alarm(BED, "no-prescriber-m").text == "No prescriber on site"
        ward._act(DutySet(ward.now_ms, (DANA, LEE, KIM), ((BED, DANA),), LEE))
        assert ward.find(BED, "no-prescriber-m") is None


def test_a_prescriber_who_would_have_to_be_called_in_is_not_on_site() -> None:
    away = {Staff("ida"): Person(Staff("ida"), PEOPLE[Staff("ida")].role, on_site=False)}
    assert not has_prescriber(Duty((Staff("ida"),)), away)
    assert has_prescriber(Duty((Staff("ida"),)), PEOPLE)


@pytest.mark.shows("HZ-03")
def test_nobody_on_duty_is_a_high_before_the_drug_and_each_bed_a_medium_after() -> None:
    visit = treated()
    ward = visit.shift
    ward._act(DutySet(ward.now_ms, (), (), LEE))
    assert ward.alarm(CLINIC, "nobody-on-duty").state is ACTIVE
    ward._act(DutySet(ward.now_ms, (DANA, LEE, KIM), ((BED, DANA),), LEE))
    ward.acks(CLINIC, "nobody-on-duty", by=DANA)
    visit.doses()
    ward._act(DutySet(ward.now_ms, (), (), LEE))
    visit.waits(minutes=2)
    assert ward.find(CLINIC, "nobody-on-duty") is None
    assert ward.alarm(BED, "no-nurse-m").state is ACTIVE


def test_who_ends_before_the_drug_waits_for_it_no_more() -> None:
    visit = treated()
    ward = visit.shift
    assert ward.alarm(CLINIC, "untested-l").state is ACTIVE
    visit.steps(Move.ABORT, "has eaten")
    assert ward.find(CLINIC, "untested-l") is None


def test_who_has_no_pager_is_sent_nothing_and_duty_says_so() -> None:
    ward = shift(ways={Staff(name): ("pager",) for name in ("dana", "sam", "lee")})
    sends(ward)
    answers(ward, "dana", "sam", "lee")
    ward.waits(minutes=3)
    assert reached(ward)["ida"] == (Reach.NO_PAGER, None)
    assert ward.find(CLINIC, "test-failed-m") is None
    assert sends(shift(ways={})) == "Nobody on duty has a pager."


def test_whoever_has_seen_that_a_test_failed_is_left_alone_for_an_hour() -> None:
    ward = shift()
    sends(ward)
    ward.waits(minutes=2)
    ward.acks(CLINIC, "test-failed-m", by="lee")
    ward.waits(minutes=59)
    assert ward.alarm(CLINIC, "test-failed-m").state is ACKED
    ward.waits(minutes=1)
    assert ward.alarm(CLINIC, "test-failed-m").state is ACTIVE

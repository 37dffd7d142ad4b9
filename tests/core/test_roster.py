"""Who is on duty, and whom a step means."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.roster import Duty, has_nurse, meant
from monitor.model import Bed, Staff
from tests.core.shift import PEOPLE, Shift

BED, OTHER = Bed("3"), Bed("4")
ROLES = ("assigned nurse", "second nurse", "charge nurse", "prescriber", "everyone")


def duty(*on: str, **beds: str) -> Duty:
    """These are on, in this order; beds as `bed_3="dana"`."""
    return Duty(tuple(map(Staff, on)), {Bed(b.removeprefix("bed_")): Staff(n) for b, n in beds.items()})


ALL = duty("dana", "sam", "lee", "ida", bed_3="dana")


@pytest.mark.parametrize(
    ("to", "names"),
    [
        ("assigned nurse", ("dana",)),
        ("second nurse", ("sam",)),
        ("charge nurse", ("lee",)),
        ("prescriber", ("ida",)),
        ("everyone", ("dana", "sam", "lee", "ida")),
    ],
)
def test_each_step_means_its_people(to: str, names: tuple[str, ...]) -> None:
    assert meant(to, BED, ALL, PEOPLE) == names


def test_the_second_nurse_is_the_one_with_the_fewest_beds() -> None:
    busy = duty("dana", "sam", "lee", bed_3="dana", bed_4="sam", bed_5="sam", bed_6="lee")
    assert meant("second nurse", BED, busy, PEOPLE) == ("lee",)


def test_the_second_nurse_is_never_the_first() -> None:
    assert meant("second nurse", BED, duty("dana", "ida", bed_3="dana"), PEOPLE) == ()


def test_a_nurse_who_has_gone_home_is_not_meant() -> None:
    assert meant("assigned nurse", BED, duty("sam", bed_3="dana"), PEOPLE) == ()


def test_everyone_leaves_out_who_would_have_to_be_called_in() -> None:
    away = {**PEOPLE, Staff("ida"): replace(PEOPLE[Staff("ida")], on_site=False)}
    assert meant("everyone", BED, ALL, away) == ("dana", "sam", "lee")
    assert meant("prescriber", BED, ALL, away) == ("ida",)


def test_a_step_to_nobody_we_know_of_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nobody called 'the porter'"):
        meant("the porter", BED, ALL, PEOPLE)


@given(
    st.lists(st.sampled_from(list(PEOPLE)), unique=True),
    st.sampled_from([*PEOPLE, None]),
    st.sampled_from(ROLES),
)
def test_a_step_never_means_anybody_who_is_off_duty(on: list[Staff], assigned: Staff | None, to: str) -> None:
    some = Duty(tuple(on), {BED: assigned} if assigned else {})
    names = meant(to, BED, some, PEOPLE)
    assert set(names) <= set(on)
    assert len(set(names)) == len(names)


def test_a_bed_has_a_nurse_only_by_the_duty_list() -> None:
    assert has_nurse(BED, ALL, PEOPLE)
    assert not has_nurse(OTHER, ALL, PEOPLE)
    assert not has_nurse(BED, duty("ida", bed_3="ida"), PEOPLE)


@pytest.mark.parametrize(
    ("on", "beds", "why"),
    [
        (("bob",), {}, "bob is not in the staff list."),
        (("dana",), {"bed_9": "dana"}, "There is no bed 9."),
        (("dana",), {"bed_3": "sam"}, "sam has bed 3 but is not on duty."),
    ],
)
def test_a_duty_list_that_makes_no_sense_is_refused_in_words(
    on: tuple[str, ...], beds: dict[str, str], why: str
) -> None:
    assert Shift().duty(*on, **beds) == why


@pytest.mark.shows("HZ-03")
def test_an_occupied_bed_without_a_nurse_is_a_medium_after_a_minute_and_over_once_one_has_it() -> None:
    ward = Shift()
    ward.duty("sam")
    ward.waits(seconds=59)
    assert ward.find("3", "no-nurse-m") is None
    ward.waits(seconds=1)
    assert ward.alarm("3", "no-nurse-m").text == "No nurse on duty for this bed"
    assert [p.to for p in ward.snapshot().pages if p.rule == "no-nurse-m"] == ["sam"]
    ward.duty("sam", bed_3="sam")
    assert ward.find("3", "no-nurse-m") is None


def test_an_empty_bed_needs_no_nurse() -> None:
    ward = Shift(occupied=False)
    ward.duty("sam")
    ward.waits(minutes=5)
    assert ward.find("3", "no-nurse-m") is None


def test_the_duty_list_says_who_set_it_and_when() -> None:
    ward = Shift()
    ward.duty("sam", "lee", bed_3="sam")
    now = ward.snapshot().duty
    assert (now.on, now.beds, now.set_by, now.set_at_ms) == (
        ("sam", "lee"),
        (("3", "sam"),),
        "lee",
        ward.now_ms,
    )

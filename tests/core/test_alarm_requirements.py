"""Requirements on alarms that belong to no one room: what is never done, and what never changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.rules import RULES
from monitor.model import (
    AlarmMoved,
    AlarmState,
    CuffOrdered,
    CuffStopped,
    Outcome,
    PauseKind,
    Priority,
    Vital,
)
from tests.core.shift import Shift
from tests.safety.trace import SAFETY

BY_NAME = {rule.name: rule for rule in RULES}


@pytest.mark.shows("ALM-001", "HZ-08")
def test_nothing_that_staff_do_with_an_alarm_is_told_to_a_monitor() -> None:
    """All that ever goes to a device is the start and the end of a cuff: those two events, and no third."""
    ward = Shift()
    ward.hears("3", spo2=84, fresh_s=3_600)
    before = len(ward.events)
    assert ward.pauses("3", PauseKind.AUDIO, seconds=120) is None
    assert ward.pauses("3", PauseKind.ALARM, seconds=180, vital=Vital.SPO2) is None
    assert ward.acks("3", "spo2-low") is None
    assert ward.sets("3", "spo2-low", 85) is None
    ward.duty("dana", "lee")
    assert ward.discharges("3") is None
    assert len(ward.events) > before
    assert not [event for event in ward.events[before:] if isinstance(event, CuffOrdered | CuffStopped)]


@pytest.mark.shows("ALM-014", "HZ-13")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stays", "acks", "sets", "pauses"]),
            st.sampled_from([97, 91, 88, 84]),
            st.integers(1, 40),
        ),
        max_size=12,
    )
)
def test_no_alarm_ever_has_another_priority_and_no_unanswered_high_becomes_less(
    told: list[tuple[str, int, int]],
) -> None:
    ward = Shift()
    for act, spo2, seconds in told:
        match act:
            case "stays":
                ward.stays("3", seconds=seconds, spo2=spo2)
            case "acks" if ward.find("3", "spo2-low"):
                ward.acks("3", "spo2-low")
            case "sets":
                ward.sets("3", "spo2-low", 93 if seconds % 2 else 85)
            case "pauses":
                ward.pauses("3", PauseKind.ALARM, seconds=seconds, vital=Vital.SPO2)
    moves = ward.of(AlarmMoved)
    assert all(moved.priority is BY_NAME[moved.rule].priority for moved in moves)
    for moved in moves:
        if moved.priority is Priority.HIGH and moved.was is AlarmState.ACTIVE:
            assert moved.now in {AlarmState.ACKED, AlarmState.LATCHED}


@pytest.mark.shows("ALM-014")
def test_a_limit_that_is_moved_under_an_unanswered_high_leaves_it_to_be_looked_at() -> None:
    ward = Shift()
    ward.stays("3", seconds=12, spo2=88)
    assert ward.alarm("3", "spo2-low").state is AlarmState.ACTIVE
    ward.sets("3", "spo2-low", 85)
    ward.stays("3", seconds=8, spo2=88)
    assert ward.alarm("3", "spo2-low").state is AlarmState.LATCHED
    assert ward.discharges("3") is not None


@pytest.mark.shows("ALM-084")
def test_every_event_and_outcome_of_a_page_has_its_word_of_ihe() -> None:
    page = (SAFETY / "ihe.md").read_text(encoding="utf-8")
    events = (
        "AlarmMoved",
        "Acked",
        "PageOrdered",
        "PageChanged",
        "PageRecalled",
        "PageReported",
        "PageOpened",
    )
    for name in (*events, "Accepted", "Rejected", "HelpCalled", "Paused", "Resumed"):
        assert f"`{name}`" in page
    for outcome in Outcome:
        assert f"`{outcome.value}`" in page

"""What is kept of alarms that are over: whose they were, who answered, and the same after a restart."""

from __future__ import annotations

import pytest

from monitor.model import AlarmState, LinkState, PauseKind
from monitor.snapshot import AlarmNow
from monitor.ward import OVER_MAX
from tests.core.shift import Shift


def over(shift: Shift) -> list[AlarmNow]:
    return list(shift.snapshot().over)


def falls_and_comes_back(shift: Shift, bed: str = "3") -> None:
    """A saturation that raises LOW and MEDIUM, and is good again."""
    shift.stays(bed, seconds=40, spo2=91)
    shift.stays(bed, seconds=40, spo2=97)


def test_an_alarm_that_is_over_is_kept_as_it_was_last() -> None:
    shift = Shift()
    falls_and_comes_back(shift)
    kept = next(each for each in over(shift) if each.rule == "spo2-low-m")
    assert (kept.state, kept.text) == (AlarmState.CLEAR, "SpO2 91 < 92")
    assert kept.raised_at_ms is not None
    assert kept.over_at_ms is not None
    assert kept.since_ms < kept.raised_at_ms < kept.over_at_ms <= shift.now_ms
    session = shift.bed("3").session
    assert session is not None
    assert kept.session == session.session
    assert (kept.acked_by, kept.next_page_ms, kept.quiet, kept.quiet_by) == (None, None, None, None)


@pytest.mark.shows("ALM-093")
def test_who_acknowledged_stays_with_it_from_active_and_from_latched() -> None:
    shift = Shift()
    shift.stays("3", seconds=40, spo2=80)
    shift.acks("3", "spo2-low", by="sam")
    shift.stays("3", seconds=40, spo2=97)
    shift.stays("3", seconds=40, spo2=80)
    shift.stays("3", seconds=40, spo2=97)
    assert shift.alarm("3", "spo2-low").state is AlarmState.LATCHED
    shift.acks("3", "spo2-low", by="dana")
    assert [each.acked_by for each in over(shift) if each.rule == "spo2-low"] == ["sam", "dana"]


def test_an_alarm_that_never_sounded_is_no_history() -> None:
    shift = Shift()
    shift.stays("3", seconds=3, spo2=91)
    assert shift.alarm("3", "spo2-low-m").state is AlarmState.PENDING
    shift.stays("3", seconds=20, spo2=97)
    assert over(shift) == []


def test_a_pause_that_runs_when_it_ends_is_not_said_of_it_for_good() -> None:
    shift = Shift()
    shift.stays("3", seconds=40, spo2=91)
    shift.pauses("3", PauseKind.AUDIO, seconds=120)
    assert shift.alarm("3", "spo2-low-m").quiet is not None
    shift.stays("3", seconds=40, spo2=97)
    assert {each.quiet for each in over(shift)} == {None}


@pytest.mark.shows("ALM-047")
def test_a_restart_gives_the_same_list() -> None:
    shift = Shift(["3", "4"])
    falls_and_comes_back(shift, "3")
    falls_and_comes_back(shift, "4")
    shift.part("clock", ok=False)
    shift.waits(minutes=2)
    shift.part("clock", ok=True)
    shift.waits(minutes=2)
    before = {each.alarm_id: each for each in over(shift)}
    assert {each.bed for each in before.values()} == {"3", "4", ""}
    shift.restarts(after_s=5)
    after = {each.alarm_id: each for each in over(shift)}
    assert {alarm_id: after[alarm_id] for alarm_id in before} == before


def test_the_next_patient_begins_with_none_of_the_last_ones() -> None:
    shift = Shift(["3", "4"])
    falls_and_comes_back(shift, "3")
    falls_and_comes_back(shift, "4")
    assert shift.discharges("3") is None
    assert {each.bed for each in over(shift)} == {"4"}
    shift.admits("3", "B2")
    assert {each.bed for each in over(shift)} == {"4"}


def test_a_devices_alarm_from_before_this_patient_is_not_theirs() -> None:
    shift = Shift()
    shift.link("monitor-3", LinkState.DOWN)
    shift.waits(seconds=30)
    assert shift.alarm("3", "link-lost-m").session is not None
    assert shift.discharges("3") is None
    shift.waits(seconds=20)
    shift.admits("3", "B2")
    shift.link("monitor-3", LinkState.UP)
    shift.waits(seconds=30)
    whose = {each.rule: each.session for each in over(shift)}
    assert whose == {"link-lost-l": None, "link-lost-m": 2}, "the first was raised on an empty bed"


def test_no_bed_keeps_more_than_it_can_show() -> None:
    shift = Shift()
    for _ in range(OVER_MAX + 3):
        shift.part("loop", ok=False, since_s=10)
        shift.waits(seconds=1)
        shift.part("loop", ok=True)
        shift.waits(minutes=4)  # more often it would be one alarm that recurs
    kept = [each for each in over(shift) if each.bed == ""]
    assert len(kept) == OVER_MAX
    assert kept[-1].over_at_ms == max(each.over_at_ms or 0 for each in kept)

"""The two halves of the recorded patients, with nobody on both sides; and the two plain judges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.judges import Alarm, Verdict, delayed, naive
from benchmarks.recorded import Case, cases
from monitor.model import Priority
from monitor.planning import profile
from monitor.recording import Recording, Row
from tests.core.conftest import RECORDINGS

SLOW = ("hr-low", Priority.MEDIUM)


def recorded(rates: Sequence[float | None]) -> Recording:
    return Recording("case", tuple(Row(float(t), {"hr": rate}) for t, rate in enumerate(rates)), ("hr",))


def test_two_recordings_of_one_person_are_on_one_side() -> None:
    one, other = (Case(name, "s", Path(name), "person-7", 1.0, frozenset()) for name in ("a", "b"))
    assert one.reporting is other.reporting


def test_a_side_is_the_persons_own_and_stays() -> None:
    sides = [Case("a", "s", Path("a"), f"person-{n}", 1.0, frozenset()).reporting for n in range(8)]
    assert sides == [False, True, False, False, True, False, True, False]


@pytest.mark.recordings
def test_nobody_is_on_both_sides_and_both_have_every_source_of_several_people() -> None:
    every = cases(RECORDINGS)
    sides = [{case.group for case in every if case.reporting is side} for side in (False, True)]
    assert not sides[0] & sides[1]
    several = {one.source for one in every for other in every if one.group != other.group}
    for source in several - {"mimicwdb"}:
        assert {case.reporting for case in every if case.source == source} == {False, True}, source


@pytest.mark.parametrize(
    ("seconds", "at_once", "after_delay"), [(1, [10.0], []), (15, [10.0], []), (16, [10.0], [25.0])]
)
def test_naive_alarms_at_once_and_plain_delayed_after_the_delay(
    seconds: int, at_once: list[float], after_delay: list[float]
) -> None:
    recording = recorded([70.0] * 10 + [45.0] * seconds + [70.0] * 30)
    for judge, expected in ((naive, at_once), (delayed, after_delay)):
        said = judge(recording, profile("watch", {})).alarms
        assert [alarm.start_s for alarm in said if (alarm.condition, alarm.priority) == SLOW] == expected


def test_an_empty_cell_says_nothing_to_the_peers() -> None:
    recording = recorded([70.0] * 10 + [45.0] * 8 + [None] * 4 + [45.0] * 8 + [70.0])
    said = delayed(recording, profile("watch", {})).alarms
    assert [alarm.start_s for alarm in said if (alarm.condition, alarm.priority) == SLOW] == [25.0]


def test_an_alarm_for_whom_a_worse_one_of_its_cause_speaks_is_not_heard() -> None:
    high, medium, other = (
        Alarm("sbp-high", Priority.HIGH, 10, 50),
        Alarm("dbp-high", Priority.MEDIUM, 10, 50),
        Alarm("spo2-low", Priority.MEDIUM, 20, 30),
    )
    later = Alarm("dbp-high", Priority.MEDIUM, 60, 70)
    assert Verdict((high, medium, other, later)).heard == 3

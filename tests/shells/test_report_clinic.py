"""Alarms of the whole clinic in one session's record: listed, marked as the clinic's, and no patient's."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.model import (
    CLINIC,
    Acked,
    AlarmMoved,
    AlarmState,
    Cue,
    PageOrdered,
    Priority,
    Why,
)
from monitor.records.report import SessionReport
from monitor.store.journal import Entry
from tests.core.visit import DANA, MIN
from tests.shells.filed import SESSION, Filed, kept, nasal

pytestmark = pytest.mark.real

CLEAR, ACTIVE, ACKED = AlarmState.CLEAR, AlarmState.ACTIVE, AlarmState.ACKED


def alarm(
    number: int, rule: str, priority: Priority, at_ms: int, was: AlarmState, now: AlarmState
) -> AlarmMoved:
    """One move of an alarm of no bed."""
    cue = {ACTIVE: Cue.HELD, ACKED: Cue.ACK, CLEAR: Cue.END}[now]
    return AlarmMoved(at_ms, number, CLINIC, rule, priority, was, now, cue, at_ms, None, None)


async def told(folder: Path, *more: Entry) -> SessionReport:
    """A whole nasal session, with this beside it."""
    filed = Filed(nasal())
    filed.events = sorted((*filed.events, *more), key=lambda event: event.at_ms)
    async with kept(folder, filed) as reports:
        return await reports.session(SESSION)


@pytest.fixture(scope="module")
def opened_ms() -> int:
    """When the session was opened."""
    return Filed(nasal()).opened.at_ms


async def test_an_alarm_of_the_clinic_during_a_session_is_in_its_list_and_marked(
    tmp_path: Path, opened_ms: int
) -> None:
    down_ms = opened_ms + 30 * MIN
    made = await told(
        tmp_path,
        alarm(90, "paging-down", Priority.HIGH, down_ms, CLEAR, ACTIVE),
        PageOrdered(
            down_ms, 91, 90, CLINIC, "paging-down", Priority.HIGH, 0, DANA, Why.FIRST, "Paging does not work."
        ),
        Acked(down_ms + MIN, 90, DANA),
        alarm(90, "paging-down", Priority.HIGH, down_ms + MIN, ACTIVE, ACKED),
        alarm(90, "paging-down", Priority.HIGH, down_ms + 5 * MIN, ACKED, CLEAR),
    )
    (one,) = (each for each in made.alarms if each.clinic)
    assert (one.rule, one.priority, one.technical) == ("paging-down", Priority.HIGH, True)
    assert (one.raised_ms, one.acked_by, one.ended_ms) == (down_ms, "dana", down_ms + 5 * MIN)
    assert [page.to for page in one.pages] == ["dana"]
    assert not any(each.clinic for each in made.alarms if each.rule != "paging-down")
    said = [entry.words for entry in made.timeline if "of the whole clinic" in entry.words]
    assert len(said) == 3  # raised, seen, over


async def test_one_that_was_there_before_the_patient_came_is_there_from_its_own_beginning(
    tmp_path: Path, opened_ms: int
) -> None:
    before_ms = opened_ms - 20 * MIN
    made = await told(
        tmp_path,
        alarm(90, "not-recording", Priority.HIGH, before_ms, CLEAR, ACTIVE),
        alarm(92, "clock-drift-l", Priority.LOW, before_ms, CLEAR, ACTIVE),
        alarm(92, "clock-drift-l", Priority.LOW, opened_ms - MIN, ACTIVE, CLEAR),
    )
    (one,) = (each for each in made.alarms if each.clinic)
    assert (one.rule, one.raised_ms, one.ended_ms) == ("not-recording", before_ms, None)
    assert not [entry for entry in made.timeline if entry.at_ms < opened_ms]


async def test_what_is_owed_of_another_session_is_not_among_them(tmp_path: Path, opened_ms: int) -> None:
    owed_ms = opened_ms + 30 * MIN
    made = await told(tmp_path, alarm(90, "form-owed", Priority.HIGH, owed_ms, CLEAR, ACTIVE))
    assert not [each for each in made.alarms if each.clinic]


async def test_it_keeps_nobody_from_leaving_and_is_no_flag_of_the_patient(
    tmp_path: Path, opened_ms: int
) -> None:
    filed = Filed(nasal())
    assert filed.closed_ms is not None
    late = alarm(90, "paging-down", Priority.HIGH, filed.closed_ms - MIN, CLEAR, ACTIVE)
    made = await told(tmp_path, late)
    (quiet,) = (item for item in made.readiness if item.name == "quiet")
    assert quiet.holds
    assert opened_ms < late.at_ms

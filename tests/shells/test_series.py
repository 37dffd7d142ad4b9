"""Earlier sessions behind today's trace: only those of the same alias, and none of it is ever today's."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from monitor.earlier import CuffThen, Earlier, Response
from monitor.model import Admitted, Baseline, CuffTaken, SessionMoved, SessionPhase
from monitor.reporting.kept import NoSuchSessionError
from monitor.series import response
from monitor.treatment import BaselineTaken, Happening
from tests.core.visit import LEE, MIN, OTHER_BED
from tests.shells.played import OTHER_DIA, OTHER_SPO2, OTHER_SYS, Day, days, histories, stored

FIRST, OTHER, SECOND = Day(seed=12), Day(seed=13, alias="green-4"), Day(seed=12)
ALL = (FIRST, OTHER, SECOND)


async def earlier(folder: Path, session: int, *wanted: Day) -> Earlier:
    """What lies behind this session's trace."""
    async with stored(folder, *wanted) as store:
        return await histories(folder, store).earlier(session)


def measured(number: int) -> list[CuffTaken]:
    """The good cuff readings of one of `ALL`."""
    _, events = days(*ALL)[number]
    return [event for event in events if isinstance(event, CuffTaken) and event.cuff.systolic is not None]


async def test_behind_the_trace_lie_the_earlier_sessions_of_the_same_alias_and_no_other(
    tmp_path: Path,
) -> None:
    found = await earlier(tmp_path, 3, *ALL)
    assert (found.alias, found.why_not) == ("blue-17", None)
    assert [one.session for one in found.sessions] == [1]
    said = msgspec.json.encode(found).decode()
    green = {taken.cuff.systolic for taken in measured(1)}
    own = {taken.cuff.systolic for taken in measured(0)}
    shown = {cuff.systolic for one in found.sessions for cuff in one.cuffs}
    assert shown <= own
    assert green - own, "the other patient has pressures of their own"
    assert not (green - own) & shown
    assert "green-4" not in said
    assert "red-99" not in said
    assert not {OTHER_SYS, OTHER_DIA} & shown
    assert OTHER_SPO2 not in {minute.value for one in found.sessions for minute in one.spo2}


async def test_a_session_is_shown_as_it_was_by_the_minute_since_the_drug(tmp_path: Path) -> None:
    found = await earlier(tmp_path, 3, *ALL)
    (then,) = found.sessions
    visit, events = days(*ALL)[0]
    assert then.start_at_ms == visit.began_ms
    (taken,) = (event for event in events if isinstance(event, BaselineTaken))
    assert then.baseline == taken.baseline
    minutes = [minute.minute for minute in then.heart_rate]
    assert minutes == list(range(minutes[0], minutes[-1] + 1)), "it was measured throughout"
    assert minutes[0] < 0 < minutes[-1]
    assert all(50 < minute.value < 110 for minute in then.heart_rate)
    assert all(minute.value > 90 for minute in then.spo2)
    assert [(cuff.minute, cuff.systolic, cuff.diastolic) for cuff in then.cuffs] == [
        (round((taken.measured_at_ms - visit.began_ms) / MIN, 1), taken.cuff.systolic, taken.cuff.diastolic)
        for taken in measured(0)
    ]
    assert then.devices == 2
    assert then.ended_at_ms is not None


async def test_nothing_of_an_earlier_session_is_ever_among_todays(tmp_path: Path) -> None:
    alone = await earlier(tmp_path / "alone", 1, SECOND)
    among = await earlier(tmp_path / "among", 3, *ALL)
    again = await earlier(tmp_path / "again", 1, FIRST)
    assert alone.sessions == ()
    assert alone.why_not == "There is no earlier treatment of this patient."
    assert again.now == alone.now
    assert among.now is not None
    assert among.now.peak in {taken.cuff.systolic for taken in measured(2)}
    assert among.now != among.sessions[0].response


async def test_a_session_in_which_no_drug_was_given_is_no_earlier_treatment(tmp_path: Path) -> None:
    visit, _ = days(FIRST)[0]
    before_ms = visit.began_ms - 300 * MIN
    watch: list[Happening] = [
        Admitted(before_ms, OTHER_BED, "blue-17", Baseline(), "watch", None, LEE),
        SessionMoved(before_ms, -1, OTHER_BED, None, SessionPhase.WATCH, LEE),
        SessionMoved(before_ms + MIN, -1, OTHER_BED, SessionPhase.WATCH, SessionPhase.CLOSED, LEE),
    ]
    async with stored(tmp_path, FIRST, more=watch) as store:
        found = await histories(tmp_path, store).earlier(1)
    assert (found.sessions, found.why_not) == ((), "There is no earlier treatment of this patient.")


async def test_one_alias_at_two_beds_at_once_is_nobodys_history(tmp_path: Path) -> None:
    """F41: an alias that two people have would show one of them the other's pressures."""
    visit, _ = days(*ALL)[2]
    at_ms = visit.began_ms + 20 * MIN
    twin: list[Happening] = [
        Admitted(at_ms, OTHER_BED, "blue-17", Baseline(), "watch", None, LEE),
        SessionMoved(at_ms, 901, OTHER_BED, None, SessionPhase.WATCH, LEE),
    ]
    async with stored(tmp_path, *ALL, more=twin) as store:
        found = await histories(tmp_path, store).earlier(3)
    assert found.sessions == ()
    assert found.why_not == "Sessions 3 and 901 have this alias at the same time: it is not one person's."
    assert found.now is not None, "what is measured today is still today's"


async def test_an_alias_that_only_begins_alike_is_another(tmp_path: Path) -> None:
    near = (
        Day(seed=12, alias='blue-1"7'),
        Day(seed=13, alias="blue-1"),
        Day(seed=14, alias="blue-17 b"),
        FIRST,
    )
    found = await earlier(tmp_path, 4, *near)
    assert found.sessions == ()


async def test_a_session_that_does_not_exist_is_said_not_to(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSessionError):
        await earlier(tmp_path, 44, FIRST)


# The response.


def cuffs(*readings: tuple[float, float]) -> list[CuffThen]:
    """(minute, systolic) each."""
    return [CuffThen(minute, systolic, 70) for minute, systolic in readings]


def test_the_response_is_the_highest_rise_its_minute_and_how_long_it_was_above() -> None:
    found = response(120, cuffs((-5, 150), (0, 120), (20, 144), (40, 160), (60, 128), (80, 122)))
    assert (found.baseline, found.above) == (120, 144)
    assert (found.peak, found.peak_rise, found.peak_minute) == (160, 40, 40)
    # Over 144 from minute 20, where it is reached, to the minute 50 of the line from 160 to 128.
    assert found.minutes_above == pytest.approx(30)
    assert (found.returned_minute, found.still_above) == (60, False)


def test_it_has_returned_only_where_no_later_reading_is_above_again() -> None:
    found = response(100, cuffs((0, 100), (20, 130), (30, 110), (40, 125), (50, 118)))
    assert found.returned_minute == 50
    still = response(100, cuffs((0, 100), (20, 130)))
    assert (still.returned_minute, still.still_above) == (None, True)


def test_who_never_rose_never_came_back() -> None:
    found = response(120, cuffs((0, 118), (20, 125), (40, 119)))
    assert (found.peak_rise, found.minutes_above, found.returned_minute, found.still_above) == (
        5,
        0,
        None,
        False,
    )


def test_between_readings_that_are_far_apart_nothing_is_assumed() -> None:
    assert response(100, cuffs((0, 150), (31, 150))).minutes_above == 0
    assert response(100, cuffs((0, 150), (30, 150))).minutes_above == 30


@pytest.mark.parametrize(("baseline", "readings"), [(None, [(0, 120)]), (120, []), (120, [(-3, 140)])])
def test_without_a_baseline_or_a_reading_there_is_no_response(
    baseline: float | None, readings: list[tuple[float, float]]
) -> None:
    found = response(baseline, cuffs(*readings))
    assert found == Response(baseline, None, None, None, None, None, None, still_above=False)
    json.dumps(msgspec.to_builtins(found))

"""The ward keeps the law of a treatment: whatever is tried, in whatever order, with crashes in between."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Acked, AlarmState, Discharged, Priority, SessionMoved, SessionPhase
from monitor.treatment import Move, Phase, PhaseMoved, Signed, Symptom, SymptomNoted
from tests.core.test_session_property import STARTS, begun, closed_rightly, deeds, happens, leavings
from tests.core.treated import Treated
from tests.core.visit import BED, DANA, KIM, SHIPPED

more = st.one_of(
    deeds,
    deeds,
    deeds,
    st.tuples(st.just("acks")),
    st.tuples(st.just("discharges")),
    st.tuples(st.just("sign of danger"), st.booleans()),
    st.tuples(st.just("breathes"), st.sampled_from([84, 91, 98])),
)
"""What may happen beside the session's own acts: alarms, and somebody who tries the plain way out."""


@cache
def so_far(name: str, start: str) -> Treated:
    return begun(Treated(name), start)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("start", STARTS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tried=st.lists(more, max_size=8), last=leavings)
def test_no_order_of_acts_crashes_and_clock_steps_closes_without_floor_pressures_and_signature(
    name: str, start: str, tried: list[tuple[object, ...]], last: tuple[object, ...]
) -> None:
    visit = so_far(name, start).again()
    for deed in (*tried, last):
        befalls(visit, deed)
    closed_rightly(visit)
    ended_once(visit)


def befalls(visit: Treated, deed: tuple[object, ...]) -> None:
    match deed:
        case ("acks",):
            for alarm in visit.shift.snapshot().alarms:
                if alarm.state in {AlarmState.ACTIVE, AlarmState.LATCHED}:
                    visit.shift.feed(Acked(visit.now_ms, alarm.alarm_id, DANA))
        case ("discharges",):
            assert visit.shift.feed(Discharged(visit.now_ms, visit.number, KIM)) == []
        case ("sign of danger", bool() as over):
            visit.tries(
                SymptomNoted(visit.now_ms, 7, Symptom.CHEST_PAIN, False, over, visit.now_ms, DANA)  # noqa: FBT003
            )
        case ("breathes", int() as spo2):
            visit.sees(spo2=spo2)
        case _:
            happens(visit, deed)


def ended_once(visit: Treated) -> None:
    """A bed is empty from the moment its session closed, never before, and only with every HIGH answered."""
    ends = [e for e in visit.written if isinstance(e, PhaseMoved) and e.now is Phase.CLOSED]
    left = [m for m in visit.shift.of(SessionMoved) if m.now is SessionPhase.CLOSED]
    assert len(ends) == len(left)
    assert (visit.shift.bed(BED).session is None) is bool(ends)
    if ends:
        open_now = [a for a in visit.shift.snapshot().alarms if a.bed == BED and a.device is None]
        assert [a for a in open_now if a.priority is Priority.HIGH] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_right_way_closes_through_the_ward_with_a_crash_before_every_step(name: str) -> None:
    visit = so_far(name, "ready").again()
    visit.cuff(121, 76)
    visit.crashes()
    visit.tries(visit.sign())
    visit.crashes()
    visit.tries(visit.step(Move.CLOSE))
    visit.crashes()
    closed_rightly(visit)
    ended_once(visit)
    assert [e for e in visit.written if isinstance(e, Signed)]
    assert visit.shift.bed(BED).session is None

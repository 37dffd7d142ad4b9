"""Treatment sessions at the ward's own door: opened, acted upon, closed, and read back."""

from __future__ import annotations

import pytest

from monitor.model import Discharged, SessionPhase
from monitor.sessions.record import rebuilt
from monitor.treatment import Move, Phase
from monitor.ward import Ward
from tests.core.treated import Treated
from tests.core.visit import BED, DANA, SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_whole_session_through_the_ward(name: str) -> None:
    visit = Treated(name)
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED
    assert rebuilt(visit.therapy, visit.written) == visit.record
    assert visit.shift.bed(BED).session is None
    (closed,) = visit.shift.snapshot().closed
    assert (closed.session, closed.phase, closed.closed_by) == (visit.number, SessionPhase.CLOSED, DANA)


def test_a_treatment_is_not_closed_as_a_watch_is() -> None:
    visit = Treated()
    assert visit.shift.discharges(BED) == (
        "A treatment ends with its own step, Close session, once it is signed."
    )
    assert visit.shift.feed(Discharged(visit.now_ms, visit.number, DANA)) == []


def test_after_a_restart_it_is_the_same_session() -> None:
    visit = Treated()
    visit.to_decline()
    ward = Ward(visit.shift.plan)
    ward.restore(visit.shift.journal)
    known = ward.treatment(visit.number)
    assert known is not None
    assert known[0] == visit.record

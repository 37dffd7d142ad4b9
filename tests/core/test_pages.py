"""An ordinary session brings few pages: the nurse, patient and ward that the figure is measured with."""

from __future__ import annotations

from itertools import islice

import pytest

from benchmarks.pages import by_condition
from benchmarks.visits import Visit, plan
from monitor.model import Priority
from monitor.treatment import Phase
from simulators.ordinary import sessions
from tests.core.visit import SHIPPED

HOUSE = plan()


@pytest.mark.parametrize("therapy", SHIPPED)
def test_ordinary_sessions_end_signed_and_most_of_them_page_nobody(therapy: str) -> None:
    """Two thirds page nobody (`make bench`); that fewer than two of six do not is one chance in fifty."""
    done = []
    for who in islice(sessions("iv" if therapy.startswith("iv") else "esk", 45), 6):
        visit = Visit(therapy, who.patient, who.seed, age=45, whole=HOUSE)
        done.append(visit.run())
        known = visit.ward.treatment(visit.session)
        assert known is None or known[0].phase is Phase.CLOSED
    assert all(one.closed and one.dosed for one in done)
    assert sum(not one.pages for one in done) >= 2, by_condition(done)
    assert all(page.priority >= Priority.MEDIUM for one in done for page in one.pages), "LOW never pages"


def test_a_patient_whose_breath_is_slow_is_paged_about() -> None:
    """The measurement can fail: seed 11 breathes about ten times a minute, where MEDIUM begins."""
    who = next(one for one in sessions("esk", 45, 11) if one.seed == 11)
    made = Visit("spravato_us", who.patient, 11, age=45, whole=HOUSE).run()
    assert {page.rule for page in made.pages} == {"rr-low-m"}
    assert len(made.pages) > 3
    assert made.raised["rr-low-m", "MEDIUM"] >= len(made.pages)

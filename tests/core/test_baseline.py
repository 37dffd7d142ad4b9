"""Today's own normal: the median of valid readings, a third where two differ, and how old it is."""

from __future__ import annotations

import pytest

from monitor.model import Quality
from monitor.sessions.baseline import propose
from tests.core.visit import DANA, MIN, OTHER_BED, T0_MS, Visit


def visit_with(*readings: tuple[float, float]) -> Visit:
    visit = Visit()
    visit.to_baseline()
    visit.scores(moaas=5, oriented=3)
    for systolic, diastolic in readings:
        visit.cuff(systolic, diastolic)
        visit.waits(1)
    return visit


def proposed(visit: Visit) -> tuple[float | None, float | None, str]:
    found = propose(visit.record, visit.seen, visit.now_ms)
    return found.baseline.systolic, found.baseline.diastolic, "\n".join(found.missing)


def test_6_1_baseline_is_the_median() -> None:
    assert proposed(visit_with((120, 75), (126, 79))) == (123, 77, "")
    assert proposed(visit_with((120, 75), (140, 79), (124, 90))) == (124, 79, "")


@pytest.mark.parametrize(
    ("second", "third"), [((130, 75), False), ((131, 75), True), ((120, 85), False), ((120, 86), True)]
)
def test_6_1_two_that_differ_by_more_than_10_mmhg_want_a_third(
    second: tuple[float, float],
    third: bool,  # noqa: FBT001
) -> None:
    visit = visit_with((120, 75), second)
    missing = proposed(visit)[2]
    assert missing == ("The two readings differ by more than 10 mmHg: take a third." if third else "")
    if third:
        visit.cuff(121, 76)
        assert proposed(visit)[2] == ""


def test_6_1_fewer_than_2_valid_readings_are_no_baseline() -> None:
    visit = visit_with((120, 75))
    visit.cuff(None)
    visit.cuff(121, 75, quality=Quality.QUESTIONABLE)
    assert proposed(visit)[2] == "1 of 2 blood pressures, at least 1 min apart."


def test_a_reading_by_hand_counts_and_is_marked() -> None:
    visit = visit_with((120, 75))
    visit.cuff(124, 77, by=DANA)
    found = propose(visit.record, visit.seen, visit.now_ms)
    assert found.missing == ()
    assert found.cuffs[-1].by == DANA


def test_nothing_is_taken_from_an_earlier_visit_or_another_bed() -> None:
    visit = visit_with((120, 75))
    visit.cuff(150, 95, at_ms=T0_MS - 5 * MIN)
    visit.cuff(150, 95, bed=OTHER_BED)
    assert proposed(visit)[:2] == (120, 75)


def test_a_baseline_has_an_age() -> None:
    visit = visit_with((120, 75), (121, 75))
    visit.waits(7)
    assert propose(visit.record, visit.seen, visit.now_ms).age_ms(visit.now_ms) == 8 * MIN


def test_hr_spo2_and_rr_are_those_of_the_last_5_minutes() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.waits(6)
    visit.sees(hr=60, spo2=95, rr=12)
    visit.waits(5)
    own = propose(visit.record, visit.seen, visit.now_ms).baseline
    assert (own.heart_rate, own.spo2, own.respiration) == (60, 95, 12)


def test_a_baseline_is_from_before_the_drug() -> None:
    visit = visit_with((120, 75), (121, 75))
    visit.does(visit.device(1))
    visit.waits(1)
    visit.cuff(160, 99)
    assert visit.record.baseline is not None
    assert visit.record.baseline.baseline.systolic == 120.5
    assert proposed(visit)[0] == 120.5
    assert "is from before it" in visit.refused(visit.restart_baseline("again"))


def test_a_reading_of_after_the_start_is_no_baseline_however_late_the_start_is_entered() -> None:
    visit = visit_with((120, 75), (121, 75))
    visit.waits(5)
    visit.cuff(150, 95)
    visit.waits(1)
    visit.does(visit.device(1, ago=2))
    assert visit.record.baseline is not None
    assert visit.record.baseline.baseline.systolic == 120.5


def test_baseline_readings_follow_each_other_by_themselves() -> None:
    visit = visit_with()
    assert visit.cuff_in_min() is None
    visit.cuff(120, 75)
    assert visit.cuff_in_min() == 1
    visit.waits(1)
    visit.cuff(135, 75)
    assert visit.cuff_in_min() == 1
    visit.waits(1)
    visit.cuff(128, 75)
    assert visit.cuff_in_min() is None

"""One patient's treatment shows nothing of another's: no value, limit, score, alarm, trend or text (F41)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import (
    CLINIC,
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    LimitSet,
    Reading,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.treatment import (
    AdverseEvent,
    Flag,
    Move,
    Phase,
    Score,
    Scored,
    Symptom,
    SymptomNoted,
    TreatmentEvent,
    TreatmentNote,
)
from tests.core.shift import Shift
from tests.core.treated import Treated
from tests.core.treated import settings as clinic
from tests.core.visit import BED, DANA, KIM, MIN, OTHER_BED

# Values no other patient has: whoever finds one has found somebody else's.
SPO2, HR, RR, SYS, DIA, LIMIT = 83.25, 141.75, 35.5, 207.5, 117.25, 91.125
TRACE = re.compile("|".join([*map(re.escape, map(str, (SPO2, HR, RR, SYS, DIA, LIMIT))), "208/117", "VILMA"]))
NAMES = {"spo2": SPO2, "hr": HR, "rr": RR}


def traces(visit: Treated) -> list[str]:
    """Every trace of the last patient in what is known of this one, on any screen and in its session."""
    shift = visit.shift
    snapshot = shift.snapshot()
    here = next(bed for bed in snapshot.beds if bed.bed == visit.bed)
    alarms = [alarm for alarm in snapshot.alarms if alarm.bed in {visit.bed, CLINIC}]
    pages = [page for page in snapshot.pages if page.bed == visit.bed]
    over = [alarm for alarm in snapshot.over if alarm.bed == visit.bed]
    return TRACE.findall(repr((here, alarms, pages, over, visit.record, visit.seen)))


def very_ill(visit: Treated) -> None:
    """The last patient leaves a trace in everything that can hold one."""
    shift = visit.shift
    visit.does(visit.answer("opioids", yes=True, note="VILMA"))
    visit.to_baseline(opioids=True)
    visit.takes_baseline(SYS - 60, DIA - 30)
    for gate in ("bp-elevated", "vitals"):
        visit.tries(visit.override(f"gate:{gate}", "VILMA"))
    visit.does(visit.device(1, lot="VILMA"))
    shift.feed(LimitSet(visit.now_ms, BED, "spo2-low-m", LIMIT, "VILMA", KIM))
    shift.feed(VitalTyped(visit.now_ms, BED, Vital.RESPIRATION, RR, Staff("VILMA")))
    visit.does(visit.flag(Flag.MAOI, why="VILMA"))
    visit.does(visit.score(Score.MOAAS, 1, "VILMA"))
    visit.does(Scored(visit.now_ms, 7, Score.POSTURE, 2, visit.now_ms, DANA, "VILMA"))
    visit.does(
        SymptomNoted(visit.now_ms, 7, Symptom.CHEST_PAIN, True, False, visit.now_ms, DANA, "VILMA")  # noqa: FBT003
    )
    visit.does(TreatmentNote(visit.now_ms, 7, "VILMA", DANA))
    visit.does(AdverseEvent(visit.now_ms, 7, "VILMA", True, "VILMA", "VILMA", DANA))  # noqa: FBT003
    visit.sees(spo2=SPO2, hr=HR)
    visit.waits(1)
    visit.cuff(SYS, DIA)


def leaves(visit: Treated) -> None:
    """The last patient goes to hospital; a prescriber signs; whoever was called has looked."""
    visit.steps(Move.TRANSFER, "VILMA")
    for alarm in visit.shift.snapshot().alarms:
        if alarm.state in {AlarmState.ACTIVE, AlarmState.LATCHED}:
            visit.shift.feed(Acked(visit.now_ms, alarm.alarm_id, DANA))
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED


def turned_over(
    *, alias: str = "B2", was: str = "VILMA", empty_s: float = 5, crash: bool = False
) -> tuple[Treated, Treated]:
    """The last patient and the new one, on the same bed."""
    last = Treated(alias=was)
    very_ill(last)
    assert len(set(traces(last))) > 5, "the last patient left no trace to look for"
    leaves(last)
    last.shift.waits(seconds=empty_s)
    if crash:
        last.shift.restarts()
    return last, Treated(shift=last.shift, alias=alias)


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize(("was", "alias"), [("VILMA", "B2"), ("A1", "A1")])
def test_nothing_of_the_last_treatment_is_in_the_next(was: str, alias: str, crash: bool) -> None:  # noqa: FBT001
    last, new = turned_over(was=was, alias=alias, crash=crash)
    assert new.number == last.number + 1
    assert traces(new) == []
    fresh = Treated(alias=alias)
    assert new.record == replace(fresh.record, opened=new.opened, **_times(new))
    assert (new.seen.alarms, new.seen.quiet_since_ms) == ((), None)
    assert [one.by for one in new.seen.samples] == [None] * len(new.vitals)
    bed, other = new.shift.bed(BED), fresh.shift.bed(BED)
    assert (bed.limits, bed.pauses) == (other.limits, other.pauses)
    assert new.conditions() == ()


def _times(visit: Treated) -> dict[str, Any]:
    at_ms = visit.opened.at_ms
    return {
        "since_ms": at_ms, "entered": {Phase.CHECK_IN: at_ms}, "baseline_from_ms": at_ms, "last_ms": at_ms,
    }  # fmt: skip


def test_it_is_so_for_a_plain_watch_after_a_treatment_and_the_other_way_round() -> None:
    last = Treated(alias="VILMA")
    very_ill(last)
    leaves(last)
    last.shift.admits(BED, alias="B2")
    snapshot = last.shift.snapshot()
    assert TRACE.findall(repr((snapshot.beds, snapshot.alarms, snapshot.pages))) == []
    session = last.shift.bed(BED).session
    assert session is not None
    assert last.shift.ward.treatment(session.session) is None
    last.shift.stays(BED, seconds=20, spo2=SPO2)
    last.shift.acks(BED, "spo2-low")
    assert last.shift.discharges(BED) is None
    assert traces(Treated(shift=last.shift, alias="C3")) == []


def test_an_act_for_the_last_patient_does_not_reach_the_next() -> None:
    last, new = turned_over()
    before = new.written
    for act in (
        Scored(new.now_ms, last.number, Score.MOAAS, 0, new.now_ms, DANA, "VILMA"),
        SymptomNoted(new.now_ms, last.number, Symptom.SEIZURE, True, False, new.now_ms, DANA),  # noqa: FBT003
        last._ours(last.step(Move.EMERGENCY)),
    ):
        new.shift.feed(act)
    new.shift.feed(TreatmentNote(new.now_ms, last.number, "VILMA", DANA))  # its own session may still note it
    assert new.written == before
    assert traces(new) == []
    assert new.shift.find(BED, "emergency-sign") is None


def test_late_messages_of_the_last_patient_are_nobodys() -> None:
    _, new = turned_over()
    shift, before = new.shift, new.written
    for ago_s in (5.001, 6, 400):
        for late in (False, True):
            assert shift.feed(shift.reading(BED, "spo2", SPO2, ago_s=ago_s, late=late)) == []
        measured_ms = new.now_ms - round(ago_s * 1_000)
        taken = CuffTaken(new.now_ms, measured_ms, BED, Device("cuff-3"), Cuff(SYS, DIA))
        assert shift.feed(taken) == []
    assert traces(new) == []
    assert new.written == before


@pytest.mark.shows("HZ-06")
def test_what_a_device_of_another_bed_says_is_of_that_bed() -> None:
    last = Treated(alias="VILMA")
    new = Treated(shift=last.shift, bed=OTHER_BED, alias="B2")
    very_ill(last)
    assert traces(new) == []
    new.shift.feed(new.shift.reading(OTHER_BED, "spo2", 97, by="second"))  # another monitor is put on
    new.shift.feed(new.shift.reading(BED, "spo2", SPO2, by="second"))
    new.shift.feed(new.shift.reading(BED, "spo2", SPO2))
    assert traces(new) == []
    assert {one.device for one in new.seen.samples} <= {"monitor-4", "second-4"}


def test_a_patient_who_changes_beds_takes_nothing_along() -> None:
    last = Treated(alias="VILMA")
    very_ill(last)
    leaves(last)
    moved = Treated(shift=last.shift, bed=OTHER_BED, alias="VILMA-again")
    new = Treated(shift=last.shift, alias="B2")
    assert traces(new) == []
    assert set(traces(moved)) == {"VILMA"}  # its own alias
    assert moved.record.cuffs == []
    assert moved.record.baseline is None


def test_no_point_of_a_trend_and_no_event_of_the_next_session_is_the_last_patients() -> None:
    last, new = turned_over()
    new.to_start()
    told = new.written
    assert [e for e in told if isinstance(e, TreatmentEvent) and e.session != new.number] == []
    assert all(e.measured_at_ms >= new.opened.at_ms for e in told if isinstance(e, CuffTaken))
    assert all(one.at_ms >= new.opened.at_ms for one in new.seen.samples)
    assert [e for e in last.written if isinstance(e, TreatmentEvent) and e.session != last.number] == []


tries = st.lists(
    st.one_of(
        st.tuples(st.just("says"), st.sampled_from(["spo2", "hr", "rr"])),
        st.tuples(st.just("cuff"), st.booleans()),
        st.tuples(st.just("sets")),
        st.tuples(st.just("types")),
        st.tuples(st.just("scores"), st.sampled_from([0, 2, 4])),
        st.tuples(st.just("feels"), st.sampled_from(list(Symptom))),
        st.tuples(st.just("flags"), st.sampled_from(list(Flag))),
        st.tuples(st.just("waits"), st.sampled_from([1, 16, 130])),
        st.tuples(st.just("restarts")),
    ),
    max_size=12,
)
afters = st.lists(
    st.tuples(st.sampled_from(["spo2", "hr", "rr", "cuff", "failed cuff", "act"]), st.floats(0.001, 400)),
    max_size=10,
)


def do(visit: Treated, deed: tuple[Any, ...]) -> None:  # noqa: C901  a line a kind of deed
    shift, now_ms = visit.shift, visit.now_ms
    match deed:
        case ("says", name):
            for _ in range(3):
                shift.feed(shift.reading(BED, name, NAMES[name]))
                shift.waits(seconds=1)
        case ("cuff", good):
            visit.cuff(SYS if good else None, DIA)
        case ("sets",):
            shift.feed(LimitSet(now_ms, BED, "spo2-low-m", LIMIT, "VILMA", KIM))
        case ("types",):
            shift.feed(VitalTyped(now_ms, BED, Vital.RESPIRATION, RR, Staff("VILMA")))
        case ("scores", value):
            visit.tries(visit.score(Score.MOAAS, value, "VILMA"))
        case ("feels", symptom):
            visit.tries(SymptomNoted(now_ms, 7, symptom, False, False, now_ms, DANA, "VILMA"))  # noqa: FBT003
        case ("flags", flag):
            visit.tries(visit.flag(flag, why="VILMA"))
        case ("waits", seconds):
            shift.waits(seconds=seconds)
        case ("restarts",):
            visit.crashes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tries, afters, st.sampled_from([0, 1, 300]), st.booleans(), st.booleans())
def test_no_history_shows_the_last_patient_to_the_next(
    told: list[tuple[Any, ...]],
    after: list[tuple[str, float]],
    empty_s: float,
    crash: bool,  # noqa: FBT001  drawn
    same: bool,  # noqa: FBT001  drawn
) -> None:
    last = Treated(alias="A1" if same else "VILMA", shift=Shift((BED, "4"), occupied=False, **clinic()))
    for deed in told:
        do(last, deed)
    leaves(last)
    last.shift.waits(seconds=empty_s)
    if crash:
        last.shift.restarts()
    new = Treated(shift=last.shift, alias="A1" if same else "B2")
    shift, opened_ms, before = new.shift, new.now_ms, len(new.shift.events)
    for name, before_s in after:  # what was still on its way when the new patient came
        ago_s = before_s + (shift.now_ms - opened_ms) / 1_000
        if name == "act":
            shift.feed(Scored(shift.now_ms, last.number, Score.MOAAS, 0, shift.now_ms, DANA, "VILMA"))
        elif name in NAMES:
            shift.feed(shift.reading(BED, name, NAMES[name], ago_s=ago_s))
        else:
            taken = Cuff(SYS, DIA) if name == "cuff" else Cuff(None, None, why="VILMA")
            measured_ms = shift.now_ms - round(ago_s * 1_000) - 1
            shift.feed(CuffTaken(shift.now_ms, measured_ms, BED, Device("cuff-3"), taken))
    assert traces(new) == []
    made = shift.events[before:]
    assert [e for e in made if isinstance(e, Reading | CuffTaken)] == []
    assert all(
        m.since_ms >= opened_ms for m in made if isinstance(m, AlarmMoved) and m.bed == BED and not m.device
    )
    assert all(limit.set_by is None and limit.limit == limit.default for limit in shift.bed(BED).limits)
    assert new.conditions() == ()


def test_the_length_of_the_stay_is_the_patients_own() -> None:
    last, new = turned_over()
    assert last.record.start_ms is not None
    assert new.record.start_ms is None
    assert new.record.total_ms(new.now_ms + MIN) is None
    assert Bed(new.bed) == BED

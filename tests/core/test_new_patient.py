"""A new patient on a bed: nothing of the last one can be seen, heard or judged (ALM-090, F41)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import (
    AlarmMoved,
    AlarmState,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    PauseKind,
    Reading,
    Staff,
    Vital,
    VitalTyped,
)
from tests.core.shift import Shift

ACTIVE = AlarmState.ACTIVE

# Values no other patient has: whoever finds one has found somebody else's.
CANARY_SPO2, CANARY_HR, CANARY_TEMP, CANARY_SYS, CANARY_DIA, CANARY_LIMIT = (
    83.25,
    141.75,
    40.625,
    207.5,
    117.25,
    91.125,
)
CANARIES = (CANARY_SPO2, CANARY_HR, CANARY_TEMP, CANARY_SYS, CANARY_DIA, CANARY_LIMIT)
SEEN = re.compile(
    "|".join(re.escape(word) for word in [*map(str, CANARIES), "208/117", "83.2", "141.8", "LAST"])
)


def seen(shift: Shift) -> list[str]:
    """Every trace of the last patient on any screen of now; closed sessions are history and kept apart."""
    snapshot = shift.snapshot()
    now = (snapshot.beds, snapshot.alarms, snapshot.pages)
    return SEEN.findall(repr(now))


def ill(shift: Shift) -> None:
    """The last patient was very ill, with everything that leaves traces."""
    shift.sets("3", "spo2-low-m", CANARY_LIMIT, why="LAST")
    shift.pauses("3", PauseKind.AUDIO, seconds=120, why="LAST", vital=Vital.TEMPERATURE)
    shift.stays("3", seconds=20, spo2=CANARY_SPO2, hr=CANARY_HR, temp=CANARY_TEMP)
    shift.cuff("3", CANARY_SYS, CANARY_DIA)
    shift.feed(VitalTyped(shift.now_ms, Bed("3"), Vital.ETCO2, CANARY_TEMP, Staff("dana")))
    for alarm in shift.snapshot().alarms:
        if alarm.state is ACTIVE:
            shift.acks("3", alarm.rule)


def turned_over(alias: str = "B2") -> Shift:
    """The last patient goes, a new one comes."""
    shift = Shift(occupied=False)
    shift.admits("3", alias="LAST" if alias == "B2" else alias)
    ill(shift)
    assert len(set(seen(shift))) > 4, "the last patient left no trace to look for"
    assert shift.discharges("3") is None
    shift.waits(seconds=5)
    shift.admits("3", alias=alias)
    return shift


@pytest.mark.shows("ALM-090", "HZ-06")
def test_nothing_of_the_last_patient_is_on_any_screen() -> None:
    shift = turned_over()
    assert seen(shift) == []
    bed = shift.bed("3")
    assert (bed.vitals, bed.pauses) == ((), ())
    assert bed.cuff is not None
    assert (bed.cuff.cuff, bed.cuff.failed_at_ms, bed.cuff.running_since_ms) == (None, None, None)
    assert shift.snapshot().alarms == ()
    assert all(limit.set_by is None and limit.limit == limit.default for limit in bed.limits)


def test_the_same_alias_is_a_new_patient_all_the_same() -> None:
    shift = turned_over(alias="A1")
    assert shift.bed("3").vitals == ()
    assert [limit.limit for limit in shift.bed("3").limits if limit.rule == "spo2-low-m"] == [92]
    sessions = [shift.bed("3").session, *shift.snapshot().closed]
    assert [s.session for s in sessions if s] == [2, 1]


@pytest.mark.shows("HZ-06")
def test_a_late_reading_of_the_last_patient_is_nobodys() -> None:
    shift = turned_over()
    for ago_s in (5.001, 6, 20):
        late = shift.reading("3", "spo2", CANARY_SPO2, ago_s=ago_s, late=True)
        live = shift.reading("3", "spo2", CANARY_SPO2, ago_s=ago_s)
        assert shift.feed(late) == []
        assert shift.feed(live) == []
    assert seen(shift) == []


def test_a_cuff_measured_before_the_admission_is_nobodys() -> None:
    shift = turned_over()
    assert shift.cuff("3", CANARY_SYS, CANARY_DIA, ago_s=1) == []
    assert seen(shift) == []


def test_a_value_that_arrives_between_two_patients_is_nobodys() -> None:
    shift = Shift()
    shift.discharges("3")
    assert shift.feed(shift.reading("3", "spo2", CANARY_SPO2)) == []
    assert shift.cuff("3", CANARY_SYS, CANARY_DIA) == []
    shift.admits("3", alias="B2")
    assert seen(shift) == []


@pytest.mark.shows("ALM-090", "HZ-07")
def test_a_breach_of_the_last_patient_does_not_shorten_the_delay_of_the_new_one() -> None:
    shift = Shift()
    shift.stays("3", seconds=9, spo2=88)
    shift.discharges("3")
    shift.admits("3", alias="B2")
    shift.stays("3", seconds=9, spo2=88)
    alarm = shift.alarm("3", "spo2-low")
    assert alarm.state is AlarmState.PENDING
    session = shift.bed("3").session
    assert session is not None
    assert alarm.since_ms == session.opened_at_ms


def test_a_cuff_breach_of_the_last_patient_does_not_confirm_one_of_the_new() -> None:
    shift = Shift()
    shift.cuff("3", 172, 95)
    shift.discharges("3")
    shift.admits("3", alias="B2")
    shift.waits(seconds=30)
    shift.cuff("3", 172, 95)
    assert shift.alarm("3", "sbp-high-m").state is AlarmState.PENDING


def test_a_failed_cuff_of_the_last_patient_does_not_count_for_the_new() -> None:
    shift = Shift()
    shift.cuff("3", None)
    shift.discharges("3")
    shift.admits("3", alias="B2")
    shift.cuff("3", None)
    assert shift.find("3", "cuff-failed-m") is None


def test_the_last_patients_pages_are_not_shown_to_who_looks_after_the_new_one() -> None:
    shift = Shift()
    shift.hears("3", spo2=CANARY_SPO2)
    shift.acks("3", "spo2-low")
    shift.discharges("3")
    shift.admits("3", alias="B2")
    assert shift.snapshot().pages == ()


def test_it_is_so_after_a_restart_too() -> None:
    shift = turned_over()
    shift.restarts()
    assert seen(shift) == []
    assert shift.bed("3").vitals == ()
    assert shift.bed("3").pauses == ()


acts = st.lists(
    st.one_of(
        st.tuples(st.just("says"), st.sampled_from(["spo2", "hr", "temp"])),
        st.tuples(st.just("cuff"), st.booleans()),
        st.tuples(st.just("sets")),
        st.tuples(st.just("pauses"), st.sampled_from(PauseKind)),
        st.tuples(st.just("types")),
        st.tuples(st.just("waits"), st.sampled_from([1, 16, 130])),
        st.tuples(st.just("restarts")),
    ),
    max_size=12,
)
afters = st.lists(
    st.tuples(
        st.sampled_from(["spo2", "hr", "temp", "cuff", "failed cuff"]), st.floats(0.001, 400), st.booleans()
    ),
    max_size=10,
)
OF = {"spo2": CANARY_SPO2, "hr": CANARY_HR, "temp": CANARY_TEMP}


def do(shift: Shift, act: tuple[Any, ...]) -> None:
    """One thing that leaves a trace of the last patient."""
    match act:
        case ("says", name):
            for _ in range(3):
                shift.feed(shift.reading("3", name, OF[name]))
                shift.waits(seconds=1)
        case ("cuff", good):
            shift.cuff("3", CANARY_SYS if good else None, CANARY_DIA if good else None)
        case ("sets",):
            shift.sets("3", "spo2-low-m", CANARY_LIMIT, why="LAST")
        case ("pauses", kind):
            shift.pauses("3", kind, seconds=100, why="LAST")
        case ("types",):
            shift.feed(VitalTyped(shift.now_ms, Bed("3"), Vital.TEMPERATURE, CANARY_TEMP, Staff("dana")))
        case ("waits", seconds):
            shift.waits(seconds=seconds)
        case ("restarts",):
            shift.restarts(after_s=2)


@pytest.mark.shows("ALM-090", "HZ-06")
@settings(max_examples=120, deadline=None)
@given(acts, afters, st.sampled_from([0, 1, 300]))
def test_no_history_shows_the_last_patient_to_the_next(
    told: list[tuple[Any, ...]], after: list[tuple[str, float, bool]], empty_s: float
) -> None:
    shift = Shift(occupied=False)
    shift.admits("3", alias="LAST")
    for act in told:
        do(shift, act)
    for alarm in shift.snapshot().alarms:
        if alarm.priority.name == "HIGH" and alarm.state in {ACTIVE, AlarmState.LATCHED}:
            shift.acks(alarm.bed, alarm.rule)
    assert shift.discharges("3") is None
    shift.waits(seconds=empty_s)
    shift.admits("3", alias="B2")
    opened_ms, before = shift.now_ms, len(shift.events)
    for name, before_s, late in after:  # what was still on its way when the new patient came
        ago_s = before_s + (shift.now_ms - opened_ms) / 1_000
        if name in OF:
            shift.feed(shift.reading("3", name, OF[name], ago_s=ago_s, late=late))
        else:
            taken = Cuff(CANARY_SYS, CANARY_DIA) if name == "cuff" else Cuff(None, None, why="LAST")
            measured_ms = shift.now_ms - round(ago_s * 1_000) - 1
            shift.feed(CuffTaken(shift.now_ms, measured_ms, Bed("3"), Device("cuff-3"), taken))
        shift.waits(seconds=1 if late else 0)
    assert seen(shift) == []
    # No point of a trend, no alarm and no cuff of theirs comes out of the ward for the new session.
    made = shift.events[before:]
    assert [e for e in made if isinstance(e, Reading | CuffTaken)] == []
    patient = [m for m in made if isinstance(m, AlarmMoved) and m.value is not None]
    assert patient == []
    assert all(
        m.since_ms >= opened_ms for m in made if isinstance(m, AlarmMoved) and m.bed == "3" and not m.device
    )

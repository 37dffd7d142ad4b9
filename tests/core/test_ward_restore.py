"""A restart: the journal alone makes the same ward, decides nothing and pages nobody."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import (
    AlarmMoved,
    AlarmState,
    Bed,
    LinkState,
    Outcome,
    PageOrdered,
    PauseKind,
    Priority,
    Vital,
)
from monitor.snapshot import AlarmNow
from monitor.treatment import Happening
from monitor.ward import Ward
from tests.core.shift import WATCH, Shift, plan

ACTIVE, ACKED, LATCHED = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED
NAMES = ("dana", "sam", "lee", "ida")
RULES = ("spo2-low", "spo2-low-m", "rr-low", "rr-low-m", "hr-high", "sbp-high-m", "sbp-high", "link-lost")


def again(shift: Shift) -> Ward:
    """A ward that has only the journal."""
    ward = Ward(shift.plan)
    ward.restore(shift.journal)
    return ward


def known(ward: Ward, now_ms: int) -> dict[str, Any]:
    """What a restart must bring back: alarms, sessions, pauses, limits, duty, pages and what is due."""
    snapshot = ward.snapshot()
    return {
        "alarms": [_lasting(alarm) for alarm in snapshot.alarms],
        "sessions": [(bed.bed, bed.session) for bed in snapshot.beds],
        "closed": snapshot.closed,
        "cuffs": [replace(bed.cuff, running_since_ms=None) if bed.cuff else None for bed in snapshot.beds],
        "typed": [[v for v in bed.vitals if v.by] for bed in snapshot.beds],
        "pauses": [
            [p for p in bed.pauses if p.until_ms is None or p.until_ms > now_ms] for bed in snapshot.beds
        ],
        "limits": [bed.limits for bed in snapshot.beds],
        "duty": snapshot.duty,
        "pages": snapshot.pages,
        "parts": snapshot.parts,
        "unreported": ward.unreported(),
    }


def _lasting(alarm: AlarmNow) -> dict[str, Any]:
    """All of an alarm but what hangs on this very moment or on what a device says beside its numbers."""
    return {f.name: getattr(alarm, f.name) for f in fields(alarm) if f.name not in {"text", "quiet"}}


vitals = st.fixed_dictionaries(
    {},
    optional={
        "spo2": st.sampled_from([84.0, 88.0, 91.0, 93.0, 97.0, None]),
        "hr": st.sampled_from([0.0, 70.0, 150.0, None]),
        "rr": st.sampled_from([0.0, 7.0, 9.0, 14.0, None]),
        "pr_spo2": st.sampled_from([70.0, 150.0]),
    },
)
beds = st.sampled_from(["3", "4"])
names = st.sampled_from(NAMES)
acts = st.one_of(
    st.tuples(st.just("says"), beds, vitals, st.sampled_from([1, 6, 16, 31])),
    st.tuples(st.just("waits"), st.sampled_from([0.1, 5, 31, 130, 400])),
    st.tuples(st.just("cuff"), beds, st.sampled_from([None, 75.0, 120.0, 172.0, 205.0])),
    st.tuples(st.just("acks"), beds, st.sampled_from(RULES), names),
    st.tuples(st.just("accepts"), names),
    st.tuples(st.just("rejects"), names),
    st.tuples(st.just("reports"), names, st.sampled_from(list(Outcome))),
    st.tuples(st.just("pauses"), beds, st.sampled_from(PauseKind), st.sampled_from([None, Vital.SPO2])),
    st.tuples(st.just("sets"), beds, st.sampled_from([None, 87.0, 92.0])),
    st.tuples(st.just("duty"), st.lists(names, unique=True)),
    st.tuples(st.just("link"), beds, st.sampled_from([LinkState.UP, LinkState.DOWN])),
    st.tuples(st.just("part"), st.sampled_from(["journal", "paging"]), st.booleans()),
    st.tuples(st.just("discharges"), beds),
    st.tuples(st.just("admits"), beds),
    st.tuples(st.just("restarts"), st.sampled_from([0, 3, 90])),
)
histories = st.lists(acts, max_size=25)


def do(shift: Shift, act: tuple[Any, ...]) -> None:  # noqa: C901, PLR0912  one line a kind of act
    """One thing that happens on a shift."""
    match act:
        case ("says", bed, said, seconds):
            shift.stays(bed, seconds=seconds, **said)
        case ("waits", seconds):
            shift.waits(seconds=seconds)
        case ("cuff", bed, systolic):
            shift.cuff(bed, systolic, None if systolic is None else systolic * 0.6)
        case ("acks", bed, rule, name) if shift.find(bed, rule):
            shift.acks(bed, rule, name)
        case ("accepts", name) if _paged(shift, name):
            shift.accepts(name)
        case ("rejects", name) if _paged(shift, name):
            shift.rejects(name)
        case ("reports", name, outcome) if _paged(shift, name):
            shift.page_report(name, outcome)
        case ("pauses", bed, kind, vital):
            shift.pauses(bed, kind, seconds=100, vital=vital)
        case ("sets", bed, limit):
            shift.sets(bed, "spo2-low", limit)
        case ("duty", on):
            shift.duty(*on, **({"bed_3": on[0]} if on else {}))
        case ("link", bed, now):
            shift.link(f"monitor-{bed}", now)
        case ("part", part, ok):
            shift.part(part, ok=ok)
        case ("discharges", bed):
            shift.discharges(bed)
        case ("admits", bed):
            shift.admits(bed)
        case ("restarts", after_s):
            shift.restarts(after_s=after_s)


def _paged(shift: Shift, name: str) -> bool:
    return any(p.to == name for p in shift.snapshot().pages)


@pytest.mark.shows("ALM-047", "HZ-11")
@settings(max_examples=150, deadline=None)
@given(histories, st.booleans())
def test_replay_equals_live(told: list[tuple[Any, ...]], arrive: bool) -> None:  # noqa: FBT001  drawn
    live = Shift(("3", "4"))
    live.pages_arrive = arrive
    for act in told:
        do(live, act)
        live.waits(seconds=0)
    ward = again(live)
    assert known(ward, live.now_ms) == known(live.ward, live.now_ms)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_restart_pages_nobody_and_a_second_reading_gives_the_same_ward(told: list[tuple[Any, ...]]) -> None:
    live = Shift(("3", "4"))
    for act in told:
        do(live, act)
        live.waits(seconds=0)
    before = known(again(live), live.now_ms)
    assert known(again(live), live.now_ms) == before
    made = live.restarts(links_up=False)
    assert [e for e in made if isinstance(e, PageOrdered)] == []
    # Nothing that was loud is quiet: only what a link or a part of the service said of itself is asked anew.
    asked_anew = {"link-lost", "not-recording", "paging-down"}
    for moved in made:
        if (
            isinstance(moved, AlarmMoved)
            and moved.rule.removesuffix("-m").removesuffix("-l") not in asked_anew
        ):
            assert moved.now not in {AlarmState.CLEAR, LATCHED}, moved


def test_restore_decides_nothing() -> None:
    live = Shift()
    live.hears("3", spo2=84)
    journal = live.journal
    ward = Ward(live.plan)
    ward.restore(journal)
    assert [a.state for a in ward.snapshot().alarms] == [ACTIVE, AlarmState.PENDING, AlarmState.PENDING]
    assert len(ward.snapshot().pages) == 1


def test_after_a_restart_the_chain_goes_on_in_time() -> None:
    shift = Shift()
    shift.hears("3", spo2=84, fresh_s=3_600)
    shift.waits(seconds=10)
    due_ms = shift.alarm("3", "spo2-low").next_page_ms
    shift.restarts(after_s=5)
    assert shift.alarm("3", "spo2-low").next_page_ms == due_ms
    shift.forget_pages()
    shift.waits(seconds=14.9)
    shift.shows("3", "spo2-low", ACTIVE, paged=[])
    shift.waits(seconds=0.1)
    shift.shows("3", "spo2-low", ACTIVE, paged=["sam"])


@pytest.mark.shows("ALM-047", "HZ-11")
@pytest.mark.parametrize("state", [ACTIVE, ACKED, LATCHED])
def test_an_alarm_is_the_same_after_a_restart_and_ends_as_it_would_have(state: AlarmState) -> None:
    shift = Shift()
    shift.hears("3", spo2=84)
    if state is ACKED:
        shift.acks("3", "spo2-low")
    if state is LATCHED:
        shift.stays("3", seconds=7, spo2=97)
    before = shift.alarm("3", "spo2-low")
    shift.restarts()
    after = shift.alarm("3", "spo2-low")
    assert (after.alarm_id, after.state, after.since_ms, after.acked_by) == (
        before.alarm_id,
        state,
        before.since_ms,
        before.acked_by,
    )
    shift.stays("3", seconds=7, spo2=97)
    found = shift.find("3", "spo2-low")
    assert (found.state if found else None) is (None if state is ACKED else LATCHED)


def test_a_rate_that_was_missed_before_a_restart_is_missed_after_it() -> None:
    shift = Shift()
    shift.hears("3", spo2=97, hr=70)
    shift.stays("3", seconds=31, spo2=97)
    assert shift.alarm("3", "hr-gap-m").state is ACTIVE
    shift.restarts(after_s=2)
    shift.stays("3", seconds=5, spo2=97)
    assert shift.alarm("3", "hr-gap-m").state is ACTIVE
    shift.hears("3", hr=70)
    shift.waits(seconds=1)
    assert shift.find("3", "hr-gap-m") is None


def test_what_a_part_of_the_service_said_before_is_asked_anew() -> None:
    """A disk that is well again after a restart says so by saying nothing."""
    shift = Shift()
    shift.part("journal", ok=False)
    shift.waits(seconds=1)
    shift.restarts()
    alarm = shift.alarm("", "not-recording")
    assert alarm.state is LATCHED
    assert shift.snapshot().parts == ()


def test_no_time_is_counted_while_nobody_was_listening() -> None:
    """Ten minutes down are no ten minutes without a value: every gap begins with the start."""
    shift = Shift()
    shift.hears("3", spo2=97, hr=70)
    made = shift.restarts(after_s=600)
    assert [e for e in made if isinstance(e, AlarmMoved)] == []
    shift.waits(seconds=9.9)
    assert shift.snapshot().alarms == ()
    shift.waits(seconds=0.1)
    assert [a.rule for a in shift.snapshot().alarms] == ["spo2-gap-l"]


def test_a_bed_or_a_rule_that_the_clinic_has_no_more_does_not_keep_it_from_starting() -> None:
    shift = Shift(("3", "4"))
    shift.hears("4", spo2=84)
    shift.cuff("4", 172, 95)
    shift.pauses("4", PauseKind.AUDIO, seconds=60)
    shift.sets("4", "spo2-low", 87)
    shift.hears("3", spo2=84)
    renamed: list[Happening] = [
        replace(e, rule="spo2-below")
        if isinstance(e, AlarmMoved | PageOrdered) and e.rule == "spo2-low-m"
        else e
        for e in shift.journal
    ]
    ward = Ward(plan(("3",)))
    ward.restore(renamed)
    assert [(a.bed, a.rule) for a in ward.snapshot().alarms] == [("3", "spo2-low"), ("3", "spo2-low-l")]
    # No id is given again.
    highest = max(e.alarm_id for e in shift.journal if isinstance(e, AlarmMoved))
    made = ward.feed(shift.reading("3", "hr", 0))
    ids = [e.alarm_id for e in made if isinstance(e, AlarmMoved)]
    assert ids
    assert min(ids) > highest


def test_a_profile_that_was_taken_out_leaves_its_patient_watched() -> None:
    shift = Shift(profiles={"watch": WATCH, "old": WATCH}, occupied=False)
    shift.admits("3", profile="old")
    ward = Ward(plan())
    ward.restore(shift.journal)
    assert ward.bed_now(Bed("3")).limits
    made = ward.feed(shift.reading("3", "spo2", 84))
    assert [m.priority for m in made if isinstance(m, AlarmMoved) and m.now is ACTIVE] == [Priority.HIGH]

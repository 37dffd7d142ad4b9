"""No order of moves, crashes and clock steps closes a session without what it needs, or a decision."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Cuff, CuffTaken, Quality, Staff
from monitor.people import Role
from monitor.sessions.record import rebuilt
from monitor.treatment import (
    CheckFilled,
    Correctable,
    Corrected,
    DeviceGiven,
    DoseChecked,
    Kept,
    Move,
    Overridden,
    Phase,
    PhaseMoved,
    Score,
    Scored,
    Signed,
    Stepped,
    Struck,
    TreatmentNote,
    TreatmentOpened,
)
from tests.core.visit import BED, DANA, KIM, LEE, MIN, MONITOR, SHIPPED, Visit

WHATS = (
    "floor", "pressure:before", "pressure:check_40", "pressure:end", "pressure:final", "gate:bp-elevated",
    "item:pressure", "item:quiet", "item:awake", "item:steady", "item:signed",
)  # fmt: skip

people = st.sampled_from([DANA, LEE, KIM])
whys = st.sampled_from(["", "because"])
deciders = st.sampled_from([None, None, DANA, KIM])
leavings = st.tuples(st.just("leaves"), people, st.booleans(), st.sampled_from([None, -1, 0]), deciders)
agos = st.sampled_from([0, 0, 0, 3, 10, 12, -1])
deeds = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(list(Move)), people, whys, agos),
    st.tuples(st.just("device"), st.integers(1, 4), st.booleans(), st.sampled_from([0, 0, 5, 10])),
    st.tuples(st.just("sign"), people),
    st.tuples(st.just("decide"), st.sampled_from(WHATS), people, whys),
    st.tuples(st.just("decide"), st.just("floor"), people, whys),
    st.tuples(st.just("cuff"), st.sampled_from([118, 121, 124, 150, 190]), st.sampled_from([0, 0, 3, 45])),
    st.tuples(st.just("waits"), st.sampled_from([1, 5, 11, 36, 60, 121])),
    st.tuples(st.just("back"), st.integers(1, 90)),
    st.tuples(st.just("correct"), st.integers(-12, -1), st.sampled_from([None, 0, 1, 5]), people, whys),
    st.tuples(st.just("save")),
    st.tuples(st.just("dose"), people, people),
    st.tuples(st.just("well")),
    leavings,
    leavings,
    leavings,
    st.tuples(st.just("crash")),
)
"""What may be tried, in any order: most of it is refused, and none of it may lead to a wrong end."""

AnyVisit = TypeVar("AnyVisit", bound=Visit)

STARTS = ("check_in", "start", "doses", "missed", "recovery", "well", "ready")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("start", STARTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tried=st.lists(deeds, max_size=12))
def test_no_order_of_moves_crashes_and_clock_steps_closes_without_floor_pressures_and_signature(
    name: str, start: str, tried: list[tuple[object, ...]]
) -> None:
    visit = begun(Visit(name), start)
    for deed in tried:
        happens(visit, deed)
    closed_rightly(visit)


def begun(visit: AnyVisit, start: str) -> AnyVisit:
    """A session that has come so far in the right way; from there anything is tried."""
    name = visit.therapy.name
    match start:
        case "start":
            visit.to_start()
        case "doses":
            visit.doses()
        case "recovery" if name.startswith("iv"):
            visit.to_recovery()
        case "recovery":
            visit.to_decline()
        case "missed":
            visit.doses()
            visit.waits(100)
            visit.makes_ready()
        case "well":  # two minutes before the end of the least stay, and only that is missing
            visit.to_recovery() if name.startswith("iv") else visit.to_decline()
            visit.waits(44 if name.startswith("iv") else 69)
            visit.makes_ready()
        case "ready":
            visit.to_ready()
    return visit


def happens(visit: Visit, deed: tuple[object, ...]) -> None:  # noqa: C901, PLR0912  a line a kind of deed
    match deed:
        case ("move", Move() as move, str() as by, str() as why, int() as ago):
            visit.tries(visit.step(move, why, ago=ago, by=Staff(by)))
        case ("device", int() as number, bool() as last, int() as ago):
            visit.tries(visit.device(number, last=last, why="so", ago=ago))
        case ("sign", str() as by):
            visit.tries(visit.sign(Staff(by)))
        case ("decide", str() as what, str() as by, str() as why):
            visit.tries(visit.override(what, why, Staff(by)))
        case ("cuff", int() as systolic, int() as ago):
            visit.cuff(systolic, 76, at_ms=visit.now_ms - ago * MIN)
        case ("waits", int() as minutes):
            visit.sleeps(minutes)
        case ("back", int() as minutes):
            # An act that was stamped long before it came.
            at_ms = visit.now_ms - minutes * MIN
            visit.tries(Stepped(at_ms, 7, Move.CLOSE, at_ms, KIM, Role.PRESCRIBER))
        case ("correct", int() as place, int() | None as value, str() as by, str() as why):
            visit.tries(correction(visit, len(visit.record.events) + 1 + place, value, Staff(by), why))
        case ("save",):
            visit.tries(visit.save())
        case ("dose", str() as by, str() as second):
            visit.tries(DoseChecked(visit.now_ms, 7, 80, 0.5, 1, 60, "", Staff(by), Staff(second)))
        case ("well",):
            grows_well(visit)
        case ("leaves", str() as by, bool() as measured, int() | None as edge_s, str() | None as decides):
            if edge_s is not None:
                to_the_edge(visit, edge_s)
            if decides is not None:
                visit.tries(visit.override("floor", by=Staff(decides)))
            leaves(visit, Staff(by), measured=measured)
        case ("crash",):
            visit.crashes()
        case _:
            raise AssertionError(deed)


def correction(visit: Visit, entry: int, value: int | None, by: Staff, why: str) -> Corrected:
    """Something else in the place of an entry, of its own kind where it has one; nothing for no value."""
    wrong = visit.record.entry(entry)
    instead: Correctable | None = None
    if value is not None:
        instead = TreatmentNote(visit.now_ms, 7, "instead", by)
        if isinstance(wrong, Scored):
            instead = visit.score(wrong.score, value)
        elif isinstance(wrong, DeviceGiven):
            instead = visit.device(wrong.number, lot=f"24B{value}")
    return Corrected(visit.now_ms, 7, entry, instead, why, by)


def leaves(visit: Visit, by: Staff, *, measured: bool) -> None:
    """Everything that ends a session, one after the other, in the same moment."""
    visit.tries(visit.step(Move.TO_READY, by=by))
    if measured:
        visit.cuff(121, 76)
    visit.tries(visit.sign(by))
    visit.tries(visit.step(Move.CLOSE, by=by))


def to_the_edge(visit: Visit, by_s: int) -> None:
    """A moment before the end of the least stay as the protocol has it, or at it, if it is still to come."""
    nasal = visit.therapy.course == "nasal"
    from_ms = visit.record.last_device_ms if nasal else visit.record.end_ms
    visit.sleeps_until((from_ms or 0) + (120 if nasal else 60) * MIN + by_s * 1_000)


def grows_well(visit: Visit) -> None:
    """All that the list asks for of pressures and judgements, in whatever phase; a quarter of an hour."""
    values = dict.fromkeys((Score.GAIT, Score.ESCORT, Score.SUICIDE_CHECK, Score.DRIVING), 1)
    values |= {Score.MOAAS: 5, Score.ORIENTED: 3, Score.DISSOCIATION: 0, Score.NAUSEA: 0}
    values |= {Score.INSTRUCTIONS: 1, Score.LINE_OUT: 1, Score.POSTURE: 2}
    for minutes in (0, 11):
        visit.sleeps(minutes)
        visit.cuff(122, 76)
    visit.sleeps(1)
    for score, value in values.items():
        visit.tries(visit.score(score, value, "Robin"))
    visit.sleeps(1)
    visit.cuff(118, 76)
    visit.tries(visit.score(Score.POSTURE, 1))


def closed_rightly(visit: Visit) -> None:
    """What must be true of a journal in which a session was closed, told from the events alone."""
    events: Sequence[Kept] = visit.written
    steps = [event for event in events if isinstance(event, PhaseMoved)]
    ends = [moved for moved in steps if moved.now is Phase.CLOSED]
    assert len(ends) <= 1
    if not ends:
        return
    (end,) = ends
    decided = {
        event.what
        for event in events
        if isinstance(event, Overridden) and event.why.strip() and event.role is Role.PRESCRIBER
    }
    signed = {event.by: event.role for event in events if isinstance(event, Signed)}
    assert Role.PRESCRIBER in signed.values() or len(signed) >= 2
    struck = [place for place, event in enumerate(events) if isinstance(event, Struck)]
    signatures = [place for place, event in enumerate(events) if isinstance(event, Signed)]
    assert not struck or signatures[-1] > struck[-1], "what was corrected was signed again"
    # A corrected lot is a second entry of the same device.
    by_number = {event.number: event for event in events if isinstance(event, DeviceGiven)}
    given = [by_number[number] for number in sorted(by_number)]
    begun_ms = [moved.done_at_ms for moved in steps if moved.move is Move.START] + [
        g.done_at_ms for g in given
    ]
    if end.was is Phase.ABORTED_BEFORE_DOSE:
        assert not begun_ms
        return
    if end.was is Phase.TRANSFERRED:
        (gone,) = [moved for moved in steps if moved.now is Phase.TRANSFERRED]
        assert gone.why.strip()
        assert not begun_ms or Role.PRESCRIBER in signed.values()
        return
    assert begun_ms
    least_ms, from_ms = floor_of(visit, given, steps)
    assert from_ms is None or end.at_ms - from_ms >= least_ms or "floor" in decided
    assert (
        any(taken.measured_at_ms <= min(begun_ms) for taken in cuffs(events)) or "pressure:before" in decided
    )
    ready_ms = max(moved.done_at_ms for moved in steps if moved.now is Phase.READY)
    assert any(taken.measured_at_ms >= ready_ms for taken in cuffs(events)) or "pressure:final" in decided
    if given:
        for one, two in pairwise(given):
            assert two.done_at_ms - one.done_at_ms >= 5 * MIN
        checks = [event for event in events if isinstance(event, CheckFilled)]
        saved = [one for check in checks for one in check.filled if one.item == "nibp"]
        assert saved or "pressure:check_40" in decided
        for pressure in saved:
            first_ms, last_ms = given[0].done_at_ms, given[-1].done_at_ms
            assert first_ms + 35 * MIN <= pressure.at_ms <= last_ms + 45 * MIN


def floor_of(
    visit: Visit, given: Sequence[DeviceGiven], steps: Sequence[PhaseMoved]
) -> tuple[int, int | None]:
    """The least stay and since when it counts, said by hand and not by the program."""
    match visit.therapy.name:
        case "spravato_us":
            return 120 * MIN, given[-1].done_at_ms
        case "iv_ketamine_40":
            ended = [m.done_at_ms for m in steps if m.move is Move.END]
            begun_ms = next(m.done_at_ms for m in steps if m.move is Move.START)
            stopped = [m.done_at_ms for m in steps if m.move is Move.STOP and m.done_at_ms >= begun_ms]
            return 60 * MIN, min(ended + stopped)
        case _:
            return 0, None


def cuffs(events: Sequence[Kept]) -> list[CuffTaken]:
    return [event for event in events if isinstance(event, CuffTaken) and event.cuff.quality is Quality.VALID]


# The property is worth its name only if ends are reached, and found when they are wrong.


@pytest.mark.parametrize("name", SHIPPED)
def test_the_right_way_closes_and_is_found_right(name: str) -> None:
    visit = Visit(name)
    visit.closes()
    visit.crashes()
    assert visit.phase() is Phase.CLOSED
    closed_rightly(visit)


@pytest.mark.parametrize("left_out", [Signed, CheckFilled, CuffTaken])
def test_a_wrong_end_would_be_found(left_out: type[Kept]) -> None:
    visit = Visit()
    visit.closes()
    visit.events = [event for event in visit.events if not isinstance(event, left_out)]
    with pytest.raises(AssertionError):
        closed_rightly(visit)


def test_an_end_before_the_floor_would_be_found() -> None:
    visit = Visit()
    visit.closes()
    early = [e for e in visit.events if not (isinstance(e, PhaseMoved) and e.now is Phase.CLOSED)]
    device = next(e for e in reversed(early) if isinstance(e, DeviceGiven))
    end = PhaseMoved(
        device.done_at_ms + 120 * MIN - 1, 7, Move.CLOSE, Phase.READY, Phase.CLOSED, Phase.CLOSED,
        device.done_at_ms + 120 * MIN - 1, KIM,
    )  # fmt: skip
    visit.events = [*early, end]
    with pytest.raises(AssertionError):
        closed_rightly(visit)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_step_is_an_event_with_who_and_when(name: str) -> None:
    visit = Visit(name)
    visit.closes()
    for event in visit.events:
        assert event.at_ms >= visit.opened.at_ms
        if isinstance(event, PhaseMoved) and event.by is None:
            assert event.move in {Move.WINDOW, Move.MISSED, Move.LATER}
        elif not isinstance(event, CuffTaken) and hasattr(event, "by"):
            assert event.by
    assert isinstance(visit.events[0], TreatmentOpened)


def test_a_session_begins_with_its_opening_and_only_once() -> None:
    visit = Visit()
    with pytest.raises(ValueError, match="begins with its opening"):
        rebuilt(visit.therapy, [])
    with pytest.raises(ValueError, match="is open already"):
        rebuilt(visit.therapy, [visit.opened, visit.opened])


def test_a_failed_cuff_and_one_of_another_patient_leave_no_trace() -> None:
    visit = Visit()
    nothing = Cuff(None, None, why="leak")
    visit._keep(CuffTaken(visit.now_ms, visit.now_ms, BED, MONITOR, nothing))
    assert visit.record.cuffs == []
    assert Score.MOAAS not in visit.record.scores
    visit._keep(Scored(visit.now_ms, 7, Score.MOAAS, 5, visit.now_ms, DANA))
    assert visit.record.value(Score.MOAAS) == 5

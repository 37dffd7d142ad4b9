"""Readings that come as a table lead to exactly what they lead to one by one, whatever stands at the bed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import inbox as inboxes
from monitor.inbox import Inbox
from monitor.model import (
    Bed,
    Device,
    PartMoved,
    Quality,
    Reading,
    Readings,
    Vital,
)
from monitor.treatment import Happening
from tests.core.shift import T0_MS, VITALS, Shift

BED = Bed("3")


def table(
    at_ms: int,
    *,
    by: str = "monitor",
    late: bool = False,
    times_ms: tuple[int, ...] | None = None,
    **columns: list[float],
) -> Readings:
    """A table as a reader makes it: all rows at one time unless said otherwise."""
    rows = len(next(iter(columns.values())))
    times = times_ms or (at_ms,) * rows
    return Readings(
        times[-1],
        BED,
        Device(f"{by}-{BED}"),
        tuple(VITALS[name] for name in columns),
        times,
        tuple(tuple(column) for column in columns.values()),
        tuple(900_000 if name == "temp" else 10_000 for name in columns),
        late,
    )


def singly(events: list[Happening]) -> list[Happening]:
    return [one for event in events for one in (event.each() if isinstance(event, Readings) else (event,))]


def test_a_quiet_table_goes_through_in_one_piece_and_its_last_row_stands() -> None:
    shift = Shift()
    quiet = table(shift.now_ms, spo2=[97, 98, 96], hr=[70, 71, 72])
    assert shift.ward.feed(quiet) == [quiet]
    now = shift.ward.vital_now(BED, Vital.SPO2)
    assert now is not None
    assert (now.value, now.at_ms) == (96, shift.now_ms)


def test_one_severe_value_in_the_middle_is_heard() -> None:
    shift = Shift()
    made = shift.ward.feed(table(shift.now_ms, spo2=[97, 97, 75, 97]))
    other = Shift()
    apart = [e for one in table(other.now_ms, spo2=[97, 97, 75, 97]).each() for e in other.ward.feed(one)]
    assert singly(made) == apart
    assert len(apart) > 4


def test_what_was_measured_before_the_session_is_nobodys() -> None:
    shift = Shift()
    opened_ms = T0_MS
    times = tuple(opened_ms + 1_000 * at for at in range(-3, 3))
    for late in (True, False):
        mixed = table(times[-1], late=late, times_ms=times, spo2=[90.0, 91, 92, 97, 96, 98])
        (kept,) = Shift().ward.feed(mixed)
        assert isinstance(kept, Readings)
        assert kept.columns == ((97, 96, 98),)
        assert kept.times_ms == times[3:]
    assert shift.ward.feed(table(0, late=True, times_ms=times[:3], spo2=[90, 91, 92])) == []
    assert Shift(occupied=False).ward.feed(table(T0_MS, spo2=[97])) == []


def test_late_rows_are_kept_and_judged_by_nobody() -> None:
    shift = Shift()
    shift.waits(seconds=60)
    history = table(
        0, late=True, times_ms=tuple(shift.now_ms - 30_000 + 100 * at for at in range(3)), spo2=[75, 75, 75]
    )
    assert shift.ward.feed(history) == [history]
    assert shift.ward.vital_now(BED, Vital.SPO2) is None


SPO2 = st.sampled_from([98.0, 97, 95, 91, 89, 86, 84, 79, 70])
RATE = st.sampled_from([70.0, 72, 110, 131, 151, 45, 39])
TEMP = st.sampled_from([36.6, 38.6, 39.5])
PI = st.sampled_from([4.9, 0.3])
OF = {"spo2": SPO2, "hr": RATE, "pr_spo2": RATE, "temp": TEMP, "pi": PI, "rr": st.sampled_from([14.0, 7, 31])}


@dataclass(frozen=True)
class Step:
    """So long a wait, then this table, from this device, some of it late; before it a reading of its own."""

    wait_ms: int
    by: str
    columns: dict[str, list[float]]
    late: bool
    spread_ms: int
    single: tuple[str, float | None] | None


@st.composite
def steps(draw: st.DrawFn) -> Step:
    names = draw(st.lists(st.sampled_from(sorted(OF)), min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(1, 8))
    calm = draw(st.booleans())
    columns = {
        name: [draw(OF[name])] * rows if calm else draw(st.lists(OF[name], min_size=rows, max_size=rows))
        for name in names
    }
    return Step(
        draw(st.sampled_from([0, 500, 1_000, 4_000, 11_000, 40_000])),
        draw(st.sampled_from(["monitor", "monitor", "second"])),
        columns,
        draw(st.integers(0, 5)) == 0,
        draw(st.sampled_from([0, 0, 0, 250, 3_000])),
        draw(
            st.none() | st.tuples(st.sampled_from(["spo2", "hr", "pr_spo2"]), st.sampled_from([None, 70.0]))
        ),
    )


@settings(deadline=None)
@given(st.lists(steps(), min_size=1, max_size=12))
def test_a_table_leads_to_what_its_readings_lead_to(history: list[Step]) -> None:
    together, apart = Shift(), Shift()
    for step in history:
        rows = len(next(iter(step.columns.values())))
        for shift in (together, apart):
            shift.waits(seconds=step.wait_ms / 1_000)
            if step.single is not None:
                shift.feed(shift.reading(BED, *step.single, by=step.by))
        first_ms = together.now_ms - step.spread_ms * (rows - 1)
        told = table(
            0,
            by=step.by,
            late=step.late,
            times_ms=tuple(first_ms + step.spread_ms * at for at in range(rows)),
            **step.columns,
        )
        made = singly(together.ward.feed(told))
        assert made == [event for one in told.each() for event in apart.ward.feed(one)]
        assert together.ward.snapshot() == apart.ward.snapshot()
        assert together.ward.due_ms() == apart.ward.due_ms()


def reading(at_ms: int) -> Reading:
    return Reading(at_ms, BED, Device("m"), Vital.SPO2, 97.0, Quality.VALID, None, at_ms + 10_000)


def test_an_inbox_counts_the_readings_within_and_lets_the_oldest_go() -> None:
    rows = inboxes.READINGS_MAX // 10
    inbox = Inbox()
    part = PartMoved(T0_MS, "loop", ok=False, why="late", since_ms=T0_MS)
    inbox.put(reading(T0_MS))
    inbox.put(part)
    tables = [table(T0_MS + at, spo2=[97.0] * rows) for at in range(11)]
    for one in tables[:9]:
        inbox.put(one)
    assert inbox.dropped == 0
    for one in tables[9:]:
        inbox.put(one)
    assert inbox.dropped == 1 + rows
    assert asyncio.run(inbox.take(0)) == [part, *tables[1:]]
    inbox.put(tables[0])
    assert inbox.dropped == 1 + rows, "what was taken does not wait any more"

"""Stored sessions as a service stores them: simulated patients through the real ward, one a day at one bed.

Everything the ward said is in the journal and everything that was measured in the trends. At the other bed
somebody else lies all the while, whose numbers nobody at this one has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from benchmarks.visits import LIMITS, Visit, plan
from monitor.config.settings import Clinic
from monitor.devices.codecs import DRIVERS
from monitor.model import (
    Admitted,
    Baseline,
    Cuff,
    CuffTaken,
    Device,
    Quality,
    Reading,
    SessionMoved,
    SessionPhase,
    Vital,
    VitalTyped,
)
from monitor.series import Histories
from monitor.store.opening import Store, open_store
from monitor.treatment import Happening
from monitor.whatif.door import WhatIfs
from simulators.ordinary import drawn
from simulators.patient import Patient
from simulators.scenario import Bend
from tests.core.visit import LEE, MIN, OTHER_BED
from tests.shells.filed import clinic

MONITOR4 = Device("monitor4")
ELSEWHERE = 0
"""The number of the session at the other bed, which was opened before all others: numbers only rise."""
OTHER_SPO2, OTHER_SYS, OTHER_DIA = 87.0, 213.0, 121.0
"""What only the other patient has: both raise HIGH alarms wherever they are judged."""

LOW_SPO2 = Bend(
    signal="spo2",
    at_min=20,
    mode="at most",
    points=((0, 93), (10, 90.8), (200, 90.8), (210, 93)),
    then_tau_s=5,
)
"""Three minutes at about 91: MEDIUM under 92, and nothing at a limit of 90."""


@dataclass(frozen=True, slots=True)
class Day:
    """One session to be played: under what, who, and as whom."""

    therapy: str = "spravato_us"
    seed: int = 12
    alias: str = "blue-17"
    low: bool = False
    """SpO2 goes down to 91 for three minutes."""


@cache
def days(*wanted: Day) -> tuple[tuple[Visit, tuple[Happening, ...]], ...]:
    """These sessions, a day apart in one ward; sessions are numbered from 1."""
    house, before, made = plan(), None, []
    for number, day in enumerate(wanted):
        drug = "iv" if day.therapy.startswith("iv") else "esk"
        story = drawn("iv" if drug == "iv" else "esk", 45)
        story = msgspec.structs.replace(story, bend=(LOW_SPO2,) if day.low else ())
        patient = Patient(story, day.seed, session=number)
        before = Visit(
            day.therapy, patient, day.seed, age=45, whole=house, after=before, alias=day.alias, keep=True
        )
        assert before.run().closed
        made.append((before, tuple(before.made.events)))
    return tuple(made)


@asynccontextmanager
async def stored(folder: Path, *wanted: Day, more: Sequence[Happening] = ()) -> AsyncIterator[Store]:
    """A store with these sessions, and the neighbour's; `more` is in the journal, too."""
    played = days(*wanted)
    events = [event for _, events in played for event in events]
    readings = [event for event in events if isinstance(event, Reading)]
    first, last = events[0].at_ms, events[-1].at_ms
    beside: list[Happening] = [
        Admitted(first - MIN, OTHER_BED, "red-99", Baseline(), LIMITS, None, LEE),
        SessionMoved(first - MIN, ELSEWHERE, OTHER_BED, None, SessionPhase.WATCH, LEE),
        CuffTaken(first, first, OTHER_BED, MONITOR4, Cuff(OTHER_SYS, OTHER_DIA)),
    ]
    readings += [
        Reading(at_ms, OTHER_BED, MONITOR4, Vital.SPO2, OTHER_SPO2, Quality.VALID, None, at_ms + 10_000)
        for begins_ms in {visit.began_ms for visit, _ in played}
        for at_ms in range(begins_ms, min(begins_ms + 60 * MIN, last), 5_000)
    ]
    store = await open_store(folder, None, retention_days=36_500)
    try:
        for each in (*readings, *(event for event in events if isinstance(event, CuffTaken | VitalTyped))):
            store.trends.put(each)
        told = sorted((*events, *beside, *more), key=lambda event: event.at_ms)
        await store.journal.append(told, 0)
        await store.journal.written()  # where the disk is slow it waits, and is written all the same
        assert store.journal.recording
        assert await store.trends.flush()
        yield store
    finally:
        await store.close()


def settings(folder: Path) -> Clinic:
    """The settings of the clinic whose sessions these are."""
    return clinic(folder)


def what_ifs(folder: Path, store: Store) -> WhatIfs:
    """The door of what-if on this store."""
    return WhatIfs(settings(folder), DRIVERS, store.journal, store.trends, lambda: _end_ms(store))


def histories(folder: Path, store: Store) -> Histories:
    """The door of earlier sessions on this store."""
    return Histories(settings(folder), store.journal, store.trends, lambda: _end_ms(store))


def _end_ms(store: Store) -> int:
    return (store.journal.last_at_ms or 0) + 1

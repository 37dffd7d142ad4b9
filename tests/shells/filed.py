"""Whole sessions written down by the real store, as the service would: the visit, the readings, the alarms.

The visit goes through the real session (`tests/core/visit.py`). Beside it a monitor measures once a second,
is lost for three minutes and loses the finger for a minute and a half; one SpO2 alarm is raised, paged, seen
and over. Other patients were at the bed before and after, and lie at another bed meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.config.settings import Clinic
from monitor.model import (
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Baseline,
    Bed,
    Cue,
    Cuff,
    CuffNotTaken,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    Device,
    LimitSet,
    LinkMoved,
    LinkState,
    Outcome,
    PageOrdered,
    PageReported,
    PartMoved,
    Paused,
    PauseKind,
    Priority,
    Quality,
    Reading,
    ServiceStarted,
    SessionMoved,
    SessionPhase,
    Vital,
    VitalTyped,
    Why,
)
from monitor.reporting.door import Reports
from monitor.store.journal import Entry
from monitor.store.opening import open_store
from monitor.treatment import (
    AdverseEvent,
    Flag,
    Move,
    Phase,
    PhaseMoved,
    Symptom,
    TreatmentNote,
)
from tests.core.visit import BED, DANA, KIM, LEE, MIN, MONITOR, OTHER_BED, T0_MS, Visit

SESSION = 7
OTHER_ALIAS = "red-99"
OTHER_SPO2, OTHER_SYS = 86.31, 176.9
"""What only other patients have."""

CLINIC = {
    "clinic": {"name": "Harbour clinic", "zone": "Europe/Berlin"},
    "bed": [{"name": "3", "place": "By the window"}, {"name": "4"}],
    "device": [
        {"name": "monitor3", "driver": "masimo-ascii1", "link": "/dev/ttyUSB3", "bed": "3"},
        {"name": "monitor4", "driver": "masimo-ascii1", "link": "/dev/ttyUSB4", "bed": "4"},
    ],
    "staff": [
        {"name": "dana", "role": "nurse"},
        {"name": "lee", "role": "nurse"},
        {"name": "kim", "role": "prescriber"},
    ],
}


def clinic(folder: Path) -> Clinic:
    """The settings of the clinic whose records these are."""
    data = {**CLINIC, "clinic": {**CLINIC["clinic"], "data_dir": folder}}  # type: ignore[dict-item]
    return Clinic.model_validate(data)


def nasal(alias: str = "blue-17", note: str = "Calm, music on.") -> Visit:
    """A nasal session with all that can be said of one."""
    visit = Visit("spravato_us", devices=2, alias=alias)
    visit.waits(2)
    visit.to_baseline(benzodiazepines=True)
    visit.takes_baseline(124, 78)
    visit.waits(1)
    visit.does(visit.device(1, lot="24B1-0337"))
    visit.waits(5)
    visit.does(visit.device(2, lot="24B1-0337"))
    visit.waits(15)
    visit.scores(moaas=4, dissociation=1)
    visit.cuff(139, 88)
    visit.symptom(Symptom.DIZZINESS)
    visit.does(TreatmentNote(visit.now_ms, SESSION, note, DANA))
    visit.waits(20)
    visit.cuff(146, 92)
    visit.scores(moaas=4, dissociation=1)
    visit.does(visit.save())
    visit.waits(20)
    visit.cuff(141, 87)
    visit.does(visit.flag(Flag.SLEEP_APNOEA, why="told so by the escort"))
    visit.waits(15)
    visit.scores(moaas=5, dissociation=0)
    visit.symptom(Symptom.DIZZINESS, over=True)
    visit.cuff(133, 83)
    visit.does(
        AdverseEvent(
            visit.now_ms,
            SESSION,
            "Felt sick, no vomiting",
            serious=False,
            outcome="over",
            related="yes",
            by=DANA,
        )
    )
    visit.waits(20)
    visit.cuff(None, None, quality=Quality.MISSING)
    visit.waits(1)
    visit.cuff(129, 81)
    until_ms = visit.record.floor_until_ms()
    assert until_ms is not None
    visit.waits((until_ms - visit.now_ms) / MIN - 12)
    visit.makes_ready()
    visit.steps(Move.TO_READY)
    visit.cuff(121, 77)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    return visit


def infusion() -> Visit:
    """An infusion, from check-in to the signed record."""
    visit = Visit("iv_ketamine_40")
    visit.closes()
    return visit


class Filed:
    """One session and what was kept beside it; `events` in the order in which they were told."""

    def __init__(self, visit: Visit) -> None:
        """Tell it, with what the ward made of it."""
        self.visit = visit
        self.opened = visit.opened
        self.start_ms = visit.record.start_ms
        self.closed_ms = next(
            (one.at_ms for one in visit.events if isinstance(one, PhaseMoved) and one.now is Phase.CLOSED),
            None,
        )
        self.silent_ms = (self.opened.at_ms + 70 * MIN, self.opened.at_ms + 73 * MIN)
        self.probe_off_ms = (self.opened.at_ms + 50 * MIN, self.opened.at_ms + 50 * MIN + 90_000)
        self.low_ms = self.opened.at_ms + 45 * MIN
        self.without: frozenset[Vital] = frozenset()
        """Vitals that no device measures here."""
        self.typed: list[VitalTyped] = []
        self.events = sorted(
            (*self._opening(), *visit.events[1:], *self._ward(), *self._closing()),
            key=lambda event: event.at_ms,
        )

    def _opening(self) -> Sequence[Entry]:
        opened = self.opened
        return (
            Admitted(opened.at_ms, BED, opened.alias, Baseline(), "watch", None, DANA),
            opened,
            SessionMoved(opened.at_ms, SESSION, BED, None, SessionPhase.WATCH, DANA),
        )

    def _closing(self) -> Sequence[Entry]:
        if self.closed_ms is None:
            return ()
        return (
            SessionMoved(self.closed_ms, SESSION, BED, SessionPhase.WATCH, SessionPhase.CLOSED, DANA),
            PageReported(self.closed_ms + 2_000, 40, "console", Outcome.READ),
        )

    def _ward(self) -> Sequence[Entry]:
        """An alarm with its page, a lost link, a limit, a pause, a part of the service that was not well."""
        low, silent = self.low_ms, self.silent_ms
        rule, state = "spo2-low-m", AlarmState
        lost, dead = "nothing for 10 s", silent[0] + 20_000

        def moved(at_ms: int, was: AlarmState, now: AlarmState, cue: Cue) -> AlarmMoved:
            return AlarmMoved(at_ms, 30, BED, rule, Priority.MEDIUM, was, now, cue, low, 91.0, 92.0)

        def gone(at_ms: int, was: AlarmState, now: AlarmState, cue: Cue) -> AlarmMoved:
            return AlarmMoved(
                at_ms, 31, BED, "link-lost-m", Priority.MEDIUM, was, now, cue, silent[0], None, None,
                "", MONITOR,
            )  # fmt: skip

        return (
            LimitSet(self.opened.at_ms + 40 * MIN, BED, rule, 92.0, "always a little low", KIM),
            LimitSet(self.opened.at_ms + 80 * MIN, BED, rule, None, "awake again", KIM),
            Paused(low + 40_000, BED, PauseKind.AUDIO, None, low + 100_000, "at the bed", DANA, 5),
            CuffOrdered(self.opened.at_ms + 66 * MIN, BED, MONITOR, CuffWhy.SCHEDULED),
            CuffNotTaken(self.opened.at_ms + 67 * MIN, BED, MONITOR, CuffWhy.SCHEDULED, "arm moved"),
            moved(low, state.CLEAR, state.PENDING, Cue.ONSET),
            moved(low + 15_000, state.PENDING, state.ACTIVE, Cue.HELD),
            PageOrdered(
                low + 15_000, 40, 30, BED, rule, Priority.MEDIUM, 0, DANA, Why.FIRST,
                "Bed 3: ** SpO2 91 < 92. Open Chairside.",
            ),
            PageReported(low + 16_000, 40, "console", Outcome.DELIVERED),
            Accepted(low + 25_000, 40, DANA),
            Acked(low + 45_000, 30, DANA),
            moved(low + 45_000, state.ACTIVE, state.ACKED, Cue.ACK),
            moved(low + 120_000, state.ACKED, state.CLEAR, Cue.END),
            LinkMoved(silent[0] + 10_000, MONITOR, LinkState.UP, LinkState.SILENT, lost, silent[0]),
            gone(silent[0] + 10_000, state.CLEAR, state.ACTIVE, Cue.HELD),
            PartMoved(dead, "paging", ok=False, why="the gateway does not answer", since_ms=dead),
            PartMoved(dead + MIN, "paging", ok=True, why="", since_ms=dead + MIN),
            LinkMoved(silent[1], MONITOR, LinkState.SILENT, LinkState.UP, "", silent[1]),
            gone(silent[1], state.ACTIVE, state.CLEAR, Cue.END),
        )  # fmt: skip

    def readings(self) -> list[Reading]:
        """What the monitor said, once a second; nothing while it was lost."""
        until_ms = self.closed_ms or self.visit.now_ms
        found = []
        for at_ms in range(self.opened.at_ms, until_ms, 1_000):
            if self.silent_ms[0] <= at_ms < self.silent_ms[1]:
                continue
            off = self.probe_off_ms[0] <= at_ms < self.probe_off_ms[1]
            low = self.low_ms <= at_ms < self.low_ms + 120_000
            for vital, value in self._values(at_ms, low=low).items():
                if vital in self.without:
                    continue
                none = off and vital in {Vital.SPO2, Vital.PULSE_SPO2}
                quality = Quality.MISSING if none else Quality.VALID
                found.append(
                    Reading(
                        at_ms, BED, MONITOR, vital, None if none else value, quality, None, at_ms + 10_000
                    )
                )
        return found

    def _values(self, at_ms: int, *, low: bool) -> dict[Vital, float]:
        t_min = (at_ms - (self.start_ms or self.opened.at_ms)) / MIN
        risen = max(t_min / 40, 0) ** 3 * math.exp(3 * (1 - max(t_min, 0) / 40)) if t_min > 0 else 0.0
        beat = math.sin(at_ms / 7_000) + 0.6 * math.sin(at_ms / 1_900)
        return {
            Vital.HEART_RATE: round(72 + 8 * risen + 1.6 * beat),
            Vital.PULSE_SPO2: round(72 + 8 * risen + 1.4 * beat),
            Vital.SPO2: 91.0 if low else float(round(min(97.6 - 1.2 * risen + 0.5 * beat, 100))),
            Vital.RESPIRATION: round(14 - 0.8 * risen + 0.7 * beat),
        }


def others() -> tuple[list[Entry], list[Reading]]:
    """Patients who were at the bed before and after, and one at the other bed all the while."""
    end_ms = T0_MS + 400 * MIN
    before, monitor4 = T0_MS - 60 * MIN, Device("monitor4")
    events: list[Entry] = [
        ServiceStarted(before - 1, "0.1.0", None),
        *_watch(5, BED, before, T0_MS - MIN, MONITOR),
        *_watch(6, OTHER_BED, before, None, monitor4),
        *_watch(8, BED, end_ms, None, MONITOR),
    ]
    readings = [
        Reading(at_ms, bed, device, Vital.SPO2, OTHER_SPO2, Quality.VALID, None, at_ms + 10_000)
        for bed, device, since_ms, until_ms in (
            (BED, MONITOR, before, T0_MS - MIN),
            (OTHER_BED, monitor4, before, end_ms + 10 * MIN),
            (BED, MONITOR, end_ms, end_ms + 10 * MIN),
        )
        for at_ms in range(since_ms, until_ms, 5_000)
    ]
    return events, readings


def _watch(session: int, bed: Bed, from_ms: int, until_ms: int | None, device: Device) -> list[Entry]:
    alarm, state = 1_000 + session, AlarmState
    found: list[Entry] = [
        Admitted(from_ms, bed, OTHER_ALIAS, Baseline(), "watch", None, LEE),
        SessionMoved(from_ms, session, bed, None, SessionPhase.WATCH, LEE),
        CuffTaken(from_ms + MIN, from_ms + MIN, bed, device, Cuff(OTHER_SYS, 101)),
        AlarmMoved(
            from_ms + MIN, alarm, bed, "sbp-high-m", Priority.MEDIUM, state.CLEAR, state.ACTIVE, Cue.HELD,
            from_ms + MIN, OTHER_SYS, 165.0,
        ),
    ]  # fmt: skip
    if until_ms is not None:
        found += [
            SessionMoved(until_ms, session, bed, SessionPhase.WATCH, SessionPhase.CLOSED, LEE),
            AlarmMoved(
                until_ms, alarm, bed, "sbp-high-m", Priority.MEDIUM, state.ACTIVE, state.CLEAR, Cue.DISCHARGE,
                from_ms + MIN, OTHER_SYS, 165.0,
            ),
        ]  # fmt: skip
    return found


@asynccontextmanager
async def kept(
    folder: Path, filed: Filed, url: str | None = None, *, alone: bool = False
) -> AsyncIterator[Reports]:
    """The session in a real store, open, with its neighbours unless it is alone."""
    beside, their_readings = ([], []) if alone else others()
    store = await open_store(folder, url, retention_days=36_500)
    try:
        for reading in (*filed.readings(), *their_readings):
            store.trends.put(reading)
        for typed in filed.typed:
            store.trends.put(typed)
        told = sorted((*filed.events, *beside), key=lambda event: event.at_ms)
        for event in told:
            if isinstance(event, CuffTaken):
                store.trends.put(event)
        await store.journal.append(told, 0)
        await store.journal.written()  # a busy disk may have taken them late
        assert await store.trends.flush()
        yield Reports(clinic(folder), store.journal, store.trends, lambda: filed.visit.now_ms)
    finally:
        await store.close()

"""A restart at any turn of a treatment: the journal alone makes the same ward, and pages nobody twice."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import pytest

from monitor.model import CuffOrdered, PageOrdered, Vital, VitalTyped
from monitor.sessions.record import Record
from monitor.store.journal import DECODERS
from monitor.treatment import Flag, Happening, Move, Symptom
from monitor.ward import Ward
from tests.core.test_ward_restore import known
from tests.core.treated import Treated
from tests.core.visit import BED, KIM, LEE, SHIPPED


@dataclass
class Cut:
    """The ward as it stood after one turn: how much was written by then, and what was known."""

    written: int
    at_ms: int
    known: dict[str, Any]


class Filmed(Treated):
    """A visit of which every turn is kept."""

    def __init__(self, name: str) -> None:
        """Begin with the opening."""
        self.cuts: list[Cut] = []
        super().__init__(name)

    def _measure(self) -> None:
        super()._measure()
        self.cuts.append(Cut(len(self.shift.journal), self.now_ms, everything(self.shift.ward, self.now_ms)))


def everything(ward: Ward, now_ms: int) -> dict[str, Any]:
    """What a restart must bring back, treatments and what hangs on them too; samples of devices are lost."""
    treatments = {}
    for number in ward.treatments():
        kept = ward.treatment(number)
        assert kept is not None
        record, seen = kept
        stay = ward._treatments.of(number)
        assert stay is not None
        treatments[number] = {
            "record": copied(record),
            "typed": [one for one in seen.samples if one.by],
            "alarms": sorted(seen.alarms),
            "quiet": seen.quiet_since_ms,
            "layers": stay.in_force,
            "cuff": (stay.cuff_due_ms, stay.cuff_late_ms),
            "said": dict(stay.said),
        }
    # What a tile shows beside a value taken by hand is a device's newer one, which no journal holds.
    return known(ward, now_ms) | {"treatments": treatments, "typed": None}


def copied(record: Record) -> dict[str, Any]:
    """The record as it is now: the live one goes on."""
    held = {field.name: copy(getattr(record, field.name)) for field in fields(record)}
    return held | {"scores": {score: list(made) for score, made in record.scores.items()}}


def restored(visit: Treated, journal: list[Happening], now_ms: int) -> Ward:
    """A ward that has read these lines of the journal, as bytes; the clock has gone on to the same moment."""
    ward = Ward(visit.shift.plan)
    ward.restore(DECODERS[type(event).__name__].decode(msgspec.json.encode(event)) for event in journal)
    ward._treatments.restored(now_ms)
    return ward


def lives(visit: Treated) -> None:
    """A visit with a little of everything: flags, an own limit, signs, values by hand, a hold, high BP."""
    visit.to_baseline(opioids=True)
    visit.shift.feed(VitalTyped(visit.now_ms, BED, Vital.RESPIRATION, 13, LEE))
    visit.takes_baseline()
    if visit.therapy.course == "infusion":
        visit.steps(Move.TO_TIMEOUT)
        visit.does(visit.dose())
        visit.steps(Move.START)
    else:
        visit.does(visit.device(1))
        visit.waits(5)
        visit.does(visit.device(2))
    visit.shift.sets(BED, "spo2-low-m", 91)
    visit.waits(3)
    visit.steps(Move.HOLD, "wants a pause")
    visit.pressure = (171, 101)
    visit.waits(6)
    visit.steps(Move.RESUME)
    visit.symptom(Symptom.CHEST_PAIN)
    visit.waits(1)
    visit.shift.acks(BED, "emergency-sign")
    visit.symptom(Symptom.CHEST_PAIN, over=True)
    visit.sees(spo2=90.5)
    visit.waits(2)
    visit.sees(spo2=98)
    visit.pressure = (124, 78)
    visit.does(visit.flag(Flag.MAOI))
    visit.scores(moaas=3)
    visit.waits(25)
    visit.scores(moaas=5, dissociation=0)
    visit.waits(40)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_was_written_by_any_turn_makes_the_ward_of_that_turn(name: str) -> None:
    visit = Filmed(name)
    lives(visit)
    journal = visit.shift.journal
    assert len(visit.cuts) > 100
    for cut in visit.cuts:
        ward = restored(visit, journal[: cut.written], cut.at_ms)
        now = everything(ward, cut.at_ms)
        assert now["treatments"] == cut.known["treatments"]
        assert now == cut.known


@pytest.mark.parametrize("name", SHIPPED)
def test_a_restart_at_any_turn_pages_nobody_and_starts_no_cuff_twice(name: str) -> None:
    visit = Filmed(name)
    lives(visit)
    for cut in visit.cuts[::7]:
        other = visit.again()
        other.shift.events = list(visit.shift.journal[: cut.written])
        other.shift.now_ms = cut.at_ms
        made = other.shift.restarts()
        assert [e for e in made if isinstance(e, PageOrdered)] == []
        ordered = [e for e in made if isinstance(e, CuffOrdered)]
        assert len(ordered) <= 1


def test_the_closed_session_and_the_form_come_back() -> None:
    visit = Treated()
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign(KIM))
    visit.steps(Move.CLOSE)
    before = everything(visit.shift.ward, visit.now_ms)
    ward = restored(visit, visit.shift.journal, visit.now_ms)
    assert everything(ward, visit.now_ms) == before
    assert ward.treatments() == (visit.number,)

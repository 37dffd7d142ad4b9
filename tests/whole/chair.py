"""A treatment over real bytes: the story's patient in the chair, monitors at the bed, and a nurse who acts.

Told like any other `Visit`; the values come from the devices' own bytes, the time is the room's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.model import Bed, CuffAsked
from monitor.people import Role
from monitor.planning import shipped
from monitor.sessions.record import Record
from monitor.treatment import Act, Move, Seen, TreatmentOpened
from tests.core.treated import STAFF
from tests.core.visit import DANA, SHIPPED, Visit, signed
from tests.whole.room import Place, Room

BED = Bed("1")
CUFFS_MAX_S = 600


def treated_room(places: Sequence[Place], begin_min: float, seed: int = 1) -> Room:
    """A room whose clinic has every therapy signed, and nobody in the chair yet."""
    return Room(
        places,
        begin_s=begin_min * 60,
        seed=seed,
        people=STAFF,
        therapies={name: signed(name) for name in SHIPPED},
        numbers={"watch": shipped("watch")},
    )


class Chair(Visit):
    """See the module."""

    def __init__(self, room: Room, name: str = "iv_ketamine_40") -> None:
        """The patient of bed 1 has just come."""
        self.room = room
        self.therapy = room.plan.therapies[name]
        planned = 0 if self.therapy.course == "infusion" else 2
        room.run(until_s=room.t_ms / 1_000 + 15)  # the monitors have begun to speak
        asked = TreatmentOpened(
            room.now_ms, 0, BED, "blue-17", name, self.therapy.version, self.therapy.digest, 40, planned,
            first=False, by=DANA, role=Role.NURSE,
        )  # fmt: skip
        assert room.ward.refusals(asked) == ()
        self.opened = next(made for made in room.does(asked) if isinstance(made, TreatmentOpened))

    @property
    def now_ms(self) -> int:
        """The room's time."""
        return self.room.now_ms

    @now_ms.setter
    def now_ms(self, at_ms: int) -> None:
        self.until((at_ms - self.room.now_ms + self.room.t_ms) / 60_000)

    @property
    def record(self) -> Record:
        """The session as the ward has it."""
        return self._known()[0]

    @record.setter
    def record(self, _: Record) -> None:
        raise AttributeError("the ward keeps the record")

    @property
    def seen(self) -> Seen:
        """What the ward shows the session."""
        return self._known()[1]

    def until(self, minute: float) -> None:
        """Time passes until this minute of the story."""
        self.room.run(until_s=minute * 60)

    def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes."""
        self.room.run(until_s=self.room.t_ms / 1_000 + minutes * 60 + seconds)

    def does(self, act: Act) -> None:
        """An act that the ward must accept."""
        ours = replace(act, session=self.opened.session)
        assert self.room.ward.refusals(ours) == ()
        assert ours in self.room.does(ours)

    def refused(self, act: Act) -> str:
        """An act that the ward must refuse: what is missing, in one text."""
        missing = self.room.ward.refusals(replace(act, session=self.opened.session))
        assert missing
        return "\n".join(missing)

    def asks_for_cuffs(self, count: int) -> None:
        """The cuff is asked to measure until so many good readings have come."""
        before = len(self.good_cuffs())
        until_s = self.room.t_ms / 1_000 + CUFFS_MAX_S
        while len(self.good_cuffs()) - before < count and self.room.t_ms / 1_000 < until_s:
            asked = CuffAsked(self.now_ms, BED, DANA)
            if self.room.ward.refusal(asked) is None:
                self.room.does(asked)
            self.waits(1.5)

    def good_cuffs(self) -> list[tuple[float, float]]:
        """The pressures of the session so far."""
        return [
            (one.cuff.systolic, one.cuff.diastolic)
            for one in self.record.cuffs
            if one.cuff.systolic is not None and one.cuff.diastolic is not None
        ]

    def takes_baseline(self, systolic: float = 0, diastolic: float = 0) -> None:  # noqa: ARG002  the cuff says them
        """The scores of the phase, and two readings of the cuff."""
        row = self.therapy.row(self.record.phase)
        assert row is not None
        normal = {"moaas": 5, "oriented": 3, "nausea": 0, "mood": 4, "anxiety": 2}
        self.scores(**{score.value: normal[score.value] for score in row.scores})
        self.asks_for_cuffs(2)

    def starts_at(self, minute: float = 0) -> None:
        """Check-in, baseline and dose, and the drug at this minute."""
        self.to_start()
        assert self.room.t_ms <= minute * 60_000, "the story has begun without its drug"
        self.until(minute)
        self.steps(Move.START)

    def _known(self) -> tuple[Record, Seen]:
        known = self.room.ward.treatment(self.opened.session)
        assert known is not None, "nothing is owed of this session any more"
        return known

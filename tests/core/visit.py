"""One patient's visit, told as its report: what staff enter, what the cuff measures, what is refused and why.

The session is kept as its ward would keep it: every event is written down and then applied, and time passes
in steps of a minute. After each step the record must be the one that the events alone make: a crash anywhere
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from monitor.model import Bed, Cuff, CuffTaken, Device, Priority, Quality, Staff, Vital
from monitor.people import Role
from monitor.planning import treatment
from monitor.sessions import readiness, session
from monitor.sessions.conditions import Condition, conditions
from monitor.sessions.due import Due, cuff_due_ms, dues
from monitor.sessions.loading import digest, merged, therapy
from monitor.sessions.record import begin, rebuilt
from monitor.sessions.session import Refused
from monitor.sessions.therapy import Item, Therapy
from monitor.treatment import (
    Act,
    Answered,
    BaselineRestarted,
    CheckSaved,
    DeviceGiven,
    DoseChecked,
    Flag,
    FlagSet,
    FormSent,
    Kept,
    Measured,
    Move,
    Overridden,
    Phase,
    Score,
    Scored,
    Seen,
    Signed,
    Stepped,
    Symptom,
    SymptomNoted,
    TreatmentOpened,
)

SHIPPED = ("spravato_us", "spravato_eu", "iv_ketamine_40")

T0_MS = 1_780_000_000_000
MIN = 60_000
BED, OTHER_BED = Bed("3"), Bed("4")
MONITOR = Device("monitor3")
DANA, LEE, KIM = Staff("dana"), Staff("lee"), Staff("kim")
PEOPLE = {DANA: Role.NURSE, LEE: Role.NURSE, KIM: Role.PRESCRIBER}

WELL = {Vital.HEART_RATE: 72.0, Vital.SPO2: 98.0, Vital.RESPIRATION: 14.0}


@cache
def shipped(name: str) -> dict[str, Any]:
    """The data of a therapy as it ships."""
    return treatment(name)


def signed(name: str, changes: Mapping[str, Any] | None = None) -> Therapy:
    """A therapy with a clinic's changes, signed by its prescriber."""
    data = merged(shipped(name), changes or {})
    return therapy({**data, "signature": {"by": KIM, "on": "2026-05-01", "digest": digest(data)}})


class Visit:
    """See the module. `now_ms` stands where it was left."""

    def __init__(
        self,
        name: str = "spravato_us",
        *,
        age: int = 40,
        devices: int | None = None,
        first: bool = False,
        changes: Mapping[str, Any] | None = None,
        alias: str = "blue-17",
    ) -> None:
        """A session has just been opened."""
        self.therapy = signed(name, changes)
        planned = (0 if name.startswith("iv") else 2) if devices is None else devices
        self.now_ms = T0_MS
        self.opened = TreatmentOpened(
            T0_MS, 7, BED, alias, name, self.therapy.version, self.therapy.digest, age, planned, first,
            DANA, Role.NURSE,
        )  # fmt: skip
        assert session.refuse_opening(self.therapy, self.opened, PEOPLE) is None
        self.record = begin(self.therapy, self.opened)
        self.events: list[Kept] = [self.opened]
        self.vitals = dict(WELL)
        self.samples: list[Measured] = []
        self.alarms: tuple[str, ...] = ()
        self.quiet_since_ms: int | None = None
        self._measure()

    @property
    def seen(self) -> Seen:
        """What the ward would show the session now."""
        return Seen(tuple(self.samples), self.alarms, self.quiet_since_ms)

    # What happens.

    def does(self, act: Act) -> None:
        """An act that must be accepted."""
        answer = session.ask(self.record, act, self.seen)
        assert not isinstance(answer, Refused), answer.missing
        self._keep(*answer)
        self._tick()

    def refused(self, act: Act) -> str:
        """An act that must be refused: what is missing, in one text."""
        before = list(self.events)
        answer = session.ask(self.record, act, self.seen)
        assert isinstance(answer, Refused), answer
        assert self.events == before
        assert all(words.strip() for words in answer.missing)
        return "\n".join(answer.missing)

    def tries(self, act: Act) -> None:
        """An act that may be accepted or refused: if it is refused, something is said to be missing."""
        answer = session.ask(self.record, act, self.seen)
        if isinstance(answer, Refused):
            assert answer.missing
            assert all(words.strip() for words in answer.missing)
            return
        self._keep(*answer)
        self._tick()

    def sleeps_until(self, at_ms: int) -> None:
        """The service was away, or the machine was asleep: time comes in one step."""
        self.now_ms = max(self.now_ms, at_ms)
        self._measure()
        self._tick()

    def sleeps(self, minutes: float) -> None:
        """The same, for so long."""
        self.sleeps_until(self.now_ms + round(minutes * MIN))

    def crashes(self) -> None:
        """Everything but the journal is gone: what is read back from its bytes makes the same session."""
        back: list[Kept] = [
            msgspec.json.decode(msgspec.json.encode(event), type=type(event)) for event in self.events
        ]
        assert back == self.events
        again = rebuilt(self.therapy, back)
        assert again == self.record
        self.record, self.events = again, back

    @property
    def written(self) -> list[Kept]:
        """The journal of the session."""
        return self.events

    def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes, in steps of at most a minute; the monitor goes on measuring."""
        until_ms = self.now_ms + round(minutes * MIN + seconds * 1_000)
        while self.now_ms < until_ms:
            self.now_ms = min(self.now_ms + MIN, until_ms)
            self._measure()
            self._tick()

    def cuff(
        self, systolic: float | None, diastolic: float | None = 70, *, quality: Quality = Quality.VALID,
        by: Staff | None = None, at_ms: int | None = None, bed: Bed = BED,
    ) -> None:  # fmt: skip
        """A cuff reading comes, or a failed one."""
        measured_ms = self.now_ms if at_ms is None else at_ms
        device = None if by else MONITOR
        taken = CuffTaken(
            self.now_ms, measured_ms, bed, device, Cuff(systolic, diastolic, quality=quality), by
        )
        self._keep(taken)
        self._tick()

    def _measure(self) -> None:
        self.samples += [Measured(v, value, self.now_ms, MONITOR) for v, value in self.vitals.items()]

    def _tick(self) -> None:
        for _ in range(5):
            made = session.pass_time(self.record, self.seen, self.now_ms)
            if not made:
                return
            self._keep(*made)
        raise AssertionError("time leads on and on")

    def _keep(self, *events: Kept) -> None:
        for event in events:
            self.events.append(event)
            self.record.apply(event)
        assert rebuilt(self.therapy, self.events) == self.record

    # Acts, in short.

    def step(self, move: Move, why: str = "", *, ago: float = 0, by: Staff = DANA) -> Stepped:
        """One step, as it would be entered."""
        done_ms = self.now_ms - round(ago * MIN)
        return Stepped(self.now_ms, 7, move, done_ms, by, PEOPLE[by], why)

    def steps(self, move: Move, why: str = "", *, ago: float = 0, by: Staff = DANA) -> None:
        """One step that must be accepted."""
        self.does(self.step(move, why, ago=ago, by=by))

    def answer(self, question: str, *, yes: bool, note: str = "") -> Answered:
        """One answer of the check-in."""
        return Answered(self.now_ms, 7, question, yes, note, DANA)

    def answers(self, **different: bool) -> None:
        """The whole check-in: what a well prepared patient says, but for these."""
        for question in self.therapy.question:
            if question.first_session and not self.opened.first:
                continue
            yes = different.get(question.name, question.kind in {"must", "confirm"})
            self.does(self.answer(question.name, yes=yes))

    def score(self, score: Score, value: int, note: str = "", *, ago: float = 0) -> Scored:
        """One judgement, as it would be entered."""
        return Scored(self.now_ms, 7, score, value, self.now_ms - round(ago * MIN), DANA, note)

    def scores(self, **values: int) -> None:
        """Judgements that must be accepted, by name."""
        for name, value in values.items():
            self.does(self.score(Score(name), value, "Robin" if name == "escort" else ""))

    def symptom(self, symptom: Symptom, *, severe: bool = False, over: bool = False) -> None:
        """A symptom in one tap."""
        self.does(SymptomNoted(self.now_ms, 7, symptom, severe, over, self.now_ms, DANA))

    def device(
        self, number: int, *, last: bool | None = None, why: str = "", ago: float = 0, lot: str = "24B1",
        expires: str = "2028-05-31",
    ) -> DeviceGiven:  # fmt: skip
        """One nasal device, as it would be entered."""
        is_last = number == self.opened.devices if last is None else last
        done_ms = self.now_ms - round(ago * MIN)
        return DeviceGiven(self.now_ms, 7, number, lot, expires, is_last, done_ms, DANA, why)

    def dose(
        self, *, kg: float = 80, mg_per_kg: float = 0.5, second: Staff = LEE, why: str = ""
    ) -> DoseChecked:
        """The dose as two people have checked it."""
        return DoseChecked(self.now_ms, 7, kg, mg_per_kg, 1, 60, why, DANA, second)

    def override(self, what: str, why: str = "seen and decided", by: Staff = KIM) -> Overridden:
        """A decision against the profile."""
        return Overridden(self.now_ms, 7, what, why, by, PEOPLE[by])

    def sign(self, by: Staff = KIM) -> Signed:
        """A signature."""
        return Signed(self.now_ms, 7, "I have checked this session", by, PEOPLE[by])

    def restart_baseline(self, why: str) -> BaselineRestarted:
        """The readings so far are no baseline."""
        return BaselineRestarted(self.now_ms, 7, why, DANA)

    def flag(self, flag: Flag, *, on: bool = True, why: str = "said so now") -> FlagSet:
        """A risk flag."""
        return FlagSet(self.now_ms, 7, flag, on, why, DANA, Role.NURSE)

    def save(self, check: str = "check_40") -> CheckSaved:
        """A check is saved."""
        return CheckSaved(self.now_ms, 7, check, DANA)

    def form_sent(self) -> FormSent:
        """The form has gone out."""
        return FormSent(self.now_ms, 7, "fax", DANA)

    # Stretches of a visit.

    def to_baseline(self, **different: bool) -> None:
        """Through the check-in."""
        self.answers(**different)
        self.steps(Move.CHECKED_IN)

    def takes_baseline(self, systolic: float = 120, diastolic: float = 75) -> None:
        """Two readings a minute apart, and the scores that the phase asks for."""
        row = self.therapy.row(Phase.BASELINE)
        assert row is not None
        normal = {"moaas": 5, "oriented": 3, "nausea": 0, "mood": 4, "anxiety": 2}
        self.scores(**{score.value: normal[score.value] for score in row.scores})
        self.cuff(systolic, diastolic)
        self.waits(1)
        self.cuff(systolic + 2, diastolic + 2)

    def to_start(self) -> None:
        """Up to where the drug may be given."""
        self.to_baseline()
        self.takes_baseline()
        if self.therapy.course == "infusion":
            self.steps(Move.TO_TIMEOUT)
            self.does(self.dose())

    def doses(self) -> None:
        """All planned devices, five minutes apart; or the pump is started."""
        self.to_start()
        if self.therapy.course == "infusion":
            self.steps(Move.START)
            return
        for number in range(1, self.opened.devices + 1):
            if number > 1:
                self.waits(5)
            self.does(self.device(number))

    def to_decline(self) -> None:
        """A Spravato session up to its recorded 40-minute check, 40 minutes after its start."""
        self.doses()
        assert self.record.start_ms is not None
        self.waits((self.record.start_ms + 40 * MIN - self.now_ms) / MIN)
        self.cuff(134, 84)
        self.scores(moaas=5, dissociation=1)
        self.does(self.save())

    def to_recovery(self) -> None:
        """An infusion up to its end, 40 minutes after its start."""
        self.doses()
        for _ in range(8):
            self.waits(5)
            self.cuff(132, 82)
        self.steps(Move.END)

    def makes_ready(self) -> None:
        """Everything that the list asks for but the time and the signature; takes about 15 minutes."""
        self.cuff(124, 78)
        self.waits(11)
        self.cuff(122, 76)
        self.waits(1)
        self.scores(
            moaas=5, oriented=3, dissociation=0, nausea=0, gait=1, suicide_check=1, escort=1, driving=1
        )
        self.scores(instructions=1, **({"line_out": 1} if self.therapy.readiness.line else {}))
        self.scores(posture=2)
        self.waits(1)
        self.cuff(118, 76)
        self.scores(posture=1)
        self.waits(1)

    def to_ready(self) -> None:
        """Up to the ready check, as soon as it may be."""
        if self.therapy.course == "nasal":
            self.to_decline()
        else:
            self.to_recovery()
            self.waits(31)
        until_ms = self.record.floor_until_ms() or self.now_ms
        self.waits(max((until_ms - self.now_ms) / MIN - 12, 0))
        self.makes_ready()
        self.steps(Move.TO_READY)

    def closes(self) -> None:
        """The whole visit, from check-in to the signed record."""
        self.to_ready()
        self.cuff(121, 76)
        self.does(self.sign())
        self.steps(Move.CLOSE)

    # What is seen.

    def phase(self) -> Phase:
        """Where the session is."""
        return self.record.phase

    def missing(self, item: Item) -> str:
        """What is missing of one item of the readiness list."""
        found = readiness.items(self.record, self.seen, self.now_ms)
        return "\n".join(next(one for one in found if one.item is item).missing)

    def raised(self) -> dict[str, Priority]:
        """The conditions that are raised now."""
        return {one.name: one.priority for one in self.conditions()}

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions themselves, the worst first."""
        return conditions(self.record, self.seen, self.now_ms)

    def due(self, name: str) -> Due:
        """One thing that is due."""
        return next(one for one in dues(self.record, self.seen, self.now_ms) if one.name == name)

    def due_names(self) -> set[str]:
        """The names of all that is due."""
        return {one.name for one in dues(self.record, self.seen, self.now_ms)}

    def cuff_in_min(self) -> float | None:
        """In how many minutes the cuff is wanted."""
        due_ms = cuff_due_ms(self.record, self.now_ms)
        return None if due_ms is None else (due_ms - self.now_ms) / MIN

    def sees(self, **vitals: float) -> None:
        """From now on the monitor measures this."""
        names = {"hr": Vital.HEART_RATE, "spo2": Vital.SPO2, "rr": Vital.RESPIRATION}
        for name, value in vitals.items():
            self.vitals[names[name]] = value
        self._measure()

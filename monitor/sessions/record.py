"""One session as its events have made it: the same events, the same record. It applies and never decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from monitor.model import CuffTaken, Quality
from monitor.sessions.scores import STANDING
from monitor.sessions.therapy import Anchor, Therapy
from monitor.treatment import (
    SIDE,
    AdverseEvent,
    Answered,
    BaselineRestarted,
    BaselineTaken,
    CheckFilled,
    CheckMissed,
    CheckSaved,
    Correctable,
    Corrected,
    DeviceGiven,
    DoseChecked,
    Filled,
    Flag,
    FlagSet,
    FormSent,
    Kept,
    Move,
    Overridden,
    Phase,
    PhaseMoved,
    ReadyFirst,
    Score,
    Scored,
    Signed,
    Stepped,
    Struck,
    Symptom,
    SymptomNoted,
    TreatmentEvent,
    TreatmentNote,
    TreatmentOpened,
)


@dataclass(slots=True)
class Record:
    """See the module. Lists are in the order of the events."""

    therapy: Therapy
    opened: TreatmentOpened
    phase: Phase = Phase.CHECK_IN
    onward: Phase = Phase.CHECK_IN
    """The phase that goes on under a side state; else the phase itself."""
    since_ms: int = 0
    """Since when the session is in its phase."""
    entered: dict[Phase, int] = field(default_factory=dict)
    """When each phase was entered first."""
    moves: list[PhaseMoved] = field(default_factory=list)
    answers: dict[str, Answered] = field(default_factory=dict)
    flags_set: dict[Flag, FlagSet] = field(default_factory=dict)
    cuffs: list[CuffTaken] = field(default_factory=list)
    """Readings with numbers of this patient, questionable ones too, by the time they were measured."""
    baseline_from_ms: int = 0
    baseline: BaselineTaken | None = None
    dose: DoseChecked | None = None
    devices: list[DeviceGiven] = field(default_factory=list)
    start_ms: int | None = None
    end_ms: int | None = None
    scores: dict[Score, list[Scored]] = field(default_factory=dict)
    symptoms: dict[Symptom, SymptomNoted] = field(default_factory=dict)
    symptoms_noted: list[SymptomNoted] = field(default_factory=list)
    notes: list[TreatmentNote | AdverseEvent] = field(default_factory=list)
    checks: dict[str, CheckFilled | CheckMissed] = field(default_factory=dict)
    overrides: list[Overridden] = field(default_factory=list)
    signatures: list[Signed] = field(default_factory=list)
    ready_first_ms: int | None = None
    form_sent: FormSent | None = None
    last_ms: int = 0
    """When the newest event was entered."""
    events: list[TreatmentEvent] = field(default_factory=list)
    """All that was said and decided since the opening, as it came; cuff readings stand in `cuffs`."""
    struck: dict[int, Struck] = field(default_factory=dict)
    """By the number of the entry what was wrong. It is in `events` still, and in no other list here."""
    replaces: dict[int, int] = field(default_factory=dict)
    """By the number of an entry that of the wrong one in whose place it stands."""

    def apply(self, event: Kept) -> None:  # noqa: C901, PLR0912, PLR0915  a line a kind of event, and none forgotten
        """Take in one event; ValueError for one of another session."""
        self._is_ours(event)
        self.last_ms = max(self.last_ms, event.at_ms)
        if not isinstance(event, CuffTaken | TreatmentOpened):
            self.events.append(event)
        if isinstance(event, Correctable) and (wrong := self.replaces.get(len(self.events))) is not None:
            self._put(event, self.events[wrong - 1])
            return
        match event:
            case TreatmentOpened():
                raise ValueError(f"session {event.session} is open already")
            case Answered():
                self.answers[event.question] = event
            case FlagSet():
                self.flags_set[event.flag] = event
            case BaselineRestarted():
                self.baseline_from_ms = event.at_ms + 1  # what is measured until now is what it is not
                self.baseline = None
            case BaselineTaken():
                self.baseline = event
            case DoseChecked():
                self.dose = event
            case DeviceGiven():
                self.devices.append(event)
                self.start_ms = event.done_at_ms if self.start_ms is None else self.start_ms
            case Scored():
                self.scores.setdefault(event.score, []).append(event)
            case SymptomNoted():
                self.symptoms_noted.append(event)
                self.symptoms[event.symptom] = event
            case Struck():
                self._strike(event)
            case AdverseEvent() | TreatmentNote():
                self.notes.append(event)
            case CheckFilled() | CheckMissed():
                self.checks[event.check] = event
            case Overridden():
                self.overrides.append(event)
            case Signed():
                self.signatures.append(event)
            case FormSent():
                self.form_sent = event
            case ReadyFirst():
                self.ready_first_ms = event.at_ms
            case PhaseMoved():
                self._moved(event)
            case CuffTaken():
                self._cuff(event)
            case Stepped() | CheckSaved() | Corrected():
                pass  # what follows of them is an event of its own
            case _:
                assert_never(event)

    def _is_ours(self, event: Kept) -> None:
        if isinstance(event, CuffTaken):
            return
        if event.session != self.opened.session:
            raise ValueError(f"an event of session {event.session} came to session {self.opened.session}")

    def _moved(self, moved: PhaseMoved) -> None:
        self.moves.append(moved)
        if moved.now is not self.phase:
            self.since_ms = moved.done_at_ms
        self.phase, self.onward = moved.now, moved.onward
        self.entered.setdefault(moved.now, moved.done_at_ms)
        # An onward phase that begins under a side state begins there and then.
        self.entered.setdefault(moved.onward, moved.done_at_ms)
        if moved.move is Move.START:
            self.start_ms = moved.done_at_ms
        if moved.move in {Move.END, Move.STOP} and self.start_ms is not None and self.end_ms is None:
            self.end_ms = moved.done_at_ms

    def _strike(self, struck: Struck) -> None:
        """What stands instead takes its very place, with the next event; where nothing does, it goes."""
        self.struck[struck.entry] = struck
        wrong = self.events[struck.entry - 1]
        if isinstance(wrong, Scored | SymptomNoted) and self.ready_first_ms is not None:
            # That all held then was said of what did not hold.
            self.ready_first_ms = None if wrong.done_at_ms <= self.ready_first_ms else self.ready_first_ms
        if struck.instead is not None:
            self.replaces[struck.instead] = struck.entry
        else:
            self._put(None, wrong)

    def _put(self, now: Correctable | None, wrong: TreatmentEvent) -> None:
        """Put an entry, or nothing, into the place of a wrong one: what came after it stays after it."""
        for place in self._places(wrong):
            at = next((at for at, one in enumerate(place) if one is wrong), None)
            if at is not None:
                place[at : at + 1] = [] if now is None else [now]
        self.symptoms = {noted.symptom: noted for noted in self.symptoms_noted}
        if isinstance(wrong, Scored):
            self._put_in_checks(now if isinstance(now, Scored) else None, wrong)

    def _put_in_checks(self, now: Scored | None, wrong: Scored) -> None:
        """A check that was saved with a wrong score has the right one, or lacks it."""
        for name, done in self.checks.items():
            if isinstance(done, CheckFilled):
                filled = [_corrected(one, now, wrong) for one in done.filled]
                self.checks[name] = replace(done, filled=tuple(one for one in filled if one is not None))

    def _places(self, wrong: TreatmentEvent) -> tuple[list[Any], ...]:
        of_score = (self.scores.get(wrong.score, []),) if isinstance(wrong, Scored) else ()
        return *of_score, self.symptoms_noted, self.notes, self.devices

    def _cuff(self, taken: CuffTaken) -> None:
        """A cuff reading counts if it has numbers, is of this bed, and was taken since the patient came."""
        if (
            taken.bed == self.opened.bed
            and taken.measured_at_ms >= self.opened.at_ms
            and taken.cuff.systolic is not None
            and taken.cuff.diastolic is not None
            and taken.cuff.quality in {Quality.VALID, Quality.QUESTIONABLE}
            and self.phase is not Phase.CLOSED
        ):
            self.cuffs.append(taken)
            self.cuffs.sort(key=lambda cuff: cuff.measured_at_ms)

    # What is asked of it.

    @property
    def dosed(self) -> bool:
        """Whether any drug has been given."""
        return self.start_ms is not None

    @property
    def last_device_ms(self) -> int | None:
        """When the newest nasal device was given."""
        return self.devices[-1].done_at_ms if self.devices else None

    @property
    def over(self) -> bool:
        """Whether the patient is no longer watched here."""
        return self.phase in {Phase.CLOSED, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE}

    def anchor_ms(self, anchor: Anchor) -> int | None:
        """The time that is counted from; None while it has not come."""
        match anchor:
            case "start":
                return self.start_ms
            case "last_device":
                return None if self.onward is Phase.DOSING else self.last_device_ms
            case "end":
                return self.end_ms

    def total_ms(self, now_ms: int) -> int | None:
        """How long it has been since the first device, or the start of the pump: the form's total."""
        if self.start_ms is None:
            return None
        return self.until_ms(now_ms) - self.start_ms

    def until_ms(self, now_ms: int) -> int:
        """Now, or when the session ended: no clock of a patient who has gone runs on."""
        return self.since_ms if self.over else now_ms

    def floor_until_ms(self) -> int | None:
        """When the least stay is over; None where there is none, or nothing yet to count it from."""
        floor = self.therapy.floor
        anchor = self.anchor_ms(floor.anchor) if floor else None
        return None if floor is None or anchor is None else anchor + round(floor.min * 60_000)

    def entry(self, number: int) -> TreatmentEvent | None:
        """The event of this number: the first that came after the opening is 1."""
        return self.events[number - 1] if 1 <= number <= len(self.events) else None

    def number(self, event: TreatmentEvent) -> int:
        """The number of an event of this session, of that very object; 0 is the opening."""
        return next(at for at, one in enumerate((self.opened, *self.events)) if one is event)

    def score(self, score: Score) -> Scored | None:
        """The newest judgement of this kind, by when it was made."""
        made = self.scores.get(score)
        # Of two of one moment the later entry stands: it corrects the other.
        return max(reversed(made), key=lambda one: one.done_at_ms) if made else None

    def value(self, score: Score) -> int | None:
        """Its value."""
        newest = self.score(score)
        return None if newest is None else newest.value

    def flags(self) -> frozenset[Flag]:
        """The risk flags that are up: by the check-in, or set by hand, whichever is newer."""
        up: dict[Flag, list[int]] = {}
        for question in self.therapy.question:
            answer = self.answers.get(question.name)
            if question.flag is not None and answer is not None and answer.yes:
                up.setdefault(question.flag, []).append(answer.at_ms)
        by_hand = self.flags_set
        return frozenset(
            flag
            for flag in Flag
            if (by_hand[flag].on if flag in by_hand else flag in up)
            or (flag in up and flag in by_hand and max(up[flag]) > by_hand[flag].at_ms)
        )

    def overridden(self, what: str, since_ms: int = 0) -> Overridden | None:
        """The newest decision against the profile about this, if it is not older than that."""
        found = [one for one in self.overrides if one.what == what and one.at_ms >= since_ms]
        return found[-1] if found else None

    def cuffs_between(self, from_ms: int, until_ms: int, *, standing: bool = False) -> list[CuffTaken]:
        """The valid readings measured in this time, oldest first, of somebody standing or else not."""
        return [
            taken
            for taken in self.cuffs
            if taken.cuff.quality is Quality.VALID
            and from_ms <= taken.measured_at_ms <= until_ms
            and standing == self.stood_at(taken.measured_at_ms)
        ]

    def stood_at(self, at_ms: int) -> bool:
        """Whether the patient was standing then, as far as anybody has said."""
        said = [one for one in self.scores.get(Score.POSTURE, ()) if one.done_at_ms < at_ms]
        return bool(said) and max(reversed(said), key=lambda one: one.done_at_ms).value == STANDING


def _corrected(filled: Filled, now: Scored | None, wrong: Scored) -> Filled | None:
    """One item of a check, if it was filled by that wrong score: by what stands instead."""
    if (filled.item, filled.at_ms, filled.value) != (wrong.score.value, wrong.done_at_ms, wrong.value):
        return filled
    return None if now is None else replace(filled, value=now.value, by=now.by)


def begin(therapy: Therapy, opened: TreatmentOpened) -> Record:
    """The record of a session that has just been opened: empty, whoever was here before."""
    return Record(
        therapy,
        opened,
        since_ms=opened.at_ms,
        entered={Phase.CHECK_IN: opened.at_ms},
        baseline_from_ms=opened.at_ms,
        last_ms=opened.at_ms,
    )


def rebuilt(therapy: Therapy, events: Iterable[Kept]) -> Record:
    """The record that these events made. The first opens the session; ValueError where it does not."""
    events = iter(events)
    opened = next(events, None)
    if not isinstance(opened, TreatmentOpened):
        raise ValueError("a session begins with its opening")  # noqa: TRY004  the kind of event is its value
    record = begin(therapy, opened)
    for event in events:
        record.apply(event)
    return record


def drug_over(record: Record) -> bool:
    """Whether no more drug is to come: what is stopped is over, what is held is not."""
    return record.dosed and record.onward not in {Phase.INFUSION, Phase.DOSING}


def watched(record: Record) -> Phase:
    """The phase whose schedule counts: a side state's own, where the therapy gives it one."""
    row = record.therapy.row(record.phase)
    return record.phase if record.phase not in SIDE or row is not None else record.onward

"""The course of a treatment session as its events tell it: phases, clocks, checks, decisions. Pure.

The session's own rules are asked once more, at the moments that matter (the gate at the start of the drug,
the list just before the end), of the record as it stood then: nothing is judged by what came later.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeGuard, TypeVar

from monitor.model import CuffTaken, Device, Quality, Staff, Vital, VitalTyped
from monitor.records.report import (
    Adverse,
    AlarmOf,
    Answer,
    BaselineAgain,
    BaselineOf,
    CheckOf,
    Clocks,
    CorrectionOf,
    CuffReading,
    DeviceDose,
    Expected,
    FlagSpan,
    Found,
    Judged,
    LayerOf,
    Line,
    Note,
    Number,
    Override,
    PhaseSpan,
    PressureOf,
    PumpDose,
    ReadyItem,
    Said,
    Signature,
    SymptomSpan,
)
from monitor.reporting import numbers
from monitor.reporting.alarms import RAISED, loud, open_at, raised_by_words
from monitor.reporting.kept import OVER, Kept
from monitor.reporting.recurring import Recurring
from monitor.reporting.watching import source_at
from monitor.sessions import expected, gates, layers, readiness, tables
from monitor.sessions.conditions import conditions
from monitor.sessions.due import CHECK_40, DAY_MS, NIBP, VITALS, item_title, window_of
from monitor.sessions.needs import END_PRESSURE_MS
from monitor.sessions.record import Record, begin, rebuilt
from monitor.sessions.scores import EMERGENCY_SIGNS, SCALES
from monitor.sessions.therapy import Check, Item, Pressure, Therapy, ms
from monitor.treatment import (
    TITLES,
    AdverseEvent,
    Answered,
    BaselineRestarted,
    BaselineTaken,
    CheckFilled,
    CheckMissed,
    DeviceGiven,
    Flag,
    FlagSet,
    Measured,
    Move,
    Overridden,
    Phase,
    PhaseMoved,
    Seen,
    Struck,
    Symptom,
    SymptomNoted,
    TreatmentEvent,
    TreatmentNote,
    TreatmentOpened,
)
from monitor.treatment_now import LineNow
from monitor.ward.treating.timeline import FLAGS, lines

SEEN_MS = 1_800_000
"""How far back the session is shown samples: further than any of its questions asks for."""

PRESSURES = {
    "before": "Before the drug",
    "check_40": "40-minute check",
    "end": "End of the infusion",
    "final": "Before leaving",
}

ANCHORS = {"start": "start", "last_device": "last device", "end": "end of the infusion"}

BAND_STEP_MS = 150_000
BAND_MS = 180 * 60_000
"""The expected course is told in steps, for three hours or until the session is over."""

Event = TreatmentEvent | CuffTaken

T = TypeVar("T")


class Course:
    """One treatment session, gone through once from its first event to its last.

    `trusted`: the therapy is the very version that the session went under, so that its numbers may be asked.
    """

    def __init__(
        self,
        kept: Kept,
        therapy: Therapy,
        *,
        trusted: bool,
        lines: Sequence[Line],
        alarms: Sequence[AlarmOf],
        made_ms: int,
    ) -> None:
        """ValueError where this is no treatment session."""
        if kept.opened is None:
            raise ValueError(f"session {kept.session} is no treatment session")
        self._kept = kept
        self._trusted = trusted
        self._lines = {line.vital: line for line in lines}
        self._alarms = alarms
        self._typed = {(one.vital, one.at_ms): one.by for one in self._all(VitalTyped)}
        self._made_ms = made_ms
        self._until_ms = made_ms if kept.ended_ms is None else kept.ended_ms
        self._reached_ms = kept.opened.at_ms
        self._flags: list[FlagSpan] = []
        self._layers: list[LayerOf] = []
        self.therapy = therapy
        self._recurring = Recurring(therapy)
        self.record = begin(therapy, kept.opened)
        self.gate: tuple[Found, ...] = ()
        self.ready_at_ms: int | None = None
        self.readiness: tuple[ReadyItem, ...] = ()
        self._go_through([row.event for row in kept.rows if _is_ours(row.event)])

    def _go_through(self, events: Sequence[Event]) -> None:
        passed: list[Event] = [self.record.opened]
        self._note_layers(self.record.opened.at_ms)
        for event in events:
            self._pass_time(event.at_ms)
            self._recurring.before(self.record, event.at_ms)
            if self.record.start_ms is None and _starts(event):
                self.gate = self._gate(event.at_ms)
            if self.ready_at_ms is None and isinstance(event, PhaseMoved) and event.now in OVER:
                self._list(rebuilt(self.therapy, passed), event.at_ms)
            self.record.apply(event)
            passed.append(event)
            self._recurring.after(self.record, event)
            self._note_flags(event)
            if not self.record.over:
                self._note_layers(event.at_ms)
        if self.ready_at_ms is None:
            self._pass_time(self._until_ms)
            self._list(self.record, self._made_ms)

    # What is asked of the session's own rules.

    def _gate(self, at_ms: int) -> tuple[Found, ...]:
        if not self._trusted:
            return ()
        answers = {question.name for question in self.therapy.question}
        return tuple(
            Found(
                one.name, one.result, one.why, one.name not in answers,
                self._override(one.decided) if one.decided is not None else None,
            )
            for one in gates.findings(self.record, self._seen(at_ms), at_ms)
        )  # fmt: skip

    def _list(self, record: Record, at_ms: int) -> None:
        self.ready_at_ms = at_ms
        if self._trusted and record.dosed:
            self.readiness = tuple(
                ReadyItem(
                    one.item.value, one.title, one.holds, tuple(self._said(said, at_ms) for said in one.said),
                    one.missing, self._override(one.decided) if one.decided is not None else None,
                )
                for one in readiness.items(record, self._seen(at_ms), at_ms)
                if one.item is not Item.SIGNED  # signatures stand for themselves
            )  # fmt: skip

    def _seen(self, at_ms: int) -> Seen:
        """What the ward showed the session then: the values of the last half hour, and the alarms."""
        samples: list[Measured] = []
        for vital, line in self._lines.items():
            first = bisect_left(line.times_ms, at_ms - SEEN_MS)
            for place in range(first, bisect_right(line.times_ms, at_ms)):
                value, then_ms = line.values[place], line.times_ms[place]
                if value is not None and line.qualities[place] is Quality.VALID:
                    device = source_at(line, then_ms)
                    by = self._typed.get((vital, then_ms))
                    samples.append(Measured(vital, value, then_ms, None if by else device, by))
        of_now = [one for one in self._alarms if loud(one) and open_at(one, at_ms)]
        ended = [
            then_ms
            for one in self._alarms
            if loud(one)
            for then_ms, was, now in one.moves
            if then_ms <= at_ms and was in RAISED and now not in RAISED
        ]
        return Seen(tuple(samples), tuple(one.title for one in of_now), max(ended, default=None))

    def _said(self, said: readiness.Said, at_ms: int) -> Said:
        devices = {device for line in self._lines.values() for _, device in line.sources}
        devices |= {taken.device for taken in self.record.cuffs}
        is_device = said.who is not None and Device(said.who) in devices
        return Said(
            said.words,
            said.at_ms,
            None if said.at_ms is None else max(at_ms - said.at_ms, 0),
            Device(said.who) if is_device and said.who is not None else None,
            Staff(said.who) if not is_device and said.who is not None else None,
        )

    # Flags and layers, as they come and go.

    def _note_flags(self, event: Event) -> None:
        if not isinstance(event, Answered | FlagSet):
            return
        up = self.record.flags()
        if isinstance(event, FlagSet):
            why = event.why
        else:
            why = f"{self.asks(event.question)} {'Yes' if event.yes else 'No'}."
        for place, span in enumerate(self._flags):
            if span.until_ms is None and span.flag not in up:
                self._flags[place] = FlagSpan(
                    span.flag, span.title, span.from_ms, event.at_ms, f"{span.why} Withdrawn: {why}", span.by
                )
        running = {span.flag for span in self._flags if span.until_ms is None}
        for flag in Flag:
            if flag in up and flag not in running:
                self._flags.append(FlagSpan(flag, FLAGS[flag], event.at_ms, None, why, event.by))

    def _pass_time(self, until_ms: int) -> None:
        """The layers that begin by the clock before then."""
        while (due_ms := layers.due_ms(self.record, self._reached_ms)) is not None and due_ms < until_ms:
            if self.record.over:
                break
            self._note_layers(due_ms)

    def _note_layers(self, at_ms: int) -> None:
        self._reached_ms = max(self._reached_ms, at_ms)
        if not self._trusted:
            return
        names = layers.in_force(self.record, at_ms).names
        for place, span in enumerate(self._layers):
            if span.until_ms is None and span.name not in names:
                self._layers[place] = LayerOf(span.name, span.from_ms, at_ms, span.changes)
        running = {span.name for span in self._layers if span.until_ms is None}
        rows = {layer.name: layer for layer in self.therapy.layer}
        self._layers += [
            LayerOf(name, at_ms, None, tables.changes(rows[name])) for name in names if name not in running
        ]

    # What the record holds.

    def alarms(self) -> tuple[AlarmOf, ...]:
        """The alarms; of one that people's words have raised, what exactly was said then."""
        return tuple(
            replace(one, note=self._said_then(one)) if raised_by_words(one.rule) and not one.note else one
            for one in self._alarms
        )

    def _said_then(self, alarm: AlarmOf) -> str:
        if not self._trusted:
            return ""
        events = [row.event for row in self._kept.rows if row.at_ms <= alarm.raised_ms]
        record = rebuilt(self.therapy, (self.record.opened, *(one for one in events if _is_ours(one))))
        found = conditions(record, self._seen(alarm.raised_ms), alarm.raised_ms)
        return next((one.text for one in found if one.name == alarm.rule), "")

    def flags(self) -> tuple[FlagSpan, ...]:
        """Every time a risk flag was up."""
        return tuple(self._flags)

    def layers(self) -> tuple[LayerOf, ...]:
        """Every time a layer of the therapy's limits held."""
        return tuple(
            LayerOf(one.name, one.from_ms, self._kept.ended_ms, one.changes) if one.until_ms is None else one
            for one in self._layers
        )

    def phases(self) -> tuple[PhaseSpan, ...]:
        """Every stay in a phase; an end state is a moment."""
        opened = self.record.opened
        spans = [PhaseSpan(Phase.CHECK_IN, TITLES[Phase.CHECK_IN], opened.at_ms, None, None, opened.by, "")]
        for moved in self.record.moves:
            last = spans[-1]
            if moved.now is last.phase:
                continue
            spans[-1] = _ended(last, moved.done_at_ms)
            ends_ms = moved.done_at_ms if moved.now in OVER else None
            spans.append(
                PhaseSpan(
                    moved.now, TITLES[moved.now], moved.done_at_ms, ends_ms, moved.move, moved.by, moved.why
                )
            )
        if self._kept.ended_ms is not None and spans[-1].until_ms is None:
            spans[-1] = _ended(spans[-1], self._kept.ended_ms)
        return tuple(spans)

    def clocks(self) -> Clocks:
        """What is counted."""
        record, floor = self.record, self.therapy.floor if self._trusted else None
        until_ms = record.floor_until_ms() if floor is not None else None
        kept = None
        if until_ms is not None and (self._kept.ended_ms is not None or self._made_ms >= until_ms):
            kept = self._until_ms >= until_ms
        start_ms, first_ms = record.start_ms, record.ready_first_ms
        nasal = self.therapy.course == "nasal"
        return Clocks(
            start_ms,
            record.anchor_ms("last_device") if nasal else None,
            record.end_ms,
            None if floor is None else ms(floor.min),
            None if floor is None else ANCHORS[floor.anchor],
            until_ms,
            kept,
            None if start_ms is None else self._until_ms - start_ms,
            first_ms,
            None if first_ms is None or start_ms is None else first_ms - start_ms,
        )

    def baseline(self, cuffs: Sequence[CuffReading]) -> BaselineOf | None:
        """Today's own normal, and what it is made of."""
        taken = self.record.baseline
        if taken is None:
            return None
        readings = tuple(one for one in cuffs if one.at_ms in taken.cuffs_at_ms)
        return BaselineOf(taken.at_ms, taken.by, tuple(self._baseline_numbers(taken, readings)), readings)

    def _baseline_numbers(self, taken: BaselineTaken, readings: Sequence[CuffReading]) -> Iterator[Number]:
        own = taken.baseline
        if own.systolic is not None and readings:
            newest = readings[-1]
            yield Number(
                NIBP, "Blood pressure", own.systolic, own.diastolic, numbers.MMHG,
                numbers.pressure(own.systolic, own.diastolic), newest.at_ms,
                max(taken.at_ms - newest.at_ms, 0), newest.device, newest.by,
            )  # fmt: skip
        for vitals, value in (
            (VITALS["hr"], own.heart_rate),
            (VITALS["spo2"], own.spo2),
            (VITALS["rr"], own.respiration),
        ):
            if value is not None:
                vital, at_ms = self._newest(vitals, taken.at_ms)
                device = source_at(self._lines.get(vital), at_ms)
                yield numbers.of_vital(vital, value, at_ms, taken.at_ms, device)

    def _newest(self, vitals: Sequence[Vital], at_ms: int) -> tuple[Vital, int]:
        """Which of these was measured last until then, and when."""
        for vital in vitals:
            line = self._lines.get(vital)
            known = [] if line is None else [
                then_ms
                for then_ms, value in zip(line.times_ms, line.values, strict=True)
                if value is not None and then_ms <= at_ms
            ]  # fmt: skip
            if known:
                return vital, known[-1]
        return vitals[0], at_ms

    def expected(self) -> tuple[Expected, ...]:
        """The band of each vital that has a baseline; none without a drug."""
        taken, start_ms = self.record.baseline, self.record.start_ms
        if taken is None or start_ms is None:
            return ()
        own = taken.baseline
        bases = {
            Vital.SYSTOLIC: own.systolic,
            Vital.DIASTOLIC: own.diastolic,
            Vital.HEART_RATE: own.heart_rate,
            Vital.SPO2: own.spo2,
            Vital.RESPIRATION: own.respiration,
        }
        until_ms = min(self._until_ms, start_ms + BAND_MS)
        shares = [
            (at_ms, expected.share(self.record, at_ms))
            for at_ms in range(start_ms, until_ms + BAND_STEP_MS, BAND_STEP_MS)
        ]
        return tuple(
            Expected(vital, self._measured_in(), tuple(_band(base, moved, shares)))
            for vital, moved in expected.moved(self.record).items()
            if (base := bases.get(vital)) is not None
        )

    def _measured_in(self) -> str:
        """In whom the expected course was measured (physiology.md 5.2 and 5.3)."""
        if self.therapy.course == "infusion":
            return "2,342 infusions of 0.5 mg/kg over 40 min"
        old = self.record.opened.age_years >= expected.OLD_YEARS
        return f"esketamine label, {'65 and over' if old else 'ages 18 to 64'}"

    def baselines_before(self) -> tuple[BaselineAgain, ...]:
        """Every time the readings until then were said to be no baseline."""
        return tuple(BaselineAgain(one.at_ms, one.by, one.why) for one in self._all(BaselineRestarted))

    def devices(self) -> tuple[DeviceDose, ...]:
        """The nasal devices, in their order."""
        return tuple(
            DeviceDose(one.number, one.lot, one.expires, one.done_at_ms, one.at_ms, one.last, one.by, one.why)
            for one in self.record.devices
        )

    def pump(self) -> PumpDose | None:
        """The dose of an infusion, as it was checked last."""
        dose = self.record.dose
        if dose is None:
            return None
        return PumpDose(
            dose.at_ms, dose.weight_kg, dose.dose_mg_per_kg, dose.weight_kg * dose.dose_mg_per_kg,
            dose.concentration_mg_per_ml, dose.rate_ml_per_h, dose.by, dose.second, dose.why,
        )  # fmt: skip

    def answers(self) -> tuple[Answer, ...]:
        """The check-in, question by question; what was not answered says so."""
        found: list[Answer] = []
        for question in self.therapy.question:
            if question.first_session and not self.record.opened.first:
                continue
            said = self.record.answers.get(question.name)
            if said is None:
                found.append(Answer(question.name, question.asks, None, "", None, None))
            else:
                found.append(Answer(question.name, question.asks, said.yes, said.note, said.at_ms, said.by))
        known = {question.name for question in self.therapy.question}
        found += [
            Answer(name, name, said.yes, said.note, said.at_ms, said.by)
            for name, said in self.record.answers.items()
            if name not in known
        ]
        return tuple(found)

    def asks(self, question: str) -> str:
        """A question of the check-in as it was asked."""
        return next((one.asks for one in self.therapy.question if one.name == question), question)

    def checks(self) -> tuple[CheckOf, ...]:
        """The checks that come once, filled, missed or neither, and every time of those that come again."""
        found = []
        for check in self.therapy.check:
            if check.due_min is None:
                continue
            window = window_of(check, self.record) if self._trusted else None
            done = self.record.checks.get(check.name)
            if done is not None or window is not None:
                found.append(self._check(check, done, window))
        again = self._recurring.done(self.record, self._until_ms) if self._trusted else ()
        return *found, *again

    def _check(
        self, check: Check, done: CheckFilled | CheckMissed | None, window: tuple[int, int, int] | None
    ) -> CheckOf:
        tolerance_ms = ms(self.therapy.timing.tolerance_min) if self._trusted else None
        filled: tuple[Number, ...] = ()
        if isinstance(done, CheckFilled):
            filled = tuple(numbers.of_filled(one, done.at_ms, tolerance_ms) for one in done.filled)
        there = {one.name for one in filled}
        return CheckOf(
            check.name,
            check.title,
            done.due_ms if done is not None else window[1] if window is not None else 0,
            window[0] if window is not None else None,
            window[2] if window is not None else None,
            done.at_ms if isinstance(done, CheckFilled) else None,
            done.by if isinstance(done, CheckFilled) else None,
            filled,
            tuple(item_title(item) for item in check.items if item not in there),
            isinstance(done, CheckMissed),
            tolerance_ms,
        )

    def pressures(self, cuffs: Sequence[CuffReading]) -> tuple[PressureOf, ...]:
        """The pressures that the record must hold, each with its reading, or why it is not there."""
        return tuple(self._pressure(name, cuffs) for name in self.therapy.pressures.required)

    def _pressure(self, name: Pressure, cuffs: Sequence[CuffReading]) -> PressureOf:
        reading, used_ms, due_ms = self._reading_for(name, cuffs)
        number = None if reading is None else numbers.of_cuff(reading, used_ms, PRESSURES[name], due_ms)
        decided = self.record.overridden(f"pressure:{name}")
        instead = "" if decided is None else f"{decided.by} ({decided.role.value}): {decided.why}"
        return PressureOf(name, PRESSURES[name], number, reading, instead)

    def _reading_for(
        self, name: Pressure, cuffs: Sequence[CuffReading]
    ) -> tuple[CuffReading | None, int, int | None]:
        """(the reading, when it was used, when it was due)."""
        record = self.record
        match name:
            case "before":
                times = record.baseline.cuffs_at_ms if record.baseline is not None else ()
                return _newest_of(cuffs, times), record.start_ms or self._until_ms, None
            case "check_40":
                done = record.checks.get(CHECK_40)
                filled = done.filled if isinstance(done, CheckFilled) else ()
                times = tuple(one.at_ms for one in filled if one.item == NIBP)
                saved_ms = done.at_ms if done is not None else self._until_ms
                return _newest_of(cuffs, times), saved_ms, done.due_ms if done is not None else None
            case "end":
                end_ms = record.end_ms
                if end_ms is None:
                    return None, self._until_ms, None
                found = record.cuffs_between(end_ms - END_PRESSURE_MS, end_ms + END_PRESSURE_MS)
                nearest = min(found, key=lambda one: abs(one.measured_at_ms - end_ms), default=None)
                times = () if nearest is None else (nearest.measured_at_ms,)
                return _newest_of(cuffs, times), max(end_ms, *times, 0), end_ms
            case "final":
                stays = [span for span in self.phases() if span.phase is Phase.READY]
                if not stays:
                    return None, self._until_ms, None
                found = record.cuffs_between(stays[-1].from_ms, self._until_ms)
                times = tuple(one.measured_at_ms for one in found)
                return _newest_of(cuffs, times), self._until_ms, None

    def scores(self) -> tuple[Judged, ...]:
        """Every judgement, by when it was made."""
        made = [one for of in self.record.scores.values() for one in of]
        return tuple(
            Judged(
                one.score, SCALES[one.score].title, one.value, numbers.score_words(one.score, one.value),
                one.done_at_ms, one.at_ms, one.by, one.note,
            )
            for one in sorted(made, key=lambda one: (one.done_at_ms, one.at_ms))
        )  # fmt: skip

    def symptoms(self) -> tuple[SymptomSpan, ...]:
        """Every symptom from its note to its end."""
        found: list[SymptomSpan] = []
        running: dict[Symptom, SymptomNoted] = {}
        for noted in self.record.symptoms_noted:
            was = running.get(noted.symptom)
            if was is not None and (noted.over or noted.severe != was.severe):
                found.append(_symptom(running.pop(noted.symptom), noted.done_at_ms))
            if not noted.over:
                running.setdefault(noted.symptom, noted)
        found += [_symptom(noted, None) for noted in running.values()]
        return tuple(sorted(found, key=lambda one: one.from_ms))

    def adverse(self) -> tuple[Adverse, ...]:
        """Adverse events."""
        return tuple(
            Adverse(one.at_ms, one.what, one.serious, one.outcome, one.related, one.by)
            for one in self.record.notes
            if isinstance(one, AdverseEvent)
        )

    def notes(self) -> tuple[Note, ...]:
        """Free notes."""
        found = [one for one in self.record.notes if isinstance(one, TreatmentNote)]
        return tuple(Note(one.at_ms, one.text, one.by) for one in found)

    def corrections(self) -> tuple[CorrectionOf, ...]:
        """Every entry that was wrong, with what stands instead."""
        return tuple(self._correction(struck) for struck in self.record.struck.values())

    def _correction(self, struck: Struck) -> CorrectionOf:
        was = self._said_by(struck.entry)
        now = None if struck.instead is None else self._said_by(struck.instead)
        if was is None:
            raise ValueError(f"entry {struck.entry} was struck and says nothing")
        return CorrectionOf(
            struck.at_ms, struck.by, struck.why, struck.entry, was.words, was.at_ms, was.who,
            struck.instead, None if now is None else now.words,
        )  # fmt: skip

    def _said_by(self, entry: int) -> LineNow | None:
        event = self.record.entry(entry)
        return None if event is None else next(iter(lines(self.record, event, entry)), None)

    def overrides(self) -> tuple[Override, ...]:
        """Every decision against the profile."""
        return tuple(self._override(one) for one in self.record.overrides)

    def _override(self, one: Overridden) -> Override:
        title = self.override_title(one.what)
        return Override(one.at_ms, one.what, title, one.why, one.by, one.role, one.screen)

    def override_title(self, what: str) -> str:
        """What a decision was about, in words."""
        kind, _, name = what.partition(":")
        if what == readiness.FLOOR:
            return "Left before the least stay was over"
        if kind == "item" and name in set(Item):
            return f"Left without: {readiness.TITLES[Item(name)]}"
        if kind == "pressure":
            return f"Closed without the blood pressure: {PRESSURES.get(name, name)}"
        if kind == "gate":
            asked = self.asks(name)
            return f"Gate before the drug: {name if asked == name else asked}"
        return what

    def signatures(self) -> tuple[Signature, ...]:
        """Every signature."""
        return tuple(
            Signature(one.at_ms, one.meaning, one.by, one.role, one.screen) for one in self.record.signatures
        )

    def form_due_ms(self) -> int | None:
        """When the form has to be out; None where none is owed, or nobody can say."""
        form, start_ms = self.therapy.form, self.record.start_ms
        if form is None or start_ms is None or not self._trusted:
            return None
        return start_ms + round(form.due_days * DAY_MS)

    def _all(self, kind: type[T]) -> Iterator[T]:
        return (row.event for row in self._kept.rows if isinstance(row.event, kind))


def _is_ours(event: object) -> TypeGuard[Event]:
    return isinstance(event, Event) and not isinstance(event, TreatmentOpened)


def _starts(event: Event) -> bool:
    return isinstance(event, DeviceGiven) or (isinstance(event, PhaseMoved) and event.move is Move.START)


def _ended(span: PhaseSpan, until_ms: int) -> PhaseSpan:
    return PhaseSpan(span.phase, span.title, span.from_ms, until_ms, span.move, span.by, span.why)


def _band(
    base: float, moved: expected.Moved, shares: Sequence[tuple[int, float]]
) -> Iterator[tuple[int, float, float]]:
    for at_ms, share in shares:
        middle, wide = base + moved.rise * share, moved.sd * share + moved.slack
        yield at_ms, round(middle - wide, 1), round(middle + wide, 1)


def _symptom(noted: SymptomNoted, until_ms: int | None) -> SymptomSpan:
    return SymptomSpan(
        noted.symptom, noted.severe, noted.symptom in EMERGENCY_SIGNS, noted.done_at_ms, until_ms,
        noted.by, noted.note,
    )  # fmt: skip


def _newest_of(cuffs: Sequence[CuffReading], times_ms: Sequence[int]) -> CuffReading | None:
    """The newest of the readings that were measured at these times."""
    found = [one for one in cuffs if one.at_ms in times_ms]
    return found[-1] if found else None

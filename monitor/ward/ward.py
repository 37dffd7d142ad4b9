"""The ward: everything that is known and decided, in one deterministic machine that touches nothing.

`feed` hears one event and gives back it and what follows; `tick` lets time pass; `due_ms` says when it wants
to be called next; `restore` rebuilds it from what was decided before, and decides nothing itself.

Every decision is an event that is *made* in one place and *applied* in another. Live, both happen; a
restart only applies. So a second reading of the same journal gives the same ward, and pages nobody twice.
The parts make what they know best; here it is decided what follows from what, and nothing else applies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from monitor.alerts import mutes
from monitor.alerts.board import Alarm
from monitor.alerts.rules import Kind
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Baseline,
    Bed,
    Cue,
    CuffAsked,
    CuffCancelled,
    CuffNotTaken,
    CuffOrdered,
    CuffStopped,
    CuffTaken,
    CuffWhy,
    Decided,
    Device,
    DeviceNoted,
    Discharged,
    DutySet,
    HandedOver,
    Heard,
    HelpCalled,
    LimitSet,
    LinkMoved,
    LinkState,
    PageChanged,
    PageOpened,
    PageOrdered,
    PageRecalled,
    PageReported,
    PartMoved,
    Paused,
    Priority,
    Reading,
    Readings,
    Rejected,
    Resumed,
    ScreenMoved,
    ServiceStarted,
    SessionMoved,
    SessionPhase,
    SoundSaid,
    SourceMoved,
    Staff,
    TrialAsked,
    Vital,
    VitalTyped,
)
from monitor.plan import Plan
from monitor.sessions.record import Record
from monitor.snapshot import (
    AlarmNow,
    BedNow,
    DutyNow,
    LinkNow,
    PageNow,
    PartNow,
    Snapshot,
    SoundNow,
    VitalNow,
)
from monitor.treatment import (
    Act,
    Action,
    Happening,
    Made,
    Phase,
    PhaseMoved,
    Seen,
    Stepped,
    TreatmentEvent,
    TreatmentOpened,
)
from monitor.ward import picture, refusals, technical
from monitor.ward.bedside import CUFF_LATE_MS
from monitor.ward.cuffs import CUFF_MEASURING
from monitor.ward.parts import parts_of
from monitor.ward.sources import EARLIER_MS, tells_an_earlier_cuff
from monitor.ward.watch import Found

Asked = TreatmentOpened | Act
"""What staff do with a treatment: its own session decides about it."""

Consequent = Decided | Made
"""What only a ward may make."""


class Ward:
    """See the module. One object a clinic; not for use by two threads."""

    def __init__(self, plan: Plan) -> None:
        """A ward that has heard nothing yet."""
        parts = self._parts = parts_of(plan)
        self._rules, self._beds = parts.rules, parts.beds
        self._visits, self._over = parts.visits, parts.over
        self._equipment, self._sources, self._cuffs = parts.equipment, parts.sources, parts.cuffs
        self._watch, self._board = parts.watch, parts.board
        self._paging, self._calling, self._sounds = parts.paging, parts.calling, parts.sounds
        self._treatments = parts.treatments
        self._last_pause = 0
        self._now_ms = 0
        self._settle_ms: int | None = None

    # The doors.

    def feed(self, event: Happening) -> list[Happening]:
        """Hear one event: it and what follows from it, or nothing where it is not accepted."""
        if isinstance(event, Reading):
            return self._hear(event)
        if isinstance(event, Readings):
            return self._hear_table(event)
        if isinstance(event, TreatmentEvent) and not self._parts.plan.live:
            return self._hear_told(event)
        if isinstance(event, Asked):
            return self._hear_act(event)
        if isinstance(event, Consequent):
            raise ValueError(f"a ward decides {type(event).__name__}; to rebuild one, use restore()")  # noqa: TRY004
        self._now_ms = max(self._now_ms, event.at_ms)
        accepted = self._accept(event)
        if accepted is None:
            return []
        out: list[Happening] = [accepted]
        self._apply(accepted)
        self._follow(accepted, out)
        if isinstance(accepted, LinkMoved) and accepted.now is LinkState.UP:
            # What is back says in the same turn what it measures: nobody is called for its silence before.
            # All else that follows is looked at as the turn ends.
            self._judge_time(out)
            self._settle_ms = self._now_ms
        else:
            self._settle(out)
        return out

    def tick(self, now_ms: int) -> list[Happening]:
        """Let time pass: holds that have run, values that have grown stale, pages that are due."""
        self._now_ms = max(self._now_ms, now_ms)
        due = self.due_ms()
        if due is not None and self._now_ms < due:
            return []
        out: list[Happening] = []
        self._treat(out)
        self._judge_time(out)
        self._lapse(out)
        self._end_pauses(out)
        self._settle(out)
        return out

    def due_ms(self) -> int | None:
        """When the next hold, staleness, lapse or page falls due."""
        if self._settle_ms is None:
            self._settle_ms = min(self._dues(), default=_NEVER)
        watch = self._watch.due_ms()
        due = self._settle_ms if watch is None else min(self._settle_ms, watch)
        return None if due == _NEVER else due

    def restore(self, events: Iterable[Happening]) -> None:
        """Rebuild the ward from what was decided; decides nothing and pages nobody."""
        for event in events:
            self._now_ms = max(self._now_ms, event.at_ms)
            if self._knows(event):
                self._apply(event)
        self._treatments.restored(self._now_ms)
        self._watch.restore(self._board, self._beds)
        self._settle_ms = None

    def refusals(self, action: Action) -> tuple[str, ...]:
        """Why this act would not be accepted now: what is missing, a line each; nothing where it would be."""
        return refusals.refusals(self._parts, action, self._now_ms)

    def refusal(self, action: Action) -> str | None:
        """The same in one text, or None where it would be accepted."""
        return "\n".join(self.refusals(action)) or None

    # What is seen from outside.

    def snapshot(self) -> Snapshot:
        """Everything a screen needs, from one instant."""
        return picture.snapshot(self._parts, self._now_ms)

    def bed_now(self, bed: Bed) -> BedNow:
        """One bed; KeyError for one that is not in the plan."""
        return picture.bed_now(self._parts, bed, self._now_ms)

    def vital_now(self, bed: Bed, vital: Vital) -> VitalNow | None:
        """The newest word on one vital of one bed."""
        return self._beds[bed].vital_now(vital)

    def alarm_now(self, alarm_id: int) -> AlarmNow | None:
        """One open alarm, or None once it is CLEAR."""
        alarm = self._board.get(alarm_id)
        return None if alarm is None else picture.alarm_now(self._parts, alarm, self._now_ms)

    def page_now(self, page_id: int) -> PageNow | None:
        """One page, or None where it is not kept any more."""
        page = self._paging.get(page_id)
        return None if page is None else picture.page_now(page)

    def link_now(self, device: Device) -> LinkNow:
        """One device's link; KeyError for one that is not in the plan."""
        return picture.link_now(self._parts, device, self._now_ms)

    def part_now(self, part: str) -> PartNow:
        """One part of the service; KeyError for one that has never been heard of."""
        return self._equipment.part_now(part)

    def sound_now(self, screen: str) -> SoundNow | None:
        """What one screen has said of its sound."""
        return self._sounds.of(screen)

    def duty_now(self) -> DutyNow:
        """Who is on duty and who has which bed."""
        return self._calling.duty_now(self._now_ms)

    def treatment(self, session: int) -> tuple[Record, Seen] | None:
        """One treatment and what is known of its patient; None for a watch, or once nothing is owed of it."""
        stay = self._treatments.of(session)
        return None if stay is None else (stay.record, self._treatments.seen(stay))

    def treatments(self) -> tuple[int, ...]:
        """The treatments at the beds, and those that are over and of which a form is owed, oldest first."""
        return tuple(stay.session for stay in self._treatments)

    def unreported(self) -> list[PageOrdered]:
        """The pages of which no pager has said anything yet: what the outbox takes up after a restart."""
        return [page.ordered for page in self._paging if not page.outcomes and not page.over]

    # Hearing.

    def _hear(self, reading: Reading) -> list[Happening]:
        bedside = self._beds.get(reading.bed)
        if bedside is None or bedside.session is None:
            return []  # nobody lies there
        if reading.at_ms < bedside.session.opened_at_ms:
            bedside.tells_of_earlier(reading.device, self._now_ms, EARLIER_MS)
            return []  # it was measured on somebody else
        if reading.late:
            return [] if bedside.another_spoke(reading) else [reading]
        self._now_ms = max(self._now_ms, reading.at_ms)
        if bedside.prefers_another(reading):
            return []
        reading = self._watch.weighs(bedside, reading)
        out: list[Happening] = [reading]
        if reading.value is not None:
            if bedside.speaker.get(reading.vital) != reading.device:
                self._make_all(self._sources.move(bedside, reading, self._now_ms), out)
            bedside.last[reading.vital] = reading
            if bedside.stay is not None:
                bedside.stay.samples.hears(reading)
        bedside.now[reading.vital] = reading
        changes = self._watch.hears(bedside, reading)
        if changes:
            self._judge(changes, out)
            self._settle(out)
        return out

    def _hear_table(self, table: Readings) -> list[Happening]:
        """What hearing the readings one by one would lead to; at once where none of them moves anything."""
        bedside = self._beds.get(table.bed)
        if bedside is None or bedside.session is None:
            return []
        ours = table.since(bedside.session.opened_at_ms)
        if ours is not table:
            bedside.tells_of_earlier(table.device, self._now_ms, EARLIER_MS)
        if ours is None:
            return []
        if ours.late:
            if all(bedside.alone(vital, ours.device) for vital in ours.vitals):
                return [ours]
            return [reading for reading in ours.each() if not bedside.another_spoke(reading)]
        apart = any(bedside.speaker.get(vital) not in (None, ours.device) for vital in ours.vitals)
        if (
            apart
            or any(map(bedside.prefers_another, ours.row(0)))
            or not (self._watch.rests(bedside, ours) and self._watch.agrees(bedside, ours))
        ):
            return [event for reading in ours.each() for event in self._hear(reading)]
        for vital in ours.vitals:
            bedside.speaks(vital, ours.device, ours.times_ms[0])
        if bedside.stay is not None:
            bedside.stay.samples.hears_table(ours)
        # Nothing moves before the last row, and of what it says nothing else stays.
        out: list[Happening] = [ours]
        for reading in ours.row(-1):
            out += self._hear(reading)[1:]
        return out

    def _hear_told(self, event: TreatmentEvent) -> list[Happening]:
        """In a replay: what was done and decided then, of which nothing is decided again."""
        self._now_ms = max(self._now_ms, event.at_ms)
        out: list[Happening] = [event]
        self._apply(event)
        self._settle(out)
        return out

    def _hear_act(self, act: Asked) -> list[Happening]:
        """What staff do with a treatment: decided by its own session, and applied like all else."""
        self._now_ms = max(self._now_ms, act.at_ms)
        if self.refusals(act):
            return []
        out: list[Happening] = []
        if isinstance(act, TreatmentOpened):
            self._open_treatment(act, out)
        else:
            self._make_all(self._treatments.answer(act), out)
            self._end_pauses_of_before(act, out)
            if isinstance(act, Stepped) and out and _closes(out):
                self._discharge(Discharged(act.at_ms, act.session, act.by), out)
        self._settle(out)
        return out

    def _open_treatment(self, asked: TreatmentOpened, out: list[Happening]) -> None:
        opened = replace(asked, session=self._visits.next)
        profile = self._parts.plan.therapies[opened.therapy].limits
        admitted = Admitted(opened.at_ms, opened.bed, opened.alias, Baseline(), profile, None, opened.by)
        self._make(opened, out)
        self._make(admitted, out)
        self._make(self._visits.open(admitted, SessionPhase.TREATMENT), out)

    def _accept(self, event: Heard) -> Heard | None:  # noqa: PLR0911  a table of events
        match event:
            case Paused():
                event = replace(event, pause_id=self._last_pause + 1)
                return event if self.refusal(event) is None else None
            case CuffTaken():
                return self._accept_cuff(event)
            case CuffNotTaken():
                return event if self._cuffs.waits_for(event) else None
            case LinkMoved() | DeviceNoted() | PartMoved():
                return event if self._equipment.is_news(event) else None
            case PageReported():
                return event if self._paging.get(event.page_id) else None
            case SoundSaid():
                return event if self._sounds.is_news(event) else None
            case ServiceStarted() | Reading() | Readings():
                return event
            case _:
                return event if self.refusal(event) is None else None

    def _accept_cuff(self, taken: CuffTaken) -> CuffTaken | None:
        bedside = self._beds.get(taken.bed)
        if bedside is None or bedside.session is None:
            return None
        if not bedside.holds(taken.measured_at_ms):
            if tells_an_earlier_cuff(bedside, taken):
                self._settle_ms = None
            return None
        return replace(taken, cuff=self._watch.weighs_cuff(bedside, taken))

    def _knows(self, event: Happening) -> bool:
        """Whether an event of the journal is about something the clinic still has.

        Beds are taken out of the file and rules are renamed; what was said of them stays in the journal.
        """
        if isinstance(event, TreatmentEvent):
            return True  # a session is known by its number: what is owed of it is owed without its bed, too
        bed = getattr(event, "bed", CLINIC)
        known = bed == CLINIC or bed in self._beds
        match event:
            case AlarmMoved():
                known = known and event.rule in self._rules
                if not known:
                    self._board.gone(event)
            case PageOrdered():
                self._paging.last_id = max(self._paging.last_id, event.page_id)
                known = known and event.rule in self._rules
            case SessionMoved():
                self._visits.number_given(event)
            case _:
                pass
        return known

    # Applying. Whatever happened, live or in the journal, becomes so here and nowhere else.

    def _apply(self, event: Happening) -> None:  # noqa: C901, PLR0912, PLR0915  a line a kind of event, and none forgotten
        match event:
            case AlarmMoved():
                if event.now is AlarmState.CLEAR:
                    self._keep_for_the_list(event)
                self._board.apply(event)
                self._paging.moved(event)
                self._tell_stay(event)
            case PageOrdered():
                self._paging.ordered(event)
                self._parts.trials.ordered(self._paging.get(event.page_id))
            case PageReported():
                self._paging.reported(event)
            case PageChanged():
                self._paging.changed(event)
            case PageRecalled():
                self._paging.recalled(event)
            case Accepted():
                self._paging.accepted(event)
                self._parts.trials.answered(self._paging.get(event.page_id), event)
            case Rejected():
                self._paging.rejected(event)
                self._parts.trials.answered(self._paging.get(event.page_id), event)
            case HelpCalled():
                self._paging.help_called(event)
            case Acked():
                self._board.acked(event)
            case Admitted():
                self._beds[event.bed].admitted = event
            case SessionMoved():
                self._session_moved(event)
            case CuffTaken():
                bedside = self._beds[event.bed]
                bedside.hears_cuff(event)
                if bedside.stay is not None:
                    self._treatments.hears_cuff(bedside.stay, event)
            case CuffOrdered():
                self._beds[event.bed].orders_cuff(event)
            case CuffStopped():
                self._beds[event.bed].stops_cuff(event)
            case CuffNotTaken():
                self._beds[event.bed].misses_cuff(event)
            case SourceMoved():
                self._sources.moved(self._beds[event.bed], event)
            case Paused():
                self._last_pause = max(self._last_pause, event.pause_id)
                self._beds[event.bed].pauses[event.pause_id] = event
            case Resumed():
                self._beds[event.bed].pauses.pop(event.pause_id, None)
            case LimitSet():
                bedside = self._beds[event.bed]
                bedside.set_limit(event)
                self._watch.set_limits(bedside, event.at_ms)
            case VitalTyped():
                bedside = self._beds[event.bed]
                bedside.typed[event.vital] = event
                if bedside.stay is not None:
                    bedside.stay.samples.hears_typed(event)
                    bedside.stay.stirs()
            case DutySet():
                self._calling.duty_set(event)
            case HandedOver():
                self._calling.handed_over(event)
            case TrialAsked():
                self._parts.trials.asked(event)
            case PageOpened():
                self._paging.opened(event)
            case ScreenMoved():
                self._sounds.forget(event.screen)
            case SoundSaid():
                self._sounds.said(event)
            case LinkMoved():
                self._equipment.link_moved(event)
            case DeviceNoted():
                self._noted(event)
            case PartMoved():
                self._equipment.part_moved(event)
            case ServiceStarted():
                self._equipment.started(event)
                for bedside in self._beds.values():
                    bedside.cuff_over()
            case Reading() | Readings() | Discharged() | CuffAsked() | CuffCancelled():
                pass
            case _:
                # Every other kind is of a treatment, and the type checker knows it.
                self._treatments.applies(event)
        if isinstance(event, AlarmMoved | Paused | Resumed):
            self._calling.quieten(event.bed, event.at_ms)
        self._settle_ms = None

    def _tell_stay(self, moved: AlarmMoved) -> None:
        bedside = self._beds.get(moved.bed)
        if bedside is not None and bedside.stay is not None:
            bedside.stay.alarm_moved(moved)

    def _keep_for_the_list(self, moved: AlarmMoved) -> None:
        """An alarm is over. One that was never raised leaves nothing to be remembered."""
        alarm = self._board.get(moved.alarm_id)
        if alarm is not None and alarm.raised_at_ms is not None:
            was = picture.alarm_now(self._parts, alarm, self._now_ms)
            self._over.keep(was, moved, self._board.last_ack(moved.alarm_id))

    def _session_moved(self, moved: SessionMoved) -> None:
        bedside = self._beds[moved.bed]
        self._visits.moved(bedside, moved)
        self._treatments.moved(bedside, moved)
        if moved.now is not SessionPhase.CLOSED:
            self._paging.new_patient(moved.bed)
        self._over.new_patient(moved.bed)
        self._board.new_patient(moved.bed)
        self._sources.new_patient(moved.bed)
        self._watch.new_patient(bedside, moved.at_ms)

    def _noted(self, noted: DeviceNoted) -> None:
        bedside = self._beds[self._equipment.bed_of(noted.device)]
        if CUFF_MEASURING in self._equipment.noted(noted):
            bedside.cuff_begins(noted.at_ms)
        self._watch.notes(bedside, noted.at_ms, self._equipment.says(*bedside.devices))

    # Deciding. What is made is applied at once and goes into the one list of the turn.

    def _make(self, event: Consequence, out: list[Happening]) -> None:
        out.append(event)
        self._apply(event)

    def _make_all(self, events: Sequence[Consequence], out: list[Happening]) -> None:
        for event in events:
            self._make(event, out)

    def _follow(self, event: Heard, out: list[Happening]) -> None:  # noqa: C901, PLR0912  a line a kind of event
        match event:
            case Admitted():
                self._make(self._visits.open(event), out)
            case Discharged():
                self._discharge(event, out)
            case Acked():
                for alarm in self._board.same_cause(event.alarm_id):
                    self._cue(alarm, Cue.ACK, out)
            case CuffTaken():
                self._judge_cuff(event, out)
            case VitalTyped():
                self._judge(self._watch.hears_typed(self._beds[event.bed], event), out)
            case CuffAsked():
                bedside = self._beds[event.bed]
                self._make_all(self._cuffs.order(bedside, CuffWhy.ASKED, self._now_ms), out)
            case CuffCancelled():
                self._make_all(self._cuffs.stop(self._beds[event.bed], self._now_ms), out)
            case CuffNotTaken():
                self._make_all(self._cuffs.order_elsewhere(event, self._now_ms), out)
            case HandedOver():
                over, ordered = self._calling.to_the_next(event)
                self._make_all([*over, *ordered], out)
                self._try_out(self._parts.trials.came_on(event.at_ms), out)
            case DutySet():
                self._try_out(self._parts.trials.came_on(event.at_ms), out)
            case TrialAsked():
                self._try_out(self._parts.trials.able(self._calling.duty.on), out)
            case _:
                pass

    def _try_out(self, people: Sequence[Staff], out: list[Happening]) -> None:
        """Send each of these a test page."""
        self._make_all(self._calling.tests(people, self._now_ms), out)

    def _discharge(self, event: Discharged, out: list[Happening]) -> None:
        closing = self._visits.close(event)
        bedside = self._beds[closing.bed]
        for alarm in self._board.of(closing.bed):
            if alarm.device is None:
                self._cue(alarm, Cue.DISCHARGE, out, note="session closed")
        if bedside.cuff_ordered is not None:
            self._make_all(self._cuffs.stop(bedside, self._now_ms), out)
        self._make(closing, out)

    def _judge_cuff(self, taken: CuffTaken, out: list[Happening]) -> None:
        bedside = self._beds[taken.bed]
        if taken.at_ms - taken.measured_at_ms > CUFF_LATE_MS:
            return  # shown with its age; what it says was true then
        if bedside.cuff is not None and taken.cuff.systolic is not None:
            shown = bedside.cuff if bedside.cuff_median else taken
            self._judge(self._watch.hears_cuff(bedside, shown, confirmed=bedside.cuff_median), out)
        else:
            self._judge(self._watch.hears_cuff(bedside, taken), out)
        unsure = self._watch.wants_repeat(bedside) or bedside.cuff_disputed
        self._make_all(self._cuffs.order_again(bedside, self._now_ms, unsure=unsure), out)

    def _treat(self, out: list[Happening]) -> None:
        """What time, a reading or an alarm leads to in the treatments, until nothing more follows."""
        while made := self._treatments.pass_time(self._now_ms):
            self._make_all(made, out)

    def _judge_time(self, out: list[Happening]) -> None:
        technical.tell(self._watch, self._beds, self._equipment, self._calling, self._now_ms)
        self._judge(self._watch.tick(self._now_ms), out)

    def _judge(self, found: Sequence[Found], out: list[Happening]) -> None:
        for f in found:
            if f.withheld and (latched := self._board.at(*f.key)) and latched.state is AlarmState.LATCHED:
                continue  # only what nobody doubts is back at once; the delay of this one runs all the same
            moved = self._board.move(
                f.key, f.cue, self._now_ms, since_ms=f.since_ms, value=f.value, limit=f.limit, note=f.note
            )
            if moved is not None:
                self._move(moved, out)
            elif f.severe and (alarm := self._board.at(*f.key)) and alarm.state is AlarmState.ACKED:
                said = alarm.rule.kind is Kind.SAID
                self._cue(alarm, Cue.LAPSE, out, value=f.value, note=f.note if said else "worse")

    def _cue(
        self, alarm: Alarm, cue: Cue, out: list[Happening], *, value: float | None = None, note: str = ""
    ) -> None:
        moved = self._board.move(alarm.key, cue, self._now_ms, value=value, note=note)
        if moved is not None:
            self._move(moved, out)

    def _move(self, moved: AlarmMoved, out: list[Happening]) -> None:
        self._make(moved, out)
        if moved.now is AlarmState.ACTIVE and moved.priority is Priority.HIGH and moved.bed in self._beds:
            bedside, vital = self._beds[moved.bed], self._rules[moved.rule].vital
            for pause in mutes.ended_by_new_high(bedside.pauses.values(), moved.bed, vital, self._now_ms):
                self._make(Resumed(self._now_ms, moved.bed, pause.pause_id, None, "a new HIGH alarm"), out)
        if AlarmState.LATCHED in (moved.was, moved.now):
            self._make_all(self._calling.rewordings(moved, self._now_ms), out)
        self._make_all(self._calling.regroupings(moved, self._now_ms), out)
        if moved.now in (AlarmState.ACKED, AlarmState.CLEAR):
            self._make_all(self._calling.recalls(moved, self._now_ms), out)

    def _lapse(self, out: list[Happening]) -> None:
        for alarm in self._board:
            until_ms = alarm.ack_until_ms
            if until_ms is not None and until_ms <= self._now_ms:
                self._cue(alarm, Cue.LAPSE, out, note="acknowledgement expired")

    def _end_pauses(self, out: list[Happening]) -> None:
        for bedside in self._beds.values():
            for pause in list(bedside.pauses.values()):
                if pause.until_ms is not None and pause.until_ms <= self._now_ms:
                    self._make(
                        Resumed(self._now_ms, pause.bed, pause.pause_id, None, "its time is over"), out
                    )

    def _end_pauses_of_before(self, act: Act, out: list[Happening]) -> None:
        """The drug has been given: what was quiet before it is so no longer (ALM-052)."""
        bedside = self._visits.at(act.session)
        if bedside is None or bedside.stay is None or bedside.stay.record.start_ms is None:
            return
        start_ms = bedside.stay.record.start_ms
        for pause in list(bedside.pauses.values()):
            if pause.at_ms < start_ms:
                self._make(Resumed(self._now_ms, pause.bed, pause.pause_id, None, "the drug is given"), out)

    def _settle(self, out: list[Happening]) -> None:
        """Order what has fallen due, until nothing more does."""
        for _ in range(_SETTLES_WITHIN):
            before = len(out)
            for alarm in self._board:
                self._make_all(self._calling.pages(alarm, self._now_ms), out)
            if len(out) > before:
                continue  # a step that is due at once comes first: all else has not changed meanwhile
            self._treat(out)
            self._judge_time(out)
            if len(out) == before:
                break
        self._make_all(self._calling.tests_over(self._now_ms), out)
        self._make_all(self._cuffs.given_up(self._now_ms), out)
        self._make_all(self._cuffs.scheduled(self._now_ms), out)
        self._settle_ms = None

    def _dues(self) -> Iterable[int]:
        for alarm in self._board:
            if (until_ms := alarm.ack_until_ms) is not None:
                yield until_ms
        for bedside in self._beds.values():
            yield from (pause.until_ms for pause in bedside.pauses.values() if pause.until_ms is not None)
            yield from (until_ms for _, until_ms in bedside.earlier.values() if until_ms > self._now_ms)
        yield from self._calling.dues(self._now_ms)
        yield from self._cuffs.dues(self._now_ms)
        if (look_ms := self._treatments.due_ms()) is not None:
            yield look_ms


Consequence = Decided | Resumed | CuffNotTaken | Admitted | TreatmentEvent
"""What follows of something else, and is made here."""


def _closes(made: Sequence[Happening]) -> bool:
    return any(isinstance(event, PhaseMoved) and event.now is Phase.CLOSED for event in made)


_NEVER = 1 << 62
_SETTLES_WITHIN = 50  # steps of a chain that fall due in one instant; more would be a circle

"""The ward: everything that is known and decided, in one deterministic machine that touches nothing.

`feed` hears one event and gives back it and what follows; `tick` lets time pass; `due_ms` says when it wants
to be called next; `restore` rebuilds it from what was decided before, and decides nothing itself.

Every decision is an event that is *made* in one place and *applied* in another. Live, both happen; a
restart only applies. So a second reading of the same journal gives the same ward, and pages nobody twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from monitor.alerts import mutes
from monitor.alerts.board import Alarm, Board
from monitor.alerts.paging import Due, Page, Paging
from monitor.alerts.roster import Duty, has_nurse, meant
from monitor.alerts.rules import LIES, RULES, Rule
from monitor.alerts.sounds import Sounds
from monitor.alerts.words import alarm_text, over_text, page_text, recall_text, since_text
from monitor.bedside import CUFF_GIVES_UP_MS, CUFF_LATE_MS, Bedside
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Cuff,
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
    Event,
    Heard,
    HelpCalled,
    Lie,
    LimitSet,
    LinkMoved,
    LinkState,
    PageChanged,
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
    StaffAction,
    Vital,
    VitalTyped,
    Why,
)
from monitor.plan import Plan
from monitor.snapshot import (
    AlarmNow,
    BedNow,
    DutyNow,
    LinkNow,
    PageNow,
    PartNow,
    SessionNow,
    Snapshot,
    SoundNow,
    VitalNow,
)
from monitor.watch import GAPS, Found, Watch

PARTS: Mapping[str, str] = {
    "journal": "not-recording",
    "paging": "paging-down",
    "clock": "clock-drift",
    "loop": "loop-late",
}
"""Which condition a part of the service raises when it is not well."""

UNPAGED = ("paging-down",)
"""Conditions that no page could tell of: every screen does."""


SILENCING = ("link-lost", "frozen", "old-data")
"""Conditions of a device that explain why a vital of it has no number."""

EARLIER_MS = 5_000
EARLIER_CUFF_MS = 300_000
"""How long a reading of before this patient stands for a device that shows somebody else's; a cuff's longer,
for it comes once."""

EARLIER_CUFFS = 3
"""One pressure is what any monitor still shows of the patient before, a second was in the making when this
one came; three are what it has stored."""

BACK_TOLD_MS = 60_000
"""How long it is said that a device speaks again; that it stands in for another, as long as it does."""

CUFF_MEASURING = "cuff measuring"
"""How drivers say that a cuff is running."""

OVER_MAX = 500
"""How many alarms that are over are kept of a bed, and of the service; the journal has them all."""


class Ward:
    """See the module. One object a clinic; not for use by two threads."""

    def __init__(self, plan: Plan) -> None:
        """A ward that has heard nothing yet."""
        self._plan = plan
        self._rules: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
        self._beds: dict[Bed, Bedside] = {}
        for index, (bed, place) in enumerate(plan.beds):
            devices = tuple(d.device for d in plan.devices if d.bed == bed)
            self._beds[bed] = Bedside(index, bed, place, devices)
        self._names = [bed for bed, _ in plan.beds]
        self._devices = {d.device: d for d in plan.devices}
        self._watch = Watch(plan)
        self._board = Board(self._rules, self._explains)
        self._paging = Paging(plan.chains, plan.ways)
        self._links: dict[Device, LinkMoved] = {}
        self._notices: dict[Device, tuple[str, ...]] = {}
        self._lies: dict[Device, dict[Lie, int]] = {}
        self._sources: dict[tuple[Bed, Vital], SourceMoved] = {}
        self._parts: dict[str, PartMoved] = {}
        self._duty = plan.duty
        self._duty_set: DutySet | None = None
        self._sounds = Sounds()
        self._closed: dict[int, SessionNow] = {}
        self._over: dict[Bed, deque[AlarmNow]] = {}
        self._last_session = self._last_pause = 0
        self._now_ms = 0
        self._since_ms = 0
        self._settle_ms: int | None = None

    # The four doors.

    def feed(self, event: Event) -> list[Event]:
        """Hear one event: it and what follows from it, or nothing where it is not accepted."""
        if isinstance(event, Reading):
            return self._hear(event)
        if isinstance(event, Readings):
            return self._hear_table(event)
        if isinstance(event, Decided):
            raise ValueError(f"a ward decides {type(event).__name__}; to rebuild one, use restore()")  # noqa: TRY004
        self._now_ms = max(self._now_ms, event.at_ms)
        accepted = self._accept(event)
        if accepted is None:
            return []
        out: list[Event] = [accepted]
        self._apply(accepted)
        self._follow(accepted, out)
        self._settle(out)
        return out

    def tick(self, now_ms: int) -> list[Event]:
        """Let time pass: holds that have run, values that have grown stale, pages that are due."""
        self._now_ms = max(self._now_ms, now_ms)
        due = self.due_ms()
        if due is not None and self._now_ms < due:
            return []
        out: list[Event] = []
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

    def restore(self, events: Iterable[Event]) -> None:
        """Rebuild the ward from what was decided; decides nothing and pages nobody."""
        for event in events:
            self._now_ms = max(self._now_ms, event.at_ms)
            if self._knows(event):
                self._apply(event)
        self._watch.restore(self._board, self._beds)
        self._settle_ms = None

    def refusal(  # noqa: C901, PLR0911, PLR0912  a table of acts
        self, action: StaffAction | CuffTaken
    ) -> str | None:
        """Why this act would not be accepted now, in words, or None where it would."""
        match action:
            case Admitted():
                return self._refuse_admission(action)
            case Discharged(session=session):
                return self._refuse_discharge(session)
            case Acked(alarm_id=alarm_id):
                alarm = self._board.get(alarm_id)
                if alarm is None or alarm.state is AlarmState.ACKED:
                    return _answered(self._board.last_ack(alarm_id), alarm, action.at_ms)
                return None if alarm.state in _ANSWERABLE else "This alarm has not been raised yet."
            case Accepted(page_id=page_id) | Rejected(page_id=page_id):
                page = self._paging.get(page_id)
                return "There is no such page." if page is None else _refuse_answer(page, action)
            case HelpCalled(page_id=page_id):
                return self._refuse_help(self._paging.get(page_id))
            case Paused(bed=bed):
                return self._refuse_occupied(bed) or mutes.refusal(action)
            case Resumed(bed=bed, pause_id=pause_id):
                there = bed in self._beds and pause_id in self._beds[bed].pauses
                return None if there else "This pause has ended."
            case LimitSet():
                return self._refuse_occupied(action.bed) or self._watch.refuse_limit(action)
            case DutySet():
                return self._refuse_duty(action)
            case CuffAsked(bed=bed):
                return self._refuse_occupied(bed) or self._refuse_cuff(self._beds[bed])
            case CuffCancelled(bed=bed):
                return self._refuse_occupied(bed) or self._refuse_stop(self._beds[bed])
            case VitalTyped(bed=bed) | CuffTaken(bed=bed):
                return self._refuse_occupied(bed)
            case ScreenMoved() | SoundSaid():
                return None
            case _:
                assert_never(action)

    # Hearing.

    def _hear(self, reading: Reading) -> list[Event]:
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
        out: list[Event] = [reading]
        if reading.value is not None:
            if bedside.speaker.get(reading.vital) != reading.device:
                self._another_speaks(bedside, reading, out)
            bedside.last[reading.vital] = reading
        bedside.now[reading.vital] = reading
        changes = self._watch.hears(bedside, reading)
        if changes:
            self._judge(changes, out)
            self._settle(out)
        return out

    def _hear_table(self, table: Readings) -> list[Event]:
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
        # Nothing moves before the last row, and of what it says nothing else stays.
        out: list[Event] = [ours]
        for reading in ours.row(-1):
            out += self._hear(reading)[1:]
        return out

    def _accept(self, event: Heard) -> Heard | None:  # noqa: PLR0911  a table of events
        match event:
            case Paused():
                event = replace(event, pause_id=self._last_pause + 1)
                return event if self.refusal(event) is None else None
            case CuffTaken():
                return self._accept_cuff(event)
            case CuffNotTaken():
                return event if self._waits_for(event) else None
            case LinkMoved() | DeviceNoted():
                return event if event.device in self._devices else None
            case PageReported():
                return event if self._paging.get(event.page_id) else None
            case PartMoved():
                before = self._parts.get(event.part)
                return event if before is None or before.ok != event.ok else None
            case SoundSaid():
                return event if self._sounds.is_news(event) else None
            case ServiceStarted():
                return event
            case Reading() | Readings():
                return event
            case _:
                return event if self.refusal(event) is None else None

    def _accept_cuff(self, taken: CuffTaken) -> CuffTaken | None:
        bedside = self._beds.get(taken.bed)
        if bedside is None or bedside.session is None:
            return None
        if not bedside.holds(taken.measured_at_ms):
            if taken.device is not None and bedside.tells_an_earlier_cuff(taken.device) >= EARLIER_CUFFS:
                bedside.tells_of_earlier(taken.device, taken.at_ms, EARLIER_CUFF_MS)
                self._settle_ms = None
            return None
        return replace(taken, cuff=self._watch.weighs_cuff(bedside, taken))

    def _apply(self, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915  a line a kind of event, and none forgotten
        match event:
            case AlarmMoved():
                if event.now is AlarmState.CLEAR:
                    self._keep_for_the_list(event)
                self._board.apply(event)
                self._paging.moved(event)
            case PageOrdered():
                self._paging.ordered(event)
            case PageReported():
                self._paging.reported(event)
            case PageChanged():
                self._paging.changed(event)
            case PageRecalled():
                self._paging.recalled(event)
            case Accepted():
                self._paging.accepted(event)
            case Rejected():
                self._paging.rejected(event)
            case HelpCalled():
                self._paging.help_called(event)
            case Acked():
                self._board.acked(event)
            case Admitted():
                self._beds[event.bed].admitted = event
            case SessionMoved():
                self._session_moved(event)
            case CuffTaken():
                self._beds[event.bed].hears_cuff(event)
            case CuffOrdered():
                self._beds[event.bed].orders_cuff(event)
            case CuffStopped():
                self._beds[event.bed].stops_cuff(event)
            case CuffNotTaken():
                self._beds[event.bed].misses_cuff(event)
            case SourceMoved():
                self._beds[event.bed].takes_over(event)
                self._sources[event.bed, event.vital] = event
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
                self._beds[event.bed].typed[event.vital] = event
            case DutySet():
                self._duty_set, self._duty = event, Duty(event.on, dict(event.beds))
            case ScreenMoved():
                self._sounds.forget(event.screen)
            case SoundSaid():
                self._sounds.said(event)
            case LinkMoved():
                self._links[event.device] = event
            case DeviceNoted():
                self._noted(event)
            case PartMoved():
                self._parts[event.part] = event
            case ServiceStarted():
                self._started(event)
            case Reading() | Readings() | Discharged() | CuffAsked() | CuffCancelled():
                pass
            case _:
                assert_never(event)
        if isinstance(event, AlarmMoved | Paused | Resumed):
            self._quieten(event.bed, event.at_ms)
        self._settle_ms = None

    def _noted(self, noted: DeviceNoted) -> None:
        before = self._notices.get(noted.device, ())
        self._notices[noted.device] = noted.what
        lies = self._lies.get(noted.device, {})
        told = {lie: lies.get(lie, noted.at_ms) for lie in Lie if lie in noted.what}
        if told or lies:
            self._lies[noted.device] = told
        bedside = self._beds[self._devices[noted.device].bed]
        if CUFF_MEASURING in noted.what and CUFF_MEASURING not in before:
            bedside.cuff_begins(noted.at_ms)
        self._watch.notes(bedside, noted.at_ms, self._says_at(bedside.bed))

    def _keep_for_the_list(self, moved: AlarmMoved) -> None:
        """An alarm is over. One that was never raised leaves nothing to be remembered."""
        alarm, ack = self._board.get(moved.alarm_id), self._board.last_ack(moved.alarm_id)
        if alarm is None or alarm.raised_at_ms is None:
            return
        was = self._alarm_now(alarm)
        over = replace(
            was,
            state=AlarmState.CLEAR,
            note=moved.note,
            acked_by=ack.by if ack else was.acked_by,
            acked_at_ms=ack.at_ms if ack else was.acked_at_ms,
            ack_until_ms=None,
            quiet=None,
            quiet_by=None,
            spoken_for=False,
            next_page_ms=None,
            over_at_ms=moved.at_ms,
        )
        self._over.setdefault(moved.bed, deque(maxlen=OVER_MAX)).append(over)

    def _quieten(self, bed: Bed, at_ms: int) -> None:
        """Whose chain stands still now: a worse alarm speaks for it, or a pause holds its pages back."""
        bedside = self._beds.get(bed)
        pauses = bedside.pauses.values() if bedside else ()
        for alarm in self._board.of(bed):
            quiet = self._board.speaker(alarm) is not None or (
                mutes.why_unpaged(pauses, bed, alarm.rule.vital, alarm.priority, at_ms) is not None
            )
            self._paging.quieted(alarm.alarm_id, at_ms, quiet=quiet)

    def _knows(self, event: Event) -> bool:
        """Whether an event of the journal is about something the clinic still has.

        Beds are taken out of the file and rules are renamed; what was said of them stays in the journal.
        """
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
                self._last_session = max(self._last_session, event.session)
            case _:
                pass
        return known

    def _follow(self, event: Heard, out: list[Event]) -> None:
        match event:
            case Admitted():
                self._make(
                    SessionMoved(
                        event.at_ms, self._last_session + 1, event.bed, None, SessionPhase.WATCH, event.by
                    ),
                    out,
                )
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
                self._order_cuff(self._beds[event.bed], CuffWhy.ASKED, out)
            case CuffCancelled():
                self._stop_cuff(self._beds[event.bed], out)
            case CuffNotTaken():
                self._order_next_cuff(event, out)
            case _:
                pass

    # Deciding. What is made here is applied at once and goes into the one list of the turn.

    def _make(self, event: Decided | Resumed | CuffNotTaken, out: list[Event]) -> None:
        out.append(event)
        self._apply(event)

    def _judge(self, found: Sequence[Found], out: list[Event]) -> None:
        for f in found:
            moved = self._board.move(
                f.key, f.cue, self._now_ms, since_ms=f.since_ms, value=f.value, limit=f.limit, note=f.note
            )
            if moved is not None:
                self._move(moved, out)
            elif f.severe and (alarm := self._board.at(*f.key)) and alarm.state is AlarmState.ACKED:
                self._cue(alarm, Cue.LAPSE, out, value=f.value, note="worse")

    def _another_speaks(self, bedside: Bedside, reading: Reading, out: list[Event]) -> None:
        """The first word of a device on this vital: of the session, or after another one's."""
        was = bedside.speaker.get(reading.vital)
        if was is None:
            bedside.speaks(reading.vital, reading.device, reading.at_ms)
            return
        vital, now = reading.vital, reading.device
        if bedside.ranks(now) < bedside.ranks(was):
            why = f"{vital.label} from {now} again"
        elif self._is_up(was):
            why = f"{vital.label} now from {now}: {was} has no value"
        else:
            why = f"{vital.label} now from {now}: {was} is silent"
        self._make(SourceMoved(self._now_ms, bedside.bed, vital, was, now, why), out)

    def _judge_time(self, out: list[Event]) -> None:
        self._watch_technical()
        self._judge(self._watch.tick(self._now_ms), out)

    def _cue(
        self, alarm: Alarm, cue: Cue, out: list[Event], *, value: float | None = None, note: str = ""
    ) -> None:
        moved = self._board.move(alarm.key, cue, self._now_ms, value=value, note=note)
        if moved is not None:
            self._move(moved, out)

    def _move(self, moved: AlarmMoved, out: list[Event]) -> None:
        self._make(moved, out)
        if moved.now is AlarmState.ACTIVE and moved.priority is Priority.HIGH and moved.bed in self._beds:
            bedside, vital = self._beds[moved.bed], self._rules[moved.rule].vital
            for pause in mutes.ended_by_new_high(bedside.pauses.values(), moved.bed, vital, self._now_ms):
                self._make(Resumed(self._now_ms, moved.bed, pause.pause_id, None, "a new HIGH alarm"), out)
        if AlarmState.LATCHED in (moved.was, moved.now):
            self._reword(moved, out)
        if moved.now in (AlarmState.ACKED, AlarmState.CLEAR):
            self._recall(moved, out)

    def _reword(self, moved: AlarmMoved, out: list[Event]) -> None:
        """Its condition has ended before anybody has looked, or is back: the pages that are out say so."""
        alarm = self._board.get(moved.alarm_id)
        if alarm is not None:
            words = self._page_text(alarm)
            for page in self._paging.of(alarm.alarm_id):
                if page.text != words:
                    self._make(PageChanged(self._now_ms, page.ordered.page_id, words), out)

    def _recall(self, moved: AlarmMoved, out: list[Event]) -> None:
        rule = self._rules[moved.rule]
        text = alarm_text(rule, moved.value, moved.limit, self._cuff_of(moved.bed), self._says(moved.device))
        over = over_text(rule, text, self._value_now(moved.bed, rule), moved.cue)
        for page in self._paging.of(moved.alarm_id):
            words = recall_text(moved.bed, over)
            self._make(PageRecalled(self._now_ms, page.ordered.page_id, words, moved.cue.value), out)

    def _lapse(self, out: list[Event]) -> None:
        for alarm in self._board:
            until_ms = alarm.ack_until_ms
            if until_ms is not None and until_ms <= self._now_ms:
                self._cue(alarm, Cue.LAPSE, out, note="acknowledgement expired")

    def _end_pauses(self, out: list[Event]) -> None:
        for bedside in self._beds.values():
            for pause in list(bedside.pauses.values()):
                if pause.until_ms <= self._now_ms:
                    self._make(
                        Resumed(self._now_ms, pause.bed, pause.pause_id, None, "its time is over"), out
                    )

    def _settle(self, out: list[Event]) -> None:
        """Order what has fallen due, until nothing more does."""
        for _ in range(_SETTLES_WITHIN):
            before = len(out)
            for alarm in self._board:
                self._page(alarm, out)
            self._judge_time(out)
            if len(out) == before:
                break
        self._give_up_cuffs(out)
        self._settle_ms = None

    def _page(self, alarm: Alarm, out: list[Event]) -> None:
        due = self._page_due(alarm)
        if due is None or due.at_ms > self._now_ms:
            return
        step, to = self._whom(alarm, due)
        words = self._page_text(alarm)
        for name in to:
            page = PageOrdered(
                at_ms=self._now_ms,
                page_id=self._paging.last_id + 1,
                alarm_id=alarm.alarm_id,
                bed=alarm.bed,
                rule=alarm.rule.name,
                priority=alarm.priority,
                step=step,
                to=name,
                why=due.why,
                text=words,
            )
            self._make(page, out)

    def _page_due(self, alarm: Alarm) -> Due | None:
        if alarm.rule.condition in UNPAGED:
            return None
        due = self._paging.due(alarm)
        return due if due is not None and self._reachable(alarm) else None

    def _whom(self, alarm: Alarm, due: Due) -> tuple[int, tuple[Staff, ...]]:
        """The step that goes out, and the people on duty it means."""
        steps = self._plan.chains[alarm.priority].steps
        if due.why is Why.STILL_LATCHED:  # a reminder is no step of the chain
            return due.step, next(filter(None, (self._meant(s.to, alarm.bed) for s in steps)), ())
        for number in range(due.step, len(steps)):
            # A step that means nobody on duty is no step: go on to the next at once.
            if to := self._meant(steps[number].to, alarm.bed):
                return number, to
        # Nobody further up is on duty: who can be reached is asked again, in the time of the chain.
        return due.step, next(filter(None, (self._meant(s.to, alarm.bed) for s in reversed(steps))), ())

    def _reachable(self, alarm: Alarm) -> bool:
        steps = self._plan.chains[alarm.priority].steps
        return any(self._meant(step.to, alarm.bed) for step in steps)

    def _meant(self, to: Sequence[str], bed: Bed) -> tuple[Staff, ...]:
        names = [name for role in to for name in meant(role, bed, self._duty, self._plan.people)]
        return tuple(dict.fromkeys(names))

    def _judge_cuff(self, taken: CuffTaken, out: list[Event]) -> None:
        bedside = self._beds[taken.bed]
        if taken.at_ms - taken.measured_at_ms > CUFF_LATE_MS:
            return  # shown with its age; what it says was true then
        if bedside.cuff is not None and taken.cuff.systolic is not None:
            shown = bedside.cuff if bedside.cuff_median else taken
            self._judge(self._watch.hears_cuff(bedside, shown, confirmed=bedside.cuff_median), out)
        else:
            self._judge(self._watch.hears_cuff(bedside, taken), out)
        if bedside.cuff_excused:
            return  # it was ended here: whoever wants another one asks for it
        if (self._watch.wants_repeat(bedside) or bedside.cuff_disputed) and bedside.failures <= 1:
            self._order_cuff(bedside, CuffWhy.CONFIRM, out)
        elif bedside.failures == 1:
            # One try more: a cuff that fails twice is an alarm, one that failed once is only late.
            self._order_cuff(bedside, CuffWhy.SCHEDULED, out)

    def _order_cuff(self, bedside: Bedside, why: CuffWhy, out: list[Event]) -> None:
        if self._refuse_cuff(bedside) is None:
            device = next(d for d in self._cuffs(bedside) if self._is_up(d))
            self._make(CuffOrdered(self._now_ms, bedside.bed, device, why), out)

    def _cuffs(self, bedside: Bedside) -> list[Device]:
        """The devices of a bed that can start a cuff, the one to be used first."""
        return [d for d in bedside.devices if self._devices[d].starts_cuff]

    def _waits_for(self, missed: CuffNotTaken) -> bool:
        bedside = self._beds.get(missed.bed)
        ordered = None if bedside is None else bedside.cuff_ordered
        return ordered is not None and ordered.device == missed.device

    def _order_next_cuff(self, missed: CuffNotTaken, out: list[Event]) -> None:
        """A device has refused: the next one of the bed is asked, each of them once."""
        cuffs = self._cuffs(self._beds[missed.bed])
        later = cuffs[cuffs.index(missed.device) + 1 :]
        if (device := next(filter(self._is_up, later), None)) is not None:
            self._make(CuffOrdered(self._now_ms, missed.bed, device, missed.asked), out)

    def _stop_cuff(self, bedside: Bedside, out: list[Event]) -> None:
        """End what was ordered; where nothing was, whatever a monitor of the bed may be doing by itself."""
        ordered = bedside.cuff_ordered
        for device in self._cuffs(bedside) if ordered is None else [ordered.device]:
            self._make(CuffStopped(self._now_ms, bedside.bed, device), out)

    def _give_up_cuffs(self, out: list[Event]) -> None:
        for bedside in self._beds.values():
            ordered = bedside.cuff_ordered
            if ordered is not None and self._now_ms - ordered.at_ms >= CUFF_GIVES_UP_MS:
                why = f"nothing has come of it for {CUFF_GIVES_UP_MS // 1000} s"
                self._make(CuffNotTaken(self._now_ms, bedside.bed, ordered.device, ordered.why, why), out)

    def _discharge(self, event: Discharged, out: list[Event]) -> None:
        bedside = self._bed_of(event.session)
        if bedside is None or bedside.session is None:
            raise ValueError(f"session {event.session} was accepted for closing and is not open")
        for alarm in self._board.of(bedside.bed):
            if alarm.device is None:
                self._cue(alarm, Cue.DISCHARGE, out, note="session closed")
        if bedside.cuff_ordered is not None:
            self._stop_cuff(bedside, out)
        was = bedside.session.phase
        self._make(
            SessionMoved(event.at_ms, event.session, bedside.bed, was, SessionPhase.CLOSED, event.by), out
        )

    def _session_moved(self, moved: SessionMoved) -> None:
        bedside = self._beds[moved.bed]
        self._last_session = max(self._last_session, moved.session)
        if moved.now is SessionPhase.CLOSED:
            if (closed := bedside.closed(moved)) is not None:
                self._closed[moved.session] = closed
        else:
            bedside.opened(moved)
            self._paging.new_patient(moved.bed)
        self._over.pop(moved.bed, None)
        self._sources = {key: source for key, source in self._sources.items() if key[0] != moved.bed}
        self._watch.new_patient(bedside, moved.at_ms)

    def _started(self, event: ServiceStarted) -> None:
        self._since_ms = event.at_ms
        # What the links and the service's own parts were doing before the restart is not known any more.
        self._links.clear()
        self._parts.clear()
        self._notices.clear()
        self._lies.clear()
        for bedside in self._beds.values():
            bedside.cuff_over()

    # What the service itself and its devices are doing, as conditions.

    def _watch_technical(self) -> None:
        now_ms = self._now_ms
        for device, plan in self._devices.items():
            taken, down_ms = self._beds[plan.bed].session is not None, self._down_since_ms(device)
            self._watch.holds("link-lost", plan.bed, device, down_ms, session=taken)
            for lie, since_ms in self._lies_of(device, down_ms):
                self._watch.holds(LIES[lie], plan.bed, device, since_ms, session=taken)
        for bedside in self._beds.values():
            self._watch.silences(bedside, self._since_ms, now_ms)
            self._watch.cuff(bedside, now_ms)
            for device, (since_ms, until_ms) in bedside.earlier.items():
                told_ms = since_ms if now_ms < until_ms else None
                self._watch.holds("earlier-patient", bedside.bed, device, told_ms, session=True)
            nurse = not self._plan.live or has_nurse(bedside.bed, self._duty, self._plan.people)
            self._watch.nurse(bedside, present=nurse, now_ms=now_ms)
        self._watch.swept(self._beds.values(), now_ms)
        for part, condition in PARTS.items():
            moved = self._parts.get(part)
            since_ms = moved.since_ms if moved and not moved.ok else None
            grace_ms = self._plan.undelivered_ms
            if part == "paging" and since_ms is None and grace_ms is not None:
                since_ms = self._paging.undelivered_since_ms(grace_ms, now_ms)
            self._watch.holds(condition, CLINIC, None, since_ms, session=False)

    def _lies_of(self, device: Device, down_ms: int | None) -> list[tuple[Lie, int | None]]:
        """What this device has ever made up, and since when it does so now; one that is down says nothing."""
        told = self._lies.get(device)
        if told is None:
            return []
        return [(lie, told.get(lie) if down_ms is None else None) for lie in Lie]

    def _down_since_ms(self, device: Device) -> int | None:
        if not self._plan.live:
            return None
        moved = self._links.get(device)
        if moved is None:
            return self._since_ms
        return None if moved.now is LinkState.UP else moved.since_ms

    def _is_up(self, device: Device) -> bool:
        return self._down_since_ms(device) is None

    def _explains(self, one: Alarm, other: Alarm) -> bool:
        """One cause, one page: a lost link or a frozen feed explains the silence of what its device measures.

        A weak pulse explains a low SpO2 that is not HIGH, as long as it counts as technical (C8).
        """
        if one.rule.condition == "spo2-weak":
            return other.rule.condition == "spo2-low" and other.priority < Priority.HIGH
        if one.device is None or one.rule.condition not in SILENCING:
            return False
        if one.rule.condition != "link-lost" and one.priority < other.priority:
            return False
        vitals = GAPS.get(other.rule.condition, ())
        return any(vital in self._devices[one.device].vitals for vital in vitals)

    # Why not.

    def _refuse_help(self, page: Page | None) -> str | None:
        if page is None:
            return "There is no such page."
        ordered = page.ordered
        if page.over or not self._paging.pages_more(ordered.alarm_id):
            return "No more pages go out for this alarm now: it has ended, or somebody is at the bed."
        called = [p.ordered for p in self._paging.of(ordered.alarm_id) if p.ordered.why is Why.HELP_CALLED]
        if called and self._now_ms - called[-1].at_ms < _HELP_AGAIN_MS:
            return f"More help was called just now: {called[-1].to} has been paged."
        return None

    def _refuse_admission(self, event: Admitted) -> str | None:
        bedside = self._beds.get(event.bed)
        if bedside is None:
            return f"There is no bed {event.bed}."
        if bedside.session is not None:
            return f"Bed {event.bed} has an open session. Close it first."
        if event.profile not in self._plan.profiles:
            return f"There is no limit profile {event.profile}."
        return None

    def _refuse_discharge(self, session: int) -> str | None:
        bedside = self._bed_of(session)
        if bedside is None:
            return "This session is closed." if session in self._closed else "There is no such session."
        waiting = [a for a in self._board.of(bedside.bed) if a.unanswered_high]
        if waiting:
            words = ", ".join(self._text(a) for a in waiting)
            return f"A HIGH alarm has not been acknowledged: {words}."
        return None

    def _refuse_occupied(self, bed: Bed) -> str | None:
        bedside = self._beds.get(bed)
        if bedside is None:
            return f"There is no bed {bed}."
        return None if bedside.session is not None else f"Bed {bed} has no open session."

    def _refuse_duty(self, event: DutySet) -> str | None:
        unknown = [name for name in event.on if name not in self._plan.people]
        if unknown:
            return f"{unknown[0]} is not in the staff list."
        for bed, name in event.beds:
            if bed not in self._beds:
                return f"There is no bed {bed}."
            if name not in event.on:
                return f"{name} has bed {bed} but is not on duty."
        return None

    def _refuse_cuff(self, bedside: Bedside) -> str | None:
        """Why no cuff can be started at a bed now; shown on the tile, too."""
        if bedside.session is None:
            return f"Bed {bedside.bed} has no open session."
        able = self._cuffs(bedside)
        if not able:
            return "This monitor cannot be started from here: please press its button."
        if not any(self._is_up(d) for d in able):
            return "The cuff's monitor is not connected."
        if bedside.cuff_running_since_ms is not None or self._measures_by_itself(bedside):
            return "A reading is running already."
        return None

    def _measures_by_itself(self, bedside: Bedside) -> bool:
        """Whether a monitor of the bed measures by its cycle or button: two cuffs never press one patient."""
        began_ms = bedside.cuff_began_ms
        if began_ms is None or bedside.cuff_ended_ms is not None:
            return False
        says = any(CUFF_MEASURING in self._notices.get(device, ()) for device in bedside.devices)
        return says and self._now_ms - began_ms < CUFF_GIVES_UP_MS

    def _refuse_stop(self, bedside: Bedside) -> str | None:
        able = self._cuffs(bedside)
        return None if able else "This monitor cannot be stopped from here: please press its button."

    # What is seen from outside.

    def snapshot(self) -> Snapshot:
        """Everything a screen needs, from one instant."""
        return Snapshot(
            at_ms=self._now_ms,
            beds=tuple(self.bed_now(bed) for bed in self._names),
            alarms=tuple(self._alarm_now(a) for a in self._board),
            pages=tuple(self._page_now(p) for p in self._paging),
            links=tuple(self.link_now(d) for d in self._devices),
            parts=tuple(self.part_now(p) for p in self._parts),
            duty=self.duty_now(),
            closed=tuple(self._closed.values()),
            sounds=self._sounds.now(self._now_ms),
            over=tuple(alarm for over in self._over.values() for alarm in over),
        )

    def bed_now(self, bed: Bed) -> BedNow:
        """One bed; KeyError for one that is not in the plan."""
        bedside = self._beds[bed]
        limits = self._watch.limits_now(bedside)
        return bedside.bed_now(self._now_ms, self._duty.nurse(bed), limits, self._refuse_cuff(bedside))

    def vital_now(self, bed: Bed, vital: Vital) -> VitalNow | None:
        """The newest word on one vital of one bed."""
        return self._beds[bed].vital_now(vital)

    def alarm_now(self, alarm_id: int) -> AlarmNow | None:
        """One open alarm, or None once it is CLEAR."""
        alarm = self._board.get(alarm_id)
        return None if alarm is None else self._alarm_now(alarm)

    def page_now(self, page_id: int) -> PageNow | None:
        """One page, or None where it is not kept any more."""
        page = self._paging.get(page_id)
        return None if page is None else self._page_now(page)

    def link_now(self, device: Device) -> LinkNow:
        """One device's link; KeyError for one that is not in the plan."""
        plan, moved = self._devices[device], self._links.get(device)
        return LinkNow(
            device=device,
            driver=plan.driver,
            bed=plan.bed,
            state=moved.now if moved else LinkState.CONNECTING,
            since_ms=moved.since_ms if moved else self._since_ms,
            why=moved.why if moved else "not heard from since the start",
            notices=(*self._notices.get(device, ()), *self._stands_in(device, plan.bed)),
            can_start_cuff=plan.starts_cuff,
        )

    def _stands_in(self, device: Device, bed: Bed) -> tuple[str, ...]:
        """For which vitals this device speaks in another's place, or has just taken its place back."""
        ranks = self._beds[bed].ranks
        return tuple(
            moved.why
            for (where, _), moved in self._sources.items()
            if where == bed and moved.now == device
            if ranks(moved.now) > ranks(moved.was) or self._now_ms - moved.at_ms < BACK_TOLD_MS
        )

    def part_now(self, part: str) -> PartNow:
        """One part of the service; KeyError for one that has never been heard of."""
        moved = self._parts[part]
        return PartNow(part, moved.ok, moved.since_ms, moved.why)

    def sound_now(self, screen: str) -> SoundNow | None:
        """What one screen has said of its sound."""
        return self._sounds.of(screen)

    def duty_now(self) -> DutyNow:
        """Who is on duty and who has which bed."""
        set_by = self._duty_set
        return DutyNow(
            on=self._duty.on,
            beds=tuple(self._duty.beds.items()),
            set_by=set_by.by if set_by else None,
            set_at_ms=set_by.at_ms if set_by else None,
        )

    def unreported(self) -> list[PageOrdered]:
        """The pages of which no pager has said anything yet: what the outbox takes up after a restart."""
        return [p.ordered for p in self._paging if not p.outcomes and not p.over]

    def _alarm_now(self, alarm: Alarm) -> AlarmNow:
        bedside = self._beds.get(alarm.bed)
        pauses = bedside.pauses.values() if bedside else ()
        rule, due = alarm.rule, self._page_due(alarm)
        pause = mutes.silencer(pauses, alarm.bed, rule.vital, self._now_ms)
        return AlarmNow(
            alarm_id=alarm.alarm_id,
            bed=alarm.bed,
            rule=rule.name,
            condition=rule.condition,
            priority=alarm.priority,
            technical=rule.technical,
            vital=rule.vital,
            device=alarm.device,
            state=alarm.state,
            since_ms=alarm.since_ms,
            raised_at_ms=alarm.raised_at_ms,
            value=alarm.value,
            limit=alarm.limit,
            text=self._text(alarm),
            note=alarm.note,
            acked_by=alarm.acked_by,
            acked_at_ms=alarm.acked_at_ms,
            ack_until_ms=alarm.ack_until_ms,
            quiet=pause.kind.value if pause else None,
            quiet_by=pause.by if pause else None,
            spoken_for=self._board.speaker(alarm) is not None,
            accepted_by=self._paging.accepted_by(alarm.alarm_id),
            next_page_ms=due.at_ms if due else None,
            session=self._whose(alarm),
        )

    def _whose(self, alarm: Alarm) -> int | None:
        """The session an alarm belongs to; one of a device may have been raised for the patient before."""
        bedside = self._beds.get(alarm.bed)
        began_ms = alarm.moved_at_ms if alarm.raised_at_ms is None else alarm.raised_at_ms
        if bedside is None or bedside.session is None or not bedside.holds(began_ms):
            return None
        return bedside.session.session

    def _page_now(self, page: Page) -> PageNow:
        ordered, answer = page.ordered, page.answer
        return PageNow(
            page_id=ordered.page_id,
            alarm_id=ordered.alarm_id,
            bed=ordered.bed,
            rule=ordered.rule,
            priority=ordered.priority,
            step=ordered.step,
            to=ordered.to,
            why=ordered.why,
            text=page.text,
            ordered_at_ms=ordered.at_ms,
            outcomes=tuple((o.way, o.outcome, o.why, o.at_ms) for o in page.outcomes),
            answer=None if answer is None else "accepted" if isinstance(answer, Accepted) else "rejected",
            answered_by=answer.by if answer else None,
            answered_at_ms=answer.at_ms if answer else None,
            over=page.over,
        )

    def _text(self, alarm: Alarm) -> str:
        said = self._says(alarm.device) or self._says_at(alarm.bed)
        return alarm_text(alarm.rule, alarm.value, alarm.limit, self._cuff_of(alarm.bed), said)

    def _page_text(self, alarm: Alarm) -> str:
        since = since_text(alarm.value, self._value_now(alarm.bed, alarm.rule), alarm.state)
        return page_text(alarm.bed, alarm.priority, self._text(alarm), since)

    def _says(self, device: Device | None) -> tuple[str, ...]:
        return self._notices.get(device, ()) if device else ()

    def _says_at(self, bed: Bed) -> tuple[str, ...]:
        bedside = self._beds.get(bed)
        return tuple(n for d in bedside.devices for n in self._notices.get(d, ())) if bedside else ()

    def _cuff_of(self, bed: Bed) -> Cuff | None:
        bedside = self._beds.get(bed)
        return bedside.cuff.cuff if bedside and bedside.cuff else None

    def _value_now(self, bed: Bed, rule: Rule) -> float | None:
        bedside = self._beds.get(bed)
        if bedside is None or rule.vital is None:
            return None
        now = bedside.vital_now(rule.vital)
        return now.value if now and self._now_ms <= now.fresh_until_ms else None

    def _bed_of(self, session: int) -> Bedside | None:
        for bedside in self._beds.values():
            if bedside.session is not None and bedside.session.session == session:
                return bedside
        return None

    def _dues(self) -> Iterable[int]:
        for alarm in self._board:
            if (until_ms := alarm.ack_until_ms) is not None:
                yield until_ms
            if (due := self._page_due(alarm)) is not None:
                yield due.at_ms
        for bedside in self._beds.values():
            yield from (p.until_ms for p in bedside.pauses.values())
            yield from (until for _, until in bedside.earlier.values() if until > self._now_ms)
            if bedside.cuff_running_since_ms is not None:
                yield bedside.cuff_running_since_ms + CUFF_GIVES_UP_MS
        grace_ms = self._plan.undelivered_ms
        if (
            grace_ms is not None
            and (lost_ms := self._paging.undelivered_due_ms(grace_ms, self._now_ms)) is not None
        ):
            yield lost_ms


_NEVER = 1 << 62
_MINUTE_S = 60
_HELP_AGAIN_MS = 10_000  # a second press so soon is a finger that shook, not another call
_SETTLES_WITHIN = 50  # steps of a chain that fall due in one instant; more would be a circle
_ANSWERABLE = (AlarmState.ACTIVE, AlarmState.LATCHED)


def _refuse_answer(page: Page, action: Accepted | Rejected) -> str | None:
    if page.over:
        return "This page is over."
    if type(page.answer) is type(action):
        word = "accepted" if isinstance(action, Accepted) else "rejected"
        return f"{page.answer.by} has {word} this page already."
    return None


def _answered(ack: Acked | None, alarm: Alarm | None, now_ms: int) -> str:
    """What the second of two nurses is told: who was first, and when (ALM-048)."""
    if ack is None:
        return "This alarm is over."
    ago_s = max(0, now_ms - ack.at_ms) // 1_000
    ago = f"{ago_s} s" if ago_s < _MINUTE_S else f"{ago_s // _MINUTE_S} min"
    if alarm is None:
        return f"This alarm is over: {ack.by} acknowledged it {ago} ago."
    return f"{ack.by} acknowledged this {ago} ago."

"""The treatment sessions of the ward: every act to its own session, and what time makes of each. Pure.

A session is kept by its number from its opening until nothing is owed of it, whether its bed is still there
or not; the bed only borrows it while the patient is there. What an act leads to is decided in
`monitor/sessions`; what is decided is applied here, live and after a restart alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from monitor.alerts.board import Board
from monitor.model import CLINIC, AlarmState, Baseline, Bed, CuffTaken, Priority, SessionMoved, SessionPhase
from monitor.plan import Plan
from monitor.sessions import due, session
from monitor.sessions.conditions import FORM_OWED, Condition, conditions, together
from monitor.sessions.layers import in_force
from monitor.sessions.record import Record, begin
from monitor.sessions.session import Refused
from monitor.treatment import (
    Act,
    BaselineRestarted,
    BaselineTaken,
    Made,
    Phase,
    Seen,
    TreatmentEvent,
    TreatmentOpened,
)
from monitor.treatment_now import News2Then, TreatmentBrief
from monitor.ward.bedside import Bedside
from monitor.ward.stay import Stay
from monitor.ward.treating import brief
from monitor.ward.treating.judged import news2_now
from monitor.ward.watch import Watch
from monitor.ward.wording import Wording

LOOK_MS = 60_000
"""A session is looked at so often, whatever it waits for: much of its list becomes true by the minute."""

OPEN = (AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED)


class Treatments:
    """Every treatment of which something is still to come; one object a ward."""

    def __init__(
        self, plan: Plan, beds: Mapping[Bed, Bedside], board: Board, wording: Wording, watch: Watch
    ) -> None:
        """Nobody has come yet."""
        self._plan = plan
        self._beds = beds
        self._board = board
        self._wording = wording
        self._watch = watch
        self._roles = {name: person.role for name, person in plan.people.items()}
        self._stays: dict[int, Stay] = {}
        self.settled: dict[int, TreatmentBrief] = {}
        """What became of those of which nothing is owed any more."""
        self._forms_stirred = False

    # What is there.

    def __iter__(self) -> Iterator[Stay]:
        """Those at a bed and those of which a form is owed, the oldest first."""
        return iter(self._stays.values())

    def of(self, number: int) -> Stay | None:
        """The session of this number, if it is a treatment and not over and done with."""
        return self._stays.get(number)

    def seen(self, stay: Stay) -> Seen:
        """What is known of its patient beside the record; of somebody who has left, nothing."""
        bedside = self._beds.get(stay.record.opened.bed)
        if bedside is None or bedside.stay is not stay:
            return Seen()
        texts = tuple(
            self._wording.brief(alarm)
            for alarm in self._board.of(bedside.bed)
            if alarm.priority >= Priority.MEDIUM and alarm.state in OPEN
        )
        unanswered = tuple(
            self._wording.alarm(one) for one in self._board.of(bedside.bed) if one.unanswered_high
        )
        return Seen(stay.samples.all(), texts, stay.quiet_since_ms, unanswered)

    # Acts.

    def refusals(self, action: TreatmentOpened | Act) -> tuple[str, ...]:
        """Why its session does not accept this now, a line each."""
        if isinstance(action, TreatmentOpened):
            therapy = self._plan.therapies.get(action.therapy)
            if therapy is None:
                return (f"There is no therapy {action.therapy}.",)
            refused = session.refuse_opening(therapy, action, self._roles)
            return refused.missing if refused else ()
        stay = self.of(action.session)
        if stay is None:
            return ("There is no such treatment session, or it is over.",)
        answer = session.ask(stay.record, action, self.seen(stay))
        return answer.missing if isinstance(answer, Refused) else ()

    def answer(self, act: Act) -> tuple[Act | Made, ...]:
        """What an act leads to that is not refused. Raises ValueError for one that is."""
        stay = self.of(act.session)
        answer = session.ask(stay.record, act, self.seen(stay)) if stay else Refused(("no such session",))
        if isinstance(answer, Refused):
            raise ValueError(f"{type(act).__name__} was accepted and is refused: {answer.missing}")  # noqa: TRY004
        return answer

    # Applying.

    def applies(self, event: TreatmentEvent) -> None:
        """What was said or decided of a session becomes so. One that is not known here is not made up."""
        if isinstance(event, TreatmentOpened):
            therapy = self._plan.therapies.get(event.therapy)
            if therapy is not None:
                self._stays[event.session] = Stay(begin(therapy, event))
            return
        stay = self.of(event.session)
        if stay is None:
            return
        stay.record.apply(event)
        stay.stirs()
        bedside = self._beds.get(stay.record.opened.bed)
        if bedside is not None and bedside.stay is stay:
            if isinstance(event, BaselineTaken):
                bedside.rebase(event.baseline)
            elif isinstance(event, BaselineRestarted):
                bedside.rebase(Baseline())
        if _done(stay.record):
            self.settled[event.session] = brief(stay.record, Seen(), event.at_ms)
            del self._stays[event.session]
            self._forms_stirred = True

    def hears_cuff(self, stay: Stay, taken: CuffTaken) -> None:
        """A cuff reading of its patient, failed ones too."""
        stay.record.apply(taken)
        stay.stirs()

    def moved(self, bedside: Bedside, moved: SessionMoved) -> None:
        """A bed has a new patient, or none: it has the session of that number and no other."""
        bedside.stay = None if moved.now is SessionPhase.CLOSED else self.of(moved.session)

    # Time.

    def pass_time(self, now_ms: int) -> tuple[Made, ...]:
        """What time alone leads to next: apply it and ask again, until there is nothing."""
        for stay in self._due(now_ms):
            # In a replay time decides nothing of a treatment: what it decided then is told.
            made = session.pass_time(stay.record, self.seen(stay), now_ms) if self._plan.live else ()
            if made:
                return made
            self._look(stay, now_ms)
        if self._forms_stirred:
            self._tell_forms()
        return ()

    def due_ms(self) -> int | None:
        """When time may next lead to something."""
        return min((stay.look_at_ms for stay in self._stays.values()), default=None)

    def restored(self, now_ms: int) -> None:
        """After the journal has been read: limits and schedules are what the records say."""
        for stay in self._stays.values():
            self._set(stay, now_ms)
            stay.stirs()
        self._tell_forms()

    def _due(self, now_ms: int) -> Iterable[Stay]:
        return [stay for stay in self._stays.values() if stay.look_at_ms <= now_ms]

    def _look(self, stay: Stay, now_ms: int) -> None:
        """Nothing more follows now: set what hangs on the session, and when to look again."""
        self._set(stay, now_ms)
        if stay.record.over:
            self._forms_stirred = True
        news = news2_now(stay.record, self.seen(stay), now_ms)
        if news.total is not None and news.at_ms is not None:
            # A part that is measured all the time may still change it: the newest of one instant counts.
            stay.news2[news.at_ms] = News2Then(news.at_ms, news.total, news.red)
        due_ms = session.due_ms(stay.record, self.seen(stay), now_ms)
        stay.look_at_ms = min(now_ms + LOOK_MS, due_ms or now_ms + LOOK_MS)

    def _tell_forms(self) -> None:
        """The forms that are owed, all of them together: they belong to no bed."""
        self._forms_stirred = False
        owed = [one for stay in self._stays.values() for one in stay.said.values() if _is_form(one)]
        self._watch.said(CLINIC, together(owed))

    def _set(self, stay: Stay, now_ms: int) -> None:
        record = stay.record
        stay.said = together(conditions(record, self.seen(stay), now_ms))
        stay.cuff_due_ms = due.cuff_due_ms(record, now_ms)
        stay.cuff_late_ms = due.schedule_due_ms(record, now_ms)
        bedside = self._beds.get(record.opened.bed)
        if bedside is None or bedside.stay is not stay:
            stay.in_force = stay.judged_by = None
            return
        self._watch.said(bedside.bed, stay.said)
        bedside.cuff_every(due.cuff_interval_ms(record, now_ms))
        now = in_force(record, now_ms)
        if (now, bedside.baseline) != (stay.in_force, stay.judged_by):
            stay.in_force, stay.judged_by = now, bedside.baseline
            self._watch.set_limits(bedside, now_ms)


def _is_form(one: Condition) -> bool:
    return one.name.startswith(FORM_OWED)


def _done(record: Record) -> bool:
    """Whether nothing more is to come: closed, and no form is owed."""
    owed = record.therapy.form is not None and record.dosed and record.form_sent is None
    return record.phase is Phase.CLOSED and not owed

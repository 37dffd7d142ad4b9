"""An ordinary session from check-in to signature through the whole ward, on a clock that is set by hand.

The patient is simulated, the monitor says four numbers a second, the cuff runs when the ward orders it, and a
careful nurse does what is due when it is due: whatever is paged comes from the patient and from the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.alerts.roster import Duty, Person
from monitor.devices.validity import screen_cuff, screen_sample
from monitor.model import (
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cuff,
    CuffAsked,
    CuffOrdered,
    CuffTaken,
    Device,
    Doubt,
    LinkMoved,
    LinkState,
    Outcome,
    PageOrdered,
    PageReported,
    Priority,
    Quality,
    Reading,
    Sample,
    ServiceStarted,
    Staff,
    Vital,
    Why,
)
from monitor.people import Role
from monitor.plan import DevicePlan, Plan
from monitor.planning import profile, shipped, treatment, treatments
from monitor.sessions import gates, loading, readiness
from monitor.sessions.due import CHECK_40, When, dues
from monitor.sessions.record import Record
from monitor.sessions.therapy import Therapy, ms
from monitor.treatment import (
    Act,
    Answered,
    CheckSaved,
    DeviceGiven,
    DoseChecked,
    Happening,
    Move,
    Overridden,
    Phase,
    Score,
    Scored,
    Seen,
    Signed,
    Stepped,
    TreatmentOpened,
)
from monitor.ward import Ward
from simulators.noise import uniforms
from simulators.patient import MINUTE_MS, CuffResult, Patient, esk_label, iv_yale

EPOCH_MS = 1_780_000_000_000
SECOND_MS, DAY_MS = 1_000, 86_400_000
BEFORE_MIN = 12
"""How long before the drug the patient comes."""
LONGEST_MIN = 360
"""A session that is not over by then is not closed, and says so."""
LOOKS_EVERY_S = 15
"""How often the nurse looks at what is due."""
TRIES_EVERY_MS = 60_000
GOES_MS, THERE_MS = 20_000, 45_000
"""After a page: when the nurse says "I go", and when at the bed (alarms.md 9: accepted within 30 s)."""
FRESH_MS = 10_000
GETS_READY_MIN = 12
"""So long before the least stay is over the nurse begins with the list."""
DECIDES_MIN = 30
"""So long after it, where an item of the list still does not hold, the prescriber is asked to decide."""

BED, MONITOR = Bed("3"), Device("monitor3")
DANA, LEE, KIM = Staff("dana"), Staff("lee"), Staff("kim")
PEOPLE = {
    DANA: Person(DANA, Role.NURSE),
    LEE: Person(LEE, Role.CHARGE_NURSE),
    KIM: Person(KIM, Role.PRESCRIBER),
}
MEASURES = (Vital.HEART_RATE, Vital.SPO2, Vital.PULSE_SPO2, Vital.RESPIRATION)

LIMITS = "watch"

LEAVING = (
    Score.MOAAS,
    Score.ORIENTED,
    Score.DISSOCIATION,
    Score.NAUSEA,
    Score.GAIT,
    Score.SUICIDE_CHECK,
    Score.ESCORT,
    Score.DRIVING,
    Score.INSTRUCTIONS,
    Score.LINE_OUT,
)
"""What is judged before a patient leaves (protocols.md 7)."""


@dataclass(frozen=True, slots=True)
class Called:
    """The first page of one alarm: what, how bad, and when, in minutes from the start of the drug."""

    rule: str
    priority: Priority
    t_min: float
    text: str


@dataclass(slots=True)
class Outcomes:
    """What became of one session."""

    closed: bool = False
    dosed: bool = False
    minutes: float = 0.0
    """From the opening to the end."""
    pages: list[Called] = field(default_factory=list)
    """First pages, one an alarm; LOW never pages."""
    further: int = 0
    """Later pages of the same alarms."""
    raised: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Alarms that became active, by rule and priority, LOW ones too."""
    events: list[Happening] = field(default_factory=list)


def plan(rules: dict[str, dict[str, float]] | None = None) -> Plan:
    """One bed, one monitor that starts its cuff when told, and every shipped therapy, signed."""
    return Plan(
        beds=((BED, ""),),
        devices=(
            DevicePlan(MONITOR, "mqtt-native", BED, frozenset({*MEASURES, Vital.SYSTOLIC}), starts_cuff=True),
        ),
        profiles={LIMITS: profile(LIMITS, rules or {})},
        people=PEOPLE,
        ways=dict.fromkeys(PEOPLE, ("console",)),
        duty=Duty(tuple(PEOPLE), {BED: DANA}),
        therapies={name: signed(name) for name in treatments()},
        numbers={LIMITS: shipped(LIMITS)},
    )


def signed(name: str) -> Therapy:
    """A therapy as it ships, with a prescriber's signature for exactly its numbers."""
    data = treatment(name)
    return loading.therapy(
        {**data, "signature": {"by": KIM, "on": "2026-05-01", "digest": loading.digest(data)}}
    )


class Visit:
    """One patient at the one bed, and the nurse. `run` plays it to its end."""

    def __init__(
        self,
        therapy: str,
        patient: Patient,
        seed: int,
        *,
        age: int,
        whole: Plan,
        after: Visit | None = None,
        alias: str = "",
        keep: bool = False,
    ) -> None:
        """Open the session, in a ward of its own or a day `after` another; `keep` remembers every event."""
        self.ward: Ward = Ward(whole) if after is None else after.ward
        self.therapy = whole.therapies[therapy]
        self.patient, self._seed, self._keep = patient, seed, keep
        self.now_ms: int = EPOCH_MS if after is None else after.now_ms + DAY_MS
        self._opened_ms = self.now_ms
        self.began_ms = self.now_ms + ms(BEFORE_MIN)
        """The start of the drug: as it is planned, and then as it was."""
        self.made = Outcomes()
        self._cuff: tuple[int, CuffResult] | None = None
        self._cuff_before_ms: int | None = None
        self._todo: list[tuple[int, Accepted | Acked | CuffAsked]] = []
        self._paged: set[int] = set()
        self._tried_ms: dict[str, int] = {}
        self._depth = _depth(seed, self.therapy)
        if after is None:
            self._hear(ServiceStarted(self.now_ms, "visit", None))
            self._hear(LinkMoved(self.now_ms, MONITOR, LinkState.CONNECTING, LinkState.UP, "", self.now_ms))
        devices = self.therapy.devices.least if self.therapy.devices else 0
        devices = max(devices, 2) if self.therapy.devices else 0
        opened = self._hear(
            TreatmentOpened(
                self.now_ms, 0, BED, alias or f"patient-{seed}", therapy, self.therapy.version,
                self.therapy.digest, age, devices, first=False, by=DANA, role=Role.NURSE,
            )
        )  # fmt: skip
        self.session = next(event.session for event in opened if isinstance(event, TreatmentOpened))

    def run(self) -> Outcomes:
        """The whole session, second by second."""
        second = 0
        while not self.made.closed and self._t_ms() < ms(LONGEST_MIN):
            self.now_ms += SECOND_MS
            self._measures()
            for event in [act for at_ms, act in self._todo if at_ms <= self.now_ms]:
                self._hear(event)
            self._todo = [one for one in self._todo if one[0] > self.now_ms]
            self._keep_what(self.ward.tick(self.now_ms))
            if second % LOOKS_EVERY_S == 0:
                self._nurse()
            second += 1
        self.made.minutes = (self.now_ms - self._opened_ms) / MINUTE_MS
        return self.made

    # The monitor.

    def _t_ms(self) -> int:
        return self.now_ms - self.began_ms

    def _measures(self) -> None:
        t_ms, patient = self._t_ms(), self.patient
        contact = patient.contact(t_ms)
        shaky = contact.motion or contact.weak
        for vital, value in (
            (Vital.HEART_RATE, patient.heart_rate(t_ms)),
            (Vital.SPO2, patient.spo2(t_ms)),
            (Vital.PULSE_SPO2, patient.pulse(t_ms)),
            (Vital.RESPIRATION, patient.respiration(t_ms)),
        ):
            probe = vital in {Vital.SPO2, Vital.PULSE_SPO2}
            said = Sample(vital, None, Quality.INVALID, "probe off")
            if value is not None:
                doubt = Doubt.POOR_SIGNAL if probe and shaky else Doubt.NONE
                quality = Quality.QUESTIONABLE if doubt else Quality.VALID
                said = screen_sample(Sample(vital, float(round(value)), quality, doubt=doubt))
            self._hear(
                Reading(
                    self.now_ms, BED, MONITOR, vital, said.value, said.quality, said.why,
                    self.now_ms + FRESH_MS, said.doubt,
                )
            )  # fmt: skip
        if self._cuff is not None and self.now_ms >= self._cuff[0]:
            result, self._cuff = self._cuff[1], None
            cuff = Cuff(
                result.systolic, result.diastolic, result.mean, result.pulse,
                quality=Quality.INVALID if result.failed else Quality.VALID, why=result.failed,
            )  # fmt: skip
            self._hear(CuffTaken(self.now_ms, self.now_ms, BED, MONITOR, screen_cuff(cuff)))

    # The nurse.

    def _nurse(self) -> None:
        known = self.ward.treatment(self.session)
        if known is None or known[0].over:
            self.made.closed = True
            return
        record, seen = known
        self.made.dosed = record.dosed
        match record.phase:
            case Phase.CHECK_IN:
                self._checks_in(record)
            case Phase.BASELINE | Phase.TIMEOUT:
                self._prepares(record, seen)
            case Phase.READY:
                self._signs()
            case Phase.DOSING:
                self._gives(len(record.devices) + 1)
            case Phase.INFUSION if self._t_ms() >= ms(40):
                self._does(self._step(Move.END))
            case _:
                self._looks_after(record, seen)

    def _checks_in(self, record: Record) -> None:
        for question in record.therapy.question:
            yes = question.kind in {"must", "confirm"}
            if not question.first_session:
                self._does(Answered(self.now_ms, self.session, question.name, yes, "", DANA))
        self._does(self._step(Move.CHECKED_IN))

    def _prepares(self, record: Record, seen: Seen) -> None:
        row = record.therapy.row(Phase.BASELINE)
        if record.phase is Phase.BASELINE and not record.scores:
            well = {Score.MOAAS: 5, Score.ORIENTED: 3, Score.NAUSEA: 0, Score.MOOD: 4, Score.ANXIETY: 2}
            self._scores({score: well[score] for score in (row.scores if row else ())})
        if record.phase is Phase.BASELINE and not record.cuffs and not self._tried("baseline", 3 * MINUTE_MS):
            self._hear(CuffAsked(self.now_ms, BED, DANA))
        for finding in gates.findings(record, seen, self.now_ms):
            if not finding.open and Role.PRESCRIBER in finding.override:
                key = gates.override_key(finding.name)
                self._does(Overridden(self.now_ms, self.session, key, "seen, rested", KIM, Role.PRESCRIBER))
        if self.now_ms < self.began_ms or self._tried("start", 15_000):
            return
        if record.therapy.course == "nasal":
            self._gives(1)
            return
        self._does(self._step(Move.TO_TIMEOUT))
        self._does(DoseChecked(self.now_ms, self.session, 80, 0.5, 1, 60, "", DANA, LEE))
        if self._does(self._step(Move.START)):
            self.began_ms = self.now_ms

    def _gives(self, number: int) -> None:
        known = self.ward.treatment(self.session)
        planned = known[0].opened.devices if known else 0
        given = DeviceGiven(
            self.now_ms, self.session, number, "24B1", "2028-05-31", number == planned, self.now_ms, DANA
        )
        if self._does(given) and number == 1:
            self.began_ms = self.now_ms

    def _looks_after(self, record: Record, seen: Seen) -> None:
        for due in dues(record, seen, self.now_ms):
            check = next((check for check in record.therapy.check if check.name == due.name), None)
            if check is None or due.when not in {When.DUE, When.LATE}:
                continue
            judged = {score: self._judges(score) for score in Score if score in check.items}
            if not self._tried(check.name, TRIES_EVERY_MS):
                self._scores(judged)
            if check.name == CHECK_40:
                self._does(CheckSaved(self.now_ms, self.session, check.name, DANA))
        self._readies(record)

    def _readies(self, record: Record) -> None:
        """The list, from shortly before the least stay is over; and then the step itself."""
        until_ms = record.floor_until_ms()
        if until_ms is None and record.therapy.floor is None and record.start_ms is not None:
            until_ms = record.start_ms + ms(90)  # no fixed stay: when it is usually over (physiology.md 5.1)
        last = record.phase in {Phase.DECLINE, Phase.LATE_RECOVERY}
        if not last or until_ms is None or self.now_ms < until_ms - ms(GETS_READY_MIN):
            return
        self._asks_the_list()
        standing = record.value(Score.POSTURE) == 2
        stood = any(record.stood_at(cuff.measured_at_ms) for cuff in record.cuffs)
        if not stood and not standing:
            self._scores({Score.POSTURE: 2})
            self._hear(CuffAsked(self.now_ms, BED, DANA))
        elif stood and standing:
            self._scores({Score.POSTURE: 1})
        elif not self._tried("cuff", (3 if standing else 10) * MINUTE_MS):
            self._hear(CuffAsked(self.now_ms, BED, DANA))
        if not self._tried("ready", TRIES_EVERY_MS) and not self._does(self._step(Move.TO_READY)):
            self._decides(record, until_ms)

    def _asks_the_list(self) -> None:
        """What the list wants judged, again before it is too old."""
        if not self._tried("list", 20 * MINUTE_MS):
            self._scores({score: self._judges(score) for score in LEAVING})

    def _decides(self, record: Record, until_ms: int) -> None:
        """The prescriber looks at a patient who has been kept for long, and lets each open item stand."""
        if self.now_ms < until_ms + ms(DECIDES_MIN):
            return
        for item in record.therapy.readiness.items:
            what = readiness.override_key(item)
            self._does(Overridden(self.now_ms, self.session, what, "seen and well", KIM, Role.PRESCRIBER))

    def _signs(self) -> None:
        self._asks_the_list()
        if not self._tried("final", 3 * MINUTE_MS):
            self._hear(CuffAsked(self.now_ms, BED, DANA))
        meaning = "I have checked this session"
        self._does(Signed(self.now_ms, self.session, meaning, KIM, Role.PRESCRIBER))
        self._does(self._step(Move.CLOSE))

    def _judges(self, score: Score) -> int:
        """What the nurse finds now: sedation and dissociation go as the drug does."""
        t_min = self._t_ms() / MINUTE_MS
        share = esk_label(t_min) if self.therapy.course == "nasal" else iv_yale(t_min)
        match score:
            case Score.MOAAS:
                return 5 - round(self._depth * share)
            case Score.DISSOCIATION:
                return int(share > 0.5)
            case Score.NAUSEA | Score.OXYGEN:
                return 0
            case Score.ORIENTED:
                return 3
            case _:
                return 1

    def _scores(self, values: dict[Score, int]) -> None:
        for score, value in values.items():
            note = "Robin" if score is Score.ESCORT else ""
            self._does(Scored(self.now_ms, self.session, score, value, self.now_ms, DANA, note))

    def _step(self, move: Move) -> Stepped:
        return Stepped(self.now_ms, self.session, move, self.now_ms, DANA, Role.NURSE)

    def _tried(self, what: str, every_ms: int) -> bool:
        """Whether this was tried a moment ago; if not, it is now."""
        if self.now_ms - self._tried_ms.get(what, 0) < every_ms:
            return True
        self._tried_ms[what] = self.now_ms
        return False

    def _does(self, act: Act) -> bool:
        if self.ward.refusals(act):
            return False
        self._hear(act)
        return True

    # What follows.

    def _hear(self, event: Happening) -> list[Happening]:
        return self._keep_what(self.ward.feed(event))

    def _keep_what(self, events: list[Happening]) -> list[Happening]:
        if self._keep:
            self.made.events += events
        for event in events:
            match event:
                case Reading():
                    pass
                case CuffOrdered():
                    result = self.patient.cuff(self._t_ms(), self._cuff_before_ms)
                    self._cuff = self.now_ms + result.takes_ms, result
                    self._cuff_before_ms = self._t_ms()
                case PageOrdered():
                    self._page(event)
                case AlarmMoved() if event.now is AlarmState.ACTIVE and event.was in _QUIET:
                    self.made.raised[event.rule, event.priority.name] += 1
        return events

    def _page(self, page: PageOrdered) -> None:
        if page.rule.startswith("cuff-"):
            self._todo.append((self.now_ms + THERE_MS, CuffAsked(self.now_ms + THERE_MS, BED, DANA)))
        self._todo.append((self.now_ms + GOES_MS, Accepted(self.now_ms + GOES_MS, page.page_id, page.to)))
        self._todo.append((self.now_ms + THERE_MS, Acked(self.now_ms + THERE_MS, page.alarm_id, DANA)))
        self._hear(PageReported(self.now_ms, page.page_id, "console", Outcome.SENT))
        if page.why is not Why.FIRST or page.alarm_id in self._paged:
            self.made.further += 1
            return
        self._paged.add(page.alarm_id)
        t_min = round(self._t_ms() / MINUTE_MS, 1)
        self.made.pages.append(Called(page.rule, page.priority, t_min, page.text))


_QUIET = frozenset({AlarmState.CLEAR, AlarmState.PENDING, AlarmState.LATCHED})


def _depth(seed: int, therapy: Therapy) -> int:
    """How far sedation goes in this session, in steps of MOAA/S (physiology.md 5.2, 5.3)."""
    luck = float(uniforms(seed, "sedation", 0, 1)[0])
    steps = ((0.003, 5), (0.08, 2), (0.5, 1)) if therapy.course == "nasal" else ((0.06, 2), (0.45, 1))
    return next((depth for share, depth in steps if luck < share), 0)


def paged(visits: Iterable[Outcomes]) -> Counter[tuple[str, str]]:
    """First pages by rule and priority."""
    return Counter((page.rule, page.priority.name) for visit in visits for page in visit.pages)

"""A shift on the ward, told as its report: who hears what, what the screen shows, and who has been paged.

The clock stands where it was left; `waits` lets time pass from one thing that falls due to the next, as the
service does. After every step the ward must have done all that was due: a ward that asks to be called again
at once, for ever, would keep a processor busy and page nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from monitor.alerts.limits import Profile
from monitor.alerts.roster import Duty, Person
from monitor.model import (
    Accepted,
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Baseline,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    Discharged,
    Doubt,
    DutySet,
    HelpCalled,
    LimitSet,
    LinkMoved,
    LinkState,
    Outcome,
    PageOrdered,
    PageReported,
    PartMoved,
    Paused,
    PauseKind,
    Quality,
    Reading,
    Rejected,
    ServiceStarted,
    Staff,
    Vital,
)
from monitor.people import Role
from monitor.plan import DevicePlan, Plan
from monitor.planning import profile
from monitor.snapshot import AlarmNow, BedNow, PageNow, Snapshot
from monitor.treatment import Happening
from monitor.ward import Ward

T0_MS = 1_780_000_000_000
WATCH: Profile = profile("watch", {})

PEOPLE = {
    Staff(name): Person(Staff(name), role)
    for name, role in (
        ("dana", Role.NURSE),
        ("sam", Role.NURSE),
        ("lee", Role.CHARGE_NURSE),
        ("ida", Role.PRESCRIBER),
    )
}
VITALS = {vital.value: vital for vital in Vital}
EVERY = frozenset({Vital.SPO2, Vital.HEART_RATE, Vital.PULSE_SPO2, Vital.RESPIRATION, Vital.TEMPERATURE})
BASELINE = Baseline(systolic=120, diastolic=75, heart_rate=70, spo2=98, respiration=14)
CLEAR = AlarmState.CLEAR

E = TypeVar("E")


def plan(
    beds: Sequence[str] = ("3",),
    *,
    people: Iterable[str] = PEOPLE,
    staff: Mapping[Staff, Person] = PEOPLE,
    cuff_starts: bool = True,
    **more: Any,
) -> Plan:
    """A small clinic: one monitor and one cuff a bed, the first on duty has them all; `staff` work here."""
    devices = []
    for bed in map(Bed, beds):
        devices += [
            DevicePlan(Device(f"monitor-{bed}"), "mqtt-native", bed, EVERY),
            DevicePlan(Device(f"second-{bed}"), "mqtt-native", bed, EVERY),
            DevicePlan(Device(f"cuff-{bed}"), "dinamap", bed, frozenset({Vital.SYSTOLIC}), cuff_starts),
        ]
    names = tuple(Staff(name) for name in people)
    settings: dict[str, Any] = {
        "beds": tuple((Bed(bed), "") for bed in beds),
        "devices": tuple(devices),
        "profiles": {"watch": WATCH},
        "people": staff,
        "ways": dict.fromkeys(staff, ("pager",)),
        "duty": Duty(names, {Bed(bed): names[0] for bed in beds} if names else {}),
    }
    return Plan(**(settings | more))


class Shift:
    """See the module. Every bed has a patient and every link is up, unless told otherwise."""

    def __init__(self, beds: Sequence[str] = ("3",), *, occupied: bool = True, **settings: Any) -> None:
        """Begin the shift."""
        self.plan = plan(beds, **settings)
        self.ward = Ward(self.plan)
        self.now_ms = T0_MS
        self.events: list[Happening] = []
        self.pages_arrive = True
        self._told: list[PageOrdered] = []
        self.feed(ServiceStarted(self.now_ms, "test", None))
        for device in self.plan.devices:
            self.link(device.device, LinkState.UP)
        if occupied:
            for bed in beds:
                self.admits(bed)

    # What happens.

    def feed(self, event: Happening) -> list[Happening]:
        """One event, as the service hears it."""
        return self._done(self.ward.feed(event))

    def waits(self, *, seconds: float = 0, minutes: float = 0) -> None:
        """Let time pass; everything that falls due happens at its own time."""
        until_ms = self.now_ms + round(seconds * 1_000 + minutes * 60_000)
        while (due_ms := self.ward.due_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self._tick()
        self.now_ms = until_ms
        self._tick()

    def hears(
        self,
        bed: str,
        *,
        by: str = "monitor",
        doubt: Doubt = Doubt.NONE,
        fresh_s: float = 10,
        **values: float | None,
    ) -> None:
        """A monitor says these values now; None is "I have none". They stand for `fresh_s`."""
        for name, value in values.items():
            self.feed(self.reading(bed, name, value, by=by, doubt=doubt, fresh_s=fresh_s))
        self._tick()

    def reading(
        self,
        bed: str,
        name: str,
        value: float | None,
        *,
        by: str = "monitor",
        doubt: Doubt = Doubt.NONE,
        fresh_s: float = 10,
        ago_s: float = 0,
        late: bool = False,
    ) -> Reading:
        """What a reader would make of it."""
        quality = Quality.VALID if value is not None else Quality.MISSING
        if value is not None and doubt is not Doubt.NONE:
            quality = Quality.QUESTIONABLE
        at_ms = self.now_ms - round(ago_s * 1_000)
        return Reading(
            at_ms, Bed(bed), Device(f"{by}-{bed}"), VITALS[name], value, quality, None,
            at_ms + round(fresh_s * 1_000), doubt, late,
        )  # fmt: skip

    def stays(self, bed: str, *, seconds: int = 0, minutes: int = 0, **values: float | None) -> None:
        """The monitor says so every second for so long."""
        for _ in range(seconds + 60 * minutes):
            for name, value in values.items():
                self.feed(self.reading(bed, name, value))
            self._tick()
            self.waits(seconds=1)

    def cuff(
        self,
        bed: str,
        systolic: float | None,
        diastolic: float | None = None,
        *,
        ago_s: float = 0,
        **more: Any,
    ) -> list[Happening]:
        """A cuff reading arrives, taken so long ago; without numbers it has failed."""
        measured_ms = self.now_ms - round(ago_s * 1_000)
        why = None if systolic is not None else "the cuff leaks"
        taken = Cuff(systolic, diastolic, why=why, **more)
        return self.feed(CuffTaken(self.now_ms, measured_ms, Bed(bed), Device(f"cuff-{bed}"), taken))

    def link(self, device: str, now: LinkState, *, silent_s: float = 0) -> None:
        """A link moves."""
        since_ms = self.now_ms - round(silent_s * 1_000)
        was = self.ward.link_now(Device(device)).state
        self.feed(LinkMoved(self.now_ms, Device(device), was, now, "", since_ms))

    def part(self, part: str, *, ok: bool, since_s: float = 0) -> None:
        """A part of the service itself fails or comes back."""
        self.feed(PartMoved(self.now_ms, part, ok, "", self.now_ms - round(since_s * 1_000)))

    # What people do.

    def admits(self, bed: str, alias: str = "A1", **more: Any) -> None:
        """A patient comes."""
        admitted = Admitted(self.now_ms, Bed(bed), alias, BASELINE, "watch", None, Staff("dana"))
        self.feed(replace(admitted, **more))

    def discharges(self, bed: str) -> str | None:
        """The patient goes; gives the refusal, if it is refused."""
        session = self.ward.bed_now(Bed(bed)).session
        number = session.session if session else 0
        return self._act(Discharged(self.now_ms, number, Staff("dana")))

    def acks(self, bed: str, rule: str, by: str = "dana") -> str | None:
        """Somebody is at the bed."""
        return self._act(Acked(self.now_ms, self.alarm(bed, rule).alarm_id, Staff(by)))

    def accepts(self, name: str) -> str | None:
        """Says that they go, to their newest page."""
        return self._act(Accepted(self.now_ms, self.page(name).page_id, Staff(name)))

    def rejects(self, name: str) -> str | None:
        """Says that they cannot."""
        return self._act(Rejected(self.now_ms, self.page(name).page_id, Staff(name)))

    def calls_help(self, name: str) -> str | None:
        """Asks for more people, on their newest page."""
        return self._act(HelpCalled(self.now_ms, self.page(name).page_id, Staff(name)))

    def page_report(self, name: str, outcome: Outcome, way: str = "pager") -> None:
        """What the pager says of this person's newest page."""
        self.feed(PageReported(self.now_ms, self.page(name).page_id, way, outcome))

    def pauses(
        self,
        bed: str,
        kind: PauseKind,
        *,
        seconds: float,
        vital: Vital | None = None,
        why: str = "probe",
        by: str = "sam",
    ) -> str | None:
        """Audio or alarm paused."""
        until_ms = self.now_ms + round(seconds * 1_000)
        return self._act(Paused(self.now_ms, Bed(bed), kind, vital, until_ms, why, Staff(by)))

    def sets(self, bed: str, rule: str, limit: float | None, why: str = "known low") -> str | None:
        """This session's own limit."""
        return self._act(LimitSet(self.now_ms, Bed(bed), rule, limit, why, Staff("ida")))

    def duty(self, *on: str, **beds: str) -> str | None:
        """The duty list; beds as `bed_3="dana"`."""
        pairs = tuple((Bed(bed.removeprefix("bed_")), Staff(name)) for bed, name in beds.items())
        return self._act(DutySet(self.now_ms, tuple(map(Staff, on)), pairs, Staff("lee")))

    # A restart.

    @property
    def journal(self) -> list[Happening]:
        """What was written down."""
        return [event for event in self.events if event.durable]

    def restarts(self, *, after_s: float = 0, links_up: bool = True) -> list[Happening]:
        """The service is killed, is gone for so long, and reads its journal; what it does at once."""
        last_ms = self.now_ms
        self.now_ms += round(after_s * 1_000)
        self.ward = Ward(self.plan)
        self.ward.restore(self.journal)
        before = len(self.events)
        self.feed(ServiceStarted(self.now_ms, "test", last_ms))
        for device in self.plan.devices if links_up else ():
            self.link(device.device, LinkState.UP)
        self._tick()
        return self.events[before:]

    # What is seen.

    def shows(
        self, bed: str, rule: str, state: AlarmState, *, paged: Sequence[str] = (), **more: Any
    ) -> None:
        """This alarm is so, nobody but these has been paged since the last line, and what else is said."""
        alarm = self.find(bed, rule)
        told, self._told = self._told, []
        now = alarm.state if alarm else CLEAR
        assert (now, [p.to for p in told]) == (state, list(paged)), [
            (p.to, p.rule, p.step, p.why) for p in told
        ]
        assert {name: getattr(alarm, name) for name in more} == more

    def find(self, bed: str, rule: str) -> AlarmNow | None:
        """The open alarm of this rule."""
        return next((a for a in self.snapshot().alarms if (a.bed, a.rule) == (bed, rule)), None)

    def alarm(self, bed: str, rule: str) -> AlarmNow:
        """The same, which must be there."""
        found = self.find(bed, rule)
        assert found is not None, f"{rule} is not open: {[a.rule for a in self.snapshot().alarms]}"
        return found

    def page(self, name: str) -> PageNow:
        """The newest page of this person."""
        return [p for p in self.snapshot().pages if p.to == name][-1]

    def bed(self, bed: str) -> BedNow:
        """One bed as it stands."""
        return self.ward.bed_now(Bed(bed))

    def snapshot(self) -> Snapshot:
        """The ward as it stands."""
        return self.ward.snapshot()

    def of(self, kind: type[E]) -> list[E]:
        """Everything of one kind that has happened."""
        return [event for event in self.events if isinstance(event, kind)]

    def states(self, rule: str) -> list[AlarmState]:
        """Every state an alarm of this rule has gone to."""
        return [moved.now for moved in self.of(AlarmMoved) if moved.rule == rule]

    def forget_pages(self) -> None:
        """Whoever was paged so far is not asked about in the next line."""
        self._told = []

    def _act(self, action: Any) -> str | None:
        refusal = self.ward.refusal(action)
        if refusal is None:
            made = self.feed(action)
            assert made, f"{action} was not refused, and not accepted"
        else:
            assert self.ward.feed(action) == [], "what is refused must leave no trace"
        return refusal

    def _tick(self) -> None:
        self._done(self.ward.tick(self.now_ms))
        due_ms = self.ward.due_ms()
        assert due_ms is None or due_ms > self.now_ms, f"still due {self.now_ms - due_ms} ms ago"

    def _done(self, events: list[Happening]) -> list[Happening]:
        self.events += events
        for event in events:
            if isinstance(event, PageOrdered):
                self._told.append(event)
                if self.pages_arrive:
                    self.events += self.ward.feed(
                        PageReported(self.now_ms, event.page_id, "pager", Outcome.SENT)
                    )
        return events

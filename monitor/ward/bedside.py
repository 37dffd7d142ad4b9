"""What is known of one bed and of the patient who lies there now. Pure; a new patient starts empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from monitor.alerts.cuffs import settled
from monitor.model import (
    Admitted,
    Baseline,
    Bed,
    Cuff,
    CuffNotTaken,
    CuffOrdered,
    CuffStopped,
    CuffTaken,
    CuffWhy,
    Device,
    Doubt,
    LimitSet,
    Paused,
    Quality,
    Reading,
    SessionMoved,
    SessionPhase,
    SourceMoved,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.snapshot import BedNow, CuffNow, LimitNow, PauseNow, SessionNow, VitalNow
from monitor.ward.stay import Stay

CUFF_OLD_AFTER = 1.25
"""A cuff reading is old after this many intervals (physiology.md 1, freshness)."""

CUFF_GIVES_UP_MS = 190_000
"""A cuff that has been ordered and of which nothing has come for so long has failed: ten seconds more than a
driver gives its device, which then says so itself (ge_dinamap_v100.md 6)."""

CUFF_LATE_MS = 120_000
"""A cuff reading that arrives so long after it was taken is history, not news (mqtt-payloads.md 2)."""

SOURCES_MAX = 200
"""So many changes of the device that speaks for a vital are kept, to tell where a late value belongs."""

TYPED_LASTS_MS = 900_000
"""How long a value taken by hand stands: as long as a spot temperature (physiology.md 1, freshness)."""


@dataclass(slots=True)
class Bedside:
    """One bed: its session, the newest word on each vital, its cuff, its pauses and its own limits."""

    index: int
    bed: Bed
    place: str
    devices: tuple[Device, ...]
    session: SessionNow | None = None
    now: dict[Vital, Reading] = field(default_factory=dict)
    last: dict[Vital, Reading] = field(default_factory=dict)
    missed: set[Vital] = field(default_factory=set)
    """Vitals that an alarm of before a restart speaks of: they have been seen, if not since."""
    typed: dict[Vital, VitalTyped] = field(default_factory=dict)
    cuff: CuffTaken | None = None
    failed: CuffTaken | None = None
    failures: int = 0
    cuff_ordered: CuffOrdered | None = None
    """The order that is being carried out; None where nothing runs by order."""
    cuff_asked_ms: int | None = None
    """When the newest order was given, whatever came of it."""
    cuff_cancelled: Device | None = None
    """The device whose running cuff was ended here: that it then fails is no failure."""
    cuff_excused: bool = False
    """Whether the newest word of a cuff was such an end."""
    cuff_pair: tuple[CuffTaken, ...] = ()
    """The good readings that the next one is held against (C5), as they came."""
    cuff_disputed: bool = False
    """The newest reading differs from the one before it: a third is wanted."""
    cuff_median: bool = False
    """The newest reading is the third, and what is shown is the median."""
    cuff_began_ms: int | None = None
    cuff_ended_ms: int | None = None
    """The newest run of a cuff, as far as anybody has said when it began."""
    speaker: dict[Vital, Device] = field(default_factory=dict)
    """The device that spoke for each vital last."""
    sources: dict[Vital, list[tuple[int, Device]]] = field(default_factory=dict)
    """Since when which device has spoken for each vital, oldest first."""
    earlier: dict[Device, tuple[int, int]] = field(default_factory=dict)
    """Devices that tell of the time before this patient: since when, and for how long that counts."""
    earlier_cuffs: dict[Device, int] = field(default_factory=dict)
    """How many pressures of that time each has told."""
    pauses: dict[int, Paused] = field(default_factory=dict)
    overrides: dict[str, LimitSet] = field(default_factory=dict)
    admitted: Admitted | None = None
    stay: Stay | None = None
    """The treatment of the patient who is here; None for a plain watch."""

    @property
    def since_ms(self) -> int | None:
        """Since when this patient has been here; what was measured earlier is somebody else's."""
        return self.session.opened_at_ms if self.session else None

    @property
    def watched(self) -> bool:
        """Whether somebody lies here to be watched; who has been transferred is watched elsewhere."""
        return self.session is not None and not (self.stay is not None and self.stay.record.over)

    @property
    def cuff_running_since_ms(self) -> int | None:
        """Since when a cuff has been running by order."""
        return self.cuff_ordered.at_ms if self.cuff_ordered else None

    def holds(self, measured_at_ms: int) -> bool:
        """Whether something measured then belongs to the patient who is here now."""
        return self.session is not None and measured_at_ms >= self.session.opened_at_ms

    def prefers_another(self, reading: Reading) -> bool:
        """Whether another device of the bed speaks for this vital: the first in the clinic's list that can.

        Two sources are never mixed in one line; the second is heard once the first has nothing to say.
        """
        now = self.now.get(reading.vital)
        if now is None or now.device == reading.device or now.value is None:
            return False
        if reading.at_ms > now.fresh_until_ms:
            return False
        return reading.value is None or self.ranks(now.device) < self.ranks(reading.device)

    def speaks(self, vital: Vital, device: Device, at_ms: int) -> None:
        """From here on this device speaks for this vital."""
        self.speaker[vital] = device
        sources = self.sources.setdefault(vital, [])
        if not sources or sources[-1][1] != device:
            sources.append((at_ms, device))
            del sources[:-SOURCES_MAX]

    def takes_over(self, moved: SourceMoved) -> None:
        """Another device speaks for a vital. In a journal the first such move names who spoke before."""
        if moved.vital not in self.sources:
            self.speaks(moved.vital, moved.was, self.since_ms or moved.at_ms)
        self.speaks(moved.vital, moved.now, moved.at_ms)

    def alone(self, vital: Vital, device: Device) -> bool:
        """Whether no other device has ever spoken for this vital here."""
        sources = self.sources.get(vital, ())
        return all(spoke == device for _, spoke in sources)

    def another_spoke(self, late: Reading) -> bool:
        """Whether another device's line has the place where this late value would stand."""
        sources = self.sources.get(late.vital)
        if not sources:
            return False
        spoke = sources[0][1]
        for from_ms, device in sources:
            if from_ms > late.at_ms:
                break
            spoke = device
        return spoke != late.device

    def tells_of_earlier(self, device: Device, at_ms: int, for_ms: int) -> None:
        """A device has told of the time before this patient came."""
        since_ms, until_ms = self.earlier.get(device, (at_ms, at_ms))
        if until_ms < at_ms:
            since_ms = at_ms
        self.earlier[device] = since_ms, max(until_ms, at_ms + for_ms)

    def tells_an_earlier_cuff(self, device: Device) -> int:
        """A device has told a pressure that was taken before this patient came: how many it makes."""
        self.earlier_cuffs[device] = self.earlier_cuffs.get(device, 0) + 1
        return self.earlier_cuffs[device]

    def cuff_begins(self, at_ms: int) -> None:
        """A cuff is measuring: by an order, or by its monitor's own word, whichever is later."""
        self.cuff_began_ms, self.cuff_ended_ms = at_ms, None

    def opened(self, moved: SessionMoved) -> None:
        """Begin with a new patient: nothing of the last one stays."""
        admitted = self.admitted
        if admitted is None:
            raise ValueError(f"session {moved.session} opens on bed {self.bed} without an admission")
        self._forget()
        self.session = SessionNow(
            session=moved.session,
            bed=self.bed,
            alias=admitted.alias,
            baseline=admitted.baseline,
            profile=admitted.profile,
            cuff_interval_ms=admitted.cuff_interval_ms,
            phase=moved.now,
            opened_at_ms=moved.at_ms,
            opened_by=moved.by,
            closed_at_ms=None,
            closed_by=None,
        )

    @property
    def baseline(self) -> Baseline | None:
        """This patient's own normal."""
        return self.session.baseline if self.session is not None else None

    def rebase(self, baseline: Baseline) -> None:
        """This patient's own normal is another from here on."""
        if self.session is not None:
            self.session = replace(self.session, baseline=baseline)

    def cuff_every(self, interval_ms: int | None) -> None:
        """The session's cuff runs so often from here on; None: by no interval."""
        if self.session is not None and self.session.cuff_interval_ms != interval_ms:
            self.session = replace(self.session, cuff_interval_ms=interval_ms)

    def closed(self, moved: SessionMoved) -> SessionNow | None:
        """End with this patient; gives the session as it is kept."""
        was = self.session
        self._forget()
        if was is None:
            return None
        return SessionNow(
            session=was.session,
            bed=was.bed,
            alias=was.alias,
            baseline=was.baseline,
            profile=was.profile,
            cuff_interval_ms=was.cuff_interval_ms,
            phase=SessionPhase.CLOSED,
            opened_at_ms=was.opened_at_ms,
            opened_by=was.opened_by,
            closed_at_ms=moved.at_ms,
            closed_by=moved.by,
        )

    def hears_cuff(self, taken: CuffTaken) -> None:
        """A cuff reading, good or failed."""
        if self.cuff_ordered is not None and taken.device == self.cuff_ordered.device:
            self.cuff_over()
        self.cuff_excused = self.cuff_cancelled is not None and taken.device == self.cuff_cancelled
        self.cuff_cancelled = None if self.cuff_excused else self.cuff_cancelled
        self.cuff_disputed = self.cuff_median = False
        if self.cuff_began_ms is not None and self.cuff_ended_ms is None:
            self.cuff_ended_ms = taken.at_ms
        if taken.cuff.systolic is None:
            self.failed, self.failures = taken, self.failures + (0 if self.cuff_excused else 1)
        elif self.cuff is None or taken.measured_at_ms >= self.cuff.measured_at_ms:
            means = settled(taken, self.cuff_pair)
            self.cuff_pair, self.cuff_disputed, self.cuff_median = means.pair, means.disputed, means.median
            self.cuff, self.failed, self.failures = replace(taken, cuff=means.cuff), None, 0

    def orders_cuff(self, ordered: CuffOrdered) -> None:
        """A cuff is started by order."""
        self.cuff_ordered, self.cuff_asked_ms = ordered, ordered.at_ms
        self.cuff_cancelled = None
        self.cuff_begins(ordered.at_ms)

    def stops_cuff(self, stopped: CuffStopped) -> None:
        """A cuff is ended by order: what comes of it is no failure."""
        if self.cuff_ordered is not None and self.cuff_ordered.device == stopped.device:
            self.cuff_cancelled = stopped.device
            self.cuff_over()

    def misses_cuff(self, missed: CuffNotTaken) -> None:
        """An ordered cuff does not come. It has not failed at the patient: it is told, and not counted."""
        self.cuff_over()
        # That a second try was refused says less than why the first one failed.
        if self.failed is None or missed.asked is CuffWhy.ASKED:
            nothing = Cuff(None, None, quality=Quality.INVALID, why=missed.why)
            self.failed = CuffTaken(missed.at_ms, missed.at_ms, self.bed, missed.device, nothing)
        if self.cuff_began_ms is not None and self.cuff_ended_ms is None:
            self.cuff_ended_ms = missed.at_ms

    def cuff_over(self) -> None:
        """Nothing runs by order any more."""
        self.cuff_ordered = None

    def set_limit(self, set_to: LimitSet) -> None:
        """This session's own limit for a rule; without a number the profile's is back, and nobody's."""
        if set_to.limit is None:
            self.overrides.pop(set_to.rule, None)
        else:
            self.overrides[set_to.rule] = set_to

    def next_cuff_due_ms(self) -> int | None:
        """When the next cuff reading is due: by the interval of a watch, or as a treatment wants it."""
        if self.stay is not None:
            return self.stay.cuff_due_ms
        if self.session is None or self.session.cuff_interval_ms is None:
            return None
        began_ms = self.cuff.measured_at_ms if self.cuff else self.session.opened_at_ms
        return began_ms + self.session.cuff_interval_ms

    def cuff_owed_ms(self) -> int | None:
        """When the reading is or was due that may be called overdue."""
        return self.next_cuff_due_ms() if self.stay is None else self.stay.cuff_late_ms

    def running_pauses(self, now_ms: int) -> list[Paused]:
        """The pauses that have not ended."""
        return [p for p in self.pauses.values() if p.until_ms is None or now_ms < p.until_ms]

    def vital_now(self, vital: Vital) -> VitalNow | None:
        """The newest word on one vital, by device or by hand, whichever is later."""
        reading, typed = self.now.get(vital), self.typed.get(vital)
        if typed is not None and (reading is None or typed.at_ms >= reading.at_ms):
            return VitalNow(
                vital, typed.value, Quality.VALID, "taken by hand", Doubt.NONE, typed.at_ms,
                typed.at_ms + TYPED_LASTS_MS, None, typed.by, typed.value, typed.at_ms,
            )  # fmt: skip
        if reading is None:
            return None
        last = self.last.get(vital)
        return VitalNow(
            vital=vital,
            value=reading.value,
            quality=reading.quality,
            why=reading.why,
            doubt=reading.doubt,
            at_ms=reading.at_ms,
            fresh_until_ms=reading.fresh_until_ms,
            device=reading.device,
            by=None,
            last_value=last.value if last else None,
            last_at_ms=last.at_ms if last else None,
            instead_of=self._first_before(vital, reading.device),
        )

    def cuff_now(self) -> CuffNow:
        """The newest cuff reading and what comes next."""
        taken, failed = self.cuff, self.failed
        interval_ms = self.session.cuff_interval_ms if self.session else None
        old_ms = int(interval_ms * CUFF_OLD_AFTER) if interval_ms is not None else None
        return CuffNow(
            cuff=taken.cuff if taken else None,
            measured_at_ms=taken.measured_at_ms if taken else None,
            device=taken.device if taken else None,
            by=taken.by if taken else None,
            failed_at_ms=failed.at_ms if failed else None,
            failed_why=failed.cuff.why if failed else None,
            running_since_ms=self.cuff_running_since_ms,
            next_due_ms=self.next_cuff_due_ms(),
            old_after_ms=taken.measured_at_ms + old_ms if taken and old_ms is not None else None,
        )

    def bed_now(
        self, now_ms: int, nurse: Staff | None, limits: Sequence[LimitNow], cuff_refusal: str | None
    ) -> BedNow:
        """All of it, as one record. An empty bed shows no number, no limit and no pause."""
        taken = self.session is not None
        return BedNow(
            bed=self.bed,
            place=self.place,
            session=self.session,
            nurse=nurse,
            vitals=tuple(self._vitals_now()) if taken else (),
            cuff=self.cuff_now() if taken else None,
            cuff_refusal=cuff_refusal,
            limits=tuple(limits) if taken else (),
            pauses=tuple(
                PauseNow(p.pause_id, p.bed, p.kind, p.vital, p.at_ms, p.until_ms, p.by, p.why)
                for p in self.running_pauses(now_ms)
            ),
            devices=self.devices,
        )

    def ranks(self, device: Device) -> int:
        """The device's place in the clinic's list: the lower speaks first."""
        return self.devices.index(device) if device in self.devices else len(self.devices)

    def _first_before(self, vital: Vital, device: Device) -> Device | None:
        """Who has spoken for this vital here and ranks before this device, the first of them."""
        spoke = {each for _, each in self.sources.get(vital, ())}
        first = min(spoke, key=self.ranks, default=device)
        return first if self.ranks(first) < self.ranks(device) else None

    def _vitals_now(self) -> Iterable[VitalNow]:
        for vital in dict.fromkeys([*self.now, *self.typed]):
            if (found := self.vital_now(vital)) is not None:
                yield found

    def _forget(self) -> None:
        self.session = self.stay = None
        self.now, self.last, self.typed, self.missed = {}, {}, {}, set()
        self.cuff = self.failed = None
        self.cuff_ordered = self.cuff_cancelled = self.cuff_asked_ms = None
        self.cuff_excused = False
        self.cuff_pair, self.cuff_disputed, self.cuff_median = (), False, False
        self.cuff_began_ms = self.cuff_ended_ms = None
        self.speaker, self.sources = {}, {}
        self.earlier, self.earlier_cuffs = {}, {}
        self.failures = 0
        self.pauses, self.overrides = {}, {}

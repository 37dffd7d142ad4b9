"""What is watched, brought together: the engine, the cuffs and the gaps answer in one form. Pure.

The three judge differently (by lasting, by a second reading, by a silence that lasts); to the ward they all
say the same: this condition, this cue, since then, this value against this limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan

from msgspec import structs

from monitor.alerts.agreement import WEAK_FIRST_MS, Agreement
from monitor.alerts.board import Alarm, Board, Key
from monitor.alerts.cuffs import unsaid_until_ms, weighed_cuff
from monitor.alerts.engine import Change, Engine
from monitor.alerts.gaps import Gaps
from monitor.alerts.heart import AGREED, Says
from monitor.alerts.limits import Limits, Profile
from monitor.alerts.limits import profile as limits_of
from monitor.alerts.moves import BOTH_SAY_SO, POOR_SIGNAL, WITHHELD
from monitor.alerts.repeat import Repeat
from monitor.alerts.rules import CUFF_VITALS, INDEX, ROWS, RULES, SPOT_VITALS, Kind, Rule
from monitor.model import (
    CLINIC,
    AlarmState,
    Bed,
    Cue,
    Cuff,
    CuffTaken,
    Device,
    Doubt,
    LimitSet,
    Priority,
    Reading,
    Readings,
    Side,
    Vital,
    VitalTyped,
)
from monitor.plan import Plan
from monitor.sessions.conditions import FORM_OWED, Condition
from monitor.sessions.layers import InForce, lay
from monitor.snapshot import LimitNow
from monitor.ward.bedside import CUFF_GIVES_UP_MS, TYPED_LASTS_MS, Bedside

FRESH_MS = 10_000
"""How long a continuous value is live (physiology.md 1): gap delays count from its last instant."""

GAPS: dict[str, tuple[Vital, ...]] = {
    "spo2-gap": (Vital.SPO2,),
    "hr-gap": (Vital.HEART_RATE, Vital.PULSE_SPO2),
    "rr-gap": (Vital.RESPIRATION,),
}
"""Which vitals' silence is which gap condition; any one of them ends it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One condition, what is true of it now, and what a nurse should know with it."""

    key: Key
    cue: Cue
    since_ms: int
    value: float | None = None
    limit: float | None = None
    note: str = ""
    severe: bool = False
    withheld: bool = False
    """An onset of a value that is doubted: it waits for longer than its rule says."""


class Watch:
    """Everything that is judged, one object a ward. Beds are told apart by their `Bedside`."""

    def __init__(self, plan: Plan) -> None:
        """Nothing has been heard and no limit is set."""
        self._plan = plan
        first = next(iter(plan.profiles.values()))
        self._engine = Engine(len(plan.beds), first.timing)
        self._names = [bed for bed, _ in plan.beds]
        self._repeats = [self._no_repeat(index) for index in range(len(self._names))]
        self._gaps = Gaps(first.delays_ms)
        self._held: dict[tuple[str, Bed, Device | None], tuple[int | None, bool]] = {}
        """What `holds` was last told of each condition."""
        self._limits: list[Limits] = [() for _ in plan.beds]
        self._plain: list[dict[str, float | None]] = [{} for _ in plan.beds]
        """Of a bed under a therapy, what its profile alone would say."""
        self._vitals: dict[Bed, frozenset[Vital]] = {
            bed: frozenset().union(*(d.vitals for d in plan.devices if d.bed == bed)) for bed, _ in plan.beds
        }
        self._silent: set[tuple[Bed, str]] = set()
        self._laid_over: dict[tuple[str, str], Profile] = {}
        self._told: dict[Key, Condition | None] = {}
        """What treatments have said last."""
        self._silence_due_ms: int | None = None
        self._lacking_ms: dict[tuple[Bed, str], int] = {}
        self._waiting: list[Found] = []
        self._cuffs_due_ms: dict[Bed, int] = {}
        self._lows = [-inf for _ in plan.beds]
        """Below this an SpO2 is in breach of a limit."""
        self._heart = first.heart
        self._agreements = [Agreement(self._heart) for _ in plan.beds]
        self._weak_until_ms: dict[Bed, int] = {}
        self._unsaid_until_ms: dict[tuple[Bed, str], int] = {}
        self._rare_due_ms: int | None = None
        self._stirred = True

    # Patients and limits.

    def new_patient(self, bedside: Bedside, at_ms: int) -> None:
        """Nothing of the last patient stays: no verdict, no limit, no silence."""
        self._engine.reset(bedside.index)
        self._agreements[bedside.index] = Agreement(self._heart)
        self._weak_until_ms.pop(bedside.bed, None)
        for condition in ("spo2-weak", "rates-differ", "no-prescriber"):
            self.holds(condition, bedside.bed, None, None, session=True)
        self._repeats[bedside.index] = self._no_repeat(bedside.index)
        self.said(bedside.bed, {})
        self._limits[bedside.index] = ()
        self._plain[bedside.index] = {}
        for condition in _LACKING:
            self._lacking_ms.pop((bedside.bed, condition), None)
        self._silent = {key for key in self._silent if key[0] != bedside.bed}
        if bedside.session is not None:
            self.set_limits(bedside, at_ms)
        self._silence_due_ms = at_ms

    def set_limits(self, bedside: Bedside, at_ms: int) -> None:
        """The profile's limits for this patient, with this session's own laid over them (ALM-090)."""
        if bedside.session is None:
            return
        own = {name: set_to.limit for name, set_to in bedside.overrides.items() if set_to.limit is not None}
        layers = bedside.stay.in_force if bedside.stay is not None else None
        profile, unconfirmed = self._profile(bedside.session.profile), frozenset[str]()
        if layers is not None:
            profile, unconfirmed = self._laid(profile, layers), layers.unconfirmed
        limits = profile.limits_for(bedside.session.baseline, own, unconfirmed)
        self._limits[bedside.index] = limits
        self._plain[bedside.index] = self._without_layers(bedside) if layers is not None else {}
        lows = [limit.limit for limit in limits if limit.rule.vital is Vital.SPO2 and limit.limit is not None]
        self._lows[bedside.index] = max(lows, default=-inf)
        self._agreements[bedside.index].heart.set_span(*_witnessed_span(limits))
        dense = [limit for limit in limits if not self._is_repeated(limit.rule)]
        self._engine.set_limits(at_ms, bedside.index, dense)
        rare = [limit for limit in limits if self._is_repeated(limit.rule)]
        self._waiting += self._findings(self._repeats[bedside.index].set_limits(at_ms, rare))
        self._stirred = True

    def _profile(self, name: str) -> Profile:
        # A profile that was taken out of the clinic's file since: its patient is watched by the default one.
        profiles = self._plan.profiles
        return profiles.get(name) or next(iter(profiles.values()))

    def _laid(self, profile: Profile, layers: InForce) -> Profile:
        """The profile with these layers over it; made once, for many patients have the same ones."""
        data = self._plan.numbers.get(profile.name)
        if not layers.rules or data is None:
            return profile
        key = profile.name, repr(sorted(layers.rules.items()))
        if key not in self._laid_over:
            self._laid_over[key] = limits_of(lay(data, layers))
        return self._laid_over[key]

    def refuse_limit(self, set_to: LimitSet) -> str | None:
        """Why this limit may not be set, in words, or None."""
        limits = self._limits[self._names.index(set_to.bed)]
        limit = next((found for found in limits if found.rule.name == set_to.rule), None)
        if limit is None:
            return f"There is no limit called {set_to.rule}."
        if not set_to.why.strip():
            return "A changed limit needs a reason."
        if set_to.limit is None:
            return None
        if limit.low_span is None or limit.high_span is None:
            return "The clinic does not let this limit be changed."
        if not limit.low_span <= set_to.limit <= limit.high_span:
            return f"The clinic lets this limit be set from {limit.low_span:g} to {limit.high_span:g}."
        return None

    def limits_now(self, bedside: Bedside) -> tuple[LimitNow, ...]:
        """The limits in force, as a screen shows them; an arterial line borrows the cuff's.

        The default is the profile's for this patient. A layer of a therapy that makes it another is named as
        the reason; who set it is nobody then.
        """
        plain = self._plain[bedside.index]
        whose = bedside.stay.in_force.whose if bedside.stay and bedside.stay.in_force else {}
        return tuple(
            LimitNow(
                rule=limit.rule.name,
                vital=limit.rule.vital,
                side=limit.rule.side,
                priority=limit.rule.priority,
                limit=limit.limit,
                default=default,
                inclusive=limit.rule.inclusive,
                hold_ms=limit.hold_ms,
                severe=limit.severe,
                set_by=own.by if own else None,
                set_why=own.why if own else None if limit.limit == default else layer,
                low_span=limit.low_span,
                high_span=limit.high_span,
            )
            for limit in self._limits[bedside.index]
            if limit.limit is not None and not limit.rule.numbers_of
            if limit.rule.vital is not None and limit.rule.side is not None
            for own in (bedside.overrides.get(limit.rule.name),)
            for layer in (whose.get(limit.rule.name),)
            for default in (plain.get(limit.rule.name, limit.default),)
        )

    def _without_layers(self, bedside: Bedside) -> dict[str, float | None]:
        """What the limits would be if the therapy did not change them."""
        if bedside.session is None:
            return {}
        plain = self._profile(bedside.session.profile).limits_for(bedside.session.baseline)
        return {limit.rule.name: limit.limit for limit in plain}

    # Hearing.

    def weighs(self, bedside: Bedside, reading: Reading) -> Reading:
        """A live reading beside all else the bed says (C7 to C11): doubted where it must be, number and all.

        What is judged like a cuff comes too rarely to be held against anything.
        """
        if self._plan.sparse:
            return reading
        agreement = self._agreements[bedside.index]
        apart_ms, weak_ms = agreement.apart_since_ms, agreement.weak_since_ms
        value = reading.value
        low = reading.vital is Vital.SPO2 and value is not None and value < self._lows[bedside.index]
        weighed = agreement.weighs(reading, low=low)
        if agreement.apart_since_ms != apart_ms or agreement.weak_since_ms != weak_ms:
            self._tell_agreement(bedside, reading.at_ms)
        return weighed

    def weighs_cuff(self, bedside: Bedside, taken: CuffTaken) -> Cuff:
        """A cuff reading beside what is known of how it was taken (C6)."""
        began_ms = bedside.cuff_began_ms if bedside.cuff_ended_ms is None else None
        if began_ms is not None and taken.at_ms - began_ms > CUFF_GIVES_UP_MS:
            began_ms = None  # that one came to nothing; when this one began nobody has said
        took_ms = None if began_ms is None else taken.at_ms - began_ms
        from_ms = taken.measured_at_ms - CUFF_TAKES_MS if began_ms is None else began_ms
        moved = self._agreements[bedside.index].moved_since(from_ms, taken.measured_at_ms)
        return weighed_cuff(taken.cuff, took_ms, moved=moved and taken.by is None)

    def notes(self, bedside: Bedside, at_ms: int, what: Iterable[str]) -> None:
        """All that the bed's devices say beside their numbers."""
        self._agreements[bedside.index].notes(at_ms, what)

    def agrees(self, bedside: Bedside, table: Readings) -> bool:
        """Whether none of these live readings would be doubted; then all but the last row are taken in."""
        if self._plan.sparse:
            return True
        agreement = self._agreements[bedside.index]
        low = any(
            vital is Vital.SPO2 and min(column) < self._lows[bedside.index]
            for vital, column in zip(table.vitals, table.columns, strict=True)
        )
        if not agreement.rests(table, low=low):
            return False
        agreement.took(table)
        return True

    def hears(self, bedside: Bedside, reading: Reading) -> Sequence[Found]:
        """A live reading. The bed's one heart rate is the ECG's; the oximeter's where there is none."""
        vital = reading.vital
        if reading.value is None or (self._silent and (bedside.bed, _GAP_OF.get(vital)) in self._silent):
            self._silence_due_ms = reading.at_ms
        if vital in SPOT_VITALS:
            return self._hears_spot(bedside, vital, reading)
        row = _ROW_OF.get(vital)
        if row is None:
            return ()
        if vital is Vital.PULSE_SPO2 and not self._plan.sparse:
            again = self._agreements[bedside.index].asked_again(reading.at_ms)
            if again is not None and self._speaks(bedside, again):
                self._feeds(bedside, row, structs.replace(again, at_ms=reading.at_ms))
        if not self._speaks(bedside, reading):
            return self._findings(self._engine.take_changes())
        if vital in self._plan.sparse:
            return self._hears_spot(bedside, ROWS[row], reading)
        self._feeds(bedside, row, reading)
        return self._findings(self._engine.take_changes())

    def _feeds(self, bedside: Bedside, row: int, reading: Reading) -> None:
        value = nan if reading.value is None else reading.value
        doubt: int = reading.doubt
        heart = self._agreements[bedside.index].heart
        if reading.vital is Vital.HEART_RATE and reading.value is not None:
            doubt = heart.weighed(reading.value, reading.doubt)
        elif reading.vital is Vital.PULSE_SPO2 and heart.pulse_speaks:
            doubt = AGREED  # it has waited its time
        self._engine.feed_one(reading.at_ms, row, bedside.index, value, reading.fresh_until_ms, doubt)

    def _hears_spot(self, bedside: Bedside, vital: Vital, said: Reading | VitalTyped) -> Sequence[Found]:
        """One reading of a vital that is measured now and then; without a number it is no reading."""
        if said.value is None:
            return ()
        self._stirred = True
        doubt = Doubt.NONE if isinstance(said, VitalTyped) else said.doubt
        repeat = self._repeats[bedside.index]
        return self._findings(repeat.reading(said.at_ms, {vital: said.value}, doubt=doubt))

    def rests(self, bedside: Bedside, table: Readings) -> bool:
        """Whether none of these live readings would move anything, but for the last word on each vital."""
        for vital, column in zip(table.vitals, table.columns, strict=True):
            if vital in self._plan.sparse:
                return False
            if vital in SPOT_VITALS and not self._repeats[bedside.index].rests(
                vital, min(column), max(column)
            ):
                return False
            row = _ROW_OF.get(vital)
            if row is None:
                continue
            if not self._engine.rests(table.at_ms, row, bedside.index, min(column), max(column)):
                return False
        return True

    def hears_typed(self, bedside: Bedside, typed: VitalTyped) -> Sequence[Found]:
        """A value taken by hand: judged like one of a device."""
        if typed.vital in SPOT_VITALS:
            return self._hears_spot(bedside, typed.vital, typed)
        row = _ROW_OF.get(typed.vital)
        if row is None:
            return ()
        fresh_ms = typed.at_ms + TYPED_LASTS_MS
        self._engine.feed_one(typed.at_ms, row, bedside.index, typed.value, fresh_ms, Doubt.NONE)
        return self._findings(self._engine.take_changes())

    def hears_cuff(self, bedside: Bedside, taken: CuffTaken, *, confirmed: bool = False) -> Sequence[Found]:
        """A cuff reading: three pressures of one measurement. A derived mean is no measurement.

        `confirmed`: it is the median of three, and needs no repeat to be believed.
        """
        cuff, rate = taken.cuff, self._heart_rate(bedside, taken.at_ms)
        mean = None if cuff.derived_mean else cuff.mean
        pressures = zip(CUFF_VITALS, (cuff.systolic, cuff.diastolic, mean), strict=True)
        values = {vital: value for vital, value in pressures if value is not None}
        repeat = self._repeats[bedside.index]
        self._stirred = True
        return self._findings(
            repeat.reading(taken.at_ms, values, heart_rate=rate, doubt=cuff.doubt, confirmed=confirmed)
        )

    def wants_repeat(self, bedside: Bedside) -> bool:
        """Whether a cuff breach of this bed waits for its second reading."""
        return self._repeats[bedside.index].waiting

    # Technical conditions, and what people say.

    def holds(
        self, condition: str, bed: Bed, device: Device | None, since_ms: int | None, *, session: bool
    ) -> None:
        """A technical condition holds since then, or (None) does not; each of its rows for its own time."""
        said = (since_ms, session)
        if self._held.get((condition, bed, device)) == said:
            return  # it is told anew at every turn, and seldom is it news
        self._held[condition, bed, device] = said
        self._stirred = True
        for rule in _ROWS_OF[condition]:
            counts = rule.in_session is None or rule.in_session is session
            self._gaps.set((bed, rule.name, device), since_ms if counts else None)

    def said(self, bed: Bed, found: Mapping[str, Condition]) -> None:
        """What a treatment says of its patient, or at no bed of the forms; of nothing said, all is over."""
        self._stirred = True
        for rule in _SAID[bed == CLINIC]:
            now, key = found.get(rule.name), (bed, rule.name, None)
            self._gaps.set(key, None if now is None else now.since_ms)
            was, self._told[key] = self._told.get(key), now
            if now is not None and was is not None and now.newest_ms > was.newest_ms:
                # Something has been added: whoever has acknowledged it before has not seen that.
                self._waiting.append(Found(key, Cue.HELD, now.since_ms, note=now.text, severe=True))

    def silences(self, bedside: Bedside, started_ms: int, now_ms: int) -> None:
        """Which vitals of this bed have been without a live number, and since when.

        SpO2 is expected from any monitor that measures it; the rates once they have been seen. Before
        `started_ms` nobody was listening, so no silence is older.
        """
        if self._agreements[bedside.index].fades(now_ms):
            self._tell_agreement(bedside, now_ms)
        watched = bedside.watched
        for condition, vitals in GAPS.items():
            offered = [v for v in vitals if v in self._vitals[bedside.bed]]
            expected = watched and bool(offered)
            if condition != "spo2-gap":
                expected = expected and any(v in bedside.last or v in bedside.missed for v in offered)
            since_ms = _silent_since_ms(bedside, offered, started_ms, now_ms) if expected else None
            key = bedside.bed, condition
            if since_ms is not None and self._is_unsaid(bedside, condition, since_ms, now_ms):
                since_ms = None
            if since_ms is None:
                self._silent.discard(key)
            else:
                self._silent.add(key)
            in_session = bedside.session is not None
            self.holds(condition, bedside.bed, None, since_ms, session=in_session)

    def _is_unsaid(self, bedside: Bedside, condition: str, since_ms: int, now_ms: int) -> bool:
        """C10: whether this loss is the running cuff's, on the arm of the probe, and not yet too long."""
        self._unsaid_until_ms.pop((bedside.bed, condition), None)
        of_probe = condition == "spo2-gap" or (condition == "hr-gap" and Vital.HEART_RATE not in bedside.last)
        if bedside.bed not in self._plan.same_arm or not of_probe:
            return False
        began_ms, ended_ms = bedside.cuff_began_ms, bedside.cuff_ended_ms
        if began_ms is not None and ended_ms is None and now_ms - began_ms > CUFF_GIVES_UP_MS:
            ended_ms = began_ms + CUFF_GIVES_UP_MS
        until_ms = unsaid_until_ms(since_ms, began_ms, ended_ms)
        if until_ms is None or now_ms >= until_ms:
            return False
        self._unsaid_until_ms[bedside.bed, condition] = until_ms
        return True

    def lacks(self, condition: str, bed: Bed, now_ms: int, *, lacking: bool) -> None:
        """Whether a bed, or the clinic, lacks somebody it needs (alarms.md 7): the duty list counts."""
        since_ms = self._lacking_ms.setdefault((bed, condition), now_ms) if lacking else None
        if since_ms is None:
            self._lacking_ms.pop((bed, condition), None)
        self.holds(condition, bed, None, since_ms, session=True)

    def cuff(self, bedside: Bedside, now_ms: int) -> None:
        """Whether the cuff has failed twice, or a reading that the session asks for is overdue."""
        failed = bedside.failed if bedside.failures >= _FAILURES else None
        since_ms = failed.at_ms if failed else None
        self.holds("cuff-failed", bedside.bed, None, since_ms, session=True)
        due_ms = bedside.cuff_owed_ms() if self._plan.live else None
        # What is due later is not overdue: it is looked at again when its time has come.
        ahead = due_ms is not None and due_ms > now_ms
        self._cuffs_due_ms.pop(bedside.bed, None)
        if ahead and due_ms is not None:
            self._cuffs_due_ms[bedside.bed] = due_ms
        self.holds("cuff-overdue", bedside.bed, None, None if ahead else due_ms, session=True)

    # Time.

    def tick(self, now_ms: int) -> list[Found]:
        """Let time pass: delays that have run, repeats that have not come, gaps that have lasted."""
        self._stirred = True
        for bed, until_ms in list(self._weak_until_ms.items()):
            if until_ms <= now_ms:
                # It has lasted: from here on it is the patient's.
                del self._weak_until_ms[bed]
                self.holds("spo2-weak", bed, None, None, session=True)
        self._engine.tick(now_ms)
        found, self._waiting = self._waiting, []
        found += self._findings(self._engine.take_changes())
        for repeat in self._repeats:
            found += self._findings(repeat.tick(now_ms))
        found += [
            Found(change.key, change.cue, change.since_ms, note=told.text if told is not None else "")
            for change in self._gaps.tick(now_ms)
            for told in (self._told.get(change.key),)
        ]
        return found

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next."""
        if self._stirred:
            # Asked at every turn, and moved only by a cuff, a gap or a patient: worth remembering.
            waits = [self._gaps.due_ms(), *(repeat.due_ms() for repeat in self._repeats)]
            waits += self._cuffs_due_ms.values()
            waits += self._weak_until_ms.values()
            waits += self._unsaid_until_ms.values()
            self._rare_due_ms = min((due for due in waits if due is not None), default=None)
            self._stirred = False
        dues = (self._engine.due_ms(), self._rare_due_ms, self._silence_due_ms)
        return min((due for due in dues if due is not None), default=None)

    def swept(self, bedsides: Iterable[Bedside], now_ms: int) -> None:
        """After all silences have been looked at: when the next could begin."""
        fresh = [
            reading.fresh_until_ms + 1
            for bedside in bedsides
            for vital in bedside.now
            if vital in _GAP_OF
            for reading in (bedside.now[vital],)
            if reading.value is not None and reading.fresh_until_ms >= now_ms
        ]
        self._silence_due_ms = min(fresh, default=None)

    def restore(self, board: Board, bedsides: Mapping[Bed, Bedside]) -> None:
        """Put back what the open alarms say of each condition; whether it still holds is heard soon."""
        self._stirred = True
        self._engine.take_changes()
        self._waiting.clear()
        self._held.clear()
        for alarm in board:
            cue = _RESTORED.get(alarm.state)
            place = INDEX[alarm.rule.name]
            if alarm.rule.vital is not None and alarm.bed in bedsides:
                bedsides[alarm.bed].missed.add(alarm.rule.vital)
            if cue is None:
                continue
            if not alarm.rule.measured:
                self._gaps.restore(alarm.key, alarm.since_ms)
                continue
            index = self._names.index(alarm.bed)
            severe = self._was_severe(index, alarm)
            if self._is_repeated(alarm.rule):
                self._repeats[index].restore(place, cue, alarm.since_ms, severe=severe)
            else:
                self._engine.restore(index, place, cue, alarm.since_ms, severe=severe)

    # Small judgements.

    def _was_severe(self, index: int, alarm: Alarm) -> bool:
        """Whether it was severe when it last moved: then that is no news, and an acknowledgement stands."""
        bounds = [limit for limit in self._limits[index] if limit.rule is alarm.rule]
        return alarm.value is not None and any(limit.at_once(alarm.value) for limit in bounds)

    def _no_repeat(self, index: int) -> Repeat:
        first = next(iter(self._plan.profiles.values()))
        return Repeat(first.confirm_ms if self._plan.live else None, index)

    def _is_repeated(self, rule: Rule) -> bool:
        return rule.kind is Kind.REPEAT or rule.vital in self._plan.sparse

    def _speaks(self, bedside: Bedside, reading: Reading) -> bool:
        """Whether this reading is the bed's heart rate, or no heart rate at all."""
        vital = reading.vital
        if self._agreements[bedside.index].heart.pulse_speaks and vital in (
            Vital.HEART_RATE,
            Vital.PULSE_SPO2,
        ):
            return vital is Vital.PULSE_SPO2
        if vital is Vital.PULSE_SPO2:
            ecg = bedside.now.get(Vital.HEART_RATE)
            if not _is_live(ecg, reading.at_ms):
                return True
            return self._agreements[bedside.index].ecg_is_poor and not self._is_high(bedside, ecg)
        if vital is not Vital.HEART_RATE:
            return True
        if self._agreements[bedside.index].ecg_is_poor and reading.value is not None:
            # C7: the poor one of two rates does not alarm; but a HIGH is withheld for 30 s and no longer.
            return self._is_high(bedside, reading)
        return reading.value is not None or not _is_live(bedside.now.get(Vital.PULSE_SPO2), reading.at_ms)

    def _is_high(self, bedside: Bedside, ecg: Reading | None) -> bool:
        """Whether this rate of the ECG is in breach of a HIGH limit."""
        if ecg is None or ecg.value is None:
            return False
        value = ecg.value
        return any(
            limit.rule.vital is Vital.HEART_RATE
            and limit.rule.priority is Priority.HIGH
            and limit.reached(value)
            for limit in self._limits[bedside.index]
        )

    def _tell_agreement(self, bedside: Bedside, at_ms: int) -> None:
        agreement, bed = self._agreements[bedside.index], bedside.bed
        self.holds("rates-differ", bed, None, agreement.apart_since_ms, session=True)
        weak_ms = agreement.weak_since_ms
        if weak_ms is None or at_ms - weak_ms >= WEAK_FIRST_MS:
            self._weak_until_ms.pop(bed, None)
            weak_ms = None
        else:
            self._weak_until_ms[bed] = weak_ms + WEAK_FIRST_MS
        self.holds("spo2-weak", bed, None, weak_ms, session=True)

    def _heart_rate(self, bedside: Bedside, at_ms: int) -> float | None:
        for vital in GAPS["hr-gap"]:
            reading = bedside.now.get(vital)
            if reading is not None and _is_live(reading, at_ms):
                return reading.value
        return None

    def _findings(self, changes: Sequence[Change]) -> list[Found]:
        return [self._finding(change) for change in changes] if changes else []

    def _finding(self, change: Change) -> Found:
        rule = RULES[change.rule]
        heart = self._agreements[change.bed].heart
        note = change.note
        if note == BOTH_SAY_SO:
            note = POOR_SIGNAL if heart.pulse_speaks else heart.why
        withheld = change.cue is Cue.ONSET and change.doubt is Doubt.POOR_SIGNAL
        if withheld:
            of_heart = rule.vital is Vital.HEART_RATE and heart.says is Says.OTHERWISE
            note = f"{WITHHELD}: {heart.why if of_heart else 'poor signal'}"
        if change.cue is Cue.HELD and change.doubt is Doubt.POOR_SIGNAL and not note:
            note = "poor signal"
        return Found(
            key=(self._names[change.bed], rule.name, None),
            cue=change.cue,
            since_ms=change.since_ms,
            value=None if isnan(change.value) else change.value,
            limit=None if isnan(change.limit) else change.limit,
            note=note,
            severe=change.severe,
            withheld=withheld,
        )


CUFF_TAKES_MS = 35_000
"""How long a cuff measures where nobody says when it began (physiology.md 5.4)."""

_FAILURES = 2  # "NIBP failed twice" (alarms.md 7)
_LACKING = ("no-nurse", "no-prescriber")
_RESTORED = {
    AlarmState.PENDING: Cue.ONSET,
    AlarmState.ACTIVE: Cue.HELD,
    AlarmState.ACKED: Cue.HELD,
}
_ROW_OF: dict[Vital, int] = {vital: row for row, vital in enumerate(ROWS)}
_ROW_OF[Vital.PULSE_SPO2] = _ROW_OF[Vital.HEART_RATE]
_ROWS_OF: dict[str, list[Rule]] = {}
for _rule in RULES:
    if _rule.technical:
        _ROWS_OF.setdefault(_rule.condition, []).append(_rule)
_SAID = (
    [rule for rule in RULES if rule.kind is Kind.SAID and rule.condition != FORM_OWED],
    [rule for rule in RULES if rule.condition == FORM_OWED],
)
"""What is said at a bed, and what of no bed."""
_GAP_OF = {vital: condition for condition, vitals in GAPS.items() for vital in vitals}


def _witnessed_span(limits: Limits) -> tuple[float, float]:
    """Between which rates no limit is in breach that a second signal could hasten."""
    own = [limit for limit in limits if limit.agreed_ms is not None and limit.limit is not None]
    lows = [limit.limit or 0.0 for limit in own if limit.rule.side is Side.LOW]
    highs = [limit.limit or 0.0 for limit in own if limit.rule.side is Side.HIGH]
    return max(lows, default=-inf), min(highs, default=inf)


def _is_live(reading: Reading | None, at_ms: int) -> bool:
    return reading is not None and reading.value is not None and at_ms <= reading.fresh_until_ms


def _silent_since_ms(bedside: Bedside, vitals: Sequence[Vital], started_ms: int, now_ms: int) -> int | None:
    readings = [bedside.now[v] for v in vitals if v in bedside.now]
    if bedside.session is None or any(_is_live(reading, now_ms) for reading in readings):
        return None
    last = [bedside.last[v] for v in vitals if v in bedside.last]
    # A number that has grown stale was live until then; one that was withdrawn, until its last instant.
    ends = [r.fresh_until_ms - FRESH_MS if r in readings else r.at_ms for r in last]
    return max([bedside.session.opened_at_ms, started_ms, *ends])

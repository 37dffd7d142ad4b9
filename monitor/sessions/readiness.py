"""May this patient leave, and if not, what is missing: the list of protocols.md 7, live. Pure.

Every item has its value, who said it, when, and what is missing; "ready" is only said when nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from monitor.model import CuffTaken, Device, Staff, Vital
from monitor.people import CLINICAL
from monitor.sessions.conditions import conditions
from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Item, ReadinessRules, ms
from monitor.treatment import Measured, Overridden, Phase, Score, Scored, Seen, Symptom


@dataclass(frozen=True, slots=True)
class Said:
    """One value behind an item: in words, by whom or what, and when."""

    words: str
    who: Staff | Device | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class ItemNow:
    """One item of the list. `missing` is empty where it is true; `decided` is a decision to go on without."""

    item: Item
    title: str
    said: tuple[Said, ...]
    missing: tuple[str, ...]
    decided: Overridden | None = None

    @property
    def holds(self) -> bool:
        """Whether it is true, or somebody who may has decided that the patient leaves without it."""
        return not self.missing or self.decided is not None


TITLES: Mapping[Item, str] = {
    Item.TIME: "Least stay",
    Item.PRESSURE: "Blood pressure and heart rate",
    Item.BREATHING: "Breathing on room air",
    Item.AWAKE: "Awake and oriented",
    Item.STEADY: "Steady on the feet",
    Item.NAUSEA: "Nausea",
    Item.QUIET: "No alarm",
    Item.MOOD: "Mood and suicide-risk check",
    Item.ESCORT: "Escort",
    Item.PAPERS: "Instructions",
    Item.SIGNED: "Signature",
}

FLOOR = "floor"


def override_key(item: Item) -> str:
    """How a decision about an item is named in its event: the time has a name of its own."""
    return FLOOR if item is Item.TIME else f"item:{item.value}"


def items(record: Record, seen: Seen, now_ms: int) -> tuple[ItemNow, ...]:
    """The therapy's list as it stands now, in its order."""
    return tuple(_item(item, record, seen, now_ms) for item in record.therapy.readiness.items)


def ready(record: Record, seen: Seen, now_ms: int) -> bool:
    """Whether every item holds but the signature, which is given for exactly this."""
    return all(one.holds for one in items(record, seen, now_ms) if one.item is not Item.SIGNED)


def would_be_ready(record: Record, seen: Seen, now_ms: int) -> bool:
    """Whether all is true but the time and the signature: what the form asks the first minute of."""
    apart = {Item.TIME, Item.SIGNED}
    found = items(record, seen, now_ms)
    return record.dosed and all(not one.missing for one in found if one.item not in apart)


def _item(item: Item, record: Record, seen: Seen, now_ms: int) -> ItemNow:
    said, missing = _ASKED[item](record, seen, now_ms)
    decided = None
    if item is not Item.SIGNED:
        decided = record.overridden(override_key(item), record.start_ms or record.opened.at_ms)
    return ItemNow(item, TITLES[item], tuple(said), tuple(missing), decided)


Found = tuple[list[Said], list[str]]


def _time(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    until_ms, floor = record.floor_until_ms(), record.therapy.floor
    if floor is None:
        return [], []
    if until_ms is None:
        return [], [f"{floor.min:g} min have not begun."]
    if now_ms < until_ms:
        left = -(-(until_ms - now_ms) // 60_000)
        return [], [f"{left} min to go."]
    return [Said(f"{floor.min:g} min are over", None, until_ms)], []


def _pressure(record: Record, seen: Seen, now_ms: int) -> Found:
    rules = record.therapy.readiness
    said, missing = _heart(record, seen, now_ms)
    # A reading of the very moment of the start is one of before.
    cuffs = record.cuffs_between(_from_ms(record, now_ms) + 1, now_ms)
    if not cuffs or cuffs[-1].measured_at_ms < now_ms - ms(rules.pressure_fresh_min):
        return said, [f"No blood pressure in the last {rules.pressure_fresh_min:g} min.", *missing]
    last = cuffs[-1]
    said.append(Said(_pressures(last), last.by or last.device, last.measured_at_ms))
    missing += [*_too_high(record, last, rules), *_rising(cuffs, rules)]
    return said, missing


def _too_high(record: Record, last: CuffTaken, rules: ReadinessRules) -> Iterable[str]:
    systolic, diastolic = _numbers(last)
    if systolic >= rules.sys_below or diastolic >= rules.dia_below:
        yield f"{systolic:g}/{diastolic:g} is not below {rules.sys_below:g}/{rules.dia_below:g}."
    own = record.baseline.baseline.systolic if record.baseline else None
    if own is None:
        yield "There is no baseline to hold the pressure against."
        return
    band = own * rules.band_percent / 100
    if not own - band <= systolic <= own + band:
        yield f"{systolic:g} is not within {rules.band_percent:g} % of the baseline {own:g}."


def _rising(cuffs: list[CuffTaken], rules: ReadinessRules) -> Iterable[str]:
    last = cuffs[-1]
    earlier = [one for one in cuffs if one.measured_at_ms <= last.measured_at_ms - ms(rules.apart_min)]
    if not earlier:
        yield f"Two readings at least {rules.apart_min:g} min apart."
    elif last.cuff.systolic is not None and earlier[-1].cuff.systolic is not None:
        rise = last.cuff.systolic - earlier[-1].cuff.systolic
        if rise > rules.flat_mmhg:
            yield f"The pressure has risen by {rise:g} mmHg since the reading before."


def _heart(record: Record, seen: Seen, now_ms: int) -> tuple[list[Said], list[str]]:
    rules = record.therapy.readiness
    rate = _newest(record, seen, now_ms, Vital.HEART_RATE, Vital.PULSE_SPO2)
    if rate is None:
        return [], ["The heart rate is not known."]
    missing = [] if rules.hr[0] <= rate.value <= rules.hr[1] else [_outside("Heart rate", rate, rules.hr)]
    return [Said(f"HR {rate.value:g}", rate.by or rate.device, rate.at_ms)], missing


def _breathing(record: Record, seen: Seen, now_ms: int) -> Found:
    rules = record.therapy.readiness
    said: list[Said] = []
    missing: list[str] = []
    spo2 = _newest(record, seen, now_ms, Vital.SPO2)
    if spo2 is None:
        missing.append("SpO2 is not known.")
    else:
        said.append(Said(f"SpO2 {spo2.value:g} %", spo2.by or spo2.device, spo2.at_ms))
        own = record.baseline.baseline.spo2 if record.baseline else None
        least = rules.spo2_least if own is None else min(rules.spo2_least, own - rules.spo2_below_baseline)
        if spo2.value < least:
            missing.append(f"SpO2 {spo2.value:g} is under {least:g}.")
    rate = _newest(record, seen, now_ms, Vital.RESPIRATION)
    if rate is None:
        missing.append("The respiration is not known: count it.")
    else:
        said.append(Said(f"RR {rate.value:g}", rate.by or rate.device, rate.at_ms))
        if not rules.rr[0] <= rate.value <= rules.rr[1]:
            missing.append(_outside("Respiration", rate, rules.rr))
    missing += _oxygen(record, rules, now_ms)
    return said, missing


def _oxygen(record: Record, rules: ReadinessRules, now_ms: int) -> Iterable[str]:
    """Oxygen is recorded when it is given: until then the patient breathes room air."""
    newest = record.score(Score.OXYGEN)
    if newest is None:
        return
    if newest.value:
        yield "The patient is on oxygen."
    elif any(one.value for one in record.scores[Score.OXYGEN]) and now_ms - newest.done_at_ms < ms(
        rules.oxygen_free_min
    ):
        yield f"Oxygen was given in the last {rules.oxygen_free_min:g} min."


def _awake(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    rules = record.therapy.readiness
    wanted = {Score.MOAAS: rules.moaas, Score.ORIENTED: 3, Score.DISSOCIATION: 0}
    return _scores(record, now_ms, wanted, at_most=frozenset({Score.DISSOCIATION}))


def _steady(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    rules = record.therapy.readiness
    said, missing = _scores(record, now_ms, {Score.GAIT: 1})
    stood = record.cuffs_between(_from_ms(record, now_ms), now_ms, standing=True)
    if not stood:
        return said, missing + (["A blood pressure while standing."] if rules.standing else [])
    up = stood[-1]
    sitting = [one for one in record.cuffs_between(0, up.measured_at_ms) if one.cuff.systolic is not None]
    said.append(Said(f"{_pressures(up)} standing", up.by or up.device, up.measured_at_ms))
    if sitting and up.cuff.systolic is not None and sitting[-1].cuff.systolic is not None:
        fall = sitting[-1].cuff.systolic - up.cuff.systolic
        if fall > rules.standing_fall_mmhg:
            missing.append(f"The pressure falls by {fall:g} mmHg on standing.")
    return said, missing


def _nausea(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    most = record.therapy.readiness.nausea_most
    said, missing = _scores(record, now_ms, {Score.NAUSEA: most}, at_most=frozenset({Score.NAUSEA}))
    vomiting = record.symptoms.get(Symptom.VOMITING)
    if vomiting is not None and not vomiting.over:
        missing.append("Vomiting has not been marked as over.")
    return said, missing


def _quiet(record: Record, seen: Seen, now_ms: int) -> Found:
    quiet_ms = ms(record.therapy.readiness.quiet_min)
    own = [one.text for one in conditions(record, seen, now_ms) if one.priority > 1]
    open_now = list(dict.fromkeys((*seen.alarms, *own)))
    if open_now:
        return [], [f"Open: {', '.join(open_now)}."]
    if seen.quiet_since_ms is not None and now_ms - seen.quiet_since_ms < quiet_ms:
        left = -(-(quiet_ms - (now_ms - seen.quiet_since_ms)) // 60_000)
        return [], [f"An alarm ended less than {quiet_ms // 60_000} min ago: {left} min to go."]
    return [Said("No MEDIUM or HIGH alarm", None, seen.quiet_since_ms)], []


def _mood(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    return _scores(record, now_ms, {Score.SUICIDE_CHECK: 1}, fresh=False)


def _escort(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    said, missing = _scores(record, now_ms, {Score.ESCORT: 1, Score.DRIVING: 1}, fresh=False)
    here, told = record.score(Score.ESCORT), record.answers.get("escort")
    name = (here.note if here else "") or (told.note if told and told.yes else "")
    if name:
        said.append(Said(name, here.by if here else None, here.done_at_ms if here else None))
    else:
        missing.append("The escort's name.")
    return said, missing


def _papers(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen
    wanted = {Score.INSTRUCTIONS: 1} | ({Score.LINE_OUT: 1} if record.therapy.readiness.line else {})
    return _scores(record, now_ms, wanted, fresh=False)


def _signed(record: Record, seen: Seen, now_ms: int) -> Found:
    del seen, now_ms
    rules = record.therapy.sign_off
    since_ms, corrected = record.since_ms, max(map(record.number, record.struck.values()), default=0)
    valid = [
        one
        for one in record.signatures
        # What was signed is what stood there then: it is signed again once it was corrected.
        if one.at_ms >= since_ms and one.role in CLINICAL and record.number(one) > corrected
    ]
    said = [Said(f"{one.role.value}: {one.meaning}", one.by, one.at_ms) for one in valid]
    if any(one.role in rules.alone for one in valid):
        return said, []
    people = {one.by for one in valid if one.role in rules.roles}
    if record.phase is Phase.TRANSFERRED and record.dosed:
        return said, [f"Signed by {_one_of(rules.alone)}: the patient left before the session was over."]
    if len(people) >= rules.together:
        return said, []
    return said, [f"Signed by {_one_of(rules.alone)}, or by {rules.together} people."]


def _one_of(roles: Iterable[str]) -> str:
    return "a " + " or a ".join(roles)


def _scores(
    record: Record,
    now_ms: int,
    wanted: Mapping[Score, int],
    *,
    at_most: frozenset[Score] = frozenset(),
    fresh: bool = True,
) -> Found:
    """Judgements made since the drug (and, if `fresh`, lately) that must reach, or not pass, a value."""
    rules = record.therapy.readiness
    from_ms = _from_ms(record, now_ms)
    if fresh:
        from_ms = max(from_ms, now_ms - ms(rules.scores_fresh_min))
    said: list[Said] = []
    missing: list[str] = []
    for score, value in wanted.items():
        newest, scale = record.score(score), SCALES[score]
        if newest is None or newest.done_at_ms < from_ms:
            missing.append(
                f"{scale.title}: not asked yet." if newest is None else f"{scale.title}: ask again."
            )
            continue
        said.append(_said(newest))
        if newest.value > value if score in at_most else newest.value < value:
            missing.append(f"{scale.title}: {scale.words[newest.value]}.")
    return said, missing


def _said(one: Scored) -> Said:
    scale = SCALES[one.score]
    return Said(f"{scale.title}: {scale.words[one.value]}", one.by, one.done_at_ms)


def _from_ms(record: Record, now_ms: int) -> int:
    """Since when something said of the patient counts for leaving: since the drug."""
    return now_ms if record.start_ms is None else record.start_ms


def _newest(record: Record, seen: Seen, now_ms: int, *vitals: Vital) -> Measured | None:
    from_ms = max(_from_ms(record, now_ms), now_ms - ms(record.therapy.readiness.vitals_fresh_min))
    for vital in vitals:
        found = [one for one in seen.samples if one.vital is vital and from_ms <= one.at_ms <= now_ms]
        if found:
            return max(reversed(found), key=lambda one: one.at_ms)
    return None


def _outside(what: str, one: Measured, span: tuple[float, float]) -> str:
    return f"{what} {one.value:g} is not within {span[0]:g} to {span[1]:g}."


def _numbers(taken: CuffTaken) -> tuple[float, float]:
    if taken.cuff.systolic is None or taken.cuff.diastolic is None:
        raise ValueError("a cuff reading without numbers is no blood pressure")
    return taken.cuff.systolic, taken.cuff.diastolic


def _pressures(taken: CuffTaken) -> str:
    systolic, diastolic = _numbers(taken)
    return f"{systolic:g}/{diastolic:g}"


_ASKED: Mapping[Item, Callable[[Record, Seen, int], Found]] = {
    Item.TIME: _time,
    Item.PRESSURE: _pressure,
    Item.BREATHING: _breathing,
    Item.AWAKE: _awake,
    Item.STEADY: _steady,
    Item.NAUSEA: _nausea,
    Item.QUIET: _quiet,
    Item.MOOD: _mood,
    Item.ESCORT: _escort,
    Item.PAPERS: _papers,
    Item.SIGNED: _signed,
}

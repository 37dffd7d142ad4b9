"""A treatment session as a screen is shown it: its record and what was seen of its patient, as of now. Pure.

What is refused is asked of the session itself (`session.ask`) with an act that nobody sends: so a button says
what is missing by the very rules that would refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from monitor.model import Staff, Vital
from monitor.people import Role
from monitor.sessions import expected, gates, layers, news2, readiness, session
from monitor.sessions.baseline import propose
from monitor.sessions.due import FINAL, FORM, NIBP, Due, When, dues, fill, window_of
from monitor.sessions.law import BY_CLOCK, WITH_REASON, Cell, step
from monitor.sessions.loading import unsigned
from monitor.sessions.needs import missing as missing_of
from monitor.sessions.needs import missing_pressures
from monitor.sessions.record import Record
from monitor.sessions.scores import EMERGENCY_SIGNS, MOAAS_AWAKE, SCALES
from monitor.sessions.session import BACKDATED, Refused
from monitor.sessions.therapy import Check, Item, Layer, Need, Pressure, Therapy, ms
from monitor.treatment import (
    KINDS,
    SIDE,
    TITLES,
    Act,
    CheckFilled,
    CheckMissed,
    CheckSaved,
    DeviceGiven,
    Filled,
    Flag,
    FormSent,
    Measured,
    Move,
    Overridden,
    Phase,
    Score,
    Seen,
    Signed,
    Stepped,
    Symptom,
)
from monitor.treatment_now import (
    BaselineNow,
    CheckNow,
    ClocksNow,
    CourseNow,
    DecidedNow,
    DeviceNow,
    DoseNow,
    DueNow,
    FilledNow,
    FlagNow,
    FormNow,
    GateNow,
    LackingNow,
    LayerNow,
    MovedNow,
    MoveNow,
    News2Now,
    NextDeviceNow,
    PressureNow,
    QuestionNow,
    ReadingNow,
    ReadyItemNow,
    SaidNow,
    ScoreNow,
    SignatureNow,
    SignOffNow,
    SymptomNow,
    TherapyNow,
    TreatmentBrief,
    TreatmentNow,
)
from monitor.ward.timeline import FLAGS, ITEMS, timeline, value_words

WAYS = {"nasal": "Nasal", "infusion": "IV"}
"""How the drug is given, as the Floor says it: never the drug itself."""

AT_PEAK = frozenset({Phase.DOSING, Phase.ONSET, Phase.CHECK_40, Phase.INFUSION})
"""The phases in which the drug is at its strongest, or getting there: either course peaks about 40 minutes
after its start (physiology.md 4), when these end. They are what a nurse's load counts."""

LOOK_MS = 5_000
"""How old what a screen shows of a session may be while it is watched: values move by themselves."""

GUIDE_MIN = 120
"""The ring of a therapy without a least stay is an open arc of so long, as a guide only (P)."""

COURSE_STEP_MS, COURSE_STEPS = 300_000, 49
"""The expected course is told in steps, for four hours: so long may pressure stay up (physiology.md 5)."""

DAY_MS = 86_400_000

NOBODY = Staff("")
"""Who asks what would be missing: an act of nobody is never kept."""


def treatment_now(record: Record, seen: Seen, now_ms: int) -> TreatmentNow:
    """Everything a screen needs of this session."""
    now_ms = max(now_ms, record.last_ms)
    opened, therapy = record.opened, record.therapy
    due = dues(record, seen, now_ms)
    items = tuple(_items(record, seen, now_ms))
    moves = tuple(_moves(record, seen, now_ms))
    shown = tuple(_due(each, record, now_ms) for each in due)
    return TreatmentNow(
        at_ms=now_ms,
        until_ms=_until_ms(record, seen, now_ms),
        session=opened.session,
        bed=opened.bed,
        therapy=therapy.name,
        title=therapy.title,
        way=WAYS[therapy.course],
        version=opened.version,
        age_years=opened.age_years,
        devices_planned=opened.devices,
        first=opened.first,
        phase=record.phase,
        phase_title=TITLES[record.phase],
        onward=record.onward,
        onward_title=TITLES[record.onward],
        since_at_ms=record.since_ms,
        over=record.over,
        running=running(record),
        at_peak=at_peak(record),
        next=_next(record, shown, moves),
        clocks=_clocks(record),
        course=_course(record),
        next_device=_next_device(record),
        dues=shown,
        gates=tuple(_gates(record, seen, now_ms)),
        questions=tuple(_questions(record)),
        check_in_missing=missing_of(Need.ANSWERED, record, seen, now_ms),
        moves=moves,
        baseline=_baseline(record, seen, now_ms),
        ready=not record.over and record.dosed and readiness.ready(record, seen, now_ms),
        ready_items=items,
        ready_first_at_ms=record.ready_first_ms,
        checks=tuple(
            _check(check, record, seen, now_ms) for check in therapy.check if check.due_min is not None
        ),
        scores=tuple(_scores(record, _wanted(record, due, items))),
        symptoms=tuple(_symptoms(record)),
        devices=tuple(DeviceNow(d.number, d.lot, d.expires, d.done_at_ms, d.by) for d in record.devices),
        dose=_dose(record),
        flags=tuple(_flags(record)),
        layers=tuple(_layers(record, now_ms)),
        pressures=tuple(_pressures(record, now_ms)),
        sign_off=_sign_off(record, seen, now_ms),
        form=_form(record, now_ms),
        news2=_news2(record, seen, now_ms),
        timeline=timeline(record),
    )


def brief(record: Record, seen: Seen, now_ms: int) -> TreatmentBrief:
    """What a list of sessions shows of it."""
    now_ms = max(now_ms, record.last_ms)
    form = _form(record, now_ms)
    owed = (form.words,) if record.over and form is not None and form.sent_at_ms is None else ()
    if record.phase is not Phase.CLOSED:
        needs = (Need.PRESSURES, Need.SIGN_OFF) if record.dosed or record.over else ()
        owed = (*(words for need in needs for words in missing_of(need, record, seen, now_ms)), *owed)
    return TreatmentBrief(
        therapy=record.therapy.name,
        title=record.therapy.title,
        way=WAYS[record.therapy.course],
        phase=record.phase,
        phase_title=TITLES[record.phase],
        start_at_ms=record.start_ms,
        ended_at_ms=record.since_ms if record.over else None,
        ready_first_at_ms=record.ready_first_ms,
        signed_by=tuple(dict.fromkeys(one.by for one in record.signatures)),
        form=form,
        missing=tuple(dict.fromkeys(owed)),
    )


def therapy_now(therapy: Therapy, people: Mapping[Staff, Role]) -> TherapyNow:
    """One therapy as it may be chosen at the start of a session, or why not."""
    devices = therapy.devices
    return TherapyNow(
        therapy=therapy.name,
        title=therapy.title,
        way=WAYS[therapy.course],
        version=therapy.version,
        digest=therapy.digest,
        devices=None if devices is None else (devices.least, devices.most),
        age_years=therapy.age,
        refusal=unsigned(therapy, people),
    )


def running(record: Record) -> bool:
    """Whether drug is being given: between the devices too, but not while it is held."""
    return record.dosed and record.phase in {Phase.DOSING, Phase.INFUSION}


def at_peak(record: Record) -> bool:
    """Whether the drug is at its strongest, or on its way there; a side state changes nothing about it."""
    return record.dosed and not record.over and record.onward in AT_PEAK


def _until_ms(record: Record, seen: Seen, now_ms: int) -> int:
    due_ms = session.due_ms(record, seen, now_ms)
    look_ms = now_ms + (DAY_MS if record.over else LOOK_MS)
    return look_ms if due_ms is None else min(look_ms, due_ms)


# What is due, and what may be done.


def _due(due: Due, record: Record, now_ms: int) -> DueNow:
    return DueNow(
        what=due.name,
        title=due.title,
        state=due.when,
        opens_at_ms=due.opens_ms,
        due_at_ms=due.due_ms,
        late_at_ms=due.late_ms,
        closes_at_ms=due.closes_ms,
        priority=None if due.late is None else due.late.name,
        words=_due_words(due, now_ms),
        asks=_asks(due, record),
    )


def _asks(due: Due, record: Record) -> tuple[Score, ...]:
    """A check that comes again asks for all of its scores anew, one that comes once for those it still lacks."""
    check = next((check for check in record.therapy.check if check.name == due.name), None)
    if check is None:
        return ()
    items = check.items if check.due_min is None else due.missing
    return tuple(Score(item) for item in items if item in set(Score))


def _due_words(due: Due, now_ms: int) -> str:
    if due.name == FORM:
        return _form_words(due.due_ms, now_ms)
    left_ms = due.due_ms - now_ms
    if left_ms > 0:
        by_itself = due.name in {NIBP, FINAL} or due.late is None
        return f"{due.title} {'in' if by_itself else 'due in'} {-(-left_ms // 60_000)} min"
    if due.late is None:
        return f"{due.title} may be given"
    return f"{due.title} {-left_ms // 60_000} min late" if due.when is When.LATE else f"{due.title} due now"


def _form_words(due_ms: int, now_ms: int) -> str:
    days = (due_ms - now_ms) / DAY_MS
    if days < 0:
        return "Form overdue"
    return "Form due today" if days <= 0.5 else f"Form due in {max(1, round(days))} days"


def _next(record: Record, due: Iterable[DueNow], moves: Iterable[MoveNow]) -> str:
    """What has come due first; else what the way onward still lacks, or is; else what will come due."""
    due = tuple(due)
    urgent = next((each for each in due if each.state != "ahead"), None)
    if urgent is not None:
        return urgent.words
    onward = next((move for move in moves if move.kind in _ONWARD), None)
    if onward is not None and record.phase not in SIDE:
        if not onward.missing:
            return onward.title
        if not record.dosed or record.phase is Phase.READY:
            return onward.missing[0]
    return due[0].words if due else ""


_ONWARD = frozenset({"checked_in", "to_timeout", "infusion_start", "device", "check_done", "ready", "close"})
"""The moves that lead through an ordinary session."""


def _moves(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    number = record.opened.session
    if record.phase is not Phase.CLOSED:
        yield from _steps(record, seen, now_ms)
        yield from _entries(record, seen, now_ms)
    else:
        yield MoveNow("note", "Note", (), reason=False, earlier=False)
    if record.therapy.form is not None and record.dosed and record.over and record.form_sent is None:
        sent = FormSent(now_ms, number, "", NOBODY)
        yield MoveNow("form_sent", "Form sent", _lacks(record, sent, seen), reason=False, earlier=False)


def _steps(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    """The steps that the table has from here, but those that what was done has made impossible."""
    for move, kind in KINDS.items():
        cell = step(record.phase, move)
        there = cell is not Cell.NO and not (isinstance(cell, Phase) and not record.therapy.has(cell))
        if not there or move in BY_CLOCK or _pointless(record, move):
            continue
        reason = move in WITH_REASON
        act = Stepped(now_ms, record.opened.session, move, now_ms, NOBODY, Role.NURSE, "-" if reason else "")
        yield MoveNow(kind, move.value, _lacks(record, act, seen), reason=reason, earlier=move in BACKDATED)


def _pointless(record: Record, move: Move) -> bool:
    match move:
        case Move.ABORT:
            return record.dosed
        case Move.END:
            return record.onward is not Phase.INFUSION or not record.dosed
        case Move.RESUME:
            return record.phase is Phase.STOPPED and not record.dosed
        case _:
            return False


def _entries(record: Record, seen: Seen, now_ms: int) -> Iterable[MoveNow]:
    """What may be entered beside the steps."""
    number, therapy = record.opened.session, record.therapy
    if not record.dosed:
        yield MoveNow("answer", "Answer", (), reason=False, earlier=False)
        if record.phase is not Phase.CHECK_IN:
            yield MoveNow("baseline_restart", "Measure the baseline anew", (), reason=True, earlier=False)
    if record.phase is Phase.TIMEOUT:
        yield MoveNow("dose", "Dose checked by two", (), reason=False, earlier=False)
    if therapy.devices is not None and step(record.phase, Move.DEVICE) is not Cell.NO:
        last = len(record.devices) + 1 >= record.opened.devices
        given = DeviceGiven(now_ms, number, len(record.devices) + 1, "-", "9999-12-31", last, now_ms, NOBODY)
        title = f"Device {given.number} given"
        yield MoveNow("device", title, _lacks(record, given, seen), reason=False, earlier=True)
    for check in therapy.check:
        if check.due_min is not None and check.name not in record.checks and record.onward in check.phases:
            saved = CheckSaved(now_ms, number, check.name, NOBODY)
            yield MoveNow("check_done", check.title, _lacks(record, saved, seen), reason=False, earlier=False)
    if record.phase in {Phase.READY, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE}:
        signed = Signed(now_ms, number, "", NOBODY, Role.PRESCRIBER)
        yield MoveNow("sign", "Sign", _lacks(record, signed, seen), reason=False, earlier=False)
    for kind, title, reason, earlier in _ALWAYS:
        yield MoveNow(kind, title, (), reason=reason, earlier=earlier)


_ALWAYS = (
    ("score", "Score", False, True),
    ("symptom", "Symptom", False, True),
    ("adverse_event", "Adverse event", False, False),
    ("flag", "Risk flag", True, False),
    ("note", "Note", False, False),
)


def _lacks(record: Record, act: Act, seen: Seen) -> tuple[str, ...]:
    answer = session.ask(record, act, seen)
    return answer.missing if isinstance(answer, Refused) else ()


# Before the drug.


def _questions(record: Record) -> Iterable[QuestionNow]:
    for question in record.therapy.question:
        if question.first_session and not record.opened.first:
            continue
        said = record.answers.get(question.name)
        yield QuestionNow(
            question=question.name,
            asks=question.asks,
            kind=question.kind,
            flag=question.flag,
            yes=said.yes if said else None,
            note=said.note if said else "",
            by=said.by if said else None,
            at_ms=said.at_ms if said else None,
        )


def _gates(record: Record, seen: Seen, now_ms: int) -> Iterable[GateNow]:
    """The gate of before the drug; once it is given, what was decided stands in the timeline."""
    if record.dosed:
        return
    for finding in gates.findings(record, seen, now_ms):
        yield GateNow(
            gate=finding.name,
            result=finding.result,
            words=finding.why,
            override=gates.override_key(finding.name),
            may=finding.override,
            open=finding.open,
            decided=_decided(finding.decided),
        )


def _decided(one: Overridden | None) -> DecidedNow | None:
    return None if one is None else DecidedNow(one.by, one.role, one.at_ms, one.why)


def _baseline(record: Record, seen: Seen, now_ms: int) -> BaselineNow:
    taken = record.baseline
    proposal = propose(record, seen, now_ms)
    return BaselineNow(
        numbers=proposal.baseline if taken is None else taken.baseline,
        readings=tuple(
            ReadingNow(one.cuff.systolic, one.cuff.diastolic, one.measured_at_ms, one.device, one.by)
            for one in proposal.cuffs
            if one.cuff.systolic is not None and one.cuff.diastolic is not None
        ),
        missing=missing_of(Need.BASELINE, record, seen, now_ms) if taken is None else (),
        next_at_ms=proposal.next_ms if taken is None else None,
        age_ms=proposal.age_ms(now_ms),
        taken_at_ms=taken.at_ms if taken else None,
    )


def _next_device(record: Record) -> NextDeviceNow | None:
    rules, number = record.therapy.devices, len(record.devices) + 1
    if rules is None or number > record.opened.devices or record.over:
        return None
    if record.dosed and record.onward is not Phase.DOSING:
        return None
    last_ms = record.last_device_ms
    not_before_ms = None if last_ms is None else last_ms + ms(rules.spacing_min)
    return NextDeviceNow(number, record.opened.devices, number == record.opened.devices, not_before_ms)


def _dose(record: Record) -> DoseNow | None:
    dose = record.dose
    if dose is None:
        return None
    total_mg = dose.weight_kg * dose.dose_mg_per_kg
    return DoseNow(
        weight_kg=dose.weight_kg,
        dose_mg_per_kg=dose.dose_mg_per_kg,
        dose_mg=round(total_mg, 1),
        concentration_mg_per_ml=dose.concentration_mg_per_ml,
        rate_ml_per_h=dose.rate_ml_per_h,
        lasts_min=round(_lasts_ms(record) / 60_000, 1),
        why=dose.why,
        by=dose.by,
        second=dose.second,
        at_ms=dose.at_ms,
    )


def _lasts_ms(record: Record) -> int:
    """How long the pump runs at the checked dose and rate; 0 where nothing was checked."""
    dose = record.dose
    if dose is None:
        return 0
    volume_ml = dose.weight_kg * dose.dose_mg_per_kg / dose.concentration_mg_per_ml
    return ms(volume_ml / dose.rate_ml_per_h * 60)


# Time.


def _clocks(record: Record) -> ClocksNow:
    floor = record.therapy.floor
    until_ms = record.floor_until_ms()
    ring: Literal["floor", "expected", "guide"] | None = None
    ring_ms: int | None = None
    if until_ms is not None:
        ring, ring_ms = "floor", until_ms
    elif record.start_ms is not None and floor is None:
        ring, ring_ms = "guide", record.start_ms + ms(GUIDE_MIN)
    elif floor is not None and (anchor_ms := _expected_ms(record)) is not None:
        ring, ring_ms = "expected", anchor_ms + ms(floor.min)
    return ClocksNow(
        start_at_ms=record.start_ms,
        last_device_at_ms=record.last_device_ms,
        end_at_ms=record.end_ms,
        ended_at_ms=record.since_ms if record.over else None,
        floor_min=None if floor is None else floor.min,
        floor_until_at_ms=until_ms,
        ring=ring,
        ring_until_at_ms=ring_ms,
    )


def _course(record: Record) -> CourseNow | None:
    start_ms = record.start_ms
    if start_ms is None:
        return None
    times = (start_ms + i * COURSE_STEP_MS for i in range(COURSE_STEPS))
    return CourseNow(
        from_at_ms=start_ms,
        step_ms=COURSE_STEP_MS,
        shares=tuple(round(expected.share(record, at_ms), 3) for at_ms in times),
        vitals={vital: MovedNow(m.rise, m.sd, m.slack) for vital, m in expected.moved(record).items()},
    )


def _expected_ms(record: Record) -> int | None:
    """When the devices or the pump should be through: nothing is decided by it."""
    rules, last_ms = record.therapy.devices, record.last_device_ms
    if rules is not None:
        left = record.opened.devices - len(record.devices)
        return None if last_ms is None else last_ms + max(left, 0) * ms(rules.spacing_min)
    lasts_ms = _lasts_ms(record)
    return record.start_ms + lasts_ms if record.start_ms is not None and lasts_ms else None


# Checks, scores, symptoms.


def _check(check: Check, record: Record, seen: Seen, now_ms: int) -> CheckNow:
    window, done = window_of(check, record), record.checks.get(check.name)
    opens_ms, due_ms, closes_ms = window or (None, None, None)
    filled: tuple[Filled, ...] = ()
    lacking: tuple[str, ...] = check.items
    by, at_ms = None, None
    state: Literal["ahead", "open", "late", "done", "missed"] = "ahead"
    match done:
        case CheckFilled():
            state, filled, by, at_ms = "done", done.filled, done.by, done.at_ms
            lacking = tuple(item for item in check.items if item not in {one.item for one in filled})
        case CheckMissed():
            state, at_ms = "missed", done.at_ms
        case None if window is not None and now_ms >= window[0]:
            filled, lacking = fill(check, record, seen, window, now_ms)
            late = now_ms >= window[1] + ms(record.therapy.timing.late_min)
            state = "late" if late else "open"
        case _:
            pass
    far_ms = ms(record.therapy.timing.tolerance_min)
    return CheckNow(
        check=check.name,
        title=check.title,
        state=state,
        opens_at_ms=opens_ms,
        due_at_ms=due_ms,
        closes_at_ms=closes_ms,
        filled=tuple(_filled(one, far_ms) for one in filled),
        lacking=tuple(LackingNow(item, ITEMS[item], item in check.required) for item in lacking),
        by=by,
        at_ms=at_ms,
    )


def _filled(one: Filled, far_ms: int) -> FilledNow:
    return FilledNow(
        item=one.item,
        title=ITEMS[one.item],
        value=one.value,
        second=one.second,
        words=value_words(one),
        at_ms=one.at_ms,
        off_ms=one.off_ms,
        far=abs(one.off_ms) > far_ms,
        device=one.device,
        by=one.by,
    )


def _wanted(record: Record, due: Iterable[Due], items: Iterable[ReadyItemNow]) -> frozenset[str]:
    """The scores that somebody is to ask now."""
    found: set[str] = set()
    row = record.therapy.row(Phase.BASELINE)
    if record.phase is Phase.BASELINE and row is not None:
        from_ms = record.entered.get(Phase.BASELINE, record.opened.at_ms)
        asked = {score for score in row.scores if (one := record.score(score)) and one.done_at_ms >= from_ms}
        found |= {score.value for score in row.scores if score not in asked}
    if not record.over:
        checks = {check.name: check for check in record.therapy.check}
        for each in due:
            check = checks.get(each.name)
            if check is not None and each.when is not When.AHEAD:
                found |= set(check.items if check.due_min is None else each.missing)
    if record.phase in {Phase.DECLINE, Phase.LATE_RECOVERY, Phase.READY}:
        found |= {name for item in items for name in item.fills}
    return frozenset(found)


def _scores(record: Record, wanted: frozenset[str]) -> Iterable[ScoreNow]:
    for score, scale in SCALES.items():
        newest = record.score(score)
        yield ScoreNow(
            score=score,
            title=scale.title,
            scale=scale.words,
            wanted=score.value in wanted,
            value=newest.value if newest else None,
            words=scale.words[newest.value] if newest else None,
            by=newest.by if newest else None,
            at_ms=newest.done_at_ms if newest else None,
            note=newest.note if newest else "",
        )


def _symptoms(record: Record) -> Iterable[SymptomNow]:
    for symptom in Symptom:
        noted = record.symptoms.get(symptom)
        there = noted is not None and not noted.over
        yield SymptomNow(
            symptom=symptom,
            emergency=symptom in EMERGENCY_SIGNS,
            open=there,
            severe=there and noted is not None and noted.severe,
            by=noted.by if noted else None,
            at_ms=noted.done_at_ms if noted else None,
        )


# Limits.


def _flags(record: Record) -> Iterable[FlagNow]:
    """Every flag that anybody has spoken of, in the order of `Flag`."""
    up = record.flags()
    for flag in Flag:
        answers = [
            (record.answers[question.name], question.asks)
            for question in record.therapy.question
            if question.flag is flag and question.name in record.answers and record.answers[question.name].yes
        ]
        by_hand = record.flags_set.get(flag)
        if by_hand is None and not answers:
            continue
        if by_hand is not None and not any(answer.at_ms > by_hand.at_ms for answer, _ in answers):
            why, by, at_ms = by_hand.why, by_hand.by, by_hand.at_ms
        else:
            answer, asks = max(answers, key=lambda one: one[0].at_ms)
            why, by, at_ms = f"{asks} Yes.", answer.by, answer.at_ms
        yield FlagNow(flag, FLAGS[flag], flag in up, why, by, at_ms)


_ANCHORS = {
    "start": "the start of the drug",
    "last_device": "the last device",
    "end": "the end of the infusion",
}


def _layers(record: Record, now_ms: int) -> Iterable[LayerNow]:
    holding = set(layers.in_force(record, now_ms).names)
    for layer in record.therapy.layer:
        if layer.name in holding:
            yield LayerNow(
                layer.name, _layer_why(layer, record), tuple(layer.rules), tuple(_layer_words(layer))
            )


def _layer_why(layer: Layer, record: Record) -> str:
    found = [FLAGS[flag] for flag in layer.flags if flag in record.flags()]
    if layer.age_from is not None:
        found.append(f"{record.opened.age_years} years old")
    if layer.anchor is not None:
        found.append(f"{layer.after_min:g} min after {_ANCHORS[layer.anchor]}")
    found += [TITLES[phase] for phase in layer.phases if phase is record.onward]
    return ", ".join(found)


def _layer_words(layer: Layer) -> Iterable[str]:
    if layer.nibp_factor < 1:
        yield f"BP every {layer.nibp_factor:g} of the usual time"
    if layer.unconfirmed:
        yield "BP alarms without a second reading"
    if layer.not_declining:
        yield "BP that does not fall is an alarm"


# Leaving.

_FILLS: Mapping[Item, tuple[tuple[Score, ...], tuple[str, ...]]] = {
    Item.TIME: ((), ("time",)),
    Item.PRESSURE: ((), ("bp",)),
    Item.BREATHING: ((), ("rr", Score.OXYGEN)),
    Item.AWAKE: ((Score.MOAAS, Score.ORIENTED, Score.DISSOCIATION), ()),
    Item.STEADY: ((Score.GAIT,), (Score.POSTURE, "bp")),
    Item.NAUSEA: ((Score.NAUSEA,), ("symptom",)),
    Item.QUIET: ((), ("time",)),
    Item.MOOD: ((Score.SUICIDE_CHECK,), ()),
    Item.ESCORT: ((Score.ESCORT, Score.DRIVING), (Score.ESCORT,)),
    Item.PAPERS: ((Score.INSTRUCTIONS, Score.LINE_OUT), ()),
    Item.SIGNED: ((), ("sign",)),
}
"""What fills an item: scores, of which each is missing by its own title, and what fills all else of it."""


def _items(record: Record, seen: Seen, now_ms: int) -> Iterable[ReadyItemNow]:
    for one in readiness.items(record, seen, now_ms):
        signed = one.item is Item.SIGNED
        yield ReadyItemNow(
            item=one.item.value,
            title=one.title,
            holds=one.holds,
            values=tuple(SaidNow(said.words, said.who, said.at_ms) for said in one.said),
            missing=one.missing,
            fills=() if one.holds else tuple(_fills(one.item, one.missing)),
            override=None if signed else readiness.override_key(one.item),
            may=() if signed or not record.dosed else _may(one.item, record),
            decided=_decided(one.decided),
        )


def _may(item: Item, record: Record) -> tuple[Role, ...]:
    floor = record.therapy.floor
    if item is Item.TIME:
        return floor.override if floor is not None else ()
    return record.therapy.readiness.override


def _fills(item: Item, missing: tuple[str, ...]) -> Iterable[str]:
    scores, others = _FILLS[item]
    titles = {score: f"{SCALES[score].title}:" for score in scores}
    lacking = [score for score, title in titles.items() if any(line.startswith(title) for line in missing)]
    rest = [line for line in missing if not line.startswith(tuple(titles.values()))]
    return dict.fromkeys(str(name) for name in (*lacking, *(others if rest else ())))


def _pressures(record: Record, now_ms: int) -> Iterable[PressureNow]:
    rules = record.therapy.pressures
    lacking: Mapping[Pressure, str] = missing_pressures(record, now_ms)
    for pressure in rules.required:
        key = f"pressure:{pressure}"
        may = rules.override if record.dosed and pressure in lacking else ()
        decided = _decided(record.overridden(key))
        yield PressureNow(pressure, lacking.get(pressure, ""), key, may, decided)


def _sign_off(record: Record, seen: Seen, now_ms: int) -> SignOffNow:
    rules = record.therapy.sign_off
    return SignOffNow(
        alone=rules.alone,
        together=rules.together,
        roles=rules.roles,
        signed=tuple(SignatureNow(one.by, one.role, one.at_ms, one.meaning) for one in record.signatures),
        missing=() if record.phase is Phase.CLOSED else missing_of(Need.SIGN_OFF, record, seen, now_ms),
    )


def _form(record: Record, now_ms: int) -> FormNow | None:
    """The form of a session whose drug has been given; it is owed once the session is over."""
    form, start_ms, sent = record.therapy.form, record.start_ms, record.form_sent
    if form is None or start_ms is None:
        return None
    due_ms = start_ms + round(form.due_days * DAY_MS)
    return FormNow(
        due_at_ms=due_ms,
        words=_form_words(due_ms, now_ms) if sent is None else "Form sent",
        late=sent is None and now_ms >= start_ms + round(form.medium_day * DAY_MS),
        sent_at_ms=sent.at_ms if sent else None,
        sent_by=sent.by if sent else None,
        how=sent.how if sent else "",
    )


def _news2(record: Record, seen: Seen, now_ms: int) -> News2Now:
    """NEWS2 of values no older than the list of who may leave takes them; consciousness is a nurse's word."""
    rules = record.therapy.readiness
    fresh_ms = now_ms - ms(rules.vitals_fresh_min)

    def newest(*vitals: Vital) -> Measured | None:
        for vital in vitals:
            found = [one for one in seen.samples if one.vital is vital and fresh_ms <= one.at_ms <= now_ms]
            if found:
                return max(reversed(found), key=lambda one: one.at_ms)
        return None

    def judged(score: Score) -> int | None:
        one = record.score(score)
        fresh = one is not None and one.done_at_ms >= now_ms - ms(rules.scores_fresh_min)
        if one is None or not fresh:
            return None
        times.append(one.done_at_ms)
        return one.value

    times: list[int] = []
    values: dict[str, float | None] = {}
    for name, vitals in _NEWS2.items():
        one = newest(*vitals)
        values[name] = None if one is None else one.value
        times += [] if one is None else [one.at_ms]
    cuffs = record.cuffs_between(now_ms - ms(rules.pressure_fresh_min), now_ms)
    if cuffs:
        values["systolic"] = cuffs[-1].cuff.systolic
        times.append(cuffs[-1].measured_at_ms)
    awake, confused, oxygen = judged(Score.MOAAS), judged(Score.CONFUSION), record.value(Score.OXYGEN)
    alert = None if awake is None or confused is None else awake >= MOAAS_AWAKE and not confused
    given = news2.Vitals(
        respiration=values["respiration"],
        spo2=values["spo2"],
        oxygen=None if oxygen is None else bool(oxygen),
        systolic=values.get("systolic"),
        pulse=values["pulse"],
        alert=alert,
        temperature=values["temperature"],
    )
    score = news2.news2(given, min(times, default=now_ms))
    if isinstance(score, news2.Incomplete):
        return News2Now(news2.LABEL, None, red=False, at_ms=None, missing=score.missing)
    return News2Now(news2.LABEL, score.total, score.red, score.at_ms, ())


_NEWS2 = {
    "respiration": (Vital.RESPIRATION,),
    "spo2": (Vital.SPO2,),
    "pulse": (Vital.HEART_RATE, Vital.PULSE_SPO2),
    "temperature": (Vital.TEMPERATURE,),
}

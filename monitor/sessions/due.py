"""What is due at a bed, and when: checks, cuff readings, devices, the form. Pure: a question about a moment.

A check is filled by the nearest valid reading inside its window, with its source and how far off it was;
nothing that was measured before this session is ever among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import CuffTaken, Device, Priority, Staff, Vital
from monitor.sessions import layers
from monitor.sessions.baseline import propose
from monitor.sessions.record import Record, watched
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Check, ms
from monitor.treatment import Filled, Measured, Phase, Score, Seen

CHECK_40 = "check_40"
"""The check that moves the session on, and gives the form its second pressure."""

NIBP = "nibp"
FINAL = "final"
FORM = "form"
DEVICE = "device"

DAY_MS = 86_400_000

VITALS = {
    "hr": (Vital.HEART_RATE, Vital.PULSE_SPO2),
    "spo2": (Vital.SPO2,),
    "rr": (Vital.RESPIRATION,),
    "temp": (Vital.TEMPERATURE,),
}
"""Which vitals may fill an item of a check, the best first."""


class When(StrEnum):
    """How near a thing is that is due."""

    AHEAD = "ahead"
    SOON = "soon"
    DUE = "due"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due: from when it may be done, until when, what fills it already and what does not.

    `late_ms` is when it counts as late, and `late` what that raises (None: nothing).
    """

    name: str
    title: str
    when: When
    opens_ms: int
    due_ms: int
    closes_ms: int | None
    late_ms: int
    late: Priority | None
    filled: tuple[Filled, ...] = ()
    missing: tuple[str, ...] = ()


def item_title(item: str) -> str:
    """What an item of a check is called, in words."""
    if item == NIBP:
        return "Blood pressure"
    return VITALS[item][0].label if item in VITALS else SCALES[Score(item)].title


def dues(record: Record, seen: Seen, now_ms: int) -> tuple[Due, ...]:
    """Everything that is due in this phase or comes next, the earliest first."""
    found: list[Due] = [*_form(record, now_ms)]
    if not record.over:
        found += [*_cuff(record, now_ms), *_devices(record, now_ms), *_checks(record, seen, now_ms)]
    return tuple(sorted(found, key=lambda due: due.due_ms))


def cuff_due_ms(record: Record, now_ms: int) -> int | None:
    """When the next cuff reading is wanted: by the schedule, or for a check that needs one. None: never."""
    if record.over:
        return None
    times = [due.due_ms for due in _cuff(record, now_ms)]
    times += _baseline_cuff(record, now_ms)
    for check in record.therapy.check:
        window = window_of(check, record)
        if window is not None and NIBP in check.required and check.name not in record.checks:
            opens_ms, due_at_ms, closes_ms = window
            if due_at_ms <= closes_ms and not record.cuffs_between(opens_ms, closes_ms):
                times.append(due_at_ms)
    return min(times, default=None)


def schedule_due_ms(record: Record, now_ms: int) -> int | None:
    """When the reading that the phase itself asks for is or was due: it may be overdue. None: no such."""
    return None if record.over else min((due.due_ms for due in _cuff(record, now_ms)), default=None)


def cuff_interval_ms(record: Record, now_ms: int) -> int | None:
    """How often the cuff runs in this phase, tighter while the pressure is high; None: not by a schedule."""
    row = record.therapy.row(watched(record))
    if row is None or row.nibp_min is None:
        return None
    minutes = row.nibp_min * layers.in_force(record, now_ms).nibp_factor
    if row.nibp_tight_min is not None and above_limit(record):
        minutes = min(minutes, row.nibp_tight_min)
    return ms(minutes)


def above_limit(record: Record) -> bool:
    """Whether the cuff runs more often: from a high reading until enough have fallen and are below."""
    rules = record.therapy.tighten
    fallen: list[CuffTaken] = []
    for taken in reversed(record.cuffs):
        if record.start_ms is None or taken.measured_at_ms < record.start_ms:
            return False
        if _high(taken, rules.nibp_sys, rules.nibp_dia):
            return sum(1 for one in fallen if _lower(one, taken)) < rules.falling
        fallen.append(taken)
    return False


def window_of(check: Check, record: Record) -> tuple[int, int, int] | None:
    """When a check that comes once opens, is due and closes; None while its time cannot be known."""
    if check.anchor is None or check.closes_anchor is None:
        return None
    if check.due_min is None or check.opens_min is None or check.closes_min is None:
        return None
    anchor, closes = record.anchor_ms(check.anchor), record.anchor_ms(check.closes_anchor)
    if anchor is None or closes is None:
        return None
    return anchor + ms(check.opens_min), anchor + ms(check.due_min), closes + ms(check.closes_min)


def fill(
    check: Check, record: Record, seen: Seen, window: tuple[int, int, int], now_ms: int
) -> tuple[tuple[Filled, ...], tuple[str, ...]]:
    """What fills a check from the readings inside its window, and which items nothing fills."""
    opens_ms, due_at_ms, closes_ms = window
    until_ms = min(closes_ms, now_ms)
    filled: list[Filled] = []
    missing: list[str] = []
    for item in check.items:
        one = _nearest(item, record, seen, opens_ms, until_ms, due_at_ms)
        if one is None:
            missing.append(item)
        else:
            filled.append(one)
    return tuple(filled), tuple(missing)


def _nearest(
    item: str, record: Record, seen: Seen, from_ms: int, until_ms: int, due_at_ms: int
) -> Filled | None:
    if item == NIBP:
        return _filled_cuff(record.cuffs_between(from_ms, until_ms), due_at_ms)
    if item in VITALS:
        return _filled_vital(item, seen.samples, max(from_ms, record.opened.at_ms), until_ms, due_at_ms)
    made = [one for one in record.scores.get(Score(item), ()) if from_ms <= one.done_at_ms <= until_ms]
    if not made:
        return None
    # Of two judgements the later one stands, and of one moment the one that was entered later.
    score = max(reversed(made), key=lambda one: one.done_at_ms)
    return Filled(item, score.value, score.done_at_ms, score.done_at_ms - due_at_ms, None, score.by)


def _filled_cuff(cuffs: Sequence[CuffTaken], due_at_ms: int) -> Filled | None:
    if not cuffs:
        return None
    taken = min(cuffs, key=lambda one: abs(one.measured_at_ms - due_at_ms))
    if taken.cuff.systolic is None:
        return None
    return Filled(
        NIBP,
        taken.cuff.systolic,
        taken.measured_at_ms,
        taken.measured_at_ms - due_at_ms,
        taken.device,
        taken.by,
        taken.cuff.diastolic,
    )


def _filled_vital(
    item: str, samples: Sequence[Measured], from_ms: int, until_ms: int, due_at_ms: int
) -> Filled | None:
    for vital in VITALS[item]:
        here = [one for one in samples if one.vital is vital and from_ms <= one.at_ms <= until_ms]
        if here:
            one = min(here, key=lambda sample: abs(sample.at_ms - due_at_ms))
            return filled_by(item, one.value, one.at_ms, due_at_ms, one.device, one.by)
    return None


def filled_by(
    item: str, value: float, at_ms: int, due_at_ms: int, device: Device | None, by: Staff | None
) -> Filled:
    """One value as it stands in a check."""
    return Filled(item, value, at_ms, at_ms - due_at_ms, device, by)


def _high(taken: CuffTaken, systolic: float, diastolic: float) -> bool:
    cuff = taken.cuff
    return (cuff.systolic is not None and cuff.systolic >= systolic) or (
        cuff.diastolic is not None and cuff.diastolic >= diastolic
    )


def _lower(one: CuffTaken, than: CuffTaken) -> bool:
    now, was = one.cuff, than.cuff
    if now.systolic is None or was.systolic is None or now.diastolic is None or was.diastolic is None:
        return False
    return now.systolic < was.systolic and now.diastolic <= was.diastolic


def _cuff(record: Record, now_ms: int) -> Iterable[Due]:
    interval_ms = cuff_interval_ms(record, now_ms)
    if record.phase is Phase.READY and not record.cuffs_between(record.since_ms, now_ms):
        yield _due(record, now_ms, FINAL, "Last BP", record.since_ms, Priority.MEDIUM)
    if interval_ms is None:
        return
    last = max((taken.measured_at_ms for taken in record.cuffs), default=None)
    # A cuff that ran shortly before the phase began need not run again at once.
    at_ms = record.since_ms if last is None else max(last + interval_ms, record.since_ms)
    yield _due(record, now_ms, NIBP, "BP", at_ms, Priority.MEDIUM)


def _baseline_cuff(record: Record, now_ms: int) -> list[int]:
    """In the baseline phase the readings follow each other by themselves, once the first was asked for."""
    if record.phase is not Phase.BASELINE:
        return []
    next_ms = propose(record, Seen(), now_ms).next_ms
    return [] if next_ms is None else [next_ms]


def _devices(record: Record, now_ms: int) -> Iterable[Due]:
    rules = record.therapy.devices
    if rules is None or record.onward is not Phase.DOSING or record.last_device_ms is None:
        return
    number = len(record.devices) + 1
    if number <= record.opened.devices:
        at_ms = record.last_device_ms + ms(rules.spacing_min)
        yield _due(record, now_ms, f"{DEVICE}_{number}", f"Device {number}", at_ms, None, opens_ms=at_ms)


def _checks(record: Record, seen: Seen, now_ms: int) -> Iterable[Due]:
    for check in record.therapy.check:
        late = Priority[check.late.upper()]
        if check.every_min is not None:
            if record.onward in check.phases:
                yield from _again(record, check, late, now_ms)
            continue
        window = window_of(check, record)
        if window is None or check.name in record.checks or record.onward not in check.phases:
            continue
        opens_ms, due_at_ms, closes_ms = window
        filled, missing = fill(check, record, seen, window, now_ms)
        yield _due(
            record, now_ms, check.name, check.title, due_at_ms, late,
            opens_ms=opens_ms, closes_ms=closes_ms, filled=filled, missing=missing,
        )  # fmt: skip


def _again(record: Record, check: Check, late: Priority, now_ms: int) -> Iterable[Due]:
    """A check that comes again and again: so long after its items were judged last, all of them."""
    began = max(
        (record.entered[phase] for phase in check.phases if phase in record.entered), default=record.since_ms
    )
    every_ms = ms(check.every_min or 0)
    done = [record.score(Score(item)) for item in check.items]
    last = min((began if one is None else max(one.done_at_ms, began) for one in done), default=began)
    yield _due(record, now_ms, check.name, check.title, last + every_ms, late)


def _form(record: Record, now_ms: int) -> Iterable[Due]:
    form = record.therapy.form
    if form is None or record.start_ms is None or record.form_sent is not None or not record.over:
        return
    start_ms = record.start_ms
    at_ms = start_ms + round(form.due_days * DAY_MS)
    medium_ms, high_ms = (start_ms + round(day * DAY_MS) for day in (form.medium_day, form.high_day))
    late = Priority.HIGH if now_ms >= high_ms else Priority.MEDIUM
    when = When.LATE if now_ms >= medium_ms else When.DUE
    yield Due(FORM, "Form", when, record.since_ms, at_ms, None, medium_ms, late)


def _due(
    record: Record,
    now_ms: int,
    name: str,
    title: str,
    due_at_ms: int,
    late: Priority | None,
    *,
    opens_ms: int | None = None,
    closes_ms: int | None = None,
    filled: tuple[Filled, ...] = (),
    missing: tuple[str, ...] = (),
) -> Due:
    timing = record.therapy.timing
    late_ms = due_at_ms + ms(timing.late_min)
    if now_ms >= late_ms and late is not None:
        when = When.LATE
    elif now_ms >= due_at_ms:
        when = When.DUE
    elif now_ms >= due_at_ms - ms(timing.warn_min):
        when = When.SOON
    else:
        when = When.AHEAD
    opens_ms = due_at_ms - ms(timing.warn_min) if opens_ms is None else opens_ms
    return Due(name, title, when, opens_ms, due_at_ms, closes_ms, late_ms, late, filled, missing)

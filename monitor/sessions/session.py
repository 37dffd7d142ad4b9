"""The treatment session: what an act leads to, what time leads to, and what is refused. Pure.

`ask` answers an act of staff, `pass_time` the clock; both give events and change nothing. Whoever keeps the
session writes the events down and then applies them (`Record.apply`): so a restart, which only applies, finds
the same record, and no clock here is anything but the time of an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from monitor.model import Staff
from monitor.people import CLINICAL, Role
from monitor.sessions import correction, dose, gates, layers, readiness
from monitor.sessions.baseline import propose
from monitor.sessions.due import CHECK_40, dues, fill, item_title, window_of
from monitor.sessions.law import BY_CLOCK, CHECK_OVER, ENDS_DRUG, WITH_REASON, Cell, refusal, step
from monitor.sessions.loading import unsigned
from monitor.sessions.needs import missing, missing_all, missing_pressures
from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Item, Need, Therapy, ms
from monitor.treatment import (
    SIDE,
    TITLES,
    Act,
    AdverseEvent,
    Answered,
    BaselineRestarted,
    BaselineTaken,
    CheckFilled,
    CheckMissed,
    CheckSaved,
    Corrected,
    DeviceGiven,
    DoseChecked,
    FlagSet,
    FormSent,
    Made,
    Move,
    Overridden,
    Phase,
    PhaseMoved,
    ReadyFirst,
    Scored,
    Seen,
    Signed,
    Stepped,
    SymptomNoted,
    TreatmentNote,
    TreatmentOpened,
)

EARLIER_MAX_MS = 600_000
"""How long ago something may have been done when it is entered: "Earlier" offers up to ten minutes."""

BACKDATED = frozenset({Move.START, Move.END, Move.STOP, Move.HOLD, Move.EMERGENCY})
"""Steps that may be entered after they were done; the others are done by being entered."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that is not accepted: what is missing, a line each, and nothing is lost of what was entered."""

    missing: tuple[str, ...]


def refuse_opening(therapy: Therapy, opened: TreatmentOpened, people: Mapping[Staff, Role]) -> Refused | None:
    """Why no session may begin like this, or None."""
    found: list[str] = []
    if (wrong := unsigned(therapy, people)) is not None:
        found.append(wrong)
    if (opened.therapy, opened.version, opened.digest) != (therapy.name, therapy.version, therapy.digest):
        found.append(f"This clinic's {therapy.name} is not the one that was asked for.")
    low, high = therapy.age
    if not low <= opened.age_years <= high:
        found.append(f"An age of {opened.age_years} is not within {low} to {high}.")
    if therapy.devices is not None and not therapy.devices.least <= opened.devices <= therapy.devices.most:
        found.append(f"{therapy.devices.least} to {therapy.devices.most} devices can be planned.")
    if therapy.devices is None and opened.devices:
        found.append(f"{therapy.name} has no devices.")
    if opened.role not in CLINICAL:
        found.append("A session is opened by a nurse or a prescriber.")
    return Refused(tuple(found)) if found else None


def ask(record: Record, act: Act, seen: Seen) -> Refused | tuple[Act | Made, ...]:
    """What this act leads to, itself first; or why it is refused."""
    wrong = _wrong(record, act, seen)
    if wrong:
        return Refused(tuple(dict.fromkeys(wrong)))
    if isinstance(act, Corrected):
        return correction.answer(record, act)
    return (*_before(record, act, seen), act, *_after(record, act, seen))


def pass_time(record: Record, seen: Seen, now_ms: int) -> tuple[Made, ...]:
    """What time alone leads to next: apply it and ask again, until there is nothing."""
    if record.over:
        return ()
    made = _window(record, now_ms)
    if made:
        return made
    early = record.phase is Phase.EARLY_RECOVERY
    if early and not missing_all(Phase.EARLY_RECOVERY, record, seen, now_ms):
        return (_moved(record, Move.LATER, now_ms, now_ms, None),)
    if record.ready_first_ms is None and readiness.would_be_ready(record, seen, now_ms):
        return (ReadyFirst(now_ms, record.opened.session),)
    return ()


def due_ms(record: Record, seen: Seen, now_ms: int) -> int | None:
    """When something may next be so that is not so now: a window, a thing due or late, a limit, the floor."""
    times = [layers.due_ms(record, now_ms), record.floor_until_ms()]
    for check in record.therapy.check:
        window = window_of(check, record)
        if window is not None and check.name not in record.checks:
            times += [window[0], window[2] + 1]
    for due in dues(record, seen, now_ms):
        times += [due.due_ms - ms(record.therapy.timing.warn_min), due.due_ms, due.late_ms]
    if record.phase is Phase.EARLY_RECOVERY:
        row = record.therapy.row(Phase.EARLY_RECOVERY)
        began_ms = record.entered.get(Phase.EARLY_RECOVERY, record.since_ms)
        times.append(began_ms + ms(row.least_min if row else 0))
    if record.therapy.form is not None and record.start_ms is not None and record.form_sent is None:
        form = record.therapy.form
        times += [record.start_ms + round(day * 86_400_000) for day in (form.medium_day, form.high_day)]
    return min((time for time in times if time is not None and time > now_ms), default=None)


def _window(record: Record, now_ms: int) -> tuple[Made, ...]:
    """The window of the 40-minute check: it opens a phase, and its end closes it."""
    if CHECK_40 in record.checks or record.onward not in CHECK_OVER:
        return ()
    window = window_of(record.therapy.check_named(CHECK_40), record)
    if window is None:
        return ()
    opens_ms, due_at_ms, closes_ms = window
    if now_ms >= opens_ms and record.phase is Phase.ONSET:
        return (_moved(record, Move.WINDOW, now_ms, max(opens_ms, record.since_ms), None),)
    if now_ms > closes_ms and step(record.phase, Move.MISSED) is not Cell.NO:
        missed = CheckMissed(now_ms, record.opened.session, CHECK_40, due_at_ms)
        return missed, _moved(record, Move.MISSED, now_ms, max(closes_ms, record.since_ms), None)
    return ()


# What an act leads to.


def _before(record: Record, act: Act, seen: Seen) -> tuple[Made, ...]:
    """The baseline stands once the drug is about to be given: it is taken with the move that needs it."""
    leaves = isinstance(act, Stepped) and act.move in {Move.TO_TIMEOUT, Move.START}
    if not leaves and not (isinstance(act, DeviceGiven) and not record.devices):
        return ()
    proposal = propose(record, seen, _done_ms(act))
    measured = tuple(taken.measured_at_ms for taken in proposal.cuffs)
    return (BaselineTaken(act.at_ms, record.opened.session, proposal.baseline, measured, act.by),)


def _after(record: Record, act: Act, seen: Seen) -> tuple[Made, ...]:
    match act:
        case DeviceGiven():
            move = Move.LAST_DEVICE if act.last else Move.DEVICE
            return (_moved(record, move, act.at_ms, act.done_at_ms, act.by, act.why),)
        case Stepped():
            return (_moved(record, act.move, act.at_ms, act.done_at_ms, act.by, act.why),)
        case CheckSaved():
            check = record.therapy.check_named(act.check)
            window = window_of(check, record)
            if window is None:
                raise ValueError(f"{act.check} was accepted, and its time is not known")
            filled, _ = fill(check, record, seen, window, act.at_ms)
            done = CheckFilled(act.at_ms, act.session, act.check, window[1], filled, act.by)
            return done, _moved(record, Move.CHECKED, act.at_ms, act.at_ms, act.by)
        case _:
            return ()


def _moved(
    record: Record, move: Move, at_ms: int, done_at_ms: int, by: Staff | None, why: str = ""
) -> PhaseMoved:
    cell = step(record.phase, move)
    if cell is Cell.NO:
        raise ValueError(f"{move.value} was accepted in {TITLES[record.phase]}, where it is not possible")
    onward = record.onward
    if move in {Move.STOP, Move.END} and record.dosed:
        onward = ENDS_DRUG.get(onward, onward)
    elif move in {Move.CHECKED, Move.MISSED}:
        onward = CHECK_OVER.get(onward, onward)
    now = cell if isinstance(cell, Phase) else onward
    if now not in SIDE:
        onward = now
    return PhaseMoved(at_ms, record.opened.session, move, record.phase, now, onward, done_at_ms, by, why)


def _done_ms(act: Act) -> int:
    if isinstance(act, DeviceGiven | Stepped | Scored | SymptomNoted):
        return act.done_at_ms
    return act.at_ms


# What is refused.


def _wrong(record: Record, act: Act, seen: Seen) -> list[str]:
    if act.session != record.opened.session:
        raise ValueError(f"an act of session {act.session} came to session {record.opened.session}")
    if act.at_ms < record.last_ms:
        return ["Something later has been recorded already. Enter it again."]
    late = _wrong_time(record, act)
    if late:
        return late
    if record.phase is Phase.CLOSED and not isinstance(act, FormSent | TreatmentNote):
        return ["This session is closed."]
    return _refusals(record, act, seen)


def _wrong_time(record: Record, act: Act) -> list[str]:
    done_at_ms = _done_ms(act)
    if done_at_ms > act.at_ms:
        return ["This cannot have been done later than now."]
    if act.at_ms - done_at_ms > EARLIER_MAX_MS:
        return [f"At most {EARLIER_MAX_MS // 60_000} minutes ago can be entered. Write a note for more."]
    if done_at_ms < record.opened.at_ms:
        return ["The session had not begun then."]
    return []


def _refusals(  # noqa: C901, PLR0911, PLR0912  a line a kind of act, and none forgotten
    record: Record, act: Act, seen: Seen
) -> list[str]:
    match act:
        case Answered():
            return _refuse_answer(record, act)
        case FlagSet():
            return _reason(act.why, "A flag")
        case BaselineRestarted():
            given = ["The drug has been given: a baseline is from before it."] if record.dosed else []
            return given or _reason(act.why, "A new baseline")
        case DoseChecked():
            return _refuse_dose(record, act)
        case DeviceGiven():
            return _refuse_device(record, act, seen)
        case Stepped():
            return _refuse_step(record, act, seen)
        case Scored():
            wrong = SCALES[act.score].wrong(act.value)
            return [wrong] if wrong else []
        case SymptomNoted():
            there = act.symptom in record.symptoms and not record.symptoms[act.symptom].over
            return ["This symptom has not been recorded."] if act.over and not there else []
        case AdverseEvent():
            return [] if act.what.strip() else ["What has happened?"]
        case TreatmentNote():
            return [] if act.text.strip() else ["The note is empty."]
        case Corrected():
            return correction.refusals(record, act)
        case CheckSaved():
            return _refuse_check(record, act, seen)
        case Overridden():
            return _refuse_override(record, act, seen)
        case Signed():
            return _refuse_signature(record, act, seen)
        case FormSent():
            return _refuse_form(record)
        case _:
            assert_never(act)


def _reason(why: str, what: str) -> list[str]:
    return [] if why.strip() else [f"{what} needs a reason."]


def _refuse_answer(record: Record, act: Answered) -> list[str]:
    if record.dosed:
        return ["The drug has been given: set a flag or write a note instead."]
    if act.question not in {question.name for question in record.therapy.question}:
        return [f"{record.therapy.name} has no question {act.question}."]
    return []


def _refuse_dose(record: Record, act: DoseChecked) -> list[str]:
    if record.phase is not Phase.TIMEOUT:
        return [f"The dose is checked in {TITLES[Phase.TIMEOUT]}."]
    mistake = dose.mistaken(act.weight_kg, act.dose_mg_per_kg)
    if mistake is not None:
        return [mistake]
    found: list[str] = []
    if not act.second or act.second == act.by:
        found.append("The dose is checked by two different people.")
    if not (act.concentration_mg_per_ml > 0 and act.rate_ml_per_h > 0):
        found.append("The concentration and the rate.")
    if not act.why.strip():
        found += dose.questions(act.weight_kg, act.dose_mg_per_kg)
    return found


def _refuse_device(record: Record, act: DeviceGiven, seen: Seen) -> list[str]:
    move = Move.LAST_DEVICE if act.last else Move.DEVICE
    found = _refuse_move(record, move, act.done_at_ms)
    rules = record.therapy.devices
    if found or rules is None:
        return found
    number, planned = len(record.devices) + 1, record.opened.devices
    if act.number != number:
        found.append(f"The next device is number {number}.")
    if number > planned:
        found.append(f"{planned} devices are planned.")
    if act.last != (number >= planned) and not (act.last and act.why.strip()):
        found.append(f"Device {number} of {planned}: fewer than planned needs a reason.")
    if record.last_device_ms is not None:
        left_ms = record.last_device_ms + ms(rules.spacing_min) - act.done_at_ms
        if left_ms > 0:
            found.append(f"Device {number} in {left_ms // 60_000}:{left_ms // 1_000 % 60:02}.")
    if not act.lot.strip():
        found.append("The lot number.")
    found += _expired(act)
    if record.phase is Phase.BASELINE:
        found += missing_all(Phase.BASELINE, record, seen, act.done_at_ms)
    return found


def _expired(act: DeviceGiven) -> list[str]:
    try:
        expires = date.fromisoformat(act.expires)
    except ValueError:
        return ["The expiry date, as 2027-05-31."]
    # A day of the epoch is enough: no clinic's day is more than one away from it.
    today = date.fromordinal(date(1970, 1, 1).toordinal() + act.done_at_ms // 86_400_000)
    return [f"This device expired on {act.expires}."] if expires < today else []


def _refuse_step(record: Record, act: Stepped, seen: Seen) -> list[str]:
    if act.move in BY_CLOCK:
        return [refusal(record.phase, act.move)]
    if act.move in {Move.DEVICE, Move.LAST_DEVICE, Move.CHECKED}:
        return [f"{act.move.value}: enter the device, or save the check."]
    if act.move not in BACKDATED and act.done_at_ms != act.at_ms:
        return [f"{act.move.value}: only as of now."]
    found = _refuse_move(record, act.move, act.done_at_ms)
    if found:
        return found
    if act.move in WITH_REASON:
        found += _reason(act.why, act.move.value)
    return found + _refuse_by_state(record, act, seen)


def _refuse_by_state(  # noqa: PLR0911  a line a move
    record: Record, act: Stepped, seen: Seen
) -> list[str]:
    """What the table cannot see: whether a drug was given, and what the phase still waits for."""
    match act.move:
        case Move.ABORT if record.dosed:
            return ["The drug has been given: Stop ends it, and the patient is watched."]
        case Move.RESUME if record.phase is Phase.STOPPED and not record.dosed:
            return [f"What was stopped before the drug goes no further: {Move.ABORT.value}."]
        case Move.END if record.onward is not Phase.INFUSION:
            return ["No infusion is running."]
        case Move.START if record.dose is not None and act.done_at_ms < record.dose.at_ms:
            return ["The dose was checked later than this start."]
        case Move.CLOSE if record.phase is not Phase.READY:
            return [*missing(Need.SIGN_OFF, record, seen, act.at_ms), *_unanswered(seen)]
        case Move.CLOSE:
            return [*missing_all(record.phase, record, seen, act.done_at_ms), *_unanswered(seen)]
        case Move.CHECKED_IN | Move.TO_TIMEOUT | Move.START | Move.TO_READY:
            return list(missing_all(record.phase, record, seen, act.done_at_ms))
        case _:
            return []


def _unanswered(seen: Seen) -> list[str]:
    words = ", ".join(seen.unanswered)
    return [f"A HIGH alarm has not been acknowledged: {words}."] if words else []


def _refuse_move(record: Record, move: Move, done_at_ms: int) -> list[str]:
    cell = step(record.phase, move)
    if cell is Cell.NO:
        return [refusal(record.phase, move)]
    if isinstance(cell, Phase) and not record.therapy.has(cell):
        return [f"{move.value}: {record.therapy.name} has no phase {TITLES[cell]}."]
    if done_at_ms < record.since_ms:
        return [f"{TITLES[record.phase]} began later than this."]
    return []


def _refuse_check(record: Record, act: CheckSaved, seen: Seen) -> list[str]:
    once = [check for check in record.therapy.check if check.due_min is not None]
    check = next((check for check in once if check.name == act.check), None)
    if check is None:
        return [f"{record.therapy.name} has no check {act.check} to save."]
    if check.name in record.checks:
        return [f"{check.title}: this is over."]
    window = window_of(check, record)
    if window is None or act.at_ms < window[0]:
        left_ms = 0 if window is None else window[0] - act.at_ms
        return [
            f"{check.title}: opens in {-(-left_ms // 60_000)} min." if window else f"{check.title}: not yet."
        ]
    if act.at_ms > window[2]:
        return [f"{check.title}: its window has closed."]
    found = _refuse_move(record, Move.CHECKED, act.at_ms)
    if found:
        return found
    _, lacking = fill(check, record, seen, window, act.at_ms)
    return [f"{check.title}: {item_title(item)} is missing." for item in lacking if item in check.required]


def _refuse_override(record: Record, act: Overridden, seen: Seen) -> list[str]:
    allowed = _may_override(record, act, seen)
    if allowed is None:
        return ["There is nothing here to decide about."]
    if not allowed:
        return ["Nobody can decide this here."]
    if act.role not in allowed:
        return [f"A {' or a '.join(allowed)} decides this."]
    return _reason(act.why, "A decision")


def _may_override(record: Record, act: Overridden, seen: Seen) -> tuple[Role, ...] | None:
    """Who may decide this now: nobody (empty), or there is nothing to decide (None)."""
    therapy = record.therapy
    for finding in gates.findings(record, seen, act.at_ms):
        if act.what == gates.override_key(finding.name):
            return () if record.dosed else finding.override
    if act.what == readiness.FLOOR:
        return None if therapy.floor is None or not record.dosed else therapy.floor.override
    for pressure in missing_pressures(record, act.at_ms):
        if act.what == f"pressure:{pressure}":
            return therapy.pressures.override if record.dosed else None
    for item in therapy.readiness.items:
        if item not in {Item.TIME, Item.SIGNED} and act.what == readiness.override_key(item):
            return therapy.readiness.override if record.dosed else None
    return None


def _refuse_signature(record: Record, act: Signed, seen: Seen) -> list[str]:
    rules = record.therapy.sign_off
    if act.role not in {*rules.alone, *rules.roles}:
        return [f"A {' or a '.join((*rules.alone, *rules.roles))} signs."]
    if record.phase in {Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE}:
        return []
    if record.phase is not Phase.READY:
        return [f"A session is signed in {TITLES[Phase.READY]}."]
    needs = (Need.FLOOR, Need.READINESS, Need.PRESSURES)
    return [words for need in needs for words in missing(need, record, seen, act.at_ms)]


def _refuse_form(record: Record) -> list[str]:
    if record.therapy.form is None or not record.dosed:
        return ["No form is owed for this session."]
    if record.form_sent is not None:
        return ["The form has been marked as sent."]
    return [] if record.over else ["The form is sent once the session is closed."]

"""What is wrong with a session that no monitor can see: late checks, sedation, symptoms. Pure.

The names are those of rules: `<condition>` is HIGH, `-m` MEDIUM, `-l` LOW (docs/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from monitor.model import Priority
from monitor.sessions import layers
from monitor.sessions.due import CHECK_40, FINAL, FORM, NIBP, When, dues
from monitor.sessions.record import Record
from monitor.sessions.scores import EMERGENCY_SIGNS, SCALES, SEDATION, symptom_priority
from monitor.treatment import CheckMissed, Phase, Score, Seen, SymptomNoted

SUFFIX = {Priority.HIGH: "", Priority.MEDIUM: "-m", Priority.LOW: "-l"}

CUFF_OVERDUE = "cuff-overdue"
"""The ward's own condition for a cuff reading that is late: the schedule here only sets its time."""

CHECK_LATE = "check-late"
CHECK_MISSED = "check-missed"
FORM_OWED = "form-owed"
SEDATION_SEEN = "sedation"
EMERGENCY_SIGN = "emergency-sign"
SYMPTOM = "symptom"
NOT_DECLINING = "bp-not-declining"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is so now: the rule it is, since when, and in words.

    `newest_ms` is when something was added to it last: who has looked before has not seen that.
    """

    name: str
    priority: Priority
    since_ms: int
    text: str
    newest_ms: int


def conditions(record: Record, seen: Seen, now_ms: int) -> tuple[Condition, ...]:
    """Everything of this session that should be raised now, the worst first and then the longest."""
    found = list(_late(record, seen, now_ms))
    if not record.over:
        found += [*_missed(record), *_sedation(record), *_not_declining(record, now_ms)]
    if record.phase not in {Phase.CLOSED, Phase.TRANSFERRED}:
        found += _symptoms(record)
    return tuple(sorted(found, key=lambda one: (-one.priority, one.since_ms)))


def together(found: Iterable[Condition]) -> dict[str, Condition]:
    """The conditions by their rules: several of one rule are one, since the first of them."""
    by_name: dict[str, Condition] = {}
    for one in found:
        other = by_name.get(one.name)
        if other is not None:
            text = ", ".join(dict.fromkeys((other.text, one.text)))
            since_ms, newest_ms = min(one.since_ms, other.since_ms), max(one.newest_ms, other.newest_ms)
            by_name[one.name] = Condition(one.name, one.priority, since_ms, text, newest_ms)
        else:
            by_name[one.name] = one
    return by_name


def _condition(
    name: str, priority: Priority, since_ms: int, text: str, newest_ms: int | None = None
) -> Condition:
    newest = since_ms if newest_ms is None else newest_ms
    return Condition(name + SUFFIX[priority], priority, since_ms, text, newest)


def _late(record: Record, seen: Seen, now_ms: int) -> Iterable[Condition]:
    for due in dues(record, seen, now_ms):
        if due.when is not When.LATE or due.late is None:
            continue
        if due.name == FORM:
            form_due = "Form overdue" if now_ms > due.due_ms else "Form still to be sent"
            since_ms = due.late_ms
            if due.late is Priority.HIGH and record.therapy.form is not None and record.start_ms is not None:
                since_ms = record.start_ms + round(record.therapy.form.high_day * 86_400_000)
            yield _condition(FORM_OWED, due.late, since_ms, form_due)
            continue
        name = CUFF_OVERDUE if due.name in {NIBP, FINAL} else CHECK_LATE
        yield _condition(name, due.late, due.late_ms, f"{due.title} late")


def _missed(record: Record) -> Iterable[Condition]:
    """A missed 40-minute check is raised until a pressure has been taken or a prescriber has decided."""
    missed = record.checks.get(CHECK_40)
    if not isinstance(missed, CheckMissed) or record.overridden(f"pressure:{CHECK_40}"):
        return
    if not record.cuffs_between(missed.at_ms, record.last_ms):
        title = record.therapy.check_named(CHECK_40).title
        yield _condition(CHECK_MISSED, Priority.MEDIUM, missed.at_ms, f"{title} missed")


def _sedation(record: Record) -> Iterable[Condition]:
    newest = record.score(Score.MOAAS)
    if newest is None or not record.dosed:
        return
    priority = SEDATION.get(newest.value)
    if priority is not None:
        words = SCALES[Score.MOAAS].words[newest.value]
        text = f"MOAA/S {newest.value}, {words}"
        yield _condition(SEDATION_SEEN, priority, newest.done_at_ms, text, _deeper_ms(record))


def _deeper_ms(record: Record) -> int:
    """When a judgement was last lower than the one before it."""
    made = sorted(record.scores.get(Score.MOAAS, ()), key=lambda one: one.done_at_ms)
    return max((now.at_ms for was, now in pairwise(made) if now.value < was.value), default=0)


def _symptoms(record: Record) -> Iterable[Condition]:
    """The symptoms that are there, those of one priority together."""
    by_name: dict[tuple[str, Priority], list[SymptomNoted]] = {}
    for noted in record.symptoms.values():
        priority = symptom_priority(noted.symptom, severe=noted.severe)
        if priority is not None and not noted.over:
            name = EMERGENCY_SIGN if noted.symptom in EMERGENCY_SIGNS else SYMPTOM
            by_name.setdefault((name, priority), []).append(noted)
    for (name, priority), noted_here in by_name.items():
        text = ", ".join(noted.symptom.value for noted in noted_here)
        since_ms = min(noted.done_at_ms for noted in noted_here)
        newest_ms = max(noted.at_ms for noted in noted_here)
        yield _condition(name, priority, since_ms, text.capitalize(), newest_ms)


def _not_declining(record: Record, now_ms: int) -> Iterable[Condition]:
    """Two readings in a row, both high, the later one no lower: since the later one.

    Both are of the time in which it should decline: that it rises until then is what the drug does.
    """
    from_ms = layers.declines_from_ms(record, now_ms)
    if from_ms is None or len(record.cuffs) < 2:
        return
    rules = record.therapy.tighten
    before, newest = record.cuffs[-2:]
    if before.measured_at_ms < from_ms:
        return
    was, now = before.cuff.systolic, newest.cuff.systolic
    was_dia, now_dia = before.cuff.diastolic, newest.cuff.diastolic
    if was is None or now is None or was_dia is None or now_dia is None:
        return
    stays = (now >= rules.nibp_sys and now >= was >= rules.nibp_sys) or (
        now_dia >= rules.nibp_dia and now_dia >= was_dia >= rules.nibp_dia
    )
    if stays:
        text = f"BP not declining: {was:g}/{was_dia:g}, {now:g}/{now_dia:g}"
        yield _condition(NOT_DECLINING, Priority.MEDIUM, newest.measured_at_ms, text)

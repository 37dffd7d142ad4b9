"""What is measured and judged in a session: checks with what fills them, scores, symptoms, NEWS2. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from monitor.model import Vital
from monitor.sessions import news2
from monitor.sessions.due import Due, When, fill, window_of
from monitor.sessions.record import Record
from monitor.sessions.scores import EMERGENCY_SIGNS, MOAAS_AWAKE, SCALES
from monitor.sessions.therapy import Check, ms
from monitor.treatment import (
    CheckFilled,
    CheckMissed,
    Filled,
    Measured,
    Phase,
    Score,
    Seen,
    Symptom,
)
from monitor.treatment_now import (
    CheckNow,
    FilledNow,
    LackingNow,
    News2Now,
    ReadyItemNow,
    ScoreNow,
    SymptomNow,
)
from monitor.ward.treating.timeline import ITEMS, value_words


def check_now(check: Check, record: Record, seen: Seen, now_ms: int) -> CheckNow:
    """One check that comes once: what has filled it, or would now."""
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


def wanted(record: Record, due: Iterable[Due], items: Iterable[ReadyItemNow]) -> frozenset[str]:
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


def scores_now(record: Record, asked: frozenset[str]) -> Iterable[ScoreNow]:
    """Every scale with the newest judgement on it."""
    for score, scale in SCALES.items():
        newest = record.score(score)
        yield ScoreNow(
            score=score,
            title=scale.title,
            scale=scale.words,
            wanted=score.value in asked,
            value=newest.value if newest else None,
            words=scale.words[newest.value] if newest else None,
            by=newest.by if newest else None,
            at_ms=newest.done_at_ms if newest else None,
            note=newest.note if newest else "",
            entry=record.number(newest) if newest else None,
        )


def symptoms_now(record: Record) -> Iterable[SymptomNow]:
    """Every symptom that can be noted, and whether it is there."""
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


def news2_now(record: Record, seen: Seen, now_ms: int) -> News2Now:
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

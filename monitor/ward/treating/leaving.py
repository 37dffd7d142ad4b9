"""Who may leave: the list and what fills its items, the pressures of the record, the signatures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.people import Role
from monitor.sessions import readiness
from monitor.sessions.needs import missing as missing_of
from monitor.sessions.needs import missing_pressures
from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Item, Need, Pressure
from monitor.treatment import (
    Phase,
    Score,
    Seen,
)
from monitor.treatment_now import (
    PressureNow,
    ReadyItemNow,
    SaidNow,
    SignatureNow,
    SignOffNow,
)
from monitor.ward.treating.before import decided_now

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


def items_now(record: Record, seen: Seen, now_ms: int) -> Iterable[ReadyItemNow]:
    """The therapy's list as it stands, in its order."""
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
            decided=decided_now(one.decided),
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


def pressures_now(record: Record, now_ms: int) -> Iterable[PressureNow]:
    """The pressures that the record must hold."""
    rules = record.therapy.pressures
    lacking: Mapping[Pressure, str] = missing_pressures(record, now_ms)
    for pressure in rules.required:
        key = f"pressure:{pressure}"
        may = rules.override if record.dosed and pressure in lacking else ()
        decided = decided_now(record.overridden(key))
        yield PressureNow(pressure, lacking.get(pressure, ""), key, may, decided)


def sign_off_now(record: Record, seen: Seen, now_ms: int) -> SignOffNow:
    """Who signs, who has, and what is missing."""
    rules = record.therapy.sign_off
    return SignOffNow(
        alone=rules.alone,
        together=rules.together,
        roles=rules.roles,
        signed=tuple(
            SignatureNow(one.by, one.role, one.at_ms, one.meaning, one.screen) for one in record.signatures
        ),
        missing=() if record.phase is Phase.CLOSED else missing_of(Need.SIGN_OFF, record, seen, now_ms),
    )

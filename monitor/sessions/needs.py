"""What a phase still waits for before the session may leave it, in words for the one who asks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.model import Baseline
from monitor.sessions import gates, readiness
from monitor.sessions.baseline import propose
from monitor.sessions.due import CHECK_40, NIBP
from monitor.sessions.record import Record
from monitor.sessions.scores import SCALES
from monitor.sessions.therapy import Item, Need, Pressure, ms
from monitor.treatment import CheckFilled, Phase, Score, Seen

END_PRESSURE_MS = 600_000
"""A pressure is one of the end of the infusion if it was measured within ten minutes of it (P)."""


def missing(need: Need, record: Record, seen: Seen, now_ms: int) -> tuple[str, ...]:
    """What is missing of this need; nothing where it is met."""
    return tuple(_MISSING[need](record, seen, now_ms))


def missing_all(phase: Phase, record: Record, seen: Seen, now_ms: int) -> tuple[str, ...]:
    """Everything that this phase still waits for."""
    row = record.therapy.row(phase)
    needs = row.leaves_when if row is not None else ()
    found = [words for need in needs for words in missing(need, record, seen, now_ms)]
    return tuple(dict.fromkeys(found))


def missing_pressures(record: Record, now_ms: int) -> dict[Pressure, str]:
    """Which of the pressures that a record must hold are missing, and which nobody has decided about."""
    found: dict[Pressure, str] = {}
    for pressure in record.therapy.pressures.required:
        if not _has(pressure, record, now_ms) and not record.overridden(f"pressure:{pressure}"):
            found[pressure] = _PRESSURES[pressure]
    return found


_PRESSURES: Mapping[Pressure, str] = {
    "before": "The blood pressure before the drug.",
    "check_40": "The blood pressure of the 40-minute check.",
    "end": "A blood pressure at the end of the infusion.",
    "final": "The blood pressure before leaving, in the ready check.",
}


def _has(pressure: Pressure, record: Record, now_ms: int) -> bool:
    match pressure:
        case "before":
            return record.baseline is not None and bool(record.baseline.cuffs_at_ms)
        case "check_40":
            done = record.checks.get(CHECK_40)
            return isinstance(done, CheckFilled) and any(one.item == NIBP for one in done.filled)
        case "end":
            end_ms = record.end_ms
            return end_ms is not None and bool(
                record.cuffs_between(end_ms - END_PRESSURE_MS, end_ms + END_PRESSURE_MS)
            )
        case "final":
            return record.phase is Phase.READY and bool(record.cuffs_between(record.since_ms, now_ms))


def _answered(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del seen, now_ms
    return [
        f"Not answered: {question.asks}"
        for question in record.therapy.question
        if question.name not in record.answers and (record.opened.first or not question.first_session)
    ]


def _baseline(record: Record, seen: Seen, now_ms: int) -> list[str]:
    proposal = propose(record, seen, now_ms)
    return [*proposal.missing, *_unmeasured(proposal.baseline)]


def _unmeasured(own: Baseline) -> list[str]:
    named = {"heart rate": own.heart_rate, "SpO2": own.spo2, "respiration": own.respiration}
    return [f"The baseline of {name}." for name, value in named.items() if value is None]


def _scores(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del seen, now_ms
    row = record.therapy.row(Phase.BASELINE)
    wanted: tuple[Score, ...] = row.scores if row is not None else ()
    from_ms = record.entered.get(Phase.BASELINE, record.opened.at_ms)
    found: list[str] = []
    for score in wanted:
        newest = record.score(score)
        if newest is None or newest.done_at_ms < from_ms:
            found.append(f"{SCALES[score].title}: not asked yet.")
    return found


def _gate(record: Record, seen: Seen, now_ms: int) -> list[str]:
    found: list[str] = []
    for finding in gates.findings(record, seen, now_ms):
        if finding.open:
            continue
        if not finding.override:
            found.append(f"Stop: {finding.why}")
        else:
            who = " or a ".join(finding.override)
            found.append(f"{finding.why}: a {who} decides, with a reason.")
    return found


def _timeout(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del seen, now_ms
    entered = record.entered.get(Phase.TIMEOUT)
    if record.dose is None or entered is None or record.dose.at_ms < entered:
        return ["The dose, checked by two people."]
    return []


def _met_by_the_move(record: Record, seen: Seen, now_ms: int) -> list[str]:
    """The last device, the check and the end of the infusion are the moves that leave their phases."""
    del record, seen, now_ms
    return []


def _time(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del seen
    row = record.therapy.row(record.onward)
    began_ms = record.entered.get(record.onward, record.since_ms)
    left_ms = 0 if row is None else began_ms + ms(row.least_min) - now_ms
    return [f"{-(-left_ms // 60_000)} min to go."] if left_ms > 0 else []


def _quiet(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del record, now_ms
    return [f"Open: {', '.join(seen.alarms)}."] if seen.alarms else []


def _floor(record: Record, seen: Seen, now_ms: int) -> list[str]:
    return _items(record, seen, now_ms, lambda item: item is Item.TIME)


def _readiness(record: Record, seen: Seen, now_ms: int) -> list[str]:
    return _items(record, seen, now_ms, lambda item: item not in {Item.TIME, Item.SIGNED})


def _sign_off(record: Record, seen: Seen, now_ms: int) -> list[str]:
    return _items(record, seen, now_ms, lambda item: item is Item.SIGNED)


def _items(record: Record, seen: Seen, now_ms: int, wanted: Callable[[Item], bool]) -> list[str]:
    return [
        f"{one.title}: {words}"
        for one in readiness.items(record, seen, now_ms)
        if wanted(one.item) and not one.holds
        for words in one.missing
    ]


def _pressures(record: Record, seen: Seen, now_ms: int) -> list[str]:
    del seen
    return list(missing_pressures(record, now_ms).values())


_MISSING: Mapping[Need, Callable[[Record, Seen, int], list[str]]] = {
    Need.ANSWERED: _answered,
    Need.BASELINE: _baseline,
    Need.SCORES: _scores,
    Need.GATE: _gate,
    Need.TIMEOUT: _timeout,
    Need.LAST_DEVICE: _met_by_the_move,
    Need.CHECK: _met_by_the_move,
    Need.INFUSION_ENDED: _met_by_the_move,
    Need.TIME: _time,
    Need.QUIET: _quiet,
    Need.FLOOR: _floor,
    Need.READINESS: _readiness,
    Need.PRESSURES: _pressures,
    Need.SIGN_OFF: _sign_off,
}

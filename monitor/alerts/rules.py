"""What is watched for: one row a rule. Data only, and no numbers.

A condition has up to three rows, one a priority, named `<condition>` (HIGH), `<condition>-m` and
`<condition>-l`. The numbers of a row (limit, delay, severe bound) are in the profile (ALM-003, `limits.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.model import Lie, Priority, Side, Vital


class Kind(StrEnum):
    """How a condition is confirmed: by lasting, by a second reading, by a gap that lasts, or by people."""

    TIMED = "timed"
    REPEAT = "repeat"
    GAP = "gap"
    SAID = "said"
    """What people say of the patient, or leave undone: no device measures it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is watched for, at one priority."""

    name: str
    condition: str
    priority: Priority
    kind: Kind
    vital: Vital | None = None
    side: Side | None = None
    inclusive: bool = False
    """True where the published cut-off is "at or beyond"; then a value on the limit is a breach."""
    numbers_of: str = ""
    """The row whose limits this one borrows: an arterial pressure takes those of the cuff."""
    in_session: bool | None = None
    """A technical row that holds only with (True) or only without (False) a patient at the bed."""

    @property
    def technical(self) -> bool:
        """Whether it is about the equipment and not about the patient (ALM-013)."""
        return self.kind is Kind.GAP

    @property
    def measured(self) -> bool:
        """Whether it holds a value against a limit; all others have a delay and nothing else."""
        return self.kind in (Kind.TIMED, Kind.REPEAT)

    @property
    def family(self) -> str:
        """Rules of one family have one cause ("bp-high"): the worst of them speaks for the lesser."""
        if self.vital is None or self.side is None or not self.measured:
            return _SAID_OF.get(self.condition, self.condition)
        return f"{_CAUSE[self.vital]}-{self.side.value}"


_SAID_OF = {"bp-not-declining": "bp-high"}
"""What is said of a vital that is judged as well (protocols.md 6.3): it has that one's cause."""

H, M, L = Priority.HIGH, Priority.MEDIUM, Priority.LOW
_SUFFIX = {H: "", M: "-m", L: "-l"}


def _rows(
    condition: str, vital: Vital, side: Side, priorities: tuple[Priority, ...], *, inclusive: bool = False
) -> tuple[Rule, ...]:
    kind = Kind.REPEAT if vital in CUFF_VITALS or vital in SPOT_VITALS else Kind.TIMED
    return tuple(
        Rule(condition + _SUFFIX[priority], condition, priority, kind, vital, side, inclusive)
        for priority in priorities
    )


def _arterial(cuff_rows: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            f"abp-{row.name}",
            row.condition,
            row.priority,
            Kind.TIMED,
            _ARTERY[row.vital],
            row.side,
            row.inclusive,
            numbers_of=row.name,
        )
        for row in cuff_rows
        if row.vital is not None
    )


def _technical(
    condition: str, priority: Priority, vital: Vital | None = None, *, in_session: bool | None = None
) -> Rule:
    name = condition + _SUFFIX[priority]
    return Rule(name, condition, priority, Kind.GAP, vital, in_session=in_session)


def _said(condition: str, *priorities: Priority) -> tuple[Rule, ...]:
    return tuple(Rule(condition + _SUFFIX[each], condition, each, Kind.SAID) for each in priorities)


CUFF_VITALS = (Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN)
SPOT_VITALS = (Vital.TEMPERATURE,)
"""Measured now and then, by a device or by hand: judged by the next reading, as a cuff is (ALM-063)."""
_ARTERY: dict[Vital | None, Vital] = {
    Vital.SYSTOLIC: Vital.ARTERIAL_SYSTOLIC,
    Vital.DIASTOLIC: Vital.ARTERIAL_DIASTOLIC,
    Vital.MEAN: Vital.ARTERIAL_MEAN,
}

_CAUSE = dict.fromkeys((*CUFF_VITALS, *_ARTERY.values()), "bp") | {
    Vital.HEART_RATE: "hr",
    Vital.SPO2: "spo2",
    Vital.RESPIRATION: "rr",
    Vital.TEMPERATURE: "temp",
}

# The table of protocols.md 6.2, "drug running and observation". Cut-offs published with >= stay >=.
_CUFF = (
    *_rows("sbp-high", Vital.SYSTOLIC, Side.HIGH, (H, M, L), inclusive=True),
    *_rows("sbp-low", Vital.SYSTOLIC, Side.LOW, (H, M, L)),
    *_rows("dbp-high", Vital.DIASTOLIC, Side.HIGH, (H, M, L), inclusive=True),
    *_rows("map-high", Vital.MEAN, Side.HIGH, (H, M)),
    *_rows("map-low", Vital.MEAN, Side.LOW, (H, M)),
)

# HEART_RATE is the bed's one effective rate: the ward chooses between ECG and oximeter.
_CONTINUOUS = (
    *_rows("hr-none", Vital.HEART_RATE, Side.LOW, (H,), inclusive=True),
    *_rows("hr-high", Vital.HEART_RATE, Side.HIGH, (H, M, L)),
    *_rows("hr-low", Vital.HEART_RATE, Side.LOW, (H, M)),
    *_rows("hr-rise", Vital.HEART_RATE, Side.HIGH, (M,)),
    *_rows("hr-fall", Vital.HEART_RATE, Side.LOW, (M,)),
    *_rows("spo2-low", Vital.SPO2, Side.LOW, (H, M, L)),
    *_rows("rr-none", Vital.RESPIRATION, Side.LOW, (H,), inclusive=True),
    *_rows("rr-high", Vital.RESPIRATION, Side.HIGH, (H, M, L)),
    *_rows("rr-low", Vital.RESPIRATION, Side.LOW, (H, M)),
    *_rows("temp-high", Vital.TEMPERATURE, Side.HIGH, (H, M, L)),
    *_rows("temp-low", Vital.TEMPERATURE, Side.LOW, (H,)),
)

# alarms.md 7; the priorities of what a device makes up are proposals (P), as its table's are.
_TECHNICAL = (
    _technical("link-lost", H, in_session=True),
    _technical("link-lost", M, in_session=True),
    _technical("link-lost", L, in_session=False),
    _technical("spo2-gap", M, Vital.SPO2, in_session=True),
    _technical("spo2-gap", L, Vital.SPO2, in_session=True),
    _technical("hr-gap", M, Vital.HEART_RATE, in_session=True),
    _technical("hr-gap", L, Vital.HEART_RATE, in_session=True),
    _technical("rr-gap", M, Vital.RESPIRATION, in_session=True),
    _technical("rr-gap", L, Vital.RESPIRATION, in_session=True),
    _technical("spo2-weak", L, Vital.SPO2, in_session=True),
    _technical("rates-differ", L, Vital.HEART_RATE, in_session=True),
    _technical("impossible", M, in_session=True),
    _technical("wrong-unit", M, in_session=True),
    _technical("frozen", M, in_session=True),
    _technical("old-data", M, in_session=True),
    _technical("device-clock", L, in_session=True),
    _technical("earlier-patient", M, in_session=True),
    _technical("cuff-failed", M, Vital.SYSTOLIC, in_session=True),
    _technical("cuff-overdue", M, Vital.SYSTOLIC, in_session=True),
    _technical("paging-down", H),
    _technical("not-recording", H),
    _technical("no-nurse", M, in_session=True),
    _technical("nobody-on-duty", H),
    _technical("no-prescriber", M, in_session=True),
    _technical("untested", L),
    _technical("test-failed", M),
    _technical("watcher-lost", L),
    _technical("clock-drift", L),
    _technical("loop-late", H),
    _technical("loop-late", M),
    _technical("ehr-down", L),
    _technical("ehr-refused", L),
)

# What a treatment session says of itself: protocols.md 6.2 and 6.3 for the patient, 3.3 for what is to be
# done. check-late has every priority, for a therapy says of each check what it raises; the form has no bed.
_SAID = (
    *_said("emergency-sign", H),
    *_said("sedation", H, M, L),
    *_said("symptom", M, L),
    *_said("bp-not-declining", M),
    *_said("check-late", H, M, L),
    *_said("check-missed", M),
    *_said("form-owed", H, M),
)

LIES = {
    Lie.IMPOSSIBLE: "impossible",
    Lie.WRONG_UNIT: "wrong-unit",
    Lie.FROZEN: "frozen",
    Lie.HISTORY: "old-data",
    Lie.CLOCK: "device-clock",
}
"""Which condition of its device each of them is, if it lasts."""

RULES = (*_CUFF, *_CONTINUOUS, *_arterial(_CUFF), *_TECHNICAL, *_SAID)

INDEX = {rule.name: place for place, rule in enumerate(RULES)}
"""Where a rule of this name stands in `RULES`."""

ROWS = tuple(dict.fromkeys(r.vital for r in RULES if r.kind is Kind.TIMED and r.vital is not None))
"""The continuous vitals that are judged, one row of the engine each."""

"""Why each condition has its priority: harm and onset, held against the norm's table; drawn as a page."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.alerts.rules import RULES, Rule
from monitor.model import Priority
from tests.safety.trace import SAFETY

H, M, L = Priority.HIGH, Priority.MEDIUM, Priority.LOW

ONSETS = ("immediate", "prompt", "delayed")
TABLE: Mapping[str, tuple[Priority, ...]] = {
    "irreversible": (H, H, M),
    "reversible": (H, M, L),
    "minor": (M, L, L),
}
"""IEC 60601-1-8, table 1, as the clinical page has it (alarms.md 2): harm by onset."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one condition has one priority."""

    condition: str
    priority: Priority
    harm: str
    onset: str
    why: str
    differs: str = ""
    """Why the priority is another than the table's; "" where it is the table's."""


def reasons() -> tuple[Reason, ...]:
    """Every row of conditions.toml."""
    data = tomllib.loads((SAFETY / "conditions.toml").read_text(encoding="utf-8"))
    return tuple(
        Reason(condition, Priority[name], *row)
        for condition, rows in data.items()
        for name, row in rows.items()
    )


def mistakes(rows: Iterable[Reason], rules: Iterable[Rule] = RULES) -> list[str]:
    """What is missing, too much, or does not follow, a line each."""
    wrong = []
    there = {(row.condition, row.priority) for row in rows}
    wanted = {(rule.condition, rule.priority) for rule in rules}
    wrong += [f"{what} {priority.name} has no rationale" for what, priority in sorted(wanted - there)]
    wrong += [f"{what} {priority.name} is no rule" for what, priority in sorted(there - wanted)]
    for row in rows:
        name = f"{row.condition} {row.priority.name}"
        if row.harm not in TABLE or row.onset not in ONSETS:
            wrong.append(f"{name}: {row.harm}, {row.onset} is not in the table")
            continue
        follows = TABLE[row.harm][ONSETS.index(row.onset)] is row.priority
        if not follows and not row.differs:
            wrong.append(f"{name} does not follow from {row.harm}, {row.onset}")
        if follows and row.differs:
            wrong.append(f"{name} follows from the table and says that it differs")
    return wrong


PAGE = """# Why each condition has its priority

What harm, and how soon, if nobody acts. Drawn by `make safety` from [conditions.toml](conditions.toml), a
proposal for the medical director to sign; a test fails when a rule has no row here, or a row does not give
its priority.

| harm | immediate | prompt | delayed |
| --- | --- | --- | --- |
{table}
| condition | priority | harm | onset | why |
| --- | --- | --- | --- | --- |
{rows}"""


def page() -> str:
    """The whole page."""
    table = "".join(
        f"| {harm} | {' | '.join(priority.name for priority in row)} |\n" for harm, row in TABLE.items()
    )
    return PAGE.format(table=table, rows="".join(map(_row, reasons())))


def _row(row: Reason) -> str:
    why = row.why + (f" (not the table's: {row.differs})" if row.differs else "")
    return f"| `{row.condition}` | {row.priority.name} | {row.harm} | {row.onset} | {why} |\n"

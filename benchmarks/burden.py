"""Burden: how often ordinary sessions breach plain pressure limits, against the rates of the clinical page.

The first table is physiology.md 5.5: 2,000 simulated sessions a column, each of its cells within 20 % of what
is printed there, and ten times as many for the cells that 2,000 cannot settle. What chance allows is the
binomial error of so many sessions; what the page's rounding allows is half of its last digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from benchmarks.measure import Row, at_most
from simulators.ordinary import Ordinary, numbers, sessions
from simulators.patient import MINUTE_MS
from simulators.scenario import Drug

ASKED = 2_000
MANY = 20_000
WITHIN = 0.2
"""How far from the page a rate may be, relative to it (physiology.md 5.5)."""
SURE = 3.35
"""So many standard errors no cell of 64 exceeds by chance in 19 runs of 20: 1 - 0.95 ** (1/64), two-sided."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the page: who, and the minutes at which the cuff is started."""

    title: str
    drug: Drug
    age: int
    minutes: tuple[int, ...]


# Every 5 min, after the infusion every 10; or every 20 after a spray. The page does not say for how long:
# here for two hours, as its curves go. Only the last row, which counts readings at rest, feels the end.
COLUMNS = (
    Column("IV, 5-min", "iv", 45, (*range(5, 41, 5), *range(50, 121, 10))),
    Column("IV, 10-min", "iv", 45, tuple(range(10, 121, 10))),
    Column("esk 18-64", "esk", 45, tuple(range(20, 121, 20))),
    Column("esk 65+", "esk", 70, tuple(range(20, 121, 20))),
)

Breach = Callable[[int, int, Ordinary], bool]
"""Whether a reading (systolic, diastolic, mmHg) breaches, given whose it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the page: per cent of sessions with a breach, (any reading, two in a row) a column."""

    title: str
    breach: Breach
    printed: tuple[tuple[float, float], ...]
    half: float = 0.5
    """Half of the last digit that is printed."""


# "+20 %" and "+30 %" are about the systolic pressure: of both, more than half of all sessions would breach.
RULES = (
    Rule(">= 140 or >= 90", lambda s, d, _: s >= 140 or d >= 90, ((73, 63), (70, 59), (58, 42), (76, 63))),
    Rule(
        ">= baseline +20 %",
        lambda s, _, who: s >= 1.2 * who.systolic,
        ((34, 23), (31, 19), (22, 10), (27, 13)),
    ),
    Rule(">= 160 or >= 100", lambda s, d, _: s >= 160 or d >= 100, ((25, 17), (23, 14), (14, 5), (25, 12))),
    Rule(">= 165 or >= 100", lambda s, d, _: s >= 165 or d >= 100, ((21, 13), (18, 11), (11, 4), (19, 7))),
    Rule(
        "rise >= 40 or >= 25",
        lambda s, d, who: s - who.systolic >= 40 or d - who.diastolic >= 25,
        ((12, 6), (10, 5), (6, 1), (9, 2)),
    ),
    Rule(">= baseline +30 %", lambda s, _, who: s >= 1.3 * who.systolic, ((9, 5), (8, 4), (5, 1), (7, 2))),
    Rule(
        ">= 180 or >= 110",
        lambda s, d, _: s >= 180 or d >= 110,
        ((3.3, 1.5), (2.7, 1.1), (1.2, 0.2), (2.8, 0.3)),
        0.05,
    ),
    Rule("SBP < 90", lambda s, _, __: s < 90, ((1.2, 0.4), (1.0, 0.2), (0.6, 0.2), (0.2, 0.1)), 0.05),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the page beside the simulator's; all in per cent of sessions."""

    column: str
    rule: str
    twice: bool
    printed: float
    half: float
    found: float
    of: int
    """How many sessions that is."""

    @property
    def error(self) -> float:
        """How far off it is, relative to what is printed."""
        return self.found / self.printed - 1

    @property
    def off(self) -> float:
        """How far off it is for certain, relative: from the nearest rate that is printed so."""
        nearest = min(max(self.found, self.printed - self.half), self.printed + self.half)
        return abs(self.found / nearest - 1)

    @property
    def chance(self) -> float:
        """What chance alone may do with so many sessions, relative to what is printed."""
        share = self.printed / 100
        return SURE * math.sqrt(share * (1 - share) / self.of) / share

    @property
    def ok(self) -> bool:
        """Whether it is within reach of the page, or chance cannot tell."""
        return self.off <= WITHIN + self.chance


def breaches(column: Column, count: int, first_seed: int = 0) -> list[tuple[tuple[bool, bool], ...]]:
    """For each session and rule: whether any reading is in breach, and whether two in a row are."""
    return [_breaches(column, who) for who in islice(sessions(column.drug, column.age, first_seed), count)]


def _breaches(column: Column, who: Ordinary) -> tuple[tuple[bool, bool], ...]:
    cuffs = (who.patient.cuff(minute * MINUTE_MS, None) for minute in column.minutes)
    good = [numbers(cuff) for cuff in cuffs if cuff.failed is None]
    found = []
    for rule in RULES:
        over = [rule.breach(*pressures, who) for pressures in good]
        found.append((any(over), any(one and other for one, other in pairwise(over))))
    return tuple(found)


def cells(place: int, found: Sequence[tuple[tuple[bool, bool], ...]]) -> list[Cell]:
    """The column at this place of the page, as these sessions have it."""
    made = []
    for at, rule in enumerate(RULES):
        for twice in (False, True):
            share = 100 * sum(session[at][twice] for session in found) / len(found)
            printed = rule.printed[place][twice]
            column = COLUMNS[place].title
            made.append(Cell(column, rule.title, twice, printed, rule.half, share, len(found)))
    return made


def side_by_side(columns: Iterable[Sequence[Cell]]) -> str:
    """The page's table with what was found beside each number, as Markdown."""
    lines = [
        "| column | rule | any: page | found | error | chance | two: page | found | error | chance |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for column in columns:
        for once, twice in zip(column[::2], column[1::2], strict=True):
            numbers = [
                text
                for cell in (once, twice)
                for text in (
                    f"{cell.printed:g}",
                    f"{cell.found:.3g}",
                    f"{cell.error:+.1%}{'' if cell.ok else ' !'}",
                    f"+-{cell.chance:.0%}",
                )
            ]
            lines.append(f"| {' | '.join((once.column, once.rule, *numbers))} |")
    return "\n".join(lines)


def rows() -> list[Row]:
    """The worst cell of each column, with as many sessions as are asked for and with many."""
    every = [breaches(column, MANY) for column in COLUMNS]
    made = []
    for count in (ASKED, MANY):
        columns = [cells(place, found[:count]) for place, found in enumerate(every)]
        print(f"\nSessions with a breach in per cent, {count:,} sessions a column\n{side_by_side(columns)}")
        made += [_worst(column) for column in columns]
    return made


def _worst(column: Sequence[Cell]) -> Row:
    """The cell that is furthest off, beyond what rounding and chance explain."""
    worst = max(column, key=lambda cell: cell.off - cell.chance)
    far = max(0.0, worst.off - worst.chance)
    which = f"{worst.rule}, {'two in a row' if worst.twice else 'any'}"
    note = f"{which}: {worst.found:.3g} for {worst.printed:g} %"
    return at_most(
        f"{worst.column}: worst of 16 rates beyond chance, {worst.of:,} sessions",
        100 * far,
        100 * WITHIN,
        "%",
        note,
    )

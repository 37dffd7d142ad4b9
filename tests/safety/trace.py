"""Which test shows which requirement, read from the tests themselves; drawn as two pages. Runs no test."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
SAFETY = HOUSE / "docs" / "safety"

MARKER = "shows"


@dataclass(frozen=True, slots=True)
class Shown:
    """One test, and what it says that it shows."""

    path: str
    test: str
    ids: tuple[str, ...]
    long: bool
    """Whether only `make torture` runs it."""

    @property
    def name(self) -> str:
        """As pytest names it."""
        return f"{self.path}::{self.test}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of requirements.toml."""

    number: str
    says: str
    hazards: tuple[str, ...]
    untested: str = ""
    """Why no test can show it; "" where one can."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One row of hazards.toml."""

    number: str
    hazard: str
    cause: str
    situation: str
    harm: str
    severity: str
    control: str
    untested: str = ""


SEVERITIES = ("critical", "serious", "minor")


def requirements() -> tuple[Requirement, ...]:
    """Every requirement, in order."""
    rows = _rows("requirements.toml", "ALM-")
    return tuple(
        Requirement(number, row["says"], tuple(row["hazards"]), row.get("untested", ""))
        for number, row in rows.items()
    )


def chapters() -> dict[str, str]:
    """The title of each chapter, by the first two digits of its requirements."""
    titles: dict[str, str] = _read("requirements.toml")["chapters"]
    return titles


def hazards() -> tuple[Hazard, ...]:
    """Every hazard, in order."""
    return tuple(Hazard(number, **row) for number, row in _rows("hazards.toml", "HZ-").items())


def shown() -> tuple[Shown, ...]:
    """Every test that carries the marker, by its file and its place in it."""
    files = sorted((HOUSE / "tests").rglob("test_*.py"))
    return tuple(found for file in files for found in shown_in(file.read_text(encoding="utf-8"), _path(file)))


def shown_in(source: str, path: str) -> Iterator[Shown]:
    """The marked tests of one file; ValueError where a marker holds anything but numbers."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        ids = [number for mark in node.decorator_list for number in _numbers(mark, f"{path}::{node.name}")]
        if ids:
            long = any(_marker_of(mark) == "torture" for mark in node.decorator_list)
            yield Shown(path, node.name, tuple(ids), long)


def mistakes(asked: Sequence[Requirement], dangers: Sequence[Hazard], found: Sequence[Shown]) -> list[str]:
    """What does not fit together, a line each: unknown numbers, and what nothing shows."""
    rows: tuple[Requirement | Hazard, ...] = (*asked, *dangers)
    numbers = [row.number for row in rows]
    known = set(numbers)
    wrong = [f"{number} is there twice" for number in sorted(known) if numbers.count(number) > 1]
    wrong += [
        f"{one.name} shows {number}, which is no requirement and no hazard"
        for one in found
        for number in one.ids
        if number not in known
    ]
    wrong += [
        f"{row.number} works against {hazard}, which is no hazard"
        for row in asked
        for hazard in row.hazards
        if hazard not in {danger.number for danger in dangers}
    ]
    wrong += [f"{row.number} works against no hazard" for row in asked if not row.hazards]
    wrong += [f"{row.number} is {row.severity}" for row in dangers if row.severity not in SEVERITIES]
    for row in rows:
        tested = any(row.number in one.ids for one in found)
        if not tested and not row.untested:
            wrong.append(f"{row.number} has neither a test nor a reason why there is none")
        if tested and row.untested:
            wrong.append(f"{row.number} has a test and a reason why there is none")
    return wrong


TRACE = """# Requirements and their tests

Each requirement of the clinical page on alarms in our own words, the hazards it works against, and the tests
that show it. Drawn by `make safety` from [requirements.toml](requirements.toml) and from the markers
`@pytest.mark.shows(...)` on the tests; a test fails when this page is not what they say, when a number has
neither a test nor a reason, and when a marker names a number that does not exist. A test marked *long* is
run by `make torture`. Nothing here claims that a standard is met.

{count} requirements: {tested} shown by tests ({tests} of them), {reasons} with a reason instead.
"""


def trace(asked: Sequence[Requirement], found: Sequence[Shown], titles: Mapping[str, str]) -> str:
    """The page of requirements, hazards and tests."""
    numbers = {row.number for row in asked}
    tested = [row for row in asked if any(row.number in one.ids for one in found)]
    tests = [one for one in found if numbers & set(one.ids)]
    parts = [
        TRACE.format(count=len(asked), tested=len(tested), tests=len(tests), reasons=len(asked) - len(tested))
    ]
    for digits, title in titles.items():
        rows = [row for row in asked if row.number.removeprefix("ALM-").startswith(digits)]
        parts += [f"## {title}\n", *(_requirement(row, found) for row in rows)]
    return "\n".join(parts)


def _requirement(row: Requirement, found: Iterable[Shown]) -> str:
    against = ", ".join(f"[{number}](hazards.md#{number.lower()})" for number in row.hazards)
    shows = _tests(row.number, found) or f"- no test: {row.untested}\n"
    return f"### {row.number}\n\n{row.says}\nAgainst {against}.\n\n{shows}"


HAZARDS = """# Hazards

What could go wrong with Chairside in a treatment room, in the manner of ISO 14971 and claiming nothing: no
risk has been estimated from use, for there has been none. Severity is taken as if Chairside were the only
alarm in the room, which it is not ([intended-use.md](intended-use.md)). Drawn by `make safety` from
[hazards.toml](hazards.toml), [requirements.toml](requirements.toml) and the tests.
"""


def hazard_page(dangers: Sequence[Hazard], asked: Sequence[Requirement], found: Sequence[Shown]) -> str:
    """The page of hazards."""
    return "\n".join([HAZARDS, *(_hazard(row, asked, found) for row in dangers)])


def _hazard(row: Hazard, asked: Sequence[Requirement], found: Sequence[Shown]) -> str:
    against = [r.number for r in asked if row.number in r.hazards]
    listed = (
        ", ".join(f"[{number}](trace.md#{number.lower()})" for number in against)
        or "no requirement of its own"
    )
    table = [
        ("hazard", row.hazard),
        ("cause", row.cause),
        ("situation", row.situation),
        ("harm", row.harm),
        ("severity", row.severity),
        ("control", row.control),
        ("requirements", listed),
    ]
    rows = "".join(f"| {name} | {text} |\n" for name, text in table)
    shows = _tests(row.number, found) or f"- no test: {row.untested}\n"
    return f"## {row.number}\n\n| | |\n| --- | --- |\n{rows}\n{shows}"


def _tests(number: str, found: Iterable[Shown]) -> str:
    lines = [f"- `{one.name}`{' (long)' if one.long else ''}\n" for one in found if number in one.ids]
    return "".join(lines)


def _numbers(mark: ast.expr, name: str) -> list[str]:
    if _marker_of(mark) != MARKER:
        return []
    given = mark.args if isinstance(mark, ast.Call) else []
    numbers = [arg.value for arg in given if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if not numbers or len(numbers) != len(given) or not all(map(NUMBER.fullmatch, numbers)):
        raise ValueError(f"{name}: {MARKER} takes numbers such as ALM-041 and HZ-04, and nothing else")
    return numbers


NUMBER = re.compile(r"ALM-\d{3}|HZ-\d{2}")


def _marker_of(mark: ast.expr) -> str:
    target = mark.func if isinstance(mark, ast.Call) else mark
    match target:
        case ast.Attribute(attr=name, value=ast.Attribute(attr="mark")):
            return name
    return ""


def _path(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def _rows(name: str, prefix: str) -> dict[str, dict[str, Any]]:
    return {number: row for number, row in _read(name).items() if number.startswith(prefix)}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((SAFETY / name).read_text(encoding="utf-8"))

"""Software of others: from the lock and the vendored files, with what is known of each; drawn as a page."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from tests.safety.trace import HOUSE, SAFETY

LOCK = HOUSE / "requirements.lock"
VENDORED = HOUSE / "monitor" / "dashboard" / "vendor" / "vendor.json"
US = "chairside"
LONGEST = 38
"""A licence of more characters is its whole text; the classifier then says it in short."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of the lock: its versions (by Python version and system), and what needs it."""

    name: str
    versions: tuple[str, ...]
    needed_by: tuple[str, ...]


def locked() -> tuple[Locked, ...]:
    """Every package of the lock for running."""
    text = LOCK.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for entry in entries:
        head = re.match(r"([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", entry)
        if head:
            needed = re.findall(r"#\s+(?:via )?([a-z0-9][\w.-]*)(?: \([^)]*\))?$", entry, re.MULTILINE)
            by = tuple(name for name in needed if name != "via")
            found.setdefault(head[1], []).append((head[2], by))
    return tuple(
        Locked(name, tuple(version for version, _ in rows), rows[0][1]) for name, rows in found.items()
    )


def known() -> Mapping[str, Mapping[str, str]]:
    """What soup.toml says: `for`, `faults` and `licence`, by package."""
    return tomllib.loads((SAFETY / "soup.toml").read_text(encoding="utf-8"))


def licence_of(name: str) -> str | None:
    """The licence that an installed package gives itself; None where it is not installed."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    if expression := said.get_all("License-Expression"):
        return str(expression[0])
    short = "".join(said.get_all("License") or []).split("\n")[0]
    if short and len(short) <= LONGEST:
        return short
    kinds = [line.split("::")[-1].strip() for line in said.get_all("Classifier") or [] if "License" in line]
    return ", ".join(kinds) or short


def mistakes() -> list[str]:
    """What the file and the lock do not agree about, a line each."""
    rows, said = {row.name: row for row in locked()}, known()
    wrong = [f"{name} has no licence in soup.toml" for name in rows if name not in said["licence"]]
    wrong += [
        f"{name} is in soup.toml ({table}) and not in the lock"
        for table, names in said.items()
        for name in names
        if name not in rows
    ]
    for name, row in rows.items():
        if (US in row.needed_by or not row.needed_by) and name not in said["for"]:
            wrong.append(f"nobody says what {name} is for")
        told = licence_of(name)
        if told is not None and told != said["licence"].get(name):
            wrong.append(f"{name} says its licence is {told!r}, soup.toml {said['licence'].get(name)!r}")
    return wrong


PAGE = """# Software of others

Every package that a clinic's installation may hold, as `requirements.lock` has it (each file with its hash),
and what the dashboard carries along. Drawn by `make safety` from the lock, [soup.toml](soup.toml) and
`vendor.json`; licences are those of the packages' own metadata, held against what is installed by a test.
*Known faults* are those that have been met or looked for here, with what was done: a blank is no promise.
Nobody watches advisories for you: before an evaluation hold this list against a database of vulnerabilities.

| package | version | licence | what for | known faults, and what is done |
| --- | --- | --- | --- | --- |
{rows}
## Carried along by the dashboard

| package | version | licence |
| --- | --- | --- |
{vendored}
## Beside it

Python (3.11 or newer), SQLite or PostgreSQL, a broker (Mosquitto) where monitors speak MQTT, the system's C
library and kernel, and the browser of each screen are the clinic's own choice; `make test` runs with those
of Debian.
"""


def page() -> str:
    """The whole page."""
    said = known()
    rows = "".join(_row(row, said) for row in locked())
    vendored: list[dict[str, Any]] = json.loads(VENDORED.read_text(encoding="utf-8"))
    carried = "".join(f"| {one['name']} | {one['version']} | {one['licence']} |\n" for one in vendored)
    return PAGE.format(rows=rows, vendored=carried)


def _row(row: Locked, said: Mapping[str, Mapping[str, str]]) -> str:
    needed = ", ".join(name for name in row.needed_by if name != US)
    what = said["for"].get(row.name) or f"needed by {needed}"
    faults = said["faults"].get(row.name, "")
    return f"| {row.name} | {', '.join(row.versions)} | {said['licence'][row.name]} | {what} | {faults} |\n"

"""Recorded patients as data: the index, labels and events of a folder of recordings, and its two halves.

A half is a fixed function of the person: the first byte of the SHA-256 of `group`, or of the case's own name
where its person is not known; odd is for reporting, even for tuning. So nobody is on both sides, and neither
the order of the files nor what is added later moves anybody.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

FOLDER = Path(os.environ.get("CHAIRSIDE_RECORDINGS", Path(__file__).parents[2] / "shared" / "data"))
APART = frozenset({"eicudemo"})
"""Sources whose strata were chosen differently: they are never pooled."""


@dataclass(frozen=True, slots=True)
class Label:
    """What experts said of a moment or a span: a bedside alarm that was true or false, a desaturation."""

    start_s: float
    end_s: float
    label: str
    type: str
    true: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about the numbers: one of them was beyond a threshold from here to there."""

    name: str
    parameter: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Case:
    """One recording, whose it is and what is known of it."""

    name: str
    source: str
    path: Path
    group: str
    interval_s: float
    """Of its rows."""
    parameters: frozenset[str]
    """Which columns it has."""
    labels: tuple[Label, ...] = ()
    events: tuple[Event, ...] = field(default=())

    @cached_property
    def reporting(self) -> bool:
        """Whether it is on the side that is reported; else the rules may be tuned on it."""
        return sha256(self.group.encode()).digest()[0] % 2 == 1


def cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Every case of the folder's index, in its order; none where there is no index."""
    if not (folder / "index.csv").is_file():
        return ()
    labels, events = _labels(folder), _events(folder)
    return tuple(
        Case(
            name=row["case"],
            source=f"{row['source']}, {row['stratum']}" if row["source"] in APART else row["source"],
            path=folder / row["file"],
            group=row["group"] or row["case"],
            interval_s=float(row["interval_s"]),
            parameters=frozenset(row["parameters"].split()),
            labels=tuple(labels.get(row["case"], ())),
            events=tuple(events.get(row["case"], ())),
        )
        for row in _table(folder / "index.csv")
    )


def _labels(folder: Path) -> Mapping[str, Iterable[Label]]:
    found: dict[str, list[Label]] = {}
    for row in _table(folder / "labels.csv"):
        label = Label(*_span(row, "t_s"), row["label"], row["type"], row["truth"] == "true")
        found.setdefault(row["case"], []).append(label)
    return found


def _events(folder: Path) -> Mapping[str, Iterable[Event]]:
    found: dict[str, list[Event]] = {}
    for row in _table(folder / "events.csv"):
        if row["kind"] == "threshold":
            event = Event(row["event"], row["parameter"], *_span(row, "t_start_s"))
            found.setdefault(row["case"], []).append(event)
    return found


def _span(row: Mapping[str, str], start: str) -> tuple[float, float]:
    return float(row[start]), float(row["t_end_s"] or row[start])


def _table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

"""What an ordinary session does to the blood pressure, from this patient's baseline today: a band. Pure.

The numbers are those of `course.toml`, each with its source.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from monitor.records.report import SessionReport

OLD_FROM = 65
STEP_MIN = 2.5
AFTER_MIN = 180.0


@dataclass(frozen=True, slots=True)
class Band:
    """(minute, lowest, highest) of the expected course, mmHg, and where it is from, in words."""

    systolic: tuple[tuple[float, float, float], ...]
    diastolic: tuple[tuple[float, float, float], ...]
    source: str


@cache
def _courses() -> Mapping[str, Any]:
    return tomllib.loads((files("monitor.records") / "course.toml").read_text(encoding="utf-8"))


def band(report: SessionReport, until_min: float) -> Band | None:
    """The band from the start of the drug to that minute; None without a drug or a baseline."""
    therapy, baseline, clocks = report.therapy, report.baseline, report.clocks
    if therapy is None or therapy.course is None or baseline is None or clocks.start_ms is None:
        return None
    own = next((one for one in baseline.numbers if one.name == "nibp"), None)
    if own is None or own.value is None or own.second is None:
        return None
    course = _courses()[_which(therapy.course, report.age_years)]
    length_min = None if clocks.end_ms is None else (clocks.end_ms - clocks.start_ms) / 60_000
    steps = [step * STEP_MIN for step in range(int(min(until_min, AFTER_MIN) / STEP_MIN) + 1)]
    cuff = _courses()["cuff"]

    def around(
        base: float, rise: Mapping[str, float], error: float
    ) -> tuple[tuple[float, float, float], ...]:
        found = []
        for minute in steps:
            share = share_of_peak(course, minute, length_min)
            wide = math.hypot(share * rise["sd"], error)
            found.append((minute, base + share * rise["mean"] - wide, base + share * rise["mean"] + wide))
        return tuple(found)

    return Band(
        around(own.value, course["sys"], cuff["sd_sys"]),
        around(own.second, course["dia"], cuff["sd_dia"]),
        course["source"],
    )


def _which(course: str, age_years: int | None) -> str:
    return "nasal_from_65" if course == "nasal" and (age_years or 0) >= OLD_FROM else course


def share_of_peak(course: Mapping[str, Any], minute: float, length_min: float | None) -> float:
    """How much of the whole rise there is at this minute, from 0 to 1.

    An infusion that was ended after `length_min` peaks there; one that runs on is taken to its usual length.
    """
    if minute <= 0:
        return 0.0
    if "peak_min" in course:
        at = minute / course["peak_min"]
        return float(at ** course["power"] * math.exp(course["power"] * (1 - at)))
    usual = course["length_min"]
    end = usual if length_min is None else length_min
    risen = (1 - math.exp(-min(minute, end) / course["rise_min"])) / (
        1 - math.exp(-usual / course["rise_min"])
    )
    return float(risen * math.exp(-max(0.0, minute - end) / course["fall_min"]))

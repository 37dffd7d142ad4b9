"""Replay: recorded numerics through the whole ward, bed-seconds for each second of the processor.

A made-up patient, four vitals once a second, who has an episode every ten minutes; and the recorded patients
of CHAIRSIDE_RECORDINGS (else `../shared/data`), where they are at hand. Alarms and pages are part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Row, alone, at_least, plain
from monitor.planning import profile
from monitor.recording import BadRecording, Recording, read
from monitor.recording import Row as Instant
from monitor.replay import Run

GOAL = 20_000
UNIT = "bed-s/CPU s"
HOURS = 2
EPISODE_EVERY_S, EPISODE_S = 600, 45
FOLDER = Path(os.environ.get("CHAIRSIDE_RECORDINGS", Path(__file__).parents[2] / "shared" / "data"))
DENSE = ("hypoxia", "bidmc")
"""The sources with four vitals once a second."""


def rows() -> list[Row]:
    """Every figure of replay against its goal."""
    return [made_up(), *recorded()]


def made_up() -> Row:
    """The patient who is always there."""
    speed, alarms = measured([patient(HOURS * 3_600)])
    return at_least(
        "a made-up patient, 1 Hz, four vitals", speed, GOAL, UNIT, f"{alarms} alarms in {HOURS} h"
    )


def recorded() -> list[Row]:
    """Real ones, if they are at hand."""
    cases = [
        case for source in DENSE for path in sorted((FOLDER / source).glob("*.csv")) for case in _case(path)
    ]
    if not cases:
        return [plain("recorded patients: none at hand", 0, UNIT, "set CHAIRSIDE_RECORDINGS to their folder")]
    speed, alarms = measured(cases)
    note = f"{len(cases)} cases of {' and '.join(DENSE)}, {alarms} alarms"
    return [at_least("recorded patients, 1 Hz, four vitals", speed, GOAL, UNIT, note)]


def measured(cases: list[Recording]) -> tuple[float, int]:
    """Bed-seconds for each second of the processor, and how many alarms were raised on the way."""
    watch, raised = profile("watch", {}), 0

    def job() -> None:
        nonlocal raised
        raised = 0
        for case in cases:
            for line in Run(case, watch, None).lines():
                raised += line.get("move") == "raised"

    cost_s = alone(job, times=5)
    bed_s = sum(case.rows[-1].t_s - case.rows[0].t_s for case in cases)
    return bed_s / cost_s, raised


def patient(seconds: int) -> Recording:
    """Four vitals once a second, with an episode of low saturation and slow breathing every ten minutes."""
    wave: Callable[[int, int], int] = lambda second, span: second * 7_919 % span  # noqa: E731  a little unrest
    instants = []
    for second in range(seconds):
        ill = second % EPISODE_EVERY_S > EPISODE_EVERY_S - EPISODE_S
        instants.append(
            Instant(
                float(second),
                {
                    "hr": 68.0 + wave(second, 9),
                    "pr": 68.0 + wave(second, 7),
                    "spo2": (83.0 if ill else 95.0) + wave(second, 4),
                    "rr": 6.0 if ill else 13.0 + wave(second, 3),
                },
            )
        )
    return Recording("made up", tuple(instants), ("hr", "pr", "spo2", "rr"))


def _case(path: Path) -> list[Recording]:
    try:
        return [read(path)]
    except BadRecording:
        return []  # an index or a table of labels, which lies in the same folder

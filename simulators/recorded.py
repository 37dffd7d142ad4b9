"""A patient played from a recording: the numbers of a CSV file at their seconds, and nothing invented.

A missing cell is a missing value. Cuff rows become what the cuff reads; between two of them a cuff that
somebody starts reads the line from one to the other, for a recording cannot be asked again.
"""

from __future__ import annotations

import csv
import gzip
import math
from bisect import bisect_right
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulators.patient import Contact, CuffResult
from simulators.scenario import ScenarioError, Story

COLUMNS = (
    "t_s",
    "hr",
    "pr",
    "spo2",
    "nibp_sys",
    "nibp_dia",
    "nibp_map",
    "abp_sys",
    "abp_dia",
    "abp_map",
    "rr",
    "temp",
)

CUFF_MS = 35_000
"""How long a recorded cuff took is not recorded: the usual time (physiology.md 5.4)."""


class RecordedPatient:
    """A recording as a patient. Second 0 of the file is instant 0."""

    def __init__(self, name: str, columns: dict[str, npt.NDArray[np.float64]]) -> None:
        """Take the columns of one file, `t_s` among them and rising."""
        self._t_s = columns["t_s"]
        self._columns = columns
        self._times: list[float] = self._t_s.tolist()
        gaps = np.diff(self._t_s)
        # A value counts for one and a half of the recording's own intervals, then it is missing.
        self._holds_s = 1.5 * float(np.median(gaps)) if len(gaps) else 1.5
        kind = "nibp" if _any(columns.get("nibp_sys")) else "abp"
        self._pressures = _pressure_rows(self._t_s, columns, kind)
        self._starts_ms = (
            [round(row[0] * 1000) - CUFF_MS for row in self._pressures] if kind == "nibp" else []
        )
        self._story = Story(name=name, title="a recording", drug="none", start_min=0.0)

    @property
    def story(self) -> Story:
        """A story with a name and nothing in it: what happens is in the recording."""
        return self._story

    def heart_rate(self, t_ms: int) -> float | None:
        """The recorded heart rate now."""
        return self._at("hr", t_ms)

    def pulse(self, t_ms: int) -> float | None:
        """The recorded pulse; in a file without any, the heart rate while there is a saturation."""
        if "pr" in self._columns:
            return self._at("pr", t_ms)
        return self._at("hr", t_ms) if self._at("spo2", t_ms) is not None else None

    def spo2(self, t_ms: int) -> float | None:
        """The recorded saturation now."""
        return self._at("spo2", t_ms)

    def perfusion(self, t_ms: int) -> float | None:  # noqa: ARG002  at no instant
        """Never recorded."""
        return None

    def respiration(self, t_ms: int) -> float | None:
        """The recorded breaths a minute now."""
        return self._at("rr", t_ms)

    def temperature(self, t_ms: int) -> float | None:
        """The recorded temperature now."""
        return self._at("temp", t_ms)

    def systolic(self, t_ms: int) -> float | None:
        """Systolic pressure on the line between the recorded readings around now."""
        return self._pressure(t_ms, 1)

    def diastolic(self, t_ms: int) -> float | None:
        """Diastolic pressure on the line between the recorded readings around now."""
        return self._pressure(t_ms, 2)

    def contact(self, t_ms: int) -> Contact:
        """The probe is off where the recording has neither saturation nor pulse."""
        return Contact("on" if self.spo2(t_ms) is not None or self.pulse(t_ms) is not None else "off")

    def cuff(self, t_ms: int, before_ms: int | None) -> CuffResult:  # noqa: ARG002  a recording ignores it
        """The reading of the recording at the cuff's end; failed where there is none to read."""
        end_ms = t_ms + CUFF_MS
        systolic, diastolic, mean = (self._pressure(end_ms, which) for which in (1, 2, 3))
        if systolic is None or diastolic is None or mean is None:
            return CuffResult(CUFF_MS, None, None, None, None, failed="failed")
        rate = self.heart_rate(end_ms) or self.pulse(end_ms)
        pulse = None if rate is None else round(rate)
        return CuffResult(CUFF_MS, round(systolic), round(diastolic), round(mean), pulse)

    def next_cuff_ms(self, after_ms: int, cycle_ms: int) -> int | None:
        """The next recorded cuff; where only an arterial line was recorded, the monitor's own cycle."""
        if self._starts_ms:
            following = bisect_right(self._starts_ms, after_ms)
            return self._starts_ms[following] if following < len(self._starts_ms) else None
        return (after_ms // cycle_ms + 1) * cycle_ms if cycle_ms and self._pressures else None

    def _at(self, column: str, t_ms: int) -> float | None:
        values = self._columns.get(column)
        row = bisect_right(self._times, t_ms / 1000) - 1
        if values is None or row < 0 or t_ms / 1000 - self._times[row] > self._holds_s:
            return None
        value = float(values[row])
        return None if math.isnan(value) else value

    def _pressure(self, t_ms: int, which: int) -> float | None:
        t_s = t_ms / 1000
        rows = self._pressures
        if not rows or t_s > rows[-1][0] + max(self._holds_s, CUFF_MS / 1000):
            return None
        after = bisect_right(rows, t_s, key=lambda row: row[0])
        if after == 0:
            return None
        begin = rows[after - 1]
        if after == len(rows):
            return begin[which]
        share = (t_s - begin[0]) / (rows[after][0] - begin[0])
        return begin[which] + share * (rows[after][which] - begin[which])


def load_recording(path: Path) -> RecordedPatient:
    """The patient of a `.csv` or `.csv.gz` file with `t_s` and any of `COLUMNS`."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        raise ScenarioError(f"{path}: cannot be read: {problem}") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    if "t_s" not in header or len(header) < 2:
        raise ScenarioError(f"{path}: a recording has a header with t_s and any of {', '.join(COLUMNS[1:])}")
    strange = [cell for cell in header if cell not in COLUMNS]
    if strange:
        raise ScenarioError(f"{path}: unknown column {strange[0]!r}; known are {', '.join(COLUMNS)}")
    try:
        table = [_row(cells, len(header)) for cells in rows[1:] if cells]
    except ValueError as problem:
        raise ScenarioError(f"{path}: {problem}") from None
    if not table:
        raise ScenarioError(f"{path}: there is no row in it")
    matrix = np.array(table, dtype=np.float64)
    columns = {name: matrix[:, which] for which, name in enumerate(header)}
    if np.isnan(columns["t_s"]).any() or (np.diff(columns["t_s"]) <= 0).any():
        raise ScenarioError(f"{path}: t_s must be there in every row and go forward")
    return RecordedPatient(path.name.removesuffix(".gz").removesuffix(".csv"), columns)


def _row(cells: list[str], width: int) -> list[float]:
    if len(cells) != width:
        raise ValueError(f"a row has {len(cells)} cells where the header has {width}: {','.join(cells)[:60]}")
    return [float(cell) if cell.strip() else math.nan for cell in cells]


def _any(values: npt.NDArray[np.float64] | None) -> bool:
    return values is not None and bool((~np.isnan(values)).any())


def _pressure_rows(
    t_s: npt.NDArray[np.float64], columns: dict[str, npt.NDArray[np.float64]], kind: str
) -> list[tuple[float, float, float, float]]:
    """(second, systolic, diastolic, mean) of every row with the first two; an absent mean is worked out."""
    systolic, diastolic = columns.get(f"{kind}_sys"), columns.get(f"{kind}_dia")
    if systolic is None or diastolic is None:
        return []
    mean = columns.get(f"{kind}_map")
    formula = diastolic + (systolic - diastolic) / 3  # C2 of physiology.md
    means = formula if mean is None else np.where(np.isnan(mean), formula, mean)
    there = ~(np.isnan(systolic) | np.isnan(diastolic))
    stacked = np.stack([t_s, systolic, diastolic, means], axis=1)[there]
    return [(float(t), float(s), float(d), float(m)) for t, s, d, m in stacked]

"""A recorded patient as a table: read from CSV, checked, column by column. Pure but for reading the file."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from monitor.model import Vital

BYTES_MAX = 256 << 20
"""How much a file may hold once unpacked: years of one patient; more is no recording (T20)."""

SECONDS_MAX = 4e9
"""More than a century: no time of a recording, whatever its clock counted from."""

COLUMNS: dict[str, Vital] = {
    "hr": Vital.HEART_RATE,
    "pr": Vital.PULSE_SPO2,
    "spo2": Vital.SPO2,
    "rr": Vital.RESPIRATION,
    "temp": Vital.TEMPERATURE,
    "abp_sys": Vital.ARTERIAL_SYSTOLIC,
    "abp_dia": Vital.ARTERIAL_DIASTOLIC,
    "abp_map": Vital.ARTERIAL_MEAN,
}
CUFF_COLUMNS = ("nibp_sys", "nibp_dia", "nibp_map")
TIME = "t_s"


class BadRecording(ValueError):  # noqa: N818  it is what it says
    """A file that is no recording; the text says which line and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instant: seconds from the first row, and what was seen then; None is an empty cell."""

    t_s: float
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """One case: its rows in order, its columns, and how often each column has a value."""

    name: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]

    def interval_s(self, column: str) -> float | None:
        """The median time between two values of a column, or None with fewer than two of them."""
        at = [row.t_s for row in self.rows if row.values[column] is not None]
        return median(b - a for a, b in pairwise(at)) if len(at) > 1 else None

    def column(self, name: str) -> Sequence[tuple[float, float]]:
        """(t_s, value) of every cell of a column that holds one."""
        return [(row.t_s, v) for row in self.rows if (v := row.values[name]) is not None]


def read(path: Path, bytes_max: int = BYTES_MAX) -> Recording:
    """The recording in a `.csv` or `.csv.gz` file of at most `bytes_max`; BadRecording says what is wrong."""
    try:
        text = _text(path, bytes_max)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadRecording(f"{path.name}: cannot be read: {why}") from None
    table = csv.reader(io.StringIO(text))
    try:
        return _recording(path.name, table)
    except csv.Error as error:
        raise BadRecording(f"{path.name}: line {table.line_num}: {error}") from None


def _recording(name: str, table: Iterator[list[str]]) -> Recording:
    header = [cell.strip() for cell in next(table, [])]
    known = {TIME, *COLUMNS, *CUFF_COLUMNS}
    if TIME not in header:
        raise BadRecording(f"{name}: the first line must name the columns, {TIME} among them")
    if twice := {cell for cell in header if header.count(cell) > 1}:
        raise BadRecording(f"{name}: column {min(twice)} stands there twice")
    columns = tuple(cell for cell in header if cell in known and cell != TIME)
    if not columns:
        raise BadRecording(f"{name}: none of these columns is there: {', '.join(sorted(known - {TIME}))}")
    rows = tuple(_rows(name, header, columns, table))
    if not rows:
        raise BadRecording(f"{name}: there is no row below the header")
    return Recording(name.removesuffix(".gz").removesuffix(".csv"), rows, columns)


def _text(path: Path, bytes_max: int) -> str:
    if path.name.endswith(".gz"):
        with gzip.open(path, "rb") as packed:
            data = packed.read(bytes_max + 1)
    else:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise BadRecording(f"{path.name}: is larger than {bytes_max >> 20} MiB")
    return data.decode("utf-8-sig")


def _rows(
    name: str, header: list[str], columns: tuple[str, ...], table: Iterator[list[str]]
) -> Iterator[Row]:
    last_s = -math.inf
    for number, cells in enumerate(table, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise BadRecording(f"{name}: line {number} has {len(cells)} cells, the header has {len(header)}")
        row = dict(zip(header, cells, strict=True))
        t_s = _number(name, number, TIME, row[TIME])
        if t_s is None or t_s < last_s or abs(t_s) > SECONDS_MAX:
            raise BadRecording(f"{name}: line {number}: {TIME} must be a number of seconds and not run back")
        last_s = t_s
        yield Row(t_s, {column: _number(name, number, column, row[column]) for column in columns})


def _number(name: str, line: int, column: str, cell: str) -> float | None:
    cell = cell.strip()
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        raise BadRecording(f"{name}: line {line}: {column} is {cell!r}, not a number") from None
    return value if math.isfinite(value) else None

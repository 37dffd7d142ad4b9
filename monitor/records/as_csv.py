"""A session's record as CSV: a long table, a row for every reading and event, and the trends as a wide one.

A cell of text that a spreadsheet would take for a formula is set behind an apostrophe; numbers are numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from monitor.model import Quality, Vital
from monitor.records.report import DISCLAIMER, CuffReading, Line, SessionReport

HEADER = (
    "session", "alias", "bed", "at", "at_ms", "minute", "kind", "name", "value", "unit", "words", "quality",
    "device", "by", "age_s", "seq",
)  # fmt: skip
"""`minute` counts from the start of the drug; `age_s` is how old a value was when it was heard, or used."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")

TREND_COLUMNS: dict[str, Vital] = {
    "hr": Vital.HEART_RATE,
    "pr": Vital.PULSE_SPO2,
    "spo2": Vital.SPO2,
    "rr": Vital.RESPIRATION,
    "temp": Vital.TEMPERATURE,
    "pi": Vital.PERFUSION,
    "etco2": Vital.ETCO2,
    "abp_sys": Vital.ARTERIAL_SYSTOLIC,
    "abp_dia": Vital.ARTERIAL_DIASTOLIC,
    "abp_map": Vital.ARTERIAL_MEAN,
}
"""Columns by the names that `chairside replay` reads; one it does not know it passes over."""


class Row(NamedTuple):
    """One line of the long table; `seq` is the journal's row, where it has one."""

    at_ms: int
    kind: str
    name: str
    value: float | None = None
    unit: str = ""
    words: str = ""
    quality: str = ""
    device: str = ""
    by: str = ""
    age_ms: int | None = None
    seq: int | None = None


def long_form(report: SessionReport) -> bytes:
    """Every reading and event in the order of time, UTF-8, the disclaimer as its first row."""
    start_ms = report.clocks.start_ms
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\r\n")
    table.writerow(HEADER)
    table.writerow(_cells(report, Row(report.made_ms, "disclaimer", "", words=DISCLAIMER), start_ms))
    for row in sorted(_rows(report), key=lambda row: row.at_ms):
        table.writerow(_cells(report, row, start_ms))
    return file.getvalue().encode()


def trends(report: SessionReport) -> bytes:
    """One row an instant, one column a vital, `t_s` from the start of the drug (of the session without one).

    An empty cell is no value. The numbers are as they came: nothing is thinned, moved or filled in.
    """
    zero_ms = report.opened_ms if report.clocks.start_ms is None else report.clocks.start_ms
    columns = {name: vital for name, vital in TREND_COLUMNS.items() if _line(report, vital) is not None}
    cuff_columns = ("nibp_sys", "nibp_dia", "nibp_map")
    table: dict[int, dict[str, float | None]] = {}
    for name, vital in columns.items():
        line = _line(report, vital)
        if line is not None:
            for at_ms, value in zip(line.times_ms, line.values, strict=True):
                table.setdefault(at_ms, {})[name] = value
    for reading in report.cuffs:
        if reading.usable:
            values = (reading.systolic, reading.diastolic, reading.mean)
            table.setdefault(reading.at_ms, {}).update(zip(cuff_columns, values, strict=True))
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    names = (*columns, *cuff_columns)
    writer.writerow(("t_s", "at_ms", *names))
    for at_ms in sorted(table):
        row = table[at_ms]
        writer.writerow(((at_ms - zero_ms) / 1_000, at_ms, *(_figure(row.get(name)) for name in names)))
    return file.getvalue().encode()


def _line(report: SessionReport, vital: Vital) -> Line | None:
    return next((line for line in report.lines if line.vital is vital), None)


def _rows(report: SessionReport) -> Iterator[Row]:
    yield from _continuous(report.lines)
    for reading in report.cuffs:
        yield from _cuff(reading)
    for check in report.checks:
        for one in check.filled:
            at_ms = check.due_ms if one.at_ms is None else one.at_ms
            yield Row(
                at_ms, f"check {check.name}", one.name, one.value, one.unit, one.words, "",
                one.device or "", one.by or "", one.age_ms,
            )  # fmt: skip
        if not check.filled:
            state = "missed" if check.missed else "not recorded"
            yield Row(check.due_ms, f"check {check.name}", "", words=state)
    for gap in report.gaps:
        ends = "still" if gap.until_ms is None else _utc(gap.until_ms)
        yield Row(gap.from_ms, "gap", gap.what, words=f"until {ends}: {gap.why}", device=gap.device or "")
    for entry in report.timeline:
        kind = "struck" if entry.struck else "event"
        yield Row(entry.done_ms, kind, entry.kind, words=entry.words, by=entry.by or "", seq=entry.seq)


def _continuous(lines: Iterable[Line]) -> Iterator[Row]:
    for line in lines:
        sources = iter((*line.sources, (1 << 62, None)))
        source, following = None, next(sources)
        for at_ms, value, quality in zip(line.times_ms, line.values, line.qualities, strict=True):
            while at_ms >= following[0]:
                source, following = following[1], next(sources)
            yield Row(
                at_ms, "reading", line.vital.value, value, line.vital.unit, "", quality.value, source or "",
                "" if source is not None else "by hand",
            )  # fmt: skip


def _cuff(reading: CuffReading) -> Iterator[Row]:
    age_ms = max(reading.heard_ms - reading.at_ms, 0)
    device, by, quality = reading.device or "", reading.by or "", reading.quality.value
    numbers = (
        (Vital.SYSTOLIC, reading.systolic),
        (Vital.DIASTOLIC, reading.diastolic),
        (Vital.MEAN, reading.mean),
        (Vital.PULSE_NIBP, reading.pulse),
    )
    words = (reading.why or "") + (" standing" if reading.standing else "")
    for vital, value in numbers:
        if value is not None or (vital is Vital.SYSTOLIC and reading.quality is not Quality.VALID):
            said = f"{words} reckoned".strip() if vital is Vital.MEAN and reading.derived_mean else words
            yield Row(
                reading.at_ms,
                "cuff",
                vital.value,
                value,
                vital.unit,
                said.strip(),
                quality,
                device,
                by,
                age_ms,
            )


def _cells(report: SessionReport, row: Row, start_ms: int | None) -> tuple[str, ...]:
    return (
        str(report.session),
        _text(report.alias),
        _text(report.bed),
        _utc(row.at_ms),
        str(row.at_ms),
        "" if start_ms is None else f"{(row.at_ms - start_ms) / 60_000:.2f}",
        row.kind,
        row.name,
        _figure(row.value),
        row.unit,
        _text(row.words),
        row.quality,
        _text(row.device),
        _text(row.by),
        "" if row.age_ms is None else f"{row.age_ms / 1_000:g}",
        "" if row.seq is None else str(row.seq),
    )


def _text(words: str) -> str:
    return f"'{words}" if words.startswith(FORMULA) else words


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _utc(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

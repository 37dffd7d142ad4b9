"""How a table of a session's record is told: columns, cells, times. What stands in it is for `details.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.records.clocks import local
from monitor.records.printed import minutes, printable
from monitor.records.report import SessionReport

Table = dict[str, Any]
Rows = Sequence[Sequence[str]]


def table(title: str, heads: str, rows: Rows, note: str = "", empty: str = "None.") -> Table:
    """One table. `heads` are its columns, "|" between them: ">" to the right, "*2" two shares of the rest."""
    columns = []
    for head in heads.split("|"):
        words, _, wide = head.partition("*")
        columns.append(
            {"head": words.removeprefix(">"), "right": words.startswith(">"), "wide": int(wide or 0)}
        )
    return {
        "title": title,
        "note": printable(note),
        "columns": columns,
        "rows": [[_cell(cell) for cell in row] for row in rows],
        "empty": empty,
    }


class Struck(str):
    """Words that were wrong: they are printed struck through."""

    __slots__ = ()


def _cell(words: str) -> dict[str, Any]:
    return {"words": printable(words), "struck": isinstance(words, Struck)}


class Clock:
    """Times of this session, by the clinic's clock and from the start of the drug."""

    def __init__(self, report: SessionReport) -> None:
        """In the zone of its clinic, from its own start."""
        self._zone = report.zone
        self._zero_ms = report.clocks.start_ms
        self._day = local(report.zone, report.opened_ms).date()

    def at(self, at_ms: int | None) -> str:
        """By the clock; the day beside it where it is another one."""
        if at_ms is None:
            return "–"
        then = local(self._zone, at_ms)
        days = (then.date() - self._day).days
        if days in {0, 1}:
            return f"{then:%H:%M:%S}{' +1d' if days else ''}"
        return f"{then:%Y-%m-%d %H:%M:%S}"

    def min(self, at_ms: int | None) -> str:
        """From the start of the drug; nothing without one."""
        return "" if at_ms is None else minutes(at_ms, self._zero_ms)

    def both(self, at_ms: int | None) -> tuple[str, str]:
        """By the clock, and from the start."""
        return self.at(at_ms), self.min(at_ms)

    def until(self, at_ms: int | None, still: str) -> str:
        """By the clock; `still` for what has not ended."""
        return still if at_ms is None else self.at(at_ms)


def said(*words: str) -> str:
    """Those of the words that say anything."""
    return "; ".join(one for one in words if one)

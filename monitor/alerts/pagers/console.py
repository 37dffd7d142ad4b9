"""The console: a page is a line on the service's standard output. Enough for a demonstration."""

from __future__ import annotations

import sys
from typing import Protocol

from monitor.alerts.pagers.pager import aside
from monitor.model import Outcome, PageChanged, PageOrdered, PageRecalled


class Lines(Protocol):
    """Where lines can be written."""

    def write(self, text: str, /) -> object:
        """Write this."""
        ...

    def flush(self) -> None:
        """And do not keep it back."""
        ...


class Console:
    """Writes lines. A reader that does not read holds up its own thread and nobody else."""

    def __init__(self, way: str, timeout_s: float = 2, out: Lines | None = None) -> None:
        """`out` is where the lines go instead of standard output."""
        self.way = way
        self.timeout_s = timeout_s
        self._out = out

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """One line for the page."""
        return await self._say(f"page {page.page_id} to {page.to}: {page.text}")

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:
        """One line for what it says now."""
        return await self._say(f"page {changed.page_id} to {page.to} now says: {changed.text}")

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:
        """One line for its end."""
        return await self._say(f"page {recalled.page_id} to {page.to} is over: {recalled.text}")

    async def close(self) -> None:
        """Nothing is held."""

    async def _say(self, line: str) -> tuple[Outcome, str]:
        try:
            await aside(lambda: _write(self._out or sys.stdout, line))
        except (OSError, ValueError):
            return Outcome.FAILED, "standard output is closed"
        return Outcome.SENT, ""


def _write(out: Lines, line: str) -> None:
    # One write a line: two threads cannot mix theirs.
    out.write("".join(sign if sign.isprintable() else "?" for sign in line) + "\n")
    out.flush()

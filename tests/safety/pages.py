"""The drawn pages of docs/safety by name: each a function without arguments that gives its whole text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.safety import conditions, delays, scenarios, soup, trace


def _trace() -> str:
    return trace.trace(trace.requirements(), trace.shown(), trace.chapters())


def _hazards() -> str:
    return trace.hazard_page(trace.hazards(), trace.requirements(), trace.shown())


PAGES: Mapping[str, Callable[[], str]] = {
    "trace.md": _trace,
    "hazards.md": _hazards,
    "conditions.md": conditions.page,
    "delays.md": delays.page,
    "soup.md": soup.page,
}
PLAYED: Mapping[str, Callable[[], str]] = {"scenarios.md": scenarios.page}
"""Those for which every story is played first: half a minute."""

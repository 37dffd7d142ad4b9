"""Recorded patients do not come with the project: where they are missing, their tests are left out, aloud."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RECORDINGS = Path(os.environ.get("CHAIRSIDE_RECORDINGS", Path(__file__).parents[3] / "shared" / "data"))
LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs recordings where there are none; a folder that was named must be there."""
    if not _missing():
        return
    gone = [item for item in items if item.get_closest_marker("recordings")]
    config.stash[LEFT_OUT] = len(gone)
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say so where nobody can overlook it."""
    left_out = config.stash.get(LEFT_OUT, None)
    if not _missing() or left_out == 0:
        return
    # Where several processes share the tests, none of them is the one that tells.
    told = "Their tests" if left_out is None else f"{left_out} tests"
    terminalreporter.section("RECORDED PATIENTS ARE MISSING", sep="!", yellow=True, bold=True)
    terminalreporter.line(f"{told} were left out: set CHAIRSIDE_RECORDINGS to the folder of the recordings.")


def _missing() -> bool:
    return not RECORDINGS.is_dir() and "CHAIRSIDE_RECORDINGS" not in os.environ

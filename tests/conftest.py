"""What holds for every test: what it starts can be interrupted, and who of two processes plays it."""

from __future__ import annotations

import signal

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

BROWSER = "tests/browser"
"""One process has all of this folder: one Chromium, and every scene is played once."""


def pytest_configure() -> None:
    """A shell that runs the tests in its background has Ctrl-C ignored; every child would inherit that.

    No example has a deadline: how fast a machine is that others use too is nothing a test may fail by.
    """
    slow = [hypothesis.HealthCheck.too_slow]
    usual = hypothesis.settings()  # on a build server that is one that always plays the same examples
    hypothesis.settings.register_profile("here", usual, deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("here")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Cases come in one order in every process: two that share the tests must have collected the same."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if isinstance(mark.args[1], set | frozenset):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: cases stand in a set; sort them")


class Shared(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Two processes share the tests: the browser's all together, all others file by file."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        return BROWSER if file.startswith(f"{BROWSER}/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shared:
    """Whatever `--dist` says."""
    return Shared(config, log)

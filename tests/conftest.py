"""What holds for every test: what it starts can be interrupted, and what is real meets nothing else real."""

from __future__ import annotations

import signal

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

GROUPS = {"tests/browser": "browser", "tests/shells": "real", "tests/whole": "real"}
"""Folders of which one process has all: no two tests that use real ports, brokers and databases ever meet."""


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
    """Two processes share the tests: one begins with all that is real, one with the browser, then by file."""

    def _split_scope(self, nodeid: str) -> str:
        folder, _, _ = nodeid.partition("::")[0].rpartition("/")
        return GROUPS.get(folder, nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shared:
    """Whatever `--dist` says."""
    return Shared(config, log)

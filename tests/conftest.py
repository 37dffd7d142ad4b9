"""What holds for every test: the programs it starts can be interrupted, however the tests were started."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """A shell that runs the tests in its background has Ctrl-C ignored; every child would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

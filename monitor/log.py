"""The service's log: a line an event on standard output, and never a reason for the ward to stop or to wait.

The lines are written by a thread of their own: a full disk or a reader that has gone to sleep costs lines, no
more. A mistake is logged with where it happened, never with the values there: they may be a patient's or a
password.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

import structlog

WAITING_MAX = 10_000
"""Lines that wait for a slow reader: a few megabytes. Past that they are lost."""

LAST_WORDS_S = 1.0
"""How long the end of the service waits for its last lines to be written."""


@contextlib.contextmanager
def logging(out: TextIO | None = None) -> Iterator[None]:
    """Write the log to standard output, or to `out`, until the end of the block."""
    lines = Lines(out or sys.stdout)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=(out or sys.stdout).isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        lines.close()
        structlog.reset_defaults()


class Lines:
    """Where structlog's lines go. Saying one never waits and never fails."""

    def __init__(self, out: TextIO) -> None:
        """Begin to write."""
        self._out = out
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._write, name="the log", daemon=True)
        self._thread.start()

    def msg(self, line: str) -> None:
        """Say one line."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(line)

    debug = info = warning = error = critical = msg

    def close(self) -> None:
        """Write what waits, if somebody takes it."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(LAST_WORDS_S)

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            # OSError: no room, nobody reads. ValueError: closed.
            with contextlib.suppress(OSError, ValueError):
                self._out.write(line + "\n")
                self._out.flush()

"""The processes of a demonstration: each is started again when it dies, and its lines are heard."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NoReturn

import httpx

STOP_WITHIN_S = 8.0
SOON_S = 3.0
"""A child that lived shorter than this has a reason to die that will not go away by itself: wait a little."""
LOG_MAX_BYTES = 20_000_000


class DemoError(Exception):
    """The demonstration cannot go on; the text says why, in one line."""


def _dies_with_us() -> None:
    """Linux: this child gets SIGTERM when the supervisor dies, however it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


async def start(*arguments: str, stdin: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
    """One of our own modules as a process; it ends when we do."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the supervisor, which ends the others in order
        preexec_fn=_dies_with_us,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


class Child:
    """One process that is started again when it dies."""

    def __init__(
        self,
        name: str,
        arguments: Callable[[], Sequence[str]],
        heard: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """`arguments` are asked for at each start; `heard` gets its lines, `say` is for the person here."""
        self.name = name
        self.process: asyncio.subprocess.Process | None = None
        self.last_words = ""
        self._arguments, self._heard, self._say = arguments, heard, say
        self._first_line = asyncio.Event()
        self._begun_at = 0.0

    async def begin(self) -> None:
        """Start it."""
        self._first_line.clear()
        self.process = await start(*self._arguments())
        self._begun_at = time.monotonic()

    async def spoken(self, within_s: float) -> None:
        """Wait for its first line."""
        await asyncio.wait_for(self._first_line.wait(), within_s)

    async def keep(self, ready: Callable[[], Awaitable[None]]) -> NoReturn:
        """Listen to it, and start it again whenever it ends; `ready` waits until it works again."""
        coming_back: asyncio.Task[None] | None = None
        try:
            while True:
                code = await self.listen()
                if coming_back is not None:
                    coming_back.cancel()
                if time.monotonic() - self._begun_at < SOON_S:
                    await asyncio.sleep(SOON_S)
                why = f": {self.last_words}" if code > 0 and self.last_words else ""
                self._say(f"{self.name} has ended ({_ending(code)}{why}): starting it again")
                await self.begin()
                coming_back = asyncio.create_task(self._come_back(ready))
        finally:
            if coming_back is not None:
                coming_back.cancel()

    async def _come_back(self, ready: Callable[[], Awaitable[None]]) -> None:
        try:
            await ready()
        except (DemoError, httpx.HTTPError) as problem:
            self._say(f"{self.name} is not well: {problem}")
        else:
            self._say(f"{self.name} is back")

    async def listen(self) -> int:
        """Pass on its lines until it ends; its exit code."""
        process = self.process
        if process is None or process.stdout is None:
            raise RuntimeError(f"{self.name} has not been started")
        async for line in process.stdout:
            self._first_line.set()
            self.last_words = line.decode("utf-8", "replace").rstrip("\n") or self.last_words
            self._heard(self.last_words)
        return await process.wait()

    async def tell(self, line: str) -> None:
        """Write a line to its standard input, if it still listens."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.write(f"{line}\n".encode())
                await self.process.stdin.drain()

    async def end(self) -> None:
        """Ask it to end, and make it end if it will not."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


class Log:
    """A file of lines that does not grow for ever: full, it is begun anew."""

    def __init__(self, path: Path) -> None:
        """Continue the file."""
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def write(self, line: str) -> None:
        """One more line."""
        if self._file.tell() > LOG_MAX_BYTES:
            self._file.close()
            self._file = self._path.open("w", encoding="utf-8")
        self._file.write(line + "\n")
        self._file.flush()

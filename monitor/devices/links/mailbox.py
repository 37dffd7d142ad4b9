"""Where whole messages wait for one device: put in by whoever shares a connection, read by its reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from monitor.devices.links.link import Message

WAITING_MAX = 1_000
"""Messages that wait for one device's reader; Mosquitto's own default. The oldest gives way."""


class Mailbox:
    """The reading half of a `MessageLink`."""

    def __init__(self) -> None:
        """Open and empty."""
        self.dropped = 0
        """Messages that gave way to newer ones because nobody read them."""
        self.why = ""
        """Why it ended, once it has."""
        self._waiting: deque[Message] = deque()
        self._ended = False
        self._reader: asyncio.Future[None] | None = None
        self._into: Callable[[Message], None] | None = None

    async def messages(self) -> list[Message]:
        """What has come since the last call, at least one; [] once it has ended, and ever after."""
        if not self._waiting and not self._ended:
            await self._wait()
        come = list(self._waiting)
        self._waiting.clear()
        return come

    async def pour(self, into: Callable[[Message], None]) -> None:
        """Hand each message on in the call that brought it, until it has ended; instead of `messages`.

        What `into` raises ends the pouring and is raised here.
        """
        while self._waiting:
            into(self._waiting.popleft())
        if self._ended:
            return
        self._into = into
        try:
            await self._wait()
        finally:
            self._into = None

    def put(self, message: Message) -> bool:
        """One message for this device. False: whoever it was poured into has choked on it."""
        if self._into is not None:
            try:
                self._into(message)
            except Exception as error:  # noqa: BLE001  it belongs to whoever pours, not to who brings
                self._spill(error)
                return False
            return True
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(message)
        self._wake()
        return True

    def end(self, why: str) -> None:
        """No message will come any more, and why: the first reason stays."""
        self._ended = True
        self.why = self.why or why
        self._wake()

    async def _wait(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _spill(self, error: Exception) -> None:
        self._into = None
        if self._reader is not None and not self._reader.done():
            self._reader.set_exception(error)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

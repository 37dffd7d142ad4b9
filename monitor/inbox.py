"""The inbox: where everything the ward is to hear waits for the next turn. Bounded by age, not by refusal."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from monitor.model import Event, Reading, Readings
from monitor.snapshot import Answer
from monitor.treatment import Action

READINGS_MAX = 20_000
"""Readings that may wait: minutes of a large clinic. Past that the oldest reading goes, never a decision."""


@dataclass(frozen=True, slots=True)
class Act:
    """A staff action that somebody waits for."""

    action: Action
    answer: asyncio.Future[Answer]


class Inbox:
    """Puts from any task of the loop, takes from the one loop that decides."""

    def __init__(self) -> None:
        """An empty inbox."""
        self._waiting: deque[Event | Act] = deque()
        self._readings = 0
        self._news = asyncio.Event()
        self.dropped = 0
        """Readings that were dropped because too many waited."""

    def put(self, event: Event) -> None:
        """Leave an event; never waits."""
        self._waiting.append(event)
        if not event.durable:
            self._readings += _readings_in(event)
            while self._readings > READINGS_MAX:
                self._drop_oldest()
        self._news.set()

    def ask(self, action: Action) -> asyncio.Future[Answer]:
        """Leave a staff action; the future has its answer once a turn has decided and recorded it."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(Act(action, answer))
        self._news.set()
        return answer

    async def take(self, wait_s: float) -> list[Event | Act]:
        """Everything that waits, at once if there is something, else after `wait_s` at the latest."""
        if not self._waiting:
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        taken = list(self._waiting)
        self._waiting.clear()
        self._readings = 0
        self._news.clear()
        return taken

    def _drop_oldest(self) -> None:
        """Let the oldest reading go, and with it those that came in the same message."""
        for at, event in enumerate(self._waiting):
            if isinstance(event, Reading | Readings):
                del self._waiting[at]
                gone = _readings_in(event)
                self._readings -= gone
                self.dropped += gone
                return


def _readings_in(event: Event) -> int:
    return len(event) if isinstance(event, Readings) else isinstance(event, Reading)

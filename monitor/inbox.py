"""The inbox: where everything the ward is to hear waits for the next turn. Bounded by age, not by refusal."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from monitor.model import CuffTaken, Event, StaffAction
from monitor.snapshot import Answer

READINGS_MAX = 20_000
"""Readings that may wait: minutes of a large clinic. Past that the oldest reading goes, never a decision."""


@dataclass(frozen=True, slots=True)
class Act:
    """A staff action that somebody waits for."""

    action: StaffAction | CuffTaken
    answer: asyncio.Future[Answer]


class Inbox:
    """Puts from any task of the loop, takes from the one loop that decides."""

    def __init__(self) -> None:
        """An empty inbox."""
        self._waiting: deque[Event | Act] = deque()
        self._news = asyncio.Event()
        self.dropped = 0
        """Readings that were dropped because too many waited."""

    def put(self, event: Event) -> None:
        """Leave an event; never waits."""
        if len(self._waiting) >= READINGS_MAX and not event.durable:
            self.dropped += 1
            return
        self._waiting.append(event)
        self._news.set()

    def ask(self, action: StaffAction | CuffTaken) -> asyncio.Future[Answer]:
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
        self._news.clear()
        return taken

"""The EHR link as a part of the service: fills the queue, sends from it, and says how both do.

Filling and sending are two tasks, for a receiver may take its time, and neither is ever part of a turn of the
ward. Whatever breaks here is said and tried again: an EHR's trouble must not end the watch over the beds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from monitor.ehr.line import Line
from monitor.ehr.sending import Sending
from monitor.ehr.telling import WAITING_MAX, Telling
from monitor.store.database import StoreError
from monitor.store.outgoing import DAY_MS, Counts, Outgoing

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How often the ward and the journal are looked at."""
PRUNE_MS = 3_600_000
KEPT_MS = 7 * DAY_MS
"""How long a message that was accepted stays in the queue, for a technician to look at."""

LINK, REFUSED = "ehr", "ehr-refused"
"""The two parts of the service that are spoken for here."""


class Part(Protocol):
    """Where it is said how a part of the service does."""

    def __call__(self, part: str, *, ok: bool, why: str, since_ms: int | None = None) -> None:
        """Say it; to say the same again is nothing."""
        ...


class EhrLink:
    """One receiver, told for as long as the service runs."""

    def __init__(
        self,
        queue: Outgoing,
        telling: Telling,
        sending: Sending,
        line: Line,
        now_ms: Callable[[], int],
        part: Part,
    ) -> None:
        """Nothing runs before `run`."""
        self._queue, self._telling, self._sending, self._line = queue, telling, sending, line
        self._now_ms, self._part = now_ms, part
        self._news = asyncio.Event()
        self._pruned_ms = 0
        self._troubles: dict[str, str] = {}
        self.counts = Counts(0, 0, None)
        """How the queue stood when it was last looked at."""

    async def run(self) -> None:
        """Fill and send, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._for_ever(self.fill))
            tasks.create_task(self._for_ever(self.send))

    async def close(self) -> None:
        """Hang up, and let go of the queue: what was not answered is sent after the next start."""
        await self._line.close()
        await self._queue.close()

    async def fill(self) -> None:
        """Put into the queue what there is to tell."""
        self._telling.look()
        while await self._telling.turn():
            self._news.set()
        now_ms = self._now_ms()
        if now_ms - self._pruned_ms >= PRUNE_MS:
            await self._queue.prune(now_ms - KEPT_MS)
            self._pruned_ms = now_ms
        self.counts = await self._queue.counts()

    async def send(self) -> None:
        """Send whatever is due."""
        self._news.clear()
        while await self._sending.turn():
            pass

    def say(self) -> None:
        """Say of both parts how they do."""
        health, many = self._sending.health, self.counts.aside
        trouble = next(iter(self._troubles.values()), "")
        if self.counts.waiting >= WAITING_MAX:
            trouble = f"{self.counts.waiting} messages wait for the EHR: no more numbers are added"
        well = health.ok and not trouble
        self._part(LINK, ok=well, why=trouble or health.why, since_ms=health.since_ms)
        refused = f"{many} messages were not taken by the EHR: `chairside ehr list` says which"
        self._part(REFUSED, ok=many == 0, why=refused if many else "")

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        name = work.__name__
        while True:
            try:
                await work()
                self._troubles.pop(name, None)
            except StoreError as error:
                self._troubles[name] = str(error)
            except Exception as error:
                said = f"The EHR link does not work: {type(error).__name__}."
                if self._troubles.get(name) != said:
                    with contextlib.suppress(OSError):
                        log.exception("the EHR link stumbled", over=name)
                self._troubles[name] = said
            self.say()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await (self._news.wait() if work == self.send else asyncio.sleep(LOOK_S))

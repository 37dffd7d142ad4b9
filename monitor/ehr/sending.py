"""What is sent next, and what becomes of it: one message at a time, in order, none in the way of the rest.

A receiver that cannot be reached is tried again, ever more slowly, and nothing is lost meanwhile. AE, an
error in the message itself, puts it aside at once. What is not taken although the receiver is there (no
answer, or AR) is tried five times; then those behind it may try in turn. Once one of them is taken the first
is tried a last time: it is put aside only where the receiver takes others and not this one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from monitor.devices.links.link import LinkLost
from monitor.ehr.line import Line, NoAnswer
from monitor.hl7_text import ACCEPTED, REJECTED
from monitor.records.hl7_out import Answer
from monitor.store.database import StoreError
from monitor.store.outgoing import Outgoing, Queued, State

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""How long until each next try; the last one goes on."""
JITTER = 0.2
"""By how much of itself a wait is longer or shorter, so that many clinics do not call at once."""
TRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Health:
    """How the line does: `why` and since when it has not been well, or nothing."""

    ok: bool
    why: str = ""
    since_ms: int | None = None


WELL = Health(ok=True)
NONE = Answer("", "", "")


class Sending:
    """Decides, sends and writes down what came of it. Holds no clock: `now_ms` is a door to one."""

    def __init__(self, queue: Outgoing, line: Line, now_ms: Callable[[], int], rng: random.Random) -> None:
        """Nothing is sent before `turn`."""
        self._queue, self._line = queue, line
        self._now_ms, self._rng = now_ms, rng
        self._failures = 0
        self._asked = 0
        """The last message that was tried in place of the first one; 0 where none was."""
        self._in_turn = False
        self._takes_others = False
        """Whether it has just taken another message than the first one, which it does not take."""
        self.health = WELL
        self.not_before_ms = 0
        """Until when nothing is tried."""

    async def turn(self) -> bool:
        """Try one message, if one is due; whether the next may be tried at once."""
        began_ms = self._now_ms()
        if began_ms < self.not_before_ms:
            return False
        try:
            head = next(iter(await self._queue.first()), None)
            if head is None:
                self._goes_well()
                return False
            await self._try(head, await self._chosen(head))
        except (LinkLost, StoreError) as error:
            self._wait(str(error), began_ms)
            return False
        self._goes_well()
        return True

    async def _chosen(self, head: Queued) -> Queued:
        """The first message; where that one is stuck, by turns the next of those behind it."""
        self._in_turn = head.tries >= TRIES_MAX and not self._in_turn and not self._takes_others
        if not self._in_turn:
            return head
        behind = await self._queue.first(1, max(self._asked, head.number))
        behind = behind or await self._queue.first(1, head.number)
        self._asked = behind[0].number if behind else 0
        return behind[0] if behind else head

    async def _try(self, head: Queued, chosen: Queued) -> None:
        now_ms = self._now_ms()
        answer, nothing, why = await self._ask(chosen)
        if nothing is not None:
            if not self._takes_others:
                await self._queue.tried(chosen.number, why)
                raise nothing
            self._takes_others = False
            await self._queue.settle(chosen.number, State.REFUSED, now_ms, f"{why}; it takes others")
            return
        self._takes_others = chosen.number != head.number
        state = State.ACCEPTED if answer.code == ACCEPTED else State.REFUSED
        await self._queue.settle(chosen.number, state, now_ms, why)

    async def _ask(self, message: Queued) -> tuple[Answer, NoAnswer | None, str]:
        """What was answered; why that is as good as no answer, if it is; and what is kept of it in words."""
        try:
            answer = await self._line.ask(message.body.encode(), message.control)
        except NoAnswer as nothing:
            return NONE, nothing, str(nothing)
        why = f"{answer.code}: {answer.why or 'the receiver does not say why'}"
        if answer.code == REJECTED:
            # What a receiver writes may be about the patient: it stays in the queue, and is on no screen.
            said = f"{self._line.name} rejects messages: `chairside ehr list` says why"
            return answer, NoAnswer(said), why
        return answer, None, "" if answer.code == ACCEPTED else why

    def _goes_well(self) -> None:
        self._failures, self.not_before_ms = 0, 0
        self.health = WELL

    def _wait(self, why: str, began_ms: int) -> None:
        wait_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._takes_others = False
        jitter = 1 + self._rng.uniform(-JITTER, JITTER)
        self.not_before_ms = self._now_ms() + round(wait_s * jitter * 1_000)
        since_ms = self.health.since_ms
        self.health = Health(ok=False, why=why, since_ms=began_ms if since_ms is None else since_ms)

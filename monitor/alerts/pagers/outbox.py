"""The outbox: every page to every pager of its recipient, each with a time-out, none waiting for another.

It is no second queue: what is still owed after a restart is *PageOrdered without PageReported*, and the
journal knows that. Delivery is at least once, always under the same `page_id`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from monitor.alerts.pagers.pager import Pager
from monitor.model import (
    Accepted,
    Outcome,
    PageChanged,
    PageOrdered,
    PageRecalled,
    PageReported,
    Rejected,
    Staff,
)
from monitor.treatment import Happening

Report = Callable[[int, str, Outcome, str], None]
"""page_id, way, outcome, why: the service makes a PageReported of it."""

LATE_S = 30.0
"""How long after its time-out an answer may still come; it is noted, the next step has long been ordered."""

AT_ONCE_MAX = 50
"""Pages under way on one pager. A pager that hangs is given no more: the next step is the better way."""

STALE_MS = 120_000
"""A page found unsent after a restart is sent if it is younger than this; an older one is the past."""

KEPT = 1_000
"""Pages remembered so that they can be recalled."""

ARRIVED = (Outcome.SENT, Outcome.DELIVERED, Outcome.READ)

NO_WAY = ""
"""The way of a page to somebody whom no pager reaches."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Out:
    """One page that is not over, and what is known of it on each way."""

    page: PageOrdered
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    settled: dict[str, asyncio.Event] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    """One follow-up of a page at a time on each way: what it said last is heard last."""
    answered: bool = False


class Outbox:
    """Takes what the ward ordered, hands it to the pagers, reports what became of it."""

    def __init__(
        self, ways: Mapping[str, Pager], routes: Mapping[Staff, Sequence[str]], report: Report
    ) -> None:
        """`routes` are the ways that reach each person; `report` is called on the loop and must not block."""
        self._ways = ways
        self._routes = routes
        self._report = report
        self._out: dict[int, _Out] = {}
        self._under_way: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._never_sent: list[_Out] = []
        self._follow_ups: set[asyncio.Task[None]] = set()

    def take(self, events: Iterable[Happening]) -> None:
        """Start whatever these events ask for, and come back at once."""
        for event in events:
            match event:
                case PageOrdered():
                    out = self._out.get(event.page_id) or self._remember(event)
                    self._order(out, self._routes.get(event.to, ()))
                case PageChanged() | PageRecalled():
                    self._follow_up(event)
                case _:
                    continue

    def restore(self, events: Iterable[Happening]) -> None:
        """Learn from the journal, in order, what is out and what is still owed. Sends nothing."""
        for event in events:
            match event:
                case PageOrdered():
                    self._remember(event)
                case PageReported(page_id=page_id) if page_id in self._out:
                    self._out[page_id].outcomes[event.way] = event.outcome
                case Accepted(page_id=page_id) | Rejected(page_id=page_id) if page_id in self._out:
                    self._out[page_id].answered = True
                case PageChanged(page_id=page_id) if page_id in self._out:
                    # What has not gone out yet goes out as it reads now.
                    self._out[page_id].page = replace(self._out[page_id].page, text=event.text)
                case PageRecalled():
                    out = self._out.pop(event.page_id, None)
                    if out is not None and self._owed(out):
                        self._never_sent.append(out)
                case _:
                    continue

    def resume(self, now_ms: int) -> None:
        """Send what was ordered before a restart and never reported; what has grown old is reported lost."""
        for out in self._never_sent:
            for way in self._owed(out):
                self._tell(out, way, Outcome.CANCELLED, "it was over before the service was back")
        self._never_sent.clear()
        for out in list(self._out.values()):
            owed = self._owed(out)
            if not owed:
                continue
            if now_ms - out.page.at_ms <= STALE_MS:
                self._order(out, [way for way in owed if way != NO_WAY])
                continue
            for way in owed:
                self._tell(out, way, Outcome.FAILED, "the service was down when this page was due")

    async def close(self, wait_s: float = 1.0) -> None:
        """Wait a moment for what is under way, then let go: what has no report is sent after a restart."""
        tasks = [*self._under_way.values(), *self._follow_ups]
        if tasks:
            await asyncio.wait(tasks, timeout=wait_s)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for pager in self._ways.values():
            await pager.close()

    def _owed(self, out: _Out) -> list[str]:
        """The ways on which nothing is known of a page that nobody has answered."""
        ways = self._routes.get(out.page.to) or (NO_WAY,)
        return [] if out.answered else [way for way in ways if way not in out.outcomes]

    def _order(self, out: _Out, ways: Sequence[str]) -> None:
        page = out.page
        if not ways:
            self._tell(out, NO_WAY, Outcome.FAILED, f"{page.to} has no pager")
        for way in ways:
            key = (page.page_id, way)
            if key in self._under_way or out.outcomes.get(way) in ARRIVED:
                continue  # the same page again: one copy is enough
            if sum(1 for _, other in self._under_way if other == way) >= AT_ONCE_MAX:
                self._tell(out, way, Outcome.FAILED, f"{AT_ONCE_MAX} pages wait for this pager already")
                continue
            out.settled[way] = asyncio.Event()
            task = asyncio.create_task(self._deliver(out, self._ways[way]), name=f"page {page.page_id}")
            self._under_way[key] = task
            task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: tuple[int, str], _: asyncio.Task[None]) -> None:
        self._under_way.pop(key, None)

    async def _deliver(self, out: _Out, pager: Pager) -> None:
        sending = asyncio.ensure_future(pager.send(out.page))
        try:
            await asyncio.wait({sending}, timeout=pager.timeout_s)
            if sending.done():
                self._tell(out, pager.way, *_outcome(sending))
                return
            self._tell(out, pager.way, Outcome.TIMED_OUT, _no_answer(pager))
            await asyncio.wait({sending}, timeout=LATE_S)
            if sending.done() and (late := _outcome(sending))[0] in ARRIVED:
                self._tell(out, pager.way, late[0], f"it answered, but only after {pager.timeout_s:g} s")
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    def _follow_up(self, event: PageChanged | PageRecalled) -> None:
        over = isinstance(event, PageRecalled)
        out = self._out.pop(event.page_id, None) if over else self._out.get(event.page_id)
        if out is None:
            return
        for way in {*out.outcomes, *out.settled} - {NO_WAY}:
            if way in self._ways:
                task = asyncio.create_task(self._say_more(event, out, self._ways[way]))
                self._follow_ups.add(task)
                task.add_done_callback(self._follow_ups.discard)

    async def _say_more(self, event: PageChanged | PageRecalled, out: _Out, pager: Pager) -> None:
        """Tell whoever may have got the page that it is over or reads differently; never before the page."""
        async with out.turns.setdefault(pager.way, asyncio.Lock()):
            if pager.way in out.settled:
                await out.settled[pager.way].wait()
            if out.outcomes.get(pager.way) is Outcome.FAILED:
                return
            limit = asyncio.timeout(pager.timeout_s)
            try:
                async with limit:
                    if isinstance(event, PageRecalled):
                        outcome, why = await pager.recall(event, out.page)
                    else:
                        outcome, why = await pager.change(event, out.page)
            except Exception as error:  # noqa: BLE001  out of time or broken: a reason, and no more
                late = limit.expired()
                outcome, why = Outcome.FAILED, _no_answer(pager) if late else _broke(error)
        if outcome not in ARRIVED:
            # No step follows from it: every screen says how it is.
            what = "recalled" if isinstance(event, PageRecalled) else "changed"
            _log.warning(f"a page could not be {what}", page_id=event.page_id, way=pager.way, why=why)

    def _remember(self, page: PageOrdered) -> _Out:
        out = self._out[page.page_id] = _Out(page)
        while len(self._out) > KEPT:
            del self._out[next(iter(self._out))]
        return out

    def _tell(self, out: _Out, way: str, outcome: Outcome, why: str) -> None:
        out.outcomes[way] = outcome
        if way in out.settled:
            out.settled[way].set()
        self._report(out.page.page_id, way, outcome, why)


def _outcome(sending: asyncio.Future[tuple[Outcome, str]]) -> tuple[Outcome, str]:
    """What a finished pager said; one that broke has failed, and only its own page with it."""
    error = sending.exception()
    if error is None:
        return sending.result()
    return Outcome.FAILED, _broke(error)


def _no_answer(pager: Pager) -> str:
    return f"no answer within {pager.timeout_s:g} s"


def _broke(error: BaseException) -> str:
    """What kind of error it was, and no more: its words may hold the page's, or an address."""
    return f"the pager broke ({type(error).__name__})"

"""What a pager is, and what may leave the clinic by one.

A page is *queued* from its PageOrdered on, until its way reports *sent* (taken over by whoever carries it),
*delivered*, *read*, *failed* or *timed out*; *accepted* and *rejected* are said by people, and *cancelled*
is a page that never went because it was over before (ALM-083). All under the one `page_id`.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from monitor.model import Outcome, PageChanged, PageOrdered, PageRecalled

Got = TypeVar("Got")

Link = Callable[[PageOrdered], str]
"""The address that opens a page, for whoever it is sent to; empty where pages carry none."""


def no_link(_: PageOrdered) -> str:
    """Pages carry no link."""
    return ""


class Pager(Protocol):
    """One way of paging. It says what became of a page and raises nothing; the outbox counts the time."""

    @property
    def way(self) -> str:
        """The name the clinic gave it."""
        ...

    @property
    def timeout_s(self) -> float:
        """After so long without an answer the page counts as lost on this way, and the next step is due."""
        ...

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """Hand one page over, and say in words how that went. Sent again, it has the same `page_id`."""
        ...

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:
        """Tell whoever got the page what it says now; it is not over."""
        ...

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:
        """Tell whoever got the page that it is over (ALM-085)."""
        ...

    async def close(self) -> None:
        """Let go of everything. May be called twice."""
        ...


FORBIDDEN = (
    # drugs: what is given here, and what is kept beside it
    *("ketamin", "esketamin", "spravato", "ketalar", "midazolam", "lorazepam", "ondansetron", "labetalol"),
    *("clonidin", "hydralazin", "propofol", "opioid", "naloxon", "benzo", "dose", "infus", "spray", "drug"),
    # diagnoses
    *("depress", "suicid", "bipolar", "psycho", "schizo", "ptsd", "trauma", "anxi", "mental", "dissoci"),
    *("addict", "alcohol", "substance", "diagnos", "disorder", "pregnan"),
    # the kind of clinic
    *("psychiatr", "therap", "pain clinic", "rems", "treatment"),
)
"""Stems that tell a stranger who reads a lock screen why somebody is here (alarms.md 11)."""

_FORBIDDEN = re.compile(r"(?<![a-z])(?:" + "|".join(FORBIDDEN) + r")[a-z]*")


def forbidden(text: str) -> list[str]:
    """The words in a text that must not leave the clinic by a page: drugs, diagnoses, the kind of clinic."""
    return _FORBIDDEN.findall(text.lower())


async def aside(job: Callable[[], Got]) -> Got:
    """What `job` gives, run in a thread of its own that keeps neither the loop nor the end of the process."""
    loop = asyncio.get_running_loop()
    given: asyncio.Future[Got] = loop.create_future()

    def tell(what: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(lambda: None if given.done() else what())
        except RuntimeError:
            return  # the loop has ended meanwhile: nobody is waiting

    def work() -> None:
        try:
            got = job()
        except Exception as error:  # noqa: BLE001  handed on to whoever waits
            tell(partial(given.set_exception, error))
        else:
            tell(partial(given.set_result, got))

    threading.Thread(target=work, name="pager", daemon=True).start()
    return await given

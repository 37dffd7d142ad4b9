"""Whether a page reaches those who are on duty: each has shown it by answering one. No clock, no I/O.

A test page is a page like any other, on the same ways; only its text and its reason say what it is. Whoever
has answered a page, a test or a real one, since they came on duty and not too long ago is known to be reached
(ALM-082: a synthetic page each shift). Coming on duty is what begins a shift here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor.alerts.paging import LOST, Page
from monitor.model import Accepted, DutySet, HandedOver, Rejected, Staff, TrialAsked, Why
from monitor.snapshot import Reach, ReachNow, TrialNow


@dataclass(frozen=True, slots=True)
class Terms:
    """How long an answer counts, how long one is waited for, and whether coming on duty sends a test page."""

    lasts_ms: int = 12 * 3_600_000
    """No shift is longer (P; the sound check of a station counts as long)."""
    answer_ms: int = 120_000
    """After so long a test page that nobody has answered has failed (P: as long as ALM-044 gives a HIGH)."""
    coming_on: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """When somebody last answered a page, and how long after it had gone out."""

    at_ms: int
    took_ms: int


class Trials:
    """What is known of every person on duty; one object a ward. `terms` None: nothing is tested."""

    def __init__(
        self, terms: Terms | None, on: tuple[Staff, ...], ways: Mapping[Staff, tuple[str, ...]]
    ) -> None:
        """`on` are those on duty at first, `ways` the pagers that reach each person."""
        self.terms = terms
        self._ways = ways
        self._on_since_ms: dict[Staff, int] = dict.fromkeys(on, 0)
        self._answered: dict[Staff, Answered] = {}
        self._pages: dict[Staff, Page] = {}
        self._asked: TrialAsked | None = None

    # What is heard.

    def on_duty(self, event: DutySet | HandedOver, on: tuple[Staff, ...]) -> None:
        """Who is on duty has changed: whoever comes on now has shown nothing yet."""
        self._on_since_ms = {name: self._on_since_ms.get(name, event.at_ms) for name in on}

    def came_on(self, at_ms: int) -> tuple[Staff, ...]:
        """Who came on duty in this instant, and is to be tried at once."""
        if self.terms is None or not self.terms.coming_on:
            return ()
        came = [name for name, since_ms in self._on_since_ms.items() if since_ms == at_ms]
        return self.able(name for name in came if self._page(name) is None)

    def able(self, people: Iterable[Staff]) -> tuple[Staff, ...]:
        """Those of them whom a page could reach at all."""
        return tuple(name for name in people if self._ways.get(name))

    def asked(self, asked: TrialAsked) -> None:
        """Somebody has asked for a test of everybody."""
        self._asked = asked

    def ordered(self, page: Page | None) -> None:
        """A page has gone out."""
        if page is not None and page.ordered.why is Why.TEST:
            self._pages[page.ordered.to] = page

    def answered(self, page: Page | None, answer: Accepted | Rejected) -> None:
        """A page was answered; by somebody else it says nothing of whom it was sent to."""
        if page is not None and answer.by == page.ordered.to:
            self._answered[answer.by] = Answered(answer.at_ms, answer.at_ms - page.ordered.at_ms)

    # What is so.

    def under_way(self) -> bool:
        """Whether a test page waits for its answer."""
        return any(not page.over for page in self._pages.values())

    def unreached_since_ms(self, name: Staff, now_ms: int) -> int | None:
        """Since when nothing has shown that this person on duty is reached; None for one who is."""
        if self.terms is None or name not in self._on_since_ms:
            return None
        since_ms, answered = self._on_since_ms[name], self._answered.get(name)
        if answered is None or answered.at_ms < since_ms:
            return since_ms
        until_ms = answered.at_ms + self.terms.lasts_ms
        return until_ms if until_ms <= now_ms else None

    def failed_since_ms(self, now_ms: int) -> int | None:
        """Since when a test has failed: a page that no way took over, or pages that nobody has answered."""
        rows = [(name, self._reach(name, now_ms)) for name in self._on_since_ms]
        lost = [self._lost_ms(self._pages[name]) for name, reach in rows if reach is Reach.FAILED]
        if lost:
            return min(lost)
        silent = [name for name, reach in rows if reach is Reach.UNANSWERED]
        if not silent or any(reach is Reach.ANSWERED for _, reach in rows):
            return None
        return min(self._over_ms(self._pages[name]) for name in silent)

    def overdue(self, now_ms: int) -> list[Page]:
        """The test pages that nobody has answered in their time."""
        return [page for page in self._open() if self._over_ms(page) <= now_ms]

    def dues(self, now_ms: int) -> Iterator[int]:
        """When each next test page is over, and when an answer has become too old to count."""
        if self.terms is None:
            return
        yield from (self._over_ms(page) for page in self._open())
        for name in self._on_since_ms:
            if name in self._answered:
                until_ms = self._answered[name].at_ms + self.terms.lasts_ms
                if until_ms > now_ms:
                    yield until_ms

    def now(self, now_ms: int) -> TrialNow | None:
        """What screens say of it; None where nothing is tested."""
        if self.terms is None:
            return None
        people = tuple(self._reach_now(name, now_ms) for name in self._on_since_ms)
        asked = self._asked
        return TrialNow(people, asked.by if asked else None, asked.at_ms if asked else None)

    # Small judgements.

    def _reach_now(self, name: Staff, now_ms: int) -> ReachNow:
        reach, page, answered = self._reach(name, now_ms), self._page(name), self._answered.get(name)
        if reach is Reach.ANSWERED and answered is not None:
            return ReachNow(name, reach, answered.at_ms, answered.took_ms)
        at_ms = None if reach is Reach.UNTESTED or page is None else page.ordered.at_ms
        return ReachNow(name, reach, at_ms, None)

    def _page(self, name: Staff) -> Page | None:
        """The newest test page of this shift of theirs."""
        page = self._pages.get(name)
        return page if page is not None and page.ordered.at_ms >= self._on_since_ms[name] else None

    def _reach(self, name: Staff, now_ms: int) -> Reach:
        page = self._page(name)
        if not self._ways.get(name):
            return Reach.NO_PAGER
        if page is not None and page.answer is None:
            if page.lost(self._ways.get(name, ())):
                return Reach.FAILED
            if not page.over:
                return Reach.WAITING
            if self.unreached_since_ms(name, now_ms) is not None:
                return Reach.UNANSWERED
        return Reach.ANSWERED if self.unreached_since_ms(name, now_ms) is None else Reach.UNTESTED

    def _open(self) -> list[Page]:
        return [page for page in self._pages.values() if not page.over]

    def _over_ms(self, page: Page) -> int:
        return page.ordered.at_ms + (self.terms.answer_ms if self.terms else 0)

    def _lost_ms(self, page: Page) -> int:
        return max(report.at_ms for report in page.outcomes if report.outcome in LOST)

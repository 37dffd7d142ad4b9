"""The screen: a page on the person's own phone or tablet, which has Chairside open in a browser.

Nothing is sent: the page is on the stream that their browser reads, with sound, and needs no more than the
clinic's own network. Whether anybody holds such a stream is all that is asked here; that the page was read
is said by the browser itself.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.model import Outcome, PageChanged, PageOrdered, PageRecalled, Staff

NOBODY = "no phone or tablet of theirs has Chairside open"


class ScreenPager:
    """Has sent a page where its person is signed in on a browser of their own that is connected now."""

    def __init__(self, way: str, watches: Callable[[Staff], bool], timeout_s: float = 2) -> None:
        """`watches` says whether a browser in which this person has signed in is connected."""
        self.way = way
        self.timeout_s = timeout_s
        self._watches = watches

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """The page is on the stream already: whether somebody listens there."""
        return self._told(page)

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:  # noqa: ARG002  one contract
        """The screen shows what it says now."""
        return self._told(page)

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:  # noqa: ARG002  as above
        """The screen shows that it is over."""
        return self._told(page)

    async def close(self) -> None:
        """Nothing is held."""

    def _told(self, page: PageOrdered) -> tuple[Outcome, str]:
        return (Outcome.SENT, "") if self._watches(page.to) else (Outcome.FAILED, NOBODY)

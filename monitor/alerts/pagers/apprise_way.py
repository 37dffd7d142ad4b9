"""Apprise: a page to one of the many services that library speaks, one address a recipient.

The library loads its plug-ins at the first address, which takes seconds, so a thread does it at the start.
It sends in threads of its own that a hung service would fill; here every page has a thread to itself.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

from monitor.alerts.pagers.pager import Link, aside, no_link
from monitor.model import Outcome, PageChanged, PageOrdered, PageRecalled, Priority

_KINDS = {Priority.HIGH: "failure", Priority.MEDIUM: "warning", Priority.LOW: "info"}
"""How loud a service should be, in apprise's words."""


class ApprisePager:
    """One address of apprise's. What a service answers stays in the library: a token might be in it."""

    def __init__(self, way: str, url: str, timeout_s: float = 10, link: Link = no_link) -> None:
        """Begin to load; an address that cannot be read fails every page, and the config refuses it."""
        self.way = way
        self.timeout_s = timeout_s
        self._link = link
        self._loaded: Future[Any] = Future()
        threading.Thread(target=self._load, args=(url,), name="apprise", daemon=True).start()

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """One message; the number lets a person see that two of them are one page."""
        link = self._link(page)
        text = f"{page.text} (page {page.page_id})"
        return await self._notify(f"{text}\n{link}" if link else text, _KINDS[page.priority])

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:
        """One message more, under the same number, as loud as the page: somebody is still to look."""
        return await self._notify(f"{changed.text} (page {page.page_id})", _KINDS[page.priority])

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:
        """One message more, under the same number: what has left cannot be taken back."""
        return await self._notify(f"{recalled.text} (page {page.page_id} is over)", "success")

    async def close(self) -> None:
        """Nothing is held between pages."""

    async def _notify(self, text: str, kind: str) -> tuple[Outcome, str]:
        try:
            service = await asyncio.shield(asyncio.wrap_future(self._loaded))
        except Exception:  # noqa: BLE001  whatever a plug-in breaks on, its text may hold the address
            return Outcome.FAILED, "apprise cannot use the address of this pager"
        try:
            result = await aside(partial(service.notify, body=text, notify_type=kind, body_format="text"))
        except Exception:  # noqa: BLE001  as above
            return Outcome.FAILED, "apprise failed inside"
        if result:
            return Outcome.SENT, ""
        return Outcome.FAILED, "the service did not take the page"

    def _load(self, url: str) -> None:
        try:
            self._loaded.set_result(_service(url))
        except Exception as error:  # noqa: BLE001  kept for whoever sends
            self._loaded.set_exception(error)


def _service(url: str) -> Any:
    from apprise import Apprise, AppriseAsset

    # 0: the outbox counts the time, and apprise would hand the page to a pool that hung ones can fill.
    asset = AppriseAsset(service_timeout=0, http_redirects=False)
    service = Apprise.instantiate(url, asset=asset, suppress_exceptions=False)
    if service is None:
        raise ValueError("apprise knows no such service")
    service.redirects = False  # an address could ask for them; no pager follows one (T17)
    sender = Apprise(asset=asset)
    sender.add(service)
    return sender

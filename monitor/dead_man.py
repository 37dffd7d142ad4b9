"""The dead man's switch: a knock at somebody else's door while this service is well. Silence is the alarm.

Whoever watches (a healthchecks server, say) tells people when no knock has come for longer than agreed: so a
machine that has died is noticed, which it cannot say itself. A knock says nothing but that it came.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import httpx

TIMEOUT_S = 10.0


class DeadMan:
    """Knocks at one address. No redirect is followed, no proxy asked, no answer read (T17)."""

    def __init__(
        self, url: str, every_s: float, well: Callable[[], bool], tell: Callable[[bool, str], None]
    ) -> None:
        """`well` says whether the service turns; `tell` is called after each try: whether it was heard."""
        self._url = url
        self._every_s = every_s
        self._well = well
        self._tell = tell

    async def run(self) -> None:
        """Knock for ever."""
        verify = ssl.create_default_context() if self._url.startswith("https:") else False
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=TIMEOUT_S, verify=verify
        ) as client:
            while True:
                if self._well():
                    why = await self._knock(client)
                    self._tell(not why, why)
                await asyncio.sleep(self._every_s)

    async def _knock(self, client: httpx.AsyncClient) -> str:
        try:
            async with client.stream("POST", self._url, headers={"User-Agent": "chairside"}) as answer:
                return "" if answer.is_success else f"the watcher answered {answer.status_code}"
        except httpx.TimeoutException:
            return "the watcher does not answer"
        except httpx.HTTPError:
            return "the watcher cannot be reached"

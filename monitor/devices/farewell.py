"""How a line is let go: first the last words of its decoder, if it has any, then the cable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from monitor.devices.driver import Leaving
from monitor.devices.links.link import Link, LinkLost

PAUSE_S = 0.1
"""Between two last words (oridion-capnostream.md, flow)."""
WITHIN_S = 1.0
"""All of them: whoever ends the service does not wait for a port that takes nothing any more."""


def unnoted(_: bytes) -> None:
    """Nobody keeps what is written."""


async def let_go(link: Link, decoder: object, written: Callable[[bytes], None] = unnoted) -> None:
    """Take leave of the device as its decoder wants it, and close the link, whatever comes of the words.

    After the end of a connection a decoder has begun nothing and says nothing. `written` is told what was
    written.
    """
    words = decoder.farewell() if isinstance(decoder, Leaving) else ()
    try:
        with contextlib.suppress(LinkLost, TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                for place, word in enumerate(words):
                    if place:
                        await asyncio.sleep(PAUSE_S)
                    await link.write(word)
                    written(word)
    finally:
        await link.close()

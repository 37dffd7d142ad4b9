"""What the command line does with stored sessions: play them again, beside a service that may be writing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from monitor.config.settings import Clinic
from monitor.devices.codecs import DRIVERS
from monitor.store.opening import look, places
from monitor.store.trends import Trends
from monitor.whatif.door import Layers, Rows, WhatIf, WhatIfs


async def stored(
    clinic: Clinic,
    sessions: list[int],
    last: int,
    limits: Rows | None,
    layers: Layers | None,
    say: Callable[[dict[str, Any]], None],
) -> None:
    """Say the lines of these sessions and of the `last` ones that ended, and with several a last summary.

    WrongLimitsError, NoSuchSessionError, StoreError. Nothing that is kept is changed.
    """
    about = clinic.about
    url = about.database.get_secret_value() if about.database else None
    journal = await look(about.data_dir, url)
    try:
        trends = await Trends.open(places(about.data_dir, url).trends, read_only=True)
        try:
            door = WhatIfs(clinic, DRIVERS, journal, trends, _now_ms)
            wanted = list(dict.fromkeys([*sessions, *(await door.newest(last) if last else [])]))
            judged = []
            async for one in door.judged(wanted, limits, layers):
                judged.append(one)
                for line in one.lines():
                    say(line)
            if len(wanted) != 1:
                say(WhatIf(tuple(judged)).line())
        finally:
            await trends.close()
    finally:
        await journal.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

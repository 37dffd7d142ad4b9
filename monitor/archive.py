"""The sessions that are kept, as the API asks for them: records, earlier ones, what-if; in words where not.

Reads while the service writes, and what takes long is done beside the loop, one what-if at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from monitor.api.doors import Limits
from monitor.config.settings import Clinic
from monitor.devices.codecs import DRIVERS
from monitor.earlier import Earlier
from monitor.numbers import Numbers
from monitor.records.shapes import CannotMakeError
from monitor.reporting.door import Reports, Shaped
from monitor.reporting.kept import NoSuchSessionError
from monitor.series import Histories
from monitor.store.database import StoreError
from monitor.store.journal import Journal
from monitor.store.trends import Trends
from monitor.weekly import Weeks
from monitor.whatif.door import WhatIfs, WrongLimitsError

BUSY = "Stored sessions are being judged for somebody else. Try again when that is done."


class Archive:
    """See the module. Every answer is what was asked for, a sentence why not, or None: no such session."""

    def __init__(self, clinic: Clinic, journal: Journal, trends: Trends, now_ms: Callable[[], int]) -> None:
        """`now_ms` is when a session that is open is looked at."""
        self._reports = Reports(clinic, journal, trends, now_ms)
        self._histories = Histories(clinic, journal, trends, now_ms)
        self._what_ifs = WhatIfs(clinic, DRIVERS, journal, trends, now_ms)
        self._weeks = Weeks(clinic, journal, now_ms)
        self._judging = asyncio.Lock()

    async def report(self, session: int, shape: str) -> Shaped | str | None:
        """One session's record as a file."""
        try:
            return await self._reports.report(session, shape)
        except NoSuchSessionError:
            return None
        except KeyError:
            return f"No record is made as {shape} here."
        except (CannotMakeError, StoreError) as why:
            return str(why)

    async def series(self, session: int) -> Earlier | str | None:
        """The sessions of the same alias before this one."""
        try:
            return await self._histories.earlier(session)
        except NoSuchSessionError:
            return None
        except StoreError as why:
            return str(why)

    async def numbers(self, weeks: int) -> Numbers | str:
        """The alarms of the last weeks."""
        try:
            return await self._weeks.numbers(weeks)
        except StoreError as why:
            return str(why)

    async def what_if(
        self,
        sessions: Sequence[int],
        last: int,
        weeks: int,
        limits: Limits | None,
        layers: Mapping[str, Limits] | None,
    ) -> Sequence[Mapping[str, object]] | str | None:
        """The summaries of these, the last so many and those of the last weeks; of all, last."""
        if self._judging.locked():
            return BUSY
        async with self._judging:
            try:
                newest = await self._what_ifs.newest(last) if last else []
                newest += await self._what_ifs.since(self._weeks.begin_ms(weeks)) if weeks else []
                wanted = list(dict.fromkeys([*sessions, *newest]))
                made = await self._what_ifs.what_if(wanted, limits, layers)
            except NoSuchSessionError:
                return None
            except (WrongLimitsError, StoreError) as why:
                return str(why)
        return [*(one.lines()[-1] for one in made.sessions), made.line()]

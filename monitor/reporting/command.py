"""What the command line does with a record: look at what is kept, beside a service that may be writing it."""

from __future__ import annotations

import time

from monitor.config.settings import Clinic
from monitor.reporting.door import Reports, Shaped
from monitor.store.opening import look, places
from monitor.store.trends import Trends


async def report(clinic: Clinic, session: int, shape: str) -> Shaped:
    """One session in one shape. Errors are those of `Reports.report`; nothing that is kept is changed."""
    about = clinic.about
    url = about.database.get_secret_value() if about.database else None
    journal = await look(about.data_dir, url)
    try:
        trends = await Trends.open(places(about.data_dir, url).trends, read_only=True)
        try:
            return await Reports(clinic, journal, trends, _now_ms).report(session, shape)
        finally:
            await trends.close()
    finally:
        await journal.close()


def _now_ms() -> int:
    """By the wall: an open session is looked at now, and never before its newest row."""
    return time.time_ns() // 1_000_000

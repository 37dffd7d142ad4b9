"""One session in one shape, as bytes: for the command line and the API. Reads while a service writes.

Nothing here writes to what is kept. What takes long (putting together, setting a page) is done in a thread,
beside the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import NamedTuple

from monitor.config.settings import Clinic
from monitor.model import Bed, Device
from monitor.planning import treatment, treatments
from monitor.records.report import SessionReport
from monitor.records.shapes import SHAPES
from monitor.reporting.assembly import Setting, assemble
from monitor.reporting.kept import Kept, gather
from monitor.sessions import loading
from monitor.sessions.therapy import Therapy
from monitor.store.journal import Journal
from monitor.store.trends import Trends


class Shaped(NamedTuple):
    """A record as it is handed over."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reports:
    """The records of one clinic. `now_ms` is when an open session is looked at."""

    clinic: Clinic
    journal: Journal
    trends: Trends
    now_ms: Callable[[], int]

    async def report(self, session: int, shape: str) -> Shaped:
        """One session as a file: `shape` is one of `SHAPES`. Done beside the loop.

        KeyError for an unknown shape, NoSuchSessionError, StoreError where what is kept cannot be read, and
        CannotMakeError where what makes this shape is not installed.
        """
        made = SHAPES[shape]
        found = await self.session(session)
        return Shaped(made.media_type, await asyncio.to_thread(made.make, found))

    async def session(self, session: int) -> SessionReport:
        """One session's report itself; NoSuchSessionError or StoreError."""
        now_ms = self.now_ms()
        beds = {Device(one.name): Bed(one.bed) for one in self.clinic.devices}
        kept = await gather(self.journal, self.trends, session, now_ms, beds)
        return await asyncio.to_thread(assemble, kept, setting(self.clinic, kept), now_ms)


def setting(clinic: Clinic, kept: Kept) -> Setting:
    """What the clinic's settings say that a report needs."""
    therapy, trusted = _therapy(clinic, kept)
    return Setting(
        program=f"Chairside {metadata.version('chairside')}",
        clinic=clinic.about.name,
        zone=clinic.about.zone,
        place=next((bed.place for bed in clinic.beds if bed.name == kept.bed), ""),
        drivers={Device(one.name): one.driver for one in clinic.devices},
        therapy=therapy,
        trusted=trusted,
    )


def _therapy(clinic: Clinic, kept: Kept) -> tuple[Therapy | None, bool]:
    """The therapy to read the session with, and whether it is the very one that it went under."""
    opened = kept.opened
    if opened is None:
        return None, False
    own = clinic.therapies.own.get(opened.therapy, {})
    names = treatments()
    name = opened.therapy if opened.therapy in names else names[0]
    for data in (loading.merged(treatment(name), own), treatment(name)):
        try:
            made = loading.therapy(data)
        except ValueError:
            continue  # what a clinic has changed since may be wrong; the record is read all the same
        if made.digest == opened.digest:
            return made, True
    return loading.therapy(treatment(name)), False

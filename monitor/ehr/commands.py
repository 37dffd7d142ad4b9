"""What the command line does with the EHR link: look at the queue, deal with what was put aside, call.

Each command is `async command(clinic, ...)`, and may run beside the service; a StoreError says in a sentence
why not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.config.settings import Clinic
from monitor.devices.framing import printable
from monitor.devices.links.link import LinkLost
from monitor.ehr.opening import line_of
from monitor.store.database import StoreError
from monitor.store.opening import places
from monitor.store.outgoing import Outgoing, Queued

WHY_MAX = 300


async def standing(clinic: Clinic) -> list[str]:
    """How the queue stands, and a line for each message that was put aside."""
    zone = ZoneInfo(clinic.about.zone)
    async with _queue(clinic) as queue:
        counts = await queue.counts()
        oldest = "" if counts.oldest_ms is None else f", the oldest of {_at(counts.oldest_ms, zone)}"
        aside = await queue.aside()
        head = [f"{counts.waiting} waiting{oldest}; {len(aside)} put aside"]
        first = await queue.first()
        if first and first[0].why:
            head.append(f"the first that waits: {printable(first[0].why, WHY_MAX)}")
        return [*head, *(_line(one, zone) for one in aside)]


async def again(clinic: Clinic, numbers: Sequence[int]) -> int:
    """Let these messages, or all that were refused, wait again; how many they were."""
    async with _queue(clinic) as queue:
        return await queue.again(numbers)


async def drop(clinic: Clinic, numbers: Sequence[int], at_ms: int) -> int:
    """Never send these messages; how many they were."""
    async with _queue(clinic) as queue:
        return await queue.drop(numbers, at_ms)


async def call(clinic: Clinic) -> str:
    """Call the receiver and hang up again: who was reached. StoreError says why nobody was."""
    if clinic.ehr is None:
        raise StoreError("There is no [ehr] in the settings.")
    line = line_of(clinic.ehr)
    try:
        await line.call()
    except LinkLost as lost:
        raise StoreError(str(lost)) from lost
    await line.close()
    return f"{line.name} takes the call"


@asynccontextmanager
async def _queue(clinic: Clinic) -> AsyncIterator[Outgoing]:
    database = clinic.about.database
    url = database.get_secret_value() if database else None
    queue = await Outgoing.open(places(clinic.about.data_dir, url).outgoing, existing=True)
    try:
        yield queue
    finally:
        await queue.close()


def _line(one: Queued, zone: ZoneInfo) -> str:
    return (
        f"{one.number}  session {one.session}  {_at(one.at_ms, zone)}  {one.state.value}:"
        f" {printable(one.why, WHY_MAX)}"
    )


def _at(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms // 1_000, UTC).astimezone(zone).isoformat(sep=" ")

"""Memory over an hour: the service at sixty times the speed of the world, eight beds, one minute.

What it holds after the first ten minutes of clinic time, and at the end of the hour.
"""

from __future__ import annotations

import asyncio
import time

import aiomqtt

from benchmarks.clinic import Running, numeric, running
from benchmarks.measure import Row, at_most, plain

BEDS, SPEED, SECONDS = 8, 60, 60


def rows() -> list[Row]:
    """How much it grew."""
    return asyncio.run(_hour())


async def _hour() -> list[Row]:
    async with running(BEDS, speed=SPEED) as clinic, aiomqtt.Client("127.0.0.1", clinic.broker) as client:
        await _play(clinic, client, SECONDS // 6)
        early_mb = clinic.service.memory_info().rss / 1e6
        await _play(clinic, client, SECONDS - SECONDS // 6)
        late_mb = clinic.service.memory_info().rss / 1e6
        descriptors = clinic.service.num_fds()
    grown = (late_mb - early_mb) / early_mb * 100
    note = f"{early_mb:.0f} MB to {late_mb:.0f} MB, {BEDS} beds at speed {SPEED}, {descriptors} descriptors"
    return [
        at_most(
            "memory over an hour of clinic time: growth after the first ten minutes", grown, 5, "%", note
        ),
        plain("memory at the end of the hour", late_mb, "MB"),
    ]


async def _play(clinic: Running, client: aiomqtt.Client, seconds: int) -> None:
    """One message a bed and second of clinic time; the values are those of a calm patient."""
    begin = time.monotonic()
    for number in range(seconds * SPEED):
        await asyncio.sleep(max(0.0, begin + number / SPEED - time.monotonic()))
        for bed in range(1, clinic.beds + 1):
            await client.publish(f"vs1/bench/b{bed}/m{bed}/numeric", numeric(bed, 36.5))

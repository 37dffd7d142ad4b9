"""Serial frame to inbox, against a raw `add_reader` with the same decoder on the same pty; and forty ports.

The raw one puts every value the decoder gives into the same inbox, as it is: nobody has asked whether it is
late, a repeat or possible, how long it stays fresh, or whether the link is alive.
Interleaved pairs, CPU time of this thread per line of an oximeter, median of the pairs. The device is played
by this process too, but outside of the measured time. On a machine that is otherwise idle each line wakes the
processor, which costs both sides alike and brings the ratio near 1.1; beside other work, where that is cheap,
the same code was seen at 1.5 to 1.7.
"""

from __future__ import annotations

import asyncio
import os
import pty
import random
import time
import tty
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.measure import Row, at_most, collector_off, plain, table
from monitor.clock import Clock, ManualClock, SteadyClock
from monitor.devices.codecs.masimo_ascii1 import DRIVER, encode
from monitor.devices.links.serial import open_serial
from monitor.devices.reader import Reader
from monitor.model import Bed, Device, Event, LinkMoved, Reading, Said, Sample, Vital

VALUES = Reading, Sample
LAST = Vital.PERFUSION
"""The last value of a line."""

PAIRS = 15
START_MS = 1_790_000_000_000
LINES = 1_000
GOAL = 1.5
PORTS = 40
RATE_PER_S = 10
SECONDS = 5

Inbox = list[Event]


def lines(count: int, start: int = 0) -> list[bytes]:
    """A steady patient, one line a second by the device's clock."""
    begin = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
    return [
        encode((begin + timedelta(seconds=start + at)).strftime("%m/%d/%y %H:%M:%S"), 97, 72, 4.5)
        for at in range(count)
    ]


class Port:
    """A pty: the device's end, and the name of ours."""

    def __init__(self) -> None:
        """Open."""
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)

    def close(self) -> None:
        """Both ends."""
        os.close(self.master)
        os.close(self._slave)


class Heard:
    """An inbox, and somebody who waits for the last value of the next line."""

    def __init__(self) -> None:
        """Empty."""
        self.inbox: list[Event | Said] = []
        self._wanted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def put(self, one: Event | Said) -> None:
        """Leave something; after a whole line the inbox is emptied, as by the next turn of the service."""
        self.inbox.append(one)
        if isinstance(one, VALUES) and one.vital is LAST:
            self.inbox.clear()
            self._wanted.set_result(None)

    async def line(self) -> None:
        """Wait for a whole line."""
        await self._wanted
        self._wanted = asyncio.get_running_loop().create_future()


async def raw(port: Port, said: list[bytes]) -> float:
    """CPU microseconds per line of the least one could do: read what is there and decode it."""
    decoder = DRIVER.decoder({})
    loop = asyncio.get_running_loop()
    own = os.open(port.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    heard = Heard()
    put = heard.put

    def ready() -> None:
        for one in decoder.feed(os.read(own, 65536)):
            put(one)

    loop.add_reader(own, ready)
    try:
        return await paced(port, said, heard)
    finally:
        loop.remove_reader(own)
        os.close(own)


async def through_the_reader(port: Port, said: list[bytes]) -> float:
    """CPU microseconds per line of the whole way into the inbox."""
    heard = Heard()
    clock = ManualClock(START_MS)
    running = asyncio.create_task(make_reader(port, "rad8", heard.put, clock).run())
    await opened(heard.inbox)
    try:
        return await paced(port, said, heard, clock)
    finally:
        running.cancel()
        await asyncio.wait([running])


def make_reader(port: Port, name: str, put: Callable[[Event], None], clock: Clock) -> Reader:
    """The reader as the service makes it."""
    return Reader(
        Device(name),
        Bed("3"),
        DRIVER,
        lambda: open_serial(port.name, DRIVER.settings),
        put,
        clock,
        random.Random(7),  # noqa: S311  jitter
        {},
    )


async def opened(inbox: Sequence[Event | Said]) -> None:
    """Wait until the port is open: what is sent before is thrown away."""
    while not any(isinstance(event, LinkMoved) for event in inbox):  # noqa: ASYNC110  a benchmark may look
        await asyncio.sleep(0.001)


async def paced(port: Port, said: list[bytes], heard: Heard, clock: ManualClock | None = None) -> float:
    """One line at a time, as a device sends them, each awaited."""
    spent = 0.0
    for line in said:
        if clock is not None:
            clock.advance(1_000)  # a line a second, by our clock as by the device's
        os.write(port.master, line)
        begin = time.thread_time()
        await heard.line()
        spent += time.thread_time() - begin
    return spent / len(said) * 1e6


async def compare() -> Row:
    """Interleaved pairs on one pty."""
    pairs: list[tuple[float, float]] = []
    port = Port()
    warm = lines(200)
    await raw(port, warm)
    await through_the_reader(port, warm)
    with collector_off():
        said = lines(LINES)
        for turn in range(PAIRS):
            if turn % 2:
                ours = await through_the_reader(port, said)
                pairs.append((await raw(port, said), ours))
            else:
                pairs.append((await raw(port, said), await through_the_reader(port, said)))
    port.close()
    ratio = median(ours / bare for bare, ours in pairs)
    bare, ours = (median(pair[which] for pair in pairs) for which in (0, 1))
    return at_most("serial line to inbox / raw add_reader", ratio, GOAL, "x", f"{ours:.1f} / {bare:.1f} us")


async def forty_ports() -> list[Row]:
    """Forty devices at ten lines a second each: whether a line is lost, and what it costs."""
    ports = [Port() for _ in range(PORTS)]
    counts = [0] * PORTS
    inboxes: list[Inbox] = [[] for _ in ports]

    def putter(at: int) -> Callable[[Event], None]:
        def put(event: Event) -> None:
            if isinstance(event, Reading):
                counts[at] += 1
            else:
                inboxes[at].append(event)

        return put

    running = [
        asyncio.create_task(make_reader(port, f"rad8-{at}", putter(at), SteadyClock(speed=RATE_PER_S)).run())
        for at, port in enumerate(ports)
    ]
    for inbox in inboxes:
        await opened(inbox)
    total = RATE_PER_S * SECONDS
    said = lines(total)
    cpu, wall = time.process_time(), time.monotonic()
    for number, line in enumerate(said):
        for port in ports:
            os.write(port.master, line)
        await asyncio.sleep(max(0.0, wall + (number + 1) / RATE_PER_S - time.monotonic()))
    await asyncio.sleep(0.2)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for port in ports:
        port.close()
    lost = PORTS * total - sum(counts) // 3
    return [
        at_most(f"lines lost of {PORTS} ports x {RATE_PER_S}/s", lost, 0, "", f"of {PORTS * total}"),
        plain(f"{PORTS} ports x {RATE_PER_S} lines/s", 100 * cpu / wall, "% of a core"),
    ]


def rows() -> list[Row]:
    """The comparison, and the forty ports."""

    async def both() -> list[Row]:
        return [await compare(), *await forty_ports()]

    return asyncio.run(both())


if __name__ == "__main__":
    print(table(rows()))

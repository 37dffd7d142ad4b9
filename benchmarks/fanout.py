"""Fan-out to dashboards: the whole app's live stream against bare uvicorn with the message encoded once.

The dashboards are a process of their own, so the CPU counted is the server's. Messages are paced, so that
neither side may join two of them in one write. Latency is from the turn to the bytes in the dashboard, beside
a bare FastAPI stream that sends the same bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import msgspec
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.measure import Row, at_most, collector_off, latency, plain, quantile, watching_steal
from monitor.api.server import Server
from monitor.api.views import records, shapes, turns
from monitor.model import Bed, Device, Event, Reading
from monitor.snapshot import BedNow
from tests.shells.api_clinic import BED3, Clinic, running, vital

DASHBOARDS = 50
MESSAGES = 150
EVERY_S = 0.008
PAIRS = 7
LATENCY_DASHBOARDS = 10
LATENCY_MESSAGES = 200
BEDS = 20
GOAL = 1.25
GOAL_P50, GOAL_P99, GOAL_STUCK = 1.5, 2.0, 1.2


_STAMP = re.compile(rb'"device":"(\d{9,})"')


@dataclass(frozen=True)
class Stream:
    """One server with a live stream: where it is, and how a turn is told."""

    port: int
    request: bytes
    publish: Callable[[], None]


def rows() -> list[Row]:
    """CPU per dashboard and message, then latency, then latency beside a stuck dashboard."""
    with asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(_rows())


async def _rows() -> list[Row]:
    async with _ours() as ours, _bare() as bare, _fastapi() as fastapi:
        with collector_off():
            pairs = []
            for turn in range(PAIRS + 1):
                first, second = (ours, bare) if turn % 2 else (bare, ours)
                took = {id(each): await _cpu_us(each) for each in (first, second)}
                pairs.append((took[id(ours)], took[id(bare)]))
        mine, theirs = (median(pair[which] for pair in pairs[1:]) for which in (0, 1))
        ratio = median(a / b for a, b in pairs[1:])
        size = len(msgspec.json.encode(_turn(_beds())))
        with watching_steal() as steal:
            said = [(await _waits_ms(ours), await _waits_ms(fastapi)) for _ in range(5)]
            stuck = [await _stuck_pair(ours, turn) for turn in range(PAIRS)]
        p50, p99 = (
            median(quantile(own, share) / quantile(bare_ms, share) for own, bare_ms in said)
            for share in (0.5, 0.99)
        )
        own_p50, own_p99 = (median(quantile(own, share) for own, _ in said) for share in (0.5, 0.99))
    note = f"{DASHBOARDS} dashboards, {size} bytes"
    return [
        plain("fan-out, a dashboard and message", mine, "us", note),
        plain("bare uvicorn encoded once, a dashboard and message", theirs, "us", note),
        at_most("fan-out / bare uvicorn encoded once", ratio, GOAL),
        plain("turn to dashboard, p50", own_p50, "ms", f"{LATENCY_DASHBOARDS} dashboards"),
        latency("turn to dashboard p50 / bare FastAPI stream", p50, GOAL_P50, steal.share, "x"),
        plain("turn to dashboard, p99", own_p99, "ms", f"{LATENCY_DASHBOARDS} dashboards"),
        latency("turn to dashboard p99 / bare FastAPI stream", p99, GOAL_P99, steal.share, "x"),
        latency("p99 beside a stuck dashboard / without one", median(stuck), GOAL_STUCK, steal.share, "x"),
    ]


# What is told: one reading of every bed, with the moment it was told in place of the device's name.


def _beds() -> dict[str, BedNow]:
    stamp = str(time.monotonic_ns())
    now = vital(97.0, device=Device(stamp))
    empty = BedNow(BED3, "", None, None, (now,), None, None, (), (), ())
    return {str(number): empty for number in range(1, BEDS + 1)}


def _events(beds: dict[str, BedNow]) -> list[Event]:
    (now,) = next(iter(beds.values())).vitals
    device, until_ms = Device("monitor"), now.fresh_until_ms
    return [
        Reading(now.at_ms, Bed(bed), device, now.vital, now.value, now.quality, None, until_ms)
        for bed in beds
    ]


def _turn(beds: dict[str, BedNow]) -> turns.Turn:
    changes: list[turns.Change] = []
    for bed, now in beds.items():
        shown = records.vital_shown(now.vitals[0])
        fields = {name: getattr(shown, name) for name in shapes.VitalShown.__struct_fields__}
        changes.append(turns.VitalChange(bed=bed, **fields))
    return turns.Turn(1, 0, changes)


# The servers.


@asynccontextmanager
async def _ours() -> AsyncIterator[Stream]:
    async with running(connections_max=1000, connections_per_source=1000) as clinic:
        head = "".join(f"{name}: {value}\r\n" for name, value in clinic.headers("anna").items())
        request = f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode()
        yield Stream(clinic.port, request, lambda: _publish_ours(clinic))


def _publish_ours(clinic: Clinic) -> None:
    beds = _beds()
    clinic.ward.beds = {Bed(bed): now for bed, now in beds.items()}
    clinic.turn(*_events(beds))


class _Queues:
    """The simplest fan-out there is: a queue a listener, the message encoded once."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.open: set[asyncio.Queue[bytes]] = set()

    def publish(self) -> None:
        """Encode one turn and hand it to everybody."""
        data = b"event: events\ndata: " + msgspec.json.encode(_turn(_beds())) + b"\n\n"
        for queue in self.open:
            queue.put_nowait(data)

    async def listen(self) -> AsyncIterator[bytes]:
        """What one listener hears."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.open.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.open.discard(queue)


@asynccontextmanager
async def _bare() -> AsyncIterator[Stream]:
    queues = _Queues()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.open.add(queue)
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: queue.put_nowait(b""))
        while data := await queue.get():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        queues.open.discard(queue)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with _serving(app) as port:
        yield Stream(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", queues.publish)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def _fastapi() -> AsyncIterator[Stream]:
    queues, app = _Queues(), FastAPI()

    @app.get("/live")
    async def live() -> StreamingResponse:
        return StreamingResponse(queues.listen(), media_type="text/event-stream")

    async with _serving(app) as port:
        yield Stream(port, b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n", queues.publish)


@asynccontextmanager
async def _serving(app: ASGIApp) -> AsyncIterator[int]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve([door]))
        yield door.getsockname()[1]
        server.should_exit = True
        await serving


# The dashboards: a process that reads and, once its input is closed, says how long each message took.


async def _cpu_us(stream: Stream) -> float:
    """Microseconds of the server's CPU a dashboard and message."""
    async with _dashboards(stream, DASHBOARDS):
        before = time.thread_time()
        for _ in range(MESSAGES):
            stream.publish()
            await asyncio.sleep(EVERY_S)
        busy_s = time.thread_time() - before
        before = time.thread_time()
        for _ in range(MESSAGES):
            _beds()
            await asyncio.sleep(EVERY_S)
        return (busy_s - (time.thread_time() - before)) / (MESSAGES * DASHBOARDS) * 1e6


async def _waits_ms(stream: Stream, stuck: int = 0) -> list[float]:
    """Milliseconds from the turn to each dashboard, of each message."""
    with contextlib.ExitStack() as stack:
        for _ in range(stuck):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", stream.port))
            reader.sendall(stream.request)
        async with _dashboards(stream, LATENCY_DASHBOARDS) as listening:
            for _ in range(LATENCY_MESSAGES):
                stream.publish()
                await asyncio.sleep(EVERY_S)
            return await listening.waits_ms()


async def _stuck_pair(stream: Stream, turn: int) -> float:
    """The p99 of those who read beside one who does not, over that without, taken in turns."""
    p99 = {}
    for stuck in (0, 1) if turn % 2 else (1, 0):
        p99[stuck] = quantile(await _waits_ms(stream, stuck), 0.99)
    return p99[1] / p99[0]


class _Listening:
    """The dashboards, while they are open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """They live in this process."""
        self._process = process

    async def waits_ms(self) -> list[float]:
        """Close them, and hear how long each message took."""
        said, _ = await self._process.communicate(b"")
        return [int(word) / 1e6 for word in said.split()]


@asynccontextmanager
async def _dashboards(stream: Stream, count: int) -> AsyncIterator[_Listening]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.fanout",
        str(stream.port),
        str(count),
        stream.request.hex(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if process.stdout is None or await process.stdout.readline() != b"listening\n":
        raise RuntimeError("the dashboards could not listen")
    yield _Listening(process)
    if process.returncode is None:
        await process.communicate(b"")


def _listen(port: int, count: int, request: bytes) -> None:
    """The child: open the streams, read them all until the input is closed, then say the waits."""
    chosen = selectors.DefaultSelector()
    waits: list[int] = []
    heard: dict[socket.socket, bytes] = {}
    for _ in range(count):
        wire = socket.create_connection(("127.0.0.1", port))
        wire.sendall(request)
        wire.recv(1 << 20)  # the head, or head and snapshot
        chosen.register(wire, selectors.EVENT_READ)
    chosen.register(sys.stdin, selectors.EVENT_READ)
    print("listening", flush=True)
    began = time.monotonic_ns()  # a snapshot tells of a turn before this one
    while True:
        for key, _ in chosen.select():
            if not isinstance(key.fileobj, socket.socket):
                print(" ".join(map(str, waits)))
                return
            data = key.fileobj.recv(1 << 20)
            now = time.monotonic_ns()
            for stamp in _STAMP.findall(data):
                # Every bed of a turn has the same one.
                if int(stamp) > began and heard.get(key.fileobj) != stamp:
                    heard[key.fileobj] = stamp
                    waits.append(now - int(stamp))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _listen(int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3]))
    else:
        for row in rows():
            print(row)

"""The whole clinic: a real broker, the real service, real dashboards. From a monitor's message to a screen.

Limits of `docs/performance.md`: reading to dashboard with all rules on, and what 20 beds cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import httpx
import psutil

from benchmarks.measure import Row, at_most, latency, plain, quantile, watching_steal

SECONDS = 20
DASHBOARDS = 10
BEAT_WAIT_S = 10
"""A stream beats every second; one that is silent for so long is broken."""
STARTS_WITHIN_S = 90
"""A machine that does other things besides loads the libraries slowly."""
PASSWORD = secrets.token_urlsafe(12)
ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True, slots=True)
class Running:
    """A clinic that runs: where it is, how to sign in, and its process."""

    url: str
    broker: int
    service: psutil.Process
    cookie: str
    beds: int


def rows() -> list[Row]:
    """Every figure of this page."""
    found: list[Row] = []
    for beds, goal_ms in ((20, 50.0), (100, 150.0)):
        found += asyncio.run(_reading_to_dashboard(beds, goal_ms))
    return found


async def _reading_to_dashboard(beds: int, goal_ms: float) -> list[Row]:
    """Each bed sends five values a second in one message; the temperature tells which message it was."""
    async with running(beds) as clinic:
        sent: dict[tuple[str, float], float] = {}
        arrived: list[float] = []
        others = [asyncio.create_task(_watch(clinic, None, None)) for _ in range(DASHBOARDS - 1)]
        watching = asyncio.create_task(_watch(clinic, sent, arrived))
        await _publish(clinic, sent, 5)
        arrived.clear()
        cpu_before = sum(clinic.service.cpu_times()[:2])
        began = time.monotonic()
        with watching_steal() as steal:
            await _publish(clinic, sent, SECONDS)
        spent_s = time.monotonic() - began
        await asyncio.sleep(0.5)
        cpu = (sum(clinic.service.cpu_times()[:2]) - cpu_before) / spent_s
        resident_mb = clinic.service.memory_info().rss / 1e6
        for task in (watching, *others):
            task.cancel()
        p50, p99 = quantile(arrived, 0.5) * 1_000, quantile(arrived, 0.99) * 1_000
        note = f"{len(arrived)} readings, {DASHBOARDS} dashboards, through a broker"
        found = [
            plain(f"reading to dashboard, {beds} beds, p50", p50, "ms", note),
            latency(f"reading to dashboard, {beds} beds, p99", p99, goal_ms, steal.share, note=note),
        ]
        if beds == 20:
            found += [
                at_most(
                    "20 beds, 5 readings a second each, 10 dashboards: CPU", cpu * 100, 10, "% of a core"
                ),
                at_most("the same: resident memory", resident_mb, 200, "MB"),
            ]
        else:
            found.append(plain(f"{beds} beds, the same each: CPU", cpu * 100, "% of a core"))
        return found


async def _publish(clinic: Running, sent: dict[tuple[str, float], float], seconds: int) -> None:
    async with aiomqtt.Client("127.0.0.1", clinic.broker) as client:
        begin = time.monotonic()
        for turn in range(seconds):
            for bed in range(1, clinic.beds + 1):
                # Spread over the second, as monitors are.
                at = begin + turn + bed / clinic.beds
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                mark = round(36 + (next(_MARKS) % 1_000) / 1_000, 3)
                sent[str(bed), mark] = time.monotonic()
                await client.publish(f"vs1/bench/b{bed}/m{bed}/numeric", numeric(bed, mark))


def numeric(bed: int, mark: float) -> bytes:
    """One message of a calm patient's monitor; `mark` is the temperature."""
    number = next(_NUMBERS)
    values = (("spo2", 97, "%"), ("pr_spo2", 71, "/min"), ("rr", 14, "/min"), ("hr", 71, "/min"))
    observations = [{"vital": v, "value": n, "unit": u, "quality": "valid"} for v, n, u in values]
    observations.append({"vital": "temp", "value": mark, "unit": "Cel", "quality": "valid"})
    message = {
        "schema": "vs-numeric/1", "device": f"m{bed}", "boot": "bench", "seq": number,
        "sample_ts": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "clock": "host", "age_ms": 0, "observations": observations, "device_flags": [],
    }  # fmt: skip
    return json.dumps(message).encode()


async def _watch(
    clinic: Running, sent: dict[tuple[str, float], float] | None, arrived: list[float] | None
) -> None:
    async with (
        httpx.AsyncClient(
            base_url=clinic.url, headers={"Cookie": clinic.cookie}, timeout=BEAT_WAIT_S
        ) as client,
        client.stream("GET", "/api/v1/live") as stream,
    ):
        async for line in stream.aiter_lines():
            if sent is None or arrived is None or not line.startswith('data: {"seq"'):
                continue
            now = time.monotonic()
            for change in json.loads(line[6:])["changes"]:
                if change.get("vital") == "temp" and (change["bed"], change["value"]) in sent:
                    arrived.append(now - sent.pop((change["bed"], change["value"])))


@contextlib.asynccontextmanager
async def running(beds: int, webhook: int | None = None, speed: int = 1) -> AsyncIterator[Running]:
    """A clinic of so many beds, each with an open session and a monitor behind a bridge."""
    port, broker = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "mosquitto.conf"
        # Without the last line a broker holds small messages back for up to 40 ms (Nagle's rule).
        conf.write_text(
            f"listener {broker} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )
        file = Path(folder) / "clinic.toml"
        file.write_text(_settings(beds, port, broker, webhook))
        python = [sys.executable, "-m", "monitor"]
        adding = await asyncio.create_subprocess_exec(
            *python, "user", "add", "dana", "--role", "nurse", "--config", str(file), "--password-stdin",
            stdin=subprocess.PIPE,
        )  # fmt: skip
        await adding.communicate(PASSWORD.encode())
        with (
            child(["mosquitto", "-c", str(conf)]),
            child([*python, "run", str(file), "--speed", str(speed)]) as service,
        ):
            url = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=url, headers={"Origin": url, **ORIGIN}) as client:
                await until_up(client, "/readyz")
                answer = await client.post("/api/v1/signin", json={"name": "dana", "password": PASSWORD})
                cookie = answer.headers["set-cookie"].split(";")[0]
                client.headers["Cookie"] = cookie
                for bed in range(1, beds + 1):
                    body: dict[str, object] = {
                        "bed": str(bed),
                        "alias": "A",
                        "baseline": {},
                        "profile": "watch",
                        "cuff_interval_s": None,
                    }
                    (await client.post("/api/v1/sessions", json=body)).raise_for_status()
                yield Running(url, broker, psutil.Process(service.pid), cookie, beds)


def _settings(beds: int, port: int, broker: int, webhook: int | None) -> str:
    lines = [
        '[clinic]\nname = "Bench"\ndata_dir = "data"', f"[server]\nport = {port}", f"[mqtt]\nport = {broker}",
        '[[staff]]\nname = "dana"\nrole = "nurse"\npagers = ["way"]', '[duty]\non = ["dana"]',
        "beds = {" + ", ".join(f'"{bed}" = "dana"' for bed in range(1, beds + 1)) + "}",
        '[[paging.pager]]\nname = "way"',
        'way = "console"' if webhook is None
        else f'way = "webhook"\nurl = "http://127.0.0.1:{webhook}/"\nsecret = "{secrets.token_hex(16)}"',
    ]  # fmt: skip
    for bed in range(1, beds + 1):
        lines.append(f'[[bed]]\nname = "{bed}"')
        lines.append(
            f'[[device]]\nname = "m{bed}"\ndriver = "mqtt-native"\nbed = "{bed}"\n'
            f'link = "mqtt:///vs1/bench/b{bed}/m{bed}/+"'
        )
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def child(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends with the block."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(15)


async def until_up(client: httpx.AsyncClient, path: str) -> None:
    """Wait until it answers 200."""
    async with asyncio.timeout(STARTS_WITHIN_S):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(path)).status_code == 200:
                    return
            await asyncio.sleep(0.05)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


_NUMBERS = itertools.count(1)
_MARKS = itertools.count()

if __name__ == "__main__":
    from benchmarks.measure import table

    print(table(rows()))

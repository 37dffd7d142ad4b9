"""`chairside simulate` and `chairside demo` on real terminals, sockets and a real broker, as processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import httpx
import msgspec
import psutil
import pytest

from monitor.devices.codecs import dinamap as dinamap_codec
from monitor.devices.codecs import masimo_ascii1 as masimo_codec
from monitor.devices.codecs import mqtt_native as native_codec
from monitor.model import Cuff, Fault, Quality, Sample, Vital
from simulators.cables import PtyCable, SocketCable, memory_cable

pytestmark = pytest.mark.real

WITHIN_S = 20


class Running:
    """A program of ours, its lines one by one."""

    def __init__(self, *arguments: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    async def line(self, holding: str = "", within_s: float = WITHIN_S) -> str:
        """The next line that holds a text."""
        stdout = self.process.stdout
        assert stdout is not None
        async with asyncio.timeout(within_s):
            while text := (await asyncio.to_thread(stdout.readline)).decode():
                if holding in text:
                    return text.rstrip("\n")
        raise AssertionError(f"it ended without a line with {holding!r}")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Interrupt it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(WITHIN_S)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Running]:
    """A program of ours that is ended at the end."""
    program = Running(*arguments)
    try:
        yield program
    finally:
        program.end()


async def _read(path: str, wanted: int, within_s: float = WITHIN_S) -> bytes:
    """At least so many bytes from a terminal, fewer if it is pulled out."""
    line = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return await _from(line, wanted, within_s)
    finally:
        os.close(line)


async def _from(line: int, wanted: int, within_s: float = WITHIN_S) -> bytes:
    loop, data, more = asyncio.get_running_loop(), b"", asyncio.Event()
    loop.add_reader(line, more.set)
    try:
        async with asyncio.timeout(within_s):
            while len(data) < wanted:
                await more.wait()
                more.clear()
                with contextlib.suppress(BlockingIOError):
                    if not (arrived := os.read(line, 4096)):
                        break
                    data += arrived
    finally:
        loop.remove_reader(line)
    return data


# One device.


async def test_simulate_prints_one_line_and_speaks_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "masimo"
    with running("simulators", "masimo-ascii1", "--link", f"pty:{path}", "--speed", "20") as device:
        said = await device.line()
        assert said == f"masimo-ascii1 with N0 (seed 1) listens at {path}"
        data = await _read(str(path), 600)
        samples = [one for one in masimo_codec.Decoder().feed(data) if isinstance(one, Sample)]
        assert len([one for one in samples if one.vital is Vital.SPO2]) >= 3
        assert all(one.quality is Quality.VALID for one in samples)
        assert device.end() == 0
        assert not path.is_symlink()


async def test_a_simulated_terminal_is_unplugged_and_comes_back_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "masimo"
    arguments = ("--link", f"pty:{path}", "--speed", "20", "--fault", "unplug@40:20")
    with running("simulators", "masimo-ascii1", *arguments) as device:
        await device.line()
        line = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            before = path.readlink()
            assert await _from(line, 100)
            await _from(line, 10_000_000)  # until it is pulled out
        finally:
            os.close(line)
        async with asyncio.timeout(WITHIN_S):
            while not path.exists():
                await asyncio.to_thread(os.sched_yield)
        assert await _read(str(path), 100)
        assert before.parent == path.readlink().parent == Path("/dev/pts")


async def test_a_simulated_dinamap_answers_on_a_socket() -> None:
    with running("simulators", "dinamap", "--link", "socket://:0", "--start", "50") as device:
        said = await device.line()
        port = int(said.rpartition(":")[2])
        assert "socket://127.0.0.1:" in said
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        host = dinamap_codec.Decoder()
        told: dict[object, object] = {}
        async with asyncio.timeout(WITHIN_S):
            while not {Cuff, Vital.SPO2, Vital.PULSE_SPO2} <= told.keys():
                host.tick(round(time.monotonic() * 1000))
                writer.write(host.to_send())
                with contextlib.suppress(TimeoutError):
                    for one in host.feed(await asyncio.wait_for(reader.readuntil(b"\r"), 0.05)):
                        assert not isinstance(one, Fault)
                        told[one.vital if isinstance(one, Sample) else type(one)] = one
        writer.close()
        await writer.wait_closed()


async def test_a_recording_is_played_as_a_patient(tmp_path: Path) -> None:
    recording = tmp_path / "case.csv"
    recording.write_text("t_s,hr,spo2\n" + "".join(f"{t},{60 + t % 7},{90 + t % 5}\n" for t in range(500)))
    path = tmp_path / "masimo"
    arguments = ("--link", f"pty:{path}", "--scenario", str(recording), "--speed", "20")
    with running("simulators", "masimo-ascii1", *arguments) as device:
        assert "case.csv" in await device.line()
        samples = [
            one
            for one in masimo_codec.Decoder().feed(await _read(str(path), 1000))
            if isinstance(one, Sample)
        ]
        values = {one.value for one in samples if one.vital is Vital.SPO2}
        assert values
        assert values <= {90, 91, 92, 93, 94}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("abacus",), "masimo-ascii1"),
        (("masimo-ascii1", "--scenario", "Z9"), "no such scenario"),
        (("masimo-ascii1", "--scenario", "/nowhere/case.csv"), "cannot be read"),
        (("masimo-ascii1", "--scenario", "N0", "--bed", "2"), "1 patient"),
        (("masimo-ascii1", "--link", "socket://192.0.2.1:99"), "this machine only"),
        (("masimo-ascii1", "--link", "socket://:xyz"), "port"),
        (("masimo-ascii1", "--link", "/dev/ttyUSB0"), "pty"),
        (("masimo-ascii1", "--fault", "melt@3"), "no such fault"),
        (("masimo-ascii1", "--speed", "0"), "above 0"),
        (("masimo-ascii1", "--option", "layout"), "KEY=VALUE"),
        (("masimo-ascii1", "--option", "layout=rad9"), "rad87"),
        (("mqtt-native", "--link", "mqtt://127.0.0.1:9/vs1/a/b/c"), "no broker"),
        (("mqtt-native", "--link", "pty"), "mqtt://HOST/TOPIC"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "simulators", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert tried.returncode == 2
    assert says in tried.stderr
    assert len(tried.stderr.splitlines()) == 1
    assert tried.stdout == ""


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        link = f"socket://:{taken.getsockname()[1]}"
        tried = subprocess.run(
            [sys.executable, "-m", "simulators", "masimo-ascii1", "--link", link],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert tried.returncode == 2
    assert "address already in use" in tried.stderr.lower()
    assert len(tried.stderr.splitlines()) == 1


# The broker of the demonstration.


@pytest.fixture
async def broker() -> AsyncIterator[int]:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    with running("simulators.broker", str(port)) as program:
        await program.line("broker")
        yield port


async def test_a_simulated_bridge_publishes_its_will_speaks_when_it_is_pulled_out_and_it_comes_back(
    broker: int,
) -> None:
    topic = "vs1/site/bed-9/mon-9"
    arguments = ("--link", f"mqtt://127.0.0.1:{broker}/{topic}", "--speed", "10", "--fault", "unplug@40:30")
    decoder = native_codec.Decoder()
    async with aiomqtt.Client("127.0.0.1", broker, protocol=aiomqtt.ProtocolVersion.V311) as client:
        await client.subscribe(f"{topic}/#", qos=1)
        with running("simulators", "mqtt-native", *arguments) as device:
            assert topic in await device.line()
            vitals, states = set(), []
            async with asyncio.timeout(WITHIN_S):
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    if str(message.topic).endswith("/status"):
                        states.append(msgspec.json.decode(message.payload)["state"])
                        if states == ["online", "offline", "online"]:
                            break
                        continue
                    said = decoder.message(str(message.topic), message.payload, retained=False, at_ms=-1)
                    vitals |= {one.vital for one in said if isinstance(one, Sample)}
    assert states == ["online", "offline", "online"]
    assert {Vital.SPO2, Vital.HEART_RATE, Vital.RESPIRATION, Vital.TEMPERATURE} <= vitals


# Cables.


async def test_a_cable_in_memory_carries_both_ways_until_it_is_pulled() -> None:
    one, other = memory_cable()
    await one.write(b"to the host")
    await other.write(b"to the device")
    assert await other.read() == b"to the host"
    assert await one.read() == b"to the device"
    await one.close()
    assert await other.read() == b""
    assert await one.read() == b""
    with pytest.raises(OSError, match="unplugged"):
        await other.write(b"x")


async def test_a_terminal_nobody_has_open_loses_what_is_written(tmp_path: Path) -> None:
    cable = PtyCable(tmp_path / "line")
    await cable.plug()
    cable.write(b"long ago\n")
    line = os.open(cable.where(), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    cable.write(b"now\n")
    assert await _from(line, 4) == b"now\n"
    os.write(line, b"question\r")
    async with asyncio.timeout(WITHIN_S):
        assert await cable.read() == b"question\r"
    os.close(line)
    cable.unplug()
    assert not (tmp_path / "line").is_symlink()


async def test_a_terminal_that_nobody_reads_does_not_hold_up_the_device(tmp_path: Path) -> None:
    cable = PtyCable(tmp_path / "line")
    await cable.plug()
    line = os.open(cable.where(), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    for _ in range(1000):
        cable.write(bytes(1000))
    assert 0 < len(await _from(line, 1)) <= 65_536
    os.close(line)
    cable.unplug()


async def test_a_terminal_that_is_put_back_hears_its_host_again(tmp_path: Path) -> None:
    cable = PtyCable(tmp_path / "line")
    await cable.plug()
    host = os.open(cable.where(), os.O_RDWR | os.O_NOCTTY)
    os.write(host, b"?")
    async with asyncio.timeout(WITHIN_S):
        assert await cable.read() == b"?"
    waiting = asyncio.create_task(cable.read())
    await asyncio.sleep(0)  # it knows of the host: from this turn on it waits for him
    cable.unplug()
    os.close(host)
    await cable.plug()
    host = os.open(cable.where(), os.O_RDWR | os.O_NOCTTY)
    os.write(host, b"are you there?")
    async with asyncio.timeout(WITHIN_S):
        assert await waiting == b"are you there?"
    os.close(host)
    cable.unplug()


async def test_a_newcomer_takes_a_socket_over() -> None:
    cable = SocketCable(0)
    await cable.plug()
    port = int(cable.where().rpartition(":")[2])
    first, first_writer = await asyncio.open_connection("127.0.0.1", port)
    first_writer.write(b"1")
    async with asyncio.timeout(WITHIN_S):
        assert await cable.read() == b"1"
        second, second_writer = await asyncio.open_connection("127.0.0.1", port)
        second_writer.write(b"2")
        assert await cable.read() == b"2"
        cable.write(b"hello")
        assert await second.read(5) == b"hello"
        with contextlib.suppress(ConnectionResetError):
            assert await first.read() == b""
    cable.unplug()
    for writer in (first_writer, second_writer):
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


# The demonstration.


def _demo(folder: Path, *more: str) -> tuple[str, ...]:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    return (
        *("simulators.clinic", "--beds", "3", "--speed", "10"),
        *("--port", str(port), "--data-dir", str(folder), *more),
    )


@pytest.mark.timeout(300)
async def test_the_demonstration_pages_survives_a_killed_service_and_goes_on_the_next_day(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    with running(*_demo(folder)) as demo:
        address = (await demo.line("http://", 60)).split()[-1]
        mira = (await demo.line("sign in as mira")).split()[-1]
        assert "*** " in await demo.line("Bed 3: ***")
        before = await _sessions(address, mira)
        assert len(before) == 3
        for service in _children(demo, "monitor run"):
            service.kill()
        await demo.line("the service has ended (SIGKILL): starting it again")
        await demo.line("the service is back")
        assert await _sessions(address, mira) == before
        with running(*_demo(folder)) as again:
            assert "is running" in await again.line("demo:")
            assert again.process.wait(WITHIN_S) == 2
        ours = psutil.Process(demo.process.pid).children(recursive=True)
        assert len(ours) == 3
        assert demo.end() == 0
        assert not [child for child in ours if child.is_running()]
    assert "Bed 3: ***" in (folder / "logs" / "pages.log").read_text()
    with running(*_demo(folder)) as demo:
        address = (await demo.line("http://", 60)).split()[-1]
        assert (await demo.line("sign in as mira")).split()[-1] == mira
        assert await _sessions(address, mira) == before
        ours = psutil.Process(demo.process.pid).children(recursive=True)
        demo.process.kill()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, ours, WITHIN_S)
        assert len(gone) == 3
        assert not alive


async def _sessions(address: str, password: str) -> set[tuple[int, str, str]]:
    """The open sessions as the API shows them to Mira."""
    address = address.rstrip("/")
    async with httpx.AsyncClient(base_url=address, headers={"Origin": address}) as web:
        signed = await web.post("/api/v1/signin", json={"name": "mira", "password": password})
        web.cookies.clear()
        web.headers["Cookie"] = signed.headers["set-cookie"].partition(";")[0]
        shown = (await web.get("/api/v1/sessions")).json()["sessions"]
        return {(one["session"], one["bed"], one["alias"]) for one in shown}


def _children(demo: Running, holding: str) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(demo.process.pid).children(recursive=True)
        if holding in " ".join(child.cmdline())
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--scenario", "Z9"), "no such scenario"),
        (("--speed", "0"), "above 0"),
    ],
)
def test_a_demonstration_that_cannot_start_says_why_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "simulators.clinic", "--data-dir", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert tried.returncode == 2
    assert says in tried.stderr
    assert len(tried.stderr.splitlines()) == 1

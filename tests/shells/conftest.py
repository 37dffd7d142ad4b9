"""Real cables for the shells: ptys that can be unplugged, serial servers, and a Mosquitto of our own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import random
import shutil
import signal
import socket
import subprocess
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from serial import rfc2217

PORT_MANAGER: Any = rfc2217.PortManager  # its stubs ask for a client on both sides
PATIENCE_S = 10.0
"""How long a test waits for an event before it fails."""


class Cable:
    """A pty whose slave hides behind a lasting name, so that it can be pulled and put back."""

    def __init__(self, name: Path) -> None:
        """Be plugged in under `name`."""
        self.name = str(name)
        self._link = name
        self._master = -1
        self.plug_in()

    def plug_in(self) -> None:
        """A new pty under the old name, as an adapter gets a new device node."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._link.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        """Pull it: the name vanishes, and whoever has it open meets its end."""
        if self._master >= 0:
            self._link.unlink()
            os.close(self._master)
            self._master = -1

    async def send(self, data: bytes) -> None:
        """What the device says."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._master, rest) :]
            except BlockingIOError:
                await _ready(self._master, write=True)

    async def heard(self, length: int) -> bytes:
        """What was written to the device, once there are so many bytes."""
        data = b""
        async with asyncio.timeout(PATIENCE_S):
            while len(data) < length:
                try:
                    data += os.read(self._master, 65536)
                except (BlockingIOError, OSError):
                    await asyncio.sleep(0.005)
        return data

    def fileno(self) -> int:
        """The device's end."""
        return self._master


async def _ready(descriptor: int, *, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(descriptor, _set, ready)
    try:
        await ready
    finally:
        remove(descriptor)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class SerialServer:
    """A bare TCP serial server with one device behind it."""

    def __init__(self) -> None:
        """Nothing is open before `start`."""
        self.port = free_port()
        self.url = f"socket://127.0.0.1:{self.port}"
        self._server: asyncio.Server | None = None
        self._guests: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._came = asyncio.Event()

    async def plug_in(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._guest, "127.0.0.1", self.port)

    async def unplug(self) -> None:
        """Close the door and show everybody out."""
        if self._server is not None:
            self._server.close()
            for _, writer in self._guests:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            self._guests.clear()
            await self._server.wait_closed()
            self._server = None

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guests.append((reader, writer))
        self._came.set()
        while not reader.at_eof() and not writer.is_closing():  # noqa: ASYNC110  whoever reads is elsewhere
            await asyncio.sleep(0.01)
        writer.close()

    async def send(self, data: bytes) -> None:
        """What the device says."""
        await asyncio.wait_for(self._came.wait(), PATIENCE_S)
        self._guests[-1][1].write(data)
        await self._guests[-1][1].drain()

    async def heard(self, length: int) -> bytes:
        """What was written to the device."""
        await asyncio.wait_for(self._came.wait(), PATIENCE_S)
        return await asyncio.wait_for(self._guests[-1][0].readexactly(length), PATIENCE_S)


class Rfc2217Server:
    """pyserial's own half of RFC 2217 in front of a pty: one client at a time, two threads."""

    def __init__(self, cable: Cable) -> None:
        """Serve the device behind `cable`."""
        self.cable = cable
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """What pyserial's PortManager wants to say to the client."""
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.sendall(data)

    def close(self) -> None:
        """Close the door and show the client out."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                self._client, _ = self._listener.accept()
            except OSError:
                return
            with self._client, _RawPort(self.cable.name, timeout=0.02) as port:
                self._carry(self._client, port)
            self._client = None

    def _carry(self, client: socket.socket, port: serial.Serial) -> None:
        manager: Any = PORT_MANAGER(port, self)
        over = threading.Event()

        def outwards() -> None:
            while not over.is_set():
                with contextlib.suppress(serial.SerialException):
                    if data := port.read(max(1, port.in_waiting)):
                        self.write(b"".join(manager.escape(data)))

        thread = threading.Thread(target=outwards, daemon=True)
        thread.start()
        with contextlib.suppress(OSError):
            while data := client.recv(1024):
                port.write(b"".join(manager.filter(data)))
        over.set()
        thread.join(PATIENCE_S)


class _RawPort(serial.Serial):
    """A pty has no modem lines to ask about."""

    cts = dsr = ri = cd = dtr = rts = False


class Mosquitto:
    """A real broker on a loopback port, which may be killed, frozen and started again."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true\n") -> None:
        """Nothing runs before `start`."""
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        # Its messages leave at once: held back by Nagle's rule, one is 40 ms late, or 2.4 s at speed 60.
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\npersistence false\nset_tcp_nodelay true\n{extra}", "utf-8"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run, and answer."""
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert program, "Mosquitto is needed: apt-get install mosquitto"
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
        raise AssertionError("Mosquitto does not answer")

    def kill(self) -> None:
        """Without warning."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It hangs: connections stay, answers do not come."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """For good."""
        if self._process is not None:
            self.thaw()
            self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(PATIENCE_S)
        self._process = None


def dice(seed: int = 7) -> random.Random:
    """The luck of a test, the same each time."""
    return random.Random(seed)  # noqa: S311  jitter, no secret


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def descriptors() -> int:
    """How many file descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a count, without making paths


async def until(true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until something has become true, or fail."""
    async with asyncio.timeout(patience_s):
        while not true():  # noqa: ASYNC110  what is waited for is outside this process
            await asyncio.sleep(0.005)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    """One pty under a lasting name."""
    made = Cable(tmp_path / "ttyUSB0")
    yield made
    made.unplug()


@pytest.fixture
async def serial_server() -> AsyncIterator[SerialServer]:
    """A serial server on a socket, listening."""
    made = SerialServer()
    await made.plug_in()
    yield made
    await made.unplug()


@pytest.fixture
def rfc2217_server(cable: Cable) -> Iterator[Rfc2217Server]:
    """A serial server that speaks RFC 2217, in front of `cable`."""
    made = Rfc2217Server(cable)
    yield made
    made.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker without accounts, running."""
    made = Mosquitto(tmp_path)
    made.start()
    yield made
    made.stop()

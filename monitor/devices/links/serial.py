"""A serial port, a serial server's socket, or RFC 2217, as a link. Touches the port and nothing else.

Three ways in, one contract:
- `/dev/...` through `serialx` on the event loop, or through `pyserial` in a thread (`backend = "pyserial"`);
- `socket://host:port` straight through asyncio, for bare TCP needs no serial library;
- `rfc2217://host:port` always through `pyserial` in a thread: some servers never acknowledge the modem-state
  mask, which `serialx` waits for.

Modem lines are never read: ptys and many three-wire cables have none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import serial
import serialx
from serial import rfc2217
from serialx.descriptor_transport import DescriptorTransport

from monitor.devices.driver import SerialSettings
from monitor.devices.links.link import Link, LinkLost, Say, keep_alive, lost, silent

BACKENDS = ("serialx", "pyserial")

CONNECT_S = 4.0
"""A cable put back must give a reading within 5 s: no attempt may hang for longer."""
WRITE_S = 2.0
"""A question of 100 bytes takes 0.1 s at 9600 baud; a port that has not taken it by now never will."""
BUFFER_MAX = 64 * 1024
"""More unread bytes than this and the port is asked to wait: at 115200 baud, five seconds' worth."""
READ_MAX = 16 * 1024
"""Bytes of one read. serialx asks for 256 KiB, which the allocator maps and unmaps for every chunk."""

_PTY_MAJORS = range(136, 144)  # UNIX98_PTY_SLAVE_MAJOR of the kernel's linux/major.h and the seven after it


async def open_serial(
    url: str, settings: SerialSettings, backend: str = "serialx", say: Say = silent
) -> Link:
    """An open link to `url`, or `LinkLost` with the reason; `say` hears what had to be set differently."""
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is not known; use one of {', '.join(BACKENDS)}")
    try:
        if url.startswith("socket://"):
            return await _open_socket(url)
        if url.startswith("rfc2217://"):
            return await _open_threaded(url, settings)
        if "://" in url:
            raise ValueError(f"{url}: a serial link is a path, socket://host:port or rfc2217://host:port")
        settings = _fitting(url, settings, say)
        if backend == "pyserial":
            return await _open_threaded(url, settings)
        return await _open_serialx(url, settings)
    except (OSError, termios.error, serialx.SerialException) as error:
        raise lost(_where(url), error) from error


def _fitting(path: str, settings: SerialSettings, say: Say) -> SerialSettings:
    """These settings, or 8N1 where the path leads to a pty: parity on a pty is EINVAL."""
    about = Path(path).stat()
    if not stat.S_ISCHR(about.st_mode):
        raise LinkLost(f"{path} is not a serial port")
    if os.major(about.st_rdev) not in _PTY_MAJORS:
        return settings
    if (settings.bits, settings.parity, settings.stop) != (8, "N", 1):
        asked = f"{settings.bits}{settings.parity}{settings.stop}"
        say(f"{path} is a pseudo-terminal: it is read as 8N1 instead of {asked}")
    return SerialSettings(baud=settings.baud)


def _where(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc if parts.scheme in {"socket", "rfc2217"} else url


# On the event loop: serialx and plain sockets.


class _Cable(asyncio.Protocol):
    """The link whose bytes are brought by an asyncio transport."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._transport: asyncio.Transport | None = None
        self._bytes = bytearray()
        self._ended = False
        self._holding = False
        self._reader: asyncio.Future[None] | None = None
        self._into: Callable[[bytes], None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._gone = asyncio.Event()

    async def read(self) -> bytes:
        if not self._bytes:
            if self._ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = bytes(self._bytes)
        self._bytes.clear()
        if self._holding and self._transport is not None and not self._ended:
            self._holding = False
            self._transport.resume_reading()
        return data

    async def pour(self, into: Callable[[bytes], None]) -> None:
        if data := bytes(self._bytes):
            self._bytes.clear()
            into(data)
        if self._ended:
            return
        self._into = into
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._into = self._reader = None

    async def write(self, data: bytes) -> None:
        if self._transport is None or self._ended or self._transport.is_closing():
            raise LinkLost(f"{self._where} is closed")
        try:
            self._transport.write(data)
            async with asyncio.timeout(WRITE_S):
                await self._room.wait()
        except (OSError, serialx.SerialException) as error:
            raise lost(self._where, error) from error
        if self._ended:
            raise LinkLost(f"{self._where} went away while it was written to")

    async def close(self) -> None:
        self._end()
        if self._transport is not None:
            self._transport.abort()
            await self._gone.wait()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # both kinds that are opened here are full transports

    def data_received(self, data: bytes) -> None:
        if self._into is not None:
            try:
                self._into(data)
            except Exception as error:  # noqa: BLE001  it belongs to whoever pours, not to the transport
                self._spill(error)
            return
        self._bytes += data
        if len(self._bytes) > BUFFER_MAX and not self._holding and self._transport is not None:
            self._holding = True
            self._transport.pause_reading()
        self._wake()

    def _spill(self, error: Exception) -> None:
        self._into = None
        if self._reader is not None and not self._reader.done():
            self._reader.set_exception(error)

    def eof_received(self) -> None:
        # None lets the transport close itself: a half-open serial server is of no use.
        return None

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  b"" says it all
        self._end()
        self._gone.set()

    def _end(self) -> None:
        self._ended = True
        self._room.set()
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


async def _open_serialx(path: str, settings: SerialSettings) -> Link:
    cable = _Cable(path)
    async with asyncio.timeout(CONNECT_S):
        transport, _ = await serialx.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: cable,
            path,
            settings.baud,
            parity=serialx.Parity(settings.parity),
            stopbits=serialx.StopBits(settings.stop),
            byte_size=settings.bits,
            rtscts=settings.rtscts,
            exclusive=True,
        )
    if isinstance(transport, DescriptorTransport):
        transport.max_size = READ_MAX
    return cable


async def _open_socket(url: str) -> Link:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise ValueError(f"{url}: a serial server is socket://host:port")
    cable = _Cable(parts.netloc)
    async with asyncio.timeout(CONNECT_S):
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: cable, parts.hostname, parts.port
        )
    keep_alive(transport.get_extra_info("socket"))
    return cable


# In a thread: pyserial.


class _Blocking(Protocol):
    """What is used of a pyserial port."""

    def open(self) -> None: ...
    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...
    def close(self) -> None: ...
    @property
    def in_waiting(self) -> int: ...


_PATIENCE_S = 0.1
"""How long a thread waits for a byte before it looks whether it is still wanted."""


class _ThreadedCable:
    """The link whose bytes are brought by a thread of its own, so that one port never waits for another."""

    def __init__(self, where: str, port: _Blocking) -> None:
        self._where = where
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._bytes = bytearray()
        self._ended = False
        self._more = asyncio.Event()
        self._room = threading.Event()
        self._room.set()
        self._stop = threading.Event()
        self._done: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._work, name=f"serial {where}", daemon=True).start()

    async def read(self) -> bytes:
        while not self._bytes:
            if self._ended:
                return b""
            self._more.clear()
            await self._more.wait()
        data = bytes(self._bytes)
        self._bytes.clear()
        self._room.set()
        return data

    async def write(self, data: bytes) -> None:
        if self._ended:
            raise LinkLost(f"{self._where} is closed")
        try:
            async with asyncio.timeout(WRITE_S):
                await asyncio.to_thread(self._port.write, data)
        except (OSError, TypeError) as error:
            # pyserial lets a TypeError out when the port is closed under a write.
            raise lost(self._where, error) from error

    async def close(self) -> None:
        self._stop.set()
        self._room.set()
        await asyncio.shield(self._done)

    def _work(self) -> None:
        """The thread: bring bytes until the port is lost or nobody wants them, then close it, once."""
        with contextlib.suppress(OSError, TypeError):
            while not self._stop.is_set():
                if data := self._port.read(max(1, self._port.in_waiting)):
                    self._room.clear()
                    self._tell(self._brought, data)
                    # One chunk is on its way at a time: a stuck loop fills the kernel's buffer, not ours.
                    while not self._room.wait(_PATIENCE_S) and not self._stop.is_set():
                        pass
        with contextlib.suppress(OSError):
            self._port.close()
        self._tell(self._finished)

    def _tell(self, what: Any, *arguments: Any) -> None:
        # The loop may have been closed under us at shutdown: then nobody is left to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *arguments)

    def _brought(self, data: bytes) -> None:
        self._bytes += data
        self._more.set()

    def _finished(self) -> None:
        self._ended = True
        self._more.set()
        if not self._done.done():
            self._done.set_result(None)


async def _open_threaded(url: str, settings: SerialSettings) -> Link:
    port = _blocking(url, settings)
    opening = asyncio.create_task(asyncio.to_thread(port.open))
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The thread goes on opening; what it opens is closed again behind it.
        opening.add_done_callback(lambda task: _close_behind(task, port))
        raise
    return _ThreadedCable(_where(url), port)


def _close_behind(opening: asyncio.Task[None], port: _Blocking) -> None:
    if not opening.cancelled() and opening.exception() is None:
        threading.Thread(target=port.close, daemon=True).start()


def _blocking(url: str, settings: SerialSettings) -> _Blocking:
    port: Any
    if url.startswith("rfc2217://"):
        port = _ClosingRfc2217()
        # A second of patience at each step of the negotiation. Some servers never answer for modem lines: we
        # use none, so their answer is not waited for.
        port.port = f"{url}{'&' if '?' in url else '?'}timeout=1.2&ign_set_control=1"
    else:
        port = serial.Serial(write_timeout=WRITE_S, exclusive=True)
        port.port = url
    port.baudrate = settings.baud
    port.bytesize = settings.bits
    port.parity = settings.parity
    port.stopbits = settings.stop
    port.rtscts = settings.rtscts
    port.timeout = _PATIENCE_S
    blocking: _Blocking = port
    return blocking


class _ClosingRfc2217(rfc2217.Serial):
    """pyserial's own, which leaves its socket open when the other side went first."""

    def close(self) -> None:
        plug: socket.socket | None = getattr(self, "_socket", None)
        super().close()
        if plug is not None:
            plug.close()

"""Cables that can be pulled: in memory, a pseudo-terminal, a socket, a call, a broker. Each does one thing.

A line nobody has opened loses what is written to it, as a real one does: stale seconds never wait in a
buffer for the next reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import tempfile
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import aiomqtt

from simulators.twin import Message

CHUNK = 4096
LOOK_AGAIN_S = 0.05
"""How often a terminal nobody has opened is looked at."""

RETRY_S = 1.0
AT_ONCE = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
"""A message that asks for no answer does not wait for the acknowledgement of the one before it (Nagle)."""
OUTBOX_MAX = 1000
OUTBOX_BYTES_MAX = 256 * 1024


class Cable(Protocol):
    """The device's end of a line that can be pulled out and put back."""

    def where(self) -> str:
        """Where the other end is found: what goes into `link`."""
        ...

    async def read(self) -> bytes:
        """What the host has sent; waits for it."""
        ...

    def write(self, data: bytes) -> None:
        """Send, if anybody is there."""
        ...

    def somebody_there(self) -> bool:
        """Whether somebody would hear what is written now."""
        ...

    async def plug(self) -> None:
        """Put it in; nothing happens if it is."""
        ...

    def unplug(self) -> None:
        """Pull it out; nothing happens if it is."""
        ...


class MemoryLink:
    """One end of a cable in memory, with a real link's verbs: `read` gives b"" once the other has gone."""

    def __init__(self) -> None:
        """Make one end; `memory_cable` makes two that belong together."""
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._other: MemoryLink = self
        self._closed = False

    async def read(self) -> bytes:
        """What has arrived, or b"" once either end is closed."""
        if self._closed:
            return b""
        data = await self._arrived.get()
        self._closed = self._closed or not data
        return data

    async def write(self, data: bytes) -> None:
        """Send to the other end; OSError once either is closed."""
        if self._closed or self._other._closed:  # noqa: SLF001  two ends of one cable
            raise OSError("the cable is unplugged")
        if data:
            self._other._arrived.put_nowait(data)  # noqa: SLF001  as above

    async def close(self) -> None:
        """Pull this end out: both ends read b""."""
        self._closed = True
        self._arrived.put_nowait(b"")
        self._other._arrived.put_nowait(b"")  # noqa: SLF001  as above


def memory_cable() -> tuple[MemoryLink, MemoryLink]:
    """The two ends of a cable that is only memory."""
    one, other = MemoryLink(), MemoryLink()
    one._other, other._other = other, one  # noqa: SLF001  two ends of one cable
    return one, other


class PtyCable:
    """A pseudo-terminal whose name stays: unplugged and put back, it is another one at the same path."""

    def __init__(self, path: Path | None = None) -> None:
        """`path` is the name; without one a name is made up in the folder for temporary files."""
        self._path = path or Path(tempfile.gettempdir()) / f"chairside-{os.getpid()}-{id(self):x}"
        self._master: int | None = None
        self._plugged = asyncio.Event()
        self._stirred = asyncio.Event()

    def where(self) -> str:
        """The path of the terminal."""
        return str(self._path)

    async def read(self) -> bytes:
        """What somebody who has the terminal open has written."""
        while True:
            await self._plugged.wait()
            master = self._master
            if master is None or _nobody_there(master):
                await asyncio.sleep(LOOK_AGAIN_S)
                continue
            await self._stirs(master)
            if self._master != master:
                continue  # unplugged meanwhile
            try:
                data = os.read(master, CHUNK)
            except OSError:  # closed by the reader: look again
                continue
            if data:
                return data

    def write(self, data: bytes) -> None:
        """Send; lost if nobody has the terminal open or its buffer is full."""
        if self._master is None or not data or not self.somebody_there():
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def somebody_there(self) -> bool:
        """Whether somebody has the terminal open."""
        return self._master is not None and not _nobody_there(self._master)

    async def plug(self) -> None:
        """Make the terminal, raw, and give it its name."""
        if self._master is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(os.ttyname(slave))
        beside.replace(self._path)
        # From here on "nobody has it open" can be seen: the terminal keeps its settings without us.
        os.close(slave)
        self._master = master
        self._plugged.set()

    def unplug(self) -> None:
        """Take the terminal away: whoever has it open reads its end or an OSError."""
        if self._master is None:
            return
        self._plugged.clear()
        self._path.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        self._master = None
        self._stirred.set()

    async def _stirs(self, master: int) -> None:
        """Wait until there is something to read, or no terminal any more."""
        loop = asyncio.get_running_loop()
        self._stirred.clear()
        loop.add_reader(master, self._stirred.set)
        try:
            await self._stirred.wait()
        finally:
            if self._master == master:
                loop.remove_reader(master)


class SocketCable:
    """A TCP port with one reader at a time; a newcomer takes the line over."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """`port` 0 takes a free one."""
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def where(self) -> str:
        """The address."""
        return f"socket://{self._host}:{self._port}"

    async def read(self) -> bytes:
        """What the host has sent."""
        return await self._arrived.get()

    def write(self, data: bytes) -> None:
        """Send; lost if nobody is connected or does not read."""
        _send(self._writer, data, CHUNK)

    def somebody_there(self) -> bool:
        """Whether somebody is connected."""
        return self._writer is not None

    async def plug(self) -> None:
        """Listen."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self._host, self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    def unplug(self) -> None:
        """Hang up, and do not answer."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._writer = writer
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                self._arrived.put_nowait(data)
        writer.close()
        if self._writer is writer:
            self._writer = None


class CallingCable:
    """A monitor's own call to a receiver (MLLP over TCP): it calls again until somebody answers."""

    def __init__(self, host: str, port: int) -> None:
        """Nobody is called before `plug`."""
        self._host, self._port = host, port
        self._calling: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def where(self) -> str:
        """Whom it calls."""
        return f"mllp://{self._host}:{self._port}"

    async def read(self) -> bytes:
        """What the receiver has answered."""
        return await self._arrived.get()

    def write(self, data: bytes) -> None:
        """Send; lost while nobody has answered the call, or if nobody reads."""
        _send(self._writer, data, OUTBOX_BYTES_MAX)

    def somebody_there(self) -> bool:
        """Whether somebody has answered the call."""
        return self._writer is not None

    async def plug(self) -> None:
        """Call."""
        if self._calling is None:
            self._calling = asyncio.create_task(self._call())

    def unplug(self) -> None:
        """Break the connection, and do not call."""
        if self._calling is not None:
            self._calling.cancel()
            self._calling = None
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def _call(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, self._writer = await asyncio.open_connection(self._host, self._port)
                while data := await reader.read(CHUNK):
                    self._arrived.put_nowait(data)
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            await asyncio.sleep(RETRY_S)


class BrokerCable:
    """A bridge's connection to a broker (MQTT 3.1.1). Pulled out, it says no goodbye: its will speaks."""

    def __init__(self, host: str, port: int, hears: str = "") -> None:
        """`run` connects; until then everything is lost, as without a broker. `hears` is where it listens."""
        self._host, self._port, self._hears = host, port, hears
        self._arrived: asyncio.Queue[Message] = asyncio.Queue(maxsize=OUTBOX_MAX)
        self._outbox: asyncio.Queue[Message] = asyncio.Queue(maxsize=OUTBOX_MAX)
        self._plugged = asyncio.Event()
        self._pulled = asyncio.Event()
        self.connected = asyncio.Event()
        """The broker has taken the connection."""

    def where(self) -> str:
        """The broker."""
        return f"mqtt://{self._host}:{self._port}"

    def write(self, message: Message) -> None:
        """Publish; lost while there is no connection, or if the broker does not keep up."""
        if self.connected.is_set():
            with contextlib.suppress(asyncio.QueueFull):
                self._outbox.put_nowait(message)

    async def plug(self) -> None:
        """Let `run` connect."""
        self._pulled.clear()
        self._plugged.set()

    def unplug(self) -> None:
        """Break the connection."""
        self._plugged.clear()
        self._pulled.set()

    async def read(self) -> Message:
        """What somebody has published where it listens."""
        return await self._arrived.get()

    async def run(self, will: Callable[[], Message | None], born: Callable[[], Sequence[Message]]) -> None:
        """Stay connected while plugged in, for ever; both are asked anew for every connection."""
        while not _is_told_to_end():
            await self._plugged.wait()
            # In a task of its own: until Python 3.12 a TaskGroup that fails leaves its task marked cancelled.
            connection = asyncio.create_task(self._connect(will(), born))
            try:
                await connection
            except* aiomqtt.MqttError:
                if not _is_told_to_end():
                    await asyncio.sleep(RETRY_S)
            finally:
                self.connected.clear()
                while not self._outbox.empty():
                    self._outbox.get_nowait()

    async def _connect(self, will: Message | None, born: Callable[[], Sequence[Message]]) -> None:
        last_will = None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain)
        client = aiomqtt.Client(
            self._host,
            self._port,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=last_will,
            keepalive=15,
            socket_options=AT_ONCE,
        )
        async with client:
            if self._hears:
                await client.subscribe(self._hears, qos=1)
            await self._talk(client, born())

    async def _talk(self, client: aiomqtt.Client, born: Sequence[Message]) -> None:
        try:
            for message in born:
                await _publish(client, message)
            self.connected.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(client))
                tasks.create_task(self._listen(client))
                tasks.create_task(self._break_off(client))
        except asyncio.CancelledError:
            _hang_up(client)
            raise

    async def _send(self, client: aiomqtt.Client) -> None:
        # All that waits goes at once, in its order. One that is waited for alone takes half a dozen turns of
        # the loop: where those are long, a line of them grows older and older here.
        client.pending_calls_threshold = OUTBOX_MAX
        while True:
            waiting = [await self._outbox.get()]
            while not self._outbox.empty():
                waiting.append(self._outbox.get_nowait())
            async with asyncio.TaskGroup() as tasks:
                for message in waiting:
                    tasks.create_task(_publish(client, message))

    async def _listen(self, client: aiomqtt.Client) -> None:
        # Also where nothing is subscribed to: this is where a connection that breaks is noticed.
        async for message in client.messages:
            with contextlib.suppress(asyncio.QueueFull):
                self._arrived.put_nowait(Message(message.topic.value, bytes(message.payload)))

    async def _break_off(self, client: aiomqtt.Client) -> None:
        await self._pulled.wait()
        _hang_up(client)


def _send(writer: asyncio.StreamWriter | None, data: bytes, most: int) -> None:
    """Write, if somebody is there and has not left `most` bytes unread."""
    if writer is None or writer.is_closing() or not data:
        return
    if writer.transport.get_write_buffer_size() < most:
        writer.write(data)


def _hang_up(client: aiomqtt.Client) -> None:
    """Break the line below the MQTT goodbye, so that the broker speaks the will."""
    connection = client._client.socket()  # noqa: SLF001  there is no public way to break a line
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


async def _publish(client: aiomqtt.Client, message: Message) -> None:
    await client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
    if _is_told_to_end():  # `wait_for` of Python 3.11 loses a cancellation that comes with what it waited for
        raise asyncio.CancelledError


def _nobody_there(master: int) -> bool:
    poll = select.poll()
    poll.register(master, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _is_told_to_end() -> bool:
    """Whether this task was cancelled, although a broker that broke in the same moment has hidden it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

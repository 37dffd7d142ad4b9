"""One contract for every serial link: two backends on ptys, a socket, RFC 2217. All parts are real."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gc
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.devices.driver import SerialSettings
from monitor.devices.links.link import Link, LinkLost, lost
from monitor.devices.links.serial import open_serial
from tests.shells.conftest import Cable, Rfc2217Server, SerialServer, descriptors, free_port, until

pytestmark = [
    pytest.mark.real,
    # pyserial 3.5 starts its RFC 2217 thread in a way Python has since given up.
    pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(\) is deprecated:DeprecationWarning"),
]

NONIN = SerialSettings(baud=9600)
WITH_PARITY = SerialSettings(baud=9600, bits=7, parity="E", stop=2)
PATIENCE_S = 10.0


@dataclass
class Bench:
    """One device on one kind of cable."""

    open: Callable[[], Awaitable[Link]]
    say: Callable[[bytes], Awaitable[None]]
    heard: Callable[[int], Awaitable[bytes]]
    unplug: Callable[[], Awaitable[None]]


@pytest.fixture(params=["serialx", "pyserial", "socket", "rfc2217"])
async def bench(
    request: pytest.FixtureRequest, cable: Cable, serial_server: SerialServer
) -> AsyncIterator[Bench]:
    kind: str = request.param
    if kind == "socket":
        server = serial_server
        yield Bench(lambda: open_serial(server.url, NONIN), server.send, server.heard, server.unplug)
    elif kind == "rfc2217":
        far = Rfc2217Server(cable)

        async def close_far() -> None:
            await asyncio.to_thread(far.close)

        yield Bench(lambda: open_serial(far.url, NONIN), cable.send, cable.heard, close_far)
        await close_far()
    else:

        async def pull() -> None:
            cable.unplug()

        yield Bench(lambda: open_serial(cable.name, NONIN, kind), cable.send, cable.heard, pull)


async def read_all(link: Link, length: int) -> bytes:
    data = b""
    async with asyncio.timeout(PATIENCE_S):
        while len(data) < length:
            came = await link.read()
            assert came, f"ended after {len(data)} bytes"
            data += came
    return data


async def read_to_the_end(link: Link) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await link.read():
            pass


async def test_what_the_device_says_arrives_unchanged(bench: Bench) -> None:
    link = await bench.open()
    every_byte = bytes(range(256)) * 8
    await bench.say(every_byte)
    assert await read_all(link, len(every_byte)) == every_byte
    await link.close()


async def test_what_is_asked_reaches_the_device_unchanged(bench: Bench) -> None:
    link = await bench.open()
    every_byte = bytes(range(256))
    await link.write(every_byte)
    assert await bench.heard(256) == every_byte
    await link.close()


async def test_a_read_that_was_given_up_loses_no_byte(bench: Bench) -> None:
    link = await bench.open()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(link.read(), 0.05)
    await bench.say(b"here it is")
    assert await read_all(link, 10) == b"here it is"
    await link.close()


async def test_a_pulled_cable_is_the_end_and_stays_the_end(bench: Bench) -> None:
    link = await bench.open()
    await bench.say(b"last words")
    assert await read_all(link, 10) == b"last words"
    await bench.unplug()
    await read_to_the_end(link)
    assert await link.read() == b""
    with pytest.raises(LinkLost):
        await link.write(b"are you there?")
    await link.close()


async def test_a_pulled_cable_wakes_whoever_waits_for_it(bench: Bench) -> None:
    link = await bench.open()
    waiting = asyncio.create_task(read_to_the_end(link))
    await asyncio.sleep(0)
    await bench.unplug()
    await asyncio.wait_for(waiting, 2.0)
    await link.close()


async def test_closing_twice_is_closing_once(bench: Bench) -> None:
    link = await bench.open()
    await link.close()
    await link.close()
    assert await link.read() == b""
    with pytest.raises(LinkLost):
        await link.write(b"?")


async def test_closing_wakes_whoever_reads(bench: Bench) -> None:
    link = await bench.open()
    waiting = asyncio.create_task(read_to_the_end(link))
    await asyncio.sleep(0)
    await link.close()
    await asyncio.wait_for(waiting, 2.0)


async def test_a_closed_link_leaves_no_descriptor_and_no_thread(bench: Bench) -> None:
    first = await bench.open()  # whatever a library keeps for good, it keeps now
    await first.close()
    await until(lambda: threading.active_count() < 60)
    gc.collect()
    before, threads = descriptors(), _own_threads()
    for _ in range(3):
        link = await bench.open()
        await link.close()
    await until(lambda: descriptors() <= before and _own_threads() <= threads)


async def test_F21_an_end_of_file_does_not_burn_a_core(bench: Bench) -> None:
    link = await bench.open()
    await bench.unplug()
    await read_to_the_end(link)
    used = _cpu_s()
    await asyncio.sleep(0.4)
    assert _cpu_s() - used < 0.2
    await link.close()


async def test_a_slow_reader_makes_the_port_wait_and_loses_nothing(cable: Cable) -> None:
    link = await open_serial(cable.name, NONIN)
    flood = os.urandom(400_000)
    sending = asyncio.create_task(cable.send(flood))
    await until(lambda: _waits(link))
    assert await read_all(link, len(flood)) == flood
    await sending
    await link.close()


def _waits(link: Link) -> bool:
    return bool(getattr(link, "_holding", False))


# Opening, and the words when it does not work.


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_a_pty_is_read_as_8n1_and_that_is_said(cable: Cable, backend: str) -> None:
    said: list[str] = []
    link = await open_serial(cable.name, WITH_PARITY, backend, said.append)
    assert said == [f"{cable.name} is a pseudo-terminal: it is read as 8N1 instead of 7E2"]
    await cable.send(b"\xff\x00")
    assert await read_all(link, 2) == b"\xff\x00"
    await link.close()


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_a_cable_that_is_not_there_is_said_in_words(tmp_path: Path, backend: str) -> None:
    with pytest.raises(LinkLost, match="ttyUSB7 is not there: is the cable plugged in"):
        await open_serial(str(tmp_path / "ttyUSB7"), NONIN, backend)


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_a_port_in_use_is_said_in_words(cable: Cable, backend: str) -> None:
    with open(cable.name, "rb", buffering=0) as other:  # noqa: ASYNC230, PTH123  it is the other program
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(LinkLost, match="ttyUSB0 is in use by another program"):
            await open_serial(cable.name, NONIN, backend)


async def test_a_file_is_not_a_port(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a port")
    with pytest.raises(LinkLost, match="is not a serial port"):
        await open_serial(str(tmp_path / "notes.txt"), NONIN)


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_a_character_device_without_a_line_is_not_a_port(backend: str) -> None:
    with pytest.raises(LinkLost, match="is not a serial port"):
        await open_serial("/dev/null", NONIN, backend)


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
async def test_a_serial_server_that_is_off_is_said_in_words(scheme: str) -> None:
    with pytest.raises(LinkLost, match="refuses the connection"):
        await open_serial(f"{scheme}://127.0.0.1:{free_port()}", NONIN)


async def test_a_server_that_does_not_speak_rfc2217_is_given_up_in_time(
    serial_server: SerialServer,
) -> None:
    url = serial_server.url.replace("socket", "rfc2217")
    async with asyncio.timeout(5.0):
        with pytest.raises(LinkLost, match="does not seem to support RFC2217"):
            await open_serial(url, NONIN)


async def test_an_opening_that_was_given_up_leaves_nothing_open(rfc2217_server: Rfc2217Server) -> None:
    before = descriptors()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(open_serial(rfc2217_server.url, NONIN), 0.02)
    await until(lambda: descriptors() <= before)


@pytest.mark.parametrize("url", ["mqtt://x/y", "socket://nowhere", "http://x"])
async def test_a_link_of_no_known_kind_is_a_mistake_of_the_caller(url: str) -> None:
    with pytest.raises(ValueError, match="socket://host:port"):
        await open_serial(url, NONIN)


async def test_an_unknown_backend_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="serialx, pyserial"):
        await open_serial("/dev/null", NONIN, backend="serila")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "permission denied: add the user of the service to the group dialout"),
        (errno.ENXIO, "is not there"),
        (errno.EBUSY, "in use by another program"),
        (errno.EIO, "the cable was pulled"),
        (errno.EHOSTUNREACH, "cannot be reached"),
        (errno.EMFILE, "no file descriptors left"),
    ],
)
def test_every_error_of_the_kernel_is_said_in_words(number: int, words: str) -> None:
    text = str(lost("/dev/ttyUSB0", OSError(number, os.strerror(number))))
    assert text.startswith("/dev/ttyUSB0 ")
    assert words in text
    assert "Errno" not in text


def test_an_unknown_name_of_a_server_is_said_in_words() -> None:
    assert "no machine of that name" in str(lost("moxa:4001", socket.gaierror(-2, "Name not known")))


def test_what_a_library_hides_is_found_behind_its_own_exception() -> None:
    def open_badly() -> None:
        try:
            raise PermissionError(errno.EACCES, "no")
        except OSError:
            raise RuntimeError("could not open") from None

    with pytest.raises(RuntimeError) as caught:
        open_badly()
    assert "dialout" in str(lost("/dev/ttyS0", caught.value))


def _own_threads() -> int:
    """Threads of links: those of the loop's pool stay, and are meant to."""
    return sum(thread.name.startswith(("serial ", "pySerial")) for thread in threading.enumerate())


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system

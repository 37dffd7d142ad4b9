"""Monitors that call one port, over real sockets: cut, crowded, nameless, too long, and gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SteadyClock
from monitor.devices.codecs import DRIVERS
from monitor.devices.codecs.hl7_pcd01 import MONITOR, Head, Row, encode, match_of
from monitor.devices.lines import decode
from monitor.devices.links.link import LinkLost
from monitor.devices.links.mailbox import WAITING_MAX
from monitor.devices.links.mllp import MllpLink, Port, parse_mllp_url, port_for
from monitor.devices.reader import DeviceReader, reader_for
from monitor.hl7_text import MESSAGE_MAX, encode_block
from monitor.model import Bed, CuffTaken, Device, Event, LinkMoved, LinkState, Reading, Vital
from tests.shells.conftest import descriptors, dice, free_port, until

pytestmark = pytest.mark.real

ONE, OTHER, THIRD = "A^00A0370098000001^EUI-64", "B^00A0370098000002^EUI-64", "C^00A0370098000003^EUI-64"
TOKEN_S = 10.0


def report(sender: str = ONE, number: int = 1, spo2: int = 97, **head: str) -> bytes:
    rows = [Row("MDC_PULS_OXIM_SAT_O2", "1.3.1.1", f"{spo2}", f"202611221000{number % 60:02d}")]
    return encode(Head(f"{number}", f"202611221000{number % 60:02d}", sender, **head), rows)


class Monitor:
    """A monitor that has called."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Its connection."""
        self._reader, self.writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        """These bytes, piece by piece."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self) -> tuple[str, str, str]:
        """Code, number and reason of the next answer."""
        async with asyncio.timeout(TOKEN_S):
            block = await self._reader.readuntil(b"\x1c\r")
        assert block[:1] == b"\x0b"
        _, _, code, number, *why = block[1:-2].decode().split("\r")[1].replace("MSA|", "||").split("|")
        return code, number, why[0] if why else ""

    async def asks(self, message: bytes) -> tuple[str, str, str]:
        """Send one message; its answer."""
        await self.send(encode_block(message))
        return await self.answer()

    async def is_hung_up_on(self) -> bool:
        """Whether the port ends the connection without a word."""
        async with asyncio.timeout(TOKEN_S):
            with contextlib.suppress(ConnectionError):
                return await self._reader.read(1) == b""
        return True

    def hang_up(self) -> None:
        """As a power cut would."""
        self.writer.transport.abort()


class Ward:
    """One port and the ears on it."""

    def __init__(self, port: Port, said: list[str]) -> None:
        """Nobody has called."""
        self.port, self.said = port, said
        self._monitors: list[Monitor] = []

    async def ear(self, name: str, **options: Any) -> MllpLink:
        """The ear of a device with these options; `from_` is `from`."""
        options = {key.rstrip("_"): value for key, value in options.items()}
        return await self.port.link(name, match_of(options)).open()

    async def monitor(self, address: str = "127.0.0.1", *, narrow: bool = False) -> Monitor:
        """A monitor that calls from an address of this machine; a `narrow` line holds few bytes unread."""
        plug = socket.socket()
        plug.settimeout(0)
        if narrow:
            # Both sides size their buffers by these; with a loopback's own they would hold megabytes.
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        plug.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", self.port.address[1]))
        self._monitors.append(Monitor(*await asyncio.open_connection(sock=plug)))
        return self._monitors[-1]

    def leave(self) -> None:
        """All monitors hang up."""
        for monitor in self._monitors:
            monitor.hang_up()


@contextlib.asynccontextmanager
async def ward(**settings: Any) -> AsyncIterator[Ward]:
    said: list[str] = []
    port = Port(("127.0.0.1", 0), SteadyClock().now_ms, said.append, **settings)
    await port.listen()
    here = Ward(port, said)
    try:
        yield here
    finally:
        here.leave()
        await port.close()


async def heard(ear: MllpLink) -> list[bytes]:
    async with asyncio.timeout(TOKEN_S):
        return [message for _, message, _ in await ear.messages()]


# Blocks.


async def test_a_message_is_brought_whole_with_the_callers_address_and_answered() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        assert await monitor.asks(report(number=5)) == ("AA", "5", "")
        assert await ear.messages() == [("127.0.0.1", report(number=5), False)]


async def test_a_block_may_come_in_pieces_and_several_in_one() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        for one in encode_block(report(number=1)):
            await monitor.send(bytes([one]))
        assert (await monitor.answer())[:2] == ("AA", "1")
        await monitor.send(b"".join(encode_block(report(number=n)) for n in range(2, 9)) + b"\x0bMSH")
        assert [(await monitor.answer())[1] for _ in range(2, 9)] == [str(n) for n in range(2, 9)]
        assert await heard(ear) == [report(number=n) for n in range(1, 9)]


async def test_what_stands_between_two_blocks_costs_neither_of_them() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        for number, between in enumerate(
            [b"\r\n", b"\0" * 100, b"ping", b"\x0bMSH|half a mess", b"\x1c\r\x1c\r"]
        ):
            await monitor.send(between, encode_block(report(number=number)))
            assert (await monitor.answer())[:2] == ("AA", str(number))
        assert len(await heard(ear)) == 5


async def test_line_feeds_are_taken_for_line_ends() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one", sender="A"), await here.monitor()
        for end in (b"\n", b"\r\n"):
            assert (await monitor.asks(report().replace(b"\r", end)))[0] == "AA"
        assert len(await heard(ear)) == 2


async def test_a_message_that_is_too_long_is_dropped_and_the_next_one_is_heard() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        await monitor.send(b"\x0b" + report() + b"x" * 3 * MESSAGE_MAX + b"\x1c\r")
        assert (await monitor.asks(report(number=2)))[:2] == ("AA", "2")
        assert await heard(ear) == [report(number=2)]
        assert here.port.counts["blocks that were too long"] >= 1
        assert any("more than 131072 bytes" in text for text in here.said)


async def test_noise_is_neither_answered_nor_brought() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        luck = dice(3)
        await monitor.send(luck.randbytes(100_000), b"\x1c\r", encode_block(b"no message"), encode_block(b""))
        assert await monitor.asks(report(number=3)) == ("AA", "3", "")
        assert await heard(ear) == [report(number=3)]
        assert sum(here.port.counts.values()) >= 2


async def test_whoever_wants_no_answer_gets_none() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        await monitor.send(encode_block(report(number=1, accept="NE", application="NE")))
        assert (await monitor.asks(report(number=2)))[1] == "2"
        assert len(await heard(ear)) == 2


# Whose.


async def test_devices_of_one_port_hear_their_own_messages_whatever_connection_they_came_on() -> None:
    async with ward() as here:
        one, other = await here.ear("one", sender="A"), await here.ear("other", sender="00A0370098000002")
        gateway, beside = await here.monitor(), await here.monitor()
        for monitor in (gateway, beside):
            assert (await monitor.asks(report(ONE)))[0] == "AA"
            assert (await monitor.asks(report(OTHER)))[0] == "AA"
        assert await heard(one) == [report(ONE)] * 2
        assert await heard(other) == [report(OTHER)] * 2


async def test_a_message_of_no_device_is_refused_and_said_and_nobodys() -> None:
    async with ward() as here:
        one, other = await here.ear("one", sender="A"), await here.ear("other", sender="B")
        monitor = await here.monitor()
        place: dict[str, Any] = {"location": "ICU^^7", "patient": "P1^^^X^PI", "name": "DOE^JANE"}
        assert await monitor.asks(report(THIRD, 4, **place)) == ("AR", "4", "it fits no device")
        assert (await monitor.asks(report(THIRD, 5, **place)))[0] == "AR"
        assert here.port.counts["it fits no device"] == 2
        assert one.seen() == (
            f"a monitor calls {here.port.name}, but its messages are no device's here: "
            "from 127.0.0.1, sender C or 00A0370098000003, location ICU^^7"
        )
        assert len(here.said) == 1
        assert "DOE" not in here.said[0]
        assert "P1" not in here.said[0]
        assert (await monitor.asks(report(ONE)))[0] == "AA"
        assert await heard(one) == [report(ONE)]
        await one.close()
        await other.close()
        assert await other.messages() == []


async def test_a_message_that_fits_two_devices_is_refused_and_nobodys() -> None:
    async with ward() as here:
        one, other = await here.ear("one", sender="A"), await here.ear("other", location="7")
        monitor = await here.monitor()
        assert await monitor.asks(report(ONE, 6, location="ICU^^7")) == ("AR", "6", "it fits 2 devices")
        assert "which is both one and other" in one.seen()
        await other.close()
        assert await other.messages() == []


async def test_a_second_monitor_on_a_port_without_names_is_refused_while_the_first_one_speaks() -> None:
    async with ward() as here:
        ear, first, second = await here.ear("one"), await here.monitor(), await here.monitor()
        assert (await first.asks(report(ONE)))[0] == "AA"
        code, _, why = await second.asks(report(OTHER))
        assert (code, why) == ("AR", "another monitor speaks for one: tell them apart by sender or device_id")
        assert await heard(ear) == [report(ONE)]
    async with ward(lately_s=0.0) as here:
        ear, first, second = await here.ear("one"), await here.monitor(), await here.monitor()
        assert (await first.asks(report(ONE)))[0] == "AA"
        assert (await second.asks(report(OTHER)))[0] == "AA"


async def test_messages_that_say_only_half_of_who_they_are_from_do_not_make_it_another_monitor() -> None:
    def of(sender: str, device: str) -> bytes:
        rows = [Row(MONITOR, "1.0.0.0", device=device)] if device else []
        rows.append(Row("MDC_PULS_OXIM_SAT_O2", "1.3.1.1", "97", "20261122100000"))
        return encode(Head("1", "20261122100000", sender), rows)

    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        for sender, device in ((ONE, "00A1"), ("", "00A1"), ("A^DAMAGED^EUI-64", ""), (ONE, "00A1")):
            whole = sender != "A^DAMAGED^EUI-64"
            assert (await monitor.asks(of(sender, device)))[0] == ("AA" if whole else "AR"), sender
        assert len(await heard(ear)) == 3


async def test_only_addresses_of_the_list_may_call_where_every_device_has_one() -> None:
    async with ward() as here:
        ear = await here.ear("one", from_=["127.0.0.2"])
        assert ear.seen() == f"nobody has called {here.port.name} (open for this machine only) yet"
        assert await (await here.monitor()).is_hung_up_on()
        await until(lambda: "127.0.0.1 called" in ear.seen())
        assert "turned away" in here.said[0]
        assert (await (await here.monitor("127.0.0.2")).asks(report()))[0] == "AA"
        await here.ear("other", sender="B")
        stranger = await here.monitor()
        assert (await stranger.asks(report(ONE)))[0] == "AR"
        assert (await stranger.asks(report(OTHER)))[0] == "AA"


@pytest.mark.parametrize(("kind", "code"), [(b"QRY^A19", "AR"), (b"ADT^A08", "AR"), (b"ORU^W01", "AA")])
async def test_what_is_no_report_of_values_is_answered_for_what_it_is(kind: bytes, code: str) -> None:
    async with ward() as here:
        await here.ear("one")
        monitor = await here.monitor()
        assert (await monitor.asks(report().replace(b"ORU^R01^ORU_R01", kind)))[0] == code


# Bounds, and ends.


async def test_who_has_been_quiet_for_longest_gives_way_when_the_port_is_full() -> None:
    async with ward(calls_max=3) as here:
        await here.ear("one")
        quiet, *others = [await here.monitor() for _ in range(3)]
        for monitor in others:
            assert (await monitor.asks(report()))[0] == "AA"
        newcomer = await here.monitor()
        assert await quiet.is_hung_up_on()
        for monitor in (*others, newcomer):
            assert (await monitor.asks(report()))[0] == "AA"


async def test_what_is_remembered_of_strangers_has_an_end() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one", sender="A"), await here.monitor()
        for number in range(300):
            kind = b"ORU^R01" if number % 2 else b"X%d^Y" % number
            wire = report(f"S{number}^{number:016X}^EUI-64", number)
            assert (await monitor.asks(wire.replace(b"ORU^R01^ORU_R01", kind)))[0] == "AR"
        assert len(here.port.counts) <= 101
        assert sum(here.port.counts.values()) == 300
        assert len(here.said) <= 16
        assert len(ear.seen()) < 1_000


async def test_what_nobody_reads_gives_way_to_what_is_newer() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        many = b"".join(
            encode_block(report(number=n, accept="NE", application="NE")) for n in range(WAITING_MAX + 20)
        )
        await monitor.send(many)
        assert (await monitor.asks(report(number=9_999)))[0] == "AA"
        waiting = await heard(ear)
        assert (len(waiting), ear.dropped) == (WAITING_MAX, 21)
        assert waiting[-1] == report(number=9_999)


async def test_one_caller_without_a_pause_does_not_keep_another_one_waiting() -> None:
    async with ward() as here:
        await here.ear("one", sender="A")
        await here.ear("other", sender="B")
        loud, calm = await here.monitor(), await here.monitor()
        flood = asyncio.create_task(
            loud.send(*[encode_block(report(accept="NE", application="NE")) * 200] * 20)
        )
        assert (await calm.asks(report(OTHER)))[0] == "AA"
        await flood


async def test_a_monitor_that_does_not_take_its_answers_holds_up_nobody() -> None:
    async with ward(answer_s=0.1) as here:
        await here.ear("one", sender="A")
        deaf, calm = await here.monitor(narrow=True), await here.monitor()
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a full transport
        flood = asyncio.create_task(_for_ever(deaf, encode_block(report()) * 500))
        await until(lambda: here.port.counts["calls that did not take their answers"] > 0)
        flood.cancel()
        assert (await calm.asks(report()))[0] == "AA"


async def _for_ever(monitor: Monitor, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            await monitor.send(data)


async def test_what_chokes_on_a_message_is_told_and_the_monitor_may_send_it_again() -> None:
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        taken: list[int] = []

        def choke(_: object) -> None:
            taken.append(1)
            raise ValueError("ninety")

        pouring = asyncio.create_task(ear.pour(choke))
        await until(lambda: ear._into is not None)
        assert await monitor.asks(report(number=8)) == ("AE", "8", "it could not be read just now")
        with pytest.raises(ValueError, match="ninety"):
            await pouring
        await ear.close()
        assert (await monitor.asks(report(number=8)))[0] == "AE"
        again = await ear.open()
        assert (await monitor.asks(report(number=8)))[0] == "AA"
        assert await heard(again) == [report(number=8)]


async def test_every_silence_has_its_own_words() -> None:
    async with ward() as here:
        ear = await here.ear("one", sender="A")
        assert ear.seen().startswith("nobody has called")
        monitor = await here.monitor()
        await until(lambda: ear.seen() == f"a monitor has called {here.port.name}, but no message has come")
        assert (await monitor.asks(report()))[0] == "AA"
        assert ear.seen() == (
            "the monitor is connected and sends nothing: is a patient admitted, and sending switched on?"
        )
        monitor.hang_up()
        await until(lambda: ear.seen().startswith("the monitor has hung up and has not called again"))


async def test_a_closed_port_ends_its_ears_gives_the_port_back_and_leaves_nothing_open() -> None:
    before = descriptors()
    async with ward() as here:
        ear, monitor = await here.ear("one"), await here.monitor()
        assert (await monitor.asks(report()))[0] == "AA"
        await here.port.close()
        assert await heard(ear) == [report()]
        assert await ear.messages() == []
        assert ear.why == f"{here.port.name} was closed by us"
        with pytest.raises(LinkLost, match="is not open"):
            await ear.open()
        again = Port(here.port.address, SteadyClock().now_ms)
        await again.listen()
        await again.close()
    await until(lambda: descriptors() == before)


async def test_a_port_that_cannot_be_had_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for address, why in (
            (("127.0.0.1", taken.getsockname()[1]), "is in use by another program"),
            (("192.0.2.1", 2575), "this machine has no such address"),
        ):
            with pytest.raises(LinkLost, match=why):
                await Port(address, SteadyClock().now_ms).listen()


async def test_without_the_library_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "hl7"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "monitor.devices.links.mllp_framing", raising=False)
    monkeypatch.setitem(sys.modules, "hl7", None)
    with pytest.raises(LinkLost, match=r"need the library hl7: pip install 'chairside\[hl7\]'"):
        await Port(("127.0.0.1", 0), SteadyClock().now_ms).listen()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mllp://:2575", ("127.0.0.1", 2575)),
        ("mllp://0.0.0.0:2575/", ("0.0.0.0", 2575)),
        ("mllp://[::1]:2575", ("::1", 2575)),
    ],
)
def test_a_link_names_an_address_and_a_port(url: str, address: tuple[str, int]) -> None:
    assert parse_mllp_url(url) == address
    port = Port(address, SteadyClock().now_ms)
    assert port_for([port], url) is port
    with pytest.raises(ValueError, match="no such port"):
        port_for([], url)


@pytest.mark.parametrize(
    "url", ["mllp://host", "mllp://:99999", "mllp://:2575/topic", "tcp://:2575", "mllp:2575"]
)
def test_a_wrong_link_says_what_it_should_be(url: str) -> None:
    with pytest.raises(ValueError, match="mllp://:PORT or mllp://ADDRESS:PORT"):
        parse_mllp_url(url)


# With its reader.


@contextlib.asynccontextmanager
async def reading(here: Ward, **options: Any) -> AsyncIterator[tuple[DeviceReader, list[Event]]]:
    events: list[Event] = []
    url = "mllp://{}:{}".format(*here.port.address)
    reader = reader_for(
        Device("vs900"), Bed("1"), "hl7-pcd01", url, "serialx", options, [], events.append, SteadyClock(),
        dice(1), ports=[here.port],
    )  # fmt: skip
    running = asyncio.create_task(reader.run())
    try:
        yield reader, events
    finally:
        running.cancel()
        await asyncio.wait([running])


def moves(events: list[Event]) -> list[tuple[LinkState, str]]:
    return [(event.now, event.why) for event in events if isinstance(event, LinkMoved)]


async def test_a_reader_is_up_while_its_monitor_speaks_and_says_what_a_silence_is() -> None:
    async with ward() as here, reading(here, sender="A", silent_after_s=1) as (reader, events):
        await until(lambda: any("nobody has called" in why for _, why in moves(events)))
        monitor = await here.monitor()
        assert (await monitor.asks(report()))[0] == "AA"
        await until(lambda: reader.state is LinkState.UP)
        values = [(e.vital, e.value) for e in events if isinstance(e, Reading)]
        assert values == [(Vital.SPO2, 97)]
        await until(lambda: reader.state is LinkState.SILENT)
        assert moves(events)[-1][1].startswith("the monitor is connected and sends nothing")
        monitor.hang_up()
        await until(lambda: moves(events)[-1][1].startswith("the monitor has hung up"))
        again = await here.monitor()
        assert (await again.asks(report(number=2)))[0] == "AA"
        await until(lambda: reader.state is LinkState.UP)


async def test_a_reader_says_that_a_monitor_calls_with_another_name_and_that_nothing_can_be_read() -> None:
    async with ward() as here, reading(here, sender="A", silent_after_s=1) as (reader, events):
        await until(lambda: bool(moves(events)))
        monitor = await here.monitor()
        assert (await monitor.asks(report(OTHER)))[0] == "AR"
        await until(lambda: "sender B or 00A0370098000002" in moves(events)[-1][1])
        assert (await monitor.asks(report().replace(b"MDC", b"XYZ")))[0] == "AA"
        await until(lambda: "hold nothing that is read here" in moves(events)[-1][1])
        assert reader.state is not LinkState.UP
        assert not [event for event in events if isinstance(event, Reading)]


async def test_a_pressure_that_is_sent_again_on_a_new_connection_is_still_one() -> None:
    rows = [
        Row(f"MDC_PRESS_CUFF_{which}", "1.1.9.1", value, "20261122095500", spot=True)
        for which, value in (("SYS", "120"), ("DIA", "80"))
    ]
    async with ward() as here, reading(here) as (_, events):
        await until(lambda: bool(moves(events)))
        for number in range(5):
            monitor = await here.monitor()
            wire = encode(Head(f"{number}", f"2026112210000{number}", ONE), rows)
            assert (await monitor.asks(wire))[0] == "AA"
            monitor.hang_up()
        (taken,) = [event for event in events if isinstance(event, CuffTaken)]
        assert taken.cuff.age_ms == 300_000
        assert taken.at_ms - taken.measured_at_ms == 300_000


# The command line.


def test_listen_ends_with_3_when_the_port_is_taken_and_with_2_when_the_link_is_wrong() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for url, code, why in (
            (f"mllp://:{port}", 3, "in use by another program"),
            ("mllp://x", 2, "mllp://:PORT"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "monitor", "listen", "hl7-pcd01", url],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr.count("\n")) == (code, 1)
            assert why in done.stderr


def _hears_ctrl_c() -> None:
    # A shell that runs the tests in its background has Ctrl-C ignored, and children would inherit it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def test_listen_shows_what_a_simulated_monitor_says_and_keeps_what_decode_reads(tmp_path: Path) -> None:
    port, raw = free_port(), tmp_path / "kept.raw"
    programs = [
        await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, stdout=-1, stderr=-1)
        for arguments in (
            ("monitor", "listen", "hl7-pcd01", f"mllp://:{port}", "--raw", str(raw)),
            ("simulators", "hl7-pcd01", "--link", f"mllp://127.0.0.1:{port}", "--fault", "unplug@2:1"),
        )
    ]
    listening = programs[0]
    lines: list[bytes] = []
    assert listening.stdout is not None
    try:
        async with asyncio.timeout(60):
            while sum(b'"spo2"' in line for line in lines) < 4:
                lines.append(await listening.stdout.readline())
    finally:
        for program in programs:
            program.send_signal(signal.SIGINT)
            await program.communicate()
    said = [json.loads(line) for line in lines]
    assert said == list(decode(DRIVERS["hl7-pcd01"], [raw.read_bytes()]))[: len(said)]
    assert "cuff" in {line["kind"] for line in said}

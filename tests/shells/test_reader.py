"""One device from its cable to the inbox: unplugged, silent, garbled, stuck, late, wrongly configured."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from monitor.clock import Clock, ManualClock, SteadyClock
from monitor.devices.codecs import dinamap, masimo_ascii1, mqtt_native, nellcor_ascii, suntech
from monitor.devices.driver import Driver
from monitor.devices.links.link import Link, LinkLost, Message, MessageLink
from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.devices.links.ports import ports
from monitor.devices.links.serial import open_serial
from monitor.devices.listen import listen
from monitor.devices.reader import MqttReader, Reader, reader_for
from monitor.devices.telling import FRESH_MS
from monitor.model import (
    Bed,
    CuffTaken,
    Device,
    DeviceNoted,
    Event,
    LinkMoved,
    LinkState,
    Quality,
    Reading,
    Said,
    Sample,
    Vital,
)
from tests.shells.conftest import Cable, Mosquitto, descriptors, dice, until

pytestmark = pytest.mark.real

START_MS = 1_790_000_000_000
PUTTING_BACK_S = 5.0


class Bedside:
    """A device, its cable, its reader and what came into the inbox."""

    def __init__(
        self,
        cable: Cable,
        clock: Clock,
        driver: Driver = masimo_ascii1.DRIVER,
        name: str = "rad8-1",
        speed: float = 20.0,
        backend: str = "serialx",
    ) -> None:
        """Plugged in, not yet read."""
        self.cable = cable
        self.clock = clock
        self.inbox: list[Event] = []
        self.reader = Reader(
            Device(name),
            Bed("3"),
            driver,
            lambda: open_serial(cable.name, driver.settings, backend),
            self.inbox.append,
            clock,
            dice(),
            {},
            speed,
        )

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[Bedside]:
        """Read, as long as it lasts."""
        running = asyncio.create_task(self.reader.run())
        try:
            await self.reader_is_open()
            yield self
        finally:
            running.cancel()
            await asyncio.wait([running])
            with contextlib.suppress(asyncio.CancelledError):
                running.result()

    async def reader_is_open(self) -> None:
        """Bytes sent before would be thrown away, as a port that is opened does."""
        await until(lambda: any("waiting for the first" in move.why for move in self.moves()))

    async def says(self, spo2: float | None, at_s: float | None = None, **more: int) -> None:
        """One line of the oximeter, with the time of its own clock."""
        await self.cable.send(line(spo2, self.clock.now_ms() / 1000 if at_s is None else at_s, **more))

    def moves(self) -> list[LinkMoved]:
        """What the link did."""
        return [event for event in self.inbox if isinstance(event, LinkMoved)]

    def readings(self, vital: Vital = Vital.SPO2) -> list[Reading]:
        """The values of one vital."""
        return [event for event in self.inbox if isinstance(event, Reading) and event.vital is vital]

    def cuffs(self) -> list[CuffTaken]:
        """The pressures."""
        return [event for event in self.inbox if isinstance(event, CuffTaken)]

    def notes(self) -> list[tuple[str, ...]]:
        """What the device said beside its numbers."""
        return [event.what for event in self.inbox if isinstance(event, DeviceNoted)]


def line(spo2: float | None, at_s: float, **more: int) -> bytes:
    stamp = datetime.fromtimestamp(at_s, UTC).strftime("%m/%d/%y %H:%M:%S")
    return masimo_ascii1.encode(stamp, spo2, 72, 4.5, **more)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def bedside(cable: Cable, clock: ManualClock) -> Bedside:
    return Bedside(cable, clock)


async def test_a_line_of_the_oximeter_becomes_readings_at_its_bed(bedside: Bedside) -> None:
    async with bedside.watched():
        await bedside.says(97)
        await until(lambda: bedside.readings(Vital.PERFUSION))
    spo2 = bedside.readings()[0]
    assert (spo2.bed, spo2.device, spo2.value, spo2.quality) == ("3", "rad8-1", 97, Quality.VALID)
    assert (spo2.at_ms, spo2.fresh_until_ms, spo2.late) == (START_MS, START_MS + FRESH_MS, False)
    assert bedside.readings(Vital.PULSE_SPO2)[0].value == 72
    assert bedside.readings(Vital.PERFUSION)[0].value == 4.5
    assert bedside.moves()[-1].now is LinkState.UP


async def test_half_frames_become_one_whole_one(bedside: Bedside) -> None:
    async with bedside.watched():
        whole = line(96, START_MS / 1000)
        for at in range(0, len(whole), 7):
            await bedside.cable.send(whole[at : at + 7])
            await asyncio.sleep(0)
        await until(bedside.readings)
    assert [reading.value for reading in bedside.readings()] == [96]


async def test_a_probe_that_is_off_is_a_missing_value_and_a_notice(
    bedside: Bedside, clock: ManualClock
) -> None:
    async with bedside.watched():
        await bedside.says(None, exc=0x820)
        await until(bedside.readings)
        assert bedside.readings()[0].value is None
        assert bedside.readings()[0].quality is not Quality.VALID
        await until(lambda: bedside.notes() == [("probe off",)])
        for _ in range(4):
            clock.advance(1_000)
            await bedside.says(97)
        await until(lambda: bedside.notes()[-1] == ())


async def test_an_impossible_value_never_gets_its_number_to_the_bed(bedside: Bedside) -> None:
    async with bedside.watched():
        await bedside.cable.send(line(101, START_MS / 1000))
        await until(bedside.readings)
    assert bedside.readings()[0].value is None


# Silence, garbage, the wrong driver.


async def test_a_silence_begins_with_the_last_thing_heard(bedside: Bedside, clock: ManualClock) -> None:
    async with bedside.watched():
        await bedside.says(97)
        await until(bedside.readings)
        clock.advance(2_400)
        clock.advance(200)
        await until(lambda: bedside.reader.state is LinkState.SILENT)
        assert bedside.moves()[-1].since_ms == START_MS
        assert bedside.moves()[-1].was is LinkState.UP
        await bedside.says(96)
        await until(lambda: bedside.reader.state is LinkState.UP)


async def test_a_device_that_never_spoke_is_explained_by_its_hint(
    bedside: Bedside, clock: ManualClock
) -> None:
    async with bedside.watched():
        clock.advance(3_000)
        await until(lambda: bedside.reader.state is LinkState.SILENT)
        assert masimo_ascii1.DRIVER.hint in bedside.moves()[-1].why


async def test_a_wrong_driver_is_named(bedside: Bedside, clock: ManualClock) -> None:
    async with bedside.watched():
        stamp = "22-Nov-26 02:15:04"
        for _ in range(3):
            await bedside.cable.send(nellcor_ascii.encode(stamp, 97, 72, 60))
        await until(lambda: bedside.reader.faults)
        clock.advance(3_000)
        await until(lambda: bedside.reader.state is LinkState.SILENT)
    assert bedside.moves()[-1].why == "this looks like a Nellcor printout, not Masimo ASCII 1"
    assert not bedside.readings()


async def test_F22_after_garbage_at_full_baud_the_next_whole_line_counts(
    bedside: Bedside,
) -> None:
    garbage = os.urandom(115_200) + b"\x00" * 20_000 + b"\xff" * 20_000
    async with bedside.watched():
        lag = asyncio.create_task(_worst_lag())
        await bedside.cable.send(garbage + b"\r\n")
        await bedside.says(97)
        await until(bedside.readings)
        lag.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await lag
    assert bedside.readings()[-1].value == 97
    dropped = sum(bedside.reader.faults.values())
    assert len(garbage) * 0.9 < dropped <= len(garbage) + 2


async def _worst_lag() -> None:
    """Fails the test if anything holds the loop for a quarter of a second of this thread's own work."""
    while True:
        was = time.thread_time()
        await asyncio.sleep(0.005)
        assert time.thread_time() - was < 0.25


# Time: repeats, late values.


async def test_F23_a_repeat_does_not_renew_freshness(bedside: Bedside, clock: ManualClock) -> None:
    async with bedside.watched():
        for times in range(1, 13):
            # A line it cannot read follows each one, so that it is known to have been heard.
            await bedside.cable.send(line(97, START_MS / 1000) + b"?\r\n")
            await until(lambda wanted=times: sum(bedside.reader.faults.values()) == wanted)  # type: ignore[misc]
            clock.advance(1_000)
        await until(lambda: bedside.notes() and "stands still" in bedside.notes()[-1][0])
    assert [reading.fresh_until_ms for reading in bedside.readings()] == [START_MS + FRESH_MS]
    assert bedside.reader.state is LinkState.UP


async def test_F27_what_waited_in_a_serial_server_is_history(bedside: Bedside, clock: ManualClock) -> None:
    async with bedside.watched():
        await bedside.says(97)
        await until(lambda: len(bedside.readings()) == 1)
        clock.advance(60_000)
        await bedside.says(84, at_s=START_MS / 1000 + 1)
        await until(lambda: len(bedside.readings()) == 2)
        await bedside.says(96)
        await until(lambda: len(bedside.readings()) == 3)
    late, live = bedside.readings()[1:]
    assert late.late
    assert abs(late.at_ms - (START_MS + 1_000)) <= 100
    assert late.fresh_until_ms <= late.at_ms
    assert (live.late, live.at_ms) == (False, START_MS + 60_000)


async def test_a_clock_wrong_by_years_is_no_reason_to_be_late(bedside: Bedside, clock: ManualClock) -> None:
    async with bedside.watched():
        for second in range(3):
            await bedside.says(97, at_s=1_000_000_000 + second)
            await until(lambda wanted=second + 1: len(bedside.readings()) == wanted)  # type: ignore[misc]
            clock.advance(1_000)
    assert [reading.at_ms for reading in bedside.readings()] == [START_MS, START_MS + 1_000, START_MS + 2_000]


# Unplugged.


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_F21_a_pulled_cable_is_down_at_once_and_back_in_five_seconds(
    cable: Cable, backend: str
) -> None:
    bedside = Bedside(cable, SteadyClock(speed=4.0), speed=4.0, backend=backend)
    async with bedside.watched():
        await bedside.says(97)
        await until(bedside.readings)
        cable.unplug()
        await until(lambda: bedside.reader.state is LinkState.DOWN, 1.0)
        assert "was the cable pulled" in bedside.moves()[-1].why
        gone_ms = bedside.clock.now_ms()
        await until(lambda: bedside.clock.now_ms() - gone_ms > 20_000)  # the back-off has grown long by now
        assert "is not there: is the cable plugged in?" in bedside.moves()[-1].why
        cable.plug_in()
        back_ms = bedside.clock.now_ms()
        await until(lambda: bedside.moves()[-1].now is LinkState.CONNECTING)
        await bedside.says(96)
        await until(lambda: bedside.reader.state is LinkState.UP)
        assert bedside.clock.now_ms() - back_ms <= PUTTING_BACK_S * 1000
    assert bedside.readings()[-1].value == 96


async def test_F21_after_200_unplugs_the_descriptors_are_level(cable: Cable) -> None:
    bedside = Bedside(cable, SteadyClock(speed=2000.0), speed=2000.0)
    async with bedside.watched():
        await bedside.says(97)
        await until(bedside.readings)
        before, tasks = descriptors(), len(asyncio.all_tasks())
        for _ in range(200):
            cable.unplug()
            await until(lambda: bedside.reader.state is LinkState.DOWN)
            cable.plug_in()
            await until(lambda: bedside.reader.state in {LinkState.CONNECTING, LinkState.SILENT})
        await until(lambda: descriptors() <= before)
        assert len(asyncio.all_tasks()) <= tasks
        had = len(bedside.readings())
        await bedside.says(95)
        await until(lambda: len(bedside.readings()) > had)


# A codec that raises.


class Exploding:
    """A codec with a bug: it raises at its n-th byte."""

    def __init__(self, at: int) -> None:
        """`at` bytes are fine."""
        self._left = at
        self._inner = masimo_ascii1.Decoder()

    def feed(self, data: bytes) -> list[Said]:
        """Fine, for a while."""
        self._left -= len(data)
        if self._left < 0:
            raise IndexError("patient Jane Doe")
        return self._inner.feed(data)

    def close(self) -> list[Said]:
        """Nothing of its own."""
        return self._inner.close()


async def test_F17_a_codec_that_raises_takes_only_its_own_link_down(cable: Cable, tmp_path: Path) -> None:
    clock = SteadyClock(speed=20.0)
    buggy = dataclasses.replace(masimo_ascii1.DRIVER, decoder=lambda _: Exploding(300))
    other_cable = Cable(tmp_path / "ttyUSB1")
    bad, good = Bedside(cable, clock, buggy), Bedside(other_cable, clock, name="rad8-2")
    async with bad.watched(), good.watched():
        for number in range(12):
            await good.says(90 + number % 10, at_s=START_MS / 1000 + number)
            with contextlib.suppress(OSError):
                await bad.says(90, at_s=START_MS / 1000 + number)
            await until(lambda wanted=number + 1: len(good.readings()) == wanted)  # type: ignore[misc]
        await until(lambda: any(move.now is LinkState.DOWN for move in bad.moves()))
        await until(lambda: bad.reader.state is not LinkState.DOWN)  # and it is tried again
    down = next(move for move in bad.moves() if move.now is LinkState.DOWN)
    assert down.why == "the masimo-ascii1 driver failed on what the device sent (IndexError)"
    assert {move.now for move in good.moves()} <= {LinkState.CONNECTING, LinkState.UP, LinkState.SILENT}
    other_cable.unplug()


async def test_a_link_that_cannot_even_be_tried_is_down_with_the_reason(clock: ManualClock) -> None:
    inbox: list[Event] = []

    async def never() -> Link:
        raise ValueError("no such kind of link")

    reader = Reader(Device("x"), Bed("3"), masimo_ascii1.DRIVER, never, inbox.append, clock, dice(), {}, 20.0)
    running = asyncio.create_task(reader.run())
    await until(lambda: inbox)
    running.cancel()
    await asyncio.wait([running])
    assert isinstance(inbox[0], LinkMoved)
    assert "no such kind of link" in inbox[0].why


# A device that must be asked.


class Monitor:
    """A DINAMAP at the other end of a cable: answers what it is asked."""

    def __init__(self, cable: Cable) -> None:
        """Idle, with one pressure measured 42 s ago."""
        self.cable = cable
        self.nibp = dinamap.encode_nibp(42, 138, 84, 102)
        self.asked: list[bytes] = []

    @contextlib.asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Switched on, as long as it lasts."""
        answering = asyncio.create_task(self._answer())
        try:
            yield
        finally:
            answering.cancel()
            await asyncio.wait([answering])

    async def _answer(self) -> None:
        heard = b""
        while True:
            with contextlib.suppress(BlockingIOError, OSError):
                heard += os.read(self.cable.fileno(), 4096)
            while b"\r" in heard:
                question, _, heard = heard.partition(b"\r")
                kind = dinamap.decode_question(question)
                if kind is not None:
                    self.asked.append(kind)
                    await self.cable.send(self._answers().get(kind, dinamap.encode_echo(kind)))
            await asyncio.sleep(0.002)

    def _answers(self) -> Mapping[bytes, bytes]:
        return {
            b" NA": self.nibp,
            b" OA": dinamap.encode_oximeter(97),
            b" RA": dinamap.encode_rate(72),
        }


async def test_a_cuff_is_taken_once_and_at_the_time_it_was_measured(cable: Cable) -> None:
    clock = SteadyClock(speed=10.0)
    bedside = Bedside(cable, clock, dinamap.DRIVER, speed=10.0)
    monitor = Monitor(cable)
    async with monitor.on(), bedside.watched():
        await until(bedside.cuffs)
        await until(lambda: monitor.asked.count(b" NA") > 3)
        await until(bedside.readings)
    assert len(bedside.cuffs()) == 1
    taken = bedside.cuffs()[0]
    assert (taken.cuff.systolic, taken.cuff.diastolic, taken.cuff.mean) == (138, 84, 102)
    assert taken.at_ms - taken.measured_at_ms == 42_000


async def test_a_cuff_ordered_here_reaches_the_monitor_and_a_failed_one_has_no_numbers(cable: Cable) -> None:
    bedside = Bedside(cable, SteadyClock(speed=10.0), dinamap.DRIVER, speed=10.0)
    monitor = Monitor(cable)
    refused = bedside.reader.order_cuff()
    assert refused is not None
    assert "not connected" in refused
    async with monitor.on(), bedside.watched():
        await until(bedside.cuffs)
        assert bedside.reader.order_cuff() is None
        await until(lambda: dinamap.START in monitor.asked)
        monitor.nibp = dinamap.encode_nibp(42, 0, 0, 0, status=next(iter(dinamap.FAILED)))
        await until(lambda: len(bedside.cuffs()) == 2)
        failed = bedside.cuffs()[1].cuff
        assert (failed.systolic, failed.diastolic, failed.quality) == (None, None, Quality.INVALID)
        assert failed.why
        bedside.reader.cancel_cuff()
        await until(lambda: dinamap.CANCEL in monitor.asked)


async def _module(cable: Cable, heard: bytearray) -> None:
    """A SunTech module at rest that answers a stop and a poll, and keeps what it has heard."""
    answers = {suntech.ABORT: suntech.encode_packet(b"A"), suntech.POLL: suntech.encode_pressure(0)}
    while True:
        with contextlib.suppress(BlockingIOError, OSError):
            heard += (new := os.read(cable.fileno(), 4096))
            for command, answer in answers.items():
                await cable.send(answer * new.count(command))
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("backend", ["serialx", "pyserial"])
async def test_a_cable_pulled_under_a_cuff_ends_it_and_the_next_connection_begins_with_a_stop(
    cable: Cable, backend: str
) -> None:
    bedside = Bedside(cable, SteadyClock(speed=4.0), suntech.DRIVER, speed=4.0, backend=backend)
    heard = bytearray()
    async with bedside.watched():
        module = asyncio.create_task(_module(cable, heard))
        await until(lambda: bedside.reader.state is LinkState.UP)
        assert heard.startswith(suntech.ABORT)
        assert bedside.reader.order_cuff() is None
        await until(lambda: suntech.START in heard)
        cable.unplug()
        await until(bedside.cuffs)
        (lost,) = bedside.cuffs()
        assert (lost.cuff.systolic, lost.cuff.quality) == (None, Quality.INVALID)
        assert lost.cuff.why == "the line to the cuff was lost while it was measuring"
        heard.clear()
        cable.plug_in()
        await until(lambda: len(heard) >= len(suntech.ABORT))
        assert heard.startswith(suntech.ABORT)
        module.cancel()
        await asyncio.wait([module])


async def test_a_cuff_cannot_be_ordered_of_an_oximeter(bedside: Bedside) -> None:
    assert "start it at the monitor" in (bedside.reader.order_cuff() or "")
    bedside.reader.cancel_cuff()


async def test_a_monitor_that_stops_answering_is_silent_and_asked_on(cable: Cable) -> None:
    bedside = Bedside(cable, SteadyClock(speed=20.0), dinamap.DRIVER, speed=20.0)
    monitor = Monitor(cable)
    async with bedside.watched():
        async with monitor.on():
            await until(lambda: bedside.reader.state is LinkState.UP)
        await until(lambda: bedside.reader.state is LinkState.SILENT)
        async with monitor.on():
            await until(lambda: bedside.reader.state is LinkState.UP)


# Behind a broker.


NAMED = {vital.value: vital for vital in Vital}


class BareNumbers:
    """A codec for bare numbers: the topic's last level says which vital."""

    def message(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> list[Said]:
        """Retained ones are of unknown age: not live."""
        assert at_ms > 0
        if retained:
            return []
        return [Sample(NAMED[topic.rpartition("/")[2]], float(payload))]


NUMBERS = Driver("numbers", ("gateway",), "mqtt", lambda _: BareNumbers(), (Vital.SPO2,), hint="is it on?")


def mqtt_bedside(broker: Broker, name: str, clock: Clock) -> tuple[MqttReader, list[Event]]:
    inbox: list[Event] = []
    reader = MqttReader(
        Device(name),
        Bed("3"),
        NUMBERS,
        lambda: broker.open([f"home/{name}/#"]),
        inbox.append,
        clock,
        dice(),
        {},
    )
    return reader, inbox


async def test_F26_a_killed_broker_is_noticed_by_its_own_devices_only(
    mosquitto: Mosquitto, cable: Cable
) -> None:
    clock = SteadyClock()
    broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port), dice())
    one, inbox = mqtt_bedside(broker, "one", clock)
    two, _ = mqtt_bedside(broker, "two", clock)
    wired = Bedside(cable, clock, speed=1.0)
    running = [asyncio.create_task(each.run()) for each in (broker, one, two)]
    async with wired.watched():
        await until(lambda: any("waiting" in getattr(event, "why", "") for event in inbox))
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
            await gateway.publish("home/one/spo2", b"95", qos=1, retain=True)
            await gateway.publish("home/one/spo2", b"97", qos=1)
            await gateway.publish("home/one/nonsense", b"97", qos=1)
        await until(lambda: one.state is LinkState.DOWN)  # its codec raised on nonsense
        await until(lambda: one.state is not LinkState.DOWN)
        assert [event.value for event in inbox if isinstance(event, Reading)][-1] == 97
        mosquitto.kill()
        await until(lambda: one.state is two.state is LinkState.DOWN, 2.0)
        assert "broker 127.0.0.1" in _last_move(inbox).why
        await wired.says(97)
        await until(lambda: wired.reader.state is LinkState.UP)
        mosquitto.start()
        async with asyncio.timeout(PUTTING_BACK_S):
            await until(lambda: one.state is two.state is LinkState.CONNECTING)
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
            await gateway.publish("home/one/spo2", b"96", qos=1)
        await until(lambda: one.state is LinkState.UP)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    assert LinkState.DOWN not in {move.now for move in wired.moves()}


class Subscription:
    """A subscription that is there, and on which nothing comes."""

    why = ""

    async def messages(self) -> list[tuple[str, bytes, bool]]:
        """Nothing, for ever."""
        await asyncio.Event().wait()
        return []

    async def pour(self, into: Callable[[Message], None]) -> None:  # noqa: ARG002  nothing comes
        """Nothing, for ever."""
        await asyncio.Event().wait()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Nobody listens."""

    async def close(self) -> None:
        """Nothing to give up."""


async def test_a_gateway_that_speaks_rarely_is_silent_after_its_own_time() -> None:
    inbox: list[Event] = []

    async def there() -> MessageLink:
        return Subscription()

    options = {"silent_after_s": 120}
    reader = MqttReader(
        Device("cuff-1"),
        Bed("3"),
        mqtt_native.DRIVER,
        there,
        inbox.append,
        SteadyClock(speed=400.0),
        dice(),
        options,
        400.0,
    )
    running = asyncio.create_task(reader.run())
    await until(lambda: reader.state is LinkState.SILENT)
    running.cancel()
    await asyncio.wait([running])
    silent = _last_move(inbox)
    assert silent.at_ms - silent.since_ms >= 120_000


def _last_move(inbox: list[Event]) -> LinkMoved:
    return next(event for event in reversed(inbox) if isinstance(event, LinkMoved))


def test_the_configuration_says_which_reader(clock: ManualClock) -> None:
    def made(driver: str, link: str) -> object:
        return reader_for(Device("x"), Bed("3"), driver, link, "serialx", {}, [], print, clock, dice())

    assert isinstance(made("masimo-ascii1", "/dev/ttyUSB0"), Reader)
    with pytest.raises(KeyError):
        made("masimo", "/dev/ttyUSB0")


# listen, ports.


async def lines_of(
    cable: Cable, raw: io.BytesIO, send: Callable[[], Awaitable[None]], **options: Any
) -> list[dict[str, Any]]:
    """What is listened to of what is sent, once the port is open: `raw` shows when."""
    found: list[dict[str, Any]] = []

    async def collect() -> None:
        async for one in listen(masimo_ascii1.DRIVER, cable.name, raw=raw, **options):
            found.append(one)  # noqa: PERF401  what came before a failure is wanted, too

    collecting = asyncio.create_task(collect())
    while not raw.getvalue():
        await cable.send(b"\r\n")  # no line, no word
        with contextlib.suppress(TimeoutError):
            await until(raw.getvalue, 0.02)
    await send()
    await asyncio.wait_for(collecting, 10)
    return found


async def test_listen_shows_what_a_monitor_says_and_keeps_its_bytes(cable: Cable) -> None:
    raw = io.BytesIO()
    sent = line(97, START_MS / 1000) + b"gar\x1bbage\r\n"
    found = await lines_of(cable, raw, lambda: cable.send(sent), seconds=0.6)
    assert raw.getvalue().lstrip() == sent
    assert found[0]["kind"] == "sample"
    assert (found[0]["vital"], found[0]["value"]) == ("spo2", 97)
    assert found[-1]["kind"] == "fault"
    assert all(sign >= " " for one in found for sign in json.dumps(one))


async def test_listen_ends_with_the_cable_and_says_what_was_left(cable: Cable) -> None:
    raw = io.BytesIO()
    half = line(97, START_MS / 1000)[:20]

    async def half_and_gone() -> None:
        await cable.send(half)
        await until(lambda: raw.getvalue().endswith(half))
        cable.unplug()

    found = await lines_of(cable, raw, half_and_gone)
    assert found == [{"kind": "fault", "reason": "unfinished frame at the end", "dropped": 20}]


async def test_listen_to_nothing_is_a_lost_link(tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="is the cable plugged in"):
        await anext(listen(masimo_ascii1.DRIVER, str(tmp_path / "ttyUSB9")))


async def test_listen_to_a_topic(mosquitto: Mosquitto) -> None:
    raw = io.BytesIO()
    url = f"mqtt://127.0.0.1:{mosquitto.port}/home/one/%23"
    enough = asyncio.Event()
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:

        async def keep_saying() -> None:
            while not enough.is_set():
                await gateway.publish("home/one/spo2", b"97", qos=1)
                await asyncio.sleep(0.02)

        saying = asyncio.create_task(keep_saying())
        words = listen(NUMBERS, url, raw=raw)
        async with asyncio.timeout(10):
            first = await anext(words)
            await words.aclose()
        enough.set()
        await saying
    assert (first["vital"], first["value"]) == ("spo2", 97)
    kept = json.loads(raw.getvalue().splitlines()[0])
    assert (kept["topic"], kept["payload"], kept["retained"]) == ("home/one/spo2", "97", False)


def test_ports_go_by_their_lasting_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_id, by_path = tmp_path / "by-id", tmp_path / "by-path"
    node, plain, bare = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1", tmp_path / "ttyS0"
    for made in (by_id, by_path):
        made.mkdir()
    for made in (node, plain, bare):
        made.touch()
    (by_id / "usb-FTDI_A1-if00").symlink_to(node)
    (by_path / "pci-1").symlink_to(node)
    (by_path / "pci-2").symlink_to(plain)
    here = [_Info(str(bare)), _Info(str(plain)), _Info(str(node), "FTDI", "A1")]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: here)
    found = {port.device: (port.name, port.what) for port in ports((by_id, by_path))}
    assert found == {
        str(node): (str(by_id / "usb-FTDI_A1-if00"), "FTDI A1"),
        str(plain): (str(by_path / "pci-2"), "serial port"),
        str(bare): (str(bare), "serial port"),
    }


@dataclasses.dataclass
class _Info:
    """What pyserial says of a port."""

    device: str
    manufacturer: str | None = None
    product: str | None = None
    serial_number: str | None = None

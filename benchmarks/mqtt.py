"""MQTT message to inbox, against aiomqtt on the same Mosquitto; and an array of 500 readings.

CPU time of the receiving thread per message at QoS 1, one message a millisecond, published by another thread.
The goal is set against aiomqtt alone, which delivers bytes and looks into none of them; ours has decoded,
judged and screened three values by then. Beside it stands aiomqtt with msgspec parsing the same message into
typed observations, which is the least that anybody who wants its numbers must do.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import aiomqtt
import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.measure import Row, alone, at_most, collector_off, plain, table
from monitor.clock import SteadyClock
from monitor.devices.codecs import mqtt_map, mqtt_native
from monitor.devices.links.link import MessageLink
from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.devices.reader import MqttReader
from monitor.model import Bed, Device, Event, LinkMoved, Reading, Vital

TURNS = 6
MESSAGES = 1_000
EVERY_S = 0.001
PATIENCE_S = 30.0
GOAL = 1.15
READINGS = 500
GOAL_READING_NS = 300
DEVICE = "rad8-1"
TOPIC = mqtt_native.topic("clinic", "room1", DEVICE, "numeric")
VALUES = ((Vital.SPO2, 97.0, "valid"), (Vital.PULSE_SPO2, 72.0, "valid"), (Vital.PERFUSION, 4.96, "valid"))


def rows() -> list[Row]:
    """The message, and the array."""
    with mosquitto() as port, collector_off():
        turns = [asyncio.run(one_turn(port, turn)) for turn in range(TURNS + 1)][1:]
    alone_ratio, parsed_ratio = (median(turn[0] / turn[which] for turn in turns) for which in (1, 2))
    ours, alone_us, parsed_us = (median(turn[which] for turn in turns) for which in (0, 1, 2))
    decoded, told = array_of_readings()
    return [
        at_most(
            "MQTT message of 3 values to inbox / aiomqtt alone",
            alone_ratio,
            GOAL,
            "x",
            f"{ours:.0f} / {alone_us:.0f} us",
        ),
        plain(
            "MQTT message of 3 values to inbox / aiomqtt and msgspec",
            parsed_ratio,
            "x",
            f"{ours:.0f} / {parsed_us:.0f} us",
        ),
        at_most(
            f"array of {READINGS} readings, a reading",
            told,
            GOAL_READING_NS,
            "ns",
            "decoded and in the inbox",
        ),
        plain(f"array of {READINGS} readings, a reading decoded", decoded, "ns"),
    ]


async def one_turn(port: int, turn: int) -> tuple[float, float, float]:
    """Microseconds a message of the reader, of aiomqtt alone and of aiomqtt with parsing, taking turns."""
    jobs = [through_the_reader, aiomqtt_alone, aiomqtt_and_msgspec]
    cost_us = {}
    for job in jobs[turn % 3 :] + jobs[: turn % 3]:
        cost_us[job] = await job(port)
    return cost_us[jobs[0]], cost_us[jobs[1]], cost_us[jobs[2]]


async def aiomqtt_alone(port: int) -> float:
    """What the library's own loop costs when nobody looks into the messages."""
    return await _aiomqtt(port, lambda _: None)


async def aiomqtt_and_msgspec(port: int) -> float:
    """The same, each message parsed into typed observations."""
    return await _aiomqtt(port, msgspec.json.Decoder(Message).decode)


class Observation(msgspec.Struct):
    """One value as the schema has it."""

    vital: str
    value: float | None
    unit: str
    quality: str


class Message(msgspec.Struct):
    """What is needed of a message to know its values, their time and their order."""

    device: str
    boot: str
    seq: int
    sample_ts: str
    observations: list[Observation]


async def _aiomqtt(port: int, look: Callable[[bytes], object]) -> float:
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(TOPIC, qos=1)
        with publishing(port):
            begin = 0.0
            heard = 0
            async with asyncio.timeout(PATIENCE_S):
                async for message in client.messages:
                    begin = begin or time.thread_time()
                    look(message.payload)
                    heard += 1
                    if heard == MESSAGES:
                        break
            return (time.thread_time() - begin) / (MESSAGES - 1) * 1e6


async def through_the_reader(port: int) -> float:
    """The whole way: broker, subscription, codec, screening, three readings in the inbox."""
    rng = random.Random(7)  # noqa: S311  jitter
    broker = Broker(BrokerAddress("127.0.0.1", port), rng)
    moves: list[LinkMoved] = []
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    begin = 0.0
    heard = 0

    def put(event: Event) -> None:
        nonlocal begin, heard
        if isinstance(event, Reading):
            heard += 1
            begin = begin or time.thread_time()
            if heard == MESSAGES * len(VALUES):
                over.set_result(None)
        elif isinstance(event, LinkMoved):
            moves.append(event)

    reader = MqttReader(
        Device(DEVICE),
        Bed("3"),
        mqtt_native.DRIVER,
        lambda: broker.open([TOPIC]),
        put,
        SteadyClock(),
        rng,
        {},
    )
    running = [asyncio.create_task(each.run()) for each in (broker, reader)]
    while not any("waiting" in move.why for move in moves):  # noqa: ASYNC110  a benchmark may look
        await asyncio.sleep(0.005)
    with publishing(port):
        async with asyncio.timeout(PATIENCE_S):
            await over
        spent = time.thread_time() - begin
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    return spent / (MESSAGES - 1) * 1e6


@contextmanager
def publishing(port: int) -> Iterator[None]:
    """Another thread that plays the bridge: a message a millisecond."""
    thread = threading.Thread(target=_publish, args=(port,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _publish(port: int) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    due = time.monotonic() + 0.05
    boot = f"{time.time_ns():x}"
    begin = datetime.now(UTC)
    sent = []
    for seq in range(MESSAGES):
        # Each at its own millisecond: the same time again would be taken for the same values again.
        stamp = (begin + timedelta(milliseconds=seq)).isoformat(timespec="milliseconds")
        payload = mqtt_native.encode_numeric(DEVICE, boot, seq, stamp, VALUES)
        sent.append(client.publish(TOPIC, payload, qos=1))
        due += EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))
    for each in sent:  # leaving with messages in hand would lose them
        each.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def array_of_readings() -> tuple[float, float]:
    """Nanoseconds a reading of one array message: decoded only, and all the way into the inbox."""
    rng = random.Random(7)  # noqa: S311  jitter
    inbox: list[Event] = []
    clock = SteadyClock()
    reader = MqttReader(Device(DEVICE), Bed("3"), mqtt_map.DRIVER, _never, inbox.append, clock, rng, {})
    seq = 0

    def payload() -> bytes:
        # Every message at its own time: the same one again would be dropped as a repeat.
        nonlocal seq
        seq += 1
        begin_ms = clock.now_ms() - 4_000 + seq
        return msgspec.json.encode(
            [
                {
                    "ts": begin_ms + 30 * at,
                    "values": {"spo2": 97, "pr_spo2": 72 + seq % 9, "pi": 4.96, "rr": 14, "etco2": 38},
                }
                for at in range(READINGS // 5)
            ]
        )

    def decode() -> None:
        said = decoder.message("x", payloads.pop(), retained=False, at_ms=clock.now_ms())
        if len(said) != READINGS:
            raise AssertionError(f"{len(said)} of {READINGS} readings decoded")

    def tell() -> None:
        inbox.clear()
        message = payloads.pop()
        now_ms = clock.now_ms()
        reader.take("x", message, now_ms, retained=False)

    decoder = mqtt_map.DRIVER.decoder({})
    payloads = [payload() for _ in range(20)]
    decoded = alone(decode)
    payloads = [payload() for _ in range(20)]
    told = alone(tell)
    if sum(isinstance(event, Reading) for event in inbox) != READINGS:
        raise AssertionError("not every reading came into the inbox")
    return decoded / READINGS * 1e9, told / READINGS * 1e9


async def _never() -> MessageLink:
    raise OSError("there is no link here")


@contextmanager
def mosquitto() -> Iterator[int]:
    """A broker of our own on a loopback port."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("Mosquitto is needed: apt-get install mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", "utf-8")
        process = subprocess.Popen(
            [program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(250):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                    break
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    print(table(rows()))

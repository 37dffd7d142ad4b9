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
from monitor.alerts import limits
from monitor.clock import SteadyClock
from monitor.devices.codecs import mqtt_map, mqtt_native
from monitor.devices.links.link import MessageLink
from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.devices.reader import MqttReader
from monitor.model import (
    Admitted,
    Baseline,
    Bed,
    Device,
    Event,
    LinkMoved,
    Reading,
    Readings,
    ServiceStarted,
    Staff,
    Vital,
)
from monitor.plan import DevicePlan, Plan
from monitor.planning import shipped
from monitor.ward import Ward

TURNS = 6
MESSAGES = 1_000
EVERY_S = 0.001
PATIENCE_S = 30.0
GOAL = 1.15
READINGS = 500
ROWS = READINGS // 5
EVERY_MS = 30
GOAL_READING_NS = 300
BED = Bed("3")
DEVICE = "rad8-1"
TOPIC = mqtt_native.topic("clinic", "room1", DEVICE, "numeric")
VALUES = ((Vital.SPO2, 97.0, "valid"), (Vital.PULSE_SPO2, 72.0, "valid"), (Vital.PERFUSION, 4.96, "valid"))


def rows() -> list[Row]:
    """The message, and the array."""
    with mosquitto() as port, collector_off():
        turns = [asyncio.run(one_turn(port, turn)) for turn in range(TURNS + 1)][1:]
    alone_ratio, parsed_ratio = (median(turn[0] / turn[which] for turn in turns) for which in (1, 2))
    ours, alone_us, parsed_us = (median(turn[which] for turn in turns) for which in (0, 1, 2))
    decoded, told, heard = array_of_readings()
    _, odd, heard_odd = array_of_readings(odd=True)
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
        plain(f"array of {READINGS} readings, a reading heard by the ward", heard, "ns", "nothing moves"),
        plain(
            f"array of {READINGS} readings with a null among them, a reading",
            odd,
            "ns",
            f"decoded and in the inbox; {heard_odd:.0f} ns more in the ward",
        ),
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
        BED,
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


def array_of_readings(*, odd: bool = False) -> tuple[float, float, float]:
    """Nanoseconds a reading of one array message: decoded only, all the way to the inbox, and in the ward.

    `odd`: one value of the array is null, so that all of it is read one by one.
    """
    begin_ms = SteadyClock().now_ms() - 60_000
    messages = [(begin_ms + ROWS * EVERY_MS * (1 + at), _array(begin_ms, at, odd=odd)) for at in range(20)]
    inbox: list[Event] = []
    rng = random.Random(7)  # noqa: S311  jitter
    reader = MqttReader(Device(DEVICE), BED, mqtt_map.DRIVER, _never, inbox.append, SteadyClock(), rng, {})
    decoder = mqtt_map.DRIVER.decoder({})
    waiting: list[tuple[int, bytes]] = []

    def decode() -> None:
        at_ms, payload = waiting.pop()
        decoder.message("x", payload, retained=False, at_ms=at_ms)

    def tell() -> None:
        inbox.clear()
        at_ms, payload = waiting.pop()
        reader.take("x", payload, at_ms, retained=False)

    def hear() -> None:
        for event in told:
            ward.feed(event)

    waiting = messages[::-1]
    decode_s = alone(decode)
    waiting = messages[::-1]
    tell_s = alone(tell)
    told = [event for event in inbox if isinstance(event, Reading | Readings)]
    if sum(len(event) if isinstance(event, Readings) else 1 for event in told) != READINGS:
        raise AssertionError("not every reading came into the inbox")
    ward = _with_a_patient(begin_ms)
    hear_s = alone(hear)
    if ward.feed(told[-1]) != [told[-1]]:
        raise AssertionError("the ward has not heard it")
    return decode_s / READINGS * 1e9, tell_s / READINGS * 1e9, hear_s / READINGS * 1e9


def _array(begin_ms: int, number: int, *, odd: bool) -> bytes:
    """What a gateway sends that keeps its values for three seconds, and goes on where it has stopped."""
    rows = [
        {
            "ts": begin_ms + EVERY_MS * (number * ROWS + at),
            "values": {"spo2": 97, "pr_spo2": 72 + number % 9, "pi": 4.96, "rr": 14, "etco2": 38},
        }
        for at in range(ROWS)
    ]
    if odd:
        rows[ROWS // 2] |= {"values": {"spo2": None, "pr_spo2": 72, "pi": 4.96, "rr": 14, "etco2": 38}}
    return msgspec.json.encode(rows)


def _with_a_patient(at_ms: int) -> Ward:
    vitals = frozenset(mqtt_map.DRIVER.vitals)
    profile = limits.profile(shipped("watch"))
    ward = Ward(
        Plan(
            beds=((BED, ""),),
            devices=(DevicePlan(Device(DEVICE), "mqtt-map", BED, vitals),),
            profiles={profile.name: profile},
            people={},
        )
    )
    ward.feed(ServiceStarted(at_ms, "benchmark", None))
    ward.feed(Admitted(at_ms, BED, "A1", Baseline(), profile.name, None, Staff("benchmark")))
    return ward


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

"""Gateways and nodes on a real broker: what a reader asks them, and hears and says of them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from monitor.clock import SteadyClock
from monitor.devices.codecs import DRIVERS
from monitor.devices.codecs.sparkplug import INT32, INT64, Metric, encode, is_rebirth
from monitor.devices.lines import decode
from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.devices.listen import listen
from monitor.devices.reader import DeviceReader, reader_for
from monitor.model import Bed, Device, DeviceNoted, Event, LinkMoved, LinkState, Reading, Vital
from tests.shells.conftest import Mosquitto, dice, until

pytestmark = pytest.mark.real

MAP = [{"metric": "SpO2", "vital": "spo2"}]
NODE = {"shape": "sparkplug", "device": {"is": "oxi"}, "map": MAP}
TOPICS = "spBv1.0/clinic/+/gw/%23"


class Node:
    """A node on a connection of its own."""

    def __init__(self, gateway: aiomqtt.Client) -> None:
        """It has said nothing yet."""
        self.gateway = gateway
        self.clock = SteadyClock()
        self.seq = 0

    async def sends(self, kind: str, *metrics: Metric, of: str = "") -> None:
        """The node's next message."""
        seq = None if kind == "NDEATH" else self.seq
        if seq is not None:
            self.seq = (self.seq + 1) % 256
        payload = encode(metrics, seq=seq, sent_ms=self.clock.now_ms())
        await self.gateway.publish(f"spBv1.0/clinic/{kind}/gw{of}", payload, qos=1)

    async def is_born(self) -> None:
        """Node and device."""
        self.seq = 0
        await self.sends("NBIRTH", Metric("bdSeq", 3, datatype=INT64))
        await self.sends("DBIRTH", Metric("SpO2", None, 1, datatype=INT32), of="/oxi")

    async def measures(self, spo2: int) -> None:
        """A value by alias."""
        await self.sends("DDATA", Metric(None, spo2, 1, self.clock.now_ms(), INT32), of="/oxi")


class Listening(Node):
    """The same, and a reader of its device with its inbox."""

    def __init__(self, reader: DeviceReader, inbox: list[Event], gateway: aiomqtt.Client) -> None:
        """Everything runs already."""
        super().__init__(gateway)
        self.reader, self.inbox = reader, inbox

    async def shows(self, spo2: float) -> None:
        """Wait for a live value."""
        await until(lambda: self.live()[-1:] == [spo2])

    def live(self) -> list[float | None]:
        """Every value that was live."""
        found = [e for e in self.inbox if isinstance(e, Reading) and e.vital is Vital.SPO2 and not e.late]
        return [event.value for event in found]

    def why(self) -> str:
        """The link's last word about itself."""
        return next(event.why for event in reversed(self.inbox) if isinstance(event, LinkMoved))


@contextlib.asynccontextmanager
async def listening(mosquitto: Mosquitto, topics: str, options: dict[str, Any]) -> AsyncIterator[Listening]:
    broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port), dice())
    inbox: list[Event] = []
    link = f"mqtt://127.0.0.1:{mosquitto.port}/{topics}"
    reader = reader_for(
        Device("d"), Bed("3"), "mqtt-map", link, "", options, [broker], inbox.append, SteadyClock(), dice()
    )
    tasks = [asyncio.create_task(broker.run()), asyncio.create_task(reader.run())]
    try:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
            await until(lambda: any("waiting" in getattr(event, "why", "") for event in inbox))
            yield Listening(reader, inbox, gateway)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_node_is_asked_for_its_birth_on_the_wire_and_read_after_it(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, TOPICS, NODE) as bed:
        await bed.gateway.subscribe("spBv1.0/clinic/NCMD/gw", qos=1)
        bed.seq = 40
        await bed.measures(97)
        async with asyncio.timeout(10):
            asked = await anext(bed.gateway.messages)
        assert not asked.retain
        assert isinstance(asked.payload, bytes)
        assert is_rebirth(asked.payload)
        assert bed.live() == []
        await bed.is_born()
        await bed.measures(96)
        await bed.shows(96)
        assert bed.reader.state is LinkState.UP


@pytest.mark.parametrize(
    ("death", "of", "words"),
    [("NDEATH", "", "the node has gone"), ("DDEATH", "/oxi", "the node has lost it")],
)
async def test_a_death_makes_the_link_silent_at_once(
    mosquitto: Mosquitto, death: str, of: str, words: str
) -> None:
    async with listening(mosquitto, TOPICS, NODE) as bed:
        await bed.is_born()
        await bed.measures(97)
        await bed.shows(97)
        await bed.sends(death, *([Metric("bdSeq", 3, datatype=INT64)] if not of else []), of=of)
        await until(lambda: bed.reader.state is LinkState.SILENT)
        assert words in bed.why()
        await bed.is_born()
        await bed.measures(95)
        await bed.shows(95)
        assert bed.reader.state is LinkState.UP


async def test_a_broker_that_was_away_leaves_no_alias_believed(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, TOPICS, NODE) as bed:
        await bed.is_born()
        await bed.measures(97)
        await bed.shows(97)
        await bed.gateway.__aexit__(None, None, None)  # the node goes by itself: the broker is for the reader
        mosquitto.kill()
        await until(lambda: bed.reader.state is LinkState.DOWN)
        mosquitto.start()
        await until(lambda: bed.reader.state is LinkState.CONNECTING)
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
            bed.gateway = gateway
            await gateway.subscribe("spBv1.0/clinic/NCMD/gw", qos=1)
            await bed.measures(80)
            async with asyncio.timeout(10):
                await anext(gateway.messages)
            await bed.is_born()
            await bed.measures(96)
            await bed.shows(96)
        assert 80 not in bed.live()


async def test_a_node_that_does_not_obey_is_told_of_where_the_link_is_silent(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, TOPICS, NODE | {"silent_after_s": 1}) as bed:
        await bed.measures(97)
        await until(lambda: "may this service write to spBv1.0/clinic/NCMD/gw?" in bed.why())
        assert bed.live() == []


async def test_messages_that_hold_nothing_for_us_are_said_in_words_of_messages(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, "ward/3", {"shape": "flat", "silent_after_s": 1}) as bed:
        await bed.gateway.publish("ward/3", json.dumps({"name": "x"}), qos=1)
        await until(lambda: bed.reader.state is LinkState.SILENT)
        assert bed.why() == "messages arrive, but they hold nothing that is read here"


async def test_a_gateways_will_is_heard_although_the_link_names_only_the_values(mosquitto: Mosquitto) -> None:
    async with listening(mosquitto, "oxi-3/sensor/+/state", {"preset": "esphome"}) as bed:
        await bed.gateway.publish("oxi-3/sensor/spo2/state", b"97", qos=1)
        await bed.shows(97)
        await bed.gateway.publish("oxi-3/status", b"offline", qos=1, retain=True)
        await until(lambda: bed.reader.state is LinkState.SILENT)
        await bed.gateway.publish("oxi-3/sensor/spo2/state", b"96", qos=1)
        await bed.shows(96)


async def test_a_source_that_was_offline_before_we_came_is_known_to_be(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
        await gateway.publish("oxi-3/status", b"offline", qos=1, retain=True)
        await gateway.publish("oxi-3/sensor/spo2/state", b"88", qos=1, retain=True)
    async with listening(mosquitto, "oxi-3/sensor/+/state", {"preset": "esphome"}) as bed:
        await until(lambda: bed.reader.state is LinkState.SILENT)
        assert bed.why() == "the source says it is offline"
        await until(lambda: any(isinstance(event, DeviceNoted) for event in bed.inbox))
        assert bed.live() == []


async def test_a_retained_online_is_no_sign_of_life(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
        await gateway.publish("oxi-3/status", b"online", qos=1, retain=True)
    async with listening(mosquitto, "oxi-3/sensor/+/state", {"preset": "esphome"}) as bed:
        await until(lambda: any(isinstance(event, DeviceNoted) for event in bed.inbox))
        assert bed.reader.state is LinkState.CONNECTING


async def test_listen_asks_a_node_too_and_keeps_what_decode_reads_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    raw = io.BytesIO()
    driver = DRIVERS["mqtt-map"]
    said: list[dict[str, Any]] = []
    told = asyncio.Event()
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as gateway:
        await gateway.subscribe("spBv1.0/clinic/NCMD/gw", qos=1)
        node = Node(gateway)

        async def speak() -> None:
            while not told.is_set():
                await node.measures(97)
                await asyncio.sleep(0.05)

        async def obey() -> None:
            async for _ in gateway.messages:
                await node.is_born()

        tasks = [asyncio.create_task(speak()), asyncio.create_task(obey())]
        words = listen(driver, f"mqtt://127.0.0.1:{mosquitto.port}/{TOPICS}", raw=raw, options=NODE)
        async with asyncio.timeout(20):
            async for line in words:
                said.append(line)
                if line["kind"] == "sample" and not line.get("late"):
                    break
        await words.aclose()
        told.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert said[-1]["value"] == 97
    assert b"payload_base64" in raw.getvalue()
    (tmp_path / "node.jsonl").write_bytes(raw.getvalue())
    again = [*decode(driver, [(tmp_path / "node.jsonl").read_bytes()], NODE)]
    assert again[: len(said)] == said

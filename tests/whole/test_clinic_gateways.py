"""Gateways in every shape, from processes of their own over a broker to the tile, and to Home Assistant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from simulators.mqtt_map import METRICS
from tests.shells.conftest import Mosquitto
from tests.whole.clinic import Wire, open_clinic, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

NODE = "spBv1.0/clinic/gw/monitor"
MAP = [{"metric": METRICS["spo2"][0], "vital": "spo2"}, {"metric": METRICS["bpm"][0], "vital": "pr_spo2"}]
WIRES = (
    Wire("g1", "mqtt-map", "flat", "mqtt:gateway/flat", {"shape": "flat"}),
    Wire("g2", "mqtt-map", "envelope", "mqtt:///gateway/envelope", {"preset": "thingsboard"}),
    Wire(
        "g3",
        "mqtt-map",
        "scalar",
        "mqtt:///gateway/scalar/sensor/+/state",
        {"shape": "scalar", "availability": {"before": "sensor", "name": "LWT"}},
    ),
    Wire(
        "g4",
        "mqtt-map",
        "sparkplug",
        "mqtt:///spBv1.0/clinic/+/gw/#",
        {"shape": "sparkplug", "device": {"is": "monitor"}, "map": MAP},
    ),
)
SHAPES = tuple(wire.bed for wire in WIRES)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker without accounts."""
    made = Mosquitto(tmp_path)
    made.start()
    yield made
    made.stop()


class HomeAssistant:
    """What somebody sees who reads everything that is said to Home Assistant."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.said: dict[str, bytes] = {}
        self.everything: list[str] = []

    async def listen(self, port: int) -> None:
        """For ever."""
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe([("chairside/#", 1), ("homeassistant/#", 1)])
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self.said[message.topic.value] = message.payload
                self.everything.append(f"{message.topic.value} {message.payload.decode()}")

    def number(self, bed: str) -> Any:
        """What its dashboard shows."""
        there = self.said.get("chairside/status"), self.said.get(f"chairside/bed/{bed}/spo2/available")
        state = self.said.get(f"chairside/bed/{bed}/spo2/state")
        return json.loads(state)["value"] if there == (b"online", b"online") and state else None


async def test_every_shape_reaches_the_tile_and_a_dashboard(
    tmp_path: Path, accounts: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAIRSIDE_MQTT__HOME_ASSISTANT", "true")
    where = f"mqtt://127.0.0.1:{broker.port}"
    home = HomeAssistant()
    listening = asyncio.create_task(home.listen(broker.port))
    async with open_clinic(tmp_path, accounts, WIRES, broker_port=broker.port) as clinic:
        await clinic.headers()
        for shape in SHAPES:
            await clinic.open_session(shape)

        def options(shape: str) -> tuple[str, ...]:
            return ("--option", f"shape={shape}", "--option", "cuff=false")

        for shape in SHAPES[:3]:
            await clinic.simulate("mqtt-map", f"{where}/gateway/{shape}", "N0", *options(shape), name=shape)
        # Every fourth message of the node is lost: each time it must be born again.
        losing = (*options("sparkplug"), "--option", "lost_every=4")
        node = await clinic.simulate("mqtt-map", f"{where}/{NODE}", "N0", *losing, name="node")
        async with await clinic.screen() as screen:
            for shape in SHAPES:
                await screen.until(lambda shape=shape: screen.value(shape, "spo2"))  # type: ignore[misc]
                await screen.until(lambda shape=shape: screen.value(shape, "pr_spo2"))  # type: ignore[misc]
                await until(lambda shape=shape: home.number(shape))  # type: ignore[misc]
                assert screen.links[f"g{SHAPES.index(shape) + 1}"]["state"] == "up"

            seen = len([v for v in screen.values if v[1] == "sparkplug"])
            await screen.until(lambda: len([v for v in screen.values if v[1] == "sparkplug"]) > seen + 8)

            # The node is gone without a goodbye: the broker says so, and the link is silent at once.
            node.kill()
            await screen.until(lambda: screen.links["g4"]["state"] == "silent")
            assert "the node has gone" in screen.links["g4"]["why"]
            await until(lambda: home.number("sparkplug") is None)
            assert home.number("flat") is not None

            await clinic.simulate("mqtt-map", f"{where}/{NODE}", "N0", *options("sparkplug"), name="again")
            await screen.until(lambda: screen.value("sparkplug", "spo2"))
            await until(lambda: home.number("sparkplug"))
        assert await clinic.running.stop() == 0
        await until(lambda: home.said["chairside/status"] == b"offline")
        assert [home.number(shape) for shape in SHAPES] == [None] * len(SHAPES)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert not [line for line in home.everything if "Heron" in line]

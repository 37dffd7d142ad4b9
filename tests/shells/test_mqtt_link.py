"""One broker for its devices, on a real Mosquitto that is killed, frozen, emptied and told to refuse."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from monitor.devices.links.link import LinkLost
from monitor.devices.links.mailbox import WAITING_MAX
from monitor.devices.links.mqtt import (
    PAYLOAD_MAX,
    Broker,
    BrokerAddress,
    MqttLink,
    broker_for,
    matches,
    parse_mqtt_url,
)
from tests.shells.conftest import Mosquitto, descriptors, dice, free_port, until

pytestmark = pytest.mark.real

OXIMETER = "vs1/clinic/room1/rad8/#"
CUFF = "vs1/clinic/room2/par-03/#"
STATUS = "chairside/status"
PASSWORD = "correct-horse"  # noqa: S105  of a broker that lives as long as a test


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with an account that may read the devices' topics and write nothing."""
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "accounts", "reader", PASSWORD], check=True)
    (tmp_path / "access").write_text("user reader\ntopic read vs1/#\n")
    for name in ("accounts", "access"):
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    made = Mosquitto(
        tmp_path,
        f"allow_anonymous false\npassword_file {tmp_path}/accounts\nacl_file {tmp_path}/access\nuser root\n",
    )
    made.start()
    yield made
    made.stop()


@contextlib.asynccontextmanager
async def connected(
    mosquitto: Mosquitto, said: list[str] | None = None, **address: str
) -> AsyncIterator[Broker]:
    told = said if said is not None else []
    where = BrokerAddress("127.0.0.1", mosquitto.port, availability=STATUS, **address)  # type: ignore[arg-type]
    broker = Broker(where, dice(), told.append)
    running = asyncio.create_task(broker.run())
    try:
        yield broker
    finally:
        running.cancel()
        await asyncio.wait([running])


@contextlib.asynccontextmanager
async def somebody(mosquitto: Mosquitto) -> AsyncIterator[aiomqtt.Client]:
    """A gateway, or whoever else is on the broker."""
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        yield client


async def next_of(link: MqttLink) -> list[tuple[str, bytes, bool]]:
    async with asyncio.timeout(10):
        return await link.messages()


async def reopened(broker: Broker, topic: str) -> MqttLink:
    """What a reader does: it tries until the broker is back."""
    while True:
        with contextlib.suppress(LinkLost):
            return await broker.open([topic])


async def test_each_device_hears_its_own_topic_and_no_other(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        oximeter, cuff = await broker.open([OXIMETER], 10), await broker.open([CUFF])
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"97", qos=1)
        await gateway.publish("vs1/clinic/room2/par-03/episodic", b"142/92", qos=1)
        assert await next_of(oximeter) == [("vs1/clinic/room1/rad8/numeric", b"97", False)]
        assert await next_of(cuff) == [("vs1/clinic/room2/par-03/episodic", b"142/92", False)]


async def test_what_waited_is_poured_first_then_what_comes_and_the_end_is_the_brokers(
    mosquitto: Mosquitto,
) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        link = await broker.open([OXIMETER], 10)
        beside = await broker.open([OXIMETER])
        topic = "vs1/clinic/room1/rad8/numeric"
        await gateway.publish(topic, b"97", qos=1)
        await next_of(beside)  # and so it waits on the other one, too
        heard: list[bytes] = []
        pouring = asyncio.create_task(link.pour(lambda message: heard.append(message[1])))
        await gateway.publish(topic, b"96", qos=1)
        await until(lambda: heard == [b"97", b"96"])
        mosquitto.kill()
        await asyncio.wait_for(pouring, 2)
    await link.pour(lambda message: heard.append(message[1]))
    assert heard == [b"97", b"96"]


async def test_who_chokes_on_a_message_is_told_and_nobody_beside_him_notices(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        link, beside = await broker.open([OXIMETER], 10), await broker.open([OXIMETER])
        numbers: list[int] = []
        pouring = asyncio.create_task(link.pour(lambda message: numbers.append(int(message[1]))))
        await asyncio.sleep(0)
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"ninety", qos=1)
        with pytest.raises(ValueError, match="ninety"):
            await asyncio.wait_for(pouring, 10)
        assert [payload for _, payload, _ in await next_of(beside)] == [b"ninety"]
        assert broker.up


async def test_F27_a_retained_message_is_marked_as_such(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"97", qos=1, retain=True)
        link = await broker.open([OXIMETER], 10)
        assert await next_of(link) == [("vs1/clinic/room1/rad8/numeric", b"97", True)]
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"96", qos=1, retain=True)
        assert await next_of(link) == [("vs1/clinic/room1/rad8/numeric", b"96", False)]


async def test_F26_a_killed_broker_takes_its_devices_down_and_is_found_again(
    mosquitto: Mosquitto,
) -> None:
    async with connected(mosquitto) as broker:
        oximeter, cuff = await broker.open([OXIMETER], 10), await broker.open([CUFF])
        mosquitto.kill()
        async with asyncio.timeout(2):
            assert await oximeter.messages() == []
            assert await cuff.messages() == []
        assert not broker.up
        assert oximeter.why.startswith(f"broker 127.0.0.1:{mosquitto.port}: ")
        assert await oximeter.messages() == []
        with pytest.raises(LinkLost, match="broker 127"):
            await oximeter.publish("vs1/clinic/room1/rad8/cmd", b"{}")
        with pytest.raises(LinkLost, match="broker 127"):
            await broker.open([OXIMETER])
        mosquitto.start()  # and empty: it has forgotten who we were
        async with asyncio.timeout(5):
            again = await reopened(broker, OXIMETER)
        async with somebody(mosquitto) as gateway:
            await gateway.publish("vs1/clinic/room1/rad8/numeric", b"97", qos=1)
            assert await next_of(again) == [("vs1/clinic/room1/rad8/numeric", b"97", False)]
            await _status_becomes(gateway, b"online")


async def test_F26_a_hung_broker_is_noticed_in_ten_seconds(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker:
        link = await broker.open([OXIMETER], 10)
        mosquitto.freeze()
        async with asyncio.timeout(10):
            assert await link.messages() == []
        mosquitto.thaw()
        async with asyncio.timeout(5):
            await reopened(broker, OXIMETER)


async def test_a_broker_that_hangs_at_the_sign_in_leaves_nothing_open(mosquitto: Mosquitto) -> None:
    mosquitto.freeze()
    said: list[str] = []
    before = descriptors()
    async with connected(mosquitto, said) as broker:
        await until(lambda: said)
        assert "does not answer" in said[0]
        await until(lambda: descriptors() <= before + 1)
        with pytest.raises(LinkLost, match="does not answer"):
            await broker.open([OXIMETER], 0.01)
        mosquitto.thaw()
        await broker.open([OXIMETER], 10)
    await until(lambda: descriptors() <= before)


async def test_a_broker_that_is_off_is_said_once_and_in_words(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    said: list[str] = []
    async with connected(mosquitto, said) as broker:
        await until(lambda: said)
        for _ in range(3):
            with pytest.raises(LinkLost, match="is the broker running"):
                await broker.open([OXIMETER], 0.3)
        assert len(said) == 1
        assert "Errno" not in said[0]
    mosquitto.start()


async def test_a_broker_can_be_left_at_any_moment(mosquitto: Mosquitto) -> None:
    before = descriptors()
    for milliseconds in range(0, 60, 2):
        broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port, availability=STATUS), dice())
        running = asyncio.create_task(broker.run())
        await asyncio.wait([running], timeout=milliseconds / 1000)
        running.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([running])
    await until(lambda: descriptors() <= before)


async def test_our_last_will_and_our_birth_are_there_for_everybody(mosquitto: Mosquitto) -> None:
    async with somebody(mosquitto) as watcher:
        async with connected(mosquitto) as broker:
            await broker.open([OXIMETER], 10)
            await _status_becomes(watcher, b"online")
        await _status_becomes(watcher, b"offline")


async def test_the_road_is_proved_by_a_message_to_ourselves(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker:
        await until(lambda: broker.road_open is not None)
        assert broker.road_open is True


async def test_a_publish_the_broker_refuses_is_found_out(guarded: Mosquitto) -> None:
    said: list[str] = []
    async with connected(guarded, said, user="reader", password=PASSWORD) as broker:
        await until(lambda: broker.road_open is not None)
        assert broker.road_open is False
        assert any("did not bring it back" in text and "access list" in text for text in said)
        assert broker.up  # listening may still work: devices decide by what they hear


async def test_a_refused_sign_in_is_said_in_words_and_without_the_password(guarded: Mosquitto) -> None:
    said: list[str] = []
    async with connected(guarded, said, user="reader", password="not-" + PASSWORD) as broker:
        await until(lambda: said)
        assert "refuses the sign-in" in said[0]
        assert PASSWORD not in said[0] + repr(broker.address)
        with pytest.raises(LinkLost, match="refuses the sign-in"):
            await broker.open([OXIMETER], 0.01)


async def test_T20_a_message_beyond_the_bound_is_dropped_and_counted(mosquitto: Mosquitto) -> None:
    said: list[str] = []
    async with connected(mosquitto, said) as broker, somebody(mosquitto) as gateway:
        link = await broker.open([OXIMETER], 10)
        topic = "vs1/clinic/room1/rad8/numeric"
        for size in (PAYLOAD_MAX + 1, PAYLOAD_MAX + 1, PAYLOAD_MAX):
            await gateway.publish(topic, b"x" * size, qos=1)
        assert [len(payload) for _, payload, _ in await next_of(link)] == [PAYLOAD_MAX]
        assert broker.oversized == 2
        assert sum("dropped" in text for text in said) == 1


async def test_F20_a_flood_nobody_reads_keeps_the_newest(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        flooded, calm = await broker.open([OXIMETER], 10), await broker.open([CUFF])
        for number in range(WAITING_MAX + 50):
            await gateway.publish("vs1/clinic/room1/rad8/numeric", b"%d" % number)
        await gateway.publish("vs1/clinic/room2/par-03/episodic", b"142/92", qos=1)
        assert await next_of(calm) == [("vs1/clinic/room2/par-03/episodic", b"142/92", False)]
        kept = await next_of(flooded)
        assert flooded.dropped == 50
        assert [kept[0][1], kept[-1][1]] == [b"50", b"%d" % (WAITING_MAX + 49)]


async def test_many_publishes_at_once_all_arrive(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker:
        link = await broker.open([OXIMETER], 10)
        topic = "vs1/clinic/room1/rad8/cmd"
        await asyncio.gather(*(link.publish(topic, b"%d" % number) for number in range(100)))
        heard: set[bytes] = set()
        while len(heard) < 100:
            heard |= {payload for _, payload, _ in await next_of(link)}


async def test_a_subscription_given_up_hears_nothing_more(mosquitto: Mosquitto) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        gone, stays = await broker.open([OXIMETER], 10), await broker.open(["vs1/clinic/room1/#"])
        await gone.close()
        await gone.close()
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"97", qos=1)
        assert len(await next_of(stays)) == 1
        assert await gone.messages() == []


async def test_two_devices_on_one_filter_both_hear_and_the_last_one_turns_out_the_light(
    mosquitto: Mosquitto,
) -> None:
    async with connected(mosquitto) as broker, somebody(mosquitto) as gateway:
        one, other = await broker.open([OXIMETER], 10), await broker.open([OXIMETER])
        await one.close()
        await gateway.publish("vs1/clinic/room1/rad8/numeric", b"97", qos=1)
        assert len(await next_of(other)) == 1


async def test_an_older_broker_is_spoken_to_in_its_own_version_and_that_is_said_once() -> None:
    said: list[str] = []
    versions: list[int] = []
    port = free_port()

    async def old_broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Knows MQTT 3.1.1 only: takes its CONNECT and every SUBSCRIBE and PUBLISH (3.1.1, chapter 3)."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind = (await reader.readexactly(1))[0] >> 4
                body = await reader.readexactly((await reader.readexactly(1))[0])
                if kind == 1:
                    versions.append(body[6])
                    writer.write(b"\x20\x02\x00\x00" if body[6] == 4 else b"\x20\x02\x00\x01")
                elif kind == 8:
                    writer.write(b"\x90\x03" + body[:2] + b"\x01")
                elif kind == 3:
                    at = 2 + int.from_bytes(body[:2], "big")
                    writer.write(b"\x40\x02" + body[at : at + 2])
        writer.close()

    server = await asyncio.start_server(old_broker, "127.0.0.1", port)
    broker = Broker(BrokerAddress("127.0.0.1", port), dice(), said.append)
    running = asyncio.create_task(broker.run())
    await broker.open([OXIMETER], 10)
    running.cancel()
    await asyncio.wait([running])
    server.close()
    await server.wait_closed()
    assert versions == [5, 4]
    assert sum("3.1.1 is used" in text for text in said) == 1


@pytest.mark.parametrize(
    ("topic_filter", "topic", "falls"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("+/b", "a/b", True),
        ("#", "$SYS/broker/load", False),
        ("+/broker", "$SYS/broker", False),
        ("A/b", "a/b", False),
    ],
)
def test_a_topic_falls_under_a_filter_as_the_standard_says(
    topic_filter: str, topic: str, *, falls: bool
) -> None:
    assert matches(topic_filter, topic) is falls
    assert aiomqtt.Topic(topic).matches(topic_filter) is falls or topic.startswith("$")


def test_a_device_names_its_broker_or_means_the_only_one() -> None:
    here = Broker(BrokerAddress("10.0.0.5"), dice())
    there = Broker(BrokerAddress("gateway", 8883), dice())
    assert broker_for([here, there], "mqtt:vs1/clinic/room1/rad8/#") is here
    assert broker_for([here, there], "mqtt://gateway:8883/x") is there
    with pytest.raises(ValueError, match="no such broker"):
        broker_for([here, there], "mqtt://elsewhere/x")


def test_a_link_to_a_topic_is_read_with_its_wild_cards() -> None:
    assert parse_mqtt_url("mqtt:vs1/+/room1/#") == ("", None, "vs1/+/room1/#")
    assert parse_mqtt_url("mqtt://broker/vs1/#") == ("broker", None, "vs1/#")
    assert parse_mqtt_url("mqtt://broker:8883/vs1/a%20b") == ("broker", 8883, "vs1/a b")
    for wrong in ("mqtt:", "mqtt://broker", "mqtt://broker/", "http://broker/x", "mqtt:///x"):
        with pytest.raises(ValueError, match="mqtt:TOPIC"):
            parse_mqtt_url(wrong)


async def _status_becomes(watcher: aiomqtt.Client, what: bytes) -> None:
    await watcher.subscribe(STATUS, qos=1)
    async with asyncio.timeout(10):
        async for message in watcher.messages:
            if message.payload == what:
                return

"""What Home Assistant is told, on a real broker: only what is fresh here and now, and nobody's name."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiomqtt
import pytest

from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.homeassistant import (
    BASE,
    CUFF_SHOWN_MS,
    NAMES,
    UNITS,
    HomeAssistant,
    available_topic,
    described,
    shown,
    state_topic,
)
from monitor.model import Baseline, Bed, Cuff, Device, Doubt, Quality, SessionPhase, Staff, Vital
from monitor.snapshot import BedNow, CuffNow, DutyNow, SessionNow, Snapshot, VitalNow
from tests.shells.conftest import Mosquitto, dice, until

T_MS = 1_795_313_704_000
BED = Bed("3")
VITALS = (Vital.SPO2, Vital.TEMPERATURE, Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP)
BEDS = {BED: VITALS, Bed("4"): (Vital.SPO2,)}
ALIAS, PERSON = "Heron", "dana"
STATUS = "chairside/status"


def spo2(
    value: float | None, at_ms: int = T_MS, quality: Quality = Quality.VALID, fresh_ms: int = 10_000
) -> VitalNow:
    until_ms = at_ms + fresh_ms
    return VitalNow(
        Vital.SPO2, value, quality, None, Doubt.NONE, at_ms, until_ms, Device("d"), None, value, at_ms
    )


def ward(*vitals: VitalNow, cuff: CuffNow | None = None) -> Snapshot:
    """A ward with one bed that has a patient, and one that has none."""
    session = SessionNow(
        1, BED, ALIAS, Baseline(), "watch", None, SessionPhase.WATCH, T_MS, Staff(PERSON), None, None
    )
    here = BedNow(BED, "By the window", session, Staff(PERSON), vitals, cuff, None, (), (), (Device("d"),))
    empty = BedNow(Bed("4"), "", None, None, (), None, None, (), (), ())
    return Snapshot(T_MS, (here, empty), (), (), (), (), DutyNow((), (), None, None))


def cuff_now(cuff: Cuff | None, old_after_ms: int | None) -> CuffNow:
    return CuffNow(cuff, T_MS, Device("d"), None, None, None, None, None, old_after_ms)


# What may be shown.


def test_a_fresh_number_is_shown_and_a_stale_one_is_not() -> None:
    topic = state_topic(BED, Vital.SPO2)
    assert shown(ward(spo2(97)), BEDS, T_MS + 10_000)[topic] == (97, Quality.VALID, T_MS)
    assert shown(ward(spo2(97)), BEDS, T_MS + 10_001)[topic] is None
    assert shown(ward(spo2(None, quality=Quality.INVALID)), BEDS, T_MS)[topic] is None
    assert shown(ward(), BEDS, T_MS)[topic] is None


def test_a_bed_without_a_patient_has_no_number() -> None:
    assert shown(ward(spo2(97)), BEDS, T_MS)[state_topic(Bed("4"), Vital.SPO2)] is None


def test_a_cuff_reading_is_shown_until_it_is_old() -> None:
    taken = Cuff(128, 79, 95, 66)
    topics = [state_topic(BED, v) for v in (Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP)]

    def numbers(cuff: CuffNow, at_ms: int) -> list[float | None]:
        found = shown(ward(cuff=cuff), BEDS, at_ms)
        return [None if (number := found[topic]) is None else number[0] for topic in topics]

    assert numbers(cuff_now(taken, T_MS + 375_000), T_MS + 375_000) == [128, 79, 95, 66]
    assert numbers(cuff_now(taken, T_MS + 375_000), T_MS + 375_001) == [None] * 4
    assert numbers(cuff_now(taken, None), T_MS + CUFF_SHOWN_MS) == [128, 79, 95, 66]
    assert numbers(cuff_now(taken, None), T_MS + CUFF_SHOWN_MS + 1) == [None] * 4
    assert numbers(cuff_now(None, None), T_MS) == [None] * 4


def test_every_vital_has_a_name_and_a_unit() -> None:
    assert set(NAMES) == set(Vital)
    assert {vital.unit for vital in Vital} == set(UNITS)


def test_a_description_points_to_our_topics_and_says_what_it_is_not() -> None:
    found = dict(described(BEDS, "homeassistant", STATUS, "1.2.3"))
    assert len(found) == len(VITALS) + 1
    sensor = json.loads(found["homeassistant/sensor/chairside_3/spo2/config"])
    assert sensor["state_topic"] == state_topic(BED, Vital.SPO2)
    assert {each["topic"] for each in sensor["availability"]} == {STATUS, available_topic(BED, Vital.SPO2)}
    assert sensor["availability_mode"] == "all"
    assert (sensor["unit_of_measurement"], sensor["expire_after"]) == ("%", 15)
    assert "not a clinical display" in sensor["device"]["name"]
    assert len({json.loads(payload)["unique_id"] for payload in found.values()}) == len(found)


# On the wire.


class Ears:
    """A Home Assistant that only keeps what it hears: the last payload of each topic, retained or not."""

    def __init__(self, client: aiomqtt.Client) -> None:
        """Nothing yet."""
        self.client = client
        self.last: dict[str, bytes] = {}
        self.states: list[dict[str, Any]] = []
        self.everything: list[bytes] = []

    async def hear(self) -> None:
        """For ever."""
        async for message in self.client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            topic = message.topic.value
            self.last[topic] = payload
            self.everything += [topic.encode(), payload]
            if topic == state_topic(BED, Vital.SPO2):
                self.states.append(json.loads(payload))

    def available(self, vital: Vital = Vital.SPO2) -> bool:
        """What Home Assistant would show: both topics say yes."""
        return self.last.get(STATUS) == b"online" == self.last.get(available_topic(BED, vital))


@contextlib.asynccontextmanager
async def ears(mosquitto: Mosquitto) -> AsyncIterator[Ears]:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        await client.subscribe([("homeassistant/#", 1), (f"{BASE}/#", 1)])
        made = Ears(client)
        hearing = asyncio.create_task(made.hear())
        try:
            yield made
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


@contextlib.asynccontextmanager
async def telling(
    mosquitto: Mosquitto, read: Callable[[], Snapshot], now_ms: Callable[[], int]
) -> AsyncIterator[Broker]:
    broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port, availability=STATUS), dice())
    outlet = HomeAssistant(broker, BEDS, read, now_ms, prefix="homeassistant", version="1.2.3")
    tasks = [asyncio.create_task(broker.run()), asyncio.create_task(outlet.run())]
    try:
        yield broker
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


class Ward:
    """What the ward has to say now, as a test wants it."""

    def __init__(self) -> None:
        """A fresh saturation of 97."""
        self.now_ms = T_MS
        self.snapshot = ward(spo2(97))


@pytest.mark.real
async def test_a_number_appears_and_goes_when_it_is_stale(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with ears(mosquitto) as heard, telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
        await until(heard.available)
        assert heard.states[-1] == {"value": 97, "quality": "valid", "measured_at": "2026-11-22T02:15:04Z"}
        assert not heard.available(Vital.TEMPERATURE)
        here.now_ms += 10_001
        await until(lambda: not heard.available())
        here.snapshot = ward(spo2(94, here.now_ms))
        await until(heard.available)
        assert heard.states[-1]["value"] == 94


@pytest.mark.real
async def test_no_number_is_retained_and_what_is_needed_to_find_it_is(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
        async with ears(mosquitto) as first:
            await until(lambda: first.available() and first.states)
        here.snapshot = ward()  # nothing new to say
        async with ears(mosquitto) as late:
            await until(lambda: late.last.get(available_topic(BED, Vital.SPO2)) == b"offline")
            configs = [topic for topic in late.last if topic.endswith("/config")]
            assert len(configs) == len(VITALS) + 1
            assert late.states == []
            assert not [topic for topic in late.last if topic.endswith("/state")]


@pytest.mark.real
async def test_a_home_assistant_that_starts_again_is_told_anew(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with ears(mosquitto) as heard, telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
        await until(lambda: heard.available() and heard.states)
        heard.states.clear()  # the same number, well before it would be repeated
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as born:
            await born.publish("homeassistant/status", b"online", qos=1)
        await until(lambda: heard.states)


@pytest.mark.real
async def test_a_broker_that_has_forgotten_everything_is_told_everything(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
        async with ears(mosquitto) as heard:
            await until(heard.available)
        mosquitto.kill()
        mosquitto.start()
        async with ears(mosquitto) as heard:
            await until(lambda: heard.available() and heard.states)
            await until(lambda: len([t for t in heard.last if t.endswith("/config")]) == len(VITALS) + 1)


@pytest.mark.real
async def test_the_end_of_the_service_takes_every_number_away(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with ears(mosquitto) as heard:
        async with telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
            await until(heard.available)
        await until(lambda: heard.last[STATUS] == b"offline")
        assert not heard.available()


@pytest.mark.real
async def test_a_ward_that_cannot_be_read_is_said_and_tried_again(mosquitto: Mosquitto) -> None:
    here, said = Ward(), list[str]()
    broken = True

    def read() -> Snapshot:
        if broken:
            raise ZeroDivisionError("by nobody")
        return here.snapshot

    broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port, availability=STATUS), dice())
    outlet = HomeAssistant(broker, BEDS, read, lambda: here.now_ms, prefix="homeassistant", version="1",
                           say=said.append)  # fmt: skip
    tasks = [asyncio.create_task(broker.run()), asyncio.create_task(outlet.run())]
    async with ears(mosquitto) as heard:
        await until(lambda: said)
        assert said[0] == "Home Assistant is not told: ZeroDivisionError: by nobody"
        broken = False
        await until(heard.available)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.real
async def test_nobody_is_named(mosquitto: Mosquitto) -> None:
    here = Ward()
    async with ears(mosquitto) as heard, telling(mosquitto, lambda: here.snapshot, lambda: here.now_ms):
        await until(lambda: heard.available() and heard.states)
        everything = b" ".join(heard.everything)
    assert ALIAS.encode() not in everything
    assert PERSON.encode() not in everything

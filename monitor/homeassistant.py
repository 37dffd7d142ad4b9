"""What a free dashboard may show: Home Assistant is told of every bed and vital, if the clinic wants it.

Not a clinical display: no alarm, no limit, no patient goes out, only numbers that are fresh here and now.
What is retained are the descriptions and whether a number may be believed, never a number: a broker or a
dashboard that starts again knows nothing until it is told anew. Where we end or hang, the broker's word about
us (the last will) and `expire_after` take every number off the dashboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.devices.links.link import LinkLost, Say, silent
from monitor.devices.links.mqtt import Broker, MqttLink
from monitor.model import Bed, Quality, Vital
from monitor.snapshot import BedNow, Snapshot

BASE = "chairside"
ONLINE, OFFLINE = b"online", b"offline"
NOT_CLINICAL = "not a clinical display"

LOOK_S = 1.0
"""How often the ward is looked at."""
REPEAT_MS = 5_000
"""A number that stays the same is said again so often: three times before it would expire."""
EXPIRE_S = 15
"""After so long without a word Home Assistant takes a number away by itself (mqtt-payloads.md 4)."""
CUFF_SHOWN_MS = 900_000
"""How long a cuff reading without a next one in sight is shown (a choice of this project)."""
RETRY_S = 1.0

NAMES = {
    Vital.HEART_RATE: "Heart rate",
    Vital.PULSE_SPO2: "Pulse (oximeter)",
    Vital.PULSE_NIBP: "Pulse (cuff)",
    Vital.SPO2: "SpO2",
    Vital.RESPIRATION: "Respiration",
    Vital.TEMPERATURE: "Temperature",
    Vital.PERFUSION: "Perfusion index",
    Vital.ETCO2: "etCO2",
    Vital.SYSTOLIC: "Blood pressure, systolic",
    Vital.DIASTOLIC: "Blood pressure, diastolic",
    Vital.MEAN: "Blood pressure, mean",
    Vital.ARTERIAL_SYSTOLIC: "Arterial pressure, systolic",
    Vital.ARTERIAL_DIASTOLIC: "Arterial pressure, diastolic",
    Vital.ARTERIAL_MEAN: "Arterial pressure, mean",
}
UNITS = {"/min": "1/min", "mm[Hg]": "mmHg", "Cel": "°C", "%": "%"}
"""UCUM as people write it, and as Home Assistant knows it."""

Shown = tuple[float, Quality, int]
"""A number that may be shown, how far to believe it, and when it was measured."""


def state_topic(bed: Bed, vital: Vital) -> str:
    """Where a number goes: never retained."""
    return f"{BASE}/bed/{bed}/{vital.value}/state"


def available_topic(bed: Bed, vital: Vital) -> str:
    """Where it is said, retained, whether there is a number."""
    return f"{BASE}/bed/{bed}/{vital.value}/available"


def described(
    beds: Mapping[Bed, Collection[Vital]], prefix: str, status_topic: str, version: str
) -> Iterator[tuple[str, bytes]]:
    """The discovery messages: topic and payload of each."""
    for bed, vitals in beds.items():
        for vital in vitals:
            yield (
                f"{prefix}/sensor/{BASE}_{bed}/{vital.value}/config",
                msgspec.json.encode(_sensor(bed, vital, status_topic, version)),
            )


def shown(snapshot: Snapshot, beds: Mapping[Bed, Collection[Vital]], now_ms: int) -> dict[str, Shown | None]:
    """By state topic what may be shown now; None where nothing may."""
    found: dict[str, Shown | None] = {
        state_topic(bed, vital): None for bed, vitals in beds.items() for vital in vitals
    }
    for bed in snapshot.beds:
        for vital, number in _of_bed(bed, now_ms):
            if (topic := state_topic(bed.bed, vital)) in found:
                found[topic] = number
    return found


def _of_bed(bed: BedNow, now_ms: int) -> Iterator[tuple[Vital, Shown]]:
    for now in bed.vitals:
        if now.value is not None and now_ms <= now.fresh_until_ms:
            yield now.vital, (now.value, now.quality, now.at_ms)
    taken = bed.cuff
    if taken is None or taken.cuff is None or taken.measured_at_ms is None:
        return
    if now_ms > (taken.old_after_ms or taken.measured_at_ms + CUFF_SHOWN_MS):
        return
    cuff = taken.cuff
    for vital, value in (
        (Vital.SYSTOLIC, cuff.systolic),
        (Vital.DIASTOLIC, cuff.diastolic),
        (Vital.MEAN, cuff.mean),
        (Vital.PULSE_NIBP, cuff.pulse),
    ):
        if value is not None:
            yield vital, (value, cuff.quality, taken.measured_at_ms)


def encode_state(number: Shown) -> bytes:
    """One number with its quality and its time."""
    value, quality, at_ms = number
    at = datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode({"value": value, "quality": quality.value, "measured_at": at})


def _sensor(bed: Bed, vital: Vital, status_topic: str, version: str) -> dict[str, Any]:
    kind = {"device_class": "temperature"} if vital is Vital.TEMPERATURE else {}
    return {
        "name": NAMES[vital],
        "unique_id": f"{BASE}_{bed}_{vital.value}",
        "state_topic": state_topic(bed, vital),
        "value_template": "{{ value_json.value }}",
        "json_attributes_topic": state_topic(bed, vital),
        "unit_of_measurement": UNITS[vital.unit],
        "state_class": "measurement",
        **kind,
        "availability": [{"topic": status_topic}, {"topic": available_topic(bed, vital)}],
        "availability_mode": "all",
        "payload_available": ONLINE.decode(),
        "payload_not_available": OFFLINE.decode(),
        "expire_after": EXPIRE_S,
        "device": {
            "identifiers": [f"{BASE}_{bed}"],
            "name": f"Bed {bed} ({NOT_CLINICAL})",
            "manufacturer": "Chairside",
            "model": NOT_CLINICAL,
            "sw_version": version,
        },
        "origin": {"name": "Chairside", "sw_version": version},
    }


@dataclass(slots=True)
class _Told:
    """What has been said on this connection."""

    available: dict[str, bool] = field(default_factory=dict)
    number: dict[str, Shown] = field(default_factory=dict)
    at_ms: dict[str, int] = field(default_factory=dict)


class HomeAssistant:
    """Keeps one Home Assistant told, over the clinic's own connection to its broker."""

    def __init__(
        self,
        broker: Broker,
        beds: Mapping[Bed, Collection[Vital]],
        read: Callable[[], Snapshot],
        now_ms: Callable[[], int],
        *,
        prefix: str,
        version: str,
        say: Say = silent,
    ) -> None:
        """`beds` are those that are told of, each with the vitals its devices can measure."""
        self._broker, self._beds = broker, beds
        self._read, self._now_ms = read, now_ms
        self._prefix, self._version, self._say = prefix, version, say

    async def run(self) -> None:
        """Tell, and tell everything anew at every connection; for ever, or until cancelled."""
        while True:
            try:
                # Its own birth: whoever starts again has forgotten what was not retained.
                link = await self._broker.open([f"{self._prefix}/status"])
                try:
                    await self._tell(link)
                finally:
                    await link.close()
            except LinkLost:
                await asyncio.sleep(RETRY_S)
            except Exception as error:  # noqa: BLE001  a dashboard's trouble must not end the watch over the beds
                self._say(f"Home Assistant is not told: {type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)

    async def _tell(self, link: MqttLink) -> None:
        status_topic = self._broker.address.availability or ""
        told = _Told()
        await self._tell_numbers(told)
        for topic, payload in described(self._beds, self._prefix, status_topic, self._version):
            await self._broker.publish(topic, payload, retain=True)
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    messages = await link.messages()
            except TimeoutError:
                messages = None
            if messages == []:
                raise LinkLost(link.why)
            if messages and any(payload == ONLINE for _, payload, _ in messages):
                told.number.clear()
            await self._tell_numbers(told)

    async def _tell_numbers(self, told: _Told) -> None:
        now_ms = self._now_ms()
        for topic, number in shown(self._read(), self._beds, now_ms).items():
            if self._now_ms() - now_ms > REPEAT_MS:
                return  # a broker this slow would be given numbers that are none any more: look again
            if number is not None and self._is_due(topic, number, told, now_ms):
                # The number first: what becomes available is never the one of before.
                await self._broker.publish(topic, encode_state(number), qos=0)
                told.number[topic], told.at_ms[topic] = number, now_ms
            available = number is not None
            if told.available.get(topic) is not available:
                await self._broker.publish(_beside(topic), ONLINE if available else OFFLINE, retain=True)
                told.available[topic] = available

    def _is_due(self, topic: str, number: Shown, told: _Told, now_ms: int) -> bool:
        if topic not in told.number or not told.available.get(topic):
            return True
        changed = told.number[topic][:2] != number[:2]
        return changed or now_ms - told.at_ms[topic] >= REPEAT_MS


def _beside(topic: str) -> str:
    return topic.removesuffix("state") + "available"

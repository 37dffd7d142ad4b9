"""What `chairside listen` does: a live link as JSON lines, to try a monitor beside its own screen."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, BinaryIO

from monitor.clock import Clock, SteadyClock
from monitor.devices.codecs.hl7_pcd01 import match_of
from monitor.devices.driver import Asking, Driver, line_of
from monitor.devices.farewell import let_go
from monitor.devices.kept import Keeper
from monitor.devices.lines import as_line, kept_message, one_by_one
from monitor.devices.links.link import Link, LinkLost, Say, silent
from monitor.devices.links.mllp import Port, parse_mllp_url
from monitor.devices.links.mqtt import Broker, BrokerAddress, parse_mqtt_url
from monitor.devices.links.serial import open_serial
from monitor.devices.validity import screen
from monitor.hl7_text import encode_block
from monitor.model import Said

SLICE_S = 0.25
"""How often the time is looked at while nothing comes, and a device that must be asked is asked."""


async def listen(
    driver: Driver,
    url: str,
    *,
    seconds: float | None = None,
    raw: BinaryIO | None = None,
    times: BinaryIO | None = None,
    backend: str = "serialx",
    options: Mapping[str, Any] | None = None,
    broker: BrokerAddress | None = None,
    say: Say = silent,
) -> AsyncGenerator[dict[str, Any], None]:
    """What the device says, line by line, for so many seconds or until the other side goes.

    `raw` keeps every byte as it came, and `times` when; of MQTT, topic, payload and time in the form that
    `decode` reads. `broker` has the sign-in for an MQTT link. LinkLost: the link cannot be opened.
    ValueError: a bad URL.
    """
    clock = SteadyClock()
    until_ms = None if seconds is None else clock.now_ms() + round(seconds * 1000)
    decoder = driver.decoder(options or {})
    keeper = Keeper(raw, times, clock.now_ms())
    if driver.transport == "mqtt":
        also = driver.topics(parse_mqtt_url(url)[2], options or {})
        words = _subscribe(decoder, url, also, broker, clock, raw, say)
    elif driver.transport == "mllp":
        words = _be_called(decoder, url, options or {}, clock, keeper, say, driver.silent_after_ms)
    else:
        link = await open_serial(url, line_of(driver, options or {}), backend, say)
        words = _overhear(driver, decoder, link, clock, keeper)
    async with contextlib.aclosing(words):
        async for said in words:
            for one in said:
                yield as_line(screen(one))
            if until_ms is not None and clock.now_ms() >= until_ms:
                return


async def _overhear(
    driver: Driver, decoder: Any, link: Link, clock: Clock, keeper: Keeper
) -> AsyncGenerator[list[Said], None]:
    """What a device on a cable says; [] now and then, so that the time can be looked at."""
    try:
        while True:
            if driver.polled:
                decoder.tick(clock.now_ms())
                if question := decoder.to_send():
                    await link.write(question)
                    keeper.written(question, clock.now_ms())
            try:
                async with asyncio.timeout(SLICE_S):
                    data = await link.read()
            except TimeoutError:
                yield decoder.feed(b"")
                continue
            keeper.came(data, clock.now_ms())
            if not data:
                yield decoder.close()
                return
            yield decoder.feed(data)
    finally:
        await let_go(link, decoder, lambda words: keeper.written(words, clock.now_ms()))


async def _subscribe(
    decoder: Any,
    url: str,
    also: Sequence[str],
    address: BrokerAddress | None,
    clock: Clock,
    raw: BinaryIO | None,
    say: Say,
) -> AsyncGenerator[list[Said], None]:
    """What a device behind a broker says; [] now and then."""
    host, port, topic = parse_mqtt_url(url)
    if address is None:
        if not host:
            raise ValueError(f"{url}: name the broker, as in mqtt://HOST/TOPIC")
        address = BrokerAddress(host, port or 1883)
    broker = Broker(address, random.Random(), say)  # noqa: S311  jitter of a back-off, no secret
    running = asyncio.create_task(broker.run())
    try:
        link = await broker.open([topic, *also], wait_s=5.0)
        while True:
            try:
                async with asyncio.timeout(SLICE_S):
                    messages = await link.messages()
            except TimeoutError:
                yield []
                continue
            if not messages:
                raise LinkLost(link.why)
            for topic_of, payload, retained in messages:
                now_ms = clock.now_ms()
                if raw is not None:
                    raw.write(kept_message(topic_of, payload, retained=retained, at_ms=now_ms))
                told = decoder.message(topic_of, payload, retained=retained, at_ms=now_ms)
                yield [*one_by_one(told)]
            if isinstance(decoder, Asking):
                for question, body in decoder.to_send():
                    await link.publish(question, body)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _be_called(
    decoder: Any,
    url: str,
    options: Mapping[str, Any],
    clock: Clock,
    keeper: Keeper,
    say: Say,
    silent_after_ms: int,
) -> AsyncGenerator[list[Said], None]:
    """What a monitor that calls says; [] now and then, and aside why nothing comes."""
    port = Port(parse_mllp_url(url), clock.now_ms, say)
    ear = port.link("listen", match_of(options))
    await port.listen()
    seen, silent_ms = "", clock.now_ms()
    try:
        await ear.open()
        while True:
            try:
                async with asyncio.timeout(SLICE_S):
                    messages = await ear.messages()
            except TimeoutError:
                if clock.now_ms() >= silent_ms and ear.seen() != seen:
                    seen = ear.seen()
                    say(seen)
                yield []
                continue
            silent_ms = clock.now_ms() + silent_after_ms
            for _, message, _ in messages:
                keeper.came(encode_block(message), clock.now_ms())
                yield decoder.message("", message, retained=False, at_ms=clock.now_ms())
    finally:
        await port.close()

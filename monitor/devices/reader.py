"""One device, from its link to the inbox: link + codec + health + telling + clock. One task a device.

A reader's faults are its own: a codec that raises, a port that vanishes or a broker that hangs takes this one
link down, with the reason, and is tried again.

No wait is longer than a second, for the loop's timers stand still while the machine is suspended.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from monitor.clock import Clock
from monitor.devices.codecs import DRIVERS
from monitor.devices.codecs.hl7_pcd01 import match_of
from monitor.devices.driver import OFFLINE, Asking, Driver, line_of, silence_ms
from monitor.devices.farewell import let_go
from monitor.devices.health import BACKOFF_LAST_MS, UNREAD, Health, Move
from monitor.devices.links.link import Link, LinkLost, Message, MessageLink, Pouring, Say, silent
from monitor.devices.links.mllp import MllpLink, Port, port_for
from monitor.devices.links.mqtt import Broker, broker_for, parse_mqtt_url
from monitor.devices.links.serial import open_serial
from monitor.devices.telling import Put, Telling
from monitor.model import Bed, Device, LinkState, Notice, Told

RETRY_BROKER_MS = 500
"""The broker has a back-off of its own; its devices only ask whether it is back."""

TURN_S = 1.0
"""The longest sleep."""
LEAST_SLEEP_S = 0.005
"""The shortest: a codec that is always due must not burn a core."""

GONE = "the connection has ended: was the cable pulled, or the monitor switched off?"


class DeviceReader(Protocol):
    """What the service does with a reader, whatever it reads from."""

    device: Device

    @property
    def state(self) -> LinkState:
        """What the link is doing."""
        ...

    async def run(self) -> None:
        """Read for ever."""
        ...

    def order_cuff(self) -> str | None:
        """Start a cuff reading; a text is the reason why not."""
        ...

    def cancel_cuff(self) -> None:
        """Stop a running cuff reading; always accepted."""
        ...


class _Station:
    """What every reader does, whatever brings the words: it opens, and opens again, and minds the time."""

    _backoff_last_ms = BACKOFF_LAST_MS

    def __init__(
        self,
        device: Device,
        bed: Bed,
        driver: Driver,
        put: Put,
        clock: Clock,
        rng: random.Random,
        options: Mapping[str, Any],
        speed: float,
    ) -> None:
        self.device = device
        self.bed = bed
        self.driver = driver
        self._clock = clock
        self._options = options
        self._speed = speed
        self._decoder: Any = driver.decoder(options)
        self._silent_after_ms = silence_ms(driver, options)
        self._health = Health(
            driver,
            rng.random,
            clock.now_ms(),
            silent_after_ms=self._silent_after_ms,
            backoff_last_ms=self._backoff_last_ms,
        )
        self._telling = Telling(device, bed, self._silent_after_ms, put)
        self._wake = asyncio.Event()

    @property
    def state(self) -> LinkState:
        """What the link is doing."""
        return self._health.state

    @property
    def faults(self) -> Counter[str]:
        """Bytes that could not be read, by reason."""
        return self._telling.faults

    async def run(self) -> None:
        """Open, read, and open again; for ever, or until cancelled."""
        while True:
            try:
                why, was_open = await self._once()
            except LinkLost as lost:
                why, was_open = str(lost), False
            except Exception as error:  # noqa: BLE001  one device's trouble must not end the service
                why, was_open = f"the link could not be opened ({type(error).__name__}: {error})", False
            now_ms = self._clock.now_ms()
            self._moved(self._health.closed(now_ms, why) if was_open else self._health.refused(now_ms, why))
            self._hush(now_ms)
            await self._back_off()

    async def _once(self) -> tuple[str, bool]:
        """One connection from its opening to its end: why it ended, and whether there was one."""
        raise NotImplementedError

    async def _back_off(self) -> None:
        """Wait until the link may be tried again."""
        now_ms = self._clock.now_ms()
        while not self._health.may_open(now_ms):
            await asyncio.sleep(self._sleep_s(self._health.due_ms() or now_ms, now_ms))
            now_ms = self._clock.now_ms()

    def _sleep_s(self, due_ms: int, now_ms: int) -> float:
        """Real seconds to sleep: the clock may run faster than the world."""
        return min(TURN_S, max(LEAST_SLEEP_S, (due_ms - now_ms) / 1000 / self._speed))

    def order_cuff(self) -> str | None:
        """Start a cuff reading; a text is the reason why not."""
        if not self.driver.starts_cuff:
            return "a cuff cannot be started on this device from here: start it at the monitor"
        if self._health.state is not LinkState.UP:
            return f"the device is not connected: {self._health.why}"
        refusal: str | None = self._decoder.start_cuff()
        self._wake.set()
        return refusal

    def cancel_cuff(self) -> None:
        """Stop a running cuff reading; always accepted."""
        if self.driver.starts_cuff:
            self._decoder.cancel_cuff()
            self._wake.set()

    # From words to events.

    def _hear(self, data: bytes, said: Sequence[Told], now_ms: int) -> None:
        """What came, and what the codec made of it."""
        self._moved(self._health.heard(now_ms, data, said))
        self._telling.tell(said, now_ms)

    def _hush(self, now_ms: int) -> None:
        """A device that is not there says nothing."""
        self._telling.hush(now_ms)

    def _moved(self, moves: Sequence[Move]) -> None:
        if moves:
            self._telling.moved(moves, self._clock.now_ms())

    def _tick(self, now_ms: int) -> None:
        self._moved(self._health.tick(now_ms, self._seen()))
        self._telling.tick(now_ms)

    def _seen(self) -> str:
        """What the link itself can say of a silence."""
        return ""

    async def _doze(self, due_ms: int, now_ms: int) -> None:
        """Sleep until something is due, or somebody wants something."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._sleep_s(due_ms, now_ms)):
                await self._wake.wait()
        self._wake.clear()

    def _start_afresh(self, error: Exception) -> str:
        """The codec raised: what it knew goes with it. Its words may hold what a patient sent: not told."""
        self._decoder = self.driver.decoder(self._options)
        self._telling.start_afresh()
        return f"the {self.driver.name} driver failed on what the device sent ({type(error).__name__})"


class Reader(_Station):
    """The reader of a device on a cable: bytes in, and questions out where the device must be asked."""

    def __init__(
        self,
        device: Device,
        bed: Bed,
        driver: Driver,
        open_link: Callable[[], Awaitable[Link]],
        put: Put,
        clock: Clock,
        rng: random.Random,
        options: Mapping[str, Any],
        speed: float = 1.0,
    ) -> None:
        """`speed` is how much faster than the world `clock` runs. Raises ValueError on a bad option."""
        super().__init__(device, bed, driver, put, clock, rng, options, speed)
        self._open_link = open_link

    async def _once(self) -> tuple[str, bool]:
        link = await self._open_link()
        failure: list[str] = []
        timekeeper = asyncio.create_task(self._keep_time(link, failure))
        try:
            self._moved(self._health.opened(self._clock.now_ms()))
            why = await self._listen(link)
            return (failure[0] if failure else why), True
        finally:
            timekeeper.cancel()
            await asyncio.wait([timekeeper])
            await let_go(link, self._decoder)

    async def _listen(self, link: Link) -> str:
        clock, hear = self._clock, self._hear
        feed = self._decoder.feed
        wake = self._wake.set if self.driver.polled else None

        def take(data: bytes) -> None:
            hear(data, feed(data), clock.now_ms())
            if wake is not None:
                wake()

        why = GONE
        try:
            try:
                if isinstance(link, Pouring):
                    await link.pour(take)
                else:
                    while data := await link.read():
                        take(data)
            except LinkLost as lost:
                why = str(lost)
            # However it ended: what comes on the next connection belongs to nothing of this one.
            self._hear(b"", self._decoder.close(), clock.now_ms())
        except Exception as error:  # noqa: BLE001  whatever a codec raises is this link's own trouble
            return self._start_afresh(error)
        return why

    async def _keep_time(self, link: Link, failure: list[str]) -> None:
        """Silences, notices that run out and, for a device that must be asked, the questions."""
        try:
            while True:
                now_ms = self._clock.now_ms()
                self._tick(now_ms)
                due_ms = self._health.due_ms() or now_ms + 1_000
                if self.driver.polled:
                    due_ms = min(due_ms, await self._ask(link, now_ms))
                await self._doze(due_ms, now_ms)
        except LinkLost as lost:
            failure.append(str(lost))
            await link.close()
        except Exception as error:  # noqa: BLE001  as in `_listen`
            failure.append(self._start_afresh(error))
            await link.close()

    async def _ask(self, link: Link, now_ms: int) -> int:
        """Let a polled device's time pass, write what it wants written, and say when it is due again."""
        decoder = self._decoder
        decoder.tick(now_ms)
        if said := decoder.feed(b""):  # what giving up a question has to say
            self._hear(b"", said, now_ms)
        if question := decoder.to_send():
            await link.write(question)
        due_ms: int = decoder.due_ms()
        return due_ms


class MqttReader(_Station):
    """The reader of a device behind a broker: whole messages in, of its own topics only."""

    _backoff_last_ms = RETRY_BROKER_MS

    def __init__(
        self,
        device: Device,
        bed: Bed,
        driver: Driver,
        open_link: Callable[[], Awaitable[MessageLink]],
        put: Put,
        clock: Clock,
        rng: random.Random,
        options: Mapping[str, Any],
        speed: float = 1.0,
    ) -> None:
        """As `Reader`."""
        super().__init__(device, bed, driver, put, clock, rng, options, speed)
        self._open_link = open_link
        self._asks = isinstance(self._decoder, Asking)

    async def _once(self) -> tuple[str, bool]:
        link = await self._open_link()
        if self._asks:
            self._decoder.opened()
        timekeeper = asyncio.create_task(self._keep_time(link))
        try:
            self._moved(self._health.opened(self._clock.now_ms()))
            return await self._listen(link), True
        finally:
            timekeeper.cancel()
            await asyncio.wait([timekeeper])
            await link.close()

    async def _listen(self, link: MessageLink) -> str:
        def hear(message: Message) -> None:
            topic, payload, retained = message
            self.take(topic, payload, self._clock.now_ms(), retained=retained)

        try:
            await link.pour(hear)
        except Exception as error:  # noqa: BLE001  whatever a codec raises is this link's own trouble
            return self._start_afresh(error)
        return link.why or GONE

    def take(self, topic: str, payload: bytes, now_ms: int, *, retained: bool) -> None:
        """One message. A retained one is no sign of life; but it may say that there is none."""
        said = self._decoder.message(topic, payload, retained=retained, at_ms=now_ms)
        if not retained:
            # Of what is nothing to anybody, nothing is said: it is no sign of trouble either.
            self._moved(self._health.heard(now_ms, payload if said else b"", said))
        elif any(isinstance(one, Notice) and one.what.startswith(OFFLINE) for one in said):
            self._moved(self._health.heard(now_ms, b"", said))
        self._telling.tell(said, now_ms)
        if self._asks:
            self._wake.set()

    def _seen(self) -> str:
        waits_for: str = self._decoder.waits_for() if self._asks else ""
        return waits_for or (UNREAD if self._health.unread(self._clock.now_ms()) else "")

    async def _keep_time(self, link: MessageLink) -> None:
        while True:
            now_ms = self._clock.now_ms()
            self._tick(now_ms)
            if self._asks:
                await self._ask(link)
            await self._doze(self._health.due_ms() or now_ms + 1_000, now_ms)

    async def _ask(self, link: MessageLink) -> None:
        """Publish what the codec wants published. A link that is lost meanwhile says so where it is heard."""
        for topic, payload in self._decoder.to_send():
            with contextlib.suppress(LinkLost):
                await link.publish(topic, payload)


class CalledReader(MqttReader):
    """The reader of a monitor that calls: whole messages too, on a port that stays open whoever hangs up."""

    def __init__(
        self,
        device: Device,
        bed: Bed,
        driver: Driver,
        link: MllpLink,
        put: Put,
        clock: Clock,
        rng: random.Random,
        options: Mapping[str, Any],
        speed: float = 1.0,
    ) -> None:
        """As `Reader`."""
        super().__init__(device, bed, driver, link.open, put, clock, rng, options, speed)
        self._link = link

    def _seen(self) -> str:
        if self._health.unread(self._clock.now_ms()):
            return UNREAD
        return self._link.seen()


def reader_for(
    device: Device,
    bed: Bed,
    driver_name: str,
    link: str,
    backend: str,
    options: Mapping[str, Any],
    brokers: Sequence[Broker],
    put: Put,
    clock: Clock,
    rng: random.Random,
    speed: float = 1.0,
    say: Say = silent,
    *,
    ports: Sequence[Port] = (),
) -> DeviceReader:
    """The reader of one `[[device]]`. KeyError: no such driver. ValueError: a bad link or option."""
    driver = DRIVERS[driver_name]
    if driver.transport == "mllp":
        ear = port_for(ports, link).link(device, match_of(options))
        return CalledReader(device, bed, driver, ear, put, clock, rng, options, speed)
    if link.startswith("mllp:"):
        raise ValueError(f"{link}: {driver.name} does not call; give the port or the server it is on")
    if driver.transport == "mqtt":
        broker = broker_for(brokers, link)
        topic = parse_mqtt_url(link)[2]
        filters = [topic, *driver.topics(topic, options)]
        return MqttReader(device, bed, driver, lambda: broker.open(filters), put, clock, rng, options, speed)
    settings = line_of(driver, options)
    return Reader(
        device,
        bed,
        driver,
        lambda: open_serial(link, settings, backend, say),
        put,
        clock,
        rng,
        options,
        speed,
    )

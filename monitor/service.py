"""The composition root and the one loop: builds every shell, runs the turns, and knows everybody.

One turn: what has been heard goes through the ward; what follows is written down, then told, then acted on.
Nothing else decides, and nobody catches what the ward raises: the process ends, is started again and
replays, for limping is worse.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gc
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from monitor import ways
from monitor.alerts.became import Follower
from monitor.alerts.pagers.outbox import Outbox
from monitor.alerts.pagers.pager import Pager
from monitor.api.app import build
from monitor.api.doors import Hears, Settings, Status
from monitor.api.hub import Hub
from monitor.api.server import Server as WebServer
from monitor.api.server import server
from monitor.archive import Archive
from monitor.clock import Clock, SteadyClock
from monitor.config.settings import Clinic, Mqtt, Server
from monitor.dead_man import DeadMan
from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import vitals_of
from monitor.devices.links.link import LinkLost
from monitor.devices.links.mllp import Port, parse_mllp_url
from monitor.devices.links.mqtt import Broker, BrokerAddress, parse_mqtt_url, tls_context
from monitor.devices.reader import DeviceReader, reader_for
from monitor.ehr.link import EhrLink
from monitor.ehr.opening import open_link
from monitor.homeassistant import HomeAssistant
from monitor.inbox import Act, Inbox
from monitor.log import logging
from monitor.model import (
    CuffNotTaken,
    CuffOrdered,
    CuffStopped,
    CuffTaken,
    Device,
    Outcome,
    PageReported,
    PartMoved,
    Priority,
    Reading,
    Readings,
    ServiceStarted,
    VitalTyped,
)
from monitor.numbers import Counters
from monitor.page_link import PageLinks
from monitor.planning import plan
from monitor.records.report import SessionReport
from monitor.reporting.door import Reports
from monitor.snapshot import Answer, Snapshot
from monitor.store.accounts import Accounts
from monitor.store.database import StoreError
from monitor.store.journal import Journal
from monitor.store.opening import open_store
from monitor.store.trends import Trends
from monitor.treatment import Action, DeviceGiven, Happening, Scored, Stepped, SymptomNoted
from monitor.ward import Ward

log = structlog.get_logger(__name__)

VERSION = metadata.version("chairside")

WAIT_MAX_S = 1.0
"""No wait is longer: a loop's timers stand still while the machine is suspended, the clock does not."""

MQTT_PORT = 1883

LEAST = {"all": Priority.LOW, "high": Priority.HIGH, "none": None}
"""From which priority on a screen sounds, by what the settings call it."""

DRIFT_MS = 2_000
"""A difference between the operating system's clock and ours that is worth an alarm (physiology.md, C12)."""

LATE_MS = 2_000
"""A turn that began so much later than planned says that the loop is late (alarms.md 7)."""


class CannotStartError(Exception):
    """A needed part cannot be had; the text says which, and what to do."""


@dataclass(slots=True)
class Pulse:
    """How the loop itself is doing, for `/status` and for the alarm about it."""

    planned_at: float
    lag_ms: int = 0
    turned_at: float = 0.0


class Service:
    """One clinic, running. Made by `open_service`, which has everything a turn needs."""

    def __init__(
        self, ward: Ward, journal: Journal, trends: Trends, hub: Hub, clock: Clock, speed: float
    ) -> None:
        """The ward has been restored already; nothing runs yet."""
        self.ward = ward
        self.journal = journal
        self.trends = trends
        self.hub = hub
        self.clock = clock
        self.inbox = Inbox()
        self.outbox: Outbox | None = None
        self.ehr: EhrLink | None = None
        self.order_cuff: Callable[[Device], str | None] = _no_reader
        self.stop_cuff: Callable[[Device], object] = _no_reader
        self.started_at_ms = clock.now_ms()
        self._speed = speed
        self._pulse = Pulse(planned_at=time.monotonic())
        self._parts: dict[str, bool] = {}
        self._follower = Follower()
        self.counters = Counters()

    # The two doors of the API.

    def read(self) -> Snapshot:
        """The ward as it stands."""
        return self.ward.snapshot()

    async def submit(self, action: Action) -> Answer:
        """Let the ward decide on an act in its own turn; answered once it is written down."""
        return await self.inbox.ask(action)

    def status(self) -> Status:
        """How the service itself is doing."""
        parts = {part.part: part for part in self.ward.snapshot().parts}
        paging = parts.get("paging")
        return Status(
            started_at_ms=self.started_at_ms,
            recording=self.journal.recording,
            recording_why=self.journal.why,
            paging=paging.ok if paging else True,
            paging_why=paging.why if paging else "",
            loop_lag_ms=self._pulse.lag_ms,
            turn_age_ms=int((time.monotonic() - self._pulse.turned_at) * 1_000),
            journal_seq=self.journal.head.seq,
            journal_head=self.journal.head.hash,
            ready=self._pulse.turned_at > 0,
            ehr_waiting=self.ehr.counts.waiting if self.ehr else None,
            ehr_aside=self.ehr.counts.aside if self.ehr else None,
        )

    # The loop.

    async def run(self) -> None:
        """Turn for ever."""
        while True:
            await self.turn()

    async def turn(self) -> None:
        """Hear, decide, write down, tell, act."""
        heard = await self.inbox.take(self._wait_s())
        now_ms = self.clock.now_ms()
        self._feel_the_pulse(now_ms)
        events: list[Happening] = []
        acts: list[tuple[Act, tuple[str, ...], int, int]] = []
        for item in heard:
            if isinstance(item, Act):
                # A window that has just closed is closed before anybody acts in it.
                events += self.ward.tick(now_ms)
                before = len(events)
                missing, made = self._act(item.action, now_ms)
                events += made
                acts.append((item, missing, before, len(events)))
            else:
                events += self.ward.feed(item)
        events += self.ward.tick(now_ms)
        before_seq = self.journal.head.seq
        recorded = await self._write_down(events)
        # What has to wait for the disk has no number yet: others may come before it.
        self.hub.publish(events, self.ward, before_seq if recorded else None)
        self._act_on(events)
        for event in events:
            for fact in self._follower.hears(event):
                self.counters.took(fact)
        for act, missing, start, end in acts:
            if not act.answer.done():
                refusal = "\n".join(missing) or None
                act.answer.set_result(Answer(tuple(events[start:end]), refusal, recorded, missing))
        self._pulse.turned_at = time.monotonic()

    def _act(self, action: Action, now_ms: int) -> tuple[tuple[str, ...], list[Happening]]:
        """Let the ward decide about one act: why not, or what it led to."""
        stamped = _stamped(action, now_ms)
        missing = self.ward.refusals(stamped)
        return missing, [] if missing else self.ward.feed(stamped)

    async def _write_down(self, events: Sequence[Happening]) -> bool:
        durable = [event for event in events if event.durable]
        recorded = await self.journal.append(durable, self.clock.drift_ms()) if durable else True
        self.part("journal", ok=self.journal.recording, why=self.journal.why)
        return recorded and self.journal.recording

    def _act_on(self, events: Sequence[Happening]) -> None:
        if self.outbox is not None:
            self.outbox.take(events)
        for event in events:
            if isinstance(event, Reading | Readings | CuffTaken | VitalTyped):
                self.trends.put(event)
            elif isinstance(event, CuffOrdered):
                refusal = self.order_cuff(event.device)
                if refusal:
                    log.warning("cuff refused", device=event.device, why=refusal)
                    now_ms = self.clock.now_ms()
                    self.inbox.put(CuffNotTaken(now_ms, event.bed, event.device, event.why, refusal))
            elif isinstance(event, CuffStopped):
                self.stop_cuff(event.device)

    def _wait_s(self) -> float:
        due_ms = self.ward.due_ms()
        wait_s = WAIT_MAX_S
        if due_ms is not None:
            wait_s = min(WAIT_MAX_S, max(0.0, (due_ms - self.clock.now_ms()) / 1_000 / self._speed))
        self._pulse.planned_at = time.monotonic() + wait_s
        return wait_s

    def _feel_the_pulse(self, now_ms: int) -> None:
        """See whether the loop is on time, and whether the system's clock agrees with ours."""
        lag_ms = max(0, int((time.monotonic() - self._pulse.planned_at) * 1_000))
        self._pulse.lag_ms = lag_ms
        late = lag_ms >= LATE_MS
        self.part("loop", ok=not late, why=f"{lag_ms} ms late" if late else "", since_ms=now_ms - lag_ms)
        drift_ms = self.clock.drift_ms()
        off = abs(drift_ms) > DRIFT_MS
        self.part("clock", ok=not off, why=f"the system clock is {drift_ms} ms off" if off else "")

    def part(self, part: str, *, ok: bool, why: str, since_ms: int | None = None) -> None:
        """How a part of the service does: an event where that has changed."""
        if self._parts.get(part, True) is not ok:
            self._parts[part] = ok
            now_ms = self.clock.now_ms()
            self.inbox.put(PartMoved(now_ms, part, ok, why, now_ms if since_ms is None else since_ms))

    def report(self, page_id: int, way: str, outcome: Outcome, why: str) -> None:
        """What a pager says of a page, as an event."""
        self.inbox.put(PageReported(self.clock.now_ms(), page_id, way, outcome, why))


def _stamped(action: Action, now_ms: int) -> Action:
    """The act as of now. When it was done stays as long ago as it was when it was entered."""
    if isinstance(action, CuffTaken):
        return replace(action, at_ms=now_ms, measured_at_ms=now_ms)
    if isinstance(action, DeviceGiven | Stepped | Scored | SymptomNoted):
        return replace(action, at_ms=now_ms, done_at_ms=now_ms - (action.at_ms - action.done_at_ms))
    return replace(action, at_ms=now_ms)


def _no_reader(device: Device) -> str | None:
    return f"{device} has no reader"


# Building: every shell in the one right order, and down again in the other.


def serve(clinic: Clinic, speed: float = 1.0) -> None:
    """Run one clinic until SIGINT or SIGTERM; CannotStartError where a needed part cannot be had."""
    import uvloop

    with logging(), contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(clinic, speed))


async def _serve(clinic: Clinic, speed: float) -> None:
    os.umask(0o077)  # whatever the caller's: records are nobody else's
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with open_service(clinic, speed) as tasks:
        # What is there now stays for good: looked at again by every collection of garbage it would hold the
        # loop up for 0.2 s.
        gc.collect()
        gc.freeze()
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()  # what ended by itself ends the service, with its own error
            raise RuntimeError(f"{task.get_name()} ended")


@contextlib.asynccontextmanager
async def open_service(clinic: Clinic, speed: float = 1.0) -> AsyncIterator[Sequence[asyncio.Task[None]]]:
    """Everything one clinic needs, running; closed again on the way out."""
    database = clinic.about.database
    url = database.get_secret_value() if database else None
    try:
        store = await open_store(clinic.about.data_dir, url, retention_days=clinic.retention.trends_days)
    except StoreError as missing:
        raise CannotStartError(str(missing)) from missing
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        for note in store.notes:
            log.info("store", note=note)
        clock = SteadyClock(not_before_ms=(store.journal.last_at_ms or 0) + 1, speed=speed)
        hub = Hub(secrets.token_hex(4), clock.now_ms)
        ward = Ward(plan(clinic, DRIVERS))
        service = Service(ward, store.journal, store.trends, hub, clock, speed)
        links = ways.links(clinic.paging)
        pagers = ways.pagers(clinic.paging, links, hub.watches, clock.now_ms)
        service.outbox = Outbox(pagers, {m.name: m.pagers for m in clinic.staff}, service.report)
        stack.push_async_callback(service.outbox.close)
        events = [row.event async for row in store.journal.replay()]
        service.outbox.restore(events)
        ward.restore(events)
        for number in ward.treatments():
            known = ward.treatment(number)
            if known is not None and known[0].opened.digest != known[0].therapy.digest:
                log.warning("a therapy was changed under a session", session=number)
        service.inbox.put(ServiceStarted(clock.now_ms(), VERSION, store.journal.last_at_ms))
        listening = stack.enter_context(_listen(clinic.server))
        brokers, ports, readers = _devices(clinic, service, clock, speed)
        for port in ports:
            stack.push_async_callback(port.close)
            await _open(port)
        outlets = _outlets(clinic, service, brokers)
        service.ehr = await _ehr(clinic, service)
        if service.ehr is not None:
            stack.push_async_callback(service.ehr.close)
        web = _web(clinic, service, store.accounts, links, speed)
        tasks = [
            asyncio.create_task(service.run(), name="the loop"),
            asyncio.create_task(store.run(), name="the trends"),
            asyncio.create_task(web.serve(sockets=[listening]), name="the web server"),
            *(asyncio.create_task(broker.run(), name="a broker") for broker in brokers),
            *(asyncio.create_task(reader.run(), name=name) for name, reader in readers.items()),
            *(asyncio.create_task(outlet.run(), name="Home Assistant") for outlet in outlets),
        ]
        tasks += [asyncio.create_task(run, name=name) for name, run in _watching(clinic, service, pagers)]
        if service.ehr is not None:
            tasks.append(asyncio.create_task(service.ehr.run(), name="the EHR link"))
        stack.push_async_callback(_end, tasks)
        stack.callback(hub.close)  # the web server ends when its last answer has, and a stream has no end
        service.outbox.resume(clock.now_ms())
        log.info("chairside is up", address=address(clinic.server), beds=len(clinic.beds))
        yield tasks


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _devices(
    clinic: Clinic, service: Service, clock: Clock, speed: float
) -> tuple[list[Broker], list[Port], dict[Device, DeviceReader]]:
    """One reader a device, one connection to each broker they need, and the ports on which monitors call."""
    rng = random.Random()  # noqa: S311  jitter of the back-off, no secret
    brokers: dict[BrokerAddress, Broker] = {}
    ports: dict[tuple[str, int], Port] = {}
    readers: dict[Device, DeviceReader] = {}
    for device in clinic.devices:
        link = full_link(clinic.mqtt, device.link)
        if link.startswith("mqtt:"):
            where = _broker_address(clinic.mqtt, link)
            if where not in brokers:
                brokers[where] = Broker(where, rng, _say)
        elif link.startswith("mllp:") and (at := parse_mllp_url(link)) not in ports:
            ports[at] = Port(at, clock.now_ms, _say)
        try:
            readers[device.name] = reader_for(
                device.name,
                device.bed,
                device.driver,
                link,
                device.backend,
                device.options,
                list(brokers.values()),
                service.inbox.put,
                clock,
                rng,
                speed,
                _say,
                ports=list(ports.values()),
            )
        except ValueError as wrong:
            raise CannotStartError(f"device {device.name}: {wrong}") from wrong

    service.order_cuff = lambda device: readers[device].order_cuff()
    service.stop_cuff = lambda device: readers[device].cancel_cuff()
    return list(brokers.values()), list(ports.values()), readers


def _outlets(clinic: Clinic, service: Service, brokers: list[Broker]) -> list[HomeAssistant]:
    """Who is told of the numbers besides the screens; a broker that only they need is added."""
    mqtt = clinic.mqtt
    if mqtt is None or not mqtt.home_assistant:
        return []
    where = _broker_address(mqtt, f"mqtt://{mqtt.host}:{mqtt.port}/{mqtt.status_topic}")
    broker = next((one for one in brokers if one.address == where), None)
    if broker is None:
        broker = Broker(where, random.Random(), _say)  # noqa: S311  jitter of the back-off, no secret
        brokers.append(broker)
    beds = {
        bed.name: tuple(
            dict.fromkeys(
                vital
                for device in clinic.devices
                if device.bed == bed.name
                for vital in vitals_of(DRIVERS[device.driver], device.options)
            )
        )
        for bed in clinic.beds
    }
    told = HomeAssistant(
        broker,
        beds,
        service.read,
        service.clock.now_ms,
        prefix=mqtt.home_assistant_prefix,
        version=VERSION,
        say=_say,
    )
    return [told]


async def _ehr(clinic: Clinic, service: Service) -> EhrLink | None:
    """The link to the EHR that the clinic's records go to, if there is one."""
    if clinic.ehr is None:
        return None
    trends, now_ms = service.trends, service.clock.now_ms
    reports = Reports(clinic, service.journal, trends, now_ms)

    async def record(session: int) -> SessionReport:
        await trends.flush()  # what was measured in the last second belongs to it
        return await reports.session(session)

    try:
        return await open_link(
            clinic, clinic.ehr, service.journal, service.read, record, now_ms, service.part
        )
    except StoreError as missing:
        raise CannotStartError(str(missing)) from missing


async def _open(port: Port) -> None:
    try:
        await port.listen()
    except LinkLost as taken:
        raise CannotStartError(str(taken)) from taken


_tls = functools.cache(tls_context)
"""One for all links: two contexts are never equal, and would make one broker two."""


def _broker_address(mqtt: Mqtt | None, link: str) -> BrokerAddress:
    """Where a link's broker is; the account of [mqtt] is for its own host only."""
    host, port, _ = parse_mqtt_url(link)
    if mqtt is None or (host, port or MQTT_PORT) != (mqtt.host, mqtt.port):
        return BrokerAddress(host, port or MQTT_PORT)
    return BrokerAddress(
        mqtt.host,
        mqtt.port,
        user=mqtt.user,
        password=mqtt.password.get_secret_value() if mqtt.password else None,
        tls=_tls() if mqtt.tls else None,
        availability=mqtt.status_topic,
    )


def full_link(mqtt: Mqtt | None, link: str) -> str:
    """A link with its broker's name in it: `mqtt:///TOPIC` and `mqtt:TOPIC` mean the broker of [mqtt]."""
    parts = urlsplit(link, allow_fragments=False)  # "#" is a wild card in a topic
    if mqtt is None or parts.scheme != "mqtt" or parts.netloc:
        return link
    return f"mqtt://{mqtt.host}:{mqtt.port}/{parts.path.removeprefix('/')}"


DEAD_S = 5.0
"""A ward that has not turned for so long is not well, and nobody outside is told that it is."""


def _watching(
    clinic: Clinic, service: Service, pagers: Mapping[str, Pager]
) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    """Who looks whether a page would go out, and who tells the outside that this service is alive."""

    def paging(ok: bool, why: str) -> None:  # noqa: FBT001  the contract of a heartbeat
        service.part("paging", ok=ok, why=why)

    def watcher(ok: bool, why: str) -> None:  # noqa: FBT001  as above
        service.part("watcher", ok=ok, why=why)

    def well() -> bool:
        return service.status().turn_age_ms < DEAD_S * 1_000

    found: list[tuple[str, Coroutine[Any, Any, None]]] = []
    beating = ways.heartbeat(pagers, paging)
    if beating is not None:
        found.append(("the heartbeat", beating.run()))
    if clinic.dead_man is not None:
        url, every_s = clinic.dead_man.url.get_secret_value(), clinic.dead_man.every_s
        found.append(("the dead man's switch", DeadMan(url, every_s, well, watcher).run()))
    return found


def _listen(settings: Server) -> socket.socket:
    """The port, taken before anything else is started: a second service notices at once."""
    try:
        return socket.create_server((settings.host, settings.port), backlog=128)
    except OSError as taken:
        where = f"{settings.host} port {settings.port}"
        why = "is in use by another program" if taken.errno == errno.EADDRINUSE else str(taken.strerror)
        raise CannotStartError(f"{where}: {why}; set another server.port") from taken


def _web(
    clinic: Clinic, service: Service, accounts: Accounts, links: PageLinks | None, speed: float
) -> WebServer:
    """The API and the dashboard, as a server that has not begun."""
    web, link = clinic.server, clinic.paging.link
    linked = [] if link is None else [urlsplit(link.address.get_secret_value()).hostname or ""]
    settings = Settings(
        name=clinic.about.name,
        zone=clinic.about.zone,
        version=VERSION,
        dashboard=Path(str(files("monitor"))) / "dashboard",
        hosts=tuple(dict.fromkeys(["localhost", "127.0.0.1", "::1", web.host, *web.allowed_hosts, *linked])),
        sounds={
            screen.name: Hears(LEAST[screen.sounds], tuple(map(str, screen.beds)))
            for screen in clinic.screens
        },
        tls=web.tls_cert is not None,
        insecure_lan=web.insecure_lan,
        speed=speed,
        idle_pin_ms=round(web.idle_lock_s * 1_000),
        links=links,
        link_networks=() if link is None else tuple(map(str, link.networks)),
    )
    app = build(
        read=service.read,
        submit=service.submit,
        hub=service.hub,
        history=service.trends,
        accounts=accounts,
        status=service.status,
        now_ms=service.clock.now_ms,
        real_ms=_wall_ms,
        settings=settings,
        archive=Archive(clinic, service.journal, service.trends, service.clock.now_ms),
        counters=lambda: service.counters,
    )
    return server(app, settings, host=web.host, port=web.port, certificate=web.tls_cert, key=web.tls_key)


def _wall_ms() -> int:
    return SteadyClock().now_ms()


def address(settings: Server) -> str:
    """What a person types to see the Floor."""
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{settings.host}:{settings.port}/"


def _say(text: str) -> None:
    log.warning("device", said=text)

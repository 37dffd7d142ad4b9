"""One connection to one broker, shared by all of its devices; each has a subscription of its own as a link.

A broker that is killed, hangs or refuses takes its own devices' links down, with the reason, and nobody
else's. At every connect everything is done anew: last will, birth, subscriptions, and a message to ourselves
that must come back. Only that one proves the road is open: a publish the broker refused looks like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiomqtt
from aiomqtt import Message as Arrived
from paho.mqtt.reasoncodes import ReasonCode

from monitor.devices.links.link import LinkLost, Say, lost, silent
from monitor.devices.links.mailbox import WAITING_MAX, Mailbox

PAYLOAD_MAX = 64 * 1024
"""Bytes of one message (threat T20): a monitor's second of data is under 2 KiB, an array of 500 under 64."""
KEEPALIVE_S = 4
"""A hung broker is noticed after two of these and the second between two looks: within 10 s (F26)."""
ANSWER_S = 3.0
"""How long the broker may take to answer; with the back-off it leaves a return within 5 s."""
BACK_OFF_MAX_S = 1.5
PUBLISHES_MAX = 8
"""At once; aiomqtt begins to complain above 10."""

_WRONG_VERSION = {
    1,
    132,
}  # CONNACK "unacceptable protocol version": 3.1.1, 3.2.2.3; "unsupported": 5.0, 3.2.2.2
_LOGGER = logging.getLogger(__name__)
_LOGGER.setLevel(logging.ERROR)  # why a link is down is said once, by us, in words for a technician
_FAILED = 0x80  # reason codes from here on are refusals (MQTT 5.0, 2.4)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is and how to sign in to it."""

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    client_id: str | None = None
    availability: str | None = None
    """Our own topic: "online" and "offline", retained, as Home Assistant expects them. None: nowhere."""
    selftest: str = "chairside/selftest"
    """Where our message to ourselves goes round; the broker's access list must let us write and read it."""

    @property
    def name(self) -> str:
        """What people call it."""
        return f"broker {self.host}:{self.port}"


def parse_mqtt_url(url: str) -> tuple[str, int | None, str]:
    """Host, port and topic filter of `mqtt://host[:port]/topic` or of `mqtt:topic` (no host, no port)."""
    parts = urlsplit(url, allow_fragments=False)  # "#" is a wild card here
    topic = parts.path[1:] if parts.netloc else parts.path
    if parts.scheme != "mqtt" or not topic or url.startswith("mqtt:/") != bool(parts.hostname):
        raise ValueError(f"{url}: an MQTT link is mqtt:TOPIC or mqtt://HOST/TOPIC")
    return parts.hostname or "", parts.port, unquote(topic)


def tls_context(
    authority: str | None = None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """TLS that checks the broker's name, against `authority` or the machine's own list of them."""
    context = ssl.create_default_context(cafile=authority)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic falls under a filter with + and # (MQTT 5.0, 4.7)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for at, want in enumerate(wanted):
        if want == "#":
            return True
        if at == len(levels) or want not in {"+", levels[at]}:
            return False
    return len(wanted) == len(levels)


class MqttLink(Mailbox):
    """One device's subscription. Messages of other topics never get here."""

    def __init__(self, broker: Broker, filters: Sequence[str]) -> None:
        """Belong to `broker`, which puts in what falls under `filters`."""
        super().__init__()
        self.filters = tuple(filters)
        self._broker = broker

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand one message over, never retained; raises `LinkLost` if there is nobody to take it."""
        if self._ended:
            raise LinkLost(self.why or "the subscription is closed")
        await self._broker.publish(topic, payload)

    async def close(self) -> None:
        """Give the subscription up."""
        if not self._ended:
            self.end("closed")
            await self._broker.forget(self)


class Broker:
    """The one connection to one broker. `run` keeps it for ever; `open` gives a device its subscription."""

    def __init__(self, address: BrokerAddress, rng: random.Random, say: Say = silent) -> None:
        """Nothing is connected before `run`."""
        self.address = address
        self.why = f"{address.name} has not been reached yet"
        """While it is down: the reason, in words."""
        self.oversized = 0
        """Messages that were longer than `PAYLOAD_MAX` and were dropped."""
        self.road_open: bool | None = None
        """Whether our message to ourselves came back at the last connect; None before that is known."""
        self._rng = rng
        self._say = say
        self._said: set[str] = set()
        self._protocol = aiomqtt.ProtocolVersion.V5
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._links: list[MqttLink] = []
        self._routes: dict[str, tuple[MqttLink, ...]] = {}
        self._publishing = asyncio.Semaphore(PUBLISHES_MAX)
        self._mark = f"{rng.getrandbits(64):016x}".encode()
        self._came_back = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether the broker has let us in and has taken our subscriptions."""
        return self._up.is_set()

    async def run(self) -> None:
        """Connect, stay, connect again; for ever, or until cancelled."""
        failures = 0
        while True:
            _heed()
            try:
                async with self._connected() as client:
                    failures = 0
                    await self._stay(client)
            except _RefusedError as refused:
                if self._is_old(refused.code):
                    continue
                self._down(f"{self.address.name} refuses the sign-in: {refused}")
            except (aiomqtt.MqttError, OSError, ssl.SSLError) as error:
                self._down(self._words(error))
            await asyncio.sleep(self._back_off_s(failures))
            failures += 1

    async def open(self, filters: Sequence[str], wait_s: float = 1.0) -> MqttLink:
        """A subscription to these topic filters; raises `LinkLost` if the broker is not there in time."""
        link = MqttLink(self, filters)
        try:
            async with asyncio.timeout(wait_s):
                await self._up.wait()
        except TimeoutError:
            raise LinkLost(self.why) from None
        new = self._new_filters(link)
        self._links.append(link)
        self._routes.clear()
        if new and self._client is not None:
            try:
                await self._subscribe(self._client, new)
                _heed()
            except aiomqtt.MqttError as error:
                link.end(self._words(error))
                self._drop(link)
                raise LinkLost(link.why) from error
            except BaseException:
                self._drop(link)
                raise
        return link

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand one message to the broker; raises `LinkLost` while it is down or when it does not answer."""
        client = self._client
        if client is None:
            raise LinkLost(self.why)
        try:
            async with self._publishing:
                await client.publish(topic, payload, qos=qos, retain=retain)
            _heed()
        except aiomqtt.MqttError as error:
            raise LinkLost(self._words(error)) from error

    async def forget(self, link: MqttLink) -> None:
        """A device no longer listens: the broker is told, if it is there."""
        self._drop(link)
        client, gone = self._client, self._new_filters(link)
        if client is not None and gone:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.unsubscribe(gone)

    # One connection, from the sign-in to its end.

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiomqtt.Client]:
        client = self._make_client()
        try:
            await client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            await _let_go(client)
            raise _RefusedError(error) from error
        except BaseException:
            await _let_go(client)
            raise
        try:
            _heed()
            yield client
        finally:
            self._client = None
            self._up.clear()
            await _let_go(client)

    def _make_client(self) -> aiomqtt.Client:
        address = self.address
        will = None
        if address.availability:
            will = aiomqtt.Will(address.availability, b"offline", qos=1, retain=True)
        return aiomqtt.Client(
            address.host,
            address.port,
            logger=_LOGGER,
            username=address.user,
            password=address.password,
            identifier=address.client_id,
            tls_context=address.tls,
            protocol=self._protocol,
            will=will,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            max_queued_outgoing_messages=WAITING_MAX,
            queue_type=_straight_to(self._arrived),
        )

    async def _stay(self, client: aiomqtt.Client) -> None:
        """Everything anew, then wait for the end of the connection, which is an exception."""
        self._client = client
        self._came_back.clear()
        await self._subscribe(client, [self.address.selftest])
        await self._tell_everybody(client, b"online")
        _heed()
        self._up.set()
        self.why = ""
        self._said.clear()
        self._say(f"{self.address.name} is connected")
        proof = asyncio.create_task(self._prove_the_road(client))
        try:
            # Messages never come this way (see `_straight_to`): only the end of the connection does.
            async for _ in client.messages:
                pass
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._tell_everybody(client, b"offline")
            self._down(f"{self.address.name} was left by us")
            raise
        finally:
            proof.cancel()
            await asyncio.wait([proof])

    async def _tell_everybody(self, client: aiomqtt.Client, what: bytes) -> None:
        if self.address.availability:
            await client.publish(self.address.availability, what, qos=1, retain=True, timeout=ANSWER_S)

    async def _prove_the_road(self, client: aiomqtt.Client) -> None:
        """Publish to our own topic and see it come back, or say what that means."""
        try:
            await client.publish(self.address.selftest, self._mark, qos=1)
            async with asyncio.timeout(ANSWER_S):
                await self._came_back.wait()
        except (TimeoutError, aiomqtt.MqttError):
            self.road_open = False
            self._once(
                f"{self.address.name} took a message of ours and did not bring it back: "
                f"let us write and read {self.address.selftest} in its access list"
            )
        else:
            self.road_open = True

    async def _subscribe(self, client: aiomqtt.Client, filters: Sequence[str]) -> None:
        answers = await client.subscribe([(each, 1) for each in filters])
        for each, answer in zip(filters, answers, strict=False):
            if _code(answer) >= _FAILED:
                raise aiomqtt.MqttError(f"refuses to let us read {each}: check its access list")

    def _arrived(self, message: Arrived) -> None:
        topic = message.topic.value
        payload = message.payload
        if payload == self._mark and topic == self.address.selftest:
            self._came_back.set()
            return
        if len(payload) > PAYLOAD_MAX:
            self.oversized += 1
            self._once(f"{self.address.name}: messages of more than {PAYLOAD_MAX} bytes are dropped")
            return
        routes = self._routes.get(topic)
        if routes is None:
            routes = self._route(topic)
        for link in routes:
            link.put((topic, payload, message.retain))

    def _route(self, topic: str) -> tuple[MqttLink, ...]:
        # A broker may invent topics without end; what is remembered about them has one.
        if len(self._routes) >= WAITING_MAX:
            self._routes.clear()
        routes = tuple(link for link in self._links if any(matches(each, topic) for each in link.filters))
        self._routes[topic] = routes
        return routes

    # The bookkeeping.

    def _new_filters(self, link: MqttLink) -> list[str]:
        """The filters of this link that no other link holds."""
        held = {each for other in self._links if other is not link for each in other.filters}
        return [each for each in dict.fromkeys(link.filters) if each not in held]

    def _drop(self, link: MqttLink) -> None:
        with contextlib.suppress(ValueError):
            self._links.remove(link)
        self._routes.clear()

    def _down(self, why: str) -> None:
        self._client = None
        self._up.clear()
        self.why = why
        self._once(why)
        links, self._links = self._links, []
        self._routes.clear()
        for link in links:
            link.end(why)

    def _is_old(self, code: int) -> bool:
        """Whether the broker only knows MQTT 3.1.1: then that is spoken from now on, and said once."""
        if code not in _WRONG_VERSION or self._protocol is aiomqtt.ProtocolVersion.V311:
            return False
        self._protocol = aiomqtt.ProtocolVersion.V311
        self._say(f"{self.address.name} does not know MQTT 5: MQTT 3.1.1 is used")
        return True

    def _back_off_s(self, failures: int) -> float:
        ceiling = min(BACK_OFF_MAX_S, 0.2 * 2.0 ** min(failures, 10))
        return ceiling * self._rng.uniform(0.5, 1.0)

    def _words(self, error: BaseException) -> str:
        if isinstance(error, OSError):
            return str(lost(self.address.name, error))
        text = " ".join(str(error).split()) or "the connection has ended"
        return text if text.startswith(self.address.name) else f"{self.address.name}: {_in_words(text)}"

    def _once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _in_words(text: str) -> str:
    """What aiomqtt says, as a technician would."""
    if "refused" in text.lower() and "Errno" in text:
        return "nobody answers at this address: is the broker running?"
    if text.startswith(("Operation timed out", "timed out")):
        return "it does not answer"
    if text.startswith("Disconnected during"):
        return "the connection has ended"
    return text


class _RefusedError(aiomqtt.MqttError):
    """The broker answered the sign-in with no."""

    def __init__(self, error: aiomqtt.MqttCodeError) -> None:
        super().__init__(str(error).partition("] ")[2] or str(error))
        self.code = _code(error.rc)


def _code(answer: object) -> int:
    """The number of an answer, whichever version of the protocol it came in; no answer is no refusal."""
    if isinstance(answer, ReasonCode):
        return int(answer.value)
    return answer if isinstance(answer, int) else 0


def _heed() -> None:
    """Be cancelled, if somebody asked for that meanwhile.

    aiomqtt waits with `asyncio.wait_for`, which before Python 3.12 forgets a cancellation that comes together
    with the answer; the task still counts it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _let_go(client: aiomqtt.Client) -> None:
    """Say goodbye and close what is open. Never waits long, and leaves no future with an exception unread."""
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(0.02):
            await anext(client.messages)
    client.timeout = 0.1
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


def _straight_to(take: Callable[[Arrived], None]) -> type[asyncio.Queue[Arrived]]:
    """A queue for aiomqtt that keeps nothing: each message is handed on in the call that brought it.

    Its own iterator makes a task and waits for two futures for every message, which is most of what a message
    costs. Waiting on that iterator then means waiting for the end of the connection.
    """

    class Straight(asyncio.Queue[Arrived]):
        def put_nowait(self, item: Arrived) -> None:
            take(item)

    return Straight


def broker_for(brokers: Sequence[Broker], url: str) -> Broker:
    """The broker a device's link means; one without a host means the first one."""
    host, port, _ = parse_mqtt_url(url)
    for broker in brokers:
        if not host or (host, port or 1883) == (broker.address.host, broker.address.port):
            return broker
    raise ValueError(f"{url}: there is no such broker")

"""One contract for every way of paging: what a receiver gets, and what is said when it gets nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from monitor.alerts.pagers.apprise_way import ApprisePager
from monitor.alerts.pagers.console import Console
from monitor.alerts.pagers.outbox import Outbox
from monitor.alerts.pagers.pager import Pager, forbidden
from monitor.alerts.pagers.webhook import ANSWER_MAX, Webhook, signature
from monitor.model import Bed, Outcome, PageChanged, PageOrdered, PageRecalled, Priority, Staff, Why

# apprise loads its plug-ins when the first URL is read, and one of them an old part of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "canary-secret-of-the-webhook"  # noqa: S105  made up, and searched for in what shows
NOW_MS = 1_800_000_000_123
PATIENCE_S = 10.0
"""How long a test waits for what must come; only a failing one waits so long."""


def page(page_id: int = 17, to: str = "anna") -> PageOrdered:
    return PageOrdered(
        at_ms=NOW_MS,
        page_id=page_id,
        alarm_id=5,
        bed=Bed("3"),
        rule="spo2-low",
        priority=Priority.HIGH,
        step=0,
        to=Staff(to),
        why=Why.FIRST,
        text="*** Bed 3 SpO2 84 < 90",
    )


def change(page_id: int = 17) -> PageChanged:
    return PageChanged(NOW_MS + 30_000, page_id, "*** Bed 3 SpO2 84 < 90. 95 now. Still look.")


def recall(page_id: int = 17) -> PageRecalled:
    return PageRecalled(NOW_MS + 60_000, page_id, "Bed 3 SpO2 is 95 now.", "the alarm is over")


class Receiver(Protocol):
    """Where a pager's messages end up, and what a test can do to that place."""

    pager: Pager

    async def got(self, count: int) -> list[str]:
        """The messages, once there are so many."""
        ...

    def hold(self) -> Callable[[], None]:
        """Answer nothing until the returned function is called."""
        ...

    async def break_down(self) -> None:
        """Take nothing any more."""
        ...


@dataclass
class Request:
    """One POST as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A gateway on a real socket that misbehaves as it is told."""

    status: str = "200 OK"
    answer: bytes = b""
    extra: str = ""
    drip: bool = False
    requests: list[Request] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    port: int = 0
    _server: asyncio.Server | None = None
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Listen on a free port."""
        self.free.set()
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def got(self, count: int) -> list[Request]:
        """The requests, once there are so many."""
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        async with self.news:
            self.requests.append(Request(head[0].split()[1], headers, body))
            self.news.notify_all()
        await self.free.wait()
        length = f"Content-Length: {len(self.answer)}\r\n" if not self.drip else ""
        writer.write(f"HTTP/1.1 {self.status}\r\n{length}{self.extra}Connection: close\r\n\r\n".encode())
        writer.write(self.answer)
        await writer.drain()
        if self.drip:
            await asyncio.Event().wait()  # the body never ends


class HttpReceiver:
    """A pager that speaks HTTP, and the server it speaks to."""

    def __init__(self, server: Server, pager: Pager) -> None:
        """Keep both ends."""
        self.server = server
        self.pager = pager

    async def got(self, count: int) -> list[str]:
        """The messages, once there are so many."""
        return [_said(request.body) for request in await self.server.got(count)]

    def hold(self) -> Callable[[], None]:
        """Answer nothing until told to."""
        self.server.free.clear()
        return self.server.free.set

    async def break_down(self) -> None:
        """Take nothing any more."""
        await self.server.close()


class Screen:
    """Standard output, with somebody at it who may stop reading."""

    def __init__(self) -> None:
        """Begin with somebody who reads."""
        self.lines: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.broken = False
        self.pager: Pager = Console("way", PATIENCE_S, out=self)
        self._news = threading.Condition()

    def write(self, text: str) -> int:
        """One line, as a stream takes it."""
        self.free.wait(PATIENCE_S)
        if self.broken:
            raise BrokenPipeError
        with self._news:
            self.lines.append(text)
            self._news.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back here."""

    async def got(self, count: int) -> list[str]:
        """The messages, once there are so many."""

        def wait() -> None:
            with self._news:
                assert self._news.wait_for(lambda: len(self.lines) >= count, PATIENCE_S)

        await asyncio.to_thread(wait)
        return self.lines

    def hold(self) -> Callable[[], None]:
        """Answer nothing until told to."""
        self.free.clear()
        return self.free.set

    async def break_down(self) -> None:
        """Take nothing any more."""
        self.broken = True


def _said(body: bytes) -> str:
    return body.decode()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.open()
    yield server
    await server.close()


def webhook(server: Server, timeout_s: float = PATIENCE_S) -> Webhook:
    return Webhook("way", f"http://127.0.0.1:{server.port}/pages", SECRET, lambda: NOW_MS, timeout_s)


def apprise(server: Server, timeout_s: float = PATIENCE_S) -> ApprisePager:
    return ApprisePager("way", f"json://127.0.0.1:{server.port}/pages?redirect=yes", timeout_s)


WAYS: Mapping[str, Callable[..., Pager]] = {"webhook": webhook, "apprise": apprise}


@pytest.fixture(params=["console", "webhook", "apprise"])
async def receiver(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Receiver]:
    way = request.param
    made: Receiver = Screen() if way == "console" else HttpReceiver(server, WAYS[way](server))
    yield made
    await made.pager.close()


# What every pager promises.


async def test_a_page_arrives_with_its_text_and_its_number(receiver: Receiver) -> None:
    assert await receiver.pager.send(page()) == (Outcome.SENT, "")
    (said,) = await receiver.got(1)
    assert "*** Bed 3 SpO2 84 < 90" in said
    assert re.search(r"\b17\b", said)


async def test_a_page_that_is_sent_again_has_the_same_number(receiver: Receiver) -> None:
    await receiver.pager.send(page())
    await receiver.pager.send(page())
    first, second = await receiver.got(2)
    assert first == second


async def test_a_page_that_is_over_is_followed_by_that_news_under_its_number(receiver: Receiver) -> None:
    await receiver.pager.send(page())
    assert await receiver.pager.recall(recall(), page()) == (Outcome.SENT, "")
    news = (await receiver.got(2))[1]
    assert "SpO2 is 95 now." in news
    assert "over" in news
    assert re.search(r"\b17\b", news)


async def test_a_page_that_changes_is_followed_by_what_it_says_now_and_is_not_over(
    receiver: Receiver,
) -> None:
    await receiver.pager.send(page())
    assert await receiver.pager.change(change(), page()) == (Outcome.SENT, "")
    news = (await receiver.got(2))[1]
    assert "95 now. Still look." in news
    assert not re.search(r"\bover\b", news)
    assert re.search(r"\b17\b", news)


async def test_a_slow_receiver_is_waited_for_while_everything_else_goes_on(receiver: Receiver) -> None:
    let_go = receiver.hold()
    sending = asyncio.ensure_future(receiver.pager.send(page()))
    if isinstance(receiver, HttpReceiver):
        await receiver.server.got(1)
    done, _ = await asyncio.wait({sending}, timeout=0.05)  # the loop turns meanwhile
    assert not done
    let_go()
    assert await asyncio.wait_for(sending, PATIENCE_S) == (Outcome.SENT, "")


async def test_a_receiver_that_is_gone_is_said_in_words_that_hold_no_address(receiver: Receiver) -> None:
    await receiver.break_down()
    outcome, why = await asyncio.wait_for(receiver.pager.send(page()), PATIENCE_S)
    assert outcome is Outcome.FAILED
    assert why
    assert "127.0.0.1" not in why
    assert SECRET not in why
    assert (await receiver.pager.recall(recall(), page()))[0] is Outcome.FAILED


@pytest.mark.shows("HZ-14")
async def test_nothing_leaves_but_what_a_page_may_say(receiver: Receiver) -> None:
    await receiver.pager.send(page())
    await receiver.pager.change(change(), page())
    await receiver.pager.recall(recall(), page())
    said = await receiver.got(3)
    assert [forbidden(text) for text in said] == [[], [], []]


async def test_a_pager_may_be_closed_twice(receiver: Receiver) -> None:
    await receiver.pager.close()
    await receiver.pager.close()


@pytest.mark.shows("HZ-03")
@pytest.mark.parametrize("kind", ["webhook", "apprise"])
async def test_f31_a_hung_pager_delays_nobody_and_counts_as_lost_in_its_own_time(
    kind: str, server: Server
) -> None:
    other = Server()
    await other.open()
    server.free.clear()
    told: asyncio.Queue[tuple[int, str, Outcome, str]] = asyncio.Queue()
    ways: dict[str, Pager] = {"way": WAYS[kind](server, 0.3), "other": _named(webhook(other), "other")}
    outbox = Outbox(
        ways,
        {Staff("anna"): ("way", "other")},
        lambda *report: told.put_nowait(report),
    )
    outbox.take([page()])
    async with asyncio.timeout(PATIENCE_S):
        assert await told.get() == (17, "other", Outcome.SENT, "")
        assert await told.get() == (17, "way", Outcome.TIMED_OUT, "no answer within 0.3 s")
        server.free.set()
        assert await told.get() == (17, "way", Outcome.SENT, "it answered, but only after 0.3 s")
    await outbox.close()
    await other.close()


def _named(pager: Webhook, way: str) -> Webhook:
    pager.way = way
    return pager


# What those that speak HTTP promise besides.


@pytest.mark.parametrize("kind", ["webhook", "apprise"])
@pytest.mark.parametrize(
    "status", ["500 Oops", "429 Too Many", "404 Not Found", "401 Who", "304 Not Modified"]
)
async def test_f31_an_answer_that_is_no_yes_is_a_failed_page(kind: str, status: str, server: Server) -> None:
    server.status = status
    outcome, why = await WAYS[kind](server).send(page())
    assert (outcome, bool(why)) == (Outcome.FAILED, True)


@pytest.mark.parametrize("kind", ["webhook", "apprise"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_t17_a_redirect_is_not_followed(kind: str, status: str, server: Server) -> None:
    elsewhere = Server()
    await elsewhere.open()
    server.status = status
    server.extra = f"Location: http://127.0.0.1:{elsewhere.port}/\r\n"
    assert (await WAYS[kind](server).send(page()))[0] is Outcome.FAILED
    assert len(server.requests) == 1
    assert elsewhere.requests == []
    await elsewhere.close()


async def test_f31_a_webhook_that_says_200_and_failed_has_failed(server: Server) -> None:
    pager = webhook(server)
    for said, outcome in [
        ({"outcome": "failed", "why": "no signal"}, Outcome.FAILED),
        ({"outcome": "delivered"}, Outcome.DELIVERED),
        ({"outcome": "read"}, Outcome.READ),
        ({"outcome": "accepted"}, Outcome.SENT),  # a person accepts by signing in, no gateway for them
        ({"outcome": 3}, Outcome.SENT),
        (["failed"], Outcome.SENT),
        ({}, Outcome.SENT),
    ]:
        server.answer = json.dumps(said).encode()
        assert (await pager.send(page()))[0] is outcome
    for noise in (b"", b"OK", b"\xff\xfe", b"[" * 5_000):
        server.answer = noise
        assert await pager.send(page()) == (Outcome.SENT, "")
    server.answer = b'{"outcome":"failed","why":"%s"}' % SECRET.encode()
    assert SECRET not in (await pager.send(page()))[1]
    await pager.close()


async def test_f31_an_answer_is_read_only_so_far(server: Server) -> None:
    server.answer = b" " * ANSWER_MAX + b'{"outcome":"failed"}'
    server.drip = True
    pager = webhook(server)
    assert await asyncio.wait_for(pager.send(page()), PATIENCE_S) == (Outcome.SENT, "")
    await pager.close()


async def test_f31_an_answer_that_drips_counts_as_lost_when_its_time_is_up(server: Server) -> None:
    server.answer = b"{"
    server.drip = True
    told: asyncio.Queue[tuple[int, str, Outcome, str]] = asyncio.Queue()
    outbox = Outbox(
        {"way": webhook(server, 0.2)}, {Staff("anna"): ("way",)}, lambda *report: told.put_nowait(report)
    )
    outbox.take([page()])
    assert (await asyncio.wait_for(told.get(), PATIENCE_S))[2] is Outcome.TIMED_OUT
    await outbox.close(0)


async def test_a_webhook_is_signed_so_that_a_receiver_can_tell_who_and_when(server: Server) -> None:
    pager = webhook(server)
    await pager.send(page())
    await pager.change(change(), page())
    await pager.recall(recall(), page())
    await pager.close()
    ordered, changed, over = await server.got(3)
    assert ordered.path == "/pages"
    match = re.fullmatch(r"t=(\d+), v1=([0-9a-f]{64})", ordered.headers["chairside-signature"])
    assert match is not None
    assert int(match[1]) == NOW_MS // 1000
    mark = hmac.new(SECRET.encode(), match[1].encode() + b"." + ordered.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mark, match[2])
    assert [r.headers["idempotency-key"] for r in (ordered, changed, over)] == [
        "17-page",
        f"17-changed-{NOW_MS + 30_000}",
        "17-over",
    ]
    assert json.loads(ordered.body) == {
        "kind": "page",
        "page_id": 17,
        "alarm_id": 5,
        "to": "anna",
        "bed": "3",
        "priority": "HIGH",
        "step": 0,
        "why": "first page for this alarm",
        "text": "*** Bed 3 SpO2 84 < 90",
        "ordered_at_ms": NOW_MS,
    }
    assert json.loads(changed.body) == {
        "kind": "changed",
        "page_id": 17,
        "alarm_id": 5,
        "to": "anna",
        "bed": "3",
        "priority": "HIGH",
        "text": "*** Bed 3 SpO2 84 < 90. 95 now. Still look.",
        "changed_at_ms": NOW_MS + 30_000,
    }
    assert json.loads(over.body) == {
        "kind": "over",
        "page_id": 17,
        "alarm_id": 5,
        "to": "anna",
        "bed": "3",
        "priority": "HIGH",
        "text": "Bed 3 SpO2 is 95 now.",
        "over_at_ms": NOW_MS + 60_000,
    }


def test_the_signature_is_the_one_any_other_program_makes() -> None:
    # printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac 'a shared secret'
    assert signature(b"a shared secret", 1_800_000_000, b'{"a":1}') == (
        "t=1800000000, v1=754afaabed15b077ac0ca55d6c6888778b0680ad5aa28b964b59f81dca18548b"
    )


def test_the_receiver_shown_in_the_documents_tells_genuine_from_forged() -> None:
    page = (Path(__file__).parents[2] / "docs" / "interfaces.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(def genuine.*?)```", page, re.DOTALL)
    scope: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(shown, scope)  # noqa: S102  our own document, read as its reader would
    genuine, body, at_s = scope["genuine"], b'{"kind":"page"}', NOW_MS // 1000
    header = signature(b"secret", at_s, body)
    assert genuine(b"secret", header, body, at_s + 10)
    assert not genuine(b"other", header, body, at_s + 10)
    assert not genuine(b"secret", header, body + b" ", at_s + 10)
    assert not genuine(b"secret", header, body, at_s + 400)


async def test_an_address_apprise_cannot_use_fails_the_page_and_does_not_show(server: Server) -> None:
    pager = ApprisePager("way", f"nosuchservice://{SECRET}@127.0.0.1:{server.port}")
    outcome, why = await asyncio.wait_for(pager.send(page()), PATIENCE_S)
    assert outcome is Outcome.FAILED
    assert SECRET not in why


def test_a_console_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    strange: Any = page()
    strange = PageOrdered(
        **{name: getattr(strange, name) for name in strange.__slots__} | {"text": "a\nb\x1b[2J"}
    )
    asyncio.run(Console("way").send(strange))
    assert capsys.readouterr().out == "page 17 to anna: a?b?[2J\n"

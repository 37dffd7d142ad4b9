"""Ways of paging that need only the clinic's own network: mail, ntfy, MQTT, a browser; and their pulse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from monitor.alerts.pagers.apprise_way import ApprisePager
from monitor.alerts.pagers.heartbeat import Heartbeat
from monitor.alerts.pagers.outbox import Outbox
from monitor.alerts.pagers.screen_way import NOBODY, ScreenPager
from monitor.alerts.pagers.webhook import Webhook
from monitor.dead_man import DeadMan
from monitor.model import Outcome, PageOrdered, Staff
from monitor.page_link import PageLinks
from tests.shells.api_clinic import running
from tests.shells.conftest import PATIENCE_S, Mosquitto, until
from tests.shells.test_pagers_contract import NOW_MS, SECRET, Server, change, page, recall

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

LINKS = PageLinks("https://chairside.example", "a secret of at least thirty-two letters", 900_000)


def linked(ordered: PageOrdered) -> str:
    return LINKS.of(ordered.page_id, ordered.to, ordered.at_ms)


LINK = linked(page())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.open()
    yield server
    await server.close()


class Mailbox:
    """A mail server of the clinic's own: it speaks SMTP and keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        """Nothing has come."""
        self.mails: list[tuple[str, str]] = []
        self.port = 0
        self.refuses = False
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = ""
        writer.write(b"220 mail.clinic.example\r\n")
        while line := (await reader.readline()).decode():
            word = line[:4].upper()
            if word == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
            if word == "DATA" and not self.refuses:
                writer.write(b"354 go on\r\n")
                mail = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.mails.append((to, mail.partition("\r\n\r\n")[2].replace("=\r\n", "")))
            refused = self.refuses and word == "RCPT"
            writer.write(
                b"550 no such box\r\n" if refused else b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n"
            )
            if word == "QUIT":
                break
        writer.close()


async def test_a_page_goes_by_mail_through_the_clinics_own_server() -> None:
    mailbox = Mailbox()
    await mailbox.open()
    url = f"mailto://127.0.0.1:{mailbox.port}?from=chairside@clinic.example&to=anna@clinic.example&mode=insecure"
    pager = ApprisePager("mail", url, link=linked)
    assert await pager.send(page()) == (Outcome.SENT, "")
    assert await pager.change(change(), page()) == (Outcome.SENT, "")
    assert await pager.recall(recall(), page()) == (Outcome.SENT, "")
    assert [to for to, _ in mailbox.mails] == ["anna@clinic.example"] * 3
    first, second, third = (text for _, text in mailbox.mails)
    assert "*** Bed 3 SpO2 84 < 90 (page 17)" in first
    assert LINK in first
    assert "95 now. Still look. (page 17)" in second
    assert "(page 17 is over)" in third
    mailbox.refuses = True
    assert (await pager.send(page()))[0] is Outcome.FAILED
    await mailbox.close()
    assert (await pager.send(page()))[0] is Outcome.FAILED


async def test_a_page_goes_to_an_ntfy_of_the_clinics_own(server: Server) -> None:
    pager = ApprisePager("ntfy", f"ntfy://127.0.0.1:{server.port}/anna-phone", link=linked)
    assert await pager.send(page()) == (Outcome.SENT, "")
    (got,) = await server.got(1)
    said = json.loads(got.body)
    assert said["topic"] == "anna-phone"
    assert said["message"] == f"*** Bed 3 SpO2 84 < 90 (page 17)\n{LINK}"
    server.status = "507 Full"
    assert (await pager.send(page()))[0] is Outcome.FAILED


async def test_a_page_goes_by_mqtt_to_the_clinics_own_broker(mosquitto: Mosquitto) -> None:
    pager = ApprisePager("mqtt", f"mqtt://127.0.0.1:{mosquitto.port}/pages/anna", link=linked)
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client, asyncio.timeout(PATIENCE_S):
        await client.subscribe("pages/#")
        assert await pager.send(page()) == (Outcome.SENT, "")
        got = await anext(aiter(client.messages))
    assert str(got.topic) == "pages/anna"
    assert got.payload == f"*** Bed 3 SpO2 84 < 90 (page 17)\n{LINK}".encode()


async def test_a_webhook_carries_the_link_of_its_page_and_nothing_else_does(server: Server) -> None:
    pager = Webhook("way", f"http://127.0.0.1:{server.port}/", SECRET, lambda: NOW_MS, link=linked)
    await pager.send(page())
    await pager.change(change(), page())
    await pager.recall(recall(), page())
    await pager.close()
    ordered, changed, over = (json.loads(each.body) for each in await server.got(3))
    assert ordered["link"] == LINK
    assert "link" not in changed
    assert "link" not in over


async def test_a_page_on_a_screen_has_gone_out_where_its_person_has_one_open() -> None:
    there = {Staff("anna")}
    pager = ScreenPager("tablet", there.__contains__)
    assert await pager.send(page()) == (Outcome.SENT, "")
    assert await pager.change(change(), page()) == (Outcome.SENT, "")
    there.clear()
    assert await pager.send(page()) == (Outcome.FAILED, NOBODY)
    assert (await pager.recall(recall(), page()))[0] is Outcome.FAILED
    await pager.close()


async def test_a_screen_that_is_not_there_leaves_the_other_ways_and_then_the_next_step(
    server: Server,
) -> None:
    told: asyncio.Queue[tuple[int, str, Outcome, str]] = asyncio.Queue()
    hook = Webhook("way", f"http://127.0.0.1:{server.port}/", SECRET, lambda: NOW_MS)
    screen = ScreenPager("tablet", lambda _: False)
    outbox = Outbox(
        {"way": hook, "tablet": screen},
        {Staff("anna"): ("tablet", "way")},
        lambda *said: told.put_nowait(said),
    )
    outbox.take([page()])
    async with asyncio.timeout(PATIENCE_S):
        assert {(await told.get())[1:3] for _ in range(2)} == {
            ("tablet", Outcome.FAILED),
            ("way", Outcome.SENT),
        }
    await outbox.close()


# Whether a page would go out, before there is one.


@pytest.mark.shows("ALM-080", "ALM-082", "HZ-03")
async def test_ALM_082_a_gateway_is_asked_again_and_again_whether_it_is_there(server: Server) -> None:
    told: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    pager = Webhook("gateway", f"http://127.0.0.1:{server.port}/", SECRET, lambda: NOW_MS, heartbeat_s=0.05)
    beating = asyncio.create_task(Heartbeat([pager], lambda ok, why: told.put_nowait((ok, why))).run())
    async with asyncio.timeout(PATIENCE_S):
        assert await told.get() == (True, "")
        server.status = "502 Bad Gateway"
        while (said := await told.get())[0]:
            pass
        assert said == (False, "gateway: answers 502")
        server.status = "405 No HEAD here"  # somebody answers: that is all that was asked
        while not (said := await told.get())[0]:
            pass
        await server.close()
        while (said := await told.get())[0]:
            pass
        assert said == (False, "gateway: cannot be reached")
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await pager.close()
    assert {each.headers.get("content-length", "0") for each in server.requests} == {"0"}, (
        "nobody is paged by it"
    )


async def test_one_beat_that_is_missed_is_asked_once_more_before_anybody_is_told() -> None:
    class Hiccup:
        way, heartbeat_s = "gateway", 0.01

        def __init__(self) -> None:
            self.answers = ["", "does not answer", ""]

        async def beat(self) -> str:
            return self.answers.pop(0) if self.answers else ""

    told: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    beating = asyncio.create_task(Heartbeat([Hiccup()], lambda ok, why: told.put_nowait((ok, why))).run())
    async with asyncio.timeout(PATIENCE_S):
        assert [await told.get() for _ in range(3)] == [(True, "")] * 3
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


async def test_the_outside_hears_knocks_while_the_service_is_well_and_silence_when_it_is_not(
    server: Server,
) -> None:
    told: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    asked: asyncio.Queue[bool] = asyncio.Queue()
    turns = [True]

    def well() -> bool:
        asked.put_nowait(turns[0])
        return turns[0]

    url = f"http://127.0.0.1:{server.port}/ping/7f3c"
    switch = DeadMan(url, 0.02, well, lambda ok, why: told.put_nowait((ok, why)))
    knocking = asyncio.create_task(switch.run())
    first, second = (await server.got(2))[:2]
    assert (first.path, first.body, second.path) == ("/ping/7f3c", b"", "/ping/7f3c")
    async with asyncio.timeout(PATIENCE_S):
        assert await told.get() == (True, "")
        server.status = "500 Oops"
        while (said := await told.get())[0]:
            pass
        assert said == (False, "the watcher answered 500")
        server.status = "302 Found"
        server.extra = "Location: http://127.0.0.1:1/\r\n"
        while "302" not in said[1]:
            said = await told.get()
        await server.close()
        while "reached" not in said[1]:
            said = await told.get()
        turns[0] = False
        while await asked.get():
            pass
        while not told.empty():
            told.get_nowait()
        assert [await asked.get() for _ in range(3)] == [False] * 3
    assert told.empty(), "a service that does not turn says nothing at all"
    knocking.cancel()
    await asyncio.gather(knocking, return_exceptions=True)


async def test_a_screen_is_there_while_a_browser_of_its_person_is_connected_and_no_longer() -> None:
    async with running() as clinic:
        pager = ScreenPager("tablet", clinic.hub.watches)
        async with clinic.live("anna") as stream:
            await stream.next("snapshot")
            assert await pager.send(page()) == (Outcome.SENT, "")
            assert (await pager.send(page(to="ben")))[0] is Outcome.FAILED
        await until(lambda: not clinic.hub.watches("anna"))
        async with clinic.live("display") as stream:
            await stream.next("snapshot")
            assert (await pager.send(page()))[0] is Outcome.FAILED, "a wall is nobody's own"

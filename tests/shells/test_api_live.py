"""The live stream: snapshot first, nothing lost, nothing twice, nobody held up by another (F19, F41, T05)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import replace

import pytest

from monitor.api import hub as hub_module
from monitor.api.hub import QUEUE_MAX, RING, SEND_DEADLINE_S, Hub, Listener, View
from monitor.api.views import records, shapes, turns
from monitor.clock import ManualClock
from monitor.model import Event, Resumed, Staff
from monitor.people import Role, TokenKind
from tests.shells.api_clinic import (
    ALIAS,
    BED3,
    NOON_MS,
    PATIENCE_S,
    Clinic,
    WardByHand,
    running,
)


async def test_a_stream_begins_with_everything_a_screen_needs() -> None:
    async with running() as clinic, clinic.live("anna") as live:
        kind, data, event_id = await live.next()
        assert kind == "snapshot"
        assert data["me"] == {"name": "anna", "display": "Anna", "role": "nurse"}
        assert data["server"]["version"] == "1.2.3"
        assert event_id == f"{data['server']['start']}-0"
        assert data["beds"][0]["session"]["alias"] == ALIAS
        assert data["beds"][0]["vitals"]["spo2"]["value"] == 97
        assert {person["name"] for person in data["staff"]} >= {"anna", "carla"}
        assert {
            "beds",
            "alarms",
            "pages",
            "links",
            "parts",
            "duty",
            "staff",
            "sounds",
            "load",
            "therapies",
            "server",
            "me",
        } == set(data)


async def test_what_a_turn_changes_comes_once_with_its_number() -> None:
    async with running() as clinic, clinic.live() as live:
        _, snapshot, _ = await live.next("snapshot")
        clinic.turn(clinic.ward.reads(95.0))
        clinic.turn()
        clinic.turn(clinic.ward.reads(None))
        _, first, first_id = await live.next("events")
        _, second, _ = await live.next("events")
        assert (first["seq"], second["seq"]) == (1, 2)
        assert first_id == f"{snapshot['server']['start']}-1"
        assert [(c["kind"], c["bed"], c["value"]) for c in first["changes"]] == [("vital", "3", 95)]
        assert second["changes"][0]["value"] is None
        assert second["changes"][0]["why"] == "probe off"


async def test_a_screen_that_comes_back_misses_nothing_and_hears_nothing_twice() -> None:
    async with running() as clinic:
        headers = clinic.headers("anna")
        async with clinic.live(headers) as live:
            await live.next("snapshot")
            clinic.turn(clinic.ward.reads(95.0))
            _, _, last_id = await live.next("events")
        for value in (94.0, 93.0, 92.0):
            clinic.turn(clinic.ward.reads(value))
        async with clinic.live(headers, last_id) as live:
            heard = [await live.next("events", "snapshot") for _ in range(3)]
            assert [(kind, data["changes"][0]["value"]) for kind, data, _ in heard] == [
                ("events", 94),
                ("events", 93),
                ("events", 92),
            ]
            clinic.turn(clinic.ward.reads(91.0))
            assert (await live.next("events", "snapshot"))[1]["seq"] == 5


async def test_coming_back_with_nothing_missed_goes_on_without_a_snapshot() -> None:
    async with running() as clinic:
        headers = clinic.headers("anna")
        async with clinic.live(headers) as live:
            _, _, last_id = await live.next("snapshot")
        async with clinic.live(headers, last_id) as live:
            clinic.turn(clinic.ward.reads(91.0))
            assert (await live.next("events", "snapshot"))[0] == "events"


@pytest.mark.parametrize(
    "last_id",
    [
        "other-1",
        "abc1-1",
        "-",
        "1",
        "",
        "abc1.00000000-0",
        "{mark}-99",
        "{mark}--1",
        "{mark}-1e3",
        "{mark}-٣",
    ],
)
async def test_a_number_from_elsewhere_gets_a_fresh_snapshot(last_id: str) -> None:
    async with running() as clinic:
        headers = clinic.headers("anna")
        async with clinic.live(headers) as live:
            _, data, _ = await live.next("snapshot")
        headers["Last-Event-ID"] = last_id.replace("{mark}", data["server"]["start"])
        hub = clinic.hub
        listener = hub.open(
            View.STAFF, data["server"]["start"], "x", headers["Last-Event-ID"], lambda: _empty(clinic)
        )
        assert b"event: snapshot" in await listener.next()


def _empty(clinic: Clinic) -> shapes.LiveSnapshot:
    server = shapes.ServerShown("1", NOON_MS, "abc1", 1.0, insecure_lan=False)
    return records.live_snapshot(clinic.ward.snapshot(), server, None, [], names=False)


async def test_another_person_on_the_same_screen_gets_a_fresh_snapshot() -> None:
    async with running() as clinic:
        async with clinic.live("anna") as live:
            _, _, last_id = await live.next("snapshot")
        async with clinic.live("ben", last_id) as live:
            kind, data, _ = await live.next()
            assert kind == "snapshot"
            assert data["me"]["name"] == "ben"


async def test_too_long_away_gets_a_fresh_snapshot() -> None:
    async with running() as clinic:
        headers = clinic.headers("anna")
        async with clinic.live(headers) as live:
            _, _, last_id = await live.next("snapshot")
        for _ in range(QUEUE_MAX // 2 + 1):
            clinic.turn(clinic.ward.reads(95.0))
        async with clinic.live(headers, last_id) as live:
            assert (await live.next())[0] == "snapshot"
        assert RING >= QUEUE_MAX // 2


async def test_a_paired_screen_is_shown_no_alias_in_snapshot_or_change() -> None:
    async with running() as clinic, clinic.live("display") as wall, clinic.live("anna") as nurse:
        seen = await wall.next("snapshot")
        assert seen[1]["me"]["role"] == "display"
        await nurse.next("snapshot")
        clinic.turn(Resumed(NOON_MS, BED3, 2, Staff("anna")))
        bare, full = await wall.next("events"), await nurse.next("events")
        assert ALIAS not in str(seen) + str(bare)
        assert bare[1]["changes"][0]["bed"]["session"]["alias"] is None
        assert full[1]["changes"][0]["bed"]["session"]["alias"] == ALIAS


async def test_a_message_is_encoded_once_for_all_and_again_only_where_an_alias_stands() -> None:
    ward = WardByHand()
    plain = hub_module.Message(
        turns.Turn(1, NOON_MS, turns.changes([ward.reads(95.0)], ward, ward.told(), 0))
    )
    assert plain.body(View.STAFF) is plain.body(View.STAFF)
    assert plain.body(View.DISPLAY) is plain.body(View.STAFF)
    bed = hub_module.Message(turns.Turn(1, NOON_MS, [turns.BedChange(records.bed_shown(ward.bed_now(BED3)))]))
    assert ALIAS.encode() in bed.body(View.STAFF)
    assert ALIAS.encode() not in bed.body(View.DISPLAY)


@pytest.mark.shows("ALM-082")
async def test_it_beats_every_second_while_the_ward_turns() -> None:
    async with running() as clinic, clinic.live() as live:
        loop, heard = asyncio.get_running_loop(), []
        clinic.turn(clinic.ward.reads(95.0))
        for _ in range(3):
            _, data, event_id = await live.next("beat")
            heard.append(loop.time())
            clinic.turn()
            assert data["at_ms"] == NOON_MS
            assert event_id == "", "a beat does not move the place to resume from"
        assert 0.8 < heard[2] - heard[1] < 1.6
        assert data["seq"] == 1


@pytest.mark.shows("ALM-002", "ALM-082")
async def test_a_ward_that_has_stopped_turning_does_not_beat() -> None:
    clock = ManualClock(NOON_MS)
    hub, ward = Hub("s", clock.now_ms), WardByHand()
    server = shapes.ServerShown("1", NOON_MS, "s", 1.0, insecure_lan=False)

    def snapshot() -> shapes.LiveSnapshot:
        return records.live_snapshot(ward.snapshot(), server, None, [], names=True)

    before = hub.open(View.STAFF, "m", "x", None, snapshot)
    assert b"event: beat" not in await before.next(), "no turn yet: nothing has been watched"
    hub.publish([], ward)
    after = hub.open(View.STAFF, "m", "x", None, snapshot)
    assert b"event: beat" in await after.next()


async def test_no_stream_survives_its_sign_out() -> None:
    async with running() as clinic:
        headers = clinic.headers("anna")
        async with clinic.live(headers) as live:
            await live.next("snapshot")
            async with clinic.browser() as client:
                assert (await client.post("/api/v1/signout", headers=headers)).status_code == 204
            await live.closed()
            assert clinic.hub.listeners == 0


@pytest.mark.parametrize("how", ["disabled", "idle", "dropped by another program", "role"])
async def test_no_stream_outlives_its_sign_in_by_five_seconds(how: str) -> None:
    async with running(idle_password_ms=1000) as clinic, clinic.live("anna") as live:
        await live.next("snapshot")
        account = clinic.accounts.kept[Staff("anna")]
        match how:
            case "disabled":
                clinic.accounts.kept[Staff("anna")] = replace(account, disabled=True)
            case "role":
                clinic.accounts.kept[Staff("anna")] = replace(account, role=Role.ADMINISTRATOR)
            case "idle":
                clinic.wall.advance(1000)
            case _:
                await clinic.accounts.drop_tokens(Staff("anna"))
        began = asyncio.get_running_loop().time()
        await live.closed()
        assert asyncio.get_running_loop().time() - began < 5


async def test_a_revoked_screen_goes_dark() -> None:
    async with running() as clinic, clinic.browser("eli") as client:
        paired = await client.post("/api/v1/screens", json={"name": "floor"})
        cookie = paired.headers["set-cookie"].partition(";")[0]
        async with clinic.live(clinic.headers() | {"Cookie": cookie}) as live:
            await live.next("snapshot")
            assert (await client.delete("/api/v1/screens/floor")).status_code == 204
            await live.closed()


async def test_streams_stay_open_while_the_accounts_cannot_be_read() -> None:
    async with running() as clinic, clinic.live("anna") as live:
        await live.next("snapshot")
        clinic.accounts.broken = True
        for _ in range(4):
            await live.next("beat")
            clinic.turn()
        clinic.turn(clinic.ward.reads(88.0))
        assert (await live.next("events"))[1]["changes"][0]["value"] == 88


async def test_a_screen_that_goes_away_is_forgotten() -> None:
    async with running() as clinic:
        async with clinic.live() as live:
            await live.next("snapshot")
            assert clinic.hub.listeners == 1
        async with asyncio.timeout(PATIENCE_S), clinic.live() as other:
            while clinic.hub.listeners > 1:
                clinic.turn()
                await other.next("beat")


async def test_a_full_line_lets_its_listener_go() -> None:
    listener = Listener(View.STAFF, "m", "x")
    for _ in range(QUEUE_MAX):
        listener.hear(b"x")
    assert listener.ended is None
    listener.hear(b"x")
    assert listener.ended == hub_module.TOO_SLOW
    assert await listener.next() == b""


async def test_a_reader_that_stalls_is_cut_off_and_the_others_notice_nothing() -> None:
    async with running() as clinic:
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.setblocking(False)  # noqa: FBT003  the socket module's own word
        loop = asyncio.get_running_loop()
        await loop.sock_connect(stalled, ("127.0.0.1", clinic.port))
        head = "".join(f"{name}: {value}\r\n" for name, value in clinic.headers("ben").items())
        await loop.sock_sendall(
            stalled, f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{clinic.port}\r\n{head}\r\n".encode()
        )
        async with clinic.live("anna") as live, asyncio.timeout(PATIENCE_S):
            await live.next("snapshot")
            told = 0
            while not any(listener.sending_since is not None for listener in clinic.hub._listeners):
                clinic.turn(*[clinic.ward.reads(95.0)] * 3, *_many(clinic))
                told += 1
                while (await live.next("events"))[1]["seq"] != told:
                    pass
            clinic.hub.let_go_of_the_slow(loop.time() + SEND_DEADLINE_S - 1)
            assert clinic.hub.dropped == 0
            clinic.hub.let_go_of_the_slow(loop.time() + SEND_DEADLINE_S + 1)
            assert (clinic.hub.dropped, clinic.hub.listeners) == (1, 1)
            clinic.turn(clinic.ward.reads(90.0))
            assert (await live.next("events"))[1]["seq"] == told + 1
            with contextlib.suppress(ConnectionResetError):  # as good as a quiet end
                while await loop.sock_recv(stalled, 1 << 16):
                    pass
        stalled.close()


def _many(clinic: Clinic) -> list[Event]:
    bed = clinic.ward.beds[BED3]
    clinic.ward.beds[BED3] = replace(bed, limits=bed.limits[:1] * 200)
    return [Resumed(NOON_MS, BED3, 2, Staff("anna"))]


async def test_closing_the_service_closes_every_stream() -> None:
    async with running() as clinic, clinic.live() as live:
        await live.next("snapshot")
        clinic.hub.close()
        await live.closed()


async def test_a_stream_opened_while_the_service_closes_ends_at_once() -> None:
    async with running() as clinic:
        clinic.hub.close()
        async with clinic.live() as live:
            await live.closed()
        assert clinic.hub.listeners == 0


async def test_a_pin_on_a_screen_sees_the_alias_and_the_screen_alone_does_not() -> None:
    async with running() as clinic:
        screen = clinic.headers("display")
        person = clinic.token(TokenKind.PIN, "anna", "floor")
        both = screen | {"Cookie": f"{screen['Cookie']}; __Host-chairside={person}"}
        async with clinic.live(both) as live:
            assert ALIAS in str(await live.next("snapshot"))
        async with clinic.live(screen) as live:
            assert ALIAS not in str(await live.next("snapshot"))

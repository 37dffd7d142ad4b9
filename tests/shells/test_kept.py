"""What `listen --raw` keeps is played again by `simulate` on real lines, and says the same."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import aiomqtt
import pytest

from monitor.devices.codecs import dinamap, masimo_ascii1
from monitor.devices.driver import SerialSettings
from monitor.devices.kept import Turn, read_times
from monitor.devices.lines import kept_message
from simulators.kept import (
    NEVER_MS,
    PIECE_MS,
    WAITS_MS,
    KeptMessages,
    KeptTwin,
    Piece,
    load_messages,
    load_pieces,
)
from simulators.scenario import ScenarioError
from tests.shells.conftest import Mosquitto
from tests.shells.test_simulate import Running, _read, running

LINE = SerialSettings()
LINES = [masimo_ascii1.encode(f"11/22/26 10:00:{second:02d}", 90 + second, 70, 3.0) for second in range(8)]
WIRE = b"".join(LINES)


def _keep(folder: Path, data: bytes, rows: str | None = None) -> Path:
    path = folder / "kept.raw"
    path.write_bytes(data)
    if rows is not None:
        (folder / "kept.raw.times").write_text(rows)
    return path


async def _said(program: Running, wanted: int) -> list[dict[str, object]]:
    return [json.loads(await program.line("{")) for _ in range(wanted)]


# The pace.


def test_bytes_come_at_their_times() -> None:
    twin = KeptTwin([Piece(0, b"a"), Piece(1_000, b"b"), Piece(1_500, b"c")])
    twin.begin(60_000, 0)
    assert [twin.tick(t_ms) for t_ms in (60_000, 60_999, 61_000, 61_499, 70_000)] == [
        b"a",
        b"",
        b"b",
        b"",
        b"c",
    ]
    assert twin.due_ms() == NEVER_MS
    assert twin.tick(80_000) == b""


def test_what_was_before_the_start_is_left_out() -> None:
    twin = KeptTwin([Piece(0, b"a"), Piece(1_000, b"b"), Piece(2_000, b"c")])
    twin.begin(60_000, 1_000)
    assert (twin.tick(60_000), twin.tick(61_000)) == (b"b", b"c")


def test_where_the_host_spoke_it_is_waited_for_and_the_rest_is_as_late() -> None:
    twin = KeptTwin([Piece(100, None), Piece(150, b"a"), Piece(1_100, None), Piece(1_150, b"b")])
    twin.begin(0, 0)
    assert twin.tick(900) == b""
    assert twin.hear(b"?", 1_000) == b""
    assert (twin.tick(1_049), twin.tick(1_050)) == (b"", b"a")
    twin.hear(b"?", 1_900)  # sooner than in the file: nobody waits
    assert (twin.tick(2_049), twin.tick(2_050)) == (b"", b"b")


def test_a_host_that_never_speaks_is_not_waited_for_for_ever() -> None:
    twin = KeptTwin([Piece(100, None), Piece(150, b"a")])
    twin.begin(0, 0)
    assert twin.tick(100) == b""
    assert twin.due_ms() == 100 + WAITS_MS
    assert twin.tick(100 + WAITS_MS) == b""
    assert twin.tick(150 + WAITS_MS) == b"a"


def test_without_times_bytes_come_as_the_line_carries_them(tmp_path: Path) -> None:
    pieces = load_pieces(_keep(tmp_path, bytes(960)), LINE)
    assert [piece.at_ms for piece in pieces] == [
        PIECE_MS * place for place in range(20)
    ]  # 960 bytes a second
    slow = load_pieces(_keep(tmp_path, bytes(960)), SerialSettings(9600, parity="E"))
    assert len(slow) == 23  # eleven bits each, 872 a second


def test_bytes_without_a_row_come_behind_those_that_have_one(tmp_path: Path) -> None:
    pieces = load_pieces(_keep(tmp_path, b"abcdef", "10 < 2\n20 > 9\n30 < 2\n"), LINE)
    assert pieces == [Piece(10, b"ab"), Piece(20, None), Piece(30, b"cd"), Piece(30, b"ef")]
    short = load_pieces(_keep(tmp_path, b"abc", "10 < 2\n30 < 2\n40 < 2\n"), LINE)
    assert short == [Piece(10, b"ab"), Piece(30, b"c")]


@pytest.mark.parametrize("rows", ["10 < 2\n5 < 2\n", "10 2\n", "x < 2\n", "10 < -2\n", "10 = 2\n"])
def test_times_that_are_none_are_named_with_their_row(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ScenarioError, match=r"kept.raw.times: row [12] (is not|goes back)"):
        load_pieces(_keep(tmp_path, b"abcdef", rows), LINE)


def test_messages_keep_their_distance_and_their_topic(tmp_path: Path) -> None:
    lines = [
        kept_message("a/b", b'{"x":1}', retained=False, at_ms=5_000),
        kept_message("a/c", b"\xff\x00", retained=True, at_ms=7_500),
        b'{"x":3}\n',
        kept_message("a/b", b"back", retained=False, at_ms=6_000),
    ]
    messages = load_messages(_keep(tmp_path, b"".join(lines)), "else/where")
    assert [(at_ms, one.topic, one.payload, one.retain) for at_ms, one in messages] == [
        (0, "a/b", b'{"x":1}', False),
        (2_500, "a/c", b"\xff\x00", True),
        (3_500, "else/where", b'{"x":3}', False),
        (3_500, "a/b", b"back", False),
    ]
    twin = KeptMessages(messages)
    twin.begin(100, 0)
    assert [len(twin.tick(t_ms)) for t_ms in (100, 2_599, 2_600, 3_600, 9_999)] == [1, 0, 1, 2, 0]
    with pytest.raises(ScenarioError, match="line 3 has no topic"):
        load_messages(_keep(tmp_path, b"".join(lines)), "")


# On real lines.


@pytest.mark.real
@pytest.mark.parametrize("rows", [None, "".join(f"{200 * place} < {len(LINES[0])}\n" for place in range(8))])
async def test_kept_bytes_come_whole_and_from_the_first_one(tmp_path: Path, rows: str | None) -> None:
    kept, path = _keep(tmp_path, WIRE, rows), tmp_path / "masimo"
    arguments = ("masimo-ascii1", "--link", f"pty:{path}", "--scenario", str(kept))
    with running("simulators", *arguments) as device:
        assert await device.line() == f"masimo-ascii1 with {kept} (seed 1) listens at {path}"
        assert await _read(str(path), len(WIRE)) == WIRE
        assert device.end() == 0


@pytest.mark.real
@pytest.mark.parametrize("driver", ["masimo-ascii1", "dinamap", "capnostream"])
async def test_what_was_listened_to_says_the_same_again(tmp_path: Path, driver: str) -> None:
    """Kept from a simulated monitor; played, listened to and decoded."""
    raw, wanted = tmp_path / "first.raw", 12
    port = tmp_path / "port"
    with running("simulators", driver, "--link", f"pty:{port}") as device:
        await device.line()
        with running("monitor", "listen", driver, str(port), "--raw", str(raw)) as ear:
            first = await _said(ear, wanted)
    turns = read_times((tmp_path / "first.raw.times").read_text())
    assert sum(turn.size for turn in turns if not turn.host) == raw.stat().st_size
    assert any(turn.host for turn in turns) == (driver != "masimo-ascii1")
    again = tmp_path / "again"
    with running("simulators", driver, "--link", f"pty:{again}", "--scenario", str(raw)) as device:
        await device.line()
        with running("monitor", "listen", driver, str(again)) as ear:
            assert await _said(ear, wanted) == first
    with running("monitor", "decode", driver, str(raw)) as decoded:
        assert await _said(decoded, wanted) == first


@pytest.mark.real
async def test_kept_answers_are_given_to_whoever_asks_in_their_order(tmp_path: Path) -> None:
    answers = [dinamap.encode_nibp(42, 138, 84, 102), dinamap.encode_oximeter(97), dinamap.encode_rate(72)]
    rows = "".join(f"{20 * place} > 6\n{20 * place + 10} < {len(one)}\n" for place, one in enumerate(answers))
    kept, port = _keep(tmp_path, b"".join(answers), rows), tmp_path / "port"
    with running("simulators", "dinamap", "--link", f"pty:{port}", "--scenario", str(kept)) as device:
        await device.line()
        with running("monitor", "listen", "dinamap", str(port)) as ear:
            said = await _said(ear, 3)
    assert [(one["kind"], one.get("sys") or one.get("value")) for one in said] == [
        ("cuff", 138),
        ("sample", 97),
        ("sample", 72),
    ]


@pytest.mark.real
async def test_kept_messages_are_published_where_they_came_from(tmp_path: Path, mosquitto: Mosquitto) -> None:
    lines = [
        kept_message(f"clinic/{place}", b"%d" % place, retained=False, at_ms=place) for place in range(5)
    ]
    kept = _keep(tmp_path, b"".join(lines))
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        await client.subscribe("clinic/#")
        link = f"mqtt://127.0.0.1:{mosquitto.port}"
        with running("simulators", "mqtt-map", "--link", link, "--scenario", str(kept)) as device:
            await device.line()
            heard = []
            async with asyncio.timeout(20):
                async for message in client.messages:
                    heard.append((message.topic.value, message.payload))
                    if len(heard) == len(lines):
                        break
    assert heard == [(f"clinic/{place}", b"%d" % place) for place in range(5)]


@pytest.mark.real
@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--scenario", "nowhere.raw"), "nowhere.raw: No such file"),
        (("--scenario", "empty.raw"), "there is nothing in it"),
        (("--scenario", "one.raw", "--option", "layout=rad5"), "kept bytes have no option 'layout'"),
        (("--scenario", "one.raw", "--fault", "clock_jump@3"), "the clock in kept bytes cannot jump"),
    ],
)
async def test_what_cannot_be_played_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "empty.raw").touch()
    (tmp_path / "one.raw").write_bytes(b"x")
    with running("simulators", "masimo-ascii1", *more) as device:
        assert says in await device.line("simulate:")
        assert await asyncio.to_thread(device.process.wait, 20) == 2


@pytest.mark.real
async def test_where_there_is_no_place_for_times_the_listening_goes_on(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with running("simulators", "masimo-ascii1", "--link", f"pty:{port}") as device:
        await device.line()
        with running("monitor", "listen", "masimo-ascii1", str(port), "--raw", os.devnull) as ear:
            assert len(await _said(ear, 3)) == 3
    assert not await asyncio.to_thread(os.path.lexists, f"{os.devnull}.times")


def test_a_row_says_who_spoke() -> None:
    assert read_times("0 < 12\n15 > 6\n") == [Turn(0, 12), Turn(15, 6, host=True)]

"""A clinic on real wires: the service and its devices as processes, its pagers' gateway, its screens.

Everything here is outside the service and sees only what a person or a machine could see: its command line,
its ports, its API and its stream. Every wait ends with the event it waits for, or fails with what there was.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from monitor.alerts.pagers.webhook import signature
from monitor.store.journal import SLOW
from tests.shells.conftest import free_port

T = TypeVar("T")

PATIENCE_S = 30.0
"""How long a test waits for what must come; only a failing one waits so long."""
STARTS_WITHIN_S = 60.0
"""A machine that runs other things besides may take long to load the libraries."""

PASSWORD = "a long password of the clinic"  # noqa: S105  of made-up people
SECRET = "webhook-secret-of-this-clinic"  # noqa: S105  as above
PEOPLE = {"dana": "nurse", "sam": "nurse", "lee": "charge nurse", "ida": "prescriber"}
"""All are on duty; dana has every bed."""
WHO_SIGN_IN = ("dana", "sam", "lee")

QUICK_CHAIN = {
    "steps": [
        {"after_s": 0, "to": "assigned nurse"},
        {"after_s": 2, "to": "second nurse"},
        {"after_s": 4, "to": ["everyone", "prescriber"]},
        {"after_s": 6, "to": "everyone"},
    ],
    "repeat_s": 2,
}
"""The ladder of the default with shorter rungs, for tests that must see all of it."""

SMALLEST = """
[clinic]
data_dir = "data"
[[bed]]
name = "1"
[[device]]
name = "oximeter"
driver = "masimo-ascii1"
link = "socket://127.0.0.1:9"
bed = "1"
[[paging.pager]]
name = "log"
way = "console"
[[staff]]
name = "dana"
role = "nurse"
pagers = ["log"]
"""
"""The settings of a clinic of one bed."""

FALLEN = """
title = "A saturation of 80 for ten hours"
drug  = "none"
[[bend]]
signal = "spo2"
at_min = -600
mode   = "set"
points = [[0, 80], [72000, 80]]
"""
"""A HIGH without delay, for as long as a test needs one."""


MISTAKES = ("Traceback", "rror: ", "[error", "[critical")
"""How a line of the log begins, or what it holds, that tells of a mistake of ours."""
SLOWLY = re.compile(rf"\[error +\] journal not written +error= waiting=\d+ why='{SLOW}'$")
"""The one line that is none."""


def now_ms() -> int:
    """The wall clock: at speed 1 the service's own."""
    return time.time_ns() // 1_000_000


# Programs.


def _ends_with_us() -> None:
    # Linux: no child outlives the tests, however they end.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Program:
    """One program of ours, running; what it says is kept in a file."""

    def __init__(self, log: Path, *arguments: str) -> None:
        """Start `python -m ARGUMENTS`."""
        self.log = log
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                preexec_fn=_ends_with_us,  # noqa: PLW1509  nothing runs beside us while it forks
            )

    @property
    def said(self) -> str:
        """What it has said since this start."""
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    async def says(self, words: str, within_s: float = STARTS_WITHIN_S) -> None:
        """Wait until it has said these words."""
        await until(lambda: words in self.said or not self.alive, within_s)
        assert words in self.said, f"it ended without saying {words!r}: {self.said}"

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        if self.alive:
            self.process.terminate()
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)


async def until(true: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
    """Wait until something outside this process has become true; what it is."""
    try:
        async with asyncio.timeout(within_s):
            while not (found := true()):  # noqa: ASYNC110  what is waited for is outside this process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it has not become true within {within_s:g} s") from None
    return found


def command(*arguments: str, given: str = "", within_s: float = STARTS_WITHIN_S) -> tuple[int, str, str]:
    """Run a command to its end: its exit code, what it printed, and what it complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        input=given.encode("utf-8", "surrogateescape"),
        capture_output=True,
        timeout=within_s,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# Settings.


@dataclass(frozen=True)
class Wire:
    """One `[[device]]`: its name, driver, bed and link."""

    name: str
    driver: str
    bed: str
    link: str
    options: Mapping[str, Any] = field(default_factory=dict)


def _toml(value: object) -> str:
    match value:
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value if isinstance(value, int | float | bool) else str(value))


def _table(head: str, rows: Mapping[str, object]) -> str:
    return "\n".join([head, *(f"{key} = {_toml(value)}" for key, value in rows.items())])


# The gateway behind the webhook.


@dataclass(frozen=True)
class Message:
    """One POST of the service, as it arrived."""

    at_ms: int
    signed: bool
    body: dict[str, Any]


class Gateway:
    """The clinic's paging gateway: it keeps what it is sent, and behaves as it is told."""

    def __init__(self) -> None:
        """Nothing listens before `open`."""
        self.port = free_port()
        self.messages: list[Message] = []
        self.status = "200 OK"
        self.on_page: Callable[[dict[str, Any]], None] = lambda _: None
        """Called with a page that has come, before it is answered."""
        self.answering = asyncio.Event()
        """While it is clear, nobody is answered."""
        self.answering.set()
        self._news = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def pages(self) -> list[Message]:
        """The pages that came, each as often as it came."""
        return [message for message in self.messages if message.body["kind"] == "page"]

    @property
    def overs(self) -> list[Message]:
        """The recalls that came."""
        return [message for message in self.messages if message.body["kind"] == "over"]

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def until(self, true: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Wait until what has come makes this true; what it is."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(true)
        except TimeoutError:
            bodies = [message.body for message in self.messages]
            raise AssertionError(f"not within {within_s:g} s; the gateway got {bodies}") from None
        found = true()
        assert found
        return found

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    await self._answer(reader, writer)
        finally:
            self._talks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        if head[0].startswith("HEAD "):
            writer.write(b"HTTP/1.1 204 Here\r\n\r\n")
            return
        body = await reader.readexactly(int(headers["content-length"]))
        mark = headers.get("chairside-signature", "")
        at_s = int(mark.removeprefix("t=").partition(",")[0] or 0)
        message = Message(now_ms(), mark == signature(SECRET.encode(), at_s, body), json.loads(body))
        async with self._news:
            self.messages.append(message)
            self._news.notify_all()
        if message.body["kind"] == "page":
            self.on_page(message.body)
        await self.answering.wait()
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()


# A screen.


@dataclass(frozen=True)
class Heard:
    """One event of the stream, and when it arrived."""

    arrived_ms: int
    kind: str
    data: dict[str, Any]


class Screen:
    """A listener of `/api/v1/live`: what it heard, and what it would show now."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Nothing is heard before `connected`."""
        self.heard: list[Heard] = []
        self.beds: dict[str, dict[str, Any]] = {}
        self.alarms: dict[int, dict[str, Any]] = {}
        self.pages: dict[int, dict[str, Any]] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self.parts: dict[str, dict[str, Any]] = {}
        self.alarm_moves: list[tuple[int, dict[str, Any]]] = []
        """(when it arrived, the alarm), also those of the snapshot."""
        self.values: list[tuple[int, str, str, float]] = []
        """(when it arrived, bed, vital, value): every number that stood on the screen as live."""
        self._url, self._headers = url, dict(headers)
        self._news = asyncio.Condition()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and hear the snapshot."""
        self._listening = asyncio.create_task(self._listen())
        await self.until(lambda: self.heard)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        assert self._listening is not None
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    @property
    def ended(self) -> bool:
        """Whether the other side has gone."""
        return self._listening is None or self._listening.done()

    async def until(self, true: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Wait until what was heard makes this true; what it is."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: true() or self.ended)
        except TimeoutError:
            raise AssertionError(f"not within {within_s:g} s; {self}") from None
        found = true()
        assert found, f"the stream has ended; {self}"
        return found

    def alarm(
        self, rule: str, priority: str = "HIGH", bed: str | None = None, states: Sequence[str] = ("active",)
    ) -> dict[str, Any] | None:
        """The alarm of this kind as it stands, or None."""
        for alarm in self.alarms.values():
            kind = alarm["rule"], alarm["priority"]
            if kind == (rule, priority) and bed in (None, alarm["bed"]) and alarm["state"] in states:
                return alarm
        return None

    def value(self, bed: str, vital: str) -> float | None:
        """The number that stands on a tile now."""
        shown = self.beds[bed]["vitals"].get(vital)
        if shown is None or shown["fresh_until_ms"] < now_ms():
            return None
        value: float | None = shown["value"]
        return value

    def __str__(self) -> str:
        """What it shows, for a failing test."""
        alarms = [(a["bed"], a["rule"], a["priority"], a["state"]) for a in self.alarms.values()]
        links = {name: (link["state"], link["why"]) for name, link in self.links.items()}
        bad = [part for part in self.parts.values() if not part["ok"]]
        return f"alarms {alarms}, links {links}, parts {bad}, last values {self.values[-5:]}"

    async def _listen(self) -> None:
        wait = httpx.Timeout(PATIENCE_S)
        try:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=wait) as client,
                client.stream("GET", f"{self._url}/api/v1/live", headers=self._headers) as answer,
            ):
                assert answer.status_code == httpx.codes.OK, await answer.aread()
                kind = ""
                async for line in answer.aiter_lines():
                    name, _, text = line.partition(": ")
                    if name == "event":
                        kind = text
                    elif name == "data":
                        await self._hear(Heard(now_ms(), kind, json.loads(text)))
        except httpx.HTTPError:
            return  # the service has been killed: a test that minds waits for something
        finally:
            async with self._news:
                self._news.notify_all()

    async def _hear(self, heard: Heard) -> None:
        async with self._news:
            self.heard.append(heard)
            if heard.kind == "snapshot":
                self._begin(heard)
            elif heard.kind == "events":
                for change in heard.data["changes"]:
                    self._change(heard.arrived_ms, change)
            self._news.notify_all()

    def _begin(self, heard: Heard) -> None:
        data, at_ms = heard.data, heard.arrived_ms
        self.alarms = {alarm["alarm_id"]: alarm for alarm in data["alarms"]}
        self.alarm_moves += [(at_ms, alarm) for alarm in data["alarms"]]
        self.pages = {page["page_id"]: page for page in data["pages"]}
        self.links = {link["device"]: link for link in data["links"]}
        self.parts = {part["part"]: part for part in data["parts"]}
        for bed in data["beds"]:
            self._bed(at_ms, bed)

    def _change(self, at_ms: int, change: dict[str, Any]) -> None:
        kind = change["kind"]
        match kind:
            case "vital":
                self.beds[change["bed"]]["vitals"][change["vital"]] = change
                self._note(at_ms, change["bed"], change)
            case "bed":
                self._bed(at_ms, change["bed"])
            case "alarm":
                alarm = change["alarm"]
                self.alarm_moves.append((at_ms, alarm))
                if alarm["state"] == "clear":
                    self.alarms.pop(alarm["alarm_id"], None)
                else:
                    self.alarms[alarm["alarm_id"]] = alarm
            case "page":
                self.pages[change["page"]["page_id"]] = change["page"]
            case "link":
                self.links[change["link"]["device"]] = change["link"]
            case "part":
                self.parts[change["part"]["part"]] = change["part"]
            case _:
                pass

    def _bed(self, at_ms: int, bed: dict[str, Any]) -> None:
        self.beds[bed["bed"]] = bed
        for vital in bed["vitals"].values():
            self._note(at_ms, bed["bed"], vital)
        for name, value in (bed["cuff"] or {}).items():
            if name.endswith(("_mmhg", "_per_min")) and value is not None:
                self.values.append((at_ms, bed["bed"], name, value))

    def _note(self, at_ms: int, bed: str, vital: Mapping[str, Any]) -> None:
        if vital["value"] is not None:
            self.values.append((at_ms, bed, vital["vital"], vital["value"]))


# The clinic.


class Clinic:
    """One clinic in a folder: its settings, its service, and whoever stands around it."""

    def __init__(
        self,
        folder: Path,
        accounts: Path,
        wires: Iterable[Wire] = (),
        *,
        beds: Sequence[str] = (),
        gateway: Gateway | None = None,
        chain: Mapping[str, Any] | None = None,
        broker_port: int | None = None,
        heartbeat_s: float = 0,
        more: str = "",
    ) -> None:
        """Write the settings; `accounts` are the people of this clinic, as `user add` has kept them."""
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "clinic.toml"
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        shutil.copy(accounts, self.data / "accounts.sqlite3")
        wires = list(wires)
        beds = list(dict.fromkeys([*beds, *(wire.bed for wire in wires)]))
        tables = [
            _table("[clinic]", {"name": "Test clinic", "data_dir": self.data}),
            _table("[server]", {"port": self.port}),
            _table("[mqtt]", {"port": broker_port}) if broker_port else "",
            *(_table("[[bed]]", {"name": bed}) for bed in beds),
            *(
                _table("[[device]]", {k: v for k, v in vars(wire).items() if v or k != "options"})
                for wire in wires
            ),
            _table("[paging.chains.high]", chain) if chain else "",
            _table("[[paging.pager]]", _pager(gateway, heartbeat_s)),
            *(
                _table("[[staff]]", {"name": name, "role": role, "pagers": ["gateway"]})
                for name, role in PEOPLE.items()
            ),
            _table("[duty]", {"on": list(PEOPLE), "beds": dict.fromkeys(beds, "dana")}),
            more,
        ]
        self.config.write_text("\n".join(tables) + "\n", "utf-8")
        self.service: Program | None = None
        self._programs: list[Program] = []
        self._cookies: dict[str, str] = {}
        self._client = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE_S)

    async def start(self, speed: float = 1.0, *, ready: bool = True) -> None:
        """Start the service, and wait until it answers."""
        self.service = Program(
            self.folder / "service.log", "monitor", "run", str(self.config), "--speed", str(speed)
        )
        self._programs.append(self.service)
        if ready:
            await self.ready()

    async def ready(self, within_s: float = STARTS_WITHIN_S) -> None:
        """Wait until the service answers that it is ready."""
        service = self.running
        try:
            async with asyncio.timeout(within_s):
                while not await self._is_ready():
                    assert service.alive, f"the service has ended: {service.said}"
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not ready within {within_s:g} s: {service.said}") from None

    async def _is_ready(self) -> bool:
        try:
            return (await self._client.get("/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    @property
    def running(self) -> Program:
        """The service as it runs now."""
        assert self.service is not None
        return self.service

    async def simulate(
        self, driver: str, link: str, scenario: str = "N0", *more: str, name: str = ""
    ) -> Program:
        """One simulated device as a process of its own, once it says where it listens, or whom it calls."""
        log = self.folder / f"{name or driver}.log"
        program = Program(log, "simulators", driver, "--link", link, "--scenario", scenario, *more)
        self._programs.append(program)
        await program.says(" calls " if link.startswith("mllp:") else " listens at ")
        return program

    async def stop_simulators(self) -> None:
        """Switch every monitor off."""
        for program in [p for p in self._programs if p is not self.service and p.alive]:
            program.process.terminate()
            await program.stop()

    async def close(self) -> None:
        """End everything."""
        await self._client.aclose()
        for program in self._programs:
            if program.alive:
                program.process.terminate()
        for program in self._programs:
            try:
                await program.stop()
            except subprocess.TimeoutExpired:
                program.kill()
                raise

    def complaints(self) -> list[str]:
        """The lines of the service's log that tell of a mistake of ours, or of anything lost.

        That a write took longer than a turn may wait for it (F06) is neither: how quick a disk is that others
        use too is no promise of ours, and a test that fails by it would time this machine. Nothing is lost by
        it; where something is, that is a line of its own.
        """
        lines = (self.folder / "service.log").read_text("utf-8", "replace").splitlines()
        return [line for line in lines if any(mark in line for mark in MISTAKES) and not SLOWLY.search(line)]

    # Its people.

    async def headers(self, who: str = "dana") -> dict[str, str]:
        """What this person's browser sends along."""
        if who not in self._cookies:
            body = {"name": who, "password": PASSWORD}
            answer = await self._client.post("/api/v1/signin", json=body, headers={"Origin": self.url})
            assert answer.status_code == httpx.codes.OK, answer.text
            self._cookies[who] = answer.headers["set-cookie"].partition(";")[0]
        return {"Cookie": self._cookies[who], "Origin": self.url}

    async def get(self, path: str, who: str = "dana") -> Any:
        """What the API says."""
        answer = await self._client.get(f"/api/v1{path}", headers=await self.headers(who))
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    async def ask(self, method: str, path: str, body: object = None, who: str = "dana") -> httpx.Response:
        """One request, whatever comes of it."""
        content = None if body is None else json.dumps(body)
        headers = await self.headers(who)
        if content is not None:
            headers |= {"Content-Type": "application/json"}
        return await self._client.request(method, f"/api/v1{path}", content=content, headers=headers)

    async def act(self, path: str, body: object = None, who: str = "dana", method: str = "POST") -> Any:
        """An act that is taken."""
        answer = await self.ask(method, path, body, who)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    async def open_session(self, bed: str, **more: object) -> int:
        """A patient lies down."""
        taken = await self.act("/sessions", {"bed": bed, "alias": f"Heron {bed}", **more})
        session: int = taken["session"]
        return session

    async def healthy(self) -> bool:
        """What `/healthz` says."""
        return (await self._client.get("/healthz")).status_code == httpx.codes.OK

    async def screen(self, who: str = "dana") -> Screen:
        """A screen to be entered with `async with`."""
        return Screen(self.url, await self.headers(who))

    # Its record.

    def journal(self) -> list[dict[str, Any]]:
        """Every row, as `journal export` writes it."""
        code, out, complaint = command("journal", "export", str(self.config))
        assert code == 0, complaint
        return [json.loads(line) for line in out.splitlines()]

    def verify(self) -> str:
        """What `journal verify` says of a journal that is whole."""
        code, out, complaint = command("journal", "verify", str(self.config))
        assert code == 0, complaint
        return out

    def full_disk(self) -> None:
        """From now on no file of the service may grow past the journal's log as it is."""
        self._file_size((self.data / "journal.sqlite3-wal").stat().st_size)

    def empty_disk(self) -> None:
        """There is room again."""
        self._file_size(resource.RLIM_INFINITY)

    def _file_size(self, most: int) -> None:
        _, hard = resource.prlimit(self.running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.running.process.pid, resource.RLIMIT_FSIZE, (most, hard))


def _pager(gateway: Gateway | None, heartbeat_s: float) -> dict[str, object]:
    if gateway is None:
        return {"name": "gateway", "way": "console"}
    return {
        "name": "gateway",
        "way": "webhook",
        "url": f"http://127.0.0.1:{gateway.port}/pages",
        "secret": SECRET,
        "timeout_s": 2,
        "heartbeat_s": heartbeat_s,
    }


@contextlib.asynccontextmanager
async def open_clinic(
    folder: Path,
    accounts: Path,
    wires: Iterable[Wire] = (),
    speed: float = 1.0,
    *,
    may_say: str = "a mistake",
    **more: Any,
) -> AsyncIterator[Clinic]:
    """A clinic whose service runs; everything is ended at the end, and the log told no mistake.

    `may_say` are the words of an error that the test itself has brought about.
    """
    clinic = Clinic(folder, accounts, wires, **more)
    try:
        await clinic.start(speed)
        yield clinic
    finally:
        await clinic.close()
    said = [line for line in clinic.complaints() if may_say not in line]
    assert not said, said

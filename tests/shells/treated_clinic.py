"""A clinic that treats: the real app over the real service, ward and journal; only its clock is ours.

Time passes where a test says so, in steps in which the monitor at each treated bed says its numbers and a
cuff that was started measures. Every wait ends with the turn it waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from monitor.api.app import build
from monitor.api.doors import Settings
from monitor.api.hub import Hub
from monitor.api.server import server
from monitor.api.signin import secret_hash
from monitor.archive import Archive
from monitor.clock import ManualClock
from monitor.config import Clinic, load
from monitor.model import (
    Bed,
    Cuff,
    CuffTaken,
    Device,
    Event,
    LinkMoved,
    LinkState,
    PartMoved,
    Quality,
    Reading,
    ServiceStarted,
    Staff,
)
from monitor.people import Account, Role, Token, TokenKind
from monitor.service import Service
from monitor.store.opening import open_store
from monitor.ward import Ward
from tests.core.shift import plan
from tests.core.treated import settings
from tests.core.visit import MIN, T0_MS, WELL
from tests.shells.api_clinic import DASHBOARD, PASSWORD, PIN, AccountsInMemory, Sse, hashed

API = "/api/v1"
PATIENCE_S = 30.0
"""How long a test waits for what must come; only a failing one waits so long."""
STEP_MS = 30_000
BEDS = ("3", "4")
PEOPLE = {
    "dana": Role.NURSE,
    "lee": Role.NURSE,
    "carla": Role.CHARGE_NURSE,
    "kim": Role.PRESCRIBER,
    "eli": Role.ADMINISTRATOR,
}


@dataclass
class Treats:
    """See the module."""

    service: Service
    clock: ManualClock
    accounts: AccountsInMemory
    port: int
    loop: asyncio.Task[None]
    pressures: dict[str, tuple[float, float]] = field(
        default_factory=lambda: dict.fromkeys(BEDS, (122.0, 76.0))
    )
    """What the cuff of each bed measures next."""
    _secrets: int = 0

    @property
    def origin(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def headers(self, who: str, *, screen: str | None = None) -> dict[str, str]:
        """What a browser of somebody's own sends, or a paired screen with somebody on it ("": nobody)."""
        cookies = []
        if screen is not None:
            cookies.append(f"__Host-chairside-screen={self._token(TokenKind.SCREEN, screen, screen)}")
        if who:
            kind = TokenKind.PASSWORD if screen is None else TokenKind.PIN
            cookies.append(f"__Host-chairside={self._token(kind, who, screen)}")
        return {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Cookie": "; ".join(cookies)}

    def browser(self, who: str = "dana", *, screen: str | None = "floor") -> Nurse:
        """Somebody at a paired screen, or at one of their own."""
        client = httpx.AsyncClient(
            base_url=self.origin,
            headers=self.headers(who, screen=screen),
            timeout=PATIENCE_S,
            trust_env=False,
        )
        return Nurse(self, client)

    @contextlib.asynccontextmanager
    async def live(self, headers: Mapping[str, str]) -> AsyncIterator[Sse]:
        """An open stream."""
        async with (
            httpx.AsyncClient(base_url=self.origin, timeout=PATIENCE_S, trust_env=False) as client,
            client.stream("GET", f"{API}/live", headers=dict(headers)) as answer,
        ):
            assert answer.status_code == 200
            yield Sse(answer)

    async def hears(self, *events: Event) -> None:
        """These come in, and the turn that hears them is over."""
        pulse = self.service._pulse
        for event in events:
            self.service.inbox.put(event)
        was = pulse.turned_at
        async with asyncio.timeout(PATIENCE_S):
            while pulse.turned_at == was:
                if self.loop.done():
                    self.loop.result()
                await asyncio.sleep(0.001)

    async def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes."""
        left_ms = round(minutes * MIN + seconds * 1_000)
        while left_ms > 0:
            step_ms = min(STEP_MS, left_ms)
            left_ms -= step_ms
            now_ms = self.clock.advance(step_ms)
            said: list[Event] = []
            for bed in self.service.ward.snapshot().beds:
                if bed.session is not None:
                    said += self._says(bed.bed, now_ms)
                    if bed.cuff is not None and bed.cuff.running_since_ms is not None:
                        said.append(self._measured(bed.bed, now_ms))
            await self.hears(*said, PartMoved(now_ms, "trial", ok=True, why="", since_ms=now_ms))

    async def cuff(self, bed: str, systolic: float, diastolic: float) -> None:
        """The cuff of a bed has measured this."""
        self.pressures[bed] = (systolic, diastolic)
        await self.hears(self._measured(Bed(bed), self.clock.now_ms()))

    def _says(self, bed: Bed, now_ms: int) -> list[Event]:
        return [
            Reading(
                now_ms,
                bed,
                Device(f"monitor-{bed}"),
                vital,
                value,
                Quality.VALID,
                None,
                now_ms + STEP_MS + 5_000,
            )
            for vital, value in WELL.items()
        ]

    def _measured(self, bed: Bed, now_ms: int) -> CuffTaken:
        return CuffTaken(now_ms, now_ms, bed, Device(f"cuff-{bed}"), Cuff(*self.pressures[bed]))

    def _token(self, kind: TokenKind, name: str, screen: str | None) -> str:
        self._secrets += 1
        secret = f"secret-{self._secrets}"
        token = Token(secret_hash(secret), kind, Staff(name), screen, T0_MS, T0_MS, None)
        self.accounts.by_hash[token.secret_hash] = token
        return secret


@dataclass
class Nurse:
    """Somebody at a browser, and what they press."""

    clinic: Treats
    client: httpx.AsyncClient
    session: int = 0

    async def __aenter__(self) -> Self:
        """Sit down."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Get up."""
        await self.client.aclose()

    async def opens(self, therapy: str = "spravato_us", bed: str = "3", **changed: Any) -> httpx.Response:
        """A treatment."""
        nasal = therapy.startswith("spravato")
        body = {
            "bed": bed, "alias": f"blue-{bed}", "therapy": therapy, "age_years": 40,
            "devices": 2 if nasal else 0, "first": False,
        }  # fmt: skip
        answer = await self.client.post(f"{API}/sessions", json=body | changed)
        if answer.status_code == 201:
            self.session = answer.json()["session"]
        return answer

    async def moves(self, kind: str, **body: Any) -> httpx.Response:
        """One move, whatever comes of it."""
        return await self.client.post(f"{API}/sessions/{self.session}/moves", json={"kind": kind} | body)

    async def sends(self, text: str) -> httpx.Response:
        """A move as the very text that goes over the wire, whatever it is."""
        given = {"Content-Type": "application/json"}
        return await self.client.post(
            f"{API}/sessions/{self.session}/moves", content=text.encode(), headers=given
        )

    async def does(self, kind: str, **body: Any) -> None:
        """A move that must be taken."""
        answer = await self.moves(kind, **body)
        # On a slow disk it counts before it is written down, and says so.
        assert answer.status_code == 200, answer.text

    async def refused(self, kind: str, **body: Any) -> list[str]:
        """A move that must be refused for what is missing: that."""
        answer = await self.moves(kind, **body)
        assert answer.status_code == 409, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        missing = answer.json()["missing"]
        assert answer.json()["detail"] == " ".join(missing)
        return list(missing)

    async def scores(self, **values: int) -> None:
        """Judgements."""
        for name, value in values.items():
            await self.does("score", score=name, value=value, note="Robin" if name == "escort" else "")

    async def sees(self) -> dict[str, Any]:
        """The whole session."""
        answer = await self.client.get(f"{API}/sessions/{self.session}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def now(self) -> dict[str, Any]:
        """Its treatment."""
        return dict((await self.sees())["now"])

    # Stretches of a visit.

    async def checks_in(self, **different: bool) -> None:
        """Every question, and the step that ends them."""
        for question in (await self.now())["questions"]:
            name, kind = question["question"], question["kind"]
            await self.does("answer", question=name, yes=different.get(name, kind in {"must", "confirm"}))
        await self.does("checked_in")

    async def takes_baseline(self, systolic: float = 120, diastolic: float = 75) -> None:
        """Two readings a minute apart, and what only people can say."""
        bed = (await self.sees())["bed"]
        wanted = [score["score"] for score in (await self.now())["scores"] if score["wanted"]]
        normal = {"moaas": 5, "oriented": 3, "nausea": 0, "mood": 4, "anxiety": 2}
        await self.scores(**{name: normal[name] for name in wanted})
        await self.clinic.waits(1)
        await self.clinic.cuff(bed, systolic, diastolic)
        await self.clinic.waits(1)
        await self.clinic.cuff(bed, systolic + 2, diastolic + 2)

    async def gives(self, number: int, **changed: Any) -> None:
        """One nasal device."""
        body = {"number": number, "lot": "24B1", "expires": "2028-05-31", "last": number == 2}
        await self.does("device", **(body | changed))

    async def doses(self) -> None:
        """Through check-in, baseline and two devices."""
        await self.checks_in()
        await self.takes_baseline()
        await self.gives(1)
        await self.clinic.waits(5)
        await self.gives(2)

    async def makes_ready(self) -> None:
        """Everything that the list asks for but the time and the signature; takes a quarter of an hour."""
        await self.clinic.cuff("3", 124, 78)
        await self.clinic.waits(11)
        await self.clinic.cuff("3", 122, 76)
        await self.clinic.waits(1)
        await self.scores(
            moaas=5, oriented=3, dissociation=0, nausea=0, gait=1, suicide_check=1, escort=1, driving=1,
            instructions=1, posture=2,
        )  # fmt: skip
        await self.clinic.waits(1)
        await self.clinic.cuff("3", 118, 76)
        await self.scores(posture=1)
        await self.clinic.waits(1)

    def proof(self, name: str = "kim", pin: str = PIN) -> dict[str, str]:
        """Who signs, decides or checks along, by PIN."""
        return {"name": name, "pin": pin}


def _clinic(data_dir: Path) -> Clinic:
    """What a record asks of the clinic's settings."""
    beds = "".join(f'[[bed]]\nname = "{bed}"\n' for bed in BEDS)
    file = data_dir.parent / "clinic.toml"
    file.write_text(f'[clinic]\nname = "Clinic"\ndata_dir = "{data_dir}"\n{beds}')
    return load(file, {})


@contextlib.asynccontextmanager
async def treating(data_dir: Path, at_ms: int = T0_MS, **changed: Any) -> AsyncIterator[Treats]:
    """The clinic, open for as long as the block lasts; on the same folder again it is that one, restarted."""
    store = await open_store(data_dir)
    ward = Ward(plan(BEDS, **settings()))
    clock = ManualClock(max(at_ms, (store.journal.last_at_ms or 0) + 1))
    service = Service(ward, store.journal, store.trends, Hub("abc1", clock.now_ms), clock, 1.0)
    ward.restore([row.event async for row in store.journal.replay()])
    service.order_cuff = lambda _device: None  # what was started measures in the next step
    service.stop_cuff = lambda _device: None
    accounts = AccountsInMemory()
    accounts.kept = {
        Staff(name): Account(Staff(name), name.title(), role, hashed(PASSWORD), hashed(PIN), False, T0_MS)  # noqa: FBT003
        for name, role in PEOPLE.items()
    }
    usual: dict[str, Any] = {"name": "Clinic", "zone": "UTC", "version": "1.2.3", "dashboard": DASHBOARD}
    app = build(
        read=service.read,
        submit=service.submit,
        hub=service.hub,
        history=service.trends,
        accounts=accounts,
        status=service.status,
        now_ms=clock.now_ms,
        real_ms=lambda: T0_MS,
        settings=Settings(**usual | changed),
        archive=Archive(_clinic(data_dir), store.journal, store.trends, clock.now_ms),
        counters=lambda: service.counters,
    )
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        web = server(app, Settings(**usual | changed), host="127.0.0.1", port=0)
        door.listen()
        tasks = [asyncio.create_task(work) for work in (service.run(), web.serve([door]), store.run())]
        clinic = Treats(service, clock, accounts, door.getsockname()[1], tasks[0])
        now_ms = clock.now_ms()
        up = [
            LinkMoved(now_ms, d.device, LinkState.DOWN, LinkState.UP, "", now_ms)
            for d in ward._parts.plan.devices
        ]
        await clinic.hears(ServiceStarted(now_ms, "test", None), *up)
        try:
            yield clinic
        finally:
            web.should_exit = True
            await tasks[1]
            tasks[0].cancel()
            tasks[2].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await store.close()

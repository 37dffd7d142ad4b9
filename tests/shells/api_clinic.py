"""A small clinic to try the API on: records set by hand, accounts in memory, a real server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI

from monitor.api.app import build
from monitor.api.doors import Limits, Settings, Status
from monitor.api.hub import Hub
from monitor.api.server import Server, server
from monitor.api.signin import hash_of, secret_hash
from monitor.api.views import turns
from monitor.clock import ManualClock
from monitor.earlier import Earlier
from monitor.model import (
    Admitted,
    AlarmState,
    Baseline,
    Bed,
    Cuff,
    Device,
    Doubt,
    Event,
    LinkState,
    Paused,
    PauseKind,
    Priority,
    Quality,
    Reading,
    SessionMoved,
    SessionPhase,
    Side,
    Staff,
    Vital,
    Why,
)
from monitor.numbers import Numbers
from monitor.people import Account, Role, Token, TokenKind
from monitor.snapshot import (
    AlarmNow,
    Answer,
    BedNow,
    CuffNow,
    DutyNow,
    LimitNow,
    LinkNow,
    PageNow,
    PartNow,
    PauseNow,
    SessionNow,
    Snapshot,
    SoundNow,
    VitalNow,
)
from monitor.treatment import Action, Happening

NOON_MS = 1_800_000_000_000
PATIENCE_S = 10.0
PASSWORD = "a long enough password"  # noqa: S105  of nobody
PIN = "4711"
ALIAS = "Canary-Alias-7"
DASHBOARD = Path(__file__).parents[2] / "monitor" / "dashboard"

BED3, BED4 = Bed("3"), Bed("4")
MONITOR3 = Device("monitor-3")

STAFF = {
    Staff("anna"): Role.NURSE,
    Staff("ben"): Role.NURSE,
    Staff("carla"): Role.CHARGE_NURSE,
    Staff("dr-dee"): Role.PRESCRIBER,
    Staff("eli"): Role.ADMINISTRATOR,
}


@cache
def hashed(text: str) -> str:
    """One argon2 hash a text for all tests: it is meant to be slow."""
    return hash_of(text)


class AccountsInMemory:
    """Accounts and tokens as the store keeps them, without the store. `broken` makes every call fail."""

    def __init__(self) -> None:
        """Everybody of STAFF, with the same password and PIN."""
        self.broken = False
        self.kept = {
            name: Account(name, name.title(), role, hashed(PASSWORD), hashed(PIN), False, NOON_MS)  # noqa: FBT003
            for name, role in STAFF.items()
        }
        self.by_hash: dict[str, Token] = {}

    def _check(self) -> None:
        if self.broken:
            raise OSError("disk I/O error")

    async def account(self, name: Staff) -> Account | None:
        """One account."""
        self._check()
        return self.kept.get(name)

    async def accounts(self) -> Sequence[Account]:
        """All of them."""
        self._check()
        return list(self.kept.values())

    async def put(self, account: Account) -> None:
        """Add or write over."""
        self._check()
        self.kept[account.name] = account

    async def token(self, secret_hash: str) -> Token | None:
        """One token."""
        self._check()
        return self.by_hash.get(secret_hash)

    async def tokens(self, name: Staff | None = None) -> Sequence[Token]:
        """All tokens, or one name's."""
        self._check()
        return [token for token in self.by_hash.values() if name in {None, token.name}]

    async def put_token(self, token: Token) -> None:
        """Add or write over."""
        self._check()
        self.by_hash[token.secret_hash] = token

    async def drop_token(self, secret_hash: str) -> None:
        """End one."""
        self._check()
        self.by_hash.pop(secret_hash, None)

    async def drop_tokens(self, name: Staff) -> None:
        """End all of one name."""
        self._check()
        self.by_hash = {key: token for key, token in self.by_hash.items() if token.name != name}


@dataclass(frozen=True)
class Kept:
    """A trend as the store gives it."""

    vitals: Mapping[Vital, Sequence[tuple[int, float | None, float | None]]]
    cuffs: Sequence[tuple[int, Cuff]]
    cuffs_of: Sequence[str | None]
    sources: Mapping[Vital, Sequence[tuple[int, str]]]


class History:
    """Says what it was asked for, in points at both ends."""

    async def trend(self, bed: Bed, from_ms: int, to_ms: int, points: int) -> Kept:
        """A value at the start, a gap at the end, a cuff reading and a failed one."""
        assert bed
        assert points
        ends: list[tuple[int, float | None, float | None]] = [(from_ms, 93.0, 94.0), (to_ms, None, None)]
        failed = Cuff(None, None, quality=Quality.MISSING, why="cuff leak")
        return Kept(
            {Vital.SPO2: ends},
            [(from_ms, Cuff(120.0, 80.0, 93.0)), (to_ms, failed)],
            ["cuff-3", None],
            {Vital.SPO2: [(from_ms, "monitor-3")]},
        )


def vital(value: float | None = 97.0, at_ms: int = NOON_MS, **changed: Any) -> VitalNow:
    """An SpO2 that is live for ten seconds."""
    now = VitalNow(
        vital=Vital.SPO2,
        value=value,
        quality=Quality.VALID if value is not None else Quality.MISSING,
        why=None if value is not None else "probe off",
        doubt=Doubt.NONE,
        at_ms=at_ms,
        fresh_until_ms=at_ms + 10_000,
        device=MONITOR3,
        by=None,
        last_value=value,
        last_at_ms=at_ms,
    )
    return replace(now, **changed)


def session(number: int = 7, bed: Bed = BED3, opened_at_ms: int = NOON_MS - 60_000) -> SessionNow:
    return SessionNow(
        number,
        bed,
        ALIAS,
        Baseline(systolic=120.0),
        "watch",
        300_000,
        SessionPhase.WATCH,
        opened_at_ms,
        Staff("anna"),
        None,
        None,
    )


def alarm(
    alarm_id: int = 1, bed: Bed = BED3, state: AlarmState = AlarmState.ACTIVE, **changed: Any
) -> AlarmNow:
    now = AlarmNow(
        alarm_id=alarm_id,
        bed=bed,
        rule="spo2-low-m",
        condition="spo2-low",
        priority=Priority.MEDIUM,
        technical=False,
        vital=Vital.SPO2,
        device=None,
        state=state,
        since_ms=NOON_MS - 1_000,
        raised_at_ms=NOON_MS,
        value=88.0,
        limit=90.0,
        text="SpO2 88 < 90",
        note="",
        acked_by=None,
        acked_at_ms=None,
        ack_until_ms=None,
        quiet=None,
        spoken_for=False,
        accepted_by=None,
        next_page_ms=None,
    )
    return replace(now, **changed)


def page(page_id: int = 5, to: str = "anna") -> PageNow:
    return PageNow(
        page_id,
        1,
        BED3,
        "spo2-low-m",
        Priority.MEDIUM,
        0,
        Staff(to),
        Why.FIRST,
        "Bed 3, medium: SpO2 88, limit 90",
        NOON_MS,
        (),
        None,
        None,
        None,
        False,  # noqa: FBT003  over
    )


class WardByHand:
    """Answers as its records say; acts are noted down, refused with `refuses`, and fail with `fails`."""

    def __init__(self) -> None:
        """Bed 3 with a session and a saturation, bed 4 empty."""
        limit = LimitNow(
            rule="spo2-low-m",
            vital=Vital.SPO2,
            side=Side.LOW,
            priority=Priority.MEDIUM,
            limit=90.0,
            default=90.0,
            inclusive=False,
            hold_ms=15_000,
            severe=None,
            set_by=None,
            set_why=None,
            low_span=85.0,
            high_span=94.0,
        )
        cuff = CuffNow(
            Cuff(120.0, 80.0, 93.0, 70.0), NOON_MS - 5_000, MONITOR3, None, None, None, None, None, None
        )
        pause = PauseNow(2, BED3, PauseKind.AUDIO, None, NOON_MS, NOON_MS + 60_000, Staff("anna"), "")
        self.at_ms = NOON_MS
        self.beds = {
            BED3: BedNow(
                BED3,
                "window",
                session(),
                Staff("anna"),
                (vital(),),
                cuff,
                None,
                (limit,),
                (pause,),
                (MONITOR3,),
            ),
            BED4: BedNow(BED4, "door", None, None, (), None, "Bed 4 has no open session.", (), (), ()),
        }
        self.alarms: dict[int, AlarmNow] = {}
        self.pages: dict[int, PageNow] = {5: page()}
        self.link = LinkNow(MONITOR3, "demo", BED3, LinkState.UP, NOON_MS, "", (), True)  # noqa: FBT003
        self.sounds: dict[str, SoundNow] = {}
        self.over: tuple[AlarmNow, ...] = ()
        self.duty = DutyNow((Staff("anna"),), ((BED3, Staff("anna")),), None, None)
        self.closed: tuple[SessionNow, ...] = ()
        self.acts: list[Action] = []
        self.refuses: str | None = None
        self.fails: Exception | None = None
        self.recorded = True

    def snapshot(self) -> Snapshot:
        """All records."""
        return Snapshot(
            self.at_ms,
            tuple(self.beds.values()),
            tuple(self.alarms.values()),
            tuple(self.pages.values()),
            (self.link,),
            (self.part_now("journal"),),
            self.duty,
            self.closed,
            tuple(self.sounds.values()),
            self.over,
        )

    def told(self, *alarms: AlarmNow) -> turns.Told:
        """Screens know the beds as they are now, and these alarms."""
        return turns.Told(replace(self.snapshot(), alarms=alarms))

    def bed_now(self, bed: Bed) -> BedNow:
        """The bed's record."""
        return self.beds[bed]

    def vital_now(self, bed: Bed, vital: Vital) -> VitalNow | None:
        """The vital's record."""
        return next((each for each in self.beds[bed].vitals if each.vital is vital), None)

    def alarm_now(self, alarm_id: int) -> AlarmNow | None:
        """The alarm's record."""
        return self.alarms.get(alarm_id)

    def page_now(self, page_id: int) -> PageNow | None:
        """The page's record."""
        return self.pages.get(page_id)

    def link_now(self, device: Device) -> LinkNow:
        """The one link."""
        assert device == self.link.device
        return self.link

    def part_now(self, part: str) -> PartNow:
        """Every part is well."""
        return PartNow(part, True, NOON_MS, "")  # noqa: FBT003  well

    def sound_now(self, screen: str) -> SoundNow | None:
        """The screen's record."""
        return self.sounds.get(screen)

    def duty_now(self) -> DutyNow:
        """The duty list."""
        return self.duty

    async def submit(self, act: Action) -> Answer:
        """Note the act down, and answer as a ward would."""
        self.acts.append(act)
        if self.fails is not None:
            raise self.fails
        if self.refuses is not None:
            return Answer((), self.refuses)
        stamped = replace(act, at_ms=self.at_ms)
        made: tuple[Happening, ...] = (stamped,)
        if isinstance(stamped, Paused):
            made = (replace(stamped, pause_id=9),)
        elif isinstance(stamped, Admitted):
            made = (stamped, SessionMoved(self.at_ms, 8, stamped.bed, None, SessionPhase.WATCH, stamped.by))
        return Answer(made, None, self.recorded)

    def reads(self, value: float | None, bed: Bed = BED3) -> Reading:
        """A new saturation at a bed, as the event that says so."""
        now = vital(value, self.at_ms)
        self.beds[bed] = replace(self.beds[bed], vitals=(now,))
        return Reading(self.at_ms, bed, MONITOR3, Vital.SPO2, value, now.quality, now.why, now.fresh_until_ms)


class NoArchive:
    """Nothing is kept here of any session."""

    async def report(self, _session: int, _shape: str) -> None:
        """No record."""

    async def series(self, session: int) -> Earlier:
        """No earlier ones."""
        return Earlier(
            session, f"Nobody-{session}", None, (), "There is no earlier treatment of this patient."
        )

    async def numbers(self, _weeks: int) -> Numbers:
        """Of no week."""
        return Numbers("UTC", ())

    async def what_if(
        self,
        _sessions: Sequence[int],
        _last: int,
        _weeks: int,
        _limits: Limits | None,
        _layers: Mapping[str, Limits] | None,
    ) -> None:
        """Nothing to judge."""


class Sse:
    """A live stream being read: one event at a time, as (kind, data, id)."""

    def __init__(self, answer: httpx.Response) -> None:
        """Read the body of an answer."""
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self, *kinds: str) -> tuple[str, Any, str]:
        """The next event of one of these kinds, or of any."""
        async with asyncio.timeout(PATIENCE_S):
            said: dict[str, str] = {}
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    said[name] = value
                elif said:
                    if not kinds or said["event"] in kinds:
                        return said["event"], msgspec.json.decode(said["data"]), said.get("id", "")
                    said = {}
        raise EOFError("the stream has been closed")

    async def closed(self) -> None:
        """Wait until the server closes the stream."""
        with contextlib.suppress(EOFError):
            while True:
                await self.next()


@dataclass
class Clinic:
    """The app on its server, with everything behind it in reach."""

    app: FastAPI
    ward: WardByHand
    accounts: AccountsInMemory
    hub: Hub
    wall: ManualClock
    settings: Settings
    server: Server
    port: int
    state: Status
    _secrets: int = field(default=0)

    @property
    def origin(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def turn(self, *events: Event, after_seq: int | None = None) -> None:
        """One turn of the ward has ended; its events follow this number of the journal."""
        self.hub.publish(list(events), self.ward, after_seq)

    def token(self, kind: TokenKind, name: str, screen: str | None = None) -> str:
        """Somebody is signed in: the secret they hold."""
        self._secrets += 1
        secret = f"secret-{self._secrets}"
        now_ms = self.wall.now_ms()
        token = Token(secret_hash(secret), kind, Staff(name), screen, now_ms, now_ms, None)
        self.accounts.by_hash[token.secret_hash] = token
        return secret

    def headers(self, who: str | None = None) -> dict[str, str]:
        """The headers of a browser in which `who` is signed in, of a screen, or of a program."""
        prefix = "" if self.settings.insecure_lan else "__Host-"
        given = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if who == "machine":
            return {"Authorization": f"Bearer {self.token(TokenKind.BEARER, 'machine')}"}
        if who == "display":
            secret = self.token(TokenKind.SCREEN, "floor", "floor")
            return given | {"Cookie": f"{prefix}chairside-screen={secret}"}
        if who is not None:
            return given | {"Cookie": f"{prefix}chairside={self.token(TokenKind.PASSWORD, who)}"}
        return given

    def browser(self, who: str | None = None) -> httpx.AsyncClient:
        """A client that sends what `headers` says with everything."""
        return httpx.AsyncClient(
            base_url=self.origin, headers=self.headers(who), timeout=PATIENCE_S, trust_env=False
        )

    @contextlib.asynccontextmanager
    async def live(
        self, who: str | Mapping[str, str] = "anna", last_id: str | None = None
    ) -> AsyncIterator[Sse]:
        """An open stream."""
        headers = self.headers(who) if isinstance(who, str) else dict(who)
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        async with (
            httpx.AsyncClient(base_url=self.origin, timeout=PATIENCE_S, trust_env=False) as client,
            client.stream("GET", "/api/v1/live", headers=headers) as answer,
        ):
            assert answer.status_code == 200
            yield Sse(answer)


@contextlib.asynccontextmanager
async def running(**changed: Any) -> AsyncIterator[Clinic]:
    """The clinic, open for as long as the block lasts. `changed` are settings."""
    usual: dict[str, Any] = {"name": "Clinic", "zone": "UTC", "version": "1.2.3", "dashboard": DASHBOARD}
    settings = Settings(**usual | changed)
    ward, accounts, wall = WardByHand(), AccountsInMemory(), ManualClock(NOON_MS)
    hub = Hub("abc1", lambda: ward.at_ms)
    state = Status(NOON_MS - 1000, True, "", True, "", 0, 0, 41, "f00d")  # noqa: FBT003
    app = build(
        read=ward.snapshot,
        submit=ward.submit,
        hub=hub,
        history=History(),
        accounts=accounts,
        status=lambda: clinic.state,
        now_ms=lambda: ward.at_ms,
        real_ms=wall.now_ms,
        settings=settings,
        archive=NoArchive(),
    )
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        web = server(app, settings, host="127.0.0.1", port=0)
        clinic = Clinic(app, ward, accounts, hub, wall, settings, web, door.getsockname()[1], state)
        door.listen()  # who knocks before the server is up waits in line
        serving = asyncio.create_task(web.serve([door]))
        clinic.turn()
        try:
            yield clinic
        finally:
            web.should_exit = True
            await serving

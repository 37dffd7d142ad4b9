"""A day of a clinic whose service is killed and started again, on a loop whose time jumps.

Everything that decides is the service's own: its ward, its turn, its outbox. Around it stand what outlives a
kill: the journal's rows, the monitors, the gateways with what they were given, and the people.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import msgspec

from monitor.alerts.pagers.outbox import Outbox
from monitor.api.hub import Hub
from monitor.model import (
    AlarmState,
    LinkMoved,
    LinkState,
    Outcome,
    PageChanged,
    PageOrdered,
    PageRecalled,
    ServiceStarted,
    Staff,
)
from monitor.plan import Plan
from monitor.service import Service
from monitor.store.journal import DECODERS, EMPTY, Head, Journal
from monitor.store.trends import Trends
from monitor.treatment import Happening
from monitor.ward import Ward
from tests.core.around import Patients, People
from tests.core.eight_hours import BEDS, WAYS, Day, Kill, Place, Way, clinic
from tests.core.jumping import LoopClock, run

TIMEOUT_S = 5.0
"""How long a pager may take for a page."""


PATIENCE_S = 300.0
"""Where what a kill waits for does not come in so long, it falls at the end of a turn."""


class KilledError(Exception):
    """The service ends here, in the middle of whatever it did."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it was written, and in which life of the service."""

    life: int
    event: Happening


@dataclass(frozen=True, slots=True)
class Carried:
    """One page as a gateway got it, in which life of the service."""

    life: int
    at_ms: int
    way: str
    page_id: int
    to: Staff


@dataclass(frozen=True, slots=True)
class Life:
    """One start of the service: when it ran, and what it knew before its first turn."""

    from_ms: int
    until_ms: int
    rows_before: int
    alarms: dict[int, AlarmState]
    sessions: frozenset[int]


@dataclass(slots=True)
class History:
    """What is left of a day: the journal, what the gateways got, and when the service ran."""

    plan: Plan
    rows: list[Row] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    killed: list[Place] = field(default_factory=list)
    ended_ms: int = 0

    @property
    def events(self) -> list[Happening]:
        """The journal."""
        return [row.event for row in self.rows]


class Disk:
    """The rows that are written, as bytes; `stop` is asked before and after each turn's."""

    def __init__(self, stop: Callable[[Place, Sequence[Happening]], None], keeps: Callable[[], bool]) -> None:
        """Nothing is written yet; `keeps` says whether it does what it says."""
        self.rows: list[tuple[str, bytes]] = []
        self.recording, self.why = True, ""
        self._stop = stop
        self._keeps = keeps

    @property
    def head(self) -> Head:
        """The last row's number."""
        return EMPTY._replace(seq=len(self.rows))

    async def append(self, events: Iterable[Happening], _drift_ms: int) -> bool:
        """Write one turn: all of it, or nothing."""
        turn = list(events)
        self._stop(Place.DECIDED, turn)
        if self._keeps():
            self.rows += [(type(event).__name__, msgspec.json.encode(event)) for event in turn]
        self._stop(Place.WRITTEN, turn)
        return True

    def replay(self, first: int = 0) -> list[Happening]:
        """What was written, read again."""
        return [DECODERS[kind].decode(body) for kind, body in self.rows[first:]]


class Nowhere:
    """Where readings go that nobody asks for."""

    def put(self, _event: object) -> None:
        """Keep nothing."""


class Screens(Hub):
    """The service's own fan-out, after which it may be killed."""

    stop: Callable[[Place, Sequence[Happening]], None]

    def publish(self, events: Sequence[Happening], ward: Any, after_seq: int | None = None) -> None:
        """Tell the screens, of which there are none."""
        super().publish(events, ward, after_seq)
        self.stop(Place.TOLD, events)


class Pages(Outbox):
    """The service's own outbox, after which it may be killed."""

    stop: Callable[[Place, Sequence[Happening]], None]

    def take(self, events: Iterable[Happening]) -> None:
        """Take what was ordered."""
        turn = list(events)
        super().take(turn)
        self.stop(Place.HANDED, turn)


class Gateway:
    """One way of paging: it takes pages as the day has it."""

    def __init__(self, way: str, world: World) -> None:
        """`way` is its name."""
        self.way = way
        self.timeout_s = TIMEOUT_S
        self._world = world

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """Take a page, or not."""
        world, day = self._world, self._world.day
        how = day.carries(page.page_id, self.way, world.now_s)
        takes_s = day.takes_s(f"takes {self.way}", page.page_id, 0.02, 0.9)
        if how is Way.FAILS:
            await asyncio.sleep(takes_s)
            return Outcome.FAILED, "not today"
        if how is Way.HANGS:
            await asyncio.Event().wait()
        if how is Way.LATE:
            takes_s += TIMEOUT_S + 1
        await asyncio.sleep(takes_s)
        world.carries(page, self.way)
        if how is Way.TWICE:
            world.reports(page, self.way, Outcome.SENT)
        await asyncio.sleep(takes_s)
        return (Outcome.DELIVERED if how is Way.DELIVERED else Outcome.SENT), ""

    async def change(self, _changed: PageChanged, _page: PageOrdered) -> tuple[Outcome, str]:
        """It reads differently now."""
        return Outcome.SENT, ""

    async def recall(self, _recalled: PageRecalled, _page: PageOrdered) -> tuple[Outcome, str]:
        """It is over."""
        return Outcome.SENT, ""

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Seams:
    """Protections that a control takes away, one at a time."""

    restores: bool = True
    """A start reads the journal."""
    keeps: bool = True
    """What the disk says it has written is there after a kill."""
    outbox_restores: bool = True
    """A start knows which pages are out."""


SOUND = Seams()


class World:
    """See the module."""

    def __init__(self, day: Day, seams: Seams = SOUND) -> None:
        """The day begins; `run` lets it happen."""
        self.day = day
        self.history = History(clinic())
        self._seams = seams
        self._loop = asyncio.get_running_loop()
        self.clock = LoopClock(self._loop)
        self._disk = Disk(self._stop, lambda: seams.keeps or not self._in_doubt())
        self.service: Service | None = None
        """What runs now; None while it is down."""
        self._kills = list(day.kills)
        self._killed = asyncio.Event()
        self._first_turn = False
        self._once_more = False
        """It was killed so that it starts, and is killed in that start."""
        self._people = People(self)
        self._patients = Patients(self)

    @property
    def now_s(self) -> float:
        """Seconds since the day began."""
        return self._loop.time()

    async def run(self) -> History:
        """The whole day, and a quiet minute after it."""
        end_s = self.day.hours * 3_600
        self._patients.begin()
        self._people.begin()
        living = asyncio.create_task(self._lives())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(end_s):
                await living
        self.history.ended_ms = self.clock.now_ms()
        return self.history

    # The service.

    async def _lives(self) -> None:
        while True:
            kill = await self._live()
            await asyncio.sleep(kill.down_s)

    async def _live(self) -> Kill:
        """One life of the service, from its start to its kill."""
        ward, hub = Ward(self.history.plan), Screens("here", self.clock.now_ms)
        hub.stop = self._stop
        service = Service(ward, cast("Journal", self._disk), cast("Trends", Nowhere()), hub, self.clock, 1.0)
        outbox = service.outbox = Pages(
            {way: Gateway(way, self) for way in ("phone", "tablet")}, WAYS, service.report
        )
        outbox.stop = self._stop
        service.order_cuff = self._patients.order_cuff
        events = self._disk.replay()
        outbox.restore(events if self._seams.outbox_restores else ())
        ward.restore(events if self._seams.restores else ())
        began_ms, before = self.clock.now_ms(), len(events)
        seen = ward.snapshot()
        alarms = {alarm.alarm_id: alarm.state for alarm in seen.alarms}
        sessions = frozenset(bed.session.session for bed in seen.beds if bed.session is not None)
        service.inbox.put(ServiceStarted(began_ms, "test", events[-1].at_ms if events else None))
        for device in self.history.plan.devices:
            state = LinkState.DOWN if self._patients.is_unplugged(device.device) else LinkState.UP
            service.inbox.put(LinkMoved(began_ms, device.device, LinkState.CONNECTING, state, "", began_ms))
        if not events:
            for bed in BEDS:
                service.inbox.put(self._people.patient(bed))
        self.service, self._first_turn = service, bool(events)
        self._killed.clear()
        turning = asyncio.create_task(service.run(), name="the loop")
        dying = asyncio.create_task(self._killed.wait())
        outbox.resume(self.clock.now_ms())
        self._patients.speak_to_a_start()
        try:
            await asyncio.wait({turning, dying}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.service = None
            for task in (turning, dying):
                task.cancel()
            ended = await asyncio.gather(turning, dying, return_exceptions=True)
            await outbox.close(wait_s=0)
            written = self._disk.replay(before)
            number = len(self.history.lives)
            self.history.rows += [Row(number, event) for event in written]
            self.history.lives.append(Life(began_ms, self.clock.now_ms(), before, alarms, sessions))
        wrong = [e for e in ended if isinstance(e, Exception) and not isinstance(e, KilledError)]
        if wrong:
            raise wrong[0]
        kill = self._kills[0]
        if self._once_more:
            self._once_more = False
        else:
            self.history.killed.append(self._kills.pop(0).place)
        return kill

    @property
    def _next_kill(self) -> Kill | None:
        return self._kills[0] if self._kills and self._kills[0].at_s <= self.now_s else None

    def _in_doubt(self) -> bool:
        """Whether the service is about to be killed."""
        kill = self._next_kill
        return kill is not None and kill.place in (Place.ON_THE_WIRE, Place.HANDED, Place.TOLD, Place.WRITTEN)

    def _stop(self, place: Place, events: Sequence[Happening]) -> None:
        """Here the service is killed, if that is what the day has next."""
        first, self._first_turn = self._first_turn, self._first_turn and place is not Place.HANDED
        kill = self._next_kill
        if kill is None:
            return
        if kill.place is Place.STARTING and first:
            die = place is Place.WRITTEN
        elif kill.place in (Place.IDLE, Place.STARTING):
            die = place is Place.HANDED and not events
            self._once_more = die and kill.place is Place.STARTING
        elif self.now_s - kill.at_s > PATIENCE_S:
            die = place is Place.HANDED
        else:
            wanted = not kill.pages or any(isinstance(event, PageOrdered) for event in events)
            die = place is kill.place and wanted
        if die:
            raise KilledError(place)

    # The world around it.

    def carries(self, page: PageOrdered, way: str) -> None:
        """A gateway has a page, and the person has it soon."""
        life = len(self.history.lives)
        self.history.carried.append(Carried(life, self.clock.now_ms(), way, page.page_id, page.to))
        kill = self._next_kill
        if kill is not None and kill.place is Place.ON_THE_WIRE:
            self._killed.set()
        self._people.reads(page)

    def reports(self, page: PageOrdered, way: str, outcome: Outcome) -> None:
        """A pager says it once more."""
        if self.service is not None:
            self.service.report(page.page_id, way, outcome, "")

    def at(self, at_s: float, what: Callable[..., None], *arguments: object) -> None:
        """Let this happen then."""
        self._loop.call_at(at_s, partial(what, *arguments))


def told(day: Day, seams: Seams = SOUND) -> History:
    """The history of this day."""

    async def whole() -> History:
        return await World(day, seams).run()

    return run(whole())

"""A stage for every twin at once: real cables, real readers, a fast clock, and what each link made of it."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from monitor.clock import SteadyClock
from monitor.devices.driver import Driver, silence_ms
from monitor.devices.lines import one_by_one
from monitor.devices.links.mllp import Port
from monitor.devices.links.mqtt import Broker, BrokerAddress
from monitor.devices.order import device_time_ms
from monitor.devices.reader import DeviceReader, reader_for
from monitor.model import (
    Bed,
    CuffTaken,
    Device,
    DeviceNoted,
    Event,
    LinkMoved,
    LinkState,
    Reading,
    Readings,
    Sample,
    Vital,
)
from simulators.faults import Fault, made
from simulators.patient import CuffResult, Patient
from simulators.play import Network, Part, play, twin_of
from simulators.scenario import FaultKind, load
from simulators.twin import HostClock
from tests.devices.vectors import FOLDER
from tests.shells.conftest import dice, free_port, until

SPEED = 60.0
BEGIN_S = 600.0
"""The patient's second at which it begins: in the infusion, when numbers move."""
CYCLE_S = 120
ORDER_EVERY_S = 90.0
"""How often a cuff is ordered where that can be done from here."""

OLD_MS = 12_000
"""A live value is no older: 5 s of its own, the slowest device's rhythm, and what this machine takes."""
GRID_MS = 250
TOLERANCE = {Vital.TEMPERATURE: 0.06, Vital.PERFUSION: 0.06}
WHOLE = 0.6
"""Half of what a device shows, and a little for a turn of the signal between two looks at it."""
OF_PATIENT: Mapping[Vital, str] = {
    Vital.SPO2: "spo2",
    Vital.PULSE_SPO2: "pulse",
    Vital.HEART_RATE: "heart_rate",
    Vital.RESPIRATION: "respiration",
    Vital.TEMPERATURE: "temperature",
    Vital.PERFUSION: "perfusion",
    Vital.ETCO2: "etco2",
}
SAME_CUFF = 1.0
LATELY_MS = 60_000
BEAT_S, PUNCTUAL_S = 0.02, 0.03
CUFF_SEEN_MS = 20_000


class Witness(Patient):
    """A patient who remembers each cuff that was put on, and what was known at each instant."""

    def __init__(self, scenario: str, bed: int, seed: int) -> None:
        """The patient of a scenario."""
        super().__init__(load(scenario)[bed - 1], seed)
        self.cuffs: list[tuple[int, CuffResult]] = []
        self._known: dict[tuple[Vital, int], tuple[float, float] | None] = {}

    def cuff(self, t_ms: int, before_ms: int | None) -> CuffResult:
        """As any patient; noted with the instant it began."""
        result = super().cuff(t_ms, before_ms)
        if (t_ms, result) not in self.cuffs:
            self.cuffs.append((t_ms, result))
        return result

    def had(self, vital: Vital, value: float, from_ms: int, to_ms: int) -> bool:
        """Whether this was the value of the vital at some instant between these two."""
        ask: Callable[[int], float | None] | None = getattr(self, OF_PATIENT[vital], None)
        if ask is None:
            return True  # nothing is known of it but what the twin says
        margin = TOLERANCE.get(vital, WHOLE)
        for piece in range(to_ms // GRID_MS, from_ms // GRID_MS - 1, -1):
            ends = self._over(vital, ask, piece)
            if ends is not None and ends[0] - margin <= value <= ends[1] + margin:
                return True
        return False

    def _over(
        self, vital: Vital, ask: Callable[[int], float | None], piece: int
    ) -> tuple[float, float] | None:
        """The least and the greatest value in one piece of time: inside it a signal runs smoothly."""
        place = vital, piece
        if place not in self._known:
            ends = [ask(t_ms) for t_ms in (piece * GRID_MS, (piece + 1) * GRID_MS - 1)]
            known = [end for end in ends if end is not None]
            self._known[place] = (min(known), max(known)) if known else None
        return self._known[place]


@dataclass(frozen=True)
class Player:
    """One device: its driver, the options of its twin and of its reader, and what goes wrong with it."""

    driver: Driver
    faults: tuple[Fault, ...] = ()
    twin: Mapping[str, Any] = field(default_factory=dict)
    reader: Mapping[str, Any] = field(default_factory=dict)
    bare: bool = False
    """In this form no checksum guards it, whatever its driver's usual one has."""

    @property
    def name(self) -> str:
        """Driver and options."""
        options = [f"{key}={value}" for key, value in (*self.twin.items(), *self.reader.items())]
        return " ".join([self.driver.name, *options])

    @property
    def silent_after_ms(self) -> int:
        """From when on its silence is told."""
        return silence_ms(self.driver, self.reader)

    def twin_options(self) -> dict[str, Any]:
        """Its own, and a cuff every two minutes where it has a rhythm of its own."""
        known = import_module("simulators." + self.driver.name.replace("-", "_")).OPTIONS
        return {**({"cycle_s": CYCLE_S} if "cycle_s" in known else {}), **self.twin}

    def checked(self) -> bool:
        """Whether a checksum guards its frames (`[good]` of its vectors)."""
        rows = tomllib.loads((FOLDER / f"{self.driver.name}.toml").read_text())
        return not self.bare and bool(rows.get("good", {}).get("checked", False))

    def stamps(self) -> bool:
        """Whether its continuous values carry a time, be it only text: a repeated one can be known."""
        told = [said for said in self._overheard() if isinstance(said, Sample)]
        return bool(told) and all(said.device_time is not None or said.late for said in told)

    def tells_time(self) -> bool:
        """Whether that time can be held against others of it: only then can an old value be known."""
        told = [said.device_time for said in self._overheard() if isinstance(said, Sample) and not said.late]
        return self.stamps() and all(device_time_ms(time or "") is not None for time in told)

    def _overheard(self) -> Iterator[Any]:
        patient, seed, epoch_ms = Witness("N0", 1, 1), 1, 1_780_000_000_000
        decoder: Any = self.driver.decoder(self.reader)
        make, options = twin_of(self.driver.name), self.twin_options()
        if self.driver.transport == "mqtt":
            twin = make(patient, seed, {**options, "topic": "vs1/a/b/c"}, (), HostClock(epoch_ms))
            for t_ms in range(0, 20_000, 500):
                for message in twin.tick(t_ms):
                    told = decoder.message(
                        message.topic, message.payload, retained=False, at_ms=epoch_ms + t_ms
                    )
                    yield from one_by_one(told)
            return
        twin = make(patient, seed, options)
        for t_ms in range(0, 20_000, 50):
            if self.driver.transport == "mllp":
                for block in twin.tick(t_ms).split(b"\x1c\r"):
                    if block:
                        yield from decoder.message("", block[1:], retained=False, at_ms=t_ms)
                continue
            yield from decoder.feed(twin.tick(t_ms))
            if self.driver.polled:
                decoder.tick(t_ms)
                if words := decoder.to_send():
                    yield from decoder.feed(twin.hear(words, t_ms))


@dataclass(frozen=True)
class Live:
    """One value that was told as live: when it arrived and when it claims to have been measured."""

    arrived_ms: int
    at_ms: int
    vital: Vital
    value: float


@dataclass
class Record:
    """All that came of one player. Times are the patient's own."""

    player: Player
    patient: Witness
    events: list[tuple[int, Event]] = field(default_factory=list)
    reader: DeviceReader | None = None
    offset_ms: int = 0
    """Host time minus the patient's."""
    end_ms: int = 0
    stalls: list[tuple[int, int]] = field(default_factory=list)
    """When this machine was late itself, and by how much: a tenth of a second is six here."""

    def stalled_ms(self, at_ms: float, within_ms: float = LATELY_MS) -> int:
        """By how much the machine was late in the time before an instant."""
        return sum(late_ms for when_ms, late_ms in self.stalls if at_ms - within_ms <= when_ms <= at_ms)

    def moves(self, from_ms: float = -(2**62), to_ms: float = 2**62) -> list[tuple[int, LinkMoved]]:
        """What the link did."""
        return [(at, event) for at, event in self._told(from_ms, to_ms) if isinstance(event, LinkMoved)]

    def said(self) -> str:
        """Every reason that its link has given."""
        return "; ".join(move.why for _, move in self.moves())

    def notes(self, from_ms: float, to_ms: float) -> str:
        """Everything the device's own line of remarks held between two instants."""
        told = [event for _, event in self._told(from_ms, to_ms) if isinstance(event, DeviceNoted)]
        return "; ".join(f"{what}" for event in told for what in event.what)

    def live(self) -> Iterator[Live]:
        """Every value that stood as live at the bed."""
        for arrived_ms, event in self._told():
            if isinstance(event, Reading) and not event.late and event.value is not None:
                yield Live(arrived_ms, event.at_ms - self.offset_ms, event.vital, event.value)
            if isinstance(event, Readings) and not event.late:
                for vital, column in zip(event.vitals, event.columns, strict=True):
                    for at_ms, value in zip(event.times_ms, column, strict=True):
                        yield Live(arrived_ms, at_ms - self.offset_ms, vital, value)

    def cuffs(self) -> Iterator[tuple[int, int, CuffTaken]]:
        """Every pressure with numbers: when it arrived, when it says it was measured, and itself."""
        for arrived_ms, event in self._told():
            if isinstance(event, CuffTaken) and event.cuff.systolic is not None:
                yield arrived_ms, event.measured_at_ms - self.offset_ms, event

    def state_at(self, t_ms: float) -> LinkState:
        """What the link was doing at an instant."""
        moves = self.moves(to_ms=t_ms)
        return moves[-1][1].now if moves else LinkState.CONNECTING

    def up_again_s(self, after_ms: float, before_ms: float) -> float | None:
        """How long after an instant the link was up, if it was so before another one."""
        if self.state_at(after_ms) is LinkState.UP:
            return 0.0
        ups = [at for at, move in self.moves(after_ms, before_ms) if move.now is LinkState.UP]
        return (ups[0] - after_ms) / 1000 if ups else None

    def _told(self, from_ms: float = -(2**62), to_ms: float = 2**62) -> Iterator[tuple[int, Event]]:
        for at_ms, event in self.events:
            if from_ms <= at_ms - self.offset_ms <= to_ms:
                yield at_ms - self.offset_ms, event


def fault(kind: FaultKind, at_s: float, arg: float | None = None) -> Fault:
    """A fault so many seconds after the beginning."""
    return made(kind, round((BEGIN_S + at_s) * 1000), arg)


async def perform(players: Sequence[Player], seconds: float, folder: Path, broker_port: int) -> list[Record]:
    """Let them all play for so many of the patients' seconds, each on its own cable to its own reader."""
    clock, network = SteadyClock(speed=SPEED), Network(SPEED)
    broker = Broker(BrokerAddress("127.0.0.1", broker_port), dice())
    records = [Record(player, Witness("N0", 1, seed + 1)) for seed, player in enumerate(players)]
    parts, ports = [], []

    def patient_of(_scenario: str, _bed: int, seed: int) -> Witness:
        return records[seed - 1].patient

    for place, record in enumerate(records):
        player = record.player
        link, url = f"pty:{folder / f'tty{place}'}", f"{folder / f'tty{place}'}"
        if player.driver.transport == "mqtt":
            topic = f"vs1/clinic/room/device-{place}"
            link, url = f"mqtt://127.0.0.1:{broker_port}/{topic}", f"mqtt:{topic}/#"
        elif player.driver.transport == "mllp":
            port = Port(("127.0.0.1", free_port()), clock.now_ms)
            ports.append(port)
            await port.listen()
            link, url = f"mllp://127.0.0.1:{port.address[1]}", f"mllp://:{port.address[1]}"
        parts.append(
            Part(
                driver=player.driver.name,
                link=link,
                seed=place + 1,
                start_s=BEGIN_S,
                options=player.twin_options(),
                faults=player.faults,
            )
        )
        record.reader = reader_for(
            Device(f"device-{place}"),
            Bed(f"{place}"),
            player.driver.name,
            url,
            "serialx",
            player.reader,
            [broker],
            _into(record, clock),
            clock,
            dice(place),
            SPEED,
            ports=ports,
        )
    plugged: list[Part] = []
    playing = play(parts, network, lambda part, _: plugged.append(part), patient_of)
    tasks = [asyncio.create_task(broker.run()), asyncio.create_task(playing)]
    stalls: list[tuple[int, int]] = []
    try:
        await until(lambda: (broker.up and len(plugged) == len(parts)) or any(task.done() for task in tasks))
        tasks += [asyncio.create_task(record.reader.run()) for record in records if record.reader]
        await until(lambda: all(map(_is_heard, records)) or any(task.done() for task in tasks))
        network.begin()
        network.set_ms(clock.now_ms())
        for record in records:
            record.offset_ms = clock.now_ms() - round(BEGIN_S * 1000) - network.passed_ms()
            record.stalls = stalls
        tasks.append(asyncio.create_task(_watch(network, stalls)))
        await _order_cuffs(records, network, seconds)
        for record in records:
            record.end_ms = round(BEGIN_S * 1000) + network.passed_ms()
        for task in tasks[:2]:
            assert not task.done(), task.exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for port in ports:
            await port.close()
    return records


def _is_heard(record: Record) -> bool:
    """Whether its reader has the line open: what a device says when it is switched on is said once."""
    return any(move.now is LinkState.CONNECTING for _, move in record.moves())


async def _watch(network: Network, stalls: list[tuple[int, int]]) -> None:
    """Note when the loop is late: what arrives late by that is no device's doing, and no reader's."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + BEAT_S
        await asyncio.sleep(BEAT_S)
        if (late_s := loop.time() - due_s) > PUNCTUAL_S:
            stalls.append((round(BEGIN_S * 1000) + network.passed_ms(), round(1000 * SPEED * late_s)))


def _into(record: Record, clock: SteadyClock) -> Callable[[Event], None]:
    return lambda event: record.events.append((clock.now_ms(), event))


async def _order_cuffs(records: Sequence[Record], network: Network, seconds: float) -> None:
    """Let time go, and a nurse press the button now and then."""
    starters = [record.reader for record in records if record.player.driver.starts_cuff]
    due_s = ORDER_EVERY_S
    while network.passed_ms() < 1000 * seconds:
        await asyncio.sleep(0.2)
        if network.passed_ms() >= 1000 * due_s:
            due_s += ORDER_EVERY_S
            for reader in starters:
                if reader is not None:
                    reader.order_cuff()

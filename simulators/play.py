"""The stage: each part is a device twin on its cable, with its faults, playing a patient in real time.

`python -m simulators.play PLAN.json` plays many parts in one process: all the monitors of a clinic. It ends
with its standard input, so that it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from monitor.clock import SteadyClock
from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import line_of
from simulators.cables import LOOK_AGAIN_S, BrokerCable, Cable, CallingCable, PtyCable, SocketCable
from simulators.faults import Fault, Faults, Frame, made
from simulators.kept import KeptMessages, KeptTwin, is_kept, load_messages, load_pieces
from simulators.patient import MINUTE_MS, AnyPatient, Patient
from simulators.recorded import load_recording
from simulators.scenario import ScenarioError, Story, load
from simulators.twin import CommandedTwin, HostClock, Message, MessageTwin, SerialTwin

SERIAL = tuple(name for name, driver in DRIVERS.items() if driver.transport == "serial")
ON_A_BROKER = tuple(name for name, driver in DRIVERS.items() if driver.transport == "mqtt")
CALLING = tuple(name for name, driver in DRIVERS.items() if driver.transport == "mllp")
"""One for each driver: `masimo-ascii1` is the `Twin` of `simulators/masimo_ascii1.py`."""

PatientOf = Callable[[str, int, int], AnyPatient]
"""Who is attached to a part, by its scenario, its bed and its seed."""

LONGEST_WAIT_S = 0.5
LOOPBACK = {"", "localhost", "127.0.0.1"}


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One device: what it is, where it plays, whom it is attached to."""

    driver: str
    link: str
    scenario: str = "N0"
    bed: int = 1
    """Which patient of a scenario that has several."""
    seed: int = 1
    start_s: float | None = None
    """The patient's second at which it begins; the scenario's own if None."""
    options: dict[str, Any] = {}
    faults: tuple[Fault, ...] = ()


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All parts, and how fast time goes for them."""

    parts: tuple[Part, ...]
    speed: float = 1.0


class Network:
    """The time of one stage: when it begins, how fast it goes, and what bridges set their clocks by."""

    def __init__(self, speed: float) -> None:
        """Nobody is on it, and it has not begun."""
        self.speed = speed
        self.begun = asyncio.Event()
        self._clock = SteadyClock(speed=speed)
        self._began_ms = 0
        self._bridges: list[tuple[HostClock, int]] = []

    def begin(self) -> None:
        """Let time go from now on; nothing happens if it does."""
        if not self.begun.is_set():
            self._began_ms = self._clock.now_ms()
            self.set_ms(self._began_ms)
            self.begun.set()

    def passed_ms(self) -> int:
        """How long the stage has been playing, in its own time."""
        return self._clock.now_ms() - self._began_ms if self.begun.is_set() else 0

    def bridge(self, start_ms: int) -> HostClock:
        """The clock of one more bridge, whose patient begins at `start_ms`: the machine's until it is set."""
        clock = HostClock(self._clock.now_ms() - self.passed_ms() - start_ms)
        self._bridges.append((clock, start_ms))
        return clock

    def set_ms(self, now_ms: int) -> None:
        """Set every bridge's clock."""
        for clock, start_ms in self._bridges:
            clock.epoch_ms = now_ms - self.passed_ms() - start_ms


@dataclass(frozen=True, slots=True)
class _Time:
    """One patient's time: it begins at `start_ms` with the stage."""

    network: Network
    start_ms: int

    def now_ms(self) -> int:
        return self.start_ms + self.network.passed_ms()

    def wait_s(self, until_ms: int) -> float:
        return min(LONGEST_WAIT_S, max(0.0, (until_ms - self.now_ms()) / 1000 / self.network.speed))


def patient_of(scenario: str, bed: int, seed: int) -> AnyPatient:
    """The patient of a scenario by name, of a TOML file or of a recording; or a ScenarioError in words."""
    if is_kept(scenario):
        return Patient(Story(name=Path(scenario).name, title="kept bytes", drug="none", start_min=0.0), seed)
    if scenario.endswith((".csv", ".csv.gz")):
        return load_recording(Path(scenario))
    stories = load(scenario)
    if not 1 <= bed <= len(stories):
        raise ScenarioError(f"{scenario}: it has {len(stories)} patient(s), there is no number {bed}")
    return Patient(stories[bed - 1], seed)


async def play(
    parts: Sequence[Part],
    network: Network,
    announce: Callable[[Part, str], None],
    patient_of: PatientOf = patient_of,
) -> None:
    """Plug all parts in, and play them for ever once `network` has begun.

    `patient_of` brings whoever a part is attached to.

    Anything that is wrong with the parts is a ValueError or an OSError at once.
    """
    with contextlib.ExitStack() as put_away:
        async with asyncio.TaskGroup() as tasks:
            for part in parts:
                patient = patient_of(part.scenario, part.bed, part.seed)
                time = _Time(network, start_of(part, patient))
                if part.driver in SERIAL or part.driver in CALLING:
                    cable = _call(part.link) if part.driver in CALLING else _cable(part.link)
                    put_away.callback(cable.unplug)
                    await _wire(part, patient, cable, time, tasks)
                    announce(part, cable.where())
                elif part.driver in ON_A_BROKER:
                    announce(part, await _connect(part, patient, time, tasks))
                else:
                    known = ", ".join([*SERIAL, *CALLING, *ON_A_BROKER])
                    raise ValueError(f"{part.driver}: no such device here; there are {known}")


async def _wire(part: Part, patient: AnyPatient, cable: Cable, time: _Time, tasks: asyncio.TaskGroup) -> None:
    faults = _faults(part, patient)
    twin: SerialTwin = (
        _kept_line(part, faults)
        if is_kept(part.scenario)
        else twin_of(part.driver)(patient, part.seed, part.options, faults.jumps())
    )
    await cable.plug()
    stirred = asyncio.Event()
    tasks.create_task(_talk(twin, cable, faults, time, stirred))
    tasks.create_task(_answer(twin, cable, faults, time, stirred))


async def _connect(part: Part, patient: AnyPatient, time: _Time, tasks: asyncio.TaskGroup) -> str:
    if is_kept(part.scenario):
        return await _connect_kept(part, patient, time, tasks)
    host, port, topic = _broker(part.link)
    faults = _faults(part, patient)
    options = {**part.options, "topic": topic}
    twin: MessageTwin = twin_of(part.driver)(
        patient, part.seed, options, faults.jumps(), time.network.bridge(time.start_ms)
    )
    hears = twin.hears() if isinstance(twin, CommandedTwin) else ""
    cable = BrokerCable(host, port, hears)
    await cable.plug()
    tasks.create_task(cable.run(twin.will, twin.born))
    tasks.create_task(_publish(twin, cable, faults, time))
    if isinstance(twin, CommandedTwin):
        tasks.create_task(_obey_commands(twin, cable, faults, time))
    return f"{cable.where()}/{topic}"


def _kept_line(part: Part, faults: Faults) -> KeptTwin:
    """A line that says again what was kept. Its only option is the speed it was kept at."""
    driver, baud = DRIVERS[part.driver], {"baud": part.options["baud"]} if "baud" in part.options else {}
    _refuse_options(part, faults, {"baud"} if driver.bauds else set())
    return KeptTwin(load_pieces(Path(part.scenario), line_of(driver, baud)))


async def _connect_kept(part: Part, patient: AnyPatient, time: _Time, tasks: asyncio.TaskGroup) -> str:
    host, port, topic = _broker(part.link, needs_topic=False)
    faults = _faults(part, patient)
    _refuse_options(part, faults, set())
    twin = KeptMessages(load_messages(Path(part.scenario), topic))
    cable = BrokerCable(host, port)
    await cable.plug()
    tasks.create_task(cable.run(twin.will, twin.born))
    tasks.create_task(_publish(twin, cable, faults, time))
    return cable.where()


def _refuse_options(part: Part, faults: Faults, known: set[str]) -> None:
    unknown = sorted(part.options.keys() - known)
    if unknown:
        raise ValueError(f"{part.scenario}: kept bytes have no option {unknown[0]!r}")
    if faults.jumps():
        raise ValueError(f"{part.scenario}: the clock in kept bytes cannot jump")


def _faults(part: Part, patient: AnyPatient) -> Faults:
    """The faults of the scenario and those that were asked for."""
    told = [
        made(trouble.kind, round(trouble.at_min * MINUTE_MS), trouble.arg) for trouble in patient.story.fault
    ]
    return Faults([*told, *part.faults], part.seed)


def twin_of(driver: str) -> Callable[..., Any]:
    """The class of a device's twin: (patient, seed, options, jumps of its clock)."""
    twin: Callable[..., Any] = import_module("simulators." + driver.replace("-", "_")).Twin
    return twin


def start_of(part: Part, patient: AnyPatient) -> int:
    """The patient's instant at which a part begins."""
    start_s = patient.story.start_min * 60 if part.start_s is None else part.start_s
    return round(start_s * 1000)


async def _talk(twin: SerialTwin, cable: Cable, faults: Faults, time: _Time, stirred: asyncio.Event) -> None:
    await time.network.begun.wait()
    if isinstance(twin, KeptTwin):
        while not cable.somebody_there():  # noqa: ASYNC110  a terminal does not tell who opens it
            await asyncio.sleep(LOOK_AGAIN_S)
        twin.begin(time.now_ms(), time.start_ms)
    while True:
        t_ms = time.now_ms()
        if faults.plugged(t_ms):
            await cable.plug()
        else:
            cable.unplug()
        sent = twin.tick(t_ms)
        for frame in faults.passed([Frame(sent)] if sent else [], t_ms):
            cable.write(frame.data)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(time.wait_s(min(twin.due_ms(), faults.due_ms(t_ms)))):
                await stirred.wait()
        stirred.clear()


async def _answer(
    twin: SerialTwin, cable: Cable, faults: Faults, time: _Time, stirred: asyncio.Event
) -> None:
    while True:
        data = await cable.read()
        if not time.network.begun.is_set():
            continue  # the monitor is still switched off
        t_ms = time.now_ms()
        answer = twin.hear(data, t_ms) if faults.listens(t_ms) else b""
        for frame in faults.passed([Frame(answer)], t_ms) if answer else []:
            cable.write(frame.data)
        stirred.set()  # what it was asked may be due before what it had in mind


async def _publish(twin: MessageTwin | KeptMessages, cable: BrokerCable, faults: Faults, time: _Time) -> None:
    await time.network.begun.wait()
    if isinstance(twin, KeptMessages):
        await cable.connected.wait()
        twin.begin(time.now_ms(), time.start_ms)
    while True:
        t_ms = time.now_ms()
        if faults.plugged(t_ms):
            await cable.plug()
        else:
            cable.unplug()
        _write(cable, faults.passed([_frame(m) for m in twin.tick(t_ms)], t_ms))
        await asyncio.sleep(time.wait_s(min(twin.due_ms(), faults.due_ms(t_ms))))


async def _obey_commands(twin: CommandedTwin, cable: BrokerCable, faults: Faults, time: _Time) -> None:
    while True:
        told = await cable.read()
        t_ms = time.now_ms()
        if time.network.begun.is_set() and faults.listens(t_ms):
            done = twin.hear(told.topic, told.payload, t_ms)
            _write(cable, faults.passed([_frame(message) for message in done], t_ms))


def _frame(message: Message) -> Frame:
    return Frame(message.payload, message.topic, message.qos, message.retain)


def _write(cable: BrokerCable, frames: Sequence[Frame]) -> None:
    topic = ""
    for frame in frames:
        # Nonsense has no topic of its own: it comes where the last words came.
        topic = frame.topic or topic
        if topic:
            cable.write(Message(topic, frame.data, frame.qos, retain=frame.retain))


def _cable(link: str) -> Cable:
    """The cable a `--link` asks for."""
    if link == "pty":
        return PtyCable()
    if link.startswith("pty:"):
        return PtyCable(Path(link.removeprefix("pty:")))
    if link.startswith("socket://"):
        return SocketCable(_port(link))
    raise ValueError(f"{link}: a link of this device is pty, pty:PATH or socket://:PORT")


def _call(link: str) -> Cable:
    """The call a `--link` asks for."""
    try:
        address = urlsplit(link)
        host, port = address.hostname or "127.0.0.1", address.port
    except ValueError:
        host, port = "", None
    if not link.startswith("mllp://") or not port:
        raise ValueError(f"{link or 'no link'}: a link of this device is mllp://HOST:PORT, where it calls")
    return CallingCable(host, port)


def _port(link: str) -> int:
    try:
        address = urlsplit(link)
        host, port = address.hostname or "", address.port
    except ValueError:
        host, port = "", None
    if host not in LOOPBACK:
        raise ValueError(f"{link}: a simulated device listens on this machine only: socket://:PORT")
    if port is None:
        raise ValueError(f"{link}: which port? socket://:PORT, with 0 for a free one")
    return port


def _broker(link: str, *, needs_topic: bool = True) -> tuple[str, int, str]:
    """Host, port and topic of `mqtt://HOST/TOPIC`."""
    try:
        address = urlsplit(link)
        host, port, topic = address.hostname, address.port or 1883, address.path.strip("/")
    except ValueError:
        host, port, topic = None, 0, ""
    if address.scheme != "mqtt" or not host or (needs_topic and not topic):
        raise ValueError(f"{link}: a link of this device is mqtt://HOST/TOPIC or mqtt://HOST:PORT/TOPIC")
    return host, port, topic


async def until_told(work: asyncio.Task[None]) -> None:
    """Run until SIGINT or SIGTERM; a part that fails ends it with its own error."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return


async def _obey(work: asyncio.Task[None], network: Network) -> None:
    """On standard input `clock MS` begins the play and sets the bridges; its end is the play's end."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        word, _, number = line.decode("ascii", "replace").strip().partition(" ")
        if word == "clock" and number.isdigit():
            network.begin()
            network.set_ms(int(number))
    work.cancel()


async def _stage(plan: Plan) -> None:
    def announce(part: Part, where: str) -> None:
        print(f"{part.driver} {where}", flush=True)  # noqa: T201  the lines the supervisor waits for

    network = Network(plan.speed)
    work = asyncio.create_task(play(plan.parts, network, announce))
    ear = asyncio.create_task(_obey(work, network))
    await until_told(work)
    ear.cancel()


def main(plan: Path) -> int:
    """Play a plan; 0 once it was told to stop, or whoever started it has gone."""
    asyncio.run(_stage(msgspec.json.decode(plan.read_bytes(), type=Plan)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

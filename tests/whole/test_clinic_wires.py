"""One morning of a busy clinic on real wires, and what every screen had to say of it.

All beds live through the same minute: an apnoea on one, garbage at full baud on six ports at once, a wrong
cable, a pulled cable, a broker that dies, and monitors that say what nobody may believe. The tests read what
a screen, the API and `/healthz` showed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from monitor.devices.codecs import masimo_ascii1, nellcor_ascii
from monitor.devices.codecs.dinamap import (
    NIBP,
    OXIMETER,
    decode_question,
    encode_nibp,
    encode_oximeter,
)
from tests.shells.conftest import Cable, Mosquitto, dice
from tests.whole.clinic import Clinic, Gateway, Screen, Wire, now_ms, open_clinic

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

BAUD_BYTES_S = 11_520
"""115200 Bd, 8N1: as fast as such a port can be."""
GARBAGE_S = 6.0
UNPLUGGED_S = 3.0
APNOEA_S = 1_200
"""Scenario D2: the second in which breathing stops."""
GOOD = ("masimo-a", "masimo-b", "nellcor-a", "nellcor-b", "dinamap-a", "dinamap-b")
"""Beds whose ports carry garbage, and then good frames."""
FIRST_GOOD, SECOND_GOOD = 91.0, 96.0


@dataclass
class Morning:
    """What there was to see."""

    values: list[tuple[int, str, str, float]] = field(default_factory=list)
    beds_read: list[dict[str, Any]] = field(default_factory=list)
    """What `/beds` said, once a second."""
    healthy: list[bool] = field(default_factory=list)
    alarm_moves: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    """The limits at the bed of the patient who stops breathing."""
    garbage_ms: tuple[int, int] = (0, 0)
    sent_ms: dict[str, list[int]] = field(default_factory=dict)
    """When each bed's good frames were sent, after the garbage."""
    wrong_driver: dict[str, Any] = field(default_factory=dict)
    pulled: dict[str, Any] = field(default_factory=dict)
    back_after_ms: dict[str, int] = field(default_factory=dict)
    """How long after the cable, or the broker, came back there was a number again."""
    broker_down: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    def shown(self, bed: str, vital: str | None = None) -> set[float]:
        """Every number that stood on the screen as live."""
        return {value for _, at, name, value in self.values if at == bed and vital in (None, name)}

    def read(self, bed: str) -> set[float]:
        """Every number that the API gave as live, cuff and all."""
        found: set[float] = set()
        for beds in self.beds_read:
            tile = next(tile["bed"] for tile in beds["beds"] if tile["bed"]["bed"] == bed)
            found |= {v["value"] for v in tile["vitals"].values() if v["value"] is not None}
            cuff = tile["cuff"] or {}
            found |= {cuff[k] for k in cuff if k.endswith(("_mmhg", "_per_min")) and cuff[k] is not None}
        return found


def stamp() -> str:
    """The time as a Masimo prints it."""
    return datetime.now(tz=UTC).strftime("%m/%d/%y %H:%M:%S")


def frames(driver: str, spo2: float) -> bytes:
    """One good line of a device that talks."""
    if driver == "masimo-ascii1":
        return masimo_ascii1.encode(stamp(), spo2, 70, 3.6)
    time = datetime.now(tz=UTC).strftime("%d-%b-%y %H:%M:%S")
    return nellcor_ascii.encode(time, spo2, 70, 12)


async def sends(cable: Cable, data: Callable[[], bytes], every_s: float = 1.0) -> None:
    """A device that talks, for ever."""
    while True:
        if cable.fileno() >= 0:
            await cable.send(data())
        await asyncio.sleep(every_s)


async def answers(cable: Cable, answer: Callable[[bytes], bytes | None]) -> None:
    """A device that speaks when it is asked, for ever."""
    asked = b""
    while True:
        asked += await cable.heard(1)
        *lines, asked = asked.split(b"\r")
        for line in lines:
            question = decode_question(line.strip(b"\n"))
            said = None if question is None else answer(question)
            if said is not None:
                await cable.send(said)


async def garbage(cable: Cable, luck: random.Random) -> None:
    """Nonsense as fast as the line carries it."""
    until_ms = now_ms() + GARBAGE_S * 1_000
    while now_ms() < until_ms:
        await cable.send(luck.randbytes(BAUD_BYTES_S // 20))
        await asyncio.sleep(0.05)


def unasked(cable: Cable) -> None:
    """Forget the questions that nobody has answered."""
    with contextlib.suppress(BlockingIOError):
        while os.read(cable.fileno(), 65_536):
            pass


def driver_of(bed: str) -> str:
    """The driver of a bed with garbage on its port."""
    names = {"masimo": "masimo-ascii1", "nellcor": "nellcor-ascii", "dinamap": "dinamap"}
    return names[bed.partition("-")[0]]


class Stage:
    """The devices of the morning: ptys, topics, and what is said on them."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        """Every cable is plugged in; nothing is said yet."""
        self.folder, self.broker = folder, broker
        ports = [*GOOD, "off", "busy", "pulled"]
        self.cables = {name: Cable(folder / f"tty-{name}") for name in ports}
        self.busy = True
        """The Dinamap of bed "busy" measures, and repeats its old numbers."""
        self.probe_off = True
        self.tasks: list[asyncio.Task[None]] = []

    def wires(self) -> list[Wire]:
        """The `[[device]]` tables."""
        cabled = {name: cable.name for name, cable in self.cables.items()}
        return [
            *(Wire(bed, driver_of(bed), bed, cabled[bed]) for bed in GOOD),
            Wire("off", "masimo-ascii1", "off", cabled["off"]),
            Wire("busy", "dinamap", "busy", cabled["busy"]),
            Wire("pulled", "masimo-ascii1", "pulled", cabled["pulled"]),
            Wire("seventh", "masimo-ascii1", "seventh", str(self.folder / "tty-seventh")),
            Wire("crossed", "nellcor-ascii", "crossed", str(self.folder / "tty-crossed")),
            Wire("bridge", "mqtt-native", "breath", "mqtt:///vs1/clinic/room/bridge/+"),
            Wire("scalar", "mqtt-map", "retained", "mqtt:///ward/spo2"),
            Wire("demo", "mqtt-native", "demo", "mqtt:///vs1/clinic/room/demo/+"),
            Wire("flat", "mqtt-map", "broken", "mqtt:///gateway/broken", {"shape": "flat"}),
            Wire(
                "late",
                "mqtt-map",
                "stale",
                "mqtt:///gateway/stale",
                {"shape": "envelope", "values": "values", "time": {"path": "ts", "unit": "ms"}},
            ),
        ]

    def start(self, work: Any) -> None:
        """Let something go on beside the story."""
        self.tasks.append(asyncio.create_task(work))

    async def quieten(self) -> None:
        """Nothing speaks any more; what broke on the way is said here."""
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            assert result is None or isinstance(result, asyncio.CancelledError), result

    def unplug(self) -> None:
        """Nothing is plugged in any more."""
        for cable in self.cables.values():
            cable.unplug()

    async def publish(self, topic: str, payload: object, *, retain: bool = False) -> None:
        """One message of a bridge."""
        body = payload if isinstance(payload, str) else json.dumps(payload)
        async with aiomqtt.Client("127.0.0.1", self.broker.port) as client:
            await client.publish(topic, body, qos=1, retain=retain)

    def what_nobody_may_believe(self) -> None:
        """Bed by bed, from before the sessions on."""
        self.start(sends(self.cables["off"], self._off))
        self.start(answers(self.cables["busy"], self._busy))
        self.start(sends(self.cables["pulled"], lambda: frames("masimo-ascii1", 97)))

    async def what_nobody_may_believe_by_mqtt(self) -> None:
        """The same on a broker: each of these messages holds a number that is not the patient's."""
        native = numeric("demo", 1, 88, flags=["demo"])
        await self.publish("vs1/clinic/room/demo/numeric", native)
        for value in ("-999", "255", "NaN", '"88%"', "true"):
            await self.publish("gateway/broken", f'{{"spo2": {value}, "hr": {value}}}')
        await self.publish("gateway/stale", {"ts": now_ms() - 120_000, "values": {"spo2": 88}})
        await self.publish("gateway/stale", {"ts": now_ms() + 3_600_000, "values": {"spo2": 89}})

    async def what_everybody_may_believe(self) -> None:
        """And then a good number each, which shows that somebody listened all the time."""
        self.probe_off = self.busy = False
        await self.publish("ward/spo2", "97")
        await self.publish("vs1/clinic/room/demo/numeric", numeric("demo", 2, 97))
        await self.publish("gateway/broken", {"spo2": 97})
        await self.publish("gateway/stale", {"ts": now_ms(), "values": {"spo2": 97}})

    def _off(self) -> bytes:
        # Fact sheet 7, example 6: digits, and EXC says that the sensor is off the patient.
        if self.probe_off:
            return masimo_ascii1.encode(stamp(), 95, 71, 0.35, exc=0x824, alarm=0x10)
        return masimo_ascii1.encode(stamp(), 97, 70, 3.6)

    def _busy(self, question: bytes) -> bytes | None:
        if question == NIBP:
            return encode_nibp(42, 138, 84, 102, status=0) if self.busy else encode_nibp(0, 121, 79, 93)
        return encode_oximeter(None, status=6, signal=0) if question == OXIMETER else None


def numeric(device: str, seq: int, spo2: float, flags: list[str] | None = None) -> dict[str, Any]:
    """A message of a bridge of our own."""
    return {
        "schema": "vs-numeric/1", "device": device, "boot": "b1", "seq": seq,
        "sample_ts": datetime.now(tz=UTC).isoformat().replace("+00:00", "Z"), "clock": "host", "age_ms": 0,
        "observations": [{"vital": "spo2", "value": spo2, "unit": "%", "quality": "valid"}],
        "device_flags": flags or [],
    }  # fmt: skip


async def live_through(folder: Path, accounts: Path, morning: Morning) -> None:
    """The story, from the first session to the last question."""
    async with contextlib.AsyncExitStack() as house:
        broker = Mosquitto(folder)
        broker.start()
        house.callback(broker.stop)
        gateway = Gateway()
        await gateway.open()
        house.push_async_callback(gateway.close)
        stage = Stage(folder, broker)
        house.callback(stage.unplug)
        await stage.publish("ward/spo2", "88", retain=True)
        clinic = await house.enter_async_context(
            open_clinic(folder, accounts, stage.wires(), gateway=gateway, broker_port=broker.port)
        )
        house.push_async_callback(stage.quieten)
        stage.what_nobody_may_believe()
        seventh, crossed = folder / "tty-seventh", folder / "tty-crossed"
        await asyncio.gather(
            clinic.simulate("masimo-ascii1", f"pty:{seventh}", name="seventh"),
            clinic.simulate("masimo-ascii1", f"pty:{crossed}", name="crossed"),
            clinic.headers(),
        )
        async with await clinic.screen() as screen:
            await everything_at_once(clinic, stage, screen, morning)
            morning.values = screen.values
    morning.log = (folder / "service.log").read_text("utf-8")


async def everything_at_once(clinic: Clinic, stage: Stage, screen: Screen, morning: Morning) -> None:
    """Sessions on all beds, everything at once, and what came of it."""
    for bed in screen.beds:
        if bed != "breath":
            await clinic.open_session(bed)
    # Ten seconds and a little before breathing stops.
    bridge = f"mqtt://127.0.0.1:{stage.broker.port}/vs1/clinic/room/bridge"
    started = ("--start", str(APNOEA_S - 11), "--option", "lossy=false")
    await clinic.simulate("mqtt-native", bridge, "D2", *started)
    await clinic.open_session("breath")
    stage.start(look(clinic, morning))
    begun_ms = now_ms()
    noise = [garbage(stage.cables[bed], dice(place)) for place, bed in enumerate(GOOD)]
    await asyncio.gather(stage.what_nobody_may_believe_by_mqtt(), pulled(stage, screen, morning), *noise)
    morning.garbage_ms = (begun_ms, now_ms())
    morning.wrong_driver = await screen.until(
        lambda: link if "looks like" in (link := screen.links["crossed"])["why"] else None
    )
    await good_frames(stage, screen, morning)
    await stage.what_everybody_may_believe()
    for bed in ("off", "retained", "demo", "broken", "stale"):
        await screen.until(lambda bed=bed: screen.value(bed, "spo2") == 97)  # type: ignore[misc]
    await screen.until(lambda: (screen.beds["busy"]["cuff"] or {}).get("systolic_mmhg") == 121)
    morning.limits = screen.beds["breath"]["limits"]
    for rule in ("rr-low", "rr-none"):
        await screen.until(lambda rule=rule: screen.alarm(rule, bed="breath"))  # type: ignore[misc]
    morning.alarm_moves = list(screen.alarm_moves)
    await broker_dies(stage, screen, morning)


async def look(clinic: Clinic, morning: Morning) -> None:
    """Once a second, whether it is healthy, and what the API says."""
    while True:
        morning.healthy.append(await clinic.healthy())
        morning.beds_read.append(await clinic.get("/beds"))
        await asyncio.sleep(1)


async def pulled(stage: Stage, screen: Screen, morning: Morning) -> None:
    """A cable is pulled, and put back."""
    cable = stage.cables["pulled"]
    await screen.until(lambda: screen.value("pulled", "spo2"))
    cable.unplug()
    morning.pulled = await screen.until(
        lambda: link if (link := screen.links["pulled"])["state"] == "down" else None
    )
    await asyncio.sleep(UNPLUGGED_S)  # as long as it takes somebody to notice
    cable.plug_in()
    morning.back_after_ms["pulled"] = await until_news(screen, "pulled")


async def good_frames(stage: Stage, screen: Screen, morning: Morning) -> None:
    """Two good frames on each port that carried garbage, or two good answers."""

    async def talks(bed: str) -> None:
        for spo2 in (FIRST_GOOD, SECOND_GOOD):
            await stage.cables[bed].send(frames(driver_of(bed), spo2))
            morning.sent_ms.setdefault(bed, []).append(now_ms())
            await asyncio.sleep(1)  # the rhythm of such a device

    def tells(bed: str) -> Callable[[bytes], bytes | None]:
        def answer(question: bytes) -> bytes | None:
            if question != OXIMETER:
                return None
            morning.sent_ms.setdefault(bed, []).append(now_ms())
            return encode_oximeter(SECOND_GOOD, status=1, signal=5)

        return answer

    for bed in GOOD:
        if driver_of(bed) == "dinamap":
            unasked(stage.cables[bed])
            stage.start(answers(stage.cables[bed], tells(bed)))
        else:
            stage.start(talks(bed))
    for bed in GOOD:
        await screen.until(
            lambda bed=bed: {FIRST_GOOD, SECOND_GOOD} & {v for _, at, _, v in screen.values if at == bed}  # type: ignore[misc]
        )


async def broker_dies(stage: Stage, screen: Screen, morning: Morning) -> None:
    """The broker is killed, and started again."""
    stage.broker.kill()
    morning.broker_down = await screen.until(
        lambda: link if (link := screen.links["bridge"])["state"] == "down" else None
    )
    stage.broker.start()
    morning.back_after_ms["breath"] = await until_news(screen, "breath")


async def until_news(screen: Screen, bed: str) -> int:
    """How long it is from now until a new number stands at a bed."""
    begun_ms = now_ms()
    await screen.until(lambda: any(at_ms > begun_ms for at_ms, at, *_ in screen.values if at == bed))
    return now_ms() - begun_ms


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory, accounts: Path) -> Morning:
    """The morning, lived through once for all the tests that judge it."""
    lived = Morning()
    asyncio.run(live_through(tmp_path_factory.mktemp("morning"), accounts, lived))
    return lived


# Detection.


@pytest.mark.shows("ALM-060")
@pytest.mark.parametrize("rule", ["rr-low", "rr-none"])
def test_D2_no_breath_is_on_the_screen_one_second_after_its_delay_has_run(
    morning: Morning, rule: str
) -> None:
    delay_ms = next(
        limit["hold_ms"]
        for limit in morning.limits
        if (limit["condition"], limit["priority"]) == (rule, "HIGH")
    )
    arrived_ms, alarm = next(
        (at_ms, alarm)
        for at_ms, alarm in morning.alarm_moves
        if (alarm.get("rule"), alarm.get("priority"), alarm["state"]) == (rule, "HIGH", "active")
    )
    assert alarm["bed"] == "breath"
    assert delay_ms in {15_000, 20_000}
    due_ms = alarm["since_ms"] + delay_ms
    assert due_ms <= alarm["raised_at_ms"] <= due_ms + 500
    assert arrived_ms - due_ms <= 1_000


def test_D2_the_alarm_comes_before_the_saturation_falls(morning: Morning) -> None:
    first_ms = next(
        at_ms for at_ms, a in morning.alarm_moves if a.get("rule") == "rr-none" and a["state"] == "active"
    )
    before = [
        v
        for at_ms, bed, vital, v in morning.values
        if (bed, vital) == ("breath", "spo2") and at_ms <= first_ms
    ]
    assert before
    assert min(before) >= 94


# Bad input.


def test_F17_garbage_on_six_ports_at_once_does_not_make_the_service_unwell(morning: Morning) -> None:
    assert len(morning.healthy) >= 20
    assert all(morning.healthy)
    assert "Traceback" not in morning.log


@pytest.mark.parametrize("bed", GOOD)
def test_F17_after_garbage_the_first_or_second_good_frame_is_read(morning: Morning, bed: str) -> None:
    shown_ms = min(
        at_ms for at_ms, at, _, value in morning.values if at == bed and value in (FIRST_GOOD, SECOND_GOOD)
    )
    frames_until_then = [sent_ms for sent_ms in morning.sent_ms[bed] if sent_ms <= shown_ms]
    assert len(frames_until_then) in {1, 2}


@pytest.mark.parametrize("bed", GOOD)
def test_F17_garbage_is_never_taken_for_a_number(morning: Morning, bed: str) -> None:
    assert morning.shown(bed) - {FIRST_GOOD, SECOND_GOOD, 70.0, 3.6} == set()


def test_F17_a_seventh_port_has_a_number_every_second_all_along(morning: Morning) -> None:
    begun_ms, ended_ms = morning.garbage_ms
    came = [
        at_ms
        for at_ms, bed, vital, _ in morning.values
        if (bed, vital) == ("seventh", "spo2") and begun_ms <= at_ms <= ended_ms
    ]
    assert len(came) >= (ended_ms - begun_ms) / 1_000 - 2
    assert max(later - earlier for earlier, later in pairwise(came)) <= 2_500


def test_F19_a_wrong_driver_on_a_port_is_named_on_the_link(morning: Morning) -> None:
    assert morning.wrong_driver["state"] == "silent"
    assert morning.wrong_driver["why"].startswith("this looks like a Masimo")
    assert "not Nellcor" in morning.wrong_driver["why"]
    assert morning.shown("crossed") == set()


def test_F16_a_pulled_cable_is_said_and_put_back_gives_a_number_within_5_seconds(morning: Morning) -> None:
    assert "cable" in morning.pulled["why"]
    assert morning.back_after_ms["pulled"] <= 5_000


def test_F22_a_broker_that_is_killed_is_said_and_comes_back(morning: Morning) -> None:
    assert "broker" in morning.broker_down["why"]
    assert morning.back_after_ms["breath"] <= 10_000


# Honest values.


@pytest.mark.shows("ALM-070", "HZ-05")
@pytest.mark.parametrize(
    ("bed", "never", "good"),
    [
        ("off", {95.0, 71.0, 0.35}, 97.0),
        ("busy", {138.0, 84.0, 102.0}, 121.0),
        ("retained", {88.0}, 97.0),
        ("demo", {88.0}, 97.0),
        ("broken", {-999.0, 255.0, 88.0, 1.0}, 97.0),
        ("stale", {88.0, 89.0}, 97.0),
    ],
    ids=["sensor off", "cuff running", "retained", "demonstration", "no number", "stale or future"],
)
def test_what_nobody_may_believe_never_stood_anywhere_as_live(
    morning: Morning, bed: str, never: set[float], good: float
) -> None:
    assert good in morning.shown(bed)
    assert good in morning.read(bed)
    assert never & morning.shown(bed) == set()
    assert never & morning.read(bed) == set()

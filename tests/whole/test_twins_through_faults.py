"""Every device in the catalogue, simulated, through every fault: links recover, nothing is wrong or invented.

The twins play by themselves on real cables (terminals, a broker, calls) against the real readers, all at once
and sixty times as fast as the world. A driver that joins the catalogue is here by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.devices.codecs import DRIVERS
from monitor.devices.health import UNREAD
from monitor.model import Lie, LinkState, Vital
from simulators.faults import EXPLAINED, Fault
from simulators.scenario import FaultKind
from tests.shells.conftest import Mosquitto, mosquitto
from tests.whole.twins import BEGIN_S, CUFF_SEEN_MS, OLD_MS, SAME_CUFF, Player, Record, fault, perform

__all__ = ["mosquitto"]

pytestmark = pytest.mark.real

FIRST_S, EACH_S = 90.0, 180.0
LASTS: dict[FaultKind, float] = {
    "cut": 60,
    "noise": 30,
    "garbage": 64,
    "delay": 60,
    "unplug": 60,
    "silence": 60,
    "repeat": 60,
    "clock_jump": 3600,
    "half_frame": 1,
    "flood": 50,
    "disorder": 60,
}
"""Every kind, with its argument: long enough to be told, short enough to leave time to recover."""
KINDS = tuple(EXPLAINED)
SPAN = {"cut", "noise", "delay", "unplug", "silence", "repeat", "disorder"}
"""Those whose argument is how long they last."""

AGAIN_S = 100.0
"""A simulated bridge dials again after a second of the world, which is a minute of this one."""
BROKER_MS = 25_000
"""On a busy machine a broker, a program of its own, hands on as late as 0.4 s of the world."""
DOUBT_MS = 3_000
"""A host that comes so late to an age in seconds takes it for another measurement's."""
DEAF = {"cut", "delay", "silence"}

VARIANTS = (
    Player(DRIVERS["masimo-ascii1"], twin={"layout": "rad87"}),
    Player(DRIVERS["nonin-df2"], twin={"format": "8600v"}, bare=True),
    Player(DRIVERS["contec-cms50"], twin={"protocol": "old"}, reader={"baud": 19_200}),
    Player(DRIVERS["intellivue"], reader={"poll": "extended"}),
    Player(DRIVERS["intellivue"], twin={"modules": True}),
    Player(DRIVERS["hl7-pcd01"], twin={"style": "ge"}),
    Player(DRIVERS["mqtt-map"], twin={"shape": "envelope"}),
)


def _every_fault() -> tuple[Fault, ...]:
    return tuple(fault(kind, FIRST_S + EACH_S * place, LASTS[kind]) for place, kind in enumerate(KINDS))


@pytest.mark.parametrize("half", [0, 1])
async def test_every_twin_through_every_fault(half: int, tmp_path: Path, mosquitto: Mosquitto) -> None:
    # All of them at this speed are more than one busy core does in time.
    players = [Player(driver, _every_fault()) for driver in tuple(DRIVERS.values())[half::2]]
    seconds = FIRST_S + EACH_S * len(KINDS)
    _judge(await perform(players, seconds, tmp_path, mosquitto.port))


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
async def test_torture_of_twins_each_fault_alone_five_times(
    kind: FaultKind, half: int, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    faults = tuple(fault(kind, 120 + 240 * time, LASTS[kind]) for time in range(5))
    players = [Player(driver, faults) for driver in DRIVERS.values()]
    players += [Player(one.driver, faults, one.twin, one.reader, one.bare) for one in VARIANTS]
    records = await perform(players[half::2], 1_320, tmp_path, mosquitto.port)
    print(f"\n{kind}")  # noqa: T201  figures are what torture is for
    for record in records:
        print("  " + _figures(record))  # noqa: T201  as above
    _judge(records)


def _judge(records: Sequence[Record]) -> None:
    wrong = [f"{record.player.name}: {what}" for record in records for what in _wrong(record)]
    assert not wrong, "\n".join(wrong)


def _wrong(record: Record) -> list[str]:
    """Everything about one device that is not as it should be."""
    return [*_links(record), *_values(record), *_pressures(record), *_words(record)]


def _end_ms(one: Fault) -> float:
    return one.at_ms + (1000 * one.arg if one.kind in SPAN else 0)


def _slack_ms(record: Record) -> float:
    """After how long a device has been heard again: its own rhythm, and the bridge that dials again."""
    return 1000 * AGAIN_S + min(record.player.silent_after_ms, 60_000)


# Links recover.


def _links(record: Record) -> list[str]:
    found = []
    ends = [one.at_ms for one in record.player.faults[1:]] + [record.end_ms]
    if not any(record.live()) and not any(record.cuffs()) and record.player.driver.vitals:
        found.append("nothing at all was read")
    for one, before_ms in zip(record.player.faults, ends, strict=True):
        if _is_refused(record.player, one):
            # It cannot be told from a message that makes its time up: it is not read, and that is said.
            if record.state_at(before_ms - 1) is not LinkState.SILENT or UNREAD not in record.said():
                found.append(f"what claims to be of the future is read after {one.kind}")
            continue
        again_s = record.up_again_s(_end_ms(one), before_ms - 1)
        if again_s is None or again_s * 1000 > _slack_ms(record):
            moves = [(at, move.now.value, move.why) for at, move in record.moves(one.at_ms, before_ms)]
            found.append(f"not up again after {one.kind}: {again_s}, {moves[-4:]}")
    return found


# No wrong value.


def _values(record: Record) -> list[str]:
    player, wrong = record.player, list[str]()
    tells_time, checked = player.tells_time(), player.checked()
    judged, excused = 0, 0
    for live in record.live():
        if live.vital is Vital.PULSE_NIBP:
            known = [r.pulse for _, r in record.patient.cuffs if r.pulse is not None]
            if not any(abs(pulse - live.value) <= SAME_CUFF for pulse in known):
                wrong.append(f"{live} is of no cuff")
            continue
        judged += 1
        old_ms = OLD_MS + _late_ms(record, live.arrived_ms)
        from_ms = live.at_ms - old_ms
        latest_ms = min(live.arrived_ms, live.at_ms + OLD_MS) + 500
        if record.patient.had(live.vital, live.value, round(from_ms), latest_ms):
            continue
        held_ms = None if tells_time else _held_since(record, live.arrived_ms)
        # A stream without a clock that was held up, or said again, cannot be told from a fresh one.
        if held_ms is not None and record.patient.had(
            live.vital, live.value, held_ms - round(old_ms), latest_ms
        ):
            continue
        if not checked and _noisy(player, live.arrived_ms):
            excused += 1  # a digit turned into another one, and no checksum to tell
            continue
        wrong.append(f"{live} was not so in the last seconds")
    if excused > max(5, judged // 50):
        wrong.append(f"{excused} of {judged} values were wrong in noise")
    return wrong[:6]


def _late_ms(record: Record, at_ms: float) -> float:
    """What this machine may have added to the age of a value: by its own pauses, or in the broker's hands."""
    behind_a_broker = record.player.driver.transport == "mqtt"
    return record.stalled_ms(at_ms) + (BROKER_MS if behind_a_broker else 0)


def _held_since(record: Record, at_ms: float) -> int | None:
    """Since when what arrives at this instant may have been held, or be said again."""
    for one in record.player.faults:
        over_ms = _end_ms(one) + 1000 * AGAIN_S
        if one.kind in {"delay", "repeat", "flood"} and one.at_ms <= at_ms <= over_ms:
            return one.at_ms
    return None


def _noisy(player: Player, at_ms: float) -> bool:
    return any(one.kind == "noise" and one.at_ms <= at_ms <= _end_ms(one) + OLD_MS for one in player.faults)


# No pressure but those that were taken, each once.


def _pressures(record: Record) -> list[str]:
    wrong, told = list[str](), set[int]()
    taken = {
        begin_ms: (begin_ms + result.takes_ms, result)
        for begin_ms, result in record.patient.cuffs
        if result.systolic is not None
    }
    for arrived_ms, measured_ms, event in record.cuffs():
        cuff = event.cuff
        fits = [
            begin_ms
            for begin_ms, (end_ms, result) in taken.items()
            if begin_ms not in told
            and end_ms <= arrived_ms + 1_500
            and _same(cuff.systolic, result.systolic)
            and _same(cuff.diastolic, result.diastolic)
        ]
        if not fits:
            excused = not record.player.checked() and _noisy(record.player, arrived_ms)
            if not excused and record.stalled_ms(arrived_ms) < DOUBT_MS:
                wrong.append(f"{cuff} at {arrived_ms} was not taken, or was told already")
            continue
        begin_ms = max(fits)
        told.add(begin_ms)
        end_ms = taken[begin_ms][0]
        was_there = end_ms < 1000 * BEGIN_S  # a device that tells no ages still shows the last one
        if was_there or _disturbed(record, end_ms, arrived_ms):
            continue
        if abs(measured_ms - end_ms) > CUFF_SEEN_MS + _late_ms(record, arrived_ms):
            wrong.append(f"{cuff} of {end_ms} is said to be of {measured_ms}")
    for begin_ms, (end_ms, result) in taken.items():
        quiet = begin_ms > 1000 * BEGIN_S and end_ms + CUFF_SEEN_MS < record.end_ms
        if quiet and begin_ms not in told and not _disturbed(record, begin_ms, end_ms + CUFF_SEEN_MS):
            wrong.append(f"{result} of {end_ms} was never told")
    return wrong[:6]


def _same(told: float | None, was: float | None) -> bool:
    return told is not None and was is not None and abs(told - was) <= SAME_CUFF


def _disturbed(record: Record, from_ms: float, to_ms: float) -> bool:
    """Whether a fault, or what came of it, lies in this time."""
    return any(
        one.at_ms - OLD_MS <= to_ms
        and (_is_refused(record.player, one) or from_ms <= _end_ms(one) + _slack_ms(record))
        for one in record.player.faults
    )


def _is_refused(player: Player, one: Fault) -> bool:
    """Whether from here on it claims to be of the future, which `mqtt-map` refuses as long as it does."""
    return one.kind == "clock_jump" and player.driver.name == "mqtt-map" and player.tells_time()


# The words say what happened.


def _words(record: Record) -> list[str]:
    wrong = []
    for one in record.player.faults:
        until_ms = _end_ms(one) + _slack_ms(record)
        moves = record.moves(one.at_ms, until_ms)
        said = "; ".join(f"{move.now.value}: {move.why}" for _, move in moves)
        notes = record.notes(one.at_ms, until_ms)
        if 4 * record.stalled_ms(until_ms, until_ms - one.at_ms) > record.player.silent_after_ms:
            continue  # the half frame before a silence may have come late, and look like the reason of it
        if not _tells(record.player, one, [move.now for _, move in moves], said, notes):
            wrong.append(f"{one.kind} is not told: {said or 'no move'}; {notes or 'no note'}")
    return wrong


def _tells(player: Player, one: Fault, states: Sequence[LinkState], said: str, notes: str) -> bool:
    """Whether the link's states and words, and the device's notes, are those of this fault."""
    transport = player.driver.transport
    is_told = player.silent_after_ms + 5_000 < 1000 * one.arg
    if one.kind == "unplug" and transport == "serial":
        return LinkState.DOWN in states and "is the cable plugged in?" in said
    if one.kind == "unplug" and is_told:
        return any(words in said for words in ("offline", "has hung up", "nothing arrives"))
    if one.kind in DEAF and is_told:
        silent = {
            "serial": "nothing arrives",
            "mqtt": "nothing arrives",
            "mllp": "is connected and sends nothing",
        }
        return LinkState.SILENT in states and silent[transport] in said
    if one.kind == "repeat" and player.stamps() and is_told:
        return Lie.FROZEN.value in notes or LinkState.SILENT in states
    return True


def _figures(record: Record) -> str:
    """One line of what happened to one device."""
    ends = [one.at_ms for one in record.player.faults[1:]] + [record.end_ms]
    again = [
        record.up_again_s(_end_ms(one), before_ms - 1)
        for one, before_ms in zip(record.player.faults, ends, strict=True)
    ]
    slowest = max((s for s in again if s is not None), default=0.0)
    told = f"{sum(1 for _ in record.live())} live values, {sum(1 for _ in record.cuffs())} pressures"
    return f"{record.player.name:32} {told}, up again after {slowest:.1f} s at most"

"""`ports --probe` on real terminals: each twin is known by its bytes, and no word of ours starts a cuff."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.devices import probe as probing
from monitor.devices.codecs import DRIVERS, masimo_ascii1
from monitor.devices.driver import Driver, Leaving, SerialSettings
from monitor.devices.links.link import TAKEN
from monitor.devices.links.serial import open_serial
from monitor.devices.probe import Outcome, Probed, probe
from simulators.patient import MINUTE_MS
from simulators.play import SERIAL, Network, Part, PatientOf, patient_of, play, twin_of
from tests.shells.attended import idle
from tests.shells.conftest import Cable, until
from tests.whole.twins import Witness

pytestmark = pytest.mark.real

SERIAL_DRIVERS = [DRIVERS[name] for name in SERIAL]
POLLED = [driver for driver in SERIAL_DRIVERS if driver.polled]
STARTERS = [driver for driver in SERIAL_DRIVERS if driver.starts_cuff]
LINES = sorted({driver.settings for driver in SERIAL_DRIVERS}, key=str)

SPEED = 20.0
LISTEN_S = 0.4
"""Eight seconds of a twin at this speed."""
ASK_S = 3.0
"""A decoder asks by the real clock: the slowest needs three answers, a second apart."""


def _put_on(patient: Witness, since_ms: int) -> list[int]:
    """When cuffs were put on; a monitor may hold an older reading of its own."""
    return [at_ms for at_ms, _ in patient.cuffs if at_ms >= since_ms]


@contextlib.asynccontextmanager
async def playing(
    folder: Path, *drivers: str, patient_of: PatientOf = patient_of
) -> AsyncIterator[dict[str, str]]:
    """Twins on terminals."""
    network = Network(SPEED)
    parts = [Part(driver=name, link=f"pty:{folder / name}", options=idle(name)) for name in drivers]
    stage = asyncio.create_task(play(parts, network, lambda _part, _where: None, patient_of))
    await asyncio.sleep(0)
    network.begin()
    await until(lambda: all((folder / name).is_symlink() for name in drivers) or stage.done())
    try:
        yield {name: str(folder / name) for name in drivers}
    finally:
        stage.cancel()
        await asyncio.wait([stage])


async def _probe(port: str, drivers: Iterable[Driver] = SERIAL_DRIVERS) -> Probed:
    return await probe(port, drivers, listen_s=LISTEN_S, ask_s=ASK_S)


# Who it is.


async def test_every_twin_is_known_as_itself_and_no_cuff_is_put_on(tmp_path: Path) -> None:
    patients: list[Witness] = []

    def witness(scenario: str, bed: int, seed: int) -> Witness:
        patients.append(Witness(scenario, bed, seed))
        return patients[-1]

    async with playing(tmp_path, *SERIAL, patient_of=witness) as ports:
        found = await asyncio.gather(*(_probe(port) for port in ports.values()))
    known = {name: (one.drivers, one.asked) for name, one in zip(SERIAL, found, strict=True)}
    wanted = {name: ((name,), not _talks(DRIVERS[name])) for name in SERIAL}
    assert known == wanted, [one.why for one in found]
    for name, one in zip(SERIAL, found, strict=True):
        assert one.outcome is Outcome.KNOWN
        assert DRIVERS[name].title in one.why
        assert one.heard is not None
        assert one.heard[one.settings] > 0
    for name, patient in zip(SERIAL, patients, strict=True):
        assert not DRIVERS[name].starts_cuff or not _put_on(
            patient, round(patient.story.start_min * MINUTE_MS)
        ), name


def _talks(driver: Driver) -> bool:
    """Whether its twin says anything without being asked."""
    twin = twin_of(driver.name)(Witness("N0", 1, 1), 1, idle(driver.name))
    sent = [t_ms for t_ms in range(0, 60_000, 250) if twin.tick(t_ms)]
    return bool(sent) and sent[-1] >= 30_000  # a word at power-up is gone before anybody listens


async def test_who_speaks_alike_at_two_speeds_is_looked_for_at_each(cable: Cable) -> None:
    said: list[str] = []
    found = await probe(cable.name, SERIAL_DRIVERS, listen_s=0.01, ask_s=0.01, say=said.append)
    assert (found.outcome, found.why, found.heard) == (Outcome.SILENT, probing.SILENT, None)
    for driver in SERIAL_DRIVERS:
        for baud in (driver.settings.baud, *driver.bauds):
            assert any(f": listening, {baud} 8" in line for line in said), driver.name
        assert any(f": asking for {driver.title}, " in line for line in said) == driver.polled
    first_question = next(place for place, line in enumerate(said) if ": asking for" in line)
    assert not any(": listening" in line for line in said[first_question:])


async def test_only_who_must_be_asked_is_asked_and_only_where_nobody_is_known(cable: Cable) -> None:
    line = masimo_ascii1.encode("11/22/26 10:00:07", 97, 72, 3)
    probed = asyncio.create_task(_probe(cable.name))
    while not probed.done():
        await cable.send(line)
        await asyncio.wait({probed}, timeout=0.05)
    found = probed.result()
    assert (found.drivers, found.asked, found.settings) == (("masimo-ascii1",), False, "9600 8N1")
    assert "lines with a clock and SPO2=: Masimo ASCII 1" in found.why
    assert _written(cable) == b""


async def test_bytes_that_nobody_knows_are_shown_with_what_to_check(cable: Cable) -> None:
    probed = asyncio.create_task(probe(cable.name, SERIAL_DRIVERS, listen_s=0.05, ask_s=0.05))
    while not probed.done():
        await cable.send(bytes(range(0x41, 0x5A)))
        await asyncio.wait({probed}, timeout=0.01)
    found = probed.result()
    assert found.outcome is Outcome.UNKNOWN
    assert "at 9600 8N1" in found.why
    assert "41 42 43" in found.why
    assert "check the speed" in found.why


async def test_a_plug_that_brings_our_own_words_back_is_no_monitor(cable: Cable) -> None:
    probed = asyncio.create_task(probe(cable.name, SERIAL_DRIVERS, listen_s=0.02, ask_s=0.3))
    asked = b""
    while not probed.done():
        if words := _written(cable):
            asked += words
            await cable.send(words)
        await asyncio.wait({probed}, timeout=0.005)
    assert asked
    assert (probed.result().outcome, probed.result().why) == (Outcome.SILENT, probing.ECHO)


async def test_a_port_that_is_being_read_is_said_so_and_left_alone(cable: Cable) -> None:
    service = await open_serial(cable.name, masimo_ascii1.DRIVER.settings)
    found = await _probe(cable.name)
    assert (found.outcome, found.drivers) == (Outcome.IN_USE, ())
    assert found.why.startswith(TAKEN)
    await cable.send(b"still here")
    assert await service.read() == b"still here"
    assert _written(cable) == b""
    await service.close()


async def test_a_port_that_is_not_there_is_said_so() -> None:
    found = await _probe("/dev/ttyNONE")
    assert found.outcome is Outcome.LOST
    assert found.why == "/dev/ttyNONE is not there: is the cable plugged in?"


def _written(cable: Cable) -> bytes:
    """What has been written to the device."""
    with contextlib.suppress(BlockingIOError, OSError):
        return os.read(cable.fileno(), 4096)
    return b""


# What is said to whoever is there.


def _words(driver: Driver) -> list[bytes]:
    """All that a probe writes to a line on which nobody answers, and to one on which the device does."""
    if driver.question:
        return [driver.question]
    said = []
    for twin in (None, twin_of(driver.name)(Witness("N0", 1, 1), 1, idle(driver.name))):
        decoder: Any = driver.decoder({})
        for t_ms in range(0, round(1000 * probing.ASK_S) + 50, 50):
            decoder.tick(t_ms)
            decoder.feed(twin.tick(t_ms) if twin is not None else b"")
            if words := decoder.to_send():
                said.append(words)
                decoder.feed(twin.hear(words, t_ms) if twin is not None else b"")
        said += decoder.farewell() if isinstance(decoder, Leaving) else ()
    return said


def _starts(driver: Driver) -> list[bytes]:
    """The words with which a cuff is started by its decoder, and that they do start its twin's."""
    patient = Witness("N0", 1, 1)
    twin, decoder = twin_of(driver.name)(patient, 1, idle(driver.name)), driver.decoder({})
    before: set[bytes] = set()
    after: list[bytes] = []
    for t_ms in range(0, 60_000, 50):
        decoder.tick(t_ms)
        decoder.feed(twin.tick(t_ms))
        if t_ms == 20_000:
            assert decoder.start_cuff() is None
        if words := decoder.to_send():
            if t_ms < 20_000:
                before.add(words)
            elif not _put_on(patient, 0) and words not in before:
                after.append(words)
            decoder.feed(twin.hear(words, t_ms))
    assert len(_put_on(patient, 0)) == 1
    assert after
    return after


def _as_heard(data: bytes, spoken: SerialSettings, heard: SerialSettings) -> bytes:
    """What a device makes of words at another speed: each byte sampled in the middle of its own bits."""
    levels: list[int] = [1] * 12
    for byte in data:
        bits = [byte >> place & 1 for place in range(8)]
        parity = {"N": [], "E": [sum(bits) & 1], "O": [~sum(bits) & 1]}[spoken.parity]
        levels += [0, *bits, *parity, 1]
    levels += [1] * 40

    def level(at: float) -> int:
        return levels[int(at)] if at < len(levels) else 1

    step = spoken.baud / heard.baud
    taken, at = bytearray(), 0.0
    while at < len(levels):
        if level(at):
            at += step / 16
            continue
        if level(at + step / 2):  # a spike, and no start bit
            at += step / 2
            continue
        taken.append(sum(level(at + step * (place + 1.5)) << place for place in range(8)))
        at += step * (9.5 + (heard.parity != "N"))
        while at < len(levels) and not level(at):
            at += step / 16
    return bytes(taken)


def test_the_model_of_a_line_hears_what_is_said_at_its_own_speed() -> None:
    everything = bytes(range(256))
    for line in LINES:
        assert _as_heard(everything, line, line) == everything
        assert _as_heard(everything, line, replace(line, baud=line.baud * 2)) != everything


@pytest.mark.parametrize("starter", STARTERS, ids=lambda driver: driver.name)
def test_nothing_that_a_probe_says_starts_a_cuff_of_any_device_at_any_speed(starter: Driver) -> None:
    starts = _starts(starter)
    patient = Witness("N0", 1, 2)
    twin = twin_of(starter.name)(patient, 2, idle(starter.name))
    t_ms = 0
    for asked in POLLED:
        spoken = _words(asked)
        assert spoken, asked.name
        for words in (*spoken, b"".join(spoken)):
            garbled = [_as_heard(words, asked.settings, line) for line in LINES]
            for heard in (words, *garbled):
                assert not any(start in heard for start in starts), (asked.name, heard)
                twin.hear(heard, t_ms)
                for later_ms in range(0, 4_000, 1_000):
                    twin.tick(t_ms + later_ms)
                assert not _put_on(patient, t_ms), (asked.name, heard)
                t_ms += 4_000


# The command.


def _command(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def test_the_command_says_a_line_a_port_and_the_same_as_json(tmp_path: Path) -> None:
    async with playing(tmp_path, "masimo-ascii1", "nonin-df2") as ports:
        one, other = ports.values()
        code, said, complaint = await asyncio.to_thread(_command, "ports", "--probe", one, other)
        assert (code, complaint) == (0, "")
        first, second = said.splitlines()
        assert first.startswith(f"{one}  masimo-ascii1  lines with a clock and SPO2=: Masimo ASCII 1 (")
        assert second.startswith(f"{other}  nonin-df2  ")
        code, said, complaint = await asyncio.to_thread(_command, "ports", "--probe", "--json", other)
    (row,) = json.loads(said)
    assert (code, complaint, row["port"]) == (0, "", other)
    assert (row["outcome"], row["drivers"], row["settings"]) == ("known", ["nonin-df2"], "9600 8N1")


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (("ports", "/dev/ttyS0"), 2, "a port is named only with --probe"),
        (("ports", "--probe", "mqtt://host/topic"), 2, "a serial link is a path"),
    ],
)
def test_what_cannot_be_probed_is_answered_in_one_line(asked: tuple[str, ...], code: int, says: str) -> None:
    exit_code, said, complaint = _command(*asked)
    assert (exit_code, said, complaint.count("\n")) == (code, "", 1)
    assert says in complaint


def test_a_port_that_cannot_be_opened_is_a_line_and_exit_3() -> None:
    code, said, _ = _command("ports", "--probe", "/dev/ttyNONE")
    assert code == 3
    assert said == "/dev/ttyNONE  -  /dev/ttyNONE is not there: is the cable plugged in?\n"

"""What seems to speak on a serial port: it is listened to first, and asked only if nobody is known by that.

Listening changes nothing. Asked are only devices that never speak by themselves, each at its own line
setting, and with words after which nothing happens but an answer: none of them starts a cuff of any device in
the catalogue, whichever of them is there (a test holds every word against every device). A port that somebody
else reads is locked, and is not touched.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from monitor.devices.driver import Driver, SerialSettings, line_of
from monitor.devices.farewell import let_go
from monitor.devices.links.link import TAKEN, Link, LinkLost, Say, silent
from monitor.devices.links.serial import open_serial

LISTEN_S = 4.5
"""The slowest that speaks by itself prints a line every 2 s: two of them, and what a cut begins with."""
ASK_S = 5.0
"""A device answers within 3 s, or sends its first record then; two tries of the slowest decoder."""
ASK_AGAIN_S = 1.0
KEPT_BYTES = 8_192
SHOWN_BYTES = 16
LOOK_S = 0.05
"""How often a decoder that asks is given its time."""

SILENT = (
    "nothing is heard and nothing answers: is the monitor on, is its serial output set to a protocol of "
    "docs/devices, and is it a null-modem cable where one is needed?"
)
UNKNOWN = "which no driver knows: check the speed and the protocol in the monitor's own menu"
ECHO = "only our own words come back: are two wires joined, or is nothing behind the adapter?"
LEFT_ALONE = f"{TAKEN}, such as the running service: left alone"


class Outcome(StrEnum):
    """How a probe has ended."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    SILENT = "silent"
    IN_USE = "in use"
    LOST = "cannot be opened"


@dataclass(frozen=True, slots=True)
class Probed:
    """What one port has shown."""

    port: str
    outcome: Outcome
    why: str
    drivers: tuple[str, ...] = ()
    """The drivers that know what was heard: one, unless two devices speak alike."""
    settings: str = ""
    """How the line was set when they knew it: "9600 8N1"."""
    asked: bool = False
    """It speaks only when it is asked."""
    heard: dict[str, int] | None = None
    """Bytes by line setting, where there were any."""


@dataclass(frozen=True, slots=True)
class _Heard:
    at: str
    """How the line was set."""
    data: bytes
    known: tuple[Driver, ...]


async def probe(
    port: str,
    drivers: Iterable[Driver],
    *,
    listen_s: float = LISTEN_S,
    ask_s: float = ASK_S,
    say: Say = silent,
) -> Probed:
    """Which driver seems to speak on this path or URL; `say` hears what is being tried.

    Takes at most `listen_s` a line setting and `ask_s` a device that must be asked. Raises ValueError for a
    URL that is no serial link.
    """
    serial = [driver for driver in drivers if driver.transport == "serial" and driver.looks_like is not None]
    heard: list[_Heard] = []
    echoes = False
    try:
        for line, candidates in _lines(port, serial):
            say(f"{port}: listening, {_at(port, line)}")
            one = await _listen(port, line, candidates, listen_s)
            if one.known:
                return _known(port, one, asked=False)
            heard.append(one)
        for driver in serial:
            if driver.polled:
                say(f"{port}: asking for {driver.title or driver.name}, {_at(port, driver.settings)}")
                one, echoed = await _ask(port, driver, ask_s)
                if one.known:
                    return _known(port, one, asked=True)
                heard.append(one)
                echoes = echoes or echoed
    except LinkLost as lost:
        if str(lost).endswith(TAKEN):
            return Probed(port, Outcome.IN_USE, LEFT_ALONE)
        return Probed(port, Outcome.LOST, str(lost))
    return _nobody(port, heard, echoes=echoes)


def _lines(port: str, drivers: Sequence[Driver]) -> Iterator[tuple[SerialSettings, list[Driver]]]:
    """Every setting at which some device speaks, those of the factories first, each with who might."""
    if port.startswith("socket://"):
        yield SerialSettings(), list(drivers)  # the server sets the line, whatever is asked for
        return
    by_line: dict[SerialSettings, list[Driver]] = {}
    for driver in drivers:
        by_line.setdefault(_heard_at(driver.settings), []).append(driver)
    for driver in drivers:
        for baud in driver.bauds:
            by_line.setdefault(_heard_at(line_of(driver, {"baud": baud})), []).append(driver)
    yield from by_line.items()


def _at(port: str, line: SerialSettings) -> str:
    return "as the serial server is set" if port.startswith("socket://") else str(line)


def _heard_at(line: SerialSettings) -> SerialSettings:
    """The same, whoever holds the line: a listener writes nothing that could be held."""
    return replace(line, rtscts=False)


async def _listen(port: str, line: SerialSettings, candidates: Sequence[Driver], seconds: float) -> _Heard:
    """What comes by itself, until somebody knows it."""
    link = await open_serial(port, line)
    data = b""
    known: tuple[Driver, ...] = ()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not known and (more := await link.read()):
                    data = (data + more)[-KEPT_BYTES:]
                    known = _who(data, candidates)
    finally:
        await _leave(link)
    return _Heard(_at(port, line), data, known)


async def _ask(port: str, driver: Driver, seconds: float) -> tuple[_Heard, bool]:
    """What comes when this device is asked, until it is known; and whether our words came back."""
    link = await open_serial(port, driver.settings)
    decoder: Any = None if driver.question else driver.decoder({})
    words = _again_and_again(driver.question) if decoder is None else _as_it_asks(decoder)
    heard, written = b"", set[bytes]()
    known: tuple[Driver, ...] = ()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not known:
                    if question := words():
                        await link.write(question)
                        written.add(question)
                    more = b""
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            if not (more := await link.read()):
                                break
                    heard = (heard + more)[-KEPT_BYTES:]
                    known = _who(_without(heard, written), [driver])
                    if decoder is not None:
                        decoder.feed(more)
    finally:
        await _leave(link, decoder)
    answer = _without(heard, written)
    return _Heard(_at(port, driver.settings), answer, known), answer != heard


def _without(heard: bytes, written: Iterable[bytes]) -> bytes:
    """What a cable brings back of our own words is nobody's answer."""
    for words in written:
        heard = heard.replace(words, b"")
    return heard


def _again_and_again(question: bytes) -> Callable[[], bytes]:
    """What to write next, now and then: the harmless question."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()

    def ask_again() -> bytes:
        nonlocal due_s
        if loop.time() < due_s:
            return b""
        due_s = loop.time() + ASK_AGAIN_S
        return question

    return ask_again


def _as_it_asks(decoder: Any) -> Callable[[], bytes]:
    """What to write next, now and then: what the decoder itself begins with."""
    loop = asyncio.get_running_loop()

    def go_on() -> bytes:
        decoder.tick(round(loop.time() * 1000))
        question: bytes = decoder.to_send()
        return question

    return go_on


def _who(data: bytes, candidates: Iterable[Driver]) -> tuple[Driver, ...]:
    return tuple(driver for driver in candidates if driver.looks_like is not None and driver.looks_like(data))


async def _leave(link: Link, decoder: object = None) -> None:
    """Close the link; what a decoder has begun by asking is ended before."""
    with contextlib.suppress(LinkLost):
        await let_go(link, decoder)


def _known(port: str, one: _Heard, *, asked: bool) -> Probed:
    guesses = [
        f"{driver.known_by or 'what only this one sends'}: {driver.title or driver.name}"
        for driver in one.known
    ]
    how = "it answers when it is asked" if asked else "it speaks by itself"
    why = f"{', or '.join(guesses)} ({how}, {one.at}, {len(one.data)} bytes)"
    names = tuple(driver.name for driver in one.known)
    return Probed(port, Outcome.KNOWN, why, names, one.at, asked, {one.at: len(one.data)})


def _nobody(port: str, heard: Sequence[_Heard], *, echoes: bool) -> Probed:
    counts: dict[str, int] = {}
    for one in heard:
        if one.data:
            counts[one.at] = counts.get(one.at, 0) + len(one.data)
    if not counts:
        return Probed(port, Outcome.SILENT, ECHO if echoes else SILENT)
    told = ", ".join(f"{count} bytes at {line}" for line, count in counts.items())
    first = next(one.data for one in heard if one.data)[:SHOWN_BYTES].hex(" ")
    return Probed(port, Outcome.UNKNOWN, f"{told} ({first}), {UNKNOWN}", heard=counts)

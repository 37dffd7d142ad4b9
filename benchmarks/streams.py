"""What each device of the catalogue says in a session: its twin's bytes, led and heard by its own decoder.

A device that must be asked is asked, and a cuff that can be started from here never rests: this is the
fastest each of them talks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver
from monitor.model import Fault
from simulators.patient import MINUTE_MS
from simulators.play import patient_of, twin_of
from simulators.twin import HostClock, Message

MESSAGES = 1_200
BYTES = 200_000
"""A session ends at whichever of the two comes first."""
LOST_MAX = 0.01
"""The share of its bytes that a device's own decoder may find fault with: above it, noise is measured."""
SCENARIO, SEED = "N0-ESK", 4  # an ordinary session: the device says its numbers, not why it has none
BEGIN_MS = 20 * MINUTE_MS
EPOCH_MS = 1_780_000_000_000
STEP_MS = 10  # a decoder that is due at once, again and again, does not stop the clock
START_EVERY_MS = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a device says something at its fastest, and who says so."""

    per_s: float
    source: str
    frame: int | None = None
    """The bytes of a message where all have as many: its twin gives several of them at once."""
    twin: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


# From the fact sheets; where none tells, the source says what is assumed.
PACES: dict[str, Pace] = {
    "masimo-ascii1": Pace(1, "a line a second"),
    "nellcor-ascii": Pace(0.5, "a line every 2 s"),
    "dinamap": Pace(4, "four questions a second"),
    "datex-dri": Pace(0.2, "displayed values every 5 s"),
    "intellivue": Pace(1, "numerics every second, every other time with alarms", twin={"modules": True}),
    "nonin-df2": Pace(75, "75 frames a second, three packets", frame=5),
    "hl7-pcd01": Pace(1, "assumed: a report a second"),
    "contec-cms50": Pace(60, "60 packets a second", frame=9),
    "suntech": Pace(5, "asked every 200 ms of a running cuff"),
    "capnostream": Pace(20, "20 samples a second, one of them with the numbers"),
    "ivy-ansarb": Pace(1, "a message a second"),
    "dinamap-pro1000": Pace(50, "50 blocks a second", frame=18),
    "par-nibp": Pace(
        5, "several words a second of a running cuff", twin={"board": "combo"}, options={"board": "combo"}
    ),
    "and-tm2655p": Pace(0.2, "assumed: an answer and a result every 10 s"),
    "and-ua767pc": Pace(0.3, "assumed: two answers and a result every 10 s"),
    "mqtt-native": Pace(1, "a message a second at most", twin={"lossy": False}),
    "mqtt-map": Pace(1, "assumed: a message a second", twin={"shape": "envelope"}),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant at which the decoder is called, and what has arrived by then."""

    at_ms: int
    heard: tuple[bytes, ...] = ()
    topics: tuple[str, ...] = ()
    """Of messages on a broker: the topic of each."""
    starts: bool = False
    """Whether somebody starts the cuff then."""


@dataclass(frozen=True, slots=True)
class Session:
    """All that one device says until it has said enough."""

    driver: Driver
    pace: Pace
    moments: tuple[Moment, ...]

    @property
    def messages(self) -> list[bytes]:
        """What was said, one after the other."""
        return [one for moment in self.moments for one in moment.heard]

    def decoder(self) -> Any:
        """A fresh decoder for this device."""
        return self.driver.decoder(self.pace.options)


def session(name: str) -> Session:
    """The session of one device. ValueError where its own decoder does not understand it."""
    driver, pace = DRIVERS[name], PACES[name]
    play = _published(driver, pace) if driver.transport == "mqtt" else _sent(driver, pace)
    moments: list[Moment] = []
    messages = size = lost = 0
    for moment, said in play:
        moments.append(moment)
        messages += len(moment.heard)
        size += sum(map(len, moment.heard))
        lost += sum(one.dropped for one in said if isinstance(one, Fault))
        if messages >= MESSAGES or size >= BYTES:
            break
    if lost > LOST_MAX * size:
        raise ValueError(f"{name} does not understand its own twin: {lost} of {size} bytes are lost")
    return Session(driver, pace, tuple(moments))


def _sent(driver: Driver, pace: Pace) -> Iterator[tuple[Moment, list[Any]]]:
    decoder = driver.decoder(pace.options)
    twin = twin_of(driver.name)(patient_of(SCENARIO, 1, SEED), SEED, pace.twin)
    now_ms, start_ms = BEGIN_MS, BEGIN_MS
    while True:
        sent = twin.tick(now_ms)
        due_ms = [twin.due_ms()]
        if driver.polled:
            decoder.tick(now_ms)
            if asked := decoder.to_send():
                sent += twin.hear(asked, now_ms)
        heard = tuple(_frames(sent, pace.frame))
        said = list(itertools.chain.from_iterable(map(decoder.feed, heard)))
        starts = driver.starts_cuff and now_ms >= start_ms
        if starts:
            decoder.start_cuff()
            start_ms = now_ms + START_EVERY_MS
        yield Moment(now_ms, heard, starts=starts), said
        due_ms += [decoder.due_ms()] if driver.polled else []
        due_ms += [start_ms] if driver.starts_cuff else []
        now_ms = max(now_ms + STEP_MS, min(due_ms))


def _frames(sent: bytes, frame: int | None) -> Iterator[bytes]:
    size = frame or max(1, len(sent))
    return (sent[at : at + size] for at in range(0, len(sent), size))


def _published(driver: Driver, pace: Pace) -> Iterator[tuple[Moment, list[Any]]]:
    decoder, host = driver.decoder(pace.options), HostClock(EPOCH_MS)
    twin = twin_of(driver.name)(patient_of(SCENARIO, 1, SEED), SEED, pace.twin, host=host)
    now_ms = BEGIN_MS
    while True:
        messages: list[Message] = twin.tick(now_ms)
        at_ms = host.at_ms(now_ms)
        said = [
            one
            for message in messages
            for one in decoder.message(message.topic, message.payload, retained=False, at_ms=at_ms)
        ]
        heard, topics = tuple(one.payload for one in messages), tuple(one.topic for one in messages)
        yield Moment(at_ms, heard, topics), said
        now_ms = max(now_ms + STEP_MS, twin.due_ms())

"""Decoding: how much of a core forty devices take, line noise, and each driver fed byte by byte.

Every driver reads the session of its twin. One row a driver says all its figures; the goals stand below, each
for the driver that is furthest from it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Row, alone, amount, at_most, pair, plain
from benchmarks.streams import Session, session
from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver

CHUNK = 64  # what a serial port hands over at a time
BITS_PER_BYTE = 10  # 8N1: the most bytes that a speed allows

DEVICES = 40
DEVICES_SHARE_MAX = 2.0  # % of a core
NOISE_SHARE_MAX = 20.0  # % of a core at full baud (fault F22)
GROWTH_MAX = 1.3
TIMES = 4  # so much more, byte by byte, may cost no more per byte than `GROWTH_MAX`

NOISE_BYTES = 60_000
BYTE_BY_BYTE = 16_000
PAIRS = 5
CORE = "% of a core"

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one driver costs. Shares are per cent of one core; None where it has no line of its own."""

    name: str
    messages_per_s: float
    mb_per_s: float
    forty: float
    noise: float | None
    growth_noise: float | None
    growth_frames: float | None
    worst_noise: str = ""


def rows() -> list[Row]:
    """A row for each driver, and one for each goal."""
    noise = random.Random(1).randbytes(NOISE_BYTES)  # noqa: S311  the same noise every time
    figures = [_figures(session(name), noise) for name in DRIVERS]
    mixed = [figures[place % len(figures)].forty / DEVICES for place in range(DEVICES)]
    per_byte = f"{TIMES} times as much, byte by byte, per byte"
    return [
        *map(_row, figures),
        _worst("line noise at full baud", NOISE_SHARE_MAX, CORE, {one.name: one.noise for one in figures}),
        _worst(f"noise: {per_byte}", GROWTH_MAX, "x", {one.name: one.growth_noise for one in figures}),
        _worst(f"frames: {per_byte}", GROWTH_MAX, "x", {one.name: one.growth_frames for one in figures}),
        _worst(
            f"{DEVICES} devices at their fastest real rate",
            DEVICES_SHARE_MAX,
            CORE,
            {one.name: one.forty for one in figures},
        ),
        at_most(
            f"{DEVICES} devices at their fastest real rate: mixed",
            sum(mixed),
            DEVICES_SHARE_MAX,
            CORE,
            f"{len(figures)} drivers in turn",
        ),
    ]


def _worst(metric: str, goal: float, unit: str, figures: Mapping[str, float | None]) -> Row:
    """The driver that is furthest from a goal; every other one that misses it stands in the note."""
    found = {name: figure for name, figure in figures.items() if figure is not None}
    first, *others = sorted(found, key=lambda name: -found[name])
    missed = [f"{name} {amount(found[name], unit)}" for name in others if found[name] > goal]
    return at_most(f"{metric}: the worst driver", found[first], goal, unit, ", ".join([first, *missed]))


def _row(one: Figures) -> Row:
    parts = [f"{one.messages_per_s:,.0f} messages/s", f"{DEVICES} devices {amount(one.forty, '%')}"]
    if one.noise is not None:
        parts.append(f"noise {amount(one.noise, '%')}")
    if one.growth_noise is not None and one.growth_frames is not None:
        parts.append(f"byte by byte x{one.growth_noise:.2f} ({one.worst_noise}), x{one.growth_frames:.2f}")
    return plain(one.name, one.mb_per_s, "MB/s", "; ".join(parts))


def _figures(told: Session, noise: bytes) -> Figures:
    messages = told.messages
    cost_s = alone(_hearing(told), times=PAIRS)
    live_s = alone(_living(told), times=PAIRS) / len(messages)
    size = sum(map(len, messages))
    forty = DEVICES * told.pace.per_s * live_s * 100
    speeds = len(messages) / cost_s, size / cost_s / 1e6
    if told.driver.transport == "mqtt":
        return Figures(told.driver.name, *speeds, forty, None, None, None)
    noises = {
        "zeros": bytes(BYTE_BY_BYTE),
        "random": noise[:BYTE_BY_BYTE],
        # What begins like a frame and is none is what a decoder may look at again and again.
        "torn frames": _much(one[: max(1, len(one) // 2)] for one in messages),
        "frames without their last byte": _much(one[:-1] for one in messages),
    }
    growths = {kind: _growth(told, data) for kind, data in noises.items()}
    worst = max(growths, key=lambda kind: growths[kind])
    share = None
    if told.driver.transport == "serial":
        per_byte_s = alone(_feeding(told, noise, CHUNK), times=PAIRS) / len(noise)
        share = per_byte_s * _full_baud(told.driver) / BITS_PER_BYTE * 100
    return Figures(
        told.driver.name, *speeds, forty, share, growths[worst], _growth(told, _much(messages)), worst
    )


def _full_baud(driver: Driver) -> int:
    return max(driver.settings.baud, *driver.bauds, 0)


def _much(pieces: Iterable[bytes]) -> bytes:
    """Enough of these pieces, over again if they are few."""
    once = b"".join(pieces)
    return (once * (BYTE_BY_BYTE // len(once) + 1))[:BYTE_BY_BYTE]


def _growth(told: Session, data: bytes) -> float:
    """What a byte costs in four times as much data, over what it costs in these, fed byte by byte."""
    more, once = _feeding(told, data * TIMES, 1), _feeding(told, data, 1)
    return pair(more, once, pairs=PAIRS).ratio / TIMES


def _hearing(told: Session) -> Job:
    """The job of reading all that was said, as a port or a broker hands it over."""
    if told.driver.transport == "mqtt":
        return _living(told)
    return _feeding(told, b"".join(told.messages), CHUNK)


def _feeding(told: Session, stream: bytes, size: int) -> Job:
    """The job of reading a stream in pieces of `size` bytes."""
    return _reading(told, [stream[at : at + size] for at in range(0, len(stream), size)])


def _reading(told: Session, pieces: Sequence[bytes]) -> Job:
    def read() -> None:
        feed = told.decoder().feed
        for piece in pieces:
            feed(piece)

    return read


def _living(told: Session) -> Job:
    """The job of living through a session: its messages in the pieces they come in, and its questions."""
    if told.driver.transport == "mqtt":

        def hear() -> None:
            message = told.decoder().message
            for moment in told.moments:
                for topic, payload in zip(moment.topics, moment.heard, strict=True):
                    message(topic, payload, retained=False, at_ms=moment.at_ms)

        return hear
    pieces = [
        [one[at : at + CHUNK] for one in moment.heard for at in range(0, len(one), CHUNK)]
        for moment in told.moments
    ]

    def live() -> None:
        decoder = told.decoder()
        for moment, heard in zip(told.moments, pieces, strict=True):
            if told.driver.polled:
                decoder.tick(moment.at_ms)
                decoder.to_send()
            for piece in heard:
                decoder.feed(piece)
            if moment.starts:
                decoder.start_cuff()

    return live

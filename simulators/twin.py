"""What every twin of a device has in common: its rhythm, its own clock, and the options it knows.

A twin is pure: it is told the time and gives bytes. It speaks by the codec's own encoders, so what is
simulated here is the device's behaviour (states, quirks, timing), never a second copy of its format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, runtime_checkable

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

CATCH_UP_MS = 10_000
"""A twin that was not called for longer (the machine slept) goes on from now instead of telling it all."""


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class SerialTwin(Protocol):
    """A device on a line. One that is asked answers through `hear`; the others never listen."""

    def due_ms(self) -> int:
        """When `tick` wants to be called next."""
        ...

    def tick(self, t_ms: int) -> bytes:
        """What the device has sent by now and not given yet."""
        ...

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """What the device answers to these bytes."""
        ...


class MessageTwin(Protocol):
    """A device, or its bridge, on a broker."""

    def due_ms(self) -> int:
        """When `tick` wants to be called next."""
        ...

    def tick(self, t_ms: int) -> list[Message]:
        """What has been published by now and not given yet."""
        ...

    def will(self) -> Message:
        """What the broker shall publish when the connection that is made now breaks."""
        ...

    def born(self) -> list[Message]:
        """What is published once it has been made."""
        ...


@runtime_checkable
class CommandedTwin(Protocol):
    """What a twin on a broker adds that can be told something."""

    def hears(self) -> str:
        """On which topic; "" where it cannot be told after all."""
        ...

    def hear(self, topic: str, payload: bytes, t_ms: int) -> list[Message]:
        """What it publishes then."""
        ...


class HostClock:
    """The clock of a bridge that is set by the network, as the service's is. `epoch_ms` is its time at 0."""

    def __init__(self, epoch_ms: int) -> None:
        """Set it."""
        self.epoch_ms = epoch_ms

    def at_ms(self, t_ms: int) -> int:
        """Milliseconds since the Unix epoch at the patient's instant."""
        return self.epoch_ms + t_ms

    def text(self, t_ms: int) -> str:
        """The same as ISO 8601 text."""
        moment = datetime.fromtimestamp(self.at_ms(t_ms) / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Rhythm:
    """Instants at a fixed distance; `phase_ms` keeps devices from all speaking in the same millisecond."""

    def __init__(self, every_ms: int, phase_ms: int) -> None:
        """Begin at the first instant asked about."""
        self._every_ms = every_ms
        self._phase_ms = phase_ms % every_ms
        self._next_ms: int | None = None

    def due_ms(self) -> int:
        """The next instant; before the first call, at once."""
        return -(2**62) if self._next_ms is None else self._next_ms

    def passed(self, t_ms: int) -> Iterator[int]:
        """The instants up to now that have not been given yet."""
        if self._next_ms is None or t_ms - self._next_ms > CATCH_UP_MS:
            self._next_ms = t_ms + (self._phase_ms - t_ms) % self._every_ms
        while self._next_ms <= t_ms:
            at_ms = self._next_ms
            self._next_ms += self._every_ms
            yield at_ms


class DeviceClock:
    """The clock of a device: right once, years ago, and nobody's since (they drift and know no zone).

    `jumps` are (at_ms, by_ms): what somebody, or a flat battery, does to it.
    """

    def __init__(self, seed: int, jumps: Sequence[tuple[int, int]] = ()) -> None:
        """Set it by the seed: within a week of noon on 1 June 2026."""
        self._zero = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(seconds=seed * 7919 % 604_800)
        self._jumps = tuple(jumps)

    def at(self, t_ms: int) -> datetime:
        """What it shows at an instant."""
        jumped_ms = sum(by_ms for at_ms, by_ms in self._jumps if at_ms <= t_ms)
        return self._zero + timedelta(milliseconds=t_ms + jumped_ms)


def checked(device: str, options: Mapping[str, Any], known: Mapping[str, str]) -> Mapping[str, Any]:
    """The options, all of them known; an unknown one is a ValueError that names those there are."""
    for option in options:
        if option not in known:
            raise ValueError(f"{device} has no option {option!r}; there are: {', '.join(known) or 'none'}")
    return options


def cycle_of(options: Mapping[str, Any]) -> int:
    """The monitor's own cuff interval in ms, from `cycle_s`: 5 minutes unless told; 0 is none."""
    cycle_s = options.get("cycle_s", 300)
    if isinstance(cycle_s, bool) or not isinstance(cycle_s, int | float) or not 0 <= cycle_s <= 86_400:
        raise ValueError("cycle_s is a number of seconds from 0 to 86400")
    return round(1000 * cycle_s)

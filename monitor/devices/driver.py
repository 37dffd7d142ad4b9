"""What a device is: a row of data, and a decoder that turns its bytes into words. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from monitor.model import Said, Told, Vital

SILENCE_MAX_S = 24 * 3600

ONLINE, OFFLINE = "online", "offline"
"""How the `Notice` of a source begins that says whether it is there: offline is no sign of life."""


class Decoder(Protocol):
    """Bytes in by argument, meaning out by return. The caller may cut the bytes anywhere."""

    def feed(self, data: bytes) -> list[Said]:
        """Everything these bytes complete. What the wire does wrong is a `Fault`, never an exception."""
        ...

    def close(self) -> list[Said]:
        """What is left over when the stream ends: an unfinished frame is a `Fault`."""
        ...


@runtime_checkable
class ReadsCaptures(Protocol):
    """What a decoder adds that tells no reading which stood there before us: in a capture it does."""

    def captured(self) -> None:
        """What is fed from now on is a capture: nobody is shown it as live."""
        ...


class MessageDecoder(Protocol):
    """A decoder of whole messages (MQTT): the topic is part of what was said."""

    def message(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> Sequence[Told]:
        """Everything one message says; `at_ms` judges the age of a payload that carries its own time."""
        ...


@runtime_checkable
class Asking(Protocol):
    """What a decoder of messages adds that has to ask for something now and then."""

    def to_send(self) -> list[tuple[str, bytes]]:
        """Topics and payloads to publish now, once."""
        ...

    def waits_for(self) -> str:
        """Why nothing is read although messages come, in words; "" where that is not known."""
        ...

    def opened(self) -> None:
        """There is a subscription again: what was said meanwhile has been missed."""
        ...


class Polled(Protocol):
    """What a device that must be asked adds to its decoder. Time is an argument."""

    def tick(self, now_ms: int) -> None:
        """Let time pass: a due question is queued, an unanswered one is given up."""
        ...

    def due_ms(self) -> int:
        """When `tick` wants to be called next."""
        ...

    def to_send(self) -> bytes:
        """Bytes to write now, once; b"" if there are none."""
        ...

    def start_cuff(self) -> str | None:
        """Queue a cuff reading; a text is the reason why not."""
        ...

    def cancel_cuff(self) -> None:
        """Queue the end of a running cuff reading; always accepted."""
        ...


@runtime_checkable
class Leaving(Protocol):
    """What a decoder adds that has begun something at its device: it ends it where the line is let go."""

    def farewell(self) -> Sequence[bytes]:
        """The last words on this connection, once, with a pause between two; none where nothing was begun."""
        ...


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How the line is set: baud, data bits, parity (N, E, O), stop bits, and whether RTS and CTS hold it."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: int = 1
    rtscts: bool = False

    def __str__(self) -> str:
        """As a monitor's menu names it: 9600 8N1."""
        return f"{self.baud} {self.bits}{self.parity}{self.stop}"


def _no_others(_topic: str, _options: Mapping[str, Any]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Driver:
    """One supported device: what it is called, how it is wired, what it measures, how its bytes are read."""

    name: str
    models: tuple[str, ...]
    transport: str
    """"serial", "mqtt" or "mllp"."""
    decoder: Callable[[Mapping[str, Any]], Any]
    """Makes a fresh decoder from the `options` table of a `[[device]]`; raises ValueError on a bad option."""
    vitals: tuple[Vital, ...]
    vitals_by_option: Mapping[tuple[str, str], tuple[Vital, ...]] = field(default_factory=dict)
    """What it measures besides, where an option has this value."""
    settings: SerialSettings = SerialSettings()
    bauds: tuple[int, ...] = ()
    """Other speeds the device can be set to: the `baud` of its options says which."""
    parities: Mapping[int, str] = field(default_factory=dict)
    """Where the parity goes with the speed: that of each speed that has another one than `settings`."""
    cuff: bool = False
    """It measures blood pressure."""
    starts_cuff: bool = False
    """A cuff can be started from here."""
    led: bool = False
    """It has no cycle of its own: the session's interval is kept from here."""
    polled: bool = False
    silent_after_ms: int = 5_000
    """No whole frame for so long means the link is silent (the device's own rhythm, from its fact sheet)."""
    hint: str = ""
    """What a technician should check when nothing arrives."""
    looks_like: Callable[[bytes], bool] | None = None
    """Whether these raw bytes seem to come from this device: how a wrong driver on a port is named."""
    known_by: str = ""
    """What its bytes are known by, for people: "lines with a clock and SPO2="."""
    question: bytes = b""
    """What it answers to, and nothing else happens; without one, its decoder's first words are that."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Option names this driver knows, each with one line of explanation."""
    topics: Callable[[str, Mapping[str, Any]], Sequence[str]] = _no_others
    """Which topics must be heard beside that of the link, by the link's and the options."""
    remark: str = ""
    """What must be known before it is chosen: that only one source describes it."""
    title: str = ""
    """What a technician calls it: "Masimo ASCII 1"."""


def vitals_of(driver: Driver, options: Mapping[str, Any]) -> tuple[Vital, ...]:
    """What a device with these options measures."""
    more = (vitals for (name, value), vitals in driver.vitals_by_option.items() if options.get(name) == value)
    return driver.vitals + tuple(vital for vitals in more for vital in vitals)


def line_of(driver: Driver, options: Mapping[str, Any]) -> SerialSettings:
    """How the line of this device is set: as its driver says, at the speed its options say."""
    baud = options.get("baud") if driver.bauds else None
    if baud is None:
        return driver.settings
    speeds = (driver.settings.baud, *driver.bauds)
    if isinstance(baud, bool) or baud not in speeds:
        raise ValueError(f"baud of {driver.name} is one of {', '.join(map(str, speeds))}")
    return replace(driver.settings, baud=baud, parity=driver.parities.get(baud, driver.settings.parity))


def silence_ms(driver: Driver, options: Mapping[str, Any]) -> int:
    """After how long a link is silent: `silent_after_s` if the driver knows it, or the device's rhythm."""
    given = options.get("silent_after_s") if "silent_after_s" in driver.options else None
    if given is None:
        return driver.silent_after_ms
    if isinstance(given, bool) or not isinstance(given, int | float) or not 1 <= given <= SILENCE_MAX_S:
        raise ValueError(f"silent_after_s is a number of seconds, from 1 to {SILENCE_MAX_S}")
    return round(given * 1000)

"""The life of one link: connecting, up, silent, down, with the reason in words. No clock, no I/O.

The reader tells what happened (`opened`, `heard`, `refused`, `closed`) and lets time pass (`tick`); back come
the moves. Bytes are not readings: a link is up only while whole frames are understood, and what it says
otherwise is named as well as the bytes allow, down to the wrong driver on the port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import OFFLINE, Driver
from monitor.model import Fault, LinkState, Notice, Told

BACKOFF_FIRST_MS = 1_000
BACKOFF_LAST_MS = 2_400
"""A device plugged in again must give a reading within 5 s: with its jitter this is 3 s, and most speak once
a second."""

UP = LinkState.UP
KEPT_BYTES = 1_024  # enough for several frames of any device: what a silence is explained by

UNREADABLE = "bytes arrive but nothing can be read: check baud rate and the monitor's serial mode"
UNREAD = "messages arrive, but they hold nothing that is read here"


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a link; `since_ms` is when it began: for a silence, the last thing understood."""

    was: LinkState
    now: LinkState
    why: str
    since_ms: int


class Health:
    """The state of one device's link."""

    def __init__(
        self,
        driver: Driver,
        rng: Callable[[], float],
        now_ms: int,
        drivers: Iterable[Driver] = tuple(DRIVERS.values()),
        silent_after_ms: int | None = None,
        backoff_last_ms: int = BACKOFF_LAST_MS,
    ) -> None:
        """Connecting since now. `rng` gives [0, 1): the jitter that keeps forty ports from one rhythm.

        `silent_after_ms` is for a device with a rhythm of its own, such as a cuff that speaks twice an hour;
        `backoff_last_ms` for a link that is cheap to try.
        """
        self._silent_after_ms = driver.silent_after_ms if silent_after_ms is None else silent_after_ms
        self._backoff_last_ms = backoff_last_ms
        self._driver = driver
        self._rng = rng
        self._drivers = tuple(drivers)
        self._state = LinkState.CONNECTING
        self._why = "connecting"
        self._since_ms = now_ms
        self._understood_ms: int | None = None
        self._open = False
        self._listening_since_ms = now_ms
        self._retry_ms = now_ms
        self._tries = 0
        self._raw = b""
        self._raw_ms = now_ms

    @property
    def state(self) -> LinkState:
        """What the link is doing."""
        return self._state

    @property
    def why(self) -> str:
        """Why, in words."""
        return self._why

    def unread(self, now_ms: int) -> bool:
        """Whether something has come lately, since it was last understood, and was not."""
        return bool(self._raw) and not self._is_past(now_ms)

    @property
    def since_ms(self) -> int:
        """Since when."""
        return self._since_ms

    def may_open(self, now_ms: int) -> bool:
        """Whether the link is closed and its back-off is over."""
        return not self._open and now_ms >= self._retry_ms

    def due_ms(self) -> int | None:
        """When the next thing falls due: the next try of a closed link, the silence of an open one."""
        if not self._open:
            return self._retry_ms
        if self._state is LinkState.SILENT:
            return None
        return self._silent_ms()

    def opened(self, now_ms: int) -> list[Move]:
        """The port, the socket or the subscription is there; nothing has been heard on it yet."""
        self._open = True
        self._listening_since_ms = now_ms
        self._raw = b""
        return self._move(LinkState.CONNECTING, "open, waiting for the first reading", self._lost_since_ms())

    def heard(self, now_ms: int, data: bytes, said: Sequence[Told]) -> list[Move]:
        """Bytes came, and this is what the codec made of them."""
        understood = False
        for one in said:
            if isinstance(one, Notice) and one.what.startswith(OFFLINE):
                return self._move(LinkState.SILENT, f"the source says it is {one.what}", now_ms)
            understood = understood or not isinstance(one, Fault)
        if not understood:
            if data:
                self._raw, self._raw_ms = (self._raw + data)[-KEPT_BYTES:], now_ms
            return []
        self._raw = b""
        self._understood_ms = now_ms
        self._tries = 0
        if self._state is UP:
            return []
        return self._move(UP, "readings arrive", now_ms)

    def refused(self, now_ms: int, why: str) -> list[Move]:
        """The link could not be opened."""
        return self._down(now_ms, why)

    def closed(self, now_ms: int, why: str) -> list[Move]:
        """The link was open and has gone."""
        return self._down(now_ms, why)

    def tick(self, now_ms: int, seen: str = "") -> list[Move]:
        """Let time pass: an open link on which nothing is understood for too long is silent.

        `seen` is what the link itself can say of that, where it sees more than bytes.
        """
        if not self._open:
            return []
        if self._state is LinkState.SILENT:
            self._forget_past(now_ms)
            return (
                self._move(self._state, seen or self._diagnosis(), self._since_ms)
                if seen or self._raw
                else []
            )
        if now_ms >= self._silent_ms():
            self._forget_past(now_ms)
            return self._move(LinkState.SILENT, seen or self._diagnosis(), self._lost_since_ms())
        if seen and self._state is LinkState.CONNECTING:
            return self._move(self._state, seen, self._since_ms)
        return []

    def _forget_past(self, now_ms: int) -> None:
        if self._is_past(now_ms):
            self._raw = b""

    def _is_past(self, now_ms: int) -> bool:
        """The half frame at which an understood line broke does not explain the silence that follows."""
        understood_ms = self._understood_ms
        if understood_ms is None or understood_ms < self._listening_since_ms:
            return False
        share = 1 if self._state is LinkState.SILENT else 2
        return self._raw_ms < now_ms - self._silent_after_ms // share

    def _silent_ms(self) -> int:
        understood = self._understood_ms
        heard_ms = (
            self._listening_since_ms if understood is None else max(understood, self._listening_since_ms)
        )
        return heard_ms + self._silent_after_ms

    def _lost_since_ms(self) -> int:
        """When the link was last of use: opening a port again does not make a loss any younger."""
        understood = self._understood_ms
        return understood if self._state is UP and understood is not None else self._since_ms

    def _down(self, now_ms: int, why: str) -> list[Move]:
        self._open = False
        wait_ms = min(BACKOFF_FIRST_MS * 2 ** min(self._tries, 10), self._backoff_last_ms)
        self._tries += 1
        self._retry_ms = now_ms + round(wait_ms * (0.75 + 0.5 * self._rng()))
        # What was lost was lost when it was last heard; a link that falls while it is up falls now.
        since_ms = now_ms if self._state is UP else self._lost_since_ms()
        return self._move(LinkState.DOWN, why, since_ms)

    def _diagnosis(self) -> str:
        if not self._raw:
            hint = f": {self._driver.hint}" if self._driver.hint else ""
            return f"nothing arrives{hint}"
        for other in self._drivers:
            if (
                other.name != self._driver.name
                and other.looks_like is not None
                and other.looks_like(self._raw)
            ):
                return f"this looks like a {other.title}, not {self._driver.title}"
        if self._driver.looks_like is not None and self._driver.looks_like(self._raw):
            return "readings arrive damaged: check the cable"
        return UNREADABLE if self._driver.transport == "serial" else UNREAD

    def _move(self, now: LinkState, why: str, since_ms: int) -> list[Move]:
        if (now, why) == (self._state, self._why):
            return []
        move = Move(self._state, now, why, since_ms)
        self._state, self._why, self._since_ms = now, why, since_ms
        return [move]

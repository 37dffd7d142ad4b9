"""What the hosts of cuffs have in common: one command at a time, and the words for its end. No clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable

from monitor.devices.framing import Cut, Packets
from monitor.model import Cuff, Doubt, Fault, Quality, Said

NEVER_MS = 1 << 62

MEASURING, AT_REST = "cuff measuring", "cuff at rest"
"""The two notices of a cuff: each answer is one of them, and so a sign of life."""

CANCELLED = "cancelled from here"
LINE_LOST = "the line to the cuff was lost while it was measuring"
NOT_STARTED = "the cuff did not answer the start: stopped"
ALREADY_STARTED = "a cuff reading has already been started"
NO_FIT = "the pressures do not fit together"

GIVEN_UP_MS = 180_000
"""The longest a reading may take, where the device's own description does not say less."""


class Commands:
    """Commands wait in line: a pause after each, and patience with those that are answered."""

    def __init__(self, gap_ms: int, patience_ms: int, unanswered: Collection[bytes] = ()) -> None:
        """`gap_ms` is the least time between two; `unanswered` are those that nothing comes back for."""
        self._gap_ms, self._patience_ms = gap_ms, patience_ms
        self._unanswered = frozenset(unanswered)
        self._waiting: deque[bytes] = deque()
        self._now_ms = self._sent_ms = self._free_ms = 0
        self.standing: bytes | None = None
        """The command whose answer has not come yet."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing stands."""
        return self.standing is None and not self._waiting

    def put(self, *commands: bytes, after_ms: int = 0) -> None:
        """Send these next, one after the other, and the first of them not sooner than that."""
        self._waiting.extend(commands)
        self._free_ms = max(self._free_ms, self._now_ms + after_ms)

    def hurry(self, *commands: bytes, at_once: bool = False) -> None:
        """Send these instead of all that waits; `at_once`: without the pause before them."""
        self.forget()
        self._waiting.extend(commands)
        self._free_ms = self._now_ms if at_once else min(self._free_ms, self._now_ms + self._gap_ms)

    def settle(self) -> None:
        """The answer has come."""
        self.standing = None

    def forget(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
        self.standing = None

    def tick(self, now_ms: int) -> bytes | None:
        """Let time pass: the command that has been waited for too long, if there is one."""
        self._now_ms = now_ms
        if self.standing is None or now_ms - self._sent_ms < self._patience_ms:
            return None
        lost, self.standing = self.standing, None
        return lost

    def to_send(self) -> bytes:
        """The next command, if its time has come; b"" otherwise."""
        if self.standing is not None or not self._waiting or self._now_ms < self._free_ms:
            return b""
        command = self._waiting.popleft()
        self._sent_ms, self._free_ms = self._now_ms, self._now_ms + self._gap_ms
        if command not in self._unanswered:
            self.standing = command
        return command

    def due_ms(self) -> int:
        """When the next command may go, or the patience with the one that stands ends; NEVER_MS if idle."""
        if self.standing is not None:
            return self._sent_ms + self._patience_ms
        return max(self._now_ms, self._free_ms) if self._waiting else NEVER_MS


class Answers:
    """What comes back: each packet as its words, behind what is owed from the time between."""

    def __init__(self, cut: Callable[[bytearray, int], Cut], says: Callable[[bytes], Iterable[Said]]) -> None:
        """`cut` finds the packets (see `Packets`), `says` reads one of them."""
        self._packets = Packets(cut)
        self._says = says
        self._owed: list[Said] = []

    def feed(self, data: bytes) -> list[Said]:
        """What is owed, and what the packets that these bytes complete say."""
        said, self._owed = self._owed, []
        return said + self._read(self._packets.feed(data))

    def close(self) -> list[Said]:
        """What is owed, and what is left over at the end of the stream."""
        said, self._owed = self._owed, []
        return said + self._read(self._packets.close())

    def owe(self, *said: Said) -> None:
        """To be said with the next bytes, or with none of them."""
        self._owed += said

    def give_way(self) -> None:
        """The packet that is waited for does not come: what it hid is owed."""
        self._owed += self._read(self._packets.give_way())

    def _read(self, found: Iterable[bytes | Fault]) -> list[Said]:
        said: list[Said] = []
        for one in found:
            said += [one] if isinstance(one, Fault) else self._says(one)
        return said


def failed(why: str, device_time: str | None = None) -> Cuff:
    """A reading without numbers."""
    return Cuff(None, None, quality=Quality.INVALID, why=why, device_time=device_time)


def measured(
    systolic: float | None,
    diastolic: float | None,
    mean: float | None,
    pulse: float | None,
    *,
    device_time: str | None = None,
    doubted: str | None = None,
) -> Cuff:
    """A reading, in mmHg and 1/min; without numbers where they cannot be one. `doubted` is why it is."""
    if not systolic or not diastolic:
        return failed("the cuff shows no pressures", device_time)
    if diastolic >= systolic or (mean is not None and not diastolic < mean < systolic):
        return failed(NO_FIT, device_time)
    quality, doubt = (Quality.VALID, Doubt.NONE) if doubted is None else (Quality.QUESTIONABLE, Doubt.UNUSUAL)
    return Cuff(
        systolic,
        diastolic,
        mean,
        pulse or None,
        quality=quality,
        why=doubted,
        doubt=doubt,
        device_time=device_time,
    )

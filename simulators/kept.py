"""Kept bytes played again: what a monitor once said, at the pace it was said at, and nothing invented.

Where the times were kept too (`FILE.raw.times`), they are the pace, and where the host spoke in between, it
is waited for: a monitor that must be asked answers in its order again. Without times, bytes come as fast as
the line carries them. It plays once, from when somebody listens, and is silent then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.devices.driver import SerialSettings
from monitor.devices.kept import SUFFIX, TIMES_SUFFIX, Turn, read_times
from monitor.devices.lines import read_message
from monitor.model import Fault
from simulators.scenario import ScenarioError
from simulators.twin import Message

NEVER_MS = 2**62

PIECE_MS = 50
"""Without times, so much of the line's time comes at once."""
MESSAGE_MS = 1_000
"""Between two messages of which nobody kept the times."""
WAITS_MS = 5_000
"""So long a host is waited for that has spoken here before: another one may ask less."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes at their instant; None is where the host spoke."""

    at_ms: int
    data: bytes | None


class KeptTwin:
    """A line that says again what was kept. Its time begins when it is first asked for the time."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Take the pieces, in the order of their instants."""
        self._pieces = pieces
        self._place = 0
        self._shift_ms: int | None = None
        """How far the play is behind the instants of the file."""
        self._heard = 0
        self._waits_since_ms: int | None = None

    def due_ms(self) -> int:
        """The next piece, or when the host has been waited for long enough."""
        if self._shift_ms is None:
            return -NEVER_MS
        if self._waits_since_ms is not None:
            return self._waits_since_ms + WAITS_MS
        if self._place == len(self._pieces):
            return NEVER_MS
        return self._pieces[self._place].at_ms + self._shift_ms

    def begin(self, t_ms: int, from_ms: int) -> None:
        """Play from this instant of the file, now; what was before it is left out."""
        self._shift_ms = t_ms - from_ms
        while self._place < len(self._pieces) and self._pieces[self._place].at_ms < from_ms:
            self._place += 1

    def tick(self, t_ms: int) -> bytes:
        """What has been said by now and not given yet."""
        if self._shift_ms is None:
            self.begin(t_ms, 0)
        sent = b""
        while self._place < len(self._pieces) and self.due_ms() <= t_ms:
            data = self._pieces[self._place].data
            if data is not None:
                sent += data
            elif not self._host_has_spoken(t_ms):
                break
            self._place += 1
        return sent

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """Nothing at once: that the host has spoken is counted."""
        if data:
            self._heard = min(self._heard + 1, len(self._pieces))
            self._go_on(t_ms)
        return b""

    def _host_has_spoken(self, t_ms: int) -> bool:
        """Whether the play may pass the place where it did; what follows is then as late as it was."""
        if self._heard:
            self._heard -= 1
            return True
        if self._waits_since_ms is None:
            self._waits_since_ms = self.due_ms()
        if t_ms - self._waits_since_ms < WAITS_MS:
            return False
        self._go_on(t_ms)
        return True

    def _go_on(self, t_ms: int) -> None:
        if self._waits_since_ms is not None and self._shift_ms is not None:
            self._shift_ms += max(0, t_ms - self._waits_since_ms)
            self._waits_since_ms = None


class KeptMessages:
    """Messages that are published again, each where it came from. There is no will: nobody knows it."""

    def __init__(self, messages: Sequence[tuple[int, Message]]) -> None:
        """Take the messages with their instants, which do not go back."""
        self._messages = messages
        self._place = 0
        self._shift_ms: int | None = None

    def due_ms(self) -> int:
        """The next message."""
        if self._shift_ms is None:
            return -NEVER_MS
        if self._place == len(self._messages):
            return NEVER_MS
        return self._messages[self._place][0] + self._shift_ms

    def begin(self, t_ms: int, from_ms: int) -> None:
        """Play from this instant of the file, now; what was before it is left out."""
        self._shift_ms = t_ms - from_ms
        while self._place < len(self._messages) and self._messages[self._place][0] < from_ms:
            self._place += 1

    def tick(self, t_ms: int) -> list[Message]:
        """What has been published by now and not given yet."""
        if self._shift_ms is None:
            self.begin(t_ms, 0)
        sent: list[Message] = []
        while self.due_ms() <= t_ms:
            sent.append(self._messages[self._place][1])
            self._place += 1
        return sent

    def born(self) -> list[Message]:
        """Nothing that was not kept."""
        return []

    def will(self) -> Message | None:
        """None."""
        return None


def is_kept(scenario: str) -> bool:
    """Whether this names kept bytes instead of a story."""
    return scenario.endswith(SUFFIX)


def load_pieces(path: Path, line: SerialSettings) -> list[Piece]:
    """The pieces of a file, by its times or at the pace of this line. A ScenarioError says what is wrong."""
    data, times = _bytes(path), path.with_name(path.name + TIMES_SUFFIX)
    try:
        turns = read_times(times.read_text("ascii")) if times.exists() else []
    except OSError as problem:
        raise ScenarioError(f"{times}: {problem.strerror}") from None
    except ValueError as problem:
        raise ScenarioError(f"{times}: {problem}") from None
    pieces = list(_timed(data, turns))
    told = sum(len(piece.data) for piece in pieces if piece.data is not None)
    from_ms = turns[-1].at_ms if turns else 0
    return pieces + list(_at_the_pace_of(line, data[told:], from_ms))


def load_messages(path: Path, topic: str) -> list[tuple[int, Message]]:
    """The messages of a file with their instants; those that have no topic of their own go to `topic`."""
    messages: list[tuple[int, Message]] = []
    first_ms, last_ms = None, 0
    for number, line in enumerate(_bytes(path).splitlines(), 1):
        if not line.strip():
            continue
        told = read_message(line)
        if isinstance(told, Fault):
            raise ScenarioError(f"{path}: line {number}: {told.reason}")
        where = told.topic or topic
        if not where:
            raise ScenarioError(f"{path}: line {number} has no topic: name one, mqtt://HOST/TOPIC")
        if told.at_ms is None:
            at_ms = last_ms + MESSAGE_MS if messages else 0
        else:
            first_ms = told.at_ms - last_ms if first_ms is None else first_ms
            at_ms = told.at_ms - first_ms
        last_ms = max(at_ms, last_ms)  # a clock that was set back keeps the order
        messages.append((last_ms, Message(where, told.payload, retain=told.retained)))
    return messages


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise ScenarioError(f"{path}: {problem.strerror}") from None
    if not data:
        raise ScenarioError(f"{path}: there is nothing in it")
    return data


def _timed(data: bytes, turns: Iterable[Turn]) -> Iterable[Piece]:
    at = 0
    for turn in turns:
        if turn.host:
            yield Piece(turn.at_ms, None)
        elif at < len(data):
            yield Piece(turn.at_ms, data[at : at + turn.size])
            at += turn.size


def _at_the_pace_of(line: SerialSettings, data: bytes, from_ms: int) -> Iterable[Piece]:
    bits = 1 + line.bits + (line.parity != "N") + line.stop
    size = max(1, line.baud * PIECE_MS // (1000 * bits))
    for place, at in enumerate(range(0, len(data), size)):
        yield Piece(from_ms + place * PIECE_MS, data[at : at + size])

"""From bytes to whole lines and whole messages: every byte is in one, in a line end, or in a Fault."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from monitor.model import Fault, Said

WRONG_CHECKSUM = "wrong checksum"
TOO_LONG = "too many bytes without a line end"

MESSAGE_MAX = 64 * 1024
"""A second of a monitor's data is under 2 KiB, an array of 500 readings under 64."""


class Lines:
    """Cuts a stream into lines: any run of the `ends` bytes ends one, and empty lines are nobody's.

    A line handed out may be longer than `longest`: noise that hides a line end glues two lines together, and
    only the codec can tell where the good one begins. What no codec could use is dropped from the front, so
    the buffer never holds two of the longest lines. Where the caller cuts the bytes changes nothing.
    """

    def __init__(self, longest: int, ends: bytes = b"\r\n") -> None:
        """`longest` is the longest line the device sends; `ends` are the bytes that end one."""
        self._longest = longest
        self._ends = re.compile(b"[" + re.escape(ends) + b"]")
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes | Fault]:
        """The lines these bytes complete, in order, with a Fault where bytes were dropped."""
        # Only the new bytes are searched: a line that comes byte by byte costs what a whole one does.
        pieces = self._ends.split(data)
        found: list[bytes | Fault] = []
        for piece in pieces[:-1]:
            self._keep(piece, found)
            if self._rest:
                found.append(bytes(self._rest))
                self._rest.clear()
        self._keep(pieces[-1], found)
        return found

    @property
    def rest(self) -> bytes:
        """The unfinished line."""
        return bytes(self._rest)

    def drop(self) -> int:
        """Forget the unfinished line and say how many bytes it had."""
        dropped = len(self._rest)
        self._rest.clear()
        return dropped

    def _keep(self, piece: bytes, found: list[bytes | Fault]) -> None:
        self._rest += piece
        while len(self._rest) >= 2 * self._longest:
            del self._rest[: self._longest]
            found.append(Fault(TOO_LONG, self._longest))


class StampedLines:
    """Cuts a stream into lines that each begin with a clock.

    A line that lost its end runs into the next one: only what follows the last clock is a line.
    """

    def __init__(
        self,
        longest: int,
        stamp: re.Pattern[bytes],
        says: Callable[[bytes, re.Match[bytes]], Iterable[Said]],
        foreign: str,
        header: re.Pattern[bytes] | None = None,
    ) -> None:
        """`stamp` finds a clock, `says` reads a line from there; one without is `foreign` or a `header`."""
        self._lines = Lines(longest)
        self._stamp = stamp
        self._says = says
        self._foreign = foreign
        self._header = header
        self._joining = True
        """What comes first may be the end of a line: joining in the middle of one is normal."""

    def feed(self, data: bytes) -> list[Said]:
        """What the lines say that these bytes complete, with a Fault for what is none."""
        said: list[Said] = []
        for line in self._lines.feed(data):
            if isinstance(line, Fault):
                said.append(line)
            else:
                said += self._read(line)
                self._joining = False
        return said

    def close(self, is_whole: Callable[[bytes], object]) -> list[Said]:
        """The unfinished line: one like any other where it lacks its end of line and nothing else."""
        rest, dropped = self._lines.rest, self._lines.drop()
        said = self._read(rest) if is_whole(rest) else leftover(dropped)
        self._joining = True
        return said

    def _read(self, line: bytes) -> list[Said]:
        clocks = list(self._stamp.finditer(line))
        if not clocks:
            if self._header is not None and self._header.fullmatch(line):
                return []
            return [Fault(PARTIAL if self._joining else self._foreign, len(line))]
        said: list[Said] = []
        if begin := clocks[-1].start():
            said.append(Fault(PARTIAL if self._joining else "a line without its end", begin))
        return [*said, *self._says(line, clocks[-1])]


PARTIAL = "first partial line"


def leftover(dropped: int) -> list[Said]:
    """The Fault for an unfinished frame at the end of a stream, if there was one."""
    return [Fault("unfinished frame at the end", dropped)] if dropped else []


OUTSIDE_MAX = 256
"""So many bytes outside of packets are one Fault: a line at the wrong speed is told while it lasts."""

Cut = tuple[int, str | None]
"""What stands at a place: so many bytes (0: wait), and why they are no packet: None if one, "" if no loss."""


class Packets:
    """Cuts a stream into packets where no line end does: by lengths, checksums, or what a packet may hold."""

    def __init__(self, cut: Callable[[bytearray, int], Cut]) -> None:
        """`cut` says what begins at a place of the bytes; it waits for a bounded number of them only."""
        self._cut = cut
        self._held = bytearray()
        self._outside, self._why = 0, ""

    def feed(self, data: bytes) -> list[bytes | Fault]:
        """The packets these bytes complete, in order, with a Fault where bytes were dropped."""
        self._held += data
        found: list[bytes | Fault] = []
        held, at = self._held, 0
        while at < len(held):
            count, why = self._cut(held, at)
            if count == 0:
                break
            if why is None:
                found += self._counted()
                found.append(bytes(held[at : at + count]))
            elif why:
                found += self._skip(count, why)
            at += count
        del held[:at]
        return found

    def give_way(self) -> list[bytes | Fault]:
        """The packet that is waited for does not come: what began it was noise, and may hide a whole one."""
        found: list[bytes | Fault] = []
        while self._held:
            del self._held[:1]
            found += self._skip(1, "an unfinished packet")
            found += self.feed(b"")
        return found

    def close(self) -> list[bytes | Fault]:
        """What is left at the end of the stream."""
        return self.give_way() + self._counted()

    def _skip(self, count: int, why: str) -> list[bytes | Fault]:
        # The first reason stands for a run of them, but a wrong checksum says more than any other.
        self._why = why if why == WRONG_CHECKSUM else self._why or why
        whole, self._outside = divmod(self._outside + count, OUTSIDE_MAX)
        return [Fault(self._why, OUTSIDE_MAX)] * whole

    def _counted(self) -> list[bytes | Fault]:
        dropped, why = self._outside, self._why
        self._outside, self._why = 0, ""
        return [Fault(why, dropped)] if dropped else []


def read_json(payload: bytes) -> Any | Fault:
    """The JSON of one message. NaN and Infinity are no JSON, but gateways written in Python send them."""
    if len(payload) > MESSAGE_MAX:
        return Fault("message too long", len(payload))
    try:
        return msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return Fault("not JSON", len(payload))


def printable(text: str, longest: int = 120) -> str:
    """Words from outside, fit for a screen or a terminal: no control characters, and not too many of them."""
    text = text[:longest]
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)

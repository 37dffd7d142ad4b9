"""From bytes to whole lines and whole messages: every byte is in one, in a line end, or in a Fault."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from monitor.model import Fault

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

"""The serial frame: C0, header, payload, checksum, C1; what looks like a flag in between is escaped."""

from __future__ import annotations

import re
import struct
from binascii import crc_hqx

from monitor.model import Fault

BEGIN, END, ESCAPE = 0xC0, 0xC1, 0x7D
FLIP = 0x20
PROTOCOL, DATA_EXPORT = 0x11, 0x01

FRAME_MAX = 8192
"""Bytes between two flags: a payload of 996 where a monitor grants it, twice that if all of it is escaped."""

NOISE_TOLD = 4096
"""So much that belongs to no frame is told at once; less of it when the next frame begins."""

NOISE = "bytes outside a frame"

_FLAG = re.compile(rb"[\xc0\xc1]")
_ESCAPED = re.compile(rb"\x7d(.)", re.DOTALL)
_SPECIAL = re.compile(rb"[\xc0\xc1\x7d]")
_HEADER = struct.Struct(">BBH")
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Frames:
    """Cuts a stream into payloads: every byte is in one, in a Fault, or a flag between two frames."""

    def __init__(self) -> None:
        """Wait for the first frame."""
        self._open = False
        self._rest = bytearray()
        self._noise = 0

    def feed(self, data: bytes) -> list[bytes | Fault]:
        """The payloads these bytes complete, in order, with a Fault where bytes were dropped."""
        found: list[bytes | Fault] = []
        at = 0
        for flag in _FLAG.finditer(data):
            self._keep(data[at : flag.start()], found)
            at = flag.end()
            if flag[0][0] == BEGIN:
                self._begin(found)
            else:
                self._end(found)
        self._keep(data[at:], found)
        return found

    def drop(self) -> int:
        """Forget the unfinished frame and say how many bytes were left over."""
        dropped = self._noise + (1 + len(self._rest) if self._open and self._rest else 0)
        self._open, self._noise = False, 0
        self._rest.clear()
        return dropped

    def _begin(self, found: list[bytes | Fault]) -> None:
        # A flag byte never stands inside of a frame: one that begins ends whatever was open.
        if self._noise:
            found.append(Fault(NOISE, self._noise))
            self._noise = 0
        if self._rest:
            found.append(Fault("a frame without its end", 1 + len(self._rest)))
            self._rest.clear()
        self._open = True

    def _end(self, found: list[bytes | Fault]) -> None:
        if not self._open:
            self._add_noise(1, found)
            return
        found.append(_payload(bytes(self._rest)))
        self._open = False
        self._rest.clear()

    def _keep(self, piece: bytes, found: list[bytes | Fault]) -> None:
        if not self._open:
            self._add_noise(len(piece), found)
            return
        self._rest += piece
        if len(self._rest) > FRAME_MAX:
            self._open = False
            self._add_noise(1 + len(self._rest), found)
            self._rest.clear()

    def _add_noise(self, count: int, found: list[bytes | Fault]) -> None:
        self._noise += count
        while self._noise >= NOISE_TOLD:
            found.append(Fault(NOISE, NOISE_TOLD))
            self._noise -= NOISE_TOLD


def _payload(raw: bytes) -> bytes | Fault:
    """What stands between two flags, as its payload, or why not."""
    dropped = len(raw) + 2
    if raw.endswith(bytes((ESCAPE,))):
        return Fault("a frame that was broken off", dropped)
    plain = _ESCAPED.sub(lambda pair: bytes((pair[1][0] ^ FLIP,)), raw)
    body, said = plain[:-2], plain[-2:]
    if len(body) < _HEADER.size or checksum(body) != said:
        return Fault("wrong checksum", dropped)
    protocol, kind, length = _HEADER.unpack_from(body)
    if (protocol, kind) != (PROTOCOL, DATA_EXPORT):
        return Fault("a frame of another protocol", dropped)
    payload = body[_HEADER.size :]
    return payload if len(payload) == length else Fault("a frame of a wrong length", dropped)


def checksum(body: bytes) -> bytes:
    """The FCS of PPP (RFC 1662, C.1) over header and payload, its low byte first."""
    # That sum counts bits from the low end, `crc_hqx` the same polynomial from the high one: mirrored bytes
    # in, mirrored sum out, and a frame costs what C takes for it.
    high, low = crc_hqx(body.translate(_MIRRORED), 0xFFFF).to_bytes(2, "big")
    return bytes((_MIRRORED[high] ^ 0xFF, _MIRRORED[low] ^ 0xFF))


def framed(payload: bytes) -> bytes:
    """A payload as it stands on the wire."""
    body = _HEADER.pack(PROTOCOL, DATA_EXPORT, len(payload)) + payload
    escaped = _SPECIAL.sub(lambda sign: bytes((ESCAPE, sign[0][0] ^ FLIP)), body + checksum(body))
    return bytes((BEGIN,)) + escaped + bytes((END,))

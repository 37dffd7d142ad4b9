"""DINAMAP PRO 1000 in its native binary mode: fifty blocks a second, of which no number is ever shown.

A block has two waves, a byte of status and three bytes of numbers that come slowly; where a number stands in
them is not public. What is read is that the monitor is there, and its own two alarms. The frame is
guarded well: a checksum, its complement, and the complement of the block's number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import Cut, Packets
from monitor.model import Fault, Notice, Said

SIZE = 18
NUMBERS, STATUS, BODY, CHECK, NOT_CHECK, NOT_NUMBER = 200, 1, slice(1, 15), 15, 16, 17
A_SECOND = 50

NO_NUMBERS = "its numbers cannot be read: where they stand is not public"
ALARMS = {0x40: "monitor's own alarm: crisis", 0x20: "monitor's own alarm: warning"}


class Decoder:
    """Reads the blocks of a PRO 1000, and tells once a second what is not a number."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._blocks = Packets(_cut)
        self._begun = False
        self._status = 0

    def feed(self, data: bytes) -> list[Said]:
        """What it says beside its numbers: at the first block, and at each one that begins a second."""
        said: list[Said] = []
        for block in self._blocks.feed(data):
            said += [block] if isinstance(block, Fault) else self._block(block[0], block[STATUS])
        return said

    def close(self) -> list[Said]:
        """The unfinished block, if there is one; after this a new stream may begin."""
        self._status, self._begun = 0, False
        # Fewer bytes than a block: there is none among them.
        return [left for left in self._blocks.close() if isinstance(left, Fault)]

    def _block(self, number: int, status: int) -> list[Said]:
        # An alarm of any block of the second is one of the second.
        self._status |= status
        if self._begun and number % A_SECOND:
            return []
        status, self._status, self._begun = self._status, 0, True
        alarms = [what for bit, what in ALARMS.items() if status & bit]
        return [Notice(what) for what in (*alarms, NO_NUMBERS)]


def _cut(held: bytearray, at: int) -> Cut:
    begin, last = at, len(held) - SIZE
    # Noise fails at the first comparison, but for one place in 256.
    while at <= last and not (held[at] ^ held[at + NOT_NUMBER] == 0xFF and _is_block(held[at : at + SIZE])):
        at += 1
    if at > begin:
        return at - begin, "bytes between blocks"
    return (SIZE, None) if at <= last else (0, None)


def _is_block(block: bytes | bytearray) -> bool:
    return (
        block[0] < NUMBERS
        and block[0] ^ block[NOT_NUMBER] == block[CHECK] ^ block[NOT_CHECK] == 0xFF
        and checksum(block[BODY]) == block[CHECK]
    )


def checksum(body: bytes | bytearray) -> int:
    """CRC-8 of bytes 1 to 14: polynomial 85 reflected (A1), from 0, no final xor (fact sheet, annex)."""
    crc = 0
    for byte in body:
        crc = TABLE[crc ^ byte]
    return crc


def _table() -> bytes:
    def shifted(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (0xA1 if value & 1 else 0)
        return value

    return bytes(shifted(value) for value in range(256))


TABLE = _table()


# What the device writes.


def encode_block(
    number: int,
    status: int = 0,
    one: Sequence[int] = (0, 0, 0, 0),
    other: Sequence[int] = (0, 0, 0, 0),
    slow: bytes = bytes(3),
) -> bytes:
    """One block: `one` and `other` are four samples of ten bits each, `slow` three bytes nobody can read."""
    body = bytes([status]) + _packed(one) + _packed(other) + slow
    crc = checksum(body)
    return bytes([number]) + body + bytes([crc, crc ^ 0xFF, number ^ 0xFF])


def _packed(samples: Sequence[int]) -> bytes:
    first, second, third, fourth = samples
    return (first << 30 | second << 20 | third << 10 | fourth).to_bytes(5)


def _decoder(options: Mapping[str, Any]) -> Decoder:
    if options:
        raise ValueError(f"dinamap-pro1000 has no option {min(options)!r}")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether a whole block is somewhere in these bytes."""
    return any(_is_block(raw[at : at + SIZE]) for at in range(len(raw) - SIZE + 1))


DRIVER = Driver(
    name="dinamap-pro1000",
    title="DINAMAP PRO 1000 (alarms only, no numbers)",
    models=("GE DINAMAP PRO 1000: its own alarms only, and no numbers",),
    transport="serial",
    decoder=_decoder,
    vitals=(),
    silent_after_ms=5_000,
    hint="set the monitor's host port to native binary; its numbers cannot be read, only its alarms",
    looks_like=looks_like,
    known_by="blocks of 18 bytes, each with its checksum and two complements",
)

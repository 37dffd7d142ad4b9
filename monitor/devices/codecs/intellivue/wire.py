"""Reading and writing the big-endian fields of a payload; what reaches beyond its end is Malformed."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime

Attribute = tuple[int, bytes]
"""An attribute of an object: what it is, and its value as it came."""

NO_TIME = b"\xff" * 8
"""An absolute time that is not given."""

_TIME_DIGITS = 14
_ATTRIBUTE = struct.Struct(">HH")


class Malformed(ValueError):  # noqa: N818  what a message is, not what we did
    """A length inside of a payload that its checksum calls whole reaches beyond what holds it."""


class Cursor:
    """A place in some bytes that moves on as they are read."""

    def __init__(self, data: bytes) -> None:
        """Stand at their beginning."""
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """The next bytes, so many; Malformed if there are not."""
        end = self._at + count
        if end > len(self._data):
            raise Malformed
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def u16(self) -> int:
        """The next two bytes as a number."""
        return int.from_bytes(self.take(2))

    def u32(self) -> int:
        """The next four bytes as a number."""
        return int.from_bytes(self.take(4))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def run(self) -> bytes:
        """What stands behind a count and a length. The length rules: the count says nothing it does not."""
        return self.take(self.u32() & 0xFFFF)

    def counted(self) -> Cursor:
        """The same, to be read on."""
        return Cursor(self.run())


def u16(*numbers: int) -> bytes:
    """Numbers as two bytes each."""
    return b"".join(number.to_bytes(2) for number in numbers)


def u32(number: int) -> bytes:
    """A number as four bytes."""
    return number.to_bytes(4)


def sized(body: bytes) -> bytes:
    """Bytes behind their length."""
    return u16(len(body)) + body


def counted(bodies: Iterable[bytes]) -> bytes:
    """Several pieces behind their count and their length."""
    pieces = tuple(bodies)
    return u16(len(pieces)) + sized(b"".join(pieces))


def attributes(cursor: Cursor) -> tuple[Attribute, ...]:
    """An attribute list, unknown ones too."""
    # A monitor with many modules sends a hundred of these lists a second: no `Cursor` for what is in them.
    inside = cursor.run()
    found: list[Attribute] = []
    at, end = 0, len(inside)
    while at < end:
        begin = at + _ATTRIBUTE.size
        if begin > end:
            raise Malformed
        number, length = _ATTRIBUTE.unpack_from(inside, at)
        at = begin + length
        if at > end:
            raise Malformed
        found.append((number, inside[begin:at]))
    return tuple(found)


def attribute_list(given: Iterable[Attribute]) -> bytes:
    """An attribute list as it stands on the wire."""
    return counted(u16(number) + sized(value) for number, value in given)


def absolute_time(digits: bytes) -> datetime | None:
    """The monitor's own wall clock, eight bytes of decimal digits; None where it is not given."""
    if len(digits) < len(NO_TIME):
        return None
    text = digits[:7].hex()
    if not text.isdecimal():
        return None
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, _TIME_DIGITS, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second)  # noqa: DTZ001  nobody knows its zone
    except ValueError:
        return None


def absolute_digits(time: datetime | None) -> bytes:
    """A time of the wall clock as eight bytes; all FF for none."""
    return NO_TIME if time is None else bytes.fromhex(time.strftime("%Y%m%d%H%M%S") + "00")

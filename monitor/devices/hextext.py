"""Bytes written down as hex digits, as people and their tools do: plain, `0x3E, 0x05`, `3E-05`, or a dump.

A dump has an offset before each line and the characters behind it; both are told from bytes by counting. What
could be read in two ways is refused: a byte in the wrong place is a wrong number further on.
"""

from __future__ import annotations

import re

from monitor.devices.framing import printable

REMARK = re.compile(r"(?:#|//).*")
BETWEEN = re.compile(r"[\s,;:-]+")
PREFIXED = re.compile(r"(?:0|\\)[xX]([0-9A-Fa-f]{1,2})(?![0-9A-Fa-f])")
AROUND = re.compile(r"\(byte\)|\bb(?=[\"'])|[\s,;(){}\[\]\"']")
"""What stands around prefixed bytes in the languages they are copied from."""

DUMPED = re.compile(
    r"\s*(?P<at>[0-9A-Fa-f]{4,16})"
    r"(?::\s+(?P<colon>[0-9A-Fa-f]{2,}(?:\s[0-9A-Fa-f]{2,})*)(?:\s\s.*)?"
    r"|\s\s+(?P<bars>[0-9A-Fa-f]{2}(?:\s\s?[0-9A-Fa-f]{2})*)\s+\|.*\|)?\s*"
)
"""A line of `xxd` or of `hexdump -C`, which has a last line of an offset alone."""


def from_hex(text: str) -> bytes:
    """The bytes that hex text stands for. A ValueError says what is wrong."""
    # A byte order mark, as it is or as what a reader of plain ASCII makes of it.
    text = text.lstrip("\ufeff\ufffd")
    dumped = _dumped(text)
    if dumped is not None:
        return dumped
    text = "\n".join(REMARK.sub("", line) for line in text.splitlines())
    if PREFIXED.search(text):
        return _prefixed(text)
    words = BETWEEN.split(text)
    digits = "".join(words)
    _check(digits)
    if len(digits) % 2:
        raise ValueError("an odd number of hex digits: the last byte is only half there")
    if max(map(len, words)) <= 2 and any(len(word) == 1 for word in words):
        raise ValueError("a byte of one hex digit: write two")
    return bytes.fromhex(digits)


def _check(digits: str) -> None:
    wrong = re.search(r"[^0-9A-Fa-f]", digits)
    if wrong:
        raise ValueError(f"{printable(wrong.group())!r} is not a hex digit")


def _prefixed(text: str) -> bytes:
    besides = AROUND.sub("", PREFIXED.sub("", text))
    _check(besides)
    if besides:
        raise ValueError("some bytes have 0x before them and some have not")
    return bytes(int(digits, 16) for digits in PREFIXED.findall(text))


def _dumped(text: str) -> bytes | None:
    """The bytes of a dump, or None if the text does not begin like one. Offsets count the bytes before."""
    lines = [DUMPED.fullmatch(line) for line in text.splitlines() if line.strip()]
    if not lines or lines[0] is None or not (lines[0]["colon"] or lines[0]["bars"]):
        return None
    begin, found = int(lines[0]["at"], 16), bytearray()
    for line in lines:
        if line is None or int(line["at"], 16) - begin != len(found):
            raise ValueError("a dump whose offsets do not count its bytes")
        digits = "".join((line["colon"] or line["bars"] or "").split())
        if len(digits) % 2:
            raise ValueError("an odd number of hex digits: the last byte is only half there")
        found += bytes.fromhex(digits)
    return bytes(found)

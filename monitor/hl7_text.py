"""HL7 version 2 as text: a message cut into its fields, its times, its answer, and what a capture holds.

What a message means is another room's. The separators are those its header names; line feeds are tolerated
where CR belongs. What cannot be HL7 is a `Fault`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from monitor.model import Fault

MESSAGE_MAX = 128 * 1024
"""A monitor's numerics are under 20 KiB; the waveforms some send beside them are read past."""

START, END, RETURN = b"\x0b", b"\x1c", b"\r"

_TIME = re.compile(r"(\d{8})(\d{4})(\d\d)?(?:\.(\d{1,6}))?([+-]\d{4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters a message is cut by: MSH-1 and MSH-2."""

    field: str = "|"
    part: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    sub: str = "&"


class Message(NamedTuple):
    """One message: its header's fields, its segments as fields, and what they are cut by."""

    marks: Marks
    head: tuple[str, ...]
    segments: tuple[tuple[str, ...], ...]
    size: int

    def header(self, number: int) -> str:
        """MSH-`number`; "" if it is not there."""
        return field_of(self.head, number - 1)

    @property
    def kind(self) -> str:
        """MSH-9: ORU^R01."""
        return "^".join(self.header(9).split(self.marks.part)[:2])

    @property
    def control(self) -> str:
        """MSH-10: what an answer names it by."""
        return self.header(10)

    def sender(self) -> tuple[str, ...]:
        """Who says it was sent by them: names and ids of MSH-3 and MSH-4."""
        parts = [*self.parts(self.header(3))[:2], *self.parts(self.header(4))[:2]]
        return tuple(filter(None, parts))

    def equipment(self) -> tuple[tuple[str, ...], ...]:
        """The devices the values came from: the names and ids of each OBX-18, each once."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.segments:
            if one[0] == "OBX" and (text := field_of(one, 18)) and text not in found:
                found[text] = tuple(filter(None, self.parts(text)[:3]))
        return tuple(found.values())

    def location(self) -> tuple[str, ...]:
        """Point of care, room and bed of PV1-3, as far as they are given."""
        for one in self.segments:
            if one[0] == "PV1":
                return tuple(self.parts(field_of(one, 3))[:3])
        return ()

    def parts(self, text: str) -> list[str]:
        """The components of a field's first repetition, unescaped."""
        first = text.partition(self.marks.repeat)[0]
        return [self.plain(part) for part in first.split(self.marks.part)]

    def plain(self, text: str) -> str:
        """Without escape sequences (HL7 2.6, chapter 2.7.1)."""
        marks = self.marks
        if marks.escape not in text:
            return text
        signs = {"F": marks.field, "S": marks.part, "T": marks.sub, "R": marks.repeat, "E": marks.escape}
        pieces = text.split(marks.escape)
        return "".join(signs.get(piece, "") if at % 2 else piece for at, piece in enumerate(pieces))


def read(payload: bytes) -> Message | Fault:
    """One message as segments and fields, whatever it is about; a Fault if it is no HL7 message."""
    size = len(payload)
    if size > MESSAGE_MAX:
        return Fault("message too long", size)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    lines = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 8:
        return Fault("not an HL7 message", size)
    marks = _marks(lines[0])
    if marks is None:
        return Fault("not an HL7 message: its separators cannot be", size)
    segments = tuple([tuple(line.strip(" \0").split(marks.field)) for line in lines])
    if any(one[0] == "MSH" for one in segments[1:]):
        return Fault("two messages run together", size)
    return Message(marks, segments[0], segments[1:], size)


def _marks(line: str) -> Marks | None:
    mark = line[3]
    others = line[4 : line.find(mark, 4)] if mark in line[4:] else line[4:]
    defaults = "^~\\&"
    signs = (mark + others + defaults[len(others) :])[:5]
    usual = all(sign.isprintable() and not sign.isalnum() and sign != " " for sign in signs)
    return Marks(*signs) if usual and len(set(signs)) == 5 and 1 <= len(others) <= 5 else None


def field_of(fields: Sequence[str], number: int) -> str:
    """A segment's field by its number; "" if it is not there."""
    return fields[number].strip() if number < len(fields) else ""


# Times.


class Moment(NamedTuple):
    """A time as it was sent: what a clock on the wall showed, and its zone if it was told."""

    wall: datetime
    zone: timedelta | None


@lru_cache(maxsize=256)
def moment(text: str) -> Moment | None:
    """A time of HL7 (DTM), at least to the minute; None if it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, minute, second, fraction, zone = found.groups()
    try:
        wall = datetime.strptime(f"{day}{minute}{second or '00'}", "%Y%m%d%H%M%S")  # noqa: DTZ007  zones are apart
    except ValueError:
        return None
    wall += timedelta(microseconds=int((fraction or "0").ljust(6, "0")))
    if zone is None:
        return Moment(wall, None)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return Moment(wall, -offset if zone[0] == "-" else offset)


def earlier_ms(one: Moment, other: Moment) -> int:
    """By how much `one` is earlier. A time without a zone is in the zone of the other."""
    between = other.wall - one.wall
    if one.zone is not None and other.zone is not None:
        between += one.zone - other.zone
    return round(between / timedelta(milliseconds=1))


# What is answered.

ACCEPTED, IN_ERROR, REJECTED = "AA", "AE", "AR"


def is_answered(message: Message, code: str) -> bool:
    """Whether the sender wants to hear this (MSH-15 and MSH-16; HL7 2.6, chapter 2.9.2)."""
    modes = {message.header(15).upper(), message.header(16).upper()}
    if modes == {""}:
        return True  # original mode: always
    return "AL" in modes or ("SU" if code == ACCEPTED else "ER") in modes


def encode_ack(control: str, code: str, at: str, *, sender: str, receiver: str = "", text: str = "") -> bytes:
    """What a report is answered; `text` says why it was not taken."""
    head = {
        2: "^~\\&",
        3: sender,
        5: receiver,
        7: at,
        9: "ACK^R01^ACK",
        10: f"A{control}",
        11: "P",
        12: "2.6",
    }
    return (segment_of("MSH", head) + segment_of("MSA", {1: code, 2: control, 3: escaped(text)})).encode()


def answer_to(message: Message, code: str, at: str, *, sender: str, text: str = "") -> bytes:
    """The answer to one message, to whoever it says it is from."""
    return encode_ack(
        _echo(message.control), code, at, sender=sender, receiver=_echo(message.header(3)), text=text
    )


def _echo(text: str) -> str:
    """A field of theirs as one of ours: with other separators theirs may hold what ours are cut by."""
    return "".join(sign for sign in text[:250] if sign.isprintable() and sign != "|")


def encode_block(message: bytes) -> bytes:
    """A message in the framing of MLLP."""
    return START + message + END + RETURN


def escaped(text: str, longest: int = 200) -> str:
    """Free text as a component (HL7 2.6, chapter 2.7.1): separators as escapes, no line ends, no controls."""
    signs = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
    return "".join(signs.get(sign, sign if sign.isprintable() else "?") for sign in text[:longest])


def segment_of(name: str, fields: Mapping[int, str]) -> str:
    """A segment up to its last field that is not empty."""
    last = max((number for number, text in fields.items() if text), default=0)
    # MSH-1 is the separator itself: the fields of a header are counted from it.
    texts = [fields.get(number, "") for number in range(2 if name == "MSH" else 1, last + 1)]
    return "|".join([name, *texts]) + "\r"


# Captures: blocks of MLLP (0B ... 1C 0D), or the bare messages one after the other.

_SIGNS = re.compile(rb"([\x0b\x1c])")
_LINES = re.compile(rb"([\r\n])")


class Blocks:
    """Cuts a capture into messages; a live wire is cut by the `hl7` library."""

    def __init__(self) -> None:
        """Begin between two blocks."""
        self._held = bytearray()
        self._line = bytearray()
        self._inside = False
        self._endless = False
        self._lost = 0

    def feed(self, data: bytes) -> list[bytes | Fault]:
        """The messages these bytes complete, with a Fault where bytes were dropped."""
        found: list[bytes | Fault] = []
        for piece in _SIGNS.split(data):
            if piece == START:
                self._break_off(found)
                self._inside = True
            elif piece == END and self._inside:
                self._inside = False
                self._tell(found)
            elif self._inside:
                self._keep(piece)
            else:
                self._outside(piece, found)
        return found

    def close(self) -> list[bytes | Fault]:
        """What only the end completes."""
        found: list[bytes | Fault] = []
        self._break_off(found)
        return found

    def _keep(self, piece: bytes) -> None:
        self._held += piece
        if len(self._held) > MESSAGE_MAX:
            self._lost += len(self._held)
            self._held.clear()

    def _outside(self, piece: bytes, found: list[bytes | Fault]) -> None:
        for part in _LINES.split(piece):
            if part in {b"\r", b"\n"}:
                self._end_line(found)
            else:
                self._line += part
                if self._endless or len(self._line) > MESSAGE_MAX:
                    self._endless = True
                    self._lost += len(self._line)
                    self._line.clear()

    def _end_line(self, found: list[bytes | Fault]) -> None:
        """A line that begins with MSH begins a bare message; what follows belongs to it."""
        line = bytes(self._line)
        self._line.clear()
        self._endless = False
        if line.startswith(b"MSH"):
            self._tell(found)
        if self._held or line.startswith(b"MSH"):
            self._keep(line + RETURN)
        elif line.strip(b"\0 "):
            self._lost += len(line)

    def _break_off(self, found: list[bytes | Fault]) -> None:
        """Something new begins, or nothing comes any more."""
        if self._inside:
            self._inside = False
            lost, self._lost = self._lost + len(self._held), 0
            self._held.clear()
            if lost:
                found.append(Fault("a block without its end", lost))
            return
        cut = bytes(self._line) if self._held and not _is_whole(self._line, self._held) else b""
        if cut:
            self._line.clear()
        self._end_line(found)
        self._tell(found)
        if cut:
            found.append(Fault("a message cut off in its last segment", len(cut)))

    def _tell(self, found: list[bytes | Fault]) -> None:
        held, lost = bytes(self._held), self._lost
        self._held.clear()
        self._lost = 0
        if lost and len(held) + lost > MESSAGE_MAX:
            found.append(Fault("message too long", lost + len(held)))
            return
        if lost:
            found.append(Fault("bytes between messages", lost))
        if held:
            found.append(held)


STATUS, AT, AT_WIDTH = 11, 14, 14  # of an OBX, and what a time has without its zone


def _is_whole(line: bytes | bytearray, before: bytes | bytearray) -> bool:
    """Whether a segment without its end may be all of it: 9 may have been 97, and DEMO may have followed.

    A value is whole where its status has come, and its time where it is as long as in the row before.
    """
    if not line.startswith(b"OBX"):
        return True  # nothing is measured in it
    mark = bytes(line[3:4]) or b"|"
    fields = line.split(mark)
    rows = [row.split(mark) for row in before.split(RETURN) if row.startswith(b"OBX")]
    if rows and len(rows[-1]) > AT and rows[-1][AT]:
        return len(fields) > AT and len(fields[AT]) == len(rows[-1][AT])
    if len(fields) > AT and fields[AT]:
        return len(fields[AT]) >= AT_WIDTH
    return len(fields) > STATUS and fields[STATUS] != b""

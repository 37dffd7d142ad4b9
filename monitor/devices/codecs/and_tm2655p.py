"""A&D TM-2655P and TM-2657P walk-in blood pressure monitors: a command, its acknowledgement, a frame.

The monitor gives the last result for ever to whoever asks for it, with a clock of minutes that nobody sets.
So: the frame behind a start of ours is our reading; one that comes unasked is new now; one that was asked for
is new only if it differs from the one that was known, and is as old as the time since that one was seen. What
stands in the monitor when we come may be anybody's: it is not told.

Until `tick` is called for the first time the decoder only listens, and tells each result once, with the
monitor's own time beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from functools import partial, reduce
from operator import xor
from typing import Any

from monitor.devices.codecs.commands import (
    ALREADY_STARTED,
    AT_REST,
    CANCELLED,
    GIVEN_UP_MS,
    LINE_LOST,
    MEASURING,
    NEVER_MS,
    NOT_STARTED,
    Answers,
    Commands,
    failed,
    measured,
)
from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import WRONG_CHECKSUM, Cut, Packets, printable
from monitor.model import Cuff, Fault, Notice, Said, Vital

SYN, SOH, STX, ETX, ACK, NAK, RS = b"\x16", b"\x01", b"\x02", b"\x03", b"\x06", b"\x15", b"\x1e"
BEGIN = SYN + SYN + SOH
ADDRESS = b"00"
HEAD = len(BEGIN) + len(ADDRESS) + 1  # up to and with STX, ACK or NAK
SHORT = HEAD
BETWEEN = "bytes between frames"
TEXT_MAX = 1_024  # a list of pulses may have hundreds of characters
TEXT = re.compile(rb"[ -~\x1e]{0,%d}" % TEXT_MAX)

LIST_OF_PULSES = b"RP"
GOOD = b"E00"
FIRST_VALUE = 3  # behind model, time and format; some formats have a patient's number there
ERROR = re.compile(rb"E[0-9A-Z]{1,3}")
NUMBER = re.compile(rb" {0,2}\d{1,3}")
LETTERS = (b"S", b"M", b"D", b"P")
TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")

GAP_MS = 500
ANSWER_MS = 3_000
POLL_MS = 5_000
OURS_FROM_MS = 5_000
"""A result sooner after the start than any cuff can measure is one of before."""
SILENT_AFTER_MS = 90_000
"""Nothing need come while it measures, which takes 30 to 60 s (fact sheet, 2)."""

Key = tuple[bytes, ...]


class Phase(Enum):
    """How far a reading that was ordered from here is."""

    REST = auto()
    START = auto()
    MEASURE = auto()


class Decoder:
    """Reads frames, and leads the monitor once it is given time."""

    def __init__(self, *, strict: bool = True) -> None:
        """`strict`: a frame with a wrong check byte is dropped; otherwise it is counted, read and doubted."""
        self._answers = Answers(partial(_cut, strict=strict), self._packet)
        self._commands = Commands(GAP_MS, ANSWER_MS)
        self._now_ms: int | None = None
        self._fresh = True
        self._poll_ms = 0
        self._phase = Phase.REST
        self._ordered_ms: int | None = None
        self._started_ms = 0
        self._known: Key | None = None
        self._known_ms = 0

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What the frames that these bytes complete say."""
        return self._answers.feed(data)

    def close(self) -> list[Said]:
        """What is left over; a reading that was running is lost, and a new connection begins with a stop."""
        said = self._answers.close()
        if self._phase is not Phase.REST:
            self._phase = Phase.REST
            said.append(failed(LINE_LOST))
        if self._now_ms is None:
            self._known = None
        self._fresh = True
        self._commands.forget()
        return said

    def _packet(self, packet: bytes) -> list[Said]:
        return self._answer(packet[-1:]) if len(packet) == SHORT else self._frame(packet)

    def _answer(self, sign: bytes) -> list[Said]:
        asked = self._commands.standing
        if asked == START:
            self._commands.settle()
            if sign == NAK:
                return [self._stop("the monitor refused the start: is an arm in it?")]
            self._phase, self._started_ms = Phase.MEASURE, self._now_ms or 0
        elif asked == STOP or (asked == RECALL and sign == NAK):  # behind the ACK of a recall comes its frame
            self._commands.settle()
        return [Notice(AT_REST if self._phase is Phase.REST else MEASURING)]

    def _frame(self, packet: bytes) -> list[Said]:
        doubted = None if _is_right(packet) else "the check byte was wrong"
        faults: list[Said] = [] if doubted is None else [Fault("wrong checksum, read all the same", 0)]
        fields = packet[HEAD:-2].split(RS)
        if len(fields) > FIRST_VALUE and fields[2].strip() == LIST_OF_PULSES:
            return [*faults, Notice(AT_REST)]
        at = _place(fields)
        if at is None:
            return [*faults, Fault("a frame without a reading", len(packet))]
        # The model, the monitor's time, the error and all numbers: with the same it is the same reading.
        key = (fields[0], fields[1], *fields[at : at + 5])
        return faults + self._result(key, fields, at, doubted)

    def _result(self, key: Key, fields: Sequence[bytes], at: int, doubted: str | None) -> list[Said]:
        now_ms = self._now_ms
        if now_ms is None:
            again, self._known = key == self._known, key
            return [Notice(AT_REST)] if again else [_meaning(fields, at, doubted, _time(fields[1]))]
        recalled = self._commands.standing == RECALL
        if recalled:
            self._commands.settle()
        ours = self._phase is Phase.MEASURE and now_ms - self._started_ms >= OURS_FROM_MS
        known, seen_ms = self._known, self._known_ms
        self._known, self._known_ms = key, now_ms
        if ours:
            self._phase = Phase.REST
            return [_meaning(fields, at, doubted)]
        if key == known or (known is None and recalled):
            return [Notice(AT_REST if self._phase is Phase.REST else MEASURING)]
        told = _meaning(fields, at, doubted)
        if told.systolic is None:
            # Somebody else's failed try is no failure of ours, and is not repeated from here.
            return [Notice("a reading at the monitor has failed")]
        age_ms = now_ms - seen_ms if recalled else 0
        return [replace(told, age_ms=age_ms)]

    # Commands out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Queue what is due, and give up what takes too long."""
        self._now_ms = now_ms
        lost = self._commands.tick(now_ms)
        if self._fresh:
            # No cuff of an earlier life goes on: it would be nobody's.
            self._fresh = False
            self._commands.hurry(STOP)
            return
        if lost is not None:
            self._answers.give_way()
            if lost == START:
                self._answers.owe(self._stop(NOT_STARTED))  # it may have started all the same
            elif lost == STOP and self._phase is Phase.REST:
                self._commands.put(STOP)
        if self._ordered_ms is None:
            self._ordered_ms = now_ms
        if self._phase is not Phase.REST and now_ms - self._ordered_ms >= GIVEN_UP_MS:
            self._answers.owe(self._stop(f"no cuff result within {GIVEN_UP_MS // 1000} s: stopped"))
        if self._phase is Phase.REST and self._commands.idle and now_ms >= self._poll_ms:
            self._commands.put(RECALL)
            self._poll_ms = now_ms + POLL_MS

    def due_ms(self) -> int:
        """The next question or command, the end of the patience, or the end of a reading's time."""
        now_ms = self._now_ms or 0
        if self._fresh or self._ordered_ms is None:
            return now_ms
        due_ms = self._commands.due_ms()
        if self._phase is not Phase.REST:
            return min(due_ms, self._ordered_ms + GIVEN_UP_MS)
        return self._poll_ms if due_ms == NEVER_MS else due_ms

    def to_send(self) -> bytes:
        """The next command, if its time has come."""
        return b"" if self._now_ms is None else self._commands.to_send()

    def start_cuff(self) -> str | None:
        """Queue the start."""
        if self._phase is not Phase.REST:
            return ALREADY_STARTED
        self._phase, self._ordered_ms = Phase.START, None
        self._commands.put(START)
        return None

    def cancel_cuff(self) -> None:
        """Stop the monitor and let the air out, whatever it is doing."""
        if self._phase is not Phase.REST:
            self._answers.owe(self._stop(CANCELLED))
        else:
            self._commands.hurry(STOP)

    def _stop(self, why: str) -> Said:
        self._phase = Phase.REST
        self._commands.hurry(STOP)
        return failed(why)


def _cut(held: bytearray, at: int, *, strict: bool) -> Cut:
    if held[at] != SYN[0]:
        begins = held.find(SYN, at)
        return (len(held) if begins < 0 else begins) - at, BETWEEN
    begin = bytes(held[at : at + HEAD])
    if not begin.startswith(BEGIN[: len(begin)]):
        return 1, ""  # a monitor may fill its line with SYN
    if len(begin) < HEAD:
        return 0, None
    if begin[-1:] in {ACK, NAK}:
        return SHORT, None
    if begin[-1:] != STX:
        return 1, BETWEEN
    return _cut_frame(held, at, strict=strict)


def _cut_frame(held: bytearray, at: int, *, strict: bool) -> Cut:
    text = TEXT.match(held, at + HEAD)
    to = text.end() if text else at + HEAD
    if to == len(held):
        return 0, None
    if held[to] != ETX[0]:
        return 1, "an unfinished frame"
    # The check byte may be anything, a control byte too: it is the one behind ETX.
    end = to + 2
    if end > len(held):
        return 0, None
    right = not strict or _is_right(bytes(held[at:end]))
    return (end - at, None) if right else (1, WRONG_CHECKSUM)


def _is_right(frame: bytes) -> bool:
    """Whether the check byte is that of SOH to ETX: at the address 00 the only other rule known agrees."""
    return frame[-1] == _xor(frame[2:-1])


def _xor(data: bytes) -> int:
    return reduce(xor, data, 0)


def _place(fields: Sequence[bytes]) -> int | None:
    """Where the error code stands, with the four numbers behind it."""
    for at in range(FIRST_VALUE, len(fields) - len(LETTERS)):
        values = fields[at + 1 : at + 1 + len(LETTERS)]
        if ERROR.fullmatch(fields[at]) and tuple(value[:1] for value in values) == LETTERS:
            return at
    return None


def _meaning(fields: Sequence[bytes], at: int, doubted: str | None, device_time: str | None = None) -> Cuff:
    if fields[at] != GOOD:
        code = printable(fields[at].decode("latin-1"))
        return failed(f"the cuff measurement failed (code {code} of the monitor)", device_time)
    systolic, mean, diastolic, pulse = (_number(value) for value in fields[at + 1 : at + 1 + len(LETTERS)])
    return measured(systolic, diastolic, mean or None, pulse, device_time=device_time, doubted=doubted)


def _number(field: bytes) -> int | None:
    return int(field[1:]) if NUMBER.fullmatch(field[1:]) else None


def _time(field: bytes) -> str | None:
    """The monitor's clock as text; it has no seconds."""
    found = TIME.fullmatch(field.decode("latin-1"))
    return None if found is None else "20{}-{}-{} {}:{}".format(*found.groups())


# Both sides of the wire.


def encode_command(code: str) -> bytes:
    """A command of the host to the station 00."""
    return _framed(code.encode("ascii"))


def encode_answer(*, taken: bool = True) -> bytes:
    """The acknowledgement of a command, or its refusal."""
    return BEGIN + ADDRESS + (ACK if taken else NAK)


def encode_result(
    systolic: int | None = None,
    diastolic: int | None = None,
    mean: int | None = None,
    pulse: int | None = None,
    *,
    time: str = "1910291429",
    error: str = "E00",
    setting: int = 17,
    amplitude: int = 139,
    form: str = "RB",
) -> bytes:
    """The result of a reading; `time` is the monitor's own, yymmddHHMM. Missing numbers are blank."""
    values = zip("SMDP", (systolic, mean, diastolic, pulse), strict=True)
    fields = [
        *("TM2655", time, form, "M", error),
        *(letter + ("   " if value is None else f"{value:3d}") for letter, value in values),
        *(f"I{setting:02d}", f"L{amplitude:3d}"),
    ]
    return _framed(b"".join(field.encode("ascii") + RS for field in fields))


def _framed(text: bytes) -> bytes:
    body = SOH + ADDRESS + STX + text + ETX
    return SYN + SYN + body + bytes([_xor(body)])


START, STOP, RECALL = map(encode_command, ("ST", "SP", "RB"))


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"and-tm2655p has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    how = options.get("checksum", "strict")
    if how not in {"strict", "warn"}:
        raise ValueError(f'checksum is "strict" or "warn", not {how!r}')
    return Decoder(strict=how == "strict")


def looks_like(raw: bytes) -> bool:
    """Whether a whole answer or frame is somewhere in these bytes."""
    return any(isinstance(one, bytes) for one in Packets(partial(_cut, strict=True)).feed(raw))


DRIVER = Driver(
    name="and-tm2655p",
    title="A&D TM-2655P, TM-2657P",
    models=("A&D TM-2655P", "A&D TM-2657P"),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP),
    settings=SerialSettings(baud=2400),
    bauds=(1200, 4800, 9600),
    cuff=True,
    starts_cuff=True,
    polled=True,
    silent_after_ms=SILENT_AFTER_MS,
    hint="check the cable and the speed in the monitor's function settings: 2400 as delivered",
    looks_like=looks_like,
    known_by="frames that begin with SYN SYN SOH, with a right check byte",
    options={
        "baud": "2400 (default), 1200, 4800 or 9600, as set at the monitor",
        "checksum": '"strict" drops a frame with a wrong check byte (default), "warn" reads and doubts it',
    },
)

"""A&D UA-767PC upper-arm monitor on its PC cable. One public capture and one description are all there is.

It sends each result by itself: ten hex digits, with no frame and no checksum around them. So a run of digits
is a result only as a whole: it must end, and every ten of it begin with a code that is known. The first of
its numbers is the pulse pressure, not the systolic one: systolic is that and the diastolic together.

A reading can be started from here, but no command is known that stops one: only the monitor's button does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

from monitor.devices.codecs.commands import (
    ALREADY_STARTED,
    AT_REST,
    CANCELLED,
    GIVEN_UP_MS,
    LINE_LOST,
    MEASURING,
    NEVER_MS,
    Answers,
    Commands,
    failed,
    measured,
)
from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import WRONG_CHECKSUM, Cut, Packets
from monitor.model import Cuff, Fault, Notice, Said, Vital

ANSWER, DATA = 0x01, 0x02
ACK, NAK, XOFF = 0x06, 0x15, 0x13
ANSWERS = b"\x0170PC"
STORED = b"\x02D"
STORED_HEAD = re.compile(rb"\x02D..(?P<length>[0-9A-Fa-f]{4})0", re.DOTALL)
HEAD = 9
STORED_MAX = 2_048
RECORD = 22
"""Hex digits of one stored reading: eleven pairs."""

HEX = re.compile(rb"[0-9A-Fa-f]{0,200}")
BEGINS = re.compile(rb"[\x01\x02\r\n0-9A-Fa-f]")
RUN_MAX = 200
RESULT = 10
GOOD = 0x80
FAILED = range(0x81, 0x84)  # what each of them means is not known
CODES = {GOOD, *FAILED}
END_OF_RUN = b"\r"
BETWEEN = "bytes between packets"

GAP_MS = 300
ANSWER_MS = 3_000
POLL_MS = 20_000
QUIET_MS = 1_000
"""A run of digits has ended when nothing has followed for so long: ten digits take 11 ms."""
SILENT_AFTER_MS = 90_000
OPEN_TRIES = 3

NO_STOP = f"{CANCELLED}: press the monitor's own button to let the air out"


class Phase(Enum):
    """How far a reading that was ordered from here is."""

    REST = auto()
    OPEN = auto()
    START = auto()
    MEASURE = auto()


class Decoder:
    """Reads results, and starts readings once it is given time."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._answers = Answers(_cut, self._packet)
        self._commands = Commands(GAP_MS, ANSWER_MS, (WAKE, END))
        self._now_ms: int | None = None
        self._poll_ms = 0
        self._heard_ms: int | None = None
        self._phase = Phase.REST
        self._ordered_ms: int | None = None
        self._tries = 0
        self._last = b""

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What these bytes say; a result at their end only once it is sure to be whole."""
        if data:
            self._heard_ms = self._now_ms
        return self._answers.feed(data)

    def close(self) -> list[Said]:
        """What is left over: the last digits too, for nothing can follow them."""
        said = self._answers.feed(END_OF_RUN) + self._answers.close()
        self._last, self._heard_ms = b"", None
        if self._phase is not Phase.REST:
            said.append(self._over(LINE_LOST))
        self._commands.forget()
        self._poll_ms = 0
        return said

    def _packet(self, packet: bytes) -> list[Said]:
        if packet[0] == ANSWER:
            return self._answer(packet[-1])
        if packet[0] == DATA:
            return self._stored(packet)
        results = (packet[at : at + RESULT] for at in range(0, len(packet), RESULT))
        return [said for digits in results for said in self._result(digits)]

    def _answer(self, sign: int) -> list[Said]:
        asked = self._commands.standing
        if asked in {OPEN, START}:
            self._commands.settle()
        if self._phase is Phase.OPEN and asked == OPEN:
            # Whatever it answered, it is awake.
            self._phase = Phase.START
            self._commands.put(START)
        elif self._phase is Phase.START and asked == START:
            if sign != ACK:
                return [self._over("the monitor refused the start")]
            self._phase = Phase.MEASURE
        return [Notice(AT_REST if self._phase is Phase.REST else MEASURING)]

    def _result(self, digits: bytes) -> list[Said]:
        self._last = b""
        told = _meaning(digits)
        ours = self._phase in {Phase.START, Phase.MEASURE}
        if ours:
            self._phase = Phase.REST
            self._commands.hurry(END)
        if self._now_ms is not None and not ours and told.systolic is None:
            # Somebody else's failed try is no failure of ours, and is not repeated from here.
            return [Notice("a reading at the monitor has failed")]
        return [told]

    def _stored(self, packet: bytes) -> list[Said]:
        if self._now_ms is not None:
            return [Fault("stored readings nobody asked for", len(packet))]
        again, self._last = packet == self._last, packet
        digits = packet[HEAD:-1]
        records = [bytes.fromhex(digits[at : at + RECORD].decode()) for at in range(0, len(digits), RECORD)]
        return [Notice("readings stored in the monitor"), *([] if again else map(_of_record, records))]

    # Commands out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Queue what is due, and give up what takes too long."""
        self._now_ms = now_ms
        if self._heard_ms is not None and now_ms - self._heard_ms >= QUIET_MS:
            self._heard_ms = None
            self._answers.owe(*self._answers.feed(END_OF_RUN))
        lost = self._commands.tick(now_ms)
        if lost == START and self._phase is Phase.START:
            self._phase = Phase.MEASURE  # it may have started all the same, and cannot be stopped
        elif lost == OPEN and self._phase is Phase.OPEN:
            self._tries += 1
            if self._tries < OPEN_TRIES:
                self._commands.put(WAKE, OPEN)
            else:
                self._answers.owe(self._over("the monitor does not answer: not started"))
        if self._ordered_ms is None:
            self._ordered_ms = now_ms
        if self._phase is not Phase.REST and now_ms - self._ordered_ms >= GIVEN_UP_MS:
            self._answers.owe(
                self._over(f"no cuff result within {GIVEN_UP_MS // 1000} s: look at the monitor")
            )
        if self._phase is Phase.REST and self._commands.idle and now_ms >= self._poll_ms:
            self._commands.put(WAKE, OPEN)
            self._poll_ms = now_ms + POLL_MS

    def due_ms(self) -> int:
        """The next command, the end of a run of digits, or the end of a reading's time."""
        now_ms = self._now_ms or 0
        if self._ordered_ms is None:
            return now_ms
        due_ms = self._commands.due_ms()
        if self._phase is not Phase.REST:
            due_ms = min(due_ms, self._ordered_ms + GIVEN_UP_MS)
        elif due_ms == NEVER_MS:
            due_ms = self._poll_ms
        return due_ms if self._heard_ms is None else min(due_ms, self._heard_ms + QUIET_MS)

    def to_send(self) -> bytes:
        """The next command, if its time has come."""
        return b"" if self._now_ms is None else self._commands.to_send()

    def farewell(self) -> tuple[bytes, ...]:
        """The talk is ended, if it was opened; not while a cuff measures: what it does then is not known."""
        opened, self._poll_ms = self._poll_ms > 0, 0
        return (END,) if opened and self._phase is Phase.REST else ()

    def start_cuff(self) -> str | None:
        """Queue waking the monitor, opening the talk and the start."""
        if self._phase is not Phase.REST:
            return ALREADY_STARTED
        self._phase, self._ordered_ms, self._tries = Phase.OPEN, None, 0
        self._commands.hurry(WAKE, OPEN)
        return None

    def cancel_cuff(self) -> None:
        """Drop a start that still waits, and wait no longer; a cuff that runs has a button of its own."""
        if self._phase is Phase.OPEN:
            self._answers.owe(self._over(CANCELLED))
        elif self._phase is not Phase.REST:
            self._answers.owe(self._over(NO_STOP))
        else:
            self._commands.hurry(END)

    def _over(self, why: str) -> Said:
        self._phase = Phase.REST
        self._commands.hurry(END)
        return failed(why)


def _cut(held: bytearray, at: int) -> Cut:
    first = held[at]
    if first in b"\r\n":
        return 1, ""
    if first == ANSWER:
        return _cut_answer(bytes(held[at : at + len(ANSWERS) + 1]))
    if first == DATA:
        return _cut_stored(held, at)
    return _cut_digits(held, at)


def _cut_digits(held: bytearray, at: int) -> Cut:
    run = HEX.match(held, at)
    to = run.end() if run else at
    if to == at:
        begins = BEGINS.search(held, at)
        return (begins.start() if begins else len(held)) - at, BETWEEN
    if to - at == RUN_MAX:
        return RUN_MAX, BETWEEN
    if to == len(held):
        return 0, None
    return (to - at, None) if _is_results(held[at:to]) else (to - at, "digits that are no result")


def _cut_answer(packet: bytes) -> Cut:
    if not packet.startswith(ANSWERS[: len(packet)]):
        return 1, BETWEEN
    if len(packet) <= len(ANSWERS):
        return 0, None
    return (len(packet), None) if packet[-1] in {ACK, NAK, XOFF} else (1, BETWEEN)


def _cut_stored(held: bytearray, at: int) -> Cut:
    begin = bytes(held[at : at + HEAD])
    if not begin.startswith(STORED[: len(begin)]):
        return 1, BETWEEN
    if len(begin) < HEAD:
        return 0, None
    head = STORED_HEAD.fullmatch(begin)
    if head is None:
        return 1, BETWEEN
    # What the length counts is not known: digits, pairs, or the digits with the 0 in front. The sum decides.
    length = int(head["length"], 16)
    for size in sorted({length - 1, length, 2 * length}):
        if not 0 < size <= STORED_MAX or size % RECORD:
            continue
        end = at + HEAD + size + 1
        if len(held) < end:
            return 0, None
        packet = bytes(held[at:end])
        if checksum(packet[1:-1]) == packet[-1] and re.fullmatch(rb"[0-9A-Fa-f]+", packet[HEAD:-1]):
            return len(packet), None
    return 1, WRONG_CHECKSUM


def _is_results(run: bytearray) -> bool:
    return len(run) % RESULT == 0 and all(
        int(run[at : at + 2], 16) in CODES for at in range(0, len(run), RESULT)
    )


def _meaning(digits: bytes) -> Cuff:
    code, pulse_pressure, diastolic, pulse, _ = bytes.fromhex(digits.decode())
    if code != GOOD:
        return failed(f"the cuff measurement failed (code {code:02X} of the monitor)")
    return _pressures(pulse_pressure, diastolic, pulse)


def _of_record(record: bytes) -> Cuff:
    pulse_pressure, diastolic, pulse, _, _, year, month, day, hour, minute, second = record
    time = f"{1900 + year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
    return _pressures(pulse_pressure, diastolic, pulse, time)


def _pressures(pulse_pressure: int, diastolic: int, pulse: int, device_time: str | None = None) -> Cuff:
    if not pulse_pressure or not diastolic:
        return failed("the cuff shows no pressures", device_time)
    return measured(pulse_pressure + diastolic, diastolic, None, pulse, device_time=device_time)


# Both sides of the wire.


def checksum(body: bytes) -> int:
    """The sum of the bytes behind STX modulo 256."""
    return sum(body) & 0xFF


def encode_command(code: str) -> bytes:
    """A command of the host: two digits behind CPC."""
    body = b"CPC" + code.encode("ascii")
    return bytes([DATA]) + body + bytes([checksum(body)])


def encode_answer(sign: int = ACK) -> bytes:
    """What the monitor answers to a command: ACK, NAK or XOFF."""
    return ANSWERS + bytes([sign])


def encode_host_answer(sign: int = ACK) -> bytes:
    """What a host answers to stored readings."""
    return b"\x01PC70" + bytes([sign])


def encode_result(systolic: int = 0, diastolic: int = 0, pulse: int = 0, *, code: int = GOOD) -> bytes:
    """The ten digits that the monitor sends by itself after a reading."""
    return f"{code:02X}{systolic - diastolic:02X}{diastolic:02X}{pulse:02X}00".encode("ascii")


def encode_stored(systolic: int, diastolic: int, pulse: int, *, time: Sequence[int]) -> bytes:
    """The answer with a stored reading; `time` is year, month, day, hour, minute and second.

    That its length counts digits is a choice of this project.
    """
    year, *rest = time
    record = bytes([systolic - diastolic, diastolic, pulse, 0, 0, year - 1900, *rest]).hex().upper()
    body = f"D70{len(record):04X}0{record}".encode("ascii")
    return bytes([DATA]) + body + bytes([checksum(body)])


OPEN, END, START = map(encode_command, ("05", "04", "40"))
WAKE = b"\x55"


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options)
    if unknown:
        raise ValueError(f"and-ua767pc has no option {unknown[0]!r}; it has none")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether an answer, stored readings or a result with an end is somewhere in these bytes."""
    return any(isinstance(one, bytes) for one in Packets(_cut).feed(raw))


DRIVER = Driver(
    name="and-ua767pc",
    title="A&D UA-767PC",
    models=("A&D UA-767PC",),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.PULSE_NIBP),
    settings=SerialSettings(stop=2),
    cuff=True,
    starts_cuff=True,
    led=True,
    polled=True,
    silent_after_ms=SILENT_AFTER_MS,
    hint="check that the cable is A&D's own PC cable and sits in the monitor's side",
    looks_like=looks_like,
    known_by="answers that begin with 70PC, or runs of ten hex digits",
    question=WAKE + OPEN,  # the first one only wakes it; the next is answered
    remark="known from one source only",
)

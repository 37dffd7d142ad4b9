"""SunTech OEM blood-pressure modules (Advantage LX, A+, Mini): we start the cuff, watch its pressure, fetch.

A packet of the module begins with 3E and its length, and all its bytes add up to 0; one of ours begins with
3A and has no length. The module speaks when it is asked, but for the one letter at the end of a measurement:
what a packet is says its length, not what was asked last.

Until `tick` is called for the first time the decoder only listens, and every result counts. From then on it
is the host: it stops whatever runs, and takes a result only when it has asked for one after a reading of its
own, for a result of before may still stand in the module.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    NOT_STARTED,
    Answers,
    Commands,
    failed,
    measured,
)
from monitor.devices.driver import Driver
from monitor.devices.framing import WRONG_CHECKSUM, Cut, printable
from monitor.model import Fault, Notice, Said, Vital

HOST, MODULE = 0x3A, 0x3E

LETTER, PRESSURE, RESULT, FIRMWARE = 4, 5, 0x18, 0x43
"""The lengths of the module's packets (fact sheet, 2)."""
LENGTHS = frozenset({LETTER, PRESSURE, RESULT, FIRMWARE})
BETWEEN = "bytes between packets"

SYSTOLIC, DIASTOLIC, RATE, MEAN, ERROR = 2, 4, 16, 18, 20  # offsets in a result, pressures of two bytes

STARTED, DONE, ABORTED, BUSY, ASLEEP = b"O", b"K", b"A", b"B", b"S"
REFUSALS = {
    b"E": "the module reports an error",
    b"T": "the module took too long",
    b"N": "the module does not know the command",
    b"D": "the module could not read the command",
}
LETTERS = {
    STARTED: MEASURING,
    DONE: AT_REST,
    ABORTED: "cuff stopped",
    BUSY: "cuff module busy",
    ASLEEP: "cuff module asleep",
}

ERRORS = {
    0x01: "weak pulse, or none",
    0x02: "movement, or an irregular pulse",
    0x03: "the pressure was out of range",
    0x04: "the cuff measurement took too long",
    0x55: "the tube is blocked",
    0x56: "stopped by somebody",
    0x57: "the cuff could not be pumped up: is it loose, or does it leak?",
    0x58: "stopped by the module's safety time",
    0x59: "over-pressure",
    0x5A: "power or hardware fault of the module",
    0x5B: "the module could not set its zero",
    0x61: "pressure sensor out of range",
    0x63: "the module's calibration is lost",
}

GAP_MS = 100  # fact sheet, 1
ANSWER_MS = 3_000
POLL_RESTING_MS, POLL_MEASURING_MS = 2_000, 200
BUSY_MS, BUSY_TRIES = 2_000, 5
RESULT_TRIES = 3

NO_PRESSURE = -1
PRESSED_MMHG = 15
"""Below this the cuff has let go of the arm (fact sheet, 3)."""
LETS_GO_MS = 10_000
HELD = "the cuff is still under pressure after a stop: take it off the arm"


class Phase(Enum):
    """How far a reading that was ordered from here is."""

    REST = auto()
    START = auto()
    MEASURE = auto()
    FETCH = auto()


class Decoder:
    """Reads the module's packets, and leads it once it is given time."""

    def __init__(self) -> None:
        """Begin before the first byte; nothing is known of the module."""
        self._answers = Answers(_cut, self._packet)
        self._now_ms: int | None = None
        self._fresh = True
        self._commands = Commands(GAP_MS, ANSWER_MS, (WAKE,))
        self._poll_ms = 0
        self._phase = Phase.REST
        self._ordered_ms: int | None = None
        self._tries = 0
        self._stopped_ms: int | None = None
        self._pressed = False
        self._last = b""

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What the packets that these bytes complete say."""
        return self._answers.feed(data)

    def close(self) -> list[Said]:
        """What is left over; a reading that was running is lost, and a new connection begins with a stop."""
        said = self._answers.close()
        self._last = b""
        if self._phase is not Phase.REST:
            said.append(self._over(LINE_LOST))
        self._fresh, self._pressed, self._stopped_ms = True, False, None
        self._commands.forget()
        return said

    # What a packet says.

    def _packet(self, packet: bytes) -> list[Said]:
        if len(packet) == LETTER:
            return self._letter(packet[2:3])
        if len(packet) == PRESSURE:
            return self._pressure(int.from_bytes(packet[2:4], "little", signed=True))
        if len(packet) == RESULT:
            return self._result(packet)
        text = packet[2:-1].rstrip(b"\0 ").decode("latin-1")
        return [Notice(f"cuff module {printable(text)}")]

    def _letter(self, letter: bytes) -> list[Said]:
        said: list[Said] = [Notice(LETTERS.get(letter) or REFUSALS.get(letter, "cuff module answers"))]
        self._last = b""
        standing = self._commands.standing
        if standing in {ABORT, POLL}:
            self._commands.settle()
        if self._phase is Phase.MEASURE:
            said += self._ended(letter)
        elif standing == START and letter not in {DONE, ABORTED}:  # those answer an earlier stop
            self._commands.settle()
            said += self._start_answered(letter)
        return said

    def _start_answered(self, letter: bytes) -> list[Said]:
        if letter == STARTED:
            self._phase, self._poll_ms = Phase.MEASURE, self._now_ms or 0
            return []
        if letter in {BUSY, ASLEEP}:
            self._tries += 1
            if self._tries > BUSY_TRIES:
                return [self._stop("the module stays busy" if letter == BUSY else "the module does not wake")]
            if letter == BUSY:
                self._commands.put(START, after_ms=BUSY_MS)
            else:
                self._commands.put(WAKE, START)
            return []
        return [self._stop(REFUSALS.get(letter, "the module refused the start"))]

    def _ended(self, letter: bytes) -> list[Said]:
        if letter == DONE:
            self._phase, self._tries = Phase.FETCH, 0
            self._commands.hurry(FETCH)
            return []
        if letter == ABORTED:
            return [self._stop("the measurement was stopped at the module")]
        return [self._stop(REFUSALS[letter])] if letter in REFUSALS else []

    def _pressure(self, mmhg: int) -> list[Said]:
        if self._commands.standing == POLL:
            self._commands.settle()
        self._pressed = mmhg >= PRESSED_MMHG
        if not self._pressed:
            self._stopped_ms = None
            if mmhg == NO_PRESSURE:
                return [Notice("no cuff pressure")]
            return [Notice(AT_REST if self._phase is Phase.REST else MEASURING)]
        self._last = b""
        if self._stopped_ms is None or self._now_ms is None:
            return [Notice(MEASURING)]
        if self._now_ms - self._stopped_ms < LETS_GO_MS:
            return [Notice("cuff stopped")]
        self._commands.hurry(ABORT)
        self._stopped_ms = self._now_ms - LETS_GO_MS // 2
        return [Notice(HELD)]

    def _result(self, packet: bytes) -> list[Said]:
        if self._now_ms is None:
            again, self._last = packet == self._last, packet
            return [] if again else [_meaning(packet)]
        if self._commands.standing != FETCH:
            return [Fault("a result nobody asked for", len(packet))]
        self._commands.settle()
        self._phase = Phase.REST
        return [_meaning(packet)]

    # Commands out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Queue what is due, and give up what takes too long."""
        self._now_ms = now_ms
        lost = self._commands.tick(now_ms)
        if self._fresh:
            # No cuff of an earlier life goes on: it would be nobody's.
            self._fresh = False
            self._stop_now()
            return
        if lost is not None:
            self._answers.give_way()
            self._unanswered(lost)
        if self._ordered_ms is None:
            self._ordered_ms = now_ms
        if self._phase is not Phase.REST and now_ms - self._ordered_ms >= GIVEN_UP_MS:
            self._answers.owe(self._stop(f"no cuff result within {GIVEN_UP_MS // 1000} s: stopped"))
        if self._commands.idle and now_ms >= self._poll_ms:
            self._commands.put(POLL)
            self._poll_ms = now_ms + self._every_ms()

    def _unanswered(self, command: bytes) -> None:
        if command == ABORT and self._phase is Phase.REST:
            self._commands.put(ABORT)
        elif command == START:
            # It may have started all the same.
            self._answers.owe(self._stop(NOT_STARTED))
        elif command == FETCH:
            self._tries += 1
            if self._tries < RESULT_TRIES:
                self._commands.put(FETCH)
            else:
                self._answers.owe(self._stop("the module gave no result"))

    def due_ms(self) -> int:
        """The next poll or command, the end of the patience, or the end of a reading's time."""
        now_ms = self._now_ms or 0
        if self._fresh or self._ordered_ms is None:
            return now_ms
        ends_ms = NEVER_MS if self._phase is Phase.REST else self._ordered_ms + GIVEN_UP_MS
        return min(self._poll_ms if self._commands.idle else self._commands.due_ms(), ends_ms)

    def to_send(self) -> bytes:
        """The next command, if its time has come."""
        return b"" if self._now_ms is None else self._commands.to_send()

    def start_cuff(self) -> str | None:
        """Queue the start of a reading of an adult."""
        if self._phase is not Phase.REST:
            return ALREADY_STARTED
        if self._pressed:
            return "the cuff is still under pressure"
        self._phase, self._ordered_ms, self._tries = Phase.START, None, 0
        self._stopped_ms = None
        self._commands.put(START)
        return None

    def cancel_cuff(self) -> None:
        """Stop the module and let the air out, whatever it is doing."""
        if self._phase is not Phase.REST:
            self._answers.owe(self._stop(CANCELLED))
        else:
            self._stop_now()

    def _stop(self, why: str) -> Said:
        self._stop_now()
        return self._over(why)

    def _stop_now(self) -> None:
        self._commands.hurry(ABORT)
        self._stopped_ms = self._now_ms
        self._poll_ms = self._now_ms or 0

    def _over(self, why: str) -> Said:
        self._phase = Phase.REST
        return failed(why)

    def _every_ms(self) -> int:
        quick = self._phase is Phase.MEASURE or self._stopped_ms is not None
        return POLL_MEASURING_MS if quick else POLL_RESTING_MS


def _cut(held: bytearray, at: int) -> Cut:
    begin = held.find(MODULE, at)
    if begin != at:
        return (len(held) if begin < 0 else begin) - at, BETWEEN
    if len(held) - at < 2:
        return 0, None
    length = held[at + 1]
    if length not in LENGTHS:
        return 1, BETWEEN
    if len(held) - at < length:
        return 0, None
    return (1, WRONG_CHECKSUM) if sum(held[at : at + length]) & 0xFF else (length, None)


def _meaning(packet: bytes) -> Said:
    if error := packet[ERROR]:
        return failed(ERRORS.get(error, f"the cuff measurement failed (code {error:02X}h)"))
    systolic, diastolic, mean = (
        int.from_bytes(packet[at : at + 2], "little", signed=True) for at in (SYSTOLIC, DIASTOLIC, MEAN)
    )
    if min(systolic, diastolic, mean) <= 0:
        return failed("the cuff shows no pressures")
    return measured(systolic, diastolic, mean, packet[RATE])


# Both sides of the wire.


def encode_command(body: bytes) -> bytes:
    """A command of the host: 3A, the body, and what makes all bytes add up to 0 modulo 256."""
    whole = bytes([HOST]) + body
    return whole + bytes([-sum(whole) & 0xFF])


def encode_inflation(mmhg: int) -> bytes:
    """The command that sets how far the cuff is pumped up at first."""
    return encode_command(b"\x17" + mmhg.to_bytes(2, "little"))


def encode_packet(body: bytes) -> bytes:
    """A packet of the module around its body."""
    whole = bytes([MODULE, len(body) + 3]) + body
    return whole + bytes([-sum(whole) & 0xFF])


def encode_pressure(mmhg: int | None) -> bytes:
    """The pressure in the cuff; None is "not available"."""
    return encode_packet((-1 if mmhg is None else mmhg).to_bytes(2, "little", signed=True))


def encode_result(
    systolic: int = 0,
    diastolic: int = 0,
    mean: int = 0,
    rate: int = 0,
    *,
    beats: int = 0,
    status: int = 0,
    error: int = 0,
) -> bytes:
    """The 24 bytes of a result, or of a failure."""
    body = bytearray(RESULT - 3)
    for at, number in ((SYSTOLIC, systolic), (DIASTOLIC, diastolic), (MEAN, mean)):
        body[at - 2 : at] = number.to_bytes(2, "little")
    body[6 - 2], body[7 - 2], body[RATE - 2], body[ERROR - 2] = beats, status, rate, error
    return encode_packet(bytes(body))


START = encode_command(b"\x20")
ABORT = encode_command(b"\x79\x01\x00")
POLL = encode_command(b"\x79\x05\x00")
FETCH = encode_command(b"\x79\x03\x00")
WAKE = b"\x00"
"""Any byte wakes a sleeping module; it begins no packet."""


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options)
    if unknown:
        raise ValueError(f"suntech has no option {unknown[0]!r}; it has none")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether three packets in a row, or a whole result, are somewhere in these bytes."""
    held = bytearray(raw)
    for begin in range(len(held)):
        at, packets = begin, 0
        while length := _whole_at(held, at):
            at, packets = at + length, packets + 1
            if length == RESULT or packets == 3:
                return True
    return False


def _whole_at(raw: bytearray, at: int) -> int:
    """The length of the packet that stands there, or 0."""
    length, why = _cut(raw, at) if at < len(raw) else (0, None)
    return length if why is None else 0


DRIVER = Driver(
    name="suntech",
    title="SunTech OEM blood pressure module",
    models=("SunTech Advantage LX", "SunTech Advantage A+", "SunTech Advantage Mini"),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP),
    cuff=True,
    starts_cuff=True,
    led=True,
    polled=True,
    silent_after_ms=3 * ANSWER_MS,
    hint="check that the module has power and its cable is at a level it knows: RS-232, or 3.3 or 5 V TTL",
    looks_like=looks_like,
    known_by="packets that begin with 3E and add up to 0",
    question=POLL,
)

"""PAR NIBP2010 and NIBP2020 modules: text between two control bytes, a command of two digits, `X` to stop.

While it measures the module says the pressure in the cuff several times a second, then `999`, and its result
when it is asked for its status. The status repeats the last result for ever, after an error too: what is in
it counts only behind a `999` of a reading that was ordered from here. Until `tick` is called for the first
time the decoder only listens, and tells every good result once.

The board with an oximeter has other control bytes and mixes binary packets in: both forms are always read,
`board` says in which one we speak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from monitor.devices.codecs.commands import (
    ALREADY_STARTED,
    AT_REST,
    CANCELLED,
    LINE_LOST,
    MEASURING,
    Answers,
    Commands,
    failed,
    measured,
)
from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import WRONG_CHECKSUM, Cut, Packets
from monitor.model import Fault, Notice, Quality, Said, Sample, Vital

PLAIN, COMBO = "nibp", "combo"
LIMITS = {PLAIN: (b"\x02", b"\x03"), COMBO: (b"\xfd", b"\xfe")}
STARTS, STOPS = b"\x02\xfd", b"\x03\xfe"
TEXT_MAX = 64  # the longest we know, the status, has 39 characters
TEXT = re.compile(rb"[ -~]{0,%d}" % TEXT_MAX)
BEGINS = re.compile(rb"[\x02\xfd\x55\r\n]")
BETWEEN = "bytes between words"
OXIMETER_BEGINS, OXIMETER_SIZE = b"\x55\xaa\x07", 9

STOP = b"X"
"""Stops at once, without any frame around it."""
MEASURE, MANUAL, STATUS, ADULT = "01", "03", "18", "24"

PRESSURE = re.compile(rb"(?P<mmhg>\d{3})C\dS(?P<state>\d)")
END = b"999"
GROUP = rb"(?:[ \d]{2}\d|---|   )"
REPORT = re.compile(
    rb"S(?P<state>\d);A(?P<patient>\d);C(?P<cycle>\d\d);M(?P<message>\d\d);"
    rb"P(?P<pressures>" + 3 * GROUP + rb");R(?P<pulse>" + GROUP + rb");T(?P<wait>.{4});;"
    rb"(?P<sum>[0-9A-Fa-f]{2})"
)

# S (fact sheet, 3).
STANDBY, FAULTY, RUNNING, CYCLING = 1, 2, 3, 6
PRESSED = {RUNNING, 8, 9}  # 8 and 9, pumping and holding, are UNSURE: told, and nothing hangs on them
STATES = {
    0: "cuff module testing itself",
    FAULTY: "cuff module reports an error",
    4: "cuff module in manometer mode",
    5: "cuff module starting",
    7: "cuff module testing for leaks",
}
COMPLETE = {STANDBY, RUNNING, CYCLING}

GOOD = {0, 3}
NOT_UNDERSTOOD = 2
MESSAGES = {
    NOT_UNDERSTOOD: "the module did not know the command",
    6: "the cuff is loose, or could not be pumped up",
    7: "the cuff leaks",
    8: "pneumatic fault of the module",
    9: "too weak a pulse, or it took too long",
    10: "the result was out of range",
    11: "movement",
    12: "over-pressure",
    13: "the signal was too strong: movement?",
    14: "the leak test found a leak",
    15: "fault of the module",
}

NO_FINGER, NO_SPO2, NO_PULSE = 0x02, 0x7F, 0xFF
WITHOUT_FINGER = "no finger in the probe"

GAP_MS = 1_000  # fact sheet, 1
ANSWER_MS = 3_000
POLL_MS = 5_000
STARTS_WITHIN_MS = 20_000  # three commands a second apart, and the pump's own time
GIVEN_UP_MS = 150_000  # fact sheet, 4
RESTS_MS = 60_000
"""The arm's veins must empty after a failed reading (fact sheet, 4)."""
REPORT_TRIES = 3


class Phase(Enum):
    """How far a reading that was ordered from here is."""

    REST = auto()
    START = auto()
    MEASURE = auto()
    FETCH = auto()


class Decoder:
    """Reads the module's words, and leads it once it is given time."""

    def __init__(self, board: str = PLAIN, *, strict: bool = True) -> None:
        """`strict`: a status with a wrong checksum is dropped; otherwise it is counted, read and doubted."""
        self._strict = strict
        self._answers = Answers(_cut, self._packet)
        self._ask = encode_command(STATUS, board)
        self._start = [encode_command(code, board) for code in (ADULT, MANUAL, MEASURE)]
        self._commands = Commands(GAP_MS, ANSWER_MS, (STOP, *self._start))
        self._now_ms: int | None = None
        self._fresh = True
        self._poll_ms = 0
        self._phase = Phase.REST
        self._ordered_ms: int | None = None
        self._tries = 0
        self._rested_ms = 0
        self._last = b""

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What the words in these bytes say."""
        return self._answers.feed(data)

    def close(self) -> list[Said]:
        """What is left over; a reading that was running is lost, and a new connection begins with a stop."""
        said = self._answers.close()
        self._last = b""
        if self._phase is not Phase.REST:
            self._phase = Phase.REST
            said.append(failed(LINE_LOST))
        self._fresh = True
        self._commands.forget()
        return said

    def _packet(self, packet: bytes) -> list[Said]:
        if packet.startswith(OXIMETER_BEGINS):
            return _oximeter(packet)
        text = packet[1:-1]
        if text == END:
            return self._end()
        if found := PRESSURE.fullmatch(text):
            return self._pressure(int(found["state"]))
        if (report := REPORT.fullmatch(text)) is None:
            return [Fault("not a word of this module", len(packet))]
        doubted = checksum(text[:-2]) != report["sum"].upper()
        if doubted and self._strict:
            return [Fault(WRONG_CHECKSUM, len(packet))]
        faults: list[Said] = [Fault("wrong checksum, read all the same", 0)] if doubted else []
        return faults + self._report(text, report, doubted="the checksum was wrong" if doubted else None)

    def _pressure(self, state: int) -> list[Said]:
        self._last = b""
        if self._phase is Phase.START and self._commands.idle:
            self._phase = Phase.MEASURE
        return [Notice(STATES.get(state, MEASURING))]

    def _end(self) -> list[Said]:
        self._last = b""
        if self._phase is Phase.MEASURE:
            self._phase, self._tries = Phase.FETCH, 0
            self._commands.put(self._ask)
        return [Notice(AT_REST)]

    def _report(self, text: bytes, report: re.Match[bytes], *, doubted: str | None) -> list[Said]:
        state, message = int(report["state"]), int(report["message"])
        said: list[Said] = [Notice(MEASURING if state in PRESSED else STATES.get(state, AT_REST))]
        if self._commands.standing == self._ask:
            self._commands.settle()
        if self._now_ms is None:
            again, self._last = text == self._last, text
            return said if again else said + _meaning(report, doubted)
        if self._phase is Phase.FETCH:
            return said + self._fetched(state, report, doubted)
        if self._phase is Phase.MEASURE and state == FAULTY and message not in GOOD:
            return [*said, self._stop(_why(message))]
        return said

    def _fetched(self, state: int, report: re.Match[bytes], doubted: str | None) -> list[Said]:
        if state == RUNNING and b"---" in report["pressures"] and self._tries < REPORT_TRIES:
            self._tries += 1
            self._commands.put(self._ask)
            return []
        self._phase = Phase.REST
        told = _meaning(report, doubted) or [failed("the cuff shows no pressures")]
        if not any(getattr(one, "systolic", None) for one in told):
            self._rested_ms = (self._now_ms or 0) + RESTS_MS
        return told

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
            self._unanswered()
        if self._ordered_ms is None:
            self._ordered_ms = now_ms
        since_ms = now_ms - self._ordered_ms
        if self._phase is Phase.START and since_ms >= STARTS_WITHIN_MS:
            self._answers.owe(self._stop("the cuff did not start: stopped"))
        elif self._phase is not Phase.REST and since_ms >= GIVEN_UP_MS:
            self._answers.owe(self._stop(f"no cuff result within {GIVEN_UP_MS // 1000} s: stopped"))
        if self._phase is Phase.REST and self._commands.idle and now_ms >= self._poll_ms:
            self._commands.put(self._ask)
            self._poll_ms = now_ms + POLL_MS

    def _unanswered(self) -> None:
        if self._phase is not Phase.FETCH:
            return
        self._tries += 1
        if self._tries < REPORT_TRIES:
            self._commands.put(self._ask)
        else:
            self._answers.owe(self._stop("the module gave no result"))

    def due_ms(self) -> int:
        """The next question or command, the end of the patience, or the end of a reading's time."""
        now_ms = self._now_ms or 0
        if self._fresh:
            return now_ms
        due_ms = self._commands.due_ms()
        if self._phase is Phase.REST:
            return min(due_ms, self._poll_ms) if self._commands.idle else due_ms
        within_ms = STARTS_WITHIN_MS if self._phase is Phase.START else GIVEN_UP_MS
        return min(due_ms, now_ms if self._ordered_ms is None else self._ordered_ms + within_ms)

    def to_send(self) -> bytes:
        """The next command, if its time has come."""
        return b"" if self._now_ms is None else self._commands.to_send()

    def start_cuff(self) -> str | None:
        """Queue adult, manual mode and start, a second apart."""
        now_ms = self._now_ms or 0
        if self._phase is not Phase.REST:
            return ALREADY_STARTED
        if now_ms < self._rested_ms:
            left_s = -(-(self._rested_ms - now_ms) // 1000)
            return f"the arm must rest after a failed reading: {left_s} s more"
        self._phase, self._ordered_ms = Phase.START, None
        self._commands.hurry(*self._start)
        return None

    def cancel_cuff(self) -> None:
        """Stop the module at once, whatever it is doing."""
        if self._phase is not Phase.REST:
            self._answers.owe(failed(CANCELLED))
        self._stop_now()

    def _stop(self, why: str) -> Said:
        self._stop_now()
        self._rested_ms = (self._now_ms or 0) + RESTS_MS
        return failed(why)

    def _stop_now(self) -> None:
        self._phase = Phase.REST
        self._commands.hurry(STOP, at_once=True)
        self._poll_ms = min(self._poll_ms, (self._now_ms or 0) + GAP_MS)


def _cut(held: bytearray, at: int) -> Cut:
    first = held[at]
    if first in b"\r\n":
        return 1, ""
    if first in STARTS:
        return _cut_word(held, at)
    if first == OXIMETER_BEGINS[0]:
        return _cut_oximeter(held[at : at + OXIMETER_SIZE])
    begins = BEGINS.search(held, at)
    return (begins.start() if begins else len(held)) - at, BETWEEN


def _cut_word(held: bytearray, at: int) -> Cut:
    text = TEXT.match(held, at + 1)
    to = text.end() if text else at + 1
    if to == len(held):
        return 0, None
    if held[to] in STOPS:
        return to + 1 - at, None
    begins = held.find(OXIMETER_BEGINS[:1], at, to)  # it is a letter too
    return (to if begins < 0 else begins) - at, "an unfinished word"


def _cut_oximeter(packet: bytearray) -> Cut:
    if not packet.startswith(OXIMETER_BEGINS[: len(packet)]):
        return 1, BETWEEN
    if len(packet) < OXIMETER_SIZE:
        return 0, None
    return (OXIMETER_SIZE, None) if sum(packet[2:-1]) & 0xFF == packet[-1] else (1, WRONG_CHECKSUM)


def _meaning(report: re.Match[bytes], doubted: str | None) -> list[Said]:
    message = int(report["message"])
    if message not in GOOD:
        return [failed(_why(message))]
    systolic, diastolic, mean = (_number(report["pressures"][at : at + 3]) for at in (0, 3, 6))
    if int(report["state"]) not in COMPLETE or systolic is diastolic is mean is None:
        return []
    return [measured(systolic, diastolic, mean, _number(report["pulse"]), doubted=doubted)]


def _why(message: int) -> str:
    return MESSAGES.get(message, f"the cuff measurement failed (code {message:02d})")


def _number(field: bytes) -> int | None:
    text = field.strip()
    return int(text) if text.isdigit() else None


def _oximeter(packet: bytes) -> list[Said]:
    status, spo2, pulse = packet[4:7]
    if status & NO_FINGER:
        return [
            Sample(Vital.SPO2, None, Quality.MISSING, WITHOUT_FINGER),
            Sample(Vital.PULSE_SPO2, None, Quality.MISSING, WITHOUT_FINGER),
            Notice(WITHOUT_FINGER),
        ]
    return [_sample(Vital.SPO2, spo2, NO_SPO2, 100), _sample(Vital.PULSE_SPO2, pulse, NO_PULSE, 254)]


def _sample(vital: Vital, number: int, missing: int, most: int) -> Sample:
    if number == missing:
        return Sample(vital, None, Quality.MISSING, "no reading")
    if number > most:
        return Sample(vital, None, Quality.INVALID, "not a number it can measure")
    return Sample(vital, number)


# Both sides of the wire.


def checksum(text: bytes) -> bytes:
    """Two upper-case hex digits: the sum of the characters modulo 256 (fact sheet, 2)."""
    return b"%02X" % (sum(text) & 0xFF)


def encode_word(text: str, board: str = PLAIN) -> bytes:
    """A word of the module as it is: a pressure, or the `999` at the end. CR follows."""
    start, stop = LIMITS[board]
    return start + text.encode("ascii") + stop + b"\r"


def encode_command(code: str, board: str = PLAIN) -> bytes:
    """A command of the host: two digits, two semicolons, the checksum."""
    start, stop = LIMITS[board]
    body = f"{code};;".encode("ascii")
    return start + body + checksum(body) + stop


def encode_pressure(mmhg: int, *, caution: int = 0, state: int = RUNNING, board: str = PLAIN) -> bytes:
    """The pressure in the cuff while it measures."""
    return encode_word(f"{mmhg:03d}C{caution}S{state}", board)


def encode_status(
    systolic: int | None = None,
    diastolic: int | None = None,
    mean: int | None = None,
    pulse: int | None = None,
    *,
    state: int = STANDBY,
    message: int = 0,
    cycle: int = 0,
    next_s: int | None = None,
    board: str = PLAIN,
) -> bytes:
    """The status with the last result; dashes where there is none."""
    pressures = "".join("---" if one is None else f"{one:03d}" for one in (systolic, diastolic, mean))
    rate = "---" if pulse is None else f"{pulse:03d}"
    wait = "    " if next_s is None else f"{next_s:04d}"
    body = f"S{state};A0;C{cycle:02d};M{message:02d};P{pressures};R{rate};T{wait};;"
    return encode_word(body + checksum(body.encode("ascii")).decode("ascii"), board)


def encode_oximeter(
    spo2: int | None, pulse: int | None, *, index: int = 0, status: int = 0, raw: int = 0
) -> bytes:
    """A packet of the board's oximeter; `raw` is its perfusion, in no unit that is known."""
    values = NO_SPO2 if spo2 is None else spo2, NO_PULSE if pulse is None else pulse
    body = bytes([OXIMETER_BEGINS[2], index, status, *values, raw])
    return OXIMETER_BEGINS[:2] + body + bytes([sum(body) & 0xFF])


CHECKSUMS = ("strict", "warn")


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"par-nibp has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    board, how = options.get("board", PLAIN), options.get("checksum", "strict")
    if board not in LIMITS:
        raise ValueError(f"board is one of {', '.join(LIMITS)}, not {board!r}")
    if how not in CHECKSUMS:
        raise ValueError(f'checksum is "strict" or "warn", not {how!r}')
    return Decoder(board, strict=how == "strict")


def looks_like(raw: bytes) -> bool:
    """Whether a word of the module with all its parts, or a packet of its oximeter, is in these bytes."""
    return any(isinstance(one, bytes) and _is_ours(one) for one in Packets(_cut).feed(raw))


def _is_ours(packet: bytes) -> bool:
    text = packet[1:-1]
    known = REPORT.fullmatch(text) or PRESSURE.fullmatch(text)
    return known is not None or packet.startswith(OXIMETER_BEGINS)


DRIVER = Driver(
    name="par-nibp",
    title="PAR NIBP module",
    models=("PAR NIBP2010", "PAR NIBP2020 UP", "UN300C", "Sinnor N6"),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP),
    vitals_by_option={("board", COMBO): (Vital.SPO2, Vital.PULSE_SPO2)},
    settings=SerialSettings(baud=4800),
    bauds=(19200,),
    cuff=True,
    starts_cuff=True,
    led=True,
    polled=True,
    silent_after_ms=3 * POLL_MS,
    hint="check the module's power, its level (TTL or RS-232) and its speed: 4800, or 19200 with an oximeter",
    looks_like=looks_like,
    known_by="words from 02 to 03 with a status of the cuff",
    question=encode_command(STATUS),
    options={
        "baud": "4800 (default), or 19200 for the board with an oximeter",
        "board": '"nibp" (default), or "combo" for the board with an oximeter',
        "checksum": '"strict" drops a status with a wrong checksum (default), "warn" reads and doubts it',
    },
)

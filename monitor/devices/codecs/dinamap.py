"""GE CARESCAPE V100 and DINAMAP, "host communications": we ask, the monitor answers one line, CR ends it.

An answer repeats the question's three characters, then come fixed fields and a checksum. The blood pressure
answer (NA) tells the *last* measurement again and again with its age: one measurement is one `Cuff`, however
often it is asked for, and while the cuff is running the numbers are the old ones and nobody's.

Until `tick` is called for the first time the decoder only listens: a capture of the monitor's side alone can
be read. From then on it is the host: one question at a time, and an answer nobody asked for is not taken,
because after a broken line it may be a minute old and nothing in it would show that.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import Lines, leftover
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital

LINE_MAX = 64  # the longest answer we know (NA) has 21 characters; those of other groups are longer

CYCLE_MS = 1_000  # each parameter once a second, as the drivers in the field do
ANSWER_MS = 3_000
FIRST_ANSWER_MS = 1_000  # the first question only finds out whether there is a monitor
CUFF_GIVEN_UP_MS = 180_000  # a determination takes 20 to 45 s
AGE_SLACK_MS = 5_000  # ages have whole seconds, and an answer may wait for its line

NIBP, OXIMETER, RATE, TEMPERATURE = b" NA", b" OA", b" RA", b" TC"
START, CANCEL = b" NC", b" ND"
CYCLE = (NIBP, OXIMETER, RATE, TEMPERATURE)

NO_RECENT_AGE = 9999
DONE, BUSY, NOT_USED = 1, 0, 2
FAILED = {
    3: "the cuff measurement failed",
    4: "the cuff could not be pumped up in time",
    6: "the cuff measurement took too long",
    7: "the cuff stayed too long at one pressure",
    8: "over-pressure, or too much air in the cuff",
}
FAILED_SOMEHOW = "the cuff measurement ended without a result"
NO_RESULT = f"no cuff result within {CUFF_GIVEN_UP_MS // 1000} s: cancelled"

OXIMETER_OK = 1
OXIMETER_WHY = {0: "oximeter in standby", 3: "no reading, or probe off", 6: "sensor unplugged, or probe off"}
RATE_FROM_OXIMETER, RATE_FROM_CUFF = 2, 3

THERMOMETER_DONE, THERMOMETER_BUSY = 0, 1
THERMOMETER_WHY = {
    2: "the temperature measurement took too long",
    3: "thermometer without contact, or out of range",
    4: "thermometer unplugged, or the measurement broken off",
}
THERMOMETER_WATCHES = 1  # "monitor mode": the value goes on being measured, the counter stands still
NO_RECENT_TEMPERATURE_AGE = 99_999
TEMPERATURE_LIVE_MS = 15 * 60_000  # physiology.md 1, freshness
TEMPERATURE_TRIES = 3
"""So often in a row a monitor without a thermometer may keep the other questions waiting."""

LENGTH = {NIBP: 21, OXIMETER: 12, RATE: 9, TEMPERATURE: 18}
SHAPE = {
    NIBP: re.compile(rb" NA(?P<status>\d)(?P<patient>\d)(?P<type>\d)(?P<age>\d{4})(?P<pressures>[\d -]{9})"),
    OXIMETER: re.compile(rb" OA(?P<status>\d)(?P<value>[\d -]{3})(?P<signal>.)(?P<averaging>..)"),
    RATE: re.compile(rb" RA(?P<source>\d)(?P<value>[\d -]{3})"),
    TEMPERATURE: re.compile(
        rb" TC(?P<status>\d)(?P<mode>\d)(?P<counter>[ -~])(?P<age>\d{5})(?P<tenths>[\d -]{4})(?P<shown>\d)"
    ),
}
ECHO = re.compile(rb" N[CD].{0,24}")


@dataclass(frozen=True, slots=True)
class _Measured:
    """The last measurement that was told: its numbers, its age, and when (None in a capture)."""

    numbers: bytes
    age_ms: int
    at_ms: int | None


class Decoder:
    """Reads the answers, and asks the questions once it is given time."""

    def __init__(self, *, strict: bool = True) -> None:
        """`strict`: an answer with a wrong checksum is dropped; otherwise it is counted and read."""
        self._strict = strict
        self._lines = Lines(LINE_MAX, ends=b"\r")
        self._now_ms: int | None = None
        self._cycle_due_ms = 0
        self._questions: deque[bytes] = deque()
        self._asked: bytes | None = None
        self._asked_at_ms: int | None = None
        self._retried = False
        self._answered = False
        self._heard = False
        self._owed: list[Said] = []
        self._status: int | None = None
        self._measured: _Measured | None = None
        self._ordered_at_ms: int | None = None
        self._pulse_owed = True
        self._thermometer: int | None = None
        self._thermometer_told: tuple[bytes, int] | None = None
        self._temperature_misses = 0

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What the answers in these bytes say that has not been said before."""
        said, self._owed = self._owed, []
        # Some monitors end a line with CR LF: a line feed is never part of what is said.
        for line in self._lines.feed(data.replace(b"\n", b"")):
            said += [line] if isinstance(line, Fault) else self._line(line)
        return said

    def close(self) -> list[Said]:
        """The unfinished answer, if there is one; what was measured stays known over a new connection."""
        said, self._owed = self._owed, []
        if START in self._questions:
            self._ordered_at_ms = None
            said.append(_failed("the cuff could not be started: the line was lost"))
        self._asked, self._asked_at_ms, self._retried, self._answered = None, None, False, False
        self._questions.clear()
        self._temperature_misses = 0
        return said + leftover(self._lines.drop())

    def _line(self, line: bytes) -> list[Said]:
        asked = self._asked
        if asked in {START, CANCEL}:
            # What the monitor answers to these is not public: any line will do, and nothing depends on it.
            self._settle()
            return []
        if decode_question(line) is not None:
            return []  # our own question: a capture of both sides, or a cable that echoes
        answer = _answer(line, strict=self._strict)
        if isinstance(answer, Fault):
            return [answer, *self._refused()]
        if self._now_ms is not None and asked is None:
            return [Fault("an answer nobody asked for", len(line))]
        if asked is not None and answer.kind != asked:
            return [Fault("an answer to another question", len(line)), *self._refused()]
        self._settle()
        return [*answer.faults, *self._meaning(answer)]

    def _settle(self) -> None:
        self._asked, self._asked_at_ms, self._retried, self._answered = None, None, False, True
        self._heard = True

    def _refused(self) -> list[Said]:
        """Flush what has come and ask once more; a second refusal waits for the next cycle."""
        if self._asked is None:
            return []
        dropped = self._lines.drop()
        if self._retried:
            self._retried = False
            self._missed()
        else:
            self._questions.appendleft(self._asked)
            self._retried = True
        self._asked, self._asked_at_ms = None, None
        return [Fault("flushed before asking again", dropped)] if dropped else []

    # What an answer says.

    def _meaning(self, answer: _Answer) -> list[Said]:
        match answer.kind:
            case b" NA":
                return self._nibp(answer.fields)
            case b" OA":
                return _oximeter(answer.fields)
            case b" RA":
                return self._rate(answer.fields)
            case b" TC":
                return self._temperature(answer.fields)
            case _:
                return []  # the echo of a start or a cancel

    def _nibp(self, fields: Mapping[str, bytes]) -> list[Said]:
        was, self._status = self._status, int(fields["status"])
        if self._status == BUSY:
            return [Notice("cuff measuring"), *self._overdue()]
        if self._status == DONE:
            return self._done(int(fields["age"]), fields["pressures"]) or self._overdue()
        if self._status == NOT_USED:
            return self._overdue()
        # A failure is told once, when it happens. One that was already there when we came has no age: it is
        # told only in a capture, which has no before.
        if was == self._status or (was is None and self._now_ms is not None):
            return self._overdue()
        self._ordered_at_ms = None
        return [_failed(FAILED.get(self._status, FAILED_SOMEHOW))]

    def _done(self, age_s: int, pressures: bytes) -> list[Said]:
        age_ms = age_s * 1000
        last, now_ms = self._measured, self._now_ms
        if age_s == NO_RECENT_AGE:
            self._measured = _Measured(last.numbers if last else b"", age_ms, now_ms)
            return []
        self._measured = _Measured(pressures, age_ms, now_ms)
        if last is not None and not _is_new(self._measured, last):
            return []
        numbers = [_number(pressures[at : at + 3]) for at in (0, 3, 6)]
        self._ordered_at_ms = None
        self._pulse_owed = age_ms <= AGE_SLACK_MS or now_ms is None
        systolic, diastolic, mean = numbers
        if systolic is None or diastolic is None:
            return [_failed("the monitor shows no pressures")]
        return [Cuff(systolic, diastolic, mean, age_ms=age_ms)]

    def _overdue(self) -> list[Said]:
        """Give up a cuff that was ordered from here and has no result after the longest time it may take."""
        if self._ordered_at_ms is None or self._now_ms is None:
            return []
        if self._now_ms - self._ordered_at_ms < CUFF_GIVEN_UP_MS:
            return []
        self.cancel_cuff()
        return [_failed(NO_RESULT)]

    def _rate(self, fields: Mapping[str, bytes]) -> list[Said]:
        value, source = _number(fields["value"]), int(fields["source"])
        if value is not None and value <= 0:  # 000 and -99 are "no data", never a rate
            value = None
        if source == RATE_FROM_OXIMETER and value is not None:
            return [Sample(Vital.PULSE_SPO2, value)]
        why = "no reading" if source == RATE_FROM_OXIMETER else "the oximeter gives no rate"
        said: list[Said] = [Sample(Vital.PULSE_SPO2, None, Quality.MISSING, why)]
        # The rate of the cuff is repeated for as long as its pressures are; it is told once, while it is new.
        if source == RATE_FROM_CUFF and value is not None and self._pulse_owed and self._status != BUSY:
            self._pulse_owed = False
            said.append(Sample(Vital.PULSE_NIBP, value))
        return said

    def _temperature(self, fields: Mapping[str, bytes]) -> list[Said]:
        self._temperature_misses = 0
        was, self._thermometer = self._thermometer, int(fields["status"])
        if self._thermometer == THERMOMETER_BUSY:
            return []  # the number is the last one's
        if self._thermometer != THERMOMETER_DONE:
            # As with the cuff: what was already so when we came is told only in a capture.
            if was == self._thermometer or (was is None and self._now_ms is not None):
                return []
            why = THERMOMETER_WHY.get(self._thermometer, "no reading")
            return [Sample(Vital.TEMPERATURE, None, Quality.MISSING, why)]
        age_s, tenths = int(fields["age"]), _number(fields["tenths"])
        if age_s == NO_RECENT_TEMPERATURE_AGE or tenths is None:
            return []
        last, self._thermometer_told = self._thermometer_told, (fields["counter"], age_s)
        watching = int(fields["mode"]) == THERMOMETER_WATCHES
        if not watching and last is not None and last[0] == fields["counter"] and age_s >= last[1]:
            return []
        # Tenths of a degree Fahrenheit always: the unit sent beside them is only what the monitor shows.
        celsius = round((tenths / 10 - 32) * 5 / 9, 2)
        age_ms = age_s * 1000
        return [Sample(Vital.TEMPERATURE, celsius, age_ms=age_ms, late=age_ms > TEMPERATURE_LIVE_MS)]

    # Questions out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Queue what is due, and give up a question that has not been answered in time."""
        if self._now_ms is None:
            self._pulse_owed = False
            self._cycle_due_ms = now_ms
        self._now_ms = now_ms
        if self._asked is not None:
            if self._asked_at_ms is None:
                self._asked_at_ms = now_ms
            elif now_ms - self._asked_at_ms >= self._patience_ms():
                self._give_up()
        if now_ms >= self._cycle_due_ms:
            self._cycle_due_ms += CYCLE_MS
            if self._cycle_due_ms <= now_ms:
                self._cycle_due_ms = now_ms + CYCLE_MS
            self._questions.extend(
                kind for kind in CYCLE if kind not in self._questions and self._worth(kind)
            )

    def _worth(self, kind: bytes) -> bool:
        """Not every monitor has a thermometer, and one that has none may answer nothing at all."""
        return kind != TEMPERATURE or self._temperature_misses < TEMPERATURE_TRIES

    def due_ms(self) -> int:
        """The next cycle, or the end of the patience with the question that stands."""
        if self._now_ms is None:
            return 0
        if self._asked is None:
            return self._now_ms if self._questions else self._cycle_due_ms
        if self._asked_at_ms is None:
            return self._now_ms
        return self._asked_at_ms + self._patience_ms()

    def to_send(self) -> bytes:
        """The next question, if none stands unanswered."""
        if self._now_ms is None or self._asked is not None or not self._questions:
            return b""
        self._asked = self._questions.popleft()
        self._asked_at_ms = None  # known at the next tick: the last one may be old by now
        return encode_question(self._asked)

    def start_cuff(self) -> str | None:
        """Queue the start of a measurement ahead of everything else."""
        if self._status == BUSY:
            return "the cuff is already measuring"
        if self._ordered_at_ms is not None:
            return "a cuff reading has already been started"
        self._ordered_at_ms = self._now_ms or 0
        self._questions.appendleft(START)
        return None

    def cancel_cuff(self) -> None:
        """Queue the end of a measurement ahead of everything else; a start that still waits is dropped."""
        self._ordered_at_ms = None
        self._questions = deque(kind for kind in self._questions if kind not in {START, CANCEL})
        self._questions.appendleft(CANCEL)

    def _patience_ms(self) -> int:
        return ANSWER_MS if self._answered else FIRST_ANSWER_MS

    def _give_up(self) -> None:
        dropped = self._lines.drop()
        if dropped:
            self._owed.append(Fault("an answer that never ended", dropped))
        self._missed()
        self._heard = False
        # An unanswered start may have started all the same: only the result, or 180 s without one, tells.
        self._asked, self._asked_at_ms, self._retried = None, None, False

    def _missed(self) -> None:
        # Where nothing answers, the line is to blame; where all else does, there is no thermometer.
        if self._asked == TEMPERATURE and self._heard:
            self._temperature_misses += 1


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: bytes
    fields: Mapping[str, bytes]
    faults: tuple[Fault, ...] = ()


def _answer(line: bytes, *, strict: bool) -> _Answer | Fault:
    """The answer at the end of a line, with what stood before it counted; or why there is none."""
    for kind, length in LENGTH.items():
        # Noise that ate a CR glues the answer to what came before: it is the end of the line that counts.
        tail = line[-length:]
        if not tail.startswith(kind):
            continue
        body, said_sum = tail[:-2], tail[-2:]
        fields = SHAPE[kind].fullmatch(body)
        if fields is None:
            return Fault("damaged answer", len(line))
        faults = (Fault("bytes before an answer", len(line) - length),) if len(line) > length else ()
        if checksum(body) != said_sum:
            if strict:
                return Fault("wrong checksum", len(line))
            faults = (*faults, Fault("wrong checksum, read all the same", 0))
        return _Answer(kind, fields.groupdict(), faults)
    if ECHO.fullmatch(line):
        return _Answer(line[:3], {})
    return Fault("not an answer", len(line))


def _is_new(now: _Measured, last: _Measured) -> bool:
    if now.age_ms < last.age_ms or now.numbers != last.numbers:
        return True
    if now.at_ms is None or last.at_ms is None:
        return False
    # Nobody asked for a while: the same age as before can be another measurement.
    return now.age_ms < last.age_ms + (now.at_ms - last.at_ms) - AGE_SLACK_MS


def _oximeter(fields: Mapping[str, bytes]) -> list[Said]:
    status, value = int(fields["status"]), _number(fields["value"])
    if status == OXIMETER_OK and value is not None:
        return [Sample(Vital.SPO2, value)]
    why = OXIMETER_WHY.get(status, "no reading")
    return [Sample(Vital.SPO2, None, Quality.MISSING, why), Notice(why)]


def _failed(why: str) -> Cuff:
    return Cuff(None, None, quality=Quality.INVALID, why=why)


def _number(field: bytes) -> float | None:
    text = field.strip()
    return float(text) if re.fullmatch(rb"-?\d+", text) else None


def checksum(body: bytes) -> bytes:
    """Two base-64 digits over the body, unit identifier included (fact sheet, 3).

    The formula gives all published command checksums; for answers no raw capture is public, hence `warn`.
    """
    total = sum(code - 31 for code in body)
    return bytes((32 + (total >> 6 & 63), 32 + (total & 63)))


def _framed(body: bytes) -> bytes:
    return body + checksum(body) + b"\r"


def encode_question(kind: bytes) -> bytes:
    """One question or command as the host sends it: ` NA!2` CR."""
    return _framed(kind + b"0" if kind == START else kind)


def encode_nibp(
    age_s: int, systolic: float, diastolic: float, mean: float, *, status: int = DONE, patient: int = 1
) -> bytes:
    """The answer to ` NA`; an age beyond the 5400 s the monitor counts becomes 9999, "no recent reading"."""
    age = age_s if age_s <= 5400 else NO_RECENT_AGE
    body = f" NA{status}{patient}0{age:04d}{round(systolic):03d}{round(diastolic):03d}{round(mean):03d}"
    return _framed(body.encode("ascii"))


def encode_oximeter(spo2: float | None, *, status: int = OXIMETER_OK, signal: int = 5) -> bytes:
    """The answer to ` OA`; zeros where there is no value."""
    body = f" OA{status}{0 if spo2 is None else round(spo2):03d}{signal}08"
    return _framed(body.encode("ascii"))


def encode_rate(rate: float | None, *, source: int = RATE_FROM_OXIMETER) -> bytes:
    """The answer to ` RA`; 000 where there is no rate."""
    body = f" RA{source}{0 if rate is None else round(rate):03d}"
    return _framed(body.encode("ascii"))


def encode_temperature(age_s: int, celsius: float, *, counter: str = "!", shown_in_c: bool = True) -> bytes:
    """The answer to ` TC`: tenths of a degree Fahrenheit on the wire, whatever the monitor shows."""
    tenths_f = round((celsius * 9 / 5 + 32) * 10)
    body = f" TC00{counter}{min(age_s, 99999):05d}{tenths_f:04d}{int(shown_in_c)}"
    return _framed(body.encode("ascii"))


def encode_echo(kind: bytes) -> bytes:
    """What the simulated monitor answers to a start or a cancel; of the real one it is not known."""
    return encode_question(kind)


def decode_question(line: bytes) -> bytes | None:
    """For the simulated monitor: the ` xy` of a whole question without its CR, or None if it is none."""
    body, said_sum = line[:-2], line[-2:]
    if checksum(body) != said_sum:
        return None
    known = {*CYCLE, CANCEL, START + b"0"}
    return body[:3] if body in known else None


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"dinamap has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    how = options.get("checksum", "strict")
    if how not in {"strict", "warn"}:
        raise ValueError(f'checksum is "strict" or "warn", not {how!r}')
    return Decoder(strict=how == "strict")


def looks_like(raw: bytes) -> bool:
    """Whether a whole answer with a right checksum is somewhere in these bytes."""
    return any(
        isinstance(answer := _answer(line, strict=True), _Answer) and answer.fields
        for line in raw.replace(b"\n", b"").split(b"\r")
    )


DRIVER = Driver(
    name="dinamap",
    title="GE DINAMAP host communications",
    models=(
        "GE CARESCAPE V100",
        "GE DINAMAP ProCare 100-400",
        "GE DINAMAP PRO 100-400",
        "GE DINAMAP Compact",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(
        Vital.SYSTOLIC,
        Vital.DIASTOLIC,
        Vital.MEAN,
        Vital.SPO2,
        Vital.PULSE_SPO2,
        Vital.PULSE_NIBP,
        Vital.TEMPERATURE,
    ),
    cuff=True,
    starts_cuff=True,
    polled=True,
    # Three questions in a row without an answer, each with its 3 s (fact sheet, 6).
    silent_after_ms=3 * ANSWER_MS,
    hint="check the host port cable and that the monitor's baud rate is 9600",
    looks_like=looks_like,
    known_by="answers with the DINAMAP checksum",
    options={
        "checksum": '"strict" drops an answer with a wrong checksum (default), "warn" counts and reads it'
    },
)

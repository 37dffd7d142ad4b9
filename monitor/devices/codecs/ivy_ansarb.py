"""Ivy 405 and 450C, serial format "ANSAR-B": waves and lines of text, once a second; the device talks only.

A message is FF, `ANSAR-B `, 400 bytes of waves, lines that end with CR, and FE. Waves may hold any byte, so a
message is found by its head alone and ends at the first FE behind the waves. There is no checksum: a line
whose fields are not those of its name is dropped.

A blood pressure stands in every message and has no time. It is told when its numbers change while we listen
and stay for two messages; those that stood there at first are of unknown age, and are no reading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import leftover, printable
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital

HEAD, END = b"\xffANSAR-B ", b"\xfe"
WAVES = 400
TEXT_AT = len(HEAD) + WAVES
LONGEST = TEXT_AT + 1_024  # eight lines are some 150 characters
NOISE_TOLD = 256

FIELDS = {"HR": 4, "RR": 4, "ETCO2": 4, "SPO2": 4, "NIBP": 7, "P1": 6, "P2": 6, "T1": 4, "T2": 4}
"""How many fields a line has, the display code among them; the last one is the text of an alarm."""

LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9]*)=(?P<fields>\d*;[ -~]*)")
NUMBER = re.compile(r" *(\d{1,3}(?:\.\d{1,2})?) *")
NOTHING = re.compile(r"[ *?-]*")
PULSE = re.compile(r"PR=([^;]*)")

# What the texts of alarms and labels can be is not published: their words say whether a number stands.
MUTED = re.compile(r"\b(ALARMS?|AUDIO|SOUND|TONE|VOLUME) OFF\b")
USELESS = re.compile(
    r"\b(OFF|NO|FAIL\w*|FAULT|ERR\w*|DISC\w*|UNPLUG\w*|CHECK|LOST|SEARCH\w*|WARM\w*|OCCL\w*|CAL)\b"
)
POOR = re.compile(r"\b(MOTION|ARTIFACT|NOISE|WEAK|PERF\w*|SIGNAL|QUALITY|INTERF\w*)\b")
LIMIT = re.compile(r"\b(HIGH|HI|LOW|LO)\b")
APNOEA = re.compile(r"\bAPNO?EA\b")
NOT_ECG = re.compile(r"\b(PLETH|SPO2|OX\w*|P1|P2|ART|PULSE)\b")
ARTERIAL = re.compile(r"\b(ART|ABP|IBP)\b")

UNKNOWN_AGE = "blood pressure on the monitor is of unknown age: {}"

Pressures = tuple[float, float, float | None, float | None]


class Decoder:
    """Reads the messages of an Ivy monitor."""

    def __init__(self) -> None:
        """Begin before the first byte: what comes first may be the middle of a message."""
        self._bytes = bytearray()
        self._seen = 0
        self._open = False
        self._noise = 0
        self._cuff = _Pressure()

    def captured(self) -> None:
        """The pressure that stands there first is told too, as one of unknown age."""
        self._cuff = _Pressure(captured=True)

    def feed(self, data: bytes) -> list[Said]:
        """The values of every message that these bytes complete."""
        said: list[Said] = []
        self._bytes += data
        while self._step(said):
            pass
        return said

    def close(self) -> list[Said]:
        """The unfinished message, if there is one. The pressure seen next is of unknown age again."""
        dropped = self._noise + len(self._bytes)
        self._bytes.clear()
        self._seen, self._noise, self._open = 0, 0, False
        self._cuff = _Pressure()
        return leftover(dropped)

    def _step(self, said: list[Said]) -> bool:
        """One message, or what stands before one; False when more bytes must come first."""
        held = self._bytes
        if not self._open:
            head = held.find(HEAD)
            self._drop(len(held) - _begun(held) if head < 0 else head, said)
            self._open = head >= 0
            if self._open:
                self._quiet(said)
                self._seen = len(HEAD)
            return self._open
        # A head inside a message is the next one: this has lost its end.
        head = held.find(HEAD, max(1, self._seen - len(HEAD) + 1), LONGEST)
        end = held.find(END, max(TEXT_AT, self._seen), LONGEST if head < 0 else head)
        if end >= 0:
            said += self._message(bytes(held[TEXT_AT:end]))
            del held[: end + 1]
        elif head > 0:
            said.append(Fault("a message cut short", head))
            del held[:head]
        elif len(held) >= LONGEST:
            lost = LONGEST - _begun(held[:LONGEST])
            said.append(Fault("a message without its end", lost))
            del held[:lost]
        else:
            self._seen = len(held)
            return False
        self._seen, self._open = 0, False
        return True

    def _drop(self, size: int, said: list[Said]) -> None:
        del self._bytes[:size]
        self._noise += size
        while self._noise >= NOISE_TOLD:
            self._noise -= NOISE_TOLD
            said.append(Fault("bytes between messages", NOISE_TOLD))

    def _quiet(self, said: list[Said]) -> None:
        if self._noise:
            said.append(Fault("bytes between messages", self._noise))
            self._noise = 0

    def _message(self, text: bytes) -> list[Said]:
        lines: dict[str, list[str]] = {}
        said: list[Said] = []
        for line in re.split(rb"[\r\n]+", text):
            found = LINE.fullmatch(line.decode("latin-1"))
            fields = found["fields"].split(";") if found else []
            if found is None or found["name"] in lines or _misshapen(found["name"], fields):
                said += [Fault("damaged line", len(line))] if line else []
            else:
                lines[found["name"]] = fields
        said += _values(lines)
        notices: list[str] = []
        if "NIBP" in lines:
            said += self._cuff.seen(lines["NIBP"])
            notices += self._cuff.remarks()
        for name in FIELDS.keys() & lines.keys():
            alarm = lines[name][FIELDS[name] - 1].strip()
            notices += [f"monitor's own alarm: {name} {alarm}"] if alarm else []
        return said + [Notice(printable(what)) for what in sorted(notices)]


class _Pressure:
    """The blood pressure of one connection: which numbers stood there at first, and which are new."""

    def __init__(self, *, captured: bool = False) -> None:
        self._captured = captured
        self._known: Pressures | None = None
        self._candidate: Pressures | None = None
        self._begun = False
        self._old: Pressures | None = None
        """The numbers of unknown age, as long as no others came."""

    def seen(self, fields: Sequence[str]) -> list[Said]:
        """The line of one message: a `Cuff` when other numbers have stood there twice."""
        systolic, diastolic, mean, pulse = (_number(field) for field in fields[1:5])
        now = None if systolic is None or diastolic is None else (systolic, diastolic, mean, pulse)
        if not self._begun:
            self._begun, self._known = True, now
            if not self._captured or systolic is None or diastolic is None:
                self._old = now
                return []
            whence = "it stood there before the capture began"
            return [Cuff(systolic, diastolic, mean, pulse, 0, Quality.QUESTIONABLE, whence, Doubt.UNUSUAL)]
        # With a failed measurement nobody knows whose the numbers beside it are.
        candidate = None if USELESS.search(_loud(fields[6])) else now
        again, self._candidate = candidate == self._candidate, candidate
        if candidate is None or candidate == self._known or not again:
            return []
        self._known, self._old = candidate, None
        return [Cuff(systolic, diastolic, mean, pulse)]

    def remarks(self) -> list[str]:
        """What has to be said of numbers that are shown nowhere."""
        if self._old is None:
            return []
        systolic, diastolic, mean, _ = self._old
        return [UNKNOWN_AGE.format(f"{systolic:g}/{diastolic:g}" + ("" if mean is None else f" ({mean:g})"))]


def _begun(held: bytes | bytearray) -> int:
    """How many bytes at the end may be the beginning of a head."""
    return next((size for size in range(len(HEAD) - 1, 0, -1) if held.endswith(HEAD[:size])), 0)


def _misshapen(name: str, fields: Sequence[str]) -> bool:
    """Whether a line of this name cannot have these fields. Lines nobody knows are left alone."""
    size = FIELDS.get(name)
    if size is None:
        return False
    if len(fields) < size or any(fields[size:]):
        return True
    numbers = fields[1 : {"NIBP": 5, "P1": 4, "P2": 4}.get(name, 2)]
    if name == "SPO2":
        pulse = PULSE.fullmatch(fields[2])
        if pulse is None:
            return fields[2].strip() != ""
        numbers = [*numbers, pulse[1]]
    return not all(NUMBER.fullmatch(one) or NOTHING.fullmatch(one) for one in numbers)


def _values(lines: Mapping[str, Sequence[str]]) -> list[Said]:
    told: list[Sample] = []
    if "HR" in lines:
        told.append(_heart_rate(lines["HR"]))
    if "ETCO2" in lines:
        told.append(_plain(Vital.ETCO2, lines["ETCO2"]))
    if "RR" in lines:
        sees = any(one.value is not None for one in told)
        told.append(_respiration(lines["RR"], sees=sees))
    if "SPO2" in lines:
        told += _oximeter(lines["SPO2"])
    warm = [_plain(Vital.TEMPERATURE, lines[name]) for name in ("T1", "T2") if name in lines]
    told += sorted(warm, key=lambda one: one.value is None)[:1]
    for name in ("P1", "P2"):
        if name in lines and ARTERIAL.search(_loud(lines[name][4])):
            told += _arterial(lines[name])
            break
    return [*told]


def _heart_rate(fields: Sequence[str]) -> Sample:
    rate = _plain(Vital.HEART_RATE, fields)
    if rate.quality is Quality.VALID and NOT_ECG.search(_loud(fields[2])):
        return _doubted(Vital.HEART_RATE, rate.value, f"not counted by the ECG: {fields[2].strip()}")
    return rate


def _respiration(fields: Sequence[str], *, sees: bool) -> Sample:
    # The label is the delay that is set for an apnoea, never an alarm (fact sheet).
    rate, alarm = _plain(Vital.RESPIRATION, [*fields[:2], "", fields[3]]), _loud(fields[3])
    if APNOEA.search(alarm):
        why = "the monitor says: apnoea"
        if _number(fields[1]) == 0 and sees:
            return Sample(Vital.RESPIRATION, 0, Quality.VALID, why)
        quality = Quality.MISSING if _number(fields[1]) is None else Quality.INVALID
        return Sample(Vital.RESPIRATION, None, quality, why)
    if rate.value == 0 and not sees:
        return Sample(Vital.RESPIRATION, None, Quality.INVALID, "neither ECG nor CO2 to see a breath by")
    return rate


def _oximeter(fields: Sequence[str]) -> list[Sample]:
    pulse = PULSE.fullmatch(fields[2])
    told: list[Sample] = []
    for vital, text in ((Vital.SPO2, fields[1]), (Vital.PULSE_SPO2, pulse[1] if pulse else "")):
        one = _plain(vital, ["", text, "", fields[3]])
        zero = one.value == 0
        told.append(Sample(vital, None, Quality.INVALID, "no pulse found") if zero else one)
    return told


def _arterial(fields: Sequence[str]) -> list[Sample]:
    three = (Vital.ARTERIAL_SYSTOLIC, Vital.ARTERIAL_DIASTOLIC, Vital.ARTERIAL_MEAN)
    return [
        _plain(vital, ["", text, fields[4], fields[5]])
        for vital, text in zip(three, fields[1:4], strict=True)
    ]


def _plain(vital: Vital, fields: Sequence[str]) -> Sample:
    """A number beside its label and its alarm: what these say decides whether it stands."""
    value, alarm, label = _number(fields[1]), _loud(fields[3]), _loud(fields[2])
    useless = next((text for text in (alarm, label) if USELESS.search(text)), None)
    if value is None:
        return Sample(vital, None, Quality.MISSING, useless or alarm or "no reading")
    if useless:
        return Sample(vital, None, Quality.INVALID, useless)
    if POOR.search(alarm):
        return _doubted(vital, value, alarm, Doubt.POOR_SIGNAL)
    if alarm and not LIMIT.search(alarm):
        return _doubted(vital, value, alarm)
    return Sample(vital, value)


def _loud(text: str) -> str:
    """A label or an alarm in capitals, without what only says that it makes no sound."""
    return MUTED.sub("", printable(text).upper()).strip()


def _doubted(vital: Vital, value: float | None, why: str, doubt: Doubt = Doubt.UNUSUAL) -> Sample:
    return Sample(vital, value, Quality.QUESTIONABLE, why, doubt)


def _number(field: str) -> float | None:
    found = NUMBER.fullmatch(field)
    return float(found[1]) if found else None


# What the device writes.

FLAT = bytes([100] * 200 + [128] * 50 + [86] * 50 + [80] * 50 + [251] * 50)
"""ECG, breathing, pleth and two pressures, all at rest (fact sheet: the offsets)."""


def encode(lines: Sequence[str], waves: bytes = FLAT) -> bytes:
    """A whole message of these lines."""
    if len(waves) != WAVES:
        raise ValueError(f"a message has {WAVES} bytes of waves, not {len(waves)}")
    return HEAD + waves + "".join(f"{line}\r" for line in lines).encode("ascii") + END


def encode_vitals(
    *,
    heart_rate: int | None = None,
    respiration: int | None = None,
    etco2: int | None = None,
    spo2: int | None = None,
    pulse: int | None = None,
    cuff: Sequence[int | None] = (),
    temperature: float | None = None,
    alarms: Mapping[str, str] | None = None,
    waves: bytes = FLAT,
) -> bytes:
    """A message with its usual eight lines; None is an empty field. `cuff` in mmHg, and its pulse last."""
    told = {**dict.fromkeys(FIELDS, ""), **(alarms or {})}
    pressures = ";".join(_field(one) for one in (*cuff, *[None] * 4)[:4])
    lines = (
        f"HR=1;{_field(heart_rate)};ECG-II-DIAG;{told['HR']}",
        f"RR=1;{_field(respiration)};APNEA: 20 SEC;{told['RR']}",
        f"ETCO2=1;{_field(etco2)};;{told['ETCO2']}",
        f"SPO2=1;{_field(spo2)};PR={_field(pulse)} ;{told['SPO2']}",
        f"NIBP=4;{pressures};;{told['NIBP']}",
        f"P1=1;;;;NO TRANSDUCER;{told['P1']}",
        f"T1=1;;;{told['T1']}",
        f"T2=1;{'' if temperature is None else f'{temperature:.1f}'};;{told['T2']}",
    )
    return encode(lines, waves)


def _field(value: int | None) -> str:
    return "" if value is None else f"{value}"


def _decoder(options: Mapping[str, Any]) -> Decoder:
    if options:
        raise ValueError(f"ivy-ansarb has no option {min(options)!r}")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether the head of a message is somewhere in these bytes."""
    return HEAD in raw


DRIVER = Driver(
    name="ivy-ansarb",
    title="Ivy ANSAR-B",
    models=("Ivy 450C", "Ivy 405"),
    transport="serial",
    decoder=_decoder,
    vitals=(
        Vital.HEART_RATE,
        Vital.RESPIRATION,
        Vital.ETCO2,
        Vital.SPO2,
        Vital.PULSE_SPO2,
        Vital.TEMPERATURE,
        Vital.SYSTOLIC,
        Vital.DIASTOLIC,
        Vital.MEAN,
        Vital.PULSE_NIBP,
        Vital.ARTERIAL_SYSTOLIC,
        Vital.ARTERIAL_DIASTOLIC,
        Vital.ARTERIAL_MEAN,
    ),
    cuff=True,
    # One message a second, over half of which it takes to send at 9600 baud.
    silent_after_ms=3_000,
    hint="set the monitor's serial format to ANSAR-B, and use its RS-232 port at 9600 baud",
    looks_like=looks_like,
    known_by='messages that begin with FF and "ANSAR-B"',
)

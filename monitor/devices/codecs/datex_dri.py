"""GE and Datex-Ohmeda monitors, "S/5 computer interface": one request, then a DRI record every five seconds.

A record lies between two 7E, closed by a sum; its groups carry their own status, and only a module that is
there and measuring gives numbers. What the record does not have is the time of its blood pressure: the same
numbers come for hours, and one bit says that they are more than a minute old. So one measurement is told
once, when it appears; one from before anybody listened has no time and is not told as if it had.

Until `tick` is called for the first time the decoder only listens: a capture of the monitor's side can be
read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import Lines, leftover
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital

# Fact sheet 2 and 3: the frame and the record header.
FLAG, ESCAPE, ESCAPED_BIT = 0x7E, 0x7D, 0x20
HEADER = struct.Struct("<HBBHIBBHH")
DESCRIPTOR = struct.Struct("<hB")
DESCRIPTORS, NO_MORE = 8, 0xFF
HEADER_SIZE = HEADER.size + DESCRIPTORS * DESCRIPTOR.size
DATA_MAX = 1450
RECORD_MAX = HEADER_SIZE + DATA_MAX
PIECE_MAX = 2 * (RECORD_MAX + 1)  # every byte and the sum escaped

PHYSIOLOGICAL, WAVEFORM, ALARM, NETWORK, EVENTS = 0, 1, 4, 5, 8
KINDS = frozenset({PHYSIOLOGICAL, WAVEFORM, ALARM, NETWORK, EVENTS})
REQUEST, DISPLAYED, TREND_10_S, TREND_60_S = 0, 1, 2, 3
"""What a subrecord of a physiological record is, by its descriptor."""

# Fact sheet 4: what is asked for, and how often.
ORDER = struct.Struct("<BhIH")
STOP, ONCE = 0, -1
INTERVAL_S = 5  # the shortest the monitor knows
ASK_AGAIN_MS = 15_000
NO_START = "a cuff cannot be started on this device from here: start it at the monitor"

# Fact sheet 5: one subrecord, and the groups of its Basic class.
SUBRECORD = 278
SUBTYPE_AT = 276
BASIC = 0
GROUP = struct.Struct("<IH")
NOTHING = -32767
NO_VALUE_FROM = -32001
WHY_NOTHING = {
    NOTHING: "no reading",
    -32766: "not updated",
    -32765: "interrupted",
    -32764: "below the measuring range",
    -32763: "above the measuring range",
    -32762: "not calibrated",
}
LAYOUT = {
    "ecg": (0, 5), "p1": (16, 4), "p2": (30, 4), "p3": (44, 4), "p4": (58, 4), "nibp": (72, 4),
    "t1": (86, 1), "t2": (94, 1), "t3": (102, 1), "t4": (110, 1), "spo2": (118, 4), "co2": (132, 4),
    "o2": (146, 2), "n2o": (156, 2), "agent": (166, 3), "flow": (178, 8), "co": (200, 4), "nmt": (214, 3),
    "svo2": (232, 1), "p5": (240, 4), "p6": (254, 4),
}  # fmt: skip
"""Where a group begins in the 270 bytes of a class, and how many numbers follow its status and label."""
EXTRA_AT = 226  # hr_ecg, hr_max, hr_min, without status and label

PRESENT, ACTIVE = 0x1, 0x2

ASYSTOLE, NOISE, ARTEFACT, LEARNING, LEADS_OFF = 0x4, 0x80, 0x100, 0x200, 0x3800
RATE_SOURCES_ECG = frozenset({1, 9})
RATE_SOURCES_ELSEWHERE = dict.fromkeys((2, 3, 4, 5, 7, 8, 10, 11), "an invasive pressure") | dict.fromkeys(
    (6, 12), "the oximeter"
)

MEASURING, OLD = 0x20, 0x100
CUFF_NOTICES = {0x40: "the cuff holds its pressure for a vein", 0x80: "cuff calibrating"}
OLD_AFTER_MS = 60_000

CO2_APNOEA, CO2_CALIBRATING, CO2_ZEROING, CO2_OCCLUDED, CO2_LEAK, IMPEDANCE_APNOEA = 4, 8, 16, 32, 64, 128
CO2_BLOCKED = {
    CO2_CALIBRATING: "the CO2 module is calibrating",
    CO2_ZEROING: "the CO2 module is zeroing",
    CO2_OCCLUDED: "the CO2 sample line is blocked",
}
CO2_NOTICES = CO2_BLOCKED | {
    CO2_APNOEA: "the monitor says apnoea",
    CO2_LEAK: "the CO2 sample line leaks",
    IMPEDANCE_APNOEA: "the monitor says apnoea, by the impedance",
}
FROM_CO2, FROM_IMPEDANCE = 1, 2
LEVEL_2003 = 8
"""From this level of the interface on, the rate beside the CO2 is always the CO2's own (fact sheet, 5)."""

NOT_A_BODY = {7: "skin", 8: "airway", 9: "room", 16: "surface"}
BODY = frozenset({*range(1, 7), *range(10, 16), 17, 18})
THERMOMETERS = ("t1", "t2", "t3", "t4")


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record: its header as far as anybody needs it, and its subrecords as (type, bytes)."""

    kind: int
    level: int
    number: int
    parts: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A request for transmission: which record type, every how many seconds, which classes."""

    record_type: int
    interval_s: int
    classes: int


@dataclass(frozen=True, slots=True)
class Group:
    """One group of numbers with its status and label, as they stand on the wire."""

    status: int
    label: int
    raw: tuple[int, ...]

    @property
    def exists(self) -> bool:
        """Whether the module is there."""
        return bool(self.status & PRESENT)

    @property
    def active(self) -> bool:
        """Whether it measures: a removed module leaves its last numbers in the record."""
        return bool(self.status & PRESENT and self.status & ACTIVE)

    def number(self, at: int) -> int | None:
        """The number in the wire's unit, or None."""
        raw = self.raw[at]
        return raw if self.active and raw > NO_VALUE_FROM else None

    def why(self, at: int) -> str:
        """Why there is no number."""
        return WHY_NOTHING.get(self.raw[at], "no reading") if self.active else "not measuring"


class Decoder:
    """Reads the records, and asks for them once it is given time."""

    def __init__(self) -> None:
        """Begin before the first byte; nothing is known of the monitor."""
        self._pieces = Lines(PIECE_MAX, ends=b"\x7e")
        self._now_ms: int | None = None
        self._ask_at_ms: int | None = None
        self._question = b""
        self._answered = False
        self._offered: set[Vital] = set()
        self._pressures = _Pressures()

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """What the records in these bytes say; records nobody needs (waveforms, trends) say nothing."""
        said: list[Said] = []
        for piece in self._pieces.feed(data):
            record = piece if isinstance(piece, Fault) else read_record(piece)
            if isinstance(record, Fault):
                said.append(record)
            elif record.kind == PHYSIOLOGICAL:
                for part_type, part in record.parts:
                    if part_type == DISPLAYED and _class_of(part) == BASIC:
                        self._answered = True
                        said += self._basic(part, record.level)
        return said

    def close(self) -> list[Said]:
        """The unfinished record, if there is one; the pressure that was told stays known."""
        self._ask_at_ms, self._question, self._answered = None, b"", False
        return leftover(self._pieces.drop())

    def _basic(self, part: bytes, level: int) -> list[Said]:
        groups = {name: _group(part, name) for name in LAYOUT}
        device_time = _device_time(part)
        samples: list[Sample] = []
        for vital, ask in READERS.items():
            sample = ask(groups, level)
            if sample is None and vital in self._offered:
                sample = _missing(vital, "its module is no longer there")
            if sample is not None:
                self._offered.add(vital)
                samples.append(sample)
        said: list[Said] = [_stamped(sample, device_time) for sample in samples]
        said += self._pressures.hear(groups["nibp"], self._now_ms)
        said += [Notice(what) for what in _remarks(groups)]
        return said or [Notice("no module is measuring")]

    # The request out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Ask when the line has been opened, and again when nothing has come for too long."""
        self._now_ms = now_ms
        if self._answered:
            self._answered = False
            self._ask_at_ms = now_ms + ASK_AGAIN_MS
        if self._ask_at_ms is None or now_ms >= self._ask_at_ms:
            self._question = encode_request()
            self._ask_at_ms = now_ms + ASK_AGAIN_MS

    def due_ms(self) -> int:
        """When the request will be due again."""
        if self._now_ms is None or self._ask_at_ms is None:
            return self._now_ms or 0
        return self._ask_at_ms

    def to_send(self) -> bytes:
        """The request, once."""
        question, self._question = self._question, b""
        return question

    def farewell(self) -> tuple[bytes, ...]:
        """A request to stop, or the monitor goes on sending to nobody (fact sheet, 4)."""
        asked, self._ask_at_ms = self._ask_at_ms is not None, None
        return (encode_request(interval_s=STOP),) if asked else ()

    def start_cuff(self) -> str | None:
        """Refuse: the interface has no order for it."""
        return NO_START

    def cancel_cuff(self) -> None:
        """Nothing can have been started from here."""


class _Pressures:
    """Which of the blood pressures that are repeated in every record is a new measurement."""

    def __init__(self) -> None:
        self._told: tuple[int, ...] | None = None
        self._was_old = False
        self._was_measuring = False
        self._watched = False
        self._watched_ms: int | None = None
        self._untimed = False

    def hear(self, group: Group, now_ms: int | None) -> list[Said]:
        """What the group of this record says that has not been said before."""
        if not group.active:
            return []
        watching = self._watching(now_ms)
        self._watched, self._watched_ms = True, now_ms
        said: list[Said] = [Notice(what) for bit, what in CUFF_NOTICES.items() if group.label & bit]
        if group.label & MEASURING:
            self._was_measuring = True
            return [*said, Notice("cuff measuring")]  # the numbers are the last one's
        ended, self._was_measuring = self._was_measuring, False
        systolic, diastolic = group.number(0), group.number(1)
        if systolic is None or diastolic is None:
            self._untimed = False
            why = "the cuff measurement ended without a result"
            return [*said, Cuff(None, None, quality=Quality.INVALID, why=why)] if ended else said
        old = bool(group.label & OLD)
        # Without the pulse: one that comes a record later would make a second reading, to confirm the first.
        pressures, before = group.raw[:3], self._told
        new = pressures != before or (self._was_old and not old)
        self._told, self._was_old = pressures, old
        if new:
            self._untimed = old and (before is None or not watching)
        if self._untimed and now_ms is not None:
            what = "the blood pressure it shows is from before we listened: its time is not known"
            return [*said, Notice(what)]
        if not new:
            return said
        mean, pulse = group.number(2), group.number(3)
        cuff = Cuff(
            systolic / 100,
            diastolic / 100,
            None if mean is None else mean / 100,
            None if pulse is None else float(pulse),
        )
        return [*said, _of_unknown_time(cuff) if self._untimed else cuff]

    def _watching(self, now_ms: int | None) -> bool:
        """Whether the record before this one is recent enough to have shown what was new then."""
        if now_ms is None or self._watched_ms is None:
            return self._watched and now_ms is None
        return now_ms - self._watched_ms <= OLD_AFTER_MS


def _of_unknown_time(cuff: Cuff) -> Cuff:
    # Only a capture gets here: it has no clock on the wall that such a number could deceive.
    return Cuff(
        cuff.systolic,
        cuff.diastolic,
        cuff.mean,
        cuff.pulse,
        age_ms=OLD_AFTER_MS,
        quality=Quality.QUESTIONABLE,
        why="measured more than a minute before, nobody knows when",
    )


# What a group says of a vital: a sample, or None where there is no such module.

Groups = Mapping[str, Group]


def _heart_rate(groups: Groups, level: int) -> Sample | None:  # noqa: ARG001  asked as the others are
    ecg = groups["ecg"]
    if not ecg.exists:
        return None
    vital, rate, source = Vital.HEART_RATE, ecg.number(0), ecg.status >> 3 & 0xF
    if ecg.active and ecg.status & LEARNING:
        # It shows 0 meanwhile, and that is no asystole.
        return Sample(vital, None, Quality.INVALID, "the monitor is learning the ECG")
    if rate is None:
        return _missing(vital, ecg.why(0))
    if source in RATE_SOURCES_ELSEWHERE:
        return _missing(vital, f"the rate the monitor shows is from {RATE_SOURCES_ELSEWHERE[source]}")
    return _by_ecg(rate, ecg.status, source)


def _by_ecg(rate: int, status: int, source: int) -> Sample:
    vital = Vital.HEART_RATE
    if status & LEADS_OFF and rate == 0:
        return Sample(vital, None, Quality.INVALID, "ECG lead off")
    if status & (LEADS_OFF | NOISE | ARTEFACT):
        why = "ECG lead off" if status & LEADS_OFF else "ECG disturbed"
        return Sample(vital, rate, Quality.QUESTIONABLE, why, Doubt.POOR_SIGNAL)
    if source not in RATE_SOURCES_ECG:
        why = "the monitor does not say where this rate comes from"
        return Sample(vital, rate, Quality.QUESTIONABLE, why)
    return Sample(vital, rate)


def _saturation(groups: Groups, level: int) -> Sample | None:  # noqa: ARG001  asked as the others are
    return _plain(Vital.SPO2, groups["spo2"], 0, 100)


def _pulse(groups: Groups, level: int) -> Sample | None:  # noqa: ARG001  asked as the others are
    return _plain(Vital.PULSE_SPO2, groups["spo2"], 1, 1)


def _respiration(groups: Groups, level: int) -> Sample | None:
    """The choice for people without a tube: the CO2's own rate, the impedance's, the flow sensor's."""
    co2, ecg, flow = groups["co2"], groups["ecg"], groups["flow"]
    if not (co2.exists or ecg.exists or flow.exists):
        return None
    source = FROM_CO2 if level >= LEVEL_2003 else co2.label & 0x7
    choices: list[Sample] = []
    if co2.active and source == FROM_CO2:
        told = _co2_rate(co2)
        # An apnoea must not be hidden by a chest that moves against a closed throat.
        if told.value is not None or co2.status & CO2_APNOEA:
            return told
        choices.append(told)
    if co2.active and source == FROM_IMPEDANCE:
        choices.append(_impedance_rate(co2, 2, ecg))
    if ecg.active:
        choices.append(_impedance_rate(ecg, 4, ecg))
    if flow.active:
        choices.append(_plain(Vital.RESPIRATION, flow, 0, 1) or _missing(Vital.RESPIRATION, flow.why(0)))
    best = next((one for one in choices if one.value is not None), None)
    return best or (choices[0] if choices else _missing(Vital.RESPIRATION, "not measuring"))


def _co2_rate(co2: Group) -> Sample:
    vital, rate = Vital.RESPIRATION, co2.number(2)
    blocked = [why for bit, why in CO2_BLOCKED.items() if co2.status & bit]
    if blocked:
        return Sample(vital, None, Quality.INVALID, blocked[0])
    if rate is None:
        return _missing(vital, "the monitor says apnoea" if co2.status & CO2_APNOEA else co2.why(2))
    if co2.status & CO2_APNOEA and rate > 0:
        return Sample(vital, None, Quality.INVALID, "the monitor says apnoea")
    if co2.status & CO2_LEAK:
        return Sample(vital, rate, Quality.QUESTIONABLE, CO2_NOTICES[CO2_LEAK], Doubt.POOR_SIGNAL)
    return Sample(vital, rate)


def _impedance_rate(group: Group, at: int, ecg: Group) -> Sample:
    vital, rate = Vital.RESPIRATION, group.number(at)
    if rate is None:
        return _missing(vital, group.why(at))
    if ecg.status & LEADS_OFF:
        return Sample(vital, None, Quality.INVALID, "ECG lead off")
    if ecg.status & (NOISE | ARTEFACT):
        return Sample(vital, rate, Quality.QUESTIONABLE, "ECG disturbed", Doubt.POOR_SIGNAL)
    return Sample(vital, rate)


def _temperature(groups: Groups, level: int) -> Sample | None:  # noqa: ARG001  asked as the others are
    """The first thermometer that is in or on a body; one at an unknown place is doubted."""
    there = [groups[name] for name in THERMOMETERS if groups[name].exists]
    if not there:
        return None
    vital = Vital.TEMPERATURE
    measured = [(group.label, celsius) for group in there if (celsius := group.number(0)) is not None]
    for label, celsius in measured:
        if label in BODY:
            return Sample(vital, celsius / 100)
    for label, celsius in measured:
        if label not in NOT_A_BODY:
            return Sample(vital, celsius / 100, Quality.QUESTIONABLE, "measured at an unknown place")
    places = [f"only a {NOT_A_BODY[label]} temperature is measured" for label, _ in measured]
    return _missing(vital, places[0] if places else there[0].why(0))


def _end_tidal_co2(groups: Groups, level: int) -> Sample | None:  # noqa: ARG001  asked as the others are
    co2 = groups["co2"]
    if not co2.exists:
        return None
    vital, percent, ambient = Vital.ETCO2, co2.number(0), co2.number(3)
    blocked = [why for bit, why in CO2_BLOCKED.items() if co2.active and co2.status & bit]
    if blocked:
        return Sample(vital, None, Quality.INVALID, blocked[0])
    if percent is None:
        return _missing(vital, co2.why(0))
    if ambient is None:
        return _missing(vital, "no ambient pressure to work out mmHg")
    # Hundredths of a per cent of tenths of a mmHg. Whether the monitor takes off water vapour before it shows
    # mmHg is a setting that is not sent: it may show some 6 % less.
    pressure = round(percent * ambient / 100_000, 1)
    return Sample(vital, pressure, Quality.QUESTIONABLE, "worked out from per cent and ambient pressure")


READERS: Mapping[Vital, Callable[[Groups, int], Sample | None]] = {
    Vital.HEART_RATE: _heart_rate,
    Vital.SPO2: _saturation,
    Vital.PULSE_SPO2: _pulse,
    Vital.RESPIRATION: _respiration,
    Vital.TEMPERATURE: _temperature,
    Vital.ETCO2: _end_tidal_co2,
}


def _remarks(groups: Groups) -> list[str]:
    ecg, co2 = groups["ecg"], groups["co2"]
    found: list[str] = []
    if ecg.active:
        learning = ecg.status & LEARNING
        found += ["the monitor says asystole"] if ecg.status & ASYSTOLE and not learning else []
        found += ["the monitor is learning the ECG"] if learning else []
        found += ["ECG lead off"] if ecg.status & LEADS_OFF else []
    if co2.active:
        found += [what for bit, what in CO2_NOTICES.items() if co2.status & bit]
    return found


def _plain(vital: Vital, group: Group, at: int, scale: int) -> Sample | None:
    if not group.exists:
        return None
    number = group.number(at)
    return _missing(vital, group.why(at)) if number is None else Sample(vital, number / scale)


def _missing(vital: Vital, why: str) -> Sample:
    return Sample(vital, None, Quality.MISSING, why)


def _stamped(said: Sample, device_time: str | None) -> Sample:
    return Sample(said.vital, said.value, said.quality, said.why, said.doubt, device_time)


# The frame and the record.


def read_record(piece: bytes) -> Record | Fault:
    """What lies between two flags, without them: a whole record, or why it is none."""
    plain = re.sub(rb"\x7d(.)", lambda pair: bytes([pair[1][0] | ESCAPED_BIT]), piece, flags=re.DOTALL)
    body, said_sum = plain[:-1], plain[-1]
    if len(body) < HEADER_SIZE:
        return Fault("not a record", len(piece))
    if sum(body) & 0xFF != said_sum:
        return Fault("wrong checksum", len(piece))
    length, number, level, _, _, _, _, _, kind = HEADER.unpack_from(body)
    if length != len(body) or length > RECORD_MAX:
        return Fault("a record of another length than it says", len(piece))
    if kind not in KINDS:
        return Fault("unknown kind of record", len(piece))
    parts = _parts(body[:HEADER_SIZE], body[HEADER_SIZE:]) if kind == PHYSIOLOGICAL else ()
    if parts is None:
        return Fault("damaged record", len(piece))
    return Record(kind, level, number, parts)


def _parts(header: bytes, data: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """The subrecords; None where one that we read would not lie inside."""
    parts: list[tuple[int, bytes]] = []
    for offset, part_type in DESCRIPTOR.iter_unpack(header[HEADER.size :]):
        # Behind the first FF real monitors leave what was there before.
        if part_type == NO_MORE:
            break
        size = {REQUEST: ORDER.size, DISPLAYED: SUBRECORD}.get(part_type, 0)
        if offset < 0 or offset + size > len(data):
            return None
        parts.append((part_type, data[offset : offset + size]))
    return tuple(parts)


def _class_of(part: bytes) -> int:
    # The low byte is "reserved" in the specification and filled in by real monitors.
    return part[SUBTYPE_AT + 1] & 0xF


def _group(part: bytes, name: str) -> Group:
    offset, count = LAYOUT[name]
    at = 4 + offset  # behind the time of the subrecord
    status, label = GROUP.unpack_from(part, at)
    return Group(status, label, struct.unpack_from(f"<{count}h", part, at + GROUP.size))


def _device_time(part: bytes) -> str | None:
    """The monitor's own clock, in a zone that it does not tell; None where it has none."""
    since_1970 = int.from_bytes(part[:4], "little")
    if since_1970 == 0:
        return None
    return datetime.fromtimestamp(since_1970, UTC).replace(tzinfo=None).isoformat()


def read_order(piece: bytes) -> Order | None:
    """For the simulated monitor: the request between two flags, or None if it is none."""
    record = read_record(piece)
    if isinstance(record, Fault):
        return None
    orders = [part for part_type, part in record.parts if part_type == REQUEST]
    if not orders:
        return None
    record_type, interval_s, classes, _ = ORDER.unpack(orders[0])
    return Order(record_type, interval_s, classes)


def encode_request(record_type: int = DISPLAYED, interval_s: int = INTERVAL_S, classes: int = 0) -> bytes:
    """The host's request: every `interval_s` seconds (0 stops, -1 asks once); `classes` 0 is Basic alone."""
    return encode_record([(REQUEST, ORDER.pack(record_type, interval_s, classes, 0))])


def encode_basic(
    groups: Mapping[str, Sequence[int]],
    *,
    time: int = 0,
    extra: Sequence[int] = (NOTHING,) * 3,
    subtype: int = 0,
) -> bytes:
    """A Basic subrecord. A group is its status, its label and its numbers in the wire's units.

    Groups that are left out are those of modules that are not there. `time` is in seconds since 1970.
    """
    part = bytearray(SUBRECORD)
    part[:4] = time.to_bytes(4, "little")
    for name, (offset, count) in LAYOUT.items():
        status, label, *numbers = groups.get(name, (0, 0, *(NOTHING,) * count))
        struct.pack_into(f"<IH{count}h", part, 4 + offset, status, label, *numbers)
    struct.pack_into("<3h", part, 4 + EXTRA_AT, *extra)
    struct.pack_into("<H", part, SUBTYPE_AT, subtype)
    return bytes(part)


def encode_answer(
    groups: Mapping[str, Sequence[int]],
    *,
    level: int = 10,
    plug_id: int = 0,
    number: int = 0,
    sent_at: int = 0,
    time: int = 0,
    extra: Sequence[int] = (NOTHING,) * 3,
    subtype: int = 0,
    behind: bytes = b"",
) -> bytes:
    """A whole frame with displayed values of the Basic class, as `encode_basic` and `encode_record` say."""
    part = encode_basic(groups, time=time, extra=extra, subtype=subtype)
    return encode_record(
        [(DISPLAYED, part)], level=level, plug_id=plug_id, number=number, sent_at=sent_at, behind=behind
    )


def encode_record(
    parts: Sequence[tuple[int, bytes]],
    *,
    kind: int = PHYSIOLOGICAL,
    level: int = 0,
    plug_id: int = 0,
    number: int = 0,
    sent_at: int = 0,
    behind: bytes = b"",
) -> bytes:
    """A frame with flags and checksum. `behind` is what an old monitor leaves behind the last descriptor."""
    data = b"".join(part for _, part in parts)
    descriptors, offset = b"", 0
    for part_type, part in parts:
        descriptors += DESCRIPTOR.pack(offset, part_type)
        offset += len(part)
    if len(parts) < DESCRIPTORS:
        descriptors += DESCRIPTOR.pack(0, NO_MORE)
    room = DESCRIPTORS * DESCRIPTOR.size
    descriptors = (descriptors + behind).ljust(room, b"\x00")[:room]
    length = HEADER_SIZE + len(data)
    body = HEADER.pack(length, number, level, plug_id, sent_at, 0, 0, 0, kind) + descriptors + data
    return _framed(body)


def _framed(body: bytes) -> bytes:
    plain = body + bytes([sum(body) & 0xFF])
    escaped = re.sub(rb"[\x7d\x7e]", lambda one: bytes([ESCAPE, one[0][0] & ~ESCAPED_BIT]), plain)
    return bytes([FLAG]) + escaped + bytes([FLAG])


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"datex-dri has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether a whole record with a right checksum is somewhere in these bytes."""
    return any(isinstance(read_record(piece), Record) for piece in raw.split(b"\x7e") if piece)


DRIVER = Driver(
    name="datex-dri",
    title="GE S/5 computer interface (DRI)",
    models=(
        "GE CARESCAPE B450",
        "GE CARESCAPE B650",
        "GE CARESCAPE B850",
        "GE B20, B30, B40",
        "GE B105, B125",
        "Datex-Ohmeda S/5",
        "Datex-Ohmeda Cardiocap/5",
        "Datex-Ohmeda S/5 Light",
        "Datex-Ohmeda AS/3, CS/3",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(
        Vital.HEART_RATE,
        Vital.SPO2,
        Vital.PULSE_SPO2,
        Vital.RESPIRATION,
        Vital.TEMPERATURE,
        Vital.ETCO2,
        Vital.SYSTOLIC,
        Vital.DIASTOLIC,
        Vital.MEAN,
        Vital.PULSE_NIBP,
    ),
    settings=SerialSettings(19200, 8, "E", 1, rtscts=True),
    bauds=(115200,),
    cuff=True,
    polled=True,
    # A record every 5 s: two may be lost, and the third takes a while to be sent.
    silent_after_ms=12_000,
    hint="check that RTS and CTS are wired, that the line has even parity, and the speed set at the monitor",
    looks_like=looks_like,
    known_by="records between 7E with a right checksum",
    options={
        "baud": "19200 (default), or 115200 where a CARESCAPE of software version 3 or later is set to it"
    },
)

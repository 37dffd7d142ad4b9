"""Contec CMS50 oximeters and the 5-byte modules of BCI and Berry: sixty small packets a second, no checksum.

Two protocols, told apart by bit 7 alone: an old packet has it in its first byte only, a new one (V7.0) in
every byte but the first. As nothing else guards a packet, none is believed by itself: a run of them must hold
the pattern, and two in a row must say the same. What is believed is told once a second.

A V7.0 device is silent until it is asked, and falls silent when it is no longer told that somebody listens.
One that streams by itself is not written to. Until `tick` is called the decoder only listens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import leftover
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

HIGH = 0x80
OLD_SIZE = 5
LIVE = 0x01
LENGTHS = {
    0x01: 7, 0x02: 7, 0x03: 7, 0x04: 7, 0x05: 7, 0x06: 2, 0x07: 6, 0x08: 6, 0x09: 4, 0x0A: 2, 0x0B: 2,
    0x0C: 0, 0x0D: 1, 0x0E: 1, 0x0F: 6, 0x10: 1, 0x11: 7, 0x12: 6, 0x13: 7, 0x14: 7, 0x15: 7, 0x7D: 7,
}  # fmt: skip
"""How many data bytes a V7.0 packet has, by its type; 7D is the host's own command (fact sheet, B)."""
LONGEST = 9

PACKETS_A_SECOND = 60
RUN_OLD = 20
"""So many old packets in a row: with a wrong parity single ones look right (fact sheet, quirks)."""
RUN_NEW = 3
NOISE_TOLD = 256
OUTSIDE = "bytes between packets"

NO_PULSE, NO_SPO2, NO_PERFUSION = 255, 127, 0xFFFF
SPO2_MAX = 100

OLD_REMARKS = {
    0x20: "SpO2 falls, or the probe is unplugged: models differ",
    0x10: "it searches for long, or has no signal: models differ",
}
LIVE_REMARKS = {0x10: "it searches for long", 0x20: "oximeter's own alarm: SpO2 low"}

# Commands of V7.0 (fact sheet, B), and the rhythm of asking.
COMMAND = 0x7D
START, STOP, STOP_STORED, CONNECTED = 0xA1, 0xA2, 0xA7, 0xAF
OPENING = (STOP_STORED, STOP, START)
ASKS_AT_BAUD = 115_200
SETTLES_MS = 1_000  # opening the port may switch a USB unit off and on
CONNECTED_EVERY_MS = 1_000
SILENT_MS = 3_000
NO_CUFF = "an oximeter has no cuff"

REPLY, DISCONNECTED = 0x0B, 0x0D
REASONS = {
    1: "the oximeter says: switching off",
    2: "the oximeter says: changed by its user",
    3: "the oximeter says: recording",
    4: "the oximeter says: could not delete",
    5: "the oximeter says: not supported",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one packet says of the patient, in the numbers of the wire; `perfusion` is None in an old one."""

    spo2: int
    pulse: int
    perfusion: int | None
    no_finger: bool
    searching: bool
    remarks: tuple[str, ...] = ()


def _patterns() -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    whole = [rb"[\x80-\xff][\x00-\x7f]{4}"]
    begun = [rb"[\x80-\xff][\x00-\x7f]{0,3}"]
    for size in sorted(set(LENGTHS.values())):
        types = (
            b"[" + b"".join(b"\\x%02x" % kind for kind, length in LENGTHS.items() if length == size) + b"]"
        )
        whole.append(types + rb"[\x80-\xff]{%d}" % (size + 1))
        begun.append(types + rb"[\x80-\xff]{0,%d}" % size)
    return re.compile(b"|".join(whole)), re.compile(b"(?:" + b"|".join(begun) + rb")\Z")


WHOLE, BEGUN = _patterns()


class Decoder:
    """Reads both protocols, and asks a V7.0 device once it is given time."""

    def __init__(self, *, asks: bool = True) -> None:
        """Begin before the first byte. Without `asks` nothing is ever written: the speed is not V7.0's."""
        self._asks = asks
        self._bytes = bytearray()
        self._noise = 0
        self._run = _Run()
        self._now_ms: int | None = None
        self._command = b""
        self._due_ms: int | None = None
        self._open_again_ms = 0
        self._opened = False
        self._live = False
        self._live_ms: int | None = None
        self._streams = False

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """One reading a second of the packets these bytes complete."""
        said: list[Said] = []
        self._bytes += data
        held, at, end = self._bytes, 0, len(self._bytes)
        while at < end:
            whole = WHOLE.search(held, at)
            if whole is None:
                # A packet that has begun holds no beginning of a whole one, so none is waited for in vain.
                begun = BEGUN.search(held, max(at, end - LONGEST + 1))
                to = end if begun is None else begun.start()
                said += self._skip(to - at)
                at = to
                break
            said += self._skip(whole.start() - at)
            said += self._quiet() + self._packet(whole.group())
            at = whole.end()
        del held[:at]
        return said

    def close(self) -> list[Said]:
        """What was not enough to be believed; in a capture it is told with that doubt."""
        said = self._run.ends(doubtful=self._now_ms is None)
        dropped = self._noise + len(self._bytes)
        self._bytes.clear()
        self._noise = 0
        self._command, self._due_ms, self._live_ms = b"", None, None
        self._opened = self._live = self._streams = False
        return said + leftover(dropped)

    def _skip(self, count: int) -> list[Said]:
        """Bytes that belong to no packet: they end a run, and many of them are told at once."""
        if not count:
            return []
        said = self._run.ends()
        whole, self._noise = divmod(self._noise + count, NOISE_TOLD)
        return said + [Fault(OUTSIDE, NOISE_TOLD)] * whole

    def _quiet(self) -> list[Said]:
        dropped, self._noise = self._noise, 0
        return [Fault(OUTSIDE, dropped)] if dropped else []

    def _packet(self, packet: bytes) -> list[Said]:
        if packet[0] & HIGH:
            said = self._run.goes_on(read_old(packet), OLD_SIZE, RUN_OLD)
            self._streams = self._streams or any(isinstance(one, Sample) for one in said)
            return said
        if packet[0] == LIVE:
            self._live, self._streams = True, False
            return self._run.goes_on(read_live(unpacked(packet)), len(packet), RUN_NEW)
        return [Fault(_without_numbers(packet), len(packet))]

    # Questions out, by the clock.

    def tick(self, now_ms: int) -> None:
        """Open the conversation, keep it open, and open it again when nothing comes."""
        self._now_ms = now_ms
        if self._due_ms is None:
            self._due_ms = self._open_again_ms = now_ms + SETTLES_MS
        if self._live:
            self._live, self._live_ms = False, now_ms
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + CONNECTED_EVERY_MS
        if not self._asks or self._streams:
            return
        if self._live_ms is not None and now_ms - self._live_ms < SILENT_MS:
            self._command = encode_command(CONNECTED)
        elif now_ms >= self._open_again_ms:
            self._open_again_ms = now_ms + SILENT_MS
            self._opened = True
            self._command = b"".join(map(encode_command, OPENING))

    def due_ms(self) -> int:
        """When the next word to the device is due."""
        return self._due_ms or 0

    def to_send(self) -> bytes:
        """The words that are due, once."""
        command, self._command = self._command, b""
        return command

    def farewell(self) -> tuple[bytes, ...]:
        """A V7.0 device is told to stop, if it was asked to begin; one that streams by itself goes on."""
        opened, self._opened = self._opened and not self._streams, False
        return (encode_command(STOP),) if opened else ()

    def start_cuff(self) -> str | None:
        """Refuse."""
        return NO_CUFF

    def cancel_cuff(self) -> None:
        """Nothing can have been started."""


class _Run:
    """Packets of one protocol with nothing between them: how long, and what of them was told."""

    def __init__(self) -> None:
        self._begin(0)

    def _begin(self, needed: int) -> None:
        self._needed = needed
        self._packets = 0
        self._bytes = 0
        self._last: Reading | None = None
        self._untold: int | None = None
        """Packets since the last one that was told; None if none was."""

    def goes_on(self, reading: Reading, size: int, needed: int) -> list[Said]:
        """One more packet: a reading is told once a second, when it is believed."""
        said: list[Said] = [] if needed == self._needed else self.ends()
        self._needed = needed
        self._packets += 1
        self._bytes += size
        self._untold = None if self._untold is None else self._untold + 1
        agreed, self._last = reading == self._last, reading
        due = self._untold is None or self._untold >= PACKETS_A_SECOND
        if due and agreed and self._packets >= needed:
            self._untold = 0
            said += _says(reading)
        return said

    def ends(self, *, doubtful: bool = False) -> list[Said]:
        """The packets are over: those of which nothing could be told are lost."""
        last, told, lost = self._last, self._untold is not None, self._bytes
        self._begin(0)
        if last is None or told:
            return []
        if doubtful:
            return _says(last, "too few packets to be sure, and no checksum")
        return [Fault("packets too few to be believed", lost)]


def _says(reading: Reading, doubt: str | None = None) -> list[Said]:
    why = "no finger, or a probe error" if reading.no_finger else None
    why = why or ("searching for a pulse" if reading.searching else None)
    whole = why is None and 0 < reading.spo2 <= SPO2_MAX and 0 < reading.pulse < NO_PULSE
    said: list[Said] = []
    for vital, number, missing in (
        (Vital.SPO2, reading.spo2, NO_SPO2),
        (Vital.PULSE_SPO2, reading.pulse, NO_PULSE),
    ):
        if whole:
            said.append(_sample(vital, float(number), doubt))
        elif why is not None or number == missing:
            said.append(Sample(vital, None, Quality.MISSING, why or "no reading"))
        else:
            said.append(Sample(vital, None, Quality.INVALID, "saturation and pulse are not both there"))
    if reading.perfusion is not None:
        there = whole and reading.perfusion != NO_PERFUSION
        perfusion = _sample(Vital.PERFUSION, reading.perfusion / 100, doubt)
        said.append(perfusion if there else _missing(Vital.PERFUSION, why))
    remarks = ([why] if why else []) + list(reading.remarks)
    return said + [Notice(what) for what in remarks]


def _sample(vital: Vital, value: float, doubt: str | None) -> Sample:
    if doubt is None:
        return Sample(vital, value)
    return Sample(vital, value, Quality.QUESTIONABLE, doubt, Doubt.POOR_SIGNAL)


def _missing(vital: Vital, why: str | None) -> Sample:
    return Sample(vital, None, Quality.MISSING, why or "no reading")


def read_old(packet: Sequence[int]) -> Reading:
    """The five bytes of the old protocol (fact sheet, A)."""
    first, _, third, pulse, spo2 = packet
    # Two documents give these bits two meanings: a remark, and nothing is decided by them.
    remarks = [what for bit, what in OLD_REMARKS.items() if first & bit]
    return Reading(
        spo2,
        (third & 0x40) << 1 | pulse,
        None,
        no_finger=bool(third & 0x10),
        searching=bool(third & 0x20),
        remarks=tuple(remarks),
    )


def read_live(data: Sequence[int]) -> Reading:
    """The seven data bytes of a V7.0 packet of live data (fact sheet, B)."""
    flags, pleth, bar, pulse, spo2, low, high = data
    remarks = [what for bit, what in LIVE_REMARKS.items() if flags & bit]
    return Reading(
        spo2,
        pulse,
        NO_PERFUSION if bar & 0x10 else high << 8 | low,
        no_finger=bool(flags & 0x80),
        searching=bool(pleth & 0x80),
        remarks=tuple(remarks),
    )


def unpacked(packet: bytes) -> bytes:
    """The data bytes of a V7.0 packet, each with the bit 7 that its second byte keeps for it."""
    return bytes(one & 0x7F | (packet[1] >> place & 1) << 7 for place, one in enumerate(packet[2:]))


def _without_numbers(packet: bytes) -> str:
    data = unpacked(packet)
    if packet[0] == COMMAND:
        return "a command of the host"
    if packet[0] == REPLY:
        return REASONS.get(data[1], "an answer without numbers")
    return "the oximeter says: disconnected" if packet[0] == DISCONNECTED else "an answer without numbers"


# What both sides write.


def encode_old(
    spo2: int | None,
    pulse: int | None,
    *,
    pleth: int = 0,
    bar: int = 0,
    signal: int = 0,
    flags: int = 0,
    no_finger: bool = False,
    searching: bool = False,
) -> bytes:
    """An old packet. `flags` are bits 4 to 6 of its first byte, and None is 255 and 127."""
    rate = NO_PULSE if pulse is None else pulse
    third = (rate & 0x80) >> 1 | (0x20 if searching else 0) | (0x10 if no_finger else 0) | bar & 0xF
    saturation = NO_SPO2 if spo2 is None else spo2
    return bytes([HIGH | flags | signal & 0xF, pleth & 0x7F, third, rate & 0x7F, saturation])


def encode_live(
    spo2: int | None,
    pulse: int | None,
    perfusion: float | None,
    *,
    pleth: int = 64,
    bar: int = 0,
    signal: int = 0,
    flags: int = 0,
    no_finger: bool = False,
    searching: bool = False,
) -> bytes:
    """A V7.0 packet of live data. `flags` are bits 4 to 6 of its first data byte; `perfusion` in per cent."""
    index = NO_PERFUSION if perfusion is None else round(100 * perfusion)
    data = (
        (HIGH if no_finger else 0) | flags | signal & 0xF,
        (HIGH if searching else 0) | pleth & 0x7F,
        (0x10 if perfusion is None else 0) | bar & 0xF,
        NO_PULSE if pulse is None else pulse,
        NO_SPO2 if spo2 is None else spo2,
        index & 0xFF,
        index >> 8,
    )
    return encode_packet(LIVE, data)


def encode_packet(packet_type: int, data: Sequence[int] = ()) -> bytes:
    """A V7.0 packet of any type."""
    high_bits = sum((one >> 7) << place for place, one in enumerate(data))
    return bytes([packet_type, HIGH | high_bits, *(one | HIGH for one in data)])


def encode_command(command: int) -> bytes:
    """The nine bytes of a command to a V7.0 device."""
    return bytes([COMMAND, 0x81, command, *(HIGH,) * 6])


def read_commands(data: bytes) -> tuple[list[int], bytes]:
    """For the simulated oximeter: the commands in these bytes, and what may be the beginning of another."""
    found = list(COMMAND_FRAME.finditer(data))
    rest = data[found[-1].end() :] if found else data
    return [frame[1][0] for frame in found], rest[1 - LONGEST :]


COMMAND_FRAME = re.compile(rb"\x7d\x81([\x80-\xff])[\x80-\xff]{6}")


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"contec-cms50 has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    return Decoder(asks=options.get("baud", ASKS_AT_BAUD) == ASKS_AT_BAUD)


LIKE = re.compile(rb"(?:[\x80-\xff][\x00-\x7f]{4}){%d}|(?:\x01[\x80-\xff]{8}){%d}" % (RUN_OLD, RUN_NEW))


def looks_like(raw: bytes) -> bool:
    """Whether a run of packets of either protocol is somewhere in these bytes."""
    return LIKE.search(raw) is not None


DRIVER = Driver(
    name="contec-cms50",
    title="Contec CMS50 oximeter",
    models=(
        "Contec CMS50D+",
        "Contec CMS50E",
        "Contec CMS50F",
        "Contec CMS50",
        "BCI and Berry modules",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SPO2, Vital.PULSE_SPO2, Vital.PERFUSION),
    settings=SerialSettings(ASKS_AT_BAUD),
    bauds=(19_200, 4_800, 9_600, 38_400, 57_600),
    parities={19_200: "O"},
    polled=True,
    # A reading a second is told of sixty packets: two may be lost.
    silent_after_ms=SILENT_MS,
    hint="switch the oximeter on with a finger in it; firmware up to 4.5 needs the option baud = 19200",
    looks_like=looks_like,
    known_by="a run of small packets with the pattern of bit 7",
    options={
        "baud": "115200 (default: firmware 4.6 and later), 19200 (up to 4.5), 4800, 9600, 38400 or 57600"
    },
)

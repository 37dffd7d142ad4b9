"""Nonin pulse oximeters: packets of 25 small frames, three a second, or the printed line of a bench unit.

The device talks only. A packet is believed as a whole: one bad frame, and all 25 are dropped. What begins no
frame may be text, so frames and printed lines are told apart by the bytes themselves. DF7 and DF8 cannot be:
they have to be chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import Lines, leftover
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

FRAME, PACKET = 5, 25

# STATUS (fact sheet, 2).
FIRST_BIT, DISCONNECTED, ARTEFACT, OUT_OF_TRACK, SENSOR_ALARM, RED, GREEN, SYNC = 128, 64, 32, 16, 8, 4, 2, 1

# Where the numbers stand in a packet, counted from 0: the ones made for a display (fact sheet, 2).
SPO2_SHOWN, PULSE_SHOWN_HIGH, PULSE_SHOWN_LOW = 8, 19, 20
STATUS_2 = 7  # DF7 only
SPO2_PLACES, PULSE_PLACES, REVISION_PLACE = (2, 9, 10, 15), (0, 13), 3
SPO2_SHOWN_PLACES, PULSE_SHOWN_PLACES = (SPO2_SHOWN, 16), (PULSE_SHOWN_HIGH, 21)

NO_PULSE, NO_SPO2 = 511, 127
PULSE_RANGE, SPO2_RANGE = (18, 321), (0, 100)

# DF8 (fact sheet, 4).
DF8_FRAME = 4
DF8_DISCONNECTED, DF8_OUT_OF_TRACK, DF8_LOW, DF8_MARGINAL, DF8_ARTEFACT = 64, 32, 16, 8, 4
DF8_SENSOR_FAULTY, DF8_SPOT_CHECK, BATTERY_CRITICAL, BATTERY_LOW = 8, 4, 2, 1

NO_SENSOR = "sensor disconnected"
NO_TRACK = "no steady pulse"
DISTURBED = "artefact"
LOW_PERFUSION = "low perfusion"
MARGINAL_PERFUSION = "marginal perfusion"
LOW_BATTERY = "oximeter's battery low"

LINE_MAX = 128  # the widest printed line has 25 characters, a title at power-up may be longer
NUMBER = rb"\d{3}| \d\d|  \d|---"
LINE = re.compile(
    rb"(?:(?P<time>\d\d:\d\d:\d\d) +)?(?i:SPO2)=(?P<spo2>" + NUMBER + rb") +HR=(?P<pulse>" + NUMBER + rb")"
    rb"(?P<marks>[ *BF]*)\Z"
)
EVENT = b"*"


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two forms of five-byte frames."""

    begins: re.Pattern[bytes]
    """The first bytes of a frame, as far as they have come."""
    status_at: int
    lead: bytes = b""

    def is_frame(self, five: Sequence[int]) -> bool:
        """Whether the sum is right; that it begins like one is known."""
        return sum(five[:4]) & 0xFF == five[4]


DF2 = Form(re.compile(rb"\x01(?:[\x80-\xff]|\Z)"), status_at=1, lead=b"\x01")
DF7 = Form(re.compile(rb"[\x80-\xff]"), status_at=0)
FORMS = {"df2": DF2, "df7": DF7}


class Decoder:
    """Reads packets, and the lines of bench units."""

    def __init__(self, form: Form = DF2) -> None:
        """Begin before the first byte: joining in the middle of a packet is normal."""
        self._form = form
        self._bytes = bytearray()
        self._lines = Lines(LINE_MAX)
        self._packet: list[tuple[int, int]] = []
        self._loose = 0

    def feed(self, data: bytes) -> list[Said]:
        """Saturation and pulse rate of every packet and every line that these bytes complete."""
        said: list[Said] = []
        self._bytes += data
        held, at, end = self._bytes, 0, len(self._bytes)
        while at < end:
            begin = self._form.begins.search(held, at)
            if begin is None or begin.start() > at:
                to = end if begin is None else begin.start()
                said += self._other(bytes(held[at:to]))
                at = to
            elif end - at < FRAME:
                break
            elif self._form.is_frame(held[at : at + FRAME]):
                said += self._frame(held[at + self._form.status_at], held[at + 3])
                at += FRAME
            else:
                said += self._other(bytes(held[at : at + 1]))
                at += 1
        del held[:at]
        return said

    def close(self) -> list[Said]:
        """The unfinished packet or line, if there is one; after this a new stream may begin."""
        dropped = len(self._bytes) + self._lines.drop() + FRAME * (len(self._packet) + self._loose)
        self._bytes.clear()
        self._packet, self._loose = [], 0
        return leftover(dropped)

    def _frame(self, status: int, data: int) -> list[Said]:
        said: list[Said] = []
        if dropped := self._lines.drop():
            said.append(Fault("bytes between frames", dropped))
        if status & SYNC:
            said += self._broken()
        elif not self._packet:
            self._loose += 1
            return said + (self._broken() if self._loose == PACKET else [])
        self._packet.append((status, data))
        if len(self._packet) == PACKET:
            said += _packet_says(self._packet, self._form)
            self._packet = []
        return said

    def _other(self, run: bytes) -> list[Said]:
        """Bytes that begin no frame: what a packet has been so far is lost with them."""
        said: list[Said] = self._broken()
        for line in self._lines.feed(run):
            said += [line] if isinstance(line, Fault) else _line_says(line)
        return said

    def _broken(self) -> list[Said]:
        said: list[Said] = []
        if self._packet:
            said.append(Fault("a packet with a bad frame", FRAME * len(self._packet)))
        if self._loose:
            said.append(Fault("frames without the beginning of their packet", FRAME * self._loose))
        self._packet, self._loose = [], 0
        return said


class Df8Decoder:
    """Reads the four bytes a second of DF8. There is no checksum: a frame alone is doubted."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._bytes = bytearray()
        self._follows = False

    def feed(self, data: bytes) -> list[Said]:
        """Saturation and pulse rate of every frame these bytes complete."""
        said: list[Said] = []
        for byte in data:
            if byte & FIRST_BIT or not self._bytes:
                said += self._drop("bytes between frames")
            self._bytes.append(byte)
            if not self._bytes[0] & FIRST_BIT:
                said += self._drop("bytes between frames")
            elif len(self._bytes) == DF8_FRAME:
                said += self._frame()
        return said

    def close(self) -> list[Said]:
        """The unfinished frame, if there is one."""
        dropped = len(self._bytes)
        self._bytes.clear()
        self._follows = False
        return leftover(dropped)

    def _drop(self, why: str) -> list[Said]:
        dropped = len(self._bytes)
        self._bytes.clear()
        if not dropped:
            return []
        self._follows = False
        return [Fault(why, dropped)]

    def _frame(self) -> list[Said]:
        status, low, spo2, status_2 = self._bytes
        pulse = (status & 0x3) << 7 | low
        if not (_within(pulse, PULSE_RANGE, NO_PULSE) and _within(spo2, SPO2_RANGE, NO_SPO2)):
            return self._drop("a frame whose numbers cannot be")
        self._bytes.clear()
        follows, self._follows = self._follows, True
        invalid = [NO_SENSOR] if status & DF8_DISCONNECTED else []
        invalid += ["sensor faulty"] if status_2 & DF8_SENSOR_FAULTY else []
        invalid += [NO_TRACK] if status & DF8_OUT_OF_TRACK else []
        doubtful = [DISTURBED] if status & DF8_ARTEFACT else []
        doubtful += [LOW_PERFUSION] if status & DF8_LOW else []
        remarks = [MARGINAL_PERFUSION] if status & DF8_MARGINAL else []
        remarks += [LOW_BATTERY] if status_2 & (BATTERY_LOW | BATTERY_CRITICAL) else []
        remarks += ["a spot check"] if status_2 & DF8_SPOT_CHECK else []
        alone = [] if follows else ["a frame alone, and no checksum"]
        return [
            *_samples(spo2, pulse, invalid, doubtful + alone),
            *(Notice(what) for what in invalid + doubtful + remarks),
        ]


def _packet_says(packet: Sequence[tuple[int, int]], form: Form) -> list[Said]:
    ever = 0
    for status, _ in packet:
        ever |= status
    invalid = [NO_SENSOR] if ever & DISCONNECTED else []
    invalid += ["no good data from the sensor"] if ever & SENSOR_ALARM else []
    invalid += [NO_TRACK] if ever & OUT_OF_TRACK else []
    lights = {status & (RED | GREEN) for status, _ in packet}
    doubtful = [DISTURBED] if ever & ARTEFACT else []
    doubtful += [LOW_PERFUSION] if RED in lights else []
    remarks = [MARGINAL_PERFUSION] if RED | GREEN in lights else []
    high, low = packet[PULSE_SHOWN_HIGH][1], packet[PULSE_SHOWN_LOW][1]
    pulse = (high & 0x3) << 7 | low & 0x7F
    unsure: list[str] = []
    if form is DF7:
        remarks += [LOW_BATTERY] if packet[STATUS_2][1] & BATTERY_LOW else []
        # Up to 127 both published ways to put the two bytes together agree.
        unsure = ["how DF7 sends a rate above 127 is not sure"] if (high or low > 0x7F) else []
    return [
        *_samples(packet[SPO2_SHOWN][1], pulse, invalid, doubtful, unsure if pulse != NO_PULSE else []),
        *(Notice(what) for what in invalid + doubtful + remarks),
    ]


def _line_says(line: bytes) -> list[Said]:
    found = LINE.search(line.rstrip(b" "))
    if found is None:
        return [Fault("a line without a reading", len(line))]
    # What a lost line end has glued to the front is not this line's.
    said: list[Said] = [Fault("bytes before a line", found.start())] if found.start() else []
    numbers = {
        key: missing if found[key] == b"---" else int(found[key])
        for key, missing in (("spo2", NO_SPO2), ("pulse", NO_PULSE))
    }
    time = found["time"].decode() if found["time"] else None
    said += _samples(numbers["spo2"], numbers["pulse"], [], [], device_time=time)
    return said + ([Notice("event button pressed")] if EVENT in found["marks"] else [])


def _samples(
    spo2: int,
    pulse: int,
    invalid: list[str],
    doubtful: list[str],
    doubtful_pulse: Sequence[str] = (),
    device_time: str | None = None,
) -> list[Said]:
    return [
        _sample(Vital.SPO2, spo2, NO_SPO2, SPO2_RANGE, invalid, doubtful, device_time),
        _sample(
            Vital.PULSE_SPO2, pulse, NO_PULSE, PULSE_RANGE, invalid, [*doubtful, *doubtful_pulse], device_time
        ),
    ]


def _sample(
    vital: Vital,
    number: int,
    missing: int,
    span: tuple[int, int],
    invalid: list[str],
    doubtful: list[str],
    device_time: str | None,
) -> Sample:
    why = (invalid + doubtful)[:1]
    if number == missing:
        return Sample(vital, None, Quality.MISSING, why[0] if why else "no reading", device_time=device_time)
    if invalid:
        # The numbers for a display are held for 10 s after the finger has gone.
        return Sample(vital, None, Quality.INVALID, invalid[0], device_time=device_time)
    if not _within(number, span, missing):
        return Sample(vital, None, Quality.INVALID, "not a number it can measure", device_time=device_time)
    if doubtful:
        return Sample(vital, number, Quality.QUESTIONABLE, doubtful[0], Doubt.POOR_SIGNAL, device_time)
    return Sample(vital, number, device_time=device_time)


def _within(number: int, span: tuple[int, int], missing: int) -> bool:
    return number == missing or span[0] <= number <= span[1]


# What the device writes.


def encode_frames(frames: Iterable[Sequence[int]], form: str = "df2") -> bytes:
    """Frames one after the other, each of (STATUS, PLETH, DATA); DF7 has a PLETH of 16 bits, DF2 one of 8."""
    wire = b""
    for status, pleth, data in frames:
        middle = (pleth & 0xFFFF).to_bytes(2) if FORMS[form] is DF7 else bytes([pleth & 0xFF])
        body = FORMS[form].lead + bytes([status]) + middle + bytes([data])
        wire += body + bytes([sum(body) & 0xFF])
    return wire


def encode_packet(
    spo2: int | None,
    pulse: int | None,
    *,
    shown: tuple[int | None, int | None] | None = None,
    status: int = GREEN,
    pleth: int = 60,
    revision: int = 48,
    form: str = "df2",
) -> bytes:
    """A whole packet. `shown` are saturation and rate for a display, where they are not the same.

    `status` goes into every frame; the PLETH rises by one from frame to frame.
    """
    data = [0] * PACKET
    data[REVISION_PLACE] = revision
    for places, saturation in ((SPO2_PLACES, spo2), (SPO2_SHOWN_PLACES, shown[0] if shown else spo2)):
        for place in places:
            data[place] = NO_SPO2 if saturation is None else saturation
    for places, rate in ((PULSE_PLACES, pulse), (PULSE_SHOWN_PLACES, shown[1] if shown else pulse)):
        number = NO_PULSE if rate is None else rate
        for place in places:
            data[place], data[place + 1] = number >> 7, number & 0x7F
    bits = FIRST_BIT | status
    return encode_frames(
        [(bits | (SYNC if place == 0 else 0), pleth + place, one) for place, one in enumerate(data)], form
    )


def encode_df8(spo2: int | None, pulse: int | None, *, status: int = 0, status_2: int = 0) -> bytes:
    """The four bytes of DF8."""
    rate = NO_PULSE if pulse is None else pulse
    saturation = NO_SPO2 if spo2 is None else spo2
    return bytes([FIRST_BIT | status | rate >> 7, rate & 0x7F, saturation, status_2])


def encode_line(spo2: int | None, pulse: int | None, *, time: str = "", marks: str = "") -> bytes:
    """The line of a bench unit, CR LF included: `time` of an 8600V or 9847, `marks` as they print them."""
    words = [time] if time else []
    words += [f"SPO2={_three(spo2)}", f"HR={_three(pulse)}{marks}"]
    return f"{' '.join(words)}\r\n".encode("ascii")


def _three(number: int | None) -> str:
    return "---" if number is None else f"{number:03d}"


DECODERS: Mapping[str, Callable[[], Decoder | Df8Decoder]] = {
    "auto": Decoder,
    "df7": lambda: Decoder(DF7),
    "df8": Df8Decoder,
}


def _decoder(options: Mapping[str, Any]) -> Decoder | Df8Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"nonin-df2 has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    chosen = options.get("format", "auto")
    if chosen not in DECODERS:
        raise ValueError(f"format is one of {', '.join(DECODERS)}, not {chosen!r}")
    return DECODERS[chosen]()


LIKE_FRAMES = 3


def looks_like(raw: bytes) -> bool:
    """Whether three frames of DF2 in a row, or a printed line, are somewhere in these bytes."""
    if any(LINE.search(line.rstrip(b" ")) for line in re.split(rb"[\r\n]", raw)):
        return True
    whole = LIKE_FRAMES * FRAME
    return any(
        all(_is_df2(raw[at + place : at + place + FRAME]) for place in range(0, whole, FRAME))
        for at in range(len(raw) - whole + 1)
    )


def _is_df2(five: bytes) -> bool:
    return DF2.begins.match(five) is not None and DF2.is_frame(five)


DRIVER = Driver(
    name="nonin-df2",
    title="Nonin oximeter",
    models=(
        "Nonin Xpod",
        "Nonin OEM III",
        "Nonin WristOx2 3150",
        "Nonin 8500, 8500M",
        "Nonin 8600V",
        "Nonin 9600 Avant",
        "Nonin 9847",
        "Nonin Avant 4000",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SPO2, Vital.PULSE_SPO2),
    # A bench unit prints once a second, an OEM III sends three packets: the slower one counts (sheet, 1).
    silent_after_ms=3_000,
    hint="check that the oximeter is on and sends format 2 (DF2) or prints its lines, at 9600 baud",
    looks_like=looks_like,
    known_by="frames of five bytes that begin with 01 and add up, or printed SPO2= lines",
    options={"format": '"auto" (default: DF2 and printed lines), "df7" or "df8"'},
)

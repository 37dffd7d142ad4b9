"""Oridion and Medtronic Capnostream: breathing rate, etCO2, SpO2 and pulse, in a binary message a second.

A message begins with 85, and nothing else on the line does: where that byte or 80 stands inside, it is sent
as two. The monitor is silent until it is asked, and is kept talking by a word every 5 s. Until `tick` is
called the decoder only listens.

A breathing rate of 0 is what this monitor says when nobody breathes: it is a reading, and the ward judges it.
It stands only while the monitor is able to see a breath, which its messages about the CO2 wave tell.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import leftover, printable
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

START, ESCAPE = 0x85, 0x80
ESCAPED = {0x00: ESCAPE, 0x05: START}
NOISE_TOLD = 256

# Codes of messages (fact sheet): to the monitor, and from it.
ENABLE, DISABLE, START_LIVE, STOP_LIVE, ACTIVE, REVISION = 1, 2, 4, 5, 6, 9
WAVE, NUMERICS, IDENTITY = 0, 1, 4

# Where the numbers stand in the numerics.
END_TIDAL, RATE, SATURATION, PULSE, SLOW, CO2_ALARMS, SPO2_ALARMS, NO_BREATH_S = 4, 6, 7, 8, 9, 13, 14, 15
END_TIDAL_LIMIT, UNIT, CO2_EXTRA, NUMERICS_LEAST = 16, 25, 26, 27
NOTHING = 0xFF
WAVE_SIZE, FAST = 4, 3

MMHG, KILOPASCAL, VOLUME_PERCENT = 1, 2, 3
UNITS = {KILOPASCAL: ("kPa", 7.50062), VOLUME_PERCENT: ("vol %", 7.6)}
"""mmHg in a kPa, and in one per cent of a standard atmosphere (760 mmHg; the true pressure is not sent)."""
WHOLE_MOST = 20
"""Whole kPa or per cent end about here (20 kPa are 150 mmHg): a limit above it counts in tenths."""
UNSURE_SCALE = "CO2 is sent in {}, and its scale is not sure: set the monitor to mmHg"

NO_BREATH = 0x01
BLIND = {
    0x80: "CO2 malfunction",
    0x40: "CO2 filter line off",
    0x04: "CO2 line blocked",
    0x20: "CO2 line is purged",
    0x10: "CO2 self-maintenance",
    0x02: "CO2 is initialising",
    0x01: "CO2 not valid",
}
"""Fast status: why no breath can be seen. The worst comes first: it is the one that is told."""
PUMP_OFF = 0x04
NO_SIGNAL = {0x40: "sensor disconnected", 0x20: "sensor off", 0x01: "no pulse found"}

SLOW_NOTICES = {
    0x01: "monitor is set to neonate",
    0x02: "alarm silenced at the monitor",
    0x04: "all alarms silenced at the monitor",
    0x20: "monitor's own advisory",
}
CO2_NOTICES = {
    NO_BREATH: "monitor's own alarm: no breath",
    0x02: "monitor's own alarm: etCO2 high",
    0x04: "monitor's own alarm: etCO2 low",
    0x08: "monitor's own alarm: breathing rate high",
    0x10: "monitor's own alarm: breathing rate low",
    0x20: "monitor's own alarm: inspired CO2 high",
}
SPO2_NOTICES = {
    0x02: "monitor's own alarm: SpO2 high",
    0x04: "monitor's own alarm: SpO2 low",
    0x08: "monitor's own alarm: pulse rate high",
    0x10: "monitor's own alarm: pulse rate low",
}
EXTRA_NOTICES = {0x01: "CO2 calibration due", 0x02: "CO2 flow check due", 0x80: "monitor's battery low"}

DAY_S = 24 * 3600
"""A time further on than this does not follow from the one before."""

SILENT_MS = 3_000  # numerics come once a second (fact sheet, host to device)
ACTIVE_EVERY_MS = 5_000
ASK_AGAIN_MS = 2_000
NO_CUFF = "a capnograph has no cuff"


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message; `size` is how many bytes it had on the wire."""

    code: int
    payload: bytes
    size: int


class Messages:
    """From bytes to messages. Every byte is in one, or in a Fault."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._body = bytearray()
        self._raw = 0
        self._open = False
        self._escaped = False
        self._noise = 0

    def feed(self, data: bytes) -> list[Message | Fault]:
        """The messages these bytes complete, with a Fault where bytes were dropped."""
        found: list[Message | Fault] = []
        first, *pieces = data.split(bytes([START]))
        self._more(first, found)
        for piece in pieces:
            # This byte begins a message wherever it stands: what was open has lost its end.
            self._broken("a message cut short", found)
            self._quiet(found)
            self._body.clear()
            self._raw, self._open, self._escaped = 1, True, False
            self._more(piece, found)
        return found

    def drop(self) -> int:
        """Forget what is unfinished, and say how many bytes it had."""
        dropped = self._noise + (self._raw if self._open else 0)
        self._noise, self._open = 0, False
        return dropped

    def _more(self, piece: bytes, found: list[Message | Fault]) -> None:
        at = 0
        while at < len(piece) and self._open:
            began = at
            if self._escaped:
                self._escaped = False
                at += 1
                byte = ESCAPED.get(piece[began])
                if byte is None:
                    self._raw += 1
                    self._broken("a message with a damaged byte", found)
                    break
                self._body.append(byte)
            else:
                escape = piece.find(ESCAPE, at, at + self._missing())
                stop = min(at + self._missing(), len(piece)) if escape < 0 else escape
                self._body += piece[at:stop]
                self._escaped = escape >= 0
                at = stop + self._escaped
            self._raw += at - began
            if self._missing() == 0:
                self._whole(found)
        self._noise += len(piece) - at
        while self._noise >= NOISE_TOLD:
            self._noise -= NOISE_TOLD
            found.append(Fault("bytes between messages", NOISE_TOLD))

    def _missing(self) -> int:
        """How many bytes have to come before more can be said: the length first, then all it counts."""
        return (self._body[0] + 2 if self._body else 1) - len(self._body)

    def _whole(self, found: list[Message | Fault]) -> None:
        if self._body[0] == 0 or functools.reduce(operator.xor, self._body):
            self._broken("wrong checksum", found)
            return
        self._open = False
        found.append(Message(self._body[1], bytes(self._body[2:-1]), self._raw))

    def _broken(self, why: str, found: list[Message | Fault]) -> None:
        if self._open:
            self._open = False
            found.append(Fault(why, self._raw))

    def _quiet(self, found: list[Message | Fault]) -> None:
        if self._noise:
            found.append(Fault("bytes between messages", self._noise))
            self._noise = 0


class Decoder:
    """Reads the messages of a Capnostream, and keeps it talking once it is given time."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._messages = Messages()
        self._fast: int | None = None
        self._time_s: int | None = None
        self._questions = b""
        self._due_ms: int | None = None
        self._asked = False
        self._introduced = False
        self._live = False
        self._live_ms: int | None = None

    # Bytes in, meaning out.

    def feed(self, data: bytes) -> list[Said]:
        """Four values of every numerics message that these bytes complete."""
        said: list[Said] = []
        for message in self._messages.feed(data):
            said += [message] if isinstance(message, Fault) else self._message(message)
        return said

    def close(self) -> list[Said]:
        """The unfinished message, if there is one; after this a new conversation may begin."""
        self._fast = self._time_s = self._due_ms = self._live_ms = None
        self._questions = b""
        self._asked = self._introduced = self._live = False
        return leftover(self._messages.drop())

    def _message(self, message: Message) -> list[Said]:
        payload = message.payload
        if message.code == WAVE and len(payload) == WAVE_SIZE:
            self._fast = payload[FAST]
            return []
        if message.code == NUMERICS and len(payload) >= NUMERICS_LEAST:
            return self._numerics(payload, message.size)
        if message.code == IDENTITY and payload:
            self._introduced = True
            return [Notice(f"monitor's version {printable(' '.join(payload.decode('latin-1').split()))}")]
        return [Fault("a message of another kind", message.size)]

    def _numerics(self, payload: bytes, size: int) -> list[Said]:
        fast, self._fast = self._fast, None
        # Numerics arrive shifted by a byte now and then, with a right checksum: the unit is then no unit, and
        # the time no time that follows (fact sheet, quirk).
        if payload[UNIT] not in {MMHG, *UNITS}:
            return [Fault("numbers shifted in their message", size)]
        time_s, before_s = int.from_bytes(payload[:4]), self._time_s
        self._time_s = time_s
        if before_s is not None and not 0 <= time_s - before_s <= DAY_S:
            return [Fault("a time that does not follow", size)]
        self._live = True
        return _says(payload, fast or 0, f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S}")

    # Words to the monitor, by the clock.

    def tick(self, now_ms: int) -> None:
        """Open the conversation, keep it open, and open it again when no numbers come."""
        if self._due_ms is None:
            self._due_ms = now_ms
        if self._live:
            self._live, self._live_ms = False, now_ms
        if self._introduced:
            self._introduced = False
            self._questions += encode(START_LIVE)
            self._due_ms = now_ms + ASK_AGAIN_MS
        if now_ms < self._due_ms:
            return
        if self._live_ms is not None and now_ms - self._live_ms < SILENT_MS:
            self._questions += encode(ACTIVE)
            self._due_ms = now_ms + ACTIVE_EVERY_MS
            return
        self._questions += encode(ENABLE)
        # A monitor that was enabled before may not introduce itself again.
        self._questions += encode(START_LIVE) if self._asked else b""
        self._asked = True
        self._due_ms = now_ms + ASK_AGAIN_MS

    def due_ms(self) -> int:
        """When the next word is due."""
        return 0 if self._introduced or self._due_ms is None else self._due_ms

    def to_send(self) -> bytes:
        """The words that are due, once."""
        questions, self._questions = self._questions, b""
        return questions

    def farewell(self) -> tuple[bytes, ...]:
        """The numbers stop, and the conversation is over (fact sheet, flow)."""
        asked, self._asked = self._asked, False
        return (encode(STOP_LIVE), encode(DISABLE)) if asked else ()

    def start_cuff(self) -> str | None:
        """Refuse."""
        return NO_CUFF

    def cancel_cuff(self) -> None:
        """Nothing can have been started."""


def _says(payload: bytes, fast: int, time: str) -> list[Said]:
    blind = [why for bit, why in BLIND.items() if fast & bit]
    blind += ["CO2 pump is off"] if payload[CO2_EXTRA] & PUMP_OFF else []
    lost = [why for bit, why in NO_SIGNAL.items() if payload[SPO2_ALARMS] & bit]
    notices = blind + lost
    for table, flags in (
        (SLOW_NOTICES, payload[SLOW]),
        (CO2_NOTICES, payload[CO2_ALARMS]),
        (SPO2_NOTICES, payload[SPO2_ALARMS]),
        (EXTRA_NOTICES, payload[CO2_EXTRA]),
    ):
        notices += [what for bit, what in table.items() if flags & bit]
    return [
        _end_tidal(payload, blind, time),
        _rate(payload, blind, time),
        _value(Vital.SPO2, payload[SATURATION], lost, time),
        _value(Vital.PULSE_SPO2, payload[PULSE], lost, time),
        *(Notice(what) for what in notices),
    ]


def _value(vital: Vital, number: int, invalid: list[str], time: str) -> Sample:
    if number == NOTHING:
        return Sample(vital, None, Quality.MISSING, invalid[0] if invalid else "no reading", device_time=time)
    if invalid:
        return Sample(vital, None, Quality.INVALID, invalid[0], device_time=time)
    if number == 0 and vital in {Vital.SPO2, Vital.PULSE_SPO2}:
        # Without a pulse an oximeter has no number; it cannot claim that there is no beat.
        return Sample(vital, None, Quality.INVALID, "no pulse found", device_time=time)
    return Sample(vital, number, device_time=time)


def _rate(payload: bytes, blind: list[str], time: str) -> Sample:
    rate, seconds = payload[RATE], payload[NO_BREATH_S]
    told = _value(Vital.RESPIRATION, rate, blind, time)
    if not payload[CO2_ALARMS] & NO_BREATH or blind:
        return told
    why = "the monitor says: no breath"
    if 0 < seconds < NOTHING:
        why += f" for {seconds} s"
    if rate == 0:
        return Sample(Vital.RESPIRATION, 0, Quality.VALID, why, device_time=time)
    # A rate beside "no breath" is that of breaths which have ended.
    quality = Quality.MISSING if rate == NOTHING else Quality.INVALID
    return Sample(Vital.RESPIRATION, None, quality, why, device_time=time)


def _end_tidal(payload: bytes, blind: list[str], time: str) -> Sample:
    told = _value(Vital.ETCO2, payload[END_TIDAL], blind, time)
    if told.value is None or payload[UNIT] == MMHG:
        return told
    unit, mmhg = UNITS[payload[UNIT]]
    why = UNSURE_SCALE.format(unit)
    in_tenths = payload[END_TIDAL_LIMIT] > WHOLE_MOST
    if in_tenths != (payload[END_TIDAL] > WHOLE_MOST):
        return Sample(Vital.ETCO2, None, Quality.INVALID, why, device_time=time)
    value = round(told.value * mmhg / (10 if in_tenths else 1), 1)
    return Sample(Vital.ETCO2, value, Quality.QUESTIONABLE, why, Doubt.UNUSUAL, time)


# What both sides write.


def encode(code: int, payload: bytes = b"") -> bytes:
    """A whole message of either side."""
    body = bytes([1 + len(payload), code]) + payload
    body += bytes([functools.reduce(operator.xor, body)])
    stuffed = body.replace(b"\x80", b"\x80\x00").replace(b"\x85", b"\x80\x05")
    return bytes([START]) + stuffed


def encode_wave(number: int, co2: float, fast: int = 0) -> bytes:
    """One sample of the CO2 wave, in the monitor's unit, with its fast status."""
    return encode(WAVE, bytes([number & 0xFF, *divmod(round(co2 * 256), 256), fast]))


def encode_numerics(
    time_s: int,
    etco2: int | None,
    rate: int | None,
    spo2: int | None,
    pulse: int | None,
    *,
    inspired: int = 0,
    slow: int = 0,
    co2_alarms: int = 0,
    spo2_alarms: int = 0,
    no_breath_s: int = 0,
    limits: tuple[int, ...] = (60, 15, 30, 5, 8, 100, 88, 130, 50),
    unit: int = MMHG,
    extra: int = 0,
) -> bytes:
    """The numerics of one second; None is sent as "not available". `limits` as in the fact sheet."""
    shown = (etco2, inspired, rate, spo2, pulse)
    payload = time_s.to_bytes(4) + bytes(NOTHING if one is None else one for one in shown)
    payload += bytes([slow, 0, 0, 0, co2_alarms, spo2_alarms, no_breath_s, *limits, unit, extra])
    return encode(NUMERICS, payload)


def encode_identity(text: str) -> bytes:
    """Version, date and serial number, as the monitor introduces itself."""
    return encode(IDENTITY, text.encode("ascii"))


def _decoder(options: Mapping[str, Any]) -> Decoder:
    if options:
        raise ValueError(f"capnostream has no option {min(options)!r}")
    return Decoder()


LIKE = re.compile(rb"\x85(?:[\x1c-\x3b]\x01|\x05\x00)")
LIKE_SIZES = {(WAVE, WAVE_SIZE)} | {(NUMERICS, size) for size in range(NUMERICS_LEAST, 2 * NUMERICS_LEAST)}


def looks_like(raw: bytes) -> bool:
    """Whether a whole message with numerics or of the CO2 wave is somewhere in these bytes."""
    return LIKE.search(raw) is not None and any(
        isinstance(message, Message) and (message.code, len(message.payload)) in LIKE_SIZES
        for message in Messages().feed(raw)
    )


DRIVER = Driver(
    name="capnostream",
    title="Capnostream",
    models=("Oridion Capnostream 20", "Oridion Capnostream 20p", "Medtronic Capnostream 35"),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.RESPIRATION, Vital.ETCO2, Vital.SPO2, Vital.PULSE_SPO2),
    settings=SerialSettings(115_200),
    polled=True,
    silent_after_ms=SILENT_MS,
    hint="check the cable to the monitor's RS-232 or USB data port, 115200 baud, and its CO2 unit: mmHg",
    looks_like=looks_like,
    known_by="whole messages that begin with 85",
)

"""Masimo pulse oximeters, serial text output "ASCII 1": one line a second, the device talks only.

Facts: one line of `KEY=VALUE` words after the device's clock, read by key name and never by column, because
firmware generations add, drop and reorder keys. What may be believed is not in the digits but in EXC.
There is no checksum: a line with a word of the wrong form is dropped whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import StampedLines
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

LINE_MAX = 256  # the widest known layout (Radical-7) has about 190 characters

STAMP = re.compile(rb"\d\d/\d\d/\d\d \d\d:\d\d:\d\d(?= )")
WHOLE_PERCENT = re.compile(rb"[\d-]{3}%?")
PERFUSION = re.compile(rb"[\d-]{1,2}\.[\d-]{1,2}%?")
HEX = re.compile(rb"[0-9A-Fa-f]+")
PRINTABLE = re.compile(rb"[ -~]+")

EXC_WIDTH_BY_ALARM_WIDTH = {2: 3, 4: 6, 6: 7}
WHOLE = re.compile(
    rb" (?:"
    + b"|".join(
        rb"ALARM=[0-9A-F]{%d} EXC=[0-9A-F]{%d}" % widths for widths in EXC_WIDTH_BY_ALARM_WIDTH.items()
    )
    + rb")(?: EXC1=[0-9A-F]{8})? *$"
)
"""Rad-5, Rad-8, newer Radical-7: an EXC of another width has lost its end, and the bits would be others."""

EXC_SET = 0x800
"""The oximeter's normal signal processing is at work: no fault."""

# What EXC says of the saturation and the pulse. The worst comes first: it is the one that is told.
INVALID = {
    0x000020: "probe off",
    0x000001: "no sensor connected",
    0x001000: "no cable",
    0x000002: "defective sensor",
    0x000080: "unrecognised sensor",
    0x000100: "incompatible sensor",
    0x004000: "incompatible cable",
    0x008000: "unrecognised cable",
    0x010000: "defective cable",
    0x080000: "sensor emitter temperature",
    0x100000: "sensor current limit",
    0x020000: "sensor calibrating",
    0x000008: "searching for a pulse",
}
QUESTIONABLE = {
    0x000004: "low perfusion",
    0x000400: "low signal quality",
    0x000010: "interference",
    0x000040: "too much light on the sensor",
}
ADVISORY = {0x002000: "cable life expired", 0x040000: "sensor life expired"}

# What ALARM says: the monitor's own alarms. It does not say whether a value is valid.
ALARM = {
    0x0001: "monitor's own alarm: SpO2 high",
    0x0002: "monitor's own alarm: SpO2 low",
    0x0004: "monitor's own alarm: pulse rate high",
    0x0008: "monitor's own alarm: pulse rate low",
    0x0020: "alarm silenced at the monitor",
    0x0040: "monitor's battery low",
}


class Decoder:
    """Reads the lines of a Masimo oximeter."""

    def __init__(self) -> None:
        """Begin before the first byte: what comes first may be the end of a line."""
        self._lines = StampedLines(LINE_MAX, STAMP, _meaning, "not a Masimo line")

    def feed(self, data: bytes) -> list[Said]:
        """Saturation, pulse rate and perfusion index of every line these bytes complete."""
        return self._lines.feed(data)

    def close(self) -> list[Said]:
        """The unfinished line, if there is one; after this a new stream may begin."""
        # A file may lack its last line end. The widths of ALARM and EXC tell that nothing else is lacking.
        return self._lines.close(WHOLE.search)


def _meaning(whole: bytes, clock: re.Match[bytes]) -> list[Said]:
    line, device_time = whole[clock.start() :], clock.group().decode()
    words = _words(line)
    if words is None:
        return [Fault("damaged line", len(line))]
    if b"SpO2" in words:
        # The Rad-8 prints a saved trend with other keys and with zero for "no data".
        return [Fault("a line of a saved trend, not live", len(line))]
    wrong = _misshapen(words)
    if wrong:
        return [Fault(wrong, len(line))]
    exc = int(words[b"EXC"], 16)
    alarm = int(words.get(b"ALARM", b"0"), 16)
    invalid = [why for bit, why in INVALID.items() if exc & bit]
    doubtful = [why for bit, why in QUESTIONABLE.items() if exc & bit]
    said: list[Said] = [
        _sample(vital, words[key], invalid, doubtful, device_time)
        for key, vital in (
            (b"SPO2", Vital.SPO2),
            (b"BPM", Vital.PULSE_SPO2),
            (b"PI", Vital.PERFUSION),
        )
        if key in words
    ]
    advice = [why for bit, why in ADVISORY.items() if exc & bit]
    alarms = [what for bit, what in ALARM.items() if alarm & bit]
    return said + [Notice(what) for what in invalid + doubtful + advice + alarms]


def _words(line: bytes) -> dict[bytes, bytes] | None:
    if not PRINTABLE.fullmatch(line):
        return None
    words: dict[bytes, bytes] = {}
    for word in line[17:].split():
        key, sign, value = word.partition(b"=")
        if not sign or key in words:
            return None
        words[key] = value
    return words


def _misshapen(words: Mapping[bytes, bytes]) -> str | None:
    """What a line lacks before its numbers may be taken from it, or None."""
    if not {b"SPO2", b"BPM", b"EXC"} <= words.keys():
        return "SPO2, BPM or EXC is missing"
    if not (WHOLE_PERCENT.fullmatch(words[b"SPO2"]) and WHOLE_PERCENT.fullmatch(words[b"BPM"])):
        return "damaged number"
    if not PERFUSION.fullmatch(words.get(b"PI", b"-.-")):
        return "damaged number"
    exc, alarm = words[b"EXC"], words.get(b"ALARM")
    if not HEX.fullmatch(exc) or len(exc) not in EXC_WIDTH_BY_ALARM_WIDTH.values():
        return "damaged EXC"
    if alarm is not None and (
        not HEX.fullmatch(alarm) or EXC_WIDTH_BY_ALARM_WIDTH.get(len(alarm)) != len(exc)
    ):
        return "damaged ALARM or EXC"
    return None


def _sample(vital: Vital, word: bytes, invalid: list[str], doubtful: list[str], device_time: str) -> Sample:
    why = (invalid + doubtful)[:1]
    if b"-" in word:
        return Sample(vital, None, Quality.MISSING, why[0] if why else "no reading", device_time=device_time)
    if invalid:
        # The monitor may hold the last digits for seconds after the finger has gone: EXC knows better.
        return Sample(vital, None, Quality.INVALID, why[0], device_time=device_time)
    value = float(word.rstrip(b"%"))
    if doubtful:
        return Sample(vital, value, Quality.QUESTIONABLE, why[0], Doubt.POOR_SIGNAL, device_time)
    return Sample(vital, value, device_time=device_time)


class Layout(Enum):
    """The line layouts of the monitors we can write."""

    RAD8 = "Rad-8"
    RAD87 = "Rad-87"
    """As Rad-8, with PVI."""
    RAD5 = "Rad-5"
    """No serial number, narrow bit fields."""


def encode(
    device_time: str,
    spo2: float | None,
    pulse: float | None,
    perfusion: float | None,
    *,
    exc: int = EXC_SET,
    alarm: int = 0,
    serial: str = "0000012345",
    layout: Layout = Layout.RAD8,
) -> bytes:
    """One line as the monitor sends it, CR LF included; None is printed as dashes."""
    numbers = (
        f"SPO2={'---' if spo2 is None else f'{round(spo2):03d}'}% "
        f"BPM={'---' if pulse is None else f'{round(pulse):03d}'} "
        f"PI={'--.--' if perfusion is None else f'{perfusion:05.2f}'}%"
    )
    if layout is Layout.RAD5:
        return f"{device_time} {numbers} ALARM={alarm:02X} EXC={exc:03X}\r\n".encode("ascii")
    absent = "SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+--"
    if layout is Layout.RAD87:
        absent += " PVI=---"
    return f"{device_time} SN={serial} {numbers} {absent} ALARM={alarm:04X} EXC={exc:06X}\r\n".encode("ascii")


def _decoder(options: Mapping[str, Any]) -> Decoder:
    if options:
        raise ValueError(f"masimo-ascii1 has no option {min(options)!r}")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether a line of ASCII 1 is somewhere in these bytes."""
    return re.search(STAMP.pattern + rb" [^\r\n]*SPO2=[^\r\n]*BPM=", raw) is not None


DRIVER = Driver(
    name="masimo-ascii1",
    title="Masimo ASCII 1",
    models=(
        "Masimo Rad-8",
        "Masimo Rad-5",
        "Masimo Rad-5v",
        "Masimo Rad-87",
        "Masimo Radical-7",
        "Masimo Root",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SPO2, Vital.PULSE_SPO2, Vital.PERFUSION),
    # One line a second, always; a shorter limit alarms on the latency of a USB adapter (fact sheet, 1).
    silent_after_ms=2_500,
    hint="set the monitor's serial mode to ASCII 1 (AS1), and use a null-modem cable at 9600 baud",
    looks_like=looks_like,
    known_by="lines with a clock and SPO2=",
)

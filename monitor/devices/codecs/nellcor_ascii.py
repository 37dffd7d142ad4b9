"""Nellcor, Covidien and Medtronic pulse oximeters: the real-time printout. We listen and never send.

A header comes first, again every 25 lines and when a limit changes; a data line every 2 s. It is read by
white space: some models strip blanks or pad with zeros. The codes at its end say what may be believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.devices.driver import Driver
from monitor.devices.framing import StampedLines
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

LINE_MAX = 128  # data lines have 61 characters, the widest known header line 79
DATA_WIDTH = 61

MONTHS = b"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
STAMP = re.compile(rb"\d\d-(?i:" + MONTHS + rb")-\d\d \d\d:\d\d:\d\d(?= )")
DATA = re.compile(
    rb" +(?P<spo2>\d{1,3}|---)\*? +(?P<pulse>\d{1,3}|---)\*? +(?P<amplitude>\d{1,3}|---)\*?"
    rb"(?P<codes>(?: +[A-Z]{2})*) *"
)
CODE = re.compile(rb"[A-Z]{2}")
COLUMNS = {"spo2": 24, "pulse": 32, "amplitude": 40}
"""Where the numbers end, and below where the codes stand (fact sheet, 3)."""
SLOT_FIRST, SLOT = 44, 3
HEADER = re.compile(
    rb".*\bVERSION +\S+ +CRC:.*"
    rb"|(?i:.*\b(?:ADULT|NEO\w*)\b.*)"
    rb"|(?i: *TIME +%SpO2 +BPM +PA +Status *)"
)

# The worst comes first: it is the one that is told.
INVALID = {
    b"SO": "probe off",
    b"SD": "sensor disconnected",
    b"LP": "loss of pulse",
    b"LM": "loss of pulse with interference",
    b"PS": "searching for a pulse",
}
QUESTIONABLE = {b"MO": "motion"}
REMARKS = {
    b"AO": "audible alarm off at the monitor",
    b"AS": "alarm silenced at the monitor",
    b"LB": "monitor's battery low",
    b"BU": "monitor on battery",
    b"PH": "monitor's own alarm: pulse rate high",
    b"PL": "monitor's own alarm: pulse rate low",
    b"SH": "monitor's own alarm: SpO2 high",
    b"SL": "monitor's own alarm: SpO2 low",
}


class Decoder:
    """Reads the printout of a Nellcor oximeter."""

    def __init__(self) -> None:
        """Begin before the first byte: joining in the middle of a line is normal."""
        self._lines = StampedLines(LINE_MAX, STAMP, _read, "not a Nellcor line", HEADER)

    def feed(self, data: bytes) -> list[Said]:
        """Saturation and pulse rate of every data line these bytes complete; headers say nothing."""
        return self._lines.feed(data)

    def close(self) -> list[Said]:
        """The unfinished line, if there is one; after this a new stream may begin."""
        return self._lines.close(_is_whole)


def _is_whole(rest: bytes) -> bool:
    """Whether a last line lacks its end of line only: one that keeps its width lacks no code."""
    stamps = list(STAMP.finditer(rest))
    return bool(stamps) and len(rest) - stamps[-1].start() >= DATA_WIDTH


def _read(line: bytes, clock: re.Match[bytes]) -> list[Said]:
    begin = clock.start()
    data = DATA.fullmatch(line, clock.end())
    if data is None or _shifted(data, begin):
        return [Fault("damaged line", len(line) - begin)]
    return _meaning(data, clock.group().decode())


def _shifted(data: re.Match[bytes], begin: int) -> bool:
    """Whether a line that keeps its columns has a code between the slots: something is gone from it."""
    if [data.end(name) - begin for name in COLUMNS] != list(COLUMNS.values()):
        return False  # blanks stripped or added: white space is all there is to go by
    codes = data.start("codes") - begin
    return any((codes + word.start() - SLOT_FIRST) % SLOT for word in CODE.finditer(data["codes"]))


def _meaning(data: re.Match[bytes], device_time: str) -> list[Said]:
    codes = data["codes"].split()
    invalid = [why for code, why in INVALID.items() if code in codes]
    doubtful = [why for code, why in QUESTIONABLE.items() if code in codes]
    said: list[Said] = [
        _sample(vital, data[key], invalid, doubtful, device_time)
        for key, vital in (("spo2", Vital.SPO2), ("pulse", Vital.PULSE_SPO2))
    ]
    known = INVALID | QUESTIONABLE | REMARKS
    # A code nobody has described is kept and shown, never a reason to drop the line.
    return said + [Notice(known.get(code, f"monitor's status {code.decode()}")) for code in codes]


def _sample(vital: Vital, word: bytes, invalid: list[str], doubtful: list[str], device_time: str) -> Sample:
    why = (invalid + doubtful)[:1]
    if word == b"---":
        return Sample(vital, None, Quality.MISSING, why[0] if why else "no reading", device_time=device_time)
    if invalid:
        # With PS the printout shows 0, or holds the last digits: neither is a value.
        return Sample(vital, None, Quality.INVALID, why[0], device_time=device_time)
    if doubtful:
        return Sample(vital, float(word), Quality.QUESTIONABLE, why[0], Doubt.POOR_SIGNAL, device_time)
    return Sample(vital, float(word), device_time=device_time)


# Where a code stands: MO, SL, AS, AO, SD, SO and PS as captured, the others in the slots left over.
SLOTS = {
    "SD": 44, "SO": 44, "PS": 44, "LP": 44, "LM": 44, "MO": 44,
    "SL": 47, "SH": 47, "PL": 50, "PH": 50, "LB": 53, "BU": 53, "AS": 56, "AO": 59,
}  # fmt: skip


def encode(
    device_time: str,
    spo2: float | None,
    pulse: float | None,
    amplitude: int | None,
    codes: Iterable[str] = (),
) -> bytes:
    """One data line as the monitor prints it, CR LF included: dashes for None, `*` past a limit."""
    codes = tuple(codes)
    line = f"{device_time:<18}"
    line += "   " + _cell(spo2) + ("*" if {"SH", "SL"} & set(codes) else " ")
    line += "    " + _cell(pulse) + ("*" if {"PH", "PL"} & set(codes) else " ")
    line += "    " + _cell(amplitude)
    for code in sorted(codes, key=SLOTS.__getitem__):
        line = f"{line:<{SLOTS[code]}}{code}"
    return f"{line}\r\n".encode("ascii")


def _cell(value: float | None) -> str:
    return "---" if value is None else f"{round(value):>3}"


def encode_header(
    model: str = "N-560", version: str = "1.56.00", spo2: str = "90-100", pulse: str = "60-170"
) -> bytes:
    """The three header lines; `spo2` and `pulse` are the limits set on the monitor."""
    return (
        f"{model}    VERSION {version}    CRC:XXXX  SpO2 Limit: {spo2}%    PR Limit: {pulse}BPM\r\n"
        f"{'':29}ADULT            0SAT-S\r\n"
        "TIME                 %SpO2   BPM     PA     Status\r\n"
    ).encode("ascii")


def _decoder(options: Mapping[str, Any]) -> Decoder:
    if options:
        raise ValueError(f"nellcor-ascii has no option {min(options)!r}")
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether a data line or a header of the printout is somewhere in these bytes."""
    return (
        re.search(STAMP.pattern + rb" +[\d-]{1,3}\*? +[\d-]{1,3}\*? +[\d-]{1,3}", raw) is not None
        or re.search(rb"VERSION +\S+ +CRC:", raw) is not None
    )


DRIVER = Driver(
    name="nellcor-ascii",
    title="Nellcor printout",
    models=(
        "Nellcor NPB-190",
        "Nellcor NPB-195",
        "Nellcor NPB-290",
        "Nellcor NPB-295",
        "Nellcor NPB-395",
        "Nellcor N-560",
        "Nellcor N-595",
        "Nellcor N-600x",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(Vital.SPO2, Vital.PULSE_SPO2),
    # One line every 2 s: two may be lost (fact sheet, 1).
    silent_after_ms=4_500,
    hint="choose the protocol ASCII in the monitor's serial port menu; an NPB-290 prints nothing on battery",
    looks_like=looks_like,
    known_by="printed lines with a date and two numbers, or their header",
)

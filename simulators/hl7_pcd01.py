"""A monitor that calls: each second one HL7 report in a block, with its last pressure again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.hl7_pcd01 import MMHG_PER_KPA, MONITOR, Head, Row, encode
from monitor.hl7_text import encode_block
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import DeviceClock, Rhythm, checked, cycle_of

OPTIONS = {
    "style": '"mindray" (default) or "ge": whose way of writing it has',
    "sender": "the name it calls itself by (default MONITOR); its id is made of the seed",
    "location": "POINT^ROOM^BED as it was typed in at the monitor (default empty)",
    "every_s": "seconds between two messages (default 1)",
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is none",
    "zone": "true for times that say their zone (default false)",
    "pressure": '"mmHg" (default) or "kPa"',
    "demo": "true for a monitor in demonstration mode (default false)",
}

TEMPERATURE_EVERY_MS = 300_000
CUFF_NAMES = {
    "mindray": ("MDC_PRESS_CUFF_SYS", "MDC_PRESS_CUFF_MEAN", "MDC_PRESS_CUFF_DIA"),
    "ge": ("MDC_PRESS_BLD_NONINV_SYS", "MDC_PRESS_BLD_NONINV_MEAN", "MDC_PRESS_BLD_NONINV_DIA"),
}
SUBS = {
    "MDC_ECG_HEART_RATE": "1.7.4",
    "MDC_PULS_OXIM_SAT_O2": "1.3.1",
    "MDC_PULS_OXIM_PULS_RATE": "1.3.1",
    "MDC_BLD_PERF_INDEX": "1.3.1",
    "MDC_RESP_RATE": "1.7.1",
    "MDC_TEMP": "1.2.1",
}


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` is its id and how wrong its clock is."""
        checked("hl7-pcd01", options, OPTIONS)
        self._style = _one_of(options, "style", ("mindray", "ge"))
        self._kpa = _one_of(options, "pressure", ("mmHg", "kPa")) == "kPa"
        self._flags = "DEMO" if options.get("demo", False) else ""
        self._zone = "+0000" if options.get("zone", False) else ""
        self._location = str(options.get("location", ""))
        self._id = f"00A0370098{seed % 2**24:06X}"
        self._sender = f"{options.get('sender', 'MONITOR')}^{self._id}^EUI-64"
        self._patient = patient
        self._clock = DeviceClock(seed, jumps)
        self._rhythm = Rhythm(_every_ms(options), seed * 137)
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._taken: Taken | None = None
        self._number = 0

    def due_ms(self) -> int:
        """The next message."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The blocks of the moments that have passed."""
        return b"".join(encode_block(self._message(at_ms)) for at_ms in self._rhythm.passed(t_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  whatever it is answered, it goes on
        """Nothing: an answer is not answered."""
        return b""

    def _message(self, t_ms: int) -> bytes:
        self._number += 1
        for taken in self._cuffs.go_on(t_ms):
            self._taken = taken
        mindray = self._style == "mindray"
        head = Head(
            f"{self._number}",
            self._text(t_ms),
            self._sender,
            accept="AL" if mindray else "NE",
            application="NE" if mindray else "AL",
            name="^^^^^^L",
            visit="I",
            location=self._location,
        )
        device = Row(MONITOR, "1.0.0.0", device=self._id, flags=self._flags)
        return encode(head, [device, *self._numbers(t_ms), *self._temperature(t_ms), *self._pressures()])

    def _numbers(self, t_ms: int) -> list[Row]:
        patient, contact = self._patient, self._patient.contact(t_ms)
        probe = contact.good
        doubt = "QUES" if probe and (contact.motion or contact.weak) else ""
        perfusion = patient.perfusion(t_ms) if probe else None
        return [
            self._number_row("MDC_ECG_HEART_RATE", patient.heart_rate(t_ms), t_ms),
            self._number_row("MDC_PULS_OXIM_SAT_O2", patient.spo2(t_ms) if probe else None, t_ms, doubt),
            self._number_row("MDC_PULS_OXIM_PULS_RATE", patient.pulse(t_ms) if probe else None, t_ms, doubt),
            self._row("MDC_BLD_PERF_INDEX", "" if perfusion is None else f"{perfusion:.2f}", t_ms),
            self._number_row("MDC_RESP_RATE", patient.respiration(t_ms), t_ms),
        ]

    def _temperature(self, t_ms: int) -> list[Row]:
        """Taken now and then; between two it is sent again with its time."""
        at_ms = t_ms // TEMPERATURE_EVERY_MS * TEMPERATURE_EVERY_MS
        value = self._patient.temperature(at_ms)
        if value is None:
            return []
        return [Row("MDC_TEMP", _sub("MDC_TEMP"), f"{value:.1f}", self._text(at_ms), self._flags, spot=True)]

    def _pressures(self) -> list[Row]:
        """The last measurement, with its time, until there is another."""
        if self._taken is None:
            return []
        result, at = self._taken.result, self._text(self._taken.at_ms)
        names = CUFF_NAMES[self._style]
        if result.failed is not None:
            return [Row(name, "1.1.9.1", at=at, flags="INV", spot=True) for name in names]
        values = zip(names, (result.systolic, result.mean, result.diastolic), strict=True)
        rows = [
            Row(
                name,
                "1.1.9.1",
                self._pressure(value),
                at,
                self._flags,
                spot=True,
                unit="MDC_DIM_KILO_PASCAL" if self._kpa else "",
            )
            for name, value in values
        ]
        if result.pulse is not None:
            pulse = f"{result.pulse:.0f}"
            rows.append(Row("MDC_PULS_RATE_NON_INV", "1.1.9.1", pulse, at, self._flags, spot=True))
        return rows

    def _pressure(self, mmhg: float | None) -> str:
        if mmhg is None:
            return ""
        return f"{mmhg / MMHG_PER_KPA:.2f}" if self._kpa else f"{mmhg:.0f}"

    def _number_row(self, name: str, value: float | None, t_ms: int, doubt: str = "") -> Row:
        return self._row(name, "" if value is None else f"{value:.0f}", t_ms, doubt)

    def _row(self, name: str, text: str, t_ms: int, doubt: str = "") -> Row:
        flags = self._flags or (doubt if text else "NAV")
        # GE leaves the time of what was measured just now to the report.
        return Row(name, _sub(name), text, self._text(t_ms) if self._style == "mindray" else "", flags)

    def _text(self, t_ms: int) -> str:
        return f"{self._clock.at(t_ms):%Y%m%d%H%M%S}{self._zone}"


def _sub(name: str) -> str:
    return f"{SUBS[name]}.1"


def _one_of(options: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    chosen = str(options.get(name, known[0]))
    if chosen not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {chosen!r}")
    return chosen


def _every_ms(options: Mapping[str, Any]) -> int:
    every_s = options.get("every_s", 1)
    if isinstance(every_s, bool) or not isinstance(every_s, int | float) or not 0.1 <= every_s <= 3600:
        raise ValueError("every_s is a number of seconds from 0.1 to 3600")
    return round(1000 * every_s)

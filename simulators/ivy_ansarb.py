"""An Ivy 450C: a message a second, whatever happens, with the last blood pressure in each until the next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.ivy_ansarb import FLAT, encode_vitals
from simulators.cuffs import Cuffs
from simulators.patient import AnyPatient, CuffResult
from simulators.twin import Rhythm, checked, cycle_of

OPTIONS = {
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is a monitor without one",
    "co2": "true for one with a CO2 module (default false)",
}

EVERY_MS = 1_000
APNOEA_AFTER_MS = 20_000  # as its label says: APNEA: 20 SEC
ECG_HZ, ECG_ZERO, ECG_HEIGHT, ECG_BYTES = 200, 100, 50, 200
ETCO2_MMHG = 38
SENSORS = {"off": "SENSOR OFF", "unplugged": "NO SENSOR", "searching": "SEARCHING"}
CUFF_FAILED = "CUFF FAIL"
SPO2_LOW = 90


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it. It sends no time, so nothing can be seen of its clock (`jumps`)."""
        del jumps
        self._co2 = bool(checked("ivy-ansarb", options, OPTIONS).get("co2", False))
        self._patient = patient
        self._rhythm = Rhythm(EVERY_MS, seed * 137)
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._last: CuffResult | None = None
        self._failed = False
        self._breath_ms: int | None = None

    def due_ms(self) -> int:
        """The next message."""
        return self._rhythm.due_ms()

    def tick(self, t_ms: int) -> bytes:
        """The messages since the last call."""
        return b"".join(self._message(at_ms) for at_ms in self._rhythm.passed(t_ms))

    def hear(self, data: bytes, t_ms: int) -> bytes:  # noqa: ARG002  it does not listen
        """Nothing: it talks, whatever comes."""
        return b""

    def _message(self, t_ms: int) -> bytes:
        for taken in self._cuffs.go_on(t_ms):
            # A measurement that failed leaves the old numbers where they stood.
            self._failed = taken.result.failed is not None
            self._last = self._last if self._failed else taken.result
        patient, last = self._patient, self._last
        spo2, breaths = patient.spo2(t_ms), _whole(patient.respiration(t_ms))
        self._breath_ms = t_ms if breaths != 0 or self._breath_ms is None else self._breath_ms
        alarms = {"SPO2": SENSORS.get(patient.contact(t_ms).probe, "")}
        alarms |= {"SPO2": "SPO2 LOW"} if spo2 is not None and spo2 < SPO2_LOW else {}
        alarms |= {"NIBP": CUFF_FAILED} if self._failed else {}
        alarms |= {"RR": "APNEA"} if t_ms - self._breath_ms >= APNOEA_AFTER_MS else {}
        rate = patient.heart_rate(t_ms)
        return encode_vitals(
            heart_rate=_whole(rate),
            respiration=breaths,
            etco2=(ETCO2_MMHG if breaths else 0) if self._co2 else None,
            spo2=_whole(spo2),
            pulse=_whole(patient.pulse(t_ms)),
            cuff=() if last is None else (last.systolic, last.diastolic, last.mean, last.pulse),
            temperature=patient.temperature(t_ms),
            alarms=alarms,
            waves=_waves(t_ms, rate),
        )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _waves(t_ms: int, rate: float | None) -> bytes:
    """A second of ECG whose peaks come with the heart rate; the other waves are at rest."""
    if not rate:
        return FLAT
    beats = [(t_ms / 1000 + at / ECG_HZ) * rate / 60 % 1 for at in range(ECG_BYTES)]
    ecg = bytes(round(ECG_ZERO + ECG_HEIGHT * math.exp(-(((beat - 0.5) / 0.03) ** 2))) for beat in beats)
    return ecg + FLAT[ECG_BYTES:]

"""What a simulated IntelliVue shows of its patient: objects of its answers, empty and private ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.intellivue.alarms import PATIENT_ALARMS, TECHNICAL_ALARMS, alarm_list
from monitor.devices.codecs.intellivue.export import Context, Object
from monitor.devices.codecs.intellivue.numerics import (
    BREATHS_PER_MINUTE,
    CELSIUS,
    DIASTOLIC,
    HEART_RATE,
    MEAN,
    MEASURED_AT,
    MMHG,
    NO_UNIT,
    PER_MINUTE,
    PERCENT,
    PERFUSION,
    PULSE_CUFF,
    PULSE_OXIMETER,
    RESPIRATION,
    SATURATION,
    SYSTOLIC,
    TEMPERATURE,
    Number,
    State,
    compound,
    observed,
)
from monitor.devices.codecs.intellivue.replies import CLOCK, RELATIVE_CLOCK
from monitor.devices.codecs.intellivue.wire import Attribute, absolute_digits, sized, u16, u32
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient, Contact
from simulators.twin import DeviceClock, cycle_of

EARLY_MS = 3_000
"""So long before a cuff is done its systolic pressure is shown already."""

LEADS_OFF = 0x8201
"""As a real monitor marks a heart rate without leads."""

# Handles hold for a session; these are such as a real one had.
EMPTY_CONTEXT: Context = (0, tuple(Object(handle) for handle in range(0x867B, 0x8681)))
EMPTY = tuple(Object(handle) for handle in range(0x0860, 0x086C))
MODULES = tuple(
    Object(handle, (observed(Number(0x0302, 0, NO_UNIT, handle % 7, 1)),)) for handle in range(0x2000, 0x2050)
)
PRIVATE: tuple[Attribute, ...] = ((0xF237, b"\xff" * 4), (0xF998, b"\xff" * 4))

SPO2_LOW = 90
SENSOR_OFF = {"off": "SpO2 sensor off", "unplugged": "SpO2 no sensor", "searching": "SpO2 searching"}


class Screen:
    """The monitor's measurements, its clock and its cuff."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `options` are those of the twin."""
        self._patient = patient
        self._cuffs = Cuffs(patient, cycle_of(options))
        self._marked = State.DEMO if options.get("demo") else State(0)
        self._modules = MODULES if options.get("modules") else ()
        self._clock = DeviceClock(seed, jumps)
        self._last: Taken | None = None

    def presented(self, association: int, ticks: int, t_ms: int) -> list[Attribute]:
        """What it says of itself when a session begins: names, clocks, and some that nobody has explained."""
        return [
            (0x0984, sized(bytes.fromhex("0009fb000001"))),
            (0x091D, u16(association)),
            (0x0928, sized(b"Philips\0") + sized(b"M8000\0\0\0")),
            (0xF1FA, bytes(4)),
            (0x09A7, u16(6)),
            (CLOCK, absolute_digits(self._clock.at(t_ms))),
            (RELATIVE_CLOCK, u32(ticks)),
        ]

    def numerics(self, t_ms: int, *, labelled: bool) -> tuple[Context, ...]:
        """All numerics, with their labels if they are wanted."""
        patient, contact = self._patient, self._patient.contact(t_ms)
        probe = _marked(contact)
        shown = (
            (0x07B7, "SpO2", Number(SATURATION, probe, PERCENT, patient.spo2(t_ms), 1)),
            (0x07BD, "Pulse", Number(PULSE_OXIMETER, probe, PER_MINUTE, patient.pulse(t_ms))),
            (0x07C1, "Perf", Number(PERFUSION, probe, NO_UNIT, patient.perfusion(t_ms), 1)),
            (0x0842, "HR", Number(HEART_RATE, 0, PER_MINUTE, patient.heart_rate(t_ms))),
            (0x0849, "RR", Number(RESPIRATION, 0, BREATHS_PER_MINUTE, patient.respiration(t_ms))),
            (0x084E, "Temp", Number(TEMPERATURE, 0, CELSIUS, patient.temperature(t_ms), 1)),
        )
        objects = [
            Object(handle, (*(_label(handle, name) if labelled else ()), observed(self._true(number))))
            for handle, name, number in shown
        ]
        return EMPTY_CONTEXT, (1, (*objects, *self._cuff(t_ms), *EMPTY, *self._modules))

    def alarms(self, t_ms: int) -> tuple[Attribute, ...]:
        """Its own alarms and messages that stand."""
        spo2, off = self._patient.spo2(t_ms), SENSOR_OFF.get(self._patient.contact(t_ms).probe)
        return (
            alarm_list(TECHNICAL_ALARMS, [(SATURATION, 0, off)] if off else []),
            alarm_list(
                PATIENT_ALARMS, [(SATURATION, 0, "SpO2 low")] if spo2 is not None and spo2 < SPO2_LOW else []
            ),
        )

    def _cuff(self, t_ms: int) -> tuple[Object, Object]:
        for taken in self._cuffs.go_on(t_ms):
            self._last = taken
        at = None if self._last is None else self._clock.at(self._last.at_ms)
        attributes = ((MEASURED_AT, absolute_digits(at)), *PRIVATE)
        sources = zip((SYSTOLIC, DIASTOLIC, MEAN, PULSE_CUFF), self._measured(t_ms), strict=True)
        *pressures, pulse = (
            Number(source, state | self._marked, PER_MINUTE if source == PULSE_CUFF else MMHG, value)
            for source, (state, value) in sources
        )
        return (
            Object(0x0B2C, (*attributes, compound(pressures))),
            Object(0x0B2F, (*attributes, observed(pulse))),
        )

    def _measured(self, t_ms: int) -> Sequence[tuple[int, float | None]]:
        """State and number of the three pressures and the pulse: of the last measurement, or the running."""
        result = None if self._last is None else self._last.result
        ongoing = State.ONGOING if self._cuffs.running else State(0)
        if ongoing and self._cuffs.due_ms() - t_ms <= EARLY_MS:
            early = (ongoing | State.EARLY, self._patient.systolic(t_ms))
            return [early, *3 * [(ongoing | State.UNAVAILABLE, None)]]
        if result is None:
            return 4 * [(ongoing | State.UNAVAILABLE, None)]
        numbers = (result.systolic, result.diastolic, result.mean, result.pulse)
        return [(ongoing | (State.INVALID if number is None else 0), number) for number in numbers]

    def _true(self, number: Number) -> Number:
        """A number as this monitor marks it: without a value it is none, in a demonstration nobody's."""
        state = number.state
        if number.value is None and not state:
            state = LEADS_OFF
        value = None if state & State.INVALID or state & State.UNAVAILABLE else number.value
        return Number(number.source, state | self._marked, number.unit, value, number.decimals)


def _marked(contact: Contact) -> int:
    """How the oximeter's numbers are marked."""
    if contact.probe == "searching":
        return State.UNAVAILABLE
    if not contact.good:
        return State.INVALID
    return State.QUESTIONABLE if contact.motion or contact.weak else 0


def _label(handle: int, name: str) -> tuple[Attribute, ...]:
    return (0x0924, u32(handle)), (0x0927, sized(name.encode("utf-16-be")))

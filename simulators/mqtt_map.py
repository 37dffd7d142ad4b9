"""A gateway as they are in the field: numbers without quality or sequence, in one of three shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.mqtt_map import encode_envelope, encode_flat, encode_scalar
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import HostClock, Message, Rhythm, checked, cycle_of

OPTIONS = {
    "topic": "where it publishes; scalars go to TOPIC/sensor/<name>/state",
    "shape": '"flat" (default), "envelope" (with the gateway\'s time) or "scalar"',
    "cycle_s": "the cuff's own interval in seconds (default 300); 0 is none",
    "cuff": "false for a gateway without a cuff (default true)",
    "oximeter": "false for a gateway with a thermometer instead of an oximeter (default true)",
}
SHAPES = ("flat", "envelope", "scalar")

EVERY_MS = 2000


class Twin:
    """The gateway of one patient's devices."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
        host: HostClock | None = None,
    ) -> None:
        """Attach it. What jumps with `jumps` is the gateway's clock, which it believes to be right."""
        checked("mqtt-map", options, OPTIONS)
        self._topic = str(options.get("topic", "gateway/bed"))
        self._shape = str(options.get("shape", "flat"))
        if self._shape not in SHAPES:
            raise ValueError(f"shape is one of {', '.join(SHAPES)}, not {self._shape!r}")
        self._patient = patient
        self._host, self._jumps = host or HostClock(0), tuple(jumps)
        self._rhythm = Rhythm(EVERY_MS, seed * 137)
        self._oximeter = bool(options.get("oximeter", True))
        self._cuffs = Cuffs(patient, cycle_of(options)) if options.get("cuff", True) else None
        self._begun = False

    def due_ms(self) -> int:
        """The next message."""
        return min(self._rhythm.due_ms(), 2**62 if self._cuffs is None else self._cuffs.due_ms())

    def tick(self, t_ms: int) -> list[Message]:
        """What has been published by now."""
        messages: list[Message] = []
        for at_ms in self._rhythm.passed(t_ms):
            messages += self._shaped(self._continuous(at_ms), at_ms)
        taken = [] if self._cuffs is None else self._cuffs.go_on(t_ms)
        if not self._begun:
            self._begun, taken = True, taken[-1:]
        for one in taken:
            messages += self._cuff(one)
        return messages

    def born(self) -> list[Message]:
        """Online, retained."""
        return [Message(f"{self._topic}/LWT", b"online", retain=True)]

    def will(self) -> Message:
        """Offline, retained."""
        return Message(f"{self._topic}/LWT", b"offline", retain=True)

    def _continuous(self, t_ms: int) -> dict[str, float | None]:
        if not self._oximeter:
            celsius = self._patient.temperature(t_ms)
            return {"temp": None if celsius is None else round(celsius, 1)}
        pulse = self._patient.pulse(t_ms)
        return {"spo2": self._patient.spo2(t_ms), "bpm": None if pulse is None else round(pulse)}

    def _cuff(self, taken: Taken) -> list[Message]:
        result = taken.result
        if result.systolic is None:
            return []  # of a cuff that failed these gateways say nothing
        values: dict[str, float | None] = {
            "sys": result.systolic,
            "dia": result.diastolic,
            "map": result.mean,
            "pulse": result.pulse,
        }
        if self._shape == "scalar":
            del values["pulse"]  # a bare "pulse" is the oximeter's
        return self._shaped(values, taken.at_ms)

    def _shaped(self, values: Mapping[str, float | None], t_ms: int) -> list[Message]:
        match self._shape:
            case "envelope":
                stamp_ms = self._host.at_ms(t_ms) + sum(by for at, by in self._jumps if at <= t_ms)
                return [Message(self._topic, encode_envelope(values, stamp_ms))]
            case "scalar":
                return [
                    Message(f"{self._topic}/sensor/{name}/state", encode_scalar(value))
                    for name, value in values.items()
                ]
            case _:
                return [Message(self._topic, encode_flat(values))]

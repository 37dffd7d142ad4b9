"""A gateway as they are in the field: numbers without quality, in three shapes; or a Sparkplug node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from monitor.devices.codecs.mqtt_map import encode_envelope, encode_flat, encode_scalar
from monitor.devices.codecs.mqtt_plan import NEEDS_PROTOBUF
from simulators.cuffs import Cuffs, Taken
from simulators.patient import AnyPatient
from simulators.twin import HostClock, Message, Rhythm, checked, cycle_of

if TYPE_CHECKING:
    from simulators.sparkplug_node import Node

OPTIONS = {
    "topic": "where it publishes; scalars go to TOPIC/sensor/<name>/state",
    "shape": '"flat" (default), "envelope" (with the gateway\'s time), "scalar", or "sparkplug" '
    "with the topic spBv1.0/GROUP/NODE/DEVICE",
    "cycle_s": "the cuff's own interval in seconds (default 300); 0 is none",
    "cuff": "false for a gateway without a cuff (default true)",
    "oximeter": "false for a gateway with a thermometer instead of an oximeter (default true)",
    "lost_every": "sparkplug: of so many messages with data one is lost (default 0: none)",
    "off_s": "sparkplug: [from, to], the seconds of the patient in which the device is switched off",
}
SHAPES = ("flat", "envelope", "scalar", "sparkplug")
METRICS: dict[str, tuple[str, type]] = {
    "spo2": ("Oximeter/SpO2", int),
    "bpm": ("Oximeter/Pulse", int),
    "temp": ("Thermometer/Temperature", float),
    "sys": ("Cuff/Systolic", int),
    "dia": ("Cuff/Diastolic", int),
    "map": ("Cuff/Mean", int),
    "pulse": ("Cuff/Pulse", int),
}
"""Its metrics as a node, by the key that the other shapes have."""

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
        self._lost_every = _whole(options, "lost_every")
        self._off_ms = _span_ms(options.get("off_s"))
        self._is_off = False
        self._told = 0
        self._node = _node(self._topic) if self._shape == "sparkplug" else None
        self._now_ms: int | None = None

    def due_ms(self) -> int:
        """The next message."""
        return min(self._rhythm.due_ms(), 2**62 if self._cuffs is None else self._cuffs.due_ms())

    def tick(self, t_ms: int) -> list[Message]:
        """What has been published by now."""
        self._now_ms = t_ms
        messages: list[Message] = self._switched(t_ms)
        for at_ms in self._rhythm.passed(t_ms):
            messages += self._shaped(self._continuous(at_ms), at_ms)
        taken = [] if self._cuffs is None else self._cuffs.go_on(t_ms)
        if not self._begun:
            self._begun, taken = True, taken[-1:]
        for one in taken:
            messages += self._cuff(one)
        return messages

    def born(self) -> list[Message]:
        """Online, retained; of a node its births."""
        if self._node is not None:
            self._is_off = False
            return self._node.births(None if self._now_ms is None else self._stamp_ms(self._now_ms))
        return [Message(f"{self._topic}/LWT", b"online", retain=True)]

    def will(self) -> Message:
        """Offline, retained; of a node its death."""
        if self._node is not None:
            return self._node.will()
        return Message(f"{self._topic}/LWT", b"offline", retain=True)

    def hears(self) -> str:
        """Where it is commanded; "" where nobody can."""
        return "" if self._node is None else self._node.commands

    def hear(self, topic: str, payload: bytes, t_ms: int) -> list[Message]:
        """What it publishes when it is told to be born again."""
        if self._node is None or not self._node.obeys(topic, payload):
            return []
        self._is_off = False
        return self._node.births(self._stamp_ms(t_ms)) + self._switched(t_ms)

    def _switched(self, t_ms: int) -> list[Message]:
        """The death or the birth of the device, where it has just been switched."""
        off = self._off_ms is not None and self._off_ms[0] <= t_ms < self._off_ms[1]
        if self._node is None or off is self._is_off:
            return []
        self._is_off = off
        stamp_ms = self._stamp_ms(t_ms)
        return [self._node.device_death(stamp_ms) if off else self._node.device_birth(stamp_ms)]

    def _stamp_ms(self, t_ms: int) -> int:
        return self._host.at_ms(t_ms) + sum(by for at, by in self._jumps if at <= t_ms)

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
        if self._node is not None:
            return self._data(self._node, values, t_ms)
        match self._shape:
            case "envelope":
                return [Message(self._topic, encode_envelope(values, self._stamp_ms(t_ms)))]
            case "scalar":
                return [
                    Message(f"{self._topic}/sensor/{name}/state", encode_scalar(value))
                    for name, value in values.items()
                ]
            case _:
                return [Message(self._topic, encode_flat(values))]

    def _data(self, node: Node, values: Mapping[str, float | None], t_ms: int) -> list[Message]:
        if self._is_off:
            return []
        message = node.data({METRICS[key][0]: value for key, value in values.items()}, self._stamp_ms(t_ms))
        self._told += 1
        is_lost = self._lost_every and self._told % self._lost_every == 0
        return [] if is_lost else [message]


def _node(topic: str) -> Node:
    try:
        from simulators.sparkplug_node import Node
    except ModuleNotFoundError as missing:
        raise ValueError(NEEDS_PROTOBUF) from missing
    return Node(topic, dict(METRICS.values()))


def _whole(options: Mapping[str, Any], name: str) -> int:
    given = options.get(name, 0)
    if type(given) is not int or given < 0:
        raise ValueError(f"{name} is a whole number")
    return given


def _span_ms(given: Any) -> tuple[int, int] | None:
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) != 2 or not given[0] < given[1]:
        raise ValueError("off_s is two seconds, as [60, 90]")
    return round(given[0] * 1000), round(given[1] * 1000)

"""A Sparkplug B node with one device behind it: births, numbered data by alias, deaths, births on demand."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.devices.codecs.sparkplug import (
    BD_SEQ,
    BOOLEAN,
    FLOAT,
    INT32,
    INT64,
    NAMESPACE,
    REBIRTH,
    SEQ_SPAN,
    Metric,
    encode,
    is_rebirth,
)
from simulators.twin import Message

FIRST_ALIAS = 10


class Node:
    """One node. `kinds` are its device's metrics: float or int, by name."""

    def __init__(self, topic: str, kinds: Mapping[str, type]) -> None:
        """`topic` is spBv1.0/GROUP/NODE/DEVICE; a ValueError says so where it is not."""
        levels = topic.split("/")
        if len(levels) != 4 or levels[0] != NAMESPACE or not all(levels):
            raise ValueError(f"{topic}: the topic of this shape is {NAMESPACE}/GROUP/NODE/DEVICE")
        _, self._group, self._node, self._device = levels
        self._kinds = {name: FLOAT if kind is float else INT32 for name, kind in kinds.items()}
        self._aliases = {name: FIRST_ALIAS + place for place, name in enumerate(kinds)}
        self._values: dict[str, float | None] = dict.fromkeys(kinds)
        self._measured_ms: dict[str, int] = {}
        self._bd_seq = -1
        self._seq = 0
        self.commands = f"{NAMESPACE}/{self._group}/NCMD/{self._node}"
        """Where it is commanded."""

    def will(self) -> Message:
        """Its death on the connection it is about to make, which has a number of its own."""
        self._bd_seq = (self._bd_seq + 1) % SEQ_SPAN
        death = encode([self._bd_metric()], seq=None, sent_ms=None)
        return Message(self._topic("NDEATH"), death, qos=1)

    def births(self, sent_ms: int | None) -> list[Message]:
        """Its own birth, with which the numbers begin anew, and its device's with what it knows."""
        self._seq = -1
        own = [self._bd_metric(), Metric(REBIRTH, value=False, datatype=BOOLEAN)]
        return [
            Message(self._topic("NBIRTH"), encode(own, seq=self._next(), sent_ms=sent_ms)),
            self.device_birth(sent_ms),
        ]

    def device_birth(self, sent_ms: int | None) -> Message:
        """Names, types and aliases."""
        metrics = [
            Metric(
                name,
                _as(self._values[name], self._kinds[name]),
                alias,
                self._measured_ms.get(name),
                self._kinds[name],
            )
            for name, alias in self._aliases.items()
        ]
        return Message(self._topic("DBIRTH"), encode(metrics, seq=self._next(), sent_ms=sent_ms))

    def device_death(self, sent_ms: int) -> Message:
        """The device is gone, the node is not."""
        return Message(self._topic("DDEATH"), encode([], seq=self._next(), sent_ms=sent_ms))

    def data(self, values: Mapping[str, float | None], measured_ms: int) -> Message:
        """What has been measured, by alias alone."""
        self._values |= values
        self._measured_ms |= dict.fromkeys(values, measured_ms)
        metrics = [
            Metric(None, _as(value, self._kinds[name]), self._aliases[name], measured_ms, self._kinds[name])
            for name, value in values.items()
        ]
        return Message(self._topic("DDATA"), encode(metrics, seq=self._next(), sent_ms=measured_ms))

    def obeys(self, topic: str, payload: bytes) -> bool:
        """Whether this commands it to be born again."""
        return topic == self.commands and is_rebirth(payload)

    def _bd_metric(self) -> Metric:
        return Metric(BD_SEQ, max(self._bd_seq, 0), datatype=INT64)

    def _topic(self, kind: str) -> str:
        of_device = f"/{self._device}" if kind.startswith("D") else ""
        return f"{NAMESPACE}/{self._group}/{kind}/{self._node}{of_device}"

    def _next(self) -> int:
        self._seq = (self._seq + 1) % SEQ_SPAN
        return self._seq


def _as(value: float | None, kind: int) -> float | int | None:
    return value if value is None or kind == FLOAT else round(value)

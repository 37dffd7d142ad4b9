"""Sparkplug B as its host hears it: a birth gives names, data come by alias, a death ends it. Pure.

Every message of a node is numbered. After a gap a birth may have been missed, and with it what an alias
means: then nothing is believed until the node is born again, which it is asked for. So the whole node must
be heard (`spBv1.0/GROUP/+/NODE/#`), also where only one of its devices is wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.devices.codecs.sparkplug_payload import DecodeError, Payload
from monitor.devices.driver import OFFLINE, ONLINE
from monitor.devices.framing import MESSAGE_MAX
from monitor.model import Fault, Notice, Said

NAMESPACE = "spBv1.0"
OF_NODES = frozenset({"NBIRTH", "NDATA", "NDEATH"})
OF_DEVICES = frozenset({"DBIRTH", "DDATA", "DDEATH"})
COMMANDS = frozenset({"NCMD", "DCMD"})

INT8, INT16, INT32, INT64, FLOAT, BOOLEAN, STRING = 1, 2, 3, 4, 9, 11, 12
SIGNED_BITS = {INT8: 8, INT16: 16, INT32: 32, INT64: 64}
"""Data types whose numbers go over the wire as if they had no sign."""

SEQ_SPAN = 256
ASK_AGAIN_MS = 10_000
"""A node that was asked for its birth is not asked again for so long (a choice of this project)."""

BD_SEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
QUALITY = b"Quality"
GOOD = 192
"""The one good value of the property "Quality" in its lower 16 bits; 0 is bad, 500 stale."""

ASKED = "the node has been asked for its birth and has not answered: may this service write to {}?"
NOT_BORN = "the node has no device {!r}: check `device`"
UNNAMED = "its values come under a device: name it in `device`"


@dataclass(frozen=True, slots=True)
class Metric:
    """One value of a message. `value` is a number, a text, true or false; None is "no value"."""

    name: str | None
    value: object
    alias: int | None = None
    time_ms: int | None = None
    datatype: int = 0
    historical: bool = False
    bad: bool = False
    """The node itself says that it is not good."""


@dataclass(frozen=True, slots=True)
class Message:
    """One payload, read."""

    metrics: tuple[Metric, ...]
    seq: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message holds for one source: its metrics, all with names, and what else is to be said."""

    metrics: tuple[Metric, ...] = ()
    said: tuple[Said, ...] = ()


NOTHING = Heard()


class Node:
    """What is known of one node and, where `device` is given, of that device of it."""

    def __init__(self, device: str | None) -> None:
        """Know nothing: data that come before a birth ask for one. `device` None: the node itself."""
        self._device = device
        self._where: tuple[str, str] | None = None
        self._mixed = False
        self._asked_ms: int | None = None
        self._question: tuple[str, bytes] | None = None
        self._waits_for = ""
        self.forget()

    @property
    def waits_for(self) -> str:
        """Why there are no values, in words; "" while there could be some."""
        return self._waits_for

    def forget(self) -> None:
        """Believe nothing until the next birth: something may have been missed."""
        self._seq: int | None = None
        self._bd_seq: object = None
        self._born: dict[str | int, Metric] | None = None

    def question(self) -> tuple[str, bytes] | None:
        """The topic and payload of the request for a birth that is to be sent now, once."""
        question, self._question = self._question, None
        return question

    def hear(  # noqa: PLR0911  each return is one reason to take nothing
        self, topic: str, payload: bytes, at_ms: int
    ) -> Heard:
        """One message that was not retained."""
        place = _place(topic)
        if place is None:
            return _refused("no topic of Sparkplug B", payload)
        where, kind, device = place
        if kind in COMMANDS:
            return NOTHING
        self._where = self._where or where
        if self._mixed or where != self._where:
            self._mixed = True
            self.forget()
            return _refused("several nodes on one link: name one of them in it", payload)
        message = read(payload)
        if isinstance(message, Fault):
            return Heard(said=(message,))
        if device is None and kind == "NDEATH":
            return self._node_dies(message, payload)
        if device is None and kind == "NBIRTH":
            return self._node_is_born(message, payload)
        return self._between(kind, device, message, payload, at_ms)

    def _between(self, kind: str, device: str | None, message: Message, payload: bytes, at_ms: int) -> Heard:
        """What comes between the birth of a node and its death: all of it is numbered."""
        wrong = self._follows(message, at_ms)
        if kind == "DDEATH" and device == self._device:
            self._born = None
            return Heard(said=(Notice(f"{OFFLINE}: the node has lost it"),))
        if wrong is not None:
            return _refused(wrong, payload)
        if device != self._device:
            if self._device is None:
                self._waits_for = UNNAMED
            return NOTHING
        if kind == "DBIRTH":
            return self._is_born(message)
        return self._data(message, payload, at_ms)

    def _follows(self, message: Message, at_ms: int) -> str | None:
        """Why this is not the next message of the node, or None where it is."""
        if message.seq is None:
            return "no sequence number"
        if self._seq is None:
            self._ask(at_ms)
            return "the birth of its node has not been heard"
        if message.seq == self._seq:
            return "the same message again"
        missed = (message.seq - self._seq - 1) % SEQ_SPAN
        if missed:
            self.forget()
            self._ask(at_ms)
            return f"messages lost: {missed}; what an alias means is not sure any more"
        self._seq = message.seq
        return None

    def _node_is_born(self, message: Message, payload: bytes) -> Heard:
        if message.seq is None:
            return _refused("no sequence number", payload)
        self.forget()
        self._seq = message.seq
        self._bd_seq = _value_of(message.metrics, BD_SEQ)
        if self._device is None:
            return self._is_born(message)
        self._waits_for = NOT_BORN.format(self._device)
        return NOTHING

    def _is_born(self, message: Message) -> Heard:
        self._born = {}
        self._waits_for = ""
        self._asked_ms = None
        for metric in message.metrics:
            if metric.name is None:
                continue
            self._born[metric.name] = metric
            if metric.alias is not None:
                # An alias that stands for two names stands for none.
                taken = metric.alias in self._born
                self._born[metric.alias] = replace(metric, name=None) if taken else metric
        # Its values are not taken: a node tells the last it knows, and not every one says how old that is.
        return Heard(said=(Notice(ONLINE),))

    def _node_dies(self, message: Message, payload: bytes) -> Heard:
        died = _value_of(message.metrics, BD_SEQ)
        if self._bd_seq is not None and died is not None and died != self._bd_seq:
            return _refused("the death of an earlier connection", payload)
        self.forget()
        return Heard(said=(Notice(f"{OFFLINE}: the node has gone"),))

    def _data(self, message: Message, payload: bytes, at_ms: int) -> Heard:
        if self._born is None:
            self._ask(at_ms)
            return _refused("its birth has not been heard", payload)
        metrics: list[Metric] = []
        for metric in message.metrics:
            known = self._born.get(metric.alias if metric.name is None else metric.name)  # type: ignore[arg-type]
            if known is None or known.name is None:
                self.forget()
                self._ask(at_ms)
                return _refused("an alias or a name that no birth has told", payload)
            value = _signed(metric.value, metric.datatype or known.datatype)
            metrics.append(replace(metric, name=known.name, value=value))
        return Heard(tuple(metrics))

    def _ask(self, at_ms: int) -> None:
        if self._asked_ms is not None and 0 <= at_ms - self._asked_ms < ASK_AGAIN_MS:
            return
        if self._where is None:
            return
        group, node = self._where
        topic = f"{NAMESPACE}/{group}/NCMD/{node}"
        self._asked_ms = at_ms
        self._question = (topic, encode_rebirth(max(at_ms, 0)))
        self._waits_for = ASKED.format(topic)


def read(payload: bytes) -> Message | Fault:
    """A payload as it stands: nothing is looked up."""
    if len(payload) > MESSAGE_MAX:
        return Fault("message too long", len(payload))
    try:
        whole = Payload.FromString(payload)
    except DecodeError:
        return Fault("not a payload of Sparkplug B", len(payload))
    sent_ms = whole.timestamp if whole.HasField("timestamp") else None
    seq = whole.seq if whole.HasField("seq") else None
    if seq is not None and seq >= SEQ_SPAN:
        return Fault("a sequence number above 255", len(payload))
    return Message(tuple(_metric(one, sent_ms) for one in whole.metrics), seq)


def _metric(one: Any, sent_ms: int | None) -> Metric:
    kind = one.WhichOneof("value")
    datatype: int = one.datatype
    value: object = None
    if kind is not None and not one.is_null:
        value = getattr(one, kind)
        if kind == "float_value":
            value = _shortest(one.float_value)
        elif kind == "string_value":
            value = one.string_value.decode("utf-8", "replace")
        value = _signed(value, datatype)
    return Metric(
        one.name.decode("utf-8", "replace") if one.HasField("name") else None,
        value,
        one.alias if one.HasField("alias") else None,
        one.timestamp if one.HasField("timestamp") else sent_ms,
        datatype,
        one.is_historical,
        _is_bad(one),
    )


def _is_bad(one: Any) -> bool:
    for key, value in zip(one.properties.keys, one.properties.values, strict=False):
        if key == QUALITY:
            given = value.WhichOneof("value")
            number = getattr(value, given) if given in {"int_value", "long_value"} else 0
            return bool(number & 0xFFFF != GOOD)
    return False


def _signed(value: object, datatype: int) -> object:
    bits = SIGNED_BITS.get(datatype)
    if bits is None or type(value) is not int or value < 0:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _shortest(value: float) -> float:
    """36.8 as it was meant: a `float` of the wire has 24 bits, and 36.79999923706055 is not more exact."""
    return float(f"{value:.7g}") if math.isfinite(value) else value


def _place(topic: str) -> tuple[tuple[str, str], str, str | None] | None:
    """Group and node, type, and the device if it is one's."""
    match topic.split("/"):
        case [space, group, kind, node] if space == NAMESPACE and kind in OF_NODES | COMMANDS:
            return (group, node), kind, None
        case [space, group, kind, node, device] if space == NAMESPACE and kind in OF_DEVICES | COMMANDS:
            return (group, node), kind, device
        case _:
            return None


def _value_of(metrics: Iterable[Metric], name: str) -> object:
    return next((metric.value for metric in metrics if metric.name == name), None)


def _refused(why: str, payload: bytes) -> Heard:
    return Heard(said=(Fault(why, len(payload)),))


# The node's side, and our own question.

KINDS: Mapping[type, str] = {
    bool: "boolean_value",
    int: "long_value",
    float: "double_value",
    str: "string_value",
}
_KIND_OF = {INT8: "int_value", INT16: "int_value", INT32: "int_value", FLOAT: "float_value"}


def encode(metrics: Iterable[Metric], *, seq: int | None, sent_ms: int | None) -> bytes:
    """One payload. A metric's `value` is written as its `datatype` asks, or as what it is."""
    whole = Payload()
    if sent_ms is not None:
        whole.timestamp = sent_ms
    for metric in metrics:
        one = whole.metrics.add()
        for field, given in (("alias", metric.alias), ("timestamp", metric.time_ms)):
            if given is not None:
                setattr(one, field, given)
        if metric.name is not None:
            one.name = metric.name.encode()
        if metric.datatype:
            one.datatype = metric.datatype
        if metric.historical:
            one.is_historical = True
        if metric.bad:
            one.properties.keys.append(QUALITY)
            one.properties.values.add(type=INT32, int_value=0)
        _write(one, metric)
    if seq is not None:
        whole.seq = seq
    written: bytes = whole.SerializeToString()
    return written


def _write(one: Any, metric: Metric) -> None:
    value = metric.value
    if value is None:
        one.is_null = True
        return
    kind = _KIND_OF.get(metric.datatype) or KINDS[type(value)]
    if isinstance(value, str):
        value = value.encode()
    elif kind in {"int_value", "long_value"} and isinstance(value, int):
        value &= 0xFFFFFFFF if kind == "int_value" else 0xFFFFFFFFFFFFFFFF
    setattr(one, kind, value)


def encode_rebirth(at_ms: int) -> bytes:
    """The command by which a host asks a node for all of its births."""
    return encode([Metric(REBIRTH, value=True, datatype=BOOLEAN)], seq=None, sent_ms=at_ms)


def is_rebirth(payload: bytes) -> bool:
    """Whether this is that command."""
    message = read(payload)
    return isinstance(message, Message) and _value_of(message.metrics, REBIRTH) is True

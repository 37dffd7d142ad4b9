"""What gateways in the field publish over MQTT, by configuration: scalars, objects, envelopes, Sparkplug B.

Most of it has no quality, no sequence and no time. So: without a time in the payload a retained message is
nobody's value; a time in the future is refused; an old one is history; the same again is ignored; pressures
of separate messages are one measurement only if they came together. Payloads may hold names: none is quoted.

Without options the shapes that known gateways use are recognised by sight, all but Sparkplug B.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.devices.claimed import FUTURE_MS, ClaimedClock, refused
from monitor.devices.codecs.envelopes import BYTES_MIN, Envelopes
from monitor.devices.codecs.mqtt_plan import (
    NEEDS_PROTOBUF,
    OPTIONS,
    VITALS,
    Availability,
    Entry,
    Envelope,
    Plan,
    falls_under,
    plan_of,
    topics_beside,
)
from monitor.devices.driver import OFFLINE, ONLINE, Driver, silence_ms
from monitor.devices.framing import printable, read_json
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Samples, Told, Vital

if TYPE_CHECKING:
    from monitor.devices.codecs.sparkplug import Metric, Node

SPARKPLUG = 'Sparkplug B: it is read with shape = "sparkplug"'
APART_MS = 5_000  # pressures further apart are not one measurement
SAME_CUFF_MS = 30_000  # no cuff measures again within this: equal unstamped pressures are a repeat
EARLIEST_MS = 946_684_800_000  # 2000-01-01: an earlier time is a wrong unit or an unset clock

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NONE_WORDS = frozenset({"", "nan", "unknown", "unavailable", "none", "null", "-", "--", "---"})

RATE = "rate"
"""A pulse whose source the key does not tell: the cuff's beside pressures, otherwise the oximeter's."""

TEMPERATURE, VALID, NO_DOUBT = Vital.TEMPERATURE, Quality.VALID, Doubt.NONE
KEYS: dict[str, Vital | str] = {
    **VITALS,
    "blood_oxygen": Vital.SPO2,
    "bpm": RATE,
    "heart_rate": RATE,
    "pulse": RATE,
    "pulse_rate": RATE,
    "pr": RATE,
    "sys": Vital.SYSTOLIC,
    "systolic": Vital.SYSTOLIC,
    "bp_high": Vital.SYSTOLIC,
    "dia": Vital.DIASTOLIC,
    "diastolic": Vital.DIASTOLIC,
    "bp_low": Vital.DIASTOLIC,
    "map": Vital.MEAN,
    "resp": Vital.RESPIRATION,
    "respiration_rate": Vital.RESPIRATION,
    "temperature": Vital.TEMPERATURE,
    "perfusion_index": Vital.PERFUSION,
}
PRESSURES = frozenset({Vital.SYSTOLIC, Vital.DIASTOLIC})
CUFF = frozenset({Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP})

KNOWN_ENVELOPES = (
    Envelope(("values",), ("ts",), 1.0),  # ThingsBoard devices
    Envelope(("values",), ("time",), 1000.0),  # BLE hospital gateways (MeasureData)
    Envelope(("data", "value"), ("time",), 1000.0),  # Qube-Vital stations
    Envelope(("data",), ("metadata", "timestamp"), 1.0),  # BioT devices
)
FLAT = Envelope((), None)


BY_SIGHT = {
    key: Entry(vital if isinstance(vital, Vital) else Vital.PULSE_SPO2) for key, vital in KEYS.items()
}
BY_SIGHT_BESIDE_PRESSURES = BY_SIGHT | {
    k: Entry(Vital.PULSE_NIBP) for k, vital in KEYS.items() if vital is RATE
}


@dataclass(slots=True)
class _Frame:
    """The values that stand under one time."""

    values: dict[Vital, float | None]
    time_ms: int | None = None
    device_time: str | None = None
    age_ms: int = 0
    doubt: str | None = None
    wrong: str | None = None
    """Why its numbers are none, where the source itself says so."""
    late: bool = False
    """The source itself says that it is history."""
    faults: list[Said] = field(default_factory=list)


class Decoder:
    """Reads the messages of one source."""

    def __init__(self, plan: Plan | None = None) -> None:
        """Without a plan every known shape is taken as it comes."""
        self._plan = plan or Plan()
        self._arrays = _arrays(self._plan)
        self._node = _node(self._plan)
        self._metrics = {entry.metric: entry for entry in self._plan.entries if entry.metric}
        self._newest_ms = 0
        self._clock = ClaimedClock()
        self._latest_ms: int | None = None
        """The newest time this message has told so far."""
        self._last: dict[Vital, tuple[int, float | None]] = {}
        self._halves: dict[Vital, tuple[float, int]] = {}
        self._cuff: tuple[tuple[float | None, ...], int | None, int] | None = None

    def message(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> Sequence[Told]:
        """What one message says; `at_ms` below 0: no clock here, the newest time told so far is now."""
        plan, self._latest_ms = self._plan, None
        if plan.availability is not None and plan.availability.speaks_on(topic):
            return [_available(topic, payload, plan.availability, plan.device)]
        if len(payload) >= BYTES_MIN and self._arrays is not None and at_ms >= 0:
            tables = self._tables(self._arrays, topic, payload, at_ms)
            if tables:
                return tables + self._skew(retained=retained, at_ms=at_ms)
        if self._node is not None:
            said = self._of_node(self._node, topic, payload, retained=retained, at_ms=at_ms)
        else:
            said = self._said(topic, payload, retained=retained, at_ms=at_ms)
        if said and all(isinstance(one, Fault) for one in said):
            # Nothing could be used: the first reason carries the bytes of the whole message.
            said[0] = Fault(said[0].reason, len(payload))  # type: ignore[union-attr]
            return said
        return [*said, *self._skew(retained=retained, at_ms=at_ms)]

    def _skew(self, *, retained: bool, at_ms: int) -> list[Notice]:
        """What the newest time of a message that was sent just now shows of its clock (C12)."""
        if self._latest_ms is None or retained or at_ms < 0:
            return []
        skewed = self._clock.heard(self._latest_ms, at_ms)
        return [skewed] if skewed else []

    def to_send(self) -> list[tuple[str, bytes]]:
        """What is to be published now, once: a node that was not heard from its birth on is asked for it."""
        question = None if self._node is None else self._node.question()
        return [] if question is None else [question]

    def waits_for(self) -> str:
        """Why nothing is read although messages come, where that is known."""
        return "" if self._node is None else self._node.waits_for

    def opened(self) -> None:
        """There is a subscription again: what was told meanwhile has not been heard."""
        if self._node is not None:
            self._node.forget()

    def _said(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> list[Said]:
        shape = self._plan.shape
        whole = None if shape == "scalar" else read_json(payload)
        if not isinstance(whole, dict | list):
            if shape in {None, "scalar"}:
                return self._scalar(topic, payload, retained=retained, at_ms=at_ms)
            return [whole if isinstance(whole, Fault) else Fault("neither an object nor an array", 0)]
        only = self._plan.only
        if only is not None and _at(whole, only[0]) != only[1]:
            return [Fault("a message without values", 0)]
        if not self._is_ours(topic, whole):
            return [Fault("another device's message", 0)]
        return self._objects(topic, whole, retained=retained, at_ms=at_ms)

    def _is_ours(self, topic: str, whole: Any) -> bool:
        plan = self._plan
        if plan.device is None:
            return True
        if plan.device_segment is not None:
            levels = topic.split("/")
            return plan.device_segment < len(levels) and levels[plan.device_segment] == plan.device
        if plan.device_is_key:
            return _at(whole, plan.root) is not _ABSENT
        return plan.device_path is not None and str(_at(whole, plan.device_path)) == plan.device

    # Many envelopes of one kind: at once where each would have been taken as it is.

    def _tables(self, arrays: Envelopes, topic: str, payload: bytes, at_ms: int) -> list[Told]:
        plan, told = self._plan, arrays.read(payload)
        if told is None or not self._is_ours(topic, None):
            return []
        known = dict(zip(told.keys, told.columns, strict=True))
        columns: dict[Vital, tuple[float, ...]] = {}
        for entry, column in self._found(topic, known):
            if entry.vital in CUFF or (entry.path is not None and len(entry.path) != 1):
                return []
            columns.setdefault(entry.vital, tuple(map(entry.convert, column)) if entry.converts else column)
        first_ms, last_ms = told.times[0], told.times[-1]
        before_ms = max((self._last[vital][0] for vital in columns if vital in self._last), default=0)
        if not columns or first_ms < EARLIEST_MS or last_ms - at_ms > FUTURE_MS or first_ms <= before_ms:
            return []
        self._latest_ms = last_ms
        late = bisect_left(told.times, at_ms - plan.max_age_ms)
        if TEMPERATURE in columns and late != bisect_left(told.times, at_ms - plan.slow_max_age_ms):
            return []  # some of these moments are history for one vital and not for another
        self._last |= {vital: (last_ms, column[-1]) for vital, column in columns.items()}
        vitals = tuple(columns)
        return [
            Samples(
                vitals,
                told.times[rows],
                tuple([column[rows] for column in columns.values()]),
                at_ms,
                late=is_late,
            )
            for rows, is_late in ((slice(late), True), (slice(late, None), False))
            if told.times[rows]
        ]

    # One value a message.

    def _scalar(  # noqa: PLR0911  each return is one reason to take nothing
        self, topic: str, payload: bytes, *, retained: bool, at_ms: int
    ) -> list[Said]:
        if not self._is_ours(topic, None):
            return [Fault("another device's message", 0)]
        entry = self._entry_of(topic)
        if entry is None:
            of_a_node = self._plan.shape is None and topic.startswith("spBv1.0/")
            return [Fault(SPARKPLUG if of_a_node else "no vital is known for this topic", 0)]
        if retained and not self._plan.accept_retained:
            return [Fault("a retained value without a time: how old it is nobody knows", 0)]
        try:
            word = payload.decode().strip()
        except UnicodeDecodeError:
            return [Fault("not text", 0)]
        value, wrong = _number(word)
        if wrong:
            return [Fault(wrong, 0)]
        frame = _Frame({entry.vital: None if value is None else entry.convert(value)})
        if retained:
            frame.doubt = "retained by the broker: how old it is nobody knows"
        if entry.vital in CUFF:
            return self._half(entry.vital, frame, at_ms)
        return self._say(frame, at_ms)

    def _entry_of(self, topic: str) -> Entry | None:
        if self._plan.entries:
            return next((e for e in self._plan.entries if e.topic and falls_under(e.topic, topic)), None)
        levels = topic.casefold().split("/")
        if levels[-1] == "state":  # ESPHome ends its topics so
            levels.pop()
        return BY_SIGHT.get(levels[-1]) if levels else None

    def _half(self, vital: Vital, frame: _Frame, at_ms: int) -> list[Said]:
        """Wait for the other half of a blood pressure, but not for long."""
        value = frame.values[vital]
        if value is None:
            self._halves.clear()
            return []
        self._halves[vital] = (value, at_ms)
        near = {v: value for v, (value, ms) in self._halves.items() if at_ms - ms <= APART_MS}
        self._halves = {v: half for v, half in self._halves.items() if v in near}
        if not {Vital.SYSTOLIC, Vital.DIASTOLIC} <= near.keys():
            return []
        self._halves.clear()
        return self._say(replace(frame, values=dict(near)), at_ms)

    # The metrics of a node.

    def _of_node(self, node: Node, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> list[Said]:
        if retained:
            return [Fault("a retained message: how old it is nobody knows", 0)]
        heard = node.hear(topic, payload, at_ms)
        said = list(heard.said)
        frames: dict[tuple[int | None, bool, bool], _Frame] = {}
        for metric in heard.metrics:
            entry = self._metrics.get(metric.name or "")
            if entry is None:
                continue
            number, wrong = _number(metric.value)
            if wrong:
                said.append(Fault(f"{entry.vital.value}: {wrong}", 0))
            key = metric.time_ms, metric.historical, metric.bad
            frame = frames.get(key)
            if frame is None:
                frame = frames[key] = _frame_of(metric)
            frame.values[entry.vital] = None if number is None else entry.convert(number)
        for frame in frames.values():
            said += self._in_parts(frame, at_ms)
        if heard.metrics and not said and not frames:
            return [Fault("no vital in this message", 0)]
        return said

    def _in_parts(self, frame: _Frame, at_ms: int) -> list[Said]:
        """A node sends what has changed: a blood pressure may come in several messages, or be none at all."""
        pressures = {vital: value for vital, value in frame.values.items() if vital in CUFF}
        others = {vital: value for vital, value in frame.values.items() if vital not in CUFF}
        said = self._say(replace(frame, values=others), at_ms) if others else []
        if all(value is None for value in pressures.values()):
            return said
        if pressures.keys() >= PRESSURES:
            return said + self._say(replace(frame, values=pressures), at_ms)
        for vital in pressures:
            said += self._half(vital, frame, at_ms)
        return said

    # An object, or several.

    def _objects(self, topic: str, whole: Any, *, retained: bool, at_ms: int) -> list[Said]:
        found = _at(whole, self._plan.root)
        items = found if isinstance(found, list) else [found]
        said: list[Said] = []
        for item in items:
            frame = self._frame(topic, item)
            if isinstance(frame, Fault):
                said.append(frame)
                continue
            said += frame.faults
            if frame.time_ms is None and retained:
                if not self._plan.accept_retained:
                    said.append(Fault("a retained message without a time: how old it is nobody knows", 0))
                    continue
                frame.doubt = "retained by the broker: how old it is nobody knows"
            said += self._say(frame, at_ms)
        return said or [Fault("no vital in this message", 0)]

    def _frame(self, topic: str, item: Any) -> _Frame | Fault:
        plan = self._plan
        envelope = plan.envelope or (FLAT if plan.shape == "flat" else _envelope_of(item))
        values = _at(item, envelope.values)
        if plan.shape is None and plan.envelope is not None and _is_neither(item, values, envelope):
            envelope, values = FLAT, item
        if not isinstance(values, dict):
            return Fault("no values where they should be", 0)
        frame = _Frame({})
        if envelope.time is not None:
            stamp = _at(item, envelope.time)
            number, _ = _number(stamp)
            if number is None:
                return Fault("its time cannot be read", 0)
            frame.time_ms = round(number * envelope.time_unit_ms) if abs(number) < 1e15 else -1
            frame.device_time = printable(str(stamp), 40)
        frame.values, frame.faults = self._values(topic, values)
        return frame

    def _values(self, topic: str, values: Mapping[str, Any]) -> tuple[dict[Vital, float | None], list[Said]]:
        taken: dict[Vital, float | None] = {}
        faults: list[Said] = []
        for entry, value in self._found(topic, values):
            if entry.vital in taken:
                continue
            number, wrong = _number(value)
            if wrong:
                faults.append(Fault(f"{entry.vital.value}: {wrong}", 0))
            taken[entry.vital] = None if number is None else entry.convert(number)
        return taken, faults

    def _found(self, topic: str, values: Mapping[str, Any]) -> list[tuple[Entry, Any]]:
        if not self._plan.entries:
            return [(entry, values[key]) for key, entry in _by_sight(tuple(values))]
        found: list[tuple[Entry, Any]] = []
        for entry in self._plan.entries:
            if entry.topic and not falls_under(entry.topic, topic):
                continue
            value = _at(values, entry.path or ())
            if value is not _ABSENT:
                found.append((entry, value))
        return found

    # From values to what is said.

    def _say(self, frame: _Frame, at_ms: int) -> list[Said]:
        if frame.time_ms is not None:
            now_ms = self._now_ms(at_ms, frame.time_ms)
            if frame.time_ms < EARLIEST_MS:
                return [Fault("its time cannot be right: check the time unit", 0)]
            wrong = refused(frame.time_ms, now_ms)
            if wrong is not None:
                return [Fault(wrong, 0)]
            self._latest_ms = max(self._latest_ms or 0, frame.time_ms)
            frame.age_ms = max(now_ms - frame.time_ms, 0)
        if CUFF.isdisjoint(frame.values):
            return [self._sample_of(vital, value, frame) for vital, value in frame.values.items()]
        said: list[Said] = []
        if CUFF & frame.values.keys() - {Vital.PULSE_NIBP}:
            said.append(self._cuff_of(frame, at_ms))
        else:
            said.append(Fault("a cuff's pulse without its pressures", 0))
        for vital, value in frame.values.items():
            if vital not in CUFF:
                said.append(self._sample_of(vital, value, frame))
        return said

    def _sample_of(self, vital: Vital, value: float | None, frame: _Frame) -> Said:
        slow = vital is TEMPERATURE
        late = frame.late or frame.age_ms > (self._plan.slow_max_age_ms if slow else self._plan.max_age_ms)
        if frame.time_ms is not None and not frame.late:
            last, this = self._last.get(vital), (frame.time_ms, value)
            if last == this:
                return Fault("the same value again", 0)
            if last is not None and frame.time_ms < last[0]:
                late = True
            else:
                self._last[vital] = this
        if frame.wrong:
            value, quality, why = None, Quality.INVALID, frame.wrong
        elif value is None:
            quality, why = Quality.MISSING, "no reading"
        elif frame.doubt:
            quality, why = Quality.QUESTIONABLE, frame.doubt
        else:
            quality, why = VALID, None
        return Sample(vital, value, quality, why, NO_DOUBT, frame.device_time, frame.age_ms, late)

    def _cuff_of(self, frame: _Frame, at_ms: int) -> Said:
        systolic, diastolic = frame.values.get(Vital.SYSTOLIC), frame.values.get(Vital.DIASTOLIC)
        mean, pulse = frame.values.get(Vital.MEAN), frame.values.get(Vital.PULSE_NIBP)
        if systolic is None or diastolic is None:
            return Fault("half a blood pressure", 0)
        if frame.wrong:
            return Cuff(
                None,
                None,
                age_ms=frame.age_ms,
                quality=Quality.INVALID,
                why=frame.wrong,
                device_time=frame.device_time,
            )
        numbers = (systolic, diastolic, mean, pulse)
        if self._cuff is not None:
            was, was_time_ms, was_at_ms = self._cuff
            stamped = frame.time_ms is not None
            same_time = frame.time_ms == was_time_ms if stamped else at_ms - was_at_ms <= SAME_CUFF_MS
            if was == numbers and same_time:
                self._cuff = (numbers, frame.time_ms, at_ms)
                return Fault("the same measurement again", 0)
        self._cuff = (numbers, frame.time_ms, at_ms)
        return Cuff(
            systolic,
            diastolic,
            mean,
            pulse,
            frame.age_ms,
            Quality.QUESTIONABLE if frame.doubt else Quality.VALID,
            frame.doubt,
            device_time=frame.device_time,
        )

    def _now_ms(self, at_ms: int, time_ms: int) -> int:
        if at_ms >= 0:
            return at_ms
        self._newest_ms = max(self._newest_ms, time_ms)
        return self._newest_ms


def _arrays(plan: Plan) -> Envelopes | None:
    """How long arrays are read, where their envelopes can be told beforehand and their time is in ms."""
    envelope = plan.envelope or (KNOWN_ENVELOPES[0] if plan.shape is None else None)
    if plan.shape == "scalar" or plan.root or plan.device_path is not None:
        return None
    if envelope is None or envelope.time is None or envelope.time_unit_ms != 1.0:
        return None
    try:
        return Envelopes(envelope.values, envelope.time)
    except ValueError:
        return None


_ABSENT = object()


def _at(found: Any, path: Iterable[str]) -> Any:
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return _ABSENT
        found = found[key]
    return found


def _envelope_of(item: Any) -> Envelope:
    for envelope in KNOWN_ENVELOPES:
        if isinstance(_at(item, envelope.values), dict) and _at(item, envelope.time or ()) is not _ABSENT:
            return envelope
    return FLAT


@lru_cache(maxsize=64)  # a gateway names its values the same way every time
def _by_sight(keys: tuple[str, ...]) -> tuple[tuple[str, Entry], ...]:
    """Which of these keys are known, and as what."""
    known = [(key, key.casefold()) for key in keys if key.casefold() in KEYS]
    pressures = any(KEYS[plain] in PRESSURES for _, plain in known)
    entries = BY_SIGHT_BESIDE_PRESSURES if pressures else BY_SIGHT
    return tuple((key, entries[plain]) for key, plain in known)


def _number(value: Any) -> tuple[float | None, str | None]:
    """A finite number or none, and what is wrong with it if it is neither a number nor an honest "none"."""
    if isinstance(value, str):
        if value.casefold() in NONE_WORDS:
            return None, None
        if not NUMBER.fullmatch(value):
            return None, "not a number"
        value = float(value)
    elif value is None:
        return None, None
    elif type(value) is not int and type(value) is not float:
        return None, "not a number"
    try:
        number = float(value)
    except OverflowError:
        return None, "not a number"
    return (number if math.isfinite(number) else None), None


def _is_neither(item: Any, values: Any, envelope: Envelope) -> bool:
    """Whether an object has neither the values nor the time of this envelope: then it is a flat one."""
    if not isinstance(item, dict) or values is not _ABSENT:
        return False
    return envelope.time is None or _at(item, envelope.time) is _ABSENT


def _node(plan: Plan) -> Node | None:
    """The node that is listened to; a ValueError where its payloads cannot be read."""
    if plan.shape != "sparkplug":
        return None
    try:
        from monitor.devices.codecs.sparkplug import Node
    except ModuleNotFoundError as missing:
        raise ValueError(NEEDS_PROTOBUF) from missing
    return Node(plan.device)


def _frame_of(metric: Metric) -> _Frame:
    return _Frame(
        {},
        metric.time_ms,
        None if metric.time_ms is None else str(metric.time_ms),
        wrong="the node itself says that it is not good" if metric.bad else None,
        late=metric.historical,
    )


def _available(topic: str, payload: bytes, availability: Availability, device: str | None) -> Said:
    if availability.offline_topic:
        whole = read_json(payload)
        if device is not None and str(_at(whole, availability.device_path)) != device:
            return Fault("another device's message", len(payload))
        return Notice(OFFLINE if topic == availability.offline_topic else ONLINE)
    word = payload.strip()
    if word == availability.online.encode():
        return Notice(ONLINE)
    if word == availability.offline.encode():
        return Notice(OFFLINE)
    return Fault("neither online nor offline", len(payload))


def encode_scalar(value: float | None) -> bytes:
    """The bare text that an ESPHome gateway publishes."""
    return b"nan" if value is None else f"{value:g}".encode("ascii")


def encode_flat(values: Mapping[str, float | None]) -> bytes:
    """A flat object."""
    return msgspec.json.encode(values)


def encode_envelope(values: Mapping[str, float | None], ts_ms: int) -> bytes:
    """What a ThingsBoard device publishes."""
    return msgspec.json.encode({"ts": ts_ms, "values": values})


def _decoder(options: Mapping[str, Any]) -> Decoder:
    silence_ms(DRIVER, options)
    return Decoder(plan_of(options))


DRIVER = Driver(
    name="mqtt-map",
    title="MQTT gateway, by configuration",
    models=(
        "ESPHome, ThingsBoard, OpenMQTTGateway, BLE hospital gateways (ATH), Qube-Vital, BioT",
        "Sparkplug B nodes, and plain scalars or flat JSON",
    ),
    transport="mqtt",
    decoder=_decoder,
    topics=topics_beside,
    vitals=tuple(vital for vital in Vital if not vital.value.startswith("abp")),
    cuff=True,
    silent_after_ms=15_000,
    hint="check the topic, and that the broker lets this service read it",
    options=OPTIONS,
)

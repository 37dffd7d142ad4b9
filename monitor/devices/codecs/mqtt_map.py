"""What gateways in the field publish over MQTT, read by configuration: a scalar, a flat object, an envelope.

Most of it has no quality, no sequence and no time. So: without a time in the payload a retained message is
nobody's value; a time in the future is refused; an old one is history; the same again is ignored; pressures
of separate messages are one measurement only if they came together. Payloads may hold names: none is quoted.

Without options the shapes that known gateways use are recognised by sight.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import msgspec

from monitor.devices.codecs.envelopes import BYTES_MIN, Envelopes
from monitor.devices.driver import OFFLINE, ONLINE, Driver, silence_ms
from monitor.devices.framing import printable, read_json
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Samples, Told, Vital

MAX_AGE_S = 10.0  # as long as a continuous value may count as fresh
SLOW_MAX_AGE_S = 120.0  # blood pressure and temperature
FUTURE_MS = 5_000  # C12
APART_MS = 5_000  # pressures further apart are not one measurement
SAME_CUFF_MS = 30_000  # no cuff measures again within this: equal unstamped pressures are a repeat
EARLIEST_MS = 946_684_800_000  # 2000-01-01: an earlier time is a wrong unit or an unset clock

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NONE_WORDS = frozenset({"", "nan", "unknown", "unavailable", "none", "null", "-", "--", "---"})

RATE = "rate"
"""A pulse whose source the key does not tell: the cuff's beside pressures, otherwise the oximeter's."""

TEMPERATURE, VALID, NO_DOUBT = Vital.TEMPERATURE, Quality.VALID, Doubt.NONE
VITALS = {vital.value: vital for vital in Vital}
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

CONVERT: dict[str, tuple[str, float, float]] = {
    # unit: the unit of ours, factor, and what is added before
    "[degF]": ("Cel", 5 / 9, -32.0),
    "kPa": ("mm[Hg]", 7.50062, 0.0),
    "1": ("%", 100.0, 0.0),
}
TIME_UNIT_MS = {"s": 1000.0, "ms": 1.0}


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where in a message the values stand, and where their time."""

    values: tuple[str, ...]
    time: tuple[str, ...] | None
    time_unit_ms: float = 1.0


KNOWN_ENVELOPES = (
    Envelope(("values",), ("ts",), 1.0),  # ThingsBoard devices
    Envelope(("values",), ("time",), 1000.0),  # BLE hospital gateways (MeasureData)
    Envelope(("data", "value"), ("time",), 1000.0),  # Qube-Vital stations
    Envelope(("data",), ("metadata", "timestamp"), 1.0),  # BioT devices
)
FLAT = Envelope((), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the map: where a value stands, and what it is."""

    vital: Vital
    path: tuple[str, ...] | None = None
    topic: str | None = None
    scale: float = 1.0
    unit: str = ""

    @property
    def converts(self) -> bool:
        """Whether the value comes in another unit than the vital's own."""
        return self.scale != 1.0 or (self.unit in CONVERT and self.unit != self.vital.unit)

    def convert(self, value: float) -> float:
        """The value in the vital's own unit."""
        if self.scale != 1.0:
            value *= self.scale
        if self.unit in CONVERT and self.unit != self.vital.unit:
            _, factor, before = CONVERT[self.unit]
            return (value + before) * factor
        return value


BY_SIGHT = {
    key: Entry(vital if isinstance(vital, Vital) else Vital.PULSE_SPO2) for key, vital in KEYS.items()
}
BY_SIGHT_BESIDE_PRESSURES = BY_SIGHT | {
    k: Entry(Vital.PULSE_NIBP) for k, vital in KEYS.items() if vital is RATE
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of one source, checked."""

    shape: str | None = None
    root: tuple[str, ...] = ()
    envelope: Envelope | None = None
    entries: tuple[Entry, ...] = ()
    device_path: tuple[str, ...] | None = None
    device_segment: int | None = None
    device: str | None = None
    availability: tuple[str, str, str] | None = None
    accept_retained: bool = False
    max_age_ms: float = MAX_AGE_S * 1000
    slow_max_age_ms: float = SLOW_MAX_AGE_S * 1000


@dataclass(slots=True)
class _Frame:
    """The values that stand under one time."""

    values: dict[Vital, float | None]
    time_ms: int | None = None
    device_time: str | None = None
    age_ms: int = 0
    doubt: str | None = None
    faults: list[Said] = field(default_factory=list)


class Decoder:
    """Reads the messages of one source."""

    def __init__(self, plan: Plan | None = None) -> None:
        """Without a plan every known shape is taken as it comes."""
        self._plan = plan or Plan()
        self._arrays = _arrays(self._plan)
        self._newest_ms = 0
        self._last: dict[Vital, tuple[int, float | None]] = {}
        self._halves: dict[Vital, tuple[float, int]] = {}
        self._cuff: tuple[tuple[float | None, ...], int | None, int] | None = None

    def message(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> Sequence[Told]:
        """What one message says; `at_ms` below 0: no clock here, the newest time told so far is now."""
        plan = self._plan
        if plan.availability is not None and falls_under(plan.availability[0], topic):
            return [_availability(payload, plan.availability)]
        if len(payload) >= BYTES_MIN and self._arrays is not None and at_ms >= 0:
            tables = self._tables(self._arrays, topic, payload, at_ms)
            if tables:
                return tables
        said = self._said(topic, payload, retained=retained, at_ms=at_ms)
        if said and all(isinstance(one, Fault) for one in said):
            # Nothing could be used: the first reason carries the bytes of the whole message.
            said[0] = Fault(said[0].reason, len(payload))  # type: ignore[union-attr]
        return said

    def _said(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> list[Said]:
        shape = self._plan.shape
        whole = None if shape == "scalar" else read_json(payload)
        if not isinstance(whole, dict | list):
            if shape in {None, "scalar"}:
                return self._scalar(topic, payload, retained=retained, at_ms=at_ms)
            return [whole if isinstance(whole, Fault) else Fault("neither an object nor an array", 0)]
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
            return [Fault("no vital is known for this topic", 0)]
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
            if frame.time_ms - now_ms > FUTURE_MS:
                return [Fault(f"its time is {(frame.time_ms - now_ms) // 1000} s in the future", 0)]
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
        late = frame.age_ms > (self._plan.slow_max_age_ms if slow else self._plan.max_age_ms)
        if frame.time_ms is not None:
            last, this = self._last.get(vital), (frame.time_ms, value)
            if last == this:
                return Fault("the same value again", 0)
            if last is not None and frame.time_ms < last[0]:
                late = True
            else:
                self._last[vital] = this
        if value is None:
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


def _availability(payload: bytes, words: tuple[str, str, str]) -> Said:
    word = payload.strip()
    if word == words[1].encode():
        return Notice(ONLINE)
    if word == words[2].encode():
        return Notice(OFFLINE)
    return Fault("neither online nor offline", len(payload))


def falls_under(wanted: str, topic: str) -> bool:
    """Whether a topic falls under a filter with + and #."""
    levels = topic.split("/")
    filters = wanted.split("/")
    for at, one in enumerate(filters):
        if one == "#":
            return True
        if at >= len(levels) or one not in {"+", levels[at]}:
            return False
    return len(filters) == len(levels)


def encode_scalar(value: float | None) -> bytes:
    """The bare text that an ESPHome gateway publishes."""
    return b"nan" if value is None else f"{value:g}".encode("ascii")


def encode_flat(values: Mapping[str, float | None]) -> bytes:
    """A flat object."""
    return msgspec.json.encode(values)


def encode_envelope(values: Mapping[str, float | None], ts_ms: int) -> bytes:
    """What a ThingsBoard device publishes."""
    return msgspec.json.encode({"ts": ts_ms, "values": values})


# From options to a plan.

OPTIONS = {
    "shape": '"scalar", "flat" or "envelope"; left out: recognised by sight',
    "root": "path to the object, or the array of objects, inside the message",
    "values": 'path to the values of an envelope: "data.value"',
    "time": 'where the time stands: { path = "ts", unit = "ms" } (unit "s" or "ms")',
    "map": 'what is what: [{ path = "pi", vital = "pi", unit = "%", scale = 0.1 }]; scalars: { topic }',
    "device": 'one device: { is = "aa:bb", path = "data.mac" }, or { is = "A1", segment = 2 }',
    "availability": 'who says if the source is there: { topic, online = "online", offline = "offline" }',
    "accept_retained": "true: take retained values without a time, marked questionable (default false)",
    "max_age_s": "an older continuous value is history (default 10)",
    "slow_max_age_s": "an older temperature is history (default 120)",
    "silent_after_s": "the link is silent after so many seconds without a message (default 15)",
}


def plan_of(options: Mapping[str, Any]) -> Plan:
    """The plan that the options ask for; a ValueError names the option that is wrong."""
    _only(options, OPTIONS, "mqtt-map")
    silence_ms(DRIVER, options)
    shape = options.get("shape")
    if shape not in {None, "scalar", "flat", "envelope"}:
        raise ValueError(f'shape is "scalar", "flat" or "envelope", not {shape!r}')
    time_path, time_unit_ms = _time(options.get("time"))
    envelope = None
    if shape == "envelope" and time_path is None:
        raise ValueError('time: an envelope needs it, as { path = "ts", unit = "ms" }')
    if time_path is not None or "values" in options:
        envelope = Envelope(_path(options.get("values", ""), "values"), time_path, time_unit_ms)
    device = _table(options.get("device", {}), "device", {"is", "path", "segment"})
    if device and ("is" not in device or ("path" in device) == ("segment" in device)):
        raise ValueError("device: give `is`, and either `path` or `segment`")
    segment = device.get("segment")
    if segment is not None and (type(segment) is not int or segment < 0):
        raise ValueError("device: segment counts the topic's levels from 0")
    there = _table(options.get("availability", {}), "availability", {"topic", "online", "offline"})
    if there and "topic" not in there:
        raise ValueError("availability: topic is missing")
    accept_retained = options.get("accept_retained", False)
    if not isinstance(accept_retained, bool):
        raise ValueError("accept_retained is true or false")  # noqa: TRY004  see `Driver.decoder`
    return Plan(
        shape=shape,
        root=_path(options.get("root", ""), "root"),
        envelope=envelope,
        entries=_entries(options.get("map", []), scalar=shape == "scalar"),
        device_path=_path(device["path"], "device.path") if "path" in device else None,
        device_segment=segment,
        device=str(device["is"]) if device else None,
        availability=(
            str(there["topic"]),
            str(there.get("online", "online")),
            str(there.get("offline", "offline")),
        )
        if there
        else None,
        accept_retained=accept_retained,
        max_age_ms=_seconds(options, "max_age_s", MAX_AGE_S, most=MAX_AGE_S) * 1000,
        slow_max_age_ms=_seconds(options, "slow_max_age_s", SLOW_MAX_AGE_S, most=900.0) * 1000,
    )


def _entries(given: Any, *, scalar: bool) -> tuple[Entry, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValueError("map is a list of tables")  # noqa: TRY004  see `Driver.decoder`
    return tuple(_entry(one, scalar=scalar) for one in given)


def _entry(given: Any, *, scalar: bool) -> Entry:
    one = _table(given, "map", {"path", "topic", "vital", "unit", "scale"})
    try:
        vital = VITALS[str(one.get("vital"))]
    except KeyError:
        raise ValueError(f"map: vital {one.get('vital')!r} is not one of {', '.join(VITALS)}") from None
    unit = one.get("unit", vital.unit)
    if unit != vital.unit and CONVERT.get(unit, ("",))[0] != vital.unit:
        raise ValueError(f"map: {vital.value} is in {vital.unit}; {unit!r} cannot be converted to it")
    if scalar and "topic" not in one:
        raise ValueError(f"map: {vital.value} needs its topic, for a scalar has no other name")
    if not scalar and "path" not in one:
        raise ValueError(f"map: {vital.value} needs its path")
    scale = one.get("scale", 1.0)
    if (
        isinstance(scale, bool)
        or not isinstance(scale, int | float)
        or not math.isfinite(scale)
        or scale <= 0
    ):
        raise ValueError(f"map: scale of {vital.value} is a number above 0")
    return Entry(
        vital,
        path=_path(one["path"], "map.path") if "path" in one else None,
        topic=str(one["topic"]) if "topic" in one else None,
        scale=float(scale),
        unit=unit,
    )


def _time(given: Any) -> tuple[tuple[str, ...] | None, float]:
    if given is None:
        return None, 1.0
    table = _table(given, "time", {"path", "unit"})
    if "path" not in table:
        raise ValueError("time: path is missing")
    if table.get("unit") not in TIME_UNIT_MS:
        raise ValueError('time: unit is "s" or "ms"')
    return _path(table["path"], "time.path"), TIME_UNIT_MS[table["unit"]]


def _path(given: Any, name: str) -> tuple[str, ...]:
    if not isinstance(given, str):
        raise ValueError(f'{name} is a path with dots: "data.value"')  # noqa: TRY004  see `Driver.decoder`
    return tuple(given.split(".")) if given else ()


def _table(given: Any, name: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} is a table")  # noqa: TRY004  see `Driver.decoder`
    _only(given, keys, name)
    return given


def _only(given: Mapping[str, Any], known: Iterable[str], name: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has: {', '.join(sorted(known))}")


def _seconds(options: Mapping[str, Any], name: str, default: float, *, most: float) -> float:
    given = options.get(name, default)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= most:
        raise ValueError(f"{name} is a number of seconds, above 0 and at most {most:g}")
    return float(given)


DRIVER = Driver(
    name="mqtt-map",
    title="MQTT gateway, by configuration",
    models=("ESPHome, ThingsBoard, BLE hospital gateways, Qube-Vital, BioT, and plain scalars or flat JSON",),
    transport="mqtt",
    decoder=lambda options: Decoder(plan_of(options)),
    vitals=tuple(vital for vital in Vital if not vital.value.startswith("abp")),
    cuff=True,
    silent_after_ms=15_000,
    hint="check the topic, and that the broker lets this service read it",
    options=OPTIONS,
)

"""What the options of an MQTT source ask for: a plan that has been checked, or a ValueError in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.devices.codecs.mqtt_presets import laid_under
from monitor.model import Vital

MAX_AGE_S = 10.0  # as long as a continuous value may count as fresh
SLOW_MAX_AGE_S = 120.0  # blood pressure and temperature

VITALS = {vital.value: vital for vital in Vital}
SHAPES = ("scalar", "flat", "envelope", "sparkplug")
SPARKPLUG_OPTIONS = frozenset(
    {"shape", "preset", "map", "device", "max_age_s", "slow_max_age_s", "silent_after_s"}
)
"""The rest is said by Sparkplug itself."""

NEEDS_PROTOBUF = "shape: Sparkplug B needs the library protobuf: pip install 'chairside[sparkplug]'"

CONVERT: dict[str, tuple[str, float, float]] = {
    # unit: the unit of ours, factor, and what is added before
    "[degF]": ("Cel", 5 / 9, -32.0),
    "kPa": ("mm[Hg]", 7.50062, 0.0),
    "1": ("%", 100.0, 0.0),
}
TIME_UNIT_MS = {"s": 1000.0, "ms": 1.0}

OPTIONS = {
    "preset": "a known gateway: esphome, thingsboard, thingsboard-gateway, openmqttgateway, ath, qube-vital, "
    "biot or homeassistant; other options go over it",
    "shape": '"scalar", "flat", "envelope" or "sparkplug"; left out: recognised by sight',
    "root": "path to the object, or the array of objects, inside the message",
    "values": 'path to the values of an envelope: "data.value"',
    "time": 'where the time stands: { path = "ts", unit = "ms" } (unit "s" or "ms")',
    "map": 'what is what: [{ path = "pi", vital = "pi", unit = "%", scale = 0.1 }]; scalars: { topic }; '
    "Sparkplug B: { metric }",
    "only": 'take these messages only: { path = "type", is = "MeasureData" }',
    "device": 'one device: { is = "aa:bb", path = "data.mac" }, { is = "A1", segment = 2 }, or '
    '{ is = "Device A", key = true }; Sparkplug B and presets: { is }',
    "availability": 'who says if the source is there: { topic, online = "online", offline = "offline" }',
    "accept_retained": "true: take retained values without a time, marked questionable (default false)",
    "max_age_s": "an older continuous value is history (default 10)",
    "slow_max_age_s": "an older temperature is history (default 120)",
    "silent_after_s": "the link is silent after so many seconds without a message (default 15)",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where in a message the values stand, and where their time."""

    values: tuple[str, ...]
    time: tuple[str, ...] | None
    time_unit_ms: float = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the map: where a value stands, and what it is."""

    vital: Vital
    path: tuple[str, ...] | None = None
    topic: str | None = None
    scale: float = 1.0
    unit: str = ""
    metric: str | None = None

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


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a source says whether it is there: by a word on one topic, or by the topic itself.

    The topic is given, or is `name` on the level where the values' topic has `before`.
    """

    topic: str = ""
    online: str = "online"
    offline: str = "offline"
    before: str = ""
    name: str = ""
    offline_topic: str = ""
    """Where it says that it goes; then `topic` is where it says that it comes, whatever the words."""
    device_path: tuple[str, ...] = ()
    """Where in such a message the device stands."""

    def topics(self, topic: str) -> tuple[str, ...]:
        """What must be heard beside the topic filter of the values."""
        if self.topic:
            return tuple(filter(None, (self.topic, self.offline_topic)))
        levels = topic.split("/")
        if self.before not in levels:
            return ()
        return ("/".join([*levels[: levels.index(self.before)], self.name]),)

    def speaks_on(self, topic: str) -> bool:
        """Whether a message on this topic says it."""
        if self.topic:
            return falls_under(self.topic, topic) or topic == self.offline_topic
        levels = topic.split("/")
        return levels[-1] == self.name and self.before not in levels


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of one source, checked."""

    shape: str | None = None
    root: tuple[str, ...] = ()
    envelope: Envelope | None = None
    entries: tuple[Entry, ...] = ()
    only: tuple[tuple[str, ...], str] | None = None
    device_path: tuple[str, ...] | None = None
    device_segment: int | None = None
    device_is_key: bool = False
    """The values of each device stand under its name."""
    device: str | None = None
    availability: Availability | None = None
    accept_retained: bool = False
    max_age_ms: float = MAX_AGE_S * 1000
    slow_max_age_ms: float = SLOW_MAX_AGE_S * 1000


def plan_of(options: Mapping[str, Any]) -> Plan:
    """The plan that the options ask for; a ValueError names the option that is wrong."""
    _only(options, OPTIONS, "mqtt-map")
    given = laid_under(options)
    shape = given.get("shape")
    if shape is not None and shape not in SHAPES:
        raise ValueError(f'shape is "scalar", "flat", "envelope" or "sparkplug", not {shape!r}')
    if shape == "sparkplug":
        _only(given, SPARKPLUG_OPTIONS, "Sparkplug B")
    time_path, time_unit_ms = _time(given.get("time"))
    envelope = None
    if shape == "envelope" and time_path is None:
        raise ValueError('time: an envelope needs it, as { path = "ts", unit = "ms" }')
    if time_path is not None or "values" in given:
        envelope = Envelope(_path(given.get("values", ""), "values"), time_path, time_unit_ms)
    root = _path(given.get("root", ""), "root")
    device = _device(given.get("device"), shape)
    only = _table(given.get("only", {}), "only", {"path", "is"})
    if only and only.keys() != {"path", "is"}:
        raise ValueError("only: give `path` and `is`")
    accept_retained = given.get("accept_retained", False)
    if not isinstance(accept_retained, bool):
        raise ValueError("accept_retained is true or false")  # noqa: TRY004  see `Driver.decoder`
    name = str(device["is"]) if device else None
    is_key = device.get("key") is True
    return Plan(
        shape=shape,
        root=(*root, name) if is_key and name else root,
        envelope=envelope,
        entries=_entries(given.get("map", []), shape),
        only=(_path(only["path"], "only.path"), str(only["is"])) if only else None,
        device_path=_path(device["path"], "device.path") if "path" in device else None,
        device_segment=device.get("segment"),
        device_is_key=is_key,
        device=name,
        availability=_availability(given.get("availability")),
        accept_retained=accept_retained,
        max_age_ms=_seconds(given, "max_age_s", MAX_AGE_S, most=MAX_AGE_S) * 1000,
        slow_max_age_ms=_seconds(given, "slow_max_age_s", SLOW_MAX_AGE_S, most=900.0) * 1000,
    )


def topics_beside(topic: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The topic filters that must be heard beside that of the link: where the source says if it is there."""
    availability = plan_of(options).availability
    topics = () if availability is None else availability.topics(topic)
    return tuple(each for each in topics if not falls_under(topic, each))


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


def _device(given: Any, shape: str | None) -> Mapping[str, Any]:
    device = _table({} if given is None else given, "device", {"is", "path", "segment", "key"})
    if not device:
        return device
    ways = device.keys() - {"is"}
    if "is" not in device or device["is"] == "" or len(ways) != (0 if shape == "sparkplug" else 1):
        if shape == "sparkplug":
            raise ValueError('device: give the device of the node, as { is = "..." }, and nothing else')
        raise ValueError("device: give `is`, and either `path` or `segment`, or `key = true`")
    segment = device.get("segment", 0)
    if type(segment) is not int or segment < 0:
        raise ValueError("device: segment counts the topic's levels from 0")
    if device.get("key", True) is not True:
        raise ValueError("device: key is true, or left out")
    return device


def _availability(given: Any) -> Availability | None:
    keys = {"topic", "online", "offline", "before", "name", "offline_topic", "device"}
    there = _table({} if given is None else given, "availability", keys)
    if not there:
        return None
    if not there.get("topic") and not (there.get("before") and there.get("name")):
        raise ValueError("availability: topic is missing")
    return Availability(
        topic=str(there.get("topic", "")),
        online=str(there.get("online", "online")),
        offline=str(there.get("offline", "offline")),
        before=str(there.get("before", "")),
        name=str(there.get("name", "")),
        offline_topic=str(there.get("offline_topic", "")),
        device_path=_path(there.get("device", ""), "availability.device"),
    )


def _entries(given: Any, shape: str | None) -> tuple[Entry, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValueError("map is a list of tables")  # noqa: TRY004  see `Driver.decoder`
    entries = tuple(_entry(one, shape) for one in given)
    if shape == "sparkplug":
        if not entries:
            raise ValueError('map: Sparkplug B needs it, as [{ metric = "SpO2", vital = "spo2" }]')
        if len({entry.vital for entry in entries}) != len(entries):
            raise ValueError("map: two metrics for one vital; say which of them is shown")
    return entries


def _entry(given: Any, shape: str | None) -> Entry:
    one = _table(given, "map", {"path", "topic", "metric", "vital", "unit", "scale"})
    try:
        vital = VITALS[str(one.get("vital"))]
    except KeyError:
        raise ValueError(f"map: vital {one.get('vital')!r} is not one of {', '.join(VITALS)}") from None
    unit = one.get("unit", vital.unit)
    if unit != vital.unit and CONVERT.get(unit, ("",))[0] != vital.unit:
        raise ValueError(f"map: {vital.value} is in {vital.unit}; {unit!r} cannot be converted to it")
    if shape == "scalar" and "topic" not in one:
        raise ValueError(f"map: {vital.value} needs its topic, for a scalar has no other name")
    if shape == "sparkplug" and "metric" not in one:
        raise ValueError(f"map: {vital.value} needs the name of its metric")
    if shape not in {"scalar", "sparkplug"} and "path" not in one:
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
        metric=str(one["metric"]) if "metric" in one else None,
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

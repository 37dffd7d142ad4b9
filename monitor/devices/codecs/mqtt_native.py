"""The project's own MQTT schema, for bridges of our own: vs-numeric/1, vs-episodic/1 and vs-status/1.

Topic `vs1/<site>/<station>/<device>/<stream>`. `boot` and `seq` show loss, repeats, disorder and restarts
without comparing clocks. Strict: a message of another schema, of another device than its topic says, of a
demonstration, or a retained reading is nobody's value. Only `status` is retained.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from monitor.devices.claimed import ClaimedClock, refused
from monitor.devices.driver import Driver, silence_ms
from monitor.devices.framing import MESSAGE_MAX, printable
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital

MAX_AGE_MS = 10_000  # a continuous value older than this was never live
SLOW_MAX_AGE_MS = 120_000  # the same for a temperature; a cuff carries its own age
REMEMBERED = 32

NEVER_A_PATIENT = frozenset({"demo", "test"})
CONTINUOUS = {
    vital.value: vital
    for vital in (
        Vital.SPO2,
        Vital.PULSE_SPO2,
        Vital.HEART_RATE,
        Vital.RESPIRATION,
        Vital.TEMPERATURE,
        Vital.PERFUSION,
        Vital.ETCO2,
    )
}
VALID, INVALID, MISSING = Quality.VALID, Quality.INVALID, Quality.MISSING
QUALITY = {
    "valid": VALID,
    "questionable": Quality.QUESTIONABLE,
    "invalid": INVALID,
    "unavailable": MISSING,
}
CUFF_UNIT = Vital.SYSTOLIC.unit

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Sequence = Annotated[int, msgspec.Meta(ge=0)]


class Observation(msgspec.Struct, frozen=True):
    """One value, or the pressures of a cuff. Of any type: a wrong one spoils itself and not the message."""

    vital: Any = None
    value: Any = None
    unit: Any = None
    quality: Any = None
    systolic: Any = msgspec.field(default=None, name="sys")
    diastolic: Any = msgspec.field(default=None, name="dia")
    mean: Any = msgspec.field(default=None, name="map")


class Numeric(msgspec.Struct, frozen=True, tag_field="schema", tag="vs-numeric/1"):
    """Continuous values, at most one message a second."""

    device: Name
    boot: Name
    seq: Sequence
    sample_ts: str
    clock: Literal["host", "device"]
    observations: list[Observation]
    age_ms: Sequence = 0
    device_flags: list[str] = []


class Trouble(msgspec.Struct, frozen=True):
    """Why a reading failed."""

    code: str = ""
    text: str = ""


class Episodic(msgspec.Struct, frozen=True, tag_field="schema", tag="vs-episodic/1"):
    """One blood pressure or temperature reading, or the failure of one."""

    device: Name
    boot: Name
    seq: Sequence
    reading_id: Name
    taken_ts: str
    result: Literal["ok", "failed"]
    observations: list[Observation]
    error: Trouble | None = None
    trigger: str = ""
    device_flags: list[str] = []


class Status(msgspec.Struct, frozen=True, tag_field="schema", tag="vs-status/1"):
    """Whether the bridge has its device: retained, and the bridge's last will."""

    device: Name
    state: Literal["online", "offline"]
    boot: str = ""
    since: str = ""
    reason: str = ""


_READ: msgspec.json.Decoder[Numeric | Episodic | Status] = msgspec.json.Decoder(Numeric | Episodic | Status)
_STREAM = {Numeric: "numeric", Episodic: "episodic", Status: "status"}


@dataclass(slots=True)
class _Order:
    """What is remembered of one stream: its running boot, the last number of it, and boots that are over."""

    boot: str
    seq: int = -1
    over: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class Decoder:
    """Reads the messages of one subscription."""

    def __init__(self, device: str | None = None) -> None:
        """`device`: take the messages of this device only."""
        self._device = device
        self._orders: dict[tuple[str, str], _Order] = {}
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._newest_ms = 0
        self._clock = ClaimedClock()

    def message(  # noqa: PLR0911  each return is one reason to take nothing
        self, topic: str, payload: bytes, *, retained: bool, at_ms: int
    ) -> list[Said]:
        """What one message says; `at_ms` below 0: no clock here, the newest time told so far is now."""
        size = len(payload)
        whole = _read(payload)
        if isinstance(whole, Fault):
            return [whole]
        wrong = self._wrong(whole, topic, retained=retained)
        if wrong:
            return [Fault(wrong, size)]
        if isinstance(whole, Status):
            return [Notice(f"{whole.state}: {printable(whole.reason)}" if whole.reason else whole.state)]
        if whole.device_flags and NEVER_A_PATIENT & {flag.casefold() for flag in whole.device_flags}:
            return [Fault("demonstration or test data", size), Notice("demonstration or test mode")]
        age_ms = self._age_ms(whole, at_ms)
        if isinstance(age_ms, str):
            return [Fault(age_ms, size)]
        late, missed = self._late(whole)
        if late is None:
            return [Fault("the same message again", size)]
        said: list[Said] = [Fault(f"messages lost: {missed}", 0)] if missed else []
        if isinstance(whole, Numeric):
            said += _numeric(whole, age_ms, late=late)
            if whole.clock == "host" and not late and at_ms >= 0:
                skewed = self._clock.heard(_moment_ms(whole.sample_ts) or at_ms, at_ms)
                said += [skewed] if skewed else []
        else:
            said += self._episodic(whole, age_ms, size, late=late)
        return said + [Notice(printable(flag)) for flag in whole.device_flags]

    def _wrong(self, whole: Numeric | Episodic | Status, topic: str, *, retained: bool) -> str | None:
        if self._device is not None and whole.device != self._device:
            return "another device's message"
        if topic:
            levels = topic.split("/")
            if len(levels) != 5 or levels[0] != "vs1" or levels[3:] != [whole.device, _STREAM[type(whole)]]:
                return "the topic names another device or stream"
        if retained and not isinstance(whole, Status):
            return "a retained reading: how old it is nobody knows"
        return None

    def _age_ms(self, whole: Numeric | Episodic, at_ms: int) -> int | str:
        """How old the values are, or what is wrong with their time."""
        counted_ms = 0
        if isinstance(whole, Numeric):
            taken_ms, counted_ms = _moment_ms(whole.sample_ts), whole.age_ms
            if whole.clock == "device":
                # A device's own clock may be wrong by years: what the bridge counted is all there is.
                return counted_ms
        else:
            taken_ms = _moment_ms(whole.taken_ts)
        if taken_ms is None:
            return "its time cannot be read"
        now_ms = self._now_ms(at_ms, taken_ms)
        wrong = refused(taken_ms, now_ms)
        if wrong is not None:
            return wrong
        return max(now_ms - taken_ms, counted_ms, 0)

    def _now_ms(self, at_ms: int, taken_ms: int) -> int:
        if at_ms >= 0:
            return at_ms
        self._newest_ms = max(self._newest_ms, taken_ms)
        return self._newest_ms

    def _late(self, whole: Numeric | Episodic) -> tuple[bool | None, int]:
        """Whether it came out of order (None: seen before), and how many are missing before it."""
        key = (whole.device, _STREAM[type(whole)])
        order = self._orders.get(key)
        if order is None:
            if len(self._orders) >= REMEMBERED:
                self._orders.clear()  # nobody has so many devices on one subscription
            order = self._orders[key] = _Order(whole.boot)
        if whole.boot in order.over:
            return True, 0
        if whole.boot != order.boot:
            order.over.append(order.boot)
            order.boot, order.seq = whole.boot, -1
        if whole.seq == order.seq:
            return None, 0
        if whole.seq < order.seq:
            return True, 0
        missed = whole.seq - order.seq - 1 if order.seq >= 0 else 0
        order.seq = whole.seq
        return False, missed

    def _episodic(self, whole: Episodic, age_ms: int, size: int, *, late: bool) -> list[Said]:
        if whole.reading_id in self._told:
            return [Fault("the same reading again", size)]
        self._told.append(whole.reading_id)
        if whole.result == "failed":
            trouble = whole.error or Trouble()
            why = printable(
                " ".join(filter(None, (trouble.text, f"({trouble.code})" if trouble.code else "")))
            )
            return [
                Cuff(
                    None,
                    None,
                    age_ms=age_ms,
                    quality=Quality.INVALID,
                    why=why or "the reading failed",
                    device_time=whole.taken_ts,
                )
            ]
        said: list[Said] = []
        pulse = next((one.value for one in whole.observations if one.vital == "pr_nibp"), None)
        for one in whole.observations:
            vital = one.vital
            if vital == "nibp":
                said.append(_cuff(one, _number(pulse), age_ms, whole.taken_ts))
            elif vital == Vital.TEMPERATURE.value:
                said.append(
                    _observation(
                        one, Vital.TEMPERATURE, age_ms, whole.taken_ts, late=late or age_ms > SLOW_MAX_AGE_MS
                    )
                )
            elif vital != "pr_nibp":
                said.append(Fault("an observation that is no single reading", 0))
        return said or [Fault("a reading without values", size)]


def _read(payload: bytes) -> Numeric | Episodic | Status | Fault:
    if len(payload) > MESSAGE_MAX:
        return Fault("message too long", len(payload))
    try:
        return _READ.decode(payload)
    except msgspec.ValidationError as error:
        return Fault(f"not as the schema says: {printable(str(error))}", len(payload))
    except (ValueError, RecursionError):
        return Fault("not JSON", len(payload))


def _numeric(whole: Numeric, age_ms: int, *, late: bool) -> list[Said]:
    said: list[Said] = []
    seen: set[Vital] = set()
    for one in whole.observations:
        vital = CONTINUOUS.get(one.vital) if isinstance(one.vital, str) else None
        if vital is None:
            said.append(Fault("an observation that is no continuous vital", 0))
        elif vital in seen:
            said.append(Fault(f"{vital.value} twice in one message", 0))
        else:
            seen.add(vital)
            max_age_ms = SLOW_MAX_AGE_MS if vital is Vital.TEMPERATURE else MAX_AGE_MS
            said.append(_observation(one, vital, age_ms, whole.sample_ts, late=late or age_ms > max_age_ms))
    return said


def _observation(one: Observation, vital: Vital, age_ms: int, device_time: str, *, late: bool) -> Said:
    if one.unit != vital.unit:
        return Fault(f"the unit of {vital.value} is not {vital.unit}", 0)
    quality, why = _quality(one)
    if quality is INVALID or quality is MISSING:
        return Sample(vital, None, quality, why, Doubt.NONE, device_time, age_ms, late)
    value = _number(one.value)
    if value is None:
        return Sample(vital, None, MISSING, "no reading", Doubt.NONE, device_time, age_ms, late)
    doubt = Doubt.NONE if quality is VALID else Doubt.POOR_SIGNAL
    return Sample(vital, value, quality, why, doubt, device_time, age_ms, late)


def _cuff(one: Observation, pulse: float | None, age_ms: int, device_time: str) -> Said:
    if one.unit != CUFF_UNIT:
        return Fault(f"the unit of nibp is not {CUFF_UNIT}", 0)
    quality, why = _quality(one)
    systolic, diastolic, mean = (_number(one.systolic), _number(one.diastolic), _number(one.mean))
    if quality in {Quality.INVALID, Quality.MISSING} or systolic is None or diastolic is None:
        quality = quality if quality is Quality.MISSING else Quality.INVALID
        return Cuff(
            None, None, age_ms=age_ms, quality=quality, why=why or "no result", device_time=device_time
        )
    return Cuff(
        systolic,
        diastolic,
        mean,
        pulse,
        age_ms,
        quality,
        why,
        Doubt.POOR_SIGNAL if quality is Quality.QUESTIONABLE else Doubt.NONE,
        device_time=device_time,
    )


def _quality(one: Observation) -> tuple[Quality, str | None]:
    quality = QUALITY.get(one.quality) if isinstance(one.quality, str) else None
    if quality is None:
        return INVALID, "no known quality"
    if quality is VALID:
        return quality, None
    return quality, f"the bridge says: {one.quality}"


def _number(value: object) -> float | None:
    """A number that is one: true, null, "97", NaN and infinities are none."""
    if type(value) is int or type(value) is float:
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def _moment_ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return round(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def topic(site: str, station: str, device: str, stream: str) -> str:
    """Where a bridge publishes one stream of a device."""
    return f"vs1/{site}/{station}/{device}/{stream}"


def encode_numeric(
    device: str,
    boot: str,
    seq: int,
    sample_ts: str,
    values: Iterable[tuple[Vital, float | None, str]],
    *,
    clock: str = "host",
    age_ms: int = 0,
    flags: Iterable[str] = (),
) -> bytes:
    """One message of continuous values; `values` are vital, value and quality word."""
    return msgspec.json.encode(
        {
            "schema": "vs-numeric/1",
            "device": device,
            "boot": boot,
            "seq": seq,
            "sample_ts": sample_ts,
            "clock": clock,
            "age_ms": age_ms,
            "observations": [
                {
                    "vital": vital.value,
                    "value": value if quality in {"valid", "questionable"} else None,
                    "unit": vital.unit,
                    "quality": quality,
                }
                for vital, value, quality in values
            ],
            "device_flags": list(flags),
        }
    )


def encode_episodic(
    device: str,
    boot: str,
    seq: int,
    taken_ts: str,
    pressures: tuple[float, float, float] | None,
    *,
    pulse: float | None = None,
    trigger: str = "session_schedule",
    error: tuple[str, str] | None = None,
) -> bytes:
    """One cuff reading, or with `error` (code and text) a failed one."""
    observations: list[dict[str, Any]] = []
    if pressures is not None:
        systolic, diastolic, mean = pressures
        observations.append(
            {
                "vital": "nibp",
                "sys": systolic,
                "dia": diastolic,
                "map": mean,
                "unit": CUFF_UNIT,
                "quality": "valid",
            }
        )
        if pulse is not None:
            observations.append({"vital": "pr_nibp", "value": pulse, "unit": "/min", "quality": "valid"})
    return msgspec.json.encode(
        {
            "schema": "vs-episodic/1",
            "device": device,
            "boot": boot,
            "seq": seq,
            "reading_id": f"{device}-{boot}-{seq}",
            "taken_ts": taken_ts,
            "trigger": trigger,
            "result": "ok" if error is None else "failed",
            "observations": observations,
            "error": None if error is None else {"code": error[0], "text": error[1]},
        }
    )


def encode_status(device: str, state: str, *, boot: str = "", since: str = "", reason: str = "") -> bytes:
    """Online or offline, and why; empty words are left out."""
    words = {"schema": "vs-status/1", "device": device, "state": state}
    words |= {key: word for key, word in (("boot", boot), ("since", since), ("reason", reason)) if word}
    return msgspec.json.encode(words)


OPTIONS = {
    "device": "take only the messages of this device id",
    "silent_after_s": "the link is silent after so many seconds without a message (default 15)",
}


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - OPTIONS.keys())
    if unknown:
        raise ValueError(f"mqtt-native has no option {unknown[0]!r}; it has: {', '.join(OPTIONS)}")
    device = options.get("device")
    if device is not None and not isinstance(device, str):
        raise ValueError("device is the id of a device, in quotes")
    silence_ms(DRIVER, options)
    return Decoder(device)


DRIVER = Driver(
    name="mqtt-native",
    title="Chairside MQTT messages (vs1)",
    models=("any bridge that publishes vs-numeric/1, vs-episodic/1 and vs-status/1",),
    transport="mqtt",
    decoder=_decoder,
    vitals=(*CONTINUOUS.values(), Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP),
    cuff=True,
    # A bridge's keep-alive, and how long a free dashboard keeps a value (fact sheet, 3 and 4).
    silent_after_ms=15_000,
    hint="check the topic, and that the broker lets this service read it",
    options=OPTIONS,
)

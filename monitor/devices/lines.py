"""What a device says, as JSON lines: for `decode`, for `listen`, and for the vectors. Words only, no I/O."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.devices.driver import Driver, ReadsCaptures
from monitor.devices.framing import MESSAGE_MAX, Lines, printable, read_json
from monitor.devices.hextext import from_hex
from monitor.devices.validity import screen
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Samples, Told

OPENS, CLOSES = re.compile(rb"\s*[{\[]"), re.compile(rb"[}\]]\s*$")
SPREAD_MAX = 200
"""Over so many lines a message may be spread: a numeric message of a dozen values has 20."""

NO_CLOCK_MS = -1
"""`at_ms` of a message from a file: no clock stands beside it, only the times it carries itself."""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as a line of a file has it; `at_ms` is None where nobody kept the time."""

    payload: bytes
    topic: str = ""
    retained: bool = False
    at_ms: int | None = None


def as_line(said: Said) -> dict[str, Any]:
    """One line for what was said. A value is there only if it may be believed or doubted."""
    match said:
        case Sample():
            line: dict[str, Any] = {
                "kind": "sample",
                "vital": said.vital.value,
                "value": _number(said.value) if _has_value(said) else None,
                "unit": said.vital.unit,
                "quality": said.quality.value,
                "why": _words(said.why),
            }
            if said.late:
                line |= {"late": True, "age_s": _number(said.age_ms / 1000)}
            return line | _device_time(said)
        case Cuff():
            whole = _has_value(said)
            return {
                "kind": "cuff",
                "sys": _number(said.systolic) if whole else None,
                "dia": _number(said.diastolic) if whole else None,
                # A mean that we worked out ourselves was not said by the device.
                "map": _number(said.mean) if whole and not said.derived_mean else None,
                "pulse": _number(said.pulse) if whole else None,
                "unit": "mm[Hg]",
                "age_s": _number(said.age_ms / 1000),
                "quality": said.quality.value,
                "why": _words(said.why),
            } | _device_time(said)
        case Notice():
            return {"kind": "status", "what": _words(said.what)}
        case Fault():
            return {"kind": "fault", "reason": _words(said.reason), "dropped": said.dropped}


def decode(
    driver: Driver, chunks: Iterable[bytes], options: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """A capture as JSON lines. Of a polled device it is the monitor's side alone.

    Captured messages come one a line, as `{"topic": "...", "payload": ..., "retained": false, "at_ms": 0}` or
    as the bare payload. `payload` is text or the JSON itself; the other three may be left out. A payload that
    is neither stands in `payload_base64` or `payload_hex` instead.
    """
    decoder = driver.decoder(options or {})
    if driver.transport == "mqtt":
        for said in _messages(decoder, chunks):
            yield as_line(screen(said))
        return
    if isinstance(decoder, ReadsCaptures):
        decoder.captured()
    for chunk in chunks:
        for said in decoder.feed(chunk):
            yield as_line(screen(said))
    for said in decoder.close():
        yield as_line(screen(said))


def one_by_one(told: Iterable[Told]) -> Iterator[Said]:
    """The same without tables: what a table says, in its order."""
    for one in told:
        yield from one.each() if isinstance(one, Samples) else (one,)


def _messages(decoder: Any, chunks: Iterable[bytes]) -> Iterator[Said]:
    lines, spread = Lines(2 * MESSAGE_MAX), _Spread()
    for chunk in chunks:
        for line in lines.feed(chunk):
            for whole in [line] if isinstance(line, Fault) else spread.joined(line):
                yield from [whole] if isinstance(whole, Fault) else _message(decoder, whole)
    # The last line of a text file may lack its end, and a message is whole or it is no JSON.
    for line in lines.feed(b"\n"):
        for whole in [line] if isinstance(line, Fault) else spread.joined(line):
            yield from [whole] if isinstance(whole, Fault) else _message(decoder, whole)
    for whole in spread.rest():
        yield from _message(decoder, whole)


class _Spread:
    """Puts JSON together that somebody has spread over several lines, as documents and editors do."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def joined(self, line: bytes) -> list[bytes]:
        """What this line completes; a line that begins nothing is itself."""
        if not self._lines and (not OPENS.match(line) or not isinstance(read_json(line), Fault)):
            return [line]
        self._lines.append(line)
        whole = b"\n".join(self._lines)
        if CLOSES.search(line) and not isinstance(read_json(whole), Fault):
            self._lines.clear()
            return [whole]
        return self.rest() if len(self._lines) >= SPREAD_MAX else []

    def rest(self) -> list[bytes]:
        """What was never completed, line by line."""
        lines, self._lines = self._lines, []
        return lines


def _message(decoder: Any, line: bytes) -> Iterator[Said]:
    told = read_message(line)
    if isinstance(told, Fault):
        yield told
        return
    at_ms = NO_CLOCK_MS if told.at_ms is None else told.at_ms
    yield from one_by_one(decoder.message(told.topic, told.payload, retained=told.retained, at_ms=at_ms))


def read_message(line: bytes) -> KeptMessage | Fault:
    """The message of one line: as `kept_message` writes it, or a bare payload."""
    whole = read_json(line)
    form = _form(whole)
    if form is None or not isinstance(whole, dict):
        return KeptMessage(line)
    try:
        payload = PAYLOADS[form](whole[form])
    except (ValueError, RecursionError, TypeError):  # JSON may spell half a character; no wire carries it
        return Fault(f"{form} cannot be read" if form in BINARY else "not text", len(line))
    at_ms = whole.get("at_ms")
    return KeptMessage(
        payload,
        str(whole.get("topic", "")),
        retained=whole.get("retained") is True,
        at_ms=at_ms if type(at_ms) is int else None,
    )


def _form(whole: Any) -> str | None:
    """Under which name the payload of a captured message stands; None where the line is the payload."""
    if not isinstance(whole, dict):
        return None
    forms = whole.keys() & PAYLOADS.keys()
    if len(forms) != 1 or not whole.keys() <= forms | {"topic", "retained", "at_ms"}:
        return None
    form: str = forms.pop()
    return form


BINARY: dict[str, Callable[[Any], bytes]] = {
    "payload_hex": from_hex,
    "payload_base64": lambda text: b64decode(text, validate=True),
}
PAYLOADS: dict[str, Callable[[Any], bytes]] = {
    "payload": lambda body: body.encode() if isinstance(body, str) else msgspec.json.encode(body),
    **BINARY,
}


def kept_message(topic: str, payload: bytes, *, retained: bool, at_ms: int) -> bytes:
    """One message as a line that `decode` reads to the same."""
    try:
        body = {"payload": payload.decode()}
    except UnicodeDecodeError:
        body = {"payload_base64": b64encode(payload).decode()}
    line = {"topic": topic, **body, "retained": retained, "at_ms": at_ms}
    return msgspec.json.encode(line) + b"\n"


def _has_value(said: Sample | Cuff) -> bool:
    return said.quality in {Quality.VALID, Quality.QUESTIONABLE}


def _number(value: float | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == int(value) else round(value, 3)


def _words(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _device_time(said: Sample | Cuff) -> dict[str, Any]:
    return {} if said.device_time is None else {"device_time": _words(said.device_time)}

"""Bytes cut anywhere, lost, turned and added: no codec may fall, or believe what is not there."""

from __future__ import annotations

import json
import random
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver
from monitor.devices.lines import as_line, decode
from monitor.devices.validity import screen
from monitor.model import Fault, Said
from tests.devices.vectors import Vector, good, vectors, without_nulls

SERIAL = [driver for driver in DRIVERS.values() if driver.transport == "serial"]
STREAMS = {driver.name: b"".join(v.wire for v in vectors(driver.name)) for driver in SERIAL}
GOOD = {driver.name: good(driver) for driver in SERIAL}
CHECKED = [driver for driver in SERIAL if GOOD[driver.name].checked]
by_name = pytest.mark.parametrize("driver", SERIAL, ids=lambda driver: driver.name)


def _all(driver: Driver, chunks: list[bytes]) -> list[Said]:
    decoder = driver.decoder({})
    return [said for chunk in chunks for said in decoder.feed(chunk)] + list(decoder.close())


def _lines(driver: Driver, chunks: list[bytes]) -> list[dict[str, Any]]:
    return [without_nulls(line) for line in decode(driver, chunks)]


def _values(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("quality") in {"valid", "questionable"}]


def _holds(said: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether everything that was wanted was said, one after the other, and last."""
    return [line for line in said if line["kind"] != "fault"][-len(wanted) :] == wanted


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@by_name
def test_byte_by_byte_says_the_same_as_in_one_piece(driver: Driver) -> None:
    stream = STREAMS[driver.name]
    assert _all(driver, [bytes([one]) for one in stream]) == _all(driver, [stream])


@by_name
@given(cuts=st.lists(st.integers(0, 10_000), max_size=12), noise=st.binary(max_size=700))
@settings(max_examples=60, deadline=None)
def test_where_the_bytes_are_cut_never_matters(driver: Driver, cuts: list[int], noise: bytes) -> None:
    stream = noise + STREAMS[driver.name]
    assert _all(driver, _cut(stream, cuts)) == _all(driver, [stream])


@by_name
@given(data=st.binary(max_size=2_000))
@settings(max_examples=150, deadline=None)
def test_of_bytes_that_say_nothing_every_one_is_counted(driver: Driver, data: bytes) -> None:
    said = _all(driver, [data])
    if all(isinstance(one, Fault) for one in said):
        counted = sum(one.dropped for one in said if isinstance(one, Fault))
        # Line ends and flags, and what a line may be wrapped in, are neither a reading nor lost.
        nobodys = data.count(b"\n") + sum(byte in GOOD[driver.name].uncounted for byte in data)
        assert 0 <= len(data) - counted <= nobodys


@by_name
@given(noise=st.binary(max_size=600))
@settings(max_examples=80, deadline=None)
def test_the_first_whole_frame_after_garbage_is_read(driver: Driver, noise: bytes) -> None:
    frame = GOOD[driver.name]
    # Right behind the noise, with nothing in between; and as many whole ones as the framing needs.
    wire = noise + frame.read_at * frame.wire
    assert _holds(_lines(driver, [wire]), frame.says)


@by_name
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_turned_byte_is_survived(driver: Driver, data: st.DataObject) -> None:
    frame = GOOD[driver.name]
    at = data.draw(st.integers(0, len(frame.wire) - 1))
    turned = data.draw(st.integers(0, 255).filter(lambda byte: byte != frame.wire[at]))
    wire = frame.wire[:at] + bytes([turned]) + frame.wire[at + 1 :]
    assert _holds(_lines(driver, [wire + frame.read_at * frame.wire]), frame.says)


@pytest.mark.parametrize("driver", CHECKED, ids=lambda driver: driver.name)
def test_a_frame_with_a_wrong_checksum_is_never_a_reading(driver: Driver) -> None:
    frame = GOOD[driver.name]
    whole = _values(frame.says)
    for at, byte in product(range(len(frame.wire)), range(256)):
        if byte == frame.wire[at]:
            continue
        values = _values(_lines(driver, [frame.wire[:at] + bytes([byte]) + frame.wire[at + 1 :]]))
        # A flag may be another one, and what it stood beside is whole: then it says just that.
        flag = byte in frame.uncounted or frame.wire[at] in frame.uncounted
        assert values == [] or (flag and values == whole), (at, byte, values)


@by_name
def test_a_million_bytes_of_line_noise_end_nowhere_but_in_the_counters(driver: Driver) -> None:
    dice = random.Random(f"noise on {driver.name}")  # noqa: S311  a seed that can be read in the report
    for kind in range(4):
        noise = [dice.randbytes(50_000), b"\x00" * 50_000, b"\xff" * 50_000, _splices(dice, 50_000)][kind]
        decoder = driver.decoder({})
        for at in range(0, len(noise), 97):
            for one in decoder.feed(noise[at : at + 97]):
                as_line(one)
        decoder.close()
        frame = GOOD[driver.name]
        after = [without_nulls(as_line(screen(one))) for one in decoder.feed(frame.read_at * frame.wire)]
        assert _holds(after, frame.says)


def _splices(dice: random.Random, size: int) -> bytes:
    frames = [vector.wire for vector in vectors()]
    spliced = b""
    while len(spliced) < size:
        one, two = dice.choice(frames), dice.choice(frames)
        spliced += one[: dice.randrange(len(one) + 1)] + two[dice.randrange(len(two) + 1) :]
    return spliced


@pytest.mark.parametrize("name", ["mqtt-native", "mqtt-map"])
@given(
    payload=st.binary(max_size=400),
    topic=st.text(max_size=30),
    retained=st.booleans(),
    at_ms=st.integers(-1, 2**45),
)
@settings(max_examples=150, deadline=None)
def test_any_payload_on_any_topic_is_survived(
    name: str, payload: bytes, topic: str, *, retained: bool, at_ms: int
) -> None:
    for one in DRIVERS[name].decoder({}).message(topic, payload, retained=retained, at_ms=at_ms):
        as_line(one)


KEYS = [
    *("schema", "device", "boot", "seq", "sample_ts", "taken_ts", "clock", "observations", "vital", "value"),
    *(
        "unit",
        "quality",
        "result",
        "values",
        "data",
        "ts",
        "time",
        "spo2",
        "sys",
        "dia",
        "map",
        "pulse",
        "temp",
    ),
    *("metadata", "timestamp", "reading_id", "error", "device_flags", "age_ms"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("name", ["mqtt-native", "mqtt-map"])
@given(body=json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_is_survived(name: str, body: Any) -> None:
    for one in DRIVERS[name].decoder({}).message("", json.dumps(body).encode(), retained=False, at_ms=10**12):
        as_line(one)


@pytest.mark.parametrize("vector", vectors("mqtt-native"), ids=str)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_message_with_turned_bytes_is_survived(vector: Vector, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(vector.wire) - 1))
    turned = data.draw(st.binary(max_size=3))
    for line in decode(vector.driver, [vector.wire[:at] + turned + vector.wire[at + 1 :]]):
        assert line["kind"] in {"sample", "cuff", "status", "fault"}


def test_deep_nesting_is_refused_and_not_followed() -> None:
    deep = b"[" * 30_000 + b"]" * 30_000
    for name in ("mqtt-native", "mqtt-map"):
        said = DRIVERS[name].decoder({}).message("", deep, retained=False, at_ms=0)
        assert [one.dropped for one in said if isinstance(one, Fault)] == [60_000]

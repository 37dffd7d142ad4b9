"""Every byte ends in a line, in a line end, or in a Fault; and the buffer stays small."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.devices.framing import MESSAGE_MAX, Lines, printable, read_json
from monitor.model import Fault

streams = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\r", b"\n", b"\r\n"])), max_size=60
).map(b"".join)


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n", b"\r\r\n", b"\n\n\n"])
def test_any_run_of_line_ends_ends_one_line(end: bytes) -> None:
    assert Lines(80).feed(b"one" + end + b"two" + end) == [b"one", b"two"]


def test_other_ends_may_be_chosen() -> None:
    assert Lines(80, ends=b"\r").feed(b"one\ntwo\r") == [b"one\ntwo"]


@given(streams, st.integers(1, 30))
def test_every_byte_is_in_a_line_in_an_end_or_in_a_fault(stream: bytes, longest: int) -> None:
    lines = Lines(longest)
    found = lines.feed(stream)
    kept = sum(one.dropped if isinstance(one, Fault) else len(one) for one in found)
    ends = stream.count(b"\r") + stream.count(b"\n")
    assert kept + ends + lines.drop() == len(stream)


@given(streams, st.integers(1, 30), st.lists(st.integers(0, 2_000), max_size=10))
def test_where_the_stream_is_cut_changes_nothing(stream: bytes, longest: int, cuts: list[int]) -> None:
    whole, piecewise = Lines(longest), Lines(longest)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [one for a, b in pairwise(edges) for one in piecewise.feed(stream[a:b])]
    assert pieces == whole.feed(stream)
    assert piecewise.drop() == whole.drop()


@given(st.binary(max_size=3_000).map(lambda data: data.replace(b"\n", b"x").replace(b"\r", b"x")))
def test_a_stream_without_line_ends_never_fills_the_memory(noise: bytes) -> None:
    lines = Lines(50)
    lines.feed(noise)
    assert lines.drop() < 100


def test_a_whole_line_behind_endless_noise_is_still_handed_out() -> None:
    *dropped, line = Lines(20).feed(b"\x00" * 1_000 + b"a good line of 20 by\n")
    assert isinstance(line, bytes)
    assert line.endswith(b"a good line of 20 by")
    assert sum(one.dropped for one in dropped if isinstance(one, Fault)) + len(line) == 1_020


def test_a_long_line_costs_as_much_byte_by_byte_as_it_is_long() -> None:
    def cost(size: int) -> float:
        lines, data = Lines(size), [b"x"] * size
        begun = time.thread_time()
        for one in data:
            lines.feed(one)
        return time.thread_time() - begun

    cost(20_000)
    small = min(cost(20_000) for _ in range(3))
    large = min(cost(160_000) for _ in range(3))
    assert large < small * 8 * 3  # a second look at the whole buffer for each byte would be 64 times


def test_words_from_outside_lose_their_control_characters() -> None:
    assert printable("a\x1b[2Jb\r\n\u202e") == "a?[2Jb???"
    assert len(printable("x" * 500)) == 120


def test_json_is_read_with_the_mistakes_of_python_gateways() -> None:
    assert read_json(b'{"a": [1, "x", null]}') == {"a": [1, "x", None]}
    assert repr(read_json(b'{"a": NaN}')) == "{'a': nan}"
    for wrong in (b"", b"{", b"\xff\xfe", b'"\xff"', b"[" * 50_000, b"1" * 5_000 + b"e"):
        assert isinstance(read_json(wrong), Fault)


def test_a_message_has_a_largest_size() -> None:
    body = b'"' + b"x" * (MESSAGE_MAX - 2) + b'"'
    assert isinstance(read_json(body), str)
    assert read_json(body + b" ") == Fault("message too long", MESSAGE_MAX + 1)

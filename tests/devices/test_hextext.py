"""Hex text as people and their tools write it, and what is refused because it has two readings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.devices.hextext import from_hex


@pytest.mark.parametrize(
    "text",
    [
        "20 4e\n41 2\t1 320D ",
        "204E4121320D",
        "0x20, 0x4E, 0x41, 0x21, 0x32, 0xD",
        "{0x20,0x4e,0x41,0x21,0x32,(byte) 0x0d}",
        '"\\x20\\x4e\\x41\\x21\\x32\\x0d"',
        'b"\\x20\\x4e\\x41\\x21\\x32\\x0d"',
        "20-4E-41-21-32-0D",
        "20:4e:41:21:32:0d",
        "# the host asks\n20 4e 41  // NA\n21 32 0d",
        "\ufeff20 4e 41 21 32 0d",
        "\ufffd\ufffd\ufffd20 4e 41 21 32 0d",
        "00000000: 204e 4121 320d                            NA!2.\n",
        "00000010: 204e 41     NA\n00000013: 2132 0d  !2.\n",
        "00000000  20 4e 41 21 32 0d                                 | NA!2.|\n00000006\n",
    ],
)
def test_hex_text_of_many_hands_is_read(text: str) -> None:
    assert from_hex(text) == b" NA!2\r"


@pytest.mark.parametrize("text", ["", " \n", "# nothing"])
def test_no_digits_are_no_bytes(text: str) -> None:
    assert from_hex(text) == b""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("20 4", "odd number"),
        ("20 4 1 21", "a byte of one hex digit"),
        ("20 4z", "'z' is not a hex digit"),
        ("0x20 21", "some bytes have 0x"),
        ("0x123", "'x' is not a hex digit"),
        ("00000000: 3e05\n00000010: 0598\n", "offsets do not count"),
        ("00000000  3e 05  |>.|\n*\n00000020\n", "offsets do not count"),
        ("00000000: 3e0\n", "odd number"),
    ],
)
def test_what_is_no_hex_text_or_has_two_readings_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_hex(text)


@given(data=st.binary(min_size=1, max_size=70))
@settings(max_examples=60, deadline=None)
def test_a_dump_is_what_was_dumped_whatever_its_characters_look_like(data: bytes) -> None:
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
    rows = [(at, data[at : at + 16], shown[at : at + 16]) for at in range(0, len(data), 16)]
    pairs = (
        (at, " ".join(part[i : i + 2].hex() for i in range(0, 16, 2)).rstrip(), text)
        for at, part, text in rows
    )
    assert from_hex("".join(f"{at:08x}: {digits:<39}  {text}\n" for at, digits, text in pairs)) == data
    bars = "".join(
        f"{at:08x}  {part[:8].hex(' ')}  {part[8:].hex(' ')} |{text}|\n" for at, part, text in rows
    )
    assert from_hex(f"{bars}{len(data):08x}\n") == data


@given(text=st.text(alphabet="0123456789abcdefx\\ ,:;|#*/\n\ufeff", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_bytes_or_a_complaint(text: str) -> None:
    try:
        read = from_hex(text)
    except ValueError:
        return
    assert isinstance(read, bytes)

"""What may stand on a page: whatever was typed, and never more than there is room for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records.printed import BREAK_HERE, RUN_MAX, SHAPES, figure, lasting, minutes, printable, short


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("blue-17", "blue-17"),
        ("Søren Müller, Łódź", "Søren Müller, Łódź"),
        ("#set page() *x* $y$ `z` <a> @b \\n", "#set page() *x* $y$ `z` <a> @b \\n"),
        ("one\ntwo\tthree\r", "one\ntwo three "),
        ("well 😀", "well [grinning face]"),
        ("a\u202eb\x07", "a[U+202E]b[U+0007]"),
        ("e\u0301", "é"),
        ("x\u0301\u0302", "x[U+0301][U+0302]"),
        ("你", "[U+4F60]"),
        ("שלום", "שלום"),
    ],
)
def test_what_was_typed_is_what_is_printed(typed: str, printed: str) -> None:
    assert printable(typed) == printed


@given(st.text())
def test_only_characters_that_the_fonts_have_are_printed(typed: str) -> None:
    for character in printable(typed).replace(BREAK_HERE, ""):
        assert character == "\n" or any(low <= ord(character) <= high for low, high in SHAPES)


@given(st.text(alphabet="abc d#$\n", max_size=2_000))
def test_nothing_of_a_plain_text_is_lost(typed: str) -> None:
    assert printable(typed).replace(BREAK_HERE, "") == unicodedata.normalize("NFC", typed)


@given(st.text(min_size=1))
def test_no_run_is_longer_than_a_cell(typed: str) -> None:
    # A name in brackets is not cut where it stands alone.
    longest = max(len(f"[{unicodedata.name(character, '')}]") for character in typed)
    for run in printable(typed).replace("\n", " ").replace(BREAK_HERE, " ").split(" "):
        assert len(run) <= max(RUN_MAX, longest)


def test_a_text_that_is_too_long_says_how_much_is_missing() -> None:
    made = printable("y" * 20_000, 100).replace(BREAK_HERE, "")
    assert made == "y" * 100 + " … (20000 characters in all; 19900 more are in the JSON)"


@given(st.text(), st.integers(min_value=12, max_value=80))
def test_a_short_text_is_one_line_and_no_longer_than_asked(typed: str, most: int) -> None:
    made = short(typed, most).replace(BREAK_HERE, "")
    assert len(made) <= most
    assert "\n" not in made


@pytest.mark.parametrize(
    ("span_ms", "words"),
    [
        (None, "–"), (0, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (261_000, "4 min 21 s"),
        (3_600_000, "1 h"), (7_620_000, "2 h 7 min"),
    ],
)  # fmt: skip
def test_a_length_of_time_in_words(span_ms: int | None, words: str) -> None:
    assert lasting(span_ms) == words


def test_minutes_count_from_the_start_of_the_drug() -> None:
    assert [minutes(at, 600_000) for at in (0, 599_000, 600_000, 3_000_500)] == [
        "–10:00", "–0:01", "+0:00", "+40:00",
    ]  # fmt: skip
    assert minutes(5, None) == ""


def test_a_missing_number_is_a_dash_and_never_a_nought() -> None:
    assert [figure(value) for value in (None, 0.0, 97.0, 36.64)] == ["–", "0", "97", "36.6"]

"""Text and times as a page can show them: nothing that staff typed can be markup, vanish, or break the page.

The page is set in the fonts that the typesetter brings along. A character that they do not have, that has no
shape of its own (a direction mark, a control), or that only stands on another one is written out as its name
or number in brackets: what was typed stays readable, and what is printed is what was typed.
"""

from __future__ import annotations

import unicodedata

TEXT_MAX = 12_000
"""So many characters of one text are printed; the whole of a longer one is in the JSON."""

RUN_MAX = 28
"""A longer run without a space may be broken anywhere: nothing runs over the edge of its cell."""

BREAK_HERE = "\u200b"

SHAPES = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x24F), (0x386, 0x3CE), (0x400, 0x45F), (0x490, 0x491),
    (0x5D0, 0x5EA), (0x621, 0x63A), (0x641, 0x64A), (0x1E00, 0x1E9F), (0x1EA0, 0x1EFF), (0x2010, 0x2015),
    (0x2018, 0x201E), (0x2020, 0x2022), (0x2026, 0x2026), (0x2030, 0x2030), (0x2032, 0x2033),
    (0x2039, 0x203A), (0x20AC, 0x20AC), (0x2122, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212),
    (0x2248, 0x2248), (0x2260, 0x2260), (0x2264, 0x2265),
)  # fmt: skip
"""What the fonts have a shape for, of what staff here may type: Latin, Greek, Cyrillic, Hebrew, Arabic."""


def printable(text: str, most: int = TEXT_MAX) -> str:
    """The text as it is printed; lines stay lines. At most about `most` characters, and said so."""
    made: list[str] = []
    length = run = 0
    for place, character in enumerate(unicodedata.normalize("NFC", text)):
        shown = _shown(character)
        length += len(shown)
        if length > most:
            made.append(f" … ({len(text)} characters in all; {len(text) - place} more are in the JSON)")
            break
        run = 0 if shown in {" ", "\n"} else run + len(shown)
        if run > RUN_MAX:
            made.append(BREAK_HERE)
            run = len(shown)
        made.append(shown)
    return "".join(made)


def short(text: str, most: int) -> str:
    """The beginning of it, on one line, for a place that has no room for more."""
    line = " ".join(text.split())
    cut = line if len(line) <= most else f"{line[: most - 1]}…"
    made = printable(cut, TEXT_MAX)
    plain = made.replace(BREAK_HERE, "")
    return made if len(plain) <= most else printable(f"{_whole(plain, most)}…")


def _whole(text: str, most: int) -> str:
    """So much of it that no bracket is cut open."""
    cut = text[: most - 1]
    opened = cut.rfind("[")
    return cut if cut.rfind("]") >= opened else cut[:opened]


def _shown(character: str) -> str:
    if character in {"\n", "\u2028", "\u2029"}:
        return "\n"
    if character in {"\t", "\r"}:
        return " "
    code = ord(character)
    if any(low <= code <= high for low, high in SHAPES):
        return character
    name = unicodedata.name(character, "") if unicodedata.category(character) in {"So", "Sm", "Sc"} else ""
    return f"[{name.lower()}]" if name else f"[U+{code:04X}]"


def minutes(at_ms: int, zero_ms: int | None) -> str:
    """How long before or after the start of the drug: "+40:00", "–4:00"; nothing without one."""
    if zero_ms is None:
        return ""
    sign = "–" if at_ms < zero_ms else "+"
    seconds = abs(at_ms - zero_ms) // 1_000
    return f"{sign}{seconds // 60}:{seconds % 60:02}"


def lasting(span_ms: int | None) -> str:
    """A length of time in words: "40 s", "4 min 21 s", "2 h 7 min"."""
    if span_ms is None:
        return "–"
    seconds = max(span_ms, 0) // 1_000
    hours, rest = divmod(seconds, 3_600)
    minute, second = divmod(rest, 60)
    if hours:
        return f"{hours} h {minute} min" if minute else f"{hours} h"
    if minute:
        return f"{minute} min {second} s" if second else f"{minute} min"
    return f"{second} s"


def figure(value: float | None) -> str:
    """A number as it is printed: whole where it is whole, else one decimal; what is missing is a dash."""
    if value is None:
        return "–"
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.1f}"

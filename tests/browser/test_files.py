"""The dashboard's files by themselves: vendored bytes, contrast, words, nothing that a CSP would refuse."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.browser.stage import DASHBOARD, import_map_hash, policy

HERE = Path(__file__).parent
VENDORS = [DASHBOARD / "vendor", HERE / "vendor"]
MODULES = sorted((DASHBOARD / "js").rglob("*.js"))


@pytest.mark.parametrize("folder", VENDORS, ids=["dashboard", "tests"])
def test_vendored_files_are_the_bytes_that_were_vendored(folder: Path) -> None:
    rows = json.loads((folder / "vendor.json").read_text())
    listed: dict[str, str] = {}
    for row in rows:
        assert re.fullmatch(r"\d+\.\d+\.\d+", row["version"])
        assert row["integrity"].startswith("sha512-")
        assert row["licence"] in {"MIT", "Apache-2.0", "MPL-2.0"}
        listed |= {file["file"]: file["sha256"] for file in row["files"]}
    there = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.iterdir()
        if p.name != "vendor.json"
    }
    assert there == listed


def test_the_page_has_one_inline_script_and_its_hash_is_in_the_policy() -> None:
    page = (DASHBOARD / "index.html").read_text()
    inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page)
    assert inline == ['<script type="importmap">']
    assert import_map_hash(page) in policy()
    assert not re.search(r"\sstyle=|\son[a-z]+=", page)
    imports = json.loads(re.findall(r'importmap">(.*?)</script>', page)[0])["imports"]
    for path in imports.values():
        assert (DASHBOARD / path.lstrip("/")).is_file()


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_no_module_makes_markup_from_text_or_asks_another_host(module: Path) -> None:
    text = module.read_text()
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "dangerously",
    ):
        assert forbidden not in text
    assert re.findall(r"https?://[^\s\"'`]+", text) == []
    for name in re.findall(r'from "(\.[\w./-]+)"', text):
        assert (module.parent / name).is_file()


# Contrast, from the token file by the WCAG formula (dashboard.md 6).


def tokens(theme: str) -> dict[str, str]:
    css = re.sub(r"/\*.*?\*/", "", (DASHBOARD / "css" / "tokens.css").read_text(), flags=re.DOTALL)
    blocks = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    found: dict[str, str] = {}
    for selector, body in blocks:
        if selector.strip() == ":root" or f'"{theme}"' in selector:
            found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [  # token, on what, least
    ("ink", "tile", 7.0),
    ("ink-2", "tile", 7.0),
    ("ink-3", "tile", 4.5),
    ("ink-3", "ground", 4.5),
    ("ink", "ground", 7.0),
    ("edge", "tile", 3.0),
    ("trace", "course", 3.0),
    ("course-edge", "tile", 3.0),
    ("on-high", "high", 4.5),
    ("high", "tile", 3.0),
    ("on-high", "high-off", 4.5),
    ("on-high-chip", "high-chip", 4.5),
    ("on-medium", "medium", 7.0),
    ("on-medium", "medium-off", 4.5),
    ("medium-text", "tile", 4.5),
    ("low", "tile", 4.5),
    ("on-low", "low", 4.5),
    ("focus", "tile", 3.0),
    ("focus", "high", 3.0),
    ("on-action", "action", 7.0),
]


@pytest.mark.parametrize("theme", ["dark", "light", "night"])
@pytest.mark.parametrize(("token", "ground", "least"), PAIRS)
def test_every_colour_is_legible_on_what_it_stands_on(
    theme: str, token: str, ground: str, least: float
) -> None:
    colours = tokens(theme)
    assert ratio(colours[token], colours[ground]) >= least


def test_the_style_sheets_take_every_colour_from_the_tokens() -> None:
    for sheet in (DASHBOARD / "css").glob("*.css"):
        if sheet.name == "tokens.css":
            continue
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b", text) == [], sheet.name
        # The hatch darkens whatever fill it lies on.
        assert set(re.findall(r"rgba?\([^)]*\)", text)) <= {"rgb(0 0 0 / .14)"}, sheet.name


# The words of dashboard.md 17: each stands in the house once.

WORDS = [
    "Acknowledge at bed",
    "I go",
    "I can't go",
    "I am at the bed",
    "Hand back",
    "Call more help",
    "Pause audio 2 min",
    "Audio off",
    "Alarm paused",
    "Alarm off",
    "No data from monitor",
    "SpO2 probe off",
    "No breath 20 s",
    "Cuff failed twice",
    "Ready to leave",
    "Nobody has accepted",
    "Sound on",
    "Recording",
    "Paging",
    "Empty",
    "Start session",
    "Check-in",
    "Baseline",
    "Time-out",
    "Dosing",
    "Onset",
    "40-min check",
    "Infusion",
    "Early recovery",
    "Late recovery",
    "Ready check",
    "Held",
    "Stopped",
    "Emergency",
    "Transferred",
    "Ended before dose",
    "Closed",
    "Not being recorded",
    "Pages are not going out",
    "Not a medical device. Secondary display for evaluation. Never the only means of watching a patient.",
]
FILLED = [
    "`Audio paused ${",
    "`BP in ${",
    "`BP ${past",
    "`40-min check due in ${",
    "`40-min check ${",
    "to 2 h`",
    "is going`",
    "`${name} at bed ${",
    "`Late alarm, ${",
]


@pytest.mark.parametrize("words", WORDS)
def test_every_string_of_the_house_stands_in_it_once(words: str) -> None:
    found = [m.name for m in MODULES for _ in re.findall(rf'"{re.escape(words)}"(?!\s*:)', m.read_text())]
    assert found == ["words.js"]


@pytest.mark.parametrize("stem", FILLED)
def test_every_sentence_with_a_number_in_it_stands_in_the_house_once(stem: str) -> None:
    found = [m.name for m in MODULES for _ in range(m.read_text().count(stem))]
    assert found == ["words.js"]


@pytest.mark.shows("ALM-053")
def test_nothing_shouts_pleads_or_says_mute() -> None:
    text = (DASHBOARD / "js" / "words.js").read_text()
    said = re.findall(r'"([^"]*)"', text)
    for words in said:
        assert "!" not in words
        assert not re.search(r"\b(please|mute|silence|snooze)\b", words, re.IGNORECASE)

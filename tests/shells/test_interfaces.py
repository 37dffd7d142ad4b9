"""What docs/interfaces.md and docs/api.md promise is what there is: every command, every kind of change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec

from monitor.__main__ import app
from monitor.api.views import shapes, turns

DOCS = Path(__file__).parents[2] / "docs"


def section(page: str, head: str) -> str:
    """The text under a heading, up to the next one of the same rank or higher."""
    text = (DOCS / page).read_text(encoding="utf-8")
    rank = head.partition(" ")[0]
    after = text.partition(f"{head}\n")[2]
    assert after, head
    return re.split(rf"(?m)^#{{1,{len(rank)}}} ", after)[0]


def test_every_command_is_in_the_table_and_nothing_else() -> None:
    said = re.findall(r"(?m)^\| `(\w+)", section("interfaces.md", "## 2. Command line"))
    named = [
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    groups = [group.name for group in app.registered_groups]
    assert len(said) == len(set(said))
    assert set(said) == {*named, *groups}


def test_every_kind_of_change_is_described() -> None:
    said = re.findall(r"(?m)^\| `(\w+)` \|", section("api.md", "## The live stream"))
    assert said == [kind.__struct_config__.tag for kind in get_args(turns.Change)]


def test_the_snapshot_is_described_whole() -> None:
    (said,) = re.findall(r"The `snapshot` has ([^.]+)\.", section("api.md", "## The live stream"))
    names = [field.name for field in msgspec.structs.fields(shapes.LiveSnapshot)]
    assert re.findall(r"`(\w+)`", said) == names

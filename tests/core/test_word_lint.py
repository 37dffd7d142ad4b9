"""HZ-14: every word that a page can be made of, read where it is written, before a page is ever made."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.alerts import words
from monitor.alerts.pagers import apprise_way, console
from monitor.alerts.pagers.pager import forbidden
from monitor.alerts.rules import RULES
from monitor.config import load
from monitor.devices.codecs import DRIVERS
from monitor.model import Priority, Vital
from monitor.planning import mistakes

HERE = Path(__file__).parents[1]
STEMS: tuple[str, ...] = tuple(
    stem
    for name, stems in tomllib.loads((HERE / "whole" / "secrets.toml").read_text("utf-8")).items()
    if name != "planted"
    for stem in stems
)


def spoken(module: object) -> list[str]:
    """Every text in a module that can be said: its literals, and what stands in its f-strings."""
    path = getattr(module, "__file__", None)
    assert path is not None
    return list(_literals(ast.parse(Path(path).read_text("utf-8"))))


def _literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        yield from _literals(node)


def told(text: str) -> list[str]:
    """What a stranger could learn from it, by the product's own list and by the wider one of the tests."""
    return [*forbidden(text), *(stem for stem in STEMS if stem in text.lower())]


@pytest.mark.shows("HZ-14")
@pytest.mark.parametrize("module", [words, console, apprise_way], ids=lambda module: module.__name__)
def test_no_word_that_a_page_is_made_of_tells_why_somebody_is_here(module: object) -> None:
    said = spoken(module)
    assert "Open Chairside." in said or module is not words
    assert len(said) > 5
    assert {text: told(text) for text in said if told(text)} == {}


def test_nor_does_a_vitals_label_a_rules_condition_or_a_priority() -> None:
    said = [*(v.label for v in Vital), *(rule.condition for rule in RULES), *(p.name for p in Priority)]
    assert [text for text in said if told(text)] == []


def test_a_word_put_into_the_words_is_found() -> None:
    """The control: the same reading of a room that says too much."""
    found = _literals(
        ast.parse('"""After ketamine."""\nTEXT = {"late": f"{bed}: psychosis after {drug} spray"}')
    )
    assert [told(text) for text in found if told(text)] == [["psychosis", "psychos"], ["spray"]]


@pytest.mark.shows("HZ-14")
@pytest.mark.parametrize(
    ("bed", "said"),
    [
        ("3", []),
        ("window", []),
        (
            "ketamine-1",
            ['bed.ketamine-1.name: every page says it, and "ketamine" is nobody else\'s business'],
        ),
        ("infusion2", ['bed.infusion2.name: every page says it, and "infusion" is nobody else\'s business']),
    ],
)
def test_a_bed_is_not_named_after_what_is_given_in_it(bed: str, said: list[str], tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(f'[[bed]]\nname = "{bed}"\n', "utf-8")
    assert mistakes(load(file, {}), DRIVERS) == said

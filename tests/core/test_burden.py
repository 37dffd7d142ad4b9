"""Ordinary sessions breach plain limits as often as the clinical page says; the judgement itself can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.burden import COLUMNS, RULES, WITHIN, Cell, breaches, cells, side_by_side
from simulators.ordinary import GATE_MMHG, sessions

SESSIONS = 500
"""So many settle the upper half of the page: a rate of 20 % has a standard error of 1.8."""


@pytest.mark.parametrize("place", range(len(COLUMNS)), ids=[column.title for column in COLUMNS])
def test_ordinary_sessions_breach_limits_as_often_as_the_page_says(place: int) -> None:
    """Within 20 % of what is printed, and what chance does to one of 64 cells in one run of twenty."""
    found = cells(place, breaches(COLUMNS[place], SESSIONS))
    assert len(found) == 2 * len(RULES)
    wrong = [cell for cell in found if not cell.ok]
    assert not wrong, side_by_side([found])


def test_a_confirmed_breach_is_rarer_than_any_breach() -> None:
    """What the page concludes: a repeat that must confirm roughly halves what a limit raises."""
    found = cells(0, breaches(COLUMNS[0], SESSIONS))
    for once, twice in zip(found[::2], found[1::2], strict=True):
        assert twice.found <= once.found
        assert (once.rule, once.twice, twice.twice) == (twice.rule, False, True)


def test_a_rate_that_is_off_is_not_excused_by_its_rounding_nor_by_chance() -> None:
    cell = Cell("IV, 5-min", "x", twice=False, printed=34, half=0.5, found=34, of=20_000)
    assert cell.ok
    assert cell.chance == pytest.approx(0.033, abs=0.001)
    for found, well in ((42.0, True), (43.0, False), (26.5, True), (25.0, False)):
        assert replace(cell, found=found).ok is well, found
    rare = replace(cell, printed=0.2, half=0.05, found=0.24)
    assert rare.off == 0, "0.2 may stand for 0.24"
    assert rare.error == pytest.approx(0.2)
    assert not replace(rare, found=0.25 * (1 + WITHIN + rare.chance) + 0.01).ok


def test_a_wrong_drug_is_found_out() -> None:
    """The page's rates for a spray are not those of an infusion: what judges can tell."""
    infusions = breaches(COLUMNS[0], SESSIONS)
    assert any(not cell.ok for cell in cells(2, infusions))


def test_whoever_reads_above_the_gate_is_not_treated() -> None:
    held = [who for _, who in zip(range(300), sessions("iv", 45), strict=False)]
    assert all(who.systolic <= GATE_MMHG[0] and who.diastolic <= GATE_MMHG[1] for who in held)
    assert [who.seed for who in held] != list(range(300)), "somebody is sent home"
    assert len({who.seed for who in held}) == 300
    assert next(iter(sessions("iv", 45, held[-1].seed))).seed == held[-1].seed

"""NEWS2: the chart of physiology.md 3, cell by cell; complete or not at all."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest

from monitor.sessions.news2 import LABEL, Complete, Incomplete, Vitals, news2

WELL = Vitals(respiration=14, spo2=98, oxygen=False, systolic=120, pulse=70, alert=True, temperature=36.8)


def total(*, scale_2: bool = False, **different: float | bool | None) -> int:
    found = news2(replace(WELL, **different), 0, scale_2=scale_2)  # type: ignore[arg-type]
    assert isinstance(found, Complete)
    return found.total


def total_of(name: str, value: float) -> int:
    different: dict[str, Any] = {name: value}
    return total(**different)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("respiration", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
        ("spo2", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0}),
        ("systolic", {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}),
        ("pulse", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
        ("temperature", {35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2}),
    ],
)
def test_each_row_of_the_chart(name: str, points: dict[float, int]) -> None:
    assert {value: total_of(name, value) for value in points} == points


def test_oxygen_is_two_points_and_not_alert_three() -> None:
    assert (total(oxygen=True), total(alert=False)) == (2, 3)


@pytest.mark.parametrize(
    ("spo2", "air", "oxygen"),
    [(83, 3, 5), (85, 2, 4), (87, 1, 3), (88, 0, 2), (92, 0, 2), (93, 0, 3), (95, 0, 4), (97, 0, 5)],
)
def test_scale_2_is_for_a_clinicians_entry(spo2: float, air: int, oxygen: int) -> None:
    assert total(scale_2=True, spo2=spo2) == air
    assert total(scale_2=True, spo2=spo2, oxygen=True) == oxygen


@pytest.mark.parametrize(
    "name", ["respiration", "spo2", "oxygen", "systolic", "pulse", "alert", "temperature"]
)
def test_without_one_value_there_is_no_total(name: str) -> None:
    found = news2(replace(WELL, **{name: None}), 0)
    assert isinstance(found, Incomplete)
    assert len(found.missing) == 1


def test_a_value_that_is_no_number_is_missing() -> None:
    assert isinstance(news2(replace(WELL, pulse=nan), 0), Incomplete)


def test_any_single_3_is_marked() -> None:
    found = news2(replace(WELL, spo2=91.0), 5)
    assert found == Complete(3, red=True, at_ms=5)


def test_it_does_not_see_the_surge_and_says_so() -> None:
    assert total(systolic=200) == 0
    assert "does not see a rise of blood pressure" in LABEL

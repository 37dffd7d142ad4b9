"""C13: which weight and which dose two people must look at again, edge by edge."""

from __future__ import annotations

from math import inf, nan

import pytest

from monitor.sessions.dose import mistaken, questions


@pytest.mark.parametrize("weight", [30, 70, 250])
@pytest.mark.parametrize("dose", [0.1, 0.5, 0.6])
def test_C13_what_is_usual_is_not_asked_about(weight: float, dose: float) -> None:
    assert questions(weight, dose) == ()


@pytest.mark.parametrize("dose", [0.61, 1.0])
def test_C13_above_0_6_mg_per_kg_is_asked_about_with_the_whole_dose(dose: float) -> None:
    (asked,) = questions(80, dose)
    assert f"{dose * 80:.0f} mg in all" in asked
    assert "above 0.6" in asked


@pytest.mark.parametrize("dose", [0.05, 0.0999, 1.01, 5])
def test_C13_a_dose_that_is_not_expected_is_asked_about_with_what_is(dose: float) -> None:
    (asked,) = questions(80, dose)
    assert "0.1 to 1 mg/kg" in asked


@pytest.mark.parametrize("weight", [0, 29.9, 250.1, -70, nan, inf])
def test_C13_no_adult_weighs_that(weight: float) -> None:
    assert "weight" in (mistaken(weight, 0.5) or "")
    with pytest.raises(ValueError, match="weight"):
        questions(weight, 0.5)


@pytest.mark.parametrize("dose", [0, -0.5, nan, inf])
def test_C13_no_dose_is_that(dose: float) -> None:
    with pytest.raises(ValueError, match="dose"):
        questions(70, dose)

"""The pages of docs/safety say what tests and data say; nothing is left without a test or a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.alerts.rules import RULES, Kind
from monitor.devices.averaging import averaged_s, named
from monitor.devices.codecs import DRIVERS
from monitor.model import Priority, Vital
from tests.core.shift import WATCH
from tests.safety import conditions, delays, soup, trace
from tests.safety.pages import PAGES
from tests.safety.trace import HOUSE, SAFETY, Hazard, Requirement, Shown


@pytest.mark.parametrize("name", PAGES)
def test_a_drawn_page_is_what_its_sources_say(name: str) -> None:
    assert (SAFETY / name).read_text(encoding="utf-8") == PAGES[name](), f"{name} is out of date: make safety"


def test_every_requirement_and_hazard_has_a_test_or_a_reason_and_every_marker_a_number_that_exists() -> None:
    assert trace.mistakes(trace.requirements(), trace.hazards(), trace.shown()) == []


def test_no_number_of_the_clinical_page_is_left_out() -> None:
    """alarms.md 1 to 10: so many numbers stand in each of its tables; and HZ-01 to HZ-18."""
    spans = [(1, 4), (10, 14), (20, 25), (30, 35), (40, 48), (50, 54), (60, 66), (70, 73), (80, 85), (90, 96)]
    expected = [f"ALM-{number:03}" for first, last in spans for number in range(first, last + 1)]
    assert [row.number for row in trace.requirements()] == expected
    assert [row.number for row in trace.hazards()] == [f"HZ-{number:02}" for number in range(1, 19)]


def test_every_chapter_has_a_title() -> None:
    digits = {row.number.removeprefix("ALM-")[:2] for row in trace.requirements()}
    assert digits == set(trace.chapters())


ASKED = (Requirement("ALM-001", "one thing.", ("HZ-01",)),)
DANGERS = (Hazard("HZ-01", "h", "c", "s", "h", "minor", "c", untested="only use would tell"),)
SHOWN = (Shown("tests/test_a.py", "test_b", ("ALM-001",), long=False),)


def test_what_fits_together_has_no_mistake() -> None:
    assert trace.mistakes(ASKED, DANGERS, SHOWN) == []


@pytest.mark.parametrize(
    ("asked", "dangers", "shown", "says"),
    [
        (ASKED, DANGERS, (), "ALM-001 has neither"),
        (ASKED, DANGERS, (*SHOWN, Shown("p", "t", ("ALM-999",), long=False)), "ALM-999, which is no"),
        (ASKED, DANGERS, (*SHOWN, Shown("p", "t", ("HZ-01",), long=False)), "HZ-01 has a test and a reason"),
        ((Requirement("ALM-001", "", ("HZ-77",)),), DANGERS, SHOWN, "HZ-77, which is no hazard"),
        ((Requirement("ALM-001", "", ()),), DANGERS, SHOWN, "works against no hazard"),
        ((*ASKED, *ASKED), DANGERS, SHOWN, "ALM-001 is there twice"),
    ],
)
def test_what_does_not_fit_together_is_said(
    asked: tuple[Requirement, ...], dangers: tuple[Hazard, ...], shown: tuple[Shown, ...], says: str
) -> None:
    assert any(says in line for line in trace.mistakes(asked, dangers, shown))


def test_a_marker_is_read_as_it_stands_on_a_test() -> None:
    source = (
        'import pytest\n@pytest.mark.torture\n@pytest.mark.shows("ALM-041", "HZ-04")\n'
        "async def test_one() -> None: ...\ndef test_two() -> None: ...\n"
    )
    assert list(trace.shown_in(source, "a.py")) == [
        Shown("a.py", "test_one", ("ALM-041", "HZ-04"), long=True)
    ]


@pytest.mark.parametrize("given", ["", "NUMBER", '"ALM-41"', '"ALM-041", 7', '"alm-041"'])
def test_a_marker_that_is_no_number_is_a_mistake(given: str) -> None:
    with pytest.raises(ValueError, match="takes numbers"):
        list(trace.shown_in(f"@pytest.mark.shows({given})\ndef test_one() -> None: ...\n", "a.py"))


@pytest.mark.shows("ALM-011")
def test_every_rule_has_a_rationale_and_every_priority_follows_from_it_or_says_why_not() -> None:
    assert conditions.mistakes(conditions.reasons()) == []


def test_a_rule_without_a_rationale_and_one_that_does_not_follow_are_said() -> None:
    rows = conditions.reasons()
    first = rows[0]
    assert conditions.mistakes(rows[1:]) == [f"{first.condition} {first.priority.name} has no rationale"]
    too_high = replace(first, harm="minor", onset="delayed")
    assert conditions.mistakes((too_high, *rows[1:])) == [
        f"{first.condition} {first.priority.name} does not follow from minor, delayed"
    ]


@pytest.mark.shows("ALM-066")
def test_what_each_device_averages_by_itself_is_known_of_every_device_that_measures_all_along() -> None:
    assert [name for name in named() if name not in DRIVERS] == []
    for driver in DRIVERS.values():
        for vital in (Vital.SPO2, Vital.PULSE_SPO2, Vital.HEART_RATE, Vital.RESPIRATION):
            if vital in driver.vitals:
                least, most = averaged_s(driver)[vital]
                assert 0 < least <= most


@pytest.mark.shows("ALM-060", "ALM-061")
def test_the_delays_of_every_rule_are_printed_and_those_over_ten_seconds_are_told() -> None:
    page = delays.page()
    for rule in RULES:
        assert f"| `{rule.condition}`" in page
    told = [rule.name for rule in RULES if rule.kind is Kind.TIMED and delays.mean_s(rule, WATCH) > 10]
    assert page.count("**told** |") == len(told)
    assert "spo2-low" in told, (
        "a HIGH for saturation is later than ten seconds on the average: it must be told"
    )


def test_every_package_of_the_lock_is_listed_with_its_licence_and_what_it_is_for() -> None:
    assert soup.mistakes() == []
    assert len(soup.locked()) > 50


@pytest.mark.shows("ALM-010")
def test_there_are_three_priorities_and_no_fourth() -> None:
    assert [priority.name for priority in Priority] == ["LOW", "MEDIUM", "HIGH"]
    assert {rule.priority for rule in RULES} == set(Priority)


def test_the_readme_leads_to_every_page_here() -> None:
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    index = (SAFETY / "README.md").read_text(encoding="utf-8")
    assert "docs/safety" in readme
    pages = {page.name for page in SAFETY.iterdir() if page.suffix in {".md", ".toml"}} - {"README.md"}
    assert [name for name in sorted(pages) if f"]({name})" not in index] == []

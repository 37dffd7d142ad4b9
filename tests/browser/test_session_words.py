"""The pure modules under the working screens: what a scanner typed, a slip says, a dose comes to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.stage import DASHBOARD

SESSION = DASHBOARD / "js" / "session"
GS = "\x1d"


def ask(house: Page, module: str, question: str, *given: Any) -> Any:
    return house.evaluate(
        f"async (given) => {{ const m = await import('/js/session/{module}.js'); return {question}; }}",
        list(given),
    )


def device(house: Page, code: str) -> Any:
    return ask(house, "gs1", "m.readDevice(given[0])", code)


READ = {"lot": "23K104", "expires": "2027-05-31", "serial": "SN00017"}


ITEM, EXPIRES, LOT, SERIAL = "0100350458028028", "17270531", "1023K104", "21SN00017"
"""Application identifiers 01, 17, 10 and 21, each with its value."""


@pytest.mark.parametrize(
    "code",
    [
        ITEM + EXPIRES + LOT + GS + SERIAL,
        "]d2" + ITEM + EXPIRES + LOT + GS + SERIAL,
        "]C1" + GS + ITEM + LOT + GS + SERIAL + GS + EXPIRES,
        ITEM + SERIAL + GS + EXPIRES + LOT,
        GS + ITEM + SERIAL + GS + LOT + GS + EXPIRES,
        "(01)00350458028028(17)270531(10)23K104(21)SN00017",
        ITEM + "11250601" + EXPIRES + LOT + GS + "240ABC" + GS + SERIAL + GS,
    ],
    ids=["plain", "data matrix", "lot first", "serial first", "leading separator", "printed", "more in it"],
)
def test_a_device_s_code_is_read_whatever_its_order(house: Page, code: str) -> None:
    assert device(house, code) == READ


def test_a_day_of_nought_is_the_last_of_its_month(house: Page) -> None:
    assert device(house, "1728020010A1")["expires"] == "2028-02-29"
    assert device(house, "1727020010A1")["expires"] == "2027-02-28"
    assert device(house, "1751010110A1")["expires"] == "1951-01-01"


@pytest.mark.parametrize("code", ["", "hello", "5012345678900", "0100350458028028", "]d2", "17", GS, "(99)x"])
def test_what_is_no_device_s_code_is_none(house: Page, code: str) -> None:
    assert device(house, code) is None


@pytest.mark.parametrize(
    "code",
    [
        ITEM + LOT,
        ITEM + EXPIRES,
        "1727133110A1",
        "1727023010A1",
        ITEM + LOT + EXPIRES,
        ITEM + EXPIRES + LOT + "21SN0001722XX",
    ],
    ids=["no date", "no lot", "month 13", "30 February", "no separator", "no separator but a date"],
)
def test_what_cannot_be_told_apart_is_asked_for_again(house: Page, code: str) -> None:
    assert device(house, code) == {"unclear": True}


def test_a_device_may_be_given_on_its_last_day(house: Page) -> None:
    assert ask(house, "gs1", "m.hasExpired('2027-05-31', '2027-05-31')") is False
    assert ask(house, "gs1", "m.hasExpired('2027-05-31', '2027-06-01')") is True


@pytest.mark.parametrize(
    ("slip", "read"),
    [
        ("K-104; 44 years", {"alias": "K-104", "years": 44}),
        ("K-104;44y", {"alias": "K-104", "years": 44}),
        ("Blue 44", {"alias": "Blue 44", "years": None}),
        ("Blue; 44", {"alias": "Blue", "years": None}),
        ("  Blue  ", {"alias": "Blue", "years": None}),
        ("", {"alias": "", "years": None}),
    ],
)
def test_a_slip_says_an_age_only_with_its_unit(house: Page, slip: str, read: dict[str, Any]) -> None:
    assert ask(house, "slips", "m.readSlip(given[0])", slip) == read


DOSE = {"weight_kg": 72, "dose_mg_per_kg": 0.5, "concentration_mg_per_ml": 1, "rate_ml_per_h": 54}


@pytest.mark.parametrize(
    "label",
    [
        "72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h",
        "54ml/h;1mg/ml;0.5mg/kg;72kg",
        "72 KG; 0.5 MG/KG; 1 MG/ML; 54 ML/H;",
    ],
)
def test_a_dose_label_says_every_number_with_its_unit(house: Page, label: str) -> None:
    assert ask(house, "slips", "m.readDose(given[0])", label) == DOSE


@pytest.mark.parametrize(
    "label",
    [
        "72; 0.5; 1; 54",
        "72 kg; 0.5 mg/kg; 1 mg/ml",
        "72 kg; 72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h",
        "158 lb; 0.5 mg/kg; 1 mg/ml; 54 ml/h",
        "0 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h",
        "",
    ],
    ids=["no units", "one missing", "one twice", "pounds", "nought", "empty"],
)
def test_a_label_that_does_not_say_all_of_it_says_nothing(house: Page, label: str) -> None:
    assert ask(house, "slips", "m.readDose(given[0])", label) is None


def test_a_dose_is_read_back_as_what_it_comes_to(house: Page) -> None:
    assert ask(house, "slips", "m.amounts(given[0])", DOSE) == {"mg": 36, "ml": 36, "min": 40}
    assert ask(house, "slips", "m.amounts(given[0])", DOSE | {"rate_ml_per_h": 0}) is None


def test_the_words_of_the_working_screens_stand_in_one_file() -> None:
    """No module but the words has a sentence of its own between its tags."""
    for module in SESSION.glob("*.js"):
        if module.name == "words.js":
            continue
        text = re.sub(r"^\s*//.*$|/\*.*?\*/", "", module.read_text(), flags=re.MULTILINE | re.DOTALL)
        between = re.findall(r">([A-Za-z][A-Za-z ,.']+)<", text)
        assert between == [], module.name

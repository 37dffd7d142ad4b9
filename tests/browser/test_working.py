"""The working screens of a session: each page as the real ward tells it, and what a press on it sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import working
from tests.browser.conftest import Open, staged
from tests.browser.stage import Stage
from tests.browser.test_screens import DONE, PHONE, STATION

WALL, TABLET = (1920, 1080), (820, 1180)
START = "/bed/1/start"


@contextmanager
def at(page: str) -> Iterator[Stage]:
    """A stage of bed 1 at this page; whatever is done there is taken."""
    with staged(working.told(page)) as stage:
        stage.answers["POST", "*"] = DONE
        yield stage


def number(stage: Stage) -> int:
    found: int = stage.scene()["beds"][0]["session"]["session"]
    return found


def moves(stage: Stage) -> list[Any]:
    return [a.body for a in stage.asked if a.path == f"/sessions/{number(stage)}/moves"]


def waits_for_moves(stage: Stage, n: int) -> list[Any]:
    stage.waits_until(lambda: len(moves(stage)) >= n)
    return moves(stage)


def press(page: Page, name: str | re.Pattern[str], within: str = "#flow") -> None:
    exact = isinstance(name, str)
    page.locator(within).get_by_role("button", name=name, exact=exact).first.click()


# Who, and what.


def test_a_scanned_slip_says_who_and_one_tap_opens_the_session(open_page: Open) -> None:
    with at("who") as stage:
        stage.answers["POST", "/sessions"] = (201, {"recorded": True, "session": 1})
        page = open_page(stage, START, PHONE)
        expect(page.locator(".this")).to_have_text("This is bed 1")
        page.keyboard.type("K-104; 44 years")
        page.keyboard.press("Enter")
        expect(page.locator(".for")).to_have_text("K-104, 44 years")
        plan = re.compile("Nasal 84 mg, Nasal, US label, treated before")
        page.get_by_role("button", name=plan).click()
        assert stage.waits_for("POST", "/sessions").body == {
            "bed": "1",
            "alias": "K-104",
            "therapy": "spravato_us",
            "age_years": 44,
            "devices": 3,
            "first": False,
        }


def test_what_is_missing_of_who_is_said_beside_its_field_and_back_keeps_everything(open_page: Open) -> None:
    with at("who") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Next")
        expect(page.locator("#error-alias")).to_contain_text("Enter a short word for this patient")
        page.get_by_label("Patient").fill("K-104")
        press(page, "Next")
        expect(page.locator("#error-years")).to_contain_text("Enter the age in years")
        page.get_by_label("Age, years").fill("17")
        press(page, "Next")
        expect(page.locator(".plans li").first).to_contain_text("For 18 to 120 years.")
        press(page, "Back")
        expect(page.get_by_label("Patient")).to_have_value("K-104")
        expect(page.get_by_label("Age, years")).to_have_value("17")


def test_a_therapy_that_nobody_has_signed_cannot_be_chosen_and_says_so(open_page: Open) -> None:
    told = working.told("who")
    for therapy in told["therapies"]:
        therapy["refusal"] = f"{therapy['therapy']} has not been signed by a prescriber. To sign it: abcdef."
    with staged(told) as stage:
        page = open_page(stage, START, PHONE)
        page.get_by_label("Patient").fill("K-104; 44 years")
        page.keyboard.press("Enter")
        expect(page.locator("#flow")).to_contain_text("No therapy can be chosen.")
        expect(page.locator(".refused")).to_contain_text("has not been signed by a prescriber.")
        expect(page.locator(".refused")).not_to_contain_text("abcdef")
        press(page, "Watch only, no drug")
        expect(page.get_by_label("Patient")).to_have_value("K-104")
        expect(page.get_by_label("Cuff timer")).to_be_visible()


# The questions.


def test_each_question_is_answered_by_itself_and_says_what_follows(open_page: Open) -> None:
    with at("questions") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".count")).to_have_text("3 of 19 answered")
        rows = page.locator(".questions li")
        expect(rows).to_have_count(19)
        assert page.locator(".questions [aria-pressed=true]").count() == 3
        escort = rows.filter(has_text="taking the patient home")
        expect(escort).to_contain_text("A prescriber decides.")
        expect(rows.filter(has_text="Opioids?")).to_contain_text("Opioid")
        rows.filter(has_text="Benzodiazepines?").get_by_role("button", name="No").click()
        assert waits_for_moves(stage, 1) == [{"kind": "answer", "question": "benzodiazepines", "yes": False}]
        expect(page.locator(".told")).to_contain_text("Saved: No.")


def test_the_last_answer_is_what_the_check_in_waits_for(open_page: Open) -> None:
    told = working.told("questions")
    questions = told["beds"][0]["treatment"]["questions"]
    for question in questions:
        question["yes"] = question["kind"] in {"must", "confirm"}
    questions[-1]["yes"] = None
    with staged(told) as stage:
        stage.answers["POST", "*"] = DONE
        page = open_page(stage, START, PHONE)
        page.locator(".questions li").last.get_by_role("button", name="No").click()
        assert waits_for_moves(stage, 2) == [
            {"kind": "answer", "question": questions[-1]["question"], "yes": False},
            {"kind": "checked_in"},
        ]


# The baseline.


def test_the_baseline_is_a_cuff_and_one_tap(open_page: Open) -> None:
    with at("baseline") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".readings li").first).to_contain_text("cuff-1")
        expect(page.locator(".readings li").nth(1)).to_contain_text("by itself")
        press(page, "Oriented to person, place, time")
        assert waits_for_moves(stage, 1) == [{"kind": "score", "score": "oriented", "value": 3}]
        press(page, "Otherwise")
        press(page, "To two")
        assert waits_for_moves(stage, 2)[-1] == {"kind": "score", "score": "oriented", "value": 2}


def test_a_score_may_have_been_given_earlier(open_page: Open) -> None:
    with at("baseline") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Earlier")
        press(page, "5 min ago")
        press(page, "Oriented to person, place, time")
        assert waits_for_moves(stage, 1)[0]["minutes_ago"] == 5


# The gate.


def test_a_prescriber_decides_about_a_finding_with_a_reason_and_a_secret(open_page: Open) -> None:
    with at("gate") as stage:
        page = open_page(stage, START, PHONE)
        finding = page.locator(".gates li").filter(has_text="A cold")
        expect(finding).to_contain_text("A prescriber decides")
        finding.get_by_role("button", name="Decide: give the drug").click()
        expect(finding).to_contain_text("Enter the reason")
        assert moves(stage) == []
        finding.get_by_label("Why it goes on").fill("slight, nose clear")
        finding.get_by_label(re.compile("Password")).fill("a long one")
        finding.get_by_role("button", name="Decide: give the drug").click()
        [body] = waits_for_moves(stage, 1)
        assert body["kind"] == "override"
        assert body["why"] == "slight, nose clear"
        assert body["by"] == {"name": "kim", "password": "a long one"}
        assert body["what"].startswith("gate:")


def test_what_nobody_can_decide_has_no_button_for_it(open_page: Open) -> None:
    told = working.told("gate")
    for gate in told["beds"][0]["treatment"]["gates"]:
        gate["may"] = []
    with staged(told) as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".gates")).to_contain_text("Nobody can decide this here.")
        expect(page.get_by_role("button", name="Decide: give the drug")).to_have_count(0)
        expect(page.get_by_role("button", name="Measure anew")).to_be_visible()


# The drug.

CODE = "010035045802802817290531{lot}\x1d21SN00017".format(lot="1023K104")


def test_a_device_is_scanned_read_back_and_given_in_one_tap(open_page: Open) -> None:
    with at("device") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.get_by_role("button", name="Device 1 given")).to_be_disabled()
        page.keyboard.type(CODE)
        page.keyboard.press("Enter")
        expect(page.locator(".readback")).to_contain_text("Lot 23K104, expires 2029-05-31, serial SN00017")
        press(page, "Device 1 given")
        assert waits_for_moves(stage, 1) == [
            {"kind": "device", "number": 1, "lot": "23K104", "expires": "2029-05-31", "last": False}
        ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("hello", "This is no device code."),
        (CODE.replace("17290531", "17200531"), "This device expired on 2020-05-31."),
        (CODE.replace("17290531", ""), "The code runs together."),
    ],
    ids=["no code", "expired", "no date"],
)
def test_a_device_that_cannot_be_told_or_is_too_old_is_not_taken(
    open_page: Open, code: str, said: str
) -> None:
    with at("device") as stage:
        page = open_page(stage, START, PHONE)
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        if "runs together" in said:
            expect(page.get_by_label("Expiry date")).to_be_visible()
        else:
            expect(page.locator("#error-scan")).to_contain_text(said)
        expect(page.get_by_role("button", name="Device 1 given")).to_be_disabled()


def test_a_device_without_a_code_is_typed_and_an_old_one_still_stops(open_page: Open) -> None:
    with at("device") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Type it")
        page.get_by_label("Lot").fill("23K104")
        page.get_by_label("Expiry date").fill("2020-01-31")
        press(page, "Save")
        expect(page.locator("#error-expires")).to_contain_text("expired on 2020-01-31")
        page.get_by_label("Expiry date").fill("2029-01-31")
        press(page, "Save")
        expect(page.get_by_role("button", name="Device 1 given")).to_be_enabled()


def test_the_next_device_counts_down_and_cannot_be_given_before(open_page: Open) -> None:
    with at("spacing") as stage:
        page = open_page(stage, START, PHONE)
        waits = page.get_by_role("button", name=re.compile(r"^Device 2 in \d:\d\d$"))
        expect(waits).to_be_disabled()
        page.keyboard.type(CODE)
        page.keyboard.press("Enter")
        expect(page.locator(".readback")).to_be_visible()
        expect(waits).to_be_disabled()


def test_a_dose_is_scanned_and_checked_by_a_second_person(open_page: Open) -> None:
    with at("dose check") as stage:
        page = open_page(stage, START, PHONE)
        page.keyboard.type("72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h")
        page.keyboard.press("Enter")
        expect(page.locator(".readback")).to_have_text("36 mg in 36 ml. At 54 ml/h this takes 40 min.")
        press(page, "Lee")
        page.get_by_label("Password").fill("a long one")
        press(page, "Dose checked by two")
        assert waits_for_moves(stage, 2) == [
            {"kind": "to_timeout"},
            {
                "kind": "dose",
                "weight_kg": 72,
                "dose_mg_per_kg": 0.5,
                "concentration_mg_per_ml": 1,
                "rate_ml_per_h": 54,
                "second": {"name": "lee", "password": "a long one"},
            },
        ]


def test_an_unusual_dose_is_asked_about_on_the_page(open_page: Open) -> None:
    with at("dose check") as stage:
        path = f"/sessions/{number(stage)}/moves"
        asked = "Is 0.9 mg/kg, 65 mg in all, meant? It is above 0.6 mg/kg."
        page = open_page(stage, START, PHONE)
        page.keyboard.type("72 kg; 0.9 mg/kg; 1 mg/ml; 97 ml/h")
        page.keyboard.press("Enter")
        press(page, "Lee")
        page.get_by_label("Password").fill("a long one")
        told = stage.scene()["beds"][0]
        told["treatment"] |= {"phase": "timeout"}
        stage.play({"kind": "bed", "bed": told})
        stage.answers["POST", path] = (409, {"detail": asked, "missing": [asked]})
        press(page, "Dose checked by two")
        expect(page.locator(".proof .lacks")).to_contain_text(asked)
        page.get_by_label("Why it is meant so").fill("third session, ordered so")
        page.get_by_label("Password").fill("a long one")
        stage.answers["POST", path] = DONE
        press(page, "Dose checked by two")
        assert waits_for_moves(stage, 2)[-1]["why"] == "third session, ordered so"


def test_the_infusion_starts_with_one_tap_after_the_check(open_page: Open) -> None:
    with at("time-out") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".readback")).to_contain_text("40 mg in 40 ml")
        press(page, "Infusion started")
        assert waits_for_moves(stage, 1) == [{"kind": "infusion_start"}]


# During.


def test_what_is_due_is_one_tap(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Responds readily to name, no dissociation, pump running")
        assert waits_for_moves(stage, 3) == [
            {"kind": "score", "score": "moaas", "value": 5},
            {"kind": "score", "score": "dissociation", "value": 0},
            {"kind": "score", "score": "pump", "value": 1},
        ]
        press(page, "Correct", ".told")
        expect(page.locator(".beside h2")).to_have_text("Correct an entry")


def test_the_40_minute_check_shows_its_values_with_source_and_age_and_takes_three_taps(
    open_page: Open,
) -> None:
    with at("40-min check") as stage:
        page = open_page(stage, START, PHONE)
        filled = page.locator(".filled li")
        expect(filled.filter(has_text="BP")).to_contain_text("mmHg")
        expect(filled.filter(has_text="BP")).to_contain_text("cuff-1, 0:")
        press(page, "Responds readily to name")
        press(page, "Yes")
        press(page, "Save 40-min check")
        assert waits_for_moves(stage, 3) == [
            {"kind": "score", "score": "moaas", "value": 5},
            {"kind": "score", "score": "dissociation", "value": 1},
            {"kind": "check_done", "check": "check_40"},
        ]


@pytest.mark.parametrize(
    ("key", "title"), [("s", "Sedation score"), ("y", "Symptoms"), ("n", "Note"), ("b", "Bed 1: BP by hand")]
)
@pytest.mark.parametrize("path", [START, "/bed/1"])
def test_each_form_has_its_key(open_page: Open, key: str, title: str, path: str) -> None:
    with at("infusion") as stage:
        page = open_page(stage, path, STATION)
        expect(page.locator("#screen")).to_contain_text("Infusion")
        page.keyboard.press(key)
        expect(page.locator(".beside h2").first).to_have_text(title)
        page.keyboard.press("Escape")
        expect(page.locator(".beside")).to_have_count(0)


@pytest.mark.shows("HZ-18")
def test_a_symptom_is_one_tap_severe_a_second_and_can_be_taken_back(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Symptom")
        press(page, "Nausea")
        assert waits_for_moves(stage, 1) == [{"kind": "symptom", "symptom": "nausea", "severe": False}]
        bed = working.told("infusion")["beds"][0]
        bed["treatment"]["symptoms"][0] |= {"open": True, "by": "dana"}
        stage.play({"kind": "bed", "bed": bed})
        press(page, re.compile("^Nausea"))
        assert waits_for_moves(stage, 2)[-1]["severe"] is True
        press(page, "Undo", ".told")
        assert waits_for_moves(stage, 3)[-1] == {"kind": "symptom", "symptom": "nausea", "over": True}


def test_emergency_signs_stand_apart_at_the_bottom(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Symptom")
        groups = page.locator(".symptoms .words")
        expect(groups.first.get_by_role("button", name="Chest pain")).to_have_count(0)
        expect(groups.last.get_by_role("button", name="Chest pain")).to_be_visible()
        press(page, "Emergency: call made", ".symptoms")
        assert waits_for_moves(stage, 1) == [{"kind": "emergency"}]


@pytest.mark.parametrize(("name", "kind"), [("Hold", "hold"), ("Stop", "stop")])
def test_a_turn_says_what_follows_and_asks_for_the_reason(open_page: Open, name: str, kind: str) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE)
        press(page, name)
        title = page.locator(".beside h2").inner_text()
        expect(page.locator(".beside")).to_contain_text(re.compile("waits|for good"))
        press(page, title)
        expect(page.locator("#error-why")).to_contain_text("Enter the reason")
        page.get_by_label("Reason").fill("asked for it")
        press(page, title)
        assert waits_for_moves(stage, 1) == [{"kind": kind, "why": "asked for it"}]


def test_hold_and_stop_are_there_only_while_a_drug_runs(open_page: Open) -> None:
    with at("leaving") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".entries")).to_be_visible()
        expect(page.get_by_role("button", name="Hold", exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_a_note_and_an_adverse_event_are_written_down(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Note")
        press(page, "Save note")
        expect(page.locator("#error-note")).to_contain_text("Write what happened")
        page.get_by_label("Note").fill("Listens to music")
        press(page, "Save note")
        assert waits_for_moves(stage, 1) == [{"kind": "note", "text": "Listens to music"}]
        press(page, "Adverse event")
        page.get_by_label("What happened").fill("Fell from the chair")
        press(page, "Serious")
        press(page, "Goes on")
        press(page, "Possibly")
        press(page, "Save adverse event")
        assert waits_for_moves(stage, 2)[-1] == {
            "kind": "adverse_event",
            "what": "Fell from the chair",
            "serious": True,
            "outcome": "Goes on",
            "related": "Possibly",
        }

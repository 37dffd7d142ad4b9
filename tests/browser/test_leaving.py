"""The last page of a session: who may leave, the signature, the close, and what a refused move says of it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser import working
from tests.browser.conftest import Open
from tests.browser.stage import Asked
from tests.browser.test_screens import DONE, PHONE
from tests.browser.test_working import START, at, press, waits_for_moves


def test_what_is_missing_for_leaving_stands_on_top_with_the_act_that_fills_it(open_page: Open) -> None:
    with at("leaving") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".leave .true summary")).to_have_text(re.compile(r"\d true"))
        expect(page.get_by_role("button", name="Ready to leave")).to_be_disabled()
        item = page.locator(".leave .items > li")
        item.filter(has_text="Awake").locator(".usual").click()
        assert {m["score"]: m["value"] for m in waits_for_moves(stage, 3)} == {
            "moaas": 5,
            "oriented": 3,
            "dissociation": 0,
        }
        item.filter(has_text="Escort").get_by_role("button", name="Family").click()
        assert waits_for_moves(stage, 5)[3:] == [
            {"kind": "score", "score": "escort", "value": 1, "note": "Family"},
            {"kind": "score", "score": "driving", "value": 1},
        ]


def test_standing_is_said_before_its_reading_and_sitting_after_it(open_page: Open) -> None:
    with at("leaving") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Stands steady, without dizziness: measure BP standing")
        assert [m["score"] for m in waits_for_moves(stage, 2)] == ["posture", "gait"]
        stage.waits_for("POST", "/beds/1/cuff")
        bed = working.told("leaving")["beds"][0]
        now = stage.scene()["server"]["at_ms"]
        posture = next(s for s in bed["treatment"]["scores"] if s["score"] == "posture")
        posture |= {"value": 2, "words": "standing", "by": "dana", "at_ms": now}
        stage.play({"kind": "bed", "bed": bed})
        expect(page.locator(".leave")).to_contain_text("Standing now.")
        bed["cuff"] |= {"measured_at_ms": now + 40_000}
        stage.play({"kind": "bed", "bed": bed})
        assert waits_for_moves(stage, 3)[-1] == {"kind": "score", "score": "posture", "value": 1}


def test_a_prescriber_signs_by_name_and_secret_and_then_the_session_is_closed(open_page: Open) -> None:
    with at("signing") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Dr Kim")
        page.get_by_label("Password").fill("a long one")
        press(page, "Sign")
        [body] = waits_for_moves(stage, 1)
        assert body["kind"] == "sign"
        assert body["by"] == {"name": "kim", "password": "a long one"}
    with at("closing") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator(".close")).to_contain_text("Signed by Dr Kim, prescriber")
        expect(page.locator(".close")).to_contain_text("Still owed: Form due in 7 days.")
        press(page, "Close session")
        assert waits_for_moves(stage, 1) == [{"kind": "close"}]
        bed = working.told("closing")["beds"][0] | {"session": None, "treatment": None}
        stage.play({"kind": "bed", "bed": bed})
        expect(page.locator(".closed")).to_contain_text("Still owed: Form due in 7 days.")
        report = page.get_by_role("link", name="Report as PDF")
        expect(report).to_have_attribute("href", re.compile(r"/api/v1/sessions/\d+/report\.pdf$"))
        press(page, "Next patient")
        expect(page.locator("#screen")).to_have_attribute("data-page", "who")
        expect(page.get_by_label("Patient")).to_have_value("")


def test_a_refused_move_stays_on_the_page_with_each_thing_that_is_missing(open_page: Open) -> None:
    with at("closing") as stage:
        missing = ["Breathing on room air: SpO2 91 is under 94.", "No alarm: Open: SpO2 91 < 92."]
        stage.answers["POST", "*"] = (409, {"detail": " ".join(missing), "missing": missing})
        page = open_page(stage, START, PHONE)
        press(page, "Close session")
        expect(page.locator(".title .lacks li")).to_have_text(missing)
        expect(page.locator("#screen")).to_have_attribute("data-page", "leave")
        expect(page.get_by_role("button", name="Close session")).to_be_enabled()


def test_act_first_sign_after_here_too(open_page: Open) -> None:
    with at("time-out") as stage:
        asked: list[Asked] = stage.asked
        stage.answers["POST", "*"] = (401, {"detail": "Sign in first."})
        page = open_page(stage, START, PHONE)
        press(page, "Infusion started")
        expect(page.locator(".signin h2")).to_have_text("Sign in, then: Infusion started")
        stage.answers["POST", "*"] = DONE
        stage.answers["POST", "/signin"] = (200, {"name": "dana", "home": "/me"})
        page.get_by_label("Name").fill("dana")
        page.get_by_label("Password").fill("a long one")
        press(page, "Sign in", ".signin")
        expect(page.locator(".told")).to_contain_text("Saved: Infusion started.")
        assert [a.body for a in asked if a.path.endswith("/moves")] == [{"kind": "infusion_start"}] * 2

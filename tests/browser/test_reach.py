"""Whether pages arrive, as screens say it: the bar, Duty, test pages, hand-over, states of a page, a link."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import scene, working
from tests.browser.conftest import Open, staged
from tests.browser.scene import NOW
from tests.browser.test_screens import DONE, PHONE, STATION, violations

WALL = (1920, 1080)
TEST = "a test of the paging"


def told(*rows: tuple[str, str, int | None]) -> scene.Wire:
    """The clinic, with what is known of whether a page reaches each of these."""
    clinic = scene.clinic()
    people = [
        {"staff": staff, "reach": reach, "at_ms": NOW - 60_000, "took_ms": took_ms}
        for staff, reach, took_ms in rows
    ]
    clinic["duty"]["test"] = {"people": people, "asked_by": "sam", "asked_at_ms": NOW - 68_000}
    return clinic


def paged(**more: Any) -> scene.Wire:
    """The clinic, with a test page to dana."""
    clinic = told(("dana", "waiting", None))
    page = scene.page(601, 0, "", "MEDIUM", "dana", 5, "Clinic: Test page. Open Chairside.", why=TEST, **more)
    clinic["pages"].append(page)
    return clinic


@pytest.mark.shows("ALM-082", "HZ-03")
def test_the_bar_says_whether_paging_is_tested_and_how_long_the_slowest_took(open_page: Open) -> None:
    with staged(told(("dana", "answered", 8_200), ("lee", "answered", 12_000))) as stage:
        wall = open_page(stage, "/?wall", WALL)
        expect(wall.locator("#bar .health")).to_contain_text("Paging tested, slowest Lee 12 s")
        # A station says only what is still missing.
        expect(open_page(stage, "/", STATION).locator("#bar [data-reach]")).to_have_count(0)
    for reach, said in (("failed", "Test page failed: Lee"), ("untested", "Paging not tested: Lee")):
        with staged(told(("dana", "answered", 8_200), ("lee", reach, None))) as stage:
            mark = open_page(stage, "/", STATION).locator("#bar [data-reach]")
            expect(mark).to_contain_text(said)
            expect(mark.get_by_role("link")).to_have_attribute("href", "/duty")


def test_duty_says_who_was_reached_and_one_tap_sends_a_test_page(open_page: Open) -> None:
    with staged(
        told(("dana", "answered", 8_200), ("lee", "untested", None), ("sam", "failed", None))
    ) as stage:
        stage.answers["POST", "/duty/test"] = DONE
        page = open_page(stage, "/duty", STATION)
        rows = page.locator(".reached li")
        expect(rows.nth(0)).to_have_text("Danaanswered 14:31, after 8 s")
        expect(rows.nth(1)).to_contain_text("no test page answered this shift")
        expect(rows.nth(2)).to_contain_text("not delivered")
        assert violations(page) == []
        page.get_by_role("button", name="Send test page").click()
        assert stage.waits_for("POST", "/duty/test").body is None


def test_beds_and_pages_are_handed_over_in_one_step(open_page: Open) -> None:
    with staged(told(("dana", "answered", 8_200))) as stage:
        stage.answers["POST", "/duty/hand-over"] = DONE
        page = open_page(stage, "/duty", STATION)
        page.get_by_label("Who goes off duty").select_option("dana")
        page.get_by_label("Who takes over").select_option("lee")
        page.get_by_role("button", name="Hand over to Lee").click()
        assert stage.waits_for("POST", "/duty/hand-over").body == {"was": "dana", "to": "lee"}
        phone = open_page(stage, "/me", PHONE)
        phone.get_by_role("button", name="Go off duty").click()
        phone.get_by_label("Who takes over").select_option("sam")
        phone.get_by_role("button", name="Hand over to Sam").click()
        stage.waits_until(lambda: {"was": "dana", "to": "sam"} in [a.body for a in stage.asked])


def test_a_test_page_is_answered_by_one_tap(open_page: Open) -> None:
    with staged(paged()) as stage:
        stage.answers["POST", "/pages/601/accept"] = DONE
        phone = open_page(stage, "/me", PHONE)
        assert violations(phone) == []
        phone.get_by_role("button", name="I have it").click()
        stage.waits_for("POST", "/pages/601/accept")
        phone.goto(stage.url + "/pages/601")
        expect(phone.locator("#page")).to_contain_text("Nothing is the matter.")
        expect(phone.get_by_role("button", name="I have it")).to_be_visible()
        assert violations(phone) == []
        stage.waits_for("POST", "/pages/601/open")


@pytest.mark.shows("ALM-083")
def test_ALM_083_every_state_of_a_page_stands_there_with_its_time(open_page: Open) -> None:
    clinic = scene.clinic()
    page = next(each for each in clinic["pages"] if each["page_id"] == 301)
    said = ("sent", "delivered", "read")
    page["outcomes"] = [
        {"way": "gateway", "outcome": outcome, "why": "", "at_ms": page["ordered_at_ms"] + 1_000 * (at + 1)}
        for at, outcome in enumerate(said)
    ]
    page |= {
        "answer": "accepted",
        "answered_by": page["to"],
        "answered_at_ms": page["ordered_at_ms"] + 9_000,
    }
    with staged(clinic) as stage:
        for path in ("/alarms", "/pages/301"):
            states = open_page(stage, path, PHONE).locator("details.states").first
            states.locator("summary").click()
            for word in ("queued", "sent", "delivered", "read", "accepted"):
                expect(states).to_contain_text(word)
            expect(states.locator("p").first.locator("time")).to_have_count(5)


def test_a_link_opens_its_page_and_says_why_where_it_does_not(open_page: Open) -> None:
    with staged(scene.clinic()) as stage:
        stage.refuse_streams = True
        stage.answers["POST", "/link"] = 200, {"page_id": 301, "until_ms": NOW + 900_000}
        stage.answers["GET", "/pages/301"] = 200, scene.clinic()
        phone = open_page(stage, "/link#301.1.mark", PHONE)
        expect(phone.get_by_role("button", name="I go")).to_be_visible()
        assert stage.waits_for("POST", "/link").body == {"token": "301.1.mark"}
        assert phone.url == stage.url + "/pages/301", "nothing of the link is left in the address"
        detail = "This link has been used. Sign in to see your pages."
        stage.answers["POST", "/link"] = 410, {"title": "Gone", "status": 410, "detail": detail}
        again = open_page(stage, "/link#301.1.mark", PHONE)
        expect(again.locator(".told")).to_contain_text("This link has been used.")
        expect(again.locator("#plain").get_by_role("link", name="Sign in")).to_be_visible()


def test_before_the_drug_the_session_says_that_paging_is_not_tested_and_stops_nobody(open_page: Open) -> None:
    clinic = working.told("device")
    nurse = next(each["staff"] for each in clinic["duty"]["beds"] if each["bed"] == "1")
    one = {"staff": nurse, "reach": "untested", "at_ms": None, "took_ms": None}
    clinic["duty"]["test"] = {"people": [one], "asked_by": None, "asked_at_ms": None}
    with staged(clinic) as stage:
        stage.answers["POST", "/duty/test"] = DONE
        page = open_page(stage, "/bed/1/start", PHONE)
        note = page.locator(".untested")
        expect(note).to_contain_text("Paging not tested this shift")
        assert violations(page) == []
        note.get_by_role("button", name="Send test page").click()
        stage.waits_for("POST", "/duty/test")
        expect(page.locator("#flow").get_by_role("button").first).to_be_enabled()


def test_a_test_page_rings_once_on_its_persons_own_screen_and_on_no_other(open_page: Open) -> None:
    with staged(paged()) as stage:
        page = open_page(stage, "/me", PHONE)
        sounds = page.evaluate(
            """async (wire) => {
              const { start, reduce } = await import("/js/state.js");
              const { sounding } = await import("/js/look.js");
              const quiet = (name) => ({ ...wire, alarms: [], me: { name, role: "nurse" } });
              const told = (name) => reduce(start(), {
                kind: "snapshot", data: quiet(name), seq: 1, perf_ms: 0,
              });
              const mine = told("dana"), heard = new Set(["page 601"]);
              return [sounding(mine), sounding(mine, heard), sounding(told("lee"))];
            }""",
            stage.scene(),
        )
    assert sounds == [{"priority": "LOW", "technical": True, "alarm_ids": ["page 601"]}, None, None]

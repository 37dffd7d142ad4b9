"""What is entered at the bed: several answers at once, what is missing or was wrong, the camera, the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import working
from tests.browser.conftest import Open, staged
from tests.browser.test_screens import DONE, PHONE, STATION, violations
from tests.browser.test_working import CODE, START, at, number, press, waits_for_moves

# Several answers at once.


@pytest.mark.parametrize("answered", [0, 1])
def test_none_of_these_answers_each_of_the_list_and_nothing_that_can_stop(
    open_page: Open, answered: int
) -> None:
    told = working.told("questions")
    questions = told["beds"][0]["treatment"]["questions"]
    flags = [q for q in questions if q["kind"] == "flag"]
    for question in flags:
        question["yes"] = None
    flags[1]["yes"] = True if answered else None
    with staged(told) as stage:
        stage.answers["POST", "*"] = DONE
        page = open_page(stage, START, PHONE)
        press(page, "None of the others" if answered else "None of these")
        wanted = [q["question"] for q in flags if q["yes"] is None]
        assert waits_for_moves(stage, len(wanted)) == [
            {"kind": "answer", "question": name, "yes": False} for name in wanted
        ]
        expect(page.locator(".told")).to_contain_text("Saved: None of")


def test_at_most_twelve_presses_answer_an_ordinary_check_in(open_page: Open) -> None:
    with at("questions") as stage:
        page = open_page(stage, START, PHONE)
        alone = page.locator(".questions > ul > li").count()
        assert alone + page.locator(".questions .none").count() <= 12


# What a refused move lacks.

COLD = "A cold, a blocked or sore nose? Yes.: a prescriber decides, with a reason."


@pytest.mark.parametrize(
    ("name", "does", "line", "field"),
    [
        ("leaving", "Note", "Steady on the feet: Gait: not asked yet.", "item-steady"),
        ("leaving", "Note", "Escort: The escort's name.", "item-escort"),
        ("gate", "Measure anew", COLD, "gate-congestion"),
        ("infusion", "Symptom", "Dissociation: not asked yet.", "score-dissociation"),
    ],
)  # fmt: skip
def test_each_line_of_what_is_missing_leads_into_its_field(
    open_page: Open, name: str, does: str, line: str, field: str
) -> None:
    with at(name) as stage:
        stage.answers["POST", f"/sessions/{number(stage)}/moves"] = (409, {"detail": line, "missing": [line]})
        page = open_page(stage, START, PHONE)
        refuse(page, does)
        page.get_by_role("link", name=line).click()
        focused = page.evaluate("document.activeElement.closest('[data-field]')?.dataset.field ?? null")
        assert field in (focused or "").split(" ")


def refuse(page: Page, does: str) -> None:
    """Some move of that page, which the stage refuses."""
    press(page, does)
    if does == "Symptom":
        press(page, "Nausea")
    elif does == "Note":
        page.get_by_label("Note").fill("something")
        press(page, "Save note")
    else:
        page.locator("#flow .inset").get_by_label("Reason").fill("moved")
        page.locator("#flow .inset").get_by_role("button", name=does).click()


def test_an_unanswered_question_is_found_from_any_line_of_a_refusal(open_page: Open) -> None:
    with at("questions") as stage:
        lines = ["Not answered: Chronic lung disease?", "Not answered: Pregnant, or may be?"]
        path = f"/sessions/{number(stage)}/moves"
        stage.answers["POST", path] = (409, {"detail": " ".join(lines), "missing": lines})
        page = open_page(stage, START, PHONE)
        page.locator(".questions li").first.get_by_role("button", name="Yes").click()
        expect(page.locator(".title .lacks li")).to_have_text(lines)
        page.get_by_role("link", name=lines[1]).click()
        row = page.locator("[data-field='question-pregnancy']")
        expect(row.get_by_role("button", name="Yes")).to_be_focused()
        assert violations(page) == []


def test_what_is_missing_is_filled_from_the_trends_too(open_page: Open) -> None:
    with at("leaving") as stage:
        lines = [
            "Steady on the feet: Gait: not asked yet.",
            "A HIGH alarm has not been acknowledged: No breath.",
        ]
        path = f"/sessions/{number(stage)}/moves"
        stage.answers["POST", path] = (409, {"detail": " ".join(lines), "missing": lines})
        page = open_page(stage, "/bed/1", STATION)
        page.keyboard.press("n")
        page.get_by_label("Note").fill("something")
        press(page, "Save note", "#session")
        expect(page.locator("#session > .lacks li")).to_have_text(lines)
        expect(page.get_by_label("Note")).to_have_value("something")
        assert violations(page) == []
        page.get_by_role("link", name=lines[0]).click()
        focused = page.evaluate("document.activeElement.closest('[data-field]')?.dataset.field")
        assert focused == "item-steady"


# A wrong entry.


def test_a_score_just_given_is_corrected_by_what_should_have_been_entered(open_page: Open) -> None:
    with at("leaving") as stage:
        page = open_page(stage, START, PHONE)
        scores = working.told("leaving")["beds"][0]["treatment"]["scores"]
        entry = next(s["entry"] for s in scores if s["score"] == "nausea")
        press(page, "Sedation score")
        page.locator("[data-field='score-nausea']").get_by_role("button", name="None").click()
        press(page, "Correct", ".told")
        expect(page.locator(".correct del")).to_have_text("Nausea: mild")
        press(page, "Correct", ".correct")
        expect(page.locator("#error-why")).to_contain_text("Enter the reason")
        press(page, "Misheard")
        press(page, "Correct", ".correct")
        expect(page.locator(".correct .error").last).to_contain_text("Choose what stands instead")
        press(page, "Severe")
        assert violations(page) == []
        press(page, "Correct", ".correct")
        assert waits_for_moves(stage, 2)[-1] == {
            "kind": "correct",
            "entry": entry,
            "instead": {"kind": "score", "score": "nausea", "value": 3},
            "why": "Misheard",
        }
        expect(page.locator(".told")).to_contain_text("Corrected. The old entry is struck.")


def test_a_lot_is_corrected_from_the_list_of_entries_and_its_device_stays_given(open_page: Open) -> None:
    with at("40-min check") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Correct an entry")
        page.locator(".corrections").get_by_role("button", name=re.compile("^Device 2 given")).click()
        expect(page.get_by_role("button", name="Strike it, nothing instead")).to_have_count(0)
        expect(page.get_by_label("Lot")).to_have_value("24B1")
        page.get_by_label("Lot").fill("24B7")
        press(page, "Pressed by mistake")
        press(page, "Correct", ".correct")
        [body] = waits_for_moves(stage, 1)
        assert body["instead"]["lot"] == "24B7"
        assert (body["instead"]["kind"], body["instead"]["number"]) == ("device", 2)


def test_an_entry_can_be_struck_with_nothing_in_its_place(open_page: Open) -> None:
    with at("leaving") as stage:
        page = open_page(stage, START, PHONE)
        press(page, "Correct an entry")
        page.locator(".corrections").get_by_role("button", name=re.compile("^Mood and suicide-risk")).click()
        press(page, "Pressed by mistake")
        press(page, "Strike it, nothing instead")
        [body] = waits_for_moves(stage, 1)
        assert body["instead"] is None


def test_a_symptom_taken_back_is_the_newest_entry_of_it_struck(open_page: Open) -> None:
    with at("infusion") as stage:
        line = {"kind": "symptom", "may_correct": True, "entry": 41, "words": "Nausea"}
        other = {"kind": "symptom", "may_correct": True, "entry": 42, "words": "Dizziness"}
        now = {"timeline": [line, line | {"entry": 40, "may_correct": False}, other]}
        stage.answers["GET", f"/sessions/{number(stage)}"] = (200, {"now": now})
        page = open_page(stage, START, PHONE)
        press(page, "Symptom")
        press(page, "Nausea")
        waits_for_moves(stage, 1)
        press(page, "Undo", ".told")
        why = "taken back at once"
        assert waits_for_moves(stage, 2)[-1] == {"kind": "correct", "entry": 41, "instead": None, "why": why}


def test_what_was_struck_stays_to_be_read_with_who_and_when(open_page: Open) -> None:
    told = working.told("leaving")
    timeline = told["beds"][0]["treatment"]["timeline"]
    wrong = next(line for line in timeline if line["words"] == "Nausea: mild")
    struck = {"by": "dana", "at_ms": wrong["at_ms"] + 60_000, "why": "Misheard", "instead": 90}
    right = wrong | {"words": "Nausea: severe", "entry": 90, "replaces": wrong["entry"]}
    wrong |= {"struck": struck, "may_correct": False}
    timeline.append(right)
    with staged(told) as stage:
        page = open_page(stage, "/bed/1", STATION)
        page.locator(".timeline summary").click()
        line = page.locator(".timeline li", has_text="Nausea: mild")
        expect(line.locator("del")).to_have_text("Nausea: mild")
        expect(line).to_contain_text(re.compile(r"struck by Dana, \d\d:\d\d: Misheard"))
        expect(line.get_by_role("button")).to_have_count(0)
        other = page.locator(".timeline li", has_text="Nausea: severe")
        expect(other).to_contain_text("instead of the one that is struck")
        other.get_by_role("button", name="Correct").click()
        expect(page.locator("#session .correct del")).to_have_text("Nausea: severe")
        assert violations(page) == []


def test_a_symptom_that_was_struck_is_no_line_in_the_trends(house: Page) -> None:
    treatment = working.told("infusion")["beds"][0]["treatment"]
    line = {"kind": "symptom", "at_ms": 1, "struck": None, "words": "Nausea"}
    treatment["timeline"] = [line, line | {"words": "Dizziness", "struck": {"by": "dana"}}]
    found = house.evaluate(
        "async (t) => (await import('/js/treatment.js')).marksOf(t).filter((m) => m.said)", treatment
    )
    assert [mark["words"] for mark in found] == ["Nausea"]


# NEWS2.


@pytest.mark.parametrize("whole", [True, False])
def test_news2_is_whole_and_labelled_or_says_what_is_missing(open_page: Open, *, whole: bool) -> None:
    told = working.told("infusion")
    treatment = told["beds"][0]["treatment"]
    if whole:
        at_ms = treatment["at_ms"]
        course = [
            {"at_ms": at_ms - 1_200_000, "total": 0, "red": False},
            {"at_ms": at_ms, "total": 2, "red": False},
        ]
        treatment["news2"] |= {"total": 2, "red": False, "at_ms": at_ms, "missing": [], "course": course}
    with staged(told) as stage:
        page = open_page(stage, "/bed/1", STATION)
        row = page.locator("#session dl > div", has_text="NEWS2")
        expect(row.locator("dt")).to_contain_text("trend only: it does not see a rise of blood pressure")
        said = (
            re.compile(r"^2, of \d\d:\d\d. Before: 0 at \d\d:\d\d$")
            if whole
            else re.compile(r"^incomplete: .*temperature missing$")
        )
        expect(row.locator("dd")).to_have_text(said)


# The camera.

CAMERA = """([code]) => {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 10, 10);
  window.stream = canvas.captureStream(10);
  window.BarcodeDetector = class {
    static getSupportedFormats = async () => ['qr_code', 'data_matrix'];
    constructor({ formats }) { window.formats = formats; }
    detect = async () => [{ rawValue: code }];
  };
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: async () => window.stream } });
}"""


def with_camera(context: Callable[..., BrowserContext], code: str) -> BrowserContext:
    """A browser that reads codes, and sees this one: ours has no such thing."""
    one = context(viewport={"width": PHONE[0], "height": PHONE[1]})
    one.add_init_script(f"({CAMERA})([{code!r}])")
    return one


def test_where_the_browser_reads_codes_the_camera_scans_the_lot(
    context: Callable[..., BrowserContext], open_page: Open
) -> None:
    with at("device") as stage:
        page = open_page(stage, START, within=with_camera(context, CODE))
        press(page, "Use the camera")
        expect(page.locator(".readback")).to_contain_text("Lot 23K104, expires 2029-05-31, serial SN00017")
        assert page.evaluate("window.formats") == ["data_matrix", "qr_code"]
        # What was looked at is looked at no longer.
        page.wait_for_function("window.stream.getTracks().every((track) => track.readyState === 'ended')")
        expect(page.locator(".camera")).to_have_count(0)


def test_a_code_that_is_no_device_s_is_said_and_the_camera_looks_on(
    context: Callable[..., BrowserContext], open_page: Open
) -> None:
    with at("device") as stage:
        page = open_page(stage, START, within=with_camera(context, "hello"))
        press(page, "Use the camera")
        expect(page.locator("#error-scan")).to_contain_text("This is no device code.")
        assert violations(page) == []
        press(page, "Camera off")
        expect(page.get_by_role("button", name="Use the camera")).to_be_visible()


def test_where_the_browser_reads_no_codes_there_is_no_button_for_it(open_page: Open) -> None:
    with at("device") as stage:
        page = open_page(stage, START, PHONE)
        expect(page.locator("input[name=scan]")).to_be_focused()
        expect(page.get_by_role("button", name="Use the camera")).to_have_count(0)


# The dark.


def theme(page: Page) -> Any:
    return page.evaluate("document.documentElement.dataset.theme")


def test_a_tablet_takes_its_light_away_while_the_drug_is_given_and_keeps_a_choice(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE, is_mobile=True, has_touch=True, color_scheme="light")
        expect(page.locator("html")).to_have_attribute("data-theme", "night")
        bed = working.told("infusion")["beds"][0]
        bed["treatment"] |= {"running": False, "at_peak": False}
        stage.play({"kind": "bed", "bed": bed})
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        stage.play({"kind": "bed", "bed": working.told("infusion")["beds"][0]})
        expect(page.locator("html")).to_have_attribute("data-theme", "night")
        page.get_by_label("Brightness").select_option("Day")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_station_with_a_mouse_keeps_its_light(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, STATION, color_scheme="light")
        expect(page.locator("#screen")).to_have_attribute("data-page", "now")
        assert theme(page) == "light"

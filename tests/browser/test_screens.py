"""The other screens: Bed, page, sign-in, sessions, duty, each with its acts; and axe on every one of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import scene
from tests.browser.conftest import Open, staged
from tests.browser.stage import Stage

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
STATION, PHONE = (1280, 800), (390, 844)
DONE = (200, {"recorded": True})

SCREENS = [
    "/?wall",
    "/",
    "/bed/3",
    "/bed/4",
    "/bed/8",
    "/bed/8/start",
    "/alarms",
    "/me",
    "/?room=3",
    "/pages/301",
    "/signin",
    "/duty",
    "/sound",
    "/keys",
]


ON_A_PHONE, AT_NIGHT = {"/", "/bed/4", "/alarms", "/me"}, {"/?wall", "/bed/4"}


@pytest.mark.parametrize("path", SCREENS)
def test_axe_finds_nothing_on_any_screen(stage: Stage, open_page: Open, path: str) -> None:
    looks = [(PHONE if path.startswith("/pages") else STATION, theme) for theme in ("dark", "light")]
    looks += [(STATION, "night")] * (path in AT_NIGHT) + [(PHONE, "light")] * (path in ON_A_PHONE)
    page = open_page(stage, path, looks[0][0], reduced_motion="reduce")
    expect(page.locator(".disclaimer")).to_be_visible()
    for size, theme in looks:
        wears(page, theme, size)
        assert violations(page) == [], (size, theme)


def wears(page: Page, theme: str, size: tuple[int, int]) -> None:
    """The same page in another theme and size."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)


def violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: list[dict[str, Any]] = page.evaluate(
        "(tags) => axe.run({ runOnly: tags }).then((r) => r.violations)", tags
    )
    return [
        f"{v['id']}: {[n['target'] for n in v['nodes']]} {v['nodes'][0].get('failureSummary')}" for v in found
    ]


@pytest.mark.parametrize("path", ["/", "/bed/4", "/pages/301", "/alarms", "/bed/8/start", "/duty", "/me"])
def test_twice_as_large_everything_is_still_there_and_nothing_is_beside_the_screen(
    stage: Stage, open_page: Open, path: str
) -> None:
    page = open_page(stage, path, (640, 400))  # a 1280 x 800 window at 200 %
    expect(page.locator(".disclaimer")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "javascript:alert(1)"]
)
def test_a_script_in_a_name_stays_a_name(open_page: Open, text: str) -> None:
    clinic = scene.clinic()
    clinic["staff"] = [{"name": "dana", "display": text, "role": "nurse"}]
    four = clinic["beds"][3]
    four |= {"place": text, "cuff_refusal": text, "devices": ["monitor-4"]}
    four["session"]["alias"] = text
    clinic["links"][3]["notices"] = [text]
    clinic["alarms"][2] |= {"text": text, "note": text, "accepted_by": "dana"}
    clinic["pages"][2]["text"] = text
    with staged(clinic) as stage:
        for path in ("/", "/bed/4", "/alarms", "/pages/401", "/duty"):
            page = open_page(stage, path, STATION)
            expect(page.locator(".disclaimer")).to_have_count(1)
            assert page.locator("img, #app script, iframe").count() == 0
            page.context.close()


# The Bed.


def test_the_bed_shows_its_numbers_with_units_its_facts_and_the_other_beds_alarms(
    stage: Stage, open_page: Open
) -> None:
    page = open_page(stage, "/bed/4", STATION)
    expect(page.locator(".panel.bp .digits")).to_have_text("172/98")
    expect(page.locator(".panel.bp .more")).to_contain_text("+38/+14 from 134/84")
    expect(page.locator("#alarm")).to_contain_text("Confirmed by two readings")
    expect(page.locator("#bar .now li")).to_have_count(3)
    expect(page.locator("#session")).to_contain_text("36.8")
    expect(page.locator(".plot canvas")).to_have_count(5)
    assert page.title() == "*** Bed 3: Bed 4, Chairside"


def test_the_label_of_a_panel_opens_its_limits_and_who_changed_them(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Limits of HR").click()
    expect(page.locator(".limits")).to_contain_text("HR > 120 /min for 10 s")
    expect(page.locator(".limits")).to_contain_text("Sam changed this from 55: runs marathons")
    page.keyboard.press("Escape")
    expect(page.locator(".limits")).to_have_count(0)


def test_acknowledge_at_the_bed_acknowledges_what_is_shown_and_nothing_else(
    stage: Stage, open_page: Open
) -> None:
    stage.answers |= {("POST", "/alarms/31/acknowledge"): DONE, ("POST", "/alarms/32/acknowledge"): DONE}
    page = open_page(stage, "/bed/3", STATION)
    page.get_by_role("button", name="Acknowledge at bed").click()
    expect(page.locator(".told")).to_contain_text("Done.")
    assert {a.path for a in stage.asked if a.method == "POST"} - {"/screens/sound"} == {
        "/alarms/31/acknowledge",
        "/alarms/32/acknowledge",
    }


@pytest.mark.parametrize(
    ("key", "method", "path", "body"),
    [
        ("a", "POST", "/alarms/41/acknowledge", None),
        ("p", "POST", "/beds/4/pauses", {"kind": "audio paused", "seconds": 120, "why": ""}),
        ("c", "POST", "/beds/4/cuff", None),
    ],
)
def test_each_act_has_its_key(
    stage: Stage, open_page: Open, key: str, method: str, path: str, body: Any
) -> None:
    stage.answers[method, "*"] = DONE
    page = open_page(stage, "/bed/4", STATION)
    expect(page.locator(".panel.bp .digits")).to_have_text("172/98")
    page.keyboard.press(key)
    assert stage.waits_for(method, path).body == body


def test_a_refused_act_stays_on_the_page_with_its_reason(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/beds/4/cuff"] = (409, {"detail": "Lee started a cuff 0:03 ago."})
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Start cuff now").click()
    expect(page.locator("#alarm .told")).to_contain_text("Lee started a cuff 0:03 ago.")
    assert page.url.endswith("/bed/4")


def test_an_act_that_is_not_on_disk_yet_says_so(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/beds/4/cuff"] = (200, {"recorded": False})
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Start cuff now").click()
    expect(page.locator("#alarm .told")).to_contain_text("not being recorded yet")


def test_a_running_cuff_can_be_stopped(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["beds"][3]["cuff"]["running_since_ms"] = scene.NOW - 12_000
    clinic["beds"][3]["cuff_refusal"] = "A reading is running already."
    with staged(clinic) as stage:
        stage.answers["DELETE", "/beds/4/cuff"] = DONE
        page = open_page(stage, "/bed/4", STATION)
        page.get_by_role("button", name="Stop cuff").click()
        expect(page.locator(".told")).to_contain_text("Done.")
        stage.waits_for("DELETE", "/beds/4/cuff")
        expect(page.get_by_role("button", name="Start cuff now")).to_have_count(0)
        expect(page.locator("#cuff-refusal")).to_have_count(0)


def test_a_cuff_that_has_failed_says_why(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["beds"][3]["cuff"] |= {
        "failed_at_ms": scene.NOW - 5_000,
        "failed_why": "the arm must rest: 40 s more",
    }
    with staged(clinic) as stage:
        page = open_page(stage, "/bed/4", STATION)
        expect(page.locator(".panel.bp")).to_contain_text("the arm must rest: 40 s more")


def test_a_device_that_cannot_start_a_cuff_says_why_instead(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["beds"][3]["cuff_refusal"] = "This monitor takes no orders. Press its own button."
    with staged(clinic) as stage:
        page = open_page(stage, "/bed/4", STATION)
        expect(page.get_by_role("button", name="Start cuff now")).to_be_disabled()
        expect(page.locator("#session")).to_contain_text("This monitor takes no orders.")


def test_a_running_audio_pause_can_be_ended(stage: Stage, open_page: Open) -> None:
    stage.answers["DELETE", "/beds/6/pauses/1"] = DONE
    page = open_page(stage, "/bed/6", STATION)
    page.get_by_role("button", name=re.compile("Audio paused 1:2")).click()
    assert stage.waits_for("DELETE", "/beds/6/pauses/1")


def test_act_first_sign_after(stage: Stage, open_page: Open) -> None:
    stage.answers |= {
        ("POST", "/beds/4/cuff"): (401, {"detail": "Sign in first."}),
        ("POST", "/signin"): (200, {"name": "dana", "home": "/me"}),
    }
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Start cuff now").click()
    expect(page.locator(".signin h2")).to_have_text("Sign in, then: Start cuff now")
    expect(page.locator(".panel.bp .digits")).to_be_visible()  # nothing covers the bed
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill("a long one")
    stage.answers["POST", "/beds/4/cuff"] = DONE
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#alarm .told")).to_contain_text("Done.")
    assert [a.body for a in stage.asked if a.path == "/signin"] == [
        {"name": "dana", "password": "a long one"}
    ]
    assert sum(a.path == "/beds/4/cuff" for a in stage.asked) == 2


def test_on_a_paired_screen_a_name_tile_and_a_pin_are_enough(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["me"] = {"name": "station-1", "display": "station-1", "role": "display"}
    with staged(clinic) as stage:
        stage.answers |= {
            ("POST", "/beds/4/cuff"): (403, {"detail": "Your role may not do this."}),
            ("POST", "/signin"): (401, {"detail": "The name and the PIN do not belong together."}),
        }
        page = open_page(stage, "/bed/4", STATION)
        page.get_by_role("button", name="Start cuff now").click()
        page.get_by_role("button", name="Lee").click()
        page.get_by_label("PIN").fill("0000")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".signin")).to_contain_text("do not belong together")
        assert stage.waits_for("POST", "/signin").body == {"name": "lee", "pin": "0000"}


@pytest.mark.parametrize("typed", ["172/98", "172 98", "172-98", "17298"])
def test_a_pressure_is_understood_however_it_is_typed(stage: Stage, open_page: Open, typed: str) -> None:
    stage.answers["POST", "/beds/4/vitals"] = DONE
    page = open_page(stage, "/bed/4", STATION)
    expect(page.locator(".panel.bp .digits")).to_have_text("172/98")
    page.keyboard.press("b")
    page.keyboard.type(typed)
    expect(page.locator("#reads")).to_contain_text("172 over 98, right now, by hand")
    expect(page.locator("#reads")).to_contain_text("+38/+14 from 134/84")
    expect(page.locator("#reads")).to_contain_text("Above 165: measure again in 2 min")
    page.get_by_role("button", name="Save 172/98").click()
    assert stage.waits_for("POST", "/beds/4/vitals").body == {
        "kind": "bp",
        "systolic_mmhg": 172,
        "diastolic_mmhg": 98,
    }
    expect(page.locator("#alarm .told")).to_contain_text("Saved 172/98.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("17/9", "Enter the upper number, 40 to 280"),
        ("120/130", "Enter the lower number"),
        ("", "Enter the upper number"),
    ],
)
def test_a_pressure_that_cannot_be_is_asked_again_beside_the_field(
    stage: Stage, open_page: Open, typed: str, said: str
) -> None:
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="BP by hand").click()
    page.get_by_label("Upper / lower, mmHg").fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator("#bp-error")).to_contain_text(said)
    assert not any(a.path == "/beds/4/vitals" for a in stage.asked)


def test_closing_a_session_is_asked_first_and_a_refusal_says_what_is_missing(
    stage: Stage, open_page: Open
) -> None:
    stage.answers["POST", "/sessions/4/moves"] = (409, {"detail": "A HIGH alarm is not acknowledged."})
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Close session").click()
    assert not any(a.path == "/sessions/4/moves" for a in stage.asked)
    page.get_by_role("button", name="Close session of bed 4").click()
    expect(page.locator("#session .told")).to_contain_text("A HIGH alarm is not acknowledged.")
    assert stage.waits_for("POST", "/sessions/4/moves").body == {"kind": "close"}


# A session is opened.


def test_a_session_is_opened_with_today_s_baseline_from_the_live_values(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["beds"][7] |= {
        "vitals": {v["vital"]: v for v in scene.three(97, 71, 14)},
        "cuff": scene.cuff(126, 79, 1, None),
    }
    with staged(clinic) as stage:
        stage.answers["POST", "/sessions"] = (201, {"recorded": True, "session": 8})
        page = open_page(stage, "/bed/8/start", STATION)
        page.get_by_role("button", name="Start session").click()
        expect(page.locator("#error-alias")).to_contain_text("Enter a short word for this patient")
        page.get_by_label("Patient").fill("Blue")
        page.get_by_label("Cuff timer").select_option("10 min")
        page.get_by_role("button", name="Start session").click()
        assert stage.waits_for("POST", "/sessions").body == {
            "bed": "8",
            "alias": "Blue",
            "profile": "watch",
            "cuff_interval_s": 600,
            "baseline": {
                "systolic_mmhg": 126,
                "diastolic_mmhg": 79,
                "heart_rate_per_min": 71,
                "spo2_percent": 97,
                "respiration_per_min": 14,
            },
        }
        expect(page.locator("#screen")).to_have_attribute("data-screen", "bed")


# The page on a phone.


def test_i_go_then_i_am_at_the_bed_and_a_double_tap_acknowledges_nothing(
    stage: Stage, open_page: Open
) -> None:
    stage.answers |= {("POST", "/pages/301/accept"): DONE, ("POST", "/alarms/31/acknowledge"): DONE}
    page = open_page(stage, "/pages/301", PHONE, still=True)
    expect(page.locator(".figure")).to_contain_text("84")
    expect(page.locator(".figure")).to_contain_text("SpO2 below 90")
    expect(page.locator(".who")).to_contain_text("Dana (you)")
    page.get_by_role("button", name="I go").click()
    stage.waits_for("POST", "/pages/301/accept")
    mine = scene.clinic()["pages"][0] | {
        "answer": "accepted",
        "answered_by": "dana",
        "answered_at_ms": scene.NOW + 1000,
    }
    stage.play(
        {"kind": "page", "page": mine},
        {"kind": "alarm", "alarm": scene.clinic()["alarms"][0] | {"accepted_by": "dana"}},
    )
    expect(page.locator(".kind")).to_contain_text("You are going")
    expect(page.get_by_role("button", name="I am at the bed")).to_be_disabled()
    page.clock.run_for(3_000)
    page.get_by_role("button", name="I am at the bed").click()
    assert stage.waits_for("POST", "/alarms/31/acknowledge")


def test_i_cant_go_is_told_at_once_and_hand_back_undoes_i_go(stage: Stage, open_page: Open) -> None:
    stage.answers |= {("POST", "/pages/301/reject"): DONE}
    page = open_page(stage, "/pages/301", PHONE)
    page.get_by_role("button", name="I can't go").click()
    assert stage.waits_for("POST", "/pages/301/reject")
    mine = scene.clinic()["pages"][0] | {
        "answer": "accepted",
        "answered_by": "dana",
        "answered_at_ms": scene.NOW - 9_000,
    }
    stage.play({"kind": "page", "page": mine})
    before = len(stage.asked)
    page.get_by_role("button", name="Hand back").click()
    stage.waits_for("POST", "/pages/301/reject")
    expect(page.locator(".told")).to_contain_text("Done.")
    assert any(a.path == "/pages/301/reject" for a in stage.asked[before:])


def test_who_comes_second_may_stay(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/pages/301", PHONE)
    stage.play({"kind": "alarm", "alarm": scene.clinic()["alarms"][0] | {"accepted_by": "lee"}})
    expect(page.locator(".acts")).to_contain_text("Lee is going. You may stay.")
    expect(page.get_by_role("button", name="I go too")).to_be_visible()


def test_an_alarm_that_has_ended_meanwhile_still_asks_for_a_look(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/pages/301", PHONE)
    stage.play(
        {"kind": "vital", "bed": "3", **scene.vital("spo2", 95)},
        {"kind": "alarm", "alarm": scene.clinic()["alarms"][0] | {"state": "latched"}},
    )
    expect(page.locator(".figure")).to_contain_text("SpO2 is 95 now. Still look.")


def test_a_phone_without_the_clinic_network_says_so(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/pages/301", PHONE, still=True)
    expect(page.locator(".figure")).to_contain_text("84")
    page.clock.run_for(11_000)
    expect(page.locator(".lost-phone")).to_have_text(
        "This phone has lost the clinic network. Look at the wall."
    )
    expect(page.locator(".figure b")).to_have_text("––")


# Lists.


@pytest.mark.shows("ALM-024")
def test_the_alarm_list_has_the_open_ones_worst_first_and_the_ended_ones_filtered(
    stage: Stage, open_page: Open
) -> None:
    ended = [
        scene.alarm(n, bed, "hr-high", p, f"HR 12{n} > 120", 600, state="clear")
        for n, bed, p in ((1, "1", "LOW"), (2, "2", "MEDIUM"))
    ]
    stage.answers["GET", "/alarms"] = (200, {"at_ms": scene.NOW, "alarms": ended})
    page = open_page(stage, "/alarms", STATION)
    expect(page.locator(".alarm-list li")).to_have_count(5)
    expect(page.locator(".alarm-list li").first).to_contain_text("Bed 3")
    expect(page.locator(".past li")).to_have_count(2)
    page.locator(".filters").get_by_label("Bed").select_option("2")
    expect(page.locator(".past li")).to_have_count(1)
    stage.play({"kind": "alarm", "alarm": {"alarm_id": 61, "bed": "6", "state": "clear"}})
    expect(page.locator(".alarm-list li")).to_have_count(4)


def test_duty_is_saved_as_one_list(stage: Stage, open_page: Open) -> None:
    stage.answers["PUT", "/duty"] = DONE
    page = open_page(stage, "/duty", STATION)
    page.get_by_role("checkbox", name="Sam").uncheck()
    page.get_by_role("combobox", name="Bed 8").select_option("Lee")
    page.get_by_role("button", name="Save duty").click()
    body = stage.waits_for("PUT", "/duty").body
    assert body["on"] == ["dana", "lee"]
    assert {"bed": "8", "staff": "lee"} in body["beds"]
    assert all(row["staff"] != "sam" for row in body["beds"])
    expect(page.locator(".told")).to_contain_text("Saved.")


@pytest.mark.shows("ALM-032")
def test_the_sound_check_asks_what_was_heard(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = []
    with staged(clinic) as stage:
        page = open_page(stage, "/sound", STATION)
        for kind in ("HIGH", "MEDIUM", "LOW"):
            page.get_by_role("button", name=f"Play {kind}").click()
            page.get_by_role("button", name=f"I heard it: {kind}").click()
        expect(page.locator(".told")).to_have_text("All three sounds were heard here.")


KEPT = """async () => [
  { ...localStorage }, { ...sessionStorage }, await caches.keys(), (await indexedDB.databases()).length,
]"""


def test_nothing_of_a_patient_is_kept_in_the_browser(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/bed/4", STATION)
    expect(page.locator(".panel.bp .digits")).to_have_text("172/98")
    kept = page.evaluate(KEPT)
    assert json.dumps(kept) == json.dumps([{}, {}, [], 0])

"""What can be set and taken back from a screen: limits, pauses, duty; and what it says of its sound."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import scene, working
from tests.browser.conftest import Open, staged
from tests.browser.stage import Stage
from tests.browser.test_screens import DONE, PHONE, STATION, violations

WALL = (1920, 1080)


def spanned(clinic: scene.Wire, bed: int = 4) -> scene.Wire:
    """The same clinic, where the limits of one bed may be set."""
    for limit in clinic["beds"][bed - 1]["limits"]:
        limit["low_span"], limit["high_span"] = (40, 60) if limit["side"] == "low" else (100, 160)
    return clinic


def limits_of(page: Page, vital: str) -> Page:
    page.get_by_role("button", name=f"Limits of {vital}").click()
    return page


# Limits.


def test_a_limit_is_set_within_the_clinic_s_span_and_with_a_reason(open_page: Open) -> None:
    with staged(spanned(scene.clinic())) as stage:
        stage.answers["PUT", "/beds/4/limits"] = DONE
        page = limits_of(open_page(stage, "/bed/4", STATION), "HR")
        page.get_by_role("button", name="Set the limit HR > 120").click()
        expect(page.locator(".limits")).to_contain_text("The clinic lets this be set from 100 to 160.")
        page.get_by_label("New limit, /min").fill("170")
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.locator("#error-limit")).to_contain_text("Enter a number, 100 to 160")
        page.get_by_label("New limit, /min").fill("130")
        page.get_by_role("button", name="Set HR > 130 for this session").click()
        expect(page.locator("#error-why")).to_contain_text("Enter the reason")
        assert not any(a.method == "PUT" for a in stage.asked)
        page.get_by_label("Reason").fill("usual for her")
        assert violations(page) == []
        page.get_by_role("button", name="Set HR > 130 for this session").click()
        body = {"rule": "hr-high-m", "limit": 130, "why": "usual for her"}
        assert stage.waits_for("PUT", "/beds/4/limits").body == body
        expect(page.locator(".limits .told")).to_contain_text("Set HR > 130.")


def test_a_limit_that_was_set_is_taken_back_to_what_it_was(open_page: Open) -> None:
    with staged(spanned(scene.clinic())) as stage:
        stage.answers["PUT", "/beds/4/limits"] = DONE
        page = limits_of(open_page(stage, "/bed/4", STATION), "HR")
        # It was somebody's own before, so that is what it goes back to; the profile's 55 is a button apart.
        page.get_by_role("button", name="Set the limit HR < 50").click()
        page.get_by_label("New limit, /min").fill("45")
        page.get_by_label("Reason").fill("asleep")
        page.get_by_role("button", name="Set HR < 45 for this session").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".limits .told")).to_contain_text("Undone.")
        assert [a.body["limit"] for a in stage.asked if a.method == "PUT"] == [45, 50]
        page.get_by_role("button", name="Set the limit HR < 50").click()
        page.get_by_label("Reason").fill("awake")
        page.get_by_role("button", name="Back to < 55").click()
        expect(page.locator(".limits .told")).to_contain_text("The profile's limit is back.")
        assert stage.asked[-1].body == {"rule": "hr-low-m", "limit": None, "why": "awake"}


def test_a_limit_the_clinic_does_not_let_be_changed_has_no_button(stage: Stage, open_page: Open) -> None:
    page = limits_of(open_page(stage, "/bed/4", STATION), "HR")
    expect(page.locator(".limits li")).to_have_count(5)
    expect(page.get_by_role("button", name="Set the limit")).to_have_count(0)


@pytest.mark.shows("ALM-092", "HZ-07")
@pytest.mark.parametrize("size", [WALL, STATION, PHONE], ids=["wall", "station", "phone"])
def test_a_limit_of_this_session_s_own_is_always_in_sight(open_page: Open, size: tuple[int, int]) -> None:
    clinic = scene.clinic()
    for bed in clinic["beds"]:
        bed["limits"] = [limit | {"set_by": None} for limit in bed["limits"]]
    clinic["beds"][0]["limits"][0] |= {"set_by": "sam", "limit": 88, "set_why": "known COPD"}
    for limit in clinic["beds"][1]["limits"][:3]:
        limit["set_by"] = "sam"
    with staged(clinic) as stage:
        page = open_page(stage, "/?wall" if size == WALL else "/", size)
        expect(page.locator("[data-bed='1'] .flag")).to_have_text("SpO2 limit < 88")
        expect(page.locator("[data-bed='1'] .flag")).to_be_visible()
        expect(page.locator("[data-bed='2'] .flag")).to_have_text("3 limits changed")
        expect(page.locator("[data-bed='4'] .flag")).to_have_count(0)
        if size != WALL:
            page = open_page(stage, "/bed/1", size)
            expect(page.locator("#bar .flag")).to_have_text("SpO2 limit < 88")
            expect(page.locator(".panel.spo2 .own")).to_be_visible()


# Pauses.


def test_alarms_of_the_pulse_are_paused_as_the_one_heart_rate(open_page: Open) -> None:
    clinic = scene.clinic()
    bed = clinic["beds"][3]
    bed["vitals"] |= {"hr": scene.gone("hr", 91, 60_000), "pr_spo2": scene.vital("pr_spo2", 91)}
    with staged(clinic) as stage:
        stage.answers["POST", "/beds/4/pauses"] = (201, {"recorded": True, "pause_id": 7})
        stage.answers["DELETE", "/beds/4/pauses/7"] = DONE
        page = limits_of(open_page(stage, "/bed/4", STATION), "PR")
        page.get_by_role("button", name="Pause HR alarms 3 min").click()
        expect(page.locator(".limits")).to_contain_text("HIGH still pages")
        page.locator(".limits .form").get_by_role("button", name="Pause HR alarms 3 min").click()
        expect(page.locator("#error-why")).to_contain_text("Enter the reason")
        page.get_by_label("Reason").fill("probe is moved")
        page.locator(".limits .form").get_by_role("button", name="Pause HR alarms 3 min").click()
        expect(page.locator(".limits .told")).to_contain_text("Done.")
        asked = [a.body for a in stage.asked if a.path == "/beds/4/pauses"]
        assert asked == [{"kind": "alarm paused", "vital": "hr", "seconds": 180, "why": "probe is moved"}]
        page.get_by_role("button", name="Undo").click()
        assert stage.waits_for("DELETE", "/beds/4/pauses/7")


@pytest.mark.shows("ALM-050", "ALM-053", "HZ-08")
def test_audio_off_is_offered_to_the_charge_nurse_alone_with_a_reason(open_page: Open) -> None:
    clinic = scene.clinic()
    with staged(clinic) as stage:
        page = limits_of(open_page(stage, "/bed/4", STATION), "HR")
        expect(page.locator(".limits").get_by_role("button", name="audio off")).to_have_count(0)
    sam = {"name": "sam", "display": "Sam", "role": "charge nurse"}
    with staged(clinic | {"me": sam}) as stage:
        stage.answers["GET", "/me"] = (200, sam)
        stage.answers["POST", "/beds/4/pauses"] = (201, {"recorded": True, "pause_id": 8})
        page = limits_of(open_page(stage, "/bed/4", STATION), "HR")
        page.locator(".limits").get_by_role("button", name="HR audio off").click()
        expect(page.locator(".limits")).to_contain_text("A reminder sounds every 5 min")
        page.get_by_label("Reason").fill("asleep")
        page.locator(".limits .form").get_by_role("button", name="HR audio off").click()
        expect(page.locator(".limits .told")).to_contain_text("Done.")
        asked = [a.body for a in stage.asked if a.path == "/beds/4/pauses"]
        assert asked == [{"kind": "audio off", "vital": "hr", "why": "asleep"}]


@pytest.mark.shows("ALM-050", "HZ-08")
def test_what_is_off_stands_on_tile_and_bed_with_who_until_somebody_ends_it(open_page: Open) -> None:
    clinic = scene.clinic()
    off = {"pause_id": 3, "bed": "4", "kind": "alarm off", "vital": "spo2", "since_ms": scene.NOW}
    clinic["beds"][3]["pauses"] = [off | {"until_ms": None, "by": "lee", "why": "probe is put on"}]
    with staged(clinic) as stage:
        stage.answers["DELETE", "/beds/4/pauses/3"] = DONE
        page = open_page(stage, "/", STATION)
        expect(page.locator(".tile[data-bed='4'] .mute")).to_contain_text("Lee")
        expect(page.locator(".tile[data-bed='4']")).to_contain_text("alarms off")
        page = limits_of(open_page(stage, "/bed/4", STATION), "SpO2")
        expect(page.locator(".limits")).to_contain_text("alarms off, Lee: probe is put on")
        page.get_by_role("button", name="End alarm pause").click()
        assert stage.waits_for("DELETE", "/beds/4/pauses/3")


def test_paused_alarms_are_ended_where_their_limits_are(open_page: Open) -> None:
    clinic = scene.clinic()
    pause = {"pause_id": 3, "bed": "4", "kind": "alarm paused", "vital": "spo2", "since_ms": scene.NOW}
    pause |= {"until_ms": scene.NOW + 90_000, "by": "lee", "why": "probe is moved"}
    clinic["beds"][3]["pauses"] = [pause]
    with staged(clinic) as stage:
        stage.answers["DELETE", "/beds/4/pauses/3"] = DONE
        page = limits_of(open_page(stage, "/bed/4", STATION), "SpO2")
        expect(page.locator("#bar .flag")).to_contain_text("SpO2 alarms off")
        expect(page.locator(".limits .paused")).to_contain_text("Lee: probe is moved")
        page.get_by_role("button", name="End alarm pause").click()
        assert stage.waits_for("DELETE", "/beds/4/pauses/3")


def test_a_pause_of_the_sound_is_taken_back_for_ten_seconds(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/beds/4/pauses"] = (201, {"recorded": True, "pause_id": 9})
    stage.answers["DELETE", "/beds/4/pauses/9"] = DONE
    page = open_page(stage, "/bed/4", STATION, still=True)
    page.get_by_role("button", name="Pause audio 2 min").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(8_000)
    stage.beat(scene.NOW + 8_000)
    page.get_by_role("button", name="Undo").click()
    assert stage.waits_for("DELETE", "/beds/4/pauses/9")
    expect(page.locator("#alarm .told")).to_contain_text("Undone.")
    page.clock.run_for(11_000)
    expect(page.locator("#alarm .told")).to_be_empty()


def test_an_acknowledgement_cannot_be_undone(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/alarms/41/acknowledge"] = DONE
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="Acknowledge at bed").click()
    expect(page.locator("#alarm .told")).to_contain_text("Done.")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_alarms_of_one_cause_are_acknowledged_together_and_that_is_no_refusal(
    stage: Stage, open_page: Open
) -> None:
    stage.answers["POST", "/alarms/31/acknowledge"] = DONE
    stage.answers["POST", "/alarms/32/acknowledge"] = (404, {"detail": "This alarm is over."})
    page = open_page(stage, "/bed/3", STATION)
    page.get_by_role("button", name="Acknowledge at bed").click()
    expect(page.locator("#alarm .told")).to_contain_text("Done.")
    stage.answers["POST", "/alarms/31/acknowledge"] = (409, {"detail": "Lee acknowledged this 3 s ago."})
    page.get_by_role("button", name="Acknowledge at bed").click()
    expect(page.locator("#alarm .told")).to_contain_text("Lee acknowledged this 3 s ago.")


def test_a_pressure_just_saved_is_corrected_by_another_one(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/beds/4/vitals"] = DONE
    page = open_page(stage, "/bed/4", STATION)
    page.get_by_role("button", name="BP by hand").click()
    page.keyboard.type("172/89")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Correct").click()
    page.keyboard.type("172/98")
    page.keyboard.press("Enter")
    expect(page.locator("#alarm .told")).to_contain_text("Saved 172/98.")
    assert [a.body["diastolic_mmhg"] for a in stage.asked if a.path == "/beds/4/vitals"] == [89, 98]


def test_a_second_press_is_sent_once_the_first_has_been_answered(open_page: Open) -> None:
    with staged(working.told("questions")) as stage:
        session = stage.scene()["beds"][0]["session"]["session"]
        path, let_go = f"/sessions/{session}/moves", threading.Event()
        stage.answers["POST", path], stage.held["POST", path] = DONE, let_go

        def sent() -> list[str]:
            return [a.body["question"] for a in stage.asked if a.path == path]

        page = open_page(stage, "/bed/1/start", STATION)
        rows = page.locator(".questions li")
        rows.filter(has_text="Chronic lung disease?").get_by_role("button", name="Yes").click()
        rows.filter(has_text="Sleep apnoea?").get_by_role("button", name="No").click()
        stage.waits_for("POST", path)
        page.evaluate("fetch('/api/v1/later')")  # whatever was sent before this has come before it
        stage.waits_for("GET", "/later")
        assert sent() == ["lung_disease"]
        let_go.set()
        stage.waits_until(lambda: sent() == ["lung_disease", "sleep_apnoea"])


def test_who_paused_the_sound_is_called_by_the_name_the_clinic_uses(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(page.locator("[data-bed='6'] .note")).to_have_text("Audio paused by Dana.")


# A phone's own first screen.


def test_a_phone_shows_my_pages_my_beds_and_whether_i_am_on_duty(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/me", PHONE)
    pages = page.locator("[aria-labelledby='my-pages'] li")
    expect(pages).to_have_count(1)
    expect(pages).to_contain_text("Bed 3")
    expect(pages).to_contain_text("Nobody has accepted.")
    beds = page.locator("[aria-labelledby='my-beds'] li")
    expect(beds).to_have_count(3)
    expect(beds.nth(0)).to_contain_text("Bed 1")
    expect(beds.nth(1).locator("[data-hot='high']")).to_have_text("84")
    expect(page.locator("#plain")).to_contain_text("You are on duty.")
    pages.get_by_role("link").click()
    expect(page.get_by_role("button", name="I go")).to_be_visible()


def test_who_has_beds_is_asked_before_going_off_duty(stage: Stage, open_page: Open) -> None:
    stage.answers["PUT", "/duty"] = DONE
    page = open_page(stage, "/me", PHONE)
    page.get_by_role("button", name="Go off duty").click()
    expect(page.locator("#plain")).to_contain_text("Bed 1, Bed 3, Bed 6: nobody has them then.")
    assert not any(a.path == "/duty" for a in stage.asked)
    page.get_by_role("button", name="Go off duty and leave 3 beds").click()
    body = stage.waits_for("PUT", "/duty").body
    assert body["on"] == ["lee", "sam"]
    assert {row["staff"] for row in body["beds"]} == {"lee", "sam"}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".told")).to_contain_text("Undone.")
    assert stage.asked[-1].body["on"] == ["dana", "lee", "sam"]


@pytest.mark.parametrize(
    ("size", "home", "lands"), [(PHONE, "/me", "/me"), (PHONE, "/", "/"), (STATION, "/me", "/")]
)
def test_a_phone_opens_where_its_person_is_at_home_and_a_wider_screen_on_the_floor(
    stage: Stage, open_page: Open, size: tuple[int, int], home: str, lands: str
) -> None:
    stage.answers["POST", "/signin"] = (200, {"name": "dana", "home": home})
    page = open_page(stage, "/signin", size)
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill("a long one")
    page.get_by_role("button", name="Sign in").last.click()
    page.wait_for_url(stage.url + lands)


def test_who_is_going_calls_more_help_and_still_goes(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/pages/301/help"] = DONE
    page = open_page(stage, "/pages/301", PHONE)
    expect(page.get_by_role("button", name="Call more help")).to_have_count(0)
    answered = {"answer": "accepted", "answered_by": "dana", "answered_at_ms": scene.NOW - 9_000}
    stage.play({"kind": "page", "page": scene.clinic()["pages"][0] | answered})
    page.get_by_role("button", name="Call more help").click()
    assert stage.waits_for("POST", "/pages/301/help").body is None
    expect(page.locator(".told")).to_contain_text("More help is being paged.")
    expect(page.get_by_role("button", name="I am at the bed")).to_be_enabled()
    assert violations(page) == []


def test_a_page_says_how_far_it_came_to_each(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/pages/301", PHONE)
    lee = page.locator(".who li", has_text="Lee")
    expect(lee).to_contain_text("Lee, delivered")
    failed = scene.clinic()["pages"][1] | {
        "outcomes": [{"way": "push", "outcome": "failed", "why": "no such phone", "at_ms": scene.NOW}]
    }
    stage.play({"kind": "page", "page": failed})
    expect(lee).to_contain_text("Lee, not reached")


# What a screen says of its own sound.


def said_of_sound(stage: Stage) -> list[Any]:
    return [a.body for a in stage.asked if a.path == "/screens/sound"]


def test_a_screen_says_at_its_start_that_its_sound_is_on(stage: Stage, open_page: Open) -> None:
    open_page(stage, "/", STATION)
    assert stage.waits_for("POST", "/screens/sound").body == {"state": "on"}


def test_a_screen_says_that_its_sound_has_gone_off(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/", STATION)
    stage.waits_for("POST", "/screens/sound")
    page.evaluate("""async () => {
      const { SoundReport } = await import('/js/soundreport.js'), { api } = await import('/js/api.js');
      const report = new SoundReport(api.saySound, () => {});
      report.say('on'); report.say('off');
    }""")
    stage.waits_until(lambda: {"state": "off"} in said_of_sound(stage))


@pytest.mark.shows("ALM-032")
def test_three_sounds_that_were_heard_are_a_check_and_one_that_was_not_is_no_sound(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = []
    with staged(clinic) as stage:
        page = open_page(stage, "/sound", STATION)
        for kind in ("HIGH", "MEDIUM", "LOW"):
            page.get_by_role("button", name=f"Play {kind}").click()
        page.get_by_role("button", name="I did not: LOW").click()
        stage.waits_until(lambda: {"state": "off"} in said_of_sound(stage))
        for kind in ("HIGH", "MEDIUM", "LOW"):
            page.get_by_role("button", name=f"I heard it: {kind}").click()
        stage.waits_until(lambda: {"state": "checked"} in said_of_sound(stage))


def test_a_report_that_fails_is_said_in_grey_and_tried_again(stage: Stage, open_page: Open) -> None:
    stage.answers["POST", "/screens/sound"] = (429, {"detail": "Not now."})
    page = open_page(stage, "/", STATION, still=True)
    page.clock.run_for(2_000)
    expect(page.locator(".health")).to_contain_text("Sound state not reported")
    stage.answers["POST", "/screens/sound"] = DONE
    page.clock.run_for(31_000)
    stage.beat(scene.NOW + 33_000)
    page.clock.run_for(1_000)
    expect(page.locator(".health, .strip-in-bar")).not_to_contain_text("Sound state not reported")
    assert said_of_sound(stage)[-1] == {"state": "on"}


# A quiet screen inside a treatment room.


def test_a_treatment_room_has_its_clock_and_neither_sound_nor_alarm(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?room=3", STATION)
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    expect(page.locator(".ring text").first).to_have_text("31")
    expect(page.locator("[data-priority]")).to_have_count(0)
    expect(page.locator("button, a, select")).to_have_count(0)
    expect(page.locator(".disclaimer")).to_contain_text("Not a medical device.")
    assert page.title() == "Bed 3, Chairside"
    assert said_of_sound(stage) == []


# Lists.


def test_the_history_is_filtered_by_who_answered(stage: Stage, open_page: Open) -> None:
    ended = [
        scene.alarm(n, str(n), "hr-high", "MEDIUM", "HR 125 > 120", 600, state="clear", acked_by=who)
        for n, who in ((1, "dana"), (2, "lee"), (3, None))
    ]
    stage.answers["GET", "/alarms"] = (200, {"at_ms": scene.NOW, "alarms": ended})
    page = open_page(stage, "/alarms", STATION)
    expect(page.locator(".past li")).to_have_count(3)
    for who, bed in (("Lee", "Bed 2"), ("Nobody", "Bed 3")):
        page.get_by_label("Answered by").select_option(who)
        expect(page.locator(".past li")).to_have_count(1)
        expect(page.locator(".past li")).to_contain_text(bed)


def test_an_alarm_that_has_ended_unseen_says_so_in_every_list(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["alarms"][0]["state"] = "latched"
    with staged(clinic) as stage:
        page = open_page(stage, "/alarms", STATION)
        said = "It has ended, nobody has acknowledged it."
        expect(page.locator(".alarm-list li").first).to_contain_text(said)
        page = open_page(stage, "/me", PHONE)
        expect(page.locator("[aria-labelledby='my-pages'] li")).to_contain_text(said)


def test_two_devices_of_one_bed_are_told_apart_in_the_list(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/alarms", STATION)
    lost = page.locator(".alarm-list li", has_text="No data from monitor")
    expect(lost).to_contain_text("monitor-5.")


def test_a_value_in_doubt_is_dotted_in_its_trace(open_page: Open) -> None:
    clinic = scene.clinic()
    with staged(clinic) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        row = page.locator("[data-bed='1'] [data-row='hr']")
        expect(row.locator(".line.doubtful")).to_have_count(0)
        for s in (20, 32):
            at = {"at_ms": scene.NOW + s * 1000, "quality": "questionable"}
            stage.play({"kind": "vital", "bed": "1", **scene.vital("hr", 75, **at)})
        stage.beat(scene.NOW + 40_000)
        page.clock.run_for(6_000)  # a trace is drawn anew every five seconds
        expect(row.locator(".line.doubtful")).to_have_count(1)


@pytest.mark.parametrize("told", [True, False], ids=["history told", "nothing told"])
def test_a_loss_older_than_the_picture_still_looks_like_loss(open_page: Open, *, told: bool) -> None:
    clinic = scene.clinic()
    bed = clinic["beds"][4]
    bed["session"]["opened_at_ms"] -= 60 * scene.MINUTE
    bed["vitals"] = {v: scene.gone(v, 97, 40 * scene.MINUTE) for v in ("spo2", "hr", "rr")}
    with staged(clinic) as stage:
        if not told:  # the history that is asked for begins half an hour ago, and has nothing of this vital
            stage.answers["GET", "/beds/5/trend"] = (200, {"vitals": {}, "cuffs": []})
        page = open_page(stage, "/?wall", WALL)
        gap = page.locator("[data-bed='5'] [data-row='spo2'] .gap")
        expect(gap).to_have_count(1)
        expect(gap).to_have_attribute("x", "0.0")
        expect(gap).to_have_attribute("width", "200.0")


@pytest.mark.shows("ALM-024")
@pytest.mark.parametrize("path", ["/", "/bed/1"])
@pytest.mark.parametrize("size", [STATION, (1440, 900), WALL], ids=["1280", "1440", "1920"])
def test_no_chip_s_stars_or_bed_are_cut_however_many_alarms_there_are(
    open_page: Open, path: str, size: tuple[int, int]
) -> None:
    clinic = scene.clinic()
    service = {"technical": True, "state": "latched"}
    clinic["alarms"] += [
        scene.alarm(72, "", "not-recording", "HIGH", "Not being recorded", 60, **service),
        scene.alarm(73, "7", "hr-high", "HIGH", "HR 150 > 140", 60),
        scene.alarm(74, "2", "link-lost", "HIGH", "No data from monitor", 900, technical=True),
    ]
    with staged(clinic) as stage:
        page = open_page(stage, path, size)
        expect(page.locator("#bar .now li")).to_have_count(7)
        cut = page.evaluate("""() => {
          const list = document.querySelector('#bar .now').getBoundingClientRect();
          return [...document.querySelectorAll('#bar .now :is(b, .stars, .icon)')]
            .filter((e) => {
              const chip = e.closest('.chip').getBoundingClientRect(), r = e.getBoundingClientRect();
              return r.left < Math.max(list.left, chip.left) || r.right > Math.min(list.right, chip.right);
            }).map((e) => e.closest('li').textContent);
        }""")
        assert cut == []

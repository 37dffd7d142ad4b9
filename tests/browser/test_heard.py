"""Whether an alarm is heard at every screen: said in the bar, where duty is set, where sound is checked."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import scene
from tests.browser.conftest import Open, go, staged
from tests.browser.stage import Stage
from tests.browser.test_floor import STATION, WALL
from tests.browser.test_screens import violations

HOUR = 60 * scene.MINUTE


def clinic(*sounds: scene.Wire, **me: Any) -> scene.Wire:
    """The eight beds, and what their screens say of their sound."""
    found = scene.clinic()
    return found | {"sounds": list(sounds), "me": found["me"] | me}


def says(page: Page) -> list[str]:
    """The list of the sound page, in its order."""
    return [
        " ".join(text.split()) for text in page.locator("[aria-labelledby='sounds'] li").all_inner_texts()
    ]


@pytest.mark.shows("ALM-031")
def test_a_station_whose_sound_is_off_is_named_in_the_bar_and_no_longer_once_it_is_on(
    stage: Stage, open_page: Open
) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(page.locator(".tile")).to_have_count(8)
    expect(page.locator(".silent")).to_have_count(0)
    stage.play({"kind": "sound", "sound": scene.sound("Station 2", "off")})
    expect(page.locator("#bar .silent")).to_contain_text("Station 2: sound is off")
    stage.play({"kind": "sound", "sound": scene.sound("Station 1", "off")})
    expect(page.locator("#bar .silent")).to_contain_text("Station 1: sound is off +1")
    stage.play({"kind": "sound", "sound": scene.sound("Station 1", "on")})
    expect(page.locator("#bar .silent")).to_contain_text("Station 2: sound is off")
    stage.play({"kind": "sound", "sound": {"screen": "Station 2", "state": None}})
    expect(page.locator(".silent")).to_have_count(0)


def test_a_narrow_station_keeps_the_name_in_its_bar_and_leads_to_the_sounds(open_page: Open) -> None:
    with staged(clinic(scene.sound("Station 2", "off"))) as stage:
        page = open_page(stage, "/", STATION)
        expect(page.locator("#bar .silent")).to_be_visible()
        assert page.locator("#bar .silent span[aria-hidden]").inner_text() == "Station 2"
        assert page.evaluate("document.documentElement.scrollWidth") <= STATION[0]
        assert violations(page) == []
        page.get_by_role("link", name="Station 2: sound is off").click()
        expect(page.locator("#screen")).to_have_attribute("data-screen", "/sound")


def test_the_sound_page_tells_of_every_screen_and_the_worst_first(open_page: Open) -> None:
    screens = [
        scene.sound("wall", "on"),
        scene.sound("floor", "on", checked_at_ms=scene.NOW - 13 * HOUR),
        scene.sound("annex", "on", checked_at_ms=None, checked_by=None),
        scene.sound("Station 2", "off", by="dana"),
        scene.sound("lee.1f", "off", paired=False, by="lee", checked_at_ms=None, checked_by=None),
    ]
    with staged(clinic(*screens)) as stage:
        page = open_page(stage, "/sound", STATION)
        expect(page.locator("[aria-labelledby='sounds'] li")).to_have_count(5)
        assert says(page) == [
            "Lee, own browser: sound is off since 14:12, Lee",
            "Station 2: sound is off since 14:12, Dana",
            "annex: sound never checked",
            "floor: sound last checked 13 h ago",
            "wall: sound is on checked 08:32, Sam",
        ]
        assert violations(page) == []


def test_where_duty_is_set_stand_the_stations_that_may_not_be_heard(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/duty", STATION)
    expect(page.get_by_role("button", name="Save duty")).to_be_visible()
    expect(page.locator(".unheard")).to_have_count(0)
    stage.play({"kind": "sound", "sound": scene.sound("Station 2", "off")})
    unchecked = scene.sound("annex", "on", checked_at_ms=None, checked_by=None)
    stage.play({"kind": "sound", "sound": unchecked})
    phone = scene.sound("lee.1f", "off", paired=False, by="lee")
    stage.play({"kind": "sound", "sound": phone})
    expect(page.locator(".unheard li")).to_have_count(2)
    expect(page.locator(".unheard li").nth(0)).to_contain_text("Station 2: sound is off")
    expect(page.locator(".unheard li").nth(1)).to_contain_text("annex: sound never checked")
    assert violations(page) == []
    page.get_by_role("link", name="Sound check").click()
    expect(page.locator("#screen")).to_have_attribute("data-screen", "/sound")


def test_a_check_that_failed_here_is_said_here_too(open_page: Open) -> None:
    with staged(clinic(scene.sound("floor", "off"), name="floor", display="floor", role="display")) as stage:
        page = open_page(stage, "/", STATION)
        # The browser lets sound out, so no strip says anything: that somebody did not hear it is what counts.
        expect(page.locator("#bar .silent")).to_contain_text("floor: sound is off")
        go(page, "/alarms")
        expect(page.locator("#bar .silent")).to_contain_text("floor: sound is off")


def test_a_second_tab_knows_what_the_first_has_heard(stage: Stage, open_page: Open) -> None:
    first = open_page(stage, "/", STATION)
    stage.play({"kind": "sound", "sound": scene.sound("Station 2", "off")})
    expect(first.locator("#bar .silent")).to_contain_text("Station 2: sound is off")
    stage.beat(scene.NOW)
    second = open_page(stage, "/alarms", STATION, within=first.context)
    expect(second.locator("#bar .silent")).to_contain_text("Station 2: sound is off")
    assert stage.streams == 1


def test_until_a_screen_has_spoken_nothing_is_said_of_its_sound(open_page: Open) -> None:
    with staged(clinic()) as stage:
        page = open_page(stage, "/sound", STATION)
        expect(page.locator("[aria-labelledby='sounds']")).to_contain_text(
            "No screen has said how its sound does."
        )
        expect(page.locator(".silent")).to_have_count(0)

"""What a bed cannot give as it should: a cuff only its monitor starts, a stand-in, a device that errs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import scene
from tests.browser.conftest import Open, go, staged
from tests.browser.test_floor import CUT, OVERLAP, PHONE, STATION, WALL, digits, tile
from tests.browser.test_screens import violations

REFUSED = "This monitor cannot be started from here: please press its button."
LATE = scene.cuff(127, 79, 7, -2)


def clinic(bed: str = "2", **more: Any) -> scene.Wire:
    """The eight beds, and something else of one of them that has no alarm."""
    found = scene.clinic()
    found["beds"][int(bed) - 1] |= more
    return found


def by_hand(bed: str = "2", **more: Any) -> scene.Wire:
    """The same, where the monitor of that bed takes no orders."""
    found = clinic(bed, cuff_refusal=REFUSED, **more)
    found["links"][int(bed) - 1]["can_start_cuff"] = False
    return found


# A cuff that cannot be started from here.


def test_a_cuff_that_nobody_wants_now_says_nothing_of_its_button(open_page: Open) -> None:
    with staged(by_hand()) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "2").locator(".age")).to_have_text("18 min agonext in 7 min")


@pytest.mark.parametrize(
    ("cuff", "says"),
    [
        (scene.cuff(127, 79, 5, 0), "5 min ago press its button"),
        (LATE, "7 min ago 2 min late, press its button"),
        (
            LATE | {"failed_at_ms": scene.NOW - 40_000, "failed_why": "too weak"},
            re.compile(r"^cuff failed 0:4\d ago\s+press its button$"),
        ),
    ],
    ids=["due", "late", "failed"],
)
def test_a_cuff_that_is_wanted_and_starts_at_its_monitor_only_says_so_in_its_row(
    open_page: Open, cuff: scene.Wire, says: str | re.Pattern[str]
) -> None:
    with staged(by_hand(cuff=cuff)) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "2").locator(".age")).to_have_text(says, use_inner_text=True)
        expect(tile(page, "2").locator("header")).not_to_contain_text("press")


def test_a_pressure_that_waits_for_its_second_reading_wants_one(open_page: Open) -> None:
    with staged(by_hand()) as stage:
        page = open_page(stage, "/?wall", WALL)
        expect(tile(page, "2").locator(".age")).to_contain_text("next in 7 min")
        waits = scene.alarm(
            21,
            "2",
            "sbp-high",
            "HIGH",
            "BP 186/99 ≥ 180",
            3,
            vital="nibp_sys",
            state="pending",
            raised_at_ms=None,
        )
        stage.play({"kind": "alarm", "alarm": waits})
        expect(tile(page, "2").locator(".age")).to_have_text("18 min agopress its button")
        expect(tile(page, "2").locator("[data-row='bp'] .dot")).to_be_visible()
        stage.play({"kind": "alarm", "alarm": {"alarm_id": 21, "bed": "2", "state": "clear"}})
        expect(tile(page, "2").locator(".age")).to_contain_text("next in 7 min")


def test_a_cuff_whose_monitor_is_away_asks_nobody_to_press_a_button(open_page: Open) -> None:
    away = clinic(cuff=LATE, cuff_refusal="The cuff's monitor is not connected.")
    away["links"][1]["state"] = "silent"
    with staged(away) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "2").locator(".age")).to_have_text("7 min ago2 min late, cuff not connected")


def test_a_monitor_that_measures_by_itself_asks_nobody_for_anything(open_page: Open) -> None:
    with staged(clinic(cuff=LATE, cuff_refusal="A reading is running already.")) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "2").locator(".age")).to_have_text("7 min ago2 min late")


def test_the_bed_says_in_full_why_the_reading_that_is_wanted_cannot_be_started(open_page: Open) -> None:
    with staged(by_hand(cuff=LATE)) as stage:
        page = open_page(stage, "/bed/2", STATION)
        expect(page.locator(".panel.bp .hand")).to_have_text(REFUSED)
        expect(page.locator("#cuff-refusal")).to_have_text(REFUSED)
        assert violations(page) == []


def test_a_cuff_that_is_measuring_says_so_on_the_tile_whatever_else_there_is_to_say(open_page: Open) -> None:
    running = LATE | {"running_since_ms": scene.NOW - 12_000}
    with staged(by_hand(cuff=running)) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "2").locator(".what .text")).to_contain_text("Cuff running 0:1")
        expect(tile(page, "2").locator(".age")).to_contain_text("Cuff running 0:1")
        expect(tile(page, "2").locator(".age")).not_to_contain_text("press")
        stage.play({"kind": "bed", "bed": scene.clinic()["beds"][2] | {"cuff": running}})
        expect(tile(page, "3").locator(".what .text")).to_have_text("SpO2 84 < 90")
        expect(tile(page, "3").locator(".age")).to_contain_text("Cuff running 0:1")


# A device that stands in for another.


def stands_in(value: float = 95, **more: Any) -> scene.Wire:
    return scene.vital("spo2", value, device="rad8-2", instead_of="monitor-2", **more)


def test_a_vital_from_another_device_names_it_until_its_own_is_back(open_page: Open) -> None:
    second = scene.link("2") | {"device": "rad8-2", "notices": ["SpO2 now from rad8-2: monitor-2 is silent"]}
    with staged(clinic(devices=["monitor-2", "rad8-2"])) as stage:
        page = open_page(stage, "/?wall", WALL)
        expect(digits(page, "2", "spo2")).to_have_text("97")
        expect(tile(page, "2").locator(".source")).to_have_count(0)
        stage.play({"kind": "link", "link": second}, {"kind": "vital", "bed": "2", **stands_in()})
        expect(digits(page, "2", "spo2")).to_have_text("95")
        expect(tile(page, "2").locator("[data-row='spo2'] .source")).to_have_text("from rad8-2")
        expect(tile(page, "2").locator(".source")).to_have_count(1)
        go(page, "/bed/2")
        expect(page.locator(".panel.spo2 .remark")).to_have_text("From rad8-2.")
        expect(page.locator("#session")).to_contain_text("SpO2 now from rad8-2: monitor-2 is silent")
        assert violations(page) == []
        go(page, "/")
        stage.play({"kind": "vital", "bed": "2", **scene.vital("spo2", 96, device="monitor-2")})
        expect(digits(page, "2", "spo2")).to_have_text("96")
        expect(tile(page, "2").locator(".source")).to_have_count(0)


# What a device gets wrong.

ERRS = [
    ("impossible", "MEDIUM", "Monitor sends impossible values", None),
    ("wrong-unit", "MEDIUM", "Monitor is set to a wrong unit", None),
    ("frozen", "MEDIUM", "Monitor repeats one old reading", None),
    ("old-data", "MEDIUM", "Monitor sends stored readings only", None),
    ("earlier-patient", "MEDIUM", "Monitor shows an earlier patient", None),
    ("device-clock", "LOW", "Monitor's clock is wrong", None),
    ("spo2-weak", "LOW", "SpO2 signal weak", "spo2"),
    ("rates-differ", "LOW", "ECG and oximeter count differently", "hr"),
    ("no-nurse", "MEDIUM", "No nurse on duty for this bed", None),
]


def erring(beds: int = 8) -> scene.Wire:
    """One kind of error a bed, for more than an hour, and bed 1 of the first with no number."""
    found = scene.many(beds)
    found["alarms"] = []
    for number, bed in enumerate(found["beds"], start=1):
        rule, priority, text, vital = ERRS[(number - 1) % len(ERRS)]
        bed["session"] = scene.session(number, 90, (122, 76, 68, 98, 14))
        bed["vitals"] = {v["vital"]: v for v in scene.three(98, 74, 13)}
        bed["cuff"] = scene.cuff(137, 85, 4, 1)
        # Somebody is on the way: the remark stands under the text, however long that is.
        own = scene.alarm(number, bed["bed"], rule, priority, text, 3_725, technical=True, vital=vital)
        found["alarms"].append(own | {"device": f"monitor-{bed['bed']}", "accepted_by": "lee"})
    found["beds"][0]["vitals"]["spo2"] = scene.gone("spo2", 97, 48_000)
    found["beds"][0]["vitals"]["spo2"] |= {"quality": "invalid", "why": "outside of what can be"}
    return found


def test_every_error_of_a_device_is_said_in_its_words_on_the_tile_and_in_the_list(open_page: Open) -> None:
    with staged(erring(9)) as stage:
        page = open_page(stage, "/", WALL)
        for number, (_, priority, text, vital) in enumerate(ERRS, start=1):
            its = tile(page, str(number))
            expect(its).to_have_attribute("data-technical", "")
            expect(its).to_have_attribute("data-priority", priority.lower())
            expect(its.locator(".what .text")).to_have_text(text)
            if vital:
                expect(its.locator(f"[data-row='{vital}']")).to_have_attribute("data-hot", priority.lower())
        go(page, "/alarms")
        listed = page.locator(".alarm-list li")
        for _, _, text, _ in ERRS:
            expect(listed.filter(has_text=text)).to_have_count(1)
        assert violations(page) == []


@pytest.mark.parametrize("number", range(1, len(ERRS) + 1), ids=[rule for rule, *_ in ERRS])
def test_a_bed_whose_device_errs_says_so_and_which_device(open_page: Open, number: int) -> None:
    with staged(erring(9)) as stage:
        page = open_page(stage, f"/bed/{number}", STATION)
        expect(page.locator("#alarm")).to_contain_text(ERRS[number - 1][2])
        expect(page.locator("#session .log")).to_contain_text(ERRS[number - 1][2])
        assert cut_in_band(page) == []


@pytest.mark.shows("ALM-020", "ALM-024")
@pytest.mark.parametrize("path", ["/?wall", "/", "/alarms"])
@pytest.mark.parametrize("size", [WALL, STATION], ids=["wall", "station"])
def test_the_worst_alarm_keeps_its_stars_and_its_bed_in_the_bar_however_many_there_are(
    open_page: Open, path: str, size: tuple[int, int]
) -> None:
    with staged(erring(20) | {"sounds": [scene.sound("Station 2", "off")]}) as stage:
        page = open_page(stage, path, size)
        first = page.locator("#bar .now li").first
        expect(first).to_contain_text("Monitor sends impossible values")
        inside = first.locator(".chip").evaluate("""(chip) => {
          const edge = chip.getBoundingClientRect().right;
          const all = [...chip.querySelectorAll('.stars, b')].map((e) => e.getBoundingClientRect());
          return all.length === 2 && all.every((box) => box.width > 0 && box.right <= edge);
        }""")
        assert inside


def cut_in_band(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('#alarm .text')]
          .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"""
    )
    return found


def test_where_the_ward_gives_no_number_none_is_shown_and_the_reason_stands_on_the_bed(
    open_page: Open,
) -> None:
    with staged(erring()) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(digits(page, "1", "spo2")).to_have_text(re.compile(r"^––no value, last 970:4\d ago$"))
        page = open_page(stage, "/bed/1", STATION)
        expect(page.locator(".panel.spo2 .digits")).to_contain_text("––")
        expect(page.locator(".panel.spo2 .remark")).to_have_text("Outside of what can be.")


@pytest.mark.parametrize("beds", [8, 20])
@pytest.mark.parametrize("size", [WALL, STATION, PHONE], ids=["wall", "station", "phone"])
def test_no_word_of_all_this_is_cut(open_page: Open, beds: int, size: tuple[int, int]) -> None:
    found = erring(beds)
    for number, bed in enumerate(found["beds"], start=1):
        bed |= {"cuff": scene.cuff(228, 128, 59, -4), "cuff_refusal": REFUSED}
        if number % 2:
            bed["cuff"]["failed_at_ms"] = scene.NOW - 700_000
        bed["vitals"]["hr"] = scene.vital("hr", 188, device="intellivue-mx450-12", instead_of="monitor-2")
        bed["vitals"]["spo2"] = stands_in(100)
    found["links"] = [link | {"can_start_cuff": False} for link in found["links"]]
    with staged(found) as stage:
        page = open_page(stage, "/?wall" if size == WALL else "/", size, still=True)
        expect(page.locator(".tile")).to_have_count(beds)
        expect(tile(page, "2").locator(".age")).to_contain_text("press its button")
        page.evaluate("document.documentElement.style.setProperty('--face', '\"DejaVu Sans Condensed\"')")
        assert page.evaluate(CUT) == []
        assert page.evaluate(OVERLAP) == []
        assert page.evaluate(TALL) == []


TALL = """() => [...document.querySelectorAll('.tile :is(.line, dt)')].filter((e) => {
  const room = (e.tagName === 'DT' ? e.parentElement : e).getBoundingClientRect();
  const words = [...e.children].filter((c) => c.checkVisibility()).map((c) => c.getBoundingClientRect());
  return words.some((box) => box.height && (box.top < room.top - 1 || box.bottom > room.bottom + 1));
}).map((e) => `${e.closest('.tile').dataset.bed}: ${e.textContent}`)"""


@pytest.mark.parametrize("size", [STATION, WALL], ids=["station", "wall"])
def test_what_somebody_has_counted_says_so_and_how_long_ago(open_page: Open, size: tuple[int, int]) -> None:
    its = {"at_ms": scene.NOW - 240_000, "last_at_ms": scene.NOW - 240_000, "device": None, "by": "dana"}
    found = clinic()
    found["beds"][1]["vitals"]["rr"] = scene.vital("rr", 14, **its)
    with staged(found) as stage:
        page = open_page(stage, "/?wall", size, still=True)
        expect(digits(page, "2", "rr")).to_have_text("14")
        expect(tile(page, "2").locator("[data-row='rr'] .source")).to_have_text("by hand, 4 min ago")
        page = open_page(stage, "/bed/2", STATION)
        expect(page.locator(".panel.rr .remark")).to_have_text("By hand, 4 min ago.")

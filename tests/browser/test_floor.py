"""The Floor in a real browser: in every state, size and theme, and when the server is gone."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import scene
from tests.browser.conftest import Open, go, staged
from tests.browser.stage import Stage

WALL, STATION, PHONE = (1920, 1080), (1280, 800), (390, 844)


def tile(page: Page, bed: str) -> Any:
    return page.locator(f"[data-bed='{bed}']")


def digits(page: Page, bed: str, row: str) -> Any:
    return tile(page, bed).locator(f"[data-row='{row}'] .digits")


# What a tile says.


def test_each_bed_stands_in_room_order_with_its_numbers_and_their_ages(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL, still=True)
    expect(page.locator(".tile")).to_have_count(8)
    assert page.locator(".tile .number").all_inner_texts() == list("12345678")
    expect(digits(page, "1", "spo2")).to_have_text("98")
    expect(digits(page, "1", "bp")).to_have_text("137/85")
    expect(tile(page, "1").locator(".age")).to_have_text("4 min agonext in 1 min")
    expect(tile(page, "1").locator(".what .text")).to_have_text("BP in 1 min")
    expect(tile(page, "8")).to_contain_text("Empty")
    assert page.title() == "*** Bed 3: Floor, Chairside"


@pytest.mark.shows("ALM-021", "ALM-022", "ALM-024")
def test_the_worst_alarm_is_told_by_stars_word_value_limit_and_time(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL, still=True)
    worst = tile(page, "3")
    expect(worst).to_have_attribute("data-priority", "high")
    expect(worst.locator(".what")).to_contain_text("High priority: ***")
    expect(worst.locator(".what .text")).to_have_text("SpO2 84 < 90")
    expect(worst.locator(".what .time")).to_have_text(re.compile(r"0:4\d"))
    expect(worst.locator(".note")).to_have_text("+1 more. Dana, Lee paged. Nobody has accepted.")
    expect(worst.locator("[data-row='rr']")).to_have_attribute("data-hot", "medium")
    expect(tile(page, "5")).to_have_attribute("data-technical", "")
    expect(tile(page, "6").locator(".mute")).to_contain_text("Dana")


@pytest.mark.parametrize(
    ("change", "held", "text", "note"),
    [
        (
            {"state": "acked", "acked_by": "lee", "acked_at_ms": scene.NOW - 20_000},
            "acked",
            "SpO2 84 < 90",
            "Lee at bed 0:2",
        ),
        ({"state": "latched"}, "latched", "SpO2 was 84", "now 95, acknowledge"),
    ],
)
def test_an_alarm_that_somebody_has_seen_or_that_has_ended_is_lit_and_does_not_flash(
    open_page: Open, change: dict[str, Any], held: str, text: str, note: str
) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = [clinic["alarms"][0] | change]
    clinic["beds"][2]["vitals"]["spo2"] = scene.vital("spo2", 95)
    with staged(clinic) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "3")).to_have_attribute("data-held", held)
        expect(tile(page, "3").locator(".what .text")).to_have_text(text)
        expect(tile(page, "3").locator(".note")).to_contain_text(note)
        assert tile(page, "3").evaluate("(e) => e.getAnimations().length") == 0


def test_a_pending_alarm_is_a_hollow_dot_and_a_doubtful_value_has_its_question_mark(open_page: Open) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = [
        scene.alarm(
            11, "1", "hr-high", "MEDIUM", "HR 121 > 120", 3, vital="hr", state="pending", raised_at_ms=None
        )
    ]
    clinic["beds"][0]["vitals"]["spo2"] = scene.vital("spo2", 93, quality="questionable", why="poor signal")
    with staged(clinic) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "1").locator("[data-row='hr'] .dot")).to_be_visible()
        expect(page.locator("#bar .now li")).to_have_count(0)
        expect(digits(page, "1", "spo2")).to_contain_text("93?")
        assert tile(page, "1").get_attribute("data-priority") is None


@pytest.mark.shows("ALM-050", "HZ-08")
def test_a_paused_alarm_stands_in_the_header_and_its_label_is_struck_through(open_page: Open) -> None:
    clinic = scene.clinic()
    pause = {
        "pause_id": 3,
        "bed": "1",
        "kind": "alarm paused",
        "vital": "spo2",
        "since_ms": scene.NOW,
        "until_ms": scene.NOW + 60_000,
        "by": "dana",
        "why": "probe moved",
    }
    clinic["beds"][0]["pauses"] = [pause]
    with staged(clinic) as stage:
        page = open_page(stage, "/?wall", WALL, still=True)
        expect(tile(page, "1").locator("header")).to_contain_text("SpO2 alarms off")
        assert (
            tile(page, "1")
            .locator("[data-row='spo2'] dt")
            .evaluate("(e) => getComputedStyle(e).textDecorationLine")
            == "line-through"
        )


@pytest.mark.shows("ALM-080")
def test_the_service_s_own_trouble_stands_on_the_bar_of_every_screen(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(page.locator(".health")).to_contain_text("Recording")
    stage.play(
        {
            "kind": "part",
            "part": {"part": "journal", "ok": False, "since_ms": scene.NOW, "why": "The disk is full."},
        }
    )
    expect(page.locator("#bar .now li").nth(1)).to_contain_text("Not being recorded")
    expect(page.locator(".health")).not_to_contain_text("Recording")
    own = scene.alarm(90, "", "paging-down", "HIGH", "Pages are not going out", 1, technical=True)
    stage.play({"kind": "alarm", "alarm": own})
    expect(page.locator("#bar")).to_contain_text("Pages are not going out")
    go(page, "/alarms")
    expect(page.locator("#bar")).to_contain_text("Pages are not going out")


# Old is never shown as new.


@pytest.mark.shows("ALM-070", "HZ-05")
def test_digits_are_gone_ten_seconds_after_the_last_sample(open_page: Open) -> None:
    with staged(scene.fleeting(scene.clinic())) as stage:
        page = open_page(stage, "/?wall", WALL)
        expect(digits(page, "1", "spo2")).to_have_text("98")
        stage.silent = True
        stage.beat(scene.NOW + 11_000)  # the server is well: only the monitor has fallen silent
        expect(digits(page, "1", "spo2")).to_have_class(re.compile("gone"))
        assert "98" not in digits(page, "1", "spo2").inner_text().replace("last 98", "")
        expect(digits(page, "1", "spo2")).to_contain_text("last 98")
        expect(digits(page, "1", "bp")).to_have_text(
            "137/85"
        )  # a cuff reading has its age, and is not old yet


@pytest.mark.shows("ALM-002", "ALM-082", "HZ-05")
def test_without_the_server_the_strip_comes_at_three_seconds_and_at_ten_the_digits_go(
    stage: Stage, open_page: Open
) -> None:
    page = open_page(stage, "/?wall", WALL, still=True)
    expect(page.locator(".lost")).to_have_count(0)
    page.clock.run_for(3_500)
    expect(page.locator(".strip-in-bar")).to_have_text("Connecting. Numbers may be old.")
    expect(page.locator(".health")).to_have_count(0)
    page.clock.run_for(7_500)
    expect(page.locator(".lost")).to_have_text(
        re.compile(r"Not connected since 14:32:0\d\. Look at the patients\.")
    )
    for bed in "12347":
        for row in ("spo2", "hr", "rr"):
            expect(digits(page, bed, row)).to_have_class(re.compile("gone"))
    expect(digits(page, "1", "bp")).to_have_class(re.compile("old"))
    expect(page.locator("#say-high")).to_contain_text("Not connected to the clinic server")
    stage.raw("snapshot", scene.clinic(scene.NOW + 34_000))
    expect(page.locator(".lost")).to_have_count(0)
    expect(page.locator(".strip-in-bar")).to_have_text(re.compile(r"Back\. 0:\d\d was not shown here\."))


@pytest.mark.shows("HZ-06")
def test_another_patient_leaves_no_digit_of_the_last_one(open_page: Open) -> None:
    canary = {"spo2": 93, "hr": 67, "rr": 23}
    clinic = scene.clinic()
    one = clinic["beds"][0]
    one["vitals"] = {k: scene.vital(k, v) for k, v in canary.items()}
    one["cuff"] = scene.cuff(163, 59, 1, 4)
    one["session"] = scene.session(1, 24, (153, 51, 63, 96, 19), alias="canary")
    with staged(clinic) as stage:
        page = open_page(stage, "/", STATION)
        expect(digits(page, "1", "spo2")).to_have_text("93")
        newcomer = one | {
            "session": scene.session(77, 0, (121, 71, 70, 98, 14), alias="newcomer"),
            "vitals": {},
            "cuff": None,
            "pauses": [],
        }
        stage.answers["GET", "/beds/1/trend"] = (404, {"detail": "Nothing has been measured yet."})
        stage.play({"kind": "bed", "bed": newcomer})
        expect(tile(page, "1").locator(".note")).to_have_text("Baseline 121/71, HR 70")
        for path in ("/", "/bed/1"):
            go(page, path)
            text = (tile(page, "1") if path == "/" else page.locator("#screen")).inner_text()
            for number in ("93", "67", "23", "163", "59", "153", "51", "63", "canary"):
                assert not re.search(rf"(?<!\d){number}(?!\d)", text), (path, number)
        go(page, "/")
        assert tile(page, "1").locator(".spark .line").evaluate_all(
            "(all) => all.map((e) => e.getAttribute('d') ?? '')"
        ) == ["", "", ""]
        assert tile(page, "1").locator(".spark .cuff").count() == 0


def test_a_gap_in_the_stream_is_answered_with_a_fresh_snapshot(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(digits(page, "1", "spo2")).to_have_text("98")
    stage.beat(scene.NOW + 1000, seq=5)
    stage.waits_until(lambda: stage.opened >= 2)
    expect(digits(page, "1", "spo2")).to_have_text("98")


def test_another_version_of_the_service_asks_for_a_reload(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/", STATION)
    expect(digits(page, "1", "spo2")).to_have_text("98")
    clinic = scene.clinic()
    stage.raw("snapshot", clinic | {"server": clinic["server"] | {"version": "0.2.0"}})
    expect(page.locator(".strip")).to_contain_text("Chairside was updated. Reload this screen.")


def test_two_tabs_of_one_browser_share_one_stream(stage: Stage, open_page: Open) -> None:
    first = open_page(stage, "/", STATION)
    expect(digits(first, "1", "spo2")).to_have_text("98")
    stage.beat(scene.NOW)
    second = open_page(stage, "/alarms", STATION, within=first.context)
    expect(second.locator(".alarm-list li")).to_have_count(5)
    stage.play({"kind": "vital", "bed": "1", **scene.vital("spo2", 96)})
    expect(digits(first, "1", "spo2")).to_have_text("96")
    assert stage.streams == 1


def test_a_browser_without_a_name_is_sent_to_sign_in(stage: Stage, open_page: Open) -> None:
    stage.refuse_streams = True
    stage.answers["GET", "/me"] = (401, {"detail": "Sign in first."})
    page = open_page(stage, "/", STATION)
    expect(page.locator("h1")).to_have_text("Sign in")


# Nothing is cut, on any wall.

LONGEST = {
    "name": "dana",
    "display": "Konstantina-Maria",
    "role": "nurse",
}
CUT = """() => {
  const words = '.number, .where strong, .what .text, .time, dt, .digits, .age span, .mute span:not(.sr)';
  const seen = [...document.querySelectorAll(`.tile :is(${words})`)].filter((e) => e.offsetParent !== null);
  return seen.filter((e) => {
    const box = e.getBoundingClientRect(), tile = e.closest('.tile').getBoundingClientRect();
    const hidden = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible';
    return hidden || box.right > tile.right + 0.5 || box.bottom > tile.bottom + 0.5;
  }).map((e) => `${e.closest('.tile').dataset.bed} ${e.className || e.tagName}: ${e.textContent}`);
}"""
OVERLAP = """() => [...document.querySelectorAll('.row')].flatMap((row) => {
  const boxOf = (name) => row.querySelector(name)?.getBoundingClientRect();
  const [digits, trace] = ['.digits', '.trace'].map(boxOf);
  return digits && trace && trace.width && digits.right > trace.left + 1 ? [row.textContent] : [];
})"""


def longest(n: int) -> scene.Wire:
    """Every bed with its longest words: three digits twice, a technical alarm, a pause, an hour of age."""
    clinic = scene.many(n)
    clinic["staff"] = [LONGEST]
    clinic["alarms"] = []
    for number, bed in enumerate(clinic["beds"], start=1):
        bed |= {
            "session": scene.session(number, 184, (200, 121, 110, 100, 30)),
            "nurse": "dana",
            "cuff": scene.cuff(228, 128, 59, -4),
        }
        bed["vitals"] = {v["vital"]: v for v in scene.three(100, 188, 28)}
        kind = number % 4
        if kind == 1:
            clinic["alarms"].append(
                scene.alarm(
                    number, bed["bed"], "link-lost", "MEDIUM", "No data from monitor", 754, technical=True
                )
            )
            bed["vitals"] = {
                v["vital"]: v
                for v in (
                    scene.gone("spo2", 100, 754_000),
                    scene.gone("hr", 188, 754_000),
                    scene.gone("rr", 28, 754_000),
                )
            }
        elif kind == 2:
            clinic["alarms"].append(
                scene.alarm(
                    number,
                    bed["bed"],
                    "sbp-high",
                    "HIGH",
                    "BP 228/128 ≥ 180",
                    754,
                    vital="nibp_sys",
                    value=228,
                    limit=180,
                )
            )
        elif kind == 3:
            pause = {
                "pause_id": number,
                "bed": bed["bed"],
                "kind": "audio paused",
                "vital": None,
                "since_ms": scene.NOW,
                "until_ms": scene.NOW + 119_000,
                "by": "sam",
                "why": "",
            }
            bed["pauses"] = [pause]
    return clinic


@pytest.mark.parametrize("beds", [6, 8, 12, 20])
@pytest.mark.parametrize("size", [WALL, STATION, PHONE], ids=["wall", "station", "phone"])
def test_no_word_is_cut_with_the_longest_strings_in_the_widest_face(
    open_page: Open, beds: int, size: tuple[int, int]
) -> None:
    with staged(longest(beds)) as stage:
        page = open_page(stage, "/?wall" if size == WALL else "/", size, still=True)
        expect(page.locator(".tile")).to_have_count(beds)
        # DejaVu Sans is a quarter wider than the faces that are asked for first.
        page.evaluate("document.documentElement.style.setProperty('--face', '\"DejaVu Sans Condensed\"')")
        assert page.evaluate(CUT) == []
        assert page.evaluate(OVERLAP) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if size == WALL:
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


# Light.


@pytest.mark.shows("ALM-023")
def test_all_lamps_flash_in_one_phase_at_the_frequencies_of_the_standard(
    stage: Stage, open_page: Open
) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(digits(page, "1", "spo2")).to_have_text("98")
    late = scene.alarm(72, "7", "spo2-low", "HIGH", "SpO2 84 < 90", 1, vital="spo2", value=84, limit=90)
    stage.play({"kind": "alarm", "alarm": late})
    expect(tile(page, "7")).to_have_attribute("data-priority", "high")
    # Two frames, in which the new lamp is set into phase.
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    lamps = page.evaluate("""() => document.getAnimations()
      .filter((a) => a.animationName?.startsWith('lamp-'))
      .map((a) => [a.animationName, a.effect.getTiming().duration, a.startTime, a.effect.getKeyframes()])""")
    assert len(lamps) >= 8
    assert len({start for _, _, start, _ in lamps}) == 1
    rates = {name: 1000 / duration for name, duration, _, _ in lamps}
    assert 1.4 <= rates["lamp-high"] <= 2.8
    assert 0.4 <= rates["lamp-medium"] <= 0.8
    assert max(rates.values()) <= 3  # WCAG 2.3.1
    for *_, frames in lamps:
        assert [frame["offset"] for frame in frames] == [0, 0.5, 1]  # half on
        assert {frame["easing"] for frame in frames[:2]} == {"steps(1)"}
    assert all(
        page.evaluate("[...document.querySelectorAll('.digits')].map((e) => e.getAnimations().length === 0)")
    )


@pytest.mark.shows("ALM-025")
def test_who_asked_for_reduced_motion_sees_a_steady_light(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL, reduced_motion="reduce")
    expect(tile(page, "3")).to_have_attribute("data-priority", "high")
    assert (
        page.evaluate("document.getAnimations().filter((a) => a.animationName?.startsWith('lamp-')).length")
        == 0
    )


GREY = """async ([png, tiles]) => {
  const image = new Image(); image.src = 'data:image/png;base64,' + png; await image.decode();
  const [w, h] = [Math.round(image.width / 6), Math.round(image.height / 6)];
  const canvas = new OffscreenCanvas(w, h), c = canvas.getContext('2d');
  c.imageSmoothingQuality = 'high'; c.drawImage(image, 0, 0, w, h);
  const { data } = c.getImageData(0, 0, w, h);
  const parts = [0.2126, 0.7152, 0.0722];
  const grey = (x, y) => parts.reduce((sum, part, k) => sum + part * data[4 * (y * w + x) + k], 0);
  return tiles.map(({ x, y, width, height }) => {
    let brightest = 0, sum = 0, n = 0;
    for (let j = Math.ceil(y / 6); j < (y + height) / 6 - 1; j += 1) {
      for (let i = Math.ceil(x / 6); i < (x + width) / 6 - 1; i += 1) {
        brightest = Math.max(brightest, grey(i, j)); sum += grey(i, j); n += 1;
      }
    }
    return { brightest, mean: sum / n };
  });
}"""


@pytest.mark.shows("ALM-020", "ALM-021")
@pytest.mark.parametrize("theme", ["dark", "night", "light"])
def test_in_a_grey_picture_from_afar_high_is_found_at_once(
    chromium: Browser, stage: Stage, open_page: Open, theme: str
) -> None:
    page = open_page(stage, f"/?wall&theme={theme}", WALL, reduced_motion="reduce")
    expect(tile(page, "3")).to_have_attribute("data-priority", "high")
    boxes = {bed: tile(page, bed).bounding_box() for bed in "12345678"}
    png = base64.b64encode(page.screenshot()).decode()
    looker = chromium.new_page()
    greys = dict(zip(boxes, looker.evaluate(GREY, [png, list(boxes.values())]), strict=True))
    looker.close()
    others = [grey for bed, grey in greys.items() if bed != "3"]
    if theme == "light":
        assert greys["3"]["mean"] < min(grey["mean"] for grey in others) - 10
    else:
        assert greys["3"]["brightest"] > max(grey["brightest"] for grey in others)


# Hands, keys and voices.


def test_the_wall_has_no_controls_and_hears_no_keys(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/?wall", WALL)
    expect(page.locator(".tile")).to_have_count(8)
    assert page.locator("a, button, input, select, textarea, [role=button]").count() == 0
    assert page.evaluate("getComputedStyle(document.body).cursor") == "none"
    page.keyboard.press("3")
    page.keyboard.press("f")
    assert page.url.endswith("/?wall")


LIVE = """[...document.querySelectorAll(
  '[aria-live], [role=alert], [role=status], [role=log], output',
)].map((e) => e.id)"""


@pytest.mark.shows("ALM-004")
def test_every_screen_carries_two_live_regions_and_the_disclaimer(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/", STATION)
    for path in (
        "/",
        "/bed/4",
        "/bed/8",
        "/bed/8/start",
        "/alarms",
        "/pages/301",
        "/duty",
        "/sound",
        "/keys",
        "/signin",
    ):
        go(page, path)
        expect(page.locator(".disclaimer")).to_contain_text("Never the only means of watching a patient.")
        live = page.evaluate(LIVE)
        assert live == ["say-high", "say"], path


def test_a_new_alarm_is_said_once_and_never_moves_the_focus(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/", STATION)
    page.locator(".tile[data-bed='2'] a").focus()
    late = scene.alarm(72, "7", "spo2-low", "HIGH", "SpO2 84 < 90", 1, vital="spo2", value=84, limit=90)
    stage.play({"kind": "alarm", "alarm": late})
    expect(page.locator("#say-high")).to_contain_text("Bed 7, high: SpO2 84, limit 90")
    stage.play({"kind": "alarm", "alarm": late | {"value": 83}})
    stage.play({"kind": "vital", "bed": "7", **scene.vital("spo2", 83)})
    expect(digits(page, "7", "spo2")).to_have_text("83")
    assert page.locator("#say-high p", has_text="Bed 7").count() == 1
    assert page.evaluate("document.activeElement.closest('.tile')?.dataset.bed") == "2"


def test_the_floor_works_by_keyboard_alone(stage: Stage, open_page: Open) -> None:
    page = open_page(stage, "/", STATION)
    expect(page.locator(".tile")).to_have_count(8)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("3")
    expect(page.locator("#screen")).to_have_attribute("data-screen", "bed")
    assert page.url.endswith("/bed/3")
    page.keyboard.press("j")
    assert page.url.endswith("/bed/4")
    page.keyboard.press("Escape")
    expect(page.locator("#screen")).to_have_attribute("data-screen", "floor")
    page.keyboard.press("?")
    page.get_by_role("button", name="Turn single keys off").click()
    page.keyboard.press("3")
    assert page.url.endswith("/keys")


@pytest.mark.parametrize("size", [STATION, PHONE], ids=["station", "phone"])
def test_no_target_on_the_floor_is_smaller_than_a_finger(
    stage: Stage, open_page: Open, size: tuple[int, int]
) -> None:
    page = open_page(stage, "/", size)
    expect(page.locator(".tile")).to_have_count(8)
    small = page.evaluate("""() => [...document.querySelectorAll('#screen :is(a, button)')]
      .filter((e) => e.checkVisibility() && !e.closest('h2'))
      .map((e) => [e.textContent, e.getBoundingClientRect()])
      .filter(([, r]) => r.height < 44 || r.width < 44).map(([text]) => text)""")
    assert small == []

"""What is looked at of a treatment: tile, clock, steps, trends; each is sent what the real ward says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from monitor.config.settings import Budget
from monitor.model import Vital
from monitor.numbers import Numbers
from monitor.sessions import expected
from monitor.treatment import Move, Symptom
from monitor.weekly import counted, edges_ms
from tests.browser import clinic, scene
from tests.browser.clinic import Clinic, Guest
from tests.browser.conftest import Open, go
from tests.browser.stage import Stage
from tests.browser.test_floor import CUT, OVERLAP, PHONE, STATION, WALL, tile
from tests.browser.test_screens import violations
from tests.browser.test_state import ask, events, snapshot
from tests.core.shift import Shift
from tests.core.visit import MIN

Wire = scene.Wire
DRUGS = re.compile(r"ketamin|spravato", re.IGNORECASE)


def afternoon(seen_by: str = "staff") -> Wire:
    """A copy that a test may change."""
    found: Wire = json.loads(json.dumps(clinic.afternoon()[seen_by]))
    return found


@contextmanager
def played(wire: Wire) -> Iterator[Stage]:
    """A stage that plays this, and knows the trends of the afternoon."""
    answers: dict[tuple[str, str], tuple[int, Any]] = {
        ("GET", "/me"): (
            200,
            wire["me"] | {"screen": None, "ends_at_ms": None, "idle_ms": None, "home": "/me"},
        ),
        ("GET", "/alarms"): (200, {"alarms": []}),
        ("POST", "/screens/sound"): (200, {"recorded": True}),
    }
    for bed, trend in clinic.afternoon()["trends"].items():
        answers["GET", f"/beds/{bed}/trend"] = (200, trend)
    stage = Stage(lambda: wire, answers)
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture
def here() -> Iterator[Stage]:
    """The stage of the afternoon."""
    with played(afternoon()) as stage:
        yield stage


@pytest.fixture
def on_the_wall() -> Iterator[Stage]:
    """The same as a paired screen is sent it."""
    with played(afternoon("wall")) as stage:
        yield stage


# The tile.


def test_a_tile_says_phase_way_and_nurse_and_never_the_drug(on_the_wall: Stage, open_page: Open) -> None:
    page = open_page(on_the_wall, "/?wall", WALL, still=True)
    where = [tile(page, bed).locator(".where").inner_text().split("\n") for bed in "1234567"]
    assert [lines[:2] for lines in where] == [
        ["Infusion", "IV · Dana"],
        ["40-min check", "Nasal · Lee"],
        ["Infusion", "IV · Dana"],
        ["Observation", "Nasal · Lee"],
        ["Infusion", "IV · Lee"],
        ["Early recovery", "IV · Dana"],
        ["Observation", "Nasal · Lee"],
    ]
    assert where[2][2] == "CNS depressant"
    assert where[3][2] == "Stimulant"
    assert not DRUGS.search(page.locator("body").inner_text())


def test_the_clock_has_its_check_its_end_and_the_minutes_since_the_start(
    on_the_wall: Stage, open_page: Open
) -> None:
    page = open_page(on_the_wall, "/?wall", WALL, still=True)
    ring = {bed: tile(page, bed).locator(".ring") for bed in "1234567"}
    assert [r.locator("text").first.text_content() for r in ring.values()] == [
        "24",
        "38",
        "31",
        "52",
        "17",
        "49",
        "128",
    ]
    expect(ring["2"].locator(".mark")).to_have_class("mark ")  # hollow: not recorded yet
    expect(ring["4"].locator(".mark")).to_have_class("mark done")
    expect(ring["1"].locator(".mark")).to_have_count(0)
    expect(ring["1"].locator(".cut")).to_have_count(1)
    expect(ring["2"].locator(".cut")).to_have_count(0)
    expect(ring["4"]).to_have_attribute("aria-label", "52 minutes since the start of the drug, 79 min to 2 h")
    expect(ring["6"]).to_have_attribute("aria-label", re.compile(r"51 min to 1 h$"))
    expect(ring["7"]).to_have_attribute("aria-label", re.compile("least stay is over$"))


RING = "t.ringOf({{ clocks: {clocks}, checks: [], dose: null, next_device: null }}, {now})"


@pytest.mark.parametrize(
    ("clocks", "minute", "part", "is_open"),
    [
        ({}, None, 0, False),
        ({"start_at_ms": 0, "ring": "floor", "ring_until_at_ms": 120 * MIN}, 60, 0.5, False),
        ({"start_at_ms": 0, "ring": "floor", "ring_until_at_ms": 40 * MIN}, 60, 1, False),
        ({"start_at_ms": 0, "ring": "guide", "ring_until_at_ms": 120 * MIN}, 60, 0.5, True),
        ({"start_at_ms": 0}, 60, 0, True),
        (
            {"start_at_ms": 0, "ended_at_ms": 30 * MIN, "ring": "floor", "ring_until_at_ms": 120 * MIN},
            30,
            0.25,
            False,
        ),
    ],
    ids=["before", "half", "past", "no least stay", "unknown", "over"],
)
def test_the_arc_is_what_is_done_of_the_least_stay_and_stops_with_the_session(
    house: Page, clocks: dict[str, Any], minute: int | None, part: float, *, is_open: bool
) -> None:
    every = (
        "start_at_ms",
        "ended_at_ms",
        "end_at_ms",
        "ring",
        "ring_until_at_ms",
        "floor_min",
        "floor_until_at_ms",
    )
    whole = json.dumps(dict.fromkeys(every) | {"floor_min": 60} | clocks)
    drawn = RING.format(clocks=whole, now=60 * MIN)
    found = house.evaluate(f"async () => {{ const t = await import('/js/treatment.js'); return {drawn}; }}")
    assert (found["minute"], found["part"], found["open"]) == (minute, part, is_open)


def test_what_is_due_soon_is_a_pill_what_is_late_says_how_late_and_an_alarm_comes_first(
    on_the_wall: Stage, open_page: Open
) -> None:
    page = open_page(on_the_wall, "/?wall", WALL)
    line = {bed: tile(page, bed).locator("> .line") for bed in "1234567"}
    expect(line["2"]).to_have_class(re.compile(r"\bdue\b"))
    expect(line["2"].locator(".text")).to_have_text("40-min check due in 2 min")
    expect(line["2"].locator(".note")).to_have_text(re.compile(r"^Baseline 129/81, HR \d\d$"))
    expect(line["4"].locator(".text")).to_contain_text("BP 170 ≥ 165")
    treatment = afternoon("wall")["beds"][1]["treatment"]
    due = treatment["dues"][0]
    due |= {"state": "late", "due_at_ms": treatment["at_ms"] - 3 * MIN, "late_at_ms": treatment["at_ms"]}
    on_the_wall.play({"kind": "treatment", "bed": "2", "treatment": treatment | {"timeline": None}})
    expect(line["2"].locator(".text")).to_have_text("40-min check 3 min late")


def test_who_may_leave_is_said_with_a_check_and_a_note_and_never_in_a_colour(
    on_the_wall: Stage, open_page: Open
) -> None:
    page = open_page(on_the_wall, "/?wall", WALL, still=True)
    ready = tile(page, "7")
    expect(ready.locator(".line .text")).to_have_text("Ready to leave")
    expect(ready.locator(".note")).to_have_text("10 of 11 items true. Prescriber signs.")
    expect(ready.locator(".line .icon")).to_have_count(1)
    assert ready.get_attribute("data-priority") is None
    inks = ready.locator(".what").evaluate(
        "(e) => [getComputedStyle(e).color, getComputedStyle(document.body).color]"
    )
    assert inks[0] == inks[1]


def test_the_bar_says_what_is_due_next_and_who_has_beds_at_the_peak(
    on_the_wall: Stage, open_page: Open
) -> None:
    page = open_page(on_the_wall, "/?wall", WALL, still=True)
    expect(page.locator("#bar .next p").first).to_have_text(
        re.compile(r"^Next Bed \d .* min.*· Bed \d .* min$")
    )
    expect(page.locator("#bar .next p").nth(1)).to_have_text("At peak Lee 2 · Dana 2")
    expect(page.locator(".loads")).to_be_hidden()


def test_a_station_and_the_duty_list_say_how_many_beds_each_has(here: Stage, open_page: Open) -> None:
    page = open_page(here, "/", STATION)
    expect(page.locator(".disclaimer .loads")).to_contain_text(
        "Lee 4 beds, 2 at peak · Dana 3 beds, 2 at peak"
    )
    here.play({"kind": "load", "load": [{"staff": "dana", "beds": 1, "at_peak": 0}]})
    expect(page.locator(".disclaimer .loads")).to_contain_text("Dana 1 bed")
    expect(page.locator(".disclaimer .loads")).not_to_contain_text("peak")
    page.get_by_role("link", name="Duty").click()
    expect(page.locator("ul.loads li")).to_have_text(["Dana1 bed, none at peak effect"])


# One patient's treatment is never another's.


def test_the_next_patient_s_tile_and_bed_say_nothing_of_the_last_one_s_treatment(open_page: Open) -> None:
    house = Clinic()
    first = Guest(house, "3", "iv_ketamine_40", seed=1, base=(118, 72, 66), alias="twin")
    first.to_baseline(benzodiazepines=True)
    first.takes_baseline(118, 72)
    first.symptom(Symptom.ANXIETY)
    before = house.told()
    last_word = next(b for b in before["beds"] if b["bed"] == "3")["treatment"]
    last_trend = house.trend("3")

    def goes() -> None:
        first.steps(Move.ABORT, "changed her mind")
        first.does(first.sign())
        first.steps(Move.CLOSE)

    gone = house.tells(goes)
    came = house.tells(
        lambda: Guest(house, "3", "spravato_us", seed=2, base=(131, 82, 74), alias="twin", devices=2)
    )
    assert house.guests[-1].number != first.number
    with played(before) as stage:
        stage.answers["GET", "/beds/3/trend"] = (200, last_trend)
        page = open_page(stage, "/bed/3", STATION)
        expect(page.locator(".steps")).to_contain_text("CNS depressant")
        stage.answers["GET", "/beds/3/trend"] = (200, house.trend("3"))
        stage.play(*gone)
        stage.play(*came)
        late = {"kind": "treatment", "bed": "3", "treatment": last_word | {"timeline": None}}
        stage.play(late)
        expect(page.locator("#bar .where")).to_contain_text("Nasal 56 mg")
        for word in ("CNS depressant", "Anxiety", "118/72", "119/73", "mg/kg", "changed her mind"):
            expect(page.locator("#screen")).not_to_contain_text(word)
        go(page, "/")
        expect(tile(page, "3").locator(".where")).to_contain_text("Nasal")
        for word in ("CNS depressant", "IV", "119/73"):
            expect(tile(page, "3")).not_to_contain_text(word)


def test_a_late_word_of_a_patient_who_has_gone_changes_nothing(house: Page) -> None:
    wire = afternoon()
    word = wire["beds"][0]["treatment"] | {"session": 999, "phase": "emergency"}
    late = events(1, {"kind": "treatment", "bed": "1", "treatment": word})
    assert ask(house, [snapshot(wire), late], "state.beds['1'].treatment.phase") == "infusion"
    assert ask(house, [snapshot(wire), late], "look.look(state, '1', now(state, 0)).phase") == "Infusion"


def test_a_treatment_that_is_not_of_the_bed_s_session_is_not_shown(house: Page) -> None:
    wire = afternoon()
    wire["beds"][0]["treatment"]["session"] = 999
    shown = ask(house, [snapshot(wire)], "look.look(state, '1', now(state, 0))")
    assert shown["treatment"] is None
    assert shown["way"] is None


# The state, from what the ward has really said.


def test_a_turn_by_the_clock_keeps_the_timeline_that_was_known(house: Page) -> None:
    wire = afternoon()
    treatment = wire["beds"][3]["treatment"]
    turn = events(
        1, {"kind": "treatment", "bed": "4", "treatment": treatment | {"ready": True, "timeline": None}}
    )
    kept = ask(
        house,
        [snapshot(wire), turn],
        "[state.beds['4'].treatment.ready, state.beds['4'].treatment.timeline.length]",
    )
    assert kept == [True, len(treatment["timeline"])]


def test_a_visit_s_own_turns_lead_a_screen_through_its_phases(house: Page) -> None:
    real = Clinic()
    guest = Guest(real, "3", "spravato_us", seed=5, base=(124, 78, 70), devices=2)
    first = real.told()

    def first_device() -> None:
        guest.does(guest.device(1))

    def second_device() -> None:
        real.waits(5.1)
        guest.does(guest.device(2))

    def checks() -> None:
        real.waits(4)
        guest.cuff(134, 84)
        guest.scores(moaas=5, dissociation=1)
        guest.does(guest.save())

    steps: tuple[Callable[[], object], ...] = (
        guest.to_baseline,
        lambda: guest.takes_baseline(124, 78),
        first_device,
        second_device,
        lambda: real.waits(30.5),
        checks,
    )
    turns, phases = [], ["Check-in"]
    for number, does in enumerate(steps, start=1):
        turns.append(events(number, *real.tells(does)))
        phases.append(ask(house, [snapshot(first), *turns], "look.look(state, '3', now(state, 0)).phase"))
    assert phases == ["Check-in", "Baseline", "Baseline", "Dosing", "Onset", "40-min check", "Observation"]


# The expected course.


@pytest.mark.parametrize("bed", ["2", "6"])
def test_the_band_is_the_baseline_and_what_the_drug_is_expected_to_add(house: Page, bed: str) -> None:
    wire = afternoon()
    one = wire["beds"][int(bed) - 1]
    course, base = one["treatment"]["course"], one["session"]["baseline"]["systolic_mmhg"]
    start = course["from_at_ms"]
    points = house.evaluate(
        "async ([bed, from, to]) => (await import('/js/course.js')).courseOf(bed, 'systolic', from, to)",
        [one, start - 10 * MIN, start + 40 * MIN],
    )
    moved = (expected.IV if bed == "6" else expected.NASAL)[Vital.SYSTOLIC]
    at = {round((t - start) / MIN): (low, high) for t, low, high in points}
    assert at[-10] == pytest.approx((base - moved.slack, base + moved.slack))
    peak = base + moved.rise
    assert at[40] == pytest.approx((peak - moved.sd - moved.slack, peak + moved.sd + moved.slack), abs=0.1)


def test_a_bed_that_is_only_watched_has_a_flat_band_and_one_without_baseline_has_none(house: Page) -> None:
    flat = house.evaluate(
        "async (bed) => (await import('/js/course.js')).courseOf(bed, 'hr', 0, 1000)",
        scene.clinic()["beds"][0],
    )
    assert [row[1:] for row in flat] == [[62, 74], [62, 74]]
    none = scene.clinic()["beds"][0]
    none["session"]["baseline"]["heart_rate_per_min"] = None
    assert (
        house.evaluate("async (bed) => (await import('/js/course.js')).courseOf(bed, 'hr', 0, 1)", none)
        is None
    )


# The Bed.


def test_the_bed_tells_what_is_done_where_it_is_and_what_comes(here: Stage, open_page: Open) -> None:
    page = open_page(here, "/bed/4", STATION)
    expect(page.locator("#bar .where")).to_contain_text(
        re.compile(r"Observation.*P44 · Nasal 84 mg · started .* · Lee")
    )
    done = page.locator(".steps .step:not(.current)")
    expect(done.nth(0)).to_contain_text("Flag: Stimulant")
    expect(done.nth(1)).to_contain_text(re.compile(r"135/85 from 2 readings, HR \d\d, SpO2 \d\d"))
    expect(done.nth(2)).to_contain_text(re.compile(r"Devices \d\d:\d\d, \d\d:\d\d, \d\d:\d\d. Lot 24B1"))
    expect(done.nth(3)).to_contain_text("163/96, HR")
    now = page.locator(".steps [aria-current='step']")
    expect(now).to_contain_text("79 min to 2 h")
    expect(now.locator(".dues li").first).to_contain_text("every 5 min, next in 1 min")
    expect(done.nth(4)).to_contain_text("1 of 11 items true now")
    expect(done.nth(5)).to_have_text("Sign and close")


def test_the_steps_are_those_of_the_therapy(house: Page) -> None:
    wire = afternoon()
    steps = "async (t) => (await import('/js/steps.js')).stepsOf(t).map((s) => `${s.step} ${s.is}`)"
    assert house.evaluate(steps, wire["beds"][5]["treatment"]) == [
        "check_in done",
        "baseline done",
        "timeout done",
        "infusion done",
        "early_recovery now",
        "late_recovery later",
        "ready later",
        "closed later",
    ]
    europe = wire["beds"][1]["treatment"] | {
        "checks": [],
        "onward": "decline",
        "entered": {"check_in": 1, "baseline": 2},
    }
    assert "check_40" not in " ".join(house.evaluate(steps, europe))


def test_hold_and_stop_are_there_only_while_a_drug_runs(here: Stage, open_page: Open) -> None:
    page = open_page(here, "/bed/1", STATION)
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.goto(here.url + "/bed/4")
    expect(page.locator(".steps")).to_be_visible()
    expect(page.get_by_role("button", name="Hold")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_what_is_due_opens_its_form_and_the_list_of_who_may_leave_opens_beside(
    here: Stage, open_page: Open
) -> None:
    page = open_page(here, "/bed/2", STATION)
    page.get_by_role("button", name="Enter: 40-min check").click()
    expect(page.locator("#session .task")).to_contain_text("40-min check due in 2 min")
    expect(page.locator(".panel.bp .digits")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(here.url + "/bed/7")
    page.get_by_role("button", name="Who may leave").click()
    expect(page.locator("#session .leave")).to_contain_text("10 true")


def test_a_limit_says_which_flag_has_moved_it(here: Stage, open_page: Open) -> None:
    page = open_page(here, "/bed/3", STATION)
    expect(page.locator(".panel.spo2 .own")).to_have_text("changed")
    page.get_by_role("button", name="Limits of SpO2").click()
    expect(page.locator(".limits li").first).to_contain_text("CNS depressant: changed from 90")
    page.keyboard.press("Escape")
    page.goto(here.url + "/bed/4")
    page.get_by_role("button", name="Limits of BP").click()
    expect(page.locator(".limits .layer")).to_contain_text("Stimulant: BP every 0.5 of the usual time")


@pytest.mark.shows("ALM-041")
def test_the_alarms_of_this_session_are_there_from_before_this_screen_looked_and_of_no_other(
    here: Stage, open_page: Open
) -> None:
    wire = afternoon()
    over = wire["alarms"][0] | {"alarm_id": 900, "bed": "4", "state": "clear", "text": "SpO2 probe off"}
    mine = over | {"session": wire["beds"][3]["session"]["session"]}
    last = over | {"alarm_id": 901, "session": 999, "text": "HR 150 > 140"}
    here.answers["GET", "/alarms"] = (200, {"alarms": [mine, last]})
    page = open_page(here, "/bed/4", STATION)
    expect(page.locator(".log")).to_contain_text("SpO2 probe off, ended")
    expect(page.locator(".log")).not_to_contain_text("HR 150")


def test_the_time_line_runs_from_ten_minutes_before_the_drug_to_the_end_of_the_least_stay(
    house: Page,
) -> None:
    four = afternoon()["beds"][3]
    clocks = four["treatment"]["clocks"]
    span = "async ([bed, now]) => (await import('/js/trend.js')).span(bed, now)"
    shown = house.evaluate(span, [four, four["treatment"]["at_ms"]])
    assert shown[0] == clocks["start_at_ms"] - 10 * MIN
    assert shown[1] >= clocks["floor_until_at_ms"]
    long_after = clocks["floor_until_at_ms"] + 90 * MIN
    assert house.evaluate(span, [four, long_after])[1] > long_after


def test_what_was_given_checked_and_said_are_marks_in_the_trends(house: Page) -> None:
    wire = afternoon()
    marks = "async (t) => (await import('/js/treatment.js')).marksOf(t).map((m) => m.words)"
    assert house.evaluate(marks, wire["beds"][3]["treatment"]) == ["1", "2", "3", "40-min check", "2 h"]
    assert house.evaluate(marks, wire["beds"][5]["treatment"]) == ["Start", "End", "1 h"]
    said = {"kind": "symptom", "at_ms": 1, "entered_at_ms": 1, "who": "dana", "words": "Nausea"}
    with_symptom = wire["beds"][5]["treatment"] | {"timeline": [said]}
    assert "Nausea" in house.evaluate(marks, with_symptom)


# Earlier sessions.


def series_of(session: int, **changes: Any) -> Wire:
    """Two earlier sessions of the same patient, as the service tells them."""
    answer = {"baseline": 124, "above": 148.8, "peak": 150, "peak_rise": 26, "peak_minute": 40}
    answer |= {"minutes_above": 8.0, "returned_minute": 60, "still_above": False}
    then = {
        "session": 1,
        "start_at_ms": scene.NOW - 7 * 24 * 60 * MIN,
        "cuffs": [
            {"minute": -2, "systolic": 124, "diastolic": 78},
            {"minute": 40, "systolic": 150, "diastolic": 92},
        ],
        "heart_rate": [{"minute": 0, "value": 70}, {"minute": 1, "value": 71}, {"minute": 9, "value": 74}],
        "spo2": [],
        "response": answer,
    }
    now = answer | {"peak_rise": 37, "still_above": True, "returned_minute": None}
    return {
        "session": session,
        "alias": "P44",
        "now": now,
        "sessions": [then, then | {"session": 0}],
        "why_not": None,
    } | changes


def test_earlier_sessions_lie_behind_today_s_until_they_are_switched_off(
    here: Stage, open_page: Open
) -> None:
    number = afternoon()["beds"][3]["session"]["session"]
    here.answers["GET", f"/sessions/{number}/series"] = (200, series_of(number))
    page = open_page(here, "/bed/4", WALL)
    switch = page.get_by_role("button", name="2 earlier sessions")
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".responses li").first).to_have_text(
        "Today so far+37 at 40 min, over 20 % for 8 min, still above"
    )
    expect(page.locator(".responses li").nth(1)).to_contain_text(
        "+26 at 40 min, over 20 % for 8 min, back at 60 min"
    )
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")


def test_earlier_sessions_of_another_patient_are_not_drawn(here: Stage, open_page: Open) -> None:
    number = afternoon()["beds"][3]["session"]["session"]
    here.answers["GET", f"/sessions/{number}/series"] = (200, series_of(number + 1))
    page = open_page(here, "/bed/4", WALL)
    here.waits_for("GET", f"/sessions/{number}/series")
    expect(page.locator(".steps")).to_be_visible()
    expect(page.get_by_role("button", name="earlier sessions")).to_have_count(0)
    expect(page.locator(".responses")).to_have_count(0)


def test_an_earlier_trace_begins_where_today_s_drug_does_and_has_holes_where_nothing_was(house: Page) -> None:
    asked = "async ([e, zero]) => (await import('/js/earlier.js')).tracesOf(e, zero)[0]"
    drawn = house.evaluate(asked, [series_of(1), 1_000_000])
    assert drawn["vitals"]["hr"] == [[1_000_000, 70], [1_060_000, 71], [1_120_000, None], [1_540_000, 74]]
    assert drawn["cuffs"][1] == [1_000_000 + 40 * MIN, 150, 92]


# Other limits.


def judged() -> Wire:
    """Two sessions judged again, one of which cannot be."""
    raised = {"HIGH": 1, "MEDIUM": 9, "LOW": 20}
    counts = {"raised": raised, "technical": {}, "pages": 8, "further_pages": 2}
    counts |= {"alarmed_s": {"HIGH": 60.0, "MEDIUM": 600.0, "LOW": 0.0}}
    fewer = counts | {"raised": raised | {"MEDIUM": 5}, "pages": 4}
    rule = {"rule": "spo2-low", "priority": "MEDIUM", "recorded": 9, "as_set": 9, "proposed": 5}
    other = {"rule": "hr-high", "priority": "LOW", "recorded": 3, "as_set": 3, "proposed": 3}
    one = {
        "as_set": counts,
        "proposed": fewer,
        "bed_hours": 2.5,
        "rules": [rule, other],
        "session": 7,
        "alias": "blue-17",
    }
    one |= {"same_numbers": True, "opened_at_ms": scene.NOW, "ended_at_ms": scene.NOW, "why_not": None}
    lost = one | {
        "session": 8,
        "alias": "red-1",
        "as_set": None,
        "proposed": None,
        "why_not": "Its readings are not kept.",
    }
    return {"all": one, "sessions": [one, lost]}


def test_other_limits_are_tried_on_past_sessions_and_shown_beside_those_as_set(open_page: Open) -> None:
    wire = afternoon() | {"me": {"name": "kim", "display": "Dr Kim", "role": "prescriber"}}
    with played(wire) as stage:
        stage.answers["POST", "/what-if"] = (200, judged())
        page = open_page(stage, "/", STATION)
        page.get_by_role("link", name="Admin").click()
        page.get_by_role("link", name="Try other limits").click()
        page.get_by_role("button", name="Propose this").click()
        expect(page.locator("#error-rule")).to_contain_text("Choose a limit")
        page.locator("[name='rule']").select_option("spo2-low-m")
        page.locator("[name='value']").fill("91")
        page.get_by_role("button", name="Propose this").click()
        page.get_by_role("button", name="Judge the last 20").click()
        expect(page.locator(".found h2")).to_have_text("1 session, 2.5 hours at the bed")
        changed = page.locator(".rules tr[data-changed]")
        expect(changed).to_have_count(1)
        expect(changed).to_contain_text("SpO2 low")
        assert changed.locator("td").all_inner_texts() == ["9", "9", "5"]
        expect(page.locator(".judged")).to_contain_text("Its readings are not kept.")
        asked = stage.waits_for("POST", "/what-if").body
        assert asked == {"last": 20, "limits": {"spo2-low-m": {"limit": 91}}}
        assert violations(page) == []


def test_a_nurse_has_no_such_page_and_a_refusal_is_said(here: Stage, open_page: Open) -> None:
    here.answers["POST", "/what-if"] = (403, {"detail": "Your role may not do this."})
    page = open_page(here, "/", STATION)
    expect(page.get_by_role("link", name="Duty")).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    page.goto(here.url + "/admin")
    page.get_by_role("button", name="Judge the last 20").click()
    expect(page.locator(".whatif")).to_contain_text("Your role may not do this.")


# The alarms of the weeks.


def numbers_of() -> Any:
    """Two weeks as the service would tell them: one answered HIGH in the one that runs, none before."""
    shift = Shift()
    shift.hears("3", spo2=80, fresh_s=3_600)
    shift.waits(seconds=12)
    shift.acks("3", "spo2-low")
    edges = edges_ms("UTC", shift.now_ms, 2)
    return json.loads(msgspec.json.encode(Numbers("UTC", counted(shift.events, edges, Budget()))))


def test_who_leads_sees_the_weeks_against_the_budget_and_one_by_its_alarms(
    here: Stage, open_page: Open
) -> None:
    here.answers["GET", "/numbers"] = (200, numbers_of())
    page = open_page(here, "/numbers", STATION)
    expect(page.locator(".budget thead button")).to_have_count(2)
    expect(page.locator(".budget")).to_contain_text("Pages acted on: at least 50 %")
    low = page.locator(".conditions tr").filter(has_text="SpO2 low").first
    expect(low.locator("td").first).to_have_text("1")
    expect(page.locator(".numbers")).to_contain_text("at the bed: half within 12 s")
    assert violations(page) == []
    page.locator(".budget thead button").nth(1).click()
    expect(page.locator(".numbers")).to_contain_text("No alarm in this week.")
    page.get_by_role("link", name="Try other limits on the last four weeks").click()
    expect(page.locator(".whatif select").last).to_have_value("4w")


# Sessions and the form.


def sessions_of(wire: Wire, **changes: Any) -> Wire:
    """What the list is answered: those who are here, and one who has gone and whose form is owed."""
    here = [bed["session"] for bed in wire["beds"] if bed["session"]]
    at_ms = wire["server"]["at_ms"]
    form = {
        "due_at_ms": at_ms + 2 * 24 * 60 * MIN,
        "words": "Form due in 2 days",
        "late": True,
        "sent_at_ms": None,
        "sent_by": None,
        "how": "",
    }
    gone = here[6] | {
        "session": 70,
        "bed": "2",
        "alias": "grey-4",
        "closed_at_ms": at_ms - MIN,
        "closed_by": "dana",
    }
    gone["treatment"] = here[6]["treatment"] | {
        "phase": "closed",
        "form": form,
        "missing": ["Form due in 2 days"],
        "signed_by": ["kim"],
    }
    return {"sessions": [*here, gone | changes], "more": False}


def test_the_sessions_say_what_each_lacks_and_give_every_record(here: Stage, open_page: Open) -> None:
    here.answers["GET", "/sessions"] = (200, sessions_of(afternoon()))
    page = open_page(here, "/sessions", STATION)
    expect(page.locator(".sessions > li")).to_have_count(8)
    last = page.locator(".sessions > li").last
    expect(last).to_contain_text("Bed 2 · Nasal · Closed")
    expect(last).to_contain_text("Signed by Dr Kim")
    expect(last.locator(".form-due")).to_have_attribute("data-late", "")
    expect(last.locator(".form-due a")).to_have_attribute("href", "/sessions/70/form")
    assert last.locator(".files a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))") == [
        f"/api/v1/sessions/70/report.{ending}"
        for ending in ("pdf", "csv", "trends.csv", "json", "fhir.json", "hl7")
    ]
    page.locator(".sessions > li").first.locator("summary").click()
    expect(page.locator(".sessions > li").first).to_contain_text("The blood pressure before leaving")
    page.get_by_role("button", name=re.compile("^Form owed")).click()
    expect(page.locator(".sessions > li")).to_have_count(4)
    page.get_by_label("Patient").fill("grey")
    expect(page.locator(".sessions > li h2")).to_have_text(["grey-4"])


def test_the_list_of_sessions_asks_who_is_asking(here: Stage, open_page: Open) -> None:
    here.answers["GET", "/sessions"] = (403, {"detail": "Your role may not do this."})
    page = open_page(here, "/sessions", STATION)
    expect(page.locator("#plain")).to_contain_text("Records of patients are shown to who has signed in.")


def field(name: str, asks: str, state: str, **more: Any) -> Wire:
    """One field of a form as the service gives it."""
    return {
        "name": name,
        "asks": asks,
        "required": False,
        "mark": "S4a",
        "state": state,
        "words": "",
        "value": None,
        "second": None,
        "unit": "",
        "at_ms": None,
        "age_ms": None,
        "device": None,
        "by": None,
        "note": "",
    } | more


def form_of(at_ms: int) -> Wire:
    """A form with one field of each state."""
    fields = [
        field("first_name", "First name", "by hand", required=True),
        field(
            "bp_40",
            "40 minutes after",
            "filled",
            required=True,
            words="163/96 mmHg",
            value=163,
            second=96,
            at_ms=at_ms - 12 * MIN,
            age_ms=17 * MIN,
            device="cuff-4",
        ),
        field(
            "ready",
            "Ready after how many minutes?",
            "proposed",
            words="126 min",
            note="Everything but the time held.",
        ),
        field("bp_end", "Before completion", "missing", required=True, note="No reading was taken."),
        field("spo2", "Lowest SpO2", "filled", mark="U", words="94 %", by="dana", at_ms=at_ms),
    ]
    return {
        "schema": "chairside-rems-1",
        "map_version": 1,
        "title": "What to copy",
        "edition": "Read in 2021",
        "notice": "",
        "disclaimer": "",
        "made_ms": at_ms,
        "zone": "UTC",
        "session": 70,
        "alias": "grey-4",
        "due_ms": at_ms,
        "sent_ms": None,
        "sections": [{"title": "Blood pressure", "known": True, "note": "", "fields": fields}],
    }


@pytest.fixture
def owed(here: Stage) -> Stage:
    """The same stage, where the form of session 70 is owed."""
    wire = afternoon()
    listed = sessions_of(wire)
    brief = listed["sessions"][-1]
    brief["treatment"]["ended_at_ms"] = brief["closed_at_ms"]
    here.answers |= {
        ("GET", "/sessions"): (200, listed),
        ("GET", "/sessions/70"): (200, brief | {"now": None}),
        ("GET", "/sessions/70/form.json"): (200, form_of(wire["server"]["at_ms"])),
    }
    return here


def test_the_form_says_that_it_is_none_and_each_number_has_its_source_and_age(
    owed: Stage, open_page: Open
) -> None:
    page = open_page(owed, "/sessions/70/form", STATION)
    expect(page.locator(".not-official")).to_contain_text("This is not the official form.")
    rows = page.locator(".rems .fields > div")
    expect(rows.nth(0).locator(".value")).to_have_text("Write it in by hand")
    expect(rows.nth(1).locator(".value")).to_have_text("163/96 mmHg")
    expect(rows.nth(1).locator(".source")).to_have_text(re.compile(r"cuff-4, \d\d:\d\d, 17 min old then"))
    expect(rows.nth(2).locator(".source")).to_contain_text("Proposed; the signer decides")
    expect(rows.nth(3).locator(".source")).to_contain_text("No reading was taken.")
    expect(rows.nth(4).locator(".source")).to_contain_text("by Dana")
    expect(rows.nth(4).locator(".source")).to_contain_text("Hold this against the current form")
    expect(page.locator(".lacking")).to_contain_text("Before completion")
    page.locator(".lacking").get_by_role("link", name="Before completion").click()
    expect(page.locator(".rems div:target dt")).to_contain_text("Before completion")


def test_a_value_of_the_form_is_copied_as_it_reads(owed: Stage, open_page: Open) -> None:
    page = open_page(owed, "/sessions/70/form", STATION, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy: 40 minutes after").click()
    expect(page.get_by_role("button", name="Copy: 40 minutes after")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "163/96 mmHg"


def test_who_has_sent_the_form_says_how(owed: Stage, open_page: Open) -> None:
    owed.answers["POST", "/sessions/70/moves"] = (200, {"recorded": True})
    page = open_page(owed, "/sessions/70/form", STATION)
    page.get_by_role("button", name="Form sent: by fax").click()
    expect(page.locator(".told")).to_contain_text("Saved.")
    assert owed.waits_for("POST", "/sessions/70/moves").body == {"kind": "form_sent", "how": "By fax"}


def test_paper_has_the_colours_of_day_and_nothing_to_press(owed: Stage, open_page: Open) -> None:
    page = open_page(owed, "/sessions/70/form?theme=dark", STATION)
    expect(page.locator(".rems .fields > div")).to_have_count(5)
    page.emulate_media(media="print")
    assert page.locator("button:visible, .button:visible, nav:visible").count() == 0
    expect(page.locator(".not-official")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_printed_bed_has_its_whole_timeline(here: Stage, open_page: Open) -> None:
    page = open_page(here, "/bed/4?theme=dark", STATION)
    expect(page.locator(".steps")).to_be_visible()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".timeline li").first).to_be_visible()
    expect(page.locator(".acts")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".timeline li").first).to_be_hidden()


# Everybody can read and use it.

SCREENS = ["/", "/?wall", "/bed/1", "/bed/4", "/bed/7", "/duty", "/sessions", "/sessions/70/form"]


@pytest.mark.parametrize("theme", ["dark", "light", "night"])
@pytest.mark.parametrize("path", SCREENS)
def test_axe_finds_nothing_on_a_screen_of_a_treatment(
    owed: Stage, open_page: Open, path: str, theme: str
) -> None:
    joint = "&" if "?" in path else "?"
    page = open_page(owed, f"{path}{joint}theme={theme}", STATION, reduced_motion="reduce")
    expect(page.locator(".disclaimer")).to_be_visible()
    if path.startswith("/sessions"):
        expect(page.locator(".sessions > li, .rems").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/", "/bed/4", "/sessions", "/sessions/70/form"])
def test_axe_finds_nothing_of_it_on_a_phone(owed: Stage, open_page: Open, path: str) -> None:
    page = open_page(owed, f"{path}?theme=light", PHONE, reduced_motion="reduce")
    expect(page.locator(".disclaimer")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def longest(n: int) -> Wire:
    """Every bed with the longest words of a treatment, beside a cuff that only its own monitor starts."""
    wire = afternoon()
    wire["staff"] = [{"name": "dana", "display": "Konstantina-Maria", "role": "nurse"}]
    wire["alarms"] = []
    at_ms, patients = wire["server"]["at_ms"], wire["beds"][:7]
    beds = []
    for number in range(1, n + 1):
        bed = json.loads(json.dumps(patients[(0, 1, 3, 5, 6)[number % 5]]))
        treatment = bed["treatment"]
        bed |= {"bed": str(number), "nurse": "dana", "cuff_refusal": "It takes no orders.", "devices": []}
        bed["session"]["session"] = treatment["session"] = 100 + number
        bed["cuff"] |= {"systolic_mmhg": 228, "diastolic_mmhg": 128, "next_due_at_ms": at_ms - 12 * MIN}
        if number % 5 == 1:
            treatment["phase"] = "aborted_before_dose"
        for due in treatment["dues"][:1]:
            due |= {
                "what": "onset_scores",
                "title": "Sedation and dissociation",
                "state": "late",
                "due_at_ms": at_ms - 12 * MIN,
                "late_at_ms": at_ms - MIN,
            }
        beds.append(bed)
    return wire | {"beds": beds}


@pytest.mark.parametrize("beds", [6, 8, 12, 20])
@pytest.mark.parametrize("size", [WALL, STATION, PHONE], ids=["wall", "station", "phone"])
def test_no_word_of_a_treatment_is_cut_in_the_widest_face(
    open_page: Open, beds: int, size: tuple[int, int]
) -> None:
    with played(longest(beds)) as stage:
        page = open_page(stage, "/?wall" if size == WALL else "/", size, still=True)
        expect(page.locator(".tile")).to_have_count(beds)
        # DejaVu Sans is a quarter wider than the faces that are asked for first.
        page.evaluate("document.documentElement.style.setProperty('--face', '\"DejaVu Sans Condensed\"')")
        assert page.evaluate(CUT) == []
        assert page.evaluate(OVERLAP) == []


def test_at_twenty_beds_the_age_of_a_pressure_is_legible_whatever_stands_beside_it(open_page: Open) -> None:
    with played(longest(20)) as stage:
        for size, least in ((STATION, 10.5), (WALL, 14)):
            page = open_page(stage, "/", size, still=True)
            sizes = page.locator(".tile .age").evaluate_all(
                "(all) => all.map((e) => parseFloat(getComputedStyle(e).fontSize))"
            )
            assert len(sizes) == 20
            assert min(sizes) >= least
            page.context.close()

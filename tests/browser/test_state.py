"""The one pure function of the screen: what a message makes of what was known. Asked in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import scene

RUN = """async (events) => {
  const { reduce, start, now } = await import('/js/state.js');
  const look = await import('/js/look.js'), say = await import('/js/say.js');
  let state = start(0), was = state; const said = [];
  for (const event of events) {
    was = state; state = reduce(state, event);
    said.push(say.utterances(was, state).map((s) => s.text));
  }
  return QUESTION;
}"""


def snapshot(clinic: scene.Wire, perf_ms: float = 0, seq: int = 0) -> dict[str, Any]:
    return {"kind": "snapshot", "data": clinic, "seq": seq, "perf_ms": perf_ms}


def events(seq: int, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "events", "data": {"seq": seq, "at_ms": scene.NOW, "changes": changes}, "perf_ms": 0}


def ask(house: Page, happened: list[dict[str, Any]], question: str) -> Any:
    return house.evaluate(RUN.replace("QUESTION", question), happened)


def test_the_clock_of_the_server_goes_on_between_its_words(house: Page) -> None:
    clinic = scene.clinic()
    assert ask(house, [snapshot(clinic)], "now(state, 1500)") == scene.NOW + 1500
    fast = clinic | {"server": clinic["server"] | {"speed": 10.0}}
    assert ask(house, [snapshot(fast)], "now(state, 1500)") == scene.NOW + 15_000


def test_a_beat_that_was_held_up_does_not_turn_the_clock_back(house: Page) -> None:
    late = {"kind": "beat", "data": {"at_ms": scene.NOW + 900, "seq": 0}, "perf_ms": 1000}
    assert ask(house, [snapshot(scene.clinic()), late], "now(state, 1000)") == scene.NOW + 1000
    later = {"kind": "beat", "data": {"at_ms": scene.NOW + 5000, "seq": 0}, "perf_ms": 1000}
    assert ask(house, [snapshot(scene.clinic()), later], "now(state, 1000)") == scene.NOW + 5000


def test_no_line_joins_what_two_devices_have_measured(house: Page) -> None:
    def said(after_s: int, value: float, device: str) -> dict[str, Any]:
        at_ms = scene.NOW + after_s * 1000
        return {"kind": "vital", "bed": "1", **scene.vital("spo2", value, at_ms=at_ms, device=device)}

    words = [said(20, 97, "monitor-1"), said(40, 90, "second-1"), said(60, 90, "second-1")]
    line = ask(
        house,
        [snapshot(scene.clinic()), *(events(seq, one) for seq, one in enumerate(words, 1))],
        "state.traces['1'].vitals.spo2.slice(-4)",
    )
    assert [value for _, value in line] == [97, None, 90, 90]
    assert line[1][0] == line[2][0] - 1


def test_a_message_that_was_heard_before_changes_nothing(house: Page) -> None:
    low = {"kind": "vital", "bed": "1", **scene.vital("spo2", 91)}
    worse = {"kind": "vital", "bed": "1", **scene.vital("spo2", 77)}
    assert (
        ask(
            house,
            [snapshot(scene.clinic()), events(1, low), events(1, worse)],
            "state.beds['1'].vitals.spo2.value",
        )
        == 91
    )


def test_a_beat_that_counts_further_than_was_heard_is_a_gap(house: Page) -> None:
    def beat(seq: int) -> dict[str, Any]:
        return {"kind": "beat", "data": {"at_ms": scene.NOW, "seq": seq}, "perf_ms": 0}

    assert ask(house, [snapshot(scene.clinic()), beat(0)], "state.gap") is False
    assert ask(house, [snapshot(scene.clinic()), beat(2)], "state.gap") is True
    assert (
        ask(house, [snapshot(scene.clinic()), beat(2), snapshot(scene.clinic(), seq=2)], "state.gap") is False
    )


@pytest.mark.shows("ALM-082")
def test_three_seconds_without_a_beat_are_late_and_ten_are_lost(house: Page) -> None:
    def quiet(ms: int) -> Any:
        return ask(house, [snapshot(scene.clinic()), {"kind": "tick", "perf_ms": ms}], "state.link.is")

    assert [quiet(ms) for ms in (0, 2_999, 3_000, 9_999, 10_000)] == ["up", "up", "late", "late", "lost"]
    back = [snapshot(scene.clinic()), {"kind": "tick", "perf_ms": 34_000}, snapshot(scene.clinic(), 34_500)]
    assert ask(house, back, "[state.link.is, state.link.away_ms]") == ["back", 34_500]
    assert (
        ask(
            house,
            [
                *back,
                {"kind": "tick", "perf_ms": 35_000},
                {"kind": "beat", "data": {"at_ms": scene.NOW, "seq": 0}, "perf_ms": 64_600},
                {"kind": "tick", "perf_ms": 64_700},
            ],
            "state.link.is",
        )
        == "up"
    )


def test_another_patient_starts_with_empty_traces_and_another_patients_history_is_not_filled_in(
    house: Page,
) -> None:
    clinic = scene.clinic()
    fill = {
        "kind": "history",
        "bed": "1",
        "session": 1,
        "vitals": {"spo2": [[scene.NOW - 60_000, 97]]},
        "cuffs": [],
        "perf_ms": 0,
    }
    kept = "state.traces['1'].vitals.spo2?.length ?? 0"
    assert ask(house, [snapshot(clinic), fill], kept) == 2
    newcomer = clinic["beds"][0] | {
        "session": scene.session(99, 0, (120, 70, 70, 98, 14)),
        "vitals": {},
        "cuff": None,
    }
    assert ask(house, [snapshot(clinic), fill, events(1, {"kind": "bed", "bed": newcomer})], kept) == 0
    assert ask(house, [snapshot(clinic), events(1, {"kind": "bed", "bed": newcomer}), fill], kept) == 0


def test_a_short_dip_stays_in_the_trace(house: Page) -> None:
    def at(ms: int, value: float) -> dict[str, Any]:
        return {"kind": "vital", "bed": "1", **scene.vital("spo2", value, at_ms=scene.NOW + ms)}

    course = [events(n + 1, at(10_000 + n * 1000, v)) for n, v in enumerate([98, 98, 98, 83, 98, 98, 97, 98])]
    assert 83 in ask(
        house, [snapshot(scene.clinic()), *course], "state.traces['1'].vitals.spo2.map((p) => p[1])"
    )


@pytest.mark.shows("ALM-024")
def test_the_worst_alarm_comes_first_and_then_the_longest(house: Page) -> None:
    assert ask(house, [snapshot(scene.clinic())], "look.chips(state).map((a) => a.bed)") == [
        "3",
        "4",
        "5",
        "6",
    ]


@pytest.mark.shows("ALM-035", "HZ-04")
def test_an_alarm_that_a_worse_one_speaks_for_is_neither_counted_nor_sounded(house: Page) -> None:
    clinic = scene.clinic()
    clinic["alarms"][1]["spoken_for"] = True
    assert ask(house, [snapshot(clinic)], "look.look(state, '3', now(state, 0)).line.more") == 0
    clinic["alarms"] = [clinic["alarms"][1]]
    assert ask(house, [snapshot(clinic)], "look.sounding(state)") is None


@pytest.mark.shows("ALM-035")
@pytest.mark.parametrize(
    ("change", "sounds"),
    [
        ({}, "HIGH"),
        ({"state": "acked", "acked_by": "dana", "acked_at_ms": scene.NOW}, "MEDIUM"),
        ({"state": "latched"}, "MEDIUM"),
        ({"state": "pending"}, "MEDIUM"),
        ({"quiet": "audio paused", "quiet_by": "dana"}, "MEDIUM"),
    ],
)
def test_only_what_is_active_and_not_quiet_sounds(house: Page, change: dict[str, Any], sounds: str) -> None:
    clinic = scene.clinic()
    clinic["alarms"][0] |= change
    assert ask(house, [snapshot(clinic)], "look.sounding(state).priority") == sounds


@pytest.mark.parametrize(
    ("hears", "sounds"),
    [
        ({"least": "LOW", "beds": None}, "HIGH"),
        ({"least": "HIGH", "beds": None}, "HIGH"),
        ({"least": "HIGH", "beds": ["1"]}, None),
        ({"least": None, "beds": None}, None),
    ],
)
def test_what_sounds_where_is_said_by_the_place_of_a_screen(
    house: Page, hears: dict[str, Any], sounds: str | None
) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = [alarm for alarm in clinic["alarms"] if alarm["bed"] != "1"]
    here = {"kind": "me", "me": {"name": "hall", "role": "display", "hears": hears}}
    assert ask(house, [snapshot(clinic), here], "look.sounding(state)?.priority ?? null") == sounds


def test_low_sounds_once_an_alarm(house: Page) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = [clinic["alarms"][4] | {"quiet": None}]
    assert ask(house, [snapshot(clinic)], "look.sounding(state).priority") == "LOW"
    assert ask(house, [snapshot(clinic)], "look.sounding(state, new Set([61]))") is None


def test_a_bed_has_no_digits_of_what_is_no_longer_fresh(house: Page) -> None:
    at = "look.look(state, '1', now(state, {})).rows.map((r) => r.number.text)"
    clinic = scene.fleeting(scene.clinic())
    assert ask(house, [snapshot(clinic)], at.format(9_600)) == ["98", "74", "13"]
    assert ask(house, [snapshot(clinic)], at.format(9_601)) == [None, None, None]
    assert (
        ask(house, [snapshot(clinic)], "look.look(state, '1', now(state, 48000)).rows[0].number.age_ms")
        == 48_400
    )


def test_the_pulse_of_the_oximeter_stands_in_under_its_own_name(house: Page) -> None:
    clinic = scene.clinic()
    clinic["beds"][0]["vitals"]["hr"] = scene.gone("hr", 70, 60_000)
    clinic["beds"][0]["vitals"]["pr_spo2"] = scene.vital("pr_spo2", 72)
    assert ask(house, [snapshot(clinic)], "look.look(state, '1', now(state, 0)).rows[1].vital") == "pr_spo2"


def test_each_thing_is_said_once(house: Page) -> None:
    clinic = scene.clinic()
    raised = scene.alarm(71, "7", "spo2-low", "HIGH", "SpO2 84 < 90", 1, vital="spo2", value=84, limit=90)
    change = {"kind": "alarm", "alarm": raised}
    again = {"kind": "alarm", "alarm": raised | {"value": 83, "text": "SpO2 83 < 90"}}
    ended = {"kind": "alarm", "alarm": {"alarm_id": 41, "bed": "4", "state": "clear"}}
    said = ask(
        house, [snapshot(clinic), events(1, change), events(2, again), events(3, ended)], "said.slice(1)"
    )
    assert said == [["Bed 7, high: SpO2 84, limit 90"], [], ["Bed 4: BP 172/98 ≥ 165 cleared"]]


@pytest.mark.shows("HZ-03")
def test_a_page_that_reached_nobody_is_said_aloud(house: Page) -> None:
    clinic = scene.clinic()
    failed = clinic["pages"][3] | {
        "outcomes": [{"way": "push", "outcome": "failed", "why": "no route", "at_ms": scene.NOW}]
    }
    said = ask(house, [snapshot(clinic), events(1, {"kind": "page", "page": failed})], "said[1]")
    assert said == ["Bed 5: the page reached nobody"]


@pytest.mark.shows("ALM-051", "HZ-08")
@pytest.mark.parametrize(
    ("minutes", "reminds"), [(4.9, False), (5.05, True), (5.5, False), (10.1, True), (15.0, True)]
)
def test_what_is_off_reminds_every_five_minutes_and_what_is_paused_never(
    house: Page, minutes: float, *, reminds: bool
) -> None:
    clinic = scene.clinic()
    since = {"since_ms": scene.NOW - round(minutes * 60_000), "by": "dana", "why": "asleep", "vital": None}
    off = since | {"pause_id": 3, "bed": "1", "kind": "audio off", "until_ms": None}
    paused = since | {"pause_id": 4, "bed": "2", "kind": "audio paused", "until_ms": scene.NOW + 9_000}
    clinic["beds"][0]["pauses"], clinic["beds"][1]["pauses"] = [off], [paused]
    asked = "look.reminding(state, now(state, 0))?.alarm_ids ?? []"
    names = ask(house, [snapshot(clinic)], asked)
    assert names == ([f"off-1-3-{int(minutes / 5)}"] if reminds else [])
    heard = f"look.reminding(state, now(state, 0), new Set({names}))"
    assert ask(house, [snapshot(clinic)], heard) is None


@pytest.mark.shows("ALM-050")
@pytest.mark.parametrize(
    ("quiet", "lit"),
    [("alarm paused", False), ("alarm off", False), ("audio paused", True), ("audio off", True)],
)
def test_what_is_paused_as_an_alarm_has_no_light_and_what_is_paused_as_audio_has(
    house: Page, quiet: str, *, lit: bool
) -> None:
    clinic = scene.clinic()
    clinic["alarms"] = [clinic["alarms"][0] | {"quiet": quiet, "quiet_by": "dana"}]
    shown = ask(house, [snapshot(clinic)], "look.look(state, '3', now(state, 0)).top?.rule ?? null")
    assert (shown is not None) is lit
    assert ask(house, [snapshot(clinic)], "look.chips(state).length") == int(lit)
    assert ask(house, [snapshot(clinic)], "look.sounding(state)") is None

"""Reading and acting over HTTP: what a nurse sends becomes one act under her name, or a sentence why not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from monitor.api.doors import Hears
from monitor.api.routes import API, ROUTES
from monitor.model import (
    Accepted,
    Acked,
    Admitted,
    AlarmState,
    Baseline,
    Cuff,
    CuffAsked,
    CuffCancelled,
    CuffTaken,
    Discharged,
    DutySet,
    HandedOver,
    HelpCalled,
    LimitSet,
    Paused,
    PauseKind,
    Priority,
    Rejected,
    Resumed,
    ScreenMoved,
    SoundSaid,
    SoundState,
    Staff,
    StaffAction,
    TrialAsked,
    Vital,
    VitalTyped,
)
from monitor.people import TokenKind
from monitor.snapshot import SoundNow
from tests.shells.api_clinic import ALIAS, BED3, BED4, NOON_MS, alarm, running, session, vital

ANNA = Staff("anna")


def bp(systolic: object, diastolic: object) -> dict[str, object]:
    return {"kind": "bp", "systolic_mmhg": systolic, "diastolic_mmhg": diastolic}


ACTS: list[tuple[str, str, Any, int, StaffAction | CuffTaken]] = [
    ("POST", "/beds/3/cuff", None, 200, CuffAsked(0, BED3, ANNA)),
    (
        "POST",
        "/beds/3/vitals",
        {"kind": "bp", "systolic_mmhg": 120, "diastolic_mmhg": 80},
        200,
        CuffTaken(0, NOON_MS, BED3, None, Cuff(120.0, 80.0), ANNA),
    ),
    (
        "POST",
        "/beds/3/vitals",
        {"kind": "temperature", "celsius": 36.8},
        200,
        VitalTyped(0, BED3, Vital.TEMPERATURE, 36.8, ANNA),
    ),
    (
        "POST",
        "/beds/3/vitals",
        {"kind": "respiration", "per_min": 0},
        200,
        VitalTyped(0, BED3, Vital.RESPIRATION, 0.0, ANNA),
    ),
    (
        "POST",
        "/sessions",
        {"bed": "4", "alias": "A7", "baseline": {"systolic_mmhg": 131.5}, "cuff_interval_s": 150},
        201,
        Admitted(0, BED4, "A7", Baseline(systolic=131.5), "watch", 150_000, ANNA),
    ),
    (
        "POST",
        "/sessions/7/moves",
        {"kind": "close", "why": "gone home"},
        200,
        Discharged(0, 7, ANNA, "gone home"),
    ),
    ("POST", "/alarms/1/acknowledge", None, 200, Acked(0, 1, ANNA)),
    (
        "POST",
        "/beds/3/pauses",
        {"kind": "audio paused", "seconds": 120, "why": ""},
        201,
        Paused(0, BED3, PauseKind.AUDIO, None, NOON_MS + 120_000, "", ANNA),
    ),
    (
        "POST",
        "/beds/3/pauses",
        {"kind": "alarm paused", "vital": "spo2", "seconds": 180, "why": "probe is moved"},
        201,
        Paused(0, BED3, PauseKind.ALARM, Vital.SPO2, NOON_MS + 180_000, "probe is moved", ANNA),
    ),
    ("DELETE", "/beds/3/pauses/2", None, 200, Resumed(0, BED3, 2, ANNA)),
    ("POST", "/pages/5/accept", None, 200, Accepted(0, 5, ANNA)),
    ("POST", "/pages/5/reject", None, 200, Rejected(0, 5, ANNA)),
    ("POST", "/pages/5/help", None, 200, HelpCalled(0, 5, ANNA)),
    ("POST", "/pages/5/reject", {"why": "with bed 4"}, 200, Rejected(0, 5, ANNA, "with bed 4")),
    (
        "PUT",
        "/beds/3/limits",
        {"rule": "spo2-low-m", "limit": 88, "why": "known COPD"},
        200,
        LimitSet(0, BED3, "spo2-low-m", 88.0, "known COPD", ANNA),
    ),
    (
        "PUT",
        "/beds/3/limits",
        {"rule": "spo2-low-m", "limit": None, "why": "back"},
        200,
        LimitSet(0, BED3, "spo2-low-m", None, "back", ANNA),
    ),
    (
        "PUT",
        "/duty",
        {"on": ["anna", "ben"], "beds": [{"bed": "3", "staff": "anna"}]},
        200,
        DutySet(0, (ANNA, Staff("ben")), ((BED3, ANNA),), ANNA),
    ),
    ("DELETE", "/beds/3/cuff", None, 200, CuffCancelled(0, BED3, ANNA)),
    ("POST", "/duty/hand-over", {"was": "anna", "to": "ben"}, 200, HandedOver(0, ANNA, Staff("ben"), ANNA)),
    ("POST", "/duty/test", None, 200, TrialAsked(0, ANNA)),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "act"), ACTS, ids=lambda value: type(value).__name__
)
async def test_an_act_goes_in_once_under_the_name_of_who_is_signed_in(
    method: str, path: str, body: Any, status: int, act: StaffAction | CuffTaken
) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.alarms[1] = alarm()
        answer = await client.request(method, API + path, json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["recorded"] is True
        assert clinic.ward.acts == [act]


@pytest.mark.parametrize(
    ("method", "path", "body"), [act[:3] for act in (*ACTS[:1], *ACTS[4:8])], ids=lambda v: type(v).__name__
)
async def test_what_the_ward_refuses_is_a_conflict_with_its_reason(method: str, path: str, body: Any) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.alarms[1] = alarm()
        clinic.ward.refuses = "A HIGH alarm has not been acknowledged: SpO2 84 < 90."
        answer = await client.request(method, API + path, json=body)
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "A HIGH alarm has not been acknowledged: SpO2 84 < 90."


async def test_an_act_that_could_not_be_written_down_says_so() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.recorded = False
        for method, path, body, status, _ in ACTS[:1] + ACTS[4:5]:
            answer = await client.request(method, API + path, json=body)
            assert (answer.status_code, answer.json()["recorded"]) == (status, False)


async def test_what_was_made_is_named_in_the_answer() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        opened = await client.post(f"{API}/sessions", json={"bed": "4", "alias": "A7"})
        assert opened.json() == {"recorded": True, "session": 8}
        paused = await client.post(f"{API}/beds/3/pauses", json={"kind": "audio paused", "seconds": 60})
        assert paused.json() == {"recorded": True, "pause_id": 9}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/beds/9"),
        ("GET", "/beds/9/trend"),
        ("GET", "/beds/4/trend"),
        ("GET", "/sessions/99"),
        ("POST", "/beds/9/cuff"),
        ("DELETE", "/beds/9/cuff"),
        ("POST", "/alarms/99/acknowledge"),
        ("POST", "/pages/99/accept"),
        ("DELETE", "/beds/3/pauses/99"),
    ],
)
async def test_what_is_not_there_is_said_in_a_sentence(method: str, path: str) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        answer = await client.request(method, API + path)
        assert answer.status_code == 404
        assert answer.json()["detail"].endswith(".")
        assert clinic.ward.acts == []


@pytest.mark.parametrize("bed", ["A", "3%20", "-3", "a" * 33, "%2b", "%23", "3%00", "$share", "%D9%A3"])
async def test_a_bed_is_named_with_plain_letters(bed: str) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        assert (await client.get(f"{API}/beds/{bed}")).status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "bad", "why"),
    [
        ("/beds/3/vitals", bp(39.9, 20), "systolic_mmhg", "at least 40"),
        ("/beds/3/vitals", bp(281, 80), "systolic_mmhg", "at most 280"),
        ("/beds/3/vitals", bp(80, 80), "bp", "below the upper one"),
        ("/beds/3/vitals", bp("120", 80), "systolic_mmhg", "a number"),
        ("/beds/3/vitals", bp([120], 80), "systolic_mmhg", "a number"),
        ("/beds/3/vitals", {"kind": "bp", "systolic_mmhg": 120}, "diastolic_mmhg", "missing"),
        ("/beds/3/vitals", {"kind": "weight", "kg": 80}, "body", "one of 'bp', 'temperature'"),
        ("/beds/3/vitals", {"kind": "temperature", "celsius": 24.9}, "celsius", "at least 25"),
        ("/beds/3/pauses", {"kind": "audio paused", "seconds": 121}, "body", "at most 120 seconds"),
        ("/beds/3/pauses", {"kind": "audio paused", "seconds": 181, "why": "x"}, "seconds", "at most 180"),
        ("/beds/3/pauses", {"kind": "alarm paused", "vital": "spo2", "seconds": 60}, "body", "and why"),
        ("/beds/3/pauses", {"kind": "alarm paused", "seconds": 60, "why": "x"}, "body", "which vital"),
        ("/beds/3/pauses", {"kind": "muted", "seconds": 60}, "kind", "'alarm paused' or 'alarm off'"),
        ("/beds/3/pauses", {"kind": "audio off", "seconds": 60, "why": "asleep"}, "", "what is off has none"),
        ("/sessions", {"bed": "3", "alias": ""}, "alias", "empty"),
        ("/sessions", {"bed": "3", "alias": "x" * 41}, "alias", "too long"),
        ("/sessions", {"bed": "3", "alias": "a\x1b[31m"}, "alias", "on one line"),
        ("/sessions", {"bed": "3", "alias": "x", "surname": "x"}, "surname", "not known"),
        ("/sessions", {"bed": "3", "alias": "x", "cuff_interval_s": 59}, "cuff_interval_s", "at least 60"),
        ("/sessions/7/moves", {"kind": "open"}, "body", "'close'"),
        ("/signin", {"name": "anna"}, "body", "password or a PIN"),
        ("/screens/sound", {"state": "loud"}, "state", "'on', 'off' or 'checked'"),
        ("/screens/sound", {"state": "on", "screen": "wall"}, "screen", "not known"),
    ],
)  # fmt: skip
async def test_a_form_error_names_its_field_and_says_what_to_enter(
    path: str, body: Any, bad: str, why: str
) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        answer = await client.post(API + path, json=body)
        assert answer.status_code == 422
        errors = answer.json()["errors"]
        assert any(error["field"].endswith(bad) and why in error["problem"] for error in errors), errors
        assert clinic.ward.acts == []


async def test_a_bed_is_read_with_its_alarms_links_and_ages() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.alarms = {1: alarm(), 2: alarm(2, BED4)}
        clinic.ward.at_ms = NOON_MS + 4_000
        tile = (await client.get(f"{API}/beds/3")).json()
        assert tile["bed"]["vitals"]["spo2"]["value"] == 97
        assert tile["age_ms"] == {"spo2": 4_000}
        assert [each["alarm_id"] for each in tile["alarms"]] == [1]
        assert [each["device"] for each in tile["links"]] == ["monitor-3"]
        clinic.ward.at_ms = NOON_MS + 10_001
        tiles = (await client.get(f"{API}/beds")).json()["beds"]
        assert tiles[0]["bed"]["vitals"]["spo2"]["value"] is None, "old is not shown as new"


async def test_a_trend_never_reaches_back_before_the_session() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        opened_ms = session().opened_at_ms
        for asked, from_ms, to_ms in (
            ({}, opened_ms, NOON_MS),
            ({"from_ms": 0}, opened_ms, NOON_MS),
            ({"from_ms": opened_ms + 5, "to_ms": NOON_MS - 5}, opened_ms + 5, NOON_MS - 5),
            ({"from_ms": 0, "to_ms": 10}, opened_ms, opened_ms),
            ({"to_ms": 2**53}, opened_ms, NOON_MS),
        ):
            trend = (await client.get(f"{API}/beds/3/trend", params=asked)).json()
            assert (trend["from_at_ms"], trend["to_at_ms"]) == (from_ms, to_ms)
            assert trend["vitals"]["spo2"] == [[from_ms, 93, 94], [to_ms, None, None]]
        assert trend["units"] == {"spo2": "%"}
        assert [(c["systolic_mmhg"], c["why"]) for c in trend["cuffs"]] == [(120, None), (None, "cuff leak")]


@pytest.mark.parametrize(("points", "status"), [(1, 422), (2, 200), (2000, 200), (2001, 422), ("x", 422)])
async def test_a_trend_has_as_many_points_as_a_screen_can_show(points: object, status: int) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        answer = await client.get(f"{API}/beds/3/trend", params={"points": str(points)})
        assert answer.status_code == status


async def test_a_patient_change_leaves_nothing_of_the_last_one() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.alarms = {1: alarm(text="SpO2 61 canary")}
        clinic.turn()
        clinic.ward.alarms = {}
        clinic.ward.at_ms = NOON_MS + 5_000
        empty = replace(clinic.ward.beds[BED4], bed=BED3)
        new = replace(session(8, opened_at_ms=NOON_MS + 5_000), alias="New-Alias")
        clinic.ward.beds[BED3] = replace(empty, session=new)
        text = ""
        for row in ROUTES:
            if (
                row.method == "GET"
                and row.path.startswith(API)
                and not row.path.endswith(("/live", "/sessions"))
            ):
                path = re.sub(r"\{session\}", "8", row.path)
                text += (await client.get(re.sub(r"\{\w+\}", "3", path))).text
        async with clinic.live("anna") as live:
            text += str(await live.next("snapshot"))
        assert "New-Alias" in text
        assert ALIAS not in text
        assert "canary" not in text
        assert not re.search(r"\b(97|88)(\.0)?\b", text)


async def test_sessions_are_listed_newest_first_closed_ones_too() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.closed = (session(5), session(6))
        listed = (await client.get(f"{API}/sessions")).json()["sessions"]
        assert [each["session"] for each in listed] == [7, 6, 5]
        assert (await client.get(f"{API}/sessions/5")).json()["alias"] == ALIAS


async def test_alarms_are_listed_worst_first_and_by_state() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.alarms = {
            1: alarm(1, priority=Priority.LOW),
            2: alarm(2, priority=Priority.HIGH, state=AlarmState.LATCHED),
            3: alarm(3, priority=Priority.HIGH, since_ms=NOON_MS - 9_000),
        }
        listed = (await client.get(f"{API}/alarms")).json()["alarms"]
        assert [each["alarm_id"] for each in listed] == [3, 2, 1]
        latched = (await client.get(f"{API}/alarms", params={"state": "latched"})).json()["alarms"]
        assert [each["alarm_id"] for each in latched] == [2]
        beside = (await client.get(f"{API}/alarms", params={"bed": "4"})).json()["alarms"]
        assert beside == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"state": "gone"}, "Enter 'clear', 'pending', 'active', 'acked' or 'latched'."),
        ({"state": ""}, "Enter 'clear', 'pending', 'active', 'acked' or 'latched'."),
        ({"limit": "0"}, "Enter at least 1."),
        ({"limit": "501"}, "Enter at most 500."),
        ({"limit": "all"}, "Enter a whole number."),
        ({"bed": "../3"}, "This is not as it should be."),
    ],
)
async def test_what_cannot_be_asked_of_the_alarms_is_said(asked: dict[str, str], why: str) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        answer = await client.get(f"{API}/alarms", params=asked)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.json()["errors"] == [{"field": next(iter(asked)), "problem": why}]
        assert (await client.get(f"{API}/alarms", params={"bed": "9"})).status_code == 404


async def test_alarms_that_are_over_are_listed_newest_first_and_no_more_than_asked() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.over = tuple(
            alarm(number, state=AlarmState.CLEAR, session=7, over_at_ms=NOON_MS + number)
            for number in range(1, 6)
        )
        listed = (await client.get(f"{API}/alarms", params={"state": "clear", "limit": 2})).json()["alarms"]
        assert [(each["alarm_id"], each["session"], each["over_at_ms"]) for each in listed] == [
            (5, 7, NOON_MS + 5),
            (4, 7, NOON_MS + 4),
        ]


@pytest.mark.shows("ALM-032")
@pytest.mark.parametrize("state", ["on", "off", "checked"])
async def test_a_screen_says_how_its_sound_does_under_its_own_name(state: str) -> None:
    async with running() as clinic:
        body = {"state": state}
        wall = clinic.headers("display")
        over = {**wall, "Cookie": wall["Cookie"] + "; " + clinic.headers("anna")["Cookie"]}
        for headers, screen, by in ((wall, "floor", None), (over, "floor", ANNA)):
            async with clinic.browser() as client:
                answer = await client.post(f"{API}/screens/sound", json=body, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"recorded": True})
            said = SoundSaid(0, screen, paired=True, state=SoundState(state), by=by)
            assert clinic.ward.acts[-1] == said


async def test_a_screen_sounds_what_its_place_allows_and_a_silent_one_is_none_that_anybody_relies_on() -> (
    None
):
    sounds = {"floor": Hears(None), "hall": Hears(Priority.HIGH, ("3",))}
    async with running(sounds=sounds) as clinic, clinic.browser() as client:
        silent = clinic.headers("display")
        told = (await client.get(f"{API}/me", headers=silent)).json()
        assert told["hears"] == {"least": None, "beds": None}
        name = silent["Cookie"].partition("=")[0]
        hall = silent | {"Cookie": f"{name}={clinic.token(TokenKind.SCREEN, 'hall', 'hall')}"}
        told = (await client.get(f"{API}/me", headers=hall)).json()
        assert told["hears"] == {"least": "HIGH", "beds": ["3"]}
        assert (
            await client.post(f"{API}/screens/sound", json={"state": "off"}, headers=silent)
        ).status_code == 200
        assert clinic.ward.acts[-1] == SoundSaid(0, "floor", paired=True, state=None, by=None)
    async with running(sounds=sounds) as clinic, clinic.browser("anna") as own:
        assert (await own.get(f"{API}/me")).json()["hears"] == {"least": "LOW", "beds": None}


async def test_a_browser_that_is_not_paired_goes_by_its_sign_in_until_that_ends() -> None:
    async with running() as clinic, clinic.browser("anna") as one, clinic.browser("anna") as other:
        for client in (one, other, one):
            assert (await client.post(f"{API}/screens/sound", json={"state": "off"})).status_code == 200
        assert (await one.post(f"{API}/signout")).status_code == 204
        said = [act for act in clinic.ward.acts if isinstance(act, SoundSaid)]
        first, second, again, gone = said
        assert first.screen == again.screen != second.screen
        assert not first.paired
        assert (first.by, first.screen.partition(".")[0]) == (ANNA, "anna")
        assert gone == replace(first, state=None)


async def test_who_paired_a_screen_and_who_revoked_it_is_on_record() -> None:
    async with running() as clinic, clinic.browser("eli") as client:
        assert (await client.post(f"{API}/screens", json={"name": "wall"})).status_code == 201
        assert (await client.delete(f"{API}/screens/wall")).status_code == 204
        eli = Staff("eli")
        paired, revoked = (ScreenMoved(0, "wall", paired=paired, by=eli) for paired in (True, False))
        assert clinic.ward.acts == [paired, revoked]


async def test_status_and_stream_say_where_no_alarm_is_heard() -> None:
    async with running() as clinic, clinic.browser("display") as client:
        clinic.ward.sounds["floor"] = SoundNow("floor", True, False, None, NOON_MS, None, None)  # noqa: FBT003  paired, off
        off = {
            "screen": "floor", "paired": True, "state": "off", "by": None, "at_ms": NOON_MS,
            "checked_at_ms": None, "checked_by": None,
        }  # fmt: skip
        assert (await client.get(f"{API}/status")).json()["sounds"] == [off]
        async with clinic.live("anna") as live:
            assert (await live.next("snapshot"))[1]["sounds"] == [off]


async def test_status_tells_how_the_service_does() -> None:
    async with running() as clinic, clinic.browser("display") as client:
        clinic.state = replace(clinic.state, recording=False, recording_why="The disk is full.")
        status = (await client.get(f"{API}/status")).json()
        assert (status["version"], status["uptime_ms"], status["journal_seq"]) == ("1.2.3", 1000, 41)
        assert (status["recording"], status["recording_why"]) == (False, "The disk is full.")
        assert status["beds"] == ["3", "4"]


async def test_a_frozen_ward_is_neither_alive_nor_ready() -> None:
    async with running() as clinic, clinic.browser() as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json() == {"ok": True, "why": ""}
        clinic.state = replace(clinic.state, recording=False, recording_why="The disk is full.")
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        clinic.state = replace(clinic.state, turn_age_ms=10_001)
        assert (await client.get("/healthz")).status_code == 503


async def test_every_screen_of_the_dashboard_is_the_one_page() -> None:
    async with running() as clinic, clinic.browser() as client:
        pages = [
            await client.get(path)
            for path in ("/", "/?wall", "/bed/3", "/bed/3/start", "/alarms", "/pages/5", "/duty", "/signin")
        ]
        assert {page.status_code for page in pages} == {200}
        assert len({page.text for page in pages}) == 1


async def test_the_openapi_document_is_whole_and_every_answer_fits_it() -> None:
    async with running() as clinic, clinic.browser("carla") as client:
        clinic.ward.alarms = {1: alarm()}
        document = (await client.get("/openapi.json")).json()
        assert document["openapi"].startswith("3.")
        known = set(document["components"]["schemas"])
        used = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(document).decode()))
        assert used <= known
        documented = {(m.upper(), path) for path, each in document["paths"].items() for m in each}
        assert documented == {(row.method, row.path) for row in ROUTES if row.documented}
        operations = [o["operationId"] for each in document["paths"].values() for o in each.values()]
        assert len(operations) == len(set(operations))
        for row in ROUTES:
            if row.method == "GET" and row.shows is not None and "screens" not in row.path:
                path = row.path.replace("{bed}", "3").replace("{session}", "7").replace("{page_id}", "5")
                answer = await client.get(path)
                assert answer.status_code == 200, path
                msgspec.json.decode(answer.content, type=row.shows)


async def test_the_documents_page_lists_every_operation_and_needs_nobody_elses_server() -> None:
    async with running() as clinic, clinic.browser() as client:
        text = (await client.get("/docs")).text
        for row in ROUTES:
            if row.documented:
                assert f"<code>{row.path}</code>" in text
        assert "http" not in text.replace("openapi", "")
        assert "<script" not in text
        assert "Not a medical device." in text


async def test_old_words_on_a_vital_do_not_become_new_by_being_read_again() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        bed = clinic.ward.beds[BED3]
        clinic.ward.beds[BED3] = replace(bed, vitals=(vital(97.0, NOON_MS - 60_000),))
        for path in (f"{API}/beds", f"{API}/beds/3"):
            assert '"value":97' not in (await client.get(path)).text

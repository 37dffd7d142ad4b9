"""Treatments over HTTP, on the real service and journal: opened, moved, refused, proved, told, kept."""

from __future__ import annotations

import json
import random
import re
from math import inf
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from monitor.api.move_bodies import StepBody
from monitor.model import Bed
from monitor.treatment import KINDS, Act, Phase, TreatmentEvent
from tests.core.visit import MIN
from tests.shells.api_clinic import PASSWORD, PIN
from tests.shells.treated_clinic import API, Treats, treating

KIM = {"name": "kim", "pin": PIN}
LEE = {"name": "lee", "pin": PIN}
DOSE = {"weight_kg": 80, "dose_mg_per_kg": 0.5, "concentration_mg_per_ml": 1, "rate_ml_per_h": 60}
DEVICE = {"number": 1, "lot": "24B1", "expires": "2028-05-31", "last": False}

MOVES: list[tuple[str, dict[str, Any]]] = [
    *((kind, {"why": "so it is"}) for kind in KINDS.values()),
    ("answer", {"question": "identity", "yes": True}),
    ("flag", {"flag": "opioid", "on": True, "why": "said so now"}),
    ("baseline_restart", {"why": "talked all the time"}),
    ("dose", DOSE | {"second": LEE}),
    ("device", DEVICE),
    ("score", {"score": "moaas", "value": 5}),
    ("symptom", {"symptom": "nausea"}),
    ("adverse_event", {"what": "fell", "serious": False}),
    ("note", {"text": "sleeps"}),
    ("correct", {"entry": 1, "instead": None, "why": "typed wrong"}),
    ("check_done", {"check": "check_40"}),
    ("override", {"what": "gate:bp-elevated", "why": "known", "by": KIM}),
    ("sign", {"by": KIM}),
    ("form_sent", {"how": "fax"}),
]
"""One move of each kind."""


def said(clinic: Treats, session: int) -> list[TreatmentEvent]:
    """What the record of a session holds."""
    known = clinic.service.ward.treatment(session)
    assert known is not None
    return known[0].events


async def test_a_nurse_takes_a_nasal_session_from_check_in_to_the_sent_form(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        assert (await dana.opens()).json()["session"] == 1
        await dana.doses()
        assert (await dana.now())["phase"] == "onset"
        await clinic.waits(36)
        assert (await dana.now())["phase"] == "check_40"
        await clinic.cuff("3", 134, 84)
        await dana.scores(moaas=5, dissociation=1)
        await dana.does("check_done", check="check_40")
        await clinic.waits(70)
        await dana.makes_ready()
        now = await dana.now()
        assert (now["ready"], now["next"], now["phase"]) == (True, "Ready to leave", "decline")
        await dana.does("ready")
        assert "The blood pressure before leaving, in the ready check." in await dana.refused("close")
        await clinic.cuff("3", 121, 76)
        assert await dana.refused("close") == ["Signature: Signed by a prescriber, or by 2 people."]
        await dana.does("sign", by=KIM)
        await dana.does("close")
        seen = await dana.sees()
        assert (seen["phase"], seen["treatment"]["missing"]) == ("closed", ["Form due in 7 days"])
        assert seen["now"]["sign_off"]["signed"][0]["by"] == "kim"
        await dana.does("form_sent", how="fax")
        seen = await dana.sees()
        assert (seen["now"], seen["treatment"]["missing"]) == (None, [])
        assert seen["treatment"]["form"]["sent_by"] == "dana"
        after = await dana.moves("note", text="one more")
        assert (after.status_code, after.json()["detail"]) == (409, "This session is closed.")


async def test_an_infusion_is_checked_by_two_and_runs_to_its_recovery(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens("iv_ketamine_40")
        await dana.checks_in()
        await dana.takes_baseline()
        await dana.does("to_timeout")
        assert await dana.refused("infusion_start") == ["The dose, checked by two people."]
        await dana.does("dose", **DOSE, second=LEE)
        await dana.does("infusion_start")
        now = await dana.now()
        assert (now["dose"]["second"], now["dose"]["lasts_min"]) == ("lee", 40)
        assert (now["running"], now["at_peak"], now["clocks"]["ring"]) == (True, True, "expected")
        await dana.does("hold", why="feels unwell")
        await dana.does("resume")
        await clinic.waits(40)
        await dana.does("infusion_end", minutes_ago=2)
        clocks = (await dana.now())["clocks"]
        assert clocks["end_at_ms"] == clinic.clock.now_ms() - 2 * MIN
        assert clocks["ring_until_at_ms"] == clocks["floor_until_at_ms"] == clocks["end_at_ms"] + 60 * MIN


async def test_after_a_crash_a_treatment_stands_where_it_was_and_goes_on(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.doses()
        before, at_ms, session = await dana.now(), clinic.clock.now_ms(), dana.session
    async with treating(tmp_path / "data", at_ms) as clinic, clinic.browser() as dana:
        dana.session = session
        after = await dana.now()
        same = ("phase", "onward", "clocks", "devices", "questions", "scores", "timeline", "flags", "checks")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        await clinic.waits(1)
        await dana.does("symptom", symptom="nausea")


@pytest.mark.parametrize(("kind", "body"), MOVES, ids=[kind for kind, _ in MOVES])
async def test_a_move_becomes_its_act_under_the_name_of_who_does_it_or_leaves_no_trace(
    kind: str, body: dict[str, Any], tmp_path: Path
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        answer = await dana.moves(kind, **body)
        assert answer.status_code in {200, 409}, answer.text
        if answer.status_code == 409:
            assert all(line.endswith((".", "?")) for line in answer.json()["missing"])
            assert said(clinic, 1) == []
        else:
            assert said(clinic, 1)[0].by == ("kim" if kind == "override" else "dana")  # type: ignore[union-attr]


def test_every_act_of_a_session_has_a_kind_of_move_and_every_step_a_name() -> None:
    kinds = {kind for kind, _ in MOVES}
    assert len(kinds) == len(MOVES) == len(KINDS) + len(get_args(Act)) - 1
    assert set(get_args(StepBody.model_fields["kind"].annotation)) == set(KINDS.values())


def test_the_documents_name_every_kind_of_move() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    table = text[text.index("| kind | besides | is |") :].split("\n\n")[0]
    first = "".join(line.split("|")[1] for line in table.splitlines()[2:])
    assert set(re.findall(r"`(\w+)`", first)) == {kind for kind, _ in MOVES}


async def test_the_openapi_document_tells_the_kinds_apart(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        document = (await dana.client.get("/openapi.json")).json()
        body = document["paths"][f"{API}/sessions/{{session}}/moves"]["post"]["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        assert set(schema["discriminator"]["mapping"]) == {kind for kind, _ in MOVES}
        shown = document["components"]["schemas"]
        assert "until_ms" in shown["TreatmentNow"]["properties"]
        assert clinic.port


ASKERS = {"": 401, "dana": None, "carla": None, "kim": None, "eli": 403, "display": 403}


@pytest.mark.parametrize("asker", ASKERS)
async def test_every_kind_of_move_is_for_those_at_the_bedside_alone(asker: str, tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic:
        async with clinic.browser("carla") as opener:
            await opener.opens()
        screen = "wall" if asker == "display" else None
        async with clinic.browser("" if asker == "display" else asker, screen=screen) as somebody:
            somebody.session = 1
            for kind, body in MOVES:
                proof = {"name": "kim", "password": PASSWORD}
                body |= {key: proof for key in ("by", "second") if key in body}
                answer = await somebody.moves(kind, **body)
                refused = answer.status_code if answer.status_code in {401, 403} else None
                assert refused == ASKERS[asker], f"{kind}: {answer.text}"
                if kind == "abort":
                    break_off = said(clinic, 1)
                    assert bool(break_off) == (ASKERS[asker] is None)


# Who proves it.


@pytest.mark.parametrize(
    ("second", "status", "words"),
    [
        ({"name": "lee", "pin": "0000"}, 403, "do not belong together"),
        ({"name": "nobody", "pin": PIN}, 403, "do not belong together"),
        ({"name": "eli", "pin": PIN}, 403, "not one of those at the bedside"),
        ({"name": "dana", "pin": PIN}, 409, "two different people"),
        ({"name": "lee"}, 422, ""),
        ({"name": "lee", "pin": PIN, "password": PASSWORD}, 422, ""),
    ],
)
async def test_the_second_person_of_a_dose_is_another_one_and_proves_it(
    second: dict[str, str], status: int, words: str, tmp_path: Path
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens("iv_ketamine_40")
        await dana.checks_in()
        await dana.takes_baseline()
        await dana.does("to_timeout")
        answer = await dana.moves("dose", **DOSE, second=second)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
        assert PIN not in answer.text
        assert PASSWORD not in answer.text
        assert (await dana.now())["dose"] is None


async def test_a_wrong_second_pin_counts_as_at_a_sign_in(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        for _ in range(5):
            assert (await dana.moves("sign", by={"name": "kim", "pin": "0000"})).status_code == 403
        for answer in (
            await dana.moves("sign", by=KIM),
            await dana.client.post(f"{API}/signin", json=KIM),
        ):
            assert (answer.status_code, "Too many wrong PINs" in answer.json()["detail"]) == (429, True)
        with_password = await dana.moves("sign", by={"name": "kim", "password": PASSWORD})
        assert with_password.json()["missing"] == ["A session is signed in Ready check."]


async def test_a_pin_signs_only_on_a_paired_screen(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser(screen=None) as dana:
        await dana.opens()
        answer = await dana.moves("sign", by=KIM)
        assert (answer.status_code, "paired screen" in answer.json()["detail"]) == (403, True)


async def test_a_prescriber_decides_at_the_nurses_screen_and_the_nurse_stays_signed_in(
    tmp_path: Path,
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.checks_in()
        await dana.takes_baseline(148, 94)
        (gate,) = (await dana.now())["gates"]
        assert (gate["result"], gate["may"], gate["open"]) == ("ask", ["prescriber"], False)
        lines = await dana.refused("override", what=gate["override"], why="known", by=LEE)
        assert lines == ["A prescriber decides this."]
        assert await dana.refused("override", what=gate["override"], why=" ", by=KIM) == [
            "A decision needs a reason."
        ]
        await dana.does("override", what=gate["override"], why="known for years", by=KIM)
        (gate,) = (await dana.now())["gates"]
        assert (gate["open"], gate["decided"]["by"], gate["decided"]["role"]) == (True, "kim", "prescriber")
        assert gate["decided"]["screen"] == "floor"
        assert (await dana.client.get(f"{API}/me")).json()["name"] == "dana"
        await dana.gives(1)


# What is sent, and what is not taken.


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({"kind": "score", "score": "moaas", "value": 11}, "value", "at most 10"),
        ({"kind": "score", "score": "charm", "value": 1}, "score", "'moaas'"),
        ({"kind": "device"} | DEVICE | {"minutes_ago": 11}, "minutes_ago", "at most 10"),
        ({"kind": "device"} | DEVICE | {"minutes_ago": -1}, "minutes_ago", "at least 0"),
        ({"kind": "answer", "question": "identity", "yes": "yes"}, "yes", "true or false"),
        ({"kind": "answer", "question": "identity"}, "yes", "missing"),
        ({"kind": "note", "text": "a\x1b[31m"}, "text", "on one line"),
        ({"kind": "note", "text": "x" * 1001}, "text", "at most 1000"),
        ({"kind": "hold", "why": "", "bed": "3"}, "bed", "not known"),
        ({"kind": "override", "what": "everything", "why": "x", "by": KIM}, "what", "not as it should be"),
        ({"kind": "dance"}, "body", "'check_done'"),
        ({}, "body", "kind"),
    ],
)
async def test_a_slip_is_a_form_error_that_names_its_field(
    body: dict[str, Any], field: str, problem: str, tmp_path: Path
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        answer = await dana.client.post(f"{API}/sessions/1/moves", json=body)
        assert answer.status_code == 422, answer.text
        errors = answer.json()["errors"]
        assert any(e["field"].endswith(field) and problem in e["problem"] for e in errors), errors
        assert said(clinic, 1) == []


async def test_what_was_done_earlier_stands_at_its_own_time_and_was_entered_now(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await clinic.waits(10)
        await dana.does("score", score="pain", value=3, minutes_ago=4.5)
        line = (await dana.now())["timeline"][-1]
        now_ms = clinic.clock.now_ms()
        assert (line["at_ms"], line["entered_at_ms"]) == (now_ms - round(4.5 * MIN), now_ms)
        assert (line["who"], line["words"]) == ("dana", "Pain: 3")


async def test_a_wrong_score_is_struck_and_the_right_one_stands_in_its_place(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana, clinic.browser("lee") as lee:
        await dana.opens()
        await dana.does("score", score="pain", value=3)
        lee.session = dana.session
        await clinic.waits(2)
        pain = next(one for one in (await dana.now())["scores"] if one["score"] == "pain")
        instead = {"kind": "score", "score": "pain", "value": 1, "note": "asked again"}
        await lee.does("correct", entry=pain["entry"], instead=instead, why="misheard")
        now = await dana.now()
        old, new = (line for line in now["timeline"] if line["kind"] == "score")
        assert old["words"] == "Pain: 3"
        assert old["struck"] == {
            "by": "lee", "at_ms": clinic.clock.now_ms(), "why": "misheard", "instead": new["entry"]
        }  # fmt: skip
        assert (new["words"], new["replaces"], new["at_ms"]) == (
            "Pain: 1. asked again",
            old["entry"],
            old["at_ms"],
        )
        assert (old["may_correct"], new["may_correct"]) == (False, True)
        pain = next(one for one in now["scores"] if one["score"] == "pain")
        assert (pain["value"], pain["entry"], pain["by"]) == (1, new["entry"], "lee")
        assert await dana.refused("correct", entry=old["entry"], instead=None, why="again") == [
            "lee has corrected this already."
        ]


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"therapy": "spravato_uk"}, "There is no therapy spravato_uk here."),
        ({"age_years": 17}, "An age of 17 is not within 18 to 120."),
        ({"devices": 4}, "2 to 3 devices can be planned."),
        ({"therapy": "iv_ketamine_40", "devices": 2}, "iv_ketamine_40 has no devices."),
    ],
)
async def test_a_session_that_may_not_begin_says_why(
    changed: dict[str, Any], missing: str, tmp_path: Path
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        answer = await dana.opens(**changed)
        assert (answer.status_code, answer.json()["detail"]) == (409, missing)
        assert clinic.service.ward.treatments() == ()


async def test_a_bed_has_one_patient_and_nothing_about_one_is_preset(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        assert (await dana.opens()).json()["missing"] == ["Bed 3 has an open session. Close it first."]
        bare = await dana.client.post(
            f"{API}/sessions", json={"bed": "4", "alias": "A", "therapy": "spravato_us"}
        )
        assert {error["field"] for error in bare.json()["errors"]} == {"age_years", "devices", "first"}
        assert clinic.service.ward.treatments() == (1,)


async def test_a_plain_watch_stays_as_it_is(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        opened = await dana.client.post(f"{API}/sessions", json={"bed": "4", "alias": "A7"})
        dana.session = opened.json()["session"]
        assert (await dana.sees())["now"] is None
        answer = await dana.moves("note", text="sleeps")
        assert (answer.status_code, "plain watch" in answer.json()["detail"]) == (409, True)
        await dana.does("close", why="gone home")
        assert (await dana.sees())["phase"] == "closed"
        assert clinic.service.ward.treatments() == ()


async def test_what_a_session_can_be_opened_with_is_listed_with_why_not(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        listed = (await dana.client.get(f"{API}/therapies")).json()["therapies"]
        assert {one["therapy"]: (one["way"], one["devices"], one["refusal"]) for one in listed} == {
            "spravato_us": ("Nasal", [2, 3], None),
            "spravato_eu": ("Nasal", [1, 3], None),
            "iv_ketamine_40": ("IV", None, None),
        }
        assert clinic.port


async def test_sessions_are_listed_by_what_is_asked_for(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.does("abort", why="changed her mind")
        await dana.does("sign", by=KIM)
        await dana.does("close")
        await dana.opens("iv_ketamine_40")
        await dana.client.post(f"{API}/sessions", json={"bed": "4", "alias": "A7"})

        async def asked(**query: Any) -> list[int]:
            answer = await dana.client.get(f"{API}/sessions", params=query)
            assert answer.status_code == 200, answer.text
            return [one["session"] for one in answer.json()["sessions"]]

        assert await asked() == [3, 2, 1]
        assert await asked(state="open") == [3, 2]
        assert await asked(state="closed") == [1]
        assert await asked(bed="3") == [2, 1]
        assert await asked(therapy="spravato_us") == [1]
        assert await asked(therapy="watch") == [3]
        assert await asked(alias="blue-3") == [2, 1]
        assert await asked(before=3, limit=1) == [2]
        assert await asked(owing="true") == []
        first = (await dana.client.get(f"{API}/sessions", params={"limit": 1})).json()
        assert (len(first["sessions"]), first["more"]) == (1, True)
        assert clinic.port


# What screens are told.


async def test_the_stream_tells_a_treatment_by_every_turn_that_changes_it(tmp_path: Path) -> None:
    async with (
        treating(tmp_path / "data") as clinic,
        clinic.browser() as dana,
        clinic.live(clinic.headers("lee")) as live,
    ):
        _, snapshot, _ = await live.next("snapshot")
        assert [one["therapy"] for one in snapshot["therapies"]] == [
            "spravato_us", "spravato_eu", "iv_ketamine_40",
        ]  # fmt: skip
        assert all(bed["treatment"] is None for bed in snapshot["beds"])
        await dana.opens()
        assert (await told(live))["phase"] == "check_in"
        await dana.does("score", score="pain", value=3)
        assert (await told(live))["timeline"][-1]["words"] == "Pain: 3"
        await dana.does("abort", why="changed her mind")
        assert (await told(live))["phase"] == "aborted_before_dose"
        await dana.does("sign", by=KIM)
        await dana.does("close")
        while (await told(live)) is not None:
            pass


async def test_what_only_time_or_a_monitor_moves_is_told_without_the_timeline(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.checks_in()
        async with clinic.live(clinic.headers("lee")) as live:
            await live.next("snapshot")
            await clinic.waits(1)
            while True:
                _, data, _ = await live.next("events")
                changed = [change for change in data["changes"] if change["kind"] == "treatment"]
                if changed:
                    break
            (change,) = changed
            assert (change["bed"], change["treatment"]["timeline"]) == ("3", None)
            assert change["treatment"]["baseline"]["numbers"]["heart_rate"] == 72


async def test_a_wall_shows_where_a_treatment_is_and_nothing_that_anybody_has_said(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        async with (
            clinic.live(clinic.headers("", screen="wall")) as wall,
            clinic.live(clinic.headers("lee")) as desk,
        ):
            heard = [str(await wall.next("snapshot"))]
            await dana.opens(alias="canary-alias")
            await dana.checks_in(psychosis=False)
            await dana.takes_baseline()
            await dana.gives(1, lot="canary-lot")
            await dana.does("note", text="canary-note")
            await dana.does("symptom", symptom="anxiety", note="canary-symptom")
            await dana.does("flag", flag="opioid", on=True, why="canary-flag")
            await dana.does("score", score="mood", value=2, note="canary-score")
            await clinic.waits(2)
            full = ""
            while "canary-score" not in full:
                _, data, _ = await desk.next("events")
                full += str(data)
            last: dict[str, Any] = {}
            while last.get("phase") != Phase.DOSING or not last.get("flags"):
                _, data, _ = await wall.next("events")
                heard.append(str(data))
                for change in data["changes"]:
                    if change["kind"] == "bed" and change["bed"]["treatment"]:
                        last = change["bed"]["treatment"]
            tile = (await dana.client.get(f"{API}/beds/3", headers=clinic.headers("", screen="wall2"))).text
            seen = "".join(heard) + tile
        assert "canary-lot" in full
        for word in ("canary", "psychosis", "Mood:"):
            assert word not in seen, word
        assert last["clocks"]["start_at_ms"] is not None
        assert [(flag["words"], flag["why"]) for flag in last["flags"]] == [("Opioid", "")]
        assert (last["questions"], last["timeline"], last["moves"], last["age_years"]) == ([], [], [], None)


async def test_a_next_patient_is_shown_nothing_of_the_last(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens(alias="canary-1")
        await dana.checks_in(opioids=True)
        await dana.takes_baseline(151, 88)
        await dana.does("symptom", symptom="nausea", note="canary-2")
        await dana.does("note", text="canary-3")
        await dana.does("abort", why="canary-4")
        await dana.does("sign", by=KIM, meaning="canary-5")
        await dana.does("close")
        empty = (await dana.client.get(f"{API}/beds/3")).json()["bed"]
        assert (empty["treatment"], empty["session"]) == (None, None)
        assert (await dana.opens(alias="blue-9")).status_code == 201
        bed = (await dana.client.get(f"{API}/beds/3")).text
        for word in ("canary", "151", "Yes.", '"open":true'):
            assert word not in bed, word
        fresh = await dana.now()
        assert all(question["yes"] is None for question in fresh["questions"])
        assert all(score["value"] is None for score in fresh["scores"])
        assert [line["kind"] for line in fresh["timeline"]] == ["opened"]
        assert clinic.port


@pytest.mark.parametrize("place", ["before the end", "between", "after the opening"])
async def test_a_cuff_in_the_very_millisecond_of_a_change_of_sessions_is_in_one_record_and_no_value_in_both(
    place: str, tmp_path: Path
) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:

        async def measures() -> None:
            await clinic.cuff("3", 151, 91)
            await clinic.hears(*clinic._says(Bed("3"), clinic.clock.now_ms()))

        await dana.opens(alias="one")
        await clinic.waits(1)
        if place == "before the end":
            await measures()
        await dana.does("abort", why="has eaten")
        await dana.does("sign", by=KIM)
        await dana.does("close")
        if place == "between":
            await measures()
        await dana.opens(alias="two")
        opened_ms = clinic.clock.now_ms()
        if place == "after the opening":
            await measures()
        await clinic.waits(1)
        assert await clinic.service.trends.flush()
        of = [(await dana.client.get(f"{API}/sessions/{one}/report.json")).json() for one in (1, 2)]
        measured = [[one["systolic"] for one in each["cuffs"] if one["at_ms"] == opened_ms] for each in of]
        assert measured == {
            "before the end": [[151], []], "between": [[], []], "after the opening": [[], [151]]
        }[place]  # fmt: skip
        assert not [line for each in of for line in each["lines"] if opened_ms in line["times_ms"]]
        trend = (await dana.client.get(f"{API}/beds/3/trend")).json()
        times_ms = [point[0] for line in trend["vitals"].values() for point in line]
        assert times_ms
        assert opened_ms not in times_ms


async def test_a_nurses_load_counts_her_beds_at_the_peak_of_the_drug(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        async with clinic.live(clinic.headers("lee")) as live:
            _, snapshot, _ = await live.next("snapshot")
            assert {one["staff"]: one["at_peak"] for one in snapshot["load"]} == {
                "dana": 0,
                "lee": 0,
                "kim": 0,
            }
            await dana.opens()
            await dana.checks_in()
            await dana.takes_baseline()
            await dana.gives(1)
            loads: list[dict[str, Any]] = []
            while not loads or loads[-1]["at_peak"] == 0:
                _, data, _ = await live.next("events")
                loads += [c["load"][0] for c in data["changes"] if c["kind"] == "load"]
        assert loads == [
            {"staff": "dana", "beds": 1, "at_peak": 0},
            {"staff": "dana", "beds": 1, "at_peak": 1},
        ]
        assert (await dana.client.get(f"{API}/duty")).json()["load"][0] == loads[-1]


# Records.


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("report.pdf", "application/pdf"),
        ("report.json", "application/json"),
        ("report.fhir.json", "application/fhir+json"),
        ("report.hl7", "x-application/hl7-v2+er7"),
        ("form.pdf", "application/pdf"),
        ("report.csv", "text/csv; charset=utf-8"),
        ("report.trends.csv", "text/csv; charset=utf-8"),
        ("form.json", "application/json"),
    ],
)
async def test_the_record_of_a_session_is_there_in_each_shape(file: str, kind: str, tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.does("note", text="sleeps well")
        answer = await dana.client.get(f"{API}/sessions/1/{file}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), answer.text
        name = "session-1" + file.removeprefix("report").replace("form", "-form")
        assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
        if kind == "application/json":
            assert msgspec.json.decode(answer.content)
        nobody = await dana.client.get(f"{API}/sessions/99/{file}")
        assert (nobody.status_code, nobody.json()["detail"]) == (404, "There is no such session.")
        odd = await dana.client.get(f"{API}/sessions/1/report.exe")
        assert (odd.status_code, "'pdf'" in odd.text) == (422, True)
        assert clinic.port


async def test_earlier_sessions_of_the_same_alias_lie_beside_this_one(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.doses()
        await dana.does("transfer", why="taken over by another clinic")
        await dana.does("sign", by=KIM)
        await dana.does("close")
        await clinic.waits(60)
        await dana.opens()
        answer = await dana.client.get(f"{API}/sessions/{dana.session}/series")
        assert answer.status_code == 200, answer.text
        assert [one["session"] for one in answer.json()["sessions"]] == [1]
        assert answer.json()["now"] is None
        nobody = await dana.client.get(f"{API}/sessions/99/series")
        assert (nobody.status_code, nobody.json()["detail"]) == (404, "There is no such session.")


async def test_proposed_limits_are_tried_on_stored_sessions_and_change_nothing(tmp_path: Path) -> None:
    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens()
        await dana.checks_in()
        await clinic.waits(10)
        await dana.does("abort", why="changed her mind")
        await dana.does("sign", by=KIM)
        await dana.does("close")
        before = clinic.service.ward.snapshot().closed
        assert await clinic.service.trends.flush()
        asked = {"last": 1, "limits": {"spo2-low-m": {"limit": 95}}}
        assert (await dana.client.post(f"{API}/what-if", json=asked)).status_code == 403, "a nurse"
        async with clinic.browser("carla") as carla:
            answer = await carla.client.post(f"{API}/what-if", json=asked)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            (one,) = found["sessions"]
            assert (one["session"], one["alias"], one["therapy"]) == (1, "blue-3", "spravato_us")
            assert not any([*one["as_set"]["raised"].values(), *one["proposed"]["raised"].values()])
            assert found["all"]["bed_hours"] == pytest.approx(10 / 60, abs=0.02)
            for body, status, words in (
                ({"last": 1, "limits": {"spo2-lo": {"limit": 95}}}, 409, "spo2-lo"),
                ({"last": 1, "limits": {"spo2-low-m": {"limit": 99}}}, 409, "outside its span 86 to 95"),
                ({"last": 1, "layers": {"from 6 minutes": {"sbp-high-m": {"limit": 170}}}}, 409, "no layer"),
                ({"sessions": [99]}, 404, "no such session"),
                ({}, 422, "how many of the last"),
                ({"last": 51}, 422, "at most 50"),
            ):
                wrong = await carla.client.post(f"{API}/what-if", json=body)
                assert (wrong.status_code, words in wrong.text) == (status, True), wrong.text
        assert clinic.service.ward.snapshot().closed == before


async def told(live: Any, bed: str = "3") -> Any:
    """The treatment of a bed as the stream tells it next."""
    while True:
        _, data, _ = await live.next("events")
        for change in data["changes"]:
            if change["kind"] == "bed" and change["bed"]["bed"] == bed:
                return change["bed"]["treatment"]


WORDS = (
    "",
    " ",
    "so it is",
    "x" * 200,
    "a\nb",
    "\x00",
    "\u202e\u0001",
    "\ud83d",
    "'; drop table",
    "{0}%s",
)
NUMBERS: tuple[Any, ...] = (0, 1, 2, 5, 10, -1, 11, 1.5, 1e308, inf, 80, True, None, "1", [])


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_sent_is_taken_or_refused_in_words_and_a_restart_finds_the_same(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311  of a test

    def bent(body: dict[str, Any]) -> dict[str, Any]:
        """The body with one of its values, or none, made into something else."""
        key = chance.choice([*body, "", "", ""])
        odd = {key: chance.choice((*WORDS, *NUMBERS, {}, KIM))} if key else {}
        return body | odd

    async with treating(tmp_path / "data") as clinic, clinic.browser() as dana:
        await dana.opens(*(["iv_ketamine_40"] if seed % 2 else []))
        if seed > 1:
            await dana.checks_in()
            await dana.takes_baseline()
        for _ in range(60):
            kind, body = chance.choice(
                [move for move in MOVES if move[0] not in {"sign", "override", "dose"}]
            )
            answer = await dana.sends(json.dumps({"kind": kind} | bent(body)))
            assert answer.status_code in {200, 409, 422}, (kind, body, answer.text)
            assert answer.json().get("detail", "words").strip()
            await clinic.waits(seconds=chance.choice((0, 0, 20)))
        known = clinic.service.ward.treatment(1)
        assert known is not None
        before, at_ms = known[0], clinic.clock.now_ms()
    async with treating(tmp_path / "data", at_ms) as clinic:
        known = clinic.service.ward.treatment(1)
        assert known is not None
        assert known[0].events[: len(before.events)] == before.events

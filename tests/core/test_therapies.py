"""Therapies as data: what ships is right, a mistake is one clear line, and nothing runs unsigned."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts import limits
from monitor.alerts.rules import INDEX
from monitor.model import Staff
from monitor.people import Role
from monitor.planning import shipped as shipped_profile
from monitor.planning import treatment
from monitor.sessions.layers import InForce, lay
from monitor.sessions.loading import differences, digest, merged, therapy, unsigned
from monitor.sessions.session import refuse_opening
from monitor.sessions.tables import page
from monitor.sessions.therapy import Item, Therapy
from monitor.treatment import Phase, TreatmentOpened
from tests.core.visit import BED, DANA, KIM, PEOPLE, SHIPPED, T0_MS, shipped, signed

DOCS = Path(__file__).parents[2] / "docs" / "therapies.md"


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_can_be_read_and_is_named_as_its_file(name: str) -> None:
    assert therapy(shipped(name)).name == name


def test_the_documentation_is_drawn_from_the_files() -> None:
    drawn = page([therapy(shipped(name)) for name in SHIPPED])
    assert DOCS.read_text(encoding="utf-8") == drawn, (
        "write docs/therapies.md anew: it is tables.page of them all"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_layer_of_limits_fits_its_profile(name: str) -> None:
    made = therapy(shipped(name))
    base = shipped_profile(made.limits)
    for layer in made.layer:
        assert set(layer.rules) <= set(base["rules"])
        assert set(layer.unconfirmed) <= set(INDEX)
        alone = InForce((), layer.rules, frozenset(), 1, not_declining=False)
        assert limits.profile(lay(base, alone)).name == made.limits


@pytest.mark.parametrize("name", SHIPPED)
def test_a_therapy_is_no_limit_profile_nor_the_other_way_round(name: str) -> None:
    with pytest.raises(KeyError):
        shipped_profile(name)
    with pytest.raises(KeyError):
        treatment("watch")


# 3.3, 3.2, 4.2: the lists of phases and what each ends with.


def phases(name: str) -> list[str]:
    return [row.name.value for row in therapy(shipped(name)).phase]


@pytest.mark.parametrize("name", ["spravato_us", "spravato_eu"])
def test_3_3_phases(name: str) -> None:
    assert phases(name)[:7] == ["check_in", "baseline", "dosing", "onset", "check_40", "decline", "ready"]


def test_4_2_phases() -> None:
    assert phases("iv_ketamine_40")[:7] == [
        "check_in", "baseline", "timeout", "infusion", "early_recovery", "late_recovery", "ready",
    ]  # fmt: skip


def watched(name: str, phase: Phase) -> set[str]:
    row = therapy(shipped(name)).row(phase)
    assert row is not None
    return {vital.value for vital in row.continuous}


@pytest.mark.parametrize(
    ("phase", "vitals"),
    [
        (Phase.BASELINE, {"spo2", "hr"}),
        (Phase.DOSING, {"spo2", "hr"}),
        (Phase.ONSET, {"spo2", "hr", "rr"}),
        (Phase.CHECK_40, {"spo2", "hr", "rr"}),
        (Phase.DECLINE, {"spo2", "hr"}),
        (Phase.READY, set()),
    ],
)
def test_3_3_what_is_watched_in_each_phase(phase: Phase, vitals: set[str]) -> None:
    assert watched("spravato_us", phase) == vitals


@pytest.mark.parametrize(
    ("phase", "vitals"),
    [
        (Phase.BASELINE, {"hr", "spo2", "rr"}),
        (Phase.INFUSION, {"hr", "spo2", "rr"}),
        (Phase.EARLY_RECOVERY, {"hr", "spo2", "rr"}),
        (Phase.LATE_RECOVERY, {"hr", "spo2"}),
    ],
)
def test_4_2_what_is_watched_in_each_phase(phase: Phase, vitals: set[str]) -> None:
    assert watched("iv_ketamine_40", phase) == vitals


def test_3_2_spravato_us_has_a_hard_120_minute_floor_and_eu_has_none_but_needs_the_checklist() -> None:
    us, eu = (therapy(shipped(name)) for name in ("spravato_us", "spravato_eu"))
    assert us.floor is not None
    assert (us.floor.min, us.floor.anchor) == (120, "last_device")
    assert us.floor.override == (Role.PRESCRIBER,)
    assert eu.floor is None
    assert set(eu.readiness.items) == set(Item) - {Item.TIME}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_item_of_the_readiness_list_is_asked_for(name: str) -> None:
    made = therapy(shipped(name))
    assert set(made.readiness.items) | {Item.TIME} == set(Item)


# Mistakes.


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        here: Any = data
        for part in path[:-1]:
            here = here[part]
        here[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        here: Any = data
        for part in path[:-1]:
            here = here[part]
        del here[path[-1]]

    return change


def leaves(place: int, *needs: str) -> Callable[[dict[str, Any]], None]:
    return put("phase", place, "leaves_when", value=list(needs))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (put("floor", "min", value="two hours"), "floor.min: should be a number"),
        (put("floor", "mins", value=120), "floor.mins: is not known here"),
        (drop("floor", "min"), "floor.min: is missing"),
        (put("floor", "min", value=-1), "floor.min: should be 0 or more"),
        (put("course", value="oral"), "course: should be 'nasal' or 'infusion'"),
        (put("gate", 0, "override", value=["porter"]), "gate.bp-elevated.override.#1: should be"),
        (
            put("gate", 0, "above", value={"mood_ring": 3}),
            "gate.bp-elevated.above.mood_ring: there is no such",
        ),
        (put("gate", 0, "above", value={}), "gate.bp-elevated: has no term"),
        (put("phase", 3, "name", value="lunch"), "phase.lunch.name: should be"),
        (drop("phase", 3), "phase.onset: is missing"),
        (
            put("phase", 3, "nibp_tight_min", value=30),
            "phase.onset.nibp_tight_min: must not be more than nibp_min",
        ),
        (leaves(5, "readiness"), 'phase.decline.leaves_when: "floor" is missing'),
        (leaves(6, "floor", "readiness", "sign_off"), 'phase.ready.leaves_when: "pressures" is missing'),
        (leaves(6, "floor", "readiness", "pressures"), 'phase.ready.leaves_when: "sign_off" is missing'),
        (put("check", 1, "opens_min", value=50), "check.check_40.opens_min: is after due_min (40)"),
        (put("check", 1, "items", value=["nibp", "luck"]), "check.check_40.items: there is no luck"),
        (put("check", 1, "required", value=["temp"]), "check.check_40.required: temp is not among its items"),
        (drop("check", 1, "due_min"), "check.check_40: has either every_min or due_min"),
        (drop("check", 1), "check.check_40: is missing; course nasal goes through it"),
        (put("check", 1, "every_min", value=10), "check.check_40.every_min: it comes once"),
        (put("check", 0, "items", value=["moaas", "spo2"]), "check.onset_scores.items: spo2 is measured"),
        (drop("question", 6, "flag"), "question.benzodiazepines.flag: goes with"),
        (put("question", 1, "name", value="identity"), "question.identity: is there twice"),
        (drop("layer", 0, "anchor"), "layer.from 60 minutes.anchor: is missing"),
        (put("readiness", "items", value=["time", "quiet"]), 'readiness.items: "signed" is missing'),
        (put("readiness", "items", value=["signed"]), 'readiness.items: "time" goes with [floor]'),
        (drop("devices"), "devices: goes with"),
        (put("devices", "least", value=4), "devices.least: 4 is more than devices.most (3)"),
        (put("age", value=[90, 18]), "age: must be two numbers, the lower one first"),
        (put("form", "medium_day", value=9), "form: medium_day, high_day and due_days must not fall"),
        (put("signature", value={"by": "kim", "on": "soon", "digest": "a" * 64}), "signature.on: "),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(
    change: Callable[[dict[str, Any]], None], line: str
) -> None:
    data = deepcopy(shipped("spravato_us"))
    change(data)
    with pytest.raises(ValueError, match=": ") as wrong:
        therapy(data)
    lines = str(wrong.value).splitlines()
    assert any(one.startswith(line) for one in lines), lines
    assert all(": " in one and "validation error" not in one for one in lines)


def test_every_mistake_is_told_at_once() -> None:
    data = deepcopy(shipped("spravato_us"))
    data["floor"]["min"] = "x"
    data["timing"]["late_min"] = -3
    with pytest.raises(ValueError, match=r"(?s)timing\.late_min.*floor\.min|floor\.min.*timing\.late_min"):
        therapy(data)


# A clinic's own changes, and who has signed them.


def test_a_clinics_changes_are_told_in_words() -> None:
    own = merged(
        shipped("spravato_us"),
        {
            "floor": {"min": 150},
            "gate": [{"name": "bp-elevated", "above": {"nibp_sys": 150}}],
            "question": [{"name": "cold_hands", "asks": "Cold hands?", "kind": "ask"}],
        },
    )
    assert therapy(own).floor is not None
    assert differences(shipped("spravato_us"), own) == (
        "floor.min: 150 instead of 120",
        "question.cold_hands: asks Cold hands?; kind ask, not in the shipped therapy",
        "gate.bp-elevated.above.nibp_sys: 150 instead of 140",
    )
    assert differences(own, own) == ()


def test_what_a_clinic_leaves_out_is_told() -> None:
    own = deepcopy(shipped("spravato_us"))
    own["gate"] = own["gate"][1:]
    (line,) = differences(shipped("spravato_us"), own)
    assert line.startswith("gate.bp-elevated: left out; shipped is result ask")


def opened(made: Therapy, *, age: int = 40, devices: int = 2) -> TreatmentOpened:
    return TreatmentOpened(
        T0_MS, 7, BED, "blue-17", made.name, made.version, made.digest, age, devices,
        first=False, by=DANA, role=Role.NURSE,
    )  # fmt: skip


def refused(made: Therapy, **different: int) -> str:
    answer = refuse_opening(made, opened(made, **different), PEOPLE)
    return "\n".join(answer.missing) if answer else ""


@pytest.mark.shows("ALM-003", "HZ-07")
@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_not_signed_by_a_prescriber_starts_no_session(name: str) -> None:
    assert "has not been signed by a prescriber" in refused(therapy(shipped(name)))


@pytest.mark.shows("ALM-003")
def test_a_signature_is_for_exactly_these_numbers() -> None:
    made = signed("spravato_us")
    assert unsigned(made, PEOPLE) is None
    changed = merged(shipped("spravato_us"), {"floor": {"min": 119}})
    changed["signature"] = {"by": KIM, "on": "2026-05-01", "digest": digest(shipped("spravato_us"))}
    assert "was changed after kim signed it" in (unsigned(therapy(changed), PEOPLE) or "")


@pytest.mark.parametrize("people", [{}, {KIM: Role.NURSE}, {Staff("kim"): Role.ADMINISTRATOR}])
def test_only_a_prescribers_signature_counts(people: dict[Staff, Role]) -> None:
    assert "is no prescriber here" in (unsigned(signed("spravato_us"), people) or "")


def test_a_comment_or_another_order_of_the_file_needs_no_new_signature() -> None:
    data = shipped("iv_ketamine_40")
    assert digest(dict(reversed(data.items()))) == digest(data)
    assert digest({**data, "version": 2}) != digest(data)


@pytest.mark.parametrize(
    ("name", "different", "words"),
    [
        ("spravato_us", {"age": 17}, "not within 18 to 120"),
        ("spravato_us", {"devices": 1}, "2 to 3 devices"),
        ("spravato_us", {"devices": 4}, "2 to 3 devices"),
        ("spravato_eu", {"devices": 0}, "1 to 3 devices"),
        ("iv_ketamine_40", {"devices": 2}, "has no devices"),
    ],
)
def test_a_session_opens_only_within_its_therapy(name: str, different: dict[str, int], words: str) -> None:
    assert words in refused(signed(name), **different)

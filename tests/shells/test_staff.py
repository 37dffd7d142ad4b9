"""The demonstration's staff treat patients over HTTP on the real service, from check-in to signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulators.patient import AnyPatient
from simulators.play import patient_of
from simulators.staff import Proof, next_act
from tests.shells.api_clinic import PASSWORD
from tests.shells.treated_clinic import API, Nurse, treating

BED = "3"
DRUG_AFTER_MIN = 6
LEE, KIM = Proof("lee", PASSWORD), Proof("kim", PASSWORD)


@pytest.mark.parametrize(
    ("therapy", "way"),
    [
        ("spravato_us", ["check_in", "baseline", "dosing", "onset", "check_40", "decline", "ready"]),
        ("spravato_eu", ["check_in", "baseline", "dosing", "onset", "check_40", "decline", "ready"]),
        (
            "iv_ketamine_40",
            ["check_in", "baseline", "timeout", "infusion", "early_recovery", "late_recovery", "ready"],
        ),
    ],
)
async def test_an_ordinary_session_is_taken_from_the_check_in_to_the_signature(
    tmp_path: Path, therapy: str, way: list[str]
) -> None:
    patient = patient_of("N0" if therapy.startswith("iv") else "N0-ESK", 1, 7)
    async with treating(tmp_path / "data") as clinic, clinic.browser(screen=None) as dana:
        await dana.opens(therapy, BED)
        seen: dict[str, None] = {}
        for minute in range(240):
            while phase := await _does_one_thing(dana, patient, minute - DRUG_AFTER_MIN):
                seen[phase] = None
            await clinic.waits(1)
        assert list(seen) == way
        brief = next(
            one for one in (await dana.client.get(f"{API}/sessions")).json()["sessions"]
            if one["session"] == dana.session
        )["treatment"]  # fmt: skip
        assert brief["signed_by"] == ["kim"]
        assert brief["ready_first_at_ms"] is not None


async def test_what_is_no_treatment_is_left_alone(tmp_path: Path) -> None:
    patient = patient_of("N0", 1, 7)
    async with treating(tmp_path / "data") as clinic, clinic.browser(screen=None) as dana:
        assert next_act(await _tile(dana), patient, 0, second=LEE, prescriber=KIM) is None


async def test_a_gate_is_left_to_whoever_is_looking(tmp_path: Path) -> None:
    patient = patient_of("N0-ESK", 1, 7)
    async with treating(tmp_path / "data") as clinic, clinic.browser(screen=None) as dana:
        await dana.opens("spravato_us", BED)
        clinic.pressures[BED] = (165.0, 102.0)
        for _ in range(20):
            while await _does_one_thing(dana, patient, 1):
                pass
            await clinic.waits(1)
        now = await dana.now()
        assert (now["phase"], now["devices"]) == ("baseline", [])
        assert [gate["open"] for gate in now["gates"]] == [False] * len(now["gates"])
        assert now["gates"]


async def _does_one_thing(dana: Nurse, patient: AnyPatient, since_drug_min: float) -> str:
    """The phase in which something was to do, and was done without being refused; "" where nothing was."""
    tile = await _tile(dana)
    act = next_act(tile, patient, round(since_drug_min * 60_000), second=LEE, prescriber=KIM)
    if act is None:
        return ""
    answer = await dana.client.post(API + act.path, json=dict(act.body))
    assert answer.is_success, (act, answer.text)
    return str(tile["treatment"]["phase"])


async def _tile(dana: Nurse) -> dict[str, Any]:
    return dict((await dana.client.get(f"{API}/beds/{BED}")).json()["bed"])

"""A treatment in a real service that is killed: what was said stands, what was raised sounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.planning import treatment
from monitor.sessions.loading import digest
from tests.whole.clinic import Clinic, Gateway, open_clinic

pytestmark = pytest.mark.real

THERAPY = "spravato_us"


def signed(name: str, by: str) -> str:
    """What stands in clinic.toml once a prescriber has signed what ships."""
    mark = digest(treatment(name))
    return f'[therapies.{name}.signature]\nby = "{by}"\non = 2026-05-01\ndigest = "{mark}"\n'


async def move(clinic: Clinic, session: int, kind: str, **more: object) -> httpx.Response:
    return await clinic.ask("POST", f"/sessions/{session}/moves", {"kind": kind, **more})


async def bed(clinic: Clinic) -> dict[str, Any]:
    found: dict[str, Any] = (await clinic.get("/beds/1"))["bed"]
    return found


def answered(treated: Mapping[str, Any]) -> dict[str, bool]:
    return {one["question"]: one["yes"] for one in treated["questions"] if one["yes"] is not None}


async def test_a_treatment_goes_on_where_it_was_when_the_service_was_killed(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    async with open_clinic(
        tmp_path, accounts, beds=["1"], gateway=gateway, more=signed(THERAPY, "ida")
    ) as clinic:
        opened = await clinic.act(
            "/sessions",
            {"bed": "1", "alias": "A7", "therapy": THERAPY, "age_years": 41, "devices": 2, "first": False},
        )
        session = opened["session"]
        asked = (await bed(clinic))["treatment"]["questions"]
        for one in asked[:5]:
            answer = await move(clinic, session, "answer", question=one["question"], yes=True, note="")
            assert answer.is_success, answer.text
        assert (
            await move(clinic, session, "symptom", symptom="chest pain", severe=True, over=False)
        ).is_success
        await gateway.until(lambda: [page for page in gateway.pages if "Emergency sign" in str(page.body)])
        before = await bed(clinic)
        pages = len(gateway.pages)

        clinic.running.kill()
        await clinic.start()

        after = await bed(clinic)
        assert after["session"] == before["session"]
        assert answered(after["treatment"]) == answered(before["treatment"])
        assert len(answered(after["treatment"])) == 5
        refused = await move(clinic, session, "checked_in")
        assert refused.status_code == httpx.codes.CONFLICT
        assert all(words.startswith("Not answered: ") for words in refused.json()["missing"])
        assert (await clinic.ask("POST", f"/sessions/{session}/moves", {"kind": "close"})).status_code == 409
        alarms = [a for a in (await clinic.get("/alarms"))["alarms"] if a["rule"] == "emergency-sign"]
        assert [alarm["state"] for alarm in alarms] == ["active"]
        assert "chest pain" not in str([page.body for page in gateway.pages]).lower()
        assert len(gateway.pages) >= pages
        assert clinic.verify()
        kinds = [row["kind"] for row in clinic.journal()]
        assert kinds.count("TreatmentOpened") == kinds.count("SymptomNoted") == 1
        assert kinds.count("Answered") == 5


async def test_without_a_signature_nothing_is_opened_and_the_reason_is_said(
    tmp_path: Path, accounts: Path
) -> None:
    async with open_clinic(tmp_path, accounts, beds=["1"]) as clinic:
        body = {"bed": "1", "alias": "A7", "therapy": THERAPY, "age_years": 41, "devices": 2, "first": False}
        refused = await clinic.ask("POST", "/sessions", body)
        assert refused.status_code == httpx.codes.CONFLICT
        assert "has not been signed by a prescriber" in refused.json()["missing"][0]
        assert (await bed(clinic))["session"] is None

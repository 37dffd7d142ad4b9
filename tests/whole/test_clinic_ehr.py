"""A whole service and a receiver of an EHR, as processes on a socket: down, killed, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hl7
import pytest

from simulators.ehr import Receiver
from tests.whole.clinic import Clinic, Wire, command, open_clinic, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


def told(receiver: Receiver, kind: str) -> list[Any]:
    """Messages of this kind, read by the library."""
    found = [hl7.parse(one.decode()) for one in receiver.heard]
    return [one for one in found if kind in str(one.segment("MSH")[10])]


async def ends(clinic: Clinic, session: int) -> None:
    """Close a watch session; alarms that would hold it up are acknowledged first."""
    for alarm in (await clinic.get("/alarms"))["alarms"]:
        await clinic.ask("POST", f"/alarms/{alarm['alarm_id']}/acknowledge")
    await clinic.act(f"/sessions/{session}/moves", {"kind": "close", "why": "home"})


async def test_a_session_reaches_the_ehr_over_its_outage_and_our_kill(
    tmp_path: Path, accounts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    await receiver.come_up()
    for key, value in {
        "HOST": "127.0.0.1",
        "PORT": str(receiver.port),
        "SENDER_ID": "1A2B3C4D5E6F7081",
        "SEND": '["sessions", "vitals"]',
        "VITALS_EVERY_S": "10",
    }.items():
        monkeypatch.setenv(f"CHAIRSIDE_EHR__{key}", value)
    port = tmp_path / "ttyUSB0"
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire]) as clinic:
        await clinic.headers()
        await clinic.simulate("masimo-ascii1", f"pty:{port}", "N0")
        session = await clinic.open_session("1")
        await until(lambda: [one for one in told(receiver, "V") if "150456" in str(one)])
        await receiver.go_down()
        await ends(clinic, session)
        code, said, _ = command("ehr", "list", str(clinic.config))
        assert code == 0, said

        clinic.running.kill()
        await clinic.start()
        await receiver.come_up()
        await until(lambda: told(receiver, "S"))
        (record,) = told(receiver, "S")
        assert str(record.segment("PID")[3][0][0]) == "Heron 1"
        values = [row for row in record.segments("OBX") if "150456" in str(row[3])]
        assert values
        assert {str(one.segment("MSH")[10]) for one in told(receiver, "S")} <= {*receiver.taken}
        code, said, _ = command("report", str(session), "--format", "fhir", "--config", str(clinic.config))
        assert code == 0
        assert json.loads(said)["resourceType"] == "Bundle"
    await receiver.go_down()


async def test_without_a_receiver_the_service_starts_and_watches_all_the_same(
    tmp_path: Path, accounts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAIRSIDE_EHR__HOST", "127.0.0.1")
    monkeypatch.setenv("CHAIRSIDE_EHR__PORT", "9")
    monkeypatch.setenv("CHAIRSIDE_EHR__SENDER_ID", "1A2B3C4D5E6F7081")
    async with open_clinic(tmp_path, accounts, beds=["1"]) as clinic:
        session = await clinic.open_session("1")
        await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 131, "diastolic_mmhg": 80})
        await ends(clinic, session)
        code, _, said = command("ehr", "call", str(clinic.config))
        assert code == 3
        assert "refuses the connection" in said

        def part() -> bool:
            return any(
                row["kind"] == "PartMoved" and row["body"]["part"] == "ehr" and not row["body"]["ok"]
                for row in clinic.journal()
            )

        await until(part)

"""One bed, two patients: nothing of the first is told of the second, by any door."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.clinic import FALLEN, Gateway, Wire, open_clinic

pytestmark = pytest.mark.real


@pytest.mark.shows("ALM-090", "HZ-06")
async def test_F41_a_new_patient_begins_with_nothing_of_the_last_one(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    clinic_of = open_clinic(tmp_path, accounts, [wire], gateway=gateway)
    async with clinic_of as clinic, await clinic.screen() as screen:
        device = await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
        session = await clinic.open_session("1", cuff_interval_s=300)
        limit = {"rule": "spo2-low", "limit": 86.0, "why": "lives at 4,000 m"}
        await clinic.act("/beds/1/limits", limit, method="PUT")
        await clinic.act("/beds/1/pauses", {"kind": "audio paused", "seconds": 120})
        await clinic.act("/beds/1/vitals", {"kind": "bp", "systolic_mmhg": 131.0, "diastolic_mmhg": 83.0})
        await clinic.act("/beds/1/vitals", {"kind": "temperature", "celsius": 38.2})
        alarm = await screen.until(lambda: screen.alarm("spo2-low"))
        first = await gateway.until(lambda: gateway.pages)
        # A session with a HIGH that nobody has looked at does not end.
        refused = await clinic.ask("POST", f"/sessions/{session}/moves", {"kind": "close"})
        assert refused.status_code == 409
        await clinic.act(f"/alarms/{alarm['alarm_id']}/acknowledge")

        # The trend has what was measured; then the monitor is switched off, and the patient goes home.
        async def trend_has_values() -> bool:
            return any((await clinic.get("/beds/1/trend"))["vitals"].values())

        while not await trend_has_values():  # bounded by the test's own time-out
            heard = len(screen.heard)
            await screen.until(lambda heard=heard: len(screen.heard) > heard)  # type: ignore[misc]
        assert await device.stop() == 0
        await clinic.act(f"/sessions/{session}/moves", {"kind": "close", "why": "home"})
        await clinic.open_session("1")

        tile = await clinic.get("/beds/1")
        assert tile["bed"]["vitals"] == {}
        assert tile["bed"]["cuff"] is None or all(
            value is None for name, value in tile["bed"]["cuff"].items() if name.endswith(("_mmhg", "_at_ms"))
        )
        assert tile["bed"]["pauses"] == []
        limits = {(row["rule"], row["limit"], row["set_by"]) for row in tile["bed"]["limits"]}
        assert ("spo2-low", 90.0, None) in limits
        assert {set_by for *_, set_by in limits} == {None}
        assert [a for a in tile["alarms"] if not a["technical"]] == []
        trend = await clinic.get("/beds/1/trend?from_ms=0")
        assert not any(trend["vitals"].values())
        assert trend["cuffs"] == []
        over = (await clinic.get("/alarms?state=clear"))["alarms"]
        assert [a for a in over if a["bed"] == "1"] == []
        told = {page["page_id"] for page in (await clinic.get("/pages"))["pages"]}
        assert first[0].body["page_id"] not in told
        # A screen that comes now is told no more than the API tells.
        async with await clinic.screen("sam") as later:
            assert later.beds["1"]["vitals"] == {}
            assert later.values == []
            assert [p for p in later.pages.values() if p["alarm_id"] == alarm["alarm_id"]] == []

"""A full disk: people are paged all the same, every screen says that nothing is recorded, nothing is lost.

The service's files may not grow for a while: to the journal that is a disk without room.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.clinic import FALLEN, QUICK_CHAIN, Gateway, Message, Wire, open_clinic

pytestmark = pytest.mark.real


@pytest.mark.shows("ALM-080")
async def test_F04_a_full_disk_silences_no_page_and_is_written_up_in_order_once_there_is_room(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    clinic_of = open_clinic(
        tmp_path, accounts, [wire], beds=["2"], gateway=gateway, chain=QUICK_CHAIN, may_say=" not written "
    )
    async with clinic_of as clinic, await clinic.screen() as screen:
        before = len(clinic.journal())
        clinic.full_disk()
        # From here on nothing can be written, and the first of it is that a patient lies down.
        assert await clinic.act("/sessions", {"bed": "1", "alias": "Heron"}) == {
            "recorded": False,
            "session": 1,
        }
        await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
        alarm = await screen.until(lambda: screen.alarm("spo2-low"))
        unrecorded = await screen.until(lambda: screen.alarm("not-recording", bed=""))
        assert unrecorded["text"] != ""

        def of_the_patient() -> list[Message]:
            return [m for m in gateway.pages if m.body["alarm_id"] == alarm["alarm_id"]]

        await gateway.until(lambda: {0, 1, 2} <= {m.body["step"] for m in of_the_patient()})
        status = await clinic.get("/status")
        assert status["recording"] is False
        assert "no room" in status["recording_why"] or "full" in status["recording_why"], status
        taken = await clinic.act(f"/alarms/{alarm['alarm_id']}/acknowledge")
        assert taken == {"recorded": False}
        assert len(clinic.journal()) == before
        assert await clinic.healthy()
        clinic.empty_disk()
        await screen.until(lambda: screen.parts["journal"]["ok"])
        assert (await clinic.act("/sessions", {"bed": "2", "alias": "Maple"}))["recorded"] is True
        await screen.until(lambda: screen.alarm("not-recording") is None)
        journal = clinic.journal()
        clinic.verify()
    late = [row for row in journal[before:] if row["late"]]
    kinds = [row["kind"] for row in late]
    assert kinds[:2] == ["Admitted", "SessionMoved"]
    assert {"AlarmMoved", "PageOrdered", "PageReported", "Acked"} <= set(kinds)
    paged = {m.body["page_id"] for m in of_the_patient()}
    assert paged <= {row["body"]["page_id"] for row in late if row["kind"] == "PageOrdered"}
    assert [row["at_ms"] for row in late] == sorted(row["at_ms"] for row in late)
    assert [row["late"] for row in journal[:before]] == [0] * before
    assert journal[-1]["late"] == 0

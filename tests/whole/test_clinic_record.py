"""What a screen is told and what the journal holds are one, and stay so over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.model import Bed, Staff
from monitor.people import Role
from monitor.store.journal import Journal
from monitor.store.opening import places
from monitor.treatment import TreatmentNote, TreatmentOpened
from tests.whole.clinic import FALLEN, Gateway, Screen, Wire, open_clinic

pytestmark = pytest.mark.real

BEHIND = {
    "alarm": {
        "AlarmMoved",
        "Acked",
        "Paused",
        "Resumed",
        "SessionMoved",
        "LimitSet",
        "DutySet",
        "PageOrdered",
    }
    | {"PageReported", "PageChanged", "PageRecalled", "Accepted", "Rejected"},
    "page": {"PageOrdered", "PageReported", "PageChanged", "PageRecalled"}
    | {"PageOpened", "Accepted", "Rejected"},
    "bed": {
        "Admitted",
        "SessionMoved",
        "Paused",
        "Resumed",
        "LimitSet",
        "CuffTaken",
        "CuffOrdered",
        "CuffStopped",
        "CuffNotTaken",
        "VitalTyped",
    }
    | {"DutySet", "LinkMoved"},
    "link": {"LinkMoved"},
    "part": {"PartMoved"},
    "duty": {"DutySet", "HandedOver", "TrialAsked"}
    | {"PageOrdered", "PageReported", "PageRecalled", "PageOpened", "Accepted", "Rejected"},
    "sound": {"SoundSaid", "ScreenMoved"},
}
"""The kinds of rows that a change may come from."""


def changes(screen: Screen) -> list[dict[str, Any]]:
    return [change for heard in screen.heard if heard.kind == "events" for change in heard.data["changes"]]


async def test_what_a_screen_is_told_carries_the_number_of_its_row_in_the_journal(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire], gateway=gateway) as clinic:
        async with await clinic.screen() as screen:
            await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
            session = await clinic.open_session("1")
            alarm = await screen.until(lambda: screen.alarm("spo2-low"))
            await gateway.until(lambda: gateway.pages)
            await clinic.act("/beds/1/pauses", {"kind": "audio paused", "seconds": 60})
            await clinic.act("/screens/sound", {"state": "off"})
            await clinic.act("/screens/sound", {"state": "off"})
            await clinic.act("/screens/sound", {"state": "checked"}, "sam")
            (off, _) = (await clinic.get("/status"))["sounds"]
            assert (off["state"], off["by"], off["paired"]) == ("off", "dana", False)
            await clinic.act(f"/alarms/{alarm['alarm_id']}/acknowledge")
            await screen.until(lambda: screen.alarm("spo2-low", states=("acked",)))
            told = changes(screen)
        rows = {row["seq"]: row for row in clinic.journal()}
        numbered = [change for change in told if "seq" in change]
        assert {change["kind"] for change in numbered} >= {"alarm", "page", "bed", "link", "sound"}
        wrong = [
            (change["kind"], rows[change["seq"]]["kind"])
            for change in numbered
            if rows[change["seq"]]["kind"] not in BEHIND[change["kind"]]
        ]
        assert wrong == []
        assert not [change for change in told if change["kind"] == "vital" and "seq" in change]
        assert [
            change for change in told if change["kind"] in {"alarm", "page"} and "seq" not in change
        ] == []
        said = [row["body"] for row in rows.values() if row["kind"] == "SoundSaid"]
        assert [(each["state"], each["by"]) for each in said] == [("off", "dana"), ("checked", "sam")]
        assert session == 1


async def test_alarms_that_are_over_outlive_a_kill(tmp_path: Path, accounts: Path, gateway: Gateway) -> None:
    port = tmp_path / "ttyUSB0"
    (tmp_path / "fallen.toml").write_text(FALLEN, "utf-8")
    wire = Wire("oximeter", "masimo-ascii1", "1", str(port))
    async with open_clinic(tmp_path, accounts, [wire], gateway=gateway) as clinic:
        async with await clinic.screen() as screen:
            device = await clinic.simulate("masimo-ascii1", f"pty:{port}", str(tmp_path / "fallen.toml"))
            await clinic.open_session("1")
            alarm = await screen.until(lambda: screen.alarm("spo2-low"))
            await clinic.act(f"/alarms/{alarm['alarm_id']}/acknowledge", who="sam")
            assert await device.stop() == 0
            await clinic.simulate("masimo-ascii1", f"pty:{port}", "N0", name="well")
            await screen.until(lambda: alarm["alarm_id"] not in screen.alarms)
        before = (await clinic.get("/alarms?state=clear&bed=1"))["alarms"]
        (kept,) = [each for each in before if each["alarm_id"] == alarm["alarm_id"]]
        assert (kept["state"], kept["acked_by"], kept["session"]) == ("clear", "sam", 1)
        clinic.running.kill()
        await clinic.start()
        after = {each["alarm_id"]: each for each in (await clinic.get("/alarms?state=clear&bed=1"))["alarms"]}
        assert {each["alarm_id"]: after.get(each["alarm_id"]) for each in before} == {
            each["alarm_id"]: each for each in before
        }
        (newest,) = (await clinic.get("/alarms?state=clear&limit=1"))["alarms"]
        assert newest["over_at_ms"] == max(each["over_at_ms"] for each in after.values())
        assert (await clinic.ask("GET", "/alarms?state=closed")).status_code == 422


async def test_a_ward_comes_back_over_what_was_written_of_a_treatment_session(
    tmp_path: Path, accounts: Path, gateway: Gateway
) -> None:
    dana = Staff("dana")
    async with open_clinic(tmp_path, accounts, beds=("1",), gateway=gateway) as clinic:
        session = await clinic.open_session("1")
        await clinic.running.stop()
        journal = await Journal.open(places(clinic.data).journal)
        at_ms = (journal.last_at_ms or 0) + 1
        opened = TreatmentOpened(
            at_ms, session, Bed("1"), "blue-17", "spravato_us", 1, "0" * 64, 40, 2,
            first=False, by=dana, role=Role.NURSE,
        )  # fmt: skip
        assert await journal.append([opened, TreatmentNote(at_ms, session, "calm", dana)], 0)
        await journal.close()

        await clinic.start()

        assert (await clinic.get("/beds/1"))["bed"]["session"]["session"] == session
        kinds = [row["kind"] for row in clinic.journal()]
        assert kinds.count("TreatmentOpened") == kinds.count("TreatmentNote") == 1
        assert "the chain is whole" in clinic.verify()

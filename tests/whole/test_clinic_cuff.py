"""H1 on real wires, ten times faster than life: a surge is repeated at once, and is HIGH in time.

The times are those of the events themselves, on the service's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulators.play import patient_of
from simulators.scenario import HOUSE
from tests.whole.clinic import Gateway, Wire, open_clinic

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

SPEED = 10
BEGIN_S = 19.5 * 60
"""Half a minute before the monitor's own cycle takes a reading, and less than two before 180 is crossed."""
PERSON = """
[person]
systolic_mmhg  = 130
diastolic_mmhg = 68
"""
"""Somebody who crosses 180 in the steep part of the surge: no luck of the cuff's own error is needed."""
INTERVAL_S = 300
CROSSED = 180, 110
"""The limits of a HIGH (protocols.md 6.2)."""


@dataclass
class Surge:
    """What was written down, and where the patient's time lies on the service's clock."""

    scenario: Path
    journal: list[dict[str, Any]] = field(default_factory=list)
    begun_ms: int = 0
    """The service's time when the patient was at `BEGIN_S`, as near as one can tell from outside."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [row["body"] for row in self.journal if row["kind"] == kind]

    def moves(self, priority: int, now: str) -> list[dict[str, Any]]:
        """The moves of the blood pressure's alarms of this priority into this state."""
        return [
            move
            for move in self.of("AlarmMoved")
            if move["rule"].startswith(("sbp-high", "dbp-high", "map-high"))
            and (move["priority"], move["now"]) == (priority, now)
        ]


HIGH, MEDIUM = 3, 2


@pytest.fixture
async def surge(tmp_path: Path, accounts: Path, gateway: Gateway) -> Surge:
    """The surge, lived through until it is a HIGH."""
    lived = Surge(tmp_path / "surge.toml")
    lived.scenario.write_text((HOUSE / "H1.toml").read_text("utf-8") + PERSON, "utf-8")
    cuff, oximeter = tmp_path / "tty-cuff", tmp_path / "tty-oximeter"
    wires = [Wire("cuff", "dinamap", "1", str(cuff)), Wire("oximeter", "masimo-ascii1", "1", str(oximeter))]
    async with open_clinic(tmp_path, accounts, wires, SPEED, gateway=gateway) as clinic:
        await clinic.headers()
        story = str(lived.scenario)
        played = ("--speed", str(SPEED), "--start", str(BEGIN_S))
        await clinic.simulate("masimo-ascii1", f"pty:{oximeter}", story, *played)
        await clinic.simulate("dinamap", f"pty:{cuff}", story, *played, "--option", f"cycle_s={INTERVAL_S}")
        lived.begun_ms = (await clinic.get("/status"))["at_ms"]
        baseline = {"systolic_mmhg": 130.0, "diastolic_mmhg": 68.0}
        await clinic.open_session("1", baseline=baseline, cuff_interval_s=INTERVAL_S)
        async with await clinic.screen() as screen:
            await screen.until(lambda: screen.alarm("sbp-high") or screen.alarm("dbp-high"), within_s=120)
        lived.journal = clinic.journal()
    return lived


async def test_H1_a_surge_is_MEDIUM_at_the_first_confirmation_and_HIGH_within_an_interval_and_two_minutes(
    surge: Surge,
) -> None:
    readings = [taken for taken in surge.of("CuffTaken") if taken["cuff"]["systolic"] is not None]
    pending, active = surge.moves(MEDIUM, "pending"), surge.moves(MEDIUM, "active")
    # The first breach waits, and the next reading confirms it: nothing later, nothing sooner.
    after = [taken["at_ms"] for taken in readings if taken["at_ms"] > pending[0]["at_ms"]]
    assert active[0]["at_ms"] == after[0]
    assert active[0]["note"] == ""
    patient = patient_of(str(surge.scenario), 1, 1)
    crossing_s = next(
        t
        for t in range(10 * 60, 40 * 60)
        if (patient.systolic(t * 1_000) or 0) >= CROSSED[0]
        or (patient.diastolic(t * 1_000) or 0) >= CROSSED[1]
    )
    crossed_ms = surge.begun_ms + round((crossing_s - BEGIN_S) * 1_000)
    high = surge.moves(HIGH, "active")[0]
    assert high["at_ms"] <= crossed_ms + (INTERVAL_S + 120) * 1_000
    assert high["note"] == ""
    # Every breach asks for its repeat within two seconds of its result.
    orders = [order["at_ms"] for order in surge.of("CuffOrdered") if order["why"] == "repeat to confirm"]
    breaches = sorted(
        {move["at_ms"] for move in (*surge.moves(MEDIUM, "pending"), *surge.moves(HIGH, "pending"))}
    )
    assert breaches
    for breach_ms in breaches:
        assert any(0 <= order_ms - breach_ms <= 2_000 for order_ms in orders), (breach_ms, orders)

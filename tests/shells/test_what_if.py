"""What-if: stored sessions are judged again under other limits, each alone, and compared with themselves."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.devices.codecs import DRIVERS
from monitor.model import Bed, Device, Quality, Vital
from monitor.plan import Plan
from monitor.planning import plan as plan_of
from monitor.reporting.kept import Kept, NoSuchSessionError, gather
from monitor.store.trends import History
from monitor.treatment import Phase, PhaseMoved
from monitor.whatif.again import gaps_s, played, recorded
from monitor.whatif.door import WhatIf, WrongLimitsError, proposal
from tests.shells.played import ELSEWHERE, OTHER_DIA, OTHER_SPO2, OTHER_SYS, Day, settings, stored, what_ifs

Limits = dict[str, dict[str, Any]]

LOW = Day(low=True)
QUIET = Day(seed=13, alias="green-4")
INFUSION = Day("iv_ketamine_40", seed=12)

RELAXED: Limits = {"spo2-low-m": {"limit": 90}, "spo2-low": {"limit": 88}, "spo2-low-l": {"limit": 90}}
STRICT: Limits = {"spo2-low-m": {"limit": 95}, "spo2-low-l": {"limit": 97}}


async def asked(folder: Path, *days: Day, limits: Limits | None = None) -> WhatIf:
    """All of these sessions, stored and asked about."""
    async with stored(folder, *days) as store:
        return await what_ifs(folder, store).what_if(list(range(1, len(days) + 1)), limits)


async def kept_of(folder: Path, *days: Day) -> list[Kept]:
    """What is kept of each."""
    async with stored(folder, *days) as store:
        beds = {Device("monitor3"): Bed("3"), Device("monitor4"): Bed("4")}
        end_ms = (store.journal.last_at_ms or 0) + 1
        return [
            await gather(store.journal, store.trends, number + 1, end_ms, beds) for number in range(len(days))
        ]


def house(folder: Path) -> Plan:
    """The clinic's plan as it is set."""
    return plan_of(settings(folder), DRIVERS)


async def test_a_limit_that_is_relaxed_raises_less_and_the_table_says_of_what(tmp_path: Path) -> None:
    found = await asked(tmp_path, LOW, limits=RELAXED)
    (one,) = found.sessions
    counts = {(count.rule, count.priority): count for count in found.rules()}
    medium = counts["spo2-low", "MEDIUM"]
    assert (medium.recorded, medium.as_set, medium.proposed) == (1, 1, 0)
    assert one.as_set is not None
    assert one.proposed is not None
    assert one.as_set.sums.pages == one.proposed.sums.pages + 1
    assert one.proposed.sums.alarmed_s["MEDIUM"] < one.as_set.sums.alarmed_s["MEDIUM"]
    assert one.as_set.sums.readings == one.proposed.sums.readings > 4 * 3_600


async def test_a_limit_that_is_stricter_raises_more(tmp_path: Path) -> None:
    found = await asked(tmp_path, LOW, limits=STRICT)
    (one,) = found.sessions
    assert one.as_set is not None
    assert one.proposed is not None
    assert one.proposed.sums.alarmed_s["MEDIUM"] > one.as_set.sums.alarmed_s["MEDIUM"] > 0
    assert one.proposed.sums.raised["LOW"] > one.as_set.sums.raised["LOW"]


@pytest.mark.parametrize("day", [LOW, QUIET, INFUSION], ids=["low", "quiet", "infusion"])
async def test_the_limits_of_the_day_raise_again_what_was_raised_on_the_day(tmp_path: Path, day: Day) -> None:
    """But for cuffs: a repeat that was asked for on the day comes of itself, and nobody acknowledges."""
    (kept,) = await kept_of(tmp_path, day)
    again = played(kept, house(tmp_path)).sums.rules
    cuffs = {"sbp-high", "dbp-high", "map-high", "sbp-low", "cuff-failed", "cuff-overdue"}
    for key, count in recorded(kept).items():
        if key[0] not in cuffs:
            assert again[key] == count, key
    assert set(again) - set(recorded(kept)) <= {
        (rule, p) for rule in cuffs for p in ("HIGH", "MEDIUM", "LOW")
    }


async def test_the_phases_of_a_treatment_are_those_of_the_day_and_so_are_their_limits(tmp_path: Path) -> None:
    """In early recovery MEDIUM begins at 160: a layer says so, and lies over whatever is proposed."""
    (kept,) = await kept_of(tmp_path, Day("iv_ketamine_40", seed=14))
    for house_of in (house(tmp_path), proposal(house(tmp_path), {"sbp-high-m": {"limit": 180}})):
        mediums = [
            line
            for line in played(kept, house_of).lines
            if (line["rule"], line["priority"]) == ("sbp-high", "MEDIUM") and line.get("move") == "raised"
        ]
        assert {line["limit"] for line in mediums} == {160}
        ended_s = next(
            (row.event.done_at_ms - kept.moved.at_ms) / 1_000
            for row in kept.rows
            if isinstance(row.event, PhaseMoved) and row.event.now is Phase.EARLY_RECOVERY
        )
        assert all(line["t_s"] >= ended_s for line in mediums)


async def test_a_therapys_own_layers_can_be_proposed_as_well(tmp_path: Path) -> None:
    """Of the limits of protocols.md 6.3: early recovery calls from 160 on, and is proposed to from 175 on."""
    day = Day("iv_ketamine_40", seed=14)
    layers: dict[str, Limits] = {"early recovery": {"sbp-high-m": {"limit": 175}}}
    async with stored(tmp_path, day) as store:
        door = what_ifs(tmp_path, store)
        found = await door.what_if([1], None, layers)
        nothing = await door.what_if([1], None, {})
    (one,) = found.sessions
    assert one.as_set is not None
    assert one.proposed is not None
    medium, limits = ("sbp-high", "MEDIUM"), []
    for side in (one.as_set, one.proposed):
        raised = [line for line in side.lines if line.get("move") == "raised"]
        limits.append({line["limit"] for line in raised if (line["rule"], line["priority"]) == medium})
    assert limits[0] == {160}
    assert limits[1] <= {175}
    assert one.proposed.sums.rules[medium] <= one.as_set.sums.rules[medium]
    (same,) = nothing.sessions
    assert same.as_set is not None
    assert same.proposed is not None
    assert same.as_set.lines == same.proposed.lines


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ({"early recovry": {"sbp-high-m": {"limit": 175}}}, 'there is no layer "early recovry"'),
        ({"early recovery": {"sbp-hih-m": {"limit": 175}}}, "layers.early recovery.sbp-hih-m"),
        ({"early recovery": {"sbp-high-m": {"limit": 300}}}, "layers.early recovery.sbp-high-m.limit"),
        ({"early recovery": {"sbp-high-m": {"limt": 170}}}, "layers.early recovery.sbp-high-m.limt"),
    ],
)
def test_a_wrong_proposal_for_a_layer_is_said_by_its_key(
    tmp_path: Path, layers: dict[str, Limits], words: str
) -> None:
    with pytest.raises(WrongLimitsError, match=re.escape(words)):
        proposal(house(tmp_path), {}, layers)


async def test_what_is_proposed_changes_nothing_of_what_is_kept(tmp_path: Path) -> None:
    async with stored(tmp_path, LOW) as store:
        before = (store.journal.head, await store.trends.history(Bed("3"), 0, 1 << 50))
        await what_ifs(tmp_path, store).what_if([1], STRICT)
        assert (store.journal.head, await store.trends.history(Bed("3"), 0, 1 << 50)) == before


async def test_no_session_is_judged_by_the_readings_of_another(tmp_path: Path) -> None:
    """Somebody at the next bed is at 87 %, and the patient of the day before was low: neither is this one."""
    alone = await asked(tmp_path / "alone", QUIET, limits=STRICT)
    among = await asked(tmp_path / "among", LOW, QUIET, limits=STRICT)
    one, other = alone.sessions[0], among.sessions[1]
    assert one.as_set is not None
    assert other.as_set is not None
    assert other.as_set.sums.rules[("spo2-low", "MEDIUM")] == 0
    assert other.as_set.sums.bed_s < 5 * 3_600
    said = json.dumps([session.lines() for session in among.sessions])
    for number in (OTHER_SPO2, OTHER_SYS, OTHER_DIA):
        assert f'"value": {number:g}' not in said
    assert f'"session": {ELSEWHERE}' not in said


async def test_each_session_is_judged_alone_whatever_is_asked_with_it(tmp_path: Path) -> None:
    async with stored(tmp_path, LOW, QUIET) as store:
        door = what_ifs(tmp_path, store)
        together = (await door.what_if([1, 2])).sessions
        apart = [(await door.what_if([number])).sessions[0] for number in (1, 2)]
    for one, other in zip(together, apart, strict=True):
        assert one.as_set is not None
        assert other.as_set is not None
        assert one.as_set.lines == other.as_set.lines


async def test_the_sums_are_those_of_the_sessions(tmp_path: Path) -> None:
    found = await asked(tmp_path, LOW, QUIET, limits=RELAXED)
    line = found.line()
    assert (line["sessions"], line["skipped"]) == (2, [])
    parts = [session.lines()[-1] for session in found.sessions]
    assert [part["session"] for part in parts] == [1, 2]
    for side in ("as_set", "proposed"):
        assert line[side]["pages"] == sum(part[side]["pages"] for part in parts)
    for row in line["rules"]:
        same = [
            r
            for part in parts
            for r in part["rules"]
            if (r["rule"], r["priority"]) == (row["rule"], row["priority"])
        ]
        assert row["as_set"] == sum(r["as_set"] for r in same)
        assert row["proposed"] == sum(r["proposed"] for r in same)
        assert row["recorded"] == sum(r["recorded"] for r in same)
    json.dumps(line)


async def test_a_session_whose_readings_are_gone_is_said_to_be_and_is_not_a_quiet_one(tmp_path: Path) -> None:
    async with stored(tmp_path, LOW, QUIET) as store:
        beds = {Device("monitor3"): Bed("3")}
        kept = await gather(store.journal, store.trends, 1, 1 << 50, beds)
        assert kept.ended_ms is not None
        store.trends._newest_ms = kept.ended_ms + store.trends._retention_ms + 1
        await store.trends.prune()
        found = await what_ifs(tmp_path, store).what_if([1, 2], RELAXED)
    gone, there = found.sessions
    assert gone.lines() == [
        {"event": "skipped", "why": "Its readings are not kept, or not any more.", "session": 1}
    ]
    assert there.as_set is not None
    assert (found.line()["sessions"], found.line()["skipped"]) == (1, [1])


async def test_no_such_session_and_no_such_limit_say_so(tmp_path: Path) -> None:
    async with stored(tmp_path, QUIET) as store:
        door = what_ifs(tmp_path, store)
        with pytest.raises(NoSuchSessionError, match="77"):
            await door.what_if([77])
        with pytest.raises(WrongLimitsError, match=r"spo2-lwo: is not known"):
            await door.what_if([1], {"spo2-lwo": {"limit": 90}})
        with pytest.raises(WrongLimitsError, match="must be a number"):
            await door.what_if([1], {"spo2-low": {"limit": "low"}})
        with pytest.raises(WrongLimitsError):
            await door.what_if([1], {"spo2-low": 90})  # type: ignore[dict-item]
        assert (await door.what_if([])).sessions == ()
        assert await door.newest(5) == [1]
        assert await door.newest(0) == []


async def test_a_therapy_that_is_gone_is_an_error_in_words(tmp_path: Path) -> None:
    (kept,) = await kept_of(tmp_path, QUIET)
    with pytest.raises(ValueError, match="There is no therapy spravato_us any more"):
        played(kept, replace(house(tmp_path), therapies={}))


# Gaps.


def line(*spans: tuple[int, int], value: float | None = 97.0) -> History:
    """A vital with a value each second of these spans."""
    times = [at * 1_000 for begin, end in spans for at in range(begin, end)]
    return History(times, [value] * len(times), [Quality.VALID] * len(times), [(0, "monitor3")])


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        ({Vital.SPO2: line((0, 100))}, 0),
        ({Vital.SPO2: line((0, 30), (60, 100))}, 21),  # the last value at 29 s stands until 39 s
        ({Vital.SPO2: line((0, 100)), Vital.RESPIRATION: line((0, 50))}, 41),
        ({Vital.HEART_RATE: line((0, 50)), Vital.PULSE_SPO2: line((45, 100))}, 0),
        ({Vital.SPO2: line((0, 100), value=None)}, 100),
        ({}, 0),
    ],
)
def test_a_gap_is_where_something_that_was_measured_is_not_live(
    history: dict[Vital, History], seconds: float
) -> None:
    assert gaps_s(history, 0, 100_000) == pytest.approx(seconds, abs=0.01)


# The command.


def replayed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`chairside replay` with the settings of the clinic in this folder."""
    config = folder / "clinic.toml"
    config.write_text(
        f'[clinic]\nname = "Harbour clinic"\nzone = "Europe/Berlin"\ndata_dir = "{folder}"\n'
        '[[bed]]\nname = "3"\n[[bed]]\nname = "4"\n',
        encoding="utf-8",
    )
    return subprocess.run(
        [sys.executable, "-m", "monitor", "replay", *arguments, "--config", str(config)],
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )


async def test_the_command_says_what_another_limit_would_have_raised(tmp_path: Path) -> None:
    relaxed = tmp_path / "relaxed.toml"
    relaxed.write_text("[limits.spo2-low-m]\nlimit = 90\n", encoding="utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[limits.spo2-lwo]\nlimit = 90\n", encoding="utf-8")
    async with stored(tmp_path, LOW, QUIET):
        done = await asyncio.to_thread(
            replayed, tmp_path, "--session", "1", "--last", "2", "--limits", str(relaxed)
        )
        brief = await asyncio.to_thread(replayed, tmp_path, "--session", "1", "--summary")
        missing = await asyncio.to_thread(replayed, tmp_path, "--session", "77")
        refused = await asyncio.to_thread(replayed, tmp_path, "--last", "1", "--limits", str(wrong))
        nothing = await asyncio.to_thread(replayed, tmp_path)
        both = await asyncio.to_thread(replayed, tmp_path, "case.csv", "--session", "1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    summaries = [line for line in lines if line["event"] == "summary"]
    assert [one.get("session") for one in summaries] == [1, 2, None]
    assert summaries[-1]["sessions"] == 2
    medium = [
        (line["session"], line["limits"])
        for line in lines
        if (line.get("rule"), line.get("priority"), line.get("move")) == ("spo2-low", "MEDIUM", "raised")
    ]
    assert medium == [(1, "as set")]
    assert [json.loads(text)["event"] for text in brief.stdout.splitlines()] == ["summary"]
    assert json.loads(brief.stdout)["proposed"] is None
    assert (missing.returncode, missing.stderr) == (4, "chairside: there is no session 77\n")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "wrong.toml: rules.spo2-lwo: is not known" in refused.stderr
    assert (nothing.returncode, both.returncode) == (2, 2)
    assert "--session or --last" in nothing.stderr

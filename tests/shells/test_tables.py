"""Readings that come as a table, past the ward: kept in the trends and shown on the tile as if one by one."""

from __future__ import annotations

from pathlib import Path

from monitor.api.views import turns
from monitor.model import Device, Readings, Vital
from monitor.store.trends import Trends
from tests.shells.api_clinic import BED3, NOON_MS, WardByHand

ROWS = 20


def table(times_ms: tuple[int, ...], *, late: bool = False) -> Readings:
    spo2 = tuple(90.0 + at % 9 for at in range(len(times_ms)))
    pulse = tuple(70.0 + at for at in range(len(times_ms)))
    vitals = Vital.SPO2, Vital.PULSE_SPO2
    return Readings(times_ms[-1], BED3, Device("m"), vitals, times_ms, (spo2, pulse), (10_000, 10_000), late)


async def test_the_trends_keep_every_row_and_of_one_instant_the_last(tmp_path: Path) -> None:
    history = table(tuple(NOON_MS - 30_000 + 100 * at for at in range(ROWS)), late=True)
    live = table((NOON_MS,) * ROWS)
    kept = []
    for name, whole in (("at-once", True), ("one-by-one", False)):
        trends = await Trends.open(f"sqlite+aiosqlite:///{tmp_path / name}.db")
        for one in (history, live):
            for event in [one] if whole else one.each():
                trends.put(event)
        assert await trends.flush()
        kept.append(await trends.trend(BED3, NOON_MS - 60_000, NOON_MS + 1, points=5_000))
        await trends.close()
    assert kept[0] == kept[1]
    drawn = [point for point in kept[0].vitals[Vital.PULSE_SPO2] if point[1] is not None]
    assert len(drawn) == ROWS + 1
    assert drawn[-1][1] == 70.0 + ROWS - 1


def test_a_live_table_touches_each_of_its_vitals_once_and_a_late_one_none() -> None:
    ward = WardByHand()
    ward.reads(95.0)
    live = table((NOON_MS,) * ROWS)
    one_by_one = turns.changes(list(live.each()), ward, ward.told(), ward.at_ms)
    assert turns.changes([live], ward, ward.told(), ward.at_ms) == one_by_one
    assert len(one_by_one) >= 1
    assert turns.changes([table((NOON_MS,) * ROWS, late=True)], ward, ward.told(), ward.at_ms) == []

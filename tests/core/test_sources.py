"""One bed, several devices: who speaks for a vital, what is said of a change, and that no line mixes two."""

from __future__ import annotations

import pytest

from monitor.model import Bed, Device, LinkState, Reading, SourceMoved, Vital
from tests.core.shift import VITALS, Shift
from tests.core.test_tables import table

BED = Bed("3")


def source(shift: Shift, name: str = "spo2") -> str | None:
    now = shift.ward.vital_now(BED, VITALS[name])
    assert now is not None
    return now.device


def instead_of(shift: Shift, name: str = "spo2") -> str | None:
    now = shift.ward.vital_now(BED, VITALS[name])
    assert now is not None
    return now.instead_of


def told(shift: Shift) -> list[str]:
    return [moved.why for moved in shift.of(SourceMoved)]


def test_the_first_in_the_clinics_list_speaks_and_nothing_is_said_of_it() -> None:
    shift = Shift()
    for _ in range(5):
        shift.hears("3", spo2=97)
        shift.hears("3", by="second", spo2=88)
        shift.waits(seconds=1)
    assert source(shift) == "monitor-3"
    assert told(shift) == []
    assert not [r for r in shift.of(Reading) if r.device == "second-3"]


def test_the_second_takes_over_with_a_notice_when_the_first_is_silent() -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.waits(seconds=6)
    shift.link("monitor-3", LinkState.SILENT, silent_s=6)
    shift.waits(seconds=5)
    shift.hears("3", by="second", spo2=95)
    assert (source(shift), instead_of(shift)) == ("second-3", "monitor-3")
    assert told(shift) == ["SpO2 now from second-3: monitor-3 is silent"]
    assert shift.ward.link_now(Device("second-3")).notices == ("SpO2 now from second-3: monitor-3 is silent",)


def test_the_first_takes_its_place_back_with_a_notice() -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.hears("3", spo2=None)
    shift.hears("3", by="second", spo2=95)
    shift.waits(seconds=1)
    shift.hears("3", spo2=96)
    assert (source(shift), instead_of(shift)) == ("monitor-3", None)
    assert told(shift) == ["SpO2 now from second-3: monitor-3 has no value", "SpO2 from monitor-3 again"]
    assert shift.ward.link_now(Device("second-3")).notices == ()
    assert shift.ward.link_now(Device("monitor-3")).notices == ("SpO2 from monitor-3 again",)
    shift.waits(minutes=1)
    assert shift.ward.link_now(Device("monitor-3")).notices == ()


def test_each_vital_has_its_own_source() -> None:
    shift = Shift()
    shift.hears("3", spo2=97, pr_spo2=70, hr=71)
    shift.hears("3", spo2=None)
    shift.hears("3", by="second", spo2=95, pr_spo2=90)
    assert (source(shift), source(shift, "pr_spo2"), source(shift, "hr")) == (
        "second-3",
        "monitor-3",
        "monitor-3",
    )


def test_what_comes_late_is_not_drawn_into_the_line_of_another() -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.waits(seconds=30)
    shift.hears("3", by="second", spo2=95)
    shift.waits(seconds=30)
    old = shift.reading("3", "spo2", 90, ago_s=20, late=True)
    assert shift.feed(old) == [], "by then the second one spoke"
    older = shift.reading("3", "spo2", 96, ago_s=40, late=True)
    assert shift.feed(older) == [older], "this gap was its own"


@pytest.mark.parametrize("late", [True, False])
def test_a_table_changes_the_source_as_its_readings_do(*, late: bool) -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.waits(seconds=30)
    times = tuple(shift.now_ms - 200 + 100 * at for at in range(3))
    made = shift.feed(table(0, by="second", late=late, times_ms=times, spo2=[95.0, 95, 95]))
    assert len(told(shift)) == (0 if late else 1)
    assert [event for event in made if isinstance(event, Reading)] or late


def test_who_spoke_last_is_known_after_a_restart() -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.hears("3", spo2=None)
    shift.hears("3", by="second", spo2=95)
    shift.restarts()
    shift.hears("3", by="second", spo2=95)
    assert len(told(shift)) == 1, "nothing has changed"
    assert instead_of(shift) == "monitor-3"
    shift.hears("3", spo2=97)
    assert told(shift)[-1] == "SpO2 from monitor-3 again"


def test_rates_of_different_origin_stay_apart() -> None:
    shift = Shift()
    shift.hears("3", hr=70, pr_spo2=72)
    assert {v.vital: v.value for v in shift.bed("3").vitals} == {Vital.HEART_RATE: 70, Vital.PULSE_SPO2: 72}

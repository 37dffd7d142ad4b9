"""A device that makes things up is a technical alarm by name, and never a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.alerts.rules import LIES
from monitor.model import (
    AlarmState,
    Bed,
    Cuff,
    Device,
    DeviceNoted,
    Lie,
    LinkState,
    Notice,
    Quality,
    Reading,
    Sample,
    Told,
    Vital,
)
from tests.core.shift import Shift
from tests.whole.room import Place, Room

ACTIVE, CLEAR = AlarmState.ACTIVE, AlarmState.CLEAR
MONITOR, BED = Device("monitor-3"), Bed("3")
WORDS = {
    Lie.IMPOSSIBLE: ("impossible-m", "Monitor sends impossible values", 10),
    Lie.WRONG_UNIT: ("wrong-unit-m", "Monitor is set to a wrong unit", 10),
    Lie.FROZEN: ("frozen-m", "Monitor repeats one old reading", 5),
    Lie.HISTORY: ("old-data-m", "Monitor sends stored readings only", 10),
    Lie.CLOCK: ("device-clock-l", "Monitor's clock is wrong", 60),
}


def test_every_lie_has_its_alarm_and_its_words() -> None:
    assert set(WORDS) == set(LIES) == set(Lie)


@pytest.mark.shows("ALM-013")
@pytest.mark.parametrize("lie", list(Lie))
def test_what_lasts_is_an_alarm_of_its_device_in_words_a_nurse_reads(lie: Lie) -> None:
    rule, text, after_s = WORDS[lie]
    shift = Shift()
    shift.feed(DeviceNoted(shift.now_ms, MONITOR, (lie,)))
    shift.waits(seconds=after_s - 0.1)
    assert shift.find("3", rule) is None
    shift.waits(seconds=0.1)
    alarm = shift.alarm("3", rule)
    assert (alarm.state, alarm.text, alarm.device, alarm.technical) == (ACTIVE, text, MONITOR, True)
    shift.feed(DeviceNoted(shift.now_ms, MONITOR, ()))
    assert shift.find("3", rule) is None or shift.alarm("3", rule).state is AlarmState.LATCHED


def test_an_empty_bed_and_a_lost_link_lie_about_nobody() -> None:
    shift = Shift(occupied=False)
    shift.feed(DeviceNoted(shift.now_ms, MONITOR, (Lie.FROZEN,)))
    shift.waits(seconds=60)
    assert shift.find("3", "frozen-m") is None
    shift = Shift()
    shift.feed(DeviceNoted(shift.now_ms, MONITOR, (Lie.FROZEN,)))
    shift.link(MONITOR, LinkState.DOWN)
    shift.waits(seconds=20)
    assert shift.find("3", "frozen-m") is None


def test_a_frozen_monitor_speaks_for_the_silence_of_its_vitals() -> None:
    shift = Shift()
    shift.hears("3", spo2=97)
    shift.waits(seconds=9)
    shift.feed(DeviceNoted(shift.now_ms, MONITOR, (Lie.FROZEN,)))
    shift.waits(minutes=1)
    assert shift.alarm("3", "spo2-gap-m").spoken_for
    assert not shift.alarm("3", "frozen-m").spoken_for


# Through a real reader.


class Heard:
    """One monitor whose words are given, at a bed with a patient."""

    def __init__(self) -> None:
        """Its link is up."""
        self.room = Room([Place("1", "mqtt-native", "N0")], begin_s=0, cuff_interval_s=None)
        (station,) = self.room.stations
        self.reader: Any = station.reader
        self.device = station.plan.device
        self.room.put = self._put  # type: ignore[method-assign]
        self.reader._telling._put = self._put
        self.reader._moved(self.reader._health.opened(self.now_ms))

    @property
    def now_ms(self) -> int:
        """The ward's time."""
        return self.room.now_ms

    def _put(self, event: Any) -> None:
        self.room.hear(event)

    def says(self, *said: Told, seconds: int = 1, every_s: float = 1.0) -> None:
        """These words every second for so long."""
        for told in self._each(said, seconds, every_s):
            self.reader._hear(b"x", told, self.now_ms)

    def says_in_turn(self, words: Iterator[Told], seconds: int) -> None:
        """One of these a second."""
        for _ in range(seconds):
            self.reader._hear(b"x", [next(words)], self.now_ms)
            self._waits(1)

    def _each(self, said: tuple[Told, ...], seconds: int, every_s: float) -> Iterator[list[Told]]:
        for _ in range(round(seconds / every_s)):
            yield list(said)
            self._waits(every_s)

    def _waits(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.room.clock.advance(100)
            self.reader._tick(self.now_ms)
            self.room._keep(self.room.ward.tick(self.now_ms))

    def raised(self) -> set[str]:
        """Every technical condition that was raised."""
        return {alarm.condition for alarm in self.room.raised(technical=True)}

    def shows(self, vital: Vital = Vital.SPO2) -> float | None:
        """The number that stands, if it is live."""
        now = self.room.ward.vital_now(Bed("1"), vital)
        return None if now is None or self.now_ms > now.fresh_until_ms else now.value


def test_values_that_cannot_be_right_are_told_and_never_shown() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 97.0), seconds=5)
    heard.says(Sample(Vital.SPO2, 104.0), seconds=12)
    assert "impossible" in heard.raised()
    assert heard.shows() is None


def test_one_value_that_cannot_be_right_is_no_alarm() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 104.0))
    heard.says(Sample(Vital.SPO2, 97.0), seconds=30)
    assert heard.raised() == set()


def test_what_the_device_itself_calls_invalid_is_no_lie() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, None, Quality.INVALID, "sensor off"), seconds=30)
    assert "impossible" not in heard.raised()


def test_fahrenheit_and_kilopascal_are_a_wrong_unit() -> None:
    heard = Heard()
    heard.says(Sample(Vital.TEMPERATURE, 98.6), seconds=12)
    assert heard.raised() >= {"wrong-unit"}
    assert heard.shows(Vital.TEMPERATURE) is None
    heard = Heard()
    heard.says(Cuff(16.0, 10.7))
    heard.says(Sample(Vital.SPO2, 97.0), seconds=12)
    assert "wrong-unit" in heard.raised()
    heard.says(Cuff(120.0, 80.0))
    heard.says(Sample(Vital.SPO2, 97.0), seconds=2)
    assert heard.reader._telling.noted == ()


@pytest.mark.shows("HZ-05")
def test_a_frozen_feed_is_known_by_its_own_clock() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 97.0, device_time="2026-05-01T10:00:00"), seconds=16)
    assert "frozen" in heard.raised()
    assert heard.shows() is None


def test_a_value_that_merely_does_not_change_is_not_frozen() -> None:
    heard = Heard()
    steady = (
        Sample(Vital.SPO2, 97.0, device_time=f"2026-05-01T10:{at // 60:02d}:{at % 60:02d}")
        for at in range(120)
    )
    heard.says_in_turn(steady, 120)
    assert heard.raised() == set()
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 97.0), seconds=120)
    assert heard.raised() == set()


def test_a_monitor_that_plays_its_trend_is_told_and_shows_nothing() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 97.0, late=True, age_ms=3_000), seconds=12)
    assert "old-data" in heard.raised()
    assert heard.shows() is None


def test_a_backlog_beside_live_values_is_history_and_no_alarm() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 97.0), seconds=10)
    heard.says(Sample(Vital.SPO2, 91.0, late=True, age_ms=9_000), Sample(Vital.SPO2, 97.0), seconds=30)
    assert heard.raised() == set()
    assert heard.shows() == 97


def test_what_is_from_before_this_patient_is_told_and_shows_nothing() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, 88.0, late=True, age_ms=600_000), seconds=32)
    assert "earlier-patient" in heard.raised()
    assert heard.shows() is None
    assert not [e for e in heard.room.events if isinstance(e, Reading)]


def test_an_old_pressure_that_a_monitor_still_shows_is_no_alarm_but_a_list_of_them_is() -> None:
    heard = Heard()
    heard.says(Cuff(120.0, 80.0, age_ms=900_000))
    heard.says(Cuff(122.0, 80.0, age_ms=60_000))
    heard.says(Sample(Vital.SPO2, 97.0), seconds=40)
    assert heard.raised() == set()
    heard.says(Cuff(125.0, 80.0, age_ms=600_000))
    heard.says(Sample(Vital.SPO2, 97.0), seconds=32)
    assert heard.raised() == {"earlier-patient"}
    cuff = heard.room.ward.bed_now(Bed("1")).cuff
    assert cuff is not None
    assert cuff.cuff is None


def test_a_unit_that_a_vital_cannot_have_is_told_by_the_codec_and_heard_here() -> None:
    heard = Heard()
    heard.says(Sample(Vital.SPO2, None, Quality.INVALID, "not in %: mmHg"), Notice("x"), seconds=12)
    assert "wrong-unit" in heard.raised()

"""Frozen feeds, backlogs, clocks that jump, and the disorder of networks (T2 to T5 of the scenarios)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.devices.order import Arrival, Arrivals, Judged, device_time_ms
from monitor.model import Cuff, Sample, Vital

LIVE, LATE, REPEAT = Arrival.LIVE, Arrival.LATE, Arrival.REPEAT
START_MS = 1_795_313_704_000
DEVICE = datetime(2004, 1, 7, 12, 0, tzinfo=UTC)  # wrong by 22 years, as in a published capture


class Feed:
    """A device with a clock of its own, heard by us; second by second."""

    def __init__(self) -> None:
        """Both clocks run."""
        self.arrivals = Arrivals()
        self.now_s = 0.0
        self.device_s = 0.0

    def hears(self, vital: Vital = Vital.SPO2, *, at_device_s: float | None = None) -> Judged:
        """One value, of the device's time now or of another one."""
        device = DEVICE + timedelta(seconds=self.device_s if at_device_s is None else at_device_s)
        text = device.strftime("%m/%d/%y %H:%M:%S")
        return self.arrivals.judge(Sample(vital, 97, device_time=text), self.now_ms)

    def runs(self, seconds: float) -> None:
        """Both clocks go on."""
        self.now_s += seconds
        self.device_s += seconds

    @property
    def now_ms(self) -> int:
        """The clock on the wall."""
        return START_MS + round(self.now_s * 1000)


def _quiet(seconds: int = 60) -> Feed:
    feed = Feed()
    for _ in range(seconds):
        assert feed.hears() == Judged(LIVE, feed.now_ms)
        feed.runs(1)
    return feed


def test_a_device_whose_clock_is_years_wrong_is_live() -> None:
    _quiet()


@pytest.mark.shows("HZ-05")
def test_a_frozen_feed_is_live_once_and_never_again() -> None:
    feed = _quiet()
    feed.device_s = 1_000_000
    assert feed.hears().arrival is LIVE
    for _ in range(600):
        feed.now_s += 1
        assert feed.hears().arrival is REPEAT


def test_two_vitals_of_one_line_are_both_live() -> None:
    feed = _quiet()
    assert feed.hears(Vital.SPO2).arrival is LIVE
    assert feed.hears(Vital.PULSE_SPO2).arrival is LIVE
    assert feed.hears(Vital.PULSE_SPO2).arrival is REPEAT


@pytest.mark.shows("HZ-15")
def test_a_backlog_after_a_reconnection_is_history_with_its_own_times() -> None:
    feed = _quiet()
    lost_at_s = feed.device_s
    feed.runs(60)
    backlog = [feed.hears(at_device_s=lost_at_s + second) for second in range(60)]
    assert [one.arrival for one in backlog[:54]] == [LATE] * 54
    for second, one in enumerate(backlog[:54]):
        assert one.at_ms == pytest.approx(START_MS + round((lost_at_s + second) * 1000), abs=100)
    feed.runs(1)
    assert feed.hears() == Judged(LIVE, feed.now_ms)


@pytest.mark.shows("HZ-16")
def test_a_clock_set_back_by_an_hour_is_noticed_and_taken_over() -> None:
    feed = _quiet()
    feed.device_s -= 3_600
    judged = []
    for _ in range(10):
        judged.append(feed.hears())
        feed.runs(1)
    assert [one.arrival for one in judged] == [LATE, LATE] + [LIVE] * 8
    assert [one.notice for one in judged if one.notice] == ["the device's clock was set back by 3600 s"]
    assert all(one.at_ms <= feed.now_ms for one in judged)


def test_a_clock_set_ahead_is_noticed_and_taken_over_at_once() -> None:
    feed = _quiet()
    feed.device_s += 300
    judged = feed.hears()
    assert judged == Judged(LIVE, feed.now_ms, "the device's clock was set ahead by 300 s")
    feed.runs(1)
    assert feed.hears() == Judged(LIVE, feed.now_ms)


def test_a_clock_that_is_set_back_and_stands_still_is_not_taken_over() -> None:
    feed = _quiet()
    feed.device_s -= 3_600
    for _ in range(600):
        assert feed.hears().arrival is not LIVE
        feed.now_s += 1


def test_duplicates_and_swapped_readings_are_never_live_twice() -> None:
    feed = _quiet()
    feed.runs(1)
    here = feed.device_s
    assert feed.hears(at_device_s=here).arrival is LIVE
    assert feed.hears(at_device_s=here - 1).arrival is LATE
    assert feed.hears(at_device_s=here).arrival is REPEAT
    assert feed.hears(at_device_s=here - 1).arrival is LATE


def test_a_pipe_that_delays_everything_is_late_until_it_is_clear_that_it_is_the_clock() -> None:
    feed = _quiet()
    feed.now_s += 30
    arrivals = []
    for _ in range(400):
        arrivals.append(feed.hears())
        feed.runs(1)
    assert {one.arrival for one in arrivals[:299]} == {LATE}
    assert arrivals[-1].arrival is LIVE
    assert [one.notice for one in arrivals if one.notice] == ["the device's clock was set back by 30 s"]


def test_a_slow_device_clock_never_makes_its_readings_late() -> None:
    feed = Feed()
    for _ in range(3 * 24 * 60):
        assert feed.hears().arrival is LIVE
        feed.now_s += 60
        feed.device_s += 60 * (1 - 0.0002)  # 200 ppm: 17 s a day


def test_the_delays_of_a_network_are_no_reason_for_doubt() -> None:
    feed = _quiet()
    for second in range(200):
        delay_s = (second * 7 % 30) / 10
        feed.now_s += delay_s
        assert feed.hears().arrival is LIVE
        feed.now_s -= delay_s
        feed.runs(3)


def test_what_the_source_itself_calls_late_is_late() -> None:
    judged = Arrivals().judge(Sample(Vital.SPO2, 97, age_ms=60_000, late=True), START_MS)
    assert judged == Judged(LATE, START_MS - 60_000)


def test_what_is_called_late_again_and_again_is_told_once() -> None:
    arrivals = Arrivals()
    late = Sample(Vital.SPO2, 97, age_ms=60_000, late=True, device_time="20261122021404")
    assert arrivals.judge(late, START_MS) == Judged(LATE, START_MS - 60_000)
    assert arrivals.judge(late, START_MS + 1_000).arrival is REPEAT


def test_a_temperature_of_a_minute_ago_is_live_once_and_says_nothing_of_the_clock() -> None:
    arrivals = Arrivals()
    for second, expected in ((0, LIVE), (1, REPEAT), (2, REPEAT)):
        now_ms = START_MS + 1_000 * second
        beside = Sample(Vital.SPO2, 97, device_time=str(now_ms))
        assert arrivals.judge(beside, now_ms) == Judged(LIVE, now_ms)
        spot = Sample(
            Vital.TEMPERATURE, 36.7, age_ms=60_000 + 1_000 * second, device_time="2026-11-22T02:14:04"
        )
        assert arrivals.judge(spot, now_ms) == Judged(expected, START_MS - 60_000)
    old = Sample(Vital.TEMPERATURE, 36.8, age_ms=121_000, device_time="2026-11-22T02:13:04")
    assert arrivals.judge(old, START_MS).arrival is LATE


def test_a_value_without_a_time_is_live_and_as_old_as_it_says() -> None:
    assert Arrivals().judge(Sample(Vital.SPO2, 97), START_MS) == Judged(LIVE, START_MS)
    assert Arrivals().judge(Sample(Vital.SPO2, 97, age_ms=40), START_MS) == Judged(LIVE, START_MS - 40)


def test_a_time_that_cannot_be_read_still_shows_a_repeat() -> None:
    arrivals = Arrivals()
    told = [arrivals.judge(Sample(Vital.SPO2, 97, device_time=text), START_MS).arrival for text in "aab"]
    assert told == [LIVE, REPEAT, LIVE]


def test_one_cuff_measurement_told_twice_is_a_repeat() -> None:
    arrivals = Arrivals()
    assert arrivals.judge(Cuff(138, 84, 102, age_ms=42_000), START_MS) == Judged(LIVE, START_MS - 42_000)
    assert arrivals.judge(Cuff(138, 84, 102, age_ms=103_000), START_MS + 60_000).arrival is REPEAT
    assert arrivals.judge(Cuff(138, 84, 102, age_ms=1_000), START_MS + 90_000).arrival is LIVE
    assert arrivals.judge(Cuff(139, 84, 102, age_ms=2_000), START_MS + 91_000).arrival is LIVE
    stamped = Cuff(138, 84, device_time="2026-11-22T02:14:31Z")
    assert arrivals.judge(stamped, START_MS).arrival is LIVE
    assert arrivals.judge(stamped, START_MS + 60_000).arrival is REPEAT


def test_an_old_cuff_measurement_is_history() -> None:
    assert Arrivals().judge(Cuff(138, 84, 102, age_ms=121_000), START_MS) == Judged(LATE, START_MS - 121_000)


@pytest.mark.parametrize(
    "text",
    [
        "11/22/26 02:15:04",
        "22-Nov-26 02:15:04",
        "22-NOV-26 02:15:04",
        "2026-11-22T02:15:04Z",
        "1795313704000",
        "1795313704",
        "2026-11-22 02:15:04",
        "20261122021504",
        "20261122021504.0000",
        "20261122101504.00+0800",
    ],
)
def test_the_ways_devices_write_a_time(text: str) -> None:
    assert device_time_ms(text) == START_MS


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001  a device knows no zone
def test_every_second_of_the_century_is_read_as_an_oximeter_prints_it(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    for form in ("%m/%d/%y %H:%M:%S", "%d-%b-%y %H:%M:%S"):
        assert device_time_ms(moment.strftime(form)) == round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "11/22/26 02:15:60",
        "11/22/26 02:15: 4",
        "11/22/26 02:15:4",
        "11/22/26 24:15:04",
        "13/22/26 02:15:04",
        "22-Nov-26 02:15:+4",
        "22-Nev-26 02:15:04",
        "20261322021504",
        "20261122021560+0000",
    ],
)
def test_a_time_that_is_none_is_not_read(text: str) -> None:
    assert device_time_ms(text) is None


@given(st.text(max_size=30))
def test_any_words_for_a_time_are_survived(text: str) -> None:
    assert device_time_ms(text) is None or isinstance(device_time_ms(text), int)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(-400_000, 400_000)), max_size=80))
def test_whatever_the_clocks_do_nothing_is_measured_after_now(steps: list[tuple[int, int]]) -> None:
    feed = Feed()
    for later_ms, device_ms in steps:
        feed.now_s += later_ms / 1000
        feed.device_s += device_ms / 1000
        judged = feed.hears()
        assert judged.at_ms <= feed.now_ms
        if judged.arrival is LIVE:
            assert judged.at_ms == feed.now_ms

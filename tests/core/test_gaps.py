"""What is missing, and for how long."""

from __future__ import annotations

from monitor.alerts.gaps import GapChange, Gaps, Key
from monitor.model import Bed, Cue, Device
from tests.core.test_engine_oracle import watch

T0 = 1_790_000_000_000
MEDIUM: Key = (Bed("3"), "link-lost-m", Device("monitor-3"))
HIGH: Key = (Bed("3"), "link-lost", Device("monitor-3"))


def gaps() -> Gaps:
    return Gaps(watch().delays_ms)


def test_a_lost_link_is_medium_at_ten_seconds_and_high_at_sixty() -> None:
    missing = gaps()
    missing.set(MEDIUM, T0)
    missing.set(HIGH, T0)
    assert missing.tick(T0 + 9_999) == []
    assert missing.due_ms() == T0 + 10_000
    assert missing.tick(T0 + 10_000) == [GapChange(MEDIUM, Cue.HELD, T0, T0 + 10_000)]
    assert missing.tick(T0 + 90_000) == [GapChange(HIGH, Cue.HELD, T0, T0 + 60_000)]
    assert missing.due_ms() is None
    assert missing.standing(HIGH)


def test_a_cable_that_is_back_in_ends_it_at_once() -> None:
    missing = gaps()
    missing.set(MEDIUM, T0)
    missing.tick(T0 + 20_000)
    missing.set(MEDIUM, None)
    assert missing.due_ms() == 0
    assert missing.tick(T0 + 21_000) == [GapChange(MEDIUM, Cue.END, T0, T0 + 21_000)]
    assert missing.tick(T0 + 22_000) == []
    assert not missing.standing(MEDIUM)


def test_what_is_over_before_its_delay_was_never_an_alarm() -> None:
    missing = gaps()
    missing.set(MEDIUM, T0)
    missing.set(MEDIUM, None)
    assert missing.tick(T0 + 60_000) == []


def test_to_say_the_same_again_changes_nothing() -> None:
    missing = gaps()
    for second in range(10):
        missing.set(MEDIUM, T0)
        assert missing.tick(T0 + second * 1_000) == []
    missing.set(MEDIUM, T0)
    assert len(missing.tick(T0 + 10_000)) == 1
    missing.set(MEDIUM, T0)
    assert missing.tick(T0 + 11_000) == []


def test_a_delay_counts_from_the_newest_beginning() -> None:
    missing = gaps()
    missing.set(MEDIUM, T0)
    missing.set(MEDIUM, T0 + 8_000)
    assert missing.tick(T0 + 12_000) == []
    assert missing.tick(T0 + 18_000) == [GapChange(MEDIUM, Cue.HELD, T0 + 8_000, T0 + 18_000)]


def test_what_comes_and_goes_between_two_looks_is_still_the_same_alarm() -> None:
    missing = gaps()
    missing.set(MEDIUM, T0)
    missing.tick(T0 + 20_000)
    missing.set(MEDIUM, None)
    missing.set(MEDIUM, T0 + 21_000)
    assert missing.tick(T0 + 22_000) == []
    assert missing.standing(MEDIUM)


def test_an_alarm_with_no_delay_is_raised_with_the_next_look() -> None:
    missing = gaps()
    key = (Bed(""), "paging-down", None)
    missing.set(key, T0)
    assert missing.tick(T0) == [GapChange(key, Cue.HELD, T0, T0)]


def test_a_restored_alarm_is_not_raised_twice_and_ends_once() -> None:
    missing = gaps()
    missing.restore(HIGH, T0 - 70_000)
    missing.set(HIGH, T0 - 70_000)
    assert missing.tick(T0) == []
    missing.set(HIGH, None)
    assert missing.tick(T0) == [GapChange(HIGH, Cue.END, T0 - 70_000, T0)]

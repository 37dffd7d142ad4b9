"""C12: a clock that claims to be right is refused where it is ahead, and remarked on where it is off."""

from __future__ import annotations

import pytest

from monitor.devices.claimed import LEAST_OF, ClaimedClock, refused
from monitor.model import Lie, Notice

NOW_MS = 1_780_000_000_000
OFF = Notice(Lie.CLOCK)


@pytest.mark.parametrize(
    ("ahead_ms", "taken"), [(-3_600_000, True), (0, True), (5_000, True), (5_001, False)]
)
def test_C12_more_than_five_seconds_ahead_is_refused_and_says_by_how_much(ahead_ms: int, taken: bool) -> None:  # noqa: FBT001
    why = refused(NOW_MS + ahead_ms, NOW_MS)
    assert (why is None) is taken
    assert taken or why == "its time is 5 s in the future"


@pytest.mark.parametrize(("ahead_ms", "told"), [(0, None), (2_000, None), (2_001, OFF), (4_900, OFF)])
def test_C12_nothing_arrives_before_it_was_sent(ahead_ms: int, told: Notice | None) -> None:
    assert ClaimedClock().heard(NOW_MS + ahead_ms, NOW_MS) == told


def test_C12_one_message_that_was_held_up_says_nothing_of_the_clock() -> None:
    clock = ClaimedClock()
    ages_ms = [80, 120, 4_800, 90] * LEAST_OF
    assert [
        clock.heard(NOW_MS + at * 1_000 - age, NOW_MS + at * 1_000) for at, age in enumerate(ages_ms)
    ] == [None] * len(ages_ms)


def test_C12_a_clock_that_is_always_behind_is_told_and_forgiven_once_it_is_right() -> None:
    clock = ClaimedClock()
    told = [clock.heard(NOW_MS + at * 1_000 - 2_400, NOW_MS + at * 1_000) for at in range(LEAST_OF + 5)]
    assert told == [None] * (LEAST_OF - 1) + [OFF] * 6
    later_ms = NOW_MS + 60_000
    assert clock.heard(later_ms - 100, later_ms) is None

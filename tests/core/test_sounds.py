"""What screens say of their own sound: told once, kept over a restart, forgotten with the screen."""

from __future__ import annotations

import pytest

from monitor.alerts.sounds import FORGOTTEN_MS
from monitor.model import ScreenMoved, SoundSaid, SoundState, Staff
from monitor.snapshot import SoundNow
from tests.core.shift import T0_MS, Shift

ON, OFF, CHECKED = SoundState.ON, SoundState.OFF, SoundState.CHECKED
ANNA = Staff("anna")


def says(
    shift: Shift,
    state: SoundState | None,
    *,
    screen: str = "wall",
    paired: bool = True,
    by: str | None = "anna",
) -> bool:
    """A screen says so; whether that was news."""
    said = SoundSaid(shift.now_ms, screen, paired, state, Staff(by) if by else None)
    assert shift.ward.refusal(said) is None
    return shift.feed(said) == [said]


def sounds(shift: Shift) -> list[SoundNow]:
    return list(shift.snapshot().sounds)


def test_a_screen_is_off_until_it_says_that_it_is_on() -> None:
    shift = Shift()
    assert sounds(shift) == [], "what has said nothing is not said to be well"
    assert says(shift, OFF, by=None)
    assert sounds(shift) == [SoundNow("wall", True, False, None, T0_MS, None, None)]  # noqa: FBT003  paired, off
    shift.waits(seconds=5)
    assert says(shift, ON)
    (now,) = sounds(shift)
    assert (now.on, now.by, now.at_ms) == (True, ANNA, T0_MS + 5_000)


def test_the_same_word_from_the_same_person_is_no_news_and_a_check_always_is() -> None:
    shift = Shift()
    assert [says(shift, state) for state in (ON, ON, OFF, OFF, ON)] == [True, False, True, False, True]
    assert says(shift, ON, by="sam"), "somebody else is there now"
    assert [says(shift, CHECKED), says(shift, CHECKED)] == [True, True]
    assert len(shift.of(SoundSaid)) == 6


@pytest.mark.shows("ALM-032")
def test_a_check_is_remembered_with_who_heard_it_and_means_that_the_sound_is_on() -> None:
    shift = Shift()
    says(shift, OFF)
    shift.waits(minutes=1)
    says(shift, CHECKED, by="sam")
    checked_ms = shift.now_ms
    (now,) = sounds(shift)
    assert (now.on, now.checked_by, now.checked_at_ms) == (True, "sam", checked_ms)
    shift.waits(minutes=1)
    says(shift, OFF)
    (now,) = sounds(shift)
    assert (now.on, now.checked_by, now.checked_at_ms) == (False, "sam", checked_ms)


def test_a_restart_forgets_nothing_that_was_said() -> None:
    shift = Shift()
    says(shift, CHECKED)
    says(shift, OFF, screen="anna.1f", paired=False)
    before = sounds(shift)
    shift.restarts(after_s=60)
    assert sounds(shift) == before


def test_a_screen_that_is_none_any_more_is_left_out() -> None:
    shift = Shift()
    assert not says(shift, None), "it never was one"
    says(shift, OFF)
    assert says(shift, None)
    assert sounds(shift) == []
    assert shift.ward.sound_now("wall") is None


def test_a_name_that_is_given_to_another_browser_starts_anew() -> None:
    shift = Shift()
    for paired in (True, False):
        says(shift, CHECKED)
        moved = ScreenMoved(shift.now_ms, "wall", paired, ANNA)
        assert shift.ward.refusal(moved) is None
        assert shift.feed(moved) == [moved]
        assert sounds(shift) == []
    shift.restarts()
    assert sounds(shift) == []


def test_a_browser_outlives_no_shift_and_a_paired_screen_does() -> None:
    shift = Shift(occupied=False)
    says(shift, OFF)
    says(shift, OFF, screen="anna.1f", paired=False)
    shift.now_ms += FORGOTTEN_MS - 1
    shift.waits()
    assert [now.screen for now in sounds(shift)] == ["wall", "anna.1f"]
    shift.now_ms += 1
    shift.waits()
    assert [now.screen for now in sounds(shift)] == ["wall"]

"""Cuffs that are ordered: one at a time for a bed, on the first device that can, and each ends in words."""

from __future__ import annotations

import pytest

from monitor.model import (
    Bed,
    Cuff,
    CuffAsked,
    CuffCancelled,
    CuffNotTaken,
    CuffOrdered,
    CuffStopped,
    CuffTaken,
    CuffWhy,
    Device,
    DeviceNoted,
    LinkState,
    Quality,
    Staff,
    Vital,
)
from monitor.plan import DevicePlan
from monitor.treatment import Happening
from monitor.ward import Ward
from tests.core.shift import Shift

UP, DOWN = LinkState.UP, LinkState.DOWN
BED3, DANA = Bed("3"), Staff("dana")
FIRST, SECOND, BUTTON = Device("cuff-3"), Device("spare-3"), Device("button-3")
TWO = (
    DevicePlan(BUTTON, "datex-dri", BED3, frozenset({Vital.SYSTOLIC})),
    DevicePlan(FIRST, "suntech", BED3, frozenset(), starts_cuff=True),
    DevicePlan(SECOND, "par-nibp", BED3, frozenset(), starts_cuff=True),
)
ONE = TWO[:2]


def ask(shift: Shift) -> list[Happening]:
    return shift.feed(CuffAsked(shift.now_ms, BED3, DANA))


def cancel(shift: Shift) -> list[Happening]:
    return shift.feed(CuffCancelled(shift.now_ms, BED3, DANA))


def refuses(shift: Shift, device: Device, why: str = "the module stays busy") -> list[Happening]:
    return shift.feed(CuffNotTaken(shift.now_ms, BED3, device, CuffWhy.ASKED, why))


def takes(
    shift: Shift, device: Device | None, systolic: float | None, why: str = "it leaks"
) -> list[Happening]:
    cuff = Cuff(systolic, 70) if systolic else Cuff(None, None, quality=Quality.INVALID, why=why)
    return shift.feed(CuffTaken(shift.now_ms, shift.now_ms, BED3, device, cuff))


def ordered(shift: Shift) -> list[tuple[Device, CuffWhy]]:
    return [(order.device, order.why) for order in shift.of(CuffOrdered)]


def stopped(shift: Shift) -> list[Device]:
    return [stop.device for stop in shift.of(CuffStopped)]


def now(shift: Shift) -> tuple[int | None, str | None]:
    """Since when a cuff runs, and why the last try has no numbers."""
    cuff = shift.bed("3").cuff
    assert cuff is not None
    return cuff.running_since_ms, cuff.failed_why


def test_the_first_device_that_can_be_started_is_used() -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    assert ordered(shift) == [(FIRST, CuffWhy.ASKED)]
    takes(shift, FIRST, 120)
    shift.link("cuff-3", DOWN)
    ask(shift)
    assert ordered(shift)[1:] == [(SECOND, CuffWhy.ASKED)]


def test_one_cuff_at_a_time_for_a_bed() -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    assert shift.bed("3").cuff_refusal == "A reading is running already."
    assert ask(shift) == []
    takes(shift, FIRST, 120)
    assert shift.bed("3").cuff_refusal is None


@pytest.mark.parametrize("other", [BUTTON, FIRST, SECOND])
def test_nothing_is_started_while_a_monitor_of_the_bed_measures_by_itself(other: Device) -> None:
    shift = Shift(devices=TWO)
    shift.feed(DeviceNoted(shift.now_ms, other, ("cuff measuring",)))
    assert shift.bed("3").cuff_refusal == "A reading is running already."
    assert ask(shift) == []
    # Its word may outlast its result by some seconds: the repeat does not wait for it.
    takes(shift, other, 172)
    assert ordered(shift) == [(FIRST, CuffWhy.CONFIRM)]


def test_a_monitor_that_says_it_measures_and_never_ends_does_not_keep_the_others_from_it() -> None:
    shift = Shift(devices=TWO)
    shift.feed(DeviceNoted(shift.now_ms, BUTTON, ("cuff measuring",)))
    shift.waits(seconds=189)
    assert ask(shift) == []
    shift.waits(seconds=2)
    ask(shift)
    assert ordered(shift) == [(FIRST, CuffWhy.ASKED)]


def test_a_bed_whose_monitors_take_no_orders_says_which_button_to_press() -> None:
    shift = Shift(devices=TWO[:1])
    assert shift.bed("3").cuff_refusal == "This monitor cannot be started from here: please press its button."
    assert ask(shift) == []
    why = shift.ward.refusal(CuffCancelled(shift.now_ms, BED3, DANA))
    assert why == "This monitor cannot be stopped from here: please press its button."
    assert cancel(shift) == []


def test_a_bed_without_a_cuff_says_that_there_is_nothing_to_start_or_stop() -> None:
    shift = Shift(devices=[DevicePlan(Device("oximeter-3"), "masimo-ascii1", BED3, frozenset({Vital.SPO2}))])
    nothing = "No monitor of this bed measures blood pressure."
    assert shift.bed("3").cuff_refusal == nothing
    assert shift.ward.refusal(CuffAsked(shift.now_ms, BED3, DANA)) == nothing
    assert shift.ward.refusal(CuffCancelled(shift.now_ms, BED3, DANA)) == nothing


def test_a_device_that_refuses_says_why_and_the_next_one_is_used() -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    refuses(shift, FIRST)
    assert ordered(shift) == [(FIRST, CuffWhy.ASKED), (SECOND, CuffWhy.ASKED)]
    assert now(shift)[0] == shift.now_ms
    refuses(shift, SECOND, "the arm must rest")
    assert len(ordered(shift)) == 2
    assert now(shift) == (None, "the arm must rest")


def test_a_refusal_is_told_and_is_no_failed_reading() -> None:
    shift = Shift(devices=ONE)
    for _ in range(3):
        ask(shift)
        refuses(shift, FIRST)
        assert now(shift) == (None, "the module stays busy")
    assert [why for _, why in ordered(shift)] == [CuffWhy.ASKED] * 3
    assert shift.find("3", "cuff-failed-m") is None


def test_why_the_first_try_failed_is_worth_more_than_that_the_second_was_refused() -> None:
    shift = Shift(devices=ONE)
    ask(shift)
    takes(shift, FIRST, None, "movement")
    shift.feed(CuffNotTaken(shift.now_ms, BED3, FIRST, CuffWhy.SCHEDULED, "the arm must rest"))
    assert now(shift) == (None, "movement")


def test_a_refusal_of_a_device_that_has_no_order_is_not_heard() -> None:
    shift = Shift(devices=TWO)
    assert refuses(shift, FIRST) == []
    ask(shift)
    assert refuses(shift, SECOND) == []
    assert now(shift) == (shift.now_ms, None)


def test_a_cuff_of_which_nothing_comes_is_said_after_190_seconds_and_can_be_started_again() -> None:
    shift = Shift(devices=ONE)
    ask(shift)
    shift.waits(seconds=189)
    assert now(shift)[0] is not None
    shift.waits(seconds=2)
    assert now(shift) == (None, "nothing has come of it for 190 s")
    assert [missed.device for missed in shift.of(CuffNotTaken)] == [FIRST]
    ask(shift)
    assert len(ordered(shift)) == 2


def test_a_cancelled_cuff_is_stopped_at_once_and_its_end_is_no_failure() -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    made = cancel(shift)
    assert made[0] == CuffCancelled(shift.now_ms, BED3, DANA)
    assert made[1] == CuffStopped(shift.now_ms, BED3, FIRST)
    assert now(shift)[0] is None
    takes(shift, FIRST, None, "cancelled from here")
    assert now(shift) == (None, "cancelled from here")
    assert len(ordered(shift)) == 1  # a failed one would have been tried again
    ask(shift)
    takes(shift, FIRST, None)
    assert ordered(shift)[1:] == [(FIRST, CuffWhy.ASKED), (FIRST, CuffWhy.SCHEDULED)]


def test_a_cancelled_second_try_is_not_tried_a_third_time() -> None:
    shift = Shift(devices=ONE)
    ask(shift)
    takes(shift, FIRST, None)
    cancel(shift)
    takes(shift, FIRST, None, "cancelled from here")
    assert [why for _, why in ordered(shift)] == [CuffWhy.ASKED, CuffWhy.SCHEDULED]
    assert shift.find("3", "cuff-failed-m") is None


def test_a_cancelled_repeat_is_not_started_again_and_the_breach_is_raised_unconfirmed() -> None:
    shift = Shift(devices=ONE)
    takes(shift, FIRST, 172)
    assert ordered(shift) == [(FIRST, CuffWhy.CONFIRM)]
    cancel(shift)
    takes(shift, FIRST, None, "cancelled from here")
    assert len(ordered(shift)) == 1
    shift.waits(minutes=3)
    assert any("not confirmed" in alarm.note for alarm in shift.ward.snapshot().alarms)


def test_a_result_that_was_faster_than_the_cancel_counts() -> None:
    shift = Shift(devices=ONE)
    ask(shift)
    cancel(shift)
    takes(shift, FIRST, 125)
    cuff = shift.bed("3").cuff
    assert cuff is not None
    assert cuff.cuff is not None
    assert (cuff.cuff.systolic, cuff.failed_why) == (125, None)


def test_a_cancel_is_taken_while_nothing_is_known_to_run() -> None:
    shift = Shift(devices=TWO)
    cancel(shift)
    assert stopped(shift) == [FIRST, SECOND]
    takes(shift, FIRST, None)
    assert ordered(shift) == [(FIRST, CuffWhy.SCHEDULED)]  # it failed by itself: that counts


@pytest.mark.parametrize("other", [SECOND, BUTTON, None])
def test_a_reading_of_another_device_or_by_hand_leaves_the_order_running(other: Device | None) -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    since_ms = shift.now_ms
    shift.waits(seconds=5)
    takes(shift, other, 120)
    assert now(shift)[0] == since_ms
    cancel(shift)
    assert stopped(shift) == [FIRST]


def test_closing_a_session_ends_its_cuff() -> None:
    shift = Shift(devices=ONE)
    ask(shift)
    shift.discharges("3")
    assert stopped(shift) == [FIRST]


def test_a_restart_knows_no_order_and_repeats_no_decision() -> None:
    shift = Shift(devices=TWO)
    ask(shift)
    refuses(shift, FIRST)
    cancel(shift)
    takes(shift, SECOND, None, "cancelled from here")
    again = Ward(shift.plan)
    again.restore(shift.events)
    assert again.bed_now(BED3).cuff == shift.ward.bed_now(BED3).cuff
    assert again.bed_now(BED3).cuff_refusal == shift.ward.bed_now(BED3).cuff_refusal


# The interval of a session, where no monitor keeps it by itself.


def led(*, starts: bool = True) -> Shift:
    """One module that measures only when told, and a session that wants a reading every five minutes."""
    module = DevicePlan(FIRST, "suntech", BED3, frozenset({Vital.SYSTOLIC}), starts_cuff=starts, led=True)
    shift = Shift(devices=(module,), occupied=False)
    shift.link(FIRST, UP)
    shift.admits("3", cuff_interval_ms=300_000)
    return shift


def test_a_module_without_a_cycle_is_started_at_the_sessions_interval() -> None:
    shift = led()
    shift.waits(seconds=299)
    assert ordered(shift) == []
    shift.waits(seconds=1)
    assert ordered(shift) == [(FIRST, CuffWhy.SCHEDULED)]
    shift.waits(seconds=40)
    takes(shift, FIRST, 120)
    shift.waits(seconds=299)
    assert len(ordered(shift)) == 1
    shift.waits(seconds=1)
    assert len(ordered(shift)) == 2
    assert not shift.find("3", "cuff-overdue-m")


def test_a_scheduled_cuff_that_fails_twice_waits_for_the_next_interval() -> None:
    shift = led()
    shift.waits(seconds=300)
    for _ in range(2):
        shift.waits(seconds=40)
        takes(shift, FIRST, None)
    assert len(ordered(shift)) == 2
    shift.waits(seconds=250)
    assert len(ordered(shift)) == 2
    shift.waits(seconds=60)
    assert len(ordered(shift)) == 3


def test_a_scheduled_cuff_waits_for_a_module_that_is_not_there() -> None:
    shift = led()
    shift.link(FIRST, DOWN)
    shift.waits(seconds=400)
    assert ordered(shift) == []
    shift.link(FIRST, UP)
    shift.waits(seconds=0)
    assert ordered(shift) == [(FIRST, CuffWhy.SCHEDULED)], "in the turn in which it is back"


def test_after_a_restart_nothing_is_started_twice() -> None:
    shift = led()
    shift.waits(seconds=300)
    shift.restarts()
    shift.waits(seconds=10)
    assert len(ordered(shift)) == 1

"""The one line of time: it never steps, never runs back, and tells when the system's clock leaves it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from monitor import clock
from monitor.clock import Clock, ManualClock, SteadyClock


class Machine:
    """A machine's two clocks, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its wall clock shows 1,000,000 s, and it was started 50 s ago."""
        self.wall_ns, self.boot_ns = 1_000_000 * 10**9, 50 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda: self.wall_ns)
        monkeypatch.setattr(time, "clock_gettime_ns", self._boot)

    def passes(self, seconds: float) -> None:
        """Both go on."""
        self.wall_ns += round(seconds * 10**9)
        self.boot_ns += round(seconds * 10**9)

    def _boot(self, which: Any) -> int:
        # MONOTONIC stands still while the machine is suspended; only BOOTTIME will do (F35).
        assert which == time.CLOCK_BOOTTIME
        return self.boot_ns


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One machine a test."""
    return Machine(monkeypatch)


def test_it_starts_with_the_wall_clock_and_goes_on_with_the_boot_time(machine: Machine) -> None:
    steady = SteadyClock()
    assert steady.now_ms() == 1_000_000_000
    machine.passes(12.345)
    assert steady.now_ms() == 1_000_012_345


@pytest.mark.shows("ALM-096", "HZ-16")
@pytest.mark.parametrize("step_s", [3_600, -3_600, 86_400, -86_400, -1_000_000])
def test_F34_a_step_of_the_wall_clock_moves_nothing_and_is_told(machine: Machine, step_s: int) -> None:
    steady = SteadyClock()
    machine.passes(10)
    machine.wall_ns += step_s * 10**9
    assert steady.now_ms() == 1_000_010_000
    assert steady.drift_ms() == step_s * 1_000


@pytest.mark.shows("ALM-096", "HZ-16")
def test_F36_time_never_runs_back_over_a_restart(machine: Machine) -> None:
    steady = SteadyClock(not_before_ms=1_000_500_000)
    assert steady.now_ms() == 1_000_500_000
    machine.passes(1)
    assert steady.now_ms() == 1_000_501_000
    assert steady.drift_ms() == 0


def test_a_faster_clock_runs_faster_and_drifts_no_more_for_it(machine: Machine) -> None:
    steady = SteadyClock(speed=10)
    machine.passes(6)
    assert steady.now_ms() == 1_000_060_000
    assert steady.drift_ms() == 0


def test_the_real_one_goes_on_and_not_back() -> None:
    steady = SteadyClock()
    read = [steady.now_ms() for _ in range(1_000)]
    assert read == sorted(read)
    assert abs(read[0] - time.time_ns() // 1_000_000) < 5_000
    assert abs(steady.drift_ms()) < 1_000


def test_the_manual_clock_stands_still_until_it_is_told() -> None:
    manual: Clock = ManualClock(1_000)
    assert (manual.now_ms(), manual.now_ms()) == (1_000, 1_000)
    assert isinstance(manual, ManualClock)
    assert manual.advance(500) == 1_500
    manual.drift = 7
    assert manual.drift_ms() == 7
    with pytest.raises(ValueError, match="does not run back"):
        manual.advance(-1)
    assert clock.__doc__

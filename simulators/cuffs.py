"""The cuff of a monitor: started by order or by the monitor's own cycle, and done when its time is up."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.patient import AnyPatient, CuffResult

LOOK_BACK_MS = 90_000
"""More than a cuff ever takes: what had been measured before anybody listened is known too."""

PUMPED, TOP_MMHG = 0.2, 165


@dataclass(frozen=True, slots=True)
class Taken:
    """One measurement that has ended, well or not."""

    result: CuffResult
    at_ms: int


class Cuffs:
    """One cuff on one patient. It is told the time; nothing happens between two calls."""

    def __init__(self, patient: AnyPatient, cycle_ms: int) -> None:
        """`cycle_ms` is the monitor's own interval; 0 is a monitor that waits to be told."""
        self._patient = patient
        self._cycle_ms = cycle_ms
        self._now_ms: int | None = None
        self._started_ms: int | None = None
        self._running: CuffResult | None = None

    @property
    def running(self) -> bool:
        """Whether it is measuring now."""
        return self._running is not None

    def go_on(self, t_ms: int) -> list[Taken]:
        """What has ended by now, each at its own instant. The first call knows the last cycle too."""
        if self._now_ms is None:
            self._now_ms = t_ms - self._cycle_ms - LOOK_BACK_MS
        taken: list[Taken] = []
        while self._now_ms < t_ms:
            if self._running is None:
                due_ms = self._patient.next_cuff_ms(self._now_ms, self._cycle_ms)
                if due_ms is None or due_ms > t_ms:
                    break
                self._begin(due_ms)
                self._now_ms = due_ms
            end_ms = self._end_ms()
            if end_ms is None or end_ms > t_ms:
                break
            taken.append(Taken(self._done(), end_ms))
            self._now_ms = end_ms
        self._now_ms = max(self._now_ms, t_ms)
        return taken

    def due_ms(self) -> int:
        """When something will happen next."""
        end_ms = self._end_ms()
        if end_ms is not None:
            return end_ms
        if self._now_ms is None:
            return -(2**62)
        next_ms = self._patient.next_cuff_ms(self._now_ms, self._cycle_ms)
        return 2**62 if next_ms is None else next_ms

    def pressure_mmhg(self, t_ms: int) -> int:
        """What a manometer at the tube shows: pumped up in the first fifth of the time, then let down."""
        if self._running is None or self._started_ms is None:
            return 0
        share = min(1.0, max(0.0, (t_ms - self._started_ms) / self._running.takes_ms))
        risen = share / PUMPED if share < PUMPED else (1 - share) / (1 - PUMPED)
        return round(TOP_MMHG * risen)

    def start(self, t_ms: int) -> bool:
        """Start it by order; False if it is running already."""
        if self._running is not None:
            return False
        self._begin(t_ms)
        return True

    def cancel(self) -> bool:
        """End a running measurement without a result; False if there is none."""
        was, self._running = self._running, None
        return was is not None

    def _begin(self, t_ms: int) -> None:
        self._running = self._patient.cuff(t_ms, self._started_ms)
        self._started_ms = t_ms

    def _end_ms(self) -> int | None:
        if self._running is None or self._started_ms is None:
            return None
        return self._started_ms + self._running.takes_ms

    def _done(self) -> CuffResult:
        result, self._running = self._running, None
        if result is None:
            raise ValueError("no cuff is running; ask `running` first")
        return result

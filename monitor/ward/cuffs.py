"""The cuffs that are started and stopped from here: by whom, when, by which device, and why not. Pure.

Orders are made here and nowhere else. That one has been given, carried out or missed is known at the bed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.model import Bed, CuffNotTaken, CuffOrdered, CuffStopped, CuffWhy, Device, Vital
from monitor.ward.bedside import CUFF_GIVES_UP_MS, Bedside
from monitor.ward.equipment import Equipment

CUFF_AGAIN_MS = 300_000
"""A cuff that came to nothing in a treatment is started again after so long; failing twice is an alarm."""

CUFF_MEASURING = "cuff measuring"
"""How drivers say that a cuff is running."""


class Cuffs:
    """What may be ordered of the cuffs of every bed; one object a ward."""

    def __init__(self, beds: Mapping[Bed, Bedside], equipment: Equipment) -> None:
        """For these beds, with this equipment."""
        self._beds = beds
        self._equipment = equipment
        self._led = [bedside for bedside in beds.values() if equipment.is_led(bedside.devices)]

    # Why not.

    def refusal(self, bedside: Bedside, now_ms: int) -> str | None:
        """Why no cuff can be started at a bed now; shown on the tile, too."""
        if bedside.session is None:
            return f"Bed {bedside.bed} has no open session."
        able = self._able(bedside)
        if not able:
            return self._out_of_reach(bedside, "started")
        if not any(map(self._equipment.is_up, able)):
            return "The cuff's monitor is not connected."
        if bedside.cuff_running_since_ms is not None or self._measures_by_itself(bedside, now_ms):
            return "A reading is running already."
        return None

    def refusal_to_stop(self, bedside: Bedside) -> str | None:
        """Why no cuff can be stopped at a bed now."""
        return None if self._able(bedside) else self._out_of_reach(bedside, "stopped")

    # Orders.

    def order(self, bedside: Bedside, why: CuffWhy, now_ms: int) -> list[CuffOrdered]:
        """Start a cuff on the first device that can, if any may be started."""
        if self.refusal(bedside, now_ms) is not None:
            return []
        device = next(filter(self._equipment.is_up, self._able(bedside)))
        return [CuffOrdered(now_ms, bedside.bed, device, why)]

    def order_again(self, bedside: Bedside, now_ms: int, *, unsure: bool) -> list[CuffOrdered]:
        """What a reading calls for: a second one where it is `unsure`, one try more where it has failed."""
        if bedside.cuff_excused:
            return []  # it was ended here: whoever wants another one asks for it
        if unsure and bedside.failures <= 1:
            return self.order(bedside, CuffWhy.CONFIRM, now_ms)
        if bedside.failures == 1:
            # A cuff that fails twice is an alarm, one that failed once is only late.
            return self.order(bedside, CuffWhy.SCHEDULED, now_ms)
        return []

    def scheduled(self, now_ms: int) -> list[CuffOrdered]:
        """The readings that are due where it is for us to start them.

        No monitor knows the schedule of a treatment, and one that is led keeps to none by itself.
        """
        return [
            order
            for bedside in self._kept_here()
            if (due_ms := self._due_ms(bedside)) is not None
            if due_ms <= now_ms
            for order in self.order(bedside, CuffWhy.SCHEDULED, now_ms)
        ]

    def order_elsewhere(self, missed: CuffNotTaken, now_ms: int) -> list[CuffOrdered]:
        """A device has refused: the next one of the bed is asked, each of them once."""
        able = self._able(self._beds[missed.bed])
        later = able[able.index(missed.device) + 1 :]
        device = next(filter(self._equipment.is_up, later), None)
        return [] if device is None else [CuffOrdered(now_ms, missed.bed, device, missed.asked)]

    def stop(self, bedside: Bedside, now_ms: int) -> list[CuffStopped]:
        """End what was ordered; where nothing was, whatever a monitor of the bed may be doing by itself."""
        ordered = bedside.cuff_ordered
        devices = self._able(bedside) if ordered is None else [ordered.device]
        return [CuffStopped(now_ms, bedside.bed, device) for device in devices]

    def given_up(self, now_ms: int) -> list[CuffNotTaken]:
        """The orders of which nothing has come for too long."""
        why = f"nothing has come of it for {CUFF_GIVES_UP_MS // 1000} s"
        return [
            CuffNotTaken(now_ms, bedside.bed, ordered.device, ordered.why, why)
            for bedside in self._beds.values()
            if (ordered := bedside.cuff_ordered) is not None
            if now_ms - ordered.at_ms >= CUFF_GIVES_UP_MS
        ]

    def waits_for(self, missed: CuffNotTaken) -> bool:
        """Whether this very device has an order that it says it does not carry out."""
        bedside = self._beds.get(missed.bed)
        ordered = None if bedside is None else bedside.cuff_ordered
        return ordered is not None and ordered.device == missed.device

    def dues(self, now_ms: int) -> Iterator[int]:
        """When each running order is given up, and when the next one is due."""
        for bedside in self._beds.values():
            if bedside.cuff_running_since_ms is not None:
                yield bedside.cuff_running_since_ms + CUFF_GIVES_UP_MS
        # One that is due and cannot be given waits for what stands in its way, not for a time.
        dues = map(self._due_ms, self._kept_here())
        yield from (due_ms for due_ms in dues if due_ms and due_ms > now_ms)

    # Small judgements.

    def _kept_here(self) -> list[Bedside]:
        """The beds whose schedule is kept from here."""
        treated = [bedside for bedside in self._beds.values() if bedside.stay is not None]
        return (
            [*(bedside for bedside in self._led if bedside.stay is None), *treated] if treated else self._led
        )

    def _due_ms(self, bedside: Bedside) -> int | None:
        """When the next one is to be started: a try that came to nothing is not repeated at once."""
        due_ms = bedside.next_cuff_due_ms()
        if bedside.stay is not None:
            return due_ms if due_ms is None else max(due_ms, self._not_before_ms(bedside))
        if due_ms is None or bedside.session is None or bedside.session.cuff_interval_ms is None:
            return None
        tried_ms = bedside.cuff_asked_ms
        return due_ms if tried_ms is None else max(due_ms, tried_ms + bedside.session.cuff_interval_ms)

    def _out_of_reach(self, bedside: Bedside, done: str) -> str:
        """Why no cuff of a bed can be `done` from here, where no monitor of it takes orders."""
        if not self._equipment.measures(bedside.devices, Vital.SYSTOLIC):
            return "No monitor of this bed measures blood pressure."
        return f"This monitor cannot be {done} from here: please press its button."

    def _not_before_ms(self, bedside: Bedside) -> int:
        tried_ms, taken = bedside.cuff_asked_ms, bedside.cuff
        if tried_ms is None or (taken is not None and taken.measured_at_ms >= tried_ms):
            return 0
        return tried_ms + CUFF_AGAIN_MS

    def _able(self, bedside: Bedside) -> list[Device]:
        return self._equipment.starts_cuffs(bedside.devices)

    def _measures_by_itself(self, bedside: Bedside, now_ms: int) -> bool:
        """Whether a monitor is measuring by its own cycle or button: two cuffs never press one patient."""
        began_ms = bedside.cuff_began_ms
        if began_ms is None or bedside.cuff_ended_ms is not None:
            return False
        says = CUFF_MEASURING in self._equipment.says(*bedside.devices)
        return says and now_ms - began_ms < CUFF_GIVES_UP_MS

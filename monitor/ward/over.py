"""The alarms that are over and still stand in a screen's list, until the next patient comes. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from monitor.model import Acked, AlarmMoved, AlarmState, Bed
from monitor.snapshot import AlarmNow

OVER_MAX = 500
"""How many alarms that are over are kept of a bed, and of the service; the journal has them all."""


class Over:
    """What was raised and is CLEAR, oldest first for each bed; one object a ward."""

    def __init__(self) -> None:
        """Nothing is over yet."""
        self._kept: dict[Bed, deque[AlarmNow]] = {}

    def __iter__(self) -> Iterator[AlarmNow]:
        """All of them, bed by bed."""
        for kept in self._kept.values():
            yield from kept

    def keep(self, was: AlarmNow, moved: AlarmMoved, ack: Acked | None) -> None:
        """Keep an alarm as it was last, with its end and whoever answered it."""
        over = replace(
            was,
            state=AlarmState.CLEAR,
            note=moved.note,
            acked_by=ack.by if ack else was.acked_by,
            acked_at_ms=ack.at_ms if ack else was.acked_at_ms,
            ack_until_ms=None,
            quiet=None,
            quiet_by=None,
            spoken_for=False,
            next_page_ms=None,
            over_at_ms=moved.at_ms,
        )
        self._kept.setdefault(moved.bed, deque(maxlen=OVER_MAX)).append(over)

    def new_patient(self, bed: Bed) -> None:
        """What was raised for the last patient is in the journal."""
        self._kept.pop(bed, None)

"""What the views ask of the ward and of what is kept: protocols only, so that the views stay pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.model import Bed, Cuff, Device, Vital
from monitor.snapshot import (
    AlarmNow,
    BedNow,
    DutyNow,
    LinkNow,
    PageNow,
    PartNow,
    Snapshot,
    SoundNow,
    VitalNow,
)


class WardView(Protocol):
    """What the hub asks of the ward after a turn; `None` for what is no longer there."""

    def snapshot(self) -> Snapshot:
        """Everything, from one instant."""
        ...

    def bed_now(self, bed: Bed) -> BedNow:
        """One bed."""
        ...

    def vital_now(self, bed: Bed, vital: Vital) -> VitalNow | None:
        """The newest word on one vital; None on a bed without a session."""
        ...

    def alarm_now(self, alarm_id: int) -> AlarmNow | None:
        """One alarm; None once it is clear."""
        ...

    def page_now(self, page_id: int) -> PageNow | None:
        """One page; None once it is forgotten."""
        ...

    def link_now(self, device: Device) -> LinkNow:
        """One device's link."""
        ...

    def part_now(self, part: str) -> PartNow:
        """One part of the service."""
        ...

    def sound_now(self, screen: str) -> SoundNow | None:
        """One screen's own sound; None once it is a screen no more."""
        ...

    def duty_now(self) -> DutyNow:
        """Who is on duty."""
        ...


class TrendKept(Protocol):
    """A bed's history as it is kept: points are (at_ms, lowest, highest), a None is a gap."""

    @property
    def vitals(self) -> Mapping[Vital, Sequence[tuple[int, float | None, float | None]]]:
        """The continuous vitals."""
        ...

    @property
    def cuffs(self) -> Sequence[tuple[int, Cuff]]:
        """Cuff readings with when they were measured, failed ones too."""
        ...

    @property
    def cuffs_of(self) -> Sequence[str | None]:
        """Of which device each of `cuffs` is; None for one by hand."""
        ...

    @property
    def sources(self) -> Mapping[Vital, Sequence[tuple[int, str]]]:
        """From when on which device each line is of; "" is by hand. A line has a gap where that changes."""
        ...

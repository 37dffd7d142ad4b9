"""What the ward is told once: its beds, devices, people, chains, limit profiles and therapies. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.alerts.escalation import CHAINS, Chain
from monitor.alerts.limits import Profile
from monitor.alerts.roster import Duty, Person
from monitor.alerts.trials import Terms
from monitor.model import Bed, Device, Priority, Staff, Vital
from monitor.sessions.therapy import Therapy

UNDELIVERED_MS = 30_000
"""A page that nobody has received for so long is a HIGH of its own (alarms.md 7)."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """One device as the ward knows it: where it stands and what it can do."""

    device: Device
    driver: str
    bed: Bed
    vitals: frozenset[Vital]
    starts_cuff: bool = False
    led: bool = False
    """It measures only when it is told to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the ward is told once: its beds, devices, people, chains, limit profiles and therapies."""

    beds: tuple[tuple[Bed, str], ...]
    devices: tuple[DevicePlan, ...]
    profiles: Mapping[str, Profile]
    people: Mapping[Staff, Person] = field(default_factory=dict)
    ways: Mapping[Staff, tuple[str, ...]] = field(default_factory=dict)
    duty: Duty = field(default_factory=Duty)
    chains: Mapping[Priority, Chain] = field(default_factory=lambda: CHAINS)
    bed_chains: Mapping[Bed, Mapping[Priority, Chain]] = field(default_factory=dict)
    """Of beds that have a ladder of their own."""
    tests: Terms | None = None
    """How pages are tried out; None: they are not."""
    therapies: Mapping[str, Therapy] = field(default_factory=dict)
    """With the clinic's own changes; the unsigned ones too, which start no session."""
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each limit profile as data, the clinic's changes in it: what the layers of a therapy are laid over."""
    undelivered_ms: int | None = UNDELIVERED_MS
    """None: pages go nowhere (replay), so none can be late."""
    sparse: frozenset[Vital] = frozenset()
    """Continuous vitals that come so rarely that they are judged like a cuff (replay only)."""
    same_arm: frozenset[Bed] = frozenset()
    """Beds where cuff and SpO2 probe share an arm: there alone a cuff explains a lost pulse (C10)."""
    live: bool = True
    """False in a replay: nobody can be asked to repeat a cuff, so the next reading confirms, and a treatment
    goes as it was decided then."""

    def chain(self, bed: Bed, priority: Priority) -> Chain | None:
        """The ladder of an alarm at this bed; None for a priority that never pages."""
        return self.bed_chains.get(bed, {}).get(priority) or self.chains.get(priority)

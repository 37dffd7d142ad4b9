"""What the devices and the service's own parts say of themselves: links, notices, lies, faults. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.model import (
    Bed,
    Device,
    DeviceNoted,
    Lie,
    LinkMoved,
    LinkState,
    PartMoved,
    ServiceStarted,
    Vital,
)
from monitor.plan import DevicePlan, Plan
from monitor.snapshot import LinkNow, PartNow


class Equipment:
    """The newest word of every device and every part; one object a ward."""

    def __init__(self, plan: Plan) -> None:
        """Nothing has said anything yet."""
        self.devices: Mapping[Device, DevicePlan] = {d.device: d for d in plan.devices}
        self.since_ms = 0
        """Since when the service has been listening."""
        self._live = plan.live
        self._links: dict[Device, LinkMoved] = {}
        self._notices: dict[Device, tuple[str, ...]] = {}
        self._lies: dict[Device, dict[Lie, int]] = {}
        self._parts: dict[str, PartMoved] = {}

    # What is heard.

    def is_news(self, said: LinkMoved | DeviceNoted | PartMoved) -> bool:
        """Whether it is to be taken in: of a device of this clinic, or a part that has changed."""
        if not isinstance(said, PartMoved):
            return said.device in self.devices
        before = self._parts.get(said.part)
        return before is None or before.ok != said.ok

    def started(self, event: ServiceStarted) -> None:
        """The service has begun: what anything was doing before is not known any more."""
        self.since_ms = event.at_ms
        self._links.clear()
        self._parts.clear()
        self._notices.clear()
        self._lies.clear()

    def link_moved(self, moved: LinkMoved) -> None:
        """A device's link is up, silent, down or being tried."""
        self._links[moved.device] = moved

    def part_moved(self, moved: PartMoved) -> None:
        """A part of the service is well, or is not."""
        self._parts[moved.part] = moved

    def noted(self, noted: DeviceNoted) -> list[str]:
        """All that a device says beside its numbers; gives what it did not say before."""
        before = self._notices.get(noted.device, ())
        self._notices[noted.device] = noted.what
        lies = self._lies.get(noted.device, {})
        told = {lie: lies.get(lie, noted.at_ms) for lie in Lie if lie in noted.what}
        if told or lies:
            self._lies[noted.device] = told
        return [what for what in noted.what if what not in before]

    # What is so.

    def says(self, *devices: Device | None) -> tuple[str, ...]:
        """The notices of these devices that stand now."""
        return tuple(what for device in devices if device for what in self._notices.get(device, ()))

    def is_up(self, device: Device) -> bool:
        """Whether its link carries; in a replay there is none that could fail."""
        return self.down_since_ms(device) is None

    def down_since_ms(self, device: Device) -> int | None:
        """Since when its link has not carried, as far as this service has listened."""
        if not self._live:
            return None
        moved = self._links.get(device)
        if moved is None:
            return self.since_ms
        return None if moved.now is LinkState.UP else moved.since_ms

    def lies(self, device: Device) -> list[tuple[Lie, int | None]]:
        """What this device has ever made up, and since when it does so now; one that is down says nothing."""
        told = self._lies.get(device)
        if told is None:
            return []
        up = self.is_up(device)
        return [(lie, told.get(lie) if up else None) for lie in Lie]

    def ill_since_ms(self, part: str) -> int | None:
        """Since when a part of the service has not been well."""
        moved = self._parts.get(part)
        return moved.since_ms if moved and not moved.ok else None

    def starts_cuffs(self, devices: Iterable[Device]) -> list[Device]:
        """Those of these devices that can start a cuff, the one to be used first."""
        return [device for device in devices if self.devices[device].starts_cuff]

    def measures(self, devices: Iterable[Device], vital: Vital) -> bool:
        """Whether one of these devices measures it."""
        return any(vital in self.devices[device].vitals for device in devices)

    def is_led(self, devices: Iterable[Device]) -> bool:
        """Whether the cuff of these devices measures only when it is told to."""
        cuffs = [plan for plan in (self.devices[device] for device in devices) if plan.starts_cuff]
        return bool(cuffs) and all(plan.led for plan in cuffs)

    def bed_of(self, device: Device) -> Bed:
        """Where it stands; KeyError for one that is not in the plan."""
        return self.devices[device].bed

    # What is seen from outside.

    def link_now(self, device: Device, remarks: Iterable[str]) -> LinkNow:
        """One device's link, with `remarks` of ours beside its own; KeyError for one not in the plan."""
        plan, moved = self.devices[device], self._links.get(device)
        return LinkNow(
            device=device,
            driver=plan.driver,
            bed=plan.bed,
            state=moved.now if moved else LinkState.CONNECTING,
            since_ms=moved.since_ms if moved else self.since_ms,
            why=moved.why if moved else "not heard from since the start",
            notices=(*self.says(device), *remarks),
            can_start_cuff=plan.starts_cuff,
        )

    def part_now(self, part: str) -> PartNow:
        """One part of the service; KeyError for one that has never been heard of."""
        moved = self._parts[part]
        return PartNow(part, moved.ok, moved.since_ms, moved.why)

    def parts_now(self) -> tuple[PartNow, ...]:
        """Every part that has been heard of."""
        return tuple(self.part_now(part) for part in self._parts)

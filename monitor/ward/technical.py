"""What is wrong with devices, paging and the service itself, told to the watch as conditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.alerts.board import Alarm
from monitor.alerts.rules import LIES
from monitor.model import CLINIC, Bed, Device, Priority
from monitor.plan import DevicePlan
from monitor.ward.bedside import Bedside
from monitor.ward.calling import Calling
from monitor.ward.equipment import Equipment
from monitor.ward.watch import GAPS, Watch

PARTS: Mapping[str, str] = {
    "journal": "not-recording",
    "paging": "paging-down",
    "clock": "clock-drift",
    "loop": "loop-late",
    "ehr": "ehr-down",
    "ehr-refused": "ehr-refused",
}
"""Which condition a part of the service raises when it is not well."""

SILENCING = ("link-lost", "frozen", "old-data")
"""Conditions of a device that explain why a vital of it has no number."""


def tell(
    watch: Watch, beds: Mapping[Bed, Bedside], equipment: Equipment, calling: Calling, now_ms: int
) -> None:
    """Tell the watch of every technical condition since when it holds, or that it does not."""
    watched = {bed: bedside.watched for bed, bedside in beds.items()}
    for device, plan in equipment.devices.items():
        taken = watched[plan.bed]
        watch.holds("link-lost", plan.bed, device, equipment.down_since_ms(device), session=taken)
        for lie, since_ms in equipment.lies(device):
            watch.holds(LIES[lie], plan.bed, device, since_ms, session=taken)
    for bed, bedside in beds.items():
        watch.silences(bedside, equipment.since_ms, now_ms)
        watch.cuff(bedside, now_ms)
        for device, (since_ms, until_ms) in bedside.earlier.items():
            told_ms = since_ms if now_ms < until_ms else None
            watch.holds("earlier-patient", bed, device, told_ms, session=True)
        watch.nurse(bedside, present=calling.has_nurse(bed), now_ms=now_ms)
    watch.swept(beds.values(), now_ms)
    for part, condition in PARTS.items():
        since_ms = equipment.ill_since_ms(part)
        if part == "paging" and since_ms is None:
            since_ms = calling.in_vain_since_ms(now_ms)
        watch.holds(condition, CLINIC, None, since_ms, session=False)


def explains(devices: Mapping[Device, DevicePlan], one: Alarm, other: Alarm) -> bool:
    """One cause, one page: a lost link or a frozen feed explains the silence of what its device measures.

    A weak pulse explains a low SpO2 that is not HIGH, as long as it counts as technical (C8).
    """
    if one.rule.condition == "spo2-weak":
        return other.rule.condition == "spo2-low" and other.priority < Priority.HIGH
    if one.device is None or one.rule.condition not in SILENCING:
        return False
    if one.rule.condition != "link-lost" and one.priority < other.priority:
        return False
    vitals = GAPS.get(other.rule.condition, ())
    return any(vital in devices[one.device].vitals for vital in vitals)

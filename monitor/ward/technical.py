"""What is wrong with devices, paging and the service itself, told to the watch as conditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.alerts.board import Alarm
from monitor.alerts.rules import LIES
from monitor.model import CLINIC, Bed, Device, Priority, Vital
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
    "watcher": "watcher-lost",
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
        _tell_of_staff(watch, bedside, calling, now_ms)
    lacking = not calling.has_anybody() and any(map(_before_the_drug, beds.values()))
    watch.lacks("nobody-on-duty", CLINIC, now_ms, lacking=lacking)
    untested = (_untested_since_ms(bedside, calling, now_ms) for bedside in beds.values())
    since_ms = min((since_ms for since_ms in untested if since_ms is not None), default=None)
    watch.holds("untested", CLINIC, None, since_ms, session=False)
    watch.holds("test-failed", CLINIC, None, calling.test_failed_since_ms(now_ms), session=False)
    watch.swept(beds.values(), now_ms)
    for part, condition in PARTS.items():
        since_ms = equipment.ill_since_ms(part)
        if part == "paging" and since_ms is None:
            since_ms = calling.in_vain_since_ms(now_ms)
        watch.holds(condition, CLINIC, None, since_ms, session=False)


def _tell_of_staff(watch: Watch, bedside: Bedside, calling: Calling, now_ms: int) -> None:
    """Whether somebody has this bed, and whether the prescriber whom the therapy wants is in the house."""
    bed, stay, here = bedside.bed, bedside.stay, bedside.watched
    watch.lacks("no-nurse", bed, now_ms, lacking=here and not calling.has_nurse(bed))
    if stay is None:
        return  # what holds of a treatment ended with it
    wanted = here and stay.record.dosed and stay.record.therapy.prescriber_on_site
    watch.lacks("no-prescriber", bed, now_ms, lacking=wanted and not calling.has_prescriber())


def _untested_since_ms(bedside: Bedside, calling: Calling, now_ms: int) -> int | None:
    """Since when a patient has waited for the drug whose nurse no page is known to reach."""
    stay, session = bedside.stay, bedside.session
    if stay is None or session is None or stay.record.dosed or not bedside.watched:
        return None
    since_ms = calling.unreached_since_ms(bedside.bed, now_ms)
    return None if since_ms is None else max(since_ms, session.opened_at_ms)


def _before_the_drug(bedside: Bedside) -> bool:
    """Whether a patient is here who has been given nothing yet; a plain watch gives nothing at all."""
    return bedside.watched and not (bedside.stay is not None and bedside.stay.record.dosed)


def explains(devices: Mapping[Device, DevicePlan], one: Alarm, other: Alarm) -> bool:
    """One cause, one page: a lost link or a frozen feed explains the silence of what its device measures.

    A weak pulse explains a low SpO2 that is not HIGH, as long as it counts as technical (C8); a probe without
    a saturation explains a lost rate where nothing else at the bed could count it.
    """
    if one.rule.condition == "spo2-gap":
        ecg = any(Vital.HEART_RATE in plan.vitals for plan in devices.values() if plan.bed == one.bed)
        return other.rule.condition == "hr-gap" and not ecg and one.priority >= other.priority
    if one.rule.condition == "spo2-weak":
        return other.rule.condition == "spo2-low" and other.priority < Priority.HIGH
    if one.device is None or one.rule.condition not in SILENCING:
        return False
    if one.rule.condition != "link-lost" and one.priority < other.priority:
        return False
    vitals = GAPS.get(other.rule.condition, ())
    return any(vital in devices[one.device].vitals for vital in vitals)

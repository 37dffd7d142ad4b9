"""What an alarm and a page say, in words a nurse reads at a glance. Pure.

A page names bed, priority, parameter and value, and never a name, a drug, a diagnosis or the kind of clinic
(alarms.md 11); so nothing of the patient is ever handed to this room.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.alerts.rules import Rule
from monitor.model import CLINIC, AlarmState, Bed, Cue, Cuff, Priority, Side, Vital

STARS = {Priority.HIGH: "***", Priority.MEDIUM: "**", Priority.LOW: "*"}

TECHNICAL = {
    "link-lost": "No data from monitor",
    "spo2-gap": "No SpO2 value",
    "hr-gap": "No heart rate",
    "rr-gap": "No breathing rate",
    "spo2-weak": "SpO2 signal weak",
    "rates-differ": "ECG and oximeter count differently",
    "impossible": "Monitor sends impossible values",
    "wrong-unit": "Monitor is set to a wrong unit",
    "frozen": "Monitor repeats one old reading",
    "old-data": "Monitor sends stored readings only",
    "device-clock": "Monitor's clock is wrong",
    "earlier-patient": "Monitor shows an earlier patient",
    "cuff-failed": "Cuff failed twice",
    "cuff-overdue": "BP late",
    "paging-down": "Pages are not going out",
    "not-recording": "Not being recorded",
    "no-nurse": "No nurse on duty for this bed",
    "nobody-on-duty": "Nobody is on duty",
    "no-prescriber": "No prescriber on site",
    "untested": "Paging not tested this shift",
    "test-failed": "The test page failed",
    "watcher-lost": "Nobody would notice if this stopped",
    "clock-drift": "Clock differs",
    "loop-late": "Chairside is running late",
    "ehr-down": "Records do not reach the EHR",
    "ehr-refused": "The EHR does not take a record",
}

SAID = {
    "emergency-sign": "Emergency sign",
    "sedation": "Sedation",
    "symptom": "Symptom",
    "bp-not-declining": "BP not declining",
    "check-late": "Check late",
    "check-missed": "40-min check missed",
    "form-owed": "A form is owed",
}
"""What people have said, without what exactly: that stands in the alarm's note, on screens only."""

SILENCES = {"rr-none": "No breath 20 s", "hr-none": "No pulse"}

PROBE_OFF = ("sensor off", "probe off", "finger off")
PROBE_OUT = ("no sensor", "sensor disconnected", "unplugged")


def alarm_text(
    rule: Rule, value: float | None, limit: float | None, cuff: Cuff | None, notices: Sequence[str] = ()
) -> str:
    """The line of ALM-022 without bed and time: "SpO2 84 < 90", "BP 172/98 ≥ 165", "SpO2 probe off"."""
    if rule.condition == "spo2-gap":
        return _probe(notices)
    if rule.technical:
        return TECHNICAL[rule.condition]
    if (said := SILENCES.get(rule.condition) or SAID.get(rule.condition)) is not None:
        return said
    return f"{_what(rule, value, cuff)} {_sign(rule)} {number(limit)}".strip()


def over_text(rule: Rule, text: str, value_now: float | None, cue: Cue) -> str:
    """What replaces a page's text once nobody need come for it any more, by what has ended it (ALM-085)."""
    if cue is Cue.ACK:
        return f"{text}: somebody is at the bed."
    if cue is Cue.DISCHARGE:
        return f"{text}: it is no longer watched."
    if value_now is None or rule.vital is None:
        return f"{text}: resolved."
    return f"Resolved: {rule.vital.label} is {number(value_now)} now."


def since_text(value: float | None, value_now: float | None, state: AlarmState) -> str:
    """What has come of it since it was raised: "71 now.", "95 now. Still look." (alarms.md 5), or nothing."""
    now = "" if value_now is None else f"{number(value_now)} now."
    if state is AlarmState.LATCHED:
        return f"{now or 'It has ended.'} Still look."
    return "" if number(value_now) == number(value) else now


def page_text(bed: Bed, priority: Priority, text: str, since: str = "") -> str:
    """All that leaves the clinic; `since` is what has come of it meanwhile, as a sentence."""
    place = "Clinic" if bed == CLINIC else f"Bed {bed}"
    return " ".join(filter(None, (f"{place}: {STARS[priority]} {text}.", since, "Open Chairside.")))


TEST_PAGE = "Clinic: Test page. Open Chairside."
"""All that a test page says: nothing is the matter anywhere."""
TEST_OVER = "Clinic: Test page. Its time is over."


def recall_text(bed: Bed, text: str) -> str:
    """The follow-up to a page that is over."""
    place = "Clinic" if bed == CLINIC else f"Bed {bed}"
    return f"{place}: {text}"


def number(value: float | None) -> str:
    """A number as the tile prints it: whole where it is whole, else one decimal."""
    if value is None:
        return ""
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.1f}"


def _what(rule: Rule, value: float | None, cuff: Cuff | None) -> str:
    label = rule.vital.label if rule.vital else rule.condition
    if cuff is not None and value is not None and value == _of_cuff(rule.vital, cuff):
        return f"BP {number(cuff.systolic)}/{number(cuff.diastolic)}"
    # A later reading is not what this alarm was raised for: it is not put beside its limit.
    return f"{label} {number(value)}"


def _of_cuff(vital: Vital | None, cuff: Cuff) -> float | None:
    return {Vital.SYSTOLIC: cuff.systolic, Vital.DIASTOLIC: cuff.diastolic}.get(vital) if vital else None


def _sign(rule: Rule) -> str:
    if rule.side is Side.LOW:
        return "≤" if rule.inclusive else "<"
    return "≥" if rule.inclusive else ">"


def _probe(notices: Sequence[str]) -> str:
    said = " ".join(notices).lower()
    if any(word in said for word in PROBE_OFF):
        return "SpO2 probe off"
    if any(word in said for word in PROBE_OUT):
        return "SpO2 probe unplugged"
    return TECHNICAL["spo2-gap"]

"""The first page of a session's record: what somebody with one minute must see. Words and figures only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from monitor.model import Priority, Quality
from monitor.records.charts import chart
from monitor.records.clocks import local
from monitor.records.printed import figure, lasting, minutes, short
from monitor.records.report import AlarmOf, GapKind, Number, PressureOf, ReadyItem, SessionReport
from monitor.treatment import TITLES

NAME_MAX = 34
WORDS_MAX = 120
WHO_MAX = 24

GAPS: tuple[tuple[GapKind, str], ...] = (
    ("vital", "a watched value missing"),
    ("device", "a device lost"),
    ("service", "Chairside not running"),
    ("part", "a part of Chairside not well"),
)
"""What each kind of gap is called where they are counted."""

PRIORITIES = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)

OLD_MS = 120_000
"""A pressure that is older than this when it is used says how old it is."""


def summary(report: SessionReport) -> dict[str, Any]:
    """Everything the first page says. A text of staff's is cut to one line; the details have it whole."""
    return {
        "alias": short(report.alias, NAME_MAX) or "no alias",
        "session": str(report.session),
        "where": _joined(f"Bed {short(report.bed, NAME_MAX)}", short(report.place, NAME_MAX)),
        "date": local(report.zone, report.opened_ms).strftime("%A %-d %B %Y"),
        "zone": report.zone,
        "clinic": short(report.clinic, 60),
        "therapy": _therapy(report),
        "patient": list(_patient(report)),
        "state": _state(report),
        "open": report.ended_ms is None,
        "clocks": list(_clocks(report)),
        "pressures": [*_baseline(report), *(_pressure(report, one) for one in report.pressures)],
        "chart": chart(report),
        "legend": _legend(report),
        "words": [*_alarms(report), *_watching(report), *_limits(report), *_noted(report)],
        "readiness": [
            {
                "title": one.title,
                "holds": one.holds,
                "decided": one.decided is not None,
                "said": short("; ".join(_item(one)), 68),
            }
            for one in report.readiness
        ],
        "ready_at": "" if report.ready_at_ms is None else _clock(report, report.ready_at_ms),
        "signatures": [
            {
                "who": short(f"{one.by}, {one.role.value}", 40),
                "meaning": short(one.meaning, 80),
                "at": local(report.zone, one.at_ms).strftime("%Y-%m-%d %H:%M:%S"),
            }
            for one in report.signatures[-3:]
        ],
        "unknown": [short(one, 220) for one in report.unknown],
    }


def _item(one: ReadyItem) -> Iterator[str]:
    """What is missing of it, or else what was said to it."""
    yield from one.missing or (said.words.removeprefix(f"{one.title}: ") for said in one.said)


def _joined(*words: str) -> str:
    return ", ".join(one for one in words if one)


def _clock(report: SessionReport, at_ms: int) -> str:
    return local(report.zone, at_ms).strftime("%H:%M:%S")


def _therapy(report: SessionReport) -> str:
    if report.therapy is None:
        return "Watched, no treatment"
    one = report.therapy
    signed = f", signed by {one.signed_by} on {one.signed_on}" if one.signed_by else ""
    return f"{short(one.title, 40)}: {one.name} version {one.version}{signed}"


def _patient(report: SessionReport) -> Iterator[str]:
    if report.age_years is not None:
        yield f"{report.age_years} years"
    if report.first is not None:
        yield "first treatment" if report.first else "not the first treatment"
    if report.devices_given:
        lots = Counter(short(one.lot, 20) for one in report.devices_given)
        planned = "" if report.planned_devices in {None, len(report.devices_given)} else (
            f" of {report.planned_devices} planned"
        )  # fmt: skip
        yield f"{_many(len(report.devices_given), 'device')}{planned}, lot {_joined(*list(lots)[:3])}"
    if report.pump is not None:
        dose = report.pump
        yield f"{dose.dose_mg_per_kg:g} mg/kg, {figure(dose.dose_mg)} mg for {figure(dose.weight_kg)} kg"
    for flag in dict.fromkeys(one.title for one in report.flags):
        yield f"flag: {flag}"


def _state(report: SessionReport) -> str:
    if report.ended_ms is None:
        phase = f" ({TITLES[report.phase]})" if report.phase is not None else ""
        return f"Open{phase}"
    return TITLES[report.phase] if report.phase is not None else "Closed"


def _clocks(report: SessionReport) -> Iterator[dict[str, str]]:
    """The times of the session, each with what it says beside it."""
    clocks = report.clocks
    yield {
        "title": "Opened",
        "value": _clock(report, report.opened_ms),
        "beside": f"by {short(report.opened_by, WHO_MAX)}",
    }
    if clocks.start_ms is not None:
        beside = "first device" if report.devices_given else "pump started"
        yield {"title": "Start", "value": _clock(report, clocks.start_ms), "beside": beside}
    if clocks.last_device_ms is not None and len(report.devices_given) > 1:
        beside = minutes(clocks.last_device_ms, clocks.start_ms)
        yield {"title": "Last device", "value": _clock(report, clocks.last_device_ms), "beside": beside}
    if clocks.end_ms is not None:
        yield {
            "title": "Drug over",
            "value": _clock(report, clocks.end_ms),
            "beside": minutes(clocks.end_ms, clocks.start_ms),
        }
    if clocks.floor_ms is not None:
        said = {True: "kept", False: "not kept", None: "not over yet"}[clocks.floor_kept]
        yield {
            "title": "Least stay",
            "value": said,
            "beside": f"{lasting(clocks.floor_ms)} from {clocks.floor_from}",
        }
    if clocks.start_ms is not None:
        value = "never" if clocks.ready_first_ms is None else minutes(clocks.ready_first_ms, clocks.start_ms)
        yield {"title": "Ready first", "value": value, "beside": "all but time and signature"}
        total = "–" if clocks.total_ms is None else f"{clocks.total_ms // 60_000} min"
        yield {"title": "Total", "value": total, "beside": "from the start"}
    if report.ended_ms is not None:
        beside = f"by {short(report.ended_by, WHO_MAX)}" if report.ended_by else "by the clock"
        yield {"title": "Ended", "value": _clock(report, report.ended_ms), "beside": beside}


# Pressures.


def _baseline(report: SessionReport) -> Iterator[dict[str, Any]]:
    if report.baseline is None:
        return
    own = next((one for one in report.baseline.numbers if one.name == "nibp"), None)
    if own is not None:
        count = len(report.baseline.readings)
        beside = f"median of {_many(count, 'reading')}" if count else "as given at the start"
        yield _box("Baseline", own, report, beside)


def _pressure(report: SessionReport, one: PressureOf) -> dict[str, Any]:
    if one.number is None:
        return {
            "title": one.title, "value": "not taken", "missing": True, "decided": bool(one.instead),
            "lines": [short(one.instead, 60) if one.instead else "Nobody has decided about it."],
        }  # fmt: skip
    beside = ""
    if one.number.off_ms is not None:
        off_ms = one.number.off_ms
        beside = f"{'–' if off_ms < 0 else '+'}{lasting(abs(off_ms))} from due" if off_ms else "on time"
    if one.reading is not None and one.reading.quality is not Quality.VALID:
        beside = one.reading.quality.value
    return _box(one.title, one.number, report, beside)


def _box(title: str, one: Number, report: SessionReport, beside: str) -> dict[str, Any]:
    at_ms = one.at_ms if one.at_ms is not None else report.opened_ms
    when = _joined(_clock(report, at_ms), minutes(at_ms, report.clocks.start_ms))
    source = f"by hand, {short(one.by, WHO_MAX)}" if one.by is not None else short(one.device or "", WHO_MAX)
    old = f"{lasting(one.age_ms)} old when used" if one.age_ms is not None and one.age_ms > OLD_MS else ""
    return {
        "title": title, "value": f"{figure(one.value)}/{figure(one.second)}", "missing": False,
        "decided": False, "lines": [f"{when}  ·  {source}", _joined(beside, old)],
    }  # fmt: skip


def _legend(report: SessionReport) -> str:
    if not report.expected:
        return ""
    source = report.expected[0].source
    return f"Band: expected course from today's baseline, mean and one SD ({source}); no limit."


# What else happened, a line each.


def _alarms(report: SessionReport) -> Iterator[dict[str, str]]:
    patient = [one for one in report.alarms if not one.technical]
    technical = [one for one in report.alarms if one.technical and not one.clinic]
    clinic = [one for one in report.alarms if one.clinic]
    if not report.alarms:
        yield {"title": "Alarms", "words": "None was raised."}
        return
    said = [f"Of the patient {_counts(patient)}.", f"Of the equipment {_counts(technical)}."]
    if clinic:
        said.append(f"Of the whole clinic {_counts(clinic)}.")
    unseen = [one for one in report.alarms if one.acked_ms is None]
    if unseen:
        said.append(f"{_many(len(unseen), 'alarm')} ended before anybody said they had seen it.")
    worst = max(patient, key=lambda one: (one.priority, -one.raised_ms), default=None)
    if worst is not None:
        until = (
            f" for {lasting(worst.ended_ms - worst.raised_ms)}"
            if worst.ended_ms is not None
            else ", not over"
        )
        when = _joined(_clock(report, worst.raised_ms), minutes(worst.raised_ms, report.clocks.start_ms))
        said.append(f"Worst: {short(worst.title, 40)} ({worst.priority.name}) at {when}{until}.")
    yield {"title": "Alarms", "words": " ".join(said)}


def _counts(alarms: Sequence[AlarmOf]) -> str:
    by = Counter(one.priority for one in alarms)
    return _joined(*(f"{by[one]} {one.name}" for one in PRIORITIES if by[one])) or "none"


def _watching(report: SessionReport) -> Iterator[dict[str, str]]:
    said = []
    for one in report.coverage:
        if one.known_ms == one.watched_ms:
            said.append(f"{one.vital.label} the whole {lasting(one.watched_ms)}.")
        else:
            lost_ms = one.watched_ms - one.known_ms
            said.append(f"{one.vital.label} not for {lasting(lost_ms)} of {lasting(one.watched_ms)}.")
    if said:
        yield {"title": "Watched", "words": " ".join(said)}
    if not report.gaps:
        yield {"title": "Gaps", "words": "None of more than 5 s."}
        return
    of = Counter(gap.kind for gap in report.gaps)
    counted = _joined(*(f"{words} {of[kind]}" for kind, words in GAPS if of[kind]))
    longest = max(report.gaps, key=lambda gap: (gap.until_ms or report.made_ms) - gap.from_ms)
    span_ms = (longest.until_ms or report.made_ms) - longest.from_ms
    when = _joined(_clock(report, longest.from_ms), minutes(longest.from_ms, report.clocks.start_ms))
    yield {
        "title": "Gaps",
        "words": f"{len(report.gaps)} in all: {counted}. Longest: {short(longest.what, 24)} for "
        f"{lasting(span_ms)} from {when}: {short(longest.why, WORDS_MAX)}",
    }


def _limits(report: SessionReport) -> Iterator[dict[str, str]]:
    own = [
        f"{one.title} {figure(one.limit)} from {_clock(report, one.from_ms)} ({short(one.by, WHO_MAX)})"
        for one in report.limits[:2]
    ]
    more = len(report.limits) - len(own)
    if more > 0:
        own.append(f"{more} more")
    layers = list(dict.fromkeys(one.name for one in report.layers))
    words = []
    if own:
        words.append(f"Set for this session: {'; '.join(own)}.")
    if layers:
        words.append(f"Of the therapy: {', '.join(layers)}.")
    yield {"title": "Limits", "words": " ".join(words) or "The profile's own throughout."}


def _noted(report: SessionReport) -> Iterator[dict[str, str]]:
    serious = sum(one.serious for one in report.adverse)
    emergencies = sum(one.emergency for one in report.symptoms)
    counted = [
        (_many(len(report.symptoms), "symptom") + (f" ({emergencies} emergency)" if emergencies else ""))
        if report.symptoms
        else "",
        (_many(len(report.adverse), "adverse event") + (f" ({serious} serious)" if serious else ""))
        if report.adverse
        else "",
        _many(len(report.overrides), "decision") + " against the profile" if report.overrides else "",
        _many(len(report.notes), "note") if report.notes else "",
        _many(len(report.corrections), "correction") if report.corrections else "",
    ]
    words = _joined(*counted)
    yield {"title": "Noted", "words": f"{words[0].upper()}{words[1:]}." if words else "Nothing else."}


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

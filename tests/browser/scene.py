"""Eight beds at 14:32:07, as the wire would tell them: the same seed gives the same picture."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Wire = dict[str, Any]

NOW = int(datetime(2026, 11, 20, 14, 32, 7, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
STAFF = [
    {"name": "dana", "display": "Dana", "role": "nurse"},
    {"name": "lee", "display": "Lee", "role": "nurse"},
    {"name": "sam", "display": "Sam", "role": "charge nurse"},
]
UNITS = {"spo2": "%", "hr": "/min", "rr": "/min", "temp": "Cel", "pr_spo2": "/min"}


def vital(name: str, value: float | None, **more: Any) -> Wire:
    """One vital, live unless said otherwise."""
    return {
        "vital": name,
        "value": value,
        "unit": UNITS[name],
        "quality": "valid" if value is not None else "missing",
        "why": None,
        "at_ms": NOW - 400,
        "fresh_until_ms": NOW + 10 * MINUTE,  # no test of something else is to race against freshness
        "device": "monitor-1",
        "instead_of": None,
        "by": None,
        "last_value": value,
        "last_at_ms": NOW - 400 if value is not None else None,
    } | more


def gone(name: str, last: float, ago_ms: int) -> Wire:
    """A vital that has stopped coming."""
    stale = {"at_ms": NOW - ago_ms, "fresh_until_ms": NOW - ago_ms + 10_000}
    return vital(name, None, last_value=last, last_at_ms=NOW - ago_ms, **stale)


def cuff(
    systolic: float | None, diastolic: float | None, ago_min: float, next_min: float | None, **more: Any
) -> Wire:
    """The newest cuff reading and when the next is due."""
    at = NOW - int(ago_min * MINUTE)
    return {
        "systolic_mmhg": systolic,
        "diastolic_mmhg": diastolic,
        "mean_mmhg": None
        if systolic is None or diastolic is None
        else round(diastolic + (systolic - diastolic) / 3),
        "pulse_per_min": None,
        "quality": "valid",
        "why": None,
        "measured_at_ms": at,
        "device": "monitor-1",
        "by": None,
        "failed_at_ms": None,
        "failed_why": None,
        "running_since_ms": None,
        "next_due_at_ms": None if next_min is None else NOW + int(next_min * MINUTE),
        "old_after_at_ms": at + 375_000 if ago_min < 6 else at + 20 * MINUTE,
    } | more


def limit(rule: str, vital_name: str, side: str, priority: str, value: float | None, **more: Any) -> Wire:
    """One limit in force."""
    suffix = {"HIGH": "", "MEDIUM": "-m", "LOW": "-l"}[priority]
    return {
        "rule": rule + suffix,
        "condition": rule,
        "vital": vital_name,
        "side": side,
        "priority": priority,
        "limit": value,
        "default": value,
        "unit": UNITS.get(vital_name, "mm[Hg]"),
        "inclusive": vital_name.startswith("nibp"),
        "hold_ms": 0 if vital_name.startswith("nibp") else 10_000,
        "severe": None,
        "set_by": None,
        "set_why": None,
        "low_span": None,
        "high_span": None,
    } | more


def limits() -> list[Wire]:
    """The limits of the plain watch."""
    return [
        limit("spo2-low", "spo2", "low", "HIGH", 90, severe=85),
        limit("spo2-low", "spo2", "low", "MEDIUM", 92, hold_ms=15_000),
        limit("hr-high", "hr", "high", "HIGH", 140),
        limit("hr-high", "hr", "high", "MEDIUM", 120),
        limit("hr-high", "hr", "high", "LOW", 110),
        limit("hr-low", "hr", "low", "HIGH", 40, hold_ms=5_000),
        limit("hr-low", "hr", "low", "MEDIUM", 50, set_by="sam", set_why="runs marathons", default=55),
        limit("rr-low", "rr", "low", "HIGH", 8),
        limit("rr-high", "rr", "high", "MEDIUM", 25),
        limit("sbp-high", "nibp_sys", "high", "HIGH", 180),
        limit("sbp-high", "nibp_sys", "high", "MEDIUM", 165),
        limit("dbp-high", "nibp_dia", "high", "HIGH", 110),
    ]


def session(number: int, minute: float, base: tuple[int, int, int, int, int], **more: Any) -> Wire:
    """A watch session that was opened so many minutes ago."""
    systolic, diastolic, rate, spo2, breaths = base
    return {
        "session": number,
        "alias": f"P{number:02}",
        "profile": "watch",
        "phase": "watch",
        "opened_at_ms": NOW - int(minute * MINUTE),
        "opened_by": "dana",
        "cuff_interval_ms": 300_000,
        "baseline": {
            "systolic_mmhg": systolic,
            "diastolic_mmhg": diastolic,
            "heart_rate_per_min": rate,
            "spo2_percent": spo2,
            "respiration_per_min": breaths,
        },
    } | more


def bed(
    name: str,
    its_session: Wire | None,
    nurse: str | None,
    vitals: list[Wire],
    its_cuff: Wire | None,
    **more: Any,
) -> Wire:
    """One bed."""
    return {
        "bed": name,
        "place": f"Chair {name}",
        "session": its_session,
        "nurse": nurse,
        "vitals": {v["vital"]: v for v in vitals},
        "cuff": its_cuff,
        "cuff_refusal": None,
        "limits": limits() if its_session else [],
        "pauses": [],
        "devices": [f"monitor-{name}"],
    } | more


def three(spo2: float, rate: float, breaths: float) -> list[Wire]:
    """The three continuous vitals."""
    return [vital("spo2", spo2), vital("hr", rate), vital("rr", breaths)]


def alarm(number: int, name: str, rule: str, priority: str, text: str, since_s: float, **more: Any) -> Wire:
    """One alarm, active unless said otherwise."""
    return {
        "alarm_id": number,
        "bed": name,
        "rule": rule,
        "priority": priority,
        "technical": False,
        "vital": None,
        "device": None,
        "state": "active",
        "since_ms": NOW - int(since_s * 1000),
        "raised_at_ms": NOW - int(since_s * 1000) + 10_000,
        "value": None,
        "limit": None,
        "unit": None,
        "text": text,
        "note": "",
        "acked_by": None,
        "acked_at_ms": None,
        "ack_until_ms": None,
        "quiet": None,
        "quiet_by": None,
        "spoken_for": False,
        "accepted_by": None,
        "next_page_at_ms": None,
    } | more


def page(
    number: int, alarm_id: int, name: str, priority: str, to: str, ago_s: float, text: str, **more: Any
) -> Wire:
    """One page that is out."""
    return {
        "page_id": number,
        "alarm_id": alarm_id,
        "bed": name,
        "priority": priority,
        "step": 0,
        "to": to,
        "why": "first page for this alarm",
        "text": text,
        "ordered_at_ms": NOW - int(ago_s * 1000),
        "outcomes": [
            {"way": "push", "outcome": "delivered", "why": "", "at_ms": NOW - int(ago_s * 1000) + 400}
        ],
        "answer": None,
        "answered_by": None,
        "answered_at_ms": None,
        "over": False,
    } | more


def link(name: str, state: str = "up", **more: Any) -> Wire:
    """The link of one bed's monitor."""
    return {
        "device": f"monitor-{name}",
        "driver": "philips_intellivue",
        "bed": name,
        "state": state,
        "since_ms": NOW - 48_000,
        "why": "",
        "notices": [],
        "can_start_cuff": True,
    } | more


def sound(screen: str, state: str, **more: Any) -> Wire:
    """What a paired screen says of its own sound, which was checked this morning."""
    return {
        "screen": screen,
        "paired": True,
        "state": state,
        "by": None,
        "at_ms": NOW - 20 * MINUTE,
        "checked_at_ms": NOW - 6 * 60 * MINUTE,
        "checked_by": "sam",
    } | more


def clinic(now_ms: int = NOW) -> Wire:
    """The eight beds: well, due, HIGH, MEDIUM, no data, LOW with a pause, late in its stay, empty."""
    spo2 = alarm(
        31,
        "3",
        "spo2-low",
        "HIGH",
        "SpO2 84 < 90",
        42,
        vital="spo2",
        value=84,
        limit=90,
        unit="%",
        next_page_at_ms=NOW + 28_000,
    )
    breath = alarm(32, "3", "rr-low", "MEDIUM", "RR 7 < 8", 25, vital="rr", value=7, limit=8, unit="/min")
    pressure = alarm(
        41,
        "4",
        "sbp-high",
        "MEDIUM",
        "BP 172/98 ≥ 165",
        190,
        vital="nibp_sys",
        value=172,
        limit=165,
        unit="mm[Hg]",
        note="confirmed by two readings, 170/97 and 172/98",
        accepted_by="lee",
    )
    lost = alarm(
        51, "5", "link-lost", "MEDIUM", "No data from monitor", 48, technical=True, device="monitor-5"
    )
    rate = alarm(
        61,
        "6",
        "hr-high",
        "LOW",
        "HR 113 > 110",
        140,
        vital="hr",
        value=113,
        limit=110,
        unit="/min",
        quiet="audio paused",
        quiet_by="dana",
    )
    pause = {
        "pause_id": 1,
        "bed": "6",
        "kind": "audio paused",
        "vital": None,
        "since_ms": NOW - 36_000,
        "until_ms": NOW + 84_000,
        "by": "dana",
        "why": "",
    }
    stale = [gone("spo2", 97, 48_000), gone("hr", 77, 48_000), gone("rr", 14, 48_000)]
    return {
        "server": {
            "version": "0.1.0",
            "at_ms": now_ms,
            "start": "stage.0",
            "speed": 1.0,
            "insecure_lan": False,
        },
        "me": {"name": "dana", "display": "Dana", "role": "nurse"},
        "beds": [
            bed("1", session(1, 24, (122, 76, 68, 98, 14)), "dana", three(98, 74, 13), cuff(137, 85, 4, 1)),
            bed("2", session(2, 38, (128, 80, 72, 97, 15)), "lee", three(97, 79, 15), cuff(133, 84, 18, 7)),
            bed(
                "3", session(3, 31, (118, 72, 66, 97, 14)), "dana", three(84, 88, 7), cuff(127, 79, 1.2, 3.8)
            ),
            bed(
                "4",
                session(4, 52, (134, 84, 76, 98, 16)),
                "lee",
                [*three(98, 91, 17), vital("temp", 36.8)],
                cuff(172, 98, 3, 2),
            ),
            bed(
                "5",
                session(5, 17, (126, 78, 71, 98, 15)),
                "sam",
                stale,
                cuff(134, 83, 7, -2, old_after_at_ms=NOW - 30_000),
            ),
            bed(
                "6",
                session(6, 49, (120, 74, 84, 98, 15)),
                "dana",
                three(99, 113, 18),
                cuff(133, 82, 4, 6),
                pauses=[pause],
            ),
            bed(
                "7",
                session(7, 128, (124, 78, 70, 97, 15), cuff_interval_ms=None),
                "sam",
                three(97, 71, 14),
                cuff(124, 78, 3, None),
            ),
            bed("8", None, None, [], None),
        ],
        "alarms": [spo2, breath, pressure, lost, rate],
        "pages": [
            page(301, 31, "3", "HIGH", "dana", 32, "Bed 3: *** SpO2 84 < 90. Open Chairside."),
            page(302, 31, "3", "HIGH", "lee", 2, "Bed 3: *** SpO2 84 < 90. Open Chairside."),
            page(
                401,
                41,
                "4",
                "MEDIUM",
                "lee",
                90,
                "Bed 4: ** BP 172/98. Open Chairside.",
                answer="accepted",
                answered_by="lee",
                answered_at_ms=NOW - 65_000,
            ),
            page(501, 51, "5", "MEDIUM", "sam", 38, "Bed 5: ** No data. Open Chairside."),
        ],
        "links": [link(str(n), "silent" if n == 5 else "up") for n in range(1, 9)],
        "parts": [
            {"part": p, "ok": True, "since_ms": NOW - 3_600_000, "why": ""}
            for p in ("journal", "paging", "clock", "loop")
        ],
        "duty": {
            "on": ["dana", "lee", "sam"],
            "beds": [
                {"bed": b, "staff": s}
                for b, s in zip("1234567", ("dana", "lee", "dana", "lee", "sam", "dana", "sam"), strict=True)
            ],
            "set_by": "sam",
            "set_at_ms": NOW - 6 * 3_600_000,
        },
        "staff": STAFF,
        "sounds": [sound("floor", "on"), sound("wall", "on")],
    }


def fleeting(scene: Wire, ms: int = 9_600) -> Wire:
    """The same clinic with the freshness of life: ten seconds from the last sample."""
    for one in scene["beds"]:
        for its in one["vitals"].values():
            its["fresh_until_ms"] = min(its["fresh_until_ms"], NOW + ms)
    return scene


def many(n: int, now_ms: int = NOW) -> Wire:
    """The same clinic with more beds: the well ones once more, in turn."""
    scene = clinic(now_ms)
    beds = scene["beds"][:n]
    for number in range(9, n + 1):
        like = scene["beds"][(0, 1, 6)[number % 3]]
        beds.append(like | {"bed": str(number), "session": like["session"] | {"session": number}})
    shown = {b["bed"] for b in beds}
    kept = [a for a in scene["alarms"] if a["bed"] in shown]
    return scene | {"beds": beds, "alarms": kept, "pages": [p for p in scene["pages"] if p["bed"] in shown]}


# What was measured before.

SHAPES: dict[tuple[str, str], Callable[[float], float]] = {
    ("3", "spo2"): lambda t: -12.6 * min(1.0, max(0.0, (t - 28.6) / 2.2)),
    ("3", "rr"): lambda t: -7 * min(1.0, max(0.0, (t - 26) / 4)),
    ("3", "hr"): lambda t: 16 * min(1.0, max(0.0, (t - 29) / 2)),
    ("6", "hr"): lambda t: 25 * min(1.0, max(0.0, (t - 38) / 8)),
}
CUFFS: dict[str, list[tuple[float, int, int]]] = {
    "1": [(2, 124, 77), (5, 126, 79), (10, 131, 82), (15, 134, 84), (20, 137, 85)],
    "2": [(2, 127, 79), (20, 133, 84)],
    "3": [
        (1, 117, 71),
        (5, 121, 74),
        (10, 126, 78),
        (15, 128, 80),
        (20, 131, 81),
        (25, 130, 80),
        (29.8, 127, 79),
    ],
    "4": [(2, 136, 85), (5, 132, 83), (20, 146, 90), (40, 163, 96), (46, 170, 97), (49, 172, 98)],
    "5": [(2, 125, 78), (5, 130, 81), (10, 134, 83)],
    "6": [
        (15, 128, 80),
        (20, 131, 82),
        (25, 133, 83),
        (30, 135, 84),
        (35, 134, 84),
        (40, 136, 85),
        (45, 133, 82),
    ],
    "7": [(100, 126, 79), (114, 125, 78), (125, 124, 78)],
}


def level(_minute: float) -> float:
    """No shape at all."""
    return 0.0


def trend(one: Wire, now_ms: int = NOW) -> Wire:
    """A bed's trend up to now as the API answers it: points with minima and maxima kept, cuffs apart."""
    its = one["session"]
    minute = (now_ms - its["opened_at_ms"]) / MINUTE
    base = its["baseline"]
    middle = {
        "spo2": base["spo2_percent"],
        "hr": base["heart_rate_per_min"],
        "rr": base["respiration_per_min"],
    }
    noise = {"spo2": 0.5, "hr": 3.0, "rr": 1.6}
    vitals: dict[str, list[list[float]]] = {}
    for name, centre in middle.items():
        rng = random.Random(f"{one['bed']} {name}")  # noqa: S311  a picture, not a secret
        live = one["vitals"][name]
        end = live["value"] if live["value"] is not None else live["last_value"]
        last = minute if live["value"] is not None else minute - (now_ms - live["last_at_ms"]) / MINUTE
        shape = SHAPES.get((one["bed"], name), level)
        drift, points, t = 0.0, list[tuple[float, float]](), 0.0
        while t <= last:
            drift = drift * 0.94 + (rng.random() - 0.5) * noise[name]
            points.append((t, centre + drift + shape(t)))
            t += 0.25
        off = end - points[-1][1]
        at = [its["opened_at_ms"] + int(p[0] * MINUTE) for p in points]
        values = [p[1] + off * max(0.0, 1 - (last - p[0]) / 9) for p in points]
        top = 99.0 if name == "spo2" else math.inf
        vitals[name] = [
            [a, round(min(v, top), 2), round(min(v, top), 2)] for a, v in zip(at, values, strict=True)
        ]
    cuffs = [
        cuff(s, d, 0, None) | {"measured_at_ms": its["opened_at_ms"] + int(t * MINUTE)}
        for t, s, d in CUFFS.get(one["bed"], [])
    ]
    return {"bed": one["bed"], "units": {}, "vitals": vitals, "cuffs": cuffs}

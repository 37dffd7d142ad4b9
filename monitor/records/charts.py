"""The session as a chart: every mark as shares of width and height, so that the page only has to draw. Pure.

The scales are always the same (SpO2 80-100, HR 40-140, RR 4-32, BP 50-200): equal heights are equal numbers,
on every page of every patient. What lies outside is drawn on the edge with an arrow. Where nothing was known
no line is drawn, and the gap is hatched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from monitor.model import Priority, Quality, Vital
from monitor.records.clocks import local
from monitor.records.report import Gap, Line, SessionReport, Stretch

STARS = {Priority.HIGH: "***", Priority.MEDIUM: "**", Priority.LOW: "*"}

TICKS_MIN = (5, 10, 15, 20, 30, 60, 120, 240)
TICKS_MOST = 13

LABEL_LEAST = 0.035
"""A phase narrower than this share of the width carries no name."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """One panel's own scale: what it shows, from which number to which, and its lines."""

    title: str
    unit: str
    low: float
    high: float
    grid: tuple[float, ...]
    height: float
    """Its share of the chart's height."""

    def up(self, value: float) -> float:
        """How high a number stands, from 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def off(self, value: float) -> bool:
        """Whether it does not fit."""
        return not self.low <= value <= self.high


BP = Scale("BP", "mmHg", 50, 200, (50, 100, 150, 200), 0.46)
HR = Scale("HR", "/min", 40, 140, (40, 90, 140), 0.2)
SPO2 = Scale("SpO2", "%", 80, 100, (80, 90, 100), 0.2)
RR = Scale("RR", "/min", 4, 32, (4, 18, 32), 0.14)


@dataclass(frozen=True, slots=True)
class _Span:
    """The session's time as the width of the chart."""

    from_ms: int
    until_ms: int

    def at(self, at_ms: float) -> float:
        return min(max((at_ms - self.from_ms) / (self.until_ms - self.from_ms), 0.0), 1.0)


def chart(report: SessionReport) -> dict[str, Any]:
    """Everything the page draws of the session."""
    until_ms = report.made_ms if report.ended_ms is None else report.ended_ms
    span = _Span(report.opened_ms, max(until_ms, report.opened_ms + 60_000))
    lines = {line.vital: line for line in report.lines}
    rate = lines.get(Vital.HEART_RATE) or lines.get(Vital.PULSE_SPO2)
    return {
        "ticks": list(_ticks(report, span)),
        "phases": [
            {
                "x": (span.at(one.from_ms), span.at(one.until_ms or until_ms)),
                "label": one.title if _wide(span, one.from_ms, one.until_ms or until_ms) else "",
            }
            for one in report.phases
            if (one.until_ms or until_ms) > one.from_ms
        ],
        "marks": list(_marks(report, span)),
        "alarms": [
            {
                "x": (span.at(one.raised_ms), span.at(one.ended_ms or until_ms)),
                "stars": STARS[one.priority],
                "technical": one.technical,
            }
            for one in report.alarms
        ],
        "panels": [
            _pressures(report, span),
            _panel(HR, rate, report, span, (Vital.HEART_RATE, Vital.PULSE_SPO2)),
            _panel(SPO2, lines.get(Vital.SPO2), report, span, (Vital.SPO2,)),
            _panel(RR, lines.get(Vital.RESPIRATION), report, span, (Vital.RESPIRATION,)),
        ],
    }


def _wide(span: _Span, from_ms: int, until_ms: int) -> bool:
    return span.at(until_ms) - span.at(from_ms) >= LABEL_LEAST


def _ticks(report: SessionReport, span: _Span) -> Iterator[dict[str, Any]]:
    """Round minutes from the start of the drug (of the session, where there is none)."""
    zero_ms = report.opened_ms if report.clocks.start_ms is None else report.clocks.start_ms
    whole_min = (span.until_ms - span.from_ms) / 60_000
    step_min = next((one for one in TICKS_MIN if whole_min / one <= TICKS_MOST), TICKS_MIN[-1])
    first = -((zero_ms - span.from_ms) // (step_min * 60_000))
    last = (span.until_ms - zero_ms) // (step_min * 60_000)
    for place in range(first, last + 1):
        at_ms = zero_ms + place * step_min * 60_000
        yield {
            "x": span.at(at_ms),
            "label": f"{place * step_min}".replace("-", "−"),
            "clock": local(report.zone, at_ms).strftime("%H:%M"),
        }


def _marks(report: SessionReport, span: _Span) -> Iterator[dict[str, Any]]:
    clocks = report.clocks
    for one in report.devices_given:
        yield {"x": span.at(one.at_ms), "label": f"{one.number}", "kind": "drug"}
    if not report.devices_given and clocks.start_ms is not None:
        yield {"x": span.at(clocks.start_ms), "label": "start", "kind": "drug"}
    if clocks.end_ms is not None:
        yield {"x": span.at(clocks.end_ms), "label": "end", "kind": "drug"}
    if clocks.floor_until_ms is not None and span.from_ms <= clocks.floor_until_ms <= span.until_ms:
        yield {"x": span.at(clocks.floor_until_ms), "label": "least stay", "kind": "time"}


def _empty(scale: Scale) -> dict[str, Any]:
    return {
        "title": scale.title,
        "unit": scale.unit,
        "height": scale.height,
        "grid": [{"y": scale.up(value), "label": f"{value:g}"} for value in scale.grid],
        "bands": [],
        "base": [],
        "areas": [],
        "lines": [],
        "dots": [],
        "cuffs": [],
        "gaps": [],
        "over": [],
    }


def _pressures(report: SessionReport, span: _Span) -> dict[str, Any]:
    panel = _empty(BP)
    panel["bands"] = _bands(BP, report, span, (Vital.SYSTOLIC, Vital.DIASTOLIC))
    numbers = report.baseline.numbers if report.baseline is not None else ()
    own = next((one for one in numbers if one.name == "nibp"), None)
    if own is not None:
        panel["base"] = [BP.up(value) for value in (own.value, own.second) if value is not None]
    for one in report.cuffs:
        if one.systolic is None or one.diastolic is None:
            panel["over"].append({"x": span.at(one.at_ms), "y": 0.0, "what": "failed"})
            continue
        panel["cuffs"].append(
            {
                "x": span.at(one.at_ms),
                "y": (BP.up(one.diastolic), BP.up(one.systolic)),
                "doubted": one.quality is not Quality.VALID,
                "hand": one.by is not None,
                "standing": one.standing,
            }
        )
        panel["over"] += [
            {"x": span.at(one.at_ms), "y": BP.up(value), "what": "up" if value > BP.high else "down"}
            for value in (one.systolic, one.diastolic)
            if BP.off(value)
        ]
    panel["gaps"] = _hatched(report, span, lambda gap: gap.kind == "service")
    return panel


def _bands(scale: Scale, report: SessionReport, span: _Span, vitals: Sequence[Vital]) -> list[list[Point]]:
    """The expected course of these vitals, each as one outline."""
    found = []
    for one in report.expected:
        if one.vital in vitals:
            points = [point for point in one.points if point[0] <= span.until_ms]
            upper = [(span.at(at_ms), scale.up(high)) for at_ms, _, high in points]
            lower = [(span.at(at_ms), scale.up(low)) for at_ms, low, _ in points]
            found.append([*upper, *reversed(lower)])
    return found


def _panel(
    scale: Scale, line: Line | None, report: SessionReport, span: _Span, vitals: Sequence[Vital]
) -> dict[str, Any]:
    panel = _empty(scale)
    panel["bands"] = _bands(scale, report, span, vitals)
    panel["base"] = _own(scale, report, vitals)
    panel["gaps"] = _hatched(report, span, lambda gap: gap.kind == "service" or gap.vital in vitals)
    if line is None:
        return panel
    runs = list(_runs(line.stretches))
    panel["gaps"] += list(_breaks(runs, report, span, vitals))
    for run in runs:
        panel["lines"].append([(span.at(_middle_ms(one)), scale.up(one.middle or 0)) for one in run])
        upper = [(span.at(_middle_ms(one)), scale.up(one.high or 0)) for one in run]
        lower = [(span.at(_middle_ms(one)), scale.up(one.low or 0)) for one in run]
        panel["areas"].append([*upper, *reversed(lower)])
        if len(run) == 1:
            panel["dots"].append(panel["lines"][-1][0])
        for one in run:
            for value, what in ((one.high, "up"), (one.low, "down")):
                if value is not None and scale.off(value):
                    panel["over"].append({"x": span.at(_middle_ms(one)), "y": scale.up(value), "what": what})
    return panel


def _breaks(
    runs: Sequence[list[Stretch]], report: SessionReport, span: _Span, vitals: Sequence[Vital]
) -> Iterator[Point]:
    """Where the line breaks off although nobody had to watch it then: there is no value there either."""
    gaps = [gap for gap in report.gaps if gap.kind == "service" or gap.vital in vitals]
    for before, after in pairwise(runs):
        from_ms, until_ms = before[-1].last_ms or before[-1].until_ms, after[0].from_ms
        listed = any(
            gap.from_ms < until_ms and (gap.until_ms is None or gap.until_ms > from_ms) for gap in gaps
        )
        if not listed and until_ms > from_ms:
            yield span.at(from_ms), span.at(until_ms)


def _own(scale: Scale, report: SessionReport, vitals: Sequence[Vital]) -> list[float]:
    """Today's own normal of these vitals."""
    names = {vital.value for vital in vitals}
    numbers = report.baseline.numbers if report.baseline is not None else ()
    return [scale.up(one.value) for one in numbers if one.name in names and one.value is not None]


def _middle_ms(one: Stretch) -> float:
    return (one.from_ms + one.until_ms) / 2


def _runs(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches that belong together: no gap between them, and one source."""
    run: list[Stretch] = []
    for one in stretches:
        apart = bool(run) and (one.from_ms > run[-1].until_ms or one.device != run[-1].device)
        if run and (one.count == 0 or apart):
            yield run
            run = []
        if one.count:
            run.append(one)
    if run:
        yield run


def _hatched(report: SessionReport, span: _Span, shows: Callable[[Gap], bool]) -> list[Point]:
    until_ms = span.until_ms
    return [(span.at(gap.from_ms), span.at(gap.until_ms or until_ms)) for gap in report.gaps if shows(gap)]

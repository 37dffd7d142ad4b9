"""What was seen of the patient the whole time, and when nothing was: lines, coverage, gaps, devices. Pure.

A gap begins where the last value was no longer fresh, as it did on the screen, and never ends by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from monitor.model import (
    CuffTaken,
    Device,
    LinkMoved,
    LinkState,
    PartMoved,
    Quality,
    ServiceStarted,
    Vital,
    VitalTyped,
)
from monitor.records.report import (
    AlarmOf,
    Coverage,
    DeviceUsed,
    Gap,
    GapKind,
    Line,
    LinkOf,
    PhaseSpan,
    Stretch,
)
from monitor.reporting.kept import Kept
from monitor.store.trends import BY_HAND, FRESH_MS, FRESH_TEMPERATURE_MS, History

STRETCH_MS = 60_000
"""One stretch of a line: a minute."""

BY_HAND_MS = 900_000
"""How long a value taken by hand stands, as at the bed (physiology.md 1, freshness)."""

GAP_LEAST_MS = 5_000
"""A shorter one is not listed; it counts in the coverage all the same."""

STANDS_FOR = {Vital.HEART_RATE: (Vital.HEART_RATE, Vital.PULSE_SPO2)}
"""Where a rate has to be watched, the oximeter's count is one."""

PARTS = {
    "journal": "The journal",
    "paging": "Paging",
    "clock": "The clock",
    "loop": "The service's loop",
}

LINK_WORDS = {
    LinkState.CONNECTING: "was not connected",
    LinkState.SILENT: "said nothing",
    LinkState.DOWN: "had no connection",
}

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A vital that had to be watched, and the spans of time in which it had to be."""

    vital: Vital
    spans: tuple[Span, ...]


def lines(kept: Kept) -> tuple[Line, ...]:
    """Each continuous vital that was heard of, whole and thinned."""
    return tuple(_line(vital, kept.history[vital]) for vital in Vital if vital in kept.history)


def _line(vital: Vital, history: History) -> Line:
    sources = tuple((at_ms, _device(name)) for at_ms, name in history.sources)
    return Line(
        vital,
        tuple(history.times_ms),
        tuple(history.values),
        tuple(history.qualities),
        sources,
        tuple(_stretches(history, sources)),
    )


def _stretches(history: History, sources: Sequence[tuple[int, Device | None]]) -> Iterator[Stretch]:
    """A minute each, broken where another device speaks."""
    starts = [at_ms for at_ms, _ in sources]
    rows: dict[tuple[int, int], list[tuple[int, float | None]]] = defaultdict(list)
    for at_ms, value, quality in zip(history.times_ms, history.values, history.qualities, strict=True):
        valid = value if quality is Quality.VALID else None
        rows[at_ms // STRETCH_MS, max(bisect_right(starts, at_ms) - 1, 0)].append((at_ms, valid))
    for (minute, place), said in rows.items():
        known = [(at_ms, value) for at_ms, value in said if value is not None]
        numbers = [value for _, value in known]
        from_ms = max(minute * STRETCH_MS, starts[place] if starts else 0)
        until_ms = (minute + 1) * STRETCH_MS
        if place + 1 < len(starts):
            until_ms = min(until_ms, starts[place + 1])
        yield Stretch(
            min(from_ms, said[0][0]),
            until_ms,
            len(numbers),
            min(numbers, default=None),
            round(float(median(numbers)), 1) if numbers else None,
            max(numbers, default=None),
            known[-1][0] if known else None,
            sources[place][1] if sources else None,
        )


def _device(name: str) -> Device | None:
    return None if name == BY_HAND else Device(name)


def source_at(line: Line | None, at_ms: int) -> Device | None:
    """Whose a value of this moment is; None is by hand, or nobody's."""
    if line is None or not line.sources:
        return None
    place = bisect_right([since_ms for since_ms, _ in line.sources], at_ms) - 1
    return line.sources[max(place, 0)][1]


# Coverage and gaps.


def coverage(wanted: Iterable[Wanted], known: Mapping[Vital, Sequence[Span]]) -> tuple[Coverage, ...]:
    """How much of what had to be watched was."""
    found = []
    for one in wanted:
        watched_ms = sum(until - since for since, until in one.spans)
        unknown_ms = sum(until - since for since, until in _unknown(one, known))
        found.append(Coverage(one.vital, watched_ms, watched_ms - unknown_ms))
    return tuple(found)


def known_spans(kept: Kept) -> dict[Vital, tuple[Span, ...]]:
    """When there was a value of each vital that was still fresh."""
    typed = {(row.event.vital, row.event.at_ms) for row in kept.rows if isinstance(row.event, VitalTyped)}
    return {vital: tuple(_fresh(vital, history, typed)) for vital, history in kept.history.items()}


def _fresh(vital: Vital, history: History, typed: set[tuple[Vital, int]]) -> Iterator[Span]:
    lasts_ms = FRESH_TEMPERATURE_MS if vital is Vital.TEMPERATURE else FRESH_MS
    since_ms = until_ms = None
    for at_ms, value in zip(history.times_ms, history.values, strict=True):
        if since_ms is not None and until_ms is not None and (at_ms > until_ms or value is None):
            # A device that says it has no value ends the one it had: nothing stands for it any more.
            yield since_ms, min(until_ms, at_ms)
            since_ms = None
        if value is None:
            continue
        since_ms = at_ms if since_ms is None else since_ms
        fresh_ms = at_ms + (BY_HAND_MS if (vital, at_ms) in typed else lasts_ms)
        until_ms = fresh_ms if until_ms is None else max(until_ms, fresh_ms)
    if since_ms is not None and until_ms is not None:
        yield since_ms, until_ms


def _unknown(one: Wanted, known: Mapping[Vital, Sequence[Span]]) -> list[Span]:
    spans = sorted(span for vital in STANDS_FOR.get(one.vital, (one.vital,)) for span in known.get(vital, ()))
    found: list[Span] = []
    for since_ms, until_ms in one.spans:
        reached_ms = since_ms
        for known_since_ms, known_until_ms in spans:
            if known_since_ms >= until_ms:
                break
            if known_since_ms > reached_ms:
                found.append((reached_ms, known_since_ms))
            reached_ms = max(reached_ms, known_until_ms)
        if reached_ms < until_ms:
            found.append((reached_ms, until_ms))
    return found


def gaps(
    kept: Kept,
    wanted: Sequence[Wanted],
    known: Mapping[Vital, Sequence[Span]],
    alarms: Sequence[AlarmOf],
    until_ms: int,
) -> tuple[Gap, ...]:
    """Every time in which something was not watched or not kept, the earliest first."""
    since_ms = kept.moved.at_ms
    around = (*_service(kept, since_ms), *_links(kept, until_ms), *_parts(kept))
    found = list(around)
    for one in wanted:
        for gap_since_ms, gap_until_ms in _unknown(one, known):
            if gap_until_ms - gap_since_ms >= GAP_LEAST_MS:
                why = _why(one.vital, gap_since_ms, gap_until_ms, kept, around, alarms)
                open_end = None if kept.ended_ms is None and gap_until_ms >= until_ms else gap_until_ms
                found.append(Gap("vital", one.vital.label, gap_since_ms, open_end, why, one.vital))
    return tuple(sorted(found, key=lambda gap: (gap.from_ms, gap.kind, gap.what)))


def _why(
    vital: Vital,
    since_ms: int,
    until_ms: int,
    kept: Kept,
    around: Iterable[Gap],
    alarms: Iterable[AlarmOf],
) -> str:
    """Why there was no value then: the service, the link, the device's own word, or nothing at all."""
    stands = STANDS_FOR.get(vital, (vital,))
    devices = {device for one in stands if one in kept.history for _, device in kept.history[one].sources}
    if not devices:
        return "No device measured it."
    for gap in around:
        reaches = gap.from_ms <= until_ms and (gap.until_ms is None or gap.until_ms >= since_ms)
        if reaches and (gap.kind == "service" or (gap.kind == "device" and gap.device in devices)):
            return gap.why
    said = [
        alarm.title
        for alarm in alarms
        if alarm.technical
        and alarm.vital in stands
        and alarm.raised_ms <= until_ms
        and (alarm.ended_ms or until_ms) >= since_ms
    ]
    if said:
        return f"{said[0]}."
    heard = {quality for one in stands for quality in _qualities(kept.history.get(one), since_ms, until_ms)}
    if Quality.INVALID in heard:
        return "The device said that its value was not valid."
    if Quality.MISSING in heard:
        return "The device said that it had no value."
    by_hand = devices == {BY_HAND}
    return "It was taken by hand only, now and then." if by_hand else "Nothing came from the device."


def _qualities(history: History | None, since_ms: int, until_ms: int) -> Iterator[Quality]:
    """What was said of values that were none, from shortly before the gap to its end."""
    if history is not None:
        first = bisect_right(history.times_ms, since_ms - FRESH_MS - 1)
        last = bisect_right(history.times_ms, until_ms)
        for place in range(first, last):
            if history.values[place] is None:
                yield history.qualities[place]


def _service(kept: Kept, since_ms: int) -> Iterator[Gap]:
    for row in kept.rows:
        match row.event:
            case ServiceStarted(at_ms=at_ms, last_at_ms=int(last_ms)) if at_ms > since_ms:
                yield Gap("service", "Chairside", max(last_ms, since_ms), at_ms, "Chairside was not running.")


def _links(kept: Kept, until_ms: int) -> Iterator[Gap]:
    begun: dict[Device, tuple[int, str]] = {}
    for row in kept.rows:
        if not isinstance(row.event, LinkMoved):
            continue
        moved = row.event
        if moved.device not in begun and moved.was is not LinkState.UP:
            begun[moved.device] = (kept.moved.at_ms, _link_words(moved.device, moved.was, ""))
        if moved.now is LinkState.UP:
            if moved.device in begun:
                since_ms, why = begun.pop(moved.device)
                yield Gap("device", moved.device, since_ms, moved.at_ms, why, device=moved.device)
        elif moved.device not in begun:
            since_ms = max(moved.since_ms, kept.moved.at_ms)
            begun[moved.device] = (since_ms, _link_words(moved.device, moved.now, moved.why))
    for device, (since_ms, why) in begun.items():
        ended_ms = until_ms if kept.ended_ms is not None else None
        yield Gap("device", device, since_ms, ended_ms, why, device=device)


def _link_words(device: Device, state: LinkState, why: str) -> str:
    said = f"{device} {LINK_WORDS.get(state, 'was not read')}"
    return f"{said}: {why.rstrip('.')}." if why else f"{said}."


def _parts(kept: Kept) -> Iterator[Gap]:
    begun: dict[str, PartMoved] = {}
    for row in kept.rows:
        if not isinstance(row.event, PartMoved):
            continue
        moved = row.event
        if not moved.ok:
            begun.setdefault(moved.part, moved)
            continue
        bad = begun.pop(moved.part, None)
        since_ms = max(bad.since_ms if bad else moved.since_ms, kept.moved.at_ms)
        why = bad.why if bad and bad.why else moved.why
        if bad or moved.why:
            yield _part(moved.part, since_ms, moved.at_ms, why)
    for part, bad in begun.items():
        yield _part(part, max(bad.since_ms, kept.moved.at_ms), None, bad.why)


def _part(part: str, since_ms: int, until_ms: int | None, why: str) -> Gap:
    kind: GapKind = "part"
    return Gap(kind, PARTS.get(part, part), since_ms, until_ms, f"{why.rstrip('.')}." if why else "")


# What had to be watched.


def wanted(
    phases: Iterable[PhaseSpan], watches: Mapping[str, tuple[Vital, ...]], until_ms: int
) -> tuple[Wanted, ...]:
    """The vitals that each phase watches (`watches`, by the phase's value), with their times run together."""
    spans: dict[Vital, list[Span]] = {}
    for phase in phases:
        ends_ms = until_ms if phase.until_ms is None else phase.until_ms
        for vital in watches.get(phase.phase.value, ()):
            of = spans.setdefault(vital, [])
            if of and of[-1][1] >= phase.from_ms:
                of[-1] = (of[-1][0], max(of[-1][1], ends_ms))
            elif ends_ms > phase.from_ms:
                of.append((phase.from_ms, ends_ms))
    return tuple(Wanted(vital, tuple(of)) for vital, of in spans.items() if of)


def wanted_of_a_watch(kept: Kept, until_ms: int) -> tuple[Wanted, ...]:
    """In a plain watch session nothing says what has to be watched: what was measured at all is."""
    common = (Vital.SPO2, Vital.HEART_RATE, Vital.RESPIRATION)
    return tuple(
        Wanted(vital, ((kept.moved.at_ms, until_ms),))
        for vital in common
        if any(one in kept.history for one in STANDS_FOR.get(vital, (vital,)))
    )


# Devices.


def devices_used(kept: Kept, drivers: Mapping[Device, str]) -> tuple[DeviceUsed, ...]:
    """Every device that gave a value of this patient."""
    measured: dict[Device, dict[str, list[int]]] = {}

    def gave(device: Device | None, what: str, times_ms: list[int]) -> None:
        if device is not None and times_ms:
            of = measured.setdefault(device, {}).setdefault(what, [times_ms[0], times_ms[0], 0])
            of[0], of[1], of[2] = min(of[0], times_ms[0]), max(of[1], times_ms[-1]), of[2] + len(times_ms)

    for vital, history in kept.history.items():
        starts = [at_ms for at_ms, _ in history.sources]
        by_place: dict[int, list[int]] = defaultdict(list)
        for at_ms, value in zip(history.times_ms, history.values, strict=True):
            if value is not None:
                by_place[max(bisect_right(starts, at_ms) - 1, 0)].append(at_ms)
        for place, times_ms in by_place.items():
            if history.sources:
                gave(_device(history.sources[place][1]), vital.value, times_ms)
    for row in kept.rows:
        if isinstance(row.event, CuffTaken):
            gave(row.event.device, "nibp", [row.event.measured_at_ms])
    return tuple(
        DeviceUsed(
            device,
            drivers.get(device, ""),
            tuple(of),
            min(one[0] for one in of.values()),
            max(one[1] for one in of.values()),
            sum(one[2] for one in of.values()),
        )
        for device, of in measured.items()
    )


def links(kept: Kept) -> tuple[LinkOf, ...]:
    """Every change of a link of theirs."""
    return tuple(
        LinkOf(row.event.at_ms, row.event.device, row.event.was, row.event.now, row.event.why)
        for row in kept.rows
        if isinstance(row.event, LinkMoved)
    )

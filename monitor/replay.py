"""Recorded numerics through the real ward at full speed: what would have alarmed, and who been paged.

The what-if tool for limits. Nobody acknowledges, nobody accepts, and no cuff can be asked to repeat: the
next reading confirms, whenever it comes. A column that comes more rarely than every 5 s is judged like a
cuff, two readings in a row, and is fresh for three of its intervals.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from monitor.alerts import limits as limit_rows
from monitor.alerts.limits import Profile
from monitor.devices.validity import screen_cuff, screen_sample
from monitor.model import (
    Admitted,
    Baseline,
    Bed,
    Cuff,
    CuffTaken,
    Device,
    Quality,
    Reading,
    Sample,
    Staff,
    Vital,
)
from monitor.plan import DevicePlan, Plan
from monitor.planning import changed, shipped
from monitor.recording import COLUMNS, CUFF_COLUMNS, BadRecording, Recording, read
from monitor.ward import Ward
from monitor.whatif.said import PEOPLE, Said, Sums, duty

BED, RECORDING, NOBODY = Bed("1"), Device("recording"), Staff("replay")

SPARSE_S = 5.0
"""A column slower than this is judged like a cuff (interfaces.md 2)."""
FRESH_MS = 10_000
"""How long a dense value is live (physiology.md 1, freshness)."""
INTERVALS = 3
"""How many of its own intervals a sparse value is fresh."""
STANDS = 1.5
"""An empty cell is a missing value once a column has been silent for so many of its intervals."""


def play(
    files: Sequence[Path], *, therapy: str = "watch", t0_s: float | None = None, limits: Path | None = None
) -> Iterator[dict[str, Any]]:
    """The JSON lines of `chairside replay`: alarms and pages as they happen, then a summary a file.

    With several files each line names its case, and a last summary adds them up. A file that is no recording
    does not keep the others from being played; BadRecording at the end names each, one line a file.
    """
    profile = _profile(therapy, limits)
    sums, bad = [], []
    for path in files:
        try:
            recording = read(path)
        except BadRecording as wrong:
            bad.append(str(wrong))  # the others are played all the same
            continue
        case = {"case": recording.name} if len(files) > 1 else {}
        run = Run(recording, profile, t0_s)
        for line in run.lines():
            yield line | case
        sums.append(run.sums)
        yield run.sums.line() | case
    if len(files) > 1:
        yield sum(sums, Sums()).line()
    if bad:
        raise BadRecording("\n".join(bad))


LAYERS = "layers"
"""The table of a file of limits that is laid over the therapies' own: `[layers."NAME".RULE]`."""


def proposed(limits: Path) -> Mapping[str, Any]:
    """The rows of a file of limits, by rule, as they stand in `[limits]` of the settings; or BadRecording."""
    own = _read(limits)
    rows: Mapping[str, Any] = own.get("limits", {name: row for name, row in own.items() if name != LAYERS})
    return rows


def proposed_layers(limits: Path) -> Mapping[str, Any] | None:
    """Its rows by the name of the layer whose they are, or None where it has none; or BadRecording."""
    return _read(limits).get(LAYERS)


def _read(limits: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(limits.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRecording(f"{limits.name}: cannot be read: {error}") from None


def _profile(therapy: str, limits: Path | None) -> Profile:
    try:
        data = shipped(therapy)
    except KeyError:
        raise BadRecording(f"there is no limit profile {therapy!r}") from None
    own = {} if limits is None else proposed(limits)
    if limits is not None and proposed_layers(limits) is not None:
        raise BadRecording(f"{limits.name}: {LAYERS}: only stored sessions have the layers of a therapy")
    try:
        return limit_rows.profile(changed(data, own))
    except (ValueError, TypeError, AttributeError) as error:
        where = limits.name if limits else therapy
        raise BadRecording(f"{where}: {str(error).splitlines()[0]}") from None


BEGIN_MS = 1_000_000_000
"""Where a recording's first instant is put on the ward's line; any number would do."""

GAPS = (("spo2",), ("hr", "pr"), ("rr",))
"""Columns that stand for one another: a gap is when none of a group is live."""
RATES = ("hr", "pr")


@dataclass(slots=True)
class Column:
    """One column of continuous values, and what is known of it at this instant."""

    name: str
    vital: Vital
    sparse: bool
    fresh_ms: int
    stands_ms: int
    seen_ms: int | None = None
    missing: bool = False

    def live(self, at_ms: int) -> bool:
        """Whether its newest value still counts."""
        return self.seen_ms is not None and at_ms - self.seen_ms <= self.fresh_ms


def columns(recording: Recording) -> list[Column]:
    """The columns that are judged. The two rates are one: rarely sampled only if both are."""
    found = []
    for name, vital in COLUMNS.items():
        if name in recording.columns:
            interval_s = recording.interval_s(name)
            sparse = interval_s is not None and interval_s > SPARSE_S
            fresh_ms = round((interval_s or 0) * INTERVALS * 1_000) if sparse else FRESH_MS
            stands_ms = round((interval_s or 1.0) * STANDS * 1_000)
            found.append(Column(name, vital, sparse, fresh_ms, stands_ms))
    rates = [column for column in found if column.name in RATES]
    if not all(column.sparse for column in rates):
        for column in rates:
            column.sparse = False
    return found


class Run:
    """One recording through one ward."""

    def __init__(self, recording: Recording, profile: Profile, t0_s: float | None) -> None:
        """`t0_s` is the first dose, in seconds of the recording; what was measured before is the baseline."""
        self._recording = recording
        self._first_s = recording.rows[0].t_s
        self._columns = columns(recording)
        by_name = {column.name: column for column in self._columns}
        groups = [[by_name[name] for name in group if name in by_name] for group in GAPS]
        self._groups = [group for group in groups if group]
        self._has_cuff = any(name in recording.columns for name in CUFF_COLUMNS)
        vitals = frozenset(column.vital for column in self._columns)
        self._ward = Ward(
            Plan(
                beds=((BED, ""),),
                devices=(DevicePlan(RECORDING, "recording", BED, vitals),),
                profiles={profile.name: profile},
                people=PEOPLE,
                duty=duty(BED),
                sparse=frozenset(column.vital for column in self._columns if column.sparse),
                live=False,
                undelivered_ms=None,
            )
        )
        self._profile = profile.name
        self._baseline = baseline(recording, t0_s)
        self._said = Said(self._ward, self._t_s)
        self.sums = self._said.sums

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every alarm and page, in order; `sums` is complete once this has run out."""
        began = time.perf_counter()
        admitted = Admitted(BEGIN_MS, BED, "replay", self._baseline, self._profile, None, NOBODY)
        yield from self._said.lines(self._ward.feed(admitted))
        rows, ward, sums = self._recording.rows, self._ward, self.sums
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            at_ms = self._at_ms(row.t_s)
            yield from self._until(at_ms)
            for event in self._events(row.values, at_ms):
                sums.readings += 1
                made = ward.feed(event)
                if len(made) > 1:
                    yield from self._said.lines(made)
            if after is not None and not all(any(c.live(at_ms) for c in group) for group in self._groups):
                sums.gaps_s += after.t_s - row.t_s
        end_ms = self._at_ms(rows[-1].t_s)
        yield from self._until(end_ms)
        self._said.ends(end_ms)
        sums.bed_s = rows[-1].t_s - self._first_s
        sums.wall_s = time.perf_counter() - began

    def _at_ms(self, t_s: float) -> int:
        return BEGIN_MS + round((t_s - self._first_s) * 1_000)

    def _until(self, at_ms: int) -> Iterator[dict[str, Any]]:
        """Let everything that falls due before `at_ms` happen at its own time."""
        while (due_ms := self._ward.due_ms()) is not None and due_ms <= at_ms:
            yield from self._said.lines(self._ward.tick(due_ms))

    def _events(self, values: Mapping[str, float | None], at_ms: int) -> Iterator[Reading | CuffTaken]:
        for column in self._columns:
            value = values[column.name]
            if value is not None:
                column.seen_ms, column.missing = at_ms, False
                yield _reading(column, screen_sample(Sample(column.vital, value)), at_ms)
            elif column.seen_ms is None or column.sparse or column.missing:
                continue
            elif at_ms - column.seen_ms > column.stands_ms:
                column.missing = True  # said once: it stays so until there is a value again
                yield _reading(column, Sample(column.vital, None, Quality.MISSING, "no value"), at_ms)
        if self._has_cuff:
            pressures = [values.get(name) for name in CUFF_COLUMNS]
            if any(pressure is not None for pressure in pressures):
                cuff = screen_cuff(Cuff(pressures[0], pressures[1], pressures[2]))
                yield CuffTaken(at_ms, at_ms, BED, RECORDING, cuff)

    def _t_s(self, at_ms: int) -> float:
        return round(self._first_s + (at_ms - BEGIN_MS) / 1_000, 3)


def _reading(column: Column, said: Sample, at_ms: int) -> Reading:
    fresh_ms = at_ms + column.fresh_ms
    return Reading(
        at_ms, BED, RECORDING, column.vital, said.value, said.quality, said.why, fresh_ms, said.doubt
    )


def baseline(recording: Recording, t0_s: float | None) -> Baseline:
    """The median of each column before the first dose; nothing where no dose is given or nothing was seen."""
    if t0_s is None:
        return Baseline()

    def own(*columns: str) -> float | None:
        for column in columns:
            if column in recording.columns:
                before = [v for t, v in recording.column(column) if t <= t0_s]
                if before:
                    return median(before)
        return None

    return Baseline(
        systolic=own("nibp_sys", "abp_sys"),
        diastolic=own("nibp_dia", "abp_dia"),
        heart_rate=own("hr", "pr"),
        spo2=own("spo2"),
        respiration=own("rr"),
    )

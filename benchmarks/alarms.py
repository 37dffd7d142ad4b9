"""Alarms on recorded patients: the whole ward beside limits alone and limits with delays, source by source.

Every case of CHAIRSIDE_RECORDINGS (else `../shared/data`) is judged by three: the real engine through the
whole ward, as `chairside replay` does it; the naive engine, with the same limits and no delay; the plain
delayed engine, with the same limits and delays and nothing else (`judges.py`). Sources are never pooled. The
rules may be tuned on one half of the people; what is judged here is the other half (`recorded.py`).

*Alarms per bed-hour* are raises about the patient, at any priority; *heard* those of the ward that speak for
themselves, for it gives one cause one voice and the peers do not. *A labelled alarm* of a rate is fired
where an alarm of its kind stands from 10 s before the bedside alarm sounded, which is where its event began,
to 30 s after it, the longest time anything is withheld: for bradycardia a slow heart or none, for
tachycardia a fast one, either at a priority that pages (MEDIUM or HIGH); for asystole a slow heart or none at
HIGH. *Marked* are those that the ward has withheld for its 30 s and raised with "poor signal". *Time to
detect* is from the naive engine's alarm, or from those 10 s before, to this one; what stood before counts
as 0.

*An event* of the threshold events is owed where its threshold is at least as strict as a limit of the profile
and it has lasted for the delay: it is raised where an alarm of that kind and priority, or a worse one, stands
at some time in it or within the 30 s after it.

*A consensus desaturation* is a label of `hypoxia`: the median of four oximeters that saw the same minutes lay
under 90, 85 or 80 % for 15 s. Each oximeter is a case, and has found it where an alarm for low SpO2
that pages stands at some time of the label. It is found no later where, in the median over the oximeters of
that person and label, that was no later than the plain delayed engine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import inf
from statistics import median

from benchmarks.judges import Alarm, Verdict, delayed, naive, ward
from benchmarks.measure import Row, at_least, at_most, plain, quantile
from benchmarks.recorded import Case, Event, Label, cases
from monitor.alerts.limits import Profile
from monitor.model import Priority
from monitor.planning import profile
from monitor.recording import read
from monitor.replay import SPARSE_S

BEFORE_S, AFTER_S = 10.0, 30.0
LOST_MAX = 2.0
"""So many percentage points of the true alarms may be lost that the naive engine finds."""
SHARE_MAX = 0.5
"""So much of the plain delayed engine's false alarms, and of its alarms an hour, may be left."""

M, H = Priority.MEDIUM, Priority.HIGH
RATES = {
    "Asystole": (frozenset({"hr-none", "hr-low"}), H),
    "Bradycardia": (frozenset({"hr-none", "hr-low"}), M),
    "Tachycardia": (frozenset({"hr-high"}), M),
}
"""Which conditions are an alarm of each labelled kind, and from which priority on."""

OWED: dict[str, tuple[str, Priority, float]] = {
    "sbp_ge180": ("sbp-high", H, 0),
    "dbp_ge110": ("dbp-high", H, 0),
    "sbp_lt90": ("sbp-low", M, 0),
    "map_lt60": ("map-low", M, 0),
    "spo2_lt90": ("spo2-low", H, 10),
    "spo2_lt85": ("spo2-low", H, 0),
    "hr_gt130": ("hr-high", M, 15),
    "hr_gt120": ("hr-high", M, 15),
    "hr_lt50": ("hr-low", M, 15),
    "hr_lt40": ("hr-low", H, 5),
    "rr_lt8": ("rr-low", H, 15),
    "rr_gt30": ("rr-high", M, 30),
}
"""The events at least as strict as a limit of the profile: which, its priority and its delay in seconds.

Those of `events.csv` that are not: 160 systolic and a mean of 110 lie inside the limits, and a rise needs a
baseline, which a recording without a first dose does not have.
"""
ARTERIAL_DELAY_S = {H: 10.0, M: 15.0}
"""An arterial line has the delays of SpO2 (interfaces.md 2)."""
WITHHELD_S = 30.0
"""The bed's heart rate is the ECG's; a pulse that says otherwise is withheld for so long (ALM-073)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One case and what the three said of it."""

    case: Case
    bed_h: float
    ward: Verdict
    naive: Verdict
    delayed: Verdict


JUDGES = ("ward", "naive", "delayed")


def rows() -> list[Row]:
    """Every figure against its goal, on the half that is reported; a table of both halves is printed."""
    every = cases()
    if not every:
        return [plain("recorded patients: none at hand", 0, "", "set CHAIRSIDE_RECORDINGS to their folder")]
    judged = judge(every)
    tuning = [one for one in judged if not one.case.reporting]
    reporting = [one for one in judged if one.case.reporting]
    for half, title in ((tuning, "tuning"), (reporting, "reporting")):
        groups = {one.case.group for one in half}
        print(f"\nThe {title} half: {len(half)} cases of {len(groups)} people\n\n{table(half)}")
    return [row for source, own in by_source(reporting) for row in verdicts(source, own)]


def judge(wanted: Sequence[Case]) -> list[Judged]:
    """These cases through all three, as many at once as there are processors."""
    with ProcessPoolExecutor() as pool:
        # The long ones first: nobody waits for the last of them alone.
        order = sorted(range(len(wanted)), key=lambda i: -wanted[i].path.stat().st_size)
        found = dict(zip(order, pool.map(_judged, [wanted[i] for i in order]), strict=True))
    return [found[i] for i in range(len(wanted))]


def _judged(case: Case) -> Judged:
    recording = read(case.path)
    bed_h = (recording.rows[-1].t_s - recording.rows[0].t_s) / 3_600
    return Judged(case, bed_h, *(by(recording, _watch()) for by in (ward, naive, delayed)))


@cache
def _watch() -> Profile:
    return profile("watch", {})


def by_source(judged: Iterable[Judged]) -> Sequence[tuple[str, list[Judged]]]:
    """Each source with its cases, as they come."""
    found: dict[str, list[Judged]] = {}
    for one in judged:
        found.setdefault(one.case.source, []).append(one)
    return list(found.items())


# What each asks of a source.


def per_hour(own: Sequence[Judged], by: str) -> float:
    """Alarms about the patient for each bed-hour."""
    return sum(len(_of(one, by).alarms) for one in own) / sum(one.bed_h for one in own)


def fired(one: Judged, label: Label, by: str) -> Alarm | None:
    """The first alarm of the labelled kind that stands around the label, or None."""
    from_s, to_s = label.start_s - BEFORE_S, label.end_s + AFTER_S
    kinds, least = RATES[label.type]
    return _first(
        a
        for a in _of(one, by).alarms
        if a.condition in kinds and a.priority >= least and a.start_s <= to_s and a.end_s >= from_s
    )


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, and after how many seconds each."""

    found: int
    of: int
    late_s: tuple[float, ...] = ()
    marked: int = 0

    @property
    def percent(self) -> float:
        """The share in per cent; 0 of none."""
        return 100 * self.found / self.of if self.of else 0.0

    def __str__(self) -> str:
        """As it stands in a table."""
        marked = f" ({self.marked} marked)" if self.marked else ""
        return f"{self.found}/{self.of}{marked}" if self.of else "-"


def labelled(own: Sequence[Judged], kind: str, *, true: bool, by: str) -> Share:
    """How many of the labelled alarms of this kind a judge fires on."""
    found, marked, late = 0, 0, []
    wanted = [(one, a) for one in own for a in one.case.labels if a.type == kind and a.true is true]
    for one, label in wanted:
        alarm = fired(one, label, by)
        if alarm is not None:
            found += 1
            marked += alarm.marked
            first = fired(one, label, "naive")
            began_s = max(first.start_s if first else alarm.start_s, label.start_s - BEFORE_S)
            late.append(max(0.0, alarm.start_s - began_s))
    return Share(found, len(wanted), tuple(late), marked)


def events(own: Sequence[Judged], by: str) -> Share:
    """How many of the threshold events that are owed a judge has raised."""
    owed = [(one, event) for one in own for event in one.case.events if is_owed(one.case, event)]
    return Share(sum(has_raised(_of(one, by), event) for one, event in owed), len(owed))


def is_owed(case: Case, event: Event) -> bool:
    """Whether an event is at least as strict as a limit of the profile and its delay."""
    if event.name not in OWED:
        return False
    _, priority, delay_s = OWED[event.name]
    if event.parameter.startswith("abp"):
        delay_s = ARTERIAL_DELAY_S[priority]
    elif event.parameter == "pr" and "hr" in case.parameters:
        # Rates that come too rarely are not held against each other: there the ECG's is the heart's.
        delay_s = WITHHELD_S if case.interval_s <= SPARSE_S else inf
    return event.end_s - event.start_s >= delay_s


def has_raised(verdict: Verdict, event: Event) -> bool:
    """Whether an alarm for it stands at some time in it, or soon after."""
    condition, priority, _ = OWED[event.name]
    kin = {condition, "hr-none"} if condition == "hr-low" else {condition}
    return any(
        a.condition in kin
        and a.priority >= priority
        and a.start_s <= event.end_s + AFTER_S
        and a.end_s >= event.start_s
        for a in verdict.alarms
    )


def desaturations(own: Sequence[Judged], by: str) -> tuple[Share, int]:
    """How many a judge finds, and how many of the persons' labels it finds later than the plain delayed."""
    waits: dict[tuple[str, Label], list[tuple[float, float]]] = {}
    found = of = 0
    for one in own:
        for label in one.case.labels:
            if label.label == "desaturation":
                of += 1
                mine, theirs = (_low_spo2_s(_of(one, each), label) for each in (by, "delayed"))
                found += mine < inf
                waits.setdefault((one.case.group, label), []).append((mine, theirs))
    later = sum(median(m for m, _ in pairs) > median(t for _, t in pairs) for pairs in waits.values())
    return Share(found, of), later


def _low_spo2_s(verdict: Verdict, label: Label) -> float:
    alarm = _first(
        a
        for a in verdict.alarms
        if a.condition == "spo2-low" and a.priority >= M and a.start_s <= label.end_s >= a.start_s
        if a.end_s >= label.start_s
    )
    return inf if alarm is None else max(alarm.start_s, label.start_s) - label.start_s


def _of(one: Judged, by: str) -> Verdict:
    found: Verdict = getattr(one, by)
    return found


def _first(alarms: Iterable[Alarm]) -> Alarm | None:
    return min(alarms, key=lambda alarm: alarm.start_s, default=None)


# What is said of it.


def verdicts(source: str, own: Sequence[Judged]) -> list[Row]:
    """The goals of one source."""
    found = []
    kinds = [kind for kind in RATES if labelled(own, kind, true=True, by="naive").of]
    for kind in kinds:
        found += _of_kind(source, own, kind)
    saturations, later = desaturations(own, "ward")
    if saturations.of:
        lost = saturations.of - saturations.found
        found.append(at_most(f"{source}: desaturations missed", lost, 0, "", f"of {saturations.of}"))
        found.append(at_most(f"{source}: found later than by delays alone", later, 0, ""))
    if not any(one.case.labels for one in own):
        mine, theirs, owed = per_hour(own, "ward"), per_hour(own, "delayed"), events(own, "ward")
        note = f"{mine:.2f} against {theirs:.2f} an hour"
        found.append(
            at_most(f"{source}: alarms, share of delays alone", _share(mine, theirs), SHARE_MAX, "", note)
        )
        found.append(
            at_most(f"{source}: owed events not raised", owed.of - owed.found, 0, "", f"of {owed.of}")
        )
    return found


def _of_kind(source: str, own: Sequence[Judged], kind: str) -> list[Row]:
    (true, its_true), (false, its_false) = (
        (labelled(own, kind, true=true, by="ward"), labelled(own, kind, true=true, by=other))
        for true, other in ((True, "naive"), (False, "delayed"))
    )
    kept = f"{source}: true {kind.lower()} kept"
    fired = f"{source}: false {kind.lower()} fired"
    return [
        at_least(kept, true.percent, its_true.percent - LOST_MAX, "%", f"{true}; naive {its_true}"),
        at_most(fired, false.percent, SHARE_MAX * its_false.percent, "%", f"{false}; delayed {its_false}"),
    ]


def _share(mine: float, theirs: float) -> float:
    return mine / theirs if theirs else float(mine > 0)


HEAD = (
    "source",
    "judge",
    "bed-h",
    "alarms/h",
    "heard/h",
    "technical/h",
    "true kept",
    "false fired",
    "detected s",
    "events",
    "SpO2",
)


def table(judged: Sequence[Judged]) -> str:
    """What each judge says of each source, as a Markdown table; the kinds of labelled alarms one by one."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for source, own in by_source(judged):
        hours = sum(one.bed_h for one in own)
        for by in JUDGES:
            technical = sum(_of(one, by).technical for one in own) / hours
            true, false = (
                {kind: labelled(own, kind, true=true, by=by) for kind in RATES} for true in (True, False)
            )
            late = [s for share in true.values() for s in share.late_s]
            cells = (
                source,
                by,
                f"{hours:.1f}",
                f"{per_hour(own, by):.2f}",
                f"{sum(_of(one, by).heard for one in own) / hours:.2f}" if by == "ward" else "-",
                f"{technical:.2f}" if by == "ward" else "-",
                _kinds(true),
                _kinds(false),
                f"{median(late):.0f}, p95 {quantile(late, 0.95):.0f}" if late else "-",
                str(events(own, by)),
                str(desaturations(own, by)[0]),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _kinds(shares: dict[str, Share]) -> str:
    return " ".join(f"{kind[0]} {share}" for kind, share in shares.items() if share.of) or "-"

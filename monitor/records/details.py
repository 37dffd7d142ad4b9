"""The pages behind the first: every table of a session's record, a row for each thing that is kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.model import Outcome, Quality
from monitor.records.clocks import local
from monitor.records.printed import figure, lasting
from monitor.records.report import (
    AlarmOf,
    CheckOf,
    CuffReading,
    Number,
    Override,
    PageOf,
    ReadyItem,
    SessionReport,
)
from monitor.records.tabled import Clock, Struck, Table, said, table

NUMBER = "What*1|Value*2|Measured|>Min|>Age|>From due|Source"

FIVE_MS = 300_000


def tables(report: SessionReport) -> list[Table]:
    """Every table, in the order of a session; one without a row says that there is nothing."""
    clock = Clock(report)
    found = _of_treatment(report, clock) if report.therapy is not None else iter(())
    return [*found, *_of_measuring(report, clock), *_of_alarms(report, clock), *_of_the_record(report, clock)]


def _of_treatment(report: SessionReport, clock: Clock) -> Iterator[Table]:
    rows = []
    for one in report.phases:
        lasted = "goes on" if one.until_ms is None else lasting(one.until_ms - one.from_ms)
        moment = one.until_ms == one.from_ms
        why = said(one.move.value if one.move is not None else "Opened", one.why)
        rows.append(
            (*clock.both(one.from_ms), one.title, "" if moment else lasted, one.by or "the clock", why)
        )
    yield table("Phases", "Time|>Min|Phase*2|>Lasted|By|Why*3", rows)
    yield from _doses(report, clock)
    yield from _check_in(report, clock)
    yield from _numbers(report, clock)
    yield from _people(report, clock)
    yield from _leaving(report, clock)


def _doses(report: SessionReport, clock: Clock) -> Iterator[Table]:
    if report.pump is not None:
        one = report.pump
        row = (
            clock.at(one.at_ms),
            f"{figure(one.weight_kg)} kg",
            f"{one.dose_mg_per_kg:g} mg/kg",
            f"{figure(one.dose_mg)} mg",
            f"{one.concentration_mg_per_ml:g} mg/ml",
            f"{figure(one.rate_ml_per_h)} ml/h",
            f"{one.by} and {one.second}",
            one.why,
        )
        heads = "Time|>Weight|>Dose|>In all|>Strength|>Rate|Who*1|Why*1"
        yield table("Dose, checked by two", heads, [row])
    if report.devices_given or report.planned_devices:
        rows = [
            (
                *clock.both(one.at_ms),
                str(one.number),
                one.lot,
                one.expires,
                "yes" if one.last else "",
                one.by,
                one.why,
            )
            for one in report.devices_given
        ]
        heads = "Time|>Min|>No.|Lot*1|Expires|Last|Who|Why*2"
        yield table("Devices given", heads, rows, empty="No device was given.")


def _check_in(report: SessionReport, clock: Clock) -> Iterator[Table]:
    said = {None: "not answered", True: "yes", False: "no"}
    rows = [(one.asks, said[one.yes], one.note, clock.at(one.at_ms), one.by or "–") for one in report.answers]
    yield table("Check-in", "Question*3|Answer|Note*2|Time|Who", rows)
    flags = [
        (one.title, clock.at(one.from_ms), clock.until(one.until_ms, "the end"), one.why, one.by)
        for one in report.flags
    ]
    yield table("Risk flags", "Flag|From|Until|Why*1|Who", flags)
    gate = [(one.result.upper(), one.why, _decided(one.decided, clock)) for one in report.gate]
    empty = "It was open." if report.clocks.start_ms is not None else "No drug was given."
    yield table("Gate before the drug", "Result|What*2|Decided*3", gate, empty=empty)


def _numbers(report: SessionReport, clock: Clock) -> Iterator[Table]:
    if report.baseline is not None:
        own = report.baseline
        of = f"the median of {len(own.readings)} cuff readings" if own.readings else "as it was entered"
        again = "".join(
            f" Begun again at {clock.at(one.at_ms)} by {one.by}: {one.why}."
            for one in report.baselines_before
        )
        note = f"Taken at {clock.at(own.at_ms)} by {own.by}: {of}.{again}"
        yield table("Baseline", NUMBER, [_number(one, clock) for one in own.numbers], note)
    rows = []
    for one in report.pressures:
        number = one.number
        if number is None:
            rows.append((one.title, "not taken", "–", "", "–", "–", one.instead))
        else:
            source = _source(number.by, number.device)
            times = (*clock.both(number.at_ms), lasting(number.age_ms))
            rows.append((one.title, number.words, *times, source, one.instead))
    heads = "Which*1|Value|Measured|>Min|>Age|Source|If it is not there*1"
    yield table("Pressures the record must hold", heads, rows)
    for check in report.checks:
        if check.again:
            continue
        note = _check(check, clock)
        filled = [_number(one, clock) for one in check.filled]
        yield table(check.title, NUMBER, filled, note, empty="No value stands in it.")
    repeated = [row for check in report.checks if check.again for row in _again(check, clock)]
    heads = "Due|>Min|Check*2|Value*2|Measured|>From due|Source"
    yield table("Checks that come again", heads, repeated, empty="None was due.")


def _again(check: CheckOf, clock: Clock) -> Iterator[tuple[str, ...]]:
    due = clock.both(check.due_ms)
    if not check.filled:
        what = "not valid" if check.saved_ms is not None else "not done"
        yield *due, check.title, what, "–", "", ""
    for one in check.filled:
        title, words, measured, _min, _age, off, source = _number(one, clock)
        yield *due, title, words, measured, off, source


def _number(one: Number, clock: Clock) -> tuple[str, ...]:
    off = ""
    if one.off_ms is not None:
        sign = "–" if one.off_ms < 0 else "+"
        off = f"{sign}{lasting(abs(one.off_ms))}" if one.off_ms else "on time"
        off += " (outside)" if one.within is False else ""
    age = lasting(one.age_ms)
    return one.title, one.words, *clock.both(one.at_ms), age, off, _source(one.by, one.device)


def _check(check: CheckOf, clock: Clock) -> str:
    if check.saved_ms is not None:
        state = f"Recorded at {clock.at(check.saved_ms)} by {check.by}."
    else:
        state = "Missed: its window closed without it." if check.missed else "Not recorded."
    away = f" A value may be {lasting(check.tolerance_ms)} away from it." if check.tolerance_ms else ""
    missing = f" Not measured: {', '.join(check.missing)}." if check.missing else ""
    return f"Due at {clock.at(check.due_ms)} ({clock.min(check.due_ms)}). {state}{away}{missing}"


def _people(report: SessionReport, clock: Clock) -> Iterator[Table]:
    scores = []
    for one in report.scores:
        entered = "at once" if one.entered_ms == one.at_ms else clock.at(one.entered_ms)
        scores.append((*clock.both(one.at_ms), one.title, one.words, entered, one.by, one.note))
    yield table("Scores", "Time|>Min|What*2|Value*3|Entered|Who|Note*1", scores)
    symptoms = []
    for noted in report.symptoms:
        what = f"{'severe ' if noted.severe else ''}{noted.symptom.value}"
        what += ", an emergency sign" if noted.emergency else ""
        until = clock.until(noted.until_ms, "never marked as over")
        symptoms.append((*clock.both(noted.from_ms), until, what, noted.by, noted.note))
    yield table("Symptoms", "From|>Min|Until|What*1|Who|Note*2", symptoms)
    adverse = []
    for event in report.adverse:
        serious = "yes" if event.serious else "no"
        became = (event.outcome or "not said", event.related or "not said")
        adverse.append((*clock.both(event.at_ms), event.what, serious, *became, event.by))
    yield table("Adverse events", "Time|>Min|What*3|Serious|Outcome*1|Related*1|Who", adverse)
    notes = [(*clock.both(one.at_ms), one.text, one.by) for one in report.notes]
    yield table("Notes", "Time|>Min|Note*1|Who", notes)
    decisions = [
        (*clock.both(one.at_ms), one.title, one.why, one.by, one.role.value, one.screen or "their own")
        for one in report.overrides
    ]
    yield table("Decisions against the profile", "Time|>Min|What*1|Why*2|Who|Role|Screen", decisions)
    corrections = [
        (
            *clock.both(one.at_ms),
            Struck(one.was),
            f"{clock.at(one.was_ms)}, {one.was_by or 'the clock'}",
            one.now or "nothing",
            one.why,
            one.by,
        )
        for one in report.corrections
    ]
    yield table("Corrections", "Time|>Min|Was*2|Entered as of|Is*2|Why*1|Who", corrections)


def _leaving(report: SessionReport, clock: Clock) -> Iterator[Table]:
    rows = [row for item in report.readiness for row in _ready(item, clock)]
    note = "" if report.ready_at_ms is None else f"As it stood at {clock.at(report.ready_at_ms)}."
    empty = "It was not asked: no drug was given, or the therapy is not at hand."
    yield table("Ready to leave", "What*2|Holds|Value*3|>Age|Source", rows, note, empty)
    signed = [
        (clock.at(one.at_ms), one.meaning, one.by, one.role.value, one.screen or "their own")
        for one in report.signatures
    ]
    yield table("Signatures", "Time|Meaning*1|Who|Role|Screen", signed, empty="Nobody has signed.")
    if report.form_due_ms is not None:
        sent = "not yet"
        if report.form_sent_ms is not None:
            sent = f"{clock.at(report.form_sent_ms)} by {report.form_sent_by}: {report.form_sent_how}"
        yield table("Monitoring form", "Due|Sent*1", [(clock.at(report.form_due_ms), sent)])


def _ready(item: ReadyItem, clock: Clock) -> Iterator[tuple[str, ...]]:
    holds = "decided" if item.decided is not None else "yes" if item.holds else "no"
    lines = [
        (said.words, "" if said.age_ms is None else lasting(said.age_ms), said.device or said.by or "")
        for said in item.said
    ]
    lines += [(f"Missing: {words}", "", "") for words in item.missing]
    if item.decided is not None:
        lines.append((_decided(item.decided, clock), "", ""))
    for place, line in enumerate(lines or [("", "", "")]):
        yield ("", "", *line) if place else (item.title, holds, *line)


def _decided(one: Override | None, clock: Clock) -> str:
    if one is None:
        return "nobody has decided"
    return f"{one.by} ({one.role.value}) at {clock.at(one.at_ms)}: {one.why}"


def _source(by: str | None, device: str | None) -> str:
    return f"by hand, {by}" if by else device or "–"


# What was measured, and what was not.


def _of_measuring(report: SessionReport, clock: Clock) -> Iterator[Table]:
    heads = "Measured|>Min|>BP|>Mean|>Pulse|Quality*1|Asked for*1|>Heard after|Source"
    note = "mmHg; a mean in brackets was reckoned from the other two."
    yield table("Cuff readings", heads, [_cuff(one, clock) for one in report.cuffs], note)
    if report.cuffs_missed:
        missed = [
            (*clock.both(one.at_ms), one.asked.value, one.why, one.device) for one in report.cuffs_missed
        ]
        yield table("Cuff readings that did not come", "Time|>Min|Asked for*1|Why*2|Device", missed)
    watched = []
    for one in report.coverage:
        share = f"{100 * one.known_ms / one.watched_ms:.1f} %" if one.watched_ms else "–"
        spans_ms = (one.watched_ms, one.known_ms, one.watched_ms - one.known_ms)
        watched.append((one.vital.label, *map(lasting, spans_ms), share))
    heads = "Vital*1|>Had to be|>Was|>Was not|>Share"
    yield table("Watched continuously", heads, watched, empty="Nothing had to be.")
    gaps = []
    for gap in report.gaps:
        lasted = "" if gap.until_ms is None else lasting(gap.until_ms - gap.from_ms)
        until = clock.until(gap.until_ms, "still")
        gaps.append((*clock.both(gap.from_ms), until, lasted, gap.what, gap.why))
    heads = "From|>Min|Until|>Lasted|What*1|Why*3"
    yield table("Gaps in monitoring", heads, gaps, empty="None of more than 5 s.")
    heads = "|".join(("From", ">Min", *(f">{line.vital.label}*1" for line in report.lines)))
    note = "Lowest, middle and highest value; a dash is no value. Every value is in the CSV and the JSON."
    yield table("Five minutes each", heads, list(_fives(report, clock)), note, "No continuous value is kept.")
    devices = []
    for used in report.devices:
        driver = used.driver or "no longer in the settings"
        times = (clock.at(used.first_ms), clock.at(used.last_ms))
        devices.append((used.device, driver, ", ".join(used.measured), *times, str(used.values)))
    heads = "Device*1|Driver*1|Measured*2|From|Until|>Values"
    yield table("Devices", heads, devices, empty="No device measured this patient.")


def _cuff(one: CuffReading, clock: Clock) -> tuple[str, ...]:
    failed = one.systolic is None
    mean = "" if one.mean is None else f"({figure(one.mean)})" if one.derived_mean else figure(one.mean)
    quality = "failed" if failed else "" if one.quality is Quality.VALID else one.quality.value
    return (
        *clock.both(one.at_ms),
        "–" if failed else f"{figure(one.systolic)}/{figure(one.diastolic)}",
        mean,
        "" if one.pulse is None else figure(one.pulse),
        said(quality, one.why or "", "standing" if one.standing else ""),
        one.asked.value if one.asked is not None else "by hand" if one.by else "by itself",
        lasting(one.heard_ms - one.at_ms),
        _source(one.by, one.device),
    )


def _fives(report: SessionReport, clock: Clock) -> Iterator[tuple[str, ...]]:
    if not report.lines:
        return
    zero_ms = report.opened_ms if report.clocks.start_ms is None else report.clocks.start_ms
    cells: list[dict[int, str]] = []
    for line in report.lines:
        values: dict[int, list[float]] = {}
        for at_ms, value in zip(line.times_ms, line.values, strict=True):
            if value is not None:
                values.setdefault((at_ms - zero_ms) // FIVE_MS, []).append(value)
        cells.append({place: _three(sorted(of)) for place, of in values.items()})
    until_ms = report.made_ms if report.ended_ms is None else report.ended_ms
    for place in range((report.opened_ms - zero_ms) // FIVE_MS, (until_ms - zero_ms) // FIVE_MS + 1):
        at_ms = max(zero_ms + place * FIVE_MS, report.opened_ms)
        yield (*clock.both(at_ms), *(of.get(place, "–") for of in cells))


def _three(values: Sequence[float]) -> str:
    low, middle, high = values[0], values[len(values) // 2], values[-1]
    return figure(low) if low == high else f"{figure(low)} {figure(middle)} {figure(high)}"


# Alarms, limits, and the record itself.


def _of_alarms(report: SessionReport, clock: Clock) -> Iterator[Table]:
    heads = "Raised|>Min|Priority|What*3|Breach|Seen*2|Ended|>Pages"
    yield table("Alarms", heads, [_alarm(one, clock) for one in report.alarms], empty="None was raised.")
    pages = [_page(page, clock) for alarm in report.alarms for page in alarm.pages]
    if pages:
        yield table("Pages", "Time|To|>Step|Text*3|What became of it*3|Answer*2", pages)
    limits = []
    for one in report.limits:
        until = clock.until(one.until_ms, "the end")
        limits.append((clock.at(one.from_ms), until, one.title, figure(one.limit), one.why, one.by))
    yield table("Limits set for this session", "From|Until|Limit*2|>At|Why*3|Who", limits)
    if report.therapy is not None:
        layers = []
        for layer in report.layers:
            until = clock.until(layer.until_ms, "goes on")
            layers.append((*clock.both(layer.from_ms), until, layer.name, "; ".join(layer.changes)))
        title = "Limits of the therapy beside the profile's"
        yield table(title, "From|>Min|Until|For*1|Change*3", layers)
    pauses = []
    for pause in report.pauses:
        what = said(pause.kind.value, pause.vital.label if pause.vital is not None else "")
        times = (clock.at(pause.from_ms), clock.until(pause.until_ms, "still"))
        pauses.append((*times, what, pause.why, pause.by, pause.ended_why))
    yield table("Pauses", "From|Until|What*1|Why*2|Who|Ended*2", pauses)


def _alarm(one: AlarmOf, clock: Clock) -> tuple[str, ...]:
    return (
        *clock.both(one.raised_ms),
        one.priority.name + (", whole clinic" if one.clinic else ", technical" if one.technical else ""),
        said(one.title, one.note, one.device or ""),
        clock.at(one.since_ms),
        "by nobody" if one.acked_ms is None else f"{clock.at(one.acked_ms)} by {one.acked_by}",
        clock.until(one.ended_ms, "not over"),
        str(len(one.pages)),
    )


def _page(page: PageOf, clock: Clock) -> tuple[str, ...]:
    outcomes = []
    for at_ms, way, outcome, why in page.outcomes:
        reason = f" ({why})" if why and outcome is not Outcome.DELIVERED else ""
        outcomes.append(f"{clock.at(at_ms)} {way}: {outcome.value}{reason}")
    answer = "none"
    if page.answer is not None:
        answer = f"{page.answer} at {clock.at(page.answered_ms)} by {page.answered_by}"
    said = "; ".join(outcomes) or "nothing is known"
    return clock.at(page.at_ms), page.to, str(page.step + 1), page.text, said, answer


def _of_the_record(report: SessionReport, clock: Clock) -> Iterator[Table]:
    rows = []
    for one in report.timeline:
        entered = f" (entered {clock.at(one.at_ms)})" if one.at_ms != one.done_ms else ""
        late = " (written late)" if one.late else ""
        words = f"{one.words}{entered}{late}"
        words = Struck(words) if one.struck else words
        rows.append((*clock.both(one.done_ms), words, one.by or "", str(one.seq)))
    yield table("Timeline", "Time|>Min|What*1|Who|>Row", rows)
    chain = report.chain
    made = local(report.zone, report.made_ms).isoformat(timespec="seconds")
    broken = "BROKEN: a row does not follow from the one before"
    record = [
        ("Made", f"{made} by {report.program}, schema {report.schema}"),
        ("Alias", report.alias),
        ("Journal", f"rows {chain.first_seq} to {chain.last_seq}, {chain.rows} of them of this session"),
        ("Chain", "whole: every row follows from the one before" if chain.whole else broken),
        ("Hash of its last row", chain.last_hash),
    ]
    if report.therapy is not None:
        therapy = report.therapy
        record.append(("Therapy", f"{therapy.name}, version {therapy.version}, digest {therapy.digest}"))
    record += [("Not known", words) for words in report.unknown]
    yield table("This record", "What*1|Words*4", record)

"""The monitoring form of a session as data: each field filled from the record, or said to be blank, and why.

The field map (`rems.toml`, with a version) says what the form asks and where each field was read; this room
says what of a report answers it. Every number keeps its source and its age. It is never the official form,
nothing is submitted, and what identifies a patient is never kept: those lines are for a hand to fill.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from monitor.model import Device, Quality, Staff, Vital
from monitor.records.clocks import local
from monitor.records.report import DISCLAIMER, CuffReading, Judged, Line, Number, SessionReport
from monitor.records.shapes import CannotMakeError
from monitor.treatment import Score

SCHEMA = "chairside-rems-1"

NOTICE = "Not the official form. A list to copy from; a person fills in, signs and sends the form itself."

State = Literal["filled", "proposed", "by hand", "missing"]

AWAKE = 5
"""MOAA/S of somebody who is not sedated (protocols.md 7); any drop after the drug counts."""

TWO_HOURS_MIN = 120


@dataclass(frozen=True, slots=True)
class Field:
    """One field with what the record says to it.

    state: "filled" from the record; "proposed": reckoned, for whoever signs to decide; "by hand": never kept
    here, write it in; "missing": it should be in the record and is not, `note` says why.
    """

    name: str
    asks: str
    required: bool
    mark: str
    """Where the field was read (`rems.toml`); "U": hold it against the current form."""
    state: State
    words: str = ""
    value: float | None = None
    second: float | None = None
    unit: str = ""
    at_ms: int | None = None
    age_ms: int | None = None
    """How old the value was when it was taken for this."""
    device: Device | None = None
    by: Staff | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the form. `known` False: its fields could not be read, and are our own guess."""

    title: str
    known: bool
    note: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The whole list for one session."""

    schema: str
    map_version: int
    title: str
    edition: str
    notice: str
    disclaimer: str
    made_ms: int
    zone: str
    session: int
    alias: str
    due_ms: int | None
    sent_ms: int | None
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says to one field; all None and no words: nothing."""

    words: str = ""
    value: float | None = None
    second: float | None = None
    unit: str = ""
    at_ms: int | None = None
    age_ms: int | None = None
    device: Device | None = None
    by: Staff | None = None
    note: str = ""
    proposed: bool = False


@cache
def field_map() -> Mapping[str, Any]:
    """The field map that ships."""
    text = (files("monitor.records") / "rems.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def form(report: SessionReport) -> Form:
    """The filled list; CannotMakeError where this session owes no such form."""
    fields = field_map()
    if report.therapy is None or report.therapy.name not in fields["therapies"]:
        raise CannotMakeError(f"Session {report.session} owes no monitoring form.")
    return Form(
        SCHEMA,
        fields["version"],
        fields["title"],
        fields["edition"],
        NOTICE,
        DISCLAIMER,
        report.made_ms,
        report.zone,
        report.session,
        report.alias,
        report.form_due_ms,
        report.form_sent_ms,
        tuple(
            Section(
                one["title"], one["known"], one["note"], tuple(_field(row, report) for row in one["field"])
            )
            for one in fields["section"]
        ),
    )


def encode(report: SessionReport) -> bytes:
    """The same as JSON, for a screen to copy from."""
    return msgspec.json.encode(form(report))


def _field(row: Mapping[str, Any], report: SessionReport) -> Field:
    blank = Field(row["name"], row["asks"], row.get("required", False), row["mark"], "by hand")
    if row.get("state") == "by hand":
        return blank
    said = FILLS[row["name"]](report)
    state: State = "proposed" if said.proposed else "filled"
    if not said.words:
        state = "missing"
    return replace(
        blank,
        state=state,
        words=said.words,
        value=said.value,
        second=said.second,
        unit=said.unit,
        at_ms=said.at_ms,
        age_ms=said.age_ms,
        device=said.device,
        by=said.by,
        note=said.note,
    )


# What answers each field.


def _answer(question: str) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        for one in report.answers:
            if one.question == question:
                if one.yes is None:
                    return Said(note="It was not answered at check-in.")
                return Said(
                    _yes(one.yes), at_ms=one.at_ms, age_ms=_age(report, one.at_ms), by=one.by, note=one.note
                )
        return Said(note="It was not asked in this session.")

    return said


def _first_treatment(report: SessionReport) -> Said:
    if report.first is None:
        return Said()
    return Said(
        _yes(report.first), at_ms=report.opened_ms, age_ms=_age(report, report.opened_ms), by=report.opened_by
    )


def _enrolled(report: SessionReport) -> Said:
    if report.first is False:
        return Said(
            "not the first treatment",
            at_ms=report.opened_ms,
            age_ms=_age(report, report.opened_ms),
            by=report.opened_by,
        )
    return _answer("enrolled")(report)


def _provider(report: SessionReport) -> Said:
    if not report.signatures:
        return Said(note="Nobody has signed this session.")
    one = report.signatures[-1]
    return Said(f"{one.by}, {one.role.value}", at_ms=one.at_ms, age_ms=_age(report, one.at_ms), by=one.by)


def _setting_name(report: SessionReport) -> Said:
    return Said(report.clinic, note="From the settings.")


def _date(report: SessionReport) -> Said:
    start_ms = report.clocks.start_ms
    if start_ms is None:
        return Said(note="No device was given.")
    by = report.devices_given[0].by if report.devices_given else None
    return Said(_local(report, start_ms, "%Y-%m-%d"), at_ms=start_ms, age_ms=_age(report, start_ms), by=by)


def _dose(report: SessionReport) -> Said:
    given = report.devices_given
    if not given:
        return Said(note="No device was given.")
    mg = len(given) * field_map()["mg_per_device"]
    usual = "" if mg in field_map()["usual_mg"] else "other: "
    last = given[-1]
    words = f"{usual}{mg} mg, {len(given)} {'device' if len(given) == 1 else 'devices'}"
    age_ms = _age(report, last.at_ms)
    return Said(words, mg, unit="mg", at_ms=last.at_ms, age_ms=age_ms, by=last.by, note=last.why)


def _lot(report: SessionReport) -> Said:
    given = report.devices_given
    if not given:
        return Said(note="No device was given.")
    words = "; ".join(f"{one.number}: {one.lot} (expires {one.expires})" for one in given)
    return Said(words, at_ms=given[-1].at_ms, age_ms=_age(report, given[-1].at_ms), by=given[-1].by)


def _total(report: SessionReport) -> Said:
    total_ms = report.clocks.total_ms
    if total_ms is None:
        return Said(note="No device was given.")
    if report.ended_ms is None:
        return Said(note="The session is still open.")
    minutes = total_ms // 60_000
    return Said(f"{minutes} min", minutes, unit="min", at_ms=report.ended_ms, age_ms=0, by=report.ended_by)


def _ready(report: SessionReport) -> Said:
    clocks = report.clocks
    if clocks.ready_first_after_ms is None or clocks.ready_first_ms is None:
        return Said(note="There was no moment at which everything but the time and the signature held.")
    minutes = clocks.ready_first_after_ms // 60_000
    return Said(
        f"{minutes} min", minutes, unit="min", at_ms=clocks.ready_first_ms,
        age_ms=_age(report, clocks.ready_first_ms), proposed=True,
        note="The first minute at which everything on the list but the time and the signature held.",
    )  # fmt: skip


def _acceptable_before(report: SessionReport) -> Said:
    start_ms = report.clocks.start_ms
    if start_ms is None or report.therapy is None or not report.therapy.known:
        return Said(note="The gate before the drug is not known.")
    found = [one for one in report.gate if one.numbers]
    note = "; ".join(
        f"{one.why}{f', decided by {one.decided.by}: {one.decided.why}' if one.decided else ''}"
        for one in found
    )
    return Said(_yes(not found), at_ms=start_ms, age_ms=_age(report, start_ms), note=note, proposed=True)


def _acceptable_end(report: SessionReport) -> Said:
    asked = [one for one in report.readiness if one.name in {"pressure", "breathing"}]
    if not asked or report.ended_ms is None:
        return Said(note="The list before leaving is not known.")
    missing = "; ".join(words for one in asked for words in one.missing)
    return Said(
        _yes(not missing), at_ms=report.ready_at_ms, age_ms=_age(report, report.ready_at_ms), note=missing,
        proposed=True,
    )  # fmt: skip


def _pressure(name: str) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        for one in report.pressures:
            if one.name == name:
                if one.number is None:
                    return Said(note=one.instead or "It was not measured.")
                return _number(one.number, _doubt(one.reading))
        return Said(note="It is not part of this therapy.")

    return said


def _doubt(reading: CuffReading | None) -> str:
    if reading is None or reading.quality is Quality.VALID:
        return ""
    return f"The reading is {reading.quality.value}: {reading.why or 'no reason given'}."


def _spo2_before(report: SessionReport) -> Said:
    numbers: Sequence[Number] = report.baseline.numbers if report.baseline is not None else ()
    found = next((one for one in numbers if one.name == Vital.SPO2.value), None)
    return Said(note="No baseline of it.") if found is None else _number(found)


def _lowest(vital: Vital) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        values = _during(report, vital)
        if not values:
            return Said(note="No value since the drug is kept.")
        value, at_ms = min(values)
        return _measured(report, vital, value, at_ms)

    return said


def _spo2_end(report: SessionReport) -> Said:
    values = _during(report, Vital.SPO2)
    if not values:
        return Said(note="No value since the drug is kept.")
    value, at_ms = max(values, key=lambda one: one[1])
    return _measured(report, Vital.SPO2, value, at_ms)


def _during(report: SessionReport, vital: Vital) -> list[tuple[float, int]]:
    """The valid values from the start of the drug on, each with its time."""
    line = _line(report, vital)
    if line is None or report.clocks.start_ms is None:
        return []
    return [
        (value, at_ms)
        for value, at_ms, quality in zip(line.values, line.times_ms, line.qualities, strict=True)
        if value is not None and quality is Quality.VALID and at_ms >= report.clocks.start_ms
    ]


def _measured(report: SessionReport, vital: Vital, value: float, at_ms: int) -> Said:
    line = _line(report, vital)
    device = None
    for since_ms, name in line.sources if line is not None else ():
        device = name if since_ms <= at_ms else device
    note = "" if device is not None else "Taken by hand."
    words = f"{value:g} {'%' if vital is Vital.SPO2 else '/min'}"
    return Said(
        words, value, unit=vital.unit, at_ms=at_ms, age_ms=_age(report, at_ms), device=device, note=note
    )


def _line(report: SessionReport, vital: Vital) -> Line | None:
    return next((line for line in report.lines if line.vital is vital), None)


@dataclass(frozen=True, slots=True)
class _Episode:
    """When staff first saw it after the drug, and when they first saw that it had gone for good."""

    asked: bool
    first: Judged | None
    over: Judged | None


def _episode(report: SessionReport, score: Score) -> _Episode:
    start_ms = report.clocks.start_ms
    made = [
        one for one in report.scores if one.score is score and start_ms is not None and one.at_ms >= start_ms
    ]

    def there(one: Judged) -> bool:
        return one.value < AWAKE if score is Score.MOAAS else one.value > 0

    seen = [one for one in made if there(one)]
    if not seen:
        return _Episode(asked=bool(made), first=None, over=None)
    over = [one for one in made if one.at_ms > seen[-1].at_ms and not there(one)]
    return _Episode(asked=True, first=seen[0], over=over[0] if over else None)


def _occurred(score: Score) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        found = _episode(report, score)
        if not found.asked:
            return Said(note="It was not judged after the drug.")
        if found.first is None:
            return Said("no", note="By every judgement after the drug.")
        return _judged(report, found.first, "yes")

    return said


def _minutes(score: Score, *, over: bool) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        found = _episode(report, score)
        if found.first is None:
            return Said("–", note="It did not occur.") if found.asked else Said(note="It was not judged.")
        one = found.over if over else found.first
        if one is None or report.clocks.start_ms is None:
            return Said(note="It was still there at the last judgement.")
        minutes = (one.at_ms - report.clocks.start_ms) // 60_000
        note = "When staff first saw it; it may have begun or ended earlier."
        return replace(
            _judged(report, one, f"{minutes} min"), value=minutes, unit="min", note=note, proposed=True
        )

    return said


def _within_two_hours(score: Score) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        found = _episode(report, score)
        if found.first is None:
            return Said("–", note="It did not occur.") if found.asked else Said(note="It was not judged.")
        if found.over is None or report.clocks.start_ms is None:
            return Said(note="It was still there at the last judgement.")
        minutes = (found.over.at_ms - report.clocks.start_ms) / 60_000
        return replace(_judged(report, found.over, _yes(minutes <= TWO_HOURS_MIN)), proposed=True)

    return said


def _judged(report: SessionReport, one: Judged, words: str) -> Said:
    return Said(
        words, at_ms=one.at_ms, age_ms=_age(report, one.at_ms), by=one.by, note=f"{one.title}: {one.words}"
    )


def _sae(report: SessionReport) -> Said:
    serious = [one for one in report.adverse if one.serious]
    if not serious:
        other = len(report.adverse)
        note = f"Adverse events that are not serious: {other}." if other else "No adverse event is recorded."
        return Said("no", note=note, proposed=True)
    one = serious[0]
    return Said("yes", at_ms=one.at_ms, age_ms=_age(report, one.at_ms), by=one.by, proposed=True)


def _sae_words(what: Literal["what", "outcome", "related"]) -> Callable[[SessionReport], Said]:
    def said(report: SessionReport) -> Said:
        serious = [one for one in report.adverse if one.serious]
        if not serious:
            return Said("–", note="None is recorded.")
        words = "; ".join(
            {"what": one.what, "outcome": one.outcome, "related": one.related}[what] for one in serious
        )
        one = serious[-1]
        return Said(words, at_ms=one.at_ms, age_ms=_age(report, one.at_ms), by=one.by)

    return said


def _due(report: SessionReport) -> Said:
    if report.form_due_ms is None:
        return Said(note="No form is owed.")
    return Said(_local(report, report.form_due_ms, "%Y-%m-%d %H:%M"))


def _sent(report: SessionReport) -> Said:
    if report.form_sent_ms is None:
        return Said("not yet")
    return Said(
        f"{_local(report, report.form_sent_ms, '%Y-%m-%d %H:%M')}, {report.form_sent_how}",
        at_ms=report.form_sent_ms, age_ms=0, by=report.form_sent_by,
    )  # fmt: skip


FILLS: Mapping[str, Callable[[SessionReport], Said]] = {
    "first_treatment": _first_treatment,
    "enrolled": _enrolled,
    "benzodiazepines": _answer("benzodiazepines"),
    "sedative_hypnotics": _answer("sedative_hypnotics"),
    "stimulants": _answer("stimulants"),
    "maoi": _answer("maoi"),
    "opioids": _answer("opioids"),
    "other_medicines": _answer("other_medicines"),
    "provider": _provider,
    "setting_name": _setting_name,
    "treatment_date": _date,
    "dose": _dose,
    "lot": _lot,
    "total_min": _total,
    "ready_min": _ready,
    "acceptable_before": _acceptable_before,
    "acceptable_end": _acceptable_end,
    "bp_before": _pressure("before"),
    "bp_40": _pressure("check_40"),
    "bp_end": _pressure("final"),
    "spo2_before": _spo2_before,
    "spo2_lowest": _lowest(Vital.SPO2),
    "spo2_end": _spo2_end,
    "rr_lowest": _lowest(Vital.RESPIRATION),
    "sedation": _occurred(Score.MOAAS),
    "sedation_onset": _minutes(Score.MOAAS, over=False),
    "sedation_over": _minutes(Score.MOAAS, over=True),
    "sedation_2h": _within_two_hours(Score.MOAAS),
    "dissociation": _occurred(Score.DISSOCIATION),
    "dissociation_onset": _minutes(Score.DISSOCIATION, over=False),
    "dissociation_over": _minutes(Score.DISSOCIATION, over=True),
    "dissociation_2h": _within_two_hours(Score.DISSOCIATION),
    "sae": _sae,
    "sae_what": _sae_words("what"),
    "sae_outcome": _sae_words("outcome"),
    "sae_related": _sae_words("related"),
    "due": _due,
    "sent": _sent,
}
"""Every field of the map that is not left for a hand; a test holds the two together."""


def _number(one: Number, note: str = "") -> Said:
    return Said(one.words, one.value, one.second, one.unit, one.at_ms, one.age_ms, one.device, one.by, note)


def _age(report: SessionReport, at_ms: int | None) -> int | None:
    """How old it was when the session was over; of an open one, when the list was made."""
    until_ms = report.made_ms if report.ended_ms is None else report.ended_ms
    return None if at_ms is None else max(until_ms - at_ms, 0)


def _yes(is_so: bool) -> str:  # noqa: FBT001  the answer itself
    return "yes" if is_so else "no"


def _local(report: SessionReport, at_ms: int, pattern: str) -> str:
    return local(report.zone, at_ms).strftime(pattern)

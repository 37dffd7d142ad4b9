"""The shapes in which a session's record leaves the clinic: by name, with media type and file ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.records.report import SessionReport


class CannotMakeError(Exception):
    """This shape cannot be made here; the text says what is missing, and what to do."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: what it is called outside, how its file ends, and what makes it of a report."""

    media_type: str
    ending: str
    make: Callable[[SessionReport], bytes]


def _json(report: SessionReport) -> bytes:
    from monitor.records.as_json import encode

    return encode(report)


def _csv(report: SessionReport) -> bytes:
    from monitor.records.as_csv import long_form

    return long_form(report)


def _trends(report: SessionReport) -> bytes:
    from monitor.records.as_csv import trends

    return trends(report)


def _pdf(report: SessionReport) -> bytes:
    from monitor.records.as_pdf import session

    return session(report)


def _rems(report: SessionReport) -> bytes:
    from monitor.records.rems import encode

    return encode(report)


def _rems_pdf(report: SessionReport) -> bytes:
    from monitor.records.as_pdf import rems

    return rems(report)


def _fhir(report: SessionReport) -> bytes:
    from monitor.records.fhir import bundle

    return bundle(report)


def _hl7(report: SessionReport) -> bytes:
    from monitor.records.hl7_out import session_file

    return session_file(report)


SHAPES: Mapping[str, Shape] = {
    "pdf": Shape("application/pdf", ".pdf", _pdf),
    "json": Shape("application/json", ".json", _json),
    "csv": Shape("text/csv; charset=utf-8", ".csv", _csv),
    "trends": Shape("text/csv; charset=utf-8", ".trends.csv", _trends),
    "fhir": Shape("application/fhir+json", ".fhir.json", _fhir),
    "hl7": Shape("x-application/hl7-v2+er7", ".hl7", _hl7),
    "rems": Shape("application/json", ".rems.json", _rems),
    "rems-pdf": Shape("application/pdf", ".rems.pdf", _rems_pdf),
}

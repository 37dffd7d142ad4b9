"""A session's record as pages: the summary on one, then every table; and the form's list. Set by typst.

What staff typed goes to the page as data and never as markup, in characters that the page's own fonts have
(`printed.py`). No font, file or picture of the machine is used: the same record is the same page everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

import msgspec
import structlog

from monitor.records.clocks import local
from monitor.records.details import tables
from monitor.records.printed import lasting, printable
from monitor.records.rems import Field, form
from monitor.records.report import DISCLAIMER, SessionReport
from monitor.records.shapes import CannotMakeError
from monitor.records.summary import summary

log = structlog.get_logger(__name__)

LETTER = ("America/", "US/", "Canada/", "Pacific/Honolulu")
"""Zones in which paper is of the size "letter"; elsewhere it is A4."""


def session(report: SessionReport) -> bytes:
    """The record as a PDF; CannotMakeError where the typesetter is not installed or fails."""
    return _set("session.typ", {"summary": summary(report), "tables": tables(report)}, report)


def rems(report: SessionReport) -> bytes:
    """The form's list as a PDF; CannotMakeError where no form is owed, or as in `session`."""
    made = form(report)
    sections = [
        {
            "title": one.title,
            "known": one.known,
            "note": printable(one.note),
            "fields": [_field(field, report) for field in one.fields],
        }
        for one in made.sections
    ]
    told = {
        "title": made.title,
        "notice": made.notice,
        "edition": made.edition,
        "version": made.map_version,
        "alias": printable(made.alias, 200),
        "session": made.session,
        "date": local(report.zone, report.opened_ms).strftime("%A %-d %B %Y"),
        "sections": sections,
    }
    return _set("rems.typ", told, report)


def _field(field: Field, report: SessionReport) -> dict[str, Any]:
    source = (
        f"by hand, {field.by}" if field.by and field.value is not None else field.device or field.by or ""
    )
    when = "" if field.at_ms is None else local(report.zone, field.at_ms).strftime("%H:%M:%S")
    age = "" if field.age_ms is None else f"{lasting(field.age_ms)} old"
    return {
        "asks": field.asks,
        "required": field.required,
        "mark": field.mark,
        "state": field.state,
        "words": printable(field.words, 2_000),
        "source": printable(", ".join(one for one in (source, when, age) if one)),
        "note": printable(field.note, 2_000),
    }


def _set(template: str, told: Mapping[str, Any], report: SessionReport) -> bytes:
    """Set one page description with one template."""
    try:
        import typst
    except ImportError:
        raise CannotMakeError('A PDF needs the extra [report]: pip install "chairside[report]".') from None
    made = f"{local(report.zone, report.made_ms):%Y-%m-%d %H:%M:%S %Z}"
    chain = report.chain.last_hash[:12]
    data = {
        **told,
        "paper": "us-letter" if report.zone.startswith(LETTER) else "a4",
        "disclaimer": DISCLAIMER,
        "foot": printable(f"{report.clinic} · session {report.session} · made {made} · chain {chain}", 200),
    }
    try:
        with as_file(files("monitor.records") / "typst") as folder:
            page = typst.compile(
                str(folder / template),
                root=str(folder),
                ignore_system_fonts=True,
                sys_inputs={"data": msgspec.json.encode(data).decode()},
                timestamp=report.made_ms // 1_000,
            )
    except typst.TypstError as error:
        log.exception("page not set", template=template, error=str(error))
        raise CannotMakeError(f"The page of session {report.session} could not be set: {error}.") from None
    except BaseException as error:
        # A panic of the typesetter is no Exception; it says nothing of us, and must not end a service.
        if type(error).__name__ != "PanicException":
            raise
        log.exception("page not set", template=template, error=str(error))
        raise CannotMakeError(f"The page of session {report.session} could not be set: {error}.") from None
    if not isinstance(page, bytes):
        raise CannotMakeError(f"The page of session {report.session} came in parts.")
    return page

"""GET of one session's record, in each of its shapes. Somebody else makes them; every look is in the log."""

from __future__ import annotations

from enum import StrEnum

import structlog
from starlette.responses import Response

from monitor.api.asked import AskedBy, House, InHouse
from monitor.api.bodies import Number
from monitor.api.problems import Problem
from monitor.api.signin import Asker

_log = structlog.get_logger(__name__)


class ReportFile(StrEnum):
    """How the file of a record ends."""

    PDF = "pdf"
    JSON = "json"
    CSV = "csv"
    TRENDS = "trends.csv"
    FHIR = "fhir.json"
    HL7 = "hl7"


class FormFile(StrEnum):
    """How the file of the form's fields ends."""

    JSON = "json"
    PDF = "pdf"


REPORTS = {
    ReportFile.PDF: "pdf",
    ReportFile.JSON: "json",
    ReportFile.CSV: "csv",
    ReportFile.TRENDS: "trends",
    ReportFile.FHIR: "fhir",
    ReportFile.HL7: "hl7",
}
FORMS = {FormFile.JSON: "rems", FormFile.PDF: "rems-pdf"}
"""What whoever makes them calls each shape."""


async def report(session: Number, file: ReportFile, house: InHouse, asker: AskedBy) -> Response:
    """The record of one session, open or closed: to read (pdf), to keep (json, csv, trends.csv), to pass on."""
    return await _made(session, REPORTS[file], f"session-{session}.{file.value}", house, asker)


async def form(session: Number, file: FormFile, house: InHouse, asker: AskedBy) -> Response:
    """The fields of the monitoring form of one session, to copy from: not the official form."""
    return await _made(session, FORMS[file], f"session-{session}-form.{file.value}", house, asker)


async def _made(session: int, shape: str, name: str, house: House, asker: Asker) -> Response:
    made = await house.doors.report(session, shape)
    if made is None:
        raise Problem(404, "There is no such session.")
    if isinstance(made, str):
        raise Problem(409, made)
    _log.info("a record was looked at", session=session, shape=shape, by=asker.name)
    given = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(made.data, headers=given, media_type=made.media_type)

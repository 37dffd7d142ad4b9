"""Sessions that are kept: their records, earlier ones of a patient, and what-if. Somebody else makes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import structlog
from fastapi import Query
from starlette.responses import Response

from monitor.api.asked import AskedBy, House, InHouse, answer
from monitor.api.bodies import Number, WhatIfBody
from monitor.api.problems import Problem
from monitor.api.signin import Asker
from monitor.api.views.answers import what_if_shown

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
WEEKS = 8
WEEKS_MAX = 53
"""How many weeks are shown, and how many may be asked for: a year."""

FORMS = {FormFile.JSON: "rems", FormFile.PDF: "rems-pdf"}
"""What whoever makes them calls each shape."""


async def report(session: Number, file: ReportFile, house: InHouse, asker: AskedBy) -> Response:
    """The record of one session, open or closed: to read (pdf), to keep (json, csv, trends.csv), to send."""
    return await _made(session, REPORTS[file], f"session-{session}.{file.value}", house, asker)


async def form(session: Number, file: FormFile, house: InHouse, asker: AskedBy) -> Response:
    """The fields of the monitoring form of one session, to copy from: not the official form."""
    return await _made(session, FORMS[file], f"session-{session}-form.{file.value}", house, asker)


async def series(session: Number, house: InHouse, asker: AskedBy) -> Response:
    """Earlier treatments of the same alias, as traces since the drug; what the pressure did each time."""
    found = await house.doors.archive.series(session)
    if found is None:
        raise Problem(404, "There is no such session.")
    if isinstance(found, str):
        raise Problem(409, found)
    _log.info("earlier sessions were looked at", session=session, by=asker.name)
    return answer(found)


async def numbers(
    house: InHouse, asker: AskedBy, weeks: Annotated[int, Query(ge=1, le=WEEKS_MAX)] = WEEKS
) -> Response:
    """How often alarms came in the last weeks, what became of them, and the budget. Of no patient."""
    found = await house.doors.archive.numbers(weeks)
    if isinstance(found, str):
        raise Problem(409, found)
    _log.info("the numbers of the alarms were looked at", weeks=weeks, by=asker.name)
    return answer(found)


async def what_if(body: WhatIfBody, house: InHouse, asker: AskedBy) -> Response:
    """Stored sessions judged again under the limits as set, and beside them as proposed. Changes nothing."""
    lines = await house.doors.archive.what_if(body.sessions, body.last, body.weeks, body.limits, body.layers)
    if lines is None:
        raise Problem(404, "There is no such session.")
    if isinstance(lines, str):
        raise Problem(409, lines)
    _log.info("limits were tried on stored sessions", sessions=len(lines) - 1, by=asker.name)
    return answer(what_if_shown(lines))


async def _made(session: int, shape: str, name: str, house: House, asker: Asker) -> Response:
    made = await house.doors.archive.report(session, shape)
    if made is None:
        raise Problem(404, "There is no such session.")
    if isinstance(made, str):
        raise Problem(409, made)
    _log.info("a record was looked at", session=session, shape=shape, by=asker.name)
    given = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(made.data, headers=given, media_type=made.media_type)

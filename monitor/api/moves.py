"""POST of a session and of its moves: HTTP in, one act of its session out. What follows is not for here."""

from __future__ import annotations

from typing import assert_never

from fastapi import Request
from starlette.responses import Response

from monitor.api.acts import UNSTAMPED, done, prove, submit
from monitor.api.asked import AskedBy, House, InHouse, answer, the_bed
from monitor.api.bodies import Number, OpeningBody, SessionBody, SignInBody, TreatmentBody
from monitor.api.move_bodies import (
    AdverseEventBody,
    AnswerBody,
    BaselineRestartBody,
    CheckDoneBody,
    CorrectBody,
    DeviceBody,
    DoseBody,
    FlagBody,
    FormSentBody,
    MoveBody,
    NoteBody,
    OverrideBody,
    ScoreBody,
    SignBody,
    StepBody,
    SymptomBody,
)
from monitor.api.problems import FieldShown, Problem
from monitor.api.signin import Asker
from monitor.api.views import answers
from monitor.model import Admitted, Baseline, Bed, Discharged, SessionMoved, Staff
from monitor.people import CLINICAL, Account
from monitor.treatment import (
    KINDS,
    Act,
    AdverseEvent,
    Answered,
    BaselineRestarted,
    CheckSaved,
    Correctable,
    Corrected,
    DeviceGiven,
    DoseChecked,
    FlagSet,
    FormSent,
    Overridden,
    Scored,
    Signed,
    Stepped,
    SymptomNoted,
    TreatmentNote,
    TreatmentOpened,
)

MOVES = {kind: move for move, kind in KINDS.items()}


async def open_session(body: OpeningBody, house: InHouse, asker: AskedBy) -> Response:
    """Open a session on a bed: a treatment where a therapy is named, else a plain watch."""
    the_bed(house.doors.read(), body.bed)
    opening = _treatment(body, house, asker) if isinstance(body, TreatmentBody) else _watch(body, asker)
    taken = await submit(house, opening)
    opened = [event.session for event in taken.events if isinstance(event, SessionMoved)]
    return answer(answers.DoneShown(taken.recorded, session=opened[0] if opened else None), 201)


async def move_session(
    session: Number, body: MoveBody, request: Request, house: InHouse, asker: AskedBy
) -> Response:
    """One move of a session, of any kind; a refused one answers 409 with what is missing, a line each."""
    snapshot = house.doors.read()
    here = next((bed for bed in snapshot.beds if bed.session and bed.session.session == session), None)
    owing = any(each.session == session for each in snapshot.owing)
    if here is None and not owing:
        over = any(each.session == session for each in snapshot.closed)
        raise Problem(409, "This session is closed.") if over else Problem(404, "There is no such session.")
    if here is not None and here.treatment is None:
        if not isinstance(body, StepBody) or body.kind != "close":
            raise Problem(409, "This is a plain watch: it can be closed, and nothing else.")
        return done(await submit(house, Discharged(UNSTAMPED, session, asker.name, body.why)))
    return done(await submit(house, await _act(session, body, request, house, asker)))


def _watch(body: SessionBody, asker: Asker) -> Admitted:
    return Admitted(
        at_ms=UNSTAMPED,
        bed=Bed(body.bed),
        alias=body.alias,
        baseline=Baseline(
            systolic=body.baseline.systolic_mmhg,
            diastolic=body.baseline.diastolic_mmhg,
            heart_rate=body.baseline.heart_rate_per_min,
            spo2=body.baseline.spo2_percent,
            respiration=body.baseline.respiration_per_min,
        ),
        profile=body.profile,
        cuff_interval_ms=None if body.cuff_interval_s is None else body.cuff_interval_s * 1000,
        by=asker.name,
    )


def _treatment(body: TreatmentBody, house: House, asker: Asker) -> TreatmentOpened:
    therapies = {therapy.therapy: therapy for therapy in house.doors.read().therapies}
    therapy = therapies.get(body.therapy)
    if therapy is None:
        raise Problem(409, f"There is no therapy {body.therapy} here.")
    return TreatmentOpened(
        at_ms=UNSTAMPED,
        session=UNNUMBERED,
        bed=Bed(body.bed),
        alias=body.alias,
        therapy=therapy.therapy,
        version=therapy.version,
        digest=therapy.digest,
        age_years=body.age_years,
        devices=body.devices,
        first=body.first,
        by=asker.name,
        role=asker.role,
    )


UNNUMBERED = 0
"""The session of a `TreatmentOpened` on its way in: the ward gives it its number."""


async def _act(  # noqa: C901, PLR0911  a line a kind of move, and none forgotten
    session: int, body: MoveBody, request: Request, house: House, asker: Asker
) -> Act:
    by, at_ms = asker.name, UNSTAMPED
    match body:
        case StepBody():
            move = MOVES[body.kind]
            return Stepped(at_ms, session, move, _ago(body.minutes_ago), by, asker.role, body.why)
        case AnswerBody():
            return Answered(at_ms, session, body.question, body.yes, body.note, by)
        case FlagBody():
            return FlagSet(at_ms, session, body.flag, body.on, body.why, by, asker.role)
        case BaselineRestartBody():
            return BaselineRestarted(at_ms, session, body.why, by)
        case DoseBody():
            second = await _proven(body.second, "second", request, house)
            return DoseChecked(
                at_ms, session, body.weight_kg, body.dose_mg_per_kg, body.concentration_mg_per_ml,
                body.rate_ml_per_h, body.why, by, second.name,
            )  # fmt: skip
        case DeviceBody() | ScoreBody() | SymptomBody() | AdverseEventBody() | NoteBody():
            return _entry(session, body, by)
        case CorrectBody():
            instead = None if body.instead is None else _entry(session, body.instead, by)
            return Corrected(at_ms, session, body.entry, instead, body.why, by)
        case CheckDoneBody():
            return CheckSaved(at_ms, session, body.check, by)
        case OverrideBody():
            who = await _proven(body.by, "by", request, house)
            screen = await _screen(request, house)
            return Overridden(at_ms, session, body.what, body.why, who.name, who.role, screen)
        case SignBody():
            who = await _proven(body.by, "by", request, house)
            return Signed(at_ms, session, body.meaning, who.name, who.role, await _screen(request, house))
        case FormSentBody():
            return FormSent(at_ms, session, body.how, by)
        case _:
            assert_never(body)


def _entry(
    session: int, body: DeviceBody | ScoreBody | SymptomBody | AdverseEventBody | NoteBody, by: Staff
) -> Correctable:
    """What one person enters by itself, and may correct."""
    at_ms = UNSTAMPED
    match body:
        case DeviceBody():
            done_at_ms = _ago(body.minutes_ago)
            return DeviceGiven(
                at_ms, session, body.number, body.lot, body.expires, body.last, done_at_ms, by, body.why
            )
        case ScoreBody():
            done_at_ms = _ago(body.minutes_ago)
            return Scored(at_ms, session, body.score, body.value, done_at_ms, by, body.note)
        case SymptomBody():
            done_at_ms = _ago(body.minutes_ago)
            return SymptomNoted(
                at_ms, session, body.symptom, body.severe, body.over, done_at_ms, by, body.note
            )
        case AdverseEventBody():
            return AdverseEvent(at_ms, session, body.what, body.serious, body.outcome, body.related, by)
        case NoteBody():
            return TreatmentNote(at_ms, session, body.text, by)
        case _:
            assert_never(body)


def _ago(minutes: float) -> int:
    """When it was done, as so long before the stamp that the act is given when its turn comes."""
    return UNSTAMPED - round(minutes * 60_000)


async def _screen(request: Request, house: House) -> str | None:
    """The paired screen at which somebody decides or signs; None for a browser of their own."""
    screen = await house.sign_ins.screen(request)
    return None if screen is None else screen.name


async def _proven(body: SignInBody, field: str, request: Request, house: House) -> Account:
    """Whoever puts a name under this besides, or instead of, who is signed in: proved at this very moment.

    A wrong secret counts as it does at a sign-in. It is no 401, for whoever asks is signed in all the same.
    """
    try:
        account = await prove(body, request, house)
    except Problem as problem:
        if problem.status != 401:
            raise
        raise Problem(403, problem.detail, errors=[FieldShown(field, problem.detail)]) from None
    if account.role not in CLINICAL:
        raise Problem(403, f"{account.display} is not one of those at the bedside.")
    return account

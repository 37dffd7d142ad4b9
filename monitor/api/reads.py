"""GET: the ward as it stands. Nothing here changes anything."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import structlog
from fastapi import Header, Query, Request
from starlette.responses import Response

from monitor.api.asked import AskedBy, House, InHouse, answer, hears, home_of, sees_names, the_bed
from monitor.api.bodies import NAME, BedName, Number
from monitor.api.hub import LiveStream, View
from monitor.api.problems import Problem
from monitor.api.signin import Asker
from monitor.api.views import answers, records, shapes
from monitor.model import AlarmState
from monitor.people import Role, TokenKind
from monitor.snapshot import SessionNow, Snapshot

TREND_SPAN_MS = 30 * 60_000
"""What a trend covers unless asked otherwise: the half hour of the tile's trace."""
POINTS_MAX = 2000
"""More points than a screen has columns."""
AT_MS_MAX = 2**53
ALARMS_MAX = 500
"""More than anybody reads; what the ward keeps of a bed is no more."""

WATCHED = "watch"
"""What is asked for as the therapy of a session that has none."""


class SessionState(StrEnum):
    """Which sessions are asked for."""

    OPEN = "open"
    CLOSED = "closed"


_log = structlog.get_logger(__name__)

Instant = Annotated[int | None, Query(ge=0, le=AT_MS_MAX)]
WantedBed = Annotated[str | None, Query(pattern=NAME)]
WantedTherapy = Annotated[str | None, Query(pattern=NAME)]
Limit = Annotated[int, Query(ge=1, le=ALARMS_MAX)]
Points = Annotated[int, Query(ge=2, le=POINTS_MAX)]


async def status(house: InHouse) -> Response:
    """Version, uptime, beds, links, recording, paging, loop lag and journal position."""
    doors = house.doors
    now, snapshot, settings = doors.status(), doors.read(), doors.settings
    at_ms = doors.now_ms()
    return answer(
        answers.StatusShown(
            name=settings.name,
            zone=settings.zone,
            version=settings.version,
            start=house.hub.start,
            at_ms=at_ms,
            started_at_ms=now.started_at_ms,
            uptime_ms=max(0, at_ms - now.started_at_ms),
            speed=settings.speed,
            insecure_lan=settings.insecure_lan,
            ready=now.ready,
            recording=now.recording,
            recording_why=now.recording_why,
            paging=now.paging,
            paging_why=now.paging_why,
            loop_lag_ms=now.loop_lag_ms,
            turn_age_ms=now.turn_age_ms,
            journal_seq=now.journal_seq,
            journal_head=now.journal_head,
            streams=house.hub.listeners,
            beds=[bed.bed for bed in snapshot.beds],
            links=[records.link_shown(link) for link in snapshot.links],
            parts=[records.part_shown(part) for part in snapshot.parts],
            sounds=[records.sound_shown(sound) for sound in snapshot.sounds],
        )
    )


async def beds(house: InHouse, asker: AskedBy) -> Response:
    """Every bed's tile."""
    snapshot = house.doors.read()
    tiles = [answers.tile_shown(snapshot, bed, names=sees_names(asker)) for bed in snapshot.beds]
    return answer(answers.BedsShown(snapshot.at_ms, tiles))


async def bed(bed: BedName, house: InHouse, asker: AskedBy) -> Response:
    """One bed's tile."""
    snapshot = house.doors.read()
    tile = answers.tile_shown(snapshot, the_bed(snapshot, bed), names=sees_names(asker))
    _log.info("a bed was looked at", bed=bed, by=asker.name)
    return answer(tile)


async def trend(
    bed: BedName, house: InHouse, from_ms: Instant = None, to_ms: Instant = None, points: Points = 300
) -> Response:
    """Vitals over time, minima and maxima kept, cuff readings apart; nothing from before its session."""
    snapshot = house.doors.read()
    session = the_bed(snapshot, bed).session
    if session is None:
        # Whatever was measured on this bed before belongs to nobody who is here now (F41).
        raise Problem(404, "No session is open on this bed.")
    now_ms = house.doors.now_ms()
    until_ms = min(to_ms if to_ms is not None else now_ms, now_ms)
    # The trends know no session: of the very millisecond of a change of patients nobody can say whose it is.
    changed = any(
        last.bed == session.bed and last.closed_at_ms == session.opened_at_ms for last in snapshot.closed
    )
    since_ms = max(
        from_ms if from_ms is not None else until_ms - TREND_SPAN_MS, session.opened_at_ms + changed
    )
    until_ms = max(until_ms, since_ms)
    kept = await house.doors.history.trend(session.bed, since_ms, until_ms, points)
    return answer(answers.trend_shown(session.bed, since_ms, until_ms, kept))


async def sessions(
    house: InHouse,
    *,
    state: Annotated[SessionState | None, Query()] = None,
    bed: WantedBed = None,
    therapy: WantedTherapy = None,
    alias: Annotated[str | None, Query(max_length=40)] = None,
    owing: Annotated[bool, Query()] = False,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Limit = 200,
) -> Response:
    """Sessions, newest first, closed ones too, or those asked for; `owing`: a form is owed of them."""
    snapshot = house.doors.read()
    owed = {each.session for each in snapshot.owing}
    found = [
        each
        for each in _sessions(snapshot)
        if (state is None or (each.closed_at_ms is None) == (state is SessionState.OPEN))
        and bed in {None, each.bed}
        and therapy in {None, each.treatment.therapy if each.treatment else WATCHED}
        and alias in {None, each.alias}
        and (each.session in owed or not owing)
        and (before is None or each.session < before)
    ]
    found.sort(key=lambda each: -each.session)
    shown = [records.session_shown(each) for each in found[:limit]]
    return answer(answers.SessionsShown(shown, more=len(found) > limit))


async def session(session: Number, house: InHouse, asker: AskedBy) -> Response:
    """One session, with all of its treatment while its patient is here or something is owed of it."""
    snapshot = house.doors.read()
    treatments = [*(bed.treatment for bed in snapshot.beds), *snapshot.owing]
    now = next((each for each in treatments if each is not None and each.session == session), None)
    for each in _sessions(snapshot):
        if each.session == session:
            _log.info("a session was looked at", session=session, by=asker.name)
            return answer(answers.session_whole(each, now))
    raise Problem(404, "There is no such session.")


async def therapies(house: InHouse) -> Response:
    """What a session can be opened with, and why not."""
    return answer(answers.TherapiesShown(list(house.doors.read().therapies)))


async def alarms(
    house: InHouse, state: AlarmState | None = None, bed: WantedBed = None, limit: Limit = 200
) -> Response:
    """All alarms that are not clear, worst first; with `state=clear` those that are over, newest first."""
    snapshot = house.doors.read()
    wanted = None if bed is None else the_bed(snapshot, bed).bed
    return answer(answers.alarms_shown(snapshot, state, wanted, limit))


async def pages(house: InHouse) -> Response:
    """Pages, newest first."""
    snapshot = house.doors.read()
    newest_first = sorted(records.pages_of_now(snapshot), key=lambda page: -page.page_id)
    return answer(answers.PagesShown(snapshot.at_ms, [records.page_shown(page) for page in newest_first]))


async def duty(house: InHouse) -> Response:
    """Who is on duty, who has which bed, and at how many of them the drug is at its strongest."""
    return answer(answers.duty_load_shown(house.doors.read()))


async def me(request: Request, house: InHouse, asker: AskedBy) -> Response:
    """Who is asking. A person's asking also says that somebody is there: it puts off the idle end."""
    settings = house.doors.settings
    paired = await house.sign_ins.screen(request)
    idle_ms = {TokenKind.PIN: settings.idle_pin_ms, TokenKind.PASSWORD: settings.idle_password_ms}
    return answer(
        answers.MeShown(
            name=asker.name,
            display=asker.display,
            role=asker.role.value,
            screen=asker.screen,
            ends_at_ms=asker.ends_at_ms,
            idle_ms=idle_ms.get(asker.kind),
            home=home_of(asker.role, paired=paired is not None),
            hears=hears(house, paired),
        )
    )


async def screens(house: InHouse) -> Response:
    """All paired screens."""
    found = await house.sign_ins.screens()
    return answer(
        answers.ScreensShown([answers.ScreenShown(token.name, token.created_at_ms) for token in found])
    )


async def live(
    request: Request,
    house: InHouse,
    asker: AskedBy,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Server-sent events: a snapshot, then what each turn changes, and a beat every second."""
    view = View.STAFF if sees_names(asker) else View.DISPLAY
    mark = house.hub.mark(f"{view.value} {asker.kind.value} {asker.name}")
    staff = await _staff(house)
    listener = house.hub.open(
        view,
        mark,
        asker.sign_in,
        last_event_id,
        lambda: _live_snapshot(house, asker, mark, staff),
        # On a paired screen a person is there for two minutes: that is nobody's own browser.
        asker.name if asker.kind is TokenKind.PASSWORD else "",
    )
    # The sign-in may have ended while the staff were looked up; then nobody would close this stream.
    if await house.sign_ins.asker(request, acting=False) != asker:
        house.hub.end_sign_in(asker.sign_in)
    return LiveStream(house.hub, listener)


def _sessions(snapshot: Snapshot) -> list[SessionNow]:
    return [bed.session for bed in snapshot.beds if bed.session is not None] + list(snapshot.closed)


def _live_snapshot(
    house: House, asker: Asker, mark: str, staff: list[shapes.PersonShown]
) -> shapes.LiveSnapshot:
    settings = house.doors.settings
    me = shapes.PersonShown(asker.name, asker.display, asker.role.value)
    return records.live_snapshot(
        house.doors.read(),
        shapes.ServerShown(
            version=settings.version,
            at_ms=house.doors.now_ms(),
            start=mark,
            speed=settings.speed,
            insecure_lan=settings.insecure_lan,
        ),
        me,
        staff,
        names=sees_names(asker),
    )


async def _staff(house: House) -> list[shapes.PersonShown]:
    return [
        shapes.PersonShown(account.name, account.display, account.role.value)
        for account in await house.doors.accounts.accounts()
        if not account.disabled and account.role not in {Role.DISPLAY, Role.MACHINE}
    ]

"""POST, PUT, DELETE: HTTP in, a staff act out. Whether it is taken is for the ward to say."""

from __future__ import annotations

import hashlib

from fastapi import Request
from starlette.responses import Response

from monitor.api.asked import AskedBy, House, InHouse, answer, hears, home_of, the_bed
from monitor.api.bodies import (
    BedName,
    DutyBody,
    LimitBody,
    Name,
    Number,
    PauseBody,
    PressureBody,
    RejectBody,
    ScreenBody,
    SignInBody,
    SoundBody,
    TemperatureBody,
    VitalsBody,
)
from monitor.api.problems import Problem
from monitor.api.signin import Asker
from monitor.api.views import answers
from monitor.model import (
    Accepted,
    Acked,
    Bed,
    Cuff,
    CuffAsked,
    CuffCancelled,
    CuffTaken,
    DutySet,
    HelpCalled,
    LimitSet,
    Paused,
    Rejected,
    Resumed,
    ScreenMoved,
    SoundSaid,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.people import Account, Role
from monitor.snapshot import Answer, PageNow
from monitor.treatment import Action

UNSTAMPED = 0
"""The `at_ms` of an act on its way in: `submit` stamps it when its turn comes."""


async def start_cuff(bed: BedName, house: InHouse, asker: AskedBy) -> Response:
    """Start a cuff reading now."""
    the_bed(house.doors.read(), bed)
    return done(await submit(house, CuffAsked(UNSTAMPED, Bed(bed), asker.name)))


async def stop_cuff(bed: BedName, house: InHouse, asker: AskedBy) -> Response:
    """End the cuff reading that is running."""
    the_bed(house.doors.read(), bed)
    return done(await submit(house, CuffCancelled(UNSTAMPED, Bed(bed), asker.name)))


async def type_vitals(bed: BedName, body: VitalsBody, house: InHouse, asker: AskedBy) -> Response:
    """A value taken by hand, marked so wherever it goes."""
    the_bed(house.doors.read(), bed)
    act: Action
    if isinstance(body, PressureBody):
        cuff = Cuff(body.systolic_mmhg, body.diastolic_mmhg)
        act = CuffTaken(UNSTAMPED, house.doors.now_ms(), Bed(bed), None, cuff, asker.name)
    elif isinstance(body, TemperatureBody):
        act = VitalTyped(UNSTAMPED, Bed(bed), Vital.TEMPERATURE, body.celsius, asker.name)
    else:
        act = VitalTyped(UNSTAMPED, Bed(bed), Vital.RESPIRATION, body.per_min, asker.name)
    return done(await submit(house, act))


async def acknowledge(alarm_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """Somebody is at the bed and has seen this alarm."""
    if asker.page is not None and the_page(house, asker.page).alarm_id != alarm_id:
        raise Problem(403, OTHER_PAGE)
    if not any(alarm.alarm_id == alarm_id for alarm in house.doors.read().alarms):
        raise Problem(404, "This alarm is over.")
    return done(await submit(house, Acked(UNSTAMPED, alarm_id, asker.name)))


async def pause(bed: BedName, body: PauseBody, house: InHouse, asker: AskedBy) -> Response:
    """Pause the sound at a bed, or the alarms of one vital with a reason; or switch either off."""
    the_bed(house.doors.read(), bed)
    taken = await submit(
        house,
        Paused(
            at_ms=UNSTAMPED,
            bed=Bed(bed),
            kind=body.kind,
            vital=body.vital,
            until_ms=None if body.seconds is None else house.doors.now_ms() + body.seconds * 1000,
            why=body.why,
            by=asker.name,
        ),
    )
    made = [event.pause_id for event in taken.events if isinstance(event, Paused)]
    return answer(answers.DoneShown(taken.recorded, pause_id=made[0] if made else None), 201)


async def resume(bed: BedName, pause_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """End a pause before its time."""
    if not any(each.pause_id == pause_id for each in the_bed(house.doors.read(), bed).pauses):
        raise Problem(404, "This pause is over.")
    return done(await submit(house, Resumed(UNSTAMPED, Bed(bed), pause_id, asker.name)))


async def accept_page(page_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """The person paged says "I go"."""
    _may_answer(the_page(house, page_id), asker)
    return done(await submit(house, Accepted(UNSTAMPED, page_id, asker.name)))


async def reject_page(
    page_id: Number, house: InHouse, asker: AskedBy, body: RejectBody | None = None
) -> Response:
    """The person paged says "I can't go"; the next step is due at once."""
    _may_answer(the_page(house, page_id), asker)
    return done(await submit(house, Rejected(UNSTAMPED, page_id, asker.name, body.why if body else "")))


async def call_help(page_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """Who is going calls for more people; the next step is due at once."""
    _may_answer(the_page(house, page_id), asker)
    return done(await submit(house, HelpCalled(UNSTAMPED, page_id, asker.name)))


async def set_limit(bed: BedName, body: LimitBody, house: InHouse, asker: AskedBy) -> Response:
    """Set this session's own limit for one rule, with a reason."""
    limits = the_bed(house.doors.read(), bed).limits
    if not any(limit.rule == body.rule for limit in limits):
        raise Problem(404, "There is no such limit on this bed now.")
    act = LimitSet(UNSTAMPED, Bed(bed), body.rule, body.limit, body.why, asker.name)
    return done(await submit(house, act))


async def set_duty(body: DutyBody, house: InHouse, asker: AskedBy) -> Response:
    """Set who is on duty and who has which bed: the whole list."""
    beds = tuple((Bed(pair.bed), Staff(pair.staff)) for pair in body.beds)
    on = tuple(Staff(name) for name in dict.fromkeys(body.on))
    return done(await submit(house, DutySet(UNSTAMPED, on, beds, asker.name)))


# Who is at the keyboard: these change sign-ins, not the ward.


async def sign_in(body: SignInBody, request: Request, house: InHouse) -> Response:
    """Sign in with a password, or on a paired screen with a PIN."""
    sign_ins = house.sign_ins
    screen = await sign_ins.screen(request)
    before = await sign_ins.asker(request, acting=False)
    account = await prove(body, request, house)
    secret, token = await sign_ins.begin(account, screen if body.pin is not None else None)
    house.metrics.tried("in")
    if before is not None and before.role is not Role.DISPLAY:
        await _end(house, before.sign_in)
    settings = house.doors.settings
    given = answer(
        answers.MeShown(
            name=account.name,
            display=account.display,
            role=account.role.value,
            screen=token.screen,
            ends_at_ms=token.ends_at_ms,
            idle_ms=settings.idle_password_ms if body.pin is None else settings.idle_pin_ms,
            home=home_of(account.role, paired=screen is not None),
            hears=hears(house, screen),
        )
    )
    sign_ins.remember_person(given, secret)
    return given


async def prove(body: SignInBody, request: Request, house: House) -> Account:
    """Whose name and secret these are, or the Problem that they are nobody's; a wrong one is counted."""
    screen = await house.sign_ins.screen(request)
    source = f"screen {screen.name}" if screen else (request.client.host if request.client else "")
    try:
        if body.password is not None:
            return await house.sign_ins.proves_password(Staff(body.name), body.password, source)
        return await house.sign_ins.proves_pin(Staff(body.name), body.pin or "", screen)
    except Problem:
        house.metrics.tried("refused")
        raise


async def sign_out(house: InHouse, asker: AskedBy) -> Response:
    """End this person's sign-in at the server; the screen below it stays paired."""
    if asker.role in {Role.DISPLAY, Role.MACHINE}:
        raise Problem(403, "Nobody is signed in here.")
    await _end(house, asker.sign_in)
    await submit(house, SoundSaid(UNSTAMPED, own_browser(asker), paired=False, state=None, by=asker.name))
    gone = Response(status_code=204)
    house.sign_ins.forget(gone, house.sign_ins.person_cookie)
    return gone


async def pair_screen(body: ScreenBody, house: InHouse, asker: AskedBy) -> Response:
    """Pair this browser as a screen: from now on it may show the Floor."""
    secret = await house.sign_ins.pair(body.name)
    await submit(house, ScreenMoved(UNSTAMPED, body.name, paired=True, by=asker.name))
    given = answer(answers.ScreenShown(body.name, house.doors.real_ms()), 201)
    house.sign_ins.remember_screen(given, secret)
    return given


async def say_sound(body: SoundBody, request: Request, house: InHouse, asker: AskedBy) -> Response:
    """This screen's own sound: on, off, or checked by ear just now."""
    paired = await house.sign_ins.screen(request)
    screen = own_browser(asker) if paired is None else paired.name
    # Where nothing is to sound nothing can be off: such a screen is none that anybody listens to.
    state = body.state if hears(house, paired).least is not None else None
    by = None if asker.role is Role.DISPLAY else asker.name
    said = SoundSaid(UNSTAMPED, screen, paired=paired is not None, state=state, by=by)
    return done(await submit(house, said))


async def revoke_screen(screen: Name, house: InHouse, asker: AskedBy) -> Response:
    """Revoke a screen and whoever has signed in on it with a PIN."""
    ended = await house.sign_ins.unpair(screen)
    if not ended:
        raise Problem(404, "There is no such screen.")
    for sign_in in ended:
        house.hub.end_sign_in(sign_in)
    await submit(house, ScreenMoved(UNSTAMPED, screen, paired=False, by=asker.name))
    return Response(status_code=204)


def own_browser(asker: Asker) -> str:
    """What a browser that is not paired goes by, for as long as its sign-in lasts; no screen has a dot."""
    return f"{asker.name}.{hashlib.sha256(asker.sign_in.encode()).hexdigest()[:6]}"


async def _end(house: House, sign_in: str) -> None:
    await house.sign_ins.end(sign_in)
    house.hub.end_sign_in(sign_in)


async def submit(house: House, act: Action) -> Answer:
    """What came of an act, or the Problem that it was refused, with what is missing."""
    taken = await house.doors.submit(act)
    if taken.refusal is not None:
        raise Problem(409, " ".join(taken.missing) or taken.refusal, missing=taken.missing)
    return taken


def done(taken: Answer) -> Response:
    """The act was taken."""
    return answer(answers.DoneShown(taken.recorded))


OTHER_PAGE = "This link opens one page. Sign in for anything else."


def the_page(house: House, page_id: int) -> PageNow:
    """The page of that number, or the Problem that there is none."""
    for page in house.doors.read().pages:
        if page.page_id == page_id:
            return page
    raise Problem(404, "There is no such page.")


def _may_answer(page: PageNow, asker: Asker) -> None:
    if asker.page is not None and asker.page != page.page_id:
        raise Problem(403, OTHER_PAGE)
    if asker.name != page.to and asker.role is not Role.CHARGE_NURSE:
        raise Problem(403, "Only the person paged or the charge nurse can answer this page.")

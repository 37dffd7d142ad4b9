"""Who is paged: one page and its link, hand-over, test pages. Whether it is taken is for the ward to say."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from fastapi import Request
from starlette.responses import Response

from monitor.api.acts import OTHER_PAGE, UNSTAMPED, done, submit, the_page
from monitor.api.asked import AskedBy, House, InHouse, answer
from monitor.api.bodies import HandOverBody, LinkBody, Number
from monitor.api.problems import Problem
from monitor.api.views import answers, records, shapes
from monitor.model import HandedOver, PageOpened, Staff, TrialAsked
from monitor.page_link import claim
from monitor.people import Account
from monitor.snapshot import PageNow

NO_LINK = "This link is not one of this clinic's, or its page is no longer kept. Sign in."
EXPIRED = "This link has expired. Sign in to see your pages."
USED = "This link has been used. Sign in to see your pages."
OUTSIDE = "This link works in the clinic's own network only."


async def page(page_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """One page with its alarm and its bed, without an alias: what a phone shows that has opened its link."""
    if asker.page not in {None, page_id}:
        raise Problem(403, OTHER_PAGE)
    the_page(house, page_id)
    settings, snapshot = house.doors.settings, house.doors.read()
    server = shapes.ServerShown(
        version=settings.version,
        at_ms=house.doors.now_ms(),
        start=house.hub.start,
        speed=settings.speed,
        insecure_lan=settings.insecure_lan,
    )
    me = shapes.PersonShown(asker.name, asker.display, asker.role.value)
    accounts = await house.doors.accounts.accounts()
    staff = [shapes.PersonShown(each.name, each.display, each.role.value) for each in accounts]
    return answer(records.page_snapshot(snapshot, page_id, server, me, staff))


async def open_page(page_id: Number, house: InHouse, asker: AskedBy) -> Response:
    """The person paged has the page before their eyes; said again, it changes nothing."""
    found = the_page(house, page_id)
    if asker.page not in {None, page_id}:
        raise Problem(403, OTHER_PAGE)
    if found.to != asker.name:
        raise Problem(403, "Only the person paged can open this page.")
    if not records.was_opened(found):
        await submit(house, PageOpened(UNSTAMPED, page_id, asker.name))
    return answer(answers.DoneShown(recorded=True))


async def open_link(body: LinkBody, request: Request, house: InHouse) -> Response:
    """Open the page of a link: once, for its person, in the clinic's network, until it expires."""
    found, account = await _meant(body.token, request, house)
    settings = house.doors.settings
    try:
        await submit(house, PageOpened(UNSTAMPED, found.page_id, account.name, link=True))
    except Problem as refused:
        raise Problem(410, USED) if refused.status == 409 else refused from None
    lasts_ms = settings.links.lasts_ms if settings.links else 0
    secret = await house.sign_ins.begin_page(account, found.page_id, lasts_ms)
    given = answer(answers.LinkOpened(found.page_id, house.doors.now_ms() + lasts_ms))
    house.sign_ins.remember_page(given, secret, lasts_ms)
    return given


async def hand_over(body: HandOverBody, house: InHouse, asker: AskedBy) -> Response:
    """Somebody goes off duty: their beds and open pages are another's at once."""
    return done(await submit(house, HandedOver(UNSTAMPED, Staff(body.was), Staff(body.to), asker.name)))


async def send_test(house: InHouse, asker: AskedBy) -> Response:
    """Send everybody on duty a test page."""
    return done(await submit(house, TrialAsked(UNSTAMPED, asker.name)))


async def _meant(token: str, request: Request, house: House) -> tuple[PageNow, Account]:
    """The page that a link is for and whose it is, or the Problem that it opens nothing here and now."""
    settings, said = house.doors.settings, claim(token)
    links = settings.links
    if links is None or said is None:
        raise Problem(403, NO_LINK)
    if not _inside(request.client.host if request.client else "", settings.link_networks):
        raise Problem(403, OUTSIDE)
    found = next((each for each in house.doors.read().pages if each.page_id == said.page_id), None)
    if found is None or not links.genuine(said, found.to):
        raise Problem(403, NO_LINK)
    if house.doors.now_ms() >= said.until_ms:
        raise Problem(410, EXPIRED)
    account = await house.sign_ins.may_sign_in(found.to)
    if account is None:
        raise Problem(403, NO_LINK)
    return found, account


def _inside(host: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False  # who cannot be placed is outside
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ip_network(network) for network in networks)

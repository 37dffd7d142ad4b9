"""The link of a page: once, for its person, in the clinic's network, for a while; and it opens no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from monitor.model import Accepted, Acked, PageOpened, Staff
from monitor.page_link import PageLinks, claim
from tests.shells.api_clinic import ALIAS, BED4, NOON_MS, PATIENCE_S, Clinic, alarm, page, running

SECRET = "a secret of at least thirty-two letters"  # noqa: S105  of nobody
LINKS = PageLinks("https://chairside.example/", SECRET, 900_000)
HOME = ("127.0.0.0/8",)


def token(links: PageLinks = LINKS, page_id: int = 5, to: str = "anna", at_ms: int = NOON_MS) -> str:
    return links.of(page_id, Staff(to), at_ms).partition("#")[2]


@pytest.fixture
async def clinic() -> AsyncIterator[Clinic]:
    async with running(links=LINKS, link_networks=HOME) as clinic:
        clinic.ward.alarms = {1: alarm()}
        clinic.ward.pages |= {6: replace(page(6), alarm_id=2, bed=BED4)}
        yield clinic


async def opened(clinic: Clinic, said: str) -> tuple[httpx.Response, dict[str, str]]:
    """What opening a link answers, and the cookie a browser would keep of it."""
    async with httpx.AsyncClient(base_url=clinic.origin, timeout=PATIENCE_S, trust_env=False) as client:
        answer = await client.post("/api/v1/link", json={"token": said}, headers=clinic.headers())
    kept = answer.headers.get("set-cookie", "").partition(";")[0]
    return answer, clinic.headers() | ({"Cookie": kept} if kept else {})


async def asks(
    clinic: Clinic, headers: dict[str, str], method: str, path: str, **more: Any
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=clinic.origin, timeout=PATIENCE_S, trust_env=False) as client:
        return await client.request(method, f"/api/v1{path}", headers=headers, **more)


def test_a_link_names_nobody_and_holds_no_secret() -> None:
    link = LINKS.of(5, Staff("anna"), NOON_MS)
    assert link.startswith("https://chairside.example/link#5.")
    assert "anna" not in link
    assert SECRET not in link
    assert LINKS.of(5, Staff("anna"), NOON_MS) == link, "the same page sent again has the same link"


async def test_a_link_opens_its_page_and_a_cookie_carries_on_for_that_page_only(clinic: Clinic) -> None:
    answer, phone = await opened(clinic, token())
    assert (answer.status_code, answer.json()) == (200, {"page_id": 5, "until_ms": NOON_MS + 900_000})
    assert clinic.ward.acts == [PageOpened(0, 5, Staff("anna"), link=True)]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-chairside-page=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Max-Age=900"} <= set(cookie.split("; "))
    shown = (await asks(clinic, phone, "GET", "/pages/5")).json()
    assert [each["page_id"] for each in shown["pages"]] == [5]
    assert [each["alarm_id"] for each in shown["alarms"]] == [1]
    assert [each["bed"] for each in shown["beds"]] == ["3"]
    assert shown["me"]["name"] == "anna"
    assert ALIAS not in str(shown)
    assert (await asks(clinic, phone, "POST", "/pages/5/accept")).status_code == 200
    assert (await asks(clinic, phone, "POST", "/alarms/1/acknowledge")).status_code == 200
    assert clinic.ward.acts[1:] == [Accepted(0, 5, Staff("anna")), Acked(0, 1, Staff("anna"))]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/pages/6", 403),
        ("POST", "/pages/6/accept", 403),
        ("POST", "/pages/6/reject", 403),
        ("POST", "/pages/6/help", 403),
        ("POST", "/pages/6/open", 403),
        ("POST", "/alarms/2/acknowledge", 403),
        ("GET", "/live", 401),
        ("GET", "/beds", 401),
        ("GET", "/beds/3", 401),
        ("GET", "/pages", 401),
        ("GET", "/me", 401),
        ("GET", "/sessions", 401),
        ("PUT", "/duty", 401),
        ("POST", "/duty/test", 401),
        ("POST", "/beds/3/cuff", 401),
    ],
)
async def test_it_opens_nothing_else(clinic: Clinic, method: str, path: str, status: int) -> None:
    _, phone = await opened(clinic, token())
    before = list(clinic.ward.acts)
    assert (await asks(clinic, phone, method, path)).status_code == status
    assert clinic.ward.acts == before


async def test_a_link_that_has_been_used_opens_nothing(clinic: Clinic) -> None:
    clinic.ward.refuses = "This link has been used."
    answer, _ = await opened(clinic, token())
    assert (answer.status_code, answer.json()["detail"]) == (
        410,
        "This link has been used. Sign in to see your pages.",
    )
    assert "set-cookie" not in answer.headers


async def test_a_link_expires(clinic: Clinic) -> None:
    clinic.ward.at_ms = NOON_MS + 899_999
    assert (await opened(clinic, token()))[0].status_code == 200
    clinic.ward.at_ms = NOON_MS + 900_000
    answer, _ = await opened(clinic, token())
    assert (answer.status_code, answer.json()["detail"]) == (
        410,
        "This link has expired. Sign in to see your pages.",
    )


async def test_and_so_does_its_cookie(clinic: Clinic) -> None:
    _, phone = await opened(clinic, token())
    clinic.wall.advance(899_999)
    assert (await asks(clinic, phone, "GET", "/pages/5")).status_code == 200
    clinic.wall.advance(1)
    assert (await asks(clinic, phone, "GET", "/pages/5")).status_code == 401


@pytest.mark.parametrize(
    "forged",
    [
        token(PageLinks("https://chairside.example", "another secret of thirty-two letters", 900_000)),
        token(to="ben"),  # of another person
        token(page_id=6).replace("6.", "5.", 1),  # of another page
        token().replace(str(NOON_MS + 900_000), str(NOON_MS + 9_000_000)),  # made to last
        token(page_id=99),  # of a page that nobody knows
        token()[:-1],
        "5",
        "5..x",
    ],
)
async def test_a_link_that_is_not_ours_opens_nothing(clinic: Clinic, forged: str) -> None:
    answer, _ = await opened(clinic, forged)
    assert answer.status_code == 403
    assert "not one of this clinic's" in answer.json()["detail"]
    assert clinic.ward.acts == []


async def test_a_link_opens_nothing_outside_the_clinics_network() -> None:
    async with running(links=LINKS, link_networks=("10.0.0.0/8", "fe80::/10")) as clinic:
        answer, _ = await opened(clinic, token())
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            "This link works in the clinic's own network only.",
        )
        assert clinic.ward.acts == []


async def test_where_pages_carry_no_link_none_opens_anything() -> None:
    async with running() as clinic:
        assert (await opened(clinic, token()))[0].status_code == 403


async def test_a_link_of_somebody_who_has_left_opens_nothing_and_their_cookie_ends(clinic: Clinic) -> None:
    _, phone = await opened(clinic, token())
    anna = clinic.accounts.kept[Staff("anna")]
    clinic.accounts.kept[Staff("anna")] = replace(anna, disabled=True)
    assert (await opened(clinic, token()))[0].status_code == 403
    assert (await asks(clinic, phone, "GET", "/pages/5")).status_code == 401


async def test_another_sites_page_cannot_open_a_link(clinic: Clinic) -> None:
    async with httpx.AsyncClient(base_url=clinic.origin, timeout=PATIENCE_S, trust_env=False) as client:
        headers = {"Origin": "https://elsewhere.example"}
        answer = await client.post("/api/v1/link", json={"token": token()}, headers=headers)
    assert answer.status_code == 403
    assert clinic.ward.acts == []


async def test_that_the_person_paged_has_it_before_their_eyes_is_said_once(clinic: Clinic) -> None:
    async with clinic.browser("anna") as phone, clinic.browser("carla") as other:
        assert (await phone.post("/api/v1/pages/5/open")).status_code == 200
        assert clinic.ward.acts == [PageOpened(0, 5, Staff("anna"))]
        assert (await other.post("/api/v1/pages/5/open")).status_code == 403


def test_only_a_link_of_our_making_can_be_read_at_all() -> None:
    assert claim(token()) is not None
    for mangled in ("", "5.6", "05.6." + "a" * 43, "5.6." + "a" * 42, "5.6." + "ä" * 43, f"{token()}\n"):
        assert claim(mangled) is None

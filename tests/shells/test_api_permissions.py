"""Who may do what: every route of the app against everybody who could ask (T01)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from monitor.api.app import GuardedRoute, refuse_unlisted
from monitor.api.routes import ROLES, ROUTES, Row, who
from monitor.model import Staff
from monitor.people import Role, TokenKind
from tests.shells.api_clinic import STAFF, Clinic, running

ASKERS = {
    "nobody": None,
    "display": Role.DISPLAY,
    "nurse": Role.NURSE,
    "charge nurse": Role.CHARGE_NURSE,
    "prescriber": Role.PRESCRIBER,
    "administrator": Role.ADMINISTRATOR,
    "machine": Role.MACHINE,
    "disabled": None,
    "signed out": None,
    "made up": None,
    "PIN without its screen": None,
}
BY_ROLE = {role: name for name, role in reversed(STAFF.items())}


def headers(clinic: Clinic, asker: str) -> dict[str, str]:
    """What each of them sends."""
    role = ASKERS[asker]
    if role in {Role.DISPLAY, Role.MACHINE}:
        return clinic.headers(role.value)
    if role is not None:
        return clinic.headers(BY_ROLE[role])
    given = clinic.headers()
    match asker:
        case "disabled":
            given = clinic.headers("ben-who-left")
        case "signed out":
            given = clinic.headers("anna")
            clinic.accounts.by_hash.popitem()
        case "made up":
            given["Cookie"] = "__Host-chairside=made-up"
        case "PIN without its screen":
            given["Cookie"] = f"__Host-chairside={clinic.token(TokenKind.PIN, 'anna', 'floor')}"
    return given


def expected(row: Row, asker: str) -> int | None:
    """401, 403, or None for anything else."""
    role = ASKERS[asker]
    if row.path == "/metrics":
        return None if role in {None, Role.MACHINE} else 403  # from this machine, or with a token
    if row.roles is None or role in row.roles:
        return None
    return 401 if role is None else 403


@pytest.mark.shows("ALM-091")
async def test_every_route_lets_in_exactly_those_whom_the_table_names() -> None:
    async with running() as clinic:
        left = clinic.accounts.kept[Staff("ben")]
        clinic.accounts.kept[Staff("ben-who-left")] = replace(left, name=Staff("ben-who-left"), disabled=True)
        wrong: list[str] = []
        async with clinic.browser() as client:
            for row in ROUTES:
                path = re.sub(r"\{bed\}", "3", row.path)
                path = re.sub(r"\{file(:path)?\}", "nothing.js", path)
                path = re.sub(r"\{\w+\}", "999", path)
                for asker in ASKERS:
                    asked = client.build_request(row.method, path)
                    del asked.headers["Origin"], asked.headers["Sec-Fetch-Site"]
                    asked.headers.update(headers(clinic, asker))
                    answer = await client.send(asked, stream=True)
                    await answer.aclose()
                    refused = answer.status_code if answer.status_code in {401, 403} else None
                    if refused != expected(row, asker) or answer.status_code >= 500:
                        wrong.append(f"{row.method} {row.path} as {asker}: {answer.status_code}")
        assert wrong == []


async def test_the_app_has_no_route_beside_the_table_and_an_unlisted_one_is_not_built() -> None:
    async with running() as clinic:
        built = {(next(iter(r.methods or ())), r.path) for r in clinic.app.routes if isinstance(r, APIRoute)}
        assert built == set(ROLES)
        assert all(isinstance(route, GuardedRoute) for route in clinic.app.routes)

        @clinic.app.get("/api/v1/forgotten")
        async def forgotten() -> None:
            """A route somebody added without saying who may."""

        with pytest.raises(ValueError, match="nobody has said who may GET /api/v1/forgotten"):
            refuse_unlisted(clinic.app)


async def test_a_route_that_is_not_guarded_is_not_built() -> None:
    async with running() as clinic:
        clinic.app.router.routes.append(Route("/raw", lambda _request: None))
        with pytest.raises(ValueError, match="an unguarded route"):
            refuse_unlisted(clinic.app)


@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/beds",
        "/api/v1//beds",
        "/api/v1/beds/",
        "/api/v1/%2e%2e/v1/beds",
        "/api/v1/../v1/beds",
        "/api/v1/beds/{bed}",
        "/API/v1/beds",
        "/api/v1/beds;x=1",
    ],
)
async def test_odd_paths_open_nothing(path: str) -> None:
    async with running() as clinic, clinic.browser() as client:
        answer = await client.get(path)
        assert answer.status_code in {401, 404}
        head = await client.head("/api/v1/beds")
        assert head.status_code in {401, 405}


async def test_a_visitor_is_refused_before_the_body_is_looked_at() -> None:
    async with running() as clinic, clinic.browser() as client:
        answer = await client.post("/api/v1/sessions", json={"nonsense": True})
        assert answer.status_code == 401
        assert "nonsense" not in answer.text


async def test_a_nurse_may_not_answer_anothers_page_and_a_charge_nurse_may() -> None:
    async with running() as clinic:
        for who_asks, status in (("anna", 200), ("ben", 403), ("carla", 200), ("dr-dee", 403)):
            async with clinic.browser(who_asks) as client:
                for act in ("accept", "reject"):
                    assert (await client.post(f"/api/v1/pages/5/{act}")).status_code == status
        assert {act.by for act in clinic.ward.acts if hasattr(act, "by")} == {"anna", "carla"}


def test_the_documents_name_every_route_with_its_roles() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE)
    assert {(method, path): roles.strip() for method, path, roles in rows} == {
        key: who(roles) for key, roles in ROLES.items()
    }

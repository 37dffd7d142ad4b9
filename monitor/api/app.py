"""The API as one app. It reads through `read`, acts through `submit`, and has no other door to the ward."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.api import pages
from monitor.api.asked import House
from monitor.api.doors import Accounts, Archive, Doors, History, Read, Settings, Status, Submit
from monitor.api.guard import SAFE, Guard, content_security_policy
from monitor.api.hub import Hub
from monitor.api.metrics import Metrics
from monitor.api.problems import Problem, ProblemShown, http_error, not_valid, problem_raised
from monitor.api.routes import API, OF_A_PAGE, ROLES, ROUTES, Row, who
from monitor.api.signin import SignIns
from monitor.api.throttle import Throttle
from monitor.numbers import Counters

DESCRIPTION = (
    "Vital signs, alarms and pages of one clinic. Times are milliseconds since 1970 in UTC. "
    "Not a medical device. Secondary display for evaluation. Never the only means of watching a patient."
)
ACTING = f"{API}/me"
"""Besides every change, asking who one is counts as being there; what a screen polls by itself does not."""


def build(
    *,
    read: Read,
    submit: Submit,
    hub: Hub,
    history: History,
    accounts: Accounts,
    status: Callable[[], Status],
    now_ms: Callable[[], int],
    real_ms: Callable[[], int],
    settings: Settings,
    archive: Archive,
    counters: Callable[[], Counters] = Counters,
) -> FastAPI:
    """The whole web side. `now_ms` is the service's clock, `real_ms` the wall clock (sign-ins only).

    `counters` is what has become of alarms since the start. Raises ValueError where the dashboard is missing
    or a route is not in the table of roles.
    """
    files = pages.dashboard_files(settings.dashboard)
    doors = Doors(
        read, submit, history, accounts, status, now_ms, real_ms, settings, files, archive, counters
    )
    sign_ins = SignIns(accounts, Throttle(), settings, real_ms)
    house = House(doors, hub, sign_ins, Metrics(doors, hub))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        chores = [
            asyncio.create_task(hub.beats(), name="beats"),
            asyncio.create_task(hub.watch_sign_ins(sign_ins.still_good), name="sign-ins"),
        ]
        try:
            yield
        finally:
            hub.close()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)

    app = FastAPI(
        title="Chairside",
        version=settings.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = GuardedRoute
    app.state.house = house
    app.add_exception_handler(Problem, problem_raised)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, not_valid)
    for row in ROUTES:
        _add(app, row)
    refuse_unlisted(app)
    app.add_middleware(
        Guard,
        hosts=settings.hosts,
        cookies=(sign_ins.person_cookie, sign_ins.screen_cookie, sign_ins.page_cookie),
        policy=content_security_policy(files["index.html"]),
        tls=settings.tls,
        body_bytes_max=settings.body_bytes_max,
        body_deadline_s=settings.body_deadline_s,
        answered=house.metrics.answered,
    )
    document = _document(app)
    app.openapi = lambda: document  # type: ignore[method-assign]
    app.state.openapi_json = msgspec.json.encode(document)
    app.state.docs_html = pages.docs_page(document, {key: who(roles) for key, roles in ROLES.items()})
    return app


class GuardedRoute(APIRoute):
    """A route that asks who is there before it looks at anything else of the request. Deny by default."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler behind the permission check."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await permit(request, self.path)
            return await inner(request)

        return guarded


async def permit(request: Request, path: str) -> None:
    """Let through whoever may take this route; else the Problem is 401 for nobody, 403 for the wrong role."""
    roles = ROLES[request.method, path]
    if roles is None:
        return
    house: House = request.app.state.house
    acting = request.method not in SAFE or path == ACTING
    of_a_page = (request.method, path) in OF_A_PAGE
    asker = await house.sign_ins.asker(request, acting=acting, page=of_a_page)
    if asker is None:
        raise Problem(401, headers={"WWW-Authenticate": "Bearer"})
    if asker.role not in roles:
        raise Problem(403)
    request.state.asker = asker


def refuse_unlisted(app: FastAPI) -> None:
    """Raise where the app has a route that the table of roles does not know, or that is not guarded."""
    for route in app.routes:
        if not isinstance(route, GuardedRoute):
            raise ValueError(f"an unguarded route: {route}")  # noqa: TRY004  the plan is wrong, not a type
        for method in route.methods or ():
            if (method, route.path) not in ROLES:
                raise ValueError(f"nobody has said who may {method} {route.path}")


def _add(app: FastAPI, row: Row) -> None:
    app.add_api_route(
        row.path,
        row.endpoint,
        methods=[row.method],
        name=row.endpoint.__name__,
        response_model=None,
        status_code=row.status,
        include_in_schema=row.documented,
        responses=_responses(row),
        openapi_extra={"x-roles": [] if row.roles is None else sorted(role.value for role in row.roles)},
    )


def _responses(row: Row) -> dict[int | str, dict[str, Any]]:
    good: dict[str, Any] = {"description": "Done."}
    if row.path.endswith("/live"):
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif row.path in FILES:
        good["content"] = {media_type: {"schema": {"type": "string"}} for media_type in FILES[row.path]}
    elif row.path == "/metrics":
        good["content"] = {"text/plain": {"schema": {"type": "string"}}}
    elif row.shows is not None:
        good["content"] = {"application/json": {"schema": _schema(row.shows)}}
    found: dict[int | str, dict[str, Any]] = {row.status: good}
    problem = {"application/problem+json": {"schema": _schema(ProblemShown)}}
    for status, words in _PROBLEMS.items():
        found[status] = {"description": words, "content": problem}
    return found


FILES = {
    f"{API}/sessions/{{session}}/report.{{file}}": (
        "application/pdf",
        "application/json",
        "application/fhir+json",
        "text/csv",
        "x-application/hl7-v2+er7",
    ),
    f"{API}/sessions/{{session}}/form.{{file}}": ("application/pdf", "application/json"),
}
"""Routes whose answers are files, and of which kinds."""

_PROBLEMS: dict[int | str, str] = {
    "4XX": "Refused: the problem document says why, in a sentence.",
    "5XX": "The service is not well.",
}


def _schema(shows: type) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shows.__name__}"}


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; the schemas of what is shown come from the very structs that are encoded."""
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    shown = {row.shows for row in ROUTES if row.shows is not None} | {ProblemShown}
    _, schemas = msgspec.json.schema_components(
        sorted(shown, key=lambda each: each.__name__),
        ref_template="#/components/schemas/{name}",
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas)
    components["securitySchemes"] = {
        "person": {"type": "apiKey", "in": "cookie", "name": "__Host-chairside"},
        "machine": {"type": "http", "scheme": "bearer"},
    }
    document["security"] = [{"person": []}, {"machine": []}]
    return document

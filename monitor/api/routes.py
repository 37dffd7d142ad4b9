"""Every route of the API with who may take it: one table, and what is not in it is refused.

`docs/api.md` prints this table, and a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from monitor.api import acts, moves, paged, pages, reads, reports, wellness
from monitor.api.views import answers
from monitor.api.views.shapes import LiveSnapshot
from monitor.earlier import Earlier
from monitor.numbers import Numbers
from monitor.people import CLINICAL, Role

API = "/api/v1"

PEOPLE = CLINICAL | {Role.ADMINISTRATOR}
READERS = PEOPLE | {Role.MACHINE}
EVERYONE = READERS | {Role.DISPLAY}
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
LEADERS = PEOPLE - {Role.NURSE}
"""Who may try what other limits would have done; a nurse's own limits are those of her patient."""
OPEN: frozenset[Role] | None = None
"""For anybody, signed in or not: sign-in itself, the dashboard's files, health."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route: who may, and what its good answer looks like (None: not JSON, or not for the documents)."""

    method: str
    path: str
    roles: frozenset[Role] | None
    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    shows: type | None = None
    status: int = 200

    @property
    def documented(self) -> bool:
        """The API and the machines' pages are in the OpenAPI document, the dashboard's files are not."""
        return self.path.startswith(API) or self.path in {"/healthz", "/readyz", "/metrics"}


ROUTES = (
    Row("GET", f"{API}/status", EVERYONE, reads.status, answers.StatusShown),
    Row("GET", f"{API}/beds", EVERYONE, reads.beds, answers.BedsShown),
    Row("GET", f"{API}/beds/{{bed}}", EVERYONE, reads.bed, answers.TileShown),
    Row("GET", f"{API}/beds/{{bed}}/trend", EVERYONE, reads.trend, answers.TrendShown),
    Row("POST", f"{API}/beds/{{bed}}/cuff", CLINICAL, acts.start_cuff, answers.DoneShown),
    Row("DELETE", f"{API}/beds/{{bed}}/cuff", CLINICAL, acts.stop_cuff, answers.DoneShown),
    Row("POST", f"{API}/beds/{{bed}}/vitals", CLINICAL, acts.type_vitals, answers.DoneShown),
    Row("POST", f"{API}/beds/{{bed}}/pauses", CLINICAL, acts.pause, answers.DoneShown, 201),
    Row("DELETE", f"{API}/beds/{{bed}}/pauses/{{pause_id}}", CLINICAL, acts.resume, answers.DoneShown),
    Row("PUT", f"{API}/beds/{{bed}}/limits", CLINICAL, acts.set_limit, answers.DoneShown),
    Row("GET", f"{API}/sessions", READERS, reads.sessions, answers.SessionsShown),
    Row("GET", f"{API}/therapies", READERS, reads.therapies, answers.TherapiesShown),
    Row("POST", f"{API}/sessions", CLINICAL, moves.open_session, answers.DoneShown, 201),
    Row("GET", f"{API}/sessions/{{session}}", READERS, reads.session, answers.SessionWhole),
    Row("POST", f"{API}/sessions/{{session}}/moves", CLINICAL, moves.move_session, answers.DoneShown),
    Row("GET", f"{API}/sessions/{{session}}/report.{{file}}", READERS, reports.report),
    Row("GET", f"{API}/sessions/{{session}}/form.{{file}}", READERS, reports.form),
    Row("GET", f"{API}/sessions/{{session}}/series", READERS, reports.series, Earlier),
    Row("GET", f"{API}/numbers", LEADERS, reports.numbers, Numbers),
    Row("POST", f"{API}/what-if", LEADERS, reports.what_if, answers.WhatIfShown),
    Row("GET", f"{API}/alarms", EVERYONE, reads.alarms, answers.AlarmsShown),
    Row("POST", f"{API}/alarms/{{alarm_id}}/acknowledge", CLINICAL, acts.acknowledge, answers.DoneShown),
    Row("GET", f"{API}/pages", EVERYONE, reads.pages, answers.PagesShown),
    Row("GET", f"{API}/pages/{{page_id}}", PEOPLE, paged.page, LiveSnapshot),
    Row("POST", f"{API}/pages/{{page_id}}/open", CLINICAL, paged.open_page, answers.DoneShown),
    Row("POST", f"{API}/pages/{{page_id}}/accept", CLINICAL, acts.accept_page, answers.DoneShown),
    Row("POST", f"{API}/pages/{{page_id}}/reject", CLINICAL, acts.reject_page, answers.DoneShown),
    Row("POST", f"{API}/pages/{{page_id}}/help", CLINICAL, acts.call_help, answers.DoneShown),
    Row("GET", f"{API}/duty", EVERYONE, reads.duty, answers.DutyLoadShown),
    Row("PUT", f"{API}/duty", PEOPLE, acts.set_duty, answers.DoneShown),
    Row("POST", f"{API}/duty/hand-over", PEOPLE, paged.hand_over, answers.DoneShown),
    Row("POST", f"{API}/duty/test", PEOPLE, paged.send_test, answers.DoneShown),
    Row("GET", f"{API}/screens", ADMINISTRATORS, reads.screens, answers.ScreensShown),
    Row("POST", f"{API}/screens", ADMINISTRATORS, acts.pair_screen, answers.ScreenShown, 201),
    Row("POST", f"{API}/screens/sound", PEOPLE | {Role.DISPLAY}, acts.say_sound, answers.DoneShown),
    Row("DELETE", f"{API}/screens/{{screen}}", ADMINISTRATORS, acts.revoke_screen, None, 204),
    Row("POST", f"{API}/signin", OPEN, acts.sign_in, answers.MeShown),
    Row("POST", f"{API}/link", OPEN, paged.open_link, answers.LinkOpened),
    Row("POST", f"{API}/signout", PEOPLE, acts.sign_out, None, 204),
    Row("GET", f"{API}/me", EVERYONE, reads.me, answers.MeShown),
    Row("GET", f"{API}/live", EVERYONE, reads.live),
    Row("GET", "/healthz", OPEN, wellness.healthz, wellness.Well),
    Row("GET", "/readyz", OPEN, wellness.readyz, wellness.Well),
    Row("GET", "/metrics", OPEN, wellness.metrics),
    Row("GET", "/openapi.json", OPEN, pages.openapi),
    Row("GET", "/docs", OPEN, pages.docs),
    Row("GET", "/", OPEN, pages.dashboard),
    Row("GET", "/bed/{bed}", OPEN, pages.dashboard),
    Row("GET", "/bed/{bed}/start", OPEN, pages.dashboard),
    Row("GET", "/alarms", OPEN, pages.dashboard),
    Row("GET", "/sessions", OPEN, pages.dashboard),
    Row("GET", "/sessions/{session}/form", OPEN, pages.dashboard),
    Row("GET", "/pages/{page_id}", OPEN, pages.dashboard),
    Row("GET", "/link", OPEN, pages.dashboard),
    Row("GET", "/me", OPEN, pages.dashboard),
    Row("GET", "/duty", OPEN, pages.dashboard),
    Row("GET", "/admin", OPEN, pages.dashboard),
    Row("GET", "/numbers", OPEN, pages.dashboard),
    Row("GET", "/sound", OPEN, pages.dashboard),
    Row("GET", "/keys", OPEN, pages.dashboard),
    Row("GET", "/signin", OPEN, pages.dashboard),
    Row("GET", "/icon.svg", OPEN, pages.dashboard_file),
    Row("GET", "/css/{file}", OPEN, pages.dashboard_file),
    Row("GET", "/js/{file:path}", OPEN, pages.dashboard_file),
    Row("GET", "/vendor/{file}", OPEN, pages.dashboard_file),
)
"""`/metrics` looks at its asker itself: a token, or the machine it runs on."""

OF_A_PAGE = frozenset(
    {
        ("GET", f"{API}/pages/{{page_id}}"),
        *(("POST", f"{API}/pages/{{page_id}}/{act}") for act in ("open", "accept", "reject", "help")),
        ("POST", f"{API}/alarms/{{alarm_id}}/acknowledge"),
    }
)
"""What whoever has opened a page by its link may do with it and its alarm; no other route knows them."""

ROLES: dict[tuple[str, str], frozenset[Role] | None] = {(row.method, row.path): row.roles for row in ROUTES}


def who(roles: frozenset[Role] | None) -> str:
    """The roles of a route in words, in the order of `Role`."""
    if roles is None:
        return "anybody"
    return ", ".join(role.value for role in Role if role in roles)

"""For machines that watch the service: is it alive, is it ready, how does it do."""

from __future__ import annotations

import msgspec
from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from monitor.api.asked import InHouse, answer
from monitor.api.problems import Problem
from monitor.people import TokenKind

TURN_DEAD_MS = 10_000
"""A ward that has not turned for so long is dead: the watchdog's own figure (faults-and-threats F14)."""
LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Well(msgspec.Struct, frozen=True):
    """Whether it is well, and if not, why."""

    ok: bool
    why: str


async def healthz(house: InHouse) -> Response:
    """Alive: the ward turns."""
    age_ms = house.doors.status().turn_age_ms
    alive = age_ms <= TURN_DEAD_MS
    return answer(Well(alive, "" if alive else "The ward has stopped turning."), 200 if alive else 503)


async def readyz(house: InHouse) -> Response:
    """Ready: alive, restored from its journal, and recording."""
    status = house.doors.status()
    missing = [
        why
        for well, why in (
            (status.turn_age_ms <= TURN_DEAD_MS, "The ward has stopped turning."),
            (status.ready, "The ward is still being restored."),
            (status.recording, f"Not being recorded: {status.recording_why}"),
        )
        if not well
    ]
    return answer(Well(not missing, " ".join(missing)), 503 if missing else 200)


async def metrics(request: Request, house: InHouse) -> Response:
    """For Prometheus: from this machine itself, or with a token."""
    asker = await house.sign_ins.asker(request, acting=False)
    if asker is None or asker.kind is not TokenKind.BEARER:
        if asker is not None:
            raise Problem(403, "Metrics are for machines.")
        if request.client is None or request.client.host not in LOOPBACK:
            raise Problem(401, "Metrics need a token, or to be asked for on this machine itself.")
    return Response(house.metrics.text(), media_type=CONTENT_TYPE_LATEST)

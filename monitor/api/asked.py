"""What a route is given beside its own arguments: the doors of the house, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from starlette.responses import Response

from monitor.api.doors import Doors, Hears
from monitor.api.hub import Hub
from monitor.api.metrics import Metrics
from monitor.api.problems import Problem
from monitor.api.signin import Asker, SignIns
from monitor.api.views.answers import HearsShown
from monitor.model import Bed
from monitor.people import CLINICAL, Role
from monitor.snapshot import BedNow, Snapshot

_JSON = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class House:
    """Everything one app was built from."""

    doors: Doors
    hub: Hub
    sign_ins: SignIns
    metrics: Metrics


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _asker(request: Request) -> Asker:
    """Set by the permission check, which runs before any of a route's own arguments is looked at."""
    asker: Asker = request.state.asker
    return asker


InHouse = Annotated[House, Depends(_house)]
AskedBy = Annotated[Asker, Depends(_asker)]


def answer(shown: Any, status: int = 200) -> Response:
    """What is shown, as JSON."""
    return Response(_JSON.encode(shown), status, media_type="application/json")


def sees_names(asker: Asker) -> bool:
    """A paired screen hangs where visitors see it: no alias there."""
    return asker.role is not Role.DISPLAY


def home_of(role: Role, *, paired: bool) -> str:
    """Where a phone opens: with one's own pages and beds on a browser of one's own, else on the Floor."""
    return "/me" if role in CLINICAL and not paired else "/"


def hears(house: House, screen: Asker | None) -> HearsShown:
    """What this browser sounds: all, unless it is a paired screen that the settings say less of."""
    found = house.doors.settings.sounds.get(screen.name, Hears()) if screen is not None else Hears()
    least = None if found.least is None else found.least.name
    return HearsShown(least, list(found.beds) or None)


def the_bed(snapshot: Snapshot, bed: str) -> BedNow:
    """The bed, or the Problem that there is none of that name."""
    for each in snapshot.beds:
        if each.bed == Bed(bed):
            return each
    raise Problem(404, f"There is no bed {bed}.")

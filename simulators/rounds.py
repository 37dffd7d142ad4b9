"""The rounds of a demonstration's staff: they look at their beds again and again, and do what is to be done.

What the service refuses is not insisted upon: it stays on the screen for whoever is looking.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from monitor.alerts.paging import OF_NO_ALARM
from simulators.patient import AnyPatient
from simulators.staff import Proof, next_act

API = "/api/v1"
EVERY_S = 3.0
"""Of the patients' own time: staff are not quicker than that."""
LEAST_S = 0.2
MISSED = {"untested", "unanswered"}
"""Who is still to show that a page reaches them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff, with what they sign in with."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Round:
    """One bed, whose nurse comes by: the patient there was at `start_s` of the drug's course at the start."""

    bed: str
    nurse: str
    patient: AnyPatient
    start_s: float


async def rounds(
    address: str,
    beds: Sequence[Round],
    people: Mapping[str, Person],
    prescriber: str,
    lived_s: Callable[[], float],
    speed: float,
) -> NoReturn:
    """Go round for ever. `lived_s` says how long the patients have been here, in their own time."""
    hands = {name: _Hands(address, person) for name, person in people.items()}
    while True:
        with contextlib.suppress(httpx.HTTPError):  # the service is being started again
            await _answers_test_pages(hands)
        for each in beds:
            others = [one.nurse for one in beds if one.nurse != each.nurse]
            second = people[others[0] if others else prescriber]
            ada = people[prescriber]
            with contextlib.suppress(httpx.HTTPError):  # the service is being started again
                tile = await hands[each.nurse].look(f"/beds/{each.bed}")
                at_ms = round((each.start_s + lived_s()) * 1_000)
                act = tile and next_act(
                    tile["bed"],
                    each.patient,
                    at_ms,
                    second=Proof(second.name, second.password),
                    prescriber=Proof(ada.name, ada.password),
                )
                if act:
                    await hands[each.nurse].do(act.path, act.body)
        await asyncio.sleep(max(LEAST_S, EVERY_S / speed))


async def _answers_test_pages(hands: Mapping[str, _Hands]) -> None:
    """Somebody sends the test page of the shift, and everybody says that it has come."""
    first = next(iter(hands.values()))
    duty = await first.look("/duty")
    reach = {one["staff"]: one["reach"] for one in ((duty or {}).get("test") or {}).get("people", ())}
    if MISSED & set(reach.values()):
        await first.do("/duty/test", {})
    for name, hand in hands.items():
        if reach.get(name, "answered") == "answered":
            continue
        for page in (await hand.look("/pages") or {}).get("pages", ()):
            if page["to"] == name and page["alarm_id"] == OF_NO_ALARM and not page["over"]:
                await hand.do(f"/pages/{page['page_id']}/accept", {})


class _Hands:
    """Somebody at a browser of their own: signed in, and again where the service has forgotten it."""

    def __init__(self, address: str, person: Person) -> None:
        """Nobody is signed in yet."""
        self._web = httpx.AsyncClient(base_url=address, headers={"Origin": address}, trust_env=False)
        self._person = person

    async def look(self, path: str) -> Mapping[str, Any] | None:
        """What is there; None where the service would not say."""
        answer = await self._asked("GET", path)
        found: Mapping[str, Any] | None = answer.json() if answer.is_success else None
        return found

    async def do(self, path: str, body: Mapping[str, Any]) -> None:
        """Do it, or leave it where it is refused."""
        await self._asked("POST", path, body)

    async def _asked(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        answer = await self._web.request(method, API + path, json=body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            await self._sign_in()
            answer = await self._web.request(method, API + path, json=body)
        return answer

    async def _sign_in(self) -> None:
        secret = {"name": self._person.name, "password": self._person.password}
        answer = await self._web.post(f"{API}/signin", json=secret)
        if answer.is_success:
            # The cookie is for https and localhost; httpx would not send it to an address.
            self._web.cookies.clear()
            self._web.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]

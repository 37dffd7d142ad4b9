"""Signing in: passwords anywhere, PINs on paired screens, and every way it ends (T03, 05, 15, 26)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http.cookies import SimpleCookie
from statistics import median

import httpx
import pytest

from monitor.api.throttle import PIN_WRONG_A_DAY, WRONG_FREE, WRONG_FREE_SOURCE, Throttle
from monitor.model import Staff
from monitor.people import Role, TokenKind
from tests.shells.api_clinic import PASSWORD, PATIENCE_S, PIN, STAFF, Clinic, hashed, running

ANNA = Staff("anna")
PERSON, SCREEN = "__Host-chairside", "__Host-chairside-screen"


def cookie(answer: httpx.Response, name: str) -> str:
    """The value of a cookie that was set."""
    return SimpleCookie(answer.headers["set-cookie"])[name].value


async def enter(clinic: Clinic, cookies: str = "", **body: str) -> httpx.Response:
    """POST /signin as a browser with these cookies."""
    async with clinic.browser() as client:
        return await client.post("/api/v1/signin", json=body, headers={"Cookie": cookies} if cookies else {})


async def me(clinic: Clinic, cookies: str) -> httpx.Response:
    async with clinic.browser() as client:
        return await client.get("/api/v1/me", headers={"Cookie": cookies})


async def paired(clinic: Clinic, name: str = "floor") -> str:
    """Pair a screen through the API; its cookie."""
    async with clinic.browser("eli") as client:
        answer = await client.post("/api/v1/screens", json={"name": name})
        assert answer.status_code == 201
        return f"{SCREEN}={cookie(answer, SCREEN)}"


async def test_a_password_opens_and_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    async with running() as clinic:
        answer = await enter(clinic, name="anna", password=PASSWORD)
        assert answer.json() == {
            "name": "anna",
            "display": "Anna",
            "role": "nurse",
            "screen": None,
            "ends_at_ms": clinic.wall.now_ms() + 12 * 3_600_000,
            "idle_ms": 12 * 3_600_000,
            "home": "/me",
            "hears": {"least": "LOW", "beds": None},
        }
        flags = answer.headers["set-cookie"].lower()
        for flag in (
            f"{PERSON.lower()}=",
            "httponly",
            "secure",
            "samesite=strict",
            "path=/",
            "max-age=43200",
        ):
            assert flag in flags
        assert "domain" not in flags
        assert (await me(clinic, f"{PERSON}={cookie(answer, PERSON)}")).json()["name"] == "anna"


async def test_an_insecure_lan_drops_the_prefix_and_secure_and_nothing_else() -> None:
    async with running(insecure_lan=True) as clinic:
        flags = (await enter(clinic, name="anna", password=PASSWORD)).headers["set-cookie"].lower()
        assert flags.startswith("chairside=")
        assert "secure" not in flags
        assert "httponly" in flags
        assert "samesite=strict" in flags


async def test_a_new_sign_in_has_a_new_id_and_ends_the_one_before() -> None:
    async with running() as clinic:
        first = f"{PERSON}={cookie(await enter(clinic, name='anna', password=PASSWORD), PERSON)}"
        second = await enter(clinic, first, name="carla", password=PASSWORD)
        assert f"{PERSON}={cookie(second, PERSON)}" != first
        assert (await me(clinic, first)).status_code == 401
        assert all("secret" not in key and len(key) == 64 for key in clinic.accounts.by_hash)


async def test_signing_out_ends_it_at_the_server_and_a_kept_cookie_opens_nothing() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        gone = await client.post("/api/v1/signout")
        assert gone.status_code == 204
        assert 'chairside=""' in gone.headers["set-cookie"]
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_pin_works_on_a_paired_screen_and_nowhere_else() -> None:
    async with running() as clinic:
        refused = await enter(clinic, name="anna", pin=PIN)
        assert refused.status_code == 403
        assert "paired screen" in refused.json()["detail"]
        screen = await paired(clinic)
        answer = await enter(clinic, screen, name="anna", pin=PIN)
        assert answer.json()["screen"] == "floor"
        person = f"{PERSON}={cookie(answer, PERSON)}"
        assert (await me(clinic, f"{screen}; {person}")).json()["role"] == "nurse"
        assert (await me(clinic, person)).status_code == 401, "a PIN carried to another browser"
        other = await paired(clinic, "door")
        assert (await me(clinic, f"{other}; {person}")).json()["role"] == "display"


async def test_when_the_person_ends_the_screen_stays() -> None:
    async with running() as clinic:
        screen = await paired(clinic)
        person = f"{PERSON}={cookie(await enter(clinic, screen, name='anna', pin=PIN), PERSON)}"
        clinic.wall.advance(119_999)
        assert (await me(clinic, f"{screen}; {person}")).json()["name"] == "anna"
        clinic.wall.advance(120_000)
        assert (await me(clinic, f"{screen}; {person}")).json() == {
            "name": "floor",
            "display": "floor",
            "role": "display",
            "screen": "floor",
            "ends_at_ms": None,
            "idle_ms": None,
            "home": "/",
            "hears": {"least": "LOW", "beds": None},
        }


async def test_what_a_screen_polls_by_itself_does_not_keep_a_person_signed_in() -> None:
    async with running() as clinic:
        screen = await paired(clinic)
        person = f"{PERSON}={cookie(await enter(clinic, screen, name='anna', pin=PIN), PERSON)}"
        async with clinic.browser() as client:
            client.headers["Cookie"] = f"{screen}; {person}"
            clinic.wall.advance(60_000)
            assert (await client.get("/api/v1/beds/3/trend")).status_code == 200
            clinic.wall.advance(60_000)
            assert (await client.post("/api/v1/beds/3/cuff")).status_code == 403


async def test_a_revoked_screen_takes_whoever_signed_in_on_it_along() -> None:
    async with running() as clinic:
        screen = await paired(clinic)
        person = f"{PERSON}={cookie(await enter(clinic, screen, name='anna', pin=PIN), PERSON)}"
        async with clinic.browser("eli") as client:
            assert [s["screen"] for s in (await client.get("/api/v1/screens")).json()["screens"]] == ["floor"]
            assert (await client.delete("/api/v1/screens/floor")).status_code == 204
            assert (await client.delete("/api/v1/screens/floor")).status_code == 404
        assert (await me(clinic, f"{screen}; {person}")).status_code == 401


async def test_a_screen_cannot_take_a_name_that_is_taken() -> None:
    async with running() as clinic, clinic.browser("eli") as client:
        assert (await client.post("/api/v1/screens", json={"name": "anna"})).status_code == 409
        assert (await client.post("/api/v1/screens", json={"name": "floor"})).status_code == 201
        assert (await client.post("/api/v1/screens", json={"name": "floor"})).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"disabled": True},
        {"role": Role.PRESCRIBER},
        {"password_hash": "another"},
        {"pin_hash": "another"},
    ],
)
async def test_an_account_that_changes_ends_its_sign_ins(change: dict[str, object]) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        clinic.accounts.kept[ANNA] = replace(clinic.accounts.kept[ANNA], **change)  # type: ignore[arg-type]
        assert (await client.get("/api/v1/me")).status_code == 401
        clinic.accounts.kept[ANNA] = replace(
            clinic.accounts.kept[ANNA],
            disabled=False,
            role=Role.NURSE,
            password_hash=hashed(PASSWORD),
            pin_hash=hashed(PIN),
        )
        assert (await client.get("/api/v1/me")).status_code == 401, (
            "and changing it back does not revive them"
        )


async def test_no_sign_in_outlasts_twelve_hours_however_busy() -> None:
    async with running() as clinic:
        person = f"{PERSON}={cookie(await enter(clinic, name='anna', password=PASSWORD), PERSON)}"
        for _ in range(11):
            clinic.wall.advance(3_600_000)
            assert (await me(clinic, person)).status_code == 200
        clinic.wall.advance(3_600_000)
        assert (await me(clinic, person)).status_code == 401


async def test_wrong_unknown_disabled_and_unset_are_answered_alike() -> None:
    async with running() as clinic:
        clinic.accounts.kept[Staff("left")] = replace(
            clinic.accounts.kept[ANNA], name=Staff("left"), disabled=True
        )
        clinic.accounts.kept[Staff("new")] = replace(
            clinic.accounts.kept[ANNA], name=Staff("new"), password_hash=None
        )
        answers = [
            await enter(clinic, name="anna", password="wrong"),  # noqa: S106  meant to be wrong
            await enter(clinic, name="nobody", password=PASSWORD),
            await enter(clinic, name="left", password=PASSWORD),
            await enter(clinic, name="new", password=PASSWORD),
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1


async def test_a_name_that_does_not_exist_takes_as_long_as_a_wrong_password() -> None:
    async with running() as clinic:
        took: dict[str, list[float]] = {"anna": [], "nobody": []}
        await enter(clinic, name="nobody", password="warm")  # noqa: S106  the first one makes the dummy hash
        for _ in range(4):
            for name, times in took.items():
                began = time.perf_counter()
                assert (await enter(clinic, name=name, password="wrong")).status_code == 401  # noqa: S106
                times.append(time.perf_counter() - began)
        # Both hash once; without the dummy hash the unknown name would be ten times quicker.
        assert 0.5 < median(took["anna"]) / median(took["nobody"]) < 2


async def test_after_five_wrong_passwords_one_waits_and_others_do_not() -> None:
    async with running() as clinic:
        tries = [await enter(clinic, name="anna", password="wrong") for _ in range(7)]  # noqa: S106
        assert [answer.status_code for answer in tries] == [401] * 5 + [429] * 2
        assert 1 <= int(tries[-1].headers["retry-after"]) <= 15
        assert (await enter(clinic, name="anna", password=PASSWORD)).status_code == 429
        assert (await enter(clinic, name="ben", password=PASSWORD)).status_code == 200


async def test_many_tries_at_once_do_not_slip_through_before_they_are_counted() -> None:
    async with running() as clinic:
        tries = await asyncio.gather(
            *(enter(clinic, name="anna", password="wrong") for _ in range(15))  # noqa: S106
        )
        assert sorted(answer.status_code for answer in tries) == [401] * 5 + [429] * 10


async def test_one_source_cannot_try_a_common_password_on_everybody() -> None:
    throttle = Throttle()
    for number in range(WRONG_FREE_SOURCE):
        assert throttle.wait_s(f"nurse{number}", "10.0.0.9") == 0
        throttle.wrong_password(f"nurse{number}", "10.0.0.9")
    assert throttle.wait_s("somebody", "10.0.0.9") > 0
    assert throttle.wait_s("somebody", "10.0.0.8") == 0


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_ends_with_the_right_password() -> None:
    throttle = Throttle()
    waits = []
    for _ in range(14):
        throttle.wrong_password("anna", "here")
        waits.append(throttle.wait_s("anna", "here"))
    assert waits == [0] * (WRONG_FREE - 1) + [15, 30, 60, 120, 240, 480, 900, 900, 900, 900]
    throttle.right_password("anna", "here")
    assert throttle.wait_s("anna", "here") == 0


async def test_after_five_wrong_pins_only_the_password_helps_and_it_frees_the_pin() -> None:
    async with running() as clinic:
        screen = await paired(clinic)
        wrong = [await enter(clinic, screen, name="anna", pin="0000") for _ in range(6)]
        assert [answer.status_code for answer in wrong] == [401] * 5 + [429]
        assert wrong[-1].json()["detail"] == "Too many wrong PINs. Sign in with your password."
        assert (await enter(clinic, screen, name="anna", pin=PIN)).status_code == 429
        assert (await enter(clinic, screen, name="ben", pin=PIN)).status_code == 200
        assert (await enter(clinic, screen, name="anna", password=PASSWORD)).status_code == 200
        assert (await enter(clinic, screen, name="anna", pin=PIN)).status_code == 200


def test_a_pin_cannot_be_searched_for_day_after_day() -> None:
    throttle = Throttle()
    for _ in range(PIN_WRONG_A_DAY):
        throttle.wrong_pin("anna", "screen floor")
    assert not throttle.pin_allowed("anna", "screen floor")
    assert throttle.pin_allowed("ben", "screen floor")


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "١٢٣٤", ""])
async def test_a_pin_is_four_to_six_digits(pin: str) -> None:
    async with running() as clinic:
        screen = await paired(clinic)
        assert (await enter(clinic, screen, name="anna", pin=pin)).status_code == 422


async def test_a_machines_token_ends_when_its_account_is_disabled() -> None:
    async with running() as clinic:
        headers = clinic.headers("machine")
        async with httpx.AsyncClient(base_url=clinic.origin, headers=headers, trust_env=False) as client:
            assert (await client.get("/api/v1/status")).status_code == 200
            clinic.accounts.kept[Staff("machine")] = replace(
                clinic.accounts.kept[ANNA], name=Staff("machine"), role=Role.MACHINE, disabled=True
            )
            assert (await client.get("/api/v1/status")).status_code == 401


async def test_while_the_accounts_cannot_be_read_a_nurse_can_still_acknowledge() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        clinic.accounts.broken = True
        clinic.wall.advance(60_000)
        assert (await client.post("/api/v1/beds/3/cuff")).status_code == 200
        assert (await enter(clinic, name="ben", password=PASSWORD)).status_code == 500, "nobody new"
        async with clinic.browser() as stranger:
            answer = await stranger.get("/api/v1/me", headers={"Cookie": f"{PERSON}=made-up"})
            assert answer.status_code == 401


async def test_hashing_does_not_hold_up_the_ward() -> None:
    async with running() as clinic:
        entering = [
            asyncio.create_task(enter(clinic, name=f"nobody{n}", password="wrong"))  # noqa: S106
            for n in range(4)
        ]
        async with clinic.browser("anna") as client:
            assert (await client.get("/api/v1/beds")).status_code == 200
            assert not all(task.done() for task in entering)
        async with asyncio.timeout(PATIENCE_S):
            assert {(await task).status_code for task in entering} == {401}


def test_screens_and_programs_are_kinds_of_tokens_of_their_own() -> None:
    assert {kind.value for kind in TokenKind} == {"password", "pin", "page", "screen", "bearer"}


@pytest.mark.parametrize(
    ("who", "on_a_screen", "home"),
    [
        ("anna", False, "/me"),
        ("carla", False, "/me"),
        ("dr-dee", False, "/me"),
        ("eli", False, "/"),
        ("machine", False, "/"),
        ("display", False, "/"),
        ("anna", True, "/"),
    ],
)  # fmt: skip
async def test_everybody_is_told_where_they_are_at_home(who: str, on_a_screen: bool, home: str) -> None:  # noqa: FBT001  a case of the table
    async with running() as clinic, clinic.browser() as client:
        headers = clinic.headers(who)
        if on_a_screen:
            headers["Cookie"] += "; " + clinic.headers("display")["Cookie"]
        assert (await client.get("/api/v1/me", headers=headers)).json()["home"] == home
        if who in STAFF:
            del headers["Cookie"]
            if on_a_screen:
                headers["Cookie"] = clinic.headers("display")["Cookie"]
            signed_in = await client.post(
                "/api/v1/signin", json={"name": who, "password": PASSWORD}, headers=headers
            )
            assert signed_in.json()["home"] == home

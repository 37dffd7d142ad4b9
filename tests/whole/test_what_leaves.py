"""Everything that leaves the process in a day, and not a word in it of who is here or why (HZ-14).

A real service with two kinds of treatment and two patients who are only watched. Every way of paging goes to
an address outside, Home Assistant is told, the metrics are read, the service is killed once; staff write
names, drugs and reasons wherever they may write. All that left is read for what may not have (alarms.md 11).
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import msgspec
import pytest

from simulators.play import Part, Plan
from tests.shells.conftest import Mosquitto, mosquitto
from tests.whole.clinic import WHO_SIGN_IN, Clinic, Wire, until
from tests.whole.outside import Ear, listening, subscribed
from tests.whole.test_clinic_treatment import signed

__all__ = ["mosquitto"]

pytestmark = pytest.mark.real

SECRETS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "secrets.toml").read_text("utf-8"))
PLANTED: dict[str, str] = SECRETS["planted"]
STEMS: tuple[str, ...] = (*SECRETS["drugs"], *SECRETS["diagnoses"], *SECRETS["clinics"])

NASAL, IV, FALLING, RISING = "1", "2", "3", "4"
SCENARIOS = {NASAL: "N0-ESK", IV: "N0", FALLING: "D1", RISING: "H1"}
THERAPIES = {NASAL: ("spravato_us", 2), IV: ("iv_ketamine_40", 0)}
WORDS = f"{PLANTED['name']} wept: ketamine for her depression, PTSD, suicidal in May"
"""What staff write where they may write."""

UNSIGNED = ("/", "/signin", "/healthz", "/readyz", "/metrics", "/docs", "/api/v1/beds", "/api/v1/sessions")
"""What somebody asks for who has not signed in."""

BEFORE_S = 60
"""So long before anything happens the monitors begin."""

SHORT_S, SHORT_SPEED = 16, 30
DAY_S, DAY_SPEED = 480, 60
"""Real seconds, and how much faster the clinic's time goes: eight minutes, and eight hours."""


@pytest.mark.shows("HZ-14")
@pytest.mark.timeout(180)
async def test_what_leaves_in_eight_minutes_tells_nobody_who_is_here_or_why(
    tmp_path: Path, accounts: Path, mosquitto: Mosquitto
) -> None:
    left = await everything_that_leaves(tmp_path, accounts, mosquitto.port, SHORT_S, SHORT_SPEED)
    assert told_by(left) == []


@pytest.mark.torture
@pytest.mark.shows("HZ-14")
@pytest.mark.timeout(900)
async def test_what_leaves_in_a_whole_day_tells_nobody_who_is_here_or_why(
    tmp_path: Path, accounts: Path, mosquitto: Mosquitto
) -> None:
    left = await everything_that_leaves(tmp_path, accounts, mosquitto.port, DAY_S, DAY_SPEED)
    for where, text in left.items():
        print(f"{where}: {len(text)} characters")  # noqa: T201  figures are what torture is for
    assert told_by(left) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bed 3: *** SpO2 84 < 90. Open Chairside.", []),
        ("Bed 3: after Ketamine", ["ketamin"]),
        ('label="bipolar-ward"', ["bipolar"]),
        ("from Quillfeather", ["Quillfeather"]),
        ("zephyrine-17 in bed 3", ["zephyrine-17"]),
    ],
)
def test_a_word_that_may_not_leave_is_found_wherever_it_stands(text: str, found: list[str]) -> None:
    """The control: the reader of all that leaves is not blind."""
    assert told_by({"somewhere": text}) == [("somewhere", word, text) for word in found]


def told_by(left: dict[str, str]) -> list[tuple[str, str, str]]:
    """Where a word stands that may not leave: what left, the word, and the line it is in."""
    return [
        (where, word, line)
        for where, text in left.items()
        for line in text.splitlines()
        for word in (*STEMS, *PLANTED.values())
        if word.lower() in line.lower()
    ]


async def everything_that_leaves(
    folder: Path, accounts: Path, broker: int, for_s: float, speed: float
) -> dict[str, str]:
    """All that a clinic says to anybody while so much time passes, by where it was heard."""
    asked: list[str] = []
    async with (
        listening("web") as hook,
        listening("web") as push,
        listening("mail") as mail,
        subscribed(broker, "homeassistant/#", "chairside/#") as topics,
    ):
        clinic = written(folder, accounts, broker, hook, push, mail)
        try:
            with played(folder, speed) as stage:
                await clinic.start(speed)
                stage.write(f"clock {(await clinic.get('/status'))['at_ms']}\n".encode())
                stage.flush()
                await patients_come(clinic)
                await asyncio.gather(worked(clinic, for_s / 2), watched(clinic, asked, for_s / 2))
                clinic.running.kill()
                await clinic.start(speed)
                await asyncio.gather(worked(clinic, for_s / 2), watched(clinic, asked, for_s / 2))
                await until(lambda: '"kind":"over"' in hook.text and "is over" in push.text + mail.text)
        finally:
            await clinic.close()
        await until(lambda: "Subject:" in mail.text)
        left = {
            "standard output": (folder / "service.log").read_text("utf-8"),
            "the webhook": hook.text,
            "the push": push.text,
            "the mail": mail.text,
            "the broker": topics.text,
            "without a sign-in": "\n".join(asked),
        }
    # It was a day indeed: pages went every way, values were shown, and what staff wrote is in the record.
    for where in ("standard output", "the webhook", "the push", "the mail"):
        assert "Bed " in left[where], where
    assert "chairside/bed/3/spo2/state" in left["the broker"]
    assert 'chairside_alarms{priority="HIGH"' in left["without a sign-in"]
    record = str(clinic.journal())
    assert [word for word in (PLANTED["alias"], PLANTED["name"], "ketamine") if word not in record] == []
    return left


def written(folder: Path, accounts: Path, broker: int, hook: Ear, push: Ear, mail: Ear) -> Clinic:
    """A clinic that pages every way there is, with names in its settings that are nobody's business."""
    address = "127.0.0.1"
    ways = {
        "hook": f'way = "webhook"\nurl = "http://{address}:{hook.port}/"\nsecret = "{PLANTED["secret"]}"',
        "push": f'way = "apprise"\nurl = "ntfy://{address}:{push.port}/pages"',
        "mail": f'way = "apprise"\nurl = "mailto://{address}:{mail.port}?from=out@here.example&to=on@here.example"',
    }
    more = "\n".join(f'[[paging.pager]]\nname = "{name}"\n{rest}' for name, rest in ways.items())
    signatures = "\n".join(signed(therapy, "ida") for therapy, _ in THERAPIES.values())
    clinic = Clinic(folder, accounts, wires(folder), broker_port=broker, more=f"{more}\n{signatures}")
    text = clinic.config.read_text("utf-8")
    for before, after in (
        ('name = "Test clinic"', f'name = "{PLANTED["clinic"]}"'),
        (
            'pagers = ["gateway"]',
            f'pagers = ["gateway", "hook", "push", "mail"]\ndisplay = "{PLANTED["person"]}"',
        ),
        ("[[bed]]\n", f'[[bed]]\nplace = "{PLANTED["place"]}"\n'),
        (f"port = {broker}", f"port = {broker}\nhome_assistant = true"),
    ):
        assert before in text
        text = text.replace(before, after)
    clinic.config.write_text(text, "utf-8")
    return clinic


def wires(folder: Path) -> list[Wire]:
    """A monitor at every bed, and a cuff at all but one."""
    return [
        Wire(f"{name}-{bed}", driver, bed, str(folder / f"{name}-{bed}"))
        for bed in SCENARIOS
        for name, driver in (("monitor", "ivy-ansarb"), ("cuff", "suntech"))
        if name == "monitor" or bed != FALLING
    ]


@contextlib.contextmanager
def played(folder: Path, speed: float) -> Iterator[IO[bytes]]:
    """All monitors and cuffs in one process, which begins once it is told what time it is."""
    parts = [
        Part(
            driver=wire.driver,
            link=f"pty:{wire.link}",
            scenario=SCENARIOS[wire.bed],
            seed=20 + int(wire.bed),
            start_s=-BEFORE_S,
            options={"cycle_s": 0} if wire.driver == "ivy-ansarb" else {},
        )
        for wire in wires(folder)
    ]
    plan = folder / "plan.json"
    plan.write_bytes(msgspec.json.encode(Plan(parts=tuple(parts), speed=speed)))
    playing = [sys.executable, "-m", "simulators.play", str(plan)]
    with subprocess.Popen(playing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as stage:
        assert stage.stdin is not None
        try:
            yield stage.stdin
        finally:
            stage.terminate()


async def patients_come(clinic: Clinic) -> None:
    """Two are treated, two are watched; everything that can be written of them is."""
    alias = PLANTED["alias"]
    for bed, (therapy, devices) in THERAPIES.items():
        treated: dict[str, object] = {
            "bed": bed,
            "alias": alias,
            "therapy": therapy,
            "age_years": 41,
            "devices": devices,
        }
        session = (await clinic.act("/sessions", {**treated, "first": False}))["session"]
        await written_of(clinic, bed, session)
    for bed in (FALLING, RISING):
        await clinic.act("/sessions", {"bed": bed, "alias": alias, "cuff_interval_s": 300})
    # A password typed as a name, a name typed as a bed, words where a number belongs.
    for path, body in (
        ("/signin", {"name": PLANTED["secret"], "password": "whatever it was"}),
        ("/signin", {"name": "dana", "password": PLANTED["secret"]}),
        ("/sessions", {"bed": PLANTED["name"], "alias": WORDS, "age_years": WORDS}),
    ):
        assert (await clinic.ask("POST", path, body)).is_client_error


async def written_of(clinic: Clinic, bed: str, session: int) -> None:
    """The check-in with a note at each answer, a flag, a symptom, an event, a note, a drug's number."""
    treated = (await clinic.get(f"/beds/{bed}"))["bed"]["treatment"]
    moves: list[dict[str, object]] = [
        {"kind": "answer", "question": q["question"], "yes": q["kind"] in {"must", "confirm"}, "note": WORDS}
        for q in treated["questions"]
    ]
    moves += [
        {"kind": "checked_in"},
        {"kind": "flag", "flag": "suicide_risk", "on": True, "why": WORDS},
        {"kind": "symptom", "symptom": "chest pain", "severe": True, "note": WORDS},
        {"kind": "adverse_event", "what": WORDS, "serious": True, "outcome": WORDS, "related": WORDS},
        {"kind": "note", "text": WORDS},
        {"kind": "score", "score": "moaas", "value": 2, "note": WORDS},
        {
            "kind": "device",
            "number": 1,
            "lot": PLANTED["lot"],
            "expires": "2028-05-31",
            "last": True,
            "why": WORDS,
        },
        {"kind": "hold", "why": WORDS},
    ]
    taken = 0
    for move in moves:
        answer = await clinic.ask("POST", f"/sessions/{session}/moves", move)
        assert answer.is_success or answer.is_client_error, answer.text
        taken += answer.is_success
    assert taken > len(treated["questions"]), "the session took nothing but its answers"


async def worked(clinic: Clinic, for_s: float) -> None:
    """People answer their pages in turns, and are at the bed now and then."""
    answers = ("accept", "reject", "help")
    turn = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            while True:
                for page in (await clinic.get("/pages"))["pages"]:
                    if page["to"] in WHO_SIGN_IN and not page["over"]:
                        turn += 1
                        await clinic.ask(
                            "POST", f"/pages/{page['page_id']}/{answers[turn % 3]}", None, page["to"]
                        )
                for alarm in (await clinic.get("/alarms"))["alarms"][turn % 4 :: 4]:
                    await clinic.ask("POST", f"/alarms/{alarm['alarm_id']}/acknowledge")
                await asyncio.sleep(1)


async def watched(clinic: Clinic, asked: list[str], for_s: float) -> None:
    """Somebody without a sign-in asks for what there is, again and again."""
    async with httpx.AsyncClient(base_url=clinic.url, trust_env=False) as client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                while True:
                    for path in UNSIGNED:
                        answer = await client.get(path)
                        asked.append(f"{path} {answer.status_code} {dict(answer.headers)} {answer.text}")
                    await asyncio.sleep(1)

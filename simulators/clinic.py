"""`chairside demo`: a clinic that does not exist, and the real service watching it.

One supervisor has three children: a broker, one process that plays every monitor, and the service. A child
that dies is started again at once; the service comes back as its journal says it was. Ctrl-C ends all.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import msgspec
import typer

from monitor import terminal
from simulators.children import Child, DemoError, Log, start
from simulators.house import (
    ALIASES,
    BEDS_MAX,
    CUFF_S,
    LOOPBACK,
    NURSES,
    ORDINARY,
    PRESCRIBER,
    STAFF,
    TREATED,
    BedPlan,
    House,
    beds,
)
from simulators.rounds import Person, Round, rounds
from simulators.scenario import ScenarioError, names

SPEED_MAX = 60
READY_WITHIN_S = 60.0
SAVE_EVERY_S = 5.0
LEFT_FROM = 3
"""With more treated beds than this, one of them is left to whoever is looking."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Kept(msgspec.Struct, kw_only=True):
    """What the supervisor remembers from one start to the next, beside what the service keeps."""

    passwords: dict[str, str] = {}
    lived_s: float = 0.0
    """How long the patients have been here, in their own time."""


class Demo:
    """Everything of one demonstration, from the first child to the last."""

    def __init__(self, house: House, kept: Kept, say: Callable[[str], None]) -> None:
        """Nothing runs yet."""
        self._house, self._kept, self._say = house, kept, say
        self._began: float | None = None
        self._lived_before_s = kept.lived_s
        logs = house.folder / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        self._pages, self._service_log = Log(logs / "pages.log"), Log(logs / "service.log")
        self._other_log = Log(logs / "devices.log")
        self._broker = Child("the broker", self._broker_arguments, self._other_log.write, say)
        self._stage = Child("the monitors", self._stage_arguments, self._other_log.write, say)
        self._service = Child("the service", self._service_arguments, self._heard, say)

    async def run(self) -> None:
        """Start everything, say where it is, keep it running; ended by being cancelled."""
        tasks: list[asyncio.Task[Any]] = []
        try:
            await asyncio.gather(self._broker.begin(), self._stage.begin())
            tasks += [
                asyncio.create_task(self._broker.keep(_nothing)),
                asyncio.create_task(self._stage.keep(self._set_clocks)),
            ]
            await self._add_people()
            await asyncio.gather(self._broker.spoken(READY_WITHIN_S), self._stage.spoken(READY_WITHIN_S))
            await self._service.begin()
            await self._first_words()
            tasks.append(asyncio.create_task(self._service.keep(self._set_clocks)))
            await self._open()
            await self._set_clocks()
            self._began = time.monotonic()
            tasks.append(asyncio.create_task(self._treat()))
            self._greet()
            while True:
                await asyncio.sleep(SAVE_EVERY_S)
                self._save()
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            self._save()
            for task in tasks:
                task.cancel()
            for child in (self._service, self._stage, self._broker):
                await child.end()

    # Starting.

    async def _add_people(self) -> None:
        """The accounts, once; the first makes the store that the others then find."""
        new = [person for person in STAFF if person[0] not in self._kept.passwords]
        for group in (new[:1], new[1:]):
            await asyncio.gather(*(self._add(*person) for person in group))
        self._save()

    async def _add(self, name: str, display: str, role: str) -> None:
        password = secrets.token_urlsafe(9)
        adding = await start(
            *("monitor", "user", "add", name, "--role", role, "--display", display),
            *("--password-stdin", "--config", str(self._house.config)),
        )
        said, _ = await adding.communicate(f"{password}\n".encode())
        if adding.returncode != 0:
            raise DemoError(f"{name} could not be added: {said.decode('utf-8', 'replace').strip()}")
        self._kept.passwords[name] = password

    async def _first_words(self) -> None:
        """Wait until the service is ready, or say why it never will be."""
        listening = asyncio.create_task(self._service.listen())
        ready = asyncio.create_task(self._ready())
        done, _ = await asyncio.wait({listening, ready}, return_when=asyncio.FIRST_COMPLETED)
        if listening in done:
            ready.cancel()
            raise DemoError(f"the service did not start: {self._service.last_words or 'it said nothing'}")
        await ready
        listening.cancel()

    async def _ready(self) -> None:
        async with httpx.AsyncClient(base_url=self._house.address) as web:
            for _ in range(round(READY_WITHIN_S / 0.05)):
                with contextlib.suppress(httpx.HTTPError):
                    if (await web.get("/readyz")).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(0.05)
        raise DemoError(f"the service was not ready within {READY_WITHIN_S:.0f} s; see logs/service.log")

    async def _open(self) -> None:
        """Sessions on the empty beds, and the duty list if there is none: through the API, as staff would."""
        async with self._signed_in("mira") as web:
            shown = (await web.get("/api/v1/duty")).json()
            if not shown.get("on"):
                people = [{"bed": bed.name, "staff": self._nurse_of(bed)} for bed in self._house.beds]
                on = [name for name, _, role in STAFF if "nurse" in role or name == PRESCRIBER]
                _checked(await web.put("/api/v1/duty", json={"on": on, "beds": people}))
            tiles = [tile["bed"] for tile in (await web.get("/api/v1/beds")).json()["beds"]]
            taken = {bed["bed"] for bed in tiles if bed["session"] is not None}
            for place, bed in enumerate(self._house.beds):
                if bed.name not in taken:
                    _checked(await web.post("/api/v1/sessions", json=self._session(place, bed)))

    def _nurse_of(self, bed: BedPlan) -> str:
        """Half of the beds each: the first nurse has the first."""
        return NURSES[2 * self._house.beds.index(bed) // len(self._house.beds)]

    async def _treat(self) -> None:
        """Let the staff treat their patients, but one who is left to whoever is looking."""
        treated = [bed for bed in self._house.beds if bed.therapy]
        people = {name: Person(name, password) for name, password in self._kept.passwords.items()}
        left = self._left_to_you()
        await rounds(
            self._house.address,
            [
                Round(bed.name, self._nurse_of(bed), bed.patient, bed.start_s)
                for bed in treated
                if bed is not left
            ],
            people,
            PRESCRIBER,
            self._lived_s,
            self._house.speed,
        )

    def _left_to_you(self) -> BedPlan | None:
        """The last of the treated beds, where there are some for the staff besides."""
        treated = [bed for bed in self._house.beds if bed.therapy]
        return treated[-1] if len(treated) > LEFT_FROM else None

    def _session(self, place: int, bed: BedPlan) -> dict[str, Any]:
        """What staff would enter at the opening."""
        if bed.therapy:
            return {
                "bed": bed.name,
                "alias": ALIASES[place % len(ALIASES)],
                "therapy": bed.therapy,
                "age_years": 40,
                "devices": TREATED[bed.scenario][1],
                "first": False,
            }
        return self._watch(place, bed)

    def _watch(self, place: int, bed: BedPlan) -> dict[str, Any]:
        """Of somebody who is only watched: the patient's own normal before the drug."""
        patient, before_ms = bed.patient, round(1000 * min(bed.start_s, -60.0))
        if patient.story.drug == "none":
            before_ms = round(1000 * bed.start_s)
        taken = {
            "systolic_mmhg": patient.systolic(before_ms),
            "diastolic_mmhg": patient.diastolic(before_ms),
            "heart_rate_per_min": patient.heart_rate(before_ms),
            "spo2_percent": patient.spo2(before_ms),
            "respiration_per_min": patient.respiration(before_ms),
        }
        return {
            "bed": bed.name,
            "alias": ALIASES[place % len(ALIASES)],
            "baseline": {key: round(value) for key, value in taken.items() if value is not None},
            "cuff_interval_s": CUFF_S,
        }

    def _greet(self) -> None:
        left = self._left_to_you()
        lines = [
            "",
            f"Chairside is watching {len(self._house.beds)} beds that do not exist: {self._house.address}/",
            "",
            *(
                f"  {display:<14} {role:<14} sign in as {name:<6} with {self._kept.passwords[name]}"
                for name, display, role in STAFF
            ),
            "",
            f"Pages go to this window and to {self._house.folder}/logs/pages.log. Ctrl-C ends it all.",
            *(
                f"Bed {bed.name}: {bed.patient.story.title} ({bed.scenario})."
                for bed in self._house.beds
                if bed.scenario not in ORDINARY
            ),
            *(["The staff treat the others."] if any(bed.therapy for bed in self._house.beds) else []),
            *([f"Bed {left.name} is left to you: check the patient in."] if left else []),
        ]
        for line in lines:
            self._say(line)

    # Running.

    def _broker_arguments(self) -> Sequence[str]:
        return "simulators.broker", str(self._house.broker_port)

    def _stage_arguments(self) -> Sequence[str]:
        plan = self._house.folder / "plan.json"
        plan.write_bytes(msgspec.json.encode(self._house.plan(self._lived_s())))
        return "simulators.play", str(plan)

    def _service_arguments(self) -> Sequence[str]:
        return "monitor", "run", str(self._house.config), "--speed", f"{self._house.speed:g}"

    def _heard(self, line: str) -> None:
        """A line of the service: a page, or something for its log."""
        if line.startswith("page "):
            self._pages.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}")
            self._say(line)
        else:
            self._service_log.write(line)

    async def _set_clocks(self) -> None:
        """Let the patients begin, and set the bridges by the service's clock: at a speed it is its own."""
        await self._ready()
        async with self._signed_in("mira") as web:
            status = _checked(await web.get("/api/v1/status")).json()
            await self._stage.tell(f"clock {status['at_ms']}")

    @contextlib.asynccontextmanager
    async def _signed_in(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        address = self._house.address
        async with httpx.AsyncClient(base_url=address, headers={"Origin": address}) as web:
            password = self._kept.passwords[name]
            answer = _checked(await web.post("/api/v1/signin", json={"name": name, "password": password}))
            # The cookie is for https and localhost; httpx would not send it to an address.
            cookie = answer.headers["set-cookie"].partition(";")[0]
            web.cookies.clear()
            web.headers["Cookie"] = cookie
            yield web
            await web.post("/api/v1/signout")

    def _lived_s(self) -> float:
        played_s = 0.0 if self._began is None else time.monotonic() - self._began
        return self._lived_before_s + played_s * self._house.speed

    def _save(self) -> None:
        self._kept.lived_s = self._lived_s()
        _write_kept(self._house.folder, self._kept)


async def _nothing() -> None:
    """The broker needs nothing after it has come back."""


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        what = f"{answer.request.method} {answer.request.url.path}"
        raise DemoError(f"the service refused {what}: {answer.text[:300]}")
    return answer


def _kept_in(folder: Path) -> Kept:
    path = folder / "demo.json"
    if not path.is_file():
        return Kept()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (msgspec.DecodeError, OSError) as problem:
        raise DemoError(
            f"{path} cannot be read ({problem}); remove it, or choose another --data-dir"
        ) from None


def _write_kept(folder: Path, kept: Kept) -> None:
    beside = folder / ".demo.json.new"
    beside.write_bytes(msgspec.json.encode(kept))
    beside.chmod(0o600)
    beside.replace(folder / "demo.json")


def _free_port(wanted: int = 0) -> int:
    """`wanted` if nobody has it, otherwise any that is free."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((LOOPBACK, port))
            except OSError:
                continue
            free: int = trial.getsockname()[1]
            return free
    raise DemoError("no port is free on this machine")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder: two demonstrations in one would write one journal."""
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(
                f"a demonstration is running in {folder} already; --data-dir names another"
            ) from None
        yield


async def _run(demo: Demo) -> None:
    work = asyncio.create_task(demo.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return
    except httpx.HTTPError as problem:
        raise DemoError(f"the service does not answer: {problem or type(problem).__name__}") from None


@app.command(epilog="Example: chairside demo --beds 6 --speed 10 --scenario H1 --scenario D2")
def demo(
    bed_count: Annotated[int, typer.Option("--beds", min=1, max=BEDS_MAX, help="How many beds.")] = 6,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The dashboard's port.")] = 8000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same patients.")] = 1,
    speed: Annotated[
        float, typer.Option(help=f"How much faster time goes, above 0 and at most {SPEED_MAX}.")
    ] = 1.0,
    scenario: Annotated[
        list[str] | None,
        typer.Option(help=f"For the beds in turn, several times: {', '.join(names())}, a .toml, a .csv."),
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Where its records are kept.")] = Path("demo-data"),
) -> None:
    """A whole clinic on this machine: simulated patients and monitors, a real broker, the real service.

    Runs until Ctrl-C. A second start with the same --data-dir goes on where the first ended.
    """
    try:
        _demo(bed_count, port, seed, speed, scenario or (), data_dir.absolute())
    except (DemoError, ScenarioError) as problem:
        _refuse(str(problem))
    except OSError as problem:
        _refuse(f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem))


def _demo(bed_count: int, port: int, seed: int, speed: float, scenarios: Sequence[str], folder: Path) -> None:
    if not 0 < speed <= SPEED_MAX:
        raise DemoError(f"--speed is above 0 and at most {SPEED_MAX}")
    if importlib.util.find_spec("amqtt") is None:
        raise DemoError('the broker of the demonstration is missing: pip install "chairside[demo]"')
    planned = tuple(beds(bed_count, scenarios, seed))
    (folder / "ports").mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        found = _free_port(port)
        if found != port:
            _say(f"Port {port} is taken on this machine; using {found}.")
        house = House(folder, found, _free_port(), speed, planned)
        house.config.write_text(house.clinic_toml(), encoding="utf-8")
        asyncio.run(_run(Demo(house, _kept_in(folder), _say)))


def _refuse(why: str) -> NoReturn:
    typer.echo(f"demo: {why}", err=True)
    sys.exit(2)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads us any more: the clinic goes on
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    terminal.run(app, "chairside demo")

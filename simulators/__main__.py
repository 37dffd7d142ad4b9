"""`chairside simulate`, also `python -m simulators`: one device, on one cable, attached to one patient."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import typer

from monitor import terminal
from simulators.faults import EXPLAINED, parse
from simulators.play import (
    CALLING,
    ON_A_BROKER,
    SERIAL,
    Network,
    Part,
    patient_of,
    play,
    start_of,
    until_told,
)
from simulators.scenario import ScenarioError, names

EPILOG = (
    "Example: chairside simulate masimo-ascii1 --link pty --scenario D1 --start 1150 --fault unplug@60:20, "
    "and then: chairside listen masimo-ascii1 PATH, with the path it prints."
)
BROKER_WITHIN_S = 3.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

FAULT_HELP = "KIND@T[:ARG], T in seconds from now; may be given several times. " + "; ".join(
    f"{kind} ({explained}; usually {usual:g})" for kind, (usual, explained) in EXPLAINED.items()
)


@app.command(epilog=EPILOG)
def simulate(
    driver: Annotated[
        str, typer.Argument(help=f"The device: {', '.join((*SERIAL, *CALLING, *ON_A_BROKER))}.")
    ],
    link: Annotated[
        str,
        typer.Option(
            help="pty, pty:PATH, socket://:PORT (0 for a free one), mqtt://HOST/TOPIC or mllp://HOST:PORT."
        ),
    ] = "",
    scenario: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(names())}; or FILE.toml; or a recording, FILE.csv; or kept bytes, FILE.raw."
        ),
    ] = "N0",
    bed: Annotated[int, typer.Option(min=1, help="Which patient of a scenario that has several.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 1,
    speed: Annotated[float, typer.Option(help="How much faster time goes, above 0 and at most 1000.")] = 1.0,
    start: Annotated[
        float | None,
        typer.Option(help="The patient's second to begin at; 0 is the start of the drug."),
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="KEY=VALUE for the device.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
) -> None:
    """Play a device that does not exist, attached to a patient who does not exist, until Ctrl-C.

    It prints one line: where it listens, or whom it calls.
    """
    if not 0 < speed <= 1000:
        _refuse("--speed is above 0 and at most 1000")
    part = Part(
        driver=driver,
        link=link or ("pty" if driver in SERIAL else ""),
        scenario=scenario,
        bed=bed,
        seed=seed,
        start_s=start,
        options=_options(option or []),
    )
    try:
        start_ms = start_of(part, patient_of(scenario, bed, seed))
        faults = tuple(parse(text, start_ms) for text in fault or [])
        if driver in ON_A_BROKER:
            _find_broker(part.link)
        asyncio.run(_run(msgspec.structs.replace(part, faults=faults), speed))
    except* (ScenarioError, ValueError, OSError) as problems:
        _refuse(_words(problems))


async def _run(part: Part, speed: float) -> None:
    def announce(part: Part, where: str) -> None:
        does = "calls" if part.driver in CALLING else "listens at"
        typer.echo(f"{part.driver} with {part.scenario} (seed {part.seed}) {does} {where}")
        sys.stdout.flush()

    network = Network(speed)
    network.begin()
    await until_told(asyncio.create_task(play([part], network, announce)))


def _options(given: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key:
            _refuse(f"--option {text}: an option is KEY=VALUE")
        options[key] = _value(value)
    return options


def _value(text: str) -> Any:
    """Numbers, true, false and JSON as what they are; the rest as text."""
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(text)
    return text


def _find_broker(link: str) -> None:
    """Say at once that there is no broker, instead of trying for ever."""
    try:
        address = urlsplit(link)
        host, port = address.hostname, address.port or 1883
    except ValueError:
        return
    if host is None:
        return
    try:
        socket.create_connection((host, port), timeout=BROKER_WITHIN_S).close()
    except OSError as problem:
        raise OSError(f"{link}: no broker answers there: {problem.strerror or problem}") from None


def _words(problems: BaseExceptionGroup[Exception]) -> str:
    first: BaseException = problems
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, OSError) and first.strerror:
        name = f"{first.filename}: " if first.filename else ""
        return f"{name}{first.strerror}"
    return str(first)


def _refuse(why: str) -> NoReturn:
    typer.echo(f"simulate: {' '.join(why.split())}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    terminal.run(app, "chairside simulate")

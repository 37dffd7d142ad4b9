"""The command line: commands, arguments and exit codes, and nothing else.

Exit codes: 0 well, 2 what was asked cannot be (a bad config, an unknown driver), 3 a needed part cannot be
had, 4 no such session, 5 a broken journal. Errors are one line on stderr that says what to do.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, BinaryIO, NoReturn, TypeVar

import typer

from monitor import terminal

if TYPE_CHECKING:
    from monitor.config.settings import Clinic
    from monitor.devices.driver import Driver

T = TypeVar("T")

app = typer.Typer(
    name="chairside",
    help=(
        "Vital signs from bedside monitors to a nurse's screen and a page. Not a medical device."
        " Example: chairside run clinic.toml."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
journal = typer.Typer(
    no_args_is_help=True,
    help="The record of decisions: verify, export, follow. Example: chairside journal tail clinic.toml.",
)
user = typer.Typer(
    no_args_is_help=True,
    help="Staff accounts: add, list, disable, reset. Example: chairside user list --config clinic.toml.",
)
ehr = typer.Typer(
    no_args_is_help=True,
    help="What goes to the EHR: list, again, drop, call. Example: chairside ehr list clinic.toml.",
)
app.add_typer(journal, name="journal")
app.add_typer(ehr, name="ehr")
app.add_typer(user, name="user")

BAD_REQUEST, NO_PART, NO_SESSION, BROKEN = 2, 3, 4, 5

CHUNK = 64 * 1024

SPEED_MAX = 60
"""Faster than this the loop itself would be late by the clock it keeps."""

OPTION_HELP = "KEY=VALUE as in the options of a device, the value in JSON or plain text; several times."
ClinicFile = Annotated[Path, typer.Argument(metavar="CLINIC.toml", help="The clinic's settings.")]
Config = Annotated[Path, typer.Option("--config", help="The clinic's settings.")]


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(f"chairside: {message}", err=True)
    raise typer.Exit(code)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def demo(context: typer.Context) -> None:
    """Patients, devices, broker and service, all simulated. Example: chairside demo --beds 6 --speed 10."""
    _become("simulators.clinic", context.args)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def simulate(context: typer.Context) -> None:
    """One simulated device. Example: chairside simulate masimo-ascii1 --link pty --scenario D2."""
    _become("simulators", context.args)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def receive(context: typer.Context) -> None:
    """A receiver of HL7, to try [ehr] with. Example: chairside receive --port 2575 --answer AE."""
    _become("simulators.ehr", context.args)


def _become(module: str, arguments: list[str]) -> NoReturn:
    # The monitor never imports the simulators: they are another program.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606  our own interpreter


@app.command()
def run(
    clinic: ClinicFile,
    speed: Annotated[float, typer.Option(help="Run the clock so many times faster (for trials).")] = 1.0,
) -> None:
    """The service, until it is told to stop. Example: chairside run clinic.toml."""
    from monitor.service import CannotStartError, serve

    if not 0 < speed <= SPEED_MAX:
        _stop(f"--speed is above 0 and at most {SPEED_MAX}", BAD_REQUEST)
    settings = _clinic(clinic)
    try:
        serve(settings, speed)
    except CannotStartError as missing:
        _stop(str(missing), NO_PART)


@app.command()
def check(clinic: ClinicFile) -> None:
    """Read the settings, say every mistake, and what would be used. Example: chairside check clinic.toml."""
    from monitor.config import described
    from monitor.config.words import one_line
    from monitor.planning import therapies

    settings = _clinic(clinic)
    for line in (*described(settings), *therapies(settings)):
        typer.echo(one_line(line))


@app.command()
def drivers(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002  a flag
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As docs/devices has it.")] = False,  # noqa: FBT002
) -> None:
    """The devices that can be read. Example: chairside drivers."""
    import json

    from monitor.devices.catalogue import HEADINGS, described, markdown, tabled

    if as_json:
        typer.echo(json.dumps(described(), indent=2))
        return
    if as_markdown:
        typer.echo(markdown())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEADINGS)
    for cells in tabled():
        table.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command()
def ports(
    where: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PORT_OR_URL]...", help="With --probe: only these, also socket:// and rfc2217://."
        ),
    ] = None,
    with_probe: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--probe", help="Listen, then ask, and say which driver seems to speak there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002  a flag
) -> None:
    """Serial ports with their stable names, and who speaks there. Example: chairside ports --probe."""
    import json
    from dataclasses import asdict

    from monitor.devices.links.ports import ports as serial_ports

    if where and not with_probe:
        _stop("a port is named only with --probe", BAD_REQUEST)
    found = [] if where else serial_ports()
    if with_probe and (where or found):
        _probed(where or [port.name for port in found], as_json=as_json)
        return
    if as_json:
        typer.echo(json.dumps([asdict(port) for port in found], indent=2))
    elif not found:
        typer.echo("No serial port is there: is the adapter plugged in?")
    for port in [] if as_json else found:
        typer.echo(f"{port.name}  {port.device}  {port.what}")


def _probed(where: list[str], *, as_json: bool) -> None:
    """What speaks on each of these ports, all at once: a line each; exit 3 if one could not be opened."""
    import asyncio
    import json
    from dataclasses import asdict

    from monitor.devices.codecs import DRIVERS
    from monitor.devices.links.link import silent
    from monitor.devices.probe import Outcome, Probed, probe

    say = _aside if sys.stderr.isatty() else silent

    async def all_of_them() -> list[Probed]:
        return await asyncio.gather(*(probe(port, DRIVERS.values(), say=say) for port in where))

    try:
        probed = _until_told(all_of_them())
    except ValueError as wrong:
        _stop(str(wrong), BAD_REQUEST)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in probed], indent=2))
    for one in [] if as_json else probed:
        typer.echo(f"{one.port}  {' or '.join(one.drivers) or '-'}  {one.why}")
    if any(one.outcome is Outcome.LOST for one in probed):
        raise typer.Exit(NO_PART)


@app.command()
def decode(
    driver: Annotated[str, typer.Argument(help="See `chairside drivers`.")],
    file: Annotated[Path | None, typer.Argument(help="Raw bytes; stdin if left out.")] = None,
    as_hex: Annotated[bool, typer.Option("--hex", help="The input is hex text, or a dump.")] = False,  # noqa: FBT002
    option: Annotated[list[str] | None, typer.Option(help=OPTION_HELP)] = None,
) -> None:
    """What a device's bytes say, as JSON Lines. Example: chairside decode masimo-ascii1 capture.raw."""
    import json

    from monitor.devices.codecs import DRIVERS
    from monitor.devices.hextext import from_hex
    from monitor.devices.lines import decode as decoded

    if driver not in DRIVERS:
        _stop(f"there is no driver {driver!r}; these are known: {', '.join(DRIVERS)}", BAD_REQUEST)
    options = _options(DRIVERS[driver], option or [])
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if file is None else file.open("rb") as source:
            chunks: Iterable[bytes] = _as_they_come(source)
            if as_hex:
                chunks = [from_hex(source.read().decode("ascii", "replace"))]
            for line in decoded(DRIVERS[driver], chunks, options):
                _say(json.dumps(line, ensure_ascii=False))
    except OSError as unreadable:
        _stop(f"{file or 'stdin'}: {unreadable.strerror}", BAD_REQUEST)
    except ValueError as wrong:
        _stop(f"this is not hex text: {wrong}", BAD_REQUEST)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def listen(
    driver: Annotated[str, typer.Argument(help="See `chairside drivers`.")],
    url: Annotated[
        str, typer.Argument(help="/dev/ttyUSB0, socket://host:port, rfc2217://..., mqtt://..., mllp://:port")
    ],
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    raw: Annotated[
        Path | None, typer.Option(help="Keep the bytes in this file, and their times in FILE.times.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help=OPTION_HELP)] = None,
) -> None:
    """What a live device says, as JSON Lines. Example: chairside listen nellcor-ascii /dev/ttyUSB0."""
    import json

    from monitor.devices.codecs import DRIVERS
    from monitor.devices.kept import TIMES_SUFFIX
    from monitor.devices.links.link import LinkLost
    from monitor.devices.listen import listen as heard

    if driver not in DRIVERS:
        _stop(f"there is no driver {driver!r}; these are known: {', '.join(DRIVERS)}", BAD_REQUEST)

    options = _options(DRIVERS[driver], option or [])
    said: list[str] = []

    def aside(text: str) -> None:
        said.append(text)
        _aside(text)

    async def say() -> None:
        with contextlib.ExitStack() as files:
            kept = files.enter_context(_new_file(raw)) if raw else None
            # A message carries its own time, and what is no file (/dev/null) has no place beside it.
            beside = raw and raw.is_file() and DRIVERS[driver].transport != "mqtt"
            times = files.enter_context(_new_file(Path(f"{raw}{TIMES_SUFFIX}"))) if beside else None
            words = heard(
                DRIVERS[driver], url, seconds=seconds, raw=kept, times=times, options=options, say=aside
            )
            async with contextlib.aclosing(words):
                async for line in words:
                    _say(json.dumps(line, ensure_ascii=False))

    try:
        _until_told(say())
    except (LinkLost, OSError) as lost:
        if str(lost) in said:
            raise typer.Exit(NO_PART) from None
        _stop(str(lost), NO_PART)
    except ValueError as wrong:
        _stop(str(wrong), BAD_REQUEST)


@app.command()
def replay(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE.csv ...]", help="Recorded numerics.")
    ] = None,
    therapy: Annotated[str, typer.Option(help="The limit profile.")] = "watch",
    t0: Annotated[float | None, typer.Option(help="Second of the first dose; before it is baseline.")] = None,
    limits: Annotated[
        Path | None, typer.Option(help="Changed limits, as in [limits] of the settings.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only the sums.")] = False,  # noqa: FBT002
    session: Annotated[list[int] | None, typer.Option(help="A stored session; several times.")] = None,
    last: Annotated[int, typer.Option(min=0, help="So many stored sessions, those that ended last.")] = 0,
    config: Config = Path("clinic.toml"),
) -> None:
    """What recorded patients, or stored sessions, would have alarmed and paged under these limits.

    Example: chairside replay case.csv --summary. Or: chairside replay --last 20 --limits new.toml.
    """
    import json

    from monitor.recording import BadRecording
    from monitor.replay import play

    if session or last:
        if files or t0 is not None or therapy != "watch":
            _stop("a stored session has its own readings, therapy and start: name no other", BAD_REQUEST)
        _again(config, session or [], last, limits, summary=summary)
        return
    if not files:
        _stop("name a recording, or stored sessions with --session or --last", BAD_REQUEST)
    try:
        for line in play(files, therapy=therapy, t0_s=t0, limits=limits):
            if not summary or line["event"] == "summary":
                _say(json.dumps(line, ensure_ascii=False))
    except BadRecording as bad:
        _stop(str(bad), BAD_REQUEST)


def _again(config: Path, sessions: list[int], last: int, limits: Path | None, *, summary: bool) -> None:
    """Stored sessions as the limits are set, and as they are proposed."""
    import asyncio
    import json

    from monitor.recording import BadRecording
    from monitor.replay import proposed, proposed_layers
    from monitor.reporting.kept import NoSuchSessionError
    from monitor.store.database import StoreError
    from monitor.whatif.command import stored
    from monitor.whatif.door import WrongLimitsError

    def say(line: dict[str, Any]) -> None:
        if not summary or line["event"] in {"summary", "skipped"}:
            _say(json.dumps(line, ensure_ascii=False))

    try:
        rows = None if limits is None else proposed(limits)
        layers = None if limits is None else proposed_layers(limits)
        asyncio.run(stored(_clinic(config), sessions, last, rows, layers, say))
    except BadRecording as bad:
        _stop(str(bad), BAD_REQUEST)
    except WrongLimitsError as wrong:
        where = limits.name if limits else "limits"
        _stop("\n".join(f"{where}: {line}" for line in str(wrong).splitlines()), BAD_REQUEST)
    except NoSuchSessionError as missing:
        _stop(str(missing), NO_SESSION)
    except StoreError as why:
        _stop(str(why), NO_PART)


@app.command()
def report(
    session: Annotated[int, typer.Argument(help="Its number, as on the screens.")],
    shape: Annotated[
        str, typer.Option("--format", help="pdf, json, csv, trends, fhir, hl7, rems or rems-pdf.")
    ] = "pdf",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file; stdout if left out.")] = None,
    config: Annotated[Path, typer.Option("--config", help="The clinic's settings.")] = Path("clinic.toml"),
) -> None:
    """One session's record, also while the service runs. Example: chairside report 12 -o 12.pdf."""
    import asyncio

    from monitor.records.shapes import SHAPES, CannotMakeError
    from monitor.reporting.command import report as made
    from monitor.reporting.kept import NoSuchSessionError
    from monitor.store.database import StoreError

    if shape not in SHAPES:
        _stop(f"there is no format {shape!r}; these are: {', '.join(SHAPES)}", BAD_REQUEST)
    if output is None and SHAPES[shape].ending.endswith(".pdf") and sys.stdout.isatty():
        _stop("a PDF is not for a terminal: name a file with -o", BAD_REQUEST)
    try:
        _, data = asyncio.run(made(_clinic(config), session, shape))
    except NoSuchSessionError as missing:
        _stop(str(missing), NO_SESSION)
    except (CannotMakeError, StoreError) as why:
        _stop(str(why), NO_PART)
    if output is None:
        sys.stdout.buffer.write(data)
        return
    with _new_file(output) as file:
        file.write(data)


@journal.command()
def verify(clinic: ClinicFile) -> None:
    """Check the hash chain; exit 5 names the first bad row. Example: chairside journal verify clinic.toml."""
    from monitor.store import commands

    wrong, count = _kept(commands.verify, clinic)
    if wrong is not None:
        _stop(wrong, BROKEN)
    typer.echo(f"{count} rows; the chain is whole")


@journal.command()
def export(
    clinic: ClinicFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file; stdout if left out.")] = None,
) -> None:
    """Every row as JSON Lines. Example: chairside journal export clinic.toml -o journal.jsonl."""
    from monitor.store import commands

    if output is None:
        _kept(commands.export, clinic, sys.stdout.buffer)
        return
    with _new_file(output) as file:
        count = _kept(commands.export, clinic, file)
    typer.echo(f"{count} rows written to {output}", err=True)


@journal.command()
def tail(
    clinic: ClinicFile,
    last: Annotated[int, typer.Option("-n", "--last", help="How many rows to begin with.")] = 10,
) -> None:
    """The last rows, then each new one as it comes. Example: chairside journal tail clinic.toml."""
    from monitor.store import commands

    with contextlib.suppress(KeyboardInterrupt):
        _kept(commands.tail, clinic, last, _say, _is_heard)


@ehr.command("list")
def ehr_list(clinic: ClinicFile) -> None:
    """How many wait, and what was put aside and why. Example: chairside ehr list clinic.toml."""
    from monitor.ehr import commands

    for line in _linked(commands.standing, clinic):
        typer.echo(line)


Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER...", help="As `chairside ehr list` says.")]


@ehr.command("again")
def ehr_again(
    clinic: ClinicFile,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="[NUMBER]...", help="As `chairside ehr list` says; all if left out."),
    ] = None,
) -> None:
    """Send again what the EHR did not take. Example: chairside ehr again clinic.toml 17."""
    from monitor.ehr import commands

    typer.echo(f"{_linked(commands.again, clinic, numbers or [])} wait again")


@ehr.command("drop")
def ehr_drop(clinic: ClinicFile, numbers: Numbers) -> None:
    """Never send these. Example: chairside ehr drop clinic.toml 17."""
    import time

    from monitor.ehr import commands

    typer.echo(f"{_linked(commands.drop, clinic, numbers, time.time_ns() // 1_000_000)} dropped")


@ehr.command("call")
def ehr_call(clinic: ClinicFile) -> None:
    """Call the EHR and hang up, to see whether it is there. Example: chairside ehr call clinic.toml."""
    from monitor.ehr import commands

    typer.echo(_linked(commands.call, clinic))


@user.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Lower case, as in [[staff]].")],
    role: Annotated[str, typer.Option(help="nurse, charge nurse, prescriber, administrator or machine.")],
    config: Config,
    display: Annotated[str, typer.Option(help="How the screens say it; the name if left out.")] = "",
    from_stdin: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--password-stdin", help="Read the password (and a PIN below it) from stdin.")
    ] = False,
) -> None:
    """Add a person. Example: chairside user add dana --role nurse --display Dana --config clinic.toml."""
    from monitor.store import commands

    password, pin = _secrets(from_stdin)
    _kept(commands.add_user, config, name, role, display or name, password, pin)


@user.command("list")
def user_list(config: Config) -> None:
    """Everybody who may sign in. Example: chairside user list --config clinic.toml."""
    from monitor.store import commands

    for line in _kept(commands.list_users, config):
        typer.echo(line)


@user.command("disable")
def user_disable(name: str, config: Config) -> None:
    """End all of a person's sign-ins and let them in no more. Example: chairside user disable dana ..."""
    from monitor.store import commands

    _kept(commands.disable_user, config, name)


@user.command("reset")
def user_reset(
    name: str,
    config: Config,
    from_stdin: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--password-stdin", help="Read the password (and a PIN below it) from stdin.")
    ] = False,
) -> None:
    """Give a new password, and end all sign-ins. Example: chairside user reset dana --config clinic.toml."""
    from monitor.store import commands

    password, pin = _secrets(from_stdin)
    _kept(commands.reset_user, config, name, password, pin)


def _secrets(from_stdin: bool) -> tuple[str, str | None]:  # noqa: FBT001  one flag, named at the call
    if from_stdin:
        lines = [line.rstrip("\n") for line in sys.stdin.readlines()]
        return (lines[0] if lines else ""), (lines[1] if len(lines) > 1 else None)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    pin = typer.prompt("PIN for paired screens (4-6 digits, empty for none)", default="", hide_input=True)
    return password, pin or None


def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end. Ctrl-C or SIGTERM ends it in order, with exit 0: a device is taken leave of."""
    import asyncio
    import signal

    async def told() -> T:
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(told())
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(0) from None


def _kept(command: Callable[..., Awaitable[T]], config: Path, *arguments: object) -> T:
    """Run a command of the store on what this clinic keeps."""
    import asyncio

    from monitor.store.commands import RefusedError
    from monitor.store.database import StoreError

    about = _clinic(config).about
    url = about.database.get_secret_value() if about.database else None
    try:
        return asyncio.run(command(about.data_dir, url, *arguments))  # type: ignore[arg-type]
    except RefusedError as refused:
        _stop(str(refused), BAD_REQUEST)
    except StoreError as missing:
        _stop(str(missing), NO_PART)


def _linked(command: Callable[..., Awaitable[T]], config: Path, *arguments: object) -> T:
    """Run a command of the EHR link."""
    import asyncio

    from monitor.store.database import StoreError

    clinic = _clinic(config)
    try:
        return asyncio.run(command(clinic, *arguments))  # type: ignore[arg-type]
    except StoreError as missing:
        _stop(str(missing), NO_PART)


def _clinic(path: Path) -> Clinic:
    """The settings, or every mistake in them on stderr and exit 2."""
    from monitor.alerts.rules import RULES
    from monitor.config import ConfigError, load
    from monitor.config.words import one_line
    from monitor.devices.codecs import DRIVERS
    from monitor.planning import mistakes

    found: list[str] = []
    clinic: Clinic | None
    try:
        clinic = load(path, os.environ, DRIVERS, [rule.name for rule in RULES])
    except ConfigError as wrong:
        found, clinic = wrong.mistakes, wrong.rest
    if clinic is not None:
        found += [one_line(f"{path.name}: {mistake}") for mistake in mistakes(clinic, DRIVERS)]
    for mistake in found:
        typer.echo(mistake, err=True)
    if clinic is None or found:
        raise typer.Exit(BAD_REQUEST)
    return clinic


def _options(driver: Driver, given: Iterable[str]) -> dict[str, Any]:
    """Options as they stand in `[device.options]`, each as KEY=VALUE with the value in JSON, or text."""
    import json

    options: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key:
            _stop(f"--option {text}: an option is KEY=VALUE", BAD_REQUEST)
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    try:
        driver.decoder(options)
    except ValueError as wrong:
        _stop(str(wrong), BAD_REQUEST)
    return options


def _as_they_come(source: IO[bytes]) -> Iterator[bytes]:
    """What is there, without waiting for more: a monitor that is still speaking is read as it speaks."""
    read = getattr(source, "read1", source.read)
    while data := read(CHUNK):
        yield data


def _new_file(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as wrong:
        _stop(f"{path}: {wrong.strerror}", BAD_REQUEST)


def _aside(text: str) -> None:
    typer.echo(f"chairside: {text}", err=True)


def _say(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def _is_heard() -> bool:
    """Whether whoever reads our stdout is still there: a pipe tells before anything is written to it."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def main() -> None:
    """Run one command."""
    terminal.run(app, "chairside")


if __name__ == "__main__":
    main()

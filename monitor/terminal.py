"""How a command of ours ends: an exit code, and one line of what to do where something was asked wrongly."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

BAD_REQUEST, INTERRUPTED = 2, 130

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer names only this child of it


def run(app: typer.Typer, name: str) -> NoReturn:
    """Run the command line and end the process."""
    try:
        code = typer.main.get_command(app).main(prog_name=name, standalone_mode=False)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except _UsageError as wrong:
        said = wrong.format_message()  # type: ignore[attr-defined]  # every one of them has it
        if "\n" in said.strip():  # nothing was asked: what could be is the answer
            sys.stderr.write(f"{said.strip()}\n")
        else:
            context = getattr(wrong, "ctx", None)
            command = context.command_path if context is not None else name
            stop = "" if said.endswith((".", "!", "?")) else "."
            sys.stderr.write(f"{name.split(maxsplit=1)[0]}: {said}{stop} See `{command} --help`.\n")
        sys.exit(BAD_REQUEST)
    sys.exit(code if isinstance(code, int) else 0)

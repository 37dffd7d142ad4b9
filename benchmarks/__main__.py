"""`python -m benchmarks [NAME ...]`: runs every benchmark of the house, or the ones named.

A full run writes `docs/performance.md`; a run of some prints only. Ends with 1 if a goal was missed.
"""

from __future__ import annotations

import importlib
import pkgutil
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path

import benchmarks
from benchmarks.measure import Row, table, watching_steal

FRAME = {"__main__", "judges", "measure", "recorded", "streams", "visits"}
"""The modules here that are no benchmarks."""

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"

DOOR = """# Performance

Written by `make bench`; do not edit. Measured on {machine}, {day}.

Product and comparison take turns in one run, and a ratio is the median of at least five pairs.
Cost is CPU time. Latency is wall time, and gets no verdict where more than 3 % of the processor was stolen.
Ratios hold elsewhere; absolute figures belong to this machine.
"""


def main(names: list[str]) -> int:
    """Run, print, and after a full run write the page."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in FRAME]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(
            f"no benchmark called {', '.join(unknown)}; there are: {', '.join(known) or 'none'}",
            file=sys.stderr,
        )
        return 2
    sections, every = [], []
    for title, rows in run(names or known):
        sections.append(f"## {title}\n\n{table(rows)}\n")
        every += rows
    if not names:
        day = datetime.now(UTC).strftime("%d %B %Y").lstrip("0")
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text("\n".join([DOOR.format(machine=machine(), day=day), *sections]))
        print(f"\nwritten to docs/{PAGE.name}")
    missed = [row.metric for row in every if row.ok is False]
    if missed:
        print(f"\n{len(missed)} of {len(every)} goals missed: " + "; ".join(missed))
    return 1 if missed else 0


def run(names: list[str]) -> Iterator[tuple[str, list[Row]]]:
    """Each benchmark's title (the first sentence of its module) and rows, printed as they come."""
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        rows: Callable[[], list[Row]] = module.rows
        with watching_steal() as steal:
            found = rows()
        title = (module.__doc__ or name).split("\n", 1)[0].rstrip(".")
        print(f"\n{title} (stolen meanwhile: {steal.share:.1%})\n{table(found)}", flush=True)
        yield title, found


def machine() -> str:
    """What it ran on, as far as it matters for the figures."""
    model = "an unnamed processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{cpu_count()} cores of {model}, Linux {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

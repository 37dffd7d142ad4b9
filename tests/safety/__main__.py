"""Writes each drawn page of docs/safety; ends with 1 where something has neither test nor reason."""

from __future__ import annotations

import sys

from tests.safety import trace
from tests.safety.pages import PAGES, PLAYED


def main() -> int:
    """Write what can be written, then say what does not fit together."""
    for name, draw in {**PAGES, **PLAYED}.items():
        page = trace.SAFETY / name
        text = draw()
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            sys.stdout.write(f"written: docs/safety/{name}\n")
    wrong = trace.mistakes(trace.requirements(), trace.hazards(), trace.shown())
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

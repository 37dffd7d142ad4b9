"""A damaged journal is kept aside, and a new one goes on from the rows before the first bad one (F07).

A ward must not stay dark because of a flipped bit. Nothing is thrown away, and the new journal itself says
what is missing from it and where the damaged file lies.
"""

from __future__ import annotations

import shutil
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from monitor.model import PartMoved
from monitor.store.database import bring_forward, database, make_folder, sync
from monitor.store.journal import Journal, Kept, insert_rows
from monitor.store.tables import JOURNAL


class Salvaged(NamedTuple):
    """What came of it."""

    bad_seq: int
    """The first row that is not in the new journal as it was."""
    aside: Path
    """The folder of the damaged file."""
    said: str


async def salvage(file: Path, kept: Kept) -> Salvaged:
    """Put a journal of the good rows in the place of `file`. If killed, the next start does it again."""
    fresh = file.with_name(f"{file.name}.new")
    damaged = await Journal.open(f"sqlite:///{file}", kept=kept, read_only=True)
    try:
        bad_seq = await damaged.verify() or 1
        await _copy_before(damaged, bad_seq, fresh)
    finally:
        await damaged.close()
    aside = _keep_aside(file)
    # A log of the old file beside the new one would be played into it.
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    fresh.replace(file)
    sync(file.parent)
    said = (
        f"The journal was damaged: it goes on from row {bad_seq - 1}."
        f" What came after that is only in the damaged file, kept in {aside}."
    )
    return Salvaged(bad_seq, aside, said)


async def mark(journal: Journal, salvaged: Salvaged) -> None:
    """Say in the journal itself that rows are missing from here on."""
    at_ms = journal.last_at_ms or 0
    await journal.append([PartMoved(at_ms, "journal", ok=True, why=salvaged.said, since_ms=at_ms)], 0)


async def _copy_before(damaged: Journal, bad_seq: int, fresh: Path) -> None:
    """The good rows as they are, hashes and all, in a file of this program's schema."""
    for left in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + left).unlink(missing_ok=True)
    place = database(f"sqlite:///{fresh}")
    try:
        await bring_forward(place, JOURNAL, None)
        after_seq = 0
        while good := [row for row in (await damaged.readable(after_seq))[0] if row.seq < bad_seq]:
            await place.write(partial(insert_rows, rows=[tuple(row) for row in good]))
            after_seq = good[-1].seq
    finally:
        await place.close()


def _keep_aside(file: Path) -> Path:
    make_folder(file.parent / "damaged")
    folders = (file.parent / "damaged" / str(n) for n in count(1))
    aside = next(folder for folder in folders if not folder.exists())
    make_folder(aside)
    for name in (file.name, f"{file.name}-wal"):
        if file.with_name(name).exists():
            shutil.copy2(file.with_name(name), aside / name)
            sync(aside / name)
    sync(aside)
    return aside

"""The trends: the flood of readings, written in batches once a second, thinned when read, pruned by age.

Nothing here raises into the turn for what a disk does: a batch that could not be written is tried again a
second later, and what no longer fits in memory is counted. A gap stays a gap: where nothing was known, a
trend says None and never joins the ends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import structlog
from sqlalchemy import Connection, Table, delete, func, literal, make_url, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import Bed, Cuff, CuffTaken, Quality, Reading, Readings, Vital, VitalTyped
from monitor.store.database import Database, StoreError, as_it_is, bring_forward, database, plainly, tell
from monitor.store.journal import Head
from monitor.store.tables import TRENDS, cuffs, heads, readings, sources

log = structlog.get_logger(__name__)

WAITING_MAX = 200_000
"""How many readings wait for the disk: over half an hour of 20 beds with 5 readings a second each."""

FLUSH_S = 1.0

KEEP_HEAD_EVERY = 60
"""Flushes between two heads of the journal that are kept: a minute (faults-and-threats F07)."""

HEADS_MAX = 10_000
"""How many heads are kept, a week of minutes. The newest vouches for the whole chain; the rest say where."""

PRUNE_EVERY = 3600
"""Flushes between two prunings: an hour."""

DAY_MS = 86_400_000

POINTS_MAX = 5000

BY_HAND = ""
"""What stands for a device where somebody typed the value."""

FRESH_MS = 10_000
FRESH_TEMPERATURE_MS = 900_000
"""How far apart two values may be and still be one line: while the first was fresh (physiology.md 1)."""

QUALITIES = (Quality.VALID, Quality.QUESTIONABLE, Quality.INVALID, Quality.MISSING)
"""A quality is kept as its place in this row: add at the end only."""

BY_MDC = {vital.mdc: vital for vital in Vital}

Kind = Reading | Readings | CuffTaken | VitalTyped
Point = tuple[int, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Trend:
    """What a chart shows of one bed. A point is (at_ms, lowest, highest) of its stretch; None is a gap.

    No stretch holds two sources, and between two there is a gap. Cuff readings stand apart, each whole,
    failed ones too; `cuffs_of` says of which device each is, None for one by hand.
    """

    vitals: dict[Vital, list[Point]]
    cuffs: list[tuple[int, Cuff]]
    cuffs_of: list[str | None]
    sources: dict[Vital, list[tuple[int, str]]]
    """From when on which device each line is of; "" is by hand."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was said of one vital of a bed: `values[i]` at `times_ms[i]`, and by which device.

    `sources` is (from when on, device), oldest first; "" is by hand. A value is None where none was known.
    """

    times_ms: list[int]
    values: list[float | None]
    qualities: list[Quality]
    sources: list[tuple[int, str]]


class _Value(NamedTuple):
    bed: str
    vital: int
    at_ms: int
    value: float | None
    quality: int


class _Cuff(NamedTuple):
    bed: str
    at_ms: int
    body: str
    device: str | None


class _Source(NamedTuple):
    bed: str
    vital: int
    at_ms: int
    device: str


class Trends:
    """The trend store, open. Made by `Trends.open`."""

    def __init__(self, place: Database, retention_days: int, notes: tuple[str, ...]) -> None:
        """Take what `open` has found."""
        self._place = place
        self._retention_ms = retention_days * DAY_MS
        self._waiting: deque[_Value | _Cuff | _Source] = deque()
        self._sources: dict[tuple[Bed, Vital], str] = {}
        self._newest_ms = 0
        self._flushing = asyncio.Lock()
        self.notes = notes
        """What was done to the file at the start, in words."""
        self.lost = 0
        """How many readings were dropped, the oldest first, because the disk did not take them."""
        self.failures = 0
        """How many times a batch could not be written."""
        self.why = ""
        """Why readings are not being kept now, in one sentence, or nothing."""

    @classmethod
    async def open(cls, url: str, *, retention_days: int = 90, read_only: bool = False) -> Self:
        """Open or make the trend store at `url` and bring its schema forward; or only look at it."""
        place = database(url, durable=False, read_only=read_only)
        where = make_url(url)
        backups = Path(where.database or "").parent / "backups" if where.host is None else None
        try:
            said = await (as_it_is(place, TRENDS) if read_only else bring_forward(place, TRENDS, backups))
        except BaseException as error:
            await place.close()
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise StoreError(f"The trends cannot be opened: {plainly(error)}.") from error
            raise
        made = cls(place, retention_days, (said,) if said else ())
        if not read_only:
            made._sources = await place.read(_speakers)
        return made

    def put(self, what: Kind) -> None:
        """Keep a reading, a cuff reading or a value taken by hand. Never waits: it is written by `run`."""
        match what:
            case Reading(at_ms, bed, device, vital, value, quality):
                if value is not None and not what.late:
                    self._is_of(bed, vital, at_ms, device)
                self._waiting.append(_Value(bed, vital.mdc, at_ms, value, QUALITIES.index(quality)))
            case Readings(bed=bed, device=device, vitals=vitals, times_ms=times_ms, columns=columns):
                for vital, column in zip(vitals, columns, strict=True):
                    if not what.late:
                        self._is_of(bed, vital, times_ms[0], device)
                    # Of several words on one instant the last is kept, here as in the file.
                    last = dict(zip(times_ms, column, strict=True))
                    self._waiting += (
                        _Value(bed, vital.mdc, at_ms, value, 0) for at_ms, value in last.items()
                    )
            case VitalTyped(at_ms, bed, vital, value):
                self._is_of(bed, vital, at_ms, BY_HAND)
                self._waiting.append(_Value(bed, vital.mdc, at_ms, value, 0))
            case CuffTaken(measured_at_ms=measured_at_ms, bed=bed, device=device, cuff=cuff):
                self._waiting.append(_Cuff(bed, measured_at_ms, msgspec.json.encode(cuff).decode(), device))
        self._newest_ms = max(self._newest_ms, what.at_ms)
        while len(self._waiting) > WAITING_MAX:
            gone = self._waiting.popleft()
            if isinstance(gone, _Source):  # it is told again with the next reading
                self._sources.pop((Bed(gone.bed), BY_MDC[gone.vital]), None)
            self.lost += 1

    def _is_of(self, bed: Bed, vital: Vital, at_ms: int, device: str) -> None:
        """From here on this line is of this device; kept where it was another's."""
        if self._sources.get((bed, vital)) != device:
            self._sources[bed, vital] = device
            self._waiting.append(_Source(bed, vital.mdc, at_ms, device))

    async def run(self, head: Callable[[], Head] | None = None) -> None:
        """Write once a second, keep `head()` once a minute and prune once an hour, for ever."""
        turn = 0
        while True:
            await self.flush()
            if head is not None and turn % KEEP_HEAD_EVERY == 0:
                await self.keep_head(head())
            if turn % PRUNE_EVERY == 0:
                await self.prune()
            turn += 1
            await asyncio.sleep(FLUSH_S)

    async def flush(self) -> bool:
        """Write all that waits now, in one transaction; False if it could not be, and waits on."""
        async with self._flushing:
            batch = list(self._waiting)
            if not batch:
                return True
            self._waiting.clear()
            try:
                await self._place.write(partial(_insert, batch=batch))
            except BaseException as error:
                # Twice written is as good as once: a row with the same key is replaced.
                self._waiting.extendleft(reversed(batch))
                if not isinstance(error, Exception):
                    raise
                self._failed(error)
                return False
            self.why = ""
            return True

    async def trend(self, bed: Bed, from_ms: int, to_ms: int, points: int = 1000) -> Trend:
        """The bed's history in `[from_ms, to_ms)`, at most about `points` stretches of it per vital."""
        bucket_ms = max(1, -(-(to_ms - from_ms) // min(max(points, 1), POINTS_MAX)))
        try:
            return await self._place.read(
                partial(_trend, bed=bed, from_ms=from_ms, to_ms=to_ms, bucket_ms=bucket_ms)
            )
        except Exception as error:
            raise StoreError(f"The history cannot be read: {plainly(error)}.") from error

    async def history(self, bed: Bed, from_ms: int, to_ms: int) -> dict[Vital, History]:
        """Every value of the bed in `[from_ms, to_ms)`, as it was kept: for a record, not for a chart."""
        try:
            return await self._place.read(partial(_history, bed=bed, from_ms=from_ms, to_ms=to_ms))
        except Exception as error:
            raise StoreError(f"The history cannot be read: {plainly(error)}.") from error

    async def prune(self) -> int:
        """Take away what is older than the retention, counted from the newest reading; how much it was."""
        before_ms = self._newest_ms - self._retention_ms
        if before_ms <= 0:
            return 0
        gone = 0
        last = ("", 0)
        try:
            # Series by series, so that no batch of readings waits long for the file.
            while series := await self._place.read(partial(_next_series, after=last)):
                gone += await self._place.write(partial(_prune, series=series, before_ms=before_ms))
                last = series
            gone += await self._place.write(partial(_prune_cuffs, before_ms=before_ms))
            await self._place.write(partial(_prune_sources, before_ms=before_ms))
            await self._place.write(_prune_heads)
        except Exception as error:  # noqa: BLE001  the next hour tries again
            self._failed(error)
        return gone

    async def keep_head(self, head: Head) -> bool:
        """Note where the journal's end is; False if it could not be noted."""
        if head.seq == 0:
            return True
        try:
            await self._place.write(partial(_upsert, table=heads, rows=[head._asdict()]))
        except Exception as error:  # noqa: BLE001  the next minute tries again
            self._failed(error)
            return False
        return True

    async def kept_heads(self) -> Sequence[Head]:
        """The heads that were noted, oldest first."""
        try:
            return [Head(row.seq, row.hash) for row in await self._place.read(_heads)]
        except Exception as error:
            raise StoreError(f"Where the journal should end cannot be read: {plainly(error)}.") from error

    async def forget_heads(self, from_seq: int) -> None:
        """Forget where the journal ended once: those rows have been set aside."""
        await self._place.write(
            lambda connection: connection.execute(delete(heads).where(heads.c.seq >= from_seq))
        )

    async def close(self) -> None:
        """Write what waits, if the disk takes it, and let go."""
        if not await self.flush():
            tell(log.error, "readings not kept", waiting=len(self._waiting), why=self.why)
        await self._place.close()

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.why = f"Readings are not being kept: {plainly(error)}."
        tell(
            log.error, "trends not written", why=plainly(error), error=repr(error), waiting=len(self._waiting)
        )


def thinned(rows: Sequence[Any], vital: Vital, from_ms: int, bucket_ms: int) -> list[Point]:
    """Stretches with values as points, and one None where the line must not be drawn through.

    `rows` have stretch, bucket, low, high, first_ms and last_ms (of what was said, number or not), in time
    order; another stretch is another source.
    """
    fresh_ms = FRESH_TEMPERATURE_MS if vital is Vital.TEMPERATURE else FRESH_MS
    points: list[Point] = []
    before: Any = None
    for row in rows:
        at_ms = from_ms + row.bucket * bucket_ms
        if before is not None:
            if before.stretch != row.stretch:
                # In the bucket that two sources share, the second begins where it first spoke.
                at_ms = max(at_ms, row.first_ms)
                ends_ms = min(before.last_ms + fresh_ms, at_ms - 1)
                if points[-1][1] is not None:
                    points.append((max(ends_ms, points[-1][0]), None, None))
            elif row.first_ms - before.last_ms > fresh_ms and points[-1][1] is not None:
                points.append((before.last_ms + fresh_ms, None, None))
        points.append((at_ms, row.low, row.high))
        before = row
    return points


def _trend(connection: Connection, bed: Bed, from_ms: int, to_ms: int, bucket_ms: int) -> Trend:
    # Whole numbers on both sides: both dialects cut the fraction off, and nothing here is negative.
    bucket = ((readings.c.at_ms - from_ms) // bucket_ms).label("bucket")
    changes = _sources(connection, bed, from_ms, to_ms)
    # Readings that lie behind the same change of source are of one source.
    change = select(func.max(sources.c.at_ms)).where(
        sources.c.bed == readings.c.bed,
        sources.c.vital == readings.c.vital,
        sources.c.at_ms <= readings.c.at_ms,
    )
    changed = any(len(of) > 1 for of in changes.values())
    stretch = (func.coalesce(change.scalar_subquery(), 0) if changed else literal(0)).label("stretch")
    found: dict[int, list[Any]] = {}
    for row in connection.execute(
        select(
            readings.c.vital,
            stretch,
            bucket,
            func.min(readings.c.value).label("low"),
            func.max(readings.c.value).label("high"),
            func.min(readings.c.at_ms).label("first_ms"),
            func.max(readings.c.at_ms).label("last_ms"),
        )
        .where(
            readings.c.bed == bed,
            readings.c.at_ms >= from_ms,
            readings.c.at_ms < to_ms,
            readings.c.vital.in_(BY_MDC),
        )
        .group_by(readings.c.vital, stretch, bucket)
        .order_by(readings.c.vital, stretch, bucket)
    ):
        found.setdefault(row.vital, []).append(row)
    taken = connection.execute(
        select(cuffs.c.at_ms, cuffs.c.body, cuffs.c.device)
        .where(cuffs.c.bed == bed, cuffs.c.at_ms >= from_ms, cuffs.c.at_ms < to_ms)
        .order_by(cuffs.c.at_ms)
    ).all()
    return Trend(
        {BY_MDC[mdc]: thinned(rows, BY_MDC[mdc], from_ms, bucket_ms) for mdc, rows in found.items()},
        [(row.at_ms, msgspec.json.decode(row.body, type=Cuff)) for row in taken],
        [row.device for row in taken],
        {vital: of for vital, of in changes.items() if vital.mdc in found},
    )


def _history(connection: Connection, bed: Bed, from_ms: int, to_ms: int) -> dict[Vital, History]:
    changes = _sources(connection, bed, from_ms, to_ms)
    found: dict[Vital, History] = {}
    for mdc, at_ms, value, quality in connection.execute(
        select(readings.c.vital, readings.c.at_ms, readings.c.value, readings.c.quality)
        .where(
            readings.c.bed == bed,
            readings.c.at_ms >= from_ms,
            readings.c.at_ms < to_ms,
            readings.c.vital.in_(BY_MDC),
        )
        .order_by(readings.c.vital, readings.c.at_ms)
    ):
        vital = BY_MDC[mdc]
        if vital not in found:
            found[vital] = History([], [], [], changes.get(vital, []))
        one = found[vital]
        one.times_ms.append(at_ms)
        one.values.append(value)
        one.qualities.append(QUALITIES[quality])
    return found


def _sources(
    connection: Connection, bed: Bed, from_ms: int, to_ms: int
) -> dict[Vital, list[tuple[int, str]]]:
    """From when on which device each line is of: the one it begins with, and every change."""
    found: dict[Vital, list[tuple[int, str]]] = {}
    for row in connection.execute(
        select(sources.c.vital, sources.c.at_ms, sources.c.device)
        .where(sources.c.bed == bed, sources.c.at_ms < to_ms, sources.c.vital.in_(BY_MDC))
        .order_by(sources.c.vital, sources.c.at_ms)
    ):
        of = found.setdefault(BY_MDC[row.vital], [])
        if of and row.at_ms <= from_ms:
            of.clear()
        of.append((row.at_ms, row.device))
    return found


def _insert(connection: Connection, batch: Sequence[_Value | _Cuff | _Source]) -> None:
    for kind, table in ((_Value, readings), (_Cuff, cuffs), (_Source, sources)):
        # By key, so that the last word wins where a batch says two things of one instant.
        rows = {each[: len(table.primary_key)]: each._asdict() for each in batch if isinstance(each, kind)}
        _upsert(connection, table, list(rows.values()))


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]
    new = insert(table)
    rest = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=rest), rows)


def _next_series(connection: Connection, after: tuple[str, int]) -> tuple[str, int] | None:
    key = tuple_(readings.c.bed, readings.c.vital)
    found = connection.execute(
        select(readings.c.bed, readings.c.vital)
        .where(key > tuple_(*after))
        .order_by(readings.c.bed, readings.c.vital)
        .limit(1)
    ).first()
    return None if found is None else (found.bed, found.vital)


def _prune(connection: Connection, series: tuple[str, int], before_ms: int) -> int:
    bed, vital = series
    return connection.execute(
        delete(readings).where(readings.c.bed == bed, readings.c.vital == vital, readings.c.at_ms < before_ms)
    ).rowcount


def _prune_cuffs(connection: Connection, before_ms: int) -> int:
    return connection.execute(delete(cuffs).where(cuffs.c.at_ms < before_ms)).rowcount


def _speakers(connection: Connection) -> dict[tuple[Bed, Vital], str]:
    """Whose each line was last: the newest rows come last, and win."""
    rows = connection.execute(
        select(sources.c.bed, sources.c.vital, sources.c.device)
        .where(sources.c.vital.in_(BY_MDC))
        .order_by(sources.c.at_ms)
    )
    return {(Bed(row.bed), BY_MDC[row.vital]): row.device for row in rows}


def _prune_sources(connection: Connection, before_ms: int) -> None:
    """The newest of each line stays: it says whose the readings after it are."""
    later = sources.alias()
    newer = select(later.c.at_ms).where(
        later.c.bed == sources.c.bed,
        later.c.vital == sources.c.vital,
        later.c.at_ms > sources.c.at_ms,
        later.c.at_ms < before_ms,
    )
    connection.execute(delete(sources).where(sources.c.at_ms < before_ms, newer.exists()))


def _prune_heads(connection: Connection) -> None:
    newest = select(heads.c.seq).order_by(heads.c.seq.desc()).limit(HEADS_MAX).subquery()
    connection.execute(delete(heads).where(heads.c.seq < select(func.min(newest.c.seq)).scalar_subquery()))


def _heads(connection: Connection) -> Sequence[Any]:
    return connection.execute(select(heads).order_by(heads.c.seq)).all()

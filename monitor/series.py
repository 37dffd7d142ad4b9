"""Earlier sessions of the same alias: what is kept of each, as traces since the drug and as a response.

Each session is read alone (`reporting/kept.py`), and only those whose alias is the same to the letter. Two
sessions of one alias that overlap in time are those of two people: then it is nobody's history, and none is
shown. Nothing is taken from one session into another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import msgspec

from monitor.config.settings import Clinic
from monitor.earlier import CuffThen, Earlier, MinuteThen, Response, SessionThen
from monitor.model import Admitted, Baseline, Bed, CuffTaken, Device, Quality, SessionMoved, Vital
from monitor.reporting.kept import Kept, gather
from monitor.store.journal import Journal
from monitor.store.trends import History, Trends
from monitor.treatment import BaselineTaken, DeviceGiven, Move, PhaseMoved

ABOVE_PERCENT = 20
"""The band round a baseline in which a patient may leave (protocols.md 7, 2)."""
JOINED_MIN = 30
"""Between readings further apart than this nothing is assumed."""
BEFORE_MIN = 15
"""So much from before the drug belongs to a trace."""
SESSIONS_MAX = 8
"""More than six infusions of a series, and no more than can be told apart behind a trace."""
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Histories:
    """The sessions of one clinic by their alias. `now_ms` is until when an open one is looked at."""

    clinic: Clinic
    journal: Journal
    trends: Trends
    now_ms: Callable[[], int]

    async def earlier(self, session: int) -> Earlier:
        """What is kept of earlier treatments of this session's alias; NoSuchSessionError or StoreError."""
        mine = await self._kept(session)
        alias = alias_of(mine)
        others = [await self._kept(number) for number in await self._of(alias) if number != session]
        return await asyncio.to_thread(earlier, mine, others)

    async def _of(self, alias: str) -> list[int]:
        """The numbers of the newest sessions of this alias, the oldest first."""
        said = f'"alias":{msgspec.json.encode(alias).decode()}'
        found: list[int] = []
        seq = 0
        while alias and (row := await self.journal.next_of(("Admitted",), seq, said)) is not None:
            seq = row.seq
            if not isinstance(row.event, Admitted) or row.event.alias != alias:
                continue
            opening = await self.journal.next_of(("SessionMoved",), seq, '"was":null')
            moved = None if opening is None else opening.event
            if isinstance(moved, SessionMoved) and (moved.at_ms, moved.bed) == (row.at_ms, row.event.bed):
                found.append(moved.session)
        return found[-(SESSIONS_MAX + 1) :]

    async def _kept(self, session: int) -> Kept:
        beds = {Device(one.name): Bed(one.bed) for one in self.clinic.devices}
        return await gather(self.journal, self.trends, session, self.now_ms(), beds)


def alias_of(kept: Kept) -> str:
    """Whose session it is, in the clinic's own word; "" where nobody has said."""
    if kept.opened is not None:
        return kept.opened.alias
    return kept.admitted.alias if kept.admitted is not None else ""


def earlier(mine: Kept, others: Iterable[Kept]) -> Earlier:
    """The earlier treatments among these that are of the same alias, the newest first. Pure."""
    alias = alias_of(mine)
    same = [kept for kept in others if alias_of(kept) == alias and kept.session != mine.session]
    then = session_then(mine)
    now = None if then is None else then.response
    why_not = _why_not(alias, mine, same)
    if why_not is not None:
        return Earlier(mine.session, alias, now, (), why_not)
    before = sorted((kept for kept in same if kept.moved.at_ms < mine.moved.at_ms), key=_opened_ms)
    sessions = tuple(one for kept in reversed(before) if (one := session_then(kept)) is not None)
    none = None if sessions else "There is no earlier treatment of this patient."
    return Earlier(mine.session, alias, now, sessions[:SESSIONS_MAX], none)


def session_then(kept: Kept) -> SessionThen | None:
    """One session as its traces and its response; None of one in which no drug was given. Pure."""
    start_ms = _start_ms(kept)
    if start_ms is None or kept.opened is None:
        return None
    taken = [row.event for row in kept.rows if isinstance(row.event, BaselineTaken)]
    baseline = taken[-1].baseline if taken else Baseline()
    cuffs = tuple(_cuffs(kept, start_ms))
    rate = Vital.HEART_RATE if Vital.HEART_RATE in kept.history else Vital.PULSE_SPO2
    return SessionThen(
        kept.session,
        kept.opened.therapy,
        len({row.event.number for row in kept.rows if isinstance(row.event, DeviceGiven)}),
        kept.moved.at_ms,
        start_ms,
        kept.ended_ms,
        baseline,
        cuffs,
        by_minute(kept.history, rate, start_ms),
        by_minute(kept.history, Vital.SPO2, start_ms),
        response(baseline.systolic, cuffs),
    )


def by_minute(history: Mapping[Vital, History], vital: Vital, start_ms: int) -> tuple[MinuteThen, ...]:
    """The median of each minute's valid values, from shortly before the drug on. Pure."""
    found: dict[int, list[float]] = {}
    kept = history.get(vital)
    if kept is None:
        return ()
    for at_ms, value, quality in zip(kept.times_ms, kept.values, kept.qualities, strict=True):
        minute = (at_ms - start_ms) // MINUTE_MS
        if value is not None and quality is Quality.VALID and minute >= -BEFORE_MIN:
            found.setdefault(minute, []).append(value)
    return tuple(MinuteThen(minute, median(values)) for minute, values in sorted(found.items()))


def response(baseline: float | None, cuffs: Sequence[CuffThen]) -> Response:
    """What the systolic pressure did from the drug on; see `Response`. Pure."""
    after = [cuff for cuff in cuffs if cuff.minute >= 0]
    if baseline is None or not after:
        return Response(baseline, None, None, None, None, None, None, still_above=False)
    above = round(baseline * (100 + ABOVE_PERCENT) / 100, 1)
    peak = max(after, key=lambda cuff: cuff.systolic)
    minutes = sum(
        _minutes_above(one, other, above)
        for one, other in pairwise(after)
        if other.minute - one.minute <= JOINED_MIN
    )
    over = [at for at, cuff in enumerate(after) if cuff.systolic > above]
    still = bool(over) and over[-1] == len(after) - 1
    returned = after[over[-1] + 1].minute if over and not still else None
    return Response(
        baseline,
        above,
        peak.systolic,
        round(peak.systolic - baseline, 1),
        peak.minute,
        round(minutes, 1),
        returned,
        still,
    )


def _minutes_above(one: CuffThen, other: CuffThen, above: float) -> float:
    """How long the straight line between two readings lies over this."""
    span = other.minute - one.minute
    low, high = sorted((one.systolic, other.systolic))
    if low > above:
        return span
    if high <= above:
        return 0.0
    return span * (high - above) / (high - low)


def _cuffs(kept: Kept, start_ms: int) -> Iterable[CuffThen]:
    for row in kept.rows:
        match row.event:
            case CuffTaken(measured_at_ms=at_ms, cuff=cuff) if cuff.quality is Quality.VALID:
                minute = round((at_ms - start_ms) / MINUTE_MS, 1)
                if cuff.systolic is not None and cuff.diastolic is not None and minute >= -BEFORE_MIN:
                    yield CuffThen(minute, cuff.systolic, cuff.diastolic)


def _start_ms(kept: Kept) -> int | None:
    for row in kept.rows:
        match row.event:
            case DeviceGiven(done_at_ms=done_ms) | PhaseMoved(move=Move.START, done_at_ms=done_ms):
                return done_ms
    return None


def _why_not(alias: str, mine: Kept, same: Iterable[Kept]) -> str | None:
    if not alias:
        return "This session has no alias, so nobody can say whose earlier ones are."
    for one, other in pairwise(sorted((mine, *same), key=_opened_ms)):
        if one.ended_ms is None or one.ended_ms > other.moved.at_ms:
            both = f"Sessions {one.session} and {other.session}"
            return f"{both} have this alias at the same time: it is not one person's."
    return None


def _opened_ms(kept: Kept) -> int:
    return kept.moved.at_ms

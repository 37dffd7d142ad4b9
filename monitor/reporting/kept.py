"""What is kept of one session and of no other: its rows of the journal, and its readings. Reads only.

A session's rows are those between its opening and its end that are about it: by its number, by its bed, by
its alarms and their pages, or by a device that measured its patient. What another patient left at the bed
(an alarm that was there already, a cuff reading taken before) is left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor.model import (
    Acked,
    Admitted,
    AlarmMoved,
    AlarmState,
    Bed,
    CuffNotTaken,
    CuffOrdered,
    CuffTaken,
    Device,
    LimitSet,
    LinkMoved,
    PageOrdered,
    PartMoved,
    Paused,
    Resumed,
    ServiceStarted,
    SessionMoved,
    SessionPhase,
    SourceMoved,
    Vital,
    VitalTyped,
)
from monitor.reporting import clinics
from monitor.reporting.clinics import OF_A_PAGE
from monitor.store.journal import Journal, Recorded
from monitor.store.trends import History, Trends
from monitor.treatment import Phase, PhaseMoved, TreatmentEvent, TreatmentOpened

TURN_ROWS = 200
"""How many rows before an opening are looked at for the rest of its turn."""

AFTERWARDS_MS = 60_000
"""What is written so long after the end still belongs to it: what became of the last pages."""

AFTERWARDS_ROWS = 500

OVER = frozenset({Phase.CLOSED, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE})

TREATMENT = tuple(kind.__name__ for kind in TreatmentEvent.__args__)

AT_BED = (
    Admitted,
    CuffTaken,
    CuffNotTaken,
    CuffOrdered,
    VitalTyped,
    SourceMoved,
    Paused,
    Resumed,
    LimitSet,
)


class NoSuchSessionError(LookupError):
    """There is no session of this number in the journal."""

    def __init__(self, session: int) -> None:
        """Say which."""
        super().__init__(f"there is no session {session}")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one session, in the order of the journal; `opened` is None of a plain watch session."""

    session: int
    bed: Bed
    moved: SessionMoved
    admitted: Admitted | None
    opened: TreatmentOpened | None
    rows: tuple[Recorded, ...]
    clinic: tuple[Recorded, ...]
    """What there was of alarms of the whole clinic meanwhile, from their own beginning on."""
    ended_ms: int | None
    history: dict[Vital, History]
    first_seq: int
    last_seq: int
    first_hash: str
    last_hash: str
    whole: bool


async def gather(
    journal: Journal, trends: Trends, session: int, now_ms: int, beds: Mapping[Device, Bed]
) -> Kept:
    """Read one session; `beds` says where each device is in the settings. NoSuchSessionError, StoreError."""
    opening = await _opening(journal, session)
    if opening is None:
        raise NoSuchSessionError(session)
    moved = opening.event
    if not isinstance(moved, SessionMoved):
        raise TypeError(f"row {opening.seq} opens no session")
    before = await journal.stretch(opening.seq - TURN_ROWS, opening.seq)
    first_seq = min(row.seq for row in before.rows if row.at_ms == opening.at_ms and _opens(row.event, moved))
    last_seq = await _last_seq(journal, opening)
    read = await journal.stretch(first_seq, last_seq)
    later = [row async for row in _later(journal, session, last_seq)]
    events = [row.event for row in (*read.rows, *later)]
    ended_ms = _ended_ms(events, session)
    from_ms, until_ms = moved.at_ms, (now_ms if ended_ms is None else ended_ms) + 1
    # The trends know no session: of the very millisecond of a change of patients nobody can say whose it is.
    from_ms += _changed_then(before.rows, moved, from_ms)
    until_ms -= ended_ms is not None and _changed_then(read.rows, moved, ended_ms)
    history = await trends.history(moved.bed, from_ms, until_ms)
    devices = {
        *(device for device, bed in beds.items() if bed == moved.bed),
        *_devices(events, moved),
        *(Device(d) for h in history.values() for _, d in h.sources),
    }
    ours = _Ours(moved, devices)
    rows = tuple(row for row in (*read.rows, *later) if ours(row.event))
    standing = await clinics.standing(journal, first_seq)
    return Kept(
        session,
        moved.bed,
        moved,
        next((row.event for row in rows if isinstance(row.event, Admitted)), None),
        next((row.event for row in rows if isinstance(row.event, TreatmentOpened)), None),
        rows,
        (*standing, *clinics.during(read.rows, standing, ended_ms)),
        ended_ms,
        history,
        first_seq,
        read.head.seq,
        read.first_hash,
        read.head.hash,
        read.whole,
    )


async def _opening(journal: Journal, session: int) -> Recorded | None:
    """The row that opened it. Numbers only rise, so the way there is halved again and again."""
    low, high = 0, await journal.count()
    while low < high:
        middle = (low + high) // 2
        row = await journal.next_of(("SessionMoved",), middle, '"was":null')
        number = row.event.session if row is not None and isinstance(row.event, SessionMoved) else None
        if row is None or number is None or number > session:
            high = middle
        elif number < session:
            low = row.seq
        else:
            return row
    return None


def _opens(event: object, moved: SessionMoved) -> bool:
    match event:
        case Admitted(bed=bed):
            return bed == moved.bed
        case TreatmentOpened(session=session):
            return session == moved.session
        case _:
            return event == moved


def _changed_then(rows: Iterable[Recorded], ours: SessionMoved, at_ms: int) -> bool:
    """Whether another session of the bed ended or began in this very millisecond."""
    return any(
        isinstance(row.event, SessionMoved)
        and row.at_ms == at_ms
        and row.event.bed == ours.bed
        and row.event.session != ours.session
        for row in rows
    )


async def _last_seq(journal: Journal, opening: Recorded) -> int:
    """The last row that can be of this session but for what is said of it once it is over."""
    session = opening.event.session if isinstance(opening.event, SessionMoved) else 0
    last = opening
    while (row := await journal.next_of(("SessionMoved",), last.seq, f'"session":{session},')) is not None:
        last = row
        if isinstance(row.event, SessionMoved) and row.event.now is SessionPhase.CLOSED:
            after = await journal.stretch(row.seq, row.seq + AFTERWARDS_ROWS)
            return max(one.seq for one in after.rows if one.at_ms <= row.at_ms + AFTERWARDS_MS)
    return await journal.count()


async def _later(journal: Journal, session: int, after_seq: int) -> AsyncIterator[Recorded]:
    """What was said of the session when nobody was at the bed any more: a note, and that the form is out."""
    while row := await journal.next_of(TREATMENT, after_seq, f'"session":{session},'):
        yield row
        after_seq = row.seq


def _ended_ms(events: Iterable[object], session: int) -> int | None:
    """When the patient was no longer watched: the first of its ends."""
    ends = [
        event.done_at_ms if isinstance(event, PhaseMoved) else event.at_ms
        for event in events
        if (isinstance(event, PhaseMoved) and event.session == session and event.now in OVER)
        or (isinstance(event, SessionMoved) and event.session == session and event.now is SessionPhase.CLOSED)
    ]
    return min(ends, default=None)


def _devices(events: Iterable[object], moved: SessionMoved) -> Iterator[Device]:
    for event in events:
        match event:
            case CuffTaken(bed=bed, device=device) | AlarmMoved(bed=bed, device=device):
                if bed == moved.bed and device is not None:
                    yield device
            case SourceMoved(bed=bed, was=was, now=now):
                if bed == moved.bed:
                    yield from (was, now)


class _Ours:
    """Which rows are of this session: by its number, its bed or its devices, or by its alarms and pages."""

    def __init__(self, moved: SessionMoved, devices: Collection[Device]) -> None:
        self._moved = moved
        self._devices = devices
        self._alarms: dict[int, bool] = {}
        self._pages: set[int] = set()
        self._over = False
        """Somebody else may lie there from here on."""

    def __call__(self, event: object) -> bool:  # noqa: PLR0911  a line a kind of event
        match event:
            case AlarmMoved():
                return self._alarm(event)
            case Acked(alarm_id=alarm_id):
                return self._alarms.get(alarm_id, False)
            case PageOrdered(alarm_id=alarm_id, page_id=page_id):
                if ours := self._alarms.get(alarm_id, False):
                    self._pages.add(page_id)
                return ours
            case SessionMoved(session=session, bed=bed, now=now):
                ours = session == self._moved.session
                # Whoever comes to the bed next ends it too, whatever became of its own last step.
                self._over = self._over or (now is SessionPhase.CLOSED if ours else bed == self._moved.bed)
                return ours
            case _ if isinstance(event, OF_A_PAGE):
                return event.page_id in self._pages
            case _ if isinstance(event, AT_BED):
                return not self._over and event.bed == self._moved.bed and self._now(event)
            case _:
                return self._elsewhere(event)

    def _alarm(self, event: AlarmMoved) -> bool:
        # What is raised when it is first heard of was raised for somebody who was here before.
        fresh = not self._over and event.was in {AlarmState.CLEAR, AlarmState.PENDING}
        return self._alarms.setdefault(event.alarm_id, event.bed == self._moved.bed and fresh)

    def _now(self, event: object) -> bool:
        """Whether it is about who is there now."""
        since_ms = self._moved.at_ms
        match event:
            case Admitted(at_ms=at_ms):
                return at_ms == since_ms
            case CuffTaken(measured_at_ms=measured_ms):
                return measured_ms >= since_ms
            case _:
                return True

    def _elsewhere(self, event: object) -> bool:
        match event:
            case LinkMoved(device=device):
                return not self._over and device in self._devices
            case PartMoved() | ServiceStarted():
                return not self._over
            case _:
                return getattr(event, "session", None) == self._moved.session

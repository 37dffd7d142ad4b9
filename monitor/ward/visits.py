"""Who lies where, and since when: the sessions that open and close at the beds. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Admitted, Bed, Discharged, SessionMoved, SessionPhase
from monitor.snapshot import SessionNow
from monitor.ward.bedside import Bedside


class Visits:
    """The open sessions, those that are closed, and the last number given; one object a ward."""

    def __init__(self, beds: Mapping[Bed, Bedside]) -> None:
        """Nobody has come yet."""
        self._beds = beds
        self._last = 0
        self.closed: dict[int, SessionNow] = {}

    def at(self, session: int) -> Bedside | None:
        """The bed where this session is open."""
        for bedside in self._beds.values():
            if bedside.session is not None and bedside.session.session == session:
                return bedside
        return None

    @property
    def next(self) -> int:
        """The number of the next session."""
        return self._last + 1

    def open(self, admitted: Admitted, phase: SessionPhase = SessionPhase.WATCH) -> SessionMoved:
        """A new session for whoever has been admitted."""
        return SessionMoved(admitted.at_ms, self.next, admitted.bed, None, phase, admitted.by)

    def close(self, event: Discharged) -> SessionMoved:
        """The end of an open session. Raises ValueError where it is not open."""
        bedside = self.at(event.session)
        if bedside is None or bedside.session is None:
            raise ValueError(f"session {event.session} was accepted for closing and is not open")
        was = bedside.session.phase
        return SessionMoved(event.at_ms, event.session, bedside.bed, was, SessionPhase.CLOSED, event.by)

    def moved(self, bedside: Bedside, moved: SessionMoved) -> None:
        """A session has opened or closed: nothing of the last patient stays at the bed."""
        self.number_given(moved)
        if moved.now is not SessionPhase.CLOSED:
            bedside.opened(moved)
        elif (closed := bedside.closed(moved)) is not None:
            self.closed[moved.session] = closed

    def number_given(self, moved: SessionMoved) -> None:
        """A number is never given again, even where its bed is gone."""
        self._last = max(self._last, moved.session)

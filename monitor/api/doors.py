"""What the API needs from the house: a few callables and protocols, and no other way in or out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from monitor.api.ward_view import TrendKept
from monitor.earlier import Earlier
from monitor.model import Bed, Priority, Staff
from monitor.numbers import Counters, Numbers
from monitor.page_link import PageLinks
from monitor.people import Account, Token
from monitor.snapshot import (
    Answer,
    Snapshot,
)
from monitor.treatment import Action

Read = Callable[[], Snapshot]
Submit = Callable[[Action], Awaitable[Answer]]
"""Stamps the act's `at_ms`, lets the ward decide in its own turn and gives back what came of it.

When something was done earlier it comes in as so long before its `at_ms`: it is stamped along.
"""


class Made(Protocol):
    """One session's record as a file."""

    @property
    def media_type(self) -> str:
        """What it is."""
        ...

    @property
    def data(self) -> bytes:
        """The whole of it."""
        ...


Limits = Mapping[str, Mapping[str, object]]
"""Rows by rule, as in `[limits]` of the settings."""


class Archive(Protocol):
    """The sessions that are kept. An answer is what was asked for, why not in words, or None: no such one."""

    async def report(self, session: int, shape: str) -> Made | str | None:
        """One session's record in one shape."""
        ...

    async def series(self, session: int) -> Earlier | str | None:
        """The sessions of the same alias before this one."""
        ...

    async def numbers(self, weeks: int) -> Numbers | str:
        """How alarms fared in the last weeks."""
        ...

    async def what_if(
        self,
        sessions: Sequence[int],
        last: int,
        weeks: int,
        limits: Limits | None,
        layers: Mapping[str, Limits] | None,
    ) -> Sequence[Mapping[str, object]] | str | None:
        """The summaries of these, the last so many and those of the last weeks; of all, last."""
        ...


class History(Protocol):
    """What was measured."""

    async def trend(self, bed: Bed, from_ms: int, to_ms: int, points: int) -> TrendKept:
        """A bed's vitals between two instants, at most `points` points each, minima and maxima kept."""
        ...


class Accounts(Protocol):
    """Who may sign in, and who is signed in. Kept by the store."""

    async def account(self, name: Staff) -> Account | None:
        """One account, disabled ones too."""
        ...

    async def accounts(self) -> Sequence[Account]:
        """All accounts."""
        ...

    async def put(self, account: Account) -> None:
        """Add an account or write over it."""
        ...

    async def token(self, secret_hash: str) -> Token | None:
        """One sign-in, screen or machine by the hash of its secret."""
        ...

    async def tokens(self, name: Staff | None = None) -> Sequence[Token]:
        """All tokens, or those of one name."""
        ...

    async def put_token(self, token: Token) -> None:
        """Add a token or write over it."""
        ...

    async def drop_token(self, secret_hash: str) -> None:
        """End one sign-in; nothing happens if it has ended already."""
        ...

    async def drop_tokens(self, name: Staff) -> None:
        """End every sign-in of one name."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """How the service itself is doing."""

    started_at_ms: int
    recording: bool
    recording_why: str
    paging: bool
    paging_why: str
    loop_lag_ms: int
    turn_age_ms: int
    """How long ago the last turn ended, in real milliseconds: more than a few seconds is a frozen ward."""
    journal_seq: int
    journal_head: str
    ready: bool = True
    """False until the journal has been replayed and the first turn is done."""
    ehr_waiting: int | None = None
    """Messages that wait for the EHR; None where there is none."""
    ehr_aside: int | None = None
    """Messages that the EHR did not take."""


@dataclass(frozen=True, slots=True)
class Hears:
    """What a screen sounds where it stands: from which priority on (None: nothing), and of which beds."""

    least: Priority | None = Priority.LOW
    beds: tuple[str, ...] = ()
    """Empty: of all."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the API is told once, at the start. Durations in real time."""

    name: str
    zone: str
    version: str
    dashboard: Path
    """The folder with `index.html` and what it loads."""
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    """The names this service answers to; any other `Host` is refused (against DNS rebinding)."""
    sounds: Mapping[str, Hears] = field(default_factory=dict)
    """What each paired screen sounds; one that is not listed sounds everything."""
    tls: bool = False
    insecure_lan: bool = False
    speed: float = 1.0
    idle_pin_ms: int = 120_000
    """Without an act for so long, a PIN sign-in on a screen ends (dashboard, P)."""
    idle_password_ms: int = 12 * 3_600_000
    absolute_ms: int = 12 * 3_600_000
    """No sign-in of a person lasts longer: one long shift."""
    body_bytes_max: int = 1 << 20
    body_deadline_s: float = 10.0
    connections_max: int = 200
    connections_per_source: int = 20
    header_deadline_s: float = 10.0
    links: PageLinks | None = None
    """How the links of pages are told; None where pages carry none."""
    link_networks: tuple[str, ...] = ()
    """Where such a link may be opened."""


@dataclass(frozen=True, slots=True)
class Doors:
    """All that a route may reach."""

    read: Read
    submit: Submit
    history: History
    accounts: Accounts
    status: Callable[[], Status]
    now_ms: Callable[[], int]
    """The service's clock: runs faster in a demonstration."""
    real_ms: Callable[[], int]
    """The wall clock, for sign-ins only."""
    settings: Settings
    files: Mapping[str, bytes]
    archive: Archive
    counters: Callable[[], Counters]

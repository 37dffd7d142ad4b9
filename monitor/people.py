"""Who may sign in, and with what: roles, accounts and tokens as records. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import PauseKind, Staff


class Role(StrEnum):
    """What an account is for; what each may do stands in the table of `api/routes.py`."""

    NURSE = "nurse"
    CHARGE_NURSE = "charge nurse"
    PRESCRIBER = "prescriber"
    ADMINISTRATOR = "administrator"
    DISPLAY = "display"
    """A paired screen: sees the Floor, does nothing."""
    MACHINE = "machine"
    """A program with a bearer token: reads, never acts."""


CLINICAL = frozenset({Role.NURSE, Role.CHARGE_NURSE, Role.PRESCRIBER})
"""Those at the bedside: only they act on patients, and never a program."""

MAY_QUIET: Mapping[PauseKind, frozenset[Role]] = {
    PauseKind.AUDIO: CLINICAL,
    PauseKind.ALARM: CLINICAL,
    PauseKind.AUDIO_OFF: frozenset({Role.CHARGE_NURSE}),
    PauseKind.ALARM_OFF: frozenset({Role.PRESCRIBER}),
}
"""Who may bring a bed into which inactivation state (alarms.md 5, proposed)."""


class TokenKind(StrEnum):
    """How a token came to be, and so what it opens."""

    PASSWORD = "password"  # noqa: S105  the name of a way to sign in, not a secret
    PIN = "pin"
    SCREEN = "screen"
    BEARER = "bearer"
    PAGE = "page"
    """Opened by the link of one page: it opens that page and nothing else."""


@dataclass(frozen=True, slots=True)
class Account:
    """One named user. Hashes are argon2 in the modular crypt format; None where it was never set."""

    name: Staff
    display: str
    role: Role
    password_hash: str | None
    pin_hash: str | None
    disabled: bool
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """One sign-in, paired screen or machine. Only the SHA-256 of the secret is kept."""

    secret_hash: str
    kind: TokenKind
    name: Staff
    """The account; for a screen its own name."""
    screen: str | None
    """The paired screen a PIN sign-in was made on, or the screen itself; of a page's link, "page.17"."""
    created_at_ms: int
    seen_at_ms: int
    ends_at_ms: int | None

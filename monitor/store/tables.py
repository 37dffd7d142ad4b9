"""The schema, once: what the store asks and tells its databases in. `migrations/` says how it came to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

MIGRATIONS = Path(__file__).parent / "migrations"


class Whole(TypeDecorator[int]):
    """A 64-bit whole number. SQLite's only has a row's own key if the type is called INTEGER."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """INTEGER in SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


@dataclass(frozen=True, slots=True)
class Schema:
    """One family of tables with a history of its own: in SQLite a file, in PostgreSQL beside the others."""

    part: str
    head: str
    """The newest revision this program knows; a test holds it against the folder."""
    tables: MetaData
    folders: tuple[Path, ...]

    @property
    def version_table(self) -> str:
        """Where the database remembers how far its schema has come."""
        return f"{self.part}_schema"


_journal = MetaData()
_trends = MetaData()
_accounts = MetaData()
_outgoing = MetaData()

JOURNAL = Schema("journal", "journal1", _journal, (MIGRATIONS / "journal",))
TRENDS = Schema("trends", "trends2", _trends, (MIGRATIONS / "trends",))
ACCOUNTS = Schema("accounts", "accounts1", _accounts, (MIGRATIONS / "accounts",))
OUTGOING = Schema("outgoing", "outgoing1", _outgoing, (MIGRATIONS / "outgoing",))

journal = Table(
    "journal",
    _journal,
    Column("seq", Whole, primary_key=True, autoincrement=False),
    Column("at_ms", Whole, nullable=False),
    Column("drift_ms", Whole, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("late", SmallInteger, nullable=False),  # 0 or 1, as it is hashed
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row an event, in the order in which the ward told them; no row is ever changed or taken away."""

readings = Table(
    "readings",
    _trends,
    Column("bed", String(32), primary_key=True),
    Column("vital", Integer, primary_key=True, autoincrement=False),  # `Vital.mdc`: a number that stays
    Column("at_ms", Whole, primary_key=True, autoincrement=False),
    Column("value", Float(53), nullable=True),
    Column("quality", SmallInteger, nullable=False),
    # The key is the table: no second copy in an index, and a bed's vital lies together in time order.
    sqlite_with_rowid=False,
)
"""The flood, one narrow row a reading."""

cuffs = Table(
    "cuffs",
    _trends,
    Column("bed", String(32), primary_key=True),
    Column("at_ms", Whole, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("device", String(32), nullable=True),  # None: by hand, or kept before this was
    sqlite_with_rowid=False,
)
"""Cuff readings, apart: `at_ms` is when it was measured, `body` the whole `Cuff`, since it is one value."""

sources = Table(
    "sources",
    _trends,
    Column("bed", String(32), primary_key=True),
    Column("vital", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", Whole, primary_key=True, autoincrement=False),
    Column("device", String(32), nullable=False),
    sqlite_with_rowid=False,
)
"""From when on the readings of a bed's vital are of this device ("": by hand): a line breaks there."""

heads = Table(
    "heads",
    _trends,
    Column("seq", Whole, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
)
"""Where the journal's end was, minute by minute: a chain alone cannot tell that its end was cut off."""

accounts = Table(
    "accounts",
    _accounts,
    Column("name", String(32), primary_key=True),
    Column("display", Text, nullable=False),
    Column("role", String(40), nullable=False),
    Column("password_hash", Text, nullable=True),
    Column("pin_hash", Text, nullable=True),
    Column("disabled", Boolean, nullable=False),
    Column("created_at_ms", Whole, nullable=False),
)

tokens = Table(
    "tokens",
    _accounts,
    Column("secret_hash", String(64), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("name", String(32), nullable=False),
    Column("screen", Text, nullable=True),
    Column("created_at_ms", Whole, nullable=False),
    Column("seen_at_ms", Whole, nullable=False),
    Column("ends_at_ms", Whole, nullable=True),
    Index("tokens_by_name", "name"),
)

outgoing = Table(
    "outgoing",
    _outgoing,
    Column("number", Whole, primary_key=True, autoincrement=True),
    Column("control", String(40), nullable=False, unique=True),
    Column("session", Whole, nullable=False),
    Column("at_ms", Whole, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("settled_at_ms", Whole, nullable=True),
    Column("why", Text, nullable=False),
    Index("outgoing_by_state", "state", "number"),
    sqlite_autoincrement=True,  # a number is never given twice, whatever was taken away
)
"""What is sent to others, a row a message: `number` is the order, `control` what its answer names it by."""

outgoing_read = Table(
    "outgoing_read",
    _outgoing,
    Column("reader", String(20), primary_key=True),
    Column("seq", Whole, nullable=False),
)
"""How far in the journal everything that is to be sent stands in the queue."""

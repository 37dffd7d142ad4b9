"""The first journal: one table, and triggers that keep it append-only."""

import sqlalchemy as sa
from alembic import op

revision = "journal1"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = (
    """
    CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a row cannot be changed'); END
    """,
    """
    CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a row cannot be taken away'); END
    """,
    # INSERT OR REPLACE takes the old row away without asking the DELETE trigger.
    """
    CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal
    WHEN EXISTS (SELECT 1 FROM journal WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only: this row is written already'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the journal is append-only: % is refused', TG_OP; END $$
    """,
    """
    CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_refuse()
    """,
    """
    CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()
    """,
)


def upgrade() -> None:
    """Make the table and its triggers."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    whole = sa.Integer() if sqlite else sa.BigInteger()
    op.create_table(
        "journal",
        sa.Column("seq", whole, primary_key=True, autoincrement=False),
        sa.Column("at_ms", whole, nullable=False),
        sa.Column("drift_ms", whole, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("version", sa.SmallInteger, nullable=False),
        sa.Column("late", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    for trigger in SQLITE if sqlite else POSTGRESQL:
        op.execute(trigger)

"""The first trends: readings, cuff readings, and where the journal's end was."""

import sqlalchemy as sa
from alembic import op

revision = "trends1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    whole = sa.Integer() if op.get_bind().dialect.name == "sqlite" else sa.BigInteger()
    op.create_table(
        "readings",
        sa.Column("bed", sa.String(32), primary_key=True),
        sa.Column("vital", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", whole, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cuffs",
        sa.Column("bed", sa.String(32), primary_key=True),
        sa.Column("at_ms", whole, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "heads",
        sa.Column("seq", whole, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )

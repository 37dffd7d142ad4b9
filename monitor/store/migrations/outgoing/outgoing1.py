"""The first queue: messages in the order in which they are sent, and how far the journal has been read."""

import sqlalchemy as sa
from alembic import op

revision = "outgoing1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    whole = sa.Integer() if op.get_bind().dialect.name == "sqlite" else sa.BigInteger()
    op.create_table(
        "outgoing",
        sa.Column("number", whole, primary_key=True, autoincrement=True),
        sa.Column("control", sa.String(40), nullable=False, unique=True),
        sa.Column("session", whole, nullable=False),
        sa.Column("at_ms", whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("settled_at_ms", whole, nullable=True),
        sa.Column("why", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outgoing_by_state", "outgoing", ["state", "number"])
    op.create_table(
        "outgoing_read",
        sa.Column("reader", sa.String(20), primary_key=True),
        sa.Column("seq", whole, nullable=False),
    )

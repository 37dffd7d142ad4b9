"""The first accounts: named users, and what they are signed in with."""

import sqlalchemy as sa
from alembic import op

revision = "accounts1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    whole = sa.Integer() if op.get_bind().dialect.name == "sqlite" else sa.BigInteger()
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("display", sa.Text, nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=True),
        sa.Column("pin_hash", sa.Text, nullable=True),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_at_ms", whole, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("secret_hash", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("screen", sa.Text, nullable=True),
        sa.Column("created_at_ms", whole, nullable=False),
        sa.Column("seen_at_ms", whole, nullable=False),
        sa.Column("ends_at_ms", whole, nullable=True),
    )
    op.create_index("tokens_by_name", "tokens", ["name"])

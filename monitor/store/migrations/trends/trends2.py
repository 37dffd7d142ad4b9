"""Which device a line is of: where its source changes it breaks, and a cuff reading names its cuff."""

import sqlalchemy as sa
from alembic import op

revision = "trends2"
down_revision = "trends1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of sources and the device of a cuff reading; what was kept before has neither."""
    whole = sa.Integer() if op.get_bind().dialect.name == "sqlite" else sa.BigInteger()
    op.create_table(
        "sources",
        sa.Column("bed", sa.String(32), primary_key=True),
        sa.Column("vital", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", whole, primary_key=True, autoincrement=False),
        sa.Column("device", sa.String(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("cuffs", sa.Column("device", sa.String(32), nullable=True))

"""Where alembic is told which database to bring forward: the open connection `database.py` hands it."""

from alembic import context

_connection = context.config.attributes["connection"]
_schema = context.config.attributes["schema"]

context.configure(connection=_connection, target_metadata=_schema.tables, version_table=_schema.version_table)
# The transaction is the caller's, so that a step that was killed half-way has never been (F12).
context.run_migrations()

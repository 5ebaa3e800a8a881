"""What Alembic runs: always on a connection that is handed in, inside the caller's transaction."""

from alembic import context

from storage.migrate import is_migrated
from storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    include_name=is_migrated,
)
with context.begin_transaction():
    context.run_migrations()

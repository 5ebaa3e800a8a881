"""What Alembic runs: always on a connection that is handed in, inside the caller's transaction."""

from typing import Any

from alembic import context

from storage.tables import Base


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the full-text index out of comparisons: storage/derived.py makes it."""
    return not (
        kind == "table" and name is not None and name.startswith(("paper_fts", "paper_words", "paper_category"))
    )


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    include_name=include_name,
)
with context.begin_transaction():
    context.run_migrations()

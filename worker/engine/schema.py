"""Procrastinate's own tables, made and moved inside our transaction and its lock.

    none there → made, with two indexes of ours
    there, of an earlier release → its migrations, one after the other, by `archive migrate` alone
    there, of a later release → refused

Which release the tables are of stands in their comment, so that it goes wherever they go: into a dump, not into a copy.
"""

from importlib import resources
from typing import Any

from procrastinate.schema import SchemaManager

from domain.errors import DatabaseTooNew, DatabaseTooOld
from storage.lending import Lending

_TOLD = "paperround: "  # then the newest migration
# Without these a look for a lock, or for a task that waits already, walks over all that waits.
_INDEXES = """
CREATE INDEX IF NOT EXISTS paperround_jobs_lock ON procrastinate_jobs (lock, priority DESC, id)
    WHERE lock IS NOT NULL AND status IN ('todo', 'doing');
CREATE INDEX IF NOT EXISTS paperround_jobs_name ON procrastinate_jobs (queueing_lock)
    WHERE queueing_lock IS NOT NULL AND status IN ('todo', 'doing');
"""


def install(lending: Lending, *, upgrade: bool) -> bool:
    """Make what is missing, and with `upgrade` move what is older; return whether anything was done.

    Raises DatabaseTooOld, DatabaseTooNew, and StorageError; then nothing was changed.
    """
    names = _migrations()
    newest = names[-1]
    with lending.reading() as connection:
        if _release(connection) == newest:
            return False
    with lending.writing() as connection:
        found = _release(connection)
        if found == newest:
            return False
        if found is None:
            connection.execute(SchemaManager.get_schema())
        elif found > newest:
            raise DatabaseTooNew(
                f"the queues in {lending.place} were made by a later release of Procrastinate ({found}): install that"
            )
        elif found and not upgrade:
            raise DatabaseTooOld(
                f"the queues in {lending.place} were made by an earlier release of Procrastinate ({found}); "
                "stop what uses them, and run: paperround archive migrate"
            )
        elif found:  # "" of tables that somebody else made: they are taken for today's
            folder = resources.files("procrastinate.sql") / "migrations"
            for name in names:
                if name > found:
                    connection.execute((folder / name).read_text(encoding="utf-8"))
        connection.execute(_INDEXES)
        connection.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{_TOLD}{newest}'")
    return True


def is_there(connection: Any) -> bool:
    """Whether there are queues, as the transaction of a lent connection sees it."""
    return connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()[0] is not None


def _release(connection: Any) -> str | None:
    """Return the newest migration that the tables have; "" where they do not say, None where there are none."""
    if not is_there(connection):
        return None
    told = connection.execute("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')").fetchone()[0]
    return told.removeprefix(_TOLD) if told and told.startswith(_TOLD) else ""


def _migrations() -> list[str]:
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))

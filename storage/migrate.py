"""Alembic, called inside our own transaction: the schema moves whole or not at all.

What can be worked out from the tables is taken away before a move and made anew after it (derived.py), so that no
migration need know how words are cut or what a view shows.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from storage import derived
from storage.tables import Base

FOLDER = Path(__file__).parent / "migrations"
#: The newest revision; a test compares it with the scripts, so that opening a current database need not read them.
HEAD = "0008"
#: How the names of tables begin that whoever hands out work on many machines keeps beside ours (lending.py).
GUESTS = ("procrastinate_",)


def current(connection: Connection) -> str | None:
    """Return the revision of the schema; None for a database that has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_inhabited(connection: Connection) -> bool:
    """Whether the database holds any table, but those of who hands out work (announcing.py)."""
    return any(not name.startswith(GUESTS) for name in inspect(connection).get_table_names())


def is_known(revision: str) -> bool:
    """Whether this version of Paperround wrote, or can migrate, that revision."""
    return any(script.revision == revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())


def upgrade(connection: Connection) -> None:
    """Bring the schema to HEAD within the caller's transaction."""
    derived.drop(connection)
    command.upgrade(configuration(connection), "head")
    derived.make(connection)


def downgrade(connection: Connection, revision: str) -> None:
    """Bring the schema back to an earlier revision within the caller's transaction."""
    derived.drop(connection)
    command.downgrade(configuration(connection), revision)


def differences(connection: Connection) -> list[str]:
    """Return in what the schema differs from the one that the code describes; none where it is HEAD's."""
    context = MigrationContext.configure(connection, opts={"include_name": is_migrated})
    return [_told(each) for each in compare_metadata(context, Base.metadata)]


def _told(difference: Any) -> str:
    """Return one of Alembic's differences in words: what would have to be done, and to what."""
    while isinstance(difference, list):  # changes of one column come together
        difference = difference[0]
    act, *things = difference
    names = [getattr(each, "name", each) for each in things if getattr(each, "name", each)]
    return " ".join([str(act).replace("_", " "), *(str(each) for each in names if isinstance(each, str))])


def is_migrated(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether the migrations make what has this name: they leave out what derived.py makes, and what is not ours."""
    return not (kind == "table" and name is not None and name.startswith((*derived.PREFIXES, *GUESTS)))


def configuration(connection: Connection) -> Config:
    """Return Alembic's settings for one connection."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

"""The views made in a database, and who may read them there.

They show what may be shown to anybody who may look into the archive, so none of them holds an address, a reader's
topic, a token, the public id of a reader or an issue (it opens a page), a message id, a consent, what a relay said, or
the address of a page that was fetched. Tests put marked words into all of these and look for them in the views.

On PostgreSQL the views read with their owner's rights: who may read a view needs no right on any table. A group named
`paperround_reader`, where there is one, may read them all, and may so again after each migration.

A changed view needs a revision of the schema, be it an empty one: views are made when a schema has moved.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from storage.views.letters import of_letters
from storage.views.papers import of_papers
from storage.views.sources import of_sources
from storage.views.view import Lite, Postgres, Speech, View

READER = "paperround_reader"  #: the group of those who may read the views of a PostgreSQL database


def views(dialect: str) -> tuple[View, ...]:
    """Return the views as one of the databases says them, "sqlite" or "postgresql"; names and columns are the same."""
    say: Speech = Postgres() if dialect == "postgresql" else Lite()
    return (*of_papers(say), *of_sources(say), *of_letters(say))


def drop(connection: Connection) -> None:
    """Take the views away, where they are there; raises where something of the operator's own stands on one."""
    for view in views(connection.dialect.name):
        connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))


def make(connection: Connection) -> None:
    """Make the views, and let the readers' group read them where there is one."""
    dialect = connection.dialect.name
    for view in views(dialect):
        # Not as a bound text: a statement that makes a view takes no values, and a colon in it is a cast or a path.
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS {view.select}")
    if dialect == "postgresql":
        found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": READER}).scalar()
        for statement in grants() if found else ():
            connection.exec_driver_sql(statement)


def grants() -> Iterator[str]:
    """Give the statement that lets the group read the views, and nothing else."""
    names = ", ".join(view.name for view in views("postgresql"))
    yield f"GRANT SELECT ON {names} TO {READER}"

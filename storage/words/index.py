"""The index of the database that a connection leads to: FTS5 on SQLite, tsvector with GIN on PostgreSQL.

Both hold the words of titles, abstracts, authors and categories as FTS5 cuts and stems them (domain/fts5.py), so that a
search finds the same papers on either; beside them the words of titles and abstracts without stems, for prefixes, and
by what authors are found (people.py). Both count in how many papers a stem stands.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from storage.words import fts5, tsvector

#: The columns of `paper` whose change is a change of the index.
INDEXED = ("title", "abstract", "authors", "categories")


class Index(Protocol):
    """What both modules offer."""

    def make(self, connection: Connection) -> None:
        """Make an empty index."""
        ...

    def drop(self, connection: Connection) -> None:
        """Take the index away, if it is there."""
        ...

    def put(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Index rows of `paper` that are not indexed."""
        ...

    def take(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take rows of `paper` out again; they must be as they were put in."""
        ...

    def totals(self, connection: Connection) -> tuple[int, int]:
        """Return how many papers are indexed, and how many words their titles and abstracts have."""
        ...

    def having(self, connection: Connection, stems: Collection[str]) -> dict[str, int]:
        """Return in how many papers each stem stands; one that is in none is missing."""
        ...


def index_of(connection: Connection) -> Index:
    """Return the index of the database that a connection leads to."""
    return tsvector if connection.dialect.name == "postgresql" else fts5

"""The index on SQLite: an FTS5 table without content of its own; the text stays in `paper` alone.

A row is therefore taken out by saying again what was put in.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from domain.fts5 import TOKENIZE
from storage.words import categories
from storage.words.cutting import columns_of

_PUT = text(
    "INSERT INTO paper_fts(rowid, title, abstract, authors, categories) "
    "VALUES (:id, :title, :abstract, :authors, :categories)"
)
_TAKE = text(
    "INSERT INTO paper_fts(paper_fts, rowid, title, abstract, authors, categories) "
    "VALUES ('delete', :id, :title, :abstract, :authors, :categories)"
)


def make(connection: Connection) -> None:
    """Make an empty index."""
    columns = "title, abstract, authors, categories"
    connection.execute(
        text(f"CREATE VIRTUAL TABLE paper_fts USING fts5({columns}, content='', tokenize=\"{TOKENIZE}\")")
    )
    categories.make(connection)


def drop(connection: Connection) -> None:
    """Take the index away, if it is there."""
    connection.execute(text("DROP TABLE IF EXISTS paper_fts"))
    categories.drop(connection)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Index rows of `paper` that are not indexed."""
    rows = list(rows)
    connection.execute(_PUT, [columns_of(row) for row in rows])
    categories.put(connection, rows)


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again; they must be as they were put in."""
    rows = list(rows)
    connection.execute(_TAKE, [columns_of(row) for row in rows])
    categories.take(connection, rows)

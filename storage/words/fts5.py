"""The index on SQLite: FTS5 tables without content of their own; the text stays in `paper` alone.

One holds stems, which words and phrases are asked of. The other holds words as they are written, since a stem may end
before a prefix does, and the traces of authors; of these it keeps the column and no place. A row is taken out by saying
again what was put in.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from domain.fts5 import TOKENIZE, TOKENIZE_FORMS
from storage.words import categories
from storage.words.cutting import COLUMNS, FORMS, columns_of

_AVERAGES = 1  # the row of an FTS5 table's data that holds its totals
_HAVING_ANY = text("SELECT term, doc FROM paper_fts_stem")
_HAVING = text(f"{_HAVING_ANY} WHERE term IN (SELECT value FROM json_each(:stems))")  # noqa: S608 ours
_MANY = 5_000  # stems: one walk through all there are takes no longer than looking up so many
_TABLES = {"paper_fts": COLUMNS, "paper_forms": FORMS}
_PUT = {
    table: text(f"INSERT INTO {table}(rowid, {', '.join(columns)}) VALUES (:id, :{', :'.join(columns)})")  # noqa: S608 the names above
    for table, columns in _TABLES.items()
}
_TAKE = {
    table: text(
        f"INSERT INTO {table}({table}, rowid, {', '.join(columns)}) VALUES ('delete', :id, :{', :'.join(columns)})"  # noqa: S608 the names above
    )
    for table, columns in _TABLES.items()
}


def make(connection: Connection) -> None:
    """Make an empty index."""
    stems, forms = f"content='', tokenize=\"{TOKENIZE}\"", f"content='', detail=column, tokenize=\"{TOKENIZE_FORMS}\""
    connection.execute(text(f"CREATE VIRTUAL TABLE paper_fts USING fts5({', '.join(COLUMNS)}, {stems})"))
    connection.execute(text("CREATE VIRTUAL TABLE paper_fts_stem USING fts5vocab(paper_fts, 'row')"))
    connection.execute(text(f"CREATE VIRTUAL TABLE paper_forms USING fts5({', '.join(FORMS)}, {forms})"))
    categories.make(connection)


def drop(connection: Connection) -> None:
    """Take the index away, if it is there."""
    for table in ("paper_fts_stem", *_TABLES):
        connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    categories.drop(connection)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Index rows of `paper` that are not indexed."""
    rows = list(rows)
    texts = [columns_of(row) for row in rows]
    for table in _TABLES:
        connection.execute(_PUT[table], texts)
    categories.put(connection, rows)


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again; they must be as they were put in."""
    rows = list(rows)
    texts = [columns_of(row) for row in rows]
    for table in _TABLES:
        connection.execute(_TAKE[table], texts)
    categories.take(connection, rows)


def totals(connection: Connection) -> tuple[int, int]:
    """Return how many papers are indexed, and how many words their titles and abstracts have.

    FTS5 keeps that itself: the number of rows, then the words of each column (ext/fts5/fts5_index.c, "averages").
    """
    query = text("SELECT block FROM paper_fts_data WHERE id = :id")
    numbers = _varints(connection.execute(query, {"id": _AVERAGES}).scalar() or b"")
    papers, title, abstract, *_ = (*numbers, 0, 0, 0)
    return papers, title + abstract


def having(connection: Connection, stems: Collection[str]) -> dict[str, int]:
    """Return in how many papers each stem stands; one that is in none is missing."""
    if len(stems) > _MANY:
        asked = frozenset(stems)
        return {stem: papers for stem, papers in connection.execute(_HAVING_ANY) if stem in asked}
    rows = connection.execute(_HAVING, {"stems": json.dumps(list(stems))})
    return {row.term: row.doc for row in rows}


def _varints(packed: bytes) -> Iterator[int]:
    """Yield the numbers of a record: seven bits a byte, the highest first; a ninth byte would have eight."""
    number = 0
    for each in packed:
        number = number << 7 | each & 0x7F
        if each < 0x80:
            yield number
            number = 0

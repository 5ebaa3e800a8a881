"""What is worked out from the tables: the full-text index, the traits by which records find one another, the views.

None of it is in a migration. It is dropped before the schema moves and made anew after, by the code of today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from domain.identity import traits
from domain.papers import Identifiers
from storage.lookup import Known, Shelf
from storage.reading import BLOCK, identifiers_of
from storage.tables import PAPER, TRAIT
from storage.views import making as views
from storage.words.index import index_of

#: How the names of tables begin that are made here and not by a migration.
PREFIXES = ("paper_fts", "paper_forms", "paper_words", "paper_stem", "paper_category")


@dataclass(frozen=True, slots=True)
class Done:
    """One block of papers that words and traits were made of."""

    last: int  #: the id of the newest
    papers: int


def drop(connection: Connection) -> None:
    """Take away what `make` made, where it is there."""
    views.drop(connection)
    index_of(connection).drop(connection)


def make(connection: Connection) -> None:
    """Make everything anew from the papers there are."""
    start(connection)
    last = 0
    while done := go_on(connection, last):
        last = done.last
    views.make(connection)


def reset(connection: Connection) -> None:
    """Begin anew with words and traits; the views stay."""
    index_of(connection).drop(connection)
    start(connection)


def start(connection: Connection) -> None:
    """Make words and traits of no paper."""
    index_of(connection).make(connection)
    connection.execute(delete(TRAIT))


def go_on(connection: Connection, after: int) -> Done | None:
    """Make words and traits of the papers that come next after one; None where there is none."""
    rows = connection.execute(select(PAPER).where(PAPER.c.id > after).order_by(PAPER.c.id).limit(BLOCK)).all()
    if not rows:
        return None
    columns = [row._asdict() for row in rows]
    index_of(connection).put(connection, columns)
    mark(connection, columns)
    return Done(last=rows[-1].id, papers=len(rows))


def mark(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store the traits of rows of `paper` that have none."""
    ids = identifiers_of(connection, [row["id"] for row in rows])
    papers = [Known(row["id"], row["key"], ids.get(row["id"], Identifiers()), dict(row)) for row in rows]
    found = {paper.id: traits(paper.fingerprint()) for paper in papers}
    shelf = Shelf(connection)
    shelf.fetch_alike({trait for each in found.values() for trait in each})
    marks = [{"trait": each, "paper_id": paper.id} for paper in papers for each in shelf.mark(paper, found[paper.id])]
    if marks:
        connection.execute(insert(TRAIT), marks)

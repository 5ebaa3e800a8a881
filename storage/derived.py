"""What is worked out from the tables: the full-text index, the traits by which records find one another, the views.

None of it is in a migration. It is dropped before the schema moves and made anew after, by the code of today.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from domain.identity import title_key
from storage.adding import trait_of
from storage.reading import BLOCK
from storage.tables import PAPER, TRAIT
from storage.words.index import index_of


@dataclass(frozen=True, slots=True)
class Done:
    """One block of papers that words and traits were made of."""

    last: int  #: the id of the newest
    papers: int


def drop(connection: Connection) -> None:
    """Take away what `make` made, where it is there."""
    index_of(connection).drop(connection)


def make(connection: Connection) -> None:
    """Make everything anew from the papers there are."""
    start(connection)
    last = 0
    while done := go_on(connection, last):
        last = done.last


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
    index_of(connection).put(connection, [row._asdict() for row in rows])
    traits = [{"trait": trait_of(title_key(row.title)), "paper_id": row.id} for row in rows]
    connection.execute(insert(TRAIT), traits)
    return Done(last=rows[-1].id, papers=len(rows))

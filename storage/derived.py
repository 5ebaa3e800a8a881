"""What is worked out from the tables: the full-text index, the traits by which records find one another, the views.

None of it is in a migration. It is dropped before the schema moves and made anew after, by the code of today.
"""

from sqlalchemy import Connection, delete, insert, select

from domain.identity import title_key
from storage.adding import trait_of
from storage.reading import BLOCK
from storage.tables import PAPER, TRAIT
from storage.views import making as views
from storage.words.index import index_of


def drop(connection: Connection) -> None:
    """Take away what `make` made, where it is there."""
    views.drop(connection)
    index_of(connection).drop(connection)


def make(connection: Connection) -> None:
    """Make everything anew from the papers there are."""
    index = index_of(connection)
    index.make(connection)
    connection.execute(delete(TRAIT))
    last = 0
    while rows := connection.execute(select(PAPER).where(PAPER.c.id > last).order_by(PAPER.c.id).limit(BLOCK)).all():
        index.put(connection, [row._asdict() for row in rows])
        traits = [{"trait": trait_of(title_key(row.title)), "paper_id": row.id} for row in rows]
        connection.execute(insert(TRAIT), traits)
        last = rows[-1].id
    views.make(connection)

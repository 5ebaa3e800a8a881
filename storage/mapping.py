"""Every paper by its key, in blocks: what a map of the site is made of."""

from datetime import date

from sqlalchemy import func, select

from storage.database import Database
from storage.tables import PAPER

BLOCK = 10_000  #: ids of a block, and papers at most


class Mapped:
    """The keys of one archive; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def blocks(self) -> list[tuple[int, date]]:
        """Return the number of each block that has papers, from 1, and the newest listing day of any of them."""
        number = ((PAPER.c.id - 1) // BLOCK + 1).label("number")
        query = select(number, func.max(PAPER.c.listed)).group_by(number).order_by(number)
        with self._database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def block(self, number: int) -> list[tuple[str, date]]:
        """Return the papers of a block, in order of storing: key and newest listing day."""
        first = (number - 1) * BLOCK + 1
        query = select(PAPER.c.key, PAPER.c.listed).where(PAPER.c.id.between(first, first + BLOCK - 1))
        with self._database.reading() as connection:
            return [(row.key, row.listed) for row in connection.execute(query.order_by(PAPER.c.id))]

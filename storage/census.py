"""What a score asks of the archive as a whole: how many papers there are, how long they are, how many have a word.

The rarity of words is exact and of now, on either database (words/asking.py). The average length is that of papers
spread evenly over the archive: of a thousand times as many it would hardly be another.
"""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from domain.length import length
from domain.topics import Census
from storage.database import Database
from storage.tables import PAPER
from storage.words.asking import asking_of

_SAMPLE = 256  # papers


class Censuses:
    """Takes the census of one archive."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asking_of(database.dialect)
        self._average: tuple[int, int, float] | None = None  # papers and the newest when it was measured; what it was

    def of(self, stems: Collection[str]) -> Census:
        """Return the census, with the papers that have each of these stems in any of their texts."""
        with self._database.reading() as connection:
            papers, first, last = connection.execute(
                select(func.count(), func.min(PAPER.c.id), func.max(PAPER.c.id))
            ).one()
            if not papers:
                return Census(papers=0, average=0.0, having={})
            if self._average is None or self._average[:2] != (papers, last):
                self._average = papers, last, _average(connection, first, last)
            return Census(papers=papers, average=self._average[2], having=self._asking.having(connection, stems))


def _average(connection: Connection, first: int, last: int) -> float:
    """Return how long a paper is, on average over up to 256 that stand evenly between two ids."""
    spread = sorted({first + (last - first) * nth // (_SAMPLE - 1) for nth in range(_SAMPLE)})
    query = select(PAPER.c.title, PAPER.c.abstract).where(PAPER.c.id.in_(spread))
    lengths = [length(row.title, row.abstract) for row in connection.execute(query)]
    return sum(lengths) / len(lengths)

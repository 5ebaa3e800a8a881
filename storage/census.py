"""What a score asks of the archive as a whole: how many papers there are, how long, and how many have a word."""

from collections.abc import Collection

from domain.topics import Census
from storage.database import Database
from storage.words.index import index_of


class Censuses:
    """Counts one archive's papers by their words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, stems: Collection[str]) -> Census:
        """Return the census of these stems, tens of thousands at once; the title counts once in a paper's words.

        A paper has a stem that stands in its title, abstract, authors or categories. Both databases give the same.
        """
        with self._database.reading() as connection:
            index = index_of(connection)
            papers, words = index.totals(connection)
            having = index.having(connection, stems) if stems else {}
        return Census(papers=papers, average=words / papers if papers else 0.0, having=having)

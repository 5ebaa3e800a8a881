"""What readers saved, and what they want less of (a stand-in until part "keeping" is merged)."""

from sqlalchemy import select

from domain.learning import Liking, Saved
from storage.database import Database
from storage.tables import PAPER, SAVED


class Likings:
    """The likings of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def texts(self, subscriber_id: int, liking: Liking, limit: int) -> tuple[Saved, ...]:
        """Return the newest of one liking with their words, the archive's where it has the paper; newest first."""
        query = (
            select(SAVED, PAPER.c.title.label("known_title"), PAPER.c.abstract.label("known_abstract"))
            .outerjoin(PAPER, PAPER.c.id == SAVED.c.paper_id)
            .where(SAVED.c.subscriber_id == subscriber_id, SAVED.c.liking == liking.value)
            .order_by(SAVED.c.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return tuple(
                Saved(
                    number=row.id,
                    liking=liking,
                    key=row.key,
                    paper_id=row.paper_id,
                    title=row.title if row.paper_id is None else row.known_title,
                    abstract=row.abstract if row.paper_id is None else row.known_abstract,
                    authors=tuple(row.authors),
                    at=row.at,
                    place=row.place,
                )
                for row in connection.execute(query)
            )

"""What a letter asks of its readers' likings: who has a profile, which papers they spoke of, what these are called."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import or_, select

from storage.database import Database
from storage.reading import BLOCK
from storage.tables import PAPER, PROFILE, SAVED


class Liked:
    """Reads the likings of one database for the letters of many readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def with_profiles(self, subscriber_ids: Collection[int]) -> tuple[int, ...]:
        """Return those of these readers who ever saved something, wanted less of it, or edited their profile."""
        query = select(PROFILE.c.subscriber_id).where(PROFILE.c.subscriber_id.in_(subscriber_ids))
        with self._database.reading() as connection:
            return tuple(connection.execute(query.order_by(PROFILE.c.subscriber_id)).scalars())

    def spoken_of(self, subscriber_ids: Collection[int], papers: Mapping[int, Collection[str]]) -> dict[int, set[int]]:
        """Return reader → those of these papers that they saved or want less of; `papers` is id → keys and ids."""
        by_key = {key: number for number, keys in papers.items() for key in keys}
        found: dict[int, set[int]] = defaultdict(set)
        columns = (SAVED.c.subscriber_id, SAVED.c.paper_id, SAVED.c.key)
        numbers = list(papers)
        with self._database.reading() as connection:
            for start in range(0, len(numbers), BLOCK):
                block = numbers[start : start + BLOCK]
                keys = [key for number in block for key in papers[number]]
                those = or_(SAVED.c.paper_id.in_(block), SAVED.c.key.in_(keys))
                query = select(*columns).where(SAVED.c.subscriber_id.in_(subscriber_ids), those)
                for subscriber_id, paper_id, key in connection.execute(query):
                    found[subscriber_id].add(paper_id if paper_id in papers else by_key[key])
        return found

    def titles(self, numbers: Collection[int]) -> dict[int, str]:
        """Return what saved papers are called, by the numbers of their records."""
        query = select(SAVED.c.id, SAVED.c.title, PAPER.c.title).outerjoin(PAPER, PAPER.c.id == SAVED.c.paper_id)
        asked = sorted(numbers)
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for start in range(0, len(asked), BLOCK):
                rows = connection.execute(query.where(SAVED.c.id.in_(asked[start : start + BLOCK])))
                found |= {number: known or own for number, own, known in rows}
        return found

"""What a sentence model made of papers: one vector a paper, of one model, and again where its words change.

The archive remembers the models that it was read with by their hash: vectors of two are never compared. A vector is
derived, but costs far more than it weighs, so that copies of an archive hold it too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.database import Database
from storage.reading import in_blocks
from storage.tables import EMBEDDING, EMBEDDING_MODEL, PAPER


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that papers of the archive were read with."""

    id: int
    sha256: str
    name: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A paper that a model has not read as it is now."""

    paper_id: int
    title: str
    abstract: str


class Embeddings:
    """The vectors of one database's papers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> KnownModel | None:
        """Return the model that papers were read with last; None where none ever was."""
        with self._database.reading() as connection:
            row = connection.execute(select(EMBEDDING_MODEL).order_by(EMBEDDING_MODEL.c.id.desc()).limit(1)).first()
        return None if row is None else KnownModel(row.id, row.sha256, row.name, row.dimensions)

    def take(self, sha256: str, name: str, dimensions: int, now: datetime) -> KnownModel:
        """Let a model be the one that papers are read with, and forget what others before it made."""
        with self._database.writing() as connection:
            row = {"sha256": sha256, "name": name, "dimensions": dimensions, "at": now}
            connection.execute(upsert(EMBEDDING_MODEL).values(row).on_conflict_do_nothing())
            # After the new one came, so that no number is given twice: somebody may be reading with the old one.
            connection.execute(delete(EMBEDDING_MODEL).where(EMBEDDING_MODEL.c.sha256 != sha256))
            number = connection.execute(
                select(EMBEDDING_MODEL.c.id).where(EMBEDDING_MODEL.c.sha256 == sha256)
            ).scalar_one()
        return KnownModel(number, sha256, name, dimensions)

    def knows(self, model_id: int) -> bool:
        """Whether papers are still read with that model."""
        with self._database.reading() as connection:
            return _is_known(connection, model_id)

    def unread(self, model_id: int, limit: int) -> tuple[Unread, ...]:
        """Return up to so many papers that have no vector of the model: news before backlog, the newest first."""
        mine = and_(EMBEDDING.c.paper_id == PAPER.c.id, EMBEDDING.c.model_id == model_id)
        query = (
            select(PAPER.c.id, PAPER.c.title, PAPER.c.abstract)
            .outerjoin(EMBEDDING, mine)
            .where(EMBEDDING.c.paper_id.is_(None))
            .order_by(PAPER.c.backlog, PAPER.c.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return tuple(Unread(*row) for row in connection.execute(query))

    def store(self, model_id: int, read: Sequence[tuple[Unread, bytes]]) -> int:
        """Keep vectors; return how many. That of a paper that went, or says other words by now, is passed over."""
        if not read:
            return 0
        with self._database.writing() as connection:
            if not _is_known(connection, model_id):
                return 0  # another model took its place meanwhile
            words = select(PAPER.c.id, PAPER.c.title, PAPER.c.abstract)
            there = connection.execute(words.where(PAPER.c.id.in_([paper.paper_id for paper, _ in read])))
            now = {Unread(*row) for row in there}
            rows = [
                {"paper_id": paper.paper_id, "model_id": model_id, "vector": vector}
                for paper, vector in read
                if paper in now
            ]
            if rows:
                fresh = upsert(EMBEDDING)
                newer = {name: fresh.excluded[name] for name in ("model_id", "vector")}
                connection.execute(fresh.on_conflict_do_update(index_elements=["paper_id"], set_=newer), rows)
        return len(rows)

    def of(self, model_id: int, paper_ids: Collection[int]) -> dict[int, bytes]:
        """Return the vectors of these papers; those without one are missing."""
        found: dict[int, bytes] = {}
        with self._database.reading() as connection:
            for block in in_blocks(sorted(set(paper_ids))):
                mine = (EMBEDDING.c.paper_id.in_(block), EMBEDDING.c.model_id == model_id)
                query = select(EMBEDDING.c.paper_id, EMBEDDING.c.vector).where(*mine)
                found |= {row.paper_id: bytes(row.vector) for row in connection.execute(query)}
        return found

    def counts(self, model_id: int) -> tuple[int, int]:
        """Return how many papers have a vector of the model, and how many there are."""
        with self._database.reading() as connection:
            read = select(func.count()).select_from(EMBEDDING).where(EMBEDDING.c.model_id == model_id)
            return (
                connection.execute(read).scalar_one(),
                connection.execute(select(func.count()).select_from(PAPER)).scalar_one(),
            )


def _is_known(connection: Connection, model_id: int) -> bool:
    query = select(EMBEDDING_MODEL.c.id).where(EMBEDDING_MODEL.c.id == model_id)
    return connection.execute(query).first() is not None


def forget_words(connection: Connection, paper_id: int) -> None:
    """Let a paper whose words change be read again, inside the caller's transaction."""
    connection.execute(delete(EMBEDDING).where(EMBEDDING.c.paper_id == paper_id))

"""Every paper ever seen, once.

`add` is the heart: in one transaction each listed paper is looked up by strong id, then by title; unseen ones are
inserted, known ones enriched, the sighting recorded and the page's validators saved. The papers never seen before are
returned. Adding the same listing again changes nothing but the votes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from domain.errors import UnknownError
from domain.identity import identifiers_in
from domain.papers import Added, Listing, Paper, Sighting, Validators
from storage.adding import add_listing
from storage.database import Database
from storage.reading import BLOCK, papers_where
from storage.tables import CURSOR, IDENTIFIER, PAPER, SIGHTING, VALIDATOR


class Archive:
    """The papers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, listing: Listing, now: datetime, validators: Sequence[Validators] = ()) -> Added:
        """Store one listing in one transaction and return what was new.

        Raises StorageError; then nothing of the listing was stored and its page will be asked for again.
        """
        with self._database.writing() as connection:
            new_ids, updated = add_listing(connection, listing, now, validators)
        new = self.papers(new_ids)
        return Added(new=new, updated=updated, listed=len(listing.papers))

    def cursor(self, source: str) -> date | None:
        """Return the day up to which a source was read without a gap; None before the first."""
        with self._database.reading() as connection:
            return connection.execute(select(CURSOR.c.day).where(CURSOR.c.source == source)).scalar()

    def move_cursor(self, source: str, day: date) -> None:
        """Remember that a source was read without a gap up to a day; it never goes back."""
        cursor = upsert(CURSOR).values(source=source, day=day)
        with self._database.writing() as connection:
            connection.execute(
                cursor.on_conflict_do_update(
                    index_elements=["source"], set_={"day": func.max(CURSOR.c.day, cursor.excluded.day)}
                )
            )

    def validators(self, source: str, url: str) -> Validators | None:
        """Return what the last whole answer of that address left for a conditional GET; None if there was none."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(VALIDATOR.c.etag, VALIDATOR.c.last_modified).where(
                    VALIDATOR.c.source == source, VALIDATOR.c.url == url
                )
            ).first()
        return Validators(url=url, etag=row.etag, last_modified=row.last_modified) if row else None

    def paper(self, key: str) -> Paper:
        """Return the paper of that key, or of any strong id or link that names it; raises UnknownError."""
        scheme, _, value = key.partition(":")
        pairs = {(scheme, value), *identifiers_in([key]).pairs()}
        with self._database.reading() as connection:
            by_id = select(IDENTIFIER.c.paper_id).where(
                or_(*(and_(IDENTIFIER.c.scheme == each, IDENTIFIER.c.value == known) for each, known in pairs))
            )
            found = list(papers_where(connection, or_(PAPER.c.key == key, PAPER.c.id.in_(by_id))))
        if not found:
            raise UnknownError(f"there is no paper {key!r} in the archive")
        return found[0]

    def sightings(self, paper_id: int) -> tuple[Sighting, ...]:
        """Return where a paper stood, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(SIGHTING).where(SIGHTING.c.paper_id == paper_id).order_by(SIGHTING.c.day, SIGHTING.c.id)
            ).all()
        return tuple(
            Sighting(
                source=row.source,
                day=row.day,
                rank=row.rank,
                upvotes=row.upvotes,
                comments=row.comments,
                seen_at=row.seen_at,
            )
            for row in rows
        )

    def papers(self, ids: Iterable[int]) -> tuple[Paper, ...]:
        """Return the papers of these ids, in the order of their ids."""
        wanted = sorted(set(ids))
        found: list[Paper] = []
        with self._database.reading() as connection:
            for start in range(0, len(wanted), BLOCK):
                found += papers_where(connection, PAPER.c.id.in_(wanted[start : start + BLOCK]))
        return tuple(found)

    def after(self, paper_id: int, limit: int) -> tuple[Paper, ...]:
        """Return up to `limit` papers stored after that one, in order of storing."""
        with self._database.reading() as connection:
            return tuple(papers_where(connection, PAPER.c.id > paper_id, limit=limit))

    def since(self, day: date, moment: datetime | None = None) -> tuple[Paper, ...]:
        """Return the papers listed on or after `day`, or first seen at or after `moment`, in order of storing."""
        recent = PAPER.c.listed >= day
        if moment is not None:
            recent = or_(recent, PAPER.c.first_seen >= moment)
        with self._database.reading() as connection:
            return tuple(papers_where(connection, recent))

    def every(self) -> Iterator[Paper]:
        """Give every paper, in order of storing, a block at a time: memory stays flat."""
        last = 0
        while block := self.after(last, BLOCK):
            yield from block
            last = block[-1].id

    def days(self, source: str) -> frozenset[date]:
        """Return the listing days of which a source's papers are known."""
        with self._database.reading() as connection:
            found = connection.execute(select(SIGHTING.c.day).where(SIGHTING.c.source == source).distinct())
            return frozenset(found.scalars())

    def newest_day(self) -> date | None:
        """Return the newest listing day; None for an empty archive."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(PAPER.c.listed))).scalar()

    def stats(self) -> dict[str, Any]:
        """Return the counts of interface.md, "archive stats"."""
        counted = {
            "papers": "SELECT count(*) FROM paper",
            "sightings": "SELECT count(*) FROM sighting",
            "sources": "SELECT count(DISTINCT source) FROM sighting",
            "subscribers": "SELECT count(*) FROM subscriber",
            "topics": "SELECT count(*) FROM topic",
            "issues": "SELECT count(*) FROM issue",
            "deliveries": "SELECT count(*) FROM delivery",
        }
        with self._database.reading() as connection:
            counts: dict[str, Any] = {name: connection.execute(text(query)).scalar() for name, query in counted.items()}
            oldest, newest = connection.execute(select(func.min(PAPER.c.first_listed), func.max(PAPER.c.listed))).one()
        return {
            **counts,
            "size_bytes": self._database.size_bytes,
            "oldest": oldest.isoformat() if oldest else None,
            "newest": newest.isoformat() if newest else None,
        }

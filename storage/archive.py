"""Every paper ever seen, once.

`add` is the heart: in one transaction each listed paper is looked up by strong id, then by title; unseen ones are
inserted, known ones enriched, the sighting recorded and the page's validators saved. The papers never seen before are
returned. Adding the same listing again changes nothing but the votes.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, text

from domain.errors import UnknownError
from domain.papers import AbstractKind, Added, Listing, Paper, PaperEvent, Sighting, Validators, Wording
from storage.adding import add_listing
from storage.database import Database
from storage.reading import BLOCK, in_blocks, is_named, papers_where
from storage.sightings import sighting_from
from storage.tables import EVENT, KIN, PAPER, SIGHTING, WORDING


class Archive:
    """The papers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        listing: Listing,
        now: datetime,
        validators: Sequence[Validators] = (),
        *,
        sight: bool = True,
        apart_from: int = sys.maxsize,
    ) -> Added:
        """Store one listing in one transaction and return what was new; without `sight` no sighting is recorded.

        Records that bring a key of their own never join a paper of an id above `apart_from` by their words alone: both
        are of one export, and the archive that wrote it kept them apart.
        Raises StorageError; then nothing of the listing was stored and its page will be asked for again.
        """
        with self._database.writing() as connection:
            new, updated = add_listing(connection, listing, now, validators, sight=sight, apart_from=apart_from)
        return Added(new=tuple(new), updated=updated, listed=len(listing.papers))

    def paper(self, key: str) -> Paper:
        """Return the paper of that key, or of any strong id or link that names it; raises UnknownError."""
        named = is_named(key)
        with self._database.reading() as connection:
            found = list(papers_where(connection, named))
        if not found:
            raise UnknownError(f"there is no paper {key!r} in the archive")
        return found[0]

    def sightings(self, paper_id: int) -> tuple[Sighting, ...]:
        """Return where a paper stood, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(SIGHTING).where(SIGHTING.c.paper_id == paper_id).order_by(SIGHTING.c.day, SIGHTING.c.id)
            ).all()
        return tuple(sighting_from(row) for row in rows)

    def wordings(self, paper_id: int) -> tuple[Wording, ...]:
        """Return what sources say of a paper in other words than those it shows, by field and source."""
        names = (WORDING.c.source, WORDING.c.field, WORDING.c.text, WORDING.c.day)
        query = select(*names).where(WORDING.c.paper_id == paper_id).order_by(WORDING.c.field, WORDING.c.source)
        with self._database.reading() as connection:
            return tuple(Wording(*row) for row in connection.execute(query))

    def events(self, paper_id: int) -> tuple[PaperEvent, ...]:
        """Return what happened to a paper, in order."""
        names = (EVENT.c.kind, EVENT.c.note, EVENT.c.source, EVENT.c.day, EVENT.c.at)
        query = select(*names).where(EVENT.c.paper_id == paper_id).order_by(EVENT.c.id)
        with self._database.reading() as connection:
            return tuple(PaperEvent(*row) for row in connection.execute(query))

    def kin(self, paper_id: int) -> tuple[Paper, ...]:
        """Return the papers that may be the same work, in order of storing."""
        younger = select(KIN.c.paper_id).where(KIN.c.other_id == paper_id)
        older = select(KIN.c.other_id).where(KIN.c.paper_id == paper_id)
        with self._database.reading() as connection:
            return tuple(papers_where(connection, or_(PAPER.c.id.in_(younger), PAPER.c.id.in_(older))))

    def linked(self, ids: Collection[int]) -> tuple[tuple[int, int], ...]:
        """Return the pairs among these papers that may be one work."""
        wanted = sorted(set(ids))
        pairs: list[tuple[int, int]] = []
        with self._database.reading() as connection:
            for block in in_blocks(wanted):
                query = select(KIN.c.paper_id, KIN.c.other_id).where(KIN.c.paper_id.in_(block))
                pairs += [(one, other) for one, other in connection.execute(query)]
        known = set(wanted)
        return tuple(pair for pair in pairs if known.issuperset(pair))

    def papers(self, ids: Iterable[int]) -> tuple[Paper, ...]:
        """Return the papers of these ids, in the order of their ids."""
        wanted = sorted(set(ids))
        found: list[Paper] = []
        with self._database.reading() as connection:
            for block in in_blocks(wanted):
                found += papers_where(connection, PAPER.c.id.in_(block))
        return tuple(found)

    def after(self, paper_id: int, limit: int) -> tuple[Paper, ...]:
        """Return up to `limit` papers stored after that one, in order of storing."""
        with self._database.reading() as connection:
            return tuple(papers_where(connection, PAPER.c.id > paper_id, limit=limit))

    def newest(self, after: int, up_to: int, limit: int) -> tuple[Paper, ...]:
        """Return those stored last of the papers between these ids that are no backlog, in order of storing."""
        between = and_(PAPER.c.id > after, PAPER.c.id <= up_to, PAPER.c.backlog.is_(False))
        query = select(PAPER.c.id).where(between).order_by(PAPER.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(papers_where(connection, PAPER.c.id.in_(query)))

    def since(self, day: date, moment: datetime | None = None) -> tuple[Paper, ...]:
        """Return the papers listed on or after `day`, or first seen at or after `moment`, in order of storing."""
        recent = PAPER.c.listed >= day
        if moment is not None:
            recent = or_(recent, PAPER.c.first_seen >= moment)
        with self._database.reading() as connection:
            return tuple(papers_where(connection, recent))

    def every(self) -> Iterator[Paper]:
        """Give every paper there is now, in order of storing; each block is a transaction, so memory stays flat."""
        newest, last = self.newest_id(), 0
        while last < newest and (block := self.after(last, BLOCK)):
            yield from (paper for paper in block if paper.id <= newest)
            last = block[-1].id

    def journals(self, ids: Collection[int]) -> dict[int, str]:
        """Return where papers appeared, as the newest of their listings that tells says; the others are missing."""
        told = SIGHTING.c.details["journal"].as_string()
        query = select(SIGHTING.c.paper_id, told.label("journal")).where(
            SIGHTING.c.paper_id.in_(ids), told.is_not(None)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(SIGHTING.c.day, SIGHTING.c.id))
            return {row.paper_id: row.journal for row in rows}

    def without_abstract(self, source: str, since: date, limit: int) -> tuple[Paper, ...]:
        """Return up to `limit` papers that a source listed since a day and whose abstract is not the authors' own.

        The papers stored last are chosen; they come in order of storing.
        """
        stood = exists().where(SIGHTING.c.paper_id == PAPER.c.id, SIGHTING.c.source == source, SIGHTING.c.day >= since)
        lacking = or_(PAPER.c.abstract_kind != AbstractKind.AUTHORS.value, PAPER.c.abstract == "")
        # A paper's `listed` is its latest listing day: its index leaves the past alone, unless an order is asked for.
        query = select(PAPER.c.id).where(PAPER.c.listed >= since, lacking, stood)
        with self._database.reading() as connection:
            found = sorted(connection.execute(query).scalars())[-limit:]
            return tuple(papers_where(connection, PAPER.c.id.in_(found)))

    def newest_day(self) -> date | None:
        """Return the newest listing day; None for an empty archive."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(PAPER.c.listed))).scalar()

    def newest_id(self) -> int:
        """Return the id of the paper stored last; 0 for an empty archive."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(PAPER.c.id))).scalar() or 0

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

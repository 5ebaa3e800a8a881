"""The archive by listing days: which there are, what stood on each, and what a source said of a day that has nothing.

Every statement names its sources, so that the index of sightings by source and day is read only where it must be.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, bindparam, func, select, text

from domain.papers import FetchStatus
from storage.database import Database
from storage.tables import FETCH, PAPER, SIGHTING, SOURCE_DAY
from storage.words.facts import sources

#: One look into the index for each source.
_ENDS = """
    WITH RECURSIVE known(name) AS (
        SELECT min(source) FROM sighting
        UNION ALL SELECT (SELECT min(source) FROM sighting WHERE source > known.name) FROM known
        WHERE known.name IS NOT NULL
    )
    SELECT {end}(of_source.day) AS day
    FROM (SELECT (SELECT {end}(day) FROM sighting WHERE source = known.name {beyond}) AS day
          FROM known WHERE name IS NOT NULL) AS of_source
"""
#: One look into the index for each day of each source, however much stood on it.
_EVERY = text("""
    WITH RECURSIVE known(name) AS (
        SELECT min(source) FROM sighting
        UNION ALL SELECT (SELECT min(source) FROM sighting WHERE source > known.name) FROM known
        WHERE known.name IS NOT NULL
    ), walked(name, day) AS (
        SELECT name, (SELECT max(day) FROM sighting WHERE source = known.name) FROM known WHERE name IS NOT NULL
        UNION ALL
        SELECT name, (SELECT max(day) FROM sighting WHERE source = walked.name AND day < walked.day) FROM walked
        WHERE walked.day IS NOT NULL
    )
    SELECT DISTINCT day FROM walked WHERE day IS NOT NULL ORDER BY day DESC LIMIT :most
""").columns(day=Date)
_OLDEST = text(_ENDS.format(end="min", beyond="")).columns(day=Date)
_NEWEST = text(_ENDS.format(end="max", beyond="")).columns(day=Date)
_AFTER = text(_ENDS.format(end="min", beyond="AND day > :day")).bindparams(bindparam("day", type_=Date))
_BEFORE = text(_ENDS.format(end="max", beyond="AND day < :day")).bindparams(bindparam("day", type_=Date))


@dataclass(frozen=True, slots=True)
class Stood:
    """That a paper stood on one source's list of a day."""

    source: str
    rank: int
    upvotes: int | None  #: as that list had them
    paper_id: int


@dataclass(frozen=True, slots=True)
class Voted:
    """What the heat of a paper is made of."""

    paper_id: int
    upvotes: int
    day: date  #: it was published, else first listed


class ListingDays:
    """The listing days of one archive; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ends(self) -> tuple[date, date] | None:
        """Return the oldest and the newest listing day; None for an archive without any."""
        with self._database.reading() as connection:
            oldest = connection.execute(_OLDEST).scalar()
            newest = connection.execute(_NEWEST).scalar()
        return (oldest, newest) if oldest and newest else None

    def beside(self, first: date, last: date) -> tuple[date | None, date | None]:
        """Return the last listing day before one day, and the first after another."""
        with self._database.reading() as connection:
            before = connection.execute(_BEFORE.columns(day=Date), {"day": first}).scalar()
            return before, connection.execute(_AFTER.columns(day=Date), {"day": last}).scalar()

    def counts(self, first: date, last: date) -> dict[date, dict[str, int]]:
        """Return how many papers each source listed on the days from one to another, newest first."""
        query = select(SIGHTING.c.source, SIGHTING.c.day, func.count().label("papers"))
        counted: dict[date, dict[str, int]] = {}
        with self._database.reading() as connection:
            within = (SIGHTING.c.source.in_(sources(connection)), SIGHTING.c.day.between(first, last))
            rows = connection.execute(query.where(*within).group_by(SIGHTING.c.source, SIGHTING.c.day))
            for row in rows.all():
                counted.setdefault(row.day, {})[row.source] = row.papers
        return dict(sorted(counted.items(), reverse=True))

    def every(self, limit: int) -> list[date]:
        """Return the newest listing days, newest first."""
        with self._database.reading() as connection:
            return list(connection.execute(_EVERY, {"most": limit}).scalars())

    def stood(self, day: date, source: str, limit: int) -> list[Stood]:
        """Return the first papers of a source's list of a day, in its order."""
        columns = (SIGHTING.c.source, SIGHTING.c.rank, SIGHTING.c.upvotes, SIGHTING.c.paper_id)
        query = select(*columns).where(SIGHTING.c.source == source, SIGHTING.c.day == day)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(SIGHTING.c.rank, SIGHTING.c.paper_id).limit(limit))
            return [Stood(*row) for row in rows]

    def answers(self, day: date, names: Collection[str]) -> Mapping[str, FetchStatus]:
        """Return the last good, else the last answer of each of these sources for a day; of others nothing is known.

        Where the answers are no longer kept, a day that was read whole counts as one that listed nothing.
        """
        asked = select(FETCH.c.source, FETCH.c.status).where(FETCH.c.source.in_(names), FETCH.c.day == day)
        read = (SOURCE_DAY.c.source.in_(names), SOURCE_DAY.c.day == day, SOURCE_DAY.c.whole)
        found: dict[str, FetchStatus] = {}
        with self._database.reading() as connection:
            for source in connection.execute(select(SOURCE_DAY.c.source).where(*read)).scalars():
                found[source] = FetchStatus.OK_EMPTY
            for row in connection.execute(asked.order_by(FETCH.c.id)):
                status = FetchStatus(row.status)
                if status.is_good or row.source not in found or not found[row.source].is_good:
                    found[row.source] = status
        return found

    def voted(self, since: date) -> list[Voted]:
        """Return every paper with votes whose newest listing day is not before that one."""
        day = func.coalesce(PAPER.c.published, PAPER.c.first_listed, type_=Date).label("day")
        query = select(PAPER.c.id, PAPER.c.upvotes, day).where(PAPER.c.listed >= since, PAPER.c.upvotes > 0)
        with self._database.reading() as connection:
            return [Voted(*row) for row in connection.execute(query)]

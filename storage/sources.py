"""How far each source has come: its cursor, its days, what a conditional GET needs, and when its first load ended."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from domain.papers import Announcement, Validators
from storage.database import Database
from storage.reading import BLOCK
from storage.tables import CURSOR, IDENTIFIER, MARKER, SIGHTING, VALIDATOR


class Sources:
    """What one database knows of its sources, by their configured names."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

    def first_load(self, source: str) -> date | None:
        """Return the newest listing day at the end of a source's first run; None while that has not ended."""
        with self._database.reading() as connection:
            day = connection.execute(select(MARKER.c.value).where(MARKER.c.name == _first_load(source))).scalar()
        return None if day is None else date.fromordinal(day)

    def mark_loaded(self, source: str, day: date) -> None:
        """Remember the newest listing day at the end of a source's first run; the first value written stays."""
        mark = upsert(MARKER).values(name=_first_load(source), value=day.toordinal())
        with self._database.writing() as connection:
            connection.execute(mark.on_conflict_do_nothing(index_elements=["name"]))

    def validators(self, source: str, url: str) -> Validators | None:
        """Return what the last whole answer of that address left for a conditional GET; None if there was none."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(VALIDATOR.c.etag, VALIDATOR.c.last_modified).where(
                    VALIDATOR.c.source == source, VALIDATOR.c.url == url
                )
            ).first()
        return Validators(url=url, etag=row.etag, last_modified=row.last_modified) if row else None

    def days(self, source: str) -> frozenset[date]:
        """Return the listing days of which a source's papers are known."""
        with self._database.reading() as connection:
            found = connection.execute(select(SIGHTING.c.day).where(SIGHTING.c.source == source).distinct())
            return frozenset(found.scalars())

    def announced_before(self, ids: Collection[str], day: date) -> frozenset[str]:
        """Return those of these arXiv ids that some source listed as new on an earlier day.

        A feed that serves an earlier batch under today's date is found by them (sources.md section 5, row 13).
        """
        wanted = sorted(set(ids))
        announced: set[str] = set()
        with self._database.reading() as connection:
            for start in range(0, len(wanted), BLOCK):
                found = connection.execute(
                    select(IDENTIFIER.c.value)
                    .join(SIGHTING, SIGHTING.c.paper_id == IDENTIFIER.c.paper_id)
                    .where(
                        and_(IDENTIFIER.c.scheme == "arxiv", IDENTIFIER.c.value.in_(wanted[start : start + BLOCK])),
                        SIGHTING.c.day < day,
                        SIGHTING.c.details["announcement"].as_string() == Announcement.NEW.value,
                    )
                )
                announced.update(found.scalars())
        return frozenset(announced)


def _first_load(source: str) -> str:
    return f"first-load:{source}"

"""How far each source has come: its cursor, its days, what a conditional GET needs, and when its first load ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, and_, case, delete, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.papers import Announcement, Listing, Validators
from storage.database import Database
from storage.reading import in_blocks
from storage.tables import CURSOR, IDENTIFIER, MARKER, SIGHTING, SOURCE_DAY, VALIDATOR

_WISHED = "collect-wished"
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # seconds since then fit into a marker until 2088
_DAYS_KEPT = timedelta(days=120)  # beyond what any source can be asked for


@dataclass(frozen=True, slots=True)
class DayRead:
    """What came of asking for one listing day, the last time."""

    whole: bool
    tries: int  #: in vain, in a row
    asked_at: datetime  #: aware UTC


Days = Mapping[date, DayRead]  #: of one source, those that were asked for lately


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far a source was read."""

    cursor: date | None  #: the day up to which there is no gap; None before the first
    begun: date | None  #: the newest listing day when the first run began; None before it
    loaded: bool  #: the first run has ended
    days: Days  #: the days that were asked for lately

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of it was ever read in full."""
        return self.cursor is None and not any(read.whole for read in self.days.values())


class Sources:
    """What one database knows of its sources, by their configured names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, source: str) -> SourceState:
        """Return how far a source was read, in one look."""
        with self._database.reading() as connection:
            cursor = connection.execute(select(CURSOR.c.day).where(CURSOR.c.source == source)).scalar()
            names = (_begun(source), _loaded(source))
            found = connection.execute(select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_(names)))
            marks = {row.name: row.value for row in found}
            rows = connection.execute(select(SOURCE_DAY).where(SOURCE_DAY.c.source == source)).all()
        begun = marks.get(_begun(source))
        return SourceState(
            cursor=cursor,
            begun=None if begun is None else date.fromordinal(begun),
            loaded=_loaded(source) in marks,
            days={row.day: DayRead(whole=row.whole, tries=row.tries, asked_at=row.asked_at) for row in rows},
        )

    def days_read(self, sources: Sequence[str], since: datetime) -> dict[str, Days]:
        """Return what came of asking these sources for days since an instant, in one look; aware UTC."""
        found: dict[str, dict[date, DayRead]] = {}
        wanted = select(SOURCE_DAY).where(SOURCE_DAY.c.source.in_(sources), SOURCE_DAY.c.asked_at >= since)
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                read = DayRead(whole=row.whole, tries=row.tries, asked_at=row.asked_at)
                found.setdefault(row.source, {})[row.day] = read
        return dict(found)

    def settle(self, source: str, day: date, *, whole: bool, cursor: date | None, newest: date, now: datetime) -> None:
        """Remember what came of asking for a day and, where `cursor` is a day, that there is no gap up to it.

        The cursor never goes back, except from beyond `newest`, where only a clock that was ahead can have put it.
        """
        tries = case((SOURCE_DAY.c.whole, 1), else_=SOURCE_DAY.c.tries + 1) if not whole else literal(0)
        asked = upsert(SOURCE_DAY).values(source=source, day=day, whole=whole, tries=int(not whole), asked_at=now)
        with self._database.writing() as connection:
            connection.execute(
                asked.on_conflict_do_update(
                    index_elements=["source", "day"], set_={"whole": whole, "tries": tries, "asked_at": now}
                )
            )
            connection.execute(
                delete(SOURCE_DAY).where(SOURCE_DAY.c.source == source, SOURCE_DAY.c.day < newest - _DAYS_KEPT)
            )
            if cursor is not None:
                moved = upsert(CURSOR).values(source=source, day=cursor)
                later = and_(CURSOR.c.day > cursor, CURSOR.c.day <= newest)
                connection.execute(
                    moved.on_conflict_do_update(
                        index_elements=["source"], set_={"day": case((later, CURSOR.c.day), else_=cursor)}
                    )
                )

    def begin_load(self, source: str, day: date) -> None:
        """Remember the newest listing day when a source's first run began."""
        self._mark(_begun(source), day.toordinal())

    def end_load(self, source: str) -> None:
        """Remember that a source's first run has ended."""
        self._mark(_loaded(source), 1)

    def wish(self, now: datetime) -> None:
        """Remember that somebody wants every source to be asked now, whichever process does it."""
        self._mark(_WISHED, int((now - _EPOCH).total_seconds()))

    def wished(self) -> datetime | None:
        """Return when somebody wanted that last, to the second; None for never."""
        with self._database.reading() as connection:
            found = connection.execute(select(MARKER.c.value).where(MARKER.c.name == _WISHED)).scalar()
        return None if found is None else _EPOCH + timedelta(seconds=found)

    def _mark(self, name: str, value: int) -> None:
        mark = upsert(MARKER).values(name=name, value=value)
        with self._database.writing() as connection:
            connection.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    def validators(self, source: str, url: str) -> Validators | None:
        """Return what the last whole answer of that address left for a conditional GET; None if there was none."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(VALIDATOR).where(VALIDATOR.c.source == source, VALIDATOR.c.url == url)
            ).first()
        if row is None:
            return None
        return Validators(url=url, etag=row.etag, last_modified=row.last_modified, day=row.day, given_by=row.given_by)

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
            for block in in_blocks(wanted):
                found = connection.execute(
                    select(IDENTIFIER.c.value)
                    .join(SIGHTING, SIGHTING.c.paper_id == IDENTIFIER.c.paper_id)
                    .where(
                        and_(IDENTIFIER.c.scheme == "arxiv", IDENTIFIER.c.value.in_(block)),
                        SIGHTING.c.day < day,
                        SIGHTING.c.details["announcement"].as_string() == Announcement.NEW.value,
                    )
                )
                announced.update(found.scalars())
        return frozenset(announced)


def remember(connection: Connection, listing: Listing, validators: Sequence[Validators]) -> None:
    """Keep what a whole listing's answers left for a conditional GET, in the transaction that stores its papers."""
    for each in validators:
        marks = {"etag": each.etag, "last_modified": each.last_modified, "day": listing.day, "given_by": each.given_by}
        saved = upsert(VALIDATOR).values(source=listing.source, url=each.url, **marks)
        connection.execute(saved.on_conflict_do_update(index_elements=["source", "url"], set_=marks))


def _begun(source: str) -> str:
    return f"first-load:{source}"


def _loaded(source: str) -> str:
    return f"loaded:{source}"

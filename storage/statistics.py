"""What the archive did day by day: papers by source, matches, letters; counted, never kept.

    listed    a paper stood on a source's list of that day; on the lists of two sources it counts in each
    new       of those, the ones that stood on no list before: each paper once, where it stood on its earliest day
    matches   pairs of a topic and a paper; a match knows no day, so it stands at its paper's first listing day
    letters   issues by the day of their letter's Date and by what became of them; confirmations are left out

Listing days are dates in each source's own zone, letters' days are in UTC. `new` speaks of the lists, not of the clock:
a paper that a backlog brings today counts on the day on which it was listed.

Each statement names its index: the work grows with what happened in the days asked for, not with the archive.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Date, and_, case, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from domain.deliveries import DeliveryState
from storage.database import Database
from storage.tables import DELIVERY, MATCH, PAPER, SIGHTING


@dataclass(frozen=True, slots=True)
class SourceDays:
    """One source, day by day."""

    source: str  #: the configured name, or the kind of an imported file
    listed: tuple[int, ...]  #: how many papers its list of each day held
    new: tuple[int, ...]  #: how many of them no list had held before


@dataclass(frozen=True, slots=True)
class PerDay:
    """What happened on each of some days in a row, the oldest first; every series has one figure a day."""

    first: date
    sources: tuple[SourceDays, ...]  #: those that listed anything; the one that listed most comes first
    matches: tuple[int, ...]
    letters: Mapping[DeliveryState, tuple[int, ...]]  #: without the states that no letter is in

    @property
    def days(self) -> tuple[date, ...]:
        """The days."""
        return tuple(self.first + timedelta(days=number) for number in range(len(self.matches)))


class Statistics:
    """The counts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest_day(self) -> date | None:
        """Return the newest day of a listing or of a letter; None for an archive without either.

        Walks ix_paper_listed to its end, and the deliveries.
        """
        letter = select(func.max(DELIVERY.c.date)).where(DELIVERY.c.issue_id.is_not(None))
        with self._database.reading() as connection:
            listed = connection.execute(select(func.max(PAPER.c.listed))).scalar()
            sent = connection.execute(letter).scalar()
        return max((day for day in (listed, sent.astimezone(UTC).date() if sent else None) if day), default=None)

    def per_day(self, first: date, last: date) -> PerDay:
        """Return what happened from `first` to `last`, both included, all seen at one moment."""
        days = (last - first).days + 1
        with self._database.reading() as connection:
            sources = _sources(connection, first, days)
            matches = _matches(connection, first, days)
            letters = _letters(connection, first, days)
        return PerDay(first=first, sources=sources, matches=matches, letters=letters)


def _sources(connection: Connection, first: date, days: int) -> tuple[SourceDays, ...]:
    """Count papers by source and listing day: index sighting(source, day); what was before, by its unique key."""
    before = SIGHTING.alias("before")
    known = (
        select(before.c.id)
        .where(
            before.c.paper_id == SIGHTING.c.paper_id,
            or_(
                before.c.day < SIGHTING.c.day,
                and_(before.c.day == SIGHTING.c.day, before.c.id < SIGHTING.c.id),
            ),
        )
        .exists()
    )
    query = (
        select(SIGHTING.c.source, SIGHTING.c.day, func.count(), func.sum(case((known, 0), else_=1)))
        .where(SIGHTING.c.source.in_(list(_names(connection))), SIGHTING.c.day.between(first, _last(first, days)))
        .group_by(SIGHTING.c.source, SIGHTING.c.day)
    )
    listed: dict[str, dict[date, int]] = {}
    new: dict[str, dict[date, int]] = {}
    for source, day, stood, fresh in connection.execute(query):
        listed.setdefault(source, {})[day] = stood
        new.setdefault(source, {})[day] = int(fresh)
    found = [SourceDays(name, _row(listed[name], first, days), _row(new[name], first, days)) for name in listed]
    return tuple(sorted(found, key=lambda each: (-sum(each.listed), each.source)))


def _names(connection: Connection) -> Iterator[str]:
    """Give every source that ever listed a paper, by one look into index sighting(source, day) for each.

    Named one by one, a statement finds each source's days in that index without reading the rest of it.
    """
    name = connection.execute(select(func.min(SIGHTING.c.source))).scalar()
    while name is not None:
        yield name
        name = connection.execute(select(func.min(SIGHTING.c.source)).where(SIGHTING.c.source > name)).scalar()


def _matches(connection: Connection, first: date, days: int) -> tuple[int, ...]:
    """Count matches by their paper's first listing day: ix_paper_listed, then ix_match_paper_id.

    A paper's newest listing day is never before its first one, so the index on it leaves the past alone.
    """
    query = (
        select(PAPER.c.first_listed, func.count())
        .join(MATCH, MATCH.c.paper_id == PAPER.c.id)
        .where(PAPER.c.listed >= first, PAPER.c.first_listed.between(first, _last(first, days)))
        .group_by(PAPER.c.first_listed)
    )
    counts = {row[0]: row[1] for row in connection.execute(query)}
    return _row(counts, first, days)


def _letters(connection: Connection, first: date, days: int) -> dict[DeliveryState, tuple[int, ...]]:
    """Count letters by their day in UTC and their state: ix_delivery_date.

    A delivery that belongs to an issue goes with it, so the issue itself need not be looked at.
    """
    begin, end = (datetime.combine(of, at, UTC) for of, at in ((first, time.min), (_last(first, days), time.max)))
    day = _UtcDay(DELIVERY.c.date)
    query = (
        select(day, DELIVERY.c.state, func.count())
        .where(
            DELIVERY.c.issue_id.is_not(None),
            DELIVERY.c.date.between(begin, end),
        )
        .group_by(day, DELIVERY.c.state)
    )
    counts: dict[str, dict[date, int]] = {}
    for of, state, number in connection.execute(query):
        counts.setdefault(state, {})[of] = number
    return {state: _row(counts[state.value], first, days) for state in DeliveryState if state.value in counts}


class _UtcDay(FunctionElement[date]):
    """The day in UTC of an instant that is kept: the two engines have no word for it in common."""

    type = Date()
    inherit_cache = True


@compiles(_UtcDay)
def _of_text(element: _UtcDay, compiler: Any, **options: Any) -> str:
    """SQLite keeps an instant as text that is in UTC already."""
    return f"date({compiler.process(element.clauses, **options)})"


@compiles(_UtcDay, "postgresql")
def _of_instant(element: _UtcDay, compiler: Any, **options: Any) -> str:
    """PostgreSQL would tell the day in the zone of the session."""
    return f"CAST({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC' AS DATE)"


def _last(first: date, days: int) -> date:
    return first + timedelta(days=days - 1)


def _row(counts: Mapping[date, int], first: date, days: int) -> tuple[int, ...]:
    return tuple(counts.get(first + timedelta(days=number), 0) for number in range(days))

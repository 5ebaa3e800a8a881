"""What would narrow a search: how many of the papers found are of each source, category and listing day, or have code.

    ids of what was found (Search.ids) → counted in the database, in four short statements → FacetCounts

Each count is the total of the same search with that filter too, so days count on the source that is asked for, and
sources in the days that are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import CTE, ColumnElement, Connection, case, func, select

from storage.database import Database
from storage.filters import Filters
from storage.tables import PAPER, SIGHTING
from storage.words.asking import asking_of
from storage.words.categories import names, storable
from storage.words.facts import sources

_CATEGORIES = 12
_DAYS = 14


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many papers each filter would leave; what would leave none is missing."""

    sources: Mapping[str, int]  #: by configured name, the most papers first
    categories: Mapping[str, int]  #: in lower case, those with the most papers, most first
    days: Mapping[date, int]  #: the newest listing days, newest first
    code: int


class Facets:
    """The facets of one archive; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asking_of(database.dialect)

    def of(self, ids: Sequence[int], filters: Filters) -> FacetCounts:
        """Return the counts of some tens of thousands of papers at most, which were found with these filters."""
        with self._database.reading() as connection:
            found = self._asking.listed(ids).cte("found").prefix_with("MATERIALIZED")
            filed, code = _filed(connection, found)
            return FacetCounts(
                sources=_sighted(connection, found, filters),
                categories=filed,
                days=_days(connection, found, filters),
                code=code,
            )

    def sources(self) -> tuple[str, ...]:
        """Return the name of every source that ever listed a paper."""
        with self._database.reading() as connection:
            return tuple(sources(connection))


def _sighted(connection: Connection, found: CTE, filters: Filters) -> dict[str, int]:
    papers = func.count(SIGHTING.c.paper_id.distinct()).label("papers")
    query = select(SIGHTING.c.source, papers).join(found, found.c.id == SIGHTING.c.paper_id)
    rows = connection.execute(query.where(*_within(filters)).group_by(SIGHTING.c.source))
    return dict(sorted(((row.source, row.papers) for row in rows), key=lambda each: (-each[1], each[0])))


def _days(connection: Connection, found: CTE, filters: Filters) -> dict[date, int]:
    papers = func.count(SIGHTING.c.paper_id.distinct()).label("papers")
    query = select(SIGHTING.c.day, papers).join(found, found.c.id == SIGHTING.c.paper_id)
    counted = query.where(*_within(filters)).group_by(SIGHTING.c.day)
    rows = connection.execute(counted.order_by(SIGHTING.c.day.desc()).limit(_DAYS))
    return {row.day: row.papers for row in rows}


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what must hold of a sighting of a paper that was found."""
    conditions = []
    if filters.source is not None:
        conditions.append(SIGHTING.c.source == storable(filters.source))
    if filters.since:
        conditions.append(SIGHTING.c.day >= filters.since)
    if filters.until:
        conditions.append(SIGHTING.c.day <= filters.until)
    return conditions


def _filed(connection: Connection, found: CTE) -> tuple[dict[str, int], int]:
    """Return the papers by category, and how many have code.

    Papers share few lists of categories, so the lists are counted in the database and read apart here.
    """
    code = func.sum(case((PAPER.c.code_url != "", 1), else_=0)).label("code")
    query = select(PAPER.c.categories, func.count().label("papers"), code).join(found, found.c.id == PAPER.c.id)
    filed: Counter[str] = Counter()
    coded = 0
    for row in connection.execute(query.group_by(PAPER.c.categories)):
        filed.update(dict.fromkeys(names(row.categories), row.papers))
        coded += row.code
    return dict(sorted(filed.items(), key=lambda each: (-each[1], each[0]))[:_CATEGORIES]), coded

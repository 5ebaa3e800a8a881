"""What would narrow a search: how many of the papers found are of each source, category and listing day, or have code.

Each count is the total of the same search with that filter too, so days count on the source that is asked for, and
sources in the days that are. One statement finds the papers once and counts them three times.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)

from storage.filters import Filters
from storage.tables import PAPER, SIGHTING
from storage.words.categories import names, storable

_CATEGORIES = 12
_DAYS = 14
_NO_DAY: ColumnElement[date | None] = cast(null(), Date)


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many papers each filter would leave; what would leave none is missing."""

    sources: Mapping[str, int]  #: by configured name, the most papers first
    categories: Mapping[str, int]  #: in lower case, those with the most papers, most first
    days: Mapping[date, int]  #: the newest listing days, newest first
    code: int


def counted(connection: Connection, those: Select[Any], filters: Filters) -> FacetCounts:
    """Return the counts of the papers that a statement gives the `id` of, which pass these filters."""
    found = those.cte("found").prefix_with("MATERIALIZED")
    parts = union_all(_sources(found, filters), _days(found, filters), _lists(found))
    sources: Counter[str] = Counter()
    days: dict[date, int] = {}
    categories: Counter[str] = Counter()
    code = 0
    for kind, name, day, papers, coded in connection.execute(parts):
        if kind == "source":
            sources[name] = papers
        elif kind == "day":
            days[day] = papers
        else:
            categories.update(dict.fromkeys(names(json.loads(name)), papers))
            code += coded
    return FacetCounts(
        sources=_most(sources, len(sources)),
        categories=_most(categories, _CATEGORIES),
        days=dict(sorted(days.items(), reverse=True)),
        code=code,
    )


def _sources(found: CTE, filters: Filters) -> Select[Any]:
    papers = _papers(filters)
    query = select(literal("source").label("kind"), SIGHTING.c.source.label("name"), _NO_DAY, papers, literal(0))
    return _seen(query, found).group_by(SIGHTING.c.source).having(papers > 0)


def _days(found: CTE, filters: Filters) -> Select[Any]:
    papers = _papers(filters)
    counted_days = _seen(select(SIGHTING.c.day, papers.label("papers")), found).group_by(SIGHTING.c.day)
    newest = counted_days.having(papers > 0).order_by(SIGHTING.c.day.desc()).limit(_DAYS).subquery()
    return select(literal("day"), cast(null(), Text), newest.c.day, newest.c.papers, literal(0))


def _lists(found: CTE) -> Select[Any]:
    """Papers share few lists of categories, so the lists are counted there and read apart here."""
    code = cast(func.sum(case((PAPER.c.code_url != "", 1), else_=0)), Integer)
    categories = cast(PAPER.c.categories, Text)
    columns: list[ColumnElement[Any]] = [literal("categories"), categories, _NO_DAY, func.count(), code]
    query = select(*columns)
    return query.select_from(found.join(PAPER, PAPER.c.id == found.c.id)).group_by(categories)


def _seen(query: Select[Any], found: CTE) -> Select[Any]:
    return query.select_from(found.join(SIGHTING, SIGHTING.c.paper_id == found.c.id))


def _papers(filters: Filters) -> ColumnElement[int]:
    """Return how many papers were sighted where the filters look.

    The filters stand within the count, and not beside it: SQLite would begin with all sightings that pass them, and
    look through the papers found for each.
    """
    conditions: list[ColumnElement[bool]] = []
    if filters.source is not None:
        conditions.append(SIGHTING.c.source == storable(filters.source))
    if filters.since:
        conditions.append(SIGHTING.c.day >= filters.since)
    if filters.until:
        conditions.append(SIGHTING.c.day <= filters.until)
    return func.count(case((and_(true(), *conditions), SIGHTING.c.paper_id)).distinct())


def _most(counts: Counter[str], limit: int) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:limit])

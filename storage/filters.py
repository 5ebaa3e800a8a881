"""What narrows a search beside its words, each found by an index.

A filter is the set of papers it lets through. Where few papers match the words it is asked for each of them; otherwise
the set is gathered once. SQLite is told which of the two, PostgreSQL decides for itself.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, literal_column, select

from storage.tables import PAPER, SIGHTING
from storage.words.categories import CATEGORY, filed, storable
from storage.words.facts import enough, sources

_FILTERED = PAPER.alias("filtered")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which papers are looked at; a paper must pass all that is given."""

    source: str | None = None  #: it was sighted there, by the configured name
    since: date | None = None  #: it was sighted, on `source` if that is given, on a listing day from this one
    until: date | None = None  #: and up to this one, the day itself included
    category: str | None = None  #: it is in "cs.LG", or for "cs" in any "cs.…"
    votes: int | None = None  #: it has at least so many upvotes
    code: bool = False  #: a listing named its code


class Narrowing:
    """Filters as conditions on a column that holds papers' ids."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self._sets: list[tuple[Select[Any], ColumnElement[int]]] = []
        if filters.votes is not None:
            voted = select(_FILTERED.c.id).where(_FILTERED.c.upvotes >= enough(filters.votes))
            self._sets.append((voted, _FILTERED.c.id))
        if filters.source is not None or filters.since or filters.until:
            self._sets.append((_sighted(connection, filters), SIGHTING.c.paper_id))
        if filters.code:
            # In literal words, so that an index of these papers alone would serve.
            coded = select(_FILTERED.c.id).where(_FILTERED.c.code_url != literal_column("''"))
            self._sets.append((coded, _FILTERED.c.id))
        if filters.category is not None:
            self._sets.append((_filed(filters.category), CATEGORY.c.paper_id))

    def __bool__(self) -> bool:
        """Whether anything is narrowed."""
        return bool(self._sets)

    def conditions(self, column: ColumnElement[int], *, one_by_one: bool = False) -> list[ColumnElement[bool]]:
        """Return what must hold of the ids in the column."""
        if one_by_one:
            return [those.where(of == column).exists() for those, of in self._sets]
        return [column.in_(those) for those, _ in self._sets]


def knows_source(connection: Connection, name: str) -> bool:
    """Whether a paper was ever sighted on a source of that name."""
    return bool(connection.execute(select(exists().where(SIGHTING.c.source == storable(name)))).scalar())


def knows_category(connection: Connection, category: str) -> bool:
    """Whether a paper is in that category."""
    return bool(connection.execute(select(_filed(category).exists())).scalar())


def _sighted(connection: Connection, filters: Filters) -> Select[Any]:
    those = [storable(filters.source)] if filters.source is not None else sources(connection)
    found = select(SIGHTING.c.paper_id).where(SIGHTING.c.source.in_(those))
    if filters.since:
        found = found.where(SIGHTING.c.day >= filters.since)
    if filters.until:
        found = found.where(SIGHTING.c.day <= filters.until)
    return found


def _filed(category: str) -> Select[Any]:
    return select(CATEGORY.c.paper_id).where(CATEGORY.c.category == filed(category))

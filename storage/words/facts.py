"""What a tree asks of papers beside their words, as statements over an index: categories, sources, votes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select, text

from domain.facts import is_source
from domain.topics import Category, Source, Votes
from storage.tables import PAPER, SIGHTING
from storage.words.categories import CATEGORY, filed

#: Every source's name, from the index: one look for each name, not one for each sighting.
_SOURCES = text(
    "WITH RECURSIVE known(name) AS (SELECT min(source) FROM sighting UNION ALL "
    "SELECT (SELECT min(source) FROM sighting WHERE source > known.name) FROM known WHERE known.name IS NOT NULL) "
    "SELECT name FROM known WHERE name IS NOT NULL"
)
_LARGEST = 2**31 - 1  # of the column on PostgreSQL

Filed = Category | Source | Votes


def sources(connection: Connection) -> list[str]:
    """Return the name of every source that a paper was sighted on."""
    return list(connection.execute(_SOURCES).scalars())


def named(asked: Source, known: Sequence[str]) -> list[str]:
    """Return which of the sources are meant."""
    return [name for name in known if is_source(asked.name, name)]


def enough(votes: int) -> int:
    """Return a number of votes as both databases take one."""
    return min(max(votes, 0), _LARGEST)


def having(fact: Filed, known: Sequence[str]) -> Select[Any]:
    """Return a statement for the `id` of each paper that has a fact, some twice; `known` are all sources' names."""
    match fact:
        case Category(name):
            return select(CATEGORY.c.paper_id.label("id")).where(CATEGORY.c.category == filed(name))
        case Source():
            return select(SIGHTING.c.paper_id.label("id")).where(SIGHTING.c.source.in_(named(fact, known)))
        case Votes(least):
            return select(PAPER.c.id.label("id")).where(PAPER.c.upvotes >= enough(least))

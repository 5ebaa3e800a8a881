"""Rows of `paper` as values: what every class of this room that gives papers away shares."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, and_, or_, select

from domain.errors import UnknownError
from domain.identifiers import identifiers_in
from domain.papers import AbstractKind, Identifiers, Paper
from storage.tables import IDENTIFIER, PAPER

_Row = TypeVar("_Row")

BLOCK = 500  #: rows or bound values a statement: SQLite allows 32,766 of the latter


def in_blocks(rows: Sequence[_Row], size: int = BLOCK) -> Iterator[Sequence[_Row]]:
    """Yield the rows, or values, in their order, so many at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def papers_where(connection: Connection, condition: Any, limit: int | None = None) -> Iterator[Paper]:
    """Give the papers that meet a condition, in order of storing."""
    query: Select[Any] = select(PAPER).where(condition).order_by(PAPER.c.id)
    rows = connection.execute(query.limit(limit) if limit is not None else query).all()
    ids = identifiers_of(connection, [row.id for row in rows])
    for row in rows:
        yield paper_from(row, ids.get(row.id, Identifiers()))


def is_named(key: str) -> Any:
    """Return the condition that a paper has that key, or any strong id or link that names it; raises UnknownError."""
    if "\0" in key or not key.isprintable():
        raise UnknownError(f"there is no paper {key!a} in the archive")
    scheme, _, value = key.partition(":")
    pairs = {(scheme, value), *identifiers_in([key]).pairs()}
    by_id = select(IDENTIFIER.c.paper_id).where(
        or_(*(and_(IDENTIFIER.c.scheme == each, IDENTIFIER.c.value == known) for each, known in pairs))
    )
    return or_(PAPER.c.key == key, PAPER.c.id.in_(by_id))


def identifiers_of(connection: Connection, paper_ids: Sequence[int]) -> dict[int, Identifiers]:
    """Return the strong ids of these papers; a paper without any is missing."""
    found: dict[int, dict[str, str]] = {}
    shown = IDENTIFIER.c.place == 0, IDENTIFIER.c.scheme != "title"
    for block in in_blocks(paper_ids):
        for row in connection.execute(select(IDENTIFIER).where(IDENTIFIER.c.paper_id.in_(block), *shown)):
            found.setdefault(row.paper_id, {})[row.scheme] = row.value
    return {paper_id: Identifiers(**schemes) for paper_id, schemes in found.items()}


def paper_from(row: Row[Any], ids: Identifiers) -> Paper:
    """Return the value of one row of `paper`."""
    return paper_of(row._asdict(), ids)


def paper_of(row: Mapping[str, Any], ids: Identifiers) -> Paper:
    """Return the value of the columns of `paper`, by name."""
    return Paper(
        id=row["id"],
        key=row["key"],
        ids=ids,
        title=row["title"],
        abstract=row["abstract"],
        abstract_kind=AbstractKind(row["abstract_kind"]),
        authors=tuple(row["authors"]),
        author_count=row["author_count"],
        published=row["published"],
        first_seen=row["first_seen"],
        listed=row["listed"],
        first_listed=row["first_listed"],
        url=row["url"],
        pdf_url=row["pdf_url"],
        code_url=row["code_url"],
        project_url=row["project_url"],
        organization=row["organization"],
        categories=tuple(row["categories"]),
        sources=tuple(row["sources"]),
        upvotes=row["upvotes"],
        comments=row["comments"],
        backlog=row["backlog"],
        withdrawn=row["withdrawn"],
        version=row["version"],
    )

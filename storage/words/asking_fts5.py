"""How the FTS5 table is asked.

Nothing a reader types is FTS5 syntax: `match_expression` quotes each word. A count apart from the ranking is another
walk through the matches, but a short one: it scores none of them.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Integer, Select, column, func, literal, literal_column, select
from sqlalchemy import table as named

from domain.fts5 import match_expression
from domain.topics import Node

_FTS = named("paper_fts", column("rowid", Integer))
_ID = _FTS.c.rowid.label("id")
#: Titles count twice. Ordered by the function and not by `rank`, which sorts every match though twenty are wanted.
_SCORE: ColumnElement[float] = literal_column("-bm25(paper_fts, 2.0, 1.0, 1.0, 1.0)", Float).label("score")
_LETTER_SCORE: ColumnElement[float] = literal_column("-bm25(paper_fts, 2.0, 1.0, 0.0, 0.0)", Float).label("score")
_FEW = 10_000


class AskingFts5:
    """FTS5, asked."""

    counts_along = False
    id: ColumnElement[int] = literal_column("+paper_fts.rowid", Integer)

    def matching(self, tree: Node) -> Select[Any]:
        """Return a statement for the `id` of each paper that the tree selects."""
        return select(_ID).where(_matches(match_expression(tree)))

    def ranked(self, connection: Connection, tree: Node) -> Select[Any]:  # noqa: ARG002 the other index looks into its counts
        """Return a statement for `id` and `score`, higher is better, of each paper that the tree selects."""
        return select(_ID, _SCORE).where(_matches(match_expression(tree)))

    def scores(self, connection: Connection, tree: Node, paper_ids: Collection[int]) -> dict[int, float]:
        """Return BM25 of those of these papers whose title and abstract the tree selects, titles counted twice."""
        found = connection.execute(
            select(_ID, _LETTER_SCORE)
            .where(_matches(f"{{title abstract}} : ({match_expression(tree)})"))
            .where(_FTS.c.rowid.between(min(paper_ids), max(paper_ids)))
        )
        return {row.id: row.score for row in found if row.id in paper_ids}

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column behind a plus sign, which keeps SQLite from looking rows up by it."""
        return literal_column(f"+{column}", Integer)

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:
        """Whether it is quicker to look at each match than to gather all that a filter lets through."""
        found = select(func.count()).select_from(matching.limit(_FEW).subquery())
        return connection.execute(found).scalar_one() < _FEW


def _matches(expression: str) -> ColumnElement[bool]:
    return literal_column("paper_fts").bool_op("MATCH")(literal(expression))

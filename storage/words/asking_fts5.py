"""How the FTS5 table is asked.

Nothing a reader types is FTS5 syntax: `match_expression` quotes each word. A count apart from the ranking is another
walk through the matches, but a short one: it scores none of them.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy import table as named

from domain.fts5 import match_expression
from domain.topics import Node
from storage.reading import BLOCK

_FTS = named("paper_fts", column("rowid", Integer))
_ID = _FTS.c.rowid.label("id")
#: Titles count twice. Ordered by the function and not by `rank`, which sorts every match though twenty are wanted.
_SCORE: ColumnElement[float] = literal_column("-bm25(paper_fts, 2.0, 1.0, 1.0, 1.0)", Float).label("score")
#: Reads the index itself, and is the connection's own.
_STEMS = text("CREATE VIRTUAL TABLE IF NOT EXISTS temp.paper_stem USING fts5vocab(main, paper_fts, row)")
_HAVING = text("SELECT term, doc FROM temp.paper_stem WHERE term IN :stems").bindparams(
    bindparam("stems", expanding=True)
)
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

    def having(self, connection: Connection, stems: Collection[str]) -> dict[str, int]:
        """Return how many papers have each of these stems, wherever in their texts; one that none has is missing."""
        connection.execute(_STEMS)
        asked = list(stems)
        found: dict[str, int] = {}
        for start in range(0, len(asked), BLOCK):
            rows = connection.execute(_HAVING, {"stems": asked[start : start + BLOCK]})
            found.update((row.term, row.doc) for row in rows)
        return found

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column behind a plus sign, which keeps SQLite from looking rows up by it."""
        return literal_column(f"+{column}", Integer)

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:
        """Whether it is quicker to look at each match than to gather all that a filter lets through."""
        found = select(func.count()).select_from(matching.limit(_FEW).subquery())
        return connection.execute(found).scalar_one() < _FEW


def _matches(expression: str) -> ColumnElement[bool]:
    return literal_column("paper_fts").bool_op("MATCH")(literal(expression))

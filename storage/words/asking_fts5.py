"""How the FTS5 tables are asked.

Nothing a reader types is FTS5 syntax: `match_expression` quotes each word. A count apart from the ranking is another
walk through the matches, but a short one: it scores none of them.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    column,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy import table as named
from sqlalchemy.sql.expression import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from domain.fts5 import match_expression, prefix_expression
from domain.topics import Node, Prefix
from storage.words.selecting import Asking, Those, Where

_FTS = named("paper_fts", column("rowid", Integer))
_FORMS = named("paper_forms", column("rowid", Integer))
_ID = _FTS.c.rowid.label("id")
_TESTED: ColumnElement[int] = literal_column("+paper_fts.rowid", Integer)
#: Titles count twice. Ordered by the function and not by `rank`, which sorts every match though twenty are wanted.
_SCORE: ColumnElement[float] = literal_column("-bm25(paper_fts, 2.0, 1.0, 1.0, 1.0)", Float).label("score")
_PLUS: custom_op[Any] = custom_op("+")
_FEW = 10_000


class AskingFts5(Asking):
    """FTS5, asked."""

    counts_along = False

    def worded(self, tree: Node, where: Where) -> Those:
        """Return the papers that a tree of words and phrases alone selects."""
        return Those(select(_ID).where(_matches("paper_fts", _expression(tree, where))), _TESTED)

    def scored(self, connection: Connection, tree: Node, where: Where) -> Those:  # noqa: ARG002 the other index looks into its counts
        """Return the papers that a tree of words and phrases alone selects, with their BM25."""
        return Those(select(_ID, _SCORE).where(_matches("paper_fts", _expression(tree, where))), _TESTED)

    def scored_among(self, connection: Connection, picked: CTE, tree: Node, where: Where) -> Those:
        """Return the papers whose `id` was picked, with the BM25 of words and phrases alone; 0 where none is there."""
        found = self.scored(connection, tree, where).select.cte().prefix_with("MATERIALIZED")
        score = func.coalesce(found.c.score, 0.0).label("score")
        joined = picked.outerjoin(found, found.c.id == picked.c.id)
        return Those(select(picked.c.id.label("id"), score).select_from(joined), self.aside(picked.c.id))

    def begun(self, prefix: Prefix) -> Those:
        """Return the papers of which a word in title or abstract, or in the prefix's field, begins so."""
        found = _matches("paper_forms", f"{{title abstract}} : ({prefix_expression(prefix)})")
        return Those(select(_FORMS.c.rowid.label("id")).where(found), literal_column("+paper_forms.rowid", Integer))

    def traced(self, ways: Sequence[Sequence[str]]) -> Select[Any]:
        """Return a statement for the `id` of each paper whose authors leave all the traces of one way."""
        one_by_one = " OR ".join("(" + " AND ".join(f'"{trace}"' for trace in way) + ")" for way in ways)
        return select(_FORMS.c.rowid.label("id")).where(_matches("paper_forms", f"people : ({one_by_one})"))

    def listed(self, ids: Sequence[int]) -> Select[Any]:
        """Return a statement for the `id` of each of these papers."""
        rows = func.json_each(json.dumps(ids)).table_valued("value")
        return select(rows.c.value.label("id"))

    def lacks(self, column: ColumnElement[int], those: Select[Any]) -> ColumnElement[bool]:
        """Return the condition that the id in a column is none that the statement gives."""
        return column.not_in(select(those.cte().c.id))

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column behind a plus sign, which keeps SQLite from looking rows up by it."""
        return UnaryExpression(column, operator=_PLUS, type_=Integer())

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:
        """Whether it is quicker to look at each match than to gather all that a filter lets through."""
        found = select(func.count()).select_from(matching.limit(_FEW).subquery())
        return connection.execute(found).scalar_one() < _FEW


def _expression(tree: Node, where: Where) -> str:
    expression = match_expression(tree)
    return f"{{title abstract}} : ({expression})" if where is Where.SAID else expression


def _matches(table: str, expression: str) -> ColumnElement[bool]:
    return literal_column(table).bool_op("MATCH")(literal(expression))

"""How the tsvectors of `paper_words` are asked.

PostgreSQL's ts_rank knows nothing of how rare a word is, so a search is ordered by BM25 as FTS5 counts it, worked out
inside the statement. What that needs of a row is how often a word stands in it, and ts_rank tells: of a single word
with all weights 1 it is 6/π² · (1 + 1/4 + … + 1/n²) for n places (tsrank.c), from which n can be had again. Only of a
phrase it does not tell, so a phrase counts once for each column it stands in.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Label,
    Select,
    String,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy import table as named
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY, TSVECTOR

from domain.topics import And, Field, Node, Not, Or, Phrase, Prefix, Word
from storage.tables import MARKER
from storage.words.bm25 import K1, B, Collection
from storage.words.cutting import Cutter, lexeme
from storage.words.selecting import Asking, Those, Where
from storage.words.tsquery import Stems, Worded, letters_of, placed, stems_of, tsquery
from storage.words.tsvector import CHANGES, PAPERS, WEIGHTS, WORDS

_WORDS = named(
    "paper_words",
    Column("paper_id", Integer),
    Column("words", TSVECTOR),
    Column("length", Integer),
)
_FORMS = named("paper_forms", Column("paper_id", Integer), Column("forms", TSVECTOR))
_ID = _WORDS.c.paper_id.label("id")
_TITLE, _ABSTRACT = WEIGHTS[:2]
_SAID = _TITLE + _ABSTRACT
_LIMIT = math.pi**2 / 6  # of 1 + 1/4 + 1/9 + …


class AskingTsvector(Asking):
    """Tsvectors, asked."""

    counts_along = True

    def __init__(self) -> None:
        # How many papers have a word, as long as the index has not changed since these were counted.
        self._counted: tuple[int, dict[str, int]] = (0, {})

    def worded(self, tree: Node, where: Where) -> Those:
        """Return the papers that a tree of words and phrases alone selects."""
        return Those(select(_ID).where(_matches(tsquery(tree, stems_of(tree), _letters(where)))), _WORDS.c.paper_id)

    def scored(self, connection: Connection, tree: Node, where: Where) -> Those:
        """Return the papers that a tree of words and phrases alone selects, with their BM25."""
        stems, letters = stems_of(tree), _letters(where)
        score = self._score(connection, tree, stems, letters)
        return Those(select(_ID, score).where(_matches(tsquery(tree, stems, letters))), _WORDS.c.paper_id)

    def scored_among(self, connection: Connection, picked: CTE, tree: Node, where: Where) -> Those:
        """Return the papers whose `id` was picked, with the BM25 of words and phrases alone; 0 where none is there."""
        score = self._score(connection, tree, stems_of(tree), _letters(where))
        return Those(select(_ID, score).join(picked, picked.c.id == _WORDS.c.paper_id), _WORDS.c.paper_id)

    def begun(self, prefix: Prefix) -> Those:
        """Return the papers of which a word in title or abstract, or in the prefix's field, begins so."""
        with Cutter() as cutter:
            form = cutter.form(prefix.text)
        fields = [prefix.field] if prefix.field else list(Field)
        query = " | ".join(f"'{lexeme(form, field)}':*" for field in fields)
        return Those(_with_forms(query), _FORMS.c.paper_id)

    def traced(self, ways: Sequence[Sequence[str]]) -> Select[Any]:
        """Return a statement for the `id` of each paper whose authors leave all the traces of one way."""
        one_by_one = (" & ".join(f"'{lexeme(trace, 'people')}'" for trace in way) for way in ways)
        return _with_forms(" | ".join(f"({way})" for way in one_by_one))

    def listed(self, ids: Sequence[int]) -> Select[Any]:
        """Return a statement for the `id` of each of these papers."""
        return select(func.unnest(bindparam(None, list(ids), ARRAY(Integer))).label("id"))

    def lacks(self, column: ColumnElement[int], those: Select[Any]) -> ColumnElement[bool]:
        """Return the condition that the id in a column is none that the statement gives."""
        unwanted = those.cte()  # by NOT IN PostgreSQL would look through a large one for each row
        return ~exists(select(unwanted.c.id).where(unwanted.c.id == column).correlate_except(unwanted))

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column: PostgreSQL's planner knows its tables and needs no hint."""
        return column

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:  # noqa: ARG002 the planner decides
        """Return False: a condition is a set, and PostgreSQL's planner decides how it is looked into."""
        return False

    def _score(self, connection: Connection, tree: Node, stems: Stems, letters: str) -> Label[float]:
        archive, changes = _collection(connection)
        named_once = isinstance(tree, Word | Phrase)  # then how rare it is changes no order
        worth = {
            leaf: 1.0 if named_once else archive.rarity(self._hits(connection, changes, tsquery(leaf, stems, letters)))
            for leaf in stems
        }
        norm = K1 * (1 - B) + K1 * B / archive.average * _WORDS.c.length
        return _Score(stems, letters, worth, norm).of(tree).label("score")

    def _hits(self, connection: Connection, changes: int, query: str) -> int:
        """Return how many papers a tsquery selects, of an index after so many changes."""
        if self._counted[0] != changes:
            self._counted = (changes, {})
        known = self._counted[1]
        if query not in known:
            found = select(func.count()).select_from(_WORDS).where(_matches(query))
            known[query] = connection.execute(found).scalar_one()
        return known[query]


class _Score:
    """BM25 of a row, in SQL."""

    def __init__(self, stems: Stems, letters: str, worth: dict[Worded, float], norm: ColumnElement[float]) -> None:
        self._stems = stems
        self._letters = letters  # of the columns where words without a field are looked for; "" for all
        self._worth = worth
        self._norm = norm

    def of(self, tree: Node) -> ColumnElement[float]:
        """Return the sum over what is wanted; what stands in an AND that does not hold adds nothing."""
        match tree:
            case Word() | Phrase():
                # k1+1 times t/(t+norm), written so that t, which costs most, stands in it once.
                return self._worth[tree] * (K1 + 1) * (1 - self._norm / (self._norm + self._stands(tree)))
            case And(parts):
                return _sum(self.of(part) for part in parts if not isinstance(part, Not))
            case Or(parts):
                return _sum(
                    case((_matches(tsquery(part, self._stems, self._letters)), self.of(part)), else_=0.0)
                    if isinstance(part, And)
                    else self.of(part)
                    for part in parts
                )
            case _:
                raise ValueError("A tree that only excludes has no score; topics/query.py lets none through.")

    def _stands(self, leaf: Worded) -> ColumnElement[float]:
        """Return how often a word or phrase stands in a row, titles counted twice."""
        stems = self._stems[leaf]
        if len(stems) > 1:
            letters = letters_of(leaf.field, self._letters) or "".join(WEIGHTS)
            return _sum(
                case((_matches(placed(stems, letter)), 2.0 if letter == _TITLE else 1.0), else_=0.0)
                for letter in letters
            )
        query = _query(placed(stems))
        in_title = _places_in(_TITLE, query)
        match leaf.field:
            case Field.TITLE:
                return 2.0 * in_title
            case Field.ABSTRACT:
                # Both from the row's first place on: of those further behind ts_rank tells nothing.
                return _places_in(_SAID, query) - in_title
            case None:
                return _places_in(self._letters or "".join(WEIGHTS), query) + in_title


def _letters(where: Where) -> str:
    return _SAID if where is Where.SAID else ""


def _collection(connection: Connection) -> tuple[Collection, int]:
    """Return what the index holds, and how often it changed."""
    query = select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_((PAPERS, WORDS, CHANGES)))
    values = {row.name: row.value for row in connection.execute(query)}
    return Collection(papers=values.get(PAPERS, 0), words=values.get(WORDS, 0)), values.get(CHANGES, 0)


def _matches(query: str) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = _WORDS.c.words.bool_op("@@")(_query(query))
    return matches


def _with_forms(query: str) -> Select[Any]:
    return select(_FORMS.c.paper_id.label("id")).where(_FORMS.c.forms.bool_op("@@")(_query(query)))


def _query(query: str) -> ColumnElement[Any]:
    # Written out: with a parameter in its place PostgreSQL may keep a plan that fits no word, and read it for each row.
    return cast(bindparam(None, query, String, literal_execute=True), TSQUERY)


def _places_in(letters: str, query: ColumnElement[Any]) -> ColumnElement[float]:
    """Return how many places a word has in the first columns, up to the last of those letters.

    It is n of 6/π² · (1 + 1/4 + … + 1/n²): what is missing to π²/6 is 1/(n + ½), nearly.
    """
    weights = ",".join("1" if letter in letters else "0" for letter in reversed(WEIGHTS))
    counted = literal_column(f"'{{{weights}}}'::real[]", ARRAY(REAL))
    rank = cast(func.ts_rank(counted, _WORDS.c.words, query), Float)
    return func.round(1 / (_LIMIT * (1 - rank)) - 0.5)


def _sum(parts: Iterable[ColumnElement[float]]) -> ColumnElement[float]:
    first, *rest = parts
    for each in rest:
        first = first + each
    return first

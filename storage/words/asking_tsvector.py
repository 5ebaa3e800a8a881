"""How the tsvectors of `paper_words` are asked.

PostgreSQL's ts_rank knows nothing of how rare a word is, so a search is ordered by BM25 as FTS5 counts it, worked out
inside the statement. What that needs of a row is how often a word stands in it, and ts_rank tells: of a single word
with all weights 1 it is 6/π² · (1 + 1/4 + … + 1/n²) for n places (tsrank.c), from which n can be had again. Only of a
phrase it does not tell, so a phrase counts once for each column it stands in. `scores`, for the few papers of a letter,
counts the places themselves and is exact.
"""

import math
from collections import defaultdict
from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import table as named
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY, TSVECTOR

from domain.topics import And, Node, Not, Or, Phrase, Word
from storage.tables import MARKER
from storage.words.bm25 import K1, B, Collection, Leaf, leaves, total
from storage.words.tsquery import Stems, stems_of, tsquery
from storage.words.tsvector import PAPERS, WEIGHTS, WORDS

_WORDS = named("paper_words", Column("paper_id", Integer), Column("words", TSVECTOR), Column("length", Integer))
_ID = _WORDS.c.paper_id.label("id")
_TITLE, _ABSTRACT = WEIGHTS[:2]
_LETTER_WEIGHTS = {_TITLE: 2.0, _ABSTRACT: 1.0}  # in a letter's score no other column counts
_LIMIT = math.pi**2 / 6  # of 1 + 1/4 + 1/9 + …
_EVERYWHERE = literal_column("'{1,1,1,1}'::real[]", ARRAY(REAL))
_IN_TITLE = literal_column("'{0,0,0,1}'::real[]", ARRAY(REAL))
_STAND = text(
    "SELECT paper_id, length, lexeme, positions, weights FROM paper_words, unnest(words) "
    "WHERE paper_id = ANY(:papers) AND lexeme = ANY(:stems) ORDER BY paper_id"
)
_Places = dict[tuple[str, str], set[int]]  # by stem and column's letter


class AskingTsvector:
    """Tsvectors, asked."""

    counts_along = True
    id: ColumnElement[int] = _WORDS.c.paper_id

    def __init__(self) -> None:
        # How many papers have a word, as long as the index is the one these were counted in.
        self._counted: tuple[Collection, dict[str, int]] = (Collection(0, 0), {})

    def matching(self, tree: Node) -> Select[Any]:
        """Return a statement for the `id` of each paper that the tree selects."""
        return select(_ID).where(_matches(tsquery(tree, stems_of(tree))))

    def ranked(self, connection: Connection, tree: Node) -> Select[Any]:
        """Return a statement for `id` and `score`, higher is better, of each paper that the tree selects."""
        stems = stems_of(tree)
        archive = _collection(connection)
        named_once = isinstance(tree, Word | Phrase)  # then how rare it is changes no order
        worth = {
            leaf: 1.0 if named_once else archive.rarity(self._hits(connection, archive, tsquery(leaf, stems)))
            for leaf in leaves(tree)
        }
        norm = K1 * (1 - B) + K1 * B / archive.average * _WORDS.c.length
        score = _score(tree, stems, worth, norm)
        return select(_ID, score.label("score")).where(_matches(tsquery(tree, stems)))

    def scores(self, connection: Connection, tree: Node, paper_ids: Some[int]) -> dict[int, float]:
        """Return BM25 of those of these papers whose title and abstract the tree selects, titles counted twice."""
        stems = stems_of(tree)
        archive = _collection(connection)
        worth = {
            leaf: archive.rarity(self._hits(connection, archive, tsquery(leaf, stems, _TITLE + _ABSTRACT)))
            for leaf in leaves(tree)
        }
        found: dict[int, float] = {}
        for paper_id, length, places in _places(connection, paper_ids, set(chain(*stems.values()))):
            times = {leaf: _times(parts, places) for leaf, parts in stems.items()}
            there = {leaf: archive.score(worth[leaf], many, length) for leaf, many in times.items() if many}
            if (score := total(tree, there)) is not None:
                found[paper_id] = score
        return found

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column: PostgreSQL's planner knows its tables and needs no hint."""
        return column

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:  # noqa: ARG002 the planner decides
        """Return False: a condition is a set, and PostgreSQL's planner decides how it is looked into."""
        return False

    def _hits(self, connection: Connection, archive: Collection, query: str) -> int:
        """Return how many papers a tsquery selects."""
        if self._counted[0] != archive:
            self._counted = (archive, {})
        known = self._counted[1]
        if query not in known:
            found = select(func.count()).select_from(_WORDS).where(_matches(query))
            known[query] = connection.execute(found).scalar_one()
        return known[query]


def _collection(connection: Connection) -> Collection:
    rows = connection.execute(select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_((PAPERS, WORDS))))
    values = {row.name: row.value for row in rows}
    return Collection(papers=values.get(PAPERS, 0), words=values.get(WORDS, 0))


def _matches(query: str) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = _WORDS.c.words.bool_op("@@")(_query(query))
    return matches


def _query(query: str) -> ColumnElement[Any]:
    # Written out: with a parameter in its place PostgreSQL may keep a plan that fits no word, and read it for each row.
    return cast(bindparam(None, query, String, literal_execute=True), TSQUERY)


def _score(tree: Node, stems: Stems, worth: dict[Leaf, float], norm: ColumnElement[float]) -> ColumnElement[float]:
    """Return the sum over what is wanted; what stands in an AND that does not hold adds nothing."""
    match tree:
        case Word() | Phrase():
            # k1+1 times t/(t+norm), written so that t, which costs most, stands in it once.
            return worth[tree] * (K1 + 1) * (1 - norm / (norm + _stands(tree, stems)))
        case And(parts):
            return _sum(_score(part, stems, worth, norm) for part in parts if not isinstance(part, Not))
        case Or(parts):
            return _sum(
                case((_matches(tsquery(part, stems)), _score(part, stems, worth, norm)), else_=0.0)
                if isinstance(part, And)
                else _score(part, stems, worth, norm)
                for part in parts
            )
        case Not():
            raise ValueError("A tree that only excludes has no score; topics/query.py lets none through.")


def _stands(leaf: Leaf, stems: Stems) -> ColumnElement[float]:
    """Return how often a word or phrase stands in a row, titles counted twice."""
    if len(stems[leaf]) == 1:
        query = _query(tsquery(leaf, stems))
        return _places_in(_EVERYWHERE, query) + _places_in(_IN_TITLE, query)
    there = (
        case((_matches(tsquery(leaf, stems, letter)), 2.0 if letter == _TITLE else 1.0), else_=0.0)
        for letter in WEIGHTS
    )
    return _sum(there)


def _places_in(weights: ColumnElement[Any], query: ColumnElement[Any]) -> ColumnElement[float]:
    """Return n of 6/π² · (1 + 1/4 + … + 1/n²): what is missing to π²/6 is 1/(n + ½), nearly."""
    rank = cast(func.ts_rank(weights, _WORDS.c.words, query), Float)
    return func.round(1 / (_LIMIT * (1 - rank)) - 0.5)


def _sum(parts: Iterable[ColumnElement[float]]) -> ColumnElement[float]:
    first, *rest = parts
    for each in rest:
        first = first + each
    return first


def _places(connection: Connection, paper_ids: Some[int], stems: Some[str]) -> Iterator[tuple[int, int, _Places]]:
    """Yield each paper that has any of the stems, with its length and where they stand."""
    rows = connection.execute(_STAND, {"papers": list(paper_ids), "stems": list(stems)})
    for (paper_id, length), those in groupby(rows, lambda row: (row.paper_id, row.length)):
        places: _Places = defaultdict(set)
        for row in those:
            for place, letter in zip(row.positions, row.weights, strict=True):
                places[row.lexeme, letter].add(place)
        yield paper_id, length, places


def _times(stems: Sequence[str], places: _Places) -> float:
    """Return how often the stems stand one after the other, weighted by column."""
    return sum(
        weight * len(set.intersection(*({at - nth for at in places[stem, letter]} for nth, stem in enumerate(stems))))
        for letter, weight in _LETTER_WEIGHTS.items()
    )

"""A whole topic tree as one statement for the papers that it selects, on either database.

Words and phrases alone are one question to the full-text index. In any other tree an OR is the union of its parts, and
an AND one part, words if there are any, of whose papers the others are tests; each part that must be gathered has a
name of its own in front of the statement (WITH), for the depth of brackets that SQLite reads is limited.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from sqlalchemy import CTE, ColumnElement, CompoundSelect, Connection, Float, Select, literal, select, union

from domain.authors import likeness
from domain.fts5 import is_of_stems
from domain.topics import And, Author, Category, Node, Not, Or, Phrase, Prefix, Source, Votes, Word, leaves, wanted
from domain.traces import asked_for
from storage.tables import PAPER
from storage.words import facts

_RISING = (Author, Prefix, And, Or, Votes, Source, Category, Word, Phrase)


class Where(Enum):
    """In which columns words without a field are looked for."""

    ANYWHERE = "title, abstract, authors, categories"  # by a search
    SAID = "title, abstract"  # by a topic


@dataclass(frozen=True, slots=True)
class Those:
    """Papers, as a statement."""

    select: Select[Any]  #: of `id`, where they are ranked also of `score`: higher is better
    id: ColumnElement[int]  #: their ids within it, to be tested and not to be looked up by

    def where(self, conditions: Collection[ColumnElement[bool]]) -> "Those":
        """Return those for which the conditions hold too."""
        return replace(self, select=self.select.where(*conditions))


class Asking(ABC):
    """A full-text index that can be asked; shared by threads."""

    #: Whether counting while ranking costs less than counting apart.
    counts_along: bool

    def ask(self, connection: Connection, tree: Node, where: Where = Where.ANYWHERE) -> "Question":
        """Return the question for the papers that a tree selects, to be asked within the connection's transaction."""
        return Question(self, connection, tree, where)

    def are_alike(self, connection: Connection, author: Author) -> list[int]:
        """Return the ids of the papers of which a listed author may be the one asked for, rising."""
        if not (ways := asked_for(author.names)):
            return []
        candidates = select(PAPER.c.id, PAPER.c.authors).where(PAPER.c.id.in_(self.traced(ways).correlate(None)))
        return sorted(
            row.id
            for row in connection.execute(candidates)
            if any(likeness(author.names, listed) for listed in row.authors)
        )

    @abstractmethod
    def worded(self, tree: Node, where: Where) -> Those:
        """Return the papers that a tree of words and phrases alone selects."""

    @abstractmethod
    def scored(self, connection: Connection, tree: Node, where: Where) -> Those:
        """Return the papers that a tree of words and phrases alone selects, with their BM25."""

    @abstractmethod
    def scored_among(self, connection: Connection, picked: CTE, tree: Node, where: Where) -> Those:
        """Return the papers whose `id` was picked, with the BM25 of words and phrases alone; 0 where none is there."""

    @abstractmethod
    def begun(self, prefix: Prefix) -> Those:
        """Return the papers of which a word in title or abstract, or in the prefix's field, begins so."""

    @abstractmethod
    def traced(self, ways: Sequence[Sequence[str]]) -> Select[Any]:
        """Return a statement for the `id` of each paper whose authors leave all the traces of one way."""

    @abstractmethod
    def listed(self, ids: Sequence[int]) -> Select[Any]:
        """Return a statement for the `id` of each of these papers."""

    @abstractmethod
    def lacks(self, column: ColumnElement[int], those: Select[Any]) -> ColumnElement[bool]:
        """Return the condition that the id in a column is none that the statement gives."""

    @abstractmethod
    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column so that what is asked of it is a test of rows, and no way to find them."""

    @abstractmethod
    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:
        """Whether it is quicker to look at each match than to gather all that a filter lets through."""


class Question:
    """One tree of any leaves, within one transaction."""

    def __init__(self, asking: Asking, connection: Connection, tree: Node, where: Where) -> None:
        self._asking = asking
        self._connection = connection
        self._tree = tree
        self._where = where
        asked = frozenset(leaves(tree))
        self._sources = facts.sources(connection) if any(isinstance(leaf, Source) for leaf in asked) else []
        self._people: Mapping[Author, Sequence[int]] = {
            leaf: asking.are_alike(connection, leaf) for leaf in asked if isinstance(leaf, Author)
        }

    def matching(self) -> Those:
        """Return the papers that the tree selects."""
        return self._those(self._tree)

    def ranked(self) -> Those:
        """Return the papers that the tree selects, with the BM25 of its words and phrases: titles count twice.

        A paper for which only facts, or the beginnings of words, speak has the score 0.
        """
        tree = self._tree
        if is_of_stems(tree):
            return self._asking.scored(self._connection, tree, self._where)
        words = tuple(dict.fromkeys(leaf for leaf in wanted(tree) if isinstance(leaf, Word | Phrase)))
        if isinstance(tree, And):
            base, others = _parted(tree.parts)
            if is_of_stems(base) and set(words).issubset(wanted(base)):
                those = self._asking.scored(self._connection, base, self._where)
                return those.where([self._test(part, those.id) for part in others])
        picked = self._those(tree).select.cte()
        if not words:
            return Those(select(picked.c.id, literal(0.0, Float).label("score")), self._asking.aside(picked.c.id))
        any_word = Or(words) if len(words) > 1 else words[0]
        return self._asking.scored_among(self._connection, picked, any_word, self._where)

    def _those(self, tree: Node) -> Those:
        """Return the papers that a part of the tree selects."""
        if is_of_stems(tree):
            return self._asking.worded(tree, self._where)
        match tree:
            case Or(parts):
                words = tuple(part for part in parts if is_of_stems(part))
                beside = tuple(part for part in parts if not is_of_stems(part))
                return self._named(union(*(self._those(part).select for part in (*_together(Or, words), *beside))))
            case And(parts):
                base, others = _parted(parts)
                those = self._those(base)
                return self._named(those.where([self._test(part, those.id) for part in others]).select)
            case Prefix():
                return self._asking.begun(tree)
            case Author():
                return self._named(self._asking.listed(self._people[tree]))
            case Category() | Source() | Votes():
                return self._named(facts.having(tree, self._sources).distinct())
            case _:
                raise ValueError("A tree that only excludes selects no papers; topics/query.py lets none through.")

    def _named(self, statement: Select[Any] | CompoundSelect[Any]) -> Those:
        picked = statement.cte()
        return Those(select(picked.c.id), self._asking.aside(picked.c.id))

    def _test(self, part: Node, column: ColumnElement[int]) -> ColumnElement[bool]:
        """Return the condition that the paper whose id is in the column is one that a part selects."""
        if isinstance(part, Not):
            return self._asking.lacks(column, self._those(part.part).select)
        return column.in_(select(self._those(part).select.cte().c.id))


def _parted(parts: Sequence[Node]) -> tuple[Node, list[Node]]:
    """Return which part of an AND to begin with, words if any are wanted, and what is to be tested of its papers."""
    words = tuple(part for part in parts if is_of_stems(part))
    if all(isinstance(part, Not) for part in words):
        first = min((part for part in parts if not isinstance(part, Not)), key=_breadth)
        return first, [part for part in parts if part is not first]
    return _together(And, words)[0], [part for part in parts if not is_of_stems(part)]


def _together(kind: type[And | Or], parts: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return one part of several; none, or the one there is."""
    return parts if len(parts) < 2 else (kind(parts),)


def _breadth(part: Node) -> int:
    """Return a number that is the higher the more papers a part may select."""
    return next(place for place, kind in enumerate(_RISING) if isinstance(part, kind))

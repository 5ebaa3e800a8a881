"""What made a topic hold for one paper, and where that stands in the stored text.

The paper alone goes into a small FTS5 index, each word and phrase of the topic is asked of it, and FTS5's own
`highlight` shows what stands there: so "sensitivities" answers "sensitivity" here exactly when it does in matching.
Prefixes are asked of an index without stems. Only what made the topic hold is told: of `a OR (b c)`, a paper with "a"
and "b" is there for "a".

`highlight` takes time by the square of what it finds, so places are looked for in the beginning of a text alone.
Whether a word stands in the rest is still known.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.facts import Proof, proof
from domain.fts5 import TOKENIZE, TOKENIZE_FORMS, match_expression, prefix_expression, searchable
from domain.papers import Paper
from domain.topics import (
    And,
    Fact,
    Field,
    Leaf,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Word,
    Worded,
    leaves,
    words_of,
)
from topics.stems import Stemmer
from topics.surface import CLOSES, OPENS, Span, surface

LONGEST = 20_000  # characters of a text in which places are looked for; the longest abstract seen has 1,923
_BEGINNING, _WHOLE = 1, 2  # rows of the index


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word, phrase or prefix of the topic stands."""

    leaf: Worded
    title: tuple[Span, ...]
    abstract: tuple[Span, ...]
    fields: frozenset[Field]  #: title and abstract, where it stands there; without a span where it is far into a text

    def __or__(self, other: "Place") -> "Place":
        """Return the same with the places of another too."""
        return Place(
            self.leaf,
            tuple(sorted({*self.title, *other.title})),
            tuple(sorted({*self.abstract, *other.abstract})),
            self.fields | other.fields,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the paper beside its words, and was asked for."""

    leaf: Fact
    proof: Proof


Found = Place | Known


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where the words stand for which a paper answers a query; nothing where it does not answer."""

    title: tuple[tuple[Span, ...], ...] = ()  #: of each word or phrase that made the query hold, its places
    abstract: tuple[tuple[Span, ...], ...] = ()


def holds(tree: Node, found: Mapping[Leaf, Found]) -> bool:
    """Whether the tree picks the paper in which this was found."""
    match tree:
        case Not(part):
            return not holds(part, found)
        case And(parts):
            return all(holds(part, found) for part in parts)
        case Or(parts):
            return any(holds(part, found) for part in parts)
        case _:
            return tree in found


def because(tree: Node, found: Mapping[Leaf, Found], *, is_wanted: bool = True) -> Iterator[Leaf]:
    """Yield the leaves whose presence makes the tree hold, or fail if it is not wanted."""
    match tree:
        case Not(part):
            yield from because(part, found, is_wanted=not is_wanted)
        case And(parts) | Or(parts):
            for part in parts:
                if holds(part, found) == is_wanted:
                    yield from because(part, found, is_wanted=is_wanted)
        case _:
            if is_wanted:
                yield tree


class Lookup:
    """Looks in one paper after the other; used by one thread, closed after use."""

    def __init__(self) -> None:
        self._of_stems = _Index(TOKENIZE)
        self._of_forms = _Index(TOKENIZE_FORMS)
        self._stemmer = Stemmer()

    def close(self) -> None:
        """Let go of the indexes."""
        self._of_stems.close()
        self._of_forms.close()
        self._stemmer.close()

    def found(self, tree: Node, paper: Paper, *lists: Iterable[str]) -> dict[Leaf, Found]:
        """Return what of the tree's leaves, those excluded too, the paper has; words also in up to two lists."""
        beside = tuple(", ".join(each) for each in lists) or ("", "")
        there: dict[Leaf, Found] = {}
        for leaf in dict.fromkeys(leaves(tree)):
            found: Found | None
            if isinstance(leaf, Word | Phrase):
                found = self._of_stems.look_up(leaf, match_expression(leaf), paper, beside)
            elif isinstance(leaf, Prefix):
                found = self._of_forms.look_up(leaf, prefix_expression(leaf), paper, beside)
            else:
                shown = proof(paper, leaf)
                found = None if shown is None else Known(leaf, shown)
            if found is not None:
                there[leaf] = found
        return there

    def stems(self, leaf: Word | Phrase) -> tuple[str, ...]:
        """Return the stems of a word or phrase, as the index cuts them."""
        words = words_of(leaf)
        stems = self._stemmer.stems(words)
        return tuple(stems[word] for word in words if word in stems)


class _Index:
    """An FTS5 index of one paper: the beginnings of its texts, and where one is longer a second row of all of it."""

    def __init__(self, tokenize: str) -> None:
        self._index = sqlite3.connect(":memory:", isolation_level=None)
        columns = "title, abstract, authors, categories"
        self._index.execute(f'CREATE VIRTUAL TABLE paper USING fts5({columns}, tokenize="{tokenize}")')
        self._texts: tuple[str, ...] = ()  # of the paper that is in it
        self._title = self._abstract = ""  # their beginnings
        self._is_long = False

    def close(self) -> None:
        self._index.close()

    def look_up(self, leaf: Worded, expression: str, paper: Paper, beside: tuple[str, ...]) -> Place | None:
        """Return where it stands; None where it does not. In the texts beside, it has no place."""
        self._hold((paper.title, paper.abstract, *beside))
        if self._is_long and not self._has(expression):
            return None
        row = self._index.execute(
            "SELECT highlight(paper, 0, ?1, ?2), highlight(paper, 1, ?1, ?2) FROM paper WHERE paper MATCH ?3"
            " AND rowid = 1",
            (OPENS, CLOSES, expression),
        ).fetchone()
        if row is None and not self._is_long:
            return None
        title, abstract = row or ("", "")
        in_title, in_abstract = tuple(surface(title, self._title)), tuple(surface(abstract, self._abstract))
        if self._is_long:
            fields = frozenset(field for field in Field if self._has(f"{field} : ({expression})"))
        else:
            fields = frozenset(
                field for field, spans in ((Field.TITLE, in_title), (Field.ABSTRACT, in_abstract)) if spans
            )
        return Place(leaf, in_title, in_abstract, fields)

    def _has(self, expression: str) -> bool:
        """Whether all of the texts have it."""
        asked = "SELECT 1 FROM paper WHERE paper MATCH ? AND rowid = 2"
        return self._index.execute(asked, (expression,)).fetchone() is not None

    def _hold(self, texts: tuple[str, ...]) -> None:
        if texts == self._texts:
            return
        beginnings = tuple(map(beginning, texts))
        if self._is_long:
            self._index.execute("DELETE FROM paper WHERE rowid = ?", (_WHOLE,))
        self._is_long = beginnings != texts
        self._put(_BEGINNING, beginnings)
        if self._is_long:
            self._put(_WHOLE, texts)
        self._texts = texts
        self._title, self._abstract = beginnings[:2]

    def _put(self, row: int, texts: Iterable[str]) -> None:
        self._index.execute(
            "INSERT OR REPLACE INTO paper(rowid, title, abstract, authors, categories) VALUES (?, ?, ?, ?, ?)",
            (row, *map(searchable, texts)),
        )


def beginning(text: str) -> str:
    """Return the text, or where it is too long its first words: none where nothing parts the first from the second."""
    return text if len(text) <= LONGEST else text[: max(0, text.rfind(" ", 0, LONGEST))]

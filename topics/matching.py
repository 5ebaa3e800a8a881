"""The new papers meet every distinct topic once.

`Batch` puts the papers into an FTS5 index in memory. The first topic that asks for a word or phrase makes FTS5 look it
up; the answer is kept as a set of bits, one for each paper, and as a score for each of them. AND, OR and NOT are then
operations on bits, so another topic of known words costs a few microseconds whatever the number of papers, and the
sets are those that FTS5 gives for the whole expression (tests/topics/test_matching.py compares them, and the scores).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import add, neg
from types import TracebackType
from typing import Self

from domain.fts5 import TOKENIZE, match_expression, searchable
from domain.papers import Paper
from domain.topics import And, Match, Node, Not, Or, Phrase, Topic, Word

_TITLE_WEIGHT, _ABSTRACT_WEIGHT = 2.0, 1.0
_PROGRESS_STEP = 500  # topics: a few milliseconds


class Batch:
    """An index of some papers' titles and abstracts, in memory; asked by one thread, closed after use.

    Papers are named by their ids. A score is FTS5's bm25 with the title counted twice, made positive: the sum over the
    topic's wanted words and phrases that the paper has, each once. How rare a word is, is judged within this batch.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._ids = [paper.id for paper in papers]
        # By text or words, not by node: a string knows its hash, a dataclass works it out again each time.
        self._sets: dict[str | tuple[str, ...], int] = {}
        self._scores: dict[str | tuple[str, ...], dict[int, float]] = {}
        self._index = sqlite3.connect(":memory:", isolation_level=None, cached_statements=8)
        self._index.execute(
            f"CREATE VIRTUAL TABLE paper USING fts5(title, abstract, content='', tokenize=\"{TOKENIZE}\")"
        )
        self._index.execute("BEGIN")
        self._index.executemany(
            "INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)",
            ((place, searchable(paper.title), searchable(paper.abstract)) for place, paper in enumerate(papers)),
        )
        self._index.execute("INSERT INTO paper(paper) VALUES ('optimize')")
        self._index.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def select(self, tree: Node) -> list[int]:
        """Return the ids of the papers that the tree picks, in the order of the batch."""
        return [self._ids[place] for place in _places(self._set(tree))]

    def rank(self, tree: Node) -> list[tuple[int, float]]:
        """Return (paper id, score) of the papers that the tree picks, best first, equals by id."""
        places = _places(self._set(tree))
        if not places:
            return []
        totals: Iterable[float] = repeat(0.0)
        for leaf in dict.fromkeys(_wanted(tree)):
            totals = map(add, totals, map(self._scores_of(leaf).get, places, repeat(0.0)))
        ranked = sorted(zip(map(neg, totals), map(self._ids.__getitem__, places), strict=False))
        return [(paper_id, -below) for below, paper_id in ranked]

    def _set(self, tree: Node) -> int:
        """Return the places of the picked papers as bits; kept for words and phrases."""
        match tree:
            case Word(name) | Phrase(name):
                known = self._sets.get(name)
                return self._look_up(name, tree) if known is None else known
            case And(parts):
                picked = -1
                for part in parts:
                    picked &= ~self._set(part.part) if isinstance(part, Not) else self._set(part)
                return picked
            case Or(parts):
                picked = 0
                for part in parts:
                    picked |= self._set(part)
                return picked
            case Not():
                raise ValueError("A tree that only excludes picks no papers; topics/query.py lets none through.")

    def _look_up(self, name: str | tuple[str, ...], leaf: Node) -> int:
        picked = 0
        for (place,) in self._index.execute("SELECT rowid FROM paper WHERE paper MATCH ?", (match_expression(leaf),)):
            picked |= 1 << place
        self._sets[name] = picked
        return picked

    def _scores_of(self, leaf: Word | Phrase) -> dict[int, float]:
        name = leaf.text if isinstance(leaf, Word) else leaf.words
        known = self._scores.get(name)
        if known is None:
            known = self._scores[name] = dict(
                self._index.execute(
                    "SELECT rowid, -bm25(paper, ?, ?) FROM paper WHERE paper MATCH ?",
                    (_TITLE_WEIGHT, _ABSTRACT_WEIGHT, match_expression(leaf)),
                )
            )
        return known


def match(
    papers: Sequence[Paper], topics: Iterable[Topic], progress: Callable[[int], None] | None = None
) -> Iterator[Match]:
    """Yield every match of the papers with the topics: topic after topic, each topic's best paper first.

    `progress` is told now and then how many topics are done, and at the end.
    """
    done = 0
    with Batch(papers) as batch:
        for done, topic in enumerate(topics, 1):
            for paper_id, score in batch.rank(topic.query.tree):
                yield Match(topic.id, paper_id, score)
            if progress and done % _PROGRESS_STEP == 0:
                progress(done)
    if progress:
        progress(done)


def _places(picked: int) -> list[int]:
    """Return the numbers of the bits that are set, rising."""
    digits = bin(picked)[:1:-1]
    places = []
    place = digits.find("1")
    while place >= 0:
        places.append(place)
        place = digits.find("1", place + 1)
    return places


def _wanted(tree: Node, *, is_wanted: bool = True) -> Iterator[Word | Phrase]:
    """Yield the words and phrases under an even number of exclusions."""
    match tree:
        case Not(part):
            yield from _wanted(part, is_wanted=not is_wanted)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _wanted(part, is_wanted=is_wanted)
        case Word() | Phrase():
            if is_wanted:
                yield tree

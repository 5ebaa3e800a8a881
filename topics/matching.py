"""The new papers meet every distinct topic once.

`Batch` puts the papers into an FTS5 index in memory. The first topic that asks for a word or phrase makes FTS5 look it
up, for a prefix in an index without stems; a fact is read off the papers. The answer is kept as a set of bits, one for
each paper. AND, OR and NOT are then operations on bits, so another topic of known words costs a few microseconds
whatever the number of papers, and the sets are those that FTS5 gives for the whole expression
(tests/topics/test_matching.py compares them). `Ranking` then scores what was picked (ranking.py), against the census
of the whole archive.
"""

import heapq
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from domain.facts import has
from domain.fts5 import TOKENIZE, TOKENIZE_FORMS, match_expression, prefix_expression, searchable
from domain.papers import Paper
from domain.topics import (
    And,
    Census,
    Leaf,
    Match,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Selection,
    Tier,
    Topic,
    Word,
    wanted,
)
from topics.ranking import Scores, Stemmer, postings
from topics.related import FEW, SHARE, loosened

BEST = 50  #: exact matches kept of one topic and run; the others are counted
MOST_RELATED = 10  #: related ones kept
_PROGRESS_STEP = 500  # topics: a few milliseconds


class Batch:
    """An index of some papers' titles and abstracts, in memory; asked by one thread, closed after use.

    Papers are named by their ids, and inside by their places in the batch.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        self.papers = papers
        # By text or words where no field is asked for: a string knows its hash, a dataclass works it out each time.
        self._sets: dict[str | tuple[str, ...] | Leaf, int] = {}
        self._index = _index(papers, TOKENIZE)
        self._forms: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the indexes."""
        self._index.close()
        if self._forms is not None:
            self._forms.close()

    def select(self, tree: Node) -> list[int]:
        """Return the ids of the papers that the tree picks, in the order of the batch."""
        return [self.papers[place].id for place in places(self.bits(tree))]

    def bits(self, tree: Node) -> int:
        """Return the places of the picked papers as bits; what a leaf picks is kept."""
        match tree:
            case Word(name, None) | Phrase(name, None):
                known = self._sets.get(name)
                return self._look_up(name, tree) if known is None else known
            case And(parts):
                picked = -1
                for part in parts:
                    picked &= ~self.bits(part.part) if isinstance(part, Not) else self.bits(part)
                return picked
            case Or(parts):
                picked = 0
                for part in parts:
                    picked |= self.bits(part)
                return picked
            case Not():
                raise ValueError("A tree that only excludes picks no papers; topics/query.py lets none through.")
            case _:
                known = self._sets.get(tree)
                return self._look_up(tree, tree) if known is None else known

    def postings(self) -> Mapping[str, Mapping[int, tuple[int, int]]]:
        """Return stem → place → how often it stands in title and abstract."""
        return postings(self._index)

    def forms(self, prefix: Prefix) -> list[str]:
        """Return the words of these papers that begin so, wherever they stand."""
        last = prefix.text + "\U0010ffff"
        rows = self._written().execute("SELECT term FROM form WHERE term >= ? AND term < ?", (prefix.text, last))
        return [form for (form,) in rows]

    def _look_up(self, name: str | tuple[str, ...] | Leaf, leaf: Leaf) -> int:
        match leaf:
            case Word() | Phrase():
                found = _rows(self._index, match_expression(leaf))
            case Prefix():
                found = _rows(self._written(), prefix_expression(leaf))
            case _:
                found = (place for place, paper in enumerate(self.papers) if has(paper, leaf))
        picked = 0
        for place in found:
            picked |= 1 << place
        self._sets[name] = picked
        return picked

    def _written(self) -> sqlite3.Connection:
        """Return the index without stems, which few batches need."""
        if self._forms is None:
            self._forms = _index(self.papers, TOKENIZE_FORMS)
            self._forms.execute("CREATE VIRTUAL TABLE form USING fts5vocab(paper, 'row')")
        return self._forms


class Ranking:
    """Scores of one batch's papers, against a census that knows every stem the topics want."""

    def __init__(self, batch: Batch, stems: "Wanted", census: Census) -> None:
        self._batch = batch
        self._stems = stems
        self._scores = Scores(batch.postings(), census)

    def rank(self, tree: Node) -> list[tuple[int, float]]:
        """Return (paper id, score) of the papers that the tree picks, best first, equals by id."""
        scored = self._scored(tree, places(self._batch.bits(tree)))
        return [(paper_id, -below) for below, paper_id in sorted(scored)]

    def select(self, topic: Topic, best: int = BEST) -> Selection | None:
        """Return the best that a topic picks, and related papers where they are wanted and few are exact."""
        tree = topic.query.tree
        picked = self._batch.bits(tree)
        scored = self._scored(tree, places(picked))
        kept = heapq.nsmallest(best, scored) if len(scored) > best else sorted(scored)
        matches = [Match(topic.id, paper_id, -below) for below, paper_id in kept]
        if topic.related and len(scored) < FEW:
            related = self._related(tree, picked)[:MOST_RELATED]
            matches += [Match(topic.id, paper_id, score, Tier.RELATED) for paper_id, score in related]
        if not matches:
            return None
        return Selection(topic.id, tuple(matches), beyond=len(scored) - len(kept))

    def related(self, tree: Node) -> list[tuple[int, float]]:
        """Return (paper id, score) of the papers that have enough of what is wanted, best first, equals by id."""
        return self._related(tree, self._batch.bits(tree))

    def _related(self, tree: Node, picked: int) -> list[tuple[int, float]]:
        loose = loosened(tree)
        if loose is None:
            return []
        least = -SHARE * self._scores.ceiling(self._stems.of(tree))
        scored = self._scored(tree, places(self._batch.bits(loose) & ~picked))
        return [(paper_id, -below) for below, paper_id in sorted(scored) if below <= least]

    def _scored(self, tree: Node, found: Sequence[int]) -> list[tuple[float, int]]:
        """Return (minus the score, paper id) of the papers in these places."""
        if not found:
            return []
        papers = self._batch.papers
        totals = self._scores.total(self._stems.of(tree), found)
        return [(-total, papers[place].id) for place, total in zip(found, totals, strict=True)]

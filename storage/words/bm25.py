"""BM25 as FTS5 counts it, for a database whose own ranking does not know how rare a word is.

The formula and its constants are those of SQLite's ext/fts5/fts5_aux.c: k1 = 1.2, b = 0.75, a word's places weighted by
their column, the whole row's length, and a word that more than half of the papers have is worth next to nothing. A word
or phrase adds to the score once for each time the query names it, where what it stands in holds; what is excluded adds
nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.topics import And, Node, Not, Or, Phrase, Word

K1, B = 1.2, 0.75
_LEAST = 1e-6

Leaf = Word | Phrase


@dataclass(frozen=True, slots=True)
class Collection:
    """What BM25 asks of the archive as a whole."""

    papers: int
    words: int

    @property
    def average(self) -> float:
        """Words of a paper."""
        return self.words / self.papers if self.papers else 1.0

    def rarity(self, hits: int) -> float:
        """Return what a word is worth that so many papers have."""
        rarity = math.log((self.papers - hits + 0.5) / (hits + 0.5))
        return rarity if rarity > 0 else _LEAST

    def score(self, rarity: float, times: float, length: int) -> float:
        """Return what a word adds that stands so many weighted times in a paper of that many words."""
        return rarity * (times * (K1 + 1)) / (times + K1 * (1 - B + B * length / self.average))


def total(tree: Node, scores: Mapping[Leaf, float]) -> float | None:
    """Return the score of a paper with these words and phrases in it; None where the tree does not select it."""
    match tree:
        case Word() | Phrase():
            return scores.get(tree)
        case Or(parts):
            there = [score for part in parts if (score := total(part, scores)) is not None]
            return sum(there) if there else None
        case And(parts):
            if any(total(part.part, scores) is not None for part in parts if isinstance(part, Not)):
                return None
            wanted = [total(part, scores) for part in parts if not isinstance(part, Not)]
            return sum(score for score in wanted if score is not None) if None not in wanted else None
        case Not():
            raise ValueError("A tree that only excludes has no score; topics/query.py lets none through.")


def leaves(tree: Node) -> Iterator[Leaf]:
    """Yield every word and phrase of a tree, those excluded too."""
    match tree:
        case Word() | Phrase():
            yield tree
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)

"""BM25 as FTS5 counts it, for a database whose own ranking does not know how rare a word is.

The formula and its constants are those of SQLite's ext/fts5/fts5_aux.c: k1 = 1.2, b = 0.75, a word's places weighted by
their column, the whole row's length, and a word that more than half of the papers have is worth next to nothing. A word
or phrase adds to the score once for each time the query names it, where what it stands in holds; what is excluded adds
nothing.
"""

import math
from dataclasses import dataclass

K1, B = 1.2, 0.75
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Collection:
    """What BM25 asks of the archive as a whole."""

    papers: int
    words: int

    @property
    def average(self) -> float:
        """Words of a paper, 1 where none has any."""
        return self.words / self.papers if self.words else 1.0

    def rarity(self, hits: int) -> float:
        """Return what a word is worth that so many papers have."""
        rarity = math.log((self.papers - hits + 0.5) / (hits + 0.5))
        return rarity if rarity > 0 else _LEAST

"""The one score by which papers of a topic are ordered: BM25 over the stems that the topic wants.

A topic wishes for stems: of its words, of its phrases' words, and for a prefix whichever of the words that begin so
counts most in the paper. Each counts once, and what is excluded or a fact (author, votes …) counts nothing. A word in
the title counts as two. How rare a stem is and how long papers are on average is asked of the whole archive
(`domain.topics.Census`), never of the day's batch. A paper's length is that of title and abstract, in FTS5's words.

What a stem adds is worked out once for a batch and kept; then a topic's score of a paper is a sum of look-ups. k1 is
the usual one, b lies between the .75 of long and uneven texts and the .4 of short ones, for abstracts are much of one
length, and the IDF is Lucene's, which is never negative.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import add

from domain.topics import Census, Node, Prefix, wanted, words_of
from topics.stems import Postings

_ENGLISH = """
    a about above after again against all also am an and any are as at be because been before being below between both
    but by can could did do does doing down during each few for from further had has have having he her here hers
    herself him himself his how i if in into is it its itself just may me might more most my myself no nor not now of
    off on once only or other our ours ourselves out over own same shall she should so some such than that the their
    theirs them themselves then there these they this those through thus to too under until up upon very was we were
    what when where whether which while who whom whose why will with would you your yours yourself yourselves
"""

#: Not scored, though a topic that asks for one of them finds only papers that have it: the NLTK's list and those that a
#: topic passes over, which tell an author's style and not a paper's matter. Lower case, as `domain.fts5.tokens` cuts.
FUNCTION_WORDS = frozenset(_ENGLISH.split())

K1, B = 1.2, 0.6
TITLE = 2  #: times

#: One stem, or for a prefix all stems of which the best counts.
Wish = str | tuple[str, ...]


def words(tree: Node) -> Iterator[str]:
    """Yield the words of which `wishes` must know the stems, each as often as it stands there."""
    for leaf in wanted(tree):
        yield from words_of(leaf)


def wishes(
    tree: Node, stems: Mapping[str, str], begun: Callable[[Prefix], tuple[str, ...]] = lambda _: ()
) -> tuple[Wish, ...]:
    """Return the distinct stems that the tree wants, without those of function words.

    `stems` holds the stem of each of its `words` (topics.stems.Stemmer), and `begun` tells in order the stems of the
    words that begin with a prefix.
    """
    found: dict[Wish, None] = {}
    for leaf in wanted(tree):
        if isinstance(leaf, Prefix) and (stemmed := begun(leaf)):
            found[stemmed[0] if len(stemmed) == 1 else stemmed] = None
        found |= {stems[word]: None for word in words_of(leaf) if word not in FUNCTION_WORDS and word in stems}
    return tuple(found)


def rarity(stem: str, census: Census) -> float:
    """Return the IDF of a stem in the archive; one that no paper of it has is the rarest."""
    having = census.having.get(stem, 0)
    return math.log1p((max(census.papers, having) - having + 0.5) / (having + 0.5))


def norm(length: int, census: Census) -> float:
    """Return what a paper of so many words makes of how often a stem stands in it: BM25's part of the length."""
    average = census.average if census.average > 0 else 1.0
    return K1 * (1 - B + B * length / average)


def ceiling(wished: Iterable[Wish], census: Census) -> float:
    """Return what no score can pass: that of a paper which has every wish more often than any paper can."""
    return (K1 + 1) * sum(max(rarity(stem, census) for stem in _alternatives(wish)) for wish in wished)


class Scores:
    """The scores of one batch of papers, which are named by their places in it."""

    def __init__(self, postings: Callable[[str], Postings], lengths: Sequence[int], census: Census) -> None:
        """`postings` tells where a stem stands, `lengths` how many words a paper has, by place (both topics.stems)."""
        self._postings = postings
        self._census = census
        self._norms = [norm(length, census) for length in lengths]
        self._of: dict[Wish, Mapping[int, float]] = {}

    def of(self, wish: Wish) -> Mapping[int, float]:
        """Return what the wish adds to the score of each paper that has it."""
        known = self._of.get(wish)
        if known is None:
            known = self._of[wish] = self._of_stem(wish) if isinstance(wish, str) else self._of_any(wish)
        return known

    def total(self, wished: Iterable[Wish], places: Sequence[int]) -> list[float]:
        """Return the score of each of these papers, in their order."""
        totals: Iterable[float] = repeat(0.0, len(places))
        for wish in wished:
            totals = map(add, totals, map(self.of(wish).get, places, repeat(0.0)))
        return list(totals)

    def _of_stem(self, stem: str) -> Mapping[int, float]:
        highest = rarity(stem, self._census) * (K1 + 1)
        norms = self._norms
        scores: dict[int, float] = {}
        for place, (title, abstract) in self._postings(stem).items():
            times = TITLE * title + abstract
            scores[place] = highest * times / (times + norms[place])
        return scores

    def _of_any(self, stems: tuple[str, ...]) -> Mapping[int, float]:
        best: dict[int, float] = {}
        for stem in stems:
            for place, score in self.of(stem).items():
                if score > best.get(place, 0.0):
                    best[place] = score
        return best


def _alternatives(wish: Wish) -> tuple[str, ...]:
    return (wish,) if isinstance(wish, str) else wish

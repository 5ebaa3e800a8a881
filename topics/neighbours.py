"""Words to consider beside a topic's own: those that its papers have more often than the archive has them.

    the papers found → stems that several of them have → weighed against the archive's census → the words as they stand

A stem's weight is how many of the papers have it, times the logarithm of how much more often they have it than the
archive (the first term of a log-likelihood ratio): a word of every paper tells nothing, a word of one is no neighbour.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from domain.topics import Census
from topics.ranking import FUNCTION_WORDS

_LEAST = 2  # papers that must have a word
_SHARE = 0.05  # of the papers
_WEIGHED = 40  # stems that the archive is asked for: counting is what costs
_SHORTEST = 3  # letters
_TELLING = 2.0  # times as frequent among the papers as in the archive


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word that papers of a topic have."""

    word: str  #: as it stands in most of them
    papers: int  #: how many have a word of its stem


def neighbours(
    papers: int,
    vocabulary: Mapping[str, Neighbour],
    wanted: Collection[str],
    census: Callable[[Collection[str]], Census],
    most: int,
) -> list[Neighbour]:
    """Return up to `most` words, the most telling first, of so many papers.

    `vocabulary` is stem → its word; the stems in `wanted` are asked for already.
    """
    least = max(_LEAST, math.ceil(papers * _SHARE))
    able = {stem: each for stem, each in vocabulary.items() if each.papers >= least and stem not in wanted}
    able = {stem: each for stem, each in able.items() if _may_be_asked(each.word)}
    frequent = sorted(able, key=lambda stem: (-able[stem].papers, stem))[:_WEIGHED]
    if not frequent:
        return []
    archive = census(frequent)
    weights = {
        stem: _weight(able[stem].papers, papers, archive.having.get(stem, 0), archive.papers) for stem in frequent
    }
    telling = sorted((stem for stem in frequent if weights[stem] > 0), key=lambda stem: (-weights[stem], stem))
    return [able[stem] for stem in telling[:most]]


def _weight(having: int, papers: int, elsewhere: int, archive: int) -> float:
    """Return how many papers have it, times the logarithm of how much more frequent it is among them."""
    return having * math.log((having / papers) * (archive + 1) / (elsewhere + 1))


def _may_be_asked(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isalpha() and word not in FUNCTION_WORDS

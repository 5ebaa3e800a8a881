"""Near-identical papers do not stand side by side at the head of a topic's papers.

Maximal marginal relevance (Carbonell and Goldstein, 1998) with λ = 0.9: the next paper is the one with the highest
λ · score − (1 − λ) · resemblance, where the score is a share of the tier's best and the resemblance is that to the most
alike paper picked before. Two papers resemble by the pairs of neighbouring words that they share, as a share of those
that either has (Broder, 1997): that is near 1 for two versions of a text and near 0 for two texts about one matter,
which a reader wants both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from domain.fts5 import tokens
from domain.papers import Paper
from domain.topics import Match

LAMBDA = 0.9
HEAD = 10  # papers: what a digest shows; below it order is by score alone


class _Pairs:
    """The pairs of neighbouring words of some papers, each paper cut when it is first compared."""

    def __init__(self, papers: Mapping[int, Paper]) -> None:
        self._papers = papers
        self._of: dict[int, frozenset[tuple[str, str]]] = {}

    def resemblance(self, one: int, other: int) -> float:
        """Return what share of the pairs that either paper has both have, from 0 to 1."""
        first, second = self._known(one), self._known(other)
        both = len(first & second)
        return both / (len(first) + len(second) - both) if both else 0.0

    def _known(self, paper_id: int) -> frozenset[tuple[str, str]]:
        known = self._of.get(paper_id)
        if known is None:
            paper = self._papers.get(paper_id)
            known = self._of[paper_id] = _pairs_of(paper.title, paper.abstract) if paper else frozenset()
        return known


@lru_cache(maxsize=512)  # of some 30 KB: what many topics of one day bring is cut once
def _pairs_of(*texts: str) -> frozenset[tuple[str, str]]:
    return frozenset(pair for text in texts for pair in pairwise(tokens(text)))


def diversified(matches: Iterable[Match], papers: Mapping[int, Paper], head: int = HEAD) -> list[Match]:
    """Return one topic's matches tier after tier, the first `head` of each tier picked so that they differ.

    Equal scores stay in the order given. `papers` holds by id those that may come to the head; one that is not there
    resembles none.
    """
    in_order = sorted(matches, key=lambda match: (match.tier, -match.score))
    pairs = _Pairs(papers)
    return [match for _, tier in groupby(in_order, lambda match: match.tier) for match in _picked([*tier], pairs, head)]


@dataclass(slots=True)
class _Candidate:
    match: Match
    share: float  #: of the tier's best score
    nearest: float = 0.0  #: its highest resemblance to those picked
    compared: int = 0  #: with how many of them

    def worth(self, picked: Sequence[Match], pairs: _Pairs) -> float:
        for other in picked[self.compared :]:
            self.nearest = max(self.nearest, pairs.resemblance(self.match.paper_id, other.paper_id))
        self.compared = len(picked)
        return LAMBDA * self.share - (1 - LAMBDA) * self.nearest


def _picked(matches: Sequence[Match], pairs: _Pairs, head: int) -> list[Match]:
    best = matches[0].score or 1.0
    left = [_Candidate(match, match.score / best) for match in matches]
    picked: list[Match] = []
    while left and len(picked) < head:
        place, highest = 0, left[0].worth(picked, pairs)
        for at, candidate in enumerate(left[1:], 1):
            if LAMBDA * candidate.share <= highest:
                break  # resemblance only lowers it, and no share after it is higher
            if (worth := candidate.worth(picked, pairs)) > highest:
                place, highest = at, worth
        picked.append(left.pop(place).match)
    return picked + [candidate.match for candidate in left]

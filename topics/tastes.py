"""How much the papers of a batch are like what readers want more of, or less.

    a taste → its words that some paper has → what each adds, worked out once for all tastes (ranking.py)
        → the sum of each paper, at first a little inexact → exact for those that reach the least asked, best first

Most of the work is the words that everybody writes: they stand in hundreds of papers, and ten thousand tastes have
them. What such a word adds is kept as one long number, 32 bits for each paper of the batch; then a taste takes it with
one multiplication and one addition, whatever the number of papers (docs/learning.md has the figures). Scores are
rounded there to a thousandth, so whoever comes near the least is summed up anew.
"""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.learning import Taste, Term
from domain.topics import Census
from topics.matching import Batch, CensusOf
from topics.ranking import Scores
from topics.stems import Postings

_LANE = 32  # bits
_FULL = (1 << _LANE) - 1
_DIGIT = (1 << 29) - 1  # the largest number that is one digit in every Python
_UNIT = 1 << 10  # what a score of 1 is in a lane
_NEAR = 0.98  # of the least, from which a paper is summed up anew
_PACKED = 1 / 20  # of the papers, from which a word's scores are packed: there one way costs as much as the other
_MOST_WORDS = 3  # told


@dataclass(frozen=True, slots=True)
class Because:
    """Why a paper is like what was saved."""

    saved: int  #: the number of the saved paper that gives most of the score; 0 for words that the reader typed
    words: tuple[str, ...]  #: of it, those that carry the most, heaviest first
    carrying: tuple[str, ...]  #: of all, likewise


@dataclass(frozen=True, slots=True)
class _Known:
    """What a stem adds to the papers that have it."""

    by_place: Mapping[int, float]
    most: float  #: what it adds at most
    packed: int  #: the same in lanes by place; 0 for a stem of few papers


class Likeness:
    """Scores one batch by any number of tastes; asked by one thread, while the batch is open."""

    def __init__(self, batch: Batch, census_of: CensusOf) -> None:
        self._papers = batch.papers
        self._places = {paper.id: place for place, paper in enumerate(batch.papers)}
        self._read = batch.postings()
        self._lengths = batch.lengths()
        self._census_of = census_of
        self._having: dict[str, int] = {}
        self._scores: Scores | None = None
        self._postings: dict[str, Postings] = {}
        self._known: dict[str, _Known | None] = {}

    def __contains__(self, paper_id: object) -> bool:
        """Whether the batch has this paper."""
        return paper_id in self._places

    def ready(self, tastes: Iterable[Taste]) -> None:
        """Look up the words of these tastes in one go: the archive is asked about those alone that some paper has."""
        asked = {term.stem for taste in tastes for term in taste.terms if term.stem not in self._known}
        found = {stem: postings for stem in asked if (postings := self._read(stem))}
        self._known.update(dict.fromkeys(asked - found.keys()))
        if not found:
            return
        census = self._census_of(found.keys())
        self._having.update(census.having)
        if self._scores is None:  # the census of the first words is the measure of all
            self._scores = Scores(
                self._postings.pop,
                self._lengths,
                Census(census.papers, census.average, self._having),
            )
        self._postings.update(found)
        for stem in found:
            self._known[stem] = self._known_of(self._scores.of(stem))

    def like(self, taste: Taste, least: float) -> list[tuple[float, int]]:
        """Return (score, paper id) of the papers with a score of at least `least`, best first, equals by id."""
        self.ready([taste])
        weighed = [(term.weight, known) for term in taste.terms if (known := self._known[term.stem]) is not None]
        highest = sum(weight * known.most for weight, known in weighed)
        if not weighed or highest < least:
            return []
        # No lane ever overflows, and a weight is one digit of Python's numbers, by which it multiplies fastest.
        heaviest = max(weight for weight, _ in weighed)
        scale = min((_FULL - len(weighed) * _UNIT) / (highest * _UNIT), _DIGIT / heaviest)
        total = 0
        for weight, known in weighed:
            if known.packed:
                total += int(weight * scale) * known.packed
        totals: list[float] = list(self._unpacked(total))
        for weight, known in weighed:
            if not known.packed:
                share = weight * scale * _UNIT
                for place, score in known.by_place.items():
                    totals[place] += share * score
        enough = least * scale * _UNIT * _NEAR
        near = [place for place, total in enumerate(totals) if total >= enough]
        found = [(sum(weight * known.by_place.get(place, 0.0) for weight, known in weighed), place) for place in near]
        liked = [(score, self._papers[place].id) for score, place in found if score >= least and score > 0]
        return sorted(liked, key=lambda each: (-each[0], each[1]))

    def score(self, taste: Taste, paper_id: int) -> float:
        """Return how much one paper of the batch is like the taste."""
        return sum(added for _, added in self._added(taste, paper_id))

    def because(self, taste: Taste, paper_id: int) -> Because:
        """Return which saved paper, and which words, a paper of the batch owes its score to."""
        added = sorted(self._added(taste, paper_id), key=lambda each: (-each[1], each[0].stem))
        by_saved: dict[int, float] = defaultdict(float)
        for term, score in added:
            by_saved[term.saved] += score
        saved = min(by_saved, key=lambda number: (-by_saved[number], -number), default=0)
        return Because(
            saved=saved,
            words=tuple(term.word for term, _ in added if term.saved == saved)[:_MOST_WORDS],
            carrying=tuple(term.word for term, _ in added)[: 2 * _MOST_WORDS],
        )

    def _added(self, taste: Taste, paper_id: int) -> list[tuple[Term, float]]:
        """Return what each word of the taste adds to the score of a paper that has it."""
        self.ready([taste])
        place = self._places[paper_id]
        known = ((term, self._known[term.stem]) for term in taste.terms)
        return [(term, term.weight * each.by_place[place]) for term, each in known if each and place in each.by_place]

    def _known_of(self, by_place: Mapping[int, float]) -> _Known:
        packed = 0
        if len(by_place) > _PACKED * len(self._papers):
            lanes = array("I", bytes(_LANE // 8 * len(self._papers)))
            for place, score in by_place.items():
                lanes[place] = int(score * _UNIT)
            packed = int.from_bytes(lanes.tobytes(), sys.byteorder)
        return _Known(by_place, max(by_place.values()), packed)

    def _unpacked(self, total: int) -> Sequence[int]:
        return memoryview(total.to_bytes(_LANE // 8 * len(self._papers), sys.byteorder)).cast("I")

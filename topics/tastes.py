"""How much the papers of a batch are like what readers want more of, or less.

    a taste → its words that some paper has → what each adds, worked out once for all tastes (ranking.py)
        → the papers that reach the taste's least, best first

A word that everybody writes stands in many papers and adds little. So the words are taken in two parts: those that
could not lift a paper over half of the least, even all together, are looked up only in the papers that the others have
lifted far enough. The scores are those of the whole sum, and no paper is missed: of 10,000 tastes of 200 words most
words are never gone through (docs/learning.md has the figures).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.learning import Taste, Term
from domain.papers import Paper
from domain.topics import Census
from topics.matching import Batch, CensusOf
from topics.ranking import Scores
from topics.stems import Postings

_HALF = 0.5  # of the least, which words may be worth that are looked up last
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

    added: Sequence[tuple[int, float]]
    by_place: Mapping[int, float]
    most: float  #: what it adds at most


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
        asked = {term.stem for taste in tastes for term in taste.terms} - self._known.keys()
        found = {stem: postings for stem in asked if (postings := self._read(stem))}
        self._known.update(dict.fromkeys(asked - found.keys()))
        if not found:
            return
        census = self._census_of(found.keys())
        self._having.update(census.having)
        if self._scores is None:  # the census of the first words is the measure of all
            self._scores = Scores(
                lambda stem: self._postings.pop(stem),
                self._lengths,
                Census(census.papers, census.average, self._having),
            )
        self._postings.update(found)
        for stem in found:
            by_place = self._scores.of(stem)
            self._known[stem] = _Known(tuple(by_place.items()), by_place, max(by_place.values()))

    def like(self, taste: Taste) -> list[tuple[float, int]]:
        """Return (score, paper id) of the papers that reach the taste's least, best first, equals by id."""
        self.ready([taste])
        first, last, bound = self._parted(taste)
        totals = [0.0] * len(self._papers)
        for weight, known in first:
            for place, score in known.added:
                totals[place] += weight * score
        enough = taste.least - bound
        found = []
        for place, total in enumerate(totals):
            if total and total >= enough:
                total += sum(weight * known.by_place.get(place, 0.0) for weight, known in last)  # noqa: PLW2901
                if total >= taste.least:
                    found.append((total, self._papers[place].id))
        found.sort(key=lambda each: (-each[0], each[1]))
        return found

    def score(self, taste: Taste, paper_id: int) -> float:
        """Return how much one paper of the batch is like the taste, whatever its least."""
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

    def _parted(self, taste: Taste) -> tuple[list[tuple[float, _Known]], list[tuple[float, _Known]], float]:
        """Return the words that are gone through, those that are looked up last, and what these add at most."""
        weighed = [(term.weight, known) for term in taste.terms if (known := self._known[term.stem]) is not None]
        # First to be spared are those that stand in most papers for the least that they add.
        weighed.sort(key=lambda each: each[0] * each[1].most / len(each[1].added))
        bound, spared = 0.0, 0
        for weight, known in weighed:
            if bound + weight * known.most > _HALF * taste.least:
                break
            bound += weight * known.most
            spared += 1
        return weighed[spared:], weighed[:spared], bound

"""Papers like one paper, of the archive's last year.

    the paper's telling words (topics/similar.py) → the best of the archive for any of them
        → where the paper was read for its meaning, a hundred of these by the mix of their places and their cosines
        → those that share two words, or are near in meaning

A paper that has none of the telling words is not found, however near: that would take the vectors of a whole year, some
50 MB to read for a page that anyone may ask for, where a hundred cost what one more look-up of a word does.
What is asked of the whole archive is how many papers have a word. That changes slowly and a common word takes long to
count, so it is remembered until the archive has grown by a hundredth.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.papers import Paper
from domain.topics import Census
from storage.archive import Archive
from storage.search import Search
from topics.mixing import mixed
from topics.nearness import near
from topics.similar import alike, query_of, telling

_MOST = 5
_LOOKED_AT = 15  # papers, of which some share too little or are the same work
_MIXED = 100  # ids, whose vectors alone are read
_YEAR = timedelta(days=365)
_KEPT = 100_000  # words: some 15 MB
_GROWN = 100  # a hundredth of the archive

#: Returns the cosine of one paper with each of the others that has a vector; none where it has none itself.
Between = Callable[[int, Collection[int]], Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Alike:
    """A paper, and the words that it shares."""

    paper: Paper
    words: tuple[str, ...]  #: at least two; none of one that is near in meaning alone


class Counts:
    """How many papers have a word, remembered; may be shared by threads."""

    def __init__(self, census: Callable[[Collection[str]], Census]) -> None:
        self._census = census
        self._known: tuple[Census, dict[str, int]] = (Census(0, 0.0, {}), {})

    def of(self, stems: Collection[str]) -> Census:
        """Return the census of these stems, as it was not long ago."""
        total, known = self._known
        asked = [stem for stem in stems if stem not in known]
        fresh = self._census(asked)
        has_grown = abs(fresh.papers - total.papers) * _GROWN > total.papers
        if has_grown or len(known) + len(asked) > _KEPT:
            asked = list(stems)
            fresh = self._census(asked)
            total, known = fresh, {}
        elif not asked:
            return Census(fresh.papers, fresh.average, {stem: known[stem] for stem in stems})
        # A dictionary of its own each time: another thread may be reading the one before.
        known = {**known, **{stem: fresh.having.get(stem, 0) for stem in asked}}
        self._known = (total, known)
        return Census(fresh.papers, fresh.average, {stem: known[stem] for stem in stems})


class Similar:
    """Finds papers like another in one archive; may be shared by threads."""

    def __init__(self, *, search: Search, archive: Archive, counts: Counts, between: Between | None = None) -> None:
        """`between` is there where papers are read for their meaning."""
        self._search = search
        self._archive = archive
        self._counts = counts
        self._between = between

    def to(self, paper: Paper, apart_from: Collection[int]) -> Sequence[Alike]:
        """Return up to five papers like one, the nearest first; neither itself nor one of `apart_from`, its kin."""
        words = telling(paper, self._counts.of)
        query = query_of(words)
        newest = self._archive.newest_day()
        if query is None or newest is None:
            return ()
        since = newest - min(_YEAR, newest - date.min)
        if self._between is None:
            ids, cosines = self._search.best(query, since, _LOOKED_AT), {}
        else:
            ids = self._search.best(query, since, _MIXED)
            cosines = dict(self._between(paper.id, ids))
        ids = _in_order([each for each in ids if each not in {paper.id, *apart_from}], cosines)[:_LOOKED_AT]
        others = {each.id: each for each in self._archive.papers(ids)}
        shared = dict.fromkeys(near(cosines), ()) | dict(alike(words, others.values()))
        return [Alike(others[each], shared[each]) for each in ids if each in shared and each in others][:_MOST]


def _in_order(ids: Sequence[int], cosines: Mapping[int, float]) -> list[int]:
    """Return ids that come best first by the mix of their places and their cosines."""
    return [each for each, _ in mixed([(each, -float(place)) for place, each in enumerate(ids)], cosines)]

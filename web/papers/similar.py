"""Papers like one paper, of the archive's last year.

    the paper's telling words (topics/similar.py) → the best of the archive for any of them → those that share two

What is asked of the whole archive is how many papers have a word. That changes slowly and a common word takes long to
count, so it is remembered until the archive has grown by a hundredth.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.papers import Paper
from domain.topics import Census
from storage.archive import Archive
from storage.search import Search
from topics.similar import alike, query_of, telling

_MOST = 5
_LOOKED_AT = 15  # papers, of which some share too little or are the same work
_YEAR = timedelta(days=365)
_KEPT = 100_000  # words: some 15 MB
_GROWN = 100  # a hundredth of the archive


@dataclass(frozen=True, slots=True)
class Alike:
    """A paper, and the words that it shares."""

    paper: Paper
    words: tuple[str, ...]


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

    def __init__(self, *, search: Search, archive: Archive, counts: Counts) -> None:
        self._search = search
        self._archive = archive
        self._counts = counts

    def to(self, paper: Paper, apart_from: Collection[int]) -> Sequence[Alike]:
        """Return up to five papers like one, the nearest first; neither itself nor one of `apart_from`, its kin."""
        words = telling(paper, self._counts.of)
        query = query_of(words)
        newest = self._archive.newest_day()
        if query is None or newest is None:
            return ()
        since = newest - min(_YEAR, newest - date.min)
        ids = self._search.best(query, since, _LOOKED_AT)
        others = {each.id: each for each in self._archive.papers(set(ids) - {paper.id, *apart_from})}
        shared = alike(words, others.values())
        return [Alike(others[each], shared[each]) for each in ids if each in shared][:_MOST]

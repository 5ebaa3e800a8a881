"""How near papers are in meaning to what topics ask: vectors from the archive, cosines from the model's room.

A paper that has no vector yet has no cosine; what that means is for who orders papers to say (topics/mixing.py).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from domain.errors import ModelUnusable
from domain.topics import Match, Query
from topics.mixing import asked, mixed

log = logging.getLogger("paperround.worker")
_TEXTS = 131_072  # of topics, read once: some 80 MB where there are so many
_VECTORS = 20_000  # of papers, that the blocks of a publish share: some 10 MB


#: Returns the vectors of those of these papers that have one.
Vectors = Callable[[Collection[int]], Mapping[int, bytes]]
#: Returns the cosines of one vector with each of many.
Cosines = Callable[[bytes, Sequence[bytes]], Sequence[float]]


class Nearness:
    """Tells how near papers are in meaning; may be shared by threads."""

    def __init__(self, *, query: Callable[[str], bytes], vectors: Vectors, cosines: Cosines) -> None:
        """`query` reads a text; all three are of one model."""
        self._query = lru_cache(maxsize=_TEXTS)(query)
        self._vectors = vectors
        self._cosines = cosines

    def over(self, paper_ids: Collection[int]) -> "Near":
        """Return what tells of these papers, as their vectors are now."""
        near = Near(self._vectors, self._query, self._cosines)
        near.fetch(paper_ids)
        return near

    def between(self, paper_id: int, others: Collection[int]) -> dict[int, float]:
        """Return the cosine of one paper with each of the others that has a vector; none where it has none itself."""
        vectors = dict(self._vectors({paper_id, *others}))
        own = vectors.get(paper_id)
        ids = [each for each in others if each in vectors] if own is not None else []
        if own is None or not ids:
            return {}
        return dict(zip(ids, self._cosines(own, [vectors[each] for each in ids]), strict=True))


class Near:
    """Tells of the papers whose vectors were fetched; used by one thread."""

    def __init__(self, vectors: Vectors, query: Callable[[str], bytes], cosines: Cosines) -> None:
        self._fetch = vectors
        self._query = query
        self._cosines = cosines
        self._vectors: dict[int, bytes] = {}

    def fetch(self, paper_ids: Collection[int]) -> None:
        """Fetch these papers' vectors where they are not here."""
        missing = [each for each in paper_ids if each not in self._vectors]
        if len(self._vectors) > _VECTORS:
            self._vectors.clear()
            missing = list(paper_ids)
        if missing:
            self._vectors.update(self._fetch(missing))

    def cosines(self, text: str, paper_ids: Iterable[int]) -> dict[int, float]:
        """Return the cosine with a text of each of these papers that has a vector; of "" none."""
        ids = [each for each in paper_ids if each in self._vectors] if text else []
        if not ids:
            return {}
        try:
            asked_for = self._query(text)
        except ModelUnusable as error:  # what failed is tried again the next time, and until then words decide
            log.warning("the sentence model cannot be used, and words decide alone: %s", error)
            return {}
        return dict(zip(ids, self._cosines(asked_for, [self._vectors[each] for each in ids]), strict=True))

    def in_order(self, query: Query, matches: Iterable[Match]) -> list[Match]:
        """Return one topic's matches tier after tier, each tier by the mix; equals stay in the order given."""
        text = asked(query)
        found: list[Match] = []
        for _, tier in groupby(sorted(matches, key=lambda match: match.tier), lambda match: match.tier):
            by_id = {match.paper_id: match for match in tier}
            scored = [(paper_id, match.score) for paper_id, match in by_id.items()]
            found += [by_id[paper_id] for paper_id, _ in self.mixed(text, scored)]
        return found

    def mixed(self, text: str, scored: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
        """Return (paper id, mixed score), best first; equals stay in the order given."""
        return mixed(scored, self.cosines(text, [paper_id for paper_id, _ in scored]))

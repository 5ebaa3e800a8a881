"""What a query would have selected in the last listing days: the letters' own matching and ranking, over the archive.

    query → how many a day, and without each exclusion (counted in the database) → the papers that it selects
        → related ones where they are wanted, of the days on which few are exact: by their words, or near in meaning
        → ranked against the whole archive, as letters are: by the mix with meaning where there is one
        → why, and words to consider

Of a topic that selects very many, what is asked for beyond `limit` is not fetched at all: the archive's own order by
relevance says which may be among the best.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nlargest

from domain.papers import Paper
from domain.topics import FEW, And, Match, Node, Not, Query, Tier, Why
from storage.archive import Archive
from storage.search import Search
from topics.exclusions import exclusions, kept_out
from topics.explain import Explainer
from topics.matching import MOST_RELATED, Batch, CensusOf, Ranking
from topics.mixing import asked
from topics.nearness import conditions, near, told
from topics.neighbours import Neighbour, Usage, neighbours, usage
from topics.normal import spelled
from topics.related import loosened
from worker.nearness import Near, Nearness

_LOOKED_AT = 500  # papers ranked where not all are asked for
_PARTS = 200  # part matches, the best in the archive's order, of which some are related
_NEAR = (
    5_000  # papers, the newest, whose meaning is looked at: those of two weeks with room to spare, some 2 MB of vectors
)
_TERMS = 8
_FOR_TERMS = 100  # papers whose words are looked at
_USUAL = 400  # papers of the whole archive that tell what everyone writes


@dataclass(frozen=True, slots=True)
class Selected:
    """One paper of a preview."""

    paper: Paper
    score: float
    tier: Tier
    why: Why


@dataclass(frozen=True, slots=True)
class Excluded:
    """What one exclusion of the query keeps out."""

    term: str  #: as its normal form spells it, with the minus
    fewer: int  #: papers that would answer the query without it, wherever it stands


@dataclass(frozen=True, slots=True)
class Preview:
    """What a query would have brought."""

    newest: date | None  #: the last of the days looked at, the archive's newest; None for an empty archive
    per_day: Mapping[date, int]  #: papers by listing day, the oldest first; a day that has none is missing
    related: int  #: how many of them only have part of what is wanted, of days on which few answer
    papers: tuple[Selected, ...]  #: exact before related, each best first; no more than were asked for
    excluded: tuple[Excluded, ...] = ()
    terms: tuple[Neighbour, ...] = ()  #: words to consider, most telling first

    @property
    def total(self) -> int:
        """All papers, shown or not."""
        return sum(self.per_day.values())

    @property
    def exact(self) -> int:
        """Papers that answer the query."""
        return self.total - self.related


class Previewer:
    """Looks back over one archive; may be shared by threads. `labels` is source name → what readers call it."""

    def __init__(
        self,
        *,
        archive: Archive,
        search: Search,
        census: CensusOf,
        labels: Mapping[str, str],
        nearness: Nearness | None = None,
    ) -> None:
        self._archive = archive
        self._nearness = nearness
        self._labels = labels
        self._search = search
        self._census = census
        self._usual: tuple[int, Usage] = (0, usage(()))  # with the newest paper's id then

    def preview(self, query: Query, days: int, limit: int | None = None, *, related: bool | None = None) -> Preview:
        """Return what matched of the papers whose listing day lies in the last `days` before the archive's newest.

        Related papers are looked for where `related` says so, or says nothing and the query is plain words: of each day
        on which fewer than three are exact, up to ten as in matching. A `limit` changes no number.
        """
        newest = self._archive.newest_day()
        if newest is None:
            return Preview(newest=None, per_day={}, related=0, papers=())
        since = date.fromordinal(max(1, newest.toordinal() - days + 1))
        counted = self._search.per_day(query.tree, since)
        exact = sum(counted.values())
        ids = self._ids(query.tree, since, exact, limit)
        wants_related = query.wants_related(related)
        parts = self._parts(query.tree, since, counted) if wants_related else ()
        meaning = self._nearness.over({*ids, *parts}) if self._nearness else None
        close = self._close(query, since, counted, meaning) if meaning and wants_related else ()
        papers = {paper.id: paper for paper in self._archive.papers({*ids, *parts, *close})}
        ranked = _ranked(query, papers, _Kin(set(parts), set(close), counted), self._census, meaning)
        related_days = Counter(papers[each.paper_id].listed for each in ranked if each.tier is Tier.RELATED)
        shown = ranked if limit is None else ranked[:limit]
        return Preview(
            newest=newest,
            per_day=dict(sorted((related_days + Counter(counted)).items())),
            related=related_days.total(),
            papers=tuple(self._told(query, shown, papers, close)),
            excluded=tuple(self._excluded(query.tree, since)),
            terms=tuple(self._terms(query.tree, [papers[each.paper_id] for each in ranked[:_FOR_TERMS]])),
        )

    def _ids(self, tree: Node, since: date, exact: int, limit: int | None) -> Sequence[int]:
        if limit is not None and exact > (most := max(_LOOKED_AT, limit)):
            return self._search.best(tree, since, most)
        return self._search.selected(tree, since)

    def _parts(self, tree: Node, since: date, counted: Mapping[date, int]) -> Sequence[int]:
        """Return the ids of the part matches of days on which few are exact."""
        loose = loosened(tree)
        if loose is None:
            return ()
        return self._search.best(And((loose, Not(tree))), since, _PARTS, apart_from=_full(counted))

    def _close(self, query: Query, since: date, counted: Mapping[date, int], meaning: Near) -> Sequence[int]:
        """Return the ids of the papers of those days that are nearest in meaning, those that it picks among them."""
        if conditions(query.tree) is None:
            return ()
        recent = self._search.listed(since, _NEAR, apart_from=_full(counted))
        meaning.fetch(recent)
        cosines = meaning.cosines(asked(query), recent)
        return nlargest(_PARTS, near(cosines), key=cosines.__getitem__)

    def _excluded(self, tree: Node, since: date) -> Iterator[Excluded]:
        for each in exclusions(tree):
            yield Excluded(spelled(each), sum(self._search.per_day(kept_out(tree, each), since).values()))

    def _told(
        self, query: Query, matches: Iterable[Match], papers: Mapping[int, Paper], close: Collection[int]
    ) -> Iterator[Selected]:
        with Explainer(self._labels) as explainer:
            for each in matches:
                paper = papers[each.paper_id]
                why = explainer.explain(query, paper, each.tier)
                yield Selected(paper, each.score, each.tier, told(why) if each.paper_id in close else why)

    def _terms(self, tree: Node, papers: Sequence[Paper]) -> list[Neighbour]:
        return neighbours(papers, tree, self._written(), self._census, _TERMS) if papers else []

    def _written(self) -> Usage:
        """Return the usage of papers drawn evenly from the whole archive."""
        known, words = self._usual
        if (newest := self._archive.newest_id()) != known:
            words = usage(self._archive.papers(range(newest, 0, -max(1, newest // _USUAL))))
            self._usual = (newest, words)
        return words


@dataclass(frozen=True, slots=True)
class _Kin:
    """What may be related, and of which days."""

    parts: Collection[int]  #: papers with a part of what is wanted
    close: Collection[int]  #: papers near in meaning
    counted: Mapping[date, int]  #: day → how many papers are exact


def _ranked(
    query: Query, papers: Mapping[int, Paper], kin: _Kin, census: CensusOf, meaning: Near | None
) -> list[Match]:
    """Return what a query selects, best first; of equals the newest listing day, then the order of storing.

    Of what may be related that is kept which is near enough, of each day as many as matching keeps.
    """
    with Batch(list(papers.values())) as batch:
        ranking = Ranking(batch, [query.tree], census, meaning.cosines if meaning else None)
        matches = [Match(0, paper_id, score) for paper_id, score in ranking.rank(query.tree)]
        kept: Counter[date] = Counter()
        for paper_id, score in ranking.kindred(query) if kin.parts or kin.close else ():
            day = papers[paper_id].listed
            may_be = paper_id in kin.parts or paper_id in kin.close
            if may_be and kin.counted.get(day, 0) < FEW and kept[day] < MOST_RELATED:
                kept[day] += 1
                matches.append(Match(0, paper_id, score, Tier.RELATED))
    matches.sort(key=lambda each: (each.tier, -each.score, -papers[each.paper_id].listed.toordinal(), each.paper_id))
    return meaning.in_order(query, matches) if meaning else matches


def _full(counted: Mapping[date, int]) -> list[date]:
    return [day for day, papers in counted.items() if papers >= FEW]

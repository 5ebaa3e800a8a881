"""What a query would have selected in the last listing days: the letters' own matching and ranking, over the archive.

    query → how many a day, and without each exclusion (counted in the database) → the papers that it selects
        → related ones where they are wanted and few are exact → ranked against the whole archive → why

Of a topic that selects very many, what is asked for beyond `limit` is not fetched at all: the archive's own order by
relevance says which may be among the best.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.papers import Paper
from domain.topics import And, Leaf, Node, Not, Phrase, Query, Tier, Why, Word, leaves
from storage.archive import Archive
from storage.search import Search
from topics.explain import Explainer
from topics.matching import Batch, CensusOf, Ranking
from topics.neighbours import Neighbour, neighbours
from topics.normal import spelled
from topics.related import loosened
from topics.stems import Stemmer

_FEW = 10  # papers, about a letter's: where fewer answer in all the days, some of the days would bring related ones
_LOOKED_AT = 500  # papers ranked where not all are asked for, and part matches that may be related
_TERMS = 8
_FOR_TERMS = 200  # papers whose words are looked at


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
    fewer: int  #: papers


@dataclass(frozen=True, slots=True)
class Preview:
    """What a query would have brought."""

    exact: int  #: papers that answer it
    related: int  #: that have part of what is wanted, where few answer it
    per_day: dict[date, int]  #: of both, by listing day, newest first
    papers: tuple[Selected, ...]  #: best first; no more than were asked for
    excluded: tuple[Excluded, ...] = ()
    terms: tuple[Neighbour, ...] = ()  #: words to consider, most telling first

    @property
    def total(self) -> int:
        """All papers, shown or not."""
        return self.exact + self.related


class Previewer:
    """Looks back over one archive; may be shared by threads. `labels` is source name → what readers call it."""

    def __init__(self, *, archive: Archive, search: Search, census: CensusOf, labels: Mapping[str, str]) -> None:
        self._archive = archive
        self._labels = labels
        self._search = search
        self._census = census

    def preview(self, query: Query, days: int, limit: int | None = None, *, related: bool | None = None) -> Preview:
        """Return what matched of the papers whose listing day lies in the last `days` before the archive's newest.

        Related papers are looked for where `related` says so, or says nothing and the query is plain words.
        """
        newest = self._archive.newest_day()
        if newest is None:
            return Preview(exact=0, related=0, per_day={}, papers=())
        since = newest - timedelta(days=days - 1)
        per_day = self._search.per_day(query.tree, since)
        exact = sum(per_day.values())
        ids = self._ids(query.tree, since, exact, limit)
        loose = loosened(query.tree) if exact < _FEW and query.wants_related(related) else None
        near = () if loose is None else self._search.best(loose, since, _LOOKED_AT)
        papers = self._archive.papers({*ids, *near})
        found = select(query, papers, self._census, self._labels, limit=limit, related=loose is not None)
        return Preview(
            exact=exact,
            related=found.related,
            per_day=found.per_day if exact < _FEW else per_day,
            papers=found.papers,
            excluded=tuple(self._excluded(query.tree, since, exact)),
            terms=found.terms,
        )

    def _ids(self, tree: Node, since: date, exact: int, limit: int | None) -> Sequence[int]:
        if limit is not None and exact > max(_LOOKED_AT, limit):
            return self._search.best(tree, since, max(_LOOKED_AT, limit))
        return self._search.selected(tree, since)

    def _excluded(self, tree: Node, since: date, exact: int) -> Iterator[Excluded]:
        """Yield what each exclusion that stands beside what is wanted keeps out."""
        parts = tree.parts if isinstance(tree, And) else ()
        for part in parts:
            if isinstance(part, Not):
                others = tuple(each for each in parts if each != part)
                without = others[0] if len(others) == 1 else And(others)
                yield Excluded(spelled(part), sum(self._search.per_day(without, since).values()) - exact)


def select(
    query: Query,
    papers: Sequence[Paper],
    census: CensusOf,
    labels: Mapping[str, str],
    *,
    limit: int | None = None,
    related: bool | None = None,
) -> Preview:
    """Return what a query selects among papers, ranked against the archive; at most `limit` are told in full."""
    by_id = {paper.id: paper for paper in papers}
    with Batch(papers) as batch:
        ranking = Ranking(batch, [query.tree], census)
        exact = ranking.rank(query.tree)
        near = ranking.related(query.tree) if len(exact) < _FEW and query.wants_related(related) else []
        ranked = [*((*each, Tier.EXACT) for each in exact), *((*each, Tier.RELATED) for each in near)]
    first = [by_id[paper_id] for paper_id, *_ in ranked[:_FOR_TERMS]]
    shown = ranked if limit is None else ranked[:limit]
    return Preview(
        exact=len(exact),
        related=len(near),
        per_day=dict(sorted(Counter(by_id[each[0]].listed for each in ranked).items(), reverse=True)),
        papers=tuple(_told(query, shown, by_id, labels)),
        terms=tuple(_terms(query, first, census)),
    )


def _told(
    query: Query, ranked: Iterable[tuple[int, float, Tier]], papers: Mapping[int, Paper], labels: Mapping[str, str]
) -> Iterator[Selected]:
    with Explainer(labels) as explainer:
        for paper_id, score, tier in ranked:
            yield Selected(papers[paper_id], score, tier, explainer.explain(query, papers[paper_id], tier))


def _terms(query: Query, papers: Sequence[Paper], census: CensusOf) -> list[Neighbour]:
    """Return words to consider that the query does not ask for."""
    with Batch(papers) as batch, Stemmer() as stemmer:
        forms = batch.forms()
        stems = stemmer.stems([form for form, _ in forms])
        asked = stemmer.stems(word for leaf in leaves(query.tree) for word in _cut(leaf))
        vocabulary: dict[str, Neighbour] = {}
        for form, number in forms:
            stem = stems.get(form, form)
            known = vocabulary.get(stem)
            if known is None or known.papers < number:
                vocabulary[stem] = Neighbour(form, number)
        return neighbours(len(papers), vocabulary, set(asked.values()), census, _TERMS)


def _cut(leaf: Leaf) -> Sequence[str]:
    match leaf:
        case Word(text):
            return (text,)
        case Phrase(words):
            return words
        case _:
            return ()

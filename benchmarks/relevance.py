"""Relevance: how well the product's own ranker orders labelled collections, beside FTS5's bm25 and substring counts.

    query → its words as a topic → exact papers, then those with a part of the words → the head made diverse → measures

The papers meet the topics in batches, as new papers do (topics/matching.py), with the census of the whole collection.
Nothing is capped: after the exact papers come all part matches, not only those from a fifth of the ceiling that a
letter may show where fewer than three are exact; what that threshold costs is told apart, as is the order by score
alone, without tiers and diversity.

nDCG@10 takes the gain as given (linear) and log2(1 + rank); MAP and R@100 count a document with any gain above 0. Each
list is cut at 1,000. A query of which no word is left (stop words, signs) finds nothing and counts as 0. FTS5 (porter)
and the substring count are asked for any of the same words; that count is 20 for each word that the title holds
anywhere, and one for each of its first three times in the text. benchmarks/labelled.py tells what is passed over.

Options: `--data DIR` (the shared collections) is a collection or a folder of them; `--batch N` (5,000) papers at once;
`--model DIR` also ranks by the mix with a sentence model's meaning (meaning.py), over all papers with one of the words,
and with exact papers first as in letters; `--cache DIR` keeps what the model makes of the documents.
"""

import math
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from heapq import nsmallest
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.figures import Figure
from benchmarks.labelled import Collection, collections
from benchmarks.meaning import MIXED, MIXED_IN_TIERS, Meanings, meanings, reading_of
from benchmarks.references import CUT, Whole, counts
from domain.errors import QueryError
from domain.fts5 import tokens
from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import Match, Query, Tier
from topics.diversity import diversified
from topics.matching import BEST, Batch, Ranking
from topics.normal import STOP_WORDS
from topics.query import LONGEST, parse
from topics.ranking import ceiling, wishes, words
from topics.related import SHARE, loosened
from topics.stems import Stemmer

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "relevance"
MEASURES = ("ndcg@10", "map", "r@100")
OURS, ALONE, SHOWN, FTS5, SUBSTRING = "ours", "score_alone", "above_threshold", "fts5", "substring"
_DAY = date(2026, 11, 20)

#: Ranker → query id → document ids, best first.
Lists = Mapping[str, Mapping[str, Sequence[str]]]
#: Ranker → measure → mean over the queries.
Means = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Measured(Figure):
    """A measure of one collection, or of the mean of all."""

    collection: str = ""
    measure: str = ""
    ranker: str = ""
    beside: str = ""  #: the ranker that is the reference


def run(options: list[str]) -> list[Figure]:
    """Measure what the options name. Raises UsageError where it is not there."""
    arguments = ArgumentParser(prog="relevance", description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA, help="a collection, or a folder of collections")
    arguments.add_argument("--batch", type=int, default=5000, help="papers that meet the topics at once")
    arguments.add_argument("--model", type=Path, help="a folder with a sentence model")
    arguments.add_argument("--cache", type=Path, help="a folder for what the model makes of the documents")
    given = arguments.parse_args(options)
    reading = reading_of(given.model) if given.model else None
    costs: list[Figure] = []
    means: dict[str, Means] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for each in collections(given.data):
            meant = None if reading is None else meanings(each, reading, given.cache, costs)
            means[each.name] = measured(each, lists(each, max(1, given.batch), progress, meant))
    means["mean"] = {
        ranker: {measure: sum(each[ranker][measure] for each in means.values()) / len(means) for measure in MEASURES}
        for ranker in next(iter(means.values()))
    }
    return [*_figures(means), *costs]


def as_json(figures: Sequence[Figure]) -> dict[str, object]:
    """Return the same figures by collection, ranker and measure."""
    sets: dict[str, Means] = {}
    for each in figures:
        if isinstance(each, Measured):
            sets.setdefault(each.collection, {}).setdefault(each.ranker, {})[each.measure] = each.value
            if each.reference is not None:
                sets[each.collection].setdefault(each.beside, {})[each.measure] = each.reference
    return {"mean": sets.pop("mean"), "sets": sets}


def topic(text: str) -> Query | None:
    """Return the words of a text as a topic of plain words; None where none is left to look for.

    Signs and operators are not asked for, a word counts once, and those beyond a topic's longest are left out.
    """
    kept: list[str] = []
    room = LONGEST
    for word in dict.fromkeys(tokens(text)):
        room -= len(word) + 3
        if room < 0:
            break
        if word not in STOP_WORDS and any(map(str.isalnum, word)):
            kept.append(f'"{word}"')
    try:
        return parse(" ".join(kept))
    except QueryError:
        return None


def lists(
    collection: Collection,
    batch: int,
    progress: Progress,
    meant: Callable[[Callable[[int], None]], Meanings] | None = None,
) -> Lists:
    """Return what each ranker makes of each query of the collection; `meant` reads it for its meaning."""
    asked = {each: query for each, text in collection.queries.items() if (query := topic(text))}
    task = progress.add_task(collection.name, total=2 * len(collection.documents) + len(asked))
    with closing(Whole(collection)) as whole:
        progress.advance(task, len(collection.documents))
        found = {each: _Found(_least(query, whole)) for each, query in asked.items()}
        counted: dict[str, list[tuple[float, int]]] = {each: [] for each in asked}
        for papers in _batches(collection, batch):
            with Batch(papers) as new:
                ranking = Ranking(new, [query.tree for query in asked.values()], whole.census)
                for each, query in asked.items():
                    found[each].add(ranking, query, papers)
            for each, scored in counts(papers, {each: query.terms for each, query in asked.items()}):
                counted[each] = nsmallest(CUT, counted[each] + scored)
            progress.advance(task, len(papers))
        bm25: dict[str, Sequence[int]] = {}
        for each, query in asked.items():
            bm25[each] = whole.bm25(query)
            progress.advance(task)
    numbers: dict[str, dict[str, Sequence[int]]] = {
        OURS: {each: of.ours() for each, of in found.items()},
        ALONE: {each: of.by_score() for each, of in found.items()},
        SHOWN: {each: of.above_threshold() for each, of in found.items()},
        FTS5: bm25,
        SUBSTRING: {each: [number for _, number in best] for each, best in counted.items()},
    }
    if meant is not None:
        reading = progress.add_task(f"{collection.name}, meaning", total=len(collection.documents))
        meanings = meant(lambda done: progress.advance(reading, done))
        orders = {each: meanings.orders(query, found[each].best) for each, query in asked.items()}
        numbers |= {ranker: {each: of[ranker] for each, of in orders.items()} for ranker in (MIXED, MIXED_IN_TIERS)}
    return {
        ranker: {each: [collection.documents[number] for number in best] for each, best in of.items()}
        for ranker, of in numbers.items()
    }


def measured(collection: Collection, answers: Lists) -> Means:
    """Return each ranker's means over the queries of the collection."""
    means: Means = {}
    for ranker, of in answers.items():
        each = [measures(of.get(query, ()), gains) for query, gains in collection.gains.items()]
        means[ranker] = {
            name: sum(values) / len(each) for name, values in zip(MEASURES, zip(*each, strict=True), strict=True)
        }
    return means


def measures(answer: Sequence[str], gains: Mapping[str, float]) -> tuple[float, float, float]:
    """Return nDCG@10, average precision and recall at 100 of one answer; `gains` holds those above 0."""
    ideal = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(sorted(gains.values(), reverse=True)[:10], 1))
    reached = sum(gains.get(document, 0.0) / math.log2(rank + 1) for rank, document in enumerate(answer[:10], 1))
    precision, hits = 0.0, 0
    for rank, document in enumerate(answer[:CUT], 1):
        if document in gains:
            hits += 1
            precision += hits / rank
    return reached / ideal, precision / len(gains), sum(document in gains for document in answer[:100]) / len(gains)


class _Found:
    """What the product's ranker found for one query so far."""

    def __init__(self, least: float) -> None:
        """`least` is the score from which a part match is related."""
        self._least = least
        self._best: list[Match] = []
        self._papers: dict[int, Paper] = {}

    def add(self, ranking: Ranking, query: Query, papers: Sequence[Paper]) -> None:
        """Rank one more batch, whose papers are numbered on."""
        exact = ranking.rank(query.tree)
        loose = loosened(query.tree)
        known = {number for number, _ in exact}
        parts = (each for each in (ranking.rank(loose) if loose else ()) if each[0] not in known)
        every = [*self._best, *(Match(0, number, score) for number, score in exact[:CUT])]
        every += [Match(0, number, score, Tier.RELATED) for number, score in islice(parts, CUT)]
        # Both orders must have their best: by tier, and by score alone.
        self._best = sorted({*nsmallest(CUT, every, key=_by_tier), *nsmallest(CUT, every, key=_by_score)}, key=_by_tier)
        head = {match.paper_id for match in self._best[:BEST]}
        known_papers = (*self._papers.values(), *papers)
        self._papers = {each.id: each for each in known_papers if each.id in head}

    @property
    def best(self) -> Sequence[Match]:
        """The best by tier, and the best by score alone."""
        return self._best

    def ours(self) -> list[int]:
        return self._diversified(self._best)

    def above_threshold(self) -> list[int]:
        return self._diversified([each for each in self._best if each.tier is Tier.EXACT or each.score >= self._least])

    def by_score(self) -> list[int]:
        return [match.paper_id for match in nsmallest(CUT, self._best, key=_by_score)]

    def _diversified(self, best: Sequence[Match]) -> list[int]:
        return [match.paper_id for match in (*diversified(best[:BEST], self._papers), *best[BEST:CUT])]


def _least(query: Query, whole: Whole) -> float:
    """Return the score from which a part match of the query is related."""
    with Stemmer() as stemmer:
        wished = wishes(query.tree, stemmer.stems(words(query.tree)))
    return SHARE * ceiling(wished, whole.census({wish for wish in wished if isinstance(wish, str)}))


def _by_tier(match: Match) -> tuple[int, float, int]:
    return match.tier, -match.score, match.paper_id


def _by_score(match: Match) -> tuple[float, int]:
    return -match.score, match.paper_id


def _batches(collection: Collection, size: int) -> Iterator[list[Paper]]:
    numbered = enumerate(collection.read())
    while batch := [paper(number, title, text) for number, (_, title, text) in islice(numbered, size)]:
        yield batch


def paper(number: int, title: str, abstract: str) -> Paper:
    """Return a document as a paper, whose id is the document's number."""
    return Paper(
        id=number,
        key=f"title:{number:016x}",
        ids=Identifiers(),
        title=title,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=(),
        author_count=0,
        published=None,
        first_seen=datetime(2026, 11, 20, 6, tzinfo=UTC),
        listed=_DAY,
        first_listed=_DAY,
        url="https://papers.example.org/",
    )


def _figures(means: Mapping[str, Means]) -> Iterable[Figure]:
    names = {FTS5: "FTS5 bm25", SUBSTRING: "substring counts", ALONE: "by score alone", SHOWN: "above the threshold"}
    for collection, of in means.items():
        for measure in MEASURES:
            for beside, name in names.items():
                value, reference = of[OURS][measure], of[beside][measure]
                what = f"{collection}: {measure}"
                yield Measured(what, value, "", reference, name, collection, measure, OURS, beside)
            for ranker, name in {MIXED: "mixed", MIXED_IN_TIERS: "mixed in tiers"}.items():
                if ranker in of:
                    what = f"{collection}: {measure}, {name}"
                    value, reference = of[ranker][measure], of[OURS][measure]
                    yield Measured(what, value, "", reference, "ours, by words", collection, measure, ranker, OURS)

"""The new papers meet every distinct topic once.

    papers → an index in memory → each topic's papers as a set of bits → scores (ranking.py)
        → the best, and how many others

`Batch` is the index. The first topic that asks for a word or phrase makes FTS5 look it up, for a prefix in an index
without stems; a fact is read off the papers. The answer is kept as a set of bits, one for each paper. AND, OR and NOT
are then operations on bits, so another topic of known words costs a few microseconds whatever the number of papers, and
the sets are those that FTS5 gives for the whole expression (tests/topics/test_matching.py compares them).
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import reduce
from operator import and_, neg
from types import TracebackType
from typing import Self

from domain.facts import has
from domain.fts5 import TOKENIZE, TOKENIZE_FORMS, match_expression, prefix_expression, searchable
from domain.papers import Paper
from domain.topics import (
    FEW,
    And,
    Author,
    Census,
    Leaf,
    Match,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Selection,
    Tier,
    Topic,
    Word,
    leaves,
)
from domain.traces import asked_for, traces
from topics.mixing import asked, mixed
from topics.nearness import CosinesOf, conditions, near
from topics.ranking import Scores, Wish, ceiling, wishes, words
from topics.related import loosened, related
from topics.stems import Postings, Stemmer, lengths, postings

BEST = 50  #: exact matches kept of one topic and run; the others are counted
MOST_RELATED = 10  #: related ones kept
_PROGRESS_STEP = 500  # topics: a few milliseconds

#: Tells how many papers of the archive have each of these stems, and how long they are.
CensusOf = Callable[[Collection[str]], Census]


class Batch:
    """An index of some papers' titles and abstracts, in memory; asked by one thread, closed after use.

    Papers are named by their ids, and inside by their places in the batch.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        self.papers = papers
        # By text or words where no field is asked for: a string knows its hash, a dataclass works it out each time.
        self._sets: dict[str | tuple[str, ...] | Leaf, int] = {}
        self._stems = _index(papers, TOKENIZE)
        self._forms: sqlite3.Connection | None = None
        self._traces: dict[str, int] | None = None  # of authors, made when the first is asked for

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the indexes."""
        self._stems.close()
        if self._forms is not None:
            self._forms.close()

    def select(self, tree: Node) -> list[int]:
        """Return the ids of the papers that the tree picks, in the order of the batch."""
        return self.named(self.bits(tree))

    def named(self, bits: int) -> list[int]:
        """Return the ids of the papers at these places, in the order of the batch."""
        return [self.papers[place].id for place in places(bits)]

    def bits(self, tree: Node) -> int:
        """Return the places of the papers that the tree picks as bits; what a leaf picks is kept."""
        match tree:
            case Word(name, None) | Phrase(name, None):
                known = self._sets.get(name)
                return self._look_up(name, tree) if known is None else known
            case And(parts):
                picked = -1
                for part in parts:
                    picked &= ~self.bits(part.part) if isinstance(part, Not) else self.bits(part)
                return picked
            case Or(parts):
                picked = 0
                for part in parts:
                    picked |= self.bits(part)
                return picked
            case Not():
                raise ValueError("A tree that only excludes picks no papers; topics/query.py lets none through.")
            case _:
                known = self._sets.get(tree)
                return self._look_up(tree, tree) if known is None else known

    def keeping(self, conditions: Iterable[Node]) -> int:
        """Return the places of the papers of which all of this holds, exclusions too, as bits."""
        kept = (1 << len(self.papers)) - 1
        for each in conditions:
            kept &= ~self.bits(each.part) if isinstance(each, Not) else self.bits(each)
        return kept

    def postings(self) -> Callable[[str], Postings]:
        """Return what tells where a stem stands."""
        return postings(self._stems)

    def lengths(self) -> list[int]:
        """Return how many words each paper has."""
        return lengths(self._stems, len(self.papers))

    def begun(self, beginning: str) -> list[str]:
        """Return the words of these papers that begin so; the beginning is as the index keeps it."""
        rows = self._written().execute(
            "SELECT term FROM form WHERE term >= ? AND term < ?", (beginning, beginning + "\U0010ffff")
        )
        return [form for (form,) in rows]

    def _look_up(self, name: str | tuple[str, ...] | Leaf, leaf: Leaf) -> int:
        match leaf:
            case Word() | Phrase():
                found = _rows(self._stems, match_expression(leaf))
            case Prefix():
                found = _rows(self._written(), prefix_expression(leaf))
            case Author():
                found = (place for place in self._candidates(leaf) if has(self.papers[place], leaf))
            case _:
                found = (place for place, paper in enumerate(self.papers) if has(paper, leaf))
        picked = 0
        for place in found:
            picked |= 1 << place
        self._sets[name] = picked
        return picked

    def _candidates(self, author: Author) -> list[int]:
        """Return the places of the papers of which a listed author may be the one asked for."""
        if self._traces is None:
            self._traces = {}
            for place, paper in enumerate(self.papers):
                for trace in set(traces(paper.authors)):
                    self._traces[trace] = self._traces.get(trace, 0) | 1 << place
        found = 0
        for way in asked_for(author.names):
            found |= reduce(and_, (self._traces.get(trace, 0) for trace in way))
        return places(found)

    def _written(self) -> sqlite3.Connection:
        """Return the index without stems, which few batches need."""
        if self._forms is None:
            self._forms = _index(self.papers, TOKENIZE_FORMS)
            self._forms.execute("CREATE VIRTUAL TABLE form USING fts5vocab(paper, 'row')")
        return self._forms


class Ranking:
    """Scores what trees pick of one batch, against the archive's census."""

    def __init__(
        self, batch: Batch, trees: Iterable[Node], census_of: CensusOf, cosines_of: CosinesOf | None = None
    ) -> None:
        """Only `trees` can be ranked: their stems are looked up in one go. `cosines_of` where meaning is read too."""
        self._batch = batch
        self._cosines_of = cosines_of
        self._ids = [paper.id for paper in batch.papers]
        trees = list(trees)
        with Stemmer() as stemmer:
            self._stems = stemmer.stems(word for tree in trees for word in words(tree))
            self._begun = _begun(
                batch, {leaf for tree in trees for leaf in leaves(tree) if isinstance(leaf, Prefix)}, stemmer
            )
        wanted = {*self._stems.values(), *(stem for stems in self._begun.values() for stem in stems)}
        self._census = census_of(wanted)
        self._scores = Scores(batch.postings(), batch.lengths(), self._census)

    def rank(self, tree: Node) -> list[tuple[int, float]]:
        """Return (paper id, score) of the papers that the tree picks, best first, equals by id."""
        scored = self._scored(self._wishes(tree), self._batch.bits(tree))
        return [(paper_id, -below) for below, paper_id in sorted(scored)]

    def kindred(self, query: Query) -> list[tuple[int, float]]:
        """Return (paper id, score) of what is related to a query or near in meaning, best first; none that it picks."""
        return self._kindred(query, self._wishes(query.tree), self._batch.bits(query.tree))

    def selection(self, topic: Topic, best: int = BEST) -> Selection | None:
        """Return the best that a topic picks, and related papers where they are wanted and few are exact."""
        tree = topic.query.tree
        picked = self._batch.bits(tree)
        if not picked and not topic.related:
            return None
        wished = self._wishes(tree)
        scored = self._scored(wished, picked)
        scored.sort()
        kept = scored[:best]
        matches = [Match(topic.id, paper_id, -below) for below, paper_id in kept]
        if topic.related and len(scored) < FEW:
            kin = self._kindred(topic.query, wished, picked)[:MOST_RELATED]
            matches += [Match(topic.id, paper_id, score, Tier.RELATED) for paper_id, score in kin]
        return Selection(topic.id, tuple(matches), beyond=len(scored) - len(kept)) if matches else None

    def _wishes(self, tree: Node) -> tuple[Wish, ...]:
        return wishes(tree, self._stems, lambda prefix: self._begun.get(prefix, ()))

    def _kindred(self, query: Query, wished: Sequence[Wish], picked: int) -> list[tuple[int, float]]:
        """Return (paper id, score) of what is related by its words or near in meaning, the best of the mix first."""
        loose, held = loosened(query.tree), conditions(query.tree)
        parts = self._scored(wished, self._batch.bits(loose) & ~picked) if loose else []
        kin = related(((paper_id, -below) for below, paper_id in parts), ceiling(wished, self._census))
        if self._cosines_of is None or held is None:
            return kin
        able = places(self._batch.keeping(held) & ~picked)
        cosines = self._cosines_of(asked(query), [self._ids[place] for place in able])
        close = set(near(cosines))
        closest = sum(1 << place for place in able if self._ids[place] in close)
        scores = dict(kin) | {paper_id: -below for below, paper_id in self._scored(wished, closest)}
        return [(paper_id, scores[paper_id]) for paper_id, _ in mixed(list(scores.items()), cosines)]

    def _scored(self, wished: Sequence[Wish], picked: int) -> list[tuple[float, int]]:
        """Return (minus the score, paper id) of the picked papers."""
        found = places(picked)
        totals = self._scores.total(wished, found)
        return list(zip(map(neg, totals), map(self._ids.__getitem__, found), strict=True))


def match(
    papers: Sequence[Paper],
    topics: Sequence[Topic],
    census_of: CensusOf,
    progress: Callable[[int], None] | None = None,
    *,
    best: int = BEST,
    cosines_of: CosinesOf | None = None,
) -> Iterator[Selection]:
    """Yield what each topic selects of the papers, topic after topic; nothing of a topic that selects none.

    `progress` is told now and then how many topics are done, and at the end; `cosines_of` is there where papers are
    read for their meaning too.
    """
    done = 0
    with Batch(papers) as batch:
        ranking = Ranking(batch, (topic.query.tree for topic in topics), census_of, cosines_of)
        for done, topic in enumerate(topics, 1):
            if (selection := ranking.selection(topic, best)) is not None:
                yield selection
            if progress and done % _PROGRESS_STEP == 0:
                progress(done)
    if progress:
        progress(done)


def _begun(batch: Batch, prefixes: Collection[Prefix], stemmer: Stemmer) -> dict[Prefix, tuple[str, ...]]:
    """Return the stems of the words that begin so, in order."""
    with Stemmer(TOKENIZE_FORMS) as folder:
        folded = folder.stems([prefix.text for prefix in prefixes])
    found = {each: batch.begun(beginning) for each, beginning in folded.items()}
    return {prefix: tuple(sorted(set(stemmer.stems(found.get(prefix.text, ())).values()))) for prefix in prefixes}


def places(picked: int) -> list[int]:
    """Return the numbers of the bits that are set, rising."""
    digits = bin(picked)[:1:-1]
    found = []
    place = digits.find("1")
    while place >= 0:
        found.append(place)
        place = digits.find("1", place + 1)
    return found


def _index(papers: Sequence[Paper], tokenize: str) -> sqlite3.Connection:
    """Return an index of the papers by their places."""
    index = sqlite3.connect(":memory:", isolation_level=None, cached_statements=8)
    index.execute(f"CREATE VIRTUAL TABLE paper USING fts5(title, abstract, content='', tokenize=\"{tokenize}\")")
    index.execute("BEGIN")
    index.executemany(
        "INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)",
        ((place, searchable(paper.title), searchable(paper.abstract)) for place, paper in enumerate(papers)),
    )
    index.execute("INSERT INTO paper(paper) VALUES ('optimize')")
    index.execute("COMMIT")
    return index


def _rows(index: sqlite3.Connection, expression: str) -> Iterator[int]:
    for (place,) in index.execute("SELECT rowid FROM paper WHERE paper MATCH ?", (expression,)):
        yield place

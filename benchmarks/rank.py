"""Rank: what it costs to score a paper for a topic, beside BM25 worked out in Python for each topic and paper.

1,000 papers (real records where they are at hand, benchmarks/corpus.py) and topics of two or three of their words. The
set of a topic is given to both: the papers with any of its words. Both get the stems of the topics; the loop also gets,
free of charge, how often each stem stands in each paper. Ours reads that from the index once for all topics, which is
told apart: the more topics ask for a word, the less of it each bears.

Options: `--topics N` (10,000), and `--loop-topics N` (1,000) is how many of them the loop is run on.
"""

import math
import random
import sqlite3
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from contextlib import closing

from benchmarks.corpus import records
from benchmarks.figures import Figure, cpu_seconds
from domain.fts5 import TOKENIZE, searchable, tokens
from domain.topics import Census
from topics.ranking import FUNCTION_WORDS, K1, B, Scores
from topics.stems import Stemmer, postings

_PAPERS = 1000

Topics = Sequence[tuple[tuple[str, ...], list[int]]]  #: stems, and the places of the papers with any of them


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="rank", description=__doc__)
    arguments.add_argument("--topics", type=int, default=10_000)
    arguments.add_argument("--loop-topics", type=int, default=1000, help="how many topics the loop is run on")
    given = arguments.parse_args(options)

    papers = [(each["title"], each["abstract"]) for each in records()[:_PAPERS]]
    lengths = [len(tokens(title)) + len(tokens(abstract)) for title, abstract in papers]
    counted = _counted(papers)
    having = Counter(stem for each in counted for stem in each)
    census = Census(len(papers), sum(lengths) / len(papers), having)
    topics = _topics(counted, max(given.topics, given.loop_topics))
    asked, looped = topics[: given.topics], topics[: given.loop_topics]
    with closing(_index(papers)) as index:
        read = postings(index)
        known = Scores(read, lengths, census)
        assert _close(_ours(known, looped), _loop(counted, lengths, census, looped)), "the loop scores otherwise"
        once = cpu_seconds(lambda: _ours(Scores(read, lengths, census), [(stems, []) for stems, _ in asked]))
        _ours(known, asked)
        scoring = cpu_seconds(lambda: _ours(known, asked))
    asking = cpu_seconds(lambda: _loop(counted, lengths, census, looped))
    pairs, loop_pairs = (sum(len(places) for _, places in each) for each in (asked, looped))
    name = f"a loop over topics and papers, on {len(looped):,} topics"
    each, loop_each = scoring / pairs * 1e6, asking / loop_pairs * 1e6
    what = f"a topic × paper, {len(asked):,} topics × {pairs / len(asked):.0f} papers"
    return [
        Figure(what, each, "µs", loop_each, name),
        Figure(f"with what is read once, {once:.2g} s", (once + scoring) / pairs * 1e6, "µs", loop_each, name),
    ]


def _counted(papers: Sequence[tuple[str, str]]) -> list[Counter[str]]:
    """How often each stem stands in each paper, the title twice; without those of function words."""
    texts = [(tokens(title) * 2 + tokens(abstract)) for title, abstract in papers]
    with Stemmer() as stemmer:
        stems = stemmer.stems(word for text in texts for word in text)
        passed_over = set(stemmer.stems(FUNCTION_WORDS).values())
    return [Counter(stem for word in text if (stem := stems[word]) not in passed_over) for text in texts]


def _topics(counted: Sequence[Counter[str]], count: int) -> Topics:
    dice = random.Random(20261120)  # noqa: S311 - figures that can be repeated, no secret
    having: dict[str, set[int]] = {}
    for place, each in enumerate(counted):
        for stem in each:
            having.setdefault(stem, set()).add(place)
    topics: list[tuple[tuple[str, ...], list[int]]] = []
    while len(topics) < count:
        stems = tuple(dict.fromkeys(dice.choices(list(dice.choice(counted)), k=dice.randint(2, 3))))
        topics.append((stems, sorted(set().union(*(having[stem] for stem in stems)))))
    return topics


def _index(papers: Sequence[tuple[str, str]]) -> sqlite3.Connection:
    index = sqlite3.connect(":memory:", isolation_level=None)
    index.execute(f"CREATE VIRTUAL TABLE paper USING fts5(title, abstract, content='', tokenize=\"{TOKENIZE}\")")
    rows = ((place, *map(searchable, paper)) for place, paper in enumerate(papers))
    index.executemany("INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)", rows)
    return index


def _ours(scores: Scores, topics: Topics) -> list[list[float]]:
    return [scores.total(stems, places) for stems, places in topics]


def _loop(counted: Sequence[Counter[str]], lengths: Sequence[int], census: Census, topics: Topics) -> list[list[float]]:
    return [[_bm25(stems, counted[place], lengths[place], census) for place in places] for stems, places in topics]


def _bm25(stems: tuple[str, ...], counted: Counter[str], words: int, census: Census) -> float:
    score = 0.0
    for stem in stems:
        times = counted[stem]
        if times:
            having = census.having[stem]
            idf = math.log(1 + (census.papers - having + 0.5) / (having + 0.5))
            score += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * words / census.average))
    return score


def _close(one: list[list[float]], other: list[list[float]]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(math.isclose(ours, theirs) for a, b in pairs for ours, theirs in zip(a, b, strict=True))

"""Match: 1,000 new papers against many distinct topics, the best 50 of each by BM25, beside other ways to do it.

Papers and topics are invented and seeded (benchmarks/invented.py); for topics of plain words related papers are looked
for too, which only ours does. All sides get topics that are parsed already and papers as they are stored, and start
from nothing in every run, each in a process of its own: its CPU time, and its most memory beyond what it had before.
Ours holds all matches until the end, as a run does until it writes them. The papers are the whole archive, whose census
is given to ours and to the loop.

The loop (benchmarks/otherways.py) is given, free of charge, the stem of each word; it turns each paper into counts of
stems once, asks every topic of every paper and scores those it picks. Where that is too long to be run on all topics,
only the asking is multiplied and the counts are added once; the name says so. On the topics it is run on it must find
the papers and scores that we find, or the bench fails. tantivy, where it is installed, answers the same topics from an
index of its own in memory, each one query for its best 50.

A subscriber more who asks what others ask: a database with 1,000 topics, of 1 and then of 11 readers each, is matched.

Options: `--loop-topics N` (300) is how many topics the loop is run on, `--topics N …` the numbers of topics.
"""

import math
import resource
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, cpu_seconds
from benchmarks.invented import DAY, NOW, papers_and_topics, stems_of, words_of
from benchmarks.otherways import all_words, by_tantivy, loop, tantivy
from digests.addresses import address_key
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Act, Consent, SubscriberState
from domain.topics import Census, Selection, Tier, WishedTopic
from storage.archive import Archive
from storage.census import Censuses
from storage.database import Database
from storage.subscribers import Signup, Subscribers
from storage.topics import Topics
from topics.matching import BEST, match
from worker.match import Matcher

_PAPERS = 1000
_TOPICS = (1_000, 10_000, 100_000)
_MOST_MEMORY = 300.0  # MiB
_READ = 1_000  # topics of the database, of one reader each and of eleven


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="match", description=__doc__)
    arguments.add_argument("--loop-topics", type=int, default=300, help="how many topics the loop is run on")
    arguments.add_argument("--topics", type=int, nargs="+", default=_TOPICS)
    given = arguments.parse_args(options)

    _compare(given.loop_topics)
    figures = []
    looped = _apart(_loop, given.loop_topics)
    once = _apart(_loop, 0)
    for count in given.topics:
        ours = _apart(_ours, count)
        name = (
            f"loop that scores (asking {given.loop_topics:,} topics, times {count / given.loop_topics:g}; counts once)"
        )
        looping = once.seconds + (looped.seconds - once.seconds) * count / given.loop_topics
        figures += [
            Figure(f"{count:,} topics, the best {BEST}", ours.seconds, "s CPU", looping, name),
            Figure(f"{count:,} topics, one topic", ours.seconds / count * 1e6, "µs CPU", looping / count * 1e6, name),
            Figure(f"{count:,} topics, most memory", ours.memory, "MiB", _MOST_MEMORY, "the limit at 100,000 topics"),
        ]
        if tantivy() is not None:
            theirs = _apart(_tantivy, count)
            figures.append(
                Figure(f"{count:,} topics, beside tantivy", ours.seconds, "s CPU", theirs.seconds, "tantivy")
            )
    return [*figures, _readers()]


class _Given:
    """What every way is given."""

    def __init__(self, topics: int) -> None:
        self.papers, self.topics = papers_and_topics(_PAPERS, topics)
        asked = {word for topic in self.topics for word in all_words(topic.query.tree)}
        self.stems = stems_of(sorted({word for paper in self.papers for word in words_of(paper)} | asked))
        having = Counter(stem for each in self.papers for stem in {self.stems[word] for word in words_of(each)})
        average = sum(len(words_of(each)) for each in self.papers) / _PAPERS
        self.census = Census(_PAPERS, average, having)

    def census_of(self, _: Collection[str]) -> Census:
        """Return the whole census: who asks looks up the stems it wants."""
        return self.census


Work = Callable[[_Given], object]


def _ours(given: _Given) -> list[Selection]:
    return list(match(given.papers, given.topics, given.census_of))


def _loop(given: _Given) -> list[list[tuple[int, float]]]:
    return loop(given.papers, given.topics, given.stems, given.census, BEST)


def _tantivy(given: _Given) -> int:
    return by_tantivy(given.papers, given.topics, BEST)


def _compare(topics: int) -> None:
    """Raise AssertionError if the loop finds other papers or scores than we do."""
    given = _Given(topics)
    ours = {each.topic_id: each.matches for each in _ours(given)}
    for topic, theirs in zip(given.topics, _loop(given), strict=True):
        exact = [each for each in ours.get(topic.id, ()) if each.tier is Tier.EXACT]
        same = [each.paper_id for each in exact] == [paper_id for paper_id, _ in theirs]
        if not same or not all(math.isclose(each.score, score) for each, (_, score) in zip(exact, theirs, strict=True)):
            raise AssertionError(f"the loop finds other papers for {topic.query.normal_form!r}")


# -- a process for each ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one way took."""

    seconds: float  #: of CPU
    memory: float  #: MiB at most, beyond what it was given


def _apart(work: Work, topics: int) -> _Cost:
    """Return what it costs in a fresh process, where neither memory nor caches of another run are left."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, topics))


def _measured(work: Work, count: int) -> _Cost:
    given = _Given(count)
    before = _peak()
    return _Cost(cpu_seconds(lambda: work(given), 1), _peak() - before)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- readers -----------------------------------------------------------------------------------------------------------


def _readers() -> Figure:
    """A reader more of topics that are there: what matching costs with eleven readers a topic, beside one."""
    one, eleven = _matching(1), _matching(11)
    extra = max(eleven - one, 0.0) / (_READ * 10) * 1e6
    name = "a topic's own matching, one reader each"
    return Figure(f"{_READ:,} topics, a reader more who asks the same", extra, "µs CPU", one / _READ * 1e6, name)


def _matching(readers: int) -> float:
    papers, topics = papers_and_topics(_PAPERS, _READ)
    with TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder) / 'match.db'}") as database:
        subscribers = Subscribers(database)
        for number in range(readers):
            email = f"reader{number}@lab.example"
            wished = [WishedTopic(topic.query.normal_form, topic.query) for topic in topics]
            subscribers.subscribe(_signup(email, wished), NOW)
        archive = Archive(database)
        listed = tuple(
            ListedPaper(
                title=paper.title,
                rank=paper.id,
                ids=Identifiers(arxiv=f"2611.{paper.id:05}"),
                abstract=paper.abstract,
                abstract_kind=AbstractKind.AUTHORS,
            )
            for paper in papers
        )
        archive.add(Listing(source="bench", day=DAY, papers=listed, status=FetchStatus.OK), NOW)
        matcher = Matcher(archive=archive, topics=Topics(database), census=Censuses(database).of, welcome_days=7)
        return cpu_seconds(lambda: matcher.match(NOW), 1)


def _signup(email: str, topics: Sequence[WishedTopic]) -> Signup:
    return Signup(
        email=email,
        address_key=address_key(email),
        public_id=email,
        topics=topics,
        schedule=None,
        state=SubscriberState.CONFIRMED,
        shared=False,
        consent=[Consent(action=Act.VOUCHED, wording="bench", at=NOW)],
    )

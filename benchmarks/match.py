"""Match: 1,000 new papers against many distinct topics, the best 50 of each by BM25, beside a loop over both.

Everything is invented and seeded: words of made-up syllables, used as often as words are (Zipf), in abstracts of about
180 of them; topics of two or three of them with AND, OR and NOT, but never of the commonest, and some of plain words,
of which related papers are looked for too. All sides get topics that are parsed already and papers as they are stored,
and start from nothing in every run, each in a process of its own: its CPU time, and its most memory beyond what it had
before. The archive's census is made up of the papers themselves.

The loop knows stems: it is given, free of charge, the stem of each word, turns each paper into counts of stems once,
asks every topic of every paper and scores those it picks. Where that is too long to be run on all topics, only the
asking is multiplied and the counts are added once; the name says so. tantivy, where it is installed, answers the same
topics from an index of its own in memory, each one query for its best 50.

A subscriber more who asks what others ask: a database with 1,000 topics, of 1 and then of 11 readers each, is matched.

Options: `--loop-topics N` (300) is how many topics the loop is run on, `--topics N …` the numbers of topics.
"""

import importlib
import random
import resource
import sqlite3
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figure, cpu_seconds
from digests.addresses import address_key
from domain.fts5 import TOKENIZE
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing, Paper
from domain.subscriptions import Consent, SubscriberState
from domain.topics import And, Census, Node, Not, Or, Topic, WishedTopic, Word
from storage.archive import Archive
from storage.census import Censuses
from storage.database import Database
from storage.subscribers import Signup, Subscribers
from storage.topics import Topics
from topics.matching import BEST, match
from topics.query import parse
from worker.match import Matcher

_PAPERS = 1000
_TOPICS = (1_000, 10_000, 100_000)
_WORDS = 20_000
_STOP_WORDS = 50  # of the commonest; no topic asks for them, as none asks for "the"
_DAY = date(2026, 11, 20)
_NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
_PATTERNS = ("{} {}", "{} {}", "{} {} {}", "{} OR {}", "{} ({} OR {})", "{} {} -{}", "({} {}) OR {}")
_READ = 1_000  # topics of the database, of one reader each and of eleven

Papers = list[Paper]
Work = Callable[[Papers, list[Topic]], object]


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="match", description=__doc__)
    arguments.add_argument("--loop-topics", type=int, default=300, help="how many topics the loop is run on")
    arguments.add_argument("--topics", type=int, nargs="+", default=_TOPICS)
    given = arguments.parse_args(options)

    figures = []
    looped = _apart(_loop, given.loop_topics)
    once = _apart(_loop, 0)
    for count in given.topics:
        ours = _apart(_ours, count)
        name = (
            f"loop that scores (asking {given.loop_topics:,} topics, times {count / given.loop_topics:g}; counts once)"
        )
        loop = once.seconds + (looped.seconds - once.seconds) * count / given.loop_topics
        figures += [
            Figure(f"{count:,} topics, the best {BEST}", ours.seconds, "s CPU", loop, name),
            Figure(f"{count:,} topics, one topic", ours.seconds / count * 1e6, "µs CPU", loop / count * 1e6, name),
            Figure(f"{count:,} topics, most memory", ours.memory, "MiB", once.memory, "the loop's counts"),
        ]
        if _tantivy() is not None:
            theirs = _apart(_by_tantivy, count)
            figures.append(
                Figure(f"{count:,} topics, beside tantivy", ours.seconds, "s CPU", theirs.seconds, "tantivy")
            )
    return [*figures, _readers()]


# -- a process for each ------------------------------------------------------------------------------------------------


class _Cost:
    """What one way took."""

    def __init__(self, seconds: float, memory: float) -> None:
        self.seconds = seconds  # of CPU
        self.memory = memory  # MiB at most, beyond what the papers and topics took


def _apart(work: Work, topics: int) -> _Cost:
    """Return what it costs in a fresh process, where neither memory nor caches of another run are left."""
    with get_context("spawn").Pool(1) as pool:
        return _Cost(*pool.apply(_measured, (work, topics)))


def _measured(work: Work, count: int) -> tuple[float, float]:
    dice = random.Random(20261120)  # noqa: S311 - figures that can be repeated, no secret
    words = _vocabulary(dice)
    draw = _drawer(dice, words)
    papers = [_paper(number, draw, dice) for number in range(1, _PAPERS + 1)]
    topics = list(_topics(dice, _drawer(dice, words[_STOP_WORDS:]), count))
    before = _peak()
    seconds = cpu_seconds(lambda: work(papers, topics), 1)
    return seconds, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- the ways ----------------------------------------------------------------------------------------------------------


def _ours(papers: Papers, topics: list[Topic]) -> int:
    return sum(len(each.matches) for each in match(papers, topics, _census_of(papers)))


def _census_of(papers: Papers) -> Callable[[Collection[str]], Census]:
    """The papers are the whole archive; what a database would tell is counted here once."""
    stems = _stems(sorted({word for paper in papers for word in f"{paper.title} {paper.abstract}".split()}))
    having = Counter(stem for _, words in _counts(papers, stems) for stem in words)
    average = sum(len(f"{paper.title} {paper.abstract}".split()) for paper in papers) / len(papers)
    return lambda wanted: Census(len(papers), average, {stem: having[stem] for stem in wanted if stem in having})


def _loop(papers: Papers, topics: list[Topic]) -> list[Any]:
    """The naive way: a topic after the other, a paper after the other."""
    words = {word for paper in papers for word in f"{paper.title} {paper.abstract}".split()}
    asked = {leaf for topic in topics for leaf in _words_of(topic.query.tree)}
    stems = _stems(sorted(words | asked))
    known = _counts(papers, stems)
    having = Counter(stem for _, counts in known for stem in counts)
    return [_best(known, topic.query.tree, stems, having) for topic in topics]


def _best(known: Any, tree: Node, stems: dict[str, str], having: Counter[str]) -> Any:
    wanted = {stems[word] for word in _words_of(tree)}
    found = [
        (sum(counts[stem] / (counts[stem] + 1.2) / (1 + having[stem]) for stem in wanted), number)
        for number, counts in known
        if _picks(tree, counts, stems)
    ]
    return sorted(found, reverse=True)[:BEST]


def _counts(papers: Papers, stems: dict[str, str]) -> list[tuple[int, Counter[str]]]:
    return [(each.id, Counter(stems[word] for word in f"{each.title} {each.abstract}".split())) for each in papers]


def _words_of(tree: Node) -> Iterator[str]:
    match tree:
        case Word(text):
            yield text
        case And(parts) | Or(parts):
            for part in parts:
                yield from _words_of(part)
        case _:
            return


def _picks(tree: Node, words: Counter[str], stems: dict[str, str]) -> bool:
    match tree:
        case Word(text):
            return stems.get(text, text) in words
        case And(parts):
            return all(_picks(part, words, stems) for part in parts)
        case Or(parts):
            return any(_picks(part, words, stems) for part in parts)
        case Not(part):
            return not _picks(part, words, stems)
        case _:
            raise AssertionError("no phrases here")


def _tantivy() -> Any:
    with suppress(ImportError):
        return importlib.import_module("tantivy")
    return None


def _by_tantivy(papers: Papers, topics: list[Topic]) -> int:
    tantivy = _tantivy()
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("title", tokenizer_name="en_stem")
    builder.add_text_field("abstract", tokenizer_name="en_stem")
    index = tantivy.Index(builder.build())
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for paper in papers:
        writer.add_document(tantivy.Document(title=[paper.title], abstract=[paper.abstract]))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    found = 0
    for topic in topics:
        query = index.parse_query(_lucene(topic.query.tree), ["title", "abstract"], {"title": 2.0})
        found += len(searcher.search(query, BEST).hits)
    return found


def _lucene(tree: Node) -> str:
    match tree:
        case Word(text):
            return text
        case And(parts):
            return " AND ".join(f"({_lucene(part)})" for part in parts if not isinstance(part, Not)) + "".join(
                f" AND NOT ({_lucene(part.part)})" for part in parts if isinstance(part, Not)
            )
        case Or(parts):
            return " OR ".join(f"({_lucene(part)})" for part in parts)
        case _:
            raise AssertionError("no phrases here")


# -- readers -----------------------------------------------------------------------------------------------------------


def _readers() -> Figure:
    """A reader more of topics that are there: what matching costs with eleven readers a topic, beside one."""
    one, eleven = _matching(1), _matching(11)
    extra = max(eleven - one, 0.0) / (_READ * 10) * 1e6
    name = "a topic's own matching, one reader each"
    return Figure(f"{_READ:,} topics, a reader more who asks the same", extra, "µs CPU", one / _READ * 1e6, name)


def _matching(readers: int) -> float:
    dice = random.Random(20261120)  # noqa: S311 - figures that can be repeated, no secret
    words = _vocabulary(dice)
    draw = _drawer(dice, words)
    papers = [_paper(number, draw, dice) for number in range(1, _PAPERS + 1)]
    topics = list(_topics(dice, _drawer(dice, words[_STOP_WORDS:]), _READ))
    with TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder) / 'match.db'}") as database:
        subscribers = Subscribers(database)
        for number in range(readers):
            email = f"reader{number}@lab.example"
            wished = [WishedTopic(topic.query.normal_form, topic.query) for topic in topics]
            subscribers.subscribe(_signup(email, wished), _NOW)
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
        archive.add(Listing(source="bench", day=_DAY, papers=listed, status=FetchStatus.OK), _NOW)
        matcher = Matcher(archive=archive, topics=Topics(database), census=Censuses(database).of, welcome_days=7)
        return cpu_seconds(lambda: matcher.match(_NOW), 1)


def _signup(email: str, topics: Sequence[WishedTopic]) -> Signup:
    return Signup(
        email=email,
        address_key=address_key(email),
        public_id=email,
        topics=topics,
        schedule=None,
        state=SubscriberState.CONFIRMED,
        shared=False,
        consent=[Consent(action="vouched", wording="bench", at=_NOW)],
    )


# -- what is invented --------------------------------------------------------------------------------------------------


def _vocabulary(dice: random.Random) -> list[str]:
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    endings = ("", "", "n", "r", "s", "ing", "ation", "ic")
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        word = "".join(dice.choices(syllables, k=dice.randint(2, 4))) + dice.choice(endings)
        words[word] = None
    return list(words)


def _drawer(dice: random.Random, words: list[str]) -> Callable[[int], list[str]]:
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(words))))  # Zipf, as Mandelbrot bent it
    return lambda count: dice.choices(words, cum_weights=weights, k=count)


def _paper(number: int, draw: Callable[[int], list[str]], dice: random.Random) -> Paper:
    return Paper(
        id=number,
        key=f"title:{number:032x}",
        ids=Identifiers(),
        title=" ".join(draw(dice.randint(6, 14))),
        abstract=" ".join(draw(dice.randint(120, 240))),
        abstract_kind=AbstractKind.AUTHORS,
        authors=(),
        author_count=0,
        published=_DAY,
        first_seen=datetime(2026, 11, 20, 6, tzinfo=UTC),
        listed=_DAY,
        first_listed=_DAY,
        url="https://papers.example.org/",
    )


def _topics(dice: random.Random, draw: Callable[[int], list[str]], count: int) -> Iterator[Topic]:
    seen: set[str] = set()
    while len(seen) < count:
        query = parse(dice.choice(_PATTERNS).format(*draw(3)))
        if query.normal_form not in seen:
            seen.add(query.normal_form)
            yield Topic(len(seen), query, related=query.is_plain)


def _stems(words: list[str]) -> dict[str, str]:
    """The stem that FTS5 gives to each word."""
    index = sqlite3.connect(":memory:")
    index.execute(f'CREATE VIRTUAL TABLE word USING fts5(text, tokenize="{TOKENIZE}")')
    index.executemany("INSERT INTO word(rowid, text) VALUES (?, ?)", enumerate(words))
    index.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, 'instance')")
    stems = {words[place]: stem for place, stem in index.execute("SELECT doc, term FROM stem")}
    index.close()
    return stems

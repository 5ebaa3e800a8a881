"""Match: 1,000 new papers against many distinct topics, beside the loop over topics and papers.

Everything is invented and seeded: words of made-up syllables, used as often as words are (Zipf), in abstracts of about
180 of them; topics of two or three of them with AND, OR and NOT, but never of the commonest. Both sides get topics that
are parsed already and papers as they are stored, and start from nothing in every run. The loop knows stems too: it is
given, free of charge, the stem of each word and turns each paper into a set of stems once; then it asks every topic of
every paper. Its sets of stems are timed apart: where the loop is too long to be run on all topics, only the asking is
multiplied and the sets are added once. Both sides are the best of as many runs, said in the name where they are not.

Options: `--loop-topics N` (1,000) is how many topics the loop is run on.
"""

import random
import sqlite3
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import accumulate

from benchmarks.figures import Figure, cpu_seconds
from domain.fts5 import TOKENIZE
from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import And, Node, Not, Or, Topic, Word
from topics.matching import Batch
from topics.query import parse

_PAPERS = 1000
_TOPICS = (1_000, 10_000, 100_000)
_WORDS = 20_000
_RUNS = 3
_TOO_MANY = 100_000  # topics: our side is run once on so many
_STOP_WORDS = 50  # of the commonest; no topic asks for them, as none asks for "the"
_DAY = date(2026, 11, 20)
_PATTERNS = ("{} {}", "{} {}", "{} {} {}", "{} OR {}", "{} ({} OR {})", "{} {} -{}", "({} {}) OR {}")


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="match", description=__doc__)
    arguments.add_argument("--loop-topics", type=int, default=1000, help="how many topics the loop is run on")
    loop_topics: int = arguments.parse_args(options).loop_topics

    dice = random.Random(20261120)  # noqa: S311 - figures that can be repeated, no secret
    words = _vocabulary(dice)
    draw = _drawer(dice, words)
    papers = [_paper(number, draw, dice) for number in range(1, _PAPERS + 1)]
    trees = [topic.query.tree for topic in _topics(dice, _drawer(dice, words[_STOP_WORDS:]), max(_TOPICS))]

    stems = _stems(words)
    looped = trees[:loop_topics]
    known = _stem_sets(papers, stems)
    assert _ask_all(known, looped, stems) == _sets(papers, looped), "the loop and the index disagree"
    once = cpu_seconds(lambda: _stem_sets(papers, stems), _RUNS)
    asking = cpu_seconds(lambda: _ask_all(known, looped, stems), _RUNS)
    figures = [Figure(f"{_PAPERS:,} papers, the loop's sets of stems", once, "s")]
    for count in _TOPICS:
        asked = trees[:count]
        runs = 1 if count >= _TOO_MANY else _RUNS
        name = f"loop over topics and papers, best of {_RUNS}"
        if count != loop_topics:
            name += f" (asking {loop_topics:,} topics, times {count / loop_topics:g}, and its sets once)"
        reference = once + asking * count / loop_topics
        sets = cpu_seconds(lambda asked=asked: _sets(papers, asked), runs)
        ranked = cpu_seconds(lambda asked=asked: _ranked(papers, asked), runs)
        best = f"best of {runs}" if runs > 1 else "1 run"
        figures += [
            Figure(f"{count:,} topics, sets, {best}", sets, "s", reference, name),
            Figure(f"{count:,} topics, sets and scores, {best}", ranked, "s", reference, name),
            Figure(
                f"{count:,} topics, sets, one topic, {best}", sets / count * 1e6, "µs", reference / count * 1e6, name
            ),
        ]
    return figures


def _sets(papers: list[Paper], trees: list[Node]) -> list[list[int]]:
    with Batch(papers) as batch:
        return [batch.select(tree) for tree in trees]


def _ranked(papers: list[Paper], trees: list[Node]) -> int:
    with Batch(papers) as batch:
        return sum(len(batch.rank(tree)) for tree in trees)


def _stem_sets(papers: list[Paper], stems: dict[str, str]) -> list[tuple[int, set[str]]]:
    return [(paper.id, {stems[word] for word in f"{paper.title} {paper.abstract}".split()}) for paper in papers]


def _ask_all(known: list[tuple[int, set[str]]], trees: list[Node], stems: dict[str, str]) -> list[list[int]]:
    return [[number for number, words in known if _picks(tree, words, stems)] for tree in trees]


def _picks(tree: Node, words: set[str], stems: dict[str, str]) -> bool:
    match tree:
        case Word(text):
            return stems[text] in words
        case And(parts):
            return all(_picks(part, words, stems) for part in parts)
        case Or(parts):
            return any(_picks(part, words, stems) for part in parts)
        case Not(part):
            return not _picks(part, words, stems)
        case _:
            raise AssertionError("no phrases here")


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
            yield Topic(len(seen), query)


def _stems(words: list[str]) -> dict[str, str]:
    """The stem that FTS5 gives to each word."""
    index = sqlite3.connect(":memory:")
    index.execute(f'CREATE VIRTUAL TABLE word USING fts5(text, tokenize="{TOKENIZE}")')
    index.executemany("INSERT INTO word(rowid, text) VALUES (?, ?)", enumerate(words))
    index.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, 'instance')")
    stems = {words[place]: stem for place, stem in index.execute("SELECT doc, term FROM stem")}
    index.close()
    return stems

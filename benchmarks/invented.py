"""Papers and topics that are made up and seeded, and the stems of their words.

Words are made-up syllables, used as often as words are (Zipf), in abstracts of about 180 of them. Topics ask for two or
three of them with AND, OR and NOT, but never for the commonest, as none asks for "the"; none is a word of English that
is passed over or not scored.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import accumulate

from domain.fts5 import TOKENIZE
from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import Topic
from topics.query import parse
from topics.ranking import FUNCTION_WORDS

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
_WORDS = 20_000
_STOP_WORDS = 50  # of the commonest
_PATTERNS = ("{} {}", "{} {}", "{} {} {}", "{} OR {}", "{} ({} OR {})", "{} {} -{}", "({} {}) OR {}")


def papers_and_topics(papers: int, topics: int) -> tuple[list[Paper], list[Topic]]:
    """Return the same papers and topics at every call."""
    dice = random.Random(20261120)  # noqa: S311 - figures that can be repeated, no secret
    words = _vocabulary(dice)
    draw = _drawer(dice, words)
    made = [_paper(number, draw, dice) for number in range(1, papers + 1)]
    return made, list(_topics(dice, _drawer(dice, words[_STOP_WORDS:]), topics))


def words_of(paper: Paper) -> list[str]:
    """Return the words of title and abstract."""
    return f"{paper.title} {paper.abstract}".split()


def _vocabulary(dice: random.Random) -> list[str]:
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    endings = ("", "", "n", "r", "s", "ing", "ation", "ic")
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        word = "".join(dice.choices(syllables, k=dice.randint(2, 4))) + dice.choice(endings)
        if word not in FUNCTION_WORDS:
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
        published=DAY,
        first_seen=NOW,
        listed=DAY,
        first_listed=DAY,
        url="https://papers.example.org/",
    )


def _topics(dice: random.Random, draw: Callable[[int], list[str]], count: int) -> Iterator[Topic]:
    seen: set[str] = set()
    while len(seen) < count:
        query = parse(dice.choice(_PATTERNS).format(*draw(3)))
        if query.normal_form not in seen:
            seen.add(query.normal_form)
            yield Topic(len(seen), query, related=query.is_plain)


def stems_of(words: list[str]) -> Mapping[str, str]:
    """The stem that FTS5 gives to each word."""
    index = sqlite3.connect(":memory:")
    index.execute(f'CREATE VIRTUAL TABLE word USING fts5(text, tokenize="{TOKENIZE}")')
    index.executemany("INSERT INTO word(rowid, text) VALUES (?, ?)", enumerate(words))
    index.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, 'instance')")
    stems = {words[place]: stem for place, stem in index.execute("SELECT doc, term FROM stem")}
    index.close()
    return stems

"""Papers by the hundred thousand: real records recombined where they are at hand, invented ones elsewhere.

A recombined paper has half the title of one record and half of another's, the sentences of both abstracts in turn, the
authors of the second and the categories and votes of the first. So a word is as frequent as in the real records and
stands beside the words that it stands beside there; only new words do not come as they would.
"""

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from storage.archive import Archive

RECORDS = Path(__file__).resolve().parents[1].parent / "shared" / "corpus" / "papers-20k.jsonl.gz"
_A_DAY = 500  # papers of a listing
_FIRST_DAY = date(2020, 1, 6)
_NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_SOURCES = ("arxiv:cs.CL", "arxiv:cs.CV", "arxiv:math.AG", "huggingface-daily")


@cache
def records(file: Path = RECORDS) -> Sequence[dict[str, Any]]:
    """Return the real records of a file, or as many of made-up words that follow Zipf's law where it is not there."""
    if file.is_file():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    chance = random.Random(2026)  # noqa: S311 the same papers at every run
    syllables = ["ba", "do", "ki", "lu", "me", "no", "ra", "si", "ta", "ve"]
    words = ["".join(chance.choices(syllables, k=4)) for _ in range(20_000)]
    weights = list(accumulate(1 / place for place in range(10, len(words) + 10)))

    def drawn(count: int) -> str:
        return " ".join(chance.choices(words, cum_weights=weights, k=count))

    return [
        {
            "title": drawn(10),
            "abstract": ". ".join(drawn(22) for _ in range(8)) + ".",
            "authors": [" ".join(chance.choices(words, k=2)).title() for _ in range(4)],
            "categories": [chance.choice(("cs.CL", "cs.CV", "math.AG", "stat.ML"))],
            "upvotes": chance.randrange(200) if place % 5 == 0 else None,
        }
        for place in range(20_000)
    ]


def fill(archive: Archive, real: Sequence[dict[str, Any]], papers: int) -> None:
    """Store that many papers, 500 a day, the real records first."""
    for place, start in enumerate(range(0, papers, _A_DAY)):
        block = tuple(paper(real, number) for number in range(start, min(papers, start + _A_DAY)))
        day = _FIRST_DAY + timedelta(days=place)
        listing = Listing(source=_SOURCES[place % len(_SOURCES)], day=day, papers=block, status=FetchStatus.OK)
        archive.add(listing, _NOW + timedelta(minutes=place))


def paper(real: Sequence[dict[str, Any]], number: int) -> ListedPaper:
    """Return the paper of a number: a real record, or one made of two of them."""
    one = real[number % len(real)]
    title, abstract, authors = one["title"], one["abstract"], one["authors"]
    if number >= len(real):
        other = real[random.Random(number).randrange(len(real))]  # noqa: S311 the same papers at every run
        authors = other["authors"]
        first, second = title.split(), other["title"].split()
        title = " ".join(first[: len(first) // 2] + second[len(second) // 2 :])
        said = (_SENTENCE.split(abstract), _SENTENCE.split(other["abstract"]))
        abstract = " ".join(_in_turn(*(each[place % 2 :: 2] for place, each in enumerate(said))))
    published = _FIRST_DAY + timedelta(days=number * 7919 % 2_000)
    return ListedPaper(
        title=title,
        rank=number % _A_DAY + 1,
        ids=Identifiers(doi=f"10.5555/bench.{number}"),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS,
        authors=tuple(authors),
        author_count=len(authors),
        published=published,
        categories=tuple(one.get("categories") or ()),
        upvotes=one.get("upvotes"),
    )


def _in_turn(one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    for place in range(max(len(one), len(other))):
        yield from one[place : place + 1]
        yield from other[place : place + 1]

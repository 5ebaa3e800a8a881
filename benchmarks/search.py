"""search: p50 and p95 of `Search.search`, beside the bare full-text index of the same database in the same run.

Ours is a page of 20 papers, whole, with the count of all that match. Bare FTS5 is the row numbers alone, `MATCH … ORDER
BY rank LIMIT 20`, over the standard library's sqlite3; bare tsvector is that by ts_rank, over psycopg. All are asked
the same 200 queries in turn, each the best of three: words that few papers have and words that most have, pairs of
words, phrases, and AND, OR and NOT. Beside SQLite it is CPU time, which the neighbours on a machine disturb less; a
server's CPU is not ours to count, so beside PostgreSQL it is time on the wall.

`search [PAPERS]` takes their number, 20,000 by default: real records recombined (benchmarks/corpus.py) where
`--records` finds them. `--database FILE` keeps the archive for another run; `--postgresql URL` measures an empty
database there too, or one filled by an earlier run.
"""

import random
import re
import sqlite3
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from benchmarks.corpus import RECORDS, fill, records
from benchmarks.figures import Figure
from domain.fts5 import match_expression
from domain.topics import Query
from storage.archive import Archive
from storage.database import Database
from storage.filters import Filters
from storage.paging import Order
from storage.search import Search
from storage.words.tsquery import stems_of, tsquery
from topics.normal import STOP_WORDS
from topics.query import parse

_EACH = 25  # queries of a kind; there are eight kinds
_PAGE = 20
_ROUNDS = 3
_WORD = re.compile(r"[a-z]{3,}")
_RANK = "SELECT rowid FROM paper_fts WHERE paper_fts MATCH ? ORDER BY rank LIMIT 20"
_BM25 = "SELECT rowid FROM paper_fts WHERE paper_fts MATCH ? ORDER BY bm25(paper_fts) LIMIT 20"
_TS_RANK = "SELECT paper_id FROM paper_words WHERE words @@ '{0}' ORDER BY ts_rank(words, '{0}') DESC LIMIT 20"
Ask = Callable[[Query], object]


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="search", description=__doc__)
    arguments.add_argument("papers", type=int, nargs="?", default=20_000)
    arguments.add_argument("--records", type=Path, default=RECORDS, help="real records, as JSON Lines in gzip")
    arguments.add_argument("--database", type=Path, help="an SQLite file to keep")
    arguments.add_argument("--postgresql", metavar="URL")
    given = arguments.parse_args(options)
    real = records(given.records)
    queries = _queries(real)
    with TemporaryDirectory() as folder:
        file = given.database or Path(folder) / "archive.db"
        figures = _beside_fts5(file, real, given.papers, queries)
    if given.postgresql:
        figures += _beside_tsvector(given.postgresql, real, given.papers, queries)
    return figures


def _beside_fts5(file: Path, real: Sequence[Any], papers: int, queries: Sequence[Query]) -> list[Figure]:
    with Database(f"sqlite:///{file.absolute()}") as database, closing(sqlite3.connect(file)) as raw:
        size = _filled(database, real, papers)

        def bare(statement: str, query: Query) -> object:
            return raw.execute(statement, (match_expression(query.tree),)).fetchall()

        ways = {"bare": partial(bare, _RANK), "as bare, but by bm25()": partial(bare, _BM25), **_ours(database)}
        asked = _asked(queries, ways, time.process_time)
    return _figures(f"SQLite, {size:,} papers", asked, "ms CPU", "bare FTS5, the first 20 by rank")


def _beside_tsvector(url: str, real: Sequence[Any], papers: int, queries: Sequence[Query]) -> list[Figure]:
    with Database(url) as database, psycopg.connect(url, autocommit=True) as raw:
        size = _filled(database, real, papers)
        raw.execute("VACUUM ANALYZE")

        def bare(query: Query) -> object:
            words = tsquery(query.tree, stems_of(query.tree)).replace("'", "''")
            return raw.execute(_TS_RANK.format(words), prepare=False).fetchall()

        asked = _asked(queries, {"bare": bare, **_ours(database)}, time.perf_counter)
    return _figures(f"PostgreSQL, {size:,} papers", asked, "ms", "bare tsvector, the first 20 by ts_rank")


def _filled(database: Database, real: Sequence[Any], papers: int) -> int:
    archive = Archive(database)
    if archive.newest_day() is None:
        fill(archive, real, papers)
    return int(archive.stats()["papers"])


def _ours(database: Database) -> Mapping[str, Ask]:
    search = Search(database)
    ends = {}

    def first(query: Query) -> object:
        found = search.search(query, _PAGE)
        ends[query.normal_form] = found.next
        return found

    def second(query: Query) -> object:
        return search.search(query, _PAGE, after=ends[query.normal_form])

    return {
        "20 papers and how many there are": first,
        "the second page": second,
        "newest first": partial(search.search, limit=_PAGE, order=Order.FIRST_SEEN),
        "of one category": partial(search.search, limit=_PAGE, filters=Filters(category="cs.CV")),
    }


def _asked(queries: Sequence[Query], ways: Mapping[str, Ask], clock: Callable[[], float]) -> dict[str, list[float]]:
    """Return the milliseconds of each way, a query after the other and all ways of a query in turn."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for query in queries:
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(_ROUNDS):
            for name, ask in ways.items():
                start = clock()
                ask(query)
                best[name] = min(best[name], (clock() - start) * 1e3)
        for name, each in best.items():
            took[name].append(each)
    return took


def _figures(where: str, took: Mapping[str, list[float]], unit: str, reference: str) -> list[Figure]:
    figures = []
    for share in (50, 95):
        bare = _share(took["bare"], share)
        figures += [
            Figure(f"{where}: {name}, p{share}", _share(each, share), unit, bare, reference)
            for name, each in took.items()
            if name != "bare"
        ]
    return figures


def _share(values: Sequence[float], share: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def _queries(real: Sequence[Any]) -> list[Query]:
    """Return 200 queries, the same at every run."""
    chance = random.Random(4)  # noqa: S311 figures that can be repeated, no secret
    titles = [_WORD.findall(each["title"].lower()) for each in real]
    counted = Counter(word for words in titles for word in set(words) - STOP_WORDS)
    frequent = [word for word, _ in counted.most_common()]
    common, usual = frequent[:60], frequent[60:1500]
    rare = [word for word, count in counted.items() if count == 1]
    phrases = [f'"{one} {other}"' for words in titles for one, other in pairwise(words)]
    drawn: dict[str, Iterator[str]] = {
        name: iter(chance.choices(those, k=8 * _EACH))
        for name, those in {"common": common, "usual": usual, "rare": rare, "phrase": phrases}.items()
    }
    forms = (
        "{common}",
        "{usual}",
        "{rare}",
        "{common} {usual}",
        "{usual} {rare}",
        "{phrase}",
        "{usual} OR {usual2}",
        "{common} ({usual} OR {usual2}) -{common2}",
    )
    return [parse(form.format_map(_Drawing(drawn))) for form in forms for _ in range(_EACH)]


class _Drawing(dict[str, str]):
    """The next word of a kind each time one is asked for."""

    def __init__(self, drawn: Mapping[str, Iterator[str]]) -> None:
        super().__init__()
        self._drawn = drawn

    def __missing__(self, name: str) -> str:
        return next(self._drawn[name.rstrip("2")])

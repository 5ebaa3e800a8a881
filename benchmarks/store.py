"""store: what a paper costs as the archive grows, beside raw sqlite3 with a unique key and an FTS5 index.

Both store the same invented papers in listings of 500, each listing one transaction, on a file with the same
durability, start-up and the making of the papers excluded; then both meet the first of them again. What is to stay
flat: the CPU of the last tenth, bytes, the memory of this process, and how many papers each one is compared with.

`store [PAPERS …]` takes the sizes, 10,000 by default; `--postgresql URL` fills an empty database too, beside COPY.
"""

import json
import random
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import psycopg

from benchmarks.figures import Figure
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from storage import merging
from storage.archive import Archive
from storage.database import Database

_LISTING = 500
_WORDS = 180  # of an abstract
_AGAIN = 10_000  # papers that are met again
_NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
_RAW = "raw sqlite3, unique key and FTS5"

Store = Callable[[Sequence[ListedPaper]], object]


def run(options: list[str]) -> list[Figure]:
    """Return the figures of each size."""
    words = list(options)
    url = words.pop(words.index("--postgresql") + 1) if "--postgresql" in words else ""
    sizes = [int(each) for each in words if not each.startswith("--")] or [10_000]
    figures = [figure for size in sizes for figure in _on_a_file(size)]
    return [*figures, _on_a_server(url, sizes[0])] if url else figures


def _on_a_file(papers: int) -> list[Figure]:
    with TemporaryDirectory() as name:
        raw_file, file = Path(name) / "raw.db", Path(name) / "archive.db"
        with closing(_raw(raw_file)) as connection:
            raw = _costs(lambda block: _put_raw(connection, block), papers)
            raw_again = _costs(lambda block: _put_raw(connection, block), min(papers, _AGAIN))
        with Database(f"sqlite:///{file}") as database:
            archive = Archive(database)
            with _Comparisons() as compared:
                ours = _costs(lambda block: archive.add(_listing(block), _NOW), papers)
            again = _costs(lambda block: archive.add(_listing(block), _NOW), min(papers, _AGAIN))
        sizes = [each.stat().st_size / papers for each in (file, raw_file)]
    of = f"of {papers:,}"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(f"store a paper never seen, {of}", _mean(ours), "µs CPU", _mean(raw), _RAW),
        Figure(f"the last tenth, {of}", _mean(_end(ours)), "µs CPU", _mean(_end(raw)), _RAW),
        Figure(f"meet a paper again, {of}", _mean(again), "µs CPU", _mean(raw_again), "raw, ON CONFLICT DO NOTHING"),
        Figure(f"a paper on disk, {of}", sizes[0], "bytes", sizes[1], _RAW),
        Figure(f"papers that one is compared with, {of}", compared.count / papers, "papers"),
        Figure(f"most memory of this process, {of}", memory, "MiB"),
    ]


def _on_a_server(url: str, papers: int) -> Figure:
    """Seconds on the wall: the server's CPU is not ours to see."""
    with Database(url) as database:
        archive = Archive(database)
        ours = _costs(lambda block: archive.add(_listing(block), _NOW), papers, time.perf_counter)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE raw (id serial PRIMARY KEY, key text UNIQUE, title text, abstract text, "
            "words tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || abstract)) STORED)"
        )
        connection.execute("CREATE INDEX ON raw USING gin (words)")

        def copy(block: Sequence[ListedPaper]) -> None:
            with connection.cursor().copy("COPY raw (key, title, abstract) FROM STDIN") as rows:
                for paper in block:
                    rows.write_row((paper.ids.strongest, paper.title, paper.abstract))

        copied = _costs(copy, papers, time.perf_counter)
    what = f"store a paper on PostgreSQL, of {papers:,}"
    return Figure(what, _mean(ours), "µs wall", _mean(copied), "COPY, unique key and GIN")


def _costs(store: Store, papers: int, clock: Callable[[], float] = time.process_time) -> list[tuple[int, float]]:
    """Return (papers, µs) of each listing, the making of its papers left out."""
    costs = []
    for start in range(0, papers, _LISTING):
        block = [_paper(number) for number in range(start, min(papers, start + _LISTING))]
        begin = clock()
        store(block)
        costs.append((len(block), (clock() - begin) * 1e6))
    return costs


def _mean(costs: Sequence[tuple[int, float]]) -> float:
    return sum(cost for _, cost in costs) / sum(papers for papers, _ in costs)


def _end(costs: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
    return costs[-max(1, len(costs) // 10) :]


class _Comparisons:
    """Counts how many papers are compared by their words."""

    def __enter__(self) -> Self:
        self.count = 0
        self._verdict = merging.verdict

        def counted(*prints: merging.Fingerprint) -> merging.Verdict:
            self.count += 1
            return self._verdict(*prints)

        merging.verdict = counted
        return self

    def __exit__(self, *_: object) -> None:
        merging.verdict = self._verdict


def _raw(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE paper (id INTEGER PRIMARY KEY, key TEXT UNIQUE, title TEXT, abstract TEXT, authors TEXT);"
        "CREATE VIRTUAL TABLE paper_fts USING fts5(title, abstract, authors, content='', "
        "tokenize=\"porter unicode61 remove_diacritics 2 tokenchars '+#'\");"
    )
    return connection


def _put_raw(connection: sqlite3.Connection, block: Sequence[ListedPaper]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for paper in block:
        authors = json.dumps(paper.authors)
        new = connection.execute(
            "INSERT INTO paper (key, title, abstract, authors) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
            (paper.ids.strongest, paper.title, paper.abstract, authors),
        ).fetchone()
        if new:
            connection.execute(
                "INSERT INTO paper_fts (rowid, title, abstract, authors) VALUES (?, ?, ?, ?)",
                (new[0], paper.title, paper.abstract, authors),
            )
    connection.execute("COMMIT")


def _listing(papers: Sequence[ListedPaper]) -> Listing:
    return Listing(source="bench", day=date(2026, 11, 20), papers=tuple(papers), status=FetchStatus.OK)


def _vocabulary() -> tuple[list[str], list[float]]:
    """Return invented words, and how far into all text each reaches, by Zipf's law."""
    chance = random.Random(2026)  # noqa: S311 the same papers at every run
    syllables = ["ba", "do", "ki", "lu", "me", "no", "ra", "si", "ta", "ve"]
    words = ["".join(chance.choices(syllables, k=3)) for _ in range(20_000)]
    return words, list(accumulate(1 / place for place in range(1, len(words) + 1)))


_VOCABULARY, _REACH = _vocabulary()


def _paper(number: int) -> ListedPaper:
    chance = random.Random(number)  # noqa: S311 the same papers at every run

    def drawn(count: int) -> Iterator[str]:
        yield from chance.choices(_VOCABULARY, cum_weights=_REACH, k=count)

    return ListedPaper(
        title=" ".join(drawn(10)) + f" {number}",
        rank=number % _LISTING + 1,
        ids=Identifiers(arxiv=f"{2001 + number // 90_000:04}.{number % 90_000 + 10_000:05}"),
        abstract=" ".join(drawn(_WORDS)),
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Mira Okafor", "Jun Sato", "Lena Brandt"),
        author_count=3,
        upvotes=number % 50,
    )

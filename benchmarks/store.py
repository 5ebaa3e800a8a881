"""store: CPU a paper of `Archive.add`, beside raw sqlite3 with a unique key and an FTS5 index, start-up excluded.

Both store the same invented papers in listings of 500, each listing one transaction, on a file with the same
durability, and then meet the same papers again. `store [PAPERS]` takes their number, 10,000 by default.
"""

import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from storage.archive import Archive
from storage.database import Database

_LISTING = 500
_WORDS = 180  # of an abstract
_ROUNDS = 3
_NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def run(options: list[str]) -> list[Figure]:
    """Return CPU microseconds a paper: stored new, and met again."""
    papers = _papers(int(options[0]) if options else 10_000)
    ours = _best(lambda folder: _ours(folder, papers))
    raw = _best(lambda folder: _raw(folder, papers))
    return [
        Figure("store a paper never seen", ours[0], "µs CPU", raw[0], "raw sqlite3, unique key and FTS5"),
        Figure("meet a paper again", ours[1], "µs CPU", raw[1], "raw sqlite3, ON CONFLICT DO NOTHING"),
    ]


def _best(measure: Callable[[Path], tuple[float, float]]) -> tuple[float, float]:
    rounds = []
    for _ in range(_ROUNDS):
        with TemporaryDirectory() as folder:
            rounds.append(measure(Path(folder)))
    return min(first for first, _ in rounds), min(again for _, again in rounds)


def _timed(work: Callable[[], None], papers: int) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) / papers * 1e6


def _ours(folder: Path, papers: Sequence[ListedPaper]) -> tuple[float, float]:
    with Database(f"sqlite:///{folder}/archive.db") as database:
        archive = Archive(database)
        listings = [
            Listing(source="bench", day=date(2026, 11, 20), papers=tuple(block), status=FetchStatus.OK)
            for block in _blocks(papers)
        ]

        def store() -> None:
            for listing in listings:
                archive.add(listing, _NOW)

        return _timed(store, len(papers)), _timed(store, len(papers))


def _raw(folder: Path, papers: Sequence[ListedPaper]) -> tuple[float, float]:
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE paper (id INTEGER PRIMARY KEY, key TEXT UNIQUE, title TEXT, abstract TEXT, authors TEXT);"
        "CREATE VIRTUAL TABLE paper_fts USING fts5(title, abstract, authors, content='', "
        "tokenize=\"porter unicode61 remove_diacritics 2 tokenchars '+#'\");"
    )

    def store() -> None:
        for block in _blocks(papers):
            connection.execute("BEGIN IMMEDIATE")
            for paper in block:
                authors = json.dumps(paper.authors)
                new = connection.execute(
                    "INSERT INTO paper (key, title, abstract, authors) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING RETURNING id",
                    (paper.ids.strongest, paper.title, paper.abstract, authors),
                ).fetchone()
                if new:
                    connection.execute(
                        "INSERT INTO paper_fts (rowid, title, abstract, authors) VALUES (?, ?, ?, ?)",
                        (new[0], paper.title, paper.abstract, authors),
                    )
            connection.execute("COMMIT")

    figures = _timed(store, len(papers)), _timed(store, len(papers))
    connection.close()
    return figures


def _blocks(papers: Sequence[ListedPaper]) -> Iterator[Sequence[ListedPaper]]:
    for start in range(0, len(papers), _LISTING):
        yield papers[start : start + _LISTING]


def _papers(number: int) -> list[ListedPaper]:
    """Return invented papers whose words follow Zipf's law."""
    chance = random.Random(2026)  # noqa: S311 the same papers at every run
    syllables = ["ba", "do", "ki", "lu", "me", "no", "ra", "si", "ta", "ve"]
    words = ["".join(chance.choices(syllables, k=3)) for _ in range(20_000)]
    weights = [1 / place for place in range(1, len(words) + 1)]
    return [
        ListedPaper(
            title=" ".join(chance.choices(words, weights, k=10)) + f" {place}",
            rank=place,
            ids=Identifiers(arxiv=f"{2001 + place // 90_000:04}.{place % 90_000 + 10_000:05}"),
            abstract=" ".join(chance.choices(words, weights, k=_WORDS)),
            abstract_kind=AbstractKind.AUTHORS,
            authors=("Mira Okafor", "Jun Sato", "Lena Brandt"),
            author_count=3,
            upvotes=place % 50,
        )
        for place in range(number)
    ]

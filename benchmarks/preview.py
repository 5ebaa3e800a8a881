"""preview: p50 and p95 CPU time of `Previewer.preview`, beside the bare full-text query of the same run.

Ours looks back over 14 listing days of 500 papers each and gives every number, words to consider, and the best 20 whole
with their reasons, or all of them. Bare FTS5 is, for the same words, phrases and exclusions of the same days, the row
numbers alone, ordered by bm25, over the standard library's sqlite3; facts and beginnings of words, which it cannot be
asked for, are left out of it. All are asked the same 50 queries in turn, each the best of three, or the one where it
takes half a second; ours is asked once before, so that it has read what everyone writes. The last figures are those of
the title word that stands in most abstracts.

`preview [--papers N]` takes their number, 20,000 by default: real records recombined (benchmarks/corpus.py) where
`--records` finds them. `--database FILE` keeps the archive for another run.
"""

import random
import re
import sqlite3
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.corpus import RECORDS, fill, records
from benchmarks.figures import Figure
from domain.fts5 import is_of_stems, match_expression
from domain.topics import And, Node, Not, Query
from storage.archive import Archive
from storage.census import Censuses
from storage.database import Database
from storage.search import Search
from topics.normal import STOP_WORDS
from topics.query import parse
from worker.preview import Previewer

_DAYS = 14
_LIMIT = 20
_EACH = 5  # queries of a form
_ROUNDS = 3
_LONG = 500  # ms: not asked again
_WORD = re.compile(r"[a-z]{3,}")
_FORMS = (
    "{common}",
    "{usual}",
    "{rare}",
    "{common} {usual}",
    "{usual} {usual2} {common}",
    "{phrase}",
    "{common} -{common2} -{usual}",
    "{usual} OR ({common} -{usual2})",
    "title:{usual} cat:cs.CV",
    "{common} source:huggingface",
)
_BARE = (
    "SELECT rowid FROM paper_fts WHERE paper_fts MATCH ? AND +rowid IN (SELECT id FROM paper WHERE listed >= "
    "(SELECT date(max(listed), ?) FROM paper)) ORDER BY bm25(paper_fts)"
)
Ask = Callable[[Query], object]


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="preview", description=__doc__)
    arguments.add_argument("--papers", type=int, default=20_000)
    arguments.add_argument("--records", type=Path, default=RECORDS, help="real records, as JSON Lines in gzip")
    arguments.add_argument("--database", type=Path, help="an SQLite file to keep")
    given = arguments.parse_args(options)
    real = records(given.records)
    with TemporaryDirectory() as folder:
        file = given.database or Path(folder) / "archive.db"
        with Database(f"sqlite:///{file.absolute()}") as database, closing(sqlite3.connect(file)) as raw:
            archive = Archive(database)
            if archive.newest_day() is None:
                fill(archive, real, given.papers)
            where = f"{archive.stats()['papers']:,} papers"
            return _measured(where, _ways(database, archive, raw), _queries(real), _broad(real))


def _measured(where: str, ways: Mapping[str, Ask], queries: Sequence[Query], broad: Query) -> list[Figure]:
    asked = _asked(queries, ways)
    figures = [
        Figure(f"{where}: {name}, p{share}", _share(each, share), "ms CPU", _share(asked["bare"], share), "bare FTS5")
        for share in (50, 95)
        for name, each in asked.items()
        if name != "bare"
    ]
    slowest = _asked([broad], ways)
    return [
        *figures,
        *(
            Figure(f"{where}: {name}, “{broad.normal_form}”", each[0], "ms CPU", slowest["bare"][0], "bare FTS5")
            for name, each in slowest.items()
            if name != "bare"
        ),
    ]


def _ways(database: Database, archive: Archive, raw: sqlite3.Connection) -> Mapping[str, Ask]:
    previewer = Previewer(archive=archive, search=Search(database), census=Censuses(database).of, labels={})

    def bare(query: Query) -> object:
        expression = f"{{title abstract}} : ({match_expression(_worded(query.tree))})"
        return raw.execute(_BARE, (expression, f"-{_DAYS - 1} days")).fetchall()

    previewer.preview(parse("anything"), _DAYS)
    return {
        "bare": bare,
        f"the best {_LIMIT}": lambda query: previewer.preview(query, _DAYS, _LIMIT),
        "all": lambda query: previewer.preview(query, _DAYS),
    }


def _worded(tree: Node) -> Node:
    """Return what of a tree FTS5 can be asked for."""
    if is_of_stems(tree) or not isinstance(tree, And):
        return tree
    words = tuple(part for part in tree.parts if is_of_stems(part))
    return words[0] if len(words) == 1 and not isinstance(words[0], Not) else And(words)


def _asked(queries: Sequence[Query], ways: Mapping[str, Ask]) -> dict[str, list[float]]:
    """Return the milliseconds of each way, a query after the other and all ways of a query in turn."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for query in queries:
        for name, ask in ways.items():
            best = _one(ask, query)
            again = _ROUNDS - 1 if best < _LONG else 0
            took[name].append(min([best, *(_one(ask, query) for _ in range(again))]))
    return took


def _one(ask: Ask, query: Query) -> float:
    start = time.process_time()
    ask(query)
    return (time.process_time() - start) * 1e3


def _share(values: Sequence[float], share: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def _frequent(real: Sequence[Any]) -> list[str]:
    """Return the words of titles, the most frequent first."""
    counted = Counter(word for each in real for word in set(_WORD.findall(each["title"].lower())) - STOP_WORDS)
    return [word for word, _ in counted.most_common()]


def _broad(real: Sequence[Any]) -> Query:
    """Return the word of titles that stands in most abstracts."""
    said = Counter(word for each in real for word in set(_WORD.findall(each["abstract"].lower())))
    return parse(max(_frequent(real)[:500], key=lambda word: said[word]))


def _queries(real: Sequence[Any]) -> list[Query]:
    """Return the same queries at every run."""
    chance = random.Random(5)  # noqa: S311 figures that can be repeated, no secret
    frequent = _frequent(real)
    titles = [_WORD.findall(each["title"].lower()) for each in real]
    phrases = [f'"{one} {other}"' for words in titles for one, other in pairwise(words)]
    kinds = {"common": frequent[:60], "usual": frequent[60:1500], "rare": frequent[5000:], "phrase": phrases}
    kinds |= {f"{kind}2": kinds[kind] for kind in ("common", "usual")}
    return [
        parse(form.format_map({kind: chance.choice(words) for kind, words in kinds.items()}))
        for form in _FORMS
        for _ in range(_EACH)
    ]

"""What the product's ranker is measured beside: FTS5's own bm25, and counts of substrings.

The index of the whole collection that FTS5 needs also tells the census, as an archive does.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection as Set
from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest

from benchmarks.labelled import Collection
from domain.fts5 import TOKENIZE, searchable, tokens
from domain.papers import Paper
from domain.topics import Census, Query

CUT = 1000  # documents of a list that are measured

#: (minus the count, paper id) of papers, most first.
Counted = list[tuple[float, int]]


class Whole:
    """An index of the whole collection: for the census, and for FTS5's own bm25."""

    def __init__(self, collection: Collection) -> None:
        self._words = 0
        self._papers = len(collection.documents)
        self._index = sqlite3.connect(":memory:", isolation_level=None)
        self._index.execute(
            f"CREATE VIRTUAL TABLE paper USING fts5(title, abstract, content='', tokenize=\"{TOKENIZE}\")"
        )
        self._index.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(paper, 'row')")
        self._index.execute("BEGIN")
        self._index.executemany("INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)", self._rows(collection))
        self._index.execute("COMMIT")

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def census(self, stems: Set[str]) -> Census:
        """Return what the archive of these papers would say of these stems."""
        having = {
            stem: papers
            for stem in stems
            for (papers,) in self._index.execute("SELECT doc FROM stem WHERE term = ?", (stem,))
        }
        return Census(self._papers, self._words / self._papers, having)

    def bm25(self, query: Query) -> list[int]:
        """Return the numbers of the papers with any of the query's words, in FTS5's order."""
        any_of = " OR ".join(f'"{term}"' for term in query.terms)
        ask = "SELECT rowid FROM paper WHERE paper MATCH ? ORDER BY bm25(paper), rowid LIMIT ?"
        return [number for (number,) in self._index.execute(ask, (any_of, CUT))]

    def _rows(self, collection: Collection) -> Iterator[tuple[int, str, str]]:
        for number, (_, title, text) in enumerate(collection.read()):
            self._words += len(tokens(title)) + len(tokens(text))
            yield number, searchable(title), searchable(text)


def counts(papers: Sequence[Paper], asked: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Counted]]:
    """Yield for each query's words the papers that hold any of them somewhere.

    No word has a space in it, so it is looked for once in each distinct piece between spaces and not in each text.
    """
    titles: dict[str, dict[int, int]] = {}
    texts: dict[str, dict[int, int]] = {}
    for paper in papers:
        for pieces, text in ((titles, paper.title), (texts, paper.abstract)):
            for piece, times in Counter(text.lower().split()).items():
                pieces.setdefault(piece, {})[paper.id] = times
    joined = [(" ".join(pieces), pieces) for pieces in (titles, texts)]
    known: dict[str, dict[int, float]] = {}
    for each, words in asked.items():
        totals: dict[int, float] = {}
        for word in words:
            if word not in known:
                title, said = (_holding(word, *each) for each in joined)
                known[word] = {
                    number: 20 * (number in title) + min(3, said.get(number, 0))
                    for number in title.keys() | said.keys()
                }
            for number, count in known[word].items():
                totals[number] = totals.get(number, 0.0) + count
        yield each, nsmallest(CUT, ((-total, number) for number, total in totals.items()))


def _holding(word: str, joined: str, pieces: Mapping[str, Mapping[int, int]]) -> dict[int, int]:
    """Return how often the texts hold the word, by number."""
    times: dict[int, int] = {}
    place = joined.find(word)
    while place >= 0:
        begin, end = joined.rfind(" ", 0, place) + 1, joined.find(" ", place)
        piece = joined[begin:end] if end >= 0 else joined[begin:]
        inside = piece.count(word)
        for number, often in pieces[piece].items():
            times[number] = times.get(number, 0) + inside * often
        place = joined.find(word, end) if end >= 0 else -1
    return times

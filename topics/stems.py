"""What FTS5 itself says of words: the stem of each, and where a stem stands in an index.

A stemmer of our own beside it would differ in some word or other, and then a paper would be picked and not scored.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from domain.fts5 import TOKENIZE

_KEPT = 200_000  # stems: some 30 MB

_POSTING = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.posting USING fts5vocab(main, paper, 'instance')"

#: Place of a paper → how often the stem stands in (title, abstract); only papers that have it.
Postings = Mapping[int, tuple[int, int]]


class Stemmer:
    """Cuts words by thousands; used by one thread, closed after use."""

    def __init__(self, tokenize: str = TOKENIZE) -> None:
        """With TOKENIZE_FORMS a word's stem is the word itself, as an index without stems keeps it."""
        self._memory = sqlite3.connect(":memory:", isolation_level=None)
        self._memory.execute(f"CREATE VIRTUAL TABLE word USING fts5(text, content='', tokenize=\"{tokenize}\")")
        self._memory.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, 'instance')")
        self._known: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def stems(self, words: Iterable[str]) -> dict[str, str]:
        """Return the stem of each word, which is one token (`domain.fts5.tokens`); what holds no token is missing."""
        asked = list(dict.fromkeys(words))
        if len(self._known) + len(asked) > _KEPT:
            self._known.clear()
        new = [word for word in asked if word not in self._known]
        if new:
            self._memory.execute("BEGIN")
            self._memory.executemany("INSERT INTO word(rowid, text) VALUES (?, ?)", enumerate(new))
            self._known |= {new[place]: stem for place, stem in self._memory.execute("SELECT doc, term FROM stem")}
            self._memory.execute("ROLLBACK")
        return {word: stem for word in asked if (stem := self._known.get(word)) is not None}


def lengths(index: sqlite3.Connection, papers: int) -> list[int]:
    """Return how many words each of so many papers has in title and abstract together, by place; places begin at 0.

    FTS5 keeps the words of each column beside the index (sqlite.org/fts5.html, "The Docsize Table").
    """
    found = [0] * papers
    for place, sizes in index.execute("SELECT id, sz FROM paper_docsize"):
        found[place] = _sum(sizes)
    return found


def postings(index: sqlite3.Connection) -> Callable[[str], Postings]:
    """Return what reads the postings of a stem from `paper`, an FTS5 table with columns title and abstract.

    A paper's place is its rowid. One stem is read at a time: a large index is never held whole beside itself.
    """
    index.execute(_POSTING)

    def read(stem: str) -> Postings:
        found: dict[int, tuple[int, int]] = {}
        for place, column in index.execute("SELECT doc, col FROM temp.posting WHERE term = ?", (stem,)):
            title, abstract = found.get(place, (0, 0))
            found[place] = (title + 1, abstract) if column == "title" else (title, abstract + 1)
        return found

    return read


def _sum(packed: bytes) -> int:
    """Return the sum of a record's numbers: seven bits a byte, the highest first, and the last without the eighth."""
    total = number = 0
    for each in packed:
        number = number << 7 | each & 0x7F
        if each < 0x80:
            total += number
            number = 0
    return total

"""A paper's words, cut and stemmed by FTS5 itself, for a database that does not have it.

The texts go through an FTS5 table in memory and come back as what stands in its vocabulary: the same stems, columns and
places that the index on SQLite holds. Our own stemmer beside it would differ in some word or other.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from domain.fts5 import TOKENIZE, searchable

COLUMNS = ("title", "abstract", "authors", "categories")
_LONGEST = 2_000  # bytes of a word: PostgreSQL takes 2,046


@dataclass(frozen=True, slots=True)
class Cut:
    """One word at one place."""

    stem: str
    column: int  #: of COLUMNS
    place: int  #: in the column, from 0


class Cutter:
    """Cuts texts; used by one thread, closed after use."""

    def __init__(self) -> None:
        self._memory = sqlite3.connect(":memory:", isolation_level=None)
        names = ", ".join(COLUMNS)
        self._memory.execute(f'CREATE VIRTUAL TABLE paper USING fts5({names}, content="", tokenize="{TOKENIZE}")')
        self._memory.execute("CREATE VIRTUAL TABLE word USING fts5vocab(paper, 'instance')")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._memory.close()

    def cut(self, rows: Iterable[Mapping[str, Any]]) -> dict[int, list[Cut]]:
        """Return the words of rows of `paper` by id, those of one stem together; none for a row without words."""
        self._memory.execute("BEGIN")
        found: dict[int, list[Cut]] = {}
        for row in rows:
            columns = columns_of(row)
            found[columns["id"]] = []
            self._memory.execute(
                "INSERT INTO paper(rowid, title, abstract, authors, categories) VALUES "
                "(:id, :title, :abstract, :authors, :categories)",
                columns,
            )
        places = {name: place for place, name in enumerate(COLUMNS)}
        for stem, paper_id, column, place in self._memory.execute('SELECT term, doc, col, "offset" FROM word'):
            found[paper_id].append(Cut(short(stem), places[column], place))
        self._memory.execute("ROLLBACK")
        return found

    def stems(self, words: str) -> list[str]:
        """Return the stems of a text in order."""
        cuts = self.cut([{"id": 1, "title": words, "abstract": "", "authors": [], "categories": []}])[1]
        return [each.stem for each in sorted(cuts, key=lambda each: each.place)]


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is indexed of a row of `paper`, with its id."""
    return {
        "id": row["id"],
        "title": searchable(row["title"]),
        "abstract": searchable(row["abstract"]),
        "authors": searchable(", ".join(row["authors"])),
        "categories": searchable(", ".join(row["categories"])),
    }


def short(stem: str) -> str:
    """Return a stem cut to what every database keeps of a word."""
    return stem if len(stem) * 4 <= _LONGEST else stem.encode()[:_LONGEST].decode(errors="ignore")

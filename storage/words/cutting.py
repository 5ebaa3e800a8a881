"""A paper's words, cut and stemmed by FTS5 itself, for a database that does not have it.

The texts go through FTS5 tables in memory and come back as what stands in their vocabularies: the same stems, columns
and places that the index on SQLite holds, and the same forms. Our own stemmer beside it would differ in some word or
other.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from domain.fts5 import TOKENIZE, TOKENIZE_FORMS, searchable
from domain.traces import traces

COLUMNS = ("title", "abstract", "authors", "categories")
#: Of the index of forms: words as they are written, and by what authors are found.
FORMS = ("title", "abstract", "people")
_LONGEST = 2_000  # bytes of a word: PostgreSQL takes 2,046
_LONGEST_FORM = 500  # characters; of a longer one the beginning is kept


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
        options = f"content='', detail=column, columnsize=0, tokenize=\"{TOKENIZE_FORMS}\""
        self._memory.execute(f"CREATE VIRTUAL TABLE written USING fts5({', '.join(FORMS)}, {options})")
        self._memory.execute("CREATE VIRTUAL TABLE form USING fts5vocab(written, 'instance')")

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

    def forms(self, rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
        """Return what the index of forms holds of rows of `paper`, by id: lexemes in quotes, side by side."""
        self._memory.execute("BEGIN")
        found: dict[int, str] = {}
        for row in rows:
            columns = columns_of(row)
            found[columns["id"]] = ""
            self._memory.execute(
                "INSERT INTO written(rowid, title, abstract, people) VALUES (:id, :title, :abstract, :people)", columns
            )
        found |= self._memory.execute(
            "SELECT doc, group_concat(quote(substr(col, 1, 1) || substr(term, 1, ?)), ' ') FROM form GROUP BY doc",
            (_LONGEST_FORM,),
        )
        self._memory.execute("ROLLBACK")
        return found

    def form(self, word: str) -> str:
        """Return a word, or how one begins, as `forms` cuts it; "" for none."""
        self._memory.execute("BEGIN")
        self._memory.execute("INSERT INTO written(rowid, title) VALUES (0, ?)", (word,))
        found = self._memory.execute("SELECT substr(term, 1, ?) FROM form", (_LONGEST_FORM,)).fetchone()
        self._memory.execute("ROLLBACK")
        return str(found[0]) if found else ""

    def stems(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the stems of each text in order."""
        bare = {"abstract": "", "authors": [], "categories": []}
        cut = self.cut({"id": place, "title": text, **bare} for place, text in enumerate(texts))
        return [tuple(each.stem for each in sorted(cut[place], key=_place)) for place in range(len(texts))]


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is indexed of a row of `paper`, by the names in COLUMNS and FORMS, with its id."""
    return {
        "id": row["id"],
        "title": searchable(row["title"]),
        "abstract": searchable(row["abstract"]),
        "authors": searchable(", ".join(row["authors"])),
        "categories": searchable(", ".join(row["categories"])),
        "people": " ".join(traces(row["authors"])),
    }


def lexeme(form: str, column: str) -> str:
    """Return a form as the index of forms holds it of a column in FORMS."""
    return column[0] + form


def short(stem: str) -> str:
    """Return a stem as every database can keep it: of one that is too long, a digest, so that equal stays equal."""
    if len(stem) * 4 <= _LONGEST or len(stem.encode()) <= _LONGEST:
        return stem
    return hashlib.blake2b(stem.encode(), digest_size=32).hexdigest()


def _place(cut: Cut) -> int:
    return cut.place

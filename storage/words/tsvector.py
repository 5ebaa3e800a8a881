"""The index on PostgreSQL: a row of `paper_words` for each paper, its words as a tsvector with a GIN index.

Titles weigh A, abstracts B, authors C, categories D. Between the columns places are left free, so that no phrase
reaches from one into the next. Two markers count the papers and their words, which a BM25 score asks for.

A tsvector keeps the first 256 places of a word and no place beyond 16,383: in a longer paper words are found like
elsewhere, phrases only before that. It is kept unpacked and in its row, where it is read several times faster.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from storage.words import categories
from storage.words.cutting import COLUMNS, Cut, Cutter

PAPERS, WORDS = "indexed-papers", "indexed-words"  #: the markers
WEIGHTS = ("A", "B", "C", "D")  #: of COLUMNS
_LAST_PLACE = 16_381  # two less than a tsvector's last
_BEYOND = 16_383  # for every place behind it, so that no two of those, nor the last before them, stand side by side
_LARGEST = 1_000_000  # bytes of a tsvector's text; PostgreSQL takes 1,048,575
_PUT = text("INSERT INTO paper_words (paper_id, words, length) VALUES (:id, CAST(:words AS tsvector), :length)")
_TAKE = text("DELETE FROM paper_words WHERE paper_id = ANY(:ids) RETURNING length")
_COUNT = text(
    "INSERT INTO marker (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE "
    "SET value = marker.value + excluded.value"
)


def make(connection: Connection) -> None:
    """Make an empty index."""
    connection.execute(
        text(
            "CREATE TABLE paper_words (paper_id integer PRIMARY KEY REFERENCES paper ON DELETE CASCADE, "
            "words tsvector NOT NULL, length integer NOT NULL) WITH (toast_tuple_target = 8160)"
        )
    )
    connection.execute(text("ALTER TABLE paper_words ALTER words SET STORAGE EXTERNAL"))
    connection.execute(text("CREATE INDEX ix_paper_words_words ON paper_words USING gin (words)"))
    categories.make(connection)
    connection.execute(text("DELETE FROM marker WHERE name IN (:papers, :words)"), {"papers": PAPERS, "words": WORDS})


def drop(connection: Connection) -> None:
    """Take the index away, if it is there."""
    connection.execute(text("DROP TABLE IF EXISTS paper_words"))
    categories.drop(connection)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Index rows of `paper` that are not indexed."""
    rows = list(rows)
    with Cutter() as cutter:
        cut = cutter.cut(rows)
    categories.put(connection, rows)
    if cut:
        connection.execute(
            _PUT, [{"id": each, "words": _vector(words), "length": len(words)} for each, words in cut.items()]
        )
        _count(connection, len(cut), sum(map(len, cut.values())))


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again."""
    rows = list(rows)
    categories.take(connection, rows)
    gone = list(connection.execute(_TAKE, {"ids": [row["id"] for row in rows]}).scalars())
    _count(connection, -len(gone), -sum(gone))


def _count(connection: Connection, papers: int, words: int) -> None:
    connection.execute(_COUNT, [{"name": PAPERS, "value": papers}, {"name": WORDS, "value": words}])


def _vector(words: Sequence[Cut]) -> str:
    """Return the text of a tsvector: 'stem':1A,7B 'other':2A; what does not fit into one is left out."""
    lengths = [0] * len(COLUMNS)
    for each in words:
        lengths[each.column] = max(lengths[each.column], each.place + 1)
    begins = [1]
    for length in lengths:
        begins.append(begins[-1] + length + 2)
    places: dict[str, list[str]] = defaultdict(list)
    for each in words:
        place = begins[each.column] + each.place
        place = place if place <= _LAST_PLACE else _BEYOND
        places[each.stem].append(f"{place}{WEIGHTS[each.column]}")
    parts: list[str] = []
    size = 0
    for stem, there in places.items():
        part = f"'{stem}':{','.join(there)}"
        size += len(part.encode()) + 1
        if size > _LARGEST:
            break
        parts.append(part)
    return " ".join(parts)

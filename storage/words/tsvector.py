"""The index on PostgreSQL: a row of `paper_words` for each paper, its words as a tsvector with a GIN index.

Titles weigh A, abstracts B, authors C, categories D. Between the columns places are left free, so that no phrase
reaches from one into the next. Words as they are written, since a stem may end before a prefix does, and the traces of
authors are in `paper_forms`, without places: the column's letter stands in front of each. Markers count the papers and
their words, and `paper_stem` the papers that have each stem, which a BM25 score asks for.

A tsvector keeps the first 256 places of a word and no place beyond 16,383: in a longer paper words are found like
elsewhere, phrases only before that. It is kept unpacked and in its row, where it is read several times faster.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, text

from storage.tables import MARKER
from storage.words import categories
from storage.words.cutting import COLUMNS, Cut, Cutter, short

_TOTALS = PAPERS, WORDS, SAID = "indexed-papers", "indexed-words", "indexed-said"
CHANGES = "index-changes"  #: how often rows came or went: it only rises, even where the index is made anew
#: The markers: of papers, of all their words, of those in titles and abstracts, and of changes.
MARKERS = (*_TOTALS, CHANGES)
WEIGHTS = ("A", "B", "C", "D")  #: of COLUMNS
_SAID_COLUMNS = (COLUMNS.index("title"), COLUMNS.index("abstract"))
_LAST_PLACE = 16_381  # two less than a tsvector's last
_BEYOND = 16_383  # for every place behind it, so that no two of those, nor the last before them, stand side by side
_LARGEST = 1_000_000  # bytes of a tsvector's text; PostgreSQL takes 1,048,575
_PUT = text(
    "INSERT INTO paper_words (paper_id, words, length, said) VALUES (:id, CAST(:words AS tsvector), :length, :said)"
)
_PUT_FORMS = text("INSERT INTO paper_forms (paper_id, forms) VALUES (:id, CAST(:forms AS tsvector))")
_TAKE_FORMS = text("DELETE FROM paper_forms WHERE paper_id = ANY(:ids)")
_TAKE = text("DELETE FROM paper_words WHERE paper_id = ANY(:ids) RETURNING length, said")
_COUNT = text(
    "INSERT INTO marker (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE "
    "SET value = marker.value + excluded.value"
)
# In the order of stems, so that a block writes one page of the table's index after the other.
_COUNT_STEMS = text(
    "INSERT INTO paper_stem (stem, papers) SELECT stem, :each * count(*) FROM paper_words, "
    'unnest(tsvector_to_array(words)) AS stem WHERE paper_id = ANY(:ids) GROUP BY stem ORDER BY stem COLLATE "C" '
    "ON CONFLICT (stem) DO UPDATE SET papers = paper_stem.papers + excluded.papers"
)
_HAVING = text("SELECT stem, papers FROM paper_stem WHERE stem = ANY(:stems) AND papers > 0")


def make(connection: Connection) -> None:
    """Make an empty index."""
    connection.execute(
        text(
            "CREATE TABLE paper_words (paper_id integer PRIMARY KEY REFERENCES paper ON DELETE CASCADE, "
            "words tsvector NOT NULL, length integer NOT NULL, said integer NOT NULL) "
            "WITH (toast_tuple_target = 8160)"
        )
    )
    connection.execute(text("ALTER TABLE paper_words ALTER words SET STORAGE EXTERNAL"))
    connection.execute(text("CREATE INDEX ix_paper_words_words ON paper_words USING gin (words)"))
    # Read by its index alone, nearly: kept packed.
    connection.execute(
        text(
            "CREATE TABLE paper_forms (paper_id integer PRIMARY KEY REFERENCES paper ON DELETE CASCADE, "
            "forms tsvector NOT NULL) WITH (toast_tuple_target = 128)"
        )
    )
    connection.execute(text("ALTER TABLE paper_forms ALTER forms SET STORAGE MAIN"))
    connection.execute(text("CREATE INDEX ix_paper_forms_forms ON paper_forms USING gin (forms)"))
    # With room in its pages, since most of its rows are written anew with each block of papers.
    stems = 'stem text COLLATE "C" PRIMARY KEY, papers integer NOT NULL'
    connection.execute(text(f"CREATE TABLE paper_stem ({stems}) WITH (fillfactor = 70)"))
    categories.make(connection)
    connection.execute(text("DELETE FROM marker WHERE name = ANY(:names)"), {"names": list(_TOTALS)})


def drop(connection: Connection) -> None:
    """Take the index away, if it is there."""
    connection.execute(text("DROP TABLE IF EXISTS paper_words, paper_forms, paper_stem"))
    categories.drop(connection)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Index rows of `paper` that are not indexed."""
    rows = list(rows)
    with Cutter() as cutter:
        cut, forms = cutter.cut(rows), cutter.forms(rows)
    categories.put(connection, rows)
    if not cut:
        return
    lengths = {each: len(words) for each, words in cut.items()}
    said = {each: sum(word.column in _SAID_COLUMNS for word in words) for each, words in cut.items()}
    placed = [
        {
            "id": each,
            "words": _vector(words),
            "length": lengths[each],
            "said": said[each],
        }
        for each, words in cut.items()
    ]
    connection.execute(_PUT, placed)
    connection.execute(_PUT_FORMS, [{"id": each, "forms": _fitting(text)} for each, text in forms.items()])
    connection.execute(_COUNT_STEMS, {"each": 1, "ids": list(cut)})
    _count(connection, len(cut), sum(lengths.values()), sum(said.values()))


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again."""
    rows = list(rows)
    categories.take(connection, rows)
    ids = [row["id"] for row in rows]
    connection.execute(_COUNT_STEMS, {"each": -1, "ids": ids})
    connection.execute(_TAKE_FORMS, {"ids": ids})
    gone = connection.execute(_TAKE, {"ids": ids}).all()
    _count(connection, -len(gone), -sum(row.length for row in gone), -sum(row.said for row in gone))


def totals(connection: Connection) -> tuple[int, int]:
    """Return how many papers are indexed, and how many words their titles and abstracts have."""
    rows = connection.execute(select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_((PAPERS, SAID))))
    values = {row.name: row.value for row in rows}
    return values.get(PAPERS, 0), values.get(SAID, 0)


def having(connection: Connection, stems: Collection[str]) -> dict[str, int]:
    """Return in how many papers each stem stands; one that is in none is missing."""
    whole = {short(stem): stem for stem in stems}
    return {whole[row.stem]: row.papers for row in connection.execute(_HAVING, {"stems": list(whole)})}


def _count(connection: Connection, papers: int, words: int, said: int) -> None:
    values = [{"name": name, "value": value} for name, value in zip(MARKERS, (papers, words, said, 1), strict=True)]
    connection.execute(_COUNT, values)


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


def _fitting(lexemes: str) -> str:
    """Return as many of the lexemes as fit into a tsvector."""
    if len(lexemes) * 4 <= _LARGEST:
        return lexemes
    return lexemes.encode()[:_LARGEST].decode(errors="ignore").rpartition(" ")[0]

"""What the views show, and what they do not: every table is filled with words that name their column."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, insert, text

from domain.errors import Interrupted, UsageError
from domain.topics import Match, Tier
from storage import inspection
from storage.database import Database
from storage.inspection import write_copy
from storage.tables import Base, UtcDateTime
from storage.views.making import views
from storage.views.questions import QUESTIONS

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
#: All that a copy may show of what came from outside. A column that is not here holds what is nobody's business.
SHOWN = {
    "content.kind",
    "fetch.source",
    "fetch.status",
    "paper.abstract",
    "paper.abstract_kind",
    "paper.authors",
    "paper.categories",
    "paper.code_url",
    "paper.key",
    "paper.organization",
    "paper.pdf_url",
    "paper.project_url",
    "paper.said_by",
    "paper.sources",
    "paper.title",
    "paper.url",
    "paper_event.kind",
    "paper_event.note",
    "paper_event.source",
    "paper_identifier.scheme",
    "paper_identifier.value",
    "run.job",
    "run.slot",
    "run.status",
    "sighting.details",
    "sighting.source",
    "source_cursor.source",
    "source_day.source",
    "wording.field",
    "wording.source",
    "wording.text",
}


def marked(column: Column[Any]) -> str:
    return f"<{column.table.name}.{column.name}>"


def filled(column: Column[Any], number: int) -> Any:
    """A value of a column that tells where it came from; where a column has no room for words, a number."""
    words = f"{marked(column)} {number}"
    name = f"{column.table.name}.{column.name}"
    special = {
        "sighting.details": {"announcement": words, "comment": words, "journal": words, "stars": 7},
        "paper.said_by": {"title": [words, 3, None]},
        "run.counts": {"new": 4, "asks": words},
    }
    by_kind = {
        JSON: special.get(name, [words]),
        LargeBinary: words.encode(),
        Boolean: True,
        UtcDateTime: NOW,
        Date: NOW.date(),
        Integer: number,
        BigInteger: number,
        Float: 1.5,
    }
    return by_kind.get(type(column.type), words)


@pytest.fixture
def full(database: Database) -> Database:
    """An archive with two rows in every table, each text of which names its column."""
    with database.writing() as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(table.delete())
            for number in (1, 2):
                row = {column.name: filled(column, number) for column in table.columns}
                if table.name == "paper_kin":
                    row["other_id"] = 3 - number
                connection.execute(insert(table).values(row))
    return database


def _marks(content: bytes) -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if marked(column).encode() in content
    }


def test_a_copy_holds_what_may_be_shown_and_nothing_else(full: Database, tmp_path: Path):
    counts = write_copy(full, tmp_path / "copy.db")

    assert _marks((tmp_path / "copy.db").read_bytes()) == SHOWN
    assert {name for name, rows in counts.items() if rows == 0} == set()
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == ["copy.db"]


def test_the_views_of_both_databases_have_the_same_names_and_columns():
    lite, postgres = views("sqlite"), views("postgresql")

    assert [(view.name, [column.name for column in view.columns]) for view in lite] == [
        (view.name, [column.name for column in view.columns]) for view in postgres
    ]
    assert {view.name for view in lite} & set(Base.metadata.tables) == set()
    for view in lite:
        names = {column.name for column in view.columns}
        assert len(names) == len(view.columns)
        assert view.key
        assert {*view.key, *view.facets, *filter(None, [view.order])} <= names


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(query).fetchall()


def test_a_copy_reads_the_same_from_either_database(full: Database, tmp_path: Path):
    file = tmp_path / "copy.db"
    write_copy(full, file)

    assert rows(file, "SELECT id, listed, first_seen, withdrawn, version FROM papers") == [
        (1, "2026-11-20", "2026-11-20 08:30:00", "yes", 1),
        (2, "2026-11-20", "2026-11-20 08:30:00", "yes", 2),
    ]
    assert rows(file, "SELECT * FROM paper_authors") == [(1, 1, "<paper.authors> 1"), (2, 1, "<paper.authors> 2")]
    assert rows(file, "SELECT stars, comment FROM paper_sightings WHERE id = 1") == [(7, "<sighting.details> 1")]
    assert rows(file, "SELECT words_of, source FROM papers WHERE id = 2") == [
        ("<paper.said_by> 2", "<paper.sources> 2")
    ]
    assert rows(file, "SELECT new, slot FROM runs WHERE id = 1") == [(4, "<run.slot> 1")]
    assert rows(file, "SELECT typeof(tries), typeof(letters), typeof(day) FROM deliveries_per_day LIMIT 1") == [
        ("integer", "integer", "text")
    ]
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(file, "PRAGMA foreign_key_check") == []


def test_a_copy_is_searched_by_words(full: Database, tmp_path: Path):
    file = tmp_path / "copy.db"
    write_copy(full, file)

    assert rows(file, "SELECT rowid FROM papers_fts WHERE papers_fts MATCH 'title AND 2'") == [(2,)]
    assert rows(file, "SELECT rowid FROM papers_fts WHERE papers_fts MATCH 'recipient'") == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.name)
def test_every_question_is_answered_by_the_archive_and_by_its_copy(full: Database, tmp_path: Path, question):
    file = tmp_path / "copy.db"
    write_copy(full, file)
    with full.reading() as connection:
        answer = connection.execute(text(question.sql)).all()

    expected = [tuple(inspection._plain(value) for value in row) for row in answer]
    assert rows(file, question.sql) == expected
    assert question.name not in {view.name for view in views("sqlite")}


def test_the_questions_find_what_they_ask_for(archive, database, listed, listing, now):
    archive.add(listing(listed("One Tide", upvotes=3), listed("Two Tides", upvotes=9, rank=2), source="hf"), now)
    archive.add(listing(listed("One Tide"), source="arxiv", day=date(2026, 11, 19)), now)
    answers = {}
    with database.reading() as connection:
        for question in QUESTIONS:
            answers[question.name] = [row._asdict() for row in connection.execute(text(question.sql))]

    assert {row["title"] for row in answers["new_this_week"]} == {"One Tide", "Two Tides"}
    assert [row["title"] for row in answers["most_upvoted"]] == ["Two Tides", "One Tide"]
    assert [(row["sources"], row["title"]) for row in answers["seen_by_several"]] == [(2, "One Tide")]
    assert [(row["author"], row["papers"]) for row in answers["busiest_authors"]] == [
        ("Jun Sato", 2),
        ("Mira Okafor", 2),
    ]
    assert {row["source"] for row in answers["silent_sources"]} == {"arxiv", "hf"}


def test_days_and_sources_are_counted(archive, database, listed, listing, now):
    archive.add(listing(listed("One Tide"), source="arxiv", day=date(2026, 11, 19)), now)
    archive.add(listing(listed("One Tide"), listed("Two Tides", rank=2), source="hf"), now)
    with database.reading() as connection:
        days = connection.execute(text("SELECT day, papers, new, sightings FROM papers_per_day ORDER BY day")).all()
        sources = connection.execute(
            text("SELECT source, papers, first_here, only_here FROM papers_per_source ORDER BY source")
        ).all()

    assert [(str(row.day), *row[1:]) for row in days] == [("2026-11-19", 1, 1, 1), ("2026-11-20", 2, 1, 2)]
    assert [tuple(row) for row in sources] == [("arxiv", 1, 1, 0), ("hf", 2, 1, 1)]


def test_of_a_topic_exact_papers_are_counted_and_related_ones_apart(
    archive, database, reader, matched, listed, listing, now
):
    reader()
    archive.add(listing(*(listed(f"Tides of {n}", rank=n) for n in (1, 2, 3))), now)
    matched(Match(1, 1, 1.0), Match(1, 2, 1.0, Tier.RELATED), Match(1, 3, 1.0, Tier.RELATED))
    with database.reading() as connection:
        told = connection.execute(text("SELECT readers, papers, related FROM topics_activity")).all()
    assert [tuple(row) for row in told] == [(1, 1, 2)]


def test_an_earlier_copy_is_replaced_and_anything_else_left_alone(archive, database, listed, listing, now, tmp_path):
    file, diary = tmp_path / "copy.db", tmp_path / "diary.txt"
    diary.write_text("Low tide.")
    write_copy(database, file)
    archive.add(listing(listed()), now)

    assert write_copy(database, file)["papers"] == 1
    for other in (diary, database.file, tmp_path):
        if other is not None:
            before = other.read_bytes() if other.is_file() else b""
            with pytest.raises(UsageError, match="left as it is"):
                write_copy(database, other)
            assert (other.read_bytes() if other.is_file() else b"") == before


def test_a_copy_that_is_stopped_leaves_nothing(archive, database, listed, listing, now, tmp_path):
    archive.add(listing(listed()), now)
    with pytest.raises(Interrupted):
        write_copy(database, tmp_path / "copy.db", is_stopped=lambda: True)

    assert list(tmp_path.glob("copy*")) == []


def test_sums_are_whole_numbers_and_instants_are_in_utc():
    assert inspection._plain(Decimal(7)) == 7
    assert inspection._plain(NOW) == "2026-11-20 08:30:00"
    assert inspection._plain(date(2026, 11, 20)) == "2026-11-20"

"""What a score asks of the archive is what its papers say at any moment, and the same on both databases."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from domain.fts5 import TOKENIZE
from domain.papers import Identifiers
from domain.topics import Census
from storage.archive import Archive
from storage.census import Censuses
from storage.database import Database
from storage.integrity import mend
from storage.moving import Mover
from storage.words.cutting import COLUMNS, columns_of

LONG = "x" * 2_999
TITLES = ("Tides of the Red Sea", "Tidal Ebb, and a Tide", "Ωmega C++", LONG, "")


def counted(archive: Archive) -> Census:
    """Count the words of every paper one by one."""
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(f'CREATE VIRTUAL TABLE paper USING fts5({", ".join(COLUMNS)}, tokenize="{TOKENIZE}")')
        memory.execute("CREATE VIRTUAL TABLE word USING fts5vocab(paper, 'instance')")
        papers = list(archive.every())
        for paper in papers:
            row = {"id": paper.id, "title": paper.title, "abstract": paper.abstract}
            columns = columns_of({**row, "authors": paper.authors, "categories": paper.categories})
            names = ", ".join(COLUMNS)
            memory.execute(
                f"INSERT INTO paper (rowid, {names}) VALUES (:id, :{', :'.join(COLUMNS)})",  # noqa: S608 from above
                columns,
            )
        words = memory.execute("SELECT term, doc, col FROM word").fetchall()
    said = sum(column in {"title", "abstract"} for _, _, column in words)
    having = Counter(stem for stem, _ in {(stem, paper) for stem, paper, _ in words})
    return Census(papers=len(papers), average=said / len(papers) if papers else 0.0, having=dict(having))


@pytest.fixture
def filled(archive: Archive, listed, listing, now) -> Archive:
    papers = [
        listed(title, ids=Identifiers(doi=f"10.5555/{place}"), abstract="of the tide " * place, categories=("cs.LG",))
        for place, title in enumerate(TITLES)
    ]
    archive.add(listing(*papers), now)
    return archive


def agrees(database: Database, archive: Archive) -> bool:
    expected = counted(archive)
    census = Censuses(database).of([*expected.having, "absent", "'; --"])
    assert census.papers == expected.papers
    assert census.average == pytest.approx(expected.average)
    assert census.having == expected.having
    return bool(census.papers)


def test_an_empty_archive_has_an_empty_census(database: Database) -> None:
    assert Censuses(database).of(["tide"]) == Census(papers=0, average=0.0, having={})


def test_papers_are_counted_once_for_each_stem_wherever_it_stands(database: Database, filled: Archive) -> None:
    assert agrees(database, filled)
    assert Censuses(database).of(["tide", "okafor", "lg"]).having == {"tide": 5, "okafor": 5, "lg": 5}
    assert Censuses(database).of([]).papers == 5


def test_it_follows_papers_that_change_and_are_joined(database: Database, filled, listed, listing, now) -> None:
    reworded = listed(
        "Tides of the Red Sea, Reread", ids=Identifiers(doi="10.5555/0"), abstract="Moons alone, and stars."
    )
    filled.add(listing(reworded, standing=9), now)
    assert agrees(database, filled)
    assert "moon" in Censuses(database).of(["moon"]).having

    filled.add(listing(listed("Estuaries", ids=Identifiers(arxiv="2611.90001"), abstract="Of estuaries.")), now)
    papers = Censuses(database).of([]).papers
    both = Identifiers(arxiv="2611.90001", doi="10.5555/1")
    filled.add(listing(listed("Estuaries", ids=both, abstract="Of estuaries.")), now)
    assert Censuses(database).of([]).papers == papers - 1
    assert agrees(database, filled)


def test_it_is_made_anew_with_the_index(database: Database, filled: Archive) -> None:
    mend(database)
    assert agrees(database, filled)


def test_a_copy_has_one_of_its_own(database: Database, filled: Archive, tmp_path, now) -> None:
    with Database(f"sqlite:///{tmp_path}/copy.db") as copy:
        Mover(database, copy).move(now, lambda _: None)
        assert agrees(copy, Archive(copy))


def test_tens_of_thousands_of_stems_are_asked_for_at_once(database: Database, filled: Archive) -> None:
    stems = [f"stem{number}" for number in range(50_000)]
    assert Censuses(database).of([*stems, "tide"]).having == {"tide": 5}

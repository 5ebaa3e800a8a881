"""A library becomes saved papers: the archive's where it has them, else copies that nobody else sees."""

import pytest
from sqlalchemy import func, insert, select, update

from domain.errors import UnknownError, UsageError
from domain.learning import Liking
from domain.papers import Identifiers
from storage import likings as room
from storage.likings import Likings
from storage.profiles import Profiles
from storage.tables import PAPER, PROFILE, SAVED
from storage.taking_in import Libraries, Taken

MORE = Liking.MORE


@pytest.fixture
def libraries(database):
    return Libraries(database)


@pytest.fixture
def library(archive, listed, listing, now):
    """Three papers, of which the archive has the first by its id and the second by its words."""
    words = "A tide that is told at some length, with the very same words here as there, so that it is known again."
    archive.add(listing(listed("One of the Tides", ids=Identifiers(arxiv="2611.00001"))), now)
    archive.add(listing(listed("The Second Tide Is Told by Its Words", abstract=words)), now)
    return [
        listed("One of the tides (Preprint)", ids=Identifiers(arxiv="2611.00001", doi="10.5555/one")),
        listed("The second tide is told by its words", abstract=words, ids=Identifiers(doi="10.5555/two")),
        listed("Nobody Has This", abstract="x" * 9_000, ids=Identifiers(doi="10.5555/three")),
        listed("Nor This"),
    ]


def test_papers_of_the_archive_are_known_again_and_the_others_are_copies(
    database, libraries, library, reader, archive, now
):
    mira = reader()
    before = archive.stats()["papers"]

    assert libraries.take_in("mira", library, MORE, now, "import") == Taken(new=4, known=0, left=0)

    likings = Likings(database)
    last, copy, second, first = likings.of(mira.id)
    assert (first.key, second.paper_id is not None) == ("arxiv:2611.00001", True)
    assert (copy.key, copy.paper_id, len(copy.abstract)) == ("doi:10.5555/three", None, 5_000)
    assert (last.key[:6], last.title, last.authors) == ("title:", "Nor This", ("Mira Okafor", "Jun Sato"))
    assert archive.stats()["papers"] == before, "nothing of it is put into the archive"
    said = likings.said_among([mira.id], {first.paper_id}, {"doi:10.5555/three", "doi:10.5555/one"})
    assert said == {mira.id: {first.paper_id, "doi:10.5555/three"}}
    assert Profiles(database).is_stale()


def test_the_same_again_adds_nothing(database, libraries, library, reader, now):
    mira = reader()
    libraries.take_in("mira", library, MORE, now, "import")
    held = Likings(database).of(mira.id)

    assert libraries.take_in("mira", [*library, *library], MORE, now, "import") == Taken(new=0, known=8, left=0)
    assert Likings(database).of(mira.id) == held


def test_an_own_copy_becomes_the_archives_paper_when_it_is_saved_there(
    database, libraries, library, listed, listing, archive, reader, now
):
    mira = reader()
    libraries.take_in("mira", library[2:3], MORE, now, "import")
    paper = archive.add(listing(listed("Nobody Has This", ids=Identifiers(doi="10.5555/three"))), now).new[0]

    Likings(database).mark("mira", paper.key, MORE, now, "/feedback")

    (only,) = Likings(database).of(mira.id)
    assert (only.paper_id, only.abstract) == (paper.id, paper.abstract)


@pytest.mark.parametrize("is_saved_there_too", [False, True])
def test_an_own_copy_becomes_the_archives_paper_when_the_same_library_comes_again(
    database, libraries, library, listed, listing, archive, reader, now, is_saved_there_too
):
    mira = reader()
    libraries.take_in("mira", library[2:3], MORE, now, "import")
    ids = Identifiers(arxiv="2611.00003", doi="10.5555/three")
    paper = archive.add(listing(listed("Nobody Has This", ids=ids)), now).new[0]
    with database.writing() as connection:
        connection.execute(update(PROFILE).values(stale=False))
        if is_saved_there_too:
            values = {"paper_id": paper.id, "key": paper.key, "liking": "more", "place": "/feedback", "at": now}
            words = {"title": "", "abstract": "", "authors": []}
            connection.execute(insert(SAVED).values(subscriber_id=mira.id, **values, **words))

    assert libraries.take_in("mira", library[2:3], MORE, now, "import") == Taken(new=0, known=1, left=0)

    (only,) = Likings(database).of(mira.id)
    assert (only.paper_id, only.key, only.abstract) == (paper.id, paper.key, paper.abstract)
    assert Profiles(database).is_stale()


def test_what_finds_no_room_is_counted(libraries, library, reader, now, monkeypatch):
    monkeypatch.setattr(room, "MOST_SAVED", 3)
    reader()
    assert libraries.take_in("mira", library, MORE, now, "import") == Taken(new=3, known=0, left=1)
    assert libraries.take_in("mira", library, MORE, now, "import") == Taken(new=0, known=3, left=1)


def test_a_library_is_of_a_reader_and_comes_in_parts(database, libraries, listed, reader, now):
    reader()
    with pytest.raises(UnknownError):
        libraries.take_in("nobody", [listed()], MORE, now, "import")
    with pytest.raises(UsageError, match="500 papers"):
        libraries.take_in("mira", [listed()] * 501, MORE, now, "import")
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(PAPER)).scalar() == 0

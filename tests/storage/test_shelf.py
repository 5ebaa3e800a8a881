"""Contents within reach: read once, handed out as the same objects, and put away where there is no more room."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from domain.issues import LetterKind
from storage.shelf import Shelf

SIZE = 1000  # octets of each letter's own text


@pytest.fixture
def contents(issue, reader, now, database):
    """Freeze letters of a text of their own each and give the numbers of their contents."""
    from sqlalchemy import text

    for each in range(4):
        issue(reader(f"reader{each}"), now, text=b"%d" % each * SIZE)
    with database.reading() as connection:
        return list(connection.execute(text("SELECT id FROM content ORDER BY id")).scalars())


@pytest.fixture
def shelf():
    return Shelf(room=2 * SIZE + 100)


@pytest.fixture
def ask(database, shelf):
    """Ask the shelf, and give what it has and how many queries that took."""

    def go(*ids, passes=1):
        with database.reading() as connection, counted(database) as queries:
            found = shelf.contents(connection, list(ids), passes)
        return found, len(queries)

    return go


@contextmanager
def counted(database):
    seen = []

    def note(*said):
        seen.append(said[2])

    event.listen(database._engine, "before_cursor_execute", note)
    yield seen
    event.remove(database._engine, "before_cursor_execute", note)


def test_what_was_read_is_not_read_again_and_is_the_very_same(ask, contents):
    first, queries = ask(contents[0])
    assert queries == 2  # the contents, the fragments
    again, queries = ask(contents[0])
    assert queries == 0
    assert again[contents[0]].fragments is first[contents[0]].fragments
    assert first[contents[0]].kind is LetterKind.DIGEST
    assert first[contents[0]].fragments[-1].body == b"0" * SIZE


def test_on_another_count_of_passes_nothing_that_lies_here_is_trusted(ask, contents):
    ask(contents[0], passes=1)
    assert ask(contents[0], passes=2)[1] == 2


def test_a_shelf_that_was_cleared_reads_again(ask, contents, shelf):
    ask(contents[0])
    shelf.clear()
    assert ask(contents[0])[1] == 2


def test_more_than_there_is_room_for_is_handed_out_whole_all_the_same(ask, contents, shelf):
    found, _ = ask(*contents)
    assert [found[each].fragments[-1].body for each in contents] == [b"%d" % each * SIZE for each in range(4)]
    assert sum(len(each.body) for each in shelf._fragments.values()) <= 2 * SIZE + 100
    for each in contents:  # nothing is mixed up by what went
        assert ask(each)[0][each].fragments[-1].body == found[each].fragments[-1].body


def test_a_number_that_is_not_there_is_left_out(ask, contents):
    assert set(ask(contents[0], 10**6)[0]) == {contents[0]}

"""A file gives back what it no longer needs, and holds nothing of what was erased."""

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from domain.deliveries import DeliveryState
from domain.subscriptions import Consent
from storage.integrity import faults
from storage.keeping import Keeping
from storage.outbox import Outbox
from storage.space import Space, room_at
from storage.subscribers import Subscribers
from storage.tables import ERASURE, FRAGMENT, SUBSCRIPTION

PIECES = 700


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/archive.db"  # a server sees to its own room


@pytest.fixture
def emptied(database):
    """A file of some 70 MB of which nearly nothing is needed."""
    with database.writing() as connection:
        rows = [{"sha256": str(number), "body": b"x" * 100_000} for number in range(PIECES)]
        connection.execute(insert(FRAGMENT), rows)
    with database.writing() as connection:
        connection.execute(delete(FRAGMENT))
    return database


def test_a_file_that_is_mostly_free_is_written_anew(emptied, archive, listed, listing, now):
    archive.add(listing(listed()), now)
    size, free = Space(emptied).spare()
    given_back, why_not = Space(emptied).give_back()
    assert (given_back > 64 * 2**20, why_not) == (True, "")
    assert emptied.file.stat().st_size == size - given_back < size - free + 100_000
    assert (Space(emptied).give_back(), faults(emptied)) == ((0, ""), ())
    assert len(list(archive.every())) == 1


def test_a_small_file_is_left_alone_unless_asked_for(database):
    with database.writing() as connection:
        connection.execute(insert(FRAGMENT).values(sha256="1", body=b"x" * 1_000_000))
    with database.writing() as connection:
        connection.execute(delete(FRAGMENT))
    assert Space(database).give_back() == (0, "")
    assert Space(database).give_back(anyway=True)[0] > 900_000


def test_without_room_for_a_second_copy_nothing_is_done(emptied):
    size, _ = Space(emptied).spare()
    given_back, why_not = Space(emptied, room=lambda _: 1000).give_back()
    assert (given_back, Space(emptied).spare()[0]) == (0, size)
    assert why_not.endswith("bytes of room for a while, and 1,000 are left")
    assert room_at(Path("/")) > 0


def test_while_letters_are_being_sent_nothing_is_done(emptied, reader, issue, now):
    issue(reader(), now, state=DeliveryState.PLANNED)
    Outbox(emptied).lease("one", now, timedelta(minutes=15), 1)
    assert Space(emptied).give_back(anyway=True) == (0, "letters are being sent; the file is written anew another time")


def test_while_another_process_writes_nothing_is_done(emptied):
    holder = sqlite3.connect(emptied.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    given_back, why_not = Space(emptied, patience=0.05).give_back()
    holder.close()
    assert given_back == 0
    assert "is held by another process" in why_not


def test_our_own_writers_wait_until_the_file_is_written(emptied):
    stop = threading.Event()
    wrote = []

    def write() -> None:
        while not stop.is_set():
            with emptied.writing() as connection:
                connection.execute(insert(FRAGMENT).values(sha256=f"new {len(wrote)}", body=b""))
            wrote.append(True)

    writer = threading.Thread(target=write)
    writer.start()
    given_back, why_not = Space(emptied).give_back()
    stop.set()
    writer.join()
    assert (given_back > 0, why_not, faults(emptied)) == (True, "", ())
    with emptied.reading() as connection:
        assert len(connection.execute(FRAGMENT.select()).all()) == len(wrote)


def test_the_planners_figures_are_made(database, archive, listed, listing, now):
    archive.add(listing(listed()), now)
    Space(database).refresh()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT stat FROM sqlite_stat1 WHERE tbl = 'paper'").all()
    assert faults(database) == ()


def test_nothing_of_an_erased_address_is_left_in_the_file_or_its_log(database, reader, issue, now, tmp_path):
    """Also what was moved about in the file, or written over, while the reader was there."""
    readers = [reader(f"reader-{number:03}") for number in range(60)]
    for each in readers:
        issue(each, now, text=b"To %s alone." % each.public_id.encode())
    for each in readers[::2]:
        Subscribers(database).unsubscribe(each.public_id, Consent("unsubscribed", "1", now))
    erased, kept = readers[7:50], [*readers[:7], *readers[50:]]
    for each in erased:
        Subscribers(database).erase(each.public_id, now)
    Keeping(database).sweep_fragments()
    assert Space(database).settle()
    held = b"".join(file.read_bytes() for file in tmp_path.glob("archive.db*"))
    assert [each.email for each in erased if each.email.encode() in held] == []
    assert [each.email for each in erased if b"To %s alone." % each.public_id.encode() in held] == []
    assert all(each.email.encode() in held for each in kept)


def test_who_reads_an_older_state_keeps_the_log_from_being_emptied(database, reader, now, tmp_path):
    mira = reader()
    with database.reading() as connection:
        connection.execute(select(SUBSCRIPTION)).all()
        Subscribers(database).erase(mira.public_id, now)
        assert not Space(database).settle()
    assert Space(database).settle()
    assert (tmp_path / "archive.db-wal").stat().st_size == 0
    with database.writing() as connection:
        connection.execute(insert(ERASURE).values(public_id="another", at=now))

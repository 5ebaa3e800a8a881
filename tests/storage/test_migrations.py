"""An older file is migrated by opening it, whole or not at all."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, insert, inspect, select, update

from domain.errors import DatabaseUnavailable
from domain.papers import AbstractKind, Announcement, Identifiers
from domain.subscriptions import Consent, SubscriberState
from storage import migrate
from storage.archive import Archive
from storage.changing import Changes
from storage.database import Database
from storage.sources import Sources
from storage.subscribers import Subscribers
from storage.tables import REMATCH, SUBSCRIBER, SUBSCRIPTION, TALLY, TOPIC

_KEY = "arxiv:2611.90001"
_ROW = {
    "id": 7,
    "key": _KEY,
    "title": "Probing the Sensitivity of Neural Tides",
    "title_key": "probing the sensitivity of neural tides",
    "abstract": "What moves, and what does not.",
    "abstract_kind": "abstract",
    "authors": '["Mira Okafor", "Jun Sato"]',
    "author_count": 2,
    "published": "2026-11-18",
    "first_seen": "2026-11-20 08:00:00.000000",
    "first_listed": "2026-11-20",
    "listed": "2026-11-20",
    "url": "https://arxiv.org/abs/2611.90001",
    "pdf_url": "",
    "code_url": "",
    "project_url": "",
    "organization": "",
    "categories": '["cs.LG"]',
    "sources": '["hf"]',
    "upvotes": 3,
    "comments": None,
    "backlog": 0,
    "withdrawn": 0,
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Make a file as the first version of the schema left it, with a paper, its sighting and a cursor."""
    file = tmp_path / "archive.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        command.upgrade(migrate.configuration(connection), "0001")
        words = "INSERT INTO paper_fts(rowid, title, abstract, authors) VALUES (?, ?, ?, ?)"
        connection.exec_driver_sql(words, (7, _ROW["title"], _ROW["abstract"], "Mira Okafor, Jun Sato"))
    engine.dispose()
    with closing(sqlite3.connect(file)) as plain, plain:
        names = ", ".join(_ROW)
        insert = f"INSERT INTO paper ({names}) VALUES ({', '.join('?' * len(_ROW))})"  # noqa: S608 names from above
        plain.execute(insert, list(_ROW.values()))
        plain.execute("INSERT INTO paper_identifier (scheme, value, paper_id) VALUES ('arxiv', '2611.90001', 7)")
        plain.execute(
            "INSERT INTO sighting (paper_id, source, day, rank, upvotes, seen_at) "
            "VALUES (7, 'hf', '2026-11-20', 1, 3, '2026-11-20 08:00:00.000000')"
        )
        plain.execute("INSERT INTO source_cursor (source, day) VALUES ('hf', '2026-11-20')")
    return file


def test_an_older_file_is_migrated_by_opening_it_and_keeps_its_rows(old: Path, listed, listing):
    with Database(f"sqlite:///{old}") as database:
        assert database.revision == migrate.HEAD
        archive = Archive(database)
        paper = archive.paper(_KEY)
        assert (paper.id, paper.title, paper.authors) == (7, _ROW["title"], ("Mira Okafor", "Jun Sato"))
        assert paper.first_seen == datetime(2026, 11, 20, 8, tzinfo=UTC)
        assert (paper.version, paper.upvotes, paper.abstract_kind) == (None, 3, AbstractKind.AUTHORS)
        (sighting,) = archive.sightings(7)
        assert (sighting.source, sighting.announcement, sighting.keywords) == ("hf", None, ())
        assert Sources(database).state("hf").cursor == date(2026, 11, 20)
        again = listed(
            ids=Identifiers(arxiv="2611.90001"), version=2, announcement=Announcement.NEW, keywords=("tides",)
        )
        added = archive.add(listing(again), datetime(2026, 11, 21, tzinfo=UTC))
        assert (added.new, archive.paper(_KEY).version) == ((), 2)
        assert archive.sightings(7)[0].keywords == ("tides",)


def test_going_back_and_forth_loses_only_what_the_older_schema_has_no_room_for(old: Path, listed, listing):
    url = f"sqlite:///{old}"
    with Database(url) as database:
        seen = listing(listed(ids=Identifiers(arxiv="2611.90001"), version=2, summary="A machine says."))
        Archive(database).add(seen, datetime(2026, 11, 21, tzinfo=UTC))
        with database.writing() as connection:
            migrate.downgrade(connection, "0001")
        assert database.revision == "0001"
    assert _tables(old).isdisjoint({"fetch", "kept_page", "site"})
    with Database(url) as database:
        assert database.revision == migrate.HEAD
        paper = Archive(database).paper(_KEY)
        assert (paper.id, paper.title, paper.version) == (7, _ROW["title"], None)
        (sighting,) = Archive(database).sightings(7)
        assert (sighting.rank, sighting.summary) == (1, "")


def test_what_readers_chose_and_what_was_counted_has_room_since_0004_and_the_rest_stays(
    reader, database, archive, listed, listing, now
):
    someone = reader()
    papers = archive.add(listing(listed("Tides of the Red Sea"), listed("Ebb")), now).new
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(papers=7, per_topic=3, late_risers=0, trending=2))
        connection.execute(update(SUBSCRIPTION).values(related=True))
        topic = connection.execute(select(TOPIC.c.id)).scalar_one()
        connection.execute(insert(TALLY).values(topic_id=topic, match_id=1, beyond=9, at=now, news=True))
        connection.execute(insert(REMATCH).values(paper_id=papers[0].id, what="votes"))
        migrate.downgrade(connection, "0003")
        names = {each["name"] for each in inspect(connection).get_columns("subscriber")}
        assert names.isdisjoint({"papers", "per_topic", "late_risers", "trending"})
        assert not inspect(connection).has_table("tally")
    with database.writing() as connection:
        migrate.upgrade(connection)
        assert migrate.differences(connection) == []
        kept = connection.execute(select(SUBSCRIBER)).one()
        assert (kept.public_id, kept.papers, kept.trending) == (someone.public_id, None, None)
        assert connection.execute(select(SUBSCRIPTION.c.related)).scalars().all() == [None]
        again = connection.execute(select(REMATCH.c.paper_id, REMATCH.c.what).order_by(REMATCH.c.id)).all()
    assert [each.id for each in archive.every()] == [each.id for each in papers]
    # What waited is kept, and the newest papers meet the topics once more.
    assert [tuple(each) for each in again[:1]] == [(papers[0].id, "words")]
    assert {each.paper_id for each in again[1:]} == {each.id for each in papers}


def test_readers_of_before_0006_are_told_by_their_mailboxes_afterwards(reader, database):
    for number in range(3):
        reader(f"mira+{number}")
    with database.writing() as connection:
        migrate.downgrade(connection, "0005")
        migrate.upgrade(connection)
        assert migrate.differences(connection) == []
        assert connection.execute(select(SUBSCRIBER.c.mailbox)).scalars().all() == ["mira@lab.example"] * 3


def test_who_paused_up_to_a_day_gets_letters_in_0005_which_knows_no_end_of_a_pause_and_who_named_none_does_not(
    reader, database, now
):
    mira, jun, sana = reader("mira"), reader("jun"), reader("sana")
    said, changes = Consent("paused", "web 1", now), Changes(database)
    changes.pause(mira.public_id, None, date(2026, 12, 24), said)
    changes.pause(jun.public_id, None, None, said)
    with database.writing() as connection:
        migrate.downgrade(connection, "0005")
        names = {each["name"] for each in inspect(connection).get_columns("subscriber")}
        assert names.isdisjoint({"paused_until", "away_since"})
        found = dict(map(tuple, connection.execute(select(SUBSCRIBER.c.public_id, SUBSCRIBER.c.state)).all()))
        assert found == {"mira": "confirmed", "jun": "paused", "sana": "confirmed"}
    with database.writing() as connection:
        migrate.upgrade(connection)
        assert migrate.differences(connection) == []
    again = Changes(database).resume(jun.public_id, None, Consent("resumed", "web 1", now))
    assert again.state is SubscriberState.CONFIRMED
    assert Subscribers(database).by_public_id(sana.public_id).state is SubscriberState.CONFIRMED


def test_a_migration_that_fails_at_its_last_step_changes_nothing(old: Path):
    with closing(sqlite3.connect(old)) as plain, plain:
        plain.execute("ALTER TABLE sighting ADD COLUMN details TEXT")
    before = _schema(old)
    with pytest.raises(DatabaseUnavailable, match="duplicate column"):
        Database(f"sqlite:///{old}")
    assert _schema(old) == before


def test_a_migration_that_is_killed_at_its_last_step_changes_nothing_and_can_be_done_again(old: Path):
    before = _schema(old)
    code = (
        "import os\nfrom sqlalchemy import Engine, event\nfrom storage.database import Database\n"
        "def die(connection, cursor, statement, *rest):\n"
        "    if statement.startswith('UPDATE alembic_version'):\n"
        "        print('half done', flush=True)\n"
        "        os._exit(9)\n"
        "event.listen(Engine, 'before_cursor_execute', die)\n"
        f"Database('sqlite:///{old}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (9, "half done"), done.stderr
    assert _schema(old) == before
    with Database(f"sqlite:///{old}") as database:
        assert database.revision == migrate.HEAD
        assert Archive(database).paper(_KEY).id == 7


def _tables(file: Path) -> set[str]:
    return {name for name, _ in _schema(file)}


def _schema(file: Path) -> set[tuple[str, str]]:
    """Return (name, statement) of everything the file holds, and its revision."""
    with closing(sqlite3.connect(file)) as plain:
        made = set(plain.execute("SELECT name, coalesce(sql, '') FROM sqlite_master"))
        (revision,) = plain.execute("SELECT version_num FROM alembic_version").fetchone()
    return {*made, ("revision", revision)}

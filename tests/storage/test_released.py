"""Archives as released versions left them are migrated, and lose nothing.

released/NNNN.db.gz were written by the code of the last commit of schema NNNN: it read the demo's listing days, took
three readers and one who never confirmed, published and delivered the letters of one day, and published those of the
next, which nobody had sent when it ended. One reader left.
"""

import gzip
import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, insert, inspect, select, text, update

from digests.mail.joining import join
from domain.deliveries import DeliveryState
from domain.errors import DatabaseTooNew, DatabaseTooOld, DatabaseUnavailable
from storage import migrate, numbers
from storage.archive import Archive
from storage.database import Database
from storage.integrity import faults
from storage.issues import Issues
from storage.outbox import Outbox
from storage.restoring import prepared
from storage.subscribers import Subscribers
from storage.tables import CONSENT, DELIVERY, ISSUE_PAPER, SENT, SUBSCRIBER
from storage.topics import Topics

RELEASED = Path(__file__).with_name("released")
SCHEMAS = sorted(file.name.removesuffix(".db.gz") for file in RELEASED.glob("*.db.gz"))
READERS = [
    ("Mira.Okafor@lab.example", "confirmed"),
    ("jun@lab.example", "unsubscribed"),
    ("table@lab.example", "confirmed"),
    ("waiting@lab.example", "pending"),
]


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def released(schema: str, tmp_path: Path) -> Path:
    file = tmp_path / "archive.db"
    file.write_bytes(gzip.decompress((RELEASED / f"{schema}.db.gz").read_bytes()))
    return file


def content(file: Path) -> dict[str, Any]:
    """Return everything that a file holds: what made its tables, and all rows."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as plain:
        made = plain.execute("SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name").fetchall()
        tables = [name for name, sql in made if sql.startswith("CREATE TABLE") and not name.startswith("paper_fts")]
        rows = {name: sorted(plain.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for name in tables}  # noqa: S608 from above
    return {"made": made, **rows}


def ledger(file: Path) -> set[tuple[int, int]]:
    with closing(sqlite3.connect(file)) as plain:
        query = "SELECT i.subscriber_id, p.paper_id FROM issue_paper p JOIN issue i ON i.id = p.issue_id"
        return set(plain.execute(query).fetchall())


def test_every_schema_but_the_newest_has_an_archive_of_its_time():
    assert [*SCHEMAS, migrate.HEAD] == [f"{number:04}" for number in range(1, int(migrate.HEAD) + 1)]


def test_a_copy_of_the_file_as_it_was_is_left_beside_it(released: Path, schema: str):
    before = content(released)
    Database(f"sqlite:///{released}").close()
    copy = Path(f"{released}.schema-{schema}")
    assert content(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in released.parent.iterdir()} == {released.name, copy.name}


def test_papers_readers_issues_and_the_ledger_survive(released: Path):
    before, sent = content(released), ledger(released)
    with Database(f"sqlite:///{released}") as database:
        assert (database.revision, faults(database)) == (migrate.HEAD, ())
        papers = list(Archive(database).every())
        assert [each.key for each in papers] == [row[1] for row in sorted(before["paper"])]
        assert len(papers) == 61
        assert sum(len(Archive(database).sightings(each.id)) for each in papers) == len(before["sighting"])
        readers = list(Subscribers(database).everyone())
        assert [(each.email, each.state) for each in readers] == READERS
        assert len(Topics(database).all()) == 3
        assert len(Issues(database).records()) == 5
        assert Issues(database).reach().match == max(row[0] for row in before["match"])
        with database.reading() as connection:
            assert {tuple(row) for row in connection.execute(select(SENT.c.subscriber_id, SENT.c.paper_id))} == sent
            assert len(connection.execute(select(ISSUE_PAPER)).all()) == len(sent) == 26


def test_what_was_sent_is_replayed_byte_for_byte(released: Path):
    with Database(f"sqlite:///{released}") as database:
        outbox = Outbox(database)
        sent = outbox.records(DeliveryState.ACCEPTED)
        assert len(sent) == 4
        for each in sent:
            letter = outbox.letter(each.id)
            assert hashlib.sha256(join(letter.fragments, letter.slots)).hexdigest() == each.sha256
        assert len(outbox.records(DeliveryState.PLANNED)) == 2


def test_who_left_or_was_erased_is_not_brought_back_by_a_restore_over_it(released: Path, schema: str, tmp_path: Path):
    backup = tmp_path / "backup.db"
    backup.write_bytes(released.read_bytes())
    with closing(sqlite3.connect(backup)) as plain, plain:
        plain.execute("PRAGMA foreign_keys=ON")
        plain.execute("UPDATE subscriber SET state = 'confirmed' WHERE email LIKE 'jun@%'")
        plain.execute("DELETE FROM subscriber WHERE email LIKE 'waiting@%'")
    with closing(sqlite3.connect(released)) as plain, plain:
        plain.execute("UPDATE subscriber SET state = 'suppressed' WHERE email LIKE 'waiting@%'")
        if schema >= "0003":
            plain.execute(
                "INSERT INTO erasure SELECT public_id, '2026-11-20 08:00' FROM subscriber WHERE email LIKE 'table@%'"
            )
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    with prepared(backup, released, now) as ready:
        done = ready.put(now, lambda _done, _total: None)
    assert (done.was_readable, done.reapplied.stopped, done.reapplied.erased) == (True, 2, int(schema >= "0003"))
    with Database(f"sqlite:///{released}") as database:
        states = {each.email: each.state for each in Subscribers(database).everyone()}
    assert (states["jun@lab.example"], states["waiting@lab.example"]) == ("unsubscribed", "suppressed")
    assert ("table@lab.example" in states) == (schema < "0003")


def test_a_kill_in_the_middle_changes_nothing(released: Path):
    before = content(released)
    code = (
        "import os\nfrom sqlalchemy import Engine, event\nfrom storage.database import Database\n"
        "def die(connection, cursor, statement, *rest):\n"
        "    if statement.startswith('INSERT INTO paper_trait'):\n"
        "        print('half done', flush=True)\n"
        "        os._exit(9)\n"
        "event.listen(Engine, 'before_cursor_execute', die)\n"
        f"Database('sqlite:///{released}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (9, "half done"), done.stderr
    assert content(released) == before
    with Database(f"sqlite:///{released}") as database:
        assert faults(database) == ()


def test_a_disk_that_has_no_room_for_the_copy_changes_nothing(released: Path):
    before = content(released)
    code = (
        "import resource, signal\n"
        "from domain.errors import DatabaseUnavailable\n"
        "from storage.database import Database\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        f"try:\n    Database('sqlite:///{released}')\nexcept DatabaseUnavailable as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "no room to store" in done.stdout, done.stderr
    assert content(released) == before
    assert [each.name for each in released.parent.iterdir() if "schema" in each.name] == []


# -- up and down, on both kinds of database ----------------------------------------------------------------------------


@pytest.fixture
def full(database: Database, archive, listed, listing, reader, issue, now):
    """An archive of today with papers, a reader and an issue."""
    papers = archive.add(listing(*(listed(f"Tides of the {name} Sea") for name in ("North", "Red", "Dead"))), now).new
    issue(reader(), now, papers=[each.id for each in papers])
    return database


@pytest.mark.parametrize("revision", SCHEMAS)
def test_down_and_up_again_with_papers_and_letters(full: Database, archive, revision: str):
    papers, issues = list(archive.every()), Issues(full).records()
    for _ in range(2):
        with full.writing() as connection:
            migrate.downgrade(connection, revision)
        assert full.revision == revision
        with full.writing() as connection:
            migrate.upgrade(connection)
    assert (full.revision, faults(full)) == (migrate.HEAD, ())
    assert list(archive.every()) == papers
    assert Issues(full).records() == issues
    with full.reading() as connection:
        assert len(connection.execute(select(SENT)).all()) == 3


@pytest.mark.parametrize(
    ("actions", "was"),
    [
        (["asked", "confirmed"], "confirmed"),
        (["asked", "confirmed", "unsubscribed", "asked"], "unsubscribed"),
        (["asked", "unsubscribed", "vouched"], "confirmed"),
        (["asked"], "unsubscribed"),
    ],
)
def test_who_was_suppressed_already_becomes_again_what_they_agreed_to_last(full: Database, now, actions, was):
    with full.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(state="suppressed"))
        mira = connection.execute(text("SELECT id FROM subscriber")).scalar_one()
        connection.execute(text("DELETE FROM consent"))
        for action in actions:
            connection.execute(insert(CONSENT).values(subscriber_id=mira, action=action, wording="1", at=now))
        migrate.downgrade(connection, "0004")
        migrate.upgrade(connection)
        assert connection.execute(text("SELECT was FROM suppression")).scalar_one() == was


def test_a_letter_that_the_earlier_version_cannot_read_does_not_wait_there(full: Database):
    with full.writing() as connection:
        connection.execute(text("UPDATE content SET kind = 'goodbye'"))
        connection.execute(text("UPDATE delivery SET state = 'deferred'"))
        migrate.downgrade(connection, "0004")
        assert connection.execute(text("SELECT state FROM delivery")).scalar_one() == "skipped"
        migrate.upgrade(connection)


def test_a_delivery_s_number_is_never_given_twice_whatever_the_archive_went_through(full: Database):
    with full.writing() as connection:
        migrate.downgrade(connection, "0004")
        migrate.upgrade(connection)
        last = numbers.given(connection)
        row = connection.execute(select(DELIVERY)).mappings().one()
        connection.execute(delete(DELIVERY))
        connection.execute(insert(DELIVERY).values({name: value for name, value in row.items() if name != "id"}))
        assert connection.execute(select(DELIVERY.c.id)).scalar_one() == last + 1


def test_down_to_nothing_leaves_nothing(full: Database):
    with full.writing() as connection:
        migrate.downgrade(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_a_newer_database_is_refused_and_left_as_it_is(full: Database, url: str):
    with full.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for upgrade in (False, True):
        with pytest.raises(DatabaseTooNew, match=r"later version of Paperround \(schema 9999\); install that version"):
            Database(url, upgrade=upgrade)
    with full.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        assert len(connection.execute(select(SENT)).all()) == 3


# -- a server: others may be at work there -----------------------------------------------------------------------------


@pytest.fixture
def older(postgres_archive_url: str) -> str:
    """A database of PostgreSQL in which the tables are those of before."""
    with Database(postgres_archive_url) as database, database.writing() as connection:
        migrate.downgrade(connection, "0002")
    return postgres_archive_url


def test_an_older_database_on_a_server_waits_for_its_operator(older: str):
    with pytest.raises(DatabaseTooOld, match=r"schema 0002\); back it up, stop .* run: paperround archive migrate"):
        Database(older)
    with Database(older, upgrade=True) as database:
        assert (database.revision, faults(database)) == (migrate.HEAD, ())
    Database(older).close()


def test_two_processes_migrate_a_server_at_once(older: str):
    code = f"from storage.database import Database\nwith Database({older!r}, upgrade=True) as d: print(d.revision)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [migrate.HEAD] * 2


def test_a_migration_of_a_server_that_fails_changes_nothing(older: str):
    engine = create_engine(older.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE erasure (mine text)"))
    with pytest.raises(DatabaseUnavailable, match="erasure"):
        Database(older, upgrade=True)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
        assert not inspect(connection).has_table("sent")
        connection.execute(text("DROP TABLE erasure"))
    engine.dispose()
    Database(older, upgrade=True).close()

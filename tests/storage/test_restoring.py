"""An older state put back over a live archive: whole, held, and without forgetting who asked for no letters."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, delete, insert, select, text, update

from domain.errors import DatabaseTooNew, DatabaseUnavailable, UsageError
from storage import migrate, numbers
from storage.archive import Archive
from storage.backup import back_up
from storage.database import Database
from storage.installation import Installation
from storage.restoring import Restored, prepared
from storage.tables import CONSENT, ERASURE, MARKER, SUBSCRIBER

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
SCRIPT = Path(__file__).with_name("restores.py")


def quietly(_done: int, _total: int) -> None:
    pass


def restore(file: Path, live: Path) -> Restored:
    with prepared(file, live, NOW) as ready:
        return ready.put(NOW, quietly)


def papers(file: Path) -> int:
    with Database(f"sqlite:///{file}") as database:
        return Archive(database).stats()["papers"]


def held(file: Path) -> str:
    with Database(f"sqlite:///{file}") as database:
        hold = Installation(database).hold()
    return hold.reason if hold else ""


@pytest.fixture
def live(tmp_path: Path, listed, listing) -> Path:
    """An archive of three papers that has sent before."""
    file = tmp_path / "paperround.db"
    with Database(f"sqlite:///{file}") as database:
        Archive(database).add(listing(*(listed(f"Tides of {n}", rank=n) for n in (1, 2, 3))), NOW)
        assert Installation(database).begin(NOW) is None
    return file


@pytest.fixture
def backup(live: Path, tmp_path: Path) -> Path:
    file = tmp_path / "backup.db"
    with Database(f"sqlite:///{live}") as database:
        back_up(database, file, NOW, quietly)
    return file


@pytest.fixture
def later(live: Path, backup: Path, listed, listing) -> Path:
    """The archive after one more paper than the backup has."""
    with Database(f"sqlite:///{live}") as database:
        Archive(database).add(listing(listed("Tides of 4")), NOW)
    return live


def test_the_archive_is_kept_replaced_and_held(later: Path, backup: Path, tmp_path: Path):
    done = restore(backup, later)
    assert (done.holdings.papers, done.was_readable, papers(later)) == (3, True, 3)
    assert done.kept == tmp_path / "paperround.db.before-restore-20261120T080000Z"
    assert papers(done.kept) == 4
    assert later.stat().st_mode & 0o777 == 0o600
    assert held(later) == "this archive was restored from backup.db on 2026-11-20 08:00 UTC"
    assert restore(backup, later).kept.name == "paperround.db.before-restore-20261120T080000Z-2"
    assert [each.name for each in tmp_path.iterdir() if ".part" in each.name] == []


def test_a_backup_of_the_same_day_is_held_although_nothing_was_sent_since(live: Path, backup: Path):
    restore(backup, live)
    assert held(live).startswith("this archive was restored")


def test_where_there_is_no_archive_it_is_put(backup: Path, tmp_path: Path):
    (tmp_path / "new").mkdir()
    done = restore(backup, tmp_path / "new" / "paperround.db")
    assert (done.kept, papers(tmp_path / "new" / "paperround.db")) == (None, 3)
    assert held(tmp_path / "new" / "paperround.db")


@pytest.mark.parametrize("damage", ["garbage", "cut short", "a byte too few", "empty"])
def test_what_is_no_whole_archive_changes_nothing(later: Path, backup: Path, tmp_path: Path, damage: str):
    whole = backup.read_bytes()
    bad = {"garbage": b"a letter to my aunt " * 999, "cut short": whole[: len(whole) // 2], "empty": b""}
    (tmp_path / "bad.db").write_bytes(bad.get(damage, whole[:-1]))
    before = sorted(tmp_path.iterdir())
    with pytest.raises((DatabaseUnavailable, UsageError), match=r"bad\.db"):
        restore(tmp_path / "bad.db", later)
    assert papers(later) == 4
    assert sorted(tmp_path.iterdir()) == before


def test_a_page_that_was_written_over_is_found(later: Path, backup: Path):
    with backup.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(DatabaseUnavailable, match="damaged"):
        restore(backup, later)
    assert papers(later) == 4


def test_other_programs_databases_and_itself_are_refused(later: Path, tmp_path: Path, backup: Path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(UsageError, match="not a Paperround archive"):
        restore(tmp_path / "other.db", later)
    with pytest.raises(UsageError, match="another program's database"):
        restore(backup, tmp_path / "other.db")
    (tmp_path / "link.db").symlink_to(later)
    for itself in (later, tmp_path / "link.db"):
        with pytest.raises(UsageError, match="the archive itself"):
            restore(itself, later)
    with pytest.raises(UsageError, match="no file"):
        restore(tmp_path / "missing.db", later)
    assert papers(later) == 4


def test_a_later_schema_is_refused(later: Path, backup: Path):
    with closing(sqlite3.connect(backup)) as plain, plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match=r"backup\.db was written by a later version"):
        restore(backup, later)
    assert papers(later) == 4


def test_an_earlier_schema_is_brought_to_todays_and_held(later: Path, tmp_path: Path):
    old = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        command.upgrade(migrate.configuration(connection), "0001")
    engine.dispose()
    before = old.read_bytes()
    restore(old, later)
    with Database(f"sqlite:///{later}") as database:
        assert database.revision == migrate.HEAD
    assert (papers(later), bool(held(later)), old.read_bytes() == before) == (0, True, True)
    assert [each.name for each in tmp_path.iterdir() if "schema" in each.name] == []


def test_over_an_archive_of_a_later_version_or_a_damaged_one(later: Path, backup: Path, tmp_path: Path):
    with closing(sqlite3.connect(later)) as plain, plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    assert restore(backup, later).was_readable
    later.write_bytes(b"the disk wrote this " * 999)
    done = restore(backup, later)
    assert (done.was_readable, papers(later), bool(held(later))) == (False, 3, True)
    assert done.kept.read_bytes().startswith(b"the disk wrote this")
    assert len(list(tmp_path.glob("*before-restore*"))) == 2


def test_a_file_in_pages_of_another_size_is_taken(later: Path, backup: Path):
    with closing(sqlite3.connect(backup, isolation_level=None)) as plain:
        plain.execute("PRAGMA page_size=8192")
        plain.execute("VACUUM")
    restore(backup, later)
    assert papers(later) == 3


def test_a_file_that_was_copied_with_its_log_and_one_on_a_medium_that_cannot_be_written(
    later: Path, tmp_path: Path, listed, listing
):
    place = tmp_path / "medium"
    place.mkdir()
    with Database(f"sqlite:///{later}") as database:
        Archive(database).add(listing(listed("Tides of 5")), NOW)  # stands in the log alone
        for suffix in ("", "-wal"):
            shutil.copy(f"{later}{suffix}", f"{place}/copy.db{suffix}")
    restore(place / "copy.db", tmp_path / "first.db")
    assert papers(tmp_path / "first.db") == 5
    shutil.copy(later, place / "alone.db")
    (place / "alone.db").chmod(0o400)
    place.chmod(0o500)
    restore(place / "alone.db", tmp_path / "second.db")
    place.chmod(0o700)
    assert papers(tmp_path / "second.db") == 5
    assert not (place / "alone.db-wal").exists()


# -- who must not be forgotten -----------------------------------------------------------------------------------------


def reader(number: int, state: str) -> dict:
    address = f"r{number}@lab.example"
    return {
        "id": number, "public_id": f"p{number}", "email": address, "address_key": address, "state": state,
        "every": "day", "weekday": 0, "hour": 7, "zone": "UTC", "shared": False, "created_at": NOW,
    }  # fmt: skip


def test_erasures_unsubscribes_and_suppressions_since_the_backup_are_said_to_it_again(live: Path, tmp_path: Path):
    then = NOW - timedelta(hours=3)
    with Database(f"sqlite:///{live}") as database:
        states = ("confirmed", "confirmed", "confirmed", "unsubscribed", "confirmed", "confirmed")
        with database.writing() as connection:
            connection.execute(insert(SUBSCRIBER), [reader(n, state) for n, state in enumerate(states, 1)])
            connection.execute(insert(CONSENT).values(subscriber_id=2, action="confirmed", wording="v1", at=then))
        back_up(database, tmp_path / "backup.db", NOW, quietly)
        with database.writing() as connection:
            connection.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id == 1))
            connection.execute(insert(ERASURE).values(public_id="p1", at=NOW))
            for number, state in ((2, "unsubscribed"), (3, "suppressed"), (4, "confirmed"), (6, "paused")):
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == number).values(state=state))
            connection.execute(insert(CONSENT).values(subscriber_id=2, action="unsubscribed", wording="v2", at=NOW))
            connection.execute(insert(SUBSCRIBER), [reader(7, "unsubscribed")])
    done = restore(tmp_path / "backup.db", live)
    assert (done.reapplied.erased, done.reapplied.stopped) == (1, 3)
    with Database(f"sqlite:///{live}") as database, database.reading() as connection:
        found = dict(map(tuple, connection.execute(select(SUBSCRIBER.c.public_id, SUBSCRIBER.c.state))))
        # One who left before the backup and came back after it has to come back again: rather no letter than one more.
        assert found == {
            "p2": "unsubscribed", "p3": "suppressed", "p4": "unsubscribed", "p5": "confirmed", "p6": "paused"
        }  # fmt: skip
        assert [row.public_id for row in connection.execute(select(ERASURE))] == ["p1"]
        said = connection.execute(select(CONSENT.c.action).where(CONSENT.c.subscriber_id == 2).order_by(CONSENT.c.id))
        assert list(said.scalars()) == ["confirmed", "unsubscribed"]
    again = restore(tmp_path / "backup.db", live)
    assert (again.reapplied.erased, again.reapplied.stopped) == (1, 3)


def test_who_moved_to_another_address_since_the_backup_does_not_move_back(live: Path, tmp_path: Path):
    long_ago = NOW - timedelta(days=9)

    def moved(connection, number: int, at: datetime) -> None:
        values = {"email": f"R{number}@sea.example", "address_key": f"r{number}@sea.example"}
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == number).values(values))
        said = {"action": "address changed", "wording": "v1", "place": "/address"}
        connection.execute(insert(CONSENT).values(subscriber_id=number, at=at, **said))

    with Database(f"sqlite:///{live}") as database:
        with database.writing() as connection:
            connection.execute(insert(SUBSCRIBER), [reader(n, "confirmed") for n in range(1, 6)])
            taken = {"email": "r3@sea.example", "address_key": "r3@sea.example", "joined_at": NOW}
            stranger = {"email": "r4@sea.example", "address_key": "r4@sea.example", "joined_at": None}
            connection.execute(insert(SUBSCRIBER), [reader(6, "confirmed") | taken, reader(7, "pending") | stranger])
            moved(connection, 2, long_ago)
        back_up(database, tmp_path / "backup.db", NOW, quietly)
        with database.writing() as connection:
            connection.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id.in_([6, 7])))
            for number in (1, 3, 4, 5):
                moved(connection, number, NOW)
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == 5).values(state="unsubscribed"))
            connection.execute(insert(CONSENT).values(subscriber_id=5, action="unsubscribed", wording="v1", at=NOW))
            # Changed by hand since: what was moved before the backup is none of what is said to it again.
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == 2).values(email="by@hand.example"))
    for _ in range(2):
        restore(tmp_path / "backup.db", live)
        with Database(f"sqlite:///{live}") as database, database.reading() as connection:
            rows = connection.execute(select(SUBSCRIBER).order_by(SUBSCRIBER.c.id)).all()
            found = {row.public_id: (row.email, row.address_key, row.state) for row in rows}
            said = [tuple(row) for row in connection.execute(select(CONSENT.c.subscriber_id, CONSENT.c.action))]
        assert found == {
            "p1": ("R1@sea.example", "r1@sea.example", "confirmed"),
            "p2": ("R2@sea.example", "r2@sea.example", "confirmed"),
            "p3": ("r3@lab.example", "r3@lab.example", "confirmed"),  # somebody else has it there
            "p4": ("R4@sea.example", "r4@sea.example", "confirmed"),  # who only typed it gives way
            "p5": ("R5@sea.example", "r5@sea.example", "unsubscribed"),
            "p6": ("r3@sea.example", "r3@sea.example", "confirmed"),
        }
        changed = sorted(number for number, action in said if action == "address changed")
        assert changed == [1, 2, 4, 5]
        assert (5, "unsubscribed") in said


# -- although others are at work ---------------------------------------------------------------------------------------


def at_work(file: Path, loop: str) -> subprocess.Popen:
    code = (
        "from sqlalchemy import text\nfrom storage.database import Database\n"
        f"with Database('sqlite:///{file}') as d:\n    print('begun', flush=True)\n    while True:\n{loop}"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    return process


def test_one_that_writes_and_one_that_reads_all_the_time_see_the_old_or_the_new_whole(
    later: Path, backup: Path, tmp_path: Path
):
    """In the old state there are 4 papers and as many sightings, in the new 3: nobody may see a mixture."""
    reads = (
        "        with d.reading() as c:\n"
        "            n = [c.execute(text(f'SELECT count(*) FROM {t}')).scalar() for t in ('paper', 'sighting')]\n"
        "        assert n in ([4, 4], [3, 3]), n\n"
        "        if n == [3, 3]: print('new', flush=True); break\n"
    )
    writes = (
        "        with d.writing() as c:\n"
        "            c.execute(text('INSERT INTO marker VALUES (1, 1) ON CONFLICT DO UPDATE SET value = value + 1'))\n"
        "            n = c.execute(text('SELECT count(*) FROM paper')).scalar()\n"
        "        if n == 3: print('new', flush=True); break\n"
    )
    with at_work(later, reads) as reader_process, at_work(later, writes) as writer_process:
        done = restore(backup, later)
        for process in (reader_process, writer_process):
            assert process.communicate(timeout=60) == ("new\n", "")
    with Database(f"sqlite:///{later}") as database, database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        # What it wrote to the new state is there, and nothing of what it wrote to the old one.
        assert connection.execute(select(MARKER.c.value).where(MARKER.c.name == "1")).scalar() == 1
    assert papers(done.kept) == 4


def test_killed_at_any_step_there_is_the_old_archive_or_the_new_and_the_new_one_is_held(
    later: Path, backup: Path, tmp_path: Path
):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(backup), str(later), str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 5
    assert [row["killed"] for row in rows] == [True] * (len(rows) - 1) + [False]
    for row in rows:
        assert row["fault"] == "", row
        assert (row["papers"], row["held"]) in ((4, False), (3, True)), row
    assert [row["papers"] for row in rows] == sorted((row["papers"] for row in rows), reverse=True)
    assert rows[0]["papers"] == 4
    assert rows[-1]["papers"] == 3


def test_a_number_that_a_later_letter_had_is_not_given_again(live: Path, backup: Path):
    with closing(sqlite3.connect(live)) as plain, plain:
        plain.execute("UPDATE sqlite_sequence SET seq = 41 WHERE name = 'delivery'")
        plain.execute("INSERT INTO sqlite_sequence SELECT 'delivery', 41 WHERE changes() = 0")
    restore(backup, live)
    with Database(f"sqlite:///{live}") as database, database.reading() as connection:
        assert numbers.given(connection) == 41

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from domain.errors import DatabaseBusy, DatabaseTooNew, DatabaseUnavailable
from storage import migrate
from storage.archive import Archive
from storage.database import Database
from storage.tables import MARKER, RUN


def test_a_missing_database_is_made_for_its_owner_alone(tmp_path: Path):
    with Database(f"sqlite:///{tmp_path}/what?a=b & %20.db") as database:
        assert database.revision == migrate.HEAD
        assert database.size_bytes > 0
    (made,) = tmp_path.glob("*.db")
    assert made.name == "what?a=b & %20.db"
    assert made.stat().st_mode & 0o077 == 0


def test_a_missing_folder_is_not_made_up(tmp_path: Path):
    with pytest.raises(DatabaseUnavailable, match="folder of the database"):
        Database(f"sqlite:///{tmp_path}/mispelt/archive.db")
    assert list(tmp_path.iterdir()) == []


def test_another_programs_database_is_left_alone(tmp_path: Path):
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE diary (day TEXT)")
    other.close()
    with pytest.raises(DatabaseUnavailable, match="another program's database"):
        Database(f"sqlite:///{tmp_path}/other.db")


def test_the_newest_migration_is_the_one_that_the_code_expects():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == migrate.HEAD


def test_the_migrations_make_the_tables_that_the_code_describes(empty_url: str):
    with Database(empty_url) as database, database.reading() as connection:
        assert migrate.differences(connection) == []


def test_two_processes_open_a_new_database_at_once(empty_url: str):
    code = f"from storage.database import Database\nwith Database({empty_url!r}) as d: print(d.revision)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [migrate.HEAD] * 2


def test_no_update_is_lost_between_two_writers(url: str):
    with Database(url) as first, Database(url) as second:
        with first.writing() as connection:
            connection.execute(insert(MARKER).values(name="n", value=0))

        def count(database: Database) -> None:
            for _ in range(100):
                with database.writing() as connection:
                    value = connection.execute(select(MARKER.c.value)).scalar_one()
                    connection.execute(MARKER.update().values(value=value + 1))

        threads = [threading.Thread(target=count, args=(each,)) for each in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with first.reading() as connection:
            assert connection.execute(select(MARKER.c.value)).scalar_one() == 200


def test_naive_instants_are_refused_and_aware_ones_come_back_in_utc(database: Database):
    values = {"job": "j", "owner": "o", "counts": {}, "lease_until": datetime(2026, 1, 1, tzinfo=UTC)}
    with pytest.raises(DatabaseUnavailable, match="without a time zone"), database.writing() as connection:
        connection.execute(insert(RUN).values(slot="1", started_at=datetime(2026, 1, 1), **values))  # noqa: DTZ001 the point
    from zoneinfo import ZoneInfo

    with database.writing() as connection:
        berlin = datetime(2026, 7, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))
        connection.execute(insert(RUN).values(slot="2", started_at=berlin, status="", error="", **values))
    with database.reading() as connection:
        assert connection.execute(select(RUN.c.started_at)).scalar_one() == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_a_failure_in_the_middle_changes_nothing(database: Database):
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(MARKER).values(name="n", value=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as connection:
        assert connection.execute(select(MARKER)).all() == []


def test_a_database_that_another_holds_is_busy_and_says_so(sqlite_url: str, tmp_path: Path):
    with Database(sqlite_url, busy_seconds=0.05) as database:
        holder = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="held by another process"), database.writing():
            pass
        holder.close()


def test_a_database_of_a_later_version_is_left_alone(url: str):
    with Database(url) as database, database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="later version"):
        Database(url)


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path):
    (tmp_path / "archive.db").write_bytes(b"this is a letter to my aunt, not a database" * 100)
    with pytest.raises(DatabaseUnavailable, match="not a Paperround database"):
        Database(f"sqlite:///{tmp_path}/archive.db")


def test_a_folder_in_the_place_of_the_database_is_said_so(tmp_path: Path):
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        Database(f"sqlite:///{tmp_path}")


def test_a_parent_that_is_a_file_is_said_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="folder of the database"):
        Database(f"sqlite:///{tmp_path}/file/archive.db")


def test_a_read_only_database_is_said_so(sqlite_url: str):
    Database(sqlite_url).close()
    with Database(sqlite_url) as database:
        with database.writing() as connection:
            connection.execute(text("PRAGMA query_only=ON"))
        with pytest.raises(DatabaseUnavailable, match="read-only"), database.writing() as connection:
            connection.execute(insert(MARKER).values(name="n", value=1))


def test_a_full_disk_while_storing_changes_nothing(sqlite_url: str, listed, listing, now):
    with Database(sqlite_url) as database:
        archive = Archive(database)
        archive.add(listing(listed("There Before the Disk Was Full")), now)
        with database.writing() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count={pages + 2}"))
        many = listing(*(listed(f"Title {n} of the Flood", abstract="word " * 500, rank=n + 1) for n in range(200)))
        with pytest.raises(DatabaseUnavailable, match="full"):
            archive.add(many, now)
        assert archive.stats()["papers"] == 1
        with database.reading() as connection:
            connection.execute(text("PRAGMA max_page_count=1000000"))
        assert len(archive.add(many, now).new) == 200


def test_a_database_in_a_folder_without_write_permission_is_said_so(tmp_path: Path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and "pytest" in str(parent):
            parent.chmod(0o755)
    code = (
        "from storage.database import Database\nfrom domain.errors import DatabaseUnavailable\n"
        f"try: Database('sqlite:///{folder}/a.db')\nexcept DatabaseUnavailable as e: print('said', e)"
    )
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        drop = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        command = [sys.executable, "-c", "from storage.database import Database\n" + drop + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("said the database"), done.stderr


def test_another_programs_database_stays_as_it_is_byte_for_byte(tmp_path: Path):
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE diary (day TEXT)")
    before = file.read_bytes()
    with pytest.raises(DatabaseUnavailable, match="another program's database"):
        Database(f"sqlite:///{file}")
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]

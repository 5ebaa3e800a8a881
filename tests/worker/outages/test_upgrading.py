"""An archive of an earlier version, with letters of a worker that was stopped or killed, is upgraded as documented."""

import gzip
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.clock import FixedClock
from storage import migrate
from storage.database import Database

ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "tests" / "storage" / "released"
SCHEMAS = sorted(file.name.removesuffix(".db.gz") for file in RELEASED.glob("*.db.gz"))
LETTERS = 8


@pytest.fixture
def clock():
    return FixedClock(datetime.now(UTC))  # the processes go by the machine's


@pytest.fixture
def said(town):
    """Run a command as a process; return its end and what it said."""

    def go(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "paperround", "--config", town.settings(), *arguments],
            cwd=town.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        return done.stdout + done.stderr

    return go


@pytest.fixture
def obey(town):
    """Run a command in this process, which opens and closes the archive as one of its own would."""

    def go(*arguments, code=0):
        ran = town.command(*arguments)
        assert ran.code == code, ran.err

    return go


@pytest.fixture
def work(town, relay):
    """Let a worker run until so many letters came, then stop it as a service is stopped."""

    def go(number):
        came = threading.Event()

        def after_dot(_recipient):
            if len(relay.arrived) >= number:
                came.set()
            return b"250 2.0.0 queued"

        relay.after_dot = after_dot
        command = [sys.executable, "-m", "paperround", "--config", town.settings(), "worker"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=town.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert came.wait(120)
                process.send_signal(signal.SIGTERM)
                _, told = process.communicate(timeout=60)
            finally:
                process.kill()
        assert (process.returncode, "Traceback" in told) == (0, False), told

    return go


@pytest.fixture(scope="module")
def dead():
    """The name of a worker of this machine whose process is gone."""
    code = "from worker.liveness import worker_name; print(worker_name())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def times(relay):
    """How often each letter came, by its Message-ID."""
    return Counter(each.parsed["Message-ID"] for each in relay.arrived)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_with_letters_of_a_killed_worker_is_upgraded_and_each_leaves_once(town, relay, obey, dead, schema):
    file = town.folder / "archive.db"
    file.write_bytes(gzip.decompress((RELEASED / f"{schema}.db.gz").read_bytes()))
    later = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(file)) as old, old:  # what waited then waits now, and one of them was leased
        old.execute("UPDATE delivery SET expires_at = ? WHERE state = 'planned'", [later])
        old.execute(
            "UPDATE delivery SET state = 'leased', worker = ?, lease_until = ? WHERE id ="
            " (SELECT max(id) FROM delivery WHERE state = 'planned')",
            [dead, later],
        )
        query = "SELECT message_id FROM delivery WHERE state IN ('planned', 'leased')"
        waiting = [row[0] for row in old.execute(query)]
    shutil.copyfile(file, town.folder / "before.db")

    obey("archive", "check")
    assert (town.folder / f"archive.db.schema-{schema}").read_bytes()[:16] == b"SQLite format 3\0"
    obey("deliveries", "resume")  # it was moved here, which the house sees
    obey("run", "--once")

    assert len(waiting) == 2
    assert {each: times(relay)[each] for each in waiting} == dict.fromkeys(waiting, 1)
    assert set(times(relay).values()) == {1}

    # The way back: the older state is known for what it is, and sends nothing a second time.
    shutil.copyfile(town.folder / f"archive.db.schema-{schema}", file)
    for end in ("-wal", "-shm"):
        (town.folder / f"archive.db{end}").unlink(missing_ok=True)
    before = len(relay.arrived)
    obey("deliver", code=1)
    assert len(relay.arrived) == before
    obey("deliveries", "resume", "--skip-waiting")
    obey("deliver")
    assert len(relay.arrived) == before


@pytest.mark.engines("postgresql")
def test_a_server_is_upgraded_when_it_is_said_so_and_each_letter_leaves_once(town, relay, names, said, work, dead):
    town.readers(*names("reader", LETTERS, "lab.example"))
    assert town.publish() == LETTERS
    later = datetime.now(UTC) + timedelta(hours=1)
    with town.house.database.writing() as connection:
        leased = text("UPDATE delivery SET state = 'leased', worker = :dead, lease_until = :later WHERE id % 2 = 0")
        connection.execute(leased, {"dead": dead, "later": later})
        migrate.downgrade(connection, SCHEMAS[-1])
    town.end()

    assert "earlier version" in said("worker", code=3)
    said("archive", "migrate")
    said("archive", "check")
    work(LETTERS)

    assert set(times(relay).values()) == {1}
    assert len(times(relay)) == LETTERS
    assert town.states() == {"accepted": LETTERS}
    town.is_sound()


@pytest.mark.engines("postgresql")
def test_a_process_of_an_older_version_leaves_a_newer_database_as_it_is(town, said, url):
    with Database(url) as database, database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "a later version" in said("worker", code=3)
    with closing(__import__("psycopg").connect(url)) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_the_document_names_the_commands_that_are_tried_here():
    document = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^paperround (.+)$", document, flags=re.MULTILINE))
    assert commands == {
        "archive backup before.db",
        "archive check",
        "archive migrate",
        "deliveries resume --skip-waiting",
    }

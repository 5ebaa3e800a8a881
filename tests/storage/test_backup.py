"""A backup is whole, taken while others write, and never the archive itself."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import DatabaseUnavailable, UsageError
from storage.archive import Archive
from storage.backup import Holdings, back_up
from storage.database import Database
from storage.installation import Installation

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def quietly(_done: int, _total: int) -> None:
    pass


@pytest.fixture
def live(tmp_path: Path, listed, listing) -> Path:
    """An archive of many pages."""
    file = tmp_path / "paperround.db"
    with Database(f"sqlite:///{file}") as database:
        papers = (listed(f"Tides of basin {n}", abstract="what moves " * 500, rank=n + 1) for n in range(1500))
        Archive(database).add(listing(*papers), NOW)
    return file


@pytest.fixture
def writer(live: Path):
    """A process that changes two rows in one transaction, again and again: in any one state they are equal."""
    code = (
        "from sqlalchemy import update\nfrom storage.database import Database\nfrom storage.tables import MARKER\n"
        f"with Database('sqlite:///{live}') as d:\n"
        "    with d.writing() as c:\n"
        "        c.execute(MARKER.insert(), [{'name': 'a', 'value': 0}, {'name': 'b', 'value': 0}])\n"
        "    print('writing', flush=True)\n"
        "    while True:\n"
        "        with d.writing() as c:\n"
        "            for name in 'ab':\n"
        "                c.execute(update(MARKER).where(MARKER.c.name == name).values(value=MARKER.c.value + 1))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_it_is_one_state_although_another_process_writes_all_the_time(live: Path, tmp_path: Path, writer):
    target = tmp_path / "copy.db"
    steps: list[tuple[int, int]] = []
    with Database(f"sqlite:///{live}") as database:
        held = back_up(database, target, NOW, lambda done, total: steps.append((done, total)))
    assert writer.poll() is None
    assert held == Holdings(papers=1500, readers=0, issues=0, size_bytes=target.stat().st_size)
    assert len(steps) > 1
    assert steps[-1][0] == steps[-1][1]
    assert target.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(target)) as plain:
        assert len({value for (value,) in plain.execute("SELECT value FROM marker")}) == 1
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(each.name for each in tmp_path.iterdir() if "copy" in each.name) == ["copy.db"]


def test_it_is_held_wherever_it_is_opened_and_the_archive_is_not(live: Path, tmp_path: Path):
    with Database(f"sqlite:///{live}") as database:
        back_up(database, tmp_path / "copy.db", NOW, quietly)
        assert Installation(database).begin(NOW) is None
    with Database(f"sqlite:///{tmp_path}/copy.db") as copied:
        assert (
            Installation(copied).begin(NOW).reason == "this archive was restored from a backup of 2026-11-20 08:00 UTC"
        )


def test_a_file_that_is_there_is_written_over_only_where_that_is_said(live: Path, tmp_path: Path):
    target = tmp_path / "copy.db"
    target.write_text("my diary")
    with Database(f"sqlite:///{live}") as database:
        with pytest.raises(UsageError, match="--force"):
            back_up(database, target, NOW, quietly)
        assert target.read_text() == "my diary"
        back_up(database, target, NOW, quietly, force=True)
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_it_never_goes_over_the_archive_under_whatever_name(live: Path, tmp_path: Path):
    (tmp_path / "link.db").symlink_to(live)
    os.link(live, tmp_path / "hard.db")
    (tmp_path / "folder").mkdir()
    names = ("paperround.db", "link.db", "hard.db", "paperround.db-wal", "paperround.db-shm", "paperround.db.passes")
    with Database(f"sqlite:///{live}") as database:
        for name in (*names, "folder/../paperround.db"):
            with pytest.raises(UsageError, match="the archive itself"):
                back_up(database, tmp_path / name, NOW, quietly, force=True)
        with pytest.raises(UsageError, match="not a file"):
            back_up(database, tmp_path / "folder", NOW, quietly, force=True)
        assert Archive(database).stats()["papers"] == 1500


def test_one_that_is_interrupted_or_cannot_be_written_leaves_nothing(live: Path, tmp_path: Path):
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with Database(f"sqlite:///{live}") as database:
        before = sorted(tmp_path.iterdir())
        with pytest.raises(KeyboardInterrupt):
            back_up(database, tmp_path / "copy.db", NOW, interrupt)
        with pytest.raises(DatabaseUnavailable, match="cannot be written"):
            back_up(database, tmp_path / "nowhere" / "copy.db", NOW, quietly)
        assert sorted(tmp_path.iterdir()) == before


def test_an_archive_in_memory_cannot_be_backed_up(tmp_path: Path):
    with Database("sqlite://") as database, pytest.raises(UsageError, match="memory"):
        back_up(database, tmp_path / "copy.db", NOW, quietly)

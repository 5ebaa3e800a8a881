"""Copies of an archive that sends: each scenario of docs/decisions/0013 on real files."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from domain.errors import DatabaseUnavailable, UsageError
from domain.holding import MOVED, OLDER
from storage.database import Database
from storage.installation import PAUSED, UNFINISHED, Installation, mark_held, residence
from storage.tables import CONTENT, DELIVERY, SUBSCRIBER

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
STATES = ("planned", "deferred", "leased", "sending", "uncertain", "accepted", "expired")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of an archive that has sent once."""
    folder = tmp_path / "home"
    folder.mkdir()
    with Database(f"sqlite:///{folder}/paperround.db") as database:
        one_pass(database)
    return folder


def one_pass(database: Database) -> None:
    assert Installation(database).begin(NOW) is None
    Installation(database).end()


def hold(folder: Path) -> str:
    with Database(f"sqlite:///{folder}/paperround.db") as database:
        found = Installation(database).hold()
        begun = Installation(database).begin(NOW)
        assert (found is None) == (begun is None)
        return found.reason if found else ""


def copied(file: Path, target: Path) -> Path:
    with closing(sqlite3.connect(file)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target


def fill(database: Database) -> None:
    """Store one letter in each state, and one that waits for the operator's word."""
    with database.writing() as connection:
        connection.execute(
            insert(SUBSCRIBER).values(
                id=1, public_id="r", email="a@lab.example", address_key="a@lab.example", state="confirmed",
                every="day", weekday=0, hour=7, zone="UTC", shared=False, created_at=NOW,
            )
        )  # fmt: skip
        connection.execute(
            insert(CONTENT).values(id=1, content_key="k", kind="digest", subject="s", fragments=[], size=0)
        )
        for number, state in enumerate((*STATES, "uncertain")):
            waits = None if state in {"accepted", "expired"} or number == len(STATES) else NOW
            row = {"message_key": str(number), "subscriber_id": 1, "content_id": 1, "recipient": "a@lab.example"}
            connection.execute(
                insert(DELIVERY).values(
                    **row, slots={}, state=state, not_before=waits, message_id="m", date=NOW, expires_at=NOW
                )
            )


def test_what_was_never_copied_goes_on_however_often_it_is_opened(home: Path):
    assert [hold(home) for _ in range(3)] == ["", "", ""]
    said = json.loads((home / "paperround.db.passes").read_text())
    assert said["passes"] == 5
    assert (home / "paperround.db.passes").stat().st_mode & 0o077 == 0
    assert sorted(each.name for each in home.iterdir()) == ["paperround.db", "paperround.db.passes"]


def test_a_folder_that_is_copied_is_held_and_the_original_is_not(home: Path, tmp_path: Path):
    shutil.copytree(home, tmp_path / "copy")
    assert (hold(tmp_path / "copy"), hold(home)) == (MOVED, "")


def test_a_folder_that_is_renamed_goes_on(home: Path, tmp_path: Path):
    home.rename(tmp_path / "elsewhere")
    assert hold(tmp_path / "elsewhere") == ""


def test_an_older_state_written_over_the_file_is_held(home: Path):
    file = home / "paperround.db"
    copy = copied(file, home / "copy.db")
    with Database(f"sqlite:///{file}") as database:
        one_pass(database)
    before = file.stat().st_ino
    file.write_bytes(copy.read_bytes())  # what cp does: the inode stays
    assert file.stat().st_ino == before
    assert hold(home) == OLDER


def test_an_older_state_moved_over_the_file_is_held(home: Path):
    copied(home / "paperround.db", home / "copy.db").replace(home / "paperround.db")
    assert hold(home) == MOVED


def test_a_copy_that_was_taken_during_a_pass_is_held_once_the_pass_has_ended(home: Path):
    file = home / "paperround.db"
    with Database(f"sqlite:///{file}") as database:
        Installation(database).begin(NOW)
        copy = copied(file, home / "copy.db")
        Installation(database).end()
    file.write_bytes(copy.read_bytes())
    assert hold(home) == OLDER


def test_a_note_that_was_taken_away_holds_until_the_operator_resumes(home: Path):
    (home / "paperround.db.passes").unlink()
    assert hold(home) == OLDER
    with Database(f"sqlite:///{home}/paperround.db") as database:
        assert Installation(database).resume(NOW).was == OLDER
    assert hold(home) == ""


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b'{"archive": "x", "passes": "many"}', b"\xff\x00"])
def test_a_note_that_cannot_be_understood_holds(home: Path, note: bytes):
    (home / "paperround.db.passes").write_bytes(note)
    assert hold(home) == OLDER


def test_one_file_under_two_names_has_one_note(home: Path, tmp_path: Path):
    (tmp_path / "paperround.db").symlink_to(home / "paperround.db")
    assert (hold(tmp_path), hold(home)) == ("", "")
    assert list(tmp_path.glob("*.passes")) == []


def test_a_crash_between_the_first_commit_and_its_note_holds_nobody(tmp_path: Path):
    note = tmp_path / "paperround.db.passes"
    seen: list[str] = []
    with Database(f"sqlite:///{tmp_path}/paperround.db") as database:
        event.listen(database._engine, "commit", lambda _: seen.append(note.read_text() if note.exists() else ""))
        assert Installation(database).begin(NOW) is None
    assert json.loads(seen[-1])["passes"] == 0
    assert json.loads(note.read_text())["passes"] == 1
    note.write_text(seen[-1])  # as if it had died after its commit
    assert hold(tmp_path) == ""


def test_nothing_is_sent_where_the_note_cannot_be_written(home: Path):
    note = home / "paperround.db.passes"
    note.rename(home / "lost")
    note.mkdir()
    with (
        Database(f"sqlite:///{home}/paperround.db") as database,
        pytest.raises(DatabaseUnavailable, match=r"paperround\.db\.passes"),
    ):
        Installation(database).begin(NOW)


def test_passes_that_overlap_never_set_the_note_back(home: Path):
    file = home / "paperround.db"
    with Database(f"sqlite:///{file}") as first, Database(f"sqlite:///{file}") as second:

        def work(database: Database) -> None:
            for _ in range(20):
                one_pass(database)

        threads = [threading.Thread(target=work, args=(each,)) for each in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with first.reading() as connection:
            passes = residence(connection).passes
    assert passes == 2 + 2 * 20 * 2
    assert json.loads((home / "paperround.db.passes").read_text())["passes"] == passes


def test_what_was_resumed_elsewhere_is_at_home_there(home: Path, tmp_path: Path):
    shutil.copytree(home, tmp_path / "copy")
    with Database(f"sqlite:///{tmp_path}/copy/paperround.db") as database:
        assert Installation(database).resume(NOW).was == MOVED
    assert hold(tmp_path / "copy") == ""


def test_a_resumed_older_state_counts_on_from_its_note(home: Path):
    file = home / "paperround.db"
    copy = copied(file, home / "copy.db")
    with Database(f"sqlite:///{file}") as database:
        for _ in range(5):
            one_pass(database)
    file.write_bytes(copy.read_bytes())
    with Database(f"sqlite:///{file}") as database:
        Installation(database).resume(NOW)
    assert hold(home) == ""
    file.write_bytes(copy.read_bytes())
    assert hold(home) == OLDER


def test_resume_sends_what_waits_or_counts_it_as_sent(url: str):
    with Database(url) as database:
        fill(database)
        installation = Installation(database)
        paused = installation.pause(NOW)
        assert (paused.reason, paused.waiting) == (PAUSED, 5)
        assert installation.begin(NOW) == paused
        plain = installation.resume(NOW)
        assert (plain.was, plain.waiting, plain.skipped) == (PAUSED, 5, 0)
        again = installation.resume(NOW, skip_waiting=True)
        assert (again.was, again.waiting, again.skipped) == ("", 0, 5)
        with database.reading() as connection:
            rows = connection.execute(select(DELIVERY.c.state, DELIVERY.c.reason).order_by(DELIVERY.c.id)).all()
        assert [row.state for row in rows] == ["skipped"] * 5 + ["accepted", "expired", "uncertain"]
        assert "may have been sent before" in rows[0].reason
        assert installation.begin(NOW) is None


def test_a_pause_says_no_less_than_what_holds_it_already(home: Path, tmp_path: Path):
    shutil.copytree(home, tmp_path / "copy")
    with Database(f"sqlite:///{tmp_path}/copy/paperround.db") as database:
        assert Installation(database).pause(NOW).reason == MOVED


def test_an_unfinished_copy_cannot_be_resumed(url: str):
    with Database(url) as database:
        with database.writing() as connection:
            mark_held(connection, f"{UNFINISHED} of somewhere", NOW)
        with pytest.raises(UsageError, match="before it is whole"):
            Installation(database).resume(NOW)


def test_an_archive_in_memory_has_no_copies():
    with Database("sqlite://") as database:
        one_pass(database)
        one_pass(database)
        Installation(database).pause(NOW)
        assert Installation(database).begin(NOW) is not None
        Installation(database).resume(NOW)
        one_pass(database)


def test_two_archives_have_two_names(tmp_path: Path):
    names: set[str] = set()
    for each in "ab":
        with Database(f"sqlite:///{tmp_path}/{each}.db") as database, database.reading() as connection:
            names.add(residence(connection).archive)
    assert len(names) == 2
    assert all(len(name) == 32 for name in names)


def test_looking_whether_it_is_held_writes_nothing(home: Path, counted_commits: Callable[[Database], list[int]]):
    with Database(f"sqlite:///{home}/paperround.db") as database:
        before = (home / "paperround.db.passes").stat().st_mtime_ns
        changes = counted_commits(database)
        assert Installation(database).hold() is None
        assert changes == []
        assert (home / "paperround.db.passes").stat().st_mtime_ns == before


@pytest.fixture
def counted_commits() -> Callable[[Database], list[int]]:
    """Give the list that gets an entry for every statement that changes something."""

    def watch(database: Database) -> list[int]:
        changes: list[int] = []

        def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"}:
                changes.append(1)

        event.listen(database._engine, "before_cursor_execute", look)
        return changes

    return watch

"""archive backup, restore and copy, deliveries pause and resume, as a person or a script runs them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture
def sending(paperround, configured) -> Path:
    """An installation that has sent a letter."""
    paperround("collect", "--day", "2026-11-20")
    paperround("subscribe", "mira@lab.example", "--topic", "speech OR dictation")
    paperround("publish", "--now", "2026-11-20T18:00Z")
    assert paperround("deliver", "--json").json["accepted"] == 1
    return configured


def test_pause_and_resume(paperround, sending):
    paused = paperround("deliveries", "pause", "--json")
    assert (paused.code, paused.json) == (0, {"held": "the operator paused deliveries", "waiting": 0})
    ran = paperround("deliver", "--json")
    assert (ran.code, ran.json["accepted"]) == (1, 0)
    assert ran.json["held"].startswith("nothing is sent: the operator paused deliveries; no letter waits")
    assert "paperround deliveries resume --skip-waiting" in paperround("deliver").out
    once = paperround("run", "--once", "--json")
    assert (once.code, "paused deliveries" in once.json["held"]) == (1, True)
    resumed = paperround("deliveries", "resume", "--json")
    assert (resumed.code, resumed.json["was_held"]) == (0, "the operator paused deliveries")
    assert paperround("deliver", "--json").code == 0
    assert "Nothing held the letters." in paperround("deliveries", "resume").out


def test_a_backup_is_restored_and_sends_nothing_again(paperround, sending):
    taken = paperround("archive", "backup", "backup.db", "--json")
    assert (taken.code, taken.json["papers"], taken.json["readers"], taken.json["issues"]) == (0, 21, 1, 1)
    assert taken.json["size_bytes"] == (sending / "backup.db").stat().st_size
    assert paperround("archive", "backup", "backup.db").code == 2
    assert paperround("archive", "backup", "backup.db", "--force").code == 0
    paperround("subscribers", "unsubscribe", "mira@lab.example")
    restored = paperround("archive", "restore", "backup.db", "--yes", "--json")
    assert (restored.code, restored.json["papers"], restored.json["stopped"], restored.json["held"]) == (0, 21, 1, True)
    assert Path(restored.json["kept"]).is_file()
    assert paperround("subscribers", "show", "mira@lab.example", "--json").json["state"] == "unsubscribed"
    assert "restored from backup.db" in paperround("deliver", "--json").json["held"]
    assert paperround("deliveries", "resume", "--skip-waiting").code == 0
    assert paperround("deliver").code == 0
    assert len(list((sending / "outbox").glob("*.eml"))) == 1


def test_what_was_due_is_counted_as_sent_where_the_backup_does_not_know_of_it(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    paperround("subscribe", "mira@lab.example", "--topic", "speech OR dictation", "--hour", "0")
    paperround("archive", "backup", "backup.db")
    paperround("publish")
    assert paperround("deliver", "--json").json["accepted"] == 1
    paperround("archive", "restore", "backup.db", "--yes")
    assert paperround("deliveries", "resume", "--skip-waiting", "--json").json["skipped"] == 1
    assert paperround("publish", "--json").json["issues"] == 0
    assert paperround("deliver", "--json").json["accepted"] == 0


def test_a_restore_says_in_one_line_what_is_wrong(paperround, sending):
    (sending / "aunt.db").write_text("a letter to my aunt " * 500)
    for file, code in (("aunt.db", 3), ("missing.db", 2), ("paperround.db", 2)):
        ran = paperround("archive", "restore", file, "--yes")
        assert (ran.code, len(ran.err.splitlines())) == (code, 1), ran.err
    assert paperround("archive", "stats", "--json").json["papers"] == 21


def test_an_archive_moves_and_the_old_one_stops_sending(paperround, sending, monkeypatch):
    moved = paperround("archive", "copy", "--to", "sqlite:///new.db", "--json")
    assert (moved.code, moved.json["paused"]) == (0, True)
    counts = {each["table"]: (each["source"], each["target"]) for each in moved.json["tables"]}
    assert counts["paper"] == (21, 21)
    assert "this archive was copied to" in paperround("deliver", "--json").json["held"]
    assert "url" in paperround("archive", "copy", "--to", "sqlite:///new.db", "--keep-sending").out
    monkeypatch.setenv("PAPERROUND_DATABASE__URL", "sqlite:///new.db")
    assert "this archive is a copy of" in paperround("deliver", "--json").json["held"]
    assert paperround("deliveries", "resume").code == 0
    assert paperround("deliver").code == 0
    monkeypatch.delenv("PAPERROUND_DATABASE__URL")
    again = paperround("archive", "copy", "--to", "sqlite:///new.db")
    assert (again.code, "was used since" in again.err) == (2, True)


def test_a_copy_that_goes_nowhere_pauses_nothing(paperround, sending):
    with closing(sqlite3.connect(sending / "other.db")) as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    for url, code in (("mysql://x", 2), ("sqlite:///", 2), ("sqlite:///other.db", 3), ("sqlite:///paperround.db", 2)):
        assert paperround("archive", "copy", "--to", url).code == code
    assert paperround("deliver").code == 0


def test_postgresql_is_asked_to_do_it_itself(paperround, folder, monkeypatch):
    monkeypatch.setenv("PAPERROUND_DATABASE__URL", "postgresql://ann:secret@db.example/papers?password=secret")
    ran = paperround("archive", "restore", "papers.dump")
    assert ran.code == 2
    assert "pg_restore --clean --if-exists --no-owner --single-transaction" in ran.err
    assert "postgresql://ann@db.example/papers papers.dump" in ran.err
    assert "secret" not in ran.err

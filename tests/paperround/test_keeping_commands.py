"""The commands that let go, look for damage, and forget a reader; and files that are no archive."""

import gzip
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import migrate
from storage.database import Database

#: One command that reads, one that writes, one that sends, one that looks for damage.
EVERY = (["archive", "stats"], ["match"], ["deliver"], ["archive", "check"], ["archive", "sweep"], ["run", "--once"])
RELEASED = Path(__file__).parents[1] / "storage" / "released" / "0002.db.gz"


@pytest.fixture
def archived(paperround, configured) -> Path:
    """An installation with papers, two readers and their letters."""
    paperround("collect", "--day", "2026-11-20")
    for name in ("mira", "jun"):
        paperround("subscribe", f"{name}@lab.example", "--topic", "speech")
    paperround("publish", "--now", "2026-11-20T18:00Z")
    paperround("deliver")
    return configured


def said(ran) -> str:
    """Return the one line that a refusal is."""
    assert (ran.code, ran.out) == (3, "")
    (line,) = ran.err.splitlines()
    return line


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


# -- sweep, check, erase -----------------------------------------------------------------------------------------------


def test_a_sweep_tells_what_went(paperround, archived):
    assert paperround("archive", "sweep", "--json").json == {
        "pending": 0,
        "addresses": 0,
        "issues": 0,
        "letters": 0,
        "contents": 0,
        "fragments": 0,
        "replies": 0,
        "silences": 0,
        "runs": 0,
        "fetches": 0,
        "bounces": 0,
        "given_back": 0,
        "not_done": "",
    }
    assert paperround("archive", "sweep").out == "Let go: nothing\n"
    with closing(sqlite3.connect(archived / "paperround.db")) as plain, plain:
        plain.execute("INSERT INTO fragment (sha256, body) VALUES ('1', zeroblob(1000000))")
        plain.execute("DELETE FROM fragment WHERE sha256 = '1'")
    compacted = paperround("archive", "sweep", "--compact")
    assert (compacted.code, "bytes smaller" in compacted.out) == (0, True)


def test_run_once_sweeps_too(paperround, archived):
    paperround("run", "--once")
    with closing(sqlite3.connect(archived / "paperround.db")) as plain:
        assert plain.execute("SELECT status FROM run WHERE job = 'sweep'").fetchall() == [("ok",)]


def test_a_sound_archive_is_said_to_be_sound(paperround, archived):
    assert paperround("archive", "check").out == "The archive is sound.\n"
    ran = paperround("archive", "check", "--json")
    assert (ran.code, ran.json) == (0, {"sound": True, "damaged": [], "derived": [], "mended": False})


def test_what_is_worked_out_is_mended_when_asked(paperround, archived):
    before = paperround("papers", "search", "speech", "--json").json
    with closing(sqlite3.connect(archived / "paperround.db")) as plain, plain:
        plain.execute("DELETE FROM paper_fts_docsize WHERE id < 5")
        plain.execute("DELETE FROM sent")
    found = paperround("archive", "check")
    assert found.code == 1
    assert "papers that the full-text index lacks: 4" in found.out
    assert "are not in the ledger of what was sent: 4; run: paperround archive check --mend" in found.out
    mended = paperround("archive", "check", "--mend", "--json")
    assert (mended.code, mended.json["mended"], mended.json["sound"]) == (0, True, True)
    assert paperround("papers", "search", "speech", "--json").json == before
    assert paperround("publish", "--now", "2026-11-21T18:00Z", "--json").json["papers"] == 0


def test_what_is_damaged_is_left_as_it_is(paperround, archived):
    with closing(sqlite3.connect(archived / "paperround.db")) as plain, plain:
        plain.execute("DELETE FROM fragment WHERE id = 1")
        plain.execute("DELETE FROM sent")
    ran = paperround("archive", "check", "--mend", "--json")
    assert (ran.code, ran.json["mended"], ran.json["sound"]) == (3, False, False)
    (sentence,) = ran.json["damaged"]
    assert (
        sentence == "contents of letters that lack a piece: 1; stop what uses it, keep this file, and restore a backup"
    )
    assert len(ran.json["derived"]) == 1


def test_an_erased_reader_is_gone_from_every_list_and_every_byte(paperround, archived):
    refused = paperround("subscribers", "erase", "mira@lab.example")
    assert (refused.code, "say --yes" in refused.err) == (2, True)
    erased = paperround("subscribers", "erase", "Mira@lab.example", "--yes")
    assert (erased.code, erased.out) == (0, "mira@lab.example is erased\n")
    for command in (["subscribers", "list"], ["issues", "list"], ["deliveries", "list"]):
        listed = paperround(*command, "--json").out
        assert ("mira@" in listed, "jun@" in listed) == (False, True)
    held = b"".join(each.read_bytes() for each in archived.glob("paperround.db*"))
    assert (b"mira@" in held, b"jun@" in held) == (False, True)
    assert paperround("subscribers", "erase", "mira@lab.example", "--yes").code == 2
    assert paperround("archive", "check").code == 0


def test_a_copy_that_still_holds_an_erased_reader_is_named(paperround, folder):
    (folder / "paperround.db").write_bytes(gzip.decompress(RELEASED.read_bytes()))
    ran = paperround("subscribers", "erase", "jun@lab.example", "--yes", "--json")
    assert ran.json == {
        "email": "jun@lab.example",
        "erased": True,
        "copies": [str(folder / "paperround.db.schema-0002")],
    }


# -- files that are no archive -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
@pytest.mark.parametrize("length", [1, 100, 4096, 40_960])
def test_a_file_that_was_cut_short_is_said_so(paperround, archived, command, length):
    with closing(sqlite3.connect(archived / "paperround.db")) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
    os.truncate(archived / "paperround.db", length)
    before = files(archived)
    assert said(paperround(*command)).startswith(
        f"paperround: {archived}/paperround.db is not a Paperround database, or it is damaged ("
    )
    assert files(archived) == before


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is an empty file: restore a backup, or remove it to begin a new archive"),
        (b"Dear aunt, the sea is calm.\n" * 500, "is not a Paperround database, or it is damaged (file is not a data"),
        (b"PK\x03\x04" + bytes(5000), "is not a Paperround database, or it is damaged (file is not a database)"),
    ],
)
def test_a_file_that_is_something_else_is_said_so(paperround, configured, command, content, sentence):
    (configured / "paperround.db").write_bytes(content)
    before = files(configured)
    assert sentence in said(paperround(*command))
    assert files(configured) == before


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_a_folder_in_its_place_is_said_so(paperround, configured, command):
    (configured / "paperround.db").mkdir()
    assert said(paperround(*command)).endswith("paperround.db cannot be opened: it is a folder")
    assert list((configured / "paperround.db").iterdir()) == []


@pytest.fixture
def as_somebody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter, and no right beyond those that files give."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o777)
        monkeypatch.chdir(folder)
        is_root = os.geteuid() == 0
        yield folder
        if is_root:
            os.seteuid(0)
        folder.chmod(0o777)


def _put_off_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_a_file_that_may_not_be_read_is_said_so(paperround, as_somebody):
    paperround("archive", "stats")
    file = as_somebody / "paperround.db"
    file.chmod(0o000)
    before = file.stat()
    _put_off_rights()
    for command in EVERY:
        assert said(paperround(*command)).endswith("paperround.db cannot be opened: Permission denied")
    assert file.stat() == before


def test_a_folder_that_may_not_be_written_is_said_so(paperround, as_somebody):
    paperround("archive", "stats")
    file = as_somebody / "paperround.db"
    file.chmod(0o644)
    as_somebody.chmod(0o555)
    _put_off_rights()
    for command in EVERY:
        assert str(file) in said(paperround(*command))
    assert [each.name for each in as_somebody.iterdir()] == [file.name]


def test_the_log_of_another_archive_is_said_so(paperround, archived, folder):
    other = folder / "other.db"
    with Database(f"sqlite:///{other}") as database, database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE other AS SELECT hex(randomblob(9000))")
        log = Path(f"{other}-wal")
    with closing(sqlite3.connect(other)) as plain:
        plain.execute("CREATE TABLE another AS SELECT hex(randomblob(9000))")
        (archived / "paperround.db-wal").write_bytes(log.read_bytes())
    before = files(archived)
    for command in EVERY:
        assert "paperround.db-wal is of another archive than the database beside it" in said(paperround(*command))
    assert files(archived) == before


# -- archives of other versions ----------------------------------------------------------------------------------------


def test_an_older_file_is_migrated_by_any_command_and_nobody_is_sent_a_paper_again(paperround, folder):
    (folder / "paperround.db").write_bytes(gzip.decompress(RELEASED.read_bytes()))
    (folder / "paperround.toml").write_text('[mail]\nfrom = "P <p@lab.example>"\n')
    with closing(sqlite3.connect(folder / "paperround.db")) as plain:
        sent = set(
            plain.execute(
                "SELECT i.subscriber_id, paper_id FROM issue_paper JOIN issue i ON i.id = issue_id"
            ).fetchall()
        )
    assert paperround("papers", "search", "speech", "--json").json["total"] > 0
    assert (folder / "paperround.db.schema-0002").is_file()
    again = paperround("publish", "--now", "2026-11-21T18:00Z", "--json").json
    assert (again["due"], again["papers"]) == (2, 0)
    # One who comes back is told what was listed lately, but for what they had.
    paperround("subscribers", "unsubscribe", "mira.okafor@lab.example")
    paperround("subscribe", "Mira.Okafor@lab.example", "--topic", "model", "--confirmed")
    assert paperround("publish", "--now", "2026-11-22T18:00Z", "--json").json["papers"] > 0
    with closing(sqlite3.connect(folder / "paperround.db")) as plain:
        stood = plain.execute(
            "SELECT i.subscriber_id, paper_id FROM issue_paper JOIN issue i ON i.id = issue_id"
        ).fetchall()
    assert len(stood) == len(set(stood)) > len(sent)
    assert sent < set(stood)


@pytest.fixture
def on_a_server(folder: Path, postgres_archive_url: str) -> str:
    (folder / "paperround.toml").write_text(f'[database]\nurl = "{postgres_archive_url}"\n')
    return postgres_archive_url


def test_an_older_database_on_a_server_is_migrated_by_its_command_alone(paperround, on_a_server):
    with Database(on_a_server) as database, database.writing() as connection:
        migrate.downgrade(connection, "0002")
    for command in EVERY:
        assert said(paperround(*command)).endswith("stop what uses it, and run: paperround archive migrate")
    assert paperround("archive", "migrate", "--json").json == {"schema": migrate.HEAD}
    for command in EVERY:
        assert paperround(*command).code == 0


@pytest.mark.parametrize("kind", ["a file", "a server"])
def test_a_newer_database_is_refused_by_every_command(
    paperround: Callable, folder: Path, request: pytest.FixtureRequest, kind: str
):
    url = f"sqlite:///{folder}/paperround.db" if kind == "a file" else request.getfixturevalue("on_a_server")
    with Database(url) as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for command in (*EVERY, ["archive", "migrate"]):
        assert "was written by a later version of Paperround (schema 9999)" in said(paperround(*command))

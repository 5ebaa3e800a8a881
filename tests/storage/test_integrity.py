"""Damage is found and named; what can be worked out from the papers is made anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, text, update

from domain.errors import DatabaseUnavailable
from storage.database import Database
from storage.integrity import faults, mend
from storage.tables import DELIVERY, FRAGMENT, ISSUE_PAPER, PUBLISH_RUN, SENT, SUBSCRIBER, TRAIT

MEND = "run: paperround archive check --mend"
RESTORE = "stop what uses it, keep this file, and restore a backup"


@pytest.fixture
def full(database, archive, listed, listing, reader, issue, now):
    """An archive with a little of everything."""
    papers = [listed(f"Tides of the {name} Sea") for name in ("North", "Red", "Dead", "Black")]
    new = archive.add(listing(*papers), now).new
    issue(reader(), now, papers=[each.id for each in new])
    return database


@pytest.fixture
def change(full):
    def execute(*statements):
        with full.writing() as connection:
            for each in statements:
                connection.execute(each)

    return execute


def told(database):
    return [each.sentence for each in faults(database)]


def test_a_sound_archive_has_no_faults(full):
    assert faults(full) == ()
    mend(full)
    assert faults(full) == ()


def test_what_can_be_worked_out_is_made_anew(full, archive, change):
    lost = "paper_fts_docsize WHERE id < 3" if full.file else "paper_words WHERE paper_id < 3"
    change(
        text(f"DELETE FROM {lost}"),  # noqa: S608 from above
        delete(TRAIT),
        insert(TRAIT).values(trait=1, paper_id=999),
        delete(SENT),
        update(SUBSCRIBER).values(last_issue_id=None),
    )
    found = faults(full)
    assert all(each.is_derived and each.sentence.endswith(f"; {MEND}") for each in found)
    said = " ".join(each.sentence for each in found)
    for sentence in (
        "papers that the full-text index lacks: 2; that it holds and are not there: 0",
        "papers without a trait to be recognised by: 4; that have some and are not there: 1",
        "papers that stood in a letter and are not in the ledger of what was sent: 4",
        "readers whose newest issue is not known as such: 1",
    ):
        assert sentence in said
    mend(full)
    assert faults(full) == ()


@pytest.mark.parametrize(
    "table",
    ["paper_fts paper_words", "paper_forms paper_stem", "paper_fts_stem paper_stem", "paper_category paper_category"],
)
def test_an_index_that_is_not_there_is_made_anew(full, change, table):
    on_a_file, on_a_server = table.split()
    change(text(f"DROP TABLE {on_a_file if full.file else on_a_server}"))
    assert f"the full-text index is not there; {MEND}" in told(full)
    mend(full)
    assert faults(full) == ()


def test_an_index_of_forms_that_lacks_a_paper_is_made_anew(full, change):
    if full.file is None:
        change(text("UPDATE paper_stem SET papers = papers + 1 WHERE stem = 'tide'"))
        assert told(full) == [f"words of which the papers are miscounted: 1; {MEND}"]
    else:
        change(text("DELETE FROM paper_forms_docsize WHERE id = 2"))
        assert f"papers that the full-text index lacks: 1; that it holds and are not there: 0; {MEND}" in told(full)
    mend(full)
    assert faults(full) == ()


@pytest.mark.parametrize(
    ("statement", "papers"),
    [
        ("DELETE FROM paper_category WHERE paper_id < 3 AND category = 'cs'", 2),
        ("UPDATE paper_category SET category = 'cs.xx' WHERE paper_id = 2 AND category = 'cs.lg'", 1),
        ("INSERT INTO paper_category VALUES ('cs.lg', 998), ('cs.lg', 999), ('cs', 999), ('cs.xx', 1), ('cs', -1)", 4),
    ],
)
def test_papers_that_are_filed_otherwise_than_they_say_are_filed_anew(
    full, archive, listed, listing, now, change, statement, papers
):
    known = [listed(f"Tides of the {name} Sea", categories=("cs.LG",)) for name in ("North", "Red", "Dead", "Black")]
    archive.add(listing(*known), now)
    assert faults(full) == ()
    change(text(statement))
    assert told(full) == [
        f"papers that are not filed under the categories they have, or under others: {papers}; {MEND}"
    ]
    mend(full)
    assert faults(full) == ()


def test_a_paper_is_taken_although_something_is_left_where_it_is_filed(full, archive, listed, listing, now, change):
    change(text("INSERT INTO paper_category VALUES ('cs.lg', 5), ('cs.xx', 5)"))
    archive.add(listing(listed("Rivers", categories=("cs.LG",))), now)
    assert told(full) == [f"papers that are not filed under the categories they have, or under others: 1; {MEND}"]
    mend(full)
    assert faults(full) == ()


def test_a_ledger_without_an_issue_is_no_fault(full, change):
    change(delete(ISSUE_PAPER))
    assert faults(full) == ()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (delete(FRAGMENT).where(FRAGMENT.c.id == 1), "contents of letters that lack a piece: 1"),
        (update(DELIVERY).values(state="on its way"), "deliveries in a state that there is not: 1"),
        (delete(DELIVERY), "issues without a delivery: 1"),
        (
            insert(PUBLISH_RUN).values(
                at=text("'2026-11-20 08:00'"), due=3, planned=0, excluded={"nothing matched": 1}
            ),
            "publishes whose counts do not add up: 1",
        ),
        (text("ALTER TABLE marker ADD COLUMN odd TEXT"), "is not that of this version: remove column marker odd"),
        (text("DROP INDEX ix_paper_listed"), "is not that of this version: add index ix_paper_listed"),
    ],
)
def test_what_cannot_be_worked_out_is_damage(full, change, statement, sentence):
    change(statement)
    # Without its delivery an issue is missing in the ledger of its publish as well.
    assert len(told(full)) == 1 + sentence.startswith("issues without")
    assert sentence in told(full)[0]
    assert told(full)[0].endswith(f"; {RESTORE}")
    assert not faults(full)[0].is_derived


# -- the file of SQLite ------------------------------------------------------------------------------------------------


class TestFile:
    """A file whose bytes are not what was written."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/archive.db"

    @pytest.fixture
    def file(self, full: Database) -> Path:
        full.close()
        return full.file

    def test_a_page_of_which_bytes_were_turned_is_found(self, url, file):
        with closing(sqlite3.connect(file)) as plain:
            (page,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sighting'").fetchone()
            (size,) = plain.execute("PRAGMA page_size").fetchone()
            plain.execute("PRAGMA journal_mode=DELETE")
        damaged = bytearray(file.read_bytes())
        place = slice((page - 1) * size + 3, (page - 1) * size + 40)
        damaged[place] = bytes(each ^ 255 for each in damaged[place])
        file.write_bytes(damaged)
        with Database(url) as database:
            found = faults(database)
        assert found[0].sentence.startswith(str(file))
        assert "damaged" in found[0].sentence
        assert not found[0].is_derived

    def test_an_index_that_does_not_agree_with_its_table_is_made_anew(self, url, file):
        with closing(sqlite3.connect(file, isolation_level=None)) as plain:
            # Hidden from SQLite while a row goes, the index keeps an entry too many.
            plain.execute("PRAGMA writable_schema=ON")
            row = plain.execute("SELECT * FROM sqlite_master WHERE name = 'ix_paper_listed'").fetchone()
            plain.execute("DELETE FROM sqlite_master WHERE name = 'ix_paper_listed'")
        with closing(sqlite3.connect(file, isolation_level=None)) as plain:
            plain.execute("UPDATE paper SET listed = '2020-01-01' WHERE id = 1")
            plain.execute("PRAGMA writable_schema=ON")
            plain.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
        with Database(url) as database:
            assert [each.is_derived for each in faults(database)] == [True]
            assert told(database)[0].startswith("an index does not agree with its table: row 1 missing from index")
            mend(database)
            assert faults(database) == ()

    def test_a_damaged_full_text_index_is_made_anew(self, url, file):
        with closing(sqlite3.connect(file)) as plain, plain:
            plain.execute("UPDATE paper_fts_data SET block = zeroblob(40) WHERE id > 10")
        with Database(url) as database:
            assert f"; {MEND}" in told(database)[0]
            assert "the full-text index is damaged" in told(database)[0]
            mend(database)
            assert faults(database) == ()

    def test_rows_that_name_what_is_not_there_are_damage(self, url, file):
        with closing(sqlite3.connect(file)) as plain, plain:
            plain.execute("DELETE FROM paper_identifier")
            plain.execute("UPDATE sighting SET paper_id = 999 WHERE id = 1")
        with Database(url) as database:
            assert told(database) == [f"rows that name another that is not there: 1, the first in sighting; {RESTORE}"]


# -- files that are no archive -----------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path):
    """Two archives, each with a log beside it that was not moved into it yet."""
    files = [tmp_path / name for name in ("ours.db", "theirs.db")]
    for file in files:
        with Database(f"sqlite:///{file}") as database, database.writing() as connection:
            connection.execute(text(f"CREATE TABLE {file.stem} (id INTEGER)"))
    opened = [sqlite3.connect(file, isolation_level=None) for file in files]
    for plain, file in zip(opened, files, strict=True):
        plain.execute(f"INSERT INTO {file.stem} VALUES (1)")  # noqa: S608 from above
        plain.execute("CREATE TABLE more AS SELECT hex(randomblob(4000))")
    copies = []
    for file in files:
        copy = tmp_path / f"copy-{file.name}"
        copy.write_bytes(file.read_bytes())
        Path(f"{copy}-wal").write_bytes(Path(f"{file}-wal").read_bytes())
        copies.append(copy)
    yield copies
    for plain in opened:
        plain.close()


def test_the_log_of_another_archive_is_not_taken_for_its_own(two):
    ours, theirs = two
    log = Path(f"{ours}-wal")
    log.write_bytes(Path(f"{theirs}-wal").read_bytes())
    before = ours.read_bytes(), log.read_bytes()
    with pytest.raises(DatabaseUnavailable, match=r"-wal is of another archive .* move the log away"):
        Database(f"sqlite:///{ours}")
    assert (ours.read_bytes(), log.read_bytes()) == before
    log.unlink()
    with Database(f"sqlite:///{ours}") as database, database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ours")).scalar() == 0


def test_a_log_without_its_archive_is_not_taken_for_a_new_ones(two):
    ours, _ = two
    ours.unlink()
    with pytest.raises(DatabaseUnavailable, match=r"-wal is there, but not the database .* put the database back"):
        Database(f"sqlite:///{ours}")
    assert not ours.exists()


def test_the_log_of_an_archive_that_was_killed_is_its_own(two):
    ours, _ = two
    with Database(f"sqlite:///{ours}") as database, database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ours")).scalar() == 1


def test_what_a_crash_left_half_written_of_a_log_does_not_keep_an_archive_closed(two):
    ours, theirs = two
    log = Path(f"{ours}-wal")
    own = log.read_bytes()
    strange = Path(f"{theirs}-wal").read_bytes()
    frame = 24 + int.from_bytes(own[8:12], "big")
    first = next(at for at in range(32, len(own), frame) if own[at : at + 4] == b"\0\0\0\1")
    # The head of a frame was written, its page was not: what stands there is of an older use of the log.
    log.write_bytes(own[: first + 24] + strange[first + 24 : first + frame] + own[first + frame :])
    with Database(f"sqlite:///{ours}") as database:
        assert database.revision


@pytest.mark.parametrize("log", [b"", b"short", b"not a log at all, whatever it is called" * 40])
def test_a_log_that_is_none_is_left_to_sqlite(two, log):
    ours, _ = two
    Path(f"{ours}-wal").write_bytes(log)
    with Database(f"sqlite:///{ours}") as database:
        assert database.revision


def test_every_archive_has_a_mark_of_its_own(two):
    marks = []
    for file in two:
        with closing(sqlite3.connect(file)) as plain:
            marks.append(plain.execute("PRAGMA user_version").fetchone()[0])
    assert len({*marks, 0}) == 3

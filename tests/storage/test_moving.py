"""An archive moves to another database: all of it, again after an interruption, and without sending from two places."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, event, insert, select, text, update

from domain.errors import DatabaseUnavailable, UsageError
from domain.papers import Identifiers
from storage.archive import Archive
from storage.blocks import COPIED, Span, tables
from storage.database import Database
from storage.installation import UNFINISHED, Installation
from storage.moving import Mover
from storage.tables import (
    CONSENT,
    CONTENT,
    DELIVERY,
    ERASURE,
    FETCH,
    IDENTIFIER,
    MARKER,
    PAPER,
    RUN,
    SIGHTING,
    SITE,
    SUBSCRIBER,
)

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
PAPERS = 1_203  # three blocks


def reader(number: int) -> dict:
    address = f"r{number}@lab.example"
    return {
        "id": number, "public_id": f"p{number}", "email": address, "address_key": address, "state": "confirmed",
        "every": "day", "weekday": 0, "hour": 7, "zone": "UTC", "shared": False, "created_at": NOW,
    }  # fmt: skip


@pytest.fixture
def source(tmp_path: Path, listed, listing) -> Iterator[Database]:
    """An archive in SQLite with something in tables of every kind of key."""
    with Database(f"sqlite:///{tmp_path}/source.db") as database:
        papers = (
            listed(f"Tides of basin {n}", rank=n, ids=Identifiers(arxiv=f"2611.{n:05}"), abstract="What moves — 潮汐.")
            for n in range(1, PAPERS + 1)
        )
        Archive(database).add(listing(*papers), NOW)
        with database.writing() as connection:
            connection.execute(insert(SUBSCRIBER), [reader(1), reader(2)])
            connection.execute(insert(CONSENT).values(subscriber_id=1, action="confirmed", wording="v1", at=NOW))
            content = {"content_key": "k", "kind": "digest", "subject": "s", "fragments": [["head", 1]], "size": 0}
            connection.execute(insert(CONTENT).values(id=1, **content))
            for number, state in ((1, "accepted"), (2, "planned")):
                connection.execute(
                    insert(DELIVERY).values(
                        message_key=f"m{number}", subscriber_id=number, content_id=1, recipient="r@lab.example",
                        slots={"to": "r"}, state=state, not_before=NOW, message_id="m", date=NOW, expires_at=NOW,
                    )
                )  # fmt: skip
            connection.execute(
                insert(SITE).values(
                    name="a.example", started={"pages": 1.5}, busy_until=0.1, holder="", held_until=0, strikes=0,
                    robots="", robots_until=0,
                )
            )  # fmt: skip
        assert Installation(database).begin(NOW) is None
        yield database


@pytest.fixture
def target(url: str) -> Iterator[Database]:
    with Database(url) as database:
        yield database


def move(source: Database, target: Database) -> dict[str, tuple[int, int]]:
    counts = Mover(source, target).move(NOW, lambda _: None)
    return {each.table: (each.source, each.target) for each in counts}


def differing(source: Database, target: Database) -> list[str]:
    with source.reading() as ours, target.reading() as theirs:
        whole = [Span(table, None, None) for table in tables()]
        return [span.table.name for span in whole if span.rows(ours) != span.rows(theirs)]


def indexed(database: Database) -> tuple[int, int]:
    """Return how many papers are in the full-text index, and how many of them have a word of all titles."""
    with database.reading() as connection:
        if connection.dialect.name == "postgresql":
            queries = ("SELECT count(*) FROM paper_words", "SELECT count(*) FROM paper_words WHERE words @@ 'basin'")
        else:
            queries = ("SELECT count(*) FROM paper_fts", "SELECT count(*) FROM paper_fts WHERE paper_fts MATCH 'basin'")
        return tuple(connection.execute(text(query)).scalar_one() for query in queries)


def test_all_of_it_arrives_is_counted_and_is_held(source: Database, target: Database):
    counts = move(source, target)
    assert counts["paper"] == counts["sighting"] == (PAPERS, PAPERS)
    assert counts["delivery"] == (2, 2)
    assert differing(source, target) == []
    assert indexed(target) == (PAPERS, PAPERS)
    hold = Installation(target).hold()
    assert hold.reason.startswith("this archive is a copy of ")
    assert hold.waiting == 1
    assert Installation(source).hold() is None


def test_what_comes_after_it_gets_numbers_of_its_own(source: Database, target: Database, listed, listing):
    move(source, target)
    added = Archive(target).add(listing(listed("Ebb of another sea")), NOW)
    assert [paper.id for paper in added.new] == [PAPERS + 1]
    with target.writing() as connection:
        fresh = connection.execute(
            insert(CONSENT).values(subscriber_id=1, action="a", wording="", at=NOW).returning(CONSENT.c.id)
        ).scalar_one()
    assert fresh == 2
    assert indexed(target) == (PAPERS + 1, PAPERS)


def test_interrupted_at_any_transaction_it_goes_on(source: Database, target: Database):
    interrupted = 0

    def interrupt(_connection: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    event.listen(target._engine, "commit", interrupt)
    while True:
        # Each run comes a little farther than the one before.
        left = 5 + 7 * interrupted
        try:
            move(source, target)
        except KeyboardInterrupt:
            interrupted += 1
            left = -1
            with pytest.raises(UsageError, match="before it is whole"):
                Installation(target).resume(NOW)
        else:
            left = -1
            break
    assert interrupted > 5
    assert differing(source, target) == []
    assert indexed(target) == (PAPERS, PAPERS)


def test_a_source_that_changed_in_between_is_followed(source: Database, target: Database, listed, listing):
    move(source, target)
    with source.writing() as connection:
        # Keys change owners, rows go and come, a child keeps a parent that was changed.
        for paper_id, key in ((700, "spare"), (3, "arxiv:2611.00700"), (700, "arxiv:2611.00003")):
            connection.execute(update(PAPER).where(PAPER.c.id == paper_id).values(key=key))
        connection.execute(delete(PAPER).where(PAPER.c.id == 5))
        connection.execute(delete(IDENTIFIER).where(IDENTIFIER.c.paper_id == 9))
        connection.execute(update(CONTENT).values(subject="mended"))
        connection.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id == 1))
        connection.execute(insert(ERASURE).values(public_id="p1", at=NOW))
        connection.execute(update(PAPER).where(PAPER.c.id == 11).values(title="Currents of basin 11"))
        connection.execute(delete(SIGHTING).where(SIGHTING.c.paper_id > PAPERS - 10))
    Archive(source).add(listing(listed("Ebb of basin 0")), NOW)
    counts = move(source, target)
    assert counts["paper"] == (PAPERS, PAPERS)
    assert differing(source, target) == []
    assert indexed(target) == (PAPERS, PAPERS)


def test_a_target_that_is_not_its_own_is_left_alone(source: Database, target: Database, listed, listing):
    Archive(target).add(listing(listed("Somebody else's paper")), NOW)
    with pytest.raises(UsageError, match="holds another archive"):
        move(source, target)
    assert Archive(target).stats()["papers"] == 1


def test_the_archive_is_not_copied_into_itself(source: Database):
    with Database(f"sqlite:///{source.place}") as itself, pytest.raises(UsageError, match="the archive itself"):
        move(source, itself)
    assert Installation(source).hold() is None


@pytest.mark.parametrize("use", ["resumed", "asked a source", "ran", "had a reader"])
def test_a_copy_that_was_used_since_is_left_alone(source: Database, target: Database, use: str):
    move(source, target)
    later = NOW + timedelta(hours=1)
    if use == "resumed":
        Installation(target).resume(later)
    with target.writing() as connection:
        if use == "asked a source":
            answer = {"url": "u", "day": later.date(), "seconds": 1.0, "bytes": 1, "http": 200, "status": "ok"}
            connection.execute(
                insert(FETCH).values(
                    **answer, source="s", at=later, declared=1, read=1, rejected=0, new=1, etag="", last_modified="",
                    error="",
                )
            )  # fmt: skip
        if use == "ran":
            connection.execute(
                insert(RUN).values(
                    job="j", slot="1", owner="o", started_at=later, lease_until=later, counts={}, status="", error=""
                )
            )
        if use == "had a reader":
            connection.execute(insert(SUBSCRIBER).values({**reader(9), "created_at": later}))
    with pytest.raises(UsageError, match="was used since"):
        move(source, target)


@pytest.mark.parametrize("bad", ["a\0b", "2**40"])
def test_a_row_that_the_target_cannot_hold_is_named(source: Database, target: Database, bad: str):
    with source.writing() as connection:
        values = {"upvotes": 2**40} if bad == "2**40" else {"title": bad}
        connection.execute(update(PAPER).where(PAPER.c.id == 707).values(values))
    if target.file is not None:
        move(source, target)  # SQLite holds whatever SQLite held
        assert differing(source, target) == []
        return
    with pytest.raises(DatabaseUnavailable, match="the table paper, row id 707 cannot be stored in postgresql://"):
        move(source, target)
    assert Installation(target).hold().reason.startswith(UNFINISHED)
    with source.writing() as connection:
        connection.execute(update(PAPER).where(PAPER.c.id == 707).values(title="Tides of basin 707", upvotes=2))
    move(source, target)
    assert differing(source, target) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE paper SET title = CAST(x'eda080' AS TEXT) WHERE id = 707",
        "UPDATE paper SET published = 'yesterday' WHERE id = 707",
        "UPDATE paper SET authors = '[\"half' WHERE id = 707",
    ],
)
def test_a_row_that_cannot_be_read_is_named(source: Database, target: Database, damage: str):
    with source.writing() as connection:
        connection.execute(text(damage))
    with pytest.raises(DatabaseUnavailable, match="the table paper, row id 707 cannot be read"):
        move(source, target)


def test_one_that_writes_to_the_target_meanwhile_is_found_out(source: Database, target: Database):
    def write(_rows: int) -> None:
        with target.writing() as connection:
            if not connection.execute(select(MARKER.c.name).where(MARKER.c.name == "mine")).first():
                connection.execute(insert(MARKER).values(name="mine", value=1))

    with pytest.raises(DatabaseUnavailable, match="written to while it was filled: marker differ"):
        Mover(source, target).move(NOW, write)
    move(source, target)
    with target.reading() as connection:
        assert connection.execute(select(MARKER.c.value).where(MARKER.c.name == COPIED)).scalar() == PAPERS

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, insert
from sqlalchemy.dialects import postgresql

from domain.deliveries import DeliveryState
from domain.papers import Identifiers
from domain.topics import Match, Selection
from storage import statistics
from storage.statistics import SourceDays, Statistics
from storage.tables import CONTENT, DELIVERY, ISSUE, SUBSCRIBER, TOPIC
from storage.topics import Topics

DAY = date(2026, 11, 20)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
ONE, TWO, THREE = (Identifiers(arxiv=f"2611.9000{number}") for number in (1, 2, 3))


@pytest.fixture
def counts(database) -> Statistics:
    return Statistics(database)


@pytest.fixture
def stood(archive, listed, listing, now) -> Callable[..., None]:
    """Let papers stand on a source's list of a day."""

    def add(source: str, day: date, *ids: Identifiers) -> None:
        papers = [listed(f"The Tides of {each.arxiv}", ids=each, rank=n) for n, each in enumerate(ids, start=1)]
        archive.add(listing(*papers, source=source, day=day), now)

    return add


@pytest.fixture
def letters(database, now) -> Callable[..., None]:
    """Keep a letter of each of these instants and states, once; without issues they are confirmations."""
    reader = {"public_id": "p", "email": "r@lab.example", "address_key": "r@lab.example", "state": "confirmed"}
    schedule = {"every": "day", "weekday": 0, "hour": 7, "zone": "UTC", "shared": False, "created_at": now}
    content = {"content_key": "k", "kind": "digest", "subject": "Tides", "fragments": [], "size": 1}

    def keep(*sent: tuple[datetime, DeliveryState], issues: bool = True) -> None:
        with database.writing() as connection:
            connection.execute(insert(SUBSCRIBER).values(id=1, **reader, **schedule))
            connection.execute(insert(CONTENT).values(id=1, **content))
            for number, (at, state) in enumerate(sent):
                name = f"<{number}@lab.example>"
                issue = {"public_id": name, "subscriber_id": 1, "slot": name, "zone": "UTC", "upto_match": 0}
                if issues:
                    connection.execute(insert(ISSUE).values(id=number, **issue, cutoff=at, created_at=at))
                letter = {"message_key": name, "message_id": name, "recipient": "r@lab.example", "slots": {}}
                owners = {"subscriber_id": 1, "content_id": 1, "issue_id": number if issues else None}
                stands = {"state": state.value, "date": at, "expires_at": at + timedelta(hours=36)}
                connection.execute(insert(DELIVERY).values(**letter, **owners, **stands))

    return keep


def test_papers_are_counted_by_source_and_listing_day(counts, stood):
    stood("hf", BEFORE, ONE)
    stood("hf", DAY, ONE, TWO)
    stood("arxiv", DAY, THREE)
    found = counts.per_day(BEFORE, AFTER)
    assert found.sources == (SourceDays("hf", (1, 2, 0), (1, 1, 0)), SourceDays("arxiv", (0, 1, 0), (0, 1, 0)))
    assert found.days == (BEFORE, DAY, AFTER)


def test_a_paper_on_two_lists_is_listed_twice_and_new_once_where_it_was_stored_first(counts, stood):
    stood("zeta", DAY, ONE)
    stood("alpha", DAY, ONE)
    assert counts.per_day(DAY, DAY).sources == (SourceDays("alpha", (1,), (0,)), SourceDays("zeta", (1,), (1,)))


def test_a_list_that_is_read_late_takes_the_new_paper_back_to_its_day(counts, stood):
    stood("hf", DAY, ONE)
    stood("arxiv", BEFORE, ONE)
    assert counts.per_day(BEFORE, DAY).sources == (
        SourceDays("arxiv", (1, 0), (1, 0)),
        SourceDays("hf", (0, 1), (0, 0)),
    )


def test_what_stood_before_the_days_asked_for_is_not_new(counts, stood):
    stood("hf", BEFORE, ONE)
    stood("hf", DAY, ONE)
    assert counts.per_day(DAY, DAY).sources == (SourceDays("hf", (1,), (0,)),)


def test_the_same_list_read_again_counts_once(counts, stood):
    for _ in range(2):
        stood("hf", DAY, ONE, TWO)
    assert counts.per_day(DAY, DAY).sources == (SourceDays("hf", (2,), (2,)),)


def test_new_papers_of_all_days_are_the_papers(counts, stood, archive):
    stood("hf", BEFORE, ONE, TWO)
    stood("arxiv", BEFORE, TWO, THREE)
    stood("arxiv", DAY, ONE, THREE)
    found = counts.per_day(BEFORE, DAY)
    assert sum(sum(each.new) for each in found.sources) == archive.stats()["papers"] == 3
    assert sum(sum(each.listed) for each in found.sources) == archive.stats()["sightings"] == 6


def test_a_match_stands_at_the_day_on_which_its_paper_was_first_listed(counts, stood, database, now):
    stood("hf", BEFORE, ONE)
    stood("hf", DAY, ONE, TWO)
    with database.writing() as connection:
        connection.execute(
            insert(TOPIC), [{"id": number, "normal_form": f"tides {number}", "created_at": now} for number in (1, 2)]
        )
    matches = [Match(1, 1, 2.0), Match(2, 1, 2.0), Match(2, 2, 1.0)]
    Topics(database).record([Selection(each.topic_id, (each,)) for each in matches], since=0, up_to=2, now=now)
    assert counts.per_day(BEFORE, AFTER).matches == (2, 1, 0)
    assert counts.per_day(DAY, AFTER).matches == (1, 0)


def test_letters_are_counted_by_their_day_in_utc_and_their_state(counts, letters):
    first, last = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 23, 59, 59, 999_999, UTC)
    late_in_new_york = datetime.fromisoformat("2026-11-20T20:00-05:00")
    letters(
        (first, DeliveryState.ACCEPTED),
        (last, DeliveryState.ACCEPTED),
        (last, DeliveryState.REJECTED),
        (first - timedelta(microseconds=1), DeliveryState.UNCERTAIN),
        (late_in_new_york, DeliveryState.DEFERRED),
    )
    assert counts.per_day(BEFORE, AFTER).letters == {
        DeliveryState.ACCEPTED: (0, 2, 0),
        DeliveryState.DEFERRED: (0, 0, 1),
        DeliveryState.REJECTED: (0, 1, 0),
        DeliveryState.UNCERTAIN: (1, 0, 0),
    }
    assert DeliveryState.UNCERTAIN not in counts.per_day(DAY, DAY).letters
    assert counts.newest_day() == AFTER


def test_confirmations_are_no_letters_of_a_day(counts, letters, now):
    letters((now, DeliveryState.ACCEPTED), issues=False)
    assert counts.per_day(DAY, DAY).letters == {}
    assert counts.newest_day() is None


def test_an_empty_archive_has_days_without_anything(counts):
    found = counts.per_day(BEFORE, AFTER)
    assert (found.sources, found.matches, found.letters) == ((), (0, 0, 0), {})
    assert counts.newest_day() is None


def test_the_newest_day_is_that_of_a_list_or_of_a_letter(counts, stood, letters, now):
    stood("hf", BEFORE, ONE)
    assert counts.newest_day() == BEFORE
    letters((now, DeliveryState.ACCEPTED))
    assert counts.newest_day() == DAY


@pytest.mark.parametrize("days", [(date.min, date.min), (date.max, date.max)])
def test_no_day_is_too_far_away(counts, days):
    assert counts.per_day(*days).matches == (0,)


def test_sources_with_hostile_names_are_counted_like_others(counts, stood):
    names = ["</svg><script>", "'; DROP TABLE paper; --", "x" * 200, "\u202eabc", "a", "B", "é"]
    for name in names:
        stood(name, DAY, ONE)
    found = counts.per_day(DAY, DAY).sources
    assert sorted(each.source for each in found) == sorted(names)
    assert {each.listed for each in found} == {(1,)}


def test_postgresql_is_asked_for_the_day_in_utc_not_in_its_session():
    day = statistics._UtcDay(DELIVERY.c.date)
    assert str(day.compile(dialect=postgresql.dialect())) == "CAST(delivery.date AT TIME ZONE 'UTC' AS DATE)"


@pytest.mark.engines("sqlite")
def test_what_is_asked_of_papers_finds_its_days_by_an_index(counts, stood, database):
    stood("hf", DAY, ONE)
    asked = []

    def note(connection, cursor, text, values, *more):
        asked.append((text, values))

    event.listen(database._engine, "before_cursor_execute", note)
    counts.per_day(BEFORE, AFTER)
    queries = [each for each in asked if each[0].startswith("SELECT") and "FROM delivery" not in each[0]]
    with database.reading() as connection:
        plan = [
            row.detail
            for text, values in queries
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert [line for line in plan if line.startswith("SCAN")] == []
    used = " ".join(plan)
    for index in ("ix_sighting_source_day_paper_id (source=? AND day>", "ix_paper_listed", "ix_match_paper_id"):
        assert index in used

"""The archive by listing days, and in blocks."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from domain.papers import Fetched, FetchStatus, Identifiers
from storage.days import ListingDays, Stood, Voted
from storage.fetches import Fetches
from storage.mapping import Mapped
from storage.tables import SOURCE_DAY

FRIDAY = date(2026, 11, 20)
THURSDAY, MONDAY = FRIDAY - timedelta(days=1), FRIDAY - timedelta(days=4)


@pytest.fixture
def days(database):
    return ListingDays(database)


@pytest.fixture
def stored(archive, listed, listing, now):
    def paper(number, **values):
        return listed(f"Paper {number}", ids=Identifiers(doi=f"10.5555/{number}"), rank=number, **values)

    archive.add(listing(paper(1), paper(2), source="hf", day=MONDAY), now)
    archive.add(listing(paper(3, upvotes=4), source="arxiv", day=THURSDAY), now)
    archive.add(listing(paper(2, upvotes=9, published=MONDAY), paper(1), source="hf", day=FRIDAY), now)


def test_an_archive_without_lists_has_no_days(days):
    assert days.ends() is None
    assert days.beside(FRIDAY, FRIDAY) == (None, None)
    assert days.counts(MONDAY, FRIDAY) == {}
    assert days.every(10) == []
    assert days.voted(MONDAY) == []


def test_days_are_found_whatever_source_listed_on_them(days, stored):
    assert days.ends() == (MONDAY, FRIDAY)
    assert days.beside(THURSDAY, THURSDAY) == (MONDAY, FRIDAY)
    assert days.beside(MONDAY, FRIDAY) == (None, None)
    assert days.every(2) == [FRIDAY, THURSDAY]


@pytest.mark.engines("sqlite")
def test_all_days_are_found_by_looks_into_the_index_and_never_by_reading_all_sightings(database, days, stored):
    said = []
    with database.reading() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *args: said.append(args[2:4]))
    assert days.every(9) == [FRIDAY, THURSDAY, MONDAY]
    ((statement, values),) = [each for each in said if "sighting" in each[0]]
    with database.reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert not [row for row in rows if "SCAN sighting" in row.detail]


def test_papers_are_counted_by_day_and_source(days, stored):
    counts = days.counts(THURSDAY, FRIDAY)

    assert list(counts.items()) == [(FRIDAY, {"hf": 2}), (THURSDAY, {"arxiv": 1})]


def test_a_list_of_a_day_is_in_its_own_order(days, stored):
    assert days.stood(FRIDAY, "hf", 10) == [Stood("hf", 1, None, 1), Stood("hf", 2, 9, 2)]
    assert days.stood(FRIDAY, "hf", 1) == [Stood("hf", 1, None, 1)]
    assert days.stood(FRIDAY, "arxiv", 10) == []


def test_papers_with_votes_have_the_day_they_were_published_else_listed(days, stored):
    assert sorted(days.voted(THURSDAY), key=lambda each: each.paper_id) == [Voted(2, 9, MONDAY), Voted(3, 4, THURSDAY)]
    assert [each.paper_id for each in days.voted(FRIDAY)] == [2]


def test_the_best_answer_for_a_day_is_the_one_that_is_told(database, days, now):
    fetches = Fetches(database)

    def asked(source, status):
        fetches.record(Fetched(source, "https://x.example/", FRIDAY, now, 1.0, 9, 200, status))

    for source, statuses in {
        "failing": (FetchStatus.BLOCKED, FetchStatus.FAILED),
        "mended": (FetchStatus.FAILED, FetchStatus.OK_EMPTY, FetchStatus.FAILED),
        "other": (FetchStatus.OK,),
    }.items():
        for status in statuses:
            asked(source, status)
    with database.writing() as connection:
        row = {"source": "read", "day": FRIDAY, "whole": True, "tries": 0, "asked_at": now}
        connection.execute(SOURCE_DAY.insert().values(row))

    answers = days.answers(FRIDAY, ["failing", "mended", "read", "silent"])

    assert answers == {"failing": FetchStatus.FAILED, "mended": FetchStatus.OK_EMPTY, "read": FetchStatus.OK_EMPTY}


def test_papers_are_mapped_in_blocks(database, stored):
    mapped = Mapped(database)

    assert mapped.blocks() == [(1, FRIDAY)]
    assert mapped.block(1) == [("doi:10.5555/1", FRIDAY), ("doi:10.5555/2", FRIDAY), ("doi:10.5555/3", THURSDAY)]
    assert mapped.block(2) == mapped.block(0) == []

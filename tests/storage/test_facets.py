"""What would narrow a search: each count is what the same search with that filter finds."""

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from domain.papers import Identifiers
from storage.filters import Filters
from storage.paging import Order
from storage.search import Search
from topics.query import parse

FRIDAY = date(2026, 11, 20)
MUCH = 10_000
SOURCES = ("hf", "arxiv:cs.LG", "arxiv:cs.CL")
DAYS = [FRIDAY - timedelta(days=back) for back in range(20)]


@pytest.fixture
def search(database):
    return Search(database)


@pytest.fixture
def mixed(archive, listed, listing, now):
    """Store papers of three sources over twenty days, some on several lists, some with code, in many categories."""
    chance = random.Random(7)  # noqa: S311 the same papers at every run
    papers = [
        listed(
            f"{'Tides' if number % 3 else 'Lamps'} number {number} of all that is wide and far",
            ids=Identifiers(doi=f"10.5555/{number}"),
            categories=tuple(chance.sample(["cs.LG", "cs.CL", "stat.ML", "math", "CS.lg"], number % 3)),
            code_url="https://example.org/code" if number % 4 == 0 else "",
            rank=number + 1,
        )
        for number in range(45)
    ]
    for source in SOURCES:
        stood = [replace(paper, day=day) for day in DAYS for paper in chance.sample(papers, 3)]
        archive.add(listing(*stood, source=source), now)


FILTERS = (
    Filters(),
    Filters(source="hf"),
    Filters(since=FRIDAY - timedelta(days=5), until=FRIDAY - timedelta(days=2)),
    Filters(source="arxiv:cs.LG", since=FRIDAY - timedelta(days=9)),
    Filters(category="cs", code=True),
)
CATEGORIES = ("cs", "cs.lg", "cs.cl", "stat", "stat.ml", "math")


def test_each_count_is_what_the_search_with_that_filter_finds(search, mixed):
    for query, filters in product((None, parse("tides"), parse("number -lamps cat:cs"), parse("zebra")), FILTERS):

        def total(query=query, filters=filters, **more):
            return search.search(query, 0, filters=replace(filters, **more)).total

        def having(name, values, total=total):
            return {value: number for value in values if (number := total(**{name: value}))}

        counts = search.facets(query, filters)
        if filters.source is None:
            assert counts.sources == having("source", SOURCES)
        if filters.category is None:
            assert counts.categories == having("category", CATEGORIES)
        assert counts.code == total(code=True)
        inside = [day for day in DAYS if (filters.since or day) <= day <= (filters.until or day)]
        on_days = {day: number for day in inside if (number := total(since=day, until=day))}
        assert list(counts.days.items()) == list(on_days.items())[:14]
        assert list(counts.sources.values()) == sorted(counts.sources.values(), reverse=True)


def test_the_twelve_categories_with_the_most_papers_are_counted(archive, listed, listing, now, search):
    papers = [
        listed(
            f"Paper {number}",
            ids=Identifiers(doi=f"10.5555/{number}"),
            categories=tuple(f"c{n}" for n in range(number)),
        )
        for number in range(16)
    ]
    archive.add(listing(*papers), now)

    assert list(search.facets(None).categories.items()) == [(f"c{n}", 15 - n) for n in range(12)]


def test_a_search_with_code_finds_papers_whose_code_a_list_named(archive, listed, listing, now, search):
    coded = listed("With code", ids=Identifiers(doi="10.5555/1"), code_url="https://example.org/code")
    archive.add(listing(coded, listed("Without", ids=Identifiers(doi="10.5555/2"))), now)

    for query in (None, parse("code OR without")):
        found = search.search(query, MUCH, filters=Filters(code=True))
        assert [paper.title for paper in found.papers] == ["With code"]


def test_pages_that_are_passed_over_are_those_that_the_cursor_leads_through(search, mixed):
    for order in Order:
        query, after, skipped = parse("number"), None, 0
        while True:
            page = search.search(query, 11, order=order, after=after)
            passed = search.search(query, 11, order=order, skip=skipped)
            assert (passed.total, passed.papers) == (page.total, page.papers)
            if page.next is None:
                break
            after, skipped = page.next, skipped + 11
        assert search.search(query, 11, order=order, skip=1000).papers == ()


def test_the_sources_are_those_that_listed_anything(search, mixed):
    assert search.sources() == ("arxiv:cs.CL", "arxiv:cs.LG", "hf")

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.papers import Announcement, FetchStatus, Identifiers, Validators
from storage.sources import DayRead, Sources

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def sources(database):
    return Sources(database)


def settled(sources, day, *, newest=date(2026, 11, 20), whole=True, cursor=None, source="hf"):
    sources.settle(source, day, whole=whole, cursor=cursor, newest=newest, now=NOW)
    return sources.state(source)


def test_a_cursor_never_goes_back_except_from_days_that_have_not_come(sources):
    assert sources.state("hf").cursor is None
    for day in (19, 20, 12):
        settled(sources, date(2026, 11, day), cursor=date(2026, 11, day))
    assert sources.state("hf").cursor == date(2026, 11, 20)
    assert settled(sources, date(2026, 11, 12)).cursor == date(2026, 11, 20)
    settled(sources, date(2027, 6, 1), newest=date(2027, 6, 1), cursor=date(2027, 6, 1))
    assert settled(sources, date(2026, 11, 19), cursor=date(2026, 11, 19)).cursor == date(2026, 11, 19)
    assert sources.state("another").cursor is None


def test_tries_in_vain_are_counted_until_a_day_was_read_in_full(sources):
    day = date(2026, 11, 19)
    tries = [settled(sources, day, whole=whole).days[day].tries for whole in (False, False, True, False)]
    assert tries == [1, 2, 0, 1]
    assert settled(sources, day).days[day] == DayRead(whole=True, tries=0, asked_at=NOW)
    later = settled(sources, date(2027, 6, 1), newest=date(2027, 6, 1))
    assert set(later.days) == {date(2027, 6, 1)}, "what no source can be asked for any more is forgotten"


def test_the_beginning_of_a_first_load_is_kept_and_its_end_too(sources):
    assert (sources.state("hf").begun, sources.state("hf").loaded) == (None, False)
    sources.begin_load("hf", date(2026, 11, 20))
    sources.begin_load("hf", date(2026, 11, 12))
    sources.begin_load("arxiv", date(2026, 11, 1))
    sources.end_load("hf")
    sources.end_load("hf")
    assert (sources.state("hf").begun, sources.state("hf").loaded) == (date(2026, 11, 12), True)
    assert (sources.state("arxiv").begun, sources.state("arxiv").loaded) == (date(2026, 11, 1), False)


def test_validators_are_saved_with_whole_answers_only(archive, sources, listed, listing, now):
    mark = Validators(url="http://x/", etag='"1"')
    archive.add(listing(listed(), status=FetchStatus.PARTIAL), now, [mark])
    assert sources.validators("hf", "http://x/") is None
    archive.add(listing(listed()), now, [mark])
    assert sources.validators("hf", "http://x/") == replace(mark, day=date(2026, 11, 20))
    assert sources.validators("another source of the same page", "http://x/") is None


def test_the_days_of_a_source_are_those_on_which_its_papers_stood(archive, sources, listed, listing, now):
    archive.add(listing(listed(day=date(2026, 11, 18)), listed("Another Title of Its Own")), now)
    archive.add(listing(listed("A Third Title, Elsewhere"), source="arxiv", day=date(2026, 11, 1)), now)
    assert sources.days("hf") == {date(2026, 11, 18), date(2026, 11, 20)}
    assert sources.days("nobody") == frozenset()


def test_ids_announced_as_new_on_an_earlier_day_are_found(archive, sources, listed, listing, now):
    def paper(number: int, announcement: Announcement | None):
        return listed(
            f"Title Number {number} of the Batch",
            ids=Identifiers(arxiv=f"2611.{number:05}"),
            announcement=announcement,
            rank=number,
        )

    batch = [
        paper(1, Announcement.NEW),
        paper(2, Announcement.CROSS),
        paper(3, Announcement.REPLACE),
        paper(4, None),
    ]
    archive.add(listing(*batch, day=date(2026, 11, 19)), now)
    archive.add(listing(paper(5, Announcement.NEW), day=date(2026, 11, 20)), now)
    asked = [f"2611.{number:05}" for number in range(1, 7)]
    assert sources.announced_before(asked, date(2026, 11, 20)) == {"2611.00001"}
    assert sources.announced_before(asked, date(2026, 11, 21)) == {"2611.00001", "2611.00005"}
    assert sources.announced_before(asked, date(2026, 11, 19)) == frozenset()
    assert sources.announced_before([], date(2026, 11, 21)) == frozenset()


def test_a_whole_months_ids_can_be_asked_at_once(archive, sources, listed, listing, now):
    ids = [f"2611.{number:05}" for number in range(1_200)]
    papers = [
        listed(f"Title Number {rank} of Many", ids=Identifiers(arxiv=each), announcement=Announcement.NEW, rank=rank)
        for rank, each in enumerate(ids, start=1)
    ]
    archive.add(listing(*papers), now)
    assert sources.announced_before(ids, date(2026, 11, 21)) == set(ids)

"""A week of arXiv's feed of one category, with its weekend, a batch that comes late and a holiday."""

import re
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
RSS = SHARED / "samples" / "arxiv" / "rss"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2025, 5, 12)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
QUIET = {FetchStatus.OK, FetchStatus.OK_EMPTY, FetchStatus.NOT_MODIFIED}
#: new and cross-listed papers by day of the month, counted by hand in the samples
COUNTS = {12: 26 + 12, 13: 64 + 21, 14: 66 + 16, 15: 16 + 15, 16: 43 + 18}


def new_york(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(new_york(MONDAY, 1))


@pytest.fixture
def arxiv(loopback, markup):
    """An arXiv that announces what it is told: on its list and catch-up pages, and in its feed."""

    class Arxiv:
        def __init__(self) -> None:
            for n in range(40):
                self.catchup(MONDAY - n * DAY)

        def catchup(self, day: date, *ids: str) -> None:
            loopback.put(f"/catchup/cs.CL/{day}?abs=True", markup.arxiv_catchup(day, *ids))

        def list(self, day: date, *ids: str) -> None:
            loopback.put("/list/cs.CL/new", markup.arxiv_list(day, *ids))
            self.catchup(day, *ids)

        def feed(self, text: str) -> None:
            loopback.put("/rss/cs.CL", text)

        def announce(self, day: date, *ids: str) -> None:
            self.list(day, *ids)
            self.feed(markup.arxiv_feed(day, *ids))

    return Arxiv()


@pytest.fixture
def house(house_of, loopback):
    return house_of({"name": "cl", "kind": "arxiv-feed", "url": loopback.url, "categories": ["cs.CL"], "every": "1h"})


@pytest.fixture
def through(house, clock):
    """Let the scheduler come round every hour from an hour of one day to an hour of another; return the reports."""

    def go(first: datetime, last: datetime, step: timedelta = HOUR) -> list:
        reports, at = [], first
        while at <= last:
            clock.set(max(at, clock.now()))
            reports += house.rounds.collect()
            at += step
        return reports

    return go


def ids(day: date, count: int = 3) -> list[str]:
    return [f"{day:%y%m}.{day.day:02}{number:03}" for number in range(count)]


def days_of(house) -> Counter:
    """Return how many papers were first sighted on each day."""
    found: Counter = Counter()
    for paper in house.archive.every():
        found[min(each.day for each in house.archive.sightings(paper.id))] += 1
    return found


def is_quiet(reports: list) -> bool:
    return all(each.status in QUIET and not each.warning for each in reports)


@needs_samples
def test_a_week_of_the_sample_feeds_gives_its_days_without_repeats_or_false_alarm(house, arxiv, through):
    reports = []
    for n in range(7):
        day = MONDAY + n * DAY
        file = f"serialized_rss_cs.CL_{day}.xml" if n < 5 else "serialized_rss_cs.CL_2025-05-17_weekend_empty.xml"
        text = (RSS / file).read_text(encoding="utf-8")
        arxiv.feed(text)
        if n < 5:
            arxiv.list(day, *re.findall(r">oai:arXiv\.org:([0-9.]+)v1<", text))
        today = through(new_york(day, 1), new_york(day, 23))
        assert len(today) == 23
        assert sum(each.new for each in today) == today[0].new == COUNTS.get(day.day, 0)
        reports += today
    assert is_quiet(reports), [each for each in reports if not is_quiet([each])]
    assert days_of(house) == {MONDAY.replace(day=day): count for day, count in COUNTS.items()}
    assert house.states.state("cl").cursor == MONDAY + 4 * DAY


def test_a_week_of_our_own_feed_gives_its_days_and_its_weekend_is_silent(house, arxiv, through, markup):
    reports = []
    for n in range(7):
        day = MONDAY + n * DAY
        if n < 5:
            arxiv.announce(day, *ids(day))
        else:
            arxiv.feed(markup.arxiv_feed(MONDAY + 5 * DAY))
        reports += through(new_york(day, 0, 30), new_york(day, 23, 30))
    assert is_quiet(reports), [each for each in reports if not is_quiet([each])]
    assert sum(each.new for each in reports) == 15
    assert days_of(house) == {MONDAY + n * DAY: 3 for n in range(5)}
    backlog = {paper.ids.arxiv for paper in house.archive.every() if paper.backlog}
    assert backlog == set(ids(MONDAY)), "only the first run brings backlog"


def test_while_nothing_changed_the_feed_costs_a_304(house, arxiv, through, loopback):
    arxiv.announce(MONDAY, *ids(MONDAY))
    reports = through(new_york(MONDAY, 1), new_york(MONDAY, 6))
    assert [each.status for each in reports] == [FetchStatus.OK, *[FetchStatus.NOT_MODIFIED] * 5]
    feed = [each for each in loopback.log if each.path == "/rss/cs.CL"]
    assert [each.status for each in feed] == [200, 304, 304, 304, 304, 304]


def test_a_stale_wednesday_is_told_read_from_the_list_page_and_polled_until_the_feed_moves(
    house, arxiv, through, loopback, markup
):
    tuesday, wednesday = MONDAY + DAY, MONDAY + 2 * DAY
    for day in (MONDAY, tuesday):
        arxiv.announce(day, *ids(day))
        assert is_quiet(through(new_york(day, 1), new_york(day, 23)))
    arxiv.list(wednesday, *ids(wednesday))
    arxiv.feed(markup.arxiv_feed(wednesday, *ids(tuesday)))  # yesterday's batch under today's date
    loopback.log.clear()
    minutes = timedelta(minutes=5)
    stale = through(new_york(wednesday, 1), new_york(wednesday, 4), minutes)
    assert {each.status for each in stale} == {FetchStatus.STALE}
    assert all("it serves an earlier batch as that of 2025-05-14" in each.error for each in stale)
    assert stale[0].new == sum(each.new for each in stale) == 3
    gaps = loopback.gaps("/rss/")
    assert len(gaps) == 6
    assert all(25 * 60 <= gap <= 31 * 60 for gap in gaps)
    assert house.states.state("cl").cursor == tuesday
    # The feed moves, and has one paper more than the list had in the night.
    arxiv.announce(wednesday, *ids(wednesday, 4))
    moved = through(new_york(wednesday, 4, 30), new_york(wednesday, 23))
    assert is_quiet(moved)
    assert sum(each.new for each in moved) == moved[0].new == 1
    assert days_of(house) == {MONDAY: 3, tuesday: 3, wednesday: 4}
    assert house.states.state("cl").cursor == wednesday


def test_a_holiday_brings_nothing_and_no_failure(house, arxiv, through, markup):
    for day in (MONDAY, MONDAY + DAY):
        arxiv.announce(day, *ids(day))
        assert is_quiet(through(new_york(day, 1), new_york(day, 23)))
    # The feed of a holiday is rebuilt without items; the list page shows what was announced last.
    holiday = MONDAY + 2 * DAY
    arxiv.feed(markup.arxiv_feed(holiday))
    arxiv.catchup(holiday)
    free = through(new_york(holiday, 1), new_york(holiday, 23))
    assert is_quiet(free), [each for each in free if not is_quiet([each])]
    assert sum(each.new for each in free) == 0
    after = MONDAY + 3 * DAY
    arxiv.announce(after, *ids(after))
    assert sum(each.new for each in through(new_york(after, 1), new_york(after, 23))) == 3
    assert days_of(house) == {MONDAY: 3, MONDAY + DAY: 3, after: 3}


@pytest.mark.parametrize("kind", ["arxiv-listing", "arxiv-feed"])
def test_when_the_clocks_change_no_day_is_lost_or_doubled(house_of, arxiv, loopback, clock, kind, markup):
    # New York leaves daylight saving time on Sunday, 2 November 2025.
    friday, monday = date(2025, 10, 31), date(2025, 11, 3)
    for n in range(40):
        arxiv.catchup(friday - n * DAY)
    house = house_of({"name": "cl", "kind": kind, "url": loopback.url, "categories": ["cs.CL"], "every": "1h"})
    clock.set(new_york(friday, 1))
    arxiv.announce(friday, *ids(friday))
    reports = []
    while clock.now() < new_york(monday, 12):
        local = clock.now().astimezone(NEW_YORK)
        if local.date() == monday - DAY and local.hour >= 20:
            arxiv.list(monday, *ids(monday))
        if local.date() == monday:
            arxiv.announce(monday, *ids(monday))
        elif local.date() > friday:
            arxiv.feed(markup.arxiv_feed(local.date()))
        reports += house.rounds.collect()
        clock.set(clock.now() + HOUR)
    assert is_quiet(reports), [each for each in reports if not is_quiet([each])]
    assert days_of(house) == {friday: 3, monday: 3}
    assert sum(each.new for each in reports) == 6


def test_a_holiday_of_the_list_page_is_told_as_late_or_a_holiday_and_the_next_day_is_read(
    house_of, arxiv, loopback, clock
):
    settings = {"name": "cl", "kind": "arxiv-listing", "url": loopback.url, "categories": ["cs.CL"], "every": "1h"}
    house = house_of(settings)
    arxiv.announce(MONDAY, *ids(MONDAY))
    loopback.put("/list/cs.CL/new", loopback.answers["/list/cs.CL/new"].body, Etag="")
    clock.set(new_york(MONDAY, 12))
    assert is_quiet(house.rounds.collect())
    clock.set(new_york(MONDAY, 21))  # Tuesday's list is an hour late
    assert is_quiet(house.rounds.collect())
    clock.set(new_york(MONDAY + DAY, 9))
    (report,) = house.rounds.collect()
    assert report.status is FetchStatus.STALE
    assert "that of Tuesday 2025-05-13 is late, or that day is a holiday there" in report.error
    arxiv.catchup(MONDAY + DAY)
    arxiv.announce(MONDAY + 2 * DAY, *ids(MONDAY + 2 * DAY))
    clock.set(new_york(MONDAY + 2 * DAY, 9))
    (report,) = house.rounds.collect()
    assert is_quiet([report])
    assert report.new == 3
    assert house.states.state("cl").cursor == MONDAY + 2 * DAY

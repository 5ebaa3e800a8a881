"""Which days are read, what is news, and what becomes of an answer that is not what was asked for."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Blocked, Throttled, Unreachable
from domain.papers import AbstractKind, FetchStatus
from scrapers.source import Calendar
from storage.archive import Archive
from storage.runs import Runs
from storage.sources import DayRead, SourceState
from worker.days import due_days, is_backlog
from worker.dueness import is_due
from worker.replay import replay

DAY = timedelta(days=1)
THURSDAY = date(2026, 11, 19)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def state_of(**values: Any) -> SourceState:
    """Return a state of which only what is named is known."""
    return SourceState(**{"cursor": None, "begun": None, "loaded": False, "days": {}, **values})


def titles(archive: Archive, *, backlog: bool) -> set[str]:
    return {paper.ids.arxiv or "" for paper in archive.every() if paper.backlog is backlog}


# -- the days ----------------------------------------------------------------------------------------------------------


def test_the_first_scheduled_run_loads_fourteen_listing_days_as_backlog_and_later_ones_bring_news(
    due, toy, pages, archive
):
    days = [THURSDAY - n * DAY for n in range(40) if (THURSDAY - n * DAY).weekday() < 5]
    for number, day in enumerate(days):
        pages.pages[f"day/{day}"] = f"{day}\n2611.{number:05}"
    pages.pages["new"] = f"{THURSDAY}\n2611.00000"
    report = due(toy())
    assert report.listed == report.new == 14
    assert titles(archive, backlog=True) == {f"2611.{number:05}" for number in range(14)}
    pages.pages["new"] = f"{THURSDAY}\n2611.00000\n2611.77777"
    assert due(toy(), later=timedelta(hours=2)).new == 1
    pages.pages["new"] = f"{THURSDAY + DAY}\n2611.88888"
    assert due(toy(), later=DAY).new == 1
    assert titles(archive, backlog=False) == {"2611.77777", "2611.88888"}


def test_a_first_load_that_was_killed_goes_on_as_backlog(due, toy, pages, archive, states):
    pages.pages = {f"day/{date(2026, 11, 2)}": "2026-11-02\n2611.00001", "new": f"{THURSDAY}\n2611.00002"}
    pages.pages[f"day/{date(2026, 11, 3)}"] = Unreachable("the line is down")
    due(toy())
    # What is older than the first run stays backlog, whenever it comes.
    assert states.state("toy").begun == THURSDAY
    pages.pages[f"day/{date(2026, 11, 3)}"] = "2026-11-03\n2611.00003"
    due(toy(), later=timedelta(hours=1))
    assert titles(archive, backlog=True) == {"2611.00001", "2611.00002", "2611.00003"}


def test_by_hand_only_the_days_asked_for_are_read_and_they_are_news(collector, toy, pages, archive):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    (report,) = collector(toy()).collect()
    assert pages.asked == ["new"]
    assert (report.status, report.new) == (FetchStatus.OK, 1)
    assert titles(archive, backlog=False) == {"2611.00001"}


def test_the_first_page_of_a_source_without_days_is_backlog_even_by_hand(collector, toy, undated, pages, archive):
    source = toy(calendar=undated)
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    collector(source).collect()
    pages.pages["new"] = f"{THURSDAY}\n2611.00001\n2611.00002"
    collector(source).collect()
    assert titles(archive, backlog=True) == {"2611.00001"}
    assert titles(archive, backlog=False) == {"2611.00002"}


def test_an_outage_is_refilled_from_the_day_that_was_read_last(due, toy, pages, archive):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    for number, day in enumerate((20, 23, 24, 25, 26)):
        pages.pages[f"day/2026-11-{day}"] = f"2026-11-{day}\n2611.1000{number}"
    pages.pages["new"] = "2026-11-27\n2611.20000"
    pages.asked.clear()
    assert due(toy(), later=8 * DAY).new == 6
    assert pages.asked == [
        "day/2026-11-19",
        "day/2026-11-20",
        "day/2026-11-23",
        "day/2026-11-24",
        "day/2026-11-25",
        "day/2026-11-26",
        "new",
    ]
    assert len(titles(archive, backlog=False)) == 6


def test_the_cursor_stops_before_the_day_that_could_not_be_read(due, toy, pages, states):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    pages.pages |= {"day/2026-11-19": f"{THURSDAY}\n2611.00001", "day/2026-11-20": Unreachable("down")}
    pages.pages["new"] = "2026-11-23\n2611.00003"
    assert due(toy(), later=4 * DAY).status is FetchStatus.FAILED
    assert states.state("toy").cursor == THURSDAY
    pages.pages["day/2026-11-20"] = "2026-11-20\n2611.00002"
    assert due(toy(), later=timedelta(hours=1)).new == 1
    assert states.state("toy").cursor == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("cursor", "first", "count"),
    [
        (None, date(2026, 11, 2), 14),
        (THURSDAY, THURSDAY, 1),
        (date(2026, 11, 13), date(2026, 11, 13), 5),
        (date(2025, 1, 1), date(2026, 8, 21), 65),
    ],
)
def test_the_days_that_are_due_follow_the_calendar(cursor, first, count):
    calendar = Calendar(weekdays=frozenset(range(5)), still_filling=1, look_back=90)
    days = due_days(calendar, state_of(cursor=cursor), THURSDAY, NOON)
    assert (days[0], days[-1], len(days)) == (first, THURSDAY, count)
    assert all(day.weekday() < 5 for day in days)


@pytest.mark.parametrize(
    ("tries", "hours", "due"),
    [(1, 0, True), (2, 0.5, False), (2, 1, True), (3, 5, False), (3, 6, True), (9, 23, False), (9, 24, True)],
)
def test_a_day_that_stays_bad_is_asked_for_less_and_less_often(tries, hours, due):
    bad = THURSDAY - 6 * DAY
    days = {THURSDAY - n * DAY: DayRead(whole=True, tries=0, asked_at=NOON) for n in range(12)}
    days[bad] = DayRead(whole=False, tries=tries, asked_at=NOON - timedelta(hours=hours))
    calendar = Calendar(still_filling=3)
    read = due_days(calendar, state_of(cursor=bad - DAY, days=days), THURSDAY, NOON)
    assert (bad in read) is due
    filling = [THURSDAY - 2 * DAY, THURSDAY - DAY, THURSDAY]
    assert [day for day in read if day != bad] == filling


def test_a_day_that_was_read_while_it_filled_is_read_once_more_when_it_has():
    calendar = Calendar(still_filling=3)
    early = {date(2026, 11, 10): DayRead(whole=True, tries=0, asked_at=datetime(2026, 11, 11, 9, tzinfo=UTC))}
    late = {date(2026, 11, 10): DayRead(whole=True, tries=0, asked_at=datetime(2026, 11, 13, 9, tzinfo=UTC))}
    assert date(2026, 11, 10) in due_days(calendar, state_of(cursor=date(2026, 11, 10), days=early), THURSDAY, NOON)
    assert date(2026, 11, 10) not in due_days(calendar, state_of(cursor=date(2026, 11, 10), days=late), THURSDAY, NOON)


def test_a_day_that_still_filled_when_the_source_was_added_is_news():
    calendar, loaded = Calendar(still_filling=3), state_of(begun=THURSDAY, loaded=True)
    assert not is_backlog(calendar, loaded, THURSDAY - 2 * DAY, THURSDAY)
    assert is_backlog(calendar, loaded, THURSDAY - 4 * DAY, THURSDAY)


# -- the answers -------------------------------------------------------------------------------------------------------


def test_a_page_that_changed_is_replaced_by_the_other_way_and_said_so(collector, toy, pages, archive, database):
    pages.pages = {"new": "broken", f"other/{THURSDAY}": f"{THURSDAY}\n2611.00001"}
    (report,) = collector(toy()).collect()
    assert (report.status, report.new, report.detour) == (FetchStatus.OK, 1, True)
    assert report.error == "the page is not as it was; read from https://toy.example/other/2026-11-19 instead"
    (run,) = Runs(database).since("collect:toy", None)
    assert run.counts["detour"] is True


def test_where_the_other_way_fails_too_the_first_failure_is_told(collector, toy, pages, archive):
    pages.pages = {"new": "broken"}
    (report,) = collector(toy()).collect()
    assert (report.status, report.error) == (FetchStatus.LAYOUT_CHANGED, "the page is not as it was")


def test_the_other_way_makes_up_only_for_the_same_day(collector, toy, pages):
    pages.pages = {"new": "broken", f"other/{THURSDAY}": "2026-11-18\n2611.00001"}
    (report,) = collector(toy()).collect()
    assert report.status is FetchStatus.LAYOUT_CHANGED


def test_an_old_batch_under_a_new_date_is_stale_and_the_other_way_is_read(due, toy, pages, archive, states):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001\n2611.00002"
    due(toy())
    pages.pages |= {
        f"day/{THURSDAY}": f"{THURSDAY}\n2611.00001\n2611.00002",
        "new": "2026-11-20\n2611.00001\n2611.00002",
        "other/2026-11-20": "2026-11-20\n2611.00003",
    }
    report = due(toy(), later=DAY)
    assert report.status is FetchStatus.STALE
    assert report.error == "it serves an earlier batch as that of 2026-11-20"
    assert (report.new, report.listed) == (1, 3)
    assert states.state("toy").cursor == THURSDAY
    pages.pages["new"] = "2026-11-20\n2611.00003\n2611.00004"
    assert due(toy(), later=timedelta(minutes=31)).new == 1
    assert states.state("toy").cursor == date(2026, 11, 20)


def test_a_listing_that_does_not_come_is_late_after_two_hours_and_a_weekend_is_not(due, toy, pages):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    pages.pages[f"day/{THURSDAY}"] = pages.pages["new"]
    assert due(toy(), later=timedelta(hours=16)).status is FetchStatus.OK  # Friday, one o'clock
    late = due(toy(), later=timedelta(hours=2))
    assert late.status is FetchStatus.STALE
    assert "that of Friday 2026-11-20 is late, or that day is a holiday there" in late.error
    pages.pages["new"] = "2026-11-20\n2611.00002"
    assert due(toy(), later=timedelta(hours=1)).status is FetchStatus.OK
    assert due(toy(), later=DAY).status is FetchStatus.OK
    assert due(toy(), later=DAY).status is FetchStatus.OK


def test_papers_without_an_abstract_are_asked_for_one_by_one_and_only_once_a_day(
    due, toy, pages, archive, fetches, clock
):
    bare = "\n".join(f"2611.000{n:02} bare" for n in range(12))
    pages.pages["new"] = f"{THURSDAY}\n{bare}"
    for n in range(12):
        pages.pages[f"paper/2611.000{n:02}"] = f"{THURSDAY}\n2611.000{n:02}"
    del pages.pages["paper/2611.00003"]
    report = due(toy())
    assert (report.status, report.new) == (FetchStatus.OK, 12)
    asked = [each for each in pages.asked if each.startswith("paper/")]
    assert asked == [f"paper/2611.000{n:02}" for n in range(11, 1, -1)], "those stored last come first"
    told = [p for p in archive.every() if p.abstract_kind is AbstractKind.AUTHORS]
    assert len(told) == 9
    ranks = {s.rank for paper in archive.every() for s in archive.sightings(paper.id)}
    assert ranks == set(range(1, 13))
    pages.asked.clear()
    pages.pages["new"] = None
    due(toy(), later=timedelta(hours=1))
    asked = [each for each in pages.asked if each.startswith("paper/")]
    assert asked == ["paper/2611.00001", "paper/2611.00000"], "also where the list itself has not changed"


def test_a_second_page_is_followed_and_no_address_is_asked_twice(collector, toy, undated, pages):
    source = toy(calendar=undated, root="https://toy.example")
    pages.pages = {"new": f"{THURSDAY}\n2611.00001"}
    collector(source).collect()
    assert pages.asked == ["new"]


def test_a_site_that_asks_for_patience_is_asked_again_when_it_said(due, collector, toy, pages, clock):
    pages.pages["new"] = Throttled("https://toy.example/new asks for patience (429)", timedelta(hours=5))
    report = due(toy())
    assert report.status is FetchStatus.THROTTLED
    assert report.retry_at == clock.now() + timedelta(hours=5)
    pages.asked.clear()
    clock.set(clock.now() + timedelta(hours=4, minutes=59))
    assert collector(toy()).collect_due(threading.Event()) == ((), True)
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    assert due(toy(), later=timedelta(minutes=1)).new == 1


def test_one_failing_source_stops_nobody_else(collector, toy, pages):
    pages.pages = {"new": Blocked("a bot check")}
    other = toy(name="other", root="https://other.example")
    reports = collector(toy(), other, toy(name="third")).collect()
    assert [each.source for each in reports] == ["toy", "other", "third"]
    assert {each.status for each in reports} == {FetchStatus.BLOCKED}


def test_every_answer_is_on_record_and_the_page_that_was_not_understood_is_kept(collector, toy, pages, fetches):
    pages.pages["new"] = "broken"
    collector(toy()).collect()
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    collector(toy()).collect()
    found = fetches.latest("toy")
    assert found is not None
    assert (found.status, found.read, found.new, found.day) == (FetchStatus.OK, 1, 1, THURSDAY)
    assert [kept.fetched.status for kept in fetches.kept("toy")] == [FetchStatus.LAYOUT_CHANGED, FetchStatus.OK]


def test_kept_pages_are_read_again_by_a_version_that_understands_them(
    collector, toy, pages, archive, states, fetches, clock
):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    collector(toy()).collect()
    again = replay(toy(), archive, states, fetches, clock)
    assert (again.status, again.listed, again.new) == (FetchStatus.OK, 1, 0)
    unknown = replay(toy(name="nobody"), archive, states, fetches, clock)
    assert unknown.error == "no page of it is kept"


def test_looking_keeps_nothing(collector, toy, pages, archive, fetches):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    ((report, health),) = collector(toy()).check()
    assert (report.listed, health.last_new, health.advice) == (1, None, "")
    assert archive.stats()["papers"] == 0
    assert fetches.latest("toy") is None


def test_a_source_that_fell_silent_is_noticed_the_day_after(due, toy, pages, clock):
    # Every day of eight weeks has two papers, then Thursday the nineteenth has none.
    number = 0
    clock.set(datetime(2026, 9, 21, 9, tzinfo=UTC))
    while clock.now().date() < THURSDAY:
        day = clock.now().date()
        if day.weekday() < 5:
            pages.pages["new"] = pages.pages[f"day/{day}"] = f"{day}\n2610.{number:05}\n2610.{number + 1:05}"
            number += 2
        assert due(toy()).warning == ""
        clock.set(clock.now() + DAY)
    pages.pages["new"] = pages.pages[f"day/{THURSDAY}"] = f"{THURSDAY}"
    assert due(toy()).warning == ""  # the day is not over
    pages.pages["new"] = "2026-11-20\n2611.00001"
    warning = due(toy(), later=DAY).warning
    assert warning.startswith("nothing came on Thursday 2026-11-19, although each of the last")
    assert "Thursdays brought 2 papers or more" in warning


def test_a_throttled_source_without_a_time_waits_its_interval_and_a_stale_one_half_an_hour(database, clock, toy):
    runs = Runs(database)
    for status, due_after in (("throttled", 60), ("stale", 30), ("failed", 15), ("blocked", 60), ("ok", 60)):
        number = runs.claim(f"collect:{status}", "slot", "me", clock.now(), DAY)
        assert number is not None
        runs.finish(number, clock.now(), status, {})
        last = runs.latest(f"collect:{status}")
        hourly = toy(every=timedelta(hours=1))
        assert not is_due(last, hourly, clock.now() + timedelta(minutes=due_after - 1))
        assert is_due(last, hourly, clock.now() + timedelta(minutes=due_after))


def test_a_job_that_is_under_way_is_not_begun_again_in_another_slot(database, clock):
    runs = Runs(database)
    assert runs.claim("collect:toy", "one", "me", clock.now(), DAY) is not None
    assert runs.claim("collect:toy", "two", "other", clock.now(), DAY) is None
    assert runs.claim("collect:toy", "two", "other", clock.now(), DAY, is_alive=lambda _: False) is not None

"""What must not happen to papers when something goes wrong: lost, told late, or told as news that they are not."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import DatabaseBusy, PermanentCollectError, Throttled, Unreachable
from domain.papers import FetchStatus
from scrapers.source import Calendar
from storage.runs import Runs

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
THURSDAY = date(2026, 11, 19)


def backlog(archive) -> set[str]:
    return {paper.ids.arxiv for paper in archive.every() if paper.backlog}


def news(archive) -> set[str]:
    return {paper.ids.arxiv for paper in archive.every() if not paper.backlog}


def fill(pages, first: date, count: int) -> set[str]:
    """Give so many listing days a paper each, and return their ids."""
    days = [day for n in range(3 * count) if (day := first + n * DAY).weekday() < 5][:count]
    for day in days:
        pages.pages[f"day/{day}"] = f"{day}\n2611.{day:%m%d}1"
    return {f"2611.{day:%m%d}1" for day in days}


# -- the first load ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed_at", range(1, 15))
def test_a_first_load_killed_at_any_page_goes_on_as_backlog(collector, toy, pages, archive, killed_at, clock):
    past = fill(pages, date(2026, 11, 2), 13)
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    pages.dies_at = killed_at
    with pytest.raises(KeyboardInterrupt):
        collector(toy()).collect_due(threading.Event())
    pages.dies_at = 0
    clock.set(clock.now() + HOUR)
    collector(toy()).collect_due(threading.Event())
    assert (backlog(archive), news(archive)) == ({*past, "2611.00001"}, set())
    pages.pages["new"] = f"{THURSDAY}\n2611.00001\n2611.00002"
    clock.set(clock.now() + HOUR)
    collector(toy()).collect_due(threading.Event())
    assert news(archive) == {"2611.00002"}


def test_the_first_pages_of_a_search_are_backlog_until_all_of_them_came(due, toy, undated, pages, archive):
    source = toy(calendar=undated)
    pages.pages = {"new": f"{THURSDAY} then older\n2611.00003", "older": Unreachable("down")}
    assert due(source).status is FetchStatus.FAILED
    pages.pages["older"] = f"{THURSDAY}\n2611.00001\n2611.00002"
    due(source, later=HOUR)
    assert (len(backlog(archive)), news(archive)) == (3, set())
    pages.pages["new"] = f"{THURSDAY} then older\n2611.00004\n2611.00003"
    due(source, later=HOUR)
    assert news(archive) == {"2611.00004"}


def test_what_another_way_brings_of_today_is_news_although_an_old_day_was_asked_for(due, toy, pages, archive, clock):
    fill(pages, date(2026, 11, 2), 13)
    pages.pages["day/2026-11-03"] = Throttled("slowly", HOUR)
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    tomorrow = THURSDAY + DAY
    pages.pages |= {"day/2026-11-03": "broken", "other/2026-11-03": f"{tomorrow}\n2611.00002"}
    pages.pages["new"] = f"{tomorrow}\n2611.00002"
    due(toy(), later=DAY)
    assert news(archive) == {"2611.00002"}


# -- days --------------------------------------------------------------------------------------------------------------


def test_a_missed_day_whose_page_cannot_be_had_is_asked_for_until_it_can(due, toy, pages, archive, states):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    missed = fill(pages, date(2026, 11, 20), 5)
    whole = dict(pages.pages)
    refused = PermanentCollectError("https://toy.example cannot be asked: its certificate cannot be trusted")
    pages.pages |= {path: refused for path in whole if path.startswith("day/2026-11-2")}
    pages.pages["new"] = "2026-11-27\n2611.00009"
    assert due(toy(), later=8 * DAY).status is FetchStatus.FAILED
    assert states.state("toy").cursor == THURSDAY
    pages.pages |= whole | {"new": "2026-11-27\n2611.00009"}
    due(toy(), later=HOUR)
    assert news(archive) == {*missed, "2611.00009"}
    assert states.state("toy").cursor == date(2026, 11, 27)


def test_a_day_that_stays_bad_does_not_have_the_others_read_again_and_again(due, toy, pages):
    source = toy(every=HOUR)
    fill(pages, date(2026, 11, 2), 13)
    pages.pages["day/2026-11-05"] = "broken"
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(source)
    pages.asked.clear()
    for _ in range(20):
        due(source, later=HOUR)
    assert len([each for each in pages.asked if each == "day/2026-11-05"]) <= 5
    # The day before turned into one that has filled when midnight came.
    assert {each for each in pages.asked if each.startswith("day/")} <= {"day/2026-11-05", f"day/{THURSDAY}"}


def test_a_clock_that_was_ahead_for_once_loses_no_day(due, toy, pages, archive, states, clock):
    source = toy(calendar=Calendar())
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(source)
    right = clock.now()
    clock.set(datetime(2027, 6, 1, 9, tzinfo=UTC))
    pages.pages |= {f"day/2027-05-{day:02}": f"{THURSDAY}\n2611.00001" for day in range(1, 32)}
    due(source)
    assert states.state("toy").cursor == THURSDAY
    missed = {f"2611.1{day}000" for day in range(20, 30)}
    pages.pages |= {f"day/2026-11-{day}": f"2026-11-{day}\n2611.1{day}000" for day in range(20, 30)}
    pages.pages["new"] = "2026-11-30\n2611.13000"
    clock.set(right)
    due(source, later=11 * DAY)
    assert missed <= news(archive)


def test_a_detour_that_failed_is_made_again_although_the_page_has_not_changed(due, toy, pages, archive):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    friday, saturday = THURSDAY + DAY, THURSDAY + 2 * DAY
    pages.pages |= {"new": str(saturday), f"other/{friday}": Unreachable("down")}
    assert due(toy(), later=2 * DAY).status is FetchStatus.FAILED
    pages.pages[f"other/{friday}"] = f"{friday}\n2611.00002"
    assert due(toy(), later=timedelta(minutes=16)).new == 1
    assert news(archive) == {"2611.00002"}


def test_what_the_other_way_could_not_bring_is_told(collector, toy, pages):
    pages.pages = {"new": "broken", f"other/{THURSDAY}": f"{THURSDAY} then more\n2611.00001", "more": Unreachable("x")}
    (report,) = collector(toy()).collect()
    assert (report.status, report.new) == (FetchStatus.FAILED, 1)


def test_no_listing_is_taken_of_a_day_that_has_not_come(collector, toy, undated, pages, archive):
    pages.pages["new"] = "2031-01-01\n2611.00001"
    (report,) = collector(toy(calendar=undated)).collect(days=[date(2030, 1, 1)])
    assert report.status is FetchStatus.FAILED
    assert report.error == "the listing is of 2031-01-01, which has not come: is this machine's clock right?"
    assert archive.newest_day() is None


# -- other sources, other processes ------------------------------------------------------------------------------------


def test_a_database_that_is_held_stops_one_source_and_neither_the_others_nor_the_worker(
    collector, toy, pages, clock, database
):
    pages.pages = {"new": DatabaseBusy("held"), "other": f"{THURSDAY}\n2611.00001"}
    other = toy(name="other", root="https://other.example")
    stop = threading.Event()
    reports, complete = collector(toy(), other).collect_due(stop)
    assert not stop.is_set()
    assert complete
    assert [each.status for each in reports] == [FetchStatus.FAILED, FetchStatus.FAILED]
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    clock.set(clock.now() + timedelta(minutes=16))
    again, _ = collector(toy(), other).collect_due(stop)
    assert {each.source for each in again} == {"toy", "other"}, "no claim is left behind"


def test_a_fault_that_nobody_foresaw_is_raised_when_the_others_are_done(collector, toy, pages, archive):
    pages.pages["new"] = RuntimeError("a bug")
    fine = toy(name="fine", root="https://fine.example/sub")
    pages.pages["sub/new"] = f"{THURSDAY}\n2611.00001"
    with pytest.raises(RuntimeError, match="a bug"):
        collector(toy(), fine).collect()
    assert archive.stats()["papers"] == 1


def test_days_asked_for_by_hand_do_not_make_a_source_fresh(collector, due, toy, pages, clock, database):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    collector(toy(every=12 * HOUR)).collect(days=[date(2026, 1, 5)])
    assert due(toy(every=12 * HOUR)).new == 1
    assert Runs(database).latest("collect:toy", but="days by hand") is not None

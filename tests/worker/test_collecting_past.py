"""What a source's past decides: which days are asked for again, and from when on its papers are news."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import Throttled, Unreachable
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.huggingface import DailySource
from scrapers.source import Calendar
from storage.runs import Runs
from storage.sources import DayRead, SourceState
from worker.days import due_days
from worker.receipts import check

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
THURSDAY = date(2026, 11, 19)


def news(archive) -> set[str]:
    return {paper.ids.arxiv for paper in archive.every() if not paper.backlog}


def test_a_day_whose_page_rolled_over_while_it_was_asked_for_is_not_taken_as_read(due, toy, pages, archive, states):
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy())
    friday, monday = THURSDAY + DAY, THURSDAY + 4 * DAY
    pages.pages["new"] = f"{monday}\n2611.00009"  # already, although Friday is the newest by the clock
    pages.pages[f"other/{friday}"] = Unreachable("down")
    assert due(toy(), later=DAY + 6 * HOUR).status is FetchStatus.FAILED
    assert states.state("toy").cursor == THURSDAY
    pages.pages[f"day/{friday}"] = f"{friday}\n2611.00002"
    due(toy(), later=3 * DAY)
    assert {"2611.00002", "2611.00009"} <= news(archive)


def test_days_that_still_filled_before_an_outage_are_read_again_after_it(due, toy, pages, archive):
    source = toy(calendar=Calendar())
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(source)
    late = {f"2026-11-{day}": f"2611.2{day}00" for day in (17, 18, 19)}
    pages.pages |= {f"day/{day}": f"{day}\n{paper}" for day, paper in late.items()}
    pages.pages["new"] = "2026-11-23\n2611.00009"
    due(source, later=4 * DAY)
    assert set(late.values()) <= news(archive)


def test_three_listing_days_are_read_again_on_a_monday_too():
    calendar = DailySource("hf", "https://hf.example", HOUR).calendar
    monday = datetime(2026, 11, 23, 14, tzinfo=UTC)
    days = {date(2026, 11, n): DayRead(whole=True, tries=0, asked_at=monday - 2 * HOUR) for n in range(1, 24)}
    state = SourceState(cursor=monday.date(), begun=None, loaded=True, days=days)
    assert due_days(calendar, state, monday.date(), monday)[0] == date(2026, 11, 19)


def test_an_outage_before_there_is_a_cursor_leaves_no_gap(due, toy, pages, archive):
    pages.pages = {"new": f"{THURSDAY}\n2611.00001", "day/2026-11-02": "broken"}
    due(toy())
    missed = {}
    for n in range(1, 40):
        day = THURSDAY + n * DAY
        if day.weekday() < 5:
            missed[f"day/{day}"] = f"2612.{n:05}"
    pages.pages |= {path: f"{path[4:]}\n{paper}" for path, paper in missed.items()}
    pages.pages["new"] = f"{THURSDAY + 40 * DAY}\n2612.99999"
    due(toy(), later=40 * DAY)
    assert set(missed.values()) <= {paper.ids.arxiv for paper in archive.every()}


@pytest.mark.parametrize("clock_then", [datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 11, 19, 8, tzinfo=UTC)])
def test_a_first_run_in_which_nothing_could_be_read_has_not_begun(due, toy, pages, archive, clock, clock_then):
    now = clock.now()
    whole = {f"day/2026-11-{day:02}": f"2026-11-{day:02}\n2611.{day:05}" for day in range(2, 19)}
    whole["new"] = f"{THURSDAY}\n2611.00001"
    pages.pages = {f"day/{THURSDAY - n * DAY}": Unreachable("down") for n in range(400)} | {"new": Unreachable("down")}
    clock.set(clock_then)
    assert due(toy()).status is FetchStatus.FAILED
    pages.pages = whole
    clock.set(now)
    due(toy(), later=HOUR)
    assert news(archive) == set()


def test_a_clock_that_was_ahead_at_the_first_run_does_not_make_all_that_comes_backlog(due, toy, pages, archive, clock):
    source, now = toy(calendar=Calendar()), clock.now()
    pages.pages = {f"day/2027-0{m}-{d:02}": f"{THURSDAY}\n2611.00001" for m in (5, 6) for d in range(1, 32)}
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    clock.set(datetime(2027, 6, 7, 9, tzinfo=UTC))
    due(source)
    clock.set(now)
    due(source)
    pages.pages = {"new": f"{THURSDAY + DAY}\n2611.00002"}
    due(source, later=DAY)
    assert news(archive) == {"2611.00002"}


def test_a_day_asked_for_by_hand_does_not_end_the_first_run_of_a_search(collector, due, toy, undated, pages, archive):
    source = toy(calendar=undated)
    pages.pages["day/2025-03-01"] = "2025-03-01\n2611.00001"
    collector(source).collect(days=[date(2025, 3, 1)])
    pages.pages["new"] = f"{THURSDAY}\n2611.00002\n2611.00003"
    due(source, later=HOUR)
    assert news(archive) == {"2611.00001"}


def test_an_import_under_a_sources_name_is_not_its_first_run(due, toy, undated, pages, archive, clock):
    paper = ListedPaper(title="Imported", rank=1, ids=Identifiers(arxiv="2601.00001"), abstract_kind=AbstractKind.NONE)
    archive.add(Listing("toy", THURSDAY, (paper,), FetchStatus.OK, backlog=True), clock.now())
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    due(toy(calendar=undated))
    assert news(archive) == set()


def test_a_source_of_an_older_version_has_had_its_first_run(collector, due, toy, pages, archive, states, clock):
    states.settle("toy", THURSDAY - DAY, whole=True, cursor=THURSDAY - DAY, newest=THURSDAY, now=clock.now() - DAY)
    pages.pages["new"] = f"{THURSDAY}\n2611.00001"
    pages.pages["day/2026-01-05"] = "2026-01-05\n2601.00001"
    due(toy())
    collector(toy()).collect(days=[date(2026, 1, 5)])
    assert news(archive) == {"2611.00001"}


def test_a_fault_that_nobody_foresaw_is_tried_again_after_a_while_and_not_at_once(collector, toy, pages, clock):
    pages.pages = {f"day/{THURSDAY - n * DAY}": RuntimeError("a bug") for n in range(40)}
    with pytest.raises(RuntimeError):
        collector(toy()).collect_due(threading.Event())
    asked = len(pages.asked)
    clock.set(clock.now() + timedelta(minutes=10))
    assert collector(toy()).collect_due(threading.Event()) == ((), True)
    assert len(pages.asked) == asked


def test_papers_that_a_detour_stored_are_counted_and_its_wish_for_patience_is_told(collector, toy, pages, clock):
    pages.pages = {"new": "broken", f"other/{THURSDAY}": "2026-11-18\n2611.00001"}
    (report,) = collector(toy()).collect()
    assert (report.status, report.new) == (FetchStatus.LAYOUT_CHANGED, 1)
    pages.pages = {"new": "broken", f"other/{THURSDAY}": Throttled("slowly", HOUR)}
    (report,) = collector(toy()).collect()
    assert (report.status, report.retry_at) == (FetchStatus.LAYOUT_CHANGED, clock.now() + HOUR)


def test_an_old_day_asked_for_in_vain_by_hand_is_no_failure_of_the_source(collector, due, toy, pages, database, clock):
    pages.pages = {"new": f"{THURSDAY}\n2611.00001", "day/2026-01-05": Unreachable("down")}
    due(toy())
    collector(toy()).collect(days=[date(2026, 1, 5)])
    told = check("toy", "Toy", Runs(database).since("collect:toy", None), first=True)
    assert told is not None
    assert (told.status, told.day, told.listed) == (FetchStatus.OK, THURSDAY, 1)

"""When each source is asked: arXiv by the clocks on New York's walls, Hugging Face through the day of UTC."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.papers import FetchStatus
from domain.subscriptions import Schedule
from scrapers.arxiv import FEEDS, LISTINGS
from scrapers.source import Calendar
from storage.runs import RunRecord
from worker.dueness import AGAIN, is_due, next_due

NEW_YORK = ZoneInfo("America/New_York")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEDNESDAY = date(2026, 11, 18)


def new_york(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


def ran(at: datetime, shown: date | None, status: FetchStatus = FetchStatus.OK, **counts: str) -> RunRecord:
    counts |= {"shown": shown.isoformat()} if shown else {}
    return RunRecord(job="collect:cl", slot="", status=status.value, counts=counts, error="", finished_at=at)


def asked_again(last: RunRecord, source) -> datetime:
    """Return the first minute at which the source is due."""
    at = last.finished_at
    while not is_due(last, source, at):
        at += MINUTE
    return at


@pytest.mark.parametrize(
    ("calendar", "day", "closes"),
    [
        (LISTINGS, date(2026, 11, 18), "2026-11-18T01:30"),  # 20:30 of the day before, five hours behind UTC
        (LISTINGS, date(2026, 7, 15), "2026-07-15T00:30"),  # four in summer
        (LISTINGS, date(2026, 3, 6), "2026-03-06T01:30"),
        (LISTINGS, date(2026, 3, 9), "2026-03-09T00:30"),  # the clocks went forward in the night before
        (LISTINGS, date(2026, 10, 30), "2026-10-30T00:30"),
        (LISTINGS, date(2026, 11, 2), "2026-11-02T01:30"),  # and back
        (FEEDS, date(2026, 11, 18), "2026-11-18T05:30"),  # built at midnight
        (Calendar(), date(2026, 11, 18), "2026-11-19T00:00"),  # fills until its day is over
        (Calendar(zone="America/New_York"), date(2026, 3, 8), "2026-03-09T04:00"),
    ],
)
def test_a_listing_is_to_be_whole_by_the_clock_on_the_wall(calendar, day, closes):
    assert calendar.closes(day) == datetime.fromisoformat(closes).replace(tzinfo=UTC)


@given(minute=st.integers(0, 2 * 365 * 24 * 60))
def test_the_days_that_are_closed_are_those_whose_closing_is_past(minute):
    moment = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    for calendar in (LISTINGS, FEEDS, Calendar(), Calendar(zone="Asia/Tokyo")):
        closed, following = calendar.closed(moment), calendar.next_closing(moment)
        assert calendar.closes(closed) <= moment < following
        assert not [day for day in calendar.days(closed + DAY, closed + 9 * DAY) if calendar.closes(day) < following]


TUESDAY_EVENING = WEDNESDAY - DAY
DAILY = timedelta(hours=12)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        # seldom in the afternoon, and then at half past eight
        (ran(new_york(TUESDAY_EVENING, 14), WEDNESDAY - DAY), new_york(TUESDAY_EVENING, 19)),
        (ran(new_york(TUESDAY_EVENING, 19, 1), WEDNESDAY - DAY), new_york(TUESDAY_EVENING, 20, 30)),
        # every quarter of an hour until it has moved, then every half hour, then as seldom as ever
        (ran(new_york(TUESDAY_EVENING, 20, 31), WEDNESDAY - DAY), new_york(TUESDAY_EVENING, 20, 45)),
        (ran(new_york(TUESDAY_EVENING, 22, 16), WEDNESDAY - DAY), new_york(TUESDAY_EVENING, 22, 30)),
        (ran(new_york(TUESDAY_EVENING, 22, 31), WEDNESDAY - DAY, FetchStatus.STALE), new_york(TUESDAY_EVENING, 23)),
        (ran(new_york(TUESDAY_EVENING, 22, 31), None), new_york(TUESDAY_EVENING, 23)),
        (ran(new_york(TUESDAY_EVENING, 20, 31), WEDNESDAY), new_york(WEDNESDAY, 7)),
        (ran(new_york(TUESDAY_EVENING, 20, 31), WEDNESDAY, FetchStatus.PARTIAL), new_york(WEDNESDAY, 7)),
        # a site that is down, and one that does not let us in
        (ran(new_york(TUESDAY_EVENING, 20, 31), None, FetchStatus.FAILED), new_york(TUESDAY_EVENING, 20, 45)),
        (ran(new_york(WEDNESDAY, 14), None, FetchStatus.FAILED), new_york(WEDNESDAY, 14, 15)),
        (ran(new_york(TUESDAY_EVENING, 20, 31), None, FetchStatus.BLOCKED), new_york(TUESDAY_EVENING, 21)),
        (ran(new_york(TUESDAY_EVENING, 20, 31), None, FetchStatus.THROTTLED), new_york(TUESDAY_EVENING, 21)),
        # Friday's batch came on Thursday evening, and none comes until Sunday evening
        (ran(new_york(date(2026, 11, 20), 19, 1), date(2026, 11, 20)), new_york(date(2026, 11, 21), 7)),
        (ran(new_york(date(2026, 11, 22), 19, 1), date(2026, 11, 20)), new_york(date(2026, 11, 22), 20, 30)),
        # a holiday: nothing moved for a day
        (ran(new_york(date(2026, 11, 20), 20, 31), date(2026, 11, 19)), new_york(date(2026, 11, 21), 7)),
        (
            ran(new_york(date(2026, 11, 20), 20, 31), date(2026, 11, 19), FetchStatus.STALE),
            new_york(date(2026, 11, 21), 7),
        ),
    ],
)
def test_arxiv_is_asked_when_its_batch_is_to_be_there_and_until_it_is(toy, last, due):
    assert asked_again(last, toy(calendar=LISTINGS, every=DAILY)) == due


def test_what_closed_while_a_run_went_on_is_asked_for_once_more(toy):
    source = toy(calendar=LISTINGS, every=DAILY)
    last = replace(ran(new_york(WEDNESDAY, 20, 33), date(2026, 11, 19)), started_at=new_york(WEDNESDAY, 20, 24))
    assert is_due(last, source, new_york(WEDNESDAY, 20, 33))
    after = replace(last, started_at=new_york(WEDNESDAY, 20, 30))
    assert not is_due(after, source, new_york(WEDNESDAY, 23))


def test_who_wants_a_source_asked_more_often_gets_it_besides(toy):
    hourly, five = (toy(calendar=LISTINGS, every=every) for every in (HOUR, 5 * MINUTE))
    calm, waiting = ran(new_york(WEDNESDAY, 12), WEDNESDAY), ran(new_york(WEDNESDAY, 20, 31), WEDNESDAY)
    assert next_due(calm, hourly) - calm.finished_at == HOUR
    assert next_due(calm, five) - calm.finished_at == 5 * MINUTE
    assert next_due(waiting, hourly) == new_york(WEDNESDAY, 20, 45)
    assert next_due(waiting, five) == new_york(WEDNESDAY, 20, 35)


def test_who_asked_for_patience_is_left_alone_although_its_batch_is_due(toy):
    until = new_york(WEDNESDAY, 23)
    throttled = FetchStatus.THROTTLED
    last = ran(new_york(TUESDAY_EVENING, 20, 29), None, throttled, retry_at=until.isoformat())
    assert next_due(last, toy(calendar=LISTINGS, every=DAILY)) == until


def test_a_source_that_fills_through_its_day_is_asked_once_more_when_that_is_over(toy):
    source = toy(calendar=Calendar(zone="America/New_York"), every=6 * HOUR)
    assert asked_again(ran(new_york(WEDNESDAY, 22), WEDNESDAY), source) == new_york(WEDNESDAY + DAY, 0)
    assert asked_again(ran(new_york(WEDNESDAY, 0, 1), WEDNESDAY), source) == new_york(WEDNESDAY, 1)  # 06:00 UTC


def test_a_source_without_days_knows_its_interval_alone(toy, undated):
    source = toy(calendar=undated, every=12 * HOUR)
    last = ran(datetime(2026, 11, 18, 13, tzinfo=UTC), None)
    assert next_due(last, source) == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sunday", "late"),
    [(date(2026, 3, 8), 0), (date(2026, 11, 1), 0), (date(2026, 11, 1), 3)],
    ids=["the clocks go forward", "the clocks go back", "every batch is late"],
)
def test_what_a_week_asks_of_each_site_by_the_hour(house_of, loopback, clock, markup, sunday, late):
    """From a Thursday to the next, with the Sunday on which New York changes its clocks; Tuesday is a holiday."""
    thursday, holiday = sunday - 3 * DAY, sunday + 2 * DAY
    arxiv = {"name": "cl", "kind": "arxiv-listing", "url": loopback.url, "categories": ["cs.CL"]}
    house = house_of(arxiv, {"name": "hf", "kind": "huggingface-daily", "url": loopback.url})
    for n in range(-30, 8):
        day = thursday + n * DAY
        loopback.put(f"/catchup/cs.CL/{day}?abs=True", markup.arxiv_catchup(day))
        loopback.put(f"/papers/date/{day}", markup.huggingface(dateString=f"{day}T00:00:00.000Z"))

    def on_the_page(now: datetime) -> date:
        newest = LISTINGS.newest(now - late * HOUR)
        return newest - DAY if newest == holiday else newest

    def visits(hour: datetime) -> int:
        """Return how often arXiv is to be asked within an hour."""
        batch = LISTINGS.closed(hour + 30 * MINUTE)
        since = (hour + 30 * MINUTE - LISTINGS.closes(batch)) // HOUR  # 0: that hour, at half past
        waits = 24 if batch == holiday else late
        seldom = int(hour.hour in {0, 12})  # by UTC, whatever the batch
        if since == 0:
            still_waits = LISTINGS.days(holiday, holiday + 3 * DAY)[1] == batch
            return max(seldom, int(still_waits)) + (2 if waits else 1)
        if since == 1:
            return 4 if waits else seldom
        if since < waits:
            return 2
        return 1 if since == waits else seldom

    list_visits: Counter = Counter()
    hugging_face: Counter = Counter()
    begin = new_york(thursday, 12)
    clock.set(begin)
    while (now := clock.now()) < begin + 7 * DAY:
        newest = on_the_page(now)
        loopback.put("/list/cs.CL/new", markup.arxiv_list(newest, f"{newest:%y%m}.{newest.day:05}"))
        loopback.log.clear()
        house.rounds.collect()
        hour = now.replace(minute=0)
        list_visits[hour] += len(loopback.asked("/list/"))
        hugging_face[hour] += bool(loopback.asked("/papers/date/"))
        clock.set(now + AGAIN)
    del list_visits[begin]  # the first visit of all
    assert dict(list_visits) == {hour: visits(hour) for hour in list_visits}
    assert set(hugging_face.values()) == {1}
    assert house.states.state("cl").cursor is not None
    runs = house.runs.latest("collect:cl")
    assert runs is not None
    assert runs.counts["shown"] == str(on_the_page(clock.now()))


def test_a_letter_leaves_when_arxiv_has_been_read_and_never_twice_on_a_day(
    house_of, loopback, clock, markup, transport
):
    """A reader in Berlin: the night of a Monday to a Wednesday, through the jobs as the worker runs them."""
    sunday = date(2026, 11, 15)
    days = {"name": "arxiv:cs.CL", "kind": "arxiv-listing", "url": loopback.url, "categories": ["cs.CL"]}
    house = house_of(days)
    for n in range(-40, 1):
        loopback.put(f"/catchup/cs.CL/{sunday + n * DAY}?abs=True", markup.arxiv_catchup(sunday + n * DAY))

    def lists(day: date) -> None:
        page = markup.arxiv_list(day, f"{day:%y%m}.{day.day:05}")
        loopback.put("/list/cs.CL/new", page)
        loopback.put(f"/catchup/cs.CL/{day}?abs=True", markup.arxiv_catchup(day, f"{day:%y%m}.{day.day:05}"))

    lists(sunday - 2 * DAY)
    clock.set(new_york(sunday, 12))
    schedule = Schedule(hour=12, zone="Europe/Berlin", ready=True)
    house.desk.subscribe("mira@lab.example", ["tides"], schedule, vouched=True, shared=False)
    # Mud is what no paper is of.
    house.desk.subscribe("jonas@lab.example", ["mud"], schedule, vouched=True, shared=False)
    house.rounds.once()
    assert len(transport.messages) == 2, "the first letters leave at once"
    made: dict[str, datetime] = {}
    while clock.now() < new_york(sunday + 2 * DAY, 23):
        now = clock.now()
        if now >= new_york(sunday, 20, 50):
            lists(sunday + DAY)  # Monday's batch, half an hour late
        if now >= new_york(sunday + 2 * DAY, 20, 10):
            lists(sunday + 3 * DAY)  # Wednesday's; of Tuesday there was none
        house.rounds.once()
        for each in house.issues.records():
            made.setdefault(f"{each.subscriber} {each.slot}", now)
        clock.set(max(clock.now(), now + 5 * MINUTE))
    found = {key: at.astimezone(ZoneInfo("Europe/Berlin")) for key, at in made.items() if key.startswith("mira")}
    at_last = {key.split()[1]: f"{at:%Y-%m-%d %H:%M}" for key, at in found.items()}
    # At the first round, one in five minutes, after the quarter of an hour at which the batch was found.
    assert "2026-11-16 03:00" <= at_last["2026-11-16"] < "2026-11-16 03:05"
    assert "2026-11-18 02:30" <= at_last["2026-11-18"] < "2026-11-18 02:35"
    assert set(at_last) == {"2026-11-15", "2026-11-16", "2026-11-18"}, "nothing was new on Tuesday"
    assert [key.split()[1] for key in made if key.startswith("jonas")] == ["2026-11-15"]

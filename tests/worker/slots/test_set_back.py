"""Clocks that were ahead, and readers who travel or choose another hour: no slot twice, none left out."""

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from domain.errors import UsageError
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, Subscription
from storage.changing import Changes
from storage.issues import LastIssue, Reader
from storage.subscribers import Subscribers
from storage.tables import DELIVERY, SUBSCRIBER
from worker.planning import due, next_look, waits

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def tick(desk, now):
    desk.clock.set(now)
    publisher = desk.publisher()
    return publisher.publish(now).issues if publisher.is_due(now) else 0


def test_a_year_ahead_for_an_hour_costs_nobody_a_letter(desk, daily):
    desk.reader("mira", daily(7))
    begin = desk.clock.now()
    for day in range(3):
        assert tick(desk, begin + day * DAY) == 1
    assert tick(desk, begin + 365 * DAY) == 1
    for day in range(3, 10):
        assert tick(desk, begin + day * DAY) == 1
        assert tick(desk, begin + day * DAY + HOUR) == 0
    assert len(desk.issues()["mira"]) == 11


def test_a_slot_that_was_served_while_the_clock_was_ahead_is_not_served_again(desk, daily):
    desk.reader("mira", daily(7))
    begin = desk.clock.now()
    assert [tick(desk, begin + days * DAY) for days in (0, 1, 2, 3)] == [1] * 4
    # The clock was three days ahead; then it comes right.
    assert [tick(desk, begin + days * DAY) for days in (0, 1, 2, 3)] == [0] * 4
    assert tick(desk, begin + 4 * DAY) == 1


def test_a_first_letter_of_a_clock_that_was_ahead_is_the_only_first_one(desk, daily):
    begin = desk.clock.now()
    desk.clock.set(begin + 365 * DAY)
    desk.reader("mira", daily(7))
    assert tick(desk, begin + 365 * DAY) == 1
    desk.finds = lambda _: False
    assert [tick(desk, begin + days * DAY) for days in (0, 1, 2)] == [0] * 3
    desk.finds = lambda _: True
    assert [tick(desk, begin + days * DAY) for days in (3, 3, 4)] == [1, 0, 1]


def test_an_empty_look_of_a_clock_that_was_ahead_holds_up_nobody(desk, daily):
    desk.reader("mira", daily(7))
    begin = desk.clock.now()
    assert tick(desk, begin) == 1
    desk.finds = lambda _: False
    assert tick(desk, begin + 365 * DAY) == 0
    desk.finds = lambda _: True
    assert tick(desk, begin + DAY) == 1


def test_down_for_a_month_is_one_letter(desk, daily, weekly):
    desk.reader("mira", daily(7))
    desk.reader("jun", weekly(2))
    begin = desk.clock.now()
    assert tick(desk, begin) == 2
    assert tick(desk, begin + 30 * DAY) == 2
    assert tick(desk, begin + 30 * DAY + HOUR) == 0


def test_a_stored_zone_that_this_machine_does_not_know_ends_nobodys_letters(desk, daily):
    desk.reader("mira", daily(7))
    jun = desk.reader("jun", daily(7))
    with desk.database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == jun.id).values(zone="Mars/Olympus"))
    assert tick(desk, desk.clock.now()) == 2
    assert Subscribers(desk.database).by_public_id("jun").schedule.zone == "UTC"


def test_who_changes_the_hour_while_they_are_planned_is_looked_at_again(desk, daily):
    begin = datetime(2026, 11, 20, 9, tzinfo=UTC)
    mira = desk.reader("mira", daily(7))
    assert tick(desk, begin) == 1

    def later(_):
        Changes(desk.database).schedule("mira", None, daily(12))

    desk.before, desk.finds = later, lambda _: False
    tick(desk, begin + 22 * HOUR)
    desk.before, desk.finds = lambda _: None, lambda _: True
    assert tick(desk, begin + 27 * HOUR) == 1  # noon of the next day, not the seven o'clock after it
    assert mira.schedule.hour == 7


# -- a window ----------------------------------------------------------------------------------------------------------


def test_letters_of_one_hour_leave_at_each_readers_own_minute(daily):
    opens = datetime(2026, 11, 20, 7, tzinfo=UTC)
    readers = [a_reader(daily(7), name=f"reader{number}") for number in range(400)]
    hour = timedelta(minutes=60)
    minutes = [waits(each, opens, hour) for each in readers]
    assert all(timedelta() <= each < hour for each in minutes)
    assert len(set(minutes)) > 50
    assert [waits(each, opens + 5 * DAY, hour) for each in readers] == minutes
    assert [
        opens + 10 * timedelta(minutes=1) + waits(each, opens + timedelta(minutes=10), hour) for each in readers
    ] == [max(opens + timedelta(minutes=10), opens + each) for each in minutes]
    assert {waits(each, opens, timedelta()) for each in readers} == {timedelta()}


def test_a_letter_in_a_window_is_worth_as_much_from_its_own_minute_on(desk, daily):
    desk.window = timedelta(minutes=600)
    desk.reader("mira", daily(9))
    begin = desk.clock.now()
    assert [tick(desk, begin), tick(desk, begin + DAY)] == [1, 1]
    with desk.database.reading() as connection:
        first, second = connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)).all()
    assert first.not_before == begin  # nobody waits for a first one
    assert begin + DAY < second.not_before < begin + DAY + 10 * HOUR
    assert second.expires_at - second.not_before == first.expires_at - first.not_before
    assert second.date == second.not_before


# -- travel, hours, cadences -------------------------------------------------------------------------------------------


def a_reader(schedule: Schedule, name: str = "mira") -> Subscriber:
    return Subscriber(
        id=1, public_id=name, email="mira@lab.example", state=SubscriberState.CONFIRMED, schedule=schedule,
        shared=False, confirmed_at=None, subscriptions=(Subscription(1, "tides", "tides", 0),),
    )  # fmt: skip


SCHEDULES = st.builds(
    Schedule,
    every=st.sampled_from(Cadence),
    weekday=st.integers(0, 6),
    hour=st.integers(0, 23),
    zone=st.sampled_from(
        ["Pacific/Kiritimati", "Pacific/Honolulu", "Pacific/Apia", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo",
         "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Pacific/Pago_Pago"]
    ),
)  # fmt: skip
BEGIN = datetime(2011, 12, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def opened_last(wall):
    """Return the slot that opened last and when, read off the wall clock of the zone."""
    walls = cache(lambda zone: wall(zone, BEGIN - 21 * DAY, BEGIN + 31 * DAY))

    @cache
    def openings(every, weekday, hour, zone):
        return walls(zone).openings(weekly=every is Cadence.WEEK, weekday=weekday, hour=hour)

    def find(schedule: Schedule, now: datetime) -> tuple[datetime, str]:
        opened = openings(schedule.every, schedule.weekday, schedule.hour, schedule.zone)
        return opened[bisect_right([at for at, _ in opened], now) - 1]

    return find


@settings(max_examples=30)
@given(changes=st.lists(st.tuples(st.integers(1, 120), SCHEDULES), min_size=1, max_size=5), schedule=SCHEDULES)
def test_whatever_a_reader_changes_no_slot_is_double_and_none_is_left_out(opened_last, changes, schedule):
    now, issues, last, look = BEGIN, {}, None, BEGIN
    pending = list(changes)
    changed_in, schedule_now = 0, schedule
    for _ in range(24 * 30):
        if pending and changed_in == pending[0][0]:
            _, schedule_now = pending.pop(0)
            changed_in, look = 0, BEGIN
        changed_in += 1
        reader = Reader(a_reader(schedule_now), last, None)
        slot = due(reader, now)
        assert slot is None or slot.label in issues or now >= look  # a look is never late
        if now >= look:
            look = next_look(reader, now)
            assert look > now
        if slot is not None and slot.label not in issues:  # the unique key of an issue
            issues[slot.label] = now
            last = LastIssue(slot.label, now, now)
        at, label = opened_last(schedule_now, now)
        assert label in issues or any(cut >= at for cut in issues.values())
        now += HOUR
    # Never more letters than days, and one that came at the same local slot would have stood there already.
    assert len(issues) <= 32


@pytest.mark.parametrize("values", [{"hour": 25}, {"hour": -1}, {"zone": "Europe/Atlantis"}, {"zone": "Berlin\0"}])
def test_what_no_clock_shows_is_refused_whoever_changes_it(values):
    with pytest.raises(UsageError):
        replace(Schedule(), **values)


def test_letters_that_wait_for_their_sources_are_spread_over_the_window_too():
    opened = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    ready = Schedule(hour=12, ready=True)
    window = timedelta(minutes=60)
    minutes = {waits(a_reader(ready, f"reader{number}"), opened, window) for number in range(500)}
    assert len(minutes) > 50
    assert all(timedelta() <= each < window for each in minutes)
    assert waits(a_reader(ready), opened, timedelta()) == timedelta()

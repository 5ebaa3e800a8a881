from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock, SystemClock, utc
from domain.errors import UsageError
from domain.subscriptions import Cadence, Schedule, weekday_of, zone_of

BERLIN = Schedule(hour=7, zone="Europe/Berlin")
FRIDAY = Schedule(every=Cadence.WEEK, weekday=4, hour=9, zone="America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_daily_slot_is_the_readers_own_date():
    assert BERLIN.slot(at("2026-11-20T23:30:00+00:00")).label == "2026-11-21"
    assert BERLIN.slot(at("2026-11-20T22:30:00+00:00")).day == date(2026, 11, 20)


def test_a_daily_slot_opens_at_the_readers_own_hour():
    assert BERLIN.opens(at("2026-11-20T12:00:00+00:00")) == at("2026-11-20T06:00:00+00:00")
    assert BERLIN.opens(at("2026-07-20T12:00:00+00:00")) == at("2026-07-20T05:00:00+00:00")


def test_the_slot_that_opened_last_is_due_until_the_next_opens():
    before, opened = BERLIN.due_slot(at("2026-11-20T05:59:59+00:00"))
    assert (before.label, opened) == ("2026-11-19", at("2026-11-19T06:00:00+00:00"))
    assert before.day == date(2026, 11, 20)
    assert BERLIN.due_slot(at("2026-11-20T06:00:00+00:00"))[0].label == "2026-11-20"


def test_the_night_after_the_clocks_change_the_day_before_is_the_day_before():
    after = at("2026-03-29T22:30:00+00:00")  # 00:30 on the 30th in Berlin
    assert BERLIN.due_slot(after)[0].label == "2026-03-29"
    sunday = Schedule(every=Cadence.WEEK, weekday=6, hour=23, zone="Europe/Berlin")
    assert sunday.due_slot(after)[0].label == "2026-W13"


def test_a_weekly_slot_is_the_iso_week_and_opens_on_its_day():
    assert FRIDAY.slot(at("2026-12-31T12:00:00+00:00")).label == "2026-W53"
    assert FRIDAY.due_slot(at("2026-11-19T23:00:00+00:00"))[0].label == "2026-W46"
    for inside in ("2026-11-20T14:00:00+00:00", "2026-11-22T12:00:00+00:00", "2026-11-23T12:00:00+00:00"):
        assert FRIDAY.due_slot(at(inside))[0].label == "2026-W47"


def test_an_hour_that_does_not_exist_opens_at_the_first_instant_after_it():
    gap = Schedule(hour=2, zone="America/New_York")
    opens = gap.opens(at("2026-03-08T12:00:00+00:00"))
    assert opens == at("2026-03-08T07:00:00+00:00")


def test_an_hour_that_comes_twice_opens_once():
    fold = Schedule(hour=1, zone="America/New_York")
    assert fold.opens(at("2026-11-01T12:00:00+00:00")) == at("2026-11-01T05:00:00+00:00")


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(0, 23))  # noqa: DTZ001 made aware below
def test_every_day_has_one_slot_that_opens_within_it(moment, hour):
    for zone in ("UTC", "Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu"):
        schedule = Schedule(hour=hour, zone=zone)
        now = moment.replace(tzinfo=UTC)
        opens = schedule.opens(now)
        assert opens.astimezone(zone_of(zone)).date() == schedule.slot(now).day
        assert schedule.due_slot(now)[1] <= now
        assert now - schedule.due_slot(now)[1] <= timedelta(days=1, hours=2)
        assert abs(opens - now) <= timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    "values", [{"hour": 24}, {"hour": -1}, {"weekday": 7}, {"zone": "Mars"}, {"zone": ""}, {"zone": "../x"}]
)
def test_a_schedule_that_no_clock_shows_is_refused(values):
    with pytest.raises(UsageError):
        Schedule(**values)


def test_weekdays_are_read_short_and_long():
    assert [weekday_of(text) for text in ("mon", "Sunday", "THU")] == [0, 6, 3]
    for text in ("", "m", "monkey", "someday"):
        with pytest.raises(UsageError):
            weekday_of(text)


def test_a_naive_instant_has_no_place():
    with pytest.raises(ValueError, match="ambiguous"):
        utc(datetime(2026, 1, 1))  # noqa: DTZ001 the point
    clock = FixedClock(at("2026-11-20T07:00:00+01:00"))
    assert clock.now() == at("2026-11-20T06:00:00+00:00")
    assert SystemClock().now().tzinfo is UTC
    assert zone_of("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("zone", "hour", "day", "opens"),
    [
        ("America/Toronto", 0, "1919-03-31T12:00:00+00:00", "1919-03-31T04:30:00+00:00"),  # from 23:30 to 00:30
        ("America/Toronto", 23, "1919-03-31T03:00:00+00:00", "1919-03-31T04:00:00+00:00"),
        ("Australia/Lord_Howe", 2, "2026-10-04T03:00:00+00:00", "2026-10-03T15:30:00+00:00"),  # half an hour
        ("America/Santiago", 0, "2026-09-06T12:00:00+00:00", "2026-09-06T04:00:00+00:00"),  # midnight
    ],
)
def test_a_gap_of_any_width_ends_in_the_slot(zone, hour, day, opens):
    assert Schedule(hour=hour, zone=zone).opens(at(day)) == at(opens)


def test_a_day_that_a_zone_skipped_has_no_slot_and_its_week_opens_after_it():
    daily = Schedule(hour=7, zone="Pacific/Apia")
    friday = Schedule(every=Cadence.WEEK, weekday=4, hour=7, zone="Pacific/Apia")
    thursday, saturday = at("2011-12-29T17:00:00+00:00"), at("2011-12-30T17:00:00+00:00")
    assert daily.next_opening(thursday) == saturday
    assert [daily.due_slot(each)[0].label for each in (saturday - timedelta(seconds=1), saturday)] == [
        "2011-12-29", "2011-12-31",
    ]  # fmt: skip
    assert friday.next_opening(thursday) == at("2011-12-30T10:00:00+00:00")
    assert friday.due_slot(at("2011-12-30T10:00:00+00:00"))[0].label == "2011-W52"


def test_a_day_that_begins_twice_has_one_slot():
    midnight = Schedule(hour=0, zone="America/St_Johns")  # at 00:01 it was 23:01 of the day before again
    first, again = at("2009-11-01T02:30:00+00:00"), at("2009-11-01T02:45:00+00:00")
    slot, opened = midnight.due_slot(again)
    assert (slot.label, opened) == ("2009-11-01", at("2009-11-01T02:30:00+00:00"))
    assert midnight.next_opening(first) == midnight.next_opening(again) == at("2009-11-02T03:30:00+00:00")

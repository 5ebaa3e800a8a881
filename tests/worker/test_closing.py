"""When a letter leaves that waits for its reader's sources, and that it never waits beyond the latest hour."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, Subscription
from scrapers.arxiv import LISTINGS
from scrapers.source import Calendar
from storage.issues import LastIssue, Reader
from storage.sources import DayRead
from topics.query import parse
from worker.closing import SourceClosings, demanded
from worker.planning import due, next_look

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEDNESDAY, SATURDAY = date(2026, 11, 18), date(2026, 11, 21)


@dataclass(frozen=True)
class Dated:
    """Of a source, what its closing goes by."""

    name: str
    calendar: Calendar


ARXIV, FILLS = Dated(name="arxiv:cs.CL", calendar=LISTINGS), Dated(name="huggingface-daily", calendar=Calendar())
BOTH = (ARXIV, FILLS)
NEWS = Dated(name="nature", calendar=Calendar(is_dated=False))


def reader(zone: str = "Europe/Berlin", latest: int = 12, query: str = "tides", **changes: object) -> Reader:
    schedule = Schedule(hour=latest, zone=zone, ready=True)
    found = Subscriber(
        id=1, public_id="a", email="mira@lab.example", state=SubscriberState.CONFIRMED, schedule=schedule,
        shared=False, confirmed_at=None, subscriptions=(Subscription(1, query, query, 0),),
    )  # fmt: skip
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    last = LastIssue(slot="2026-01-01", cutoff=long_ago, created_at=long_ago)
    return Reader(replace(found, **changes), last, None)  # type: ignore[arg-type]


class World:
    """Sources that are read a few minutes after each closing, but for what is broken or late."""

    def __init__(self, *sources: Dated, broken_since: dict[str, datetime] | None = None, late: timedelta = 3 * MINUTE):
        self.sources = sources
        self.broken_since = broken_since or {}
        self.late = late

    def closings(self, now: datetime) -> SourceClosings:
        def days(names: list[str], since: datetime) -> dict[str, dict[date, DayRead]]:
            found: dict[str, dict[date, DayRead]] = {}
            for each in self.sources:
                if each.name not in names:
                    continue
                for day in each.calendar.days(since.date() - 2 * DAY, now.date() + 2 * DAY):
                    at = each.calendar.closes(day) + self.late
                    if since <= at <= now:
                        whole = at < self.broken_since.get(each.name, now + DAY)
                        found.setdefault(each.name, {})[day] = DayRead(whole=whole, tries=0, asked_at=at)
            return found

        return SourceClosings(self.sources, days=days, parsed=parse, now=now)

    def first_due(self, who: Reader, day: date, step: timedelta = MINUTE) -> datetime:
        """Return the first minute of a local day at which a letter of that day is due, by the reader's clock."""
        zone = ZoneInfo(who.subscriber.schedule.zone)
        now = datetime.combine(day, time(), zone).astimezone(UTC)
        while True:
            slot = due(who, now, self.closings(now))
            if slot is not None and slot.label == day.isoformat():
                return now.astimezone(zone).replace(tzinfo=None)
            now += step


def at(day: date, text: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(text))


@pytest.mark.parametrize(
    ("zone", "latest", "day", "leaves"),
    [
        ("Europe/Berlin", 12, WEDNESDAY, "02:33"),  # 20:30 in New York is 02:30
        ("Europe/London", 12, WEDNESDAY, "01:33"),
        ("UTC", 12, WEDNESDAY, "01:33"),
        ("Asia/Tokyo", 12, WEDNESDAY, "10:33"),
        ("Asia/Tokyo", 10, WEDNESDAY, "09:03"),  # arXiv closes after the latest hour, Hugging Face before
        ("Asia/Tokyo", 9, WEDNESDAY, "09:00"),
        ("Asia/Kathmandu", 12, WEDNESDAY, "07:18"),
        ("America/New_York", 23, WEDNESDAY, "20:33"),
        ("America/New_York", 12, WEDNESDAY, "12:00"),  # nothing closes in their morning
        ("America/Los_Angeles", 18, WEDNESDAY, "17:33"),
        ("America/Los_Angeles", 17, WEDNESDAY, "16:03"),
        ("America/Los_Angeles", 12, WEDNESDAY, "12:00"),
        ("Europe/Berlin", 12, SATURDAY, "01:03"),  # Friday's day of Hugging Face; arXiv announces nothing
        ("Europe/Berlin", 12, date(2026, 7, 15), "02:33"),
        ("Europe/Berlin", 12, date(2026, 3, 12), "01:33"),  # New York is in summer already, Berlin is not
        ("Europe/Berlin", 12, date(2026, 10, 28), "01:33"),
    ],
)
def test_a_letter_leaves_once_the_sources_have_closed_the_readers_day(zone, latest, day, leaves):
    assert World(*BOTH).first_due(reader(zone, latest), day) == at(day, leaves)


def test_a_source_without_days_holds_nothing():
    assert World(*BOTH, NEWS).first_due(reader(), WEDNESDAY) == at(WEDNESDAY, "02:33")
    assert World(NEWS).first_due(reader(), WEDNESDAY) == at(WEDNESDAY, "12:00")
    assert World().first_due(reader(), WEDNESDAY) == at(WEDNESDAY, "12:00")


def test_what_is_missing_holds_a_letter_until_the_latest_hour_and_no_longer():
    yesterday = datetime(2026, 11, 17, 12, tzinfo=UTC)
    holiday = World(*BOTH, broken_since={ARXIV.name: yesterday})
    assert holiday.first_due(reader(), WEDNESDAY) == at(WEDNESDAY, "12:00")
    late = World(*BOTH, late=3 * HOUR)
    assert late.first_due(reader(), WEDNESDAY) == at(WEDNESDAY, "05:30")
    assert late.first_due(reader(latest=4), WEDNESDAY) == at(WEDNESDAY, "04:00")


def test_a_source_that_is_broken_for_a_week_holds_no_letter_any_more():
    for days, leaves in ((6, "12:00"), (9, "01:03")):
        world = World(*BOTH, broken_since={ARXIV.name: datetime(2026, 11, 18, tzinfo=UTC) - days * DAY})
        assert world.first_due(reader(), WEDNESDAY) == at(WEDNESDAY, leaves)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tides", None),
        ("source:huggingface tides", {"huggingface"}),
        ("source:(arxiv OR huggingface) tides -mud", {"arxiv", "huggingface"}),
        ("source:arxiv OR tides", None),
        ("(source:arxiv tides) OR (source:huggingface mud)", {"arxiv", "huggingface"}),
        ("tides -source:arxiv", None),
    ],
)
def test_a_topic_demands_sources_where_every_paper_of_it_stands_on_one(query, names):
    found = demanded(parse(query).tree)
    assert (found if found is None else set(found)) == names


def test_who_asks_of_one_source_alone_does_not_wait_for_another():
    arxiv_is_late = World(*BOTH, broken_since={ARXIV.name: datetime(2026, 11, 17, 12, tzinfo=UTC)})
    only = reader(query="source:huggingface tides")
    assert arxiv_is_late.first_due(only, WEDNESDAY) == at(WEDNESDAY, "01:03")
    more = (*only.subscriber.subscriptions, Subscription(2, "mud", "mud", 1))
    assert arxiv_is_late.first_due(reader(subscriptions=more), WEDNESDAY) == at(WEDNESDAY, "12:00")


def test_a_weekly_letter_leaves_so_on_its_weekday():
    weekly = Schedule(every=Cadence.WEEK, weekday=2, hour=12, zone="Europe/Berlin", ready=True)
    who = replace(reader(schedule=weekly), last=LastIssue("2026-W46", *[datetime(2026, 11, 11, 1, 33, tzinfo=UTC)] * 2))
    world = World(*BOTH)
    found = [
        (now, slot.label)
        for n in range(7 * 24 * 20)
        if (slot := due(who, now := datetime(2026, 11, 15, 23, tzinfo=UTC) + 3 * n * MINUTE, world.closings(now)))
    ]
    assert found[0] == (datetime(2026, 11, 18, 1, 33, tzinfo=UTC), "2026-W47")
    assert {label for _, label in found} == {"2026-W47"}


def lived(who: Reader, world: World, begin: datetime, end: datetime, *, finds: Callable[[str], bool]) -> list[tuple]:
    """Let planning look at a reader whenever it is to; return the letters and the empty slots, and when."""
    told, now, looks = [], begin, 0
    while now < end:
        looks += 1
        closings = world.closings(now)
        slot, following = due(who, now, closings), next_look(who, now, closings)
        assert following > now
        if slot is not None:
            told.append((slot.label, now, finds(slot.label)))
            if finds(slot.label):
                who = replace(who, last=LastIssue(slot.label, now, now))
            else:
                who = replace(who, looked_at=now)
        now = following
    assert looks < 40 * (end - begin) / DAY + 10
    return told


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "UTC", "Pacific/Auckland"]),
    latest=st.integers(0, 23),
    late=st.integers(0, 600),
    start=st.sampled_from([date(2026, 3, 5), date(2026, 3, 26), date(2026, 10, 22), date(2026, 10, 30)]),
    empty=st.sets(st.integers(0, 31)),
)
def test_each_local_day_has_one_letter_or_one_look_that_finds_nothing(zone, latest, late, start, empty):
    """Over the days on which clocks change, however late the sources are."""
    begin = datetime.combine(start, time(), ZoneInfo(zone)).astimezone(UTC)
    who = reader(zone, latest)
    who = replace(who, last=LastIssue((start - DAY).isoformat(), begin - MINUTE, begin - MINUTE))
    world = World(*BOTH, late=late * MINUTE)
    told = lived(who, world, begin, begin + 6 * DAY, finds=lambda label: int(label[-2:]) not in empty)
    labels = [label for label, _, _ in told]
    assert len(labels) == len(set(labels))
    assert set(labels) >= {(start + n * DAY).isoformat() for n in range(5)}
    for label, now, _ in told:
        latest_hour = who.subscriber.schedule.opens(now)
        assert now <= latest_hour, "never beyond the latest hour"
        assert now.astimezone(ZoneInfo(zone)).date().isoformat() == label


def test_a_machine_that_was_off_all_day_still_sends_until_the_sources_close_the_next():
    world, who = World(*BOTH), reader()
    now = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    slot = due(who, now, world.closings(now))
    assert slot is not None
    assert slot.label == "2026-11-17"
    between = datetime(2026, 11, 18, 1, 31, tzinfo=UTC)
    assert due(who, between, world.closings(between)) is None
    assert due(who, now, world.closings(now)) == due(replace(who, looked_at=now - 30 * HOUR), now, world.closings(now))
    assert due(replace(who, looked_at=datetime(2026, 11, 17, 1, 34, tzinfo=UTC)), now, world.closings(now)) is None


def test_who_is_back_from_a_pause_waits_for_their_sources_too():
    back = reader(away_since=datetime(2026, 11, 1, tzinfo=UTC))
    assert World(*BOTH).first_due(back, WEDNESDAY) == at(WEDNESDAY, "02:33")
    now = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    assert due(back, now, World(*BOTH).closings(now)) is None


def test_where_nobody_knows_of_sources_letters_leave_at_the_latest_hour():
    who = reader(zone="UTC")
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert due(who, noon - MINUTE) is None
    assert due(who, noon) is not None
    assert due(replace(who, looked_at=noon - 10 * HOUR), noon) is None, "found empty in the night"

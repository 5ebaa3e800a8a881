"""Readers whose letters cost nothing to edit, and what is owed to them by a clock on the wall: read day by day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from digests.mail.message import Identity
from domain.clock import FixedClock
from domain.issues import Content, Digest, Fragment, LetterKind, Receipt, Role
from domain.subscriptions import Cadence, Consent, Schedule, Subscriber, SubscriberState
from domain.topics import WishedTopic
from storage.database import Database
from storage.issues import Issues, Reach
from storage.looking import Looking
from storage.subscribers import Signup, Subscribers
from storage.tables import ISSUE, SUBSCRIBER
from storage.waking import Waking
from topics.query import parse
from worker.closing import UNKNOWN
from worker.editing import Edited
from worker.planning import is_first, plan
from worker.publish import Publisher

SENDER = Identity("p@lab.example", secret="a secret")
CONTENT = Content(LetterKind.DIGEST, "Tides", (Fragment(Role.HEAD, b"Subject: Tides\r\n"),))


class NoNotes:
    def of(self, empty: Sequence[Any]) -> dict[int, Any]:
        return dict.fromkeys((reader.subscriber.id for reader, _ in empty), None)


@dataclass
class Desk:
    """What stands around a publisher: the true storage and planning, and an editor with a letter for everybody."""

    database: Database
    clock: FixedClock
    before: Callable[[Any], object] = lambda _: None  #: done before a reader's letter is edited
    slots: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda slots: slots  #: what fills a letter's slots
    finds: Callable[[Any], bool] = lambda _: True  #: whether there is news for a reader
    window: timedelta = timedelta()
    closings: Callable[[datetime], Any] = lambda _: UNKNOWN  #: which sources have closed their day
    made: int = 0

    def publisher(self) -> Publisher:
        """Return a new one, as another process would have it."""
        return Publisher(
            issues=Issues(self.database),
            looking=Looking(self.database),
            editor=lambda: self,
            quiet=NoNotes,
            stopped=lambda _: "",
            wake=Waking(self.database).wake,
            closings=self.closings,
            learn=lambda _now, _readers: 0,
            clock=self.clock,
        )

    def close(self) -> None:
        """There is nothing to let go of."""

    def edit(self, readers: Sequence[Any], now: datetime, up_to: Reach) -> list[Edited]:
        edited = []
        for reader, slot in readers:
            self.before(reader)
            first = is_first(reader)
            if not self.finds(reader) and not first:
                edited.append(Edited(reader.subscriber.id, None))
                continue
            self.made += 1
            digest = Digest(
                slot, first=first, sections=(), topics=("tides",), receipt=Receipt((), 0, 0), confirmed_at=None
            )
            self.made += 1
            made = plan(
                reader.subscriber,
                digest,
                CONTENT,
                named=(),
                public_id=f"{reader.subscriber.id}-{self.made}-{id(self)}",
                cutoff=now,
                reach=up_to,
                created=self.clock.now(),
                max_age=timedelta(hours=36),
                identity=SENDER,
                links=None,
                window=self.window,
            )
            mailing = replace(made.mailing, slots=self.slots(made.mailing.slots))
            edited.append(Edited(reader.subscriber.id, replace(made, mailing=mailing)))
        return edited

    def reader(self, name: str, schedule: Schedule, *topics: str) -> Subscriber:
        """Add a confirmed reader."""
        address = f"{name.lower().replace('/', '-').replace(' ', '-')}@lab.example"
        signup = Signup(
            email=address, address_key=address, public_id=name,
            topics=[WishedTopic(topic, parse(topic)) for topic in topics or ("tides",)], schedule=schedule,
            state=SubscriberState.CONFIRMED, shared=False, consent=[Consent("asked", "1", self.clock.now())],
        )  # fmt: skip
        return Subscribers(self.database).subscribe(signup, self.clock.now())[0]

    def issues(self) -> dict[str, dict[str, datetime]]:
        """Return reader → slot → when its issue was cut."""
        found: dict[str, dict[str, datetime]] = {}
        query = select(SUBSCRIBER.c.public_id, ISSUE.c.slot, ISSUE.c.cutoff).join(
            ISSUE, ISSUE.c.subscriber_id == SUBSCRIBER.c.id
        )
        with self.database.reading() as connection:
            for row in connection.execute(query.order_by(ISSUE.c.id)):
                assert row.slot not in found.setdefault(row.public_id, {})
                found[row.public_id][row.slot] = row.cutoff
        return found


@dataclass
class Wall:
    """A clock on the wall of one zone, read every quarter of an hour: nothing of it comes from the code under test."""

    zone: str
    begin: datetime
    end: datetime
    shown: list[tuple[datetime, datetime]] = field(init=False)  #: instant (UTC), and what the wall shows

    def __post_init__(self) -> None:
        there = ZoneInfo(self.zone)
        steps = int((self.end - self.begin) / timedelta(minutes=15))
        instants = [self.begin + timedelta(minutes=15) * step for step in range(steps)]
        self.shown = [(each, each.astimezone(there).replace(tzinfo=None)) for each in instants]

    def openings(self, *, weekly: bool, weekday: int, hour: int) -> list[tuple[datetime, str]]:
        """Return when each slot opens, and its label: a day that the wall never shows has none."""
        dates = sorted({wall.date() for _, wall in self.shown})
        wanted: dict[str, datetime] = {}
        if weekly:
            days = [dates[0] + timedelta(days=number) for number in range((dates[-1] - dates[0]).days + 1)]
            for day in days:
                if day.weekday() == weekday:
                    wanted[label_of(day, weekly=True)] = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 a wall
        else:
            wanted = {day.isoformat(): datetime(day.year, day.month, day.day, hour) for day in dates}  # noqa: DTZ001 a wall
        opened = []
        rest = sorted(wanted.items(), key=lambda each: each[1])
        for instant, wall in self.shown:
            while rest and wall >= rest[0][1]:
                opened.append((instant, rest.pop(0)[0]))
        return opened[1:]  # the first may have opened before the wall was looked at


def label_of(day: date, *, weekly: bool) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}" if weekly else day.isoformat()


@pytest.fixture(scope="session")
def desk_on() -> type[Desk]:
    return Desk


@pytest.fixture(scope="session")
def wall() -> type[Wall]:
    return Wall


@pytest.fixture
def label() -> Callable[..., str]:
    return label_of


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.fixture
def desk(database: Database, clock: FixedClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def daily() -> Callable[..., Schedule]:
    def make(hour: int = 7, zone: str = "UTC", **values: Any) -> Schedule:
        return Schedule(hour=hour, zone=zone, **values)

    return make


@pytest.fixture
def weekly() -> Callable[..., Schedule]:
    def make(weekday: int, hour: int = 7, zone: str = "UTC") -> Schedule:
        return Schedule(every=Cadence.WEEK, weekday=weekday, hour=hour, zone=zone)

    return make

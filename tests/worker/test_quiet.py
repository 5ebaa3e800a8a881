"""Days without a match: one note, in the reader's own slot, until a match ends the silence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from digests.mail.message import Letter
from digests.render import Frame, Renderer
from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.issues import Fragment, LetterKind, PublishCounts, QuietNote, Role, Slot
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from domain.silences import Quietness
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState
from paperround.settings import build
from paperround.wiring import House
from storage.database import Database
from storage.issues import LastIssue, Reader
from storage.tables import CONTENT, DELIVERY
from worker.quiet import silence_to_note

DAY = timedelta(days=1)
START = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday
SITE = {"base_url": "https://papers.lab.example", "secret_key": "k" * 32}


class NoteWriter(Renderer):
    """A renderer that writes quiet notes as plainly as can be, and keeps what they were to say."""

    def __init__(self) -> None:
        super().__init__(Frame())
        self.notes: list[QuietNote] = []
        self.broken = False

    def quiet(self, note: QuietNote, *, shared: bool) -> Letter:
        if self.broken:
            raise ZeroDivisionError
        self.notes.append(note)
        pieces = (Fragment(Role.TEXT, b"Quiet.\r\n"), Fragment(Role.HTML, b"Quiet.\r\n"))
        return Letter(LetterKind.QUIET, f"Quiet{' and shared' if shared else ''}", pieces)


class Ship:
    """A house in which days pass."""

    def __init__(self, house: House, writer: NoteWriter, clock: FixedClock) -> None:
        self.house = house
        self.writer = writer
        self.clock = clock

    def subscribe(self, schedule: Schedule | None = None, *, shared: bool = False) -> None:
        self.house.desk.subscribe("mira@lab.example", ["tides"], schedule, vouched=True, shared=shared)

    def list_a_paper(self) -> None:
        now = self.clock.now()
        title = f"Tides of {now:%d %B}"
        paper = ListedPaper(title, 1, abstract=f"{title}, told at length.", abstract_kind=AbstractKind.AUTHORS)
        self.house.archive.add(Listing("hf", now.date(), (paper,), FetchStatus.OK), now)

    def publish(self) -> PublishCounts:
        self.house.matcher.match(self.clock.now())
        return self.house.publisher.publish(self.clock.now())

    def days(self, number: int) -> list[int]:
        """Let days pass; return how many quiet notes each publish counted."""
        counted = []
        for _ in range(number):
            self.clock.set(self.clock.now() + DAY)
            counted.append(self.publish().quiet)
        return counted

    def notes(self) -> list[tuple[str, datetime]]:
        """Return the key and the date of every quiet note that was queued."""
        query = (
            select(DELIVERY.c.message_key, DELIVERY.c.date)
            .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
            .where(CONTENT.c.kind == "quiet")
            .order_by(DELIVERY.c.id)
        )
        with self.house.database.reading() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def sail(tmp_path: Any, url: str, clock: FixedClock) -> Iterator[Callable[..., Ship]]:
    opened = []

    def make(**sections: Any) -> Ship:
        values = {
            "database": {"url": url},
            "mail": {"from": "Paperround <p@lab.example>"},
            **sections,
        }
        house = House(build(values, tmp_path), clock=clock, transport=MemoryTransport())
        opened.append(house)
        writer = NoteWriter()
        house.renderer = writer
        return Ship(house, writer, clock)

    yield make
    for each in opened:
        each.database.close()


def test_ten_days_without_a_match_bring_one_note_and_a_match_ends_the_silence(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe()
    assert ship.publish().issues == 1, "the first letter comes even when nothing matched"
    assert ship.days(10) == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    ((key, date),) = ship.notes()
    public_id = ship.house.desk.find("mira@lab.example").public_id
    assert (key, date) == (f"quiet:{public_id}:2026-11-21", START + 3 * DAY)
    (note,) = ship.writer.notes
    assert (note.since, note.slot.label, note.topics, note.receipt.matched) == (
        START.date(), "2026-11-23", ("tides",), 0,
    )  # fmt: skip
    ship.list_a_paper()
    ship.clock.set(ship.clock.now() + DAY)
    assert ship.publish().issues == 1
    assert ship.days(4) == [0, 0, 1, 0]
    assert len(ship.notes()) == 2
    reader = ship.house.desk.find("mira@lab.example")
    assert [each.slots for each in ship.house.silences.of(reader.id)] == [4, 10]


def test_a_note_expires_and_carries_links_like_a_digest(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe()
    ship.publish()
    ship.days(3)
    with ship.house.database.reading() as connection:
        first, note = connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)).all()
    assert note.expires_at - note.date == timedelta(hours=36)
    assert note.slots["unsubscribe"] == first.slots["unsubscribe"]
    assert note.slots["issue"] == first.slots["issue"], "the page of the last letter: the note has none"
    assert note.issue_id is None


def test_published_twice_and_in_two_places_it_is_one_note(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe()
    ship.publish()
    ship.days(3)
    other = sail(web=SITE)
    assert (ship.publish().due, other.publish().due) == (0, 0)
    other.clock.set(other.clock.now() + DAY)
    assert (other.publish().quiet, ship.publish().quiet) == (0, 0)
    assert len(ship.notes()) == 1


def test_killed_before_the_commit_nothing_is_settled_and_the_note_goes_at_the_next(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe()
    ship.publish()
    ship.days(2)
    ship.clock.set(ship.clock.now() + DAY)
    database = ship.house.database
    killed = Killed(database)
    ship.house.issues._database = killed
    with pytest.raises(KeyboardInterrupt):
        ship.publish()
    ship.house.issues._database = database
    assert killed.wrote
    assert ship.notes() == []
    assert ship.publish().quiet == 1
    assert len(ship.notes()) == 1


class Killed:
    """A database whose writer dies after the last statement and before the commit."""

    def __init__(self, database: Database) -> None:
        self.reading = database.reading
        self._database = database
        self.wrote = False

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._database.writing() as connection:
            yield connection
            others = select(DELIVERY.c.id).where(DELIVERY.c.issue_id.is_(None))
            self.wrote = connection.execute(others).first() is not None
            raise KeyboardInterrupt


def test_after_two_weeks_off_it_is_one_note(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe()
    ship.publish()
    ship.clock.set(START + 14 * DAY)
    assert ship.publish().quiet == 1
    assert ship.days(5) == [0, 0, 0, 0, 0]
    assert ship.notes()[0][0].endswith(":2026-12-04")


def test_a_weekly_reader_is_told_in_their_own_slot(sail: Callable[..., Ship]) -> None:
    ship = sail(web=SITE)
    ship.subscribe(Schedule(every=Cadence.WEEK, weekday=4, hour=7))
    ship.publish()
    assert ship.days(21) == [0] * 6 + [1] + [0] * 14
    assert ship.notes()[0][0].endswith(":2026-W48")


def test_a_personal_installation_is_told_without_links(sail: Callable[..., Ship]) -> None:
    ship = sail()
    ship.subscribe()
    ship.publish()
    assert ship.days(4) == [0, 0, 1, 0]
    with ship.house.database.reading() as connection:
        note = connection.execute(select(DELIVERY).order_by(DELIVERY.c.id.desc())).first()
    assert not {"unsubscribe", "preferences", "issue"} & set(note.slots)


def test_with_0_days_there_is_never_a_note_and_silences_are_kept(sail: Callable[..., Ship]) -> None:
    ship = sail(digest={"quiet_note_after_days": 0})
    ship.subscribe()
    ship.publish()
    assert ship.days(10) == [0] * 10
    reader = ship.house.desk.find("mira@lab.example")
    assert [each.slots for each in ship.house.silences.of(reader.id)] == [10]


def test_a_note_that_cannot_be_made_settles_the_slot_and_comes_with_the_next(sail: Callable[..., Ship]) -> None:
    ship = sail()
    ship.subscribe()
    ship.publish()
    ship.writer.broken = True
    assert ship.days(4) == [0, 0, 0, 0]
    ship.writer.broken = False
    assert ship.publish().due == 0
    assert ship.days(2) == [1, 0]


def test_a_dry_run_counts_a_note_and_queues_none(sail: Callable[..., Ship]) -> None:
    ship = sail()
    ship.subscribe()
    ship.publish()
    ship.days(2)
    ship.clock.set(ship.clock.now() + DAY)
    assert ship.house.publisher.publish(ship.clock.now(), dry_run=True).quiet == 1
    assert ship.notes() == []


def test_a_letter_that_could_not_be_composed_is_kept_as_a_silence(sail: Callable[..., Ship]) -> None:
    ship = sail()
    ship.subscribe()
    ship.writer.digest = lambda *_, **__: 1 / 0
    ship.publish()
    (only,) = ship.house.silences.of(ship.house.desk.find("mira@lab.example").id)
    assert (only.reason, only.last_slot) == ("could not be composed", "2026-11-20")


# -- the decision, as values -------------------------------------------------------------------------------------------

MIRA = Subscriber(
    id=1, public_id="a", email="mira@lab.example", state=SubscriberState.CONFIRMED,
    schedule=Schedule(zone="Asia/Tokyo"), shared=False, confirmed_at=None, joined_at=START - 9 * DAY,
)  # fmt: skip
LAST = LastIssue(slot="2026-11-20", cutoff=START.replace(hour=22), created_at=START, public_id="b")  # the 21st there
KNOWN = Quietness(first_slot="2026-11-22", is_noted=False)


def slot(day: int) -> Slot:
    when = datetime(2026, 11, day, tzinfo=UTC).date()
    return Slot(when.isoformat(), "Asia/Tokyo", when)


def test_days_are_counted_in_the_readers_zone() -> None:
    reader = Reader(MIRA, LAST, None)
    assert silence_to_note(reader, slot(23), KNOWN, 3) is None
    assert silence_to_note(reader, slot(24), KNOWN, 3) == "2026-11-22"


@pytest.mark.parametrize(
    ("reader", "known", "after"),
    [
        (Reader(MIRA, None, None), KNOWN, 3),
        (Reader(MIRA, LAST, None), None, 3),
        (Reader(MIRA, LAST, None), replace(KNOWN, is_noted=True), 3),
        (Reader(MIRA, LAST, None), KNOWN, 0),
        (Reader(replace(MIRA, joined_at=START + DAY), LAST, None), KNOWN, 3),
    ],
    ids=["before the first letter", "unknown", "noted", "never", "came back since"],
)
def test_no_note(reader: Reader, known: Quietness | None, after: int) -> None:
    assert silence_to_note(reader, slot(28), known, after) is None


def test_a_first_empty_slot_that_is_late_enough_begins_the_silence() -> None:
    assert silence_to_note(Reader(MIRA, LAST, None), slot(28), Quietness(None, is_noted=False), 3) == "2026-11-28"

"""The old goes, and nobody is sent a paper again; an erasure comes between a worker and its letter."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.deliveries import Acceptance, Message
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from paperround.settings import build
from paperround.wiring import House
from storage.integrity import faults
from storage.tables import ISSUE_PAPER, PAPER

DAY = timedelta(days=1)
START = datetime(2026, 11, 19, 18, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def opened(tmp_path, clock, stop) -> Callable[..., House]:
    def make(transport=None, **keep):
        values = {"mail": {"from": "Paperround <p@lab.example>"}, "keep": keep}
        values["database"] = {"url": "sqlite:///archive.db"}
        return House(build(values, tmp_path), clock=clock, transport=transport or MemoryTransport(), stop=stop)

    return make


@pytest.fixture
def house(opened) -> Iterator[House]:
    with opened() as made:
        yield made


def add(house: House, *titles: str) -> None:
    papers = [
        ListedPaper(
            title=title,
            rank=rank,
            abstract=f"{title}, told at length and with care, so that nobody takes it for another.",
            abstract_kind=AbstractKind.AUTHORS,
        )
        for rank, title in enumerate(titles, 1)
    ]
    day = house.clock.now().date()
    house.archive.add(Listing(source="hf", day=day, papers=tuple(papers), status=FetchStatus.OK), house.clock.now())


def subscribe(house: House, email: str = "mira@lab.example") -> None:
    house.desk.subscribe(email, ["tides"], None, vouched=True, shared=False)


def papers_sent(house: House) -> list[list[str]]:
    """Return what stands in each issue that is kept, oldest first."""
    with house.database.reading() as connection:
        rows = connection.execute(
            ISSUE_PAPER.join(PAPER, PAPER.c.id == ISSUE_PAPER.c.paper_id).select().order_by(ISSUE_PAPER.c.issue_id)
        ).all()
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.issue_id, []).append(row.title)
    return list(found.values())


def test_after_a_sweep_nobody_is_sent_a_paper_again(house, clock):
    subscribe(house)
    add(house, "Tides of the North Sea")
    house.rounds.once()
    clock.set(START + DAY)
    add(house, "Tides of the Red Sea")
    house.rounds.once()
    assert papers_sent(house) == [["Tides of the North Sea"], ["Tides of the Red Sea"]]
    clock.set(START + 400 * DAY)
    house.rounds.once()
    assert papers_sent(house) == [["Tides of the Red Sea"]]
    # Who comes back gets a first letter, which looks back over what was listed lately: the old papers are, again.
    house.desk.unsubscribe("mira@lab.example")
    subscribe(house)
    add(house, "Tides of the North Sea", "Tides of the Red Sea", "Tides of the Dead Sea")
    clock.set(START + 401 * DAY)
    house.rounds.once()
    assert papers_sent(house) == [["Tides of the Dead Sea"]]
    assert faults(house.database) == ()


def test_one_sweep_a_day_is_made_whoever_asks(house, opened, clock):
    with opened() as other:
        assert house.rounds.sweep() is not None
        assert house.rounds.sweep() is None
        assert other.rounds.sweep() is None
        clock.set(START + DAY)
        assert other.rounds.sweep() is not None
        assert house.rounds.sweep() is None
    assert house.runs.latest("sweep").slot == (START + DAY).date().isoformat()


def test_a_sweep_that_was_stopped_is_made_again_the_same_day(house, opened, stop):
    stop.set()
    house.rounds.sweep()
    assert house.runs.latest("sweep") is None
    stop.clear()
    with opened() as other:
        assert other.rounds.sweep() is not None
    assert house.runs.latest("sweep").slot == START.date().isoformat()


def test_what_is_kept_is_set(opened, clock):
    with opened(issues_days=0, replies_days=0, pending_days=0) as house:
        subscribe(house)
        for day in range(3):
            clock.set(START + day * DAY)
            add(house, f"Tides number {day}")
            house.rounds.once()
        clock.set(START + 9999 * DAY)
        assert house.rounds.sweep().swept.issues == 0
    with opened(issues_days=1) as house:
        assert house.sweeper.sweep(clock.now()).swept.issues == 2


class Eraser:
    """A way out on which the reader is erased before the final dot, or after it."""

    def __init__(self, *, before: bool) -> None:
        self.before = before
        self.house: House
        self.left: list[str] = []

    @contextmanager
    def connect(self):
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        if self.before:
            self.house.desk.erase(self.house.desk.find(message.recipient))
        if not before_dot():
            return None
        self.left.append(message.recipient)
        self.house.desk.erase(self.house.desk.find(message.recipient))
        return Acceptance(reply="taken", code=250, enhanced=None)


@pytest.mark.parametrize("before", [True, False])
def test_an_erasure_in_the_middle_of_a_delivery_stops_nobody(opened, *, before):
    transport = Eraser(before=before)
    with opened(transport) as house:
        transport.house = house
        for name in ("mira", "jun", "sana"):
            subscribe(house, f"{name}@lab.example")
        add(house, "Tides of the North Sea")
        house.rounds.once()
        assert len(transport.left) == (0 if before else 3)
        assert list(house.subscribers.everyone()) == []
        assert house.outbox.records() == ()
        assert faults(house.database) == ()

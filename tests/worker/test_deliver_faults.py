"""A pass of deliver in bad company: databases that go away, other workers, roads that are shut."""

import importlib.util
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text

from domain.clock import FixedClock
from domain.deliveries import Acceptance, DeliveryCounts
from domain.errors import NotConnected, StorageError
from storage.database import Database
from storage.installation import Installation
from storage.ledger import balances
from storage.outbox import Outbox
from worker.deliver import Deliverer
from worker.liveness import worker_name
from worker.road import Opening, OpenRoad
from worker.sender import Manner

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
LETTERS = 12
_spec = importlib.util.spec_from_file_location("letter_kills", Path(__file__).with_name("letter_kills.py"))
letter_kills = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(letter_kills)


class Relay:
    """Takes letters, and after so many something happens."""

    name = "relay"

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.at: dict[int, object] = {}
        self.refuses: set[int] = set()  # connections, in the order in which they were made
        self.made = 0
        self.first = threading.Event()
        self.reply = "250 kept"
        self._lock = threading.Lock()

    @contextmanager
    def connect(self):
        with self._lock:
            self.made += 1
            number = self.made
        yield Talk(self, number)


class Talk:
    def __init__(self, relay: Relay, number: int) -> None:
        self._relay = relay
        self._number = number

    def send(self, message, before_dot):
        if self._number in self._relay.refuses:
            self._relay.first.wait(9)  # as a relay that takes the others' letters meanwhile
            raise NotConnected("421 too many connections", 421)
        if not before_dot():
            return None
        with self._relay._lock:
            self._relay.taken.append(message.recipient)
            what = self._relay.at.pop(len(self._relay.taken), None)
            if len(self._relay.taken) == 4:
                self._relay.first.set()  # by now one was accepted: there are but two connections
        if what:
            what()
        return Acceptance(reply=self._relay.reply, code=250)


class Road(OpenRoad):
    """Gives what it was told to, opening after opening, and keeps what it hears."""

    def __init__(self, *openings: Opening) -> None:
        self.openings = list(openings)
        self.told_of: list[str] = []
        self.left = 0

    def opening(self, now, wish):  # noqa: ARG002 Road's signature
        return self.openings.pop(0) if self.openings else Opening(room=0)

    def told(self, keeper, result, now):  # noqa: ARG002 Road's signature
        self.told_of.append(keeper)

    def unused(self, letters):
        self.left += letters


@pytest.fixture
def relay():
    return Relay()


@pytest.fixture
def database(url):
    with Database(url, busy_seconds=0.2) as opened:
        letter_kills.plan_letters(opened, LETTERS, NOW)
        yield opened


@pytest.fixture
def worker(database, relay):
    name = worker_name()

    def make(connections=3, road=None, stop=None, on=None):
        over = on or database
        return Deliverer(
            outbox=Outbox(over),
            installation=Installation(over),
            transport=relay,
            manner=Manner(connections, timedelta(minutes=15), 300, "resend"),
            road=road or OpenRoad(),
            sender=lambda number: f"b+{number}@lab.example",
            sign=None,
            clock=FixedClock(NOW),
            worker=worker_name() if on else name,  # a process has one name
            stop=stop or threading.Event(),
        )

    return make


def states(database):
    with database.reading() as connection:
        assert [each.sentence for each in balances(connection)] == [""]
    found = [each.state for each in Outbox(database).records()]
    return {each: found.count(each) for each in set(found)}


def ends_well(database, relay, worker, *, doubled):
    """Make another pass; everybody has their letter, and nobody a third one."""
    worker().deliver()
    assert states(database) == {"accepted": LETTERS}
    assert len(set(relay.taken)) == LETTERS
    assert len(relay.taken) <= LETTERS + doubled


def test_a_stop_lets_the_letters_in_flight_finish_and_gives_all_others_back(database, relay, worker):
    stop = threading.Event()
    relay.at[5] = stop.set
    counts = worker(stop=stop).deliver()
    assert counts == DeliveryCounts(accepted=len(relay.taken))
    assert 5 <= len(relay.taken) <= 7
    assert states(database) == {"accepted": counts.accepted, "planned": LETTERS - counts.accepted}
    ends_well(database, relay, worker, doubled=0)


def test_two_workers_at_once_send_each_letter_once(database, relay, worker, url):
    with Database(url) as second, ThreadPoolExecutor(2) as pool:
        passes = [pool.submit(worker(on=each).deliver) for each in (database, second)]
        assert sum(each.result().accepted for each in passes) == LETTERS
    assert sorted(relay.taken) == sorted(set(relay.taken))
    assert states(database) == {"accepted": LETTERS}


def test_a_pass_over_a_chunk_sends_those_of_it_that_are_due_and_no_other(database, relay, worker):
    numbers = sorted(each.id for each in Outbox(database).records())
    assert worker().deliver(among=numbers[:4]).accepted == 4
    assert states(database) == {"accepted": 4, "planned": LETTERS - 4}
    assert worker().deliver(among=numbers[2:6]).accepted == 2
    assert worker().deliver(among=numbers[:6]) == worker().deliver(among=[]) == DeliveryCounts()
    assert worker().deliver(among=[*numbers, 999_999]).accepted == LETTERS - 6
    assert sorted(relay.taken) == sorted(set(relay.taken))


def test_passes_of_one_process_side_by_side_send_each_letter_once_and_the_last_ends_the_road(database, relay, worker):
    """One that begins, or ends, takes nothing from another that is under way."""
    road, deliverer = OpenRoad(), worker(road=None)
    ends: list[int] = []
    road.end = lambda _: ends.append(len(relay.taken))
    deliverer._road = road
    numbers = sorted(each.id for each in Outbox(database).records())
    other: list[DeliveryCounts] = []
    relay.at[1] = lambda: other.append(deliverer.deliver(among=numbers[6:]))
    first = deliverer.deliver(among=numbers[:6])
    assert [first, *other] == [DeliveryCounts(accepted=6), DeliveryCounts(accepted=LETTERS - 6)]
    assert ends == [LETTERS]
    assert sorted(relay.taken) == sorted(set(relay.taken))
    assert states(database) == {"accepted": LETTERS}


@pytest.mark.engines("sqlite")
def test_a_full_disk_loses_no_letter(database, relay, worker):
    full = threading.Event()

    def limit(connection):
        most = 1 if full.is_set() else 2**31 - 1  # one page is none that is free
        connection.connection.cursor().execute(f"PRAGMA max_page_count = {most}")

    event.listen(database._engine, "begin", limit)

    def fill():
        with database.writing() as connection:
            # What is written from now on needs pages that there are not.
            connection.execute(text("UPDATE content SET subject = subject || hex(zeroblob(60000))"))
        full.set()

    relay.at[4] = fill
    with database.writing() as connection:
        connection.execute(text("UPDATE delivery SET slots = json_set(slots, '$.pad', hex(zeroblob(2000)))"))
    relay.reply = "250 kept" * 3000
    with pytest.raises(StorageError):
        worker().deliver()
    full.clear()
    ends_well(database, relay, worker, doubled=3)


@pytest.mark.engines("sqlite")
def test_a_database_that_another_holds_loses_no_letter(database, relay, worker, url):
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    relay.at[4] = lambda: other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError):
        worker().deliver()
    other.close()
    ends_well(database, relay, worker, doubled=3)


@pytest.mark.engines("postgresql")
def test_a_server_that_ends_every_connection_loses_no_letter(database, relay, worker, url):
    ending = threading.Lock()  # two that did it at once would end each other

    def end_all():
        with ending, psycopg.connect(url, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    relay.at[4] = relay.at[7] = end_all
    with suppress(StorageError):  # or nobody was in a transaction, and the next one found another connection
        worker().deliver()
    ends_well(database, relay, worker, doubled=6)


def test_one_connection_too_many_does_not_end_the_others_nor_spend_an_attempt(database, relay, worker):
    relay.refuses = {3}
    counts = worker().deliver()
    assert (counts.accepted, counts.deferred) == (LETTERS - 1, 1)
    assert sorted(each.attempts for each in Outbox(database).records()) == [0] + [1] * (LETTERS - 1)


def test_a_road_that_has_no_room_is_given_back_what_was_not_sent(database, relay, worker):
    road = Road(Opening(room=2), Opening(room=0, wait=0.01), Opening(room=20), Opening(room=0, wait=600))
    assert worker(road=road).deliver() == DeliveryCounts(accepted=LETTERS)
    assert road.told_of == ["lab.example"] * LETTERS
    assert road.left == 20 - (LETTERS - 2)


def test_where_the_road_is_shut_nothing_leaves_and_nobody_waits(database, relay, worker):
    shut = Opening(room=9, shut=frozenset({"lab.example"}))
    assert worker(road=Road(Opening(room=0, wait=600))).deliver() == DeliveryCounts()
    assert worker(road=Road(shut)).deliver() == DeliveryCounts()
    assert states(database) == {"planned": LETTERS}

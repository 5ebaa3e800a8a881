"""One pass over what is due, against relays of every temper."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.clock import FixedClock
from domain.deliveries import Acceptance, DeliveryCounts, Message
from domain.errors import (
    BeyondTheRelay,
    DatabaseBusy,
    DeliveryError,
    NotConnected,
    PermanentDeliveryError,
    TransientDeliveryError,
    UncertainDelivery,
)
from paperround.demo.play import EVENING
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.settings import build
from paperround.wiring import House
from storage.installation import residence
from storage.outbox import Outbox
from worker.liveness import is_alive, worker_name
from worker.road import OpenRoad

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


class Relay:
    """A transport that answers each recipient as it was told to, and keeps what it took."""

    name = "relay"

    def __init__(self) -> None:
        self.before: dict[str, DeliveryError] = {}
        self.after: dict[str, DeliveryError] = {}
        self.taken: list[Message] = []
        self.tried: list[str] = []

    @contextmanager
    def connect(self) -> Iterator["Relay"]:
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        self.tried.append(message.recipient)
        if message.recipient in self.before:
            raise self.before[message.recipient]
        if not before_dot():
            return None
        self.taken.append(message)
        if message.recipient in self.after:
            raise self.after[message.recipient]
        return Acceptance(reply="250 kept", code=250)


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def house_with(tmp_path: Path, url: str, relay: Relay, clock: FixedClock) -> Iterator[Callable[..., House]]:
    """Give a house with four readers, each with a letter due, and these settings under [mail]."""
    opened: list[House] = []

    def make(**mail: object) -> House:
        with DemoSite(read_pages()) as site:
            values = {
                "database": {"url": url},
                "mail": {"from": "Paperround <p@lab.example>", "connections": 1, **mail},
                "source": [{"name": "hf", "kind": "huggingface-daily", "url": site.url}],
            }
            house = House(build(values, tmp_path), transport=relay, clock=clock)
            opened.append(house)
            for name in ("ann", "ben", "cat", "dan"):
                house.desk.subscribe(f"{name}@lab.example", ["speech"], None, vouched=True, shared=False)
            house.collector.collect(days=DAYS)
            house.matcher.match(EVENING)
            assert house.publisher.publish(EVENING).issues == 4
        return house

    yield make
    for house in opened:
        house.database.close()


def states(house: House) -> dict[str, str]:
    return {each.recipient.partition("@")[0]: each.state for each in house.outbox.records()}


def test_one_dead_mailbox_and_one_busy_host_stop_nobody(house_with, relay, clock):
    house = house_with()
    relay.before["ben@lab.example"] = PermanentDeliveryError("550 no such user", 550, "5.1.1")
    relay.before["cat@lab.example"] = TransientDeliveryError("451 later", 451, "4.7.1")
    assert house.deliverer.deliver() == DeliveryCounts(accepted=2, deferred=1, rejected=1)
    assert states(house) == {"ann": "accepted", "ben": "rejected", "cat": "deferred", "dan": "accepted"}
    relay.before.clear()
    assert house.deliverer.deliver() == DeliveryCounts()
    clock.set(NOW + timedelta(minutes=10))
    assert house.deliverer.deliver() == DeliveryCounts(accepted=1)
    assert len({message.message_id for message in relay.taken}) == 3


def test_an_address_that_the_relay_cannot_carry_is_skipped_and_its_reader_stays(house_with, relay):
    house = house_with()
    relay.before["ben@lab.example"] = BeyondTheRelay("ben needs a relay that knows SMTPUTF8")
    assert house.deliverer.deliver() == DeliveryCounts(accepted=3, skipped=1)
    (found,) = (each for each in house.outbox.records() if each.state == "skipped")
    assert found.reason == "ben needs a relay that knows SMTPUTF8"


def test_a_relay_that_cannot_be_reached_costs_nobody_an_attempt(house_with, relay, clock):
    house = house_with()
    for name in ("ann", "ben", "cat", "dan"):
        relay.before[f"{name}@lab.example"] = NotConnected("connection refused")
    assert house.deliverer.deliver() == DeliveryCounts(deferred=1)
    assert len(relay.tried) == 1
    assert [each.attempts for each in house.outbox.records()] == [0, 0, 0, 0]
    relay.before.clear()
    clock.set(NOW + timedelta(minutes=10))
    assert house.deliverer.deliver() == DeliveryCounts(accepted=4)


def test_a_letter_without_an_answer_goes_out_once_more_with_the_same_bytes(house_with, relay, clock):
    house = house_with()
    relay.after["ann@lab.example"] = UncertainDelivery("the connection was lost after the dot")
    assert house.deliverer.deliver() == DeliveryCounts(accepted=3, uncertain=1)
    assert house.deliverer.deliver() == DeliveryCounts()
    clock.set(NOW + timedelta(minutes=10))
    assert house.deliverer.deliver() == DeliveryCounts(uncertain=1)
    clock.set(NOW + timedelta(hours=10))
    assert house.deliverer.deliver() == DeliveryCounts()
    copies = [message for message in relay.taken if message.recipient == "ann@lab.example"]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert states(house)["ann"] == "uncertain"


def test_a_letter_without_an_answer_is_held_where_the_operator_said_so(house_with, relay, clock):
    house = house_with(uncertain="hold")
    relay.after["ann@lab.example"] = UncertainDelivery("the connection was lost after the dot")
    house.deliverer.deliver()
    clock.set(NOW + timedelta(hours=10))
    assert house.deliverer.deliver() == DeliveryCounts()
    assert states(house)["ann"] == "uncertain"


def test_what_is_too_old_is_not_sent(house_with, relay, clock):
    house = house_with(max_age_hours=2)
    clock.set(NOW + timedelta(hours=2))
    assert house.deliverer.deliver() == DeliveryCounts(expired=4)
    assert relay.taken == []


def test_a_stop_finishes_the_letter_in_flight_and_gives_the_others_back(house_with, relay):
    house = house_with()
    stop = threading.Event()
    stopped = House(house.settings, transport=relay, clock=house.clock, stop=stop)
    counts = stopped.deliverer.deliver(lambda _: stop.set())
    stopped.database.close()
    assert counts == DeliveryCounts(accepted=1)
    assert sorted(states(house).values()) == ["accepted", "planned", "planned", "planned"]
    assert house.deliverer.deliver() == DeliveryCounts(accepted=3)


def test_several_connections_send_each_letter_once(house_with, relay):
    house = house_with(connections=3)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=4)
    assert len({message.message_id for message in relay.taken}) == len(relay.taken) == 4


def test_this_process_is_alive_one_that_ended_is_dead_and_another_machines_cannot_be_known():
    mine = worker_name()
    host, number, started, end = mine.rsplit("/", 3)
    assert is_alive(mine) is True
    assert is_alive(f"{host}/{number}/1/{end}") is False
    assert is_alive(f"{host}/{2**22 - 1}/{started}/{end}") is False
    assert is_alive(f"elsewhere/{number}/1/{end}") is None
    name, boot, space = host.rsplit("+", 2)
    # Containers that share a host's name: their processes are not among those that we see.
    assert is_alive(f"{name}+{boot}+{space}1/1/{started}/{end}") is None
    assert is_alive(f"{name}+{boot}1+{space}/{2**22 - 1}/{started}/{end}") is None
    assert is_alive(f"{name}/1/{started}/{end}") is None
    assert worker_name() != mine


def test_one_message_that_cannot_be_sent_stands_in_nobodys_way(house_with, relay):
    house = house_with()
    relay.before["ann@lab.example"] = ZeroDivisionError("a bug of ours")
    relay.after["ben@lab.example"] = ZeroDivisionError("another one")
    assert house.deliverer.deliver() == DeliveryCounts(accepted=2, rejected=1, uncertain=1)
    assert states(house) == {"ann": "rejected", "ben": "uncertain", "cat": "accepted", "dan": "accepted"}


def test_a_pass_that_takes_longer_than_a_lease_sends_nothing_twice(house_with, relay, clock):
    house = house_with(lease_seconds=60)
    other = House(house.settings, transport=relay, clock=clock)
    sent = relay.send

    def slowly(message, before_dot):
        clock.set(clock.now() + timedelta(seconds=50))
        if len(relay.taken) == 2:
            other.deliverer.deliver()
        return sent(message, before_dot)

    relay.send = slowly
    house.deliverer.deliver()
    other.database.close()
    assert len(relay.taken) == len({message.message_id for message in relay.taken}) == 4
    assert set(states(house).values()) == {"accepted"}


def test_an_answer_is_on_record_while_the_relay_is_slow_with_the_next_letter(house_with, relay, clock):
    house = house_with()
    slow, go_on = threading.Event(), threading.Event()

    def wait_before_the_second(message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        if relay.taken:
            slow.set()
            assert go_on.wait(20)
        return Relay.send(relay, message, before_dot)

    relay.send = wait_before_the_second
    passing = threading.Thread(target=house.deliverer.deliver)
    passing.start()
    try:
        assert slow.wait(20)
        assert sorted(states(house).values()) == ["leased", "leased", "leased", "sending"]
        clock.set(NOW + timedelta(seconds=2))
        waited = threading.Event()
        while "accepted" not in states(house).values():
            waited.wait(0.05)
            assert passing.is_alive()
    finally:
        go_on.set()
        passing.join(20)
    assert set(states(house).values()) == {"accepted"}


class RoadThatEnds(OpenRoad):
    """Remembers that the pass was ended."""

    ended = False

    def end(self, now: datetime) -> None:  # noqa: ARG002 Road's signature
        self.ended = True


def test_a_pass_is_ended_whole_even_if_its_letters_cannot_be_given_back(house_with, relay):
    house = house_with()
    deliverer, road = house.deliverer, RoadThatEnds()

    class Broken(Outbox):
        def release(self, worker: str) -> int:  # noqa: ARG002 Outbox's signature
            raise DatabaseBusy("the letters could not be given back")

    deliverer._road, deliverer._outbox = road, Broken(house.database)
    with pytest.raises(DatabaseBusy, match="given back"):
        deliverer.deliver()
    assert road.ended
    assert set(states(house).values()) == {"accepted"}
    with house.database.reading() as connection:
        assert residence(connection).passes == 2  # it was begun and ended

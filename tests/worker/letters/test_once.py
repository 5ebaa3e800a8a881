"""Whatever fires twice, and whatever a clock does: a reader gets one letter for a slot, and the unique keys decide."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from domain.subscriptions import Schedule

READERS = 9


def test_two_workers_that_publish_and_deliver_at_once_send_each_letter_once(lab, papers):
    names = [f"reader{number}" for number in range(READERS)]
    for name in names:
        lab.reader(name, "tides")
    lab.listed(*papers(3))
    lab.house.matcher.match(lab.clock.now())
    houses = [lab.house, lab.open(), lab.open()]
    together = threading.Barrier(len(houses))

    def work(house):
        together.wait()
        planned = house.publisher.publish(lab.clock.now())
        together.wait()
        return planned, house.deliverer.deliver()

    with ThreadPoolExecutor(len(houses)) as pool:
        done = list(pool.map(work, houses))
    assert sum(planned.issues for planned, _ in done) == READERS
    assert sum(delivered.accepted for _, delivered in done) == READERS
    assert sorted(message.recipient.partition("@")[0] for message in lab.relay.taken) == sorted(names)
    assert {message.message_id for message in lab.relay.taken} == {
        record.message_id for record in lab.house.issues.records()
    }


def test_a_scheduler_that_fires_twice_for_a_slot_makes_one_letter(lab, papers):
    lab.reader("mira", "tides")
    lab.listed(*papers(2))
    assert [lab.round() for _ in range(3)] == [1, 0, 0]
    assert lab.publish(lab.open()) == 0
    assert len(lab.relay.taken) == 1


def test_a_clock_that_is_set_back_brings_nobody_a_second_letter(lab, paper):
    lab.reader("mira", "tides")
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    planned = []
    for number, hours in enumerate((0, 24, 24 - 9, -48, 3, 24, 24 + 1)):
        lab.clock.set(noon + timedelta(hours=hours))
        lab.listed(paper(number + 1))
        planned.append(lab.round())
    # The second day's letter is there before the clock is set back by nine hours, by three days and on again.
    assert planned == [1, 1, 0, 0, 0, 0, 0]
    lab.clock.set(noon + timedelta(hours=48))
    assert lab.round() == 1
    slots = [record.slot for record in lab.house.issues.records()]
    assert slots == ["2026-11-22", "2026-11-21", "2026-11-20"]
    named = [letter.get_body(("plain",)).get_content() for letter in lab.relay.digests()]
    assert [sum(f"Place {number}" in text for text in named) for number in range(1, 8)] == [1] * 7


@pytest.mark.parametrize(
    ("zone", "hour", "night"),
    [
        ("America/New_York", 1, datetime(2026, 11, 1, 3, tzinfo=UTC)),  # one o'clock comes twice
        ("Europe/Berlin", 2, datetime(2026, 10, 24, 22, tzinfo=UTC)),  # so does two
        ("Europe/Berlin", 2, datetime(2026, 3, 28, 22, tzinfo=UTC)),  # two o'clock does not come at all
        ("Australia/Lord_Howe", 1, datetime(2026, 4, 4, 12, tzinfo=UTC)),  # half an hour comes twice
    ],
)
def test_the_night_in_which_the_clocks_change_brings_one_letter(lab, paper, zone, hour, night):
    lab.clock.set(night - timedelta(hours=12))
    lab.reader("mira", "tides", schedule=Schedule(hour=hour, zone=zone))
    lab.listed(paper(1))
    assert lab.round() == 1  # the first letter leaves at once
    planned = []
    for step in range(16):  # eight hours, in which the hour that is asked for comes once, twice or not at all
        lab.clock.set(night + step * timedelta(minutes=30))
        lab.listed(paper(step + 2))
        planned.append(lab.round())
    assert sorted(planned) == [0] * 15 + [1]
    assert len(lab.relay.taken) == 2
    assert len({record.slot for record in lab.house.issues.records()}) == 2

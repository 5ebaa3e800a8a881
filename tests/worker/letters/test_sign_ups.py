"""Sign-ups that somebody makes for an address of another: one letter comes, and it says nothing that was typed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain.issues import LetterKind
from domain.subscriptions import SubscriberState

#: One mailbox, as a form may hear of it.
SPELLINGS = ("mira@lab.example", "Mira@Lab.Example", "MIRA@LAB.EXAMPLE", " mira@lab.example ", "mira@LAB.example")


@pytest.fixture
def site(lab_with):
    """A lab with a site, on which whoever signs up is asked to confirm."""
    return lab_with(
        mail={"postal_address": "Example Lab, 1 Example Street"},
        web={"base_url": "https://digests.lab.example", "secret_key": "k" * 40},
    )


def ask(house, number):
    return house.desk.subscribe(SPELLINGS[number % len(SPELLINGS)], ["tides"], None, vouched=False, shared=False)


def letters(site):
    return [message for message in site.relay.taken if message.kind is LetterKind.CONFIRM]


@pytest.mark.engines("sqlite")  # a thousand commits; the fewer ones below are made on both
def test_a_thousand_sign_ups_of_one_address_in_an_hour_are_one_letter(site):
    queued = 0
    for number in range(1_000):
        if number % 100 == 0:
            site.clock.set(site.clock.now() + timedelta(minutes=6))
            site.house.deliverer.deliver()
        queued += ask(site.house, number)[1]
    site.house.deliverer.deliver()
    assert (queued, len(letters(site))) == (1, 1)
    (message,) = letters(site)
    assert b"tides" not in message.data
    assert [each.state for each in site.house.subscribers.everyone()] == [SubscriberState.PENDING]


def test_sign_ups_of_one_address_at_one_instant_in_two_processes_are_one_reader_and_one_letter(site):
    houses = [site.house, site.open()]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: ask(houses[number % 2], number), range(40)))
    site.house.deliverer.deliver()
    assert sum(queued for _, queued in done) == 1
    assert len({reader.id for reader, _ in done}) == 1
    assert len(letters(site)) == 1


def test_a_flood_of_one_address_keeps_nobody_else_from_their_letter(site):
    for number in range(60):
        ask(site.house, number)
    site.house.desk.subscribe("jun@lab.example", ["tides"], None, vouched=False, shared=False)
    site.house.deliverer.deliver()
    assert sorted(message.recipient for message in letters(site)) == ["jun@lab.example", "mira@lab.example"]


def test_days_of_sign_ups_are_three_letters_and_then_silence(site):
    for _ in range(12):
        ask(site.house, 0)
        site.house.deliverer.deliver()
        site.clock.set(site.clock.now() + timedelta(days=1))
    assert len(letters(site)) == 3

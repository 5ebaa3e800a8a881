"""The limits of the settings hold for what a relay sees, whatever passes, processes and restarts there are."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from domain.clock import SystemClock


def most_within(span, instants):
    return max(sum(start <= each < start + span for each in instants) for start in instants)


def test_an_hourly_limit_holds_and_the_rest_follows(town, relay, names):
    town.again(per_hour=3)
    town.readers(*names("reader", 7, "lab.example"))
    town.publish()
    assert town.deliver().accepted == 3
    assert town.deliver().accepted == 0
    assert town.command("deliveries", "lanes", "--json").json["last_hour"]["per_hour"] == 3
    town.again()
    assert town.deliver().accepted == 0  # a new process remembers
    town.later(timedelta(minutes=59))
    assert town.deliver().accepted == 0
    town.later(timedelta(minutes=2))
    assert town.deliver().accepted == 3
    town.passes(timedelta(minutes=10), 10)
    assert most_within(timedelta(hours=1), [each.at for each in relay.arrived]) == 3
    assert town.states() == {"accepted": 7}
    assert town.attempts() == {1}


@pytest.mark.engines("sqlite")
def test_letters_a_second_are_no_more_than_the_settings_say(town, relay, names):
    town.clock.set(datetime.now(UTC))
    town.again(per_second=20, connections=3)
    town.readers(*names("reader", 20, "lab.example"))
    town.publish()
    town.end()
    town.clock = relay.clock = SystemClock()  # a second is short enough to be waited for
    town.stop = threading.Event()
    begun = town.clock.now()
    assert town.deliver().accepted == 20
    # Two lie ready, and 18 a second flow in (digests/mail/lanes.py).
    assert max(each.at for each in relay.arrived) - begun >= timedelta(seconds=(20 - 2) / 18)


@pytest.mark.engines("sqlite")
def test_what_a_relay_refuses_spends_nothing_of_an_hour(town, relay, names):
    town.again(per_hour=4)
    town.readers(*names("dead", 3, "a.example"), *names("well", 4, "b.example"))
    town.publish()
    relay.at_rcpt = lambda recipient: b"550 5.1.1 unknown" if recipient.startswith("dead") else b"250 ok"
    for _ in range(4):
        town.deliver()
    assert Counter(each.state for each in town.records().values()) == {"accepted": 4, "rejected": 3}

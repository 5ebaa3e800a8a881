"""Readers who leave between planning and sending, at any step of a retry, and under another address."""

from datetime import timedelta

import pytest

from domain.deliveries import DeliveryCounts
from domain.errors import TransientDeliveryError, UncertainDelivery

LATER = TransientDeliveryError("451 later", 451, "4.3.0")


@pytest.fixture
def mira(lab, papers):
    """Mira and Jun have a letter each that is planned and not sent."""
    mira = lab.reader("mira", "tides")
    lab.reader("jun", "tides")
    lab.listed(*papers(2))
    assert lab.publish() == 2
    return mira


def test_one_who_leaves_after_planning_gets_nothing_and_the_others_do(lab, mira):
    lab.leave(mira)
    lab.house.deliverer.deliver()
    assert lab.states() == {"mira": "skipped", "jun": "accepted"}
    assert lab.reasons()["mira"] == "the reader is unsubscribed"
    assert lab.relay.digests("mira") == []


def test_one_who_leaves_while_their_letter_is_on_the_way_to_its_dot_gets_nothing(lab, mira):
    lab.relay.before = lambda message: lab.leave(mira) if message.recipient == mira.email else None
    lab.house.deliverer.deliver()
    assert lab.states() == {"mira": "skipped", "jun": "accepted"}
    assert lab.relay.digests("mira") == []


def test_one_who_leaves_between_two_tries_gets_no_second_one(lab, mira):
    lab.relay.refused[mira.email] = LATER
    lab.house.deliverer.deliver()
    assert lab.states()["mira"] == "deferred"
    lab.relay.refused.clear()
    lab.leave(mira)
    lab.clock.set(lab.clock.now() + timedelta(hours=1))
    lab.house.deliverer.deliver()
    assert (lab.states()["mira"], lab.reasons()["mira"]) == ("skipped", "the reader is unsubscribed")
    lab.clock.set(lab.clock.now() + timedelta(hours=9))
    assert lab.house.deliverer.deliver() == DeliveryCounts()
    assert lab.relay.digests("mira") == []


def test_a_letter_whose_answer_was_lost_is_not_sent_again_to_one_who_left_since(lab, mira):
    lab.relay.lost[mira.email] = UncertainDelivery("the connection was lost after the dot")
    lab.house.deliverer.deliver()
    lab.relay.lost.clear()
    lab.leave(mira)
    lab.clock.set(lab.clock.now() + timedelta(hours=1))
    lab.house.deliverer.deliver()
    assert len(lab.relay.digests("mira")) == 1
    assert lab.states()["mira"] == "skipped"


def test_one_who_leaves_after_the_dot_got_that_letter_and_gets_no_other(lab, mira, paper):
    lab.relay.after = lambda message: lab.leave(mira) if message.recipient == mira.email else None
    lab.house.deliverer.deliver()
    assert lab.states() == {"mira": "accepted", "jun": "accepted"}
    lab.relay.after = lambda _: None
    lab.clock.set(lab.clock.now() + timedelta(days=1))
    lab.listed(paper(9))
    assert lab.round() == 1
    assert len(lab.relay.digests("mira")) == 1
    assert len(lab.relay.digests("jun")) == 2


def test_one_who_left_and_came_back_gets_the_letter_that_waited_once(lab, mira):
    lab.relay.refused[mira.email] = LATER
    lab.house.deliverer.deliver()
    lab.leave(mira)
    lab.reader("mira", "tides")
    lab.relay.refused.clear()
    lab.clock.set(lab.clock.now() + timedelta(hours=1))
    lab.round()
    lab.clock.set(lab.clock.now() + timedelta(hours=1))
    lab.round()
    assert len(lab.relay.digests("mira")) == 1


def test_one_who_moves_to_another_address_gets_nothing_at_the_old_one(lab, mira):
    lab.leave(mira)
    lab.reader("moved", "tides")
    lab.round()
    assert [message.recipient for message in lab.relay.taken] == ["jun@lab.example", "moved@lab.example"]
    (letter,) = lab.relay.digests("moved")
    assert "mira" not in str(letter).replace("Mira Okafor", "").lower()

"""A keeper that asks for patience, one mailbox that is dead: nobody else waits, and nobody is forgotten."""

from datetime import timedelta

import pytest

MINUTES = timedelta(minutes=1)
SLOW = b"421 4.7.0 too many messages from you, slow down"


def test_a_storm_of_one_keeper_lets_all_others_arrive_at_once_and_its_own_later(town, relay, names):
    town.readers(*names("ann", 12, "busy.example"), *names("ben", 12, "calm.example"))
    assert town.publish() == 24
    relay.at_rcpt = lambda recipient: SLOW if "@busy" in recipient else b"250 ok"
    first = town.deliver()
    assert {each.recipient for each in relay.arrived} == set(names("ben", 12, "calm.example"))
    assert first.accepted == 12
    assert {each.attempts for each in town.records().values() if each.state != "accepted"} == {0}
    lane = town.lanes()["busy.example"]
    assert (lane["per_hour"], lane["strikes"]) == (60, 1)
    assert lane["why"].startswith("busy.example asked for patience: ")
    assert "slow down" in lane["why"]
    assert set(town.lanes()) == {"busy.example"}
    for _ in range(6):  # an hour of it
        town.later(10 * MINUTES)
        town.deliver()
    # A pause that grows, and one letter that tries it: not twelve each time.
    assert len([each for _, each in relay.tried if "@busy" in each]) < 12 + 8
    relay.at_rcpt = lambda _: b"250 ok"
    town.passes(5 * MINUTES, 60)
    assert town.states() == {"accepted": 24}
    assert len({each.recipient for each in relay.arrived}) == len(relay.arrived) == 24
    assert town.attempts() == {1}


@pytest.mark.engines("sqlite")
def test_a_mailbox_that_is_full_for_days_is_given_up_and_counts_half_a_point(town, relay):
    town.readers("ann@lab.example", "ben@lab.example")
    town.publish()
    relay.at_rcpt = lambda recipient: b"452 4.2.2 mailbox full" if recipient.startswith("ann") else b"250 ok"
    town.passes(MINUTES, 100)
    ann = town.records()["ann"]
    assert (ann.state, town.records()["ben"].state) == ("rejected", "accepted")
    tries = len([each for _, each in relay.tried if each.startswith("ann")])
    assert 10 < tries < 20
    assert ann.attempts == tries
    assert ann.reason.startswith(f"gave up after {tries} tries over 3")
    assert "4.2.2 mailbox full" in ann.reason
    assert town.lanes() == {}  # one mailbox slows nobody
    assert town.command("suppressions", "list", "--json").json["suppressions"] == []
    shown = town.command("subscribers", "show", "ann@lab.example", "--json").json
    assert shown["letters"][0]["reason"] == ann.reason
    assert points(town) == [0.5]


@pytest.mark.engines("sqlite")
def test_a_mailbox_that_was_not_there_for_four_days_is_never_tried_again_and_the_next_issue_says_why(town, relay):
    town.readers("ann@lab.example", "ben@lab.example")
    relay.at_rcpt = lambda recipient: b"550 5.1.1 no such user" if recipient.startswith("ann") else b"250 ok"
    for _ in range(4):
        assert town.command("suppressions", "list", "--json").json["suppressions"] == []
        town.publish()
        counts = town.deliver()
        assert (counts.accepted, counts.rejected) == (1, 1)
        town.later(timedelta(days=1))
    assert points(town) == [1.0] * 4  # said by our own relay: a point a day
    (suppressed,) = town.command("suppressions", "list", "--json").json["suppressions"]
    assert (suppressed["email"], suppressed["reason"]) == ("ann@lab.example", "bounce")
    assert town.publish() == 1
    town.passes(MINUTES, 100)
    assert [each for _, each in relay.tried if each.startswith("ann")] == ["ann@lab.example"] * 4
    assert [each.recipient for each in relay.arrived] == ["ben@lab.example"] * 5
    shown = town.command("subscribers", "show", "ann@lab.example", "--json").json
    assert "must not be mailed" in shown["answer"]
    assert "5.1.1" in shown["answer"]


@pytest.mark.engines("sqlite")
def test_a_letter_that_was_planned_when_its_mailbox_died_is_skipped_with_the_reason(town, relay):
    town.again(connections=1)
    town.readers("ann@lab.example")
    # Three days on which it is not there, one on which it is busy, and one on which two letters wait.
    for said in [b"550 5.1.1 no such user"] * 3 + [b"450 4.2.0 later"]:
        town.publish()
        relay.at_rcpt = lambda _, said=said: said
        town.deliver()
        town.later(timedelta(days=1))
    town.publish()
    left = [b"550 5.1.1 no such user"]
    relay.at_rcpt = lambda _: left.pop() if left else b"250 ok"
    town.deliver()
    assert relay.arrived == []
    states = sorted((each.state, each.reason) for each in town.house.outbox.records())
    assert [each for each, _ in states] == ["rejected"] * 4 + ["skipped"]
    assert states[-1][1] == "the address is suppressed: bounce"


def points(town):
    from sqlalchemy import text

    with town.house.database.reading() as connection:
        return list(connection.execute(text("SELECT points FROM letter_event ORDER BY id")).scalars())


@pytest.mark.engines("sqlite")
def test_the_same_refusal_of_policy_over_and_over_holds_all_until_a_person_has_looked(town, relay, names):
    town.readers(*names("reader", 60, "lab.example"))
    town.publish()
    relay.at_rcpt = lambda _: b"550 5.7.1 blocked, see our policy"
    town.deliver()
    town.later(MINUTES)
    held = town.deliver().held
    assert "letters were refused with 5.7.1" in held
    tried = len(relay.tried)
    assert 10 < tried < 60
    assert town.states() == {"planned": 60 - tried, "rejected": tried}
    assert town.command("suppressions", "list", "--json").json["suppressions"] == []  # it is not the readers' doing
    for _ in range(3):
        town.later(60 * MINUTES)
        assert town.deliver().held
    assert len(relay.tried) == tried
    relay.at_rcpt = lambda _: b"250 ok"
    refused = [each.id for each in town.house.outbox.records() if each.state == "rejected"]
    assert town.command("deliveries", "resume").code == 0
    for each in refused[:3]:
        assert town.command("deliveries", "retry", str(each)).code == 0
    town.deliver()
    assert town.states() == {"accepted": 60 - tried + 3, "rejected": tried - 3}


@pytest.mark.engines("sqlite")
def test_greylisting_delays_each_letter_and_slows_nobody(town, relay, names):
    town.readers(*names("reader", 8, "lab.example"))
    town.publish()
    known: set[str] = set()

    def greylist(recipient):
        if recipient in known:
            return b"250 ok"
        known.add(recipient)
        return b"451 4.7.1 greylisted, come back in a while"

    relay.at_rcpt = greylist
    assert town.deliver().deferred == 8
    assert town.lanes() == {}
    town.later(10 * MINUTES)
    assert town.deliver().accepted == 8
    assert town.attempts() == {2}

"""What happens to a reader between planning and sending, during a retry, and while the letter is on the wire."""

from datetime import timedelta

import pytest
from sqlalchemy import text

LATER = timedelta(minutes=10)
ANN = "ann@lab.example"


def leave(town):
    assert town.command("subscribers", "unsubscribe", ANN).code == 0


def suppress(town):
    assert town.command("suppressions", "add", ANN).code == 0


def pause(town):
    with town.house.database.writing() as connection:  # by no way of ours: those take the letter back
        connection.execute(text("UPDATE subscriber SET state = 'paused' WHERE email = 'ann@lab.example'"))


def erase(town):
    assert town.command("subscribers", "erase", ANN, "--yes").code == 0


WAYS = {
    leave: ("the reader is unsubscribed", "has unsubscribed"),
    suppress: ("the address is suppressed: operator", "by reason of operator"),
    pause: ("the reader is paused", "is paused"),
}


def mine(relay):
    return [each for each in relay.arrived if each.recipient == ANN and "tides" in each.parsed["Subject"].lower()]


@pytest.fixture
def planned(town):
    town.readers(ANN, "ben@lab.example")
    assert town.publish() == 2


def digest(town):
    """Return what `subscribers show` says of the digest, and the answer."""
    shown = town.command("subscribers", "show", ANN, "--json").json
    (letter,) = [each for each in shown["letters"] if each["kind"] == "digest"]
    return letter, shown["answer"]


def is_skipped(town, relay, way):
    reason, answer = WAYS[way]
    letter, said = digest(town)
    assert (letter["state"], letter["reason"]) == ("skipped", reason)
    assert answer in said
    assert mine(relay) == []
    assert town.records()["ben"].state == "accepted"
    town.later(timedelta(hours=3))
    town.deliver()
    assert mine(relay) == []
    assert digest(town)[0]["state"] == "skipped"


@pytest.mark.parametrize("way", WAYS)
def test_between_planning_and_sending(town, relay, planned, way):
    way(town)
    counts = town.deliver()
    assert counts.skipped == 1
    is_skipped(town, relay, way)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("way", WAYS)
def test_during_a_retry(town, relay, planned, way):
    relay.at_rcpt = lambda recipient: b"451 4.2.0 later" if recipient == ANN else b"250 ok"
    assert town.deliver().deferred == 1
    relay.at_rcpt = lambda _: b"250 ok"
    way(town)
    town.later(LATER)
    assert town.deliver().skipped == 1
    is_skipped(town, relay, way)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("way", WAYS)
def test_while_the_relay_is_told_of_the_recipient(town, relay, planned, way):
    happened = []

    def at_rcpt(recipient):
        if recipient == ANN and not happened:
            happened.append(way(town))
        return b"250 ok"

    relay.at_rcpt = at_rcpt
    assert town.deliver().skipped == 1
    is_skipped(town, relay, way)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("way", WAYS)
def test_between_a_lost_answer_and_the_copy(town, relay, planned, way):
    relay.after_dot = lambda recipient: (lambda talk: talk.hang_up()) if recipient == ANN else b"250 ok"
    assert town.deliver().uncertain == 1
    relay.after_dot = lambda _: b"250 ok"
    way(town)
    town.later(LATER)
    assert town.deliver().skipped == 1
    assert len(mine(relay)) == 1
    assert digest(town)[0]["reason"] == WAYS[way][0]


@pytest.mark.parametrize("moment", ["planned", "deferred", "on the wire"])
def test_an_erased_reader_is_no_row_and_gets_no_letter(town, relay, planned, moment):
    happened = []

    def at_rcpt(recipient):
        if recipient == ANN and moment == "on the wire" and not happened:
            happened.append(erase(town))
        return b"451 4.2.0 later" if recipient == ANN and moment == "deferred" and not happened else b"250 ok"

    relay.at_rcpt = at_rcpt
    if moment == "planned":
        erase(town)
    town.deliver()
    if moment == "deferred":
        happened.append(erase(town))
        town.later(LATER)
        town.deliver()
    assert [each.recipient for each in relay.arrived] == ["ben@lab.example"]
    assert set(town.records()) == {"ben"}
    shown = town.command("subscribers", "show", ANN)
    assert "is no subscriber" in shown.err

"""Goodbyes: one each time a reader leaves, in the same transaction; none for one who never came."""

from datetime import timedelta

import pytest

from digests.links import Links
from digests.mail.farewell import GOODBYE_AGE, Farewells
from digests.mail.joining import part
from digests.mail.message import Identity
from digests.render import Frame, Renderer
from domain.issues import LetterKind
from domain.subscriptions import Consent, SubscriberState
from domain.topics import WishedTopic
from storage.outbox import Outbox
from storage.subscribers import Signup, Subscribers
from topics.query import parse

LINKS = Links("https://digests.example.org", "a key of sixteen characters or more")
FAREWELLS = Farewells(
    Renderer(Frame(linked=True)), Identity(sender="Paperround <digests@lab.example>", secret="a secret"), LINKS
)


@pytest.fixture
def subscribers(database):
    return Subscribers(database)


@pytest.fixture
def waiting(database):
    """Return the goodbyes that wait, and what each says."""
    outbox = Outbox(database)

    def look(at):
        found = []
        for each in outbox.lease("looker", at, timedelta(minutes=1), 99):
            text = part(each.fragments, "text", personal=True, slots=each.slots)
            found.append((each.message_key, each.kind, each.recipient, text))
        return found

    return look


def join(subscribers, now, *, state=SubscriberState.CONFIRMED, email="mira@lab.example", shared=False):
    signup = Signup(
        email=email,
        address_key=email,
        public_id="0123456789abcdef",
        topics=[WishedTopic("tides", parse("tides"))],
        schedule=None,
        state=state,
        shared=shared,
        consent=[Consent("vouched", "1", now)],
    )
    return subscribers.subscribe(signup, now)[0]


def leave(subscribers, reader, at):
    return subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", at), FAREWELLS.at(at))


@pytest.mark.parametrize("state", [SubscriberState.CONFIRMED, SubscriberState.PAUSED])
def test_who_leaves_gets_one_goodbye_with_the_way_back(subscribers, waiting, now, state):
    reader = join(subscribers, now, state=state)
    assert leave(subscribers, reader, now)
    assert leave(subscribers, reader, now)
    ((key, kind, recipient, text),) = waiting(now)
    assert (kind, recipient) == (LetterKind.GOODBYE, "mira@lab.example")
    assert key == "goodbye:0123456789abcdef:2"
    assert LINKS.preferences(reader.public_id) in text


def test_who_comes_back_and_leaves_again_gets_a_second_one(subscribers, waiting, now):
    reader = join(subscribers, now)
    for hours in (1, 3):
        leave(subscribers, reader, now + timedelta(hours=hours))
        join(subscribers, now + timedelta(hours=hours + 1))
    keys = [key for key, *_ in waiting(now + timedelta(hours=5))]
    assert keys == ["goodbye:0123456789abcdef:2", "goodbye:0123456789abcdef:4"]


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.SUPPRESSED, SubscriberState.UNSUBSCRIBED])
def test_nobody_says_goodbye_to_an_address_that_never_confirmed_or_may_not_be_mailed(subscribers, waiting, now, state):
    reader = join(subscribers, now, state=state)
    leave(subscribers, reader, now)
    assert waiting(now) == []


def test_without_a_goodbye_the_reader_leaves_all_the_same(subscribers, waiting, now):
    reader = join(subscribers, now)
    assert subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    assert subscribers.by_public_id(reader.public_id).state is SubscriberState.UNSUBSCRIBED
    assert waiting(now) == []


def test_an_address_that_no_letter_can_be_written_to_leaves_without_one(subscribers, waiting, now):
    reader = join(subscribers, now, email="mira@lab..example")
    assert leave(subscribers, reader, now)
    assert subscribers.by_public_id(reader.public_id).state is SubscriberState.UNSUBSCRIBED
    assert waiting(now) == []


def test_a_shared_mailbox_gets_no_link_and_a_late_goodbye_is_worth_nothing(subscribers, now):
    reader = join(subscribers, now, shared=True)
    mailing = FAREWELLS.at(now)(reader, 2)
    assert set(mailing.slots) == {"to", "message-id", "letter", "date"}
    assert mailing.expires_at - now == GOODBYE_AGE
    assert "ask whoever sent you the letters" in " ".join(
        part(mailing.content.fragments, "text", personal=True, slots=mailing.slots).split()
    )
